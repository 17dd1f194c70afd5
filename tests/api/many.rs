//! Many records of a kind written together: the same as one after the other, in a number of statements that does not grow
//! with them.

use serde_json::{Value, json};
use uuid::Uuid;
use wellmet::{
    domain::{
        contact::Contact, follow_up::FollowUp, goal::Goal, id::WorkspaceId, interaction::Interaction,
        key_result::KeyResult, merge_patch::merge, organization::Organization, position::Position,
        relationship::Relationship, tag::Tag,
    },
    service::records::{
        rules::Rules,
        write::{create, create_many, update, update_many},
    },
    store::{Actor, AnyId, Error, FailedAt, Tx, records},
};

use crate::support::{Backend, Client, SESSION_STATEMENTS, TestServer, sent_to};

/// The ids that tests choose begin with this; all others are made.
const CHOSEN: &str = "01990000";

fn id(number: u32) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))
}

/// A part of a write; the flag is whether its records are written together.
type Step = Box<dyn Fn(&mut Tx<'_>, bool) -> Result<(), FailedAt> + Send + Sync>;

/// Creates records whose ids count up from the first, unless they say another one.
fn creates<R: Rules>(first: u32, rows: &Value) -> Step {
    let rows: Vec<Value> = rows.as_array().expect("a list").clone();
    Box::new(move |tx, together| {
        let mut new = Vec::new();
        for (number, row) in (first..).zip(&rows) {
            let mut row = row.clone();
            let chosen = row.as_object_mut().and_then(|row| row.remove("id"));
            let own = chosen.and_then(|chosen| chosen.as_u64()).map_or(number, |chosen| chosen as u32);
            let fields = serde_json::from_value(row).expect("fields");
            new.push(R::new(id(own), tx.now(), fields).map_err(Error::from)?);
        }
        if together {
            return create_many(tx, new).map(drop);
        }
        for (index, record) in new.into_iter().enumerate() {
            create(tx, record).map_err(|error| FailedAt::new(index, error))?;
        }
        Ok(())
    })
}

/// Changes records by merge patches.
fn updates<R: Rules>(patches: Vec<(u32, Value)>) -> Step {
    fn patched<R: Rules>(tx: &mut Tx<'_>, number: u32, patch: &Value) -> Result<(R, R), Error> {
        let before = records::find::<R>(tx, AnyId::new(id(number)))?.expect("a record");
        let fields = serde_json::to_value(before.fields()).expect("JSON");
        let fields = serde_json::from_value(merge(fields, patch.clone())).expect("fields");
        let after = before.with(fields)?;
        Ok((before, after))
    }
    Box::new(move |tx, together| {
        if together {
            let pairs = patches.iter().map(|(number, patch)| patched::<R>(tx, *number, patch));
            let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
            return update_many(tx, pairs).map(drop);
        }
        for (index, (number, patch)) in patches.iter().enumerate() {
            let (before, after) = patched::<R>(tx, *number, patch)?;
            update(tx, &before, after).map_err(|error| FailedAt::new(index, error))?;
        }
        Ok(())
    })
}

/// Takes a step in a workspace, as a write of its own; what went wrong, and with which record.
async fn take(server: &TestServer, client: &Client, step: &'static Step, together: bool) -> Option<String> {
    let workspace = WorkspaceId::new(client.workspace_id.parse().expect("an id"));
    let work = move |tx: &mut wellmet::store::AccountTx<'_>| {
        tx.records(workspace, Actor::Job("test"), |tx| {
            step(tx, together)
                .map_err(|FailedAt { index, error }| Error::Internal(format!("at {index:?}: {error:?}")))
        })
    };
    server.app().store().account_write(work).await.err().map(|error: Error| error.to_string())
}

/// What the database holds of a workspace, without what differs from one to the other: numbers, and ids that were made.
fn stored(server: &TestServer, client: &Client) -> Vec<String> {
    let database = &server.database;
    let is_sqlite = database.backend == Backend::Sqlite;
    let workspace = match database.backend {
        Backend::Sqlite => format!("x'{}'", client.workspace_id.replace('-', "")),
        Backend::Postgres => format!("'{}'", client.workspace_id),
    };
    let as_text = |column: &str| match is_sqlite {
        true => format!("lower(hex({column}))"),
        false => format!("replace({column}::text, '-', '')"),
    };
    let text = |column: &str| match is_sqlite {
        true => format!("coalesce({column}, '')"),
        false => format!("coalesce({column}::text, '')"),
    };
    let mut all = Vec::new();
    for (table, columns) in [
        ("record_keys", vec!["entity".to_owned(), "kind".to_owned(), "value".to_owned(), as_text("record_id")]),
        (
            "search_documents",
            vec!["entity".to_owned(), as_text("record_id"), "title".to_owned(), "tokens".to_owned()],
        ),
        (
            "timeline_entries",
            vec![as_text("subject_id"), "kind".to_owned(), text("sorted_at"), as_text("record_id")],
        ),
        ("interaction_contacts", vec![as_text("interaction_id"), as_text("contact_id")]),
        ("follow_up_contacts", vec![as_text("follow_up_id"), as_text("contact_id")]),
        ("contacts", vec![as_text("id"), "last_interaction_key".to_owned(), "next_contact_key".to_owned()]),
        (
            "changes",
            vec!["entity".to_owned(), as_text("record_id"), "op".to_owned(), text("fields"), text("before")],
        ),
    ] {
        let columns = columns.join(" || '|' || ");
        let rows = database.texts(&format!("SELECT {columns} FROM {table} WHERE workspace_id = {workspace}"));
        all.extend(rows.into_iter().map(|row| format!("{table}|{}", without_made(&row))));
    }
    all.retain(|row| !row.contains("example.org") && !row.contains("…example …org"));
    all.sort();
    all
}

/// A row of which the ids that were made, and the numbers of workspaces and versions, are left out.
fn without_made(row: &str) -> String {
    let row = match row.split_once("|{") {
        Some((head, before)) => {
            let mut before: Value = serde_json::from_str(&format!("{{{before}")).expect("JSON");
            before["version"] = Value::Null;
            format!("{head}|{before}")
        }
        None => row.to_owned(),
    };
    let is_made = |word: &str| {
        let digits: String = word.chars().filter(|character| *character != '-').collect();
        let is_id = digits.len() == 32 && digits.chars().all(|character| character.is_ascii_hexdigit());
        is_id && !digits.starts_with(CHOSEN)
    };
    let words = row.split_inclusive(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
    let mut out = String::new();
    for word in words {
        let bare =
            word.trim_end_matches(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
        // A number of a workspace stands before a colon.
        let is_number = word.ends_with(':') && bare.chars().all(|character| character.is_ascii_digit());
        out.push_str(if is_made(bare) || is_number { "…" } else { word });
    }
    out
}

/// What clients see of each kind, the made ids and the versions left out.
async fn shown(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for kind in [
        "contacts",
        "organizations",
        "positions",
        "relationships",
        "interactions",
        "follow-ups",
        "tags",
        "key-results",
    ] {
        for mut record in client.walk(&format!("/v1/{kind}?limit=200")).await {
            record["version"] = Value::Null;
            all.push(without_made(&format!("{kind}|{record}")));
        }
    }
    all.retain(|row| !row.contains("example.org") && !row.contains("…example …org"));
    all.sort();
    all
}

/// Two users who differ in the domain of their addresses alone.
async fn two_of_a_name(server: &TestServer) -> [Client; 2] {
    [server.register("ada@one.example.org").await, server.register("ada@two.example.org").await]
}

fn leak(steps: Vec<Step>) -> &'static [Step] {
    Vec::leak(steps)
}

fn key_results(goal: u32, count: u32) -> Value {
    let key_result = |number| json!({"goal_id": id(goal), "title": format!("Result {number}"), "metric": "manual", "target_value": 9});
    (0..count).map(key_result).collect()
}

fn people() -> Value {
    (0..14)
        .map(|number| {
            json!({
                "given_name": format!("Ada {number}"),
                "tags": if number % 2 == 0 { json!(["Rust", "Berlin"]) } else { json!(["RUST", "new"]) },
                "emails": {"work": {"value": format!("ada{number}@example.com")}},
                "tier": if number < 12 { json!("inner") } else { Value::Null },
                "known": number != 3,
                "dates": {"birthday": {"value": "1815-12-10"}},
            })
        })
        .collect()
}

on_both! {
    async fn they_are_written_as_one_after_the_other(server: TestServer) {
        let [ada, bob] = two_of_a_name(&server).await;
        let meeting = |contacts: &[u32], day: u32| {
            let contacts: Vec<Uuid> = contacts.iter().map(|number| id(*number)).collect();
            json!({"kind": "meeting", "status": "happened", "direction": "mutual", "contact_ids": contacts,
                "occurred_at": format!("2026-01-{day:02}T09:00:00Z"), "subject": format!("Talk {day}")})
        };
        let follow_up = |contact: u32, day: u32| {
            json!({"title": format!("Call {contact}"), "contact_ids": [id(contact)], "due_on": format!("2026-04-{day:02}"),
                "recurrence": {"every": 1, "unit": "week"}})
        };
        let steps = leak(vec![
            creates::<Tag>(1, &json!([{"name": "Rust"}, {"name": "berlin"}, {"name": "spare"}])),
            creates::<Organization>(100, &json!([
                {"name": "Acme", "tags": ["spare"]},
                {"name": "Acme Labs", "parent_id": id(100)},
                {"name": "Other"},
            ])),
            creates::<Contact>(200, &people()),
            creates::<Position>(300, &json!([
                {"contact_id": id(200), "organization_id": id(100), "title": "Engineer", "primary": true},
                {"contact_id": id(200), "organization_id": id(102), "title": "Director", "primary": true},
                {"contact_id": id(201), "organization_name": "Somewhere", "started_on": "2020-01"},
                {"contact_id": id(202), "organization_id": id(101), "primary": true},
            ])),
            creates::<Interaction>(400, &json!([
                meeting(&[200, 201, 203], 5), meeting(&[203], 9), meeting(&[212], 3), meeting(&[200, 213], 20),
            ])),
            creates::<FollowUp>(500, &json!([follow_up(200, 1), follow_up(201, 2), follow_up(202, 3)])),
            updates::<Contact>(vec![
                (200, json!({"tags": ["berlin", "fresh"], "family_name": "Lovelace"})),
                (201, json!({"tier": null})),
                (202, json!({})),
                (203, json!({"emails": {"work": null, "home": {"value": "home@example.com"}}})),
                (212, json!({"tier": "core", "tags": ["NEW"]})),
            ]),
            updates::<Position>(vec![
                (300, json!({"primary": true})),
                (302, json!({"primary": true, "title": "Founder"})),
                (303, json!({"ended_on": "2025-12"})),
            ]),
            updates::<Interaction>(vec![
                (400, json!({"contact_ids": [id(201), id(204)]})),
                (401, json!({"occurred_at": "2026-01-30T09:00:00Z"})),
                (402, json!({"subject": "Another"})),
            ]),
            updates::<FollowUp>(vec![(500, json!({"status": "done"})), (501, json!({"due_on": "2026-05-01"}))]),
            updates::<Tag>(vec![(1, json!({"name": "Rustlang"})), (2, json!({"name": "Rust"})), (3, json!({"name": "Berlin"}))]),
            creates::<Goal>(700, &json!([{"title": "Full"}, {"title": "Empty"}])),
            creates::<KeyResult>(800, &key_results(700, 50)),
            creates::<KeyResult>(900, &key_results(701, 1)),
            // There is room for the second once the first has moved.
            updates::<KeyResult>(vec![(800, json!({"goal_id": id(701)})), (900, json!({"goal_id": id(700)}))]),
            updates::<Organization>(vec![(100, json!({"name": "Acme Inc."})), (101, json!({"parent_id": id(102)}))]),
        ]);
        for (number, step) in steps.iter().enumerate() {
            assert_eq!(take(&server, &ada, step, false).await, None, "step {number}");
            assert_eq!(take(&server, &bob, step, true).await, None, "step {number}, together");
            assert_eq!(shown(&bob).await, shown(&ada).await, "what is shown after step {number}");
            assert_eq!(stored(&server, &bob), stored(&server, &ada), "what is stored after step {number}");
        }
        for path in ["/v1/search?q=acme", "/v1/contacts?q=rustlang", "/v1/contacts?tag=rust", "/v1/timeline?limit=50"] {
            let [one, other] = [ada.get(path).await.expect(200), bob.get(path).await.expect(200)];
            assert_eq!(one.items().len(), other.items().len(), "{path}");
            assert!(!one.items().is_empty(), "{path}");
        }
    }

    async fn the_first_that_cannot_be_written_is_named_and_none_is(server: TestServer) {
        let [ada, bob] = two_of_a_name(&server).await;
        let setup = leak(vec![
            creates::<Contact>(200, &json!([{"given_name": "One"}, {"given_name": "Two"}])),
            creates::<Tag>(1, &json!([{"name": "a"}, {"name": "b"}])),
            creates::<Goal>(700, &json!([{"title": "Nearly full"}])),
            creates::<KeyResult>(800, &key_results(700, 49)),
        ]);
        for step in setup {
            assert_eq!(take(&server, &ada, step, false).await, None);
            assert_eq!(take(&server, &bob, step, true).await, None);
        }
        let to = |number: u32| json!({"contact_id": id(number), "title": "Engineer"});
        let steps = leak(vec![
            creates::<Position>(300, &json!([to(200), to(999), to(998)])),
            creates::<Contact>(210, &json!([{"given_name": "New"}, {"given_name": "Again", "id": 210}])),
            creates::<Contact>(199, &json!([{"given_name": "New"}, {"given_name": "Old"}])),
            creates::<Tag>(10, &json!([{"name": "c"}, {"name": "Ć"}, {"name": "a"}])),
            creates::<Relationship>(600, &json!([
                {"contact_id": id(200), "related_contact_id": id(201), "type": "friend"},
                {"contact_id": id(997), "related_contact_id": id(996), "type": "friend"},
            ])),
            creates::<KeyResult>(900, &key_results(700, 3)),
            updates::<Tag>(vec![(1, json!({"name": "z"})), (2, json!({"name": "Z"}))]),
            updates::<Contact>(vec![(200, json!({"notes": "x"})), (201, json!({"how_met": {"introduced_by_id": id(995)}}))]),
        ]);
        let before = (shown(&bob).await, stored(&server, &bob));
        for (number, step) in steps.iter().enumerate() {
            let error = take(&server, &ada, step, false).await.expect("an error");
            assert!(error.contains("at Some(1)"), "step {number}: {error}");
            assert_eq!(take(&server, &bob, step, true).await.as_ref(), Some(&error), "step {number}");
        }
        assert_eq!((shown(&bob).await, stored(&server, &bob)), before);
    }

    async fn no_more_statements_are_sent_for_many_than_for_some(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let people = |count: u32| -> Value {
            let person = |number| json!({"given_name": format!("Person {number}"), "tags": ["rust", "berlin"], "known": false});
            (0..count).map(person).collect()
        };
        let meetings = |contacts: u32, count: u32| -> Value {
            let meeting = |number: u32| {
                json!({"kind": "meeting", "status": "happened", "direction": "mutual", "contact_ids": [id(contacts + number)],
                    "occurred_on": "2026-01-05"})
            };
            (0..count).map(meeting).collect()
        };
        let steps = leak(vec![
            creates::<Contact>(1_000, &people(300)),
            creates::<Contact>(2_000, &people(600)),
            creates::<Interaction>(3_000, &meetings(1_000, 12)),
            creates::<Interaction>(4_000, &meetings(2_000, 24)),
        ]);
        let mut counts = Vec::new();
        for step in steps {
            let before = sent_to(&server.database);
            assert_eq!(take(&server, &ada, step, true).await, None);
            counts.push(sent_to(&server.database) - before);
        }
        let [some_people, more_people, some_meetings, more_meetings] = counts[..] else { panic!("{counts:?}") };
        assert!(some_people <= 40 && more_people <= some_people + 10 + SESSION_STATEMENTS, "contacts: {counts:?}");
        assert!(some_meetings <= 25 && more_meetings <= some_meetings + 4 + SESSION_STATEMENTS, "interactions: {counts:?}");
    }

    async fn a_tag_is_renamed_in_as_many_statements_for_600_as_for_300(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let named = |tag: &str, count: u32| -> Value {
            (0..count).map(|number| json!({"given_name": format!("Person {number}"), "tags": [tag]})).collect()
        };
        // Whoever refers to another one of them waits for nobody.
        let introduced = |first: u32, count: u32| {
            let by = |number| json!({"how_met": {"introduced_by_id": id(number - 1)}});
            (first + 1..first + count).map(|number| (number, by(number))).collect()
        };
        for step in leak(vec![
            creates::<Tag>(1, &json!([{"name": "some"}, {"name": "more"}])),
            creates::<Contact>(1_000, &named("some", 300)),
            creates::<Contact>(2_000, &named("more", 600)),
            updates::<Contact>(introduced(1_000, 300)),
            updates::<Contact>(introduced(2_000, 600)),
        ]) {
            assert_eq!(take(&server, &ada, step, true).await, None);
        }
        let mut counts = Vec::new();
        for (number, name) in [(1, "few"), (2, "many")] {
            let tag = format!("/v1/tags/{}", id(number));
            let before = sent_to(&server.database);
            ada.patch(&tag, &json!({ "name": name })).await.expect(200);
            counts.push(sent_to(&server.database) - before);
            let before = sent_to(&server.database);
            ada.delete(&tag).await.expect(204);
            counts.push(sent_to(&server.database) - before);
        }
        let [some_renamed, some_deleted, more_renamed, more_deleted] = counts[..] else { panic!("{counts:?}") };
        assert!(some_renamed <= 40 && more_renamed <= some_renamed + 8 + SESSION_STATEMENTS, "renamed: {counts:?}");
        assert!(some_deleted <= 40 && more_deleted <= some_deleted + 8 + SESSION_STATEMENTS, "deleted: {counts:?}");
        assert_eq!(ada.get("/v1/contacts?tag=many&limit=1&count=true").await.expect(200).body["total"], 0);
        let log = ada.get("/v1/changes?limit=1").await.expect(200);
        assert_eq!(log.items().len(), 1);
    }
}
