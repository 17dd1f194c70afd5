//! The log of changes: in commit order, nothing missed, the walk from the beginning is the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use wellmet::store::records;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use uuid::Uuid;
use wellmet::domain::contact::{Contact, ContactFields};
use wellmet::domain::id::{ContactId, UserId, WorkspaceId};
use wellmet::store::{self, Actor, AnyId, Precondition, WriteContext};

use crate::support::{Client, PASSWORD, Reply, TestServer};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn since(client: &Client, cursor: &str, limit: u32) -> Reply {
    client.get(&format!("/v1/changes?since={cursor}&limit={limit}")).await.expect(200)
}

fn cursor(reply: &Reply) -> String {
    reply.body["next_cursor"].as_str().unwrap_or_else(|| panic!("no cursor in {reply}")).to_owned()
}

/// Where the log ends now.
async fn end(client: &Client) -> String {
    let page = client.get("/v1/changes?limit=1000").await.expect(200);
    assert_eq!(page.body["has_more"], false);
    cursor(&page)
}

on_both! {
    async fn each_write_is_told_once_in_its_order(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200);
        let session = ada.get("/v1/sessions").await.expect(200).items()[0]["id"].clone();
        let start = end(&ada).await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        server.clock.advance(chrono::TimeDelta::seconds(5));
        let patched = ada.patch(&made.location(), &json!({"nickname": "G", "skills": ["x"]})).await.expect(200);
        let other = make(&ada, json!({"given_name": "Other"})).await;
        ada.delete(&other.location()).await.expect(204);

        let log = since(&ada, &start, 100).await;

        let told: Vec<_> = log.items().iter().map(|change| {
            (change["op"].as_str().unwrap(), change["id"].as_str().unwrap().to_owned(), change["fields"].clone())
        }).collect();
        assert_eq!(told, [
            ("created", made.id(), json!([])),
            ("updated", made.id(), json!(["nickname", "skills"])),
            ("created", other.id(), json!([])),
            ("deleted", other.id(), json!([])),
        ]);
        let items = log.items();
        assert_eq!(items[0]["version"], made.body["version"]);
        assert_eq!(items[1]["version"], patched.body["version"]);
        assert_eq!(items[0]["data"]["contact"], patched.body, "the record is as it is now");
        let tag = format!("\"{}.{}\"", log.body["etag_prefix"].as_str().unwrap(), items[0]["data"]["contact"]["version"]);
        assert_eq!(tag, patched.etag(), "what a mirror sends as If-Match");
        assert_eq!(items[1]["data"]["contact"], patched.body);
        assert_eq!((&items[2]["data"], &items[3]["data"]), (&Value::Null, &Value::Null));
        assert_eq!(items[0]["at"], "2026-03-02T09:00:00Z");
        assert_eq!(items[1]["at"], "2026-03-02T09:00:05Z");
        for item in items {
            assert_eq!((&item["entity"], &item["write"]), (&json!("contact"), &item["version"]));
            assert_eq!(item["actor"], json!({"user_id": me.body["user"]["id"], "session_id": session, "token_id": null, "job": null}));
        }
        let versions: Vec<i64> = items.iter().map(|item| item["version"].as_i64().unwrap()).collect();
        assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
    }

    async fn a_walk_from_the_beginning_shows_each_record_once_however_often_it_was_edited(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let begin = ada.get("/v1/changes?limit=1000").await.expect(200);
        let mut made = Vec::new();
        for name in ["Grace", "Mary", "Hedy"] {
            made.push(make(&ada, json!({"given_name": name})).await);
        }
        for n in 0..30 {
            let at = made[n % 3].location();
            ada.patch(&at, &json!({"nickname": format!("N{n}")})).await.expect(200);
        }
        let gone = make(&ada, json!({"given_name": "Gone"})).await;
        ada.delete(&gone.location()).await.expect(204);
        let back = make(&ada, json!({"given_name": "Back"})).await;
        ada.delete(&back.location()).await.expect(204);
        ada.post_nothing(&format!("{}/restore", back.location())).await.expect(200);

        let walk = ada.get("/v1/changes?limit=1000").await.expect(200);

        let told: BTreeSet<&str> = walk.items().iter().map(|change| change["id"].as_str().unwrap()).collect();
        assert_eq!(walk.items().len(), begin.items().len() + 4, "{walk}");
        assert_eq!(told.len(), walk.items().len());
        assert!(walk.items().iter().all(|change| !change["data"].is_null()), "{walk}");
    }

    async fn what_changes_during_a_walk_is_not_missed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut made = Vec::new();
        for n in 0..6 {
            made.push(make(&ada, json!({"given_name": format!("N{n}")})).await);
        }
        let mut replica: BTreeMap<String, Value> = BTreeMap::new();
        let mut page = ada.get("/v1/changes?limit=2").await.expect(200);
        for n in 0.. {
            apply(&mut replica, page.items());
            if page.body["has_more"] == false {
                break;
            }
            match n {
                // What was shown, and what was not yet.
                0 => drop(ada.patch(&made[0].location(), &json!({"nickname": "N"})).await.expect(200)),
                1 => drop(ada.delete(&made[0].location()).await.expect(204)),
                2 => drop(ada.delete(&made[5].location()).await.expect(204)),
                3 => drop(make(&ada, json!({"given_name": "New"})).await),
                _ => {}
            }
            page = since(&ada, &cursor(&page), 2).await;
        }
        assert_eq!(replica, everything(&ada).await);
    }

    async fn a_change_names_the_login_it_was_made_with(server: TestServer) {
        let phone = server.register("ada@example.com").await;
        let tablet = server.login("ada@example.com").await;
        let start = end(&phone).await;
        make(&phone, json!({"given_name": "Grace"})).await;
        make(&tablet, json!({"given_name": "Mary"})).await;

        let log = since(&phone, &start, 10).await;

        let mut told = Vec::new();
        for client in [&phone, &tablet] {
            let sessions = client.get("/v1/sessions").await.expect(200);
            let own = sessions.items().iter().find(|session| session["current"] == true).unwrap();
            told.push(own["id"].clone());
        }
        let actors: Vec<&Value> = log.items().iter().map(|change| &change["actor"]["session_id"]).collect();
        assert_eq!(actors, [&told[0], &told[1]]);

        let login = json!({"email": "ada@example.com", "password": PASSWORD});
        let watch = phone.post("/v1/auth/login", &login).await.expect(200).body;
        let start = end(&phone).await;
        make(&phone.with_token(watch["access_token"].as_str().unwrap()), json!({"given_name": "Kay"})).await;
        let own = &since(&phone, &start, 10).await.items()[0]["actor"]["session_id"].clone();
        assert_eq!((own.is_string(), own), (true, &watch["session_id"]));
    }

    async fn a_change_made_with_a_token_names_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"name": "script", "scopes": ["contacts:read", "contacts:write"]});
        let token = ada.post("/v1/tokens", &body).await.expect(201);
        let script = ada.with_token(token.body["token"].as_str().unwrap());
        let start = end(&ada).await;
        make(&script, json!({"given_name": "Grace"})).await;
        let log = since(&script, &start, 10).await;
        let actor = &log.items()[0]["actor"];
        assert_eq!((&actor["token_id"], &actor["session_id"]), (&token.body["id"], &Value::Null));
    }

    async fn a_walk_from_the_beginning_is_the_snapshot(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for n in 0..9 {
            let made = make(&ada, json!({"given_name": format!("N{n}")})).await;
            if n % 3 == 0 {
                ada.patch(&made.location(), &json!({"favorite": true})).await.expect(200);
            }
            if n % 4 == 0 {
                ada.delete(&made.location()).await.expect(204);
            }
        }
        for limit in [1, 2, 5, 1000] {
            let mut replica: BTreeMap<String, Value> = BTreeMap::new();
            let mut page = ada.get(&format!("/v1/changes?limit={limit}")).await.expect(200);
            let mut told = Vec::new();
            loop {
                assert!(page.items().len() <= usize::try_from(limit).unwrap());
                apply(&mut replica, page.items());
                let record = |change: &Value| format!("{} {}", change["entity"], change["id"]);
                told.extend(page.items().iter().map(record));
                if page.body["has_more"] == false {
                    break;
                }
                page = since(&ada, &cursor(&page), limit).await;
            }
            assert_eq!(replica, everything(&ada).await, "limit={limit}");
            let distinct: BTreeSet<&String> = told.iter().collect();
            assert_eq!(distinct.len(), told.len(), "limit={limit}: each record once: {told:?}");
        }
    }

    async fn a_cursor_is_kept_while_nothing_happens(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let at_end = end(&ada).await;
        let poll = since(&ada, &at_end, 100).await;
        assert_eq!((poll.items(), &poll.body["has_more"]), (&[][..], &json!(false)));
        assert_eq!(cursor(&poll), at_end);
        ada.patch(&made.location(), &json!({})).await.expect(200);
        ada.patch(&made.location(), &json!({"given_name": ""})).await.problem(422, "invalid");
        assert_eq!(cursor(&since(&ada, &cursor(&poll), 100).await), at_end);
        ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        assert_eq!(since(&ada, &at_end, 100).await.items().len(), 1);
    }

    async fn changes_are_filtered_by_entity(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let log = ada.get("/v1/changes?entity=contact").await.expect(200);
        assert!(log.items().iter().any(|change| change["id"] == made.body["id"]));
        for wrong in ["entity=", "entity=user", "entity=Contact", "entity=contact&entity=contact"] {
            ada.get(&format!("/v1/changes?{wrong}")).await.problem(400, "invalid_parameter");
        }
    }

    async fn a_cursor_of_a_walk_that_was_shown_less_is_not_gone_on_with(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let token = json!({"name": "reader", "scopes": ["contacts:read"]});
        let token = ada.post("/v1/tokens", &token).await.expect(201).body["token"].as_str().unwrap().to_owned();
        let less = ada.with_token(&token);
        // Nothing of another kind is there yet, so nothing is missed.
        let early = end(&less).await;
        since(&ada, &early, 100).await;
        ada.post("/v1/needs", &json!({"contact_id": grace.id(), "topic": "rust"})).await.expect(201);
        since(&ada, &early, 100).await;

        let late = cursor(&since(&less, &early, 100).await);
        since(&less, &late, 100).await;
        ada.get(&format!("/v1/changes?since={late}")).await.problem(410, "cursor_expired");
        let tags = cursor(&ada.get("/v1/changes?entity=tag").await.expect(200));
        ada.get(&format!("/v1/changes?since={tags}")).await.problem(410, "cursor_expired");
        ada.get(&format!("/v1/changes?since={tags}&entity=tag")).await.expect(200);
        // Who has seen more may look at less, and has missed something then.
        let narrower = cursor(&ada.get(&format!("/v1/changes?since={}&entity=need", end(&ada).await)).await.expect(200));
        ada.get(&format!("/v1/changes?since={narrower}")).await.problem(410, "cursor_expired");
    }

    async fn limits_and_cursors_of_the_log_are_checked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        make(&ada, json!({"given_name": "Grace"})).await;
        for wrong in ["limit=0", "limit=1001", "limit=x", "limit=-5"] {
            ada.get(&format!("/v1/changes?{wrong}")).await.problem(400, "invalid_parameter");
        }
        ada.get("/v1/changes?limit=1000").await.expect(200);
        ada.get("/v1/changes?cursor=x").await.problem(400, "unknown_parameter");
        let theirs = end(&bob).await;
        ada.get(&format!("/v1/changes?since={theirs}")).await.problem(400, "invalid_cursor");
        let mut tampered = end(&ada).await;
        tampered.replace_range(4..5, if &tampered[4..5] == "A" { "B" } else { "A" });
        ada.get(&format!("/v1/changes?since={tampered}")).await.problem(400, "invalid_cursor");
        for nonsense in ["", "0", "x", "1"] {
            ada.get(&format!("/v1/changes?since={nonsense}")).await.problem(400, "invalid_cursor");
        }
        // A cursor of a list is none of the log.
        make(&ada, json!({"given_name": "Other"})).await;
        let page = ada.get("/v1/contacts?limit=1").await.expect(200);
        let listed = cursor(&page);
        ada.get(&format!("/v1/changes?since={listed}")).await.problem(400, "invalid_cursor");
    }

    async fn what_one_write_does_to_a_record_several_times_is_one_change(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let gone = make(&ada, json!({"given_name": "Gone"})).await;
        let start = end(&ada).await;

        let (patched, deleted) = (uuid(&made.body), uuid(&gone.body));
        write(&server, &ada, move |tx| {
            for (id, name) in [(patched, "First"), (patched, "Second"), (deleted, "Third")] {
                let contact: Contact = records::get(tx, AnyId::new(id), &Precondition::None)?;
                let nickname = Some(name.to_owned());
                let renamed = contact.with(ContactFields { nickname, ..contact.fields.clone() })?;
                records::update(tx, &contact, renamed)?;
            }
            let contact: Contact = records::get(tx, AnyId::new(deleted), &Precondition::None)?;
            records::delete(tx, &contact)?;
            let fields = ContactFields { given_name: Some("Brief".to_owned()), ..ContactFields::default() };
            let brief = records::create(tx, Contact::new(ContactId::new(tx.new_id()), tx.now(), fields)?)?;
            records::delete(tx, &brief)?;
            Ok(())
        }).await;

        let log = since(&ada, &start, 100).await;
        let told: Vec<_> = log.items().iter().map(|c| (c["op"].as_str().unwrap(), &c["id"], &c["fields"])).collect();
        assert_eq!(told, [
            ("updated", &made.body["id"], &json!(["nickname"])),
            ("deleted", &gone.body["id"], &json!([])),
        ]);
        assert_eq!(log.items()[0]["write"], log.items()[1]["write"]);
        let now = ada.get(&made.location()).await.expect(200);
        assert_eq!((&now.body["nickname"], &now.body["version"]), (&json!("Second"), &log.items()[0]["version"]));
        let history = ada.get(&format!("{}/history", gone.location())).await.expect(200);
        assert_eq!(history.items()[0]["from"], gone.body, "what it was before the write, and all of it");
        let revert = format!("/v1/changes/{}/revert", log.items()[1]["version"]);
        ada.post_nothing(&revert).await.expect(200);
        assert_eq!(ada.get(&gone.location()).await.expect(200).body["nickname"], Value::Null);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["nickname"], Value::Null);
    }

    async fn a_follower_misses_nothing_that_eight_writers_do_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let start = end(&ada).await;
        let done = AtomicBool::new(false);

        let writing = async {
            let mut written: Vec<i64> = join_all((0..8).map(|writer| {
                let ada = &ada;
                async move {
                    let mut versions = Vec::new();
                    for n in 0..12 {
                        let made = make(ada, json!({"given_name": format!("W{writer} N{n}")})).await;
                        versions.push(made.body["version"].as_i64().unwrap());
                        if n % 2 == 0 {
                            let patched = ada.patch(&made.location(), &json!({"favorite": true})).await.expect(200);
                            versions.push(patched.body["version"].as_i64().unwrap());
                        }
                        if n % 4 == 0 {
                            ada.delete(&made.location()).await.expect(204);
                        }
                    }
                    versions
                }
            })).await.concat();
            done.store(true, Ordering::SeqCst);
            written.sort_unstable();
            written
        };
        let following = async {
            let (mut at, mut seen, mut replica, mut polls) = (start, Vec::new(), BTreeMap::new(), 0);
            loop {
                let was_done = done.load(Ordering::SeqCst);
                let page = since(&ada, &at, 7).await;
                seen.extend(page.items().iter().map(|change| change["version"].as_i64().unwrap()));
                apply(&mut replica, page.items());
                at = cursor(&page);
                polls += 1;
                if was_done && page.body["has_more"] == false {
                    break;
                }
            }
            (seen, replica, polls)
        };
        let (written, (seen, replica, polls)) = join(writing, following).await;

        assert!(polls > 20, "it polled while they wrote: {polls}");
        assert!(seen.is_sorted_by(|one, next| one < next), "in commit order: {seen:?}");
        assert_eq!(written.len(), 8 * (12 + 6));
        let missed: Vec<_> = written.iter().filter(|version| seen.binary_search(version).is_err()).collect();
        assert_eq!(missed, [&0; 0]);
        let mut expected = everything(&ada).await;
        expected.retain(|_, contact| contact["is_self"] == false);
        assert_eq!(replica, expected);
    }
}

fn uuid(record: &Value) -> Uuid {
    Uuid::parse_str(record["id"].as_str().unwrap()).unwrap()
}

/// A write of several steps, which no single call makes.
async fn write(
    server: &TestServer,
    client: &Client,
    work: impl FnOnce(&mut store::Tx<'_>) -> store::Result<()> + Send + 'static,
) {
    let me = client.get("/v1/me").await.expect(200);
    let actor = Actor::User(UserId::new(uuid(&me.body["user"])), None);
    let who = WriteContext { workspace: WorkspaceId::new(uuid(&me.body["workspace"])), actor, idempotency: None };
    let write = server.app().store().write(who, |tx| work(tx).map(|()| store::Answer::Empty));
    let _ = write.await.expect("a write");
}

/// What a client does with the changes it gets.
fn apply(replica: &mut BTreeMap<String, Value>, changes: &[Value]) {
    for change in changes {
        let id = change["id"].as_str().unwrap().to_owned();
        match &change["data"].as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default() {
            Value::Null => drop(replica.remove(&id)),
            data => drop(replica.insert(id, data.clone())),
        }
    }
}

/// All contacts there are.
async fn everything(client: &Client) -> BTreeMap<String, Value> {
    let mut all = client.walk("/v1/contacts?known=any&archived=any").await;
    all.extend(client.walk("/v1/contacts?known=any&archived=any&is_self=true").await);
    all.into_iter().map(|contact| (contact["id"].as_str().unwrap().to_owned(), contact)).collect()
}
