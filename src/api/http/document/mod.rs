//! The OpenAPI document, made from the table of operations. What holds for all operations of a kind is added here, so that
//! none of them repeats it.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and creates what it writes"
)]

mod answers;
mod bounds;
mod examples;
mod share;

pub use bounds::NO_NUL;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use self::examples::AnswerExamples;
use super::messages::body::{MAX_BATCH_VALUES, MAX_BODY_BYTES, MAX_DEPTH, MAX_VALUES};
use super::messages::etag::{MAX_TAGS_CHARACTERS, SCHEMA_REVISION};
use super::messages::problem::{Code, ProblemOut};
use super::operation::{Access, Docs, Operation, RequestDocs, Tagged};
use super::parameter::Parameter;
use super::router::MAX_KEY_CHARACTERS;
use crate::domain::count::thousands;
use crate::domain::entity::Entity;
use crate::domain::reference::REFERENCES;
use crate::domain::scope::SCOPES;
use crate::service::validation::views::{View, Views, collect, limits_of, pascal, reference_to};
use crate::store::relations::{Link, MAX_RELATED, Relation, summary_fields};

/// What the document says about the API as a whole.
pub struct Overview {
    pub title: &'static str,
    pub description: &'static str,
    /// What the operations are about, in the order in which a newcomer needs them.
    pub tags: &'static [(&'static str, &'static str)],
}

/// The whole document.
pub fn build(overview: &Overview, operations: &[&Operation]) -> Result<Value, serde_json::Error> {
    let mut schemas = Vec::new();
    collect::<ProblemOut>(&mut schemas);
    for docs in operations.iter().map(|operation| (operation.docs)()) {
        let answers = docs.answers.into_iter().filter_map(|answer| answer.schema);
        answers
            .chain(docs.request.map(|request| request.schema))
            .for_each(|schema| (schema.collect)(&mut schemas));
    }
    let answer_examples = AnswerExamples::read()?;
    let mut views = Views::new(schemas)?;
    let mergeable: BTreeSet<Entity> =
        Entity::ALL.iter().copied().filter(|entity| is_mergeable(*entity, operations)).collect();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let own = describe(operation, &mergeable, &answer_examples, &mut views);
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.as_str().to_ascii_lowercase(), own);
        }
    }
    add_summaries(operations, &mut views);
    views.make("Problem", View::Answer);
    let mut made = views.into_made();
    // The others come with some codes only.
    let always: [(&str, &[&str]); 3] = [
        ("ErrorParams", &[]),
        ("Problem", &["type", "title", "status", "detail", "instance", "code"]),
        ("ProblemField", &["pointer", "code", "detail", "params"]),
    ];
    for (name, required) in always {
        if let Some(problem) = made.get_mut(name).and_then(Value::as_object_mut) {
            match required.is_empty() {
                true => problem.remove("required"),
                false => problem.insert("required".to_owned(), json!(required)),
            };
        }
    }
    let tags: Vec<Value> = overview
        .tags
        .iter()
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": overview.title,
            "description": overview.description,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT or Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE") },
            "x-schema-revision": SCHEMA_REVISION,
        },
        // The server that the document was read from.
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": made.into_iter().collect::<Map<_, _>>(),
            "examples": answer_examples.into_components(),
            "headers": answers::headers(),
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": format!(
                    "An access token (a JWT, valid for 15 minutes) or a personal access token (`wm_pat_…`). Scopes: {}.",
                    SCOPES.join(", ")
                ),
            }},
        },
    });
    name_values(&mut document);
    bounds::add(&mut document);
    share::share(&mut document);
    Ok(document)
}

/// The document as text, whose paths and methods are in the order of the operations.
pub fn text(document: &Value, operations: &[&Operation]) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&InOrder { document, operations })? + "\n")
}

/// A JSON object of ours is sorted by name; what is read from top to bottom is not.
struct InOrder<'a> {
    document: &'a Value,
    operations: &'a [&'a Operation],
}

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in ["openapi", "info", "servers", "tags"] {
            map.serialize_entry(name, &self.document[name])?;
        }
        map.serialize_entry("paths", &PathsInOrder(self))?;
        map.serialize_entry("components", &self.document["components"])?;
        map.end()
    }
}

struct PathsInOrder<'a>(&'a InOrder<'a>);

impl Serialize for PathsInOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let InOrder { document, operations } = self.0;
        let mut paths: Vec<(&str, Vec<(String, &Value)>)> = Vec::new();
        for operation in *operations {
            let method = operation.method.as_str().to_ascii_lowercase();
            let own = &document["paths"][&*operation.path][&method];
            match paths.iter_mut().find(|(path, _)| *path == operation.path) {
                Some((_, methods)) => methods.push((method, own)),
                None => paths.push((&operation.path, vec![(method, own)])),
            }
        }
        let paths = paths.iter().map(|(path, methods)| (path, Pairs(methods)));
        serializer.collect_map(paths)
    }
}

struct Pairs<'a>(&'a [(String, &'a Value)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Names the values of enumerations for generators where the value itself is no name, or one that the language has taken:
/// an enum entry `name` does not compile in Kotlin and Java, the entries of `-id` and `id` would collide, and `contacts:read`
/// would become `contactsColonRead`. Such an enumeration has its default in its description only: OpenAPI Generator names the
/// default after the value, which then is not there.
fn name_values(value: &mut Value) {
    if let Some(names) = value.get("enum").and_then(Value::as_array).and_then(|values| value_names(values))
        && let Some(schema) = value.as_object_mut()
    {
        schema.insert("x-enum-varnames".to_owned(), json!(names));
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(name_values),
        Value::Array(items) => items.iter_mut().for_each(name_values),
        _ => {}
    }
}

fn value_names(values: &[Value]) -> Option<Vec<String>> {
    let words: Vec<&str> = values.iter().map(Value::as_str).collect::<Option<_>>()?;
    let needs_name = words.iter().any(|word| *word == "name" || word.starts_with('-') || word.contains(':'));
    let name = |word: &&str| match word.strip_prefix('-') {
        Some(word) => format!("{}_DESCENDING", word.to_ascii_uppercase()),
        None if *word == "name" => "NAME_".to_owned(),
        None => word.to_ascii_uppercase().replace(':', "_"),
    };
    needs_name.then(|| words.iter().map(name).collect())
}

/// Every enumeration of the operations, by its name in snake case, with its values.
pub fn enumerations(operations: &[&Operation]) -> Result<Value, serde_json::Error> {
    let document = build(&Overview { title: "", description: "", tags: &[] }, operations)?;
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    let values = |schema: &Value| schema.get("enum").or_else(|| schema.get("x-extensible-enum")).cloned();
    let all = schemas.filter_map(|(name, schema)| Some((snake(name), values(schema)?)));
    Ok(Value::Object(all.collect()))
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn is_mergeable(entity: Entity, operations: &[&Operation]) -> bool {
    let path = format!("/v1/{}/merge", entity.segment());
    operations.iter().any(|operation| operation.path == path)
}

fn describe(
    operation: &Operation,
    mergeable: &BTreeSet<Entity>,
    answers: &AnswerExamples,
    views: &mut Views,
) -> Value {
    let docs = (operation.docs)();
    let mut description = docs.description.to_string();
    let mut add = |sentence: &str| {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(sentence);
    };
    let creates = created_kind(operation, &docs);
    creates.map(limits_of).into_iter().flatten().for_each(|limit| add(&limit));
    let gets = own_kind(operation).filter(|_| operation.method == "GET" && docs.tagged == Tagged::Record);
    let gets_merged = gets.is_some_and(|entity| mergeable.contains(&entity));
    if gets_merged {
        add(
            "The id of a record that was merged into another returns the record that was kept, under its own id; \
             `Content-Location` is its URL.",
        );
    }
    let mut parameters = path_parameters(&operation.path);
    parameters.extend(docs.parameters.iter().map(query_parameter));
    parameters.extend(header_parameters(operation, docs.tagged));
    let codes = answers::codes(operation, &docs, mergeable, &parameters);
    let mut responses = answers::successes(operation, &docs, gets_merged, answers, views);
    responses.extend(answers::problems(operation, &codes));
    let mut out = json!({
        "operationId": operation.id,
        "summary": docs.summary,
        "tags": [docs.tag],
        "security": match &operation.access {
            Access::Public => json!([]),
            Access::AnyToken => json!([{ "bearer": [] }]),
            Access::Scopes(scopes) => json!([{ "bearer": scopes }]),
        },
        "responses": responses,
    });
    if let Some(object) = out.as_object_mut() {
        if !description.is_empty() {
            object.insert("description".to_owned(), json!(description));
        }
        if !parameters.is_empty() {
            object.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(request) = &docs.request {
            object.insert("requestBody".to_owned(), request_body(operation, request, views));
        }
    }
    out
}

/// The kind of record that the path of an operation on one record names.
fn own_kind(operation: &Operation) -> Option<Entity> {
    let segment = operation.path.strip_prefix("/v1/")?.strip_suffix("/{id}")?;
    Entity::ALL.iter().copied().find(|entity| entity.segment() == segment)
}

/// The kind of record that an operation creates.
fn created_kind(operation: &Operation, docs: &Docs) -> Option<Entity> {
    if let Some((entity, _, _)) = docs.request.as_ref()?.nested {
        return Some(entity);
    }
    match operation.method.as_str() {
        "POST" => Entity::ALL.iter().copied().find(|entity| operation.path == format!("/v1/{}", entity.segment())),
        "PUT" => own_kind(operation),
        _ => None,
    }
}

fn request_body(operation: &Operation, request: &RequestDocs, views: &mut Views) -> Value {
    let is_patch = operation.method == "PATCH";
    let view = if is_patch { View::Patch } else { View::Input };
    let name = match request.nested {
        Some((entity, parent, field)) => views.make_nested(entity, parent, field).unwrap_or_default(),
        None => views.make(&request.schema.name, view),
    };
    let mut media = json!({ "schema": { "$ref": reference_to(&name) } });
    if request.more_examples.is_empty() {
        media["example"] = request.example.clone();
    } else {
        let all = [("In full", request.example.clone())].into_iter().chain(request.more_examples.iter().cloned());
        let numbered = |(index, (summary, value)): (usize, (&str, Value))| {
            ((index + 1).to_string(), json!({ "summary": summary, "value": value }))
        };
        media["examples"] = Value::Object(all.enumerate().map(numbered).collect());
    }
    let mut content = Map::from_iter([("application/json".to_owned(), media.clone())]);
    if is_patch {
        content.insert("application/merge-patch+json".to_owned(), media);
    }
    let values = if operation.path == "/v1/batch" { MAX_BATCH_VALUES } else { MAX_VALUES };
    let description = format!(
        "One JSON object of at most {} bytes, {} values and {MAX_DEPTH} levels.",
        thousands(MAX_BODY_BYTES),
        thousands(values)
    );
    json!({ "required": !request.optional, "description": description, "content": content })
}

fn path_parameters(path: &str) -> Vec<Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let mut parameters = Vec::new();
    for pair in segments.windows(2) {
        let [before, own] = pair else { continue };
        let Some((name, _)) = own.strip_prefix('{').and_then(|own| own.split_once('}')) else { continue };
        let (description, schema) = match name {
            "version" => (
                "The number of a change or a write.".to_owned(),
                json!({ "type": "integer", "format": "int64", "minimum": 1 }),
            ),
            "secret" => (
                "The secret of the feed.".to_owned(),
                json!({ "type": "string", "minLength": 1, "maxLength": 100, "examples": [examples::FEED_SECRET] }),
            ),
            "token" => (
                "The token in the link.".to_owned(),
                json!({ "type": "string", "maxLength": 200, "examples": [examples::UNSUBSCRIBE_TOKEN] }),
            ),
            "code" => {
                let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
                ("An error code.".to_owned(), json!({ "type": "string", "enum": codes }))
            }
            _ => {
                let entity = Entity::ALL.iter().find(|entity| entity.segment() == *before);
                let noun = entity.map_or_else(
                    || before.trim_end_matches('s').replace('-', "_"),
                    |entity| entity.as_str().to_owned(),
                );
                let words = entity.map_or_else(|| noun.replace('_', " "), |entity| entity.words());
                (
                    format!("The id of the {words}."),
                    json!({ "type": "string", "format": "uuid", "x-entity": noun }),
                )
            }
        };
        let mut parameter =
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema });
        if let (Some(example), Some(object)) = (examples::of_schema(&schema), parameter.as_object_mut()) {
            object.insert("example".to_owned(), example);
        }
        parameters.push(parameter);
    }
    parameters
}

fn query_parameter(parameter: &Parameter) -> Value {
    let Parameter { name, description, schema, example, is_filled_in, required } = parameter;
    let mut out =
        json!({ "name": name, "in": "query", "required": required, "description": description, "schema": schema });
    match example.clone().or_else(|| examples::of_schema(schema)) {
        Some(example) if *is_filled_in => out["example"] = example,
        Some(example) => show(&mut out, &example),
        None => {}
    }
    if let Some(name) = client_name(name) {
        out["x-ms-client-name"] = json!(name);
    }
    out
}

/// Gives an optional parameter an example. It is that of the schema: Swagger UI fills in that of a parameter, and so would send
/// all of them.
fn show(parameter: &mut Value, example: &Value) {
    parameter["schema"]["examples"] = json!([example]);
}

/// What a client calls a parameter with an operator, whose name is a name in no language: `tagNe` for `tag[ne]`.
fn client_name(name: &str) -> Option<String> {
    let mut parts = name.strip_suffix(']')?.split(['_', '[']);
    let first = parts.next()?.to_owned();
    Some(parts.fold(first, |name, part| name + &pascal(part)))
}

/// `*`, or entity tags with commas between them (RFC 9110, section 13.1.1).
const ENTITY_TAGS: &str = r#"^[ \t]*(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)[ \t]*$"#;

fn header_parameters(operation: &Operation, tagged: Tagged) -> Vec<Value> {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema });
    let text = || json!({ "type": "string", "maxLength": MAX_TAGS_CHARACTERS });
    let with_example = |mut header: Value, example: &str| {
        show(&mut header, &json!(example));
        header
    };
    let (method, mut headers) = (operation.method.as_str(), Vec::new());
    if operation.takes_idempotency_key() {
        let key = header(
            "Idempotency-Key",
            "A key that the client chooses for this request. The same request under the same key within 24 hours \
             gets the same answer, with `Idempotent-Replayed: true`, and is carried out once. The same request has the \
             same method, path, query string and body, byte for byte; its other headers, such as `If-Match`, may differ. \
             Any other request under the key gets 422 `idempotency_key_reused`.",
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[ -~]*$" }),
        );
        headers.push(with_example(key, "6f8c3b0e-9d53-4d0c-8a43-2f1c6f2a7f10"));
    }
    if tagged == Tagged::Record && matches!(method, "PATCH" | "PUT" | "DELETE") {
        let description =
            "The ETag of the record as you know it; 412 if the record has changed since. `*`: whatever it is.";
        let mut schema = text();
        schema["pattern"] = json!(ENTITY_TAGS);
        headers.push(with_example(header("If-Match", description, schema), "*"));
    }
    if tagged == Tagged::Record && method == "PUT" {
        let description = "`*` creates the record, and only if it does not exist. If it exists and equals the request, the answer is \
                           that of the first time, without `Wellmet-Write`: the request was probably sent before. Otherwise \
                           412.";
        let schema = json!({ "type": "string", "enum": ["*"], "x-excludes": ["If-Match"] });
        headers.push(header("If-None-Match", description, schema));
    }
    if tagged != Tagged::Nothing && method == "GET" {
        // What is no entity tag is none that anybody knows: RFC 9110 has no error for it.
        let known = header("If-None-Match", "An ETag you know; 304 if nothing has changed since.", text());
        headers.push(with_example(known, "\"E5b7_Ckx.7.42\""));
    }
    headers
}

/// The summary of each kind of record, and what `include` adds to records and summaries.
fn add_summaries(operations: &[&Operation], views: &mut Views) {
    let schemas = views.made_mut();
    for entity in Entity::ALL {
        let Some(whole) = schemas.get(&pascal(entity.as_str())).cloned() else { continue };
        let fields = ["id"].iter().chain(summary_fields(*entity));
        let property =
            |field: &&str| Some(((*field).to_owned(), whole.pointer(&format!("/properties/{field}"))?.clone()));
        let properties: Map<String, Value> = fields.filter_map(property).collect();
        let required: Vec<&String> = properties.keys().collect();
        let summary = json!({
            "type": "object", "description": "The main fields of a record.",
            "properties": properties, "required": required,
        });
        schemas.insert(summary_name(*entity), summary);
    }
    let mut seen = BTreeSet::new();
    for collection in operations.iter().filter_map(|operation| (operation.docs)().collection) {
        if !seen.insert(collection.entity) {
            continue;
        }
        for relation in collection.relations {
            let own = pascal(collection.entity.as_str());
            for shown in [own, summary_name(collection.entity)] {
                let properties = schemas.get_mut(&shown).and_then(|schema| schema.pointer_mut("/properties"));
                if let Some(properties) = properties.and_then(Value::as_object_mut) {
                    properties.insert(relation.name.to_owned(), relation_schema(collection.entity, relation));
                }
            }
        }
    }
}

fn summary_name(entity: Entity) -> String {
    format!("{}Summary", pascal(entity.as_str()))
}

/// Whether the field of a record is a list of ids.
fn is_list(entity: Entity, pointer: &str) -> bool {
    REFERENCES.iter().any(|own| own.from == entity && own.pointer == pointer && own.join.is_some())
}

/// What `include` adds to a record.
fn relation_schema(entity: Entity, relation: &Relation) -> Value {
    let summary = json!({ "$ref": reference_to(&summary_name(relation.link.entity())) });
    let mut schema = match relation.link {
        Link::To(_, pointer) if is_list(entity, pointer) => {
            json!({ "type": "array", "maxItems": MAX_RELATED, "items": summary })
        }
        Link::To(..) => json!({ "oneOf": [{ "type": "null" }, summary] }),
        Link::From(..) => json!({ "type": "array", "maxItems": MAX_RELATED, "items": summary }),
        Link::Carriers(kinds, _) => {
            let names: Vec<&str> = kinds.iter().map(|entity| entity.plural()).collect();
            let count = json!({ "type": "integer", "format": "int64", "minimum": 0 });
            let properties: Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), count.clone())).collect();
            json!({ "type": "object", "properties": properties, "required": names })
        }
    };
    if let Some(object) = schema.as_object_mut() {
        let description = format!("{} Only with `include={}`.", relation.description, relation.name);
        object.insert("description".to_owned(), json!(description));
    }
    schema
}
