//! The OpenAPI document: collected from the handlers, then completed by rule, so that no handler repeats what holds for
//! all of them. The schemas are made in `views.rs`.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and makes what it writes"
)]

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::{RefOr, Schema};

use super::body::{MAX_BATCH_VALUES, MAX_BODY_BYTES, MAX_DEPTH, MAX_VALUES};
use super::etag::SCHEMA_REVISION;
use super::gate::Access;
use super::listing::Collection;
use super::problem::{Code, Problem};
use super::replies::MAX_KEY_CHARACTERS;
use super::views::{
    View, Views, flatten_all_of, hoist_descriptions, limits_of, merged, name_of, nested, pascal, written,
};
use crate::domain::count::thousands;
use crate::domain::entity::Entity;
use crate::domain::scope::{Role, SCOPES};
use crate::store::relations::summary_fields;

/// Completes what utoipa has collected.
pub fn complete(
    collected: &utoipa::openapi::OpenApi,
    collections: &[&Collection],
) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(collected)?;
    let mut schemas = take_schemas(&mut document);
    for schema in schemas.values_mut() {
        flatten_all_of(schema);
        hoist_descriptions(schema);
    }
    let plain = schemas.clone();
    let resolved: Map<String, Value> =
        plain.iter().map(|(name, schema)| (name.clone(), merged(schema, &plain))).collect();

    let mut views = Views { plain: resolved, made: BTreeMap::new() };
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let mergeable: Vec<Entity> =
        Entity::ALL.iter().copied().filter(|entity| paths.contains_key(&merge_path(*entity))).collect();
    let mut finished = Map::new();
    for (path, item) in paths {
        let mut methods = Map::new();
        for (method, mut operation) in item.as_object().cloned().unwrap_or_default() {
            complete_operation(&path, &method, &mut operation, collections, &mergeable, &mut views);
            let limits = made(&path, &method).map(limits_of).unwrap_or_default();
            if !limits.is_empty() {
                tell(&mut operation, &limits.join(" "));
            }
            let read = collections.iter().find(|collection| operation["operationId"] == collection.get);
            if read.is_some_and(|collection| mergeable.contains(&collection.entity)) {
                tell_of_merging(&mut operation);
            }
            methods.insert(method, operation);
        }
        finished.insert(path, Value::Object(methods));
    }
    document["paths"] = Value::Object(finished);
    add_summaries(collections, &mut views.made);
    views.make("Problem", View::Answer);
    if let Some(problem) = views.made.get_mut("Problem") {
        // `errors`, `left_alone` and `record` come with some codes only.
        problem["required"] = json!(["type", "title", "status", "detail", "instance", "code"]);
    }
    document["components"]["schemas"] = views.made.into_iter().collect::<Map<_, _>>().into();
    document["components"]["examples"] = problem_examples();
    document["components"]["headers"] =
        HEADERS.iter().map(|header| (header.name.to_owned(), header.json())).collect();
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer",
        "description": format!(
            "An access token (a JWT, valid for 15 minutes) or a personal access token (`wm_pat_…`). Scopes: {}.",
            SCOPES.join(", ")
        ),
    }});
    document["info"]["x-schema-revision"] = json!(SCHEMA_REVISION);
    Ok(document)
}

/// What is published of it: without the components that no operation leads to. Some of them bodies are checked against
/// within.
pub fn published(mut document: Value) -> Value {
    let (mut open, mut met) = (Vec::new(), BTreeSet::new());
    references(&document["paths"], &mut open);
    while let Some(reference) = open.pop() {
        if met.insert(reference.clone())
            && let Some(target) = document.pointer(reference.trim_start_matches('#'))
        {
            references(target, &mut open);
        }
    }
    for kind in ["examples", "headers", "schemas"] {
        if let Some(components) = document["components"][kind].as_object_mut() {
            components.retain(|name, _| met.contains(&format!("#/components/{kind}/{name}")));
        }
    }
    document
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The summary of each kind of record, where it can stand, and what `include` adds.
fn add_summaries(collections: &[&Collection], schemas: &mut BTreeMap<String, Value>) {
    for collection in collections {
        let name = pascal(collection.entity.as_str());
        let Some(whole) = schemas.get(&name).cloned() else { continue };
        let fields = ["id"].iter().chain(summary_fields(collection.entity));
        let properties: Map<String, Value> = fields
            .filter_map(|field| Some(((*field).to_owned(), whole["properties"].get(*field)?.clone())))
            .collect();
        let required: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
        let summary = json!({
            "type": "object", "description": "The few fields that a card needs.",
            "properties": properties, "required": required,
        });
        schemas.insert(format!("{name}Summary"), summary);
        if let Some(page) = schemas.get_mut(&format!("{name}Page")) {
            page["properties"]["items"]["items"] = json!({ "anyOf": [
                { "$ref": format!("#/components/schemas/{name}") },
                { "$ref": format!("#/components/schemas/{name}Summary") },
            ]});
            page["required"] = json!(["items", "next_cursor", "etag_prefix"]);
        }
    }
    for collection in collections {
        for relation in collection.relations {
            let summary = format!("{}Summary", pascal(relation.link.entity().as_str()));
            let mut schema = Collection::relation_schema(relation.link, &summary);
            schema["description"] =
                json!(format!("{} With `include={}` only.", relation.description, relation.name));
            let own = pascal(collection.entity.as_str());
            for shown in [own.clone(), format!("{own}Summary")] {
                if let Some(shown) = schemas.get_mut(&shown) {
                    shown["properties"][relation.name] = schema.clone();
                }
            }
        }
    }
}

/// The schema of the summary of a record of any of these kinds.
pub fn summary_of_any(entities: &[Entity]) -> RefOr<Schema> {
    let summaries: Vec<Value> = entities
        .iter()
        .map(|entity| json!({ "$ref": format!("#/components/schemas/{}Summary", pascal(entity.as_str())) }))
        .collect();
    written(json!({ "anyOf": summaries, "description": "The few fields that a card needs." }))
}

fn take_schemas(document: &mut Value) -> Map<String, Value> {
    document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .map(std::mem::take)
        .unwrap_or_default()
}

/// Adds a paragraph to what is told of an operation.
fn tell(operation: &mut Value, more: &str) {
    let own = operation["description"].as_str().map(|own| format!("{own}\n\n{more}"));
    operation["description"] = json!(own.unwrap_or_else(|| more.to_owned()));
}

/// Tells of the operation that reads a record that others of its kind can be merged into it.
fn tell_of_merging(operation: &mut Value) {
    let rule = "Under the id of one that was merged into another, the one that was kept, with its own id; \
                `Content-Location` tells where.";
    tell(operation, rule);
    operation["responses"]["200"]["headers"]["Content-Location"] = header_reference("Content-Location");
}

/// The kind of record that an operation makes.
fn made(path: &str, method: &str) -> Option<Entity> {
    let list = match method {
        "post" => path,
        "put" => path.strip_suffix("/{id}")?,
        _ => return None,
    };
    let own = Entity::ALL.iter().copied().find(|entity| list == format!("/v1/{}", entity.segment()));
    own.or_else(|| nested(list).map(|(entity, _)| entity))
}

fn complete_operation(
    path: &str,
    method: &str,
    operation: &mut Value,
    collections: &[&Collection],
    mergeable: &[Entity],
    views: &mut Views,
) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let patch = method == "patch";
    let is_secured =
        operation.get("security").is_some_and(|security| security.as_array().is_some_and(|all| !all.is_empty()));
    let has_body = operation.get("requestBody").is_some();
    let mut parameters: Vec<Value> = path_parameters(path);
    let documented = operation["parameters"].as_array().cloned().unwrap_or_default();
    for mut parameter in documented.into_iter().filter(|parameter| parameter["in"] != "path") {
        match parameter["name"].as_str() {
            Some("entity") => parameter["schema"]["enum"] = json!(Entity::ALL),
            Some("types") => {
                let found = collections.iter().filter(|collection| collection.searchable);
                let words: Vec<Entity> = found.map(|collection| collection.entity).collect();
                parameter["schema"] = json!({
                    "type": "array", "maxItems": words.len(), "items": { "type": "string", "enum": words },
                });
            }
            _ => {}
        }
        parameters.push(parameter);
    }
    let collection = collections.iter().find(|collection| collection.lists.contains(&id.as_str()));
    parameters.extend(collection.into_iter().flat_map(|collection| collection.parameters()));
    let own = collections.iter().find(|collection| collection.get == id);
    parameters.extend(own.and_then(|collection| collection.include_parameter()));
    let tagged = Tagged {
        record: is_record_path(path),
        list: VIEWS.contains(&path) || parameters.iter().any(|parameter| parameter["name"] == "cursor"),
    };
    parameters.extend(header_parameters(path, method, is_secured, tagged));
    for parameter in parameters.iter_mut().filter(|parameter| parameter["schema"]["type"] == "array") {
        let example = parameter.get("example").filter(|example| !example.is_array()).cloned();
        if let Some(one) = example {
            parameter["example"] = json!([one]);
        }
    }

    if let Some(content) = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut) {
        for media in content.values_mut() {
            let view = if patch { View::Patch } else { View::Input };
            views.look(&mut media["schema"], view);
            if let Some(own) = nested(path).and_then(|(entity, parent)| views.make_nested(entity, parent)) {
                media["schema"]["$ref"] = json!(format!("#/components/schemas/{own}"));
            }
            if patch {
                // The merged record is checked as a whole.
                let reference = media["schema"]["$ref"].as_str().unwrap_or_default();
                let whole = name_of(reference).trim_end_matches("Patch").to_owned();
                views.make(&format!("{whole}Fields"), View::Input);
            }
        }
        if patch && let Some(json) = content.get("application/json").cloned() {
            content.insert("application/merge-patch+json".to_owned(), json);
        }
    }

    let mut codes: BTreeSet<&str> = BTreeSet::from(["internal", "busy"]);
    let mut named = |name: &str| -> Vec<String> {
        let own = operation.as_object_mut().and_then(|operation| operation.remove(name));
        own.and_then(|own| serde_json::from_value(own).ok()).unwrap_or_default()
    };
    let own = [named("x-errors"), named("x-conflicts")].concat();
    codes.extend(own.iter().map(String::as_str));
    if is_secured {
        codes.extend(["unauthenticated", "rate_limited"]);
        if let Access::Scope(scope) = Access::of(operation) {
            codes.insert("insufficient_scope");
            if !Role::Viewer.allows(&scope) {
                codes.insert("insufficient_role");
            }
        }
    }
    if method != "get" && mergeable.iter().any(|entity| writes_one_of(*entity, path)) {
        codes.insert("merged");
    }
    if path.starts_with("/v1/auth/") {
        codes.insert("rate_limited");
    }
    if path.contains('{') {
        codes.insert("not_found");
    }
    // A query string that cannot be read is refused also where none is taken.
    codes.extend(["unknown_parameter", "invalid_parameter"]);
    if parameters.iter().any(|parameter| parameter["name"] == "cursor") {
        codes.insert("invalid_cursor");
    }
    // A verb that takes no fields reads a body all the same, to refuse those that come.
    if has_body || method == "post" {
        codes.extend(["invalid_json", "body_timeout", "body_too_large", "unsupported_media_type", "invalid"]);
    }
    codes.insert("unsupported_content_encoding");
    for (header, code) in [("Idempotency-Key", "idempotency_key_reused"), ("If-Match", "precondition_failed")] {
        if parameters.iter().any(|parameter| parameter["name"] == header) {
            codes.insert(code);
        }
    }
    if method == "post" && !parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
        codes.insert("idempotency_not_allowed");
    }
    if method == "put" {
        codes.insert("precondition_required");
    }

    if !is_secured {
        operation["security"] = json!([]);
    }
    complete_answers(operation, method, tagged, views);
    add_problems(operation, &codes);
    operation["parameters"] = parameters.into();
    add_headers(path, method, operation, tagged);
    if has_body {
        operation["requestBody"]["required"] = json!(true);
        let limit = format!(
            "One JSON object of at most {} bytes, {} values and {MAX_DEPTH} levels.",
            thousands(MAX_BODY_BYTES),
            thousands(if path == "/v1/batch" { MAX_BATCH_VALUES } else { MAX_VALUES })
        );
        operation["requestBody"]["description"] = json!(limit);
    }
}

/// What is read of the whole workspace beside its lists, and carries the weak ETag that they do.
const VIEWS: &[&str] = &["/v1/changes", "/v1/needs/matches", "/v1/profile/review", "/v1/search"];

fn merge_path(entity: Entity) -> String {
    format!("/v1/{}/merge", entity.segment())
}

/// Whether writing there names a record of this kind, which may have been merged: itself, or as what another belongs to.
fn writes_one_of(entity: Entity, path: &str) -> bool {
    let own = format!("/v1/{}", entity.segment());
    let is_parent = nested(path).is_some_and(|(_, parent)| parent == entity);
    is_parent || path == own || path == format!("{own}/{{id}}")
}

/// `/v1/contacts/{id}` and `/v1/me`: what has a strong ETag of its own.
fn is_record_path(path: &str) -> bool {
    path == "/v1/me" || Entity::ALL.iter().any(|entity| path == format!("/v1/{}/{{id}}", entity.segment()))
}

fn path_parameters(path: &str) -> Vec<Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut parameters = Vec::new();
    for pair in segments.windows(2) {
        let [before, own] = pair else { continue };
        let Some(name) = own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) else { continue };
        let (description, schema) = match name {
            "version" => (
                "The number of a change.".to_owned(),
                json!({ "type": "integer", "format": "int64", "minimum": 1 }),
            ),
            "code" => {
                let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
                ("A code of the catalog.".to_owned(), json!({ "type": "string", "enum": codes }))
            }
            _ => {
                let noun = before.trim_end_matches('s').replace('-', "_");
                let entity = Entity::ALL.iter().copied().find(|entity| entity.segment() == *before);
                let noun = entity.map_or(noun, |entity| entity.as_str().to_owned());
                (
                    format!("The id of the {}.", noun.replace('_', " ")),
                    json!({ "type": "string", "format": "uuid", "x-entity": noun }),
                )
            }
        };
        parameters.push(
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema }),
        );
    }
    parameters
}

/// What answers of an operation carry an ETag.
#[derive(Debug, Clone, Copy)]
struct Tagged {
    /// One record, with a strong one.
    record: bool,
    /// A list, with a weak one.
    list: bool,
}

fn header_parameters(path: &str, method: &str, is_secured: bool, tagged: Tagged) -> Vec<Value> {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema });
    let any = || json!({ "type": "string" });
    let mut headers = Vec::new();
    let holds_secrets = path.starts_with("/v1/auth/") || (path == "/v1/tokens" && method == "post");
    if matches!(method, "post" | "patch") && is_secured && !holds_secrets {
        headers.push(header(
            "Idempotency-Key",
            "A name of your choice for this request. The same request under the same key within 24 hours gets the same \
             answer, with `Idempotent-Replayed: true`, and is carried out once.",
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS }),
        ));
    }
    if tagged.record && matches!(method, "patch" | "put" | "delete") {
        headers.push(header("If-Match", "The ETag you know; 412 when the record has changed since.", any()));
    }
    if tagged.record && method == "put" {
        headers.push(header("If-None-Match", "`*` creates the record, and only if it does not exist.", any()));
    }
    if method == "get" && (tagged.record || tagged.list) {
        headers.push(header("If-None-Match", "An ETag you know; 304 when nothing has changed since.", any()));
    }
    headers
}

fn complete_answers(operation: &mut Value, method: &str, tagged: Tagged, views: &mut Views) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for response in responses.values_mut() {
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) {
            content.values_mut().for_each(|media| views.look(&mut media["schema"], View::Answer));
        }
    }
    if method == "get" && (tagged.record || tagged.list) {
        responses.insert("304".to_owned(), json!({ "description": "Nothing has changed since." }));
    }
}

/// A header of answers.
struct Header {
    name: &'static str,
    /// Whether every answer that documents it has it.
    required: bool,
    kind: &'static str,
    description: &'static str,
}

impl Header {
    fn json(&self) -> Value {
        json!({ "required": self.required, "description": self.description, "schema": { "type": self.kind } })
    }
}

const fn always(name: &'static str, description: &'static str) -> Header {
    Header { name, required: true, kind: "string", description }
}

const fn sometimes(name: &'static str, description: &'static str) -> Header {
    Header { name, required: false, kind: "string", description }
}

/// The headers that an answer may be told with, for the operations to refer to.
const HEADERS: &[Header] = &[
    sometimes("Accept-Patch", "The media types of a PATCH, where that of the body is none of them."),
    sometimes(
        "Content-Location",
        "The URL of the record that is answered, where it was merged and is under another id.",
    ),
    always("ETag", "The version of what is there now, for `If-Match` and `If-None-Match`."),
    sometimes(
        "Idempotent-Replayed",
        "`true` where the request was carried out before, under the same Idempotency-Key.",
    ),
    sometimes("Link", "The URL of the next page, as `<…>; rel=\"next\"`; absent on the last one."),
    always("Location", "The canonical URL of what was made, or of where to go."),
    sometimes(
        "RateLimit",
        "How many requests are left: `\"<policy>\";r=<left>`. Absent where the server limits nothing.",
    ),
    sometimes(
        "RateLimit-Policy",
        "How many requests there may be: `\"<policy>\";q=<requests>;w=<seconds>`. Absent where the server limits nothing.",
    ),
    Header { kind: "integer", ..always("Retry-After", "The seconds after which to come again.") },
    always("WWW-Authenticate", "How to authenticate: `Bearer`, with the error where a token was sent."),
    always("X-Request-Id", "Names this request in the server's log."),
];

fn header_reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Whether an answer is one record, whole.
fn answers_record(response: &Value) -> bool {
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    schema.map(name_of).is_some_and(|name| Entity::ALL.iter().any(|entity| name == pascal(entity.as_str())))
}

/// Which headers each answer has.
fn add_headers(path: &str, method: &str, operation: &mut Value, tagged: Tagged) {
    let takes = |name: &str| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["name"] == name).count() > 0
    };
    let (is_replayed, is_paged) = (takes("Idempotency-Key"), takes("cursor"));
    let is_public = Access::of(operation) == Access::Public;
    let is_login = path.starts_with("/v1/auth/");
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses.iter_mut() {
        let is_good = status.starts_with('2');
        let is_tagged = match status.as_str() {
            "204" => false,
            "304" | "412" => true,
            // A user is made by signing up.
            "201" if path == "/v1/auth/register" => true,
            _ => is_good && (tagged.record || answers_record(response) || tagged.list && method == "get"),
        };
        let names = [
            (method == "patch" && status == "415", "Accept-Patch"),
            (is_tagged, "ETag"),
            (is_good && is_replayed, "Idempotent-Replayed"),
            (is_good && is_paged, "Link"),
            (matches!(status.as_str(), "201" | "308"), "Location"),
            (is_login || !is_public && status != "401", "RateLimit"),
            (is_login || !is_public && status != "401", "RateLimit-Policy"),
            (matches!(status.as_str(), "429" | "503"), "Retry-After"),
            (status == "401", "WWW-Authenticate"),
            (true, "X-Request-Id"),
        ];
        let has = names.into_iter().filter(|(has, _)| *has);
        let mut headers: Map<String, Value> =
            has.map(|(_, name)| (name.to_owned(), header_reference(name))).collect();
        let lacks_scope = response.pointer("/content/application~1problem+json/examples/insufficient_scope");
        if lacks_scope.is_some() {
            let told = sometimes(
                "WWW-Authenticate",
                "The scope that is needed, where it is a scope that the token lacks.",
            );
            headers.insert(told.name.to_owned(), told.json());
        }
        response["headers"] = headers.into();
    }
}

/// A problem of each code, for the operations to refer to.
fn problem_examples() -> Value {
    let example = |code: &Code| {
        let body = Problem::new(*code).to_json(Some("urn:uuid:01939d5e-8c00-7000-8000-0000000000ff"));
        (code.as_str().to_owned(), json!({ "value": body }))
    };
    Code::ALL.iter().map(example).collect::<Map<_, _>>().into()
}

fn add_problems(operation: &mut Value, codes: &BTreeSet<&str>) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes.iter().filter_map(|code| Code::parse(code)) {
        by_status.entry(code.status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let description: Vec<String> =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| {
                let name = code.as_str();
                (name.to_owned(), json!({ "$ref": format!("#/components/examples/{name}") }))
            })
            .collect();
        operation["responses"][status.to_string()] = json!({
            "description": description.join(" "),
            "content": { "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples,
            }},
        });
    }
}
