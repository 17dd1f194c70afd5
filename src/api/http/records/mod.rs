//! What the API does with every kind of record. No kind is named here.

pub mod any;
pub mod bulk;
pub mod collection;
pub mod contact_cards;
pub mod get;
pub mod list;
pub mod lookup;
pub mod merge;
pub mod operations;
pub mod resource;
pub mod write;
