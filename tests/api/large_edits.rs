//! Edits of more than 1,000 records: carried out in parts after the response, as one write, and in the end wholly or not at
//! all.

use std::time::Duration;

use serde_json::{Value, json};
use wellmet::{
    domain::id::{OperationId, WorkspaceId},
    jobs::{KINDS, kind::Setup},
    service::operations::{PART, fail, permanent_error, run_part},
    store::AccountTx,
};

use crate::support::{Backend, Client, Reply, TestServer, create_contacts};

/// More than are edited at once.
const MANY: usize = 1_050;

/// Creates `count` contacts with these fields.
async fn contacts(server: &TestServer, client: &Client, count: usize, body: &Value) {
    let fields = |number: usize| {
        let mut body = body.clone();
        body["given_name"] = json!(format!("Person {number:04}"));
        serde_json::from_value(body).expect("fields of a contact")
    };
    create_contacts(server, client, (0..count).map(fields).collect()).await;
}

fn ids(client: &Client, reply: &Reply) -> (WorkspaceId, OperationId) {
    let id = reply.body["id"].as_str().and_then(|id| id.parse().ok());
    let workspace = client.workspace_id.parse().ok();
    (WorkspaceId::new(workspace.expect("an id")), OperationId::new(id.expect("an id")))
}

/// Does so many short parts of the operation that a reply is about, as a worker would.
async fn parts(server: &TestServer, client: &Client, reply: &Reply, count: usize) {
    let (workspace, id) = ids(client, reply);
    for _ in 0..count {
        let work = move |tx: &mut AccountTx<'_>| run_part(tx, workspace, id, Duration::ZERO);
        assert!(!server.app().store().account_write(work).await.expect("a part"));
    }
}

/// Does the rest of it, as a worker would; what it is at the end.
async fn rest(server: &TestServer, client: &Client, reply: &Reply) -> Value {
    rest_in(server, client, reply, PART).await
}

/// The same in parts of this length.
async fn rest_in(server: &TestServer, client: &Client, reply: &Reply, part: Duration) -> Value {
    let (workspace, id) = ids(client, reply);
    let store = server.app().store();
    loop {
        match store.account_write(move |tx| run_part(tx, workspace, id, part)).await {
            Ok(true) => return client.get(&reply.location()).await.expect(200).body,
            Ok(false) => {}
            Err(error) => {
                let error = permanent_error(&error).expect("an error that another try would meet again");
                store.account_write(move |tx| fail(tx, workspace, id, error)).await.expect("it is noted");
            }
        }
    }
}

/// What all records say, without what a write stamps on them.
async fn everything(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for kind in ["contacts", "tags", "positions", "interactions", "follow-ups"] {
        all.extend(client.walk(&format!("/v1/{kind}?sort=id&limit=200")).await);
    }
    for record in &mut all {
        let members = record.as_object_mut().expect("a record");
        members.retain(|name, _| name != "version" && name != "updated_at");
    }
    all
}

async fn count(client: &Client, filter: &str) -> Value {
    client.get(&format!("/v1/contacts?limit=1&count=true&{filter}")).await.expect(200).body["total"].clone()
}

on_both! {
    async fn a_large_bulk_edit_is_an_operation_and_one_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"notes": "Imported."})).await;
        let before = everything(&ada).await;
        let edit = json!({"filter": {"known": "true"}, "add_tags": ["reunion"], "tier": "active"});
        let dry = ada.post("/v1/contacts/bulk?dry_run=true", &edit).await.expect(200);
        assert_eq!(dry.body, json!({"dry_run": true, "matched": MANY, "changed": null, "write": null}));
        let accepted = ada.post("/v1/contacts/bulk", &edit).await.expect(202);
        assert_eq!(accepted.body["state"], "queued");
        assert_eq!(accepted.body["kind"], "edit_contacts");
        assert_eq!(accepted.body["total"], MANY);
        assert_eq!(accepted.header("wellmet-write"), Some(accepted.body["write"].to_string().as_str()));
        assert_eq!(count(&ada, "tag=reunion").await, 0);

        let done = rest(&server, &ada, &accepted).await;
        assert_eq!(done["state"], "succeeded");
        assert_eq!((&done["done"], &done["changed"]), (&json!(MANY), &json!(MANY)));
        assert_eq!(count(&ada, "tag=reunion&tier=active").await, MANY);
        for contact in ada.walk("/v1/contacts?limit=200").await.iter().step_by(100) {
            let history = format!("/v1/contacts/{}/history", contact["id"].as_str().expect("an id"));
            assert_eq!(ada.get(&history).await.expect(200).items()[0]["write"], done["write"]);
        }
        assert_eq!(ada.get("/v1/operations").await.expect(200).items(), std::slice::from_ref(&done));

        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done["write"])).await.expect(202);
        let reverted = rest(&server, &ada, &revert).await;
        assert_eq!((&reverted["state"], &reverted["left_alone"]), (&json!("succeeded"), &json!([])));
        assert_eq!(everything(&ada).await, before);
    }

    async fn a_tag_that_many_carry_is_renamed_and_nobody_sees_its_old_name_come_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"tags": ["rust", "berlin"]})).await;
        let before = everything(&ada).await;
        let tags = ada.get("/v1/tags?sort=name").await.expect(200);
        let tag = format!("/v1/tags/{}", tags.items()[1]["id"].as_str().expect("an id"));
        let accepted = ada.patch(&tag, &json!({"name": "rustlang"})).await.expect(202);
        assert_eq!(ada.get(&tag).await.expect(200).body["name"], "rustlang");

        // Until it comes to a contact, that keeps the old name; nobody else can take it, and nothing else is renamed.
        let contact = ada.get("/v1/contacts?limit=1").await.expect(200).items()[0]["id"].clone();
        let contact = format!("/v1/contacts/{}", contact.as_str().expect("an id"));
        let edited = ada.patch(&contact, &json!({"add_tags": ["speaker"]})).await.expect(200);
        assert_eq!(edited.body["tags"], json!(["rust", "berlin", "speaker"]));
        let taken = ada.post("/v1/tags", &json!({"name": "Rust"})).await.expect(409);
        assert_eq!(taken.body["code"], "operation_running");
        let added = ada.post("/v1/contacts", &json!({"given_name": "New", "tags": ["rust"]})).await.expect(409);
        assert_eq!(added.body["code"], "operation_running");
        assert_eq!(ada.delete(&tag).await.expect(409).body["code"], "operation_running");

        let done = rest(&server, &ada, &accepted).await;
        assert_eq!((&done["state"], &done["changed"]), (&json!("succeeded"), &json!(MANY)));
        assert_eq!(count(&ada, "tag=rustlang").await, MANY);
        assert_eq!(count(&ada, "tag=rust").await, 0);
        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done["write"])).await.expect(202);
        let reverted = rest(&server, &ada, &revert).await;
        assert_eq!(reverted["state"], "succeeded");
        ada.patch(&contact, &json!({"remove_tags": ["speaker"]})).await.expect(200);
        let speaker = ada.get("/v1/tags?q=speaker").await.expect(200).items()[0]["id"].clone();
        ada.delete(&format!("/v1/tags/{}", speaker.as_str().expect("an id"))).await.expect(204);
        assert_eq!(everything(&ada).await, before);
    }

    async fn a_deleted_tag_leaves_all_its_carriers_and_comes_back_to_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"tags": ["rust", "berlin"]})).await;
        let before = everything(&ada).await;
        let tag = ada.get("/v1/tags?sort=name").await.expect(200).items()[1]["id"].clone();
        let tag = format!("/v1/tags/{}", tag.as_str().expect("an id"));
        let accepted = ada.delete(&tag).await.expect(202);
        ada.get(&tag).await.expect(404);
        assert_eq!(rest(&server, &ada, &accepted).await["state"], "succeeded");
        assert_eq!(count(&ada, "tag=rust").await, 0);
        let restored = ada.post_nothing(&format!("{tag}/restore")).await.expect(202);
        assert_eq!(rest(&server, &ada, &restored).await["state"], "succeeded");
        assert_eq!(everything(&ada).await, before);
    }

    async fn what_is_cancelled_half_way_is_reverted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"tags": ["rust"]})).await;
        let before = everything(&ada).await;
        let tag = ada.get("/v1/tags").await.expect(200).items()[0]["id"].clone();
        let tag = format!("/v1/tags/{}", tag.as_str().expect("an id"));
        let accepted = ada.patch(&tag, &json!({"name": "rustlang"})).await.expect(202);
        parts(&server, &ada, &accepted, 5).await;
        let running = ada.get(&accepted.location()).await.expect(200);
        assert_eq!(running.body["state"], "running");
        assert_eq!(running.body["done"], 1_000, "a part edits 200 at least");
        ada.post_nothing(&format!("{}/cancel", accepted.location())).await.expect(200);
        let cancelled = rest(&server, &ada, &accepted).await;
        assert_eq!((&cancelled["state"], &cancelled["error"]), (&json!("cancelled"), &Value::Null));
        assert_eq!(everything(&ada).await, before);
        // One that has finished is left as it is.
        let again = ada.post_nothing(&format!("{}/cancel", accepted.location())).await.expect(200);
        assert_eq!(again.body, cancelled);
        // There is nothing to revert.
        assert_eq!(cancelled["write"], Value::Null);
        let write = accepted.body["write"].clone();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.problem(409, "revert_blocked");
    }

    async fn what_belongs_to_deleted_contacts_comes_back_however_it_was_cut(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({})).await;
        let all = ada.walk("/v1/contacts?sort=id&limit=200").await;
        let id = |number: usize| all[number]["id"].clone();
        // People from parts far apart, one of whom stays; series that go with one of them.
        let people = json!([id(3), id(400), id(1000), id(MANY - 1)]);
        let group = json!({"kind": "meeting", "contact_ids": people, "occurred_on": "2026-03-01"});
        ada.post("/v1/interactions", &group).await.expect(201);
        for number in [5, 500] {
            let series = json!({"title": "Call", "contact_ids": [id(number)], "due_on": "2026-03-02",
                "recurrence": {"every": 1, "unit": "week"}});
            let mut next = ada.post("/v1/follow-ups", &series).await.expect(201).id();
            for _ in 0..60 {
                let path = format!("/v1/follow-ups/{next}/complete");
                let done = ada.post(&path, &json!({"interaction": {}})).await.expect(200);
                next = done.body["next"]["id"].as_str().expect("the next").to_owned();
            }
            let position = json!({"organization_name": "Acme", "title": "CTO", "primary": true});
            let path = format!("/v1/contacts/{}/positions", id(number).as_str().expect("an id"));
            ada.post(&path, &position).await.expect(201);
        }
        let introduced = json!({"how_met": {"introduced_by_id": id(900)}});
        ada.patch(&format!("/v1/contacts/{}", id(7).as_str().expect("an id")), &introduced).await.expect(200);
        let before = everything(&ada).await;
        let gone: Vec<Value> = (0..MANY - 1).map(id).collect();
        let edit = json!({"ids": gone, "delete": true});

        let accepted = ada.post("/v1/contacts/bulk", &edit).await.expect(202);
        let done = rest(&server, &ada, &accepted).await;
        assert_eq!((&done["state"], &done["changed"]), (&json!("succeeded"), &json!(MANY - 1)));
        assert_eq!(count(&ada, "").await, 1);
        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done["write"])).await.expect(202);
        let reverted = rest(&server, &ada, &revert).await;
        assert_eq!((&reverted["state"], &reverted["left_alone"]), (&json!("succeeded"), &json!([])));
        assert_eq!(everything(&ada).await, before);

        let accepted = ada.post("/v1/contacts/bulk", &edit).await.expect(202);
        parts(&server, &ada, &accepted, 5).await;
        ada.post_nothing(&format!("{}/cancel", accepted.location())).await.expect(200);
        assert_eq!(rest(&server, &ada, &accepted).await["state"], "cancelled");
        assert_eq!(everything(&ada).await, before);
    }

    async fn tags_that_are_merged_under_another_name_lead_there_and_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"tags": ["rust", "berlin"]})).await;
        let both = json!({"given_name": "Both", "tags": ["rustlang", "rust"]});
        let both = ada.post("/v1/contacts", &both).await.expect(201).location();
        let before = everything(&ada).await;
        let tags = ada.get("/v1/tags?sort=name").await.expect(200);
        let (rust, rustlang) = (&tags.items()[1]["id"], &tags.items()[2]["id"]);
        let merge = json!({"keep_id": rustlang, "merge_ids": [rust], "fields": {"name": "Ferris"}});
        let accepted = ada.post("/v1/tags/merge", &merge).await.expect(202);
        // The one with both tags is changed in two parts, and both are reverted in one.
        let done = rest_in(&server, &ada, &accepted, Duration::ZERO).await;
        assert_eq!(done["state"], "succeeded");
        assert_eq!(count(&ada, "tag=ferris").await, MANY + 1);
        assert_eq!(ada.get(&both).await.expect(200).body["tags"], json!(["Ferris"]));
        assert_eq!(ada.get("/v1/tags").await.expect(200).items().len(), 2);
        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done["write"])).await.expect(202);
        let reverted = rest_in(&server, &ada, &revert, Duration::from_secs(60)).await;
        assert_eq!(reverted["state"], "succeeded");
        assert_eq!(everything(&ada).await, before);
    }

    async fn a_tag_whose_name_is_taken_is_left_alone_with_those_who_carried_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({"tags": ["rust"]})).await;
        let tag = ada.get("/v1/tags").await.expect(200).items()[0]["id"].clone();
        let accepted = ada.delete(&format!("/v1/tags/{}", tag.as_str().expect("an id"))).await.expect(202);
        let done = rest(&server, &ada, &accepted).await;
        ada.post("/v1/tags", &json!({"name": "Rust"})).await.expect(201);
        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done["write"])).await.expect(202);
        let reverted = rest(&server, &ada, &revert).await;
        assert_eq!(reverted["left_alone"][0]["reason"], "name_taken");
        assert_eq!(reverted["left_alone_total"], MANY + 1);
        assert_eq!(count(&ada, "tag=rust").await, 0);
    }

    async fn what_cannot_be_done_to_one_is_done_to_none(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({})).await;
        let tags: Vec<String> = (0..100).map(|number| format!("tag {number}")).collect();
        let last = ada.get("/v1/contacts?sort=id&limit=1").await.expect(200).items()[0]["id"].clone();
        let last = format!("/v1/contacts/{}", last.as_str().expect("an id"));
        ada.patch(&last, &json!({"tags": tags})).await.expect(200);
        let before = everything(&ada).await;
        let edit = json!({"filter": {"known": "true"}, "add_tags": ["one too many"]});
        let accepted = ada.post("/v1/contacts/bulk", &edit).await.expect(202);
        let done = rest(&server, &ada, &accepted).await;
        assert_eq!(done["state"], "failed");
        assert_eq!(done["error"]["code"], "invalid");
        assert_eq!(done["error"]["errors"][0]["pointer"], "#/add_tags");
        assert_eq!(everything(&ada).await, before);
    }

    async fn only_one_operation_runs_at_a_time_and_only_its_workspace_sees_it(server: TestServer) {
        let (ada, eve) = (server.register("ada@example.com").await, server.register("eve@example.com").await);
        contacts(&server, &ada, MANY, &json!({})).await;
        let edit = json!({"filter": {"known": "true"}, "tier": "core"});
            let accepted = ada.post("/v1/contacts/bulk", &edit).idempotency_key("first").await.expect(202);
        let replayed = ada.post("/v1/contacts/bulk", &edit).idempotency_key("first").await.expect(202);
        assert_eq!((&replayed.body, replayed.location()), (&accepted.body, accepted.location()));
        let second = ada.post("/v1/contacts/bulk", &edit).await.expect(409);
        assert_eq!(second.body["code"], "operation_running");
        eve.get(&accepted.location()).await.expect(404);
        eve.post_nothing(&format!("{}/cancel", accepted.location())).await.expect(404);
        assert_eq!(eve.get("/v1/operations").await.expect(200).items().len(), 0);
        rest(&server, &ada, &accepted).await;
        rest(&server, &ada, &ada.post("/v1/contacts/bulk", &edit).await.expect(202)).await;
    }

    async fn the_workers_of_a_server_carry_operations_out(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, || Setup::new(KINDS.to_vec())).await;
        let ada = server.register("ada@example.com").await;
        contacts(&server, &ada, MANY, &json!({})).await;
        let edit = json!({"filter": {"known": "true"}, "delete": true});
        let accepted = ada.post("/v1/contacts/bulk", &edit).await.expect(202);
        let wait = "respond-async, wait=30";
        let done = ada.get(&accepted.location()).header("prefer", wait).await.expect(200);
        assert_eq!(done.header("preference-applied"), Some("wait=30"));
        assert_eq!(done.body["state"], "succeeded");
        assert_eq!(count(&ada, "").await, 0);
        let revert = ada.post_nothing(&format!("/v1/changes/{}/revert", done.body["write"])).await.expect(202);
        let done = ada.get(&revert.location()).header("prefer", wait).await.expect(200);
        assert_eq!((&done.body["state"], &done.body["changed"]), (&json!("succeeded"), &json!(MANY)));
        assert_eq!(count(&ada, "").await, MANY);
    }
}
