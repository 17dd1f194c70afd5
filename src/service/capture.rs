//! Capturing somebody you have met: who it is, and the contact, attendance, interaction and follow-up that come of it, in one
//! write.

use super::contacts::become_known;
use super::events;
use super::records::write::{create, update};
use crate::domain::capture::{Capture, CaptureMatch, CheckedCapture, MatchedBy, PossibleDuplicate};
use crate::domain::contact::{Contact, ContactFields, HowMet};
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::{EventPerson, EventPersonFields, EventPersonStage, MAX_NOTE_CHARACTERS};
use crate::domain::follow_up::{FollowUp, FollowUpFields, FollowUpOrigin};
use crate::domain::id::{ContactId, EventId, EventPersonId, FollowUpId, InteractionId, PositionId};
use crate::domain::interaction::{Interaction, InteractionFields, InteractionKind};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::merging::join_texts;
use crate::domain::position::{Position, PositionFields};
use crate::domain::state_machine::not_in_future;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::contacts::{possible_duplicates_by, there_with_key, with_one_of};
use crate::store::events::{find_person, people_named, session_ids};
use crate::store::follow_ups::of_interaction;
use crate::store::positions::works_at;
use crate::store::{AnyId, Conflict, Record, Result, Tx, checks, records};

/// What a capture has led to.
pub struct Captured {
    pub is_new: bool,
    pub contact: AnyId,
    /// What told that they were a contact already.
    pub matched_by: Option<MatchedBy>,
    pub event_person: Option<AnyId>,
    pub interaction: AnyId,
    pub follow_up: Option<AnyId>,
    pub possible_duplicates: Vec<PossibleDuplicate>,
}

/// Captures somebody, or returns what the same capture has led to before.
pub fn capture(tx: &mut Tx<'_>, checked: CheckedCapture) -> Result<Captured> {
    let CheckedCapture { capture, person } = checked;
    if let Some(known) = captured_before(tx, &capture, person.as_ref())? {
        return Ok(known);
    }
    let now = tx.now();
    let at = capture.captured_at.map_or(Ok(now), |at| not_in_future(at, now));
    let at = at.map_err(|rejection| rejection.at("#/captured_at"))?;
    let event = capture.event_id.map(|id| find_event(tx, id)).transpose()?;
    let (found, matched_by) = match find_contact(tx, &capture, person.as_ref(), event.as_ref())? {
        Some((contact, by)) => (Some(contact), Some(by)),
        None => (None, None),
    };
    if found.as_ref().is_some_and(|contact| contact.fields.is_self) {
        let at = if capture.match_contact_id.is_some() { "#/match_contact_id" } else { "#/person/id" };
        return Err(Invalid::one(at, FieldCode::NotAllowed, "This contact represents you.").into());
    }
    let possible_duplicates = match &person {
        Some(person) => possible_duplicates(tx, person, found.as_ref())?,
        None => Vec::new(),
    };
    let contact = match (found, person) {
        (Some(contact), person) => {
            if let Some(person) = person {
                add_missing_details(tx, &contact, person)?;
            }
            redirect_unused_id(tx, capture.person.id, contact.id)?;
            contact.id
        }
        (None, Some(person)) => create(tx, person)?.id,
        (None, None) => {
            let detail = "A name is required: no contact has this id.";
            return Err(Invalid::one("#/person/name", FieldCode::Required, detail).into());
        }
    };
    if let Some(name) = &capture.person.organization_name {
        add_workplace(tx, contact, name, now)?;
    }
    let zone = match &event {
        Some(event) => event.fields.zone(),
        None => time_zone(tx)?,
    };
    let how_met = HowMet { on: Some(zone.day(at).to_string()), event_id: capture.event_id, ..HowMet::default() };
    become_known(tx, vec![(contact, Some(how_met))])?;
    let event_person = match capture.event_id {
        Some(event) => Some(meet_at(tx, event, contact, at, capture.note.as_deref())?),
        None => None,
    };
    let interaction = log(tx, &capture, event.as_ref(), contact, at)?;
    let follow_up = follow_up(tx, capture, contact, interaction)?;
    Ok(Captured {
        is_new: true,
        contact: AnyId::new(contact.uuid()),
        matched_by,
        event_person,
        interaction: AnyId::new(interaction.uuid()),
        follow_up,
        possible_duplicates,
    })
}

/// What a capture of the same interaction has led to. An interaction with somebody else is no capture of this one.
fn captured_before(tx: &mut Tx<'_>, capture: &Capture, person: Option<&Contact>) -> Result<Option<Captured>> {
    let Some(id) = capture.interaction_id else { return Ok(None) };
    let Some(interaction) = records::find::<Interaction>(tx, AnyId::new(id.uuid()))? else { return Ok(None) };
    let InteractionFields { contact_ids, event_id, .. } = &interaction.fields;
    let Some(contact) = contact_ids.first().copied() else { return Ok(None) };
    if *event_id != capture.event_id || !is_about(tx, capture, person, contact)? {
        return Ok(None);
    }
    let there = event_id.map(|event| find_person(tx, event, contact)).transpose()?.flatten();
    let follow_up = match &capture.follow_up {
        Some(wanted) => {
            let known = of_interaction(tx, id)?;
            known.iter().find(|known| wanted.id.is_none_or(|id| id == known.id)).map(Record::id)
        }
        None => None,
    };
    Ok(Some(Captured {
        is_new: false,
        contact: AnyId::new(contact.uuid()),
        matched_by: None,
        event_person: there.map(|person| Record::id(&person)),
        interaction: Record::id(&interaction),
        follow_up,
        possible_duplicates: Vec::new(),
    }))
}

/// Whether the capture may tell of this contact: by the ids that it names, else by the name.
fn is_about(tx: &mut Tx<'_>, capture: &Capture, person: Option<&Contact>, contact: ContactId) -> Result<bool> {
    if let Some(named) = capture.match_contact_id.or(capture.person.id) {
        let named = records::find_or_survivor::<Contact>(tx, AnyId::new(named.uuid()))?;
        return Ok(named.is_some_and(|named| named.id == contact));
    }
    let contact = records::find::<Contact>(tx, AnyId::new(contact.uuid()))?;
    Ok(contact.zip(person).is_none_or(|(contact, person)| !person.is_contradicted_by(&contact)))
}

fn find_event(tx: &mut Tx<'_>, id: EventId) -> Result<Event> {
    match events::find(tx, id)? {
        Some(event) => Ok(event),
        None => {
            let unknown = checks::unknown_reference(tx, Entity::Event, AnyId::new(id.uuid()))?;
            Err(unknown.at("#/event_id").into())
        }
    }
}

/// Who it certainly is, and what tells so.
fn find_contact(
    tx: &mut Tx<'_>,
    capture: &Capture,
    person: Option<&Contact>,
    event: Option<&Event>,
) -> Result<Option<(Contact, MatchedBy)>> {
    if let Some(id) = capture.match_contact_id {
        let id = AnyId::new(id.uuid());
        return match records::find_or_survivor::<Contact>(tx, id)? {
            Some(contact) => Ok(Some((contact, MatchedBy::Contact))),
            None => {
                let unknown = checks::unknown_reference(tx, Entity::Contact, id)?;
                Err(unknown.at("#/match_contact_id").into())
            }
        };
    }
    // Captured before, maybe in the same queue.
    if let Some(id) = capture.person.id
        && let Some(contact) = records::find_or_survivor::<Contact>(tx, AnyId::new(id.uuid()))?
    {
        if person.is_some_and(|person| person.is_contradicted_by(&contact)) {
            return Err(Conflict::IdTaken.into());
        }
        return Ok(Some((contact, MatchedBy::Id)));
    }
    let Some(person) = person.filter(|_| capture.matching == CaptureMatch::Auto) else { return Ok(None) };
    let only = |found: Vec<Contact>| match <[Contact; 1]>::try_from(found) {
        Ok([contact]) => (!contact.fields.is_self && !person.is_contradicted_by(&contact)).then_some(contact),
        Err(_) => None,
    };
    // Addresses of two contacts tell of neither.
    let certain = person.certain_keys();
    if !certain.is_empty() {
        let found = with_one_of(tx, certain.iter().map(|(_, key)| key.clone()).collect())?;
        if let Some(contact) = only(found) {
            let keys = contact.keys();
            let by = certain.into_iter().find(|(_, key)| keys.contains(key)).map(|(by, _)| by);
            return Ok(by.map(|by| (contact, by)));
        }
    }
    let Some(event) = event else { return Ok(None) };
    let mut places = session_ids(tx, Record::id(event))?;
    places.push(Record::id(event));
    let found = there_with_key(tx, &places, person.name_keys())?;
    Ok(only(found).map(|contact| (contact, MatchedBy::Event)))
}

/// Those of the same name, or with one of their addresses, who were not taken for the same person.
fn possible_duplicates(
    tx: &mut Tx<'_>,
    person: &Contact,
    matched: Option<&Contact>,
) -> Result<Vec<PossibleDuplicate>> {
    let addresses = person.certain_keys().into_iter().map(|(_, key)| key);
    let keys = person.name_keys().into_iter().chain(addresses).collect();
    let others = possible_duplicates_by(tx, keys)?.into_iter().filter(|other| {
        other.id != person.id && matched.is_none_or(|matched| matched.id != other.id) && !other.fields.is_self
    });
    let named = |other: Contact| PossibleDuplicate { contact_id: other.id, name: other.fields.name };
    Ok(if matched.is_some() { Vec::new() } else { others.map(named).collect() })
}

/// Adds what is new of a contact: an address, a number, a link.
fn add_missing_details(tx: &mut Tx<'_>, contact: &Contact, mut person: Contact) -> Result<()> {
    // What they are called stays.
    person.fields.display_name = None;
    let fields = ContactFields { known: contact.fields.known, ..contact.merged_with(&[person]) };
    update(tx, contact, contact.with(fields)?).map(drop)
}

/// The id that the client chose for somebody new leads to the contact that they are, for what refers to it later.
fn redirect_unused_id(tx: &mut Tx<'_>, chosen: Option<ContactId>, contact: ContactId) -> Result<()> {
    if let Some(chosen) = chosen.filter(|chosen| *chosen != contact) {
        let (from, to) = (AnyId::new(chosen.uuid()), AnyId::new(contact.uuid()));
        if !records::exists(tx, Entity::Contact, from)? && !records::was_deleted(tx, Entity::Contact, from)? {
            tx.note_survivor(Entity::Contact, from, to);
        }
    }
    Ok(())
}

fn add_workplace(tx: &mut Tx<'_>, contact_id: ContactId, name: &str, now: Timestamp) -> Result<()> {
    if works_at(tx, contact_id, name)? {
        return Ok(());
    }
    let fields = PositionFields { organization_name: Some(name.to_owned()), ..PositionFields::of(contact_id) };
    let position = Position::new(PositionId::new(tx.new_id()), now, fields);
    let position = position.map_err(|errors| errors.moved(|_| "#/person/organization_name".to_owned()))?;
    create(tx, position).map(drop)
}

/// They were met at the event, or at the session of it where they are listed.
fn meet_at(
    tx: &mut Tx<'_>,
    event: EventId,
    contact: ContactId,
    at: Timestamp,
    note: Option<&str>,
) -> Result<AnyId> {
    let mut places = session_ids(tx, AnyId::new(event.uuid()))?;
    places.push(AnyId::new(event.uuid()));
    let mut listed = people_named(tx, &places, vec![AnyId::new(contact.uuid())])?;
    listed.sort_by_key(|person| (person.fields.event_id != event, person.id));
    let Some(there) = listed.into_iter().next() else {
        let fields = EventPersonFields {
            stage: EventPersonStage::Met,
            met_at: Some(at),
            note: note.map(str::to_owned),
            ..EventPersonFields::new(event, contact)
        };
        let now = tx.now();
        return Ok(Record::id(&create(tx, EventPerson::new(EventPersonId::new(tx.new_id()), now, fields)?)?));
    };
    let is_met = there.fields.stage.is_met();
    // What no longer fits stands with the interaction.
    let joined = join_texts(there.fields.note.as_deref().into_iter().chain(note));
    let joined = joined.filter(|note| note.chars().count() <= MAX_NOTE_CHARACTERS);
    let fields = EventPersonFields {
        stage: if is_met { there.fields.stage } else { EventPersonStage::Met },
        met_at: if is_met { there.fields.met_at } else { Some(at) },
        note: joined.or_else(|| there.fields.note.clone()),
        ..there.fields.clone()
    };
    Ok(Record::id(&update(tx, &there, there.with(fields)?)?))
}

fn log(
    tx: &mut Tx<'_>,
    capture: &Capture,
    event: Option<&Event>,
    contact: ContactId,
    at: Timestamp,
) -> Result<InteractionId> {
    let fields = InteractionFields {
        contact_ids: vec![contact],
        kind: if event.is_some() { InteractionKind::EventChat } else { InteractionKind::Meeting },
        occurred_at: Some(at),
        body: capture.note.clone(),
        event_id: capture.event_id,
        goal_ids: event.map(|event| event.fields.goal_ids.clone()).unwrap_or_default(),
        ..InteractionFields::default()
    };
    let id = capture.interaction_id.unwrap_or(InteractionId::new(tx.new_id()));
    let now = tx.now();
    Ok(create(tx, Interaction::new(id, now, fields)?)?.id)
}

fn follow_up(
    tx: &mut Tx<'_>,
    capture: Capture,
    contact: ContactId,
    interaction: InteractionId,
) -> Result<Option<AnyId>> {
    let Some(wanted) = capture.follow_up else { return Ok(None) };
    let fields = FollowUpFields {
        title: wanted.title,
        contact_ids: vec![contact],
        due_on: wanted.due_on,
        origin: if capture.event_id.is_some() { FollowUpOrigin::Event } else { FollowUpOrigin::Interaction },
        event_id: capture.event_id,
        interaction_id: Some(interaction),
        ..FollowUpFields::default()
    };
    let id = wanted.id.unwrap_or(FollowUpId::new(tx.new_id()));
    let now = tx.now();
    let made = FollowUp::new(id, now, fields).map_err(|invalid| invalid.under("follow_up"))?;
    create(tx, made).map(|made| Some(Record::id(&made))).map_err(|error| error.under("follow_up"))
}
