//! Where somebody is logged in, and ending it from elsewhere.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Backend, Client, Database, PASSWORD, TestServer};

async fn sessions(client: &Client) -> Vec<Value> {
    let reply = client.get("/v1/sessions").await.expect(200);
    assert_eq!(reply.body["next_cursor"], Value::Null);
    reply.items().to_vec()
}

/// The path of the session that is not the client's own.
async fn other(client: &Client) -> String {
    let sessions = sessions(client).await;
    let other = sessions.iter().find(|session| session["current"] == false).expect("another session");
    format!("/v1/sessions/{}", other["id"].as_str().unwrap())
}

on_both! {
    async fn sessions_are_listed_newest_first_with_what_they_called_themselves(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        server.clock.advance(TimeDelta::minutes(5));
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        let phone = server.client().post("/v1/auth/login", &login).header("User-Agent", "phone/1.0");
        phone.await.expect(200);
        server.register("bob@example.com").await;

        let mut listed = sessions(&ada).await;

        for session in &mut listed {
            assert_eq!(session["id"].as_str().map(str::len), Some(36));
            session["id"] = json!("…");
        }
        insta::assert_json_snapshot!(listed, @r#"
        [
          {
            "created_at": "2026-03-02T09:05:00Z",
            "current": false,
            "expires_at": "2026-05-01T09:05:00Z",
            "id": "…",
            "last_used_at": "2026-03-02T09:05:00Z",
            "user_agent": "phone/1.0"
          },
          {
            "created_at": "2026-03-02T09:00:00Z",
            "current": true,
            "expires_at": "2026-05-01T09:00:00Z",
            "id": "…",
            "last_used_at": "2026-03-02T09:00:00Z",
            "user_agent": null
          }
        ]
        "#);
    }

    async fn a_refresh_moves_the_end_of_a_session(server: TestServer) {
        let mut ada = server.register("ada@example.com").await;
        server.clock.advance(TimeDelta::days(1));
        ada.refresh().await;
        let session = &sessions(&ada).await[0];
        assert_eq!(session["created_at"], "2026-03-02T09:00:00Z");
        assert_eq!(session["last_used_at"], "2026-03-03T09:00:00Z");
        assert_eq!(session["expires_at"], "2026-05-02T09:00:00Z");
    }

    async fn a_session_is_ended_at_once_from_another(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let lost = server.login("ada@example.com").await;
        lost.get("/v1/me").await.expect(200);
        let path = other(&ada).await;

        ada.delete(&path).await.expect(204);

        lost.get("/v1/me").await.problem(401, "unauthenticated");
        let refresh = lost.post("/v1/auth/refresh", &json!({"refresh_token": lost.refresh_token}));
        refresh.anonymous().await.problem(401, "invalid_refresh_token");
        assert_eq!(sessions(&ada).await.len(), 1);
        ada.delete(&path).await.problem(404, "not_found");
    }

    async fn a_session_can_end_itself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = sessions(&ada).await[0]["id"].as_str().unwrap().to_owned();
        ada.delete(&format!("/v1/sessions/{own}")).await.expect(204);
        ada.get("/v1/me").await.problem(401, "unauthenticated");
    }

    async fn the_session_of_another_does_not_exist(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let eve = server.register("eve@example.com").await;
        let id = sessions(&ada).await[0]["id"].as_str().unwrap().to_owned();
        let foreign = eve.delete(&format!("/v1/sessions/{id}")).await.problem(404, "not_found");
        let unknown = "/v1/sessions/01890000-0000-7000-8000-000000000000";
        let unknown = eve.delete(unknown).await.problem(404, "not_found");
        assert_eq!(foreign["detail"], unknown["detail"]);
        for malformed in ["/v1/sessions/x", "/v1/sessions/%00", "/v1/sessions/1"] {
            eve.delete(malformed).await.problem(404, "not_found");
        }
        ada.get("/v1/me").await.expect(200);
    }

    async fn what_a_member_may_do_follows_their_role(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = json!({"given_name": "Grace"});
        for (role, expected) in [("viewer", 403), ("editor", 201), ("owner", 201)] {
            server.database.execute(&format!("UPDATE memberships SET role = '{role}'"));
            // A node remembers a role for five seconds; a revocation makes it look again.
            ada.post("/v1/auth/logout", &json!({"refresh_token": "x"})).await.expect(204);
            let reply = ada.post("/v1/contacts", &grace).await.expect(expected);
            if expected == 403 {
                reply.problem(403, "insufficient_role");
            }
            ada.get("/v1/contacts").await.expect(200);
            ada.patch("/v1/me", &json!({"notify_at": 7})).await.expect(200);
        }
    }

    async fn an_expired_session_is_not_listed(server: TestServer) {
        server.register("ada@example.com").await;
        server.clock.advance(TimeDelta::days(60));
        let ada = server.login("ada@example.com").await;
        assert_eq!(sessions(&ada).await.len(), 1);
    }
}

/// Only PostgreSQL serves several nodes.
mod two_nodes {
    use super::*;

    on_both! {
        async fn what_one_node_ends_the_other_sees_within_seconds(database: Database) {
            if database.backend == Backend::Sqlite {
                return;
            }
            let one = TestServer::start_on(database.into(), |_| ()).await;
            let two = one.another_node().await;
            let ada = one.register("ada@example.com").await;
            let there = two.client().with_token(&ada.access_token);
            let pat = json!({"name": "script", "scopes": ["account:read"]});
            let pat = there.post("/v1/tokens", &pat).await.expect(201);
            let script_here = ada.with_token(pat.body["token"].as_str().unwrap());
            there.get("/v1/me").await.expect(200);
            script_here.get("/v1/me").await.expect(200);

            let token = format!("/v1/tokens/{}", pat.id());
            there.delete(&token).await.expect(204);
            ada.post("/v1/auth/logout", &json!({"refresh_token": ada.refresh_token})).await.expect(204);
            let ended = Instant::now();

            ada.get("/v1/me").await.problem(401, "unauthenticated");
            while there.get("/v1/me").await.status == 200 || script_here.get("/v1/me").await.status == 200 {
                assert!(ended.elapsed() < Duration::from_secs(6), "still good after {:?}", ended.elapsed());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            there.get("/v1/me").await.problem(401, "unauthenticated");
            script_here.get("/v1/me").await.problem(401, "unauthenticated");
        }
    }
}
