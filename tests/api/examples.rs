//! The examples of the document. Each request example is sent as it stands, in the order of the document, to a fresh account
//! that has the records which the examples name; and the example of each answer is what such a request was answered with.
//! Those are kept in `openapi/examples.json`: `WRITE_EXAMPLES=1 cargo test --test api examples` writes it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use wellmet::api;

use crate::{
    operations::{
        Operation, Report, World, collection_of, example_of, for_each_id, operations, told, validator_of,
    },
    support::{Backend, Mailbox, Reply, TestServer},
};

/// What no example can name, since the server makes it up: it is taken from this account.
const OF_THE_ACCOUNT: &[(&str, &str)] = &[
    ("refresh_session", "the refresh token of a login"),
    ("log_out", "the same"),
    ("confirm_password_reset", "the token of an e-mail"),
    ("read_notifications", "the server creates notifications by a schedule"),
];

/// What a list of an example shows at most; whatever else there is looks the same.
const MAX_SHOWN: usize = 2;

struct Walk<'s> {
    server: &'s TestServer,
    world: World<'s>,
    /// The records that exist because an example names them.
    seeded: BTreeSet<(String, String)>,
    /// What was answered first with each schema.
    answers: BTreeMap<String, Value>,
    report: Report,
}

/// The operations in the order of the document.
fn in_document_order() -> Vec<Operation> {
    let all = operations();
    let find = |own: &api::http::operation::Operation| {
        let is_it =
            |one: &&Operation| one.path == own.path && one.method.eq_ignore_ascii_case(own.method.as_str());
        *all.iter().find(is_it).expect("the document has every operation")
    };
    let own = api::operations();
    let mut found: Vec<Operation> = Vec::new();
    for one in &own {
        let is_known = found.iter().any(|known| known.path == one.path);
        // All methods of a path stand where the path is met first.
        if !is_known {
            found.extend(own.iter().filter(|other| other.path == one.path).map(find));
        }
    }
    found
}

impl Walk<'_> {
    /// Makes a record that an example names, and those that it refers to itself.
    async fn seed(&mut self, entity: &str, id: &str) {
        if !self.seeded.insert((entity.to_owned(), id.to_owned())) {
            return;
        }
        let Some(create) = creates(entity) else { return };
        let media = create.body().expect("a body");
        let mut body = media["example"].clone();
        // What nothing refers to yet stays so for the example itself.
        let own = self.seeded.len() * 16;
        for_each_id(&mut body, &media["schema"], &mut |_, named| {
            let last =
                named.as_str().filter(|named| named.get(32..35) == Some("00b")).and_then(|named| named.get(35..));
            if let Some(last) = last.and_then(|last| usize::from_str_radix(last, 16).ok()) {
                *named = json!(format!("01939d5e-8c00-7000-8000-{:012x}", 0xd000 + own + last));
            }
        });
        for (other, named) in named(&body, &media["schema"]) {
            if (other.as_str(), named.as_str()) != (entity, id) {
                Box::pin(self.seed(&other, &named)).await;
            }
        }
        for_each_id(&mut body, &media["schema"], &mut |other, named| {
            if other == entity && named.as_str() == Some(id) {
                *named = Value::Null;
            }
        });
        body["id"] = json!(id);
        if create.codes(409).contains(&"name_taken") {
            body["name"] = json!(format!("{} {}", body["name"].as_str().unwrap_or_default(), &id[32..]));
        }
        let made = self.world.client.post(create.path, &body).await;
        self.report.require(made.status == 201, || format!("{create} with the id {id}: {}", told(&made)));
    }

    async fn send(&mut self, operation: Operation) -> Reply {
        self.server.clock.advance(TimeDelta::seconds(1));
        let mut path = operation.path.to_owned();
        for parameter in operation.parameters("path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let example = parameter["example"].as_str();
            match (parameter["schema"]["x-entity"].as_str(), example) {
                (Some(entity), Some(id)) if creates(entity).is_some() => {
                    self.seed(entity, id).await;
                    path = path.replace(&format!("{{{name}}}"), id);
                }
                (Some(entity), _) => {
                    if !self.world.ids.contains_key(entity) {
                        let (id, _) = self.world.make(entity).await;
                        self.world.ids.insert(entity.to_owned(), id);
                    }
                    path = self.world.path(operation).await;
                }
                (None, _) => path = self.world.path(operation).await,
            }
        }
        let mut body = operation.body().map(|media| media["example"].clone());
        if let (Some(body), Some(media)) = (&mut body, operation.body()) {
            // An example that chooses its id is the record of that id.
            if let (Some(id), Some(entity)) = (body["id"].as_str(), entity_of(operation)) {
                self.seeded.insert((entity, id.to_owned()));
            }
            if OF_THE_ACCOUNT.iter().any(|(id, _)| *id == operation.id()) {
                self.world.own_ids(body, &media["schema"]);
                self.world.fill_in(operation, body).await;
            } else {
                for (entity, id) in named(body, &media["schema"]) {
                    self.seed(&entity, &id).await;
                }
            }
        }
        let client = if operation.changes_account() || operation.id() == "log_out" {
            // With the password that the examples have.
            let register = operations().into_iter().find(|one| one.id() == "register_user").expect("there is one");
            let mut body = register.body().expect("a body")["example"].clone();
            body["email"] = json!(crate::operations::new_email());
            self.server.client().sign_in(register.path, &body, 201).await
        } else {
            self.world.client.clone()
        };
        let mut request = client.request(operation.method, &path).header("Accept", "application/json");
        if let Some(body) = &body {
            request = request.json(body);
        }
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            for value in examples_of(parameter) {
                if let (Some(entity), true) = (item_of(parameter)["x-entity"].as_str(), operation.writes()) {
                    self.seed(entity, &value).await;
                }
                request = request.query(&[(name, &value)]);
            }
        }
        for parameter in operation.parameters("header") {
            if let (Some(name), Some(value)) = (parameter["name"].as_str(), example_of(parameter).as_str())
                && name.starts_with("If-Match")
            {
                request = request.header(name, value);
            }
        }
        request.await
    }

    fn keep(&mut self, operation: Operation, reply: &Reply) {
        let answer = &operation.json["responses"][reply.status.to_string()];
        let schema = answer.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
        let Some(name) = schema.and_then(|path| path.rsplit('/').next()) else { return };
        if reply.body.is_null() || self.answers.contains_key(name) {
            return;
        }
        let mut body = reply.body.clone();
        shorten(&mut body, name);
        self.answers.insert(name.to_owned(), body);
    }
}

/// The operation that creates records of a kind under an id that the client chooses.
fn creates(entity: &str) -> Option<Operation> {
    let has_path = operations().iter().any(|one| {
        one.path.ends_with("/{id}") && one.parameters("path").iter().any(|own| own["schema"]["x-entity"] == entity)
    });
    let path = has_path.then(|| collection_of(entity))?;
    let create = operations().into_iter().find(|one| one.path == path && one.method == "post")?;
    let schema = crate::operations::resolve(&create.body()?["schema"]);
    (!schema["properties"]["id"].is_null()).then_some(create)
}

/// The kind of record that a collection is of.
fn entity_of(operation: Operation) -> Option<String> {
    let record = format!("{}/{{id}}", operation.path);
    let own = operations().into_iter().find(|one| one.path == record)?;
    own.parameters("path").first()?["schema"]["x-entity"].as_str().map(str::to_owned)
}

/// The records that a body names.
fn named(body: &Value, schema: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for_each_id(&mut body.clone(), schema, &mut |entity, id| {
        found.extend(id.as_str().map(|id| (entity.to_owned(), id.to_owned())));
    });
    found
}

fn item_of(parameter: &Value) -> Value {
    let schema = &parameter["schema"];
    if schema["items"].is_object() { schema["items"].clone() } else { schema.clone() }
}

fn examples_of(parameter: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match example_of(parameter) {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

/// Lists show one item, and what the server makes up anew each time is the same each time.
fn shorten(value: &mut Value, name: &str) {
    match value {
        Value::Object(object) => {
            for (key, member) in object {
                match key.as_str() {
                    // The whole of it is in `GET /v1`.
                    "enumerations" if name == "Service" => {
                        let all = member.as_object_mut().expect("a map");
                        let first = all.iter().next().map(|(key, value)| (key.clone(), value.clone()));
                        *all = first.into_iter().collect();
                    }
                    "hint" => *member = json!("gFA6"),
                    "ETag" => *member = json!("\"E5b7_Ckx.7.42\""),
                    "access_token" | "refresh_token" | "token" | "etag_prefix" | "next_cursor" | "path"
                    | "url"
                        if member.is_string() && is_made_up(member) =>
                    {
                        *member = json!(made_up(key));
                    }
                    _ => shorten(member, name),
                }
            }
        }
        Value::Array(items) => {
            items.truncate(MAX_SHOWN);
            items.iter_mut().for_each(|item| shorten(item, name));
        }
        _ => {}
    }
}

/// Whether a text is neither a path of the document nor an address.
fn is_made_up(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    !text.starts_with("/v1/") && !text.starts_with("https://")
}

fn made_up(key: &str) -> &'static str {
    match key {
        "access_token" => "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl",
        "refresh_token" => "wm_rt_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM",
        "token" => "wm_pat_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd4uFgA6",
        "etag_prefix" => "E5b7_Ckx.7",
        "next_cursor" => "q1YqSy0qzszPU7JSMlTSUUrJLC7JzEsvVrJSMlSqBQA",
        _ => "/calendar/wm_cal_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd4uFgA6.ics",
    }
}

/// The ids that the server made, in the order in which they are met, as ids that are the same in each run.
fn with_stable_ids(text: &str) -> String {
    let is_id = |text: &str| {
        text.len() == 36
            && text.char_indices().all(|(at, letter)| match at {
                8 | 13 | 18 | 23 => letter == '-',
                _ => letter.is_ascii_hexdigit(),
            })
    };
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        match rest.get(..36).filter(|start| is_id(start)) {
            Some(id) if id.starts_with("01939d5e-8c00-7000-8000-") => out.push_str(id),
            Some(id) => {
                let next = 0xc001 + known.len();
                let stable =
                    known.entry(id.to_owned()).or_insert_with(|| format!("01939d5e-8c00-7000-8000-{next:012x}"));
                out.push_str(stable);
            }
            None => {
                let letter = rest.chars().next().expect("not empty");
                out.push(letter);
                rest = &rest[letter.len_utf8()..];
                continue;
            }
        }
        rest = &rest[36..];
    }
    out
}

#[test]
fn every_answer_has_an_example_that_fits_its_schema() {
    let mut report = Report::default();
    for operation in operations() {
        for (status, answer) in operation.json["responses"].as_object().into_iter().flatten() {
            let Some(media) = answer.pointer("/content/application~1json") else { continue };
            // The document itself is its own example.
            if media["schema"]["$ref"] == "#/components/schemas/AnyObject" {
                continue;
            }
            let reference = media.pointer("/examples/answer/$ref").and_then(Value::as_str);
            let example =
                reference.and_then(|path| crate::operations::document().pointer(path.trim_start_matches('#')));
            let Some(example) = example else {
                report.note(format!("{operation}: {status} has no example"));
                continue;
            };
            for error in validator_of(&media["schema"]).iter_errors(&example["value"]) {
                report.note(format!("{operation}: the example of {status} at {}: {error}", error.instance_path()));
            }
        }
    }
    report.end();
}

#[test]
fn every_parameter_has_an_example_or_a_list_of_its_values() {
    let mut report = Report::default();
    for operation in operations() {
        for parameter in operation.json["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let item = crate::operations::resolve(&item_of(parameter));
            let is_closed = item["enum"].is_array() || item["type"] == "boolean";
            // A cursor is signed, and an entity tag is the server's; of some parameters only one can be sent.
            let is_given = matches!(name, "cursor" | "since" | "If-None-Match" | "token" | "secret");
            let is_excluded = parameter["schema"]["x-excludes"].is_array();
            report.require(is_closed || is_given || is_excluded || !examples_of(parameter).is_empty(), || {
                format!("{operation}: the parameter {name} has neither an example nor a list of its values")
            });
        }
    }
    report.end();
}

on_both! {
    async fn every_example_is_carried_out_as_it_stands(backend: Backend) {
        let server = TestServer::start_with(backend, Mailbox::new().configure()).await;
        // The examples speak of the spring; what they tell of events has happened by now.
        server.clock.advance(TimeDelta::days(245));
        let world = World::bare(&server, "robin@example.com").await;
        let (seeded, answers, report) = (BTreeSet::new(), BTreeMap::new(), Report::default());
        let mut walk = Walk { server: &server, world, seeded, answers, report };
        for operation in in_document_order() {
            let reply = walk.send(operation).await;
            walk.report.require(reply.status < 400, || format!("{operation}: the example is answered {}", told(&reply)));
            walk.report.check(operation, &reply);
            walk.keep(operation, &reply);
        }
        let Walk { mut answers, report, .. } = walk;
        answers.remove("AnyObject");
        report.end();

        let made = serde_json::to_string_pretty(&answers).expect("JSON") + "\n";
        let made = with_stable_ids(&made);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi/examples.json");
        if env::var_os("WRITE_EXAMPLES").is_some() && backend == Backend::Sqlite {
            fs::write(&path, &made).expect("the folder of the document");
        }
        let kept: BTreeMap<String, Value> = serde_json::from_str(&fs::read_to_string(&path).expect("examples.json")).expect("JSON");
        let made: BTreeMap<String, Value> = serde_json::from_str(&made).expect("JSON");
        for (name, answer) in &made {
            assert_eq!(
                kept.get(name), Some(answer),
                "the example of {name} is stale: WRITE_EXAMPLES=1 cargo test --test api examples, and cargo run -- openapi --write"
            );
        }
        assert_eq!(kept.len(), made.len(), "examples.json has examples of schemas that are gone");
    }
}
