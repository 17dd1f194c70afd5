//! Events, and the people there.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Operation, Run, Write};
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, instant, listed, number, reference, word,
};
use super::http::records::operations::{nested_at, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::event::{Event, EventKind, EventParticipation, EventStatus};
use crate::domain::event_person::{EventPerson, EventPersonFields, EventPersonRole, EventPersonStage};
use crate::domain::invalid::Invalid;
use crate::service::event_people::add_people;
use crate::service::records::write::{Create, Parent};
use crate::service::validation::validate;
use crate::service::validation::views::{View, collect, written};
use crate::store::relations::{Link, Relation};
use crate::store::{Answer, ID, events as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Event,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("starts_at", stored::STARTS),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "organizer",
            description: "The organizer.",
            link: Link::To(Entity::Organization, "/organizer_organization_id"),
            with: &[],
        },
        Relation {
            name: "parent",
            description: "The event that it is a session of.",
            link: Link::To(Entity::Event, "/parent_id"),
            with: &[],
        },
        Relation {
            name: "sessions",
            description: "Its sessions, newest first.",
            link: Link::From(Entity::Event, "parent_id"),
            with: &[],
        },
        Relation {
            name: "goals",
            description: "The goals that it is for, in the order of `goal_ids`.",
            link: Link::To(Entity::Goal, "/goal_ids"),
            with: &[],
        },
        Relation {
            name: "pitch",
            description: "The pitch to have ready.",
            link: Link::To(Entity::Pitch, "/pitch_id"),
            with: &[],
        },
        Relation {
            name: "people",
            description: "The people there, newest first.",
            link: Link::From(Entity::EventPerson, "event_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "participation",
            description: "Whether you take part.",
            values: Values::Enumeration("EventParticipation", EventParticipation::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, one| word(stored::PARTICIPATION, comparison, one)),
        },
        Filter {
            name: "status",
            description: "Whether it takes place.",
            values: Values::Enumeration("EventStatus", EventStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "kind",
            description: "The kind of event.",
            values: Values::Enumeration("EventKind", EventKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "starts_at",
            description: "When it starts. An all-day event starts when its first day begins in its time zone.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| instant(stored::STARTS, comparison, at)),
        },
        Filter {
            name: "ends_at",
            description: "When it ends: without an end, when it starts; of an all-day event, when its last day is over in its \
                          time zone.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| instant(stored::ENDS, comparison, at)),
        },
        Filter {
            name: "debriefed",
            description: "Whether it has a debrief.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| Ok(stored::has(stored::DEBRIEF, value == "true"))),
        },
        Filter {
            name: "session",
            description: "Whether it is a session of another event.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| Ok(stored::has(stored::PARENT, value == "true"))),
        },
        Filter {
            name: "goal_id",
            description: "A goal that it is for.",
            values: Values::Id(Entity::Goal),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Event, Entity::Goal, id)),
        },
        Filter {
            name: "tag",
            description: "Has this tag. Case and accents are ignored.",
            values: Values::Text { max_length: 100, example: "climate" },
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, tag| Ok(stored::has_tag(tag))),
        },
        Filter {
            name: "parent_id",
            description: "The event that it is a session of.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::PARENT, id)),
        },
        Filter {
            name: "organizer_organization_id",
            description: "The organizer.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::ORGANIZER, id)),
        },
        Filter {
            name: "contact_id",
            description: "A contact who is at the event.",
            values: Values::Id(Entity::Contact),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| Ok(stored::has_person(reference(stored::CONTACT, id)?))),
        },
    ],
};

pub const PEOPLE: Collection = Collection {
    entity: Entity::EventPerson,
    sorts: &[
        ("id", ID),
        ("created_at", stored::PERSON_CREATED_AT),
        ("updated_at", stored::PERSON_UPDATED_AT),
        ("priority", stored::PRIORITY),
    ],
    updated_at: stored::PERSON_UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "event",
            description: "The event.",
            link: Link::To(Entity::Event, "/event_id"),
            with: &[],
        },
        Relation {
            name: "contact",
            description: "The contact.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "event_id",
            description: "The event.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::EVENT, id)),
        },
        Filter {
            name: "contact_id",
            description: "The contact.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "stage",
            description: "The stage.",
            values: Values::Enumeration("EventPersonStage", EventPersonStage::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, stage| word(stored::STAGE, comparison, stage)),
        },
        Filter {
            name: "role",
            description: "Their role at the event.",
            values: Values::Enumeration("EventPersonRole", EventPersonRole::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, role| word(stored::ROLE, comparison, role)),
        },
        Filter {
            name: "priority",
            description: "How much you want to meet them, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, priority| number(stored::PRIORITY, comparison, priority)),
        },
        Filter {
            name: "met_at",
            description: "When you met.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| instant(stored::MET_AT, comparison, at)),
        },
    ],
};

impl Resource for Event {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "events",
        one: "an event",
        many: "events",
        create_example: || {
            json!({
                "title": "Climate Tech Summit", "kind": "conference", "starts_local": "2026-03-02T09:00:00",
                "ends_local": "2026-03-02T18:00:00", "time_zone": "Europe/Berlin", "venue": "Station Berlin",
                "participation": "registered", "tags": ["climate"],
                "objectives": {"hiring": {"text": "Three people who hire", "position": 1}},
                "checklist": {"hotel": {"text": "Book a hotel", "position": 1}},
            })
        },
        update_example: || json!({ "participation": "attending", "checklist": {"hotel": {"text": "Book a hotel", "done": true}} }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };
}

impl Resource for EventPerson {
    const COLLECTION: Collection = PEOPLE;
    const TEXTS: Texts = Texts {
        tag: "events",
        one: "a person at an event",
        many: "people at events",
        create_example: || {
            json!({
                "event_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "contact_id": "01939d5e-8c00-7000-8000-0000000000b1", "role": "speaker", "priority": 5,
                "why": "She hires for the team I want to join.", "talking_points": ["Her talk on storage"],
                "questions": ["How do you choose what to build?"], "stage": "to_meet",
            })
        },
        update_example: || json!({ "stage": "met", "note": "Wants to see the prototype." }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };

    /// Somebody whom a name stands for, or who becomes known by having been met.
    fn also_creates(input: &Value) -> &'static [Entity] {
        if input.get("name").is_some_and(|name| !name.is_null()) { &[Entity::Contact] } else { &[] }
    }
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Event>();
    operations.extend(of_record::<EventPerson>());
    operations.extend(nested_at::<Event, EventPerson>(
        "people",
        "Ranked with `sort=-priority`.",
        || json!({ "contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "role": "speaker", "priority": 4 }),
    ));
    operations.push(Operation::new(
        Method::POST,
        "/v1/events/{id}/people/bulk",
        "add_event_people",
        Access::scope("events:write"),
        Run::Write(add),
        add_docs,
    ));
    operations
}

/// How many people can be added in one call.
const MAX_ADDED: usize = 200;

/// People to add to an event.
struct EventPeople;

impl utoipa::PartialSchema for EventPeople {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "People to add to an event.",
            "properties": {
                "people": {
                    "type": "array", "minItems": 1, "maxItems": MAX_ADDED,
                    "items": { "type": "object", "x-input-under": ["event_person", "event", "event_id"] },
                    "description": "The people, each as they would be added alone.",
                },
            },
            "required": ["people"],
        }))
    }
}

impl ToSchema for EventPeople {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<EventPersonFields>(schemas);
    }
}

/// The people of an event that were added.
struct EventPeopleAdded;

impl utoipa::PartialSchema for EventPeopleAdded {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "The people of an event that were added.",
            "properties": {
                "results": {
                    "type": "array",
                    "description": "The result for each, in the order of the request.",
                    "items": {
                        "type": "object",
                        "description": "The result for one of them.",
                        "properties": {
                            "created": {
                                "type": "boolean",
                                "description": "Whether they were added. False: they were there already, and stay as they are.",
                            },
                            "event_person": { "$ref": "#/components/schemas/EventPerson" },
                        },
                        "required": ["created", "event_person"],
                    },
                },
                "write": {
                    "type": ["integer", "null"], "format": "int64",
                    "description": "The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. \
                                    Null if nobody was added.",
                },
            },
        }))
    }
}

impl ToSchema for EventPeopleAdded {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<EventPerson>(schemas);
    }
}

fn add_docs() -> Docs {
    Docs::new("events", "Add people to an event")
        .description(
            "Adds up to 200 people in one write: all of them, or none if anything is wrong. A contact who is already there, or \
             is listed twice, is left unchanged, and so is a person whose `id` was sent before. A name always creates a new \
             contact.",
        )
        .request::<EventPeople>(json!({
            "people": [{ "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "role": "speaker", "priority": 4 }],
        }))
        .answer::<EventPeopleAdded>(200, "The people.")
        .errors(&[Code::IdTaken, Code::Deleted, Code::LimitReached])
}

fn add(context: &Context) -> Result<Write, Problem> {
    let id = context.id()?;
    let body = &context.call.body.value;
    validate::<EventPeople>(View::Input, body).into_result(())?;
    let people = body.get("people").and_then(Value::as_array).into_iter().flatten();
    let store = &context.api.store;
    let parent = Parent { entity: Entity::Event, id, field: "event_id", is_list: false };
    let (mut invalid, mut checked) = (Invalid::default(), Vec::new());
    for (index, person) in people.enumerate() {
        for entity in EventPerson::also_creates(person) {
            context.caller.require(*entity, "write")?;
        }
        let person = Create::<EventPerson>::check(person.clone(), Some(parent), store.new_id(), store.now());
        let person = person.map_err(|errors| errors.under(&format!("people/{index}")));
        checked.extend(invalid.gather(person).map(Create::into_record));
    }
    let people = invalid.into_result(checked)?;
    Ok(Write::new(move |tx| {
        let added = add_people(tx, id, people)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let mut results = Vec::with_capacity(added.len());
                for one in added {
                    let person = settled.record(Entity::EventPerson, one.id)?;
                    results.push(json!({ "created": one.is_new, "event_person": person }));
                }
                Ok(json!({ "results": results, "write": settled.write_number() }))
            }),
        })
    }))
}
