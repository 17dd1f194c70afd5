//! Posts over HTTP: their states and dates, how they did, where they fall due, and who engages with whom.

use serde_json::{Value, json};

use crate::support::*;

async fn made(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, &body).await.expect(201)
}

async fn contact(client: &Client, name: &str) -> String {
    made(client, "/v1/contacts", json!({"given_name": name})).await.id()
}

/// What a state cannot be without.
fn in_state(status: &str) -> Value {
    match status {
        "scheduled" => json!({"title": "T", "status": status, "scheduled_on": "2026-03-10"}),
        "published" | "reviewed" => {
            json!({"title": "T", "status": status, "published_at": "2026-03-01T09:00:00Z"})
        }
        _ => json!({"title": "T", "status": status}),
    }
}

on_both! {
    async fn a_post_has_defaults_and_is_checked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = made(&ada, "/v1/posts", json!({"body": "  \nFirst line\nSecond", "url": "https://www.linkedin.com/posts/ada_one"})).await;
        for (field, expected) in [
            ("status", json!("idea")), ("kind", json!("post")), ("platform", json!("linkedin")), ("metrics", json!({})), ("title", Value::Null),
            ("scheduled_on", Value::Null), ("published_at", Value::Null), ("community_id", Value::Null), ("goal_id", Value::Null),
        ] {
            assert_eq!(own.body[field], expected, "{field}");
        }
        let fields = |more: Value| {
            let mut body = json!({"title": "A"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, expected) in [
            (json!({}), "#/title required"),
            (json!({"title": " ", "topic": " "}), "#/title required"),
            (fields(json!({"status": "published", "published_at": "2026-03-02T09:11:00Z"})), "#/published_at contradiction"),
            (fields(json!({"published_at": "2026-03-01T09:00:00Z"})), "#/published_at contradiction"),
            (fields(json!({"status": "scheduled"})), "#/scheduled_on required"),
            (fields(json!({"scheduled_on": "2026-03"})), "#/scheduled_on invalid_format"),
            (fields(json!({"kind": "film"})), "#/kind not_allowed"),
            (fields(json!({"metrics": {"2026-03-01": {"views": -1}}})), "#/metrics/2026-03-01/views out_of_range"),
            (fields(json!({"metrics": {"yesterday": {"views": 1}}})), "#/metrics/yesterday invalid_format"),
            (fields(json!({"metrics": {"2026-03-03": {"views": 1}}})), "#/metrics/2026-03-03 contradiction"),
            (fields(json!({"community_id": own.id()})), "#/community_id unknown_reference"),
            (fields(json!({"goal_id": own.id()})), "#/goal_id unknown_reference"),
        ] {
            assert_eq!(ada.post("/v1/posts", &body).await.expect(422).errors(), [expected], "{body}");
        }
        assert_eq!(ada.walk("/v1/posts").await.len(), 1, "nothing else was written");
        let hit = &ada.get("/v1/search?q=second&types=post").await.expect(200).body["items"][0];
        assert_eq!(hit["title"], "First line");
    }

    async fn its_states_are_a_machine(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let states = ["idea", "drafted", "scheduled", "published", "reviewed", "dropped"];
        let nonsense = [("published", "idea"), ("reviewed", "idea"), ("reviewed", "drafted"), ("reviewed", "scheduled")];
        for from in states {
            for to in states {
                let own = made(&ada, "/v1/posts", in_state(from)).await;
                let moved = ada.patch(&own.location(), &in_state(to)).await;
                if nonsense.contains(&(from, to)) {
                    let problem = moved.problem(409, "invalid_transition");
                    assert_eq!(problem["state"], from, "{from} {to}");
                } else {
                    assert_eq!(moved.expect(200).body["status"], to, "{from} {to}");
                }
            }
        }
        let own = made(&ada, "/v1/posts", in_state("scheduled")).await;
        let published_now = ada.patch(&own.location(), &json!({"status": "published"})).await.expect(200);
        assert_eq!(published_now.body["published_at"], published_now.body["updated_at"]);
        ada.patch(&own.location(), &json!({"status": "drafted"})).await.expect(200);
        let published = ada.patch(&own.location(), &json!({"status": "published", "published_at": "2026-03-02T08:00:00Z"})).await.expect(200);
        assert_eq!(published.body["published_at"], "2026-03-02T08:00:00Z");
        let cleared = ada.patch(&own.location(), &json!({"published_at": null})).await.expect(200);
        assert_eq!(cleared.body["published_at"], "2026-03-02T08:00:00Z", "it was published then");
        let (path, new) = ("/v1/posts/01939d5e-8c00-7000-8000-00000000abcd", json!({"title": "T", "status": "published"}));
        let first = ada.put(path, &new).if_none_match("*").await.expect(201);
        server.clock.advance(chrono::TimeDelta::minutes(1));
        let again = ada.put(path, &new).if_none_match("*").await.expect(201);
        assert_eq!(again.body, first.body, "a lost answer is asked for again");
        let back = ada.patch(&own.location(), &json!({"status": "drafted"})).await.expect(200);
        assert_eq!(back.body["published_at"], Value::Null);
    }

    async fn metrics_grow_by_day_and_go_back_one_by_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = made(&ada, "/v1/posts", in_state("published")).await;
        ada.patch(&own.location(), &json!({"metrics": {"2026-03-01": {"views": 10, "reactions": 1}}})).await.expect(200);
        let second = ada.patch(&own.location(), &json!({"metrics": {"2026-03-02": {"views": 40}}})).await.expect(200);
        assert_eq!(second.body["metrics"], json!({
            "2026-03-01": {"views": 10, "reactions": 1, "comments": null, "shares": null},
            "2026-03-02": {"views": 40, "reactions": null, "comments": null, "shares": null},
        }));
        let first = second.body["version"].as_i64().unwrap();
        ada.patch(&own.location(), &json!({"metrics": {"2026-03-01": {"views": 12}}})).await.expect(200);
        ada.post(&format!("/v1/changes/{first}/revert"), &json!({})).await.expect(200);
        let left = ada.get(&own.location()).await.expect(200);
        assert_eq!(left.body["metrics"], json!({"2026-03-01": {"views": 12, "reactions": 1, "comments": null, "shares": null}}));
    }

    async fn lists_are_filtered_and_links_are_detached(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let community = made(&ada, "/v1/communities", json!({"name": "Leaders", "platform": "slack"})).await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Move"})).await;
        made(&ada, &format!("{}/posts", community.location()), json!({"title": "Nested", "kind": "article", "goal_id": goal.id()})).await;
        made(&ada, "/v1/posts", json!({"title": "Planned", "status": "scheduled", "scheduled_on": "2026-03-10", "platform": "X"})).await;
        made(&ada, "/v1/posts", json!({"title": "Out", "status": "published", "published_at": "2026-02-10T09:00:00Z"})).await;
        for (query, expected) in [
            ("kind=article".to_owned(), vec!["Nested"]),
            ("status=scheduled&status=published".to_owned(), vec!["Out", "Planned"]),
            ("platform=x".to_owned(), vec!["Planned"]),
            (format!("community_id={}", community.id()), vec!["Nested"]),
            (format!("goal_id={}", goal.id()), vec!["Nested"]),
            ("scheduled_on[lte]=2026-03-10".to_owned(), vec!["Planned"]),
            ("published_at[gte]=2026-02-10T00:00:00Z".to_owned(), vec!["Out"]),
            ("q=nes".to_owned(), vec!["Nested"]),
            ("sort=scheduled_on&limit=1".to_owned(), vec!["Planned", "Nested", "Out"]),
            ("sort=-scheduled_on&limit=1".to_owned(), vec!["Out", "Nested", "Planned"]),
            ("sort=published_at&limit=1".to_owned(), vec!["Nested", "Planned", "Out"]),
            ("sort=-published_at&limit=1".to_owned(), vec!["Out", "Planned", "Nested"]),
        ] {
            let found = ada.walk(&format!("/v1/posts?{query}")).await;
            let titles: Vec<&str> = found.iter().map(|own| own["title"].as_str().unwrap()).collect();
            assert_eq!(titles, expected, "{query}");
        }
        let shown = ada.get(&format!("{}/posts?include=community&include=goal", community.location())).await.expect(200);
        assert_eq!((&shown.items()[0]["community"]["name"], &shown.items()[0]["goal"]["title"]), (&json!("Leaders"), &json!("Move")));
        ada.delete(&community.location()).await.expect(204);
        ada.delete(&goal.location()).await.expect(204);
        let left = &ada.walk("/v1/posts?kind=article").await[0];
        assert_eq!((&left["community_id"], &left["goal_id"]), (&Value::Null, &Value::Null));
        ada.post(&format!("{}/restore", community.location()), &json!({})).await.expect(200);
        assert_eq!(ada.walk("/v1/posts?kind=article").await[0]["community_id"], community.body["id"]);
    }

    async fn a_scheduled_post_falls_due_and_a_published_one_is_counted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let goal = made(&ada, "/v1/goals", json!({"title": "Be seen", "status": "active", "started_on": "2026-03-01", "due_on": "2026-06-01"})).await;
        let key_result = made(&ada, &format!("{}/key-results", goal.location()), json!({
            "title": "Four posts", "metric": "posts_published", "target_value": 4, "filter": {"linked": true},
        })).await;
        let own = made(&ada, "/v1/posts", json!({"title": "My story", "status": "scheduled", "scheduled_on": "2026-03-01", "goal_id": goal.id()})).await;
        made(&ada, "/v1/posts", json!({"title": "Later", "status": "scheduled", "scheduled_on": "2026-03-03"})).await;
        let today = ada.get("/v1/today").await.expect(200);
        let section = &today.body["posts"];
        assert_eq!((&section["total"], &section["items"][0]["reason"]["code"]), (&json!(1), &json!("post_overdue")));
        assert_eq!(section["items"][0]["reason"]["detail"], "Publish My story: scheduled 1 day ago.");
        assert_eq!(ada.walk(section["list"].as_str().unwrap()).await.len(), 1, "its list has the same");
        let feed = made(&ada, "/v1/calendar-feeds", json!({"name": "Wellmet", "contents": ["posts"]})).await;
        let calendar = server.client().get(feed.body["path"].as_str().unwrap()).await.expect(200).text;
        assert!(calendar.contains("SUMMARY:Publish: My story") && calendar.contains("DTSTART;VALUE=DATE:20260303"), "{calendar}");

        ada.patch(&own.location(), &json!({"status": "published", "published_at": "2026-03-02T08:00:00Z"})).await.expect(200);
        assert_eq!(ada.get("/v1/today").await.expect(200).body["posts"]["total"], 0);
        for (kind, linked) in [("comment", true), ("reply", true), ("post", false)] {
            made(&ada, "/v1/posts", json!({
                "title": "Other", "kind": kind, "status": "published", "published_at": "2026-03-02T08:30:00Z",
                "goal_id": linked.then(|| goal.id()),
            })).await;
        }
        let progress = ada.get(&format!("{}/progress", goal.location())).await.expect(200);
        assert_eq!(progress.body["key_results"][0]["count"], 1, "comments and replies are no posts");
        let counted = ada.get(&format!("{}/records", key_result.location())).await.expect(200);
        assert_eq!(counted.items().len(), 1);
        let timeline = ada.get("/v1/timeline?kind=post_published").await.expect(200);
        assert_eq!((timeline.items().len(), &timeline.items()[3]["at"]), (4, &json!("2026-03-02T08:00:00Z")));
    }

    async fn engagement_is_summed_up_in_both_directions_by_person_and_month(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, lin) = (contact(&ada, "Grace").await, contact(&ada, "Lin").await);
        let community = made(&ada, "/v1/communities", json!({"name": "Leaders", "platform": "slack"})).await.id();
        let post = made(&ada, "/v1/posts", json!({"title": "T", "status": "published", "published_at": "2026-01-10T09:00:00Z", "platform": "linkedin"})).await;
        for (who, kind, direction, on, more) in [
            (vec![&grace], "comment", "inbound", "2026-01-11", json!({"post_id": post.id()})),
            (vec![&grace, &lin], "reaction", "outbound", "2026-02-01", json!({"community_id": community})),
            (vec![&lin], "share", "outbound", "2026-02-28", json!({"url": "https://www.linkedin.com/posts/lin_one"})),
            (vec![&lin], "comment", "mutual", "2026-03-02", json!({})),
            (vec![&lin], "comment", "outbound", "2026-03-02", json!({"status": "cancelled"})),
            (vec![&lin], "call", "outbound", "2026-03-02", json!({"post_id": post.id()})),
            (vec![&lin], "comment", "outbound", "2024-03-02", json!({})),
        ] {
            let mut body = json!({"contact_ids": who, "kind": kind, "direction": direction, "occurred_on": on});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            made(&ada, "/v1/interactions", body).await;
        }
        let get = async |query: &str| ada.get(&format!("/v1/engagement?{query}")).await.expect(200).body;
        let counts = |of: &Value| json!([of["outbound"], of["inbound"], of["mutual"]]);
        let months = |body: &Value| -> Value {
            let some = body["months"].as_array().unwrap().iter().filter(|month| counts(&month["counts"]) != json!([0, 0, 0]));
            some.map(|month| json!([month["month"], counts(&month["counts"])])).collect()
        };
        let people = |body: &Value| -> Value {
            body["items"].as_array().unwrap().iter().map(|one| json!([one["contact"]["name"], counts(&one["counts"])])).collect()
        };
        let all = get("").await;
        assert_eq!(months(&all), json!([["2026-01", [0, 1, 0]], ["2026-02", [2, 0, 0]], ["2026-03", [0, 0, 1]]]));
        assert_eq!(people(&all), json!([["Lin", [2, 0, 1]], ["Grace", [1, 1, 0]]]));
        assert_eq!((&all["total"], &all["items"][0]["counts"]["shares"]), (&json!(2), &json!(1)));
        let hers = get(&format!("contact_id={grace}")).await;
        assert_eq!((months(&hers), people(&hers)), (json!([["2026-01", [0, 1, 0]], ["2026-02", [1, 0, 0]]]), json!([["Grace", [1, 1, 0]]])));
        assert_eq!(months(&get("platform=LinkedIn").await), json!([["2026-01", [0, 1, 0]], ["2026-02", [1, 0, 0]]]), "of the post or the URL");
        assert_eq!(months(&get("platform=slack").await), json!([["2026-02", [1, 0, 0]]]), "of the community");
        assert_eq!(months(&get("since=2026-02-02&until=2026-03-01").await), json!([["2026-02", [1, 0, 0]]]));
        for query in ["contact_id=grace", "since=2026-03-03", "until=2028-06-01", "platform=", "sort=id"] {
            assert_eq!(ada.get(&format!("/v1/engagement?{query}")).await.status, 400, "{query}");
        }
        assert_eq!(ada.walk(&format!("/v1/interactions?post_id={}", post.id())).await.len(), 2);
        ada.delete(&post.location()).await.expect(204);
        assert!(ada.walk("/v1/interactions").await.iter().all(|own| own["post_id"].is_null()), "interactions stay");
    }
}
