//! The rules of follow-ups: their transitions and what follows from them, completing one with what was said, and edits of
//! many.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::bulk::{Edit, Edited, Selection, edit_each};
use super::plan_runs;
use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::{Create, create, patched, update, writable_fields};
use crate::domain::entity::Entity;
use crate::domain::exchange::{Exchange, ExchangeDirection, ExchangeFields, ExchangeOrigin};
use crate::domain::follow_up::{
    FollowUp, FollowUpFields, FollowUpOrigin, FollowUpStatus, MAX_TITLE_CHARACTERS, OwedBy,
};
use crate::domain::id::{FollowUpId, InteractionId};
use crate::domain::interaction::{Interaction, InteractionKind};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::operation::Work;
use crate::domain::state_machine::Move;
use crate::domain::target::Target;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::follow_ups::{may_contact_any, successors};
use crate::store::{AnyId, Conflict, Error, Precondition, Record, Result, Tx, records};

impl Rules for FollowUp {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        let kept = before.and_then(|before| before.completed_at);
        let stamped = moved.stamp("completed_at", kept, fields.completed_at, now);
        fields.completed_at = stamped.map_err(|rejection| rejection.at("#/completed_at"))?;
        if let Some(before) = before {
            fields.re_anchor(before);
        }
        let links = |fields: &FollowUpFields| (fields.goal_id, fields.target_id);
        if before.is_none_or(|before| links(before) != links(fields)) {
            check_target(tx, fields)?;
        }
        let was_snoozed_until = before.and_then(|before| before.snoozed_until.as_ref());
        if fields.snoozed_until.as_ref() != was_snoozed_until {
            let today = time_zone(tx)?.day(now);
            fields.check_snooze(today)?;
        }
        Ok(())
    }

    /// Completing or skipping creates what comes next; reopening takes it back.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let from = before.map(|before| before.fields.status);
        let (to, moved) = (self.fields.status, Move::new(from, self.fields.status));
        if to.continues() && moved.enters(to) {
            create_next(tx, self, now)?;
            return plan_runs::go_on(tx, self, now);
        }
        if moved.enters(FollowUpStatus::Cancelled) {
            return plan_runs::stop_at(tx, self);
        }
        if to == FollowUpStatus::Pending && moved.is_transition() {
            return take_back_next(tx, self);
        }
        Ok(())
    }
}

/// A follow-up for a target is one for its goal.
fn check_target(tx: &mut Tx<'_>, fields: &mut FollowUpFields) -> Result<()> {
    let Some(id) = fields.target_id else { return Ok(()) };
    // One that does not exist is told when the references are checked.
    let Some(target) = records::find::<Target>(tx, AnyId::new(id.uuid()))? else { return Ok(()) };
    let goal_id = *fields.goal_id.get_or_insert(target.fields.goal_id);
    if goal_id != target.fields.goal_id {
        let detail = "The target is one of another goal.";
        return Err(Invalid::one("#/target_id", FieldCode::Contradiction, detail).into());
    }
    Ok(())
}

/// The next occurrence, unless nobody of whom it is about may be contacted any more.
fn create_next(tx: &mut Tx<'_>, closed: &FollowUp, now: Timestamp) -> Result<()> {
    let FollowUpFields { contact_ids, completed_at, .. } = &closed.fields;
    let closed_on = time_zone(tx)?.day(completed_at.unwrap_or(now));
    let Some(next) = closed.fields.next_occurrence(closed.id, closed_on) else { return Ok(()) };
    if !contact_ids.is_empty() && !may_contact_any(tx, contact_ids)? {
        return Ok(());
    }
    let next = FollowUp::new(FollowUpId::new(tx.next_id()), now, next)?;
    create(tx, next).map(drop)
}

/// Deletes what followed, if nobody has touched it.
fn take_back_next(tx: &mut Tx<'_>, reopened: &FollowUp) -> Result<()> {
    let next = successors(tx, reopened.id)?;
    for follow_up in &next {
        if !records::is_untouched(tx, Entity::FollowUp, Record::id(follow_up))? {
            return Err(Conflict::SeriesContinued(Entity::FollowUp, Record::id(follow_up)).into());
        }
    }
    let step = next.iter().find(|next| next.fields.origin == FollowUpOrigin::Plan);
    plan_runs::resume_at(tx, reopened, step)?;
    next.iter().try_for_each(|next| records::delete(tx, next))
}

/// How a follow-up is completed.
pub struct Completion {
    pub outcome: Option<String>,
    /// Null: now.
    pub completed_at: Option<Timestamp>,
    /// The interaction to log; what it does not say is taken from the follow-up.
    pub interaction: Option<Map<String, Value>>,
    /// The exchange to log; what it does not say is taken from the follow-up.
    pub exchange: Option<Map<String, Value>>,
    /// The id of the follow-up that comes next, if one does.
    pub next_id: Option<Uuid>,
}

/// A completed follow-up, what was logged with it, and what comes next.
pub struct Completed {
    pub follow_up: AnyId,
    pub interaction: Option<AnyId>,
    pub exchange: Option<AnyId>,
    pub next: Option<AnyId>,
}

/// Completes a follow-up. One that is done stays as it is.
pub fn complete(tx: &mut Tx<'_>, id: AnyId, completion: Completion) -> Result<Completed> {
    let before = records::get::<FollowUp>(tx, id, &Precondition::None)?;
    let Completion { outcome, completed_at, interaction, exchange, next_id } = completion;
    let known_interaction = known(tx, Entity::Interaction, interaction.as_ref())?;
    let mut exchanged = known(tx, Entity::Exchange, exchange.as_ref())?;
    let own = before.fields.interaction_id.map(|id| AnyId::new(id.uuid()));
    let is_done = before.fields.status == FollowUpStatus::Done;
    // Who sends an interaction may see interactions.
    let mut logged = known_interaction.or(own.filter(|_| is_done && interaction.is_some()));
    if !is_done {
        check_transition(&before, Some(before.fields.status), FollowUpStatus::Done)?;
        if let (Some(interaction), None) = (interaction, known_interaction) {
            logged = Some(log_interaction(tx, &before, interaction, completed_at)?);
        }
        if let (Some(exchange), None) = (exchange, exchanged) {
            exchanged = Some(log_exchange(tx, &before, exchange, (completed_at, logged))?);
        }
        let fields = before.fields.clone();
        let after = before.with(FollowUpFields {
            status: FollowUpStatus::Done,
            completed_at,
            outcome: outcome.or(fields.outcome),
            interaction_id: fields.interaction_id.or(logged.map(|id| InteractionId::new(id.uuid()))),
            ..fields
        })?;
        tx.choose_next_id(next_id);
        update(tx, &before, after)?;
        tx.choose_next_id(None);
    }
    let next = successors(tx, before.id)?.first().map(Record::id);
    Ok(Completed { follow_up: id, interaction: logged, exchange: exchanged, next })
}

/// The record that a part of the request has the id of, if it was logged before.
fn known(tx: &mut Tx<'_>, entity: Entity, sent: Option<&Map<String, Value>>) -> Result<Option<AnyId>> {
    let chosen = sent.and_then(|sent| sent.get("id")).and_then(Value::as_str);
    let Some(chosen) = chosen.and_then(|id| id.parse::<Uuid>().ok()).map(AnyId::new) else { return Ok(None) };
    Ok(records::exists(tx, entity, chosen)?.then_some(chosen))
}

/// Logs an interaction with the people of a follow-up, over its channel, at the time of its completion, unless it says
/// otherwise.
fn log_interaction(
    tx: &mut Tx<'_>,
    follow_up: &FollowUp,
    mut interaction: Map<String, Value>,
    completed_at: Option<Timestamp>,
) -> Result<AnyId> {
    interaction.retain(|_, value| !value.is_null());
    let FollowUpFields { title, contact_ids, channel, .. } = &follow_up.fields;
    let mut set = |name: &str, value: Value| {
        interaction.entry(name).or_insert(value);
    };
    set("contact_ids", json!(contact_ids));
    set("channel", json!(channel));
    set("kind", json!(InteractionKind::over(*channel)));
    set("subject", json!(title));
    if !interaction.contains_key("occurred_on") {
        interaction.entry("occurred_at").or_insert(json!(completed_at.unwrap_or(tx.now())));
    }
    let checked = Create::<Interaction>::check(interaction.into(), None, tx.new_id(), tx.now());
    let made = checked.map_err(Error::from).and_then(|checked| checked.write(tx));
    made.map(|made| Record::id(&made)).map_err(|error| error.under("interaction"))
}

/// Logs what was given to the only contact of a follow-up, or received where they owed it, on the day of its completion, unless
/// it says otherwise.
fn log_exchange(
    tx: &mut Tx<'_>,
    follow_up: &FollowUp,
    mut exchange: Map<String, Value>,
    (completed_at, interaction): (Option<Timestamp>, Option<AnyId>),
) -> Result<AnyId> {
    exchange.retain(|_, value| !value.is_null());
    let FollowUpFields { title, contact_ids, goal_id, owed_by, kind, .. } = &follow_up.fields;
    let occurred_on = time_zone(tx)?.day(completed_at.unwrap_or(tx.now()));
    let mut set = |name: &str, value: Value| {
        exchange.entry(name).or_insert(value);
    };
    if let [only] = contact_ids.as_slice() {
        set("contact_id", json!(only));
    }
    set(
        "direction",
        json!(if *owed_by == OwedBy::Me { ExchangeDirection::Given } else { ExchangeDirection::Received }),
    );
    set("kind", json!(kind.exchanges()));
    set("description", json!(title));
    set("occurred_on", json!(occurred_on));
    set("goal_id", json!(goal_id));
    set("interaction_id", json!(interaction));
    let checked = Create::<Exchange>::check(exchange.into(), None, tx.new_id(), tx.now());
    let made = checked.map_err(Error::from).and_then(|checked| {
        let exchange = checked.into_record();
        let fields = ExchangeFields { origin: ExchangeOrigin::FollowUp, ..exchange.fields.clone() };
        create(tx, Exchange { fields, ..exchange })
    });
    made.map(|made| Record::id(&made)).map_err(|error| error.under("exchange"))
}

/// What to do with each of many follow-ups.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpEdit {
    Complete {
        outcome: Option<String>,
    },
    Change {
        /// A checked merge patch.
        patch: Map<String, Value>,
        /// By how many days to move the day on which each is due, of those that are pending and have one.
        shift_days: Option<i64>,
    },
}

/// Edits each selected follow-up, or none if anything is wrong.
pub fn edit_follow_ups(tx: &mut Tx<'_>, selection: Selection, edit: &FollowUpEdit) -> Result<Edited> {
    let work = |ids| Ok(Work::EditFollowUps { ids, edit: serde_json::to_value(edit)? });
    let explain = |error, follow_up: &FollowUp| concerning(error, follow_up, edit);
    edit_each(tx, selection, work, |tx, follow_up| edit_follow_up(tx, follow_up, edit), explain)
}

/// What the edit does to a follow-up.
pub(super) fn edit_follow_up(
    tx: &mut Tx<'_>,
    follow_up: &FollowUp,
    edit: &FollowUpEdit,
) -> Result<Edit<FollowUp>> {
    match edit {
        // As when days are shifted, what is finished stays as it is.
        FollowUpEdit::Complete { .. } if follow_up.fields.status != FollowUpStatus::Pending => Ok(Edit::None),
        FollowUpEdit::Complete { outcome } => {
            let completion = Completion {
                outcome: outcome.clone(),
                completed_at: None,
                interaction: None,
                exchange: None,
                next_id: None,
            };
            complete(tx, Record::id(follow_up), completion)?;
            Ok(Edit::Done)
        }
        FollowUpEdit::Change { patch, shift_days } => {
            let mut patch = patch.clone();
            let is_pending = follow_up.fields.status == FollowUpStatus::Pending;
            if let (Some(days), Some(due_on), true) = (shift_days, follow_up.fields.due_day(), is_pending) {
                patch.insert("due_on".to_owned(), json!(shifted(due_on, *days)?));
            }
            let base = writable_fields(follow_up)?;
            Ok(Edit::Update(patched(tx, follow_up, base, Value::Object(patch))?))
        }
    }
}

fn shifted(due_on: NaiveDate, days: i64) -> std::result::Result<String, Invalid> {
    let day = TimeDelta::try_days(days).and_then(|days| due_on.checked_add_signed(days));
    let day = day.map(|day| day.to_string()).filter(|text| text.len() == "2026-03-02".len());
    day.ok_or_else(|| {
        let rejection = Rejection::new(FieldCode::OutOfRange, "The day must be in the years from 1 to 9999.");
        rejection.with("earliest", "0001-01-01").with("latest", "9999-12-31").at("#/due_on")
    })
}

/// Says which follow-up an error concerns.
pub(super) fn concerning(error: Error, follow_up: &FollowUp, edit: &FollowUpEdit) -> Error {
    let Error::Invalid(mut invalid) = error else { return error };
    let is_shift = matches!(edit, FollowUpEdit::Change { shift_days: Some(_), .. });
    for error in &mut invalid.errors {
        if is_shift && error.pointer == "#/due_on" {
            error.pointer = "#/shift_days".to_owned();
        }
        let FollowUp { id, fields, .. } = follow_up;
        error.detail = format!("{} This concerns {} ({id}).", error.detail, fields.title);
    }
    invalid.into()
}

/// Gives a follow-up that is still pending another status.
pub(super) fn end_pending(tx: &mut Tx<'_>, id: Option<FollowUpId>, status: FollowUpStatus) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let Some(stored) = records::find::<FollowUp>(tx, AnyId::new(id.uuid()))? else { return Ok(()) };
    if stored.fields.status == FollowUpStatus::Pending {
        let after = stored.with(FollowUpFields { status, ..stored.fields.clone() })?;
        update(tx, &stored, after)?;
    }
    Ok(())
}

/// As much of a title as a follow-up takes.
pub(super) fn shortened_title(title: String) -> String {
    match title.char_indices().nth(MAX_TITLE_CHARACTERS) {
        None => title,
        Some(_) => title.chars().take(MAX_TITLE_CHARACTERS - 1).chain(['…']).collect(),
    }
}
