//! Connections, tables and how statements are written; nothing here knows what a record is.

pub mod conn;
pub(in crate::store) mod lines;
pub mod migrations;
pub mod pool;
pub(in crate::store) mod rows;
pub mod schema;
pub mod select;
pub(in crate::store) mod statement;
mod tables;
pub mod types;
