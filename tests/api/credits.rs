//! Credits of a goal: whose help is counted, in which order, and whom thanks are owed.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

/// Name, exchanges, introductions, feedback, last day and thanks due of each.
async fn credits(client: &Client, goal: &Reply) -> Vec<Value> {
    let items = client.walk(&format!("{}/credits", goal.location())).await;
    let fields =
        ["exchanges_received", "introductions_received", "feedback_acted_on", "last_helped_on", "thanks_due"];
    let told = |item: &Value| {
        let own = fields.iter().map(|field| item[field].clone());
        Value::from([item["contact"]["name"].clone()].into_iter().chain(own).collect::<Vec<_>>())
    };
    items.iter().map(told).collect()
}

on_both! {
    async fn everyone_who_helped_is_listed_whoever_did_last_first(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move into climate tech"})).await;
        let other = made(&ada, "/v1/goals", json!({"title": "Learn"})).await;
        assert_eq!(credits(&ada, &goal).await, Vec::<Value>::new());
        let (grace, alan, joan, kay) =
            (contact(&ada, "Grace").await, contact(&ada, "Alan").await, contact(&ada, "Joan").await, contact(&ada, "Kay").await);
        let exchange = async |whom: &str, direction: &str, on: &str, goal: &Reply| {
            let body = json!({"contact_id": whom, "direction": direction, "kind": "advice", "occurred_on": on, "goal_id": goal.id()});
            made(&ada, "/v1/exchanges", body).await
        };
        let advice = exchange(&grace, "received", "2026-02-10", &goal).await;
        exchange(&grace, "mutual", "2026-02-11", &goal).await;
        exchange(&grace, "received", "2026-02-28", &other).await;
        exchange(&alan, "given", "2026-02-12", &goal).await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let introduction = json!({
            "contact_a_id": alan, "contact_b_id": me, "introducer_id": joan, "status": "made", "made_on": "2026-02-20",
            "goal_id": goal.id(),
        });
        made(&ada, "/v1/introductions", introduction).await;
        let feedback = json!({"contact_id": kay, "topic": "My talk", "status": "received", "received_on": "2026-02-21", "goal_id": goal.id()});
        let feedback = made(&ada, "/v1/feedback", feedback).await;
        assert_eq!(credits(&ada, &goal).await, [
            json!(["Joan", 0, 1, 0, "2026-02-20", 1]),
            json!(["Grace", 2, 0, 0, "2026-02-11", 1]),
        ], "feedback helps once it is acted on");

        let acted = json!({"status": "acted_on", "action": "Cut it.", "action_taken_on": "2026-02-25"});
        let acted = ada.patch(&feedback.location(), &acted).await.expect(200);
        ada.patch(&advice.location(), &json!({"thanked_on": "2026-03-01"})).await.expect(200);
        assert_eq!(credits(&ada, &goal).await, [
            json!(["Kay", 0, 0, 1, "2026-02-25", 1]),
            json!(["Joan", 0, 1, 0, "2026-02-20", 1]),
            json!(["Grace", 2, 0, 0, "2026-02-11", 0]),
        ]);

        let mut paged = Vec::new();
        let mut next = Some(format!("{}/credits?limit=1", goal.location()));
        while let Some(path) = next {
            let page = ada.get(&path).await.expect(200);
            assert_eq!(page.items().len(), 1);
            paged.push(page.items()[0]["contact"]["name"].clone());
            next = page.next_link();
        }
        assert_eq!(paged, ["Kay", "Joan", "Grace"]);

        let write = acted.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(credits(&ada, &goal).await.len(), 2, "undo takes the credit back");
    }

    async fn who_introduced_me_to_a_target_has_opened_a_door(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move into climate tech"})).await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let met_through = async |name: &str, whom: &str| {
            let body = json!({"given_name": name, "how_met": {"introduced_by_id": whom}});
            made(&ada, "/v1/contacts", body).await.id()
        };
        let (kay, joan, ida) = (met_through("Kay", &grace).await, met_through("Joan", &grace).await, met_through("Ida", &alan).await);
        let target = async |id: &str| made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": id})).await;
        for id in [&kay, &joan] {
            target(id).await;
        }
        let doors = |items: Vec<Value>| -> Vec<Value> {
            items.iter().map(|item| json!([item["contact"]["name"], item["doors_opened"], item["last_helped_on"]])).collect()
        };
        let walk = async || doors(ada.walk(&format!("{}/credits?limit=1", goal.location())).await);
        assert_eq!(walk().await, [json!(["Grace", 2, null])], "Ida is no target");
        let last = target(&ida).await;
        let advice = json!({"contact_id": alan, "direction": "received", "occurred_on": "2026-02-10", "goal_id": goal.id()});
        made(&ada, "/v1/exchanges", advice).await;
        assert_eq!(walk().await, [json!(["Alan", 1, "2026-02-10"]), json!(["Grace", 2, null])], "what has no day comes last");
        ada.delete(&last.location()).await.expect(204);
        assert_eq!(walk().await, [json!(["Alan", 0, "2026-02-10"]), json!(["Grace", 2, null])]);
    }

    async fn credits_of_nothing_are_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.get("/v1/goals/01939d5e-8c00-7000-8000-00000000dead/credits").await.problem(404, "not_found");
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        for query in ["?limit=0", "?limit=201", "?cursor=x"] {
            let reply = ada.get(&format!("{}/credits{query}", goal.location())).await;
            assert_eq!(reply.status, 400, "{query}: {reply}");
        }
        let bob = server.register("bob@example.com").await;
        bob.get(&format!("{}/credits", goal.location())).await.problem(404, "not_found");
    }
}
