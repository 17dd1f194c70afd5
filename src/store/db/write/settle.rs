//! What a write does once at its end, before its log is written: what depends on the records it touched is brought up to
//! date. What depends on what is told where each kind is.

use super::json::json;
use super::lookup::find;
use super::record::{Record, for_entity};
use super::records::{delete, insert, update};
use super::tx::Tx;
use crate::store::db::index::documents;
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

/// Brings up to date what depends on the records touched so far.
pub(in crate::store) fn settle(tx: &mut Tx<'_>) -> Result<()> {
    for (entity, id) in tx.take_reindex_queue() {
        for_entity!(entity, Kind => {
            if let Some(record) = find::<Kind>(tx, id)? {
                let related = record.related_search_text(tx.conn, tx.workspace)?;
                documents::write(tx, &record, &related)?;
            }
        });
    }
    // A derived record may be computed from another one.
    loop {
        let queue = tx.take_derived_queue();
        if queue.is_empty() {
            return Ok(());
        }
        for (entity, id) in queue {
            for_entity!(entity, Kind => settle_derived::<Kind>(tx, id)?);
        }
    }
}

/// Makes a derived record what it is when it is computed anew from what is stored; one that is so already keeps its version.
fn settle_derived<R: Record>(tx: &mut Tx<'_>, id: AnyId) -> Result<()> {
    let computed = R::computed(tx.conn, tx.workspace, id, tx.now())?;
    match (find::<R>(tx, id)?, computed) {
        (None, None) => Ok(()),
        (None, Some(new)) => {
            let row = json(&new)?;
            insert(tx, new, row).map(drop)
        }
        (Some(old), None) => delete(tx, &old),
        (Some(old), Some(mut new)) => {
            new.take_head(&old);
            update(tx, &old, new).map(drop)
        }
    }
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
