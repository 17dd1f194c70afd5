//! Batches: each operation is what it is by itself, and an atomic batch is one write or nothing.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Backend, Client, Reply, TestServer};

fn get(path: &str) -> Value {
    json!({"method": "GET", "path": path})
}

fn post(path: &str, body: Value) -> Value {
    json!({"method": "POST", "path": path, "body": body})
}

fn named(name: &str) -> Value {
    post("/v1/contacts", json!({"given_name": name}))
}

fn patch(path: &str, body: Value) -> Value {
    json!({"method": "PATCH", "path": path, "body": body})
}

fn delete(path: &str) -> Value {
    json!({"method": "DELETE", "path": path})
}

fn batch(operations: &[Value]) -> Value {
    json!({"operations": operations})
}

fn atomic(operations: &[Value]) -> Value {
    json!({"atomic": true, "operations": operations})
}

async fn send(client: &Client, body: &Value) -> Reply {
    client.post("/v1/batch", body).await.expect(207)
}

fn statuses(reply: &Reply) -> Vec<i64> {
    let results = reply.body["results"].as_array().unwrap_or_else(|| panic!("no results in {reply}"));
    results.iter().map(|result| result["status"].as_i64().unwrap()).collect()
}

fn codes(reply: &Reply) -> Vec<&str> {
    let results = reply.body["results"].as_array().unwrap();
    results.iter().map(|result| result["body"]["code"].as_str().unwrap_or_default()).collect()
}

async fn contacts(client: &Client) -> Vec<Value> {
    client.walk("/v1/contacts?known=any&archived=any").await
}

async fn log(client: &Client) -> Vec<Value> {
    client.get("/v1/changes?limit=1000").await.expect(200).items().to_vec()
}

/// An id of a client's own.
fn own_id(number: usize) -> String {
    format!("01939d5e-8c00-7000-8000-{number:012x}")
}

async fn with_scopes(client: &Client, scopes: &[&str]) -> Client {
    let made = client.post("/v1/tokens", &json!({"name": "script", "scopes": scopes})).await.expect(201);
    client.with_token(made.body["token"].as_str().unwrap())
}

on_both! {
    async fn who_was_made_and_merged_in_one_batch_is_found_under_both_ids(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = ada.post("/v1/contacts", &json!({"given_name": "Keep"})).await.expect(201);
        let twin = "0199a000-0000-7000-8000-000000000003";
        let operations = json!([
            {"method": "POST", "path": "/v1/contacts", "body": {"id": twin, "given_name": "Twin"}},
            {"method": "POST", "path": "/v1/contacts/merge", "body": {"keep_id": keep.id(), "merge_ids": [twin]}},
            {"method": "GET", "path": format!("/v1/contacts/{twin}")},
        ]);
        for atomic in [true, false] {
            let reply = ada.post("/v1/batch", &json!({"atomic": atomic, "operations": operations})).await.expect(207);
            let told: Vec<_> = reply.body["results"].as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
            if atomic {
                assert_eq!(told, [201, 200, 200], "{reply}");
            } else {
                assert_eq!(told, [409, 422, 200], "the id has been taken: {reply}");
            }
        }
        assert_eq!(ada.get(&format!("/v1/contacts/{twin}")).await.expect(200).body["id"], keep.body["id"]);
    }

    async fn what_a_token_may_not_write_it_does_not_take_back_beside_a_delete(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut made = Vec::new();
        for name in ["A", "B", "Z"] {
            made.push(ada.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201));
        }
        let tie = json!({"contact_id": made[0].id(), "related_contact_id": made[1].id(), "type": "friend"});
        let tie = ada.post("/v1/relationships", &tie).await.expect(201);
        let operations = [json!({"method": "DELETE", "path": tie.location()}), json!({"method": "DELETE", "path": made[2].location()})];
        let gone = ada.post("/v1/batch", &json!({"atomic": true, "operations": operations})).await.expect(207);
        let token = ada.post("/v1/tokens", &json!({"name": "t", "scopes": ["contacts:read", "contacts:write"]})).await.expect(201);
        let narrow = ada.with_token(token.body["token"].as_str().unwrap());
        let path = format!("/v1/changes/{}/revert", gone.body["write"]);
        narrow.post_nothing(&path).await.problem(403, "insufficient_scope");
        ada.get(&tie.location()).await.problem(404, "not_found");
        ada.post_nothing(&path).await.expect(200);
    }

    async fn a_later_operation_uses_the_id_an_earlier_one_was_made_under(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [batch, atomic] {
            let id = own_id(if body(&[])["atomic"] == true { 1 } else { 2 });
            let sent = body(&[
                post("/v1/contacts", json!({"id": id, "given_name": "Grace"})),
                post("/v1/needs", json!({"contact_id": id, "topic": "compilers"})),
                get(&format!("/v1/contacts/{id}/needs")),
            ]);
            let reply = send(&ada, &sent).await;
            assert_eq!(statuses(&reply), [201, 201, 200], "{reply}");
            assert_eq!(reply.body["results"][1]["body"]["contact_id"], id);
            assert_eq!(reply.body["results"][2]["body"]["items"][0]["topic"], "compilers");
            let location = reply.body["results"][0]["headers"]["Location"].as_str().unwrap();
            let alone = ada.get(location).await.expect(200);
            assert_eq!(alone.body, reply.body["results"][0]["body"]);
            assert_eq!(reply.body["results"][0]["headers"]["ETag"], alone.etag());
        }
    }

    async fn what_is_read_in_a_batch_tells_of_what_was_written_before_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let id = own_id(1);
        let path = format!("/v1/contacts/{id}");
        let sent = async || {
            let tag = ada.get("/v1/contacts").await.expect(200).etag();
            let current = json!({"method": "GET", "path": "/v1/contacts", "headers": {"if-none-match": tag}});
            [
                current.clone(),
                post("/v1/contacts", json!({"id": id, "given_name": "Grace"})),
                current,
                patch(&path, json!({"nickname": "G"})),
                get(&path),
                get(&format!("{path}/history")),
                get("/v1/changes?limit=1000"),
                get("/v1/contacts?q=grac&count=true"),
                delete(&path),
                get(&path),
            ]
        };
        let expected = [304, 201, 200, 200, 200, 200, 200, 200, 204, 404];
        let one = send(&ada, &atomic(&sent().await)).await;
        assert_eq!(statuses(&one), [vec![424; 9], vec![404]].concat(), "the last one fails all");
        for is_atomic in [true, false] {
            let sent = sent().await;
            let (body, count) = if is_atomic { (atomic(&sent[..9]), 9) } else { (batch(&sent), 10) };
            let reply = send(&ada, &body).await;
            assert_eq!(statuses(&reply), expected[..count]);
            let result = |index: usize| &reply.body["results"][index];
            assert_eq!(result(4)["body"], result(3)["body"]);
            assert_eq!(result(4)["headers"]["ETag"], result(3)["headers"]["ETag"]);
            assert_ne!(result(1)["headers"]["ETag"], result(3)["headers"]["ETag"], "each version has its tag");
            let newest = &result(5)["body"]["items"][0];
            assert_eq!(newest["version"], result(3)["body"]["version"]);
            let followed = result(6)["body"]["items"].as_array().unwrap().last().unwrap();
            assert_eq!((&followed["id"], &followed["data"]["contact"]), (&json!(id), &result(3)["body"]));
            assert_eq!(result(7)["body"]["total"], 1);
        }
    }

    async fn an_atomic_batch_that_fails_leaves_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let kept = ada.post("/v1/contacts", &json!({"given_name": "Kept"})).await.expect(201);
        let (before, list) = (log(&ada).await, ada.get("/v1/contacts").await.expect(200));
        let sent = atomic(&[
            named("Grace"),
            patch(&kept.location(), json!({"nickname": "K"})),
            post("/v1/contacts", json!({})),
            delete(&kept.location()),
        ]);
        let reply = send(&ada, &sent).await;
        assert_eq!(statuses(&reply), [424, 424, 422, 424]);
        assert_eq!(codes(&reply), ["failed_dependency", "failed_dependency", "invalid", "failed_dependency"]);
        let instance = format!("urn:uuid:{}", reply.header("X-Request-Id").unwrap());
        for result in reply.body["results"].as_array().unwrap() {
            assert_eq!(result["body"]["instance"], instance);
            assert_eq!(result["body"]["status"], result["status"]);
        }
        assert_eq!(reply.body["write"], Value::Null);
        assert_eq!(log(&ada).await, before);
        assert_eq!(ada.get(&kept.location()).await.expect(200).etag(), kept.etag());
        assert_eq!(ada.get("/v1/contacts").await.expect(200).etag(), list.etag());
        let next = ada.post("/v1/contacts", &json!({"given_name": "Next"})).await.expect(201);
        let version = kept.body["version"].as_i64().unwrap() + 1;
        assert_eq!(next.body["version"], version, "no number was used up");
    }

    async fn a_batch_that_is_not_atomic_keeps_what_went_well(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let taken = own_id(1);
        let sent = batch(&[
            post("/v1/contacts", json!({"id": taken, "given_name": "Grace"})),
            post("/v1/contacts", json!({"id": taken, "given_name": "Other"})),
            post("/v1/needs", json!({"contact_id": own_id(9), "topic": "x"})),
            get("/v1/contacts?limit=0"),
            get(&format!("/v1/contacts/{}", own_id(9))),
            named("Ada"),
        ]);
        let reply = send(&ada, &sent).await;
        assert_eq!(statuses(&reply), [201, 409, 422, 400, 404, 201]);
        assert_eq!(codes(&reply), ["", "id_taken", "invalid", "invalid_parameter", "not_found", ""]);
        assert_eq!(reply.body["results"][2]["body"]["errors"][0]["pointer"], "#/contact_id");
        assert_eq!(reply.body["write"], Value::Null, "they are several");
        assert_eq!(contacts(&ada).await.len(), 2);
        let writes: Vec<i64> = log(&ada).await.iter().map(|change| change["write"].as_i64().unwrap()).collect();
        let own = &writes[writes.len() - 2..];
        assert_ne!(own[0], own[1], "each is a write of its own");
    }

    async fn one_revert_takes_back_an_atomic_batch(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let gone = ada.post("/v1/contacts", &json!({"given_name": "Gone"})).await.expect(201);
        let edited = ada.post("/v1/contacts", &json!({"given_name": "Edited"})).await.expect(201);
        let id = own_id(1);
        let sent = atomic(&[
            // Touched twice, so that the first number of the write is nobody's in the end.
            post("/v1/contacts", json!({"id": id, "given_name": "Grace"})),
            patch(&format!("/v1/contacts/{id}"), json!({"nickname": "G"})),
            post("/v1/needs", json!({"contact_id": id, "topic": "compilers"})),
            patch(&edited.location(), json!({"nickname": "E"})),
            patch(&edited.location(), json!({"nickname": "F"})),
            delete(&gone.location()),
        ]);
        let start = ada.get("/v1/changes?limit=1000").await.expect(200).body["next_cursor"].clone();
        let reply = send(&ada, &sent).await;
        assert_eq!(statuses(&reply), [201, 200, 201, 200, 200, 204], "{reply}");
        let write = reply.body["write"].as_i64().unwrap();
        let log = ada.get(&format!("/v1/changes?since={}", start.as_str().unwrap())).await.expect(200);
        let own: Vec<&Value> = log.items().iter().filter(|change| change["write"] == write).collect();
        assert_eq!(own.len(), 4, "each record has one change: {own:?}");
        let revert = format!("/v1/changes/{write}/revert");
        with_scopes(&ada, &["contacts:read", "contacts:write"])
            .await
            .post_nothing(&revert)
            .await
            .problem(403, "insufficient_scope");
        let reverted = ada.post_nothing(&revert).await.expect(200);
        assert_eq!(reverted.body["reverted"].as_array().unwrap().len(), 4, "{reverted}");
        ada.get(&format!("/v1/contacts/{id}")).await.problem(404, "not_found");
        assert_eq!(ada.get(&edited.location()).await.expect(200).body["nickname"], Value::Null);
        assert_eq!(ada.get(&gone.location()).await.expect(200).body["given_name"], "Gone");
    }

    async fn restoring_one_record_of_an_atomic_batch_leaves_the_others(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let first = ada.post("/v1/contacts", &json!({"given_name": "First"})).await.expect(201);
        let second = ada.post("/v1/contacts", &json!({"given_name": "Second"})).await.expect(201);
        let need = json!({"contact_id": first.id(), "topic": "compilers"});
        let need = ada.post("/v1/needs", &need).await.expect(201);
        let sent = atomic(&[delete(&first.location()), delete(&second.location()), named("New")]);
        assert_eq!(statuses(&send(&ada, &sent).await), [204, 204, 201]);
        ada.post_nothing(&format!("{}/restore", first.location())).await.expect(200);
        ada.get(&need.location()).await.expect(200);
        ada.get(&second.location()).await.problem(404, "not_found");
        let names: Vec<Value> = contacts(&ada).await.iter().map(|contact| contact["given_name"].clone()).collect();
        assert!(names.contains(&json!("New")) && names.len() == 2, "{names:?}");
    }

    async fn a_delete_cannot_be_restored_within_the_write_it_is_part_of(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let restore = json!({"method": "POST", "path": format!("{}/restore", made.location())});
        let sent = [named("Other"), delete(&made.location()), restore];
        let reply = send(&ada, &atomic(&sent)).await;
        assert_eq!(statuses(&reply), [424, 424, 404]);
        assert_eq!(ada.get(&made.location()).await.expect(200).etag(), made.etag());
        let reply = send(&ada, &batch(&sent)).await;
        assert_eq!(statuses(&reply), [201, 204, 200], "each is a write of its own");
    }

    async fn a_record_that_a_batch_makes_and_deletes_never_was(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = log(&ada).await;
        let path = format!("/v1/contacts/{}", own_id(1));
        let make = post("/v1/contacts", json!({"id": own_id(1), "given_name": "Grace"}));
        let reply = send(&ada, &atomic(&[make, delete(&path)])).await;
        assert_eq!((statuses(&reply), &reply.body["write"]), (vec![201, 204], &Value::Null));
        assert_eq!(log(&ada).await, before);
        ada.get(&format!("{path}/history")).await.problem(404, "not_found");
    }

    async fn preconditions_hold_within(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let with = |tag: &str, nickname: &str| {
            let mut operation = patch(&made.location(), json!({"nickname": nickname}));
            operation["headers"] = json!({"If-Match": tag});
            operation
        };
        let id = own_id(1);
        let put = json!({"method": "PUT", "path": format!("/v1/contacts/{id}"), "body": {"given_name": "Put"},
            "headers": {"If-None-Match": "*"}});
        let mut other = put.clone();
        other["body"] = json!({"given_name": "Other"});
        let sent = [with(&made.etag(), "A"), with(&made.etag(), "B"), put, other];
        let reply = send(&ada, &batch(&sent)).await;
        assert_eq!(statuses(&reply), [200, 412, 201, 412]);
        assert_eq!(reply.body["results"][1]["headers"]["ETag"], reply.body["results"][0]["headers"]["ETag"]);
        let now = ada.get(&made.location()).await.expect(200);
        assert_eq!(now.body["nickname"], "A");
        let reply = send(&ada, &atomic(&[with(&now.etag(), "C"), with(&now.etag(), "D")])).await;
        assert_eq!(statuses(&reply), [424, 412]);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["nickname"], "A");
    }

    async fn a_token_does_in_a_batch_what_its_scopes_name(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let reader = with_scopes(&ada, &["contacts:read"]).await;
        let need = post("/v1/needs", json!({"contact_id": grace.id(), "topic": "x"}));
        let sent = batch(&[get("/v1/contacts"), named("Other"), need, get(&grace.location())]);
        let reply = send(&reader, &sent).await;
        assert_eq!(statuses(&reply), [200, 403, 403, 200]);
        let challenge = reply.body["results"][1]["headers"]["WWW-Authenticate"].as_str().unwrap();
        assert!(challenge.contains("contacts:write"), "{challenge}");
        assert_eq!(contacts(&ada).await.len(), 1);
        let stranger = with_scopes(&ada, &["goals:read"]).await;
        assert_eq!(codes(&send(&stranger, &batch(&[get("/v1/contacts")])).await), ["insufficient_scope"]);
        server.client().post("/v1/batch", &sent).await.problem(401, "unauthenticated");
    }

    async fn what_may_not_stand_in_a_batch_is_refused_before_anything_is_done(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = log(&ada).await;
        let wrong_paths = [
            "/v1/batch", "/v1/me", "/v1/me/password", "/v1/tokens", "/v1/sessions", "/v1/auth/login", "/v1",
            "/v1/openapi.json", "/v1/errors", "/livez", "/docs/", "/v1/nothing", "v1/contacts", "//v1/contacts",
            "/v1//contacts", "/v1/../v1/contacts", "/v1/contacts#part", "http://example.com/v1/contacts",
            &format!("{}/v1/contacts", server.url), "/v1/contacts?q=é", "/v1/contacts?q=a b", "/v1/%62atch", "/v1/",
            "/v1/contacts/", "/v1/%6De", " /v1/contacts", "/v1/contacts\\x", "*",
        ];
        for path in wrong_paths {
            for method in ["GET", "POST"] {
                let operation = json!({"method": method, "path": path, "body": {}});
                let reply = ada.post("/v1/batch", &batch(&[named("Grace"), operation])).await;
                reply.problem(422, "invalid");
                let [error] = &reply.errors()[..] else { panic!("{path}: {reply}") };
                let known = ["method not_allowed", "path not_allowed", "path invalid_format"];
                let known = known.map(|known| format!("#/operations/1/{known}"));
                assert!(known.contains(error), "{method} {path}: {reply}");
            }
        }
        let inner = batch(&[named("Grace")]);
        let reply = ada.post("/v1/batch", &batch(&[post("/v1/batch", inner)])).await;
        assert_eq!(reply.errors(), ["#/operations/0/path not_allowed"]);
        assert_eq!(log(&ada).await, before);
    }

    async fn every_fault_of_a_batch_is_told_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let sent = json!({"atomic": "yes", "why": 1, "operations": [
            {"method": "GET"},
            {"method": "HEAD", "path": "/v1/contacts"},
            {"method": "PUT", "path": "/v1/contacts"},
            {"method": "GET", "path": "/v1/me", "headers": {"Authorization": "Bearer x", "if-match": "a\nb"}},
            {"method": "GET", "path": "/v1/contacts", "headers": {"Idempotency-Key": "k", "if-none-match": "*"}},
            {"method": "GET", "path": "/v1/contacts", "headers": {"If-Match": "*", "if-match": "*"}},
            {"method": "POST", "path": "/v1/contacts", "body": []},
            {"method": "POST", "path": "/v1/contacts", "body": "x", "id": 1},
            7,
        ]});
        let reply = ada.post("/v1/batch", &sent).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), [
            "#/atomic invalid_type",
            "#/operations/0/path required",
            "#/operations/1/method not_allowed",
            "#/operations/2/method not_allowed",
            "#/operations/3/headers/Authorization not_allowed",
            "#/operations/3/headers/if-match invalid_format",
            "#/operations/3/path not_allowed",
            "#/operations/4/headers/Idempotency-Key not_allowed",
            "#/operations/5/headers/if-match contradiction",
            "#/operations/6/body invalid_type",
            "#/operations/7/body invalid_type",
            "#/operations/7/id unknown_field",
            "#/operations/8 invalid_type",
            "#/why unknown_field",
        ], "{reply}");
        assert_eq!(contacts(&ada).await.len(), 0);
    }

    async fn a_batch_has_one_to_a_hundred_operations(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let many = |count: usize| batch(&vec![named("Grace"); count]);
        let reply = ada.post("/v1/batch", &many(0)).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/operations too_short"]);
        let reply = ada.post("/v1/batch", &many(101)).await;
        assert_eq!(reply.errors(), ["#/operations too_long"]);
        assert_eq!(contacts(&ada).await.len(), 0);
        let reply = send(&ada, &many(100)).await;
        assert_eq!(statuses(&reply), [201; 100]);
        assert_eq!(contacts(&ada).await.len(), 100);
        let service = ada.get("/v1").await.expect(200);
        let document = ada.get("/v1/openapi.json").await.expect(200);
        let documented = &document.body["components"]["schemas"]["BatchInput"]["properties"]["operations"]["maxItems"];
        assert_eq!(service.body["limits"]["batch_operations"], *documented);
    }

    async fn a_replayed_batch_has_the_same_bytes_and_writes_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let operations = [named("Grace"), post("/v1/contacts", json!({})), named("Ada")];
        let (many, one) = (batch(&operations), atomic(&[named("Grace"), named("Ada")]));
        for (key, sent) in [("many", many), ("one", one)] {
            let post = || ada.post("/v1/batch", &sent).idempotency_key(key);
            let first = post().await.expect(207);
            let count = contacts(&ada).await.len();
            let replay = post().await.expect(207);
            assert_eq!((first.text, replay.header("Idempotent-Replayed")), (replay.text.clone(), Some("true")));
            assert_eq!(contacts(&ada).await.len(), count);
            let other = ada.post("/v1/batch", &batch(&[named("Other")])).idempotency_key(key).await;
            other.problem(422, "idempotency_key_reused");
        }
    }

    async fn ten_at_once_under_one_key_write_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (key, sent) in [("k", batch(&[named("A"), named("B")])), ("l", atomic(&[named("A"), named("B")]))] {
            let before = contacts(&ada).await.len();
            let posts = (0..10).map(|_| ada.post("/v1/batch", &sent).idempotency_key(key).send());
            let replies = join_all(posts).await;
            let texts: std::collections::BTreeSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
            assert_eq!(texts.len(), 1, "{texts:?}");
            let first = replies.iter().filter(|reply| reply.header("Idempotent-Replayed").is_none()).count();
            assert_eq!((first, contacts(&ada).await.len()), (1, before + 2));
        }
    }

    async fn nothing_is_kept_of_an_atomic_batch_that_failed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let sent = atomic(&[named("Grace"), post("/v1/contacts", json!({"id": own_id(1), "given_name": "Ada"}))]);
        let taken = ada.post("/v1/contacts", &json!({"id": own_id(1), "given_name": "Taken"})).await.expect(201);
        let post = || ada.post("/v1/batch", &sent).idempotency_key("k");
        assert_eq!(statuses(&post().await), [424, 409]);
        ada.delete(&taken.location()).query(&[("purge", "true")]).await.expect(204);
        server.clock.advance(chrono::TimeDelta::days(31));
        let ada = server.login("ada@example.com").await;
        let again = ada.post("/v1/batch", &sent).idempotency_key("k").await;
        assert_eq!((statuses(&again), again.header("Idempotent-Replayed")), (vec![201, 201], None));
    }

    async fn a_kept_answer_does_not_hold_whom_was_to_be_forgotten(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let reply = ada.post("/v1/batch", &batch(&[named("Unforgettable")])).idempotency_key("k").await.expect(207);
        let path = reply.body["results"][0]["headers"]["Location"].as_str().unwrap();
        let text = match server.database.backend {
            Backend::Sqlite => "CAST(reply AS TEXT)",
            Backend::Postgres => "convert_from(reply, 'UTF8')",
        };
        // Short enough not to be compressed.
        let held = format!("SELECT count(*) FROM idempotency_keys WHERE {text} LIKE '%Unforgettable%'");
        let held = held.as_str();
        assert_eq!(server.database.number(held), 1);
        ada.delete(path).query(&[("purge", "true")]).await.expect(204);
        assert_eq!(server.database.number(held), 0);
        let made = ada.post("/v1/contacts", &json!({"given_name": "Unforgettable"})).await.expect(201);
        let path = format!("{}?purge=true", made.location());
        let sent = batch(&[get(&made.location()), delete(&path)]);
        let reply = ada.post("/v1/batch", &sent).idempotency_key("l").await.expect(207);
        assert_eq!(statuses(&reply), [200, 204]);
        assert_eq!(server.database.number(held), 0);
    }

    async fn twenty_batches_of_fifty_at_once_all_succeed(backend: Backend) {
        // A thousand writes of an unoptimised build take some seconds, in which the last in the queue has to wait.
        let server = TestServer::start_with(backend, |config| config.pool_timeout_seconds = 60).await;
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let sent: Vec<Value> = (0..50).map(|number| named(&format!("N{number}"))).collect();
        let posts = (0..20).map(|number: usize| {
            let body = if number.is_multiple_of(2) { atomic(&sent) } else { batch(&sent) };
            let client = if number.is_multiple_of(5) { &bob } else { &ada };
            client.post("/v1/batch", &body).send()
        });
        let reads = (0..20).map(|_| ada.get("/v1/contacts?limit=5").send());
        let (replies, read) = futures_util::future::join(join_all(posts), join_all(reads)).await;
        for reply in &replies {
            assert_eq!((reply.status, reply.body["results"].as_array().map(Vec::len)), (207, Some(50)), "{reply}");
            assert_eq!(statuses(reply), [201; 50]);
        }
        read.into_iter().for_each(|reply| drop(reply.expect(200)));
        assert_eq!(contacts(&ada).await.len() + contacts(&bob).await.len(), 1000);
    }

    async fn a_batch_needs_one_connection(backend: Backend) {
        for size in [1, 2] {
            let server = TestServer::start_with(backend, move |config| config.read_pool_size = size).await;
            let ada = server.register("ada@example.com").await;
            let sent = [named("Grace"), get("/v1/contacts?count=true&include=positions"), get("/v1/changes")];
            let bodies = [batch(&sent), atomic(&sent), batch(&sent[1..]), atomic(&sent[1..])];
            let posts = (0..16).map(|number: usize| ada.post("/v1/batch", &bodies[number % 4]).send());
            for reply in join_all(posts).await {
                let all = statuses(&reply.clone().expect(207));
                assert!(all.iter().all(|status| *status < 300), "{reply}");
            }
            assert_eq!(contacts(&ada).await.len(), 8);
        }
    }

    async fn a_client_that_goes_away_holds_nobody_up(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.pool_timeout_seconds = 60).await;
        let ada = server.register("ada@example.com").await;
        let sent: Vec<Value> = (0..100).map(|number| named(&format!("N{number}"))).collect();
        let mut gone = 0;
        for _ in 0..5 {
            let post = ada.post("/v1/batch", &atomic(&sent)).send();
            gone += u32::from(tokio::time::timeout(Duration::from_millis(15), post).await.is_err());
        }
        assert!(gone > 0, "a hundred contacts take longer than that");
        ada.post("/v1/contacts", &json!({"given_name": "After"})).await.expect(201);
        let count = contacts(&ada).await.len();
        assert_eq!(count % 100, 1, "each is whole or not at all: {count}");
    }

    async fn reading_alone_waits_for_nobody_who_writes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let sent: Vec<Value> = (0..100).map(|number| named(&format!("N{number}"))).collect();
        let write = ada.post("/v1/batch", &atomic(&sent)).send();
        let reads = async {
            let reads = join_all((0..3).map(|_| ada.post("/v1/batch", &batch(&[get("/v1/contacts?count=true")])).send()));
            reads.await.iter().map(|reply| reply.body["results"][0]["body"]["total"].clone()).collect::<Vec<_>>()
        };
        let (written, totals) = futures_util::future::join(write, reads).await;
        assert_eq!(statuses(&written), [201; 100]);
        assert!(totals.iter().all(|total| *total == 0 || *total == 100), "all of it is seen, or none: {totals:?}");
    }

    async fn every_operation_counts_as_a_request_and_what_exceeds_the_limit_is_refused_whole(backend: Backend) {
        let server = TestServer::start_with(backend, |config| {
            config.rate_limits = true;
            config.requests_per_minute = 150;
        })
        .await;
        let ada = server.register("ada@example.com").await;
        let left = |reply: &Reply| -> i64 {
            let header = reply.header("RateLimit").unwrap_or_else(|| panic!("{reply}")).to_owned();
            header.rsplit_once("r=").unwrap().1.parse().unwrap()
        };
        let start = std::time::Instant::now();
        let before = left(&ada.get("/v1/contacts").await.expect(200));
        let sent: Vec<Value> = (0..100).map(|number| named(&format!("N{number}"))).collect();
        let taken = ada.post("/v1/batch", &batch(&sent)).await.expect(207);
        // Meanwhile the bucket fills by five in two seconds.
        let filled = i64::try_from(start.elapsed().as_millis() / 400).unwrap() + 1;
        let after = left(&taken);
        assert!((100 - filled..=100).contains(&(before - after)), "{before} {after} {filled}");

        let refused = ada.post("/v1/batch", &batch(&sent)).await.expect(429);
        assert_eq!(refused.body["code"], "rate_limited");
        assert!(refused.header("Retry-After").is_some(), "{refused}");
        let rest = left(&refused);
        assert!((after - 1..after + 10).contains(&rest), "{after}, then {rest}: nothing was taken but for the request");
        let found = ada.get("/v1/contacts?count=true").await.expect(200);
        assert_eq!(found.body["total"], 100, "none of it was done");
    }

    async fn what_a_batch_purges_is_erased_as_by_itself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Xanthippe"})).await.expect(201);
        let purge = delete(&format!("{}?purge=true", made.location()));
        for (body, name) in [(batch(&[named("A"), purge.clone()]), "A"), (atomic(&[named("B"), purge]), "B")] {
            let reply = ada.post("/v1/batch", &body).idempotency_key(name).await.expect(207);
            assert_eq!(statuses(&reply), [201, 204], "a second time is a success too");
        }
        let held = "SELECT count(*) FROM changes WHERE CAST(before AS TEXT) LIKE '%Xanthippe%'";
        assert_eq!(server.database.number(held), 0);
        if server.backend == Backend::Sqlite {
            let path = server.database.url.trim_start_matches("sqlite://").to_owned();
            for file in [path.clone(), format!("{path}-wal")] {
                let bytes = std::fs::read(&file).unwrap_or_default();
                assert!(!bytes.windows(9).any(|window| window == b"Xanthippe"), "{file} holds it still");
            }
        }
    }

    async fn answers_end_where_they_would_be_too_many(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let notes = "n".repeat(90_000);
        for number in 0..10 {
            ada.post("/v1/contacts", &json!({"given_name": format!("N{number}"), "notes": notes})).await.expect(201);
        }
        let reply = send(&ada, &batch(&vec![get("/v1/contacts"); 20])).await;
        let all = statuses(&reply);
        assert_eq!((all[0], all[19], codes(&reply)[19]), (200, 413, "body_too_large"));
        assert!(reply.text.len() < 10_000_000);
    }
}
