//! Making text comparable: folding, search tokens, sort keys. No storage of tokens and no ranking.
//!
//! Both databases store the result and compare bytes, so that they agree: SQLite by itself folds ASCII only,
//! PostgreSQL by its collation.

mod characters;
mod fold;
mod search;
mod similar;
mod speech;
#[cfg(test)]
mod tests;
mod tokens;

pub use characters::{is_cjk, is_invisible};
pub use fold::{fold, lower, sort_key, trimmed};
pub use search::{Query, Words, document_tokens, query, without_digraphs};
pub use similar::similar;
pub use speech::spoken_seconds;
pub use tokens::{readable_tokens, tokens};
