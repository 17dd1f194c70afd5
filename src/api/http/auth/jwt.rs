//! Access tokens: JWTs after RFC 9068, signed with HS256 and nothing else.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use signature::{Signer, Verifier};

use crate::domain::id::{SessionId, UserId, WorkspaceId};
use crate::domain::timestamp::Timestamp;

/// How long an access token is valid.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// How far the clocks of two servers may be apart.
const CLOCK_SKEW_SECONDS: i64 = 60;
const ISSUER: &str = "wellmet";
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    /// Not made here; a token that has it is not valid before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    pub jti: uuid::Uuid,
    pub sub: UserId,
    pub client_id: String,
    pub sid: SessionId,
    pub ws: WorkspaceId,
    pub scope: String,
}

impl Claims {
    pub fn new(
        now: Timestamp,
        jti: uuid::Uuid,
        user: UserId,
        session: SessionId,
        workspace: WorkspaceId,
        scope: String,
    ) -> Self {
        let iat = now.instant().timestamp();
        Self {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            exp: iat.saturating_add(ACCESS_TOKEN_SECONDS),
            iat,
            nbf: None,
            jti,
            sub: user,
            client_id: ISSUER.to_owned(),
            sid: session,
            ws: workspace,
            scope,
        }
    }
}

/// Signs with the current key; verifies with it and the previous one.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: Vec<DecodingKey>,
    validation: Validation,
}

impl AccessTokens {
    pub fn new(key: &SecretString, previous: Option<&SecretString>) -> Self {
        // A second call in one process finds the provider installed, which is all that is asked for.
        let _ = HS256.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time comes in by the door: `verify` compares with the clock it is given.
        validation.validate_exp = false;
        let secret = |key: &SecretString| DecodingKey::from_secret(key.expose_secret().as_bytes());
        Self {
            encoding: EncodingKey::from_secret(key.expose_secret().as_bytes()),
            decoding: std::iter::once(key).chain(previous).map(secret).collect(),
            validation,
        }
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let header = Header { typ: Some(TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, claims, &self.encoding)
    }

    /// The claims of a token that was made here and has not expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let decoded = self
            .decoding
            .iter()
            .find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok())?;
        // RFC 7515, section 4.1.11: what a critical header says has to be understood, and none is.
        let is_ours = decoded.header.typ.as_deref() == Some(TYPE) && decoded.header.crit.is_none();
        let now = now.instant().timestamp();
        let claims = decoded.claims;
        let latest = now.saturating_add(CLOCK_SKEW_SECONDS);
        let has_begun = claims.iat <= latest && claims.nbf.is_none_or(|nbf| nbf <= latest);
        (is_ours && has_begun && now < claims.exp).then_some(claims)
    }
}

/// HMAC-SHA256 for jsonwebtoken, whose ready-made providers draw in RSA with an open advisory, or a C library.
static HS256: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key| match key.kind() {
        jsonwebtoken::DecodingKeyKind::SecretOrDer(secret) => Ok(Box::new(Hs256::new(*algorithm, secret)?)),
        _ => Err(ErrorKind::InvalidKeyFormat.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mut mac = self.0.clone();
        mac.update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.verify_slice(signature).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn key(text: &str) -> SecretString {
        SecretString::from(text)
    }

    fn claims(now: Timestamp) -> Claims {
        let id = uuid::Uuid::from_u128(1);
        Claims::new(now, id, UserId::new(id), SessionId::new(id), WorkspaceId::new(id), "contacts:read".to_owned())
    }

    #[test]
    fn a_token_holds_for_fifteen_minutes() {
        let tokens = AccessTokens::new(&key("one"), None);
        let token = tokens.sign(&claims(at("2026-03-02T09:00:00Z"))).unwrap();
        assert!(tokens.verify(&token, at("2026-03-02T09:14:59Z")).is_some());
        assert!(tokens.verify(&token, at("2026-03-02T09:15:00Z")).is_none());
        assert!(tokens.verify(&token, at("2026-03-02T08:50:00Z")).is_none());
    }

    #[test]
    fn a_token_of_the_previous_key_still_holds() {
        let now = at("2026-03-02T09:00:00Z");
        let token = AccessTokens::new(&key("old"), None).sign(&claims(now)).unwrap();
        assert!(AccessTokens::new(&key("new"), Some(&key("old"))).verify(&token, now).is_some());
        assert!(AccessTokens::new(&key("new"), None).verify(&token, now).is_none());
    }

    #[test]
    fn a_token_with_a_critical_header_or_from_the_future_is_refused() {
        let now = at("2026-03-02T09:00:00Z");
        let tokens = AccessTokens::new(&key("one"), None);
        let sign = |crit: Option<Vec<String>>, nbf: Option<i64>| {
            let header = Header { typ: Some(TYPE.to_owned()), crit, ..Header::new(Algorithm::HS256) };
            let claims = Claims { nbf, ..claims(now) };
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(b"one")).unwrap()
        };
        let second = now.instant().timestamp();
        assert!(tokens.verify(&sign(None, Some(second)), now).is_some());
        assert!(tokens.verify(&sign(None, Some(second + 61)), now).is_none());
        assert!(tokens.verify(&sign(Some(vec!["b64".to_owned()]), None), now).is_none());
    }

    #[test]
    fn an_unsigned_token_or_one_of_another_type_is_refused() {
        let now = at("2026-03-02T09:00:00Z");
        let tokens = AccessTokens::new(&key("one"), None);
        let header = Header { typ: Some("JWT".to_owned()), ..Header::new(Algorithm::HS256) };
        let plain = jsonwebtoken::encode(&header, &claims(now), &EncodingKey::from_secret(b"one")).unwrap();
        assert!(tokens.verify(&plain, now).is_none());
        let token = tokens.sign(&claims(now)).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let none = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        assert!(tokens.verify(&format!("{none}.{payload}."), now).is_none());
    }
}
