//! Background jobs: they begin to exist with the transaction that causes them, their effects happen once, and an operator sees
//! and retries what failed for good. The kinds of job here are the tests' own, given to the server as its real ones are.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use wellmet::{
    domain::{contact::Contact, id::ContactId, id::WorkspaceId, job::NewJob},
    jobs::{
        KINDS,
        kind::{JobKind, Setup},
        run::{Finished, JobError, Run},
    },
    store::{Actor, Error, records::create},
};

use crate::support::{
    Backend, Client, Database, TestServer, check,
    nodes::{self, kill_one_of_two, until},
    wellmet,
};

const KIND: &str = "note";

type Running = BoxFuture<'static, Result<Finished, JobError>>;

fn kind(name: &'static str, run: fn(Run) -> Running) -> JobKind {
    JobKind { name, run, schedule: None }
}

/// Workers that run the tests' own kinds, and see at once what is due by the test's clock.
fn setup() -> Setup {
    let own = [
        kind(KIND, |run| Box::pin(note(run))),
        kind("fail", |_| Box::pin(async { Err(JobError::Store(Error::Busy("the moon is full".to_owned()))) })),
        kind("panic", |_| Box::pin(async { panic!("a test panics") })),
        kind("sleep", |run| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(run.payload()?)).await;
                note(run).await
            })
        }),
    ];
    Setup { lease: Duration::from_secs(60), poll: Duration::from_millis(50), kinds: own.to_vec() }
}

/// Creates a contact with a given name in the workspace of the job: an effect that shows when it happens twice.
async fn note(run: Run) -> Result<Finished, JobError> {
    let workspace = run.workspace().ok_or(Error::NotFound)?;
    run.finish(move |tx| {
        tx.records(workspace, Actor::Job(KIND), |tx| {
            let fields = serde_json::from_value(json!({"given_name": "Made by a job"}))?;
            let id = ContactId::new(tx.new_id());
            let contact = Contact::new(id, tx.now(), fields)?;
            create(tx, contact).map(drop)
        })
    })
    .await
}

fn workspace(client: &Client) -> WorkspaceId {
    WorkspaceId::new(client.workspace_id.parse().expect("an id"))
}

/// Enqueues a job for a client's workspace.
async fn enqueue(server: &TestServer, client: &Client, job: NewJob) {
    let workspace = workspace(client);
    server.app().store().account_write(move |tx| tx.enqueue(Some(workspace), job).map(drop)).await.expect("a job");
}

fn in_state(state: &str) -> String {
    format!("SELECT count(*) FROM jobs WHERE state = '{state}'")
}

const MADE: &str = "SELECT count(*) FROM contacts WHERE given_name = 'Made by a job'";

/// As if the time of all leases were up.
fn expire_leases(database: &Database) {
    database.execute(match database.backend {
        Backend::Sqlite => "UPDATE jobs SET lease_until = 1 WHERE state = 'running'",
        Backend::Postgres => "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE state = 'running'",
    });
}

/// A job that runs the last of its attempts already.
fn only_once(kind: &'static str) -> NewJob {
    NewJob { max_attempts: 1, ..NewJob::new(kind, Value::Null) }
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("the program");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// `wellmet jobs` on the database, whose server was stopped.
fn jobs(database: &Database, arguments: &[&str]) -> Command {
    let folder = std::env::temp_dir();
    let mut command = wellmet(&[&["jobs"], arguments].concat(), &folder);
    command.env("DATABASE_URL", &database.url);
    command
}

on_both! {
    async fn a_job_of_a_transaction_that_is_rolled_back_never_exists(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        let own = workspace(&ada);
        let rolled_back = server.app().store().account_write(move |tx| {
            tx.enqueue(Some(own), NewJob::new(KIND, Value::Null))?;
            Err::<(), Error>(Error::NotFound)
        });
        assert!(rolled_back.await.is_err());
        assert_eq!(server.database.number("SELECT count(*) FROM jobs"), 0);
        let written = server.app().store().account_write(move |tx| {
            tx.records(own, Actor::Job(KIND), |tx| tx.enqueue(NewJob::new(KIND, Value::Null)).map(drop))
        });
        written.await.expect("a write");
        until(&server.database, MADE, 1).await;
        until(&server.database, &in_state("done"), 1).await;
        assert_eq!(server.database.number("SELECT count(*) FROM jobs"), 1);
    }

    async fn what_a_job_writes_is_logged_as_the_job_s_and_can_be_reverted(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        enqueue(&server, &ada, NewJob::new(KIND, Value::Null)).await;
        until(&server.database, MADE, 1).await;

        let log = ada.get("/v1/changes").await.expect(200);
        let by_job = json!({"user_id": null, "session_id": null, "token_id": null, "job": KIND});
        let of_job: Vec<&Value> = log.items().iter().filter(|change| change["actor"] == by_job).collect();
        let change = of_job.iter().find(|change| change["entity"] == "contact").expect("its change");
        let by_user: Vec<&Value> = log.items().iter().filter(|change| change["actor"]["job"].is_null()).collect();
        assert!(!by_user.is_empty() && by_user.iter().all(|change| change["actor"]["user_id"].is_string()), "{log}");
        let contact = format!("/v1/contacts/{}", change["id"].as_str().unwrap());
        let history = ada.get(&format!("{contact}/history")).await.expect(200);
        assert_eq!(history.items()[0]["actor"], by_job);

        ada.post_nothing(&format!("/v1/changes/{}/revert", change["write"])).await.expect(200);

        ada.get(&contact).await.problem(404, "not_found");
    }

    async fn a_failed_job_is_tried_again_later_and_later_and_is_dead_in_the_end(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        enqueue(&server, &ada, NewJob { max_attempts: 3, ..NewJob::new("fail", Value::Null) }).await;
        for (attempts, seconds) in [(1, 10), (2, 20)] {
            until(&server.database, &format!("SELECT count(*) FROM jobs WHERE attempts = {attempts} AND state = 'queued'"), 1).await;
            // The jitter takes off up to the half.
            server.clock.advance(TimeDelta::milliseconds(seconds * 500 - 1));
            tokio::time::sleep(Duration::from_millis(150)).await;
            assert_eq!(server.database.number("SELECT attempts FROM jobs"), attempts, "it waits");
            server.clock.advance(TimeDelta::milliseconds(seconds * 500 + 1));
        }
        until(&server.database, &in_state("dead"), 1).await;
        assert_eq!(server.database.number("SELECT attempts FROM jobs"), 3);
        assert_eq!(server.database.texts("SELECT last_error FROM jobs"), ["busy: the moon is full"]);
        server.clock.advance(TimeDelta::days(1));
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(server.database.number("SELECT attempts FROM jobs"), 3, "it is not tried again");
    }

    async fn a_job_that_panics_fails_and_the_worker_goes_on(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        enqueue(&server, &ada, only_once("panic")).await;
        until(&server.database, &in_state("dead"), 1).await;
        assert_eq!(server.database.texts("SELECT last_error FROM jobs"), ["the job panicked"]);
        enqueue(&server, &ada, NewJob::new(KIND, Value::Null)).await;
        until(&server.database, MADE, 1).await;
        enqueue(&server, &ada, NewJob::new("of a newer version", Value::Null)).await;
        let began = Instant::now();
        loop {
            let metrics = server.client().get("/metrics").await.expect(200).text;
            let has = |line: &str| metrics.lines().any(|own| own == line);
            let is_counted = has(r#"wellmet_job_runs_total{kind="panic",outcome="dead"} 1"#)
                && has(r#"wellmet_job_runs_total{kind="note",outcome="done"} 1"#)
                && has(r#"wellmet_job_duration_seconds_count{kind="note"} 1"#)
                && has(r#"wellmet_jobs{kind="panic",state="dead"} 1"#)
                && has(r#"wellmet_jobs{kind="of a newer version",state="queued"} 1"#);
            if is_counted {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{metrics}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn of_jobs_with_one_key_only_the_first_is_enqueued(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        let job = || NewJob { unique_key: Some("note:1".to_owned()), ..NewJob::new(KIND, Value::Null) };
        enqueue(&server, &ada, job()).await;
        enqueue(&server, &ada, job()).await;
        until(&server.database, &in_state("done"), 1).await;
        enqueue(&server, &ada, job()).await;
        enqueue(&server, &ada, NewJob { unique_key: Some("note:2".to_owned()), ..job() }).await;
        until(&server.database, &in_state("done"), 2).await;
        assert_eq!(server.database.number("SELECT count(*) FROM jobs"), 2);
        assert_eq!(server.database.number(MADE), 2);
    }

    async fn a_job_waits_for_its_time_and_for_a_server_that_knows_its_kind(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        let later = server.app().store().now().plus(TimeDelta::hours(1));
        enqueue(&server, &ada, NewJob { run_at: Some(later), ..NewJob::new(KIND, Value::Null) }).await;
        enqueue(&server, &ada, NewJob::new("of a newer version", Value::Null)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(server.database.number(&in_state("queued")), 2);
        server.clock.advance(TimeDelta::hours(1));
        until(&server.database, MADE, 1).await;
        assert_eq!(server.database.number(&in_state("queued")), 1);
    }

    async fn a_job_whose_worker_was_lost_is_taken_over_and_its_effect_happens_once(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        enqueue(&server, &ada, NewJob::new("sleep", json!(700))).await;
        until(&server.database, &in_state("running"), 1).await;
        // The first run goes on, without knowing that its time is up.
        expire_leases(&server.database);
        until(&server.database, "SELECT attempts FROM jobs", 2).await;
        until(&server.database, &in_state("done"), 1).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(server.database.number(MADE), 1);
    }

    async fn a_job_whose_worker_is_lost_in_its_last_attempt_is_dead(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        let job = NewJob { max_attempts: 1, ..NewJob::new("sleep", json!(700)) };
        enqueue(&server, &ada, job).await;
        until(&server.database, &in_state("running"), 1).await;
        expire_leases(&server.database);
        until(&server.database, &in_state("dead"), 1).await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(server.database.number(MADE), 0, "who has lost the lease does nothing");
    }

    async fn a_server_that_stops_finishes_short_jobs_gives_long_ones_back_and_takes_no_more(backend: Backend) {
        let mut server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        enqueue(&server, &ada, NewJob::new("sleep", json!(300))).await;
        enqueue(&server, &ada, NewJob::new("sleep", json!(60_000))).await;
        until(&server.database, &in_state("running"), 2).await;
        enqueue(&server, &ada, NewJob::new(KIND, Value::Null)).await;

        server.stop().await;

        assert_eq!(server.database.number(MADE), 1);
        let left = server.database.texts("SELECT kind || ' ' || state || ' ' || attempts FROM jobs ORDER BY kind, state");
        assert_eq!(left, ["note queued 0", "sleep done 1", "sleep queued 0"]);
    }

    async fn an_operator_sees_dead_jobs_and_retries_them(backend: Backend) {
        let mut server = TestServer::start_with_jobs(backend, setup).await;
        let ada = server.register("ada@example.com").await;
        for _ in 0..2 {
            enqueue(&server, &ada, only_once("fail")).await;
        }
        enqueue(&server, &ada, NewJob::new("of a newer version", json!("a secret"))).await;
        until(&server.database, &in_state("dead"), 2).await;
        server.stop().await;

        let listed = said(&mut jobs(&server.database, &[]));
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines[..4], ["2 fail dead", "1 of a newer version queued", "", "Dead jobs:"], "{listed}");
        assert_eq!(lines.len(), 6, "{listed}");
        assert!(lines[4].ends_with("fail 2026-03-02T09:00:00Z attempts=1 error: busy: the moon is full"), "{listed}");
        assert!(!listed.contains("secret"), "{listed}");
        let id = lines[4].split(' ').next().unwrap();

        assert_eq!(said(&mut jobs(&server.database, &["retry", id])), format!("The job {id} will run again.\n"));
        let again = said(&mut jobs(&server.database, &["retry", id]));
        assert_eq!(again, format!("wellmet: there is no dead job {id}\n"), "it is queued");
        assert_eq!(said(&mut jobs(&server.database, &["retry", "--all"])), "1 dead jobs will run again.\n");
        assert_eq!(said(&mut jobs(&server.database, &["retry", "--all"])), "0 dead jobs will run again.\n");
        let queued = "SELECT count(*) FROM jobs WHERE kind = 'fail' AND state = 'queued' AND attempts = 0";
        assert_eq!(server.database.number(queued), 2);
        for wrong in [&["retry"][..], &["retry", id, "--all"], &["retry", "17"], &["purge"]] {
            let output = jobs(&server.database, wrong).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        }
    }

    async fn the_hourly_purge_runs_once_an_hour_and_does_not_catch_up(backend: Backend) {
        let hourly = || {
            let kinds = KINDS.iter().copied().filter(|kind| kind.name == "purge").collect();
            Setup { poll: Duration::from_millis(50), ..Setup::new(kinds) }
        };
        let mut server = TestServer::start_with_jobs(backend, hourly).await;
        let ada = server.register("ada@example.com").await;
        let keys = "SELECT unique_key FROM jobs ORDER BY unique_key";
        until(&server.database, &in_state("done"), 1).await;
        ada.post("/v1/contacts", &json!({"given_name": "A"})).idempotency_key("k").await.expect(201);

        server.restart().await;
        server.clock.advance(TimeDelta::hours(25));
        until(&server.database, "SELECT count(*) FROM idempotency_keys", 0).await;
        until(&server.database, &in_state("done"), 2).await;

        assert_eq!(server.database.texts(keys), ["purge:2026-03-02T09", "purge:2026-03-03T10"]);
        // The rows of a week ago are no longer kept.
        server.clock.advance(TimeDelta::days(7));
        until(&server.database, "SELECT count(*) FROM jobs WHERE unique_key = 'purge:2026-03-02T09'", 0).await;
    }

    async fn a_workspace_that_is_erased_takes_its_jobs_along(backend: Backend) {
        let server = TestServer::start(backend).await;
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        for client in [&ada, &bob] {
            enqueue(&server, client, NewJob::new(KIND, Value::Null)).await;
        }
        ada.request("DELETE", "/v1/me").json(&json!({"password": crate::support::PASSWORD})).await.expect(204);
        assert_eq!(server.database.number("SELECT count(*) FROM jobs"), 1);
    }
}

/// How many jobs two nodes share.
const SHARED: i64 = 60;

/// Two processes share a queue; one is killed while it runs jobs. A job whose effect happened twice, or not at all, shows in
/// the number of contacts.
#[test]
fn of_two_nodes_one_is_killed_and_every_effect_happens_exactly_once() {
    if let Some(url) = nodes::own_database() {
        return nodes::serve(&url, setup());
    }
    check(Backend::Postgres, async |backend: Backend| {
        let server = TestServer::start(backend).await;
        let ada = server.register("ada@example.com").await;
        for _ in 0..SHARED {
            enqueue(&server, &ada, NewJob::new("sleep", json!(100))).await;
        }
        let own = "jobs::of_two_nodes_one_is_killed_and_every_effect_happens_exactly_once";
        let _other = kill_one_of_two(&server.database, own, &in_state("done"), SHARED / 4).await;
        until(&server.database, &in_state("done"), SHARED).await;
        assert_eq!(server.database.number(MADE), SHARED);
        let retried = server.database.number("SELECT count(*) FROM jobs WHERE attempts > 1");
        assert!(retried > 0, "nobody took the jobs of the node that was killed");
        assert_eq!(
            server.database.number("SELECT count(DISTINCT actor_job) FROM changes WHERE actor_job IS NOT NULL"),
            1
        );
    });
}
