//! The view of a day: what stands in each section and why, and what it costs.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn log(client: &Client, body: Value) -> Reply {
    client.post("/v1/interactions", &body).await.expect(201)
}

async fn today(client: &Client) -> Value {
    client.get("/v1/today").await.expect(200).body
}

fn texts(section: &Value) -> Vec<&str> {
    section["items"].as_array().unwrap().iter().map(|item| item["reason"]["detail"].as_str().unwrap()).collect()
}

fn codes(steps: &Value) -> Vec<&str> {
    steps.as_array().unwrap().iter().map(|step| step["code"].as_str().unwrap()).collect()
}

const SECTIONS: [&str; 11] = [
    "follow_ups",
    "promises",
    "contacts",
    "dates",
    "planned",
    "awaiting_outcome",
    "goals",
    "events",
    "events_to_debrief",
    "thanks",
    "feedback",
];

on_both! {
    async fn an_empty_workspace_gets_first_steps_until_each_is_taken(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let view = today(&ada).await;
        assert_eq!((&view["on"], &view["valid_until"]), (&json!("2026-03-02"), &json!("2026-03-03T00:00:00Z")));
        for section in SECTIONS {
            assert_eq!((&view[section]["items"], &view[section]["total"]), (&json!([]), &json!(0)), "{section}");
        }
        assert_eq!(codes(&view["setup"]), ["add_contact", "set_tier", "log_interaction", "add_follow_up"]);
        assert_eq!(view["setup"][0]["do"], json!({"operation": "create_contact", "method": "POST", "path": "/v1/contacts"}));

        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        assert_eq!(codes(&today(&ada).await["setup"]), ["set_tier", "log_interaction", "add_follow_up"]);
        ada.patch(&grace.location(), &json!({"tier": "core"})).await.expect(200);
        log(&ada, json!({"contact_ids": [grace.id()], "kind": "call", "occurred_on": "2026-03-01"})).await;
        ada.post("/v1/follow-ups", &json!({"title": "Send it", "contact_ids": [grace.id()]})).await.expect(201);
        assert_eq!(today(&ada).await["setup"], json!([]));
    }

    async fn each_section_says_why_its_items_are_there(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let weekly = json!({"every": 7, "unit": "day"});
        let grace = contact(&ada, json!({"given_name": "Grace", "cadence": weekly, "dates": {
            "birthday": {"value": "1986-03-04"}, "anniversary": {"value": "--03-20"}, "first_met": {"value": "2020"},
        }})).await;
        let alan = contact(&ada, json!({"given_name": "Alan", "cadence": weekly})).await;
        let hidden = json!({"given_name": "Gone", "dates": {"birthday": {"value": "--03-03"}}, "archived_at": "2026-01-01T00:00:00Z"});
        contact(&ada, hidden).await;
        for person in [&grace, &alan] {
            log(&ada, json!({"contact_ids": [person.id()], "kind": "call", "occurred_on": "2026-02-20"})).await;
        }
        let planned = json!({"contact_ids": [alan.id()], "kind": "coffee", "status": "planned", "occurred_on": "2026-03-05"});
        log(&ada, planned).await;
        let passed = json!({"contact_ids": [grace.id(), alan.id()], "kind": "informational_interview", "status": "planned",
            "occurred_at": "2026-03-01T15:00:00Z"});
        let passed = log(&ada, passed).await;
        for (title, body) in [
            ("Today", json!({"due_on": "2026-03-02"})),
            ("Late", json!({"due_on": "2026-02-27"})),
            ("Snoozed", json!({"due_on": "2026-02-27", "snoozed_until": "2026-03-03"})),
            ("Promised", json!({"due_on": "2026-03-01", "owed_by": "them"})),
            ("Done", json!({"due_on": "2026-03-01", "status": "done"})),
            ("Some day", json!({})),
        ] {
            let mut body = body;
            (body["title"], body["contact_ids"]) = (json!(title), json!([grace.id()]));
            ada.post("/v1/follow-ups", &body).await.expect(201);
        }

        let view = today(&ada).await;
        for (section, expected) in [
            ("follow_ups", vec!["Late: 3 days overdue.", "Today: due today."]),
            ("promises", vec!["Promised: promised, 1 day overdue."]),
            ("contacts", vec!["Get in touch with Grace: 3 days overdue."]),
            ("dates", vec!["Grace: birthday in 2 days."]),
            ("planned", vec!["Coffee with Alan: in 3 days."]),
            ("awaiting_outcome", vec!["Informational interview with Grace, Alan: did it happen?"]),
        ] {
            assert_eq!((texts(&view[section]), &view[section]["total"]), (expected.clone(), &json!(expected.len())), "{section}");
        }
        let late = &view["follow_ups"]["items"][0];
        assert_eq!(late["reason"]["params"], json!({"name": "Late", "days": -3}));
        assert_eq!((&late["follow_up"]["title"], &late["contacts"][0]["name"]), (&json!("Late"), &json!("Grace")));
        let birthday = &view["dates"]["items"][0];
        let of_birthday = (&birthday["key"], &birthday["on"], &birthday["years"]);
        assert_eq!(of_birthday, (&json!("birthday"), &json!("2026-03-04"), &json!(40)));
        assert_eq!(view["contacts"]["items"][0]["state"], "overdue");

        // What each list leads to begins with what is shown.
        for (section, key) in [("follow_ups", "follow_up"), ("promises", "follow_up"), ("awaiting_outcome", "interaction")] {
            let list = ada.get(view[section]["list"].as_str().unwrap()).await.expect(200);
            assert_eq!(list.items()[0]["id"], view[section]["items"][0][key]["id"], "{section}");
        }
        ada.get(view["contacts"]["list"].as_str().unwrap()).await.expect(200);
        let path = view["dates"]["list"].as_str().unwrap();
        assert_eq!(path, "/v1/contacts?dates_within=2026-03-02/2026-03-16");
        let list = ada.get(path).await.expect(200);
        assert_eq!((list.items().len(), &list.items()[0]["name"]), (1, &json!("Grace")));
        for (period, count) in [("2026-03-20/2026-03-20", 1), ("2026-03-05/2026-03-19", 0), ("2026-03-02/2027-03-02", 1)] {
            let list = ada.get(&format!("/v1/contacts?dates_within={period}")).await.expect(200);
            assert_eq!(list.items().len(), count, "{period}");
        }
        for wrong in ["2026-03-20", "2026-03-20/2026-03-19", "2026-03-02/2027-03-04", "2026-03-02/2026-02-30", "/"] {
            ada.get(&format!("/v1/contacts?dates_within={wrong}")).await.problem(400, "invalid_parameter");
        }

        let later = ada.get("/v1/today?on=2026-03-20").await.expect(200).body;
        assert_eq!(texts(&later["dates"]), ["Grace: anniversary today."]);
        assert_eq!(texts(&later["contacts"]), ["Get in touch with Grace: 21 days overdue.", "Get in touch with Alan: 21 days overdue."]);
        ada.patch(&passed.location(), &json!({"status": "happened"})).await.expect(200);
        let view = today(&ada).await;
        assert_eq!((texts(&view["awaiting_outcome"]).len(), texts(&view["contacts"]).len()), (0, 0), "both were met");
    }

    async fn goals_that_are_far_behind_or_overdue_are_shown_with_what_is_done(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (title, started_on, due_on, status, value) in [
            ("At risk", "2026-01-01", "2026-03-11", "active", Some(2)),
            ("Overdue", "2026-01-01", "2026-02-27", "active", Some(9)),
            ("Behind", "2026-01-01", "2026-03-11", "active", Some(7)),
            ("Done", "2026-01-01", "2026-02-27", "active", Some(10)),
            ("Paused", "2026-01-01", "2026-03-11", "paused", Some(2)),
            ("Unmeasured", "2026-01-01", "2026-03-11", "active", None),
        ] {
            let body = json!({"title": title, "started_on": started_on, "due_on": due_on, "status": status});
            let goal = ada.post("/v1/goals", &body).await.expect(201);
            if let Some(value) = value {
                let key_result = json!({"title": title, "target_value": 10});
                let key_result = ada.post(&format!("{}/key-results", goal.location()), &key_result).await.expect(201);
                let check_in = json!({"key_result_id": key_result.id(), "on": "2026-02-01", "value": value});
                ada.post("/v1/check-ins", &check_in).await.expect(201);
            }
        }
        let goals = today(&ada).await["goals"].clone();
        assert_eq!(texts(&goals), ["Overdue: 3 days overdue with 90 % done.", "At risk: at risk with 20 % done, due in 9 days."]);
        assert_eq!(goals["total"], 2);
        let at_risk = &goals["items"][1];
        assert_eq!((&at_risk["goal"]["title"], &at_risk["progress"]), (&json!("At risk"), &json!(0.2)));
        assert_eq!(at_risk["reason"]["params"], json!({"name": "At risk", "days": 9}));
        assert_eq!(ada.walk(goals["list"].as_str().unwrap()).await.len(), 5);
    }

    async fn events_ahead_are_shown_with_what_is_still_to_be_prepared(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let add = async |title: &str, body: Value| {
            let mut body = body;
            body["title"] = json!(title);
            ada.post("/v1/events", &body).await.expect(201)
        };
        let pitch = ada.post("/v1/pitches", &json!({"title": "Short", "body": "I build."})).await.expect(201);
        let of_pitch = json!({"pitch_id": pitch.id(), "objectives": {"a": {"text": "Meet"}}, "starts_on": "2026-03-16"});
        let ready = add("Ready", of_pitch).await;
        let bare = add("Bare", json!({"starts_at": "2026-03-05T09:00:00Z", "checklist": {"a": {"text": "Book"}, "b": {"text": "Print"}}})).await;
        let session = add("Session", json!({"starts_at": "2026-03-05T10:00:00Z", "parent_id": bare.id()})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for event in [&bare, &session] {
            let person = json!({"contact_id": grace.id()});
            ada.post(&format!("{}/people", event.location()), &person).await.expect(201);
        }
        add("Running", json!({"starts_on": "2026-03-01", "ends_on": "2026-03-03"})).await;
        add("Too late", json!({"starts_on": "2026-03-17"})).await;
        add("Over", json!({"starts_on": "2026-03-01"})).await;
        add("Until midnight", json!({"starts_at": "2026-03-01T20:00:00Z", "ends_at": "2026-03-02T00:00:00Z"})).await;
        for (title, body) in [
            ("Cancelled", json!({"status": "cancelled"})), ("Postponed", json!({"status": "postponed"})),
            ("Declined", json!({"participation": "declined"})), ("Not going", json!({"participation": "cancelled"})),
        ] {
            let mut body = body;
            body["starts_on"] = json!("2026-03-05");
            add(title, body).await;
        }

        let events = today(&ada).await["events"].clone();

        assert_eq!(texts(&events), [
            "Running: under way.",
            "Bare: in 3 days; still to prepare: set an objective, choose a pitch, complete 2 checklist items, research 1 person.",
            "Ready: in 14 days, prepared.",
        ]);
        assert_eq!(events["total"], 3);
        let codes: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|item| &item["reason"]["code"]).collect();
        assert_eq!(codes, ["event_under_way", "event_unprepared", "event_ahead"]);
        assert_eq!(events["items"][1]["reason"]["params"], json!({"name": "Bare", "days": 3}));
        assert_eq!(events["items"][1]["preparation"], json!({"open_checklist_items": 2, "objectives": 0, "people_to_research": 1,
            "has_pitch": false, "ready": false, "missing": ["objectives", "pitch", "checklist", "research"]}));
        assert_eq!(events["items"][2]["event"]["id"], ready.id());
        let list = ada.walk(events["list"].as_str().unwrap()).await;
        let titles: Vec<&str> = list.iter().map(|event| event["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["Running", "Bare", "Ready"]);
        let of_event = ada.get(&format!("{}/brief", bare.location())).await.expect(200).body;
        assert_eq!(of_event["preparation"], events["items"][1]["preparation"]);
    }

    async fn the_day_of_an_event_is_the_one_where_it_is(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (title, zone, local) in [
            // In UTC this is 2 March, 10:30.
            ("Kiritimati", "Pacific/Kiritimati", "2026-03-03T00:30"),
            ("Kathmandu", "Asia/Kathmandu", "2026-03-03T00:15"),
            ("Apia", "Pacific/Apia", "2026-03-01T23:00"),
            // In UTC this is 17 March, 10:30.
            ("Pago Pago", "Pacific/Pago_Pago", "2026-03-16T23:30"),
            ("Berlin", "Europe/Berlin", "2026-03-17T00:15"),
        ] {
            let body = json!({"title": title, "starts_local": local, "time_zone": zone});
            ada.post("/v1/events", &body).await.expect(201);
        }
        let events = today(&ada).await["events"].clone();
        let days: Vec<(&str, i64)> = events["items"].as_array().unwrap().iter()
            .map(|item| (item["event"]["title"].as_str().unwrap(), item["reason"]["params"]["days"].as_i64().unwrap())).collect();
        assert_eq!(days, [("Kiritimati", 1), ("Kathmandu", 1), ("Pago Pago", 14)]);
    }

    async fn an_event_that_is_over_waits_for_its_debrief(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let add = async |title: &str, starts_at: &str, body: Value| {
            let mut body = body;
            (body["title"], body["starts_at"]) = (json!(title), json!(starts_at));
            if body["participation"].is_null() {
                body["participation"] = json!("registered");
            }
            ada.post("/v1/events", &body).await.expect(201)
        };
        let over = add("Over", "2026-02-20T09:00:00Z", json!({})).await;
        add("Attended", "2026-02-19T09:00:00Z", json!({"participation": "attended"})).await;
        add("Long ago", "2026-02-15T23:00:00Z", json!({})).await;
        add("Told", "2026-02-20T09:00:00Z", json!({"debrief": {"rating": 4}})).await;
        add("Missed", "2026-02-20T09:00:00Z", json!({"participation": "missed"})).await;
        add("Interested", "2026-02-20T09:00:00Z", json!({"participation": "interested"})).await;
        add("Cancelled", "2026-02-20T09:00:00Z", json!({"status": "cancelled"})).await;
        add("Session", "2026-02-20T10:00:00Z", json!({"parent_id": over.id()})).await;
        add("Tried", "2026-03-02T08:00:00Z", json!({"ends_at": "2026-03-02T08:30:00Z", "participation": "interested"})).await;
        add("Perhaps", "2026-03-02T08:30:00Z", json!({"ends_at": "2026-03-02T09:05:00Z", "participation": "interested"})).await;
        add("This morning", "2026-03-02T08:00:00Z", json!({"ends_at": "2026-03-02T09:10:00Z"})).await;

        let first = ada.get("/v1/today").await.expect(200);
        let section = &first.body["events_to_debrief"];
        assert_eq!((texts(section), &section["total"]), (vec!["Over: ended, not debriefed yet.", "Attended: ended, not debriefed yet."], &json!(2)));
        assert_eq!(section["items"][0]["reason"]["params"], json!({"name": "Over", "days": -10}));
        assert_eq!(section["items"][0]["reason"]["code"], "event_to_debrief");
        let ahead = &first.body["events"];
        assert_eq!((&ahead["total"], &ahead["items"][0]["event"]["title"]), (&json!(2), &json!("This morning")));
        let list = ada.walk(ahead["list"].as_str().unwrap()).await;
        assert_eq!(list.len(), 2, "what is over is in neither");
        let list = ada.walk(section["list"].as_str().unwrap()).await;
        let titles: Vec<&str> = list.iter().map(|event| event["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["Over", "Attended"]);

        // They end, and no record changes.
        server.clock.advance(chrono::TimeDelta::minutes(6));
        let sooner = ada.get("/v1/today").if_none_match(&first.etag()).await.expect(200);
        assert_eq!((&sooner.body["events"]["total"], &sooner.body["events_to_debrief"]["total"]), (&json!(1), &json!(2)));
        server.clock.advance(chrono::TimeDelta::minutes(5));
        let second = ada.get("/v1/today").if_none_match(&sooner.etag()).await.expect(200);
        assert_eq!(second.body["events_to_debrief"]["items"][0]["event"]["title"], "This morning");
        assert_eq!(second.body["events"]["total"], 0);
    }

    async fn the_tag_changes_when_the_time_of_a_plan_passes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let plan = json!({"contact_ids": [grace.id()], "kind": "call", "status": "planned", "occurred_at": "2026-03-02T09:10:00Z"});
        log(&ada, plan).await;
        let first = ada.get("/v1/today").await.expect(200);
        ada.get("/v1/today").if_none_match(&first.etag()).await.expect(304);
        assert_eq!(texts(&first.body["planned"]), ["Call with Grace: today."]);
        server.clock.advance(chrono::TimeDelta::minutes(11));
        let second = ada.get("/v1/today").if_none_match(&first.etag()).await.expect(200);
        assert_eq!(texts(&second.body["awaiting_outcome"]), ["Call with Grace: did it happen?"]);
        assert_eq!(texts(&second.body["planned"]), Vec::<&str>::new());
    }

    async fn nobody_else_sees_it_and_a_wrong_day_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace", "dates": {"birthday": {"value": "--03-02"}}})).await;
        ada.post("/v1/follow-ups", &json!({"title": "Send it", "contact_ids": [grace.id()], "due_on": "2026-03-02"})).await.expect(201);
        let bob = server.register("bob@example.com").await;
        let view = today(&bob).await;
        for section in SECTIONS {
            assert_eq!(view[section]["total"], 0, "{section}");
        }
        for query in ["on=2026-02-30", "on=today", "limit=5"] {
            ada.get(&format!("/v1/today?{query}")).await.expect(400);
        }
    }

    async fn it_takes_as_many_statements_for_forty_of_each_as_for_two(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let add = async |number: usize| {
            let name = format!("N{number}");
            let cadence = json!({"every": 7, "unit": "day"});
            let dates = json!({"birthday": {"value": "--03-05"}});
            let one = contact(&ada, json!({"given_name": name, "cadence": cadence, "dates": dates})).await.id();
            let two = contact(&ada, json!({"given_name": format!("P{number}")})).await.id();
            log(&ada, json!({"contact_ids": [one], "kind": "call", "occurred_on": "2026-02-01"})).await;
            for day in ["2026-03-01", "2026-03-06"] {
                let plan = json!({"contact_ids": [two], "kind": "call", "status": "planned", "occurred_on": day});
                log(&ada, plan).await;
            }
            for owed_by in ["me", "them"] {
                let body = json!({"title": name, "contact_ids": [one], "due_on": "2026-03-01", "owed_by": owed_by});
                ada.post("/v1/follow-ups", &body).await.expect(201);
            }
            let goal = json!({"title": name, "started_on": "2026-01-01", "due_on": "2026-03-31"});
            let goal = ada.post("/v1/goals", &goal).await.expect(201);
            let counted = json!({"title": name, "metric": "informational_interviews", "target_value": 10});
            ada.post(&format!("{}/key-results", goal.location()), &counted).await.expect(201);
            let ahead = json!({"title": name, "starts_on": "2026-03-05"});
            let ahead = ada.post("/v1/events", &ahead).await.expect(201);
            ada.post(&format!("{}/people", ahead.location()), &json!({"contact_id": one})).await.expect(201);
            let over = json!({"title": name, "starts_on": "2026-02-27", "participation": "attended"});
            ada.post("/v1/events", &over).await.expect(201);
            let received = json!({"contact_id": one, "direction": "received", "occurred_on": "2026-02-20"});
            ada.post("/v1/exchanges", &received).await.expect(201);
            let asked = json!({"contact_id": one, "topic": name, "status": "requested", "status_changed_at": "2026-02-01T00:00:00Z"});
            ada.post("/v1/feedback", &asked).await.expect(201);
        };
        let count = async || statements_of(&server.database, async || today(&ada).await).await;
        add(0).await;
        add(1).await;
        let (few, view) = count().await;
        for section in SECTIONS {
            assert_eq!(view[section]["total"], 2, "{section}");
        }
        for number in 2..40 {
            add(number).await;
        }
        let (many, view) = count().await;
        for section in SECTIONS {
            let shown = view[section]["items"].as_array().unwrap().len();
            assert_eq!((&view[section]["total"], shown), (&json!(40), 20), "{section}");
        }
        assert!(few > 0);
        assert_eq!(few, many);
    }
}
