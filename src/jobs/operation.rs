//! Carries out an operation: an edit that is too large for one transaction.

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use crate::domain::id::{OperationId, WorkspaceId};
use crate::domain::operation::JOB;
use crate::service::operations::{fail, lasting_error, run_part};
use crate::store::Error;

pub const KIND: JobKind = JobKind { name: JOB, run: |run| Box::pin(carry_out(run)), schedule: None };

#[derive(serde::Deserialize)]
struct Payload {
    operation: OperationId,
}

/// Part after part, each in a transaction of its own, so that nobody waits long.
async fn carry_out(run: Run) -> Result<Finished, JobError> {
    let Payload { operation } = run.payload()?;
    let workspace: WorkspaceId =
        run.workspace().ok_or_else(|| Error::Internal("an operation without a workspace".to_owned()))?;
    loop {
        match run.write(move |tx| run_part(tx, workspace, operation)).await {
            Ok(true) => return run.finish(|_| Ok(())).await,
            Ok(false) => {}
            Err(JobError::Store(error)) => {
                let Some(told) = lasting_error(&error) else { return Err(error.into()) };
                run.write(move |tx| fail(tx, workspace, operation, told)).await?;
            }
            Err(lost) => return Err(lost),
        }
    }
}
