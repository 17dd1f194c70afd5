//! Interactions over HTTP: their time, their status, whom they are with, and what they tell of contacts.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

fn subjects(reply: &Reply) -> Vec<&str> {
    reply.items().iter().map(|item| item["subject"].as_str().unwrap()).collect()
}

on_both! {
    async fn an_interaction_is_logged_listed_and_shown_with_its_people(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let alan = contact(&ada, json!({"given_name": "Alan"})).await;
        let both = json!([grace.id(), alan.id()]);
        let coffee = json!({"contact_ids": both, "kind": "coffee", "occurred_at": "2026-02-27T16:30:00Z", "subject": "Coffee",
            "quality": 4});
        let made = ada.post("/v1/interactions", &coffee).await.expect(201);
        assert_eq!((&made.body["status"], &made.body["direction"]), (&json!("happened"), &json!("mutual")));
        let call = json!({"kind": "call", "occurred_on": "2026-02-28", "subject": "Call", "direction": "outbound"});
        let nested = format!("{}/interactions", grace.location());
        let nested_call = ada.post(&nested, &call).await.expect(201);
        assert_eq!(nested_call.body["contact_ids"], json!([grace.id()]));
        ada.post(&nested, &coffee).await.expect(422);

        let list = async |query: &str| ada.get(&format!("/v1/interactions?sort=occurred_at{query}")).await.expect(200);
        assert_eq!(subjects(&list("").await), ["Coffee", "Call"]);
        assert_eq!(subjects(&ada.get(&nested).await.expect(200)), ["Call", "Coffee"]);
        for (query, expected) in [
            (format!("&contact_id={}", alan.id()), vec!["Coffee"]),
            (format!("&contact_id={}&contact_id={}", alan.id(), grace.id()), vec!["Coffee", "Call"]),
            (format!("&contact_id[all]={}&contact_id[all]={}", alan.id(), grace.id()), vec!["Coffee"]),
            (format!("&contact_id[ne]={}", alan.id()), vec!["Call"]),
            ("&kind=call".to_owned(), vec!["Call"]),
            ("&direction[ne]=outbound".to_owned(), vec!["Coffee"]),
            ("&occurred_at[gte]=2026-02-28T00:00:00Z".to_owned(), vec!["Call"]),
            ("&occurred_at[lt]=2026-02-28T00:00:00Z".to_owned(), vec!["Coffee"]),
            ("&quality[gte]=4".to_owned(), vec!["Coffee"]),
            ("&counts=true".to_owned(), vec!["Coffee", "Call"]),
            ("&q=coffee".to_owned(), vec!["Coffee"]),
        ] {
            assert_eq!(subjects(&list(&query).await), expected, "{query}");
        }
        let shown = ada.get(&format!("{}?include=contacts", made.location())).await.expect(200);
        let names: Vec<&Value> = shown.body["contacts"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["Grace", "Alan"]);
        let history = ada.get(&format!("{}/history", made.location())).await.expect(200);
        assert_eq!(history.items().len(), 1);
    }

    async fn what_happened_is_told_of_the_contact_and_follows_every_change(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let activity = async || {
            let shown = ada.get(&format!("{}?include=activity", grace.location())).await.expect(200);
            let activity = &shown.body["activity"];
            (activity["last_interaction_on"].clone(), activity["interaction_count"].clone())
        };
        assert_eq!(activity().await, (Value::Null, Value::Null));
        let log = async |body: Value| ada.post(&format!("{}/interactions", grace.location()), &body).await.expect(201);
        let met = log(json!({"kind": "meeting", "occurred_on": "2026-02-20"})).await;
        log(json!({"kind": "reaction", "occurred_on": "2026-02-25"})).await;
        assert_eq!(activity().await, (json!("2026-02-20"), json!(2)), "a reaction does not count as contact");
        ada.patch(&met.location(), &json!({"occurred_on": "2026-02-22"})).if_match("*").await.expect(200);
        assert_eq!(activity().await, (json!("2026-02-22"), json!(2)));
        let deleted = ada.delete(&met.location()).await.expect(204);
        assert_eq!(activity().await, (Value::Null, json!(1)));
        let write = deleted.header("wellmet-write").unwrap().to_owned();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(activity().await, (json!("2026-02-22"), json!(2)));
        let changes = ada.get("/v1/changes?entity=contact_activity").await.expect(200);
        let last = changes.items().last().unwrap();
        assert_eq!(last["data"]["contact_activity"]["interaction_count"], 2);
        assert_eq!(last["data"]["contact_activity"]["id"], json!(grace.id()));
    }

    async fn a_wrong_value_is_not_reported_as_a_missing_one_too(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let path = format!("{}/interactions", grace.location());
        for (body, expected) in [
            (json!({"kind": "séance", "occurred_on": "2026-13-01"}), vec!["#/kind not_allowed", "#/occurred_on invalid_format"]),
            (json!({"kind": "séance", "occurred_on": 7}), vec!["#/kind not_allowed", "#/occurred_on invalid_type"]),
            (json!({"kind": "séance"}), vec!["#/kind not_allowed", "#/occurred_at required"]),
        ] {
            assert_eq!(ada.post(&path, &body).await.expect(422).errors(), expected, "{body}");
        }
    }

    async fn only_a_plan_lies_ahead_and_a_status_changes_step_by_step(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let post = async |body: Value| ada.post(&format!("{}/interactions", grace.location()), &body).await;
        let ahead = json!({"kind": "call", "occurred_at": "2026-03-02T09:14:00Z"});
        assert_eq!(post(ahead.clone()).await.expect(422).errors(), ["#/occurred_at contradiction"]);
        let tomorrow = json!({"kind": "call", "occurred_on": "2026-03-03"});
        assert_eq!(post(tomorrow).await.expect(422).errors(), ["#/occurred_on contradiction"]);
        let skewed = post(json!({"kind": "call", "occurred_at": "2026-03-02T09:05:00Z"})).await.expect(201);
        assert_eq!(skewed.body["occurred_at"], "2026-03-02T09:00:00Z", "a clock a little ahead means now");
        let mut plan = ahead;
        plan["status"] = json!("planned");
        let planned = post(plan).await.expect(201);
        let to = async |status: &str| {
            ada.patch(&planned.location(), &json!({ "status": status })).if_match("*").await
        };
        assert_eq!(to("happened").await.expect(422).errors(), ["#/occurred_at contradiction"]);
        server.clock.advance(chrono::TimeDelta::minutes(14));
        let with_reason = json!({"status": "no_show", "status_reason": "Ill"});
        ada.patch(&planned.location(), &with_reason).if_match("*").await.expect(200);
        let refused = to("happened").await.problem(409, "invalid_transition");
        assert_eq!((&refused["state"], &refused["allowed"]), (&json!("no_show"), &json!(["planned"])));
        assert_eq!(refused["record"], json!({"entity": "interaction", "id": planned.id()}));
        let again = to("planned").await.expect(200);
        assert_eq!(again.body["status_reason"], Value::Null, "the reason was one of the status before");
        to("happened").await.expect(200);
    }

    async fn who_answers_is_somebody_you_know(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let wanted = contact(&ada, json!({"given_name": "Grace", "known": false})).await;
        let known = async || ada.get(&wanted.location()).await.expect(200).body["known"].clone();
        let log = async |direction: &str, kind: &str| {
            let body = json!({"kind": kind, "direction": direction, "occurred_on": "2026-02-20"});
            ada.post(&format!("{}/interactions", wanted.location()), &body).await.expect(201)
        };
        log("outbound", "email").await;
        log("inbound", "reaction").await;
        assert_eq!(known().await, false);
        let answer = log("inbound", "email").await;
        assert_eq!(known().await, true);
        let write = answer.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(known().await, false, "what a write brings about is undone with it");
    }

    async fn what_one_person_sends_is_outbound_unless_it_says_otherwise(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let wanted = contact(&ada, json!({"given_name": "Grace", "known": false})).await;
        let nested = format!("{}/interactions", wanted.location());
        for (kind, direction) in [("email", "outbound"), ("reaction", "outbound"), ("note", "mutual"), ("other", "mutual")] {
            let body = json!({"kind": kind, "occurred_on": "2026-02-20", "counts": kind == "email"});
            let made = ada.post(&nested, &body).await.expect(201);
            assert_eq!(made.body["direction"], direction, "{kind}");
            let edited = ada.patch(&made.location(), &json!({"kind": "meeting"})).await.expect(200);
            assert_eq!(edited.body["direction"], direction, "an edit of the kind leaves it");
            let body = json!({"kind": kind, "occurred_on": "2026-02-20", "counts": false, "contact_ids": [wanted.id()]});
            let replaced = ada.put(&made.location(), &body).if_match("*").await.expect(200);
            assert_eq!(replaced.body["direction"], direction, "{kind}");
        }
        let known = ada.get(&wanted.location()).await.expect(200).body["known"].clone();
        assert_eq!(known, false, "nobody knows whom they have only written to");
        ada.post(&nested, &json!({"kind": "coffee", "occurred_on": "2026-02-20"})).await.expect(201);
        assert_eq!(ada.get(&wanted.location()).await.expect(200).body["known"], true);
    }

    async fn an_interaction_goes_with_the_last_of_its_people(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let alan = contact(&ada, json!({"given_name": "Alan"})).await;
        let body = json!({"contact_ids": [grace.id(), alan.id()], "kind": "call", "occurred_on": "2026-02-20"});
        let made = ada.post("/v1/interactions", &body).await.expect(201);
        ada.delete(&grace.location()).await.expect(204);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["contact_ids"], json!([alan.id()]));
        ada.delete(&alan.location()).await.expect(204);
        ada.get(&made.location()).await.expect(404);
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        ada.get(&made.location()).await.expect(404);
        ada.post_nothing(&format!("{}/restore", alan.location())).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["contact_ids"], json!([grace.id(), alan.id()]));
        let gone = json!({"contact_ids": [made.id()], "kind": "call", "occurred_on": "2026-02-20"});
        assert_eq!(
            ada.post("/v1/interactions", &gone).await.expect(422).errors(),
            ["#/contact_ids/0 unknown_reference"]
        );
    }
}
