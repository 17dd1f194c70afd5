//! The database behind two doors for writing and one for reading. No query lives here.

use diesel::connection::SimpleConnection;
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

use super::account_tx::AccountTx;
use super::accounts;
use super::db::sql::conn::{Address, Conn, write_transaction};
use super::db::sql::lines::Lines;
use super::db::sql::migrations::{self, Instance, OpenError};
use super::db::sql::pool::{Effect, PoolLoad, PoolQueue, Settings};
use super::db::write::answer::{Answer, conclude, render_record};
use super::db::write::context::{Quotas, TxScope, WriteContext};
use super::db::write::idempotency::{self, Outcome, Reply};
use super::db::write::tx::Tx;
use super::derived;
use super::error::{Error, Result};
use crate::clock::{Clock, Ids};
use crate::domain::id::WorkspaceId;
use crate::domain::timestamp::Timestamp;

/// The database, shared by everything that runs.
#[derive(Clone)]
pub struct Store(pub(in crate::store) Arc<Inner>);

pub(in crate::store) struct Inner {
    pub readers: Arc<PoolQueue>,
    /// On PostgreSQL the same as `readers`.
    pub writers: Arc<PoolQueue>,
    lines: Lines,
    /// One connection, to see whether the database responds.
    probe: Arc<PoolQueue>,
    clock: Arc<dyn Clock>,
    pub ids: Ids,
    quotas: Quotas,
    instance: Instance,
    /// Told when a job was enqueued.
    jobs_enqueued: Arc<Notify>,
    /// How many changes this process has logged.
    changes: Arc<AtomicU64>,
    /// Held as long as the process has the SQLite file.
    lock: Option<Arc<std::fs::File>>,
}

impl Store {
    /// Opens the database, brings it up to date and makes sure that it is ours. Blocks.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> std::result::Result<Self, OpenError> {
        let ids = Ids::new();
        let lock = migrations::claim(&settings.address)?;
        let manager = settings.manager();
        let instance = migrations::prepare(&manager, &ids)?;
        let mut conn = manager.open().map_err(|error| OpenError::Connect(error.to_string()))?;
        derived::bring_up_to_date(&mut conn, &ids, settings.quotas, Timestamp::new(clock.now()))
            .map_err(|error| OpenError::Migrate(error.to_string()))?;
        drop(conn);
        let readers = Arc::new(PoolQueue::new(settings, settings.pool_size));
        let writers = match settings.address {
            // With 8 threads writing, one pool had a worst case of 2 s, a writer pool of one 48 ms.
            Address::Sqlite(_) => Arc::new(PoolQueue::new(settings, 1)),
            Address::Postgres(_) => readers.clone(),
        };
        let quickly = Settings { pool_timeout: PROBE_TIMEOUT, work_timeout: PROBE_TIMEOUT, ..settings.clone() };
        Ok(Self(Arc::new(Inner {
            readers,
            writers,
            lines: Lines::new(settings.pool_timeout),
            probe: Arc::new(PoolQueue::new(&quickly, 1)),
            clock,
            ids,
            quotas: settings.quotas,
            instance,
            jobs_enqueued: Arc::new(Notify::new()),
            changes: Arc::default(),
            lock: lock.map(Arc::new),
        })))
    }

    /// The same database at another time and with other ids: for what is made up.
    pub fn as_of(&self, clock: Arc<dyn Clock>, ids: Ids) -> Self {
        let Inner {
            readers,
            writers,
            lines,
            probe,
            clock: _,
            ids: _,
            quotas,
            instance,
            jobs_enqueued,
            changes,
            lock,
        } = &*self.0;
        Self(Arc::new(Inner {
            readers: readers.clone(),
            writers: writers.clone(),
            lines: lines.clone(),
            probe: probe.clone(),
            clock,
            ids,
            quotas: *quotas,
            instance: instance.clone(),
            jobs_enqueued: jobs_enqueued.clone(),
            changes: changes.clone(),
            lock: lock.clone(),
        }))
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

    /// What all parts of one transaction share.
    pub(super) fn scope(&self, now: Timestamp) -> TxScope<'_> {
        TxScope::new(&self.0.ids, self.0.quotas, now)
    }

    /// Reads in one transaction, or several.
    pub(super) async fn run_read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.readers.run(Effect::None, work).await
    }

    /// Writes in a workspace, when its turn comes.
    pub(super) async fn run_write<T: Send + 'static>(
        &self,
        workspace: WorkspaceId,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.0.lines.wait(workspace).await?;
        let run = move |conn: &mut Conn| {
            let done = work(conn);
            drop(turn);
            done
        };
        self.0.writers.run(Effect::Unknown, run).await
    }

    /// After a transaction: wakes the workers if it enqueued a job, and counts its changes if it was committed.
    pub(super) fn after_transaction(&self, scope: &TxScope<'_>, is_committed: bool) {
        if scope.has_enqueued.get() {
            self.wake_workers();
        }
        if is_committed {
            self.0.changes.fetch_add(scope.changes.get(), Ordering::Relaxed);
        }
    }

    /// How busy the database is kept.
    pub fn load(&self) -> Load {
        let Inner { readers, writers, lines, changes, .. } = &*self.0;
        let mut pools = vec![("read", readers.load())];
        if !Arc::ptr_eq(readers, writers) {
            pools.push(("write", writers.load()));
        }
        Load { pools, writers: lines.writers(), changes: changes.load(Ordering::Relaxed) }
    }

    /// Has the workers of this process look for jobs now.
    pub fn wake_workers(&self) {
        self.0.jobs_enqueued.notify_one();
    }

    /// Ends when this process has enqueued a job since the last time, or [`wake_workers`](Self::wake_workers) was called.
    pub async fn jobs_enqueued(&self) {
        self.0.jobs_enqueued.notified().await;
    }

    /// Reads.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_read(work).await
    }

    /// Reads for as long as it takes: for commands, for which nobody waits in front of a screen.
    pub async fn read_for_long<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.readers.run_for_long(work).await
    }

    /// Reads a row or two by their keys.
    pub async fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.readers.run_short(work).await
    }

    /// The door for the records that clients sync. Everything the closure does through its `Tx` commits together with the
    /// log of changes and, if a key was sent, with the reply that is replayed under it.
    pub async fn write<E: From<Error> + Send + 'static>(
        &self,
        context: WriteContext,
        work: impl FnOnce(&mut Tx<'_>) -> std::result::Result<Answer, E> + Send + 'static,
    ) -> std::result::Result<Outcome, E> {
        let (store, workspace) = (self.clone(), context.workspace);
        let now = self.now();
        let run = move |conn: &mut Conn| {
            let scope = store.scope(now);
            let done = write_transaction(conn, |conn| {
                let mut tx = Tx::begin(conn, &scope, context.workspace, context.actor)?;
                if let Some(kept) = find_kept(&mut tx, &context)? {
                    return Ok(kept);
                }
                let answer = work(&mut tx).map_err(Failure::Work)?;
                let reply = conclude(&mut tx, answer)?;
                idempotency::keep(tx.conn, &context, &scope.quotas, now, &tx.required_scopes().clone(), &reply)?;
                Ok(Outcome { reply, replayed: false })
            });
            store.after_transaction(&scope, done.is_ok());
            Ok(done.map_err(Failure::into_error))
        };
        self.run_write(workspace, run).await?
    }

    /// Does the work to see its outcome, and rolls it back. Nothing is kept under an Idempotency-Key.
    pub async fn dry_run<E: From<Error> + Send + 'static>(
        &self,
        context: WriteContext,
        work: impl FnOnce(&mut Tx<'_>) -> std::result::Result<Answer, E> + Send + 'static,
    ) -> std::result::Result<Outcome, E> {
        let (store, workspace) = (self.clone(), context.workspace);
        let now = self.now();
        let run = move |conn: &mut Conn| {
            // The whole transaction is rolled back: SQLite takes the journal of a savepoint apart step by step, so that a
            // dry run of ten thousand would take minutes.
            let done = write_transaction(conn, |conn| -> std::result::Result<(), Failure<E>> {
                let scope = store.scope(now);
                let mut tx = Tx::begin(conn, &scope, context.workspace, context.actor)?.in_dry_run();
                let answer = work(&mut tx).map_err(Failure::Work)?;
                let reply = Reply { write: None, ..conclude(&mut tx, answer)? };
                Err(Failure::Answered(Outcome { reply, replayed: false }))
            });
            Ok(match done {
                Err(Failure::Answered(outcome)) => Ok(outcome),
                Err(failure) => Err(failure.into_error()),
                Ok(()) => Err(Error::Internal("a dry run was not rolled back".to_owned()).into()),
            })
        };
        self.run_write(workspace, run).await?
    }

    /// After something was erased for good: on SQLite the log of recent writes still holds it until it is written back.
    /// A failure is no reason to tell that nothing was erased; the next checkpoint does it.
    pub async fn checkpoint_wal(&self) {
        let run = |conn: &mut Conn| {
            if let Conn::Sqlite(conn) = conn {
                conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
            }
            Ok(())
        };
        if let Err(error) = self.0.writers.run(Effect::Unknown, run).await {
            tracing::warn!(%error, "cannot checkpoint the write-ahead log after an erasure");
        }
    }

    /// The reply kept under the Idempotency-Key, if there is one.
    pub async fn kept_reply(&self, who: &WriteContext) -> Result<Option<Outcome>> {
        let who = who.clone();
        self.account_write_in(who.workspace, move |tx| idempotency::find(tx.conn, &who, tx.now)).await
    }

    /// Whether the database responds, on a connection of its own: those of requests may all be in use.
    pub async fn probe(&self) -> Result<()> {
        self.0.probe.run(Effect::None, |conn| accounts::any_user(conn).map(drop)).await
    }

    /// The same of what erases for good: users with their workspaces, tokens. Nothing of it is left in the files.
    pub async fn account_erase<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let erased = self.account_write(work).await?;
        self.checkpoint_wal().await;
        Ok(erased)
    }

    /// The door for what is not synced: users, sessions, tokens. No sequence, no change.
    pub async fn account_write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.writers.run(Effect::Unknown, self.in_account_transaction(work)).await
    }

    /// The same for a write that locks a workspace, when its turn comes.
    pub async fn account_write_in<T: Send + 'static>(
        &self,
        workspace: WorkspaceId,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_write(workspace, self.in_account_transaction(work)).await
    }

    fn in_account_transaction<T, W: FnOnce(&mut AccountTx<'_>) -> Result<T>>(
        &self,
        work: W,
    ) -> impl FnOnce(&mut Conn) -> Result<T> + use<T, W> {
        let store = self.clone();
        let now = self.now();
        move |conn| {
            let scope = store.scope(now);
            let done = write_transaction(conn, |conn| work(&mut AccountTx::new(conn, &scope)));
            store.after_transaction(&scope, done.is_ok());
            done
        }
    }
}

/// How busy a process keeps the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// By the name of the pool. On PostgreSQL the one of readers is also that of writers.
    pub pools: Vec<(&'static str, PoolLoad)>,
    /// Writes that wait for their turn in a workspace, or have it.
    pub writers: usize,
    /// Changes logged since the process started.
    pub changes: u64,
}

/// How long the database may take to show that it responds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The reply kept under the key, rendered anew where it was too long to keep.
fn find_kept(tx: &mut Tx<'_>, who: &WriteContext) -> Result<Option<Outcome>> {
    let now = tx.now();
    let Some(mut kept) = idempotency::find(tx.conn, who, now)? else { return Ok(None) };
    let Reply { status, record, body, .. } = &mut kept.reply;
    if let (Some((entity, id)), None, true) = (*record, &body, *status != 204) {
        *body = Some(render_record(tx, entity, id)?.0.get().to_owned());
    }
    Ok(Some(kept))
}

/// Why a transaction is not committed.
pub(super) enum Failure<E> {
    Store(Error),
    Work(E),
    /// It was to be rolled back.
    RolledBack,
    /// It was to be rolled back, with this answer.
    Answered(Outcome),
}

impl<E: From<Error>> Failure<E> {
    pub(super) fn into_error(self) -> E {
        match self {
            Self::Store(error) => error.into(),
            Self::Work(error) => error,
            Self::RolledBack | Self::Answered(_) => {
                Error::Internal("rolled back without an answer".to_owned()).into()
            }
        }
    }
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl<E> From<diesel::result::Error> for Failure<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}
