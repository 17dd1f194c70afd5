//! Merging contacts and organizations: nothing is lost, nothing stands twice, old ids lead on, and it can be taken back.

use serde_json::{Value, json};

use crate::support::*;

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn merge(client: &Client, kind: &str, keep: &Reply, merged: &[&Reply]) -> Reply {
    let ids: Vec<String> = merged.iter().map(|one| one.id()).collect();
    client.post(&format!("/v1/{kind}/merge"), &json!({"keep_id": keep.id(), "merge_ids": ids})).await
}

/// Every record there is, without what each write stamps on it.
async fn everything(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for list in ["contacts?known=any&archived=any", "organizations", "positions", "relationships", "needs", "tags"]
    {
        for mut item in client.walk(&format!("/v1/{list}")).await {
            for stamp in ["version", "updated_at"] {
                item.as_object_mut().unwrap().remove(stamp);
            }
            all.push(item);
        }
    }
    all
}

/// Where the log of changes ends.
async fn place(client: &Client) -> String {
    let page = client.get("/v1/changes?limit=1000").await.expect(200);
    page.body["next_cursor"].as_str().expect("a cursor").to_owned()
}

on_both! {
    async fn merged_contacts_are_one_person_with_all_that_was_known_of_either(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = contact(&ada, json!({"given_name": "Dorota", "family_name": "Kozłowicz", "tier": "active", "tags": ["x"],
            "emails": {"work": {"value": "dorota@example.com", "preferred": true}}, "notes": "Likes types."})).await;
        let other = contact(&ada, json!({"given_name": "D.", "headline": "CTO", "tags": ["X", "y"], "favorite": true,
            "emails": {"work": {"value": "d@home.example", "preferred": true}, "old": {"value": "DOROTA@example.com"}},
            "phones": {"mobile": {"value": "+48 512 345 678"}}, "notes": "Sails."})).await;
        let merged = merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        let one = &merged.body["contact"];
        assert_eq!((&one["id"], &one["name"]), (&keep.body["id"], &json!("Dorota Kozłowicz")));
        assert_eq!((&one["headline"], &one["tier"], &one["favorite"]), (&json!("CTO"), &json!("active"), &json!(true)));
        assert_eq!((&one["tags"], &one["notes"]), (&json!(["x", "y"]), &json!("Likes types.\n\nSails.")));
        let emails = one["emails"].as_object().unwrap();
        let told: Vec<_> = emails.iter().map(|(key, email)| format!("{key} {} {}", email["value"], email["preferred"])).collect();
        assert_eq!(told, ["work \"dorota@example.com\" true", "work-2 \"d@home.example\" false"]);
        assert_eq!(one["phones"]["mobile"]["e164"], "+48512345678");
        assert_eq!(merged.body["merged_ids"], json!([other.id()]));
        for (lookup, count) in [("d@home.example", 1), ("dorota@example.com", 1)] {
            assert_eq!(ada.get(&format!("/v1/contacts/lookup?email={lookup}")).await.expect(200).items().len(), count);
        }
        assert_eq!(ada.get("/v1/contacts?q=sails").await.expect(200).items().len(), 1);
    }

    async fn a_date_that_says_less_of_the_same_day_is_no_second_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let born = async |value: &str| contact(&ada, json!({"given_name": "Ada", "dates": {"birthday": {"value": value}}})).await;
        let (keep, more, other) = (born("1990").await, born("1990-05-05").await, born("1991").await);
        let merged = merge(&ada, "contacts", &keep, &[&more, &other]).await.expect(200);
        let dates = merged.body["contact"]["dates"].as_object().unwrap();
        let told: Vec<_> = dates.iter().map(|(key, date)| (key.as_str(), &date["value"])).collect();
        assert_eq!(told, [("birthday", &json!("1990-05-05")), ("birthday-2", &json!("1991"))]);
    }

    async fn an_old_id_leads_to_the_survivor_and_the_log_tells_where(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let [a, b, c] = [contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B"})).await,
            contact(&ada, json!({"given_name": "C"})).await];
        ada.post("/v1/needs", &json!({"contact_id": a.id(), "topic": "rust"})).await.expect(201);
        let start = place(&ada).await;
        merge(&ada, "contacts", &b, &[&a]).await.expect(200);
        merge(&ada, "contacts", &c, &[&b]).await.expect(200);
        let living = ada.get(&c.location()).await.expect(200);
        for old in [&a, &b] {
            let reply = ada.get(&old.location()).await.expect(200);
            assert_eq!((&reply.body, reply.etag()), (&living.body, living.etag()));
            let shown = ada.get(&format!("{}?include=positions", old.location())).await.expect(200);
            assert_eq!(shown.body["id"], c.body["id"]);
            assert_eq!(ada.get(&format!("{}/needs", old.location())).await.expect(200).items().len(), 1);
        }
        let log = ada.get(&format!("/v1/changes?limit=1000&since={start}")).await.expect(200);
        let tombstones: Vec<_> = log.items().iter().filter(|change| change["op"] == "deleted")
            .map(|change| (change["id"].clone(), change["merged_into"].clone(), change["data"].clone())).collect();
        assert_eq!(tombstones, [(json!(a.id()), json!(b.id()), Value::Null), (json!(b.id()), json!(c.id()), Value::Null)]);
        ada.delete(&c.location()).await.expect(204);
        ada.get(&a.location()).await.problem(404, "not_found");
    }

    async fn writing_to_an_old_id_is_refused_by_the_name_of_the_survivor(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let [a, b] = [contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B"})).await];
        merge(&ada, "contacts", &b, &[&a]).await.expect(200);
        let (at, tag) = (a.location(), ada.get(&a.location()).await.expect(200).etag());
        let fields = json!({"given_name": "A"});
        let refused = [
            ada.patch(&at, &fields).if_match(&tag).await,
            ada.put(&at, &fields).if_match(&tag).await,
            ada.put(&at, &fields).if_none_match("*").await,
            ada.delete(&at).await,
            ada.post("/v1/contacts", &json!({"id": a.id(), "given_name": "A"})).await,
            ada.post(&format!("{at}/needs"), &json!({"topic": "rust"})).await,
        ];
        for reply in refused {
            assert_eq!(reply.problem(409, "merged")["record"], json!({"entity": "contact", "id": b.id()}));
        }
        for (path, body, pointer) in [
            ("/v1/needs", json!({"contact_id": a.id(), "topic": "rust"}), "#/contact_id"),
            ("/v1/contacts/bulk", json!({"ids": [a.id()], "tier": "core"}), "#/ids/0"),
            ("/v1/contacts/merge", json!({"keep_id": b.id(), "merge_ids": [a.id()]}), "#/merge_ids/0"),
        ] {
            let reply = ada.post(path, &body).await;
            let error = &reply.problem(422, "invalid")["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!("unknown_reference")));
            assert_eq!(error["detail"], format!("This contact was merged into {}.", b.id()));
        }
        ada.delete(&b.location()).await.expect(204);
        ada.patch(&at, &fields).await.problem(404, "not_found");
    }

    async fn a_filter_by_an_old_id_finds_what_the_survivor_has(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let [a, b] = [contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B"})).await];
        let organization = |name: &str| ada.post("/v1/organizations", &json!({"name": name}));
        let [old, new] = [organization("Old").await.expect(201), organization("New").await.expect(201)];
        ada.post("/v1/needs", &json!({"contact_id": a.id(), "topic": "rust"})).await.expect(201);
        ada.post("/v1/needs", &json!({"contact_id": a.id(), "topic": "rust", "kind": "offer"})).await.expect(201);
        let job = json!({"contact_id": a.id(), "organization_id": old.id()});
        ada.post("/v1/positions", &job).await.expect(201);
        merge(&ada, "contacts", &b, &[&a]).await.expect(200);
        merge(&ada, "organizations", &new, &[&old]).await.expect(200);
        for (path, old, new) in [
            ("/v1/needs?limit=1&contact_id=", &a, &b),
            ("/v1/positions?contact_id=", &a, &b),
            ("/v1/positions?organization_id=", &old, &new),
            ("/v1/contacts?organization_id=", &old, &new),
            ("/v1/contacts/duplicates?contact_id=", &a, &b),
        ] {
            let [by_old, by_new] = [
                ada.get(&format!("{path}{}", old.id())).await.expect(200),
                ada.get(&format!("{path}{}", new.id())).await.expect(200),
            ];
            assert_eq!(by_old.items(), by_new.items(), "{path}");
            assert_eq!(by_old.items().len(), usize::from(!path.contains("duplicates")), "{path}");
            if let Some(next) = by_old.next_link() {
                assert_eq!(ada.get(&next).await.expect(200).items().len(), 1);
            }
        }
        let without = ada.get(&format!("/v1/positions?organization_id[ne]={}", old.id())).await.expect(200);
        assert_eq!(without.items().len(), 0);
    }

    async fn what_referred_to_the_others_refers_to_the_survivor_and_doubles_go(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (keep, other) = (contact(&ada, json!({"given_name": "Keep"})).await, contact(&ada, json!({"given_name": "Other"})).await);
        let boss = contact(&ada, json!({"given_name": "Boss", "how_met": {"introduced_by_id": other.id()}})).await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        for (who, title) in [(&keep, "CTO"), (&other, "CTO"), (&other, "Lecturer"), (&other, "cto")] {
            ada.post("/v1/positions", &json!({"contact_id": who.id(), "organization_id": acme.id(), "title": title,
                "primary": title == "CTO"})).await.expect(201);
        }
        for (from, to, kind) in [(&boss, &keep, "manager"), (&boss, &other, "manager"), (&keep, &other, "colleague"),
            (&other, &boss, "friend")] {
            ada.post("/v1/relationships", &json!({"contact_id": from.id(), "related_contact_id": to.id(), "type": kind})).await.expect(201);
        }
        ada.post("/v1/needs", &json!({"contact_id": other.id(), "topic": "rust"})).await.expect(201);
        let (before, start) = (everything(&ada).await, place(&ada).await);

        let merged = merge(&ada, "contacts", &keep, &[&other]).await.expect(200);

        let titles: Vec<_> = ada.get(&format!("{}/positions", keep.location())).await.expect(200).items().iter()
            .map(|position| position["title"].clone()).collect();
        assert_eq!(titles, ["Lecturer", "CTO"], "one CTO is enough");
        let ties: Vec<_> = ada.get(&format!("{}/relationships", keep.location())).await.expect(200).items().iter()
            .map(|tie| tie["type"].clone()).collect();
        assert_eq!(ties, ["friend", "manager"], "nobody is their own colleague");
        assert_eq!(ada.get(&format!("{}/needs", keep.location())).await.expect(200).items().len(), 1);
        assert_eq!(ada.get(&boss.location()).await.expect(200).body["how_met"]["introduced_by_id"], keep.body["id"]);
        let write = &merged.body["write"];
        let log = ada.get(&format!("/v1/changes?limit=1000&since={start}")).await.expect(200);
        let of_write: Vec<_> = log.items().iter().filter(|change| change["write"] == *write).collect();
        assert!(of_write.iter().any(|change| change["id"] == other.id() && change["merged_into"] == keep.id()), "{log}");

        let reverted = ada.post_nothing(&format!("/v1/changes/{write}/revert")).await.expect(200);
        assert_eq!(reverted.body["left_alone"], json!([]));
        assert_eq!(everything(&ada).await, before, "all is as it was");
        assert_eq!(ada.get(&other.location()).await.expect(200).body["id"], other.body["id"]);
        assert_eq!(ada.get("/v1/contacts?q=lecturer").await.expect(200).items()[0]["id"], other.body["id"]);
        let again = ada.get("/v1/changes?limit=1000").await.expect(200);
        let newest = again.items().last().unwrap()["write"].clone();
        ada.post_nothing(&format!("/v1/changes/{newest}/revert")).await.expect(200);
        assert_eq!(ada.get(&format!("{}/positions", keep.location())).await.expect(200).items().len(), 2, "merged again");
    }

    async fn who_may_merge_may_take_it_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (keep, other) = (contact(&ada, json!({"given_name": "Keep"})).await, contact(&ada, json!({"given_name": "Other"})).await);
        ada.post("/v1/needs", &json!({"contact_id": other.id(), "topic": "rust"})).await.expect(201);
        let made = ada.post("/v1/tokens", &json!({"name": "t", "scopes": ["contacts:read", "contacts:write"]})).await.expect(201);
        let narrow = ada.with_token(made.body["token"].as_str().unwrap());
        let merged = merge(&narrow, "contacts", &keep, &[&other]).await.expect(200);
        narrow.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(ada.get(&format!("{}/needs", other.location())).await.expect(200).items().len(), 1);
    }

    async fn a_dismissed_pair_stays_dismissed_for_the_survivor(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let twin = json!({"given_name": "Maria", "family_name": "Garcia"});
        let [a, b, c] = [contact(&ada, twin.clone()).await, contact(&ada, twin.clone()).await, contact(&ada, twin).await];
        for (one, other) in [(&a, &c), (&b, &c), (&a, &b)] {
            ada.post("/v1/duplicate-dismissals", &json!({"contact_id": one.id(), "other_contact_id": other.id()})).await.expect(201);
        }
        let merged = merge(&ada, "contacts", &b, &[&a]).await.expect(200);
        let left = ada.walk("/v1/duplicate-dismissals").await;
        assert_eq!(left.len(), 1, "no double, and nobody is dismissed from themselves");
        assert_eq!(ada.get("/v1/contacts/duplicates").await.expect(200).items().len(), 0);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(ada.walk("/v1/duplicate-dismissals").await.len(), 3);
    }

    async fn a_merge_that_makes_no_sense_is_refused_and_changes_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (a, b) = (contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B"})).await);
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].clone();
        let before = ada.get("/v1/changes?limit=1000").await.expect(200).items().len();
        let ask = |body: Value| ada.post("/v1/contacts/merge", &body);
        for (body, errors) in [
            (json!({"keep_id": a.id(), "merge_ids": [a.id()]}), vec!["#/merge_ids/0 contradiction"]),
            (json!({"keep_id": a.id(), "merge_ids": [b.id(), b.id()]}), vec!["#/merge_ids/1 contradiction"]),
            (json!({"keep_id": a.id(), "merge_ids": []}), vec!["#/merge_ids too_short"]),
            (json!({"keep_id": "x", "merge_ids": [b.id()], "more": 1}), vec!["#/keep_id invalid_format", "#/more unknown_field"]),
            (json!({"keep_id": crate::operations::NOBODYS_ID, "merge_ids": [b.id(), crate::operations::NOBODYS_ID.replace("dead", "beef")]}),
                vec!["#/keep_id unknown_reference", "#/merge_ids/1 unknown_reference"]),
            (json!({"keep_id": a.id(), "merge_ids": [b.id()], "fields": {"emails": {"w": {"value": "nonsense"}}, "name": "x"}}),
                vec!["#/fields/name read_only"]),
            (json!({"keep_id": a.id(), "merge_ids": [b.id()], "fields": {"emails": {"w": {"value": "nonsense"}}}}),
                vec!["#/fields/emails/w/value invalid_format"]),
        ] {
            let reply = ask(body.clone()).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), errors, "{body}");
        }
        ask(json!({"keep_id": a.id(), "merge_ids": [me]})).await.problem(409, "self_contact");
        assert_eq!(ada.get("/v1/changes?limit=1000").await.expect(200).items().len(), before);
        let mine = ask(json!({"keep_id": me, "merge_ids": [a.id()]})).await.expect(200);
        assert_eq!(mine.body["contact"]["is_self"], true, "somebody else may turn out to be me");
    }

    async fn a_merge_that_is_done_again_keeps_the_old_ids(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (keep, other) = (contact(&ada, json!({"given_name": "Keep"})).await, contact(&ada, json!({"given_name": "Other"})).await);
        let merged = merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        let undone = ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        ada.post_nothing(&format!("/v1/changes/{}/revert", undone.body["write"])).await.expect(200);
        assert_eq!(ada.get(&other.location()).await.expect(200).body["id"], keep.body["id"]);
    }

    async fn who_is_forgotten_is_forgotten_with_all_that_was_merged_into_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = contact(&ada, json!({"given_name": "Keep"})).await;
        let other = contact(&ada, json!({"given_name": "Other", "notes": "secretword"})).await;
        for who in [&keep, &other] {
            ada.post("/v1/needs", &json!({"contact_id": who.id(), "topic": "hiddentopic"})).await.expect(201);
        }
        merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        ada.delete(&format!("{}?purge=true", keep.location())).await.expect(204);
        let history = ada.get(&format!("{}/history", other.location())).await.expect(200);
        assert!(!history.text.contains("secretword"), "{history}");
        let problem = ada.post_nothing(&format!("{}/restore", other.location())).await.problem(409, "restore_blocked");
        let left_alone = problem["left_alone"].as_array().unwrap();
        let own = left_alone.iter().find(|one| one["id"] == other.id()).unwrap();
        assert_eq!(own["reason"], "no_longer_kept");
        for word in ["secretword", "hiddentopic"] {
            let kept = server.database.number(&format!("SELECT COUNT(*) FROM changes WHERE CAST(before AS TEXT) LIKE '%{word}%'"));
            assert_eq!(kept, 0, "{word}");
        }
    }

    async fn the_same_job_at_two_organizations_that_are_one_is_one_job(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let wile = contact(&ada, json!({"given_name": "Wile"})).await;
        let mut organizations = Vec::new();
        for name in ["Acme", "ACME Corp."] {
            let made = ada.post("/v1/organizations", &json!({"name": name})).await.expect(201);
            ada.post("/v1/positions", &json!({"contact_id": wile.id(), "organization_name": name, "title": "CTO", "started_on": "2020"})).await.expect(201);
            organizations.push(made);
        }
        let merged = merge(&ada, "organizations", &organizations[0], &[&organizations[1]]).await.expect(200);
        assert_eq!(ada.get(&format!("{}/positions", wile.location())).await.expect(200).items().len(), 1);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(ada.get(&format!("{}/positions", wile.location())).await.expect(200).items().len(), 2);
    }

    async fn positions_that_state_the_same_thing_become_one_with_all_that_either_says(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let organization = async |name: &str| ada.post("/v1/organizations", &json!({"name": name})).await.expect(201);
        let (keep, other) = (contact(&ada, json!({"given_name": "Rudi"})).await, contact(&ada, json!({"given_name": "Rudi"})).await);
        for (who, position) in [
            (&keep, json!({"organization_name": "Acme", "title": "CTO"})),
            (&keep, json!({"organization_name": "Chess Club", "title": "Board", "kind": "board"})),
            (&keep, json!({"organization_name": "Bolt", "title": "CEO", "started_on": "2010"})),
        ] {
            ada.post(&format!("{}/positions", who.location()), &position).await.expect(201);
        }
        let acme = organization("Acme").await;
        for position in [
            json!({"organization_id": acme.id(), "title": "cto", "primary": true, "source": "business card", "started_on": "2020"}),
            json!({"organization_name": "Bolt", "title": "CEO", "started_on": "2015"}),
        ] {
            ada.post(&format!("{}/positions", other.location()), &position).await.expect(201);
        }
        let before = everything(&ada).await;
        let merged = merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        let positions = ada.get(&format!("{}/positions", keep.location())).await.expect(200);
        let mut told: Vec<String> = positions.items().iter().map(|own| format!("{} {} {} {} {}", own["title"], own["organization_id"] == acme.id(),
            own["primary"], own["source"], own["started_on"])).collect();
        told.sort();
        assert_eq!(told, [
            "\"Board\" false false null null",
            "\"CEO\" false false null \"2010\"",
            "\"CEO\" false false null \"2015\"",
            "\"CTO\" true true \"business card\" \"2020\"",
        ]);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(everything(&ada).await, before);

        // Of two primary ones, that of the record that is kept stays so.
        let board = positions.items().iter().find(|own| own["title"] == "Board").unwrap();
        ada.patch(&format!("/v1/positions/{}", board["id"].as_str().unwrap()), &json!({"primary": true})).await.expect(200);
        merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        let positions = ada.get(&format!("{}/positions?primary=true", keep.location())).await.expect(200);
        let titles: Vec<_> = positions.items().iter().map(|own| own["title"].clone()).collect();
        assert_eq!(titles, ["Board"]);
    }

    async fn the_primary_position_stays_so_when_its_organization_is_merged(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let organization = async |name: &str| ada.post("/v1/organizations", &json!({"name": name})).await.expect(201);
        let (bolt, labs) = (organization("Bolt").await, organization("Bolt Labs").await);
        let zoe = contact(&ada, json!({"given_name": "Zoe"})).await;
        for (at, is_primary) in [(&bolt, false), (&labs, true)] {
            ada.post(&format!("{}/positions", zoe.location()), &json!({"organization_id": at.id(), "title": "CEO", "primary": is_primary})).await.expect(201);
        }
        let before = everything(&ada).await;
        let merged = merge(&ada, "organizations", &bolt, &[&labs]).await.expect(200);
        let left = ada.get(&format!("{}/positions", zoe.location())).await.expect(200);
        let told: Vec<_> = left.items().iter().map(|own| (own["organization_id"].clone(), own["primary"].clone())).collect();
        assert_eq!(told, [(bolt.body["id"].clone(), json!(true))]);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(everything(&ada).await, before);
    }

    async fn what_only_the_others_say_is_found_and_taking_it_back_gives_back_all(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = contact(&ada, json!({"given_name": "Anna", "family_name": "Nowak", "notes": "not married",
            "emails": {"a": {"value": "anna@x.example"}}, "external_ids": {"monica": {"id": "17"}}})).await;
        let other = contact(&ada, json!({"given_name": "Anna", "family_name": "Kowalska", "prefix": "Dr.", "notes": "married",
            "emails": {"a": {"value": "ANNA@x.example", "label": "private", "preferred": true}},
            "phones": {"a": {"value": "+49 30 901820 / +49 171 1234567"}},
            "links": {"x": {"url": "https://twitter.com/#!/anna"}}, "external_ids": {"hubspot": {"id": "17"}}})).await;
        let nameless = contact(&ada, json!({"display_name": "Annie of the Chess Club", "links": {"x": {"url": "https://twitter.com/#!/annie"}}})).await;
        let before = everything(&ada).await;
        let merged = merge(&ada, "contacts", &keep, &[&other, &nameless]).await.expect(200);
        let one = &merged.body["contact"];
        assert_eq!((&one["emails"]["a"]["label"], &one["emails"]["a"]["preferred"]), (&json!("private"), &json!(true)));
        assert_eq!(one["aliases"], json!(["Dr. Anna Kowalska", "Annie of the Chess Club"]));
        assert_eq!(one["notes"], "not married\n\nmarried");
        assert_eq!(one["external_ids"].as_object().unwrap().len(), 2);
        assert_eq!(one["links"].as_object().unwrap().len(), 2);
        for word in ["Kowalska", "Annie", "anna@x.example", "301820"] {
            let count = ada.get("/v1/contacts").query(&[("q", word)]).await.expect(200).items().len();
            assert_eq!(count, usize::from(word != "301820"), "{word}");
        }
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(everything(&ada).await, before);
    }

    async fn a_merge_whose_texts_would_be_too_long_is_refused_unless_they_are_chosen(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let long = |letter: &str| json!({"given_name": letter, "notes": letter.repeat(60_000)});
        let (keep, other) = (contact(&ada, long("a")).await, contact(&ada, long("b")).await);
        let goal = ada.post("/v1/goals", &json!({"title": "Goal"})).await.expect(201);
        let reply = merge(&ada, "contacts", &keep, &[&other]).await;
        assert_eq!(reply.errors(), ["#/fields/notes too_long"], "{reply}");
        for (who, letter) in [(&keep, "a"), (&other, "b")] {
            let target = json!({"contact_id": who.id(), "why": letter.repeat(3_000)});
            ada.post(&format!("{}/targets", goal.location()), &target).await.expect(201);
        }
        let chosen = json!({"keep_id": keep.id(), "merge_ids": [other.id()], "fields": {"notes": "short"}});
        let reply = ada.post("/v1/contacts/merge", &chosen).await;
        assert_eq!(reply.errors(), ["#/merge_ids too_long"], "{reply}");
        ada.get(&other.location()).await.expect(200);
        let own = ada.get(&format!("{}/targets", goal.location())).await.expect(200).items()[0]["id"].as_str().unwrap().to_owned();
        ada.patch(&format!("/v1/targets/{own}"), &json!({"why": "short"})).await.expect(200);
        let merged = ada.post("/v1/contacts/merge", &chosen).await.expect(200);
        assert_eq!(merged.body["contact"]["notes"], "short");
    }

    async fn restoring_one_that_was_merged_takes_the_merge_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let keep = contact(&ada, json!({"given_name": "Keep"})).await;
        let other = contact(&ada, json!({"given_name": "Other", "favorite": true, "emails": {"w": {"value": "o@example.com"}}})).await;
        let before = everything(&ada).await;
        merge(&ada, "contacts", &keep, &[&other]).await.expect(200);
        let old = ada.get(&other.location()).await.expect(200);
        assert_eq!(old.header("Content-Location"), Some(keep.location().as_str()));
        ada.post_nothing(&format!("{}/restore", other.location())).await.expect(200);
        assert_eq!(everything(&ada).await, before);
    }

    async fn what_is_the_servers_is_refused_in_a_merge_as_in_a_patch(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (a, b) = (contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B"})).await);
        let body = json!({"keep_id": a.id(), "merge_ids": [b.id()], "fields": {"id": a.id(), "version": 1, "nmae": 1}});
        let reply = ada.post("/v1/contacts/merge", &body).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/fields/id read_only", "#/fields/nmae unknown_field", "#/fields/version read_only"]);
        let body = json!({"keep_id": a.id(), "merge_ids": [b.id()], "fields": null});
        ada.post("/v1/contacts/merge", &body).await.expect(200);
    }

    async fn a_rehearsed_merge_tells_what_would_come_of_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (a, b) = (contact(&ada, json!({"given_name": "A"})).await, contact(&ada, json!({"given_name": "B", "headline": "CTO"})).await);
        let before = everything(&ada).await;
        let body = json!({"keep_id": a.id(), "merge_ids": [b.id()], "fields": {"nickname": "Al", "add_tags": ["x"]}});
        let told = ada.post("/v1/contacts/merge?dry_run=true", &body).await.expect(200);
        assert_eq!((&told.body["contact"]["headline"], &told.body["contact"]["nickname"]), (&json!("CTO"), &json!("Al")));
        assert_eq!((&told.body["write"], &told.body["dry_run"]), (&Value::Null, &json!(true)));
        assert_eq!(everything(&ada).await, before);
        assert_eq!(ada.get("/v1/contacts?q=b").await.expect(200).items().len(), 1, "and is found as before");
        let done = ada.post("/v1/contacts/merge", &body).idempotency_key("m-1").await.expect(200);
        let replayed = ada.post("/v1/contacts/merge", &body).idempotency_key("m-1").await.expect(200);
        assert_eq!(done.body, replayed.body);
    }

    async fn merged_organizations_keep_their_names_and_their_people(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let organization = async |body: Value| ada.post("/v1/organizations", &body).await.expect(201);
        let keep = organization(json!({"name": "Acme", "domain": "acme.example"})).await;
        let other = organization(json!({"name": "ACME Corp.", "domain": "acme-corp.example", "industry": "Anvils", "parent_id": keep.id()})).await;
        let child = organization(json!({"name": "Acme Labs", "parent_id": other.id()})).await;
        let wile = contact(&ada, json!({"given_name": "Wile"})).await;
        let position = ada.post("/v1/positions", &json!({"contact_id": wile.id(), "organization_id": other.id(), "title": "Tester"})).await.expect(201);
        let before = everything(&ada).await;
        let merged = merge(&ada, "organizations", &keep, &[&other]).await.expect(200);
        let one = &merged.body["organization"];
        assert_eq!((&one["aliases"], &one["domain"], &one["industry"], &one["parent_id"]),
            (&json!(["ACME Corp."]), &json!("acme.example"), &json!("Anvils"), &Value::Null));
        assert_eq!(ada.get(&child.location()).await.expect(200).body["parent_id"], keep.body["id"]);
        assert_eq!(ada.get(&position.location()).await.expect(200).body["organization_id"], keep.body["id"]);
        assert_eq!(ada.get(&format!("/v1/contacts?organization_id={}", keep.id())).await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/organizations?name=acme%20corp.").await.expect(200).items()[0]["id"], keep.body["id"]);
        assert_eq!(ada.get(&other.location()).await.expect(200).body["id"], keep.body["id"]);
        ada.post_nothing(&format!("/v1/changes/{}/revert", merged.body["write"])).await.expect(200);
        assert_eq!(everything(&ada).await, before);
    }

    async fn organizations_that_would_belong_to_themselves_are_not_merged(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let top = ada.post("/v1/organizations", &json!({"name": "Top"})).await.expect(201);
        let middle = ada.post("/v1/organizations", &json!({"name": "Middle", "parent_id": top.id()})).await.expect(201);
        let bottom = ada.post("/v1/organizations", &json!({"name": "Bottom", "parent_id": middle.id()})).await.expect(201);
        let reply = merge(&ada, "organizations", &top, &[&bottom]).await;
        assert_eq!(reply.errors(), ["#/fields/parent_id contradiction"], "{reply}");
        ada.post("/v1/organizations/merge", &json!({"keep_id": top.id(), "merge_ids": [bottom.id()],
            "fields": {"parent_id": null}})).await.expect(200);
    }

    async fn a_contact_takes_over_no_more_than_it_may_have(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (keep, other) = (contact(&ada, json!({"given_name": "Keep"})).await, contact(&ada, json!({"given_name": "Other"})).await);
        for who in [&keep, &other] {
            ada.post("/v1/needs", &json!({"contact_id": who.id(), "topic": who.body["name"]})).await.expect(201);
        }
        let more = match server.database.backend {
            Backend::Sqlite => "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
                INSERT INTO needs SELECT workspace_id, randomblob(16), version, created_at, updated_at, contact_id, kind, topic || i, detail, status FROM needs, n",
            Backend::Postgres => "INSERT INTO needs SELECT workspace_id, gen_random_uuid(), version, created_at, updated_at, contact_id, kind,
                topic || i, detail, status FROM needs, generate_series(1, 600) AS i",
        };
        server.database.execute(more);
        let reply = merge(&ada, "contacts", &keep, &[&other]).await;
        assert_eq!(reply.errors(), ["#/merge_ids too_long"], "{reply}");
        ada.get(&other.location()).await.expect(200);
    }
}
