//! Notifications: who is told of what and when, once each, and what is read. The hour of whoever registers is 8.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use wellmet::{
    jobs::{KINDS, kind::Setup},
    store::purge,
};

use crate::support::{
    nodes::{self, kill_one_of_two, until},
    *,
};

/// Workers that run every kind of job there is, and see at once what is due by the test's clock.
pub fn setup() -> Setup {
    Setup { poll: Duration::from_millis(50), ..Setup::new(KINDS.to_vec()) }
}

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with_jobs(backend, setup).await
}

/// Sets the clock to a quarter of an hour, and waits until everybody is notified whose time it is.
pub async fn at(server: &TestServer, instant: &str) {
    let instant: DateTime<Utc> = instant.parse().expect("an instant");
    server.clock.set(instant);
    let key = instant.format("schedule_notifications:%Y-%m-%dT%H:%M");
    let of_now = format!("SELECT count(*) FROM jobs WHERE unique_key = '{key}' AND state = 'done'");
    until(&server.database, &of_now, 1).await;
    until(&server.database, "SELECT count(*) FROM jobs WHERE state <> 'done'", 0).await;
}

/// Somebody with a token that outlives the days that pass.
pub async fn register(server: &TestServer, email: &str, time_zone: &str) -> Client {
    let client = server.register_in(email, time_zone).await;
    let token = json!({"name": "test", "scopes": wellmet::domain::scope::SCOPES});
    let made = client.post("/v1/tokens", &token).await.expect(201);
    client.with_token(made.body["token"].as_str().expect("a token"))
}

async fn follow_up(client: &Client, contact: &Reply, title: &str, due_on: &str) -> Reply {
    let body = json!({"title": title, "contact_ids": [contact.id()], "due_on": due_on});
    client.post("/v1/follow-ups", &body).await.expect(201)
}

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

/// What somebody was told, newest first.
async fn told(client: &Client) -> Vec<String> {
    let all = client.walk("/v1/notifications").await;
    all.iter()
        .map(|item| format!("{} {}", item["on"].as_str().unwrap(), item["reason"]["detail"].as_str().unwrap()))
        .collect()
}

async fn unread(client: &Client) -> Vec<Value> {
    client.walk("/v1/notifications?unread=true").await
}

on_both! {
    async fn at_the_hour_each_thing_that_is_due_is_notified_with_its_reason(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let weekly = json!({"every": 7, "unit": "day"});
        let grace = contact(&ada, json!({"given_name": "Grace", "cadence": weekly, "dates": {
            "birthday": {"value": "1986-03-03"}, "anniversary": {"value": "--03-03"}}})).await;
        let alan = contact(&ada, json!({"given_name": "Alan", "cadence": weekly})).await;
        let gone = json!({"given_name": "Gone", "dates": {"birthday": {"value": "--03-03"}}, "archived_at": "2026-01-01T00:00:00Z"});
        contact(&ada, gone).await;
        for person in [&grace, &alan] {
            let call = json!({"contact_ids": [person.id()], "kind": "call", "occurred_on": "2026-02-24"});
            ada.post("/v1/interactions", &call).await.expect(201);
        }
        let planned = json!({"contact_ids": [alan.id()], "kind": "coffee", "status": "planned", "occurred_on": "2026-03-05"});
        ada.post("/v1/interactions", &planned).await.expect(201);
        follow_up(&ada, &grace, "Send it", "2026-03-03").await;
        follow_up(&ada, &grace, "Some day", "2026-03-04").await;
        let done = follow_up(&ada, &grace, "Done", "2026-03-03").await;
        ada.post_nothing(&format!("{}/complete", done.location())).await.expect(200);
        follow_up(&ada, &grace, "Years ago", "2020-03-03").await;
        let snoozed = json!({"snoozed_until": "2026-03-03", "owed_by": "them"});
        let snoozed = ada.patch(&follow_up(&ada, &alan, "Snoozed", "2026-02-20").await.location(), &snoozed).await.expect(200);

        at(&server, "2026-03-03T07:45:00Z").await;
        assert_eq!(told(&ada).await, Vec::<String>::new(), "the hour has not come");
        at(&server, "2026-03-03T08:00:00Z").await;

        let list = ada.get("/v1/notifications?count=true").await.expect(200);
        let by_kind: Vec<(&str, &str)> = list.items().iter()
            .map(|item| (item["kind"].as_str().unwrap(), item["reason"]["detail"].as_str().unwrap())).collect();
        assert_eq!(by_kind.len(), 5, "{list}");
        assert_eq!(by_kind[..3], [
            ("digest", "Today: 2 follow-ups, 1 promise, 1 contact to get in touch with, 1 birthday."),
            ("birthday", "Grace: birthday today."),
            ("contact_due", "Get in touch with Grace: due today."),
        ]);
        for expected in ["Send it: due today.", "Snoozed: promised for today."] {
            assert!(by_kind.contains(&("follow_up_due", expected)), "{expected}: {list}");
        }
        assert_eq!(list.body["total"], 5);
        let of = |detail: &str| list.items().iter().find(|item| item["reason"]["detail"] == detail).unwrap();
        let promise = of("Snoozed: promised for today.");
        assert_eq!(promise["reason"]["code"], "promise_due");
        assert_eq!(promise["reason"]["params"], json!({"name": "Snoozed", "days": 0, "counts": null}));
        assert_eq!(promise["follow_up"], snoozed.body);
        assert_eq!(promise["contacts"][0]["name"], "Alan");
        let birthday = of("Grace: birthday today.");
        assert_eq!((&birthday["reason"]["code"], &birthday["contacts"][0]["id"]), (&json!("birthday"), &json!(grace.id())));
        for item in list.items() {
            let days = (&item["on"], &item["due_on"], &item["created_at"], &item["read_at"]);
            assert_eq!(days, (&json!("2026-03-03"), &json!("2026-03-03"), &json!("2026-03-03T08:00:00Z"), &Value::Null));
        }
        at(&server, "2026-03-03T08:15:00Z").await;
        assert_eq!(told(&ada).await.len(), 5, "nothing is told twice");
        at(&server, "2026-03-04T08:00:00Z").await;
        assert_eq!(told(&ada).await[..2], [
            "2026-03-04 Today: 3 follow-ups, 1 promise, 1 contact to get in touch with.",
            "2026-03-04 Some day: due today.",
        ], "each once for the day it falls due on");
        assert_eq!(told(&ada).await.len(), 7);
    }

    async fn the_hour_is_the_user_s_and_the_day_the_workspace_s(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "America/Sao_Paulo").await;
        let bob = register(&server, "bob@example.com", "Asia/Kathmandu").await;
        ada.patch("/v1/me", &json!({"time_zone": "Asia/Tokyo"})).await.expect(200);
        for client in [&ada, &bob] {
            let grace = contact(client, json!({"given_name": "Grace"})).await;
            for day in ["2026-03-02", "2026-03-03"] {
                follow_up(client, &grace, day, day).await;
            }
        }
        // 8:00 on the 3rd in Tokyo is 20:00 on the 2nd in São Paulo.
        at(&server, "2026-03-02T23:00:00Z").await;
        assert_eq!(told(&ada).await, ["2026-03-02 Today: 1 follow-up.", "2026-03-02 2026-03-02: due today."]);
        assert_eq!(told(&bob).await.len(), 0);
        at(&server, "2026-03-03T02:15:00Z").await;
        let of_bob = told(&bob).await;
        assert_eq!((of_bob.len(), of_bob[0].as_str()), (3, "2026-03-03 Today: 2 follow-ups."));
        assert!(of_bob.contains(&"2026-03-03 2026-03-02: 1 day overdue.".to_owned()), "{of_bob:?}");
        assert_eq!(told(&ada).await.len(), 2);
    }

    async fn in_a_gap_of_the_clock_the_next_time_counts_and_in_a_fold_the_first(backend: Backend) {
        let server = start(backend).await;
        server.clock.set("2026-03-28T12:00:00Z".parse().unwrap());
        let ada = register(&server, "ada@example.com", "Europe/Berlin").await;
        ada.patch("/v1/me", &json!({"notify_at": 2})).await.expect(200);
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        follow_up(&ada, &grace, "Gap", "2026-03-29").await;
        follow_up(&ada, &grace, "Fold", "2026-10-25").await;

        at(&server, "2026-03-29T00:45:00Z").await;
        assert_eq!(told(&ada).await.len(), 0);
        at(&server, "2026-03-29T01:00:00Z").await;
        assert_eq!(told(&ada).await[1..], ["2026-03-29 Gap: due today."]);
        at(&server, "2026-10-24T00:00:00Z").await;
        at(&server, "2026-10-25T00:00:00Z").await;
        let of_fold = told(&ada).await;
        assert_eq!(of_fold[1], "2026-10-25 Fold: due today.");
        at(&server, "2026-10-25T01:00:00Z").await;
        assert_eq!(told(&ada).await, of_fold, "two o'clock comes twice, the notifications once");
    }

    async fn after_three_days_off_there_is_one_digest_and_each_thing_that_is_still_due_once(backend: Backend) {
        let mut server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let grace = contact(&ada, json!({"given_name": "Grace", "dates": {"birthday": {"value": "--03-04"}}})).await;
        for day in ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"] {
            follow_up(&ada, &grace, day, day).await;
        }
        server.clock.set("2026-03-06T03:00:00Z".parse().unwrap());
        server.restart().await;
        at(&server, "2026-03-06T03:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 0, "nobody is told in the night");
        at(&server, "2026-03-06T08:00:00Z").await;

        assert_eq!(told(&ada).await, [
            "2026-03-06 Today: 4 follow-ups.",
            "2026-03-06 2026-03-06: due today.",
            "2026-03-06 2026-03-05: 1 day overdue.",
            "2026-03-06 2026-03-04: 2 days overdue.",
            "2026-03-06 2026-03-03: 3 days overdue.",
        ]);
        server.clock.set("2026-03-09T21:00:00Z".parse().unwrap());
        server.restart().await;
        at(&server, "2026-03-09T21:00:00Z").await;
        assert_eq!(told(&ada).await[..2], ["2026-03-09 Today: 4 follow-ups.", "2026-03-06 Today: 4 follow-ups."]);
    }

    async fn a_new_hour_or_zone_leaves_no_day_out_and_notifies_none_twice(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        follow_up(&ada, &grace, "Send it", "2026-03-02").await;
        // Registered at 9, so the first notification would come on the next day.
        ada.patch("/v1/me", &json!({"notify_at": 11})).await.expect(200);
        at(&server, "2026-03-02T11:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 2);
        ada.patch("/v1/me", &json!({"notify_at": 12})).await.expect(200);
        at(&server, "2026-03-02T12:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 2, "the day was notified before");
        at(&server, "2026-03-03T09:00:00Z").await;
        ada.patch("/v1/me", &json!({"notify_at": 8})).await.expect(200);
        at(&server, "2026-03-03T09:15:00Z").await;
        assert_eq!(told(&ada).await[0], "2026-03-03 Today: 1 follow-up.", "the new hour has passed");
        ada.patch("/v1/me", &json!({"time_zone": "Asia/Tokyo"})).await.expect(200);
        at(&server, "2026-03-03T23:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 3, "it is still the same day of the workspace");
        at(&server, "2026-03-04T23:00:00Z").await;
        assert_eq!(told(&ada).await[0], "2026-03-04 Today: 1 follow-up.");
    }

    async fn every_member_has_notifications_of_their_own(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let bob = register(&server, "bob@example.com", "UTC").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let due = follow_up(&ada, &grace, "Send it", "2026-03-03").await;
        server.database.execute(
            "INSERT INTO memberships (workspace_id, user_id, role, created_at)
             SELECT own.workspace_id, guest.id, 'viewer', own.created_at
             FROM memberships own JOIN users host ON host.id = own.user_id, users guest
             WHERE host.email = 'ada@example.com' AND guest.email = 'bob@example.com'",
        );
        at(&server, "2026-03-03T08:00:00Z").await;

        let of_bob = "SELECT count(*) FROM notifications n JOIN users u ON u.id = n.user_id WHERE u.email = 'bob@example.com'";
        assert_eq!((told(&ada).await.len(), server.database.number(of_bob)), (2, 2));
        assert_eq!(told(&bob).await.len(), 0, "bob's own workspace");
        let last = unread(&ada).await[0]["id"].clone();
        ada.post("/v1/notifications/read", &json!({"up_to": last})).await.expect(200);
        assert_eq!(server.database.number(&format!("{of_bob} AND read_at IS NULL")), 2);

        bob.request("DELETE", "/v1/me").json(&json!({"password": PASSWORD})).await.expect(204);
        assert_eq!(server.database.number("SELECT count(*) FROM notifications"), 2, "ada's stay");
        ada.get(&due.location()).await.expect(200);
        ada.request("DELETE", "/v1/me").json(&json!({"password": PASSWORD})).await.expect(204);
        assert_eq!(server.database.number("SELECT count(*) FROM notifications"), 0);
    }

    async fn notifications_are_read_one_by_one_or_up_to_one(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let eve = register(&server, "eve@example.com", "UTC").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let days = ["2026-02-26", "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"];
        for day in days {
            follow_up(&ada, &grace, day, day).await;
        }
        at(&server, "2026-03-03T08:00:00Z").await;

        let all = ada.walk("/v1/notifications?limit=2").await;
        assert_eq!(all.len(), 6, "pages of two");
        let id = |index: usize| all[index]["id"].clone();
        let mark = async |body: Value| ada.post("/v1/notifications/read", &body).await;
        let first = ada.get("/v1/notifications?unread=true").await.expect(200);
        ada.get("/v1/notifications?unread=true").if_none_match(&first.etag()).await.expect(304);

        assert_eq!(mark(json!({"ids": [id(0), id(2)]})).await.expect(200).body, json!({"unread": 4}));
        assert_eq!(mark(json!({"ids": [id(0)]})).await.expect(200).body, json!({"unread": 4}), "again");
        let after = ada.get("/v1/notifications?unread=true&count=true").if_none_match(&first.etag()).await.expect(200);
        let left: Vec<&Value> = after.items().iter().map(|item| &item["id"]).collect();
        assert_eq!((left, &after.body["total"]), (vec![&id(1), &id(3), &id(4), &id(5)], &json!(4)));
        let marked = ada.walk("/v1/notifications").await;
        assert_eq!(marked[0]["read_at"], "2026-03-03T08:00:00Z");
        server.clock.advance(TimeDelta::minutes(1));
        assert_eq!(mark(json!({"up_to": id(3)})).await.expect(200).body, json!({"unread": 1}));
        let marked = ada.walk("/v1/notifications").await;
        assert_eq!(marked[2]["read_at"], "2026-03-03T08:00:00Z", "when it was first read");
        assert_eq!(unread(&ada).await[0]["id"], id(1));

        for (body, error) in [
            (json!({"up_to": "01939d5e-8c00-7000-8000-0000000000ff"}), "#/up_to unknown_reference"),
            (json!({"ids": []}), "#/ids too_short"),
            (json!({}), "#/ids required"),
            (json!({"all": true}), "#/all unknown_field"),
        ] {
            let refused = mark(body.clone()).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [error], "{body}");
        }
        eve.post("/v1/notifications/read", &json!({"ids": [id(1)]})).await.expect(200);
        assert_eq!(unread(&ada).await.len(), 1, "somebody else's is as none");
        let gone = "01939d5e-8c00-7000-8000-0000000000ff";
        assert_eq!(mark(json!({"ids": [gone, id(1)]})).await.expect(200).body, json!({"unread": 0}));
    }

    async fn a_notification_goes_with_what_it_is_about_and_returns_with_it(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let weekly = json!({"every": 7, "unit": "day"});
        let grace = contact(&ada, json!({"given_name": "Grace", "cadence": weekly})).await;
        let call = json!({"contact_ids": [grace.id()], "kind": "call", "occurred_on": "2026-02-24"});
        ada.post("/v1/interactions", &call).await.expect(201);
        let due = follow_up(&ada, &grace, "Send it", "2026-03-03").await;
        at(&server, "2026-03-03T08:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 3);
        let marked = unread(&ada).await;
        let of_contact = marked.iter().find(|item| item["kind"] == "contact_due").unwrap()["id"].clone();
        ada.post("/v1/notifications/read", &json!({"ids": [of_contact]})).await.expect(200);
        let before = ada.walk("/v1/notifications").await;

        ada.delete(&due.location()).await.expect(204);
        assert_eq!(told(&ada).await.len(), 2);
        ada.delete(&grace.location()).await.expect(204);
        assert_eq!(told(&ada).await, ["2026-03-03 Today: 1 follow-up, 1 contact to get in touch with."]);
        let list = ada.get("/v1/notifications?unread=true&count=true").await.expect(200);
        assert_eq!(list.body["total"], 1);
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        ada.post_nothing(&format!("{}/restore", due.location())).await.expect(200);
        let after = ada.walk("/v1/notifications").await;
        let ids = |items: &[Value]| items.iter().map(|item| (item["id"].clone(), item["read_at"].clone())).collect::<Vec<_>>();
        assert_eq!(ids(&after), ids(&before), "with what was read");
        at(&server, "2026-03-04T08:00:00Z").await;
        assert_eq!(told(&ada).await.len(), 4, "only the digest is new");
    }

    async fn notifications_are_kept_for_90_days_and_nothing_is_notified_again(backend: Backend) {
        let server = start(backend).await;
        let ada = register(&server, "ada@example.com", "UTC").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        follow_up(&ada, &grace, "Send it", "2026-03-03").await;
        at(&server, "2026-03-03T08:00:00Z").await;
        let of_follow_up = "SELECT count(*) FROM notifications WHERE kind = 'follow_up_due'";
        for (day, left) in [("2026-05-31", 1), ("2026-06-02", 0)] {
            at(&server, &format!("{day}T08:00:00Z")).await;
            server.app().store().account_write(purge::purge).await.expect("a purge");
            assert_eq!(server.database.number(of_follow_up), left, "{day}");
        }
    }
}

/// How many follow-ups fall due in each of so many workspaces.
const WORKSPACES: usize = 20;
const DUE: i64 = 500;

/// Two processes notify of 10,000 follow-ups; one is killed half way.
#[test]
fn of_two_nodes_one_is_killed_and_each_of_10_000_follow_ups_is_notified_once() {
    if let Some(url) = nodes::own_database() {
        return nodes::serve(&url, setup());
    }
    check(Backend::Postgres, async |backend: Backend| {
        let server = TestServer::start(backend).await;
        // The nodes go by the clock of the machine, and an hour that has come on every day is the first.
        let today = Utc::now().date_naive();
        for number in 0..WORKSPACES {
            let client = server.register(&format!("person-{number}@example.com")).await;
            client.patch("/v1/me", &json!({"notify_at": 0})).await.expect(200);
            let grace = contact(&client, json!({"given_name": "Grace"})).await;
            follow_up(&client, &grace, "Send it", &today.to_string()).await;
        }
        let columns = server.database.texts(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'follow_ups' AND column_name <> 'id'",
        );
        let columns = columns.join(", ");
        server.database.execute(&format!(
            "INSERT INTO follow_ups (id, {columns}) SELECT gen_random_uuid(), {columns} FROM follow_ups, generate_series(2, {DUE})"
        ));
        let all = i64::try_from(WORKSPACES).unwrap() * DUE;
        assert_eq!(server.database.number("SELECT count(*) FROM follow_ups"), all);
        let notified = "SELECT count(*) FROM notifications WHERE kind = 'follow_up_due'";
        let own = "notifications::of_two_nodes_one_is_killed_and_each_of_10_000_follow_ups_is_notified_once";
        let _other = kill_one_of_two(&server.database, own, notified, all / 4).await;

        let done = "SELECT count(*) FROM jobs WHERE kind = 'notify' AND state = 'done'";
        until(&server.database, done, i64::try_from(WORKSPACES).unwrap()).await;
        let retried = server.database.number("SELECT count(*) FROM jobs WHERE kind = 'notify' AND attempts > 1");
        assert!(retried > 0, "nobody took the jobs of the node that was killed");
        assert_eq!(server.database.number(notified), all, "none is notified twice");
        let of_each = "SELECT count(DISTINCT subject_id) FROM notifications WHERE kind = 'follow_up_due'";
        assert_eq!(server.database.number(of_each), all, "none is lost");
        let digests =
            server.database.texts("SELECT counts->>'follow_ups' FROM notifications WHERE kind = 'digest'");
        assert_eq!(digests, vec![DUE.to_string(); WORKSPACES]);
    });
}
