//! The rules of contacts, and edits of many.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::bulk::{Edited, Selection, edit_each};
use super::plan_runs::stop_repeated;
use super::records::merge::Mergeable;
use super::records::rules::Rules;
use super::records::write::{apply, create, update, writable_fields};
use crate::domain::cadence::{BEGUN_ON_ONE_DAY, TierCadences, spread_start};
use crate::domain::contact::{Contact, ContactFields, HowMet};
use crate::domain::entity::Entity;
use crate::domain::id::ContactId;
use crate::domain::operation::Work;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::{Calendar, calendar_of};
use crate::store::{AnyId, Error, Record, Result, Tx, records};

impl Rules for Contact {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let nothing = ContactFields::default();
        if !self.fields.begins_cadence(before.map_or(&nothing, |before| &before.fields)) {
            return Ok(());
        }
        let Calendar { zone, tiers } = calendar_of(tx)?;
        let today = zone.day(now);
        self.fields.cadence_since = match self.fields.interval(&tiers) {
            None => None,
            Some(interval) => {
                let count = tx.note_stamped((Entity::Contact, Record::id(self)));
                let since = match count > BEGUN_ON_ONE_DAY {
                    true => spread_start(interval, self.id, today),
                    false => today,
                };
                // With the first one too many, those before it are spread as well.
                if count == BEGUN_ON_ONE_DAY + 1 {
                    for (_, id) in tx.stamped().into_iter().filter(|(_, id)| *id != Record::id(self)) {
                        if let Some(contact) = records::find::<Self>(tx, id)? {
                            spread(tx, &contact, &tiers, today)?;
                        }
                    }
                }
                Some(since.to_string())
            }
        };
        Ok(())
    }
}

/// Back-dates the cadence of a contact that begins today with many others.
fn spread(tx: &mut Tx<'_>, contact: &Contact, tiers: &TierCadences, today: NaiveDate) -> Result<()> {
    let Some(interval) = contact.fields.interval(tiers) else { return Ok(()) };
    let mut spread = contact.clone();
    spread.fields.cadence_since = Some(spread_start(interval, contact.id, today).to_string());
    records::update(tx, contact, spread).map(drop)
}

/// Creates somebody whom you want to meet, of whom only the name is known.
pub fn create_to_meet(tx: &mut Tx<'_>, name: String, now: Timestamp) -> Result<ContactId> {
    let fields = ContactFields { display_name: Some(name), known: false, ..ContactFields::default() };
    let contact = Contact::new(ContactId::new(tx.new_id()), now, fields);
    let contact = contact.map_err(|invalid| invalid.moved(|_| "#/name".to_owned()))?;
    Ok(create(tx, contact)?.id)
}

/// Makes somebody known. Where and when you met is how you met, unless something else is said.
pub fn become_known(tx: &mut Tx<'_>, id: ContactId, met: Option<HowMet>) -> Result<()> {
    let Some(contact) = records::find::<Contact>(tx, AnyId::new(id.uuid()))? else { return Ok(()) };
    let how_met = contact.fields.how_met.clone().or(met);
    if contact.fields.known && contact.fields.how_met == how_met {
        return Ok(());
    }
    let fields = ContactFields { known: true, how_met, ..contact.fields.clone() };
    update(tx, &contact, contact.with(fields)?).map(drop)
}

impl Mergeable for Contact {
    fn merged_with(&self, others: &[Self]) -> ContactFields {
        self.merged_with(others)
    }

    fn after_merge(&self, tx: &mut Tx<'_>) -> Result<()> {
        stop_repeated(tx, Record::id(self))
    }
}

/// What to do with each of many contacts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    let work = |ids| Ok(Work::EditContacts { ids, edit: serde_json::to_value(edit)? });
    edit_each(tx, selection, work, |tx, contact| edit_contact(tx, contact, edit))
}

/// Whether it changed.
pub(super) fn edit_contact(tx: &mut Tx<'_>, contact: &Contact, edit: &ContactEdit) -> Result<bool> {
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
