//! Key results: the numbers that show how far a goal has come.

use serde_json::json;

use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::goal::Goal;
use crate::domain::key_result::{KeyResult, KeyResultMetric};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, key_results as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::KeyResult,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[Relation {
        name: "goal",
        description: "The goal that it belongs to.",
        link: Link::To(Entity::Goal, "/goal_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "goal_id",
            description: "The goal that it belongs to.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "metric",
            description: "How it is measured.",
            values: Values::Enumeration("KeyResultMetric", KeyResultMetric::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, metric| word(stored::METRIC, comparison, metric)),
        },
    ],
};

impl Resource for KeyResult {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "goals",
        one: "a key result",
        many: "key results",
        create_example: || {
            json!({
                "goal_id": "01939d5e-8c00-7000-8000-0000000000a1", "title": "Courses on carbon accounting",
                "metric": "manual", "unit": "courses", "start_value": 0, "target_value": 3,
            })
        },
        update_example: || json!({ "target_value": 4, "weight": 2, "filter": {"linked": true} }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<KeyResult>();
    operations.extend(nested::<Goal, KeyResult>("", || {
        json!({
            "title": "Ten informational interviews", "metric": "informational_interviews", "target_value": 10,
            "filter": {"tag": "climate"},
        })
    }));
    operations
}
