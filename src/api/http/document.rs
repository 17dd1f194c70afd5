//! The OpenAPI document: collected from the handlers, then completed by rule, so that no handler repeats what holds for
//! all of them. Requests, patches and answers of a record are three views of one struct.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and makes what it writes"
)]

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::{RefOr, Schema};

use super::body::MAX_BODY_BYTES;
use super::etag::SCHEMA_REVISION;
use super::gate::Access;
use super::listing::Collection;
use super::problem::{Code, Problem};
use super::records::MAX_KEY_CHARACTERS;
use crate::domain::entity::{Entity, REFERENCES, reference};
use crate::domain::scope::{Role, SCOPES};
use crate::store::relations::summary_fields;

/// Completes what utoipa has collected.
pub fn complete(
    collected: &utoipa::openapi::OpenApi,
    collections: &[&Collection],
) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(collected)?;
    let mut schemas = take_schemas(&mut document);
    schemas.values_mut().for_each(flatten_all_of);
    let plain = schemas.clone();
    let resolved: Map<String, Value> =
        plain.iter().map(|(name, schema)| (name.clone(), merged(schema, &plain))).collect();

    let mut views = Views { plain: resolved, made: BTreeMap::new() };
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let mut finished = Map::new();
    for (path, item) in paths {
        let mut methods = Map::new();
        for (method, mut operation) in item.as_object().cloned().unwrap_or_default() {
            complete_operation(&path, &method, &mut operation, collections, &mut views);
            methods.insert(method, operation);
        }
        finished.insert(path, Value::Object(methods));
    }
    document["paths"] = Value::Object(finished);
    add_summaries(collections, &mut views.made);
    views.make("Problem", View::Answer);
    if let Some(problem) = views.made.get_mut("Problem") {
        // `errors` and `left_alone` come with some codes only.
        problem["required"] = json!(["type", "title", "status", "detail", "instance", "code"]);
    }
    document["components"]["schemas"] = views.made.into_iter().collect::<Map<_, _>>().into();
    document["components"]["examples"] = problem_examples();
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
            page["required"] = json!(["items", "next_cursor"]);
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

/// A schema that is written by hand, where no struct tells it.
pub fn written(schema: Value) -> RefOr<Schema> {
    // One that cannot be read is one that the contract test finds empty.
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

fn take_schemas(document: &mut Value) -> Map<String, Value> {
    document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .map(std::mem::take)
        .unwrap_or_default()
}

/// `#[serde(flatten)]` is collected as `allOf`; one object is easier to read and can be closed.
fn merged(schema: &Value, all: &Map<String, Value>) -> Value {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return schema.clone() };
    let mut out = json!({ "type": "object" });
    if let Some(description) = schema.get("description") {
        out["description"] = description.clone();
    }
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let target = part.get("$ref").and_then(Value::as_str).and_then(|reference| all.get(name_of(reference)));
        let part = merged(target.unwrap_or(part), all);
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    out["properties"] = properties.into();
    out["required"] = required.into();
    out
}

/// An inlined schema with a description beside it is collected as `allOf` of the two; it is one.
fn flatten_all_of(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(flatten_all_of);
            let is_plain = |part: &Value| part.get("$ref").is_none() && part.get("properties").is_none();
            if let Some(Value::Array(parts)) = object.get("allOf")
                && parts.iter().all(is_plain)
            {
                let parts = parts.clone();
                object.remove("allOf");
                parts
                    .into_iter()
                    .filter_map(|part| part.as_object().cloned())
                    .for_each(|part| object.extend(part));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(flatten_all_of),
        _ => {}
    }
}

fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The name of what is entered of a record under another: the input of its kind without the field that the path tells.
pub fn nested_input(entity: Entity, parent: Entity) -> String {
    format!("{}{}Input", pascal(parent.as_str()), pascal(entity.as_str()))
}

/// The field of a record that says what it belongs to.
pub fn parent_field(entity: Entity, parent: Entity) -> Option<&'static str> {
    reference(entity, parent).and_then(|reference| reference.pointer.strip_prefix('/'))
}

/// The kind of record that `/v1/contacts/{id}/needs` lists and makes, and the kind it belongs to.
fn nested(path: &str) -> Option<(Entity, Entity)> {
    let (parent, own) = path.strip_prefix("/v1/")?.split_once("/{id}/")?;
    let kind = |segment: &str| Entity::ALL.iter().copied().find(|entity| entity.segment() == segment);
    Some((kind(own)?, kind(parent)?))
}

/// How a schema is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// Everything present, enumerations open.
    Answer,
    /// Closed, without what is the server's.
    Input,
    /// Closed, nothing required, everything nullable.
    Patch,
}

/// Makes the views that are asked for, and those they refer to.
struct Views {
    plain: Map<String, Value>,
    made: BTreeMap<String, Value>,
}

impl Views {
    /// The name of the schema in this view.
    fn make(&mut self, name: &str, view: View) -> String {
        let Some(schema) = self.plain.get(name).cloned() else { return name.to_owned() };
        let differs = schema.get("properties").is_some() || schema.get("enum").is_some();
        let base = name.strip_suffix("Fields").unwrap_or(name);
        let own = match view {
            _ if !differs => name.to_owned(),
            View::Answer => name.to_owned(),
            View::Input | View::Patch if schema.get("enum").is_some() => format!("{base}Input"),
            View::Input => format!("{base}Input"),
            View::Patch => format!("{base}Patch"),
        };
        if self.made.contains_key(&own) {
            return own;
        }
        // Named before it is made, for schemas that refer to themselves.
        self.made.insert(own.clone(), Value::Null);
        let mut seen = schema;
        self.look(&mut seen, view);
        let entity = Entity::ALL.iter().find(|entity| pascal(entity.as_str()) == base);
        if let Some(entity) = entity.filter(|_| name.ends_with("Fields")) {
            tell_limits(*entity, &mut seen);
            if view == View::Input {
                seen["properties"]["id"] = json!({
                    "type": ["string", "null"], "format": "uuid", "x-entity": entity,
                    "description": "The record's id, if you choose it (any RFC 9562 UUID); null: the server makes one.",
                });
            }
        }
        if view == View::Patch && seen["properties"].get("tags").is_some() {
            let tags = seen["properties"]["tags"].clone();
            for (field, what) in [
                ("add_tags", "Tags to add to those it has."),
                ("remove_tags", "Tags to remove from those it has."),
            ] {
                let mut schema = tags.clone();
                schema["description"] = json!(format!("{what} Not together with `tags`."));
                seen["properties"][field] = schema;
            }
        }
        self.made.insert(own.clone(), seen);
        own
    }

    /// What is entered under a parent: the name of its schema.
    fn make_nested(&mut self, entity: Entity, parent: Entity) -> Option<String> {
        let whole = self.make(&format!("{}Fields", pascal(entity.as_str())), View::Input);
        let (field, mut schema) = (parent_field(entity, parent)?, self.made.get(&whole)?.clone());
        schema["properties"].as_object_mut()?.remove(field);
        if let Some(required) = schema["required"].as_array_mut() {
            required.retain(|name| name != field);
        }
        let own = nested_input(entity, parent);
        self.made.insert(own.clone(), schema);
        Some(own)
    }

    fn look(&mut self, schema: &mut Value, view: View) {
        match schema {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str).map(str::to_owned) {
                    let name = self.make(name_of(&reference), view);
                    object.insert("$ref".to_owned(), json!(format!("#/components/schemas/{name}")));
                }
                if let Some(Value::String(fields)) = object.remove("x-patch-of") {
                    let name = self.make(&fields, View::Patch);
                    object.remove("type");
                    let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
                    object.insert("oneOf".to_owned(), json!([{ "type": "null" }, reference]));
                    return;
                }
                if view == View::Answer
                    && let Some(words) = object.remove("enum")
                {
                    object.insert("x-extensible-enum".to_owned(), words);
                }
                let is_object = object.get("properties").is_some_and(Value::is_object);
                if is_object {
                    self.look_at_object(object, view);
                } else if is_free_object(object) {
                    object.insert("additionalProperties".to_owned(), json!(true));
                }
                for (key, member) in object.iter_mut() {
                    match key.as_str() {
                        // A list is replaced whole, so what it holds has to be whole.
                        "items" if view == View::Patch => self.look(member, View::Input),
                        "additionalProperties" if view == View::Patch => {
                            self.look(member, view);
                            if member.is_object() {
                                nullable(member);
                            }
                        }
                        "items" | "additionalProperties" | "oneOf" | "anyOf" => self.look(member, view),
                        _ => {}
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.look(item, view)),
            _ => {}
        }
    }

    fn look_at_object(&mut self, object: &mut Map<String, Value>, view: View) {
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        if view != View::Answer {
            properties.retain(|_, property| property.get("readOnly") != Some(&Value::Bool(true)));
        }
        for property in properties.values_mut() {
            self.look(property, view);
            if view == View::Patch {
                nullable(property);
            }
        }
        let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        for (name, property) in properties.iter_mut() {
            // What has to be there has no default; and what is written has none either. That nothing stands for nothing
            // goes without saying, and makes generated clients ask for it.
            let is_nothing = match property.get("default") {
                Some(Value::Null) => true,
                Some(Value::Array(items)) => items.is_empty(),
                Some(Value::Object(members)) => members.is_empty(),
                _ => false,
            };
            if is_nothing || view != View::Input || required.iter().any(|required| required == name) {
                property.as_object_mut().and_then(|property| property.remove("default"));
            }
        }
        let names: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
        match view {
            View::Answer => {
                object.insert("required".to_owned(), names.into());
            }
            View::Input => {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            View::Patch => {
                object.remove("required");
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }
}

/// How many records may refer to one is told where they do.
fn tell_limits(entity: Entity, schema: &mut Value) {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let (Some(most), Some(field)) = (reference.most, reference.pointer.strip_prefix('/')) else { continue };
        let property = &mut schema["properties"][field];
        let told = property["description"].as_str().unwrap_or_default();
        property["description"] =
            json!(format!("{told} At most {most} {} may name the same one.", entity.plural()));
    }
}

/// An object of which nothing is said may hold anything; said outright, for generators that take it for empty.
fn is_free_object(object: &Map<String, Value>) -> bool {
    let kind = object.get("type");
    let is_object = kind == Some(&json!("object")) || kind == Some(&json!(["object", "null"]));
    is_object && !object.contains_key("additionalProperties")
}

fn pascal(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('_').map(upper).collect()
}

fn nullable(schema: &mut Value) {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        if kind != "null" {
            schema["type"] = json!([kind, "null"]);
        }
    } else if let Some(reference) = schema.get("$ref").cloned() {
        let description = schema.get("description").cloned();
        *schema = json!({ "oneOf": [{ "type": "null" }, { "$ref": reference }] });
        if let Some(description) = description {
            schema["description"] = description;
        }
    }
}

fn complete_operation(
    path: &str,
    method: &str,
    operation: &mut Value,
    collections: &[&Collection],
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
    if path.starts_with("/v1/auth/") {
        codes.insert("rate_limited");
    }
    if path.contains('{') {
        codes.insert("not_found");
    }
    codes.insert("unknown_parameter");
    if parameters.iter().any(|parameter| parameter["in"] == "query") {
        codes.insert("invalid_parameter");
    }
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
            codes.extend([code, "invalid_parameter"]);
        }
    }
    if method == "post" && !parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
        codes.insert("idempotency_not_allowed");
    }
    if method == "put" {
        codes.insert("precondition_required");
    }

    complete_answers(path, operation, method, tagged, views);
    add_problems(operation, &codes);
    operation["parameters"] = parameters.into();
    if has_body {
        operation["requestBody"]["required"] = json!(true);
        let limit = format!("One JSON object of at most {MAX_BODY_BYTES} bytes and 64 levels.");
        operation["requestBody"]["description"] = json!(limit);
    }
}

/// What is read of the whole workspace beside its lists, and carries the weak ETag that they do.
const VIEWS: &[&str] = &["/v1/changes", "/v1/needs/matches", "/v1/profile/review", "/v1/search"];

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

fn complete_answers(path: &str, operation: &mut Value, method: &str, tagged: Tagged, views: &mut Views) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    // A user is made by signing up, everything else where a list of its kind is.
    let is_list = is_record_path(&format!("{path}/{{id}}")) || nested(path).is_some();
    let makes_record = path == "/v1/auth/register" || is_list;
    let is_tagged = |status: &str| match status {
        "201" => tagged.record || makes_record,
        "204" => false,
        _ => tagged.record || tagged.list && method == "get",
    };
    for (status, response) in responses.iter_mut() {
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) {
            content.values_mut().for_each(|media| views.look(&mut media["schema"], View::Answer));
        }
        let mut headers = json!({
            "X-Request-Id": { "description": "Names this request in the server's log.", "schema": { "type": "string" } },
        });
        if status == "201" {
            headers["Location"] =
                json!({ "description": "The canonical URL of what was made.", "schema": { "type": "string" } });
        }
        if is_tagged(status) {
            headers["ETag"] =
                json!({ "description": "The version of what is answered.", "schema": { "type": "string" } });
        }
        response["headers"] = headers;
    }
    if method == "get" && (tagged.record || tagged.list) {
        responses.insert("304".to_owned(), json!({ "description": "Nothing has changed since." }));
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
