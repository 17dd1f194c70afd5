//! Records as JSON, for what does not know their kind before it runs: the log, undo, merging. Nothing is read from the
//! database or written here.

use serde_json::Value;

use super::record::{Record, for_entity};
use crate::domain::entity::{Entity, Reference};
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

/// Whether it is the primary one of those that belong to the same record.
pub(in crate::store) fn is_primary(entity: Entity, record: &Value) -> Result<bool> {
    Ok(for_entity!(entity, Kind => from_json::<Kind>(record.clone())?.is_primary()))
}

/// The record where another one is the primary one.
pub(in crate::store) fn demoted(entity: Entity, record: Value) -> Result<Value> {
    for_entity!(entity, Kind => {
        let mut record = from_json::<Kind>(record)?;
        record.clear_primary();
        json(&record)
    })
}
