//! The examples of the document. Each request example is sent as it stands, in the order of the document, to the account that
//! the first one creates, except two that carry a token which only the server can make; and the example of each answer is what
//! such a request was answered with. Those are kept in `openapi/examples.json`: `WRITE_EXAMPLES=1 cargo test --test api
//! examples` writes it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use wellmet::api::{
    self,
    http::messages::{cursor, problem::Code},
};

use crate::{
    operations::{
        Operation, Report, World, collection_of, example_of, operations, schema_of_one, told, validator_of,
    },
    support::{Backend, Client, Mailbox, Reply, TestServer},
};

/// What a list of an example shows at most; whatever else there is looks the same.
const MAX_SHOWN: usize = 2;

struct Walk<'s> {
    server: &'s TestServer,
    world: World<'s>,
    /// What was answered first with each schema, and the texts by the id of the operation.
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
    /// Sends each example of the body, or the one request of an operation that has none.
    async fn send_all(&mut self, operation: Operation) -> Vec<Reply> {
        let bodies = operation.body_examples();
        let mut replies = Vec::new();
        for body in &bodies {
            replies.push(self.send(operation, Some((*body).clone()), "application/json").await);
        }
        if bodies.is_empty() {
            for media_type in media_types(operation) {
                replies.push(self.send(operation, None, media_type).await);
            }
        }
        replies
    }

    async fn send(&mut self, operation: Operation, mut body: Option<Value>, accept: &str) -> Reply {
        self.server.clock.advance(TimeDelta::seconds(1));
        match (operation.id(), &mut body) {
            // It is carried out already: this is the account that the others are sent to.
            ("register_user", Some(body)) => body["email"] = json!("robin@example.com"),
            ("refresh_session", Some(body)) => {
                body["refresh_token"] = json!(signed_in(self.server, "log_in", 200).await.refresh_token);
            }
            ("confirm_password_reset", Some(body)) => self.world.fill_in(operation, body).await,
            _ => {}
        }
        let path = self.path(operation).await;
        let mut request = self.world.client.request(operation.method, &path).header("Accept", accept);
        if accept == "text/calendar" {
            // Its entries link to the server under the name by which it was asked.
            request = request.header("Host", "api.example");
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            // A cursor has to be one that this server made.
            for value in examples_of(parameter).into_iter().filter(|value| value != cursor::EXAMPLE) {
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

    /// What pages need to have something to show, beside what the examples have created.
    async fn prepare_pages(&self) {
        let id = |end: &str| json!(format!("01939d5e-8c00-7000-8000-0000000000{end}"));
        let me = self.world.client.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let email = json!({"work": {"value": "kay@example.com"}});
        let monthly = json!({"every": 1, "unit": "month"});
        for (path, body) in [
            (
                "contacts",
                json!({"id": id("e1"), "given_name": "Kay", "headline": "Head of Product", "emails": email, "cadence": monthly}),
            ),
            ("contacts", json!({"id": id("e2"), "given_name": "Kay", "family_name": "McNulty", "emails": email})),
            ("organizations", json!({"id": id("e1"), "name": "Moore School", "domain": "moore.example"})),
            ("organizations", json!({"id": id("e2"), "name": "The Moore School", "domain": "moore.example"})),
            (
                "relationships",
                json!({"id": id("e1"), "contact_id": me, "related_contact_id": id("e1"), "type": "friend"}),
            ),
            (
                "relationships",
                json!({"id": id("e2"), "contact_id": id("e1"), "related_contact_id": id("a1"), "type": "colleague"}),
            ),
            ("needs", json!({"id": id("e1"), "contact_id": id("e1"), "topic": "rust engineers"})),
            (
                "needs",
                json!({"id": id("e2"), "contact_id": id("e2"), "kind": "offer", "topic": "senior rust engineers"}),
            ),
            ("needs", json!({"id": id("e3"), "contact_id": id("a1"), "topic": "rust engineers"})),
            (
                "resources",
                json!({"id": id("e1"), "title": "Where to look", "kind": "article", "topics": ["rust engineers"]}),
            ),
            (
                "exchanges",
                json!({"id": id("e1"), "contact_id": id("e1"), "direction": "received", "kind": "advice",
                "occurred_on": "2026-03-02", "goal_id": id("a1")}),
            ),
            (
                "interactions",
                json!({"id": id("e1"), "contact_ids": [id("e1")], "kind": "coffee", "occurred_on": "2026-03-02"}),
            ),
            (
                "interactions",
                json!({"id": id("e2"), "contact_ids": [id("a1")], "kind": "comment", "occurred_on": "2026-02-10"}),
            ),
        ] {
            self.world.client.post(&format!("/v1/{path}"), &body).await.expect(201);
        }
    }

    /// Reads again what had nothing to show when its example was sent, without the filters that it does not need.
    async fn fill_page(&mut self, operation: Operation) {
        let is_empty = |page: &Value| page["items"].as_array().is_some_and(Vec::is_empty);
        let Some(name) =
            schema_of_answer(operation, 200).filter(|name| self.answers.get(*name).is_some_and(is_empty))
        else {
            return;
        };
        let path = self.path(operation).await;
        let mut request = self.world.client.get(&path);
        for parameter in operation.parameters("query") {
            // One that is needed has an example of its own; that of any other is its schema's.
            let is_needed = parameter["required"] == true || !parameter["example"].is_null();
            for value in examples_of(parameter).into_iter().filter(|_| is_needed) {
                request = request.query(&[(parameter["name"].as_str().unwrap_or_default(), &value)]);
            }
        }
        let reply = request.await;
        self.report.require(reply.status == 200, || format!("{operation}: {}", told(&reply)));
        self.report.require(!is_empty(&reply.body), || format!("{operation}: its example shows nothing"));
        self.answers.remove(name);
        self.keep(operation, &reply);
    }

    /// With the ids that the examples name; where only the server makes them, with one that it has made.
    async fn path(&mut self, operation: Operation) -> String {
        let mut path = operation.path.to_owned();
        for parameter in operation.parameters("path") {
            let (name, entity) = (&parameter["name"], parameter["schema"]["x-entity"].as_str());
            if entity == Some("session") {
                let other = signed_in(self.server, "log_in", 200).await;
                let sessions = other.get("/v1/sessions").await.expect(200);
                return path.replace("{id}", sessions.items()[0]["id"].as_str().unwrap_or_default());
            }
            if !entity.is_some_and(has_chosen_ids) {
                if let Some(entity) = entity.filter(|entity| !self.world.ids.contains_key(*entity)) {
                    let (id, _) = self.world.make(entity).await;
                    self.world.ids.insert(entity.to_owned(), id);
                }
                return self.world.path(operation).await;
            }
            let id = parameter["example"].as_str().unwrap_or_default();
            path = path.replace(&format!("{{{}}}", name.as_str().unwrap_or_default()), id);
        }
        path
    }

    fn keep(&mut self, operation: Operation, reply: &Reply) {
        let is_text = reply.header("Content-Type").is_some_and(|kind| kind.starts_with("text/"));
        if is_text {
            let text = || json!(shortened(operation, &reply.text));
            self.answers.entry(operation.id().to_owned()).or_insert_with(text);
            return;
        }
        let Some(name) = schema_of_answer(operation, reply.status) else { return };
        if reply.body.is_null() || self.answers.contains_key(name) {
            return;
        }
        let mut body = reply.body.clone();
        shorten(&mut body, name);
        self.answers.insert(name.to_owned(), body);
    }
}

/// The name of the schema of an answer.
fn schema_of_answer(operation: Operation, status: u16) -> Option<&'static str> {
    let answer = &operation.json["responses"][status.to_string()];
    answer.pointer("/content/application~1json/schema/$ref")?.as_str()?.rsplit('/').next()
}

/// The media types of its successful answers; JSON if they have no body.
fn media_types(operation: Operation) -> BTreeSet<&'static str> {
    let answers = operation.json["responses"].as_object().into_iter().flatten();
    let successes = answers.filter(|(status, _)| status.starts_with('2'));
    let contents = successes.filter_map(|(_, answer)| answer["content"].as_object()).flatten();
    let found: BTreeSet<&str> = contents.map(|(media_type, _)| media_type.as_str()).collect();
    if found.is_empty() { BTreeSet::from(["application/json"]) } else { found }
}

/// The first [`MAX_SHOWN`] entries of a calendar, and the first sample of each metric, with the value 1; all of other texts.
fn shortened(operation: Operation, text: &str) -> String {
    match operation.id() {
        "read_calendar" => {
            let ends = text.match_indices("END:VTODO\r\n");
            let end_of_shown = ends.map(|(at, end)| at + end.len()).take(MAX_SHOWN).last();
            let end = end_of_shown.expect("follow-ups in the calendar of the examples");
            format!("{}END:VCALENDAR\r\n", &text[..end])
        }
        "get_metrics" => {
            let (mut shown, mut first) = (String::new(), None);
            for line in text.lines() {
                if line.starts_with('#') {
                    first = None;
                    shown += &format!("{line}\n");
                } else if let Some((sample, _)) = line.rsplit_once(' ') {
                    // A histogram has many lines, with labels that are the same but for `le`.
                    let labels = sample.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
                    let labels = labels.split(",le=").next().unwrap_or_default().to_owned();
                    if *first.get_or_insert_with(|| labels.clone()) == labels {
                        shown += &format!("{sample} 1\n");
                    }
                }
            }
            shown
        }
        _ => text.to_owned(),
    }
}

/// Somebody whom the example of this operation signs in.
async fn signed_in(server: &TestServer, id: &str, status: u16) -> Client {
    let operation = operations().into_iter().find(|one| one.id() == id).expect("the operation");
    server.client().sign_in(operation.path, operation.body_examples()[0], status).await
}

/// Whether clients choose the ids of the records of a kind.
fn has_chosen_ids(entity: &str) -> bool {
    let collection = collection_of(entity);
    let create = operations().into_iter().find(|one| one.path == collection && one.method == "post");
    let schema = create.and_then(|create| create.body()).map(|media| crate::operations::resolve(&media["schema"]));
    entity == "plan_run" || schema.is_some_and(|schema| !schema["properties"]["id"].is_null())
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
                    "ETag" => {
                        let version = member.as_str().and_then(|tag| tag.trim_matches('"').rsplit('.').next());
                        *member = json!(format!("\"{}.{}\"", made_up("etag_prefix"), version.unwrap_or_default()));
                    }
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
            for (media_type, media) in answer["content"].as_object().into_iter().flatten() {
                // The document itself is its own example, and problems have one for each code.
                if media["schema"]["$ref"] == "#/components/schemas/AnyObject" || media_type.contains("problem") {
                    continue;
                }
                let reference = media.pointer("/examples/answer/$ref").and_then(Value::as_str);
                let example =
                    reference.and_then(|path| crate::operations::document().pointer(path.trim_start_matches('#')));
                let Some(example) = example else {
                    report.note(format!("{operation}: {status} {media_type} has no example"));
                    continue;
                };
                for error in validator_of(&media["schema"]).iter_errors(&example["value"]) {
                    report.note(format!(
                        "{operation}: the example of {status} at {}: {error}",
                        error.instance_path()
                    ));
                }
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
            let item = schema_of_one(parameter);
            let is_closed = item["enum"].is_array() || item["type"] == "boolean";
            // Of some parameters only one can be sent.
            let is_excluded = parameter["schema"]["x-excludes"].is_array();
            report.require(is_closed || is_excluded || !examples_of(parameter).is_empty(), || {
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
        let world = World::of(&server, signed_in(&server, "register_user", 201).await, "ada@example.com").await;
        let mut walk = Walk { server: &server, world, answers: BTreeMap::new(), report: Report::default() };
        for operation in in_document_order() {
            if (operation.method, operation.path) == ("delete", "/v1/me") {
                walk.prepare_pages().await;
                for page in in_document_order().into_iter().filter(|one| one.method == "get") {
                    walk.fill_page(page).await;
                }
            }
            for reply in walk.send_all(operation).await {
                walk.report.require(reply.status < 400, || format!("{operation}: the example is answered {}", told(&reply)));
                walk.report.check(operation, &reply);
                walk.keep(operation, &reply);
            }
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
            assert!(Code::parse(name).is_none(), "{name} is the name of a problem's example, too");
            assert_eq!(
                kept.get(name), Some(answer),
                "the example of {name} is stale: WRITE_EXAMPLES=1 cargo test --test api examples, and cargo run -- openapi --write"
            );
        }
        assert_eq!(kept.len(), made.len(), "examples.json has examples of schemas that are gone");
    }
}
