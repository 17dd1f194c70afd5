//! The worker of a server: takes the leases of jobs that are due, runs them, keeps the leases alive, and has what failed tried
//! again. Several servers may do so on one database.

use chrono::TimeDelta;
use futures_util::FutureExt;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::kind::{JobKind, Setup};
use super::run::{JobError, Run};
use crate::domain::job::{NewJob, retry_delay};
use crate::mail::transport::Mailer;
use crate::metrics::{JobOutcome, Metrics};
use crate::store::jobs::{self, Lease, LeasedJob, Taken};
use crate::store::{Error, Store};

/// How long a worker waits after the queue could not be read, or somebody else was faster.
const PAUSE: Duration = Duration::from_millis(500);

/// How often the lease of a running job is extended before it ends.
const HEARTBEATS: u32 = 3;

pub struct Worker {
    store: Store,
    mailer: Option<Arc<Mailer>>,
    metrics: Arc<Metrics>,
    setup: Setup,
    names: Vec<&'static str>,
    /// Who holds its leases.
    id: uuid::Uuid,
    /// How many jobs it runs at the same time.
    limit: usize,
    /// How long running jobs may go on when the server stops.
    shutdown_limit: Duration,
}

impl Worker {
    pub fn new(
        store: Store,
        mailer: Option<Arc<Mailer>>,
        metrics: Arc<Metrics>,
        setup: Setup,
        limit: usize,
        shutdown_limit: Duration,
    ) -> Self {
        let names = setup.kinds.iter().map(|kind| kind.name).collect();
        Self { id: store.new_id(), store, mailer, metrics, setup, names, limit, shutdown_limit }
    }

    /// Runs jobs until `stopping` is true. Then it takes no more, lets those that run finish within the limit, and gives the
    /// others back.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let worker = Arc::new(self);
        let mut running: JoinSet<()> = JoinSet::new();
        let mut leases: HashMap<Id, Lease> = HashMap::new();
        let mut enqueued = HashSet::new();
        while !*stopping.borrow() {
            worker.enqueue_scheduled(&mut enqueued).await;
            let wait = match worker.take(worker.limit.saturating_sub(running.len())).await {
                Ok(Next::Jobs(jobs)) => {
                    for job in jobs {
                        let lease = job.lease;
                        let task = running.spawn(worker.clone().execute(job));
                        leases.insert(task.id(), lease);
                    }
                    continue;
                }
                Ok(Next::Wait(wait)) => wait,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the queue of jobs");
                    PAUSE
                }
            };
            tokio::select! {
                () = worker.store.jobs_enqueued() => {}
                () = tokio::time::sleep(wait) => {}
                Some(ended) = running.join_next_with_id() => forget(&mut leases, &ended),
                _ = stopping.changed() => {}
            }
        }
        let all_end = async {
            while let Some(ended) = running.join_next_with_id().await {
                forget(&mut leases, &ended);
            }
        };
        if tokio::time::timeout(worker.shutdown_limit, all_end).await.is_err() {
            running.shutdown().await;
            for lease in leases.into_values() {
                tracing::warn!(job = %lease.job, "job interrupted by shutdown; it will run again");
                if let Err(error) = worker.store.account_write(move |tx| jobs::release(tx, &lease)).await {
                    tracing::warn!(job = %lease.job, %error, "cannot release the lease of a job; it will expire");
                }
            }
        }
    }

    /// Enqueues the latest occurrence of each schedule, unless it is among the ones enqueued before.
    async fn enqueue_scheduled(&self, enqueued: &mut HashSet<String>) {
        let now = self.store.now();
        for kind in &self.setup.kinds {
            let Some(schedule) = kind.schedule else { continue };
            let key = schedule.occurrence(kind.name, now);
            if enqueued.contains(&key) {
                continue;
            }
            let job = NewJob { unique_key: Some(key.clone()), ..NewJob::new(kind.name, serde_json::json!({})) };
            match self.store.account_write(move |tx| tx.enqueue(None, job).map(drop)).await {
                Ok(()) => {
                    // Those of the hours before are not asked for again.
                    enqueued.retain(|known| !known.starts_with(&format!("{}:", kind.name)));
                    enqueued.insert(key);
                }
                Err(error) => tracing::warn!(%error, kind = kind.name, "cannot enqueue a scheduled job"),
            }
        }
    }

    /// Takes up to `limit` jobs. Looking for them is a read, so that an idle worker holds up no writer.
    async fn take(&self, limit: usize) -> Result<Next, Error> {
        if limit == 0 {
            return Ok(Next::Wait(self.setup.poll));
        }
        let (names, now) = (self.names.clone(), self.store.now());
        let next = self.store.read(move |conn| jobs::time_to_next(conn, &names, now)).await?;
        match next {
            Some(due) if due <= TimeDelta::zero() => {}
            Some(due) => return Ok(Next::Wait(due.to_std().unwrap_or(self.setup.poll).min(self.setup.poll))),
            None => return Ok(Next::Wait(self.setup.poll)),
        }
        let (names, id, lease) = (self.names.clone(), self.id, self.lease());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let Taken { jobs, dead } =
            self.store.account_write(move |tx| jobs::take(tx, &names, id, lease, limit)).await?;
        for (job, kind) in &dead {
            tracing::error!(%job, kind, "a job is dead: its worker was lost in the last attempt");
        }
        // Somebody else may have been faster.
        if jobs.is_empty() && dead.is_empty() { Ok(Next::Wait(PAUSE)) } else { Ok(Next::Jobs(jobs)) }
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.setup.lease).unwrap_or(TimeDelta::MAX)
    }

    /// Runs a job to its end, or until its lease is lost.
    async fn execute(self: Arc<Self>, job: LeasedJob) {
        let Some(kind) = self.setup.kinds.iter().find(|kind| kind.name == job.kind).copied() else { return };
        let (lease, attempt, is_last) = (job.lease, job.attempt, job.is_last_attempt);
        let (run, began) = (Run::new(self.store.clone(), self.mailer.clone(), job), Instant::now());
        let work = AssertUnwindSafe(async move { (kind.run)(run).await.map(drop) }).catch_unwind();
        let done = tokio::select! {
            done = work => done,
            () = self.lose(&lease) => Ok(Err(JobError::LeaseLost)),
        };
        let count = |outcome| self.metrics.count_job(kind.name, outcome, began.elapsed());
        let (error, is_last) = match done {
            Ok(Ok(())) => {
                count(JobOutcome::Done);
                tracing::debug!(job = %lease.job, kind = kind.name, "a job is done");
                return;
            }
            Ok(Err(JobError::LeaseLost)) => {
                count(JobOutcome::LeaseLost);
                tracing::warn!(job = %lease.job, kind = kind.name, "the lease of a job was lost");
                return;
            }
            Ok(Err(error)) => (error.to_string(), is_last || error.is_permanent()),
            Err(_) => ("the job panicked".to_owned(), is_last),
        };
        count(if is_last { JobOutcome::Dead } else { JobOutcome::Failed });
        self.fail(&kind, lease, attempt, is_last, error).await;
    }

    /// Keeps the lease alive; ends when it is lost. Where the database cannot be asked, the next transaction of the job will.
    async fn lose(&self, lease: &Lease) {
        let (lease, by) = (*lease, self.lease());
        loop {
            tokio::time::sleep(self.setup.lease / HEARTBEATS).await;
            match self.store.account_write(move |tx| jobs::extend(tx, &lease, by)).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(job = %lease.job, %error, "cannot extend the lease of a job"),
            }
        }
    }

    async fn fail(&self, kind: &JobKind, lease: Lease, attempt: i32, is_last: bool, error: String) {
        let random = self.store.random().map_or(u32::MAX, u32::from_le_bytes);
        let retry_at = (!is_last).then(|| self.store.now().plus(retry_delay(attempt, random)));
        let (job, kind) = (lease.job, kind.name);
        match retry_at {
            Some(retry_at) => tracing::warn!(%job, kind, attempt, %error, %retry_at, "a job failed"),
            None => tracing::error!(%job, kind, attempt, %error, "a job is dead: its last attempt failed"),
        }
        let failed = self.store.account_write(move |tx| jobs::fail(tx, &lease, &error, retry_at)).await;
        if let Err(error) = failed {
            tracing::warn!(%job, kind, %error, "cannot record that a job failed; its lease will expire");
        }
    }
}

enum Next {
    Jobs(Vec<LeasedJob>),
    Wait(Duration),
}

fn forget(leases: &mut HashMap<Id, Lease>, ended: &Result<(Id, ()), tokio::task::JoinError>) {
    let id = match ended {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    };
    leases.remove(&id);
}
