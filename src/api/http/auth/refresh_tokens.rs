//! Refresh tokens: the first of a session is random, and each further one follows from the one before it by a keyed hash.
//! So a request that is repeated, because its reply was lost, gets the same token, which is stored as a hash only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::api::http::messages::cursor::mac;

const PREFIX: &str = "wm_rt_";

/// Makes refresh tokens under this key, and knows those made under the previous one.
pub struct RefreshTokens {
    keys: Vec<Vec<u8>>,
}

impl RefreshTokens {
    /// Each key is derived from a signing key, the current one first.
    pub fn new<'a>(signing_keys: impl Iterator<Item = &'a [u8]>) -> Self {
        Self { keys: signing_keys.map(|key| mac(key, &[b"wellmet refresh token"])).collect() }
    }

    /// The first token of a session, from random bytes.
    pub fn first(random: &[u8; 32]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
    }

    /// What is given in exchange for a token: the one to give, and the one that was given under the previous key.
    pub fn successors(&self, token: &str) -> Vec<String> {
        let follow = |key: &Vec<u8>| format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(mac(key, &[token.as_bytes()])));
        self.keys.iter().map(follow).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_from_the_one_before_under_either_key() {
        let (old, new) = (b"old".as_slice(), b"new".as_slice());
        let before = RefreshTokens::new([old].into_iter());
        let both = RefreshTokens::new([new, old].into_iter());
        let first = RefreshTokens::first(&[7; 32]);
        assert_eq!(before.successors(&first), before.successors(&first));
        assert_eq!(both.successors(&first)[1], before.successors(&first)[0]);
        assert_ne!(both.successors(&first)[0], both.successors(&first)[1]);
        assert_eq!(first.len(), both.successors(&first)[0].len());
    }
}
