//! Somebody at an event: why to talk to them and about what, and whether you have met.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{LineText, clean, default_priority, drop_blank, is_input_only, single_line};
use super::id::{ContactId, EventId, EventPersonId};
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::merging::{check_joined_list, check_joined_text, join_texts};
use super::record::{Fields, Stored};
use super::state_machine::{State, Status};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many people an event may have.
pub const MAX_PER_EVENT: i64 = 2_000;

/// At how many events a contact may be.
pub const MAX_PER_CONTACT: i64 = 2_000;

/// How long the note of one may be.
pub const MAX_NOTE_CHARACTERS: usize = 20_000;
/// The same of the others, and the lines of a list.
const MAX_WHY_CHARACTERS: usize = 5_000;
const MAX_RESEARCH_CHARACTERS: usize = 20_000;
const MAX_LINES: usize = 20;

/// What can be entered about somebody at an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventPersonFields {
    /// The event.
    pub event_id: EventId,
    /// The contact, who can be at an event once. Required, unless a `name` is sent.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// The name of somebody who is not a contact yet, instead of `contact_id`. A contact of this name with `known: false` is
    /// created in the same write; that requires the scope contacts:write. Only when the person is added.
    #[serde(default, skip_serializing_if = "is_input_only")]
    #[schema(write_only, max_length = 400, example = "Dorota Kozłowicz")]
    pub name: Option<String>,
    /// Their role at the event.
    #[serde(default)]
    #[schema(default = "attendee")]
    pub role: EventPersonRole,
    /// How much you want to meet them, from 1 to 5 (highest).
    #[serde(default = "default_priority")]
    #[schema(minimum = 1, maximum = 5, default = 3, example = 4)]
    pub priority: i32,
    /// Why you want to meet them.
    #[serde(default)]
    #[schema(max_length = 5000, example = "She hires for the team I want to join.")]
    pub why: Option<String>,
    /// What you have found out about them, in Markdown.
    #[serde(default)]
    #[schema(max_length = 20000)]
    pub research: Option<String>,
    /// What to talk about.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["Her talk on storage"]))]
    pub talking_points: Vec<LineText>,
    /// What to ask them.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["How do you choose what to build?"]))]
    pub questions: Vec<LineText>,
    /// The stage. Reaching `met` or `followed_up` sets `known` to true on the contact and, if its `how_met` is empty, fills it
    /// with this event.
    #[serde(default)]
    #[schema(default = "to_research")]
    pub stage: EventPersonStage,
    /// When you met. The request that makes them met can send the time, which cannot be in the future; otherwise it is set by
    /// the server. Null: you have not met there.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub met_at: Option<Timestamp>,
    /// What to remember of the conversation.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Wants to see the prototype.")]
    pub note: Option<String>,
}

enumeration! {
    /// The role of somebody at an event.
    #[derive(Default)]
    EventPersonRole {
        Speaker = "speaker",
        #[default]
        Attendee = "attendee",
        Exhibitor = "exhibitor",
        Organizer = "organizer",
        Host = "host",
    }
}

enumeration! {
    /// The stage of somebody at an event.
    #[derive(Default)]
    EventPersonStage {
        #[default]
        ToResearch = "to_research",
        ToMeet = "to_meet",
        Met = "met",
        NotMet = "not_met",
        FollowedUp = "followed_up",
    }
}

impl Status for EventPersonStage {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::ToResearch,
            next: &[Self::ToMeet, Self::Met, Self::NotMet, Self::FollowedUp],
            stamps: None,
        },
        State {
            state: Self::ToMeet,
            next: &[Self::ToResearch, Self::Met, Self::NotMet, Self::FollowedUp],
            stamps: None,
        },
        State {
            state: Self::Met,
            next: &[Self::ToResearch, Self::ToMeet, Self::FollowedUp],
            stamps: Some("met_at"),
        },
        State {
            state: Self::NotMet,
            next: &[Self::ToResearch, Self::ToMeet, Self::Met, Self::FollowedUp],
            stamps: None,
        },
        State { state: Self::FollowedUp, next: &[Self::Met], stamps: Some("met_at") },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl EventPersonStage {
    /// Whether you have met.
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Met | Self::FollowedUp)
    }

    /// Whether they are still to be met.
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::ToResearch | Self::ToMeet)
    }

    /// Of two that a merge makes one, the one that has come further wins.
    const fn rank(self) -> u8 {
        match self {
            Self::ToResearch => 0,
            Self::ToMeet => 1,
            Self::NotMet => 2,
            Self::Met => 3,
            Self::FollowedUp => 4,
        }
    }
}

/// Somebody at an event.
pub type EventPerson = Stored<EventPersonFields>;

impl EventPersonFields {
    /// Somebody of whom nothing is known but that they are there.
    pub fn new(event_id: EventId, contact_id: ContactId) -> Self {
        Self {
            event_id,
            contact_id: Some(contact_id),
            name: None,
            role: EventPersonRole::default(),
            priority: default_priority(),
            why: None,
            research: None,
            talking_points: Vec::new(),
            questions: Vec::new(),
            stage: EventPersonStage::default(),
            met_at: None,
            note: None,
        }
    }

    /// The fields of one made of two of the same contact: the further stage wins, texts and lists are joined, unless they would
    /// be longer than they may be.
    pub fn joined(&self, other: &Self) -> Result<Self, Invalid> {
        let texts = |one: &Option<String>, other: &Option<String>| {
            join_texts([one, other].into_iter().filter_map(|text| text.as_deref()))
        };
        let lists = |one: &[LineText], other: &[LineText]| {
            let more = other.iter().filter(|line| !one.contains(line));
            one.iter().chain(more).cloned().collect()
        };
        let further = if other.stage.rank() > self.stage.rank() { other } else { self };
        let joined = Self {
            event_id: self.event_id,
            contact_id: self.contact_id,
            name: None,
            role: if self.role == EventPersonRole::default() { other.role } else { self.role },
            priority: self.priority.max(other.priority),
            why: texts(&self.why, &other.why),
            research: texts(&self.research, &other.research),
            talking_points: lists(&self.talking_points, &other.talking_points),
            questions: lists(&self.questions, &other.questions),
            stage: further.stage,
            met_at: [self.met_at, other.met_at].into_iter().flatten().min().filter(|_| further.stage.is_met()),
            note: texts(&self.note, &other.note),
        };
        let mut invalid = Invalid::default();
        for (name, text, most) in [
            ("why", &joined.why, MAX_WHY_CHARACTERS),
            ("research", &joined.research, MAX_RESEARCH_CHARACTERS),
            ("note", &joined.note, MAX_NOTE_CHARACTERS),
        ] {
            check_joined_text(name, text.as_deref(), most, &mut invalid);
        }
        for (name, list) in [("talking_points", &joined.talking_points), ("questions", &joined.questions)] {
            check_joined_list(name, list, MAX_LINES, &mut invalid);
        }
        invalid.into_result(joined)
    }

    fn check_person(&self, is_new: bool, invalid: &mut Invalid) {
        match (self.contact_id, &self.name) {
            (None, None) => {
                let detail = "A contact_id or, for somebody new, a name is required.";
                invalid.add("#/contact_id", Rejection::required_any(&["contact_id", "name"], detail));
            }
            (Some(_), Some(_)) => {
                let detail = "Send either contact_id or name, not both.";
                invalid.add("#/name", Rejection::new(FieldCode::Contradiction, detail));
            }
            (None, Some(_)) if !is_new => {
                let detail = "`name` is allowed only when a person is added.";
                invalid.add("#/name", Rejection::new(FieldCode::Contradiction, detail));
            }
            _ => {}
        }
    }
}

fn clean_lines(field: &str, lines: &mut [LineText], invalid: &mut Invalid) {
    for (index, line) in lines.iter_mut().enumerate() {
        line.0 = single_line(&line.0);
        if line.0.is_empty() {
            let rejection = Rejection::blank();
            invalid.add(pointer(&[field, &index.to_string()]), rejection);
        }
    }
}

impl Fields for EventPersonFields {
    const ENTITY: Entity = Entity::EventPerson;
    const DESCRIPTION: &'static str = "Somebody at an event.";
    type Id = EventPersonId;

    fn check(mut self, _id: EventPersonId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        for text in [&mut self.why, &mut self.research, &mut self.note] {
            drop_blank(text);
        }
        clean(&mut self.name);
        clean_lines("talking_points", &mut self.talking_points, &mut invalid);
        clean_lines("questions", &mut self.questions, &mut invalid);
        self.check_person(before.is_none(), &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn fields() -> EventPersonFields {
        EventPersonFields::new(EventId::new(Uuid::from_u128(1)), ContactId::new(Uuid::from_u128(2)))
    }

    #[test]
    fn somebody_is_a_contact_or_a_name() {
        let name = || Some("Ada".to_owned());
        let table: [(EventPersonFields, Option<&EventPersonFields>, &[&str]); 5] = [
            (fields(), None, &[]),
            (EventPersonFields { contact_id: None, name: name(), ..fields() }, None, &[]),
            (EventPersonFields { name: name(), ..fields() }, None, &["#/name contradiction"]),
            (
                EventPersonFields { contact_id: None, name: Some(" ".to_owned()), ..fields() },
                None,
                &["#/contact_id required"],
            ),
            (
                EventPersonFields { contact_id: None, name: name(), ..fields() },
                Some(&fields()),
                &["#/name contradiction"],
            ),
        ];
        for (fields, before, expected) in table {
            let checked = fields.clone().check(EventPersonId::new(Uuid::nil()), before);
            let errors = checked.err().map(|invalid| invalid.errors).unwrap_or_default();
            let told: Vec<String> =
                errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect();
            assert_eq!(told, expected, "{fields:?}");
        }
    }

    #[test]
    fn which_stage_may_follow_which() {
        use EventPersonStage::{FollowedUp, Met, NotMet, ToMeet, ToResearch};
        let forbidden = [(Met, NotMet), (FollowedUp, NotMet), (FollowedUp, ToResearch), (FollowedUp, ToMeet)];
        for from in EventPersonStage::ALL {
            for to in EventPersonStage::ALL {
                assert_eq!(from.may_become(*to), !forbidden.contains(&(*from, *to)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn of_two_that_become_one_the_further_stage_wins_and_texts_are_joined() {
        let at = |text: &str| Some(Timestamp::parse(text).unwrap());
        let line = |text: &str| LineText(text.to_owned());
        let planned = EventPersonFields {
            why: Some("Hires.".to_owned()),
            talking_points: vec![line("Storage"), line("Grids")],
            ..fields()
        };
        let met = EventPersonFields {
            stage: EventPersonStage::Met,
            met_at: at("2026-05-12T10:00:00Z"),
            why: Some("Speaks.".to_owned()),
            talking_points: vec![line("Grids"), line("Policy")],
            role: EventPersonRole::Speaker,
            priority: 5,
            ..fields()
        };
        let joined = planned.joined(&met).unwrap();
        assert_eq!((joined.stage, joined.met_at, joined.priority), (EventPersonStage::Met, met.met_at, 5));
        assert_eq!((joined.why.as_deref(), joined.role), (Some("Hires.\n\nSpeaks."), EventPersonRole::Speaker));
        assert_eq!(joined.talking_points, [line("Storage"), line("Grids"), line("Policy")]);
    }
}
