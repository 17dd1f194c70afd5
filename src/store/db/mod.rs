//! What serves every kind of record: connections, the write path, the log of changes, types, schema and migrations.
//! No kind of record is named here, but in `record.rs`.

pub mod changes;
pub mod checks;
pub mod conn;
mod erase;
pub mod idempotency;
mod keys;
pub mod migrations;
mod obstacles;
mod plan;
pub mod record;
pub mod revert;
pub mod rows;
pub mod schema;
pub mod search;
pub mod select;
pub(in crate::store) mod statement;
pub mod types;
pub mod write;

pub use keys::{holders, shared_by_few, stored as stored_key};
