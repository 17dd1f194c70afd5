//! Goals: what the networker wants to reach.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, number, word};
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::goal::{Goal, GoalCategory, GoalStatus};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, goals as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Goal,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("due_on", stored::DUE),
        ("priority", stored::PRIORITY),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "key_results",
        description: "Its key results, newest first.",
        link: Link::From(Entity::KeyResult, "goal_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("GoalStatus", GoalStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "category",
            description: "The category.",
            values: Values::Enumeration("GoalCategory", GoalCategory::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, category| word(stored::CATEGORY, comparison, category)),
        },
        Filter {
            name: "priority",
            description: "The priority, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, priority| number(stored::PRIORITY, comparison, priority)),
        },
        Filter {
            name: "due_on",
            description: "The day it is due. Goals without one match no day.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, text| Ok(stored::is_due(comparison, parse_day(text)?))),
        },
    ],
};

impl Resource for Goal {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "goals",
        one: "a goal",
        many: "goals",
        create_example: || {
            json!({
                "title": "Move into climate tech", "category": "career_change", "priority": 5,
                "started_on": "2026-01-01", "due_on": "2026-12-31",
                "personas": {"product_lead": {"titles": ["Head of Product"], "industries": ["Energy"]}},
            })
        },
        update_example: || json!({ "priority": 4, "personas": {"founder": {"titles": ["Founder"]}} }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    of_record::<Goal>()
}
