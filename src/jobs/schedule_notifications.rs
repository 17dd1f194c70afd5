//! Enqueues, four times an hour, a job for each member whose hour has come.

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use super::schedule::Schedule;
use crate::service::notifications;

pub const KIND: JobKind = JobKind {
    name: "schedule_notifications",
    run: |run| Box::pin(schedule(run)),
    schedule: Some(Schedule::QuarterHourly),
};

/// Some members after the others, each batch in a transaction of its own.
async fn schedule(run: Run) -> Result<Finished, JobError> {
    while run.write(notifications::enqueue_due).await? {}
    run.finish(|_| Ok(())).await
}
