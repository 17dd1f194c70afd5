//! What is no longer kept: replies after 24 hours, before-images after 30 days, tombstones after 180.

use chrono::TimeDelta;
use diesel::dsl::{exists, max};
use diesel::prelude::*;

use super::AccountTx;
use super::db::idempotency::KEPT_HOURS;
use super::db::schema::{changes, idempotency_keys, refresh_tokens, sessions, workspaces};
use super::db::types::AsJson;
use super::db::write::UNDO_DAYS;
use super::error::Result;
use crate::domain::entity::Op;
use crate::domain::id::WorkspaceId;
use crate::domain::timestamp::Timestamp;

/// How long a client may stay away and still learn of every delete.
pub const TOMBSTONE_DAYS: i64 = 180;

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    pub idempotency_keys: usize,
    pub before_images: usize,
    pub changes: usize,
    pub sessions: usize,
}

impl AccountTx<'_> {
    /// Removes what is past its time. Doing it twice, or on two servers at once, does no harm.
    pub fn purge(&mut self) -> Result<Purged> {
        let now = self.now;
        Ok(Purged {
            idempotency_keys: self.purge_replies(now.minus(TimeDelta::hours(KEPT_HOURS)))?,
            before_images: self.purge_before_images(now.minus(TimeDelta::days(UNDO_DAYS)))?,
            changes: self.purge_tombstones(now.minus(TimeDelta::days(TOMBSTONE_DAYS)))?,
            sessions: self.purge_sessions(now)?,
        })
    }

    fn purge_replies(&mut self, end: Timestamp) -> Result<usize> {
        let old = idempotency_keys::table.filter(idempotency_keys::created_at.le(end));
        Ok(diesel::delete(old).execute(self.conn)?)
    }

    fn purge_before_images(&mut self, end: Timestamp) -> Result<usize> {
        let old = changes::table.filter(changes::at.le(end)).filter(changes::before.is_not_null());
        let nothing: Option<AsJson<serde_json::Value>> = None;
        Ok(diesel::update(old).set(changes::before.eq(nothing)).execute(self.conn)?)
    }

    /// A purged tombstone takes along what the log holds of the record's life before it. The workspace remembers the
    /// newest one, so that a reader who was away too long is told to start afresh.
    fn purge_tombstones(&mut self, end: Timestamp) -> Result<usize> {
        let purged: Vec<(WorkspaceId, Option<i64>)> = changes::table
            .filter(changes::op.eq(Op::Deleted))
            .filter(changes::at.le(end))
            .group_by(changes::workspace_id)
            .select((changes::workspace_id, max(changes::seq)))
            .load(self.conn)?;
        let mut removed = 0;
        for (workspace, newest) in purged {
            let Some(newest) = newest else { continue };
            // The lock that every write of the workspace takes first.
            diesel::update(workspaces::table.filter(workspaces::id.eq(workspace)))
                .set(workspaces::purged_seq.eq(newest))
                .execute(self.conn)?;
            let tombstone = diesel::alias!(changes as tombstone);
            let later_tombstone = tombstone
                .filter(tombstone.field(changes::workspace_id).eq(changes::workspace_id))
                .filter(tombstone.field(changes::record_id).eq(changes::record_id))
                .filter(tombstone.field(changes::op).eq(Op::Deleted))
                .filter(tombstone.field(changes::at).le(end))
                .filter(tombstone.field(changes::seq).ge(changes::seq));
            let numbers: Vec<i64> = changes::table
                .filter(changes::workspace_id.eq(workspace))
                .filter(changes::seq.le(newest))
                .filter(exists(later_tombstone.select(tombstone.field(changes::seq))))
                .select(changes::seq)
                .load(self.conn)?;
            for some in numbers.chunks(500) {
                let old = changes::table
                    .filter(changes::workspace_id.eq(workspace))
                    .filter(changes::seq.eq_any(some.to_vec()));
                removed += diesel::delete(old).execute(self.conn)?;
            }
        }
        Ok(removed)
    }

    fn purge_sessions(&mut self, now: Timestamp) -> Result<usize> {
        let ended: Vec<_> = sessions::table
            .filter(sessions::expires_at.le(now))
            .select((sessions::workspace_id, sessions::id))
            .load::<(WorkspaceId, crate::domain::id::SessionId)>(self.conn)?;
        for (workspace, session) in &ended {
            let tokens = refresh_tokens::table
                .filter(refresh_tokens::workspace_id.eq(workspace))
                .filter(refresh_tokens::session_id.eq(session));
            diesel::delete(tokens).execute(self.conn)?;
            let own =
                sessions::table.filter(sessions::workspace_id.eq(workspace)).filter(sessions::id.eq(session));
            diesel::delete(own).execute(self.conn)?;
        }
        Ok(ended.len())
    }
}
