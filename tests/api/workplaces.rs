//! People and where they work: by what an organization is known, which positions are current, in what order they are
//! shown, and what tells two people of one name apart.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, name: &str) -> Reply {
    client.post("/v1/contacts", &json!({ "given_name": name })).await.expect(201)
}

async fn organization(client: &Client, body: Value) -> Reply {
    client.post("/v1/organizations", &body).await.expect(201)
}

fn column(reply: &Reply, pointer: &str) -> Vec<Value> {
    reply.items().iter().map(|item| item.pointer(pointer).cloned().unwrap_or_default()).collect()
}

on_both! {
    async fn a_position_is_linked_by_the_domain_or_a_link_of_its_organization_where_that_is_unique(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let acme = organization(&ada, json!({"name": "Acme Sp. z o.o.", "domain": "acme.example",
            "links": {"li": {"url": "https://www.linkedin.com/company/acme"}}})).await;
        let linkedin = organization(&ada, json!({"name": "LinkedIn", "domain": "linkedin.com"})).await;
        let position = async |name: &str| {
            let body = json!({"contact_id": grace.id(), "organization_name": name, "title": "CTO"});
            let made = ada.post("/v1/positions", &body).await.expect(201);
            assert_eq!(made.body["organization_name"], name.trim(), "what was typed is kept");
            made.body["organization_id"].clone()
        };
        let (none, acme_id, linkedin_id) = (Value::Null, &acme.body["id"], &linkedin.body["id"]);
        for (name, expected) in [
            ("acme.example", acme_id), ("ACME.example", acme_id), ("https://acme.example/", acme_id),
            ("https://www.acme.example/jobs?x=1", acme_id), ("pl.linkedin.com/company/Acme/about/", acme_id),
            ("linkedin.com", linkedin_id), ("https://www.linkedin.com/company/other", &none),
            ("labs.acme.example", &none), ("ada@acme.example", &none), ("other.example", &none), ("1.5", &none),
        ] {
            assert_eq!(&position(name).await, expected, "{name}");
        }
        // Called so comes before known by it, and of two that are known by it neither is meant.
        let other = organization(&ada, json!({"name": "Other", "domain": "acme.example"})).await;
        assert_eq!(position("acme.example").await, none);
        let named = organization(&ada, json!({"name": "Acme.Example"})).await;
        assert_eq!(position("acme.example").await, named.body["id"]);
        ada.delete(&other.location()).await.expect(204);
        ada.delete(&named.location()).await.expect(204);
        assert_eq!(&position("acme.example").await, acme_id);
        let eve = server.register("eve@example.com").await;
        let own = contact(&eve, "Own").await;
        let body = json!({"organization_name": "acme.example"});
        let made = eve.post(&format!("{}/positions", own.location()), &body).await.expect(201);
        assert_eq!(made.body["organization_id"], none, "another workspace's does not exist");
    }

    async fn an_organization_is_looked_up_by_exact_domain_or_link(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = organization(&ada, json!({"name": "Acme", "domain": "acme.example",
            "links": {"li": {"url": "https://www.linkedin.com/company/acme"}}})).await;
        organization(&ada, json!({"name": "Other", "domain": "acme.example.org"})).await;
        for (name, spelling) in [
            ("domain", "ACME.example"), ("domain", "https://www.acme.example/jobs"), ("domain", "ada@acme.example"),
            ("url", "https://pl.linkedin.com/company/Acme/about/?trk=x"), ("url", "linkedin.com/company/acme"),
        ] {
            let found = ada.get("/v1/organizations/lookup").query(&[(name, spelling)]).await.expect(200);
            assert_eq!(column(&found, "/id"), [acme.body["id"].clone()], "{name}={spelling}");
        }
        let shown = ada.get("/v1/organizations/lookup?domain=acme.example&include=positions").await.expect(200);
        assert_eq!(shown.items()[0]["positions"], json!([]));
        assert_eq!(ada.get("/v1/organizations/lookup?domain=acme.example").if_none_match(&shown.etag()).await.status, 304);
        for nobody in ["domain=nobody.example", "url=linkedin.com/company/somebody"] {
            assert_eq!(ada.get(&format!("/v1/organizations/lookup?{nobody}")).await.expect(200).items().len(), 0);
        }
        for wrong in ["", "?domain=no", "?domain=x..com", "?domain=", "?url=ftp://acme.example", "?domain=a.example&url=a.example"] {
            ada.get(&format!("/v1/organizations/lookup{wrong}")).await.problem(400, "invalid_parameter");
        }
        ada.get("/v1/organizations/lookup?name=Acme").await.problem(400, "unknown_parameter");
        let eve = server.register("eve@example.com").await;
        assert_eq!(eve.get("/v1/organizations/lookup?domain=acme.example").await.expect(200).items().len(), 0);
    }

    async fn a_domain_is_labels_with_dots_between_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let label = |length: usize| "a".repeat(length);
        let long = [label(63), label(63), label(63), label(61)].join(".");
        for wrong in ["x..com", "-x.com", "x-.com", "x_y.com", ".com", "com", "1.2.3.4", &format!("{}.com", label(64)), &format!("{long}a")] {
            let reply = ada.post("/v1/organizations", &json!({"name": "X", "domain": wrong})).await;
            reply.problem(422, "invalid");
            // The schema says how long one may be.
            let code = if wrong.len() > 253 { "too_long" } else { "invalid_format" };
            assert_eq!(reply.errors(), [format!("#/domain {code}")], "{wrong}");
        }
        for (typed, kept) in [("Müller.example", "xn--mller-kva.example"), ("co.uk", "co.uk"), ("a-b.example.", "a-b.example"), (long.as_str(), long.as_str())] {
            assert_eq!(organization(&ada, json!({"name": "X", "domain": typed})).await.body["domain"], kept);
        }
        for (spelling, count) in [("MÜLLER.example", 1), ("xn--mller-kva.example", 1), ("x-y.example", 0)] {
            let found = ada.get("/v1/organizations").query(&[("domain", spelling)]).await.expect(200);
            assert_eq!(found.items().len(), count, "{spelling}");
        }
    }

    async fn another_name_without_a_link_leads_to_another_organization(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = contact(&ada, "Grace").await;
        let acme = organization(&ada, json!({"name": "Acme Sp. z o.o.", "aliases": ["Acme"], "domain": "acme.example"})).await;
        let beta = organization(&ada, json!({"name": "Beta"})).await;
        let (none, acme_id, beta_id) = (Value::Null, &acme.body["id"], &beta.body["id"]);
        let made = json!({"contact_id": grace.id(), "organization_id": acme.id(), "organization_name": "Acme", "title": "CTO"});
        let position = ada.post("/v1/positions", &made).await.expect(201);
        for (patch, expected) in [
            (json!({"organization_name": "ÁCME sp. z o.o."}), acme_id),
            (json!({"organization_name": "https://acme.example"}), acme_id),
            (json!({"title": "CEO"}), acme_id),
            (json!({"organization_name": null}), acme_id),
            (json!({"organization_name": "beta"}), beta_id),
            (json!({"organization_name": "Gamma"}), &none),
            (json!({"organization_name": "acme"}), acme_id),
            (json!({"organization_name": "Self-employed"}), &none),
            // Sent, it is as it was sent: that is how it was called then.
            (json!({"organization_name": "Old Acme", "organization_id": acme.id()}), acme_id),
            (json!({"organization_name": "Older Acme", "organization_id": acme.id()}), acme_id),
            (json!({"organization_id": null}), &none),
        ] {
            let reply = ada.patch(&position.location(), &patch).await.expect(200);
            assert_eq!(&reply.body["organization_id"], expected, "{patch}");
            if let Some(name) = patch.get("organization_name") {
                assert_eq!(&reply.body["organization_name"], name);
            }
        }
        let mut whole = ada.get(&position.location()).await.expect(200).body;
        (whole["organization_id"], whole["organization_name"]) = (json!(acme.id()), json!("Beta"));
        for stamp in ["created_at", "updated_at", "version"] {
            whole.as_object_mut().unwrap().remove(stamp);
        }
        let put = ada.put(&position.location(), &whole).header("If-Match", "*").await.expect(200);
        assert_eq!((&put.body["organization_id"], &put.body["organization_name"]), (acme_id, &json!("Beta")));
        let contradicting = json!({"contact_id": grace.id(), "organization_id": acme.id(), "organization_name": "Beta"});
        let made = ada.post("/v1/positions", &contradicting).await.expect(201);
        assert_eq!(&made.body["organization_id"], acme_id, "as it was called then");
    }

    async fn what_is_current_is_told_by_the_day_in_the_workspace(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, boss) = (contact(&ada, "Grace").await, contact(&ada, "Boss").await);
        // It is 2026-03-02.
        let periods = [
            ("always", Value::Null, Value::Null, true), ("last month", Value::Null, json!("2026-02"), false),
            ("this month", Value::Null, json!("2026-03"), true), ("this year", json!("2026"), json!("2026"), true),
            ("last year", Value::Null, json!("2025"), false), ("next year", Value::Null, json!("2027-06"), true),
            ("yesterday", Value::Null, json!("2026-03-01"), false), ("today", json!("2026-03-02"), json!("2026-03-02"), true),
            ("not begun", json!("2026-03-03"), Value::Null, false), ("begun", json!("2026-03"), Value::Null, true),
        ];
        for (title, started_on, ended_on, _) in &periods {
            let body = json!({"title": title, "started_on": started_on, "ended_on": ended_on});
            ada.post(&format!("{}/positions", grace.location()), &body).await.expect(201);
            let body = json!({"contact_id": grace.id(), "related_contact_id": boss.id(), "type": "report", "notes": title,
                "started_on": started_on, "ended_on": ended_on});
            ada.post("/v1/relationships", &body).await.expect(201);
        }
        for (list, pointer) in [("positions", "/title"), ("relationships", "/notes")] {
            for current in [true, false] {
                let path = format!("/v1/{list}?sort=id&count=true&current={current}");
                let expected: Vec<_> = periods.iter().filter(|period| period.3 == current).map(|period| json!(period.0)).collect();
                let found = ada.get(&path).await.expect(200);
                assert_eq!(column(&found, pointer), expected, "{path}");
                assert_eq!(found.body["total"], expected.len());
                assert_eq!(ada.walk(&format!("{path}&limit=2")).await.len(), expected.len());
            }
            ada.get(&format!("/v1/{list}?current=yes")).await.problem(400, "invalid_parameter");
        }
        // 09:00 in UTC is 22:00 of the day before in Midway, and three hours later it is the next day there.
        let path = "/v1/positions?current=true&sort=id";
        let plain = ada.get("/v1/positions").await.expect(200);
        let first = ada.get(path).await.expect(200);
        assert_eq!(ada.get(path).if_none_match(&first.etag()).await.status, 304);
        server.database.execute("UPDATE workspaces SET time_zone = 'Pacific/Midway'");
        let before = ada.get(path).if_none_match(&first.etag()).await.expect(200);
        let titles = column(&before, "/title");
        assert_eq!((titles.contains(&json!("yesterday")), titles.contains(&json!("today"))), (true, false));
        assert_eq!(ada.get("/v1/positions").if_none_match(&plain.etag()).await.status, 304, "no day, no other list");
        server.clock.advance(TimeDelta::hours(3));
        let ada = server.login("ada@example.com").await;
        let next = ada.get(path).if_none_match(&before.etag()).await.expect(200);
        assert!(column(&next, "/title").contains(&json!("today")), "{next}");
    }

    async fn the_review_and_the_list_agree_on_what_is_current(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        for (started_on, ended_on) in [
            (Value::Null, json!("2027-06")), (json!("2027"), Value::Null), (Value::Null, json!("2026-02")), (json!("2020"), Value::Null),
        ] {
            let body = json!({"title": "CTO", "started_on": started_on, "ended_on": ended_on});
            let made = ada.post(&format!("/v1/contacts/{me}/positions"), &body).await.expect(201);
            let listed = ada.get("/v1/positions?current=true").await.expect(200).items().len();
            let review = ada.get("/v1/profile/review").await.expect(200);
            let item = review.body["items"].as_array().unwrap().iter().find(|item| item["code"] == "current_position").unwrap().clone();
            assert_eq!(item["params"]["have"], listed, "{body}");
            ada.delete(&made.location()).await.expect(204);
        }
    }

    async fn positions_are_shown_in_the_order_that_a_card_needs(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (grace, acme) = (contact(&ada, "Grace").await, organization(&ada, json!({"name": "Acme"})).await);
        for (title, started_on, ended_on, primary) in [
            ("first", json!("2001"), json!("2009"), false), ("second", json!("2005"), json!("2009-12-31"), false),
            ("now", json!("2010"), Value::Null, false), ("too", json!("2015-04"), Value::Null, false),
            ("soon over", json!("2012"), json!("2027"), false), ("known for", json!("1999"), json!("2000"), true),
            ("unknown", Value::Null, Value::Null, false), ("unknown too", Value::Null, Value::Null, false),
        ] {
            let body = json!({"title": title, "department": "Research", "started_on": started_on, "ended_on": ended_on,
                "primary": primary, "organization_id": acme.id()});
            ada.post(&format!("{}/positions", grace.location()), &body).await.expect(201);
        }
        let expected = ["known for", "too", "now", "unknown too", "unknown", "soon over", "second", "first"];
        let whole = ada.get(&format!("{}?include=positions", grace.location())).await.expect(200);
        let listed = ada.get("/v1/contacts?include=positions").await.expect(200);
        let there = ada.get(&format!("{}?include=positions", acme.location())).await.expect(200);
        for shown in [&whole.body["positions"], &listed.items()[0]["positions"], &there.body["positions"]] {
            let titles: Vec<_> = shown.as_array().unwrap().iter().map(|position| position["title"].clone()).collect();
            assert_eq!(titles, expected);
            assert_eq!((&shown[5]["department"], &shown[5]["started_on"], &shown[5]["ended_on"]), (&json!("Research"), &json!("2012"), &json!("2027")));
        }
        ada.post(&format!("{}/needs", grace.location()), &json!({"topic": "rust", "detail": "Two seniors."})).await.expect(201);
        let whole = ada.get(&format!("{}?include=needs", grace.location())).await.expect(200);
        assert_eq!((&whole.body["needs"][0]["detail"], &whole.body["needs"][0]["status"]), (&json!("Two seniors."), &json!("open")));
    }

    async fn merging_organizations_leaves_everybody_the_position_that_comes_first(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (acme, same) = (organization(&ada, json!({"name": "Acme"})).await, organization(&ada, json!({"name": "Acme Inc."})).await);
        for (name, place) in [("Grace", &acme), ("Lin", &same)] {
            let body = json!({"title": "CTO", "organization_id": place.id(), "primary": true});
            ada.post(&format!("{}/positions", contact(&ada, name).await.location()), &body).await.expect(201);
        }
        ada.post("/v1/organizations/merge", &json!({"keep_id": acme.id(), "merge_ids": [same.id()]})).await.expect(200);
        let there = ada.get(&format!("{}/positions?primary=true", acme.location())).await.expect(200);
        assert_eq!(there.items().len(), 2, "{there}");
    }

    async fn a_hit_tells_two_of_one_name_apart(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = organization(&ada, json!({"name": "Kowalski Sp.j.", "domain": "kowalski.example", "location": "Kraków"})).await;
        organization(&ada, json!({"name": "Kowalski GmbH", "industry": "Logistics"})).await;
        organization(&ada, json!({"name": "Kowalski"})).await;
        let jan = async |more: Value| {
            let mut body = json!({"given_name": "Jan", "family_name": "Kowalski"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            ada.post("/v1/contacts", &body).await.expect(201)
        };
        let at_work = jan(json!({"headline": "Somebody", "location": "Warsaw"})).await;
        for position in [
            json!({"title": "Board", "organization_name": "Freelance", "started_on": "2024"}),
            json!({"title": "CTO", "organization_id": acme.id(), "organization_name": "Old name", "primary": true, "started_on": "2020"}),
            json!({"title": "Lecturer", "ended_on": "2020"}),
        ] {
            ada.post(&format!("{}/positions", at_work.location()), &position).await.expect(201);
        }
        let told = jan(json!({"headline": "Sails", "location": "Gdańsk"})).await;
        ada.post(&format!("{}/positions", told.location()), &json!({"title": "Intern", "ended_on": "2026-02"})).await.expect(201);
        jan(json!({"location": "Łódź"})).await;
        jan(json!({})).await;
        let board = jan(json!({})).await;
        ada.post(&format!("{}/positions", board.location()), &json!({"organization_name": "Foundation", "ended_on": "2026-03"})).await.expect(201);
        ada.post(&format!("{}/needs", at_work.location()), &json!({"topic": "Kowalski method"})).await.expect(201);
        let subtitles = async |client: &Client, types: &str| {
            let found = client.get(&format!("/v1/search?q=kowalski&limit=50&types={types}")).await.expect(200);
            (column(&found, "/subtitle"), found)
        };
        let (people, found) = subtitles(&ada, "contact").await;
        assert_eq!(people, [json!("CTO, Kowalski Sp.j."), json!("Sails"), json!("Łódź"), Value::Null, json!("Foundation")], "{found}");
        let (organizations, _) = subtitles(&ada, "organization").await;
        assert_eq!(organizations, [Value::Null, json!("Logistics"), json!("kowalski.example")]);
        assert_eq!(subtitles(&ada, "need").await.0, [json!("Jan Kowalski")]);
        ada.post("/v1/tags", &json!({"name": "kowalski"})).await.expect(201);
        assert_eq!(subtitles(&ada, "tag").await.0, [Value::Null]);
        // What is current today is not in April.
        let (_, found) = subtitles(&ada, "contact").await;
        server.clock.advance(TimeDelta::days(40));
        let ada = server.login("ada@example.com").await;
        let later = ada.get("/v1/search?q=kowalski&limit=50&types=contact").if_none_match(&found.etag()).await.expect(200);
        assert_eq!(column(&later, "/subtitle")[4], Value::Null);
    }
}
