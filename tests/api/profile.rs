//! The review of one's own profile: read from the records, told by day, and followed by what it says to do. What each
//! part is worth is tested beside the rule, in `src/domain/profile.rs`.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use crate::support::*;

const REVIEW: &str = "/v1/profile/review";

async fn own(client: &Client) -> String {
    client.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned()
}

fn item<'r>(review: &'r Reply, code: &str) -> &'r Value {
    let items = review.body["items"].as_array().expect("items");
    items.iter().find(|item| item["code"] == code).unwrap_or_else(|| panic!("no {code} in {review}"))
}

on_both! {
    async fn a_new_profile_is_told_what_it_lacks_and_every_item_explains_itself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let review = ada.get(REVIEW).await.expect(200);
        assert_eq!(review.body["contact_id"], json!(own(&ada).await));
        assert_eq!((&review.body["on"], &review.body["version"]), (&json!("2026-03-02"), &json!("pr-2")));
        let items = review.body["items"].as_array().expect("items");
        let sum = |name: &str| items.iter().filter_map(|item| item[name].as_i64()).sum::<i64>();
        assert_eq!((sum("of"), json!(sum("points"))), (100, review.body["completeness"].clone()), "{review}");
        assert_eq!(review.body["completeness"], 15, "a name and an e-mail address are what one signs up with, and no feedback waits");
        for item in items {
            let missing = review.body["missing"].as_array().expect("codes").contains(&item["code"]);
            assert_eq!((item["complete"] == false, item["detail"].is_string(), item["do"].is_object()), (missing, missing, missing));
        }
        assert_eq!(item(&review, "skills")["params"], json!({"have": 0, "wanted": 5, "within_days": null}));
        assert_eq!(item(&review, "link_checked")["params"]["within_days"], 90);
    }

    async fn doing_literally_what_a_review_says_completes_the_profile(server: TestServer) {
        // Done for one part, something may do for another: so in one order, and in the other.
        for (email, reversed) in [("ada@example.com", false), ("eve@example.com", true)] {
            let ada = server.register(email).await;
            // Two weeks ago, so that it has been open for long.
            server.clock.advance(-TimeDelta::days(14));
            let past = server.login(email).await;
            let giver = past.post("/v1/contacts", &json!({"given_name": "Boss"})).await.expect(201);
            past.post("/v1/feedback", &json!({"contact_id": giver.id(), "topic": "My talk"})).await.expect(201);
            server.clock.advance(TimeDelta::days(14));
            let boss = ada.post("/v1/contacts", &json!({"given_name": "Boss"})).await.expect(201);
            ada.patch(&format!("/v1/contacts/{}", own(&ada).await), &json!({"emails": null})).await.expect(200);
            let value = |field: &str| match field.rsplit('/').next().unwrap() {
                "headline" | "about" | "location" | "title" | "topic" => json!("something"),
                "languages" => json!(["pl"]),
                "skills" => json!(["a", "b", "c", "d", "e"]),
                "value" => json!("ada@example.com"),
                "url" => json!("https://www.linkedin.com/in/ada"),
                "checked_on" => json!("2026-03-02"),
                "contact_id" => boss.body["id"].clone(),
                "type" => json!("manager"),
                "body" => json!("I build the software that gets heat pumps right."),
                "landed" => json!(4),
                "published_at" => json!("2026-03-02T08:00:00Z"),
                "status" => json!("set_aside"),
                other => panic!("{other} was not expected to be asked for"),
            };
            let mut review = ada.get(REVIEW).await.expect(200);
            let mut codes: Vec<Value> = review.body["missing"].as_array().expect("codes").clone();
            assert_eq!(codes.len(), 17, "all but the name, which nobody is without");
            if reversed {
                codes.reverse();
            }
            for code in codes {
                let code = code.as_str().unwrap();
                // A pitch has to be there before it is used.
                for step in 0..=2 {
                    let act = item(&review, code)["do"].clone();
                    if act.is_null() {
                        break;
                    }
                    assert!(step < 2, "{code} is not complete: {review}");
                    let mut body = act["body"].clone();
                    for field in act["fields"].as_array().expect("fields") {
                        put(&mut body, field.as_str().unwrap(), value(field.as_str().unwrap()));
                    }
                    let reply = ada.request(act["method"].as_str().unwrap(), act["path"].as_str().unwrap()).json(&body).await;
                    assert!(reply.status < 300, "{code}: {body}: {reply}");
                    review = ada.get(REVIEW).await.expect(200);
                }
                assert_eq!(item(&review, code)["complete"], true, "{code}");
            }
            assert_eq!(review.body["completeness"], 100);
        }
    }

    async fn what_counts_depends_on_the_day(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = format!("/v1/contacts/{}", own(&ada).await);
        ada.patch(&me, &json!({"links": {"site": {"url": "https://ada.example", "checked_on": "2026-02-01"}}})).await.expect(200);
        ada.post(&format!("{me}/positions"), &json!({"title": "CTO", "started_on": "2021-04", "ended_on": "2026-05"})).await.expect(201);
        for (on, checked, current, background) in [
            ("2020-01-01", true, false, false), ("2026-03-02", true, true, false), ("2026-05-31", false, true, false),
            ("2026-05-02", true, true, false), ("2026-05-03", false, true, false), ("2026-06-01", false, false, true),
        ] {
            let review = ada.get(&format!("{REVIEW}?on={on}")).await.expect(200);
            let complete = ["link_checked", "current_position", "background"].map(|code| item(&review, code)["complete"].clone());
            assert_eq!(complete, [json!(checked), json!(current), json!(background)], "{on}");
            if !checked {
                assert_eq!(item(&review, "link_checked")["do"]["fields"], json!(["#/links/site/checked_on"]));
                assert_eq!(item(&review, "link_checked")["do"]["body"], json!({"links": {"site": {"checked_on": on}}}));
            }
        }
        for wrong in ["2026-02-30", "2026-3-2", "2026-03", "today", "", "--03-02", "2026-03-02T09:00:00Z"] {
            ada.get(&format!("{REVIEW}?on={wrong}")).await.problem(400, "invalid_parameter");
        }
    }

    async fn posts_count_for_90_days_and_feedback_may_wait_for_14(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let part = async |code: &str, on: &str| {
            let review = ada.get(&format!("{REVIEW}?on={on}")).await.expect(200);
            item(&review, code)["complete"] == true
        };
        for (kind, status, counts) in
            [("comment", "published", false), ("post", "drafted", false), ("article", "dropped", false), ("post", "reviewed", true)]
        {
            let published_at = (status == "reviewed" || status == "published").then_some("2026-03-02T08:00:00Z");
            let body = json!({"title": "Heat pumps", "kind": kind, "status": status, "published_at": published_at});
            ada.post("/v1/posts", &body).await.expect(201);
            assert_eq!(part("published", "2026-03-02").await, counts, "{body}");
        }
        for (on, counts) in [("2026-03-01", false), ("2026-05-31", true), ("2026-06-01", false)] {
            assert_eq!(part("published", on).await, counts, "{on}");
        }
        let giver = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201).id();
        let feedback = ada.post("/v1/feedback", &json!({"contact_id": giver, "topic": "My talk"})).await.expect(201);
        for (on, handled) in [("2026-03-02", true), ("2026-03-15", true), ("2026-03-16", false)] {
            assert_eq!(part("feedback_handled", on).await, handled, "{on}");
        }
        ada.patch(&feedback.location(), &json!({"status": "set_aside"})).await.expect(200);
        assert!(part("feedback_handled", "2026-12-31").await);
    }

    async fn only_those_who_worked_with_me_speak_for_me(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = own(&ada).await;
        let other = ada.post("/v1/contacts", &json!({"given_name": "Other"})).await.expect(201).id();
        for (kind, by_them, by_me) in [("manager", true, true), ("client", true, false), ("friend", false, false), ("report", true, true)] {
            for (from, to, counts) in [(&other, &me, by_them), (&me, &other, by_me)] {
                let body = json!({"contact_id": from, "related_contact_id": to, "type": kind});
                let made = ada.post("/v1/relationships", &body).await.expect(201);
                let review = ada.get(REVIEW).await.expect(200);
                assert_eq!(item(&review, "reference")["complete"], counts, "{body}");
                ada.delete(&made.location()).await.expect(204);
            }
        }
        for (body, counts) in [(json!({"status": "met"}), false), (json!({"status": "open"}), true)] {
            let mut need = body;
            need["topic"] = json!("a job");
            ada.post(&format!("/v1/contacts/{me}/needs"), &need).await.expect(201);
            assert_eq!(item(&ada.get(REVIEW).await.expect(200), "need")["complete"], counts);
        }
    }

    async fn the_tag_of_a_review_changes_with_the_workspace_and_with_the_day_there(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        server.database.execute("UPDATE workspaces SET time_zone = 'Asia/Tokyo'");
        let first = ada.get(REVIEW).await.expect(200);
        assert!(first.etag().starts_with("W/"));
        assert_eq!(ada.get(REVIEW).if_none_match(&first.etag()).await.status, 304);
        assert_eq!(ada.get(&format!("{REVIEW}?on=2026-03-02")).if_none_match(&first.etag()).await.status, 304);
        assert_eq!(ada.get(&format!("{REVIEW}?on=2026-03-03")).if_none_match(&first.etag()).await.status, 200);
        // 09:00 in UTC is 18:00 in Tokyo.
        server.clock.advance(TimeDelta::hours(6));
        let ada = server.login("ada@example.com").await;
        let next = ada.get(REVIEW).if_none_match(&first.etag()).await.expect(200);
        assert_eq!(next.body["on"], "2026-03-03");
        ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
        assert_eq!(ada.get(REVIEW).if_none_match(&next.etag()).await.status, 200);
    }
}

/// Puts a value where a pointer leads; what is missing on the way is made.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for part in pointer.trim_start_matches("#/").split('/') {
        if !at.is_object() {
            *at = Map::new().into();
        }
        at = &mut at[part];
    }
    *at = value;
}
