//! Reading operations, and noting how far they have come. How one is started is told in `db/write/operations.rs`.

use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::json;

use super::account_tx::AccountTx;
use super::db::sql::conn::Conn;
use super::db::sql::schema::operations;
use super::db::write::context::Actor;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::id::{OperationId, SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::job::NewJob;
use crate::domain::operation::{JOB, KEPT_DAYS, Operation};

pub use super::db::write::operations::{Head, Stored};

/// How many operations are listed.
pub const MAX_SHOWN: i64 = 100;

pub fn find(conn: &mut Conn, workspace: WorkspaceId, id: OperationId) -> Result<Head> {
    let own = operations::table.filter(operations::workspace_id.eq(workspace)).filter(operations::id.eq(id));
    Ok(own.select(Head::as_select()).first(conn)?)
}

/// The same within a transaction.
pub fn find_in(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId) -> Result<Head> {
    find(tx.conn, workspace, id)
}

/// An operation with its work, while the workspace is locked, so that nobody else changes it.
pub fn find_locked(tx: &mut Tx<'_>, id: OperationId) -> Result<Stored> {
    let own = operations::table.filter(operations::workspace_id.eq(tx.workspace)).filter(operations::id.eq(id));
    Ok(own.select(Stored::as_select()).first(tx.conn)?)
}

/// Changes an operation while the workspace is locked.
pub fn with_locked(
    tx: &mut AccountTx<'_>,
    workspace: WorkspaceId,
    id: OperationId,
    change: impl FnOnce(&mut Stored) -> Result<()>,
) -> Result<()> {
    tx.records(workspace, Actor::Job(JOB), |tx| {
        let mut operation = find_locked(tx, id)?;
        change(&mut operation)?;
        save(tx, &operation)
    })
}

/// The newest operations of a workspace.
pub fn newest(conn: &mut Conn, workspace: WorkspaceId) -> Result<Vec<Operation>> {
    let own = operations::table.filter(operations::workspace_id.eq(workspace));
    let newest: Vec<Head> =
        own.order(operations::id.desc()).limit(MAX_SHOWN).select(Head::as_select()).load(conn)?;
    Ok(newest.into_iter().map(Head::shown).collect())
}

/// Asks for an operation to be cancelled. One that has finished is left as it is. Its job may be dead, so there is another one,
/// up to one in each hour.
pub fn request_cancel(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: OperationId) -> Result<Operation> {
    let head = find(tx.conn, workspace, id)?;
    if head.finished_at.is_none() {
        let own = operations::table.filter(operations::workspace_id.eq(workspace)).filter(operations::id.eq(id));
        diesel::update(own).set(operations::cancel_requested.eq(true)).execute(tx.conn)?;
        let unique_key = Some(format!("{JOB}:{id}:{}", tx.now().instant().format("%Y-%m-%dT%H")));
        let job = NewJob { unique_key, ..NewJob::new(JOB, json!({ "operation": id })) };
        tx.enqueue(Some(workspace), job)?;
    }
    Ok(head.shown())
}

/// Forgets who started the operations of a user, who leaves the workspace.
pub(super) fn forget_user(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let nobody: Option<UserId> = None;
    let (no_token, no_session): (Option<TokenId>, Option<SessionId>) = (None, None);
    let own =
        operations::table.filter(operations::workspace_id.eq(workspace)).filter(operations::user_id.eq(user));
    let nothing =
        (operations::user_id.eq(nobody), operations::token_id.eq(no_token), operations::session_id.eq(no_session));
    diesel::update(own).set(nothing).execute(tx.conn)?;
    Ok(())
}

/// Writes how far an operation has come.
pub fn save(tx: &mut Tx<'_>, stored: &Stored) -> Result<()> {
    let Stored { head, work, position } = stored;
    let own = operations::table
        .filter(operations::workspace_id.eq(head.workspace_id))
        .filter(operations::id.eq(head.id));
    diesel::update(own)
        .set((
            operations::state.eq(head.state),
            operations::position.eq(position.clone()),
            operations::done.eq(head.done),
            operations::changed.eq(head.changed),
            operations::left_alone.eq(head.left_alone.clone()),
            operations::left_alone_total.eq(head.left_alone_total),
            operations::error.eq(head.error.clone()),
            operations::updated_at.eq(tx.now()),
            operations::finished_at.eq(head.finished_at),
        ))
        .execute(tx.conn)?;
    // Long, and the same until the end.
    if head.finished_at.is_some() {
        diesel::update(own).set(operations::work.eq(work.clone())).execute(tx.conn)?;
    }
    Ok(())
}

/// Removes up to `limit` operations that finished long ago; how many.
pub(super) fn purge(tx: &mut AccountTx<'_>, limit: i64) -> Result<usize> {
    let end = tx.now().minus(TimeDelta::days(KEPT_DAYS));
    let old: Vec<(WorkspaceId, OperationId)> = operations::table
        .filter(operations::finished_at.le(end))
        .order(operations::finished_at.asc())
        .select((operations::workspace_id, operations::id))
        .limit(limit)
        .load(tx.conn)?;
    for (workspace, id) in &old {
        let one = operations::table.filter(operations::workspace_id.eq(workspace)).filter(operations::id.eq(id));
        diesel::delete(one).execute(tx.conn)?;
    }
    Ok(old.len())
}
