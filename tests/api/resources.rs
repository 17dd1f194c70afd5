//! Resources over HTTP: what is on the shelf, whom it suits and why, and what sharing it logs.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

async fn wish(client: &Client, contact: &str, kind: &str, topic: &str) -> Reply {
    made(client, "/v1/needs", json!({"contact_id": contact, "kind": kind, "topic": topic})).await
}

async fn resource(client: &Client, title: &str, topics: &[&str]) -> Reply {
    made(client, "/v1/resources", json!({"title": title, "topics": topics})).await
}

/// `[contact, score, [[need, shared words], …]]` of every item.
fn told(reply: &Reply) -> Value {
    let items = reply.items().iter().map(|item| {
        let reasons = item["reasons"].as_array().unwrap().iter();
        let reasons: Vec<Value> =
            reasons.map(|reason| json!([reason["need"]["topic"], reason["shared"]])).collect();
        let what = if item["contact"].is_object() { &item["contact"]["name"] } else { &item["resource"]["title"] };
        json!([what, item["score"], reasons])
    });
    items.collect()
}

/// How many records of these kinds there are.
async fn counts(client: &Client) -> [usize; 2] {
    [client.walk("/v1/interactions").await.len(), client.walk("/v1/exchanges").await.len()]
}

on_both! {
    async fn a_resource_has_defaults_and_is_checked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = made(&ada, "/v1/resources", json!({"title": "  A book  ", "url": "example.org/book", "topics": ["Rust", "rust", " hiring "]})).await;
        for (field, expected) in [
            ("title", json!("A book")), ("url", json!("https://example.org/book")), ("kind", json!("article")),
            ("topics", json!(["Rust", "hiring"])), ("note", Value::Null), ("event_id", Value::Null),
        ] {
            assert_eq!(own.body[field], expected, "{field}");
        }
        for (body, expected) in [
            (json!({}), "#/title required"),
            (json!({"title": " "}), "#/title too_short"),
            (json!({"title": "A", "url": "ftp://example.org"}), "#/url not_allowed"),
            (json!({"title": "A", "kind": "film"}), "#/kind not_allowed"),
            (json!({"title": "A", "topics": ["rust", " "]}), "#/topics/1 too_short"),
            (json!({"title": "A", "topics": vec!["a"; 21]}), "#/topics too_long"),
            (json!({"title": "A", "event_id": own.id()}), "#/event_id unknown_reference"),
        ] {
            assert_eq!(ada.post("/v1/resources", &body).await.expect(422).errors(), [expected], "{body}");
        }
        assert_eq!(ada.walk("/v1/resources").await.len(), 1, "nothing else was written");
    }

    async fn the_shelf_is_filtered_and_searched(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let event = made(&ada, "/v1/events", json!({"title": "RustConf", "starts_on": "2026-02-20"})).await;
        made(&ada, "/v1/resources", json!({"title": "Hiring well", "topics": ["hiring engineers"], "event_id": event.id()})).await;
        let tool = made(&ada, "/v1/resources", json!({"title": "Clippy", "kind": "tool", "topics": ["rust"], "note": "Finds zebras."})).await;
        ada.post(&format!("{}/share", tool.location()), &json!({"contact_ids": [grace]})).await.expect(200);
        for (query, expected) in [
            ("kind=tool".to_owned(), vec!["Clippy"]),
            ("topic=engineers%20hiring".to_owned(), vec!["Hiring well"]),
            ("topic=hiring%20rust".to_owned(), vec![]),
            (format!("event_id={}", event.id()), vec!["Hiring well"]),
            (format!("shared_with={grace}"), vec!["Clippy"]),
            (format!("shared_with[ne]={grace}"), vec!["Hiring well"]),
            ("q=zebras".to_owned(), vec!["Clippy"]),
        ] {
            let found = ada.walk(&format!("/v1/resources?{query}")).await;
            let titles: Vec<&str> = found.iter().map(|own| own["title"].as_str().unwrap()).collect();
            assert_eq!(titles, expected, "{query}");
        }
        let hit = &ada.get("/v1/search?q=zebras&types=resource").await.expect(200).body["items"][0];
        assert_eq!((&hit["entity"], &hit["title"]), (&json!("resource"), &json!("Clippy")));
        let shown = ada.get(&format!("/v1/exchanges?resource_id={}&include=resource", tool.id())).await.expect(200);
        assert_eq!(shown.items()[0]["resource"]["title"], "Clippy");

        ada.delete(&event.location()).await.expect(204);
        assert_eq!(ada.walk("/v1/resources?q=hiring").await[0]["event_id"], Value::Null, "what was found there stays");
        ada.delete(&tool.location()).await.expect(204);
        assert_eq!(ada.walk("/v1/exchanges").await[0]["resource_id"], Value::Null, "what was given stays");
        ada.post(&format!("{}/restore", tool.location()), &json!({})).await.expect(200);
        assert_eq!(ada.walk("/v1/exchanges").await[0]["resource_id"], tool.body["id"], "it is linked again");
    }

    async fn the_audience_are_those_whose_needs_and_interests_it_meets(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        let (grace, lin, max) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await, contact(&ada, "Max").await);
        let (gone, silent) = (contact(&ada, "Gone").await, contact(&ada, "Silent").await);
        wish(&ada, &grace, "interest", "Rust").await;
        wish(&ada, &grace, "need", "hiring rust engineers").await;
        wish(&ada, &lin, "need", "engineers in Poland").await;
        wish(&ada, &max, "offer", "rust").await;
        let met = wish(&ada, &max, "need", "rust").await;
        ada.patch(&met.location(), &json!({"status": "met"})).await.expect(200);
        for (who, field, value) in [(&gone, "archived_at", json!("2026-03-01T09:00:00Z")), (&silent, "do_not_contact", json!(true))] {
            wish(&ada, who, "interest", "rust engineers").await;
            ada.patch(&format!("/v1/contacts/{who}"), &json!({field: value})).await.expect(200);
        }
        wish(&ada, &me, "interest", "rust").await;
        let own = resource(&ada, "A guide", &["Rust engineers"]).await;
        resource(&ada, "Another guide", &["gardening"]).await;
        let audience = format!("{}/audience", own.location());

        let found = ada.get(&audience).await.expect(200);
        assert_eq!(told(&found), json!([
            ["Grace", 100, [["Rust", ["rust"]], ["hiring rust engineers", ["rust", "engineers"]]]],
            ["Lin", found.items()[1]["score"], [["engineers in Poland", ["engineers"]]]],
        ]), "{found}");
        assert!((1..100).contains(&found.items()[1]["score"].as_i64().unwrap()));
        assert!(found.items().iter().all(|item| item["had_on"].is_null()));
        let first = ada.get(&format!("{audience}?limit=1")).await.expect(200);
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let second = ada.get(&format!("{audience}?limit=1&cursor={cursor}")).await.expect(200);
        assert_eq!((told(&first)[0][0].as_str(), told(&second)[0][0].as_str()), (Some("Grace"), Some("Lin")));
        assert_eq!(second.body["next_cursor"], Value::Null);

        let of = async |who: &str, query: &str| told(&ada.get(&format!("/v1/contacts/{who}/resources{query}")).await.expect(200));
        assert_eq!(of(&grace, "").await, json!([["A guide", 100, [["Rust", ["rust"]], ["hiring rust engineers", ["rust", "engineers"]]]]]));
        for nobody in [&max, &gone, &silent] {
            assert_eq!(of(nobody, "").await, json!([]));
        }

        ada.post(&format!("{}/share", own.location()), &json!({"contact_ids": [grace, max]})).await.expect(200);
        assert_eq!(told(&ada.get(&audience).await.expect(200)).as_array().map(Vec::len), Some(1), "Grace has had it");
        let had = ada.get(&format!("{audience}?had=true")).await.expect(200);
        assert_eq!(told(&had)[0], json!(["Max", null, []]), "whether it fits or not");
        assert_eq!((&told(&had)[1][0], &had.items()[1]["had_on"]), (&json!("Grace"), &json!("2026-03-02")));
        assert_eq!(of(&grace, "").await, json!([]));
        assert_eq!(of(&grace, "?had=true").await[0][0], "A guide");
        ada.get(&format!("{audience}?had=some")).await.problem(400, "invalid_parameter");
        ada.get(&format!("{audience}?sort=id")).await.problem(400, "unknown_parameter");
    }

    async fn sharing_logs_an_interaction_and_an_exchange_with_each_in_one_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await.id();
        let own = made(&ada, "/v1/resources", json!({"title": "A guide", "url": "https://example.org/guide"})).await;
        let path = format!("{}/share", own.location());
        let shared = ada.post(&path, &json!({"contact_ids": [grace, lin, grace]})).await.expect(200);
        let interaction = &shared.body["interaction"];
        for (field, expected) in [
            ("contact_ids", json!([grace, lin])), ("kind", json!("message")), ("direction", json!("outbound")),
            ("subject", json!("A guide")), ("url", json!("https://example.org/guide")), ("occurred_at", json!("2026-03-02T09:00:00Z")),
        ] {
            assert_eq!(interaction[field], expected, "{field}");
        }
        let exchanges = shared.body["exchanges"].as_array().unwrap();
        assert_eq!(exchanges.len(), 2);
        for (exchange, who) in exchanges.iter().zip([&grace, &lin]) {
            for (field, expected) in [
                ("contact_id", json!(who)), ("direction", json!("given")), ("kind", json!("resource")), ("weight", json!(3)),
                ("description", json!("A guide")), ("occurred_on", json!("2026-03-02")), ("resource_id", own.body["id"].clone()),
                ("interaction_id", interaction["id"].clone()), ("goal_id", Value::Null), ("origin", json!("share")),
            ] {
                assert_eq!(exchange[field], expected, "{field}");
            }
        }
        let timeline = ada.get(&format!("/v1/contacts/{grace}/timeline")).await.expect(200);
        assert_eq!(timeline.items().len(), 1, "the interaction stands for both");
        let write = shared.header("Wellmet-Write").unwrap();
        ada.post(&format!("/v1/changes/{write}/revert"), &json!({})).await.expect(200);
        assert_eq!(counts(&ada).await, [0, 0], "one revert undoes it");

        let ids = ["01939d5e-8c00-7000-8000-0000000000f1", "01939d5e-8c00-7000-8000-0000000000f2"];
        let said = json!({
            "contact_ids": [lin], "exchange_ids": [ids[1]],
            "interaction": {"id": ids[0], "kind": "email", "occurred_on": "2026-02-20", "goal_ids": [goal]},
        });
        let first = ada.post(&path, &said).await.expect(200);
        let exchange = &first.body["exchanges"][0];
        assert_eq!((&first.body["interaction"]["id"], &exchange["id"]), (&json!(ids[0]), &json!(ids[1])));
        assert_eq!((&exchange["occurred_on"], &exchange["goal_id"]), (&json!("2026-02-20"), &json!(goal)));
        let again = ada.post(&path, &said).await.expect(200);
        assert_eq!((&again.body, again.header("Wellmet-Write")), (&first.body, None), "it is logged once");
        let other = resource(&ada, "Another", &[]).await;
        ada.post(&format!("{}/share", other.location()), &said).await.problem(409, "id_taken");
        assert_eq!(counts(&ada).await, [1, 1]);
    }

    async fn what_cannot_be_shared_is_refused_and_nothing_is_logged(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, silent) = (contact(&ada, "Grace").await, contact(&ada, "Silent").await);
        ada.patch(&format!("/v1/contacts/{silent}"), &json!({"do_not_contact": true})).await.expect(200);
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let own = resource(&ada, "A guide", &[]).await;
        let path = format!("{}/share", own.location());
        for (body, expected) in [
            (json!({"contact_ids": [grace, silent]}), "#/contact_ids/1 not_allowed"),
            (json!({"contact_ids": [me]}), "#/contact_ids/0 not_allowed"),
            (json!({"contact_ids": [grace, own.id()]}), "#/contact_ids/1 unknown_reference"),
            (json!({"contact_ids": []}), "#/contact_ids too_short"),
            (json!({}), "#/contact_ids required"),
            (json!({"contact_ids": [grace], "exchange_ids": [grace, silent]}), "#/exchange_ids contradiction"),
            (json!({"contact_ids": [grace], "interaction": {"status": "planned"}}), "#/interaction/status not_allowed"),
            (json!({"contact_ids": [grace], "interaction": {"occurred_on": "2026-03-03"}}), "#/interaction/occurred_on contradiction"),
            (json!({"contact_ids": [grace], "interaction": {"kind": "pigeon"}}), "#/interaction/kind not_allowed"),
            (json!({"contact_ids": [grace], "interaction": {"goal_ids": [own.id()]}}), "#/interaction/goal_ids/0 unknown_reference"),
        ] {
            assert_eq!(ada.post(&path, &body).await.expect(422).errors(), [expected], "{body}");
        }
        let refused = ada.post(&path, &json!({"contact_ids": [silent]})).await.expect(422);
        assert!(refused.body["errors"][0]["detail"].as_str().unwrap().contains("do_not_contact"), "{refused}");
        assert_eq!(counts(&ada).await, [0, 0], "nothing is half done");
    }
}
