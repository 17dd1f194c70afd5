//! Cursors: opaque, signed, and bound to the list they were made for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::problem::{Code, Problem};

const MAC_BYTES: usize = 16;
const BINDING_BYTES: usize = 8;

/// What one looks like, in the examples of the document.
pub const EXAMPLE: &str = "q1YqSy0qzszPU7JSMlTSUUrJLC7JzEsvVrJSMlSqBQA";

/// Makes cursors, and reads those made under this key or the previous one.
#[derive(Clone)]
pub struct Cursors {
    keys: Vec<Vec<u8>>,
}

impl Cursors {
    /// The first key signs; all of them verify. Each is derived from a signing key.
    pub fn new<'a>(signing_keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let keys = signing_keys.map(|key| mac(key, &[b"wellmet cursor"])).collect();
        Self { keys }
    }

    /// A place in the list that `binding` names.
    pub fn seal<T: Serialize>(&self, binding: &str, place: &T) -> Result<String, Problem> {
        let place = serde_json::to_vec(place).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
        let binding = digest(binding);
        let key = self.keys.first().map(Vec::as_slice).unwrap_or_default();
        let signature = mac(key, &[&binding, &place]);
        let signature = signature.get(..MAC_BYTES).unwrap_or_default();
        Ok(URL_SAFE_NO_PAD.encode([&binding, signature, &place].concat()))
    }

    /// Tells one request from another without being a hash that passwords in it could be guessed by.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        let key = self.keys.first().map(Vec::as_slice).unwrap_or_default();
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| part.len().to_be_bytes()).collect();
        let framed: Vec<&[u8]> =
            lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
        mac(&mac(key, &[b"fingerprint"]), &framed)
    }

    /// The place, if the cursor was made here for this list.
    pub fn open<T: DeserializeOwned>(&self, binding: &str, cursor: &str) -> Result<T, Problem> {
        let invalid = || Problem::new(Code::InvalidCursor).of_parameter("cursor");
        self.try_open(binding, cursor).ok_or_else(invalid)
    }

    fn try_open<T: DeserializeOwned>(&self, binding: &str, cursor: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (sealed_for, rest) = bytes.split_at_checked(BINDING_BYTES)?;
        let (signature, place) = rest.split_at_checked(MAC_BYTES)?;
        let genuine = self.keys.iter().any(|key| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
            mac.update(sealed_for);
            mac.update(place);
            mac.verify_truncated_left(signature).is_ok()
        });
        if !genuine || sealed_for != digest(binding) {
            return None;
        }
        serde_json::from_slice(place).ok()
    }
}

fn digest(binding: &str) -> Vec<u8> {
    Sha256::digest(binding.as_bytes()).iter().copied().take(BINDING_BYTES).collect()
}

/// HMAC-SHA256 (RFC 2104), which takes a key of any length.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursors() -> Cursors {
        Cursors::new([b"a key".as_slice()].into_iter())
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_for_the_same_list_only(binding in ".{0,40}", other in ".{0,40}", place in ".{0,60}") {
            let sealed = cursors().seal(&binding, &place).unwrap();
            prop_assert_eq!(cursors().open::<String>(&binding, &sealed).unwrap(), place);
            if other != binding {
                prop_assert!(cursors().open::<String>(&other, &sealed).is_err());
            }
        }

        #[test]
        fn a_changed_cursor_is_refused(place in ".{0,60}", at in 0_usize..200, letter in "[A-Za-z0-9_-]") {
            let sealed = cursors().seal("list", &place).unwrap();
            let at = at % sealed.len();
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &letter);
            // The last letter of base64 may hold bits that do not count, which the decoder refuses unless they are 0.
            if changed != sealed {
                prop_assert!(cursors().open::<String>("list", &changed).is_err());
            }
        }

        #[test]
        fn nonsense_is_refused(text in ".{0,80}") {
            prop_assert!(cursors().open::<String>("list", &text).is_err());
        }
    }

    #[test]
    fn a_cursor_of_the_previous_key_still_opens() {
        let old = cursors().seal("list", &1).unwrap();
        let both = Cursors::new([b"new".as_slice(), b"a key".as_slice()].into_iter());
        assert_eq!(both.open::<i32>("list", &old).unwrap(), 1);
        assert!(Cursors::new([b"new".as_slice()].into_iter()).open::<i32>("list", &old).is_err());
    }
}
