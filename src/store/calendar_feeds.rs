//! Calendar feeds: bound to one workspace, their secret shown once and stored as a hash; and what is shown in them.

use chrono::TimeDelta;
use diesel::prelude::*;
use std::collections::HashMap;

use super::account_tx::AccountTx;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{calendar_feeds, contacts, memberships};
use super::db::sql::select::{Comparison, Direction, ID, Predicate, Scalar, Select};
use super::db::sql::types::{AnyId, AsJson};
use super::db::write::record::Record;
use super::error::{Conflict, Error, Result};
use super::memberships::lock as lock_membership;
use super::tokens::hash_of_secret;
use super::{events, follow_ups, interactions, organizations, today};
use crate::domain::calendar_feed::{CalendarContent, MAX_ENTRIES, MAX_PER_USER, Named, Window};
use crate::domain::contact::Contact;
use crate::domain::event::{Event, EventParticipation};
use crate::domain::event_person::EventPersonStage;
use crate::domain::follow_up::FollowUp;
use crate::domain::id::{CalendarFeedId, UserId, WorkspaceId};
use crate::domain::interaction::Interaction;
use crate::domain::timestamp::Timestamp;

/// `last_read_at` is written at most this often.
const READ_NOTED_SECONDS: i64 = 60;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendar_feeds)]
#[diesel(treat_none_as_default_value = false)]
pub struct CalendarFeed {
    pub workspace_id: WorkspaceId,
    pub id: CalendarFeedId,
    pub user_id: UserId,
    pub name: String,
    secret_hash: Vec<u8>,
    pub contents: AsJson<Vec<CalendarContent>>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_read_at: Option<Timestamp>,
}

impl CalendarFeed {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether the last read that was noted is long enough ago.
    pub fn read_is_worth_noting(&self, now: Timestamp) -> bool {
        self.last_read_at.is_none_or(|at| now >= at.plus(TimeDelta::seconds(READ_NOTED_SECONDS)))
    }
}

/// The feed with this secret, if its user still belongs to the workspace.
pub fn find_by_secret(conn: &mut Conn, secret: &str) -> Result<Option<CalendarFeed>> {
    let rows: Vec<CalendarFeed> = calendar_feeds::table
        .inner_join(
            memberships::table.on(memberships::workspace_id
                .eq(calendar_feeds::workspace_id)
                .and(memberships::user_id.eq(calendar_feeds::user_id))),
        )
        .filter(calendar_feeds::secret_hash.eq(hash_of_secret(secret)))
        .select(CalendarFeed::as_select())
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// The feeds of a user in a workspace, newest first.
pub fn list(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<Vec<CalendarFeed>> {
    Ok(calendar_feeds::table
        .filter(calendar_feeds::workspace_id.eq(workspace))
        .filter(calendar_feeds::user_id.eq(user))
        .order(calendar_feeds::id.desc())
        .select(CalendarFeed::as_select())
        .load(conn)?)
}

pub fn find(conn: &mut Conn, workspace: WorkspaceId, user: UserId, id: CalendarFeedId) -> Result<CalendarFeed> {
    Ok(calendar_feeds::table
        .filter(calendar_feeds::workspace_id.eq(workspace))
        .filter(calendar_feeds::user_id.eq(user))
        .filter(calendar_feeds::id.eq(id))
        .select(CalendarFeed::as_select())
        .get_result(conn)?)
}

/// What a feed is asked to be.
pub struct NewFeed {
    pub name: String,
    pub contents: Vec<CalendarContent>,
    pub expires_at: Option<Timestamp>,
}

pub fn create_feed(
    tx: &mut AccountTx<'_>,
    workspace_id: WorkspaceId,
    user_id: UserId,
    new: NewFeed,
    secret: &str,
) -> Result<CalendarFeed> {
    lock_membership(tx, workspace_id, user_id)?;
    if list(tx.conn, workspace_id, user_id)?.len() >= MAX_PER_USER {
        return Err(Conflict::TooMany("calendar feeds").into());
    }
    let feed = CalendarFeed {
        workspace_id,
        id: CalendarFeedId::new(tx.new_id()),
        user_id,
        name: new.name,
        secret_hash: hash_of_secret(secret),
        contents: AsJson(new.contents),
        created_at: tx.now,
        expires_at: new.expires_at,
        last_read_at: None,
    };
    diesel::insert_into(calendar_feeds::table).values(&feed).execute(tx.conn)?;
    Ok(feed)
}

pub fn delete_feed(
    tx: &mut AccountTx<'_>,
    workspace: WorkspaceId,
    user: UserId,
    id: CalendarFeedId,
) -> Result<()> {
    let own = calendar_feeds::table
        .filter(calendar_feeds::workspace_id.eq(workspace))
        .filter(calendar_feeds::user_id.eq(user))
        .filter(calendar_feeds::id.eq(id));
    match diesel::delete(own).execute(tx.conn)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

pub fn note_read(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: CalendarFeedId) -> Result<()> {
    let own =
        calendar_feeds::table.filter(calendar_feeds::workspace_id.eq(workspace)).filter(calendar_feeds::id.eq(id));
    diesel::update(own).set(calendar_feeds::last_read_at.eq(tx.now)).execute(tx.conn)?;
    Ok(())
}

/// The follow-ups to act on within a period, the earliest first; only pending ones, or all.
pub fn follow_ups_within(
    conn: &mut Conn,
    workspace: WorkspaceId,
    window: Window,
    only_pending: bool,
) -> Result<Vec<FollowUp>> {
    let mut filter = vec![
        follow_ups::is_actionable(Comparison::GreaterOrEqual, window.since),
        follow_ups::is_actionable(Comparison::Less, window.until),
    ];
    filter.extend(only_pending.then(follow_ups::is_pending));
    let (filter, order) = (Predicate::All(filter), vec![follow_ups::ACTIONABLE, ID]);
    let direction = Direction::Ascending;
    Ok(FollowUp::select(conn, Select { workspace, filter, order, direction, limit: MAX_ENTRIES })?)
}

/// What is planned between two instants, the earliest first.
pub fn planned_within(
    conn: &mut Conn,
    workspace: WorkspaceId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Interaction>> {
    let before = Predicate::Compare(interactions::OCCURRED, Comparison::Less, Scalar::Instant(until));
    let filter = Predicate::All(vec![today::is_planned(Comparison::GreaterOrEqual, since), before]);
    let (order, direction) = (vec![interactions::OCCURRED, ID], Direction::Ascending);
    Ok(Interaction::select(conn, Select { workspace, filter, order, direction, limit: MAX_ENTRIES })?)
}

/// The events that start between two instants, without those that you declined or missed, the earliest first.
pub fn events_within(
    conn: &mut Conn,
    workspace: WorkspaceId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Event>> {
    let at = |comparison, instant| Predicate::Compare(events::STARTS, comparison, Scalar::Instant(instant));
    let without = [EventParticipation::Declined, EventParticipation::Missed];
    let without = without.map(|one| Scalar::Text(one.as_str().to_owned()));
    let filter = Predicate::All(vec![
        at(Comparison::GreaterOrEqual, since),
        at(Comparison::Less, until),
        Predicate::In(events::PARTICIPATION, without.into()).negated(),
    ]);
    let (order, direction) = (vec![events::STARTS, ID], Direction::Ascending);
    Ok(Event::select(conn, Select { workspace, filter, order, direction, limit: MAX_ENTRIES })?)
}

/// Who is still to be met at each of these events or its sessions, the highest priority first.
pub fn to_meet(conn: &mut Conn, workspace: WorkspaceId, shown: &[Event]) -> Result<HashMap<AnyId, Vec<AnyId>>> {
    let ids: Vec<AnyId> = shown.iter().map(Record::id).collect();
    let parent = |event: &Event| Some((Record::id(event), AnyId::new(event.fields.parent_id?.uuid())));
    let parents: HashMap<AnyId, AnyId> = shown.iter().filter_map(parent).collect();
    let stages = [EventPersonStage::ToResearch, EventPersonStage::ToMeet];
    let mut to_meet: HashMap<AnyId, Vec<AnyId>> = HashMap::new();
    for person in events::attendances(conn, workspace, &ids, &stages, events::MAX_ATTENDANCES)? {
        for event in [Some(person.event), parents.get(&person.event).copied()].into_iter().flatten() {
            let there = to_meet.entry(event).or_default();
            if !there.contains(&person.contact) {
                there.push(person.contact);
            }
        }
    }
    Ok(to_meet)
}

/// What these contacts are called, and whether they may be contacted.
pub fn people(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<HashMap<AnyId, Named>> {
    type Row = (AnyId, String, Option<Timestamp>, bool);
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids)).parts();
    let rows: Vec<Row> = contacts::table
        .filter(filter)
        .select((contacts::id, contacts::name, contacts::archived_at, contacts::do_not_contact))
        .load(conn)?;
    let named = |(id, name, archived_at, do_not_contact): Row| {
        (id, Named { name, archived: archived_at.is_some(), do_not_contact })
    };
    Ok(rows.into_iter().map(named).collect())
}

/// What these organizations are called.
pub fn organization_names(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<HashMap<AnyId, Named>> {
    let names = organizations::names(conn, workspace, ids)?.into_iter();
    Ok(names.map(|(id, name)| (id, Named { name, archived: false, do_not_contact: false })).collect())
}

/// Contacts with dates of which month and day are known, those of the nearest dates first.
pub fn with_dates(conn: &mut Conn, workspace: WorkspaceId, on: chrono::NaiveDate) -> Result<Vec<Contact>> {
    const DAYS_OF_A_YEAR: u64 = 365;
    let limit = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX);
    let found = today::dates(conn, workspace, on, DAYS_OF_A_YEAR, limit)?;
    let mut seen = std::collections::HashSet::new();
    let contacts = found.items.into_iter().map(|(_, contact)| contact);
    Ok(contacts.filter(|contact| seen.insert(Record::id(contact))).collect())
}
