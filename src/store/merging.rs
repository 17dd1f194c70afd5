//! Merging: several records of a kind become one, and whatever refers to the others refers to the one that is kept.

use serde_json::{Map, Value};
use std::collections::HashSet;

use super::db::record::{Record, for_entity};
use super::db::rows::{from_json, id_of, leads, referred, second};
use super::db::types::AnyId;
use super::db::write::Tx;
use super::error::{Conflict, Result};
use crate::domain::entity::{Entity, OnDelete, REFERENCES, Reference};
use crate::domain::text;

/// What is in every record and says nothing of the thing itself.
const HEAD: &[&str] = &["id", "version", "created_at", "updated_at"];

impl Tx<'_> {
    /// Points what refers to the merged records to the one that is kept, drops what then says the same twice or refers to
    /// itself, and deletes them; the log tells where they live on. What the kept record takes over is the caller's.
    pub fn merge_into<R: Record>(&mut self, keep: &R, merged: &[R]) -> Result<()> {
        if merged.iter().any(Record::is_permanent) {
            return Err(Conflict::SelfContact.into());
        }
        let gone: Vec<AnyId> = merged.iter().map(Record::id).collect();
        for record in merged {
            for reference in REFERENCES.iter().filter(|reference| reference.to == R::ENTITY) {
                let mut said = Said::of(reference.from, &self.referring(reference, keep.id())?)?;
                for row in self.referring(reference, record.id())? {
                    let goes_too = reference.from == R::ENTITY && id_of(&row).is_some_and(|id| gone.contains(&id));
                    if !goes_too {
                        self.repoint(reference, row, keep.id(), &mut said)?;
                    }
                }
            }
            if let (Some(old), Some(new)) = (record.carried_as(), keep.carried_as()) {
                self.relabel(old, Some(new))?;
            }
        }
        for record in merged {
            // As it is by now: one of the others may have referred to it.
            if let Some(record) = self.find::<R>(record.id())? {
                self.delete(&record)?;
                self.note_survivor(R::ENTITY, record.id(), keep.id());
            }
        }
        Ok(())
    }

    fn repoint(&mut self, reference: &Reference, row: Value, keep: AnyId, said: &mut Said) -> Result<()> {
        let refers_to_itself = reference.from == reference.to && id_of(&row) == Some(keep);
        let target = if refers_to_itself { Value::Null } else { Value::String(keep.uuid().to_string()) };
        let mut repointed = row.clone();
        if let Some(place) = repointed.pointer_mut(reference.pointer) {
            *place = target;
        }
        // One of those that belong to the kept one comes first, and that is its own.
        if said.is_led && reference.on_delete == OnDelete::TakeAlong {
            repointed = second(reference.from, repointed)?;
        }
        // What only loses its link when the other goes says more than that link.
        let drop = reference.on_delete != OnDelete::Clear
            && (names_twice(reference, &repointed, keep)
                || !said.texts.insert(essence(reference.from, &repointed)?));
        if drop {
            return self.delete_row(reference.from, row);
        }
        said.is_led = said.is_led || leads(reference.from, &repointed)?;
        self.update_row(reference.from, row, repointed)
    }
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
struct Said {
    texts: HashSet<String>,
    /// Whether one of them comes first.
    is_led: bool,
}

impl Said {
    fn of(entity: Entity, rows: &[Value]) -> Result<Self> {
        let mut said = Self { texts: HashSet::new(), is_led: false };
        for row in rows {
            said.texts.insert(essence(entity, row)?);
            said.is_led = said.is_led || leads(entity, row)?;
        }
        Ok(said)
    }
}

/// Whether the record refers to the same one in two places: a relationship with oneself.
fn names_twice(reference: &Reference, row: &Value, keep: AnyId) -> bool {
    let alike = REFERENCES.iter().filter(|other| other.from == reference.from && other.to == reference.to);
    alike.filter(|other| referred(other, row) == Some(keep)).count() > 1
}

/// What a record says, as text that can be compared; case and accents do not count.
fn essence(entity: Entity, row: &Value) -> Result<String> {
    let beside = for_entity!(entity, Kind => from_json::<Kind>(row.clone())?.beside_the_point());
    let members = row.as_object().into_iter().flatten();
    let said: Map<String, Value> = members
        .filter(|(name, _)| !HEAD.contains(&name.as_str()) && !beside.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(text::fold(&Value::Object(said).to_string()))
}
