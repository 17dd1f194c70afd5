//! Timelines: what stands in them, in which order, page by page, and that they follow every change.

use serde_json::{Value, json};

use crate::support::*;

/// The kind of each entry, and its time or day.
fn shown(items: &[Value]) -> Vec<(&str, &str)> {
    let when = |item: &Value| item["at"].as_str().or_else(|| item["on"].as_str()).is_some();
    assert!(items.iter().all(when), "each has a time or a day");
    items
        .iter()
        .map(|item| {
            (item["kind"].as_str().unwrap(), item["at"].as_str().unwrap_or_else(|| item["on"].as_str().unwrap()))
        })
        .collect()
}

async fn contact(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201)
}

on_both! {
    async fn an_entry_says_on_which_day_of_the_workspace_and_with_whom(server: TestServer) {
        let ada = server.register_in("ada@example.com", "Pacific/Auckland").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let both = json!([alan.id(), grace.id()]);
        let log = async |body: Value| ada.post("/v1/interactions", &body).await.expect(201);
        log(json!({"contact_ids": both, "kind": "coffee", "occurred_at": "2026-02-20T12:00:00Z"})).await;
        log(json!({"contact_ids": [grace.id()], "kind": "call", "occurred_on": "2026-02-19"})).await;
        let position = json!({"contact_id": grace.id(), "organization_name": "Acme", "started_on": "2019-04"});
        ada.post("/v1/positions", &position).await.expect(201);

        let timeline = ada.get("/v1/timeline").await.expect(200);

        let told: Vec<(&Value, &Value, Vec<&str>)> = timeline
            .items()
            .iter()
            .map(|item| {
                let contacts = item["contacts"].as_array().unwrap().iter();
                (&item["at"], &item["on"], contacts.map(|card| card["name"].as_str().unwrap()).collect())
            })
            .collect();
        assert_eq!(told, [
            (&json!("2026-02-20T12:00:00Z"), &json!("2026-02-21"), vec!["Alan", "Grace"]),
            (&Value::Null, &json!("2026-02-19"), vec!["Grace"]),
            (&Value::Null, &json!("2019-04"), vec!["Grace"]),
        ]);
    }

    async fn what_happened_is_listed_newest_first_page_by_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let log = async |body: Value| ada.post("/v1/interactions", &body).await.expect(201);
        let both = json!([grace.id(), alan.id()]);
        log(json!({"contact_ids": both, "kind": "coffee", "occurred_at": "2026-02-20T10:00:00Z"})).await;
        log(json!({"contact_ids": both, "kind": "call", "occurred_on": "2026-02-20"})).await;
        log(json!({"contact_ids": [alan.id()], "kind": "email", "occurred_at": "2026-02-25T10:00:00Z"})).await;
        log(json!({"contact_ids": both, "kind": "call", "status": "planned", "occurred_on": "2026-04-20"})).await;
        let position = async |body: Value| ada.post(&format!("{}/positions", grace.location()), &body).await.expect(201);
        position(json!({"title": "CTO", "started_on": "2021-04", "ended_on": "2025"})).await;
        position(json!({"title": "Sailor", "started_on": "2025-12-31", "ended_on": "2025-12-31"})).await;
        position(json!({"title": "Admiral", "started_on": "2027", "ended_on": null})).await;
        position(json!({"title": "Mate", "started_on": "2026-02", "ended_on": "2026"})).await;
        let of_grace = [
            ("interaction", "2026-02-20"),
            ("interaction", "2026-02-20T10:00:00Z"),
            ("position_started", "2026-02"),
            ("position_started", "2025-12-31"),
            ("position_ended", "2025-12-31"),
            ("position_ended", "2025"),
            ("position_started", "2021-04"),
        ];
        let own = format!("{}/timeline", grace.location());
        for limit in [1, 2, 3, 50] {
            let all = ada.walk(&format!("{own}?limit={limit}")).await;
            assert_eq!(shown(&all), of_grace, "{limit} a page");
            let all = ada.walk(&format!("/v1/timeline?limit={limit}")).await;
            let expected = [[("interaction", "2026-02-25T10:00:00Z")].as_slice(), &of_grace].concat();
            assert_eq!(shown(&all), expected, "each once, {limit} a page");
        }
        let first = ada.get(&format!("{own}?limit=1")).await.expect(200).items()[0].clone();
        assert_eq!((&first["at"], &first["data"]["interaction"]["kind"]), (&Value::Null, &json!("call")));
        for (query, expected) in [
            ("kind=position_ended", vec!["2025-12-31", "2025"]),
            ("kind=interaction&kind=position_ended", vec!["2026-02-20", "2026-02-20T10:00:00Z", "2025-12-31", "2025"]),
        ] {
            let all = ada.walk(&format!("{own}?limit=1&{query}")).await;
            assert_eq!(shown(&all).into_iter().map(|(_, when)| when).collect::<Vec<_>>(), expected, "{query}");
        }
        for query in ["kind=planned", "limit=0", "cursor=x", "sort=id"] {
            ada.get(&format!("{own}?{query}")).await.expect(400);
        }
        let bob = server.register("bob@example.com").await;
        bob.get(&own).await.expect(404);
        assert!(bob.walk("/v1/timeline").await.is_empty());
        ada.get(&own).if_none_match(&ada.get(&own).await.expect(200).etag()).await.expect(304);
    }

    async fn a_completed_follow_up_is_in_the_timeline_until_it_is_reopened(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let body = json!({"title": "Send the slides", "contact_ids": [grace.id()], "due_on": "2026-03-02"});
        let follow_up = ada.post("/v1/follow-ups", &body).await.expect(201);
        let own = format!("{}/timeline", grace.location());
        assert!(ada.walk(&own).await.is_empty());

        ada.post_nothing(&format!("{}/complete", follow_up.location())).await.expect(200);
        let all = ada.walk(&own).await;
        assert_eq!(shown(&all), [("follow_up_completed", "2026-03-02T09:00:00Z")]);
        assert_eq!(all[0]["data"]["follow_up"]["id"], json!(follow_up.id()));

        ada.patch(&follow_up.location(), &json!({"status": "pending"})).if_match("*").await.expect(200);
        assert!(ada.walk(&own).await.is_empty());
    }

    async fn it_follows_every_change_and_its_undo(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let body = json!({"contact_ids": [grace.id()], "kind": "call", "occurred_on": "2026-02-20"});
        let call = ada.post("/v1/interactions", &body).await.expect(201);
        let days = async |contact: &Reply| -> Vec<String> {
            let all = ada.walk(&format!("{}/timeline", contact.location())).await;
            all.iter().map(|item| item["on"].as_str().unwrap().to_owned()).collect()
        };
        let patch = async |body: Value| ada.patch(&call.location(), &body).if_match("*").await.expect(200);
        patch(json!({"occurred_on": "2026-02-21", "contact_ids": [grace.id(), alan.id()]})).await;
        assert_eq!((days(&grace).await, days(&alan).await), (vec!["2026-02-21".to_owned()], vec!["2026-02-21".to_owned()]));
        patch(json!({"contact_ids": [alan.id()]})).await;
        assert_eq!(days(&grace).await, Vec::<String>::new());
        let merged = ada.post("/v1/contacts/merge", &json!({"keep_id": grace.id(), "merge_ids": [alan.id()]})).await.expect(200);
        assert_eq!(days(&grace).await, ["2026-02-21"]);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!((days(&grace).await, days(&alan).await), (vec![], vec!["2026-02-21".to_owned()]));
        patch(json!({"status": "cancelled"})).await;
        assert_eq!(ada.walk("/v1/timeline").await.len(), 0);
        patch(json!({"status": "planned"})).await;
        patch(json!({"status": "happened"})).await;
        ada.delete(&alan.location()).await.expect(204);
        assert_eq!(ada.walk("/v1/timeline").await.len(), 0);
        ada.post_nothing(&format!("{}/restore", alan.location())).await.expect(200);
        assert_eq!(days(&alan).await, ["2026-02-21"]);
        assert_eq!(ada.walk("/v1/timeline").await.len(), 1);
    }

    async fn interactions_are_found_by_the_organization_of_their_people(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let navy = ada.post("/v1/organizations", &json!({"name": "Navy"})).await.expect(201);
        let position = json!({"organization_id": navy.id(), "title": "Admiral"});
        ada.post(&format!("{}/positions", grace.location()), &position).await.expect(201);
        for (who, subject) in [(vec![&grace], "One"), (vec![&alan], "Two"), (vec![&alan, &grace], "Three")] {
            let ids: Vec<String> = who.iter().map(|contact| contact.id()).collect();
            let body = json!({"contact_ids": ids, "kind": "call", "occurred_on": "2026-02-20", "subject": subject});
            ada.post("/v1/interactions", &body).await.expect(201);
        }
        let subjects = async |query: String| -> Vec<String> {
            let all = ada.walk(&format!("/v1/interactions?sort=id&limit=1&{query}")).await;
            all.iter().map(|item| item["subject"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(subjects(format!("organization_id={}", navy.id())).await, ["One", "Three"]);
        assert_eq!(subjects(format!("organization_id[ne]={}", navy.id())).await, ["Two"]);
        assert_eq!(subjects(format!("organization_id={}", grace.id())).await, Vec::<String>::new());
    }
}
