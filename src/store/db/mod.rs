//! What serves every kind of record, a room for each subject. No kind of record is named here, but in
//! `write/record.rs`.

pub mod index;
pub mod sql;
pub mod undo;
pub mod write;
