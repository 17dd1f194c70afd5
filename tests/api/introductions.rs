//! Introductions over HTTP: consents, what is planned while answers are open, and what is given and received once they are made.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

async fn me(client: &Client) -> String {
    client.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned()
}

async fn follow_up(client: &Client, id: &Value) -> Value {
    client.get(&format!("/v1/follow-ups/{}", id.as_str().unwrap())).await.expect(200).body
}

on_both! {
    async fn both_agree_before_i_introduce_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan, own) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await, me(&ada).await);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await.id();
        let body = json!({"contact_a_id": grace, "contact_b_id": alan, "status": "asked", "goal_id": goal});
        let intro = made(&ada, "/v1/introductions", body).await;
        assert_eq!((&intro.body["introducer_id"], &intro.body["direction"]), (&json!(own), &json!("by_me")));
        let (of_grace, of_alan) = (intro.body["follow_up_a_id"].clone(), intro.body["follow_up_b_id"].clone());
        let planned = follow_up(&ada, &of_alan).await;
        for (field, expected) in [
            ("title", json!("Hear whether Alan wants to meet Grace")), ("kind", json!("introduce")), ("origin", json!("introduction")),
            ("due_on", json!("2026-03-09")), ("contact_ids", json!([alan])), ("goal_id", json!(goal)),
        ] {
            assert_eq!(planned[field], expected, "{field}");
        }
        let patch = |body: Value| ada.patch(&intro.location(), &body);
        let problem = patch(json!({"status": "made"})).await.problem(409, "consent_missing");
        assert_eq!(problem["detail"], "An introduction that is made requires both consents; missing: Grace and Alan.");
        let one = patch(json!({"consent_a": "given"})).await.expect(200);
        assert_eq!((&one.body["status"], &one.body["follow_up_a_id"]), (&json!("asked"), &Value::Null));
        assert_eq!(follow_up(&ada, &of_grace).await["status"], "done");
        let problem = patch(json!({"status": "met"})).await.problem(409, "consent_missing");
        assert!(problem["detail"].as_str().unwrap().ends_with("; missing: Alan."), "{problem}");
        assert!(ada.walk("/v1/exchanges").await.is_empty());

        let both = patch(json!({"consent_b": "given"})).await.expect(200);
        assert_eq!(both.body["status"], "agreed");
        let done = patch(json!({"status": "made", "made_on": "2026-03-01"})).await.expect(200);
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 2);
        for (who, field, text) in [
            (&grace, "exchange_a_id", "An introduction to Alan"),
            (&alan, "exchange_b_id", "An introduction to Grace"),
        ] {
            let path = format!("/v1/exchanges/{}", done.body[field].as_str().unwrap());
            let exchange = ada.get(&path).await.expect(200).body;
            assert_eq!(exchange["contact_id"], json!(who));
            for (name, expected) in [
                ("direction", json!("given")), ("kind", json!("introduction")), ("occurred_on", json!("2026-03-01")),
                ("description", json!(text)), ("goal_id", json!(goal)), ("origin", json!("introduction")),
            ] {
                assert_eq!(exchange[name], expected, "{name}");
            }
        }
        let met = patch(json!({"status": "met", "outcome": "A pilot."})).await.expect(200);
        assert_eq!((&met.body["made_on"], ada.walk("/v1/exchanges").await.len()), (&json!("2026-03-01"), 2), "nothing more at met");

        let write = done.header("wellmet-write").unwrap();
        let met_write = met.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{met_write}/revert")).await.expect(200);
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        let back = ada.get(&intro.location()).await.expect(200).body;
        assert_eq!((&back["status"], &back["made_on"], &back["exchange_a_id"]), (&json!("agreed"), &Value::Null, &Value::Null));
        assert!(ada.walk("/v1/exchanges").await.is_empty(), "one call takes all of it back");
        patch(json!({"status": "made"})).await.expect(200);
        assert_eq!(ada.walk("/v1/exchanges").await.len(), 2);
        patch(json!({"status": "agreed"})).await.expect(200);
        assert!(ada.walk("/v1/exchanges").await.is_empty(), "leaving made removes them");
    }

    async fn one_who_declines_declines_the_introduction(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let intro = made(&ada, "/v1/introductions", json!({"contact_a_id": grace, "contact_b_id": alan, "status": "asked"})).await;
        let (of_grace, of_alan) = (intro.body["follow_up_a_id"].clone(), intro.body["follow_up_b_id"].clone());
        let patch = |body: Value| ada.patch(&intro.location(), &body);
        let declined = patch(json!({"consent_a": "declined"})).await.expect(200);
        assert_eq!((&declined.body["status"], &declined.body["follow_up_b_id"]), (&json!("declined"), &Value::Null));
        assert_eq!(follow_up(&ada, &of_grace).await["status"], "done", "she has answered");
        assert_eq!(follow_up(&ada, &of_alan).await["status"], "cancelled");
        patch(json!({"status": "made"})).await.problem(409, "invalid_transition");
        let again = patch(json!({"status": "asked"})).await.expect(200);
        assert_eq!((&again.body["consent_a"], &again.body["status"]), (&json!("pending"), &json!("asked")), "she is asked anew");
        assert!(again.body["follow_up_a_id"].is_string() && again.body["follow_up_a_id"] != of_grace);
        ada.patch(&format!("/v1/contacts/{alan}"), &json!({"do_not_contact": true})).await.expect(200);
        patch(json!({"status": "draft"})).await.expect(200);
        let asked = patch(json!({"status": "asked"})).await.expect(200);
        assert!(asked.body["follow_up_a_id"].is_string() && asked.body["follow_up_b_id"].is_null(), "he is not to be contacted");
    }

    async fn being_introduced_is_received_and_what_others_do_is_neither(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan, joan, own) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await, contact(&ada, "Joan").await, me(&ada).await);
        let to_me = json!({"contact_a_id": grace, "contact_b_id": own, "introducer_id": alan, "status": "made"});
        let to_me = made(&ada, "/v1/introductions", to_me).await;
        assert_eq!((&to_me.body["direction"], &to_me.body["made_on"]), (&json!("to_me"), &json!("2026-03-02")));
        let received = ada.walk("/v1/exchanges").await;
        assert_eq!((received.len(), &received[0]["id"]), (1, &to_me.body["introducer_exchange_id"]));
        assert_eq!((&received[0]["contact_id"], &received[0]["direction"], &received[0]["description"]),
            (&json!(alan), &json!("received"), &json!("An introduction to Grace")));
        let others = json!({"contact_a_id": grace, "contact_b_id": joan, "introducer_id": alan, "status": "met"});
        let others = made(&ada, "/v1/introductions", others).await;
        assert_eq!((&others.body["direction"], ada.walk("/v1/exchanges").await.len()), (&json!("between_others"), 1));

        for (query, expected) in [
            (format!("contact_id={alan}"), 2),
            (format!("contact_id={joan}"), 1),
            (format!("introducer_id={alan}"), 2),
            ("direction=to_me".to_owned(), 1),
            ("status=met".to_owned(), 1),
            ("made_on[gte]=2026-03-02".to_owned(), 2),
        ] {
            assert_eq!(ada.walk(&format!("/v1/introductions?{query}")).await.len(), expected, "{query}");
        }
        let brief = ada.get(&format!("/v1/contacts/{joan}/brief")).await.expect(200).body;
        assert_eq!((&brief["introductions"]["total"], &brief["introductions"]["items"][0]["id"]), (&json!(1), &json!(others.id())));
        let timeline = ada.walk(&format!("/v1/contacts/{grace}/timeline")).await;
        let kinds: Vec<(&str, usize)> = timeline.iter().map(|item| (item["kind"].as_str().unwrap(), item["contacts"].as_array().unwrap().len())).collect();
        assert_eq!(kinds, [("introduction_made", 3), ("introduction_made", 3)]);

        ada.delete(&format!("/v1/contacts/{alan}")).await.expect(204);
        let left = ada.get(&others.location()).await.expect(200).body;
        assert_eq!((&left["introducer_id"], &left["introducer_name"]), (&Value::Null, &json!("Alan")), "it stays, and names him");
        let edited = ada.patch(&others.location(), &json!({"outcome": "They talk."})).await.expect(200).body;
        assert_eq!((&edited["introducer_id"], &edited["introducer_name"], &edited["direction"]), (&Value::Null, &json!("Alan"), &json!("between_others")));
        ada.delete(&format!("/v1/contacts/{joan}")).await.expect(204);
        ada.get(&others.location()).await.expect(404);
        ada.post_nothing(&format!("/v1/contacts/{joan}/restore")).await.expect(200);
        ada.get(&others.location()).await.expect(200);
    }

    async fn what_makes_no_introduction_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan, own) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await, me(&ada).await);
        let fields = |more: Value| {
            let mut body = json!({"contact_a_id": grace, "contact_b_id": alan});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, expected) in [
            (fields(json!({"contact_b_id": grace})), "#/contact_b_id contradiction"),
            (fields(json!({"introducer_id": grace})), "#/introducer_id contradiction"),
            (fields(json!({"contact_a_id": own})), "#/introducer_id contradiction"),
            (fields(json!({"contact_a_id": own, "introducer_id": own})), "#/introducer_id contradiction"),
            (fields(json!({"contact_b_id": "01939d5e-8c00-7000-8000-00000000dead"})), "#/contact_b_id unknown_reference"),
            (fields(json!({"made_on": "2026-03-01"})), "#/made_on contradiction"),
            (fields(json!({"status": "made", "made_on": "2026-03-03", "consent_a": "given", "consent_b": "given"})), "#/made_on contradiction"),
            (fields(json!({"direction": "to_me"})), "#/direction read_only"),
            (fields(json!({"consent_a": "maybe"})), "#/consent_a not_allowed"),
        ] {
            assert_eq!(ada.post("/v1/introductions", &body).await.expect(422).errors(), [expected], "{body}");
        }
        ada.post("/v1/introductions", &fields(json!({"status": "made", "consent_a": "given"}))).await.problem(409, "consent_missing");
        assert!(ada.walk("/v1/introductions").await.is_empty());
        assert!(ada.walk("/v1/exchanges").await.is_empty());
    }

    async fn a_merge_leaves_no_introduction_of_somebody_to_themselves(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, double, alan) = (contact(&ada, "Grace").await, contact(&ada, "Grace H").await, contact(&ada, "Alan").await);
        let gone = made(&ada, "/v1/introductions", json!({"contact_a_id": grace, "contact_b_id": double})).await;
        let by_her = made(&ada, "/v1/introductions", json!({"contact_a_id": grace, "contact_b_id": alan, "introducer_id": double})).await;
        let kept = made(&ada, "/v1/introductions", json!({"contact_a_id": double, "contact_b_id": alan, "purpose": "Zebra"})).await;
        let merged = ada.post("/v1/contacts/merge", &json!({"keep_id": grace, "merge_ids": [double]})).await.expect(200);
        ada.get(&gone.location()).await.expect(404);
        ada.get(&by_her.location()).await.expect(404);
        assert_eq!(ada.get(&kept.location()).await.expect(200).body["contact_a_id"], json!(grace));
        let hit = &ada.get("/v1/search?q=zebra").await.expect(200).body["items"][0];
        assert_eq!((&hit["entity"], &hit["subtitle"]), (&json!("introduction"), &json!("Grace, Alan")));
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        ada.get(&gone.location()).await.expect(200);
        assert_eq!(ada.get(&kept.location()).await.expect(200).body["contact_a_id"], json!(double));
    }

    async fn key_results_count_introductions_on_either_side(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan, own) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await, me(&ada).await);
        ada.patch(&format!("/v1/contacts/{grace}"), &json!({"add_tags": ["climate"]})).await.expect(200);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move", "started_on": "2026-02-01"})).await;
        let given = json!({"consent_a": "given", "consent_b": "given"});
        for (a, b, introducer, made_on, goal_id) in [
            (&grace, &alan, Value::Null, "2026-02-01", json!(goal.id())),
            (&grace, &alan, Value::Null, "2026-01-31", Value::Null),
            (&own, &alan, json!(grace), "2026-02-20", Value::Null),
        ] {
            let mut body = json!({"contact_a_id": a, "contact_b_id": b, "introducer_id": introducer, "made_on": made_on, "status": "made", "goal_id": goal_id});
            body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
            made(&ada, "/v1/introductions", body).await;
        }
        for (metric, filter, expected) in [
            ("introductions_made", json!({}), 1),
            ("introductions_received", json!({}), 1),
            ("introductions_received", json!({"tag": "climate"}), 1),
            ("introductions_made", json!({"linked": true}), 1),
            ("introductions_received", json!({"linked": true}), 0),
        ] {
            let body = json!({"goal_id": goal.id(), "title": metric, "metric": metric, "target_value": 10, "filter": filter});
            let key_result = made(&ada, "/v1/key-results", body).await;
            let records = ada.walk(&format!("{}/records", key_result.location())).await;
            assert_eq!(records.len(), expected, "{metric} {filter}");
            let progress = ada.get(&format!("{}/progress", goal.location())).await.expect(200);
            let of = progress.body["key_results"].as_array().unwrap().iter().find(|one| one["key_result"]["id"] == key_result.id());
            assert_eq!(of.unwrap()["count"], expected, "{metric} {filter}");
        }
    }
}
