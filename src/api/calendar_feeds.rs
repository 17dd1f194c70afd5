//! Calendar feeds: calendars that programs subscribe to by a secret URL.

use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::auth::secret_response;
use super::http::base_url::base_url;
use super::http::messages::etag::is_current;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use crate::domain::calendar_feed::{CalendarContent, FollowUpsAs};
use crate::domain::fields::single_line;
use crate::domain::id::CalendarFeedId;
use crate::domain::invalid::{Invalid, Rejection};
use crate::domain::locale::TimeZone;
use crate::domain::secret;
use crate::domain::timestamp::Timestamp;
use crate::service::calendar_feeds::{Shown, text};
use crate::service::validation::parse;
use crate::store::calendar_feeds::{self, CalendarFeed as StoredFeed, NewFeed};
use crate::store::{accounts, tokens};

/// How long programs keep a feed without asking again.
const CACHE_CONTROL: &str = "private, max-age=900";
const CONTENT_TYPE: &str = "text/calendar; charset=utf-8";

pub fn operations() -> Vec<Operation> {
    let read = || Access::scope("account:read");
    let write = || Access::scope("account:write");
    vec![
        Operation::new(
            Method::GET,
            "/v1/calendar-feeds",
            "list_calendar_feeds",
            read(),
            Run::Other(|exchange| Box::pin(list_calendar_feeds(exchange))),
            || {
                Docs::new("calendar-feeds", "List your calendar feeds")
                    .answer::<CalendarFeedPage>(200, "All calendar feeds, newest first.")
            },
        ),
        Operation::new(
            Method::POST,
            "/v1/calendar-feeds",
            "create_calendar_feed",
            write(),
            Run::Other(|exchange| Box::pin(create_calendar_feed(exchange))),
            || {
                Docs::new("calendar-feeds", "Create a calendar feed")
                    .description(
                        "A calendar program subscribes to `path` on this server. The path contains a secret and is \
                         returned only in this response. Anyone who has it can read the feed. A caller can create \
                         feeds only of what it can read itself: `follow_ups` requires the scope `follow_ups:read`, \
                         `birthdays` requires `contacts:read`, `interactions` requires `interactions:read`, `events` \
                         requires `events:read`, `posts` requires `online:read`. A feed that is created with a personal access token expires when the \
                         token does.",
                    )
                    .request::<CalendarFeedRequest>(
                        json!({
                            "name": "Wellmet", "contents": ["follow_ups", "birthdays", "interactions", "events", "posts"],
                        }),
                    )
                    .answer::<NewCalendarFeed>(201, "The calendar feed, with its path.")
                    .errors(&[Code::LimitReached])
            },
        ),
        Operation::new(
            Method::GET,
            "/v1/calendar-feeds/{id}",
            "get_calendar_feed",
            read(),
            Run::Other(|exchange| Box::pin(get_calendar_feed(exchange))),
            || {
                Docs::new("calendar-feeds", "Get a calendar feed")
                    .answer::<CalendarFeed>(200, "The calendar feed, without its path.")
            },
        ),
        Operation::new(
            Method::DELETE,
            "/v1/calendar-feeds/{id}",
            "delete_calendar_feed",
            write(),
            Run::Other(|exchange| Box::pin(delete_calendar_feed(exchange))),
            || {
                Docs::new("calendar-feeds", "Delete a calendar feed")
                    .description("Its path stops working immediately.")
                    .empty(204, "Deleted.")
            },
        ),
        Operation::new(
            Method::GET,
            "/calendar/{secret}.ics",
            "read_calendar",
            Access::Public,
            Run::Other(|exchange| Box::pin(read_calendar(exchange))),
            || {
                // Not an enumeration: OpenAPI Generator would name its type after the parameter, which is a keyword of Kotlin,
                // and what it generates does not compile.
                let words = FollowUpsAs::WORDS.join("|");
                let schema = json!({ "type": "string", "pattern": format!("^({words})$"), "default": "events" });
                let description = "Whether follow-ups are shown as `events` or as `todos`. Many calendar programs ignore \
                                   to-dos in a subscribed calendar.";
                Docs::new("calendar-feeds", "Get a calendar")
                    .description(
                        "The calendar of a feed in the iCalendar format (RFC 5545). The secret in the path \
                         authenticates the request; no token is needed.\n\n\
                         - Follow-ups and planned interactions are shown from 90 days before today to 366 days after \
                         it, follow-ups on the day on which to act (`actionable_on`). As events, only pending \
                         follow-ups are shown; as to-dos, completed, skipped and cancelled ones too.\n\
                         - Birthdays and other dates of contacts recur every year. A date of which the day is not \
                         known is left out, and so are the dates of contacts who are archived, not yet known, or not \
                         to be contacted.\n\
                         - Events, and their sessions, are shown if they start from 90 days before today to 366 days \
                         after it, with a short brief: the objectives and whom to meet. Times are in UTC. An event is \
                         `CANCELLED` if it is cancelled or you are not going, `TENTATIVE` if it is postponed or you \
                         are interested or waitlisted, and else `CONFIRMED`. Those that you declined or missed are \
                         left out.\n\
                         - Posts are shown on the day for which they are scheduled, for the same days, until they are \
                         published.\n\
                         - Of each kind of content at most 2,000 entries are shown, the earliest first.\n\n\
                         An entry keeps its `UID`, and its `SEQUENCE` grows with each change of the record. Notes are \
                         never included.",
                    )
                    .parameter(Parameter::new("as", description, schema).example(json!("todos")))
                    .text(200, "The calendar.", "text/calendar")
                    .tagged(Tagged::View)
            },
        ),
    ]
}

/// A calendar feed to create.
#[derive(Deserialize, ToSchema)]
struct CalendarFeedRequest {
    /// The name of the calendar, which calendar programs show.
    #[schema(min_length = 1, max_length = 100, example = "Wellmet")]
    name: String,
    /// What the calendar contains, each once.
    #[schema(min_items = 1, max_items = 10, example = json!(["follow_ups", "birthdays"]))]
    contents: Vec<CalendarContent>,
}

/// A calendar feed, without its path.
#[derive(Serialize, ToSchema)]
struct CalendarFeed {
    /// The id of the feed; not its secret.
    id: CalendarFeedId,
    /// The name of the calendar, which calendar programs show.
    #[schema(max_length = 100, example = "Wellmet")]
    name: String,
    /// What the calendar contains.
    contents: Vec<CalendarContent>,
    /// When the feed was created.
    created_at: Timestamp,
    /// When it expires, which is when the token that created it does. Null: never.
    #[schema(example = json!(null))]
    expires_at: Option<Timestamp>,
    /// When it was last read, to the minute. Null: never.
    last_read_at: Option<Timestamp>,
}

impl From<StoredFeed> for CalendarFeed {
    fn from(feed: StoredFeed) -> Self {
        let StoredFeed { id, name, contents, created_at, expires_at, last_read_at, .. } = feed;
        Self { id, name, contents: contents.0, created_at, expires_at, last_read_at }
    }
}

/// A calendar feed with its path, which is not shown again.
#[derive(Serialize, ToSchema)]
struct NewCalendarFeed {
    #[serde(flatten)]
    shown: CalendarFeed,
    /// The path of the calendar on this server, for calendar programs. It contains the secret, which is not stored and cannot
    /// be shown again.
    #[schema(example = "/calendar/wm_cal_….ics")]
    path: String,
}

/// Your calendar feeds.
#[derive(Serialize, ToSchema)]
struct CalendarFeedPage {
    /// The calendar feeds, newest first.
    items: Vec<CalendarFeed>,
    /// Always null: there is only one page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

async fn list_calendar_feeds(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let found = api.store.read(move |conn| calendar_feeds::list(conn, caller.workspace, caller.user)).await?;
    let items = found.into_iter().map(CalendarFeed::from).collect();
    Ok(HttpResponse::Ok().json(CalendarFeedPage { items, next_cursor: None }))
}

async fn create_calendar_feed(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let CalendarFeedRequest { name, contents } = parse(&exchange.call.body.value, checked)?;
    for content in &contents {
        caller.require(content.entity(), "read")?;
    }
    let secret = secret::generate(secret::CALENDAR_FEED, &api.store.random()?);
    let stored = secret.clone();
    let feed = api
        .store
        .account_write(move |tx| {
            let made_by = caller
                .token
                .map(|token| tokens::find_token(tx, caller.workspace, caller.user, token))
                .transpose()?;
            // Else a token that expires could make a feed that does not.
            let new = NewFeed { name, contents, expires_at: made_by.and_then(|token| token.expires_at) };
            calendar_feeds::create_feed(tx, caller.workspace, caller.user, new, &stored)
        })
        .await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/v1/calendar-feeds/{}", feed.id)));
    let path = format!("/calendar/{secret}.ics");
    Ok(secret_response(&mut response).json(NewCalendarFeed { shown: feed.into(), path }))
}

fn checked(request: CalendarFeedRequest) -> Result<CalendarFeedRequest, Invalid> {
    let CalendarFeedRequest { name, contents } = request;
    let name = single_line(&name);
    if name.is_empty() {
        return Err(Rejection::blank().at("#/name"));
    }
    let contents = CalendarContent::ALL.iter().copied().filter(|content| contents.contains(content)).collect();
    Ok(CalendarFeedRequest { name, contents })
}

async fn get_calendar_feed(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let id = CalendarFeedId::new(exchange.call.id()?.uuid());
    let feed = api.store.read(move |conn| calendar_feeds::find(conn, caller.workspace, caller.user, id)).await?;
    Ok(HttpResponse::Ok().json(CalendarFeed::from(feed)))
}

async fn delete_calendar_feed(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let id = CalendarFeedId::new(exchange.call.id()?.uuid());
    api.store.account_write(move |tx| calendar_feeds::delete_feed(tx, caller.workspace, caller.user, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn read_calendar(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, call, request, .. } = exchange;
    let not_found = || Problem::new(Code::NotFound);
    let follow_ups_as = call
        .query
        .parsed("as", |word| FollowUpsAs::parse(word).ok_or_else(|| Rejection::not_one_of(FollowUpsAs::WORDS)))?;
    let secret = call.path_values.first().cloned().unwrap_or_default();
    if !secret::is_well_formed(secret::CALENDAR_FEED, &secret) {
        return Err(not_found());
    }
    let now = api.store.now();
    let found = api
        .store
        .read(move |conn| {
            let Some(feed) = calendar_feeds::find_by_secret(conn, &secret)? else { return Ok(None) };
            let (seq, zone) = accounts::seq_and_time_zone(conn, feed.workspace_id)?;
            Ok(Some((feed, seq, zone)))
        })
        .await?;
    let (feed, seq, zone) = found.filter(|(feed, ..)| feed.is_valid_at(now)).ok_or_else(not_found)?;
    if feed.read_is_worth_noting(now) {
        let (workspace, id) = (feed.workspace_id, feed.id);
        // Reading must not fail because it could not be noted.
        if let Err(error) = api.store.account_write(move |tx| calendar_feeds::note_read(tx, workspace, id)).await {
            tracing::warn!(%error, feed = %id, "cannot record that a calendar feed was read");
        }
    }
    let today = zone.day(now);
    let tag = tag(&api.etags.of_day(feed.workspace_id, seq, today), zone);
    let is_known = is_current(call.if_none_match.as_deref(), &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, CACHE_CONTROL));
    if is_known {
        return Ok(response.finish());
    }
    let shown = Shown {
        today,
        zone,
        base_url: base_url(&api.config, &request),
        follow_ups_as: follow_ups_as.unwrap_or(FollowUpsAs::Events),
    };
    // Read after the number that the tag is made of, so that it is never older than the tag says.
    let text = api.store.read(move |conn| text(conn, &feed, &shown)).await?;
    Ok(response.content_type(CONTENT_TYPE).body(text))
}

/// The tag of a view of the day that also depends on the zone, in which the times of follow-ups are.
fn tag(of_day: &str, zone: TimeZone) -> String {
    format!("{}-{zone}\"", of_day.trim_end_matches('"'))
}
