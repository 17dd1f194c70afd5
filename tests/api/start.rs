//! The program itself: its commands, how it starts or says why it does not, what it leaves on the
//! disk, and how it stops.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Backend, Client, Connections, Database, PASSWORD, Process, scratch, wellmet};

const NEW_PASSWORD: &str = "violet harbour 58 anvil comet";

/// `wellmet` on the database, with a port of its own.
fn on(database: &Database, arguments: &[&str]) -> Command {
    let folder = match database.backend {
        Backend::Sqlite => database.folder().to_owned(),
        Backend::Postgres => std::env::temp_dir(),
    };
    let mut command = wellmet(arguments, &folder);
    command.env("DATABASE_URL", &database.url).env("BIND", "127.0.0.1:0");
    command
}

/// The server, once it listens, and a client for it.
fn serve(command: &mut Command) -> (Process, Client) {
    let process = Process::start(command);
    let line = process.line_with("listens on");
    let (_, url) = line.split_once("listens on ").expect("we looked for it");
    (process, Client::new(Connections::new(), url.trim()))
}

fn address(client: &Client) -> String {
    client.url().trim_start_matches("http://").trim_end_matches('/').to_owned()
}

async fn register(client: &Client, email: &str) -> Client {
    let body = json!({"email": email, "password": PASSWORD, "name": "Ada Lovelace"});
    client.clone().sign_in("/v1/auth/register", &body, 201).await
}

async fn log_in(client: &Client, email: &str, password: &str) -> Client {
    client.clone().sign_in("/v1/auth/login", &json!({"email": email, "password": password}), 200).await
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo has built the program");
    // One that refuses its arguments has not read what it is given.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("a child of ours")
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text").trim_end().to_owned()
}

/// The one sentence of a command that fails with this code.
#[track_caller]
fn sentence(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "not one sentence: {said}");
    lines[0].strip_prefix("wellmet: ").unwrap_or_else(|| panic!("who says that? {said}")).to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

mod sqlite {
    use super::*;

    /// Runs what talks to a server.
    fn wait<T>(future: impl Future<Output = T>) -> T {
        actix_web::rt::System::new().block_on(future)
    }

    #[test]
    fn in_an_empty_folder_it_makes_what_it_needs_for_nobody_else_to_read() {
        let folder = scratch();
        let mut command = wellmet(&[], folder.path());
        let process = Process::start(command.env("BIND", "127.0.0.1:0"));
        let line = process.line_with("listens on http://127.0.0.1:");
        let port: u16 = line.rsplit(':').next().unwrap().trim().parse().expect("a port");
        assert_ne!(port, 0);
        process.line_with(&format!("http://127.0.0.1:{port}/docs/"));
        let client = Client::new(Connections::new(), &format!("http://127.0.0.1:{port}"));
        let _ = wait(async { register(&client, "ada@example.com").await });
        for file in ["wellmet.db", "wellmet.key", "wellmet.db.lock", "wellmet.db-wal"] {
            assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn a_second_process_on_the_file_is_refused_and_the_first_goes_on() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let (_first, client) = serve(&mut on(&database, &[]));
            for arguments in [
                &["serve"][..],
                &["migrate"],
                &["token", "create", "--email", "a@b.c", "--name", "n", "--scope", "contacts:read"],
            ] {
                let said = sentence(&on(&database, arguments).output().unwrap(), 1);
                assert!(said.contains("another process is using") && said.contains("wellmet.db"), "{said}");
            }
            client.get("/readyz").await.expect(200);
        });
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
        let folder = scratch();
        let file = folder.path().join("wellmet.db");
        let letter = "Dear Ada, this is a letter and no database at all.\n".repeat(100);
        fs::write(&file, &letter).unwrap();
        let said = sentence(&wellmet(&[], folder.path()).env("BIND", "127.0.0.1:0").output().unwrap(), 1);
        assert!(said.contains("wellmet.db is not a SQLite database"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), letter);
        assert!(!folder.path().join("wellmet.key").exists());
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = scratch();
        let mut command = wellmet(&["migrate"], folder.path());
        let said = sentence(&command.env("DATABASE_URL", "sqlite://not/there.db").output().unwrap(), 1);
        assert!(said.contains("cannot open the database file not/there.db"), "{said}");
    }

    #[test]
    fn a_wrong_value_is_named_and_no_secret_shown() {
        let folder = scratch();
        let secret = "hunter2hunter2";
        for (variable, value) in [
            ("DATABASE_URL", "mysql://ada:hunter2hunter2@db/wellmet"),
            ("BIND", "localhost"),
            ("SIGNING_KEY", secret),
            ("SIGNING_KEY_PREVIOUS", secret),
            ("SIGNING_KEY_FILE", "no/such/file"),
            ("ALLOW_REGISTRATION", "perhaps"),
            ("TRUSTED_PROXIES", "10.0.0.0/40"),
            ("CORS_ORIGINS", "https://app.example.com/"),
            ("LOG_FORMAT", "xml"),
            ("LOG", "lots"),
            ("RATE_LIMITS", "no"),
            ("READ_POOL_SIZE", "0"),
            ("WORKERS", "-1"),
            ("MAX_CONNECTIONS", "many"),
            ("POOL_TIMEOUT_SECONDS", "61"),
            ("BODY_TIMEOUT_SECONDS", "0"),
            ("SHUTDOWN_TIMEOUT_SECONDS", "31"),
            ("BUSY_TIMEOUT_MILLISECONDS", "1.5"),
        ] {
            let output =
                wellmet(&[], folder.path()).env("BIND", "127.0.0.1:0").env(variable, value).output().unwrap();
            let said = sentence(&output, 2);
            assert!(said.contains(variable), "{variable}: {said}");
            assert!(!said.contains(secret), "{variable}: {said}");
        }
        fs::write(folder.path().join("short.key"), secret).unwrap();
        fs::set_permissions(folder.path().join("short.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut command = wellmet(&[], folder.path());
        let output = command.env("BIND", "127.0.0.1:0").env("SIGNING_KEY_FILE", "short.key").output().unwrap();
        let said = sentence(&output, 2);
        assert!(said.contains("SIGNING_KEY_FILE") && !said.contains(secret), "{said}");
        // A key of its own that was damaged is no setting, and is not replaced: it would end every session.
        fs::write(folder.path().join("wellmet.key"), secret).unwrap();
        fs::set_permissions(folder.path().join("wellmet.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let said = sentence(&wellmet(&[], folder.path()).env("BIND", "127.0.0.1:0").output().unwrap(), 1);
        assert!(said.contains("wellmet.key") && !said.contains(secret), "{said}");
        assert_eq!(fs::read_to_string(folder.path().join("wellmet.key")).unwrap(), secret);
        fs::write(folder.path().join(".env"), "BIND=nowhere\n").unwrap();
        let said = sentence(&wellmet(&["serve"], folder.path()).output().unwrap(), 2);
        assert!(said.contains("BIND"), "{said}");
        // The environment goes before the file, and a flag before both.
        fs::remove_file(folder.path().join("wellmet.key")).unwrap();
        let _ = printed(&wellmet(&["migrate"], folder.path()).env("BIND", "127.0.0.1:0").output().unwrap());
        for arguments in [["--bind", "[::1]:0", "serve"], ["serve", "--bind", "[::1]:0"]] {
            let process = Process::start(wellmet(&arguments, folder.path()).env("BIND", "127.0.0.1:0"));
            process.line_with("listens on http://[::1]:");
        }
    }

    #[test]
    fn a_database_that_is_not_there_is_told_without_its_password() {
        let folder = scratch();
        for url in [
            "postgres://ada:hunter2hunter2@127.0.0.1:1/wellmet",
            "postgres://ada:hunter2hunter2@[::1/wellmet",
            "postgres://ada:hunter2hunter2%zz@127.0.0.1:1/wellmet",
            "postgres://ada:hunter2hunter2@127.0.0.1:x/wellmet",
        ] {
            let output = wellmet(&["migrate"], folder.path()).env("DATABASE_URL", url).output().unwrap();
            let said = sentence(&output, 1);
            assert!(said.contains("cannot connect to the database"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn an_address_in_use_is_named() {
        let folder = scratch();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let bind = taken.local_addr().unwrap().to_string();
        let said = sentence(&wellmet(&[], folder.path()).env("BIND", &bind).output().unwrap(), 1);
        assert!(said.contains(&format!("BIND={bind}")), "{said}");
    }

    #[test]
    fn what_is_no_command_ends_with_two() {
        let folder = scratch();
        for arguments in [&["serv"][..], &["--frobnicate"], &["user"], &["token", "create"]] {
            let output = wellmet(arguments, folder.path()).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    }

    #[test]
    fn help_names_every_command_and_variable() {
        let folder = scratch();
        let help = printed(&wellmet(&["--help"], folder.path()).output().unwrap());
        for word in ["serve", "migrate", "openapi", "user", "token", "version", "DATABASE_URL", "SIGNING_KEY_FILE"]
        {
            assert!(help.contains(word), "no {word} in:\n{help}");
        }
    }

    #[test]
    fn the_version_is_told_without_a_configuration() {
        let folder = scratch();
        let output = wellmet(&["version"], folder.path()).env("BIND", "nowhere").output().unwrap();
        assert_eq!(printed(&output), format!("wellmet {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_document_is_printed_and_checked() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let document = printed(&wellmet(&["openapi"], root).output().unwrap());
        let document: Value = serde_json::from_str(&document).expect("JSON");
        assert!(document["paths"]["/v1/contacts"].is_object());
        assert_eq!(printed(&wellmet(&["openapi", "--check"], root).output().unwrap()), "");

        let folder = scratch();
        let said = sentence(&wellmet(&["openapi", "--check"], folder.path()).output().unwrap(), 1);
        assert!(said.contains("openapi/openapi.json") && said.contains("wellmet openapi --write"), "{said}");
        fs::create_dir(folder.path().join("openapi")).unwrap();
        let _ = printed(&wellmet(&["openapi", "--write"], folder.path()).output().unwrap());
        let _ = printed(&wellmet(&["openapi", "--check"], folder.path()).output().unwrap());
        fs::write(folder.path().join("openapi/errors.md"), "stale").unwrap();
        let said = sentence(&wellmet(&["openapi", "--check"], folder.path()).output().unwrap(), 1);
        assert!(said.contains("openapi/errors.md"), "{said}");
    }

    #[test]
    fn what_a_signal_stops_ends_within_seconds_though_a_connection_idles() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let (mut process, client) = serve(&mut on(&database, &[]));
            // The client's own connection is kept alive as well.
            client.get("/livez").await.expect(200);
            let _idle = TcpStream::connect(address(&client)).unwrap();
            let began = Instant::now();
            process.signal("TERM");
            assert!(process.wait(Duration::from_secs(30)).success());
            assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        });
    }

    #[test]
    fn a_second_signal_ends_it_at_once() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let (mut process, client) = serve(&mut on(&database, &[]));
            let mut slow = TcpStream::connect(address(&client)).unwrap();
            slow.write_all(b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
                .unwrap();
            process.signal("TERM");
            std::thread::sleep(Duration::from_millis(500));
            let began = Instant::now();
            process.signal("TERM");
            assert_eq!(process.wait(Duration::from_secs(30)).code(), Some(1));
            // The request in flight has ten seconds for its body.
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        });
    }

    #[test]
    fn a_key_file_that_others_can_read_stops_the_start() {
        let database = Database::migrated(Backend::Sqlite);
        let (process, _) = serve(&mut on(&database, &[]));
        drop(process);
        let key = database.folder().join("wellmet.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let said = sentence(&on(&database, &[]).output().unwrap(), 1);
        assert!(said.contains("wellmet.key") && said.contains("chmod 600"), "{said}");
    }

    #[test]
    fn the_interactive_documentation_can_be_switched_off() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let (_process, client) = serve(on(&database, &[]).env("DOCS", "off"));
            client.get("/docs/").await.problem(404, "not_found");
            client.get("/v1/openapi.json").await.expect(200);
        });
    }

    #[test]
    fn what_is_no_http_is_not_written_to_the_log() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let (process, client) = serve(&mut on(&database, &[]));
            for _ in 0..20 {
                let mut stream = TcpStream::connect(address(&client)).unwrap();
                stream.write_all(b"\x16\x03\x01 no HTTP\r\n\r\n").unwrap();
                let _ = stream.read(&mut [0; 1024]);
            }
            client.get("/livez").await.expect(200);
            let log = process.rest();
            assert!(!log.contains("ERROR"), "{log}");
        });
    }

    #[test]
    fn a_signing_key_that_is_given_is_used_and_no_file_made() {
        wait(async {
            let database = Database::migrated(Backend::Sqlite);
            let key = "an explicit key that is long enough for HS256";
            let (process, client) = serve(on(&database, &[]).env("SIGNING_KEY", key));
            let ada = register(&client, "ada@example.com").await;
            drop(process);
            assert!(!database.folder().join("wellmet.key").exists());
            let file = database.folder().join("key.txt");
            fs::write(&file, format!("{key}\n")).unwrap();
            let said = sentence(&on(&database, &[]).env("SIGNING_KEY_FILE", &file).output().unwrap(), 1);
            assert!(said.contains("chmod 600"), "{said}");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let (_process, client) = serve(on(&database, &[]).env("SIGNING_KEY_FILE", &file));
            client.with_token(&ada.access_token).get("/v1/me").await.expect(200);
        });
    }
}

on_both! {
    async fn a_database_without_all_its_tables_is_refused(database: Database) {
        database.execute("ALTER TABLE needs RENAME TO gone");
        let said = sentence(&on(&database, &[]).output().unwrap(), 1);
        assert!(said.contains("there is no table needs"), "{said}");
        database.execute("ALTER TABLE gone RENAME TO needs");
        database.execute("ALTER TABLE needs RENAME COLUMN topic TO theme");
        let said = sentence(&on(&database, &[]).output().unwrap(), 1);
        assert!(said.contains("the table needs has no column topic"), "{said}");
    }

    async fn check_names_what_does_not_agree(database: Database) {
        let (process, client) = serve(&mut on(&database, &[]));
        let ada = register(&client, "ada@example.com").await;
        let grace = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        drop(process);
        assert_eq!(printed(&on(&database, &["check"]).output().unwrap()), "No faults found.");
        database.execute("DELETE FROM changes WHERE seq > 1");
        let output = on(&database, &["check"]).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1));
        let id = grace.id();
        assert!(found.contains(&id) || found.contains(&id.replace('-', "")), "{found}");
    }

    async fn a_database_of_a_newer_version_is_refused(database: Database) {
        database.execute("INSERT INTO __diesel_schema_migrations (version, run_on)
            VALUES ('9999', '2099-01-01 00:00:00')");
        for arguments in [&["serve"][..], &["migrate"]] {
            let said = sentence(&on(&database, arguments).output().unwrap(), 1);
            assert!(said.contains("newer version of wellmet") && said.contains("9999"), "{said}");
        }
        assert_eq!(database.number("SELECT count(*) FROM users"), 0);
    }

    async fn migrate_makes_a_database_that_can_be_served(backend: Backend) {
        let database = Database::empty(backend);
        for _ in 0..2 {
            assert_eq!(printed(&on(&database, &["migrate"]).output().unwrap()), "The database is up to date.");
        }
        assert_eq!(database.number("SELECT count(*) FROM instance"), 1);
        let (_process, client) = serve(&mut on(&database, &["serve"]));
        client.get("/readyz").await.expect(200);
    }

    async fn a_restart_keeps_everything(backend: Backend) {
        let database = Database::empty(backend);
        let (mut process, client) = serve(&mut on(&database, &[]));
        let ada = register(&client, "ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let script = json!({"name": "script", "scopes": ["contacts:read"]});
        let script = ada.post("/v1/tokens", &script).await.expect(201).body["token"].as_str().unwrap().to_owned();
        process.signal("TERM");
        assert!(process.wait(Duration::from_secs(30)).success());

        let (process, client) = serve(&mut on(&database, &[]));

        let mut again = client.with_token(&ada.access_token);
        again.refresh_token.clone_from(&ada.refresh_token);
        let read = again.get(&made.location()).await.expect(200);
        assert_eq!((read.etag(), &read.body), (made.etag(), &made.body));
        client.with_token(&script).get(&made.location()).await.expect(200);
        again.refresh().await;
        log_in(&client, "ada@example.com", PASSWORD).await;
        // Nor does a crash lose what was acknowledged.
        let last = again.post("/v1/contacts", &json!({"given_name": "Last"})).await.expect(201);
        process.signal("KILL");
        drop(process);
        let (_process, client) = serve(&mut on(&database, &[]));
        client.with_token(&again.access_token).get(&last.location()).await.expect(200);
    }

    async fn a_request_in_flight_is_finished_when_the_server_stops(database: Database) {
        let (mut process, client) = serve(&mut on(&database, &[]));
        let ada = register(&client, "ada@example.com").await;
        let address = address(&client);
        let body = r#"{"given_name": "Grace"}"#;
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST /v1/contacts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            ada.access_token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..10]).unwrap();
        let mut watcher = TcpStream::connect(&address).unwrap();
        let ask = |watcher: &mut TcpStream| {
            let _ = watcher.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let mut answer = [0; 4096];
            let length = watcher.read(&mut answer).unwrap_or_default();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        };
        assert!(ask(&mut watcher).starts_with("HTTP/1.1 200"));

        process.signal("TERM");
        std::thread::sleep(Duration::from_millis(200));
        // It says at once that it is not ready, and a second later it takes no new connection.
        let answer = ask(&mut watcher);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("not_ready"), "{answer}");
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(TcpStream::connect(&address).is_err(), "it takes no new connection");
        stream.write_all(&body.as_bytes()[10..]).unwrap();

        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 201");
        drop((stream, watcher));
        assert!(process.wait(Duration::from_secs(30)).success());
        assert_eq!(database.number("SELECT count(*) FROM contacts"), 2);
    }

    async fn people_and_tokens_are_made_on_the_command_line(database: Database) {
        let create = ["user", "create", "--email", "Ada@example.com", "--name", "Ada Lovelace",
            "--time-zone", "Europe/London", "--locale", "en-gb", "--password-stdin"];
        let said = printed(&run(&mut on(&database, &create), &format!("{PASSWORD}\r\n")));
        assert_eq!(said, "Created the user Ada@example.com.");
        let taken = sentence(&run(&mut on(&database, &create), &format!("{PASSWORD}\n")), 1);
        assert!(taken.contains("a user with this e-mail address already exists"), "{taken}");
        let token = printed(&on(&database, &["token", "create", "--email", "ada@example.com", "--name", "backup",
            "--scope", "contacts:read,account:read", "--expires-in-days", "30"]).output().unwrap());

        let (process, client) = serve(on(&database, &[]).env("ALLOW_REGISTRATION", "false"));
        let ada = log_in(&client, "ada@example.com", PASSWORD).await;
        let me = ada.get("/v1/me").await.expect(200).body;
        assert_eq!((&me["user"]["time_zone"], &me["user"]["locale"]), (&json!("Europe/London"), &json!("en-GB")));
        assert!(me["self_contact_id"].is_string(), "{me}");
        let script = client.with_token(&token);
        assert_eq!(script.get("/v1/contacts?is_self=true").await.expect(200).items().len(), 1);
        script.post("/v1/contacts", &json!({"given_name": "Grace"})).await.problem(403, "insufficient_scope");
        let listed = ada.get("/v1/tokens").await.expect(200).items()[0].clone();
        assert_eq!((&listed["name"], &listed["scopes"]), (&json!("backup"), &json!(["account:read", "contacts:read"])));
        assert!(listed["expires_at"].is_string(), "{listed}");
        drop(process);

        let reset = ["user", "reset-password", "--email", "ada@EXAMPLE.com", "--password-stdin"];
        let _ = printed(&run(&mut on(&database, &reset), NEW_PASSWORD));
        let (_process, client) = serve(&mut on(&database, &[]));
        client.with_token(&ada.access_token).get("/v1/me").await.problem(401, "unauthenticated");
        client.with_token(&token).get("/v1/me").await.problem(401, "unauthenticated");
        let old = json!({"email": "ada@example.com", "password": PASSWORD});
        client.post("/v1/auth/login", &old).await.problem(401, "invalid_credentials");
        log_in(&client, "ada@example.com", NEW_PASSWORD).await;
    }

    async fn a_command_says_what_is_wrong_with_what_it_is_given(database: Database) {
        let user = ["user", "create", "--password-stdin"];
        let token = ["token", "create", "--email", "ada@example.com"];
        let long = "n".repeat(201);
        let table: &[(&[&str], &[&str], i32, &str)] = &[
            (&user, &["--email", "ada", "--name", "Ada"], 2, "e-mail address"),
            (&user, &["--email", "ada@example.com", "--name", " "], 2, "name"),
            (&user, &["--email", "ada@example.com", "--name", &long], 2, "name"),
            (&user, &["--email", "ada@example.com", "--name", "Ada", "--time-zone", "Mars"], 2, "time zone"),
            (&user, &["--email", "ada@example.com", "--name", "Ada"], 2, "15 characters"),
            (&["user", "reset-password", "--password-stdin"], &["--email", "bob@example.com"], 2, "15 characters"),
            (&token, &["--name", "n", "--scope", "contacts:admin"], 2, "contacts:admin"),
            (&token, &["--name", " ", "--scope", "contacts:read"], 2, "blank"),
            (&token, &["--name", &long, "--scope", "contacts:read"], 2, "100 characters"),
            (&token, &["--name", "n", "--scope", "contacts:read"], 1, "no user has this e-mail address"),
        ];
        for (command, arguments, code, expected) in table {
            let output = run(&mut on(&database, &[*command, *arguments].concat()), "fourteen chars\n");
            let said = sentence(&output, *code);
            assert!(said.contains(expected) && !said.contains("fourteen chars"), "{arguments:?}: {said}");
        }
        assert_eq!(database.number("SELECT count(*) FROM users"), 0);
        let reset = ["user", "reset-password", "--password-stdin", "--email", "bob@example.com"];
        let said = sentence(&run(&mut on(&database, &reset), NEW_PASSWORD), 1);
        assert!(said.contains("no user has this e-mail address"), "{said}");
    }

    async fn two_servers_on_one_database_know_each_others_tokens(database: Database) {
        if database.backend == Backend::Sqlite {
            return;
        }
        let (_one, here) = serve(&mut on(&database, &[]));
        let (_two, there) = serve(&mut on(&database, &[]));
        let ada = register(&here, "ada@example.com").await;
        let elsewhere = there.with_token(&ada.access_token);
        elsewhere.get("/v1/me").await.expect(200);
        let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let read = elsewhere.get(&made.location()).await.expect(200);
        assert_eq!((read.etag(), &read.body), (made.etag(), &made.body));

        let body = json!({"refresh_token": ada.refresh_token});
        there.post("/v1/auth/logout", &body).await.expect(204);

        elsewhere.get("/v1/me").await.problem(401, "unauthenticated");
        let ended = Instant::now();
        while ada.get("/v1/me").await.status == 200 {
            assert!(ended.elapsed() < Duration::from_secs(6), "still good after {:?}", ended.elapsed());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
