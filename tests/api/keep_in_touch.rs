//! Keeping in touch: who is due on a day and in which order, and logging a touch in one call.

use serde_json::{Value, json};

use crate::support::*;

/// A contact to be called every so many days, who was last called on a day.
async fn called(client: &Client, name: &str, every: u16, day: &str, tags: Value) -> Reply {
    let cadence = json!({"every": every, "unit": "day"});
    let body = json!({"given_name": name, "cadence": cadence, "tags": tags});
    let made = client.post("/v1/contacts", &body).await.expect(201);
    let call = json!({"kind": "call", "occurred_on": day});
    client.post(&format!("{}/interactions", made.location()), &call).await.expect(201);
    made
}

fn shown(items: &[Value]) -> Vec<(&str, &str)> {
    items.iter().map(|item| (item["contact"]["name"].as_str().unwrap(), item["state"].as_str().unwrap())).collect()
}

on_both! {
    async fn the_most_overdue_by_their_interval_come_first_page_by_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        // Today is 2026-03-02.
        for (name, every, day) in [
            ("Year", 365, "2024-12-31"),
            ("Week", 7, "2026-02-20"),
            ("Lapsed", 7, "2026-02-01"),
            ("Today", 28, "2026-02-02"),
            ("Soon", 30, "2026-02-04"),
            ("Later", 30, "2026-02-20"),
        ] {
            called(&ada, name, every, day, json!([])).await;
        }
        ada.post("/v1/contacts", &json!({"given_name": "Free"})).await.expect(201);
        let expected = [("Lapsed", "lapsed"), ("Week", "overdue"), ("Year", "overdue"), ("Today", "due"), ("Soon", "due_soon")];
        for limit in [1, 2, 50] {
            let all = ada.walk(&format!("/v1/keep-in-touch?limit={limit}")).await;
            assert_eq!(shown(&all), expected, "{limit} a page");
        }
        let page = ada.get("/v1/keep-in-touch?state=overdue").await.expect(200);
        let week = &page.items()[0];
        assert_eq!((&week["due_on"], &week["interval_days"], &week["days_overdue"]), (&json!("2026-02-27"), &json!(7), &json!(3)));
        assert!((week["ratio"].as_f64().unwrap() - 3.0 / 7.0).abs() < 1e-9);
        assert_eq!(week["contact"]["last_interaction_on"], "2026-02-20");
        assert!(week["contact"]["activity_version"].is_i64());
        for (query, expected) in [
            ("state=lapsed&state=due", vec!["Lapsed", "Today"]),
            ("state=on_track", vec!["Later"]),
            ("state=due_soon&state=on_track", vec!["Soon", "Later"]),
            ("state=due&on=2026-03-06", vec!["Soon"]),
            ("state=due_soon&on=2026-03-20", vec!["Later"]),
            ("on=2025-01-01", vec![]),
        ] {
            let all = ada.walk(&format!("/v1/keep-in-touch?limit=1&{query}")).await;
            assert_eq!(shown(&all).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), expected, "{query}");
        }
        for query in ["state=late", "tier=best", "on=2026-02-30", "limit=0", "cursor=x", "status=due"] {
            ada.get(&format!("/v1/keep-in-touch?{query}")).await.expect(400);
        }
        ada.get("/v1/keep-in-touch").if_none_match(&ada.get("/v1/keep-in-touch").await.expect(200).etag()).await.expect(304);
    }

    async fn it_is_filtered_by_tier_and_tag_and_leaves_out_who_cannot_be_contacted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let a = called(&ada, "A", 7, "2026-02-01", json!(["Rust"])).await;
        called(&ada, "B", 7, "2026-02-02", json!(["go"])).await;
        called(&ada, "C", 7, "2026-02-03", json!(["rust", "go"])).await;
        ada.patch(&a.location(), &json!({"tier": "inner"})).if_match("*").await.expect(200);
        let names = async |query: &str| -> Vec<String> {
            let all = ada.walk(&format!("/v1/keep-in-touch?limit=1&{query}")).await;
            all.iter().map(|item| item["contact"]["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("tag=RUST").await, ["A", "C"]);
        assert_eq!(names("tag=rust&tag=go").await, ["A", "B", "C"]);
        assert_eq!(names("tag=nothing").await, Vec::<String>::new());
        assert_eq!(names("tier=inner&tier=core").await, ["A"]);
        assert_eq!(names("tier=inner&tag=go").await, Vec::<String>::new());
        ada.patch(&a.location(), &json!({"archived_at": "2026-03-02T09:00:00Z"})).if_match("*").await.expect(200);
        assert_eq!(names("").await, ["B", "C"]);
    }

    async fn a_plan_ahead_is_shown_with_its_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = called(&ada, "Grace", 7, "2026-02-01", json!([])).await;
        let planned = async || ada.get("/v1/keep-in-touch").await.expect(200).items()[0]["planned_on"].clone();
        assert_eq!(planned().await, Value::Null);
        let plan = async |body: Value| {
            ada.post(&format!("{}/interactions", grace.location()), &body).await.expect(201);
        };
        plan(json!({"kind": "coffee", "status": "planned", "occurred_at": "2026-03-01T10:00:00Z"})).await;
        assert_eq!(planned().await, Value::Null, "its day has passed");
        plan(json!({"kind": "coffee", "status": "planned", "occurred_at": "2026-03-09T10:00:00Z"})).await;
        assert_eq!(planned().await, "2026-03-09");
        plan(json!({"kind": "call", "status": "planned", "occurred_on": "2026-03-05"})).await;
        assert_eq!(planned().await, "2026-03-05");
    }

    async fn a_touch_is_logged_in_one_call_and_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = called(&ada, "Grace", 7, "2026-02-01", json!([])).await;
        let touch = format!("{}/touch", grace.location());
        let made = ada.post_nothing(&touch).await.expect(201);
        assert_eq!((&made.body["kind"], &made.body["direction"]), (&json!("message"), &json!("outbound")));
        assert_eq!((&made.body["status"], &made.body["occurred_at"]), (&json!("happened"), &json!("2026-03-02T09:00:00Z")));
        assert_eq!(made.body["contact_ids"], json!([grace.id()]));
        assert_eq!(ada.get(&made.location()).await.expect(200).body, made.body);
        assert!(ada.walk("/v1/keep-in-touch").await.is_empty(), "the cadence starts over");
        let id = "01939d5e-8c00-7000-8000-00000000abcd";
        let body = json!({"id": id, "kind": "call", "direction": "inbound", "occurred_on": "2026-03-01", "subject": "Plans"});
        let call = ada.post(&touch, &body).await.expect(201);
        assert_eq!((&call.body["id"], &call.body["occurred_on"], &call.body["occurred_at"]), (&json!(id), &json!("2026-03-01"), &Value::Null));
        server.clock.advance(chrono::TimeDelta::minutes(5));
        let again = ada.post(&touch, &body).await.expect(200);
        assert_eq!(again.body, call.body);
        assert_eq!(ada.walk("/v1/interactions").await.len(), 3);
        let alan = called(&ada, "Alan", 7, "2026-02-01", json!([])).await;
        ada.post(&format!("{}/touch", alan.location()), &body).await.problem(409, "id_taken");
        for (body, error) in [
            (json!({"kind": "wave"}), "#/kind not_allowed"),
            (json!({"status": "planned"}), "#/status unknown_field"),
            (json!({"occurred_on": "2026-03-03"}), "#/occurred_on contradiction"),
            (json!({"occurred_at": "2026-03-02T08:00:00Z", "occurred_on": "2026-03-02"}), "#/occurred_on contradiction"),
        ] {
            let reply = ada.post(&touch, &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [error], "{body}");
        }
        ada.post_nothing(&format!("/v1/contacts/{id}/touch")).await.expect(404);
    }
}
