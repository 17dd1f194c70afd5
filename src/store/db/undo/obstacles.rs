//! What blocks a step of a plan: what it refers to is gone, its name is taken, it is still needed, there would be too many.
//! What one step does may be what another needs, so all are checked together. Nothing is written here.

use serde_json::Value;
use std::collections::BTreeSet;

use super::plan::{Plan, Step, without_stamps};
use crate::domain::entity::Entity;
use crate::domain::reference::{REFERENCES, is_derived, name_list, names_of};
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::db::write::checks::unique_holder;
use crate::store::db::write::json::{from_json, referred, referred_ids};
use crate::store::db::write::lookup::{count_referring, exists, find_json, referring_ids};
use crate::store::db::write::names::{holders_of_name, name_in};
use crate::store::db::write::record::{Record, for_entity};
use crate::store::db::write::tx::Tx;
use crate::store::error::{LeftAloneReason, Result};

/// Drops the steps that something stands against, until there is none: what one step does may be what another
/// needs.
pub(super) fn drop_blocked_steps(tx: &mut Tx<'_>, plan: &mut Plan) -> Result<()> {
    loop {
        let before = plan.steps.len();
        for place in plan.steps.keys().copied().collect::<Vec<_>>() {
            if let Some(reason) = obstacle(tx, plan, place)? {
                plan.leave_alone(place, reason);
            }
        }
        if plan.steps.len() == before {
            return Ok(());
        }
    }
}

fn obstacle(tx: &mut Tx<'_>, plan: &Plan, place: RecordRef) -> Result<Option<LeftAloneReason>> {
    let Some(step) = plan.steps.get(&place) else { return Ok(None) };
    let Some(record) = step.record() else {
        let is_needed = is_needed(tx, plan, place)?;
        return Ok(is_needed.then_some(LeftAloneReason::HasGainedReferences));
    };
    if has_dangling_reference(tx, plan, place.0, record)? {
        return Ok(Some(LeftAloneReason::ReferenceGone));
    }
    if is_circular(tx, plan, place, record)? {
        return Ok(Some(LeftAloneReason::Circular));
    }
    if has_taken_name(tx, plan, place.0, record)? {
        return Ok(Some(LeftAloneReason::NameTaken));
    }
    if exceeds_limit(tx, plan, place, record)? {
        return Ok(Some(LeftAloneReason::LimitReached));
    }
    Ok(does_nothing(tx, plan, place, record)?.then_some(LeftAloneReason::ChangedSince))
}

fn has_dangling_reference(tx: &mut Tx<'_>, plan: &Plan, entity: Entity, record: &Value) -> Result<bool> {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let (mut is_left, mut is_missing) = (false, false);
        for id in referred_ids(reference, record) {
            if exists_after(tx, plan, (reference.to, id))? {
                is_left = true;
            } else if reference.join.is_some() && plan.deleted.contains(&(reference.to, id)) {
                // It comes back to the list when it is restored itself.
                is_missing = true;
            } else {
                return Ok(true);
            }
        }
        if is_missing && !is_left && !reference.may_be_emptied() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a record exists in the end.
pub(super) fn exists_after(tx: &mut Tx<'_>, plan: &Plan, (entity, id): RecordRef) -> Result<bool> {
    match plan.steps.get(&(entity, id)) {
        Some(step) => Ok(step.record().is_some()),
        None => exists(tx, entity, id),
    }
}

/// Whether an organization would belong to itself, by way of others.
fn is_circular(tx: &mut Tx<'_>, plan: &Plan, (entity, own): RecordRef, record: &Value) -> Result<bool> {
    let above = REFERENCES.iter().find(|reference| reference.from == entity && reference.is_parent());
    let Some(above) = above else { return Ok(false) };
    let mut parent = referred(above, record);
    let mut seen = BTreeSet::from([own]);
    while let Some(id) = parent {
        if !seen.insert(id) {
            return Ok(id == own);
        }
        parent = match plan.steps.get(&(entity, id)) {
            Some(step) => step.record().and_then(|record| referred(above, record)),
            None => find_json(tx, entity, id)?.and_then(|row| referred(above, &row)),
        };
    }
    Ok(false)
}

fn has_taken_name(tx: &mut Tx<'_>, plan: &Plan, entity: Entity, record: &Value) -> Result<bool> {
    for_entity!(entity, Kind => {
        let record = from_json::<Kind>(record.clone())?;
        let Some(holder) = unique_holder(tx, &record)? else { return Ok(false) };
        Ok(match plan.steps.get(&(entity, holder)) {
            None => true,
            Some(Step::Remove) => false,
            Some(Step::Restore(to) | Step::Reset(to)) => {
                from_json::<Kind>(to.clone())?.unique_key() == record.unique_key()
            }
        })
    })
}

/// Whether there would be more of it than there may be, in the workspace or at what it refers to.
fn exceeds_limit(tx: &mut Tx<'_>, plan: &Plan, place: RecordRef, record: &Value) -> Result<bool> {
    if let Some(list) = name_list(place.0) {
        let labels = plan.labels_after(&place);
        let creates = labels.iter().any(|label| label.named.is_none_or(|named| plan.name_of(named).is_none()));
        if labels.len() > list.most || (creates && count_after(tx, plan, list.to)? >= list.most_named) {
            return Ok(true);
        }
    }
    if let Some(list) = names_of(place.0).filter(|_| plan.restores(&place))
        && count_after(tx, plan, list.to)? > list.most_named
    {
        return Ok(true);
    }
    for reference in REFERENCES.iter().filter(|reference| reference.from == place.0) {
        let Some(most) = reference.most else { continue };
        // What comes back with what it belongs to was there before.
        let given = referred_ids(reference, record).into_iter().filter(|to| !plan.restores(&(reference.to, *to)));
        for to in given {
            let coming = plan.coming.get(&(reference.column, place.0, to)).copied().unwrap_or_default();
            if coming.saturating_add(count_referring(tx, reference, to)?) <= most {
                continue;
            }
            let there: Vec<RecordRef> =
                referring_ids(tx, reference, to)?.into_iter().map(|id| (reference.from, id)).collect();
            let others = there.iter().filter(|there| !plan.steps.contains_key(there)).count();
            let total = coming.saturating_add(i64::try_from(others).unwrap_or(i64::MAX));
            if total > most && !there.contains(&place) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// How many records of a kind there are in the end.
fn count_after(tx: &mut Tx<'_>, plan: &Plan, kind: Entity) -> Result<i64> {
    let all = Select::all(tx.workspace, Predicate::always());
    let now = for_entity!(kind, Kind => Kind::count(tx.conn, all)?);
    let by = |step: &Step| match step {
        Step::Restore(_) => 1,
        Step::Reset(_) => 0,
        Step::Remove => -1,
    };
    let steps = plan.steps.iter().filter(|((entity, _), _)| *entity == kind);
    Ok(steps.fold(now, |count, (_, step)| count.saturating_add(by(step))))
}

/// Whether a record that was made is still referred to, or carried, when all is done.
fn is_needed(tx: &mut Tx<'_>, plan: &Plan, (entity, id): RecordRef) -> Result<bool> {
    for carrier in carriers_of(tx, entity, id)? {
        let lets_go = match plan.steps.get(&carrier) {
            None => false,
            Some(Step::Remove) => true,
            Some(_) => plan.labels_after(&carrier).iter().all(|label| label.named != Some((entity, id))),
        };
        if !lets_go {
            return Ok(true);
        }
    }
    let entered = REFERENCES.iter().filter(|reference| !is_derived(reference.from));
    for reference in entered.filter(|reference| reference.to == entity) {
        for referring in referring_ids(tx, reference, id)? {
            let lets_go = plan
                .steps
                .get(&(reference.from, referring))
                .is_some_and(|step| step.record().is_none_or(|own| !referred_ids(reference, own).contains(&id)));
            if !lets_go {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a step leaves the record as it is: all that the write did to it was changed since, or was done to a tag that is
/// left alone, which stays done to those who carry it.
fn does_nothing(tx: &mut Tx<'_>, plan: &Plan, place: RecordRef, record: &Value) -> Result<bool> {
    let labels = plan.labels.get(&place);
    let keeps_labels = labels.is_some_and(|labels| labels.before.iter().any(|label| plan.stays_changed(label)));
    if !keeps_labels && !plan.changed_since.contains(&place) {
        return Ok(false);
    }
    let now = find_json(tx, place.0, place.1)?;
    Ok(now.is_some_and(|now| without_stamps(&now) == without_stamps(&plan.relabelled(&place, record))))
}

/// The records that name this one in a list.
pub(super) fn carriers_of(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Vec<RecordRef>> {
    let Some(list) = names_of(entity) else { return Ok(Vec::new()) };
    match find_json(tx, entity, id)?.as_ref().and_then(|record| name_in(list, record)) {
        Some(name) => holders_of_name(tx, list, name),
        None => Ok(Vec::new()),
    }
}
