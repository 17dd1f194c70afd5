//! Events, and the people there.

use serde_json::{Value, json};

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, instant, listed, number, reference, word,
};
use super::http::records::operations::{nested_at, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::event::{Event, EventKind, EventParticipation, EventStatus};
use crate::domain::event_person::{EventPerson, EventPersonRole, EventPersonStage};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, events as stored};

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
            description: "The organization that holds it.",
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
            description: "The organization that holds it.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::ORGANIZER, id)),
        },
        Filter {
            name: "contact_id",
            description: "Somebody there.",
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
            description: "How far it has come.",
            values: Values::Enumeration("EventPersonStage", EventPersonStage::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, stage| word(stored::STAGE, comparison, stage)),
        },
        Filter {
            name: "role",
            description: "What they are there.",
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
                "title": "Climate Tech Summit", "kind": "conference", "starts_local": "2026-05-12T09:00:00",
                "ends_local": "2026-05-12T18:00:00", "time_zone": "Europe/Berlin", "venue": "Station Berlin",
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
        || json!({ "contact_id": "01939d5e-8c00-7000-8000-0000000000b1", "role": "speaker", "priority": 4 }),
    ));
    operations
}
