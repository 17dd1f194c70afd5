//! Records as JSON, for what does not know their kind before it runs: the log, undo, merging. Nothing is read from the
//! database or written here.

use serde_json::Value;

use super::record::Record;
use crate::domain::reference::{AtMostOne, Reference};
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

pub(in crate::store) fn json<R: Record>(record: &R) -> Result<Value> {
    Ok(serde_json::to_value(record)?)
}

pub(in crate::store) fn from_json<R: Record>(json: Value) -> Result<R> {
    Ok(serde_json::from_value(json)?)
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
