//! The one way to write records: each touched record gets the next number of its workspace's sequence and one change
//! in the log, in the transaction of the write. Nothing here knows a kind of record.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::checks::Precondition;
use super::conn::{Conn, begin_savepoint, roll_back_savepoint};
use super::idempotency;
use super::keys;
use super::record::{Record, for_entity};
use super::rows::json;
use super::schema::{changes, workspaces};
use super::search;
use super::select::{Predicate, Select};
use super::types::{AnyId, AsJson};
use crate::clock::Ids;
use crate::domain::entity::{Entity, OnDelete, Op, REFERENCES};
use crate::domain::id::{TokenId, UserId, WorkspaceId};
use crate::domain::merge_patch::changed_fields;
use crate::domain::timestamp::Timestamp;
use crate::store::error::{Conflict, Result};

/// Who writes, as the log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub user: UserId,
    /// The personal access token used, if one was.
    pub token: Option<TokenId>,
}

/// How long what a record was before a change is kept, and so how long a deleted id stays reserved.
pub const UNDO_DAYS: i64 = 30;

/// A write in progress. Everything done through it commits together, or not at all.
pub struct Tx<'c> {
    pub(in crate::store) conn: &'c mut Conn,
    pub(in crate::store) workspace: WorkspaceId,
    pub(in crate::store) workspace_number: i64,
    actor: Actor,
    now: Timestamp,
    ids: &'c Ids,
    first_seq: i64,
    seq: i64,
    pub(super) touched: BTreeMap<(Entity, AnyId), Touched>,
    pub(super) erased: Vec<(Entity, AnyId)>,
    /// Records that are found by more or less than before, because of what others tell of them.
    found_anew: BTreeSet<(Entity, AnyId)>,
    /// How many of `erased` the kept answers and the search index have forgotten already.
    forgotten: usize,
    /// Whether what is written is a plan of `plan.rs`, which has looked at every name and every label: names come back one
    /// after the other, and two of them may have changed places.
    pub(super) is_planned: bool,
    /// Numbers that are in the log and no longer anybody's.
    outdated: Vec<i64>,
}

/// A record touched in this write. Touched again, it keeps what it was at first; and its number, unless that is in the
/// log, and so was told, already.
#[derive(Clone)]
pub(super) struct Touched {
    seq: i64,
    pub(super) op: Op,
    before: Option<Value>,
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
        ids: &'c Ids,
        now: Timestamp,
        workspace: WorkspaceId,
        actor: Actor,
    ) -> Result<Self> {
        let (seq, workspace_number) = diesel::update(workspaces::table.filter(workspaces::id.eq(workspace)))
            .set(workspaces::seq.eq(workspaces::seq))
            .returning((workspaces::seq, workspaces::number))
            .get_result::<(i64, i64)>(conn)?;
        let first_seq = seq + 1;
        Ok(Self {
            conn,
            workspace,
            workspace_number,
            actor,
            now,
            ids,
            first_seq,
            seq,
            touched: BTreeMap::new(),
            erased: Vec::new(),
            found_anew: BTreeSet::new(),
            forgotten: 0,
            is_planned: false,
            outdated: Vec::new(),
        })
    }

    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new time-ordered id.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ids.uuid(self.now.instant())
    }

    /// Writes the log and the sequence; the caller commits.
    pub(in crate::store) fn finish(mut self) -> Result<()> {
        self.log()
    }

    /// Writes the log and the sequence so far, so that what is read next in this transaction tells of it.
    pub(in crate::store) fn log(&mut self) -> Result<()> {
        self.index_found_anew()?;
        let Self { conn, workspace, actor, now, first_seq, seq, touched, erased, forgotten, outdated, .. } = self;
        let (conn, workspace, now) = (&mut **conn, *workspace, *now);
        if !outdated.is_empty() {
            let rows = changes::table
                .filter(changes::workspace_id.eq(workspace))
                .filter(changes::seq.eq_any(std::mem::take(outdated)));
            diesel::delete(rows).execute(conn)?;
        }
        for ((entity, id), touched) in touched.iter_mut().filter(|(_, touched)| !touched.is_logged) {
            touched.is_logged = true;
            let Touched { seq, op, before, fields, merged_into, is_logged: _ } = touched;
            let kept = if erased.contains(&(*entity, *id)) { None } else { before.clone() };
            diesel::insert_into(changes::table)
                .values((
                    changes::workspace_id.eq(workspace),
                    changes::seq.eq(*seq),
                    changes::write_seq.eq(*first_seq),
                    changes::entity.eq(*entity),
                    changes::record_id.eq(*id),
                    changes::op.eq(*op),
                    changes::actor_user_id.eq(actor.user),
                    changes::actor_token_id.eq(actor.token),
                    changes::at.eq(now),
                    changes::fields.eq(AsJson(fields.clone())),
                    changes::before.eq(kept.map(AsJson)),
                    changes::merged_into_id.eq(*merged_into),
                ))
                .execute(conn)?;
        }
        let new: Vec<AnyId> = erased.iter().skip(*forgotten).map(|(_, id)| *id).collect();
        if !new.is_empty() {
            idempotency::forget_naming(conn, workspace, &new)?;
            search::forget_deleted(conn)?;
            *forgotten = erased.len();
        }
        if seq >= first_seq {
            diesel::update(workspaces::table.filter(workspaces::id.eq(workspace)))
                .set(workspaces::seq.eq(*seq))
                .execute(conn)?;
        }
        Ok(())
    }

    /// What the changes of this write have in the log as their write, by which it can be taken back; `None` while there
    /// are none.
    pub fn write_number(&self) -> Option<i64> {
        (!self.touched.is_empty()).then_some(self.first_seq)
    }

    /// Does the work to see what comes of it, and takes it back.
    pub fn rehearse<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (seq, touched, erased) = (self.seq, self.touched.clone(), self.erased.clone());
        let (found_anew, outdated) = (self.found_anew.clone(), self.outdated.clone());
        begin_savepoint(self.conn)?;
        let outcome = work(self);
        roll_back_savepoint(self.conn)?;
        (self.seq, self.touched, self.erased) = (seq, touched, erased);
        (self.found_anew, self.outdated) = (found_anew, outdated);
        outcome
    }

    // What a resource calls.

    pub fn find<R: Record>(&mut self, id: AnyId) -> Result<Option<R>> {
        let select = Select { limit: 1, ..Select::all(self.workspace, Predicate::id(id)) };
        Ok(R::select(self.conn, select)?.pop())
    }

    /// The record, if it exists and the precondition holds.
    pub fn get<R: Record>(&mut self, id: AnyId, precondition: &Precondition) -> Result<R> {
        let Some(row) = self.find::<R>(id)? else { return Err(self.missing(R::ENTITY, id)?) };
        precondition.check(Some(row.version()))?;
        Ok(row)
    }

    /// Makes a record; its id has to be free, and what it refers to has to exist.
    pub fn create<R: Record>(&mut self, row: R) -> Result<R> {
        self.check_id_is_free::<R>(row.id())?;
        self.check_references(R::ENTITY, None, &json(&row)?)?;
        self.check_unique(None, &row)?;
        self.insert(row)
    }

    pub(super) fn insert<R: Record>(&mut self, mut row: R) -> Result<R> {
        if let Some(labels) = row.labels() {
            self.keep_tags(labels)?;
        }
        let fields = self.fields_unlike_deleted(&row)?;
        self.touch(R::ENTITY, row.id(), Op::Created, None, fields);
        row.stamp(self.number_of(R::ENTITY, row.id()), self.now);
        row.insert(self.conn, self.workspace)?;
        keys::write(self.conn, self.workspace, R::ENTITY, row.id(), &row.keys())?;
        // Nothing can tell of it yet.
        self.write_search_document(&row, "")?;
        self.find_anew(&row)?;
        Ok(row)
    }

    /// Writes the row if it differs; one that does not keeps its version.
    pub fn update<R: Record>(&mut self, before: &R, mut after: R) -> Result<R> {
        let (old, mut new) = (json(before)?, json(&after)?);
        if old.get("tags") != new.get("tags")
            && let Some(labels) = after.labels()
        {
            self.keep_tags(labels)?;
            new = json(&after)?;
        }
        let fields = changed_fields(&old, &new);
        if fields.is_empty() {
            return Ok(before.clone());
        }
        self.check_references(R::ENTITY, Some(&old), &new)?;
        self.check_unique(Some(before), &after)?;
        self.touch(R::ENTITY, after.id(), Op::Updated, Some(old), fields);
        after.stamp(self.number_of(R::ENTITY, after.id()), self.now);
        after.update(self.conn, self.workspace)?;
        keys::write(self.conn, self.workspace, R::ENTITY, after.id(), &after.keys())?;
        // Half of the cost of a write; most edits change nothing that is searched.
        if before.search_text() != after.search_text() {
            let context = after.context(self.conn, self.workspace)?;
            self.write_search_document(&after, &context)?;
        }
        if before.told() != after.told() {
            self.find_anew(before)?;
            self.find_anew(&after)?;
        }
        if let (Some(old), Some(new), false) = (before.carried_as(), after.carried_as(), self.is_planned)
            && old != new
        {
            self.relabel(old, Some(new))?;
        }
        Ok(after)
    }

    /// Deletes the record with all that goes along, and detaches the rest. Clearing and taking along go by
    /// `REFERENCES`; the record goes last.
    pub fn delete<R: Record>(&mut self, row: &R) -> Result<()> {
        if row.is_permanent() {
            return Err(Conflict::SelfContact.into());
        }
        if let (Some(label), false) = (row.carried_as(), self.is_planned) {
            self.relabel(label, None)?;
        }
        for reference in REFERENCES.iter().filter(|reference| reference.to == R::ENTITY) {
            for referring in self.referring(reference, row.id())? {
                match reference.on_delete {
                    OnDelete::TakeAlong => self.delete_row(reference.from, referring)?,
                    OnDelete::Clear => {
                        let mut cleared = referring.clone();
                        if let Some(place) = cleared.pointer_mut(reference.pointer) {
                            *place = Value::Null;
                        }
                        self.update_row(reference.from, referring, cleared)?;
                    }
                    OnDelete::KeepName(kept) => {
                        let mut detached = referring.clone();
                        if let Some(place) = detached.pointer_mut(reference.pointer) {
                            *place = Value::Null;
                        }
                        if let Some(place) = detached.pointer_mut(kept).filter(|place| place.is_null()) {
                            *place = json(row)?.get("name").cloned().unwrap_or_default();
                        }
                        self.update_row(reference.from, referring, detached)?;
                    }
                }
            }
        }
        self.find_anew(row)?;
        self.touch(R::ENTITY, row.id(), Op::Deleted, Some(json(row)?), Vec::new());
        keys::write(self.conn, self.workspace, R::ENTITY, row.id(), &[])?;
        search::unindex(self.conn, self.workspace, R::ENTITY, row.id())?;
        R::delete(self.conn, self.workspace, row.id())?;
        Ok(())
    }

    pub fn exists(&mut self, entity: Entity, id: AnyId) -> Result<bool> {
        Ok(self.find_row(entity, id)?.is_some())
    }

    /// Whether the log tells of a record with this id that is gone.
    pub fn was_deleted(&mut self, entity: Entity, id: AnyId) -> Result<bool> {
        Ok(self.newest_change(entity, id)?.is_some_and(|(_, op, _)| op == Op::Deleted))
    }

    /// Number, kind and time of the last change of a record.
    pub(super) fn newest_change(&mut self, entity: Entity, id: AnyId) -> Result<Option<(i64, Op, Timestamp)>> {
        let newest = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(id))
            .filter(changes::entity.eq(entity))
            .order(changes::seq.desc())
            .select((changes::seq, changes::op, changes::at))
            .limit(1)
            .load(self.conn)?;
        Ok(newest.into_iter().next())
    }

    /// Makes anew what is derived from a record: its tags, its keys, its search document.
    pub(in crate::store) fn derive<R: Record>(&mut self, mut row: R) -> Result<()> {
        let before = row.clone();
        if let Some(labels) = row.labels() {
            self.keep_tags(labels)?;
        }
        let row = self.update(&before, row)?;
        keys::write(self.conn, self.workspace, R::ENTITY, row.id(), &row.keys())?;
        let context = row.context(self.conn, self.workspace)?;
        self.write_search_document(&row, &context)
    }

    /// Notes of a record deleted in this write that it lives on in another one.
    pub(in crate::store) fn note_survivor(&mut self, entity: Entity, id: AnyId, survivor: AnyId) {
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

    // Inner steps.

    /// The fields in which a record that is made differs from one of the same id that this write has deleted.
    fn fields_unlike_deleted<R: Record>(&self, row: &R) -> Result<Vec<String>> {
        let before = self.touched.get(&(R::ENTITY, row.id())).and_then(|touched| touched.before.as_ref());
        let Some(before) = before else { return Ok(Vec::new()) };
        let mut fields = changed_fields(before, &json(row)?);
        // What each write stamps on it.
        fields.retain(|name| name != "version" && name != "updated_at");
        Ok(fields)
    }

    /// What this record tells of is to be found by it, or by it no longer.
    fn find_anew<R: Record>(&mut self, row: &R) -> Result<()> {
        let told_of = row.tells_of(self.conn, self.workspace)?;
        self.found_anew.extend(told_of);
        Ok(())
    }

    fn index_found_anew(&mut self) -> Result<()> {
        for (entity, id) in std::mem::take(&mut self.found_anew) {
            for_entity!(entity, Kind => {
                if let Some(row) = self.find::<Kind>(id)? {
                    let context = row.context(self.conn, self.workspace)?;
                    self.write_search_document(&row, &context)?;
                }
            });
        }
        Ok(())
    }

    fn write_search_document<R: Record>(&mut self, row: &R, context: &str) -> Result<()> {
        if let Some(mut found_by) = row.search_text() {
            found_by.text = format!("{}\n{context}", found_by.text);
            search::index(self.conn, self.workspace, self.workspace_number, R::ENTITY, row.id(), &found_by)?;
        }
        Ok(())
    }

    fn number_of(&self, entity: Entity, id: AnyId) -> i64 {
        self.touched.get(&(entity, id)).map_or(self.seq, |touched| touched.seq)
    }

    fn touch(&mut self, entity: Entity, id: AnyId, op: Op, before: Option<Value>, fields: Vec<String>) {
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
