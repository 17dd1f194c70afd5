//! All SQL lives here, and nothing of HTTP: the database behind two doors for writing and one for reading.

mod account_tx;
pub mod accounts;
mod batch;
pub mod contact_activities;
pub mod contacts;
pub mod db;
mod derived;
pub mod duplicate_dismissals;
pub mod duplicates;
mod error;
pub mod follow_ups;
pub mod interactions;
pub mod lists;
pub mod matches;
pub mod merging;
pub mod needs;
pub mod organizations;
pub mod positions;
pub mod profile;
pub mod purge;
pub mod relations;
pub mod relationships;
pub mod search;
pub mod sessions;
#[allow(clippy::module_inception, reason = "the folder and its main type have one name")]
mod store;
pub mod tags;
pub mod tokens;

pub use self::account_tx::AccountTx;
pub use self::batch::{Batch, BatchMode, Ending};
pub use self::db::sql::conn::{Address, Conn};
pub use self::db::sql::migrations::OpenError;
pub use self::db::sql::pool::Settings;
pub use self::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select};
pub use self::db::sql::types::AnyId;
pub use self::db::undo;
pub use self::db::write::answer::{Answer, Settled};
pub use self::db::write::checks::{self, Precondition};
pub use self::db::write::context::{Actor, WriteContext};
pub use self::db::write::idempotency::{IdempotencyKey, KEPT_HOURS as IDEMPOTENCY_HOURS, Outcome, Reply};
pub use self::db::write::record::Record;
pub use self::db::write::tx::{Tx, UNDO_DAYS};
pub use self::db::write::{changes, erase, records};
pub use self::error::{Conflict, Error, LeftAlone, LeftAloneReason, Result};
pub use self::store::Store;
