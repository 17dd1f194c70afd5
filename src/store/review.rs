//! What happened in a period: how far goals came, what became of promises, whom the networker met, and how much of each kind
//! there was. Each part reads the index entries of the period.

use chrono::NaiveDate;
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use std::collections::HashMap;

use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::schema::{exchanges, follow_ups, targets};
use super::db::sql::select::{Direction, Predicate};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::Result;
use super::lists::{Order, Section, first, in_order_of};
use super::progress::{self, GoalProgress, On};
use super::{contacts, events, goals};
use crate::domain::contact::Contact;
use crate::domain::exchange::ExchangeDirection;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, FollowUpStatus, OwedBy};
use crate::domain::id::WorkspaceId;
use crate::domain::key_result::KeyResultMetric;
use crate::domain::locale::TimeZone;
use crate::domain::progress::Window;
use crate::domain::review::{PromiseOutcome, ReviewPeriod};
use crate::domain::timestamp::Timestamp;

/// How many active goals are looked at, those that are due first, and how many of those that were achieved.
const MAX_GOALS: i64 = 50;

/// What happened in a period.
pub struct Review {
    pub goals: Vec<ReviewedGoal>,
    pub promises: Promises,
    pub people_met: Section<Contact>,
    pub exchanges: Vec<ExchangeTotal>,
    pub counts: Vec<(KeyResultMetric, i64)>,
}

/// How many exchanges there were in a direction, and the sum of their weights.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeTotal {
    pub direction: ExchangeDirection,
    pub count: i64,
    pub weight: i64,
}

/// How far a goal came.
pub struct ReviewedGoal {
    /// As it was on the day before the period.
    pub before: GoalProgress,
    /// As it was on its last day.
    pub after: GoalProgress,
    /// How many of its targets came to their stage in the period.
    pub targets_moved: i64,
}

/// What became of what was due in the period.
pub struct Promises {
    pub outcomes: Vec<(OwedBy, PromiseOutcome)>,
    /// Those that slipped, the earliest first.
    pub slipped: Section<FollowUp>,
}

/// What is counted.
const METRICS: [KeyResultMetric; 10] = [
    KeyResultMetric::ContactsAdded,
    KeyResultMetric::Interactions,
    KeyResultMetric::InformationalInterviews,
    KeyResultMetric::FollowUpsDone,
    KeyResultMetric::EventsAttended,
    KeyResultMetric::PeopleMet,
    KeyResultMetric::IntroductionsMade,
    KeyResultMetric::IntroductionsReceived,
    KeyResultMetric::FeedbackActedOn,
    KeyResultMetric::PostsPublished,
];

/// What happened in a period, of each list at most so many.
pub fn read(
    conn: &mut Conn,
    workspace: WorkspaceId,
    (period, zone): (ReviewPeriod, TimeZone),
    today: NaiveDate,
    limit: i64,
) -> Result<Review> {
    read_transaction(conn, |conn| {
        let window = period.window();
        Ok(Review {
            goals: goals(conn, workspace, period, zone)?,
            promises: promises(conn, workspace, (period, zone), today, limit)?,
            people_met: people_met(conn, workspace, window.instants(zone), limit)?,
            exchanges: exchanged(conn, workspace, period)?,
            counts: progress::in_window(conn, workspace, &METRICS, window, zone)?,
        })
    })
}

/// The active goals that began before the period was over, and those that were achieved in it.
fn goals(
    conn: &mut Conn,
    workspace: WorkspaceId,
    period: ReviewPeriod,
    zone: TimeZone,
) -> Result<Vec<ReviewedGoal>> {
    let on = |day: NaiveDate| On { day, zone };
    let (from, until) = period.window().instants(zone);
    let mut wanted = goals::active(conn, workspace, MAX_GOALS)?;
    wanted.extend(goals::achieved_within(conn, workspace, (from, until), MAX_GOALS)?);
    wanted.retain(|goal| Window::of(goal, zone, period.last_day()).first <= period.last_day());
    let moved = targets_moved(conn, workspace, wanted.iter().map(Record::id).collect(), (from, until))?;
    let before = progress::of_goals(conn, workspace, wanted.clone(), on(period.day_before()))?;
    let after = progress::of_goals(conn, workspace, wanted, on(period.last_day()))?;
    let reviewed = before.into_iter().zip(after).map(|(before, after)| {
        let targets_moved = moved.get(&Record::id(&after.goal)).copied().unwrap_or_default();
        ReviewedGoal { before, after, targets_moved }
    });
    Ok(reviewed.collect())
}

/// How many targets of each of these goals came to their stage between two instants.
fn targets_moved(
    conn: &mut Conn,
    workspace: WorkspaceId,
    goals: Vec<AnyId>,
    (from, until): (Timestamp, Timestamp),
) -> Result<HashMap<AnyId, i64>> {
    let rows: Vec<(AnyId, i64)> = targets::table
        .filter(targets::workspace_id.eq(workspace))
        .filter(targets::changed_sort.ge(from))
        .filter(targets::changed_sort.lt(until))
        .filter(targets::goal_id.eq_any(goals))
        .group_by(targets::goal_id)
        .select((targets::goal_id, count_star()))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

fn promises(
    conn: &mut Conn,
    workspace: WorkspaceId,
    (period, zone): (ReviewPeriod, TimeZone),
    today: NaiveDate,
    limit: i64,
) -> Result<Promises> {
    type Due = (AnyId, OwedBy, FollowUpStatus, Option<String>, Option<Timestamp>);
    let rows: Vec<Due> = follow_ups::table
        .filter(follow_ups::workspace_id.eq(workspace))
        .filter(follow_ups::due_sort.ge(period.since.to_string()))
        .filter(follow_ups::due_sort.lt(period.until.to_string()))
        .order((follow_ups::due_sort, follow_ups::id))
        .select((
            follow_ups::id,
            follow_ups::owed_by,
            follow_ups::status,
            follow_ups::due_on,
            follow_ups::completed_at,
        ))
        .load(conn)?;
    let of = |(id, owed_by, status, due_on, completed_at): Due| {
        let due_on = parse_day(&due_on?).ok()?;
        let completed_on = completed_at.map(|at| zone.day(at));
        Some((id, owed_by, PromiseOutcome::of(status, due_on, completed_on, today)?))
    };
    let all: Vec<(AnyId, OwedBy, PromiseOutcome)> = rows.into_iter().filter_map(of).collect();
    let has_slipped = |one: &&(AnyId, OwedBy, PromiseOutcome)| one.2 == PromiseOutcome::Slipped;
    let slipped: Vec<AnyId> = all.iter().filter(has_slipped).map(|one| one.0).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let Section { items: ids, total } = Section::first_of(slipped, limit);
    let slipped = Section { items: in_order_of(conn, workspace, &ids)?, total };
    let outcomes = all.into_iter().map(|(_, owed_by, outcome)| (owed_by, outcome)).collect();
    Ok(Promises { outcomes, slipped })
}

/// The people met at events between two instants, the newest first.
fn people_met(
    conn: &mut Conn,
    workspace: WorkspaceId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Section<Contact>> {
    let met = events::is_there(Predicate::All(progress::between(events::MET_AT, from, until)));
    first(conn, workspace, met, Order::By(contacts::CREATED_AT, Direction::Descending), limit)
}

/// How many exchanges there were in each direction, and their weights.
fn exchanged(conn: &mut Conn, workspace: WorkspaceId, period: ReviewPeriod) -> Result<Vec<ExchangeTotal>> {
    let rows: Vec<(ExchangeDirection, i64, Option<i64>)> = exchanges::table
        .filter(exchanges::workspace_id.eq(workspace))
        .filter(exchanges::occurred_on.ge(period.since.to_string()))
        .filter(exchanges::occurred_on.lt(period.until.to_string()))
        .group_by(exchanges::direction)
        .select((exchanges::direction, count_star(), sum(exchanges::weight)))
        .load(conn)?;
    let of = |(direction, count, weight): (ExchangeDirection, i64, Option<i64>)| ExchangeTotal {
        direction,
        count,
        weight: weight.unwrap_or_default(),
    };
    Ok(rows.into_iter().map(of).collect())
}
