//! Writing many records of a kind as if one after the other: each check and each table takes one statement for all of them.
//! Names in their lists that are new become records, and all are spelled as the records are that they name; renaming a record
//! renames it in all lists.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

use super::change::{Change, in_parts};
use super::checks::{
    Refusal, check_ids_are_free, check_names_are_free, check_references, check_unique, no_room, room_left,
};
use super::json::{Image, demoted, from_json, id_of, referred};
use super::lookup::{FOUND_AT_ONCE, find_all, primaries};
use super::names::{
    count_holders_of_name, holders_of_name, holds_name, name_in, names_in, replaced, set_names, spellings,
};
use super::operations;
use super::put;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::Entity;
use crate::domain::id::RecordId;
use crate::domain::operation::{MAX_AT_ONCE, Postponed, Rename, Work};
use crate::domain::reference::{NameList, REFERENCES, name_list, names_of};
use crate::domain::text::fold;
use crate::store::db::sql::types::AnyId;
use crate::store::error::{FailedAt, Result};

/// Creates records; their ids have to be free, and what they refer to has to exist.
pub fn create_many<R: Record>(tx: &mut Tx<'_>, records: Vec<R>) -> std::result::Result<Vec<R>, FailedAt> {
    let changes = records.into_iter().enumerate().map(|(index, record)| Change::create(index, record));
    let mut created = Vec::new();
    for part in in_parts(changes.collect::<Result<_>>()?) {
        let mut refusal = Refusal::default();
        check_ids_are_free(tx, &part, &mut refusal)?;
        check_references(tx, &part, &mut refusal)?;
        check_unique(tx, &part, &mut refusal)?;
        check_names_are_free(tx, &part, &mut refusal)?;
        refusal.into_result()?;
        demote_others(tx, &part)?;
        created.extend(insert_part(tx, part)?);
    }
    Ok(created)
}

/// Writes records that are known to be fit to be created.
pub(super) fn insert<R: Record>(tx: &mut Tx<'_>, records: Vec<R>) -> Result<()> {
    let changes = records.into_iter().enumerate().map(|(index, record)| Change::create(index, record));
    for part in in_parts(changes.collect::<Result<_>>()?) {
        insert_part(tx, part)?;
    }
    Ok(())
}

fn insert_part<R: Record>(tx: &mut Tx<'_>, mut changes: Vec<Change<R>>) -> std::result::Result<Vec<R>, FailedAt> {
    resolve_names(tx, &mut changes)?;
    Ok(write(tx, changes)?)
}

/// Writes the records that differ from what they were before, of which none comes twice; the others keep their versions.
pub fn update_many<R: Record>(tx: &mut Tx<'_>, records: Vec<(R, R)>) -> std::result::Result<Vec<R>, FailedAt> {
    let changes =
        records.into_iter().enumerate().map(|(index, (before, after))| Change::update(index, before, after));
    let mut changes: Vec<Change<R>> = changes.collect::<Result<_>>()?;
    resolve_names(tx, &mut changes)?;
    update_resolved(tx, changes)
}

/// The same of records whose names in lists are those of records.
pub(super) fn update_resolved<R: Record>(
    tx: &mut Tx<'_>,
    changes: Vec<Change<R>>,
) -> std::result::Result<Vec<R>, FailedAt> {
    let (changed, same): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| !change.fields.is_empty());
    let mut done: Vec<(usize, R)> =
        same.into_iter().filter_map(|change| Some((change.index, change.before?))).collect();
    for part in in_parts(changed) {
        let mut refusal = Refusal::default();
        check_references(tx, &part, &mut refusal)?;
        check_unique(tx, &part, &mut refusal)?;
        refusal.into_result()?;
        demote_others(tx, &part)?;
        let places: Vec<usize> = part.iter().map(|change| change.index).collect();
        done.extend(places.into_iter().zip(write(tx, part)?));
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, record)| record).collect())
}

/// Of those that belong to the same record, at most one is the primary one: who becomes it demotes the others. A plan of
/// undo has demoted what it brings back already.
fn demote_others<R: Record>(tx: &mut Tx<'_>, changes: &[Change<R>]) -> Result<()> {
    if tx.is_reverting {
        return Ok(());
    }
    for reference in REFERENCES.iter().filter(|reference| reference.from == R::ENTITY) {
        let Some(rule) = reference.at_most_one() else { continue };
        let new =
            changes.iter().filter_map(|change| Some((change.becomes_primary_of(reference)?, change.after.id())));
        let new: Vec<(AnyId, AnyId)> = new.collect();
        if new.is_empty() {
            continue;
        }
        let mut others = Vec::new();
        for other in primaries(tx, reference, rule, new.iter().map(|(per, _)| *per).collect())? {
            let (per, id) = (referred(reference, &other), id_of(&other));
            if !new.iter().any(|(own_per, own)| Some(*own_per) == per && Some(*own) == id) {
                others.push((from_json::<R>(other.clone())?, from_json::<R>(demoted(rule, other))?));
            }
        }
        update_many(tx, others)?;
    }
    Ok(())
}

/// Writes records that are checked. Those who name them in lists follow.
fn write<R: Record>(tx: &mut Tx<'_>, mut changes: Vec<Change<R>>) -> Result<Vec<R>> {
    put::write(tx, &mut changes)?;
    if !tx.is_reverting && names_of(R::ENTITY).is_some() {
        for change in &changes {
            if let Some(old) = &change.old {
                rename_in_lists(tx, R::ENTITY, old, Some(&change.new))?;
            }
        }
    }
    Ok(changes.into_iter().map(|change| change.after).collect())
}

/// Spells the names in the lists of records as the records are that they name; those that are new are created.
fn resolve_names<R: Record>(tx: &mut Tx<'_>, changes: &mut [Change<R>]) -> std::result::Result<(), FailedAt> {
    let Some(list) = name_list(R::ENTITY) else { return Ok(()) };
    let mut open: Vec<(&mut Change<R>, Vec<String>)> = Vec::new();
    for change in changes {
        let names = names_in(list, &change.new);
        let is_as_before = change.old.as_ref().is_some_and(|old| names_in(list, old) == names);
        if !names.is_empty() && !is_as_before {
            open.push((change, names));
        }
    }
    let mut known = spellings(tx, list, open.iter().flat_map(|(_, names)| names))?;
    // What undo restores may name one that is gone.
    if !(tx.is_reverting && list.is_one) {
        create_unknown(tx, list, &open, &mut known)?;
    }
    for (change, names) in open {
        set_names(list, &mut change.new, names.iter().filter_map(|name| known.get(&fold(name)).cloned()));
        let spelled = names_in(list, &change.new);
        if spelled == names {
            continue;
        }
        change.after.set_names(spelled)?;
        if let Some(image) = &change.image {
            change.fields = image.changed_fields(&Image::of(&change.after)?)?;
        }
    }
    Ok(())
}

/// Writes those of these records of which the list holds names of no record, or not as these are spelled.
pub(in crate::store) fn respell<R: Record>(tx: &mut Tx<'_>, records: Vec<R>) -> Result<Vec<R>> {
    let Some(list) = name_list(R::ENTITY) else { return Ok(records) };
    let mut changes = Vec::with_capacity(records.len());
    for (index, record) in records.into_iter().enumerate() {
        let image = Image::of(&record)?;
        let new = image.declared(R::ENTITY)?;
        // Where one name stands, it may name a record that is gone.
        let old = Some(if list.is_one { new.clone() } else { Value::Null });
        let (before, image) = (Some(record.clone()), Some(image));
        changes.push(Change { index, before, after: record, old, new, image, fields: Vec::new() });
    }
    resolve_names(tx, &mut changes)?;
    Ok(update_resolved(tx, changes)?)
}

/// Creates the records that are named for the first time.
fn create_unknown<R: Record>(
    tx: &mut Tx<'_>,
    list: &NameList,
    open: &[(&mut Change<R>, Vec<String>)],
    known: &mut HashMap<String, String>,
) -> std::result::Result<(), FailedAt> {
    let named = open.iter().flat_map(|(change, names)| names.iter().map(|name| (&**change, name.as_str())));
    let unknown: Vec<(&Change<R>, &str)> = named.filter(|(_, name)| !known.contains_key(&fold(name))).collect();
    let names: Vec<&str> = unknown.iter().map(|(_, name)| *name).collect();
    let conflicts = operations::name_conflicts(tx, list.to, &names)?;
    let mut new: Vec<(usize, &str)> = Vec::new();
    for ((change, name), conflict) in unknown.into_iter().zip(conflicts) {
        let is_held = change.old.as_ref().is_some_and(|old| holds_name(list, old, name));
        match conflict {
            // The operation that replaces it in all lists has not come to this one.
            Some(conflict) if !is_held => return Err(FailedAt::new(change.index, conflict)),
            None if !known.contains_key(&fold(name)) => new.push((change.index, name)),
            _ => {}
        }
        known.entry(fold(name)).or_insert_with(|| name.to_owned());
    }
    if new.is_empty() {
        return Ok(());
    }
    for_entity!(list.to, Kind => {
        let room = room_left::<Kind>(tx, list.most_named)?;
        if let Some((index, _)) = new.get(room) {
            let error = no_room(list.most_named, list.pointer, list.to.plural());
            return Err(FailedAt::new(*index, error));
        }
        let record = |(_, name): &(usize, &str)| -> Result<Kind> {
            let fields = serde_json::from_value(json!({ list.name: name }))?;
            Ok(Kind::new(RecordId::new(tx.new_id()), tx.now(), fields)?)
        };
        let records: Vec<Kind> = new.iter().map(record).collect::<Result<_>>()?;
        // What is wrong with a name is so where it was given.
        create_many(tx, records).map_err(|failed| FailedAt {
            index: failed.index.and_then(|place| new.get(place)).map(|(index, _)| *index),
            ..failed
        })?;
    });
    Ok(())
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
    let mut holders: BTreeMap<Entity, Vec<AnyId>> = BTreeMap::new();
    for (kind, id) in holders_of_name(tx, list, old)? {
        holders.entry(kind).or_default().push(id);
    }
    for (kind, ids) in holders {
        for ids in ids.chunks(FOUND_AT_ONCE) {
            replace_name(tx, kind, ids, old, new)?;
        }
    }
    Ok(())
}

/// Replaces a name in the lists of records of a kind; in how many of them it was and has not stayed.
pub fn replace_name(tx: &mut Tx<'_>, kind: Entity, ids: &[AnyId], old: &str, new: Option<&str>) -> Result<usize> {
    let Some(list) = name_list(kind).filter(|list| new.is_some() || !list.is_one) else { return Ok(0) };
    let Some(member) = list.pointer.split('/').nth(1) else { return Ok(0) };
    for_entity!(kind, Kind => {
        let holders = find_all::<Kind>(tx, ids)?;
        let mut changes = Vec::with_capacity(holders.len());
        for (index, before) in holders.into_iter().enumerate() {
            let image = Image::of(&before)?;
            let held = image.declared(kind)?;
            let mut renamed = held.clone();
            set_names(list, &mut renamed, replaced(names_in(list, &held), old, new));
            let mut after = before.clone();
            after.set_names(names_in(list, &renamed))?;
            // The new name is that of a record, spelled as that one is.
            changes.push(Change {
                index,
                before: Some(before),
                after,
                fields: (renamed != held).then(|| member.to_owned()).into_iter().collect(),
                old: Some(held),
                new: renamed,
                image: Some(image),
            });
        }
        Ok(update_resolved(tx, changes)?.len())
    })
}
