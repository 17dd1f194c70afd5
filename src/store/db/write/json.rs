//! Records as JSON, for what does not know their kind before it runs: the log, undo, merging. Nothing is read from the
//! database or written here.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::fmt;

use super::record::Record;
use crate::domain::entity::Entity;
use crate::domain::reference::{AtMostOne, REFERENCES, Reference, name_list, names_of};
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

pub(in crate::store) fn json<R: Record>(record: &R) -> Result<Value> {
    Ok(serde_json::to_value(record)?)
}

pub(in crate::store) fn from_json<R: Record>(json: Value) -> Result<R> {
    Ok(serde_json::from_value(json)?)
}

/// A record as JSON text. A write looks at few of its members, and a tree of all of them takes ten times as long.
pub(in crate::store) struct Image(Box<RawValue>);

impl Image {
    pub fn of<R: Record>(record: &R) -> Result<Self> {
        Ok(Self(to_raw_value(record)?))
    }

    /// The names of the members in which it differs from another one, in alphabetical order.
    pub fn changed_fields(&self, after: &Self) -> Result<Vec<String>> {
        let (Members(before), Members(after)) = (self.members()?, after.members()?);
        let mut names = Vec::new();
        for (place, (name, old)) in before.iter().enumerate() {
            // Most often they stand in the same order.
            let same_place = after.get(place).filter(|(other, _)| other == name);
            let new = same_place.or_else(|| after.iter().find(|(other, _)| other == name));
            let is_same = match new {
                Some((_, new)) if new.get() == old.get() => true,
                Some((_, new)) => parsed(new)? == parsed(old)?,
                None => false,
            };
            if !is_same {
                names.push((*name).to_owned());
            }
        }
        let is_new = |name: &&str| before.iter().all(|(other, _)| other != name);
        names.extend(after.iter().map(|(name, _)| *name).filter(is_new).map(str::to_owned));
        names.sort();
        Ok(names)
    }

    /// A tree of those members alone that are declared to refer to other records, to name them, or to be their name.
    pub fn declared(&self, entity: Entity) -> Result<Value> {
        let declared = declared_members(entity);
        let mut tree = Map::new();
        for (name, value) in self.members()?.0.into_iter().filter(|(name, _)| declared.contains(name)) {
            tree.insert(name.to_owned(), parsed(value)?);
        }
        Ok(Value::Object(tree))
    }

    pub fn into_text(self) -> Box<RawValue> {
        self.0
    }

    fn members(&self) -> Result<Members<'_>> {
        Ok(serde_json::from_str(self.0.get())?)
    }
}

impl From<&RawValue> for Image {
    fn from(text: &RawValue) -> Self {
        Self(text.to_owned())
    }
}

fn parsed(text: &RawValue) -> Result<Value> {
    Ok(serde_json::from_str(text.get())?)
}

/// The members of the records of a kind at which the pointers of its declarations begin.
pub(in crate::store) fn declared_members(entity: Entity) -> Vec<&'static str> {
    let references = REFERENCES.iter().filter(|reference| reference.from == entity);
    let flags = references.clone().filter_map(Reference::at_most_one).map(|rule| rule.pointer);
    let lists = name_list(entity).map(|list| list.pointer).into_iter();
    let pointers = references.map(|reference| reference.pointer).chain(flags).chain(lists);
    let first = pointers.filter_map(|pointer| pointer.split('/').nth(1));
    first.chain(names_of(entity).map(|list| list.name)).collect()
}

/// The members of an object, each as text.
struct Members<'t>(Vec<(&'t str, &'t RawValue)>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct AsList;

        impl<'t> Visitor<'t> for AsList {
            type Value = Members<'t>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> std::result::Result<Members<'t>, A::Error> {
                let mut members = Vec::with_capacity(64);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(AsList)
    }
}

/// The id that a reference of a record holds, if any; none of one to a list.
pub(in crate::store) fn referred(reference: &Reference, record: &Value) -> Option<AnyId> {
    record.pointer(reference.pointer).and_then(any_id)
}

/// The ids that a reference of a record holds, in their order.
pub(in crate::store) fn referred_ids(reference: &Reference, record: &Value) -> Vec<AnyId> {
    match record.pointer(reference.pointer) {
        Some(Value::Array(ids)) => ids.iter().filter_map(any_id).collect(),
        Some(id) => any_id(id).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Replaces the list that a reference of a record holds.
pub(in crate::store) fn set_list(reference: &Reference, record: &mut Value, ids: &[AnyId]) {
    if let Some(place) = record.pointer_mut(reference.pointer) {
        *place = ids.iter().map(|id| Value::String(id.uuid().to_string())).collect();
    }
}

/// Takes an id out of a reference of a record, where it stands.
pub(in crate::store) fn detach(reference: &Reference, record: &mut Value, id: AnyId) {
    let mut ids = referred_ids(reference, record);
    if reference.join.is_some() {
        ids.retain(|own| *own != id);
        set_list(reference, record, &ids);
    } else if ids.contains(&id) {
        clear(record, reference.pointer);
    }
}

/// Puts an id in the place of another in a reference of a record; in a list it stands once.
pub(in crate::store) fn repoint(reference: &Reference, record: &mut Value, from: AnyId, to: AnyId) {
    let mut ids: Vec<AnyId> = Vec::new();
    for id in referred_ids(reference, record) {
        let id = if id == from { to } else { id };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if reference.join.is_some() {
        set_list(reference, record, &ids);
    } else if let (Some(place), [id]) = (record.pointer_mut(reference.pointer), ids.as_slice()) {
        *place = Value::String(id.uuid().to_string());
    }
}

pub(in crate::store) fn id_of(record: &Value) -> Option<AnyId> {
    record.get("id").and_then(any_id)
}

/// The id that a JSON string holds.
pub(in crate::store) fn any_id(value: &Value) -> Option<AnyId> {
    value.as_str().and_then(|text| text.parse().ok()).map(AnyId::new)
}

/// Makes a reference of a record null, and what holds nothing else with it.
fn clear(record: &mut Value, pointer: &str) {
    if let Some(place) = record.pointer_mut(pointer) {
        *place = Value::Null;
    }
    let holder = pointer.rsplit_once('/').map_or("", |(holder, _)| holder);
    if let Some(holder) = record.pointer_mut(holder).filter(|_| !holder.is_empty())
        && holder.as_object().is_some_and(|members| members.values().all(Value::is_null))
    {
        *holder = Value::Null;
    }
}

pub(in crate::store) fn is_primary(rule: &AtMostOne, record: &Value) -> bool {
    record.pointer(rule.pointer) == Some(&Value::Bool(true))
}

/// The record where another one is the primary one.
pub(in crate::store) fn demoted(rule: &AtMostOne, mut record: Value) -> Value {
    if let Some(flag) = record.pointer_mut(rule.pointer) {
        *flag = Value::Bool(false);
    }
    record
}
