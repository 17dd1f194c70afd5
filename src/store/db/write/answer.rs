//! What a write answers. A write says what to answer; it is rendered once everything that depends on the write is settled
//! and logged, so that the answer shows it.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::idempotency::Reply;
use super::lookup::find;
use super::operations;
use super::record::{Record, for_entity};
use super::settle::settle;
use super::tx::Tx;
use crate::domain::entity::Entity;
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Error, Result};

/// What to answer to a write.
pub enum Answer {
    /// 204.
    Empty,
    /// The record as it is after the write.
    Record { status: u16, entity: Entity, id: AnyId },
    /// What the closure renders.
    Json { status: u16, body: Render },
}

type Render = Box<dyn FnOnce(&mut Settled<'_, '_>) -> Result<Value> + Send>;

/// A write that is settled and logged, and not yet committed.
pub struct Settled<'t, 'c> {
    tx: &'t mut Tx<'c>,
}

impl Settled<'_, '_> {
    /// A record as it is after the write.
    pub fn record(&mut self, entity: Entity, id: AnyId) -> Result<Value> {
        let (text, _) = render_record(self.tx, entity, id)?;
        Ok(serde_json::from_str(text.get())?)
    }

    /// The number by which the write can be reverted; `None` if it changed nothing.
    pub fn write_number(&self) -> Option<i64> {
        self.tx.write_number()
    }
}

/// Settles and logs the write so far, and renders the answer to it. One that has left something to an operation answers with
/// that.
pub(in crate::store) fn conclude(tx: &mut Tx<'_>, answer: Answer) -> Result<Reply> {
    settle(tx)?;
    let postponed = tx.take_postponed().filter(|_| !tx.is_dry_run());
    let operation = postponed.map(|postponed| operations::start(tx, postponed)).transpose()?;
    tx.log()?;
    if let Some(operation) = operation {
        let (id, write, body) = (operation.id, operation.write, Some(serde_json::to_string(&operation)?));
        return Ok(Reply { status: 202, operation: Some(id), write, body, ..Reply::default() });
    }
    let write = tx.write_number();
    match answer {
        Answer::Empty => Ok(Reply { status: 204, write, ..Reply::default() }),
        Answer::Record { status, entity, id } => {
            let (text, version) = render_record(tx, entity, id)?;
            let body = Some(String::from(Box::<str>::from(text)));
            let record = Some((entity, id));
            Ok(Reply { status, record, version: Some(version), write, body, ..Reply::default() })
        }
        Answer::Json { status, body } => {
            let body = Some(body(&mut Settled { tx })?.to_string());
            Ok(Reply { status, write, body, ..Reply::default() })
        }
    }
}

/// The JSON of a record, and its version.
pub(in crate::store) fn render_record(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<(Box<RawValue>, i64)> {
    for_entity!(entity, Kind => {
        let record = find::<Kind>(tx, id)?.ok_or(Error::NotFound)?;
        Ok((to_raw_value(&record)?, record.version()))
    })
}
