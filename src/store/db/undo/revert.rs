//! Undo of anything: takes back the whole write that a change belongs to, and names what it leaves alone. What is done and
//! what is not is decided in `planning.rs`; here it is carried out.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::lists::lists_of;
use super::obstacles::exists_after;
use super::plan::{Plan, RevertScope, Step, Written};
use super::planning::make_plan;
use crate::domain::entity::{Entity, Op};
use crate::domain::operation::{Position, Postponed, Rename, Work};
use crate::domain::reference::{REFERENCES, carriers_of_names, is_derived, name_list, names_of};
use crate::domain::text;
use crate::store::db::sql::conn::{check_foreign_keys, defer_foreign_keys};
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::db::write::changes::{
    ChangeRow, count_of_write, is_large, refers_to_one_of, survivor, write_of,
};
use crate::store::db::write::json::{
    demoted, from_json, id_of, is_primary, json, referred, referred_ids, set_list,
};
use crate::store::db::write::lookup::{exists, find_all, find_json, newest_change, primaries};
use crate::store::db::write::names::{holders_of_name, holds_name, name_in, names_in, set_names};
use crate::store::db::write::operations::{check_none_runs, has_been_reverted};
use crate::store::db::write::record::{Record, for_entity};
use crate::store::db::write::records::{delete_json, restore_json, update_many};
use crate::store::db::write::tx::Tx;
use crate::store::error::{Conflict, Error, LeftAlone, LeftAloneReason, Result};

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

/// Takes back the write that the change of this number belongs to. With `dry_run` it only tells.
pub fn revert(tx: &mut Tx<'_>, version: i64, dry_run: bool) -> Result<Reverted> {
    let number = write_of(tx.conn, tx.workspace, version)?;
    if !tx.is_number_of(number) && is_large(tx.conn, tx.workspace, number)? {
        if dry_run {
            return Err(Conflict::TooLargeForDryRun.into());
        }
        postpone_revert(tx, number)?;
        return Ok(Reverted::default());
    }
    let write = write_with(tx, version)?;
    let plan = make_plan(tx, write, RevertScope::Whole)?;
    if plan.steps.is_empty() && !plan.left_alone.is_empty() && !dry_run {
        return Err(Conflict::RevertBlocked(plan.left_alone).into());
    }
    let reverted = Reverted { done: done(&plan), left_alone: plan.left_alone.clone() };
    if !dry_run {
        carry_out(tx, plan, Respell::Now)?;
    }
    Ok(reverted)
}

fn postpone_revert(tx: &mut Tx<'_>, write: i64) -> Result<()> {
    check_none_runs(tx)?;
    // What it did is reverted already.
    if has_been_reverted(tx, write)? {
        return Err(Conflict::RevertBlocked(Vec::new()).into());
    }
    let total = count_of_write(tx.conn, tx.workspace, write)?;
    tx.postpone(Postponed { work: Work::Revert { write }, total })
}

/// A part of what a large write did, taken back.
#[derive(Debug, Default)]
pub struct RevertedPart {
    /// How many changes.
    pub changes: usize,
    /// How many records became what they were.
    pub records: usize,
    pub left_alone: Vec<LeftAlone>,
    /// Whether nothing is left but the names in `renames` of the position.
    pub is_last: bool,
}

/// The steps in which a large write is reverted, each the newest change first. What others name in lists comes first, so that
/// the names find it. What was created goes before what was updated, which may come first again in its place. What is
/// refused because of other records is tried again at the end, when these are what they were.
const STEPS: [(Named, &[Op]); 4] = [
    (Named::Only, &[Op::Deleted, Op::Updated]),
    (Named::Not, &[Op::Deleted]),
    (Named::OrNot, &[Op::Created]),
    (Named::Not, &[Op::Updated]),
];

/// Whether others name the records of a kind in lists.
#[derive(Clone, Copy)]
enum Named {
    Only,
    Not,
    OrNot,
}

/// How many changes are tried again together.
const RETRIED_AT_ONCE: usize = 500;

/// Takes back up to `limit` changes of a large write, and notes how far that has come.
pub fn revert_part(tx: &mut Tx<'_>, number: i64, position: &mut Position, limit: i64) -> Result<RevertedPart> {
    let own = changes::table.filter(changes::workspace_id.eq(tx.workspace)).filter(changes::write_seq.eq(number));
    let last = match position.last {
        Some(last) => last,
        None => {
            let newest: Option<i64> =
                own.order(changes::seq.desc()).select(changes::seq).first(tx.conn).optional()?;
            *position.last.insert(newest.unwrap_or(number))
        }
    };
    let Some((named, ops)) = STEPS.get(position.next) else {
        return retry_part(tx, number, last, position);
    };
    let kinds = Entity::ALL.iter().copied().filter(|entity| {
        let is_named = names_of(*entity).is_some();
        !is_derived(*entity)
            && match named {
                Named::Only => is_named,
                Named::Not => !is_named,
                Named::OrNot => true,
            }
    });
    let query = own
        .filter(changes::seq.lt(position.reverted_from.unwrap_or(last.saturating_add(1))))
        .filter(changes::entity.eq_any(kinds))
        .filter(changes::op.eq_any(ops.iter().copied()));
    let rows: Vec<ChangeRow> =
        query.order(changes::seq.desc()).select(ChangeRow::as_select()).limit(limit).load(tx.conn)?;
    let rows = one_change_each(rows);
    match rows.last() {
        Some(oldest) => position.reverted_from = Some(oldest.seq),
        None => (position.next, position.reverted_from) = (position.next.saturating_add(1), None),
    }
    let (part, refused) = revert_rows(tx, (number, last), rows, position)?;
    position.retries.waiting.extend(refused.into_iter().map(|(seq, _)| seq));
    if position.next == 0 {
        let named = part.left_alone.iter().map(|left| (left.entity, left.id.uuid()));
        position.names_left_alone.extend(named);
        position.has_forgotten_name |=
            part.left_alone.iter().any(|left| left.reason == LeftAloneReason::NoLongerKept);
    }
    Ok(part)
}

/// What was refused is tried again, pass after pass, until one reverts nothing; one more tells why.
fn retry_part(tx: &mut Tx<'_>, number: i64, last: i64, position: &mut Position) -> Result<RevertedPart> {
    let retries = &mut position.retries;
    if retries.waiting.is_empty() {
        let refused = std::mem::take(&mut retries.refused);
        let is_over = refused.is_empty() || retries.is_last;
        if !is_over {
            retries.is_last = !std::mem::take(&mut retries.has_reverted);
            retries.waiting = refused;
        }
        return Ok(RevertedPart { is_last: is_over, ..RevertedPart::default() });
    }
    let at_once = retries.waiting.len().min(RETRIED_AT_ONCE);
    let tried: Vec<i64> = retries.waiting.drain(..at_once).collect();
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::seq.eq_any(&tried))
        .order(changes::seq.desc())
        .select(ChangeRow::as_select())
        .load(tx.conn)?;
    let rows = one_change_each(rows);
    let later: Vec<i64> = tried.into_iter().filter(|seq| rows.iter().all(|row| row.seq != *seq)).collect();
    retries.waiting.splice(0..0, later);
    let (part, refused) = revert_rows(tx, (number, last), rows, position)?;
    let retries = &mut position.retries;
    retries.has_reverted |= part.records > 0;
    let mut part = RevertedPart { changes: 0, ..part };
    if retries.is_last {
        part.left_alone.extend(refused.into_iter().map(|(_, left)| left));
    } else {
        retries.refused.extend(refused.into_iter().map(|(seq, _)| seq));
    }
    Ok(part)
}

/// Up to the first that has changed a record again: each is taken back before the one before it.
fn one_change_each(mut rows: Vec<ChangeRow>) -> Vec<ChangeRow> {
    let mut seen = BTreeSet::new();
    let repeated = rows.iter().position(|row| !seen.insert((row.entity, row.record_id)));
    rows.truncate(repeated.unwrap_or(rows.len()));
    rows
}

/// Takes back some changes, and returns those that may be taken back once others are, with why they were not.
fn revert_rows(
    tx: &mut Tx<'_>,
    (number, last): (i64, i64),
    rows: Vec<ChangeRow>,
    position: &mut Position,
) -> Result<(RevertedPart, Vec<(i64, LeftAlone)>)> {
    let changes = rows.len();
    let numbers: BTreeMap<RecordRef, (i64, Op)> =
        rows.iter().map(|row| ((row.entity, row.record_id), (row.seq, row.op))).collect();
    let deleted = rows.iter().filter(|row| row.op == Op::Deleted);
    let deleted = deleted.map(|row| (row.entity, row.record_id)).collect();
    let names_left_alone =
        position.names_left_alone.iter().map(|(entity, id)| (*entity, AnyId::new(*id))).collect();
    let has_forgotten_name = position.has_forgotten_name;
    let written = Written { number, last, rows, deleted, names_left_alone, has_forgotten_name };
    let plan = make_plan(tx, written, RevertScope::Whole)?;
    let records = plan.steps.len();
    let (mut refused, mut left_alone) = (Vec::new(), Vec::new());
    for left in plan.left_alone.clone() {
        let change = numbers.get(&(left.entity, left.id)).copied();
        match (left.reason, change) {
            (LeftAloneReason::ReferenceGone | LeftAloneReason::HasGainedReferences, Some((seq, _)))
            | (LeftAloneReason::ChangedSince, Some((seq, Op::Created))) => refused.push((seq, left)),
            _ => left_alone.push(left),
        }
    }
    position.renames.extend(renames_of(tx, &plan)?);
    carry_out(tx, plan, Respell::Later)?;
    Ok((RevertedPart { changes, records, left_alone, is_last: false }, refused))
}

/// The names that records lose by the plan.
fn renames_of(tx: &mut Tx<'_>, plan: &Plan) -> Result<Vec<Rename>> {
    let mut renames = Vec::new();
    for ((entity, id), step) in &plan.steps {
        let (Some(list), Step::Reset(to)) = (names_of(*entity), step) else { continue };
        let now = find_json(tx, *entity, *id)?;
        if let (Some(now), Some(to)) = (now.as_ref().and_then(|now| name_in(list, now)), name_in(list, to))
            && now != to
        {
            renames.push(Rename { named: *entity, from: now.to_owned(), to: Some(to.to_owned()) });
        }
    }
    Ok(renames)
}

/// Finds the delete of a record and takes it back, with all that went along, or not at all; what else the same write
/// did stays. What has a link elsewhere by now keeps it. A record that exists is left as it is.
pub fn restore(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<()> {
    if exists(tx, entity, id)? {
        return Ok(());
    }
    if is_derived(entity) {
        return Err(Error::NotFound);
    }
    let Some((version, Op::Deleted, _)) = newest_change(tx, entity, id)? else { return Err(Error::NotFound) };
    let number = write_of(tx.conn, tx.workspace, version)?;
    // What names it in lists is most of what went along.
    if names_of(entity).is_some() && !tx.is_number_of(number) && is_large(tx.conn, tx.workspace, number)? {
        if has_done_more(tx, number, (entity, id))? {
            return Err(Conflict::RestoreBlocked(Vec::new(), number).into());
        }
        return postpone_revert(tx, number);
    }
    let mut write = write_with(tx, version)?;
    // What was merged is in the survivor by now: only all of the merge can be taken back.
    let is_merged = survivor(tx.conn, tx.workspace, entity, id)?.is_some();
    let scope = if is_merged { RevertScope::Whole } else { RevertScope::Deletes };
    if !is_merged {
        write.rows = cascade_of(write.rows, entity, id);
    }
    let mut plan = make_plan(tx, write, scope)?;
    // Made and merged in one write: the log never held it.
    if plan.left_alone.is_empty() && !plan.restores(&(entity, id)) {
        plan.leave_alone((entity, id), LeftAloneReason::NoLongerKept);
    }
    if !plan.left_alone.is_empty() {
        return Err(Conflict::RestoreBlocked(plan.left_alone, number).into());
    }
    carry_out(tx, plan, Respell::Now)
}

/// Whether a write has done more than to delete a record that others name in lists, and to update these.
fn has_done_more(tx: &mut Tx<'_>, number: i64, (entity, id): RecordRef) -> Result<bool> {
    let carriers = carriers_of_names(entity);
    let entered: Vec<Entity> = Entity::ALL.iter().copied().filter(|entity| !is_derived(*entity)).collect();
    let others = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::write_seq.eq(number))
        .filter(changes::entity.eq_any(entered))
        .filter(changes::record_id.ne(id))
        .filter(changes::op.ne(Op::Updated).or(changes::entity.ne_all(carriers)));
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(tx.conn)?)
}

/// The write that the change of this number belongs to.
fn write_with(tx: &mut Tx<'_>, version: i64) -> Result<Written> {
    let number = write_of(tx.conn, tx.workspace, version)?;
    // This very write, of which an earlier operation of a batch has made a part: it is not done yet.
    if tx.is_number_of(number) {
        return Err(Error::NotFound);
    }
    let mut rows: Vec<ChangeRow> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::write_seq.eq(number))
        .order(changes::seq.desc())
        .select(ChangeRow::as_select())
        .load(tx.conn)?;
    let last = rows.first().map_or(number, |row| row.seq);
    // They become what follows from the records that they are computed from.
    rows.retain(|row| !is_derived(row.entity));
    let deleted = rows.iter().filter(|row| row.op == Op::Deleted);
    let deleted = deleted.map(|row| (row.entity, row.record_id)).collect();
    let (names_left_alone, has_forgotten_name) = (HashSet::new(), false);
    Ok(Written { number, last, rows, deleted, names_left_alone, has_forgotten_name })
}

/// The record that this one was merged into when it was last deleted.
fn last_merged_into(tx: &mut Tx<'_>, (entity, id): RecordRef) -> Result<Option<AnyId>> {
    let last: Option<Option<AnyId>> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(id))
        .filter(changes::entity.eq(entity))
        .filter(changes::op.eq(Op::Deleted))
        .order(changes::seq.desc())
        .select(changes::merged_into_id)
        .limit(1)
        .load(tx.conn)?
        .pop();
    Ok(last.flatten())
}

/// When those who came to a name since the write get it back in their lists.
enum Respell {
    Now,
    Later,
}

/// What others name in lists first, so that the names find it. Restores before what is linked again, which then finds what it refers to;
/// removes last.
fn carry_out(tx: &mut Tx<'_>, plan: Plan, respell: Respell) -> Result<()> {
    defer_foreign_keys(tx.conn)?;
    let respelled = match respell {
        Respell::Now => {
            if plan.steps.keys().any(|(entity, _)| names_of(*entity).is_some()) {
                check_none_runs(tx)?;
            }
            respelled_carriers(tx, &plan)?
        }
        Respell::Later => Vec::new(),
    };
    let plan = without_absent(tx, plan)?;
    let mut steps = demote_if_primary_taken(tx, plan.into_steps())?;
    steps.extend(respelled.into_iter().map(|(place, record)| (place, Step::Reset(record))));
    steps.sort_by_key(|((entity, _), step)| {
        let rank = match step {
            Step::Restore(_) => 0,
            Step::Reset(_) => 1,
            Step::Remove => 2,
        };
        (names_of(*entity).is_none(), rank)
    });
    tx.is_reverting = true;
    take_steps(tx, steps)?;
    tx.is_reverting = false;
    Ok(check_foreign_keys(tx.conn)?)
}

/// What a list would hold that does not exist yet waits until it is restored itself.
fn without_absent(tx: &mut Tx<'_>, mut plan: Plan) -> Result<Plan> {
    let with_lists: Vec<RecordRef> =
        plan.steps.keys().filter(|(entity, _)| lists_of(*entity).next().is_some()).copied().collect();
    for place in with_lists {
        let Some(mut record) = plan.steps.get(&place).and_then(Step::record).cloned() else { continue };
        for reference in lists_of(place.0) {
            let mut present = Vec::new();
            for id in referred_ids(reference, &record) {
                if exists_after(tx, &plan, (reference.to, id))? {
                    present.push(id);
                }
            }
            set_list(reference, &mut record, &present);
        }
        plan.replace(&place, record);
    }
    Ok(plan)
}

/// One that came first of those that belong to the same record comes after the one that does by now.
fn demote_if_primary_taken(tx: &mut Tx<'_>, mut steps: Vec<(RecordRef, Step)>) -> Result<Vec<(RecordRef, Step)>> {
    let planned: BTreeMap<RecordRef, Option<Value>> =
        steps.iter().map(|(place, step)| (*place, step.record().cloned())).collect();
    for ((entity, own), step) in &mut steps {
        let (Step::Restore(record) | Step::Reset(record)) = step else { continue };
        for reference in REFERENCES.iter().filter(|reference| reference.from == *entity) {
            let Some(rule) = reference.at_most_one().filter(|rule| is_primary(rule, record)) else { continue };
            let Some(per) = referred(reference, record) else { continue };
            let stays_primary = |id: AnyId| match planned.get(&(*entity, id)) {
                Some(Some(to)) => id != *own && is_primary(rule, to) && referred(reference, to) == Some(per),
                Some(None) => false,
                None => true,
            };
            if primaries(tx, reference, rule, vec![per])?.iter().filter_map(id_of).any(stays_primary) {
                *record = demoted(rule, std::mem::take(record));
            }
        }
    }
    Ok(steps)
}

/// Takes steps in their order, those that restore or reset records of one kind together.
fn take_steps(tx: &mut Tx<'_>, steps: Vec<(RecordRef, Step)>) -> Result<()> {
    let mut steps = steps.into_iter().peekable();
    while let Some(((entity, id), step)) = steps.next() {
        match step {
            Step::Restore(record) => {
                let mut records = vec![record];
                while let Some((_, Step::Restore(record))) =
                    steps.next_if(|((kind, _), step)| *kind == entity && matches!(step, Step::Restore(_)))
                {
                    records.push(record);
                }
                restore_json(tx, entity, records)?;
            }
            Step::Reset(record) => {
                let mut records = vec![(id, record)];
                while let Some(((_, id), Step::Reset(record))) =
                    steps.next_if(|((kind, _), step)| *kind == entity && matches!(step, Step::Reset(_)))
                {
                    records.push((id, record));
                }
                for_entity!(entity, Kind => reset::<Kind>(tx, records)?);
            }
            Step::Remove => remove(tx, (entity, id))?,
        }
    }
    Ok(())
}

/// Makes records what they were.
fn reset<R: Record>(tx: &mut Tx<'_>, records: Vec<(AnyId, Value)>) -> Result<()> {
    let ids: Vec<AnyId> = records.iter().map(|(id, _)| *id).collect();
    let now: Vec<R> = find_all(tx, &ids)?;
    let mut now: HashMap<AnyId, R> = now.into_iter().map(|record| (record.id(), record)).collect();
    let mut changes = Vec::with_capacity(records.len());
    for (id, mut record) in records {
        let now = now.remove(&id).ok_or(Error::NotFound)?;
        let shown = json(&now)?;
        // The version is the write's to give.
        for head in ["version", "updated_at"] {
            if let (Some(value), Some(place)) = (shown.get(head), record.get_mut(head)) {
                *place = value.clone();
            }
        }
        changes.push((now, from_json(record)?));
    }
    update_many(tx, changes)?;
    Ok(())
}

fn remove(tx: &mut Tx<'_>, place: RecordRef) -> Result<()> {
    let (entity, id) = place;
    let Some(record) = find_json(tx, entity, id)? else { return Ok(()) };
    let merged_into = last_merged_into(tx, place)?;
    delete_json(tx, entity, record)?;
    // A merge that was taken back is done again.
    if let Some(survivor) = merged_into {
        tx.note_survivor(entity, id, survivor);
    }
    Ok(())
}

/// Those who name a record that gets its name back, without having a step of their own: they came to it since.
fn respelled_carriers(tx: &mut Tx<'_>, plan: &Plan) -> Result<Vec<(RecordRef, Value)>> {
    let mut names: HashMap<(Entity, String), String> = HashMap::new();
    let mut carriers: BTreeSet<RecordRef> = BTreeSet::new();
    for Rename { named, from, to } in renames_of(tx, plan)? {
        let Some(list) = names_of(named) else { continue };
        carriers.extend(holders_of_name(tx, list, &from)?);
        names.extend(to.map(|to| ((named, text::fold(&from)), to)));
    }
    let mut respelled = Vec::new();
    for place in carriers.into_iter().filter(|place| !plan.steps.contains_key(place)) {
        let Some(list) = name_list(place.0) else { continue };
        if let Some(mut record) = find_json(tx, place.0, place.1)? {
            let own = names_in(list, &record);
            let spelled = |name: String| names.get(&(list.to, text::fold(&name))).cloned().unwrap_or(name);
            set_names(list, &mut record, own.into_iter().map(spelled));
            respelled.push((place, record));
        }
    }
    Ok(respelled)
}

fn done(plan: &Plan) -> Vec<(Entity, AnyId, Action)> {
    let action = |step: &Step| match step {
        Step::Restore(_) => Action::Restored,
        Step::Reset(_) => Action::Reset,
        Step::Remove => Action::Removed,
    };
    plan.steps.iter().map(|((entity, id), step)| (*entity, *id, action(step))).collect()
}

/// Of the changes of a write, the delete of a record and what it did to those that referred to it, or carried it.
fn cascade_of(rows: Vec<ChangeRow>, entity: Entity, id: AnyId) -> Vec<ChangeRow> {
    let mut gone = BTreeSet::from([(entity, id)]);
    loop {
        let deleted = rows.iter().filter(|row| row.op == Op::Deleted && refers_to_one_of(row, &gone));
        let found: BTreeSet<_> = deleted.map(|row| (row.entity, row.record_id)).collect();
        if found.is_subset(&gone) {
            break;
        }
        gone.extend(found);
    }
    let own = rows.iter().find(|row| (row.entity, row.record_id) == (entity, id));
    let before = own.and_then(|row| row.before.clone());
    let named =
        names_of(entity).zip(before).and_then(|(list, before)| Some((list, name_in(list, &before.0)?.to_owned())));
    let named_it = |row: &ChangeRow| {
        let list = name_list(row.entity).filter(|own| named.as_ref().is_some_and(|(list, _)| list.to == own.to));
        let own = list.zip(named.as_ref()).zip(row.before.as_ref());
        own.is_some_and(|((list, (_, name)), before)| holds_name(list, &before.0, name))
    };
    let is_of_it = |row: &ChangeRow| match row.op {
        Op::Created => false,
        Op::Updated => refers_to_one_of(row, &gone) || named_it(row),
        Op::Deleted => gone.contains(&(row.entity, row.record_id)),
    };
    rows.into_iter().filter(is_of_it).collect()
}
