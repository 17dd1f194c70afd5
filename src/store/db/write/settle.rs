//! What a write does once at its end, before its log is written: what depends on the records it touched is brought up to
//! date. What depends on what is told where each kind is.

use super::lookup::find;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::store::db::index::documents;
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
    Ok(())
}

/// Settles the write and writes its log; the caller commits.
pub(in crate::store) fn finish(mut tx: Tx<'_>) -> Result<()> {
    settle(&mut tx)?;
    tx.log()
}
