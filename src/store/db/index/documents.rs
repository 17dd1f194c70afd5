//! The search documents of records. What words find is told in `search.rs`.

use super::search;
use crate::store::db::write::record::Record;
use crate::store::db::write::tx::Tx;
use crate::store::error::Result;

/// Writes what new records are found by: nothing refers to them yet.
pub(in crate::store) fn write_new<R: Record>(tx: &mut Tx<'_>, records: &[&R]) -> Result<()> {
    let found_by = records.iter().filter_map(|record| Some((record.id(), record.search_text()?))).collect();
    Ok(search::index(tx.conn, (tx.workspace, tx.workspace_number), R::ENTITY, found_by)?)
}

/// Writes, or rewrites, what records are found by, with what other records say of them.
pub(in crate::store) fn write<R: Record>(tx: &mut Tx<'_>, records: &[&R]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let related = R::related_search_text(records, tx.conn, tx.workspace)?;
    let found_by = records.iter().filter_map(|record| {
        let mut found_by = record.search_text()?;
        if let Some(related) = related.get(&record.id()) {
            found_by.text.push('\n');
            found_by.text.push_str(related);
        }
        Some((record.id(), found_by))
    });
    let found_by = found_by.collect();
    Ok(search::index(tx.conn, (tx.workspace, tx.workspace_number), R::ENTITY, found_by)?)
}
