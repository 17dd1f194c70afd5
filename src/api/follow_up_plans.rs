//! Plans of follow-ups: the built-in ones, your own, and applying one to contacts.

use actix_web::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Write};
use super::http::parameter::Parameter;
use super::http::records::collection::Collection;
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::follow_up_plan::{BuiltInPlan, FollowUpPlan, FollowUpPlanFields};
use crate::domain::id::{Chosen, ContactId, FollowUpId, FollowUpPlanId, PlanRunId};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::plan_run::{MAX_APPLIED, PlanRun};
use crate::service::plan_runs::{Application, AppliedRun, apply_plan};
use crate::service::validation::parse;
use crate::service::validation::views::{collect, limits_of, written};
use crate::store::{Answer, AnyId, Conn, ID, follow_up_plans as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::FollowUpPlan,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("title", stored::TITLE),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[],
    filters: &[],
};

impl Resource for FollowUpPlan {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "follow-up-plans",
        one: "a follow-up plan",
        many: "follow-up plans",
        create_example: || {
            json!({
                "title": "After a job interview", "skip_weekends": true,
                "steps": [
                    { "after": 1, "unit": "day", "kind": "thank_you", "title": "Say thank you", "channel": "email" },
                    { "after": 2, "unit": "week", "kind": "check_in", "title": "Ask about the decision" },
                ],
            })
        },
        update_example: || json!({ "title": "After an interview", "skip_weekends": false }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<FollowUpPlan>();
    operations.push(Operation::new(
        Method::GET,
        "/v1/follow-up-plans/built-in",
        "list_built_in_follow_up_plans",
        Access::scope("follow_ups:read"),
        Run::Read(list_built_in),
        || {
            Docs::new("follow-up-plans", "List the built-in follow-up plans")
                .description(
                    "The plans that every workspace has. They are not records of the workspace: they cannot be \
                     changed, and the list of your own plans does not have them. Their ids are the same everywhere \
                     and never change, so a plan can be applied by its id.",
                )
                .answer::<BuiltInPlans>(200, "All of them.")
        },
    ));
    operations.push(Operation::new(
        Method::POST,
        "/v1/follow-up-plans/{id}/apply",
        "apply_follow_up_plan",
        Access::scope("follow_ups:write"),
        Run::Write(apply),
        apply_docs,
    ));
    operations
}

/// The plans that every workspace has.
#[derive(Serialize, ToSchema)]
struct BuiltInPlans {
    /// The plans, always in the same order.
    items: Vec<BuiltInFollowUpPlan>,
}

/// A plan that every workspace has.
#[derive(Serialize, ToSchema)]
struct BuiltInFollowUpPlan {
    /// The id by which it is applied.
    id: FollowUpPlanId,
    /// The stable name of the plan, by which a client can translate it.
    name: BuiltInPlan,
    #[serde(flatten)]
    fields: FollowUpPlanFields,
}

fn list_built_in(context: &Context, _conn: &mut Conn) -> Result<Response, Problem> {
    let plan = |name: &BuiltInPlan| BuiltInFollowUpPlan { id: name.id(), name: *name, fields: name.fields() };
    context.json(&BuiltInPlans { items: BuiltInPlan::ALL.iter().map(plan).collect() })
}

/// The contacts to apply a plan to.
#[derive(Deserialize, ToSchema)]
struct PlanApplication {
    /// The contacts; one that is listed twice counts once.
    #[schema(min_items = 1, max_items = 100)]
    contact_ids: Vec<ContactId>,
    /// The day that the steps are counted from. Null or absent: today, in the time zone of the workspace.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-02")]
    anchor_on: Option<String>,
    /// The ids of the plan runs, in the order of `contact_ids`, for a request that can be repeated. Null or absent: the
    /// server chooses them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Chosen<PlanRunId>>>, inline, max_items = 100)]
    plan_run_ids: Option<Vec<PlanRunId>>,
    /// The ids of the follow-ups of their first steps, in the order of `contact_ids`. Null or absent: the server chooses
    /// them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Chosen<FollowUpId>>>, inline, max_items = 100)]
    follow_up_ids: Option<Vec<FollowUpId>>,
}

/// There are as many ids as contacts, or none.
fn check_chosen<T>(at: &str, ids: Option<&Vec<T>>, contacts: usize, invalid: &mut Invalid) {
    if ids.is_some_and(|ids| ids.len() != contacts) {
        let detail = "There are as many ids as contact_ids.";
        invalid.add(at, Rejection::new(FieldCode::Contradiction, detail));
    }
}

/// The result of applying a plan.
struct PlanApplied;

impl utoipa::PartialSchema for PlanApplied {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "What applying a plan has led to.",
            "properties": {
                "dry_run": { "type": "boolean", "description": "Whether nothing was changed." },
                "plan_runs": {
                    "type": "array", "items": { "$ref": "#/components/schemas/PlanRun" },
                    "description": "The run for each contact, in the order of `contact_ids`; `follow_up_id` is its \
                                    current step. With `dry_run`, only those that exist already.",
                },
                "steps": {
                    "type": "array", "items": { "$ref": "#/components/schemas/PlanRunStep" },
                    "description": "The current step for each contact, in the order of `contact_ids`: what is to be done, and when.",
                },
                "created": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "How many of the runs are new; the others already existed.",
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

impl ToSchema for PlanApplied {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<PlanRun>(schemas);
        collect::<PlanRunStep>(schemas);
    }
}

/// The current step of a run.
#[derive(Serialize, ToSchema)]
struct PlanRunStep {
    /// The contact.
    contact_id: ContactId,
    /// What is to be done. Null: the run has ended.
    #[schema(example = "Say thank you for the conversation")]
    title: Option<String>,
    /// The day it is due. Null: the run has ended.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-03")]
    due_on: Option<String>,
}

impl From<&AppliedRun> for PlanRunStep {
    fn from(run: &AppliedRun) -> Self {
        let step = run.step.as_ref().map(|step| step.fields.clone());
        let due_on = step.as_ref().and_then(|step| step.due_on.clone());
        Self { contact_id: run.contact_id, title: step.map(|step| step.title), due_on }
    }
}

fn apply_docs() -> Docs {
    Docs::new("follow-up-plans", "Apply a follow-up plan")
        .description(format!(
            "Starts a run of the plan for each contact, and creates the follow-up of its first step. Completing or \
             skipping it creates the next one, so a run has at most one open step. A step is due `after` units after \
             the anchor, but never before today or on the day the previous step was completed. Applying a plan again \
             to the same contact and anchor changes nothing and returns the same runs, except that a current step \
             that was deleted is created again; so does a request that repeats its `plan_run_ids`, however late. Contacts that are archived or not to be contacted are rejected with \
             422. The application is one write, so one revert undoes it. `id` can be that of a built-in plan.\n\n\
             {}",
            limits_of(Entity::PlanRun).join(" ")
        ))
        .parameter(Parameter::dry_run("Return the result without changing anything."))
        .request::<PlanApplication>(json!({
            "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"], "plan_run_ids": ["01939d5e-8c00-7000-8000-0000000000a1"],
            "anchor_on": "2026-03-02",
        }))
        .answer::<PlanApplied>(200, "The runs.")
        .errors(&[Code::NotFound, Code::IdTaken, Code::Deleted, Code::LimitReached])
}

fn apply(context: &Context) -> Result<Write, Problem> {
    let (id, dry_run) = (context.id()?, context.query().flag("dry_run")?);
    let people = parse::<PlanApplication, _>(&context.call.body.value, |application| {
        let PlanApplication { contact_ids, anchor_on, plan_run_ids, follow_up_ids } = application;
        let mut invalid = Invalid::default();
        let anchor_on = anchor_on.and_then(|day| invalid.check("#/anchor_on", parse_day(&day)));
        check_chosen("#/plan_run_ids", plan_run_ids.as_ref(), contact_ids.len(), &mut invalid);
        check_chosen("#/follow_up_ids", follow_up_ids.as_ref(), contact_ids.len(), &mut invalid);
        let (run_ids, follow_up_ids) = (plan_run_ids.unwrap_or_default(), follow_up_ids.unwrap_or_default());
        let person = |(index, contact_id)| Application {
            contact_id,
            anchor_on,
            run_id: run_ids.get(index).copied(),
            follow_up_id: follow_up_ids.get(index).copied(),
        };
        invalid.into_result(contact_ids.into_iter().enumerate().map(person).collect::<Vec<Application>>())
    })?;
    let write = Write::new(move |tx| {
        let applied = apply_plan(tx, id, people, None)?;
        let created = applied.created();
        let steps: Vec<PlanRunStep> = applied.runs.iter().map(PlanRunStep::from).collect();
        // What is rolled back has ids that nobody will ever see again.
        let shown = applied.runs.into_iter().filter(|run| !(dry_run && run.is_new));
        let runs: Vec<AnyId> = shown.map(|run| run.id).collect();
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let write = settled.write_number().filter(|_| !dry_run && created > 0);
                let runs: Vec<Value> =
                    runs.into_iter().map(|run| settled.record(Entity::PlanRun, run)).collect::<Result<_, _>>()?;
                Ok(
                    json!({ "dry_run": dry_run, "plan_runs": runs, "steps": steps, "created": created, "write": write }),
                )
            }),
        })
    });
    Ok(Write { dry_run, ..write })
}

const _: () = assert!(MAX_APPLIED == 100, "as the schema says");
