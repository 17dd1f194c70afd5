//! The links by which an e-mail is unsubscribed from: each names its user and is signed, so that nobody can make one up and
//! none has to be stored. They are valid as long as the signing key, or the previous one, is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use crate::domain::id::UserId;

const LABEL: &[u8] = b"wellmet unsubscribe";
const ID_BYTES: usize = 16;

/// Makes the tokens of these links, and reads those made under any of the keys.
#[derive(Clone)]
pub struct UnsubscribeTokens {
    keys: Vec<Vec<u8>>,
}

impl UnsubscribeTokens {
    /// The first key signs; all of them verify.
    pub fn new<'a>(signing_keys: impl Iterator<Item = &'a [u8]>) -> Self {
        Self { keys: signing_keys.map(<[u8]>::to_vec).collect() }
    }

    pub fn token(&self, user: UserId) -> String {
        let key = self.keys.first().map(Vec::as_slice).unwrap_or_default();
        let signature = mac(key, user).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([user.uuid().as_bytes().as_slice(), &signature].concat())
    }

    /// Whose token it is, if it was made here.
    pub fn user(&self, token: &str) -> Option<UserId> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, signature) = bytes.split_at_checked(ID_BYTES)?;
        let user = UserId::new(Uuid::from_slice(id).ok()?);
        let genuine = |key: &Vec<u8>| mac(key, user).is_some_and(|mac| mac.verify_slice(signature).is_ok());
        self.keys.iter().any(genuine).then_some(user)
    }

    /// The link of a user, on the server of this address.
    pub fn link(&self, public_url: &Url, user: UserId) -> Url {
        let mut link = public_url.clone();
        let path = format!("{}/v1/unsubscribe/{}", link.path().trim_end_matches('/'), self.token(user));
        link.set_path(&path);
        link
    }
}

/// HMAC-SHA256 (RFC 2104) over the user.
fn mac(key: &[u8], user: UserId) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(LABEL);
    mac.update(user.uuid().as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u128) -> UserId {
        UserId::new(Uuid::from_u128(number))
    }

    #[test]
    fn a_token_names_its_user_under_each_key_and_nothing_else_does() {
        let (old, new) = (b"the old key".as_slice(), b"the new key".as_slice());
        let token = UnsubscribeTokens::new([old].into_iter()).token(user(1));
        let both = UnsubscribeTokens::new([new, old].into_iter());
        assert_eq!(both.user(&token), Some(user(1)));
        assert_eq!(both.user(&both.token(user(2))), Some(user(2)));
        assert_eq!(UnsubscribeTokens::new([new].into_iter()).user(&token), None);
        let of_other = URL_SAFE_NO_PAD.decode(both.token(user(2))).unwrap();
        let own = URL_SAFE_NO_PAD.decode(&token).unwrap();
        let mixed = [&of_other[..ID_BYTES], &own[ID_BYTES..]].concat();
        for forged in [String::new(), "x".to_owned(), token[..22].to_owned(), URL_SAFE_NO_PAD.encode(mixed)] {
            assert_eq!(both.user(&forged), None, "{forged}");
        }
    }

    #[test]
    fn the_link_is_below_the_address_of_the_server() {
        let tokens = UnsubscribeTokens::new([b"key".as_slice()].into_iter());
        for base in ["https://wellmet.example/api", "https://wellmet.example/api/"] {
            let link = tokens.link(&Url::parse(base).unwrap(), user(1));
            let expected = format!("https://wellmet.example/api/v1/unsubscribe/{}", tokens.token(user(1)));
            assert_eq!(link.as_str(), expected);
        }
    }
}
