//! The rows of join tables, derived from the lists of references in a record at every write.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};

use crate::domain::id::WorkspaceId;
use crate::domain::reference::{REFERENCES, Reference};
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::statement::{separated, statement};
use crate::store::db::sql::types::{AnyId, Id};

/// How many rows one statement writes, each with three values; SQLite takes 32,766.
const ROWS_AT_ONCE: usize = 500;

/// The list of one record: what it held, and what it holds.
pub(super) struct ListChange {
    pub own: AnyId,
    pub before: Vec<AnyId>,
    pub after: Vec<AnyId>,
}

/// Makes the rows of lists what these hold.
pub(super) fn write(
    conn: &mut Conn,
    workspace: WorkspaceId,
    reference: &Reference,
    changes: impl IntoIterator<Item = ListChange>,
) -> QueryResult<()> {
    let Some(table) = reference.join else { return Ok(()) };
    let (own_column, column) = (&*reference.own_column(), reference.column);
    let unlike = |own: AnyId, ids: &[AnyId], others: &[AnyId]| -> Vec<(AnyId, AnyId)> {
        ids.iter().filter(|id| !others.contains(id)).map(|id| (own, *id)).collect()
    };
    let mut come = Vec::new();
    for ListChange { own, before, after } in changes {
        for rows in unlike(own, &before, &after).chunks(ROWS_AT_ONCE) {
            Delete(Rows { table, own_column, column, workspace, rows }).execute(conn)?;
        }
        come.extend(unlike(own, &after, &before));
    }
    for rows in come.chunks(ROWS_AT_ONCE) {
        Insert(Rows { table, own_column, column, workspace, rows }).execute(conn)?;
    }
    Ok(())
}

/// Deletes the rows of every join table of a workspace that is erased.
pub(in crate::store) fn delete_all(conn: &mut Conn, workspace: WorkspaceId) -> QueryResult<()> {
    for table in REFERENCES.iter().filter_map(|reference| reference.join) {
        All { table, workspace }.execute(conn)?;
    }
    Ok(())
}

/// Some rows: the record with the list, and one of those that it holds.
struct Rows<'a> {
    table: &'static str,
    own_column: &'a str,
    column: &'static str,
    workspace: WorkspaceId,
    rows: &'a [(AnyId, AnyId)],
}

struct Insert<'a>(Rows<'a>);

/// All of these are of one record.
struct Delete<'a>(Rows<'a>);

struct All {
    table: &'static str,
    workspace: WorkspaceId,
}

statement!(Insert<'_>);
statement!(Delete<'_>);
statement!(All);

impl QueryFragment<MultiBackend> for Delete<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Rows { table, own_column, column, workspace, rows } = &self.0;
        out.push_sql("DELETE FROM ");
        out.push_identifier(table)?;
        out.push_sql(" WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(workspace)?;
        if let Some((own, _)) = rows.first() {
            out.push_sql(" AND ");
            out.push_identifier(own_column)?;
            out.push_sql(" = ");
            out.push_bind_param::<Id, _>(own)?;
        }
        out.push_sql(" AND ");
        out.push_identifier(column)?;
        out.push_sql(" IN (");
        separated(rows, ", ", &mut out, |(_, id), out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Rows { table, own_column, column, workspace, rows } = &self.0;
        out.push_sql("INSERT INTO ");
        out.push_identifier(table)?;
        out.push_sql(" (workspace_id, ");
        out.push_identifier(own_column)?;
        out.push_sql(", ");
        out.push_identifier(column)?;
        out.push_sql(") VALUES ");
        separated(rows, ", ", &mut out, |(own, id), out| {
            out.push_sql("(");
            out.push_bind_param::<Id, _>(workspace)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(own)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(id)?;
            out.push_sql(")");
            Ok(())
        })
    }
}

impl QueryFragment<MultiBackend> for All {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("DELETE FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)
    }
}
