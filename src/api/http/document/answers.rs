//! The answers of an operation in the document: successes, errors, and the headers of both.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::examples::AnswerExamples;
use crate::api::http::messages::problem::Code;
use crate::api::http::operation::{Access, AnswerDocs, Docs, Operation, Run, Tagged};
use crate::domain::entity::Entity;
use crate::domain::scope::Role;
use crate::service::validation::views::{View, Views, pascal, reference_to};

/// The errors that an operation can answer with.
pub fn codes(
    operation: &Operation,
    docs: &Docs,
    mergeable: &BTreeSet<Entity>,
    parameters: &[Value],
) -> BTreeSet<&'static str> {
    let mut codes = vec![Code::Internal, Code::Busy, Code::UnsupportedEncoding];
    // A query string that cannot be read is refused also where none is taken.
    codes.extend([Code::UnknownParameter, Code::InvalidParameter]);
    codes.extend(&docs.errors);
    match &operation.access {
        Access::Public => {}
        Access::AnyToken => codes.extend([Code::Unauthenticated, Code::RateLimited]),
        Access::Scopes(scopes) => {
            codes.extend([Code::Unauthenticated, Code::RateLimited, Code::InsufficientScope]);
            if !scopes.iter().all(|scope| Role::Viewer.allows(scope)) {
                codes.push(Code::InsufficientRole);
            }
        }
    }
    if operation.is_limited_by_address() {
        codes.push(Code::RateLimited);
    }
    let writes_mergeable = |entity: &Entity| {
        let own = format!("/v1/{}", entity.segment());
        let is_parent = docs
            .request
            .as_ref()
            .and_then(|request| request.nested)
            .is_some_and(|(_, parent, _)| parent == *entity);
        is_parent || operation.path == own || operation.path == format!("{own}/{{id}}")
    };
    if operation.method != "GET" && mergeable.iter().any(writes_mergeable) {
        codes.push(Code::Merged);
    }
    if operation.path.contains('{') {
        codes.push(Code::NotFound);
    }
    let takes = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    if takes("cursor") {
        codes.push(Code::InvalidCursor);
    }
    if operation.reads_body {
        codes.extend([
            Code::BadRequest,
            Code::InvalidJson,
            Code::BodyTimeout,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::Invalid,
        ]);
    }
    // What the server tells of itself, it knows without the database.
    if docs.tag != "service" {
        codes.push(Code::DatabaseUnavailable);
    }
    if operation.method != "GET" {
        codes.push(Code::OutcomeUnknown);
    }
    if takes("Idempotency-Key") {
        codes.extend([Code::IdempotencyKeyReused, Code::TooManyStoredReplies, Code::ReplyTooLong]);
    } else if operation.method != "GET" {
        codes.push(Code::IdempotencyNotAllowed);
    }
    if creates_records(operation, docs) {
        codes.push(Code::LimitReached);
    }
    if takes("If-Match") {
        codes.push(Code::PreconditionFailed);
    }
    if operation.method == "PUT" {
        codes.push(Code::PreconditionRequired);
    }
    codes.into_iter().filter(|code| !UNREACHABLE.contains(code)).map(Code::as_str).collect()
}

/// Whether it answers with 201. An operation that creates other records along the way lists `LimitReached` itself.
fn creates_records(operation: &Operation, docs: &Docs) -> bool {
    matches!(operation.run, Run::Write(_)) && docs.answers.iter().any(|answer| answer.status == 201)
}

/// What cannot happen before an operation adds members to a workspace.
const UNREACHABLE: &[Code] = &[Code::InsufficientRole, Code::LastOwner];

/// The answers of 200 to 399.
pub fn successes(
    operation: &Operation,
    docs: &Docs,
    gets_merged: bool,
    answers: &AnswerExamples,
    views: &mut Views,
) -> Map<String, Value> {
    // A body of this schema, with the example of this name if there is one.
    let media = |schema: Value, example: &str| match answers.examples_of(example) {
        Some(examples) => json!({ "schema": schema, "examples": examples }),
        None => json!({ "schema": schema }),
    };
    let mut responses = Map::new();
    for answer in &docs.answers {
        let mut response = json!({
            "description": answer.description,
            "headers": success_headers(operation, docs, answer, gets_merged),
        });
        let mut content = Map::new();
        if let Some(schema) = &answer.schema {
            let name = views.make(&schema.name, View::Answer);
            let schema = json!({ "$ref": reference_to(&name) });
            content.insert("application/json".to_owned(), media(schema, &name));
        }
        if let Some(media_type) = answer.media_type {
            let schema = json!({ "type": "string", "contentMediaType": media_type });
            content.insert(media_type.to_owned(), media(schema, &operation.id));
        }
        if let (false, Some(object)) = (content.is_empty(), response.as_object_mut()) {
            object.insert("content".to_owned(), content.into());
        }
        responses.insert(answer.status.to_string(), response);
    }
    if operation.method == "GET" && docs.tagged != Tagged::Nothing {
        let headers = references(&[Some("ETag"), limited(operation), policy(operation), Some("X-Request-Id")]);
        responses.insert("304".to_owned(), json!({ "description": "Not modified.", "headers": headers }));
    }
    responses
}

fn limited(operation: &Operation) -> Option<&'static str> {
    (operation.is_limited_by_address() || operation.access != Access::Public).then_some("RateLimit")
}

fn policy(operation: &Operation) -> Option<&'static str> {
    limited(operation).map(|_| "RateLimit-Policy")
}

fn success_headers(operation: &Operation, docs: &Docs, answer: &AnswerDocs, gets_merged: bool) -> Value {
    let is_record = answer
        .schema
        .as_ref()
        .is_some_and(|schema| Entity::ALL.iter().any(|entity| schema.name == pascal(entity.as_str())));
    let is_operation = answer.status == 202 && answer.schema.is_some();
    let has_body = answer.status != 204;
    let is_view = docs.tagged == Tagged::View && operation.method == "GET";
    // A user is created by signing up.
    let is_sign_up = operation.path == "/v1/auth/register";
    let is_tagged =
        has_body && answer.status != 202 && (docs.tagged == Tagged::Record || is_record || is_view || is_sign_up);
    let writes_records = matches!(operation.run, Run::Write(_));
    let is_paged = docs.parameters.iter().any(|parameter| parameter.name == "cursor");
    let names = [
        (gets_merged, "Content-Location"),
        (is_tagged, "ETag"),
        (operation.takes_idempotency_key(), "Idempotent-Replayed"),
        (is_paged, "Link"),
        (matches!(answer.status, 201 | 308) || is_operation, "Location"),
        (limited(operation).is_some(), "RateLimit"),
        (limited(operation).is_some(), "RateLimit-Policy"),
        (writes_records || operation.path == "/v1/batch", "Wellmet-Write"),
        (true, "X-Request-Id"),
    ];
    references(&names.map(|(has, name)| has.then_some(name)))
}

fn references(names: &[Option<&str>]) -> Value {
    let reference = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().flatten().map(|name| reference(name)).collect())
}

/// The answers of 400 and above.
pub fn problems(operation: &Operation, codes: &BTreeSet<&'static str>) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes.iter().filter_map(|code| Code::parse(code)) {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), problem(operation, status, &codes))).collect()
}

fn problem(operation: &Operation, status: u16, codes: &[Code]) -> Value {
    let description: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            let name = code.as_str();
            (name.to_owned(), json!({ "$ref": format!("#/components/examples/{name}") }))
        })
        .collect();
    let challenges = status == 401 || codes.contains(&Code::InsufficientScope);
    let is_limited = limited(operation).is_some() && status != 401;
    let names = [
        (operation.method == "PATCH" && status == 415, "Accept-Patch"),
        (status == 412, "ETag"),
        (is_limited || operation.is_limited_by_address(), "RateLimit"),
        (is_limited || operation.is_limited_by_address(), "RateLimit-Policy"),
        (matches!(status, 429 | 503), "Retry-After"),
        (challenges, "WWW-Authenticate"),
        (true, "X-Request-Id"),
    ];
    json!({
        "description": description.join(" "),
        "headers": references(&names.map(|(has, name)| has.then_some(name))),
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples,
        }},
    })
}

/// The headers of answers: name, whether it is always there, JSON type, description.
const HEADERS: &[(&str, bool, &str, &str)] = &[
    ("Accept-Patch", false, "string", "The media types of a PATCH, if that of the body is none of them."),
    ("Content-Location", false, "string", "The URL of the returned record, if it was merged and has another id."),
    ("ETag", true, "string", "The current version, for `If-Match` and `If-None-Match`."),
    (
        "Idempotent-Replayed",
        false,
        "string",
        "`true` if the request was carried out before, under the same Idempotency-Key.",
    ),
    ("Link", false, "string", "The URL of the next page, as `<…>; rel=\"next\"`. Absent on the last page."),
    ("Location", true, "string", "The canonical URL of the created record, or the URL to go to."),
    (
        "RateLimit",
        false,
        "string",
        "The remaining requests: `\"<policy>\";r=<left>`. Absent if the server sets no limits.",
    ),
    (
        "RateLimit-Policy",
        false,
        "string",
        "The limit: `\"<policy>\";q=<requests>;w=<seconds>`. Absent if the server sets no limits.",
    ),
    ("Retry-After", true, "integer", "The seconds after which to try again."),
    (
        "Wellmet-Write",
        false,
        "integer",
        "The number of this write: `POST /v1/changes/{version}/revert` reverts it. Absent if nothing changed.",
    ),
    (
        "WWW-Authenticate",
        false,
        "string",
        "How to authenticate: `Bearer`, with the error if a token was sent, and with the scope if the token lacks one.",
    ),
    ("X-Request-Id", true, "string", "Identifies this request in the server's log."),
];

pub fn headers() -> Value {
    let header = |(name, required, kind, description): &(&str, bool, &str, &str)| {
        let schema = json!({ "type": kind });
        ((*name).to_owned(), json!({ "required": required, "description": description, "schema": schema }))
    };
    Value::Object(HEADERS.iter().map(header).collect())
}
