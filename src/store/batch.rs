//! Many operations in one transaction, on one thread. What they do is not known here.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::db::sql::conn::{Conn, read_transaction, savepoint, write_transaction};
use super::db::sql::types::AnyId;
use super::db::write::answer::{Answer, conclude};
use super::db::write::context::{Actor, TxScope, WriteContext};
use super::db::write::idempotency::{self, Outcome, Reply};
use super::db::write::settle::settle;
use super::db::write::tx::Tx;
use super::error::{Error, Result};
use super::store::{Failure, Store};
use crate::domain::id::WorkspaceId;

/// What the operations of a batch may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchMode {
    /// Read, all at one moment; no writer has to wait.
    Reads,
    /// Write, each a write of its own; one that fails is rolled back alone.
    Separate,
    /// Write, all of them one write.
    Atomic,
}

/// How a batch ends.
pub struct Ending {
    /// Whether what was done is committed. An answer to what is not is not kept under an Idempotency-Key: a second try may
    /// succeed.
    pub commit: bool,
    pub status: u16,
    /// Renders the answer, given the number of the one write, if there is one and it changed anything.
    pub render: Box<dyn FnOnce(Option<i64>) -> Result<Rendered> + Send>,
}

/// The answer to a batch, as JSON.
pub struct Rendered {
    pub body: String,
    /// What is kept of it under an Idempotency-Key.
    pub kept: String,
}

/// A batch in progress.
pub struct Batch<'c> {
    held: Held<'c>,
    mode: BatchMode,
    scope: &'c TxScope<'c>,
    workspace: WorkspaceId,
    actor: Actor,
    /// Whether no part of an atomic batch has failed.
    is_whole: bool,
    erased: Vec<AnyId>,
    erases: bool,
    /// What was kept of the answer the first time: what it holds is not to be done again.
    kept: Option<Reply>,
    required_scopes: BTreeSet<String>,
}

enum Held<'c> {
    Reads(&'c mut Conn),
    /// Locks the workspace from the beginning to the end, whether or not it is this write that everything belongs to.
    Writes(Box<Tx<'c>>),
}

impl Batch<'_> {
    /// What was kept of the answer, if the request came before under the same Idempotency-Key.
    pub fn kept(&self) -> Option<&str> {
        self.kept.as_ref().and_then(|kept| kept.body.as_deref())
    }

    /// Reads what the operations so far have left.
    pub fn read<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let conn = match &mut self.held {
            Held::Reads(conn) => conn,
            // Each operation before it has settled and logged what it wrote.
            Held::Writes(tx) => &mut *tx.conn,
        };
        savepoint(conn, |conn| unless_panics(|| work(conn).map_err(Failure::Work))).map_err(Failure::into_error)
    }

    /// Writes. With `dry_run` the work is rolled back once its answer is rendered.
    pub fn write<E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> std::result::Result<Answer, E>,
        dry_run: bool,
        erases: bool,
    ) -> std::result::Result<Reply, E> {
        let Held::Writes(whole) = &mut self.held else {
            return Err(Error::Internal("a write in a batch of reads".to_owned()).into());
        };
        self.erases |= erases && !dry_run;
        let (scope, workspace, actor) = (self.scope, self.workspace, self.actor);
        let reply = match (self.mode, dry_run) {
            (BatchMode::Atomic, true) => {
                let mut failed = None;
                let reply = whole.dry_run(|tx| {
                    let answer = match unless_panics(|| work(tx).map_err(Failure::Work)) {
                        Ok(answer) => answer,
                        Err(failure) => {
                            failed = Some(failure);
                            return Err(Error::Internal("failed".to_owned()));
                        }
                    };
                    conclude(tx, answer)
                });
                failed.map_or_else(|| reply.map_err(Failure::Store), Err)
            }
            (BatchMode::Atomic, false) => unless_panics(|| {
                let answer = work(whole).map_err(Failure::Work)?;
                Ok(conclude(whole, answer)?)
            }),
            (BatchMode::Separate | BatchMode::Reads, _) => {
                let mut rolled_back = None;
                let done = savepoint(&mut *whole.conn, |conn| {
                    unless_panics(|| {
                        let tx = Tx::begin(conn, scope, workspace, actor)?;
                        let mut tx = if dry_run { tx.in_dry_run() } else { tx };
                        let answer = work(&mut tx).map_err(Failure::Work)?;
                        let reply = conclude(&mut tx, answer)?;
                        if dry_run {
                            rolled_back = Some(reply);
                            return Err(Failure::RolledBack);
                        }
                        let erased: Vec<AnyId> = tx.erased().collect();
                        Ok((reply, erased, tx.required_scopes().clone()))
                    })
                });
                match (done, rolled_back) {
                    (Err(Failure::RolledBack), Some(reply)) => Ok(reply),
                    (Ok((reply, erased, required)), _) => {
                        self.erased.extend(erased);
                        self.required_scopes.extend(required);
                        Ok(reply)
                    }
                    (Err(failure), _) => Err(failure),
                }
            }
        };
        self.is_whole &= reply.is_ok();
        reply.map_err(Failure::into_error)
    }

    /// The number of the one write of an atomic batch, if it changed anything.
    fn write_number(&self) -> Option<i64> {
        match &self.held {
            Held::Writes(tx) if self.mode == BatchMode::Atomic => tx.write_number(),
            Held::Writes(_) | Held::Reads(_) => None,
        }
    }
}

impl Store {
    /// Does the work, which asks the batch for what its operations need, in one transaction; and for what was kept of the
    /// answer, if it was given before under the same Idempotency-Key.
    pub async fn batch<E: From<Error> + Send + 'static>(
        &self,
        context: WriteContext,
        mode: BatchMode,
        work: impl FnOnce(&mut Batch<'_>) -> std::result::Result<Ending, E> + Send + 'static,
    ) -> std::result::Result<Outcome, E> {
        let (store, workspace) = (self.clone(), context.workspace);
        let now = self.now();
        let run = move |conn: &mut Conn| {
            let mut erases = false;
            let scope = store.scope(now);
            let done = match mode {
                BatchMode::Reads => read_transaction(conn, |conn| {
                    let mut batch = Batch::new(Held::Reads(conn), mode, &scope, &context);
                    let Ending { status, render, .. } = work(&mut batch).map_err(Failure::Work)?;
                    let body = Some(render(None)?.body);
                    Ok(Outcome { reply: Reply { status, body, ..Reply::default() }, replayed: false })
                }),
                BatchMode::Separate | BatchMode::Atomic => write_transaction(conn, |conn| {
                    let whole = Tx::begin(conn, &scope, context.workspace, context.actor)?;
                    let kept = idempotency::find(whole.conn, &context, now)?.map(|kept| kept.reply);
                    let write = kept.as_ref().map(|kept| kept.write);
                    let mut batch = Batch::new(Held::Writes(Box::new(whole)), mode, &scope, &context);
                    batch.kept = kept;
                    let ending = work(&mut batch).map_err(Failure::Work)?;
                    if let Some(write) = write {
                        let (status, body) = (ending.status, Some((ending.render)(write)?.body));
                        return Ok(Outcome {
                            reply: Reply { status, write, body, ..Reply::default() },
                            replayed: true,
                        });
                    }
                    let outcome = batch.end(ending, &context)?;
                    erases = batch.erases;
                    Ok(outcome)
                }),
            };
            store.after_transaction(&scope, done.is_ok());
            let outcome = match done {
                Err(Failure::Answered(outcome)) => Ok(outcome),
                other => other.map_err(Failure::into_error),
            };
            Ok(outcome.map(|outcome| (outcome, erases)))
        };
        let (outcome, erases) = match mode {
            BatchMode::Reads => self.run_read(run).await??,
            BatchMode::Separate | BatchMode::Atomic => self.run_write(workspace, run).await??,
        };
        if erases {
            self.checkpoint_wal().await;
        }
        Ok(outcome)
    }
}

impl<'c> Batch<'c> {
    fn new(held: Held<'c>, mode: BatchMode, scope: &'c TxScope<'c>, context: &WriteContext) -> Self {
        let (workspace, actor) = (context.workspace, context.actor);
        Self {
            held,
            mode,
            scope,
            workspace,
            actor,
            is_whole: true,
            erased: Vec::new(),
            erases: false,
            kept: None,
            required_scopes: BTreeSet::new(),
        }
    }

    /// Renders the answer and keeps it; the caller commits.
    fn end<E>(&mut self, ending: Ending, context: &WriteContext) -> std::result::Result<Outcome, Failure<E>> {
        let Ending { commit, status, render } = ending;
        let reply =
            |write: Option<i64>, body: String| Reply { status, write, body: Some(body), ..Reply::default() };
        if !commit {
            let outcome = Outcome { reply: reply(None, render(None)?.body), replayed: false };
            return Err(Failure::Answered(outcome));
        }
        if self.mode == BatchMode::Atomic && !self.is_whole {
            // What failed has left a part of itself behind.
            return Err(Error::Internal("a part of one write failed and was passed over".to_owned()).into());
        }
        let write = self.write_number();
        let Rendered { body, kept } = render(write)?;
        let Held::Writes(whole) = &mut self.held else {
            return Err(Error::Internal("the end of a batch of reads".to_owned()).into());
        };
        self.erased.extend(whole.erased());
        settle(whole)?;
        whole.log()?;
        // What was to be erased is not kept here either.
        if !idempotency::mentions_one(&kept, &self.erased) {
            self.required_scopes.extend(whole.required_scopes().iter().cloned());
            let TxScope { quotas, now, .. } = self.scope;
            let kept = reply(write, kept);
            idempotency::keep(whole.conn, context, quotas, *now, &self.required_scopes, &kept)?;
        }
        Ok(Outcome { reply: reply(write, body), replayed: false })
    }
}

/// A panic in one operation is its failure, not the end of the batch.
fn unless_panics<T, E>(
    work: impl FnOnce() -> std::result::Result<T, Failure<E>>,
) -> std::result::Result<T, Failure<E>> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Internal("the work on the database panicked".to_owned()).into()))
}
