//! A database that an earlier version has filled is brought up to date and goes on: the dumps in `tests/fixtures` are of
//! migration 0011. They are text, so that a change to one shows, and never edited to suit a migration.
//!
//! Two accounts, `ada@example.com` and `bob@example.com`, with the password of the tests; everybody in them is invented.
//! Ada has merged "Dorota Kozlowicz" into "Dorota Kozłowicz" and deleted "Xanthippe Gone".

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Backend, Client, Database, TestServer};

fn filled(backend: Backend) -> Arc<Database> {
    let database = Database::empty(backend);
    database.execute(match backend {
        Backend::Sqlite => include_str!("../fixtures/sqlite.sql"),
        Backend::Postgres => include_str!("../fixtures/postgres.sql"),
    });
    Arc::new(database)
}

async fn names(client: &Client, path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        client.walk(path).await.iter().map(|contact| contact["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

async fn only(client: &Client, path: &str) -> Value {
    let items = client.walk(path).await;
    assert_eq!(items.len(), 1, "{path}: {items:?}");
    items[0].clone()
}

const DOROTA: &str = "Dr Dorota Maria Kozłowicz MBA";

on_both! {
    async fn a_database_filled_by_an_earlier_version_is_served(backend: Backend) {
        let server = TestServer::start_on(filled(backend), |_| ()).await;
        let ada = server.login("ada@example.com").await;

        let all = names(&ada, "/v1/contacts?known=any").await;
        assert_eq!(all, ["Amina Yusuf", "Björn Åkesson", "Chiara Neri", "Diego Paz", DOROTA, "Emeka Obi", "Fatima Zahra",
            "Grace Hill", "Hugo Blanc", "Jun Tanaka"]);
        assert_eq!(names(&server.login("bob@example.com").await, "/v1/contacts").await, ["Someone Else"]);
        assert_eq!(names(&ada, "/v1/contacts?tag=RUST").await, [DOROTA, "Jun Tanaka"]);
        assert_eq!(names(&ada, "/v1/contacts?q=poniedzialek+cto").await, [DOROTA], "found by where they work");

        let dorota = only(&ada, "/v1/contacts/lookup?email=dorota@example.com").await;
        let at = |pointer: &str| dorota.pointer(pointer).cloned().unwrap_or_default();
        for (pointer, value) in [
            ("/nickname", json!("Dorka")),
            ("/aliases", json!(["Dorota Wilk"])),
            ("/notes", json!("Likes movable type.\n\nSails.")),
            ("/emails/home/value", json!("dorka@example.org")),
            ("/emails/other/value", json!("d.kozlowicz@example.net")),
            ("/phones/mobile/e164", json!("+48512345678")),
            ("/addresses/home/city", json!("Gdańsk")),
            ("/dates/birthday/value", json!("1984-05")),
            ("/cadence", json!({"every": 3, "unit": "month", "paused_until": null, "off": false})),
            ("/external_ids/crm/id", json!("4711")),
            ("/how_met/on", json!("2024-10")),
            ("/tags", json!(["Rust", "conference", "speaker"])),
            ("/favorite", json!(true)),
        ] {
            assert_eq!(at(pointer), value, "{pointer}");
        }
        let jun = only(&ada, "/v1/contacts/lookup?email=jun@example.com").await;
        assert_eq!(jun["how_met"]["introduced_by_id"], dorota["id"]);

        let organizations = ada.walk("/v1/organizations?sort=name").await;
        let [holding, press] = organizations.as_slice() else { panic!("{organizations:?}") };
        assert_eq!((&press["parent_id"], &press["aliases"]), (&holding["id"], &json!(["Monday Press"])));
        let own = format!("/v1/contacts/{}", dorota["id"].as_str().unwrap());
        let positions = ada.walk(&format!("{own}/positions")).await;
        assert_eq!(positions.iter().filter(|position| position["primary"] == true).count(), 1);
        assert!(positions.iter().any(|position| position["organization_name"] == "Night School of Type"));
        assert_eq!(ada.walk(&format!("{own}/relationships")).await.len(), 2);
        assert_eq!(ada.walk("/v1/needs/matches").await.len(), 1);
        assert_eq!(ada.walk("/v1/duplicate-dismissals").await.len(), 1);
        assert!(ada.walk("/v1/tags").await.iter().any(|tag| tag["name"] == "Rust" && tag["color"] == "#b7410e"));
        assert_eq!(ada.walk("/v1/tokens").await.len(), 1);
    }

    async fn its_log_is_followed_and_its_writes_are_taken_back(backend: Backend) {
        let server = TestServer::start_on(filled(backend), |_| ()).await;
        let ada = server.login("ada@example.com").await;
        let log = ada.get("/v1/changes?limit=1000").await.expect(200);
        // A walk from the beginning leaves out what is gone.
        let text = |column: &str| match backend {
            Backend::Sqlite => format!("lower(hex({column}))"),
            Backend::Postgres => format!("CAST({column} AS TEXT)"),
        };
        let ended = |merged: &str| format!("FROM changes WHERE op = 'deleted' AND entity = 'contact' AND merged_into_id IS {merged} ORDER BY seq LIMIT 1");
        let id = |column: &str, merged: &str| {
            let found = server.database.texts(&format!("SELECT {} AS value {}", text(column), ended(merged)));
            uuid::Uuid::parse_str(&found[0]).expect("an id").to_string()
        };
        let (twin, survivor) = (id("record_id", "NOT NULL"), id("merged_into_id", "NOT NULL"));
        let (twin, survivor) = (twin.as_str(), survivor.as_str());
        let merged = server.database.number(&format!("SELECT seq {}", ended("NOT NULL")));
        assert_eq!(ada.get(&format!("/v1/contacts/{twin}")).await.expect(200).body["id"], survivor);

        let kept = json!({
            "given_name": "Dorota", "family_name": "Kozlowicz", "headline": "Speaker", "tags": ["speaker"],
            "emails": {"other": {"value": "d.kozlowicz@example.net"}}, "notes": "Sails."
        });
        ada.post_nothing(&format!("/v1/changes/{merged}/revert")).await.expect(200);
        let restored = ada.get(&format!("/v1/contacts/{twin}")).await.expect(200).body;
        assert_eq!(restored["id"], twin);
        for name in ["given_name", "family_name", "headline", "tags", "notes"] {
            assert_eq!(restored[name], kept[name], "{name}");
        }
        assert_eq!(ada.walk(&format!("/v1/contacts/{twin}/positions")).await.len(), 1);
        assert_eq!(ada.walk(&format!("/v1/contacts/{twin}/relationships")).await.len(), 1);
        assert_eq!(ada.get(&format!("/v1/contacts/{survivor}")).await.expect(200).body["tags"], json!(["Rust", "conference"]));

        let gone = id("record_id", "NULL");
        let gone = gone.as_str();
        ada.post_nothing(&format!("/v1/contacts/{gone}/restore")).await.expect(200);
        assert_eq!(names(&ada, "/v1/contacts?q=xanthippe").await, ["Xanthippe Gone"]);

        let cursor = log.body["next_cursor"].as_str().unwrap();
        let since = ada.get(&format!("/v1/changes?limit=1000&since={cursor}")).await.expect(200);
        let ids: Vec<&str> = since.items().iter().map(|change| change["id"].as_str().unwrap()).collect();
        assert!(ids.contains(&twin) && ids.contains(&survivor) && ids.contains(&gone), "{since}");
    }

    async fn an_idempotency_key_used_before_is_still_known(backend: Backend) {
        let server = TestServer::start_on(filled(backend), |_| ()).await;
        let ada = server.login("ada@example.com").await;
        let other = ada.post("/v1/contacts", &json!({"given_name": "D."})).idempotency_key("fixture-dorota").await;
        other.problem(422, "idempotency_key_reused");
    }
}
