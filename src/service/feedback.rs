//! The rules of feedback: its states and days, and what follows from them: the exchange once it is received, and the follow-up
//! to report back once it is acted on.

use chrono::{Days, NaiveDate};

use super::follow_ups::{end_pending, shortened_title};
use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::{create, update};
use crate::domain::contact::Contact;
use crate::domain::exchange::{
    DEFAULT_WEIGHT, Exchange, ExchangeDirection, ExchangeFields, ExchangeKind, ExchangeOrigin,
};
use crate::domain::feedback::{Feedback, FeedbackFields, FeedbackStatus};
use crate::domain::follow_up::{FollowUp, FollowUpFields, FollowUpKind, FollowUpOrigin, FollowUpStatus};
use crate::domain::id::{ExchangeId, FollowUpId};
use crate::domain::state_machine::Move;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{AnyId, Result, Tx, records};

/// Days after acting on feedback until reporting back is due.
const REPORT_DAYS: u64 = 3;

impl Rules for Feedback {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        let kept = before.and_then(|before| before.status_changed_at);
        let stamped = moved.stamp_change("status_changed_at", kept, fields.status_changed_at, now);
        fields.status_changed_at = stamped.map_err(|rejection| rejection.at("#/status_changed_at"))?;
        let today = time_zone(tx)?.day(now);
        fields.stamp_days(before, today)?;
        // A contact that does not exist is told when the references are checked.
        let Some(giver) = records::find::<Contact>(tx, AnyId::new(fields.contact_id.uuid()))? else {
            return Ok(());
        };
        write_exchange(tx, fields, before, now)?;
        plan_report(tx, fields, &giver, moved, (today, now))
    }
}

/// What was received is an exchange, for which reporting back is the thanks.
fn write_exchange(
    tx: &mut Tx<'_>,
    fields: &mut FeedbackFields,
    before: Option<&FeedbackFields>,
    now: Timestamp,
) -> Result<()> {
    let is_new = before.is_none_or(|before| before.received_on.is_none());
    let stored = match fields.exchange_id {
        Some(id) => records::find::<Exchange>(tx, AnyId::new(id.uuid()))?,
        None => None,
    };
    let Some(received_on) = fields.received_on.clone() else {
        if let Some(stored) = stored {
            fields.exchange_id = None;
            records::delete(tx, &stored)?;
        }
        return Ok(());
    };
    let thanked_on = fields.reported_back_on.clone().map(|on| on.max(received_on.clone()));
    match stored {
        Some(stored) => {
            let own =
                |own: &FeedbackFields| (own.contact_id, own.received_on.clone(), own.reported_back_on.clone());
            if before.is_some_and(|before| own(before) == own(fields)) {
                return Ok(());
            }
            let was_thanked_by_it = before.and_then(|before| before.reported_back_on.as_ref()).is_some();
            let kept = stored.fields.thanked_on.clone().filter(|_| !was_thanked_by_it);
            let thanked_on = thanked_on.or(kept).filter(|on| *on >= received_on);
            let contact_id = fields.contact_id;
            let after = stored.with(ExchangeFields {
                contact_id,
                occurred_on: received_on,
                thanked_on,
                ..stored.fields.clone()
            })?;
            update(tx, &stored, after).map(drop)
        }
        None if is_new => {
            let exchange = ExchangeFields {
                contact_id: fields.contact_id,
                direction: ExchangeDirection::Received,
                kind: ExchangeKind::Feedback,
                description: Some(fields.topic.clone()),
                weight: DEFAULT_WEIGHT,
                occurred_on: received_on,
                thanked_on,
                interaction_id: None,
                goal_id: fields.goal_id,
                resource_id: None,
                origin: ExchangeOrigin::Feedback,
            };
            let exchange = Exchange::new(ExchangeId::new(tx.new_id()), now, exchange)?;
            fields.exchange_id = Some(create(tx, exchange)?.id);
            Ok(())
        }
        None => Ok(()),
    }
}

/// Acting on feedback plans to report back, and reporting back completes that.
fn plan_report(
    tx: &mut Tx<'_>,
    fields: &mut FeedbackFields,
    giver: &Contact,
    moved: Move<FeedbackStatus>,
    (today, now): (NaiveDate, Timestamp),
) -> Result<()> {
    if moved.enters(FeedbackStatus::ActedOn) && giver.may_be_contacted() && fields.follow_up_id.is_none() {
        let due_on = today.checked_add_days(Days::new(REPORT_DAYS)).unwrap_or(today);
        let follow_up = FollowUpFields {
            title: shortened_title(format!(
                "Tell {} what became of their feedback: {}",
                giver.fields.name, fields.topic
            )),
            contact_ids: vec![giver.id],
            kind: FollowUpKind::ThankYou,
            due_on: Some(due_on.to_string()),
            origin: FollowUpOrigin::Feedback,
            goal_id: fields.goal_id,
            ..FollowUpFields::default()
        };
        let follow_up = FollowUp::new(FollowUpId::new(tx.new_id()), now, follow_up)?;
        fields.follow_up_id = Some(create(tx, follow_up)?.id);
        return Ok(());
    }
    if !moved.is_transition() {
        return Ok(());
    }
    match fields.status {
        FeedbackStatus::ReportedBack => end_pending(tx, fields.follow_up_id, FollowUpStatus::Done),
        FeedbackStatus::ActedOn => Ok(()),
        _ => end_pending(tx, fields.follow_up_id.take(), FollowUpStatus::Cancelled),
    }
}
