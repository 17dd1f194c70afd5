//! Creating, updating and deleting a record of any kind, with the log, the keys and the search document that belong to it.
//! What a kind brings to this is told in `record.rs`.

use serde_json::Value;

use super::checks::{Precondition, check_id_is_free, check_references, check_unique, not_found_or_merged};
use super::json::{from_json, json};
use super::lookup::referring;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::{Entity, OnDelete, Op, REFERENCES};
use crate::domain::merge_patch::changed_fields;
use crate::store::db::index::{documents, keys, search};
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Conflict, Result};

pub use super::lookup::{exists, find, was_deleted};

/// The record, if it exists and the precondition holds.
pub fn get<R: Record>(tx: &mut Tx<'_>, id: AnyId, precondition: &Precondition) -> Result<R> {
    let Some(record) = find::<R>(tx, id)? else { return Err(not_found_or_merged(tx, R::ENTITY, id)?) };
    precondition.check(Some(record.version()))?;
    Ok(record)
}

/// Creates a record; its id has to be free, and what it refers to has to exist.
pub fn create<R: Record>(tx: &mut Tx<'_>, record: R) -> Result<R> {
    check_id_is_free::<R>(tx, record.id())?;
    check_references(tx, R::ENTITY, None, &json(&record)?)?;
    check_unique(tx, None, &record)?;
    insert(tx, record)
}

fn insert<R: Record>(tx: &mut Tx<'_>, mut record: R) -> Result<R> {
    record.resolve_tags(tx, None)?;
    let fields = fields_unlike_deleted(tx, &record)?;
    tx.touch(R::ENTITY, record.id(), Op::Created, None, fields)?;
    record.stamp(tx.number_of(R::ENTITY, record.id()), tx.now());
    record.insert(tx.conn, tx.workspace)?;
    keys::write(tx.conn, tx.workspace, R::ENTITY, record.id(), &record.keys())?;
    // Nothing refers to it yet.
    documents::write(tx, &record, "")?;
    queue_dependents(tx, &record)?;
    Ok(record)
}

/// Writes the record if it differs; one that does not keeps its version.
pub fn update<R: Record>(tx: &mut Tx<'_>, before: &R, mut after: R) -> Result<R> {
    after.resolve_tags(tx, Some(before))?;
    let (old, new) = (json(before)?, json(&after)?);
    let fields = changed_fields(&old, &new);
    if fields.is_empty() {
        return Ok(before.clone());
    }
    check_references(tx, R::ENTITY, Some(&old), &new)?;
    check_unique(tx, Some(before), &after)?;
    tx.touch(R::ENTITY, after.id(), Op::Updated, Some(&old), fields)?;
    after.stamp(tx.number_of(R::ENTITY, after.id()), tx.now());
    after.update(tx.conn, tx.workspace)?;
    keys::write(tx.conn, tx.workspace, R::ENTITY, after.id(), &after.keys())?;
    // Half of the cost of a write; most edits change nothing that is searched.
    if before.search_text() != after.search_text() {
        let related = after.related_search_text(tx.conn, tx.workspace)?;
        documents::write(tx, &after, &related)?;
    }
    if before.search_projection() != after.search_projection() {
        queue_dependents(tx, before)?;
        queue_dependents(tx, &after)?;
    }
    if !tx.is_reverting && before.tag_name() != after.tag_name() {
        before.replace_in_carriers(tx, after.tag_name())?;
    }
    Ok(after)
}

/// Deletes the record, and deletes or detaches what refers to it, as `REFERENCES` says; the record goes last.
pub fn delete<R: Record>(tx: &mut Tx<'_>, record: &R) -> Result<()> {
    if record.is_permanent() {
        return Err(Conflict::SelfContact.into());
    }
    if !tx.is_reverting {
        record.replace_in_carriers(tx, None)?;
    }
    for reference in REFERENCES.iter().filter(|reference| reference.to == R::ENTITY) {
        for row in referring(tx, reference, record.id())? {
            let mut detached = row.clone();
            if let Some(place) = detached.pointer_mut(reference.pointer) {
                *place = Value::Null;
            }
            match reference.on_delete {
                OnDelete::Cascade => delete_json(tx, reference.from, row)?,
                OnDelete::SetNull => update_json(tx, reference.from, row, detached)?,
                OnDelete::KeepName(kept) => {
                    if let Some(place) = detached.pointer_mut(kept).filter(|place| place.is_null()) {
                        *place = json(record)?.get("name").cloned().unwrap_or_default();
                    }
                    update_json(tx, reference.from, row, detached)?;
                }
            }
        }
    }
    queue_dependents(tx, record)?;
    tx.touch(R::ENTITY, record.id(), Op::Deleted, Some(&json(record)?), Vec::new())?;
    keys::write(tx.conn, tx.workspace, R::ENTITY, record.id(), &[])?;
    search::unindex(tx.conn, tx.workspace, R::ENTITY, record.id())?;
    R::delete(tx.conn, tx.workspace, record.id())?;
    Ok(())
}

/// Brings back a record that was deleted; undo has checked its references.
pub(in crate::store) fn restore_json(tx: &mut Tx<'_>, entity: Entity, record: Value) -> Result<()> {
    for_entity!(entity, Kind => insert(tx, from_json::<Kind>(record)?).map(drop))
}

pub(in crate::store) fn update_json(tx: &mut Tx<'_>, entity: Entity, before: Value, after: Value) -> Result<()> {
    for_entity!(entity, Kind => update(tx, &from_json::<Kind>(before)?, from_json::<Kind>(after)?).map(drop))
}

pub(in crate::store) fn delete_json(tx: &mut Tx<'_>, entity: Entity, record: Value) -> Result<()> {
    for_entity!(entity, Kind => delete(tx, &from_json::<Kind>(record)?))
}

/// The fields in which a record that is created differs from one of the same id that this write has deleted.
fn fields_unlike_deleted<R: Record>(tx: &Tx<'_>, record: &R) -> Result<Vec<String>> {
    let Some(before) = tx.before(R::ENTITY, record.id())? else { return Ok(Vec::new()) };
    let mut fields = changed_fields(&before, &json(record)?);
    // What each write stamps on it.
    fields.retain(|name| name != "version" && name != "updated_at");
    Ok(fields)
}

/// The records that this one says something of are indexed anew at the end.
fn queue_dependents<R: Record>(tx: &mut Tx<'_>, record: &R) -> Result<()> {
    let dependents = record.search_dependents(tx.conn, tx.workspace)?;
    tx.queue_reindex(dependents);
    Ok(())
}
