//! The write path: a transaction, what is done with records in it, and the log it leaves. No kind of record is named
//! here, but in `record.rs`.

pub mod answer;
mod change;
pub mod changes;
pub mod checks;
pub mod context;
pub(in crate::store) mod enqueue;
pub mod erase;
pub mod idempotency;
pub(in crate::store) mod joins;
pub(in crate::store) mod json;
pub mod lookup;
pub(in crate::store) mod many;
pub(in crate::store) mod names;
pub(in crate::store) mod operations;
mod put;
pub mod record;
pub mod records;
pub(in crate::store) mod row;
pub(in crate::store) mod settle;
pub mod tx;
