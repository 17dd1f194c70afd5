//! What a day asks for: each section of the view of a day, with how many there are in all. Each is read by an index of its
//! own, in a fixed number of statements.

use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap};

use super::db::index::keys;
use super::db::sql::conn::Conn;
use super::db::sql::select::{Comparison, Direction, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::Result;
use super::lists::{Order, Section, first, is_any};
use super::progress::{self, GoalProgress, On};
use super::{contacts, exchanges, follow_ups, goals, interactions};
use crate::domain::anniversary::days_ahead;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::exchange::Exchange;
use crate::domain::follow_up::{FollowUp, OwedBy};
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::interaction::{Interaction, InteractionStatus};
use crate::domain::key::{Key, KeyKind};
use crate::domain::progress::Pace;
use crate::domain::timestamp::Timestamp;
use crate::domain::today::TodaySetupCode;

/// The pending follow-ups of one side that are to be done by a day, the oldest first.
pub fn due_follow_ups(
    conn: &mut Conn,
    workspace: WorkspaceId,
    owed_by: OwedBy,
    on: NaiveDate,
    limit: i64,
) -> Result<Section<FollowUp>> {
    let filter = Predicate::All(vec![
        follow_ups::is_pending(),
        Predicate::equal(follow_ups::OWED_BY, Scalar::Text(owed_by.as_str().to_owned())),
        follow_ups::is_actionable(Comparison::LessOrEqual, on),
    ]);
    first(conn, workspace, filter, Order::By(follow_ups::ACTIONABLE, Direction::Ascending), limit)
}

pub(super) fn is_planned(comparison: Comparison, at: Timestamp) -> Predicate {
    let when = Predicate::Compare(interactions::OCCURRED, comparison, Scalar::Instant(at));
    Predicate::All(vec![Predicate::IsWord(interactions::STATUS, InteractionStatus::Planned.as_str()), when])
}

/// What is planned between two instants, the next one first.
pub fn planned(
    conn: &mut Conn,
    workspace: WorkspaceId,
    from: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Section<Interaction>> {
    let before = Predicate::Compare(interactions::OCCURRED, Comparison::Less, Scalar::Instant(until));
    let filter = Predicate::All(vec![is_planned(Comparison::GreaterOrEqual, from), before]);
    first(conn, workspace, filter, Order::By(interactions::OCCURRED, Direction::Ascending), limit)
}

/// What was planned for before an instant, and of which nobody has said what became of it; the newest first.
pub fn awaiting_outcome(
    conn: &mut Conn,
    workspace: WorkspaceId,
    before: Timestamp,
    limit: i64,
) -> Result<Section<Interaction>> {
    let filter = is_planned(Comparison::Less, before);
    first(conn, workspace, filter, Order::By(interactions::OCCURRED, Direction::Descending), limit)
}

/// What was received by a day and not thanked for, the latest first.
pub fn thanks_due(
    conn: &mut Conn,
    workspace: WorkspaceId,
    on: NaiveDate,
    limit: i64,
) -> Result<Section<Exchange>> {
    let by = Scalar::Text(on.to_string());
    let received = Predicate::Compare(exchanges::OCCURRED_ON, Comparison::LessOrEqual, by);
    let filter = Predicate::All(vec![exchanges::awaits_thanks(), received]);
    first(conn, workspace, filter, Order::By(exchanges::OCCURRED_ON, Direction::Descending), limit)
}

/// How many active goals are looked at, those that are due first.
const GOALS_LOOKED_AT: i64 = 50;

/// The active goals that are at risk or overdue, those that are due first in front.
pub fn goals_at_risk(
    conn: &mut Conn,
    workspace: WorkspaceId,
    on: On,
    limit: usize,
) -> Result<Section<GoalProgress>> {
    let active = goals::active(conn, workspace, GOALS_LOOKED_AT)?;
    let mut items = progress::of_goals(conn, workspace, active, on)?;
    items.retain(|one| one.standing.pace == Some(Pace::AtRisk) || one.standing.is_overdue(&one.goal, on.day));
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    items.truncate(limit);
    Ok(Section { items, total })
}

/// Whose dates fall on a day or on one of those after it, the nearest first.
pub fn dates(
    conn: &mut Conn,
    workspace: WorkspaceId,
    on: NaiveDate,
    days: u64,
    limit: usize,
) -> Result<Section<(NaiveDate, Contact)>> {
    let mut day_of: HashMap<String, NaiveDate> = HashMap::new();
    for (day, keys) in days_ahead(on, days) {
        day_of.extend(keys.into_iter().map(|key| (key, day)));
    }
    let keys: Vec<Key> = day_of.keys().map(|day| Key::new(KeyKind::Date, day.clone())).collect();
    let holders = keys::holders(conn, workspace, Entity::Contact, &keys)?;
    let mut places: Vec<(NaiveDate, AnyId)> =
        holders.into_iter().filter_map(|(id, key)| Some((*day_of.get(&key.value)?, id))).collect();
    places.sort_unstable();
    places.dedup();
    let total = i64::try_from(places.len()).unwrap_or(i64::MAX);
    places.truncate(limit);
    let people = people(conn, workspace, places.iter().map(|(_, id)| *id))?;
    let items = places.into_iter().filter_map(|(day, id)| Some((day, people.get(&id)?.clone())));
    Ok(Section { items: items.collect(), total })
}

/// These contacts, by their ids.
pub fn people(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<BTreeMap<AnyId, Contact>> {
    let contacts = Contact::select(conn, Select::all(workspace, Predicate::ids(ids)))?;
    Ok(contacts.into_iter().map(|contact| (Record::id(&contact), contact)).collect())
}

/// The ids of the contacts of these lists.
pub fn ids_of<'a>(lists: impl IntoIterator<Item = &'a [ContactId]>) -> Vec<AnyId> {
    let mut ids: Vec<AnyId> = lists.into_iter().flatten().map(|id| AnyId::new(id.uuid())).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The first steps that nobody has taken yet.
pub fn open_setup(conn: &mut Conn, workspace: WorkspaceId) -> Result<Vec<TodaySetupCode>> {
    let other = Predicate::equal(contacts::IS_SELF, Scalar::Bool(false));
    let not_due = Scalar::Text(contacts::NOT_DUE.to_owned());
    let due = Predicate::Compare(contacts::NEXT_CONTACT, Comparison::Less, not_due);
    let steps = [
        (TodaySetupCode::AddContact, is_any::<Contact>(conn, workspace, other, ID)?),
        (TodaySetupCode::SetTier, is_any::<Contact>(conn, workspace, due, contacts::NEXT_CONTACT)?),
        (TodaySetupCode::LogInteraction, is_any::<Interaction>(conn, workspace, Predicate::always(), ID)?),
        (TodaySetupCode::AddFollowUp, is_any::<FollowUp>(conn, workspace, Predicate::always(), ID)?),
    ];
    Ok(steps.into_iter().filter(|(_, is_done)| !is_done).map(|(step, _)| step).collect())
}
