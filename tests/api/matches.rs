//! Whose offer meets whose need. How well a topic meets another is tested beside the rule, in `src/domain/topic.rs`.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201)
}

async fn add(client: &Client, contact: &Reply, kind: &str, topic: &str) -> Reply {
    client.post(&format!("{}/needs", contact.location()), &json!({"kind": kind, "topic": topic})).await.expect(201)
}

/// `[need, [[offer, contact, score], …]]` of every item.
fn told(reply: &Reply) -> Value {
    let items = reply.items().iter().map(|item| {
        let offers: Vec<Value> = item["offers"]
            .as_array()
            .expect("offers")
            .iter()
            .map(|offered| json!([offered["offer"]["topic"], offered["contact"]["name"], offered["score"]]))
            .collect();
        json!([item["need"]["topic"], offers])
    });
    items.collect()
}

on_both! {
    async fn a_need_meets_the_offers_of_others_that_share_its_words_the_rarest_first(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin, max) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await, contact(&ada, "Max").await);
        add(&ada, &grace, "need", "Rust hiring").await;
        add(&ada, &grace, "offer", "rust hiring, by Grace herself").await;
        add(&ada, &lin, "offer", "hiring nurses").await;
        add(&ada, &max, "offer", "Hiring RUST engineers").await;
        add(&ada, &max, "offer", "gardening").await;
        add(&ada, &max, "interest", "rust").await;
        for role in ["cooks", "drivers"] {
            add(&ada, &lin, "offer", &format!("hiring {role}")).await;
        }
        add(&ada, &lin, "need", "a violin teacher").await;
        let found = ada.get("/v1/needs/matches").await.expect(200);
        let expected = json!([["Rust hiring", [
            ["Hiring RUST engineers", "Max", 100],
            ["hiring drivers", "Lin", 45],
            ["hiring cooks", "Lin", 45],
            ["hiring nurses", "Lin", 45],
        ]]]);
        assert_eq!(told(&found), expected, "{found}");
        let item = &found.items()[0];
        assert_eq!((&item["contact"]["name"], &item["contact"]["id"]), (&json!("Grace"), &grace.body["id"]));
        assert_eq!(item["offers"][0]["shared"], json!(["rust", "hiring"]));
        assert_eq!(item["offers"][1]["shared"], json!(["hiring"]));
        assert_eq!((item["need"].get("created_at"), item["contact"].get("notes")), (None, None), "summaries");
    }

    async fn what_is_shared_is_read_as_it_was_written_where_no_spaces_part_the_words(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        add(&ada, &grace, "need", "エンジニア採用 remote").await;
        add(&ada, &lin, "offer", "エンジニア").await;
        add(&ada, &lin, "offer", "採用 Remote").await;
        let found = ada.get("/v1/needs/matches").await.expect(200);
        let shared = |topic: &str| {
            let offers = found.items()[0]["offers"].as_array().unwrap();
            offers.iter().find(|offered| offered["offer"]["topic"] == topic).unwrap()["shared"].clone()
        };
        assert_eq!(shared("エンジニア"), json!(["エンジニア"]));
        assert_eq!(shared("採用 Remote"), json!(["採用", "remote"]));
    }

    async fn one_can_ask_who_helps_somebody_and_whom_somebody_helps(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin, max) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await, contact(&ada, "Max").await);
        add(&ada, &grace, "need", "introductions to investors").await;
        add(&ada, &lin, "need", "investors in Poland").await;
        add(&ada, &max, "offer", "knows investors").await;
        add(&ada, &lin, "offer", "investors").await;
        let ask = async |query: String| told(&ada.get(&format!("/v1/needs/matches?{query}")).await.expect(200));
        let own = ask(format!("need_contact_id={}", grace.id())).await;
        assert_eq!(own[0][1].as_array().map(Vec::len), Some(2), "{own}");
        let by_lin = ask(format!("offer_contact_id={}", lin.id())).await;
        assert_eq!(by_lin, json!([["introductions to investors", [["investors", "Lin", 33]]]]), "not to herself");
        let both = ask(format!("offer_contact_id={}&need_contact_id={}", max.id(), lin.id())).await;
        assert_eq!(both[0][1][0][0], "knows investors");
        assert_eq!(ask(format!("offer_contact_id={}", grace.id())).await, json!([]), "she offers nothing");
        let nobody = "01939d5e-8c00-7000-8000-00000000dead";
        assert_eq!(ask(format!("need_contact_id={nobody}")).await, json!([]));
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        ada.post(&format!("/v1/contacts/{me}/needs"), &json!({"kind": "offer", "topic": "Poland"})).await.expect(201);
        assert_eq!(ask(format!("offer_contact_id={me}")).await[0][0], "investors in Poland", "whom I can help");
        ada.get("/v1/needs/matches?need_contact_id=grace").await.problem(400, "invalid_parameter");
        ada.get("/v1/needs/matches?sort=id").await.problem(400, "unknown_parameter");
    }

    async fn what_is_closed_archived_or_not_to_be_contacted_meets_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        let need = add(&ada, &grace, "need", "investors").await;
        let offer = add(&ada, &lin, "offer", "investors").await;
        let count = async || ada.get("/v1/needs/matches").await.expect(200).items().len();
        assert_eq!(count().await, 1);
        for (record, off, on) in [
            (&need, json!({"status": "met"}), json!({"status": "open"})),
            (&offer, json!({"status": "stale"}), json!({"status": "open"})),
            (&offer, json!({"kind": "interest"}), json!({"kind": "offer"})),
            (&offer, json!({"topic": "nurses"}), json!({"topic": "INVESTORS"})),
            (&grace, json!({"archived_at": "2026-03-01T00:00:00Z"}), json!({"archived_at": null})),
            (&lin, json!({"archived_at": "2026-03-01T00:00:00Z"}), json!({"archived_at": null})),
            (&grace, json!({"do_not_contact": true}), json!({"do_not_contact": false})),
            (&lin, json!({"do_not_contact": true}), json!({"do_not_contact": false})),
        ] {
            ada.patch(&record.location(), &off).await.expect(200);
            assert_eq!(count().await, 0, "{off}");
            ada.patch(&record.location(), &on).await.expect(200);
            assert_eq!(count().await, 1, "{on}");
        }
        let eve = server.register("eve@example.com").await;
        let mallory = contact(&eve, "Mallory").await;
        add(&eve, &mallory, "offer", "investors").await;
        assert_eq!(ada.get("/v1/needs/matches").await.expect(200).items()[0]["offers"].as_array().map(Vec::len), Some(1));
        assert_eq!(eve.get("/v1/needs/matches").await.expect(200).items().len(), 0);
    }

    async fn the_pages_of_matches_hold_every_need_once_and_a_tag(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        add(&ada, &lin, "offer", "everything rare").await;
        for number in 0..7 {
            add(&ada, &grace, "need", &format!("rare {number}")).await;
            add(&ada, &grace, "need", "of no use").await;
        }
        let whole = ada.get("/v1/needs/matches").await.expect(200);
        assert_eq!((whole.items().len(), &whole.body["next_cursor"]), (7, &Value::Null));
        let topics: Vec<&Value> = whole.items().iter().map(|item| &item["need"]["topic"]).collect();
        assert_eq!((topics[0], topics[6]), (&json!("rare 6"), &json!("rare 0")), "the newest first");
        assert!(whole.etag().starts_with("W/"));
        assert_eq!(ada.get("/v1/needs/matches").if_none_match(&whole.etag()).await.status, 304);
        let mut walked = Vec::new();
        let mut next = Some("/v1/needs/matches?limit=3".to_owned());
        while let Some(path) = next {
            let page = ada.get(&path).await.expect(200);
            walked.extend(page.items().to_vec());
            next = page.next_link();
            assert_eq!(next.is_some(), page.body["next_cursor"].is_string());
        }
        assert_eq!(walked, whole.items());
        let cursor = ada.get("/v1/needs/matches?limit=3").await.expect(200).body["next_cursor"].as_str().unwrap().to_owned();
        let of_another = format!("/v1/needs/matches?cursor={cursor}&need_contact_id={}", grace.id());
        ada.get(&of_another).await.problem(400, "invalid_cursor");
        add(&ada, &grace, "need", "rare 7").await;
        assert_eq!(ada.get("/v1/needs/matches").if_none_match(&whole.etag()).await.status, 200);
    }

    async fn a_page_that_found_nothing_among_the_needs_it_looked_at_leads_on(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        add(&ada, &grace, "need", "violin lessons").await;
        add(&ada, &lin, "offer", "violin lessons").await;
        let unmet = add(&ada, &grace, "need", "nothing that anybody has").await;
        copy(&server, &unmet, 250);
        let first = ada.get("/v1/needs/matches").await.expect(200);
        assert_eq!(first.items().len(), 0);
        let second = ada.get(&first.next_link().expect("more to look at")).await.expect(200);
        assert_eq!((told(&second)[0][0].clone(), &second.body["next_cursor"]), (json!("violin lessons"), &Value::Null));
        let asked = format!("/v1/needs/matches?offer_contact_id={}", lin.id());
        assert_eq!(ada.get(&asked).await.expect(200).items().len(), 1, "who is asked for need not be paged to");
    }

    async fn a_word_that_everybody_has_finds_the_newest_and_no_more_than_ten_are_told(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        add(&ada, &grace, "need", "hiring rust engineers").await;
        add(&ada, &lin, "offer", "hiring rust engineers").await;
        let common = add(&ada, &lin, "offer", "hiring").await;
        copy(&server, &common, 300);
        let found = ada.get("/v1/needs/matches").await.expect(200);
        let offers = found.items()[0]["offers"].as_array().expect("offers");
        assert_eq!((offers.len(), &offers[0]["score"], &offers[1]["shared"]), (10, &json!(100), &json!(["hiring"])));
        assert!(offers[1]["score"].as_i64().is_some_and(|score| (1..10).contains(&score)), "{found}");
    }

    async fn matches_need_the_scope_of_contacts_too(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (scopes, status) in [(vec!["relationships:read"], 403), (vec!["relationships:read", "contacts:read"], 200)] {
            let made = ada.post("/v1/tokens", &json!({"name": "t", "scopes": scopes})).await.expect(201);
            let limited = ada.with_token(made.body["token"].as_str().unwrap());
            assert_eq!(limited.get("/v1/needs/matches").await.status, status, "{scopes:?}");
        }
    }
}

/// So many more of a need, each newer than it, with its keys; as a busy workspace has them.
fn copy(server: &TestServer, need: &Reply, count: usize) {
    let id = need.id();
    let (made_up, own) = match server.database.backend {
        Backend::Sqlite => ("unhex('ff' || printf('%030x', n))", format!("unhex('{}')", id.replace('-', ""))),
        Backend::Postgres => ("('ff' || lpad(to_hex(n), 30, '0'))::uuid", format!("'{id}'::uuid")),
    };
    let numbers = format!(
        "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) SELECT n FROM numbers) AS numbers"
    );
    server.database.execute(&format!(
        "INSERT INTO needs (workspace_id, id, version, created_at, updated_at, contact_id, kind, topic, detail, status) \
         SELECT workspace_id, {made_up}, version, created_at, updated_at, contact_id, kind, topic, detail, status \
         FROM needs, {numbers} WHERE id = {own}; \
         INSERT INTO record_keys (workspace_id, entity, kind, value, record_id) \
         SELECT workspace_id, entity, kind, value, {made_up} FROM record_keys, {numbers} WHERE record_id = {own}"
    ));
}
