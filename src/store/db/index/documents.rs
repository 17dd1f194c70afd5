//! The search document of a record. What words find is told in `search.rs`.

use super::search;
use crate::store::db::write::record::Record;
use crate::store::db::write::tx::Tx;
use crate::store::error::Result;

/// Writes, or rewrites, what a record is found by; `related` is what other records say of it.
pub(in crate::store) fn write<R: Record>(tx: &mut Tx<'_>, record: &R, related: &str) -> Result<()> {
    if let Some(mut found_by) = record.search_text() {
        found_by.text = format!("{}\n{related}", found_by.text);
        search::index(tx.conn, tx.workspace, tx.workspace_number, R::ENTITY, record.id(), &found_by)?;
    }
    Ok(())
}
