//! The service about itself: what it can, whether it is well, its document, and the pages of its errors.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Api;
use super::http::auth::caller::bearer_token;
use super::http::auth::jwt::ACCESS_TOKEN_SECONDS;
use super::http::auth::limits;
use super::http::batch;
use super::http::document::enumerations;
use super::http::messages::body::{MAX_BODY_BYTES, MAX_DEPTH, MAX_PUBLIC_BODY_BYTES, MAX_VALUES};
use super::http::messages::etag::is_current;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run, Tagged};
use super::http::records::collection;
use crate::config::Config;
use crate::domain::account::NewPassword;
use crate::domain::{
    calendar_feed, duplicates, follow_up, follow_up_plan, interaction, keyed, need, notification, plan_run,
    position, relationship, tag,
};
use crate::metrics::{self, Readings};
use crate::service::bulk::MAX_EDITED;
use crate::service::records::merge::MAX_MERGED;
use crate::service::validation::views::written;
use crate::store::duplicates::MAX_LOOKED;
use crate::store::relations::MAX_RELATED;
use crate::store::{Load, UNDO_DAYS, jobs, purge, sessions, tokens};

/// What this server supports.
#[derive(ToSchema)]
#[schema(as = Service)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ServiceOut {
    /// Always `wellmet`.
    #[schema(max_length = 16, example = "wellmet")]
    name: String,
    /// The version of the server.
    #[schema(max_length = 32, example = "0.1.0")]
    version: String,
    /// The features of this server. Features are only ever added.
    #[schema(example = json!(["contacts", "changes"]))]
    features: Vec<String>,
    /// Every limit, by name.
    limits: Limits,
    /// Every enumeration, by name, with its current values.
    #[schema(example = json!({"tier": ["inner", "core", "active", "extended", "distant"]}))]
    enumerations: BTreeMap<String, Vec<String>>,
    /// Whether anyone can currently sign up.
    registration_open: bool,
    /// Whether the server sends e-mails: daily digests and password resets.
    mail: bool,
}

/// A limit of this server.
struct Limit {
    name: &'static str,
    /// What is counted, in which unit.
    description: &'static str,
    value: fn(&Api) -> Value,
}

const fn limit(name: &'static str, description: &'static str, value: fn(&Api) -> Value) -> Limit {
    Limit { name, description, value }
}

/// Every limit that clients meet: what is told of them and what the document says of it are both made of this.
const LIMITS: &[Limit] = &[
    limit("body_bytes", "Maximum bytes of a JSON body.", |_| json!(MAX_BODY_BYTES)),
    limit("public_body_bytes", "Maximum bytes of a body that is sent without a token.", |_| {
        json!(MAX_PUBLIC_BODY_BYTES)
    }),
    limit("body_values", "Maximum values in a JSON body, including objects and arrays.", |_| json!(MAX_VALUES)),
    limit("body_depth", "Maximum levels of nesting in a JSON body.", |_| json!(MAX_DEPTH)),
    limit("body_seconds", "Maximum seconds for a body to arrive.", |api| json!(api.body_timeout.as_secs())),
    limit("batch_operations", "Maximum operations in a batch.", |_| json!(batch::MAX_OPERATIONS)),
    limit("batch_answer_bytes", "Maximum bytes of all answers in a batch.", |_| json!(batch::MAX_ANSWER_BYTES)),
    limit("batch_seconds", "Seconds after which no further operation of a batch is started.", |api| {
        json!(api.config.pool_timeout_seconds)
    }),
    limit("page", "Maximum records on a page of a list.", |_| json!(collection::MAX_LIMIT)),
    limit("changes_page", "Maximum changes on a page of the log of changes.", |_| {
        json!(super::changes::MAX_LIMIT)
    }),
    limit("query_characters", "Maximum characters of a search query.", |_| {
        json!(collection::MAX_QUERY_CHARACTERS)
    }),
    limit("map_entries", "Maximum entries in a map of a record, such as its e-mail addresses.", |_| {
        json!(keyed::MAX_ENTRIES)
    }),
    limit("positions_of_a_contact", "Maximum positions of a contact.", |_| json!(position::MAX_PER_CONTACT)),
    limit(
        "relationships_of_a_contact",
        "Maximum relationships with the same `contact_id`, and with the same `related_contact_id`.",
        |_| json!(relationship::MAX_PER_CONTACT),
    ),
    limit("needs_of_a_contact", "Maximum needs of a contact.", |_| json!(need::MAX_PER_CONTACT)),
    limit("interactions_of_a_contact", "Maximum interactions of a contact.", |_| {
        json!(interaction::MAX_PER_CONTACT)
    }),
    limit("contacts_of_an_interaction", "Maximum contacts of an interaction.", |_| {
        json!(interaction::MAX_CONTACTS)
    }),
    limit("follow_ups_of_a_contact", "Maximum follow-ups of a contact.", |_| json!(follow_up::MAX_PER_CONTACT)),
    limit("follow_ups_of_an_organization", "Maximum follow-ups of an organization.", |_| {
        json!(follow_up::MAX_PER_ORGANIZATION)
    }),
    limit("contacts_of_a_follow_up", "Maximum contacts of a follow-up.", |_| json!(follow_up::MAX_CONTACTS)),
    limit("follow_up_plans", "Maximum follow-up plans of your own in a workspace.", |_| {
        json!(follow_up_plan::MAX_PER_WORKSPACE)
    }),
    limit("plan_runs_of_a_contact", "Maximum plan runs of a contact.", |_| json!(plan_run::MAX_PER_CONTACT)),
    limit("applied_at_once", "Maximum contacts that a plan is applied to at once.", |_| {
        json!(plan_run::MAX_APPLIED)
    }),
    limit("agenda_days", "Maximum days of an agenda.", |_| json!(super::follow_ups::MAX_AGENDA_DAYS)),
    limit("agenda_items", "Maximum follow-ups of an agenda.", |_| json!(super::follow_ups::MAX_AGENDA_ITEMS)),
    limit("tags", "Maximum tags in a workspace.", |_| json!(tag::MAX_PER_WORKSPACE)),
    limit("merged_at_once", "Maximum records merged into another at once.", |_| json!(MAX_MERGED)),
    limit("bulk_contacts", "Maximum contacts in a bulk edit.", |_| json!(MAX_EDITED)),
    limit("bulk_follow_ups", "Maximum follow-ups in a bulk edit.", |_| json!(MAX_EDITED)),
    limit("search_results", "Maximum results of a search.", |_| json!(super::search::MAX_LIMIT)),
    limit(
        "included_of_one_record",
        "Maximum related records that a relation of `include` adds to a record.",
        |_| json!(MAX_RELATED),
    ),
    limit(
        "duplicates_sharing_an_address",
        "Maximum records that share an address, number or link; if more do, it is not used to find duplicates.",
        |_| json!(duplicates::MAX_SHARING_ADDRESS),
    ),
    limit(
        "duplicates_sharing_a_name",
        "Maximum records that share a name; if more do, it is not used to find duplicates.",
        |_| json!(duplicates::MAX_SHARING_NAME),
    ),
    limit("duplicates_records_a_page", "Maximum records examined for a page of duplicates.", |_| {
        json!(MAX_LOOKED)
    }),
    limit("password_characters_min", "Minimum characters of a password.", |_| json!(NewPassword::MIN_CHARACTERS)),
    limit("password_characters_max", "Maximum characters of a password.", |_| json!(NewPassword::MAX_CHARACTERS)),
    limit("access_token_seconds", "Seconds for which an access token is valid.", |_| json!(ACCESS_TOKEN_SECONDS)),
    limit("session_days", "Days after which a session ends if it is not refreshed.", |_| {
        json!(sessions::SESSION_DAYS)
    }),
    limit("personal_access_tokens", "Maximum personal access tokens of a user in a workspace.", |_| {
        json!(tokens::MAX_TOKENS)
    }),
    limit("calendar_feeds", "Maximum calendar feeds of a user in a workspace.", |_| {
        json!(calendar_feed::MAX_PER_USER)
    }),
    limit("calendar_feed_entries", "Maximum entries of each kind of content in a calendar feed.", |_| {
        json!(calendar_feed::MAX_ENTRIES)
    }),
    limit("idempotency_hours", "Hours for which a reply is stored under its Idempotency-Key.", |_| {
        json!(crate::store::IDEMPOTENCY_HOURS)
    }),
    limit(
        "stored_reply_bytes",
        "Maximum bytes of a reply stored under an Idempotency-Key, compressed if it is long.",
        |_| json!(crate::store::MAX_KEPT_BYTES),
    ),
    limit("stored_replies_megabytes", "Maximum megabytes of replies stored in a workspace.", |api| {
        json!(api.config.max_stored_reply_megabytes)
    }),
    limit("records", "Maximum records in a workspace.", |api| json!(api.config.max_records)),
    limit(
        "sessions",
        "Maximum sessions of a user in a workspace; a further login ends the least recently used one.",
        |api| json!(api.config.max_sessions),
    ),
    limit("notification_days", "Days for which notifications are kept.", |_| json!(notification::KEPT_DAYS)),
    limit("undo_days", "Days for which a write can be reverted.", |_| json!(UNDO_DAYS)),
    limit("tombstone_days", "Days for which the log of changes retains deletes.", |_| {
        json!(purge::TOMBSTONE_DAYS)
    }),
    limit(
        "requests_per_minute",
        "Maximum requests of a user per minute. Each operation of a batch counts as one.",
        |api| json!(api.config.requests_per_minute),
    ),
    limit("auth_requests_per_minute", "Maximum requests to `/v1/auth/` from an IP address per minute.", |_| {
        json!(limits::AUTH_PER_MINUTE)
    }),
    limit(
        "feed_requests_per_minute",
        "Maximum requests for calendar feeds from an IP address per minute.",
        |_| json!(limits::FEED_PER_MINUTE),
    ),
    limit("logins_per_minute", "Maximum login attempts for an account from an IP address per minute.", |_| {
        json!(limits::LOGIN_PER_MINUTE)
    }),
];

/// The limits of this server.
struct Limits;

impl utoipa::PartialSchema for Limits {
    fn schema() -> RefOr<Schema> {
        let member = |limit: &Limit| {
            let schema = json!({ "type": "integer", "format": "int64", "description": limit.description });
            (limit.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = LIMITS.iter().map(member).collect();
        written(json!({
            "type": "object", "description": "The limits, by name; the name ends with the unit, if there is one.",
            "properties": properties,
        }))
    }
}

impl ToSchema for Limits {}

pub fn operations() -> Vec<Operation> {
    let public = |path: &'static str, id: &'static str, run: Run, docs: fn() -> Docs| {
        Operation::new(Method::GET, path, id, Access::Public, run, docs)
    };
    vec![
        public("/v1", "get_service", Run::Other(|exchange| Box::pin(get_service(exchange))), || {
            Docs::new("service", "Get the server's capabilities")
                .description("Version, features, limits and every enumeration, so that a new app can talk to an old server.")
                .answer::<ServiceOut>(200, "The capabilities.")
        }),
        public(
            "/v1/openapi.json",
            "get_document",
            Run::Other(|exchange| Box::pin(get_document(exchange))),
            || {
                Docs::new("service", "Get the OpenAPI document")
                    .answer::<AnyObject>(200, "The document.")
                    .tagged(Tagged::View)
            },
        ),
        public("/v1/errors", "list_errors", Run::Other(|_| Box::pin(list_errors())), || {
            Docs::new("service", "List error codes").answer::<ErrorKindPage>(200, "All error codes.")
        }),
        public("/v1/errors/{code}", "get_error", Run::Other(|exchange| Box::pin(get_error(exchange))), || {
            Docs::new("service", "Get an error code")
                .description(
                    "What `type` in a problem document refers to: a web page, or JSON if `Accept` asks for it.",
                )
                .answer::<ErrorKind>(200, "The error code.")
                .also("text/html")
        }),
        public("/livez", "get_liveness", Run::Other(|_| Box::pin(get_liveness())), || {
            Docs::new("service", "Check that the process runs")
                .description("Does not use the database.")
                .answer::<Health>(200, "The process is running.")
        }),
        public("/readyz", "get_readiness", Run::Other(|exchange| Box::pin(get_readiness(exchange))), || {
            Docs::new("service", "Check that the server is ready")
                .description("The database responds, its schema is up to date, and the server is not stopping.")
                .answer::<Health>(200, "The server accepts requests.")
                .errors(&[Code::NotReady])
        }),
        public("/metrics", "get_metrics", Run::Other(|exchange| Box::pin(get_metrics(exchange))), || {
            Docs::new("service", "Get metrics")
                .description(
                    "In Prometheus's text format: requests by route and status, connections to the database, writes \
                     that wait, changes, runs of background jobs, and the queue of jobs. It names no users or records. \
                     Unless the server is configured otherwise, it answers only programs on its own machine that are \
                     not behind a proxy, and whoever sends `METRICS_TOKEN` as a bearer token.",
                )
                .text(200, "The metrics.", "text/plain")
                .errors(&[Code::Unauthenticated])
        }),
        public("/docs", "open_docs", Run::Other(|_| Box::pin(open_docs())), || {
            Docs::new("service", "Open the interactive documentation").empty(308, "Redirects to `/docs/`.")
        }),
    ]
}

/// Any JSON object.
struct AnyObject;

impl utoipa::PartialSchema for AnyObject {
    fn schema() -> RefOr<Schema> {
        written(json!({ "type": "object", "additionalProperties": {}, "description": "An OpenAPI document." }))
    }
}

impl ToSchema for AnyObject {}

async fn get_service(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let api = &exchange.api;
    Ok(HttpResponse::Ok().json(json!({
        "name": "wellmet",
        "version": env!("CARGO_PKG_VERSION"),
        "features": [
            "contacts", "organizations", "positions", "relationships", "needs", "exchanges", "feedback", "introductions", "resources", "communities", "posts", "engagement", "goals", "credits", "pitches", "events", "capture", "interactions", "timeline", "cadence",
            "keep_in_touch", "follow_ups", "follow_up_plans", "today", "review", "notifications", "matches", "profile_review", "tags",
            "cards", "search", "batch", "bulk", "duplicates", "merging", "changes", "undo", "idempotency",
            "personal_access_tokens", "calendar_feeds",
        ],
        "limits": LIMITS.iter().map(|limit| (limit.name, (limit.value)(api))).collect::<BTreeMap<_, _>>(),
        "enumerations": *ENUMERATIONS,
        "registration_open": super::auth::registration_is_open(api).await?,
        "mail": api.mailer.is_some(),
    })))
}

/// Every enumeration of the document, so that none is forgotten.
static ENUMERATIONS: LazyLock<Value> = LazyLock::new(|| {
    let operations = super::operations();
    enumerations(&operations.iter().collect::<Vec<_>>()).unwrap_or_default()
});

/// The document changes with the binary alone.
static DOCUMENT_TAG: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256::digest(super::DOCUMENT);
    let short: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{short}\"")
});

async fn get_document(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let tag = (header::ETAG, DOCUMENT_TAG.as_str());
    if is_current(exchange.call.if_none_match.as_deref(), &DOCUMENT_TAG) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    Ok(HttpResponse::Ok().insert_header(tag).content_type("application/json").body(super::DOCUMENT))
}

/// A kind of error.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ErrorKind {
    /// The code of the error; stable, so clients can branch on it.
    #[schema(max_length = 64, example = "not_found")]
    code: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// The title.
    title: String,
    /// What the error means, and what to do.
    meaning: String,
}

/// Every kind of error.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ErrorKindPage {
    /// All kinds of error.
    items: Vec<ErrorKind>,
    /// Always null: there is only one page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

fn error_json(code: Code) -> Value {
    json!({ "code": code.as_str(), "status": code.status(), "title": code.title(), "meaning": code.meaning() })
}

async fn list_errors() -> Result<HttpResponse, Problem> {
    let items: Vec<Value> = Code::ALL.iter().map(|code| error_json(*code)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": null })))
}

async fn get_error(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { request, call, .. } = exchange;
    let code = call.path_values.first().and_then(|code| Code::parse(code));
    let code = code.ok_or_else(|| Problem::new(Code::NotFound))?;
    let accepts =
        request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("json") {
        return Ok(HttpResponse::Ok().json(error_json(code)));
    }
    let (name, status, title, meaning) = (code.as_str(), code.status(), code.title(), escape(&code.meaning()));
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\
         <h1>{title}</h1><p><code>{name}</code>, HTTP status {status}</p><p>{meaning}</p>\
         <p><a href=\"/docs/\">Documentation</a></p></html>"
    )))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The state of the server.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct Health {
    /// Always `ok`. A server that is not ready answers with a problem.
    #[schema(max_length = 16, example = "ok")]
    status: String,
}

async fn get_liveness() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().content_type("application/json").body(r#"{"status":"ok"}"#))
}

async fn get_readiness(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let api = &exchange.api;
    if api.draining.load(Ordering::SeqCst) {
        return Err(Problem::new(Code::NotReady).detail("The server is stopping."));
    }
    // Migrations run before the server listens, so a database that answers is up to date.
    match api.store.probe().await {
        Ok(()) => Ok(HttpResponse::Ok().json(json!({ "status": "ok" }))),
        Err(error) => Err(Problem::new(Code::NotReady).detail("The database does not respond.").caused_by(error)),
    }
}

async fn get_metrics(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let api = &exchange.api;
    if !may_read_metrics(&api.config, &exchange.request) {
        let detail =
            "Metrics are for programs on the server's own machine, or need METRICS_TOKEN as a bearer token.";
        return Err(Problem::unauthenticated(detail));
    }
    let jobs = api.store.read(jobs::counts).await?;
    let jobs = jobs.into_iter().map(|count| (count.kind, count.state.as_str().to_owned(), count.count));
    let Load { pools, writers, changes } = api.store.load();
    let connections = pools.iter().flat_map(|(pool, load)| {
        [(*pool, "in_use", i64::from(load.in_use)), (*pool, "idle", i64::from(load.idle))]
    });
    let readings = Readings {
        jobs: jobs.collect(),
        connections: connections.collect(),
        writers: i64::try_from(writers).unwrap_or(i64::MAX),
        changes,
    };
    let text = api.metrics.render(&readings).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
    Ok(HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(text))
}

/// Headers of requests that a proxy has passed on, or that a web page has sent.
const FORWARDED_OR_BROWSER_HEADERS: [&str; 5] = ["x-forwarded-for", "forwarded", "x-real-ip", "via", "origin"];

/// Whether a request may see metrics: it comes from a program on this machine, as far as its headers show, or has the token.
fn may_read_metrics(config: &Config, request: &HttpRequest) -> bool {
    let headers = request.headers();
    let is_from_elsewhere = FORWARDED_OR_BROWSER_HEADERS.iter().any(|name| headers.contains_key(*name));
    let is_local =
        request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback()) && !is_from_elsewhere;
    let sent = headers.get(header::AUTHORIZATION).and_then(bearer_token);
    let has_token = match (&config.metrics_token, sent) {
        // Digests take as long to compare however much of them agrees.
        (Some(token), Some(sent)) => Sha256::digest(token.expose_secret()) == Sha256::digest(sent),
        _ => false,
    };
    config.metrics_for_all || is_local || has_token
}

async fn open_docs() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish())
}
