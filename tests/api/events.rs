//! Events over HTTP: when they are, the people there, capturing somebody, and the debrief.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::operations::NOBODYS_ID;
use crate::support::*;

/// Ids that a phone has chosen.
const ID_1: &str = "01939d5e-8c00-7000-8000-0000000000c1";
const ID_2: &str = "01939d5e-8c00-7000-8000-0000000000c2";
const ID_3: &str = "01939d5e-8c00-7000-8000-0000000000c3";

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

/// A conference that began this morning, an hour before the clock of the tests.
async fn conference(client: &Client, body: Value) -> Reply {
    let mut event = json!({
        "title": "Climate Tech Summit", "kind": "conference", "starts_local": "2026-03-02T09:00",
        "ends_local": "2026-03-02T18:00", "time_zone": "Europe/Berlin", "participation": "attending",
    });
    event.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    made(client, "/v1/events", event).await
}

async fn contact(client: &Client, body: Value) -> Reply {
    made(client, "/v1/contacts", body).await
}

async fn person(client: &Client, event: &Reply, body: Value) -> Reply {
    made(client, &format!("{}/people", event.location()), body).await
}

async fn capture(client: &Client, body: Value) -> Reply {
    client.post("/v1/capture", &body).await
}

fn titles(reply: &Reply) -> Vec<&str> {
    reply.items().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

async fn total(client: &Client, path: &str) -> usize {
    client.get(path).await.expect(200).items().len()
}

on_both! {
    async fn events_are_filtered_and_sorted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Climate"})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let summit = conference(&ada, json!({"goal_ids": [goal.id()], "tags": ["climate"]})).await;
        person(&ada, &summit, json!({"contact_id": grace.id()})).await;
        conference(&ada, json!({"title": "Keynote", "parent_id": summit.id(), "kind": "other"})).await;
        made(&ada, "/v1/events", json!({"title": "Fair", "starts_on": "2026-04-10", "ends_on": "2026-04-12"})).await;
        for (query, expected) in [
            ("", vec!["Climate Tech Summit", "Keynote", "Fair"]),
            ("&participation=interested", vec!["Fair"]),
            ("&kind=conference", vec!["Climate Tech Summit"]),
            ("&status[ne]=scheduled", vec![]),
            ("&starts_at[gte]=2026-03-02T08:00:00Z&starts_at[lt]=2026-03-02T08:00:01Z", vec!["Climate Tech Summit", "Keynote"]),
            ("&starts_at[gt]=2026-03-03T00:00:00Z", vec!["Fair"]),
            (&format!("&goal_id={}", goal.id()), vec!["Climate Tech Summit"]),
            ("&ends_at[gt]=2026-03-03T00:00:00Z", vec!["Fair"]),
            ("&session=true", vec!["Keynote"]),
            ("&debriefed=true", vec![]),
            ("&tag=Climate", vec!["Climate Tech Summit"]),
            (&format!("&parent_id={}", summit.id()), vec!["Keynote"]),
            (&format!("&contact_id={}", grace.id()), vec!["Climate Tech Summit"]),
            ("&q=summ", vec!["Climate Tech Summit"]),
        ] {
            let list = ada.get(&format!("/v1/events?sort=starts_at{query}")).await.expect(200);
            assert_eq!(titles(&list), expected, "{query}");
        }
    }

    async fn a_zone_alone_keeps_the_local_time(server: TestServer) {
        let ada = server.register_in("ada@example.com", "America/Sao_Paulo").await;
        let event = made(&ada, "/v1/events", json!({"title": "Meetup", "starts_local": "2026-03-29T19:30"})).await;
        assert_eq!(
            (&event.body["time_zone"], &event.body["starts_at"], &event.body["starts_local"]),
            (&json!("America/Sao_Paulo"), &json!("2026-03-29T22:30:00Z"), &json!("2026-03-29T19:30:00"))
        );
        let path = event.location();
        let table = [
            (json!({"time_zone": "Asia/Kathmandu"}), "2026-03-29T13:45:00Z", "2026-03-29T19:30:00"),
            (json!({"starts_at": "2026-03-29T10:00:00+02:00"}), "2026-03-29T08:00:00Z", "2026-03-29T13:45:00"),
            (json!({"time_zone": "Europe/Berlin", "starts_local": "2026-10-25T02:30"}), "2026-10-25T00:30:00Z", "2026-10-25T02:30:00"),
            (json!({"starts_at": "2026-10-25T01:30:00Z"}), "2026-10-25T01:30:00Z", "2026-10-25T02:30:00"),
            (json!({"ends_local": "2026-10-25T03:00"}), "2026-10-25T01:30:00Z", "2026-10-25T02:30:00"),
        ];
        for (patch, at, local) in table {
            let now = ada.patch(&path, &patch).await.expect(200);
            assert_eq!((&now.body["starts_at"], &now.body["starts_local"]), (&json!(at), &json!(local)), "{patch}");
        }
        for (patch, expected) in [
            (json!({"starts_local": "2026-03-29T02:30"}), "#/starts_local not_allowed"),
            (json!({"ends_at": "2026-10-25T01:29:59Z"}), "#/ends_at contradiction"),
            (json!({"starts_at": null}), "#/starts_at required"),
            (json!({"time_zone": "Mars/Olympus"}), "#/time_zone invalid_format"),
            (json!({"parent_id": event.id()}), "#/parent_id contradiction"),
        ] {
            let refused = ada.patch(&path, &patch).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [expected], "{patch}");
        }
        let cleared = ada.patch(&path, &json!({"ends_at": null})).await.expect(200);
        assert_eq!((&cleared.body["ends_at"], &cleared.body["ends_local"]), (&Value::Null, &Value::Null));
        let whole = ada.patch(&path, &json!({"starts_on": "2026-10-24"})).await.expect(200);
        assert_eq!((&whole.body["all_day"], &whole.body["starts_at"]), (&json!(true), &Value::Null));
        // What was read can be sent back.
        let sent = ada.put(&path, &whole.body).if_match(&whole.etag()).await.expect(200);
        assert_eq!(sent.body["version"], whole.body["version"]);
    }

    async fn sessions_are_where_their_event_is_and_are_cancelled_with_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let session = |title: &str| json!({"title": title, "parent_id": summit.id(), "starts_local": "2026-03-02T10:00"});
        let keynote = made(&ada, "/v1/events", session("Keynote")).await;
        assert_eq!(keynote.body["time_zone"], "Europe/Berlin");
        let panel = made(&ada, "/v1/events", session("Panel")).await;
        ada.patch(&panel.location(), &json!({"status": "cancelled"})).await.expect(200);
        for (body, expected) in [
            (json!({"title": "S", "parent_id": keynote.id(), "starts_local": "2026-03-02T10:00"}), "#/parent_id contradiction"),
            (json!({"title": "S", "parent_id": summit.id(), "starts_local": "2026-03-02T10:00", "time_zone": "Asia/Tokyo"}), "#/time_zone contradiction"),
        ] {
            let refused = ada.post("/v1/events", &body).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [expected], "{body}");
        }
        let other = conference(&ada, json!({"title": "Other"})).await;
        let nested = ada.patch(&summit.location(), &json!({"parent_id": other.id()})).await;
        assert_eq!(nested.errors(), ["#/parent_id contradiction"]);

        ada.patch(&summit.location(), &json!({"time_zone": "Europe/Lisbon"})).await.expect(200);
        let moved = ada.get(&keynote.location()).await;
        assert_eq!((&moved.body["starts_local"], &moved.body["starts_at"]), (&json!("2026-03-02T10:00:00"), &json!("2026-03-02T10:00:00Z")));

        let reason = json!({"status": "cancelled", "status_reason": "Flooded."});
        let cancelled = ada.patch(&summit.location(), &reason).await.expect(200);
        let told = ada.get(&keynote.location()).await;
        assert_eq!((&told.body["status"], &told.body["status_reason"]), (&json!("cancelled"), &json!("Flooded.")));
        assert_eq!(told.body["cancelled_at"], cancelled.body["cancelled_at"]);
        let revived = ada.patch(&keynote.location(), &json!({"status": "scheduled"})).await;
        assert_eq!(revived.errors(), ["#/status contradiction"]);
        server.clock.advance(TimeDelta::minutes(1));
        ada.patch(&summit.location(), &json!({"status": "scheduled"})).await.expect(200);
        assert_eq!(ada.get(&keynote.location()).await.body["status"], "scheduled");
    }

    async fn what_makes_no_sense_is_refused_where_it_stands(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let later = |body: Value| {
            let mut event = json!({"title": "E", "starts_at": "2026-05-12T09:00:00Z"});
            event.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            event
        };
        for (body, expected) in [
            (json!({"title": "E"}), vec!["#/starts_at required"]),
            (later(json!({"title": " "})), vec!["#/title too_short"]),
            (later(json!({"ends_at": "2026-05-12T08:00:00Z"})), vec!["#/ends_at contradiction"]),
            (later(json!({"starts_on": "2026-05-12"})), vec!["#/starts_on contradiction"]),
            (later(json!({"all_day": true})), vec!["#/all_day read_only"]),
            (json!({"title": "E", "starts_on": "2026-05-12", "ends_on": "2026-05-11"}), vec!["#/ends_on contradiction"]),
            (later(json!({"time_zone": "Berlin"})), vec!["#/time_zone invalid_format"]),
            (later(json!({"participation": "attended"})), vec!["#/participation contradiction"]),
            (later(json!({"url": "ftp://example.com"})), vec!["#/url not_allowed"]),
            (later(json!({"objectives": {"a": {"text": " "}}})), vec!["#/objectives/a/text too_short"]),
            (later(json!({"goal_ids": [NOBODYS_ID]})), vec!["#/goal_ids/0 unknown_reference"]),
            (later(json!({"pitch_id": NOBODYS_ID})), vec!["#/pitch_id unknown_reference"]),
        ] {
            let refused = ada.post("/v1/events", &body).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), expected, "{body}");
        }
        let attended = conference(&ada, json!({"participation": "attended"})).await;
        let refused = ada.patch(&attended.location(), &json!({"participation": "declined"})).await;
        let problem = refused.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("attended"), &json!(["registered", "attending", "missed"])));
    }

    async fn people_are_at_an_event_once_and_a_name_makes_a_contact(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let people = format!("{}/people", summit.location());
        let named = person(&ada, &summit, json!({"name": "Mary Somerville", "role": "speaker", "priority": 5})).await;
        let path = format!("/v1/contacts/{}", named.body["contact_id"].as_str().unwrap());
        let mary = ada.get(&path).await;
        assert_eq!((&mary.body["name"], &mary.body["known"]), (&json!("Mary Somerville"), &json!(false)));
        assert_eq!(named.body.get("name"), None);
        person(&ada, &summit, json!({"contact_id": grace.id()})).await;
        let twice = ada.post(&people, &json!({"contact_id": grace.id()})).await;
        assert_eq!(twice.errors(), ["#/contact_id not_allowed"]);
        let ranked = ada.get(&format!("{people}?sort=-priority")).await.expect(200);
        assert_eq!(ranked.items()[0]["id"], named.body["id"]);

        let met = ada.patch(&named.location(), &json!({"stage": "met"})).await.expect(200);
        assert_eq!(met.body["met_at"], "2026-03-02T09:00:00Z");
        let known = ada.get(&path).await;
        assert_eq!(known.body["known"], true);
        assert_eq!((&known.body["how_met"]["event_id"], &known.body["how_met"]["on"]), (&json!(summit.id()), &json!("2026-03-02")));
        let unmet = ada.patch(&named.location(), &json!({"stage": "not_met"})).await;
        unmet.problem(409, "invalid_transition");
        let timeline = ada.get(&format!("{path}/timeline")).await.expect(200);
        assert_eq!(timeline.items()[0]["kind"], "met_at_event");
    }

    async fn many_people_are_added_in_one_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let path = format!("{}/people/bulk", summit.location());
        person(&ada, &summit, json!({"contact_id": grace.id(), "priority": 5})).await;
        let people = json!({"people": [
            {"contact_id": grace.id(), "priority": 1}, {"name": "Mary Somerville"}, {"name": "Mary Somerville"},
        ]});
        let added = ada.post(&path, &people).await.expect(200);
        let results = added.body["results"].as_array().unwrap();
        let created: Vec<&Value> = results.iter().map(|result| &result["created"]).collect();
        assert_eq!(created, [false, true, true]);
        assert_eq!(results[0]["event_person"]["priority"], 5);
        assert_eq!(ada.post(&path, &json!({"people": []})).await.errors(), ["#/people too_short"]);
        let chosen = json!({"people": [{"id": ID_1, "name": "Hedy Lamarr"}]});
        for is_new in [true, false] {
            let once = ada.post(&path, &chosen).await.expect(200);
            assert_eq!(once.body["results"][0]["created"], is_new);
        }
        let hedy = ada.get(&format!("/v1/event-people/{ID_1}")).await.expect(200);
        ada.delete(&format!("/v1/contacts/{}", hedy.body["contact_id"].as_str().unwrap())).await.expect(204);
        let wrong = json!({"people": [{"name": "Emmy Noether"}, {"contact_id": NOBODYS_ID}, {}]});
        let refused = ada.post(&path, &wrong).await;
        assert_eq!(refused.errors(), ["#/people/2/contact_id required"]);
        let unknown = json!({"people": [{"name": "Emmy Noether"}, {"contact_id": NOBODYS_ID}]});
        assert_eq!(ada.post(&path, &unknown).await.errors(), ["#/people/1/contact_id unknown_reference"]);
        assert_eq!(total(&ada, &format!("{}/people", summit.location())).await, 3, "all or none");
        let write = added.body["write"].as_i64().unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(total(&ada, &format!("{}/people", summit.location())).await, 1);
        assert_eq!(total(&ada, "/v1/contacts?known=any").await, 1);
    }

    async fn a_deleted_event_takes_its_people_and_sessions_along_and_brings_them_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let keynote = conference(&ada, json!({"title": "Keynote", "parent_id": summit.id()})).await;
        let grace = contact(&ada, json!({"given_name": "Grace", "how_met": {"event_id": summit.id(), "story": "Queue."}})).await;
        let there = person(&ada, &keynote, json!({"contact_id": grace.id()})).await;
        let talk = json!({"contact_ids": [grace.id()], "kind": "event_chat", "occurred_at": "2026-03-02T08:30:00Z", "event_id": summit.id()});
        let talk = made(&ada, "/v1/interactions", talk).await;
        let write = made(&ada, "/v1/follow-ups", json!({"title": "Send the slides", "event_id": summit.id()})).await;
        let also = json!({"title": "Call", "contact_ids": [grace.id()], "event_id": summit.id()});
        let also = made(&ada, "/v1/follow-ups", also).await;

        ada.delete(&summit.location()).await.expect(204);
        for gone in [&keynote, &there, &write] {
            ada.get(&gone.location()).await.expect(404);
        }
        assert_eq!(ada.get(&talk.location()).await.body["event_id"], Value::Null);
        assert_eq!(ada.get(&also.location()).await.body["event_id"], Value::Null);
        assert_eq!(ada.get(&grace.location()).await.body["how_met"]["event_id"], Value::Null);
        assert_eq!(ada.get(&grace.location()).await.body["how_met"]["story"], "Queue.");

        ada.post_nothing(&format!("{}/restore", summit.location())).await.expect(200);
        for back in [&keynote, &there, &write] {
            ada.get(&back.location()).await.expect(200);
        }
        for linked in [&talk, &also] {
            assert_eq!(ada.get(&linked.location()).await.body["event_id"], summit.body["id"]);
        }
        assert_eq!(ada.get(&grace.location()).await.body["how_met"]["event_id"], summit.body["id"]);
    }

    async fn merged_contacts_are_at_an_event_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let (one, other) = (contact(&ada, json!({"given_name": "Grace"})).await, contact(&ada, json!({"given_name": "Grace B."})).await);
        person(&ada, &summit, json!({"contact_id": one.id(), "why": "Hires."})).await;
        person(&ada, &summit, json!({"contact_id": other.id(), "why": "Speaks.", "stage": "met"})).await;
        let merge = json!({"keep_id": one.id(), "merge_ids": [other.id()]});
        ada.post("/v1/contacts/merge", &merge).await.expect(200);
        let people = ada.get(&format!("{}/people", summit.location())).await.expect(200);
        let [only] = people.items() else { panic!("{}", people.body) };
        assert_eq!((&only["stage"], &only["why"]), (&json!("met"), &json!("Hires.\n\nSpeaks.")));
        assert_eq!(only["contact_id"], one.body["id"]);
    }

    async fn a_capture_makes_everything_in_one_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Climate"})).await;
        let summit = conference(&ada, json!({"goal_ids": [goal.id()]})).await;
        let body = json!({
            "person": {"id": ID_1, "name": "Mary Somerville", "organization_name": "Acme", "email": "mary@example.com"},
            "captured_at": "2026-03-02T08:30:00Z", "event_id": summit.id(), "note": "Wants the prototype.",
            "interaction_id": ID_2, "follow_up": {"id": ID_3, "title": "Send it", "due_on": "2026-03-04"},
        });
        let first = capture(&ada, body.clone()).await.expect(200);
        let told = &first.body;
        assert_eq!((&told["contact"]["id"], &told["contact"]["known"]), (&json!(ID_1), &json!(true)));
        assert_eq!(told["contact"]["how_met"]["event_id"], summit.body["id"]);
        assert_eq!((&told["event_person"]["stage"], &told["event_person"]["met_at"]), (&json!("met"), &json!("2026-03-02T08:30:00Z")));
        assert_eq!((&told["interaction"]["id"], &told["interaction"]["kind"]), (&json!(ID_2), &json!("event_chat")));
        assert_eq!(told["interaction"]["goal_ids"], json!([goal.id()]));
        assert_eq!((&told["follow_up"]["id"], &told["follow_up"]["origin"]), (&json!(ID_3), &json!("event")));
        assert_eq!((&told["matched_by"], &told["possible_duplicates"]), (&Value::Null, &json!([])));
        assert_eq!(total(&ada, &format!("/v1/positions?contact_id={ID_1}")).await, 1);
        server.clock.advance(TimeDelta::minutes(5));
        let again = capture(&ada, body).await.expect(200);
        for name in ["contact", "event_person", "interaction", "follow_up"] {
            assert_eq!(again.body[name]["id"], told[name]["id"], "{name}");
        }
        assert_eq!((&told["repeated"], &again.body["repeated"]), (&json!(false), &json!(true)));
        assert_eq!(again.body["write"], Value::Null);
        assert_eq!(total(&ada, "/v1/interactions").await, 1);
        let write = told["write"].as_i64().unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        for path in ["/v1/contacts", "/v1/interactions", "/v1/follow-ups", "/v1/event-people", "/v1/positions"] {
            assert_eq!(total(&ada, path).await, 0, "{path}");
        }
    }

    async fn a_capture_matches_only_on_what_is_certain(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let mary = contact(&ada, json!({
            "given_name": "Mary", "family_name": "Somerville", "emails": {"work": {"value": "mary@example.com"}},
            "phones": {"work": {"value": "+44 20 7946 0958"}}, "links": {"in": {"url": "https://www.linkedin.com/in/mary"}},
        })).await;
        let maria = contact(&ada, json!({"given_name": "Maria", "family_name": "Garcia"})).await;
        person(&ada, &summit, json!({"contact_id": maria.id()})).await;
        let other = conference(&ada, json!({"title": "Other"})).await;
        let table = [
            (json!({"name": "Mary Somerville", "email": "MARY@example.com"}), Some(&mary), "email"),
            (json!({"name": "M. Somerville", "phone": "+442079460958"}), Some(&mary), "phone"),
            (json!({"name": "Mary", "link": "linkedin.com/in/mary"}), Some(&mary), "link"),
            (json!({"name": "Grace Hopper", "email": "mary@example.com"}), None, ""),
            (json!({"name": "Mary Somerville"}), None, ""),
        ];
        for (person, expected, by) in table {
            let told = capture(&ada, json!({"person": person})).await.expect(200);
            match expected {
                Some(known) => {
                    assert_eq!(told.body["contact"]["id"], known.body["id"], "{person}");
                    assert_eq!(told.body["matched_by"], by, "{person}");
                    assert_eq!(told.body["possible_duplicates"], json!([]));
                }
                None => {
                    assert_eq!(told.body["matched_by"], Value::Null, "{person}");
                    ada.delete(&format!("/v1/contacts/{}", told.body["contact"]["id"].as_str().unwrap())).await.expect(204);
                }
            }
        }
        let grace = contact(&ada, json!({"given_name": "Grace", "emails": {"work": {"value": "grace@example.com"}}})).await;
        let of_two = json!({"person": {"name": "Mary", "email": "grace@example.com", "phone": "+442079460958"}});
        let of_two = capture(&ada, of_two).await.expect(200);
        assert_eq!(of_two.body["matched_by"], Value::Null, "addresses of two contacts tell of neither");
        let told: Vec<&Value> =
            of_two.body["possible_duplicates"].as_array().unwrap().iter().map(|one| &one["contact_id"]).collect();
        assert!(told.contains(&&grace.body["id"]) && told.contains(&&mary.body["id"]), "{told:?}");
        ada.delete(&format!("/v1/contacts/{}", of_two.body["contact"]["id"].as_str().unwrap())).await.expect(204);
        let call = json!({"contact_ids": [grace.id()], "kind": "call", "occurred_at": "2026-03-01T09:00:00Z"});
        let call = made(&ada, "/v1/interactions", call).await;
        let taken = json!({"person": {"id": ID_3, "name": "Emmy Noether"}, "interaction_id": call.id()});
        capture(&ada, taken).await.problem(409, "id_taken");
        ada.get(&format!("/v1/contacts/{ID_3}")).await.expect(404);
        let at = |event: &Reply, person: Value| json!({"person": person, "event_id": event.id()});
        let there = capture(&ada, at(&summit, json!({"name": "Maria Garcia"}))).await.expect(200);
        assert_eq!((&there.body["matched_by"], &there.body["contact"]["id"]), (&json!("event"), &maria.body["id"]));
        // Elsewhere the name is only a name, and the person who has it is told.
        let elsewhere = capture(&ada, at(&other, json!({"name": "Maria Garcia"}))).await.expect(200);
        assert_ne!(elsewhere.body["contact"]["id"], maria.body["id"]);
        assert_eq!(elsewhere.body["possible_duplicates"], json!([{"contact_id": maria.id(), "name": "Maria Garcia"}]));
        let never = json!({"person": {"name": "Mary Somerville", "email": "mary@example.com"}, "match": "never"});
        assert_eq!(capture(&ada, never).await.expect(200).body["matched_by"], Value::Null);
        let said = json!({"person": {}, "match": "contact", "match_contact_id": mary.id()});
        assert_eq!(capture(&ada, said).await.expect(200).body["contact"]["id"], mary.body["id"]);
    }

    async fn the_id_chosen_for_somebody_who_was_known_leads_to_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mary = contact(&ada, json!({"given_name": "Mary", "emails": {"work": {"value": "mary@example.com"}}})).await;
        let first = json!({"person": {"id": ID_1, "name": "Mary", "email": "mary@example.com", "phone": "+44 20 7946 0958"}});
        let told = capture(&ada, first).await.expect(200);
        assert_eq!(told.body["contact"]["id"], mary.body["id"]);
        assert_eq!(told.body["contact"]["phones"]["phone"]["value"], "+44 20 7946 0958", "what is new is added");
        assert_eq!(ada.get(&format!("/v1/contacts/{ID_1}")).await.expect(200).body["id"], mary.body["id"]);
        // What waits in the queue of the phone refers to the id that it chose.
        let second = capture(&ada, json!({"person": {"id": ID_1}, "note": "Again."})).await.expect(200);
        assert_eq!((&second.body["contact"]["id"], &second.body["matched_by"]), (&mary.body["id"], &json!("id")));
        assert_eq!(total(&ada, "/v1/contacts").await, 1);
    }

    async fn an_id_of_somebody_else_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mary = contact(&ada, json!({"given_name": "Mary", "family_name": "Somerville"})).await;
        let other = json!({"person": {"id": mary.id(), "name": "Grace Hopper", "email": "grace@example.com"}});
        capture(&ada, other).await.problem(409, "id_taken");
        assert_eq!(ada.get(&mary.location()).await.body["emails"], json!({}));
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let own = json!({"person": {}, "match_contact_id": me});
        assert_eq!(capture(&ada, own).await.errors(), ["#/match_contact_id not_allowed"]);
    }

    async fn a_capture_that_makes_no_sense_changes_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (body, expected) in [
            (json!({"person": {}}), "#/person/name required"),
            (json!({"person": {"name": "Mary", "email": "nobody"}}), "#/person/email invalid_format"),
            (json!({"person": {"name": "Mary"}, "captured_at": "2026-03-02T09:11:00Z"}), "#/captured_at contradiction"),
            (json!({"person": {"name": "Mary"}, "event_id": NOBODYS_ID}), "#/event_id unknown_reference"),
            (json!({"person": {"name": "Mary"}, "match": "contact"}), "#/match_contact_id required"),
            (json!({"person": {"name": "Mary"}, "match": "contact", "match_contact_id": NOBODYS_ID}), "#/match_contact_id unknown_reference"),
            (json!({"person": {"name": "Mary"}, "follow_up": {"title": " "}}), "#/follow_up/title too_short"),
        ] {
            let refused = capture(&ada, body.clone()).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [expected], "{body}");
        }
        let ahead = capture(&ada, json!({"person": {"name": "Mary"}, "captured_at": "2026-03-02T09:09:00Z"})).await.expect(200);
        assert_eq!(ahead.body["interaction"]["occurred_at"], "2026-03-02T09:00:00Z", "a clock a little ahead means now");
        assert_eq!(total(&ada, "/v1/contacts").await, 1);
    }

    async fn an_event_at_which_nobody_was_met_is_debriefed_without_a_body(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let path = format!("{}/debrief", summit.location());
        let debriefed = ada.post_nothing(&path).await.expect(200);
        assert_eq!(debriefed.body["people"], json!([]));
        ada.post(&path, &json!({"people": [], "rating": 3})).await.expect(200);
    }

    async fn a_debrief_closes_an_event_and_can_be_told_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let mut people = Vec::new();
        for name in ["Mary", "Grace", "Emmy"] {
            people.push(person(&ada, &summit, json!({"name": name})).await);
        }
        let talk = json!({
            "contact_ids": [people[1].body["contact_id"]], "kind": "coffee", "occurred_at": "2026-03-02T08:30:00Z",
            "event_id": summit.id(),
        });
        made(&ada, "/v1/interactions", talk).await;
        let plans = ada.get("/v1/follow-up-plans/built-in").await.expect(200);
        let plan = plans.body["items"].as_array().unwrap().iter().find(|plan| plan["name"] == "after_event").unwrap()["id"].clone();
        let path = format!("{}/debrief", summit.location());
        let told = json!({
            "highlights": "Storage.", "rating": 4, "people": [
                {"event_person_id": people[0].id(), "met": true, "note": "Hires.", "plan_id": plan, "interaction_id": ID_1, "follow_up_id": ID_2},
                {"event_person_id": people[1].id(), "met": true, "met_at": "2026-03-02T08:30:00Z"},
                {"event_person_id": people[2].id(), "met": false},
            ],
        });
        let tried = ada.post(&format!("{path}?dry_run=true"), &told).await.expect(200);
        assert_eq!((&tried.body["dry_run"], &tried.body["write"]), (&json!(true), &Value::Null));
        assert_eq!(tried.body["event"]["participation"], "attended");
        assert_eq!(ada.get(&summit.location()).await.body["participation"], "attending", "nothing was changed");
        assert_eq!(total(&ada, "/v1/follow-ups").await, 0);

        let done = ada.post(&path, &told).await.expect(200);
        let results = done.body["people"].as_array().unwrap();
        assert_eq!((&results[0]["stage"], &results[0]["interaction_id"]), (&json!("met"), &json!(ID_1)));
        assert_eq!((&results[0]["step"]["follow_up_id"], &results[0]["step"]["due_on"]), (&json!(ID_2), &json!("2026-03-03")));
        assert_eq!(results[1]["interaction_created"], false, "they had talked already");
        assert_eq!((&results[2]["stage"], &results[2]["interaction_id"]), (&json!("not_met"), &Value::Null));
        let dried = tried.body["people"][0].as_object().unwrap();
        assert_eq!((&dried["interaction_created"], &dried["interaction_id"], &dried["step"]["title"]), (&json!(true), &Value::Null, &results[0]["step"]["title"]));
        let step = ada.get(&format!("/v1/follow-ups/{ID_2}")).await.expect(200);
        assert_eq!((&step.body["event_id"], &step.body["origin"]), (&summit.body["id"], &json!("plan")));
        assert_eq!(done.body["event"]["debrief"]["on"], "2026-03-02");

        let mut again = told.clone();
        again["highlights"] = json!("Storage and grids.");
        let again = ada.post(&path, &again).await.expect(200);
        assert_eq!(again.body["event"]["debrief"]["highlights"], "Storage and grids.");
        assert_eq!((total(&ada, "/v1/interactions").await, total(&ada, "/v1/follow-ups").await), (2, 1));
        let first = &again.body["people"][0];
        assert_eq!((&first["interaction_id"], &first["interaction_created"]), (&json!(ID_1), &json!(false)));
        let more = json!({"people": [{"event_person_id": people[1].id(), "met": true}]});
        let more = ada.post(&path, &more).await.expect(200);
        assert_eq!(more.body["event"]["debrief"]["rating"], 4, "what is not said stays");
        assert_eq!(more.body["write"], Value::Null);
        let unmet = json!({"people": [{"event_person_id": people[0].id(), "met": false}]});
        ada.post(&path, &unmet).await.problem(409, "invalid_transition");

        for write in [again.body["write"].as_i64().unwrap(), done.body["write"].as_i64().unwrap()] {
            ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        }
        let before = ada.get(&summit.location()).await;
        assert_eq!((&before.body["participation"], &before.body["debrief"]), (&json!("attending"), &Value::Null));
        assert_eq!((total(&ada, "/v1/interactions").await, total(&ada, "/v1/follow-ups").await), (1, 0));
        let stages = ada.get(&format!("{}/people?stage=to_research", summit.location())).await.expect(200);
        assert_eq!(stages.items().len(), 3);
    }

    async fn an_event_and_its_sessions_are_one_place(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let summit = conference(&ada, json!({})).await;
        let keynote = conference(&ada, json!({"title": "Keynote", "parent_id": summit.id()})).await;
        let speaker = person(&ada, &keynote, json!({"name": "Mary Somerville"})).await;
        let told = json!({"person": {"name": "Mary Somerville"}, "event_id": summit.id(), "note": "x".repeat(15_000)});
        let told = capture(&ada, told).await.expect(200);
        assert_eq!((&told.body["matched_by"], &told.body["event_person"]["id"]), (&json!("event"), &speaker.body["id"]));
        assert_eq!(told.body["event_person"]["stage"], "met");
        assert_eq!(total(&ada, "/v1/event-people").await, 1);
        let more = json!({"person": {"name": "Mary Somerville"}, "event_id": summit.id(), "note": "y".repeat(15_000)});
        let more = capture(&ada, more).await.expect(200);
        assert_eq!(more.body["interaction"]["body"].as_str().map(str::len), Some(15_000));
        ada.patch(&speaker.location(), &json!({"priority": 4})).await.expect(200);
        // Listed at the conference too, she was met all the same.
        let listed = person(&ada, &summit, json!({"contact_id": speaker.body["contact_id"]})).await;
        let path = format!("{}/debrief", summit.location());
        let unmet = json!({"people": [{"event_person_id": listed.id(), "met": false}]});
        ada.post(&path, &unmet).await.problem(409, "invalid_transition");
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let here = person(&ada, &summit, json!({"contact_id": grace.id()})).await;
        let there = person(&ada, &keynote, json!({"contact_id": grace.id()})).await;
        let both = json!({"people": [{"event_person_id": here.id(), "met": true}, {"event_person_id": there.id(), "met": false}]});
        assert_eq!(ada.post(&path, &both).await.errors(), ["#/people/1/met contradiction"]);
    }

    async fn a_debrief_by_patch_keeps_the_same_rules(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let later = json!({"title": "Later", "starts_at": "2026-05-12T09:00:00Z", "debrief": {"rating": 4}});
        assert_eq!(ada.post("/v1/events", &later).await.errors(), ["#/debrief contradiction"]);
        let summit = conference(&ada, json!({})).await;
        let noted = ada.patch(&summit.location(), &json!({"debrief": {"rating": 4}})).await.expect(200);
        assert_eq!(noted.body["debrief"]["on"], "2026-03-02");
        let priced = ada.patch(&summit.location(), &json!({"cost": 5.555})).await.expect(200);
        assert_eq!(priced.body["cost"], 5.56);
        let flooded = json!({"status": "cancelled", "status_reason": "Flooded."});
        ada.patch(&summit.location(), &flooded).await.expect(200);
        let declined = ada.patch(&summit.location(), &json!({"participation": "declined"})).await.expect(200);
        assert_eq!(declined.body["status_reason"], "Flooded.");
    }

    async fn there_is_no_debrief_of_what_has_not_been(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"status": "cancelled"}),
            json!({"status": "postponed"}),
            json!({"participation": "missed"}),
            json!({"participation": "declined"}),
            json!({"starts_local": "2026-03-02T12:00"}),
        ] {
            let event = conference(&ada, body.clone()).await;
            let refused = ada.post(&format!("{}/debrief", event.location()), &json!({"rating": 3})).await;
            refused.problem(409, "debrief_not_possible");
        }
        let (summit, other) = (conference(&ada, json!({})).await, conference(&ada, json!({"title": "Other"})).await);
        let elsewhere = person(&ada, &other, json!({"name": "Mary"})).await;
        let here = person(&ada, &summit, json!({"name": "Grace"})).await;
        let path = format!("{}/debrief", summit.location());
        for (person, expected) in [
            (json!({"event_person_id": NOBODYS_ID, "met": true}), "#/people/0/event_person_id unknown_reference"),
            (json!({"event_person_id": elsewhere.id(), "met": true}), "#/people/0/event_person_id unknown_reference"),
            (json!({"event_person_id": here.id(), "met": true, "plan_id": NOBODYS_ID}), "#/people/0/plan_id unknown_reference"),
            (json!({"event_person_id": here.id(), "met": true, "met_at": "2026-03-03T09:00:00Z"}), "#/people/0/met_at contradiction"),
        ] {
            let refused = ada.post(&path, &json!({"people": [person]})).await;
            refused.problem(422, "invalid");
            assert_eq!(refused.errors(), [expected], "{person}");
        }
        assert_eq!(ada.get(&summit.location()).await.body["participation"], "attending");
    }

    async fn goals_count_events_and_the_people_met(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = json!({"title": "Climate", "started_on": "2026-01-01", "due_on": "2026-12-31"});
        let goal = made(&ada, "/v1/goals", goal).await;
        for (metric, linked) in [("events_attended", false), ("people_met", false), ("people_met", true)] {
            let body = json!({"title": metric, "metric": metric, "target_value": 10, "filter": {"linked": linked}});
            made(&ada, &format!("{}/key-results", goal.location()), body).await;
        }
        let summit = conference(&ada, json!({"goal_ids": [goal.id()], "participation": "attended"})).await;
        conference(&ada, json!({"title": "Session", "parent_id": summit.id(), "participation": "attended"})).await;
        let other = conference(&ada, json!({"title": "Other"})).await;
        let mary = person(&ada, &summit, json!({"name": "Mary", "stage": "met"})).await;
        person(&ada, &other, json!({"contact_id": mary.body["contact_id"], "stage": "met"})).await;
        person(&ada, &other, json!({"name": "Grace", "stage": "met"})).await;
        person(&ada, &other, json!({"name": "Emmy"})).await;
        let progress = ada.get(&format!("{}/progress", goal.location())).await.expect(200);
        let counts: Vec<&Value> =
            progress.body["key_results"].as_array().unwrap().iter().map(|one| &one["count"]).collect();
        assert_eq!(counts, [1, 2, 1]);
    }

    async fn a_debrief_of_twelve_people_is_one_write_of_few_statements(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let plans = ada.get("/v1/follow-up-plans/built-in").await.expect(200);
        let plan = plans.body["items"][0]["id"].clone();
        let mut counts = Vec::new();
        for count in [12, 24] {
            let summit = conference(&ada, json!({})).await;
            let people: Vec<Value> = (0..count).map(|number| json!({"name": format!("Speaker {number} of {count}")})).collect();
            let path = format!("{}/people/bulk", summit.location());
            let added = ada.post(&path, &json!({ "people": people })).await.expect(200);
            let told = added.body["results"].as_array().unwrap().iter().map(|result| {
                json!({"event_person_id": result["event_person"]["id"], "met": true, "plan_id": plan})
            });
            let told = json!({"rating": 5, "people": told.collect::<Vec<Value>>()});
            let before = sent_to(&server.database);
            let done = ada.post(&format!("{}/debrief", summit.location()), &told).await.expect(200);
            counts.push(sent_to(&server.database) - before);
            let results = done.body["people"].as_array().unwrap();
            assert!(results.iter().all(|one| one["interaction_created"] == true && !one["step"].is_null()), "{results:?}");
        }
        assert!(counts[0] <= 60, "{counts:?} statements");
        assert!(counts[1] <= counts[0] + 5 + SESSION_STATEMENTS, "{counts:?}: they do not grow with the people");
    }
}
