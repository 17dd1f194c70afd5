//! Opening a database: claiming it, bringing its tables up to date, refusing what is not ours.

use base64::Engine as _;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::conn::{Address, Conn, Manager, file_name};
use super::schema::instance;
use super::tables;
use crate::clock::Ids;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Older ones corrupt a WAL database that several connections use.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Older ones lack what the tables use.
const OLDEST_POSTGRES: i32 = 150_000;
/// Servers that start at the same time bring the tables up to date one after the other.
const ADVISORY_LOCK: i64 = 0x77_65_6c_6c_6d_65_74;

/// What SQLite's planner is told of every index, the same in all databases: a workspace has a million rows of a kind, a word
/// such as a status takes five values, anything else picks out ten rows, the whole of a unique index one, and a partial
/// index holds a hundredth. Without it SQLite takes ten rows for a workspace, and so walked a whole one in the order of a
/// list rather than look up what was asked for (whatever refers to a contact, all documents at each search). Numbers that
/// SQLite counts itself would differ from database to database, and plans with them.
const STATISTICS: &str = "
    BEGIN IMMEDIATE;
    ANALYZE sqlite_schema;
    DELETE FROM sqlite_stat1;
    WITH indexes AS (
        SELECT own.name AS tbl_name, list.name, list.\"unique\" AS is_unique, list.partial AS is_partial,
            -- What a table is ordered by itself goes by the name of the table.
            iif(own.wr AND list.origin = 'pk', own.name, list.name) AS known_as
        FROM pragma_table_list own JOIN pragma_index_list(own.name) list
        WHERE own.schema = 'main' AND own.type = 'table'
    ), columns AS (
        SELECT indexes.*, info.seqno,
            sum(info.name IN ('entity', 'kind', 'op', 'status', 'role', 'tier')) OVER prefix AS words,
            max(info.name NOT IN ('workspace_id', 'entity', 'kind', 'op', 'status', 'role', 'tier')) OVER prefix AS is_narrow,
            info.seqno = max(info.seqno) OVER (PARTITION BY indexes.name)
                AND (is_unique OR info.name IN ('id', 'seq')) AS is_one
        FROM indexes, pragma_index_xinfo(indexes.name) info WHERE info.key = 1
        WINDOW prefix AS (PARTITION BY indexes.name ORDER BY info.seqno)
    )
    INSERT INTO sqlite_stat1 (tbl, idx, stat)
    SELECT tbl_name, known_as, iif(is_partial, 100000, 10000000) || ' ' || group_concat(
        CASE WHEN is_one THEN 1 WHEN is_narrow THEN 10 ELSE iif(is_partial, 10000, 1000000) / (1 + 4 * words) END, ' '
        ORDER BY seqno)
    FROM columns GROUP BY name;
    COMMIT;
";

/// What this database is, whoever serves it.
#[derive(Debug, Clone)]
pub struct Instance {
    pub epoch: String,
    pub signing_key: Option<SecretString>,
}

/// Why a database cannot be used: a sentence for whoever starts the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot open the database file {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("another process is using {}; one SQLite file serves one process at a time", path.display())]
    InUse { path: PathBuf },
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} is a SQLite database, but not one of wellmet's", path.display())]
    Foreign { path: PathBuf },
    #[error("cannot connect to the database: {0}")]
    Connect(String),
    #[error(
        "the database was made by a newer version of wellmet (its migration {0:?} is unknown here); \
         start that version instead"
    )]
    Newer(String),
    #[error("{0} is too old; wellmet needs {1} or newer")]
    TooOld(String, &'static str),
    #[error("the database does not have the tables that its migrations make: {0}; restore it from a backup")]
    Tables(String),
    #[error("cannot bring the database up to date: {0}")]
    Migrate(String),
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Migrate(error.to_string())
    }
}

/// Makes the SQLite file, readable by nobody else, and holds a lock beside it as long as the process lives.
pub fn claim(address: &Address) -> Result<Option<File>, OpenError> {
    let Address::Sqlite(path) = address else { return Ok(None) };
    let failed = |error: std::io::Error| OpenError::File { path: path.clone(), reason: error.to_string() };
    private_file(path).map_err(failed)?;
    let mut lock_path = path.clone().into_os_string();
    lock_path.push(".lock");
    let lock = private_file(Path::new(&lock_path)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.clone() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Opens a file, or makes it with mode 0600.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Connects, checks versions, runs what is pending, and reads (or makes) the one row that says what this database is.
pub fn prepare(manager: &Manager, ids: &Ids) -> Result<Instance, OpenError> {
    if let Address::Sqlite(path) = &manager.address {
        check_sqlite_file(path)?;
    }
    let mut conn = manager.open().map_err(|error| refused(manager, &error.to_string()))?;
    match &mut conn {
        Conn::Sqlite(sqlite) => {
            without_foreign_keys(sqlite, |sqlite| run(sqlite, SQLITE))?;
            // For the connections that are opened from here on.
            sqlite.batch_execute(STATISTICS)?;
        }
        Conn::Postgres(postgres) => {
            check_postgres_version(postgres)?;
            postgres.batch_execute(&format!(
                "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({ADVISORY_LOCK})"
            ))?;
            run(postgres, POSTGRES)?;
        }
    }
    let instance = check_tables(&mut conn).and_then(|()| read_or_make(&mut conn, ids));
    if let Conn::Postgres(postgres) = &mut conn {
        postgres.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK})"))?;
    }
    instance
}

fn check_tables(conn: &mut Conn) -> Result<(), OpenError> {
    tables::missing(conn)?.map_or(Ok(()), |missing| Err(OpenError::Tables(missing)))
}

fn refused(manager: &Manager, reason: &str) -> OpenError {
    match &manager.address {
        Address::Sqlite(path) if reason.contains("not a database") => {
            OpenError::NotADatabase { path: path.clone() }
        }
        Address::Sqlite(path) => OpenError::File { path: path.clone(), reason: reason.to_owned() },
        Address::Postgres(url) => {
            OpenError::Connect(without_password(&reason.trim().replace('\n', " "), url.expose_secret()))
        }
    }
}

/// What libpq says of a URL that it cannot read may quote any part of it.
fn without_password(reason: &str, url: &str) -> String {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let in_front = url.rsplit_once('@').and_then(|(front, _)| Some(front.split_once(':')?.1)).unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameters = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.contains("password").then_some(value)
    });
    let pieces = in_front.split(['@', ':', '/', '?']).chain(parameters).filter(|piece| !piece.is_empty());
    pieces.fold(reason.to_owned(), |reason, piece| reason.replace(piece, "…"))
}

fn check_sqlite_version() -> Result<(), OpenError> {
    #[allow(unsafe_code, reason = "SQLite tells the version it runs by this call only; it reads a constant")]
    let version = unsafe { libsqlite3_sys::sqlite3_libversion_number() };
    if version < OLDEST_SQLITE {
        return Err(OpenError::TooOld(format!("SQLite {version}"), "SQLite 3.51.3"));
    }
    Ok(())
}

/// Looks before anything is written: a file that is something else is left as it is.
fn check_sqlite_file(path: &Path) -> Result<(), OpenError> {
    #[derive(QueryableByName)]
    struct Tables {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        all: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        own: i64,
    }
    check_sqlite_version()?;
    let failed = |reason: String| {
        if reason.contains("not a database") {
            OpenError::NotADatabase { path: path.to_path_buf() }
        } else {
            OpenError::File { path: path.to_path_buf(), reason }
        }
    };
    let mut conn = SqliteConnection::establish(&file_name(path)).map_err(|error| failed(error.to_string()))?;
    let found: Tables = diesel::sql_query(
        "SELECT count(*) AS \"all\", count(*) FILTER (WHERE name = '__diesel_schema_migrations') AS own
         FROM sqlite_schema WHERE type = 'table'",
    )
    .get_result(&mut conn)
    .map_err(|error| failed(error.to_string()))?;
    if found.all > 0 && found.own == 0 {
        return Err(OpenError::Foreign { path: path.to_path_buf() });
    }
    Ok(())
}

fn check_postgres_version(conn: &mut PgConnection) -> Result<(), OpenError> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        number: i32,
    }
    let version: Version =
        diesel::sql_query("SELECT current_setting('server_version_num')::integer AS number").get_result(conn)?;
    if version.number < OLDEST_POSTGRES {
        return Err(OpenError::TooOld(format!("PostgreSQL {}", version.number / 10_000), "PostgreSQL 15"));
    }
    Ok(())
}

/// Whether there was anything to run.
fn run<C, DB>(conn: &mut C, source: EmbeddedMigrations) -> Result<bool, OpenError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migrate(error.to_string());
    let known: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed)?;
    let known: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = conn.applied_migrations().map_err(failed)?;
    if let Some(newer) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(OpenError::Newer(newer));
    }
    let ran = conn.run_pending_migrations(source).map_err(failed)?;
    Ok(!ran.is_empty())
}

/// SQLite changes the foreign keys of a table only by making it anew, during which those that refer to it refer to nothing
/// (<https://www.sqlite.org/lang_altertable.html#otheralter>). Afterwards all have to hold.
fn without_foreign_keys(
    conn: &mut SqliteConnection,
    migrate: impl FnOnce(&mut SqliteConnection) -> Result<bool, OpenError>,
) -> Result<(), OpenError> {
    #[derive(QueryableByName)]
    struct Violation {
        #[diesel(sql_type = diesel::sql_types::Text)]
        table: String,
    }
    conn.batch_execute("PRAGMA foreign_keys = OFF")?;
    let has_changed = migrate(conn)?;
    conn.batch_execute("PRAGMA foreign_keys = ON")?;
    if !has_changed {
        return Ok(());
    }
    let violation: Option<Violation> =
        diesel::sql_query("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1").get_result(conn).optional()?;
    match violation {
        None => Ok(()),
        Some(Violation { table }) => {
            Err(OpenError::Migrate(format!("a row of {table} refers to one that does not exist")))
        }
    }
}

fn read_or_make(conn: &mut Conn, ids: &Ids) -> Result<Instance, OpenError> {
    let random = |bytes: &mut [u8]| ids.fill(bytes).map_err(|error| OpenError::Migrate(error.to_string()));
    let rows: Vec<(String, Option<String>)> =
        instance::table.select((instance::epoch, instance::signing_key)).load(conn)?;
    if let Some((epoch, signing_key)) = rows.into_iter().next() {
        return Ok(Instance { epoch, signing_key: signing_key.map(SecretString::from) });
    }
    let mut epoch = [0; 6];
    random(&mut epoch)?;
    let epoch = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(epoch);
    let mut key = [0; 32];
    random(&mut key)?;
    let signing_key =
        matches!(conn, Conn::Postgres(_)).then(|| base64::engine::general_purpose::STANDARD_NO_PAD.encode(key));
    diesel::insert_into(instance::table)
        .values((
            instance::id.eq(1),
            instance::epoch.eq(&epoch),
            instance::signing_key.eq(&signing_key),
            instance::workspace_count.eq(0_i64),
        ))
        .execute(conn)?;
    Ok(Instance { epoch, signing_key: signing_key.map(SecretString::from) })
}

/// Takes every migration back and runs them again, for the test that both directions work.
pub fn redo_all(manager: &Manager) -> Result<(), OpenError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migrate(error.to_string());
    match &mut manager.open().map_err(|error| refused(manager, &error.to_string()))? {
        Conn::Sqlite(conn) => without_foreign_keys(conn, |conn| {
            conn.revert_all_migrations(SQLITE).map_err(failed)?;
            run(conn, SQLITE)
        }),
        Conn::Postgres(conn) => {
            conn.revert_all_migrations(POSTGRES).map_err(failed)?;
            run(conn, POSTGRES).map(drop)
        }
    }
}
