//! Idempotency-Key: the same request under one key is done once, and answered the same.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Backend, Client, Reply, TestServer};

async fn count(client: &Client) -> usize {
    client.walk("/v1/contacts?known=any&archived=any").await.len()
}

/// Text that does not compress well.
fn noise(seed: &mut u64, length: usize) -> String {
    let next = |_| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'?' + u8::try_from((*seed >> 33) % 64).unwrap())
    };
    (0..length).map(next).collect()
}

/// The replay says what the first answer said.
fn assert_replayed(first: &Reply, replay: &Reply) {
    assert_eq!(first.header("Idempotent-Replayed"), None, "{first}");
    assert_eq!(replay.header("Idempotent-Replayed"), Some("true"), "{replay}");
    assert_eq!(replay.status, first.status);
    for name in ["Location", "ETag", "Content-Type"] {
        assert_eq!(replay.header(name), first.header(name), "{name}");
    }
    assert_eq!(replay.text, first.text);
}

on_both! {
    async fn a_repeated_post_gets_the_first_answer(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        let post = || ada.post("/v1/contacts", &body).idempotency_key("a key of mine");
        let first = post().await.expect(201);
        // Whatever became of the record since.
        ada.patch(&first.location(), &json!({"nickname": "G"})).await.expect(200);
        server.clock.advance(TimeDelta::minutes(10));
        let replay = post().await;
        assert_replayed(&first, &replay);
        assert_eq!(count(&ada).await, 1);
        ada.delete(&first.location()).await.expect(204);
        assert_replayed(&first, &post().await);
        assert_eq!(count(&ada).await, 0);
    }

    async fn a_repeated_patch_gets_the_first_answer(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let patch = || {
            let body = json!({"add_tags": ["x"]});
            ada.patch(&made.location(), &body).if_match(&made.etag()).idempotency_key("k")
        };
        let first = patch().await.expect(200);
        ada.patch(&made.location(), &json!({"tags": []})).await.expect(200);
        let replay = patch().await;
        assert_replayed(&first, &replay);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["tags"], json!([]), "it was not done again");
    }

    async fn a_repeated_revert_and_restore_get_the_first_answer(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let patched = ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        let revert = format!("/v1/changes/{}/revert", patched.body["version"]);
        let dry = ada.post_nothing(&format!("{revert}?dry_run=true")).idempotency_key("dry").await.expect(200);
        let first = ada.post_nothing(&revert).idempotency_key("k").await.expect(200);
        assert_replayed(&first, &ada.post_nothing(&revert).idempotency_key("k").await);
        let again = ada.post_nothing(&format!("{revert}?dry_run=true")).idempotency_key("dry").await;
        assert_replayed(&dry, &again);

        ada.delete(&made.location()).await.expect(204);
        let restore = || ada.post_nothing(&format!("{}/restore", made.location())).idempotency_key("r");
        let first = restore().await.expect(200);
        ada.delete(&made.location()).await.expect(204);
        assert_replayed(&first, &restore().await);
        ada.get(&made.location()).await.problem(404, "not_found");
    }

    async fn a_key_that_came_with_another_request_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        let made = ada.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        let other = json!({"given_name": "Other"});
        for reply in [
            ada.post("/v1/contacts", &other).idempotency_key("k").await,
            ada.patch(&made.location(), &body).idempotency_key("k").await,
            ada.post_nothing(&format!("{}/restore", made.location())).idempotency_key("k").await,
        ] {
            reply.problem(422, "idempotency_key_reused");
        }
        assert_eq!(count(&ada).await, 1);
        assert_eq!(ada.get(&made.location()).await.expect(200).etag(), made.etag());
        ada.post("/v1/contacts", &body).idempotency_key("K").await.expect(201);
        assert_eq!(count(&ada).await, 2, "keys differ by case");
    }

    async fn nothing_is_kept_of_a_refused_request(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let taken = json!({"id": made.id(), "given_name": "Other"});
        ada.post("/v1/contacts", &json!({})).idempotency_key("k").await.problem(422, "invalid");
        ada.post("/v1/contacts", &taken).idempotency_key("k").await.problem(409, "id_taken");
        let stale = ada.patch(&made.location(), &json!({"nickname": "G"})).if_match("\"old\"").idempotency_key("k").await;
        stale.problem(412, "precondition_failed");
        ada.post_nothing("/v1/changes/999/revert").idempotency_key("k").await.problem(404, "not_found");
        let reply = ada.post("/v1/contacts", &json!({"given_name": "Free"})).idempotency_key("k").await.expect(201);
        assert_eq!(reply.header("Idempotent-Replayed"), None);
    }

    async fn a_key_is_free_again_after_a_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        let first = ada.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        server.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
        let ada = server.login("ada@example.com").await;
        assert_replayed(&first, &ada.post("/v1/contacts", &body).idempotency_key("k").await);
        server.clock.advance(TimeDelta::seconds(1));
        let later = ada.post("/v1/contacts", &json!({"given_name": "Other"})).idempotency_key("k").await.expect(201);
        assert_eq!(later.header("Idempotent-Replayed"), None);
        assert_ne!(later.id(), first.id());
        assert_replayed(&later, &ada.post("/v1/contacts", &json!({"given_name": "Other"})).idempotency_key("k").await);
    }

    async fn a_long_answer_is_rendered_anew(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace", "notes": noise(&mut 7, 100_000)});
        let first = ada.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        let kept = server.database.number("SELECT count(*) FROM idempotency_keys WHERE reply IS NULL");
        assert_eq!(kept, 1);
        let replay = ada.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        assert_eq!(replay.header("Idempotent-Replayed"), Some("true"));
        assert_eq!((replay.location(), replay.etag()), (first.location(), first.etag()));
        assert_eq!(replay.body, first.body);
        assert_eq!(count(&ada).await, 1);
    }

    async fn fifty_posts_at_once_with_one_key_make_one_record_and_one_answer(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        let posts = (0..50).map(|_| ada.post("/v1/contacts", &body).idempotency_key("k").send());
        let replies = join_all(posts).await;

        let (first, replays): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.header("Idempotent-Replayed").is_none());
        assert_eq!((first.len(), replays.len()), (1, 49));
        assert_eq!(first[0].status, 201);
        replays.into_iter().for_each(|replay| assert_replayed(first[0], replay));
        assert_eq!(count(&ada).await, 1);
    }

    async fn a_key_of_somebody_else_is_another_key(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let body = json!({"given_name": "Grace"});
        let mine = ada.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        let theirs = bob.post("/v1/contacts", &body).idempotency_key("k").await.expect(201);
        assert_ne!(mine.id(), theirs.id());
        assert_eq!(theirs.header("Idempotent-Replayed"), None);
        assert_replayed(&theirs, &bob.post("/v1/contacts", &body).idempotency_key("k").await);
    }

    async fn a_long_key_is_as_good_as_a_short_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let slug = "%E3%81%82".repeat(100);
        let body = json!({"given_name": "Grace", "links": {"l": {"url": format!("https://www.linkedin.com/in/{slug}")}},
            "external_ids": {"linkedin": {"id": slug}}});
        let first = ada.post("/v1/contacts", &body).idempotency_key(&format!("load-{slug}")).await.expect(201);
        assert_replayed(&first, &ada.post("/v1/contacts", &body).idempotency_key(&format!("load-{slug}")).await);
        let other = json!({"given_name": "Ada"});
        ada.post("/v1/contacts", &other).idempotency_key(&format!("load-{slug}")).await.problem(422, "idempotency_key_reused");
        ada.post("/v1/contacts", &other).idempotency_key(&format!("load-{slug}x")).await.expect(201);
        assert_eq!(count(&ada).await, 2);
    }

    async fn a_key_has_one_to_4096_characters(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        for wrong in ["", &"k".repeat(4_097), "ключ", "a\tb"] {
            let reply = ada.post("/v1/contacts", &body).idempotency_key(wrong).await;
            reply.problem(400, "invalid_parameter");
        }
        assert_eq!(count(&ada).await, 0);
        ada.post("/v1/contacts", &body).idempotency_key(&"k".repeat(4_096)).await.expect(201);
    }

    async fn where_replies_hold_secrets_a_key_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["contacts:read"]});
        let reply = ada.post("/v1/tokens", &body).idempotency_key("k").await;
        reply.problem(400, "idempotency_not_allowed");
        let body = json!({"email": "ada@example.com", "password": crate::support::PASSWORD});
        let reply = ada.post("/v1/auth/login", &body).idempotency_key("k").await;
        reply.problem(400, "idempotency_not_allowed");
        let tokens = ada.get("/v1/tokens").await.expect(200);
        assert_eq!(tokens.items().len(), 0);
    }

    async fn a_repeated_put_and_delete_get_the_first_answer(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let path = "/v1/contacts/01939d5e-8c00-7000-8000-0000000000c1";
        let body = json!({"given_name": "Grace"});
        let put = || ada.put(path, &body).if_none_match("*").idempotency_key("put");
        let first = put().await.expect(201);
        ada.patch(path, &json!({"nickname": "G"})).await.expect(200);
        assert_replayed(&first, &put().await);
        let delete = || ada.delete(path).idempotency_key("delete");
        let first = delete().await.expect(204);
        assert_replayed(&first, &delete().await);
        let log = ada.log().await;
        assert!(log.items().iter().any(|change| change["op"] == "deleted"), "{log}");
    }

    async fn a_put_that_comes_twice_without_a_key_is_answered_as_the_first_time(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let path = "/v1/contacts/01939d5e-8c00-7000-8000-0000000000c1";
        let body = json!({"given_name": "Grace", "tags": ["navy"]});
        let first = ada.put(path, &body).if_none_match("*").await.expect(201);
        let again = ada.put(path, &body).if_none_match("*").await.expect(201);
        assert_eq!((again.etag(), &again.body), (first.etag(), &first.body));
        assert_eq!(again.header("Wellmet-Write"), None, "it changed nothing");
        let other = ada.put(path, &json!({"given_name": "Ada", "tags": ["navy"]})).if_none_match("*").await;
        other.problem(412, "precondition_failed");
    }

    async fn a_kept_reply_is_given_to_nobody_who_lacks_a_scope_of_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let token = |name: &str, scopes: &[&str]| json!({"name": name, "scopes": scopes});
        let reader = ada.post("/v1/tokens", &token("reader", &["contacts:read"])).await.expect(201);
        let writer = ada.post("/v1/tokens", &token("writer", &["contacts:read", "contacts:write"])).await.expect(201);
        let [reader, writer] = [reader, writer].map(|made| ada.with_token(made.body["token"].as_str().unwrap()));
        let batch = json!({"operations": [
            {"method": "POST", "path": "/v1/contacts", "body": {"given_name": "Grace", "notes": "secret"}},
            {"method": "POST", "path": "/v1/goals", "body": {"title": "secret"}},
            {"method": "GET", "path": "/v1/contacts"}]});
        let send = |client: &Client| client.post("/v1/batch", &batch).idempotency_key("k");
        let first = send(&ada).await.expect(207);
        for lacks in [&reader, &writer] {
            let refused = send(lacks).await;
            refused.problem(403, "insufficient_scope");
            assert!(!refused.text.contains("Grace"), "{refused}");
        }
        assert_replayed(&first, &send(&ada).await);

        let made = ada.post("/v1/goals", &json!({"title": "Lead a team"})).await.expect(201);
        let revert = format!("/v1/changes/{}/revert", made.header("Wellmet-Write").unwrap());
        ada.post_nothing(&revert).idempotency_key("r").await.expect(200);
        let refused = writer.post_nothing(&revert).idempotency_key("r").await;
        refused.problem(403, "insufficient_scope");
    }

    async fn of_a_batch_what_was_read_is_read_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let batch = json!({"operations": [
            {"method": "POST", "path": "/v1/contacts", "body": {"given_name": "Grace"}},
            {"method": "GET", "path": "/v1/contacts?known=any"}]});
        let send = || ada.post("/v1/batch", &batch).idempotency_key("k");
        let first = send().await.expect(207);
        ada.post("/v1/contacts", &json!({"given_name": "Alan"})).await.expect(201);
        let again = send().await.expect(207);
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
        assert_eq!(again.body["results"][0], first.body["results"][0]);
        assert_eq!(again.body["results"][1]["body"]["items"].as_array().unwrap().len(), 2, "{again}");
        assert_eq!(count(&ada).await, 2, "it was not done again");
    }

    async fn what_is_kept_of_a_batch_is_small(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for n in 0..100 {
            let notes = "A long story of how we met. ".repeat(100);
            ada.post("/v1/contacts", &json!({"given_name": format!("n{n}"), "notes": notes})).await.expect(201);
        }
        let read = json!({"method": "GET", "path": "/v1/contacts?limit=200"});
        let batch = json!({"operations": [{"method": "POST", "path": "/v1/tags", "body": {"name": "x"}},
            read, read, read, read]});
        let reply = ada.post("/v1/batch", &batch).idempotency_key("k").await.expect(207);
        assert!(reply.text.len() > 1_000_000, "{}", reply.text.len());
        let kept = server.database.number("SELECT coalesce(sum(length(reply)), 0) FROM idempotency_keys");
        assert!((1..4_096).contains(&kept), "{kept} bytes are kept");
        assert_eq!(server.database.number("SELECT sum(kept_reply_bytes) FROM workspaces"),
            server.database.number("SELECT sum(bytes) FROM idempotency_keys"));
    }

    async fn a_reply_that_is_too_long_to_be_kept_is_refused_and_nothing_is_done(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut seed = 7;
        let operations: Vec<_> = (0..20)
            .map(|_| json!({"method": "POST", "path": "/v1/contacts", "body": {"given_name": "Grace", "notes": noise(&mut seed, 9_000)}}))
            .collect();
        let batch = json!({"operations": operations});
        let reply = ada.post("/v1/batch", &batch).idempotency_key("k").await;
        reply.problem(413, "reply_too_large");
        assert_eq!(count(&ada).await, 0);
        ada.post("/v1/batch", &batch).await.expect(207);
        assert_eq!(count(&ada).await, 20);
    }
}

on_both! {
    async fn a_workspace_keeps_so_many_bytes_of_replies_and_no_more(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.max_stored_reply_megabytes = 1).await;
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        server.database.execute("UPDATE workspaces SET kept_reply_bytes = 1024 * 1024 - 2000 WHERE number = 1");
        let body = json!({"given_name": "Grace"});
        let post = |client: &Client, key: &str| client.post("/v1/contacts", &body).idempotency_key(key);
        post(&ada, "one").await.expect(201);
        let refused = post(&ada, "two").await;
        refused.problem(429, "too_many_stored_replies");
        assert_eq!(refused.header("Retry-After"), Some("3600"));
        assert_eq!(count(&ada).await, 1, "nothing was done");
        ada.post("/v1/contacts", &body).await.expect(201);
        post(&bob, "one").await.expect(201);
    }
}
