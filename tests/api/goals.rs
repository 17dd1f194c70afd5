//! Goals over HTTP: key results, check-ins and targets, what they are linked to, and how far a goal has come.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, body: Value) -> Reply {
    made(client, "/v1/contacts", body).await
}

/// A goal from the first of January to the last of December of 2026; the clock stands at the second of March.
async fn goal(client: &Client) -> Reply {
    let body = json!({"title": "Move into climate tech", "started_on": "2026-01-01", "due_on": "2026-12-31"});
    made(client, "/v1/goals", body).await
}

async fn progress(client: &Client, goal: &Reply, query: &str) -> Value {
    client.get(&format!("{}/progress{query}", goal.location())).await.expect(200).body
}

/// What the only key result of a goal counts, and whether its filter leads nowhere.
async fn counted(client: &Client, goal: &Reply, query: &str) -> (Value, Value) {
    let shown = progress(client, goal, query).await;
    let [only] = shown["key_results"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    (only["count"].clone(), only["filter_gone"].clone())
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn titles(reply: &Reply) -> Vec<&str> {
    reply.items().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

on_both! {
    async fn goals_are_filtered_and_sorted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (title, body) in [
            ("Later", json!({"due_on": "2026-12-31", "priority": 2, "category": "learning"})),
            ("Soon", json!({"due_on": "2026-04-01", "priority": 5})),
            ("Some day", json!({"status": "draft"})),
        ] {
            let mut body = body;
            body["title"] = json!(title);
            made(&ada, "/v1/goals", body).await;
        }
        for (query, expected) in [
            ("", vec!["Soon", "Later", "Some day"]),
            ("&status=active", vec!["Soon", "Later"]),
            ("&status[ne]=active", vec!["Some day"]),
            ("&category=learning", vec!["Later"]),
            ("&priority[gte]=3", vec!["Soon", "Some day"]),
            ("&due_on[lte]=2026-04-01", vec!["Soon"]),
            ("&due_on[gt]=2026-04-01", vec!["Later"]),
            ("&q=soo", vec!["Soon"]),
        ] {
            let list = ada.get(&format!("/v1/goals?sort=due_on{query}")).await.expect(200);
            assert_eq!(titles(&list), expected, "{query}");
        }
    }

    async fn what_makes_no_sense_is_refused_where_it_stands(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let (key_results, targets) = (format!("{}/key-results", goal.location()), format!("{}/targets", goal.location()));
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        let counted = made(&ada, &key_results, json!({"title": "Talks", "metric": "interactions", "target_value": 9})).await;
        let manual = made(&ada, &key_results, json!({"title": "Courses", "target_value": 3})).await;
        for (path, body, expected) in [
            ("/v1/goals", json!({"title": "G", "started_on": "2026-03-02", "due_on": "2026-03-01"}), "#/due_on contradiction"),
            ("/v1/goals", json!({"title": "G", "personas": {"p": {}}}), "#/personas/p required"),
            ("/v1/goals", json!({"title": "G", "personas": {"p": {"titles": []}}}), "#/personas/p required"),
            ("/v1/goals", json!({"title": "G", "achieved_at": "2026-03-01T00:00:00Z"}), "#/achieved_at contradiction"),
            (&key_results, json!({"title": "K", "start_value": 5, "target_value": 5}), "#/target_value contradiction"),
            (&key_results, json!({"title": "K", "start_value": "5", "target_value": 0}), "#/start_value invalid_type"),
            (&key_results, json!({"title": "K", "target_value": 5, "weight": 0}), "#/weight out_of_range"),
            (&key_results, json!({"title": "K", "target_value": 5, "metric": "posts_liked"}), "#/metric not_allowed"),
            (&key_results, json!({"title": "K", "target_value": -5, "metric": "interactions"}), "#/target_value contradiction"),
            (&targets, json!({}), "#/contact_id required"),
            (&targets, json!({"contact_id": grace.id(), "organization_id": acme.id()}), "#/organization_id contradiction"),
            (&targets, json!({"contact_id": grace.id(), "name": "Ada"}), "#/name contradiction"),
            (&targets, json!({"name": "Ada", "stage_changed_at": "2026-03-03T09:00:00Z"}), "#/stage_changed_at contradiction"),
            (&targets, json!({"name": "Ada", "opening": {"title": " "}}), "#/opening/title too_short"),
            ("/v1/check-ins", json!({"key_result_id": counted.id(), "on": "2026-03-01", "value": 1}), "#/key_result_id contradiction"),
            ("/v1/check-ins", json!({"key_result_id": manual.id(), "on": "2026-03-03", "value": 1}), "#/on contradiction"),
            ("/v1/follow-ups", json!({"title": "Nobody's"}), "#/contact_ids required"),
        ] {
            assert_eq!(ada.post(path, &body).await.expect(422).errors(), [expected], "{path} {body}");
        }
        assert_eq!(ada.walk("/v1/contacts?known=any").await.len(), 1, "nobody was created by what was refused");
    }

    async fn a_status_changes_step_by_step_and_an_achievement_is_dated(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let patch = async |body: Value| ada.patch(&goal.location(), &body).await;
        let achieved = patch(json!({"status": "achieved", "achieved_at": "2026-02-28T10:00:00Z"})).await.expect(200);
        assert_eq!(achieved.body["achieved_at"], "2026-02-28T10:00:00Z");
        let timeline = ada.get("/v1/timeline").await.expect(200);
        let entry = &timeline.items()[0];
        assert_eq!((&entry["kind"], &entry["at"]), (&json!("goal_achieved"), &json!("2026-02-28T10:00:00Z")));
        assert_eq!(entry["data"]["goal"]["id"], json!(goal.id()));
        let refused = patch(json!({"status": "dropped"})).await.problem(409, "invalid_transition");
        assert_eq!((&refused["state"], &refused["allowed"]), (&json!("achieved"), &json!(["active"])));
        let reopened = patch(json!({"status": "active"})).await.expect(200);
        assert_eq!(reopened.body["achieved_at"], Value::Null);
        assert_eq!(ada.get("/v1/timeline").await.expect(200).items().len(), 0);
    }

    async fn a_stage_is_dated_and_who_was_connected_with_stays_so_until_moved_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let target = made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": grace.id()})).await;
        assert_eq!((&target.body["stage"], &target.body["stage_changed_at"]), (&json!("identified"), &json!("2026-03-02T09:00:00Z")));
        let dates = async |body: Value| {
            let changed = ada.patch(&target.location(), &body).await.expect(200).body;
            (changed["stage_changed_at"].clone(), changed["connected_at"].clone())
        };
        let (now, then) = (json!("2026-03-02T09:00:00Z"), json!("2026-02-20T12:00:00Z"));
        assert_eq!(dates(json!({"stage": "connected", "stage_changed_at": then})).await, (then.clone(), then.clone()));
        let timeline = ada.get(&format!("{}/timeline", grace.location())).await.expect(200);
        assert_eq!((&timeline.items()[0]["kind"], &timeline.items()[0]["at"]), (&json!("target_connected"), &then));
        assert_eq!(dates(json!({"stage": "nurturing"})).await, (now.clone(), then.clone()));
        assert_eq!(dates(json!({"stage": "dropped", "status_reason": "Moved away"})).await, (now.clone(), then.clone()));
        let refused = ada.patch(&target.location(), &json!({"stage": "declined"})).await.problem(409, "invalid_transition");
        assert_eq!(refused["state"], "dropped");
        assert_eq!(dates(json!({"stage": "ready"})).await, (now.clone(), Value::Null));
        assert_eq!(dates(json!({"priority": 5})).await, (now, Value::Null));
        let late = json!({"stage_changed_at": "2026-01-01T00:00:00Z"});
        assert_eq!(ada.patch(&target.location(), &late).await.expect(422).errors(), ["#/stage_changed_at read_only"]);
        let set = json!({"connected_at": "2026-01-01T00:00:00Z"});
        assert_eq!(ada.patch(&target.location(), &set).await.expect(422).errors(), ["#/connected_at read_only"]);
    }

    async fn a_name_makes_somebody_to_meet_in_the_same_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let targets = format!("{}/targets", goal.location());
        let target = made(&ada, &targets, json!({"name": "  Grace Hopper ", "why": "Compilers"})).await;
        assert_eq!(target.body.get("name"), None);
        let path = format!("/v1/contacts/{}", target.body["contact_id"].as_str().unwrap());
        let grace = ada.get(&path).await.expect(200).body;
        assert_eq!((&grace["name"], &grace["known"]), (&json!("Grace Hopper"), &json!(false)));
        assert_eq!(ada.walk("/v1/contacts").await.len(), 0, "they are not known yet");
        assert_eq!(ada.patch(&target.location(), &json!({"name": "G"})).await.expect(422).errors(), ["#/name unknown_field"]);
        let again = json!({"contact_id": grace["id"]});
        assert_eq!(ada.post(&targets, &again).await.expect(422).errors(), ["#/contact_id not_allowed"]);
        ada.post_nothing(&format!("/v1/changes/{}/revert", target.body["version"])).await.expect(200);
        ada.get(&path).await.expect(404);
        ada.get(&target.location()).await.expect(404);

        let scopes = json!({"name": "goals only", "scopes": ["goals:read", "goals:write"]});
        let token = ada.post("/v1/tokens", &scopes).await.expect(201).body["token"].as_str().unwrap().to_owned();
        let robot = ada.with_token(&token);
        robot.post(&targets, &json!({"name": "Grace"})).await.problem(403, "insufficient_scope");
        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        robot.post(&targets, &json!({"organization_id": acme.id()})).await.expect(201);
    }

    async fn the_board_shows_each_stage_with_whom_it_names(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (goal, other) = (goal(&ada).await, goal(&ada).await);
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        let targets = format!("{}/targets", goal.location());
        made(&ada, &targets, json!({"contact_id": grace.id(), "stage": "ready", "priority": 2})).await;
        made(&ada, &targets, json!({"organization_id": acme.id(), "stage": "ready", "priority": 5})).await;
        made(&ada, &format!("{}/targets", other.location()), json!({"contact_id": grace.id(), "stage": "replied"})).await;
        let board = ada.get(&format!("/v1/targets/board?goal_id={}", goal.id())).await.expect(200).body;
        let stages = board["stages"].as_array().unwrap();
        let totals: Vec<(&str, i64)> =
            stages.iter().map(|one| (one["stage"].as_str().unwrap(), one["total"].as_i64().unwrap())).collect();
        assert_eq!(totals, [("identified", 0), ("researching", 0), ("ready", 2), ("approached", 0), ("replied", 0),
            ("connected", 0), ("nurturing", 0), ("declined", 0), ("dropped", 0)]);
        let ready = &stages[2];
        assert_eq!((&ready["items"][0]["organization"]["name"], &ready["items"][0]["contact"]), (&json!("Acme"), &Value::Null));
        assert_eq!((&ready["items"][1]["contact"]["name"], &ready["items"][1]["organization"]), (&json!("Grace"), &Value::Null));
        assert_eq!(ada.walk(ready["list"].as_str().unwrap()).await.len(), 2);
        let all = ada.get("/v1/targets/board?limit=1").await.expect(200).body;
        let ready = &all["stages"][2];
        assert_eq!((ready["items"].as_array().unwrap().len(), &ready["total"]), (1, &json!(2)));
        assert_eq!(all["stages"][4]["total"], 1);
        for (query, expected) in [
            (format!("goal_id={}", goal.id()), 2),
            (format!("contact_id={}", grace.id()), 2),
            (format!("organization_id={}", acme.id()), 1),
            ("stage=replied".to_owned(), 1),
            ("stage=replied&stage=ready".to_owned(), 3),
        ] {
            assert_eq!(ada.walk(&format!("/v1/targets?{query}")).await.len(), expected, "{query}");
        }
        let people = ada.walk(&format!("/v1/contacts?goal_id={}", goal.id())).await;
        assert_eq!(ids(&people), [grace.id()]);
    }

    async fn of_targets_that_a_merge_makes_equal_the_further_one_is_left(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (goal, other) = (goal(&ada).await, goal(&ada).await);
        let keep = contact(&ada, json!({"given_name": "Grace"})).await;
        let twin = contact(&ada, json!({"given_name": "Grace", "family_name": "Hopper"})).await;
        let targets = format!("{}/targets", goal.location());
        let first = made(&ada, &targets, json!({"contact_id": keep.id(), "why": "Compilers", "stage": "ready"})).await;
        let body = json!({"contact_id": twin.id(), "why": "Speaks well", "stage": "connected",
            "stage_changed_at": "2026-02-01T00:00:00Z"});
        let second = made(&ada, &targets, body).await;
        let elsewhere = made(&ada, &format!("{}/targets", other.location()), json!({"contact_id": twin.id()})).await;
        let follow_up = made(&ada, "/v1/follow-ups", json!({"title": "Write", "contact_ids": [twin.id()], "target_id": second.id()})).await;
        assert_eq!(follow_up.body["goal_id"], json!(goal.id()), "that of the target");

        let merge = json!({"keep_id": keep.id(), "merge_ids": [twin.id()]});
        let merged = ada.post("/v1/contacts/merge", &merge).await.expect(200);
        let left = ada.get(&first.location()).await.expect(200).body;
        assert_eq!((&left["stage"], &left["connected_at"]), (&json!("connected"), &json!("2026-02-01T00:00:00Z")));
        assert_eq!(left["why"], "Compilers\n\nSpeaks well");
        assert_eq!(ada.get(&second.location()).await.expect(200).body["id"], json!(first.id()), "it leads to the other");
        assert_eq!(ada.walk(&targets).await.len(), 1);
        assert_eq!(ada.get(&elsewhere.location()).await.expect(200).body["contact_id"], json!(keep.id()));
        assert_eq!(ada.get(&follow_up.location()).await.expect(200).body["target_id"], json!(first.id()));

        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        let back = ada.get(&first.location()).await.expect(200).body;
        assert_eq!((&back["stage"], &back["why"], &back["connected_at"]), (&json!("ready"), &json!("Compilers"), &Value::Null));
        let back = ada.get(&second.location()).await.expect(200).body;
        assert_eq!((&back["id"], &back["contact_id"]), (&json!(second.id()), &json!(twin.id())));
        assert_eq!(ada.get(&follow_up.location()).await.expect(200).body["target_id"], json!(second.id()));
    }

    async fn what_is_linked_to_a_goal_outlives_it_and_comes_back_to_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (goal, other) = (goal(&ada).await, goal(&ada).await);
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let key_result = made(&ada, &format!("{}/key-results", goal.location()), json!({"title": "Courses", "target_value": 3})).await;
        let check_in = made(&ada, &format!("{}/check-ins", key_result.location()), json!({"on": "2026-03-01", "value": 1})).await;
        let target = made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": grace.id()})).await;
        let call = json!({"kind": "call", "occurred_on": "2026-02-20", "contact_ids": [grace.id()],
            "goal_ids": [goal.id(), other.id(), goal.id()]});
        let call = made(&ada, "/v1/interactions", call).await;
        assert_eq!(call.body["goal_ids"], json!([goal.id(), other.id()]), "each once");
        let only = made(&ada, "/v1/follow-ups", json!({"title": "Read up", "goal_id": goal.id()})).await;
        let about = json!({"title": "Write", "contact_ids": [grace.id()], "target_id": target.id()});
        let about = made(&ada, "/v1/follow-ups", about).await;
        let wrong = json!({"title": "Write", "goal_id": other.id(), "target_id": target.id()});
        assert_eq!(ada.post("/v1/follow-ups", &wrong).await.expect(422).errors(), ["#/target_id contradiction"]);
        for (query, expected) in [
            (format!("/v1/interactions?goal_id={}", other.id()), vec![call.id()]),
            (format!("/v1/interactions?goal_id[ne]={}", other.id()), vec![]),
            (format!("/v1/follow-ups?goal_id={}&sort=id", goal.id()), vec![only.id(), about.id()]),
            (format!("/v1/follow-ups?target_id={}", target.id()), vec![about.id()]),
        ] {
            assert_eq!(ids(&ada.walk(&query).await), expected, "{query}");
        }

        ada.delete(&goal.location()).await.expect(204);
        for gone in [&key_result, &check_in, &target, &only] {
            ada.get(&gone.location()).await.expect(404);
        }
        assert_eq!(ada.get(&call.location()).await.expect(200).body["goal_ids"], json!([other.id()]));
        let left = ada.get(&about.location()).await.expect(200).body;
        assert_eq!((&left["goal_id"], &left["target_id"]), (&Value::Null, &Value::Null));

        ada.post_nothing(&format!("{}/restore", goal.location())).await.expect(200);
        for back in [&key_result, &check_in, &target, &only] {
            ada.get(&back.location()).await.expect(200);
        }
        assert_eq!(ada.get(&call.location()).await.expect(200).body["goal_ids"], json!([goal.id(), other.id()]));
        let back = ada.get(&about.location()).await.expect(200).body;
        assert_eq!((&back["goal_id"], &back["target_id"]), (&json!(goal.id()), &json!(target.id())));

        ada.delete(&grace.location()).await.expect(204);
        ada.get(&target.location()).await.expect(404);
        ada.get(&about.location()).await.expect(404);
        ada.post_nothing(&format!("{}/restore", grace.location())).await.expect(200);
        assert_eq!(ada.get(&about.location()).await.expect(200).body["target_id"], json!(target.id()));
    }

    async fn an_interaction_whose_goal_is_gone_can_be_restored(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let call = json!({"kind": "call", "occurred_on": "2026-02-20", "contact_ids": [grace.id()], "goal_ids": [goal.id()]});
        let call = made(&ada, "/v1/interactions", call).await;
        let both = json!({"atomic": true, "operations": [
            {"method": "DELETE", "path": call.location()}, {"method": "DELETE", "path": goal.location()},
        ]});
        ada.post("/v1/batch", &both).await.expect(207);
        let restored = ada.post_nothing(&format!("{}/restore", call.location())).await.expect(200);
        assert_eq!(restored.body["goal_ids"], json!([]));
        ada.post_nothing(&format!("{}/restore", goal.location())).await.expect(200);
    }

    async fn progress_is_the_mean_of_what_is_counted_and_entered(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let empty = progress(&ada, &goal, "").await;
        assert_eq!((&empty["progress"], &empty["pace"], &empty["overdue"]), (&Value::Null, &Value::Null, &json!(false)));
        assert_eq!((&empty["counted_from"], &empty["counted_to"]), (&json!("2026-01-01"), &json!("2026-03-02")));
        let key_results = format!("{}/key-results", goal.location());
        let courses = made(&ada, &key_results, json!({"title": "Courses", "start_value": 1, "target_value": 5, "weight": 3})).await;
        let coffees = json!({"title": "Coffees", "metric": "interactions", "target_value": 4, "weight": 1});
        made(&ada, &key_results, coffees).await;
        for (on, value) in [("2026-01-10", 2), ("2026-02-01", 3), ("2026-02-01", 4)] {
            let body = json!({"key_result_id": courses.id(), "on": on, "value": value});
            server.clock.advance(chrono::TimeDelta::seconds(1));
            made(&ada, "/v1/check-ins", body).await;
        }
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for (day, kind) in [("2025-12-31", "coffee"), ("2026-01-01", "coffee"), ("2026-03-02", "coffee"), ("2026-03-02", "note")] {
            made(&ada, "/v1/interactions", json!({"kind": kind, "occurred_on": day, "contact_ids": [grace.id()]})).await;
        }
        let shown = progress(&ada, &goal, "").await;
        let values: Vec<[&Value; 3]> = shown["key_results"].as_array().unwrap().iter()
            .map(|one| [&one["current"], &one["share"], &one["count"]]).collect();
        assert_eq!(values, [[&json!(4), &json!(0.75), &Value::Null], [&json!(2), &json!(0.5), &json!(2)]]);
        assert_eq!((&shown["progress"], &shown["pace"]), (&json!(0.6875), &json!("ahead")));
        let elapsed = shown["elapsed"].as_f64().unwrap();
        assert!((elapsed - 60.0 / 364.0).abs() < 1e-12, "{elapsed}");
        assert_eq!(shown["projection"]["done_on"], "2026-03-30", "60 days for 11 of 16 parts are 87.3 for all");

        let before = progress(&ada, &goal, "?on=2026-01-10").await;
        assert_eq!(before["key_results"][0]["current"], 2);
        assert_eq!(before["key_results"][1]["count"], 1);
        let late = progress(&ada, &goal, "?on=2027-01-01").await;
        assert_eq!((&late["elapsed"], &late["pace"], &late["overdue"]), (&json!(1.0), &json!("at_risk"), &json!(true)));
        ada.patch(&goal.location(), &json!({"status": "paused"})).await.expect(200);
        assert_eq!(progress(&ada, &goal, "").await["pace"], Value::Null);
        ada.get(&format!("{}/progress?on=2026-02-30", goal.location())).await.expect(400);
    }

    async fn each_metric_counts_its_own_records_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let log = async |body: Value| made(&ada, "/v1/interactions", body).await;
        let (grace, alan) = (contact(&ada, json!({"given_name": "Grace"})).await, contact(&ada, json!({"given_name": "Alan"})).await);
        contact(&ada, json!({"given_name": "Unknown", "known": false})).await;
        let both = json!([grace.id(), alan.id()]);
        log(json!({"kind": "informational_interview", "occurred_on": "2026-02-20", "contact_ids": both})).await;
        log(json!({"kind": "email", "occurred_on": "2026-02-21", "contact_ids": [grace.id()], "direction": "mutual"})).await;
        log(json!({"kind": "email", "occurred_on": "2026-02-22", "contact_ids": [alan.id()]})).await;
        log(json!({"kind": "call", "status": "planned", "occurred_on": "2026-03-05", "contact_ids": [alan.id()]})).await;
        for body in [json!({"status": "done"}), json!({"status": "done", "owed_by": "them"}), json!({})] {
            let mut body = body;
            (body["title"], body["contact_ids"]) = (json!("Write"), json!([grace.id()]));
            made(&ada, "/v1/follow-ups", body).await;
        }
        let targets = format!("{}/targets", goal.location());
        made(&ada, &targets, json!({"contact_id": grace.id(), "stage": "connected"})).await;
        made(&ada, &targets, json!({"contact_id": alan.id(), "stage": "approached"})).await;
        let key_results = format!("{}/key-results", goal.location());
        for (metric, expected, kind) in [
            ("contacts_added", 2, "contact"),
            ("targets_connected", 1, "target"),
            ("interactions", 3, "interaction"),
            ("informational_interviews", 1, "interaction"),
            ("follow_ups_done", 1, "follow_up"),
            ("relationships_deepened", 1, "contact"),
        ] {
            let key_result = made(&ada, &key_results, json!({"title": metric, "metric": metric, "target_value": 10})).await;
            let shown = progress(&ada, &goal, "").await;
            let own = shown["key_results"].as_array().unwrap().iter().find(|one| one["key_result"]["metric"] == metric).unwrap();
            assert_eq!((&own["count"], &own["current"]), (&json!(expected), &json!(expected)), "{metric}");
            let records = ada.walk(own["records"].as_str().unwrap()).await;
            assert_eq!(records.len(), usize::try_from(expected).unwrap(), "{metric}");
            assert!(records.iter().all(|record| record["data"][kind].is_object()), "{metric}: {records:?}");
            let one_by_one = ada.walk(&format!("{}/records?limit=1", key_result.location())).await;
            assert_eq!(one_by_one, records, "{metric}");
        }
        let deepened = ada.walk("/v1/key-results?metric=relationships_deepened").await;
        let who = ada.walk(&format!("/v1/key-results/{}/records", deepened[0]["id"].as_str().unwrap())).await;
        assert_eq!(who[0]["data"]["contact"]["id"], json!(grace.id()), "twice, on two days");
    }

    async fn the_days_of_the_window_are_those_of_the_workspace(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.patch("/v1/workspace", &json!({"time_zone": "Pacific/Auckland"})).await.expect(200);
        let body = json!({"title": "One day", "started_on": "2026-03-01", "due_on": "2026-03-01"});
        let goal = made(&ada, "/v1/goals", body).await;
        let key_results = format!("{}/key-results", goal.location());
        made(&ada, &key_results, json!({"title": "Talks", "metric": "interactions", "target_value": 10})).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let log = async |body: Value| {
            let mut body = body;
            (body["kind"], body["contact_ids"]) = (json!("call"), json!([grace.id()]));
            made(&ada, "/v1/interactions", body).await;
            counted(&ada, &goal, "").await.0
        };
        // The first of March is from 11:00 to 11:00 UTC there.
        assert_eq!(log(json!({"occurred_at": "2026-02-28T10:59:59Z"})).await, 0);
        assert_eq!(log(json!({"occurred_at": "2026-02-28T11:00:00Z"})).await, 1);
        assert_eq!(log(json!({"occurred_at": "2026-03-01T10:59:59Z"})).await, 2);
        assert_eq!(log(json!({"occurred_at": "2026-03-01T11:00:00Z"})).await, 2);
        assert_eq!(log(json!({"occurred_on": "2026-03-01"})).await, 3);
        assert_eq!(log(json!({"occurred_on": "2026-02-28"})).await, 3);
        assert_eq!(log(json!({"occurred_on": "2026-03-02"})).await, 3);
        let shown = progress(&ada, &goal, "").await;
        assert_eq!(shown["elapsed"], 1.0, "it is due on the day it starts");
    }

    async fn a_filter_follows_renames_and_merges_and_says_when_it_leads_nowhere(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let grace = contact(&ada, json!({"given_name": "Grace", "tags": ["climate"]})).await;
        let alan = contact(&ada, json!({"given_name": "Alan"})).await;
        for who in [&grace, &alan] {
            made(&ada, "/v1/interactions", json!({"kind": "call", "occurred_on": "2026-02-20", "contact_ids": [who.id()]})).await;
        }
        let key_results = format!("{}/key-results", goal.location());
        let body = json!({"title": "Talks", "metric": "interactions", "target_value": 9, "filter": {"tag": "CLIMATE"}});
        let key_result = made(&ada, &key_results, body).await;
        assert_eq!(key_result.body["filter"]["tag"], "climate", "spelled as the tag is");
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));

        let tags = ada.walk("/v1/tags?q=climate").await;
        let tag = format!("/v1/tags/{}", tags[0]["id"].as_str().unwrap());
        ada.patch(&tag, &json!({"name": "green"})).await.expect(200);
        let filter = async || ada.get(&key_result.location()).await.expect(200).body["filter"].clone();
        assert_eq!(filter().await["tag"], "green");
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));
        let other = made(&ada, "/v1/tags", json!({"name": "energy"})).await;
        let merge = json!({"keep_id": other.id(), "merge_ids": [tags[0]["id"]]});
        let merged = ada.post("/v1/tags/merge", &merge).await.expect(200);
        assert_eq!(filter().await["tag"], "energy");
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(filter().await["tag"], "green", "the merge was taken back");
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));

        ada.delete(&tag).await.expect(204);
        assert_eq!(filter().await["tag"], "green");
        assert_eq!(counted(&ada, &goal, "").await, (json!(0), json!(true)));
        assert_eq!(ada.walk(&format!("{}/records", key_result.location())).await.len(), 0);
        ada.patch(&key_result.location(), &json!({"title": "Calls"})).await.expect(200);
        assert_eq!(ada.walk("/v1/tags?q=green").await.len(), 0, "no edit brings the tag back");
        ada.post_nothing(&format!("{tag}/restore")).await.expect(200);
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));

        let acme = made(&ada, "/v1/organizations", json!({"name": "Acme"})).await;
        made(&ada, &format!("{}/positions", alan.location()), json!({"organization_id": acme.id()})).await;
        let at = json!({"filter": {"tag": null, "organization_id": acme.id()}});
        ada.patch(&key_result.location(), &at).await.expect(200);
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));
        ada.delete(&acme.location()).await.expect(204);
        assert_eq!(filter().await, json!({"tag": null, "organization_id": null, "organization_name": "Acme", "linked": false}));
        assert_eq!(counted(&ada, &goal, "").await, (json!(0), json!(true)));
        ada.post_nothing(&format!("{}/restore", acme.location())).await.expect(200);
        assert_eq!(filter().await["organization_id"], json!(acme.id()));
        assert_eq!(counted(&ada, &goal, "").await, (json!(1), json!(false)));
        ada.delete(&acme.location()).await.expect(204);
        ada.patch(&key_result.location(), &json!({"filter": {"linked": true}})).await.expect(200);
        assert_eq!(counted(&ada, &goal, "").await, (json!(0), json!(true)), "it is still lost");
        ada.patch(&key_result.location(), &json!({"filter": {"organization_id": null, "linked": false}})).await.expect(200);
        assert_eq!(filter().await, Value::Null);
        assert_eq!(counted(&ada, &goal, "").await, (json!(2), json!(false)));
    }

    async fn linked_counts_only_what_carries_the_goal(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        contact(&ada, json!({"given_name": "Alan"})).await;
        made(&ada, &format!("{}/targets", goal.location()), json!({"contact_id": grace.id()})).await;
        for goals in [json!([]), json!([goal.id()])] {
            for day in ["2026-02-20", "2026-02-21"] {
                let call = json!({"kind": "call", "occurred_on": day, "contact_ids": [grace.id()], "goal_ids": goals});
                made(&ada, "/v1/interactions", call).await;
            }
        }
        for goal_id in [Value::Null, json!(goal.id())] {
            let body = json!({"title": "Write", "contact_ids": [grace.id()], "goal_id": goal_id, "status": "done"});
            made(&ada, "/v1/follow-ups", body).await;
        }
        let key_results = format!("{}/key-results", goal.location());
        let body = json!({"title": "K", "target_value": 9});
        let key_result = made(&ada, &key_results, body).await;
        for (metric, all, linked) in [("interactions", 4, 2), ("follow_ups_done", 2, 1), ("contacts_added", 2, 1), ("relationships_deepened", 1, 1)] {
            for (is_linked, expected) in [(false, all), (true, linked)] {
                ada.patch(&key_result.location(), &json!({"metric": metric, "filter": {"linked": is_linked}})).await.expect(200);
                assert_eq!(counted(&ada, &goal, "").await.0, expected, "{metric} {is_linked}");
            }
        }
    }

    async fn progress_takes_as_many_statements_for_ten_key_results_as_for_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = goal(&ada).await;
        let key_results = format!("{}/key-results", goal.location());
        let add = async |number: usize| {
            let body = json!({"title": format!("K{number}"), "metric": "interactions", "target_value": 9, "filter": {"tag": "t"}});
            made(&ada, &key_results, body).await;
            made(&ada, &key_results, json!({"title": format!("M{number}"), "target_value": 9})).await;
        };
        let count = async || statements_of(&server.database, async || progress(&ada, &goal, "").await).await.0;
        add(0).await;
        let few = count().await;
        for number in 1..10 {
            add(number).await;
        }
        let many = count().await;
        assert!(few > 0 && few == many, "{few} and {many}");
    }
}
