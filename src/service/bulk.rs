//! One edit of many records of a kind: which ones, and how many changed. What the edit is, is told where the kind is.

use std::collections::HashSet;
use uuid::Uuid;

use crate::domain::entity::Entity;
use crate::domain::invalid::Invalid;
use crate::domain::operation::{MAX_AT_ONCE, Postponed, Work};
use crate::store::{AnyId, Predicate, Record, Result, Tx, checks, lists, records};

/// How many records can be edited at once.
pub const MAX_EDITED: i64 = 10_000;

/// How many records are read at once.
const READ_AT_ONCE: usize = 100;

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

/// Edits each selected record, or none if anything is wrong. `edit` tells whether the record changed. More than can be edited
/// at once are left to an operation, as `work` puts it.
pub fn edit_each<R: Record>(
    tx: &mut Tx<'_>,
    selection: Selection,
    work: impl FnOnce(Vec<Uuid>) -> Result<Work>,
    edit: impl Fn(&mut Tx<'_>, &R) -> Result<bool>,
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
        for record in lists::with_ids::<R>(tx, ids)? {
            changed = changed.saturating_add(usize::from(edit(tx, &record)?));
        }
    }
    Ok(Edited { matched, changed: Some(changed) })
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
