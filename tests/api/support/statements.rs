//! How many statements the servers of this process have sent to each database. What each of them may send is not said
//! here.

use std::collections::HashMap;
use std::sync::{Mutex, Once, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::Database;

/// By the address that the connections were opened with.
static SENT: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Counts for one connection.
#[derive(Default)]
struct Counter {
    address: String,
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut self.address),
            InstrumentationEvent::StartQuery { .. } => {
                let mut sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
                *sent.get_or_insert_default().entry(self.address.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// From now on connections that are opened are counted on.
pub fn count() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Counter>::default())).expect("the instrumentation is set");
    });
}

/// How many statements were sent to a database so far.
pub fn sent_to(database: &Database) -> usize {
    let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    let address = database.url.trim_start_matches("sqlite://");
    sent.as_ref().and_then(|sent| sent.get(address)).copied().unwrap_or(0)
}
