//! "These two are not the same": what a dismissal is about, and that it is said once. That it hides the pair is in
//! `duplicates.rs`.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, list: &str, body: Value) -> String {
    client.post(list, &body).await.expect(201).id()
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({ "given_name": name })).await
}

async fn organization(client: &Client, name: &str) -> String {
    made(client, "/v1/organizations", json!({ "name": name })).await
}

const LIST: &str = "/v1/duplicate-dismissals";

on_both! {
    async fn a_pair_is_dismissed_once_in_either_order(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, other, third) = (contact(&ada, "One").await, contact(&ada, "Other").await, contact(&ada, "Third").await);
        let pair = |one: &str, other: &str| json!({"contact_id": one, "other_contact_id": other});
        let first = ada.post(LIST, &pair(&one, &other)).await.expect(201);
        assert_eq!((&first.body["contact_id"], &first.body["organization_id"]), (&json!(one), &Value::Null));
        for again in [pair(&one, &other), pair(&other, &one)] {
            let reply = ada.post(LIST, &again).await;
            let problem = reply.problem(422, "invalid");
            assert_eq!(reply.errors(), ["#/other_contact_id contradiction"]);
            assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(&first.id()), "{reply}");
        }
        let second = ada.post(LIST, &pair(&third, &one)).await.expect(201);
        let reply = ada.patch(&second.location(), &json!({"contact_id": other})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/other_contact_id contradiction"]);
        ada.put(&first.location(), &pair(&other, &one)).if_match(&first.etag()).await.expect(200);
        ada.delete(&first.location()).await.expect(204);
        ada.post(LIST, &pair(&one, &other)).await.expect(201);
    }

    async fn a_dismissal_is_about_two_contacts_or_two_organizations(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, other) = (contact(&ada, "One").await, contact(&ada, "Other").await);
        let (acme, monday) = (organization(&ada, "Acme").await, organization(&ada, "Monday").await);
        for (body, errors) in [
            (json!({}), vec!["#/contact_id required", "#/other_contact_id required"]),
            (json!({"contact_id": one}), vec!["#/other_contact_id required"]),
            (json!({"contact_id": one, "other_contact_id": one}), vec!["#/other_contact_id contradiction"]),
            (json!({"organization_id": acme}), vec!["#/other_organization_id required"]),
            (json!({"contact_id": one, "other_contact_id": other, "organization_id": acme, "other_organization_id": monday}),
                vec!["#/organization_id contradiction", "#/other_organization_id contradiction"]),
            (json!({"contact_id": one, "other_contact_id": acme}), vec!["#/other_contact_id unknown_reference"]),
        ] {
            let reply = ada.post(LIST, &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), errors, "{body}");
        }
        let organizations = json!({"organization_id": acme, "other_organization_id": monday});
        ada.post(LIST, &organizations).await.expect(201);
        ada.post(LIST, &json!({"organization_id": monday, "other_organization_id": acme})).await.problem(422, "invalid");
    }

    async fn dismissals_are_filtered_on_either_side_and_shown_with_whom_they_are_about(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, other, third) = (contact(&ada, "One").await, contact(&ada, "Other").await, contact(&ada, "Third").await);
        let (acme, monday) = (organization(&ada, "Acme").await, organization(&ada, "Monday").await);
        for body in [
            json!({"contact_id": one, "other_contact_id": other}),
            json!({"contact_id": third, "other_contact_id": one}),
            json!({"organization_id": acme, "other_organization_id": monday}),
        ] {
            ada.post(LIST, &body).await.expect(201);
        }
        for (query, count) in [
            (String::new(), 3),
            (format!("?contact_id={one}"), 2),
            (format!("?contact_id={other}"), 1),
            (format!("?contact_id={other}&contact_id={third}"), 2),
            (format!("?organization_id={monday}"), 1),
            (format!("?organization_id[ne]={monday}"), 2),
        ] {
            let page = ada.get(&format!("{LIST}{query}")).await.expect(200);
            assert_eq!(page.items().len(), count, "{query}");
        }
        let page = ada.get(&format!("{LIST}?contact_id={other}&include=contact&include=other_contact")).await.expect(200);
        let name = |relation: &str| page.items()[0][relation]["name"].clone();
        assert_eq!((name("contact"), name("other_contact")), (json!("One"), json!("Other")));
    }

    async fn a_deleted_record_takes_what_was_said_of_it_along_and_brings_it_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, other) = (contact(&ada, "One").await, contact(&ada, "Other").await);
        let made = ada.post(LIST, &json!({"contact_id": one, "other_contact_id": other})).await.expect(201);
        ada.delete(&format!("/v1/contacts/{other}")).await.expect(204);
        ada.get(&made.location()).await.problem(404, "not_found");
        ada.post_nothing(&format!("/v1/contacts/{other}/restore")).await.expect(200);
        ada.get(&made.location()).await.expect(200);
    }
}
