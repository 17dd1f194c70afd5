//! Key results in the database: their columns, and what lists can filter and sort by. What they count is in `progress.rs`.

use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::key_results;
use super::db::sql::select::{Field, Predicate, Scalar, Select, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::id::{GoalId, OrganizationId, WorkspaceId};
use crate::domain::key::Key;
use crate::domain::key_result::{KeyResult, KeyResultFields, KeyResultFilter, KeyResultMetric};

record_row! {
    KeyResultRow of KeyResultFields in key_results;
    columns {
        goal_id: GoalId,
        title: String,
        metric: KeyResultMetric,
        unit: Option<String>,
        start_value: f64,
        target_value: f64,
        weight: f64,
    }
    json_or_null {
        filter: KeyResultFilter,
    }
    computed {
        filter_organization_id: Option<OrganizationId> =
            |fields| fields.filter.as_ref().and_then(|filter| filter.organization_id),
    }
}

impl Record for KeyResult {
    const SUMMARY: &'static [&'static str] =
        &["goal_id", "title", "metric", "unit", "start_value", "target_value", "weight"];

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn set_names(&mut self, names: Vec<String>) -> Result<()> {
        if let (Some(filter), Some(name)) = (&mut self.fields.filter, names.into_iter().next()) {
            filter.tag = Some(name);
        }
        Ok(())
    }

    record_statements!(key_results, KeyResultRow, KeyResultFields);
}

pub const CREATED_AT: Field = sortable(key_results::created_at);
pub const UPDATED_AT: Field = sortable(key_results::updated_at);
pub const GOAL: Field = sortable(key_results::goal_id);
pub const METRIC: Field = sortable(key_results::metric);

/// The key results of these goals, oldest first.
pub fn of_goals(conn: &mut Conn, workspace: WorkspaceId, goals: Vec<AnyId>) -> Result<Vec<KeyResult>> {
    let theirs = Predicate::In(GOAL, goals.into_iter().map(Scalar::Id).collect());
    Ok(KeyResult::select(conn, Select::all(workspace, theirs))?)
}
