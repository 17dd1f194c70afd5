//! Who writes, and where, and what all parts of one transaction share. Nothing of how.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::clock::Ids;
use crate::domain::cadence::TierCadences;
use crate::domain::id::{SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::locale::TimeZone;
use crate::domain::scope::Scopes;
use crate::domain::timestamp::Timestamp;
use crate::store::db::index::hashed::stored;

/// What a user wrote with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A login.
    Session(SessionId),
    /// A personal access token.
    Token(TokenId),
}

/// Who writes, as recorded in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A user; and what they wrote with, if it was a request.
    User(UserId, Option<Credential>),
    /// The server itself, in a job of this kind.
    Job(&'static str),
}

impl Actor {
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user, _) => Some(user),
            Self::Job(_) => None,
        }
    }

    pub(in crate::store) const fn session(self) -> Option<SessionId> {
        match self {
            Self::User(_, Some(Credential::Session(session))) => Some(session),
            Self::User(..) | Self::Job(_) => None,
        }
    }

    pub(in crate::store) const fn token(self) -> Option<TokenId> {
        match self {
            Self::User(_, Some(Credential::Token(token))) => Some(token),
            Self::User(..) | Self::Job(_) => None,
        }
    }

    pub(in crate::store) const fn job(self) -> Option<&'static str> {
        match self {
            Self::User(..) => None,
            Self::Job(kind) => Some(kind),
        }
    }
}

/// The client's name for one request, and what the request was.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub key: String,
    /// A hash of method, path, query and body.
    pub fingerprint: Vec<u8>,
    /// What the request requires: a kept reply is given to nobody who lacks one of the scopes.
    pub required: BTreeSet<String>,
    /// What the caller may do.
    pub allowed: Scopes,
}

impl IdempotencyKey {
    /// A long key is kept as its hash.
    pub fn new(key: &str, fingerprint: Vec<u8>, required: BTreeSet<String>, allowed: Scopes) -> Self {
        Self { key: stored(key), fingerprint, required, allowed }
    }
}

/// Who writes, in which workspace, and under which Idempotency-Key.
#[derive(Debug, Clone)]
pub struct WriteContext {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    pub idempotency: Option<IdempotencyKey>,
}

/// How much a workspace, and an account, may have.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// Records of a workspace, but for derived ones.
    pub records: i64,
    /// Sessions of a user in a workspace; the one used the longest ago makes way for the next.
    pub sessions: usize,
    /// Bytes of the replies kept under Idempotency-Keys in a workspace.
    pub kept_reply_bytes: i64,
}

/// What all parts of one transaction share.
pub struct TxScope<'c> {
    pub ids: &'c Ids,
    pub quotas: Quotas,
    pub now: Timestamp,
    /// Whether a job was enqueued, so that workers are to be woken after the commit.
    pub has_enqueued: Cell<bool>,
    /// How many changes were logged.
    pub changes: Cell<u64>,
}

impl<'c> TxScope<'c> {
    pub const fn new(ids: &'c Ids, quotas: Quotas, now: Timestamp) -> Self {
        Self { ids, quotas, now, has_enqueued: Cell::new(false), changes: Cell::new(0) }
    }
}

/// What days are computed by in a workspace.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub zone: TimeZone,
    pub tiers: TierCadences,
}
