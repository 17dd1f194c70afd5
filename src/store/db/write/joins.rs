//! The rows of join tables, derived from the lists of references in a record at every write.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};

use crate::domain::id::WorkspaceId;
use crate::domain::reference::{REFERENCES, Reference};
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::select::separated;
use crate::store::db::sql::statement::statement;
use crate::store::db::sql::types::{AnyId, Id};

/// How many rows one statement writes, each with three values; SQLite takes 32,766.
const ROWS_AT_ONCE: usize = 500;

/// Makes the rows of a record's list what the list holds. `before` is what they are.
pub(super) fn write(
    conn: &mut Conn,
    workspace: WorkspaceId,
    reference: &Reference,
    own: AnyId,
    before: &[AnyId],
    after: &[AnyId],
) -> QueryResult<()> {
    let Some(table) = reference.join else { return Ok(()) };
    let own_column = reference.own_column();
    let rows = |ids: &[AnyId], others: &[AnyId]| -> Vec<AnyId> {
        ids.iter().filter(|id| !others.contains(id)).copied().collect()
    };
    for ids in rows(before, after).chunks(ROWS_AT_ONCE) {
        Rows { table, own_column: &own_column, column: reference.column, workspace, own, ids, is_new: false }
            .execute(conn)?;
    }
    for ids in rows(after, before).chunks(ROWS_AT_ONCE) {
        Rows { table, own_column: &own_column, column: reference.column, workspace, own, ids, is_new: true }
            .execute(conn)?;
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

/// Some rows of one record, to be inserted or deleted.
struct Rows<'a> {
    table: &'static str,
    own_column: &'a str,
    column: &'static str,
    workspace: WorkspaceId,
    own: AnyId,
    ids: &'a [AnyId],
    is_new: bool,
}

struct All {
    table: &'static str,
    workspace: WorkspaceId,
}

statement!(Rows<'_>);
statement!(All);

impl QueryFragment<MultiBackend> for Rows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if !self.is_new {
            out.push_sql("DELETE FROM ");
            out.push_identifier(self.table)?;
            out.push_sql(" WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(" AND ");
            out.push_identifier(self.own_column)?;
            out.push_sql(" = ");
            out.push_bind_param::<Id, _>(&self.own)?;
            out.push_sql(" AND ");
            out.push_identifier(self.column)?;
            out.push_sql(" IN (");
            separated(self.ids, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
            out.push_sql(")");
            return Ok(());
        }
        out.push_sql("INSERT INTO ");
        out.push_identifier(self.table)?;
        out.push_sql(" (workspace_id, ");
        out.push_identifier(self.own_column)?;
        out.push_sql(", ");
        out.push_identifier(self.column)?;
        out.push_sql(") VALUES ");
        separated(self.ids, ", ", &mut out, |id, out| {
            out.push_sql("(");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(&self.own)?;
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
