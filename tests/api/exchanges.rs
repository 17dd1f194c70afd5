//! Exchanges over HTTP: what was given and received, thanks, balances, and what of it follow-ups, timelines, briefs and key
//! results tell.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

async fn exchange(client: &Client, contact: &str, direction: &str, on: &str) -> Reply {
    made(client, "/v1/exchanges", json!({"contact_id": contact, "direction": direction, "occurred_on": on})).await
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["contact"]["name"].as_str().unwrap()).collect()
}

on_both! {
    async fn an_exchange_has_defaults_and_is_checked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let own = exchange(&ada, &grace, "received", "2026-02-20").await;
        for (field, expected) in [("kind", json!("other")), ("weight", json!(3)), ("thanked_on", Value::Null), ("origin", json!("manual"))] {
            assert_eq!(own.body[field], expected, "{field}");
        }
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        let fields = |more: Value| {
            let mut body = json!({"contact_id": grace, "direction": "given", "occurred_on": "2026-02-20"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, expected) in [
            (fields(json!({"occurred_on": "2026-03-03"})), "#/occurred_on contradiction"),
            (fields(json!({"occurred_on": "2026-02"})), "#/occurred_on invalid_format"),
            (fields(json!({"thanked_on": "2026-02-19"})), "#/thanked_on contradiction"),
            (fields(json!({"thanked_on": "2026-03-03"})), "#/thanked_on contradiction"),
            (fields(json!({"weight": 6})), "#/weight out_of_range"),
            (fields(json!({"direction": "lent"})), "#/direction not_allowed"),
            (fields(json!({"origin": "follow_up"})), "#/origin read_only"),
            (fields(json!({"contact_id": me})), "#/contact_id not_allowed"),
            (fields(json!({"contact_id": own.id()})), "#/contact_id unknown_reference"),
            (fields(json!({"goal_id": own.id()})), "#/goal_id unknown_reference"),
        ] {
            assert_eq!(ada.post("/v1/exchanges", &body).await.expect(422).errors(), [expected], "{body}");
        }
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 1, "nothing else was written");
    }

    async fn lists_are_filtered_and_sorted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await.id();
        for (who, direction, kind, on, more) in [
            (&grace, "received", "advice", "2026-01-10", json!({"goal_id": goal, "description": "Read my zebra portfolio.\nTwice."})),
            (&grace, "given", "referral", "2026-02-10", json!({"thanked_on": "2026-02-11", "weight": 5})),
            (&alan, "mutual", "collaboration", "2026-02-20", json!({})),
        ] {
            let mut body = json!({"contact_id": who, "direction": direction, "kind": kind, "occurred_on": on});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            made(&ada, "/v1/exchanges", body).await;
        }
        let kinds = async |query: &str| -> Vec<String> {
            let found = ada.walk(&format!("/v1/exchanges?sort=-occurred_on&{query}")).await;
            found.iter().map(|own| own["kind"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds("").await, ["collaboration", "referral", "advice"]);
        for (query, expected) in [
            (format!("contact_id={grace}"), vec!["referral", "advice"]),
            ("direction=given&direction=mutual".to_owned(), vec!["collaboration", "referral"]),
            ("kind=advice".to_owned(), vec!["advice"]),
            ("weight[gte]=4".to_owned(), vec!["referral"]),
            ("occurred_on[gte]=2026-02-01&occurred_on[lt]=2026-02-20".to_owned(), vec!["referral"]),
            ("thanked=false".to_owned(), vec!["collaboration", "advice"]),
            ("thanked=true".to_owned(), vec!["referral"]),
            (format!("goal_id={goal}"), vec!["advice"]),
            ("q=zebra".to_owned(), vec!["advice"]),
        ] {
            assert_eq!(kinds(&query).await, expected, "{query}");
        }
        let nested = ada.get(&format!("/v1/contacts/{grace}/exchanges?include=contact&include=goal")).await.expect(200);
        assert_eq!(nested.items().len(), 2);
        assert!(nested.items().iter().all(|own| own["contact"]["name"] == "Grace"));
        let hit = &ada.get("/v1/search?q=zebra").await.expect(200).body["items"][0];
        assert_eq!((&hit["entity"], &hit["title"], &hit["subtitle"]), (&json!("exchange"), &json!("Read my zebra portfolio."), &json!("Grace")));
    }

    async fn reciprocity_fades_is_ordered_and_tells_who_is_owed_what(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan, joan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await, contact(&ada, "Joan").await);
        contact(&ada, "Nobody").await;
        exchange(&ada, &grace, "received", "2026-03-02").await;
        exchange(&ada, &grace, "received", "2025-03-02").await;
        exchange(&ada, &alan, "given", "2026-03-02").await;
        exchange(&ada, &joan, "mutual", "2026-03-02").await;
        let given = exchange(&ada, &joan, "given", "2026-03-01").await;
        let received = exchange(&ada, &joan, "received", "2026-03-01").await;
        ada.patch(&received.location(), &json!({"thanked_on": "2026-03-02"})).await.expect(200);

        let all = ada.get("/v1/reciprocity").await.expect(200);
        assert_eq!(names(all.items()), ["Grace", "Joan", "Alan"], "those from whom most was received first");
        assert_eq!(all.items()[0]["reciprocity"], json!({
            "balance": {"given": 0.0, "received": 4.5, "balance": -4.5}, "given_count": 0, "received_count": 2,
            "last_given_on": null, "last_received_on": "2026-03-02", "thanks_due": 2, "only_asked": true,
        }));
        let even = &all.items()[1]["reciprocity"];
        assert_eq!((&even["balance"]["balance"], &even["thanks_due"], &even["only_asked"]), (&json!(0.0), &json!(0), &json!(false)));
        for (query, expected) in [
            ("sort=-balance", vec!["Alan", "Joan", "Grace"]),
            ("thanks_due=true", vec!["Grace"]),
            ("only_asked=true", vec!["Grace"]),
            ("on=2025-12-31", vec!["Grace"]),
            ("on=2025-01-01", vec![]),
        ] {
            assert_eq!(names(ada.get(&format!("/v1/reciprocity?{query}")).await.expect(200).items()), expected, "{query}");
        }
        for sort in ["balance", "-balance"] {
            let whole = ada.get(&format!("/v1/reciprocity?sort={sort}")).await.expect(200);
            assert_eq!(ada.walk(&format!("/v1/reciprocity?limit=1&sort={sort}")).await, whole.items(), "{sort}");
        }
        for far in ["9999-12-31", "0001-01-01"] {
            ada.get(&format!("/v1/reciprocity?on={far}")).await.expect(200);
        }
        for bad in ["sort=name", "thanks_due=yes", "on=today", "limit=0", "cursor=x"] {
            ada.get(&format!("/v1/reciprocity?{bad}")).await.problem(400, if bad.starts_with("cursor") { "invalid_cursor" } else { "invalid_parameter" });
        }
        let brief = async |who: &str| ada.get(&format!("/v1/contacts/{who}/brief")).await.expect(200).body["reciprocity"].clone();
        assert_eq!(brief(&grace).await, all.items()[0]["reciprocity"]);
        assert_eq!(brief(&contact(&ada, "New").await).await, Value::Null);
        ada.delete(&given.location()).await.expect(204);
        assert_eq!(brief(&joan).await["balance"]["balance"], json!(-2.994));
    }

    async fn thanks_that_are_due_are_in_today_until_they_are_said(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let thanks = async || ada.get("/v1/today").await.expect(200).body["thanks"].clone();
        assert_eq!(thanks().await["total"], 0);
        exchange(&ada, &grace, "given", "2026-02-20").await;
        let body = json!({"contact_id": grace, "direction": "received", "occurred_on": "2026-02-20", "description": "An introduction to Alan"});
        let received = made(&ada, "/v1/exchanges", body).await;
        let due = thanks().await;
        assert_eq!(due["items"][0]["reason"], json!({
            "code": "thanks_due", "params": {"name": "Grace", "days": -10}, "detail": "Thank Grace: An introduction to Alan.",
        }));
        assert_eq!((&due["total"], &due["items"][0]["contact"]["name"]), (&json!(1), &json!("Grace")));
        let list = due["list"].as_str().unwrap();
        assert_eq!(ada.walk(list).await, [due["items"][0]["exchange"].clone()]);
        ada.patch(&received.location(), &json!({"thanked_on": "2026-03-02"})).await.expect(200);
        assert_eq!(thanks().await["total"], 0);
    }

    async fn completing_a_follow_up_may_log_an_exchange(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await.id();
        let follow_up = async |fields: Value| {
            let mut body = json!({"title": "Send the slides", "contact_ids": [grace]});
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            made(&ada, "/v1/follow-ups", body).await
        };
        let own = follow_up(json!({"kind": "send_resource", "goal_id": goal})).await;
        let complete = format!("{}/complete", own.location());
        let done = ada.post(&complete, &json!({"interaction": {"kind": "email"}, "exchange": {"weight": 2}})).await.expect(200);
        let logged = &done.body["exchange"];
        for (field, expected) in [
            ("contact_id", json!(grace)), ("direction", json!("given")), ("kind", json!("resource")), ("weight", json!(2)),
            ("description", json!("Send the slides")), ("occurred_on", json!("2026-03-02")), ("goal_id", json!(goal)),
            ("interaction_id", done.body["interaction"]["id"].clone()), ("origin", json!("follow_up")),
        ] {
            assert_eq!(logged[field], expected, "{field}");
        }
        let again = ada.post(&complete, &json!({"exchange": {}})).await.expect(200);
        assert_eq!((&again.body["exchange"], ada.walk("/v1/exchanges").await.len()), (&Value::Null, 1), "it is done already");

        let promised = follow_up(json!({"owed_by": "them"})).await;
        let id = "01939d5e-8c00-7000-8000-0000000000ee";
        let body = json!({"exchange": {"id": id, "kind": "time"}});
        for _ in 0..2 {
            let done = ada.post(&format!("{}/complete", promised.location()), &body).await.expect(200);
            assert_eq!((&done.body["exchange"]["id"], &done.body["exchange"]["direction"]), (&json!(id), &json!("received")));
        }
        let write = done.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(ada.get(&own.location()).await.expect(200).body["status"], "pending");
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 1, "the exchange went with it");

        let both = follow_up(json!({"contact_ids": [grace, alan]})).await;
        let refused = ada.post(&format!("{}/complete", both.location()), &json!({"exchange": {}})).await.expect(422);
        assert_eq!(refused.errors(), ["#/exchange/contact_id required"]);
        assert_eq!(ada.get(&both.location()).await.expect(200).body["status"], "pending");
        let one = ada.post(&format!("{}/complete", both.location()), &json!({"exchange": {"contact_id": alan}})).await.expect(200);
        assert_eq!(one.body["exchange"]["contact_id"], json!(alan));
    }

    async fn an_exchange_goes_with_its_contact_and_outlives_what_it_is_linked_to(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        let call = made(&ada, "/v1/interactions", json!({"contact_ids": [grace, alan], "kind": "call", "occurred_on": "2026-02-20"})).await;
        let body = json!({"contact_id": grace, "direction": "received", "occurred_on": "2026-02-20", "goal_id": goal.id(), "interaction_id": call.id()});
        let own = made(&ada, "/v1/exchanges", body).await;
        let timeline = ada.walk(&format!("/v1/contacts/{grace}/timeline?kind=exchange")).await;
        assert_eq!((timeline.len(), &timeline[0]["on"], &timeline[0]["data"]["exchange"]["id"]), (1, &json!("2026-02-20"), &json!(own.id())));

        ada.delete(&goal.location()).await.expect(204);
        ada.delete(&call.location()).await.expect(204);
        let left = ada.get(&own.location()).await.expect(200);
        assert_eq!((&left.body["goal_id"], &left.body["interaction_id"]), (&Value::Null, &Value::Null));
        ada.post_nothing(&format!("{}/restore", call.location())).await.expect(200);
        assert_eq!(ada.get(&own.location()).await.expect(200).body["interaction_id"], json!(call.id()));

        ada.delete(&format!("/v1/contacts/{grace}")).await.expect(204);
        ada.get(&own.location()).await.expect(404);
        ada.post_nothing(&format!("/v1/contacts/{grace}/restore")).await.expect(200);
        ada.get(&own.location()).await.expect(200);
        exchange(&ada, &alan, "given", "2026-02-21").await;
        ada.post("/v1/contacts/merge", &json!({"keep_id": alan, "merge_ids": [grace]})).await.expect(200);
        assert_eq!(ada.walk(&format!("/v1/exchanges?contact_id={alan}")).await.len(), 2);
        assert_eq!(ada.walk("/v1/reciprocity").await.len(), 1);
    }

    async fn key_results_count_what_was_given_and_received(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        ada.patch(&format!("/v1/contacts/{grace}"), &json!({"add_tags": ["climate"]})).await.expect(200);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move", "started_on": "2026-02-01", "due_on": "2026-12-31"})).await;
        for (who, direction, on, goal_id) in [
            (&grace, "given", "2026-02-01", json!(goal.id())),
            (&grace, "mutual", "2026-02-02", Value::Null),
            (&alan, "given", "2026-02-03", Value::Null),
            (&alan, "received", "2026-03-02", Value::Null),
            (&alan, "given", "2026-01-31", json!(goal.id())),
        ] {
            made(&ada, "/v1/exchanges", json!({"contact_id": who, "direction": direction, "occurred_on": on, "goal_id": goal_id})).await;
        }
        for (metric, filter, expected) in [
            ("value_given", json!({}), 3),
            ("value_received", json!({}), 2),
            ("value_given", json!({"tag": "Climate"}), 2),
            ("value_given", json!({"linked": true}), 1),
            ("value_received", json!({"linked": true}), 0),
        ] {
            let body = json!({"goal_id": goal.id(), "title": metric, "metric": metric, "target_value": 10, "filter": filter});
            let key_result = made(&ada, "/v1/key-results", body).await;
            let progress = ada.get(&format!("{}/progress", goal.location())).await.expect(200);
            let of = progress.body["key_results"].as_array().unwrap().iter().find(|one| one["key_result"]["id"] == key_result.id());
            assert_eq!(of.unwrap()["count"], expected, "{metric} {filter}");
            let records = ada.walk(&format!("{}/records?limit=1", key_result.location())).await;
            assert_eq!(records.len(), expected, "{metric} {filter}");
        }
    }
}
