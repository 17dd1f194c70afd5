//! What happened, or is planned, between people. What follows from it for each of them is in `contact_activity.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::contact::Channel;
use super::entity::Entity;
use super::fields::{check_day, check_list, check_url, clean, drop_blank, parse_day};
use super::goal;
use super::id::{CommunityId, ContactId, EventId, GoalId, InteractionId, PostId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::link::platform_of;
use super::locale::TimeZone;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status, not_in_future};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many interactions a contact may have.
pub const MAX_PER_CONTACT: i64 = 100_000;

/// How many people one interaction may be with.
pub const MAX_CONTACTS: usize = 100;

/// What can be entered about an interaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct InteractionFields {
    /// The contacts who took part, each once. When the last of them is deleted, so is the interaction.
    #[schema(required = true, min_items = 1, max_items = 100)]
    pub contact_ids: Vec<ContactId>,
    /// The kind of interaction.
    #[schema(required = true)]
    pub kind: InteractionKind,
    /// The status. Only interactions that happened count.
    #[schema(default = "happened")]
    pub status: InteractionStatus,
    /// Why it has this status, such as why it was cancelled. A transition clears it unless the request sends another
    /// one.
    #[schema(max_length = 500, example = "They fell ill.")]
    pub status_reason: Option<String>,
    /// Who reached out. Default: `outbound` for an email, message, letter, comment, reaction or share, `mutual` for any other
    /// kind.
    pub direction: InteractionDirection,
    /// When it began. Only a planned interaction can be in the future. Null: only the day is known, see
    /// `occurred_on`. Exactly one of the two is required.
    #[schema(example = "2026-02-27T16:30:00Z")]
    pub occurred_at: Option<Timestamp>,
    /// The day, if the time is not known; it does not depend on a time zone. Sorted as the end of that day in UTC.
    /// Null: see `occurred_at`.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub occurred_on: Option<String>,
    /// The duration in minutes.
    #[schema(minimum = 0, maximum = 100000, example = 45)]
    pub duration_minutes: Option<i32>,
    /// The channel.
    pub channel: Option<Channel>,
    /// The subject, in one line.
    #[schema(max_length = 300, example = "Coffee after the meetup")]
    pub subject: Option<String>,
    /// Notes on what was said, plain text or Markdown.
    #[schema(max_length = 100000)]
    pub body: Option<String>,
    /// Where it took place.
    #[schema(max_length = 300, example = "Warsaw, Kawiarnia Kafka")]
    pub location: Option<String>,
    /// The URL of a related page; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://meet.example.com/abc")]
    pub url: Option<String>,
    /// The rating, from 1 to 5 (best). Null: not rated.
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub quality: Option<i32>,
    /// The event where it took place. Null: none.
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
    /// The post of yours that it is about. Null: none; with a post of somebody else, see `url`.
    #[schema(example = json!(null))]
    pub post_id: Option<PostId>,
    /// The community where it took place. Null: none.
    #[schema(example = json!(null))]
    pub community_id: Option<CommunityId>,
    /// The goals that it is for, each once. A deleted goal leaves the list.
    #[schema(max_items = 20, example = json!([]))]
    pub goal_ids: Vec<GoalId>,
    /// Whether it counts as having been in touch. Null: determined by its kind (reactions, comments, shares and
    /// notes do not count).
    #[schema(example = json!(null))]
    pub counts: Option<bool>,
}

enumeration! {
    /// The kind of interaction.
    #[derive(Default)]
    InteractionKind {
        Meeting = "meeting",
        Coffee = "coffee",
        InformationalInterview = "informational_interview",
        Video = "video",
        Call = "call",
        Email = "email",
        Message = "message",
        Letter = "letter",
        EventChat = "event_chat",
        Comment = "comment",
        Reaction = "reaction",
        Share = "share",
        Note = "note",
        #[default]
        Other = "other",
    }
}

enumeration! {
    /// The status of an interaction.
    #[derive(Default)]
    InteractionStatus {
        Planned = "planned",
        #[default]
        Happened = "happened",
        Cancelled = "cancelled",
        NoShow = "no_show",
    }
}

enumeration! {
    /// Who reached out: you, they, or both.
    #[derive(Default)]
    InteractionDirection {
        Outbound = "outbound",
        Inbound = "inbound",
        #[default]
        Mutual = "mutual",
    }
}

/// A meeting, call, message or the like between you and others, planned or past.
pub type Interaction = Stored<InteractionFields>;

impl InteractionKind {
    /// The kind that an interaction over a channel most likely is.
    pub const fn over(channel: Option<Channel>) -> Self {
        match channel {
            Some(Channel::Email) => Self::Email,
            Some(Channel::Phone) => Self::Call,
            Some(Channel::Message | Channel::Linkedin) => Self::Message,
            Some(Channel::Video) => Self::Video,
            Some(Channel::InPerson) => Self::Meeting,
            Some(Channel::Letter) => Self::Letter,
            Some(Channel::Other) | None => Self::Other,
        }
    }

    /// The kind and whom it is with, in English: `Event chat with Ada`.
    pub fn with(self, people: &str) -> String {
        let mut letters = self.as_str().chars().map(|letter| if letter == '_' { ' ' } else { letter });
        let kind: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        format!("{kind} with {people}")
    }

    /// Whether it is engagement with a post.
    pub const fn is_engagement(self) -> bool {
        matches!(self, Self::Comment | Self::Reaction | Self::Share)
    }

    /// The default direction: `outbound` for kinds that one person sends, otherwise `mutual`.
    pub const fn direction(self) -> InteractionDirection {
        match self {
            Self::Email | Self::Message | Self::Letter | Self::Comment | Self::Reaction | Self::Share => {
                InteractionDirection::Outbound
            }
            Self::Meeting
            | Self::Coffee
            | Self::InformationalInterview
            | Self::Video
            | Self::Call
            | Self::EventChat
            | Self::Note
            | Self::Other => InteractionDirection::Mutual,
        }
    }

    /// Whether one of this kind counts unless it says otherwise.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Comment | Self::Reaction | Self::Share | Self::Note)
    }
}

impl Status for InteractionStatus {
    const STATES: &'static [State<Self>] = &[
        State { state: Self::Planned, next: &[Self::Happened, Self::Cancelled, Self::NoShow], stamps: None },
        State { state: Self::Happened, next: &[Self::Cancelled], stamps: None },
        State { state: Self::Cancelled, next: &[Self::Planned], stamps: None },
        State { state: Self::NoShow, next: &[Self::Planned], stamps: None },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl InteractionFields {
    /// Whether it happened and counts as having been in touch.
    pub fn is_counted(&self) -> bool {
        self.status == InteractionStatus::Happened && self.counts.unwrap_or(self.kind.counts())
    }

    /// Whether it is engagement with a post that happened.
    pub fn is_engagement(&self) -> bool {
        self.status == InteractionStatus::Happened && self.kind.is_engagement()
    }

    /// The platform of its URL.
    pub fn url_platform(&self) -> Option<&'static str> {
        self.url.as_deref().and_then(platform_of)
    }

    /// The local day on which it was, or is to be.
    pub fn day(&self, zone: TimeZone) -> Option<NaiveDate> {
        let of_instant = self.occurred_at.map(|at| zone.day(at));
        of_instant.or_else(|| self.occurred_on.as_deref().and_then(|day| parse_day(day).ok()))
    }

    /// What it is sorted by: its time, or the end of its day in UTC.
    pub fn sorted_at(&self) -> Timestamp {
        let of_day = || self.occurred_on.as_deref().and_then(|day| parse_day(day).ok()).map(Timestamp::end_of);
        self.occurred_at.or_else(of_day).unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
    }

    /// The rules that depend on the time: nothing but a plan lies in the future. A client whose clock is a little ahead
    /// means now.
    pub fn check_time(mut self, now: Timestamp, zone: TimeZone) -> Result<Self, Invalid> {
        if self.status == InteractionStatus::Planned {
            return Ok(self);
        }
        let detail = "Only a planned interaction can be in the future.";
        if let Some(at) = self.occurred_at {
            let refused = |_| Invalid::one("#/occurred_at", FieldCode::Contradiction, detail);
            self.occurred_at = Some(not_in_future(at, now).map_err(refused)?);
        } else if self.occurred_at.is_none() && self.day(zone).is_some_and(|day| day > zone.day(now)) {
            return Err(Invalid::one("#/occurred_on", FieldCode::Contradiction, detail));
        }
        Ok(self)
    }
}

impl Interaction {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let InteractionFields { kind, subject, body, location, .. } = &self.fields;
        let title = subject.clone().unwrap_or_else(|| kind.as_str().replace('_', " "));
        let text = [subject, body, location].into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        SearchText { title, text }
    }
}

impl Fields for InteractionFields {
    const ENTITY: Entity = Entity::Interaction;
    const DESCRIPTION: &'static str = "A meeting, call, message or the like between you and others, planned or \
                                       past.";
    type Id = InteractionId;

    fn infer_defaults(input: &mut Map<String, Value>) {
        let kind = input.get("kind").and_then(|kind| InteractionKind::deserialize(kind).ok());
        if let Some(kind) = kind {
            input.entry("direction").or_insert_with(|| json!(kind.direction()));
        }
    }

    fn check(mut self, _id: InteractionId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        [&mut self.status_reason, &mut self.subject, &mut self.location].into_iter().for_each(clean);
        drop_blank(&mut self.body);
        check_list("#/contact_ids", &mut self.contact_ids, MAX_CONTACTS, "contacts", &mut invalid);
        if self.contact_ids.is_empty() {
            invalid.add("#/contact_ids", Rejection::too_short(1, "At least one contact is required."));
        }
        check_list("#/goal_ids", &mut self.goal_ids, goal::MAX_LINKED, "goals", &mut invalid);
        check_day(&["occurred_on"], self.occurred_on.as_deref(), &mut invalid);
        match (self.occurred_at, &self.occurred_on) {
            (None, None) => {
                let detail = "Either occurred_at or occurred_on is required.";
                invalid.add("#/occurred_at", Rejection::required_any(&["occurred_at", "occurred_on"], detail));
            }
            (Some(_), Some(_)) => {
                let detail = "Send either occurred_at or occurred_on, not both.";
                invalid.add("#/occurred_on", Rejection::new(FieldCode::Contradiction, detail));
            }
            _ => {}
        }
        check_url("#/url", &mut self.url, &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn fields() -> InteractionFields {
        InteractionFields {
            contact_ids: vec![ContactId::new(uuid::Uuid::from_u128(1))],
            occurred_at: Some(at("2026-03-02T09:00:00Z")),
            ..InteractionFields::default()
        }
    }

    fn checked(fields: InteractionFields) -> Result<InteractionFields, Vec<String>> {
        let id = InteractionId::new(uuid::Uuid::nil());
        fields.check(id, None).map_err(|invalid| invalid.errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn an_interaction_says_with_whom_and_when() {
        let on = |day: &str| Some(day.to_owned());
        let table = [
            (fields(), Ok(())),
            (InteractionFields { contact_ids: Vec::new(), ..fields() }, Err("#/contact_ids")),
            (InteractionFields { occurred_at: None, ..fields() }, Err("#/occurred_at")),
            (InteractionFields { occurred_on: on("2026-03-02"), ..fields() }, Err("#/occurred_on")),
            (
                InteractionFields { occurred_at: None, occurred_on: on("2026-03"), ..fields() },
                Err("#/occurred_on"),
            ),
            (InteractionFields { occurred_at: None, occurred_on: on("2026-03-02"), ..fields() }, Ok(())),
        ];
        for (fields, expected) in table {
            let told = checked(fields.clone()).map(drop);
            assert_eq!(told, expected.map_err(|pointer: &str| vec![pointer.to_owned()]), "{fields:?}");
        }
        let one = ContactId::new(uuid::Uuid::from_u128(1));
        let doubled = InteractionFields { contact_ids: vec![one, one], ..fields() };
        assert_eq!(checked(doubled).unwrap().contact_ids, [one]);
    }

    #[test]
    fn what_counts_follows_the_kind_unless_it_is_said() {
        let is_counted =
            |kind, counts, status| InteractionFields { kind, counts, status, ..fields() }.is_counted();
        let happened = InteractionStatus::Happened;
        assert!(is_counted(InteractionKind::Coffee, None, happened));
        assert!(!is_counted(InteractionKind::Reaction, None, happened));
        assert!(is_counted(InteractionKind::Reaction, Some(true), happened));
        assert!(!is_counted(InteractionKind::Coffee, Some(false), happened));
        assert!(!is_counted(InteractionKind::Coffee, Some(true), InteractionStatus::Planned));
    }

    #[test]
    fn only_a_plan_lies_in_the_future() {
        let zone = TimeZone::parse("Pacific/Auckland").unwrap();
        let now = at("2026-03-02T09:00:00Z");
        let with =
            |occurred: &str, status| InteractionFields { occurred_at: Some(at(occurred)), status, ..fields() };
        let happened = InteractionStatus::Happened;
        assert_eq!(with("2026-03-02T09:09:00Z", happened).check_time(now, zone).unwrap().occurred_at, Some(now));
        assert!(with("2026-03-02T09:11:00Z", happened).check_time(now, zone).is_err());
        assert!(with("2026-03-02T09:11:00Z", InteractionStatus::Planned).check_time(now, zone).is_ok());
        let on =
            |day: &str| InteractionFields { occurred_at: None, occurred_on: Some(day.to_owned()), ..fields() };
        // It is ten in the evening there.
        assert!(on("2026-03-02").check_time(now, zone).is_ok());
        assert!(on("2026-03-03").check_time(now, zone).is_err());
    }

    #[test]
    fn a_day_without_a_time_comes_at_its_end() {
        let on = InteractionFields { occurred_at: None, occurred_on: Some("2026-03-02".to_owned()), ..fields() };
        assert!(on.sorted_at() > at("2026-03-02T23:59:59Z"));
        assert!(on.sorted_at() < at("2026-03-03T00:00:00Z"));
    }
}
