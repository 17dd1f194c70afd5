//! Candidates of a goal: who fits its personas, why, and who is left out.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn goal(client: &Client, personas: Value) -> Reply {
    made(client, "/v1/goals", json!({"title": "Move into climate tech", "personas": personas})).await
}

async fn candidates(client: &Client, goal: &Reply) -> Vec<Value> {
    client.walk(&format!("{}/candidates", goal.location())).await
}

/// Name and score of each, and what fits.
fn told(items: &[Value]) -> Vec<(&str, i64, Vec<&str>)> {
    items
        .iter()
        .map(|item| {
            let reasons =
                item["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap());
            (item["contact"]["name"].as_str().unwrap(), item["score"].as_i64().unwrap(), reasons.collect())
        })
        .collect()
}

on_both! {
    async fn who_fits_is_listed_with_the_reasons_the_best_first(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grid = made(&ada, "/v1/organizations", json!({"name": "Grid", "industry": "Renewable Energy", "location": "Berlin"})).await;
        let bank = made(&ada, "/v1/organizations", json!({"name": "Bank", "industry": "Finance"})).await;
        let person = async |name: &str, body: Value, position: Value| {
            let mut body = body;
            body["given_name"] = json!(name);
            let person = made(&ada, "/v1/contacts", body).await;
            if !position.is_null() {
                made(&ada, &format!("{}/positions", person.location()), position).await;
            }
            person
        };
        let lead = |at: &Reply| json!({"organization_id": at.id(), "title": "Head of Product"});
        let both = person("Both", json!({}), lead(&grid)).await;
        person("Industry", json!({}), json!({"organization_id": grid.id(), "title": "Engineer"})).await;
        person("Former", json!({}), json!({"organization_id": grid.id(), "title": "Head of Product", "ended_on": "2020"})).await;
        person("Headline", json!({"headline": "Head of Product at large", "known": false}), Value::Null).await;
        person("Neither", json!({}), json!({"organization_id": bank.id(), "title": "Teller"})).await;
        person("Archived", json!({"archived_at": "2026-01-01T00:00:00Z"}), lead(&grid)).await;
        person("Asked not to", json!({"do_not_contact": true}), lead(&grid)).await;
        let personas = json!({"lead": {"titles": ["head of PRODUCT"], "industries": ["energy"]}});
        let goal = goal(&ada, personas).await;

        let items = candidates(&ada, &goal).await;
        assert_eq!(told(&items), [
            ("Both", 100, vec!["title", "industry"]),
            ("Headline", 50, vec!["title"]),
            ("Industry", 50, vec!["industry"]),
        ]);
        let best = &items[0];
        assert_eq!((&best["persona"], &best["contact"]["id"]), (&json!("lead"), &json!(both.id())));
        assert_eq!(best["reasons"][1]["params"], json!({"wanted": "energy", "found": "Renewable Energy"}));
        assert_eq!(best["reasons"][0]["detail"], "Head of Product: the title fits \"head of PRODUCT\".");
        assert_eq!(ada.walk(&format!("{}/candidates?limit=1", goal.location())).await, items, "page by page");

        made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": both.id()})).await;
        assert_eq!(candidates(&ada, &goal).await.len(), 2, "a target is no candidate");
    }

    async fn topics_and_places_are_looked_for_where_they_stand(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let person = async |body: Value| made(&ada, "/v1/contacts", body).await;
        let needs = person(json!({"given_name": "Needs"})).await;
        made(&ada, &format!("{}/needs", needs.location()), json!({"kind": "interest", "topic": "carbon accounting"})).await;
        let met = person(json!({"given_name": "Met"})).await;
        made(&ada, &format!("{}/needs", met.location()), json!({"kind": "need", "topic": "carbon accounting", "status": "met"})).await;
        person(json!({"given_name": "Skilled", "skills": ["Carbon accounting"]})).await;
        person(json!({"given_name": "Lives", "addresses": {"home": {"city": "Łódź"}}})).await;
        let topics = goal(&ada, json!({"p": {"topics": ["Carbon"]}})).await;
        assert_eq!(told(&candidates(&ada, &topics).await), [("Skilled", 100, vec!["topic"]), ("Needs", 100, vec!["topic"])]);
        let places = goal(&ada, json!({"p": {"locations": ["lodz"]}})).await;
        assert_eq!(told(&candidates(&ada, &places).await), [("Lives", 100, vec!["location"])]);
        let nobody = goal(&ada, json!({})).await;
        assert_eq!(candidates(&ada, &nobody).await.len(), 0);
    }

    async fn it_takes_as_many_statements_for_thirty_people_as_for_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada, json!({"p": {"titles": ["CTO"], "industries": ["Energy"], "topics": ["rust"]}})).await;
        let grid = made(&ada, "/v1/organizations", json!({"name": "Grid", "industry": "Energy"})).await;
        let add = async |number: usize| {
            let person = made(&ada, "/v1/contacts", json!({"given_name": format!("P{number}"), "skills": ["rust"]})).await;
            made(&ada, &format!("{}/positions", person.location()), json!({"organization_id": grid.id(), "title": "CTO"})).await;
            made(&ada, &format!("{}/needs", person.location()), json!({"kind": "offer", "topic": "rust"})).await;
        };
        let count = async |expected: usize| {
            let read = async || ada.get(&format!("{}/candidates", goal.location())).await.expect(200);
            let (statements, page) = statements_of(&server.database, read).await;
            assert_eq!(page.items().len(), expected);
            statements
        };
        add(0).await;
        let few = count(1).await;
        for number in 1..30 {
            add(number).await;
        }
        let many = count(30).await;
        assert!(few > 0 && few == many, "{few} and {many}");
    }
}
