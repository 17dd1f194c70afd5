//! Merging: several records of a kind become one, and whatever refers to the others refers to the one that is kept.

use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

use super::db::sql::types::AnyId;
use super::db::write::json::{demoted, detach, from_json, id_of, is_primary, json, referred, repoint};
use super::db::write::lookup::{find, find_all, referring};
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
            let known = referring(tx, reference, keep.id())?;
            let mut seen = SeenContent::of(tx, reference, &known)?;
            let rows = referring(tx, reference, record.id())?.into_iter();
            let rows =
                rows.filter(|row| reference.from != R::ENTITY || id_of(row).is_none_or(|id| !gone.contains(&id)));
            let repointed = |row| Repointed::new(reference, row, (record.id(), keep.id()));
            let rows: Vec<Repointed> = rows.map(repointed).collect();
            let after: Vec<Value> = rows.iter().map(|row| row.after.clone()).collect();
            for (row, identities) in rows.into_iter().zip(identities_of(tx, reference.from, &after)?) {
                take_over(tx, reference, row, identities, keep.id(), &mut seen)?;
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

/// A record that refers to a merged one, and what it is once it refers to the one that is kept.
struct Repointed {
    before: Value,
    after: Value,
}

impl Repointed {
    fn new(reference: &Reference, before: Value, (merged, keep): (AnyId, AnyId)) -> Self {
        let refers_to_itself = reference.from == reference.to && id_of(&before) == Some(keep);
        let mut after = before.clone();
        if refers_to_itself {
            detach(reference, &mut after, merged);
        } else {
            repoint(reference, &mut after, merged, keep);
        }
        Self { before, after }
    }
}

/// Joins a record into one of the same kind that says the same of the kept record: what refers to it follows. Whether the one
/// is the primary one then.
fn join(tx: &mut Tx<'_>, reference: &Reference, into: AnyId, row: Repointed, has_primary: bool) -> Result<bool> {
    let rule = reference.at_most_one();
    for_entity!(reference.from, Kind => {
        let Some(kept) = find::<Kind>(tx, into)? else { return Ok(false) };
        let mut joined = kept.joined(&from_json(row.after)?)?;
        if let Some(rule) = rule.filter(|rule| has_primary && !json(&kept).is_ok_and(|kept| is_primary(rule, &kept))) {
            joined = from_json(demoted(rule, json(&joined)?))?;
        }
        merge_into(tx, &kept, &[from_json::<Kind>(row.before)?])?;
        let Some(kept) = find::<Kind>(tx, into)? else { return Ok(false) };
        joined.take_head(&kept);
        let joined = update(tx, &kept, joined)?;
        Ok(rule.is_some_and(|rule| json(&joined).is_ok_and(|joined| is_primary(rule, &joined))))
    })
}

/// Points one record that refers to a merged one to the one that is kept.
fn take_over(
    tx: &mut Tx<'_>,
    reference: &Reference,
    row: Repointed,
    identities: Vec<String>,
    keep: AnyId,
    seen: &mut SeenContent,
) -> Result<()> {
    if let Some(into) = seen.same_as(tx, reference.from, &row.after, identities)? {
        seen.has_primary |= join(tx, reference, into, row, seen.has_primary)?;
        return Ok(());
    }
    let Repointed { before, mut after } = row;
    let rule = reference.at_most_one();
    // The primary one of those that belong to the kept record stays so.
    if let Some(rule) = rule.filter(|_| seen.has_primary) {
        after = demoted(rule, after);
    }
    // What only loses its link when the other goes says more than that link.
    let is_only_link = matches!(reference.on_delete, OnDelete::SetNull | OnDelete::Leave { .. });
    let drop = !is_only_link && (names_twice(reference, &after, keep) || !seen.texts.insert(content_key(&after)));
    if drop {
        return delete_json(tx, reference.from, before);
    }
    seen.has_primary |= rule.is_some_and(|rule| is_primary(rule, &after));
    update_json(tx, reference.from, before, after)
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
    /// Those that may be the same thing as another one.
    identities: HashMap<String, Vec<AnyId>>,
    /// Whether one of them is the primary one.
    has_primary: bool,
}

impl SeenContent {
    fn of(tx: &mut Tx<'_>, reference: &Reference, rows: &[Value]) -> Result<Self> {
        let texts = rows.iter().map(content_key).collect();
        let rule = reference.at_most_one();
        let has_primary = rule.is_some_and(|rule| rows.iter().any(|row| is_primary(rule, row)));
        let mut seen = Self { texts, identities: HashMap::new(), has_primary };
        for (row, identities) in rows.iter().zip(identities_of(tx, reference.from, rows)?) {
            seen.note(row, identities);
        }
        Ok(seen)
    }

    fn note(&mut self, row: &Value, identities: Vec<String>) {
        let Some(id) = id_of(row) else { return };
        for identity in identities {
            self.identities.entry(identity).or_default().push(id);
        }
    }

    /// The one that says the same as this one. If there is none, it is this one from now on.
    fn same_as(
        &mut self,
        tx: &mut Tx<'_>,
        entity: Entity,
        row: &Value,
        identities: Vec<String>,
    ) -> Result<Option<AnyId>> {
        let known = |identity: &String| self.identities.get(identity).into_iter().flatten().copied();
        let mut alike: Vec<AnyId> = identities.iter().flat_map(known).collect();
        alike.retain(|id| Some(*id) != id_of(row));
        if !alike.is_empty() {
            let agreeing = for_entity!(entity, Kind => {
                let own = from_json::<Kind>(row.clone())?;
                let others = find_all::<Kind>(tx, &alike)?;
                let agreeing: Vec<AnyId> =
                    others.iter().filter(|other| other.agrees_with(&own)).map(Record::id).collect();
                agreeing
            });
            if let Some(first) = alike.into_iter().find(|id| agreeing.contains(id)) {
                return Ok(Some(first));
            }
        }
        self.note(row, identities);
        Ok(None)
    }
}

/// What may make each of these records the same thing as another one.
fn identities_of(tx: &mut Tx<'_>, entity: Entity, rows: &[Value]) -> Result<Vec<Vec<String>>> {
    for_entity!(entity, Kind => {
        let records = rows.iter().cloned().map(from_json::<Kind>).collect::<Result<Vec<_>>>()?;
        Kind::identities(&records, tx.conn, tx.workspace)
    })
}

/// Whether the record refers to the same one in two places: a relationship with oneself.
fn names_twice(reference: &Reference, row: &Value, keep: AnyId) -> bool {
    let alike = REFERENCES.iter().filter(|other| other.from == reference.from && other.to == reference.to);
    alike.filter(|other| referred(other, row) == Some(keep)).count() > 1
}

/// What a record says, as text that can be compared; case and accents do not count.
fn content_key(row: &Value) -> String {
    let members = row.as_object().into_iter().flatten();
    let seen: Map<String, Value> = members
        .filter(|(name, _)| !HEAD.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    text::fold(&Value::Object(seen).to_string())
}
