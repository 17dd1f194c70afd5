//! All SQL lives here, and nothing of HTTP: the database behind two doors for writing and one for reading.

pub mod accounts;
pub mod contacts;
pub mod db;
mod derived;
pub mod duplicate_dismissals;
pub mod duplicates;
mod error;
mod joint;
mod labels;
pub mod lists;
pub mod matches;
pub mod merging;
pub mod needs;
pub mod organizations;
pub mod positions;
pub mod profile;
pub mod purge;
pub mod relations;
pub mod relationships;
pub mod search;
pub mod sessions;
pub mod tags;
pub mod tokens;

use diesel::connection::SimpleConnection;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

use crate::clock::{Clock, Ids};
use crate::domain::id::{UserId, WorkspaceId};
use crate::domain::timestamp::Timestamp;

use self::db::conn::{Conn, ConnPool, Manager, pool, write_transaction};
use self::db::idempotency;
use self::db::migrations::{self, Instance};
use self::joint::Joint;

pub use self::db::changes;
pub use self::db::checks::Precondition;
pub use self::db::conn::Address;
pub use self::db::idempotency::{IdempotencyKey, KEPT_HOURS as IDEMPOTENCY_HOURS, Outcome, Reply};
pub use self::db::migrations::OpenError;
pub use self::db::record::Record;
pub use self::db::revert::{Action, Reverted};
pub use self::db::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select};
pub use self::db::types::AnyId;
pub use self::db::write::{Actor, Tx, UNDO_DAYS};
pub use self::error::{Conflict, Error, LeftAlone, LeftAloneReason, Result};
pub use self::joint::{Ending, Joined};

/// Where the database is, and how hard it may be used.
#[derive(Debug, Clone)]
pub struct Settings {
    pub address: Address,
    /// Connections that read; on PostgreSQL those that write as well.
    pub pool_size: u32,
    /// How long a request waits for a connection before it is told to come again.
    pub pool_timeout: Duration,
    /// How long SQLite waits for a lock.
    pub busy_timeout: Duration,
}

/// Who is at work, in which workspace, and under which Idempotency-Key.
#[derive(Debug, Clone)]
pub struct Who {
    pub workspace: WorkspaceId,
    pub actor: Actor,
    pub idempotency: Option<IdempotencyKey>,
}

impl Who {
    pub const fn user(&self) -> UserId {
        self.actor.user
    }
}

/// The database, shared by everything that runs.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    readers: Arc<Lane>,
    /// On PostgreSQL the same as `readers`.
    writers: Arc<Lane>,
    clock: Arc<dyn Clock>,
    ids: Ids,
    instance: Instance,
    /// Held as long as the process has the SQLite file.
    _lock: Option<std::fs::File>,
}

/// A pool, and the queue of those who wait for it; first come, first served.
struct Lane {
    pool: ConnPool,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl Lane {
    fn new(settings: &Settings, size: u32) -> Self {
        let manager = Manager { address: settings.address.clone(), busy_timeout: settings.busy_timeout };
        Self {
            pool: pool(manager, size, settings.pool_timeout),
            places: Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1))),
            timeout: settings.pool_timeout,
        }
    }

    /// Runs the work on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waited = tokio::time::timeout(self.timeout, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = waited else { return Err(Error::Busy("no connection came free".to_owned())) };
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut conn = pool.get().map_err(|error| Error::Busy(error.to_string()))?;
            work(&mut conn)
        });
        match done.await {
            Ok(result) => result,
            Err(error) => Err(Error::Internal(format!("the work on the database ended early: {error}"))),
        }
    }
}

impl Store {
    /// Opens the database, brings it up to date and makes sure that it is ours. Blocks.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> std::result::Result<Self, OpenError> {
        let ids = Ids::new();
        let lock = migrations::claim(&settings.address)?;
        let manager = Manager { address: settings.address.clone(), busy_timeout: settings.busy_timeout };
        let instance = migrations::prepare(&manager, &ids)?;
        let mut conn = manager.open().map_err(|error| OpenError::Connect(error.to_string()))?;
        derived::bring_up_to_date(&mut conn, &ids, Timestamp::new(clock.now()))
            .map_err(|error| OpenError::Migrate(error.to_string()))?;
        drop(conn);
        let readers = Arc::new(Lane::new(settings, settings.pool_size));
        let writers = match settings.address {
            // With 8 threads writing, one pool had a worst case of 2 s, a writer pool of one 48 ms.
            Address::Sqlite(_) => Arc::new(Lane::new(settings, 1)),
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
        who: Who,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    ) -> Result<Outcome> {
        if let Some(joint) = Joint::current() {
            return joint.write(who, work).await;
        }
        let store = self.clone();
        let now = self.now();
        let run = move |conn: &mut Conn| {
            write_transaction(conn, |conn| {
                let Who { workspace, actor, idempotency } = who;
                let mut tx = Tx::begin(conn, &store.0.ids, now, workspace, actor)?;
                if let Some(kept) = idempotency::find(tx.conn, workspace, actor.user, idempotency.as_ref(), now)? {
                    return Ok(kept);
                }
                let reply = work(&mut tx)?;
                idempotency::keep(tx.conn, workspace, actor.user, idempotency.as_ref(), now, &reply)?;
                tx.finish()?;
                Ok(Outcome { reply, replayed: false })
            })
        };
        self.0.writers.run(run).await
    }

    /// Does the work to see what comes of it, and takes all of it back. Nothing is kept under an Idempotency-Key.
    pub async fn rehearse(
        &self,
        who: Who,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    ) -> Result<Outcome> {
        if let Some(joint) = Joint::current() {
            return joint.write(who, |tx| tx.rehearse(work)).await;
        }
        let store = self.clone();
        let now = self.now();
        let run = move |conn: &mut Conn| {
            // The whole transaction is rolled back: SQLite takes a statement's journal within a savepoint to pieces step by
            // step, so that a rehearsal of ten thousand would take minutes.
            let rehearsed = write_transaction(conn, |conn| -> std::result::Result<(), Rehearsed> {
                let mut tx = Tx::begin(conn, &store.0.ids, now, who.workspace, who.actor)?;
                Err(work(&mut tx).map_or_else(Rehearsed::Failed, Rehearsed::Done))
            });
            match rehearsed {
                Err(Rehearsed::Done(reply)) => Ok(Outcome { reply, replayed: false }),
                Err(Rehearsed::Failed(error)) => Err(error),
                Ok(()) => Err(Error::Internal("a rehearsal was not taken back".to_owned())),
            }
        };
        self.0.writers.run(run).await
    }

    /// After something was erased for good: on SQLite the log of recent writes still holds it until it is written back.
    /// A failure is no reason to tell that nothing was erased; the next checkpoint does it.
    pub async fn write_back(&self) {
        if let Some(joint) = Joint::current() {
            return joint.write_back();
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
    pub async fn kept_reply(&self, who: &Who) -> Result<Option<Outcome>> {
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
            write_transaction(conn, |conn| work(&mut AccountTx { conn, ids: &store.0.ids, now }))
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

/// A write to the accounts in progress.
pub struct AccountTx<'c> {
    pub(in crate::store) conn: &'c mut Conn,
    ids: &'c Ids,
    now: Timestamp,
}

impl AccountTx<'_> {
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ids.uuid(self.now.instant())
    }

    /// Records of a workspace, written in this same transaction.
    pub fn records<T>(
        &mut self,
        workspace: WorkspaceId,
        actor: Actor,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tx = Tx::begin(self.conn, self.ids, self.now, workspace, actor)?;
        let value = work(&mut tx)?;
        tx.finish()?;
        Ok(value)
    }

    /// Does the work unless a reply to the same request is kept; writes of a workspace wait for one another here too.
    pub fn once(&mut self, who: &Who, work: impl FnOnce(&mut Self) -> Result<Reply>) -> Result<Outcome> {
        let (user, key) = (who.user(), who.idempotency.as_ref());
        Tx::begin(self.conn, self.ids, self.now, who.workspace, who.actor)?;
        if let Some(kept) = idempotency::find(self.conn, who.workspace, user, key, self.now)? {
            return Ok(kept);
        }
        let reply = work(self)?;
        idempotency::keep(self.conn, who.workspace, user, key, self.now, &reply)?;
        Ok(Outcome { reply, replayed: false })
    }
}

/// What is stored of a secret that is only ever compared.
pub fn hash_of_secret(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
