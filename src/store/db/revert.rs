//! Undo of anything: takes back the whole write that a change belongs to, and names what it leaves alone.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::changes::{ChangeRow, refers_to_one_of, survivor, write_of};
use super::conn::{check_foreign_keys, defer_foreign_keys};
use super::record::{Record, for_entity};
use super::rows::{from_json, referred};
use super::schema::changes;
use super::types::{AnyId, AsJson};
use super::write::Tx;
use crate::domain::entity::{Entity, Op, REFERENCES};
use crate::store::error::{Conflict, Error, LeftAlone, LeftAloneReason, Result};
use crate::store::tags::carries;

/// What a revert does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was deleted and exists again.
    Restored,
    /// It was changed and is what it was before.
    Reset,
    /// It was created and is gone.
    Removed,
}

impl Action {
    pub const ALL: [Self; 3] = [Self::Restored, Self::Reset, Self::Removed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Reset => "reset",
            Self::Removed => "removed",
        }
    }
}

/// What a revert did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Reverted {
    pub done: Vec<(Entity, AnyId, Action)>,
    pub left_alone: Vec<LeftAlone>,
}

/// One step back.
enum Step {
    Restore(Value),
    Reset(Value),
    Remove,
}

struct Planned {
    entity: Entity,
    id: AnyId,
    step: Step,
}

impl Tx<'_> {
    /// Takes back the write that the change of this number belongs to. With `dry_run` it only tells.
    pub fn revert(&mut self, version: i64, dry_run: bool) -> Result<Reverted> {
        let rows = self.changes_of_write(version)?;
        self.take_back(rows, dry_run)
    }

    /// The changes of the write that the change of this number belongs to, newest first.
    fn changes_of_write(&mut self, version: i64) -> Result<Vec<ChangeRow>> {
        let write_seq = write_of(self.conn, self.workspace, version)?;
        // This very write, of which an earlier operation of a batch has made a part: it is not done yet.
        if self.write_number() == Some(write_seq) {
            return Err(Error::NotFound);
        }
        Ok(changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::write_seq.eq(write_seq))
            .order(changes::seq.desc())
            .select(ChangeRow::as_select())
            .load(self.conn)?)
    }

    fn take_back(&mut self, rows: Vec<ChangeRow>, dry_run: bool) -> Result<Reverted> {
        let mut reverted = Reverted::default();
        let mut planned = Vec::new();
        // What carries a label is changed by what is done to the tag, as what refers to a record is by its delete.
        let is_of_tags = rows.iter().any(|row| row.entity == Entity::Tag && row.op != Op::Created);
        for row in rows {
            let (entity, id) = (row.entity, row.record_id);
            match self.plan(row, is_of_tags)? {
                Ok(step) => planned.push(Planned { entity, id, step }),
                Err(reason) => reverted.left_alone.push(LeftAlone { entity, id, reason }),
            }
        }
        self.leave_dangling_alone(&mut planned, &mut reverted.left_alone)?;
        if planned.is_empty() && !dry_run {
            return Err(Conflict::RevertBlocked(reverted.left_alone).into());
        }
        for Planned { entity, id, step } in &planned {
            let action = match step {
                Step::Restore(_) => Action::Restored,
                Step::Reset(_) => Action::Reset,
                Step::Remove => Action::Removed,
            };
            reverted.done.push((*entity, *id, action));
        }
        if !dry_run {
            self.apply(planned)?;
        }
        Ok(reverted)
    }

    /// Finds the delete of a record and takes it back, with what went along; what else the same write did stays. A
    /// record that exists is left as it is.
    pub fn restore(&mut self, entity: Entity, id: AnyId) -> Result<Reverted> {
        if self.find_row(entity, id)?.is_some() {
            return Ok(Reverted::default());
        }
        let Some((version, Op::Deleted, _)) = self.newest_change(entity, id)? else { return Err(Error::NotFound) };
        let rows = self.changes_of_write(version)?;
        // What was merged is in the survivor by now: only all of the merge can be taken back.
        let is_merged = survivor(self.conn, self.workspace, entity, id)?.is_some();
        let rows = if is_merged { rows } else { gone_along(rows, entity, id) };
        let reverted = match self.take_back(rows, false) {
            Err(Error::Conflict(Conflict::RevertBlocked(why))) => {
                return Err(Conflict::RestoreBlocked(why).into());
            }
            other => other?,
        };
        if reverted.done.iter().any(|(kind, restored, _)| *kind == entity && *restored == id) {
            Ok(reverted)
        } else {
            Err(Conflict::RestoreBlocked(reverted.left_alone).into())
        }
    }

    /// The step back for one change, or why there is none.
    fn plan(&mut self, row: ChangeRow, is_of_tags: bool) -> Result<std::result::Result<Step, LeftAloneReason>> {
        let now = self.find_row(row.entity, row.record_id)?;
        // Changed again, and what it was right after this change.
        let since = now.as_ref().is_some_and(|now| version_of(now) != row.seq);
        let after = if since && row.op != Op::Deleted { self.after(&row)? } else { None };
        let is_as_after = match (&now, &after) {
            (Some(now), Some(after)) => said(now) == said(after),
            _ => !since,
        };
        let before = row.before.map(|json| json.0);
        Ok(match (row.op, now, before) {
            (Op::Deleted, Some(_), _) => Err(LeftAloneReason::IdTaken),
            (Op::Deleted, None, Some(before)) => Ok(Step::Restore(before)),
            (Op::Created, None, _) | (Op::Updated, None, _) => Err(LeftAloneReason::ChangedSince),
            (Op::Created, Some(_), _) if !is_as_after => Err(LeftAloneReason::ChangedSince),
            (Op::Created, Some(now), _) if now.get("is_self") == Some(&Value::Bool(true)) => {
                Err(LeftAloneReason::SelfContact)
            }
            (Op::Created, Some(_), _) => Ok(Step::Remove),
            (_, _, None) => Err(LeftAloneReason::NoLongerKept),
            (Op::Updated, Some(_), Some(before)) if is_as_after => Ok(Step::Reset(before)),
            (Op::Updated, Some(now), Some(before)) => {
                let relinked = relinked(row.entity, &now, &before, &row.fields.0);
                let relabelled = || {
                    let after = after.filter(|_| is_of_tags && row.fields.0 == ["tags"])?;
                    relabelled(&now, &before, &after)
                };
                match relinked.or_else(relabelled) {
                    Some(before) => Ok(Step::Reset(before)),
                    None => Err(LeftAloneReason::ChangedSince),
                }
            }
        })
    }

    /// What a record was right after a change: what it was before the next one, while that is kept.
    fn after(&mut self, row: &ChangeRow) -> Result<Option<Value>> {
        let next: Option<Option<AsJson<Value>>> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(row.record_id))
            .filter(changes::entity.eq(row.entity))
            .filter(changes::seq.gt(row.seq))
            .order(changes::seq.asc())
            .select(changes::before)
            .limit(1)
            .load(self.conn)?
            .pop();
        Ok(next.flatten().map(|json| json.0))
    }

    /// The record that this one was merged into when it was last deleted.
    fn last_merged_into(&mut self, entity: Entity, id: AnyId) -> Result<Option<AnyId>> {
        let last: Option<Option<AnyId>> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(id))
            .filter(changes::entity.eq(entity))
            .filter(changes::op.eq(Op::Deleted))
            .order(changes::seq.desc())
            .select(changes::merged_into_id)
            .limit(1)
            .load(self.conn)?
            .pop();
        Ok(last.flatten())
    }

    /// Drops the steps that would leave a reference to nothing, until none is left: a record restored may be what
    /// another one refers to.
    fn leave_dangling_alone(&mut self, planned: &mut Vec<Planned>, left_alone: &mut Vec<LeftAlone>) -> Result<()> {
        loop {
            let restored: BTreeSet<(Entity, AnyId)> = planned
                .iter()
                .filter(|planned| matches!(planned.step, Step::Restore(_)))
                .map(|planned| (planned.entity, planned.id))
                .collect();
            let removed: BTreeSet<(Entity, AnyId)> = planned
                .iter()
                .filter(|planned| matches!(planned.step, Step::Remove))
                .map(|planned| (planned.entity, planned.id))
                .collect();
            let reset: BTreeMap<(Entity, AnyId), &Value> = planned
                .iter()
                .filter_map(|planned| match &planned.step {
                    Step::Reset(before) => Some(((planned.entity, planned.id), before)),
                    _ => None,
                })
                .collect();
            let mut dropped = None;
            for (index, step) in planned.iter().enumerate() {
                if let Some(reason) = self.dangling(step, &restored, &removed, &reset)? {
                    dropped = Some((index, reason));
                    break;
                }
            }
            let Some((index, reason)) = dropped else { return Ok(()) };
            let Planned { entity, id, .. } = planned.remove(index);
            left_alone.push(LeftAlone { entity, id, reason });
        }
    }

    fn dangling(
        &mut self,
        planned: &Planned,
        restored: &BTreeSet<(Entity, AnyId)>,
        removed: &BTreeSet<(Entity, AnyId)>,
        reset: &BTreeMap<(Entity, AnyId), &Value>,
    ) -> Result<Option<LeftAloneReason>> {
        match &planned.step {
            Step::Restore(record) | Step::Reset(record) => {
                for reference in REFERENCES.iter().filter(|reference| reference.from == planned.entity) {
                    let Some(id) = referred(reference, record) else { continue };
                    let target = (reference.to, id);
                    let exists = restored.contains(&target)
                        || (self.find_row(reference.to, id)?.is_some() && !removed.contains(&target));
                    if !exists {
                        return Ok(Some(LeftAloneReason::ReferenceGone));
                    }
                }
                if self.is_circular(planned, record, reset)? {
                    return Ok(Some(LeftAloneReason::Circular));
                }
                let (own_key, holder) = for_entity!(planned.entity, Kind => {
                    let record = from_json::<Kind>(record.clone())?;
                    (record.unique_key(), self.unique_holder(&record)?)
                });
                if let Some(holder) = holder.map(|id| (planned.entity, id)) {
                    let renamed = match reset.get(&holder) {
                        None => false,
                        Some(to) => for_entity!(planned.entity, Kind => {
                            from_json::<Kind>((*to).clone())?.unique_key() != own_key
                        }),
                    };
                    if !renamed && !removed.contains(&holder) {
                        return Ok(Some(LeftAloneReason::NameTaken));
                    }
                }
            }
            Step::Remove => {
                let label = match self.find_row(planned.entity, planned.id)? {
                    None => None,
                    Some(row) => for_entity!(planned.entity, Kind => {
                        from_json::<Kind>(row)?.carried_as().map(str::to_owned)
                    }),
                };
                for carrier in label.as_deref().map(|label| self.carriers(label)).transpose()?.unwrap_or_default()
                {
                    let lets_go = removed.contains(&carrier)
                        || reset
                            .get(&carrier)
                            .is_some_and(|to| !carries(to, label.as_deref().unwrap_or_default()));
                    if !lets_go {
                        return Ok(Some(LeftAloneReason::HasGainedReferences));
                    }
                }
                for reference in REFERENCES.iter().filter(|reference| reference.to == planned.entity) {
                    for referring in self.referring(reference, planned.id)? {
                        let id = referring.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
                        let lets_go = id.map(|id| (reference.from, AnyId::new(id))).is_some_and(|referring| {
                            removed.contains(&referring)
                                || reset
                                    .get(&referring)
                                    .is_some_and(|to| referred(reference, to) != Some(planned.id))
                        });
                        if !lets_go {
                            return Ok(Some(LeftAloneReason::HasGainedReferences));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    /// Whether an organization would belong to itself, by way of others.
    fn is_circular(
        &mut self,
        planned: &Planned,
        record: &Value,
        reset: &BTreeMap<(Entity, AnyId), &Value>,
    ) -> Result<bool> {
        let above = REFERENCES.iter().find(|reference| reference.from == planned.entity && reference.is_parent());
        let Some(above) = above else { return Ok(false) };
        let mut parent = referred(above, record);
        let mut seen = BTreeSet::from([planned.id]);
        while let Some(id) = parent {
            if !seen.insert(id) {
                return Ok(id == planned.id);
            }
            parent = match reset.get(&(planned.entity, id)) {
                Some(to) => referred(above, to),
                None => self.find_row(planned.entity, id)?.and_then(|row| referred(above, &row)),
            };
        }
        Ok(false)
    }

    /// Restores first, so that what is re-linked finds what it refers to; removes last.
    fn apply(&mut self, planned: Vec<Planned>) -> Result<()> {
        defer_foreign_keys(self.conn)?;
        // Labels come before what carries them, which would otherwise make them anew.
        let mut planned = planned;
        planned.sort_by_key(|planned| planned.entity != Entity::Tag);
        let (restores, rest): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|planned| matches!(planned.step, Step::Restore(_)));
        let (resets, mut removes): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|planned| matches!(planned.step, Step::Reset(_)));
        for Planned { entity, step, .. } in restores {
            if let Step::Restore(record) = step {
                self.restore_row(entity, record)?;
            }
        }
        // Names come back one after the other, and two of them may have changed places; the plan is free of doubles.
        self.checks_names = false;
        for Planned { entity, id, step } in resets {
            if let Step::Reset(mut before) = step {
                // As it is by now: what was done to a tag was done to what carries it.
                let now = self.find_row(entity, id)?.ok_or(Error::NotFound)?;
                // The version is the write's to give.
                for head in ["version", "updated_at"] {
                    if let (Some(value), Some(place)) = (now.get(head), before.get_mut(head)) {
                        *place = value.clone();
                    }
                }
                self.update_row(entity, now, before)?;
            }
        }
        self.checks_names = true;
        removes.sort_by_key(|planned| planned.entity == Entity::Tag);
        for Planned { entity, id, .. } in removes {
            if let Some(record) = self.find_row(entity, id)? {
                let merged_into = self.last_merged_into(entity, id)?;
                self.delete_row(entity, record)?;
                // A merge that was taken back is done again.
                if let Some(survivor) = merged_into {
                    self.note_survivor(entity, id, survivor);
                }
            }
        }
        Ok(check_foreign_keys(self.conn)?)
    }
}

/// Of the changes of a write, the delete of a record and what it did to those that referred to it, or carried it.
fn gone_along(rows: Vec<ChangeRow>, entity: Entity, id: AnyId) -> Vec<ChangeRow> {
    let mut gone = BTreeSet::from([(entity, id)]);
    loop {
        let deleted = rows.iter().filter(|row| row.op == Op::Deleted && refers_to_one_of(row, &gone));
        let found: BTreeSet<_> = deleted.map(|row| (row.entity, row.record_id)).collect();
        if found.is_subset(&gone) {
            break;
        }
        gone.extend(found);
    }
    let own = rows.iter().find(|row| row.entity == Entity::Tag && (row.entity, row.record_id) == (entity, id));
    let label = own.and_then(|row| Some(row.before.as_ref()?.0.get("name")?.as_str()?.to_owned()));
    let carried_it = |row: &ChangeRow| {
        label.as_deref().zip(row.before.as_ref()).is_some_and(|(label, before)| carries(&before.0, label))
    };
    let is_of_it = |row: &ChangeRow| match row.op {
        Op::Created => false,
        Op::Updated => refers_to_one_of(row, &gone) || carried_it(row),
        Op::Deleted => gone.contains(&(row.entity, row.record_id)),
    };
    rows.into_iter().filter(is_of_it).collect()
}

/// What a record says, without what each write stamps on it.
fn said(record: &Value) -> Value {
    let mut said = record.clone();
    if let Some(members) = said.as_object_mut() {
        ["version", "updated_at"].iter().for_each(|stamp| drop(members.remove(*stamp)));
    }
    said
}

/// A record whose labels a write on a tag changed may have changed since in other ways: what that write took away comes
/// back where the other label is, and what it put there goes.
fn relabelled(now: &Value, before: &Value, after: &Value) -> Option<Value> {
    let labels =
        |record: &Value| -> Option<Vec<String>> { serde_json::from_value(record.get("tags")?.clone()).ok() };
    let (old, new) = (labels(before)?, labels(after)?);
    let mut lost: Vec<&String> = old.iter().filter(|label| !new.contains(label)).collect();
    let mut back: Vec<String> = Vec::new();
    for label in labels(now)? {
        if old.contains(&label) || !new.contains(&label) {
            back.push(label);
        } else if !lost.is_empty() {
            back.push(lost.remove(0).clone());
        }
    }
    back.extend(lost.into_iter().cloned());
    let mut relabelled = now.clone();
    *relabelled.get_mut("tags")? = serde_json::to_value(back).ok()?;
    Some(relabelled)
}

fn version_of(record: &Value) -> i64 {
    record.get("version").and_then(Value::as_i64).unwrap_or(0)
}

/// A record whose reference a delete cleared may have changed since in other ways: what is still unlinked is linked
/// again. `None` where the change did more than clear references, or the place was filled since.
fn relinked(entity: Entity, now: &Value, before: &Value, fields: &[String]) -> Option<Value> {
    let mut relinked = now.clone();
    let mut any = false;
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let (Some(old), None) = (referred(reference, before), referred(reference, now)) else { continue };
        *place_at(&mut relinked, reference.pointer)? = Value::String(old.uuid().to_string());
        any = true;
    }
    let only_references = fields.iter().all(|field| {
        REFERENCES.iter().any(|reference| {
            reference.from == entity && reference.pointer.trim_start_matches('/').split('/').next() == Some(field)
        })
    });
    (any && only_references && differs_in_references_only(entity, now, before, fields)).then_some(relinked)
}

/// Whether, but for references, the changed fields are what they were.
fn differs_in_references_only(entity: Entity, now: &Value, before: &Value, fields: &[String]) -> bool {
    let unlinked = |record: &Value| {
        let mut record = record.clone();
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            if let Some(place) = record.pointer_mut(reference.pointer) {
                *place = Value::Null;
            }
        }
        record
    };
    // An object that holds nothing counts as none.
    let plain = |value: Option<&Value>| match value {
        Some(Value::Object(members)) if members.values().all(Value::is_null) => Value::Null,
        Some(value) => value.clone(),
        None => Value::Null,
    };
    let (now, before) = (unlinked(now), unlinked(before));
    fields.iter().all(|field| plain(now.get(field)) == plain(before.get(field)))
}

/// The place a pointer names, made where what should hold it is null.
fn place_at<'v>(record: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    pointer.split('/').skip(1).try_fold(record, |place, name| {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        Some(place.as_object_mut()?.entry(name).or_insert(Value::Null))
    })
}
