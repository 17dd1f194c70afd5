//! Plans over HTTP: a sequence of which only the open step is a follow-up, and runs that follow their steps.

use serde_json::{Value, json};

use crate::support::*;

/// The built-in plan `after_event`: steps after 1, 2, 7 and 30 days, none on a weekend.
const AFTER_EVENT: &str = "00000000-0000-8000-8000-000000000001";

async fn contact(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({"given_name": name})).await.expect(201)
}

async fn apply(client: &Client, plan: &str, contact: &Reply, anchor_on: &str) -> Reply {
    let body = json!({"contact_ids": [contact.id()], "anchor_on": anchor_on});
    client.post(&format!("/v1/follow-up-plans/{plan}/apply"), &body).await.expect(200)
}

/// Title, day and id of the pending follow-ups.
async fn pending(client: &Client) -> Vec<(String, String, String)> {
    let list = client.get("/v1/follow-ups?status=pending&sort=due_on").await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.items().iter().map(|item| (text(&item["title"]), text(&item["due_on"]), text(&item["id"]))).collect()
}

async fn only_run(client: &Client) -> Value {
    let runs = client.get("/v1/plan-runs").await.expect(200);
    assert_eq!(runs.items().len(), 1, "{runs}");
    runs.items()[0].clone()
}

async fn set(client: &Client, id: &str, status: &str) -> Reply {
    client.patch(&format!("/v1/follow-ups/{id}"), &json!({ "status": status })).if_match("*").await
}

/// Three steps, a day apart.
async fn own_plan(client: &Client) -> Reply {
    let step = |after: u32, title: &str| json!({"after": after, "unit": "day", "title": title});
    let body = json!({"title": "Mine", "steps": [step(0, "One"), step(1, "Two"), step(10, "Three")]});
    client.post("/v1/follow-up-plans", &body).await.expect(201)
}

on_both! {
    async fn a_built_in_plan_becomes_one_follow_up_at_a_time(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let built_in = ada.get("/v1/follow-up-plans/built-in").await.expect(200);
        let names: Vec<&Value> = built_in.items().iter().map(|plan| &plan["name"]).collect();
        assert_eq!(names, ["after_event", "after_informational_interview", "new_connection", "job_change"]);
        assert_eq!((&built_in.items()[0]["id"], &built_in.items()[0]["title"]), (&json!(AFTER_EVENT), &json!("After an event")));
        assert_eq!(ada.get("/v1/follow-up-plans").await.expect(200).items().len(), 0);

        let told = ada.post(&format!("/v1/follow-up-plans/{AFTER_EVENT}/apply?dry_run=true"), &json!({"contact_ids": [grace.id()]})).await.expect(200);
        assert_eq!((&told.body["created"], &told.body["write"]), (&json!(1), &Value::Null));
        assert_eq!(told.body["plan_runs"], json!([]), "what was rolled back has no id");
        let step = json!({"contact_id": grace.id(), "title": "Say thank you for the conversation", "due_on": "2026-03-03"});
        assert_eq!(told.body["steps"], json!([step]));
        assert_eq!(pending(&ada).await, []);
        // The tests begin on Monday, 2 March 2026.
        let applied = apply(&ada, AFTER_EVENT, &grace, "2026-03-02").await;
        let run = only_run(&ada).await;
        assert_eq!(applied.body["plan_runs"], json!([run]));
        assert_eq!((&run["built_in"], &run["plan_id"], &run["position"], &run["status"]), (&json!("after_event"), &Value::Null, &json!(1), &json!("running")));
        let again = apply(&ada, AFTER_EVENT, &grace, "2026-03-02").await;
        assert_eq!((&again.body["created"], &again.body["write"], &again.body["plan_runs"]), (&json!(0), &Value::Null, &json!([run])));

        let mut due = Vec::new();
        for status in ["done", "skipped", "done", "done"] {
            let open = pending(&ada).await;
            let [(_, due_on, id)] = open.as_slice() else { panic!("{open:?}") };
            due.push(due_on.clone());
            let closed = set(&ada, id, status).await.expect(200);
            assert_eq!((&closed.body["origin"], &closed.body["contact_ids"]), (&json!("plan"), &json!([grace.id()])));
        }
        assert_eq!(due, ["2026-03-03", "2026-03-04", "2026-03-09", "2026-04-01"]);
        assert_eq!(pending(&ada).await, []);
        let run = only_run(&ada).await;
        assert_eq!((&run["position"], &run["status"]), (&json!(4), &json!("finished")));
    }

    async fn a_step_that_was_deleted_comes_back_when_its_plan_is_applied_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        apply(&ada, AFTER_EVENT, &grace, "2026-03-02").await;
        let open = pending(&ada).await;
        ada.delete(&format!("/v1/follow-ups/{}", open[0].2)).await.expect(204);
        let again = apply(&ada, AFTER_EVENT, &grace, "2026-03-02").await;
        assert_eq!(again.body["created"], 0);
        let reopened = pending(&ada).await;
        assert_eq!((&reopened[0].0, &reopened[0].1, reopened.len()), (&open[0].0, &open[0].1, 1));
        set(&ada, &reopened[0].2, "done").await.expect(200);
        assert_eq!(only_run(&ada).await["position"], 2);
    }

    async fn a_plan_is_not_applied_to_somebody_not_to_be_contacted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        ada.patch(&alan.location(), &json!({"do_not_contact": true})).await.expect(200);
        let body = json!({"contact_ids": [grace.id(), alan.id()]});
        let refused = ada.post(&format!("/v1/follow-up-plans/{AFTER_EVENT}/apply"), &body).await.expect(422);
        assert_eq!(refused.errors(), ["#/contact_ids/1 not_allowed"]);
        assert_eq!(pending(&ada).await, []);
    }

    async fn one_revert_takes_back_what_applying_a_plan_did(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, alan) = (contact(&ada, "Grace").await, contact(&ada, "Alan").await);
        let body = json!({"contact_ids": [grace.id(), alan.id(), grace.id()]});
        let applied = ada.post(&format!("/v1/follow-up-plans/{AFTER_EVENT}/apply"), &body).await.expect(200);
        assert_eq!((&applied.body["created"], pending(&ada).await.len()), (&json!(2), 2));
        ada.post_nothing(&format!("/v1/changes/{}/revert", applied.body["write"])).await.expect(200);
        assert_eq!(pending(&ada).await, []);
        assert_eq!(ada.get("/v1/plan-runs").await.expect(200).items().len(), 0);
    }

    async fn no_step_is_before_the_anchor_nor_before_the_day_after_the_last_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let plan = own_plan(&ada).await;
        apply(&ada, &plan.id(), &grace, "2026-02-20").await;
        let day = |open: &[(String, String, String)]| open.iter().map(|(title, day, _)| format!("{title} {day}")).collect::<Vec<_>>();
        let open = pending(&ada).await;
        assert_eq!(day(&open), ["One 2026-03-02"], "not in the past");
        let changed = json!({"title": "Other", "steps": [{"after": 0, "unit": "day", "title": "Else"}]});
        ada.patch(&plan.location(), &changed).if_match("*").await.expect(200);
        set(&ada, &open[0].2, "done").await.expect(200);
        let open = pending(&ada).await;
        assert_eq!(day(&open), ["Two 2026-03-03"], "the run has a copy of the steps");
        ada.delete(&plan.location()).await.expect(204);
        let run = only_run(&ada).await;
        assert_eq!((&run["plan_id"], &run["title"], &run["position"]), (&Value::Null, &json!("Mine"), &json!(2)));
        let ahead = contact(&ada, "Alan").await;
        apply(&ada, AFTER_EVENT, &ahead, "2026-06-01").await;
        assert_eq!(day(&pending(&ada).await)[1], "Say thank you for the conversation 2026-06-02");
    }

    async fn a_run_follows_its_steps_back_and_is_stopped_with_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let plan = own_plan(&ada).await;
        apply(&ada, &plan.id(), &grace, "2026-03-02").await;
        let first = pending(&ada).await[0].2.clone();
        set(&ada, &first, "done").await.expect(200);
        set(&ada, &first, "pending").await.expect(200);
        let run = only_run(&ada).await;
        assert_eq!((&run["position"], &run["follow_up_id"]), (&json!(1), &json!(first)));
        assert_eq!(pending(&ada).await.len(), 1, "what came next is taken back");
        let state = async || {
            let run = only_run(&ada).await;
            let open = pending(&ada).await.len();
            (run["status"].as_str().unwrap().to_owned(), run["position"].as_i64().unwrap(), open)
        };
        set(&ada, &first, "cancelled").await.expect(200);
        assert_eq!(state().await, ("stopped".to_owned(), 1, 0));
        set(&ada, &first, "pending").await.expect(200);
        assert_eq!(state().await, ("running".to_owned(), 1, 1));
        set(&ada, &first, "done").await.expect(200);
        let path = format!("/v1/plan-runs/{}", run["id"].as_str().unwrap());
        let stop = json!({"status": "stopped", "status_reason": "Enough"});
        let stopped = ada.patch(&path, &stop).if_match("*").await.expect(200);
        assert_eq!((stopped.body["status_reason"].clone(), state().await), (json!("Enough"), ("stopped".to_owned(), 2, 0)));
        ada.patch(&path, &json!({"status": "finished"})).if_match("*").await.problem(409, "invalid_transition");
        ada.patch(&path, &json!({"status": "running"})).if_match("*").await.expect(200);
        assert_eq!(state().await, ("running".to_owned(), 2, 1));
        let read_only = ada.patch(&path, &json!({"position": 3})).if_match("*").await.expect(422);
        assert_eq!(read_only.errors(), ["#/position read_only"]);
        ada.patch(&grace.location(), &json!({"do_not_contact": true})).if_match("*").await.expect(200);
        set(&ada, &pending(&ada).await[0].2, "done").await.expect(200);
        assert_eq!(state().await, ("stopped".to_owned(), 2, 0), "nobody is written to who is not to be");
    }

    async fn a_merge_leaves_the_run_that_came_furthest(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (keep, twin) = (contact(&ada, "Grace").await, contact(&ada, "Gracie").await);
        for one in [&keep, &twin] {
            apply(&ada, AFTER_EVENT, one, "2026-03-02").await;
        }
        let of_twin = ada.get(&format!("/v1/follow-ups?contact_id={}", twin.id())).await.expect(200).items()[0]["id"].clone();
        set(&ada, of_twin.as_str().unwrap(), "done").await.expect(200);
        ada.post("/v1/contacts/merge", &json!({"keep_id": keep.id(), "merge_ids": [twin.id()]})).await.expect(200);
        let runs = ada.get("/v1/plan-runs?status=running").await.expect(200);
        assert_eq!((runs.items().len(), &runs.items()[0]["position"]), (1, &json!(2)));
        assert_eq!(pending(&ada).await.len(), 1);
    }

    async fn a_plan_without_sense_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let nobody = crate::operations::NOBODYS_ID;
        let step = json!({"after": 1, "unit": "day", "title": "x"});
        for (body, errors) in [
            (json!({"title": "Empty", "steps": []}), vec!["#/steps too_short"]),
            (json!({"title": " ", "steps": [step]}), vec!["#/title too_short"]),
            (json!({"title": "x", "steps": [{"after": -1, "unit": "day", "title": "x"}]}), vec!["#/steps/0/after out_of_range"]),
            (json!({"title": "x", "steps": [{"after": 1, "unit": "day", "title": " "}]}), vec!["#/steps/0/title too_short"]),
        ] {
            assert_eq!(ada.post("/v1/follow-up-plans", &body).await.expect(422).errors(), errors, "{body}");
        }
        let apply = format!("/v1/follow-up-plans/{AFTER_EVENT}/apply");
        for (body, errors) in [
            (json!({"contact_ids": []}), vec!["#/contact_ids too_short"]),
            (json!({"contact_ids": [grace.id(), nobody]}), vec!["#/contact_ids/1 unknown_reference"]),
            (json!({"contact_ids": [grace.id()], "anchor_on": "2026-02-30"}), vec!["#/anchor_on invalid_format"]),
        ] {
            assert_eq!(ada.post(&apply, &body).await.expect(422).errors(), errors, "{body}");
        }
        assert_eq!(pending(&ada).await, []);
        ada.post(&format!("/v1/follow-up-plans/{nobody}/apply"), &json!({"contact_ids": [grace.id()]})).await.problem(404, "not_found");
        ada.delete(&format!("/v1/follow-up-plans/{AFTER_EVENT}")).await.problem(404, "not_found");
    }
}
