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
    note(tx, changes)?;
    let new: Vec<&R> =
        changes.iter().filter(|change| change.before.is_none()).map(|change| &change.after).collect();
    R::insert(&new, tx.conn, tx.workspace)?;
    let written: Vec<(AnyId, Option<&R>)> =
        changes.iter().map(|change| (change.after.id(), Some(&change.after))).collect();
    R::write_copies(tx.conn, tx.workspace, &written)?;
    write_lists(tx, changes)?;
    write_index(tx, changes)?;
    queue_dependents(tx, changes)?;
    // Last, since it takes what the records were.
    let (before, after): (Vec<R>, Vec<&R>) =
        changes.iter_mut().filter_map(|change| Some((change.before.take()?, &change.after))).unzip();
    Ok(R::update(before, &after, tx.conn, tx.workspace)?)
}

/// Takes records into the log, and gives them their numbers.
fn note<R: Record>(tx: &mut Tx<'_>, changes: &mut [Change<R>]) -> Result<()> {
    for change in changes {
        let id = change.after.id();
        let (op, fields) = match change.before {
            None => (Op::Created, fields_unlike_deleted(tx, &change.after)?),
            Some(_) => (Op::Updated, std::mem::take(&mut change.fields)),
        };
        tx.touch(R::ENTITY, id, op, change.image.take().map(Image::into_text), fields);
        change.after.stamp(tx.number_of(R::ENTITY, id), tx.now());
    }
    Ok(())
}

/// Derives the rows of join tables from the lists that records hold.
fn write_lists<R: Record>(tx: &mut Tx<'_>, changes: &[Change<R>]) -> Result<()> {
    for reference in REFERENCES.iter().filter(|own| own.from == R::ENTITY && own.join.is_some()) {
        let lists = changes.iter().map(|change| ListChange {
            own: change.after.id(),
            before: change.old.as_ref().map(|old| referred_ids(reference, old)).unwrap_or_default(),
            after: referred_ids(reference, &change.new),
        });
        joins::write(tx.conn, tx.workspace, reference, lists)?;
    }
    Ok(())
}

/// Writes what records are found by, and where they stand in timelines.
fn write_index<R: Record>(tx: &mut Tx<'_>, changes: &[Change<R>]) -> Result<()> {
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
    let (mut new, mut found_otherwise) = (Vec::new(), Vec::new());
    for Change { before, after, .. } in changes {
        match before {
            None => new.push(after),
            // Half of the cost of a write; most edits change nothing that is searched.
            Some(before) if before.search_text() != after.search_text() => found_otherwise.push(after),
            Some(_) => {}
        }
    }
    documents::write_new(tx, &new)?;
    documents::write(tx, &found_otherwise)
}

/// What these records, or what they were, say of others is brought up to date when the write is settled.
fn queue_dependents<R: Record>(tx: &mut Tx<'_>, changes: &[Change<R>]) -> Result<()> {
    let mut told_otherwise = Vec::new();
    for Change { before, after, .. } in changes {
        if before.as_ref().is_none_or(|before| before.search_projection() != after.search_projection()) {
            told_otherwise.extend(before.iter().chain([after]));
        }
        if before.as_ref().is_none_or(|before| after.changes_derived(before)) {
            tx.queue_derived(before.iter().chain([after]).flat_map(Record::derived_dependents));
        }
    }
    queue_reindex(tx, &told_otherwise)
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
