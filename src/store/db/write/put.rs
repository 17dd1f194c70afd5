//! Writing records that are checked: the log, their rows, and all that is derived from them.

use super::change::Change;
use super::joins::{self, ListChange};
use super::json::{Image, referred_ids};
use super::record::Record;
use super::tx::Tx;
use crate::domain::entity::Op;
use crate::domain::reference::REFERENCES;
use crate::store::db::index::documents;
use crate::store::db::index::keys::{self, KeyChange};
use crate::store::db::index::timeline::{self, TimelineChange};
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

/// Writes records, of which none depends on an earlier one, and all that belongs to them.
pub(super) fn write<R: Record>(tx: &mut Tx<'_>, changes: &mut [Change<R>]) -> Result<()> {
    for change in changes.iter_mut() {
        let id = change.after.id();
        let op = if change.before.is_some() { Op::Updated } else { Op::Created };
        if op == Op::Created {
            change.fields = fields_unlike_deleted(tx, &change.after)?;
        }
        let image = change.image.take().map(Image::into_text);
        tx.touch(R::ENTITY, id, op, image, std::mem::take(&mut change.fields));
        change.after.stamp(tx.number_of(R::ENTITY, id), tx.now());
    }
    let new: Vec<&R> =
        changes.iter().filter(|change| change.before.is_none()).map(|change| &change.after).collect();
    let pairs = changes.iter().filter_map(|change| Some((change.before.as_ref()?, &change.after)));
    let (before, after): (Vec<&R>, Vec<&R>) = pairs.unzip();
    let written: Vec<(AnyId, Option<&R>)> =
        changes.iter().map(|change| (change.after.id(), Some(&change.after))).collect();
    R::insert(&new, tx.conn, tx.workspace)?;
    R::update(&before, &after, tx.conn, tx.workspace)?;
    R::write_copies(tx.conn, tx.workspace, &written)?;
    for reference in REFERENCES.iter().filter(|own| own.from == R::ENTITY && own.join.is_some()) {
        let lists = changes.iter().map(|change| ListChange {
            own: change.after.id(),
            before: change.old.as_ref().map(|old| referred_ids(reference, old)).unwrap_or_default(),
            after: referred_ids(reference, &change.new),
        });
        joins::write(tx.conn, tx.workspace, reference, lists)?;
    }
    let keys = changes.iter().map(|Change { before, after, .. }| KeyChange {
        id: after.id(),
        before: before.as_ref().map(Record::keys).unwrap_or_default(),
        after: after.keys(),
    });
    keys::write(tx.conn, tx.workspace, R::ENTITY, keys)?;
    let entries = changes.iter().map(|Change { before, after, .. }| TimelineChange {
        record: after.id(),
        before: before.as_ref().map(Record::timeline).unwrap_or_default(),
        after: after.timeline(),
    });
    timeline::write(tx.conn, tx.workspace, entries)?;
    documents::write_new(tx, &new)?;
    // Half of the cost of a write; most edits change nothing that is searched.
    let is_found_otherwise = |(before, after): &(&R, &R)| before.search_text() != after.search_text();
    let pairs = || before.iter().copied().zip(after.iter().copied());
    let found_otherwise: Vec<&R> = pairs().filter(is_found_otherwise).map(|(_, after)| after).collect();
    documents::write(tx, &found_otherwise)?;
    let is_told_otherwise = |(before, after): &(&R, &R)| before.search_projection() != after.search_projection();
    let told_otherwise = pairs().filter(is_told_otherwise).flat_map(|(before, after)| [before, after]);
    let told: Vec<&R> = new.iter().copied().chain(told_otherwise).collect();
    queue_reindex(tx, &told)?;
    let computed_otherwise = pairs().filter(|(before, after)| after.changes_derived(before));
    let decisive = new.iter().copied().chain(computed_otherwise.flat_map(|(before, after)| [before, after]));
    tx.queue_derived(decisive.flat_map(Record::derived_dependents));
    Ok(())
}

/// The fields in which a record that is created differs from one of the same id that this write has deleted.
fn fields_unlike_deleted<R: Record>(tx: &Tx<'_>, record: &R) -> Result<Vec<String>> {
    let Some(before) = tx.before(R::ENTITY, record.id()) else { return Ok(Vec::new()) };
    let mut fields = Image::from(before).changed_fields(&Image::of(record)?)?;
    // What each write stamps on it.
    fields.retain(|name| name != "version" && name != "updated_at");
    Ok(fields)
}

/// The records that these say something of are indexed anew at the end.
pub(super) fn queue_reindex<R: Record>(tx: &mut Tx<'_>, records: &[&R]) -> Result<()> {
    if !records.is_empty() {
        let dependents = R::search_dependents(records, tx.conn, tx.workspace)?;
        tx.queue_reindex(dependents);
    }
    Ok(())
}
