//! Communities over HTTP: their states, who is in them, and how active you are against the target.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

on_both! {
    async fn a_community_has_defaults_and_is_checked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = made(&ada, "/v1/communities", json!({"name": " Leaders ", "url": "linkedin.com/groups/1234567"})).await;
        for (field, expected) in [
            ("name", json!("Leaders")), ("kind", json!("group")), ("status", json!("considering")), ("platform", json!("linkedin")),
            ("url", json!("https://linkedin.com/groups/1234567")), ("joined_on", Value::Null), ("contact_ids", json!([])), ("goal_ids", json!([])),
            ("target_posts_per_month", Value::Null), ("organization_id", Value::Null),
        ] {
            assert_eq!(own.body[field], expected, "{field}");
        }
        let fields = |more: Value| {
            let mut body = json!({"name": "A"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, expected) in [
            (json!({}), "#/name required"),
            (fields(json!({"name": " "})), "#/name too_short"),
            (fields(json!({"kind": "club"})), "#/kind not_allowed"),
            (fields(json!({"status": "banned"})), "#/status not_allowed"),
            (fields(json!({"target_posts_per_month": 0})), "#/target_posts_per_month out_of_range"),
            (fields(json!({"joined_on": "2026-01-10"})), "#/joined_on contradiction"),
            (fields(json!({"status": "joined", "joined_on": "2026-03-03"})), "#/joined_on contradiction"),
            (fields(json!({"contact_ids": [own.id()]})), "#/contact_ids/0 unknown_reference"),
            (fields(json!({"goal_ids": [own.id()]})), "#/goal_ids/0 unknown_reference"),
            (fields(json!({"organization_id": own.id()})), "#/organization_id unknown_reference"),
        ] {
            assert_eq!(ada.post("/v1/communities", &body).await.expect(422).errors(), [expected], "{body}");
        }
        assert_eq!(ada.walk("/v1/communities").await.len(), 1, "nothing else was written");
    }

    async fn its_states_are_a_machine_and_joining_is_dated(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let states = ["considering", "joined", "active", "quiet", "left"];
        let nonsense = [("joined", "considering"), ("active", "considering"), ("quiet", "considering")];
        for from in states {
            for to in states {
                let own = made(&ada, "/v1/communities", json!({"name": "A", "status": from})).await;
                let moved = ada.patch(&own.location(), &json!({"status": to})).await;
                if nonsense.contains(&(from, to)) {
                    let problem = moved.problem(409, "invalid_transition");
                    assert_eq!(problem["state"], from, "{from} {to}");
                } else {
                    assert_eq!(moved.expect(200).body["status"], to, "{from} {to}");
                }
            }
        }
        let own = made(&ada, "/v1/communities", json!({"name": "B"})).await;
        let joined = ada.patch(&own.location(), &json!({"status": "active", "status_reason": "Grace asked me"})).await.expect(200);
        assert_eq!((&joined.body["joined_on"], &joined.body["status_reason"]), (&json!("2026-03-02"), &json!("Grace asked me")));
        let left = ada.patch(&own.location(), &json!({"status": "left"})).await.expect(200);
        assert_eq!((&left.body["joined_on"], &left.body["status_reason"]), (&json!("2026-03-02"), &Value::Null));
        let dated = ada.patch(&own.location(), &json!({"status": "joined", "joined_on": "2026-02-01"})).await.expect(200);
        assert_eq!(dated.body["joined_on"], "2026-02-01");
    }

    async fn lists_are_filtered_and_members_follow_deletes_and_merges(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        let organization = made(&ada, "/v1/organizations", json!({"name": "Guild"})).await;
        let first = made(&ada, "/v1/communities", json!({
            "name": "Zebra lovers", "platform": "Slack", "kind": "chat", "status": "active", "contact_ids": [grace, lin],
            "goal_ids": [goal.id()], "organization_id": organization.id(),
        })).await;
        made(&ada, "/v1/communities", json!({"name": "Another", "purpose": "Talk about zebras."})).await;
        for (query, expected) in [
            ("sort=name".to_owned(), vec!["Another", "Zebra lovers"]),
            ("kind=chat".to_owned(), vec!["Zebra lovers"]),
            ("status=considering".to_owned(), vec!["Another"]),
            ("platform=slack".to_owned(), vec!["Zebra lovers"]),
            (format!("contact_id={grace}"), vec!["Zebra lovers"]),
            (format!("goal_id={}", goal.id()), vec!["Zebra lovers"]),
            (format!("organization_id={}", organization.id()), vec!["Zebra lovers"]),
            ("q=zebras".to_owned(), vec!["Another"]),
        ] {
            let found = ada.walk(&format!("/v1/communities?{query}")).await;
            let names: Vec<&str> = found.iter().map(|own| own["name"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{query}");
        }
        let brief = ada.get(&format!("/v1/contacts/{grace}/brief")).await.expect(200);
        assert_eq!(brief.body["communities"]["items"][0]["name"], "Zebra lovers");
        assert_eq!(brief.body["in_common"], json!([{"kind": "community", "name": "Zebra lovers"}]));

        let merged = ada.post("/v1/contacts/merge", &json!({"keep_id": lin, "merge_ids": [grace]})).await;
        assert!(merged.status == 200, "{merged}");
        assert_eq!(ada.get(&first.location()).await.expect(200).body["contact_ids"], json!([lin]));
        ada.delete(&format!("/v1/contacts/{lin}")).await.expect(204);
        ada.delete(&goal.location()).await.expect(204);
        ada.delete(&organization.location()).await.expect(204);
        let left = ada.get(&first.location()).await.expect(200).body;
        assert_eq!((&left["contact_ids"], &left["goal_ids"], &left["organization_id"]), (&json!([]), &json!([]), &Value::Null), "a community stays");
        ada.post(&format!("/v1/contacts/{lin}/restore"), &json!({})).await.expect(200);
        assert_eq!(ada.get(&first.location()).await.expect(200).body["contact_ids"], json!([lin]));
    }

    async fn activity_tells_each_month_against_the_target(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let own = made(&ada, "/v1/communities", json!({"name": "A", "status": "active", "target_posts_per_month": 2})).await;
        for (kind, status, at) in [
            ("post", "published", "2026-01-10T09:00:00Z"), ("article", "reviewed", "2026-01-31T23:30:00Z"), ("reply", "published", "2026-01-12T09:00:00Z"),
            ("share", "published", "2026-02-01T00:00:00Z"), ("post", "published", "2025-02-01T00:00:00Z"),
        ] {
            made(&ada, "/v1/posts", json!({"title": "T", "kind": kind, "status": status, "published_at": at, "community_id": own.id()})).await;
        }
        made(&ada, "/v1/posts", json!({"title": "Elsewhere", "status": "published", "published_at": "2026-01-10T09:00:00Z"})).await;
        let withdrawn = made(&ada, "/v1/posts", json!({"title": "T", "status": "published", "published_at": "2026-01-10T09:00:00Z", "community_id": own.id()})).await;
        ada.patch(&withdrawn.location(), &json!({"status": "dropped"})).await.expect(200);
        for (kind, direction, on) in [("comment", "outbound", "2026-01-31"), ("reaction", "inbound", "2026-02-01"), ("call", "mutual", "2026-02-01")] {
            made(&ada, "/v1/interactions", json!({
                "contact_ids": [grace], "kind": kind, "direction": direction, "occurred_on": on, "community_id": own.id(),
            })).await;
        }
        let found = ada.get(&format!("{}/activity?since=2026-01-01&until=2026-03-01", own.location())).await.expect(200);
        let told = |month: &Value| {
            json!([month["month"], month["posts"], month["replies"], month["target"], month["target_met"], month["engagement"]["outbound"], month["engagement"]["inbound"]])
        };
        let months: Vec<Value> = found.body["months"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(json!(months), json!([["2026-01", 2, 1, 2, true, 1, 0], ["2026-02", 1, 0, 2, false, 0, 1]]));

        // In Warsaw, half past eleven in the evening in UTC is the next day.
        ada.patch("/v1/workspace", &json!({"time_zone": "Europe/Warsaw"})).await.expect(200);
        let moved = ada.get(&format!("{}/activity?since=2026-01-01&until=2026-03-01", own.location())).await.expect(200);
        assert_eq!((&moved.body["months"][0]["posts"], &moved.body["months"][1]["posts"]), (&json!(1), &json!(2)));
        let year = ada.get(&format!("{}/activity", own.location())).await.expect(200);
        assert_eq!((&year.body["since"], &year.body["until"]), (&json!("2025-04-01"), &json!("2026-03-03")));
        assert_eq!(year.body["months"].as_array().map(Vec::len), Some(12));
        for query in ["since=2026-03-03", "since=2023-01-01", "until=soon"] {
            ada.get(&format!("{}/activity?{query}", own.location())).await.problem(400, "invalid_parameter");
        }
    }
}
