//! A database of its own for each test, on either backend, gone when the test is; and plain SQL on
//! it, for what no endpoint shows. Tests that can ask over HTTP should.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, OnceLock},
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    sql_types::{BigInt, Nullable, Text},
};
use tempfile::TempDir;
use wellmet::{app::App, clock::ManualClock, config::Config};

use super::{Backend, START, postgres, scratch, statements};

/// One test's database. Dropping it drops what is in it, with whatever is still connected.
pub struct Database {
    pub backend: Backend,
    /// As `DATABASE_URL` takes it.
    pub url: String,
    /// Where `wellmet.db` lies, with what the server keeps beside it; none on PostgreSQL.
    folder: Option<TempDir>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

impl Database {
    /// A database without a table. (On SQLite: without a file, which the server makes.)
    pub fn empty(backend: Backend) -> Database {
        match backend {
            Backend::Sqlite => Database::sqlite(),
            Backend::Postgres => Database { backend, url: postgres::create_empty(), folder: None },
        }
    }

    /// A database as the server leaves it after its first start: all migrations, no user.
    pub fn migrated(backend: Backend) -> Database {
        match backend {
            Backend::Sqlite => {
                let database = Database::sqlite();
                write_private(database.folder().join("wellmet.db"), sqlite_template());
                database
            }
            Backend::Postgres => Database { backend, url: postgres::create_migrated(), folder: None },
        }
    }

    fn sqlite() -> Database {
        let folder = scratch();
        let url = format!("sqlite://{}", folder.path().join("wellmet.db").display());
        Database { backend: Backend::Sqlite, url, folder: Some(folder) }
    }

    /// The folder of `wellmet.db`; panics on PostgreSQL, which has none.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("only a SQLite database has a folder").path()
    }

    /// Runs statements, separated by semicolons.
    #[track_caller]
    pub fn execute(&self, statements: &str) {
        let outcome = match self.backend {
            Backend::Sqlite => self.connect_sqlite().batch_execute(statements),
            Backend::Postgres => self.connect_postgres().batch_execute(statements),
        };
        outcome.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// The one number that a query of one column and one row gives.
    #[track_caller]
    pub fn number(&self, query: &str) -> i64 {
        let query = format!("WITH answer(value) AS ({query}) SELECT CAST(value AS BIGINT) AS value FROM answer");
        let outcome = match self.backend {
            Backend::Sqlite => diesel::sql_query(&query).get_result(&mut self.connect_sqlite()),
            Backend::Postgres => diesel::sql_query(&query).get_result(&mut self.connect_postgres()),
        };
        let Number { value } = outcome.unwrap_or_else(|error| panic!("{query}: {error}"));
        value
    }

    /// What a query of one column gives, as text and in the order that the query itself makes;
    /// null is the empty string.
    #[track_caller]
    pub fn texts(&self, query: &str) -> Vec<String> {
        let query = format!("WITH answer(value) AS ({query}) SELECT CAST(value AS TEXT) AS value FROM answer");
        let outcome = match self.backend {
            Backend::Sqlite => diesel::sql_query(&query).get_results(&mut self.connect_sqlite()),
            Backend::Postgres => diesel::sql_query(&query).get_results(&mut self.connect_postgres()),
        };
        let words: Vec<Word> = outcome.unwrap_or_else(|error| panic!("{query}: {error}"));
        words.into_iter().map(|word| word.value.unwrap_or_default()).collect()
    }

    #[track_caller]
    pub fn connect_postgres(&self) -> PgConnection {
        let outcome = PgConnection::establish(&self.url);
        let mut connection = outcome.unwrap_or_else(|error| panic!("{}: {error}", self.url));
        statements::look_away(&mut connection);
        connection
    }

    #[track_caller]
    pub fn connect_sqlite(&self) -> SqliteConnection {
        let file = self.folder().join("wellmet.db").display().to_string();
        let mut connection = SqliteConnection::establish(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        statements::look_away(&mut connection);
        connection
            .batch_execute("PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON")
            .expect("pragmas that every version knows");
        connection
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres {
            postgres::drop_database(&self.url);
        }
    }
}

/// The bytes of a migrated SQLite file, made once: a copy costs a tenth of running the migrations.
fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let database = Database::empty(Backend::Sqlite);
        let clock = Arc::new(ManualClock::at(START));
        let app = App::start(Config::for_test(&database.url), clock)
            .unwrap_or_else(|error| panic!("the SQLite migrations did not run: {error}"));
        drop(app);
        // A copy that SQLite makes itself is whole, even while part of it is still in the log.
        let copy = database.folder().join("template.db");
        database.execute(&format!("VACUUM INTO '{}'", copy.display()));
        std::fs::read(copy).expect("the copy that SQLite has just made")
    })
}

/// Writes a file that only its owner may read, as the server's own are.
fn write_private(file: impl AsRef<Path>, bytes: &[u8]) {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(bytes))
        .expect("a file in a folder of our own");
}
