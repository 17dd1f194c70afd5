//! What a write does once at its end, before its log is written: what depends on the records it touched is brought up to
//! date. What depends on what is told where each kind is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lookup::{FOUND_AT_ONCE, find_all};
use super::many::{insert, update_many};
use super::record::{Record, for_entity};
use super::records::delete;
use super::tx::Tx;
use crate::domain::entity::Entity;
use crate::store::db::index::documents;
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::error::Result;

/// Brings up to date what depends on the records touched so far.
pub(in crate::store) fn settle(tx: &mut Tx<'_>) -> Result<()> {
    for (entity, ids) in by_kind(tx.take_reindex_queue()) {
        for_entity!(entity, Kind => {
            for ids in ids.chunks(FOUND_AT_ONCE) {
                let records = find_all::<Kind>(tx, ids)?;
                documents::write(tx, &records.iter().collect::<Vec<_>>())?;
            }
        });
    }
    // A derived record may be computed from another one.
    loop {
        let queue = tx.take_derived_queue();
        if queue.is_empty() {
            return Ok(());
        }
        for (entity, ids) in by_kind(queue) {
            for_entity!(entity, Kind => {
                for ids in ids.chunks(FOUND_AT_ONCE) {
                    settle_derived::<Kind>(tx, ids)?;
                }
            });
        }
    }
}

fn by_kind(records: BTreeSet<RecordRef>) -> BTreeMap<Entity, Vec<AnyId>> {
    let mut kinds: BTreeMap<Entity, Vec<AnyId>> = BTreeMap::new();
    for (entity, id) in records {
        kinds.entry(entity).or_default().push(id);
    }
    kinds
}

/// Makes derived records what they are when they are computed anew from what is stored; those that are so already keep their
/// versions.
fn settle_derived<R: Record>(tx: &mut Tx<'_>, ids: &[AnyId]) -> Result<()> {
    let computed = R::computed(tx.conn, tx.workspace, ids, tx.now())?;
    let mut computed: HashMap<AnyId, R> = computed.into_iter().map(|record| (record.id(), record)).collect();
    let mut updates = Vec::new();
    for old in find_all::<R>(tx, ids)? {
        match computed.remove(&old.id()) {
            None => delete(tx, &old)?,
            Some(mut new) => {
                new.take_head(&old);
                updates.push((old, new));
            }
        }
    }
    let mut new: Vec<R> = computed.into_values().collect();
    new.sort_by_key(Record::id);
    insert(tx, new)?;
    update_many(tx, updates)?;
    Ok(())
}

/// Settles the write so far and writes its log, so that what comes next in it finds both.
pub fn settle_and_log(tx: &mut Tx<'_>) -> Result<()> {
    settle(tx)?;
    tx.log()
}

/// Settles the write and writes its log; the caller commits.
pub(in crate::store) fn finish(mut tx: Tx<'_>) -> Result<()> {
    settle_and_log(&mut tx)
}
