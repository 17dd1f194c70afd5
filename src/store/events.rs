//! Events and the people there in the database: their columns, and what lists can filter and sort by.

use chrono::{NaiveDate, TimeDelta};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

use super::db::index::keys::has_key;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{event_people, events};
use super::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use super::interactions;
use super::lists::{Order, Section, first};
use crate::domain::entity::Entity;
use crate::domain::event::{
    Event, EventDebrief, EventFields, EventItem, EventKind, EventParticipation, EventRole, EventStatus,
};
use crate::domain::event_person::{EventPerson, EventPersonFields, EventPersonRole, EventPersonStage};
use crate::domain::fields::{LabelText, LineText};
use crate::domain::id::{ContactId, EventId, GoalId, OrganizationId, PitchId, WorkspaceId};
use crate::domain::interaction::{Interaction, InteractionStatus};
use crate::domain::key::{Key, KeyKind};
use crate::domain::keyed::Keyed;
use crate::domain::locale::TimeZone;
use crate::domain::reference::reference;
use crate::domain::search::SearchText;
use crate::domain::text::fold;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    EventRow of EventFields in events;
    columns {
        title: String,
        kind: EventKind,
        all_day: bool,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
        starts_on: Option<String>,
        ends_on: Option<String>,
        time_zone: Option<String>,
        organizer_organization_id: Option<OrganizationId>,
        parent_id: Option<EventId>,
        status: EventStatus,
        cancelled_at: Option<Timestamp>,
        pitch_id: Option<PitchId>,
        role: EventRole,
        participation: EventParticipation,
    }
    json {
        goal_ids: Vec<GoalId>,
        objectives: Keyed<EventItem>,
        checklist: Keyed<EventItem>,
        tags: Vec<LabelText>,
    }
    json_or_null {
        debrief: EventDebrief,
    }
    json_groups {
        details: EventDetailsJson {
            starts_local: Option<String>,
            ends_local: Option<String>,
            venue: Option<String>,
            online_url: Option<String>,
            url: Option<String>,
            status_reason: Option<String>,
            cost: Option<f64>,
            currency: Option<String>,
            description: Option<String>,
            research: Option<String>,
        }
    }
    computed {
        starts_sort: Timestamp = |fields| fields.begins(),
        ends_sort: Timestamp = |fields| fields.ends(),
    }
}

impl Record for Event {
    const SUMMARY: &'static [&'static str] = &[
        "title",
        "kind",
        "all_day",
        "starts_at",
        "starts_local",
        "starts_on",
        "time_zone",
        "status",
        "participation",
    ];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        match field {
            STARTS => Some(Scalar::Instant(self.fields.begins())),
            ENDS => Some(Scalar::Instant(self.fields.ends())),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn set_names(&mut self, names: Vec<String>) -> Result<()> {
        self.fields.tags = names.into_iter().map(LabelText).collect();
        Ok(())
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(events, EventRow, EventFields);
}

record_row! {
    EventPersonRow of EventPersonFields in event_people;
    columns {
        event_id: EventId,
        contact_id: Option<ContactId>,
        role: EventPersonRole,
        priority: i32,
        why: Option<String>,
        research: Option<String>,
        stage: EventPersonStage,
        met_at: Option<Timestamp>,
        note: Option<String>,
    }
    json {
        talking_points: Vec<LineText>,
        questions: Vec<LineText>,
    }
    input {
        name: Option<String>,
    }
}

impl Record for EventPerson {
    const SUMMARY: &'static [&'static str] = &["event_id", "contact_id", "role", "priority", "stage", "met_at"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == PRIORITY).then(|| Scalar::Int(i64::from(self.fields.priority)))
    }

    /// A contact is at an event once.
    fn identity(&self) -> Option<String> {
        let EventPersonFields { event_id, contact_id, .. } = &self.fields;
        Some(format!("{event_id} {contact_id:?}"))
    }

    fn joined(&self, other: &Self) -> Result<Self> {
        Ok(Self { fields: self.fields.joined(&other.fields)?, ..self.clone() })
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(event_people, EventPersonRow, EventPersonFields);
}

pub const CREATED_AT: Field = sortable(events::created_at);
pub const UPDATED_AT: Field = sortable(events::updated_at);
/// When it starts, whether it has times or days.
pub const STARTS: Field = sortable(events::starts_sort);
pub const ENDS: Field = sortable(events::ends_sort);
pub const KIND: Field = sortable(events::kind);
pub const STATUS: Field = sortable(events::status);
pub const PARTICIPATION: Field = sortable(events::participation);
pub const PARENT: Field = field(events::parent_id);
/// Null until something was noted of what came of it.
pub const DEBRIEF: Field = field(events::debrief);
pub const ORGANIZER: Field = field(events::organizer_organization_id);

/// Of somebody at an event.
pub const PERSON_CREATED_AT: Field = sortable(event_people::created_at);
pub const PERSON_UPDATED_AT: Field = sortable(event_people::updated_at);
pub const EVENT: Field = sortable(event_people::event_id);
pub const CONTACT: Field = field(event_people::contact_id);
pub const ROLE: Field = sortable(event_people::role);
pub const PRIORITY: Field = sortable(event_people::priority);
pub const STAGE: Field = sortable(event_people::stage);
pub const MET_AT: Field = field(event_people::met_at);

/// Carries this tag.
pub fn has_tag(tag: &str) -> Predicate {
    has_key::<Event>(vec![Key::new(KeyKind::Tag, fold(tag))])
}

/// Has somebody of these among its people.
pub fn has_person(people: Predicate) -> Predicate {
    Predicate::ReferredBy(Entity::EventPerson, EVENT, Box::new(people))
}

/// Whether a field that may be null holds something.
pub fn has(field: Field, truth: bool) -> Predicate {
    if truth { Predicate::NotNull(field) } else { Predicate::IsNull(field) }
}

/// At this event.
pub fn is_at(event: AnyId) -> Predicate {
    Predicate::equal(EVENT, Scalar::Id(event))
}

/// The contacts among the people of these events.
pub fn people_of(events: &[AnyId]) -> Predicate {
    is_there(Predicate::In(EVENT, events.iter().copied().map(Scalar::Id).collect()))
}

/// For this goal.
pub fn is_for(goal: AnyId) -> Predicate {
    let goals = reference(Entity::Event, Entity::Goal);
    goals.map_or(Predicate::Any(Vec::new()), |goals| Predicate::Lists(goals, vec![goal]))
}

/// A contact who is one of these people at an event.
pub fn is_there(people: Predicate) -> Predicate {
    Predicate::ReferredBy(Entity::EventPerson, CONTACT, Box::new(people))
}

/// A session of this event.
pub fn is_session_of(event: AnyId) -> Predicate {
    Predicate::equal(PARENT, Scalar::Id(event))
}

/// The sessions of an event, in the order of their ids.
pub fn sessions(tx: &mut Tx<'_>, event: AnyId) -> Result<Vec<Event>> {
    Ok(Event::select(tx.conn, Select::all(tx.workspace, is_session_of(event)))?)
}

/// Whether an event has sessions.
pub fn has_sessions(tx: &mut Tx<'_>, event: AnyId) -> Result<bool> {
    let select = Select { limit: 1, ..Select::all(tx.workspace, is_session_of(event)) };
    Ok(!Event::ids(tx.conn, select)?.is_empty())
}

/// The same contact at the same event.
pub fn find_person(tx: &mut Tx<'_>, event: EventId, contact: ContactId) -> Result<Option<EventPerson>> {
    let there = Predicate::All(vec![
        Predicate::equal(CONTACT, Scalar::Id(AnyId::new(contact.uuid()))),
        is_at(AnyId::new(event.uuid())),
    ]);
    Ok(EventPerson::select(tx.conn, Select { limit: 1, ..Select::all(tx.workspace, there) })?.pop())
}

/// How many events are looked at for a period, those that end first.
const LOOKED_AT: i64 = 200;
/// No zone is further ahead of UTC, and none further behind.
const MOST_HOURS_AHEAD: i64 = 14;
const MOST_HOURS_BEHIND: i64 = 12;
const HOURS_OF_A_DAY: i64 = 24;

/// The events that take place on one of these days in their own zones and may still be gone to, without sessions; the next
/// one first.
pub fn ahead(conn: &mut Conn, workspace: WorkspaceId, from: NaiveDate, last: NaiveDate) -> Result<Vec<Event>> {
    let earliest = TimeZone::UTC.start_of(from).minus(TimeDelta::hours(MOST_HOURS_AHEAD));
    let latest = TimeZone::UTC.start_of(last).plus(TimeDelta::hours(HOURS_OF_A_DAY + MOST_HOURS_BEHIND));
    let open = EventParticipation::ALL.iter().copied().filter(|participation| participation.is_open());
    let filter = Predicate::All(vec![
        Predicate::Compare(ENDS, Comparison::GreaterOrEqual, Scalar::Instant(earliest)),
        Predicate::Compare(STARTS, Comparison::Less, Scalar::Instant(latest)),
        is_main_and(open),
    ]);
    let (order, direction) = (vec![ENDS, ID], Direction::Ascending);
    let mut events = Event::select(conn, Select { workspace, filter, order, direction, limit: LOOKED_AT })?;
    // The days are those of each event's own zone, which the database does not know.
    events.retain(|event| {
        let lasts = event.fields.ends() > event.fields.zone().start_of(from);
        event.fields.day().is_some_and(|day| day <= last && (day >= from || lasts))
    });
    events.sort_by_key(|event| (event.fields.begins(), event.id));
    Ok(events)
}

/// The events that you went to, are over within a time, and have no debrief, without sessions; the latest first.
pub fn to_debrief(
    conn: &mut Conn,
    workspace: WorkspaceId,
    from: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Section<Event>> {
    let filter = Predicate::All(vec![
        Predicate::Compare(ENDS, Comparison::GreaterOrEqual, Scalar::Instant(from)),
        Predicate::Compare(ENDS, Comparison::LessOrEqual, Scalar::Instant(until)),
        is_main_and(EventParticipation::TO_DEBRIEF.iter().copied()),
        Predicate::IsNull(DEBRIEF),
    ]);
    first(conn, workspace, filter, Order::By(ENDS, Direction::Descending), limit)
}

/// Takes place, is no session, and has one of these participations.
fn is_main_and(participations: impl Iterator<Item = EventParticipation>) -> Predicate {
    let words = participations.map(|one| Scalar::Text(one.as_str().to_owned()));
    Predicate::All(vec![
        Predicate::equal(STATUS, Scalar::Text(EventStatus::Scheduled.as_str().to_owned())),
        Predicate::In(PARTICIPATION, words.collect()),
        Predicate::IsNull(PARENT),
    ])
}

/// Somebody at an event, as far as their rank depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Attendance {
    pub id: AnyId,
    pub event: AnyId,
    pub contact: AnyId,
    pub priority: i32,
    pub stage: EventPersonStage,
}

/// The people at these events, as many as there may be, the highest priority first.
pub fn attendances(
    conn: &mut Conn,
    workspace: WorkspaceId,
    events: &[AnyId],
    stages: &[EventPersonStage],
    limit: i64,
) -> Result<Vec<Attendance>> {
    type Row = (AnyId, AnyId, Option<AnyId>, i32, EventPersonStage);
    let words = stages.iter().map(|stage| Scalar::Text(stage.as_str().to_owned())).collect();
    let filter = Predicate::All(vec![
        Predicate::In(EVENT, events.iter().copied().map(Scalar::Id).collect()),
        Predicate::In(STAGE, words),
    ]);
    let (order, direction) = (vec![PRIORITY, ID], Direction::Descending);
    let (filter, order, limit) = Select { workspace, filter, order, direction, limit }.parts();
    let rows: Vec<Row> = event_people::table
        .filter(filter)
        .order(order)
        .limit(limit)
        .select((
            event_people::id,
            event_people::event_id,
            event_people::contact_id,
            event_people::priority,
            event_people::stage,
        ))
        .load(conn)?;
    let attendance = |(id, event, contact, priority, stage): Row| {
        Some(Attendance { id, event, contact: contact?, priority, stage })
    };
    Ok(rows.into_iter().filter_map(attendance).collect())
}

/// How many rows of people are looked at for a view.
pub const MAX_ATTENDANCES: i64 = 10_000;

/// How many contacts are still to be researched for each of these events and its sessions.
pub fn to_research(conn: &mut Conn, workspace: WorkspaceId, events: &[AnyId]) -> Result<HashMap<AnyId, usize>> {
    let (filter, _, _) =
        Select::all(workspace, Predicate::In(PARENT, events.iter().copied().map(Scalar::Id).collect())).parts();
    let sessions: Vec<(AnyId, Option<AnyId>)> =
        events::table.filter(filter).select((events::id, events::parent_id)).load(conn)?;
    let parents: HashMap<AnyId, AnyId> =
        sessions.into_iter().filter_map(|(id, parent)| Some((id, parent?))).collect();
    let all: Vec<AnyId> = events.iter().copied().chain(parents.keys().copied()).collect();
    let stages = [EventPersonStage::ToResearch];
    let mut people: HashMap<AnyId, HashSet<AnyId>> = HashMap::new();
    for person in attendances(conn, workspace, &all, &stages, MAX_ATTENDANCES)? {
        let event = parents.get(&person.event).copied().unwrap_or(person.event);
        people.entry(event).or_default().insert(person.contact);
    }
    Ok(people.into_iter().map(|(event, people)| (event, people.len())).collect())
}

/// The ids of the sessions of an event.
pub fn session_ids(tx: &mut Tx<'_>, event: AnyId) -> Result<Vec<AnyId>> {
    Ok(Event::ids(tx.conn, Select::all(tx.workspace, is_session_of(event)))?)
}

/// The interactions that happened at one of these events with one of these contacts.
pub fn interactions_at(tx: &mut Tx<'_>, events: &[AnyId], contacts: Vec<AnyId>) -> Result<Vec<Interaction>> {
    let Some(listed) = reference(Entity::Interaction, Entity::Contact) else { return Ok(Vec::new()) };
    let happened = Scalar::Text(InteractionStatus::Happened.as_str().to_owned());
    let there = Predicate::All(vec![
        Predicate::In(interactions::EVENT, events.iter().copied().map(Scalar::Id).collect()),
        Predicate::Lists(listed, contacts),
        Predicate::equal(interactions::STATUS, happened),
    ]);
    Ok(Interaction::select(tx.conn, Select::all(tx.workspace, there))?)
}

/// These contacts as they are among the people of these events.
pub fn people_named(tx: &mut Tx<'_>, events: &[AnyId], contacts: Vec<AnyId>) -> Result<Vec<EventPerson>> {
    let there = Predicate::All(vec![
        Predicate::In(EVENT, events.iter().copied().map(Scalar::Id).collect()),
        Predicate::In(CONTACT, contacts.into_iter().map(Scalar::Id).collect()),
    ]);
    Ok(EventPerson::select(tx.conn, Select::all(tx.workspace, there))?)
}
