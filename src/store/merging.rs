//! Merging: several records of a kind become one, and whatever refers to the others refers to the one that is kept.

use serde_json::{Map, Value};
use std::collections::HashSet;

use super::db::sql::types::AnyId;
use super::db::write::json::{demoted, from_json, id_of, is_primary, referred};
use super::db::write::lookup::{find, referring};
use super::db::write::record::{Record, for_entity};
use super::db::write::records::{delete, delete_json, update_json};
use super::db::write::tx::Tx;
use super::error::{Conflict, Result};
use crate::domain::entity::{Entity, OnDelete, REFERENCES, Reference};
use crate::domain::text;

/// What is in every record and says nothing of the thing itself.
const HEAD: &[&str] = &["id", "version", "created_at", "updated_at"];

/// Points what refers to the merged records to the one that is kept, drops what then says the same twice or refers to
/// itself, and deletes them; the log tells where they live on. What the kept record takes over is the caller's.
pub fn merge_into<R: Record>(tx: &mut Tx<'_>, keep: &R, merged: &[R]) -> Result<()> {
    if merged.iter().any(Record::is_permanent) {
        return Err(Conflict::SelfContact.into());
    }
    let gone: Vec<AnyId> = merged.iter().map(Record::id).collect();
    for record in merged {
        for reference in REFERENCES.iter().filter(|reference| reference.to == R::ENTITY) {
            let mut seen = SeenContent::of(reference.from, &referring(tx, reference, keep.id())?)?;
            for row in referring(tx, reference, record.id())? {
                let goes_too = reference.from == R::ENTITY && id_of(&row).is_some_and(|id| gone.contains(&id));
                if !goes_too {
                    repoint(tx, reference, row, keep.id(), &mut seen)?;
                }
            }
        }
        record.replace_in_carriers(tx, keep.tag_name())?;
    }
    for record in merged {
        // As it is by now: one of the others may have referred to it.
        if let Some(record) = find::<R>(tx, record.id())? {
            delete(tx, &record)?;
            tx.note_survivor(R::ENTITY, record.id(), keep.id());
        }
    }
    Ok(())
}

fn repoint(tx: &mut Tx<'_>, reference: &Reference, row: Value, keep: AnyId, seen: &mut SeenContent) -> Result<()> {
    let refers_to_itself = reference.from == reference.to && id_of(&row) == Some(keep);
    let target = if refers_to_itself { Value::Null } else { Value::String(keep.uuid().to_string()) };
    let mut repointed = row.clone();
    if let Some(place) = repointed.pointer_mut(reference.pointer) {
        *place = target;
    }
    // One of those that belong to the kept one comes first, and that is its own.
    if seen.has_primary && reference.on_delete == OnDelete::Cascade {
        repointed = demoted(reference.from, repointed)?;
    }
    // What only loses its link when the other goes says more than that link.
    let drop = reference.on_delete != OnDelete::SetNull
        && (names_twice(reference, &repointed, keep)
            || !seen.texts.insert(content_key(reference.from, &repointed)?));
    if drop {
        return delete_json(tx, reference.from, row);
    }
    seen.has_primary = seen.has_primary || is_primary(reference.from, &repointed)?;
    update_json(tx, reference.from, row, repointed)
}

/// Takes out of a record the references that would lead to itself once these records are one.
pub fn clear_references(entity: Entity, record: &mut Value, to: &[AnyId]) {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity && reference.to == entity) {
        if referred(reference, record).is_some_and(|id| to.contains(&id))
            && let Some(place) = record.pointer_mut(reference.pointer)
        {
            *place = Value::Null;
        }
    }
}

/// What those that refer to the kept record say.
struct SeenContent {
    texts: HashSet<String>,
    /// Whether one of them comes first.
    has_primary: bool,
}

impl SeenContent {
    fn of(entity: Entity, rows: &[Value]) -> Result<Self> {
        let mut seen = Self { texts: HashSet::new(), has_primary: false };
        for row in rows {
            seen.texts.insert(content_key(entity, row)?);
            seen.has_primary = seen.has_primary || is_primary(entity, row)?;
        }
        Ok(seen)
    }
}

/// Whether the record refers to the same one in two places: a relationship with oneself.
fn names_twice(reference: &Reference, row: &Value, keep: AnyId) -> bool {
    let alike = REFERENCES.iter().filter(|other| other.from == reference.from && other.to == reference.to);
    alike.filter(|other| referred(other, row) == Some(keep)).count() > 1
}

/// What a record says, as text that can be compared; case and accents do not count.
fn content_key(entity: Entity, row: &Value) -> Result<String> {
    let ignored = for_entity!(entity, Kind => from_json::<Kind>(row.clone())?.ignored_by_dedup());
    let members = row.as_object().into_iter().flatten();
    let seen: Map<String, Value> = members
        .filter(|(name, _)| !HEAD.contains(&name.as_str()) && !ignored.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(text::fold(&Value::Object(seen).to_string()))
}
