//! How each database would carry a statement out, as the tables it reads and by which columns. What is allowed is not said
//! here.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_types::Text,
};

use wellmet::domain::{entity::Entity, key::KeyKind};

use super::{Backend, Database, statements};

/// One table, or one index of it, that a statement reads.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub table: String,
    /// The line of the plan that tells of it.
    pub line: String,
    /// The columns by which its rows are found, and those of the condition of a partial index.
    pub columns: BTreeSet<String>,
    /// Those of them that have to equal something.
    pub equal: BTreeSet<String>,
    /// The columns of the index, where no two rows have the same in all of them.
    pub unique: BTreeSet<String>,
}

/// A database to explain statements on, and what its tables and indexes are.
pub struct Explainer {
    connection: Connection,
    /// The columns of each table.
    pub tables: HashMap<String, BTreeSet<String>>,
    /// What to begin the access by an index with.
    indexes: HashMap<String, Access>,
    _database: Database,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// 1,000 rows in each of four workspaces and in every table, whichever there are, so that PostgreSQL's planner has
/// statistics: about a tenth of what may be null is not, words take all values that statements look for, references lead
/// to a third as many records. Then it is told that there were ten thousand times as many: in a small table it reads all of it, and is right.
const FILL: &str = r#"
DO $$
DECLARE
    own RECORD;
    names TEXT;
    made TEXT;
BEGIN
    FOR own IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE contype = 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', own.name, own.conname);
    END LOOP;
    FOR own IN SELECT oid, relname AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname NOT IN ('__diesel_schema_migrations', 'instance')
    LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum), string_agg(
            CASE WHEN attnotnull THEN value ELSE format('CASE WHEN n %% 10 = 0 THEN %s END', value) END,
            ', ' ORDER BY attnum)
        INTO names, made
        FROM pg_attribute, LATERAL (SELECT CASE
            WHEN attname = 'workspace_id' THEN 'md5((n % 4)::text)::uuid'
            WHEN attname = 'is_self' THEN 'n <= 4'
            WHEN atttypid = 'text'::regtype AND attname IN ('entity', 'kind', 'op', 'status', 'role', 'tier')
                THEN '(ARRAY[WORDS])[1 + n / 7 % cardinality(ARRAY[WORDS])]'
            WHEN atttypid = 'uuid'::regtype AND attname = 'id' THEN 'md5(n::text)::uuid'
            WHEN atttypid = 'uuid'::regtype THEN 'md5((n / 3)::text)::uuid'
            WHEN atttypid = 'text'::regtype THEN 'md5(n::text)'
            WHEN atttypid = 'bytea'::regtype THEN 'decode(md5(n::text), ''hex'')'
            WHEN atttypid = 'boolean'::regtype THEN 'n % 10 = 0'
            WHEN atttypid = 'timestamptz'::regtype
                THEN 'timestamptz ''2026-01-01 00:00Z'' + n * interval ''1 minute'''
            WHEN atttypid = 'jsonb'::regtype THEN '''[]''::jsonb'
            ELSE 'n'
        END AS value) AS of_column
        WHERE attrelid = own.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '';
        EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 4000) AS n', own.name, names, made);
    END LOOP;
END $$;
ANALYZE;
UPDATE pg_class SET reltuples = reltuples * 10000 WHERE relnamespace = 'public'::regnamespace;
"#;

/// The explainer of a backend, made when it is first asked for and shared by all tests of the process.
pub fn explainer(backend: Backend) -> MutexGuard<'static, Explainer> {
    static SQLITE: OnceLock<Mutex<Explainer>> = OnceLock::new();
    static POSTGRES: OnceLock<Mutex<Explainer>> = OnceLock::new();
    let own = match backend {
        Backend::Sqlite => &SQLITE,
        Backend::Postgres => &POSTGRES,
    };
    own.get_or_init(|| Mutex::new(Explainer::new(backend))).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Explainer {
    fn new(backend: Backend) -> Explainer {
        let database = Database::migrated(backend);
        // SQLite plans by the statistics that the server gives it, whatever is in the tables.
        let connection = match backend {
            Backend::Sqlite => Connection::Sqlite(database.connect_sqlite()),
            Backend::Postgres => {
                let kinds = Entity::ALL.iter().map(|entity| entity.as_str());
                let words =
                    kinds.chain(KeyKind::ALL.iter().map(|kind| kind.as_str())).chain(["open", "offer", "deleted"]);
                let words: Vec<String> = words.map(|word| format!("''{word}''")).collect();
                database.execute(&FILL.replace("WORDS", &words.join(", ")));
                let mut connection = database.connect_postgres();
                // As for a statement that is prepared once and carried out often.
                connection.batch_execute("SET plan_cache_mode = force_generic_plan").expect("a setting");
                Connection::Postgres(connection)
            }
        };
        let (columns, indexes) = match backend {
            Backend::Sqlite => (
                "SELECT t.name || '|' || c.name FROM pragma_table_list t, pragma_table_xinfo(t.name) c
                 WHERE t.schema = 'main' AND t.type = 'table'",
                "SELECT tbl_name || '|' || name || '|' || coalesce(sql, '') FROM sqlite_schema WHERE type = 'index'",
            ),
            Backend::Postgres => (
                "SELECT table_name || '|' || column_name FROM information_schema.columns WHERE table_schema = 'public'",
                "SELECT tablename || '|' || indexname || '|' || indexdef FROM pg_indexes WHERE schemaname = 'public'",
            ),
        };
        let mut tables: HashMap<String, BTreeSet<String>> = HashMap::new();
        for line in database.texts(columns) {
            let (table, column) = line.split_once('|').expect("two fields");
            tables.entry(table.to_owned()).or_default().insert(column.to_owned());
        }
        let mut by_index = HashMap::new();
        for line in database.texts(indexes) {
            let fields: Vec<&str> = line.splitn(3, '|').collect();
            let (definition, condition) = fields[2].split_once(" WHERE ").unwrap_or((fields[2], ""));
            let names = |text: &str| identifiers(text).map(str::to_owned).collect::<BTreeSet<String>>();
            let key =
                definition.split_once(" (").map(|(_, key)| names(key)).filter(|_| definition.contains(" UNIQUE "));
            let columns = names(condition);
            let access = Access {
                table: fields[0].to_owned(),
                columns,
                unique: key.unwrap_or_default(),
                ..Access::default()
            };
            by_index.insert(fields[1].to_owned(), access);
        }
        Explainer { connection, tables, indexes: by_index, _database: database }
    }

    /// Statements that change the tables, for the work alone.
    pub fn with<T>(&mut self, statements: &str, work: impl FnOnce(&mut Explainer) -> T) -> T {
        self.execute("BEGIN");
        self.execute(statements);
        let value = work(self);
        self.execute("ROLLBACK");
        value
    }

    fn execute(&mut self, statements: &str) {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.batch_execute(statements),
            Connection::Postgres(connection) => connection.batch_execute(statements),
        }
        .unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// What the statement reads, in the words of the database's plan.
    pub fn explain(&mut self, statement: &str) -> Vec<Access> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let steps: Vec<SqliteStep> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
                    .load(connection)
                    .unwrap_or_else(|error| panic!("{statement}: {error}"));
                let steps: Vec<String> = steps.into_iter().map(|step| step.detail).collect();
                self.sqlite_accesses(statement, &steps)
            }
            Connection::Postgres(connection) => {
                let values = (1..).take_while(|number| statement.contains(&format!("${number}"))).count();
                let values = vec!["NULL"; values].join(", ");
                let values = if values.is_empty() { values } else { format!("({values})") };
                let explained =
                    connection.batch_execute(&format!("PREPARE explained AS {statement}")).and_then(|()| {
                        let lines: Vec<PostgresLine> =
                            diesel::sql_query(format!("EXPLAIN (COSTS OFF) EXECUTE explained{values}"))
                                .load(connection)?;
                        connection.batch_execute("DEALLOCATE explained")?;
                        Ok(lines)
                    });
                let lines = explained.unwrap_or_else(|error| panic!("{statement}: {error}"));
                let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
                self.postgres_accesses(&lines)
            }
        }
    }

    /// `SEARCH contacts USING INDEX contacts_sort (workspace_id=? AND sort_key>?)`, `SCAN contacts` and the like.
    fn sqlite_accesses(&self, statement: &str, steps: &[String]) -> Vec<Access> {
        let mut accesses = Vec::new();
        for step in steps {
            let mut words = step.split(' ');
            let (Some("SCAN" | "SEARCH"), Some(name)) = (words.next(), words.next()) else { continue };
            let index = step.split_once(" INDEX ").map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
            let mut access = match index.and_then(|index| self.indexes.get(index)) {
                Some(access) => access.clone(),
                None => match self.table_called(statement, name) {
                    Some(table) => Access { table, ..Access::default() },
                    // What a subquery gives, rows of VALUES, the full-text index.
                    None => continue,
                },
            };
            access.line = step.clone();
            let by = step.split_once(" (").map(|(_, by)| by.trim_end_matches(')')).unwrap_or_default();
            access.equal =
                by.split(" AND ").filter_map(|part| part.strip_suffix("=?")).map(str::to_owned).collect();
            access.columns.extend(identifiers(by).map(str::to_owned));
            accesses.push(access);
        }
        accesses
    }

    /// The table that a name in a plan stands for, which may be another name for it.
    fn table_called(&self, statement: &str, name: &str) -> Option<String> {
        if self.tables.contains_key(name) {
            return Some(name.to_owned());
        }
        let (before, _) = statement.split_once(&format!(" AS {name}"))?;
        let table = identifiers(before).last()?;
        self.tables.contains_key(table).then(|| table.to_owned())
    }

    /// `Index Scan using contacts_sort on contacts` and, below it, `Index Cond: (workspace_id = $1)`.
    fn postgres_accesses(&self, lines: &[String]) -> Vec<Access> {
        let mut accesses: Vec<Access> = Vec::new();
        for line in lines {
            let line = line.trim_start_matches([' ', '-', '>']);
            if let Some(by) = line.strip_prefix("Index Cond: ") {
                let access = accesses.last_mut().expect("a condition stands below its index");
                access.line = format!("{} {by}", access.line);
                access.columns.extend(identifiers(by).map(str::to_owned));
                let parts = by.split(" AND ").map(|part| part.trim_matches(['(', ')']));
                let equal = parts.filter_map(|part| {
                    let (column, _) = [" = ", " @@ ", " IS NULL"].iter().find_map(|sign| part.split_once(sign))?;
                    identifiers(column.split("::").next()?).last().map(str::to_owned)
                });
                access.equal.extend(equal);
            } else if let Some((_, index)) =
                line.split_once(" using ").or_else(|| line.split_once("Index Scan on "))
            {
                let name = index.split(' ').next().unwrap_or_default();
                let access = self.indexes.get(name).unwrap_or_else(|| panic!("no index {name}"));
                accesses.push(Access { line: line.to_owned(), ..access.clone() });
            } else if let Some((_, table)) = line.split_once("Seq Scan on ") {
                let table = table.split(' ').next().unwrap_or_default().to_owned();
                accesses.push(Access { table, line: line.to_owned(), ..Access::default() });
            }
        }
        accesses
    }
}

/// The words of a text that may be names of columns.
pub fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
}

/// The statements that servers have sent since the last call, those alike but for the number of values once.
pub fn take_new(backend: Backend) -> Vec<String> {
    static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_query = |text: &String| {
        let begins =
            ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|word| text.starts_with(word));
        begins && !["__diesel_schema_migrations", "sqlite_schema", "pg_"].iter().any(|name| text.contains(name))
    };
    let new = statements::take_new(backend).into_iter().filter(is_query);
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    new.filter(|text| taken.insert(format!("{backend:?} {}", shape(text)))).collect()
}

/// A statement without the names of what it selects and without quotes, its values as `?`; of a list of them it tells
/// whether there is one, a few or many.
pub fn shape(statement: &str) -> String {
    let mut text = String::new();
    for (index, part) in statement.replace(['`', '"'], "").split('$').enumerate() {
        if index > 0 {
            text.push('?');
        }
        text.push_str(if index > 0 {
            part.trim_start_matches(|digit: char| digit.is_ascii_digit())
        } else {
            part
        });
    }
    for (run, shorter) in [(50, "?, …"), (3, "?, ?")] {
        let list = vec!["?"; run].join(", ");
        while let Some(start) = text.find(&list) {
            let length = text[start..].len() - text[start..].trim_start_matches("?, ").len();
            text.replace_range(start..start + length + 1, shorter);
        }
    }
    for row in ["(?, …)", "(?, ?)", "(?)"] {
        while text.contains(&format!("{row}, {row}, {row}")) {
            text = text.replace(&format!("{row}, {row}"), row);
        }
    }
    match text.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM ")) {
        Some((list, rest)) if !list.contains('(') => format!("SELECT … FROM {rest}"),
        _ => text,
    }
}
