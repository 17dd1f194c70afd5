//! Check-ins in the database: their columns, what lists can filter and sort by, and the latest of each key result.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{Double, Text};
use std::collections::HashMap;

use super::db::sql::conn::{Conn, MultiBackend};
use super::db::sql::schema::check_ins;
use super::db::sql::select::{Comparison, Field, Predicate, Scalar, sortable};
use super::db::sql::statement::{separated, statement};
use super::db::sql::types::{AnyId, Id};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::check_in::{CheckIn, CheckInFields};
use crate::domain::id::{KeyResultId, WorkspaceId};

record_row! {
    CheckInRow of CheckInFields in check_ins;
    columns {
        key_result_id: KeyResultId,
        checked_on: String,
        value: f64,
        note: Option<String>,
    }
}

impl Record for CheckIn {
    const SUMMARY: &'static [&'static str] = &["key_result_id", "on", "value"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == ON).then(|| Scalar::Text(self.fields.checked_on.clone()))
    }

    record_statements!(check_ins, CheckInRow, CheckInFields);
}

pub const CREATED_AT: Field = sortable(check_ins::created_at);
pub const UPDATED_AT: Field = sortable(check_ins::updated_at);
pub const KEY_RESULT: Field = sortable(check_ins::key_result_id);
pub const ON: Field = sortable(check_ins::checked_on);

/// Those of a key result on a day or before it.
pub fn of_key_result_by(key_result: AnyId, on: NaiveDate) -> Predicate {
    Predicate::All(vec![
        Predicate::equal(KEY_RESULT, Scalar::Id(key_result)),
        Predicate::Compare(ON, Comparison::LessOrEqual, Scalar::Text(on.to_string())),
    ])
}

/// The latest value of each key result on a day or before it. Of several on one day, the one that was created last.
pub fn latest(
    conn: &mut Conn,
    workspace: WorkspaceId,
    key_results: &[AnyId],
    on: NaiveDate,
) -> Result<HashMap<AnyId, f64>> {
    if key_results.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(AnyId, f64)> = Latest { workspace, key_results, on: on.to_string() }.load(conn)?;
    Ok(rows.into_iter().collect())
}

struct Latest<'a> {
    workspace: WorkspaceId,
    key_results: &'a [AnyId],
    on: String,
}

statement!(Latest<'_>, (Id, Double));

impl QueryFragment<MultiBackend> for Latest<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // There are as many texts of this as there are numbers of key results.
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT key_result_id, value FROM check_ins WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND id IN (SELECT (SELECT id FROM check_ins AS latest WHERE latest.workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND latest.key_result_id = key_results.id AND latest.checked_on <= ");
        out.push_bind_param::<Text, _>(&self.on)?;
        out.push_sql(
            " ORDER BY latest.checked_on DESC, latest.created_at DESC, latest.id DESC LIMIT 1) FROM key_results \
             WHERE workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND id IN (");
        separated(self.key_results, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql("))");
        Ok(())
    }
}
