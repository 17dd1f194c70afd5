//! The rules of events: their transitions, and what sessions have from the event that they are a part of.

use serde_json::Value;

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::update;
use crate::domain::debrief::NoDebrief;
use crate::domain::event::{Event, EventFields, EventStatus};
use crate::domain::id::EventId;
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::events::{has_sessions, sessions};
use crate::store::{AnyId, Record, Result, Tx, records};

impl Rules for Event {
    /// Each time is stored in two ways: who clears it in one clears it.
    fn infer_from_patch(&mut self, _tx: &mut Tx<'_>, before: &Self, patch: &Value) -> Result<()> {
        let is_cleared = |one: &str, other: &str| {
            patch.get(one).is_some_and(Value::is_null) && patch.get(other).is_none_or(Value::is_null)
        };
        let either = |one: &str, other: &str| is_cleared(one, other) || is_cleared(other, one);
        let mut fields = self.fields.clone();
        if either("starts_at", "starts_local") {
            (fields.starts_at, fields.starts_local) = (None, None);
        }
        if either("ends_at", "ends_local") {
            (fields.ends_at, fields.ends_local) = (None, None);
        }
        if fields != self.fields {
            *self = before.with(fields)?;
        }
        Ok(())
    }

    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let turned = check_transition(self, before.map(|before| before.participation), self.fields.participation)?;
        let old_reason = before.and_then(|before| before.status_reason.as_deref());
        clear_reason(moved, old_reason, &mut self.fields.status_reason);
        // Why it is cancelled or postponed holds whether or not you take part.
        if self.fields.status == EventStatus::Scheduled {
            clear_reason(turned, old_reason, &mut self.fields.status_reason);
        }
        let kept = before.and_then(|before| before.cancelled_at);
        let stamped = moved.stamp("cancelled_at", kept, self.fields.cancelled_at, now);
        self.fields.cancelled_at = stamped.map_err(|rejection| rejection.at("#/cancelled_at"))?;
        let inherits = |fields: &EventFields| (fields.parent_id, fields.time_zone.clone(), fields.status);
        if before.is_none_or(|before| inherits(before) != inherits(&self.fields)) {
            check_parent(tx, self)?;
        }
        if self.fields.time_zone.is_none() {
            self.fields.time_zone = Some(time_zone(tx)?.as_str().to_owned());
        }
        let mut invalid = Invalid::default();
        self.fields.settle_times(before, &mut invalid);
        invalid.into_result(())?;
        let takes_place = |fields: &EventFields| (fields.participation, fields.begins());
        if before.is_none_or(|before| takes_place(before) != takes_place(&self.fields)) {
            self.fields.check_participation(now)?;
        }
        if self.fields.debrief.as_ref() != before.and_then(|before| before.debrief.as_ref()) {
            note_debrief(tx, &mut self.fields, now)?;
        }
        Ok(())
    }

    /// Sessions are where their event is, and are cancelled with it.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        let Some(before) = before.map(|before| &before.fields) else { return Ok(()) };
        let is_cancelled = |fields: &EventFields| fields.status == EventStatus::Cancelled;
        let turns = is_cancelled(before) != is_cancelled(&self.fields);
        if before.time_zone == self.fields.time_zone && !turns {
            return Ok(());
        }
        for session in sessions(tx, Record::id(self))? {
            let mut fields = session.fields.clone();
            fields.time_zone.clone_from(&self.fields.time_zone);
            if turns && is_cancelled(&self.fields) && !is_cancelled(&fields) {
                fields.status = EventStatus::Cancelled;
                fields.cancelled_at = self.fields.cancelled_at;
                fields.status_reason.clone_from(&self.fields.status_reason);
            } else if turns && is_cancelled(before) && fields.cancelled_at == before.cancelled_at {
                // It was cancelled with its event.
                fields.status = self.fields.status;
                fields.cancelled_at = None;
            }
            update(tx, &session, session.with(fields)?)?;
        }
        Ok(())
    }
}

/// A debrief is one of an event that was attended, as far as is known, and has its day.
fn note_debrief(tx: &mut Tx<'_>, event: &mut EventFields, now: Timestamp) -> Result<()> {
    if event.debrief.is_none() {
        return Ok(());
    }
    let refused = |reason: NoDebrief| Invalid::one("#/debrief", FieldCode::Contradiction, reason.detail());
    event.check_debrief(now).map_err(refused)?;
    let today = time_zone(tx)?.day(now);
    if let Some(debrief) = &mut event.debrief {
        debrief.on.get_or_insert_with(|| today.to_string());
    }
    Ok(())
}

/// What a session has from its event, and that there is one level of them.
fn check_parent(tx: &mut Tx<'_>, event: &mut Event) -> Result<()> {
    let Some(parent) = event.fields.parent_id else { return Ok(()) };
    // One that does not exist is told when the references are checked.
    let Some(parent) = find(tx, parent)? else { return Ok(()) };
    let refused = |at: &str, detail: &str| Err(Invalid::one(at, FieldCode::Contradiction, detail).into());
    if parent.fields.parent_id.is_some() {
        return refused("#/parent_id", "A session cannot have sessions.");
    }
    if has_sessions(tx, Record::id(event))? {
        return refused("#/parent_id", "An event that has sessions cannot itself be a session.");
    }
    let zone = parent.fields.zone();
    if *event.fields.time_zone.get_or_insert_with(|| zone.as_str().to_owned()) != zone.as_str() {
        return refused("#/time_zone", &format!("A session must use the time zone of its event, {zone}."));
    }
    if parent.fields.status == EventStatus::Cancelled && event.fields.status != EventStatus::Cancelled {
        return refused("#/status", "A session of a cancelled event must be cancelled too.");
    }
    Ok(())
}

/// An event, if it exists.
pub fn find(tx: &mut Tx<'_>, id: EventId) -> Result<Option<Event>> {
    records::find::<Event>(tx, AnyId::new(id.uuid()))
}
