//! The statements that the servers of this process have sent: how many to each database, and which. What each of them may
//! send is not said here.

use std::{
    collections::{HashMap, HashSet},
    fmt::{self, Write as _},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use diesel::connection::{
    Connection, DebugQuery, Instrumentation, InstrumentationEvent, set_default_instrumentation,
};

use super::{Backend, Database};

#[derive(Default)]
struct Sent {
    /// How many, by the address that the connections were opened with.
    counts: HashMap<String, usize>,
    /// The distinct texts of all of them.
    texts: HashSet<String>,
    /// Those of them that nobody has taken yet.
    new_on_sqlite: Vec<String>,
    new_on_postgres: Vec<String>,
}

static SENT: Mutex<Option<Sent>> = Mutex::new(None);

fn with_sent<T>(work: impl FnOnce(&mut Sent) -> T) -> T {
    let mut sent: MutexGuard<'_, Option<Sent>> = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    work(sent.get_or_insert_default())
}

/// Watches one connection.
#[derive(Default)]
struct Watch {
    address: String,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // Without the parameters that the server adds.
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.split('?').next().unwrap_or_default().clone_into(&mut self.address);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = text(query);
                with_sent(|sent| {
                    *sent.counts.entry(self.address.clone()).or_default() += 1;
                    if !sent.texts.contains(&text) {
                        sent.texts.insert(text.clone());
                        let is_postgres = self.address.contains("://");
                        if is_postgres { &mut sent.new_on_postgres } else { &mut sent.new_on_sqlite }.push(text);
                    }
                });
            }
            _ => {}
        }
    }
}

/// The statement as it is sent; its values, which Diesel shows behind it, are not rendered. Diesel writes the separator in one
/// piece.
fn text(query: &dyn DebugQuery) -> String {
    const VALUES: &str = " -- binds: ";

    struct Statement(String);

    impl fmt::Write for Statement {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            match part.split_once(VALUES) {
                Some((end, _)) => {
                    self.0.push_str(end);
                    Err(fmt::Error)
                }
                None => {
                    self.0.push_str(part);
                    Ok(())
                }
            }
        }
    }

    let mut statement = Statement(String::new());
    // The error is how rendering is cut short.
    let _ = write!(statement, "{query}");
    debug_assert!(!statement.0.contains("-- binds:"), "Diesel writes the separator in pieces");
    statement.0
}

/// From now on connections that are opened are watched.
pub fn watch() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Watch>::default())).expect("the instrumentation is set");
    });
}

/// What the tests themselves ask a database is no statement of a server.
pub fn look_away(connection: &mut impl Connection) {
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
}

/// How many statements were sent to a database so far.
pub fn sent_to(database: &Database) -> usize {
    let address = database.url.trim_start_matches("sqlite://");
    with_sent(|sent| sent.counts.get(address).copied().unwrap_or(0))
}

/// What a request may take besides its own: whether the session still lives is asked again after five seconds, and
/// PostgreSQL is pinged first.
pub const SESSION_STATEMENTS: usize = 2;

/// What a read returns, and how many statements it takes: the minimum of three runs, since a server also
/// polls for jobs and refreshes its caches.
pub async fn statements_of<T>(database: &Database, read: impl AsyncFn() -> T) -> (usize, T) {
    let counted = async || {
        let before = sent_to(database);
        let returned = read().await;
        (sent_to(database) - before, returned)
    };
    let others = [counted().await.0, counted().await.0];
    let (last, returned) = counted().await;
    (others.into_iter().fold(last, usize::min), returned)
}

/// The texts of statements that were sent to databases of a kind for the first time since the last call.
pub fn take_new(backend: Backend) -> Vec<String> {
    with_sent(|sent| match backend {
        Backend::Sqlite => std::mem::take(&mut sent.new_on_sqlite),
        Backend::Postgres => std::mem::take(&mut sent.new_on_postgres),
    })
}
