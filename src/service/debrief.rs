//! The debrief of an event: it was attended, whom you have met has an interaction there, and plans begin on the day you met. A
//! constant number of statements does it for everybody.

use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

use super::plan_runs::{Application, AppliedRun, apply_plan};
use super::records::transitions::forbidden;
use super::records::write::{create_many, update, update_many};
use crate::domain::debrief::{Debrief, DebriefResult, DebriefStep, DebriefedPerson};
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::{EventPerson, EventPersonFields, EventPersonStage};
use crate::domain::id::{ContactId, EventPersonId, FollowUpPlanId, InteractionId, PlanRunId};
use crate::domain::interaction::{Interaction, InteractionFields, InteractionKind};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::state_machine::not_in_future;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::events::{interactions_at, people_named, session_ids};
use crate::store::lists::with_ids;
use crate::store::{AnyId, Conflict, Error, Precondition, Record, Result, Tx, checks, records};

/// What a debrief has led to, in the order of the people.
pub struct Debriefed {
    pub people: Vec<DebriefResult>,
}

/// Somebody of whom the debrief tells.
struct ResolvedPerson {
    person: DebriefedPerson,
    before: EventPerson,
    contact: ContactId,
    /// When they were met, if they were.
    met_at: Option<Timestamp>,
}

/// The interaction with somebody at the event.
#[derive(Debug, Clone, Copy)]
struct AtEvent {
    id: InteractionId,
    is_new: bool,
}

/// Notes what came of an event and of its people. When it is
/// repeated, the notes that are sent replace earlier ones, and only what is missing is added.
pub fn debrief(tx: &mut Tx<'_>, event: AnyId, debrief: Debrief) -> Result<Debriefed> {
    let event = records::get::<Event>(tx, event, &Precondition::None)?;
    event.fields.check_debrief(tx.now()).map_err(Conflict::NoDebrief)?;
    let today = time_zone(tx)?.day(tx.now());
    let mut places: Vec<AnyId> = session_ids(tx, Record::id(&event))?;
    places.push(Record::id(&event));
    let people = resolve_people(tx, &event, &places, &debrief.people)?;
    let after = event.debriefed(&debrief, today)?;
    update(tx, &event, after)?;
    let stages = note_people(tx, &people)?;
    let logged = log_interactions(tx, &event, &places, &people)?;
    let mut runs = apply_plans(tx, &event, &people)?;
    let result = |one: ResolvedPerson| {
        let interaction = logged.get(&one.contact).copied();
        let run = runs.remove(&one.person.event_person_id);
        DebriefResult {
            event_person_id: one.before.id,
            contact_id: one.contact,
            stage: stages.get(&one.before.id).copied().unwrap_or(one.before.fields.stage),
            interaction_created: interaction.is_some_and(|interaction| interaction.is_new),
            interaction_id: interaction.map(|interaction| interaction.id),
            plan_run_created: run.as_ref().is_some_and(|run| run.is_new),
            plan_run_id: run.as_ref().map(|run| PlanRunId::new(run.id.uuid())),
            step: run.and_then(|run| run.step).map(|step| DebriefStep {
                follow_up_id: Some(step.id),
                title: step.fields.title,
                due_on: step.fields.due_on,
            }),
        }
    };
    Ok(Debriefed { people: people.into_iter().map(result).collect() })
}

/// Who is meant, and whether what is said of them can be.
fn resolve_people(
    tx: &mut Tx<'_>,
    event: &Event,
    places: &[AnyId],
    people: &[DebriefedPerson],
) -> Result<Vec<ResolvedPerson>> {
    let ids: Vec<AnyId> = people.iter().map(|person| AnyId::new(person.event_person_id.uuid())).collect();
    let mut known: HashMap<EventPersonId, EventPerson> =
        with_ids::<EventPerson>(tx, &ids)?.into_iter().map(|person| (person.id, person)).collect();
    known.retain(|_, person| places.contains(&AnyId::new(person.fields.event_id.uuid())));
    let contacts = known.values().filter_map(|person| person.fields.contact_id);
    let contacts: Vec<AnyId> = contacts.map(|contact| AnyId::new(contact.uuid())).collect();
    // At the event or at one of its sessions.
    let met: HashMap<ContactId, EventPerson> = people_named(tx, places, contacts)?
        .into_iter()
        .filter(|person| person.fields.stage.is_met())
        .filter_map(|person| Some((person.fields.contact_id?, person)))
        .collect();
    let now = tx.now();
    let mut invalid = Invalid::default();
    let mut said: HashMap<ContactId, bool> = HashMap::new();
    let mut resolved = Vec::with_capacity(people.len());
    for (index, person) in people.iter().enumerate() {
        let known = known.remove(&person.event_person_id);
        let Some((before, contact)) = known.and_then(|known| Some((known.clone(), known.fields.contact_id?)))
        else {
            let at = format!("#/people/{index}/event_person_id");
            let id = AnyId::new(person.event_person_id.uuid());
            let mut unknown = checks::unknown_reference(tx, Entity::EventPerson, id)?;
            if records::exists(tx, Entity::EventPerson, id)? {
                unknown.detail = "This person is at another event.".to_owned();
            }
            invalid.add(at, unknown);
            continue;
        };
        if let Some(met) = met.get(&contact).filter(|_| !person.met) {
            return Err(forbidden(met, met.fields.stage, EventPersonStage::NotMet).into());
        }
        if *said.entry(contact).or_insert(person.met) != person.met {
            let detail = "This contact is listed as met and as not met.";
            invalid.add(format!("#/people/{index}/met"), Rejection::new(FieldCode::Contradiction, detail));
        }
        let is_met = before.fields.stage.is_met();
        let sent =
            person.met_at.and_then(|at| invalid.check(format!("#/people/{index}/met_at"), not_in_future(at, now)));
        let met_at = before.fields.met_at.filter(|_| is_met).or(sent).unwrap_or_else(|| event.fields.met_at(now));
        resolved.push(ResolvedPerson {
            person: person.clone(),
            before,
            contact,
            met_at: person.met.then_some(met_at),
        });
    }
    invalid.into_result(resolved).map_err(Into::into)
}

/// Notes who was met and who was not, and what is to be remembered. How far it has come with each.
fn note_people(tx: &mut Tx<'_>, people: &[ResolvedPerson]) -> Result<HashMap<EventPersonId, EventPersonStage>> {
    let mut changed = Vec::with_capacity(people.len());
    for ResolvedPerson { person, before, met_at, .. } in people {
        let own = &before.fields;
        let stage = match met_at {
            None => EventPersonStage::NotMet,
            Some(_) if own.stage.is_met() => own.stage,
            Some(_) => EventPersonStage::Met,
        };
        let note = person.note.clone().or_else(|| own.note.clone());
        let fields = EventPersonFields { stage, met_at: *met_at, note, ..own.clone() };
        changed.push((before.clone(), before.with(fields)?));
    }
    let written = update_many(tx, changed)?;
    Ok(written.into_iter().map(|person| (person.id, person.fields.stage)).collect())
}

/// The interaction at the event with everybody who was met; who had none gets one.
fn log_interactions(
    tx: &mut Tx<'_>,
    event: &Event,
    places: &[AnyId],
    people: &[ResolvedPerson],
) -> Result<HashMap<ContactId, AtEvent>> {
    let met: Vec<AnyId> =
        people.iter().filter(|one| one.met_at.is_some()).map(|one| AnyId::new(one.contact.uuid())).collect();
    let mut logged = HashMap::new();
    for interaction in interactions_at(tx, places, met)? {
        for contact in interaction.fields.contact_ids {
            logged.entry(contact).or_insert(AtEvent { id: interaction.id, is_new: false });
        }
    }
    let mut new = Vec::new();
    for ResolvedPerson { person, before, contact, met_at } in people {
        let Some(at) = met_at.filter(|_| !logged.contains_key(contact)) else { continue };
        let fields = InteractionFields {
            contact_ids: vec![*contact],
            kind: InteractionKind::EventChat,
            occurred_at: Some(at),
            body: person.note.clone().or_else(|| before.fields.note.clone()),
            event_id: Some(before.fields.event_id),
            goal_ids: event.fields.goal_ids.clone(),
            ..InteractionFields::default()
        };
        let id = person.interaction_id.unwrap_or(InteractionId::new(tx.new_id()));
        logged.insert(*contact, AtEvent { id, is_new: true });
        new.push(Interaction::new(id, tx.now(), fields)?);
    }
    create_many(tx, new)?;
    Ok(logged)
}

/// Applies the plans, each to all for whom it is chosen.
fn apply_plans(
    tx: &mut Tx<'_>,
    event: &Event,
    people: &[ResolvedPerson],
) -> Result<HashMap<EventPersonId, AppliedRun>> {
    let mut runs = HashMap::new();
    let plans: Vec<FollowUpPlanId> = {
        let mut seen = HashSet::new();
        people.iter().filter_map(|one| one.person.plan_id).filter(|plan| seen.insert(*plan)).collect()
    };
    for plan in plans {
        let chosen: Vec<(usize, &ResolvedPerson)> =
            people.iter().enumerate().filter(|(_, one)| one.person.plan_id == Some(plan)).collect();
        let day = |at: Timestamp| -> NaiveDate { event.fields.zone().day(at) };
        let applications = chosen.iter().map(|(_, one)| Application {
            contact_id: one.contact,
            anchor_on: one.met_at.map(day),
            run_id: one.person.plan_run_id,
            follow_up_id: one.person.follow_up_id,
        });
        let places: Vec<usize> = chosen.iter().map(|(index, _)| *index).collect();
        let applied = apply_plan(tx, AnyId::new(plan.uuid()), applications.collect(), Some(event.id));
        let applied = applied.map_err(|error| at_plan(error, &places))?;
        for run in applied.runs {
            if let Some((_, one)) = chosen.iter().find(|(_, one)| one.contact == run.contact_id) {
                runs.insert(one.person.event_person_id, run);
            }
        }
    }
    Ok(runs)
}

/// What is wrong with a contact, reported at the plan of the person.
fn at_plan(error: Error, places: &[usize]) -> Error {
    let place = |at: &str| {
        let index = at.strip_prefix("#/contact_ids/").and_then(|index| index.parse::<usize>().ok());
        let index = index.and_then(|index| places.get(index)).or(places.first());
        index.map_or_else(|| at.to_owned(), |index| format!("#/people/{index}/plan_id"))
    };
    match error {
        Error::NotFound => {
            let at = places.first().copied().unwrap_or_default();
            Invalid::one(
                format!("#/people/{at}/plan_id"),
                FieldCode::UnknownReference,
                "No follow-up plan has this id.",
            )
            .into()
        }
        other => other.moved(place),
    }
}
