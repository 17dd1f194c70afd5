//! Plan runs: where each plan that was applied stands, and stopping one. Applying a plan makes them.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, listed, word};
use super::http::records::operations::of_applied;
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::follow_up_plan::BuiltInPlan;
use crate::domain::plan_run::{PlanRun, PlanRunStatus};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, plan_runs as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::PlanRun,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "contact",
            description: "The contact it was applied to.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "follow_up",
            description: "The follow-up of the current step.",
            link: Link::To(Entity::FollowUp, "/follow_up_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "The contact it was applied to.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::PlanRun, Entity::Contact, id)),
        },
        Filter {
            name: "plan_id",
            description: "The plan, of your own ones.",
            values: Values::Id(Entity::FollowUpPlan),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::PlanRun, Entity::FollowUpPlan, id)),
        },
        Filter {
            name: "built_in",
            description: "The built-in plan.",
            values: Values::Enumeration("BuiltInPlan", BuiltInPlan::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, plan| word(stored::BUILT_IN, comparison, plan)),
        },
        Filter {
            name: "follow_up_id",
            description: "The follow-up of the current step.",
            values: Values::Id(Entity::FollowUp),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::PlanRun, Entity::FollowUp, id)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("PlanRunStatus", PlanRunStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
    ],
};

impl Resource for PlanRun {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "follow-up-plans",
        one: "a plan run",
        many: "plan runs",
        // A run is made by applying a plan.
        create_example: || json!({}),
        update_example: || json!({ "status": "stopped", "status_reason": "We talk every week now." }),
        write_errors: &[Code::InvalidTransition, Code::LimitReached],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    of_applied::<PlanRun>()
}
