//! Search: what people type finds whom they mean, on both databases alike, and never anybody else's.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

/// The names found, in the order they are given.
async fn found(client: &Client, q: &str) -> Vec<String> {
    let page = client.get("/v1/contacts").query(&[("q", q)]).await.expect(200);
    page.items().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn people_are_found_by_all_that_one_remembers_of_them(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        make(&ada, json!({"given_name": "Dorota", "phones": {"m": {"value": "+48 512 345 678", "label": "evenings"}},
            "how_met": {"story": "Sat next to each other at the keynote"},
            "addresses": {"h": {"street": "Marszałkowska 5", "postal_code": "00-624"}},
            "links": {"l": {"url": "https://www.linkedin.com/in/dorota-kz"}, "s": {"url": "https://ogrodnik.example/o-mnie"}},
            "external_ids": {"hubspot": {"id": "hs4711"}}, "emails": {"a": {"value": "d@x.example", "label": "assistant Bernd"}}})).await;
        make(&ada, json!({"given_name": "Jörg", "family_name": "Müller", "phones": {"m": {"value": "0171 9876543", "country": "DE"}}})).await;
        make(&ada, json!({"given_name": "Joerg-Hans", "family_name": "Schroeder"})).await;
        make(&ada, json!({"given_name": "橋子", "family_name": "髙島", "phonetic_family_name": "タカシマ"})).await;
        for (q, expected) in [
            ("+48 512 345 678", "Dorota"), ("512345678", "Dorota"), ("512 345", "Dorota"), ("345678", "Dorota"), ("5678 dorota", "Dorota"),
            ("0512 345", "Dorota"), ("evenings", "Dorota"), ("keynote", "Dorota"), ("marszalkowska", "Dorota"), ("00-624", "Dorota"),
            ("dorota-kz", "Dorota"), ("ogrodnik", "Dorota"), ("hs4711", "Dorota"), ("bernd", "Dorota"), ("512 999", ""),
            ("mueller", "Jörg Müller"), ("joerg mueller", "Jörg Müller"), ("01719876543", "Jörg Müller"), ("+49 171 98", "Jörg Müller"),
            ("schröder", "Joerg-Hans Schroeder"), ("joerghans", "Joerg-Hans Schroeder"), ("Jörg-Hans", "Joerg-Hans Schroeder"),
            ("高島", "髙島橋子"), ("たかしま", "髙島橋子"),
        ] {
            let expected: Vec<&str> = if expected.is_empty() { vec![] } else { vec![expected] };
            assert_eq!(found(&ada, q).await, expected, "{q}");
        }
    }

    async fn people_are_found_as_they_are_typed(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"given_name": "Dorota", "family_name": "Kozłowicz", "nickname": "Dorka", "aliases": ["Nowak"]}),
            json!({"given_name": "充", "family_name": "太田", "phonetic_family_name": "オオタ"}),
            json!({"given_name": "Jürgen", "family_name": "Weiß"}),
            json!({"given_name": "Øystein", "family_name": "Ångström"}),
            json!({"given_name": "Pat", "family_name": "O'Brien", "headline": "Party 🎉 planner at Ex-Machina"}),
            json!({"given_name": "Minh", "notes": "met at the kraków meetup; likes\nC++ and 東京タワー"}),
            json!({"given_name": "Zed", "tags": ["rustconf"], "skills": ["haskell"], "location": "Zürich",
                "about": "I sail.", "emails": {"w": {"value": "zed.shaw@corp.example"}},
                "addresses": {"a": {"city": "Łódź"}}}),
        ] {
            make(&ada, body).await;
        }
        for (q, expected) in [
            ("kozlow", "Dorota Kozłowicz"),
            ("KOZŁOWICZ", "Dorota Kozłowicz"),
            ("dorota koz", "Dorota Kozłowicz"),
            ("koz dorota", ""),
            ("kozlowicz dor", "Dorota Kozłowicz"),
            ("dorka", "Dorota Kozłowicz"),
            ("nowak", "Dorota Kozłowicz"),
            ("ozlow", ""),
            ("太田", "太田充"),
            ("太", "太田充"),
            ("田", "太田充"),
            ("太田充", "太田充"),
            ("太田 充", "太田充"),
            ("オオ", "太田充"),
            ("田太", ""),
            ("weiss", "Jürgen Weiß"),
            ("weiß", "Jürgen Weiß"),
            ("jurgen", "Jürgen Weiß"),
            ("oystein", "Øystein Ångström"),
            ("Øyst", "Øystein Ångström"),
            ("angstrom", "Øystein Ångström"),
            ("A\u{30a}ngstro\u{308}m", "Øystein Ångström"),
            ("obrien", "Pat O'Brien"),
            ("o’brien", "Pat O'Brien"),
            ("🎉", "Pat O'Brien"),
            ("machina", "Pat O'Brien"),
            ("krakow", "Minh"),
            ("東京", "Minh"),
            ("rustc", "Zed"),
            ("hask", "Zed"),
            ("zurich", "Zed"),
            ("sail", "Zed"),
            ("shaw", "Zed"),
            ("lodz", "Zed"),
        ] {
            assert_eq!(found(&ada, q).await.join(", "), expected, "{q}");
        }
    }

    async fn operators_are_text_and_never_an_error(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        make(&ada, json!({"given_name": "Grace", "family_name": "Hopper"})).await;
        make(&ada, json!({"given_name": "And", "family_name": "Near"})).await;
        for q in [
            "\"", "*", "'", "(", ")", "\"\"", "a\"b", "^", "-", "+", ":", "::", ":*", "&", "|", "!", "<->", "\\", "\\'",
            "NOT", "AND", "OR", "NEAR(", "NEAR(a b, 2)", "a:b", "tokens:grace", "a AND", "AND b", "grace OR", "{", "}",
            "%", "_", ";--", "' OR 1=1 --", "$1", "?", "\u{feff}", "\u{202e}", "\t", "  ", "\u{fffd}", "grace\nhopper",
        ] {
            let reply = ada.get("/v1/contacts").query(&[("q", q)]).await;
            assert_eq!(reply.status, 200, "{q:?}: {reply}");
            let reply = ada.get("/v1/contacts?sort=id").query(&[("q", q)]).await;
            assert_eq!(reply.status, 200, "{q:?}: {reply}");
        }
        for (q, expected) in [
            ("\"grace\" hop*", "Grace Hopper"),
            ("grace - (hopper)", "Grace Hopper"),
            ("grace:hopper", "Grace Hopper"),
            ("grace OR hopper", ""),
            ("AND", "And Near"),
            ("near", "And Near"),
            ("near AND", "And Near"),
            ("*", ""),
            ("\"", ""),
        ] {
            assert_eq!(found(&ada, q).await.join(", "), expected, "{q}");
        }
    }

    async fn relevance_puts_the_name_typed_first_then_those_beginning_with_it(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"given_name": "Zoe", "headline": "Anna's friend"}),
            json!({"given_name": "Maria", "family_name": "Anna"}),
            json!({"given_name": "Anna", "family_name": "Zimmer"}),
            json!({"given_name": "Änna", "family_name": "Ärger"}),
            json!({"given_name": "Anna"}),
            json!({"given_name": "Annabel", "family_name": "Lee"}),
            json!({"given_name": "anna", "family_name": "de Vries"}),
            json!({"given_name": "Øle", "notes": "knows anna"}),
            json!({"given_name": "Beta", "tags": ["anna"]}),
        ] {
            make(&ada, body).await;
        }
        assert_eq!(found(&ada, "anna").await, [
            "Anna", "Änna Ärger", "anna de Vries", "Anna Zimmer", "Annabel Lee", "Beta", "Maria Anna", "Øle", "Zoe",
        ]);
        let page = ada.get("/v1/contacts?q=anna&sort=-sort_name&limit=3").await.expect(200);
        let sorted: Vec<_> = page.items().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(sorted, ["Zoe", "Anna Zimmer", "Øle"], "an order that was asked for wins");
    }

    async fn a_search_is_paged_and_filtered_with_each_found_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut posts = (0..210).map(|n| {
            let known = n >= 10;
            // Many of one name, so that ties are settled by the id on a page's edge.
            let name = format!("Hit {}", n % 12);
            let body = json!({"given_name": name, "known": known, "favorite": n % 2 == 0});
            make(&ada, body)
        });
        // More writers of one workspace than can wait would be refused.
        futures_util::future::join_all(posts.by_ref().take(105)).await;
        futures_util::future::join_all(posts).await;
        make(&ada, json!({"given_name": "Miss"})).await;

        for (query, expected) in [
            ("q=hit&limit=7", 200),
            ("q=hit&limit=7&sort=id", 200),
            ("q=hit&limit=7&known=any", 210),
            ("q=hit&limit=7&favorite=true", 100),
            ("q=hit&limit=3&known=false", 10),
            ("q=hit%201&limit=7", 17 + 17 + 17),
        ] {
            let all = ada.walk(&format!("/v1/contacts?{query}")).await;
            let mut ids: Vec<&str> = all.iter().map(|item| item["id"].as_str().unwrap()).collect();
            let walked = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((walked, ids.len()), (expected, expected), "{query}");
        }
        let page = ada.get("/v1/contacts?q=hit&limit=7").await.expect(200);
        assert_eq!(page.items().len(), 7);
        let cursor = page.body["next_cursor"].as_str().unwrap();
        ada.get(&format!("/v1/contacts?q=hits&limit=7&cursor={cursor}")).await.problem(400, "invalid_cursor");
    }

    async fn what_is_found_follows_every_write_and_stays_in_the_workspace(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let made = make(&ada, json!({"given_name": "Grace", "notes": "secretword"})).await;
        make(&bob, json!({"given_name": "Grace", "family_name": "Other"})).await;
        assert_eq!(found(&ada, "grace").await, ["Grace"]);
        assert_eq!(found(&bob, "grace").await, ["Grace Other"]);
        assert_eq!(found(&bob, "secretword").await, [""; 0]);

        ada.patch(&made.location(), &json!({"given_name": "Amazing"})).await.expect(200);
        assert_eq!(found(&ada, "amaz").await, ["Amazing"]);
        assert_eq!(found(&ada, "grace").await, [""; 0]);
        assert_eq!(found(&ada, "secretword").await, ["Amazing"]);

        ada.delete(&made.location()).await.expect(204);
        assert_eq!(found(&ada, "amaz").await, [""; 0]);
        assert_eq!(found(&ada, "secretword").await, [""; 0]);
    }

    async fn a_word_is_never_taken_for_another_workspaces_number(server: TestServer) {
        let mut clients = Vec::new();
        for n in 0..12 {
            let client = server.register(&format!("user{n}@example.com")).await;
            make(&client, json!({"given_name": format!("Name{n}"), "notes": "shared word 1 2 11"})).await;
            clients.push(client);
        }
        for (n, client) in clients.iter().enumerate() {
            for q in ["shared", "s", "1", "11", "1:shared", "shared wor"] {
                assert_eq!(found(client, q).await, [format!("Name{n}")], "{q}");
            }
        }
    }

    async fn as_somebody_types_all_kinds_of_record_are_told_in_one_order(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let poni = ada.post("/v1/organizations", &json!({"name": "Dorota & Sons", "aliases": ["Poniedziałek"]})).await.expect(201);
        let dorota = make(&ada, json!({"given_name": "Dorota", "family_name": "Kozłowicz", "tags": ["dorota fans"]})).await;
        let friend = make(&ada, json!({"given_name": "Łucja", "notes": "friend of Dorota", "known": false})).await;
        make(&ada, json!({"given_name": "Dorothea", "archived_at": "2026-01-01T00:00:00Z"})).await;
        ada.post("/v1/needs", &json!({"contact_id": friend.id(), "topic": "dorota"})).await.expect(201);
        ada.post("/v1/positions", &json!({"contact_id": friend.id(), "organization_id": poni.id(), "title": "Steuerfachangestellte"})).await.expect(201);
        let told = async |query: &[(&str, &str)]| -> Vec<String> {
            let reply = ada.get("/v1/search").query(query).await.expect(200);
            let each = reply.items().iter().map(|hit| format!("{} {}", hit["entity"].as_str().unwrap(), hit["title"].as_str().unwrap()));
            each.collect()
        };
        assert_eq!(told(&[("q", "Dorota")]).await, [
            "need dorota", "organization Dorota & Sons", "tag dorota fans", "contact Dorota Kozłowicz", "contact Łucja",
        ], "what is called so, what begins so, the rest");
        for typed in ["d", "do", "dor", "doro"] {
            assert_eq!(told(&[("q", typed), ("types", "contact")]).await.len(), 3, "{typed}");
        }
        assert_eq!(told(&[("q", "dorot"), ("types", "organization"), ("types", "tag")]).await, ["organization Dorota & Sons", "tag dorota fans"]);
        assert_eq!(told(&[("q", "dorota"), ("limit", "2")]).await, ["need dorota", "organization Dorota & Sons"]);
        for (typed, found) in [("steuerf", vec!["contact Łucja"]), ("lucja poniedz", vec!["contact Łucja"]),
            ("\"dorota\" AND -x", vec![]), ("dorota*", vec!["need dorota", "organization Dorota & Sons", "tag dorota fans", "contact Dorota Kozłowicz", "contact Łucja"]),
            ("🦀", vec![]), ("NEAR(", vec![]), ("  ", vec![])] {
            assert_eq!(told(&[("q", typed)]).await, found, "{typed}");
        }
        let reply = ada.get("/v1/search?q=kozlow").await.expect(200);
        let hit = &reply.items()[0];
        assert_eq!((&hit["id"], &hit["record"]["contact"]["tags"]), (&dorota.body["id"], &json!(["dorota fans"])));
        let again = ada.get("/v1/search?q=kozlow").if_none_match(&reply.etag()).await;
        assert_eq!(again.status, 304);
        for bad in ["", "?q=", "?q=x&types=position", "?q=x&types=people", "?q=x&limit=51", "?q=x&limit=0", "?q=a&q=b"] {
            ada.get(&format!("/v1/search{bad}")).await.problem(400, "invalid_parameter");
        }
        ada.get("/v1/search?query=x").await.problem(400, "unknown_parameter");
    }

    async fn people_are_found_by_where_they_work_whatever_it_is_called_by_now(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let wile = make(&ada, json!({"given_name": "Wile"})).await;
        let road = make(&ada, json!({"given_name": "Road"})).await;
        let position = ada.post("/v1/positions", &json!({"contact_id": wile.id(), "organization_id": acme.id(), "title": "Tester"})).await.expect(201);
        assert_eq!(found(&ada, "acme").await, ["Wile"]);
        ada.patch(&wile.location(), &json!({"headline": "Genius"})).await.expect(200);
        assert_eq!(found(&ada, "genius acme tester").await, ["Wile"], "an edit of the contact forgets nothing");
        let renamed = ada.patch(&acme.location(), &json!({"name": "Zenith", "aliases": ["Nadir"]})).await.expect(200);
        assert_eq!((found(&ada, "zenith").await, found(&ada, "nadir").await, found(&ada, "acme").await), (vec!["Wile".to_owned()], vec!["Wile".to_owned()], vec![]));
        ada.patch(&position.location(), &json!({"contact_id": road.id(), "title": "Runner"})).await.expect(200);
        assert_eq!((found(&ada, "zenith").await, found(&ada, "tester").await), (vec!["Road".to_owned()], vec![]));
        ada.post_nothing(&format!("/v1/changes/{}/revert", renamed.body["version"])).await.expect(200);
        assert_eq!((found(&ada, "acme runner").await, found(&ada, "zenith").await), (vec!["Road".to_owned()], vec![]));
        ada.delete(&acme.location()).await.expect(204);
        assert_eq!(found(&ada, "acme").await, ["Road"], "the position keeps the name");
        ada.delete(&position.location()).await.expect(204);
        assert_eq!(found(&ada, "acme").await, [""; 0]);
    }

    async fn what_is_derived_from_records_is_made_anew_after_an_update(server: TestServer) {
        let mut server = server;
        let ada = server.register("ada@example.com").await;
        let acme = ada.post("/v1/organizations", &json!({"name": "Acme"})).await.expect(201);
        let made = ada.post("/v1/contacts", &json!({"given_name": "Wile", "tags": ["x"], "emails": {"w": {"value": "w@example.com"}}})).await.expect(201);
        ada.post(&format!("{}/positions", made.location()), &json!({"organization_id": acme.id()})).await.expect(201);
        server.database.execute("DELETE FROM tags; DELETE FROM record_keys; DELETE FROM search_documents; UPDATE instance SET derived_revision = 0");
        server.restart().await;
        let ada = server.login("ada@example.com").await;
        for path in ["/v1/contacts?tag=X", "/v1/contacts?q=acme", "/v1/contacts/lookup?email=w@example.com", "/v1/tags", "/v1/search?q=x&types=tag"] {
            assert_eq!(ada.get(path).await.expect(200).items().len(), 1, "{path}");
        }
        assert_eq!(ada.get(&made.location()).await.expect(200).body, made.body, "the record itself is as it was");
        assert_eq!(server.database.number("SELECT MIN(derived_revision) FROM instance"), 4);
    }

    async fn a_token_finds_what_its_scopes_name(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        ada.post("/v1/needs", &json!({"contact_id": grace.id(), "topic": "grace"})).await.expect(201);
        let made = ada.post("/v1/tokens", &json!({"name": "t", "scopes": ["contacts:read"]})).await.expect(201);
        let narrow = ada.with_token(made.body["token"].as_str().unwrap());
        let kinds: Vec<Value> = narrow.get("/v1/search?q=grace").await.expect(200).items().iter().map(|hit| hit["entity"].clone()).collect();
        assert_eq!(kinds, ["contact"]);
        narrow.get("/v1/search?q=grace&types=need").await.problem(403, "insufficient_scope");
    }
}
