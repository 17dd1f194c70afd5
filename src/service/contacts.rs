//! The rules of contacts, and edits of many.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

use super::bulk::{Edit, Edited, Selection, edit_each};
use super::plan_runs::stop_repeated;
use super::records::merge::Mergeable;
use super::records::rules::Rules;
use super::records::write::{create, patched, update_many, writable_fields};
use crate::domain::cadence::{BEGUN_ON_ONE_DAY, spread_start};
use crate::domain::contact::{Contact, ContactFields, HowMet};
use crate::domain::entity::Entity;
use crate::domain::id::ContactId;
use crate::domain::operation::Work;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::calendar_of;
use crate::store::{AnyId, Calendar, Error, Record, Result, Tx, lists, records};

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
                let own = (Entity::Contact, Record::id(self));
                let since = match tx.note_stamped(own) > BEGUN_ON_ONE_DAY {
                    true => spread_start(interval, self.id, today),
                    false => {
                        tx.queue_spread(own);
                        today
                    }
                };
                Some(since.to_string())
            }
        };
        Ok(())
    }

    /// With the first one too many, those whose cadence began before it are spread as well.
    fn after_write(&self, tx: &mut Tx<'_>, _before: Option<&Self>, now: Timestamp) -> Result<()> {
        if tx.count_stamped() > BEGUN_ON_ONE_DAY {
            spread_begun(tx, now)?;
        }
        Ok(())
    }
}

/// Back-dates the cadences of contacts that begin today with many others.
fn spread_begun(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let begun: Vec<AnyId> = tx.take_spread_queue().into_iter().map(|(_, id)| id).collect();
    if begun.is_empty() {
        return Ok(());
    }
    let Calendar { zone, tiers } = calendar_of(tx)?;
    let spread = |contact: Contact| {
        let interval = contact.fields.interval(&tiers)?;
        let mut spread = contact.clone();
        spread.fields.cadence_since = Some(spread_start(interval, contact.id, zone.day(now)).to_string());
        Some((contact, spread))
    };
    let spread = lists::with_ids::<Contact>(tx, &begun)?.into_iter().filter_map(spread).collect();
    records::update_many(tx, spread)?;
    Ok(())
}

/// Creates somebody whom you want to meet, of whom only the name is known.
pub fn create_to_meet(tx: &mut Tx<'_>, name: String, now: Timestamp) -> Result<ContactId> {
    let fields = ContactFields { display_name: Some(name), known: false, ..ContactFields::default() };
    let contact = Contact::new(ContactId::new(tx.new_id()), now, fields);
    let contact = contact.map_err(|invalid| invalid.moved(|_| "#/name".to_owned()))?;
    Ok(create(tx, contact)?.id)
}

/// Makes people known. Where and when you met somebody is how you met, unless something else is said.
pub fn become_known(tx: &mut Tx<'_>, people: Vec<(ContactId, Option<HowMet>)>) -> Result<()> {
    let ids: Vec<AnyId> = people.iter().map(|(id, _)| AnyId::new(id.uuid())).collect();
    let mut met: HashMap<ContactId, Option<HowMet>> = HashMap::with_capacity(people.len());
    for (id, how_met) in people {
        met.entry(id).or_insert(how_met);
    }
    let mut changed = Vec::new();
    for contact in lists::with_ids::<Contact>(tx, &ids)? {
        let how_met = contact.fields.how_met.clone().or(met.remove(&contact.id).flatten());
        if !contact.fields.known || contact.fields.how_met != how_met {
            let fields = ContactFields { known: true, how_met, ..contact.fields.clone() };
            let known = contact.with(fields)?;
            changed.push((contact, known));
        }
    }
    update_many(tx, changed)?;
    Ok(())
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
    edit_each(tx, selection, work, |tx, contact| edit_contact(tx, contact, edit), at_add_tags)
}

/// What the edit does to a contact.
pub(super) fn edit_contact(tx: &mut Tx<'_>, contact: &Contact, edit: &ContactEdit) -> Result<Edit<Contact>> {
    let ContactEdit::Change { patch, archived } = edit else {
        records::delete(tx, contact)?;
        return Ok(Edit::Done);
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
    Ok(Edit::Update(patched(tx, contact, base, Value::Object(patch))?))
}

/// An error of the tags that a contact would have is one of those that are added; it says which contact.
pub(super) fn at_add_tags(error: Error, contact: &Contact) -> Error {
    let Error::Invalid(mut invalid) = error else { return error };
    for error in invalid.errors.iter_mut().filter(|error| error.pointer == "#/tags") {
        error.pointer = "#/add_tags".to_owned();
        error.detail = format!("{} This concerns {} ({}).", error.detail, contact.fields.name, contact.id);
    }
    invalid.into()
}
