//! What to read before a call with a contact: what there is to tell of them, in a fixed number of statements.

use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::backgrounds::{self, Backgrounds};
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Comparison, Direction, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::Result;
use super::lists::{Order, Section, first};
use super::reciprocity::{self, Exchanged};
use super::{
    contact_activities, events, feedback, follow_ups, interactions, introductions, relationships, targets, today,
};
use crate::domain::community::Community;
use crate::domain::contact::Contact;
use crate::domain::contact_activity::ContactActivity;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::EventPerson;
use crate::domain::feedback::Feedback;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::Goal;
use crate::domain::id::{EventId, GoalId, WorkspaceId};
use crate::domain::interaction::Interaction;
use crate::domain::introduction::Introduction;
use crate::domain::reference::reference;
use crate::domain::relationship::Relationship;
use crate::domain::target::Target;
use crate::domain::timestamp::Timestamp;

/// How many events are shown of those ahead, and of those that are over.
const MAX_EVENTS: i64 = 10;
/// How many interactions with notes are shown.
const MAX_NOTES: i64 = 5;
/// How many relationships, targets and follow-ups are shown.
const MAX_ITEMS: u8 = 20;

/// What there is to tell of a contact.
pub struct ContactBrief {
    pub activity: Option<ContactActivity>,
    pub backgrounds: Backgrounds,
    /// In both directions, current ones first, then the newest.
    pub relationships: Section<Relationship>,
    pub follow_ups: Section<FollowUp>,
    /// Those that are not declined or dropped first, then the highest priority.
    pub targets: Section<Target>,
    pub goals: HashMap<GoalId, Goal>,
    /// At which they are: those that are not over, the next one first, and those that are, the latest first.
    pub next_events: Vec<Event>,
    pub last_events: Vec<Event>,
    /// What they are at these events.
    pub attendance: HashMap<EventId, EventPerson>,
    /// What was given and received.
    pub exchanged: Option<Exchanged>,
    /// What is open of theirs, the newest first.
    pub feedback: Section<Feedback>,
    /// What they are a part of, the newest first.
    pub introductions: Section<Introduction>,
    /// Of which they are a member, the newest first.
    pub communities: Section<Community>,
    /// Where you met.
    pub met_at: Option<Event>,
    pub notes: Vec<Interaction>,
    /// Those whom relationships are with, and who introduced you.
    pub people: Vec<Contact>,
}

/// The day of a brief.
#[derive(Debug, Clone, Copy)]
pub struct Day {
    pub on: NaiveDate,
    /// When it begins in the time zone of the workspace.
    pub begins: Timestamp,
}

/// What there is to tell of a contact on a day.
pub fn read(conn: &mut Conn, workspace: WorkspaceId, contact: &Contact, day: Day) -> Result<ContactBrief> {
    let Day { on, begins } = day;
    read_transaction(conn, |conn| {
        let id = Record::id(contact);
        let is_own = |field| Predicate::equal(field, Scalar::Id(id));
        let activity = contact_activities::of_contacts(conn, workspace, [id])?.remove(&id);
        let backgrounds = backgrounds::of_contacts(conn, workspace, std::slice::from_ref(contact))?;
        let both = Predicate::Any(vec![is_own(relationships::CONTACT), is_own(relationships::RELATED_CONTACT)]);
        let newest = Select { direction: Direction::Descending, ..Select::all(workspace, both) };
        let mut relationships = Relationship::select(conn, newest)?;
        relationships.sort_by_key(|own| !own.fields.period().is_current(on));
        let relationships = Section::first_of(relationships, MAX_ITEMS.into());
        let pending = Predicate::All(vec![follow_ups::is_pending(), follow_ups::is_about(id)]);
        let in_order = Order::By(follow_ups::ACTIONABLE, Direction::Ascending);
        let follow_ups = first(conn, workspace, pending, in_order, i64::from(MAX_ITEMS))?;
        let mut targets = Target::select(conn, Select::all(workspace, is_own(targets::CONTACT)))?;
        targets.sort_by_key(|target| (target.fields.stage.is_over(), Reverse(target.fields.priority)));
        let targets = Section::first_of(targets, MAX_ITEMS.into());
        let goals = goals_of(conn, workspace, targets.items.iter().map(|target| target.fields.goal_id))?;
        let mut at = |comparison, direction| {
            let when = Predicate::Compare(events::ENDS, comparison, Scalar::Instant(begins));
            let filter = Predicate::All(vec![events::has_person(is_own(events::CONTACT)), when]);
            let order = vec![events::STARTS, ID];
            Event::select(conn, Select { workspace, filter, order, direction, limit: MAX_EVENTS })
        };
        let next_events = at(Comparison::Greater, Direction::Ascending)?;
        let last_events = at(Comparison::LessOrEqual, Direction::Descending)?;
        let shown = next_events.iter().chain(&last_events).map(|event| Scalar::Id(Record::id(event)));
        let there = vec![is_own(events::CONTACT), Predicate::In(events::EVENT, shown.collect())];
        let there = EventPerson::select(conn, Select::all(workspace, Predicate::All(there)))?;
        let attendance = there.into_iter().map(|person| (person.fields.event_id, person)).collect();
        let exchanged = reciprocity::of_contact(conn, workspace, id, on)?;
        let open = Predicate::All(vec![
            is_own(feedback::CONTACT),
            Predicate::equal(feedback::IS_OPEN, Scalar::Bool(true)),
        ]);
        let newest = Order::By(ID, Direction::Descending);
        let feedback = first(conn, workspace, open, newest, i64::from(MAX_ITEMS))?;
        let parts = [introductions::CONTACT_A, introductions::CONTACT_B, introductions::INTRODUCER];
        let is_part = Predicate::Any(parts.map(is_own).to_vec());
        let newest = Select { direction: Direction::Descending, ..Select::all(workspace, is_part) };
        let introductions = Section::first_of(Introduction::select(conn, newest)?, MAX_ITEMS.into());
        let member =
            reference(Entity::Community, Entity::Contact).map(|listed| Predicate::Lists(listed, vec![id]));
        let member = member.unwrap_or(Predicate::Any(Vec::new()));
        let newest = Order::By(ID, Direction::Descending);
        let communities = first(conn, workspace, member, newest, i64::from(MAX_ITEMS))?;
        let how_met = contact.fields.how_met.as_ref();
        let met_at = how_met.and_then(|how_met| how_met.event_id).map(|id| AnyId::new(id.uuid()));
        let met_at = Event::select(conn, Select::all(workspace, Predicate::ids(met_at)))?.pop();
        let notes = interactions::with_notes(conn, workspace, id, Timestamp::end_of(on), MAX_NOTES)?;
        let others = relationships.items.iter().map(|own| own.fields.other_than(contact.id));
        let introducer = how_met.and_then(|how_met| how_met.introduced_by_id);
        let people: BTreeSet<AnyId> = others.chain(introducer).map(|id| AnyId::new(id.uuid())).collect();
        let people = today::people(conn, workspace, people)?.into_values().collect();
        Ok(ContactBrief {
            activity,
            backgrounds,
            relationships,
            follow_ups,
            targets,
            goals,
            next_events,
            last_events,
            attendance,
            exchanged,
            feedback,
            introductions,
            communities,
            met_at,
            notes,
            people,
        })
    })
}

/// These goals, by their ids.
pub(super) fn goals_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl Iterator<Item = GoalId>,
) -> Result<HashMap<GoalId, Goal>> {
    let ids: BTreeSet<AnyId> = ids.map(|id| AnyId::new(id.uuid())).collect();
    let goals = Goal::select(conn, Select::all(workspace, Predicate::ids(ids)))?;
    Ok(goals.into_iter().map(|goal| (goal.id, goal)).collect())
}
