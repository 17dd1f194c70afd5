//! The places of records in timelines, derived from them at every write.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;

use crate::domain::id::WorkspaceId;
use crate::domain::timeline::{TimelineEntry, TimelineKind};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::rows::{self, table_row};
use crate::store::db::sql::schema::timeline_entries;
use crate::store::db::sql::statement::{separated, statement};
use crate::store::db::sql::types::{AnyId, Id, Instant};

/// How many rows one statement deletes, each with one value; SQLite takes 32,766.
const DELETED_AT_ONCE: usize = 500;

/// The entries of one record: what they were, and what they are to be.
pub struct TimelineChange {
    pub record: AnyId,
    pub before: Vec<TimelineEntry>,
    pub after: Vec<TimelineEntry>,
}

/// Makes the rows of records what their entries are to be.
pub fn write(
    conn: &mut Conn,
    workspace: WorkspaceId,
    changes: impl IntoIterator<Item = TimelineChange>,
) -> QueryResult<()> {
    let mut come = Vec::new();
    for TimelineChange { record, before, after } in changes {
        if before == after {
            continue;
        }
        let (old, new) = (rows_of(workspace, record, &before), rows_of(workspace, record, &after));
        let gone: Vec<&Row> = old.iter().filter(|row| !new.contains(row)).collect();
        let is_one_entry = |one: &&Row, other: &&Row| (one.kind, one.sorted_at) == (other.kind, other.sorted_at);
        for rows in gone.chunk_by(is_one_entry).flat_map(|rows| rows.chunks(DELETED_AT_ONCE)) {
            let Some(Row { kind, sorted_at, .. }) = rows.first().copied() else { continue };
            let subjects = rows.iter().map(|row| row.subject_id).collect();
            Delete { workspace, record, kind: *kind, sorted_at: *sorted_at, subjects }.execute(conn)?;
        }
        come.extend(new.into_iter().filter(|row| !old.contains(row)));
    }
    rows::insert(conn, &come)
}

/// Writes the rows of records whether or not they are there.
pub fn rewrite(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entries: Vec<(AnyId, Vec<TimelineEntry>)>,
) -> QueryResult<()> {
    let gone = entries.iter().map(|(record, entries)| (*record, entries.clone(), Vec::new()));
    let gone: Vec<_> = gone.collect();
    let come = entries.into_iter().map(|(record, entries)| (record, Vec::new(), entries));
    let change = |(record, before, after)| TimelineChange { record, before, after };
    write(conn, workspace, gone.into_iter().map(change))?;
    write(conn, workspace, come.map(change))
}

/// A row for each contact, and one for the timeline of the workspace.
fn rows_of(workspace: WorkspaceId, record: AnyId, entries: &[TimelineEntry]) -> Vec<Row> {
    let of = |entry: &TimelineEntry| -> Vec<Row> {
        let (kind, sorted_at) = (entry.kind, entry.sorted_at);
        let subjects = entry.contact_ids.iter().map(|id| id.uuid()).chain([workspace.uuid()]);
        let row = |subject| Row {
            workspace_id: workspace,
            subject_id: AnyId::new(subject),
            kind,
            sorted_at,
            record_id: record,
        };
        subjects.map(row).collect()
    };
    entries.iter().flat_map(of).collect()
}

/// Whose timeline, what, and when.
#[derive(PartialEq)]
struct Row {
    workspace_id: WorkspaceId,
    subject_id: AnyId,
    kind: TimelineKind,
    sorted_at: Timestamp,
    record_id: AnyId,
}

table_row!(Row, timeline_entries: workspace_id, subject_id, kind, sorted_at, record_id; );

/// The rows of one entry.
struct Delete {
    workspace: WorkspaceId,
    record: AnyId,
    kind: TimelineKind,
    sorted_at: Timestamp,
    subjects: Vec<AnyId>,
}

statement!(Delete);

impl QueryFragment<MultiBackend> for Delete {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("DELETE FROM timeline_entries WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND kind = ");
        out.push_bind_param::<Text, _>(&self.kind)?;
        out.push_sql(" AND sorted_at = ");
        out.push_bind_param::<Instant, _>(&self.sorted_at)?;
        out.push_sql(" AND record_id = ");
        out.push_bind_param::<Id, _>(&self.record)?;
        out.push_sql(" AND subject_id IN (");
        separated(&self.subjects, ", ", &mut out, |subject, out| out.push_bind_param::<Id, _>(subject))?;
        out.push_sql(")");
        Ok(())
    }
}
