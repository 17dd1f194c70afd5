//! Records as JSON, for what does not know their kind before it runs: the log, undo, what goes along with a delete. Each step
//! goes through the typed one of `write.rs`.

use serde_json::Value;

use super::record::{Record, for_entity};
use super::select::{Field, Predicate, Scalar, Select};
use super::types::AnyId;
use super::write::Tx;
use crate::domain::entity::{Entity, Reference};
use crate::store::error::Result;

impl Tx<'_> {
    pub(super) fn find_row(&mut self, entity: Entity, id: AnyId) -> Result<Option<Value>> {
        for_entity!(entity, Kind => self.find::<Kind>(id)?.as_ref().map(json).transpose())
    }

    /// The records that carry this one as their label: it is a tag.
    pub(super) fn carriers_of(&mut self, entity: Entity, id: AnyId) -> Result<Vec<(Entity, AnyId)>> {
        for_entity!(entity, Kind => match self.find::<Kind>(id)?.as_ref().and_then(Record::carried_as) {
            Some(label) => self.carriers(label),
            None => Ok(Vec::new()),
        })
    }

    /// Brings back a record that was deleted; a revert has looked at its references.
    pub(super) fn restore_row(&mut self, entity: Entity, row: Value) -> Result<()> {
        for_entity!(entity, Kind => self.insert(from_json::<Kind>(row)?).map(drop))
    }

    pub(in crate::store) fn update_row(&mut self, entity: Entity, before: Value, after: Value) -> Result<()> {
        for_entity!(entity, Kind => {
            self.update(&from_json::<Kind>(before)?, from_json::<Kind>(after)?).map(drop)
        })
    }

    pub(in crate::store) fn delete_row(&mut self, entity: Entity, row: Value) -> Result<()> {
        for_entity!(entity, Kind => self.delete(&from_json::<Kind>(row)?))
    }

    /// The rows that refer to a record.
    pub(in crate::store) fn referring(&mut self, reference: &Reference, to: AnyId) -> Result<Vec<Value>> {
        let filter = Predicate::equal(Field::of_reference(reference.column), Scalar::Id(to));
        let select = Select::all(self.workspace, filter);
        for_entity!(reference.from, Kind => Kind::select(self.conn, select)?.iter().map(json).collect())
    }

    /// The same by kind and id.
    pub(super) fn referring_places(&mut self, reference: &Reference, to: AnyId) -> Result<Vec<(Entity, AnyId)>> {
        let filter = Predicate::equal(Field::of_reference(reference.column), Scalar::Id(to));
        let select = Select::all(self.workspace, filter);
        let ids = for_entity!(reference.from, Kind => Kind::ids(self.conn, select)?);
        Ok(ids.into_iter().map(|id| (reference.from, id)).collect())
    }

    pub(super) fn count_referring(&mut self, reference: &Reference, to: AnyId) -> Result<i64> {
        let filter = Predicate::equal(Field::of_reference(reference.column), Scalar::Id(to));
        let select = Select::all(self.workspace, filter);
        Ok(for_entity!(reference.from, Kind => Kind::count(self.conn, select)?))
    }
}

pub(in crate::store) fn json<R: Record>(record: &R) -> Result<Value> {
    Ok(serde_json::to_value(record)?)
}

pub(in crate::store) fn from_json<R: Record>(json: Value) -> Result<R> {
    Ok(serde_json::from_value(json)?)
}

/// The id that a reference of a record holds, if any.
pub(in crate::store) fn referred(reference: &Reference, record: &Value) -> Option<AnyId> {
    let text = record.pointer(reference.pointer)?.as_str()?;
    uuid::Uuid::parse_str(text).ok().map(AnyId::new)
}

/// Whether it is the one to show first of those that belong to the same record.
pub(in crate::store) fn leads(entity: Entity, row: &Value) -> Result<bool> {
    Ok(for_entity!(entity, Kind => from_json::<Kind>(row.clone())?.leads()))
}

/// The record where another one leads.
pub(in crate::store) fn second(entity: Entity, row: Value) -> Result<Value> {
    for_entity!(entity, Kind => {
        let mut record = from_json::<Kind>(row)?;
        record.give_way();
        json(&record)
    })
}

pub(in crate::store) fn id_of(row: &Value) -> Option<AnyId> {
    row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).map(AnyId::new)
}
