//! Keeping in touch: who is due by their cadence, and logging in one call that you were in touch.

use actix_web::http::Method;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::page::Page;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged, Write};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT, MAX_REPEATS, check_length};
use super::http::records::operations::UncountedPageOf;
use super::http::records::resource::Cards;
use crate::domain::cadence::CadenceState;
use crate::domain::card::ContactCard;
use crate::domain::contact::{Channel, Contact, Tier};
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::id::InteractionId;
use crate::domain::interaction::{Interaction, InteractionDirection, InteractionKind};
use crate::domain::invalid::Rejection;
use crate::domain::key::{Key, KeyKind};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::service::interactions::Touch;
use crate::service::validation::views::reference_to;
use crate::service::validation::{validate, views::View};
use crate::store::keep_in_touch::{self, Due, Place, Wanted};
use crate::store::lists::has_key;
use crate::store::{Answer, Conn, Predicate, Record, Scalar, accounts, contacts};

/// The states that are shown unless others are asked for: whoever wants attention.
const DEFAULT_STATES: [CadenceState; 4] =
    [CadenceState::DueSoon, CadenceState::Due, CadenceState::Overdue, CadenceState::Lapsed];

const MAX_TAG_CHARACTERS: usize = 100;

/// A contact to be in touch with, and how urgent it is.
#[derive(Serialize, ToSchema)]
struct KeepInTouchItem {
    /// The contact.
    contact: ContactCard,
    state: CadenceState,
    /// The day on which to be in touch.
    due_on: NaiveDate,
    /// The length of the interval in days.
    #[schema(minimum = 1, example = 30)]
    interval_days: i64,
    /// Days since the contact was due; negative while days are left.
    #[schema(minimum = -3652059, maximum = 3652059, example = 12)]
    days_overdue: i64,
    /// `days_overdue / interval_days`: what the list is sorted by, highest first.
    #[schema(example = 0.4)]
    ratio: f64,
    /// The day of the next planned interaction with the contact, on or after `on`. Null: none is planned.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    planned_on: Option<NaiveDate>,
}

/// The interaction to log. Absent fields take their defaults.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "documents what is read as the fields of an interaction")]
struct ContactTouch {
    /// The id of the interaction. Null: the server chooses one. If it exists already, nothing is logged again.
    #[schema(example = json!(null))]
    id: Option<InteractionId>,
    /// The kind of interaction.
    #[schema(default = "message")]
    kind: Option<InteractionKind>,
    /// Who reached out. Null: the default of the kind, `outbound` for a message.
    #[schema(example = json!(null))]
    direction: Option<InteractionDirection>,
    /// When it was. Null: now, unless `occurred_on` is sent.
    #[schema(example = json!(null))]
    occurred_at: Option<Timestamp>,
    /// The day, if the time is not known.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    occurred_on: Option<String>,
    /// The channel.
    channel: Option<Channel>,
    /// The subject, in one line.
    #[schema(max_length = 300, example = "Congratulated on the new job")]
    subject: Option<String>,
    /// Notes on what was said, plain text or Markdown.
    #[schema(max_length = 100000)]
    body: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    vec![list_operation(), touch_operation()]
}

fn list_operation() -> Operation {
    let docs = || {
        let words = |name: &str| json!({ "type": "array", "maxItems": MAX_REPEATS, "items": { "$ref": reference_to(name) } });
        let labels = json!({
            "type": "array", "maxItems": MAX_REPEATS, "items": { "type": "string", "minLength": 1, "maxLength": MAX_TAG_CHARACTERS },
        });
        Docs::new("keep-in-touch", "List contacts who are due")
            .description(
                "Contacts with a cadence, their own or that of their tier, who are due or due soon. Sorted by \
             `ratio`, highest first. Archived contacts, people you want to meet and contacts marked as not \
             to be contacted are never listed. All pages use the day of the first page.",
            )
            .parameters([
                Parameter::new(
                    "state",
                    "How the contact stands. Repeat the parameter for several. Default: all but `on_track`.",
                    words("CadenceState"),
                ),
                Parameter::new("tier", "The tier. Repeat the parameter for several.", words("Tier")),
                Parameter::new("tag", "Has one of these tags. Case and accents are ignored.", labels)
                    .example(json!(["conference-2026"])),
                Parameter::new(
                    "on",
                    "The day to calculate for. Default: today in the workspace's time zone.",
                    json!({ "type": "string", "format": "date" }),
                )
                .example(json!("2026-03-02")),
                Parameter::cursor(),
                Parameter::limit("The maximum number of contacts on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<UncountedPageOf<KeepInTouchItem>>(200, "A page.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(vec!["contacts:read".into(), "interactions:read".into()]);
    Operation::new(
        Method::GET,
        "/v1/keep-in-touch",
        "list_keep_in_touch",
        access,
        Run::Read(list_keep_in_touch),
        docs,
    )
}

fn touch_operation() -> Operation {
    let docs = || {
        Docs::new("keep-in-touch", "Log that you were in touch")
            .description(
                "Logs an interaction with the contact. By default it is a message sent now; the body is \
             optional. If the kind of interaction counts, the cadence of the contact restarts. A request \
             with the `id` of an existing interaction with the contact returns that interaction and changes \
             nothing.",
            )
            .request::<ContactTouch>(json!({ "kind": "call", "subject": "Congratulated on the new job" }))
            .optional_body()
            .answer::<Interaction>(200, "The interaction, which existed already.")
            .answer::<Interaction>(201, "The interaction as it was created.")
            .errors(&[Code::IdTaken, Code::Deleted])
    };
    let access = Access::scope("interactions:write");
    Operation::new(
        Method::POST,
        "/v1/contacts/{id}/touch",
        "touch_contact",
        access,
        Run::Write(touch_contact),
        docs,
    )
}

fn list_keep_in_touch(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, etags) = (context.workspace(), context.query(), &context.api.etags);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let cursors = &context.api.cursors;
    let after: Option<(NaiveDate, Place)> =
        query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?;
    let asked_on = query.parsed("on", parse_day)?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let (states, filter) = (states(context)?, filter(context)?);
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let tag = etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let on = after.map_or_else(|| asked_on.unwrap_or(today), |(on, _)| on);
    let after = after.map(|(_, place)| place);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = Wanted { on, states, without_planned: None, filter, after, limit };
    let page = keep_in_touch::page(conn, workspace, &wanted, zone)?;
    let next = page.next.map(|place| cursors.seal(&binding, &(on, place))).transpose()?;
    let people: Vec<Contact> = page.items.iter().map(|due| due.contact.clone()).collect();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let items: Vec<KeepInTouchItem> =
        page.items.iter().zip(cards).map(|(due, contact)| shown(due, contact, on)).collect();
    let shown = Page::of_records(context, &items, next.as_deref());
    shown.respond(context, &tag)
}

fn shown(due: &Due, contact: ContactCard, on: NaiveDate) -> KeepInTouchItem {
    let Due { next, planned_on, .. } = due;
    let days_overdue = (on - next.due_on).num_days();
    // All days up to the year 9999 fit.
    let number = |days: i64| i32::try_from(days).map_or(f64::MAX, f64::from);
    KeepInTouchItem {
        contact,
        state: next.state(on),
        due_on: next.due_on,
        interval_days: next.interval_days,
        days_overdue,
        ratio: number(days_overdue) / number(next.interval_days),
        planned_on: *planned_on,
    }
}

fn states(context: &Context) -> Result<Vec<CadenceState>, Problem> {
    let parse = |word: String| CadenceState::parse(&word).ok_or_else(|| not_allowed("state", CadenceState::WORDS));
    let named: Vec<CadenceState> =
        context.query().several("state", MAX_REPEATS)?.into_iter().map(parse).collect::<Result<_, _>>()?;
    Ok(if named.is_empty() { DEFAULT_STATES.to_vec() } else { named })
}

fn filter(context: &Context) -> Result<Option<Predicate>, Problem> {
    let mut all = Vec::new();
    let tiers = context.query().several("tier", MAX_REPEATS)?;
    if !tiers.is_empty() {
        let words: Vec<&str> = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
        let parse = |word: String| match Tier::parse(&word) {
            Some(tier) => Ok(Scalar::Text(tier.as_str().to_owned())),
            None => Err(not_allowed("tier", &words)),
        };
        all.push(Predicate::In(contacts::TIER, tiers.into_iter().map(parse).collect::<Result<_, _>>()?));
    }
    let tags = context.query().several("tag", MAX_REPEATS)?;
    for tag in &tags {
        check_length(tag, MAX_TAG_CHARACTERS).map_err(|rejection| Problem::parameter("tag", rejection))?;
    }
    if !tags.is_empty() {
        let keys = tags.iter().map(|tag| Key::new(KeyKind::Tag, text::fold(tag))).collect();
        all.push(has_key::<Contact>(keys));
    }
    Ok((!all.is_empty()).then_some(Predicate::All(all)))
}

fn not_allowed(parameter: &str, words: &[&str]) -> Problem {
    let detail = format!("Allowed: {}; repeat the parameter for several.", words.join(", "));
    Problem::parameter(parameter, Rejection { detail, ..Rejection::not_one_of(words) })
}

fn touch_contact(context: &Context) -> Result<Write, Problem> {
    let body: Value = context.call.body.value.clone();
    validate::<ContactTouch>(View::Input, &body).into_result(())?;
    let store = &context.api.store;
    let touch = Touch::check(body, context.id()?, store.new_id(), store.now())?;
    Ok(Write::new(move |tx| {
        let (interaction, is_new) = touch.write(tx)?;
        let (status, id) = (if is_new { 201 } else { 200 }, Record::id(&interaction));
        Ok(Answer::Record { status, entity: Entity::Interaction, id })
    }))
}
