//! Briefs: what to read before a call with a contact, and on the way to an event, and what they cost.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, body: Value) -> Reply {
    made(client, "/v1/contacts", body).await
}

async fn own(client: &Client) -> String {
    client.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned()
}

async fn brief(client: &Client, of: &Reply) -> Value {
    client.get(&format!("{}/brief", of.location())).await.expect(200).body
}

async fn event(client: &Client, body: Value) -> Reply {
    made(client, "/v1/events", body).await
}

/// The people of an event: a contact, and what else is told of them.
async fn there(client: &Client, event: &Reply, contact: &Reply, body: Value) -> Reply {
    let mut body = body;
    body["contact_id"] = json!(contact.id());
    made(client, &format!("{}/people", event.location()), body).await
}

/// These fields of each item, as text.
fn column<'a>(items: &'a Value, pointer: &str) -> Vec<&'a str> {
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.pointer(pointer).unwrap().as_str().unwrap_or("null"))
        .collect()
}

on_both! {
    async fn the_brief_of_a_contact_tells_what_there_is_before_a_call(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = own(&ada).await;
        ada.patch(&format!("/v1/contacts/{me}"), &json!({"skills": ["rust"], "location": "berlin"})).await.expect(200);
        let grid = made(&ada, "/v1/organizations", json!({"name": "Grid", "kind": "company"})).await;
        let school = made(&ada, "/v1/organizations", json!({"name": "TU Warsaw", "kind": "school"})).await;
        let position = async |of: &str, body: Value| made(&ada, &format!("/v1/contacts/{of}/positions"), body).await;
        position(&me, json!({"organization_id": grid.id(), "title": "Intern", "ended_on": "2019"})).await;
        position(&me, json!({"organization_name": "tu warsaw", "kind": "student", "ended_on": "2018"})).await;
        let alan = contact(&ada, json!({"given_name": "Alan"})).await;
        let fair = event(&ada, json!({"title": "Fair", "starts_at": "2024-10-01T09:00:00Z"})).await;
        let grace = contact(&ada, json!({"given_name": "Grace", "skills": ["Rust", "Sailing"], "location": "Berlin",
            "how_met": {"on": "2024-10", "event_id": fair.id(), "introduced_by_id": alan.id(), "story": "At lunch."}})).await;
        position(&grace.id(), json!({"organization_id": school.id(), "kind": "student", "started_on": "2010", "ended_on": "2014"})).await;
        position(&grace.id(), json!({"organization_id": grid.id(), "title": "CTO", "started_on": "2021"})).await;
        let relate = async |who: &str, kind: &str, whose: &str, ended_on: Value| {
            let body = json!({"contact_id": who, "type": kind, "related_contact_id": whose, "ended_on": ended_on});
            made(&ada, "/v1/relationships", body).await
        };
        relate(&grace.id(), "manager", &alan.id(), json!(null)).await;
        relate(&me, "recruiter", &grace.id(), json!("2020")).await;
        let need = async |of: &str, body: Value| made(&ada, &format!("/v1/contacts/{of}/needs"), body).await;
        need(&me, json!({"kind": "offer", "topic": "climate tech"})).await;
        need(&grace.id(), json!({"kind": "interest", "topic": "Climate Tech"})).await;
        need(&grace.id(), json!({"kind": "need", "topic": "a flat", "status": "met"})).await;
        for (title, body) in [
            ("Some day", json!({})),
            ("Send slides", json!({"due_on": "2026-03-05"})),
            ("Done", json!({"status": "done"})),
        ] {
            let mut body = body;
            (body["title"], body["contact_ids"]) = (json!(title), json!([grace.id()]));
            made(&ada, "/v1/follow-ups", body).await;
        }
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": grace.id(), "why": "Hires", "priority": 5})).await;
        for (day, body) in [("2026-02-01", json!("Her plans")), ("2026-02-20", json!(null))] {
            let call = json!({"contact_ids": [grace.id()], "kind": "call", "occurred_on": day, "subject": "Call", "body": body});
            made(&ada, "/v1/interactions", call).await;
        }
        let summit = event(&ada, json!({"title": "Summit", "starts_at": "2026-05-01T09:00:00Z"})).await;
        event(&ada, json!({"title": "Without her", "starts_at": "2026-05-01T09:00:00Z"})).await;
        there(&ada, &summit, &grace, json!({"role": "speaker", "priority": 5})).await;
        there(&ada, &fair, &grace, json!({"stage": "met", "met_at": "2024-10-01T12:00:00Z"})).await;

        let brief = brief(&ada, &grace).await;

        assert_eq!((&brief["on"], &brief["contact"]["id"]), (&json!("2026-03-02"), &json!(grace.id())));
        assert_eq!((&brief["activity"]["last_interaction_on"], &brief["activity"]["interaction_count"]), (&json!("2026-02-20"), &json!(2)));
        assert_eq!(column(&brief["positions"]["items"], "/organization"), ["Grid", "TU Warsaw"]);
        assert_eq!((&brief["positions"]["items"][0]["current"], &brief["positions"]["items"][1]["current"]), (&json!(true), &json!(false)));
        let relationships = &brief["relationships"]["items"];
        assert_eq!(column(relationships, "/other/name"), ["Alan", "ada"]);
        assert_eq!(column(relationships, "/contact_is"), ["manager", "null"]);
        assert_eq!(column(relationships, "/other_is"), ["report", "recruiter"]);
        let shared = |kind: &str, name: &str| json!({"kind": kind, "name": name});
        assert_eq!(brief["in_common"], json!([shared("organization", "Grid"), shared("school", "TU Warsaw"),
            shared("skill", "Rust"), shared("topic", "Climate Tech"), shared("place", "Berlin")]));
        assert_eq!(column(&brief["needs"]["items"], "/topic"), ["Climate Tech"]);
        assert_eq!((column(&brief["follow_ups"]["items"], "/title"), &brief["follow_ups"]["total"]), (vec!["Send slides", "Some day"], &json!(2)));
        let target = &brief["targets"]["items"][0];
        assert_eq!((&target["target"]["why"], &target["goal"]["title"]), (&json!("Hires"), &json!("Move")));
        assert_eq!(column(&brief["next_events"], "/event/title"), ["Summit"]);
        assert_eq!(column(&brief["next_events"], "/person/role"), ["speaker"]);
        assert_eq!(column(&brief["last_events"], "/event/title"), ["Fair"]);
        let met = &brief["how_met"];
        assert_eq!((&met["event"]["title"], &met["introduced_by"]["name"], &met["story"]), (&json!("Fair"), &json!("Alan"), &json!("At lunch.")));
        let timeline = column(&brief["timeline"], "/kind");
        assert_eq!(timeline[..3], ["follow_up_completed", "interaction", "interaction"]);
        assert_eq!(column(&brief["notes"], "/text"), ["Her plans"]);
        assert_eq!(brief["notes"][0]["on"], "2026-02-01");
        for section in ["positions", "relationships", "needs", "follow_ups", "targets"] {
            let list = ada.get(brief[section]["list"].as_str().unwrap()).await.expect(200);
            assert_eq!(json!(list.items().len()), brief[section]["total"], "{section}");
        }

        let before = ada.get(&format!("{}/brief?on=2020-06-01", grace.location())).await.expect(200).body;
        assert_eq!(column(&before["positions"]["items"], "/organization"), ["Grid", "TU Warsaw"]);
        assert_eq!(before["positions"]["items"][0]["current"], false, "she began in 2021");
        assert_eq!(column(&before["next_events"], "/event/title"), ["Fair", "Summit"]);
        assert_eq!(before["notes"], json!([]));
    }

    async fn a_merged_id_leads_to_the_brief_of_the_survivor(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, other) = (contact(&ada, json!({"given_name": "Grace"})).await, contact(&ada, json!({"given_name": "G."})).await);
        ada.post("/v1/contacts/merge", &json!({"keep_id": grace.id(), "merge_ids": [other.id()]})).await.expect(200);
        let brief = ada.get(&format!("{}/brief", other.location())).await.expect(200);
        assert_eq!(brief.body["contact"]["id"], grace.id());
        assert_eq!(brief.header("Content-Location"), Some(format!("{}/brief", grace.location()).as_str()));
        assert_eq!(ada.get(&format!("{}/brief", grace.location())).await.header("Content-Location"), None);
    }

    async fn a_brief_changes_with_what_is_in_it_and_with_the_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, summit) = (contact(&ada, json!({"given_name": "Grace"})).await, event(&ada, json!({"title": "Summit", "starts_on": "2026-03-05"})).await);
        for path in [format!("{}/brief", grace.location()), format!("{}/brief", summit.location())] {
            let first = ada.get(&path).await.expect(200);
            assert!(first.etag().starts_with("W/"), "{first}");
            ada.get(&path).if_none_match(&first.etag()).await.expect(304);
            ada.get(&format!("{path}?on=2026-03-03")).if_none_match(&first.etag()).await.expect(200);
            ada.patch(&grace.location(), &json!({"notes": path})).await.expect(200);
            ada.get(&path).if_none_match(&first.etag()).await.expect(200);
            ada.get(&format!("{path}?on=today")).await.problem(400, "invalid_parameter");
            ada.get(&format!("{path}?limit=5")).await.problem(400, "unknown_parameter");
        }
        let bob = server.register("bob@example.com").await;
        for path in [grace.location(), summit.location(), "/v1/events/01939d5e-8c00-7000-8000-0000000000ff".to_owned()] {
            bob.get(&format!("{path}/brief")).await.problem(404, "not_found");
        }
    }

    async fn you_have_nothing_in_common_with_yourself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = own(&ada).await;
        ada.patch(&format!("/v1/contacts/{me}"), &json!({"skills": ["rust"]})).await.expect(200);
        let brief = ada.get(&format!("/v1/contacts/{me}/brief")).await.expect(200).body;
        assert_eq!((&brief["contact"]["is_self"], &brief["in_common"]), (&json!(true), &json!([])));
    }

    async fn the_brief_of_an_event_ranks_its_people_and_tells_what_is_open(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = own(&ada).await;
        ada.patch(&format!("/v1/contacts/{me}"), &json!({"skills": ["rust"]})).await.expect(200);
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        let paused = made(&ada, "/v1/goals", json!({"title": "Paused", "status": "paused"})).await;
        let other = made(&ada, "/v1/goals", json!({"title": "Other", "priority": 5})).await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Short", "body": "I build."})).await;
        let summit = event(&ada, json!({"title": "Summit", "starts_local": "2026-03-12T09:00", "time_zone": "Europe/Berlin",
            "goal_ids": [goal.id()], "pitch_id": pitch.id(),
            "objectives": {"b": {"text": "Second", "position": 2}, "z": {"text": "First", "position": 1}, "a": {"text": "Also second", "position": 2}},
            "checklist": {"hotel": {"text": "Book", "done": true}, "badge": {"text": "Print"}}})).await;
        let session = |title: &str, at: &str| json!({"title": title, "parent_id": summit.id(), "starts_local": at});
        let late = event(&ada, session("Late", "2026-03-12T16:00")).await;
        event(&ada, session("Early", "2026-03-12T10:00")).await;
        let person = async |name: &str| contact(&ada, json!({"given_name": name, "skills": ["Rust"]})).await;
        let (zoe, bea, cy, dan) = (person("Zoe").await, person("Bea").await, person("Cy").await, person("Dan").await);
        there(&ada, &summit, &bea, json!({"priority": 4, "stage": "to_meet"})).await;
        there(&ada, &summit, &cy, json!({"priority": 4, "stage": "not_met"})).await;
        there(&ada, &summit, &dan, json!({"priority": 1})).await;
        there(&ada, &late, &dan, json!({"priority": 4, "role": "speaker", "why": "His talk"})).await;
        there(&ada, &summit, &zoe, json!({"priority": 5, "stage": "to_research"})).await;
        made(&ada, &format!("{}/positions", zoe.location()), json!({"organization_name": "Grid", "title": "CTO"})).await;
        made(&ada, "/v1/interactions", json!({"contact_ids": [zoe.id()], "kind": "call", "occurred_on": "2026-02-20"})).await;
        for (goal, contact, why) in [(&other, &zoe, "Other"), (&goal, &zoe, "Hires"), (&paused, &bea, "No"), (&other, &dan, "Knows")] {
            made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": contact.id(), "why": why, "priority": 5})).await;
        }
        let stranger = person("Stranger").await;
        let follow_up = async |title: &str, body: Value| {
            let mut body = body;
            body["title"] = json!(title);
            made(&ada, "/v1/follow-ups", body).await
        };
        follow_up("Later", json!({"contact_ids": [zoe.id()], "due_on": "2026-03-20"})).await;
        follow_up("Sooner", json!({"contact_ids": [zoe.id(), stranger.id()], "due_on": "2026-03-10"})).await;
        follow_up("Of the event", json!({"event_id": summit.id(), "due_on": "2026-03-11"})).await;
        follow_up("Both", json!({"event_id": late.id(), "contact_ids": [bea.id()], "due_on": "2026-03-12"})).await;
        follow_up("Done", json!({"contact_ids": [zoe.id()], "status": "done"})).await;
        follow_up("Of nobody there", json!({"contact_ids": [stranger.id()]})).await;

        let brief = brief(&ada, &summit).await;

        assert_eq!((&brief["on"], &brief["days_left"], &brief["event"]["title"]), (&json!("2026-03-02"), &json!(10), &json!("Summit")));
        assert_eq!((column(&brief["sessions"]["items"], "/title"), &brief["sessions"]["total"]), (vec!["Early", "Late"], &json!(2)));
        assert_eq!((column(&brief["goals"], "/title"), &brief["pitch"]["title"]), (vec!["Move"], &json!("Short")));
        assert_eq!((column(&brief["objectives"], "/key"), column(&brief["checklist"], "/key")), (vec!["z", "a", "b"], vec!["badge", "hotel"]));
        assert_eq!(brief["preparation"], json!({"open_checklist_items": 1, "objectives": 3, "people_to_research": 2,
            "has_pitch": true, "ready": false, "missing": ["checklist", "research"]}));
        let people = &brief["people"]["items"];
        assert_eq!((column(people, "/contact/name"), &brief["people"]["total"]), (vec!["Zoe", "Bea", "Dan", "Cy"], &json!(4)));
        let first = &people[0];
        assert_eq!((&first["title"], &first["organization"]), (&json!("CTO"), &json!("Grid")));
        assert_eq!((&first["last_interaction_on"], &first["interaction_count"]), (&json!("2026-02-20"), &json!(1)));
        assert_eq!((&first["target"]["why"], &first["target"]["goal_title"]), (&json!("Hires"), &json!("Move")));
        assert_eq!(first["follow_ups"], json!({"total": 2, "titles": ["Sooner", "Later"]}));
        assert_eq!(first["in_common"], json!([{"kind": "skill", "name": "Rust"}]));
        assert_eq!((&people[1]["target"], &people[2]["target"]["why"]), (&Value::Null, &json!("Knows")), "one goal is paused, one active");
        // He is at both, and ranks by the session.
        assert_eq!((&people[2]["person"]["why"], &people[2]["event_ids"]), (&json!("His talk"), &json!([late.id(), summit.id()])));
        let open = &brief["follow_ups"];
        assert_eq!((column(&open["items"], "/follow_up/title"), &open["total"]), (vec!["Sooner", "Of the event", "Both", "Later"], &json!(4)));
        assert_eq!(column(&open["items"][0]["contacts"], "/name"), ["Zoe", "Stranger"]);
        for section in ["sessions", "people", "follow_ups"] {
            assert!(!ada.get(brief[section]["list"].as_str().unwrap()).await.expect(200).items().is_empty(), "{section}");
        }

        // A session has its own people only.
        let of_session = ada.get(&format!("{}/brief", late.location())).await.expect(200).body;
        assert_eq!(column(&of_session["people"]["items"], "/contact/name"), ["Dan"]);
        assert_eq!(of_session["preparation"]["missing"], json!(["objectives", "pitch", "research"]));
    }

    async fn the_days_left_are_those_where_the_event_is(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (zone, local, on, days) in [
            // The clock goes forward that night, and back that one.
            ("Europe/Berlin", "2026-03-29T00:30", "2026-03-28", 1),
            ("Europe/Berlin", "2026-03-29T23:30", "2026-03-30", -1),
            ("Europe/Berlin", "2026-10-25T23:59", "2026-10-18", 7),
            ("Asia/Kathmandu", "2026-03-05T00:15", "2026-03-05", 0),
            ("Asia/Kathmandu", "2026-03-05T23:45", "2026-03-02", 3),
            // In UTC both are on the day before.
            ("Pacific/Apia", "2026-03-05T08:00", "2026-03-05", 0),
            ("Pacific/Apia", "2026-03-05T08:00", "2026-03-02", 3),
            ("Pacific/Pago_Pago", "2026-03-05T20:00", "2026-03-05", 0),
        ] {
            let made = event(&ada, json!({"title": "Summit", "starts_local": local, "time_zone": zone})).await;
            let path = format!("{}/brief?on={on}", made.location());
            assert_eq!(ada.get(&path).await.expect(200).body["days_left"], days, "{zone} {local} {on}");
        }
        let days = json!({"title": "Fair", "starts_on": "2026-10-25", "ends_on": "2026-10-26", "time_zone": "Europe/Berlin"});
        let made = event(&ada, days).await;
        let of = |on: &str| format!("{}/brief?on={on}", made.location());
        assert_eq!(ada.get(&of("2026-10-24")).await.expect(200).body["days_left"], 1);
        assert_eq!(ada.get(&of("2026-10-26")).await.expect(200).body["days_left"], -1);
    }

    async fn a_brief_takes_no_more_statements_for_forty_of_each_than_for_two(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        let organization = made(&ada, "/v1/organizations", json!({"name": "Grid"})).await;
        let summit = event(&ada, json!({"title": "Summit", "starts_on": "2026-03-05", "goal_ids": [goal.id()]})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let add = async |number: usize| {
            let person = contact(&ada, json!({"given_name": format!("N{number}")})).await;
            for of in [&person, &grace] {
                let position = json!({"organization_id": organization.id(), "title": "CTO", "started_on": format!("{}", 1980 + number)});
                made(&ada, &format!("{}/positions", of.location()), position).await;
                made(&ada, &format!("{}/needs", of.location()), json!({"topic": format!("topic {number}")})).await;
            }
            let goal = made(&ada, "/v1/goals", json!({"title": format!("G{number}")})).await;
            for of in [&person, &grace] {
                made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": of.id()})).await;
            }
            made(&ada, "/v1/relationships", json!({"contact_id": person.id(), "related_contact_id": grace.id(), "type": "friend"})).await;
            let both = json!([person.id(), grace.id()]);
            made(&ada, "/v1/follow-ups", json!({"title": "Write", "contact_ids": both})).await;
            made(&ada, "/v1/interactions", json!({"contact_ids": both, "kind": "call", "occurred_on": "2026-02-01", "body": "Notes"})).await;
            there(&ada, &summit, &person, json!({})).await;
            for day in ["2026-02-01", "2026-03-05"] {
                let other = event(&ada, json!({"title": "Other", "starts_on": day})).await;
                there(&ada, &other, &grace, json!({})).await;
            }
            event(&ada, json!({"title": "Session", "starts_on": "2026-03-05", "parent_id": summit.id()})).await;
        };
        let count = async || {
            let mut counts = Vec::new();
            let mut briefs = Vec::new();
            for of in [&grace, &summit] {
                let (statements, brief) = statements_of(&server.database, async || brief(&ada, of).await).await;
                counts.push(statements);
                briefs.push(brief);
            }
            (counts, briefs)
        };
        for number in 0..2 {
            add(number).await;
        }
        let (few, briefs) = count().await;
        assert_eq!((&briefs[0]["follow_ups"]["total"], &briefs[1]["people"]["total"]), (&json!(2), &json!(2)));
        for number in 2..40 {
            add(number).await;
        }
        let (many, briefs) = count().await;
        for section in ["positions", "relationships", "needs", "follow_ups", "targets"] {
            let shown = briefs[0][section]["items"].as_array().unwrap().len();
            assert_eq!((&briefs[0][section]["total"], shown), (&json!(40), 20), "{section}");
        }
        assert_eq!(briefs[1]["people"]["items"].as_array().unwrap().len(), 40);
        // Of the timeline, the kinds of record on the page are read: of many there may be fewer.
        assert!(few.iter().all(|count| *count > 5) && many <= few && many[1] == few[1], "{few:?} {many:?}");
    }
}
