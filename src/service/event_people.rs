//! The rules of people at events: their stage, the contact that a name stands for, and what follows from having met.

use std::collections::HashMap;

use super::contacts::{become_known, create_to_meet};
use super::events;
use super::records::rules::Rules;
use super::records::transitions::check_transition;
use super::records::write::create;
use crate::domain::contact::HowMet;
use crate::domain::entity::Entity;
use crate::domain::event_person::{EventPerson, EventPersonFields};
use crate::domain::id::{ContactId, EventPersonId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::timestamp::Timestamp;
use crate::store::events::{find_person, people_named};
use crate::store::{AnyId, Record, Result, Tx, checks, records};

/// Somebody who is to be at an event, and whether they were added.
pub struct Added {
    pub id: AnyId,
    pub is_new: bool,
}

/// Adds people to an event, all or none, in their order. Who is there already stays as they are.
pub fn add_people(tx: &mut Tx<'_>, event: AnyId, people: Vec<EventPerson>) -> Result<Vec<Added>> {
    if !records::exists(tx, Entity::Event, event)? {
        return Err(checks::not_found_or_merged(tx, Entity::Event, event)?);
    }
    let contacts = people.iter().filter_map(|person| person.fields.contact_id);
    let there = people_named(tx, event, contacts.map(|contact| AnyId::new(contact.uuid())).collect())?;
    let mut known: HashMap<ContactId, EventPersonId> =
        there.iter().filter_map(|person| Some((person.fields.contact_id?, person.id))).collect();
    let (mut added, mut new) = (Vec::with_capacity(people.len()), Vec::new());
    for (index, person) in people.into_iter().enumerate() {
        let contact = person.fields.contact_id;
        if let Some(known) = contact.and_then(|contact| known.get(&contact)) {
            added.push(Added { id: AnyId::new(known.uuid()), is_new: false });
            continue;
        }
        known.extend(contact.map(|contact| (contact, person.id)));
        added.push(Added { id: Record::id(&person), is_new: true });
        new.push((index, person));
    }
    for (index, person) in new {
        create(tx, person).map_err(|error| error.under(&format!("people/{index}")))?;
    }
    Ok(added)
}

impl Rules for EventPerson {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.stage), self.fields.stage)?;
        let fields = &mut self.fields;
        let kept = before.and_then(|before| before.met_at);
        let stamped = moved.stamp("met_at", kept, fields.met_at, now);
        fields.met_at = stamped.map_err(|rejection| rejection.at("#/met_at"))?;
        if let Some(name) = fields.name.take() {
            fields.contact_id = Some(create_to_meet(tx, name, now)?);
        }
        let who = |fields: &EventPersonFields| (fields.event_id, fields.contact_id);
        if let (event, Some(contact)) = who(fields)
            && before.is_none_or(|before| who(before) != who(fields))
            && find_person(tx, event, contact)?.is_some_and(|other| other.id != self.id)
        {
            let detail = "The event has this person already.";
            return Err(Invalid::one("#/contact_id", FieldCode::NotAllowed, detail).into());
        }
        Ok(())
    }

    /// Whom you have met is known, and the event is how you met.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        let met_at = |fields: &EventPersonFields| fields.met_at.filter(|_| fields.stage.is_met());
        let (Some(at), Some(contact)) = (met_at(&self.fields), self.fields.contact_id) else { return Ok(()) };
        if before.is_some_and(|before| met_at(&before.fields).is_some()) {
            return Ok(());
        }
        let event = events::find(tx, self.fields.event_id)?;
        let met = event.map(|event| HowMet {
            on: Some(event.fields.zone().day(at).to_string()),
            event_id: Some(event.id),
            ..HowMet::default()
        });
        become_known(tx, contact, met)
    }
}
