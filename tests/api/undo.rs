//! Undo: every kind of write can be taken back, what changed since is left alone and named, and a record's history tells
//! who changed what.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn introduced(client: &Client, name: &str, by: &Reply) -> Reply {
    make(client, json!({"given_name": name, "how_met": {"introduced_by_id": by.id()}})).await
}

/// The number of the newest change.
async fn newest(client: &Client) -> i64 {
    let log = client.get("/v1/changes?limit=1000").await.expect(200);
    log.items().last().unwrap()["version"].as_i64().unwrap()
}

async fn revert(client: &Client, version: impl std::fmt::Display) -> Reply {
    client.post_nothing(&format!("/v1/changes/{version}/revert")).await
}

/// What a revert did, as `action id`, sorted.
fn done(reply: &Reply) -> Vec<String> {
    told(&reply.body["reverted"], "action")
}

/// What it left alone, as `reason id`, sorted; of a problem too.
fn left_alone(reply: &Reply) -> Vec<String> {
    told(&reply.body["left_alone"], "reason")
}

fn told(list: &Value, what: &str) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list of {what} in {list}"));
    let mut told: Vec<String> = list
        .iter()
        .map(|one| {
            assert_eq!(one["entity"], "contact");
            assert!(what == "action" || one["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{one}");
            format!("{} {}", one[what].as_str().unwrap(), one["id"].as_str().unwrap())
        })
        .collect();
    told.sort();
    told
}

fn sorted<const N: usize>(mut expected: [String; N]) -> Vec<String> {
    expected.sort();
    expected.to_vec()
}

/// A record without what each write stamps on it.
fn entered(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    for stamp in ["version", "updated_at"] {
        body.as_object_mut().unwrap().remove(stamp);
    }
    body
}

const NONE: [String; 0] = [];

on_both! {
    async fn a_delete_is_taken_back_with_the_references_it_cleared(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace", "emails": {"w": {"value": "grace@example.com"}}})).await;
        let one = introduced(&ada, "One", &grace).await;
        let two = introduced(&ada, "Two", &grace).await;
        ada.delete(&grace.location()).await.expect(204);
        let deleted = newest(&ada).await;

        let reply = revert(&ada, deleted).await.expect(200);

        assert_eq!(reply.body["dry_run"], false);
        let expected = [format!("restored {}", grace.id()), format!("reset {}", one.id()), format!("reset {}", two.id())];
        assert_eq!(done(&reply), sorted(expected));
        assert_eq!(left_alone(&reply), NONE);
        let restored = ada.get(&grace.location()).await.expect(200);
        assert_eq!(entered(&restored), entered(&grace));
        assert!(restored.body["version"].as_i64().unwrap() > deleted);
        for contact in [&one, &two] {
            assert_eq!(entered(&ada.get(&contact.location()).await.expect(200)), entered(contact));
        }
        assert_eq!(ada.get("/v1/contacts?q=grac").await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/contacts/lookup?email=grace@example.com").await.expect(200).items().len(), 1);
        let log = ada.get("/v1/changes?limit=1000").await.expect(200);
        let write = &log.items().last().unwrap()["write"];
        assert_eq!(log.items().iter().filter(|change| &change["write"] == write).count(), 3, "one write: {log}");
    }

    async fn any_change_of_a_write_leads_to_the_whole_of_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = introduced(&ada, "One", &grace).await;
        ada.delete(&grace.location()).await.expect(204);
        let cleared = ada.get(&one.location()).await.expect(200).body["version"].as_i64().unwrap();
        assert!(cleared < newest(&ada).await);
        let reply = revert(&ada, cleared).await.expect(200);
        assert_eq!(done(&reply), sorted([format!("restored {}", grace.id()), format!("reset {}", one.id())]));
    }

    async fn a_create_is_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let reply = revert(&ada, &made.body["version"]).await.expect(200);
        assert_eq!(done(&reply), [format!("removed {}", made.id())]);
        ada.get(&made.location()).await.problem(404, "not_found");
        assert_eq!(ada.get("/v1/contacts?q=grace").await.expect(200).items().len(), 0);
    }

    async fn no_organization_comes_to_belong_to_itself_by_undo(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let organization = async |body: Value| ada.post("/v1/organizations", &body).await.expect(201);
        let b = organization(json!({"name": "B"})).await;
        let a = organization(json!({"name": "A", "parent_id": b.id()})).await;
        let cleared = ada.patch(&a.location(), &json!({"parent_id": null})).await.expect(200);
        ada.patch(&b.location(), &json!({"parent_id": a.id()})).await.expect(200);
        let problem = revert(&ada, &cleared.body["version"]).await.problem(409, "revert_blocked");
        assert_eq!(problem["left_alone"][0]["reason"], "circular");
    }

    async fn one_step_after_the_other_is_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let mut steps = vec![made.body["version"].clone()];
        for nickname in ["a", "b", "c"] {
            steps.push(ada.patch(&made.location(), &json!({"nickname": nickname})).await.expect(200).body["version"].clone());
        }
        let mut seen = Vec::new();
        for step in steps.iter().rev().take(3) {
            let reverted = revert(&ada, step).await.expect(200);
            assert!(reverted.body["write"].is_i64(), "{reverted}");
            seen.push(ada.get(&made.location()).await.expect(200).body["nickname"].clone());
        }
        assert_eq!(seen, [json!("b"), json!("a"), Value::Null]);
        ada.patch(&made.location(), &json!({"nickname": "z"})).await.expect(200);
        let problem = revert(&ada, &steps[0]).await.problem(409, "revert_blocked");
        assert_eq!(problem["left_alone"][0]["reason"], "changed_since");
    }

    async fn an_update_is_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace", "tags": ["x"], "emails": {"w": {"value": "a@example.com"}}})).await;
        server.clock.advance(chrono::TimeDelta::seconds(1));
        let patched = ada.patch(&made.location(), &json!({"given_name": "G", "tags": [], "emails": null})).await.expect(200);
        let reply = revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(done(&reply), [format!("reset {}", made.id())]);
        let now = ada.get(&made.location()).await.expect(200);
        assert_eq!(entered(&now), entered(&made));
        assert_eq!(now.body["updated_at"], "2026-03-02T09:00:01Z");
        assert!(now.body["version"].as_i64() > patched.body["version"].as_i64());
        assert_eq!(ada.get("/v1/contacts?q=grace&tag=x").await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/contacts/lookup?email=a@example.com").await.expect(200).items().len(), 1);
    }

    async fn a_revert_is_a_write_that_can_be_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let patched = ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        revert(&ada, &patched.body["version"]).await.expect(200);
        revert(&ada, newest(&ada).await).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["nickname"], "G");

        let other = make(&ada, json!({"given_name": "Other"})).await;
        revert(&ada, &other.body["version"]).await.expect(200);
        let reply = revert(&ada, newest(&ada).await).await.expect(200);
        assert_eq!(done(&reply), [format!("restored {}", other.id())]);
        assert_eq!(entered(&ada.get(&other.location()).await.expect(200)), entered(&other));
    }

    async fn the_revert_of_a_delete_with_references_can_be_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = introduced(&ada, "One", &grace).await;
        ada.delete(&grace.location()).await.expect(204);
        revert(&ada, newest(&ada).await).await.expect(200);

        let again = revert(&ada, newest(&ada).await).await.expect(200);

        assert_eq!(left_alone(&again), NONE);
        assert_eq!(done(&again), sorted([format!("removed {}", grace.id()), format!("reset {}", one.id())]));
        ada.get(&grace.location()).await.problem(404, "not_found");
        assert_eq!(ada.get(&one.location()).await.expect(200).body["how_met"], Value::Null);
        revert(&ada, newest(&ada).await).await.expect(200);
        assert_eq!(ada.get(&one.location()).await.expect(200).body["how_met"]["introduced_by_id"], grace.body["id"]);
    }

    async fn a_dry_run_tells_and_changes_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = introduced(&ada, "One", &grace).await;
        ada.delete(&grace.location()).await.expect(204);
        let deleted = newest(&ada).await;
        let log = ada.get("/v1/changes?limit=1000").await.expect(200);

        let dry = ada.post_nothing(&format!("/v1/changes/{deleted}/revert?dry_run=true")).await.expect(200);

        assert_eq!(dry.body["dry_run"], true);
        assert_eq!(done(&dry), sorted([format!("restored {}", grace.id()), format!("reset {}", one.id())]));
        ada.get(&grace.location()).await.problem(404, "not_found");
        let after = ada.get("/v1/changes?limit=1000").await.expect(200);
        assert_eq!(after.body, log.body);
        let real = revert(&ada, deleted).await.expect(200);
        assert_eq!((&real.body["reverted"], &real.body["left_alone"]), (&dry.body["reverted"], &dry.body["left_alone"]));
    }

    async fn what_changed_since_is_left_alone_and_named(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let patched = ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        let now = ada.patch(&made.location(), &json!({"headline": "Admiral"})).await.expect(200);

        for version in [&made.body["version"], &patched.body["version"]] {
            let reply = revert(&ada, version).await;
            reply.problem(409, "revert_blocked");
            assert_eq!(left_alone(&reply), [format!("changed_since {}", made.id())]);
        }
        assert_eq!(ada.get(&made.location()).await.expect(200).body, now.body);
        ada.delete(&made.location()).await.expect(204);
        let reply = revert(&ada, &now.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("changed_since {}", made.id())]);
    }

    async fn a_reference_is_linked_again_beside_what_changed_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let told = make(&ada, json!({"given_name": "A", "how_met": {"on": "2024", "introduced_by_id": grace.id()}})).await;
        let bare = introduced(&ada, "B", &grace).await;
        let filled = introduced(&ada, "C", &grace).await;
        let gone = introduced(&ada, "D", &grace).await;
        let other = make(&ada, json!({"given_name": "Other"})).await;
        ada.delete(&grace.location()).await.expect(204);
        let deleted = newest(&ada).await;
        for contact in [&told, &bare] {
            ada.patch(&contact.location(), &json!({"nickname": "new"})).await.expect(200);
        }
        ada.patch(&filled.location(), &json!({"how_met": {"introduced_by_id": other.id()}})).await.expect(200);
        ada.delete(&gone.location()).await.expect(204);

        let reply = revert(&ada, deleted).await.expect(200);

        assert_eq!(left_alone(&reply), sorted([
            format!("changed_since {}", filled.id()),
            format!("changed_since {}", gone.id()),
        ]));
        assert_eq!(done(&reply), sorted([
            format!("restored {}", grace.id()), format!("reset {}", told.id()), format!("reset {}", bare.id()),
        ]));
        for contact in [&told, &bare] {
            let now = ada.get(&contact.location()).await.expect(200);
            assert_eq!((&now.body["nickname"], &now.body["how_met"]), (&json!("new"), &contact.body["how_met"]));
        }
        let now = ada.get(&filled.location()).await.expect(200);
        assert_eq!(now.body["how_met"]["introduced_by_id"], other.body["id"]);
    }

    async fn a_create_that_others_refer_to_by_now_is_left_alone(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        introduced(&ada, "One", &grace).await;
        let reply = revert(&ada, &grace.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("has_gained_references {}", grace.id())]);
        ada.get(&grace.location()).await.expect(200);
    }

    async fn a_delete_of_an_id_that_is_in_use_again_is_left_alone(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        ada.delete(&grace.location()).await.expect(204);
        let deleted = newest(&ada).await;
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        let reply = revert(&ada, deleted).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("id_taken {}", grace.id())]);
    }

    async fn what_would_refer_to_nothing_is_left_alone(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = introduced(&ada, "One", &grace).await;
        let two = introduced(&ada, "Two", &grace).await;
        let unlinked = ada.patch(&two.location(), &json!({"how_met": null})).await.expect(200);
        ada.delete(&one.location()).await.expect(204);
        let deleted = newest(&ada).await;
        ada.delete(&grace.location()).await.expect(204);

        for (version, left) in [(deleted, &one), (unlinked.body["version"].as_i64().unwrap(), &two)] {
            let reply = revert(&ada, version).await;
            reply.problem(409, "revert_blocked");
            assert_eq!(left_alone(&reply), [format!("reference_gone {}", left.id())]);
        }
        let reply = ada.post_nothing(&format!("{}/restore", one.location())).await;
        reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("reference_gone {}", one.id())]);
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        revert(&ada, deleted).await.expect(200);
        assert_eq!(entered(&ada.get(&one.location()).await.expect(200)), entered(&one));
    }

    async fn oneself_is_never_removed_by_a_revert(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200);
        let own = me.body["self_contact_id"].as_str().unwrap();
        let first = ada.get(&format!("/v1/contacts/{own}")).await.expect(200);
        let reply = revert(&ada, &first.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("self_contact {own}")]);
        let patched = ada.patch(&format!("/v1/contacts/{own}"), &json!({"headline": "x"})).await.expect(200);
        revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(ada.get(&format!("/v1/contacts/{own}")).await.expect(200).body["headline"], Value::Null);
    }

    async fn only_a_change_of_ones_own_can_be_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let mut made = make(&ada, json!({"given_name": "Grace"})).await;
        for _ in 0..3 {
            made = make(&ada, json!({"given_name": "Grace"})).await;
        }
        revert(&bob, &made.body["version"]).await.problem(404, "not_found");
        for nonsense in ["0", "-1", "999999", "x", "1.5", "99999999999999999999"] {
            revert(&ada, nonsense).await.problem(404, "not_found");
        }
        let path = format!("/v1/changes/{}/revert", made.body["version"]);
        let reply = ada.post(&path, &json!({"dry_run": true})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/dry_run unknown_field"]);
        ada.post_nothing(&format!("{path}?dry_run=yes")).await.problem(400, "invalid_parameter");
        ada.get(&made.location()).await.expect(200);
    }

    async fn restore_brings_a_deleted_contact_back_whole(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace", "emails": {"w": {"value": "grace@example.com"}}})).await;
        let restore = format!("{}/restore", made.location());
        let alive = ada.post_nothing(&restore).await.expect(200);
        assert_eq!((&alive.body, alive.etag()), (&made.body, made.etag()), "one that exists stays as it is");
        ada.post_nothing("/v1/contacts/01939d5e-8c00-7000-8000-0000000000ff/restore").await.problem(404, "not_found");

        ada.delete(&made.location()).await.expect(204);
        ada.get(&made.location()).await.problem(404, "not_found");
        let restored = ada.post_nothing(&restore).await.expect(200);

        assert_eq!(entered(&restored), entered(&made));
        assert_eq!(ada.get(&made.location()).await.expect(200).etag(), restored.etag());
        assert_eq!(ada.get("/v1/contacts?q=grac").await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/contacts/lookup?email=grace@example.com").await.expect(200).items().len(), 1);
        let history = ada.get(&format!("{}/history", made.location())).await.expect(200);
        let ops: Vec<_> = history.items().iter().map(|entry| entry["op"].as_str().unwrap()).collect();
        assert_eq!(ops, ["created", "deleted", "created"]);
        let reply = ada.post(&restore, &json!({"given_name": "x"})).await;
        reply.problem(422, "invalid");
    }

    async fn history_tells_who_changed_which_field_when_from_what_to_what(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200);
        let actor = json!({"user_id": me.body["user"]["id"], "token_id": null});
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        server.clock.advance(chrono::TimeDelta::hours(1));
        let ada = server.login("ada@example.com").await;
        let change = json!({"given_name": "Amazing", "emails": {"w": {"value": "g@example.com"}}});
        let patched = ada.patch(&made.location(), &change).await.expect(200);
        ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        ada.delete(&made.location()).await.expect(204);

        let at = format!("{}/history", made.location());
        let history = ada.get(&at).await.expect(200);

        let [deleted, second, first, created] = history.items() else { panic!("{history}") };
        assert_eq!((&created["op"], &created["at"]), (&json!("created"), &json!("2026-03-02T09:00:00Z")));
        assert_eq!((&created["fields"], &created["from"], &created["to"]), (&json!([]), &Value::Null, &made.body));
        assert_eq!(created["version"], made.body["version"]);
        assert_eq!((&first["op"], &first["at"]), (&json!("updated"), &json!("2026-03-02T10:00:00Z")));
        assert_eq!(first["fields"], json!(["emails", "given_name", "name", "sort_name"]));
        assert_eq!(first["from"], json!({"emails": {}, "given_name": "Grace", "name": "Grace", "sort_name": "Grace"}));
        assert_eq!(first["to"], json!({"emails": patched.body["emails"], "given_name": "Amazing", "name": "Amazing",
            "sort_name": "Amazing"}));
        assert_eq!((&second["from"], &second["to"]), (&json!({"nickname": null}), &json!({"nickname": "G"})));
        assert_eq!((&deleted["op"], &deleted["to"], &deleted["fields"]), (&json!("deleted"), &Value::Null, &json!([])));
        assert_eq!(deleted["from"]["nickname"], "G");
        for entry in history.items() {
            assert_eq!(entry["actor"], actor);
        }
        let mut paged = Vec::new();
        let mut next = Some(format!("{at}?limit=1"));
        while let Some(path) = next {
            let page = ada.get(&path).await.expect(200);
            paged.extend_from_slice(page.items());
            next = page.next_link();
        }
        assert_eq!(paged, history.items());
        let other = make(&ada, json!({"given_name": "Other"})).await;
        let cursor = ada.get(&format!("{at}?limit=1")).await.expect(200).body["next_cursor"].as_str().unwrap().to_owned();
        ada.get(&format!("{}/history?cursor={cursor}", other.location())).await.problem(400, "invalid_cursor");
        for wrong in ["limit=0", "limit=201"] {
            ada.get(&format!("{at}?{wrong}")).await.problem(400, "invalid_parameter");
        }
        ada.get("/v1/contacts/01939d5e-8c00-7000-8000-0000000000ff/history").await.problem(404, "not_found");
    }
}
