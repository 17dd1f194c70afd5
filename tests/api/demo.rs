//! `wellmet demo`: a year of made-up data that is the same wherever and whenever it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;
use std::sync::Arc;

use serde_json::Value;

use crate::support::*;

const LISTS: [&str; 21] = [
    "/v1/contacts?archived=any&limit=200",
    "/v1/organizations?limit=200",
    "/v1/positions?limit=200",
    "/v1/relationships?limit=200",
    "/v1/needs?limit=200",
    "/v1/interactions?limit=200",
    "/v1/follow-ups?limit=200",
    "/v1/plan-runs?limit=200",
    "/v1/tags?limit=200",
    "/v1/goals?limit=200",
    "/v1/key-results?limit=200",
    "/v1/targets?limit=200",
    "/v1/pitches?limit=200",
    "/v1/events?limit=200",
    "/v1/event-people?limit=200",
    "/v1/exchanges?limit=200",
    "/v1/feedback?limit=200",
    "/v1/introductions?limit=200",
    "/v1/resources?limit=200",
    "/v1/communities?limit=200",
    "/v1/posts?limit=200",
];

fn demo(database: &Database, arguments: &[&str]) -> Output {
    let folder = scratch();
    let mut command = wellmet(&[&["demo"], arguments].concat(), folder.path());
    command.env("DATABASE_URL", &database.url).env("BIND", "127.0.0.1:18080").output().expect("cargo has built it")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The value that is printed after a word.
fn after(output: &Output, word: &str) -> String {
    let text = printed(output);
    let line =
        text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("no {word} in {text}"));
    line.trim().to_owned()
}

/// How many items have each value of a field.
fn count(items: &[Value], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item[field].as_str().unwrap_or("null").to_owned()).or_default() += 1;
    }
    counts
}

/// What the lists and today's page show.
type Year = BTreeMap<&'static str, Vec<Value>>;

async fn year(client: &Client) -> Year {
    let mut year = BTreeMap::new();
    for path in LISTS {
        year.insert(path, client.walk(path).await);
    }
    year.insert("today", vec![client.get("/v1/today").await.expect(200).body]);
    year
}

/// Every status, direction and section occurs at least once.
fn check_variety(year: &Year) {
    let of = |name: &str| &year[LISTS.iter().find(|path| path.contains(name)).unwrap()];
    let (contacts, interactions, follow_ups) = (of("contacts"), of("interactions"), of("follow-ups"));
    // Those who are not known yet are not listed.
    assert_eq!((contacts.len(), of("organizations").len()), (216, 60));
    let names: BTreeSet<&str> = contacts.iter().map(|contact| contact["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), contacts.len());
    assert!((900..1_200).contains(&interactions.len()), "{}", interactions.len());
    for (items, field, words) in [
        (follow_ups, "status", &["pending", "done", "skipped", "cancelled"][..]),
        (follow_ups, "owed_by", &["me", "them"]),
        (follow_ups, "origin", &["manual", "plan"]),
        (interactions, "status", &["planned", "happened", "cancelled", "no_show"]),
        (of("exchanges"), "direction", &["given", "received", "mutual"]),
        (of("feedback"), "status", &["received", "considered", "reported_back", "set_aside"]),
        (of("introductions"), "direction", &["by_me", "to_me"]),
        (of("introductions"), "status", &["asked", "made", "met"]),
        (of("communities"), "status", &["considering", "joined", "active", "quiet"]),
        (of("/posts"), "status", &["idea", "scheduled", "published", "reviewed"]),
        (of("exchanges"), "origin", &["manual", "share"]),
        (of("plan-runs"), "status", &["running", "finished", "stopped"]),
        (contacts, "tier", &["inner", "core", "active", "extended", "distant", "null"]),
    ] {
        let counts = count(items, field);
        for word in words {
            assert!(counts.contains_key(*word), "no {field} {word}: {counts:?}");
        }
    }
    assert_eq!((of("resources").len(), of("communities").len()), (8, 4));
    assert_eq!((of("goals").len(), of("/events").len(), of("pitches").len()), (3, 8, 2));
    let participations = count(of("/events"), "participation");
    assert!(
        ["attended", "missed", "registered"].iter().all(|word| participations.contains_key(*word)),
        "{participations:?}"
    );
    assert!(count(of("event-people"), "stage").contains_key("met"));
    assert!(follow_ups.iter().any(|own| !own["recurrence"].is_null() && own["status"] == "pending"));
    let today = &year["today"][0];
    for section in ["follow_ups", "promises", "contacts", "dates", "planned", "awaiting_outcome", "thanks"] {
        assert!(today[section]["total"].as_i64() > Some(0), "{section} of today is empty");
    }
    assert_eq!(today["setup"], serde_json::json!([]));
}

on_both! {
    async fn a_demo_leaves_other_accounts_alone_and_is_the_same_for_the_same_seed_and_day(backend: Backend) {
        let mut server = TestServer::start(backend).await;
        let ada = server.register("ada@example.com").await;
        let before = ada.get("/v1/changes").await.expect(200).body;
        server.stop().await;
        let made = demo(&server.database, &["--on", "2026-03-02"]);
        let text = printed(&made);
        assert!(made.status.success(), "{text}");
        let token = after(&made, "Token:");
        let line = format!("curl -H 'Authorization: Bearer {token}' 'http://127.0.0.1:18080/v1/today'");
        assert!(text.contains(&line), "{text}");

        let again = demo(&server.database, &[]);
        assert_eq!(again.status.code(), Some(1));
        assert_eq!(printed(&again), "wellmet: the user demo@example.com already exists; choose another address with --email\n");
        for (arguments, expected) in [
            (["--email", "nobody"], "wellmet: "),
            (["--on", "2026-02-30"], "wellmet: Expected an existing day, such as 2026-02-01.\n"),
            (["--on", "0001-01-01"], "wellmet: --on must be in the years from 1971 to 9000\n"),
        ] {
            let refused = demo(&server.database, &arguments);
            assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
            assert!(printed(&refused).starts_with(expected), "{}", printed(&refused));
        }

        // On one of them: a year takes long, and what depends on the address does not depend on the database.
        if backend == Backend::Sqlite {
            let other = demo(&server.database, &["--email", "second@example.com"]);
            assert!(other.status.success(), "{}", printed(&other));
            let again = demo(&server.database, &["--email", "second@example.com"]);
            assert_eq!(again.status.code(), Some(1), "{}", printed(&again));
        }

        let server = TestServer::start_on(Arc::clone(&server.database), |_| ()).await;
        let login = serde_json::json!({"email": "demo@example.com", "password": after(&made, "Password:")});
        let client = server.client().sign_in("/v1/auth/login", &login, 200).await;
        let me = client.get("/v1/me").await.expect(200);
        assert_eq!(me.body["user"]["name"], "Robin Demo");
        let client = server.client().with_token(&token);
        let tokens = client.get("/v1/tokens").await.expect(200);
        assert_eq!(tokens.items()[0]["scopes"].as_array().unwrap().len(), wellmet::domain::scope::SCOPES.len());
        assert_eq!(server.login("ada@example.com").await.get("/v1/changes").await.expect(200).body, before);
        let made_beside_ada = year(&client).await;
        check_variety(&made_beside_ada);

        let database = Arc::new(Database::migrated(Backend::Sqlite));
        let made = demo(&database, &["--on", "2026-03-02"]);
        let server = TestServer::start_on(database, |_| ()).await;
        let made_alone = year(&server.client().with_token(&after(&made, "Token:"))).await;
        for (path, items) in &made_beside_ada {
            assert!(items == &made_alone[path], "{path} differs");
        }
    }
}
