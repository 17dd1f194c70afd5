//! What can be done to every kind of record. No kind is named here.

pub mod input;
pub mod merge;
pub mod rules;
pub mod transitions;
pub mod write;
