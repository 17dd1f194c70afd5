//! Undo: every kind of write can be taken back, what changed since is left alone and named, and a record's history tells
//! who changed what.

use serde_json::{Value, json};
use wellmet::clock::ManualClock;

use crate::support::{Backend, Client, Reply, TestServer};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn introduced(client: &Client, name: &str, by: &Reply) -> Reply {
    make(client, json!({"given_name": name, "how_met": {"introduced_by_id": by.id()}})).await
}

/// The number of the newest change.
async fn newest(client: &Client) -> i64 {
    let log = client.log().await;
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
            assert!(one["entity"].is_string(), "{one}");
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

/// The fields that a revert left alone of one record.
fn fields_kept(reply: &Reply, record: &Reply) -> Value {
    let left = reply.body["left_alone"].as_array().unwrap().iter();
    let mut own = left.filter(|one| one["id"] == record.id());
    let fields = own.next().map_or(json!([]), |one| one["fields"].clone());
    assert!(own.next().is_none(), "named once: {reply}");
    fields
}

const NONE: [String; 0] = [];

/// Every record there is, without what each write stamps on it.
async fn everything(client: &Client) -> Vec<Value> {
    let lists = [
        "contacts?known=any&archived=any&",
        "organizations?",
        "positions?",
        "relationships?",
        "needs?",
        "tags?include=counts&",
    ];
    let operations: Vec<Value> =
        lists.iter().map(|list| json!({"method": "GET", "path": format!("/v1/{list}limit=200")})).collect();
    let reply = client.post("/v1/batch", &json!({ "operations": operations })).await.expect(207);
    let mut all = Vec::new();
    for (list, result) in lists.iter().zip(reply.body["results"].as_array().unwrap()) {
        assert_eq!(result["body"]["next_cursor"], Value::Null, "more than a page of {list}");
        for mut item in result["body"]["items"].as_array().unwrap().clone() {
            for stamp in ["version", "updated_at"] {
                item.as_object_mut().unwrap().remove(stamp);
            }
            item["list"] = json!(list.split('?').next());
            all.push(item);
        }
    }
    all
}

/// The tags that a contact or an organization carries.
async fn tags_of(client: &Client, record: &Reply) -> Value {
    client.get(&record.location()).await.expect(200).body["tags"].clone()
}

async fn tagged(client: &Client, name: &str, tags: &[&str]) -> Reply {
    make(client, json!({"given_name": name, "tags": tags})).await
}

async fn tag_path(client: &Client, name: &str) -> String {
    let all = client.get("/v1/tags?limit=200").await.expect(200);
    let tag =
        all.items().iter().find(|tag| tag["name"] == name).unwrap_or_else(|| panic!("no tag {name} in {all}"));
    format!("/v1/tags/{}", tag["id"].as_str().unwrap())
}

/// Carries out the operations as one write, and tells its number.
async fn at_once(client: &Client, operations: &[Value]) -> i64 {
    let reply = client.post("/v1/batch", &json!({"atomic": true, "operations": operations})).await.expect(207);
    reply.body["write"].as_i64().unwrap_or_else(|| panic!("no write: {reply}"))
}

/// Few, so that one is often in use already, also in another spelling.
const LABELS: [&str; 6] = ["red", "RED", "rot", "blue", "Blau", "blau"];

/// Numbers that look random and are the same at each run: SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn one<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }

    fn label(&mut self) -> &'static str {
        LABELS[self.below(LABELS.len())]
    }

    fn labels(&mut self) -> Vec<&'static str> {
        (0..self.below(3)).map(|_| self.label()).collect()
    }

    /// The id of a record of this list, or of none where there is none.
    fn id(&mut self, records: &[Value], list: &str) -> Value {
        let own: Vec<&Value> = records.iter().filter(|record| record["list"] == list).collect();
        if own.is_empty() { json!(crate::operations::NOBODYS_ID) } else { self.one(&own)["id"].clone() }
    }

    /// One operation of a batch, or two that belong together, on some of these records.
    fn operations(&mut self, records: &[Value], writes: &[i64]) -> Vec<Value> {
        let [contact, other] = [self.id(records, "contacts"), self.id(records, "contacts")];
        let [organization, above] = [self.id(records, "organizations"), self.id(records, "organizations")];
        let [tag, second] = [self.id(records, "tags"), self.id(records, "tags")];
        let position = self.id(records, "positions");
        let at = |list: &str, id: &Value| format!("/v1/{list}/{}", id.as_str().unwrap());
        let (contact_path, organization_path) = (at("contacts", &contact), at("organizations", &organization));
        let post = |path: &str, body: Value| json!({"method": "POST", "path": path, "body": body});
        let patch = |path: &str, body: Value| json!({"method": "PATCH", "path": path, "body": body});
        let delete = |path: &str| json!({"method": "DELETE", "path": path});
        let met = if self.below(2) == 0 { json!({"introduced_by_id": other}) } else { Value::Null };
        let one = match self.below(31) {
            0..=2 => post("/v1/contacts", json!({"given_name": "New", "tags": self.labels(), "how_met": met})),
            3..=5 => patch(&contact_path, json!({"tags": self.labels()})),
            6 => patch(&contact_path, json!({"add_tags": [self.label()], "nickname": self.label()})),
            7 => patch(&contact_path, json!({"how_met": met})),
            8 => delete(&contact_path),
            9 => {
                post("/v1/organizations", json!({"name": self.label(), "tags": self.labels(), "parent_id": null}))
            }
            10 => patch(&organization_path, json!({"tags": self.labels(), "name": self.label()})),
            11 => patch(&organization_path, json!({"parent_id": above})),
            12 => delete(&organization_path),
            13 | 14 => post(
                "/v1/positions",
                json!({"contact_id": contact, "organization_id": organization, "title": self.label(),
                "primary": self.below(2) == 0}),
            ),
            15 => {
                patch(&at("positions", &position), json!({"title": self.label(), "primary": self.below(2) == 0}))
            }
            16 => delete(&at("positions", &position)),
            17 => post(
                "/v1/relationships",
                json!({"contact_id": contact, "related_contact_id": other, "type": "friend"}),
            ),
            18 => post("/v1/needs", json!({"contact_id": contact, "topic": self.label()})),
            19..=21 => patch(&at("tags", &tag), json!({"name": self.label()})),
            22 | 23 => delete(&at("tags", &tag)),
            24 => post("/v1/tags/merge", json!({"keep_id": tag, "merge_ids": [second]})),
            25 => post("/v1/contacts/merge", json!({"keep_id": contact, "merge_ids": [other]})),
            26 => post("/v1/organizations/merge", json!({"keep_id": organization, "merge_ids": [above]})),
            27 if !writes.is_empty() => post(&format!("/v1/changes/{}/revert", self.one(writes)), Value::Null),
            28 | 29 => {
                // The name of a tag that goes is used again.
                let own = records.iter().find(|record| record["list"] == "tags" && record["id"] == tag);
                let again = patch(
                    &contact_path,
                    json!({"tags": [own.map_or("red", |tag| tag["name"].as_str().unwrap())]}),
                );
                let goes = match self.below(3) {
                    0 => delete(&at("tags", &tag)),
                    1 => patch(&at("tags", &tag), json!({"name": "tmp"})),
                    _ => post("/v1/tags/merge", json!({"keep_id": second, "merge_ids": [tag]})),
                };
                return vec![goes, again];
            }
            _ => {
                let body = json!({"given_name": "Anew", "tags": self.labels()});
                let put = json!({"method": "PUT", "path": contact_path, "headers": {"If-None-Match": "*"}, "body": body});
                return vec![delete(&contact_path), put];
            }
        };
        vec![one]
    }
}

/// Writes at random, then takes everything back, the last first.
async fn walk_there_and_back(client: &Client, clock: &ManualClock, seed: u64, steps: usize) -> usize {
    let mut dice = Dice(seed);
    let mut past: Vec<(i64, Vec<Value>, Vec<Value>)> = Vec::new();
    for labels in [vec!["red"], vec!["red", "blue"], vec![]] {
        tagged(client, "Old", &labels).await;
    }
    client.post("/v1/organizations", &json!({"name": "Acme", "tags": ["blue"]})).await.expect(201);
    let mut state = everything(client).await;
    for _ in 0..steps {
        clock.advance(chrono::TimeDelta::seconds(1));
        let writes: Vec<i64> = past.iter().map(|(write, ..)| *write).collect();
        let mut operations: Vec<Value> =
            (0..1 + dice.below(4)).flat_map(|_| dice.operations(&state, &writes)).collect();
        while !operations.is_empty() {
            let reply =
                client.post("/v1/batch", &json!({"atomic": true, "operations": operations})).await.expect(207);
            let failed = |result: &Value| result["status"].as_u64() >= Some(400) && result["status"] != 424;
            if let Some(failed) = reply.body["results"].as_array().unwrap().iter().position(failed) {
                assert!(reply.body["results"][failed]["status"] != 500, "{reply}");
                operations.remove(failed);
                continue;
            }
            if let Some(write) = reply.body["write"].as_i64() {
                past.push((write, operations, state));
                state = everything(client).await;
            }
            break;
        }
    }
    let count = past.len();
    while let Some((write, operations, before)) = past.pop() {
        let reply = revert(client, write).await;
        let what = || format!("seed {seed}, write {write}: {}", json!(operations));
        assert_eq!((reply.status, &reply.body["left_alone"]), (200, &json!([])), "{}: {reply}", what());
        let now = everything(client).await;
        let differ: Vec<_> = before.iter().filter(|one| !now.contains(one)).collect();
        let instead: Vec<_> = now.iter().filter(|one| !before.contains(one)).collect();
        assert_eq!(now, before, "{}\nexpected {}\ngot {}", what(), json!(differ), json!(instead));
    }
    count
}

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
        let log = ada.log().await;
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
        let log = ada.log().await;

        let dry = ada.post_nothing(&format!("/v1/changes/{deleted}/revert?dry_run=true")).await.expect(200);

        assert_eq!(dry.body["dry_run"], true);
        assert_eq!(done(&dry), sorted([format!("restored {}", grace.id()), format!("reset {}", one.id())]));
        ada.get(&grace.location()).await.problem(404, "not_found");
        let after = ada.log().await;
        assert_eq!(after.body, log.body);
        let real = revert(&ada, deleted).await.expect(200);
        assert_eq!((&real.body["reverted"], &real.body["left_alone"]), (&dry.body["reverted"], &dry.body["left_alone"]));
    }

    async fn what_changed_since_is_left_alone_and_named(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let patched = ada.patch(&made.location(), &json!({"nickname": "G", "emails": {"w": {"value": "g@example.com"}}}))
            .await.expect(200);
        let since = json!({"nickname": "Amazing", "headline": "Admiral", "emails": {"w": {"label": "navy"}}});
        let now = ada.patch(&made.location(), &since).await.expect(200);

        for (version, fields) in [(&made, json!([])), (&patched, json!(["/emails/w", "/nickname"]))] {
            let reply = revert(&ada, &version.body["version"]).await;
            reply.problem(409, "revert_blocked");
            assert_eq!(left_alone(&reply), [format!("changed_since {}", made.id())]);
            assert_eq!(fields_kept(&reply, &made), fields);
        }
        assert_eq!(ada.get(&made.location()).await.expect(200).body, now.body);
        ada.delete(&made.location()).await.expect(204);
        let reply = revert(&ada, &now.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("changed_since {}", made.id())]);
    }

    async fn a_field_that_changed_since_stays_and_the_others_go_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace", "headline": "Officer", "skills": ["maths"]})).await;
        let edit = json!({"given_name": "Amazing", "headline": "Admiral", "skills": ["cobol"], "tier": "core"});
        let patched = ada.patch(&made.location(), &edit).await.expect(200);
        ada.patch(&made.location(), &json!({"headline": "Rear admiral", "tier": null, "location": "Arlington"}))
            .await.expect(200);
        let path = format!("/v1/changes/{}/revert", patched.body["version"]);
        let dry = ada.post_nothing(&format!("{path}?dry_run=true")).await.expect(200);
        let reply = ada.post_nothing(&path).await.expect(200);
        assert_eq!((&dry.body["reverted"], &dry.body["left_alone"]), (&reply.body["reverted"], &reply.body["left_alone"]));
        assert_eq!(done(&reply), [format!("reset {}", made.id())]);
        assert_eq!(left_alone(&reply), [format!("changed_since {}", made.id())]);
        assert_eq!(fields_kept(&reply, &made), json!(["/headline"]));
        let mut expected = entered(&made);
        (expected["headline"], expected["location"]) = (json!("Rear admiral"), json!("Arlington"));
        let now = ada.get(&made.location()).await.expect(200);
        assert_eq!(entered(&now), expected);
        assert_eq!((&now.body["name"], &now.body["sort_name"]), (&json!("Grace"), &json!("Grace")));

        // What is back already is nothing to take back.
        let again = revert(&ada, &patched.body["version"]).await;
        again.problem(409, "revert_blocked");
        assert_eq!(fields_kept(&again, &made), json!(["/cadence_since", "/given_name", "/headline", "/skills", "/tier"]));
        revert(&ada, &reply.body["write"]).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["given_name"], "Amazing");
    }

    async fn a_computed_name_follows_from_the_parts_that_went_back_and_those_that_stayed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace", "family_name": "Murray"})).await;
        let patched = ada.patch(&made.location(), &json!({"given_name": "G.", "family_name": "M."})).await.expect(200);
        ada.patch(&made.location(), &json!({"family_name": "Hopper"})).await.expect(200);
        let reply = revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(fields_kept(&reply, &made), json!(["/family_name"]));
        let now = ada.get(&made.location()).await.expect(200).body;
        assert_eq!((&now["name"], &now["sort_name"]), (&json!("Grace Hopper"), &json!("Hopper, Grace")));
    }

    async fn the_entries_of_a_map_are_taken_back_one_by_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let email = |name: &str| json!({"value": format!("{name}@example.com")});
        let made = make(&ada, json!({"given_name": "Grace", "emails": {"gone": email("gone"), "work": email("work")},
            "links": {"blog": {"url": "https://example.com/blog"}}})).await;
        let edit = json!({"emails": {"gone": null, "work": email("office"), "added": email("added")},
            "links": {"blog": {"url": "https://example.com/new"}}});
        let patched = ada.patch(&made.location(), &edit).await.expect(200);
        ada.patch(&made.location(), &json!({"emails": {"work": email("home"), "since": email("since")}})).await.expect(200);
        let reply = revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(fields_kept(&reply, &made), json!(["/emails/work"]));
        let now = ada.get(&made.location()).await.expect(200).body;
        let values: Vec<_> = now["emails"].as_object().unwrap().iter()
            .map(|(key, email)| format!("{key} {}", email["value"].as_str().unwrap())).collect();
        assert_eq!(values, ["gone gone@example.com", "since since@example.com", "work home@example.com"]);
        assert_eq!(now["links"], made.body["links"]);
    }

    async fn a_map_is_not_filled_beyond_what_it_may_hold(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let links = |range: std::ops::Range<usize>| -> Value {
            range.map(|number| (format!("l{number}"), json!({"url": format!("https://example.com/{number}")}))).collect()
        };
        let made = make(&ada, json!({"given_name": "Grace", "links": links(0..50)})).await;
        let patched = ada.patch(&made.location(), &json!({"links": {"l0": null}})).await.expect(200);
        ada.patch(&made.location(), &json!({"links": links(50..51)})).await.expect(200);
        let reply = revert(&ada, &patched.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("limit_reached {}", made.id())]);
    }

    async fn a_record_whose_fields_would_contradict_each_other_is_left_alone_whole(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let who = make(&ada, json!({"given_name": "Grace", "emails": {"a": {"value": "a@example.com", "preferred": true}}})).await;
        let job = ada.post("/v1/positions", &json!({"contact_id": who.id(), "title": "Admiral", "started_on": "2019"}))
            .await.expect(201);
        let other = ada.post("/v1/positions", &json!({"contact_id": who.id(), "title": "Other"})).await.expect(201);
        let edit = |path: String, body: Value| json!({"method": "PATCH", "path": path, "body": body});
        let write = at_once(&ada, &[
            edit(job.location(), json!({"title": "Officer", "started_on": "2012"})),
            edit(other.location(), json!({"title": "Another"})),
            edit(who.location(), json!({"nickname": "G", "emails": {"a": {"preferred": false}}})),
        ]).await;
        let job_now = ada.patch(&job.location(), &json!({"ended_on": "2015"})).await.expect(200);
        let b = json!({"emails": {"b": {"value": "b@example.com", "preferred": true}}});
        let who_now = ada.patch(&who.location(), &b).await.expect(200);

        let reply = revert(&ada, write).await.expect(200);

        assert_eq!(done(&reply), [format!("reset {}", other.id())]);
        assert_eq!(left_alone(&reply), sorted([format!("rule_broken {}", job.id()), format!("rule_broken {}", who.id())]));
        assert_eq!((fields_kept(&reply, &job), fields_kept(&reply, &who)), (json!([]), json!([])));
        for (record, now) in [(&job, &job_now), (&who, &who_now)] {
            assert_eq!(ada.get(&record.location()).await.expect(200).body, now.body);
        }
    }

    async fn tags_are_taken_back_one_by_one_beside_what_changed_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["a", "b"]).await;
        let patched = ada.patch(&one.location(), &json!({"tags": ["b", "c"], "nickname": "O"})).await.expect(200);
        ada.patch(&one.location(), &json!({"add_tags": ["d"], "nickname": "P"})).await.expect(200);
        let reply = revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(fields_kept(&reply, &one), json!(["/nickname"]));
        assert_eq!(tags_of(&ada, &one).await, json!(["b", "a", "d"]));
    }

    async fn a_tag_gets_its_name_back_and_keeps_the_color_it_got_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["red"]).await;
        let path = tag_path(&ada, "red").await;
        let renamed = ada.patch(&path, &json!({"name": "rot"})).await.expect(200);
        ada.patch(&path, &json!({"color": "#ff0000"})).await.expect(200);
        let reply = revert(&ada, &renamed.body["version"]).await.expect(200);
        assert_eq!(left_alone(&reply), NONE);
        let tag = ada.get(&path).await.expect(200).body;
        assert_eq!((&tag["name"], &tag["color"]), (&json!("red"), &json!("#ff0000")));
        assert_eq!(tags_of(&ada, &one).await, json!(["red"]));
    }

    async fn participants_are_taken_back_as_a_whole_beside_what_changed_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (make(&ada, json!({"given_name": "One"})).await, make(&ada, json!({"given_name": "Two"})).await);
        let three = make(&ada, json!({"given_name": "Three"})).await;
        let body = json!({"contact_ids": [one.id(), two.id()], "kind": "coffee", "occurred_on": "2026-02-01"});
        let coffee = ada.post("/v1/interactions", &body).await.expect(201);
        let edit = async |body: Value| ada.patch(&coffee.location(), &body).await.expect(200);
        let patched = edit(json!({"contact_ids": [two.id()]})).await;
        edit(json!({"subject": "Compilers"})).await;
        revert(&ada, &patched.body["version"]).await.expect(200);
        let now = ada.get(&coffee.location()).await.expect(200).body;
        assert_eq!((&now["contact_ids"], &now["subject"]), (&body["contact_ids"], &json!("Compilers")));

        let patched = edit(json!({"contact_ids": [two.id()], "location": "Arlington"})).await;
        edit(json!({"contact_ids": [two.id(), three.id()]})).await;
        let reply = revert(&ada, &patched.body["version"]).await.expect(200);
        assert_eq!(fields_kept(&reply, &coffee), json!(["/contact_ids"]));
        let now = ada.get(&coffee.location()).await.expect(200).body;
        assert_eq!((&now["contact_ids"], &now["location"]), (&json!([two.id(), three.id()]), &Value::Null));
    }

    async fn a_merged_record_is_restored_beside_what_else_changed_since(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = make(&ada, json!({"given_name": "Keep"})).await;
        let other = make(&ada, json!({"given_name": "Other", "emails": {"w": {"value": "o@example.com"}}})).await;
        ada.post("/v1/contacts/merge", &json!({"keep_id": keep.id(), "merge_ids": [other.id()]})).await.expect(200);
        ada.patch(&keep.location(), &json!({"nickname": "K"})).await.expect(200);
        ada.post_nothing(&format!("{}/restore", other.location())).await.expect(200);
        let mut expected = entered(&keep);
        expected["nickname"] = json!("K");
        assert_eq!(entered(&ada.get(&keep.location()).await.expect(200)), expected);
        assert_eq!(entered(&ada.get(&other.location()).await.expect(200)), entered(&other));
    }

    async fn a_position_is_not_made_primary_beside_one_that_has_become_it_and_is_taken_back_too(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let who = make(&ada, json!({"given_name": "Grace"})).await;
        let position = async |title: &str, primary: bool| {
            let body = json!({"contact_id": who.id(), "title": title, "primary": primary});
            ada.post("/v1/positions", &body).await.expect(201)
        };
        let (first, second) = (position("one", true).await, position("two", false).await);
        let edit = |path: String, body: Value| json!({"method": "PATCH", "path": path, "body": body});
        let write = at_once(&ada, &[
            edit(first.location(), json!({"primary": false})),
            edit(second.location(), json!({"title": "zwei"})),
        ]).await;
        ada.patch(&second.location(), &json!({"primary": true})).await.expect(200);
        revert(&ada, write).await.expect(200);
        let all = ada.get("/v1/positions").await.expect(200);
        let primary: Vec<_> = all.items().iter().filter(|one| one["primary"] == true).map(|one| &one["title"]).collect();
        assert_eq!(primary, ["two"]);
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
            let actor = &entry["actor"];
            assert_eq!((&actor["user_id"], &actor["token_id"]), (&me.body["user"]["id"], &Value::Null));
            assert!(actor["session_id"].is_string(), "{actor}");
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

on_both! {
    async fn a_batch_that_uses_the_name_of_a_tag_again_is_taken_back_whole(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["red", "b"]).await, tagged(&ada, "Two", &[]).await);
        let three = tagged(&ada, "Three", &["c"]).await;
        let (red, other) = (tag_path(&ada, "red").await, tag_path(&ada, "c").await);
        let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let before = everything(&ada).await;
        for first in [
            json!({"method": "DELETE", "path": red}),
            json!({"method": "PATCH", "path": red, "body": {"name": "rot"}}),
            json!({"method": "POST", "path": "/v1/tags/merge", "body": {"keep_id": id(&other), "merge_ids": [id(&red)]}}),
        ] {
            for label in ["red", "RED"] {
                let again = json!({"method": "PATCH", "path": two.location(), "body": {"tags": [label, "d"]}});
                let write = at_once(&ada, &[first.clone(), again]).await;
                assert_eq!(tags_of(&ada, &two).await, json!([label, "d"]));
                let reverted = revert(&ada, write).await.expect(200);
                assert_eq!(left_alone(&reverted), NONE, "{first}");
                assert_eq!(tags_of(&ada, &one).await, json!(["red", "b"]), "{first}");
                assert_eq!(tags_of(&ada, &three).await, json!(["c"]), "{first}");
                assert_eq!(everything(&ada).await, before, "{first}");
            }
        }
    }

    async fn what_a_tag_that_is_left_alone_did_to_others_stays(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["alpha"]).await, tagged(&ada, "Two", &["beta"]).await);
        let (a, b) = (tag_path(&ada, "alpha").await, tag_path(&ada, "beta").await);
        let rename = async |tag: &str, name: &str| ada.patch(tag, &json!({"name": name})).await.expect(200);
        rename(&a, "tmp").await;
        let renamed = rename(&b, "alpha").await;
        rename(&a, "beta").await;
        let reply = revert(&ada, &renamed.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), sorted([
            format!("name_taken {}", renamed.id()), format!("changed_since {}", two.id()),
        ]));
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["beta"]), json!(["alpha"])));
    }

    async fn a_label_in_use_again_is_not_doubled_by_undo(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["red"]).await, tagged(&ada, "Two", &["red", "x"]).await);
        let red = tag_path(&ada, "red").await;
        ada.delete(&red).await.expect(204);
        let deleted = newest(&ada).await;
        ada.patch(&one.location(), &json!({"tags": ["RED"]})).await.expect(200);
        let reply = revert(&ada, deleted).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), sorted([
            format!("name_taken {}", red.rsplit('/').next().unwrap()),
            format!("changed_since {}", one.id()),
            format!("changed_since {}", two.id()),
        ]));
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["RED"]), json!(["x"])));
    }

    async fn the_label_of_a_tag_that_was_purged_does_not_come_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let one = tagged(&ada, "One", &["red", "b"]).await;
        let red = tag_path(&ada, "red").await;
        ada.delete(&format!("{red}?purge=true")).await.expect(204);
        let reply = revert(&ada, newest(&ada).await).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), sorted([
            format!("no_longer_kept {}", red.rsplit('/').next().unwrap()), format!("changed_since {}", one.id()),
        ]));
        assert_eq!(tags_of(&ada, &one).await, json!(["b"]));
    }

    async fn a_label_that_comes_back_is_that_of_its_tag_whatever_it_is_called_by_now(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, two) = (tagged(&ada, "One", &["alpha"]).await, tagged(&ada, "Two", &["beta"]).await);
        let (a, b) = (tag_path(&ada, "alpha").await, tag_path(&ada, "beta").await);
        let cleared = ada.patch(&one.location(), &json!({"tags": []})).await.expect(200);
        ada.patch(&a, &json!({"name": "gamma"})).await.expect(200);
        ada.patch(&b, &json!({"name": "alpha"})).await.expect(200);
        revert(&ada, &cleared.body["version"]).await.expect(200);
        assert_eq!((tags_of(&ada, &one).await, tags_of(&ada, &two).await), (json!(["gamma"]), json!(["alpha"])));
    }

    async fn who_came_to_a_tag_since_keeps_it_under_the_name_it_gets_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        tagged(&ada, "One", &["red"]).await;
        let renamed = ada.patch(&tag_path(&ada, "red").await, &json!({"name": "rot"})).await.expect(200);
        let late = tagged(&ada, "Late", &["a", "Rot"]).await;
        let reverted = revert(&ada, &renamed.body["version"]).await.expect(200);
        assert_eq!(left_alone(&reverted), NONE);
        assert_eq!(tags_of(&ada, &late).await, json!(["a", "red"]));
    }

    async fn a_position_edited_meanwhile_is_linked_again_to_its_organization(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let who = make(&ada, json!({"given_name": "Wile"})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let other = ada.post("/v1/organizations", &json!({"name": "Other"})).await.expect(201);
        let position = async |name: Value| ada.post("/v1/positions", &json!({"contact_id": who.id(), "organization_id": acme.id(),
            "organization_name": name, "title": "T"})).await.expect(201);
        let [edited, own, retyped, moved, gone] = [position(Value::Null).await, position(json!("ACME Corp.")).await,
            position(Value::Null).await, position(Value::Null).await, position(Value::Null).await];
        for way in ["restore", "revert"] {
            ada.patch(&moved.location(), &json!({"organization_id": acme.id()})).await.expect(200);
            ada.delete(&acme.location()).await.expect(204);
            let deleted = newest(&ada).await;
            assert_eq!(ada.get(&edited.location()).await.expect(200).body["organization_name"], "Acme");
            for one in [&edited, &own, &moved] {
                ada.patch(&one.location(), &json!({"title": format!("U {way}")})).await.expect(200);
            }
            ada.patch(&retyped.location(), &json!({"organization_name": "Acme Inc."})).await.expect(200);
            ada.patch(&moved.location(), &json!({"organization_id": other.id(), "organization_name": null})).await.expect(200);
            if way == "restore" {
                ada.delete(&gone.location()).await.expect(204);
                ada.post_nothing(&format!("{}/restore", acme.location())).await.expect(200);
            } else {
                let reverted = revert(&ada, deleted).await.expect(200);
                assert_eq!(left_alone(&reverted), [format!("changed_since {}", moved.id())]);
            }
            let linked = async |one: &Reply| {
                let now = ada.get(&one.location()).await.expect(200).body;
                (now["organization_id"].clone(), now["organization_name"].clone())
            };
            assert_eq!(linked(&edited).await, (json!(acme.id()), Value::Null));
            assert_eq!(linked(&own).await, (json!(acme.id()), json!("ACME Corp.")));
            assert_eq!(linked(&retyped).await, (json!(acme.id()), json!("Acme Inc.")));
            assert_eq!(linked(&moved).await, (json!(other.id()), Value::Null));
            assert_eq!(ada.get(&edited.location()).await.expect(200).body["title"], format!("U {way}"));
        }
    }

    async fn the_name_that_was_kept_goes_also_where_it_was_changed_in_the_same_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let who = make(&ada, json!({"given_name": "Wile"})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let position = ada.post("/v1/positions", &json!({"contact_id": who.id(), "organization_id": acme.id()})).await.expect(201);
        at_once(&ada, &[
            json!({"method": "PATCH", "path": acme.location(), "body": {"name": "Acme Inc."}}),
            json!({"method": "DELETE", "path": acme.location()}),
        ]).await;
        let edited = ada.patch(&position.location(), &json!({"title": "T"})).await.expect(200);
        assert_eq!(edited.body["organization_name"], "Acme Inc.");
        ada.post_nothing(&format!("{}/restore", acme.location())).await.expect(200);
        let now = ada.get(&position.location()).await.expect(200);
        assert_eq!((&now.body["organization_id"], &now.body["organization_name"]), (&acme.body["id"], &Value::Null));
        assert_eq!(now.body["title"], "T");
    }

    async fn a_merged_record_is_restored_with_all_of_the_merge_or_not_at_all(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = make(&ada, json!({"given_name": "Keep"})).await;
        let other = make(&ada, json!({"given_name": "Other", "emails": {"w": {"value": "o@example.com"}}})).await;
        let merged = ada.post("/v1/contacts/merge", &json!({"keep_id": keep.id(), "merge_ids": [other.id()]})).await.expect(200);
        ada.patch(&keep.location(), &json!({"nickname": "K", "emails": {"w": {"label": "work"}}})).await.expect(200);
        let before = everything(&ada).await;
        let restore = format!("{}/restore", other.location());
        let reply = ada.post_nothing(&restore).await;
        let problem = reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("changed_since {}", keep.id())]);
        let way_out = format!("/v1/changes/{}/revert", merged.body["write"]);
        assert!(problem["detail"].as_str().unwrap().contains(&format!("POST {way_out} ")), "{problem}");
        assert_eq!(everything(&ada).await, before, "nothing is changed");
        assert_eq!(fields_kept(&reply, &keep), json!(["/emails/w"]));
        let reverted = ada.post_nothing(&way_out).await.expect(200);
        assert_eq!(left_alone(&reverted), [format!("changed_since {}", keep.id())]);
        assert_eq!(fields_kept(&reverted, &keep), json!(["/emails/w"]));
        assert_eq!(ada.get(&other.location()).await.expect(200).body["id"], other.body["id"]);
    }

    async fn a_record_is_restored_with_all_that_went_along_or_not_at_all(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let wile = make(&ada, json!({"given_name": "Wile"})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let position = ada.post("/v1/positions", &json!({"contact_id": wile.id(), "organization_id": acme.id()})).await.expect(201);
        ada.delete(&wile.location()).await.expect(204);
        ada.delete(&acme.location()).await.expect(204);
        let reply = ada.post_nothing(&format!("{}/restore", wile.location())).await;
        reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("reference_gone {}", position.id())]);
        ada.get(&wile.location()).await.problem(404, "not_found");
        ada.post_nothing(&format!("{}/restore", acme.location())).await.expect(200);
        ada.post_nothing(&format!("{}/restore", wile.location())).await.expect(200);
        assert_eq!(entered(&ada.get(&position.location()).await.expect(200)), entered(&position));
    }

    async fn restoring_one_record_leaves_what_else_its_write_did(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = make(&ada, json!({"given_name": "One", "tags": ["red", "b"], "how_met": {"introduced_by_id": grace.id()}})).await;
        let red = tag_path(&ada, "red").await;
        at_once(&ada, &[
            json!({"method": "DELETE", "path": grace.location()}),
            json!({"method": "DELETE", "path": red}),
            json!({"method": "PATCH", "path": one.location(), "body": {"nickname": "new", "add_tags": ["c"], "remove_tags": ["b"]}}),
        ]).await;
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        ada.post_nothing(&format!("{red}/restore")).await.expect(200);
        let now = ada.get(&one.location()).await.expect(200);
        assert_eq!((&now.body["nickname"], &now.body["tags"]), (&json!("new"), &json!(["c", "red"])));
        assert_eq!(now.body["how_met"]["introduced_by_id"], grace.body["id"]);
    }

    async fn what_a_batch_has_deleted_can_be_made_anew_in_it_but_not_restored(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace", "tags": ["red"]})).await;
        ada.post("/v1/positions", &json!({"contact_id": grace.id(), "title": "CTO"})).await.expect(201);
        let before = everything(&ada).await;
        let delete = json!({"method": "DELETE", "path": grace.location()});
        let restore = json!({"method": "POST", "path": format!("{}/restore", grace.location())});
        let reply = ada.post("/v1/batch", &json!({"atomic": true, "operations": [delete, restore]})).await.expect(207);
        assert_eq!(reply.body["results"][1]["body"]["code"], "not_found");
        let put = json!({"method": "PUT", "path": grace.location(), "headers": {"If-None-Match": "*"},
            "body": {"given_name": "Grace", "nickname": "G"}});
        let post = json!({"method": "POST", "path": "/v1/contacts", "body": {"id": grace.id(), "given_name": "Grace", "nickname": "G"}});
        for again in [put, post] {
            let write = at_once(&ada, &[delete.clone(), again]).await;
            let history = ada.get(&format!("{}/history", grace.location())).await.expect(200);
            assert_eq!((&history.items()[0]["op"], &history.items()[0]["fields"]), (&json!("updated"), &json!(["nickname", "tags"])));
            assert_eq!(ada.walk("/v1/positions").await.len(), 0, "what it had went along");
            let reverted = revert(&ada, write).await.expect(200);
            assert_eq!(left_alone(&reverted), NONE);
            assert_eq!(everything(&ada).await, before);
        }
        let purge = json!({"method": "DELETE", "path": format!("{}?purge=true", grace.location())});
        let post = json!({"method": "POST", "path": "/v1/contacts", "body": {"id": grace.id(), "given_name": "Grace"}});
        let reply = ada.post("/v1/batch", &json!({"atomic": true, "operations": [purge, post]})).await.expect(207);
        assert_eq!(reply.body["results"][1]["body"]["code"], "deleted");
    }

    async fn a_position_that_comes_back_comes_after_the_one_that_is_first_by_now(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let body = |title: &str| json!({"contact_id": grace.id(), "title": title, "primary": true});
        let first = ada.post("/v1/positions", &body("one")).await.expect(201);
        ada.delete(&first.location()).await.expect(204);
        let second = ada.post("/v1/positions", &body("two")).await.expect(201);
        let restored = ada.post_nothing(&format!("{}/restore", first.location())).await.expect(200);
        assert_eq!(restored.body["primary"], false);
        assert_eq!(ada.get(&second.location()).await.expect(200).body["primary"], true);

        // An edit that took the place away, and is taken back after a third one has it.
        ada.patch(&first.location(), &json!({"primary": true})).await.expect(200);
        let left = ada.patch(&first.location(), &json!({"primary": false})).await.expect(200).body["version"].clone();
        ada.patch(&second.location(), &json!({"primary": true})).await.expect(200);
        revert(&ada, &left).await.expect(200);
        let all = ada.get("/v1/positions").await.expect(200);
        let leading: Vec<_> = all.items().iter().filter(|one| one["primary"] == true).map(|one| &one["title"]).collect();
        assert_eq!(leading, ["two"]);
    }

    async fn what_a_batch_made_and_merged_is_nothing_to_bring_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = make(&ada, json!({"given_name": "Keep"})).await;
        let before = everything(&ada).await;
        let id = "01939d5e-8c00-7000-8000-0000000000b1";
        let write = at_once(&ada, &[
            json!({"method": "POST", "path": "/v1/contacts", "body": {"id": id, "given_name": "Made", "nickname": "M"}}),
            json!({"method": "POST", "path": "/v1/contacts/merge", "body": {"keep_id": keep.id(), "merge_ids": [id]}}),
        ]).await;
        let reply = ada.post_nothing(&format!("/v1/contacts/{id}/restore")).await;
        reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("no_longer_kept {id}")]);
        assert_eq!(ada.get(&keep.location()).await.expect(200).body["nickname"], "M");
        assert_eq!(left_alone(&revert(&ada, write).await.expect(200)), NONE);
        assert_eq!(everything(&ada).await, before);
    }

    async fn nothing_comes_back_beyond_what_there_may_be_of_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let who = make(&ada, json!({"given_name": "Who", "tags": ["red"]})).await;
        let position = async || ada.post("/v1/positions", &json!({"contact_id": who.id(), "title": "T"})).await.expect(201);
        let (first, second) = (position().await, position().await);
        let red = tag_path(&ada, "red").await;
        let last = tagged(&ada, "Last", &["last"]).await;
        let last_tag = tag_path(&ada, "last").await;
        let cleared = ada.patch(&last.location(), &json!({"tags": []})).await.expect(200);
        for path in [&first.location(), &red, &last_tag] {
            ada.delete(path).await.expect(204);
        }
        // Copies in the tables; the checks count them.
        let [positions, tags] = match server.database.backend {
            Backend::Sqlite => ["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 998)
                INSERT INTO positions SELECT p.workspace_id, randomblob(16), p.version, p.created_at, p.updated_at, p.contact_id, NULL,
                NULL, 'T' || i, NULL, p.kind, NULL, NULL, p.is_primary, NULL FROM positions p, n",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                INSERT INTO tags SELECT c.workspace_id, randomblob(16), c.version, c.created_at, c.updated_at, 'n' || i, 'n' || i, NULL FROM contacts c, n WHERE c.given_name = 'Who'"],
            Backend::Postgres => ["INSERT INTO positions SELECT p.workspace_id, gen_random_uuid(), p.version, p.created_at, p.updated_at,
                p.contact_id, NULL, NULL, 'T' || i, NULL, p.kind, NULL, NULL, p.is_primary, NULL FROM positions p, generate_series(1, 998) AS i",
                "INSERT INTO tags SELECT c.workspace_id, gen_random_uuid(), c.version, c.created_at, c.updated_at, 'n' || i, 'n' || i, NULL
                FROM contacts c, generate_series(1, 10000) AS i WHERE c.given_name = 'Who'"],
        };
        server.database.execute(positions);
        ada.post_nothing(&format!("{}/restore", first.location())).await.expect(200);
        ada.delete(&first.location()).await.expect(204);
        position().await;
        let reply = ada.post_nothing(&format!("{}/restore", first.location())).await;
        reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("limit_reached {}", first.id())]);
        ada.delete(&second.location()).await.expect(204);
        ada.post_nothing(&format!("{}/restore", first.location())).await.expect(200);
        server.database.execute(tags);
        let reply = ada.post_nothing(&format!("{red}/restore")).await;
        reply.problem(409, "restore_blocked");
        assert!(left_alone(&reply).iter().any(|one| one.starts_with("limit_reached ")), "{reply}");
        // The label of a tag that is gone makes it anew.
        let reply = revert(&ada, &cleared.body["version"]).await;
        reply.problem(409, "revert_blocked");
        assert_eq!(left_alone(&reply), [format!("limit_reached {}", last.id())]);
    }

    async fn nobody_gets_more_labels_by_undo_than_they_may_have(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let labels: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
        let one = make(&ada, json!({"given_name": "One", "tags": labels})).await;
        let tag = tag_path(&ada, "t7").await;
        ada.delete(&tag).await.expect(204);
        ada.patch(&one.location(), &json!({"add_tags": ["more"]})).await.expect(200);
        let reply = ada.post_nothing(&format!("{tag}/restore")).await;
        reply.problem(409, "restore_blocked");
        assert_eq!(left_alone(&reply), [format!("limit_reached {}", one.id())]);
        ada.patch(&one.location(), &json!({"remove_tags": ["more"]})).await.expect(200);
        ada.post_nothing(&format!("{tag}/restore")).await.expect(200);
    }

    async fn whatever_was_written_is_as_it_was_before_when_all_is_taken_back(server: TestServer) {
        let seeds = std::env::var("WELLMET_WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
        for seed in 1..=seeds {
            let ada = server.register(&format!("ada{seed}@example.com")).await;
            let writes = walk_there_and_back(&ada, &server.clock, seed * 7_919, 20).await;
            assert!(writes >= 5, "{writes} of 20 came to pass with seed {seed}");
        }
    }
}

#[test]
fn every_map_with_keys_of_the_clients_choice_is_known_to_undo() {
    let document = crate::operations::document();
    let schemas = document["components"]["schemas"].as_object().unwrap().values();
    let records = schemas.filter(|schema| schema["properties"]["created_at"].is_object());
    let properties = records.filter_map(|schema| schema["properties"].as_object()).flatten();
    let maps = properties.filter(|(_, schema)| schema["propertyNames"].is_object()).map(|(name, _)| name.as_str());
    let maps: std::collections::BTreeSet<&str> = maps.collect();
    assert_eq!(maps.into_iter().collect::<Vec<_>>(), wellmet::domain::revert::KEYED);
}
