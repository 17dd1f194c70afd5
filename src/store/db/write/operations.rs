//! Operations as they are stored, and how a write starts one. At most one of a workspace has not finished: what it does to
//! names has to be known to every other write, and a write of several parts can be reverted as one only if nobody renames
//! the same things in between.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::context::{Actor, Credential};
use super::tx::Tx;
use crate::domain::entity::Entity;
use crate::domain::id::{OperationId, SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::job::NewJob;
use crate::domain::operation::{
    JOB, MAX_LISTED, Operation, OperationError, OperationKind, OperationState, Position, Postponed, Rename, Work,
};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::schema::operations;
use crate::store::db::sql::types::AsJson;
use crate::store::error::{Conflict, Error, LeftAlone, Result};

/// The error of one that has ended as it was.
const ABANDONED: &str = "internal";

/// An operation, without what only its job needs.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = operations)]
#[diesel(treat_none_as_default_value = false)]
pub struct Head {
    pub workspace_id: WorkspaceId,
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    /// Nobody, when the user has left the workspace.
    pub user_id: Option<UserId>,
    pub token_id: Option<TokenId>,
    pub write_seq: i64,
    pub done: i64,
    pub total: i64,
    pub changed: i64,
    pub(in crate::store) left_alone: AsJson<Vec<Value>>,
    pub left_alone_total: i64,
    pub(in crate::store) error: Option<AsJson<OperationError>>,
    pub cancel_requested: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub session_id: Option<SessionId>,
}

/// An operation with what it has to do, and how far it has come.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = operations)]
pub struct Stored {
    #[diesel(embed)]
    pub head: Head,
    pub(in crate::store) work: AsJson<Work>,
    pub(in crate::store) position: AsJson<Position>,
}

impl Head {
    pub fn actor(&self) -> Actor {
        let session = self.session_id.map(Credential::Session);
        let credential = self.token_id.map(Credential::Token).or(session);
        self.user_id.map_or(Actor::Job(JOB), |user| Actor::User(user, credential))
    }

    pub const fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Counts records that were processed, and how many of them were changed.
    pub fn add_progress(&mut self, done: usize, changed: usize) {
        self.done = self.done.saturating_add(i64::try_from(done).unwrap_or(i64::MAX));
        self.changed = self.changed.saturating_add(i64::try_from(changed).unwrap_or(i64::MAX));
    }

    /// Notes what a revert did not touch.
    pub fn add_left_alone(&mut self, left_alone: &[LeftAlone]) {
        let room = MAX_LISTED.saturating_sub(self.left_alone.0.len());
        self.left_alone.0.extend(left_alone.iter().take(room).map(|left| json!(left)));
        self.left_alone_total =
            self.left_alone_total.saturating_add(i64::try_from(left_alone.len()).unwrap_or(i64::MAX));
    }

    /// Whether it has done nothing in the end.
    fn is_reverted(&self) -> bool {
        let is_abandoned = self.error.as_ref().is_some_and(|error| error.0.code == ABANDONED);
        [OperationState::Failed, OperationState::Cancelled].contains(&self.state) && !is_abandoned
    }

    /// Of one that has done nothing in the end, there is no write to revert.
    pub fn shown(self) -> Operation {
        let write = (!self.is_reverted()).then_some(self.write_seq);
        Operation {
            id: self.id,
            kind: self.kind,
            state: self.state,
            done: self.done,
            total: self.total,
            changed: self.changed,
            left_alone: self.left_alone.0,
            left_alone_total: self.left_alone_total,
            error: self.error.map(|error| error.0),
            write,
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
        }
    }
}

impl Stored {
    pub const fn work(&self) -> &Work {
        &self.work.0
    }

    pub const fn position(&self) -> &Position {
        &self.position.0
    }

    pub const fn position_mut(&mut self) -> &mut Position {
        &mut self.position.0
    }

    /// The names that it has not yet replaced in all lists.
    fn renames(&self) -> Vec<Rename> {
        let mut renames = self.position.0.renames.clone();
        let is_forward = self.head.state != OperationState::Reverting || self.position.0.next == 0;
        if let (true, Work::UpdateTags { renames: own }) = (is_forward, &self.work.0) {
            renames.extend(own.iter().cloned());
        }
        renames
    }

    /// What it has done is to be reverted, for this reason or because it is cancelled.
    pub fn start_reverting(&mut self, error: Option<OperationError>) {
        self.position = AsJson(Position::default());
        self.head.state = OperationState::Reverting;
        self.head.error = error.map(AsJson);
        (self.head.done, self.head.changed) = (0, 0);
    }

    /// It ends as it is.
    pub fn abandon(&mut self, now: Timestamp) {
        let detail = "The server could not finish it. What was done stays, and can be reverted.";
        self.head.error = Some(AsJson(OperationError::new(ABANDONED, detail)));
        self.finish(OperationState::Failed, now);
    }

    /// What it was about is of no use any more.
    pub fn finish(&mut self, state: OperationState, now: Timestamp) {
        self.work = AsJson(self.work.0.emptied());
        self.position = AsJson(Position::default());
        self.head.state = state;
        self.head.finished_at = Some(now);
        if state == OperationState::Succeeded {
            self.head.done = self.head.total;
        }
    }
}

/// Starts an operation, in the transaction of the write that it is part of.
pub(super) fn start(tx: &mut Tx<'_>, postponed: Postponed) -> Result<Operation> {
    check_none_runs(tx)?;
    let actor = tx.actor();
    let Some(user_id) = actor.user() else {
        return Err(Error::Internal("a job started an operation".to_owned()));
    };
    let Postponed { work, total } = postponed;
    let (now, id) = (tx.now(), OperationId::new(tx.new_id()));
    let head = Head {
        workspace_id: tx.workspace,
        id,
        kind: work.kind(),
        state: OperationState::Queued,
        user_id: Some(user_id),
        token_id: actor.token(),
        write_seq: tx.reserve_number(),
        done: 0,
        total,
        changed: 0,
        left_alone: AsJson(Vec::new()),
        left_alone_total: 0,
        error: None,
        cancel_requested: false,
        created_at: now,
        updated_at: now,
        finished_at: None,
        session_id: actor.session(),
    };
    let stored = Stored { head, work: AsJson(work), position: AsJson(Position::default()) };
    diesel::insert_into(operations::table).values(&stored).execute(tx.conn)?;
    tx.enqueue(NewJob::new(JOB, json!({ "operation": id })))?;
    Ok(stored.head.shown())
}

/// Refuses what has to wait until the running operation has finished.
pub fn check_none_runs(tx: &mut Tx<'_>) -> Result<()> {
    match unfinished_id(tx)? {
        Some(running) => Err(Conflict::OperationRunning(Some(running)).into()),
        None => Ok(()),
    }
}

/// What stands against using each of these names of records of a kind: an operation is replacing it, or will be.
pub(super) fn name_conflicts(tx: &mut Tx<'_>, named: Entity, names: &[&str]) -> Result<Vec<Option<Conflict>>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let running = unfinished(tx)?.map(|running| (running.head.id, running.renames()));
    let conflict = |name: &&str| {
        if tx.postponed_renames().iter().any(|rename| rename.is_of(named, name)) {
            return Some(Conflict::OperationRunning(None));
        }
        let (id, renames) = running.as_ref()?;
        let is_replaced = renames.iter().any(|rename| rename.is_of(named, name));
        is_replaced.then_some(Conflict::OperationRunning(Some(*id)))
    };
    Ok(names.iter().map(conflict).collect())
}

/// Whether what the write of this number did was reverted by the operation that did it.
pub(in crate::store) fn has_been_reverted(tx: &mut Tx<'_>, write: i64) -> Result<bool> {
    let own = operations::table
        .filter(operations::workspace_id.eq(tx.workspace))
        .filter(operations::write_seq.eq(write));
    let head: Option<Head> = own.select(Head::as_select()).first(tx.conn).optional()?;
    Ok(head.is_some_and(|head| head.is_reverted()))
}

/// The id of the operation of the workspace that has not finished.
fn unfinished_id(tx: &mut Tx<'_>) -> Result<Option<OperationId>> {
    let own = operations::table
        .filter(operations::workspace_id.eq(tx.workspace))
        .filter(operations::finished_at.is_null());
    Ok(own.select(operations::id).first(tx.conn).optional()?)
}

/// The operation of the workspace that has not finished.
pub(super) fn unfinished(tx: &mut Tx<'_>) -> Result<Option<Stored>> {
    let own = operations::table
        .filter(operations::workspace_id.eq(tx.workspace))
        .filter(operations::finished_at.is_null());
    Ok(own.select(Stored::as_select()).first(tx.conn).optional()?)
}
