//! Cadences over HTTP: what begins one, when the next contact is due, and lists by both days.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, mut body: Value) -> Reply {
    body["given_name"] = body["given_name"].as_str().unwrap_or("Grace").into();
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn activity(client: &Client, contact: &Reply) -> Value {
    client.get(&format!("{}?include=activity", contact.location())).await.expect(200).body["activity"].clone()
}

async fn due_on(client: &Client, contact: &Reply) -> Value {
    activity(client, contact).await["next_contact_on"].clone()
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

on_both! {
    async fn the_next_contact_moves_with_interactions_and_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"cadence": {"every": 1, "unit": "month"}})).await;
        assert_eq!(grace.body["cadence_since"], "2026-03-02");
        assert_eq!(due_on(&ada, &grace).await, "2026-04-02", "counted from the day the cadence began");
        let log = async |day: &str| {
            let body = json!({"kind": "coffee", "occurred_on": day});
            ada.post(&format!("{}/interactions", grace.location()), &body).await.expect(201)
        };
        log("2026-01-10").await;
        assert_eq!(due_on(&ada, &grace).await, "2026-02-10", "an interaction counts even if it was before");
        let met = log("2026-01-31").await;
        assert_eq!(activity(&ada, &grace).await, json!({
            "id": grace.id(), "contact_id": grace.id(), "last_interaction_on": "2026-01-31", "interaction_count": 2,
            "next_contact_on": "2026-02-28", "interval_days": 28,
        }));
        ada.patch(&met.location(), &json!({"kind": "note"})).if_match("*").await.expect(200);
        assert_eq!(due_on(&ada, &grace).await, "2026-02-10", "a note does not count");
        ada.patch(&met.location(), &json!({"kind": "call"})).if_match("*").await.expect(200);
        let deleted = ada.delete(&met.location()).await.expect(204);
        assert_eq!(due_on(&ada, &grace).await, "2026-02-10");
        ada.post_nothing(&format!("/v1/changes/{}/revert", deleted.header("wellmet-write").unwrap())).await.expect(200);
        assert_eq!(due_on(&ada, &grace).await, "2026-02-28");
        let shown = ada.get(&grace.location()).await.expect(200);
        assert_eq!(shown.body["version"], grace.body["version"], "the contact itself does not change");
    }

    async fn the_cadence_is_that_of_the_tier_unless_the_contact_says_otherwise(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"tier": "core"})).await;
        assert_eq!(due_on(&ada, &grace).await, "2026-04-01");
        let patch = async |body: Value| ada.patch(&grace.location(), &body).if_match("*").await.expect(200);
        for (body, expected) in [
            (json!({"tier": "inner"}), json!("2026-03-16")),
            (json!({"cadence": {"paused_until": "2026-09-01"}}), json!("2026-09-01")),
            (json!({"cadence": {"every": 1, "unit": "year", "paused_until": null}}), json!("2027-03-02")),
            (json!({"cadence": {"off": true}}), Value::Null),
            (json!({"cadence": null}), json!("2026-03-16")),
            (json!({"do_not_contact": true}), Value::Null),
            (json!({"do_not_contact": false, "archived_at": "2026-03-02T09:00:00Z"}), Value::Null),
            (json!({"archived_at": null, "known": false}), Value::Null),
            (json!({"known": true}), json!("2026-03-16")),
            (json!({"tier": null}), Value::Null),
        ] {
            patch(body.clone()).await;
            assert_eq!(due_on(&ada, &grace).await, expected, "{body}");
        }
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        let own = format!("/v1/contacts/{me}?include=activity");
        ada.patch(&format!("/v1/contacts/{me}"), &json!({"tier": "inner"})).if_match("*").await.expect(200);
        assert_eq!(ada.get(&own).await.expect(200).body["activity"], Value::Null, "nobody keeps in touch with themselves");
    }

    async fn a_cadence_begins_when_the_tier_or_the_interval_changes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({})).await;
        assert_eq!(grace.body["cadence_since"], Value::Null);
        let since = async |body: Value| {
            server.clock.advance(chrono::TimeDelta::days(1));
            let ada = server.login("ada@example.com").await;
            let reply = ada.patch(&grace.location(), &body).if_match("*").await.expect(200);
            reply.body["cadence_since"].clone()
        };
        for (body, expected) in [
            (json!({"tier": "core"}), json!("2026-03-03")),
            (json!({"headline": "Admiral"}), json!("2026-03-03")),
            (json!({"cadence": {"paused_until": "2026-09-01"}}), json!("2026-03-03")),
            (json!({"cadence": {"every": 3, "unit": "week"}}), json!("2026-03-06")),
            (json!({"cadence": {"every": 3, "unit": "week"}}), json!("2026-03-06")),
            (json!({"cadence": {"off": true}}), Value::Null),
            (json!({"cadence": {"off": false}}), json!("2026-03-09")),
            (json!({"cadence": null, "tier": null}), Value::Null),
        ] {
            assert_eq!(since(body.clone()).await, expected, "{body}");
        }
    }

    async fn bad_cadences_are_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (cadence, error) in [
            (json!({"every": 2}), "#/cadence/unit required"),
            (json!({"unit": "day"}), "#/cadence/every required"),
            (json!({"every": 0, "unit": "day"}), "#/cadence/every out_of_range"),
            (json!({"every": 1001, "unit": "day"}), "#/cadence/every out_of_range"),
            (json!({"every": 1, "unit": "hour"}), "#/cadence/unit not_allowed"),
            (json!({"paused_until": "2026-02-30"}), "#/cadence/paused_until invalid_format"),
        ] {
            let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "cadence": cadence})).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [error], "{cadence}");
        }
        let stamped = json!({"given_name": "A", "cadence_since": "2020-01-01"});
        assert_eq!(ada.post("/v1/contacts", &stamped).await.expect(422).errors(), ["#/cadence_since read_only"]);
    }

    async fn many_that_begin_in_one_write_are_spread_and_come_back_with_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut ids = Vec::new();
        for number in 0..30 {
            ids.push(contact(&ada, json!({"given_name": format!("N{number}")})).await.id());
        }
        let since = async || -> Vec<String> {
            let all = ada.walk("/v1/contacts").await;
            all.iter().filter_map(|one| Some(one["cadence_since"].as_str()?.to_owned())).collect()
        };
        let few = json!({"ids": ids[..10], "tier": "core"});
        ada.post("/v1/contacts/bulk", &few).await.expect(200);
        assert_eq!(since().await, vec!["2026-03-02"; 10]);
        let many = ada.post("/v1/contacts/bulk", &json!({"ids": ids, "tier": "inner"})).await.expect(200);
        let spread = since().await;
        assert_eq!(spread.len(), 30);
        assert!(spread.iter().all(|day| day.as_str() > "2026-02-16" && day.as_str() <= "2026-03-02"), "{spread:?}");
        let mut days = spread.clone();
        days.sort();
        days.dedup();
        assert!(days.len() > 5, "they fall due on different days: {days:?}");
        ada.post_nothing(&format!("/v1/changes/{}/revert", many.body["write"])).await.expect(200);
        assert_eq!(since().await, vec!["2026-03-02"; 10]);
    }

    async fn lists_are_filtered_and_sorted_by_both_days_page_by_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (name, tier, day) in [
            ("Never", None, None),
            ("Recent", Some("inner"), Some("2026-02-27")),
            ("Old", Some("core"), Some("2025-06-01")),
            ("New", Some("distant"), None),
            ("Fair", None, Some("2026-01-05")),
        ] {
            let made = contact(&ada, json!({"given_name": name, "tier": tier})).await;
            if let Some(day) = day {
                let body = json!({"kind": "call", "occurred_on": day});
                ada.post(&format!("{}/interactions", made.location()), &body).await.expect(201);
            }
        }
        for (sort, expected) in [
            ("last_interaction_on", ["Never", "New", "Old", "Fair", "Recent"]),
            ("-last_interaction_on", ["Recent", "Fair", "Old", "New", "Never"]),
            ("next_contact_on", ["Old", "Recent", "New", "Never", "Fair"]),
            ("-next_contact_on", ["Fair", "Never", "New", "Recent", "Old"]),
        ] {
            for limit in [1, 2, 50] {
                let all = ada.walk(&format!("/v1/contacts?sort={sort}&limit={limit}")).await;
                assert_eq!(names(&all), expected, "by {sort}, {limit} a page");
            }
        }
        for (query, expected) in [
            ("last_interaction_on=none", vec!["Never", "New"]),
            ("last_interaction_on[ne]=none", vec!["Recent", "Old", "Fair"]),
            ("last_interaction_on[lt]=2026-01-05", vec!["Old"]),
            ("last_interaction_on[lte]=2026-01-05", vec!["Old", "Fair"]),
            ("last_interaction_on[gte]=2026-01-05", vec!["Recent", "Fair"]),
            ("last_interaction_on=2026-01-05", vec!["Fair"]),
            ("next_contact_on[lte]=2026-03-13", vec!["Recent", "Old"]),
            ("next_contact_on[gt]=2026-03-13", vec!["New"]),
            ("next_contact_on=none", vec!["Never", "Fair"]),
        ] {
            let all = ada.walk(&format!("/v1/contacts?sort=id&{query}")).await;
            assert_eq!(names(&all), expected, "{query}");
        }
        for query in ["last_interaction_on=2026-02-30", "last_interaction_on[lt]=none", "next_contact_on[gte]=soon"] {
            ada.get(&format!("/v1/contacts?{query}")).await.problem(400, "invalid_parameter");
        }
        let cards = ada.get("/v1/contacts/cards?sort=next_contact_on&limit=1").await.expect(200);
        let card = &cards.items()[0];
        assert_eq!((&card["last_interaction_on"], &card["next_contact_on"]), (&json!("2025-06-01"), &json!("2025-07-01")));
        let edit = json!({"filter": {"last_interaction_on": "none"}, "add_tags": ["never"]});
        assert_eq!(ada.post("/v1/contacts/bulk", &edit).await.expect(200).body["matched"], 2);
    }

    async fn another_zone_moves_the_days_of_instants_and_no_others(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"tier": "core"})).await;
        let alan = contact(&ada, json!({"given_name": "Alan", "tier": "core"})).await;
        let log = async |contact: &Reply, body: Value| {
            ada.post(&format!("{}/interactions", contact.location()), &body).await.expect(201);
        };
        log(&grace, json!({"kind": "call", "occurred_at": "2026-01-31T11:00:00Z"})).await;
        log(&alan, json!({"kind": "call", "occurred_on": "2026-01-31"})).await;
        assert_eq!(due_on(&ada, &grace).await, "2026-03-02");
        let zone = async |zone: &str| ada.patch("/v1/workspace", &json!({"time_zone": zone})).await;
        let moved = zone("Pacific/Apia").await.expect(200);
        assert_eq!(moved.body["time_zone"], "Pacific/Apia");
        assert_eq!(activity(&ada, &grace).await["last_interaction_on"], "2026-02-01");
        assert_eq!(due_on(&ada, &grace).await, "2026-03-03");
        assert_eq!(due_on(&ada, &alan).await, "2026-03-02", "a day that was entered does not move");
        zone("UTC").await.expect(200);
        assert_eq!(due_on(&ada, &grace).await, "2026-03-02");
        let refused = zone("Mars/Olympus").await;
        refused.problem(422, "invalid");
        assert_eq!(refused.errors(), ["#/time_zone invalid_format"]);
    }

    async fn the_cadence_of_a_tier_is_a_setting_of_the_workspace(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"tier": "core"})).await;
        let own = contact(&ada, json!({"tier": "core", "cadence": {"every": 2, "unit": "day"}})).await;
        let patch = async |body: Value| ada.patch("/v1/workspace", &body).await;
        let shown = patch(json!({"tier_cadences": {"core": {"every": 1, "unit": "month"}}})).await.expect(200);
        assert_eq!(shown.body["tier_cadences"]["core"], json!({"every": 1, "unit": "month"}));
        assert_eq!(shown.body["tier_cadences"]["inner"], json!({"every": 14, "unit": "day"}));
        assert_eq!(ada.get("/v1/workspace").await.expect(200).body, shown.body);
        assert_eq!(ada.get("/v1/me").await.expect(200).body["workspace"], shown.body);
        assert_eq!(due_on(&ada, &grace).await, "2026-04-02");
        assert_eq!(due_on(&ada, &own).await, "2026-03-04");
        let me = ada.get("/v1/me").await.expect(200);
        patch(json!({"tier_cadences": {"core": null}})).await.expect(200);
        ada.get("/v1/me").if_none_match(&me.etag()).await.expect(200);
        assert_eq!(due_on(&ada, &grace).await, "2026-04-01", "null is the default again");
        for (body, error) in [
            (json!({"tier_cadences": {"core": {"every": 0}}}), "#/tier_cadences/core/every out_of_range"),
            (json!({"tier_cadences": {"best": {"every": 1, "unit": "day"}}}), "#/tier_cadences/best unknown_field"),
            (json!({"name": " "}), "#/name required"),
            (json!({"role": "viewer"}), "#/role read_only"),
        ] {
            let reply = patch(body.clone()).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [error], "{body}");
        }
    }
}
