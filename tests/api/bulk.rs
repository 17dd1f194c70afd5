//! One edit of many contacts: of those that are named or found, all or none, in one write.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn names(client: &Client, path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        client.walk(path).await.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

on_both! {
    async fn those_that_a_filter_finds_are_tagged_and_untagged_by_one_revert(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        for (name, tier, tags) in [("One", "core", vec!["a"]), ("Two", "core", vec!["a", "b"]), ("Three", "inner", vec![])] {
            let made = contact(&ada, json!({"given_name": name, "tier": tier, "tags": tags})).await;
            ada.post("/v1/positions", &json!({"contact_id": made.id(), "organization_id": acme.id()})).await.expect(201);
        }
        contact(&ada, json!({"given_name": "Unknown", "tier": "core", "known": false})).await;
        let body = json!({"filter": {"tier": ["core", "inner"], "organization_id": [acme.id()], "known": "true"},
            "add_tags": ["met"], "remove_tags": ["A"], "tier": null, "archived": true});
        let told = ada.post("/v1/contacts/bulk?dry_run=true", &body).await.expect(200);
        assert_eq!(told.body, json!({"dry_run": true, "matched": 3, "changed": 3, "write": null}));
        assert_eq!(names(&ada, "/v1/contacts?tag=met").await, [""; 0]);
        let done = ada.post("/v1/contacts/bulk", &body).await.expect(200);
        assert_eq!((&done.body["matched"], &done.body["changed"]), (&json!(3), &json!(3)));
        assert_eq!(names(&ada, "/v1/contacts?archived=true&tag=met&tier=none").await, ["One", "Three", "Two"]);
        assert_eq!(names(&ada, "/v1/contacts?archived=any&tag=a").await, [""; 0]);
        let log = ada.log().await;
        let of_write = log.items().iter().filter(|change| change["write"] == done.body["write"]).count();
        assert_eq!(of_write, 7, "three contacts, what was due of each, and the tag that is new");
        ada.post_nothing(&format!("/v1/changes/{}/revert", done.body["write"])).await.expect(200);
        assert_eq!(names(&ada, "/v1/contacts?tag=a&tier=core").await, ["One", "Two"]);
        assert_eq!(names(&ada, "/v1/contacts?archived=any&tag=met").await, [""; 0]);
        assert_eq!(names(&ada, "/v1/tags").await, ["a", "b"]);
    }

    async fn an_empty_filter_is_the_list_as_it_is(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contact(&ada, json!({"given_name": "Known"})).await;
        contact(&ada, json!({"given_name": "Unknown", "known": false})).await;
        contact(&ada, json!({"given_name": "Archived", "archived_at": "2026-01-01T00:00:00Z"})).await;
        let done = ada.post("/v1/contacts/bulk", &json!({"filter": {}, "add_tags": ["x"]})).await.expect(200);
        assert_eq!((&done.body["matched"], &done.body["changed"]), (&json!(1), &json!(1)));
        let again = ada.post("/v1/contacts/bulk", &json!({"filter": {"q": "kno"}, "add_tags": ["X"]})).await.expect(200);
        assert_eq!(again.body, json!({"dry_run": false, "matched": 1, "changed": 0, "write": null}), "it has the tag already");
        let both = json!({"filter": {"archived": "any", "known": "any"}, "archived": true});
        ada.post("/v1/contacts/bulk", &both).await.expect(200);
        let old = ada.get("/v1/contacts?archived=true&q=archived").await.expect(200);
        assert_eq!(old.items()[0]["archived_at"], "2026-01-01T00:00:00Z", "who was put aside keeps the time");
        let back = ada.post("/v1/contacts/bulk", &json!({"filter": {"archived": "true", "known": "any"}, "archived": false})).await.expect(200);
        assert_eq!(back.body["changed"], 3);
    }

    async fn many_are_deleted_at_once_and_come_back_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = contact(&ada, json!({"given_name": "One"})).await;
        let two = contact(&ada, json!({"given_name": "Two", "how_met": {"introduced_by_id": one.id()}})).await;
        ada.post("/v1/needs", &json!({"contact_id": two.id(), "topic": "rust"})).await.expect(201);
        let done = ada.post("/v1/contacts/bulk", &json!({"ids": [one.id(), two.id(), one.id()], "delete": true})).await.expect(200);
        assert_eq!((&done.body["matched"], &done.body["changed"]), (&json!(2), &json!(2)), "named twice counts once");
        ada.get(&one.location()).await.problem(404, "not_found");
        let back = ada.post_nothing(&format!("/v1/changes/{}/revert", done.body["write"])).await.expect(200);
        assert_eq!(back.body["left_alone"], json!([]));
        assert_eq!(ada.get(&two.location()).await.expect(200).body["how_met"]["introduced_by_id"], one.body["id"]);
        assert_eq!(ada.get(&format!("{}/needs", two.location())).await.expect(200).items().len(), 1);
    }

    async fn what_cannot_be_done_to_one_is_done_to_none(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = contact(&ada, json!({"given_name": "One"})).await;
        let full: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
        let two = contact(&ada, json!({"given_name": "Two", "tags": full})).await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let before = ada.get("/v1/changes?limit=1000").await.expect(200).items().len();
        let nobody = crate::operations::NOBODYS_ID;
        for (body, errors) in [
            (json!({}), vec!["# required", "#/ids required"]),
            (json!({"ids": [one.id()]}), vec!["# required"]),
            (json!({"ids": [], "delete": true}), vec!["#/ids too_short"]),
            (json!({"add_tags": ["x"]}), vec!["#/ids required"]),
            (json!({"ids": [one.id()], "filter": {}, "add_tags": ["x"]}), vec!["#/filter contradiction"]),
            (json!({"ids": [one.id()], "delete": true, "tier": null}), vec!["#/delete contradiction"]),
            (json!({"ids": [one.id(), nobody], "add_tags": ["x"]}), vec!["#/ids/1 unknown_reference"]),
            (json!({"filter": {"tagg": "x"}, "add_tags": ["x"]}), vec!["#/filter/tagg unknown_field"]),
            (json!({"filter": {"tier[gte]": "core"}, "add_tags": ["x"]}), vec!["#/filter/tier[gte] unknown_field"]),
            (json!({"filter": {"tier": ["closest"]}, "add_tags": ["x"]}), vec!["#/filter/tier/0 not_allowed"]),
            (json!({"filter": {"organization_id": [nobody]}, "add_tags": ["x"]}), vec!["#/filter/organization_id/0 unknown_reference"]),
            (json!({"ids": [one.id(), two.id()], "add_tags": ["one more"]}), vec!["#/add_tags too_long"]),
            (json!({"ids": [one.id()], "add_tags": [" "]}), vec!["#/add_tags/0 too_short"]),
            (json!({"ids": [one.id()], "add_tags": ["y", "x"], "remove_tags": ["X"]}), vec!["#/add_tags/1 contradiction"]),
            (json!({"ids": [one.id()], "tier": "closest"}), vec!["#/tier not_allowed"]),
        ] {
            let reply = ada.post("/v1/contacts/bulk", &body).await;
            assert_eq!(reply.errors(), errors, "{body}: {reply}");
        }
        let reply = ada.post("/v1/contacts/bulk", &json!({"ids": [one.id(), two.id()], "add_tags": ["one more"]})).await;
        let whose = format!("Must have at most 100 items. This concerns Two ({}).", two.id());
        assert_eq!(reply.body["errors"][0]["detail"], whose);
        let detail = |reply: &Reply| reply.body["errors"][0]["detail"].as_str().map(str::to_owned).unwrap_or_default();
        for (body, said) in [
            (json!({"filter": {"tier": null}, "delete": true}), "Expected the JSON type array."),
            (json!({"filter": {"archived": null}, "delete": true}), "Expected the JSON type string."),
            (json!({"filter": {"tier": []}, "delete": true}), "Must have at least 1 item."),
            (json!({"ids": null, "delete": true}), "Expected the JSON type array."),
            (json!({"ids": [one.id()], "tier": 5}), "Expected the JSON type string or null."),
        ] {
            let reply = ada.post("/v1/contacts/bulk", &body).await;
            assert_eq!(detail(&reply), said, "{body}: {reply}");
        }
        let reply = ada.post("/v1/contacts/bulk", &json!({"ids": [one.id(), me], "delete": true})).await;
        reply.problem(409, "self_contact");
        assert_eq!(ada.get("/v1/changes?limit=1000").await.expect(200).items().len(), before);
        ada.get(&one.location()).await.expect(200);
    }

    async fn a_filter_that_finds_more_than_ten_thousand_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contact(&ada, json!({"given_name": "One"})).await;
        let columns = server.database.texts(match server.database.backend {
            Backend::Sqlite => "SELECT name AS text FROM pragma_table_info('contacts') WHERE name <> 'id'",
            Backend::Postgres => "SELECT column_name::text AS text FROM information_schema.columns WHERE table_name = 'contacts' AND column_name <> 'id'",
        }).join(", ");
        let copies = match server.database.backend {
            Backend::Sqlite => format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                INSERT INTO contacts (id, {columns}) SELECT randomblob(16), {columns} FROM contacts, n WHERE NOT is_self"),
            Backend::Postgres => format!("INSERT INTO contacts (id, {columns}) SELECT gen_random_uuid(), {columns}
                FROM contacts, generate_series(1, 10000) WHERE NOT is_self"),
        };
        server.database.execute(&copies);
        let reply = ada.post("/v1/contacts/bulk", &json!({"filter": {}, "add_tags": ["x"]})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/filter too_long"]);
        assert!(reply.text.contains("The filter matches 10,001 contacts; at most 10,000 are allowed at once."), "{reply}");
    }
}
