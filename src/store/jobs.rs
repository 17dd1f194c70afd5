//! The queue of jobs: who runs what, and what became of it. A lease is a promise that one worker runs a job: it ends
//! by the clock of the database, and every transaction of the job checks it. Due times use the clock of the servers.

use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Bool, Text};
use serde_json::Value;

use super::account_tx::AccountTx;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::schema::jobs;
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, AsJson, Id, Instant};
use super::error::{Error, Result};
use crate::domain::id::{JobId, WorkspaceId};
use crate::domain::job::JobState;
use crate::domain::timestamp::Timestamp;

/// How long a finished job is kept. An occurrence of a schedule is enqueued while it is the latest, so its key is taken for
/// longer than anybody could enqueue it again.
pub const DONE_DAYS: i64 = 7;
/// How long a dead job waits for an operator.
pub const DEAD_DAYS: i64 = 90;
/// The most dead jobs that are listed at once.
pub const MAX_LISTED: i64 = 100;

const MAX_ERROR_CHARACTERS: usize = 1_000;

/// The right to run a job: of this worker, in this attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub job: JobId,
    holder: AnyId,
    attempt: i32,
}

/// A job whose lease a worker has.
#[derive(Debug, Clone)]
pub struct LeasedJob {
    pub lease: Lease,
    pub kind: String,
    pub workspace: Option<WorkspaceId>,
    pub payload: Value,
    /// 1 the first time.
    pub attempt: i32,
    pub is_last_attempt: bool,
}

/// What a worker has got.
#[derive(Debug, Default)]
pub struct Taken {
    pub jobs: Vec<LeasedJob>,
    /// Jobs whose worker was lost in their last attempt, and their kinds.
    pub dead: Vec<(JobId, String)>,
}

/// The time by the clock of the database, in milliseconds on SQLite.
fn database_now(conn: &mut Conn) -> Result<Timestamp> {
    let now = match conn {
        Conn::Postgres(_) => "clock_timestamp()",
        Conn::Sqlite(_) => "CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000",
    };
    Ok(diesel::select(sql::<Instant>(now)).get_result(conn)?)
}

/// How long until one of these kinds of job can be taken; not positive if one can be now. `None` if there is none.
pub fn time_to_next(conn: &mut Conn, kinds: &[&'static str], now: Timestamp) -> Result<Option<TimeDelta>> {
    read_transaction(conn, |conn| {
        let queued: Vec<Timestamp> = jobs::table
            .filter(sql::<Bool>("state = 'queued'"))
            .filter(jobs::kind.eq_any(kinds))
            .order((jobs::run_at.asc(), jobs::id.asc()))
            .select(jobs::run_at)
            .limit(1)
            .load(conn)?;
        let running: Vec<Option<Timestamp>> = jobs::table
            .filter(sql::<Bool>("state = 'running'"))
            .filter(jobs::kind.eq_any(kinds))
            .order((jobs::lease_until.asc(), jobs::id.asc()))
            .select(jobs::lease_until)
            .limit(1)
            .load(conn)?;
        let due = queued.first().map(|run_at| run_at.instant() - now.instant());
        let expired = match running.into_iter().flatten().next() {
            Some(lease_until) => Some(lease_until.instant() - database_now(conn)?.instant()),
            None => None,
        };
        Ok(due.into_iter().chain(expired).min())
    })
}

/// Takes the leases of up to `limit` jobs of these kinds that are due, the longest due first, and those whose worker was
/// lost.
pub fn take(
    tx: &mut AccountTx<'_>,
    kinds: &[&'static str],
    holder: uuid::Uuid,
    lease: TimeDelta,
    limit: i64,
) -> Result<Taken> {
    let (now, database_now) = (tx.now(), database_now(tx.conn)?);
    let mut taken = Taken::default();
    let abandoned = Candidates { state: JobState::Running, until: database_now, kinds, limit }.ids(tx.conn)?;
    let left = limit.saturating_sub(i64::try_from(abandoned.len()).unwrap_or(limit));
    let due = Candidates { state: JobState::Queued, until: now, kinds, limit: left }.ids(tx.conn)?;
    for id in abandoned.into_iter().chain(due) {
        let row: LeaseRow = jobs::table.filter(jobs::id.eq(id)).select(LeaseRow::as_select()).first(tx.conn)?;
        let LeaseRow { kind, workspace_id, payload, attempts, max_attempts } = row;
        if attempts >= max_attempts {
            finish_as(tx, id, JobState::Dead, Some("the worker was lost"))?;
            taken.dead.push((id, kind));
            continue;
        }
        let (holder, attempt) = (AnyId::new(holder), attempts.saturating_add(1));
        diesel::update(jobs::table.filter(jobs::id.eq(id)))
            .set((
                jobs::state.eq(JobState::Running),
                jobs::attempts.eq(attempt),
                jobs::lease_holder.eq(Some(holder)),
                jobs::lease_until.eq(Some(database_now.plus(lease))),
            ))
            .execute(tx.conn)?;
        taken.jobs.push(LeasedJob {
            lease: Lease { job: id, holder, attempt },
            kind,
            workspace: workspace_id,
            payload: payload.0,
            attempt,
            is_last_attempt: attempt >= max_attempts,
        });
    }
    Ok(taken)
}

/// Extends the lease; whether it was still held.
pub fn extend(tx: &mut AccountTx<'_>, lease: &Lease, by: TimeDelta) -> Result<bool> {
    let until = database_now(tx.conn)?.plus(by);
    let extended = diesel::update(jobs::table.filter(jobs::id.eq(lease.job)))
        .filter(jobs::lease_holder.eq(lease.holder))
        .filter(jobs::attempts.eq(lease.attempt))
        .set(jobs::lease_until.eq(Some(until)))
        .execute(tx.conn)?;
    Ok(extended == 1)
}

/// Whether the lease is held. It then is to the end of the transaction: nobody else can take it meanwhile.
pub fn hold(tx: &mut AccountTx<'_>, lease: &Lease) -> Result<bool> {
    let held = diesel::update(jobs::table.filter(jobs::id.eq(lease.job)))
        .filter(jobs::lease_holder.eq(lease.holder))
        .filter(jobs::attempts.eq(lease.attempt))
        .set(jobs::state.eq(JobState::Running))
        .execute(tx.conn)?;
    Ok(held == 1)
}

/// Marks the job as done, if the lease is held; whether it was.
pub fn finish(tx: &mut AccountTx<'_>, lease: &Lease) -> Result<bool> {
    let is_held = hold(tx, lease)?;
    if is_held {
        finish_as(tx, lease.job, JobState::Done, None)?;
    }
    Ok(is_held)
}

/// After a failed attempt: the job is tried again at a time, or never. Whether the lease was held.
pub fn fail(tx: &mut AccountTx<'_>, lease: &Lease, error: &str, retry_at: Option<Timestamp>) -> Result<bool> {
    if !hold(tx, lease)? {
        return Ok(false);
    }
    match retry_at {
        None => finish_as(tx, lease.job, JobState::Dead, Some(error))?,
        Some(retry_at) => {
            requeue(tx, lease.job, retry_at, lease.attempt)?;
            diesel::update(jobs::table.filter(jobs::id.eq(lease.job)))
                .set(jobs::last_error.eq(Some(shortened(error))))
                .execute(tx.conn)?;
        }
    }
    Ok(true)
}

/// Gives the lease back, as if the attempt had not begun.
pub fn release(tx: &mut AccountTx<'_>, lease: &Lease) -> Result<()> {
    if hold(tx, lease)? {
        requeue(tx, lease.job, tx.now(), lease.attempt.saturating_sub(1))?;
    }
    Ok(())
}

fn requeue(tx: &mut AccountTx<'_>, job: JobId, run_at: Timestamp, attempts: i32) -> Result<()> {
    let (nobody, never): (Option<AnyId>, Option<Timestamp>) = (None, None);
    diesel::update(jobs::table.filter(jobs::id.eq(job)))
        .set((
            jobs::state.eq(JobState::Queued),
            jobs::run_at.eq(run_at),
            jobs::attempts.eq(attempts),
            jobs::lease_holder.eq(nobody),
            jobs::lease_until.eq(never),
            jobs::finished_at.eq(never),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// What a job was to do is of no use once it is done.
fn finish_as(tx: &mut AccountTx<'_>, job: JobId, state: JobState, error: Option<&str>) -> Result<()> {
    let (nobody, never): (Option<AnyId>, Option<Timestamp>) = (None, None);
    let one = jobs::table.filter(jobs::id.eq(job));
    diesel::update(one)
        .set((
            jobs::state.eq(state),
            jobs::lease_holder.eq(nobody),
            jobs::lease_until.eq(never),
            jobs::last_error.eq(error.map(shortened)),
            jobs::finished_at.eq(Some(tx.now())),
        ))
        .execute(tx.conn)?;
    if state == JobState::Done {
        diesel::update(one).set(jobs::payload.eq(AsJson(Value::Null))).execute(tx.conn)?;
    }
    Ok(())
}

fn shortened(error: &str) -> String {
    error.chars().take(MAX_ERROR_CHARACTERS).collect()
}

/// Removes up to `limit` jobs of each kind that are past their time; how many.
pub(in crate::store) fn purge(tx: &mut AccountTx<'_>, limit: i64) -> Result<usize> {
    let now = tx.now();
    let mut removed = 0;
    for (of_state, days) in [("state = 'done'", DONE_DAYS), ("state = 'dead'", DEAD_DAYS)] {
        let old: Vec<JobId> = jobs::table
            // A word of SQL, not a value: so it is the condition of the index.
            .filter(sql::<Bool>(of_state))
            .filter(jobs::finished_at.le(now.minus(TimeDelta::days(days))))
            .order((jobs::finished_at.asc(), jobs::id.asc()))
            .select(jobs::id)
            .limit(limit)
            .load(tx.conn)?;
        for id in &old {
            diesel::delete(jobs::table.filter(jobs::id.eq(id))).execute(tx.conn)?;
        }
        removed += old.len();
    }
    Ok(removed)
}

/// Deletes the jobs of a workspace that is erased.
pub(in crate::store) fn delete_all(conn: &mut Conn, workspace: WorkspaceId) -> Result<()> {
    diesel::delete(jobs::table.filter(jobs::workspace_id.eq(workspace))).execute(conn)?;
    Ok(())
}

/// How many jobs there are of a kind in a state.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct JobCount {
    pub kind: String,
    pub state: JobState,
    pub count: i64,
}

/// How many jobs there are by kind and state, but for those that are done.
pub fn counts(conn: &mut Conn) -> Result<Vec<JobCount>> {
    let mut counts: Vec<JobCount> = Vec::new();
    for state in ["state = 'queued'", "state = 'running'", "state = 'dead'"] {
        let of_state: Vec<JobCount> = jobs::table
            .filter(sql::<Bool>(state))
            .group_by((jobs::kind, jobs::state))
            .select((jobs::kind, jobs::state, diesel::dsl::count_star()))
            .load(conn)?;
        counts.extend(of_state);
    }
    counts.sort_by(|one, other| (&one.kind, one.state.as_str()).cmp(&(&other.kind, other.state.as_str())));
    Ok(counts)
}

/// A job that waits for an operator.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct DeadJob {
    pub id: JobId,
    pub kind: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub finished_at: Option<Timestamp>,
}

/// The dead jobs that died last, up to `MAX_LISTED`.
pub fn dead(conn: &mut Conn) -> Result<Vec<DeadJob>> {
    let dead = jobs::table.filter(sql::<Bool>("state = 'dead'")).select(DeadJob::as_select());
    Ok(dead.order((jobs::finished_at.desc(), jobs::id.desc())).limit(MAX_LISTED).load(conn)?)
}

/// Enqueues a dead job again, with all its attempts.
pub fn retry(tx: &mut AccountTx<'_>, id: JobId) -> Result<()> {
    let dead: Option<JobId> = jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::state.eq(JobState::Dead))
        .select(jobs::id)
        .first(tx.conn)
        .optional()?;
    let id = dead.ok_or(Error::NotFound)?;
    requeue(tx, id, tx.now(), 0)
}

/// Enqueues every dead job again; how many.
pub fn retry_all(tx: &mut AccountTx<'_>) -> Result<usize> {
    let ids: Vec<JobId> = jobs::table.filter(sql::<Bool>("state = 'dead'")).select(jobs::id).load(tx.conn)?;
    for id in &ids {
        requeue(tx, *id, tx.now(), 0)?;
    }
    Ok(ids.len())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct LeaseRow {
    kind: String,
    workspace_id: Option<WorkspaceId>,
    payload: AsJson<Value>,
    attempts: i32,
    max_attempts: i32,
}

/// The jobs that can be taken: queued ones that are due, or running ones whose lease has expired. PostgreSQL locks them, and
/// passes over those that another worker is taking at this moment; on SQLite there is one writer.
struct Candidates<'k> {
    state: JobState,
    until: Timestamp,
    kinds: &'k [&'static str],
    limit: i64,
}

struct Statement<'k> {
    candidates: Candidates<'k>,
    locks: bool,
}

statement!(Statement<'_>, (Id,));

impl Candidates<'_> {
    fn ids(self, conn: &mut Conn) -> Result<Vec<JobId>> {
        let locks = matches!(conn, Conn::Postgres(_));
        Ok(Statement { candidates: self, locks }.load::<(JobId,)>(conn)?.into_iter().map(|(id,)| id).collect())
    }
}

impl QueryFragment<MultiBackend> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Candidates { state, until, kinds, limit } = &self.candidates;
        let due_by = if *state == JobState::Running { "lease_until" } else { "run_at" };
        out.push_sql("SELECT id FROM jobs WHERE state = '");
        out.push_sql(state.as_str());
        out.push_sql("' AND ");
        out.push_sql(due_by);
        out.push_sql(" <= ");
        out.push_bind_param::<Instant, _>(until)?;
        out.push_sql(" AND kind IN (");
        for (index, kind) in kinds.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Text, _>(kind)?;
        }
        out.push_sql(") ORDER BY ");
        out.push_sql(due_by);
        out.push_sql(", id LIMIT ");
        out.push_bind_param::<BigInt, _>(limit)?;
        if self.locks {
            out.push_sql(" FOR UPDATE SKIP LOCKED");
        }
        Ok(())
    }
}
