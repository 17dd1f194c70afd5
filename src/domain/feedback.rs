//! What somebody told the networker about their work, and what the networker did about it: its fields and its states.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, clean, drop_blank, parse_day, single_line};
use super::id::{ContactId, ExchangeId, FeedbackId, FollowUpId, GoalId, PitchId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How much feedback a contact may have given.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// After so many days without a transition, open feedback is shown in the view of a day.
pub const OPEN_DAYS: u64 = 14;

/// What can be entered about feedback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedbackFields {
    /// The contact who gives it.
    pub contact_id: ContactId,
    /// The kind of feedback.
    #[serde(default)]
    #[schema(default = "guidance")]
    pub kind: FeedbackKind,
    /// What it is about, in one line.
    #[schema(min_length = 1, max_length = 300, example = "My portfolio")]
    pub topic: String,
    /// What they said, plain text or Markdown.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Too many projects. Show three, and what changed because of you.")]
    pub body: Option<String>,
    /// The status.
    #[serde(default)]
    #[schema(default = "received")]
    pub status: FeedbackStatus,
    /// Why it has this status, such as why it was set aside. A transition clears it unless the request sends another one.
    #[serde(default)]
    #[schema(max_length = 500, example = "Others said the opposite.")]
    pub status_reason: Option<String>,
    /// When it came to its status. The request that makes a transition can send the time, which cannot be in the future;
    /// otherwise it is set by the server.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub status_changed_at: Option<Timestamp>,
    /// The day on which you received it, in the time zone of the workspace; not in the future. If null in a request, today
    /// once it is received. Null: only requested so far, or never received.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-20")]
    pub received_on: Option<String>,
    /// What you did about it. Required once it is acted on.
    #[serde(default)]
    #[schema(max_length = 5000, example = "Cut the portfolio to three projects.")]
    pub action: Option<String>,
    /// The day on which you did it; not in the future. If null in a request, today once it is acted on. Null: not acted on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub action_taken_on: Option<String>,
    /// The day on which you told them what you did; not in the future. If null in a request, today once it is reported
    /// back. Null: not reported back.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub reported_back_on: Option<String>,
    /// The goal that it helps. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The pitch that it is about. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub pitch_id: Option<PitchId>,
    /// The exchange that was logged when it was received. Null: not received, or the exchange was deleted.
    #[serde(default)]
    #[schema(read_only)]
    pub exchange_id: Option<ExchangeId>,
    /// The follow-up to report back, created when it was acted on. Null: there is none, or it was deleted.
    #[serde(default)]
    #[schema(read_only)]
    pub follow_up_id: Option<FollowUpId>,
}

enumeration! {
    /// The kind of feedback.
    #[derive(Default)]
    FeedbackKind {
        #[default]
        Guidance = "guidance",
        Critique = "critique",
        Praise = "praise",
        Recommendation = "recommendation",
    }
}

enumeration! {
    /// The status of feedback.
    #[derive(Default)]
    FeedbackStatus {
        Requested = "requested",
        #[default]
        Received = "received",
        Considered = "considered",
        ActedOn = "acted_on",
        ReportedBack = "reported_back",
        SetAside = "set_aside",
    }
}

impl Status for FeedbackStatus {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::Requested,
            next: &[Self::Received, Self::Considered, Self::ActedOn, Self::ReportedBack, Self::SetAside],
            stamps: None,
        },
        State {
            state: Self::Received,
            next: &[Self::Requested, Self::Considered, Self::ActedOn, Self::ReportedBack, Self::SetAside],
            stamps: None,
        },
        State {
            state: Self::Considered,
            next: &[Self::Received, Self::ActedOn, Self::ReportedBack, Self::SetAside],
            stamps: None,
        },
        State { state: Self::ActedOn, next: &[Self::Considered, Self::ReportedBack], stamps: None },
        State { state: Self::ReportedBack, next: &[Self::ActedOn], stamps: None },
        State {
            state: Self::SetAside,
            next: &[Self::Requested, Self::Received, Self::Considered, Self::ActedOn],
            stamps: None,
        },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl FeedbackStatus {
    /// Whether there is something left to do.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::ReportedBack | Self::SetAside)
    }

    const fn is_received(self) -> bool {
        matches!(self, Self::Received | Self::Considered | Self::ActedOn | Self::ReportedBack)
    }

    const fn is_acted_on(self) -> bool {
        matches!(self, Self::ActedOn | Self::ReportedBack)
    }
}

/// What somebody told you about your work, and what you did about it.
pub type Feedback = Stored<FeedbackFields>;

impl FeedbackFields {
    /// The days of what has been reached, on the day of the write; those of what has not are null. What a request does not
    /// change of them is no contradiction.
    pub fn stamp_days(&mut self, before: Option<&Self>, today: NaiveDate) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        let status = self.status;
        // What is set aside keeps the day on which it was received, if it was.
        let may_be_received = status.is_received() || status == FeedbackStatus::SetAside;
        let days = [
            ("received_on", &mut self.received_on, before.map(|own| &own.received_on), may_be_received),
            (
                "action_taken_on",
                &mut self.action_taken_on,
                before.map(|own| &own.action_taken_on),
                status.is_acted_on(),
            ),
            (
                "reported_back_on",
                &mut self.reported_back_on,
                before.map(|own| &own.reported_back_on),
                status == FeedbackStatus::ReportedBack,
            ),
        ];
        for (field, day, kept, may_be_set) in days {
            let is_kept = kept.is_some_and(|kept| kept == day);
            if !may_be_set {
                if day.is_some() && !is_kept {
                    let detail = format!("Feedback that is {} has no {field}.", status.as_str());
                    invalid.add(format!("#/{field}"), Rejection::new(FieldCode::Contradiction, detail));
                }
                *day = None;
                continue;
            }
            if status != FeedbackStatus::SetAside {
                day.get_or_insert_with(|| today.to_string());
            }
            if day.as_deref().and_then(|day| parse_day(day).ok()).is_some_and(|day| day > today) {
                let detail = "It cannot be in the future.";
                invalid.add(format!("#/{field}"), Rejection::new(FieldCode::Contradiction, detail));
            }
        }
        invalid.into_result(())
    }
}

impl Feedback {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let FeedbackFields { topic, body, action, .. } = &self.fields;
        let text = [Some(topic), body.as_ref(), action.as_ref()].into_iter().flatten().cloned();
        SearchText { title: topic.clone(), text: text.collect::<Vec<_>>().join("\n") }
    }
}

impl Fields for FeedbackFields {
    const ENTITY: Entity = Entity::Feedback;
    const DESCRIPTION: &'static str = "What somebody told you about your work, and what you did about it.";
    type Id = FeedbackId;

    fn check(mut self, _id: FeedbackId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if let Some(before) = before {
            (self.exchange_id, self.follow_up_id) = (before.exchange_id, before.follow_up_id);
        }
        self.topic = single_line(&self.topic);
        if self.topic.is_empty() {
            invalid.add("#/topic", Rejection::new(FieldCode::TooShort, "Must not be blank."));
        }
        clean(&mut self.status_reason);
        [&mut self.body, &mut self.action].into_iter().for_each(drop_blank);
        if self.status.is_acted_on() && self.action.is_none() {
            let detail = format!("Feedback that is {} says what you did.", self.status.as_str());
            invalid.add("#/action", Rejection::new(FieldCode::Required, detail));
        }
        let days = [
            ("received_on", &self.received_on),
            ("action_taken_on", &self.action_taken_on),
            ("reported_back_on", &self.reported_back_on),
        ];
        for (field, day) in days {
            check_day(&[field], day.as_deref(), &mut invalid);
        }
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn fields(more: serde_json::Value) -> FeedbackFields {
        let mut value = json!({ "contact_id": Uuid::from_u128(1), "topic": "My portfolio" });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn today() -> NaiveDate {
        "2026-03-02".parse().unwrap()
    }

    #[test]
    fn which_status_may_follow_which() {
        use FeedbackStatus::{ActedOn, Considered, Received, ReportedBack, Requested, SetAside};
        let forbidden = [
            (Considered, Requested),
            (ActedOn, Requested),
            (ActedOn, Received),
            (ActedOn, SetAside),
            (ReportedBack, Requested),
            (ReportedBack, Received),
            (ReportedBack, Considered),
            (ReportedBack, SetAside),
            (SetAside, ReportedBack),
        ];
        for from in FeedbackStatus::ALL {
            for to in FeedbackStatus::ALL {
                assert_eq!(from.may_become(*to), !forbidden.contains(&(*from, *to)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn each_status_has_the_days_that_it_has_reached() {
        let days = |own: &FeedbackFields| {
            [&own.received_on, &own.action_taken_on, &own.reported_back_on]
                .map(|day| day.clone().unwrap_or_default())
        };
        let now = "2026-03-02";
        let table = [
            (json!({ "status": "requested" }), ["", "", ""]),
            (json!({}), [now, "", ""]),
            (json!({ "status": "considered", "received_on": "2026-02-01" }), ["2026-02-01", "", ""]),
            (json!({ "status": "acted_on" }), [now, now, ""]),
            (json!({ "status": "reported_back", "action_taken_on": "2026-02-01" }), [now, "2026-02-01", now]),
            (json!({ "status": "set_aside" }), ["", "", ""]),
        ];
        for (more, expected) in table {
            let mut own = fields(more.clone());
            own.stamp_days(None, today()).unwrap();
            assert_eq!(days(&own), expected, "{more}");
        }
        let mut own = fields(json!({ "status": "reported_back" }));
        own.stamp_days(None, today()).unwrap();
        let before = own.clone();
        own.status = FeedbackStatus::Requested;
        own.stamp_days(Some(&before), today()).unwrap();
        assert_eq!(days(&own), ["", "", ""], "what was kept goes with its status");
    }

    #[test]
    fn a_day_that_has_not_come_is_refused() {
        let table = [
            (json!({ "status": "requested", "received_on": "2026-02-01" }), "#/received_on"),
            (json!({ "received_on": "2026-03-03" }), "#/received_on"),
            (json!({ "action_taken_on": "2026-03-01" }), "#/action_taken_on"),
            (json!({ "status": "acted_on", "action_taken_on": "2026-03-03" }), "#/action_taken_on"),
            (json!({ "status": "acted_on", "reported_back_on": "2026-03-01" }), "#/reported_back_on"),
        ];
        for (more, at) in table {
            let errors = fields(more.clone()).stamp_days(None, today()).unwrap_err().errors;
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [at], "{more}");
        }
    }

    #[test]
    fn acting_on_feedback_takes_an_action() {
        let id = FeedbackId::new(Uuid::nil());
        for (more, is_fine) in [
            (json!({ "status": "acted_on" }), false),
            (json!({ "status": "reported_back", "action": " " }), false),
            (json!({ "status": "acted_on", "action": "Cut it." }), true),
            (json!({ "status": "considered" }), true),
        ] {
            assert_eq!(fields(more.clone()).check(id, None).is_ok(), is_fine, "{more}");
        }
    }
}
