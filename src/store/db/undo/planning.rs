//! Planning to take back a write: a step for each of its changes. What blocks a step is told in `obstacles.rs`, and
//! `revert.rs` carries them out; nothing is written here.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

use super::labels::{BeforeAfterNow, labels_of, relabel, tag_names};
use super::obstacles::drop_blocked_steps;
use super::plan::{Plan, RecordRef, RevertScope, Step, Written, without_stamps};
use crate::domain::entity::{Entity, OnDelete, Op, REFERENCES};
use crate::domain::tag::CARRIERS;
use crate::domain::text;
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::types::{AnyId, AsJson};
use crate::store::db::write::changes::ChangeRow;
use crate::store::db::write::json::referred;
use crate::store::db::write::lookup::find_json;
use crate::store::db::write::tx::Tx;
use crate::store::error::{LeftAloneReason, Result};
use crate::store::tags::carries;

pub(super) fn make_plan(tx: &mut Tx<'_>, write: Written, scope: RevertScope) -> Result<Plan> {
    let mut plan = Plan::default();
    let deleted = write.rows.iter().filter(|row| row.op == Op::Deleted);
    let gone: BTreeMap<RecordRef, Value> =
        deleted.filter_map(|row| Some(((row.entity, row.record_id), row.before.as_ref()?.0.clone()))).collect();
    let tags = || write.rows.iter().filter(|row| row.entity == Entity::Tag && row.op != Op::Created);
    plan.tags = tags().map(|row| row.record_id).collect();
    plan.has_forgotten_tag = tags().any(|row| row.before.is_none());
    let mut texts: BTreeMap<RecordRef, BeforeAfterNow<Vec<String>>> = BTreeMap::new();
    for row in write.rows {
        let place = (row.entity, row.record_id);
        let record = before_after_now(tx, &row)?;
        let step = match (scope, row.op) {
            (RevertScope::Deletes, Op::Updated) => Ok(links_back(row.entity, &record, &gone)),
            _ if row.op == Op::Deleted && record.before.is_none() && !existed(tx, &row)? => Ok(None),
            _ => step_back(row.op, row.entity, &record, &gone, !plan.tags.is_empty()),
        };
        match step {
            Ok(None) => {}
            Ok(Some(step)) => {
                if CARRIERS.contains(&row.entity) && step.record().is_some() {
                    texts.insert(place, labels_at(record, scope, &gone, &plan.tags));
                }
                plan.take(place, step);
            }
            Err(reason) => plan.leave_alone(place, reason),
        }
    }
    let all = texts.values().flat_map(|texts| [&texts.before, &texts.after, &texts.now]).flatten();
    plan.names = tag_names(tx, all, write.number, write.last)?;
    plan.labels = texts.into_iter().map(|(place, texts)| (place, plan.names.resolve(texts))).collect();
    drop_blocked_steps(tx, &mut plan)?;
    Ok(plan)
}

/// A record before a change, right after it, and now.
fn before_after_now(tx: &mut Tx<'_>, row: &ChangeRow) -> Result<BeforeAfterNow<Option<Value>>> {
    let now = find_json(tx, row.entity, row.record_id)?;
    let is_newest = now.as_ref().is_some_and(|now| version_of(now) == row.seq);
    let after = match row.op {
        Op::Deleted => None,
        _ if is_newest => now.clone(),
        // What it was before the next change, while that is kept.
        _ => before_next(tx, row)?,
    };
    Ok(BeforeAfterNow { before: row.before.as_ref().map(|json| json.0.clone()), after, now })
}

fn before_next(tx: &mut Tx<'_>, row: &ChangeRow) -> Result<Option<Value>> {
    let next: Option<Option<AsJson<Value>>> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(row.record_id))
        .filter(changes::entity.eq(row.entity))
        .filter(changes::seq.gt(row.seq))
        .order(changes::seq.asc())
        .select(changes::before)
        .limit(1)
        .load(tx.conn)?
        .pop();
    Ok(next.flatten().map(|json| json.0))
}

/// Whether the log tells of the record before this change. One that a write made and merged has a tombstone only.
fn existed(tx: &mut Tx<'_>, row: &ChangeRow) -> Result<bool> {
    let earlier = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(row.record_id))
        .filter(changes::entity.eq(row.entity))
        .filter(changes::seq.lt(row.seq));
    Ok(diesel::select(diesel::dsl::exists(earlier)).get_result(tx.conn)?)
}

/// The step back for one change, or why there is none.
fn step_back(
    op: Op,
    entity: Entity,
    record: &BeforeAfterNow<Option<Value>>,
    gone: &BTreeMap<RecordRef, Value>,
    is_of_tags: bool,
) -> std::result::Result<Option<Step>, LeftAloneReason> {
    let BeforeAfterNow { before, after, now } = record;
    let is_as_after = match (now, after) {
        (Some(now), Some(after)) => without_stamps(now) == without_stamps(after),
        _ => false,
    };
    match (op, now, before) {
        (Op::Deleted, Some(_), _) => Err(LeftAloneReason::IdTaken),
        (Op::Deleted, None, Some(before)) => Ok(Some(Step::Restore(before.clone()))),
        (Op::Created | Op::Updated, None, _) => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(_), _) if !is_as_after => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(now), _) if now.get("is_self") == Some(&Value::Bool(true)) => {
            Err(LeftAloneReason::SelfContact)
        }
        (Op::Created, Some(_), _) => Ok(Some(Step::Remove)),
        (_, _, None) => Err(LeftAloneReason::NoLongerKept),
        (Op::Updated, Some(_), Some(before)) if is_as_after => Ok(Some(Step::Reset(before.clone()))),
        // What was done to a record or a tag was done to what refers to it, which may have changed since in other ways.
        (Op::Updated, Some(now), Some(before)) => {
            let after = after.as_ref().ok_or(LeftAloneReason::ChangedSince)?;
            let links = Links::of(entity, before, after, now, gone);
            let is_relabelled = is_of_tags && labels_of(before) != labels_of(after);
            let did_no_more =
                without_links(entity, before, gone, is_of_tags) == without_links(entity, after, gone, is_of_tags);
            if did_no_more && !links.is_filled && (links.is_back || is_relabelled) {
                Ok(Some(Step::Reset(links.record)))
            } else {
                Err(LeftAloneReason::ChangedSince)
            }
        }
    }
}

/// The step that links a record again to what was deleted, where it still refers to nothing or carried a tag.
fn links_back(
    entity: Entity,
    record: &BeforeAfterNow<Option<Value>>,
    gone: &BTreeMap<RecordRef, Value>,
) -> Option<Step> {
    let (before, now) = (record.before.as_ref()?, record.now.as_ref()?);
    let links = Links::of(entity, before, record.after.as_ref().unwrap_or(now), now, gone);
    let carried = gone_labels(gone).any(|label| carries(before, label));
    (links.is_back || carried).then_some(Step::Reset(links.record))
}

/// A record with its links as they were.
struct Links {
    record: Value,
    /// Whether one of them is back.
    is_back: bool,
    /// Whether one of them is_primary elsewhere by now.
    is_filled: bool,
}

impl Links {
    /// The record as it is now, with its links to what was deleted where it refers to nothing. The name that was kept in
    /// their place goes, if nobody has changed it.
    fn of(entity: Entity, before: &Value, after: &Value, now: &Value, gone: &BTreeMap<RecordRef, Value>) -> Self {
        let mut links = Self { record: now.clone(), is_back: false, is_filled: false };
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            let Some(old) = referred(reference, before) else { continue };
            if !gone.contains_key(&(reference.to, old)) {
                continue;
            }
            match referred(reference, now) {
                Some(current) => links.is_filled |= current != old,
                None => {
                    if let Some(place) = place_at(&mut links.record, reference.pointer) {
                        *place = Value::String(old.uuid().to_string());
                        links.is_back = true;
                    }
                    if let OnDelete::KeepName(kept) = reference.on_delete
                        && now.pointer(kept) == after.pointer(kept)
                        && let Some(place) = links.record.pointer_mut(kept)
                    {
                        *place = before.pointer(kept).cloned().unwrap_or_default();
                    }
                }
            }
        }
        links
    }
}

/// What a record says beside its links to what was deleted and, where the write was one on tags, its labels.
fn without_links(entity: Entity, record: &Value, gone: &BTreeMap<RecordRef, Value>, is_of_tags: bool) -> Value {
    let mut rest = without_stamps(record);
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        if !gone.keys().any(|(to, _)| *to == reference.to) {
            continue;
        }
        let kept = match reference.on_delete {
            OnDelete::KeepName(kept) => Some(kept),
            OnDelete::SetNull | OnDelete::Cascade => None,
        };
        for pointer in [reference.pointer].into_iter().chain(kept) {
            if let Some(place) = rest.pointer_mut(pointer) {
                *place = Value::Null;
            }
        }
    }
    if is_of_tags {
        relabel(&mut rest, std::iter::empty());
    }
    // An object that holds nothing counts as none.
    for member in rest.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        if member.as_object().is_some_and(|object| object.values().all(Value::is_null)) {
            *member = Value::Null;
        }
    }
    rest
}

/// What a record carried, carried after the write, and carries now; of what is left as it is, the same at all three.
fn labels_at(
    record: BeforeAfterNow<Option<Value>>,
    scope: RevertScope,
    gone: &BTreeMap<RecordRef, Value>,
    tags: &HashSet<AnyId>,
) -> BeforeAfterNow<Vec<String>> {
    let is_as_after = match (&record.now, &record.after) {
        (Some(now), Some(after)) => without_stamps(now) == without_stamps(after),
        _ => record.now.is_none(),
    };
    let labels = |record: &Option<Value>| record.as_ref().map(labels_of).unwrap_or_default();
    let BeforeAfterNow { before, after, now } =
        BeforeAfterNow { before: labels(&record.before), after: labels(&record.after), now: labels(&record.now) };
    if record.now.is_none() || (scope == RevertScope::Whole && (is_as_after || !tags.is_empty())) {
        return BeforeAfterNow { before, after, now };
    }
    if scope == RevertScope::Whole {
        return BeforeAfterNow { before: now.clone(), after: now.clone(), now };
    }
    // Only what was deleted comes back, whatever else was done to the labels.
    let names: HashSet<String> = gone_labels(gone).map(text::fold).collect();
    let is_gone = |label: &String| names.contains(&text::fold(label));
    let (back, kept): (Vec<String>, Vec<String>) = before.iter().cloned().partition(is_gone);
    let before = if kept == after { before } else { after.iter().cloned().chain(back).collect() };
    BeforeAfterNow { before, after, now }
}

/// The names of the tags that were deleted.
fn gone_labels(gone: &BTreeMap<RecordRef, Value>) -> impl Iterator<Item = &str> {
    let tags = gone.iter().filter(|((entity, _), _)| *entity == Entity::Tag);
    tags.filter_map(|(_, tag)| tag.get("name")?.as_str())
}

fn version_of(record: &Value) -> i64 {
    record.get("version").and_then(Value::as_i64).unwrap_or(0)
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
