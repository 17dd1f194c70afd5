//! Many calls of the store in one transaction: what a batch is made of. The transaction is held by a thread of its own,
//! and what is asked of the store meanwhile is sent there. No query lives here, and nothing of what a batch means.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot};

use super::db::sql::conn::{Conn, read_transaction, savepoint, write_transaction};
use super::db::sql::types::AnyId;
use super::db::write::context::WriteContext;
use super::db::write::idempotency::{self, Outcome, Reply};
use super::db::write::settle::{finish, settle};
use super::db::write::tx::Tx;
use super::error::{Error, Result};
use super::store::Store;
use crate::domain::id::WorkspaceId;

tokio::task_local! {
    /// The transaction that everything in this task belongs to.
    static CURRENT: Joint;
}

/// What the calls in a joint transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// Read, all at one moment; nobody who writes is held up.
    Reads,
    /// Write, each a write of its own; one that fails is taken back alone.
    Writes,
    /// Write, all of them one write.
    OneWrite,
}

/// How a joint transaction ends, and what is to be answered.
pub struct Ending {
    /// Whether what was done stays done. What does not is answered, and not kept under an Idempotency-Key: a second try
    /// may succeed.
    pub keep: bool,
    /// Makes the reply; is told the number of the one write, if there is one and it changed anything.
    pub reply: Box<dyn FnOnce(Option<i64>) -> Result<Reply> + Send>,
}

type Read = Box<dyn FnOnce(&mut Conn) + Send>;
type Write = Box<dyn FnOnce(&mut Tx<'_>) -> Result<Reply> + Send>;

/// What is sent to the thread that holds the transaction.
enum Job {
    Read(Read),
    Write(Write, oneshot::Sender<Result<Reply>>),
    End(Ending),
}

/// The way to the thread that holds the transaction. When nobody has it any more, the transaction is rolled back.
#[derive(Clone)]
pub(super) struct Joint {
    jobs: mpsc::UnboundedSender<Job>,
    workspace: WorkspaceId,
    has_erased: Arc<AtomicBool>,
}

impl Joint {
    /// The one that this task is in.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let run = move |conn: &mut Conn| {
            // Nobody waits for the answer when the client has gone.
            let _ = answer.send(savepoint(conn, |conn| unless_panics(|| work(conn))));
        };
        self.send(Job::Read(Box::new(run)))?;
        answered.await.map_err(|_| ended())?
    }

    pub(super) async fn write(
        &self,
        who: WriteContext,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    ) -> Result<Outcome> {
        // A reply of a part is never kept by itself: the whole is.
        if who.workspace != self.workspace || who.idempotency.is_some() {
            return Err(Error::Internal("a write that is not of its joint transaction".to_owned()));
        }
        let (answer, answered) = oneshot::channel();
        self.send(Job::Write(Box::new(work), answer))?;
        let reply = answered.await.map_err(|_| ended())??;
        Ok(Outcome { reply, replayed: false })
    }

    /// What was erased is written back after the end.
    pub(super) fn checkpoint_wal(&self) {
        self.has_erased.store(true, Ordering::SeqCst);
    }

    fn send(&self, job: Job) -> Result<()> {
        self.jobs.send(job).map_err(|_| ended())
    }
}

fn ended() -> Error {
    Error::Internal("the joint transaction ended early".to_owned())
}

impl Store {
    /// Everything the future asks of this store happens in one transaction, in the order it is asked, and is committed
    /// or rolled back at its end; rolled back too where the future is dropped. A reply that is kept under the
    /// Idempotency-Key is answered instead, and the future not begun.
    pub async fn joint(
        &self,
        who: WriteContext,
        joined: Joined,
        work: impl Future<Output = Ending>,
    ) -> Result<Outcome> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let (begin, begun) = oneshot::channel();
        let has_erased = Arc::new(AtomicBool::new(false));
        let joint = Joint { jobs: jobs.clone(), workspace: who.workspace, has_erased: has_erased.clone() };
        let store = self.clone();
        let pool = match joined {
            Joined::Reads => &self.0.readers,
            Joined::Writes | Joined::OneWrite => &self.0.writers,
        };
        let held = pool.run(move |conn| hold(conn, &store, &who, joined, begin, queue));
        let asked = async move {
            // Where the transaction does not begin, what holds it tells why.
            if begun.await.is_ok() {
                let ending = CURRENT.scope(joint, work).await;
                let _ = jobs.send(Job::End(ending));
            }
        };
        let (outcome, ()) = futures_util::future::join(held, asked).await;
        if outcome.is_ok() && has_erased.load(Ordering::SeqCst) {
            self.checkpoint_wal().await;
        }
        outcome
    }
}

/// Why a joint transaction is not committed.
enum Rollback {
    /// It was to end so, with this answer.
    AsAsked(Outcome),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Rollback {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Holds the transaction, and does what is asked until the end.
fn hold(
    conn: &mut Conn,
    store: &Store,
    who: &WriteContext,
    joined: Joined,
    begin: oneshot::Sender<()>,
    queue: mpsc::UnboundedReceiver<Job>,
) -> Result<Outcome> {
    let done = match joined {
        Joined::Reads => read_transaction(conn, |conn| hold_reads(conn, begin, queue)),
        Joined::Writes | Joined::OneWrite => {
            write_transaction(conn, |conn| hold_writes(conn, store, who, joined, begin, queue))
        }
    };
    done.or_else(|undone| match undone {
        Rollback::AsAsked(outcome) => Ok(outcome),
        Rollback::Failed(error) => Err(error),
    })
}

fn hold_reads(
    conn: &mut Conn,
    begin: oneshot::Sender<()>,
    mut queue: mpsc::UnboundedReceiver<Job>,
) -> std::result::Result<Outcome, Rollback> {
    let _ = begin.send(());
    while let Some(job) = queue.blocking_recv() {
        match job {
            Job::Read(work) => work(conn),
            Job::Write(_, answer) => {
                let error = Error::Internal("a write where only reads were announced".to_owned());
                let _ = answer.send(Err(error));
            }
            Job::End(Ending { reply, .. }) => return Ok(Outcome { reply: reply(None)?, replayed: false }),
        }
    }
    Err(ended().into())
}

fn hold_writes(
    conn: &mut Conn,
    store: &Store,
    who: &WriteContext,
    joined: Joined,
    begin: oneshot::Sender<()>,
    mut queue: mpsc::UnboundedReceiver<Job>,
) -> std::result::Result<Outcome, Rollback> {
    let (workspace, user, key, now) = (who.workspace, who.user(), who.idempotency.as_ref(), store.now());
    // Locks the workspace from here to the end, whether or not it is this write that everything belongs to.
    let mut whole = Tx::begin(conn, &store.0.ids, now, workspace, who.actor)?;
    if let Some(kept) = idempotency::find(whole.conn, workspace, user, key, now)? {
        return Ok(kept);
    }
    let _ = begin.send(());
    let (mut is_whole, mut erased) = (true, Vec::new());
    while let Some(job) = queue.blocking_recv() {
        match job {
            Job::Read(work) => work(whole.conn),
            Job::Write(work, answer) if joined == Joined::OneWrite => {
                let done = unless_panics(|| {
                    let reply = work(&mut whole)?;
                    settle(&mut whole)?;
                    whole.log()?;
                    Ok(reply)
                });
                is_whole &= done.is_ok();
                let _ = answer.send(done);
            }
            Job::Write(work, answer) => {
                let done = savepoint(whole.conn, |conn| {
                    unless_panics(|| {
                        let mut tx = Tx::begin(conn, &store.0.ids, store.now(), workspace, who.actor)?;
                        let reply = work(&mut tx)?;
                        let gone: Vec<AnyId> = tx.erased().collect();
                        finish(tx)?;
                        Ok((reply, gone))
                    })
                });
                let _ = answer.send(done.map(|(reply, gone)| {
                    erased.extend(gone);
                    reply
                }));
            }
            Job::End(Ending { keep: false, reply }) => {
                return Err(Rollback::AsAsked(Outcome { reply: reply(None)?, replayed: false }));
            }
            // What failed has left a part of itself behind.
            Job::End(_) if !is_whole => {
                return Err(Error::Internal("a part of one write failed and was passed over".to_owned()).into());
            }
            Job::End(Ending { reply, .. }) => {
                let reply = reply(whole.write_number())?;
                erased.extend(whole.erased());
                // WriteContext was to be forgotten is not to be remembered here.
                if !reply.body.as_ref().is_some_and(|body| idempotency::mentions_one(body, &erased)) {
                    idempotency::keep(whole.conn, workspace, user, key, now, &reply)?;
                }
                finish(whole)?;
                return Ok(Outcome { reply, replayed: false });
            }
        }
    }
    Err(ended().into())
}

/// A panic in one part is its failure, not the end of the thread that holds the others.
fn unless_panics<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Internal("the work on the database panicked".to_owned())))
}
