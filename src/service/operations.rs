//! Carrying out operations: part after part, each in a transaction that also notes how far it has come. An operation whose
//! part cannot be done, or that is cancelled, is reverted part after part: in the end all of it is done, or nothing, but for
//! what somebody else has changed meanwhile.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

use super::bulk::{Edit, edit_all};
use super::contacts::{at_add_tags, edit_contact};
use super::follow_ups::{concerning, edit_follow_up};
use super::records::rules::Rules;
use crate::domain::follow_up::FollowUp;
use crate::domain::id::{OperationId, WorkspaceId};
use crate::domain::operation::{ListPosition, OperationError, OperationState, Position, Rename, Work};
use crate::domain::reference::{carriers_of_names, names_of};
use crate::store::operations::{self, Stored};
use crate::store::{AccountTx, AnyId, Conflict, Error, Result, Tx, lists, records, settle_and_log, undo};

/// How long a part works. What depends on the records is brought up to date after that, and takes about as long.
pub const PART: Duration = Duration::from_millis(100);

/// How many records are read, and written, at once.
const READ_AT_ONCE: usize = 200;

/// Does the next part of an operation, which works for about as long as `part`; whether the operation has finished.
pub fn run_part(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId, part: Duration) -> Result<bool> {
    let head = operations::find_in(tx, workspace, id)?;
    let (actor, number, now) = (head.actor(), head.write_seq, tx.now());
    tx.part_of_write(workspace, actor, number, |tx| {
        // As it is now that the workspace is locked.
        let mut operation = operations::find_locked(tx, id)?;
        if operation.head.finished_at.is_some() {
            return Ok(true);
        }
        if operation.head.cancel_requested && operation.head.state != OperationState::Reverting {
            operation.start_reverting(None);
        }
        if operation.head.state == OperationState::Queued {
            operation.head.state = OperationState::Running;
        }
        let is_done = work_on(tx, &mut operation, part)?;
        if is_done {
            let state = match operation.head.state {
                OperationState::Reverting if operation.head.has_failed() => OperationState::Failed,
                OperationState::Reverting => OperationState::Cancelled,
                _ => OperationState::Succeeded,
            };
            operation.finish(state, now);
        }
        operations::save(tx, &operation)?;
        Ok(is_done)
    })
}

/// After a part that could not be done, and was rolled back: what was done before is to be reverted.
pub fn fail(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId, error: OperationError) -> Result<()> {
    operations::with_locked(tx, workspace, id, |operation| {
        if operation.head.state == OperationState::Reverting {
            return Err(Error::Internal(format!("an operation cannot be reverted: {}", error.detail)));
        }
        operation.start_reverting(Some(error));
        Ok(())
    })
}

/// Ends an operation that can neither be finished nor be reverted, so that others may begin. What it has done stays.
pub fn give_up(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId) -> Result<()> {
    let now = tx.now();
    operations::with_locked(tx, workspace, id, |operation| {
        operation.abandon(now);
        Ok(())
    })
}

/// What a client is told of an error that another try would meet again; `None` if it would not.
pub fn permanent_error(error: &Error) -> Option<OperationError> {
    match error {
        Error::Invalid(invalid) => Some(invalid.clone().into()),
        Error::Conflict(Conflict::InvalidTransition { record: (entity, id), state, to, .. }) => {
            let detail = format!("The {entity} {} is {state} and cannot become {to}.", id.uuid());
            Some(OperationError::new("invalid_transition", detail))
        }
        Error::Conflict(Conflict::Permanent) => {
            Some(OperationError::new("self_contact", "The contact that represents you cannot be deleted."))
        }
        Error::Conflict(Conflict::SeriesContinued(entity, id)) => {
            let detail = format!("The {entity} {}, which follows one of them, has been changed.", id.uuid());
            Some(OperationError::new("series_continued", detail))
        }
        Error::Conflict(_) | Error::PreconditionFailed(_) | Error::NotFound | Error::CursorExpired => {
            Some(OperationError::new("conflict", "A record changed in a way that excludes the edit."))
        }
        Error::Busy(_) | Error::Unavailable(_) | Error::OutcomeUnknown(_) | Error::Internal(_) => None,
    }
}

/// Whether nothing is left to be done.
fn work_on(tx: &mut Tx<'_>, operation: &mut Stored, part: Duration) -> Result<bool> {
    let part = Part { end: Instant::now() + part };
    if operation.head.state == OperationState::Reverting {
        return part.revert(tx, operation, operation.head.write_seq);
    }
    match operation.work().clone() {
        Work::EditContacts { ids, edit } => {
            let edit = parse(edit)?;
            part.edit(tx, operation, &ids, |tx, contact| edit_contact(tx, contact, &edit), at_add_tags)
        }
        Work::EditFollowUps { ids, edit } => {
            let edit = parse(edit)?;
            let explain = |error, follow_up: &FollowUp| concerning(error, follow_up, &edit);
            part.edit(tx, operation, &ids, |tx, follow_up| edit_follow_up(tx, follow_up, &edit), explain)
        }
        Work::UpdateTags { renames } => {
            let mut position = operation.position().in_lists.clone();
            let changed = part.rename(tx, &renames, &mut position)?;
            operation.head.add_progress(changed, changed);
            let is_done = position.rename >= renames.len();
            operation.position_mut().in_lists = position;
            Ok(is_done)
        }
        Work::Revert { write } => part.revert(tx, operation, write),
    }
}

fn parse<T: DeserializeOwned>(edit: Value) -> Result<T> {
    serde_json::from_value(edit).map_err(|error| Error::Internal(format!("an edit has another form: {error}")))
}

/// A part in progress.
struct Part {
    end: Instant,
}

impl Part {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    fn edit<R: Rules>(
        &self,
        tx: &mut Tx<'_>,
        operation: &mut Stored,
        ids: &[Uuid],
        edit: impl Fn(&mut Tx<'_>, &R) -> Result<Edit<R>>,
        explain: impl Fn(Error, &R) -> Error,
    ) -> Result<bool> {
        loop {
            let next = ids.iter().skip(operation.position().next).take(READ_AT_ONCE).copied().map(AnyId::new);
            let next: Vec<AnyId> = next.collect();
            if next.is_empty() {
                return Ok(true);
            }
            let records = lists::with_ids::<R>(tx, &next)?;
            let changed = edit_all(tx, records, &edit, &explain)?;
            let position: &mut Position = operation.position_mut();
            position.next = position.next.saturating_add(next.len());
            operation.head.add_progress(next.len(), changed);
            if self.is_over() {
                return Ok(operation.position().next >= ids.len());
            }
        }
    }

    /// Replaces names in lists; how many records changed.
    fn rename(&self, tx: &mut Tx<'_>, renames: &[Rename], position: &mut ListPosition) -> Result<usize> {
        let mut changed = 0_usize;
        while let Some(rename) = renames.get(position.rename) {
            let Some(list) = names_of(rename.named) else { return Err(Error::NotFound) };
            let Some(kind) = carriers_of_names(rename.named).get(position.kind).copied() else {
                *position = ListPosition { rename: position.rename.saturating_add(1), ..ListPosition::default() };
                continue;
            };
            let after = position.after.map(AnyId::new);
            let holders = records::next_holders_of_name(tx, (list, &rename.from), kind, after, READ_AT_ONCE)?;
            if holders.is_empty() {
                (position.kind, position.after) = (position.kind.saturating_add(1), None);
            }
            let Some(last) = holders.last() else { continue };
            position.after = Some(last.uuid());
            let replaced = records::replace_name(tx, kind, &holders, &rename.from, rename.to.as_deref())?;
            changed = changed.saturating_add(replaced);
            if self.is_over() {
                return Ok(changed);
            }
        }
        Ok(changed)
    }

    fn revert(&self, tx: &mut Tx<'_>, operation: &mut Stored, write: i64) -> Result<bool> {
        loop {
            let limit = i64::try_from(READ_AT_ONCE).unwrap_or(i64::MAX);
            let reverted = undo::revert_part(tx, write, operation.position_mut(), limit)?;
            operation.head.add_progress(reverted.changes, reverted.records);
            operation.head.add_left_alone(&reverted.left_alone);
            // The next steps are planned by what this one has written, and find the names that it has given back.
            settle_and_log(tx)?;
            operations::save(tx, operation)?;
            if reverted.is_last {
                let Position { renames, mut in_lists, .. } = operation.position().clone();
                let changed = self.rename(tx, &renames, &mut in_lists)?;
                operation.head.add_progress(0, changed);
                let is_done = in_lists.rename >= renames.len();
                operation.position_mut().in_lists = in_lists;
                return Ok(is_done);
            }
            if self.is_over() {
                return Ok(false);
            }
        }
    }
}
