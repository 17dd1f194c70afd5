//! The server under test: the real one, over real HTTP on a free port of 127.0.0.1, with a clock
//! that stands still until the test moves it. What is sent to it is in `client.rs`.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use actix_web::{dev::ServerHandle, rt::System};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::json;
use wellmet::{
    app::App,
    clock::{Clock as _, ManualClock},
    config::Config,
    jobs::kind::Setup,
};

use super::{
    Backend, Client, Reply,
    client::{self, Connections, PASSWORD},
    database::Database,
    statements,
};

/// What the clock of a new server shows: 2026-03-02T09:00:00Z, a Monday.
pub const START: DateTime<Utc> = NaiveDateTime::new(
    NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date"),
    NaiveTime::from_hms_opt(9, 0, 0).expect("a time"),
)
.and_utc();

/// How long a server may take to begin, and to end when it is dropped.
const PATIENCE: Duration = Duration::from_secs(10);

type Configure = dyn Fn(&mut Config) + Send + Sync;
type Jobs = dyn Fn() -> Setup + Send + Sync;

/// A running server with a database of its own. Dropping it stops the one and drops the other.
pub struct TestServer {
    pub backend: Backend,
    /// `http://127.0.0.1:<port>`, kept over a restart.
    pub url: String,
    /// The server's clock, at [`START`] in the beginning: `server.clock.advance(TimeDelta::days(31))`.
    pub clock: ManualClock,
    /// Declared before `database`, so that it is dropped first.
    running: Option<Running>,
    pub database: Arc<Database>,
    /// Kept open over a restart, so that the port stays ours.
    listener: Option<TcpListener>,
    configure: Arc<Configure>,
    jobs: Arc<Jobs>,
    connections: Connections,
}

/// The part of a server that a stop takes away.
struct Running {
    app: App,
    handle: ServerHandle,
    /// Receives when the server's thread is done.
    ended: mpsc::Receiver<()>,
}

impl TestServer {
    pub async fn start(backend: Backend) -> TestServer {
        TestServer::start_with(backend, |_| ()).await
    }

    /// Starts with a configuration that differs from `Config::for_test`; it differs alike after
    /// each restart.
    pub async fn start_with(
        backend: Backend,
        configure: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> TestServer {
        TestServer::start_on(Arc::new(Database::migrated(backend)), configure).await
    }

    /// Starts on a database that the test has made itself.
    pub async fn start_on(
        database: Arc<Database>,
        configure: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> TestServer {
        TestServer::start_at(database, ManualClock::at(START), Arc::new(configure), Arc::new(no_jobs))
    }

    /// Starts with workers that run these jobs.
    pub async fn start_with_jobs(
        backend: Backend,
        jobs: impl Fn() -> Setup + Send + Sync + 'static,
    ) -> TestServer {
        TestServer::start_with_jobs_and(backend, jobs, |_| ()).await
    }

    /// The same with a configuration that differs as well.
    pub async fn start_with_jobs_and(
        backend: Backend,
        jobs: impl Fn() -> Setup + Send + Sync + 'static,
        configure: impl Fn(&mut Config) + Send + Sync + 'static,
    ) -> TestServer {
        let configure = move |config: &mut Config| {
            config.job_workers = 2;
            configure(config);
        };
        let (database, clock) = (Arc::new(Database::migrated(backend)), ManualClock::at(START));
        TestServer::start_at(database, clock, Arc::new(configure), Arc::new(jobs))
    }

    /// A second server with the same database, clock and configuration, as a second node has. (One node at
    /// a time is all that SQLite allows.)
    pub async fn another_node(&self) -> TestServer {
        let (database, clock) = (Arc::clone(&self.database), self.clock.clone());
        TestServer::start_at(database, clock, Arc::clone(&self.configure), Arc::clone(&self.jobs))
    }

    fn start_at(
        database: Arc<Database>,
        clock: ManualClock,
        configure: Arc<Configure>,
        jobs: Arc<Jobs>,
    ) -> TestServer {
        statements::watch();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port of 127.0.0.1");
        let address = listener.local_addr().expect("a bound listener has an address");
        let mut server = TestServer {
            backend: database.backend,
            url: format!("http://{address}"),
            clock,
            running: None,
            database,
            listener: Some(listener),
            configure,
            jobs,
            connections: Connections::new(),
        };
        server.run(Instant::now());
        server
    }

    /// Starts the app; until `deadline` an error is taken for a predecessor that is not quite gone.
    fn run(&mut self, deadline: Instant) {
        let app = loop {
            let mut config = Config::for_test(&self.database.url);
            (self.configure)(&mut config);
            match App::start_with(config, Arc::new(self.clock.clone()), (self.jobs)()) {
                Ok(app) => break app,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("the server did not start: {error}"),
            }
        };
        let listener = self.listener.as_ref().expect("a server that was not stopped");
        let listener = listener.try_clone().expect("a second handle to the listener");

        // On a thread of its own, so that a test which blocks does not stop the server, and so
        // that Drop, which cannot wait for a future, can wait for its end.
        let (tell_handle, handle) = mpsc::channel();
        let (tell_end, ended) = mpsc::channel();
        let served = app.clone();
        thread::Builder::new()
            .name("wellmet-test-server".to_owned())
            .spawn(move || {
                System::new().block_on(async move {
                    let server = served.serve(listener).expect("the server serves");
                    let _ = tell_handle.send(server.handle());
                    server.await.expect("the server ends without an error");
                    served.drain();
                    served.jobs_ended().await;
                });
                let _ = tell_end.send(());
            })
            .expect("a thread");
        let handle = handle.recv_timeout(PATIENCE).expect("the server began to serve");
        self.running = Some(Running { app, handle, ended });
    }

    /// Stops in good order: requests in flight are finished. After it nobody listens on the port.
    pub async fn stop(&mut self) {
        self.stop_serving().await;
        self.listener = None;
    }

    /// Stops, and starts a new app on the same database, clock and port. What lived only in memory
    /// is gone.
    pub async fn restart(&mut self) {
        self.stop_serving().await;
        self.run(Instant::now() + PATIENCE);
    }

    /// As [`restart`](Self::restart), with another configuration from here on.
    pub async fn restart_with(&mut self, configure: impl Fn(&mut Config) + Send + Sync + 'static) {
        self.configure = Arc::new(configure);
        self.restart().await;
    }

    async fn stop_serving(&mut self) {
        if let Some(running) = self.running.take() {
            running.handle.stop(true).await;
            running.ended.recv_timeout(PATIENCE).expect("the server's thread ended");
        }
        self.connections.forget();
    }

    /// The running app, for what no endpoint shows: `server.app().store()`.
    pub fn app(&self) -> &App {
        &self.running.as_ref().expect("a server that was not stopped").app
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("we made the URL")
    }

    /// A client that sends no token.
    pub fn client(&self) -> Client {
        Client::new(self.connections.clone(), &self.url)
    }

    /// Signs somebody up and gives the client that they then hold; everybody has a workspace of
    /// their own, the password [`PASSWORD`] and the part before the `@` for a name.
    pub async fn register(&self, email: &str) -> Client {
        let name = email.split('@').next().unwrap_or(email);
        let body = json!({"email": email, "password": PASSWORD, "name": name});
        let mut client = self.client().sign_in("/v1/auth/register", &body, 201).await;
        let start = client.get("/v1/changes?limit=1000").await.expect(200);
        client.log_start = start.body["next_cursor"].as_str().unwrap_or_default().to_owned();
        client
    }

    /// Registers somebody whose workspace is in this time zone.
    pub async fn register_in(&self, email: &str, time_zone: &str) -> Client {
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada", "time_zone": time_zone});
        self.client().sign_in("/v1/auth/register", &body, 201).await
    }

    /// Another device of somebody who has registered: a session of its own.
    pub async fn login(&self, email: &str) -> Client {
        self.client().sign_in("/v1/auth/login", &json!({"email": email, "password": PASSWORD}), 200).await
    }

    /// Sends bytes as they are, for requests that no HTTP library would send, and gives the first
    /// answer. The connection stays open for more until then; panics when the server hangs up, or
    /// is silent for twenty seconds, without having answered.
    pub async fn raw(&self, request: impl Into<Vec<u8>>) -> Reply {
        let (address, request) = (self.address(), request.into());
        tokio::task::spawn_blocking(move || client::raw(address, &request)).await.expect("an answer")
    }
}

/// Those of a server that runs none.
fn no_jobs() -> Setup {
    Setup::new(Vec::new())
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent by the call; the future only waits for it to be done, which the
        // thread's end tells as well.
        drop(self.handle.stop(false));
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}
