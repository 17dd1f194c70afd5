//! A new password by e-mail: for whom, once, within half an hour, and without telling who has an account.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::notifications::setup;
use crate::support::nodes::until;
use crate::support::*;

const NEW_PASSWORD: &str = "staple battery horse, correct!";

async fn start(backend: Backend, mailbox: &Mailbox) -> TestServer {
    let common = mailbox.configure();
    TestServer::start_with_jobs_and(backend, setup, move |config| {
        common(config);
        config.password_reset_url = Some("https://app.example/reset".parse().unwrap());
    })
    .await
}

async fn request(server: &TestServer, email: &str) -> Reply {
    server.client().post("/v1/auth/password-reset", &json!({"email": email})).await
}

/// Asks for an e-mail and gives the token in it.
async fn token(server: &TestServer, mailbox: &Mailbox, email: &str) -> String {
    request(server, email).await.expect(202);
    let text = mailbox.take_one().await.text;
    until(&server.database, "SELECT count(*) FROM jobs WHERE kind = 'mail_password_reset' AND state <> 'done'", 0)
        .await;
    let line = text.lines().find(|line| line.starts_with("wm_pr_")).unwrap_or_else(|| panic!("no token: {text}"));
    line.to_owned()
}

async fn confirm(server: &TestServer, token: &str, password: &str) -> Reply {
    let body = json!({"token": token, "password": password});
    server.client().post("/v1/auth/password-reset/confirm", &body).await
}

async fn log_in(server: &TestServer, password: &str) -> Reply {
    server.client().post("/v1/auth/login", &json!({"email": "ada@example.com", "password": password})).await
}

on_both! {
    async fn the_token_of_the_e_mail_sets_a_new_password_and_ends_every_session(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/tokens", &json!({"name": "script", "scopes": ["contacts:read"]})).await.expect(201);
        request(&server, "ADA@example.com").await.expect(202);
        let email = mailbox.take_one().await;
        assert_eq!((email.header("To"), email.header("Subject")), ("ada@example.com", "Reset your Wellmet password"));
        assert!(!email.names().contains(&"List-Unsubscribe"));
        let token = email.text.lines().find(|line| line.starts_with("wm_pr_")).expect("a token");
        assert!(email.text.contains(&format!("https://app.example/reset?token={token}\n")), "{}", email.text);
        assert!(email.html.contains(&format!("href=\"https://app.example/reset?token={token}\"")), "{}", email.html);

        let weak = confirm(&server, token, "ada@example.com!").await;
        weak.problem(422, "invalid");
        assert_eq!(weak.errors(), ["#/password not_allowed"]);
        confirm(&server, token, NEW_PASSWORD).await.expect(204);

        ada.get("/v1/me").await.problem(401, "unauthenticated");
        let refresh = json!({"refresh_token": ada.refresh_token});
        ada.post("/v1/auth/refresh", &refresh).await.problem(401, "invalid_refresh_token");
        log_in(&server, PASSWORD).await.problem(401, "invalid_credentials");
        log_in(&server, NEW_PASSWORD).await.expect(200);
        ada.with_token(made.body["token"].as_str().unwrap()).get("/v1/contacts").await.expect(200);
        confirm(&server, token, PASSWORD).await.problem(409, "invalid_reset_token");
    }

    async fn an_unknown_address_gets_the_same_answer_and_no_e_mail(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        server.register("ada@example.com").await;
        let mut replies = Vec::new();
        for email in ["ada@example.com", "nobody@example.com", "no address"] {
            let reply = request(&server, email).await.expect(202);
            let mut headers: Vec<&str> = reply.headers.keys().map(|name| name.as_str()).collect();
            headers.sort_unstable();
            replies.push((headers.join(" "), reply.text.clone()));
        }
        assert!(replies.windows(2).all(|pair| pair[0] == pair[1]), "{replies:?}");
        assert_eq!(mailbox.take_one().await.header("To"), "ada@example.com");
        until(&server.database, "SELECT count(*) FROM jobs WHERE kind = 'mail_password_reset' AND state = 'done'", 3).await;
        assert_eq!(mailbox.len(), 0);
        let keys = server.database.texts("SELECT unique_key FROM jobs WHERE kind = 'mail_password_reset'");
        assert!(keys.iter().all(|key| !key.contains("example")), "{keys:?}");
    }

    async fn a_token_is_good_for_half_an_hour_and_dies_with_the_others(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        let ada = server.register("ada@example.com").await;
        let first = token(&server, &mailbox, "ada@example.com").await;
        server.clock.advance(TimeDelta::minutes(29));
        let second = token(&server, &mailbox, "ada@example.com").await;
        server.clock.advance(TimeDelta::minutes(1));
        confirm(&server, &first, NEW_PASSWORD).await.problem(409, "invalid_reset_token");
        server.clock.advance(TimeDelta::minutes(6));
        let third = token(&server, &mailbox, "ada@example.com").await;
        confirm(&server, &third, NEW_PASSWORD).await.expect(204);
        confirm(&server, &second, PASSWORD).await.problem(409, "invalid_reset_token");

        server.clock.advance(TimeDelta::minutes(6));
        let fourth = token(&server, &mailbox, "ada@example.com").await;
        let session = log_in(&server, NEW_PASSWORD).await.expect(200);
        let ada = ada.with_token(session.body["access_token"].as_str().unwrap());
        let change = json!({"current_password": NEW_PASSWORD, "new_password": PASSWORD});
        ada.post("/v1/me/password", &change).await.expect(204);
        confirm(&server, &fourth, NEW_PASSWORD).await.problem(409, "invalid_reset_token");
        confirm(&server, "wm_pr_nonsense", NEW_PASSWORD).await.problem(409, "invalid_reset_token");
    }

    async fn an_address_gets_one_e_mail_in_five_minutes_and_only_hashes_are_stored(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        let ada = server.register("ada@example.com").await;
        for _ in 0..3 {
            request(&server, "ada@example.com").await.expect(202);
        }
        let text = mailbox.take_one().await.text;
        until(&server.database, "SELECT count(*) FROM jobs WHERE state = 'done' AND kind = 'mail_password_reset'", 1).await;
        assert_eq!(mailbox.len(), 0);
        let token = text.lines().find(|line| line.starts_with("wm_pr_")).unwrap();
        let rows = server.database.texts("SELECT CAST(payload AS TEXT) FROM jobs WHERE kind = 'mail_password_reset'");
        assert_eq!(rows, ["null"]);
        let hash = match backend {
            Backend::Sqlite => "SELECT hex(token_hash) FROM password_resets",
            Backend::Postgres => "SELECT encode(token_hash, 'hex') FROM password_resets",
        };
        let hashes = server.database.texts(hash);
        assert!(hashes.len() == 1 && hashes[0].len() == 64, "{hashes:?}");
        confirm(&server, token, NEW_PASSWORD).await.expect(204);
        assert_eq!(server.database.texts(hash), Vec::<String>::new());

        server.clock.advance(TimeDelta::minutes(6));
        request(&server, "ada@example.com").await.expect(202);
        mailbox.take_one().await;
        let session = log_in(&server, NEW_PASSWORD).await.expect(200);
        let ada = ada.with_token(session.body["access_token"].as_str().unwrap());
        ada.request("DELETE", "/v1/me").json(&json!({"password": NEW_PASSWORD})).await.expect(204);
        assert_eq!(server.database.texts(hash), Vec::<String>::new());
    }

    async fn it_is_refused_where_no_mail_is_sent_and_under_a_key(backend: Backend) {
        let server = TestServer::start(backend).await;
        server.register("ada@example.com").await;
        request(&server, "ada@example.com").await.problem(403, "mail_not_configured");
        request(&server, "nobody@example.com").await.problem(403, "mail_not_configured");
        for path in ["/v1/auth/password-reset", "/v1/auth/password-reset/confirm"] {
            let keyed = server.client().post(path, &json!({})).idempotency_key("k").await;
            keyed.problem(400, "idempotency_not_allowed");
        }
        let empty = server.client().post("/v1/auth/password-reset", &json!({"email": Value::Null})).await;
        empty.problem(422, "invalid");
    }
}
