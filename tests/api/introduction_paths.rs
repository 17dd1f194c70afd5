//! Introduction paths over HTTP: who can introduce the networker, why, and what it costs in a large network.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> String {
    client.post(path, &body).await.expect(201).id()
}

async fn contact(client: &Client, name: &str, more: Value) -> String {
    let mut body = json!({"given_name": name});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(client, "/v1/contacts", body).await
}

async fn tie(client: &Client, from: &str, to: &str, kind: &str) -> String {
    made(client, "/v1/relationships", json!({"contact_id": from, "related_contact_id": to, "type": kind})).await
}

async fn work(client: &Client, who: &str, at: &str, since: &str, until: Value) {
    let body = json!({"contact_id": who, "organization_id": at, "started_on": since, "ended_on": until});
    made(client, "/v1/positions", body).await;
}

async fn me(client: &Client) -> String {
    client.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned()
}

async fn paths(client: &Client, to: &str) -> Vec<Value> {
    client.get(&format!("/v1/introductions/paths?to={to}")).await.expect(200).items().to_vec()
}

/// The names on each path.
fn names(paths: &[Value]) -> Vec<Vec<&str>> {
    paths
        .iter()
        .map(|path| {
            path["hops"].as_array().unwrap().iter().map(|hop| hop["contact"]["name"].as_str().unwrap()).collect()
        })
        .collect()
}

on_both! {
    async fn paths_go_over_relationships_and_colleagues(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = me(&ada).await;
        let target = contact(&ada, "Target", json!({"known": false})).await;
        assert!(paths(&ada, &target).await.is_empty());
        let (grace, alan, joan) = (contact(&ada, "Grace", json!({})).await, contact(&ada, "Alan", json!({})).await, contact(&ada, "Joan", json!({})).await);
        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        tie(&ada, &own, &grace, "report").await;
        tie(&ada, &grace, &target, "mentor").await;
        work(&ada, &own, &acme, "2019", json!("2021")).await;
        work(&ada, &alan, &acme, "2021-12", Value::Null).await;
        work(&ada, &joan, &acme, "2022", Value::Null).await;
        tie(&ada, &alan, &target, "friend").await;
        let found = paths(&ada, &target).await;
        assert_eq!(names(&found).len(), 2, "{found:?}");
        let of_grace = found.iter().find(|path| path["hops"][0]["contact"]["name"] == "Grace").unwrap();
        assert_eq!(of_grace["hops"][0]["reason"], json!({
            "code": "relationship", "relationship": "report", "organization_id": null, "detail": "You are the report of Grace.",
        }));
        assert_eq!(of_grace["hops"][1]["reason"]["detail"], "Grace is the mentor of Target.");
        let of_alan = found.iter().find(|path| path["hops"][0]["contact"]["name"] == "Alan").unwrap();
        assert_eq!(of_alan["hops"][0]["reason"], json!({
            "code": "shared_organization", "relationship": null, "organization_id": acme, "detail": "You and Alan were at Acme at the same time.",
        }));
        let last = json!({"contact_ids": [alan], "kind": "call", "occurred_on": "2026-03-01"});
        made(&ada, "/v1/interactions", last).await;
        assert_eq!(names(&paths(&ada, &target).await), [vec!["Alan", "Target"], vec!["Grace", "Target"]], "whom you were in touch with last");

        for (id, change) in [(&alan, json!({"archived_at": "2026-03-01T00:00:00Z"})), (&grace, json!({"do_not_contact": true}))] {
            ada.patch(&format!("/v1/contacts/{id}"), &change).await.expect(200);
        }
        assert!(paths(&ada, &target).await.is_empty(), "nobody goes through them");
        ada.patch(&format!("/v1/contacts/{alan}"), &json!({"archived_at": null})).await.expect(200);
        tie(&ada, &own, &joan, "friend").await;
        let other = contact(&ada, "Other", json!({"known": false})).await;
        tie(&ada, &joan, &other, "friend").await;
        let far = contact(&ada, "Far", json!({})).await;
        tie(&ada, &target, &far, "friend").await;
        tie(&ada, &other, &far, "friend").await;
        assert!(paths(&ada, &far).await.is_empty(), "strangers do not introduce");
        ada.patch(&format!("/v1/contacts/{target}"), &json!({"known": true})).await.expect(200);
        assert_eq!(names(&paths(&ada, &far).await), [vec!["Alan", "Target", "Far"]], "three hops");
        let most = contact(&ada, "Most", json!({})).await;
        tie(&ada, &far, &most, "friend").await;
        assert!(paths(&ada, &most).await.is_empty(), "four are too many");
    }

    async fn a_path_to_an_organization_leads_to_who_is_there(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = me(&ada).await;
        let (grace, alan, old) = (contact(&ada, "Grace", json!({})).await, contact(&ada, "Alan", json!({"known": false})).await, contact(&ada, "Old", json!({})).await);
        let zenith = made(&ada, "/v1/organizations", json!({"name": "Zenith"})).await;
        work(&ada, &alan, &zenith, "2024", Value::Null).await;
        work(&ada, &old, &zenith, "2014", json!("2020")).await;
        tie(&ada, &own, &grace, "friend").await;
        tie(&ada, &grace, &alan, "client").await;
        tie(&ada, &grace, &old, "friend").await;
        assert_eq!(names(&paths(&ada, &zenith).await), [vec!["Grace", "Alan"]]);
        tie(&ada, &own, &alan, "friend").await;
        assert_eq!(names(&paths(&ada, &zenith).await), [vec!["Alan"], vec!["Grace", "Alan"]], "the shortest first");
    }

    async fn a_large_organization_ties_nobody(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = me(&ada).await;
        let huge = made(&ada, "/v1/organizations", json!({"name": "Huge"})).await;
        work(&ada, &own, &huge, "2019", Value::Null).await;
        let target = contact(&ada, "Target", json!({})).await;
        work(&ada, &target, &huge, "2020", Value::Null).await;
        assert_eq!(names(&paths(&ada, &target).await), [vec!["Target"]]);
        let add = |n: usize| {
            let id = format!("01939d5e-8c00-7000-8000-0000000{n:05x}");
            [
                json!({"method": "POST", "path": "/v1/contacts", "body": {"id": id, "given_name": format!("N{n}")}}),
                json!({"method": "POST", "path": "/v1/positions", "body": {"contact_id": id, "organization_id": huge, "started_on": "2020"}}),
            ]
        };
        for start in [0, 50, 100, 150] {
            let operations: Vec<Value> = (start..start + 50).flat_map(add).collect();
            ada.post("/v1/batch", &json!({"atomic": true, "operations": operations})).await.expect(207);
        }
        assert!(paths(&ada, &target).await.is_empty());
    }

    async fn a_path_to_nobody_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for query in ["", "?to=", "?to=x", "?to=01939d5e-8c00-7000-8000-00000000dead"] {
            ada.get(&format!("/v1/introductions/paths{query}")).await.problem(400, "invalid_parameter");
        }
        let bob = server.register("bob@example.com").await;
        let his = contact(&bob, "His", json!({})).await;
        ada.get(&format!("/v1/introductions/paths?to={his}")).await.problem(400, "invalid_parameter");
    }
}
