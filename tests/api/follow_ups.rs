//! Follow-ups over HTTP: what is due, what completing one brings about, and series.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn follow_up(client: &Client, contact: &Reply, body: Value) -> Reply {
    client.post(&format!("{}/follow-ups", contact.location()), &body).await.expect(201)
}

/// A weekly one, due on the day the tests begin on.
fn weekly() -> Value {
    json!({"title": "Call", "due_on": "2026-03-02", "recurrence": {"every": 1, "unit": "week"}})
}

fn titles(reply: &Reply) -> Vec<&str> {
    reply.items().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

/// The days on which the follow-ups are due that a list has, in its order.
async fn days(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("/v1/follow-ups?sort=due_on{query}")).await.expect(200);
    list.items().iter().map(|item| item["due_on"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn pending(client: &Client) -> Vec<String> {
    days(client, "&status=pending").await
}

async fn revert(client: &Client, reply: &Reply) {
    let write = reply.header("wellmet-write").unwrap();
    client.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
}

on_both! {
    async fn what_cannot_be_read_is_not_also_said_to_be_missing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for (body, errors) in [
            (json!({"title": " ", "contact_ids": [grace.id(), "nope"]}), vec!["#/contact_ids/1 invalid_format", "#/title too_short"]),
            (json!({"title": "T", "goal_id": "nope"}), vec!["#/goal_id invalid_format"]),
            (json!({"title": "T", "contact_ids": [grace.id()], "due_on": 5, "due_time": "09:30"}), vec!["#/due_on invalid_type"]),
            (json!({"title": "T"}), vec!["#/contact_ids required"]),
        ] {
            assert_eq!(ada.post("/v1/follow-ups", &body).await.expect(422).errors(), errors, "{body}");
        }
    }

    async fn a_chosen_id_of_the_next_one_returns_it_however_late_it_is_sent_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, weekly()).await;
        let (next, logged) = ("01939d5e-8c00-7000-8000-000000000101", "01939d5e-8c00-7000-8000-000000000102");
        let request = json!({"next": {"id": next}, "interaction": {"id": logged}});
        let complete = async || ada.post(&format!("{}/complete", made.location()), &request).await.expect(200);
        let first = complete().await;
        assert_eq!((&first.body["next"]["id"], &first.body["interaction"]["id"]), (&json!(next), &json!(logged)));
        server.clock.advance(chrono::TimeDelta::minutes(14));
        ada.patch(&format!("/v1/follow-ups/{next}"), &json!({"title": "Call her"})).await.expect(200);
        let again = complete().await;
        assert_eq!((&again.body["next"]["id"], &again.body["interaction"]["id"]), (&json!(next), &json!(logged)));
        assert_eq!(pending(&ada).await, ["2026-03-09"]);

        // Where nothing comes next, the id is not used; and one that is taken is refused.
        let single = follow_up(&ada, &grace, json!({"title": "Once"})).await;
        let done = ada.post(&format!("{}/complete", single.location()), &json!({"next": {"id": next}})).await.expect(200);
        assert_eq!(done.body["next"], Value::Null);
        let other = follow_up(&ada, &grace, weekly()).await;
        ada.post(&format!("{}/complete", other.location()), &json!({"next": {"id": next}})).await.problem(409, "id_taken");
        assert_eq!(ada.get(&other.location()).await.expect(200).body["status"], "pending");
    }

    async fn a_snooze_that_has_passed_is_taken_and_one_that_ends_too_early_is_not(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, json!({"title": "Call", "due_on": "2026-03-09"})).await;
        for (until, actionable_on) in [("2026-03-01", "2026-03-09"), ("2026-03-09", "2026-03-09"), ("2026-03-10", "2026-03-10")] {
            let patched = ada.patch(&made.location(), &json!({"snoozed_until": until})).await.expect(200);
            assert_eq!((&patched.body["snoozed_until"], &patched.body["actionable_on"]), (&json!(until), &json!(actionable_on)));
        }
        for early in ["2026-03-02", "2026-03-08"] {
            let refused = ada.patch(&made.location(), &json!({"snoozed_until": early})).await.expect(422);
            assert_eq!(refused.errors(), ["#/snoozed_until contradiction"], "{early}");
        }
    }

    async fn completing_many_leaves_what_is_finished_as_it_is(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let mut ids = Vec::new();
        for status in ["pending", "done", "skipped", "cancelled"] {
            ids.push(follow_up(&ada, &grace, json!({"title": status, "status": status})).await.id());
        }
        let done = ada.post("/v1/follow-ups/bulk", &json!({"ids": ids, "complete": true})).await.expect(200);
        assert_eq!((&done.body["matched"], &done.body["changed"]), (&json!(4), &json!(1)));
        let list = ada.get("/v1/follow-ups?sort=id").await.expect(200);
        let statuses: Vec<&Value> = list.items().iter().map(|item| &item["status"]).collect();
        assert_eq!(statuses, ["done", "done", "skipped", "cancelled"]);
    }

    async fn without_a_recurrence_it_is_no_longer_part_of_its_series(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, weekly()).await;
        assert_eq!(made.body["series_id"], json!(made.id()));
        let single = ada.patch(&made.location(), &json!({"recurrence": null})).await.expect(200);
        assert_eq!(single.body["series_id"], Value::Null);
    }

    async fn what_is_wrong_is_told_once_and_in_words(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for (fields, expected) in [
            (json!({"recurrence": {"every": 0, "unit": "week"}}), ["#/recurrence/every", "Must be at least 1."]),
            (json!({"recurrence": {"every": 1, "unit": "week"}}), ["#/due_on", "A follow-up that recurs requires due_on."]),
            (json!({"due_on": "9 March"}), ["#/due_on", "Expected an existing day, such as 2026-03-02."]),
            (json!({"due_on": "2026-03-09", "due_time": "9:30"}), ["#/due_time", "Expected a time from 00:00 to 23:59, such as 09:30."]),
        ] {
            let mut body = json!({"title": "Call", "contact_ids": [grace.id()]});
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let refused = ada.post("/v1/follow-ups", &body).await.problem(422, "invalid");
            let told: Vec<[&Value; 2]> =
                refused["errors"].as_array().unwrap().iter().map(|error| [&error["pointer"], &error["detail"]]).collect();
            assert_eq!(told, [[&json!(expected[0]), &json!(expected[1])]], "{body}");
        }
    }

    async fn what_is_done_is_neither_moved_nor_logged_again(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        let body = json!({"title": "Call", "contact_ids": [grace.id()], "due_on": "2026-03-01"});
        let done = ada.post("/v1/follow-ups", &body).await.expect(201);
        let path = format!("{}/complete", done.location());
        let first = ada.post(&path, &json!({"interaction": {}})).await.expect(200);
        let again = ada.post(&path, &json!({"interaction": {"kind": "coffee"}})).await.expect(200);
        assert_eq!(again.body["interaction"]["id"], first.body["interaction"]["id"]);
        assert_eq!(ada.walk("/v1/interactions").await.len(), 1);
        let other = ada.post("/v1/follow-ups", &body).await.expect(201);
        let bulk = json!({"ids": [done.id(), other.id()], "shift_days": 7});
        ada.post("/v1/follow-ups/bulk", &bulk).await.expect(200);
        let due_on = async |location: String| ada.get(&location).await.expect(200).body["due_on"].clone();
        assert_eq!(due_on(done.location()).await, "2026-03-01");
        assert_eq!(due_on(other.location()).await, "2026-03-08");
    }

    async fn what_is_to_be_done_is_listed_by_day_person_and_state(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let late = json!({"title": "Late", "kind": "reply", "due_on": "2026-02-27", "priority": 5, "channel": "email"});
        follow_up(&ada, &grace, late).await;
        follow_up(&ada, &grace, json!({"title": "Someday", "priority": 1})).await;
        let theirs = json!({"title": "Theirs", "due_on": "2026-03-01", "snoozed_until": "2026-03-05", "owed_by": "them",
            "organization_id": acme.id()});
        let theirs = follow_up(&ada, &grace, theirs).await;
        let at_acme = json!({"title": "At Acme", "due_on": "2026-03-02", "status": "done"});
        ada.post(&format!("{}/follow-ups", acme.location()), &at_acme).await.expect(201);
        assert_eq!((&theirs.body["actionable_on"], &theirs.body["origin"]), (&json!("2026-03-05"), &json!("manual")));
        for (query, expected) in [
            ("sort=due_on".to_owned(), vec!["Late", "Theirs", "At Acme", "Someday"]),
            ("sort=actionable_on".to_owned(), vec!["Late", "At Acme", "Theirs", "Someday"]),
            ("sort=-priority".to_owned(), vec!["Late", "At Acme", "Theirs", "Someday"]),
            ("sort=due_on&overdue=true".to_owned(), vec!["Late"]),
            ("sort=due_on&overdue=false".to_owned(), vec!["Theirs", "At Acme", "Someday"]),
            ("sort=due_on&status=pending&due_on[lte]=2026-03-02".to_owned(), vec!["Late", "Theirs"]),
            ("sort=due_on&due_on[gt]=2026-03-01".to_owned(), vec!["At Acme"]),
            ("sort=due_on&due_on[ne]=2026-03-01".to_owned(), vec!["Late", "At Acme", "Someday"]),
            ("sort=due_on&actionable_on[lte]=2026-03-02".to_owned(), vec!["Late", "At Acme"]),
            ("sort=due_on&owed_by=them".to_owned(), vec!["Theirs"]),
            ("sort=due_on&kind=reply&channel=email".to_owned(), vec!["Late"]),
            ("sort=due_on&priority[gte]=3&status[ne]=done".to_owned(), vec!["Late", "Theirs"]),
            (format!("sort=due_on&contact_id={}", grace.id()), vec!["Late", "Theirs", "Someday"]),
            (format!("sort=due_on&organization_id={}", acme.id()), vec!["Theirs", "At Acme"]),
            ("q=acme".to_owned(), vec!["At Acme"]),
        ] {
            let list = ada.get(&format!("/v1/follow-ups?{query}")).await.expect(200);
            assert_eq!(titles(&list), expected, "{query}");
        }
        let shown = ada.get(&format!("{}?include=contacts&include=organization", theirs.location())).await.expect(200);
        assert_eq!((&shown.body["contacts"][0]["name"], &shown.body["organization"]["name"]), (&json!("Grace"), &json!("Acme")));
        let found = ada.get("/v1/search?q=late").await.expect(200);
        assert_eq!((&found.items()[0]["entity"], &found.items()[0]["subtitle"]), (&json!("follow_up"), &json!("Grace")));
        // A list by pages has all, those without a day last.
        let walked = ada.walk("/v1/follow-ups?sort=due_on&limit=1").await;
        assert_eq!(walked.iter().map(|item| item["title"].as_str().unwrap()).collect::<Vec<_>>(), ["Late", "Theirs", "At Acme", "Someday"]);
    }

    async fn what_is_overdue_depends_on_the_day_and_so_does_the_tag(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        follow_up(&ada, &grace, json!({"title": "Today", "due_on": "2026-03-02"})).await;
        let before = ada.get("/v1/follow-ups?overdue=true").await.expect(200);
        assert_eq!(before.items().len(), 0);
        server.clock.advance(chrono::TimeDelta::days(1));
        let ada = server.login("ada@example.com").await;
        let after = ada.get("/v1/follow-ups?overdue=true").if_none_match(&before.etag()).await.expect(200);
        assert_eq!(titles(&after), ["Today"]);
    }

    async fn completing_logs_an_interaction_and_brings_the_next_occurrence(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let mut body = weekly();
        body["channel"] = json!("phone");
        let first = follow_up(&ada, &grace, body).await;
        assert_eq!(first.body["recurrence"]["starts_on"], "2026-03-02");
        let id = "01939d5e-8c00-7000-8000-00000000cafe";
        let complete = format!("{}/complete", first.location());
        let request = json!({"outcome": "Fine", "completed_at": "2026-03-01T18:00:00Z", "interaction": {"id": id, "quality": 4}});
        let done = ada.post(&complete, &request).await.expect(200);
        let Value::Object(told) = &done.body else { panic!("{done}") };
        let (own, interaction, next) = (&told["follow_up"], &told["interaction"], &told["next"]);
        assert_eq!((&own["status"], &own["completed_at"], &own["outcome"]), (&json!("done"), &json!("2026-03-01T18:00:00Z"), &json!("Fine")));
        assert_eq!((&own["interaction_id"], &interaction["id"]), (&json!(id), &json!(id)));
        for (name, value) in [("kind", json!("call")), ("channel", json!("phone")), ("contact_ids", json!([grace.id()])),
            ("occurred_at", json!("2026-03-01T18:00:00Z")), ("subject", json!("Call")), ("quality", json!(4)), ("status", json!("happened"))] {
            assert_eq!(interaction[name], value, "{name}");
        }
        assert_eq!((&next["due_on"], &next["status"], &next["previous_id"]), (&json!("2026-03-09"), &json!("pending"), &own["id"]));
        assert_eq!((&next["series_id"], &next["outcome"], &next["interaction_id"]), (&own["series_id"], &Value::Null, &Value::Null));

        let again = ada.post(&complete, &request).await.expect(200);
        assert_eq!((again.body.clone(), again.header("wellmet-write")), (done.body.clone(), None), "a repetition changes nothing");
        assert_eq!(days(&ada, "").await, ["2026-03-02", "2026-03-09"]);

        revert(&ada, &done).await;
        assert_eq!(pending(&ada).await, ["2026-03-02"]);
        ada.get(&format!("/v1/interactions/{id}")).await.expect(404);
        ada.get(&format!("/v1/follow-ups/{}", next["id"].as_str().unwrap())).await.expect(404);
    }

    async fn a_patch_of_the_status_does_what_completing_does(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let (patched, completed) = (follow_up(&ada, &grace, weekly()).await, follow_up(&ada, &grace, weekly()).await);
        let by_patch = ada.patch(&patched.location(), &json!({"status": "done"})).if_match("*").await.expect(200);
        let by_verb = ada.post(&format!("{}/complete", completed.location()), &json!({})).await.expect(200);
        assert_eq!(by_patch.body["completed_at"], "2026-03-02T09:00:00Z");
        assert_eq!(by_verb.body["follow_up"]["completed_at"], by_patch.body["completed_at"]);
        assert_eq!(by_verb.body["interaction"], Value::Null);
        assert_eq!(pending(&ada).await, ["2026-03-09", "2026-03-09"]);
        let skipped = follow_up(&ada, &grace, weekly()).await;
        let reason = json!({"status": "skipped", "status_reason": "On holiday"});
        let skipped = ada.patch(&skipped.location(), &reason).if_match("*").await.expect(200);
        assert_eq!((&skipped.body["completed_at"], &skipped.body["status_reason"]), (&Value::Null, &json!("On holiday")));
        assert_eq!(pending(&ada).await.len(), 3);
        let cancelled = follow_up(&ada, &grace, weekly()).await;
        ada.patch(&cancelled.location(), &json!({"status": "cancelled"})).if_match("*").await.expect(200);
        assert_eq!(pending(&ada).await.len(), 3, "cancelling ends the series");
    }

    async fn only_what_is_pending_can_be_completed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for status in ["skipped", "cancelled"] {
            let made = follow_up(&ada, &grace, json!({"title": "Call", "status": status})).await;
            let request = json!({"interaction": {}});
            let refused = ada.post(&format!("{}/complete", made.location()), &request).await.problem(409, "invalid_transition");
            assert_eq!((&refused["state"], &refused["allowed"]), (&json!(status), &json!(["pending"])));
            let by_patch = ada.patch(&made.location(), &json!({"status": "done"})).if_match("*").await;
            by_patch.problem(409, "invalid_transition");
        }
        assert_eq!(ada.get("/v1/interactions").await.expect(200).items().len(), 0, "nothing was logged");
    }

    async fn the_time_of_completion_is_sent_with_it_or_not_at_all(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, json!({"title": "Call"})).await;
        let patch = async |body: Value| ada.patch(&made.location(), &body).if_match("*").await;
        let early = json!({"completed_at": "2026-03-01T09:00:00Z"});
        assert_eq!(patch(early.clone()).await.expect(422).errors(), ["#/completed_at contradiction"]);
        let ahead = json!({"status": "done", "completed_at": "2026-03-02T09:11:00Z"});
        assert_eq!(patch(ahead.clone()).await.expect(422).errors(), ["#/completed_at contradiction"]);
        let complete = format!("{}/complete", made.location());
        let refused = ada.post(&complete, &json!({"completed_at": "2026-03-02T09:11:00Z"})).await.expect(422);
        assert_eq!(refused.errors(), ["#/completed_at contradiction"]);
        let skewed = json!({"status": "done", "completed_at": "2026-03-02T09:09:00Z"});
        assert_eq!(patch(skewed).await.expect(200).body["completed_at"], "2026-03-02T09:00:00Z");
        assert_eq!(patch(early).await.expect(422).errors(), ["#/completed_at read_only"]);
        let current = ada.get(&made.location()).await.expect(200);
        let put = ada.put(&made.location(), &current.body).if_match(&current.etag()).await.expect(200);
        assert_eq!(put.body, current.body, "what was read can be sent back");
        assert_eq!(patch(json!({"status": "pending"})).await.expect(200).body["completed_at"], Value::Null);
    }

    async fn reopening_takes_back_the_next_one_unless_somebody_has_touched_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, weekly()).await;
        let to = async |status: &str| ada.patch(&made.location(), &json!({ "status": status })).if_match("*").await;
        to("done").await.expect(200);
        assert_eq!(pending(&ada).await, ["2026-03-09"]);
        to("pending").await.expect(200);
        assert_eq!(pending(&ada).await, ["2026-03-02"]);
        let done = ada.post(&format!("{}/complete", made.location()), &json!({})).await.expect(200);
        let next = format!("/v1/follow-ups/{}", done.body["next"]["id"].as_str().unwrap());
        ada.patch(&next, &json!({"title": "Call at noon"})).if_match("*").await.expect(200);
        let refused = to("pending").await.problem(409, "series_continued");
        assert_eq!(refused["record"], json!({"entity": "follow_up", "id": done.body["next"]["id"]}));
        assert_eq!(pending(&ada).await, ["2026-03-09"]);
        ada.delete(&next).await.expect(204);
        to("pending").await.expect(200);
        assert_eq!(pending(&ada).await, ["2026-03-02"], "deleting the next one ended the series");
    }

    async fn a_series_ends_with_those_whom_it_is_about(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let alan = contact(&ada, json!({"given_name": "Alan"})).await;
        let mut body = weekly();
        body["contact_ids"] = json!([grace.id(), alan.id()]);
        let (one, two) = (ada.post("/v1/follow-ups", &body).await.expect(201), ada.post("/v1/follow-ups", &body).await.expect(201));
        ada.patch(&grace.location(), &json!({"archived_at": "2026-03-01T00:00:00Z"})).if_match("*").await.expect(200);
        let complete = async |made: &Reply| ada.post(&format!("{}/complete", made.location()), &json!({})).await.expect(200);
        assert_eq!(complete(&one).await.body["next"]["due_on"], "2026-03-09", "one of them is left");
        ada.patch(&alan.location(), &json!({"do_not_contact": true})).if_match("*").await.expect(200);
        assert_eq!(complete(&two).await.body["next"], Value::Null);
    }

    async fn a_follow_up_goes_with_the_last_of_those_it_is_about(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let about = |contacts: Value, organization: Value| json!({"title": "Call", "contact_ids": contacts, "organization_id": organization});
        let both = ada.post("/v1/follow-ups", &about(json!([grace.id()]), json!(acme.id()))).await.expect(201);
        let hers = ada.post("/v1/follow-ups", &about(json!([grace.id()]), Value::Null)).await.expect(201);
        let theirs = ada.post("/v1/follow-ups", &about(json!([]), json!(acme.id()))).await.expect(201);
        let without_acme = ada.delete(&acme.location()).await.expect(204);
        ada.get(&theirs.location()).await.expect(404);
        assert_eq!(ada.get(&both.location()).await.expect(200).body["organization_id"], Value::Null);
        let without_grace = ada.delete(&grace.location()).await.expect(204);
        ada.get(&both.location()).await.expect(404);
        ada.get(&hers.location()).await.expect(404);
        revert(&ada, &without_grace).await;
        revert(&ada, &without_acme).await;
        let restored = ada.get(&both.location()).await.expect(200).body;
        assert_eq!((&restored["contact_ids"], &restored["organization_id"]), (&json!([grace.id()]), &json!(acme.id())));
        ada.get(&hers.location()).await.expect(200);
        ada.get(&theirs.location()).await.expect(200);
    }

    async fn merged_contacts_keep_both_series_and_a_deleted_interaction_only_its_link(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = contact(&ada, json!({"given_name": "Grace"})).await;
        let twin = contact(&ada, json!({"given_name": "Grace", "family_name": "H"})).await;
        for one in [&keep, &twin] {
            follow_up(&ada, one, weekly()).await;
        }
        let merge = json!({"keep_id": keep.id(), "merge_ids": [twin.id()]});
        ada.post("/v1/contacts/merge", &merge).await.expect(200);
        let own = ada.get(&format!("{}/follow-ups", keep.location())).await.expect(200);
        assert_eq!(own.items().len(), 2);
        let call = json!({"kind": "call", "occurred_on": "2026-03-01"});
        let call = ada.post(&format!("{}/interactions", keep.location()), &call).await.expect(201);
        let after = follow_up(&ada, &keep, json!({"title": "Thanks", "interaction_id": call.id()})).await;
        let of_call = ada.get(&format!("/v1/follow-ups?interaction_id={}", call.id())).await.expect(200);
        assert_eq!(titles(&of_call), ["Thanks"]);
        ada.delete(&call.location()).await.expect(204);
        assert_eq!(ada.get(&after.location()).await.expect(200).body["interaction_id"], Value::Null);
    }

    async fn a_snooze_reaches_the_day_and_moves_nothing_else(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let made = follow_up(&ada, &grace, json!({"title": "Call", "due_on": "2026-03-09", "recurrence": {"every": 1, "unit": "week"}})).await;
        let snooze = async |until: &str| ada.patch(&made.location(), &json!({"snoozed_until": until})).if_match("*").await;
        assert_eq!(snooze("2026-03-08").await.expect(422).errors(), ["#/snoozed_until contradiction"]);
        assert_eq!(ada.get(&made.location()).await.expect(200).body, made.body, "nothing has changed");
        let late = snooze("2026-03-01").await.expect(200);
        assert_eq!(late.body["actionable_on"], "2026-03-09", "one that is over by now is taken, and does nothing");
        let snoozed = snooze("2026-03-12").await.expect(200);
        assert_eq!((&snoozed.body["due_on"], &snoozed.body["actionable_on"]), (&json!("2026-03-09"), &json!("2026-03-12")));
        assert_eq!(snoozed.body["recurrence"]["starts_on"], "2026-03-09");
        let moved = ada.patch(&made.location(), &json!({"due_on": "2026-03-13"})).if_match("*").await.expect(200);
        assert_eq!(moved.body["recurrence"]["starts_on"], "2026-03-13", "another day re-anchors the series");
        let done = ada.post(&format!("{}/complete", made.location()), &json!({})).await.expect(200);
        assert_eq!(done.body["next"]["due_on"], "2026-03-20");
    }

    async fn what_makes_no_sense_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let nobody = crate::operations::NOBODYS_ID;
        let hers = json!([grace.id()]);
        for (body, errors) in [
            (json!({"title": "Call"}), vec!["#/contact_ids required"]),
            (json!({"contact_ids": hers}), vec!["#/title required"]),
            (json!({"title": " ", "contact_ids": hers}), vec!["#/title too_short"]),
            (json!({"title": "Call", "contact_ids": [nobody]}), vec!["#/contact_ids/0 unknown_reference"]),
            (json!({"title": "Call", "contact_ids": hers, "due_on": "2026-02-30"}), vec!["#/due_on invalid_format"]),
            (json!({"title": "Call", "contact_ids": hers, "due_time": "09:30"}), vec!["#/due_time contradiction"]),
            (json!({"title": "Call", "contact_ids": hers, "due_on": "2026-03-02", "due_time": "24:00"}), vec!["#/due_time invalid_format"]),
            (json!({"title": "Call", "contact_ids": hers, "recurrence": {"every": 1, "unit": "week"}}), vec!["#/due_on required"]),
            (json!({"title": "Call", "contact_ids": hers, "due_on": "2026-03-02", "recurrence": {"every": 0, "unit": "week"}}),
                vec!["#/recurrence/every out_of_range"]),
            (json!({"title": "Call", "contact_ids": hers, "due_on": "2026-03-02", "recurrence": {"every": 1, "unit": "hour"}}),
                vec!["#/recurrence/unit not_allowed"]),
            (json!({"title": "Call", "contact_ids": hers, "priority": 6}), vec!["#/priority out_of_range"]),
            (json!({"title": "Call", "contact_ids": hers, "actionable_on": "2026-03-02"}), vec!["#/actionable_on read_only"]),
            (json!({"title": "Call", "contact_ids": hers, "due_on": "2026-03-09", "snoozed_until": "2026-03-08"}),
                vec!["#/snoozed_until contradiction"]),
        ] {
            assert_eq!(ada.post("/v1/follow-ups", &body).await.expect(422).errors(), errors, "{body}");
        }
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let of_acme = json!({"title": "Call", "organization_id": acme.id()});
        let of_acme = ada.post("/v1/follow-ups", &of_acme).await.expect(201);
        let made = follow_up(&ada, &grace, json!({"title": "Call"})).await;
        for (target, request, errors) in [
            (&of_acme, json!({"interaction": {}}), vec!["#/interaction/contact_ids too_short"]),
            (&made, json!({"interaction": {"contact_ids": [nobody]}}), vec!["#/interaction/contact_ids/0 unknown_reference"]),
            (&made, json!({"interaction": {"occurred_at": "2026-03-03T09:00:00Z"}}), vec!["#/interaction/occurred_at contradiction"]),
            (&made, json!({"interaction": {"kind": "seance"}}), vec!["#/interaction/kind not_allowed"]),
            (&made, json!({"status": "done"}), vec!["#/status unknown_field"]),
        ] {
            let refused = ada.post(&format!("{}/complete", target.location()), &request).await.expect(422);
            assert_eq!(refused.errors(), errors, "{request}");
            assert_eq!(ada.get(&target.location()).await.expect(200).body["status"], "pending");
        }
        let token = ada.post("/v1/tokens", &json!({"name": "alone", "scopes": ["follow_ups:write"]})).await.expect(201);
        let alone = ada.with_token(token.body["token"].as_str().unwrap());
        let refused = alone.post(&format!("{}/complete", made.location()), &json!({"interaction": {}})).await;
        refused.problem(403, "insufficient_scope");
        alone.post(&format!("{}/complete", made.location()), &json!({})).await.expect(200);
    }

    async fn series_are_as_an_independent_calendar_has_them(server: TestServer) {
        let table = include_str!("../fixtures/recurrence.csv");
        let mut clients: std::collections::HashMap<&str, (Client, Reply)> = std::collections::HashMap::new();
        for line in table.lines().skip(1) {
            let [zone, every, unit, from, starts_on, due_on, closed_at, next] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            if !clients.contains_key(zone) {
                let client = server.register_in(&format!("{}@example.com", clients.len()), zone).await;
                let grace = contact(&client, json!({"given_name": "Grace"})).await;
                clients.insert(zone, (client, grace));
            }
            let (client, grace) = &clients[zone];
            let recurrence = json!({"every": every.parse::<u32>().unwrap(), "unit": unit, "from": from, "starts_on": starts_on});
            let made = follow_up(client, grace, json!({"title": "Call", "due_on": due_on, "recurrence": recurrence})).await;
            let done = client.post(&format!("{}/complete", made.location()), &json!({"completed_at": closed_at})).await.expect(200);
            assert_eq!(done.body["next"]["due_on"], next, "{line}");
        }
        assert_eq!(clients.len(), 4);
    }

    async fn an_agenda_has_what_is_to_be_done_by_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        for (title, due_on, more) in [
            ("Before", "2026-03-01", json!({})),
            ("Any time", "2026-03-02", json!({"priority": 4})),
            ("At ten", "2026-03-02", json!({"due_time": "10:00"})),
            ("At nine", "2026-03-02", json!({"due_time": "09:00"})),
            ("Urgent", "2026-03-02", json!({"priority": 5})),
            ("Snoozed", "2026-03-02", json!({"snoozed_until": "2026-03-08"})),
            ("After", "2026-03-09", json!({})),
            ("Done", "2026-03-02", json!({"status": "done"})),
        ] {
            let mut body = json!({"title": title, "due_on": due_on});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            follow_up(&ada, &grace, body).await;
        }
        let shown = |reply: &Reply| -> Vec<(String, Vec<String>)> {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let days = reply.body["days"].as_array().unwrap().iter();
            days.map(|day| (text(&day["on"]), day["items"].as_array().unwrap().iter().map(|item| text(&item["title"])).collect()))
                .collect()
        };
        let day = |on: &str, titles: &[&str]| (on.to_owned(), titles.iter().map(ToString::to_string).collect::<Vec<_>>());
        let week = ada.get("/v1/follow-ups/agenda").await.expect(200);
        assert_eq!((&week.body["since"], &week.body["until"], &week.body["truncated"]), (&json!("2026-03-02"), &json!("2026-03-09"), &json!(false)));
        assert_eq!(shown(&week), [day("2026-03-02", &["At nine", "At ten", "Urgent", "Any time"]), day("2026-03-08", &["Snoozed"])]);
        let other = ada.get("/v1/follow-ups/agenda?since=2026-02-28&until=2026-03-02").await.expect(200);
        assert_eq!(shown(&other), [day("2026-03-01", &["Before"])]);
        ada.get("/v1/follow-ups/agenda?since=2026-03-02&until=2027-03-03").await.expect(200);
        for query in ["since=2026-03-02&until=2027-03-04", "until=2026-03-02", "since=2026-03-02&until=2026-03-01", "since=tomorrow"] {
            ada.get(&format!("/v1/follow-ups/agenda?{query}")).await.problem(400, "invalid_parameter");
        }
    }

    async fn many_are_completed_snoozed_and_moved_by_one_write_each(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, json!({"given_name": "Grace"})).await;
        let one = follow_up(&ada, &grace, weekly()).await;
        let two = follow_up(&ada, &grace, json!({"title": "Write", "due_on": "2026-03-04"})).await;
        let none = follow_up(&ada, &grace, json!({"title": "Someday"})).await;
        let bulk = async |body: Value| ada.post("/v1/follow-ups/bulk", &body).await;
        let undo = async |done: &Reply| ada.post_nothing(&format!("/v1/changes/{}/revert", done.body["write"])).await.expect(200);

        let moved = bulk(json!({"filter": {"status": ["pending"]}, "shift_days": 7})).await.expect(200);
        assert_eq!((&moved.body["matched"], &moved.body["changed"]), (&json!(3), &json!(2)), "one has no day");
        assert_eq!(days(&ada, "").await, ["2026-03-09", "2026-03-11", "-"]);
        let anchor = ada.get(&one.location()).await.expect(200).body["recurrence"]["starts_on"].clone();
        assert_eq!(anchor, "2026-03-09");
        undo(&moved).await;
        assert_eq!(days(&ada, "").await, ["2026-03-02", "2026-03-04", "-"]);

        let ids = json!([one.id(), two.id(), none.id()]);
        let early = bulk(json!({"ids": ids, "snoozed_until": "2026-03-03"})).await.expect(422);
        assert_eq!(early.errors(), ["#/snoozed_until contradiction"]);
        assert!(early.body["detail"].as_str().unwrap().contains(&two.id()), "{early}");
        let snoozed = bulk(json!({"ids": ids, "snoozed_until": "2026-03-06"})).await.expect(200);
        assert_eq!(snoozed.body["changed"], 3);
        assert_eq!(ada.get("/v1/follow-ups?actionable_on=2026-03-06").await.expect(200).items().len(), 3);
        undo(&snoozed).await;

        let dated = bulk(json!({"ids": ids, "due_on": "2026-03-10", "snoozed_until": null})).await.expect(200);
        assert_eq!(days(&ada, "").await, ["2026-03-10", "2026-03-10", "2026-03-10"]);
        undo(&dated).await;

        let told = ada.post("/v1/follow-ups/bulk?dry_run=true", &json!({"ids": ids, "complete": true})).await.expect(200);
        assert_eq!(told.body, json!({"dry_run": true, "matched": 3, "changed": 3, "write": null}));
        let done = bulk(json!({"ids": ids, "complete": true, "outcome": "Met them all"})).await.expect(200);
        assert_eq!(pending(&ada).await, ["2026-03-09"], "the one that recurs has a next one");
        assert_eq!(ada.get(&two.location()).await.expect(200).body["outcome"], "Met them all");
        let again = bulk(json!({"ids": ids, "complete": true})).await.expect(200);
        assert_eq!((&again.body["changed"], &again.body["write"]), (&json!(0), &Value::Null));
        undo(&done).await;
        assert_eq!(pending(&ada).await, ["2026-03-02", "2026-03-04", "-"]);

        ada.patch(&two.location(), &json!({"status": "cancelled"})).if_match("*").await.expect(200);
        let rest = bulk(json!({"ids": ids, "complete": true})).await.expect(200);
        assert_eq!((&rest.body["matched"], &rest.body["changed"]), (&json!(3), &json!(2)));
        assert_eq!(ada.get(&two.location()).await.expect(200).body["status"], "cancelled");
        undo(&rest).await;
        for (body, errors) in [
            (json!({"ids": ids}), vec!["# required"]),
            (json!({"complete": true}), vec!["#/ids required"]),
            (json!({"ids": ids, "complete": true, "shift_days": 1}), vec!["#/complete contradiction"]),
            (json!({"ids": ids, "due_on": "2026-03-04", "shift_days": 1}), vec!["#/shift_days contradiction"]),
            (json!({"ids": ids, "outcome": "x", "shift_days": 1}), vec!["#/outcome contradiction"]),
            (json!({"ids": ids, "shift_days": 3651}), vec!["#/shift_days out_of_range"]),
            (json!({"ids": [one.id()], "due_on": null}), vec!["#/due_on required"]),
            (json!({"filter": {"due_on[lte]": "soon"}, "shift_days": 1}), vec!["#/filter/due_on[lte] invalid_format"]),
        ] {
            assert_eq!(bulk(body.clone()).await.expect(422).errors(), errors, "{body}");
        }
    }
}
