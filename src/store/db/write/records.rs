//! Creating, updating and deleting a record of any kind, with the log, the keys and the search document that belong to it.
//! What a kind brings to this is told in `record.rs`.

use serde_json::{Value, json};
use std::collections::hash_map::Entry;

use super::checks::{
    Precondition, check_id_is_free, check_references, check_room, check_unique, not_found_or_merged,
};
use super::joins;
use super::json::{demoted, detach, from_json, id_of, is_primary, json, referred, referred_ids};
use super::lookup::{primaries, referring};
use super::names::{
    count_holders_of_name, holders_of_name, holds_name, name_in, names_in, replaced, set_names, spellings,
};
use super::operations;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::RecordId;
use crate::domain::merge_patch::changed_fields;
use crate::domain::operation::{MAX_AT_ONCE, Postponed, Rename, Work};
use crate::domain::reference::{NameList, OnDelete, REFERENCES, name_list, names_of};
use crate::domain::text::fold;
use crate::store::db::index::{documents, keys, search, timeline};
use crate::store::db::sql::select::Predicate;
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Conflict, Result};

pub use super::lookup::{exists, find, find_or_survivor, is_untouched, was_deleted};
pub use super::names::next_holders_of_name;

/// The record, if it exists and the precondition holds.
pub fn get<R: Record>(tx: &mut Tx<'_>, id: AnyId, precondition: &Precondition) -> Result<R> {
    let Some(record) = find::<R>(tx, id)? else { return Err(not_found_or_merged(tx, R::ENTITY, id)?) };
    precondition.check(Some(record.version()))?;
    Ok(record)
}

/// Creates a record; its id has to be free, and what it refers to has to exist.
pub fn create<R: Record>(tx: &mut Tx<'_>, record: R) -> Result<R> {
    let row = json(&record)?;
    check_id_is_free::<R>(tx, record.id())?;
    check_references(tx, R::ENTITY, None, &row)?;
    check_unique(tx, None, &record)?;
    if let Some(name) = names_of(R::ENTITY).and_then(|list| name_in(list, &row))
        && let Some(conflict) = operations::name_conflict(tx, R::ENTITY, name)?
    {
        return Err(conflict.into());
    }
    demote_others(tx, R::ENTITY, None, &row)?;
    insert(tx, record, row)
}

/// Writes a record of which this is the JSON.
pub(super) fn insert<R: Record>(tx: &mut Tx<'_>, record: R, row: Value) -> Result<R> {
    let (mut record, row) = resolve_names(tx, None, record, row)?;
    let fields = fields_unlike_deleted(tx, R::ENTITY, record.id(), &row)?;
    tx.touch(R::ENTITY, record.id(), Op::Created, None, fields)?;
    record.stamp(tx.number_of(R::ENTITY, record.id()), tx.now());
    record.insert(tx.conn, tx.workspace)?;
    R::write_copies(tx.conn, tx.workspace, record.id(), Some(&record))?;
    write_joins(tx, R::ENTITY, record.id(), None, Some(&row))?;
    keys::insert(tx.conn, tx.workspace, R::ENTITY, record.id(), &record.keys())?;
    timeline::write(tx.conn, tx.workspace, record.id(), &[], &record.timeline())?;
    // Nothing refers to it yet.
    documents::write(tx, &record, "")?;
    queue_reindex(tx, &record)?;
    tx.queue_derived(record.derived_dependents());
    Ok(record)
}

/// Writes the record if it differs; one that does not keeps its version.
pub fn update<R: Record>(tx: &mut Tx<'_>, before: &R, after: R) -> Result<R> {
    let (old, new) = (json(before)?, json(&after)?);
    let (after, new) = resolve_names(tx, Some(&old), after, new)?;
    update_resolved(tx, before, after, &old, &new)
}

/// Writes a record whose names in lists are those of records, as `old` becomes `new` in JSON.
fn update_resolved<R: Record>(tx: &mut Tx<'_>, before: &R, mut after: R, old: &Value, new: &Value) -> Result<R> {
    let fields = changed_fields(old, new);
    if fields.is_empty() {
        return Ok(before.clone());
    }
    check_references(tx, R::ENTITY, Some(old), new)?;
    check_unique(tx, Some(before), &after)?;
    demote_others(tx, R::ENTITY, Some(old), new)?;
    tx.touch(R::ENTITY, after.id(), Op::Updated, Some(old), fields)?;
    after.stamp(tx.number_of(R::ENTITY, after.id()), tx.now());
    after.update(before, tx.conn, tx.workspace)?;
    R::write_copies(tx.conn, tx.workspace, after.id(), Some(&after))?;
    write_joins(tx, R::ENTITY, after.id(), Some(old), Some(new))?;
    keys::update(tx.conn, tx.workspace, R::ENTITY, after.id(), &before.keys(), &after.keys())?;
    timeline::write(tx.conn, tx.workspace, after.id(), &before.timeline(), &after.timeline())?;
    // Half of the cost of a write; most edits change nothing that is searched.
    if before.search_text() != after.search_text() {
        let related = after.related_search_text(tx.conn, tx.workspace)?;
        documents::write(tx, &after, &related)?;
    }
    if before.search_projection() != after.search_projection() {
        queue_reindex(tx, before)?;
        queue_reindex(tx, &after)?;
    }
    if after.changes_derived(before) {
        tx.queue_derived(before.derived_dependents());
        tx.queue_derived(after.derived_dependents());
    }
    if !tx.is_reverting {
        rename_in_lists(tx, R::ENTITY, old, Some(new))?;
    }
    Ok(after)
}

/// Deletes the record, and deletes or detaches what refers to it, as `REFERENCES` says; the record goes last.
pub fn delete<R: Record>(tx: &mut Tx<'_>, record: &R) -> Result<()> {
    if record.is_permanent() {
        return Err(Conflict::Permanent.into());
    }
    let own = json(record)?;
    if !tx.is_reverting {
        rename_in_lists(tx, R::ENTITY, &own, None)?;
    }
    for reference in REFERENCES.iter().filter(|reference| reference.to == R::ENTITY) {
        for row in referring(tx, reference, record.id())? {
            let mut detached = row.clone();
            detach(reference, &mut detached, record.id());
            match reference.on_delete {
                OnDelete::Cascade => delete_json(tx, reference.from, row)?,
                OnDelete::SetNull => update_json(tx, reference.from, row, detached)?,
                OnDelete::Leave { needs_any } => {
                    let holds = |pointer: &&str| !is_empty(detached.pointer(pointer));
                    if needs_any.is_empty() || needs_any.iter().any(holds) {
                        update_json(tx, reference.from, row, detached)?;
                    } else {
                        delete_json(tx, reference.from, row)?;
                    }
                }
                OnDelete::KeepName { name, kept_as } => {
                    if let Some(place) = detached.pointer_mut(kept_as).filter(|place| place.is_null()) {
                        *place = own.pointer(name).cloned().unwrap_or_default();
                    }
                    update_json(tx, reference.from, row, detached)?;
                }
            }
        }
    }
    queue_reindex(tx, record)?;
    tx.queue_derived(record.derived_dependents());
    write_joins(tx, R::ENTITY, record.id(), Some(&own), None)?;
    tx.touch(R::ENTITY, record.id(), Op::Deleted, Some(&own), Vec::new())?;
    keys::delete(tx.conn, tx.workspace, R::ENTITY, record.id())?;
    timeline::write(tx.conn, tx.workspace, record.id(), &record.timeline(), &[])?;
    search::unindex(tx.conn, tx.workspace, R::ENTITY, record.id())?;
    R::delete(tx.conn, tx.workspace, record.id())?;
    R::write_copies(tx.conn, tx.workspace, record.id(), None)?;
    Ok(())
}

fn is_empty(field: Option<&Value>) -> bool {
    match field {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Derives the rows of join tables from the lists that a record holds.
fn write_joins(
    tx: &mut Tx<'_>,
    entity: Entity,
    id: AnyId,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<()> {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity && reference.join.is_some()) {
        let ids = |record: Option<&Value>| record.map(|own| referred_ids(reference, own)).unwrap_or_default();
        joins::write(tx.conn, tx.workspace, reference, id, &ids(before), &ids(after))?;
    }
    Ok(())
}

/// Brings back a record that was deleted; undo has checked its references.
pub(in crate::store) fn restore_json(tx: &mut Tx<'_>, entity: Entity, record: Value) -> Result<()> {
    for_entity!(entity, Kind => insert(tx, from_json::<Kind>(record.clone())?, record).map(drop))
}

pub(in crate::store) fn update_json(tx: &mut Tx<'_>, entity: Entity, before: Value, after: Value) -> Result<()> {
    for_entity!(entity, Kind => update(tx, &from_json::<Kind>(before)?, from_json::<Kind>(after)?).map(drop))
}

pub(in crate::store) fn delete_json(tx: &mut Tx<'_>, entity: Entity, record: Value) -> Result<()> {
    for_entity!(entity, Kind => delete(tx, &from_json::<Kind>(record)?))
}

/// Of those that belong to the same record, at most one is the primary one: who becomes it demotes the others. A plan of
/// undo has demoted what it brings back already.
fn demote_others(tx: &mut Tx<'_>, entity: Entity, before: Option<&Value>, after: &Value) -> Result<()> {
    if tx.is_reverting {
        return Ok(());
    }
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let Some(rule) = reference.at_most_one().filter(|rule| is_primary(rule, after)) else { continue };
        let is_primary_of = |record: &Value| referred(reference, record).filter(|_| is_primary(rule, record));
        let Some(per) = is_primary_of(after).filter(|per| before.and_then(is_primary_of) != Some(*per)) else {
            continue;
        };
        for other in primaries(tx, reference, rule, per)? {
            if id_of(&other) != id_of(after) {
                let demoted = demoted(rule, other.clone());
                update_json(tx, entity, other, demoted)?;
            }
        }
    }
    Ok(())
}

/// A record, and its JSON, with the names in its list spelled as the records are that they name; those that are new are
/// created.
pub(in crate::store) fn resolve_names<R: Record>(
    tx: &mut Tx<'_>,
    before: Option<&Value>,
    record: R,
    mut row: Value,
) -> Result<(R, Value)> {
    let Some(list) = name_list(R::ENTITY) else { return Ok((record, row)) };
    let names = names_in(list, &row);
    if names.is_empty() || before.is_some_and(|before| names_in(list, before) == names) {
        return Ok((record, row));
    }
    let mut known = spellings(tx, list, &names)?;
    for name in &names {
        // What undo restores may name one that is gone.
        if tx.is_reverting && list.is_one {
            continue;
        }
        if let Entry::Vacant(unknown) = known.entry(fold(name)) {
            match operations::name_conflict(tx, list.to, name)? {
                None => {
                    create_named(tx, list, name)?;
                    unknown.insert(name.clone());
                }
                // The operation that replaces it in all lists has not come to this one.
                Some(_) if before.is_some_and(|before| holds_name(list, before, name)) => {
                    unknown.insert(name.clone());
                }
                Some(conflict) => return Err(conflict.into()),
            }
        }
    }
    set_names(list, &mut row, names.iter().filter_map(|name| known.get(&fold(name)).cloned()));
    if names_in(list, &row) == names { Ok((record, row)) } else { Ok((from_json(row.clone())?, row)) }
}

fn create_named(tx: &mut Tx<'_>, list: &NameList, name: &str) -> Result<()> {
    for_entity!(list.to, Kind => {
        check_room::<Kind>(tx, Predicate::always(), list.most_named, list.pointer, list.to.plural())?;
        let fields = serde_json::from_value(json!({ list.name: name }))?;
        let record = Kind::new(RecordId::new(tx.new_id()), tx.now(), fields)?;
        create(tx, record).map(drop)
    })
}

/// Those who name a record in a list name it by its new name, or that of another record; or no longer, where there is none.
pub(in crate::store) fn rename_in_lists(
    tx: &mut Tx<'_>,
    entity: Entity,
    old: &Value,
    new: Option<&Value>,
) -> Result<()> {
    let Some(list) = names_of(entity) else { return Ok(()) };
    let (Some(old), new) = (name_in(list, old), new.and_then(|new| name_in(list, new))) else { return Ok(()) };
    if new == Some(old) {
        return Ok(());
    }
    operations::check_none_runs(tx)?;
    // What was to be called by this name is called by the new one.
    for rename in tx.postponed_renames().iter_mut().filter(|rename| rename.named == entity) {
        if rename.to.as_deref().is_some_and(|to| fold(to) == fold(old)) {
            rename.to = new.map(str::to_owned);
        }
    }
    if tx.postponed_renames().iter().any(|rename| rename.is_of(entity, old)) {
        return Ok(());
    }
    let total = count_holders_of_name(tx, list, old)?;
    if tx.count_renamed(total) > MAX_AT_ONCE {
        // What a dry run answers tells nothing of them.
        if tx.is_dry_run() {
            return Ok(());
        }
        let rename = Rename { named: entity, from: old.to_owned(), to: new.map(str::to_owned) };
        return tx.postpone(Postponed { work: Work::UpdateTags { renames: vec![rename] }, total });
    }
    for holder in holders_of_name(tx, list, old)? {
        replace_name(tx, holder, old, new)?;
    }
    Ok(())
}

/// Replaces a name in the list of one record; whether it was there and has not stayed.
pub fn replace_name(tx: &mut Tx<'_>, (from, id): (Entity, AnyId), old: &str, new: Option<&str>) -> Result<bool> {
    let Some(list) = name_list(from).filter(|list| new.is_some() || !list.is_one) else { return Ok(false) };
    for_entity!(from, Kind => {
        let Some(holder) = find::<Kind>(tx, id)? else { return Ok(false) };
        let held = json(&holder)?;
        let mut renamed = held.clone();
        set_names(list, &mut renamed, replaced(names_in(list, &held), old, new));
        // The new name is that of a record, spelled as that one is.
        update_resolved(tx, &holder, from_json(renamed.clone())?, &held, &renamed).map(drop)?;
        Ok(true)
    })
}

/// The fields in which a record that is created differs from one of the same id that this write has deleted.
fn fields_unlike_deleted(tx: &Tx<'_>, entity: Entity, id: AnyId, row: &Value) -> Result<Vec<String>> {
    let Some(before) = tx.before(entity, id)? else { return Ok(Vec::new()) };
    let mut fields = changed_fields(&before, row);
    // What each write stamps on it.
    fields.retain(|name| name != "version" && name != "updated_at");
    Ok(fields)
}

/// The records that this one says something of are indexed anew at the end.
fn queue_reindex<R: Record>(tx: &mut Tx<'_>, record: &R) -> Result<()> {
    let dependents = record.search_dependents(tx.conn, tx.workspace)?;
    tx.queue_reindex(dependents);
    Ok(())
}
