//! The rules of people at events: their stage, the contact that a name stands for, and what follows from having met.

use std::collections::{HashMap, HashSet};

use super::contacts::{become_known, create_to_meet};
use super::records::rules::Rules;
use super::records::transitions::check_transition;
use super::records::write::create_many;
use crate::domain::contact::HowMet;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::{EventPerson, EventPersonFields};
use crate::domain::id::{ContactId, EventId, EventPersonId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::locale::TimeZone;
use crate::domain::timestamp::Timestamp;
use crate::store::events::{find_person, people_named};
use crate::store::lists::with_ids;
use crate::store::{AnyId, FailedAt, Record, Result, Tx, checks, records};

/// Somebody who is to be at an event, and whether they were added.
pub struct Added {
    pub id: AnyId,
    pub is_new: bool,
}

/// Adds people to an event, all or none, in their order. Who is there already, or was sent before under the same id, stays as
/// they are.
pub fn add_people(tx: &mut Tx<'_>, event: AnyId, people: Vec<EventPerson>) -> Result<Vec<Added>> {
    if !records::exists(tx, Entity::Event, event)? {
        return Err(checks::not_found_or_merged(tx, Entity::Event, event)?);
    }
    let contacts = people.iter().filter_map(|person| person.fields.contact_id);
    let there = people_named(tx, &[event], contacts.map(|contact| AnyId::new(contact.uuid())).collect())?;
    let ids: Vec<AnyId> = people.iter().map(Record::id).collect();
    let sent_before: HashSet<AnyId> = with_ids::<EventPerson>(tx, &ids)?
        .into_iter()
        .filter(|person| person.fields.event_id.uuid() == event.uuid())
        .map(|person| Record::id(&person))
        .collect();
    let mut known: HashMap<ContactId, EventPersonId> =
        there.iter().filter_map(|person| Some((person.fields.contact_id?, person.id))).collect();
    let (mut added, mut new, mut places) = (Vec::with_capacity(people.len()), Vec::new(), Vec::new());
    for (index, person) in people.into_iter().enumerate() {
        if sent_before.contains(&Record::id(&person)) {
            added.push(Added { id: Record::id(&person), is_new: false });
            continue;
        }
        let contact = person.fields.contact_id;
        if let Some(known) = contact.and_then(|contact| known.get(&contact)) {
            added.push(Added { id: AnyId::new(known.uuid()), is_new: false });
            continue;
        }
        known.extend(contact.map(|contact| (contact, person.id)));
        added.push(Added { id: Record::id(&person), is_new: true });
        new.push(person);
        places.push(index);
    }
    create_many(tx, new).map_err(|FailedAt { index, error }| match index.and_then(|index| places.get(index)) {
        Some(place) => error.under(&format!("people/{place}")),
        None => error,
    })?;
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
            let detail = "This contact is already at the event.";
            return Err(Invalid::one("#/contact_id", FieldCode::NotAllowed, detail).into());
        }
        Ok(())
    }

    /// Whom you have met is known, and the event is how you met.
    fn after_write_all(
        tx: &mut Tx<'_>,
        written: &[(Option<&Self>, &Self)],
        _now: Timestamp,
    ) -> std::result::Result<(), FailedAt> {
        let met_at = |person: &Self| person.fields.met_at.filter(|_| person.fields.stage.is_met());
        let is_new = |before: Option<&Self>| before.and_then(met_at).is_none();
        let met: Vec<(EventId, ContactId, Timestamp)> = written
            .iter()
            .filter(|(before, _)| is_new(*before))
            .filter_map(|(_, after)| Some((after.fields.event_id, after.fields.contact_id?, met_at(after)?)))
            .collect();
        if met.is_empty() {
            return Ok(());
        }
        let ids: Vec<AnyId> = met.iter().map(|(event, _, _)| AnyId::new(event.uuid())).collect();
        let zones: HashMap<EventId, TimeZone> =
            with_ids::<Event>(tx, &ids)?.into_iter().map(|event| (event.id, event.fields.zone())).collect();
        let how_met = |(event, contact, at): (EventId, ContactId, Timestamp)| {
            let on = zones.get(&event).map(|zone| zone.day(at).to_string());
            (contact, Some(HowMet { on, event_id: Some(event), ..HowMet::default() }))
        };
        // What is wrong with a contact concerns nobody at the event in particular.
        Ok(become_known(tx, met.into_iter().map(how_met).collect())?)
    }
}
