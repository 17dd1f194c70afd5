//! Who calls: the holder of an access token or of a personal access token, and what they may do.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use secrecy::SecretString;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::jwt::{AccessTokens, Claims};
use crate::api::http::messages::problem::Problem;
use crate::domain::entity::Entity;
use crate::domain::id::{SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::scope::{Role, Scopes};
use crate::domain::secret;
use crate::domain::timestamp::Timestamp;
use crate::store::{Actor, Credential, Store, sessions, tokens};

/// How long what a token may do is remembered; what this node revokes it forgets at once.
const REMEMBERED: Duration = Duration::from_secs(5);

/// The caller of an operation, authenticated and allowed to call it.
#[derive(Debug, Clone)]
pub struct Caller {
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub role: Role,
    pub scopes: Scopes,
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
}

impl Caller {
    pub fn actor(&self) -> Actor {
        let session = self.session.map(Credential::Session);
        Actor::User(self.user, self.token.map(Credential::Token).or(session))
    }

    pub fn may_read(&self, entity: Entity) -> bool {
        self.scopes.contains(&format!("{}:read", entity.area()))
    }

    /// For what an operation touches beside the record it is about, whose scope the gate has asked for.
    pub fn require(&self, entity: Entity, action: &str) -> Result<(), Problem> {
        let scope = format!("{}:{action}", entity.area());
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::insufficient_scope(&scope)
            .detail(format!("Records of kind {entity} require the scope {scope}.")))
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Problem::unauthenticated("This operation requires a token.")))
    }
}

/// Notes the use of a token while its caller goes on: a read waits for no writer, and does not fail because of one.
fn note_use(store: Store, workspace: WorkspaceId, id: TokenId) {
    actix_web::rt::spawn(async move {
        if let Err(error) = store.account_write(move |tx| tokens::note_use(tx, workspace, id)).await {
            tracing::warn!(%error, token = %id, "cannot record the use of a token");
        }
    });
}

/// Tells callers by their tokens.
pub struct Authenticator {
    access_tokens: AccessTokens,
    /// By all that a token says of its session.
    sessions: moka::sync::Cache<(WorkspaceId, SessionId, UserId), Option<Role>>,
    personal: moka::sync::Cache<Vec<u8>, Option<(Caller, Option<Timestamp>)>>,
    /// Grows with every `forget`, so that what was read before it is not remembered after it.
    forgotten: AtomicU64,
}

impl Authenticator {
    pub fn new(key: &SecretString, previous: Option<&SecretString>) -> Self {
        Self {
            access_tokens: AccessTokens::new(key, previous),
            sessions: moka::sync::Cache::builder().max_capacity(100_000).time_to_live(REMEMBERED).build(),
            personal: moka::sync::Cache::builder().max_capacity(100_000).time_to_live(REMEMBERED).build(),
            forgotten: AtomicU64::new(0),
        }
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        self.access_tokens.sign(claims)
    }

    /// Something was revoked here: nothing that is remembered counts any more.
    pub fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate_all();
        self.personal.invalidate_all();
    }

    /// The caller behind the `Authorization` header.
    pub async fn authenticate(&self, store: &Store, request: &HttpRequest) -> Result<Caller, Problem> {
        let Some(header) = request.headers().get(header::AUTHORIZATION) else {
            return Err(Problem::unauthenticated("Send a token: Authorization: Bearer <token>."));
        };
        let Some(token) = bearer_token(header) else {
            return Err(Problem::unauthenticated("The Authorization header is not of the form: Bearer <token>."));
        };
        let caller = if token.starts_with(secret::PERSONAL_TOKEN) {
            self.by_personal_token(store, token).await?
        } else {
            self.by_access_token(store, &token).await?
        };
        caller.ok_or_else(|| {
            Problem::unauthenticated("The token is unknown, expired or revoked. Log in again, or refresh.")
                .header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
        })
    }

    async fn by_access_token(&self, store: &Store, token: &str) -> Result<Option<Caller>, Problem> {
        let now = store.now();
        let Some(claims) = self.access_tokens.verify(token, now) else { return Ok(None) };
        let (workspace, session, user) = (claims.ws, claims.sid, claims.sub);
        let key = (workspace, session, user);
        let role = match self.sessions.get(&key) {
            Some(role) => role,
            None => {
                let before = self.forgotten.load(Ordering::SeqCst);
                let role = store.read(move |conn| sessions::role(conn, workspace, session, user, now)).await?;
                if before == self.forgotten.load(Ordering::SeqCst) {
                    self.sessions.insert(key, role);
                }
                role
            }
        };
        Ok(role.map(|role| Caller {
            workspace,
            user,
            role,
            scopes: Scopes::from_claim(&claims.scope),
            session: Some(session),
            token: None,
        }))
    }

    async fn by_personal_token(&self, store: &Store, token: String) -> Result<Option<Caller>, Problem> {
        if !secret::is_well_formed(secret::PERSONAL_TOKEN, &token) {
            return Ok(None);
        }
        let now = store.now();
        let key = tokens::hash_of_secret(&token);
        let known = match self.personal.get(&key) {
            Some(known) => known,
            None => {
                let before = self.forgotten.load(Ordering::SeqCst);
                let found = store.read(move |conn| tokens::find_by_secret(conn, &token)).await?;
                if let Some((token, _)) = &found
                    && token.is_valid_at(now)
                    && token.use_is_worth_noting(now)
                {
                    note_use(store.clone(), token.workspace_id, token.id);
                }
                let known = found.map(|(token, role)| {
                    let caller = Caller {
                        workspace: token.workspace_id,
                        user: token.user_id,
                        role,
                        scopes: token.scopes.0,
                        session: None,
                        token: Some(token.id),
                    };
                    (caller, token.expires_at)
                });
                if before == self.forgotten.load(Ordering::SeqCst) {
                    self.personal.insert(key, known.clone());
                }
                known
            }
        };
        Ok(known.filter(|(_, expires_at)| expires_at.is_none_or(|end| now < end)).map(|(caller, _)| caller))
    }
}

/// The token of an Authorization header: `Bearer <token>`.
pub fn bearer_token(header: &HeaderValue) -> Option<String> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
