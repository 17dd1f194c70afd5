//! What serves every resource: problems, bodies, queries, lists, ETags, cursors, tokens and the gate that every request
//! passes. No resource is named here.

pub mod batch;
pub mod body;
pub mod caller;
pub mod cursor;
pub mod document;
pub mod edge;
pub mod edits;
pub mod etag;
pub mod gate;
pub mod jwt;
pub mod limits;
pub mod listing;
pub mod lookup;
pub mod merging;
pub mod operations;
pub mod page;
pub mod passwords;
pub mod problem;
pub mod query;
pub mod records;
pub mod replies;
pub mod resource;
pub mod views;
