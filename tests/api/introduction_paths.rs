//! Introduction paths over HTTP: who can introduce the networker, why, and what it costs in a large network.

use serde_json::{Value, json};
use uuid::Uuid;
use wellmet::domain::contact::{Contact, ContactFields};
use wellmet::domain::id::{ContactId, OrganizationId, PositionId, RelationshipId, UserId, WorkspaceId};
use wellmet::domain::position::{Position, PositionFields};
use wellmet::domain::relationship::{Relationship, RelationshipFields, RelationshipType};
use wellmet::store::{self, Actor, WriteContext, records};

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

async fn position(client: &Client, who: &str, at: &str, since: &str, until: Value) {
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

/// People of whom the first are friends of the networker and of somebody, and who all are at an organization.
async fn crowd(server: &TestServer, client: &Client, count: usize, friends: usize, [hub, at]: [&str; 2]) {
    let own = client.get("/v1/me").await.expect(200).body;
    let id = |text: &str| Uuid::parse_str(text).unwrap();
    let part = |pointer: &str| id(own.pointer(pointer).unwrap().as_str().unwrap());
    let actor = Actor::User(UserId::new(part("/user/id")), None);
    let who = WriteContext { workspace: WorkspaceId::new(part("/workspace/id")), actor, idempotency: None };
    let ends = [ContactId::new(part("/self_contact_id")), ContactId::new(id(hub))];
    let at = OrganizationId::new(id(at));
    let write = move |tx: &mut store::Tx<'_>| {
        for number in 0..count {
            let name = Some(format!("N{number}"));
            let fields = ContactFields { given_name: name, ..ContactFields::default() };
            let whom = ContactId::new(tx.new_id());
            records::create(tx, Contact::new(whom, tx.now(), fields)?)?;
            let fields: PositionFields =
                serde_json::from_value(json!({"contact_id": whom, "organization_id": at})).expect("a position");
            records::create(tx, Position::new(PositionId::new(tx.new_id()), tx.now(), fields)?)?;
            for end in ends.into_iter().filter(|_| number < friends) {
                let fields = RelationshipFields {
                    contact_id: whom,
                    related_contact_id: end,
                    kind: RelationshipType::Friend,
                    started_on: None,
                    ended_on: None,
                    notes: None,
                };
                records::create(tx, Relationship::new(RelationshipId::new(tx.new_id()), tx.now(), fields)?)?;
            }
        }
        Ok::<_, store::Error>(store::Answer::Empty)
    };
    server.app().store().write(who, write).await.expect("a write of them all");
    if server.backend == Backend::Postgres {
        // As autovacuum does within a minute.
        server.database.execute("ANALYZE");
    }
}

on_both! {
    async fn a_hub_of_ten_times_as_many_takes_ten_times_the_work(backend: Backend) {
        work::count();
        let mut server = TestServer::start(backend).await;
        let mut work = Vec::new();
        for (email, people, friends) in [("ada@example.com", 220, 40), ("eve@example.com", 2_200, 400)] {
            let client = server.register(email).await;
            let (hub, target) = (contact(&client, "Hub", json!({})).await, contact(&client, "Target", json!({})).await);
            let huge = made(&client, "/v1/organizations", json!({"name": "Huge"})).await;
            for who in [&me(&client).await, &target] {
                position(&client, who, &huge, "2019", Value::Null).await;
            }
            tie(&client, &hub, &target, "friend").await;
            crowd(&server, &client, people, friends, [&hub, &huge]).await;
            // Opens the connections anew: what that takes is not counted.
            server.restart().await;
            client.get("/v1/tags").await.expect(200);
            let before = work::so_far(&mut server).await;
            let found = paths(&client, &target).await;
            work.push(work::so_far(&mut server).await - before);
            assert_eq!(found.len(), 20);
            assert!(names(&found).iter().all(|path| path.len() == 3 && path[1..] == ["Hub", "Target"]), "{found:?}");
        }
        let [few, many] = work[..] else { panic!("{work:?}") };
        assert!(few > 100 && many <= few * 12, "{few}, then {many}");
    }

    async fn paths_go_over_relationships_and_colleagues(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = me(&ada).await;
        let target = contact(&ada, "Target", json!({"known": false})).await;
        assert!(paths(&ada, &target).await.is_empty());
        let (grace, alan, joan) = (contact(&ada, "Grace", json!({})).await, contact(&ada, "Alan", json!({})).await, contact(&ada, "Joan", json!({})).await);
        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        tie(&ada, &own, &grace, "report").await;
        tie(&ada, &grace, &target, "mentor").await;
        position(&ada, &own, &acme, "2019", json!("2021")).await;
        position(&ada, &alan, &acme, "2021-12", Value::Null).await;
        position(&ada, &joan, &acme, "2022", Value::Null).await;
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
        position(&ada, &alan, &zenith, "2024", Value::Null).await;
        position(&ada, &old, &zenith, "2014", json!("2020")).await;
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
        position(&ada, &own, &huge, "2019", Value::Null).await;
        let target = contact(&ada, "Target", json!({})).await;
        position(&ada, &target, &huge, "2020", Value::Null).await;
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
