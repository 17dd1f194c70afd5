//! What is erased on request, and what is no longer kept after its time.

use chrono::TimeDelta;
use serde_json::{Value, json};
use wellmet::store::purge;

use crate::support::{Backend, Client, PASSWORD, Reply, TestServer};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

/// What the job does that runs from time to time.
async fn purge(server: &TestServer) {
    server.app().store().account_write(purge::purge).await.expect("a purge");
}

/// How many rows of any table hold this text.
fn rows_with(server: &TestServer, text: &str) -> i64 {
    let columns = [
        ("contacts", "name"),
        ("contacts", "emails"),
        ("changes", "before"),
        ("record_keys", "value"),
        ("search_documents", "tokens"),
    ];
    let holds = match server.backend {
        Backend::Sqlite => "instr",
        Backend::Postgres => "strpos",
    };
    // Short enough not to be compressed.
    let reply = match server.backend {
        Backend::Sqlite => "CAST(reply AS TEXT)",
        Backend::Postgres => "encode(reply, 'escape')",
    };
    let condition = format!("{holds}(lower({reply}), '{text}') > 0");
    let kept = server.database.number(&format!("SELECT count(*) FROM idempotency_keys WHERE {condition}"));
    let stored: i64 = columns
        .iter()
        .map(|(table, column)| {
            let condition = format!("{holds}(lower(CAST({column} AS TEXT)), '{text}') > 0");
            server.database.number(&format!("SELECT count(*) FROM {table} WHERE {condition}"))
        })
        .sum();
    stored + kept
}

async fn follow(client: &Client, mut page: Reply, limit: u32) -> Vec<Value> {
    let mut all = page.items().to_vec();
    while page.body["has_more"] == true {
        let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
        page = client.get(&format!("/v1/changes?limit={limit}&since={cursor}")).await.expect(200);
        all.extend_from_slice(page.items());
    }
    all
}

on_both! {
    async fn a_delete_with_purge_erases_what_the_log_holds(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "Xanthippe", "emails": {"w": {"value": "xanthippe@example.com"}}});
        let made = ada.post("/v1/contacts", &body).idempotency_key("make").await.expect(201);
        let patch = json!({"headline": "Xanthippe of Athens"});
        ada.patch(&made.location(), &patch).idempotency_key("patch").await.expect(200);
        let referring = make(&ada, json!({"given_name": "Other", "how_met": {"introduced_by_id": made.id()}})).await;
        assert!(rows_with(&server, "xanthippe") > 3);

        ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);

        assert_eq!(rows_with(&server, "xanthippe"), 0);
        ada.get(&made.location()).await.problem(404, "not_found");
        assert_eq!(ada.get(&referring.location()).await.expect(200).body["how_met"], Value::Null);
        let history = ada.get(&format!("{}/history", made.location())).await.expect(200);
        assert_eq!(history.items().len(), 3, "that something happened is still told");
        for entry in history.items() {
            assert_eq!((&entry["from"], &entry["to"]), (&Value::Null, &Value::Null));
        }
        let log = ada.log().await;
        let tombstone = log.items().last().unwrap();
        assert_eq!((&tombstone["op"], &tombstone["id"]), (&json!("deleted"), &made.body["id"]));

        let restore = ada.post_nothing(&format!("{}/restore", made.location())).await;
        let problem = restore.problem(409, "restore_blocked");
        let reasons: Vec<_> = problem["left_alone"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
        assert!(reasons.contains(&&json!("no_longer_kept")), "{restore}");
        ada.patch(&made.location(), &patch).idempotency_key("patch").await.problem(404, "not_found");
    }

    async fn a_contact_deleted_before_can_still_be_purged(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "Xanthippe"})).await;
        let at = format!("{}?purge=true", made.location());
        ada.delete(&made.location()).await.expect(204);
        ada.delete(&made.location()).await.problem(404, "not_found");
        let log = ada.log().await;
        assert!(rows_with(&server, "xanthippe") > 0);

        ada.delete(&at).await.expect(204);

        assert_eq!(rows_with(&server, "xanthippe"), 0);
        let after = ada.log().await;
        assert_eq!(after.items().len(), log.items().len(), "no second tombstone");
        let restore = ada.post_nothing(&format!("{}/restore", made.location())).await;
        restore.problem(409, "restore_blocked");
        ada.delete(&at).await.expect(204);
        ada.delete("/v1/contacts/01939d5e-8c00-7000-8000-0000000000ff?purge=true").await.problem(404, "not_found");
        ada.delete(&format!("{}?purge=1", made.location())).await.problem(400, "invalid_parameter");
    }

    async fn a_purge_leaves_nothing_in_the_files_of_sqlite(server: TestServer) {
        if server.backend != Backend::Sqlite {
            return;
        }
        let ada = server.register("ada@example.com").await;
        for number in 0..40 {
            make(&ada, json!({"given_name": format!("Other{number}")})).await;
        }
        let path = server.database.url.trim_start_matches("sqlite://").to_owned();
        let held = |name: &str| -> Vec<String> {
            let files = [path.clone(), format!("{path}-wal")].into_iter();
            files.filter(|file| std::fs::read(file).unwrap_or_default().windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))).collect()
        };
        let made = make(&ada, json!({"given_name": "Xanthippe"})).await;
        ada.patch(&made.location(), &json!({"headline": "Quarrelsome"})).await.expect(200);
        ada.patch(&made.location(), &json!({"headline": null})).await.expect(200);
        assert!(!held("xanthippe").is_empty() && !held("quarrelsome").is_empty());
        ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);
        assert_eq!((held("xanthippe"), held("quarrelsome")), (vec![], vec![]));

        // Deleted first, and to be forgotten later.
        let made = make(&ada, json!({"given_name": "Xanthippe"})).await;
        ada.delete(&made.location()).await.expect(204);
        make(&ada, json!({"given_name": "Another"})).await;
        ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);
        assert_eq!(held("xanthippe"), [""; 0]);
    }

    async fn a_purge_spares_everybody_else(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
        let theirs = make(&bob, json!({"id": id, "given_name": "Theirs"})).await;
        bob.patch(&theirs.location(), &json!({"given_name": "Changed"})).await.expect(200);
        let made = make(&ada, json!({"id": id, "given_name": "Mine"})).await;
        let other = make(&ada, json!({"given_name": "Other"})).await;
        ada.patch(&other.location(), &json!({"given_name": "Changed"})).await.expect(200);
        ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);
        for (client, contact) in [(&ada, &other), (&bob, &theirs)] {
            let history = client.get(&format!("{}/history", contact.location())).await.expect(200);
            assert_eq!(history.items()[0]["from"]["given_name"], contact.body["given_name"]);
        }
    }

    async fn after_thirty_days_a_delete_can_no_longer_be_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let start = ada.get("/v1/changes").await.expect(200).body["next_cursor"].as_str().unwrap().to_owned();
        let made = make(&ada, json!({"given_name": "Grace"})).await;
        let changed = make(&ada, json!({"given_name": "A"})).await;
        let changed = ada.patch(&changed.location(), &json!({"given_name": "B"})).await.expect(200);
        ada.delete(&made.location()).await.expect(204);
        let restore = format!("{}/restore", made.location());

        server.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        purge(&server).await;
        let ada = server.login("ada@example.com").await;
        ada.post_nothing(&restore).await.expect(200);
        ada.delete(&made.location()).await.expect(204);

        server.clock.advance(TimeDelta::days(30));
        purge(&server).await;
        let ada = server.login("ada@example.com").await;
        let reply = ada.post_nothing(&restore).await;
        let problem = reply.problem(409, "restore_blocked");
        assert_eq!(problem["left_alone"][0]["reason"], "no_longer_kept");
        let reply = ada.post_nothing(&format!("/v1/changes/{}/revert", changed.body["version"])).await;
        let problem = reply.problem(409, "revert_blocked");
        assert_eq!(problem["left_alone"][0]["reason"], "no_longer_kept");
        let path = format!("/v1/contacts/{}/history", changed.id());
        let history = ada.get(&path).await.expect(200);
        assert_eq!((&history.items()[0]["fields"][0], &history.items()[0]["from"]), (&json!("given_name"), &Value::Null));
        assert_eq!(rows_with(&server, "grace"), 0);
        // The tombstone is there yet, for those who follow.
        let log = ada.get(&format!("/v1/changes?limit=1000&since={start}")).await.expect(200);
        assert_eq!(log.items().last().unwrap()["op"], "deleted");
    }

    async fn after_half_a_year_an_old_cursor_is_gone_and_a_fresh_walk_is_whole(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let old = ada.get("/v1/changes?limit=1").await.expect(200);
        let old = old.body["next_cursor"].as_str().unwrap().to_owned();
        let mut kept = Vec::new();
        for n in 0..9 {
            let made = make(&ada, json!({"given_name": format!("N{n}")})).await;
            if n % 2 == 0 {
                ada.delete(&made.location()).await.expect(204);
            } else {
                kept.push(made.id());
            }
        }
        let newest = make(&ada, json!({"given_name": "Restored"})).await;
        ada.delete(&newest.location()).await.expect(204);
        ada.post_nothing(&format!("{}/restore", newest.location())).await.expect(200);
        kept.push(newest.id());
        let half = ada.get("/v1/changes?limit=4").await.expect(200);
        let half = half.body["next_cursor"].as_str().unwrap().to_owned();
        let end = follow(&ada, ada.get("/v1/changes").await.expect(200), 100).await;
        assert!(!end.is_empty());
        let at_end = ada.get("/v1/changes?limit=1000").await.expect(200);
        let at_end = at_end.body["next_cursor"].as_str().unwrap().to_owned();

        server.clock.advance(TimeDelta::days(180) - TimeDelta::seconds(1));
        purge(&server).await;
        let ada = server.login("ada@example.com").await;
        ada.get(&format!("/v1/changes?since={old}")).await.expect(200);
        server.clock.advance(TimeDelta::seconds(1));
        purge(&server).await;

        for cursor in [&old, &half] {
            ada.get(&format!("/v1/changes?since={cursor}")).await.problem(410, "cursor_expired");
        }
        ada.get(&format!("/v1/changes?since={at_end}")).await.expect(200);
        let first = ada.get("/v1/changes?limit=2").await.expect(200);
        assert_eq!(first.body["has_more"], true);
        let walked = follow(&ada, first, 2).await;
        let mut living: Vec<String> = walked
            .iter()
            .filter(|change| change["data"]["contact"]["is_self"] == false)
            .map(|change| change["id"].as_str().unwrap().to_owned())
            .collect();
        living.sort();
        kept.sort();
        assert_eq!(living, kept, "every living record is told once, no tombstone is left");
        assert!(walked.iter().all(|change| change["op"] == "created"), "{walked:?}");

        // A walk in progress when tombstones go cannot know what it missed.
        let gone = format!("/v1/contacts/{}", kept[0]);
        ada.delete(&gone).await.expect(204);
        let begun = ada.get("/v1/changes?limit=1").await.expect(200);
        let begun = begun.body["next_cursor"].as_str().unwrap().to_owned();
        server.clock.advance(TimeDelta::days(180));
        purge(&server).await;
        let ada = server.login("ada@example.com").await;
        ada.get(&format!("/v1/changes?since={begun}")).await.problem(410, "cursor_expired");
        ada.get(&format!("{gone}/history")).await.problem(404, "not_found");
        ada.post_nothing(&format!("{gone}/restore")).await.problem(404, "not_found");
    }

    async fn purging_twice_removes_nothing_more(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = ada.post("/v1/contacts", &json!({"given_name": "A"})).idempotency_key("k").await.expect(201);
        ada.delete(&made.location()).await.expect(204);
        server.clock.advance(TimeDelta::days(200));
        let first = server.app().store().account_write(purge::purge).await.expect("a purge");
        assert_eq!((first.idempotency_keys, first.before_images, first.tombstones), (1, 0, 1));
        let second = server.app().store().account_write(purge::purge).await.expect("a purge");
        assert_eq!((second.idempotency_keys, second.before_images, second.tombstones), (0, 0, 0));
    }

    /// On SQLite neither in freed pages, nor in the search index, nor in the log of recent writes, whichever way it was erased.
    async fn whatever_is_erased_is_gone_from_the_files(server: TestServer) {
        if server.backend != Backend::Sqlite {
            return;
        }
        let bob = server.register("bob@example.com").await;
        let in_files = |word: &str| {
            let files = std::fs::read_dir(server.database.folder()).expect("the folder of the database");
            let contents = files.filter_map(|file| std::fs::read(file.ok()?.path()).ok());
            contents.map(|bytes| String::from_utf8_lossy(&bytes).to_lowercase()).any(|text| text.contains(word))
        };
        for (kind, word) in [("account", "qqaccount"), ("record", "qqrecord"), ("token", "qqtoken")] {
            let ada = server.register(&format!("{kind}@example.com")).await;
            let token = ada.post("/v1/tokens", &json!({"name": word, "scopes": ["contacts:read"]})).await.expect(201);
            for number in 0..6 {
                let person = json!({"given_name": format!("{word}{number}"), "notes": format!("{word}notes{number}")});
                let made = ada.post("/v1/contacts", &person).await.expect(201);
                ada.patch(&made.location(), &json!({"notes": format!("{word}changed{number}")})).await.expect(200);
                if kind != "account" {
                    ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);
                }
            }
            assert!(in_files(word), "what is written is there to be found");
            if kind != "account" {
                ada.delete(&format!("/v1/tokens/{}", token.body["id"].as_str().unwrap())).await.expect(204);
            } else {
                ada.delete("/v1/me").json(&json!({"password": PASSWORD})).await.expect(204);
            }
            assert!(!in_files(word), "{kind}");
            bob.post("/v1/contacts", &json!({"given_name": "Somebody"})).await.expect(201);
            assert!(!in_files(word), "{kind}");
        }
    }

    /// Not in a row, and on SQLite not in the file either: neither in freed pages, nor in the search index, nor in the
    /// log of recent writes.
    async fn what_is_purged_is_gone_from_the_files(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let secret = json!({"given_name": "Zanzibarowa", "notes": "qqzzsecret first"});
        let made = ada.post("/v1/contacts", &secret).await.expect(201);
        ada.patch(&made.location(), &json!({"notes": "qqzzsecret second"})).await.expect(200);
        let in_files = |server: &TestServer| {
            let files = std::fs::read_dir(server.database.folder()).expect("the folder of the database");
            let contents = files.filter_map(|file| std::fs::read(file.ok()?.path()).ok());
            contents.map(|bytes| String::from_utf8_lossy(&bytes).to_lowercase()).collect::<String>()
        };
        if server.backend == Backend::Sqlite {
            assert!(in_files(&server).contains("qqzzsecret"), "what is written is there to be found");
        }
        ada.delete(&format!("{}?purge=true", made.location())).await.expect(204);
        if server.backend == Backend::Sqlite {
            let left = in_files(&server);
            assert!(!left.contains("qqzzsecret") && !left.contains("zanzibarowa"));
        }
        ada.get(&format!("{}/history", made.location())).await.expect(200);
    }
}
