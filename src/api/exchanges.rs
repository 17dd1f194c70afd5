//! Exchanges: what the networker has given to contacts, and received from them.

use serde_json::json;

use super::http::messages::query::parse_flag;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, number, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::exchange::{Exchange, ExchangeDirection, ExchangeKind};
use crate::domain::fields::parse_day;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, exchanges as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Exchange,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("occurred_on", stored::OCCURRED_ON),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "contact",
            description: "The contact.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "interaction",
            description: "The interaction in which it happened.",
            link: Link::To(Entity::Interaction, "/interaction_id"),
            with: &[],
        },
        Relation {
            name: "goal",
            description: "The goal that it helps.",
            link: Link::To(Entity::Goal, "/goal_id"),
            with: &[],
        },
        Relation {
            name: "resource",
            description: "The resource that was shared.",
            link: Link::To(Entity::Resource, "/resource_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "The contact.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "direction",
            description: "Who gave.",
            values: Values::Enumeration("ExchangeDirection", ExchangeDirection::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, direction| word(stored::DIRECTION, comparison, direction)),
        },
        Filter {
            name: "kind",
            description: "The kind of exchange.",
            values: Values::Enumeration("ExchangeKind", ExchangeKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "weight",
            description: "How much it was worth, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, weight| number(stored::WEIGHT, comparison, weight)),
        },
        Filter {
            name: "occurred_on",
            description: "The day.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                Ok(Predicate::Compare(stored::OCCURRED_ON, comparison, Scalar::Text(parse_day(day)?.to_string())))
            }),
        },
        Filter {
            name: "thanked",
            description: "Whether whoever received it said thanks.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| {
                Ok(match parse_flag(value)? {
                    true => Predicate::NotNull(stored::THANKED_ON),
                    false => Predicate::IsNull(stored::THANKED_ON),
                })
            }),
        },
        Filter {
            name: "interaction_id",
            description: "The interaction in which it happened.",
            values: Values::Id(Entity::Interaction),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::INTERACTION, id)),
        },
        Filter {
            name: "goal_id",
            description: "The goal that it helps.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "resource_id",
            description: "The resource that was shared.",
            values: Values::Id(Entity::Resource),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::RESOURCE, id)),
        },
    ],
};

impl Resource for Exchange {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "exchanges",
        one: "an exchange",
        many: "exchanges",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "direction": "received", "kind": "advice",
                "description": "Read my portfolio and told me what to leave out.", "occurred_on": "2026-02-20",
            })
        },
        update_example: || json!({ "thanked_on": "2026-02-27" }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Exchange>();
    let example = || json!({ "direction": "given", "kind": "referral", "occurred_on": "2026-02-20", "weight": 4 });
    operations.extend(nested::<Contact, Exchange>("", example));
    operations
}
