//! The transitions of records with a status: what a state machine forbids is a conflict with what is stored.

use crate::domain::state_machine::{Move, Status};
use crate::store::{Conflict, Record, Result};

/// The transition that a write makes, if the machine allows it. `from` is the status before, if the record existed.
pub fn check_transition<R: Record, S: Status>(record: &R, from: Option<S>, to: S) -> Result<Move<S>> {
    match from.filter(|from| !from.may_become(to)) {
        None => Ok(Move::new(from, to)),
        Some(from) => Err(forbidden(record, from, to).into()),
    }
}

/// What stands against a transition.
pub fn forbidden<R: Record, S: Status>(record: &R, from: S, to: S) -> Conflict {
    let allowed = from.next().iter().map(|state| state.word()).collect();
    Conflict::InvalidTransition { record: (R::ENTITY, record.id()), state: from.word(), to: to.word(), allowed }
}

/// A reason is one of the status that it was given for.
pub fn clear_reason<S: Status>(moved: Move<S>, before: Option<&str>, reason: &mut Option<String>) {
    if moved.is_transition() && reason.as_deref() == before {
        *reason = None;
    }
}
