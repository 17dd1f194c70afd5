//! What runs outside of a request.

pub mod purge;
