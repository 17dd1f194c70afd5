//! Erasing: what a record was leaves the log and the kept replies, in the write that deletes it. The record itself is
//! deleted like any other, in `records.rs`.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

use super::changes::{ChangeRow, refers_to_one_of};
use super::tx::Tx;
use crate::domain::entity::{Entity, Op};
use crate::store::db::sql::schema::{changes, idempotency_keys};
use crate::store::db::sql::types::{AnyId, AsJson};
use crate::store::error::Result;

/// Removes from the log, and from kept replies, what a record was, and what those were that had been merged into it: a
/// person asked to be forgotten.
pub fn erase(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<()> {
    erase_all(tx, vec![(entity, id)])
}

/// The same for all that this write has deleted.
pub fn erase_deleted(tx: &mut Tx<'_>) -> Result<()> {
    let deleted = tx.deleted();
    erase_all(tx, deleted)
}

fn erase_all(tx: &mut Tx<'_>, mut left: Vec<(Entity, AnyId)>) -> Result<()> {
    let mut seen: BTreeSet<(Entity, AnyId)> = left.iter().copied().collect();
    while let Some((entity, id)) = left.pop() {
        erase_one(tx, entity, id)?;
        for merged in merged_into(tx, entity, id)? {
            if seen.insert(merged) {
                left.push(merged);
            }
        }
    }
    Ok(())
}

/// What was merged into a record, with what was deleted along with it.
fn merged_into(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Vec<(Entity, AnyId)>> {
    let merged: Vec<(i64, AnyId)> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::merged_into_id.eq(id))
        .filter(changes::entity.eq(entity))
        .select((changes::write_seq, changes::record_id))
        .load(tx.conn)?;
    let mut gone = Vec::new();
    for (write, id) in merged {
        let of_write: Vec<ChangeRow> = changes::table
            .filter(changes::workspace_id.eq(tx.workspace))
            .filter(changes::write_seq.eq(write))
            .filter(changes::op.eq(Op::Deleted))
            .select(ChangeRow::as_select())
            .load(tx.conn)?;
        let own = BTreeSet::from([(entity, id)]);
        let along = of_write.iter().filter(|row| refers_to_one_of(row, &own));
        gone.extend(along.map(|row| (row.entity, row.record_id)));
        gone.push((entity, id));
    }
    Ok(gone)
}

fn erase_one(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<()> {
    tx.note_erased(entity, id);
    let own = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(id))
        .filter(changes::entity.eq(entity));
    diesel::update(own).set(changes::before.eq(None::<AsJson<Value>>)).execute(tx.conn)?;
    let replies = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(tx.workspace))
        .filter(idempotency_keys::record_id.eq(id))
        .filter(idempotency_keys::entity.eq(entity.as_str()));
    diesel::delete(replies).execute(tx.conn)?;
    Ok(())
}
