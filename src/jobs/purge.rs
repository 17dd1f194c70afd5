//! Removes, once an hour, what is no longer kept.

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use super::schedule::Schedule;
use crate::store::purge;

pub const KIND: JobKind =
    JobKind { name: "purge", run: |run| Box::pin(purge_all(run)), schedule: Some(Schedule::Hourly) };

/// Batch after batch, each in a transaction of its own, so that nobody waits long.
async fn purge_all(run: Run) -> Result<Finished, JobError> {
    while run.write(purge::purge).await?.is_partial() {}
    run.finish(|_| Ok(())).await
}
