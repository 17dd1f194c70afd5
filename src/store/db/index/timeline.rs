//! The places of records in timelines, derived from them at every write.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;

use crate::domain::id::WorkspaceId;
use crate::domain::timeline::{TimelineEntry, TimelineKind};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::select::separated;
use crate::store::db::sql::statement::statement;
use crate::store::db::sql::types::{AnyId, Id, Instant};

/// How many rows one statement writes, each with five values; SQLite takes 32,766.
const ROWS_AT_ONCE: usize = 500;

/// Whose timeline, what, and when.
type Row = (AnyId, TimelineKind, Timestamp);

/// Makes the rows of a record what its entries are. `before` is what they were.
pub fn write(
    conn: &mut Conn,
    workspace: WorkspaceId,
    record: AnyId,
    before: &[TimelineEntry],
    after: &[TimelineEntry],
) -> QueryResult<()> {
    if before == after {
        return Ok(());
    }
    let (old, new) = (rows(workspace, before), rows(workspace, after));
    let gone: Vec<Row> = old.iter().filter(|row| !new.contains(row)).copied().collect();
    let come: Vec<Row> = new.iter().filter(|row| !old.contains(row)).copied().collect();
    let is_one_entry = |one: &Row, other: &Row| (one.1, one.2) == (other.1, other.2);
    for rows in gone.chunk_by(is_one_entry).flat_map(|rows| rows.chunks(ROWS_AT_ONCE)) {
        let Some((_, kind, sorted_at)) = rows.first().copied() else { continue };
        let subjects = rows.iter().map(|(subject, _, _)| *subject).collect();
        Delete { workspace, record, kind, sorted_at, subjects }.execute(conn)?;
    }
    for rows in come.chunks(ROWS_AT_ONCE) {
        Insert { workspace, record, rows }.execute(conn)?;
    }
    Ok(())
}

/// Writes the rows of a record whether or not they are there.
pub fn rewrite(
    conn: &mut Conn,
    workspace: WorkspaceId,
    record: AnyId,
    entries: &[TimelineEntry],
) -> QueryResult<()> {
    write(conn, workspace, record, entries, &[])?;
    write(conn, workspace, record, &[], entries)
}

/// A row for each contact, and one for the timeline of the workspace.
fn rows(workspace: WorkspaceId, entries: &[TimelineEntry]) -> Vec<Row> {
    let of = |entry: &TimelineEntry| -> Vec<Row> {
        let subjects = entry.contact_ids.iter().map(|id| id.uuid()).chain([workspace.uuid()]);
        subjects.map(|subject| (AnyId::new(subject), entry.kind, entry.sorted_at)).collect()
    };
    entries.iter().flat_map(of).collect()
}

struct Insert<'a> {
    workspace: WorkspaceId,
    record: AnyId,
    rows: &'a [Row],
}

/// The rows of one entry.
struct Delete {
    workspace: WorkspaceId,
    record: AnyId,
    kind: TimelineKind,
    sorted_at: Timestamp,
    subjects: Vec<AnyId>,
}

statement!(Insert<'_>);
statement!(Delete);

impl QueryFragment<MultiBackend> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO timeline_entries (workspace_id, subject_id, kind, sorted_at, record_id) VALUES ",
        );
        separated(self.rows, ", ", &mut out, |(subject, kind, sorted_at), out| {
            out.push_sql("(");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(subject)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(kind)?;
            out.push_sql(", ");
            out.push_bind_param::<Instant, _>(sorted_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(&self.record)?;
            out.push_sql(")");
            Ok(())
        })
    }
}

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
