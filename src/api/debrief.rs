//! The debrief of an event, in one call.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Operation, Run, Write};
use super::http::parameter::Parameter;
use crate::domain::debrief::{Debrief, DebriefResult, DebriefedPerson, MAX_PEOPLE};
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::service::debrief::{Debriefed, debrief};
use crate::service::validation::parse;
use crate::service::validation::views::{collect, written};
use crate::store::Answer;

const _: () = assert!(MAX_PEOPLE == 100, "as the schema says");

/// The result of a debrief.
struct EventDebriefed;

impl utoipa::PartialSchema for EventDebriefed {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "The result of a debrief.",
            "properties": {
                "dry_run": { "type": "boolean", "description": "Whether nothing was changed." },
                "event": { "$ref": "#/components/schemas/Event" },
                "people": {
                    "type": "array", "items": { "$ref": "#/components/schemas/DebriefResult" },
                    "description": "The result for each person, in the order of the request.",
                },
                "write": {
                    "type": ["integer", "null"], "format": "int64",
                    "description": "The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. \
                                    Null if nothing changed, and with `dry_run`.",
                },
            },
        }))
    }
}

impl ToSchema for EventDebriefed {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Event>(schemas);
        collect::<DebriefResult>(schemas);
    }
}

pub fn operations() -> Vec<Operation> {
    vec![Operation::new(
        Method::POST,
        "/v1/events/{id}/debrief",
        "debrief_event",
        Access::scope("events:write"),
        Run::Write(debrief_event),
        docs,
    )]
}

fn docs() -> Docs {
    Docs::new("events", "Debrief an event")
        .description(
            "Closes an event: sets `participation` to `attended` and saves your notes. Each person you met moves to `met` and, if \
             there is no interaction with them at the event or its sessions, gets one of kind `event_chat`. Follow-up plans \
             start on the day you met. Listing people requires the scopes contacts:write and interactions:write; a plan also \
             requires follow_ups:write.\n\n\
             A debrief can be repeated: the notes that are sent replace earlier ones, and only what is missing is added. It \
             is one write, so one revert undoes it. An event that has not begun, is cancelled or postponed, or that you \
             missed or declined is rejected with 409 `debrief_not_possible`; `met: false` for somebody already met with 409 \
             `invalid_transition`.",
        )
        .parameter(Parameter::dry_run("Return the result without changing anything."))
        .request::<Debrief>(json!({
            "highlights": "The panel on storage.", "learned": "Most teams hire through referrals.", "rating": 4,
            "would_return": true,
            "people": [{
                "event_person_id": "01939d5e-8c00-7000-8000-0000000000a1", "met": true,
                "note": "Wants to see the prototype.",
            }],
        }))
        .optional_body()
        .answer::<EventDebriefed>(200, "The result.")
        .errors(&[Code::DebriefNotPossible, Code::InvalidTransition, Code::IdTaken, Code::Deleted, Code::LimitReached])
}

fn debrief_event(context: &Context) -> Result<Write, Problem> {
    let (id, dry_run) = (context.id()?, context.query().flag("dry_run")?);
    let told = parse::<Debrief, _>(&context.call.body.value, Debrief::check)?;
    if !told.people.is_empty() {
        context.caller.require(Entity::Contact, "write")?;
        context.caller.require(Entity::Interaction, "write")?;
    }
    if told.people.iter().any(|person: &DebriefedPerson| person.plan_id.is_some()) {
        context.caller.require(Entity::FollowUp, "write")?;
    }
    let write = Write::new(move |tx| {
        let Debriefed { mut people } = debrief(tx, id, told)?;
        if dry_run {
            people.iter_mut().for_each(DebriefResult::forget_new_ids);
        }
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let event = settled.record(Entity::Event, id)?;
                let write = settled.write_number().filter(|_| !dry_run).map_or(Value::Null, Value::from);
                Ok(json!({ "dry_run": dry_run, "event": event, "people": people, "write": write }))
            }),
        })
    });
    Ok(Write { dry_run, ..write })
}
