//! Planning to take back a write: a step for each of its changes. What blocks a step is told in `obstacles.rs`, and
//! `revert.rs` carries them out; nothing is written here.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::lists::{ListHistory, histories};
use super::names::{BeforeAfterNow, names_at};
use super::obstacles::{drop_blocked_steps, exists_after};
use super::plan::{Plan, RevertScope, Step, Written, without_stamps};
use crate::domain::entity::{Entity, Op};
use crate::domain::keyed::MAX_ENTRIES;
use crate::domain::reference::{NAME_LISTS, NameList, OnDelete, REFERENCES, name_list, names_of};
use crate::domain::revert::{KEYED, Place, changed_places, take_back};
use crate::domain::text;
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::types::{AsJson, RecordRef};
use crate::store::db::write::changes::ChangeRow;
use crate::store::db::write::json::{detach, from_json, json, referred, referred_ids, set_list};
use crate::store::db::write::lookup::{find_json, is_permanent};
use crate::store::db::write::names::{holds_name, name_in, names_in};
use crate::store::db::write::record::for_entity;
use crate::store::db::write::tx::Tx;
use crate::store::error::{LeftAloneReason, Result};

pub(super) fn make_plan(tx: &mut Tx<'_>, write: Written, scope: RevertScope) -> Result<Plan> {
    let mut plan = Plan { deleted: write.deleted, ..Plan::default() };
    let deleted = write.rows.iter().filter(|row| row.op == Op::Deleted);
    let gone: BTreeMap<RecordRef, Value> =
        deleted.filter_map(|row| Some(((row.entity, row.record_id), row.before.as_ref()?.0.clone()))).collect();
    let named = || write.rows.iter().filter(|row| names_of(row.entity).is_some() && row.op != Op::Created);
    plan.named = named().map(|row| (row.entity, row.record_id)).collect();
    plan.named.extend(&write.names_left_alone);
    plan.has_forgotten_name = write.has_forgotten_name || named().any(|row| row.before.is_none());
    let mut restored_lists: BTreeMap<RecordRef, Vec<ListHistory>> = BTreeMap::new();
    let mut texts: BTreeMap<RecordRef, BeforeAfterNow<Vec<String>>> = BTreeMap::new();
    for row in write.rows {
        let place = (row.entity, row.record_id);
        let record = before_after_now(tx, &row)?;
        let last = record.now.as_ref().or(record.before.as_ref());
        let lists = last.map(|last| histories(tx, place, last)).transpose()?.unwrap_or_default();
        if let (Op::Updated, Some(before), Some(after)) = (row.op, &record.before, &record.after) {
            let places = written_places(row.entity, before, after);
            plan.written.insert(place, places.iter().map(Place::pointer).collect());
        }
        let mut kept = Vec::new();
        let step = match (scope, row.op, &record) {
            (RevertScope::Deletes, Op::Updated, _) => Ok(links_back(row.entity, &record, &gone, &lists)),
            (
                RevertScope::Whole,
                Op::Updated,
                BeforeAfterNow { before: Some(before), after: Some(after), now: Some(now) },
            ) if !is_same(after, now) => {
                plan.changed_since.insert(place);
                let fields = fields_back(row.entity, (before, after, now), &gone, &lists)?;
                fields.map(|(record, left)| {
                    kept = left;
                    Some(Step::Reset(record))
                })
            }
            _ if row.op == Op::Deleted && record.before.is_none() && !existed(tx, &row)? => Ok(None),
            _ => step_back(row.op, row.entity, &record, &gone, &lists)?,
        };
        if matches!(step, Ok(Some(Step::Restore(_)))) {
            restored_lists.insert(place, lists);
        }
        match step {
            Ok(None) => {}
            Ok(Some(step)) => {
                if let Some(list) = name_list(row.entity).filter(|_| step.record().is_some()) {
                    texts.insert(place, names_then(list, record, scope, &gone));
                }
                plan.take_all_but(place, step, kept);
            }
            Err(reason) => plan.leave_alone(place, reason),
        }
    }
    for list in NAME_LISTS {
        let (own, others): (BTreeMap<_, _>, _) =
            texts.into_iter().partition(|((entity, _), _)| list.from.contains(entity));
        texts = others;
        let all = own.values().flat_map(|texts| [&texts.before, &texts.after, &texts.now]).flatten();
        let names = names_at(tx, list, all, write.number, write.last)?;
        plan.labels.extend(own.into_iter().map(|(place, texts)| (place, names.resolve(list, texts))));
        plan.names.entry(list.to).or_default().now.extend(names.now);
    }
    for (place, lists) in restored_lists {
        rejoin_lost(tx, &mut plan, place, &lists)?;
    }
    drop_blocked_steps(tx, &mut plan)?;
    Ok(plan)
}

/// What had left the lists of a record, before that was deleted too, comes back to them where it exists again.
fn rejoin_lost(tx: &mut Tx<'_>, plan: &mut Plan, place: RecordRef, lists: &[ListHistory]) -> Result<()> {
    let Some(mut record) = plan.steps.get(&place).and_then(Step::record).cloned() else { return Ok(()) };
    for list in lists {
        let mut back = Vec::new();
        for id in &list.lost {
            if exists_after(tx, plan, (list.reference.to, *id))? {
                back.push(*id);
            }
        }
        let rejoined = list.rejoined(&referred_ids(list.reference, &record), &back);
        set_list(list.reference, &mut record, &rejoined);
    }
    plan.replace(&place, record);
    Ok(())
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
    lists: &[ListHistory],
) -> Result<std::result::Result<Option<Step>, LeftAloneReason>> {
    let BeforeAfterNow { before, after, now } = record;
    let is_as_after = now.as_ref().zip(after.as_ref()).is_some_and(|(now, after)| is_same(now, after));
    Ok(match (op, now, before) {
        // It was restored with another record that it listed: this one comes back to the list too.
        (Op::Deleted, Some(now), Some(before)) if !lists.is_empty() => {
            let links = Links::of(entity, before, now, now, gone, lists);
            let is_complete = !links.is_filled && lists.iter().any(|list| holds_any(list, now, gone));
            match links.is_back {
                true => Ok(Some(Step::Reset(links.record))),
                false if is_complete => Ok(None),
                false => Err(LeftAloneReason::IdTaken),
            }
        }
        (Op::Deleted, Some(_), _) => Err(LeftAloneReason::IdTaken),
        (Op::Deleted, None, Some(before)) => Ok(Some(Step::Restore(before.clone()))),
        (Op::Created | Op::Updated, None, _) => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(_), _) if !is_as_after => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(now), _) if is_permanent(entity, now)? => Err(LeftAloneReason::Permanent),
        (Op::Created, Some(_), _) => Ok(Some(Step::Remove)),
        (_, _, None) => Err(LeftAloneReason::NoLongerKept),
        (Op::Updated, Some(_), Some(before)) if is_as_after => Ok(Some(Step::Reset(before.clone()))),
        // What it was right after the write is no longer kept.
        (Op::Updated, Some(_), Some(_)) => Err(LeftAloneReason::ChangedSince),
    })
}

/// A record that has changed since, with the fields that the write changed as they were before it; and pointers to those that
/// somebody has changed to something else, which stay.
///
/// What was done to another record was done to the references to it, in fields that may have changed since in other ways; of
/// those only the reference comes back. Lists of names are taken back name by name in `names.rs`.
fn fields_back(
    entity: Entity,
    (before, after, now): (&Value, &Value, &Value),
    gone: &BTreeMap<RecordRef, Value>,
    lists: &[ListHistory],
) -> Result<std::result::Result<(Value, Vec<String>), LeftAloneReason>> {
    let links = Links::of(entity, before, after, now, gone, lists);
    let (rest_before, rest_after) = (without_links(entity, before, gone), without_links(entity, after, gone));
    let is_link = |field: &str| {
        links.fields.contains(field)
            && rest_before.get(field) == rest_after.get(field)
            && now.get(field) != after.get(field)
    };
    let names = name_list(entity).map(|list| list.pointer);
    let (mut places, mut linked) = (Vec::new(), now.clone());
    for place in written_places(entity, before, after) {
        if is_link(&place.field) {
            if let (Some(field), Some(link)) = (linked.get_mut(&place.field), links.record.get(&place.field)) {
                *field = link.clone();
            }
        } else if names != Some(place.pointer().as_str()) {
            places.push(place);
        }
    }
    let (record, kept) = take_back(&places, before, after, &linked);
    let entries = |field: &&str| record.get(*field).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    if KEYED.iter().any(|field| entries(field) > MAX_ENTRIES) {
        return Ok(Err(LeftAloneReason::LimitReached));
    }
    let kept = kept.into_iter().map(Place::pointer).collect();
    for_entity!(entity, Kind => {
        let record = from_json::<Kind>(record)?;
        // Checked against itself: which status may follow which is a rule for edits, not for undo.
        Ok(match record.with(record.fields.clone()) {
            Ok(record) => Ok((json(&record)?, kept)),
            Err(_) => Err(LeftAloneReason::RuleBroken),
        })
    })
}

/// The fields that a write changed, but for those that follow from others.
fn written_places(entity: Entity, before: &Value, after: &Value) -> Vec<Place> {
    let computed = for_entity!(entity, Kind => Kind::COMPUTED);
    let mut places = changed_places(before, after);
    places.retain(|place| !computed.contains(&place.field.as_str()));
    places
}

/// The step that links a record again to what was deleted, where it still refers to nothing or named it.
fn links_back(
    entity: Entity,
    record: &BeforeAfterNow<Option<Value>>,
    gone: &BTreeMap<RecordRef, Value>,
    lists: &[ListHistory],
) -> Option<Step> {
    let (before, now) = (record.before.as_ref()?, record.now.as_ref()?);
    let links = Links::of(entity, before, record.after.as_ref().unwrap_or(now), now, gone, lists);
    let carried =
        name_list(entity).is_some_and(|list| gone_names(list, gone).any(|name| holds_name(list, before, name)));
    (links.is_back || carried).then_some(Step::Reset(links.record))
}

/// A record with its links as they were.
struct Links {
    record: Value,
    /// Whether one of them is back.
    is_back: bool,
    /// Whether one of them leads elsewhere by now.
    is_filled: bool,
    /// The fields of those that do not, with those that keep a name in their place.
    fields: BTreeSet<&'static str>,
}

impl Links {
    /// The record as it is now, with its links to what was deleted where it refers to nothing. The name that was kept in
    /// their place goes, if nobody has changed it.
    fn of(
        entity: Entity,
        before: &Value,
        after: &Value,
        now: &Value,
        gone: &BTreeMap<RecordRef, Value>,
        lists: &[ListHistory],
    ) -> Self {
        let mut links = Self { record: now.clone(), is_back: false, is_filled: false, fields: BTreeSet::new() };
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            let Some(old) = referred(reference, before) else { continue };
            if !gone.contains_key(&(reference.to, old)) {
                continue;
            }
            match referred(reference, now) {
                Some(current) if current != old => {
                    links.is_filled = true;
                    continue;
                }
                Some(_) => {}
                None => {
                    if let Some(place) = place_at(&mut links.record, reference.pointer) {
                        *place = Value::String(old.uuid().to_string());
                        links.is_back = true;
                    }
                    if let OnDelete::KeepName { kept_as, .. } = reference.on_delete
                        && now.pointer(kept_as) == after.pointer(kept_as)
                        && let Some(place) = links.record.pointer_mut(kept_as)
                    {
                        *place = before.pointer(kept_as).cloned().unwrap_or_default();
                    }
                }
            }
            links.fields.insert(field_of(reference.pointer));
            if let OnDelete::KeepName { kept_as, .. } = reference.on_delete {
                links.fields.insert(field_of(kept_as));
            }
        }
        for list in lists {
            let (own, mut back) = (referred_ids(list.reference, now), referred_ids(list.reference, before));
            back.retain(|id| gone.contains_key(&(list.reference.to, *id)));
            if !back.is_empty() {
                links.fields.insert(field_of(list.reference.pointer));
            }
            back.retain(|id| !own.contains(id));
            if !back.is_empty() {
                set_list(list.reference, &mut links.record, &list.rejoined(&own, &back));
                links.is_back = true;
            }
        }
        links
    }
}

/// Whether a list holds one of the records that were deleted.
fn holds_any(list: &ListHistory, record: &Value, gone: &BTreeMap<RecordRef, Value>) -> bool {
    referred_ids(list.reference, record).iter().any(|id| gone.contains_key(&(list.reference.to, *id)))
}

/// What a record says beside its links to what was deleted.
fn without_links(entity: Entity, record: &Value, gone: &BTreeMap<RecordRef, Value>) -> Value {
    let mut rest = without_stamps(record);
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        if !gone.keys().any(|(to, _)| *to == reference.to) {
            continue;
        }
        if reference.join.is_some() {
            for (_, id) in gone.keys().filter(|(to, _)| *to == reference.to) {
                detach(reference, &mut rest, *id);
            }
            continue;
        }
        let kept = match reference.on_delete {
            OnDelete::KeepName { kept_as, .. } => Some(kept_as),
            OnDelete::SetNull | OnDelete::Cascade | OnDelete::Leave { .. } => None,
        };
        for pointer in [reference.pointer].into_iter().chain(kept) {
            if let Some(place) = rest.pointer_mut(pointer) {
                *place = Value::Null;
            }
        }
    }
    // An object that holds nothing counts as none.
    for member in rest.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        if member.as_object().is_some_and(|object| object.values().all(Value::is_null)) {
            *member = Value::Null;
        }
    }
    rest
}

/// What a record's list held, held after the write, and holds now.
fn names_then(
    list: &NameList,
    record: BeforeAfterNow<Option<Value>>,
    scope: RevertScope,
    gone: &BTreeMap<RecordRef, Value>,
) -> BeforeAfterNow<Vec<String>> {
    let exists = record.now.is_some();
    let names = |record: &Option<Value>| record.as_ref().map(|record| names_in(list, record)).unwrap_or_default();
    let BeforeAfterNow { before, after, now } =
        BeforeAfterNow { before: names(&record.before), after: names(&record.after), now: names(&record.now) };
    if !exists || scope == RevertScope::Whole {
        return BeforeAfterNow { before, after, now };
    }
    // Only what was deleted comes back, whatever else was done to the list.
    let gone: HashSet<String> = gone_names(list, gone).map(text::fold).collect();
    let is_gone = |name: &String| gone.contains(&text::fold(name));
    let (back, kept): (Vec<String>, Vec<String>) = before.iter().cloned().partition(is_gone);
    let before = if kept == after { before } else { after.iter().cloned().chain(back).collect() };
    BeforeAfterNow { before, after, now }
}

/// The names of those records that were deleted which stand in such lists.
fn gone_names<'g>(list: &NameList, gone: &'g BTreeMap<RecordRef, Value>) -> impl Iterator<Item = &'g str> {
    let named = gone.iter().filter(|((entity, _), _)| *entity == list.to);
    named.filter_map(|(_, record)| name_in(list, record))
}

fn is_same(one: &Value, other: &Value) -> bool {
    without_stamps(one) == without_stamps(other)
}

/// The top-level field that a pointer leads into.
fn field_of(pointer: &str) -> &str {
    pointer.split('/').nth(1).unwrap_or_default()
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
