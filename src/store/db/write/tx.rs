//! A write in progress: each touched record gets the next number of its workspace's sequence and one change in the log,
//! in the transaction of the write. Nothing here knows a kind of record, nor how one is written.

use diesel::prelude::*;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

use super::context::{Actor, Calendar, TxScope};
use super::enqueue::enqueue;
use super::idempotency;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::{JobId, SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::job::NewJob;
use crate::domain::operation::{Postponed, Rename, Work};
use crate::domain::reference::is_derived;
use crate::domain::timestamp::Timestamp;
use crate::store::db::index::search;
use crate::store::db::sql::conn::{Conn, begin_savepoint, roll_back_savepoint};
use crate::store::db::sql::rows::{self, table_row};
use crate::store::db::sql::schema::{changes, workspaces};
use crate::store::db::sql::statement::Prepared;
use crate::store::db::sql::types::{AnyId, AsJson, JsonText, RecordRef};
use crate::store::error::{Conflict, Error, Result};

/// How long what a record was before a change is kept, and so how long a deleted id stays reserved.
pub const UNDO_DAYS: i64 = 30;

/// A write in progress. Everything done through it commits together, or not at all.
pub struct Tx<'c> {
    pub(in crate::store) conn: &'c mut Conn,
    pub(in crate::store) workspace: WorkspaceId,
    pub(in crate::store) workspace_number: i64,
    actor: Actor,
    scope: &'c TxScope<'c>,
    /// The number that the changes have in common in the log.
    number: i64,
    first_seq: i64,
    seq: i64,
    /// What is left to an operation.
    postponed: Option<Postponed>,
    /// In how many records names were replaced.
    renamed: i64,
    /// By how many records the workspace has grown since the last log.
    grown: i64,
    /// Scopes that the write turned out to require.
    required_scopes: BTreeSet<String>,
    is_dry_run: bool,
    touched: BTreeMap<RecordRef, Touched>,
    erased: Vec<RecordRef>,
    /// Records whose search documents are out of date, because of what other records say of them.
    reindex_queue: BTreeSet<RecordRef>,
    /// Derived records to be computed anew, because of what they are computed from.
    derived_queue: BTreeSet<RecordRef>,
    /// Records that a rule has stamped with the day, for it to know when there are many.
    stamped: BTreeSet<RecordRef>,
    /// Those of them that are to be stamped with other days if there are many.
    spread_queue: BTreeSet<RecordRef>,
    /// How many of `erased` are gone from kept replies and from the search index already.
    forgotten: usize,
    /// Whether this carries out a plan of undo, which has checked every name and every tag: names come back one after the
    /// other, and two of them may have changed places.
    pub(in crate::store) is_reverting: bool,
    /// Numbers in the log that have been superseded in this write.
    outdated: Vec<i64>,
    /// The id that a client has chosen for what follows a record.
    chosen_next_id: Option<uuid::Uuid>,
    /// What days are computed by, once it was read; nothing again when the settings change.
    pub(in crate::store) calendar: Option<Calendar>,
}

/// How many changes are made rows at a time: each with what a record was.
const LOGGED_AT_ONCE: usize = 500;

/// A change as it is written to the log.
struct LogRow {
    workspace_id: WorkspaceId,
    seq: i64,
    write_seq: i64,
    entity: Entity,
    record_id: AnyId,
    op: Op,
    actor_user_id: Option<UserId>,
    actor_token_id: Option<TokenId>,
    actor_job: Option<String>,
    at: Timestamp,
    fields: AsJson<Vec<String>>,
    before: Option<JsonText>,
    merged_into_id: Option<AnyId>,
    is_newest: bool,
    actor_session_id: Option<SessionId>,
}

table_row!(LogRow, changes:
    workspace_id, seq;
    write_seq, entity, record_id, op, actor_user_id, actor_token_id, actor_job, at, fields, before, merged_into_id,
    is_newest, actor_session_id
);

/// The number of the newest change of a record, by its JSON.
fn version_of(record: &RawValue) -> Result<i64> {
    #[derive(serde::Deserialize)]
    struct Head {
        version: i64,
    }
    let head: Head = serde_json::from_str(record.get())?;
    Ok(head.version)
}

/// Notes of changes that they are no longer the newest ones of their records.
fn supersede(conn: &mut Conn, workspace: WorkspaceId, numbers: Vec<i64>) -> Result<()> {
    let own = changes::table.filter(changes::workspace_id.eq(workspace));
    match numbers.as_slice() {
        [] => {}
        [number] => {
            let one = diesel::update(own.filter(changes::seq.eq(*number)));
            Prepared(one.set(changes::is_newest.eq(false))).execute(conn)?;
        }
        _ => {
            let several = diesel::update(own.filter(changes::seq.eq_any(numbers)));
            several.set(changes::is_newest.eq(false)).execute(conn)?;
        }
    }
    Ok(())
}

/// A record touched in this write. Touched again, it keeps what it was at first; and its number, unless that is in the
/// log, and so was told, already.
#[derive(Clone)]
struct Touched {
    seq: i64,
    op: Op,
    /// As text: as a tree it takes ten times the memory, which a write of 10,000 records holds to its end.
    before: Option<Box<RawValue>>,
    fields: Vec<String>,
    /// The record that it lives on in, of one that was merged.
    merged_into: Option<AnyId>,
    is_logged: bool,
}

impl<'c> Tx<'c> {
    /// Locks the workspace: its writes happen one after the other, so that a later number never becomes visible
    /// before an earlier one.
    pub(in crate::store) fn begin(
        conn: &'c mut Conn,
        scope: &'c TxScope<'c>,
        workspace: WorkspaceId,
        actor: Actor,
    ) -> Result<Self> {
        let lock = diesel::update(workspaces::table.filter(workspaces::id.eq(workspace)))
            .set(workspaces::seq.eq(workspaces::seq))
            .returning((workspaces::seq, workspaces::number));
        let (seq, workspace_number) = Prepared(lock).get_result::<(i64, i64)>(conn)?;
        let first_seq = seq + 1;
        Ok(Self {
            conn,
            workspace,
            workspace_number,
            actor,
            scope,
            number: first_seq,
            first_seq,
            seq,
            postponed: None,
            renamed: 0,
            grown: 0,
            required_scopes: BTreeSet::new(),
            is_dry_run: false,
            touched: BTreeMap::new(),
            erased: Vec::new(),
            reindex_queue: BTreeSet::new(),
            derived_queue: BTreeSet::new(),
            stamped: BTreeSet::new(),
            spread_queue: BTreeSet::new(),
            forgotten: 0,
            is_reverting: false,
            outdated: Vec::new(),
            chosen_next_id: None,
            calendar: None,
        })
    }

    /// Continues the write of this number, of which earlier transactions have made a part.
    #[must_use]
    pub(in crate::store) fn part_of(self, number: i64) -> Self {
        Self { number, ..self }
    }

    /// All of it is going to be rolled back.
    #[must_use]
    pub(in crate::store) fn in_dry_run(self) -> Self {
        Self { is_dry_run: true, ..self }
    }

    pub fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Whether this write, or the one that it is a part of, has this number.
    pub(in crate::store) fn is_number_of(&self, number: i64) -> bool {
        self.number == number
    }

    /// Leaves work to an operation, which begins once this is committed. Names to be replaced are taken together; there is no
    /// more than one operation otherwise.
    pub fn postpone(&mut self, more: Postponed) -> Result<()> {
        match (&mut self.postponed, more) {
            (none @ None, more) => *none = Some(more),
            (
                Some(Postponed { work: Work::UpdateTags { renames }, total }),
                Postponed { work: Work::UpdateTags { renames: more }, total: more_records },
            ) => {
                let is_new = |new: &Rename| !renames.iter().any(|rename| rename.is_of(new.named, &new.from));
                let more: Vec<Rename> = more.into_iter().filter(is_new).collect();
                if !more.is_empty() {
                    *total = total.saturating_add(more_records);
                }
                renames.extend(more);
            }
            (Some(_), _) => return Err(Error::Internal("a write left two things to operations".to_owned())),
        }
        Ok(())
    }

    /// The names that are left to an operation.
    pub(super) fn postponed_renames(&mut self) -> &mut [Rename] {
        match &mut self.postponed {
            Some(Postponed { work: Work::UpdateTags { renames }, .. }) => renames,
            _ => &mut [],
        }
    }

    /// Counts the records in which names are replaced in this write, so many more; how many there are.
    pub(super) fn count_renamed(&mut self, more: i64) -> i64 {
        self.renamed = self.renamed.saturating_add(more);
        self.renamed
    }

    pub(super) fn take_postponed(&mut self) -> Option<Postponed> {
        self.postponed.take()
    }

    /// Takes the number of this write, which may have changed nothing yet, for what continues it.
    pub(super) fn reserve_number(&mut self) -> i64 {
        self.seq = self.seq.max(self.first_seq);
        self.number
    }

    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    pub fn actor(&self) -> Actor {
        self.actor
    }

    pub fn now(&self) -> Timestamp {
        self.scope.now
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> uuid::Uuid {
        self.scope.ids.uuid(self.scope.now.instant())
    }

    /// Chooses the id of what the rules create next as the successor of a record; `None` lets go of it.
    pub fn choose_next_id(&mut self, id: Option<uuid::Uuid>) {
        self.chosen_next_id = id;
    }

    /// The id of a successor: the one that was chosen, once, else a new one.
    pub fn next_id(&mut self) -> uuid::Uuid {
        self.chosen_next_id.take().unwrap_or_else(|| self.new_id())
    }

    /// Enqueues a job of the workspace; it exists once the write is committed. `None` if its unique key is taken.
    pub fn enqueue(&mut self, job: NewJob) -> Result<Option<JobId>> {
        enqueue(self.conn, self.scope, Some(self.workspace), job)
    }

    /// Writes the log and the sequence so far, so that reads later in this transaction see them. Whoever calls it has
    /// settled the write.
    pub(in crate::store) fn log(&mut self) -> Result<()> {
        let Self {
            conn,
            workspace,
            actor,
            scope,
            number,
            first_seq,
            seq,
            touched,
            erased,
            forgotten,
            outdated,
            grown,
            ..
        } = self;
        let (conn, workspace, now) = (&mut **conn, *workspace, scope.now);
        if !outdated.is_empty() {
            let rows = changes::table
                .filter(changes::workspace_id.eq(workspace))
                .filter(changes::seq.eq_any(std::mem::take(outdated)));
            diesel::delete(rows).execute(conn)?;
        }
        let gone: BTreeSet<&RecordRef> = erased.iter().collect();
        let mut new: Vec<(&RecordRef, &mut Touched)> =
            touched.iter_mut().filter(|(_, touched)| !touched.is_logged).collect();
        scope.changes.update(|changes| changes + u64::try_from(new.len()).unwrap_or(0));
        for part in new.chunks_mut(LOGGED_AT_ONCE) {
            let rows: Vec<LogRow> = part
                .iter_mut()
                .map(|(record, touched)| {
                    touched.is_logged = true;
                    let Touched { seq, op, before, fields, merged_into, is_logged: _ } = &**touched;
                    let (entity, id) = **record;
                    LogRow {
                        workspace_id: workspace,
                        seq: *seq,
                        write_seq: *number,
                        entity,
                        record_id: id,
                        op: *op,
                        actor_user_id: actor.user(),
                        actor_token_id: actor.token(),
                        actor_job: actor.job().map(str::to_owned),
                        at: now,
                        fields: AsJson(fields.clone()),
                        before: before
                            .clone()
                            .filter(|_| !gone.contains(record))
                            .map(|text| JsonText(text.into())),
                        merged_into_id: *merged_into,
                        is_newest: *op != Op::Deleted,
                        actor_session_id: actor.session(),
                    }
                })
                .collect();
            rows::insert(conn, &rows)?;
            let superseded = part.iter().filter_map(|(_, touched)| touched.before.as_deref());
            supersede(conn, workspace, superseded.map(version_of).collect::<Result<_>>()?)?;
        }
        let new: Vec<AnyId> = erased.iter().skip(*forgotten).map(|(_, id)| *id).collect();
        if !new.is_empty() {
            idempotency::delete_mentioning(conn, workspace, &new)?;
            search::forget_deleted(conn)?;
            *forgotten = erased.len();
        }
        if seq >= first_seq {
            let own = workspaces::table.filter(workspaces::id.eq(workspace));
            let more = std::mem::take(grown);
            let counted = diesel::update(own)
                .set((workspaces::seq.eq(*seq), workspaces::record_count.eq(workspaces::record_count + more)))
                .returning(workspaces::record_count);
            let count: i64 = Prepared(counted).get_result(conn)?;
            if more > 0 && count > scope.quotas.records {
                return Err(Conflict::TooMany("records in this workspace").into());
            }
        }
        Ok(())
    }

    /// The number in the log that this write's changes have in common, by which it can be taken back; `None` while there
    /// are none but of derived records.
    pub fn write_number(&self) -> Option<i64> {
        self.touched.keys().any(|(entity, _)| !is_derived(*entity)).then_some(self.number)
    }

    /// Does the work to see its outcome, and rolls it back.
    pub fn dry_run<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (seq, touched, erased) = (self.seq, self.touched.clone(), self.erased.clone());
        let grown = self.grown;
        let (reindex_queue, derived_queue) = (self.reindex_queue.clone(), self.derived_queue.clone());
        let (outdated, stamped) = (self.outdated.clone(), self.stamped.clone());
        let spread_queue = self.spread_queue.clone();
        let was_dry_run = std::mem::replace(&mut self.is_dry_run, true);
        begin_savepoint(self.conn)?;
        let outcome = work(self);
        roll_back_savepoint(self.conn)?;
        (self.seq, self.touched, self.erased, self.grown) = (seq, touched, erased, grown);
        (self.reindex_queue, self.derived_queue) = (reindex_queue, derived_queue);
        (self.outdated, self.stamped, self.spread_queue) = (outdated, stamped, spread_queue);
        (self.is_dry_run, self.postponed, self.calendar) = (was_dry_run, None, None);
        outcome
    }

    /// Notes of a record deleted in this write, or of an id that no record has, that it lives on in another one.
    pub fn note_survivor(&mut self, entity: Entity, id: AnyId, survivor: AnyId) {
        if let Some(touched) = self.touched.get_mut(&(entity, id)) {
            touched.merged_into = Some(survivor);
            return;
        }
        // Made in this very write: its id may be known by now, so a tombstone tells where it leads.
        self.seq += 1;
        let tombstone = Touched {
            seq: self.seq,
            op: Op::Deleted,
            before: None,
            fields: Vec::new(),
            merged_into: Some(survivor),
            is_logged: false,
        };
        self.touched.insert((entity, id), tombstone);
    }

    /// Whether this write has deleted a record that was there before it, and neither merged nor erased it.
    pub(super) fn has_deleted(&self, entity: Entity, id: AnyId) -> bool {
        let is_deleted = |touched: &Touched| {
            touched.op == Op::Deleted && touched.before.is_some() && touched.merged_into.is_none()
        };
        self.touched.get(&(entity, id)).is_some_and(is_deleted) && !self.erased.contains(&(entity, id))
    }

    /// What this write has done to a record so far.
    pub(super) fn touched_op(&self, entity: Entity, id: AnyId) -> Option<Op> {
        self.touched.get(&(entity, id)).map(|touched| touched.op)
    }

    /// What a record touched in this write was before it.
    pub(super) fn before(&self, entity: Entity, id: AnyId) -> Option<&RawValue> {
        self.touched.get(&(entity, id)).and_then(|touched| touched.before.as_deref())
    }

    /// Notes a scope that the caller turned out to need for this write.
    pub fn note_required_scope(&mut self, scope: String) {
        self.required_scopes.insert(scope);
    }

    /// The scopes noted so far.
    pub(in crate::store) const fn required_scopes(&self) -> &BTreeSet<String> {
        &self.required_scopes
    }

    /// The records that this write has deleted.
    pub(super) fn deleted(&self) -> Vec<RecordRef> {
        let deleted = self.touched.iter().filter(|(_, touched)| touched.op == Op::Deleted);
        deleted.map(|(record, _)| *record).collect()
    }

    /// Its search document is written anew at the end.
    pub(super) fn queue_reindex(&mut self, records: impl IntoIterator<Item = RecordRef>) {
        self.reindex_queue.extend(records);
    }

    pub(super) fn take_reindex_queue(&mut self) -> BTreeSet<RecordRef> {
        std::mem::take(&mut self.reindex_queue)
    }

    /// They are computed anew when the write is settled.
    pub(in crate::store) fn queue_derived(&mut self, records: impl IntoIterator<Item = RecordRef>) {
        self.derived_queue.extend(records);
    }

    pub(super) fn take_derived_queue(&mut self) -> BTreeSet<RecordRef> {
        std::mem::take(&mut self.derived_queue)
    }

    /// Notes of a record that a rule stamps it with the day. Returns how many were noted in this write.
    pub fn note_stamped(&mut self, record: RecordRef) -> usize {
        self.stamped.insert(record);
        self.stamped.len()
    }

    /// How many records were noted in this write.
    pub fn count_stamped(&self) -> usize {
        self.stamped.len()
    }

    /// It is stamped with another day if many more are noted.
    pub fn queue_spread(&mut self, record: RecordRef) {
        self.spread_queue.insert(record);
    }

    pub fn take_spread_queue(&mut self) -> BTreeSet<RecordRef> {
        std::mem::take(&mut self.spread_queue)
    }

    /// It is no longer to be found in kept replies and in the log of this write.
    pub(super) fn note_erased(&mut self, entity: Entity, id: AnyId) {
        self.erased.push((entity, id));
    }

    /// What this write has erased.
    pub(in crate::store) fn erased(&self) -> impl Iterator<Item = AnyId> {
        self.erased.iter().map(|(_, id)| *id)
    }

    /// The number of a record's change in this write.
    pub(super) fn number_of(&self, entity: Entity, id: AnyId) -> i64 {
        self.touched.get(&(entity, id)).map_or(self.seq, |touched| touched.seq)
    }

    /// Records that a record was created, updated or deleted.
    pub(super) fn touch(
        &mut self,
        entity: Entity,
        id: AnyId,
        op: Op,
        before: Option<Box<RawValue>>,
        fields: Vec<String>,
    ) {
        self.grown += match op {
            _ if is_derived(entity) => 0,
            Op::Created => 1,
            Op::Updated => 0,
            Op::Deleted => -1,
        };
        let Some(earlier) = self.touched.remove(&(entity, id)) else {
            self.seq += 1;
            let new = Touched { seq: self.seq, op, before, fields, merged_into: None, is_logged: false };
            self.touched.insert((entity, id), new);
            return;
        };
        if earlier.is_logged {
            self.outdated.push(earlier.seq);
        }
        let op = match (earlier.op, op) {
            // It never was, for anybody outside of this write.
            (Op::Created, Op::Deleted) => return,
            (Op::Created, _) => Op::Created,
            (Op::Deleted, Op::Created) => Op::Updated,
            (_, op) => op,
        };
        let mut all_fields = if op == Op::Deleted { Vec::new() } else { [earlier.fields, fields].concat() };
        all_fields.sort();
        all_fields.dedup();
        let before = earlier.before.or(before);
        let seq = if earlier.is_logged { self.seq + 1 } else { earlier.seq };
        self.seq = self.seq.max(seq);
        let again = Touched { seq, op, before, fields: all_fields, merged_into: None, is_logged: false };
        self.touched.insert((entity, id), again);
    }
}
