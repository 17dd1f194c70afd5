//! One edit of many records of a kind: which ones, and how many changed. What the edit is, is told where the kind is.

use std::collections::HashSet;

use crate::domain::entity::Entity;
use crate::domain::invalid::Invalid;
use crate::store::{AnyId, Predicate, Record, Result, Tx, checks, lists, records};

/// How many records can be edited at once.
pub const MAX_EDITED: i64 = 10_000;

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

/// How many records were selected, and how many of them changed.
pub struct Edited {
    pub matched: usize,
    pub changed: usize,
}

/// Edits each selected record, or none if anything is wrong. `edit` tells whether the record changed.
pub fn edit_each<R: Record>(
    tx: &mut Tx<'_>,
    selection: Selection,
    edit: impl Fn(&mut Tx<'_>, &R) -> Result<bool>,
) -> Result<Edited> {
    let selected = select::<R>(tx, selection)?;
    let mut changed = 0_usize;
    for record in &selected {
        changed = changed.saturating_add(usize::from(edit(tx, record)?));
    }
    Ok(Edited { matched: selected.len(), changed })
}

fn select<R: Record>(tx: &mut Tx<'_>, selection: Selection) -> Result<Vec<R>> {
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
            lists::all_matching::<R>(tx, filter, query.as_deref(), MAX_EDITED)
        }
        Selection::Ids(ids) => {
            let mut found = Vec::with_capacity(ids.len());
            let mut seen = HashSet::new();
            for (index, id) in ids.into_iter().enumerate().filter(|(_, id)| seen.insert(*id)) {
                match records::find::<R>(tx, id)? {
                    Some(record) => found.push(record),
                    None => {
                        let unknown = checks::unknown_reference(tx, R::ENTITY, id)?;
                        invalid.add(format!("#/ids/{index}"), unknown);
                    }
                }
                if invalid.truncated {
                    break;
                }
            }
            Ok(invalid.into_result(found)?)
        }
    }
}
