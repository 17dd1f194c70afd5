//! The plan net: no statement reads more of a table that grows than it is about. At the end of each test, every statement
//! that is new to this process is explained on its database; one that walks a table fails the test, unless it is allowed
//! here, with a reason. A new resource is covered unedited: SQLite plans by statistics that follow from the names of the
//! columns, and on PostgreSQL every table is filled and analyzed.

use std::collections::BTreeSet;

use crate::support::{
    Backend, Database,
    plans::{Access, Explainer, explainer, identifiers, shape, take_new},
};

/// Columns that many rows have the same value in: to find rows by nothing else is to walk.
const BROAD: &[&str] = &[
    "workspace_id",
    "entity",
    "kind",
    "op",
    "status",
    "role",
    "tier",
    "known",
    "favorite",
    "is_self",
    "is_primary",
];

/// Tables that do not grow with what people do.
const SMALL: &[(&str, &str)] = &[
    ("instance", "one row"),
    ("tags", "10,000 in a workspace at most"),
    ("memberships", "as many as there are people in a workspace"),
];

/// What a page of a list may leave out while it walks in the order it is listed in, by table and columns. (A column
/// that an index begins with, behind the workspace, does not belong here.)
const LEFT_OUT: &[(&str, &[&str], &str)] = &[
    (
        "contacts",
        &["is_self", "known", "archived_at", "favorite", "tier", "updated_at"],
        "the defaults fit nearly everybody, and for the few that they leave out there are partial indexes; what changed \
         lately is followed by /v1/changes",
    ),
    ("organizations", &["kind", "interest", "updated_at"], "words and numbers of a few values"),
    ("positions", &["kind", "is_primary", "started_on", "ended_on", "updated_at"], "the same; most are current"),
    ("relationships", &["kind", "started_on", "ended_on", "updated_at"], "the same"),
    ("needs", &["kind", "status", "updated_at"], "the same; most are open"),
    ("duplicate_dismissals", &["updated_at"], "what changed lately is followed by /v1/changes"),
    (
        "changes",
        &["entity"],
        "who follows some of the kinds passes by the others once; the cursor is behind them then",
    ),
];

/// Statements that are about all they read: by the shape of their text, `*` standing for anything.
const ALLOWED: &[(&str, &str)] = &[
    ("DELETE FROM * WHERE (*.workspace_id = ?)", "a workspace is erased"),
    ("DELETE FROM workspaces WHERE (workspaces.id = ?)", "the same: SQLite looks for what is left of it"),
    ("SELECT … FROM sessions WHERE (sessions.workspace_id = ?)", "the same"),
    ("UPDATE changes SET actor_user_id = ? WHERE *workspace_id*", "somebody leaves a workspace, once"),
    ("SELECT … FROM users WHERE (users.id != ?) LIMIT ?", "the second row at the latest is one"),
    (
        "SELECT COUNT(*) FROM * WHERE workspace_id = ? AND *",
        "all that fits is counted because the caller asked for it",
    ),
    (
        "SELECT … FROM changes WHERE *changes.seq >= ?*changes.entity = ?)) ORDER BY changes.seq ASC",
        "which tags had a name at a moment is told by all changes to tags since",
    ),
    (
        "SELECT … FROM needs WHERE workspace_id = ? AND kind = 'need' AND status = 'open' AND NOT EXISTS *",
        "nearly everybody may be contacted",
    ),
    (
        "SELECT … FROM idempotency_keys WHERE ((idempotency_keys.workspace_id = ?) AND (idempotency_keys.record_id IS NULL))",
        "the replies of one day that are of no one record",
    ),
    ("* AND 1 = 0*", "it has no rows, and neither database looks for any"),
    ("* WHERE 1 = 0*", "the same"),
    ("*(1=0)*", "the same, in Diesel's words"),
];

/// Explains what servers were asked since the last time, and fails on a walk.
#[track_caller]
pub fn check(backend: Backend) {
    let new = take_new(backend);
    if new.is_empty() {
        return;
    }
    let mut explainer = explainer(backend);
    let walks: Vec<String> = new.iter().flat_map(|statement| walks(&mut explainer, statement)).collect();
    drop(explainer);
    assert!(
        walks.is_empty(),
        "on {backend:?} these read more of a table than they are about:\n\n{}",
        walks.join("\n\n")
    );
}

/// What of a statement's plan walks a table, each with the statement.
fn walks(explainer: &mut Explainer, statement: &str) -> Vec<String> {
    let text = shape(statement);
    if ALLOWED.iter().any(|(like, _)| is_like(&text, like)) {
        return Vec::new();
    }
    let accesses = explainer.explain(statement);
    let walks = accesses.iter().filter(|access| is_walk(explainer, &text, access));
    walks.map(|access| format!("{text}\n    {}", access.line)).collect()
}

fn is_walk(explainer: &Explainer, text: &str, access: &Access) -> bool {
    let Access { table, columns, equal, unique, line: _ } = access;
    if SMALL.iter().any(|(small, _)| small == table) {
        return false;
    }
    let is_one = !unique.is_empty() && unique.is_subset(equal);
    if is_one || equal.iter().any(|column| !BROAD.contains(&column.as_str())) {
        return false;
    }
    // It goes through an index in order, and stops; what it passes by has to be little.
    let own = &explainer.tables[table];
    let filter = text.split_once(" WHERE ").map(|(_, filter)| filter).unwrap_or_default();
    let filter = filter.rsplit_once(" ORDER BY ").map_or(filter, |(filter, _)| filter);
    let filter = without_negations(filter);
    let asked: BTreeSet<&str> = identifiers(&filter).filter(|word| own.contains(*word)).collect();
    let left_out = LEFT_OUT.iter().filter(|(name, _, _)| name == table).flat_map(|(_, columns, _)| *columns);
    let may_be_left_out: BTreeSet<&str> = left_out.copied().collect();
    let stops = text.contains(" LIMIT ?");
    let passes_by = asked.iter().any(|column| !columns.contains(*column) && !may_be_left_out.contains(column));
    !stops || passes_by
}

/// A condition without what must not be so, which leaves out few.
fn without_negations(condition: &str) -> String {
    let mut left = condition.to_owned();
    while let Some(end) = left.find(" IS NOT TRUE") {
        let mut depth = 0_i32;
        let begin = left[..end].rfind(|character| {
            depth += i32::from(character == ')') - i32::from(character == '(');
            depth == 0
        });
        left.replace_range(begin.unwrap_or(0)..end + " IS NOT TRUE".len(), "");
    }
    left
}

/// Whether a text is of a form in which `*` stands for anything.
fn is_like(text: &str, like: &str) -> bool {
    let Some((begin, rest)) = like.split_once('*') else { return text == like };
    let Some(mut left) = text.strip_prefix(begin) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let (last, middle) = parts.split_last().expect("a split has a part");
    for part in middle {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(last)
}

on_both! {
    async fn a_statement_that_walks_for_want_of_an_index_is_found(backend: Backend) {
        let referring = |table: &str, column: &str| {
            format!("SELECT id FROM {table} WHERE workspace_id = $1 AND {column} = $2 ORDER BY id LIMIT $3")
        };
        let of_write = "SELECT seq FROM changes WHERE workspace_id = $1 AND write_seq = $2 ORDER BY seq DESC";
        for (index, statement) in [
            ("contacts_introduced_by", referring("contacts", "introduced_by_id")),
            ("organizations_parent", referring("organizations", "parent_id")),
            ("positions_contact", referring("positions", "contact_id")),
            ("changes_write", of_write.to_owned()),
            ("sessions_expires", "SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2".to_owned()),
        ] {
            let mut explainer = explainer(backend);
            assert_eq!(walks(&mut explainer, &statement), Vec::<String>::new(), "{index}");
            let found = explainer.with(&format!("DROP INDEX {index}"), |explainer| walks(explainer, &statement));
            assert_eq!(found.len(), 1, "{statement} without {index}");
        }
    }

    async fn every_foreign_key_has_an_index_that_begins_with_it(database: Database) {
        // What a delete looks for stands in no statement. `[c, b]` will do for `(b, c)`.
        let loose = database.texts(match database.backend {
            Backend::Sqlite => "WITH keys AS (
                    SELECT t.name AS owner, k.id, json_group_array(k.\"from\") AS columns, count(*) AS length
                    FROM pragma_table_list t, pragma_foreign_key_list(t.name) k WHERE t.schema = 'main'
                    GROUP BY t.name, k.id)
                SELECT owner || ' ' || columns FROM keys WHERE NOT EXISTS (
                    SELECT 1 FROM pragma_index_list(owner) i WHERE NOT i.partial AND length = (
                        SELECT count(*) FROM pragma_index_info(i.name) c
                        WHERE c.seqno < length AND c.name IN (SELECT value FROM json_each(columns))))",
            Backend::Postgres => "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
                WHERE contype = 'f' AND NOT EXISTS (
                    SELECT 1 FROM pg_index WHERE indrelid = conrelid AND indpred IS NULL
                        AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)",
        });
        assert_eq!(loose, Vec::<String>::new());
    }
}

#[test]
fn sqlite_has_statistics_of_every_index() {
    let database = Database::migrated(Backend::Sqlite);
    let without =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT IN (SELECT idx FROM sqlite_stat1)
        AND tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    assert_eq!(database.texts(without), Vec::<String>::new());
    assert_eq!(database.texts("SELECT stat FROM sqlite_stat1 WHERE idx = 'contacts_sort'"), ["100000 10000 10 1"]);
    assert_eq!(database.texts("SELECT stat FROM sqlite_stat1 WHERE idx = 'contacts_favorite'"), ["1000 100 1"]);
}

#[test]
fn what_must_not_be_so_leaves_out_few() {
    let condition = "workspace_id = ? AND (((((a = ? OR b = ?))) IS NOT TRUE AND (c IS NULL)))";
    assert_eq!(without_negations(condition), "workspace_id = ? AND (( AND (c IS NULL)))");
}
