//! Who writes, and where, and what all parts of one transaction share. Nothing of how.

use std::cell::Cell;

use super::idempotency::IdempotencyKey;
use crate::clock::Ids;
use crate::domain::cadence::TierCadences;
use crate::domain::id::{SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::locale::TimeZone;
use crate::domain::timestamp::Timestamp;

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

/// Who writes, in which workspace, and under which Idempotency-Key.
#[derive(Debug, Clone)]
pub struct WriteContext {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    pub idempotency: Option<IdempotencyKey>,
}

/// What all parts of one transaction share.
pub struct TxScope<'c> {
    pub ids: &'c Ids,
    pub now: Timestamp,
    /// Whether a job was enqueued, so that workers are to be woken after the commit.
    pub has_enqueued: Cell<bool>,
}

impl<'c> TxScope<'c> {
    pub const fn new(ids: &'c Ids, now: Timestamp) -> Self {
        Self { ids, now, has_enqueued: Cell::new(false) }
    }
}

/// What days are computed by in a workspace.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub zone: TimeZone,
    pub tiers: TierCadences,
}
