//! The service about itself: whether it is well, what it can, its errors and its documentation; and
//! what it does with a body that does not come.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Backend, PASSWORD, Reply, TestServer};

on_both! {
    async fn a_server_that_runs_is_alive_and_ready(server: TestServer) {
        for path in ["/livez", "/readyz"] {
            let reply = server.client().get(path).await.expect(200);
            assert_eq!(reply.body, json!({"status": "ok"}));
            assert_eq!(reply.header("Cache-Control"), Some("private, no-cache"));
            assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(reply.header("Referrer-Policy"), Some("no-referrer"));
            assert_eq!(reply.header("Server"), None);
            let head = server.client().request("HEAD", path).await.expect(200);
            assert_eq!(head.text, "");
        }
    }

    async fn a_server_that_stops_is_alive_but_not_ready(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        server.app().drain();
        server.client().get("/readyz").await.problem(503, "not_ready");
        server.client().get("/livez").await.expect(200);
        ada.get("/v1/me").await.expect(200);
    }

    async fn a_server_without_its_database_is_alive_but_not_ready(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.pool_timeout_seconds = 1).await;
        server.database.execute("ALTER TABLE users RENAME TO gone");
        let problem = server.client().get("/readyz").await.problem(503, "not_ready");
        assert_eq!(problem["detail"], "The database does not respond.");
        server.client().get("/livez").await.expect(200);
    }

    async fn metrics_count_requests_by_route_and_name_nobody(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let id = "01939d5e-8c00-7000-8000-0000000000ff";
        for _ in 0..2 {
            ada.get(&format!("/v1/contacts/{id}")).await.problem(404, "not_found");
        }
        ada.get("/v1/no-such-path").await.problem(404, "not_found");
        ada.request("FROBNICATE", "/v1/contacts").await.problem(405, "method_not_allowed");

        let reply = server.client().get("/metrics").await.expect(200);

        assert_eq!(reply.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let counter = |labels: &str| {
            let begin = format!("wellmet_http_requests_total{{{labels}}} ");
            reply.text.lines().find_map(|line| line.strip_prefix(&begin)?.parse::<u32>().ok())
        };
        assert_eq!(counter(r#"method="GET",route="/v1/contacts/{id}",status="404""#), Some(2), "{reply}");
        assert_eq!(counter(r#"method="GET",route="unmatched",status="404""#), Some(1));
        assert_eq!(counter(r#"method="other",route="/v1/contacts",status="405""#), Some(1));
        let seconds = r#"wellmet_http_request_duration_seconds_count{method="GET",route="/v1/contacts/{id}"} 2"#;
        assert!(reply.text.contains(seconds), "{reply}");
        assert!(!reply.text.contains(id) && !reply.text.contains("ada") && !reply.text.contains("FROB"), "{reply}");
    }

    async fn metrics_tell_how_busy_the_database_is_kept(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let number = async |name: &str| {
            let reply = server.client().get("/metrics").await.expect(200);
            let line = reply.text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<i64>().ok());
            line.unwrap_or_else(|| panic!("there is no {name} in {reply}"))
        };
        let before = number("wellmet_changes_total").await;
        ada.post("/v1/tags", &json!({"name": "met"})).await.expect(201);
        ada.post("/v1/tags", &json!({"name": ""})).await.expect(422);
        assert_eq!(number("wellmet_changes_total").await - before, 1);
        assert_eq!(number("wellmet_writers").await, 0);
        let open = |state: &str| format!(r#"wellmet_database_connections{{pool="read",state="{state}"}}"#);
        let (idle, in_use) = (number(&open("idle")).await, number(&open("in_use")).await);
        assert!(idle + in_use >= 1, "{idle} idle, {in_use} in use");
    }

    async fn metrics_are_for_the_own_machine_or_need_a_token(backend: Backend) {
        let token = "of thirty-two bytes, or some more";
        let server = TestServer::start_with(backend, |config| config.metrics_token = Some(token.into())).await;
        let forwarded = || server.client().get("/metrics").header("X-Forwarded-For", "203.0.113.7");
        forwarded().await.problem(401, "unauthenticated");
        for wrong in [String::from("Bearer"), format!("Bearer {token}x"), format!("Basic {token}")] {
            forwarded().header("Authorization", &wrong).await.problem(401, "unauthenticated");
        }
        forwarded().header("Authorization", &format!("Bearer {token}")).await.expect(200);
        server.client().get("/metrics").await.expect(200);
        for (name, value) in [
            ("Forwarded", "for=203.0.113.7"),
            ("X-Real-IP", "203.0.113.7"),
            ("Via", "1.1 proxy"),
            ("Origin", "https://example.com"),
        ] {
            server.client().get("/metrics").header(name, value).await.problem(401, "unauthenticated");
        }

        let open = TestServer::start_with(backend, |config| config.metrics_for_all = true).await;
        open.client().get("/metrics").header("X-Forwarded-For", "203.0.113.7").await.expect(200);
    }

    async fn the_service_tells_what_it_can(server: TestServer) {
        let reply = server.client().get("/v1").await.expect(200);
        assert_eq!(reply.body["name"], "wellmet");
        assert_eq!(reply.body["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(reply.body["registration_open"], true);
        for feature in ["contacts", "events", "review"] {
            assert!(reply.body["features"].as_array().unwrap().contains(&json!(feature)), "{feature}");
        }
        let limits = &reply.body["limits"];
        for (name, expected) in [
            ("body_bytes", 1_048_576),
            ("body_depth", 64),
            ("body_seconds", 10),
            ("page", 200),
            ("changes_page", 1_000),
            ("password_characters_min", 15),
            ("password_characters_max", 256),
            ("access_token_seconds", 900),
            ("session_days", 60),
            ("personal_access_tokens", 100),
            ("idempotency_hours", 24),
            ("undo_days", 30),
            ("tombstone_days", 180),
        ] {
            assert_eq!(limits[name], expected, "{name}");
        }
    }

    async fn every_enumeration_of_the_document_is_listed(server: TestServer) {
        let service = server.client().get("/v1").await.expect(200).body;
        let document = server.client().get("/v1/openapi.json").await.expect(200).body;
        let words = |value: &Value| {
            value.as_array().map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let mut listed: Vec<Vec<String>> = service["enumerations"]
            .as_object()
            .unwrap()
            .values()
            .map(|value| words(value).expect("a list of words"))
            .collect();
        listed.sort();
        let mut found = Vec::new();
        collect(&document, &mut found);
        assert!(found.len() >= 15, "{found:?}");
        for enumeration in found {
            let words = words(&enumeration).expect("words");
            assert!(listed.contains(&words), "{words:?} is not in {listed:?}");
        }
        assert_eq!(service["enumerations"]["tier"], json!(["inner", "core", "active", "extended", "distant"]));
        assert_eq!(service["enumerations"]["role"], json!(["owner", "editor", "viewer"]));
        assert!(words(&service["enumerations"]["scope"]).unwrap().contains(&"contacts:read".to_owned()));
        assert_eq!(service["enumerations"]["revert_action"], json!(["restored", "reset", "removed"]));
        assert!(words(&service["enumerations"]["left_alone_reason"]).unwrap().contains(&"changed_since".to_owned()));
        assert_eq!(service["enumerations"]["week_day"].as_array().map(Vec::len), Some(7));
    }

    async fn every_kind_of_error_has_a_page(server: TestServer) {
        let errors = server.client().get("/v1/errors").await.expect(200);
        assert!(errors.items().len() > 20);
        assert_eq!(errors.body["next_cursor"], Value::Null);
        for error in errors.items() {
            let code = error["code"].as_str().unwrap();
            let path = format!("/v1/errors/{code}");
            let page = server.client().get(&path).header("Accept", "text/html,*/*").await.expect(200);
            assert_eq!(page.header("Content-Type"), Some("text/html; charset=utf-8"));
            assert!(page.text.contains(code) && page.text.contains(error["title"].as_str().unwrap()), "{page}");
            let json = server.client().get(&path).header("Accept", "application/json").await.expect(200);
            assert_eq!(&json.body, error);
        }
        server.client().get("/v1/errors/nonsense").await.problem(404, "not_found");
    }

    async fn the_type_of_a_problem_leads_to_its_page(server: TestServer) {
        let problem = server.client().get("/v1/nowhere").await.problem(404, "not_found");
        let page = server.client().get(problem["type"].as_str().unwrap()).await.expect(200);
        assert!(page.text.contains("<code>not_found</code>"), "{page}");
    }

    async fn the_document_is_served_as_it_is_committed(server: TestServer) {
        let served = server.client().get("/v1/openapi.json").await.expect(200).body;
        let committed = include_str!("../../openapi/openapi.json");
        assert!(served == serde_json::from_str::<Value>(committed).unwrap(), "run `wellmet openapi --write`");
    }

    async fn the_document_is_sent_again_only_if_it_is_another(server: TestServer) {
        let client = server.client();
        let first = client.get("/v1/openapi.json").await.expect(200);
        client.get("/v1/openapi.json").if_none_match(&first.etag()).await.expect(304);
        client.get("/v1/openapi.json").if_none_match("\"another\"").await.expect(200);
    }

    async fn long_answers_are_compressed_for_those_who_ask(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace", "notes": "x".repeat(2_000)})).await.expect(201);
        let plain = ada.get(&made.location()).await.expect(200);
        assert_eq!(plain.header("Content-Encoding"), None);
        assert!(plain.header("Vary").is_some_and(|vary| vary.contains("Accept-Encoding")), "{plain}");

        let packed = ada.get(&made.location()).header("Accept-Encoding", "gzip").await.expect(200);

        assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
        assert_eq!(packed.etag(), plain.etag());
        let length = |reply: &Reply| reply.header("Content-Length").unwrap().parse::<usize>().unwrap();
        assert!(length(&packed) * 2 < length(&plain), "{} of {}", length(&packed), length(&plain));
        let unchanged = ada.get(&made.location()).header("Accept-Encoding", "gzip").if_none_match(&packed.etag()).await.expect(304);
        assert_eq!(unchanged.header("Vary"), packed.header("Vary"), "caches keep it with the answer that it is about");
        for path in ["/livez", "/v1/tags"] {
            let short = ada.get(path).header("Accept-Encoding", "gzip").await.expect(200);
            assert_eq!(short.header("Content-Encoding"), None, "{path}");
        }
        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        let secret = server.client().post("/v1/auth/login", &login).header("Accept-Encoding", "gzip").await.expect(200);
        assert_eq!(secret.header("Content-Encoding"), None);
    }

    async fn the_documentation_comes_from_the_program(server: TestServer) {
        let client = server.client();
        assert_eq!(client.get("/docs").await.expect(308).location(), "/docs/");
        let page = client.get("/docs/").await.expect(200);
        let policy = page.header("Content-Security-Policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let policy = client.get("/v1").await.header("Content-Security-Policy").unwrap().to_owned();
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        assert!(page.header("Content-Type").unwrap().starts_with("text/html"), "{page}");
        assert!(page.text.contains("<title>Wellmet API</title>"), "{page}");
        let mut files = Vec::new();
        for attribute in ["href=\"", "src=\""] {
            files.extend(page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
        }
        assert!(files.iter().any(|file| file.ends_with(".css")), "{files:?}");
        assert!(files.iter().any(|file| file.ends_with(".js")), "{files:?}");
        for file in files {
            assert!(!file.contains("//"), "{file} is on another server");
            let asset = client.get(&format!("/docs/{}", file.trim_start_matches("./"))).await.expect(200);
            assert!(!asset.text.is_empty(), "{file}");
        }
        let start = client.get("/docs/swagger-initializer.js").await.expect(200);
        for setting in ["/v1/openapi.json", r#""docExpansion": "none""#, r#""filter": true"#, "requestResolvedSubtree", "this.fn.resolveSubtree"] {
            assert!(start.text.contains(setting), "no {setting} in {start}");
        }
        client.get("/docs/nothing.js").await.problem(404, "not_found");
    }

    async fn a_body_that_does_not_end_is_given_up(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.body_timeout_seconds = 1).await;
        let ada = server.register("ada@example.com").await;
        let began = Instant::now();
        for (path, token) in [("/v1/contacts", ada.access_token.as_str()), ("/v1/auth/login", "")] {
            let authorization =
                if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\n\
                 Content-Length: 100\r\n\r\n{{\"given_name\":"
            );
            server.raw(request).await.problem(408, "body_timeout");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(server.client().get("/v1").await.expect(200).body["limits"]["body_seconds"], 1);
        assert!(ada.get("/v1/contacts").await.expect(200).items().is_empty());
    }

    async fn a_body_that_trickles_is_given_up_too(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.body_timeout_seconds = 1).await;
        let address = server.address();
        let answer = tokio::task::spawn_blocking(move || {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let head = "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = [0; 12];
            for _ in 0..50 {
                let _ = stream.write_all(b" ");
                if stream.read_exact(&mut answer).is_ok() {
                    return String::from_utf8_lossy(&answer).into_owned();
                }
            }
            "none".to_owned()
        });
        assert_eq!(answer.await.unwrap(), "HTTP/1.1 408");
    }
}

/// The values of every enumeration that a schema of the document has by name.
fn collect(document: &Value, found: &mut Vec<Value>) {
    let schemas = document["components"]["schemas"].as_object().expect("schemas").values();
    found.extend(
        schemas.filter_map(|schema| schema.get("enum").or_else(|| schema.get("x-extensible-enum"))).cloned(),
    );
}
