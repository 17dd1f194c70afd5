//! What records are found by: exact keys and searched text. What a kind is found by is told where the kind is.

pub(in crate::store) mod documents;
pub mod hashed;
pub mod keys;
pub mod search;
pub mod timeline;
