//! The rules of contacts, and edits of many.

use serde_json::{Map, Value, json};

use super::bulk::{Edited, Selection, edit_each};
use super::plan_runs::stop_repeated;
use super::records::merge::Mergeable;
use super::records::rules::Rules;
use super::records::write::{apply, writable_fields};
use crate::domain::contact::{Contact, ContactFields};
use crate::store::{Error, Record, Result, Tx, records};

impl Rules for Contact {}

impl Mergeable for Contact {
    fn merged_with(&self, others: &[Self]) -> ContactFields {
        self.merged_with(others)
    }

    fn after_merge(&self, tx: &mut Tx<'_>) -> Result<()> {
        stop_repeated(tx, Record::id(self))
    }
}

/// What to do with each of many contacts.
pub enum ContactEdit {
    Delete,
    Change {
        /// A checked merge patch.
        patch: Map<String, Value>,
        /// Whether to archive them, or to take them out of the archive.
        archived: Option<bool>,
    },
}

/// Edits each selected contact, or none if anything is wrong.
pub fn edit_contacts(tx: &mut Tx<'_>, selection: Selection, edit: &ContactEdit) -> Result<Edited> {
    edit_each(tx, selection, |tx, contact| edit_contact(tx, contact, edit))
}

/// Whether it changed.
fn edit_contact(tx: &mut Tx<'_>, contact: &Contact, edit: &ContactEdit) -> Result<bool> {
    let ContactEdit::Change { patch, archived } = edit else {
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
