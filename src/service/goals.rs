//! The rules of goals: their transitions.

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use crate::domain::goal::Goal;
use crate::domain::timestamp::Timestamp;
use crate::store::{Result, Tx};

impl Rules for Goal {
    fn before_write(&mut self, _tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        let kept = before.and_then(|before| before.achieved_at);
        let stamped = moved.stamp("achieved_at", kept, fields.achieved_at, now);
        fields.achieved_at = stamped.map_err(|rejection| rejection.at("#/achieved_at"))?;
        Ok(())
    }
}
