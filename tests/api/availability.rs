//! Nobody stops the others: queues are bounded and fair, what nobody reads costs little, and a database that stands still or
//! is gone is told as such. Most of it counts memory, connections or answers; storms of minutes are in `tests/load/`.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use futures_util::future::join_all;
use serde_json::json;
use wellmet::config::Config;
use wellmet::store::{Conn, check};

use crate::support::proxy::{Proxy, Wire};
use crate::support::{Backend, Client, Connections, Database, PASSWORD, Process, Reply, TestServer, wellmet};

/// Kilobytes that a process has in memory.
fn kilobytes(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("a process on Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// The program itself on a database of its own: what it holds in memory is nobody else's.
fn serve(database: &Database) -> (Process, Client) {
    let mut command = wellmet(&[], database.folder());
    command.env("DATABASE_URL", &database.url).env("BIND", "127.0.0.1:0").env("RATE_LIMITS", "off");
    let process = Process::start(&mut command);
    let line = process.line_with("listens on");
    let (_, url) = line.split_once("listens on ").expect("we looked for it");
    (process, Client::new(Connections::new(), url.trim()))
}

fn login() -> serde_json::Value {
    json!({"email": "ada@example.com", "password": PASSWORD})
}

#[test]
fn answers_that_nobody_reads_are_not_held_in_memory() {
    let database = Database::migrated(Backend::Sqlite);
    let (process, client) = serve(&database);
    let address = client.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let before = kilobytes(&process);
    let requests = "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16);
    let connections: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("it listens");
            stream.write_all(requests.as_bytes()).expect("a few bytes");
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_secs(2));
    let peak = kilobytes(&process);
    drop(connections);
    // Sixteen documents on each connection would be 10 GB; one on each, half a gigabyte.
    assert!(peak < before + 200 * 256, "{before} kB before, {peak} kB with 200 unread answers");
}

#[test]
fn parallel_logins_take_the_memory_of_two() {
    let database = Database::migrated(Backend::Sqlite);
    let (process, client) = serve(&database);
    actix_web::rt::System::new().block_on(async {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
        client.clone().sign_in("/v1/auth/register", &body, 201).await;
        let before = kilobytes(&process);
        for _ in 0..3 {
            join_all((0..60).map(|_| client.post("/v1/auth/login", &login()).anonymous().send())).await;
        }
        let after = kilobytes(&process);
        // A hash takes 19 MiB while it is computed.
        assert!(after < before + 45_000, "{before} kB before, {after} kB after");
    });
}

/// Keeps the writers of the first workspace waiting on PostgreSQL, and all writers on SQLite, until it is dropped.
enum Blocker {
    Sqlite(diesel::SqliteConnection),
    Postgres(diesel::PgConnection),
}

impl Blocker {
    fn new(database: &Database) -> Blocker {
        match database.backend {
            Backend::Sqlite => {
                let mut conn = database.connect_sqlite();
                conn.batch_execute("BEGIN IMMEDIATE").expect("the lock");
                Blocker::Sqlite(conn)
            }
            Backend::Postgres => {
                let mut conn = database.connect_postgres();
                let lock = "BEGIN; UPDATE workspaces SET seq = seq WHERE number = 1";
                conn.batch_execute(lock).expect("the lock");
                Blocker::Postgres(conn)
            }
        }
    }

    fn release(self) {
        match self {
            Blocker::Sqlite(mut conn) => conn.batch_execute("ROLLBACK"),
            Blocker::Postgres(mut conn) => conn.batch_execute("ROLLBACK"),
        }
        .expect("it held");
    }
}

async fn named(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({"given_name": name})).await
}

/// Long enough for requests that were sent to have arrived.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

on_both! {
    async fn more_logins_than_can_wait_are_refused_at_once(server: TestServer) {
        server.register("ada@example.com").await;
        let client = server.client();
        let replies = join_all((0..100).map(|_| client.post("/v1/auth/login", &login()).send())).await;
        let (done, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert!(!done.is_empty() && !refused.is_empty(), "{} logged in", done.len());
        for reply in refused {
            reply.problem(503, "busy");
            assert!(reply.header("Retry-After").is_some());
        }
    }

    async fn a_body_without_a_token_is_short(server: TestServer) {
        let long = json!({"email": "ada@example.com", "password": "x".repeat(17_000)});
        let client = server.client();
        client.post("/v1/auth/login", &long).await.problem(413, "body_too_large");
        let crafted = "4@8({[<3691!|1710$5+7%2".repeat(11);
        let body = json!({"email": "ada@example.com", "password": crafted, "name": "Ada"});
        client.post("/v1/auth/register", &body).await.expect(201);
    }

    async fn writers_of_one_workspace_leave_the_others_their_connections(backend: Backend) {
        let server = TestServer::start_with(backend, |config| {
            config.read_pool_size = 3;
            config.pool_timeout_seconds = 60;
            config.busy_timeout_milliseconds = 60_000;
        }).await;
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let blocker = Blocker::new(&server.database);
        let ended: Arc<Mutex<Vec<String>>> = Arc::default();
        let write = |client: &Client, name: String| {
            let (client, ended) = (client.clone(), Arc::clone(&ended));
            actix_web::rt::spawn(async move {
                named(&client, &name).await.expect(201);
                ended.lock().unwrap().push(name);
            })
        };
        let waiting: Vec<_> = (0..12).map(|n| write(&ada, format!("n{n}"))).collect();
        a_moment().await;

        for _ in 0..5 {
            bob.get("/v1/contacts").await.expect(200);
            server.client().get("/readyz").await.expect(200);
        }
        let of_bob = write(&bob, "of Bob".to_owned());
        a_moment().await;
        assert_eq!(of_bob.is_finished(), backend == Backend::Postgres, "only SQLite has one writer for all");
        blocker.release();
        join_all(waiting.into_iter().chain([of_bob])).await.into_iter().for_each(Result::unwrap);
        let ended = ended.lock().unwrap();
        // Behind the one that was writing, and before the others that came earlier.
        assert!(ended.iter().position(|name| name == "of Bob").unwrap() <= 3, "{ended:?}");
    }

    async fn more_writers_than_can_wait_are_refused_at_once(backend: Backend) {
        let server = TestServer::start_with(backend, |config| {
            config.pool_timeout_seconds = 60;
            config.busy_timeout_milliseconds = 60_000;
        }).await;
        let ada = server.register("ada@example.com").await;
        let blocker = Blocker::new(&server.database);
        let all: Vec<_> = (0..230)
            .map(|n| {
                let ada = ada.clone();
                actix_web::rt::spawn(async move { named(&ada, &format!("n{n}")).await })
            })
            .collect();
        while all.iter().filter(|one| one.is_finished()).count() < 30 {
            a_moment().await;
        }
        blocker.release();
        let replies: Vec<Reply> = join_all(all).await.into_iter().map(Result::unwrap).collect();
        let (done, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!((done.len(), refused.len()), (200, 30));
        for reply in refused {
            reply.problem(503, "busy");
        }
    }

    async fn a_read_with_a_new_token_waits_for_no_writer(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.busy_timeout_milliseconds = 60_000).await;
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["contacts:read", "account:read"]});
        let made = ada.post("/v1/tokens", &body).await.expect(201);
        let script = ada.with_token(made.body["token"].as_str().unwrap());
        let blocker = Blocker::new(&server.database);
        let read = tokio::time::timeout(Duration::from_secs(30), script.get("/v1/contacts").send()).await;
        read.expect("it waits for the writer").expect(200);
        blocker.release();
        let used = async || {
            ada.get("/v1/tokens").await.expect(200).items()[0]["last_used_at"].is_string()
        };
        while !used().await {
            a_moment().await;
        }
    }

    async fn racing_token_creations_keep_to_the_limit(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["contacts:read"]});
        for _ in 0..95 {
            ada.post("/v1/tokens", &body).await.expect(201);
        }
        let replies = join_all((0..20).map(|_| ada.post("/v1/tokens", &body).send())).await;
        let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!((made.len(), refused.len()), (5, 15));
        for reply in refused {
            reply.problem(409, "limit_reached");
        }
    }

    async fn racing_account_deletions_end_without_an_error_of_the_server(server: TestServer) {
        for n in 0..5 {
            let email = format!("ada{n}@example.com");
            let ada = server.register(&email).await;
            let phone = server.login(&email).await;
            named(&ada, "Grace").await.expect(201);
            let body = json!({"password": PASSWORD});
            let delete = |client: &Client| client.request("DELETE", "/v1/me").json(&body).send();
            let writes = (0..4).map(|n| {
                let phone = phone.clone();
                async move { named(&phone, &format!("n{n}")).await }
            });
            let (deleted, written, refreshed) = futures_util::future::join3(
                join_all([delete(&ada), delete(&phone), delete(&ada), delete(&phone)]),
                join_all(writes),
                phone.post("/v1/auth/refresh", &json!({"refresh_token": phone.refresh_token})).send(),
            ).await;
            assert_eq!(deleted.iter().filter(|reply| reply.status == 204).count(), 1, "{deleted:?}");
            for reply in deleted.iter().chain(&written).chain([&refreshed]) {
                assert!(reply.status < 500, "{reply}");
            }
        }
    }

    async fn a_further_login_ends_the_session_that_was_used_the_longest_ago(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.max_sessions = 2).await;
        let first = server.register("ada@example.com").await;
        server.clock.advance(chrono::TimeDelta::minutes(1));
        let second = server.login("ada@example.com").await;
        server.clock.advance(chrono::TimeDelta::minutes(1));
        let third = server.login("ada@example.com").await;
        server.clock.advance(chrono::TimeDelta::seconds(6));
        first.post("/v1/auth/refresh", &json!({"refresh_token": first.refresh_token})).await
            .problem(401, "invalid_refresh_token");
        for session in [second, third] {
            session.get("/v1/me").await.expect(200);
        }
    }

    async fn a_workspace_has_as_many_records_as_it_may(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.max_records = 3).await;
        let ada = server.register("ada@example.com").await;
        let grace = named(&ada, "Grace").await.expect(201);
        named(&ada, "Alan").await.expect(201);
        named(&ada, "Edsger").await.problem(409, "limit_reached");
        let batch = json!({"atomic": true, "operations": [
            {"method": "POST", "path": "/v1/contacts", "body": {"given_name": "Edsger"}}]});
        let reply = ada.post("/v1/batch", &batch).await.expect(207);
        assert_eq!(reply.body["results"][0]["body"]["code"], "limit_reached");
        ada.patch(&grace.location(), &json!({"nickname": "G"})).await.expect(200);
        ada.delete(&grace.location()).await.expect(204);
        named(&ada, "Edsger").await.expect(201);
        ada.post_nothing(&format!("{}/restore", grace.location())).await.problem(409, "limit_reached");
        named(&server.register("bob@example.com").await, "Grace").await.expect(201);
    }

    async fn what_is_stored_agrees_with_itself_whatever_was_done(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        // Connections of the test, which may read everything.
        let faults = || {
            let mut conn = match server.backend {
                Backend::Sqlite => Conn::Sqlite(server.database.connect_sqlite()),
                Backend::Postgres => Conn::Postgres(server.database.connect_postgres()),
            };
            check::faults(&mut conn).unwrap()
        };
        let grace = ada.post("/v1/contacts", &json!({"given_name": "Grace", "tags": ["navy", "cobol"]})).await.expect(201);
        let alan = named(&ada, "Alan").await.expect(201);
        let navy = ada.post("/v1/organizations", &json!({"name": "Navy"})).await.expect(201);
        let work = json!({"contact_id": grace.id(), "organization_id": navy.id(), "title": "Admiral"});
        ada.post("/v1/positions", &work).await.expect(201);
        ada.post("/v1/needs", &json!({"contact_id": alan.id(), "topic": "a job"})).await.expect(201);
        let merge = json!({"keep_id": grace.id(), "merge_ids": [alan.id()]});
        ada.post("/v1/contacts/merge", &merge).await.expect(200);
        assert_eq!(faults(), Vec::<String>::new());
        let deleted = ada.delete(&grace.location()).await.expect(204);
        assert_eq!(faults(), Vec::<String>::new());
        let revert = format!("/v1/changes/{}/revert", deleted.header("Wellmet-Write").unwrap());
        ada.post_nothing(&revert).await.expect(200);
        let batch = json!({"operations": [
            {"method": "POST", "path": "/v1/contacts", "body": {"given_name": "Edsger"}},
            {"method": "POST", "path": "/v1/contacts?dry_run=true", "body": {"given_name": "Dry"}},
            {"method": "POST", "path": "/v1/contacts", "body": {"given_name": 1}}]});
        ada.post("/v1/batch", &batch).await.expect(207);
        assert_eq!(faults(), Vec::<String>::new());
        server.database.execute("UPDATE contacts SET version = version + 1000");
        server.database.execute("UPDATE workspaces SET record_count = record_count + 1");
        let found = faults();
        assert!(found.iter().any(|fault| fault.contains("last change")), "{found:?}");
        assert!(found.iter().any(|fault| fault.contains("count other records")), "{found:?}");
    }
}

/// A server whose PostgreSQL is at the other end of a wire.
async fn at_the_end_of_a_wire() -> (TestServer, Proxy) {
    let database = Arc::new(Database::migrated(Backend::Postgres));
    let proxy = Proxy::to(&database.url);
    let through = Config::for_test(&proxy.url).database;
    let server = TestServer::start_on(database, move |config: &mut Config| {
        config.database = through.clone();
        config.read_pool_size = 4;
        config.pool_timeout_seconds = 1;
        config.database_timeout_seconds = 2;
    })
    .await;
    (server, proxy)
}

async fn until_it_serves(client: &Client) {
    let began = Instant::now();
    while client.get("/v1/contacts").await.status != 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not serve again");
        a_moment().await;
    }
}

on_both! {
    async fn a_database_that_stands_still_holds_no_request(backend: Backend) {
        if backend == Backend::Sqlite {
            return;
        }
        let (server, proxy) = at_the_end_of_a_wire().await;
        let ada = server.register("ada@example.com").await;
        proxy.set(Wire::Stands);
        let began = Instant::now();
        let body = json!({"given_name": "Grace"});
        let keys: Vec<String> = (0..12).map(|n| format!("key {n}")).collect();
        let writes = join_all(keys.iter().map(|key| ada.post("/v1/contacts", &body).idempotency_key(key).send()));
        let reads = join_all((0..12).map(|_| ada.get("/v1/contacts").send()));
        let (writes, reads) = futures_util::future::join(writes, reads).await;
        server.client().get("/readyz").await.problem(503, "not_ready");
        // A turn, a connection and the work take their time at most.
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        for reply in reads.iter().chain(&writes) {
            let code = reply.body["code"].as_str().unwrap_or_default();
            assert!(["busy", "database_unavailable", "outcome_unknown"].contains(&code), "{reply}");
            assert_eq!(reply.status, 503);
            assert!(reply.header("Retry-After").is_some(), "{reply}");
        }
        proxy.set(Wire::Flows);
        until_it_serves(&ada).await;
        // Each is repeated under its key, and so carried out once.
        for key in &keys {
            ada.post("/v1/contacts", &body).idempotency_key(key).await.expect(201);
        }
        assert_eq!(ada.walk("/v1/contacts").await.len(), 12);
        server.client().get("/readyz").await.expect(200);
    }

    async fn a_database_that_is_lost_is_told_and_found_again(backend: Backend) {
        if backend == Backend::Sqlite {
            return;
        }
        let (server, proxy) = at_the_end_of_a_wire().await;
        let ada = server.register("ada@example.com").await;
        proxy.set(Wire::Cut);
        for reply in [ada.get("/v1/contacts").await, named(&ada, "Grace").await] {
            reply.problem(503, "database_unavailable");
            assert!(reply.header("Retry-After").is_some(), "{reply}");
        }
        server.client().get("/readyz").await.problem(503, "not_ready");
        server.client().get("/livez").await.expect(200);
        proxy.set(Wire::Flows);
        until_it_serves(&ada).await;
        assert_eq!(ada.walk("/v1/contacts").await.len(), 0);
        named(&ada, "Grace").await.expect(201);
    }

    async fn a_connection_lost_at_the_commit_leaves_the_outcome_unknown_until_it_is_repeated(backend: Backend) {
        if backend == Backend::Sqlite {
            return;
        }
        let (server, proxy) = at_the_end_of_a_wire().await;
        let ada = server.register("ada@example.com").await;
        ada.get("/v1/contacts").await.expect(200);
        proxy.set(Wire::CutAtCommit);
        let post = || ada.post("/v1/contacts", &json!({"given_name": "Grace"})).idempotency_key("k");
        post().await.problem(503, "outcome_unknown");
        proxy.set(Wire::Flows);
        until_it_serves(&ada).await;
        let again = post().await.expect(201);
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"), "it had been committed");
        assert_eq!(ada.walk("/v1/contacts").await.len(), 1);
    }
}

#[test]
fn a_disk_that_takes_no_more_is_told_and_reads_go_on() {
    let database = Database::migrated(Backend::Sqlite);
    let program = wellmet(&[], database.folder()).get_program().to_owned();
    let mut command = std::process::Command::new("sh");
    // No file may grow beyond 2 MiB; without the trap the system would end the process.
    let script = format!("trap '' XFSZ; ulimit -f 4096; exec {}", program.display());
    command.args(["-c", &script]).current_dir(database.folder()).env_clear();
    command.env("DATABASE_URL", &database.url).env("BIND", "127.0.0.1:0").env("RATE_LIMITS", "off");
    let process = Process::start(&mut command);
    let line = process.line_with("listens on");
    let (_, url) = line.split_once("listens on ").expect("we looked for it");
    let client = Client::new(Connections::new(), url.trim());
    actix_web::rt::System::new().block_on(async {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
        let ada = client.sign_in("/v1/auth/register", &body, 201).await;
        let mut made = 0;
        let refused = loop {
            let body = json!({"given_name": "Grace", "notes": "long ".repeat(1_800)});
            let reply = ada.post("/v1/contacts", &body).await;
            if reply.status != 201 {
                break reply;
            }
            made += 1;
            assert!(made < 2_000, "the disk is never full");
        };
        let code = refused.body["code"].as_str().unwrap_or_default();
        assert!(["database_unavailable", "outcome_unknown"].contains(&code), "{refused}");
        assert_eq!(refused.status, 503);
        assert!(refused.header("Retry-After").is_some(), "{refused}");
        ada.get("/v1/contacts").await.expect(200);
        ada.get("/livez").await.expect(200);
    });
}
