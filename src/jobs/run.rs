//! One run of a job, as its kind sees it: what it was told, and the transactions it may make while it has the lease.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

use crate::domain::id::{JobId, WorkspaceId};
use crate::mail::letter::SendError;
use crate::mail::transport::Mailer;
use crate::store::jobs::{self, Lease, LeasedJob};
use crate::store::{AccountTx, Error, Store};

/// One attempt to do a job.
pub struct Run {
    store: Store,
    mailer: Option<Arc<Mailer>>,
    lease: Lease,
    payload: Value,
    workspace: Option<WorkspaceId>,
    attempt: i32,
    is_last_attempt: bool,
}

/// The proof that a job was marked as done.
pub struct Finished(());

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another worker may have the job by now; nothing was done.
    #[error("the lease was lost")]
    LeaseLost,
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Mail(#[from] SendError),
}

impl JobError {
    /// Whether trying again is of no use.
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::Mail(SendError { is_permanent: true, .. }))
    }
}

impl Run {
    pub(super) fn new(store: Store, mailer: Option<Arc<Mailer>>, job: LeasedJob) -> Self {
        let LeasedJob { lease, kind: _, workspace, payload, attempt, is_last_attempt } = job;
        Self { store, mailer, lease, payload, workspace, attempt, is_last_attempt }
    }

    /// The job, whichever attempt it is.
    pub const fn id(&self) -> JobId {
        self.lease.job
    }

    /// What sends e-mails; none if this server sends none.
    pub fn mailer(&self) -> Option<Arc<Mailer>> {
        self.mailer.clone()
    }

    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The workspace that the job belongs to; none if it is the server's.
    pub const fn workspace(&self) -> Option<WorkspaceId> {
        self.workspace
    }

    /// 1 the first time.
    pub const fn attempt(&self) -> i32 {
        self.attempt
    }

    /// Whether the job is dead if this attempt fails.
    pub const fn is_last_attempt(&self) -> bool {
        self.is_last_attempt
    }

    /// What was enqueued with the job.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // The error would quote the payload.
        T::deserialize(&self.payload).map_err(|_| Error::Internal("the payload has another form".to_owned()))
    }

    /// A part of the job, in a transaction in which the lease is held. It is committed before the job is done, so it may be
    /// done again after a failure.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, JobError> {
        let lease = self.lease;
        let done = self.store.account_write(move |tx| match jobs::hold(tx, &lease)? {
            true => work(tx).map(Some),
            false => Ok(None),
        });
        done.await?.ok_or(JobError::LeaseLost)
    }

    /// The last part of the job. It is committed together with the mark that the job is done, so it is done exactly once.
    pub async fn finish(
        self,
        work: impl FnOnce(&mut AccountTx<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<Finished, JobError> {
        let lease = self.lease;
        let done = self.store.account_write(move |tx| match jobs::finish(tx, &lease)? {
            true => work(tx).map(Some),
            false => Ok(None),
        });
        done.await?.map(Finished).ok_or(JobError::LeaseLost)
    }
}
