//! The review of a period: what moved and what stalled, which promises were kept, whom one met, what was given and received.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::*;

const WEEK: &str = "/v1/review?since=2026-02-23&until=2026-03-02";

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn review(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).body
}

/// Title, movement, progress before and after, and how many targets moved, of each goal.
fn goals(review: &Value) -> Vec<Value> {
    let summary = |own: &Value| {
        json!([
            own["goal"]["title"],
            own["movement"],
            own["progress_before"],
            own["progress"],
            own["targets_moved"]
        ])
    };
    review["goals"].as_array().expect("goals").iter().map(summary).collect()
}

fn titles(review: &Value) -> Vec<&str> {
    let slipped = review["promises"]["slipped"]["items"].as_array().expect("items");
    slipped.iter().map(|item| item["follow_up"]["title"].as_str().expect("a title")).collect()
}

on_both! {
    async fn goals_move_or_stall(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = async |title: &str, due_on: &str| {
            made(&ada, "/v1/goals", json!({"title": title, "started_on": "2026-01-01", "due_on": due_on})).await
        };
        let (talk, write, connect, rest) = (
            goal("Talk", "2026-03-31").await, goal("Write", "2026-04-30").await, goal("Connect", "2026-05-31").await,
            goal("Rest", "2026-06-30").await,
        );
        let done = goal("Done", "2026-12-31").await;
        for (status, key) in [("paused", "Paused"), ("dropped", "Dropped")] {
            made(&ada, "/v1/goals", json!({"title": key, "status": status})).await;
        }
        // Begins after the week.
        made(&ada, "/v1/goals", json!({"title": "Next", "started_on": "2026-03-02"})).await;
        let counted = json!({"title": "Interactions", "metric": "interactions", "target_value": 4});
        made(&ada, &format!("{}/key-results", talk.location()), counted).await;
        let manual = json!({"title": "Pages", "target_value": 10});
        let pages = made(&ada, &format!("{}/key-results", write.location()), manual.clone()).await;
        made(&ada, &format!("{}/key-results", rest.location()), manual).await;
        let grace = made(&ada, "/v1/contacts", json!({"given_name": "Grace"})).await;
        for on in ["2026-02-22", "2026-02-23", "2026-03-01", "2026-03-02"] {
            let call = json!({"kind": "call", "occurred_on": on, "contact_ids": [grace.id()]});
            made(&ada, "/v1/interactions", call).await;
        }
        for (on, value) in [("2026-02-22", 2), ("2026-02-23", 3), ("2026-03-01", 5), ("2026-03-02", 9)] {
            made(&ada, "/v1/check-ins", json!({"key_result_id": pages.id(), "on": on, "value": value})).await;
        }
        let target = made(&ada, &format!("{}/targets", connect.location()), json!({"contact_id": grace.id()})).await;
        let moved = json!({"stage": "approached", "stage_changed_at": "2026-02-25T10:00:00Z"});
        ada.patch(&target.location(), &moved).await.expect(200);
        let achieved = json!({"status": "achieved", "achieved_at": "2026-02-24T10:00:00Z"});
        ada.patch(&done.location(), &achieved).await.expect(200);

        let week = review(&ada, WEEK).await;
        assert_eq!(goals(&week), [
            json!(["Talk", "moved", 0.25, 0.75, 0]),
            json!(["Write", "moved", 0.2, 0.5, 0]),
            json!(["Connect", "moved", null, null, 1]),
            json!(["Rest", "stalled", 0.0, 0.0, 0]),
            json!(["Done", "moved", null, null, 0]),
        ]);
        let values = &week["goals"][1]["key_results"];
        assert_eq!(values, &json!([{"id": pages.id(), "title": "Pages", "before": 2, "after": 5, "target": 10}]));
        let added = review(&ada, "/v1/review?since=2026-03-02").await;
        assert_eq!(goals(&added)[2][1], "stalled", "its only target moved before");
        made(&ada, &format!("{}/targets", connect.location()), json!({"name": "Mary"})).await;
        let added = review(&ada, "/v1/review?since=2026-03-02").await;
        assert_eq!(goals(&added)[2], json!(["Connect", "moved", null, null, 1]));
        let before = review(&ada, "/v1/review?since=2026-02-09&until=2026-02-16").await;
        assert!(goals(&before).iter().all(|goal| goal[1] == "stalled"), "{before}");
        assert_eq!(goals(&before).len(), 4, "what was achieved later has no part in it");
    }

    async fn promises_are_kept_by_their_day_or_slip(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = made(&ada, "/v1/contacts", json!({"given_name": "Grace"})).await;
        let due = async |title: &str, owed_by: &str, due_on: &str, more: Value| {
            let mut body = json!({"title": title, "owed_by": owed_by, "due_on": due_on, "contact_ids": [grace.id()]});
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            made(&ada, "/v1/follow-ups", body).await
        };
        let done = |at: &str| json!({"status": "done", "completed_at": at});
        due("In time", "me", "2026-02-24", done("2026-02-24T22:00:00Z")).await;
        due("Late", "me", "2026-02-25", done("2026-02-26T08:00:00Z")).await;
        due("Snoozed", "me", "2026-02-26", json!({"snoozed_until": "2026-03-20"})).await;
        due("Skipped", "me", "2026-02-26", json!({"status": "skipped"})).await;
        due("Cancelled", "me", "2026-02-26", json!({"status": "cancelled"})).await;
        due("Theirs", "them", "2026-02-23", json!({})).await;
        due("Before", "me", "2026-02-22", json!({})).await;
        due("After", "me", "2026-03-02", json!({})).await;
        let week = review(&ada, WEEK).await;
        assert_eq!(week["promises"]["mine"], json!({"kept": 1, "slipped": 2, "open": 0}));
        assert_eq!(week["promises"]["theirs"], json!({"kept": 0, "slipped": 1, "open": 0}));
        assert_eq!(titles(&week), ["Theirs", "Late", "Snoozed"]);
        assert_eq!(week["promises"]["slipped"]["items"][0]["contacts"][0]["name"], "Grace");
        let list = week["promises"]["slipped"]["list"].as_str().expect("a path");
        assert_eq!(ada.walk(list).await.len(), 6, "all that was due in the week");
        let today = review(&ada, "/v1/review?since=2026-03-02").await;
        assert_eq!(today["promises"]["mine"], json!({"kept": 0, "slipped": 0, "open": 1}));
        // 09:00 in UTC is 18:00 in Tokyo: what was done at 22:00 was done on the next day there.
        server.database.execute("UPDATE workspaces SET time_zone = 'Asia/Tokyo'");
        assert_eq!(review(&ada, WEEK).await["promises"]["mine"], json!({"kept": 0, "slipped": 3, "open": 0}));
    }

    async fn what_happened_is_counted_by_its_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let nothing = review(&ada, WEEK).await;
        assert!(nothing["counts"].as_object().expect("counts").values().all(|count| count == 0), "{nothing}");
        assert_eq!((&nothing["goals"], &nothing["people_met"]["total"]), (&json!([]), &json!(0)));
        let (grace, alan) = (
            made(&ada, "/v1/contacts", json!({"given_name": "Grace"})).await,
            made(&ada, "/v1/contacts", json!({"given_name": "Alan"})).await,
        );
        for (direction, weight, on) in [
            ("given", 3, "2026-02-23"), ("given", 5, "2026-03-01"), ("received", 2, "2026-02-28"), ("mutual", 1, "2026-02-28"),
            ("given", 4, "2026-02-22"), ("received", 4, "2026-03-02"),
        ] {
            let body = json!({"contact_id": grace.id(), "direction": direction, "weight": weight, "occurred_on": on});
            made(&ada, "/v1/exchanges", body).await;
        }
        let event = json!({"title": "Meetup", "starts_on": "2026-02-27", "ends_on": "2026-02-27", "time_zone": "UTC", "participation": "attended"});
        let event = made(&ada, "/v1/events", event).await;
        let met = json!({"contact_id": alan.id(), "stage": "met", "met_at": "2026-02-27T18:00:00Z"});
        made(&ada, &format!("{}/people", event.location()), met).await;
        let interview = json!({"kind": "informational_interview", "occurred_on": "2026-02-24", "contact_ids": [grace.id()]});
        made(&ada, "/v1/interactions", interview).await;
        let introduction = json!({
            "contact_a_id": grace.id(), "contact_b_id": alan.id(), "introducer_id": me, "status": "made", "made_on": "2026-02-25",
            "consent_a": "given", "consent_b": "given",
        });
        made(&ada, "/v1/introductions", introduction).await;
        let post = json!({"title": "Heat pumps", "status": "published", "published_at": "2026-02-26T08:00:00Z"});
        made(&ada, "/v1/posts", post).await;
        let acted = json!({
            "contact_id": grace.id(), "topic": "My talk", "status": "acted_on", "action": "Cut it.", "received_on": "2026-02-01",
            "action_taken_on": "2026-02-28",
        });
        made(&ada, "/v1/feedback", acted).await;
        let done = json!({"title": "Call", "contact_ids": [grace.id()], "status": "done", "completed_at": "2026-02-26T08:00:00Z"});
        made(&ada, "/v1/follow-ups", done).await;

        let week = review(&ada, WEEK).await;
        assert_eq!(week["counts"], json!({
            "contacts_added": 0, "interactions": 1, "informational_interviews": 1, "follow_ups_done": 1, "events_attended": 1,
            "people_met": 1, "introductions_made": 1, "introductions_received": 0, "feedback_acted_on": 1, "posts_published": 1,
        }));
        // An introduction gives something to both, and feedback is received.
        assert_eq!(week["exchanges"], json!({
            "given": {"count": 4, "weight": 14}, "received": {"count": 1, "weight": 2}, "mutual": {"count": 1, "weight": 1},
        }));
        assert_eq!((&week["people_met"]["total"], &week["people_met"]["items"][0]["contact"]["name"]), (&json!(1), &json!("Alan")));
        let list = week["people_met"]["list"].as_str().expect("a path");
        let there = ada.walk(list).await;
        assert_eq!((there.len(), &there[0]["contact_id"]), (1, &json!(alan.id())), "{list}");
        made(&ada, &format!("{}/people", event.location()), json!({"contact_id": grace.id(), "stage": "met", "met_at": "2026-03-02T08:00:00Z"})).await;
        assert_eq!(ada.walk(list).await.len(), 1, "she was met after the week");
        let today = review(&ada, "/v1/review?since=2026-03-02").await;
        assert_eq!(today["counts"]["contacts_added"], 2, "{today}");
    }

    async fn the_period_is_the_last_seven_days_unless_it_is_given(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (query, since, until) in [
            ("", "2026-02-24", "2026-03-03"),
            ("?since=2026-01-01", "2026-01-01", "2026-03-03"),
            ("?until=2026-02-01", "2026-01-25", "2026-02-01"),
            ("?since=2026-03-02&until=2027-03-03", "2026-03-02", "2027-03-03"),
        ] {
            let review = review(&ada, &format!("/v1/review{query}")).await;
            assert_eq!((&review["since"], &review["until"]), (&json!(since), &json!(until)), "{query}");
        }
        for (query, parameter) in [
            ("?since=2026-03-03", "since"), ("?since=2026-03-02&until=2026-03-02", "until"), ("?since=2025-03-01", "since"),
            ("?since=2026-02-30", "since"), ("?until=soon", "until"), ("?since=", "since"), ("?on=2026-03-02", "on"),
        ] {
            let problem = ada.get(&format!("/v1/review{query}")).await;
            assert_eq!((problem.status, &problem.body["parameter"]), (400, &json!(parameter)), "{query}: {problem}");
        }
        let token = made(&ada, "/v1/tokens", json!({"name": "t", "scopes": ["contacts:read"]})).await;
        let narrow = ada.with_token(token.body["token"].as_str().expect("a token"));
        narrow.get("/v1/review").await.problem(403, "insufficient_scope");
    }

    async fn the_tag_of_a_review_changes_with_the_workspace_and_with_the_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let first = ada.get(WEEK).await.expect(200);
        assert_eq!(ada.get(WEEK).if_none_match(&first.etag()).await.status, 304);
        made(&ada, "/v1/contacts", json!({"given_name": "Grace"})).await;
        let second = ada.get(WEEK).if_none_match(&first.etag()).await.expect(200);
        server.clock.advance(TimeDelta::days(1));
        let ada = server.login("ada@example.com").await;
        assert_eq!(ada.get(WEEK).if_none_match(&second.etag()).await.status, 200);
    }
}
