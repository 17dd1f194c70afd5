//! The cards of lists on a screen: what they show, and that they are filtered and sorted as the list is.

use serde_json::{Value, json};

use crate::support::*;

on_both! {
    async fn the_card_of_a_contact_shows_what_a_list_on_a_screen_needs(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({
            "given_name": "Dorota", "family_name": "Kozłowicz", "headline": "Builds compilers", "location": "Warsaw",
            "emails": {"home": {"value": "d@home.example"}, "work": {"value": "d@work.example", "preferred": true}},
            "phones": {"mobile": {"value": "+48 512 345 678"}}, "tags": ["rust"], "tier": "core", "favorite": true,
        });
        let made = ada.post("/v1/contacts", &body).await.expect(201);
        let card = async |query: &str| ada.get(&format!("/v1/contacts/cards?{query}")).await.expect(200);
        let one = card("").await;
        let expected = json!({
            "id": made.id(), "version": made.body["version"], "name": "Dorota Kozłowicz",
            "sort_name": "Kozłowicz, Dorota", "subtitle": "Builds compilers", "email": "d@work.example",
            "phone": "+48 512 345 678", "location": "Warsaw", "tags": ["rust"], "tier": "core", "favorite": true,
            "known": true, "archived": false, "do_not_contact": false, "updated_at": made.body["updated_at"], "last_interaction_on": null,
            "next_contact_on": "2026-04-01", "activity_version": made.body["version"].as_i64().unwrap() + 1,
        });
        assert_eq!(one.items(), [expected]);
        let position = json!({"organization_name": "Poniedziałek", "title": "CTO"});
        ada.post(&format!("{}/positions", made.location()), &position).await.expect(201);
        assert_eq!(card("").await.items()[0]["subtitle"], "CTO, Poniedziałek");
        assert!(card("tier=inner").await.items().is_empty());
        assert_eq!(card("q=doro").await.items().len(), 1);
    }

    async fn cards_come_in_the_order_of_the_list_page_by_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for name in ["Grace", "Alan", "Edsger"] {
            ada.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201);
            ada.post("/v1/organizations", &json!({ "name": name })).await.expect(201);
        }
        for (path, sort, field) in
            [("/v1/contacts", "sort_name", "name"), ("/v1/organizations", "-name", "name"), ("/v1/contacts", "-id", "id")]
        {
            let column = |items: Vec<Value>| items.into_iter().map(|item| item[field].clone()).collect::<Vec<_>>();
            let list = column(ada.walk(&format!("{path}?sort={sort}")).await);
            let cards = column(ada.walk(&format!("{path}/cards?sort={sort}&limit=2")).await);
            assert_eq!((cards.len(), &cards), (3, &list), "{path} by {sort}");
        }
        let tagged = ada.get("/v1/contacts/cards").await.expect(200);
        ada.get("/v1/contacts/cards").if_none_match(&tagged.etag()).await.expect(304);
    }

    async fn every_reply_to_a_write_names_it_unless_nothing_changed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Grace"});
        let made = ada.post("/v1/contacts", &body).idempotency_key("k1").await.expect(201);
        let number = |reply: &Reply| reply.header("wellmet-write").map(str::to_owned);
        let first = number(&made).unwrap();
        let again = ada.post("/v1/contacts", &body).idempotency_key("k1").await.expect(201);
        assert_eq!(number(&again), Some(first.clone()), "a replayed reply has the number of the first time");
        let patch = async |body: Value| ada.patch(&made.location(), &body).if_match("*").await.expect(200);
        assert_eq!(number(&patch(json!({"given_name": "Grace"})).await), None, "nothing changed");
        let patched = number(&patch(json!({"headline": "Admiral"})).await).unwrap();
        assert_ne!(patched, first);
        ada.post_nothing(&format!("/v1/changes/{patched}/revert")).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["headline"], Value::Null);
        let deleted = ada.delete(&made.location()).await.expect(204);
        ada.post_nothing(&format!("/v1/changes/{}/revert", number(&deleted).unwrap())).await.expect(200);
        ada.get(&made.location()).await.expect(200);
        let edit = json!({"ids": [made.id()], "add_tags": ["navy"]});
        assert!(number(&ada.post("/v1/contacts/bulk", &edit).await.expect(200)).is_some());
        let operations = json!({"atomic": true, "operations": [{"method": "POST", "path": "/v1/contacts", "body": body}]});
        assert!(number(&ada.post("/v1/batch", &operations).await.expect(207)).is_some());
        assert_eq!(number(&ada.get(&made.location()).await.expect(200)), None);
    }
}
