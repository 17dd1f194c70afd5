//! Calendar feeds: what is in one, who can make and read it, and that an independent parser reads what is meant.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::*;

const FEEDS: &str = "/v1/calendar-feeds";

async fn make(client: &Client, contents: &[&str]) -> Reply {
    client.post(FEEDS, &json!({"name": "Wellmet", "contents": contents})).await.expect(201)
}

#[track_caller]
fn path(reply: &Reply) -> String {
    reply.body["path"].as_str().unwrap_or_else(|| panic!("no path in {reply}")).to_owned()
}

/// The path of a feed of everything.
async fn feed(client: &Client) -> String {
    path(&make(client, &["follow_ups", "birthdays", "interactions"]).await)
}

/// Read as a calendar program does, without a token.
async fn read(client: &Client, path: &str) -> Reply {
    client.get(path).anonymous().await
}

/// The values of a property, unfolded, in the order of the entries.
fn values(calendar: &Reply, name: &str) -> Vec<String> {
    let text = calendar.text.replace("\r\n ", "");
    let of_line = |line: &str| line.strip_prefix(&format!("{name}:")).map(str::to_owned);
    text.lines().filter_map(of_line).collect()
}

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn follow_up(client: &Client, contact: &Reply, body: Value) -> Reply {
    let mut body = body;
    body["contact_ids"] = json!([contact.id()]);
    client.post("/v1/follow-ups", &body).await.expect(201)
}

/// What the independent parser reads; `None` where it is not installed, unless it is required.
fn parsed(calendar: &Reply) -> Option<Value> {
    let knows = |program: &str| {
        let mut command = Command::new(program);
        command.args(["-c", "import icalendar, dateutil"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let Some(python) =
        std::env::var("ICALENDAR_PYTHON").ok().or_else(|| Some("python3".to_owned())).filter(|own| knows(own))
    else {
        let how = "pip install -r tests/conformance/requirements.txt";
        assert!(std::env::var_os("REQUIRE_ICALENDAR").is_none(), "{how}");
        eprintln!("not checked by an independent parser: {how}");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/read_calendar.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("python");
    process.stdin.take().expect("it is piped").write_all(calendar.text.as_bytes()).expect("it reads");
    let done = process.wait_with_output().expect("python");
    assert!(done.status.success(), "{}\n{}", String::from_utf8_lossy(&done.stderr), calendar.text);
    Some(serde_json::from_slice(&done.stdout).expect("JSON"))
}

/// The entries without what differs from run to run.
fn told(parsed: &Value) -> Vec<Value> {
    let strip = |mut entry: Value| {
        for name in ["uid", "sequence", "url"] {
            entry.as_object_mut().unwrap().remove(name);
        }
        entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        entry
    };
    parsed["entries"].as_array().unwrap().iter().cloned().map(strip).collect()
}

on_both! {
    async fn a_feed_is_shown_once_and_read_by_its_path(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, &["interactions", "follow_ups", "follow_ups"]).await;
        let path = path(&made);
        assert_eq!(made.header("Cache-Control"), Some("no-store"));
        assert_eq!(made.location(), format!("{FEEDS}/{}", made.id()));
        assert_eq!(made.body["contents"], json!(["follow_ups", "interactions"]));
        let mut shown = made.body.clone();
        shown.as_object_mut().unwrap().remove("path");
        assert_eq!(ada.get(&made.location()).await.expect(200).body, shown);
        assert_eq!(ada.get(FEEDS).await.expect(200).body, json!({"items": [shown], "next_cursor": null}));
        assert_eq!((&shown["expires_at"], &shown["last_read_at"]), (&Value::Null, &Value::Null));

        let calendar = read(&ada, &path).await.expect(200);
        assert_eq!(calendar.header("Content-Type"), Some("text/calendar; charset=utf-8"));
        assert_eq!(calendar.header("Cache-Control"), Some("private, max-age=900"));
        assert_eq!(values(&calendar, "X-WR-CALNAME"), ["Wellmet"]);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["last_read_at"], "2026-03-02T09:00:00Z");

        server.clock.advance(TimeDelta::seconds(59));
        read(&ada, &path).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["last_read_at"], "2026-03-02T09:00:00Z");
        server.clock.advance(TimeDelta::seconds(1));
        read(&ada, &path).await.expect(200);
        assert_eq!(ada.get(&made.location()).await.expect(200).body["last_read_at"], "2026-03-02T09:01:00Z");

        ada.delete(&made.location()).await.expect(204);
        read(&ada, &path).await.problem(404, "not_found");
        ada.delete(&made.location()).await.problem(404, "not_found");
        server.stop().await;
        let stored = server.database.texts("SELECT name FROM calendar_feeds");
        assert_eq!(stored, Vec::<String>::new());
    }

    async fn only_the_right_secret_reads_a_feed(server: TestServer) {
        let (ada, eve) = (server.register("ada@example.com").await, server.register("eve@example.com").await);
        let made = make(&ada, &["follow_ups"]).await;
        let path = path(&made);
        let other = path.replace("wm_cal_", "wm_cal_0");
        let unknown = "/calendar/wm_cal_000000000000000000000000000000000000.ics";
        for wrong in [other.as_str(), unknown, "/calendar/x.ics", "/calendar/.ics", &path.replace(".ics", "")] {
            let reply = read(&ada, wrong).await;
            reply.problem(404, "not_found");
            assert!(!reply.text.contains("wm_cal_"), "{reply}");
        }
        read(&ada, &format!("{path}?as=journal")).await.problem(400, "invalid_parameter");
        read(&ada, &format!("{path}?since=2026-01-01")).await.problem(400, "unknown_parameter");
        ada.post(&path, &json!({})).anonymous().await.problem(405, "method_not_allowed");
        eve.get(&made.location()).await.problem(404, "not_found");
        eve.delete(&made.location()).await.problem(404, "not_found");
        read(&eve, &path).await.expect(200);
        let log = ada.get("/v1/changes").await.expect(200);
        assert!(!log.text.contains("wm_cal_") && !log.text.contains(&made.id()), "{log}");
    }

    async fn who_cannot_read_something_cannot_make_a_feed_of_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let token = async |scopes: &[&str], expires_at: Option<&str>| {
            let body = json!({"name": "x", "scopes": scopes, "expires_at": expires_at});
            let made = ada.post("/v1/tokens", &body).await.expect(201);
            ada.with_token(made.body["token"].as_str().unwrap())
        };
        let narrow = token(&["account:write", "contacts:read"], None).await;
        make(&narrow, &["birthdays"]).await;
        for content in ["follow_ups", "interactions", "events"] {
            let body = json!({"name": "x", "contents": ["birthdays", content]});
            let refused = narrow.post(FEEDS, &body).await.problem(403, "insufficient_scope");
            assert!(refused["detail"].as_str().unwrap().contains(&format!("{content}:read")), "{refused}");
        }
        let short = token(&["account:write", "follow_ups:read"], Some("2026-03-03T09:00:00Z")).await;
        let made = make(&short, &["follow_ups"]).await;
        assert_eq!(made.body["expires_at"], "2026-03-03T09:00:00Z");
        read(&ada, &path(&made)).await.expect(200);
        server.clock.advance(TimeDelta::days(1));
        read(&ada, &path(&made)).await.problem(404, "not_found");
    }

    async fn a_feed_says_what_is_wrong_with_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (body, expected) in [
            (json!({"name": " ", "contents": ["follow_ups"]}), "#/name too_short"),
            (json!({"name": "x", "contents": []}), "#/contents too_short"),
            (json!({"name": "x", "contents": ["goals"]}), "#/contents/0 not_allowed"),
            (json!({"name": "x"}), "#/contents required"),
            (json!({"name": "x", "contents": ["follow_ups"], "path": "y"}), "#/path unknown_field"),
        ] {
            let reply = ada.post(FEEDS, &body).await.expect(422);
            assert_eq!(reply.errors(), [expected], "{body}");
        }
        let body = json!({"name": "x", "contents": ["follow_ups"]});
        ada.post(FEEDS, &body).idempotency_key("k").await.problem(400, "idempotency_not_allowed");
        for _ in 0..20 {
            make(&ada, &["follow_ups"]).await;
        }
        ada.post(FEEDS, &body).await.problem(409, "limit_reached");
    }

    async fn a_feed_is_sent_again_only_when_it_may_have_changed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let path = feed(&ada).await;
        let first = read(&ada, &path).await.expect(200);
        let again = async |etag: &str| ada.get(&path).anonymous().if_none_match(etag).await;
        let unchanged = again(&first.etag()).await.expect(304);
        assert_eq!((unchanged.etag(), unchanged.header("Cache-Control")), (first.etag(), Some("private, max-age=900")));
        contact(&ada, json!({"given_name": "Grace"})).await;
        let second = again(&first.etag()).await.expect(200);
        ada.patch("/v1/workspace", &json!({"time_zone": "Asia/Kathmandu"})).await.expect(200);
        let third = again(&second.etag()).await.expect(200);
        server.clock.advance(TimeDelta::days(1));
        again(&third.etag()).await.expect(200);
    }

    async fn follow_ups_are_events_or_to_dos(server: TestServer) {
        let ada = server.register_in("ada@example.com", "Europe/Berlin").await;
        let grace = contact(&ada, json!({"given_name": "Grace", "family_name": "Hopper"})).await;
        let unwanted = contact(&ada, json!({"given_name": "Alan", "do_not_contact": true})).await;
        follow_up(&ada, &grace, json!({"title": "Send the slides, please; \\o/", "due_on": "2026-03-09", "priority": 5})).await;
        follow_up(&ada, &grace, json!({"title": "Ring", "due_on": "2026-03-29", "due_time": "02:30"})).await;
        follow_up(&ada, &unwanted, json!({"title": "An introduction", "due_on": "2026-03-01", "owed_by": "them"})).await;
        follow_up(&ada, &grace, json!({"title": "No day"})).await;
        follow_up(&ada, &grace, json!({"title": "Next decade", "due_on": "2030-01-01"})).await;
        follow_up(&ada, &grace, json!({"title": "Long ago", "due_on": "2025-11-30"})).await;
        let done = follow_up(&ada, &grace, json!({"title": "Thank her", "due_on": "2026-02-27"})).await;
        ada.post(&format!("{}/complete", done.location()), &json!({})).await.expect(200);
        let skipped = follow_up(&ada, &grace, json!({"title": "Never mind", "due_on": "2026-02-28"})).await;
        ada.patch(&skipped.location(), &json!({"status": "skipped"})).await.expect(200);
        let path = path(&make(&ada, &["follow_ups"]).await);

        let events = read(&ada, &path).await.expect(200);
        let todos = read(&ada, &format!("{path}?as=todos")).await.expect(200);

        assert_eq!(values(&events, "BEGIN"), ["VCALENDAR", "VEVENT", "VEVENT", "VEVENT"]);
        assert_eq!(values(&todos, "BEGIN")[1..], ["VTODO"; 5]);
        let Some((events, todos)) = parsed(&events).zip(parsed(&todos)) else { return };
        let category = json!(["Follow-up"]);
        assert_eq!(told(&events), [
            json!({"kind": "VEVENT", "summary": "Waiting for: An introduction – Alan (do not contact)", "starts": "2026-03-01",
                "status": "CONFIRMED", "priority": 5, "categories": category}),
            json!({"kind": "VEVENT", "summary": "Send the slides, please; \\o/ – Grace Hopper", "starts": "2026-03-09",
                "status": "CONFIRMED", "priority": 1, "categories": category}),
            // The clock goes from two to three that night.
            json!({"kind": "VEVENT", "summary": "Ring – Grace Hopper", "starts": "2026-03-29T01:30:00Z",
                "status": "CONFIRMED", "priority": 5, "categories": category}),
        ]);
        let todo = |index: usize| told(&todos)[index].clone();
        assert_eq!(todo(0), json!({"kind": "VTODO", "summary": "Thank her – Grace Hopper", "due": "2026-02-27",
            "status": "COMPLETED", "completed": "2026-03-02T09:00:00Z", "priority": 5, "categories": category}));
        assert_eq!((todo(1)["status"].clone(), todo(3)["status"].clone()), (json!("CANCELLED"), json!("NEEDS-ACTION")));
        assert_eq!(todo(4)["due"], "2026-03-29T01:30:00Z");
        assert_eq!(todos["entries"][3]["uid"], events["entries"][1]["uid"]);
    }

    async fn snoozing_moves_an_entry_and_raises_its_sequence(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, json!({"title": "Ring", "due_on": "2026-03-09"})).await;
        let path = feed(&ada).await;
        let before = read(&ada, &path).await.expect(200);
        ada.patch(&made.location(), &json!({"snoozed_until": "2026-03-12"})).await.expect(200);

        let after = read(&ada, &path).await.expect(200);

        assert_eq!(values(&before, "UID"), [made.id()]);
        assert_eq!(values(&after, "UID"), values(&before, "UID"));
        assert_eq!(values(&before, "DTSTART;VALUE=DATE"), ["20260309"]);
        assert_eq!(values(&after, "DTSTART;VALUE=DATE"), ["20260312"]);
        let sequence = |calendar: &Reply| values(calendar, "SEQUENCE")[0].parse::<i64>().unwrap();
        assert!(sequence(&after) > sequence(&before));
        // A change of something else changes nothing in it.
        contact(&ada, json!({"given_name": "Alan"})).await;
        assert_eq!(read(&ada, &path).await.text, after.text);
    }

    async fn dates_recur_every_year(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let dates = json!({
            "birthday": {"value": "1992-02-29"}, "anniversary": {"value": "--06-15"}, "first_met": {"value": "2020-05"},
            "moved": {"value": "2019-11-30", "label": "moved to Berlin"},
        });
        let grace = contact(&ada, json!({"given_name": "Grace", "family_name": "Hopper", "dates": dates})).await;
        let birthday = json!({"birthday": {"value": "--04-01"}});
        for hidden in [json!({"archived_at": "2026-01-01T00:00:00Z"}), json!({"do_not_contact": true}), json!({"known": false})] {
            let mut body = json!({"given_name": "Hidden", "dates": birthday});
            body.as_object_mut().unwrap().extend(hidden.as_object().unwrap().clone());
            contact(&ada, body).await;
        }
        let own = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        ada.patch(&format!("/v1/contacts/{own}"), &json!({"dates": birthday})).await.expect(200);
        let path = path(&make(&ada, &["birthdays"]).await);

        let calendar = read(&ada, &path).await.expect(200);

        let mut uids = values(&calendar, "UID");
        uids.sort_unstable();
        assert_eq!(uids, ["anniversary", "birthday", "moved"].map(|key| format!("{}-{key}", grace.id())));
        assert!(values(&calendar, "RRULE").contains(&"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1".to_owned()));
        let Some(parsed) = parsed(&calendar) else { return };
        let entry = |summary: &str| {
            let entries = told(&parsed);
            entries.into_iter().find(|entry| entry["summary"] == summary).unwrap_or_else(|| panic!("{summary}: {parsed}"))
        };
        assert_eq!(entry("Grace Hopper: birthday"), json!({"kind": "VEVENT", "summary": "Grace Hopper: birthday",
            "starts": "1992-02-29", "status": "CONFIRMED", "categories": ["Birthday"],
            "occurs": ["2027-02-28", "2028-02-29", "2029-02-28"]}));
        assert_eq!(entry("Grace Hopper: anniversary")["occurs"], json!(["2027-06-15", "2028-06-15", "2029-06-15"]));
        assert_eq!(entry("Grace Hopper: moved to Berlin")["starts"], "2019-11-30");
    }

    async fn planned_interactions_are_events(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let log = async |body: Value| {
            let mut body = body;
            body["contact_ids"] = json!([grace.id()]);
            ada.post("/v1/interactions", &body).await.expect(201)
        };
        let coffee = log(json!({"kind": "coffee", "status": "planned", "occurred_at": "2026-03-05T10:00:00+01:00",
            "duration_minutes": 45, "subject": "Berlin, and after", "location": "Kawiarnia Kafka", "body": "secret notes"})).await;
        log(json!({"kind": "video", "status": "planned", "occurred_on": "2026-03-06", "url": "https://meet.example.com/abc"})).await;
        log(json!({"kind": "call", "occurred_on": "2026-03-01"})).await;
        log(json!({"kind": "call", "status": "cancelled", "occurred_on": "2026-02-27"})).await;
        let path = path(&make(&ada, &["interactions"]).await);

        let calendar = read(&ada, &path).await.expect(200);

        assert!(!calendar.text.contains("secret notes"), "{calendar}");
        assert_eq!(values(&calendar, "SUMMARY").len(), 2);
        let Some(parsed) = parsed(&calendar) else { return };
        let category = json!(["Interaction"]);
        assert_eq!(told(&parsed), [
            json!({"kind": "VEVENT", "summary": "Coffee with Grace: Berlin, and after", "location": "Kawiarnia Kafka",
                "starts": "2026-03-05T09:00:00Z", "ends": "2026-03-05T09:45:00Z", "status": "CONFIRMED",
                "categories": category}),
            json!({"kind": "VEVENT", "summary": "Video with Grace", "starts": "2026-03-06", "status": "CONFIRMED",
                "categories": category}),
        ]);
        let url = format!("{}v1/interactions/{}", ada.url(), coffee.id());
        assert_eq!(parsed["entries"][0]["url"], url);
        assert_eq!(parsed["entries"][1]["url"], "https://meet.example.com/abc");
    }

    async fn events_are_shown_with_their_times_and_a_short_brief(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let add = async |title: &str, body: Value| {
            let mut body = body;
            body["title"] = json!(title);
            ada.post("/v1/events", &body).await.expect(201)
        };
        let summit = add("Summit, in spring", json!({
            // The clock goes from two to three that night.
            "starts_local": "2026-03-29T01:30", "ends_local": "2026-03-29T03:30", "time_zone": "Europe/Berlin",
            "venue": "Station; Berlin", "participation": "registered", "research": "secret notes",
            "objectives": {"b": {"text": "Two leads", "position": 2}, "a": {"text": "A mentor", "position": 1}},
        })).await;
        let session = add("Session", json!({"starts_local": "2026-03-29T03:00", "parent_id": summit.id(),
            "url": "https://summit.example.com/1", "online_url": "https://meet.example.com/1"})).await;
        add("Fair", json!({"starts_on": "2026-03-28", "ends_on": "2026-03-30", "participation": "attending"})).await;
        add("Off", json!({"starts_at": "2026-04-01T09:00:00Z", "status": "cancelled"})).await;
        add("Not going", json!({"starts_at": "2026-04-02T09:00:00Z", "participation": "cancelled"})).await;
        add("Moved", json!({"starts_at": "2026-04-03T09:00:00Z", "participation": "registered", "status": "postponed"})).await;
        add("Declined", json!({"starts_at": "2026-04-04T09:00:00Z", "participation": "declined"})).await;
        add("Missed", json!({"starts_at": "2026-02-04T09:00:00Z", "participation": "missed"})).await;
        add("Long ago", json!({"starts_at": "2025-11-30T09:00:00Z", "participation": "attended"})).await;
        for (event, name, body) in [
            (&summit, "Grace", json!({"priority": 2})), (&session, "Alan", json!({"priority": 4, "stage": "to_meet", "why": "secret notes"})),
            (&summit, "Met", json!({"priority": 5, "stage": "met"})),
        ] {
            let mut body = body;
            body["name"] = json!(name);
            ada.post(&format!("{}/people", event.location()), &body).await.expect(201);
        }
        let path = path(&make(&ada, &["events"]).await);

        let calendar = read(&ada, &path).await.expect(200);

        assert!(!calendar.text.contains("secret notes"), "{calendar}");
        assert_eq!(values(&calendar, "SUMMARY").len(), 6);
        assert_eq!(values(&calendar, "DTSTART;VALUE=DATE"), ["20260328"]);
        assert_eq!(values(&calendar, "DTEND;VALUE=DATE"), ["20260331"]);
        let Some(parsed) = parsed(&calendar) else { return };
        let category = json!(["Event"]);
        let brief = |of: &Reply| format!("Brief: {}v1/events/{}/brief", ada.url(), of.id());
        let mut entries = told(&parsed);
        let rest = entries.split_off(3);
        assert_eq!(entries[1], json!({"kind": "VEVENT", "summary": "Summit, in spring", "location": "Station; Berlin",
            "starts": "2026-03-29T00:30:00Z", "ends": "2026-03-29T01:30:00Z", "status": "CONFIRMED", "categories": category,
            "description": format!("Objectives:\n- A mentor\n- Two leads\nMeet: Alan, Grace\n{}", brief(&summit))}));
        assert_eq!(entries[2], json!({"kind": "VEVENT", "summary": "Session", "location": "https://meet.example.com/1",
            "starts": "2026-03-29T01:00:00Z", "status": "TENTATIVE", "categories": category,
            "description": format!("Meet: Alan\nOnline: https://meet.example.com/1\n{}", brief(&session))}));
        let days = &entries[0];
        assert_eq!((&days["starts"], &days["ends"], &days["status"]), (&json!("2026-03-28"), &json!("2026-03-31"), &json!("CONFIRMED")));
        let states: Vec<(&str, &str)> = rest.iter().map(|entry| (entry["summary"].as_str().unwrap(), entry["status"].as_str().unwrap())).collect();
        assert_eq!(states, [("Off", "CANCELLED"), ("Not going", "CANCELLED"), ("Moved", "TENTATIVE")]);
        assert_eq!(parsed["entries"][2]["url"], "https://summit.example.com/1");
        assert_eq!(parsed["entries"][1]["url"], format!("{}v1/events/{}", ada.url(), summit.id()));
    }

    async fn a_long_name_in_any_script_is_folded_where_it_may_be(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"display_name": "太田充 Kozłowicz-Ğöñdøł ".repeat(8).trim()})).await;
        let title = "Überraschung für alle 🎉 ".repeat(11);
        follow_up(&ada, &grace, json!({"title": title.trim(), "due_on": "2026-03-09"})).await;
        let made = ada.post(FEEDS, &json!({"name": "Ada, Grace; & co\\", "contents": ["follow_ups"]})).await.expect(201);

        let calendar = read(&ada, &path(&made)).await.expect(200);

        let Some(parsed) = parsed(&calendar) else { return };
        let summary = format!("{} – {}", title.trim(), grace.body["name"].as_str().unwrap());
        assert_eq!(parsed["entries"][0]["summary"], summary);
        assert_eq!(parsed["name"], "Ada, Grace; & co\\");
    }

    async fn feeds_end_with_the_account(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let path = feed(&ada).await;
        ada.delete("/v1/me").json(&json!({"password": PASSWORD})).await.expect(204);
        read(&ada, &path).await.problem(404, "not_found");
        server.stop().await;
        assert_eq!(server.database.number("SELECT count(*) FROM calendar_feeds"), 0);
    }

    async fn a_new_password_ends_the_feeds(mut server: TestServer) {
        let ada = server.register("ada@example.com").await;
        feed(&ada).await;
        server.stop().await;
        let folder = scratch();
        let mut command = wellmet(&["user", "reset-password", "--email", "ada@example.com", "--password-stdin"], folder.path());
        let mut process = command.env("DATABASE_URL", &server.database.url).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(b"staple battery horse, correct!\n").unwrap();
        assert!(process.wait().unwrap().success());
        assert_eq!(server.database.number("SELECT count(*) FROM calendar_feeds"), 0);
    }

    async fn feeds_are_limited_by_address(backend: Backend) {
        let server = TestServer::start_with(backend, |config| config.rate_limits = true).await;
        let client = server.client();
        let first = client.get("/calendar/x.ics").await;
        first.problem(404, "not_found");
        assert_eq!(first.header("RateLimit-Policy"), Some("\"feed\";q=600;w=60"));
        for _ in 0..900 {
            let reply = client.get("/calendar/x.ics").await;
            if reply.status == 429 {
                reply.problem(429, "rate_limited");
                return;
            }
        }
        panic!("nine hundred requests were let through");
    }

    async fn the_secret_is_not_logged(database: Database) {
        let folder = scratch();
        let mut command = wellmet(&[], folder.path());
        let command = command.env("BIND", "127.0.0.1:0").env("DATABASE_URL", &database.url).env("LOG", "trace");
        let process = Process::start(command);
        let line = process.line_with("listens on ");
        let (_, url) = line.split_once("listens on ").unwrap();
        let client = Client::new(Connections::new(), url.trim());
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
        let ada = client.sign_in("/v1/auth/register", &body, 201).await;
        let path = feed(&ada).await;
        read(&ada, &path).await.expect(200);
        read(&ada, &path.replace(".ics", ".txt")).await.expect(404);
        let metrics = ada.get("/metrics").await.expect(200);
        assert!(metrics.text.contains("route=\"/calendar/{secret}.ics\"") && !metrics.text.contains("wm_cal_"), "{metrics}");
        let logged = process.rest();
        assert!(logged.contains("/calendar/{secret}.ics"), "{logged}");
        assert!(!logged.contains("wm_cal_"), "the secret is in the log");
    }
}
