//! Servers in processes of their own that share a PostgreSQL database, one of which is killed at work; and waiting for what jobs
//! do.

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use wellmet::{app::App, clock::SystemClock, config::Config, jobs::kind::Setup};

use super::{Database, Process};

/// The database of the node that a test process is to be, instead of testing.
const NODE_OF: &str = "WELLMET_TEST_NODE_OF";

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a query of one number gives this.
pub async fn until(database: &Database, query: &str, expected: i64) {
    wait(database, query, |found| found == expected).await;
}

async fn wait(database: &Database, query: &str, is_enough: impl Fn(i64) -> bool) {
    let began = Instant::now();
    loop {
        let found = database.number(query);
        if is_enough(found) {
            return;
        }
        let jobs = database
            .texts("SELECT kind || ' ' || state || ' ' || attempts || ' ' || coalesce(last_error, '') FROM jobs");
        assert!(began.elapsed() < PATIENCE, "{query} gives {found}; jobs: {jobs:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The database that this process is to serve, if a test has started it.
pub fn own_database() -> Option<String> {
    std::env::var(NODE_OF).ok()
}

/// Serves the database with these jobs until it is killed.
pub fn serve(url: &str, setup: Setup) {
    actix_web::rt::System::new().block_on(async {
        let config = Config { job_workers: 4, ..Config::for_test(url) };
        let quick = Setup { lease: Duration::from_secs(6), ..setup };
        let app = App::start_with(config, Arc::new(SystemClock), quick).expect("a node");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = app.serve(listener).expect("it serves");
        println!("a node works");
        server.await.expect("it is killed");
    });
}

/// Starts two nodes, each a process of this very test, and kills one while it has jobs and `query` gives at least `so_much`.
/// The other goes on until it is dropped.
pub async fn kill_one_of_two(database: &Database, test: &str, query: &str, so_much: i64) -> Process {
    let killed = node(database, test);
    wait(database, "SELECT count(*) FROM jobs WHERE state = 'running'", |running| running > 0).await;
    // Alone so far, so these are its jobs; it waits for the other.
    let holder = database.texts("SELECT DISTINCT lease_holder::text FROM jobs WHERE state = 'running'").concat();
    killed.signal("STOP");
    let other = node(database, test);
    killed.signal("CONT");
    let own = format!("SELECT count(*) FROM jobs WHERE state = 'running' AND lease_holder::text = '{holder}'");
    let began = Instant::now();
    loop {
        if database.number(query) >= so_much {
            // Stopped, it cannot finish them any more.
            killed.signal("STOP");
            if database.number(&own) > 0 {
                killed.signal("KILL");
                return other;
            }
            killed.signal("CONT");
        }
        assert!(began.elapsed() < PATIENCE, "the node that is to be killed runs nothing");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn node(database: &Database, test: &str) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture"]).env(NODE_OF, &database.url).stdin(Stdio::null());
    let node = Process::start(&mut command);
    node.line_with("a node works");
    node
}
