//! Merging: several records of a kind become one, and whatever refers to the others refers to the one that is kept.

use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

use super::db::sql::types::AnyId;
use super::db::write::json::{demoted, detach, from_json, id_of, is_primary, json, referred, repoint};
use super::db::write::lookup::{find, referring};
use super::db::write::many::rename_in_lists;
use super::db::write::record::{Record, for_entity};
use super::db::write::records::{delete, delete_json, update, update_json};
use super::db::write::tx::Tx;
use super::error::{Conflict, Result};
use crate::domain::entity::Entity;
use crate::domain::reference::{OnDelete, REFERENCES, Reference, is_derived};
use crate::domain::text;

/// What is in every record and says nothing of the thing itself.
const HEAD: &[&str] = &["id", "version", "created_at", "updated_at"];

/// Points what refers to the merged records to the one that is kept, drops what then says the same twice or refers to
/// itself, and deletes them; the log tells where they live on. What the kept record takes over is the caller's.
pub fn merge_into<R: Record>(tx: &mut Tx<'_>, keep: &R, merged: &[R]) -> Result<()> {
    if merged.iter().any(Record::is_permanent) {
        return Err(Conflict::Permanent.into());
    }
    let gone: Vec<AnyId> = merged.iter().map(Record::id).collect();
    for record in merged {
        let entered = REFERENCES.iter().filter(|reference| !is_derived(reference.from));
        for reference in entered.filter(|reference| reference.to == R::ENTITY) {
            let mut seen = SeenContent::of(reference, &referring(tx, reference, keep.id())?)?;
            for row in referring(tx, reference, record.id())? {
                let goes_too = reference.from == R::ENTITY && id_of(&row).is_some_and(|id| gone.contains(&id));
                if !goes_too {
                    take_over(tx, reference, row, (record.id(), keep.id()), &mut seen)?;
                }
            }
        }
        rename_in_lists(tx, R::ENTITY, &json(record)?, Some(&json(keep)?))?;
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

/// Joins a record into one of the same kind that says the same of the kept record: what refers to it follows.
fn join(tx: &mut Tx<'_>, entity: Entity, into: AnyId, row: Value) -> Result<()> {
    for_entity!(entity, Kind => {
        let row = from_json::<Kind>(row)?;
        let Some(kept) = find::<Kind>(tx, into)? else { return Ok(()) };
        let mut joined = kept.joined(&row)?;
        merge_into(tx, &kept, &[row])?;
        let Some(kept) = find::<Kind>(tx, into)? else { return Ok(()) };
        joined.take_head(&kept);
        update(tx, &kept, joined).map(drop)
    })
}

/// Points one record that refers to a merged one to the one that is kept.
fn take_over(
    tx: &mut Tx<'_>,
    reference: &Reference,
    row: Value,
    (merged, keep): (AnyId, AnyId),
    seen: &mut SeenContent,
) -> Result<()> {
    let refers_to_itself = reference.from == reference.to && id_of(&row) == Some(keep);
    let mut repointed = row.clone();
    if refers_to_itself {
        detach(reference, &mut repointed, merged);
    } else {
        repoint(reference, &mut repointed, merged, keep);
    }
    if let Some(into) = seen.same_as(reference.from, &repointed)? {
        return join(tx, reference.from, into, row);
    }
    let rule = reference.at_most_one();
    // The primary one of those that belong to the kept record stays so.
    if let Some(rule) = rule.filter(|_| seen.has_primary) {
        repointed = demoted(rule, repointed);
    }
    // What only loses its link when the other goes says more than that link.
    let is_only_link = matches!(reference.on_delete, OnDelete::SetNull | OnDelete::Leave { .. });
    let drop = !is_only_link
        && (names_twice(reference, &repointed, keep)
            || !seen.texts.insert(content_key(reference.from, &repointed)?));
    if drop {
        return delete_json(tx, reference.from, row);
    }
    seen.has_primary |= rule.is_some_and(|rule| is_primary(rule, &repointed));
    update_json(tx, reference.from, row, repointed)
}

/// Takes out of a record the references that would lead to itself once these records are one.
pub fn clear_references(entity: Entity, record: &mut Value, to: &[AnyId]) {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity && reference.to == entity) {
        for id in to {
            detach(reference, record, *id);
        }
    }
}

/// What those that refer to the kept record say.
struct SeenContent {
    texts: HashSet<String>,
    /// Those of which there can be one only.
    identities: HashMap<String, AnyId>,
    /// Whether one of them is the primary one.
    has_primary: bool,
}

impl SeenContent {
    fn of(reference: &Reference, rows: &[Value]) -> Result<Self> {
        let texts = rows.iter().map(|row| content_key(reference.from, row)).collect::<Result<_>>()?;
        let mut identities = HashMap::new();
        for row in rows {
            if let (Some(identity), Some(id)) = (identity_of(reference.from, row)?, id_of(row)) {
                identities.insert(identity, id);
            }
        }
        let rule = reference.at_most_one();
        let has_primary = rule.is_some_and(|rule| rows.iter().any(|row| is_primary(rule, row)));
        Ok(Self { texts, identities, has_primary })
    }

    /// The one that says the same as this one. If there is none, it is this one from now on.
    fn same_as(&mut self, entity: Entity, row: &Value) -> Result<Option<AnyId>> {
        let (Some(identity), Some(id)) = (identity_of(entity, row)?, id_of(row)) else { return Ok(None) };
        let first = *self.identities.entry(identity).or_insert(id);
        Ok(Some(first).filter(|first| *first != id))
    }
}

/// Whether the record refers to the same one in two places: a relationship with oneself.
fn names_twice(reference: &Reference, row: &Value, keep: AnyId) -> bool {
    let alike = REFERENCES.iter().filter(|other| other.from == reference.from && other.to == reference.to);
    alike.filter(|other| referred(other, row) == Some(keep)).count() > 1
}

fn identity_of(entity: Entity, row: &Value) -> Result<Option<String>> {
    Ok(for_entity!(entity, Kind => from_json::<Kind>(row.clone())?.identity()))
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
