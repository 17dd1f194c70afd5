//! The service about itself: what it can, whether it is well, its document, and the pages of its errors.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::bulk::MAX_EDITED;
use super::http::batch;
use super::http::body::{MAX_BODY_BYTES, MAX_DEPTH};
use super::http::jwt::ACCESS_TOKEN_SECONDS;
use super::http::limits;
use super::http::listing;
use super::http::merging::MAX_MERGED;
use super::http::problem::{Code, Problem};
use crate::domain::account::NewPassword;
use crate::domain::{duplicates, keyed, need, position, relationship, tag};
use crate::store::duplicates::MAX_LOOKED;
use crate::store::relations::MAX_RELATED;
use crate::store::{UNDO_DAYS, accounts, purge, sessions, tokens};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_service)
        .service(get_document)
        .service(list_errors)
        .service(get_error)
        .service(get_liveness)
        .service(get_readiness)
        .service(open_docs);
}

/// What this server is and can.
#[derive(ToSchema)]
#[schema(as = Service)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ServiceOut {
    /// Always `wellmet`.
    #[schema(example = "wellmet")]
    name: String,
    /// The version of the server.
    #[schema(example = "0.1.0")]
    version: String,
    /// What it can, as words that only ever get more.
    #[schema(example = json!(["contacts", "changes"]))]
    features: Vec<String>,
    /// Every limit, by name.
    #[schema(value_type = Object, example = json!({"body_bytes": 1048576}))]
    limits: Value,
    /// Every enumeration, by name, with the words it has now.
    #[schema(value_type = Object, example = json!({"tier": ["inner", "core", "active", "extended", "distant"]}))]
    enumerations: Value,
    /// Whether anybody can sign up now.
    registration_open: bool,
}

/// What this server can
///
/// Version, features, limits and every enumeration, so that a new app can talk to an old server.
#[utoipa::path(tag = "service", responses((status = 200, description = "The service.", body = ServiceOut)))]
#[get("/v1")]
async fn get_service(api: Data<Api>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(json!({
        "name": "wellmet",
        "version": env!("CARGO_PKG_VERSION"),
        "features": [
            "contacts", "organizations", "positions", "relationships", "needs", "matches", "profile_review", "tags",
            "search", "batch", "bulk", "duplicates", "merging", "changes", "undo", "idempotency",
            "personal_access_tokens",
        ],
        "limits": {
            "body_bytes": MAX_BODY_BYTES,
            "body_depth": MAX_DEPTH,
            "body_seconds": api.body_timeout.as_secs(),
            "batch_operations": batch::MAX_OPERATIONS,
            "batch_answer_bytes": batch::MAX_ANSWER_BYTES,
            "batch_seconds": api.config.pool_timeout_seconds,
            "page": listing::MAX_LIMIT,
            "changes_page": super::changes::MAX_LIMIT,
            "query_characters": listing::MAX_QUERY_CHARACTERS,
            "map_entries": keyed::MAX_ENTRIES,
            "positions_of_a_contact": position::MAX_PER_CONTACT,
            "relationships_of_a_contact": relationship::MAX_PER_CONTACT,
            "needs_of_a_contact": need::MAX_PER_CONTACT,
            "tags": tag::MAX_PER_WORKSPACE,
            "merged_at_once": MAX_MERGED,
            "bulk_contacts": MAX_EDITED,
            "search_results": super::search::MAX_LIMIT,
            "included_of_one_record": MAX_RELATED,
            "duplicates_sharing_an_address": duplicates::MAX_SHARING_ADDRESS,
            "duplicates_sharing_a_name": duplicates::MAX_SHARING_NAME,
            "duplicates_records_a_page": MAX_LOOKED,
            "password_characters_min": NewPassword::MIN_CHARACTERS,
            "password_characters_max": NewPassword::MAX_CHARACTERS,
            "access_token_seconds": ACCESS_TOKEN_SECONDS,
            "session_days": sessions::SESSION_DAYS,
            "personal_access_tokens": tokens::MAX_TOKENS,
            "idempotency_hours": crate::store::IDEMPOTENCY_HOURS,
            "undo_days": UNDO_DAYS,
            "tombstone_days": purge::TOMBSTONE_DAYS,
            "requests_per_minute": limits::USER_PER_MINUTE,
            "auth_requests_per_minute": limits::AUTH_PER_MINUTE,
            "logins_per_minute": limits::LOGIN_PER_MINUTE,
        },
        "enumerations": enumerations(&api.contract.document),
        "registration_open": super::auth::registration_is_open(&api).await?,
    })))
}

/// Every enumeration of the document, so that none is forgotten.
fn enumerations(document: &Value) -> Value {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let all: Map<String, Value> = schemas
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some((snake(name), schema.get("x-extensible-enum")?.clone())))
        .collect();
    all.into()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The OpenAPI document
#[utoipa::path(tag = "service",
    responses((status = 200, description = "This document.", body = Object)))]
#[get("/v1/openapi.json")]
async fn get_document(api: Data<Api>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(&api.contract.document))
}

/// A kind of error.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ErrorKind {
    /// The stable word to branch on.
    #[schema(example = "not_found")]
    code: String,
    /// The HTTP status it comes with.
    #[schema(example = 404)]
    status: u16,
    /// What it is called.
    title: String,
    /// What it means, and what to do.
    meaning: String,
}

/// Every kind of error.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ErrorKindPage {
    /// The whole catalog.
    items: Vec<ErrorKind>,
    /// Always null: all of them are on one page.
    next_cursor: Option<String>,
}

fn error_json(code: Code) -> Value {
    json!({ "code": code.as_str(), "status": code.status(), "title": code.title(), "meaning": code.meaning() })
}

/// List every kind of error
#[utoipa::path(tag = "service", responses((status = 200, description = "The catalog.", body = ErrorKindPage)))]
#[get("/v1/errors")]
async fn list_errors() -> Result<HttpResponse, Problem> {
    let items: Vec<Value> = Code::ALL.iter().map(|code| error_json(*code)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next_cursor": null })))
}

/// Read about a kind of error
///
/// What `type` in a problem document points to: a page for people, or JSON where `Accept` asks for it.
#[utoipa::path(tag = "service",
    responses((status = 200, description = "The kind of error.", content(
        (ErrorKind = "application/json"), (String = "text/html")))))]
#[get("/v1/errors/{code}")]
async fn get_error(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let code = request.match_info().get("code").and_then(Code::parse);
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

/// Whether the server is well.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct Health {
    /// Always `ok`; a server that is not well answers with a problem.
    #[schema(example = "ok")]
    status: String,
}

/// Whether the process lives
///
/// Asks nothing of the database.
#[utoipa::path(tag = "service", responses((status = 200, description = "It does.", body = Health)))]
#[get("/livez")]
async fn get_liveness() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// Whether the server takes work
///
/// The database answers, its tables are up to date, and the server is not stopping.
#[utoipa::path(tag = "service", extensions(("x-errors" = json!(["not_ready"]))),
    responses((status = 200, description = "It does.", body = Health)))]
#[get("/readyz")]
async fn get_readiness(api: Data<Api>) -> Result<HttpResponse, Problem> {
    if api.draining.load(Ordering::SeqCst) {
        return Err(Problem::new(Code::NotReady).detail("The server is stopping."));
    }
    // Migrations run before the server listens, so a database that answers is up to date.
    match api.store.read(accounts::any_user).await {
        Ok(_) => Ok(HttpResponse::Ok().json(json!({ "status": "ok" }))),
        Err(error) => Err(Problem::new(Code::NotReady).detail("The database does not answer.").caused_by(error)),
    }
}

/// The interactive documentation
#[utoipa::path(tag = "service", responses((status = 308, description = "It is at `/docs/`.")))]
#[get("/docs")]
async fn open_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}
