//! Notifies a member of what their day asks for.

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use crate::service::notifications::{self, NOTIFY, Payload, Progress};
use crate::store::Error;
use crate::store::notify_times::Recipient;

pub const KIND: JobKind = JobKind { name: NOTIFY, run: |run| Box::pin(notify(run)), schedule: None };

/// In slices. After a crash they begin anew, and pass over what was notified before.
async fn notify(run: Run) -> Result<Finished, JobError> {
    let workspace = run.workspace().ok_or(Error::NotFound)?;
    let Payload { user, on } = run.payload()?;
    let recipient = Recipient { workspace, user };
    let mut progress = Progress::default();
    while !progress.is_complete() {
        progress = run.write(move |tx| notifications::next_slice(tx, recipient, on, progress)).await?;
    }
    run.finish(move |tx| notifications::finish(tx, recipient, on, &progress)).await
}
