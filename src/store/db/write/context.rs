//! Who writes, and where. Nothing of how.

use super::idempotency::IdempotencyKey;
use crate::domain::id::{TokenId, UserId, WorkspaceId};

/// Who writes, as recorded in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub user: UserId,
    /// The personal access token used, if one was.
    pub token: Option<TokenId>,
}

/// Who writes, in which workspace, and under which Idempotency-Key.
#[derive(Debug, Clone)]
pub struct WriteContext {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    pub idempotency: Option<IdempotencyKey>,
}

impl WriteContext {
    pub const fn user(&self) -> UserId {
        self.actor.user
    }
}
