//! Timelines: what happened with a contact, or with anybody.

use actix_web::http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::any;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::http::records::operations::PageOf;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::Goal;
use crate::domain::interaction::Interaction;
use crate::domain::invalid::{FieldCode, Rejection};
use crate::domain::position::Position;
use crate::domain::target::Target;
use crate::domain::timeline::TimelineKind;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::views::{collect, reference_to};
use crate::store::timeline::{self, Entry, Place, Wanted};
use crate::store::{AnyId, Conn, Record, lists};

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct TimelineItem {
    kind: TimelineKind,
    /// When it happened. Null: only the day is known, see `on`.
    #[schema(value_type = Option<Timestamp>)]
    at: Option<Value>,
    /// The day, or as much of the date as is known. Null: see `at`.
    #[schema(value_type = Option<String>, max_length = 10, example = "2021-04")]
    on: Option<Value>,
    data: TimelineRecord,
}

/// The record that an entry shows.
#[derive(Serialize)]
#[serde(transparent)]
struct TimelineRecord(Value);

impl PartialSchema for TimelineRecord {
    fn schema() -> RefOr<Schema> {
        any::schema(&entities(), "", "The record.")
    }
}

impl ToSchema for TimelineRecord {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Interaction>(schemas);
        collect::<FollowUp>(schemas);
        collect::<Position>(schemas);
        collect::<Target>(schemas);
        collect::<Goal>(schemas);
    }
}

fn entities() -> Vec<Entity> {
    let mut entities: Vec<Entity> = TimelineKind::ALL.iter().map(|kind| kind.entity()).collect();
    entities.dedup();
    entities
}

pub fn operations() -> Vec<Operation> {
    // Of every area that a kind belongs to.
    let access = || {
        Access::Scopes(
            ["contacts:read", "interactions:read", "follow_ups:read", "goals:read"].map(Into::into).to_vec(),
        )
    };
    let of_contact = "/v1/contacts/{id}/timeline";
    vec![
        Operation::new(Method::GET, of_contact, "list_contact_timeline", access(), Run::Read(of_one), || {
            docs("List a contact's timeline")
        }),
        Operation::new(Method::GET, "/v1/timeline", "list_timeline", access(), Run::Read(of_all), || {
            docs("List the timeline")
        }),
    ]
}

fn docs(summary: &'static str) -> Docs {
    let kinds = json!({
        "type": "array", "maxItems": TimelineKind::ALL.len(), "items": { "$ref": reference_to("TimelineKind") },
    });
    Docs::new("timeline", summary)
        .description(
            "What happened, newest first: interactions, follow-ups that were completed, positions that began or ended, targets that \
             you connected with, and, in the timeline of the workspace, goals that were achieved. A date that is known only to the month or year is sorted as the first day of that period for a \
             start, and as the last day for an end. Planned interactions are not included.",
        )
        .parameters([
            Parameter::new("kind", "Only these kinds. Repeat the parameter for several.", kinds),
            Parameter::cursor(),
            Parameter::limit("The maximum number of entries on a page.", DEFAULT_LIMIT, MAX_LIMIT),
        ])
        .answer::<PageOf<TimelineItem>>(200, "A page.")
        .tagged(Tagged::View)
}

fn of_one(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let contact = lists::find::<Contact>(conn, context.workspace(), context.id()?)?;
    respond(context, conn, Some(Record::id(&contact)))
}

fn of_all(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    respond(context, conn, None)
}

fn respond(context: &Context, conn: &mut Conn, contact: Option<AnyId>) -> Result<Response, Problem> {
    let (workspace, query, cursors) = (context.workspace(), context.query(), &context.api.cursors);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let after: Option<Place> = query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let kinds = kinds(context)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = Wanted { contact, kinds, until: Timestamp::end_of(today), after, limit };
    let page = timeline::page(conn, workspace, &wanted)?;
    let next = page.next.map(|place| cursors.seal(&binding, &place)).transpose()?;
    let items: Vec<TimelineItem> = page.items.into_iter().map(shown).collect();
    let etag_prefix = Some(context.api.etags.prefix());
    Page { etag_prefix, ..Page::new(&items, next.as_deref()) }.respond(context, &tag)
}

fn shown(entry: Entry) -> TimelineItem {
    let Entry { place, record } = entry;
    let (at, on) = match place.kind {
        TimelineKind::Interaction => (Some("occurred_at"), Some("occurred_on")),
        TimelineKind::FollowUpCompleted => (Some("completed_at"), None),
        TimelineKind::PositionStarted => (None, Some("started_on")),
        TimelineKind::PositionEnded => (None, Some("ended_on")),
        TimelineKind::TargetConnected => (Some("connected_at"), None),
        TimelineKind::GoalAchieved => (Some("achieved_at"), None),
    };
    let field = |name: &str| record.get(name).filter(|value| !value.is_null()).cloned();
    let (at, on) = (at.and_then(field), on.and_then(field));
    let data = TimelineRecord(json!({ place.kind.entity().as_str(): record }));
    TimelineItem { kind: place.kind, at, on, data }
}

fn kinds(context: &Context) -> Result<Vec<TimelineKind>, Problem> {
    let mut kinds = Vec::new();
    for word in context.query().several("kind", TimelineKind::ALL.len())? {
        let Some(kind) = TimelineKind::parse(&word) else {
            let detail = format!("Allowed: {}; repeat the parameter for several.", TimelineKind::WORDS.join(", "));
            return Err(Problem::parameter("kind", &Rejection::new(FieldCode::NotAllowed, detail)));
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(if kinds.is_empty() { TimelineKind::ALL.to_vec() } else { kinds })
}
