//! Tags: labels become records when they are first used, and what is done to one is done to all that carry it.

use serde_json::{Value, json};
use wellmet::domain::tag::CARRIERS;

use crate::{operations::operations, support::*};

async fn tagged(client: &Client, name: &str, tags: &[&str]) -> Reply {
    client.post("/v1/contacts", &json!({ "given_name": name, "tags": tags })).await.expect(201)
}

async fn tags_of(client: &Client, record: &Reply) -> Value {
    client.get(&record.location()).await.expect(200).body["tags"].clone()
}

/// Each tag as `name: contacts + organizations`, by name.
async fn counted(client: &Client) -> Vec<String> {
    let page = client.get("/v1/tags?include=counts&sort=name&limit=200").await.expect(200);
    let told = page.items().iter().map(|tag| {
        let (name, counts) = (tag["name"].as_str().unwrap(), &tag["counts"]);
        format!("{name}: {} + {}", counts["contacts"], counts["organizations"])
    });
    told.collect()
}

async fn named(client: &Client, name: &str) -> Value {
    let all = client.get("/v1/tags?limit=200").await.expect(200);
    all.items().iter().find(|tag| tag["name"] == name).cloned().unwrap_or_else(|| panic!("no tag {name} in {all}"))
}

async fn revert(client: &Client, write: &Reply) -> Reply {
    let number = write.header("wellmet-write").expect("the number of the write");
    client.post_nothing(&format!("/v1/changes/{number}/revert")).await
}

fn path(tag: &Value) -> String {
    format!("/v1/tags/{}", tag["id"].as_str().unwrap())
}

on_both! {
    async fn a_label_becomes_a_tag_when_it_is_first_used_and_has_one_spelling(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["Kraków", "VIP"]).await;
        assert_eq!(one.body["tags"], json!(["Kraków", "VIP"]));
        let two = tagged(&ada, "Two", &["KRAKOW", "new"]).await;
        assert_eq!(two.body["tags"], json!(["Kraków", "new"]), "the first spelling is kept");
        ada.post("/v1/organizations", &json!({"name": "Acme", "tags": ["vip"]})).await.expect(201);
        let patched = ada.patch(&two.location(), &json!({"add_tags": ["Vip"], "remove_tags": ["NEW"]})).await.expect(200);
        assert_eq!(patched.body["tags"], json!(["Kraków", "VIP"]));
        assert_eq!(counted(&ada).await, ["Kraków: 2 + 0", "new: 0 + 0", "VIP: 2 + 1"]);
        assert_eq!(ada.get("/v1/contacts?tag=kraków&tag[all]=vip").await.expect(200).items().len(), 2);
    }

    async fn a_tag_that_comes_with_a_record_is_of_its_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = tagged(&ada, "One", &["x"]).await;
        let tag = named(&ada, "x").await;
        ada.post_nothing(&format!("/v1/changes/{}/revert", made.body["version"])).await.expect(200);
        ada.get(&path(&tag)).await.problem(404, "not_found");
        let made = tagged(&ada, "Two", &["y"]).await;
        tagged(&ada, "Three", &["y"]).await;
        let reverted = ada.post_nothing(&format!("/v1/changes/{}/revert", made.body["version"])).await.expect(200);
        assert_eq!(reverted.body["left_alone"][0]["reason"], "has_gained_references", "another carries it by now");
        assert_eq!(counted(&ada).await, ["y: 1 + 0"]);
    }

    async fn renaming_a_tag_renames_it_wherever_it_is_carried_in_one_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["a", "rust", "b"]).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme", "tags": ["Rust"]})).await.expect(201);
        let tag = named(&ada, "rust").await;
        let renamed = ada.patch(&path(&tag), &json!({"name": "Rust lang", "color": "#ABCDEF"})).await.expect(200);
        assert_eq!((&renamed.body["name"], &renamed.body["color"]), (&json!("Rust lang"), &json!("#abcdef")));
        assert_eq!(tags_of(&ada, &one).await, json!(["a", "Rust lang", "b"]));
        assert_eq!(tags_of(&ada, &acme).await, json!(["Rust lang"]));
        assert_eq!(ada.get("/v1/contacts?tag=rust").await.expect(200).items().len(), 0);
        assert_eq!(ada.get("/v1/contacts?q=lang").await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/contacts?q=rust%20x").await.expect(200).items().len(), 0);
        ada.post_nothing(&format!("/v1/changes/{}/revert", renamed.body["version"])).await.expect(200);
        assert_eq!(tags_of(&ada, &one).await, json!(["a", "rust", "b"]));
        assert_eq!(tags_of(&ada, &acme).await, json!(["rust"]));
        assert_eq!(counted(&ada).await, ["a: 1 + 0", "b: 1 + 0", "rust: 1 + 1"]);
    }

    async fn a_tag_is_renamed_in_every_kind_of_record_that_carries_tags(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for carrier in CARRIERS {
            let operation = operations().into_iter().find(|one| one.id() == format!("create_{}", carrier.as_str()));
            let mut body = operation.expect("the operation").body_examples()[0].clone();
            body.as_object_mut().unwrap().retain(|field, value| value.is_string() && !field.ends_with("id"));
            body["tags"] = json!(["one"]);
            let made = ada.post(&format!("/v1/{}", carrier.segment()), &body).await.expect(201);
            let tag = named(&ada, "one").await;
            ada.patch(&path(&tag), &json!({"name": "two"})).await.expect(200);
            assert_eq!(tags_of(&ada, &made).await, json!(["two"]), "{carrier}");
            ada.delete(&path(&tag)).await.expect(204);
            assert_eq!(tags_of(&ada, &made).await, json!([]), "{carrier}");
        }
    }

    async fn a_name_is_had_by_one_tag_only(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let first = ada.post("/v1/tags", &json!({"name": "Kraków"})).await.expect(201);
        let problem = ada.post("/v1/tags", &json!({"name": " KRAKOW "})).await.problem(409, "name_taken");
        assert!(problem["detail"].as_str().unwrap().contains(&first.id()), "{problem}");
        let other = ada.post("/v1/tags", &json!({"name": "Łódź"})).await.expect(201);
        ada.patch(&other.location(), &json!({"name": "kraków"})).await.problem(409, "name_taken");
        ada.patch(&first.location(), &json!({"name": "KRAKÓW"})).await.expect(200);
        for blank in ["", "   ", "\u{200b}\n"] {
            ada.post("/v1/tags", &json!({"name": blank})).await.problem(422, "invalid");
            let reply = ada.post("/v1/contacts", &json!({"given_name": "X", "tags": [blank]})).await;
            assert_eq!(reply.errors(), ["#/tags/0 too_short"], "{blank:?}");
        }
        ada.post("/v1/tags", &json!({"name": "x", "color": "red"})).await.problem(422, "invalid");
    }

    async fn a_deleted_tag_is_taken_from_all_and_comes_back_to_all(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["a", "x"]).await, tagged(&ada, "Two", &["x"]).await);
        let tag = named(&ada, "x").await;
        ada.delete(&path(&tag)).await.expect(204);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["a"]), json!([])));
        let restored = ada.post_nothing(&format!("{}/restore", path(&tag))).await.expect(200);
        assert_eq!(restored.body["name"], "x");
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["a", "x"]), json!(["x"])));
        assert_eq!(counted(&ada).await, ["a: 1 + 0", "x: 2 + 0"]);
    }

    async fn what_a_tag_was_taken_from_gets_it_back_whatever_else_changed_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["a", "x", "b"]).await;
        let tag = named(&ada, "x").await;
        ada.delete(&path(&tag)).await.expect(204);
        ada.patch(&one.location(), &json!({"nickname": "n", "add_tags": ["c"]})).await.expect(200);
        ada.post_nothing(&format!("{}/restore", path(&tag))).await.expect(200);
        let back = ada.get(&one.location()).await.expect(200);
        assert_eq!((&back.body["tags"], &back.body["nickname"]), (&json!(["a", "b", "c", "x"]), &json!("n")));
        let renamed = ada.patch(&path(&tag), &json!({"name": "y"})).await.expect(200);
        ada.patch(&one.location(), &json!({"nickname": "m"})).await.expect(200);
        let reverted = ada.post_nothing(&format!("/v1/changes/{}/revert", renamed.body["version"])).await.expect(200);
        assert_eq!(reverted.body["left_alone"], json!([]));
        assert_eq!(reverted.body["reverted"].as_array().map(Vec::len), Some(2), "the tag and who carries it: {reverted}");
        let back = ada.get(&one.location()).await.expect(200);
        assert_eq!((&back.body["tags"], &back.body["nickname"]), (&json!(["a", "b", "c", "x"]), &json!("m")));
    }

    async fn a_tag_that_was_made_anew_with_its_carrier_is_taken_off_by_undo(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &[]).await;
        let tag = ada.patch(&one.location(), &json!({"add_tags": ["x"]})).await.expect(200);
        let delete = ada.delete(&one.location()).await.expect(204);
        revert(&ada, &tag).await.expect(200);
        assert_eq!(counted(&ada).await, Vec::<String>::new());
        revert(&ada, &delete).await.expect(200);
        assert_eq!(tags_of(&ada, &one).await, json!(["x"]));

        let reverted = revert(&ada, &tag).await.expect(200);
        assert!(reverted.body["write"].is_i64(), "{reverted}");
        assert_eq!(tags_of(&ada, &one).await, json!([]));
        assert_eq!(counted(&ada).await, ["x: 0 + 0"]);
    }

    async fn undo_tells_a_tag_from_another_that_has_its_name_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["x"]).await;
        let added = ada.patch(&one.location(), &json!({"add_tags": ["y"]})).await.expect(200);
        ada.delete(&path(&named(&ada, "x").await)).await.expect(204);
        tagged(&ada, "Two", &["x"]).await;
        revert(&ada, &added).await.expect(200);
        assert_eq!(tags_of(&ada, &one).await, json!([]), "the tag that was deleted since does not come back");

        let three = tagged(&ada, "Three", &[]).await;
        let added = ada.patch(&three.location(), &json!({"add_tags": ["b"]})).await.expect(200);
        ada.delete(&path(&named(&ada, "b").await)).await.expect(204);
        ada.patch(&three.location(), &json!({"add_tags": ["a"]})).await.expect(200);
        ada.patch(&path(&named(&ada, "a").await), &json!({"name": "b"})).await.expect(200);
        revert(&ada, &added).await;
        assert_eq!(tags_of(&ada, &three).await, json!(["b"]), "it was another tag when it was added");
    }

    async fn a_deleted_tag_does_not_come_back_where_its_name_is_taken(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let tag = ada.post("/v1/tags", &json!({"name": "x"})).await.expect(201);
        ada.delete(&tag.location()).await.expect(204);
        tagged(&ada, "One", &["X"]).await;
        let problem = ada.post_nothing(&format!("{}/restore", tag.location())).await.problem(409, "restore_blocked");
        assert_eq!(problem["left_alone"][0]["reason"], "name_taken");
        assert_eq!(counted(&ada).await, ["X: 1 + 0"]);
    }

    async fn merged_tags_are_one_everywhere_and_can_be_taken_apart(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["js", "a", "javascript"]).await;
        let two = tagged(&ada, "Two", &["ecmascript", "b"]).await;
        let (keep, js) = (named(&ada, "javascript").await, named(&ada, "js").await);
        let ids = [js["id"].clone(), named(&ada, "ecmascript").await["id"].clone()];
        let body = json!({"keep_id": keep["id"], "merge_ids": ids, "fields": {"name": "JavaScript"}});
        let rehearsed = ada.post("/v1/tags/merge?dry_run=true", &body).await.expect(200);
        assert_eq!((&rehearsed.body["tag"]["name"], &rehearsed.body["write"]), (&json!("JavaScript"), &Value::Null));
        assert_eq!(tags_of(&ada, &two).await, json!(["ecmascript", "b"]), "nothing was done");
        let merged = ada.post("/v1/tags/merge", &body).await.expect(200);
        assert_eq!(tags_of(&ada, &one).await, json!(["a", "JavaScript"]));
        assert_eq!(tags_of(&ada, &two).await, json!(["JavaScript", "b"]));
        assert_eq!(ada.get(&path(&js)).await.expect(200).body["id"], keep["id"], "an old id leads to the survivor");
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(tags_of(&ada, &one).await, json!(["js", "a", "javascript"]));
        assert_eq!(tags_of(&ada, &two).await, json!(["ecmascript", "b"]));
        assert_eq!(ada.get(&path(&js)).await.expect(200).body["name"], "js");
        assert_eq!(counted(&ada).await, ["a: 1 + 0", "b: 1 + 0", "ecmascript: 1 + 0", "javascript: 1 + 0", "js: 1 + 0"]);
    }

    async fn a_merge_that_renames_is_taken_back_as_well(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["alpha"]).await, tagged(&ada, "Two", &["beta"]).await);
        let (alpha, beta) = (named(&ada, "alpha").await, named(&ada, "beta").await);
        let body = json!({"keep_id": alpha["id"], "merge_ids": [beta["id"]], "fields": {"name": "beta"}});
        let merged = ada.post("/v1/tags/merge", &body).await.expect(200);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["beta"]), json!(["beta"])));
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["alpha"]), json!(["beta"])));
        assert_eq!(counted(&ada).await, ["alpha: 1 + 0", "beta: 1 + 0"]);
    }

    async fn two_tags_that_changed_names_change_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["one"]).await, tagged(&ada, "Two", &["two"]).await);
        let (first, second) = (path(&named(&ada, "one").await), path(&named(&ada, "two").await));
        let rename = |path: &str, name: &str| json!({"method": "PATCH", "path": path, "body": {"name": name}});
        let operations = [rename(&first, "tmp"), rename(&second, "one"), rename(&first, "two")];
        let swapped = ada.post("/v1/batch", &json!({"atomic": true, "operations": operations})).await.expect(207);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["two"]), json!(["one"])), "{swapped}");
        ada.post_nothing(&format!("/v1/changes/{}/revert", swapped.body["write"])).await.expect(200);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["one"]), json!(["two"])));
        assert_eq!(ada.get(&first).await.expect(200).body["name"], "one");
    }

    async fn a_workspace_has_ten_thousand_tags_at_most(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        tagged(&ada, "One", &["x"]).await;
        // The ten thousand are copies in the table; the check counts them.
        let number = match server.database.backend {
            Backend::Sqlite => "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
                INSERT INTO tags SELECT workspace_id, randomblob(16), version, created_at, updated_at, 'n' || i, 'n' || i, NULL FROM tags, n",
            Backend::Postgres => "INSERT INTO tags SELECT workspace_id, gen_random_uuid(), version, created_at, updated_at, 'n' || i, 'n' || i, NULL
                FROM tags, generate_series(1, 9999) AS i",
        };
        server.database.execute(number);
        let reply = ada.post("/v1/tags", &json!({"name": "one more"})).await;
        assert_eq!(reply.errors(), ["#/name too_long"], "{reply}");
        let reply = ada.post("/v1/contacts", &json!({"given_name": "Two", "tags": ["x", "one more"]})).await;
        assert_eq!(reply.errors(), ["#/tags too_long"], "{reply}");
        tagged(&ada, "Three", &["X"]).await;
        let limits = server.client().get("/v1").await.expect(200);
        assert_eq!(limits.body["limits"]["tags"], 10_000);
    }
}

#[test]
fn every_kind_of_record_that_carries_tags_is_known_to_do_so() {
    use wellmet::domain::{entity::Entity, tag::MAX_PER_RECORD};
    let document = crate::operations::document();
    let tags = |entity: &Entity| {
        let name: String = entity.as_str().split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        &document["components"]["schemas"][format!("{name}Input")]["properties"]["tags"]
    };
    let carriers: Vec<Entity> = Entity::ALL.iter().copied().filter(|entity| !tags(entity).is_null()).collect();
    assert_eq!(carriers, CARRIERS);
    for carrier in CARRIERS {
        assert_eq!(tags(carrier)["maxItems"], MAX_PER_RECORD, "{carrier}");
    }
}
