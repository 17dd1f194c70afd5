//! What every operation may use: the parts of the server, and the caller and the call it is about.

use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::http::auth::caller::{Authenticator, Caller};
use super::http::auth::limits::Limits;
use super::http::auth::passwords::Passwords;
use super::http::auth::refresh_tokens::RefreshTokens;
use super::http::messages::body::Body;
use super::http::messages::cursor::Cursors;
use super::http::messages::etag::{self, ETags};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::query::{Query, parse_uuid};
use super::http::messages::response::Response;
use crate::config::Config;
use crate::domain::id::WorkspaceId;
use crate::mail::transport::Mailer;
use crate::mail::unsubscribe::UnsubscribeTokens;
use crate::metrics::Metrics;
use crate::store::{AnyId, Precondition, Store, WriteContext};

/// The parts of the server.
pub struct Api {
    pub store: Store,
    pub config: Config,
    pub authenticator: Authenticator,
    pub passwords: Passwords,
    pub refresh_tokens: RefreshTokens,
    pub cursors: Cursors,
    pub etags: ETags,
    pub limits: Limits,
    /// What sends e-mails; none if this server sends none.
    pub mailer: Option<Arc<Mailer>>,
    pub unsubscribe: UnsubscribeTokens,
    pub metrics: Arc<Metrics>,
    pub body_timeout: Duration,
    /// The server is stopping and takes no new work.
    pub draining: AtomicBool,
}

/// Who calls what, as an operation on records sees it. The same for a request of its own and for one in a batch.
#[derive(Clone)]
pub struct Context {
    pub api: Arc<Api>,
    pub caller: Caller,
    pub call: Arc<Call>,
    /// An answer of more bytes is refused; a batch has so many left for the answers of its operations.
    pub max_answer_bytes: Option<usize>,
}

/// One call of an operation, read but not yet checked by it.
pub struct Call {
    /// The path, decoded where it is an id.
    pub path: String,
    /// The values of the path's parameters, in their order.
    pub path_values: Vec<String>,
    pub query: Query,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub body: Body,
}

impl Call {
    /// The id in the path; a malformed one names nothing.
    pub fn id(&self) -> Result<AnyId, Problem> {
        let id = self.path_values.first().and_then(|id| parse_uuid(id));
        let detail = "The id in the path is not a UUID (RFC 9562) of 36 characters.";
        id.map(AnyId::new).ok_or_else(|| Problem::new(Code::NotFound).detail(detail))
    }
}

impl Context {
    pub fn workspace(&self) -> WorkspaceId {
        self.caller.workspace
    }

    pub fn id(&self) -> Result<AnyId, Problem> {
        self.call.id()
    }

    /// An answer in JSON, of no more bytes than may be.
    pub fn json<T: Serialize + ?Sized>(&self, body: &T) -> Result<Response, Problem> {
        self.json_of_about(0, body)
    }

    /// The same, of about so many bytes.
    pub fn json_of_about<T: Serialize + ?Sized>(&self, bytes: usize, body: &T) -> Result<Response, Problem> {
        match self.max_answer_bytes {
            None => Response::json_of_about(200, bytes, body),
            Some(max_bytes) => Response::json_within(200, body, max_bytes),
        }
    }

    pub fn query(&self) -> &Query {
        &self.call.query
    }

    /// What the caller knows about the record that is about to be written.
    pub fn precondition(&self) -> Result<Precondition, Problem> {
        etag::precondition(&self.api.etags, self.call.if_match.as_deref(), self.call.if_none_match.as_deref())
    }

    /// On whose behalf records are written, without an Idempotency-Key.
    pub fn write_context(&self) -> WriteContext {
        WriteContext { workspace: self.caller.workspace, actor: self.caller.actor(), idempotency: None }
    }
}
