//! One edit of many records of a kind: which ones, and how many changed. What the edit is, is told where the kind is.

use std::collections::HashSet;
use uuid::Uuid;

use super::records::rules::Rules;
use super::records::write::update_many;
use crate::domain::entity::Entity;
use crate::domain::invalid::Invalid;
use crate::domain::operation::{MAX_AT_ONCE, Postponed, Work};
use crate::store::{AnyId, Error, FailedAt, Predicate, Record, Result, Tx, checks, lists, records};

/// How many records can be edited at once.
pub const MAX_EDITED: i64 = 10_000;

/// How many records are read, and written, at once.
const READ_AT_ONCE: usize = 200;

/// The records to edit.
pub enum Selection {
    Ids(Vec<AnyId>),
    Matching {
        filter: Predicate,
        /// Words to search for.
        query: Option<String>,
        /// The records that the filter names: where, as a JSON pointer, and of which kind.
        names: Vec<(String, Entity, AnyId)>,
    },
}

/// How many records were selected, and how many of them changed: `None` if that is left to an operation.
pub struct Edited {
    pub matched: usize,
    pub changed: Option<usize>,
}

/// What an edit does to a record.
pub enum Edit<R> {
    /// It stays as it is.
    None,
    /// It is to be this, which is written together with the others.
    Update(R),
    /// It was changed.
    Done,
}

/// Edits each selected record, or none if anything is wrong. `explain` says which record an error concerns. More than can be
/// edited at once are left to an operation, as `work` puts it.
pub fn edit_each<R: Rules>(
    tx: &mut Tx<'_>,
    selection: Selection,
    work: impl FnOnce(Vec<Uuid>) -> Result<Work>,
    edit: impl Fn(&mut Tx<'_>, &R) -> Result<Edit<R>>,
    explain: impl Fn(Error, &R) -> Error,
) -> Result<Edited> {
    let ids = select::<R>(tx, selection)?;
    let matched = ids.len();
    let total = i64::try_from(matched).unwrap_or(i64::MAX);
    if total > MAX_AT_ONCE {
        if !tx.is_dry_run() {
            let ids = ids.into_iter().map(AnyId::uuid).collect();
            tx.postpone(Postponed { work: work(ids)?, total })?;
        }
        return Ok(Edited { matched, changed: None });
    }
    let mut changed = 0_usize;
    for ids in ids.chunks(READ_AT_ONCE) {
        let records = lists::with_ids::<R>(tx, ids)?;
        changed = changed.saturating_add(edit_all(tx, records, &edit, &explain)?);
    }
    Ok(Edited { matched, changed: Some(changed) })
}

/// Edits records; how many of them changed.
pub(super) fn edit_all<R: Rules>(
    tx: &mut Tx<'_>,
    records: Vec<R>,
    edit: impl Fn(&mut Tx<'_>, &R) -> Result<Edit<R>>,
    explain: impl Fn(Error, &R) -> Error,
) -> Result<usize> {
    let (mut changed, mut before, mut updates) = (0_usize, Vec::new(), Vec::new());
    for record in records {
        match edit(tx, &record).map_err(|error| explain(error, &record))? {
            Edit::None => {}
            Edit::Update(after) => {
                before.push(record.clone());
                updates.push((record, after));
            }
            Edit::Done => changed = changed.saturating_add(1),
        }
    }
    let updated = update_many(tx, updates).map_err(|FailedAt { index, error }| {
        match index.and_then(|index| before.get(index)) {
            Some(record) => explain(error, record),
            None => error,
        }
    })?;
    let differ = before.iter().zip(&updated).filter(|(before, after)| before.version() != after.version());
    Ok(changed.saturating_add(differ.count()))
}

fn select<R: Record>(tx: &mut Tx<'_>, selection: Selection) -> Result<Vec<AnyId>> {
    let mut invalid = Invalid::default();
    match selection {
        Selection::Matching { filter, query, names } => {
            for (pointer, entity, id) in names {
                if !records::exists(tx, entity, id)? {
                    let unknown = checks::unknown_reference(tx, entity, id)?;
                    invalid.add(pointer, unknown);
                }
                if invalid.truncated {
                    break;
                }
            }
            invalid.into_result(())?;
            lists::ids_matching::<R>(tx, filter, query.as_deref(), MAX_EDITED)
        }
        Selection::Ids(ids) => {
            let mut existing = HashSet::new();
            for ids in ids.chunks(READ_AT_ONCE) {
                existing.extend(lists::existing::<R>(tx, ids)?);
            }
            let mut seen = HashSet::new();
            let mut found = Vec::with_capacity(ids.len());
            for (index, id) in ids.into_iter().enumerate().filter(|(_, id)| seen.insert(*id)) {
                if existing.contains(&id) {
                    found.push(id);
                } else {
                    let unknown = checks::unknown_reference(tx, R::ENTITY, id)?;
                    invalid.add(format!("#/ids/{index}"), unknown);
                }
                if invalid.truncated {
                    break;
                }
            }
            Ok(invalid.into_result(found)?)
        }
    }
}
