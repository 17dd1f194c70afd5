//! Pitches over HTTP: how long they take, what they said before, and how they landed.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

fn bodies(items: &[Value]) -> Vec<(i64, &str)> {
    items.iter().map(|item| (item["number"].as_i64().unwrap(), item["body"].as_str().unwrap())).collect()
}

on_both! {
    async fn a_pitch_is_timed_by_its_words_or_its_characters(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Long", "body": "word ".repeat(75), "language": "EN-gb"})).await;
        assert_eq!((&pitch.body["spoken_seconds"], &pitch.body["language"]), (&json!(30), &json!("en-GB")));
        let longer = ada.patch(&pitch.location(), &json!({"hook": "word ".repeat(75)})).await.expect(200);
        assert_eq!(longer.body["spoken_seconds"], 60);
        let japanese = made(&ada, "/v1/pitches", json!({"title": "短い", "body": "私は学生です。".repeat(50), "language": "ja"})).await;
        assert_eq!(japanese.body["spoken_seconds"], 60, "300 characters without their full stops");
        for (body, expected) in [
            (json!({"title": "T", "body": " "}), "#/body too_short"),
            (json!({"title": "T", "body": "B", "language": "not a language"}), "#/language invalid_format"),
            (json!({"title": "T", "body": "B", "spoken_seconds": 5}), "#/spoken_seconds read_only"),
            (json!({"title": "T", "body": "B", "target_seconds": 0}), "#/target_seconds out_of_range"),
        ] {
            assert_eq!(ada.post("/v1/pitches", &body).await.expect(422).errors(), [expected], "{body}");
        }
        let list = ada.walk("/v1/pitches?language=en-GB").await;
        assert_eq!((list.len(), &list[0]["id"]), (1, &json!(pitch.id())));
        assert_eq!(ada.walk("/v1/pitches?q=long").await.len(), 1);
    }

    async fn every_earlier_wording_is_kept_and_can_be_restored(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Mine", "body": "One"})).await;
        let versions = format!("{}/versions", pitch.location());
        let patch = async |body: Value| ada.patch(&pitch.location(), &body).await.expect(200);
        patch(json!({"title": "Ours", "audience": "Everybody"})).await;
        assert_eq!(ada.walk(&versions).await.len(), 0, "a title is no wording");
        patch(json!({"body": "Two", "hook": "Listen."})).await;
        let third = patch(json!({"body": "Three"})).await;
        let kept = ada.walk(&versions).await;
        assert_eq!(bodies(&kept), [(2, "Two"), (1, "One")]);
        let first = format!("/v1/pitch-versions/{}", kept[1]["id"].as_str().unwrap());
        assert_eq!(ada.get(&first).await.expect(200).body["hook"], Value::Null);

        let restored = ada.post_nothing(&format!("{first}/restore")).await.expect(200);
        assert_eq!((&restored.body["id"], &restored.body["body"], &restored.body["hook"]), (&json!(pitch.id()), &json!("One"), &Value::Null));
        assert_eq!(restored.body["title"], "Ours", "only the wording is restored");
        assert_eq!(bodies(&ada.walk(&versions).await), [(3, "Three"), (2, "Two"), (1, "One")]);
        let again = ada.post_nothing(&format!("{first}/restore")).await.expect(200);
        assert_eq!(again.body["version"], restored.body["version"], "it says so already");

        let write = restored.header("wellmet-write").unwrap();
        ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(ada.get(&pitch.location()).await.expect(200).body["body"], third.body["body"]);
        assert_eq!(bodies(&ada.walk(&versions).await), [(2, "Two"), (1, "One")]);
        ada.patch(&first, &json!({"body": "Mine"})).await.problem(405, "method_not_allowed");

        ada.delete(&pitch.location()).await.expect(204);
        ada.get(&first).await.expect(404);
        ada.post_nothing(&format!("{}/restore", pitch.location())).await.expect(200);
        assert_eq!(bodies(&ada.walk(&versions).await), [(2, "Two"), (1, "One")]);
    }

    async fn only_the_newest_two_hundred_wordings_are_kept(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Mine", "body": "0"})).await;
        let edit = |number: u32| json!({"method": "PATCH", "path": pitch.location(), "body": {"body": number.to_string()}});
        for start in [1, 101, 201] {
            let operations: Vec<Value> = (start..start + 100).map(edit).collect();
            let batch = json!({"atomic": true, "operations": operations});
            let done = ada.post("/v1/batch", &batch).await.expect(207);
            let results = done.body["results"].as_array().unwrap();
            assert!(results.iter().all(|result| result["status"] == 200), "{done}");
        }
        let kept = ada.walk(&format!("{}/versions", pitch.location())).await;
        assert_eq!((kept.len(), bodies(&kept)[0], bodies(&kept)[199]), (200, (300, "299"), (101, "100")));
    }

    async fn uses_tell_how_often_a_pitch_landed_and_how_well(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Mine", "body": "One"})).await;
        let performance = async || ada.get(&format!("{}/performance", pitch.location())).await.expect(200).body;
        assert_eq!(performance().await, json!({"pitch_id": pitch.id(), "uses": 0, "rated": 0, "average_landed": null,
            "by_rating": [0, 0, 0, 0, 0], "last_used_on": null}));
        let grace = made(&ada, "/v1/contacts", json!({"given_name": "Grace"})).await;
        let uses = format!("{}/uses", pitch.location());
        for (on, landed) in [("2026-02-01", json!(2)), ("2026-02-20", json!(5)), ("2026-02-10", json!(5)), ("2026-02-11", Value::Null)] {
            made(&ada, &uses, json!({"on": on, "landed": landed, "contact_id": grace.id()})).await;
        }
        assert_eq!(performance().await, json!({"pitch_id": pitch.id(), "uses": 4, "rated": 3, "average_landed": 4.0,
            "by_rating": [0, 1, 0, 0, 2], "last_used_on": "2026-02-20"}));
        for (query, expected) in [("landed[gte]=3", 2), ("on[lt]=2026-02-11", 2), (&format!("contact_id={}", grace.id()), 4)] {
            assert_eq!(ada.walk(&format!("/v1/pitch-uses?pitch_id={}&{query}", pitch.id())).await.len(), expected, "{query}");
        }
        for (body, expected) in [
            (json!({"on": "2026-03-03"}), "#/on contradiction"),
            (json!({"on": "2026-03-02", "landed": 6}), "#/landed out_of_range"),
            (json!({"landed": 1}), "#/on required"),
        ] {
            assert_eq!(ada.post(&uses, &body).await.expect(422).errors(), [expected], "{body}");
        }
        ada.delete(&grace.location()).await.expect(204);
        assert!(ada.walk(&uses).await.iter().all(|one| one["contact_id"].is_null()), "the uses stay");
        assert_eq!(performance().await["uses"], 4);
    }

    async fn a_pitch_outlives_its_goal(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        let pitch = made(&ada, "/v1/pitches", json!({"title": "Mine", "body": "One", "goal_id": goal.id()})).await;
        assert_eq!(ada.walk(&format!("/v1/pitches?goal_id={}", goal.id())).await.len(), 1);
        ada.delete(&goal.location()).await.expect(204);
        assert_eq!(ada.get(&pitch.location()).await.expect(200).body["goal_id"], Value::Null);
        ada.post_nothing(&format!("{}/restore", goal.location())).await.expect(200);
        assert_eq!(ada.get(&pitch.location()).await.expect(200).body["goal_id"], json!(goal.id()));
    }
}
