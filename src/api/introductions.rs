//! Introductions: two people who are introduced to each other.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, listed, reference, word};
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::introduction::{Introduction, IntroductionDirection, IntroductionStatus};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, introductions as stored};

const fn to(name: &'static str, description: &'static str, entity: Entity, pointer: &'static str) -> Relation {
    Relation { name, description, link: Link::To(entity, pointer), with: &[] }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::Introduction,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        to("contact_a", "One of the two.", Entity::Contact, "/contact_a_id"),
        to("contact_b", "The other one.", Entity::Contact, "/contact_b_id"),
        to("introducer", "Who introduces them.", Entity::Contact, "/introducer_id"),
        to("goal", "The goal that it helps.", Entity::Goal, "/goal_id"),
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "One of the two, or who introduces them.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Introduction, Entity::Contact, id)),
        },
        Filter {
            name: "introducer_id",
            description: "Who introduces them.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::INTRODUCER, id)),
        },
        Filter {
            name: "direction",
            description: "Whom it concerns.",
            values: Values::Enumeration("IntroductionDirection", IntroductionDirection::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, direction| word(stored::DIRECTION, comparison, direction)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("IntroductionStatus", IntroductionStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "made_on",
            description: "The day on which it was made.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                Ok(Predicate::Compare(stored::MADE_ON, comparison, Scalar::Text(parse_day(day)?.to_string())))
            }),
        },
        Filter {
            name: "goal_id",
            description: "The goal that it helps.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
    ],
};

impl Resource for Introduction {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "introductions",
        one: "an introduction",
        many: "introductions",
        create_example: || {
            json!({
                "contact_a_id": "01939d5e-8c00-7000-8000-0000000000b1",
                "contact_b_id": "01939d5e-8c00-7000-8000-0000000000a2",
                "purpose": "Both build tools for heat pumps.", "status": "asked",
            })
        },
        update_example: || json!({ "consent_a": "given" }),
        write_errors: &[Code::InvalidTransition, Code::ConsentMissing, Code::LimitReached],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    of_record::<Introduction>()
}
