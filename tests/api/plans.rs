//! The plan net: no statement reads more of a table that grows than it is about. At the end of each test, every statement
//! that is new to this process is explained on its database; one that walks a table fails the test, unless it is allowed
//! here, with a reason. A new resource is covered unedited: SQLite plans by statistics that follow from the names of the
//! columns, and on PostgreSQL every table is filled and analyzed.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{
    Backend, Client, Database, Reply, TestServer,
    plans::{Access, Explainer, explainer, identifiers, shape, take_new},
    work,
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
        &[
            "is_self",
            "known",
            "archived_at",
            "favorite",
            "tier",
            "last_interaction_key",
            "next_contact_key",
            "updated_at",
        ],
        "the defaults fit nearly everybody, and for the few that they leave out there are partial indexes; who asks for a \
         period in another order than that of its days reads the others too; what changed lately is followed by \
         /v1/changes",
    ),
    ("organizations", &["kind", "interest", "updated_at"], "words and numbers of a few values"),
    ("positions", &["kind", "is_primary", "started_on", "ended_on", "updated_at"], "the same; most are current"),
    ("relationships", &["kind", "started_on", "ended_on", "updated_at"], "the same"),
    ("needs", &["kind", "status", "updated_at"], "the same; most are open"),
    (
        "exchanges",
        &["direction", "kind", "weight", "thanked_on", "occurred_on", "updated_at"],
        "words and numbers of a few values; those of a period in another order than that of days",
    ),
    (
        "feedback",
        &["kind", "status", "is_open", "received_on", "changed_sort", "updated_at"],
        "words of a few values; those of a period in another order than that of their transitions",
    ),
    (
        "introductions",
        &["direction", "status", "id", "introducer_id", "contact_a_id", "contact_b_id", "made_on", "updated_at"],
        "words of a few values; those of a period in another order; a key result reads what was made in its period",
    ),
    ("resources", &["kind", "updated_at"], "words of a few values"),
    ("communities", &["kind", "status", "platform", "updated_at"], "words of a few values; nobody has many"),
    (
        "posts",
        &["kind", "status", "platform", "scheduled_on", "published_at", "updated_at"],
        "words of a few values; those of a period in another order than that of days",
    ),
    (
        "interactions",
        &[
            "kind",
            "status",
            "direction",
            "channel",
            "quality",
            "is_counted",
            "sorted_at",
            "occurred_on",
            "updated_at",
        ],
        "the same; who asks for a period in another order than that of time reads the others too",
    ),
    (
        "follow_ups",
        &[
            "kind",
            "status",
            "owed_by",
            "channel",
            "priority",
            "due_on",
            "due_sort",
            "actionable_on",
            "actionable_sort",
            "updated_at",
        ],
        "the same; those of a period that are asked for in another order than that of days",
    ),
    (
        "goals",
        &["status", "category", "priority", "due_on", "due_sort", "updated_at"],
        "the same; nobody has many",
    ),
    (
        "events",
        &["kind", "status", "participation", "parent_id", "debrief", "starts_sort", "ends_sort", "updated_at"],
        "the same; those of a period that are asked for in another order than that of time, most of which are no sessions",
    ),
    (
        "event_people",
        &["role", "priority", "met_at", "updated_at"],
        "words and numbers of a few values; those of a period in another order than that of days",
    ),
    ("key_results", &["metric", "updated_at"], "words of a few values"),
    ("check_ins", &["checked_on", "updated_at"], "those of a period in another order than that of days"),
    ("targets", &["stage", "priority", "updated_at"], "words and numbers of a few values"),
    ("pitches", &["language", "updated_at"], "words of a few values"),
    ("pitch_versions", &["updated_at"], "what changed lately is followed by /v1/changes"),
    ("pitch_uses", &["landed", "used_on", "updated_at"], "numbers of a few values"),
    ("follow_up_plans", &["updated_at"], "what changed lately is followed by /v1/changes"),
    ("plan_runs", &["status", "built_in", "updated_at"], "words of a few values"),
    ("duplicate_dismissals", &["updated_at"], "what changed lately is followed by /v1/changes"),
    ("jobs", &["kind"], "a worker runs nearly every kind; what it does not know waits for another version"),
    (
        "changes",
        &["entity"],
        "who follows some of the kinds passes by the others once; the cursor is behind them then",
    ),
];

/// Statements that are about all they read: by the shape of their text, `*` standing for anything.
const ALLOWED: &[(&str, &str)] = &[
    ("SELECT … FROM information_schema.columns*", "the tables are looked at once, at start"),
    ("DELETE FROM * WHERE (*.workspace_id = ?)", "a workspace is erased"),
    ("DELETE FROM workspaces WHERE (workspaces.id = ?)", "the same: SQLite looks for what is left of it"),
    ("DELETE FROM * WHERE workspace_id = ?", "the same"),
    ("SELECT … FROM sessions WHERE (sessions.workspace_id = ?)", "the same"),
    ("*UPDATE contacts SET name_parts = replace*", "a migration is taken back"),
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
        "SELECT 0, COUNT(*) FROM * WHERE workspace_id = ? AND *",
        "a key result counts the records of a period, by the entries of an index",
    ),
    (
        "SELECT contact_id, SUM(CASE*FROM exchanges WHERE workspace_id = ? AND occurred_on <= ? GROUP BY contact_id",
        "balances are summed up from the entries of an index, since their order follows from the sums",
    ),
    (
        "SELECT own.direction, own.kind, COUNT(*) FROM interactions AS own WHERE *",
        "engagement in a month is summed up from the entries of an index",
    ),
    (
        "SELECT listed.contact_id, own.direction, own.kind, COUNT(*) FROM interactions AS own JOIN *",
        "the same: with whom it was in a period",
    ),
    (
        "SELECT listed.contact_id, MIN(met.at), MAX(met.at), MIN(met.occurred_on), MAX(met.occurred_on) FROM *",
        "the same: with whom there were interactions in a period, and when",
    ),
    (
        "SELECT exchanges.direction, COUNT(*), sum(exchanges.weight) FROM exchanges WHERE *occurred_on < ?* GROUP BY *",
        "a review sums up what was exchanged in a period",
    ),
    (
        "SELECT targets.goal_id, COUNT(*) FROM targets WHERE *changed_sort < ?* GROUP BY *",
        "the same: the targets that moved in it",
    ),
    (
        "SELECT … FROM follow_ups WHERE *due_sort >= ?*due_sort < ?* ORDER BY follow_ups.due_sort, follow_ups.id",
        "the same: what became of all that was due in it",
    ),
    (
        "SELECT … FROM contacts WHERE * (id IN (SELECT contact_id FROM event_people WHERE workspace_id = ? AND (met_at >= ? AND met_at < ?))) *",
        "the same: the people met in it",
    ),
    (
        "SELECT … FROM goals WHERE workspace_id = ? AND (status = ? AND achieved_at >= ? AND achieved_at < ?) *",
        "the goals that were achieved are few",
    ),
    (
        "SELECT jobs.kind, jobs.state, COUNT(*) FROM jobs WHERE state = *",
        "an operator, or what watches over the server, asks how many wait, run or are dead",
    ),
    (
        "SELECT … FROM needs WHERE workspace_id = ? AND kind = 'need' AND status = 'open' AND NOT EXISTS *",
        "nearly everybody may be contacted",
    ),
    (
        "SELECT … FROM idempotency_keys WHERE ((idempotency_keys.workspace_id = ?) AND (idempotency_keys.record_id IS NULL))",
        "the replies of one day that are of no one record",
    ),
    (
        "SELECT id, ((? - due_day) * 1000000000000 / interval_days) FROM contact_activities WHERE *",
        "everybody in the states asked for is ranked: the order depends on the day, and no index has it",
    ),
    (
        "SELECT … FROM contact_activities WHERE workspace_id = ? AND soon_day <= ? AND due_day <= ? AND *",
        "all who are due, of whom those that were notified before are passed by",
    ),
    (
        "SELECT listed.contact_id, MIN(plan.occurred_at), MIN(plan.occurred_on) FROM interactions AS plan *",
        "what is planned and still ahead is little",
    ),
    ("SELECT … FROM interactions AS plan JOIN interaction_contacts AS listed *", "the same"),
    (
        "SELECT … FROM contact_activities WHERE workspace_id = ? AND 1 = 1 ORDER BY id LIMIT ?",
        "the zone of the workspace has changed, and with it the days of everybody",
    ),
    (
        "SELECT … FROM contacts WHERE workspace_id = ? AND ((next_contact_key < ?) AND tier IN (*)) ORDER BY *",
        "the cadence of a tier has changed, and with it the days of those who are due some day",
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

    async fn deleting_a_contact_among_20_000_takes_no_more_work_than_among_1_000(backend: Backend) {
        work::count();
        let mut server = TestServer::start(backend).await;
        let ada = server.register("ada@example.com").await;
        let pattern = contact_with_all(&ada, "Pattern", 0).await;
        let mut doomed = Vec::new();
        for number in 1..=6 {
            doomed.push(contact_with_all(&ada, "Doomed", number).await);
        }
        let mut work = Vec::new();
        for (filled, some) in [(1_000, &doomed[..3]), (19_000, &doomed[3..])] {
            fill(&server.database, &pattern.id(), filled);
            let mut own = Vec::new();
            for contact in some {
                // Opens the connections anew: what that takes is not counted.
                server.restart().await;
                ada.get(&contact.location()).await.expect(200);
                let before = work::so_far(&mut server).await;
                ada.delete(&contact.location()).await.expect(204);
                own.push(work::so_far(&mut server).await - before);
            }
            work.push(own.into_iter().min().unwrap());
        }
        let [few, many] = work[..] else { panic!("{work:?}") };
        assert!(few > 10 && many * 5 <= few * 6, "among 1,000 it takes {few}, among 20,000 {many}");
    }

    async fn every_foreign_key_has_an_index_that_begins_with_it(database: Database) {
        // What a delete looks for stands in no statement. `[c, b]` will do for `(b, c)`, and so will an index without the rows
        // that refer to nothing.
        let loose = database.texts(match database.backend {
            Backend::Sqlite => "WITH keys AS (
                    SELECT t.name AS owner, k.id, json_group_array(k.\"from\") AS columns, count(*) AS length
                    FROM pragma_table_list t, pragma_foreign_key_list(t.name) k WHERE t.schema = 'main'
                    GROUP BY t.name, k.id)
                SELECT owner || ' ' || columns FROM keys WHERE NOT EXISTS (
                    SELECT 1 FROM pragma_index_list(owner) i
                    WHERE (NOT i.partial OR EXISTS (
                        SELECT 1 FROM sqlite_schema s, json_each(columns) c
                        WHERE s.name = i.name AND s.sql LIKE '%) WHERE ' || c.value || ' IS NOT NULL'))
                    AND length = (
                        SELECT count(*) FROM pragma_index_info(i.name) c
                        WHERE c.seqno < length AND c.name IN (SELECT value FROM json_each(columns))))",
            Backend::Postgres => "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint
                WHERE contype = 'f' AND NOT EXISTS (
                    SELECT 1 FROM pg_index WHERE indrelid = conrelid
                        AND (indpred IS NULL OR EXISTS (
                            SELECT 1 FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)
                                AND pg_get_expr(indpred, indrelid) = '(' || attname || ' IS NOT NULL)'))
                        AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)",
        });
        assert_eq!(loose, Vec::<String>::new());
    }
}

/// A contact with an address, a tag, a position, a relationship, a need and somebody whom they have introduced.
async fn contact_with_all(client: &Client, name: &str, number: u32) -> Reply {
    let body = json!({"given_name": name, "family_name": format!("{number}"), "tags": ["tag"],
        "emails": {"work": {"value": format!("{name}{number}@example.com")}}, "notes": "Met at a conference."});
    let contact = client.post("/v1/contacts", &body).await.expect(201);
    let introduced = json!({"given_name": "Introduced", "how_met": {"introduced_by_id": contact.id()}});
    let other = client.post("/v1/contacts", &introduced).await.expect(201);
    let at = contact.location();
    client
        .post(&format!("{at}/positions"), &json!({"organization_name": "Acme", "title": "CTO"}))
        .await
        .expect(201);
    let related = json!({"related_contact_id": other.id(), "type": "friend"});
    client.post(&format!("{at}/relationships"), &related).await.expect(201);
    client.post(&format!("{at}/needs"), &json!({"kind": "need", "topic": "rust"})).await.expect(201);
    contact
}

/// Copies a contact so many times, with what refers to it and what is derived from it, by SQL.
fn fill(database: &Database, pattern: &str, copies: u32) {
    let (id, new, text) = match database.backend {
        Backend::Sqlite => (format!("X'{}'", pattern.replace('-', "")), "randomblob(16)", "hex(copies.id)"),
        Backend::Postgres => (format!("'{pattern}'::uuid"), "gen_random_uuid()", "copies.id::text"),
    };
    let copy = |table: &str, from: &str, replaced: &[(&str, &str)]| {
        let columns = database.texts(&match database.backend {
            Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
            Backend::Postgres => format!(
                "SELECT column_name FROM information_schema.columns
                 WHERE table_name = '{table}' AND is_generated = 'NEVER'"
            ),
        });
        let columns: Vec<&String> = columns.iter().filter(|column| *column != "document_id").collect();
        let own = |column: &String| match replaced.iter().find(|(name, _)| name == column) {
            Some((_, value)) => (*value).to_owned(),
            None => format!("own.{column}"),
        };
        let values: Vec<String> = columns.iter().map(|column| own(column)).collect();
        let columns: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
        database.execute(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} own, {from}",
            columns.join(", "),
            values.join(", ")
        ));
    };
    let times = format!(
        "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {copies}) \
         SELECT n FROM numbers) AS times WHERE own.id = {id}"
    );
    // The copies are told by their order; the last fill's have no position yet.
    copy("contacts", &times, &[("id", new), ("sort_key", "'copy'")]);
    let copies = "contacts copies WHERE copies.sort_key = 'copy' AND";
    for (table, column) in [("positions", "contact_id"), ("relationships", "contact_id"), ("needs", "contact_id")]
    {
        copy(table, &format!("{copies} own.{column} = {id}"), &[("id", new), (column, "copies.id")]);
    }
    let value = format!("own.value || {text}");
    copy(
        "record_keys",
        &format!("{copies} own.record_id = {id}"),
        &[("value", &value), ("record_id", "copies.id")],
    );
    copy("search_documents", &format!("{copies} own.record_id = {id}"), &[("record_id", "copies.id")]);
    let seq = "1000 + (SELECT max(seq) FROM changes) + row_number() OVER ()";
    copy("changes", &format!("{copies} own.record_id = {id}"), &[("seq", seq), ("record_id", "copies.id")]);
    database.execute(
        "UPDATE contacts SET sort_key = 'copied' WHERE sort_key = 'copy';
         UPDATE workspaces SET seq = (SELECT max(seq) FROM changes)",
    );
    match database.backend {
        Backend::Sqlite => database.execute("INSERT INTO search_index (search_index) VALUES ('optimize')"),
        Backend::Postgres => database.execute("ANALYZE"),
    }
}

#[test]
fn sqlite_has_statistics_of_every_index() {
    let database = Database::migrated(Backend::Sqlite);
    let without =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT IN (SELECT idx FROM sqlite_stat1)
        AND tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    assert_eq!(database.texts(without), Vec::<String>::new());
    assert_eq!(
        database.texts("SELECT stat FROM sqlite_stat1 WHERE idx = 'contacts_sort'"),
        ["10000000 1000000 10 1"]
    );
    assert_eq!(
        database.texts("SELECT stat FROM sqlite_stat1 WHERE idx = 'contacts_favorite'"),
        ["100000 10000 1"]
    );
}

#[test]
fn what_must_not_be_so_leaves_out_few() {
    let condition = "workspace_id = ? AND (((((a = ? OR b = ?))) IS NOT TRUE AND (c IS NULL)))";
    assert_eq!(without_negations(condition), "workspace_id = ? AND (( AND (c IS NULL)))");
}
