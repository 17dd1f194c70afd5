//! What to do next for somebody, or what they have promised: its fields, its states, and when it is due.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact::Channel;
use super::entity::Entity;
use super::exchange::ExchangeKind;
use super::fields::{check_day, check_list, clean, drop_blank, parse_day, single_line};
use super::id::{ContactId, EventId, FollowUpId, GoalId, InteractionId, OrganizationId, SeriesId, TargetId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};
use super::recurrence::{Recurrence, RecurrenceFrom};
use super::search::SearchText;
use super::state_machine::{State, Status};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many follow-ups a contact may have.
pub const MAX_PER_CONTACT: i64 = 10_000;

/// How many follow-ups an organization may have.
pub const MAX_PER_ORGANIZATION: i64 = 10_000;

/// How many people one follow-up may be about.
pub const MAX_CONTACTS: usize = 100;

/// How long a title can be.
pub const MAX_TITLE_CHARACTERS: usize = 300;

/// A time of a day, in hours and minutes.
pub const TIME_PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

/// What can be entered about a follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FollowUpFields {
    /// What is to be done, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Send the slides")]
    pub title: String,
    /// Details, plain text or Markdown.
    #[schema(max_length = 100000)]
    pub body: Option<String>,
    /// The contacts it is about, each once. At least one contact, an `organization_id`, an `event_id` or a `goal_id` is
    /// required. The follow-up is deleted with the last of its contacts and organization or, if it has neither, with the
    /// last of its event and goal.
    #[schema(max_items = 100)]
    pub contact_ids: Vec<ContactId>,
    /// The organization it is about.
    pub organization_id: Option<OrganizationId>,
    /// The kind of follow-up.
    #[schema(default = "other")]
    pub kind: FollowUpKind,
    /// Who has to do it: `me` for you, `them` for the contacts, who have promised it to you.
    #[schema(default = "me")]
    pub owed_by: OwedBy,
    /// The day it is due, in the time zone of the workspace. Null: no due date.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-09")]
    pub due_on: Option<String>,
    /// The time of that day, in the time zone of the workspace. Null: any time.
    #[schema(max_length = 5, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "09:30")]
    pub due_time: Option<String>,
    /// The priority, from 1 to 5 (highest).
    #[schema(minimum = 1, maximum = 5, default = 3, example = 3)]
    pub priority: i32,
    /// The channel to use.
    pub channel: Option<Channel>,
    /// The status. Completing or skipping one that recurs creates the next.
    #[schema(default = "pending")]
    pub status: FollowUpStatus,
    /// Why it has this status, such as why it was skipped. A transition clears it unless the request sends another one.
    #[schema(max_length = 500, example = "They wrote first.")]
    pub status_reason: Option<String>,
    /// The day until which it is snoozed. Does not change `due_on`, and cannot be earlier than it, unless it is past.
    /// Null: not snoozed.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-12")]
    pub snoozed_until: Option<String>,
    /// The first day on which to act: the later of `due_on` and `snoozed_until`. Null: it has neither.
    #[schema(read_only, value_type = Option<String>, format = Date, example = "2026-03-12")]
    pub actionable_on: Option<String>,
    /// When it was completed. The request that completes it can send the time, which cannot be in the future; otherwise it
    /// is set by the server. Null: it is not done.
    #[schema(example = json!(null))]
    pub completed_at: Option<Timestamp>,
    /// How it recurs; requires `due_on`. Null: it does not. Cancelling or deleting the pending one ends the series.
    pub recurrence: Option<Recurrence>,
    /// The series that it is an occurrence of. Null: it does not recur.
    #[schema(read_only)]
    pub series_id: Option<SeriesId>,
    /// The follow-up whose completion or skipping created this one. Null: there is none, or it was deleted.
    #[schema(read_only)]
    pub previous_id: Option<FollowUpId>,
    /// What came of it.
    #[schema(max_length = 5000, example = "They will introduce me to the team.")]
    pub outcome: Option<String>,
    /// Where it comes from.
    #[schema(read_only)]
    pub origin: FollowUpOrigin,
    /// The interaction that led to it, or else the one logged when it was completed. Null: none.
    pub interaction_id: Option<InteractionId>,
    /// The event that it is about or follows from. Null: none.
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
    /// The goal that it is for. If null in a request that sets `target_id`, that of the target.
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The target that it is for, of the same goal.
    #[schema(example = json!(null))]
    pub target_id: Option<TargetId>,
}

enumeration! {
    /// The kind of follow-up.
    #[derive(Default)]
    FollowUpKind {
        ThankYou = "thank_you",
        Connect = "connect",
        SendResource = "send_resource",
        Schedule = "schedule",
        CheckIn = "check_in",
        Introduce = "introduce",
        Reply = "reply",
        Congratulate = "congratulate",
        Apply = "apply",
        #[default]
        Other = "other",
    }
}

enumeration! {
    /// Who has to do it: you or the contacts.
    #[derive(Default)]
    OwedBy {
        #[default]
        Me = "me",
        Them = "them",
    }
}

enumeration! {
    /// The status of a follow-up.
    #[derive(Default)]
    FollowUpStatus {
        #[default]
        Pending = "pending",
        Done = "done",
        Skipped = "skipped",
        Cancelled = "cancelled",
    }
}

enumeration! {
    /// Where a follow-up comes from: it was entered, is a step of a plan, was captured at an event
    /// or with another interaction, is to report back what became of feedback, or
    /// to hear whether somebody wants to be introduced.
    #[derive(Default)]
    FollowUpOrigin {
        #[default]
        Manual = "manual",
        Event = "event",
        Plan = "plan",
        Interaction = "interaction",
        Feedback = "feedback",
        Introduction = "introduction",
    }
}

impl Status for FollowUpStatus {
    const STATES: &'static [State<Self>] = &[
        State { state: Self::Pending, next: &[Self::Done, Self::Skipped, Self::Cancelled], stamps: None },
        State { state: Self::Done, next: &[Self::Pending], stamps: Some("completed_at") },
        State { state: Self::Skipped, next: &[Self::Pending], stamps: None },
        State { state: Self::Cancelled, next: &[Self::Pending], stamps: None },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl FollowUpKind {
    /// What is exchanged by doing it.
    pub const fn exchanges(self) -> ExchangeKind {
        match self {
            Self::SendResource => ExchangeKind::Resource,
            Self::Introduce => ExchangeKind::Introduction,
            _ => ExchangeKind::Other,
        }
    }
}

impl FollowUpStatus {
    /// Whether the next one of a series comes when this status is entered.
    pub const fn continues(self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }
}

/// Something to do for somebody, or something that they have promised.
pub type FollowUp = Stored<FollowUpFields>;

impl Default for FollowUpFields {
    fn default() -> Self {
        Self {
            title: String::new(),
            body: None,
            contact_ids: Vec::new(),
            organization_id: None,
            kind: FollowUpKind::default(),
            owed_by: OwedBy::default(),
            due_on: None,
            due_time: None,
            priority: 3,
            channel: None,
            status: FollowUpStatus::default(),
            status_reason: None,
            snoozed_until: None,
            actionable_on: None,
            completed_at: None,
            recurrence: None,
            series_id: None,
            previous_id: None,
            outcome: None,
            origin: FollowUpOrigin::default(),
            interaction_id: None,
            event_id: None,
            goal_id: None,
            target_id: None,
        }
    }
}

fn day_of(text: Option<&String>) -> Option<NaiveDate> {
    text.and_then(|day| parse_day(day).ok())
}

impl FollowUpFields {
    pub fn due_day(&self) -> Option<NaiveDate> {
        day_of(self.due_on.as_ref())
    }

    /// A snooze that ends before the day it is due would do nothing. One that is over already was meant when it was not.
    pub fn check_snooze(&self, today: NaiveDate) -> Result<(), Invalid> {
        let ends_early = |until: NaiveDate| until >= today && self.due_day().is_some_and(|due_on| until < due_on);
        if day_of(self.snoozed_until.as_ref()).is_some_and(ends_early) {
            let detail = "A snooze cannot end before due_on.";
            return Err(Invalid::one("#/snoozed_until", FieldCode::Contradiction, detail));
        }
        Ok(())
    }

    /// Another day on which it is due: a schedule goes on from there.
    pub fn re_anchor(&mut self, before: &Self) {
        let starts_on = |fields: &Self| fields.recurrence.as_ref().and_then(|own| own.starts_on.clone());
        let is_chosen = starts_on(self) != starts_on(before);
        if self.due_on != before.due_on
            && !is_chosen
            && let Some(recurrence) = &mut self.recurrence
        {
            recurrence.starts_on.clone_from(&self.due_on);
        }
    }

    /// The next occurrence, once this one was completed or skipped on a day; `None` if it does not recur.
    pub fn next_occurrence(&self, own: FollowUpId, closed_on: NaiveDate) -> Option<Self> {
        let mut recurrence = self.recurrence.clone()?;
        let due_on = recurrence.next(self.due_day()?, closed_on)?.to_string();
        if recurrence.from == RecurrenceFrom::Completion {
            recurrence.starts_on = Some(due_on.clone());
        }
        Some(Self {
            due_on: Some(due_on),
            recurrence: Some(recurrence),
            status: FollowUpStatus::Pending,
            status_reason: None,
            snoozed_until: None,
            completed_at: None,
            previous_id: Some(own),
            outcome: None,
            interaction_id: None,
            ..self.clone()
        })
    }

    fn check_due(&mut self, before: Option<&Self>, invalid: &mut Invalid) {
        check_day(&["due_on"], self.due_on.as_deref(), invalid);
        check_day(&["snoozed_until"], self.snoozed_until.as_deref(), invalid);
        if let Some(recurrence) = &mut self.recurrence {
            check_day(&["recurrence", "starts_on"], recurrence.starts_on.as_deref(), invalid);
            if self.due_on.is_none() && before.is_none() {
                self.due_on.clone_from(&recurrence.starts_on);
            }
            if self.due_on.is_none() {
                let detail = "A follow-up that recurs requires due_on.";
                // Not told where the recurrence itself is wrong.
                invalid.add("#/due_on", Rejection::required_any(&["due_on", "recurrence"], detail));
            }
            if recurrence.starts_on.is_none() {
                recurrence.starts_on.clone_from(&self.due_on);
            }
        }
        if self.due_time.is_some() && self.due_on.is_none() {
            let detail = "A time requires due_on.";
            let rejection = Rejection::new(FieldCode::Contradiction, detail).depends_on(&["due_on"]);
            invalid.add("#/due_time", rejection);
        }
        // Days are sorted as their texts are.
        self.actionable_on = self.due_on.clone().max(self.snoozed_until.clone());
    }
}

impl FollowUp {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let FollowUpFields { title, body, outcome, .. } = &self.fields;
        let text = [Some(title), body.as_ref(), outcome.as_ref()];
        let text = text.into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        SearchText { title: title.clone(), text }
    }
}

impl Fields for FollowUpFields {
    const ENTITY: Entity = Entity::FollowUp;
    const DESCRIPTION: &'static str = "Something to do for somebody, or something that they have promised.";
    const COMPUTED: &'static [&'static str] = &["actionable_on"];
    type Id = FollowUpId;

    fn check(mut self, id: FollowUpId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if let Some(before) = before {
            (self.series_id, self.previous_id, self.origin) =
                (before.series_id, before.previous_id, before.origin);
        }
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", Rejection::blank());
        }
        clean(&mut self.status_reason);
        [&mut self.body, &mut self.outcome].into_iter().for_each(drop_blank);
        check_list("#/contact_ids", &mut self.contact_ids, MAX_CONTACTS, "contacts", &mut invalid);
        let is_linked = self.organization_id.is_some() || self.event_id.is_some() || self.goal_id.is_some();
        if self.contact_ids.is_empty() && !is_linked {
            let detail = "At least one contact, an organization, an event or a goal is required.";
            let any_of = &["contact_ids", "organization_id", "event_id", "goal_id"];
            invalid.add("#/contact_ids", Rejection::required_any(any_of, detail));
        }
        self.check_due(before, &mut invalid);
        // Without a recurrence it is no longer part of its series; with a new one it begins another.
        let series_id = self.series_id.unwrap_or_else(|| SeriesId::new(id.uuid()));
        self.series_id = self.recurrence.is_some().then_some(series_id);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::interval::IntervalUnit;

    fn day(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn fields() -> FollowUpFields {
        let contact_ids = vec![ContactId::new(uuid::Uuid::from_u128(1))];
        FollowUpFields { title: "Call".to_owned(), contact_ids, ..FollowUpFields::default() }
    }

    fn monthly() -> Option<Recurrence> {
        let from = RecurrenceFrom::Schedule;
        Some(Recurrence { every: 1, unit: IntervalUnit::Month, from, starts_on: None })
    }

    fn checked(fields: FollowUpFields) -> Result<FollowUpFields, Vec<String>> {
        let id = FollowUpId::new(uuid::Uuid::from_u128(7));
        fields.check(id, None).map_err(|invalid| invalid.errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn it_is_about_somebody_and_recurs_from_a_day() {
        let organization_id = Some(OrganizationId::new(uuid::Uuid::from_u128(2)));
        let table = [
            (fields(), Ok(())),
            (FollowUpFields { title: " ".to_owned(), ..fields() }, Err("#/title")),
            (FollowUpFields { contact_ids: Vec::new(), ..fields() }, Err("#/contact_ids")),
            (FollowUpFields { contact_ids: Vec::new(), organization_id, ..fields() }, Ok(())),
            (FollowUpFields { due_on: day("2026-03"), ..fields() }, Err("#/due_on")),
            (FollowUpFields { due_time: day("09:30"), ..fields() }, Err("#/due_time")),
            (FollowUpFields { recurrence: monthly(), ..fields() }, Err("#/due_on")),
            (FollowUpFields { recurrence: monthly(), due_on: day("2026-01-31"), ..fields() }, Ok(())),
        ];
        for (fields, expected) in table {
            let told = checked(fields.clone()).map(drop);
            assert_eq!(told, expected.map_err(|pointer: &str| vec![pointer.to_owned()]), "{fields:?}");
        }
    }

    #[test]
    fn it_is_to_be_done_when_it_is_due_and_no_longer_put_off() {
        let table = [
            (None, None, None),
            (day("2026-03-09"), None, day("2026-03-09")),
            (day("2026-03-09"), day("2026-03-12"), day("2026-03-12")),
            (day("2026-03-09"), day("2026-03-02"), day("2026-03-09")),
            (None, day("2026-03-12"), day("2026-03-12")),
        ];
        for (due_on, snoozed_until, expected) in table {
            let told = checked(FollowUpFields { due_on, snoozed_until, ..fields() }).unwrap();
            assert_eq!(told.actionable_on, expected);
        }
    }

    #[test]
    fn a_snooze_reaches_the_day_unless_it_is_over() {
        let today = "2026-03-02".parse().unwrap();
        let check = |until: &str| {
            FollowUpFields { due_on: day("2026-03-09"), snoozed_until: day(until), ..fields() }
                .check_snooze(today)
                .is_ok()
        };
        assert!(!check("2026-03-08"));
        assert!(!check("2026-03-02"));
        assert!(check("2026-03-09"));
        assert!(check("2026-03-01"));
    }

    #[test]
    fn an_occurrence_follows_under_the_same_series() {
        let first = checked(FollowUpFields {
            recurrence: monthly(),
            due_on: day("2026-01-31"),
            status: FollowUpStatus::Done,
            outcome: day("Fine"),
            ..fields()
        });
        let first = first.unwrap();
        let own = FollowUpId::new(uuid::Uuid::from_u128(7));
        let next = first.next_occurrence(own, "2026-02-01".parse().unwrap()).unwrap();
        assert_eq!((next.due_on.as_deref(), next.series_id), (Some("2026-02-28"), first.series_id));
        assert_eq!((next.status, next.outcome.clone()), (FollowUpStatus::Pending, None));
        let next = next.next_occurrence(own, "2026-02-28".parse().unwrap()).unwrap();
        assert_eq!(next.due_on.as_deref(), Some("2026-03-31"));
    }

    #[test]
    fn a_schedule_goes_on_from_the_day_it_is_moved_to() {
        let before =
            checked(FollowUpFields { recurrence: monthly(), due_on: day("2026-01-31"), ..fields() }).unwrap();
        let mut after = FollowUpFields { due_on: day("2026-02-05"), ..before.clone() };
        after.re_anchor(&before);
        assert_eq!(after.recurrence.clone().unwrap().starts_on.as_deref(), Some("2026-02-05"));
        let mut chosen = after.clone();
        chosen.due_on = day("2026-02-10");
        chosen.recurrence.as_mut().unwrap().starts_on = day("2026-02-20");
        chosen.re_anchor(&after);
        assert_eq!(chosen.recurrence.unwrap().starts_on.as_deref(), Some("2026-02-20"));
    }
}
