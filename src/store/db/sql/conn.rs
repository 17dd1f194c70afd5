//! One connection type for both databases, and the transactions that run on it. No query lives here.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager, TransactionManagerStatus};
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A connection to either database; queries are written once, against `MultiBackend`.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Address {
    Sqlite(PathBuf),
    Postgres(SecretString),
}

/// Opens connections for a pool.
///
/// `establish` of the derived connection tries each backend in turn and hides the real error, so the address decides.
#[derive(Debug)]
pub struct Manager {
    pub address: Address,
    pub busy_timeout: Duration,
    /// How long a statement may run before PostgreSQL gives up.
    pub work_timeout: Duration,
    /// How long a statement may wait for a lock before PostgreSQL gives up.
    pub lock_timeout: Duration,
}

impl Manager {
    pub fn open(&self) -> ConnectionResult<Conn> {
        match &self.address {
            Address::Postgres(url) => {
                let mut conn = PgConnection::establish(&with_connect_timeout(url.expose_secret()))?;
                let setup = postgres_setup(self.work_timeout, self.lock_timeout);
                conn.batch_execute(&setup).map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Postgres(conn))
            }
            Address::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&file_name(path))?;
                conn.batch_execute(&sqlite_setup(self.busy_timeout))
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// The server may take connections and never answer on them.
fn with_connect_timeout(url: &str) -> String {
    const SECONDS: u8 = 5;
    match url.contains("connect_timeout=") {
        true => url.to_owned(),
        false => format!("{url}{}connect_timeout={SECONDS}", if url.contains('?') { '&' } else { '?' }),
    }
}

fn postgres_setup(work_timeout: Duration, lock_timeout: Duration) -> String {
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET TIME ZONE 'UTC'; SET client_min_messages = 'warning';
         SET idle_in_transaction_session_timeout = '60s'",
        work_timeout.as_millis(),
        lock_timeout.as_millis()
    )
}

/// SQLite reads `file:` and `:memory:` in a name; `./` in front makes any path a plain one.
pub(super) fn file_name(path: &Path) -> String {
    if path.is_absolute() { path.display().to_string() } else { Path::new("./").join(path).display().to_string() }
}

/// `synchronous = FULL`: an acknowledged write survives a power cut.
fn sqlite_setup(busy_timeout: Duration) -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000;",
        busy_timeout.as_millis()
    )
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
        self.open().map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// Runs the work in a transaction; on SQLite one that takes the write lock at once, since a transaction that reads
/// first and then writes fails under load (553 of 800 with eight threads; none so).
pub fn write_transaction<T, E>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    transaction(conn, "BEGIN", "BEGIN IMMEDIATE", work)
}

/// Reads that have to agree with one another: all of them see the same moment. Within a transaction they are part of
/// it; one that writes holds its workspace, in which nobody else can write meanwhile.
pub fn read_transaction<T, E>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    if is_in_transaction(conn)? {
        return work(conn);
    }
    transaction(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN", work)
}

/// Runs the work within a transaction so that what fails is taken back alone, and leaves the rest fit to go on: on
/// PostgreSQL a statement that fails is the end of the whole transaction otherwise.
pub fn savepoint<T, E>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    <Conn as TransactionManager<Conn>>::begin_transaction(conn)?;
    let value = roll_back_unless(conn, work)?;
    <Conn as TransactionManager<Conn>>::commit_transaction(conn)?;
    Ok(value)
}

fn is_in_transaction(conn: &mut Conn) -> QueryResult<bool> {
    Ok(status_mut(conn).transaction_depth()?.is_some())
}

fn status_mut(conn: &mut Conn) -> &mut TransactionManagerStatus {
    match conn {
        Conn::Postgres(inner) => AnsiTransactionManager::transaction_manager_status_mut(inner),
        Conn::Sqlite(inner) => AnsiTransactionManager::transaction_manager_status_mut(inner),
    }
}

/// Lets statements run as long as they take.
pub(super) fn allow_long_statements(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Postgres(conn) => conn.batch_execute("SET statement_timeout = 0"),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Has the pool close the connection instead of giving it to anybody else.
pub(super) fn discard(conn: &mut Conn) {
    status_mut(conn).set_in_error();
}

/// A panic in the work leaves the transaction open; the pool sees that and closes the connection, which rolls back.
fn transaction<T, E>(
    conn: &mut Conn,
    postgres: &str,
    sqlite: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    match conn {
        Conn::Postgres(inner) => AnsiTransactionManager::begin_transaction_sql(inner, postgres)?,
        Conn::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, sqlite)?,
    }
    let value = roll_back_unless(conn, work)?;
    <Conn as TransactionManager<Conn>>::commit_transaction(conn).map_err(CommitFailed::tell)?;
    Ok(value)
}

/// Why a transaction could not be committed. Whether it was, nobody can tell if the connection was lost meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("at the commit: {0}")]
pub struct CommitFailed(pub diesel::result::Error);

impl CommitFailed {
    /// Diesel's errors are a closed set; this one holds any other.
    fn tell(error: diesel::result::Error) -> diesel::result::Error {
        use diesel::result::Error;
        match error {
            Error::RollbackErrorOnCommit { commit_error, .. } => {
                Error::QueryBuilderError(Box::new(Self(*commit_error)))
            }
            error => Error::QueryBuilderError(Box::new(Self(error))),
        }
    }
}

/// What failed is the error, even if rolling back fails too: then the connection is lost, and the transaction with it.
fn roll_back_unless<T, E>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    let done = work(conn);
    if done.is_err() && <Conn as TransactionManager<Conn>>::rollback_transaction(conn).is_err() {
        discard(conn);
    }
    done
}

/// A point within a transaction to come back to.
pub fn begin_savepoint(conn: &mut Conn) -> QueryResult<()> {
    <Conn as TransactionManager<Conn>>::begin_transaction(conn)
}

/// Back to the last such point.
pub fn roll_back_savepoint(conn: &mut Conn) -> QueryResult<()> {
    <Conn as TransactionManager<Conn>>::rollback_transaction(conn)
}

/// Until they are immediate again, the order in which rows come and go does not matter.
pub fn defer_foreign_keys(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Postgres(conn) => conn.batch_execute("SET CONSTRAINTS ALL DEFERRED"),
        Conn::Sqlite(conn) => conn.batch_execute("PRAGMA defer_foreign_keys = ON"),
    }
}

/// The end of what [`defer_foreign_keys`] began: other writes may follow in the same transaction. PostgreSQL checks
/// at once what was deferred, SQLite at the commit.
pub fn check_foreign_keys(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Postgres(conn) => conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE"),
        Conn::Sqlite(conn) => conn.batch_execute("PRAGMA defer_foreign_keys = OFF"),
    }
}
