//! Carries out an operation: an edit that is too large for one transaction.

use std::time::Duration;

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use crate::domain::id::{OperationId, WorkspaceId};
use crate::domain::operation::JOB;
use crate::service::operations::{PART, fail, give_up, permanent_error, run_part};
use crate::store::Error;

pub const KIND: JobKind = JobKind { name: JOB, run: |run| Box::pin(carry_out(run)), schedule: None };

/// How long it waits when the database is busy, and how often in a row.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSES: u32 = 60;

#[derive(serde::Deserialize)]
struct Payload {
    operation: OperationId,
}

/// Part after part, each in a transaction of its own, so that nobody waits long.
async fn carry_out(run: Run) -> Result<Finished, JobError> {
    let Payload { operation } = run.payload()?;
    let workspace: WorkspaceId =
        run.workspace().ok_or_else(|| Error::Internal("an operation without a workspace".to_owned()))?;
    let mut pauses = 0_u32;
    loop {
        let error = match run.write(move |tx| run_part(tx, workspace, operation, PART)).await {
            Ok(true) => return run.finish(|_| Ok(())).await,
            Ok(false) => {
                pauses = 0;
                continue;
            }
            Err(JobError::Store(error)) => error,
            Err(lost) => return Err(lost),
        };
        if matches!(error, Error::Busy(_)) && pauses < MAX_PAUSES {
            pauses = pauses.saturating_add(1);
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let failed = match permanent_error(&error) {
            Some(told) => run.write(move |tx| fail(tx, workspace, operation, told)).await,
            None => Err(error.into()),
        };
        if let Err(error) = failed {
            // A dead job would keep all others of the workspace waiting.
            if run.is_last_attempt() {
                run.write(move |tx| give_up(tx, workspace, operation)).await?;
            }
            return Err(error);
        }
    }
}
