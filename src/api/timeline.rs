//! Timelines: what happened with a contact, or with anybody.

use actix_web::http::Method;
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
use super::http::records::contact_cards::ContactCards;
use super::http::records::operations::UncountedPageOf;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::EventPerson;
use crate::domain::exchange::Exchange;
use crate::domain::feedback::Feedback;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::Goal;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::interaction::Interaction;
use crate::domain::introduction::Introduction;
use crate::domain::invalid::Rejection;
use crate::domain::locale::TimeZone;
use crate::domain::position::Position;
use crate::domain::post::Post;
use crate::domain::target::Target;
use crate::domain::timeline::TimelineKind;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::views::{collect, reference_to};
use crate::store::timeline::{self, Entry, Place, Wanted};
use crate::store::{AnyId, Conn, Record, accounts, lists, today};

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub struct TimelineItem {
    kind: TimelineKind,
    /// When it happened. Null: only the day is known.
    at: Option<Timestamp>,
    /// The day in the time zone of the workspace, or as much of the date as is known.
    #[schema(max_length = 10, example = "2021-04")]
    on: String,
    /// The contacts it is about.
    contacts: Vec<ContactCard>,
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
        collect::<Event>(schemas);
        collect::<EventPerson>(schemas);
        collect::<Target>(schemas);
        collect::<Goal>(schemas);
        collect::<Exchange>(schemas);
        collect::<Feedback>(schemas);
        collect::<Introduction>(schemas);
        collect::<Post>(schemas);
    }
}

fn entities() -> Vec<Entity> {
    let mut entities: Vec<Entity> = TimelineKind::ALL.iter().map(|kind| kind.entity()).collect();
    entities.dedup();
    entities
}

pub fn operations() -> Vec<Operation> {
    let of_contact = "/v1/contacts/{id}/timeline";
    vec![
        Operation::new(
            Method::GET,
            of_contact,
            "list_contact_timeline",
            Access::read_every_area(),
            Run::Read(of_one),
            || docs("List a contact's timeline"),
        ),
        Operation::new(
            Method::GET,
            "/v1/timeline",
            "list_timeline",
            Access::read_every_area(),
            Run::Read(of_all),
            || docs("List the timeline"),
        ),
    ]
}

fn docs(summary: &'static str) -> Docs {
    let kinds = json!({
        "type": "array", "maxItems": TimelineKind::ALL.len(), "items": { "$ref": reference_to("TimelineKind") },
    });
    Docs::new("timeline", summary)
        .description(
            "What happened, newest first: interactions, follow-ups that were completed, positions that began or \
             ended, events where you met, targets that you connected with, what was given and received, feedback, introductions, and, in the timeline of the workspace, \
             events that you attended, goals that were achieved and posts that you published. \
             A date that is known only to the month or year is sorted as the first day of that period for a start, \
             and as the last day for an end. Planned interactions are not included.",
        )
        .parameters([
            Parameter::new("kind", "Only these kinds. Repeat the parameter for several.", kinds),
            Parameter::cursor(),
            Parameter::limit("The maximum number of entries on a page.", DEFAULT_LIMIT, MAX_LIMIT),
        ])
        .answer::<UncountedPageOf<TimelineItem>>(200, "A page.")
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
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = Wanted { contact, kinds, until: Timestamp::end_of(today), after, limit };
    let page = timeline::page(conn, workspace, &wanted)?;
    let next = page.next.map(|place| cursors.seal(&binding, &place)).transpose()?;
    let cards = cards_of(conn, workspace, &page.items, today)?;
    let items: Vec<TimelineItem> = page.items.into_iter().map(|entry| shown(entry, zone, &cards)).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}

/// The latest of what happened with a contact by the end of a day.
pub fn latest(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: AnyId,
    (zone, on): (TimeZone, NaiveDate),
    limit: usize,
) -> Result<Vec<TimelineItem>, Problem> {
    let kinds = TimelineKind::ALL.to_vec();
    let wanted = Wanted { contact: Some(contact), kinds, until: Timestamp::end_of(on), after: None, limit };
    let page = timeline::page(conn, workspace, &wanted)?;
    let cards = cards_of(conn, workspace, &page.items, on)?;
    Ok(page.items.into_iter().map(|entry| shown(entry, zone, &cards)).collect())
}

/// The cards of the contacts on a page.
fn cards_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entries: &[Entry],
    on: NaiveDate,
) -> Result<ContactCards, Problem> {
    let ids: Vec<Vec<ContactId>> = entries.iter().map(|entry| contacts_of(&entry.record)).collect();
    let ids = today::ids_of(ids.iter().map(Vec::as_slice));
    let people: Vec<Contact> = today::people(conn, workspace, ids)?.into_values().collect();
    Ok(ContactCards::new(Contact::cards(conn, workspace, &people, on)?))
}

/// Whom a record is about.
fn contacts_of(record: &Value) -> Vec<ContactId> {
    let ids = record.get("contact_ids").and_then(Value::as_array).into_iter().flatten();
    let fields = ["contact_id", "contact_a_id", "contact_b_id", "introducer_id"];
    let ids = ids.chain(fields.into_iter().filter_map(|field| record.get(field)));
    ids.filter_map(|id| serde_json::from_value(id.clone()).ok()).collect()
}

fn shown(entry: Entry, zone: TimeZone, cards: &ContactCards) -> TimelineItem {
    let Entry { place, record } = entry;
    let (at, on) = match place.kind {
        TimelineKind::Interaction => (Some("occurred_at"), Some("occurred_on")),
        TimelineKind::IntroductionMade => (None, Some("made_on")),
        TimelineKind::FeedbackReceived => (None, Some("received_on")),
        TimelineKind::Exchange => (None, Some("occurred_on")),
        TimelineKind::FollowUpCompleted => (Some("completed_at"), None),
        TimelineKind::PositionStarted => (None, Some("started_on")),
        TimelineKind::PositionEnded => (None, Some("ended_on")),
        TimelineKind::MetAtEvent => (Some("met_at"), None),
        // The day of an event is that of its start where it takes place.
        TimelineKind::EventAttended => (Some("starts_at"), Some("starts_local")),
        TimelineKind::TargetConnected => (Some("connected_at"), None),
        TimelineKind::GoalAchieved => (Some("achieved_at"), None),
        TimelineKind::PostPublished => (Some("published_at"), None),
    };
    let field = |name: &str| record.get(name).and_then(Value::as_str);
    let at = at.and_then(field).and_then(|at| Timestamp::parse(at).ok());
    let day = |at: Option<Timestamp>| zone.day(at.unwrap_or(place.sorted_at)).to_string();
    let on = on.and_then(field).or_else(|| field("starts_on"));
    let on = on.map_or_else(|| day(at), |on| on.split('T').next().unwrap_or(on).to_owned());
    let contacts = cards.get_all(&contacts_of(&record));
    let data = TimelineRecord(json!({ place.kind.entity().as_str(): record }));
    TimelineItem { kind: place.kind, at, on, contacts, data }
}

fn kinds(context: &Context) -> Result<Vec<TimelineKind>, Problem> {
    let mut kinds = Vec::new();
    for word in context.query().several("kind", TimelineKind::ALL.len())? {
        let Some(kind) = TimelineKind::parse(&word) else {
            let detail = format!("Allowed: {}; repeat the parameter for several.", TimelineKind::WORDS.join(", "));
            let rejection = Rejection { detail, ..Rejection::not_one_of(TimelineKind::WORDS) };
            return Err(Problem::parameter("kind", rejection));
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(if kinds.is_empty() { TimelineKind::ALL.to_vec() } else { kinds })
}
