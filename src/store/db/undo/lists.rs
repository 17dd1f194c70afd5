//! Lists of references, for undo: which ids come back to a list, and where they stood in it. Nothing is written here.

use diesel::prelude::*;
use serde_json::Value;

use crate::domain::entity::{Entity, Op};
use crate::domain::reference::{REFERENCES, Reference};
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::types::{AnyId, AsJson, RecordRef};
use crate::store::db::write::json::referred_ids;
use crate::store::db::write::tx::Tx;
use crate::store::error::Result;

/// The references to lists of a kind of record.
pub(super) fn lists_of(entity: Entity) -> impl Iterator<Item = &'static Reference> {
    REFERENCES.iter().filter(move |reference| reference.from == entity && reference.join.is_some())
}

/// What a list held over time, as far as the log is kept.
pub(super) struct ListHistory {
    pub reference: &'static Reference,
    /// What it held before each change, oldest first.
    held: Vec<Vec<AnyId>>,
    /// The ids that left it because their records were deleted, and that have not been in it since.
    pub lost: Vec<AnyId>,
}

/// The history of each list of a record, up to `last`: what the record is now, or was when it was deleted.
pub(super) fn histories(tx: &mut Tx<'_>, (entity, id): RecordRef, last: &Value) -> Result<Vec<ListHistory>> {
    let mut histories = Vec::new();
    for reference in lists_of(entity) {
        let rows: Vec<(i64, Option<AsJson<Value>>)> = changes::table
            .filter(changes::workspace_id.eq(tx.workspace))
            .filter(changes::record_id.eq(id))
            .filter(changes::entity.eq(entity))
            .order(changes::seq.asc())
            .select((changes::write_seq, changes::before))
            .load(tx.conn)?;
        let kept =
            rows.into_iter().filter_map(|(write, before)| Some((write, referred_ids(reference, &before?.0))));
        let (writes, held): (Vec<i64>, Vec<Vec<AnyId>>) = kept.unzip();
        let after: Vec<Vec<AnyId>> = held.iter().skip(1).cloned().chain([referred_ids(reference, last)]).collect();
        let mut lost: Vec<AnyId> = Vec::new();
        for ((write, before), after) in writes.into_iter().zip(&held).zip(&after) {
            lost.retain(|id| !after.contains(id));
            for id in before.iter().filter(|id| !after.contains(id)) {
                if was_deleted_by(tx, write, (reference.to, *id))? {
                    lost.push(*id);
                }
            }
        }
        histories.push(ListHistory { reference, held, lost });
    }
    Ok(histories)
}

/// Whether a write deleted a record, and did not merge it into another.
fn was_deleted_by(tx: &mut Tx<'_>, write: i64, (entity, id): RecordRef) -> Result<bool> {
    let deleted = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(id))
        .filter(changes::entity.eq(entity))
        .filter(changes::write_seq.eq(write))
        .filter(changes::op.eq(Op::Deleted))
        .filter(changes::merged_into_id.is_null());
    Ok(diesel::select(diesel::dsl::exists(deleted)).get_result(tx.conn)?)
}

impl ListHistory {
    /// A list with ids that come back to it, each beside those that it stood beside. The order of the rest stays.
    pub fn rejoined(&self, now: &[AnyId], back: &[AnyId]) -> Vec<AnyId> {
        let mut order: Vec<AnyId> = Vec::new();
        for held in self.held.iter().map(Vec::as_slice).chain([now, back]) {
            for id in held {
                insert_beside(&mut order, *id, held);
            }
        }
        let mut rejoined = now.to_vec();
        for id in order.iter().filter(|id| back.contains(id)) {
            insert_beside(&mut rejoined, *id, &order);
        }
        rejoined
    }
}

/// Puts an id behind the nearest that comes before it in the model, or else in front of the nearest that comes after it.
fn insert_beside(list: &mut Vec<AnyId>, id: AnyId, model: &[AnyId]) {
    if list.contains(&id) {
        return;
    }
    let (before, after) = model.split_at(model.iter().position(|other| *other == id).unwrap_or(model.len()));
    let place = |other: &AnyId| list.iter().position(|own| own == other);
    let behind = before.iter().rev().find_map(place).map(|place| place.saturating_add(1));
    let place = behind.or_else(|| after.iter().find_map(place)).unwrap_or(list.len());
    list.insert(place, id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_to_where_they_stood() {
        let ids = |letters: &str| -> Vec<AnyId> {
            letters.bytes().map(|letter| AnyId::new(uuid::Uuid::from_u128(letter.into()))).collect()
        };
        for (held, now, back, expected) in [
            (vec!["abc", "bc"], "c", "a", "ac"),
            (vec!["abc", "bc", "c"], "ac", "b", "abc"),
            (vec!["abc", "ac"], "c", "b", "bc"),
            (vec!["abc", "ac", "c"], "bc", "a", "abc"),
            (vec!["abc", "ab", "a"], "a", "c", "ac"),
            (vec!["abc"], "cb", "a", "cab"),
            (vec!["ab"], "xy", "ab", "abxy"),
            (vec!["abc"], "ab", "", "ab"),
            (vec![], "b", "a", "ba"),
        ] {
            let held = held.iter().map(|held| ids(held)).collect();
            let history = ListHistory { reference: &REFERENCES[0], held, lost: Vec::new() };
            assert_eq!(history.rejoined(&ids(now), &ids(back)), ids(expected), "{now} {back}");
        }
    }
}
