//! Interactions: what happened, or is planned, between the networker and their contacts.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, flag, instant, listed, number, reference, word,
};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::{Channel, Contact};
use crate::domain::entity::Entity;
use crate::domain::interaction::{Interaction, InteractionDirection, InteractionKind, InteractionStatus};
use crate::domain::reference::reference as reference_between;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, interactions as stored, positions};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Interaction,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("occurred_at", stored::OCCURRED),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "contacts",
            description: "The contacts who took part, in the order of `contact_ids`.",
            link: Link::To(Entity::Contact, "/contact_ids"),
            with: &[],
        },
        Relation {
            name: "goals",
            description: "The goals that it is for, in the order of `goal_ids`.",
            link: Link::To(Entity::Goal, "/goal_ids"),
            with: &[],
        },
        Relation {
            name: "event",
            description: "The event where it took place.",
            link: Link::To(Entity::Event, "/event_id"),
            with: &[],
        },
        Relation {
            name: "post",
            description: "The post of yours that it is about.",
            link: Link::To(Entity::Post, "/post_id"),
            with: &[],
        },
        Relation {
            name: "community",
            description: "The community where it took place.",
            link: Link::To(Entity::Community, "/community_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "A contact who took part.",
            values: Values::Id(Entity::Contact),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Interaction, Entity::Contact, id)),
        },
        Filter {
            name: "organization_id",
            description: "A contact who took part has or had a position at this organization.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| {
                let there = reference(positions::ORGANIZATION, id)?;
                let people = Predicate::ReferredBy(Entity::Position, positions::CONTACT, Box::new(there));
                Ok(with_one_of(people))
            }),
        },
        Filter {
            name: "event_id",
            description: "The event where it took place.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::EVENT, id)),
        },
        Filter {
            name: "post_id",
            description: "The post of yours that it is about.",
            values: Values::Id(Entity::Post),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::POST, id)),
        },
        Filter {
            name: "community_id",
            description: "The community where it took place.",
            values: Values::Id(Entity::Community),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::COMMUNITY, id)),
        },
        Filter {
            name: "goal_id",
            description: "A goal that it is for.",
            values: Values::Id(Entity::Goal),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Interaction, Entity::Goal, id)),
        },
        Filter {
            name: "kind",
            description: "The kind of interaction.",
            values: Values::Enumeration("InteractionKind", InteractionKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("InteractionStatus", InteractionStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "direction",
            description: "Who reached out.",
            values: Values::Enumeration("InteractionDirection", InteractionDirection::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, direction| word(stored::DIRECTION, comparison, direction)),
        },
        Filter {
            name: "channel",
            description: "The channel.",
            values: Values::Enumeration("Channel", Channel::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, channel| word(stored::CHANNEL, comparison, channel)),
        },
        Filter {
            name: "occurred_at",
            description: "When it occurred. If only the day is known, the end of that day in UTC counts.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| instant(stored::OCCURRED, comparison, at)),
        },
        Filter {
            name: "quality",
            description: "The rating, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, quality| number(stored::QUALITY, comparison, quality)),
        },
        Filter {
            name: "counts",
            description: "Whether it counts as having been in touch: it happened, and `counts` is true, or null \
                          and the kind counts.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| flag(stored::IS_COUNTED, value)),
        },
    ],
};

/// With at least one of these contacts.
fn with_one_of(contacts: Predicate) -> Predicate {
    let listed = reference_between(Entity::Interaction, Entity::Contact);
    listed.map_or(Predicate::Any(Vec::new()), |listed| Predicate::ListsFound(listed, Box::new(contacts)))
}

impl Resource for Interaction {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "interactions",
        one: "an interaction",
        many: "interactions",
        create_example: || {
            json!({
                "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"], "kind": "coffee",
                "occurred_at": "2026-02-27T16:30:00Z", "duration_minutes": 45, "subject": "Coffee after the meetup",
            })
        },
        update_example: || json!({ "quality": 4, "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"] }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Interaction>();
    let example = || json!({ "kind": "call", "occurred_on": "2026-02-27", "subject": "Their plans for spring" });
    operations.extend(nested::<Contact, Interaction>("", example));
    operations
}
