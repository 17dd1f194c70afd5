//! Who calls, and how often.

pub mod caller;
pub mod jwt;
pub mod limits;
pub mod passwords;
pub mod refresh_tokens;
