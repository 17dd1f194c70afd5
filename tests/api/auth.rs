//! Signing up, logging in, refreshing and logging out; what an access token is good for, and how
//! often somebody may try.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use wellmet::config::Config;

use crate::support::{Backend, Client, PASSWORD, Reply, TestServer};

const REGISTER: &str = "/v1/auth/register";
const LOGIN: &str = "/v1/auth/login";
const REFRESH: &str = "/v1/auth/refresh";
const LOGOUT: &str = "/v1/auth/logout";

fn registration(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "Ada Lovelace"})
}

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

async fn refresh(client: &Client, token: &str) -> Reply {
    client.post(REFRESH, &json!({"refresh_token": token})).anonymous().await
}

#[track_caller]
fn refresh_token(reply: &Reply) -> String {
    reply.body["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token in {reply}")).to_owned()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

on_both! {
    async fn registration_gives_an_account_a_workspace_and_tokens(server: TestServer) {
        let body = json!({"email": " Ada@Example.com ", "password": PASSWORD, "name": " Ada Lovelace ",
            "time_zone": "Europe/London", "locale": "en-gb"});
        let reply = server.client().post(REGISTER, &body).await.expect(201);

        assert_eq!(reply.location(), "/v1/me");
        assert_eq!(reply.header("Cache-Control"), Some("no-store"));
        let mut shown = reply.body.clone();
        assert_eq!(
            names(&shown),
            ["access_token", "expires_in", "refresh_token", "session_id", "token_type", "user", "workspace"]
        );
        for made_up in ["access_token", "refresh_token", "session_id"] {
            shown[made_up] = json!("…");
        }
        for (record, id) in [("user", "id"), ("workspace", "id")] {
            assert_eq!(shown[record][id].as_str().map(str::len), Some(36));
            shown[record][id] = json!("…");
        }
        insta::assert_json_snapshot!(shown, @r#"
        {
          "access_token": "…",
          "expires_in": 900,
          "refresh_token": "…",
          "session_id": "…",
          "token_type": "Bearer",
          "user": {
            "created_at": "2026-03-02T09:00:00Z",
            "email": "Ada@Example.com",
            "email_digest": false,
            "id": "…",
            "locale": "en-GB",
            "name": "Ada Lovelace",
            "notify_at": 8,
            "time_zone": "Europe/London",
            "updated_at": "2026-03-02T09:00:00Z",
            "version": 1,
            "week_starts_on": "monday"
          },
          "workspace": {
            "id": "…",
            "name": "Ada Lovelace",
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
            "time_zone": "Europe/London"
          }
        }
        "#);
        let ada = server.client().with_token(reply.body["access_token"].as_str().unwrap());
        assert_eq!(ada.get("/v1/me").await.expect(200).etag(), reply.etag());
    }

    async fn registration_makes_the_contact_that_stands_for_oneself(server: TestServer) {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada Lovelace",
            "time_zone": "Europe/London"});
        let reply = server.client().post(REGISTER, &body).await.expect(201);

        let ada = server.client().with_token(reply.body["access_token"].as_str().unwrap());
        let me = ada.get("/v1/me").await.expect(200);
        let own = me.body["self_contact_id"].as_str().expect("a self contact");
        let contact = ada.get(&format!("/v1/contacts/{own}")).await.expect(200).body;
        assert_eq!(contact["display_name"], "Ada Lovelace");
        assert_eq!(contact["emails"]["main"]["value"], "ada@example.com");
        assert_eq!(contact["time_zone"], "Europe/London");
        assert_eq!(contact["is_self"], true);
        assert_eq!(ada.get("/v1/contacts?is_self=true").await.expect(200).items(), [contact]);
        assert!(ada.get("/v1/contacts").await.expect(200).items().is_empty());
    }

    async fn an_address_in_use_is_refused_in_any_case(server: TestServer) {
        server.register("ada@example.com").await;
        for email in ["ada@example.com", "ADA@Example.COM"] {
            server.client().post(REGISTER, &registration(email)).await.problem(409, "email_taken");
        }
        assert_eq!(server.database.number("SELECT count(*) FROM users"), 1);
        assert_eq!(server.database.number("SELECT count(*) FROM workspaces"), 1);
    }

    async fn of_two_who_take_an_address_at_once_one_gets_it(server: TestServer) {
        let client = server.client();
        let body = registration("ada@example.com");
        let replies = join_all((0..4).map(|_| client.post(REGISTER, &body).send())).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
        assert_eq!(server.database.number("SELECT count(*) FROM users"), 1);
        assert_eq!(server.database.number("SELECT count(*) FROM contacts"), 1);
    }

    async fn a_password_has_to_be_long_and_not_a_common_one(server: TestServer) {
        let table = [
            ("fourteen chars", "#/password too_short"),
            ("passwordpassword", "#/password not_allowed"),
            ("1234567890123456", "#/password not_allowed"),
            ("ada@example.com1", "#/password not_allowed"),
        ];
        for (password, expected) in table {
            let body = json!({"email": "ada@example.com", "password": password, "name": "Ada"});
            let reply = server.client().post(REGISTER, &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [expected], "{password}");
            assert!(!reply.text.contains(password), "the password comes back: {reply}");
        }
        let fifteen = json!({"email": "ada@example.com", "password": "zq7 vexo 41 mub", "name": "Ada"});
        server.client().post(REGISTER, &fifteen).await.expect(201);
    }

    async fn a_password_of_any_script_is_counted_in_characters(server: TestServer) {
        let password = "Пятнадцать букв ñ 漢字 🦉";
        let body = json!({"email": "ada@example.com", "password": password, "name": "Ada"});
        server.client().post(REGISTER, &body).await.expect(201);
        server.client().post(LOGIN, &credentials("ada@example.com", password)).await.expect(200);
    }

    async fn every_fault_of_a_registration_is_told_at_once(server: TestServer) {
        let body = json!({"email": "nobody", "password": "fourteen chars", "name": " ", "time_zone": "Mars/Olympus",
            "locale": "not a language", "role": "owner"});
        let reply = server.client().post(REGISTER, &body).await;
        reply.problem(422, "invalid");
        assert_eq!(
            reply.errors(),
            [
                "#/email invalid_format",
                "#/locale invalid_format",
                "#/name required",
                "#/password too_short",
                "#/role unknown_field",
                "#/time_zone invalid_format",
            ]
        );
        let reply = server.client().post(REGISTER, &json!({})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/email required", "#/name required", "#/password required"]);
    }

    async fn registration_can_be_closed(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.allow_registration = Some(false)).await;
        server.client().post(REGISTER, &registration("ada@example.com")).await.problem(403, "registration_closed");
        assert_eq!(server.client().get("/v1").await.expect(200).body["registration_open"], false);
        assert_eq!(server.database.number("SELECT count(*) FROM users"), 0);
    }

    async fn on_an_open_address_registration_closes_with_the_first_user(backend: Backend) {
        let server = TestServer::start_with(backend, listen_everywhere).await;
        assert_eq!(server.client().get("/v1").await.expect(200).body["registration_open"], true);
        server.register("ada@example.com").await;
        server.client().post(REGISTER, &registration("eve@example.com")).await.problem(403, "registration_closed");
        assert_eq!(server.client().get("/v1").await.expect(200).body["registration_open"], false);
    }

    async fn on_an_open_address_a_race_lets_only_one_be_first(backend: Backend) {
        let server = TestServer::start_with(backend, listen_everywhere).await;
        let client = server.client();
        let bodies: Vec<Value> = (0..4).map(|n| registration(&format!("user{n}@example.com"))).collect();
        let replies = join_all(bodies.iter().map(|body| client.post(REGISTER, body).send())).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403, 403, 403]);
        assert_eq!(server.database.number("SELECT count(*) FROM users"), 1);
    }

    async fn on_an_open_address_registration_stays_open_where_that_is_said(backend: Backend) {
        let server = TestServer::start_with(backend, |config| {
            listen_everywhere(config);
            config.allow_registration = Some(true);
        })
        .await;
        server.register("ada@example.com").await;
        server.register("bob@example.com").await;
    }

    async fn login_gives_a_session_of_its_own(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let reply = server.client().post(LOGIN, &credentials("ADA@example.com", PASSWORD)).await.expect(200);
        assert_eq!(reply.header("Cache-Control"), Some("no-store"));
        assert_eq!(
            names(&reply.body),
            ["access_token", "expires_in", "refresh_token", "session_id", "token_type", "user", "workspace"]
        );
        assert_eq!(reply.body["workspace"]["id"], ada.workspace_id.as_str());
        assert_eq!(ada.get("/v1/sessions").await.expect(200).items().len(), 2);
    }

    async fn a_wrong_password_and_an_unknown_address_get_one_answer(server: TestServer) {
        server.register("ada@example.com").await;
        let answer = async |email: &str, password: &str| {
            let reply = server.client().post(LOGIN, &credentials(email, password)).await;
            let mut problem = reply.problem(401, "invalid_credentials");
            problem["instance"] = Value::Null;
            problem
        };
        let wrong = answer("ada@example.com", "lantern orbit mustard 28 quill").await;
        for (email, password) in [
            ("bob@example.com", PASSWORD),
            ("not an address", PASSWORD),
            ("ada@example.com", "short"),
            ("ada@example.com", &format!("{PASSWORD} ")),
        ] {
            assert_eq!(answer(email, password).await, wrong, "{email} {password}");
        }
    }

    async fn a_refresh_rotates_the_token_and_keeps_the_session(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let session = ada.get("/v1/sessions").await.expect(200).items()[0]["id"].clone();
        let reply = refresh(&ada, &ada.refresh_token).await.expect(200);
        assert_eq!(names(&reply.body), ["access_token", "expires_in", "refresh_token", "token_type"]);
        assert_eq!(reply.header("Cache-Control"), Some("no-store"));
        assert_eq!((&reply.body["token_type"], &reply.body["expires_in"]), (&json!("Bearer"), &json!(900)));
        assert_ne!(refresh_token(&reply), ada.refresh_token);
        let renewed = ada.with_token(reply.body["access_token"].as_str().unwrap());
        let sessions = renewed.get("/v1/sessions").await.expect(200);
        assert_eq!(sessions.items().len(), 1);
        assert_eq!(sessions.items()[0]["id"], session);
    }

    async fn a_spent_token_that_comes_again_after_its_successor_was_used_ends_the_session(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let other_device = server.login("ada@example.com").await;
        let second = refresh(&ada, &ada.refresh_token).await.expect(200);
        let third = refresh(&ada, &refresh_token(&second)).await.expect(200);
        server.clock.advance(TimeDelta::seconds(30));

        refresh(&ada, &ada.refresh_token).await.problem(401, "invalid_refresh_token");

        for token in [refresh_token(&second), refresh_token(&third)] {
            refresh(&ada, &token).await.problem(401, "invalid_refresh_token");
        }
        for reply in [&second, &third] {
            let token = reply.body["access_token"].as_str().unwrap();
            ada.with_token(token).get("/v1/me").await.problem(401, "unauthenticated");
        }
        ada.get("/v1/me").await.problem(401, "unauthenticated");
        other_device.get("/v1/me").await.expect(200);
    }

    async fn a_lost_reply_can_be_asked_for_again_within_thirty_seconds(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let lost = refresh(&ada, &ada.refresh_token).await.expect(200);
        server.clock.advance(TimeDelta::milliseconds(29_999));

        let again = refresh(&ada, &ada.refresh_token).await.expect(200);

        assert_eq!(refresh_token(&again), refresh_token(&lost), "there is one branch only");
        let next = refresh(&ada, &refresh_token(&again)).await.expect(200);
        ada.with_token(next.body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
    }

    async fn a_spent_token_that_comes_again_too_late_ends_the_session(server: TestServer) {
        for (seconds, is_used) in [(30, false), (3600, false), (1, true)] {
            let ada = server.register(&format!("ada{seconds}@example.com")).await;
            let second = refresh(&ada, &ada.refresh_token).await.expect(200);
            if is_used {
                refresh(&ada, &refresh_token(&second)).await.expect(200);
            }
            server.clock.advance(TimeDelta::seconds(seconds));

            refresh(&ada, &ada.refresh_token).await.problem(401, "invalid_refresh_token");

            refresh(&ada, &refresh_token(&second)).await.problem(401, "invalid_refresh_token");
            ada.get("/v1/me").await.problem(401, "unauthenticated");
        }
    }

    async fn parts_of_an_app_that_race_get_one_token(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let replies = join_all((0..20).map(|_| refresh(&ada, &ada.refresh_token))).await;
        let mut tokens: Vec<String> = replies.into_iter().map(|reply| refresh_token(&reply.expect(200))).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 1);
        refresh(&ada, &tokens[0]).await.expect(200);
    }

    async fn a_session_that_is_not_refreshed_for_sixty_days_ends(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        server.clock.advance(TimeDelta::days(59));
        let kept = refresh_token(&refresh(&ada, &ada.refresh_token).await.expect(200));
        server.clock.advance(TimeDelta::days(59));
        let kept = refresh_token(&refresh(&ada, &kept).await.expect(200));
        server.clock.advance(TimeDelta::days(60));
        refresh(&ada, &kept).await.problem(401, "invalid_refresh_token");
    }

    async fn an_unknown_refresh_token_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for token in ["wm_rt_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM", "x", &ada.access_token[..200]] {
            refresh(&ada, token).await.problem(401, "invalid_refresh_token");
        }
    }

    async fn logging_out_ends_the_tokens_of_that_session_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let other_device = server.login("ada@example.com").await;
        ada.get("/v1/me").await.expect(200);
        let body = json!({"refresh_token": ada.refresh_token});

        ada.post(LOGOUT, &body).anonymous().await.expect(204);

        ada.get("/v1/me").await.problem(401, "unauthenticated");
        refresh(&ada, &ada.refresh_token).await.problem(401, "invalid_refresh_token");
        other_device.get("/v1/me").await.expect(200);
        ada.post(LOGOUT, &body).anonymous().await.expect(204);
    }

    async fn a_spent_refresh_token_logs_out_as_well(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let renewed = refresh(&ada, &ada.refresh_token).await.expect(200);
        ada.post(LOGOUT, &json!({"refresh_token": ada.refresh_token})).anonymous().await.expect(204);
        refresh(&ada, &refresh_token(&renewed)).await.problem(401, "invalid_refresh_token");
    }

    async fn an_access_token_holds_for_fifteen_minutes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        server.clock.advance(TimeDelta::seconds(899));
        ada.get("/v1/me").await.expect(200);
        server.clock.advance(TimeDelta::seconds(1));
        let reply = ada.get("/v1/me").await;
        reply.problem(401, "unauthenticated");
        assert_eq!(reply.header("WWW-Authenticate"), Some("Bearer error=\"invalid_token\""));
    }

    async fn an_access_token_says_what_rfc_9068_asks_for(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (header, claims) = parts(&ada.access_token);
        assert_eq!(header, json!({"typ": "at+jwt", "alg": "HS256"}));
        assert_eq!(
            names(&claims),
            ["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub", "ws"]
        );
        assert_eq!(claims["iat"], server.now().timestamp());
        assert_eq!(claims["exp"], server.now().timestamp() + 900);
        assert_eq!(claims["ws"], ada.workspace_id.as_str());
        assert_eq!(claims["sub"], ada.get("/v1/me").await.expect(200).body["user"]["id"]);
    }

    async fn a_token_that_was_touched_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (header, claims) = parts(&ada.access_token);
        let signature = ada.access_token.rsplit('.').next().unwrap();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims_text = encode(&claims);
        let header_text = ada.access_token.split('.').next().unwrap();
        let mut longer = claims.clone();
        longer["exp"] = json!(server.now().timestamp() + 86_400);
        let mut unsigned = header.clone();
        unsigned["alg"] = json!("none");
        let mut other = header.clone();
        other["alg"] = json!("HS512");
        let mut flipped = signature.to_owned();
        flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
        for token in [
            format!("{header_text}.{}.{signature}", encode(&longer)),
            format!("{header_text}.{claims_text}.{flipped}"),
            format!("{header_text}.{claims_text}."),
            format!("{header_text}.{claims_text}"),
            format!("{}.{claims_text}.", encode(&unsigned)),
            format!("{}.{claims_text}.{signature}", encode(&unsigned)),
            format!("{}.{claims_text}.{signature}", encode(&other)),
            "x".to_owned(),
            ada.refresh_token.clone(),
        ] {
            ada.with_token(&token).get("/v1/me").await.problem(401, "unauthenticated");
        }
        ada.get("/v1/me").await.expect(200);
    }

    async fn a_token_that_the_key_signed_for_something_else_is_refused(backend: Backend) {
        const KEY: &str = "a signing key that this test knows as well";
        let server = TestServer::start_with(backend, |config| config.signing_key = Some(KEY.into())).await;
        let ada = server.register("ada@example.com").await;
        let eve = server.register("eve@example.com").await;
        let (header, claims) = parts(&ada.access_token);
        let (_, of_eve) = parts(&eve.access_token);
        let is_taken = async |header: &Value, claims: &Value| {
            ada.with_token(&sign(KEY, header, claims)).get("/v1/me").await.status == 200
        };
        assert!(is_taken(&header, &claims).await, "as it is, it is good");
        for (part, value) in [
            ("typ", json!("JWT")),
            ("typ", Value::Null),
            ("iss", json!("somebody")),
            ("aud", json!("something")),
            ("exp", json!(server.now().timestamp())),
            ("iat", json!(server.now().timestamp() + 3600)),
            ("sub", of_eve["sub"].clone()),
            ("ws", of_eve["ws"].clone()),
            ("sid", of_eve["sid"].clone()),
        ] {
            let (mut header, mut claims) = (header.clone(), claims.clone());
            let changed = if part == "typ" { &mut header } else { &mut claims };
            changed[part] = value.clone();
            assert!(!is_taken(&header, &claims).await, "{part} {value}");
            // Nor when it is missing.
            let changed = if part == "typ" { &mut header } else { &mut claims };
            changed.as_object_mut().unwrap().remove(part);
            assert!(!is_taken(&header, &claims).await, "no {part}");
        }
    }

    async fn without_a_bearer_token_the_way_in_is_named(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for authorization in ["", "Basic YWRhOmFkYQ==", "Bearer", &ada.access_token] {
            let request = ada.get("/v1/me").anonymous();
            let request = if authorization.is_empty() { request } else { request.header("Authorization", authorization) };
            let reply = request.await;
            reply.problem(401, "unauthenticated");
            assert!(reply.header("WWW-Authenticate").is_some_and(|value| value.starts_with("Bearer")), "{reply}");
        }
        ada.get("/v1/me").header("Authorization", &format!("bearer {}", ada.access_token)).await.expect(200);
    }

    async fn replies_that_hold_secrets_are_not_kept_under_a_key(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let refresh_body = json!({"refresh_token": ada.refresh_token});
        for (path, body) in [
            (REGISTER, registration("bob@example.com")),
            (LOGIN, credentials("ada@example.com", PASSWORD)),
            (REFRESH, refresh_body.clone()),
            (LOGOUT, refresh_body),
        ] {
            let request = ada.post(path, &body).anonymous().idempotency_key("once");
            request.await.problem(400, "idempotency_not_allowed");
        }
        assert_eq!(server.database.number("SELECT count(*) FROM users"), 1);
        ada.get("/v1/me").await.expect(200);
    }

    async fn a_key_from_before_is_accepted_until_it_is_taken_away(backend: Backend) {
        const OLD: &str = "the signing key of yesterday, 32 bytes long";
        const NEW: &str = "the signing key of today, also 32 bytes long";
        let mut server = TestServer::start_with(backend, |config| config.signing_key = Some(OLD.into())).await;
        let ada = server.register("ada@example.com").await;
        server
            .restart_with(|config| {
                config.signing_key = Some(NEW.into());
                config.signing_key_previous = Some(OLD.into());
            })
            .await;
        ada.get("/v1/me").await.expect(200);
        server.restart_with(|config| config.signing_key = Some(NEW.into())).await;
        ada.get("/v1/me").await.problem(401, "unauthenticated");
    }

    async fn a_restart_keeps_people_logged_in(mut server: TestServer) {
        let mut ada = server.register("ada@example.com").await;
        server.restart().await;
        ada.get("/v1/me").await.expect(200);
        ada.refresh().await;
        server.login("ada@example.com").await.get("/v1/me").await.expect(200);
    }
}

/// Registration is judged by the address in the configuration; the listener stays the test's own.
fn listen_everywhere(config: &mut Config) {
    config.bind = "0.0.0.0:0".parse().unwrap();
}

/// A token as the server would sign it.
fn sign(key: &str, header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(format!("{header}.{claims}").as_bytes());
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Header and claims of an access token.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64"));
    let mut json = || serde_json::from_slice(&parts.next().expect("three parts")).expect("JSON");
    (json(), json())
}

mod limits {
    use super::*;

    /// A server that is told who its proxy is (us), and does limit.
    async fn limited(backend: Backend) -> TestServer {
        TestServer::start_with(backend, |config| {
            config.rate_limits = true;
            config.trusted_proxies = wellmet::config::TrustedProxies(vec![
                "127.0.0.1/32".parse().unwrap(),
                "10.0.0.0/8".parse().unwrap(),
            ]);
        })
        .await
    }

    /// Tries to log in for a client that the proxy says is at `forwarded_for`.
    async fn try_login(server: &TestServer, email: &str, forwarded_for: &str) -> Reply {
        let body = credentials(email, "wrong horse battery staple");
        server.client().post(LOGIN, &body).header("X-Forwarded-For", forwarded_for).await
    }

    async fn use_up(server: &TestServer, email: &str, forwarded_for: &str) {
        for _ in 0..10 {
            try_login(server, email, forwarded_for).await.problem(401, "invalid_credentials");
        }
        let reply = try_login(server, email, forwarded_for).await;
        reply.problem(429, "rate_limited");
        let wait: u64 = reply.header("Retry-After").unwrap().parse().expect("seconds");
        assert!((1..=7).contains(&wait), "ten a minute is one in six seconds: {reply}");
    }

    on_both! {
        async fn who_guesses_locks_out_only_themselves(backend: Backend) {
            let server = limited(backend).await;
            server.register("ada@example.com").await;
            use_up(&server, "ada@example.com", "203.0.113.7").await;
            // Neither their other spelling of it helps them, nor what they say of themselves.
            try_login(&server, " ADA@EXAMPLE.com", "203.0.113.7").await.problem(429, "rate_limited");
            try_login(&server, "ada@example.com", "198.51.100.1, 203.0.113.7").await.problem(429, "rate_limited");
            try_login(&server, "ada@example.com", "203.0.113.7, 10.1.2.3").await.problem(429, "rate_limited");

            let ada = credentials("ada@example.com", PASSWORD);
            let login = server.client().post(LOGIN, &ada).header("X-Forwarded-For", "203.0.113.8");
            login.await.expect(200);
        }

        async fn an_unknown_address_is_limited_alike(backend: Backend) {
            let server = limited(backend).await;
            use_up(&server, "nobody@example.com", "203.0.113.7").await;
        }

        async fn of_ipv6_the_network_counts(backend: Backend) {
            let server = limited(backend).await;
            use_up(&server, "ada@example.com", "2001:db8:1:2::1").await;
            try_login(&server, "ada@example.com", "2001:db8:1:2:ffff::9").await.problem(429, "rate_limited");
            try_login(&server, "ada@example.com", "2001:db8:1:3::1").await.problem(401, "invalid_credentials");
        }

        async fn what_stands_before_the_forwarded_address_does_not_hide_it(backend: Backend) {
            let server = limited(backend).await;
            use_up(&server, "ada@example.com", "unknown, 203.0.113.7").await;
            try_login(&server, "ada@example.com", "203.0.113.7").await.problem(429, "rate_limited");
            try_login(&server, "ada@example.com", "unknown, 203.0.113.8").await.problem(401, "invalid_credentials");
        }

        async fn a_stranger_cannot_say_where_they_are(backend: Backend) {
            let server = TestServer::start_with(backend, |config| config.rate_limits = true).await;
            for n in 0..10 {
                let reply = try_login(&server, "ada@example.com", &format!("203.0.113.{n}")).await;
                reply.problem(401, "invalid_credentials");
            }
            let refused = try_login(&server, "ada@example.com", "198.51.100.1").await;
            refused.problem(429, "rate_limited");
            assert_eq!(refused.header("RateLimit"), Some("\"login\";r=0"), "and not what is left of a wider limit");
        }

        async fn one_address_has_sixty_tries_a_minute_whatever_it_tries(backend: Backend) {
            let server = limited(backend).await;
            let try_refresh = async |from: &str| {
                let body = json!({"refresh_token": "x"});
                server.client().post(REFRESH, &body).header("X-Forwarded-For", from).await
            };
            // A bucket fills while it is emptied, so the last of sixty may be let through, and a few more.
            let mut refused = None;
            for n in 0..90 {
                let reply = try_refresh("203.0.113.7").await;
                if reply.status == 429 {
                    refused = Some((n, reply));
                    break;
                }
                reply.problem(401, "invalid_refresh_token");
            }
            let (tries, reply) = refused.expect("sixty a minute");
            assert!(tries >= 60, "only {tries}");
            reply.problem(429, "rate_limited");
            try_refresh("203.0.113.8").await.problem(401, "invalid_refresh_token");
        }

        async fn an_answer_tells_what_is_left(backend: Backend) {
            let server = limited(backend).await;
            let service = server.client().get("/v1").await.expect(200);
            assert_eq!(service.header("RateLimit"), None);
            let limits = &service.body["limits"];
            let ada = server.register("ada@example.com").await;
            let left = |reply: &Reply, policy: &str, per_minute: &Value| -> u64 {
                let quota = format!("\"{policy}\";q={per_minute};w=60");
                assert_eq!(reply.header("RateLimit-Policy"), Some(quota.as_str()), "{reply}");
                let value = reply.header("RateLimit").unwrap_or_default();
                let value = value.strip_prefix(&format!("\"{policy}\";r="));
                value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("what is left of {policy}? {reply}"))
            };
            let per_minute = &limits["requests_per_minute"];
            let first = left(&ada.get("/v1/me").await.expect(200), "user", per_minute);
            let bodies = (0..20).map(|_| ada.get("/v1/contacts/01890000-0000-7000-8000-000000000000").send());
            let replies = join_all(bodies).await;
            let least = replies.iter().map(|reply| left(reply, "user", per_minute)).min().unwrap();
            assert!(least < first && first < per_minute.as_u64().unwrap(), "{first}, then {least}");
            let refused = try_login(&server, "ada@example.com", "203.0.113.7").await;
            refused.problem(401, "invalid_credentials");
            assert_eq!(left(&refused, "address", &limits["auth_requests_per_minute"]), 59);
        }
    }
}
