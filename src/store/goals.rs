//! Goals in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::goals;
use super::db::sql::select::{
    Comparison, Direction, Field, ID, Predicate, Scalar, Select, day_or_last, field, sortable,
};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::goal::{Goal, GoalCategory, GoalFields, GoalStatus, Persona};
use crate::domain::id::WorkspaceId;
use crate::domain::keyed::Keyed;
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    GoalRow of GoalFields in goals;
    columns {
        title: String,
        why: Option<String>,
        desired_outcome: Option<String>,
        category: GoalCategory,
        priority: i32,
        started_on: Option<String>,
        due_on: Option<String>,
        status: GoalStatus,
        status_reason: Option<String>,
        achieved_at: Option<Timestamp>,
    }
    json {
        personas: Keyed<Persona>,
    }
    computed {
        due_sort: String = |fields| day_or_last(fields.due_on.as_ref()),
    }
}

impl Record for Goal {
    const SUMMARY: &'static [&'static str] = &["title", "category", "priority", "started_on", "due_on", "status"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        match field {
            DUE => Some(Scalar::Text(day_or_last(self.fields.due_on.as_ref()))),
            PRIORITY => Some(Scalar::Int(i64::from(self.fields.priority))),
            _ => None,
        }
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(goals, GoalRow, GoalFields);
}

pub const CREATED_AT: Field = sortable(goals::created_at);
pub const UPDATED_AT: Field = sortable(goals::updated_at);
pub const STATUS: Field = sortable(goals::status);
pub const CATEGORY: Field = sortable(goals::category);
pub const PRIORITY: Field = sortable(goals::priority);
/// Null without a day.
const DUE_ON: Field = field(goals::due_on);
const ACHIEVED_AT: Field = field(goals::achieved_at);
/// The day, or the last one there is.
pub const DUE: Field = sortable(goals::due_sort);

/// Due on a day that compares so.
pub fn is_due(comparison: Comparison, day: NaiveDate) -> Predicate {
    let compared = Predicate::Compare(DUE, comparison, Scalar::Text(day.to_string()));
    Predicate::All(vec![Predicate::NotNull(DUE_ON), compared])
}

/// The goals that were achieved between two instants.
pub fn achieved_within(
    conn: &mut Conn,
    workspace: WorkspaceId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Goal>> {
    let filter = Predicate::All(vec![
        Predicate::equal(STATUS, Scalar::Text(GoalStatus::Achieved.as_str().to_owned())),
        Predicate::Compare(ACHIEVED_AT, Comparison::GreaterOrEqual, Scalar::Instant(from)),
        Predicate::Compare(ACHIEVED_AT, Comparison::Less, Scalar::Instant(until)),
    ]);
    let order = vec![DUE, ID];
    Ok(Goal::select(conn, Select { workspace, filter, order, direction: Direction::Ascending, limit })?)
}

/// The active goals, those that are due first in front.
pub fn active(conn: &mut Conn, workspace: WorkspaceId, limit: i64) -> Result<Vec<Goal>> {
    let active = Scalar::Text(GoalStatus::Active.as_str().to_owned());
    let (filter, order) = (Predicate::equal(STATUS, active), vec![DUE, ID]);
    Ok(Goal::select(conn, Select { workspace, filter, order, direction: Direction::Ascending, limit })?)
}
