//! Forgetting: what a record was leaves the log and the kept replies, in the write that deletes it. The record itself goes
//! as any other, in `write.rs`.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

use super::changes::{ChangeRow, refers_to_one_of};
use super::schema::{changes, idempotency_keys};
use super::types::{AnyId, AsJson};
use super::write::Tx;
use crate::domain::entity::{Entity, Op};
use crate::store::error::Result;

impl Tx<'_> {
    /// Removes from the log, and from kept replies, what a record was, and what those were that had been merged into it:
    /// a person asked to be forgotten.
    pub fn erase(&mut self, entity: Entity, id: AnyId) -> Result<()> {
        self.erase_all(vec![(entity, id)])
    }

    /// The same for all that this write has deleted.
    pub fn erase_deleted(&mut self) -> Result<()> {
        let deleted = self.touched.iter().filter(|(_, touched)| touched.op == Op::Deleted);
        let deleted = deleted.map(|(record, _)| *record).collect();
        self.erase_all(deleted)
    }

    fn erase_all(&mut self, mut left: Vec<(Entity, AnyId)>) -> Result<()> {
        let mut seen: BTreeSet<(Entity, AnyId)> = left.iter().copied().collect();
        while let Some((entity, id)) = left.pop() {
            self.erase_one(entity, id)?;
            for merged in self.gone_into(entity, id)? {
                if seen.insert(merged) {
                    left.push(merged);
                }
            }
        }
        Ok(())
    }

    /// What was merged into a record, with what went along.
    fn gone_into(&mut self, entity: Entity, id: AnyId) -> Result<Vec<(Entity, AnyId)>> {
        let merged: Vec<(i64, AnyId)> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::merged_into_id.eq(id))
            .filter(changes::entity.eq(entity))
            .select((changes::write_seq, changes::record_id))
            .load(self.conn)?;
        let mut gone = Vec::new();
        for (write, id) in merged {
            let of_write: Vec<ChangeRow> = changes::table
                .filter(changes::workspace_id.eq(self.workspace))
                .filter(changes::write_seq.eq(write))
                .filter(changes::op.eq(Op::Deleted))
                .select(ChangeRow::as_select())
                .load(self.conn)?;
            let own = BTreeSet::from([(entity, id)]);
            let along = of_write.iter().filter(|row| refers_to_one_of(row, &own));
            gone.extend(along.map(|row| (row.entity, row.record_id)));
            gone.push((entity, id));
        }
        Ok(gone)
    }

    fn erase_one(&mut self, entity: Entity, id: AnyId) -> Result<()> {
        self.erased.push((entity, id));
        let own = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(id))
            .filter(changes::entity.eq(entity));
        diesel::update(own).set(changes::before.eq(None::<AsJson<Value>>)).execute(self.conn)?;
        let replies = idempotency_keys::table
            .filter(idempotency_keys::workspace_id.eq(self.workspace))
            .filter(idempotency_keys::record_id.eq(id))
            .filter(idempotency_keys::entity.eq(entity.as_str()));
        diesel::delete(replies).execute(self.conn)?;
        Ok(())
    }

    /// What this write has erased.
    pub(in crate::store) fn erased(&self) -> impl Iterator<Item = AnyId> {
        self.erased.iter().map(|(_, id)| *id)
    }
}
