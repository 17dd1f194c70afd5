//! Enqueueing a job in the transaction of what causes it. What workers do with it is in `store/jobs.rs`.

use diesel::prelude::*;

use super::context::TxScope;
use crate::domain::id::{JobId, WorkspaceId};
use crate::domain::job::{JobState, NewJob};
use crate::store::db::sql::conn::Conn;
use crate::store::db::sql::schema::jobs;
use crate::store::db::sql::types::AsJson;
use crate::store::error::Result;

/// Enqueues a job, unless there is one with its unique key.
pub(in crate::store) fn enqueue(
    conn: &mut Conn,
    scope: &TxScope<'_>,
    workspace: Option<WorkspaceId>,
    job: NewJob,
) -> Result<Option<JobId>> {
    let NewJob { kind, payload, unique_key, run_at, max_attempts } = job;
    let id = JobId::new(scope.ids.uuid(scope.now.instant()));
    let row = (
        jobs::id.eq(id),
        jobs::kind.eq(kind),
        jobs::workspace_id.eq(workspace),
        jobs::payload.eq(AsJson(payload)),
        jobs::unique_key.eq(unique_key),
        jobs::state.eq(JobState::Queued),
        jobs::run_at.eq(run_at.unwrap_or(scope.now)),
        jobs::attempts.eq(0),
        jobs::max_attempts.eq(max_attempts),
        jobs::created_at.eq(scope.now),
    );
    // The same in the words of both; Diesel has no `ON CONFLICT` for the two together.
    let inserted = match conn {
        Conn::Postgres(conn) => {
            diesel::insert_into(jobs::table).values(row).on_conflict_do_nothing().execute(conn)?
        }
        Conn::Sqlite(conn) => diesel::insert_or_ignore_into(jobs::table).values(row).execute(conn)?,
    };
    if inserted == 0 {
        return Ok(None);
    }
    scope.has_enqueued.set(true);
    Ok(Some(id))
}
