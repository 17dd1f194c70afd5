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

/// The id that a reference of a record holds, if any.
pub(in crate::store) fn referred(reference: &Reference, record: &Value) -> Option<AnyId> {
    record.pointer(reference.pointer).and_then(any_id)
}

pub(in crate::store) fn id_of(record: &Value) -> Option<AnyId> {
    record.get("id").and_then(any_id)
}

/// The id that a JSON string holds.
pub(in crate::store) fn any_id(value: &Value) -> Option<AnyId> {
    value.as_str().and_then(|text| text.parse().ok()).map(AnyId::new)
}

/// Makes a reference of a record null, and what holds nothing else with it.
pub(in crate::store) fn clear(record: &mut Value, pointer: &str) {
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
