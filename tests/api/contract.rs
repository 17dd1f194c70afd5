//! The contract net: the document is the code, whole and true. Everything is found by reading the document, so a new
//! operation is covered as it is; what a handler means is tested in its resource's own file.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value, json};
use wellmet::{
    api::{
        self,
        http::document::NO_NUL,
        http::messages::problem::{self, Code},
    },
    domain::{count::thousands, entity::Entity, reference::REFERENCES, scope::SCOPES},
};

use crate::{
    operations::{
        NOBODYS_ID, Operation, Place, Report, World, body_examples, document, example_of, faults, full, is_map,
        operations, places, put, resolve, sample, schema_of_one, served, told, validator_of,
    },
    support::{Backend, Mailbox, Reply, Request, TestServer},
};

/// Operations that need no token.
const PUBLIC: &[&str] = &[
    "confirm_password_reset",
    "get_document",
    "get_error",
    "get_liveness",
    "get_metrics",
    "get_readiness",
    "get_service",
    "get_unsubscribe_page",
    "list_errors",
    "log_in",
    "log_out",
    "open_docs",
    "read_calendar",
    "refresh_session",
    "register_user",
    "request_password_reset",
    "unsubscribe_email",
];

/// Operations that need a token, of whatever scope, and why.
const OF_ANY_TOKEN: &[(&str, &str)] = &[
    ("send_batch", "each operation of a batch is judged by its own scope"),
    ("list_operations", "what an operation tells of records is told to those who may read them"),
    ("get_operation", "the same"),
    ("cancel_operation", "the scope goes by what the operation edits"),
];

/// What a browser's script may read of an answer.
const EXPOSED: [&str; 10] = [
    "content-location",
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "idempotent-replayed",
    "wellmet-write",
    "x-request-id",
];

// The document by itself.

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let made = api::document_text().expect("a value");
    assert!(read("openapi.json") == made, "openapi.json is stale: cargo run -- openapi --write");
    assert!(read("errors.md") == problem::catalog_markdown(), "errors.md is stale: cargo run -- openapi --write");
}

/// Bytes of the document as it is served, for each of its operations.
const MAX_BYTES_AN_OPERATION: usize = 4_600;

#[test]
fn the_document_stays_small() {
    let (bytes, count) = (api::DOCUMENT.len(), operations().len());
    let served: Value = serde_json::from_str(api::DOCUMENT).expect("the served document is JSON");
    assert!(served == *document(), "the served document is stale: build once more");
    let size = |value: &Value| value.to_string().len();
    let parts = document()["components"].as_object().expect("components");
    let parts: Vec<String> = parts.iter().map(|(name, part)| format!("{name} {}", size(part))).collect();
    assert!(
        bytes <= MAX_BYTES_AN_OPERATION * count,
        "{bytes} bytes for {count} operations: {} each. paths {}, {}",
        bytes / count,
        size(&document()["paths"]),
        parts.join(", ")
    );
}

#[test]
fn every_operation_says_what_it_is() {
    let mut report = Report::default();
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let (id, json) = (operation.id(), operation.json);
        let words: Vec<&str> = id.split('_').collect();
        let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_lowercase());
        report.require(words.len() > 1 && words.iter().all(is_word), || {
            format!("{operation}: the operationId {id:?} is not verb_noun")
        });
        report.require(ids.insert(id), || format!("{operation}: another operation is called {id}"));
        report.require(is_text(&json["summary"]), || format!("{operation} has no summary"));
        report.require(json["tags"].as_array().is_some_and(|tags| tags.len() == 1), || {
            format!("{operation} has not one tag but {}", json["tags"])
        });
        match operation.scope() {
            None if operation.is_secured() => {
                report.require(OF_ANY_TOKEN.iter().any(|(known, _)| *known == id), || {
                    format!("{operation} needs a token without a scope and {id} is not in the list of those")
                });
            }
            None => {
                report.require(PUBLIC.contains(&id), || {
                    format!("{operation} names no scope and {id} is not in the list of public ones")
                });
                report.require(json["security"] == json!([]), || {
                    format!("{operation} does not say that it is public")
                });
            }
            Some(scope) => {
                let kind = if operation.writes() { ":write" } else { ":read" };
                report.require(SCOPES.contains(&scope) && scope.ends_with(kind), || {
                    format!("{operation} needs the scope {scope}")
                });
                report.require(!PUBLIC.contains(&id), || format!("{operation} is in the list of public ones"));
            }
        }
        for parameter in json["parameters"].as_array().into_iter().flatten() {
            report.require(is_text(&parameter["description"]) && parameter["schema"].is_object(), || {
                format!("{operation}: the parameter {} has no description, or no schema", parameter["name"])
            });
            for example in parameter
                .get("example")
                .into_iter()
                .chain(parameter["schema"]["examples"].as_array().into_iter().flatten())
            {
                for error in validator_of(&parameter["schema"]).iter_errors(example) {
                    report.note(format!("{operation}: the example of {}: {error}", parameter["name"]));
                }
            }
        }
        for name in operation.path.split('/').filter_map(|part| Some(part.strip_prefix('{')?.split_once('}')?.0)) {
            report.require(operation.has_parameter("path", name), || {
                format!("{operation} does not tell {{{name}}}")
            });
        }
    }
    for name in PUBLIC.iter().chain(OF_ANY_TOKEN.iter().map(|(name, _)| name)) {
        report.require(ids.contains(name), || format!("{name} is in a list here and does not exist"));
    }
    report.end();
}

#[test]
fn every_example_of_a_body_fits_its_schema() {
    let mut report = Report::default();
    for operation in operations() {
        let content = operation.json.pointer("/requestBody/content").and_then(Value::as_object);
        for (kind, media) in content.into_iter().flatten() {
            let examples = body_examples(media);
            report.require(!examples.is_empty(), || format!("{operation}: {kind} has no example"));
            let validator = validator_of(&media["schema"]);
            for error in examples.iter().flat_map(|example| validator.iter_errors(example)) {
                report.note(format!("{operation}: the example at {}: {error}", error.instance_path()));
            }
        }
    }
    report.end();
}

#[test]
fn every_error_an_operation_documents_is_a_problem_of_the_catalog() {
    let mut report = Report::default();
    for operation in operations() {
        for (status, answer) in operation.json["responses"].as_object().into_iter().flatten() {
            let status: u16 = status.parse().expect("a status");
            report
                .require(is_text(&answer["description"]), || format!("{operation}: {status} has no description"));
            if status < 400 {
                continue;
            }
            let kinds: Vec<&String> = answer["content"].as_object().into_iter().flat_map(Map::keys).collect();
            report
                .require(kinds == ["application/problem+json"], || format!("{operation}: {status} is {kinds:?}"));
            let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
            report.require(schema == "#/components/schemas/Problem", || {
                format!("{operation}: {status} is {schema}")
            });
            let codes = operation.codes(status);
            report.require(!codes.is_empty(), || format!("{operation}: {status} names no code"));
            for code in codes {
                report.require(Code::parse(code).is_some_and(|code| code.status() == status), || {
                    format!("{operation}: {status} {code} is not in the catalog")
                });
            }
        }
    }
    report.end();
}

#[test]
fn every_reference_resolves_and_every_component_is_referred_to() {
    let mut report = Report::default();
    let mut open = Vec::new();
    references(&document()["paths"], &mut open);
    let mut seen = BTreeSet::new();
    while let Some(reference) = open.pop() {
        if seen.insert(reference.clone()) {
            match document().pointer(reference.trim_start_matches('#')) {
                Some(target) => references(target, &mut open),
                None => report.note(format!("{reference} does not resolve")),
            }
        }
    }
    for kind in ["examples", "headers", "schemas"] {
        let all = document()["components"][kind].as_object().expect("components");
        for reference in all.keys().map(|name| format!("#/components/{kind}/{name}")) {
            report.require(seen.contains(&reference), || format!("nothing refers to {reference}"));
        }
    }
    report.end();
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                match member.as_str() {
                    Some(reference) if name == "$ref" => found.push(reference.to_owned()),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn how_many_may_refer_to_one_is_told_where_one_more_is_made() {
    let mut report = Report::default();
    for reference in REFERENCES.iter().filter(|reference| served().any(|entity| entity == reference.from)) {
        let Some(most) = reference.most else { continue };
        let (own, field) = (reference.from.segment(), reference.pointer.trim_start_matches('/'));
        let (list, record) = (format!("/v1/{own}"), format!("/v1/{own}/{{id}}"));
        let below = format!("/v1/{}/{{id}}/{own}", reference.to.segment());
        let making: Vec<Operation> = operations()
            .into_iter()
            .filter(|operation| {
                operation.method == "post" && [&list, &below].iter().any(|path| operation.path == *path)
                    || operation.method == "put" && operation.path == record
                    || reference.from == Entity::PlanRun && operation.id() == "apply_follow_up_plan"
            })
            .collect();
        let ways = if reference.from == Entity::PlanRun { 1 } else { 2 };
        report.require(making.len() >= ways, || format!("nothing makes a {}", reference.from));
        let place = if reference.join.is_some() { "in" } else { "as" };
        let rule = format!(
            "{} {} can have the same {} {place} `{field}`",
            thousands(most),
            reference.from.plural_words(),
            reference.to.words()
        );
        for operation in making {
            let told = operation.json["description"].as_str().unwrap_or_default();
            report.require(told.contains(&rule), || format!("{operation} does not tell that {rule}"));
        }
    }
    report.end();
}

#[test]
fn every_field_says_what_it_means() {
    let mut report = Report::default();
    for (name, schema) in document()["components"]["schemas"].as_object().expect("schemas") {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            report.require(is_described(schema), || format!("{name}.{field} has no description"));
        }
    }
    report.end();
}

/// By itself, or by what it refers to; within a choice no generator of clients looks for it.
fn is_described(schema: &Value) -> bool {
    let in_branch =
        schema["oneOf"].as_array().into_iter().flatten().any(|branch| branch["description"].is_string());
    !in_branch && (is_text(&schema["description"]) || is_text(&resolve(schema)["description"]))
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[test]
fn every_id_says_what_it_is_an_id_of() {
    let mut report = Report::default();
    for (name, schema) in document()["components"]["schemas"].as_object().expect("schemas") {
        let properties = schema["properties"].as_object();
        // Where `entity` stands beside it, that says so.
        let is_told = properties.is_some_and(|properties| properties.contains_key("entity"));
        for (field, schema) in properties.into_iter().flatten() {
            check_id(&format!("{name}.{field}"), field, schema, is_told, &mut report);
        }
    }
    for operation in operations() {
        for parameter in operation.json["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            check_id(&format!("{operation}: {name}"), name, &parameter["schema"], false, &mut report);
        }
    }
    report.end();
}

fn check_id(place: &str, name: &str, schema: &Value, is_told: bool, report: &mut Report) {
    let resolved = resolve(schema);
    let one = if resolved["items"].is_object() { resolve(&resolved["items"]) } else { resolved };
    let is_named = one["type"] == "string" && (name.ends_with("_id") || name.ends_with("_ids"));
    let is_id = one["format"] == "uuid" || is_named;
    let is_told = is_told || is_text(&one["x-entity"]) || one["x-entities"].is_array();
    report.require(!is_id || is_told, || format!("{place} has no x-entity"));
    report.require(one["x-entity"].is_null() || one["format"] == "uuid", || format!("{place} is no uuid"));
}

#[test]
fn everything_that_can_be_entered_is_bounded() {
    let mut report = Report::default();
    for operation in operations() {
        let Some(media) = operation.body() else { continue };
        for place in places(&media["schema"]) {
            let has = |names: &[&str]| names.iter().any(|name| !place.schema[*name].is_null());
            let is_bounded = match place.schema["type"].as_str() {
                Some("string") => has(&["maxLength", "enum", "format", "pattern"]),
                Some("array") => has(&["maxItems"]),
                Some("integer" | "number") => has(&["maximum"]) && has(&["minimum"]),
                Some("object") if place.schema["properties"].is_object() => {
                    place.schema["additionalProperties"] == false
                }
                Some("object") => has(&["maxProperties"]),
                _ => true,
            };
            report.require(is_bounded, || format!("{operation}: {} has no limit", place.pointer()));
        }
    }
    report.end();
}

// The document against a running server.

/// The operations in an order in which one world can carry them out.
fn in_order() -> Vec<Operation> {
    let mut all = operations();
    all.sort_by_key(|operation| (operation.writes(), operation.method == "delete"));
    all
}

on_both! {
    async fn every_operation_is_carried_out_as_documented(backend: Backend) {
        let server = TestServer::start_with(backend, Mailbox::new().configure()).await;
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        carry_out_all(&server, &world, in_order(), &mut report).await;
        report.end();
    }

    async fn every_operation_of_a_batch_is_carried_out_as_documented(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await.in_batch();
        let operations: Vec<Operation> = in_order().into_iter().filter(Operation::may_stand_in_batch).collect();
        assert!(operations.len() > 10, "the document was read");
        carry_out_all(&server, &world, operations, &mut report).await;
        report.end();
    }

    async fn what_may_not_stand_in_a_batch_is_refused_whole(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| !operation.may_stand_in_batch()) {
            let reply = world.request(operation).await.in_batch().await;
            let at = "#/operations/0/path";
            let refusals = [format!("{at} not_allowed"), format!("{at} invalid_format")];
            let is_refused = reply.status == 422 && matches!(&*reply.errors(), [one] if refusals.contains(one));
            report.require(is_refused, || format!("{operation} in a batch: {}", told(&reply)));
        }
        report.end();
    }

    async fn a_record_keeps_every_field_it_can_have(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| operation.method == "post") {
            let (Some(media), true) = (operation.body(), operation.scope().is_some()) else { continue };
            if !operations().iter().any(|other| other.path == format!("{}/{{id}}", operation.path)) {
                continue;
            }
            let mut body = full(&media["schema"]);
            world.own_ids(&mut body, &media["schema"]);
            world.fill_in(operation, &mut body).await;
            if !body["expires_at"].is_null() {
                body["expires_at"] = json!("2027-01-01T00:00:00Z");
            }
            let mut made = world.client.post(operation.path, &body).await;
            report.check(operation, &made);
            // What cannot stand beside the rest is left out, and the rest has to be kept. Some of it is seen only once the
            // rest makes sense.
            let mut left_out = Vec::new();
            for _ in 0..2 {
                let (errors, contradiction) = (made.errors(), " contradiction");
                if made.status != 422 || !errors.iter().all(|error| error.ends_with(contradiction)) {
                    break;
                }
                for error in errors {
                    let pointer = error.trim_start_matches('#').trim_end_matches(contradiction);
                    *body.pointer_mut(pointer).expect("the place of a fault") = Value::Null;
                    left_out.push(pointer.trim_start_matches('/').to_owned());
                }
                made = world.client.post(operation.path, &body).await;
                report.check(operation, &made);
            }
            if made.status != 201 {
                report.note(format!("{operation}: {} to {body}", told(&made)));
                continue;
            }
            let path = made.location();
            let sent = body.as_object().expect("an object");
            // What was left out may follow from the rest.
            for (name, sent) in sent.iter().filter(|(name, _)| !left_out.contains(name)) {
                report.require(holds(&made.body[name], sent), || {
                    format!("{operation}: {name} was sent as {sent} and is {}", made.body[name])
                });
            }
            let read = world.client.get(&path).await;
            let get = operations()
                .into_iter()
                .find(|other| other.method == "get" && other.path == format!("{}/{{id}}", operation.path));
            report.check(get.expect("a path of its own"), &read);
            for (name, value) in read.body.as_object().expect("an object") {
                report.require(*value == made.body[name], || format!("{operation}: {name} is read as {value}"));
            }
        }
        report.end();
    }

    async fn every_other_method_is_refused_with_those_there_are(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations() {
            let methods: BTreeSet<String> = operations()
                .iter()
                .filter(|other| other.path == operation.path)
                .map(|other| other.method.to_uppercase())
                .collect();
            let mut allowed = methods.clone();
            if allowed.contains("GET") {
                allowed.insert("HEAD".to_owned());
            }
            let path = plain_path(operation, &world);
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
                for client in [&world.client, &server.client()] {
                    let reply = client.request(method, &path).await;
                    if allowed.contains(method) {
                        report.require(reply.status != 405, || format!("{method} {path} is refused"));
                        continue;
                    }
                    let told: BTreeSet<String> =
                        reply.header("Allow").unwrap_or_default().split(", ").map(str::to_owned).collect();
                    report.require(reply.status == 405 && told == allowed, || {
                        format!("{method} {path} is {}, Allow {told:?} and not {allowed:?}", reply.status)
                    });
                    if method != "HEAD" {
                        report.require(reply.body["code"] == "method_not_allowed", || {
                            format!("{method} {path} is no problem: {}", told_all(&reply))
                        });
                        for fault in faults(None, &reply) {
                            report.note(format!("{method} {path}: {fault}"));
                        }
                    }
                }
            }
        }
        report.end();
    }

    async fn head_answers_as_get_without_a_body(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| operation.method == "get") {
            let path = world.path(operation).await;
            for client in [&world.client, &server.client()] {
                let (get, head) = (client.get(&path).await, client.request("HEAD", &path).await);
                report.require(head.status == get.status && head.text.is_empty(), || {
                    format!("HEAD {path} is {} {:?}, GET {}", head.status, head.text, get.status)
                });
                for name in ["Content-Type", "ETag", "Cache-Control", "WWW-Authenticate"] {
                    report.require(head.header(name) == get.header(name), || format!("HEAD {path}: another {name}"));
                }
            }
        }
        report.end();
    }

    async fn a_query_takes_what_is_documented_and_nothing_else(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| !operation.changes_account()) {
            let request = world.request(operation).await;
            for name in ["no_such_parameter", "Limit", "limit[]", ""] {
                let reply = request.clone().query(&[(name, "1")]).await;
                report.expect(operation, &format!("?{name}=1"), &reply, 400, "unknown_parameter");
            }
            let (path, body) = (world.path(operation).await, world.body(operation).await);
            for query in ["no_such_parameter=%ff", "q=%E2%82", "limit=%zz", "%", "q=%00"] {
                let reply = world.request_at(operation, &format!("{path}?{query}"), body.as_ref()).await;
                report.expect(operation, &format!("?{query}"), &reply, 400, "invalid_parameter");
            }
            // A refused request changes nothing, so all bad values can share one record.
            let bare = world.request_at(operation, &path, body.as_ref());
            for parameter in operation.parameters("query") {
                check_good_values(&world, operation, parameter, &mut report).await;
                check_bad_values(operation, parameter, &bare, &mut report).await;
            }
        }
        report.end();
    }

    async fn a_body_is_held_to_every_limit_of_its_schema(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations() {
            let Some(media) = operation.body() else { continue };
            let path = world.path(operation).await;
            let example = world.body(operation).await.expect("an example");
            for Trial { what, body, expected, forbidden } in trials(&media["schema"], &example) {
                let reply = world.request_at(operation, &path, Some(&body)).await;
                report.check(operation, &reply);
                let errors = reply.errors();
                if !expected.is_empty() && (reply.status, &reply.body["code"]) != (422, &json!("invalid")) {
                    report.note(format!("{operation}: {what}: {}", told(&reply)));
                    continue;
                }
                for missing in expected.iter().filter(|error| !errors.contains(error)) {
                    let near: Vec<&String> =
                        errors.iter().filter(|error| error.starts_with(pointer_of(missing))).collect();
                    report.note(format!("{operation}: {what}: not {missing:?} but {near:?}"));
                }
                for error in errors.iter().filter(|error| forbidden.contains(error)) {
                    report.note(format!("{operation}: {what}: {error}"));
                }
            }
        }
        report.end();
    }

    async fn a_body_that_is_none_is_refused_the_same_everywhere(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations() {
            let path = world.path(operation).await;
            let body = world.body(operation).await.unwrap_or_else(|| json!({}));
            let good = serde_json::to_vec(&body).expect("a value");
            let request = || world.request_at(operation, &path, None);
            let gzip = request().bytes("application/json", good.clone()).header("Content-Encoding", "gzip").await;
            report.expect(operation, "gzip", &gzip, 415, "unsupported_content_encoding");
            if !operation.reads_body() {
                continue;
            }
            let cases: Vec<(&str, &str, Vec<u8>, u16, &str)> = vec![
                ("text/plain", "text/plain", good.clone(), 415, "unsupported_media_type"),
                ("no media type", "", good, 415, "unsupported_media_type"),
                ("no JSON", "application/json", b"{".to_vec(), 400, "invalid_json"),
                ("no UTF-8", "application/json", b"{\"a\":\"\xff\"}".to_vec(), 400, "invalid_json"),
                ("a key twice", "application/json", b"{\"a\":1,\"a\":1}".to_vec(), 400, "invalid_json"),
                ("depth 65", "application/json", nested(65), 400, "invalid_json"),
                ("depth 64", "application/json", nested(64), 422, "invalid"),
                ("a list", "application/json", b"[]".to_vec(), 422, "invalid"),
                ("null", "application/json", b"null".to_vec(), 422, "invalid"),
                ("NUL", "application/json", b"{\"a\":\"\\u0000\"}".to_vec(), 422, "invalid"),
                ("1 MiB and 1", "application/json", padded(1024 * 1024 + 1), 413, "body_too_large"),
                match operation.is_secured() {
                    true => ("1 MiB", "application/json", padded(1024 * 1024), 422, "invalid"),
                    false => ("16 KiB and 1", "application/json", padded(16 * 1024 + 1), 413, "body_too_large"),
                },
            ];
            for (what, kind, bytes, status, code) in cases {
                let reply = request().bytes(kind, bytes).await;
                report.expect(operation, what, &reply, status, code);
                if what == "NUL" {
                    let found = reply.errors().contains(&"#/a invalid_format".to_owned());
                    report.require(found, || format!("{operation}: NUL: {}", told(&reply)));
                }
                if status == 415 && operation.method == "patch" {
                    let accepts = reply.header("Accept-Patch").unwrap_or_default();
                    let content = operation.json.pointer("/requestBody/content").and_then(Value::as_object);
                    for kind in content.into_iter().flat_map(Map::keys) {
                        report.require(accepts.split(", ").any(|one| one == kind), || {
                            format!("{operation}: Accept-Patch is {accepts:?}")
                        });
                    }
                }
            }
        }
        report.end();
    }

    async fn a_header_is_held_to_its_limit(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| !operation.changes_account()) {
            let key = operation.has_parameter("header", "Idempotency-Key");
            if operation.writes() && !key {
                let reply = world.request(operation).await.idempotency_key("a key").await;
                report.expect(operation, "Idempotency-Key", &reply, 400, "idempotency_not_allowed");
            }
            for parameter in operation.parameters("header") {
                let Some(limit) = parameter["schema"]["maxLength"].as_u64() else { continue };
                let name = parameter["name"].as_str().unwrap_or_default();
                let long = "k".repeat(usize::try_from(limit).expect("a length") + 1);
                let reply = world.request(operation).await.header(name, &long).await;
                report.expect(operation, &format!("{name} too long"), &reply, 400, "invalid_parameter");
            }
        }
        report.end();
    }

    async fn a_write_beyond_the_limit_of_records_is_refused_as_documented(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let count_more = |more: &str| {
            server.database.execute(&format!("UPDATE workspaces SET record_count = record_count {more} 1000000000"));
        };
        let mut refused = 0;
        for operation in operations().into_iter().filter(|one| one.writes() && !one.changes_account()) {
            let request = world.request(operation).await;
            count_more("+");
            let reply = request.await;
            count_more("-");
            report.check(operation, &reply);
            refused += usize::from(reply.body["code"] == "limit_reached");
        }
        assert!(refused > 40, "{refused} operations are refused");
        report.end();
    }

    async fn what_is_left_of_a_limit_is_told_as_documented(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.rate_limits = true).await;
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for operation in operations().into_iter().filter(|operation| !operation.writes()) {
            let reply = world.request(operation).await.await;
            report.check(operation, &reply);
            let is_limited = operation.is_secured() || operation.path.contains("{secret}");
            for name in ["RateLimit", "RateLimit-Policy"] {
                report.require(reply.header(name).is_some() == is_limited, || {
                    format!("{operation}: {name} is {:?}", reply.header(name))
                });
            }
        }
        report.end();
    }

    async fn who_knows_an_old_version_is_told_the_new_one(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let stale = "\"another-database.1.1\"";
        for operation in operations().into_iter().filter(|operation| operation.has_parameter("header", "If-Match")) {
            let reply = &world.request(operation).await.if_match(stale).await;
            report.expect(operation, "a stale tag", reply, 412, "precondition_failed");
            let told = reply.body["detail"].as_str().unwrap_or_default();
            let tag = reply.header("ETag").unwrap_or("no ETag");
            let is_told = told.starts_with("The current ETag is \"") && told.contains(tag);
            report.require(is_told, || format!("{operation}: {told}"));
        }
        report.end();
    }

    async fn a_record_that_was_merged_is_found_under_its_old_id(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        for entity in served() {
            let path = format!("/v1/{}/{{id}}", entity.segment());
            let find = |method: &str, path: &str| {
                operations().into_iter().find(|other| other.method == method && other.path == path)
            };
            let get = find("get", &path).expect("a record can be read");
            let merge = find("post", &path.replace("{id}", "merge"));
            let told = get.json["description"].as_str().unwrap_or_default();
            report.require(told.contains("merged into another") == merge.is_some(), || format!("{get}: {told:?}"));
            if merge.is_none() {
                continue;
            }
            let (keep, other) = (world.make(entity.as_str()).await.0, world.make(entity.as_str()).await.0);
            let body = json!({"keep_id": keep, "merge_ids": [other]});
            world.client.post(&path.replace("{id}", "merge"), &body).await.expect(200);
            let include = get.parameters("query").into_iter().find(|parameter| parameter["name"] == "include");
            let queries = include.map(|include| format!("?include={}", text_of(&sample_of(include))));
            for query in [String::new()].into_iter().chain(queries) {
                let reply = world.client.get(&format!("{}{query}", path.replace("{id}", &other))).await;
                report.check(get, &reply);
                let living = path.replace("{id}", &keep);
                report.require(reply.header("Content-Location") == Some(&living), || format!("{get}{query}: {reply}"));
            }
        }
        report.end();
    }

    async fn a_browser_may_read_every_answer_and_ask_first_without_a_token(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let origin = "https://app.example";
        for operation in operations().into_iter().filter(|operation| !operation.changes_account()) {
            let path = plain_path(operation, &world);
            let preflight = server
                .client()
                .request("OPTIONS", &path)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", &operation.method.to_uppercase())
                .header("Access-Control-Request-Headers", "authorization, content-type, if-match, idempotency-key")
                .await;
            report.require(preflight.status < 300, || format!("{operation}: preflight {}", told_all(&preflight)));
            cors_faults(operation, "preflight", &preflight, &mut report);
            let methods = preflight.header("Access-Control-Allow-Methods").unwrap_or_default().to_uppercase();
            let headers = preflight.header("Access-Control-Allow-Headers").unwrap_or_default().to_lowercase();
            let methods: BTreeSet<&str> = methods.split(',').map(str::trim).collect();
            let offered = BTreeSet::from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
            report.require(methods == offered, || format!("{operation}: a browser is offered {methods:?}"));
            for name in ["authorization", "content-type", "if-match", "idempotency-key"] {
                report.require(headers.contains(name), || format!("{operation}: preflight allows {headers:?}"));
            }
            let good = world.request(operation).await.header("Origin", origin).await;
            let anonymous = server.client().request(operation.method, &path).header("Origin", origin).await;
            let wrong = world.client.request("PROPFIND", &path).header("Origin", origin).await;
            let unknown = world.client.get(&format!("{path}/no/such")).header("Origin", origin).await;
            for (what, reply) in [("good", good), ("anonymous", anonymous), ("405", wrong), ("404", unknown)] {
                cors_faults(operation, what, &reply, &mut report);
                let exposed = reply.header("Access-Control-Expose-Headers").unwrap_or_default().to_lowercase();
                let exposed: BTreeSet<&str> = exposed.split(',').map(str::trim).collect();
                report.require(exposed == BTreeSet::from(EXPOSED), || format!("{operation}, {what}: {exposed:?}"));
            }
        }
        report.end();
    }

    async fn the_type_of_every_problem_is_a_page(server: TestServer) {
        let mut report = Report::default();
        let client = server.client();
        for code in Code::ALL {
            let path = problem::Problem::new(*code).to_json(None)["type"].as_str().unwrap_or_default().to_owned();
            let page = client.get(&path).await;
            report.require(page.status == 200 && page.text.contains(code.title()), || format!("{path}: {page}"));
            let json = client.get(&path).header("Accept", "application/json").await;
            report.require(json.body["status"] == code.status(), || format!("{path}: {json}"));
        }
        report.end();
    }

    async fn what_is_no_operation_is_a_problem(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for client in [&ada, &server.client()] {
            for path in ["/", "/v1/", "/v2", "/v1/nothing", "/v1/contacts/", "/v1//contacts", "/v1/contacts/%FF", "/V1"] {
                let reply = client.get(path).await;
                if client.access_token.is_empty() && reply.status == 401 {
                    reply.problem(401, "unauthenticated");
                } else {
                    reply.problem(404, "not_found");
                }
                assert_eq!(faults(None, &reply), [""; 0], "{path}");
            }
        }
        for head in ["GET / HTTP/9.9\r\n\r\n", "nonsense\r\n\r\n", "GET /v1/contacts HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"] {
            let reply = server.raw(head).await;
            assert_eq!(reply.status, 400, "{head:?}: {reply}");
        }
    }
}

async fn carry_out_all(server: &TestServer, world: &World<'_>, operations: Vec<Operation>, report: &mut Report) {
    for operation in operations {
        let own = if operation.changes_account() {
            Some(World::new(server, &crate::operations::new_email()).await)
        } else {
            None
        };
        let world = own.as_ref().unwrap_or(world);
        let takes_key = operation.has_parameter("header", "Idempotency-Key");
        let mut request = world.request(operation).await;
        if takes_key {
            request = request.idempotency_key(operation.id());
        }
        let reply = request.clone().await;
        report.check(operation, &reply);
        report.require(reply.status < 400, || format!("{operation}: the example is answered {}", told(&reply)));
        if takes_key {
            let again = request.await;
            report.check(operation, &again);
            let is_replayed = again.header("Idempotent-Replayed") == Some("true");
            report.require(is_replayed && (again.status, &again.text) == (reply.status, &reply.text), || {
                format!("{operation}: sent twice under one key {}", told(&again))
            });
        }
        if operation.has_parameter("header", "If-None-Match") && !operation.writes() {
            match reply.header("ETag") {
                None => report.note(format!("{operation} documents If-None-Match and sends no ETag")),
                Some(tag) => {
                    let again = world.request(operation).await.if_none_match(tag).await;
                    report.check(operation, &again);
                    report.require(again.status == 304 && again.text.is_empty(), || {
                        format!("{operation}: with its own ETag {}", told(&again))
                    });
                }
            }
        }
    }
}

fn told_all(reply: &Reply) -> String {
    format!("{} {}", told(reply), reply.text)
}

fn cors_faults(operation: Operation, what: &str, reply: &Reply, report: &mut Report) {
    let origin = reply.header("Access-Control-Allow-Origin");
    report.require(origin == Some("*"), || {
        format!("{operation}, {what}: Access-Control-Allow-Origin is {origin:?}")
    });
    let credentials = reply.header("Access-Control-Allow-Credentials");
    report.require(credentials.is_none(), || format!("{operation}, {what}: credentials are allowed"));
}

/// A path of the operation that names nothing that is there.
fn plain_path(operation: Operation, world: &World<'_>) -> String {
    operation.parameters("path").iter().fold(operation.path.to_owned(), |path, parameter| {
        let name = parameter["name"].as_str().unwrap_or_default();
        let value = match parameter["schema"]["x-entity"].as_str() {
            Some(entity) if !operation.writes() => world.ids[entity].clone(),
            Some(_) => NOBODYS_ID.to_owned(),
            None => "1".to_owned(),
        };
        path.replace(&format!("{{{name}}}"), &value)
    })
}

/// Whether an answer holds what was sent; a map or an object may hold more.
fn holds(kept: &Value, sent: &Value) -> bool {
    match (kept, sent) {
        (Value::Object(kept), Value::Object(sent)) => {
            sent.iter().all(|(name, sent)| kept.get(name).is_some_and(|kept| holds(kept, sent)))
        }
        _ => kept == sent,
    }
}

/// `{"a":[[…]]}`, so many levels deep.
fn nested(levels: usize) -> Vec<u8> {
    format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1)).into_bytes()
}

/// A JSON object of exactly so many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let (start, end) = ("{\"no_such_field\":\"", "\"}");
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len())).into_bytes()
}

// Parameters.

async fn check_good_values(world: &World<'_>, operation: Operation, parameter: &Value, report: &mut Report) {
    let name = parameter["name"].as_str().unwrap_or_default();
    let one = schema_of_one(parameter);
    for value in good_values(world, operation, name, parameter, &one).await {
        let mut reply = world.bare_request(operation).await.query(&[(name, &value)]).await;
        report.check(operation, &reply);
        // Some parameters mean something only beside another one.
        for other in operation.parameters("query") {
            let other_name = other["name"].as_str().unwrap_or_default();
            if reply.status == 400 && other_name != name {
                let other_value = text_of(&sample_of(other));
                let query = [(name, value.as_str()), (other_name, other_value.as_str())];
                reply = world.bare_request(operation).await.query(&query).await;
            }
        }
        report
            .require(reply.status < 400, || format!("{operation}: ?{name}={value} is answered {}", told(&reply)));
    }
}

async fn check_bad_values(operation: Operation, parameter: &Value, bare: &Request, report: &mut Report) {
    let name = parameter["name"].as_str().unwrap_or_default();
    let one = schema_of_one(parameter);
    let limit = |name: &str| one[name].as_i64();
    let mut bad = Vec::new();
    bad.extend(limit("maximum").map(|most| (most + 1).to_string()));
    bad.extend(limit("minimum").map(|least| (least - 1).to_string()));
    bad.extend(one["maxLength"].as_u64().map(|most| "x".repeat(usize::try_from(most).expect("a length") + 1)));
    if one["minLength"].as_u64().is_some_and(|least| least > 0) {
        bad.push(String::new());
    }
    let has_pattern = one["pattern"].as_str().is_some_and(|pattern| pattern != NO_NUL);
    let is_closed = has_pattern || ["enum", "format"].iter().any(|closing| !one[*closing].is_null());
    if one["pattern"] == NO_NUL {
        bad.push("a\0b".to_owned());
    }
    if is_closed || one["type"] != "string" {
        bad.extend(["no such value".to_owned(), String::new()]);
    }
    if parameter["schema"]["type"] != "array" {
        let reply = bare.clone().query(&[(name, "1"), (name, "1")]).await;
        report.check(operation, &reply);
        report.require(reply.status == 400, || format!("{operation}: {name} twice is answered {}", told(&reply)));
    }
    for value in bad {
        let reply = bare.clone().query(&[(name, &value)]).await;
        report.check(operation, &reply);
        report.require(
            matches!(reply.body["code"].as_str(), Some("invalid_parameter" | "invalid_cursor")),
            || {
                let start: String = value.chars().take(30).collect();
                format!("{operation}: ?{name}={start} ({} letters) is answered {}", value.len(), told(&reply))
            },
        );
    }
}

async fn good_values(
    world: &World<'_>,
    operation: Operation,
    name: &str,
    parameter: &Value,
    one: &Value,
) -> Vec<String> {
    if let Some(words) = one["enum"].as_array() {
        return words.iter().map(text_of).collect();
    }
    if matches!(name, "cursor" | "since") {
        // Nobody makes one up.
        let path = world.path(operation).await;
        let page = world.client.get(&path).query(&[("limit", "1")]).await;
        return page.body["next_cursor"].as_str().map(str::to_owned).into_iter().collect();
    }
    let own = world.ids_for(parameter);
    if !own.is_empty() {
        return own;
    }
    match one["type"].as_str() {
        Some("boolean") => vec!["true".to_owned(), "false".to_owned()],
        Some("integer") => {
            ["minimum", "maximum"].iter().filter_map(|end| one[*end].as_i64()).map(|n| n.to_string()).collect()
        }
        _ => vec![text_of(&sample_of(parameter))],
    }
}

fn sample_of(parameter: &Value) -> Value {
    let example = example_of(parameter);
    let sample = if example.is_null() { sample(&parameter["schema"]) } else { example.clone() };
    match sample {
        Value::Array(items) => items[0].clone(),
        other => other,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

// Bodies.

/// A body, and what has to be said of it.
struct Trial {
    what: String,
    body: Value,
    /// As [`Reply::errors`] has them: all of these.
    expected: Vec<String>,
    /// None of these.
    forbidden: Vec<String>,
}

fn pointer_of(error: &str) -> &str {
    error.split(' ').next().unwrap_or_default()
}

/// A way to break one rule: the code it has to be answered with, and the value, where the rule holds.
type Breach = (&'static str, &'static str, fn(&Place) -> Option<Value>);

const BREACHES: &[Breach] = &[
    ("too long by one", "too_long", |place| text(place, limit(place, "maxLength")? + 1)),
    ("too short by one", "too_short", |place| text(place, limit(place, "minLength")?.checked_sub(1)?)),
    ("one item too many", "too_long", |place| items(place, limit(place, "maxItems")? + 1)),
    ("one item too few", "too_short", |place| items(place, limit(place, "minItems")?.checked_sub(1)?)),
    ("one entry too many", "too_long", |place| entries(place, limit(place, "maxProperties")? + 1)),
    ("above the maximum", "out_of_range", |place| Some(json!(place.schema["maximum"].as_i64()? + 1))),
    ("below the minimum", "out_of_range", |place| Some(json!(place.schema["minimum"].as_i64()? - 1))),
    ("no such word", "not_allowed", |place| place.schema["enum"].as_array().map(|_| json!("no such word"))),
    ("another format", "invalid_format", |place| {
        place.schema["format"].as_str().and_then(|_| text_if(place, "nonsense"))
    }),
    ("another pattern", "invalid_format", |place| {
        place.schema["pattern"].as_str().filter(|own| *own != NO_NUL).and_then(|_| text_if(place, "?! ?!"))
    }),
    // By itself: it is looked for before the schema is.
    ("U+0000", "invalid_format", |place| (place.schema["pattern"] == NO_NUL).then(|| json!("a\0b"))),
    ("a bad key", "invalid_format", |place| {
        place.schema["propertyNames"]
            .as_object()
            .map(|_| json!({ "a b": sample(&place.schema["additionalProperties"]) }))
    }),
    ("another type", "invalid_type", |place| {
        Some(if place.is("object") { json!(["another type"]) } else { json!({ "another": "type" }) })
    }),
    ("null", "invalid_type", |place| (!place.is_nullable).then_some(Value::Null)),
    ("an unknown field", "unknown_field", |place| place.schema["properties"].as_object().map(|_| Value::Null)),
];

fn limit(place: &Place, name: &str) -> Option<usize> {
    place.schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok())
}

/// Characters count, not bytes.
fn text(place: &Place, length: usize) -> Option<Value> {
    text_if(place, &"é".repeat(length))
}

/// The example made as long as may be, since what is long and in another form is refused for either.
fn at_the_limit(place: &Place, most: usize) -> String {
    let example = place.schema["example"].as_str().unwrap_or_default();
    format!("{example}{}", "x".repeat(most - example.chars().count()))
}

fn text_if(place: &Place, text: &str) -> Option<Value> {
    place.is("string").then(|| json!(text))
}

fn items(place: &Place, count: usize) -> Option<Value> {
    place.is("array").then(|| Value::Array(vec![sample(&place.schema["items"]); count]))
}

fn entries(place: &Place, count: usize) -> Option<Value> {
    is_map(&place.schema).then(|| {
        let one = sample(&place.schema["additionalProperties"]);
        (0..count).map(|index| (format!("net-{index}"), one.clone())).collect::<Map<_, _>>().into()
    })
}

/// Every rule of the schema broken in every place, each kind at once in all places of a depth; and every text and list
/// at its very limit.
fn trials(schema: &Value, example: &Value) -> Vec<Trial> {
    let all = places(schema);
    let depth = all.iter().map(|place| place.path.len()).max().unwrap_or_default();
    let mut trials = Vec::new();
    for level in 0..=depth {
        let here = || all.iter().filter(|place| place.path.len() == level);
        for (what, code, breach) in BREACHES {
            let mut trial = Trial {
                what: format!("{what}, {level} deep"),
                body: example.clone(),
                expected: Vec::new(),
                forbidden: Vec::new(),
            };
            for place in here() {
                let Some(value) = breach(place) else { continue };
                let mut at = place.pointer();
                match *what {
                    "an unknown field" => {
                        break_open(&mut trial.body, schema, place);
                        trial.expected.push(format!("{at}/no_such_field {code}"));
                        continue;
                    }
                    _ if place.path.is_empty() => continue,
                    "a bad key" => at.push_str("/a b"),
                    _ => {}
                }
                put(&mut trial.body, schema, &place.path, value);
                trial.expected.push(format!("{at} {code}"));
                // What is no word at all is not also the wrong word.
                if *code == "invalid_type" {
                    trial.forbidden.push(format!("{at} not_allowed"));
                }
            }
            if !trial.expected.is_empty() {
                trials.push(trial);
            }
        }
        let mut trial = Trial {
            what: format!("at the limit, {level} deep"),
            body: example.clone(),
            expected: Vec::new(),
            forbidden: Vec::new(),
        };
        for place in here().filter(|place| !place.path.is_empty()) {
            let pattern = place.schema["pattern"].as_str().unwrap_or(NO_NUL);
            let is_free = place.schema["format"].is_null() && pattern == NO_NUL;
            let value = limit(place, "maxLength")
                .filter(|_| is_free)
                .and_then(|most| text_if(place, &at_the_limit(place, most)))
                .or_else(|| limit(place, "maxItems").and_then(|most| items(place, most)))
                .or_else(|| place.schema["maximum"].as_i64().map(|most| json!(most)));
            if let Some(value) = value {
                put(&mut trial.body, schema, &place.path, value);
                let at = place.pointer();
                trial.forbidden.extend([format!("{at} too_long"), format!("{at} out_of_range")]);
            }
        }
        if !trial.forbidden.is_empty() {
            trials.push(trial);
        }
    }
    trials
}

/// Adds a field that no schema has to the object in a place.
fn break_open(body: &mut Value, schema: &Value, place: &Place) {
    let mut pointer = place.pointer();
    pointer.remove(0);
    if body.pointer(&pointer).is_none_or(|there| !there.is_object()) {
        put(body, schema, &place.path, sample(&place.schema));
    }
    if let Some(Value::Object(object)) = body.pointer_mut(&pointer) {
        object.insert("no_such_field".to_owned(), json!(1));
    }
}
