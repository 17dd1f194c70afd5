//! Feedback over HTTP: from the request to reporting back, with the exchange and the follow-up that it leads to.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

on_both! {
    async fn feedback_is_requested_received_acted_on_and_reported_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await.id();
        let body = json!({"contact_id": grace, "topic": "My portfolio", "kind": "critique", "status": "requested", "goal_id": goal});
        let own = made(&ada, "/v1/feedback", body).await;
        assert_eq!((&own.body["received_on"], &own.body["exchange_id"]), (&Value::Null, &Value::Null));
        assert!(ada.walk("/v1/exchanges").await.is_empty());
        let patch = async |body: Value| ada.patch(&own.location(), &body).await.expect(200);

        let received = patch(json!({"status": "received", "received_on": "2026-02-20", "body": "Show three."})).await;
        let exchange = format!("/v1/exchanges/{}", received.body["exchange_id"].as_str().unwrap());
        let logged = ada.get(&exchange).await.expect(200).body;
        for (field, expected) in [
            ("contact_id", json!(grace)), ("direction", json!("received")), ("kind", json!("feedback")), ("origin", json!("feedback")),
            ("description", json!("My portfolio")), ("occurred_on", json!("2026-02-20")), ("goal_id", json!(goal)), ("thanked_on", Value::Null),
        ] {
            assert_eq!(logged[field], expected, "{field}");
        }
        let acted = patch(json!({"status": "acted_on", "action": "Cut it to three."})).await;
        assert_eq!(acted.body["action_taken_on"], "2026-03-02");
        let follow_up = format!("/v1/follow-ups/{}", acted.body["follow_up_id"].as_str().unwrap());
        let planned = ada.get(&follow_up).await.expect(200).body;
        for (field, expected) in [
            ("title", json!("Tell Grace what became of their feedback: My portfolio")), ("kind", json!("thank_you")),
            ("due_on", json!("2026-03-05")), ("origin", json!("feedback")), ("status", json!("pending")), ("contact_ids", json!([grace])),
        ] {
            assert_eq!(planned[field], expected, "{field}");
        }
        let reported = patch(json!({"status": "reported_back"})).await;
        assert_eq!(reported.body["reported_back_on"], "2026-03-02");
        assert_eq!(ada.get(&follow_up).await.expect(200).body["status"], "done");
        assert_eq!(ada.get(&exchange).await.expect(200).body["thanked_on"], "2026-03-02", "reporting back is the thanks");
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 1, "it is received once");

        let write = reported.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(ada.get(&own.location()).await.expect(200).body["status"], "acted_on");
        assert_eq!(ada.get(&follow_up).await.expect(200).body["status"], "pending");
        assert_eq!(ada.get(&exchange).await.expect(200).body["thanked_on"], Value::Null);
    }

    async fn what_was_received_by_mistake_takes_its_exchange_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let own = made(&ada, "/v1/feedback", json!({"contact_id": grace, "topic": "My talk"})).await;
        let exchange = format!("/v1/exchanges/{}", own.body["exchange_id"].as_str().unwrap());
        ada.patch(&own.location(), &json!({"contact_id": alan, "received_on": "2026-02-01"})).await.expect(200);
        let moved = ada.get(&exchange).await.expect(200).body;
        assert_eq!((&moved["contact_id"], &moved["occurred_on"]), (&json!(alan), &json!("2026-02-01")), "it follows");
        let requested = ada.patch(&own.location(), &json!({"status": "requested"})).await.expect(200);
        assert_eq!((&requested.body["received_on"], &requested.body["exchange_id"]), (&Value::Null, &Value::Null));
        ada.get(&exchange).await.expect(404);

        let again = ada.patch(&own.location(), &json!({"status": "received"})).await.expect(200);
        let exchange = format!("/v1/exchanges/{}", again.body["exchange_id"].as_str().unwrap());
        ada.delete(&exchange).await.expect(204);
        let considered = ada.patch(&own.location(), &json!({"status": "considered"})).await.expect(200);
        assert_eq!(considered.body["exchange_id"], Value::Null, "what was deleted does not come back");
    }

    async fn what_makes_no_sense_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let own = made(&ada, "/v1/feedback", json!({"contact_id": grace, "topic": "My talk"})).await;
        for (body, expected) in [
            (json!({"status": "acted_on"}), "#/action required"),
            (json!({"topic": " "}), "#/topic too_short"),
            (json!({"received_on": "2026-03-03"}), "#/received_on contradiction"),
            (json!({"action_taken_on": "2026-03-01"}), "#/action_taken_on contradiction"),
            (json!({"exchange_id": grace}), "#/exchange_id read_only"),
            (json!({"status": "lost"}), "#/status not_allowed"),
            (json!({"pitch_id": grace}), "#/pitch_id unknown_reference"),
        ] {
            assert_eq!(ada.patch(&own.location(), &body).await.expect(422).errors(), [expected], "{body}");
        }
        ada.patch(&own.location(), &json!({"status": "reported_back", "action": "Cut it."})).await.expect(200);
        let problem = ada.patch(&own.location(), &json!({"status": "requested"})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("reported_back"), &json!(["acted_on"])));
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 1);
    }

    async fn open_feedback_is_in_today_after_two_weeks(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let today = async || ada.get("/v1/today").await.expect(200).body["feedback"].clone();
        let old = json!({"contact_id": grace, "topic": "My talk", "status": "requested", "status_changed_at": "2026-02-16T23:00:00Z"});
        let old = made(&ada, "/v1/feedback", old).await;
        let new = json!({"contact_id": grace, "topic": "My slides", "status": "requested", "status_changed_at": "2026-02-17T00:00:00Z"});
        made(&ada, "/v1/feedback", new).await;
        let section = today().await;
        assert_eq!((&section["total"], &section["items"][0]["reason"]), (&json!(1), &json!({
            "code": "feedback_open", "params": {"name": "My talk", "days": -14}, "detail": "My talk: requested from Grace 14 days ago.",
        })));
        assert_eq!(ada.walk(section["list"].as_str().unwrap()).await, [section["items"][0]["feedback"].clone()]);
        ada.patch(&old.location(), &json!({"status": "set_aside", "status_reason": "No answer."})).await.expect(200);
        assert_eq!(today().await["total"], 0);
    }

    async fn feedback_is_found_by_its_filters_words_and_person(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move", "started_on": "2026-01-01"})).await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Mine", "body": "One"})).await.id();
        for (who, topic, more) in [
            (&grace, "Zebra", json!({"status": "requested"})),
            (&grace, "Pitch", json!({"status": "acted_on", "action": "Shortened.", "pitch_id": pitch, "received_on": "2026-02-01"})),
            (&alan, "Talk", json!({"status": "reported_back", "action": "Cut.", "kind": "praise", "goal_id": goal.id(), "action_taken_on": "2026-02-10"})),
            (&alan, "Old", json!({"status": "acted_on", "action": "Cut.", "received_on": "2025-12-01", "action_taken_on": "2025-12-31"})),
        ] {
            let mut body = json!({"contact_id": who, "topic": topic});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            made(&ada, "/v1/feedback", body).await;
        }
        for (query, expected) in [
            (format!("contact_id={grace}"), 2),
            ("open=true".to_owned(), 3),
            ("open=false".to_owned(), 1),
            ("status=acted_on&status=requested".to_owned(), 3),
            ("kind=praise".to_owned(), 1),
            ("received_on[lt]=2026-02-02".to_owned(), 2),
            (format!("goal_id={}", goal.id()), 1),
            (format!("pitch_id={pitch}"), 1),
            ("q=zebra".to_owned(), 1),
        ] {
            assert_eq!(ada.walk(&format!("/v1/feedback?{query}")).await.len(), expected, "{query}");
        }
        assert_eq!(ada.walk(&format!("/v1/contacts/{grace}/feedback")).await.len(), 2);
        let brief = ada.get(&format!("/v1/contacts/{grace}/brief")).await.expect(200).body;
        assert_eq!((&brief["feedback"]["total"], &brief["feedback"]["items"][0]["topic"]), (&json!(2), &json!("Pitch")));
        let timeline = ada.walk(&format!("/v1/contacts/{grace}/timeline")).await;
        let kinds: Vec<&str> = timeline.iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!((kinds, &timeline[0]["on"]), (vec!["feedback_received"], &json!("2026-02-01")), "not told twice");

        for (filter, expected) in [(json!({}), 2), (json!({"linked": true}), 1)] {
            let body = json!({"goal_id": goal.id(), "title": "Act", "metric": "feedback_acted_on", "target_value": 10, "filter": filter});
            let key_result = made(&ada, "/v1/key-results", body).await;
            let records = ada.walk(&format!("{}/records?limit=1", key_result.location())).await;
            assert_eq!(records.len(), expected, "{filter}");
            assert!(records.iter().all(|record| record["data"]["feedback"]["topic"].is_string()));
        }
        ada.delete(&format!("/v1/contacts/{alan}")).await.expect(204);
        assert_eq!(ada.walk("/v1/feedback").await.len(), 2, "it goes with its contact");
        ada.post_nothing(&format!("/v1/contacts/{alan}/restore")).await.expect(200);
        assert_eq!(ada.walk("/v1/feedback").await.len(), 4);
    }
}
