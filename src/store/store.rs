//! The database behind two doors for writing and one for reading. No query lives here.

use diesel::connection::SimpleConnection;
use secrecy::SecretString;
use std::sync::Arc;

use super::account_tx::AccountTx;
use super::db::sql::conn::{Address, Conn, write_transaction};
use super::db::sql::migrations::{self, Instance, OpenError};
use super::db::sql::pool::{PoolQueue, Settings};
use super::db::write::context::WriteContext;
use super::db::write::idempotency::{self, Outcome, Reply};
use super::db::write::settle::finish;
use super::db::write::tx::Tx;
use super::derived;
use super::error::{Error, Result};
use super::joint::Joint;
use crate::clock::{Clock, Ids};
use crate::domain::timestamp::Timestamp;

/// The database, shared by everything that runs.
#[derive(Clone)]
pub struct Store(pub(in crate::store) Arc<Inner>);

pub(in crate::store) struct Inner {
    pub readers: Arc<PoolQueue>,
    /// On PostgreSQL the same as `readers`.
    pub writers: Arc<PoolQueue>,
    clock: Arc<dyn Clock>,
    pub ids: Ids,
    instance: Instance,
    /// Held as long as the process has the SQLite file.
    _lock: Option<std::fs::File>,
}

impl Store {
    /// Opens the database, brings it up to date and makes sure that it is ours. Blocks.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> std::result::Result<Self, OpenError> {
        let ids = Ids::new();
        let lock = migrations::claim(&settings.address)?;
        let manager = settings.manager();
        let instance = migrations::prepare(&manager, &ids)?;
        let mut conn = manager.open().map_err(|error| OpenError::Connect(error.to_string()))?;
        derived::bring_up_to_date(&mut conn, &ids, Timestamp::new(clock.now()))
            .map_err(|error| OpenError::Migrate(error.to_string()))?;
        drop(conn);
        let readers = Arc::new(PoolQueue::new(settings, settings.pool_size));
        let writers = match settings.address {
            // With 8 threads writing, one pool had a worst case of 2 s, a writer pool of one 48 ms.
            Address::Sqlite(_) => Arc::new(PoolQueue::new(settings, 1)),
            Address::Postgres(_) => readers.clone(),
        };
        Ok(Self(Arc::new(Inner { readers, writers, clock, ids, instance, _lock: lock })))
    }

    /// Part of every ETag and cursor: tags of another database never match.
    pub fn epoch(&self) -> &str {
        &self.0.instance.epoch
    }

    /// The key that servers on one PostgreSQL database share; none on SQLite.
    pub fn shared_signing_key(&self) -> Option<&SecretString> {
        self.0.instance.signing_key.as_ref()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::new(self.0.clock.now())
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> uuid::Uuid {
        self.0.ids.uuid(self.0.clock.now())
    }

    /// Random bytes, fit for tokens.
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.ids.fill(&mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(bytes)
    }

    /// Reads.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match Joint::current() {
            Some(joint) => joint.read(work).await,
            None => self.0.readers.run(work).await,
        }
    }

    /// The door for the records that clients sync. Everything the closure does through its `Tx` commits together with
    /// the log of changes and, where a key was sent, with the reply that is replayed under it.
    pub async fn write(
        &self,
        who: WriteContext,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    ) -> Result<Outcome> {
        if let Some(joint) = Joint::current() {
            return joint.write(who, work).await;
        }
        let store = self.clone();
        let now = self.now();
        let run = move |conn: &mut Conn| {
            write_transaction(conn, |conn| {
                let WriteContext { workspace, actor, idempotency } = who;
                let mut tx = Tx::begin(conn, &store.0.ids, now, workspace, actor)?;
                if let Some(kept) = idempotency::find(tx.conn, workspace, actor.user, idempotency.as_ref(), now)? {
                    return Ok(kept);
                }
                let reply = work(&mut tx)?;
                idempotency::keep(tx.conn, workspace, actor.user, idempotency.as_ref(), now, &reply)?;
                finish(tx)?;
                Ok(Outcome { reply, replayed: false })
            })
        };
        self.0.writers.run(run).await
    }

    /// Does the work to see what comes of it, and takes all of it back. Nothing is kept under an Idempotency-Key.
    pub async fn dry_run(
        &self,
        who: WriteContext,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    ) -> Result<Outcome> {
        if let Some(joint) = Joint::current() {
            return joint.write(who, |tx| tx.dry_run(work)).await;
        }
        let store = self.clone();
        let now = self.now();
        let run = move |conn: &mut Conn| {
            // The whole transaction is rolled back: SQLite takes a statement's journal within a savepoint to pieces step by
            // step, so that a rehearsal of ten thousand would take minutes.
            let dry_rund = write_transaction(conn, |conn| -> std::result::Result<(), Rehearsed> {
                let mut tx = Tx::begin(conn, &store.0.ids, now, who.workspace, who.actor)?;
                Err(work(&mut tx).map_or_else(Rehearsed::Failed, Rehearsed::Done))
            });
            match dry_rund {
                Err(Rehearsed::Done(reply)) => Ok(Outcome { reply, replayed: false }),
                Err(Rehearsed::Failed(error)) => Err(error),
                Ok(()) => Err(Error::Internal("a rehearsal was not taken back".to_owned())),
            }
        };
        self.0.writers.run(run).await
    }

    /// After something was erased for good: on SQLite the log of recent writes still holds it until it is written back.
    /// A failure is no reason to tell that nothing was erased; the next checkpoint does it.
    pub async fn checkpoint_wal(&self) {
        if let Some(joint) = Joint::current() {
            return joint.checkpoint_wal();
        }
        let run = |conn: &mut Conn| {
            if let Conn::Sqlite(conn) = conn {
                conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
            }
            Ok(())
        };
        if let Err(error) = self.0.writers.run(run).await {
            tracing::warn!(%error, "could not write back what was erased");
        }
    }

    /// The reply kept under the Idempotency-Key, if there is one.
    pub async fn kept_reply(&self, who: &WriteContext) -> Result<Option<Outcome>> {
        let who = who.clone();
        self.account_write(move |tx| {
            idempotency::find(tx.conn, who.workspace, who.user(), who.idempotency.as_ref(), tx.now)
        })
        .await
    }

    /// The door for what is not synced: users, sessions, tokens. No sequence, no change. It is closed within a joint
    /// transaction, which is of one workspace.
    pub async fn account_write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if Joint::current().is_some() {
            return Err(Error::Internal("a write to the accounts within a joint transaction".to_owned()));
        }
        let store = self.clone();
        let now = self.now();
        let run = move |conn: &mut Conn| {
            write_transaction(conn, |conn| work(&mut AccountTx::new(conn, &store.0.ids, now)))
        };
        self.0.writers.run(run).await
    }
}

/// How a rehearsal ends: never with a commit.
enum Rehearsed {
    Done(Reply),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Rehearsed {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
