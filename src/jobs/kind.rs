//! What a kind of job is, and how the workers of a server run jobs. Which kinds there are is in `mod.rs`.

use futures_util::future::BoxFuture;
use std::time::Duration;

use super::run::{Finished, JobError, Run};
use super::schedule::Schedule;

/// A kind of job.
#[derive(Clone, Copy)]
pub struct JobKind {
    /// Its name in the queue, in the log and in metrics. A stored job keeps it over updates.
    pub name: &'static str,
    /// May run again after a failure, or after its worker was lost: what it does outside of the database has to bear that.
    pub run: fn(Run) -> BoxFuture<'static, Result<Finished, JobError>>,
    /// When it is enqueued by itself.
    pub schedule: Option<Schedule>,
}

/// What the workers of a server run, and how.
#[derive(Clone)]
pub struct Setup {
    pub kinds: Vec<JobKind>,
    /// How long a worker that is lost keeps others from its jobs.
    pub lease: Duration,
    /// How often a server looks for jobs that it was not told of.
    pub poll: Duration,
}

impl Setup {
    pub const fn new(kinds: Vec<JobKind>) -> Self {
        Self { kinds, lease: Duration::from_secs(60), poll: Duration::from_secs(5) }
    }
}
