//! An event: when and where it is, what you want there, whether you go, and what came of it. Its times are in
//! `event_time.rs`, the people there in `event_person.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::event_time::EventTimes;
use super::fields::{
    LabelText, check_day, check_list, check_url, clean, clean_labels, drop_blank, parse_day, rounded_money,
    serialize_number_or_null, single_line,
};
use super::goal;
use super::id::{EventId, GoalId, OrganizationId, PitchId};
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::key::{Key, KeyKind};
use super::keyed::Keyed;
use super::locale::TimeZone;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status, not_in_future};
use super::text;
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many sessions an event may have.
pub const MAX_SESSIONS: i64 = 1_000;

/// What can be entered about an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventFields {
    /// The title, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Climate Tech Summit")]
    pub title: String,
    /// The kind of event.
    #[schema(default = "other")]
    pub kind: EventKind,
    /// Whether this is an all-day event, with `starts_on` instead of `starts_at`.
    #[schema(read_only, example = false)]
    pub all_day: bool,
    /// When it starts, with any offset; returned in UTC. Send either this or `starts_local`. Null: all day.
    #[schema(example = "2026-03-02T08:00:00Z")]
    pub starts_at: Option<Timestamp>,
    /// The local start time in `time_zone`, without an offset. If it occurs twice (when clocks go back), the first is used;
    /// send `starts_at` for the second. A time that clocks skip is rejected.
    #[schema(
        max_length = 19,
        pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
        example = "2026-03-02T09:00:00"
    )]
    pub starts_local: Option<String>,
    /// When it ends. Send either this or `ends_local`. Null: not known, or all day.
    #[schema(example = "2026-03-02T17:00:00Z")]
    pub ends_at: Option<Timestamp>,
    /// The local end time in `time_zone`, without an offset.
    #[schema(
        max_length = 19,
        pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
        example = "2026-03-02T18:00:00"
    )]
    pub ends_local: Option<String>,
    /// The first day of an all-day event. Null: it has times.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub starts_on: Option<String>,
    /// The last day of an all-day event. Null: it has times, or is on `starts_on` only.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub ends_on: Option<String>,
    /// The IANA time zone where it takes place. If null in a request, that of the workspace or, of a session, of its event. A
    /// change of the zone alone keeps the local times.
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// Where it takes place.
    #[schema(max_length = 300, example = "Station Berlin")]
    pub venue: Option<String>,
    /// The URL to take part online; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://meet.example.com/summit")]
    pub online_url: Option<String>,
    /// The URL of its page; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://summit.example.com")]
    pub url: Option<String>,
    /// The organizer.
    #[schema(example = json!(null))]
    pub organizer_organization_id: Option<OrganizationId>,
    /// The event that it is a session of, which is not a session itself. It is in the same time zone, and is cancelled and
    /// deleted with it.
    #[schema(example = json!(null))]
    pub parent_id: Option<EventId>,
    /// Whether it takes place. Cancelling an event cancels its sessions.
    #[schema(default = "scheduled")]
    pub status: EventStatus,
    /// Why it has this status or participation. A transition clears it unless the request sends another one; while the event
    /// is postponed or cancelled, only a transition of the status does.
    #[schema(max_length = 500, example = "The venue is flooded.")]
    pub status_reason: Option<String>,
    /// When it was cancelled. The request that cancels it can send the time, which cannot be in the future; otherwise it is
    /// set by the server. Null: it is not cancelled.
    #[schema(example = json!(null))]
    pub cancelled_at: Option<Timestamp>,
    /// What it costs you, with at most two decimals.
    #[serde(serialize_with = "serialize_number_or_null")]
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 249)]
    pub cost: Option<f64>,
    /// The currency of the cost (ISO 4217).
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub currency: Option<String>,
    /// What it is about.
    #[schema(max_length = 20000)]
    pub description: Option<String>,
    /// The goals that it is for, each once. A deleted goal leaves the list.
    #[schema(max_items = 20, example = json!([]))]
    pub goal_ids: Vec<GoalId>,
    /// The pitch to have ready.
    #[schema(example = json!(null))]
    pub pitch_id: Option<PitchId>,
    /// What you want to achieve there, under keys of your choice.
    #[schema(inline, example = json!({"hiring": {"text": "Three people who hire", "position": 1}}))]
    pub objectives: Keyed<EventItem>,
    /// What to do before it, under keys of your choice.
    #[schema(inline, example = json!({"hotel": {"text": "Book a hotel", "position": 1, "done": true}}))]
    pub checklist: Keyed<EventItem>,
    /// What you have found out about it, in Markdown.
    #[schema(max_length = 100000)]
    pub research: Option<String>,
    /// Your role.
    #[schema(default = "attendee")]
    pub role: EventRole,
    /// Whether you take part. Only an event that has begun can be attended or missed.
    #[schema(default = "interested")]
    pub participation: EventParticipation,
    /// The debrief; only of an event that has begun and that you did not miss. Null: none yet.
    pub debrief: Option<EventDebrief>,
    /// Names of tags. Unknown names create tags.
    #[schema(max_items = 100, example = json!(["climate"]))]
    pub tags: Vec<LabelText>,
}

/// An objective of an event, or something to do before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventItem {
    /// What it is.
    #[schema(required = true, min_length = 1, max_length = 500, example = "Three people who hire")]
    pub text: String,
    /// The sort position, lowest first; ties are broken by key.
    #[schema(minimum = 0, maximum = 10000, default = 0, example = 1)]
    pub position: i32,
    /// Whether it is done.
    #[schema(default = false)]
    pub done: bool,
}

/// What came of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EventDebrief {
    /// What was worth remembering.
    #[schema(max_length = 20000, example = "The panel on storage.")]
    pub highlights: Option<String>,
    /// What you have learned.
    #[schema(max_length = 20000, example = "Most teams hire through referrals.")]
    pub learned: Option<String>,
    /// The rating, from 1 to 5 (best). Null: not rated.
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub rating: Option<i32>,
    /// Whether you would go again. Null: not said.
    pub would_return: Option<bool>,
    /// The day of the debrief, in the time zone of the workspace.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-03")]
    pub on: Option<String>,
}

enumeration! {
    /// The kind of event.
    #[derive(Default)]
    EventKind {
        Conference = "conference",
        Meetup = "meetup",
        CareerFair = "career_fair",
        Webinar = "webinar",
        Workshop = "workshop",
        Reception = "reception",
        #[default]
        Other = "other",
    }
}

enumeration! {
    /// Whether an event takes place.
    #[derive(Default)]
    EventStatus {
        #[default]
        Scheduled = "scheduled",
        Postponed = "postponed",
        Cancelled = "cancelled",
    }
}

enumeration! {
    /// Your role at an event.
    #[derive(Default)]
    EventRole {
        #[default]
        Attendee = "attendee",
        Speaker = "speaker",
        Organizer = "organizer",
        Volunteer = "volunteer",
    }
}

enumeration! {
    /// Whether you take part in an event.
    #[derive(Default)]
    EventParticipation {
        #[default]
        Interested = "interested",
        Registered = "registered",
        Waitlisted = "waitlisted",
        Attending = "attending",
        Attended = "attended",
        Missed = "missed",
        Declined = "declined",
        Cancelled = "cancelled",
    }
}

impl Status for EventStatus {
    const STATES: &'static [State<Self>] = &[
        State { state: Self::Scheduled, next: &[Self::Postponed, Self::Cancelled], stamps: None },
        State { state: Self::Postponed, next: &[Self::Scheduled, Self::Cancelled], stamps: None },
        State { state: Self::Cancelled, next: &[Self::Scheduled, Self::Postponed], stamps: Some("cancelled_at") },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Status for EventParticipation {
    const STATES: &'static [State<Self>] = {
        use EventParticipation::{
            Attended, Attending, Cancelled, Declined, Interested, Missed, Registered, Waitlisted,
        };
        &[
            State {
                state: Interested,
                next: &[Registered, Waitlisted, Attending, Attended, Missed, Declined, Cancelled],
                stamps: None,
            },
            State {
                state: Registered,
                next: &[Interested, Waitlisted, Attending, Attended, Missed, Declined, Cancelled],
                stamps: None,
            },
            State {
                state: Waitlisted,
                next: &[Interested, Registered, Attending, Attended, Missed, Declined, Cancelled],
                stamps: None,
            },
            State {
                state: Attending,
                next: &[Interested, Registered, Waitlisted, Attended, Missed, Declined, Cancelled],
                stamps: None,
            },
            State { state: Attended, next: &[Registered, Attending, Missed], stamps: None },
            State { state: Missed, next: &[Registered, Attending, Attended], stamps: None },
            State {
                state: Declined,
                next: &[Interested, Registered, Waitlisted, Attending, Attended],
                stamps: None,
            },
            State {
                state: Cancelled,
                next: &[Interested, Registered, Waitlisted, Attending, Attended],
                stamps: None,
            },
        ]
    };

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl EventParticipation {
    /// Whether only an event that has begun can have it.
    pub const fn requires_begun_event(self) -> bool {
        matches!(self, Self::Attended | Self::Missed)
    }

    /// With these, what came of an event that is over is worth noting.
    pub const TO_DEBRIEF: &'static [Self] = &[Self::Registered, Self::Attending, Self::Attended];

    /// Whether you may still go.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Interested | Self::Registered | Self::Waitlisted | Self::Attending)
    }
}

/// A conference, meetup or the like.
pub type Event = Stored<EventFields>;

impl EventFields {
    /// Its time zone. One that is stored has one.
    pub fn zone(&self) -> TimeZone {
        self.time_zone.as_deref().and_then(|zone| TimeZone::parse(zone).ok()).unwrap_or(TimeZone::UTC)
    }

    /// The day on which it starts, in its own time zone.
    pub fn day(&self) -> Option<NaiveDate> {
        let of_time = || self.starts_at.map(|at| self.zone().day(at));
        self.starts_on.as_deref().and_then(|day| parse_day(day).ok()).or_else(of_time)
    }

    /// The last day on which it takes place, in its own time zone.
    pub fn last_day(&self) -> Option<NaiveDate> {
        let of_time = self.ends_at.map(|at| self.zone().day(at));
        self.ends_on.as_deref().and_then(|day| parse_day(day).ok()).or(of_time).or_else(|| self.day())
    }

    /// Whether it has ended; one without an end, whether it has started.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends() <= now
    }

    /// Whether you went there, it is over, and nothing was noted of what came of it.
    pub fn awaits_debrief(&self, now: Timestamp) -> bool {
        EventParticipation::TO_DEBRIEF.contains(&self.participation) && self.debrief.is_none() && self.is_over(now)
    }

    /// Days from a day to that of the event; negative when it is past.
    pub fn days_left(&self, on: NaiveDate) -> i64 {
        self.day().map_or(0, |day| (day - on).num_days())
    }

    /// The instant at which it starts.
    pub fn begins(&self) -> Timestamp {
        let of_day = || self.day().map(|day| self.zone().start_of(day));
        self.starts_at.or_else(of_day).unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
    }

    /// The instant at which it ends: without an end, when it starts; of days, when the last of them is over.
    pub fn ends(&self) -> Timestamp {
        let of_day = || {
            let after = self.last_day().filter(|_| self.all_day)?.succ_opt()?;
            Some(self.zone().start_of(after))
        };
        self.ends_at.or_else(of_day).unwrap_or_else(|| self.begins())
    }

    fn times(&self) -> EventTimes {
        EventTimes {
            starts_at: self.starts_at,
            starts_local: self.starts_local.clone(),
            ends_at: self.ends_at,
            ends_local: self.ends_local.clone(),
            starts_on: self.starts_on.clone(),
            ends_on: self.ends_on.clone(),
            time_zone: self.time_zone.clone(),
        }
    }

    /// Makes its times agree with each other and with its zone, given what they were. Where the zone is filled in later, this
    /// runs again.
    pub fn settle_times(&mut self, before: Option<&Self>, invalid: &mut Invalid) {
        let times = self.times().settled(before.map(Self::times).as_ref(), invalid);
        self.all_day = times.all_day();
        (self.starts_at, self.starts_local) = (times.starts_at, times.starts_local);
        (self.ends_at, self.ends_local) = (times.ends_at, times.ends_local);
        (self.starts_on, self.ends_on) = (times.starts_on, times.ends_on);
    }

    /// The rules that depend on the time: only what has begun was attended or missed.
    pub fn check_participation(&self, now: Timestamp) -> Result<(), Invalid> {
        if self.participation.requires_begun_event() && not_in_future(self.begins(), now).is_err() {
            let detail = "The event has not begun.";
            return Err(Invalid::one("#/participation", FieldCode::Contradiction, detail));
        }
        Ok(())
    }

    /// Objectives or what is to be done before it, in order: what is done comes with the rest.
    pub fn sorted_items(items: &Keyed<EventItem>) -> Vec<(&String, &EventItem)> {
        let mut sorted: Vec<_> = items.iter().collect();
        sorted.sort_by_key(|(key, item)| (item.position, (*key).clone()));
        sorted
    }
}

impl Event {
    /// The names of its tags, under which it is found.
    pub fn keys(&self) -> Vec<Key> {
        self.fields.tags.iter().map(|tag| Key::new(KeyKind::Tag, text::fold(&tag.0))).collect()
    }

    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let EventFields { title, venue, description, research, .. } = &self.fields;
        let text = [Some(title), venue.as_ref(), description.as_ref(), research.as_ref()];
        let text = text.into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        SearchText { title: title.clone(), text }
    }
}

fn check_items(field: &str, items: &mut Keyed<EventItem>, invalid: &mut Invalid) {
    for (key, item) in items.iter_mut() {
        item.text = single_line(&item.text);
        if item.text.is_empty() {
            invalid.add(pointer(&[field, key, "text"]), Rejection::blank());
        }
    }
}

impl Fields for EventFields {
    const ENTITY: Entity = Entity::Event;
    const DESCRIPTION: &'static str = "A conference, meetup or the like.";
    const COMPUTED: &'static [&'static str] = &["all_day"];
    type Id = EventId;

    fn check(mut self, id: EventId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", Rejection::blank());
        }
        for line in [&mut self.status_reason, &mut self.venue, &mut self.currency] {
            clean(line);
        }
        for text in [&mut self.description, &mut self.research] {
            drop_blank(text);
        }
        check_url("#/url", &mut self.url, &mut invalid);
        check_url("#/online_url", &mut self.online_url, &mut invalid);
        self.cost = self.cost.map(rounded_money);
        self.settle_times(before, &mut invalid);
        if self.parent_id == Some(id) {
            let detail = "An event cannot be a session of itself.";
            invalid.add("#/parent_id", Rejection::new(FieldCode::Contradiction, detail));
        }
        check_list("#/goal_ids", &mut self.goal_ids, goal::MAX_LINKED, "goals", &mut invalid);
        check_items("objectives", &mut self.objectives, &mut invalid);
        check_items("checklist", &mut self.checklist, &mut invalid);
        if let Some(debrief) = &mut self.debrief {
            drop_blank(&mut debrief.highlights);
            drop_blank(&mut debrief.learned);
            check_day(&["debrief", "on"], debrief.on.as_deref(), &mut invalid);
        }
        self.debrief = self.debrief.filter(|debrief| *debrief != EventDebrief::default());
        clean_labels("tags", &mut self.tags, &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_participation_may_follow_which() {
        use EventParticipation::{Attended, Cancelled, Declined, Interested, Missed, Waitlisted};
        let forbidden = [
            (Attended, vec![Interested, Waitlisted, Declined, Cancelled]),
            (Missed, vec![Interested, Waitlisted, Declined, Cancelled]),
            (Declined, vec![Missed, Cancelled]),
            (Cancelled, vec![Missed, Declined]),
        ];
        for from in EventParticipation::ALL.iter().copied() {
            let never = forbidden.iter().find(|(state, _)| *state == from).map(|(_, to)| to.as_slice());
            for to in EventParticipation::ALL.iter().copied() {
                let expected = !never.unwrap_or_default().contains(&to);
                assert_eq!(from.may_become(to), expected, "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn an_event_may_be_called_off_and_on_again() {
        for from in EventStatus::ALL {
            for to in EventStatus::ALL {
                assert!(from.may_become(*to), "{from:?} {to:?}");
            }
        }
        assert!(EventStatus::Cancelled.stamps("cancelled_at"));
    }

    #[test]
    fn only_what_has_begun_was_attended() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let fields = |participation| EventFields {
            starts_at: Some(at("2026-05-12T07:00:00Z")),
            participation,
            ..EventFields::default()
        };
        for (participation, now, is_allowed) in [
            (EventParticipation::Attended, "2026-05-12T07:00:00Z", true),
            (EventParticipation::Attended, "2026-05-12T06:51:00Z", true),
            (EventParticipation::Attended, "2026-05-12T06:49:00Z", false),
            (EventParticipation::Missed, "2026-05-11T07:00:00Z", false),
            (EventParticipation::Attending, "2026-05-11T07:00:00Z", true),
        ] {
            let checked = fields(participation).check_participation(at(now));
            assert_eq!(checked.is_ok(), is_allowed, "{participation:?} {now}");
        }
    }

    #[test]
    fn days_end_when_the_last_of_them_is_over_where_the_event_is() {
        let days = EventFields {
            all_day: true,
            starts_on: Some("2026-10-24".to_owned()),
            ends_on: Some("2026-10-25".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            ..EventFields::default()
        };
        assert_eq!(days.begins().to_string(), "2026-10-23T22:00:00Z");
        // The clock goes back that night.
        assert_eq!(days.ends().to_string(), "2026-10-25T23:00:00Z");
        let one = EventFields { ends_on: None, ..days };
        assert_eq!(one.ends().to_string(), "2026-10-24T22:00:00Z");
    }
}
