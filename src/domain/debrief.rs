//! The debrief of an event: what came of it, and whom you have met. What it makes is decided where they are known.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;

use super::event::{Event, EventDebrief, EventFields, EventParticipation, EventStatus};
use super::event_person::EventPersonStage;
use super::fields::drop_blank;
use super::id::{Chosen, ContactId, EventPersonId, FollowUpId, FollowUpPlanId, InteractionId, PlanRunId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::state_machine::not_in_future;
use super::timestamp::Timestamp;

/// How many people a debrief may tell of.
pub const MAX_PEOPLE: usize = 100;

/// What came of an event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Debrief {
    /// What was worth remembering. Null or absent: what was noted before stays; the same holds for the next three.
    #[serde(default)]
    #[schema(max_length = 20000, example = "The panel on storage.")]
    pub highlights: Option<String>,
    /// What you have learned.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Most teams hire through referrals.")]
    pub learned: Option<String>,
    /// The rating, from 1 to 5 (best).
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub rating: Option<i32>,
    /// Whether you would go again.
    #[serde(default)]
    pub would_return: Option<bool>,
    /// The people of the event, or of its sessions, of whom there is something to say; each once.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub people: Vec<DebriefedPerson>,
}

/// Somebody at the event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct DebriefedPerson {
    /// The person at the event.
    pub event_person_id: EventPersonId,
    /// Whether you have met. Somebody you have met cannot become somebody you have not.
    pub met: bool,
    /// When you met; not in the future. Ignored if they were met already. Null or absent: when the event ended, or now if
    /// that is still to come.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub met_at: Option<Timestamp>,
    /// What to remember of the conversation. It replaces what was noted before. Null or absent: that stays.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Wants to see the prototype.")]
    pub note: Option<String>,
    /// The follow-up plan to apply, from the day on which you met: one of your own, or a built-in one. Allowed only if you
    /// have met, and the contact is not archived or marked do_not_contact. Null or absent: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub plan_id: Option<FollowUpPlanId>,
    /// The id of the interaction that is logged. Null or absent: the server chooses it.
    #[serde(default)]
    #[schema(value_type = Option<Chosen<InteractionId>>, inline, example = json!(null))]
    pub interaction_id: Option<InteractionId>,
    /// The id of the plan run. Null or absent: the server chooses it.
    #[serde(default)]
    #[schema(value_type = Option<Chosen<PlanRunId>>, inline, example = json!(null))]
    pub plan_run_id: Option<PlanRunId>,
    /// The id of the follow-up of the first step. Null or absent: the server chooses it.
    #[serde(default)]
    #[schema(value_type = Option<Chosen<FollowUpId>>, inline, example = json!(null))]
    pub follow_up_id: Option<FollowUpId>,
}

impl Debrief {
    /// Checks what does not depend on what is stored.
    pub fn check(mut self) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        drop_blank(&mut self.highlights);
        drop_blank(&mut self.learned);
        let mut seen = HashSet::new();
        for (index, person) in self.people.iter_mut().enumerate() {
            drop_blank(&mut person.note);
            let at = |field: &str| format!("#/people/{index}/{field}");
            let mut refuse = |field: &str, detail: &str| {
                invalid.add(at(field), Rejection::new(FieldCode::Contradiction, detail));
            };
            if !seen.insert(person.event_person_id) {
                refuse("event_person_id", "This person is listed twice.");
            }
            if !person.met {
                let unmet = [
                    ("met_at", person.met_at.is_some()),
                    ("plan_id", person.plan_id.is_some()),
                    ("interaction_id", person.interaction_id.is_some()),
                ];
                for (field, _) in unmet.into_iter().filter(|(_, is_sent)| *is_sent) {
                    refuse(field, "Allowed only with met: true.");
                }
            }
            if person.plan_id.is_none() {
                let of_plan = [
                    ("plan_run_id", person.plan_run_id.is_some()),
                    ("follow_up_id", person.follow_up_id.is_some()),
                ];
                for (field, _) in of_plan.into_iter().filter(|(_, is_sent)| *is_sent) {
                    refuse(field, "Allowed only with a plan_id.");
                }
            }
        }
        invalid.into_result(self)
    }

    /// What is kept of it at the event, given what was noted before.
    fn kept(&self, before: Option<&EventDebrief>, on: NaiveDate) -> EventDebrief {
        let before = before.cloned().unwrap_or_default();
        EventDebrief {
            highlights: self.highlights.clone().or(before.highlights),
            learned: self.learned.clone().or(before.learned),
            rating: self.rating.or(before.rating),
            would_return: self.would_return.or(before.would_return),
            on: Some(on.to_string()),
        }
    }
}

/// Why an event has no debrief.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDebrief {
    Cancelled,
    Postponed,
    Declined,
    NotGoing,
    Missed,
    NotBegun,
}

impl NoDebrief {
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Cancelled => "The event was cancelled.",
            Self::Declined => "You declined the event.",
            Self::NotGoing => "You cancelled your participation.",
            Self::Postponed => "The event is postponed.",
            Self::Missed => "You missed the event.",
            Self::NotBegun => "The event has not begun.",
        }
    }
}

impl EventFields {
    /// Whether there can be a debrief: it has begun, and you were there as far as is known.
    pub fn check_debrief(&self, now: Timestamp) -> Result<(), NoDebrief> {
        match (self.status, self.participation) {
            (EventStatus::Cancelled, _) => Err(NoDebrief::Cancelled),
            (EventStatus::Postponed, _) => Err(NoDebrief::Postponed),
            (_, EventParticipation::Declined) => Err(NoDebrief::Declined),
            (_, EventParticipation::Cancelled) => Err(NoDebrief::NotGoing),
            (_, EventParticipation::Missed) => Err(NoDebrief::Missed),
            _ if not_in_future(self.begins(), now).is_err() => Err(NoDebrief::NotBegun),
            _ => Ok(()),
        }
    }

    /// When you have met somebody of whom it is not said: when it ended, or now if it goes on.
    pub fn met_at(&self, now: Timestamp) -> Timestamp {
        self.ends().min(now).max(self.begins().min(now))
    }
}

impl Event {
    /// The event once it was attended and the debrief is noted.
    pub fn debriefed(&self, debrief: &Debrief, on: NaiveDate) -> Result<Self, Invalid> {
        self.with(EventFields {
            participation: EventParticipation::Attended,
            debrief: Some(debrief.kept(self.fields.debrief.as_ref(), on)),
            ..self.fields.clone()
        })
    }
}

/// The result of a debrief for one person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DebriefResult {
    /// The person at the event.
    pub event_person_id: EventPersonId,
    /// The contact.
    pub contact_id: ContactId,
    /// The stage.
    pub stage: EventPersonStage,
    /// Whether an interaction is logged, since there was none at the event.
    pub interaction_created: bool,
    /// The interaction with them at the event. Null: there is none, or it is new and this is a dry run.
    #[schema(example = json!(null))]
    pub interaction_id: Option<InteractionId>,
    /// The run of the plan. Null: no plan is applied, or it is a dry run and the run is new.
    #[schema(example = json!(null))]
    pub plan_run_id: Option<PlanRunId>,
    /// Whether the run is new.
    pub plan_run_created: bool,
    /// The step of the plan that is to be done. Null: there is none.
    pub step: Option<DebriefStep>,
}

impl DebriefResult {
    /// What is rolled back has ids that nobody will ever see again.
    pub fn forget_new_ids(&mut self) {
        if self.interaction_created {
            self.interaction_id = None;
        }
        if self.plan_run_created {
            self.plan_run_id = None;
            if let Some(step) = &mut self.step {
                step.follow_up_id = None;
            }
        }
    }
}

/// The step of a plan that is to be done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DebriefStep {
    /// The follow-up. Null: it is new, and this is a dry run.
    #[schema(example = json!(null))]
    pub follow_up_id: Option<FollowUpId>,
    /// What is to be done.
    #[schema(example = "Say thank you for the conversation")]
    pub title: String,
    /// The day it is due.
    #[schema(value_type = Option<String>, format = Date, example = "2026-05-13")]
    pub due_on: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn event() -> EventFields {
        EventFields {
            starts_at: Some(at("2026-05-12T07:00:00Z")),
            ends_at: Some(at("2026-05-13T16:00:00Z")),
            time_zone: Some("Europe/Berlin".to_owned()),
            ..EventFields::default()
        }
    }

    #[test]
    fn there_is_a_debrief_of_what_has_begun_and_was_not_missed() {
        let later = "2026-05-14T09:00:00Z";
        let status = |status| EventFields { status, ..event() };
        let participation = |participation| EventFields { participation, ..event() };
        let table = [
            (event(), later, Ok(())),
            (event(), "2026-05-12T07:00:00Z", Ok(())),
            (event(), "2026-05-12T06:00:00Z", Err(NoDebrief::NotBegun)),
            (status(EventStatus::Cancelled), later, Err(NoDebrief::Cancelled)),
            (status(EventStatus::Postponed), later, Err(NoDebrief::Postponed)),
            (participation(EventParticipation::Missed), later, Err(NoDebrief::Missed)),
            (participation(EventParticipation::Declined), later, Err(NoDebrief::Declined)),
            (participation(EventParticipation::Cancelled), later, Err(NoDebrief::NotGoing)),
            (participation(EventParticipation::Attended), later, Ok(())),
        ];
        for (event, now, expected) in table {
            assert_eq!(event.check_debrief(at(now)), expected, "{event:?} {now}");
        }
    }

    #[test]
    fn somebody_was_met_when_the_event_ended_or_now_while_it_goes_on() {
        for (now, expected) in
            [("2026-05-12T10:00:00Z", "2026-05-12T10:00:00Z"), ("2026-05-20T10:00:00Z", "2026-05-13T16:00:00Z")]
        {
            assert_eq!(event().met_at(at(now)), at(expected), "{now}");
        }
        let endless = EventFields { ends_at: None, ..event() };
        assert_eq!(endless.met_at(at("2026-05-20T10:00:00Z")), at("2026-05-12T07:00:00Z"));
    }

    #[test]
    fn what_is_said_of_somebody_makes_sense() {
        let id = |number: u128| uuid::Uuid::from_u128(number);
        let checked = |people: serde_json::Value| {
            let debrief: Debrief = serde_json::from_value(serde_json::json!({ "people": people })).unwrap();
            let errors = debrief.check().err().map(|invalid| invalid.errors).unwrap_or_default();
            errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>()
        };
        let one = serde_json::json!({"event_person_id": id(1), "met": true});
        assert_eq!(checked(serde_json::json!([one])), Vec::<String>::new());
        assert_eq!(checked(serde_json::json!([one, one])), ["#/people/1/event_person_id"]);
        let unmet = serde_json::json!({"event_person_id": id(1), "met": false, "plan_id": id(2)});
        assert_eq!(checked(serde_json::json!([unmet])), ["#/people/0/plan_id"]);
        let planless = serde_json::json!({"event_person_id": id(1), "met": true, "follow_up_id": id(2)});
        assert_eq!(checked(serde_json::json!([planless])), ["#/people/0/follow_up_id"]);
    }
}
