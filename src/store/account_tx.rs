//! A write to what clients do not sync: users, sessions, tokens, and records of a workspace along with them. No query lives
//! here.

use std::collections::BTreeSet;

use super::db::sql::conn::Conn;
use super::db::write::context::{Actor, Quotas, TxScope, WriteContext};
use super::db::write::enqueue::enqueue;
use super::db::write::idempotency::{self, Outcome, Reply};
use super::db::write::settle::finish;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::id::{JobId, WorkspaceId};
use crate::domain::job::NewJob;
use crate::domain::timestamp::Timestamp;

/// A write to the accounts in progress.
pub struct AccountTx<'c> {
    pub conn: &'c mut Conn,
    scope: &'c TxScope<'c>,
    pub(in crate::store) now: Timestamp,
}

impl<'c> AccountTx<'c> {
    pub(in crate::store) const fn new(conn: &'c mut Conn, scope: &'c TxScope<'c>) -> Self {
        Self { conn, scope, now: scope.now }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How much an account may have.
    pub(in crate::store) const fn quotas(&self) -> Quotas {
        self.scope.quotas
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> uuid::Uuid {
        self.scope.ids.uuid(self.now.instant())
    }

    /// Enqueues a job; it exists once this is committed. `None` if its unique key is taken.
    pub fn enqueue(&mut self, workspace: Option<WorkspaceId>, job: NewJob) -> Result<Option<JobId>> {
        enqueue(self.conn, self.scope, workspace, job)
    }

    /// Records of a workspace, written in this same transaction.
    pub fn records<T>(
        &mut self,
        workspace: WorkspaceId,
        actor: Actor,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tx = Tx::begin(self.conn, self.scope, workspace, actor)?;
        let value = work(&mut tx)?;
        finish(tx)?;
        Ok(value)
    }

    /// The same, as a part of the write of this number.
    pub fn part_of_write<T>(
        &mut self,
        workspace: WorkspaceId,
        actor: Actor,
        number: i64,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tx = Tx::begin(self.conn, self.scope, workspace, actor)?.part_of(number);
        let value = work(&mut tx)?;
        finish(tx)?;
        Ok(value)
    }

    /// Does the work unless a reply to the same request is kept; writes of a workspace wait for one another here too.
    pub fn once(&mut self, who: &WriteContext, work: impl FnOnce(&mut Self) -> Result<Reply>) -> Result<Outcome> {
        Tx::begin(self.conn, self.scope, who.workspace, who.actor)?;
        if let Some(kept) = idempotency::find(self.conn, who, self.now)? {
            return Ok(kept);
        }
        let reply = work(self)?;
        idempotency::keep(self.conn, who, &self.scope.quotas, self.now, &BTreeSet::new(), &reply)?;
        Ok(Outcome { reply, replayed: false })
    }
}
