//! Capturing somebody you have met, in one call.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Operation, Run, Write};
use crate::domain::capture::{Capture, MatchedBy, PossibleDuplicate};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::event_person::EventPerson;
use crate::domain::follow_up::FollowUp;
use crate::domain::interaction::Interaction;
use crate::service::capture::{Captured, capture};
use crate::service::validation::parse;
use crate::service::validation::views::{collect, written};
use crate::store::Answer;

/// The result of a capture.
struct CaptureResult;

impl utoipa::PartialSchema for CaptureResult {
    fn schema() -> RefOr<Schema> {
        let one_or_null = |name: &str, description: &str| {
            json!({
                "oneOf": [{ "type": "null" }, { "$ref": format!("#/components/schemas/{name}") }],
                "description": description,
            })
        };
        written(json!({
            "type": "object",
            "description": "The result of a capture.",
            "properties": {
                "repeated": {
                    "type": "boolean",
                    "description": "Whether the same capture was sent before, so that nothing was changed.",
                },
                "contact": { "$ref": "#/components/schemas/Contact" },
                "matched_by": one_or_null(
                    "MatchedBy",
                    "How the existing contact was recognized. Null: a new contact was created, or the capture is repeated.",
                ),
                "event_person": one_or_null("EventPerson", "The person at the event. Null: no event was named."),
                "interaction": { "$ref": "#/components/schemas/Interaction" },
                "follow_up": one_or_null("FollowUp", "What to do next. Null: nothing was sent."),
                "possible_duplicates": {
                    "type": "array", "maxItems": 10, "items": { "$ref": "#/components/schemas/PossibleDuplicate" },
                    "description": "Contacts that may be the same person: they have the same name, or share an e-mail \
                                    address, phone number or link. Merge them with `POST /v1/contacts/merge`.",
                },
                "write": {
                    "type": ["integer", "null"], "format": "int64",
                    "description": "The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. \
                                    Null if the capture is repeated.",
                },
            },
        }))
    }
}

impl ToSchema for CaptureResult {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Contact>(schemas);
        collect::<EventPerson>(schemas);
        collect::<Interaction>(schemas);
        collect::<FollowUp>(schemas);
        collect::<MatchedBy>(schemas);
        collect::<PossibleDuplicate>(schemas);
    }
}

pub fn operations() -> Vec<Operation> {
    let scopes = ["contacts:write", "interactions:write"];
    let access = Access::Scopes(scopes.map(Into::into).to_vec());
    vec![Operation::new(Method::POST, "/v1/capture", "capture_person", access, Run::Write(capture_person), docs)]
}

fn docs() -> Docs {
    Docs::new("capture", "Capture a person you have met")
        .description(
            "Creates the contact, their attendance at the event, the interaction and the follow-up, in one write. Made \
             for a queue that is filled offline: choose `person.id`, `interaction_id` and `follow_up.id` and send \
             `captured_at`; a capture that is sent again returns its first result.\n\n\
             An existing contact is used if `person.id` or `match_contact_id` is its id, if exactly one contact has the \
             e-mail address, phone number or link, or if exactly one person at the event or its sessions has the name. \
             A name alone is not enough: a new contact is created, and `possible_duplicates` lists contacts that may be \
             the same person. When an existing contact is used, missing details are added to it, and an unused \
             `person.id` redirects to it, like the id of a merged contact.\n\n\
             The contact becomes `known`. If `how_met` is empty, it is filled in. An `interaction_id` of an interaction \
             with somebody else is rejected with 409 `id_taken`.",
        )
        .request::<Capture>(json!({
            "person": {
                "name": "Dorota Kozłowicz", "organization_name": "Poniedziałek Sp.j.", "email": "dorota@example.com",
            },
            "captured_at": "2026-03-02T09:00:00Z", "note": "Wants to see the prototype.",
            "follow_up": { "title": "Send the slides", "due_on": "2026-03-04" },
        }))
        .answer::<CaptureResult>(200, "The result, or that of the same capture before.")
        .errors(&[Code::IdTaken, Code::Deleted, Code::LimitReached])
}

fn capture_person(context: &Context) -> Result<Write, Problem> {
    let (id, now) = (context.api.store.new_id(), context.api.store.now());
    let checked = parse::<Capture, _>(&context.call.body.value, |capture| capture.check(id, now))?;
    if checked.capture.event_id.is_some() {
        context.caller.require(Entity::Event, "write")?;
    }
    if checked.capture.follow_up.is_some() {
        context.caller.require(Entity::FollowUp, "write")?;
    }
    Ok(Write::new(move |tx| {
        let Captured { is_new, contact, matched_by, event_person, interaction, follow_up, possible_duplicates } =
            capture(tx, checked)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let mut record = |entity: Entity, id| settled.record(entity, id);
                let event_person = event_person.map(|id| record(Entity::EventPerson, id)).transpose()?;
                let follow_up = follow_up.map(|id| record(Entity::FollowUp, id)).transpose()?;
                let (contact, interaction) =
                    (record(Entity::Contact, contact)?, record(Entity::Interaction, interaction)?);
                let write = settled.write_number().filter(|_| is_new).map_or(Value::Null, Value::from);
                Ok(json!({
                    "repeated": !is_new, "contact": contact, "matched_by": matched_by, "event_person": event_person,
                    "interaction": interaction, "follow_up": follow_up,
                    "possible_duplicates": possible_duplicates, "write": write,
                }))
            }),
        })
    }))
}
