//! One edit of many contacts.

use serde_json::{Map, Value, json};
use std::collections::HashSet;

use super::records::write::{apply, writable_fields};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::invalid::Invalid;
use crate::store::{AnyId, Error, Predicate, Record, Result, Tx, checks, lists, records};

/// How many contacts can be edited at once.
pub const MAX_EDITED: i64 = 10_000;

/// The contacts to edit.
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

/// What to do with each of them.
pub enum Edit {
    Delete,
    Change {
        /// A checked merge patch.
        patch: Map<String, Value>,
        /// Whether to archive them, or to take them out of the archive.
        archived: Option<bool>,
    },
}

/// How many contacts were selected, and how many of them changed.
pub struct Edited {
    pub matched: usize,
    pub changed: usize,
}

/// Edits each selected contact, or none if anything is wrong.
pub fn edit_contacts(tx: &mut Tx<'_>, selection: Selection, edit: &Edit) -> Result<Edited> {
    let contacts = select(tx, selection)?;
    let mut changed = 0;
    for contact in &contacts {
        changed += usize::from(edit_contact(tx, contact, edit)?);
    }
    Ok(Edited { matched: contacts.len(), changed })
}

fn select(tx: &mut Tx<'_>, selection: Selection) -> Result<Vec<Contact>> {
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
            lists::all_matching::<Contact>(tx, filter, query.as_deref(), MAX_EDITED)
        }
        Selection::Ids(ids) => {
            let mut contacts = Vec::with_capacity(ids.len());
            let mut seen = HashSet::new();
            for (index, id) in ids.into_iter().enumerate().filter(|(_, id)| seen.insert(*id)) {
                match records::find::<Contact>(tx, id)? {
                    Some(contact) => contacts.push(contact),
                    None => {
                        let unknown = checks::unknown_reference(tx, Entity::Contact, id)?;
                        invalid.add(format!("#/ids/{index}"), unknown);
                    }
                }
                if invalid.truncated {
                    break;
                }
            }
            Ok(invalid.into_result(contacts)?)
        }
    }
}

/// Whether it changed.
fn edit_contact(tx: &mut Tx<'_>, contact: &Contact, edit: &Edit) -> Result<bool> {
    let Edit::Change { patch, archived } = edit else {
        records::delete(tx, contact)?;
        return Ok(true);
    };
    let mut patch = patch.clone();
    match archived {
        // One that is archived already keeps its time.
        Some(true) if contact.fields.archived_at.is_none() => {
            patch.insert("archived_at".to_owned(), json!(tx.now()));
        }
        Some(false) => drop(patch.insert("archived_at".to_owned(), Value::Null)),
        _ => {}
    }
    let base = writable_fields(contact)?;
    let after = apply(tx, contact, base, Value::Object(patch)).map_err(|error| at_add_tags(error, contact))?;
    Ok(after.version() != contact.version())
}

/// An error of the tags that a contact would have is one of those that are added; it says which contact.
fn at_add_tags(error: Error, contact: &Contact) -> Error {
    let Error::Invalid(mut invalid) = error else { return error };
    for error in invalid.errors.iter_mut().filter(|error| error.pointer == "#/tags") {
        error.pointer = "#/add_tags".to_owned();
        error.detail = format!("{} This concerns {} ({}).", error.detail, contact.fields.name, contact.id);
    }
    invalid.into()
}
