//! The account of whoever calls: reading and changing it, the password, and leaving for good.

use serde_json::{Value, json};

use crate::support::{Client, Database, PASSWORD, Reply, TestServer};

const NEW_PASSWORD: &str = "violet harbour 58 anvil comet";

async fn change_password(client: &Client, current: &str, new: &str) -> Reply {
    client.post("/v1/me/password", &json!({"current_password": current, "new_password": new})).await
}

async fn leave(client: &Client, password: &str) -> Reply {
    client.delete("/v1/me").json(&json!({"password": password})).await
}

async fn log_in(server: &TestServer, email: &str, password: &str) -> Reply {
    server.client().post("/v1/auth/login", &json!({"email": email, "password": password})).await
}

/// Makes the person a member of the other's workspace, which no endpoint does yet.
fn join(database: &Database, email: &str, workspace_of: &str, role: &str) {
    database.execute(&format!(
        "INSERT INTO memberships (workspace_id, user_id, role, created_at)
         SELECT own.workspace_id, guest.id, '{role}', guest.created_at
         FROM memberships own JOIN users host ON host.id = own.user_id, users guest
         WHERE host.email = '{workspace_of}' AND guest.email = '{email}'"
    ));
}

/// How many rows each table holds.
fn rows(database: &Database) -> Vec<(&'static str, i64)> {
    [
        "users",
        "workspaces",
        "memberships",
        "sessions",
        "refresh_tokens",
        "personal_access_tokens",
        "idempotency_keys",
        "changes",
        "record_keys",
        "search_documents",
        "contacts",
    ]
    .map(|table| (table, database.number(&format!("SELECT count(*) FROM {table}"))))
    .to_vec()
}

on_both! {
    async fn the_account_is_shown_with_workspace_and_self_contact(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let reply = ada.get("/v1/me").await.expect(200);
        let mut shown = reply.body.clone();
        assert_eq!(shown["workspace"]["id"], ada.workspace_id.as_str());
        for pointer in ["/user/id", "/workspace/id", "/self_contact_id"] {
            let id = shown.pointer_mut(pointer).unwrap();
            assert_eq!(id.as_str().map(str::len), Some(36), "{pointer}");
            *id = json!("…");
        }
        insta::assert_json_snapshot!(shown, @r#"
        {
          "self_contact_id": "…",
          "user": {
            "created_at": "2026-03-02T09:00:00Z",
            "email": "ada@example.com",
            "email_digest": false,
            "id": "…",
            "locale": "en",
            "name": "ada",
            "notify_at": 8,
            "time_zone": "UTC",
            "updated_at": "2026-03-02T09:00:00Z",
            "version": 1,
            "week_starts_on": "monday"
          },
          "workspace": {
            "id": "…",
            "name": "ada",
            "role": "owner",
            "tier_cadences": {
              "active": {
                "every": 90,
                "unit": "day"
              },
              "core": {
                "every": 30,
                "unit": "day"
              },
              "distant": {
                "every": 365,
                "unit": "day"
              },
              "extended": {
                "every": 180,
                "unit": "day"
              },
              "inner": {
                "every": 14,
                "unit": "day"
              }
            },
            "time_zone": "UTC"
          }
        }
        "#);
        ada.get("/v1/me").if_none_match(&reply.etag()).await.expect(304);
    }

    async fn a_patch_changes_what_it_names(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = ada.get("/v1/me").await.expect(200);
        server.clock.advance(chrono::TimeDelta::seconds(5));
        let patch = json!({"name": " Ada King ", "time_zone": "Europe/Warsaw", "locale": "pl-pl",
            "week_starts_on": "sunday", "notify_at": 0});

        let reply = ada.patch("/v1/me", &patch).if_match(&before.etag()).await.expect(200);

        assert_ne!(reply.etag(), before.etag());
        let mut expected = before.body.clone();
        for (field, value) in [
            ("name", json!("Ada King")),
            ("time_zone", json!("Europe/Warsaw")),
            ("locale", json!("pl-PL")),
            ("week_starts_on", json!("sunday")),
            ("notify_at", json!(0)),
            ("version", json!(2)),
            ("updated_at", json!("2026-03-02T09:00:05Z")),
        ] {
            expected["user"][field] = value;
        }
        assert_eq!(reply.body, expected);
        let after = ada.get("/v1/me").await.expect(200);
        assert_eq!((after.etag(), after.body), (reply.etag(), reply.body));
    }

    async fn null_puts_a_field_back_to_its_default(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.patch("/v1/me", &json!({"time_zone": "Asia/Tokyo", "notify_at": 3})).await.expect(200);
        let reply = ada.patch("/v1/me", &json!({"time_zone": null, "notify_at": null})).await.expect(200);
        assert_eq!((&reply.body["user"]["time_zone"], &reply.body["user"]["notify_at"]), (&json!("UTC"), &json!(8)));
        let reply = ada.patch("/v1/me", &json!({"name": null})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/name required"]);
    }

    async fn a_stale_tag_is_refused_with_the_current_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let stale = ada.get("/v1/me").await.expect(200).etag();
        let current = ada.patch("/v1/me", &json!({"notify_at": 7})).await.expect(200).etag();
        let reply = ada.patch("/v1/me", &json!({"notify_at": 9})).if_match(&stale).await;
        reply.problem(412, "precondition_failed");
        assert_eq!(reply.etag(), current);
        assert_eq!(ada.get("/v1/me").await.expect(200).body["user"]["notify_at"], 7);
    }

    async fn a_patch_that_changes_nothing_keeps_the_version(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = ada.get("/v1/me").await.expect(200);
        server.clock.advance(chrono::TimeDelta::seconds(5));
        for patch in [json!({}), json!({"name": "ada"}), json!({"notify_at": 8, "time_zone": "UTC"})] {
            let reply = ada.patch("/v1/me", &patch).await.expect(200);
            assert_eq!((reply.etag(), &reply.body), (before.etag(), &before.body), "{patch}");
        }
    }

    async fn what_is_the_servers_cannot_be_patched(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = ada.get("/v1/me").await.expect(200);
        let patch = json!({"id": "x", "email": "eve@example.com", "version": 7, "created_at": null, "updated_at": 1,
            "notify_at": 9});
        let reply = ada.patch("/v1/me", &patch).await;
        reply.problem(422, "invalid");
        assert_eq!(
            reply.errors(),
            [
                "#/created_at read_only",
                "#/email read_only",
                "#/id read_only",
                "#/updated_at read_only",
                "#/version read_only",
            ]
        );
        assert_eq!(ada.get("/v1/me").await.expect(200).body, before.body);
    }

    async fn every_fault_of_a_patch_is_told_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let patch = json!({"email": "eve@example.com", "name": " ", "time_zone": "Mars/Olympus", "notify_at": 24,
            "week_starts_on": "someday", "password": PASSWORD});
        let reply = ada.patch("/v1/me", &patch).await;
        reply.problem(422, "invalid");
        assert_eq!(
            reply.errors(),
            [
                "#/email read_only",
                "#/name required",
                "#/notify_at out_of_range",
                "#/password unknown_field",
                "#/time_zone invalid_format",
                "#/week_starts_on not_allowed",
            ]
        );
    }

    async fn a_patch_under_a_key_is_done_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let first = ada.patch("/v1/me", &json!({"notify_at": 7})).idempotency_key("k").await.expect(200);
        ada.patch("/v1/me", &json!({"notify_at": 9})).await.expect(200);
        let again = ada.patch("/v1/me", &json!({"notify_at": 7})).idempotency_key("k").await.expect(200);
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
        assert_eq!((again.etag(), &again.body), (first.etag(), &first.body));
        assert_eq!(ada.get("/v1/me").await.expect(200).body["user"]["notify_at"], 9);
        let other = ada.patch("/v1/me", &json!({"notify_at": 10})).idempotency_key("k").await;
        other.problem(422, "idempotency_key_reused");
    }

    async fn a_new_password_ends_all_sessions_but_this(server: TestServer) {
        let mut ada = server.register("ada@example.com").await;
        let other = server.login("ada@example.com").await;
        other.get("/v1/me").await.expect(200);

        change_password(&ada, PASSWORD, NEW_PASSWORD).await.expect(204);

        other.get("/v1/me").await.problem(401, "unauthenticated");
        let refresh = other.post("/v1/auth/refresh", &json!({"refresh_token": other.refresh_token}));
        refresh.anonymous().await.problem(401, "invalid_refresh_token");
        ada.get("/v1/me").await.expect(200);
        ada.refresh().await;
        log_in(&server, "ada@example.com", PASSWORD).await.problem(401, "invalid_credentials");
        log_in(&server, "ada@example.com", NEW_PASSWORD).await.expect(200);
    }

    async fn a_new_password_is_checked_like_a_first_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (current, new, expected) in [
            ("not the password", NEW_PASSWORD, "#/current_password not_allowed"),
            (PASSWORD, "fourteen chars", "#/new_password too_short"),
            (PASSWORD, "passwordpassword", "#/new_password not_allowed"),
        ] {
            let reply = change_password(&ada, current, new).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [expected]);
        }
        log_in(&server, "ada@example.com", PASSWORD).await.expect(200);
    }

    async fn a_change_of_password_can_be_repeated_under_its_key(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
        let first = ada.post("/v1/me/password", &body).idempotency_key("k").await.expect(204);
        assert_eq!(first.header("Idempotent-Replayed"), None);
        let later = log_in(&server, "ada@example.com", NEW_PASSWORD).await.expect(200);

        let again = ada.post("/v1/me/password", &body).idempotency_key("k").await.expect(204);

        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
        ada.with_token(later.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
        // Without the key it is a new request, and the old password no longer the right one.
        ada.post("/v1/me/password", &body).await.problem(422, "invalid");
        let other = json!({"current_password": NEW_PASSWORD, "new_password": PASSWORD});
        ada.post("/v1/me/password", &other).idempotency_key("k").await.problem(422, "idempotency_key_reused");
    }

    async fn leaving_asks_for_the_password(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = rows(&server.database);
        let reply = leave(&ada, "not the password").await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/password not_allowed"]);
        let reply = ada.delete("/v1/me").await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/password required"]);
        assert_eq!(rows(&server.database), before);
    }

    async fn leaving_minds_the_tag(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let stale = ada.get("/v1/me").await.expect(200).etag();
        ada.patch("/v1/me", &json!({"notify_at": 7})).await.expect(200);
        let request = ada.delete("/v1/me").json(&json!({"password": PASSWORD})).if_match(&stale);
        request.await.problem(412, "precondition_failed");
        ada.get("/v1/me").await.expect(200);
    }

    async fn a_password_is_the_same_from_every_keyboard(server: TestServer) {
        let (composed, decomposed) = ("gr\u{fc}ße aus dem schwarzwald 77", "gru\u{308}ße aus dem schwarzwald 77");
        for (email, first, then) in [("a@example.com", composed, decomposed), ("b@example.com", decomposed, composed)] {
            let body = json!({"email": email, "password": first, "name": "B"});
            server.client().post("/v1/auth/register", &body).await.expect(201);
            for password in [first, then] {
                log_in(&server, email, password).await.expect(200);
            }
            log_in(&server, email, "grusse aus dem schwarzwald 77").await.problem(401, "invalid_credentials");
        }
        // A hash from before passwords were composed.
        let old = wellmet::api::http::auth::passwords::hash(decomposed).unwrap().0;
        server.database.execute(&format!("UPDATE users SET password_hash = '{old}'"));
        for password in [composed, decomposed] {
            log_in(&server, "a@example.com", password).await.expect(200);
        }
    }

    async fn leaving_erases_everything_at_once(server: TestServer) {
        let bob = server.register("bob@example.com").await;
        let only_bob = rows(&server.database);
        let ada = server.register("ada@example.com").await;
        let other_device = server.login("ada@example.com").await;
        let script = json!({"name": "script", "scopes": ["contacts:read"]});
        let script = ada.post("/v1/tokens", &script).await.expect(201).body["token"].as_str().unwrap().to_owned();
        let grace = json!({"given_name": "Grace", "emails": {"work": {"value": "grace@example.com"}}});
        let made = ada.post("/v1/contacts", &grace).idempotency_key("k").await.expect(201);
        ada.patch(&made.location(), &json!({"family_name": "Hopper"})).await.expect(200);
        let deleted = ada.post("/v1/contacts", &json!({"given_name": "Gone"})).await.expect(201);
        ada.delete(&deleted.location()).await.expect(204);
        let script = ada.with_token(&script);
        script.get("/v1/contacts").await.expect(200);

        leave(&ada, PASSWORD).await.expect(204);

        assert_eq!(rows(&server.database), only_bob);
        for client in [&ada, &other_device, &script] {
            client.get("/v1/contacts").await.problem(401, "unauthenticated");
        }
        log_in(&server, "ada@example.com", PASSWORD).await.problem(401, "invalid_credentials");
        bob.get("/v1/me").await.expect(200);
        let again = server.register("ada@example.com").await;
        assert!(again.get("/v1/contacts").await.expect(200).items().is_empty());
    }

    async fn the_only_owner_of_a_shared_workspace_cannot_leave(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        join(&server.database, "bob@example.com", "ada@example.com", "editor");
        let before = rows(&server.database);

        leave(&ada, PASSWORD).await.problem(409, "last_owner");

        assert_eq!(rows(&server.database), before);
        ada.get("/v1/me").await.expect(200);
        // A guest may go, and the host's workspace stays.
        leave(&bob, PASSWORD).await.expect(204);
        assert_eq!(server.database.number("SELECT count(*) FROM workspaces"), 1);
        leave(&ada, PASSWORD).await.expect(204);
        assert!(rows(&server.database).iter().all(|(_, rows)| *rows == 0), "{:?}", rows(&server.database));
    }

    async fn an_owner_leaves_a_workspace_that_has_another(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        join(&server.database, "bob@example.com", "ada@example.com", "owner");
        ada.post("/v1/contacts", &json!({"given_name": "Grace"})).idempotency_key("k").await.expect(201);
        leave(&ada, PASSWORD).await.expect(204);
        ada.get("/v1/me").await.problem(401, "unauthenticated");
        assert_eq!(server.database.number("SELECT count(*) FROM workspaces"), 2);
        assert_eq!(server.database.number("SELECT count(*) FROM contacts"), 3);
        bob.get("/v1/me").await.expect(200);
    }

    async fn nobody_sees_the_account_of_another(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let id = |reply: Reply| -> Value { reply.body["user"]["id"].clone() };
        assert_ne!(id(ada.get("/v1/me").await.expect(200)), id(bob.get("/v1/me").await.expect(200)));
        assert_ne!(ada.workspace_id, bob.workspace_id);
    }
}
