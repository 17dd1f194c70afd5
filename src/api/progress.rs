//! How far a goal has come on a day, and the records behind each of its key results.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::any;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::http::records::operations::PageOf;
use crate::domain::check_in::CheckIn;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::exchange::Exchange;
use crate::domain::feedback::Feedback;
use crate::domain::fields::{parse_day, serialize_number};
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::Goal;
use crate::domain::id::GoalId;
use crate::domain::interaction::Interaction;
use crate::domain::introduction::Introduction;
use crate::domain::key_result::KeyResult;
use crate::domain::post::Post;
use crate::domain::progress::{Pace, Projection, Standing, Window};
use crate::domain::target::Target;
use crate::service::validation::views::collect;
use crate::store::progress::{self, Measured, On};
use crate::store::{AnyId, Conn, Scalar, accounts, lists};

/// The kinds of record that key results count.
const COUNTED: &[Entity] = &[
    Entity::CheckIn,
    Entity::Contact,
    Entity::Event,
    Entity::Exchange,
    Entity::Feedback,
    Entity::FollowUp,
    Entity::Interaction,
    Entity::Introduction,
    Entity::Post,
    Entity::Target,
];

/// How far a goal has come.
#[derive(Serialize, ToSchema)]
struct GoalProgress {
    /// The goal.
    goal_id: GoalId,
    /// The day.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: NaiveDate,
    /// The first day that counts: that on which the goal started or, if it is not set, was created.
    #[schema(value_type = String, format = Date, example = "2026-01-01")]
    counted_from: NaiveDate,
    /// The last day that counts: `on`, or that on which the goal was due.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    counted_to: NaiveDate,
    /// The mean of the `share` of the key results by their weight, 0 to 1. Null: there are none.
    #[schema(minimum = 0, maximum = 1, example = 0.4)]
    progress: Option<f64>,
    /// The part of the time from `started_on` to `due_on` that has passed, 0 to 1. Null: one of them is not set.
    #[schema(minimum = 0, maximum = 1, example = 0.16)]
    elapsed: Option<f64>,
    /// How `progress` compares with `elapsed`. Null: one of them is null, or the goal is not active.
    pace: Option<Pace>,
    /// Whether `due_on` has passed with `progress` below 1.
    overdue: bool,
    /// The projected outcome at the current pace. Null while `progress` or `elapsed` is 0 or null.
    projection: Option<Projection>,
    /// The key results, oldest first.
    key_results: Vec<KeyResultProgress>,
}

/// How far a key result has come.
#[derive(Serialize, ToSchema)]
struct KeyResultProgress {
    key_result: KeyResult,
    /// The value on the day: the latest check-in until then, or else `start_value`; of a counted metric, `start_value` and the
    /// number of records.
    #[serde(serialize_with = "serialize_number")]
    #[schema(example = 4)]
    current: f64,
    /// The number of records that are counted. Null: the metric is `manual`.
    #[schema(minimum = 0, example = 4)]
    count: Option<i64>,
    /// The part of the way from `start_value` to `target_value` that is done, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.4)]
    share: f64,
    /// How `share` compares with the `elapsed` of the goal. Null if that is null, or the goal is not active.
    pace: Option<Pace>,
    /// The projected outcome at the current pace. Null while `share` or `elapsed` is 0 or null.
    projection: Option<Projection>,
    /// Whether the tag or the organization of its filter was deleted, so that it counts nothing.
    filter_gone: bool,
    /// The path of the records behind the value.
    #[schema(example = "/v1/key-results/01939d5e-8c00-7000-8000-0000000000a1/records?on=2026-03-02")]
    records: String,
}

/// A record behind the value of a key result.
#[derive(Serialize, ToSchema)]
struct CountedItem {
    data: CountedRecord,
}

/// A record that a key result counts.
#[derive(Serialize)]
#[serde(transparent)]
struct CountedRecord(Value);

impl PartialSchema for CountedRecord {
    fn schema() -> RefOr<Schema> {
        any::schema(COUNTED, "", "The record.")
    }
}

impl ToSchema for CountedRecord {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<CheckIn>(schemas);
        collect::<Contact>(schemas);
        collect::<Event>(schemas);
        collect::<Exchange>(schemas);
        collect::<Feedback>(schemas);
        collect::<Post>(schemas);
        collect::<FollowUp>(schemas);
        collect::<Interaction>(schemas);
        collect::<Introduction>(schemas);
        collect::<Target>(schemas);
    }
}

pub fn operations() -> Vec<Operation> {
    let counted = Access::read_every_area();
    vec![
        Operation::new(
            Method::GET,
            "/v1/goals/{id}/progress",
            "get_goal_progress",
            Access::scope("goals:read"),
            Run::Read(get_progress),
            progress_docs,
        ),
        Operation::new(
            Method::GET,
            "/v1/key-results/{id}/records",
            "list_key_result_records",
            counted,
            Run::Read(list_records),
            records_docs,
        ),
    ]
}

fn on_parameter() -> Parameter {
    let on = "The day. Records of later days do not count; the others count as they are now. Default: today in the \
              time zone of the workspace.";
    Parameter::new("on", on, json!({ "type": "string", "format": "date" })).example(json!("2026-03-02"))
}

fn progress_docs() -> Docs {
    Docs::new("goals", "Get the progress of a goal")
        .description(
            "How far the goal has come on a day, how that compares with the time that has passed, and where it leads. \
             Counted key results count the records from the first day of the goal (or its creation) to the day it is \
             due, both inclusive, in the time zone of the workspace.\n\n\
             `progress` is Σ weight · share / Σ weight, `share` is (current − start) / (target − start), and \
             `elapsed` is (on − started_on) / (due_on − started_on), each between 0 and 1. The pace is `at_risk` if \
             progress − elapsed is at most −0.25, `behind` if it is at most −0.1, `ahead` if it is at least 0.1, and \
             otherwise `on_track`.",
        )
        .parameter(on_parameter())
        .answer::<GoalProgress>(200, "The progress.")
        .tagged(Tagged::View)
}

fn records_docs() -> Docs {
    Docs::new("goals", "List the records behind a key result")
        .description(
            "The records that the metric counts on a day, newest first; of a `manual` one, its check-ins. Empty if \
             what the filter names was deleted.",
        )
        .parameters([
            on_parameter(),
            Parameter::cursor(),
            Parameter::limit("The maximum number of records on a page.", DEFAULT_LIMIT, MAX_LIMIT),
        ])
        .answer::<PageOf<CountedItem>>(200, "A page.")
        .tagged(Tagged::View)
}

/// The day asked about, and the tag of what it is like.
fn asked_on(context: &Context, conn: &mut Conn) -> Result<(On, String), Problem> {
    let workspace = context.workspace();
    let day = context.query().parsed("on", parse_day)?;
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let day = day.unwrap_or_else(|| zone.day(context.api.store.now()));
    Ok((On { day, zone }, context.api.etags.of_day(workspace, seq, day)))
}

fn get_progress(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let (on, tag) = asked_on(context, conn)?;
    let goal = lists::find::<Goal>(conn, workspace, context.id()?)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let found = progress::of_goals(conn, workspace, vec![goal], on)?.pop();
    let shown = found.map(|found| shown(found, on));
    Ok(context.json(&shown)?.header(header::ETAG, &tag))
}

fn shown(found: progress::GoalProgress, on: On) -> GoalProgress {
    let progress::GoalProgress { goal, key_results, standing } = found;
    let Window { first, last } = Window::of(&goal, on.zone, on.day);
    let overdue = standing.is_overdue(&goal, on.day);
    let Standing { progress, elapsed, pace, projection } = standing;
    let of_key_result = |measured: Measured| {
        let Measured { key_result, current, share, count, filter_gone } = measured;
        let Standing { pace, projection, .. } = Standing::of(&goal, Some(share), on.day);
        let records = format!("/v1/key-results/{}/records?on={}", key_result.id, on.day);
        KeyResultProgress { key_result, current, count, share, pace, projection, filter_gone, records }
    };
    GoalProgress {
        goal_id: goal.id,
        on: on.day,
        counted_from: first,
        counted_to: last,
        progress,
        elapsed,
        pace,
        overdue,
        projection,
        key_results: key_results.into_iter().map(of_key_result).collect(),
    }
}

fn list_records(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, cursors) = (context.workspace(), context.query(), &context.api.cursors);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let cursor = query.one("cursor")?;
    let after = cursor.map(|cursor| cursors.open::<(NaiveDate, Vec<Scalar>)>(&binding, &cursor)).transpose()?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let (mut on, tag) = asked_on(context, conn)?;
    let key_result = lists::find::<KeyResult>(conn, workspace, context.id()?)?;
    let goal = lists::one::<Goal>(conn, workspace, AnyId::new(key_result.fields.goal_id.uuid()))?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    // All pages are of the day of the first one.
    let after = after.map(|(day, place)| {
        on.day = day;
        place
    });
    let page = progress::records(conn, workspace, (&goal, &key_result), on, after, limit)?;
    let next = page.next.map(|next| cursors.seal(&binding, &(on.day, next))).transpose()?;
    let entity = page.entity.as_str();
    let item = |record: Value| CountedItem { data: CountedRecord(json!({ entity: record })) };
    let items: Vec<CountedItem> = page.items.into_iter().map(item).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}
