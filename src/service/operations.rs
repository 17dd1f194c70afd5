//! Carrying out operations: part after part, each in a transaction that also notes how far it has come. An operation whose
//! part cannot be done, or that is cancelled, is reverted part after part: in the end all of it is done, or nothing.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

use super::contacts::edit_contact;
use super::follow_ups::edit_follow_up_in_bulk;
use crate::domain::contact::Contact;
use crate::domain::follow_up::FollowUp;
use crate::domain::id::{OperationId, WorkspaceId};
use crate::domain::operation::{ListPosition, OperationError, OperationState, Position, Rename, Work};
use crate::domain::reference::{carriers_of_names, names_of};
use crate::store::operations::{self, Stored};
use crate::store::{AccountTx, AnyId, Conflict, Error, Record, Result, Tx, lists, records, settle_and_log, undo};

/// How long a part works. What depends on the records is brought up to date after that, and takes about as long.
const PART: Duration = Duration::from_millis(100);

/// How many records are read at once.
const READ_AT_ONCE: usize = 50;

/// Does the next part of an operation; whether it has finished.
pub fn run_part(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId) -> Result<bool> {
    let mut operation = operations::find_in(tx, workspace, id)?;
    if operation.finished_at.is_some() {
        return Ok(true);
    }
    if operation.cancel_requested && operation.state != OperationState::Reverting {
        operation.turn_back(None);
    }
    if operation.state == OperationState::Queued {
        operation.state = OperationState::Running;
    }
    let (actor, number) = (operation.actor(), operation.write_seq);
    let is_done = tx.part_of_write(workspace, actor, number, |tx| work_on(tx, &mut operation))?;
    if is_done {
        let state = match operation.state {
            OperationState::Reverting if operation.has_failed() => OperationState::Failed,
            OperationState::Reverting => OperationState::Cancelled,
            _ => OperationState::Succeeded,
        };
        operation.finish(state, tx.now());
    }
    operations::save(tx, &operation)?;
    Ok(is_done)
}

/// After a part that could not be done, and was rolled back: what was done before is to be reverted.
pub fn fail(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId, error: OperationError) -> Result<()> {
    let mut operation = operations::find_in(tx, workspace, id)?;
    if operation.state == OperationState::Reverting {
        return Err(Error::Internal(format!("an operation cannot be reverted: {}", error.detail)));
    }
    operation.turn_back(Some(error));
    operations::save(tx, &operation)
}

/// What a client is told of an error that another try would meet again; `None` if it would not.
pub fn lasting_error(error: &Error) -> Option<OperationError> {
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
        Error::Busy(_) | Error::Internal(_) => None,
    }
}

/// Whether nothing is left to be done.
fn work_on(tx: &mut Tx<'_>, operation: &mut Stored) -> Result<bool> {
    let part = Part { end: Instant::now() + PART };
    if operation.state == OperationState::Reverting {
        return part.revert(tx, operation, operation.write_seq);
    }
    match operation.work().clone() {
        Work::EditContacts { ids, edit } => {
            let edit = parse(edit)?;
            part.edit(tx, operation, &ids, |tx, contact: &Contact| edit_contact(tx, contact, &edit))
        }
        Work::EditFollowUps { ids, edit } => {
            let edit = parse(edit)?;
            part.edit(tx, operation, &ids, |tx, follow_up: &FollowUp| edit_follow_up_in_bulk(tx, follow_up, &edit))
        }
        Work::UpdateTags { renames } => {
            let mut position = operation.position().in_lists.clone();
            let changed = part.rename(tx, &renames, &mut position)?;
            note(operation, changed, changed);
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

fn note(operation: &mut Stored, done: usize, changed: usize) {
    operation.done = operation.done.saturating_add(i64::try_from(done).unwrap_or(i64::MAX));
    operation.changed = operation.changed.saturating_add(i64::try_from(changed).unwrap_or(i64::MAX));
}

/// A part in progress.
struct Part {
    end: Instant,
}

impl Part {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    fn edit<R: Record>(
        &self,
        tx: &mut Tx<'_>,
        operation: &mut Stored,
        ids: &[Uuid],
        edit: impl Fn(&mut Tx<'_>, &R) -> Result<bool>,
    ) -> Result<bool> {
        while operation.position().next < ids.len() && !self.is_over() {
            let next: Vec<AnyId> =
                ids.iter().skip(operation.position().next).take(READ_AT_ONCE).copied().map(AnyId::new).collect();
            let mut changed = 0_usize;
            // Those that are gone by now need no edit.
            for record in lists::with_ids::<R>(tx, &next)? {
                changed = changed.saturating_add(usize::from(edit(tx, &record)?));
            }
            let position: &mut Position = operation.position_mut();
            position.next = position.next.saturating_add(next.len());
            note(operation, next.len(), changed);
        }
        Ok(operation.position().next >= ids.len())
    }

    /// Replaces names in lists; how many records changed.
    fn rename(&self, tx: &mut Tx<'_>, renames: &[Rename], position: &mut ListPosition) -> Result<usize> {
        let mut changed = 0_usize;
        while let Some(rename) = renames.get(position.rename).filter(|_| !self.is_over()) {
            let Some(list) = names_of(rename.named) else { return Err(Error::NotFound) };
            let Some(kind) = carriers_of_names(rename.named).get(position.kind).copied() else {
                *position = ListPosition { rename: position.rename.saturating_add(1), ..ListPosition::default() };
                continue;
            };
            let after = position.after.map(AnyId::new);
            let holders = records::next_holders_of_name(tx, (list, &rename.from), kind, after, READ_AT_ONCE)?;
            match holders.last() {
                Some(last) => position.after = Some(last.uuid()),
                None => (position.kind, position.after) = (position.kind.saturating_add(1), None),
            }
            for id in holders {
                let is_changed = records::replace_name(tx, (kind, id), &rename.from, rename.to.as_deref())?;
                changed = changed.saturating_add(usize::from(is_changed));
            }
        }
        Ok(changed)
    }

    fn revert(&self, tx: &mut Tx<'_>, operation: &mut Stored, write: i64) -> Result<bool> {
        while !self.is_over() {
            let limit = i64::try_from(READ_AT_ONCE).unwrap_or(i64::MAX);
            let reverted = undo::revert_part(tx, write, operation.position_mut(), limit)?;
            note(operation, reverted.changes, reverted.records);
            operation.add_left_alone(&reverted.left_alone);
            // The next steps are planned by what this one has written.
            settle_and_log(tx)?;
            if reverted.is_last {
                let Position { renames, mut in_lists, .. } = operation.position().clone();
                let changed = self.rename(tx, &renames, &mut in_lists)?;
                note(operation, 0, changed);
                let is_done = in_lists.rename >= renames.len();
                operation.position_mut().in_lists = in_lists;
                return Ok(is_done);
            }
        }
        Ok(false)
    }
}
