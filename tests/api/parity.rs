//! The parity net: both databases have the same tables, and those that `schema.rs` and `REFERENCES` tell. It reads what
//! the migrations have made, not their text, and every exception is in a list here with its reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use wellmet::{
    domain::{entity::Entity, reference::REFERENCES},
    store::db::sql::{
        conn::{Address, Manager},
        migrations,
    },
};

use crate::support::{Backend, Database};

/// What only one of the databases has, by the beginning of its line in [`Schema::lines`].
const ONE_SIDED: &[(Backend, &str, &str)] = &[
    (Backend::Postgres, "column search_documents.token_vector ", "FTS5 keeps its own; see search_index"),
    (Backend::Postgres, "index search_documents_tokens ", "the GIN index on token_vector"),
    (Backend::Sqlite, "table search_index", "the full-text table that stands for the GIN index"),
    (Backend::Sqlite, "column search_index.", "the same"),
];

/// Diesel's own table.
const MIGRATIONS_TABLE: &str = "__diesel_schema_migrations";

/// Tables whose primary key does not begin with the workspace, though they have one.
const KEYED_OTHERWISE: &[(&str, &str)] = &[
    ("search_documents", "full-text search wants a stable integer key; (workspace, entity, record) is unique"),
    ("jobs", "one queue for all workspaces, and for jobs that belong to none"),
];

/// Tables of nobody's workspace.
const NOBODYS: &[(&str, &str)] = &[
    ("instance", "what this database is"),
    ("users", "a person may work in several workspaces"),
    ("password_resets", "a password is that of a person"),
    ("workspaces", "its own id is the workspace"),
];

/// What migrations have made, in words that are the same for both databases.
#[derive(Default)]
struct Schema {
    tables: BTreeSet<String>,
    /// By table and column: the type as SQLite has it, and `null` or `not null`.
    columns: BTreeMap<(String, String), (String, String)>,
    /// By table.
    primary_keys: BTreeMap<String, Vec<String>>,
    /// `name on table (columns)`, with `unique` before and the condition of a partial one behind.
    indexes: BTreeSet<String>,
    foreign_keys: BTreeSet<ForeignKey>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ForeignKey {
    table: String,
    columns: String,
    target: String,
    target_columns: String,
    on_delete: String,
    on_update: String,
}

impl Schema {
    /// All of it, a fact a line.
    fn lines(&self) -> BTreeSet<String> {
        let tables = self.tables.iter().map(|table| format!("table {table}"));
        let columns = self
            .columns
            .iter()
            .map(|((table, name), (kind, null))| format!("column {table}.{name} {kind} {null}"));
        let keys = self.primary_keys.iter().map(|(table, key)| format!("primary key {table} ({})", key.join(",")));
        let indexes = self.indexes.iter().map(|index| format!("index {index}"));
        let foreign = self.foreign_keys.iter().map(|key| {
            let ForeignKey { table, columns, target, target_columns, on_delete, on_update } = key;
            format!("foreign key {table} ({columns}) to {target} ({target_columns}), {on_delete}, {on_update}")
        });
        tables.chain(columns).chain(keys).chain(indexes).chain(foreign).collect()
    }

    fn read(database: &Database) -> Schema {
        match database.backend {
            Backend::Sqlite => Schema::read_sqlite(database),
            Backend::Postgres => Schema::read_postgres(database),
        }
    }

    fn read_sqlite(database: &Database) -> Schema {
        // Shadow tables are the full-text table's own.
        let own = format!(
            "pragma_table_list t WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') \
             AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '{MIGRATIONS_TABLE}'"
        );
        let mut schema = Schema {
            tables: database.texts(&format!("SELECT t.name FROM {own}")).into_iter().collect(),
            ..Schema::default()
        };
        for table in schema.tables.clone() {
            let columns = database.texts(&format!(
                "SELECT name || '|' || type || '|' || \"notnull\" || '|' || pk FROM pragma_table_xinfo('{table}') \
                 WHERE hidden <> 1 ORDER BY cid"
            ));
            let mut key = BTreeMap::new();
            for column in columns {
                let [name, kind, not_null, place] = parts(&column);
                let null = if not_null == "1" { "not null" } else { "null" };
                schema.columns.insert((table.clone(), name.clone()), (kind, null.to_owned()));
                if place != "0" {
                    key.insert(place.parse::<u32>().expect("a place in the key"), name);
                }
            }
            if !key.is_empty() {
                schema.primary_keys.insert(table.clone(), key.into_values().collect());
            }
            let indexes = database.texts(&format!(
                "SELECT l.name || '|' || l.\"unique\" || '|' || \
                 (SELECT group_concat(coalesce(x.name, '?') || CASE x.\"desc\" WHEN 1 THEN ' desc' ELSE '' END, ',' \
                    ORDER BY x.seqno) FROM pragma_index_xinfo(l.name) x WHERE x.key = 1) \
                 || '|' || coalesce(m.sql, '') \
                 FROM pragma_index_list('{table}') l LEFT JOIN sqlite_schema m ON m.name = l.name \
                 WHERE l.origin <> 'pk'"
            ));
            for index in indexes {
                let [name, unique, columns, text] = parts(&index);
                let condition = text.split_once(" WHERE ").map(|(_, condition)| condition.to_owned());
                schema.add_index(&table, &name, unique == "1", &columns, condition);
            }
            let foreign_keys = database.texts(&format!(
                "SELECT group_concat(\"from\", ',' ORDER BY seq) || '|' || \"table\" || '|' \
                 || group_concat(\"to\", ',' ORDER BY seq) || '|' || on_delete || '|' || on_update \
                 FROM pragma_foreign_key_list('{table}') GROUP BY id, \"table\", on_delete, on_update"
            ));
            for key in foreign_keys {
                let [columns, target, target_columns, on_delete, on_update] = parts(&key);
                let table = table.clone();
                schema.foreign_keys.insert(ForeignKey {
                    table,
                    columns,
                    target,
                    target_columns,
                    on_delete,
                    on_update,
                });
            }
        }
        schema
    }

    fn read_postgres(database: &Database) -> Schema {
        let mut schema = Schema::default();
        let columns = database.texts(&format!(
            "SELECT c.relname || '|' || a.attname || '|' || format_type(a.atttypid, a.atttypmod) || '|' || a.attnotnull \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = current_schema()::regnamespace \
             AND c.relname <> '{MIGRATIONS_TABLE}'"
        ));
        for column in columns {
            let [table, name, kind, not_null] = parts(&column);
            let null = if not_null == "true" { "not null" } else { "null" };
            schema.tables.insert(table.clone());
            schema.columns.insert((table, name), (as_sqlite(&kind).to_owned(), null.to_owned()));
        }
        let indexes = database.texts(&format!(
            "SELECT t.relname || '|' || i.relname || '|' || x.indisprimary || '|' || x.indisunique || '|' || \
             (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, true) \
                || CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k) \
                FROM generate_series(1, x.indnkeyatts) k) \
             || '|' || coalesce(pg_get_expr(x.indpred, x.indrelid), '') \
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
             WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> '{MIGRATIONS_TABLE}'"
        ));
        for index in indexes {
            let [table, name, primary, unique, columns, condition] = parts(&index);
            if primary == "true" {
                schema.primary_keys.insert(table, columns.split(',').map(str::to_owned).collect());
            } else {
                let condition = (!condition.is_empty()).then_some(condition);
                schema.add_index(&table, &name, unique == "true", &columns, condition);
            }
        }
        let names = |keys: &str, relation: &str| {
            format!(
                "(SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(f.{keys}) WITH ORDINALITY k(number, place) \
                 JOIN pg_attribute a ON a.attrelid = f.{relation} AND a.attnum = k.number)"
            )
        };
        let foreign_keys = database.texts(&format!(
            "SELECT f.conrelid::regclass || '|' || {} || '|' || f.confrelid::regclass || '|' || {} || '|' \
             || f.confdeltype::text || '|' || f.confupdtype::text FROM pg_constraint f \
             WHERE f.contype = 'f' AND f.connamespace = current_schema()::regnamespace",
            names("conkey", "conrelid"),
            names("confkey", "confrelid"),
        ));
        for key in foreign_keys {
            let [table, columns, target, target_columns, on_delete, on_update] = parts(&key);
            let (on_delete, on_update) = (action(&on_delete), action(&on_update));
            schema.foreign_keys.insert(ForeignKey {
                table,
                columns,
                target,
                target_columns,
                on_delete,
                on_update,
            });
        }
        schema
    }

    fn add_index(&mut self, table: &str, name: &str, unique: bool, columns: &str, condition: Option<String>) {
        let unique = if unique { ", unique" } else { "" };
        let condition = condition.map(|condition| {
            let plain = condition.trim().replace(['(', ')'], "").replace("::text", "").to_lowercase();
            format!(", where {plain}")
        });
        self.indexes.insert(format!("{name} on {table} ({columns}){unique}{}", condition.unwrap_or_default()));
    }
}

/// The fields of a row that SQL has put together.
fn parts<const N: usize>(row: &str) -> [String; N] {
    let all: Vec<String> = row.splitn(N, '|').map(str::to_owned).collect();
    all.try_into().unwrap_or_else(|_| panic!("not {N} fields: {row}"))
}

fn action(letter: &str) -> String {
    match letter {
        "a" => "NO ACTION",
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        other => other,
    }
    .to_owned()
}

/// How SQLite holds what PostgreSQL has a type of its own for; see `store/db/types.rs`.
fn as_sqlite(postgres: &str) -> &str {
    match postgres {
        "uuid" | "bytea" => "BLOB",
        "timestamp with time zone" | "bigint" | "integer" | "smallint" | "boolean" => "INTEGER",
        "text" | "jsonb" => "TEXT",
        "double precision" => "REAL",
        other => other,
    }
}

/// A SQLite and a PostgreSQL database; none where there is no PostgreSQL, which the harness has told.
fn both(postgres: &Database) -> (Schema, Schema) {
    (Schema::read(&Database::migrated(Backend::Sqlite)), Schema::read(postgres))
}

on_both! {
    async fn both_databases_have_the_same_tables(database: Database) {
        // One comparison needs both; on SQLite alone there is nothing to compare with.
        if database.backend == Backend::Sqlite {
            return;
        }
        let (sqlite, postgres) = both(&database);
        let (sqlite, postgres) = (sqlite.lines(), postgres.lines());
        let mut faults = Vec::new();
        let mut used = BTreeSet::new();
        let sides = [(Backend::Sqlite, &sqlite, &postgres), (Backend::Postgres, &postgres, &sqlite)];
        for (backend, own, other) in sides {
            for line in own.difference(other) {
                let known = ONE_SIDED.iter().find(|(side, start, _)| *side == backend && line.starts_with(start));
                match known {
                    Some((_, start, _)) => drop(used.insert(*start)),
                    None => faults.push(format!("only {backend:?} has: {line}")),
                }
            }
        }
        for (_, start, _) in ONE_SIDED.iter().filter(|(_, start, _)| !used.contains(start)) {
            faults.push(format!("an exception that nothing needs: {start}"));
        }
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }

    async fn schema_rs_tells_the_tables_as_they_are(database: Database) {
        let (schema, told) = (Schema::read(&database), declared());
        let mut faults = Vec::new();
        let ours = |table: &str| !(database.backend == Backend::Sqlite && table == "search_index");
        for table in schema.tables.iter().filter(|table| ours(table)) {
            if !told.contains_key(table) {
                faults.push(format!("schema.rs lacks the table {table}"));
            }
        }
        for (table, Declared { key, columns }) in &told {
            if schema.primary_keys.get(table) != Some(key) {
                let real = schema.primary_keys.get(table);
                faults.push(format!("the primary key of {table} is {real:?}, in schema.rs {key:?}"));
            }
            for ((_, name), real) in schema.columns.iter().filter(|((own, _), _)| own == table) {
                match columns.get(name) {
                    Some(told) if told == real => {}
                    None if (table.as_str(), name.as_str()) == ("search_documents", "token_vector") => {}
                    told => faults.push(format!("{table}.{name} is {real:?}, in schema.rs {told:?}")),
                }
            }
            for name in columns.keys().filter(|name| !schema.columns.contains_key(&(table.clone(), (*name).clone()))) {
                faults.push(format!("the database lacks {table}.{name}"));
            }
        }
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }

    async fn a_workspace_comes_first_in_every_key(database: Database) {
        let schema = Schema::read(&database);
        let is_excepted = |list: &[(&str, &str)], table: &str| list.iter().any(|(own, _)| *own == table);
        for table in schema.tables.iter().filter(|table| *table != "search_index") {
            let has_workspace = schema.columns.contains_key(&(table.clone(), "workspace_id".to_owned()));
            assert_ne!(has_workspace, is_excepted(NOBODYS, table), "{table}: of a workspace, or in NOBODYS, not both");
            let first = schema.primary_keys.get(table).and_then(|key| key.first()).map(String::as_str);
            if has_workspace {
                let is_first = first == Some("workspace_id");
                assert_ne!(is_first, is_excepted(KEYED_OTHERWISE, table), "the primary key of {table} begins {first:?}");
            }
        }
    }

    async fn every_foreign_key_of_a_workspace_holds_the_workspace_and_acts_on_nothing(database: Database) {
        let schema = Schema::read(&database);
        for key in &schema.foreign_keys {
            let ForeignKey { table, columns, target, target_columns, on_delete, on_update } = key;
            assert_eq!((on_delete.as_str(), on_update.as_str()), ("NO ACTION", "NO ACTION"), "{table} ({columns})");
            if schema.columns.contains_key(&(target.clone(), "workspace_id".to_owned())) {
                assert!(
                    columns.starts_with("workspace_id,") && target_columns.starts_with("workspace_id,"),
                    "{table} ({columns}) to {target} ({target_columns}) can leave the workspace"
                );
            }
        }
        if database.backend == Backend::Postgres {
            // A revert puts records back in any order.
            let fixed = database.texts(
                "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE contype = 'f' \
                 AND connamespace = current_schema()::regnamespace AND (NOT condeferrable OR condeferred)",
            );
            assert!(fixed.is_empty(), "not DEFERRABLE INITIALLY IMMEDIATE: {fixed:?}");
        }
    }

    async fn references_are_the_foreign_keys_between_records(database: Database) {
        let schema = Schema::read(&database);
        let is_record = |table: &str| {
            Entity::ALL.iter().any(|entity| entity.plural() == table)
                || REFERENCES.iter().any(|reference| reference.join == Some(table))
        };
        let real: Vec<String> = schema
            .foreign_keys
            .iter()
            .filter(|key| is_record(&key.table) && is_record(&key.target))
            .map(|ForeignKey { table, columns, target, target_columns, .. }| {
                format!("{table} ({columns}) to {target} ({target_columns})")
            })
            .collect();
        let told = REFERENCES.iter().flat_map(|reference| {
            let (from, to) = (reference.from.plural(), reference.to.plural());
            let key = |table: &str, column: &str, target: &str| {
                format!("{table} (workspace_id,{column}) to {target} (workspace_id,id)")
            };
            match reference.join {
                None => vec![key(from, reference.column, to)],
                Some(join) => vec![key(join, &reference.own_column(), from), key(join, reference.column, to)],
            }
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        assert_eq!(real, told, "the foreign keys (left), and REFERENCES (right)");
        for entity in Entity::ALL {
            assert!(schema.tables.contains(entity.plural()), "{entity} has no table {}", entity.plural());
        }
    }

    async fn taking_every_migration_back_and_running_them_again_changes_nothing(database: Database) {
        let before = verbatim(&database);
        assert!(before.len() > 50, "the schema was read: {before:?}");
        let address = match database.backend {
            Backend::Sqlite => Address::Sqlite(database.folder().join("wellmet.db")),
            Backend::Postgres => Address::Postgres(database.url.clone().into()),
        };
        let limit = Duration::from_secs(30);
        let manager = Manager { address, busy_timeout: limit, work_timeout: limit, lock_timeout: limit };
        migrations::redo_all(&manager).expect("down, then up");
        pretty(&before, &verbatim(&database));
    }
}

/// The schema as the database itself tells it, a thing a line.
fn verbatim(database: &Database) -> Vec<String> {
    let mut all: Vec<String> = Schema::read(database).lines().into_iter().collect();
    all.extend(match database.backend {
        Backend::Sqlite => database.texts("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema"),
        Backend::Postgres => database.texts(
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE connamespace = current_schema()::regnamespace \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() \
             UNION ALL SELECT attrelid::regclass || '.' || attname || ' ' || attcollation || ' ' || attidentity::text \
                || ' ' || attgenerated::text FROM pg_attribute WHERE attnum > 0 AND attrelid IN \
                (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace) \
             UNION ALL SELECT relkind::text || ' ' || relname FROM pg_class \
                WHERE relnamespace = current_schema()::regnamespace \
             UNION ALL SELECT proname || '' FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
        ),
    });
    all.sort();
    all
}

#[track_caller]
fn pretty(before: &[String], after: &[String]) {
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(gone.is_empty() && new.is_empty(), "gone: {gone:#?}\nnew: {new:#?}");
}

#[test]
fn every_sqlite_table_is_strict() {
    let loose = Database::migrated(Backend::Sqlite).texts(&format!(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 \
         AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> '{MIGRATIONS_TABLE}'"
    ));
    assert!(loose.is_empty(), "not STRICT: {loose:?}");
}

#[test]
fn both_databases_have_the_same_migrations_each_with_its_way_back() {
    let of = |backend: &str| -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).expect("the migrations") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            for file in ["up.sql", "down.sql"] {
                let text = fs::read_to_string(path.join(file)).unwrap_or_default();
                assert!(!text.trim().is_empty(), "{backend}/{name}/{file} is missing or empty");
            }
            names.push(name);
        }
        names.sort();
        names
    };
    assert_eq!(of("sqlite"), of("postgres"));
}

/// A table as `schema.rs` tells it.
#[derive(Default)]
struct Declared {
    key: Vec<String>,
    /// The type as SQLite has it, and `null` or `not null`.
    columns: BTreeMap<String, (String, String)>,
}

/// `schema.rs` read as text: `name (key) {`, then `column -> Type,` a line.
fn declared() -> BTreeMap<String, Declared> {
    let text = include_str!("../../src/store/db/sql/schema.rs");
    let mut tables: BTreeMap<String, Declared> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, key)) = line.strip_suffix(") {").and_then(|head| head.split_once(" (")) {
            let key = key.split(", ").map(str::to_owned).collect();
            tables.insert(name.to_owned(), Declared { key, ..Declared::default() });
            current = Some(name.to_owned());
        } else if let Some((column, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let (kind, null) = match kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>')) {
                Some(inner) => (inner, "null"),
                None => (kind, "not null"),
            };
            let table = current.as_ref().and_then(|table| tables.get_mut(table)).expect("a column within a table");
            table.columns.insert(column.to_owned(), (declared_as_sqlite(kind).to_owned(), null.to_owned()));
        }
    }
    assert!(tables.len() > 5, "schema.rs was read");
    tables
}

fn declared_as_sqlite(kind: &str) -> &str {
    match kind {
        "Id" | "Binary" => "BLOB",
        "Instant" | "BigInt" | "Integer" | "SmallInt" | "Bool" => "INTEGER",
        "Text" | "Json" => "TEXT",
        "Double" => "REAL",
        other => panic!("parity.rs does not know how SQLite holds {other}"),
    }
}
