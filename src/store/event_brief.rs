//! What to read on the way to an event: its sessions, the people there by rank, and what is open with them. All of it is read in
//! a fixed number of statements.

use diesel::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::backgrounds::{self, Backgrounds};
use super::contact_brief::goals_of;
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::schema::{contacts, follow_ups as follow_ups_table};
use super::db::sql::select::{Predicate, Scalar, Select};
use super::db::sql::types::{AnyId, AsJson};
use super::db::write::record::Record;
use super::error::Result;
use super::events::{Attendance, MAX_ATTENDANCES};
use super::lists::Section;
use super::{contact_activities, events, follow_ups, targets, today};
use crate::domain::contact::Contact;
use crate::domain::contact_activity::ContactActivity;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::{EventPerson, EventPersonStage};
use crate::domain::event_preparation::EventPreparation;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::{Goal, GoalStatus};
use crate::domain::id::{ContactId, GoalId, WorkspaceId};
use crate::domain::pitch::Pitch;
use crate::domain::target::Target;

/// How many people are shown.
const MAX_PEOPLE: usize = 100;
/// How many follow-ups are shown, and how many are looked at.
const MAX_FOLLOW_UPS: usize = 20;
const FOLLOW_UPS_LOOKED_AT: i64 = 2_000;

/// What there is to tell of an event.
pub struct EventBrief {
    /// In the order of time.
    pub sessions: Vec<Event>,
    /// Those of the event and of the targets.
    pub goals: HashMap<GoalId, Goal>,
    pub pitch: Option<Pitch>,
    pub preparation: EventPreparation,
    /// Those of the sessions too, each contact once.
    pub people: Section<Attendee>,
    pub backgrounds: Backgrounds,
    pub follow_ups: Section<FollowUp>,
    /// Those of the people, and those whom the follow-ups are about.
    pub contacts: BTreeMap<AnyId, Contact>,
}

/// Somebody at an event.
pub struct Attendee {
    pub person: EventPerson,
    pub contact: Contact,
    pub activity: Option<ContactActivity>,
    /// The event and its sessions, as far as they are there.
    pub at: Vec<AnyId>,
    pub target: Option<Target>,
    /// The titles of the open follow-ups with them, those to act on first in front.
    pub open_follow_ups: Vec<String>,
}

/// What there is to tell of an event.
pub fn read(conn: &mut Conn, workspace: WorkspaceId, event: &Event) -> Result<EventBrief> {
    read_transaction(conn, |conn| {
        let id = Record::id(event);
        let mut sessions = Event::select(conn, Select::all(workspace, events::is_session_of(id)))?;
        sessions.sort_by_key(|session| (session.fields.begins(), session.id));
        let at: Vec<AnyId> = std::iter::once(id).chain(sessions.iter().map(Record::id)).collect();
        let there = events::attendances(conn, workspace, &at, EventPersonStage::ALL, MAX_ATTENDANCES)?;
        let to_research = there.iter().filter(|person| person.stage == EventPersonStage::ToResearch);
        let to_research: HashSet<AnyId> = to_research.map(|person| person.contact).collect();
        let ranked = ranked(conn, workspace, id, there)?;
        let total = i64::try_from(ranked.len()).unwrap_or(i64::MAX);
        let shown = ranked.get(..MAX_PEOPLE.min(ranked.len())).unwrap_or_default();
        let open = open_follow_ups(conn, workspace, &at)?;
        let ids: Vec<AnyId> = open.iter().take(MAX_FOLLOW_UPS).map(|one| one.id).collect();
        let mut first = FollowUp::select(conn, Select::all(workspace, Predicate::ids(ids.iter().copied())))?;
        first.sort_by_key(|one| ids.iter().position(|id| *id == Record::id(one)));
        let about = first.iter().flat_map(|one| one.fields.contact_ids.iter()).map(|id| AnyId::new(id.uuid()));
        let about: BTreeSet<AnyId> = shown.iter().map(|one| one.contact).chain(about).collect();
        let contacts = today::people(conn, workspace, about)?;
        let people: Vec<Contact> = shown.iter().filter_map(|one| contacts.get(&one.contact).cloned()).collect();
        let backgrounds = backgrounds::of_contacts(conn, workspace, &people)?;
        let targets = targets_of(conn, workspace, &people)?;
        let goal_ids = event.fields.goal_ids.iter().copied();
        let goal_ids = goal_ids.chain(targets.iter().map(|target| target.fields.goal_id));
        let goals = goals_of(conn, workspace, goal_ids)?;
        let pitch = event.fields.pitch_id.map(|id| AnyId::new(id.uuid()));
        let pitch = Pitch::select(conn, Select::all(workspace, Predicate::ids(pitch)))?.pop();
        let attendees =
            attendees(conn, workspace, event, shown, &contacts, &Around { open: &open, targets, goals: &goals })?;
        Ok(EventBrief {
            preparation: EventPreparation::new(&event.fields, to_research.len()),
            sessions,
            goals,
            pitch,
            people: Section { items: attendees, total },
            backgrounds,
            follow_ups: Section { items: first, total: i64::try_from(open.len()).unwrap_or(i64::MAX) },
            contacts,
        })
    })
}

/// Somebody at an event or its sessions, by the entry that ranks first.
struct Ranked {
    person: AnyId,
    contact: AnyId,
    at: Vec<AnyId>,
}

/// Each contact once: the highest priority first, of these those who are still to be met, then by name. Of several entries of a
/// contact that rank equally, that of the event itself stands for them.
fn ranked(
    conn: &mut Conn,
    workspace: WorkspaceId,
    event: AnyId,
    mut there: Vec<Attendance>,
) -> Result<Vec<Ranked>> {
    let ids: BTreeSet<AnyId> = there.iter().map(|one| one.contact).collect();
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids)).parts();
    let names: Vec<(AnyId, String)> =
        contacts::table.filter(filter).select((contacts::id, contacts::sort_key)).load(conn)?;
    let names: HashMap<AnyId, String> = names.into_iter().collect();
    there.sort_by_cached_key(|one| {
        let Attendance { id, event: at, contact, priority, stage } = *one;
        (Reverse(priority), !stage.is_ahead(), names.get(&contact).cloned(), contact, at != event, id)
    });
    let mut ranked: Vec<Ranked> = Vec::new();
    let mut places: HashMap<AnyId, usize> = HashMap::new();
    for Attendance { id, event, contact, .. } in there {
        let place = *places.entry(contact).or_insert(ranked.len());
        match ranked.get_mut(place) {
            Some(own) => own.at.push(event),
            None => ranked.push(Ranked { person: id, contact, at: vec![event] }),
        }
    }
    Ok(ranked)
}

/// A pending follow-up that names the event, its sessions or their people.
struct OpenFollowUp {
    id: AnyId,
    title: String,
    contacts: Vec<ContactId>,
}

/// The pending follow-ups that name these events or their people, those to act on first in front.
fn open_follow_ups(conn: &mut Conn, workspace: WorkspaceId, at: &[AnyId]) -> Result<Vec<OpenFollowUp>> {
    type Row = (AnyId, String, AsJson<Vec<ContactId>>, String);
    let events = || at.iter().copied().map(Scalar::Id).collect::<Vec<_>>();
    let there = Predicate::ReferredBy(
        Entity::EventPerson,
        events::CONTACT,
        Box::new(Predicate::In(events::EVENT, events())),
    );
    let mut found: BTreeMap<(String, AnyId), OpenFollowUp> = BTreeMap::new();
    // Not in one statement: with an OR between them PostgreSQL reads all that are pending.
    for named in [Predicate::In(follow_ups::EVENT, events()), follow_ups::is_about_found(there)] {
        let filter = Predicate::All(vec![named, follow_ups::is_pending()]);
        let select = Select { limit: FOLLOW_UPS_LOOKED_AT, ..Select::all(workspace, filter) };
        let (filter, order, limit) = select.parts();
        let rows: Vec<Row> = follow_ups_table::table
            .filter(filter)
            .order(order)
            .limit(limit)
            .select((
                follow_ups_table::id,
                follow_ups_table::title,
                follow_ups_table::contact_ids,
                follow_ups_table::actionable_sort,
            ))
            .load(conn)?;
        for (id, title, AsJson(contacts), actionable) in rows {
            found.insert((actionable, id), OpenFollowUp { id, title, contacts });
        }
    }
    Ok(found.into_values().collect())
}

fn targets_of(conn: &mut Conn, workspace: WorkspaceId, people: &[Contact]) -> Result<Vec<Target>> {
    let ids = people.iter().map(|contact| Scalar::Id(Record::id(contact))).collect();
    Ok(Target::select(conn, Select::all(workspace, Predicate::In(targets::CONTACT, ids)))?)
}

/// What is known around the people of an event.
struct Around<'a> {
    open: &'a [OpenFollowUp],
    targets: Vec<Target>,
    goals: &'a HashMap<GoalId, Goal>,
}

impl Around<'_> {
    /// The target that somebody is for one of the goals of the event, in their order, or else for an active goal.
    fn target(&self, event: &Event, contact: ContactId) -> Option<Target> {
        let rank = |target: &Target| event.fields.goal_ids.iter().position(|id| *id == target.fields.goal_id);
        let is_active = |target: &Target| {
            self.goals.get(&target.fields.goal_id).is_some_and(|goal| goal.fields.status == GoalStatus::Active)
        };
        self.targets
            .iter()
            .filter(|target| target.fields.contact_id == Some(contact))
            .filter(|target| rank(target).is_some() || is_active(target))
            .min_by_key(|target| (rank(target).unwrap_or(usize::MAX), Reverse(target.fields.priority), target.id))
            .cloned()
    }
}

fn attendees(
    conn: &mut Conn,
    workspace: WorkspaceId,
    event: &Event,
    shown: &[Ranked],
    contacts: &BTreeMap<AnyId, Contact>,
    around: &Around<'_>,
) -> Result<Vec<Attendee>> {
    let ids = shown.iter().map(|one| one.person);
    let people = EventPerson::select(conn, Select::all(workspace, Predicate::ids(ids)))?;
    let mut people: HashMap<AnyId, EventPerson> =
        people.into_iter().map(|person| (Record::id(&person), person)).collect();
    let mut activities = contact_activities::of_contacts(conn, workspace, shown.iter().map(|one| one.contact))?;
    let mut titles: HashMap<AnyId, Vec<String>> = HashMap::new();
    for one in around.open {
        for contact in &one.contacts {
            titles.entry(AnyId::new(contact.uuid())).or_default().push(one.title.clone());
        }
    }
    let attendee = |one: &Ranked| {
        let contact = contacts.get(&one.contact)?.clone();
        Some(Attendee {
            person: people.remove(&one.person)?,
            activity: activities.remove(&one.contact),
            at: one.at.clone(),
            target: around.target(event, contact.id),
            open_follow_ups: titles.remove(&one.contact).unwrap_or_default(),
            contact,
        })
    };
    Ok(shown.iter().filter_map(attendee).collect())
}
