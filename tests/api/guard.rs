//! The guard net: nobody does what they may not, in any operation. It builds its requests from the document's examples,
//! so a new operation is covered as it is, or fails here with what it lacks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    operations::{
        NOBODYS_ID, Operation, Report, World, collection_of, exclude_others, operations, places, put,
        schema_of_one, told,
    },
    support::{Client, Reply, Request, TestServer},
};

/// Every operation that needs a token.
fn secured() -> Vec<Operation> {
    operations().into_iter().filter(Operation::is_secured).collect()
}

/// Every operation that needs a token with a certain scope, and that scope.
fn closed() -> Vec<(Operation, &'static str)> {
    let all: Vec<_> =
        operations().into_iter().filter_map(|operation| Some((operation, operation.scope()?))).collect();
    assert!(all.len() > 10, "the document was read");
    all
}

/// Everything that somebody can read of their workspace and account.
async fn everything(client: &Client) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (operation, _) in closed().into_iter().filter(|(operation, _)| !operation.writes()) {
        // A look-up tells what the list tells, and wants to be asked by one thing only; some ask about one record.
        let is_about_one = operation.parameters("query").iter().any(|one| one["schema"]["x-entities"].is_array());
        if operation.path.contains('{') || operation.id().starts_with("lookup_") || is_about_one {
            continue;
        }
        let is_list = operation.has_parameter("query", "cursor");
        let mut query: Vec<(&str, &str)> = Vec::new();
        // Where a filter counts when it is absent, its widest word is asked for.
        for parameter in operation.parameters("query") {
            let (name, schema) = (parameter["name"].as_str().unwrap_or_default(), &parameter["schema"]);
            let words = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
            if is_list && !schema["default"].is_null() && words.iter().any(|word| word == "any") {
                query.push((name, "any"));
            }
            // What is no list may want to be asked something.
            if let (false, Some(example)) = (is_list, parameter["example"].as_str()) {
                query.push((name, example));
            }
        }
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut request = client.get(operation.path).query(&query);
            if !cursor.is_empty() {
                request = request.query(&[(if is_list { "cursor" } else { "since" }, &cursor)]);
            }
            let page = request.await.expect(200);
            let Some(of_page) = page.body["items"].as_array() else {
                items.push(page.body.clone());
                break;
            };
            items.extend(of_page.iter().cloned().map(|mut item| {
                // When a session or a token was used last is no change.
                item.as_object_mut().and_then(|item| item.remove("last_used_at"));
                item
            }));
            let more = if page.body["has_more"].is_null() {
                page.body["next_cursor"].is_string()
            } else {
                page.body["has_more"] == true
            };
            if !more {
                break;
            }
            page.body["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
        }
        all.insert(operation.to_string(), Value::Array(items));
    }
    all
}

#[track_caller]
fn assert_unchanged(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    for (operation, items) in before {
        assert_eq!(items, &after[operation], "what {operation} tells has changed (left: before)");
    }
}

/// A personal access token of these scopes.
async fn token(client: &Client, scopes: &[&str]) -> String {
    let made = client.post("/v1/tokens", &json!({"name": "net", "scopes": scopes})).await.expect(201);
    made.body["token"].as_str().unwrap_or_default().to_owned()
}

fn all_scopes() -> Vec<&'static str> {
    wellmet::domain::scope::SCOPES.to_vec()
}

on_both! {
    async fn without_a_valid_token_every_operation_is_closed(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let spent = {
            let other = server.login("ada@example.com").await;
            let body = json!({"refresh_token": other.refresh_token});
            let _ = other.post("/v1/auth/logout", &body).await.expect(204);
            other.access_token
        };
        let (head, claims) = world.client.access_token.rsplit_once('.').expect("a JWT");
        let cases = [
            ("no token", String::new()),
            ("nonsense", "Bearer nonsense".to_owned()),
            ("an empty token", "Bearer ".to_owned()),
            ("no scheme", world.client.access_token.clone()),
            ("another scheme", format!("Basic {}", world.client.access_token)),
            ("another signature", format!("Bearer {head}.{}", claims.chars().rev().collect::<String>())),
            ("no signature", format!("Bearer {head}.")),
            ("a token that nobody has", format!("Bearer wm_pat_{}", "0".repeat(36))),
            ("a session that has ended", format!("Bearer {spent}")),
            ("a refresh token", format!("Bearer {}", world.client.refresh_token)),
        ];
        let before = everything(&world.client).await;
        let mut requests = Vec::new();
        for operation in secured() {
            requests.push((operation, world.request(operation).await));
        }
        let made = everything(&world.client).await;
        assert!(made["GET /v1/changes"] != before["GET /v1/changes"], "the requests have something to do harm to");
        for (operation, request) in requests {
            for (what, header) in &cases {
                let request = request.clone().anonymous();
                let request = if header.is_empty() { request } else { request.header("Authorization", header) };
                let reply = request.await;
                report.expect(operation, what, &reply, 401, "unauthenticated");
                let challenge = reply.header("WWW-Authenticate").unwrap_or_default();
                report.require(challenge.starts_with("Bearer"), || format!("{operation}: {what}: {challenge:?}"));
            }
        }
        assert_unchanged(&made, &everything(&world.client).await);
        report.end();
    }

    async fn a_token_without_the_scope_is_told_which_it_lacks(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let mut lacking: BTreeMap<&str, String> = BTreeMap::new();
        for (_, scope) in closed() {
            if !lacking.contains_key(scope) {
                let others: Vec<&str> = all_scopes().into_iter().filter(|other| *other != scope).collect();
                lacking.insert(scope, token(&world.client, &others).await);
            }
        }
        let reading: Vec<&str> = all_scopes().into_iter().filter(|scope| scope.ends_with(":read")).collect();
        let reader = token(&world.client, &reading).await;
        let mut requests = Vec::new();
        for (operation, scope) in closed() {
            for request in alone_and_in_batch(operation, world.request(operation).await) {
                requests.push((operation, scope, request));
            }
        }
        let before = everything(&world.client).await;
        for (operation, scope, request) in requests {
            let mut refused = vec![("all but its own", request.clone().bearer(&lacking[scope]).await)];
            let by_reader = request.bearer(&reader).await;
            if operation.writes() {
                refused.push(("reading", by_reader));
            } else {
                report.check(operation, &by_reader);
                report.require(by_reader.status == 200, || format!("{operation}: reading: {}", told(&by_reader)));
            }
            for (what, reply) in refused {
                report.expect(operation, what, &reply, 403, "insufficient_scope");
                let detail = reply.body["detail"].as_str().unwrap_or_default();
                let challenge = reply.header("WWW-Authenticate").unwrap_or_default();
                report.require(detail.contains(scope) && challenge.contains(scope), || {
                    format!("{operation}: {what}: {detail:?} and {challenge:?} do not name {scope}")
                });
            }
        }
        assert_unchanged(&before, &everything(&world.client).await);
        report.end();
    }

    async fn a_viewer_reads_and_writes_nothing_but_their_account(server: TestServer) {
        let mut report = Report::default();
        let world = World::new(&server, "ada@example.com").await;
        let mut requests = Vec::new();
        for (operation, scope) in closed() {
            for request in alone_and_in_batch(operation, world.request(operation).await) {
                requests.push((operation, scope, request));
            }
        }
        let before = everything(&world.client).await;
        server.database.execute("UPDATE memberships SET role = 'viewer'");
        // What the role was is remembered by session, for some seconds.
        let viewer = server.login("ada@example.com").await;
        assert_eq!(viewer.get("/v1/me").await.expect(200).body["workspace"]["role"], "viewer");
        for (operation, scope, request) in requests {
            if scope.starts_with("account:") && operation.writes() {
                // Tested where it does no harm: by the operation's own tests.
                continue;
            }
            let reply = request.bearer(&viewer.access_token).await;
            if operation.writes() {
                report.expect(operation, "a viewer", &reply, 403, "insufficient_role");
            } else {
                report.check(operation, &reply);
                report.require(reply.status == 200, || format!("{operation}: a viewer: {}", told(&reply)));
            }
        }
        let mut after = everything(&viewer).await;
        for (operation, items) in &before {
            // Their own session is new, and their role is another.
            if ["/sessions", "/me", "/workspace"].iter().any(|shown| operation.ends_with(shown)) {
                after.insert(operation.clone(), items.clone());
            }
        }
        assert_unchanged(&before, &after);
        report.end();
    }

    async fn what_is_in_another_workspace_does_not_exist(server: TestServer) {
        let mut report = Report::default();
        let own = World::new(&server, "ada@example.com").await;
        let other = World::new(&server, "eve@example.com").await;
        for own in [&own, &own.in_batch()] {
            // So that the newest version of the other workspace is one that does not exist in this one.
            let ahead = (newest_version(own) + 50 - newest_version(&other)).max(1);
            server.database.execute(&format!(
                "UPDATE workspaces SET seq = seq + {ahead} WHERE id IN (SELECT workspace_id FROM memberships
                 JOIN users ON users.id = user_id WHERE users.email = '{}')",
                other.email
            ));
            let contact = format!("/v1/contacts/{}", other.ids["contact"]);
            let edit = json!({"nickname": format!("after {ahead} more")});
            other.client.patch(&contact, &edit).await.expect(200);
            let before = everything(&other.client).await;
            for operation in secured() {
                paths(own, &other, operation, &mut report).await;
                bodies(own, &other, operation, &mut report).await;
                filters(own, &other, operation, &mut report).await;
            }
            assert_unchanged(&before, &everything(&other.client).await);
        }
        let own_after = everything(&own.client).await;
        for id in other.ids.values() {
            for (operation, items) in &own_after {
                let is_told = items.to_string().contains(id.as_str());
                report.require(!is_told, || format!("{operation} tells the id {id} of another workspace"));
            }
        }
        let mut creations = Vec::new();
        for (operation, _) in closed().into_iter().filter(|(operation, _)| operation.body().is_some()) {
            creations.extend(Creation::under_foreign_id(&own, &other, operation).await);
        }
        let before = everything(&other.client).await;
        for creation in creations {
            creation.carry_out(&own, &other, &mut report).await;
        }
        assert_unchanged(&before, &everything(&other.client).await);
        report.end();
    }
}

/// The request by itself and, where it may stand in one, as an operation of a batch: the answers are to be the same.
fn alone_and_in_batch(operation: Operation, request: Request) -> Vec<Request> {
    let mut both = vec![request.clone()];
    both.extend(operation.may_stand_in_batch().then(|| request.in_batch()));
    both
}

/// What a problem says, but for the request's id: two that are to look the same are compared by it.
fn likeness(reply: &Reply) -> (u16, Value) {
    let mut body = reply.body.clone();
    body.as_object_mut().and_then(|body| body.remove("instance"));
    (reply.status, body)
}

fn newest_version(world: &World<'_>) -> i64 {
    let own = format!(
        "SELECT seq FROM workspaces JOIN memberships ON workspace_id = workspaces.id
         JOIN users ON users.id = user_id WHERE users.email = '{}'",
        world.email
    );
    world.server.database.number(&own)
}

/// Ids in the path: not found, the same as one that nobody has.
async fn paths(own: &World<'_>, other: &World<'_>, operation: Operation, report: &mut Report) {
    let body = own.body(operation).await;
    for parameter in operation.parameters("path") {
        let name = format!("{{{}}}", parameter["name"].as_str().unwrap_or_default());
        let foreign = match parameter["schema"]["x-entity"].as_str() {
            Some(entity) => other.ids[entity].clone(),
            None if name == "{version}" => newest_version(other).to_string(),
            None => continue,
        };
        let nobodys = if name == "{version}" { "999999999".to_owned() } else { NOBODYS_ID.to_owned() };
        let (foreign, nobodys) =
            (operation.path.replace(&name, &foreign), operation.path.replace(&name, &nobodys));
        let foreign_reply = own.request_at(operation, &foreign, body.as_ref()).await;
        report.expect(operation, "a foreign id in the path", &foreign_reply, 404, "not_found");
        let nobodys_reply = own.request_at(operation, &nobodys, body.as_ref()).await;
        report.require(likeness(&foreign_reply) == likeness(&nobodys_reply), || {
            format!("{operation}: {} is another answer than {}", told(&foreign_reply), told(&nobodys_reply))
        });
        let malformed = own.request_at(operation, &operation.path.replace(&name, "nonsense"), body.as_ref()).await;
        report.expect(operation, "nonsense in the path", &malformed, 404, "not_found");
    }
}

/// Who names an id that is free in their workspace makes a record of their own, whoever else has one of that name.
struct Creation {
    operation: Operation,
    /// Where the record will be, and the other's is.
    path: String,
    request: Request,
}

impl Creation {
    async fn under_foreign_id(own: &World<'_>, other: &World<'_>, operation: Operation) -> Option<Creation> {
        let mut body = own.body(operation).await.expect("an example");
        let schema = &operation.body().expect("a body")["schema"];
        let in_body = places(schema).into_iter().find(|place| place.path == ["id"]);
        let in_path = operation.parameters("path").into_iter().find(|parameter| parameter["name"] == "id");
        let (path, request) = match (operation.method, in_path, in_body) {
            ("put", Some(parameter), _) => {
                let entity = parameter["schema"]["x-entity"].as_str().expect("the id of a record");
                let path = operation.path.replace("{id}", &other.make(entity).await.0);
                (path.clone(), own.client.put(&path, &body).if_none_match("*"))
            }
            ("post", _, Some(place)) => {
                let entity = place.entity().expect("the id of a record");
                let (id, _) = other.make(entity).await;
                body["id"] = json!(id);
                let path = own.path(operation).await;
                (format!("{}/{id}", collection_of(entity)), own.client.post(&path, &body))
            }
            _ => return None,
        };
        Some(Creation { operation, path, request })
    }

    async fn carry_out(self, own: &World<'_>, other: &World<'_>, report: &mut Report) {
        let Creation { operation, path, request } = self;
        let theirs = other.client.get(&path).await.expect(200);
        let made = request.await;
        report.check(operation, &made);
        report.require(made.status == 201, || format!("{operation} under a foreign id: {}", told(&made)));
        let mine = own.client.get(&path).await;
        report.require(mine.body == made.body, || format!("{operation}: {} after it was made", told(&mine)));
        let gone = own.client.delete(&path).query(&[("purge", "true")]).await;
        report.require(gone.status == 204, || format!("DELETE {path}: {}", told(&gone)));
        let still = other.client.get(&path).await;
        let is_same = still.body == theirs.body && still.header("ETag") == theirs.header("ETag");
        report
            .require(is_same, || format!("{operation} under a foreign id changed the other's: {}", told(&still)));
    }
}

/// A notification that no longer exists has nothing left to read, so a client that was offline may name it.
const IGNORES_UNKNOWN: (&str, &str) = ("read_notifications", "#/ids/0");

/// Ids in the body, in each place where one can stand: an unknown reference, the same as one that nobody has.
async fn bodies(own: &World<'_>, other: &World<'_>, operation: Operation, report: &mut Report) {
    let Some(media) = operation.body() else { return };
    let path = own.path(operation).await;
    for place in places(&media["schema"]) {
        let Some(entity) = place.entity().filter(|_| !place.is_own_id()) else { continue };
        let example = own.body_around(operation, &place).await.expect("an example");
        let mut replies = Vec::new();
        for id in [other.ids.get(entity).map(String::as_str), Some(NOBODYS_ID)].into_iter().flatten() {
            let mut body = example.clone();
            put(&mut body, &media["schema"], &place.path, json!(id));
            exclude_others(&mut body, &media["schema"], &place.path);
            let reply = own.request_at(operation, &path, Some(&body)).await;
            let what = format!("{id} in {}", place.pointer());
            if (operation.id(), &*place.pointer()) == IGNORES_UNKNOWN {
                report.require(reply.status == 200, || format!("{operation}: {what}: {}", told(&reply)));
                replies.push(likeness(&reply));
                continue;
            }
            report.expect(operation, &what, &reply, 422, "invalid");
            let expected = format!("{} unknown_reference", place.pointer());
            report.require(reply.errors() == [expected.as_str()], || {
                format!("{operation}: {what}: not {expected:?} but {:?}", reply.errors())
            });
            replies.push(likeness(&reply));
        }
        report.require(replies.windows(2).all(|pair| pair[0] == pair[1]), || {
            format!("{operation}: a foreign id in {} is told apart from nobody's", place.pointer())
        });
    }
}

/// Whether there is a list of items in an answer, and all such lists are empty.
fn shows_nothing(body: &Value) -> bool {
    match (&body["items"], body.as_object()) {
        (Value::Array(items), _) => items.is_empty(),
        (_, Some(members)) => {
            let mut groups = members.values().filter_map(Value::as_array).flatten().peekable();
            groups.peek().is_some() && groups.all(shows_nothing)
        }
        _ => false,
    }
}

/// Ids in the query: nothing is found.
async fn filters(own: &World<'_>, other: &World<'_>, operation: Operation, report: &mut Report) {
    for parameter in operation.parameters("query") {
        let one = schema_of_one(parameter);
        let Some(entity) = one["x-entity"].as_str() else { continue };
        let name = parameter["name"].as_str().unwrap_or_default();
        // What is not at a foreign id is everything of one's own.
        if name.ends_with("[ne]") {
            continue;
        }
        for id in [other.ids.get(entity).map(String::as_str), Some(NOBODYS_ID)].into_iter().flatten() {
            let reply = own.request_with(operation, name, id).await.await;
            report.check(operation, &reply);
            let is_empty = reply.status == 200 && shows_nothing(&reply.body);
            report.require(is_empty, || format!("{operation}: ?{name}={id}: {reply}"));
        }
    }
}
