//! Texts of clients that may be longer than an index holds.

use sha2::{Digest, Sha256};

/// An index row of PostgreSQL holds 2,704 bytes; a longer value stands as its hash.
const MAX_VALUE_BYTES: usize = 600;

/// A value as it is stored and looked up: one that is too long as its hash.
pub fn stored(value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        value.to_owned()
    } else {
        let hash = Sha256::digest(value.as_bytes());
        hash.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
    }
}
