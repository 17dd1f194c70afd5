//! What serves every resource: authentication, messages, records, the document, and the table of operations. No resource
//! is named here.

pub mod auth;
pub mod base_url;
pub mod batch;
pub mod compression;
pub mod document;
pub mod edge;
pub mod messages;
pub mod operation;
pub mod parameter;
pub mod records;
pub mod router;
