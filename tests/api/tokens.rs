//! Personal access tokens: shown once, limited to what they are for, gone when they are deleted.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};

const TOKENS: &str = "/v1/tokens";

async fn make(client: &Client, scopes: &[&str]) -> Reply {
    client.post(TOKENS, &json!({"name": "script", "scopes": scopes})).await
}

#[track_caller]
fn secret(reply: &Reply) -> String {
    reply.body["token"].as_str().unwrap_or_else(|| panic!("no token in {reply}")).to_owned()
}

/// The six characters that end a token, counted anew from its beginning.
fn checksum(secret: &str) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32(secret.as_bytes());
    let mut letters = Vec::new();
    for _ in 0..6 {
        letters.push(LETTERS[(rest % 62) as usize]);
        rest /= 62;
    }
    letters.reverse();
    String::from_utf8(letters).unwrap()
}

/// CRC-32 of ISO 3309, bit by bit: `123456789` gives cbf43926.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

#[test]
fn the_checksum_of_this_test_is_the_usual_crc32() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

on_both! {
    async fn a_token_is_shown_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": " import script ", "scopes": ["contacts:write", "contacts:read", "contacts:read"],
            "expires_at": "2027-01-01T00:00:00+01:00"});

        let made = ada.post(TOKENS, &body).await.expect(201);

        let token = secret(&made);
        assert_eq!(made.header("Cache-Control"), Some("no-store"));
        assert_eq!(made.location(), format!("/v1/tokens/{}", made.id()));
        assert_eq!(made.body["hint"], token[token.len() - 4..]);
        let mut shown = made.body.clone();
        shown.as_object_mut().unwrap().remove("token");
        let read = ada.get(&made.location()).await.expect(200);
        assert_eq!(read.body, shown);
        let list = ada.get(TOKENS).await.expect(200);
        assert_eq!(list.body, json!({"items": [shown.clone()], "next_cursor": null}));
        for reply in [&read, &list] {
            assert!(!reply.text.contains(&token[7..20]), "the secret shows: {reply}");
        }
        for name in ["id", "hint"] {
            shown[name] = json!("…");
        }
        insta::assert_json_snapshot!(shown, @r#"
        {
          "created_at": "2026-03-02T09:00:00Z",
          "expires_at": "2026-12-31T23:00:00Z",
          "hint": "…",
          "id": "…",
          "last_used_at": null,
          "name": "import script",
          "scopes": [
            "contacts:read",
            "contacts:write"
          ]
        }
        "#);
    }

    async fn a_token_can_be_told_from_other_text(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let token = secret(&make(&ada, &["account:read"]).await.expect(201));
        let rest = token.strip_prefix("wm_pat_").expect("the prefix that scanners look for");
        assert_eq!(rest.len(), 36);
        assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{rest}");
        assert_eq!(rest[30..], checksum(&rest[..30]));
        ada.with_token(&token).get("/v1/me").await.expect(200);
        // A typo, and one that nobody ever made.
        let other = format!("wm_pat_{}{}", "0".repeat(30), checksum(&"0".repeat(30)));
        let typo = format!("{}{}", &token[..42], if token.ends_with('x') { 'y' } else { 'x' });
        for wrong in [typo, format!("{token}0"), token[..42].to_owned(), other] {
            ada.with_token(&wrong).get("/v1/me").await.problem(401, "unauthenticated");
        }
    }

    async fn only_a_hash_of_a_token_is_stored(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let token = secret(&make(&ada, &["account:read"]).await.expect(201));
        let stored = server.database.texts("SELECT name || hint || scopes FROM personal_access_tokens");
        assert!(stored.len() == 1 && !stored[0].contains(&token[..20]), "{stored:?}");
        assert_eq!(server.database.number("SELECT length(token_hash) FROM personal_access_tokens"), 32);
    }

    async fn a_token_does_what_its_scopes_say(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let reader = ada.with_token(&secret(&make(&ada, &["contacts:read"]).await.expect(201)));
        let grace = json!({"given_name": "Grace"});

        reader.get("/v1/contacts").await.expect(200);
        let refused = reader.post("/v1/contacts", &grace).await;
        refused.problem(403, "insufficient_scope");
        let challenge = refused.header("WWW-Authenticate").unwrap_or_default();
        assert!(challenge.contains("insufficient_scope") && challenge.contains("contacts:write"), "{refused}");
        for (method, path) in [("GET", "/v1/me"), ("GET", TOKENS), ("GET", "/v1/sessions"), ("PATCH", "/v1/me")] {
            reader.request(method, path).await.problem(403, "insufficient_scope");
        }
        // To write is not to read.
        let writer = ada.with_token(&secret(&make(&ada, &["contacts:write"]).await.expect(201)));
        writer.post("/v1/contacts", &grace).await.expect(201);
        writer.get("/v1/contacts").await.problem(403, "insufficient_scope");
    }

    async fn a_token_makes_none_that_may_more(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let small = ["account:write", "contacts:read"];
        let maker = ada.with_token(&secret(&make(&ada, &small).await.expect(201)));

        let refused = make(&maker, &["contacts:read", "contacts:write"]).await;

        let problem = refused.problem(403, "insufficient_scope");
        assert!(problem["detail"].as_str().unwrap().contains("contacts:write"), "{problem}");
        make(&maker, &["contacts:read"]).await.expect(201);
        assert_eq!(ada.get(TOKENS).await.expect(200).items().len(), 2);
    }

    async fn a_token_has_an_end(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["account:read"], "expires_at": "2026-03-02T09:05:00Z"});
        let script = ada.with_token(&secret(&ada.post(TOKENS, &body).await.expect(201)));
        server.clock.advance(TimeDelta::milliseconds(299_999));
        script.get("/v1/me").await.expect(200);
        server.clock.advance(TimeDelta::milliseconds(1));
        script.get("/v1/me").await.problem(401, "unauthenticated");
        assert_eq!(ada.get(TOKENS).await.expect(200).items().len(), 1, "it is listed until it is deleted");
    }

    async fn a_token_without_an_end_outlives_the_session_that_made_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let script = ada.with_token(&secret(&make(&ada, &["account:read"]).await.expect(201)));
        let body = json!({"refresh_token": ada.refresh_token});
        ada.post("/v1/auth/logout", &body).await.expect(204);
        server.clock.advance(TimeDelta::days(400));
        script.get("/v1/me").await.expect(200);
    }

    async fn the_last_use_is_noted_once_a_minute(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, &["account:read"]).await.expect(201);
        let script = ada.with_token(&secret(&made));
        let last_used = async || ada.get(&made.location()).await.expect(200).body["last_used_at"].clone();
        assert_eq!(last_used().await, Value::Null);

        let first = "2026-03-02T09:00:00Z";
        let second = "2026-03-02T09:01:00Z";
        for (seconds, at) in [(0, first), (59, first), (1, second), (59, second)] {
            server.clock.advance(TimeDelta::seconds(seconds));
            // A node remembers a token for five seconds of real time; a revocation makes it look again.
            ada.post("/v1/auth/logout", &json!({"refresh_token": "x"})).await.expect(204);
            script.get("/v1/me").await.expect(200);
            // It is noted while the caller goes on.
            for _ in 0..200 {
                if last_used().await == at {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            assert_eq!(last_used().await, at);
        }
        server.restart().await;
        assert_eq!(last_used().await, second);
    }

    async fn a_deleted_token_stops_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, &["account:read"]).await.expect(201);
        let script = ada.with_token(&secret(&made));
        script.get("/v1/me").await.expect(200);
        ada.delete(&made.location()).await.expect(204);
        script.get("/v1/me").await.problem(401, "unauthenticated");
        ada.get(&made.location()).await.problem(404, "not_found");
        ada.delete(&made.location()).await.problem(404, "not_found");
        assert!(ada.get(TOKENS).await.expect(200).items().is_empty());
    }

    async fn a_token_can_delete_itself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, &["account:write"]).await.expect(201);
        let script = ada.with_token(&secret(&made));
        script.delete(&made.location()).await.expect(204);
        script.delete(&made.location()).await.problem(401, "unauthenticated");
    }

    async fn there_are_at_most_a_hundred_tokens(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut last = None;
        for _ in 0..100 {
            last = Some(make(&ada, &["contacts:read"]).await.expect(201));
        }
        make(&ada, &["contacts:read"]).await.problem(409, "limit_reached");
        ada.delete(&last.unwrap().location()).await.expect(204);
        make(&ada, &["contacts:read"]).await.expect(201);
        assert_eq!(server.client().get("/v1").await.expect(200).body["limits"]["personal_access_tokens"], 100);
    }

    async fn the_reply_is_not_kept_under_a_key(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["account:read"]});
        ada.post(TOKENS, &body).idempotency_key("k").await.problem(400, "idempotency_not_allowed");
        assert!(ada.get(TOKENS).await.expect(200).items().is_empty());
    }

    async fn every_fault_of_a_token_is_told_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let table = [
            (json!({}), vec!["#/name required", "#/scopes required"]),
            (
                json!({"name": " ", "scopes": ["contacts:admin"], "expires_at": "2026-03-02T09:00:00Z", "id": 1}),
                vec![
                    "#/expires_at out_of_range",
                    "#/id unknown_field",
                    "#/name too_short",
                    "#/scopes/0 not_allowed",
                ],
            ),
            (
                json!({"name": "n".repeat(101), "scopes": [], "expires_at": "tomorrow"}),
                vec!["#/expires_at invalid_format", "#/name too_long", "#/scopes too_short"],
            ),
            (json!({"name": "script", "scopes": "contacts:read"}), vec!["#/scopes invalid_type"]),
        ];
        for (body, expected) in table {
            let reply = ada.post(TOKENS, &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), expected, "{body}");
        }
        assert!(ada.get(TOKENS).await.expect(200).items().is_empty());
    }

    async fn the_token_of_another_does_not_exist(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let eve = server.register("eve@example.com").await;
        let made = make(&ada, &["account:read"]).await.expect(201);
        eve.get(&made.location()).await.problem(404, "not_found");
        eve.delete(&made.location()).await.problem(404, "not_found");
        assert!(eve.get(TOKENS).await.expect(200).items().is_empty());
        ada.with_token(&secret(&made)).get("/v1/me").await.expect(200);
    }

    async fn what_a_token_wrote_is_told_in_the_log_of_changes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, &["contacts:write"]).await.expect(201);
        let script = ada.with_token(&secret(&made));
        let contact = script.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let history = ada.get(&format!("{}/history", contact.location())).await.expect(200);
        assert_eq!(history.items()[0]["actor"]["token_id"], made.id().as_str());
    }
}
