//! Requests and answers: bodies, queries, entity tags, cursors, pages, problems.

pub mod accepted;
pub mod body;
pub mod conditional;
pub mod cursor;
pub mod etag;
pub mod location;
pub mod page;
pub mod problem;
pub mod query;
pub mod response;
pub mod section;
