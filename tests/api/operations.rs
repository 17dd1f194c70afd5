//! What the nets read from the OpenAPI document: its operations, the places in their bodies, values that fit, and a
//! workspace with one of everything to send them to. What has to hold of an operation is in the nets' own files.
//!
//! An operation that needs something no document tells (a secret, a new kind of path parameter) makes
//! [`World::request`] panic with a sentence that says what to teach it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicU32, atomic::Ordering},
};

use serde_json::{Map, Value, json};
use sha2::Digest as _;
use wellmet::{
    api::{
        self,
        http::{document::NO_NUL, messages::problem::Code},
    },
    domain::{entity::Entity, id::UserId, reference::is_derived},
    mail::unsubscribe::UnsubscribeTokens,
};

use crate::support::{Backend, Client, PASSWORD, Reply, Request, TestServer};

/// An id that is well formed and that nobody has.
pub const NOBODYS_ID: &str = "01939d5e-8c00-7000-8000-00000000dead";

/// The document, made once.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| api::document().expect("the document is made of what compiles"))
}

/// One operation of the document.
#[derive(Clone, Copy)]
pub struct Operation {
    pub path: &'static str,
    /// In lower case, as the document writes it.
    pub method: &'static str,
    /// What the document says of it.
    pub json: &'static Value,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

/// The paths of the document, in which parameters and answers stand where they are referred to.
fn paths() -> &'static Value {
    fn inline(value: &mut Value) {
        let reference = value["$ref"].as_str().map(str::to_owned);
        if let Some(pointer) = reference.as_deref().and_then(|reference| reference.strip_prefix('#'))
            && ["/components/parameters/", "/components/responses/"].iter().any(|kind| pointer.starts_with(kind))
        {
            *value = document().pointer(pointer).unwrap_or_else(|| panic!("{pointer} does not resolve")).clone();
        }
        match value {
            Value::Object(members) => members.values_mut().for_each(inline),
            Value::Array(items) => items.iter_mut().for_each(inline),
            _ => {}
        }
    }
    static PATHS: OnceLock<Value> = OnceLock::new();
    PATHS.get_or_init(|| {
        let mut paths = document()["paths"].clone();
        inline(&mut paths);
        paths
    })
}

/// Every operation there is.
pub fn operations() -> Vec<Operation> {
    let paths = paths().as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods");
            methods.iter().map(move |(method, json)| Operation { path, method, json })
        })
        .collect()
}

impl Operation {
    pub fn id(&self) -> &'static str {
        self.json["operationId"].as_str().unwrap_or_default()
    }

    /// Whether it needs a token.
    pub fn is_secured(&self) -> bool {
        self.json["security"].as_array().is_some_and(|all| !all.is_empty())
    }

    /// Whether it may be a part of a batch.
    pub fn may_stand_in_batch(&self) -> bool {
        self.scope().is_some_and(|scope| !scope.starts_with("account:"))
    }

    /// The scope it needs; none for the public ones, and for those that judge by themselves what a token may do.
    pub fn scope(&self) -> Option<&'static str> {
        self.json.pointer("/security/0/bearer/0").and_then(Value::as_str)
    }

    pub fn writes(&self) -> bool {
        self.method != "get"
    }

    pub fn parameters(&self, place: &str) -> Vec<&'static Value> {
        let all = self.json["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|parameter| parameter["in"] == place).collect()
    }

    pub fn has_parameter(&self, place: &str, name: &str) -> bool {
        self.parameters(place).iter().any(|parameter| parameter["name"] == name)
    }

    /// The JSON body it documents: schema and example.
    pub fn body(&self) -> Option<&'static Value> {
        self.json.pointer("/requestBody/content/application~1json")
    }

    /// The examples of its JSON body, in their order.
    pub fn body_examples(&self) -> Vec<&'static Value> {
        self.body().map(body_examples).unwrap_or_default()
    }

    /// Whether it reads a JSON body, documented or (a verb that takes no fields) not.
    pub fn reads_body(&self) -> bool {
        self.codes(415).contains(&"unsupported_media_type")
    }

    /// The codes of problems that it documents for a status.
    pub fn codes(&self, status: u16) -> Vec<&'static str> {
        let examples =
            &self.json["responses"][status.to_string()]["content"]["application/problem+json"]["examples"];
        examples.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    /// Whether it changes the account itself, so that whoever calls it cannot go on as before.
    pub fn changes_account(&self) -> bool {
        self.path.starts_with("/v1/me") && self.writes()
    }
}

// Schemas.

/// A schema with its `$ref` followed and its `null` left out.
pub fn resolve(schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("a foreign $ref: {reference}"));
        return resolve(document().pointer(pointer).unwrap_or_else(|| panic!("{reference} does not resolve")));
    }
    for union in ["oneOf", "anyOf"] {
        let Some(branches) = schema[union].as_array() else { continue };
        let real: Vec<&Value> = branches.iter().filter(|branch| branch["type"] != "null").collect();
        // Of several the first: a list shows whole records unless a summary is asked for.
        let [first, ..] = real.as_slice() else { panic!("a choice of nothing: {schema}") };
        return resolve(first);
    }
    let mut schema = schema.clone();
    if let Some(types) = schema["type"].as_array() {
        let real: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
        let [only] = real.as_slice() else { panic!("the nets cannot read several types: {schema}") };
        schema["type"] = only.clone();
    }
    schema
}

/// The schema of one value of a parameter, which may take several.
pub fn schema_of_one(parameter: &Value) -> Value {
    let schema = resolve(&parameter["schema"]);
    if schema["items"].is_object() { resolve(&schema["items"]) } else { schema }
}

/// Whether null fits.
pub fn is_nullable(schema: &Value) -> bool {
    let is_null = |one: &Value| one == "null";
    let has_null =
        |union: &str| schema[union].as_array().is_some_and(|all| all.iter().any(|one| is_null(&one["type"])));
    is_null(&schema["type"])
        || schema["type"].as_array().is_some_and(|types| types.iter().any(is_null))
        || has_null("oneOf")
        || has_null("anyOf")
}

/// A place in a body.
#[derive(Clone)]
pub struct Place {
    /// Names and indexes from the root.
    pub path: Vec<String>,
    /// Resolved.
    pub schema: Value,
    pub is_nullable: bool,
}

impl Place {
    /// As `errors` in a problem names it.
    pub fn pointer(&self) -> String {
        self.path
            .iter()
            .fold("#".to_owned(), |at, part| format!("{at}/{}", part.replace('~', "~0").replace('/', "~1")))
    }

    pub fn is(&self, kind: &str) -> bool {
        self.schema["type"] == kind
    }

    /// What it is an id of.
    pub fn entity(&self) -> Option<&str> {
        self.schema["x-entity"].as_str()
    }

    /// Whether it is the id that a client chooses for a record that the request makes, which refers to nothing.
    pub fn is_own_id(&self) -> bool {
        self.path.last().is_some_and(|name| name == "id") || self.schema["x-chosen"] == true
    }
}

/// Every place of a body with this schema, the root first; maps get the key `net` or a day, lists the index 0.
pub fn places(schema: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    visit(schema, &mut Vec::new(), &mut found);
    found
}

fn visit(schema: &Value, path: &mut Vec<String>, found: &mut Vec<Place>) {
    assert!(path.len() < 12, "a schema that goes on for ever at {path:?}");
    let resolved = resolve(schema);
    found.push(Place { path: path.clone(), schema: resolved.clone(), is_nullable: is_nullable(schema) });
    for (name, below) in children(&resolved) {
        path.push(name);
        visit(&below, path, found);
        path.pop();
    }
}

fn children(resolved: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    let properties = resolved["properties"].as_object().into_iter().flatten();
    all.extend(properties.map(|(name, below)| (name.clone(), below.clone())));
    if is_map(resolved) {
        all.push((map_key(resolved), resolved["additionalProperties"].clone()));
    }
    if resolved["items"].is_object() {
        all.push(("0".to_owned(), resolved["items"].clone()));
    }
    all
}

/// A key of a map.
fn map_key(resolved: &Value) -> String {
    let pattern = resolved["propertyNames"]["pattern"].as_str().unwrap_or_default();
    if pattern.starts_with("^[0-9]{4}-") { "2026-03-02".to_owned() } else { "net".to_owned() }
}

/// Puts a value in a place of a body; what is missing on the way is filled with samples.
pub fn put(body: &mut Value, schema: &Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *body = value;
        return;
    };
    let resolved = resolve(schema);
    let (_, below) = children(&resolved)
        .into_iter()
        .find(|(name, _)| name == first)
        .unwrap_or_else(|| panic!("there is no place {path:?} in {resolved}"));
    if body.is_null() {
        *body = sample(schema);
    }
    let child = match body {
        Value::Object(object) => object.entry(first.clone()).or_insert(Value::Null),
        Value::Array(items) => {
            if items.is_empty() {
                items.push(Value::Null);
            }
            &mut items[0]
        }
        other => panic!("{other} has no place {path:?}"),
    };
    if child.is_null() && !rest.is_empty() {
        *child = sample(&below);
    }
    put(child, &below, rest, value);
}

/// Takes out what may not stand beside the member that a path leads into, as its schema says.
pub fn exclude_others(body: &mut Value, schema: &Value, path: &[String]) {
    let resolved = resolve(schema);
    let Some(first) = path.first() else { return };
    for other in resolved["properties"][first]["x-excludes"].as_array().into_iter().flatten() {
        if let (Some(body), Some(other)) = (body.as_object_mut(), other.as_str()) {
            body.remove(other);
        }
    }
}

/// A small value that fits: examples where there are any, and no more than is needed.
pub fn sample(schema: &Value) -> Value {
    build(schema, false)
}

/// A value that fits in which everything is filled.
pub fn full(schema: &Value) -> Value {
    build(schema, true)
}

/// The examples of a body of some media type, in their order.
pub fn body_examples(media: &Value) -> Vec<&Value> {
    match media["examples"].as_object() {
        Some(examples) => examples.values().map(|one| &one["value"]).collect(),
        None => Some(&media["example"]).filter(|example| example.is_object()).into_iter().collect(),
    }
}

/// The example of a parameter, filled in or not; null of one that cannot be sent with the first.
pub fn example_of(parameter: &Value) -> &Value {
    match &parameter["example"] {
        Value::Null if parameter["schema"]["x-excludes"].is_null() => &parameter["schema"]["examples"][0],
        example => example,
    }
}

fn build(schema: &Value, whole: bool) -> Value {
    let resolved = resolve(schema);
    if resolved["properties"].is_object() {
        let required = resolved["required"].as_array();
        let mut object = Map::new();
        for (name, below) in resolved["properties"].as_object().into_iter().flatten() {
            let wanted = match required {
                Some(required) => required.iter().any(|one| one == name),
                // A patch requires nothing, though what it makes may.
                None => below.get("example").is_some(),
            };
            if whole || wanted {
                object.insert(name.clone(), build(below, whole));
            }
        }
        return object.into();
    }
    if is_map(&resolved) {
        return json!({ (map_key(&resolved)): build(&resolved["additionalProperties"], whole) });
    }
    let example = [&schema["example"], &resolved["example"], &resolved["examples"][0]];
    if let Some(example) = example.into_iter().find(|example| !example.is_null()) {
        return example.clone();
    }
    if resolved["enum"].is_array() {
        return resolved["enum"][0].clone();
    }
    match (resolved["type"].as_str(), resolved["format"].as_str()) {
        (Some("array"), _) => json!([build(&resolved["items"], whole)]),
        (Some("string"), Some("date")) => json!("2026-03-02"),
        (Some("string"), Some("date-time")) => json!("2026-03-02T09:00:00Z"),
        (Some("string"), Some("uuid")) => json!(NOBODYS_ID),
        (Some("string"), None) if resolved["pattern"].as_str().is_none_or(|pattern| pattern == NO_NUL) => {
            let length = resolved["minLength"].as_u64().unwrap_or(1).max(1);
            json!("x".repeat(usize::try_from(length).unwrap_or(1)))
        }
        (Some("integer" | "number"), _) => resolved["minimum"].as_i64().unwrap_or(1).into(),
        (Some("boolean"), _) => json!(true),
        _ => panic!("the nets cannot make up a value for this schema; give it an example: {resolved}"),
    }
}

/// Whether an object has any number of members that are alike.
pub fn is_map(schema: &Value) -> bool {
    schema["additionalProperties"].as_object().is_some_and(|members| !members.is_empty())
}

/// Visits every value in a body whose schema says what it is an id of, but for the record's own.
pub fn for_each_id(body: &mut Value, schema: &Value, act: &mut impl FnMut(&str, &mut Value)) {
    let own = body.as_object_mut().and_then(|body| body.remove("id"));
    for_each_id_within(body, schema, act);
    if let (Some(own), Some(body)) = (own, body.as_object_mut()) {
        body.insert("id".to_owned(), own);
    }
}

fn for_each_id_within(body: &mut Value, schema: &Value, act: &mut impl FnMut(&str, &mut Value)) {
    let resolved = resolve(schema);
    if let Some(entity) = resolved["x-entity"].as_str() {
        if !body.is_null() && resolved["x-chosen"] != true {
            act(entity, body);
        }
        return;
    }
    match body {
        Value::Object(object) => {
            for (name, value) in object {
                let below = match &resolved["properties"][name] {
                    Value::Null => &resolved["additionalProperties"],
                    property => property,
                };
                if below.is_object() {
                    for_each_id_within(value, below, act);
                }
            }
        }
        Value::Array(items) if resolved["items"].is_object() => {
            items.iter_mut().for_each(|item| for_each_id_within(item, &resolved["items"], act));
        }
        _ => {}
    }
}

// Answers.

/// The headers of every answer.
const COMMON: [(&str, &str); 3] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-cache"),
];

/// The headers that are documented wherever an answer has them.
const TOLD: [&str; 12] = [
    "Accept-Patch",
    "Allow",
    "Content-Location",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
];

/// What is wrong with an answer by the rules for all of them, and by what its operation documents.
pub fn faults(operation: Option<Operation>, reply: &Reply) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in COMMON {
        let sent = reply.header(name);
        let is_caching = name == "Cache-Control";
        // What programs poll is kept by them for a while.
        let is_polled = operation.is_some_and(|operation| operation.path.starts_with("/calendar/"));
        let is_excepted = sent == Some("no-store") || is_polled && sent == Some("private, max-age=900");
        if sent != Some(value) && !(is_caching && is_excepted) {
            faults.push(format!("{name} is {sent:?}"));
        }
    }
    if reply.header("Server").is_some() {
        faults.push("it names its server".to_owned());
    }
    let request_id = reply.header("X-Request-Id").unwrap_or_default();
    if !is_uuid(request_id) {
        faults.push(format!("X-Request-Id is {request_id:?}"));
    }
    if reply.status >= 400 {
        problem_faults(reply, request_id, &mut faults);
    }
    if let Some(operation) = operation {
        documented_faults(operation, reply, &mut faults);
    }
    faults
}

fn is_uuid(text: &str) -> bool {
    let fits = |(index, letter): (usize, char)| match index {
        8 | 13 | 18 | 23 => letter == '-',
        _ => letter.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.chars().enumerate().all(fits)
}

fn problem_faults(reply: &Reply, request_id: &str, faults: &mut Vec<String>) {
    if reply.header("Content-Type") != Some("application/problem+json") {
        faults.push(format!("Content-Type is {:?}", reply.header("Content-Type")));
        return;
    }
    let word = |name: &str| reply.body[name].as_str().unwrap_or_default();
    for name in ["type", "title", "detail", "instance", "code"] {
        if word(name).is_empty() {
            faults.push(format!("`{name}` is {}", reply.body[name]));
        }
    }
    if word("instance") != format!("urn:uuid:{request_id}") {
        faults.push(format!("`instance` {} is not X-Request-Id", word("instance")));
    }
    if reply.body["status"] != reply.status {
        faults.push(format!("`status` is {}", reply.body["status"]));
    }
    match Code::parse(word("code")) {
        None => faults.push(format!("the catalog does not have {}", word("code"))),
        Some(code) => {
            if code.status() != reply.status || word("type") != format!("/v1/errors/{}", code.as_str()) {
                faults.push("`type` or status are not the catalog's".to_owned());
            }
        }
    }
    let is_of_parameter = matches!(word("code"), "invalid_parameter" | "unknown_parameter" | "invalid_cursor");
    if is_of_parameter && !reply.body["parameter"].is_string() && !word("detail").starts_with("The query string") {
        faults.push(format!("it names no `parameter` ({})", word("detail")));
    }
    for error in reply.body["errors"].as_array().into_iter().flatten() {
        let params = &error["params"];
        let is_complete = match error["code"].as_str() {
            Some("too_long") => !params["max"].is_null(),
            Some("too_short") => !params["min"].is_null(),
            Some("out_of_range") => ["min", "max", "earliest", "latest"].iter().any(|end| !params[*end].is_null()),
            _ => params.is_object(),
        };
        if !is_complete {
            faults.push(format!("the `params` of an error do not say what its detail says: {error}"));
        }
    }
    let needed = match reply.status {
        401 => "WWW-Authenticate",
        405 => "Allow",
        429 | 503 => "Retry-After",
        _ => return,
    };
    if reply.header(needed).is_none() {
        faults.push(format!("no {needed}"));
    }
}

fn documented_faults(operation: Operation, reply: &Reply, faults: &mut Vec<String>) {
    let answer = &operation.json["responses"][reply.status.to_string()];
    if answer.is_null() {
        faults.push(format!("status {} is not documented", reply.status));
        return;
    }
    for (name, header) in answer["headers"].as_object().into_iter().flatten() {
        if resolve(header)["required"] == true && reply.header(name).is_none() {
            faults.push(format!("the documented header {name} is missing"));
        }
    }
    for name in TOLD {
        if reply.headers.contains_key(name) && answer["headers"][name].is_null() {
            faults.push(format!("the header {name} of a {} is not documented", reply.status));
        }
    }
    if reply.status >= 400 {
        let code = reply.body["code"].as_str().unwrap_or_default();
        // No operation adds members yet, and so none documents what only they meet.
        let is_of_members = matches!(code, "insufficient_role" | "last_owner");
        if !operation.codes(reply.status).contains(&code) && !is_of_members {
            faults.push(format!("{} {code} is not documented", reply.status));
        }
    }
    let Some(content) = answer["content"].as_object() else {
        if !reply.text.is_empty() {
            faults.push("it has a body, and none is documented".to_owned());
        }
        return;
    };
    let kind = reply.header("Content-Type").unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default();
    let Some(media) = content.get(essence) else {
        faults.push(format!("{kind:?} is not documented"));
        return;
    };
    if !essence.ends_with("json") {
        return;
    }
    for error in closed_validator(&media["schema"]).iter_errors(&reply.body) {
        faults.push(format!("at {}: {error}", error.instance_path()));
    }
}

/// Checks an answer against its schema, and that nothing is in it that is not documented. Kept, since a test compares
/// thousands of answers with few schemas.
fn closed_validator(schema: &Value) -> Arc<jsonschema::Validator> {
    static KEPT: Mutex<BTreeMap<String, Arc<jsonschema::Validator>>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let made = kept.entry(schema.to_string()).or_insert_with(|| {
        let mut schema = with_components(schema);
        close(&mut schema);
        Arc::new(validator(&schema))
    });
    Arc::clone(made)
}

/// Checks values against a schema of the document.
pub fn validator_of(schema: &Value) -> jsonschema::Validator {
    validator(&with_components(schema))
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema} is no JSON Schema: {error}"))
}

/// A schema with those components of the document that it refers to, and they in turn.
fn with_components(schema: &Value) -> Value {
    let mut found = Map::new();
    let mut open = references(schema);
    while let Some(name) = open.pop() {
        if !found.contains_key(&name) {
            let component = document()["components"]["schemas"][&name].clone();
            open.extend(references(&component));
            found.insert(name, component);
        }
    }
    json!({ "allOf": [schema], "components": { "schemas": found } })
}

/// The names of the components that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|path| path.strip_prefix("#/components/schemas/")).map(str::to_owned);
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object)
                && !object.contains_key("additionalProperties")
            {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Everything a net finds, told at its end.
#[derive(Default)]
pub struct Report(BTreeSet<String>);

impl Report {
    pub fn note(&mut self, fault: impl Into<String>) {
        self.0.insert(fault.into());
    }

    pub fn require(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.0.insert(fault());
        }
    }

    /// Notes what is wrong with an answer by the rules for all of them.
    pub fn check(&mut self, operation: Operation, reply: &Reply) {
        for fault in faults(Some(operation), reply) {
            self.note(format!("{operation}: {fault} ({})", told(reply)));
        }
    }

    /// Notes an answer of another status or code than this one.
    pub fn expect(&mut self, operation: Operation, what: &str, reply: &Reply, status: u16, code: &str) {
        self.check(operation, reply);
        let is_it = reply.status == status && reply.body["code"] == code;
        self.require(is_it, || format!("{operation}: {what}: not {status} {code} but {}", told(reply)));
    }

    #[track_caller]
    pub fn end(self) {
        let all: Vec<String> = self.0.into_iter().collect();
        assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n"));
    }
}

/// An answer in one line.
pub fn told(reply: &Reply) -> String {
    if reply.status < 400 {
        return reply.status.to_string();
    }
    let (code, detail) = (&reply.body["code"], &reply.body["detail"]);
    format!("{} {code} {detail} {}", reply.status, reply.errors().join(", "))
}

// Requests.

/// Somebody with a workspace in which there is one of everything.
#[derive(Clone)]
pub struct World<'s> {
    pub server: &'s TestServer,
    pub client: Client,
    pub email: String,
    /// What bodies and paths may refer to, by kind; nobody deletes these.
    pub ids: BTreeMap<String, String>,
    /// Others of the same kinds, for bodies that name two: the second, or one whose id ends in `a2`.
    pub others: BTreeMap<String, String>,
    /// Whether what may stand in a batch is sent in one.
    in_batch: bool,
}

impl<'s> World<'s> {
    /// The same, whose requests are sent as operations of a batch where they may be.
    pub fn in_batch(&self) -> World<'s> {
        World { in_batch: true, ..self.clone() }
    }

    pub async fn new(server: &'s TestServer, email: &str) -> World<'s> {
        let mut world = World::bare(server, email).await;
        // An example may refer to its own kind, so there is a first one of each without.
        for entity in kinds() {
            let (id, _) = world.make(&entity).await;
            world.ids.insert(entity.clone(), id);
            if Entity::parse(&entity).is_some() {
                let (other, _) = world.make(&entity).await;
                world.others.insert(entity, other);
            }
        }
        world
    }

    /// Somebody whose workspace is as it was when they signed up, but for a notification.
    pub async fn bare(server: &'s TestServer, email: &str) -> World<'s> {
        World::of(server, server.register(email).await, email).await
    }

    /// The same of somebody who has just signed up.
    pub async fn of(server: &'s TestServer, client: Client, email: &str) -> World<'s> {
        let (ids, others) = (BTreeMap::new(), BTreeMap::new());
        let mut world = World { server, client, email: email.to_owned(), ids, others, in_batch: false };
        let me = world.client.get("/v1/me").await.expect(200);
        for kind in ["user", "workspace"] {
            let id = me.body[kind]["id"].as_str().unwrap_or_default();
            world.ids.insert(kind.to_owned(), id.to_owned());
        }
        world.ids.insert("notification".to_owned(), world.notified());
        world
    }

    /// A notification of the user, whose id it has: the server creates them by a schedule, and not on request.
    fn notified(&self) -> String {
        let (workspace, user) = (&self.ids["workspace"], &self.ids["user"]);
        let database = &self.server.database;
        let written = |id: &str| match database.backend {
            Backend::Sqlite => format!("X'{}'", id.replace('-', "")),
            Backend::Postgres => format!("'{id}'"),
        };
        let at = match database.backend {
            Backend::Sqlite => "1772442000000000",
            Backend::Postgres => "'2026-03-02T09:00:00Z'",
        };
        let (workspace, id) = (written(workspace), written(user));
        database.execute(&format!(
            "INSERT INTO notifications (workspace_id, id, user_id, kind, subject_id, for_day, due_on, counts, created_at)
             VALUES ({workspace}, {id}, {id}, 'digest', {id}, '2026-03-02', '2026-03-02',
                '{{\"follow_ups\": 1, \"promises\": 0, \"contacts\": 0, \"birthdays\": 0}}', {at})"
        ));
        user.clone()
    }

    /// An operation that has finished, whose id it has: a request for one would need more than 1,000 records.
    fn finished_operation(&self) -> String {
        let id = self.server.app().store().new_id().to_string();
        let database = &self.server.database;
        let written = |id: &str| match database.backend {
            Backend::Sqlite => format!("X'{}'", id.replace('-', "")),
            Backend::Postgres => format!("'{id}'"),
        };
        let (at, no) = match database.backend {
            Backend::Sqlite => ("1772442000000000", "0"),
            Backend::Postgres => ("'2026-03-02T09:00:00Z'", "false"),
        };
        let (workspace, user) = (written(&self.ids["workspace"]), written(&self.ids["user"]));
        database.execute(&format!(
            "INSERT INTO operations (workspace_id, id, kind, state, user_id, write_seq, work, position, done, total, changed,
                left_alone, left_alone_total, cancel_requested, created_at, updated_at, finished_at)
             VALUES ({workspace}, {}, 'revert', 'succeeded', {user}, 1, '{{\"revert\": {{\"write\": 1}}}}', '{{}}', 2, 2, 2,
                '[]', 0, {no}, {at}, {at}, {at})",
            written(&id)
        ));
        id
    }

    /// A token with which somebody who is new may choose a password; what an e-mail would bring.
    async fn reset_token(&self) -> String {
        let token = new_email();
        let email = new_email();
        self.server.register(&email).await;
        let hash: String = sha2::Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
        let (hash, at) = match self.server.database.backend {
            Backend::Sqlite => (format!("X'{hash}'"), "4000000000000000"),
            Backend::Postgres => (format!("'\\x{hash}'"), "'2096-10-02T07:06:40Z'"),
        };
        self.server.database.execute(&format!(
            "INSERT INTO password_resets (token_hash, user_id, expires_at)
             SELECT {hash}, id, {at} FROM users WHERE email = '{email}'"
        ));
        token
    }

    /// The token in the user's link to unsubscribe, signed with the key of the server.
    fn unsubscribe_token(&self) -> String {
        let database = &self.server.database;
        let key = match database.backend {
            Backend::Sqlite => fs::read_to_string(database.folder().join("wellmet.key")).expect("the key"),
            Backend::Postgres => database.texts("SELECT signing_key FROM instance").concat(),
        };
        let user = UserId::new(self.ids["user"].parse().expect("an id"));
        UnsubscribeTokens::new([key.trim().as_bytes()].into_iter()).token(user)
    }

    /// Makes one more record of a kind: its id, and the version it was made at if it has one.
    pub async fn make(&self, entity: &str) -> (String, Option<i64>) {
        let path = collection_of(entity);
        if entity == "session" {
            // The newest stands first.
            let other = self.server.login(&self.email).await;
            let list = other.get(path).await.expect(200);
            return (list.items()[0]["id"].as_str().unwrap_or_default().to_owned(), None);
        }
        if entity == "operation" {
            return (self.finished_operation(), None);
        }
        if entity == "pitch_version" {
            // One is kept when a pitch is worded otherwise.
            let (pitch, _) = Box::pin(self.make("pitch")).await;
            let path = format!("/v1/pitches/{pitch}");
            self.client.patch(&path, &json!({"body": "Another wording."})).await.expect(200);
            let versions = self.client.get(&format!("{path}/versions")).await.expect(200);
            let version = &versions.items()[0];
            return (version["id"].as_str().unwrap_or_default().to_owned(), version["version"].as_i64());
        }
        if entity == "plan_run" {
            // A plan that was applied before to a contact changes nothing, and there are not many plans.
            let (contact, _) = Box::pin(self.make("contact")).await;
            let known = self.client.get("/v1/follow-up-plans?limit=1").await;
            let plan = match known.body["items"][0]["id"].as_str() {
                Some(plan) => plan.to_owned(),
                None => Box::pin(self.make("follow_up_plan")).await.0,
            };
            let body = json!({"contact_ids": [contact]});
            let applied = self.client.post(&format!("/v1/follow-up-plans/{plan}/apply"), &body).await.expect(200);
            let run = &applied.body["plan_runs"][0];
            return (run["id"].as_str().unwrap_or_default().to_owned(), run["version"].as_i64());
        }
        let create =
            operations().into_iter().find(|operation| operation.path == path && operation.method == "post");
        let create = create.unwrap_or_else(|| {
            panic!(
                "nothing makes a {entity}: there is no POST {path}. Teach World::make in tests/api/operations.rs."
            )
        });
        let mut body = self.body(create).await.unwrap_or_else(|| panic!("{create} has no example"));
        if entity == "key_result" {
            // A goal has fifty at most.
            body["goal_id"] = json!(Box::pin(self.make("goal")).await.0);
        }
        let made = self.client.post(path, &body).await.expect(201);
        (made.id(), made.body["version"].as_i64())
    }

    /// The example of an operation, with ids of this workspace, and secrets that fit. An id that ends in `b1`, `b2` and
    /// so on stands for a record that nothing refers to yet: what is said of it can be said only once.
    pub async fn body(&self, operation: Operation) -> Option<Value> {
        let media = operation.body()?;
        let mut body = operation.body_examples().first().map_or(Value::Null, |first| (*first).clone());
        assert!(body.is_object(), "{operation} has no example");
        let mut fresh: BTreeMap<String, String> = BTreeMap::new();
        for_each_id(&mut body, &media["schema"], &mut |entity, id| {
            let id = id.as_str().filter(|id| id.get(32..34) == Some("00") && id.get(34..35) == Some("b"));
            fresh.extend(id.map(|id| (id.to_owned(), entity.to_owned())));
        });
        for made in fresh.values_mut() {
            *made = Box::pin(self.make(made)).await.0;
        }
        self.ids_of(&mut body, &media["schema"], &fresh);
        self.fill_in(operation, &mut body).await;
        // The id that an example chooses is taken once it was sent.
        if let Some(body) = body.as_object_mut() {
            body.remove("id");
        }
        Some(body)
    }

    /// What no document tells: secrets that fit, and names that nobody has.
    pub async fn fill_in(&self, operation: Operation, body: &mut Value) {
        for (name, value) in body.as_object_mut().into_iter().flatten() {
            match name.as_str() {
                "password" | "current_password" => *value = json!(PASSWORD),
                "email" if operation.path == "/v1/auth/register" => *value = json!(new_email()),
                "email" if operation.path.starts_with("/v1/auth/") => *value = json!(self.email),
                // What is unique has to be new.
                "name" if operation.codes(409).contains(&"name_taken") => *value = json!(new_email()),
                "token" if operation.path.starts_with("/v1/auth/password-reset/") => {
                    *value = json!(self.reset_token().await);
                }
                "refresh_token" => *value = json!(self.server.login(&self.email).await.refresh_token),
                _ => {}
            }
        }
    }

    /// Replaces every id of another record by one that is here; where there is none of the kind (yet), by null.
    pub fn own_ids(&self, body: &mut Value, schema: &Value) {
        self.ids_of(body, schema, &BTreeMap::new());
    }

    /// The same, but for those that were made for it.
    fn ids_of(&self, body: &mut Value, schema: &Value, fresh: &BTreeMap<String, String>) {
        let mut met = BTreeSet::new();
        for_each_id(body, schema, &mut |entity, id| {
            if let Some(fresh) = id.as_str().and_then(|id| fresh.get(id)) {
                *id = json!(fresh);
                return;
            }
            let again = !met.insert(entity.to_owned());
            let second = again || id.as_str().is_some_and(|id| id.ends_with("00a2"));
            let known = if second { &self.others } else { &self.ids };
            *id = known.get(entity).map_or(Value::Null, |own| json!(own));
        });
    }

    /// The example with a place filled that may exclude others in it: they give way, and all that is of its kind comes.
    pub async fn body_around(&self, operation: Operation, place: &Place) -> Option<Value> {
        let example = self.body(operation).await?;
        let schema = &operation.body()?["schema"];
        let entity = place.entity()?;
        let mut pointer = place.pointer();
        pointer.remove(0);
        let is_filled = example.pointer(&pointer).is_some_and(|there| !there.is_null());
        let Some(own) = self.ids.get(entity).filter(|_| place.is_nullable && !is_filled) else {
            return Some(example);
        };
        let mut filled = example.clone();
        put(&mut filled, schema, &place.path, json!(own));
        let reply = self.request_at(operation, &self.path(operation).await, Some(&filled)).await;
        let errors = reply.errors();
        if reply.status != 422 || !errors.iter().all(|error| error.ends_with(" contradiction")) {
            // It may have been carried out, and what was made for it be gone.
            return self.body(operation).await;
        }
        let mut around = example;
        let create = operations()
            .into_iter()
            .find(|one| format!("{}/{{id}}", one.path) == operation.path && one.method == "post");
        let required = resolve(&create.unwrap_or(operation).body()?["schema"])["required"].clone();
        let is_required = |other: &Place| {
            required.as_array().is_some_and(|names| names.iter().any(|name| name == other.path[0].as_str()))
        };
        for other in places(schema).iter().filter(|other| other.entity().is_some() && !other.is_own_id()) {
            // What has to be there stays.
            let is_same = other.entity() == Some(entity);
            if is_same || !is_required(other) {
                let value = if is_same { json!(own) } else { Value::Null };
                put(&mut around, schema, &other.path, value);
            }
        }
        Some(around)
    }

    /// The path of an operation. What a write may do away with is made for it.
    pub async fn path(&self, operation: Operation) -> String {
        let mut path = operation.path.to_owned();
        for parameter in operation.parameters("path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let schema = &parameter["schema"];
            let value = match (name, schema["x-entity"].as_str()) {
                // An event is debriefed with the people that it has.
                (_, Some(entity)) if operation.path.ends_with("/debrief") => self.ids[entity].clone(),
                (_, Some(entity)) if operation.writes() => self.make(entity).await.0,
                (_, Some(entity)) => self.ids[entity].clone(),
                ("secret", None) => {
                    let body = json!({"name": "net", "contents": ["follow_ups"]});
                    let made = self.client.post("/v1/calendar-feeds", &body).await.expect(201);
                    let path = made.body["path"].as_str().unwrap_or_default();
                    path.trim_start_matches("/calendar/").trim_end_matches(".ics").to_owned()
                }
                ("token", None) => self.unsubscribe_token(),
                ("version", None) => {
                    let made = self.make(Entity::ALL[0].as_str()).await;
                    made.1.expect("a record has a version").to_string()
                }
                (_, None) if schema["enum"].is_array() => {
                    schema["enum"][0].as_str().unwrap_or_default().to_owned()
                }
                _ => panic!("{operation}: no value for {{{name}}}. Teach World::path in tests/api/operations.rs."),
            };
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        path
    }

    /// A request that the operation carries out: with the first query parameter that has an example of its own, which
    /// an operation gives that needs one.
    pub async fn request(&self, operation: Operation) -> Request {
        let request = self.bare_request(operation).await;
        let parameters = operation.parameters("query");
        let example = |one: &&'static Value| {
            let example = &one["example"];
            Some((one["name"].as_str()?, example[0].as_str().or(example.as_str())?))
        };
        match parameters.iter().find_map(example) {
            Some((name, example)) => {
                let own =
                    parameters.iter().find(|one| one["name"] == name).and_then(|one| self.ids_for(one).pop());
                request.query(&[(name, own.as_deref().unwrap_or(example))])
            }
            None => request,
        }
    }

    /// Ids of this world for a parameter that takes those of several kinds.
    pub fn ids_for(&self, parameter: &Value) -> Vec<String> {
        let kinds = parameter["schema"]["x-entities"].as_array().into_iter().flatten();
        kinds.filter_map(|kind| self.ids.get(kind.as_str()?).cloned()).collect()
    }

    /// A request with this value of a parameter, in place of its example.
    pub async fn request_with(&self, operation: Operation, name: &str, value: &str) -> Request {
        let has_example = |one: &&&'static Value| one["example"][0].is_string() || one["example"].is_string();
        let parameters = operation.parameters("query");
        let is_of_it = parameters.iter().find(has_example).is_some_and(|one| one["name"] == name);
        let request = if is_of_it { self.bare_request(operation).await } else { self.request(operation).await };
        request.query(&[(name, value)])
    }

    /// The same without any query.
    pub async fn bare_request(&self, operation: Operation) -> Request {
        let path = self.path(operation).await;
        let body = self.body(operation).await;
        self.request_at(operation, &path, body.as_ref())
    }

    pub fn request_at(&self, operation: Operation, path: &str, body: Option<&Value>) -> Request {
        let mut request = self.client.request(operation.method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        // Neither creating nor replacing goes without saying.
        let request = if operation.method == "put" { request.if_match("*") } else { request };
        if self.in_batch && operation.may_stand_in_batch() { request.in_batch() } else { request }
    }
}

/// The kinds of record that have operations of their own: derived ones are read with what they are derived from.
pub fn served() -> impl Iterator<Item = Entity> {
    Entity::ALL.iter().copied().filter(|entity| !is_derived(*entity))
}

/// The kinds of thing that have a path of their own; what others refer to comes first.
fn kinds() -> Vec<String> {
    let mut kinds: Vec<String> = served().map(|entity| entity.as_str().to_owned()).collect();
    for operation in operations() {
        for parameter in operation.parameters("path") {
            let entity = parameter["schema"]["x-entity"].as_str().map(str::to_owned);
            if let Some(entity) = entity.filter(|entity| !kinds.contains(entity)) {
                kinds.push(entity);
            }
        }
    }
    kinds
}

/// `/v1/contacts` for `contact`: what `/{id}` of this kind follows.
pub fn collection_of(entity: &str) -> &'static str {
    let own = operations().into_iter().find_map(|operation| {
        let collection = operation.path.strip_suffix("/{id}")?;
        let is_it = operation.parameters("path").iter().any(|parameter| parameter["schema"]["x-entity"] == entity);
        is_it.then_some(collection)
    });
    own.unwrap_or_else(|| panic!("no path has the id of a {entity} at its end"))
}

/// An address that nobody has.
pub fn new_email() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    format!("person-{}@example.com", COUNTER.fetch_add(1, Ordering::Relaxed))
}
