//! What is no longer kept: replies after 24 hours, before-images after 30 days, tombstones after 180,
//! finished jobs after a week, finished operations after 30 days, notifications after 90.

use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::BTreeMap;

use super::account_tx::AccountTx;
use super::db::sql::schema::{changes, refresh_tokens, sessions, workspaces};
use super::db::sql::types::{AnyId, AsJson};
use super::db::write::idempotency::{self, KEPT_HOURS};
use super::db::write::tx::UNDO_DAYS;
use super::error::Result;
use super::jobs;
use super::notifications;
use super::operations;
use super::password_resets;
use super::sessions::end_session;
use crate::domain::entity::Entity;
use crate::domain::id::{SessionId, WorkspaceId};
use crate::domain::timestamp::Timestamp;

/// How long a client may stay away and still learn of every delete.
pub const TOMBSTONE_DAYS: i64 = 180;

/// A refresh token that was spent this long ago is no sign of theft any more.
const SPENT_TOKEN_DAYS: i64 = 60;
/// How much one transaction removes of each kind, so that nobody waits long for it.
const BATCH: i64 = 1_000;

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    pub idempotency_keys: usize,
    pub before_images: usize,
    pub tombstones: usize,
    pub sessions: usize,
    pub refresh_tokens: usize,
    pub jobs: usize,
    pub operations: usize,
    pub notifications: usize,
    pub password_resets: usize,
}

impl Purged {
    /// Whether there may be more to remove.
    pub fn is_partial(&self) -> bool {
        let Self {
            idempotency_keys,
            before_images,
            tombstones,
            sessions,
            refresh_tokens,
            jobs,
            operations,
            notifications,
            password_resets,
        } = *self;
        let records = [idempotency_keys, before_images, tombstones, jobs, operations, notifications];
        let of_accounts = [sessions, refresh_tokens, password_resets];
        let full = usize::try_from(BATCH).unwrap_or(usize::MAX);
        records.iter().chain(&of_accounts).any(|count| *count >= full)
    }
}

/// Removes a batch of what is past its time. Doing it twice, or on two servers at once, does no harm.
pub fn purge(tx: &mut AccountTx<'_>) -> Result<Purged> {
    let now = tx.now();
    Ok(Purged {
        tombstones: purge_tombstones(tx, now.minus(TimeDelta::days(TOMBSTONE_DAYS)))?,
        before_images: purge_before_images(tx, now.minus(TimeDelta::days(UNDO_DAYS)))?,
        idempotency_keys: idempotency::purge(tx.conn, now.minus(TimeDelta::hours(KEPT_HOURS)), BATCH)?,
        sessions: purge_sessions(tx, now)?,
        refresh_tokens: purge_refresh_tokens(tx, now.minus(TimeDelta::days(SPENT_TOKEN_DAYS)))?,
        jobs: jobs::purge(tx, BATCH)?,
        operations: operations::purge(tx, BATCH)?,
        notifications: notifications::purge(tx, BATCH)?,
        password_resets: password_resets::purge(tx, BATCH)?,
    })
}

fn purge_before_images(tx: &mut AccountTx<'_>, end: Timestamp) -> Result<usize> {
    let old: Vec<(WorkspaceId, i64)> = changes::table
        .filter(changes::at.le(end))
        .filter(changes::before.is_not_null())
        .select((changes::workspace_id, changes::seq))
        .limit(BATCH)
        .load(tx.conn)?;
    for (workspace, seq) in &old {
        let own = changes::table.filter(changes::workspace_id.eq(workspace)).filter(changes::seq.eq(seq));
        let nothing: Option<AsJson<serde_json::Value>> = None;
        diesel::update(own).set(changes::before.eq(nothing)).execute(tx.conn)?;
    }
    Ok(old.len())
}

/// A purged tombstone takes along what the log holds of the record's life before it. The workspace remembers the
/// newest one, so that a reader who was away too long is told to start afresh.
fn purge_tombstones(tx: &mut AccountTx<'_>, end: Timestamp) -> Result<usize> {
    let old: Vec<(WorkspaceId, i64, Entity, AnyId)> = changes::table
        // A word of SQL, not a value: so it is the condition of the index.
        .filter(sql::<Bool>("op = 'deleted'"))
        // Its id goes on to lead to the record it lives on in.
        .filter(changes::merged_into_id.is_null())
        .filter(changes::at.le(end))
        .select((changes::workspace_id, changes::seq, changes::entity, changes::record_id))
        .limit(BATCH)
        .load(tx.conn)?;
    let mut newest: BTreeMap<WorkspaceId, i64> = BTreeMap::new();
    for (workspace, seq, _, _) in &old {
        let known = newest.entry(*workspace).or_insert(*seq);
        *known = (*known).max(*seq);
    }
    // First the lock that every write of the workspace takes first too.
    for (workspace, seq) in newest {
        let own = workspaces::table.filter(workspaces::id.eq(workspace));
        let known: i64 = diesel::update(own)
            .set(workspaces::purged_seq.eq(workspaces::purged_seq))
            .returning(workspaces::purged_seq)
            .get_result(tx.conn)?;
        diesel::update(own).set(workspaces::purged_seq.eq(known.max(seq))).execute(tx.conn)?;
    }
    for (workspace, seq, entity, record) in &old {
        let life = changes::table
            .filter(changes::workspace_id.eq(workspace))
            .filter(changes::record_id.eq(record))
            .filter(changes::entity.eq(entity))
            .filter(changes::seq.le(seq));
        diesel::delete(life).execute(tx.conn)?;
    }
    Ok(old.len())
}

fn purge_sessions(tx: &mut AccountTx<'_>, now: Timestamp) -> Result<usize> {
    let ended: Vec<(WorkspaceId, SessionId)> = sessions::table
        .filter(sessions::expires_at.le(now))
        .select((sessions::workspace_id, sessions::id))
        .limit(BATCH)
        .load(tx.conn)?;
    for (workspace, session) in &ended {
        end_session(tx, *workspace, *session)?;
    }
    Ok(ended.len())
}

fn purge_refresh_tokens(tx: &mut AccountTx<'_>, end: Timestamp) -> Result<usize> {
    let old: Vec<(WorkspaceId, AnyId)> = refresh_tokens::table
        .filter(refresh_tokens::spent_at.le(end))
        .select((refresh_tokens::workspace_id, refresh_tokens::id))
        .limit(BATCH)
        .load(tx.conn)?;
    for (workspace, token) in &old {
        let own = refresh_tokens::table
            .filter(refresh_tokens::workspace_id.eq(workspace))
            .filter(refresh_tokens::id.eq(token));
        diesel::delete(own).execute(tx.conn)?;
    }
    Ok(old.len())
}
