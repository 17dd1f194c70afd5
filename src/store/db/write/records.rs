//! Creating, updating and deleting a record of any kind, with the log, the keys and the search document that belong to it.
//! What a kind brings to this is told in `record.rs`.

use serde_json::Value;
use serde_json::value::to_raw_value;

use super::checks::{Precondition, not_found_or_merged};
use super::joins::{self, ListChange};
use super::json::{detach, from_json, json, referred_ids};
use super::lookup::referring;
use super::many::{self, rename_in_lists};
use super::put::queue_reindex;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::{Entity, Op};
use crate::domain::reference::{OnDelete, REFERENCES};
use crate::store::db::index::timeline::{self, TimelineChange};
use crate::store::db::index::{keys, search};
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Conflict, Error, Result};

pub use super::lookup::{exists, find, find_or_survivor, is_untouched, was_deleted};
pub use super::many::{create_many, replace_name, update_many};
pub use super::names::next_holders_of_name;

/// The record, if it exists and the precondition holds.
pub fn get<R: Record>(tx: &mut Tx<'_>, id: AnyId, precondition: &Precondition) -> Result<R> {
    let Some(record) = find::<R>(tx, id)? else { return Err(not_found_or_merged(tx, R::ENTITY, id)?) };
    precondition.check(Some(record.version()))?;
    Ok(record)
}

/// Creates a record; its id has to be free, and what it refers to has to exist.
pub fn create<R: Record>(tx: &mut Tx<'_>, record: R) -> Result<R> {
    only(create_many(tx, vec![record])?)
}

/// Writes the record if it differs; one that does not keeps its version.
pub fn update<R: Record>(tx: &mut Tx<'_>, before: &R, after: R) -> Result<R> {
    only(update_many(tx, vec![(before.clone(), after)])?)
}

fn only<R>(records: Vec<R>) -> Result<R> {
    records.into_iter().next().ok_or_else(|| Error::Internal("a record that was written is gone".to_owned()))
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
    let id = record.id();
    queue_reindex(tx, &[record])?;
    tx.queue_derived(record.derived_dependents());
    for reference in REFERENCES.iter().filter(|own| own.from == R::ENTITY && own.join.is_some()) {
        let list = ListChange { own: id, before: referred_ids(reference, &own), after: Vec::new() };
        joins::write(tx.conn, tx.workspace, reference, [list])?;
    }
    tx.touch(R::ENTITY, id, Op::Deleted, Some(to_raw_value(record)?), Vec::new());
    keys::delete(tx.conn, tx.workspace, R::ENTITY, &[id])?;
    let entries = TimelineChange { record: id, before: record.timeline(), after: Vec::new() };
    timeline::write(tx.conn, tx.workspace, [entries])?;
    search::unindex(tx.conn, tx.workspace, R::ENTITY, id)?;
    R::delete(tx.conn, tx.workspace, id)?;
    Ok(R::write_copies(tx.conn, tx.workspace, &[(id, None)])?)
}

fn is_empty(field: Option<&Value>) -> bool {
    match field {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Brings back records that were deleted; undo has checked their references.
pub(in crate::store) fn restore_json(tx: &mut Tx<'_>, entity: Entity, records: Vec<Value>) -> Result<()> {
    for_entity!(entity, Kind => {
        let records: Vec<Kind> = records.into_iter().map(from_json).collect::<Result<_>>()?;
        many::insert(tx, records)
    })
}

pub(in crate::store) fn update_json(tx: &mut Tx<'_>, entity: Entity, before: Value, after: Value) -> Result<()> {
    for_entity!(entity, Kind => update(tx, &from_json::<Kind>(before)?, from_json::<Kind>(after)?).map(drop))
}

pub(in crate::store) fn delete_json(tx: &mut Tx<'_>, entity: Entity, record: Value) -> Result<()> {
    for_entity!(entity, Kind => delete(tx, &from_json::<Kind>(record)?))
}
