//! Lists of contacts: what they show by default, what each filter and sort means, and that walking their pages shows
//! everything once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;
use wellmet::domain::contact::ContactFields;

use crate::support::{Client, Reply, TestServer, create_contacts, statements_of};

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

/// The names of a list, in its order.
async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/v1/contacts{query}")).await.expect(200);
    page.items().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// The names of a list, in the order of the alphabet, as one text.
async fn set(client: &Client, query: &str) -> String {
    let mut names = names(client, query).await;
    names.sort();
    names.join(" ")
}

fn id_of(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// Makes contacts with a name each; their ids.
async fn make_many(server: &TestServer, client: &Client, count: usize) -> Vec<String> {
    let named =
        |number| ContactFields { given_name: Some(format!("Contact {number}")), ..ContactFields::default() };
    create_contacts(server, client, (0..count).map(named).collect()).await
}

on_both! {
    async fn a_list_shows_known_living_others_newest_first_by_default(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"given_name": "First"}),
            json!({"given_name": "Unmet", "known": false}),
            json!({"given_name": "Archived", "archived_at": "2026-01-01T00:00:00Z"}),
            json!({"given_name": "Last"}),
        ] {
            make(&ada, body).await;
        }
        assert_eq!(names(&ada, "").await, ["Last", "First"]);
        assert_eq!(set(&ada, "?known=any&archived=any").await, "Archived First Last Unmet");
    }

    async fn each_filter_narrows_and_repeated_values_are_alternatives(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"given_name": "A", "tags": ["Łódź", "vip"], "tier": "inner", "favorite": true}),
            json!({"given_name": "B", "tags": ["vip"], "tier": "core"}),
            json!({"given_name": "C", "tags": ["rust"], "known": false}),
            json!({"given_name": "D", "tier": "distant", "archived_at": "2026-01-01T00:00:00Z"}),
            json!({"given_name": "E", "favorite": true, "known": false, "archived_at": "2026-01-01T00:00:00Z"}),
            json!({"given_name": "F"}),
        ] {
            make(&ada, body).await;
        }
        let any = "known=any&archived=any";
        for (query, expected) in [
            ("tag=VIP".to_owned(), "A B"),
            ("tag=lodz".to_owned(), "A"),
            ("tag=lo".to_owned(), ""),
            (format!("tag=lodz&tag=rust&{any}"), "A C"),
            ("tier=inner".to_owned(), "A"),
            ("tier=none".to_owned(), "F"),
            ("tier=inner&tier=core&tier=none".to_owned(), "A B F"),
            (format!("tier=distant&{any}"), "D"),
            ("favorite=true".to_owned(), "A"),
            ("favorite=false".to_owned(), "B F"),
            (format!("favorite=true&{any}"), "A E"),
            ("archived=true".to_owned(), "D"),
            ("archived=any".to_owned(), "A B D F"),
            ("archived=false".to_owned(), "A B F"),
            ("known=false".to_owned(), "C"),
            ("known=true".to_owned(), "A B F"),
            ("known=false&archived=true".to_owned(), "E"),
            ("known=false&archived=any&favorite=true".to_owned(), "E"),
            ("tag=vip&tier=core".to_owned(), "B"),
            ("tag=vip&tier=core&favorite=true".to_owned(), ""),
            ("q=a&tag=vip&tier=inner&favorite=true&known=true&archived=false".to_owned(), "A"),
            (format!("is_self=true&{any}"), "ada"),
        ] {
            assert_eq!(set(&ada, &format!("?{query}")).await, expected, "{query}");
        }
        let bob = server.register("bob@example.com").await;
        assert_eq!(set(&bob, &format!("?{any}&tag=vip&tag=rust")).await, "");
    }

    async fn operators_ask_for_all_or_none_of_several_values(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for body in [
            json!({"given_name": "A", "tags": ["vip", "rust"], "tier": "inner"}),
            json!({"given_name": "B", "tags": ["vip"], "tier": "core"}),
            json!({"given_name": "C", "tags": ["rust"]}),
            json!({"given_name": "D"}),
        ] {
            make(&ada, body).await;
        }
        for (query, expected) in [
            ("tag[all]=vip", "A B"),
            ("tag[all]=VIP&tag[all]=rust", "A"),
            ("tag[ne]=vip", "C D"),
            ("tag[ne]=vip&tag[ne]=rust", "D"),
            ("tag=vip&tag[ne]=rust", "B"),
            ("tier[ne]=inner", "B C D"),
            ("tier[ne]=inner&tier[ne]=none", "B"),
            ("tier=inner&tier=core&tier[ne]=core", "A"),
            ("tag%5Ball%5D=vip&tag%5Bne%5D=rust&q=b", "B"),
        ] {
            assert_eq!(set(&ada, &format!("?{query}")).await, expected, "{query}");
        }
        for wrong in ["tag[any]=x", "tag[gte]=x", "favorite[ne]=true", "known[ne]=true", "q[all]=x"] {
            ada.get(&format!("/v1/contacts?{wrong}")).await.problem(400, "unknown_parameter");
        }
        ada.get("/v1/contacts?tier[ne]=best").await.problem(400, "invalid_parameter");
    }

    async fn a_count_tells_how_many_fit_whatever_the_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for n in 0..7 {
            make(&ada, json!({"given_name": format!("N{n}"), "favorite": n < 3, "known": n > 0})).await;
        }
        for (query, total) in [("", 6), ("&favorite=true", 2), ("&known=any", 7), ("&q=n1", 1), ("&q=n", 6), ("&q=*", 0)] {
            let page = ada.get(&format!("/v1/contacts?limit=2&count=true{query}")).await.expect(200);
            assert_eq!(page.body["total"], total, "{query}");
        }
        let page = ada.get("/v1/contacts?limit=2&count=true").await.expect(200);
        let second = ada.get(&page.next_link().unwrap()).await.expect(200);
        assert_eq!(second.body["total"], 6);
        let uncounted = ada.get("/v1/contacts?limit=2").await.expect(200);
        assert_eq!(uncounted.body.get("total"), None);
        ada.get("/v1/contacts?count=1").await.problem(400, "invalid_parameter");
    }

    async fn what_is_included_is_shown_as_asked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace", "notes": "long"})).await;
        let how_met = json!({"introduced_by_id": grace.id()});
        let one = make(&ada, json!({"given_name": "One", "how_met": how_met, "tags": ["x"]})).await;

        let page = ada.get("/v1/contacts?include=introduced_by&sort=id").await.expect(200);
        let [first, second] = page.items() else { panic!("{page}") };
        assert_eq!((&first["name"], &first["introduced_by"]), (&json!("Grace"), &Value::Null));
        assert_eq!((&second["tags"], &second["introduced_by"]["id"]), (&json!(["x"]), &grace.body["id"]));
        assert_eq!(second["introduced_by"]["name"], "Grace");
        let read = ada.get(&format!("{}?include=introduced_by", one.location())).await.expect(200);
        assert_eq!((&read.body["introduced_by"]["name"], &read.body["how_met"]), (&json!("Grace"), &one.body["how_met"]));
        assert!(read.etag().starts_with("W/"), "{}", read.etag());
        let none = json!({"how_met": one.body["how_met"]});
        ada.patch(&one.location(), &none).if_match(&read.etag()).await.expect(200);
        ada.patch(&one.location(), &none).if_match(&page.etag()).await.problem(412, "precondition_failed");

        let again = ada.get(&format!("{}?include=introduced_by", one.location())).if_none_match(&read.etag()).await;
        assert_eq!(again.status, 304);
        ada.patch(&grace.location(), &json!({"given_name": "Amazing"})).await.expect(200);
        let again = ada.get(&format!("{}?include=introduced_by", one.location())).if_none_match(&read.etag()).await;
        assert_eq!(again.expect(200).body["introduced_by"]["name"], "Amazing");
        for wrong in ["include=everybody", "include="] {
            ada.get(&format!("/v1/contacts?{wrong}")).await.problem(400, "invalid_parameter");
        }
        ada.get("/v1/contacts?view=summary").await.problem(400, "unknown_parameter");
    }

    async fn what_is_shown_takes_as_many_statements_for_forty_records_as_for_two(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let office = ada.post("/v1/organizations", &json!({"name": "Office"})).await.expect(201);
        let first = make(&ada, json!({"given_name": "First", "tags": ["a"]})).await;
        let add = async |number: usize| {
            let introduced = json!({"introduced_by_id": first.id()});
            let body = json!({"given_name": "Kim", "family_name": format!("N{number}"), "how_met": introduced, "tags": [format!("t{number}")]});
            let one = make(&ada, body).await.id();
            let parts = [
                ("positions", json!({"contact_id": one, "organization_id": office.id(), "title": "Kim"})),
                ("needs", json!({"contact_id": one, "topic": format!("kim {number}")})),
                ("needs", json!({"contact_id": first.id(), "topic": format!("kim {number}"), "kind": "offer"})),
                ("relationships", json!({"contact_id": one, "related_contact_id": first.id(), "type": "friend"})),
                ("organizations", json!({"name": format!("Kim {number}"), "parent_id": office.id()})),
            ];
            for (kind, body) in parts {
                ada.post(&format!("/v1/{kind}"), &body).await.expect(201);
            }
        };
        let paths = [
            "/v1/contacts?limit=200&include=introduced_by&include=positions&include=needs",
            "/v1/contacts?limit=200&q=kim&include=positions",
            "/v1/contacts/cards?limit=200&q=kim",
            "/v1/organizations/cards?limit=200",
            "/v1/organizations?limit=200&include=parent&include=positions",
            "/v1/positions?limit=200&include=contact&include=organization",
            "/v1/relationships?limit=200&include=contact&include=related_contact",
            "/v1/needs?limit=200&include=contact",
            "/v1/tags?limit=200&include=counts",
            "/v1/needs/matches?limit=200",
            "/v1/search?limit=50&q=kim&types=contact",
            "/v1/changes?limit=1000",
        ];
        let count = async || {
            let mut counts = Vec::new();
            for path in paths {
                let read = async || ada.get(path).await.expect(200).items().len();
                let (statements, shown) = statements_of(&server.database, read).await;
                counts.push((path, statements, shown));
            }
            counts
        };
        add(0).await;
        add(1).await;
        let few = count().await;
        for number in 2..40 {
            add(number).await;
        }
        let many = count().await;
        for ((path, few, shown), (_, many, more)) in few.into_iter().zip(many) {
            assert!(few > 0 && shown >= 2 && more >= 40, "{path}: {few} statements, {shown} and {more} records");
            assert_eq!(few, many, "{path}");
        }
    }

    async fn a_weak_tag_is_never_newer_than_what_it_stands_for(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let grace = make(&ada, json!({"given_name": "Grace"})).await;
        let one = make(&ada, json!({"given_name": "One", "how_met": {"introduced_by_id": grace.id()}})).await;
        let done = AtomicBool::new(false);

        let writing = async {
            let mut last = 0;
            for n in 0..60 {
                let patched = ada.patch(&one.location(), &json!({"headline": format!("{n}")})).await.expect(200);
                last = patched.body["version"].as_i64().unwrap();
            }
            done.store(true, Ordering::SeqCst);
            last
        };
        let reading = join_all((0..4).map(|reader| {
            let (ada, done) = (&ada, &done);
            let path = match reader % 2 {
                0 => format!("{}?include=introduced_by", one.location()),
                _ => "/v1/contacts?include=introduced_by&q=one".to_owned(),
            };
            async move {
                let mut seen = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    let reply = ada.get(&path).await.expect(200);
                    let shown = if reader % 2 == 0 { &reply.body } else { &reply.items()[0] };
                    let headline = shown["headline"].as_str().map_or(-1, |n| n.parse().unwrap());
                    let tag = reply.etag();
                    let number = tag.trim_end_matches('"').rsplit('-').next().unwrap();
                    seen.push((number.parse::<i64>().unwrap(), headline));
                }
                seen
            }
        }));
        let (last, seen) = join(writing, reading).await;

        let seen = seen.concat();
        assert!(seen.len() > 60, "they read while it was written: {}", seen.len());
        let stale: Vec<_> = seen.into_iter().filter(|(tag, headline): &(i64, i64)| *headline < tag - last + 59).collect();
        assert_eq!(stale, []);
    }

    async fn a_filter_takes_only_what_it_documents(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for query in [
            "tier=best", "tier=", "favorite=1", "favorite=any", "archived=yes", "known=", "is_self=any", "tag=",
            "limit=0", "limit=201", "limit=-1", "limit=ten", "limit=", "sort=name", "sort=", "sort=--id", "sort=-",
            "updated_since=yesterday", "updated_since=2026-02-30T00:00:00Z", "favorite=true&favorite=false",
            "limit=1&limit=2", "sort=id&sort=-id",
        ] {
            ada.get(&format!("/v1/contacts?{query}")).await.problem(400, "invalid_parameter");
        }
        let all = ada.get("/v1/contacts").await.expect(200);
        assert_eq!(ada.get("/v1/contacts?q=").await.expect(200).body, all.body, "an empty search field finds everything");
        for query in ["colour=blue", "Tag=x", "tag[]=x", "name=x"] {
            ada.get(&format!("/v1/contacts?{query}")).await.problem(400, "unknown_parameter");
        }
        let problem = ada.get("/v1/contacts?updatedSince=2026-03-02T00:00:00Z").await.problem(400, "unknown_parameter");
        assert_eq!(problem["params"]["suggestion"], "updated_since");
        let problem = ada.get("/v1/contacts?x=1").await.problem(400, "unknown_parameter");
        assert_eq!(problem["params"].get("suggestion"), None, "q is as short, and nothing else");
        let long = "x".repeat(201);
        ada.get(&format!("/v1/contacts?q={long}")).await.problem(400, "invalid_parameter");
        ada.get("/v1/contacts?limit=200").await.expect(200);
    }

    async fn every_sort_goes_both_ways_and_settles_ties_by_id(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut made = Vec::new();
        // Three created at each of three moments, two of them of one name.
        for (moment, family) in ["b", "Ä", "a"].into_iter().enumerate() {
            for given in ["y", "x", "x"] {
                let body = json!({"given_name": given, "family_name": family});
                made.push(make(&ada, body).await.body);
            }
            assert!(moment < 3);
            server.clock.advance(TimeDelta::seconds(1));
        }
        // Changed in another order than they were made in.
        for index in [4, 1, 7] {
            let at = format!("/v1/contacts/{}", id_of(&made[index]));
            made[index] = ada.patch(&at, &json!({"nickname": "n"})).await.expect(200).body;
            server.clock.advance(TimeDelta::microseconds(1));
        }
        let key = |record: &Value, sort: &str| match sort {
            "id" => String::new(),
            "sort_name" => record["sort_name"].as_str().unwrap().to_lowercase().replace('ä', "a"),
            field => record[field].as_str().unwrap().trim_end_matches('Z').to_owned(),
        };
        for sort in ["id", "created_at", "updated_at", "sort_name"] {
            let mut expected: Vec<(String, String)> = made.iter().map(|one| (key(one, sort), id_of(one))).collect();
            expected.sort();
            let mut expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
            for direction in ["", "-"] {
                for limit in [1, 2, 200] {
                    let walked = ada.walk(&format!("/v1/contacts?sort={direction}{sort}&limit={limit}")).await;
                    let walked: Vec<String> = walked.iter().map(id_of).collect();
                    assert_eq!(walked, expected, "sort={direction}{sort}&limit={limit}");
                }
                expected.reverse();
            }
        }
    }

    async fn the_link_header_leads_through_everything_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let mut made = make_many(&server, &ada, 23).await;
        let first = ada.get("/v1/contacts?limit=5&sort=id&known=true").await.expect(200);
        assert_eq!(first.items().len(), 5);
        let link = first.next_link().expect("a next page");
        assert!(link.contains("limit=5") && link.contains("sort=id") && link.contains("known=true"), "{link}");
        let second = ada.get(&link).await.expect(200);
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let by_cursor = ada.get(&format!("/v1/contacts?limit=5&sort=id&known=true&cursor={cursor}")).await.expect(200);
        assert_eq!(second.items(), by_cursor.items());

        let walked: Vec<String> = ada.walk("/v1/contacts?limit=5&sort=id").await.iter().map(id_of).collect();
        made.sort();
        assert_eq!(walked, made);
        for exact in [1, 23] {
            let walked = ada.walk(&format!("/v1/contacts?limit={exact}")).await;
            assert_eq!(walked.len(), 23, "limit={exact}");
        }
        let last = ada.get("/v1/contacts?limit=23").await.expect(200);
        assert_eq!((last.next_link(), &last.body["next_cursor"]), (None, &Value::Null));
    }

    async fn a_cursor_goes_on_only_in_the_list_it_was_made_for(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        for client in [&ada, &bob] {
            make_many(&server, client, 4).await;
        }
        let page = ada.get("/v1/contacts?limit=2&sort=sort_name&tier=none").await.expect(200);
        let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
        let with = |client: &Client, query: &str| client.get(&format!("/v1/contacts?{query}&cursor={cursor}"));

        with(&ada, "tier=none&sort=sort_name&limit=2").await.expect(200);
        with(&ada, "tier=none&sort=sort_name&limit=1").await.expect(200);
        for query in ["limit=2", "sort=sort_name&tier=core", "sort=-sort_name&tier=none",
            "sort=id&tier=none", "sort=sort_name&tier=none&known=any", "sort=sort_name&tier=none&q=contact"] {
            with(&ada, query).await.problem(400, "invalid_cursor");
        }
        with(&bob, "sort=sort_name&tier=none&limit=2").await.problem(400, "invalid_cursor");
        for index in [0, 3, cursor.len() / 2, cursor.len() - 2] {
            let mut bytes = cursor.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            let query = format!("/v1/contacts?sort=sort_name&tier=none&cursor={tampered}");
            ada.get(&query).await.problem(400, "invalid_cursor");
        }
        for nonsense in ["", "x", "%F0%9F%A6%80", "null", "AAAA"] {
            ada.get(&format!("/v1/contacts?cursor={nonsense}")).await.problem(400, "invalid_cursor");
        }
    }

    async fn updated_since_gives_what_changed_at_or_after(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let first = make(&ada, json!({"given_name": "A"})).await;
        server.clock.advance(TimeDelta::microseconds(1_000_001));
        make(&ada, json!({"given_name": "B"})).await;
        assert_eq!(set(&ada, "?updated_since=2026-03-02T09:00:00Z").await, "A B");
        assert_eq!(set(&ada, "?updated_since=2026-03-02T09:00:01.000001Z").await, "B");
        assert_eq!(set(&ada, "?updated_since=2026-03-02T09:00:01.000002Z").await, "");
        assert_eq!(set(&ada, "?updated_since=2026-03-02T10:00:01%2B01:00").await, "B");
        server.clock.advance(TimeDelta::seconds(1));
        ada.patch(&first.location(), &json!({"nickname": "a"})).await.expect(200);
        assert_eq!(set(&ada, "?updated_since=2026-03-02T09:00:02Z").await, "A");
    }

    async fn a_list_has_a_weak_etag_that_every_write_changes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "A"})).await;
        let mut tag = ada.get("/v1/contacts").await.expect(200).etag();
        assert!(tag.starts_with("W/\""), "{tag}");
        let unchanged = ada.get("/v1/contacts").if_none_match(&tag).await.expect(304);
        assert_eq!((unchanged.etag(), unchanged.text.as_str()), (tag.clone(), ""));
        ada.patch(&made.location(), &json!({})).await.expect(200);
        ada.get("/v1/contacts").if_none_match(&tag).await.expect(304);

        ada.patch(&made.location(), &json!({"nickname": "a"})).await.expect(200);
        let reply = ada.get("/v1/contacts").if_none_match(&tag).await.expect(200);
        assert_eq!(reply.items()[0]["nickname"], "a");
        tag = reply.etag();
        ada.delete(&made.location()).await.expect(204);
        let reply = ada.get("/v1/contacts").if_none_match(&tag).await.expect(200);
        assert_eq!(reply.items().len(), 0);
        // Another workspace's tag says nothing, even where the numbers meet.
        let bob = server.register("bob@example.com").await;
        let eve = server.register("eve@example.com").await;
        for path in ["/v1/contacts", "/v1/search?q=a", "/v1/profile/review", "/v1/changes", "/v1/me"] {
            let theirs = bob.get(path).await.expect(200).etag();
            eve.get(path).if_none_match(&theirs).await.expect(200);
            bob.get(path).if_none_match(&theirs).await.expect(304);
        }
    }

    async fn a_record_of_a_list_can_be_edited_under_its_tag(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "A"})).await;
        let list = ada.get("/v1/contacts").await.expect(200);
        let tag = format!("\"{}.{}\"", list.body["etag_prefix"].as_str().unwrap(), list.items()[0]["version"]);
        assert_eq!(tag, made.etag());
        ada.patch(&made.location(), &json!({"nickname": "a"})).if_match(&tag).await.expect(200);
    }

    async fn a_walk_while_others_write_sees_each_that_stayed_exactly_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make_many(&server, &ada, 2_000).await;
        let (deleted, stayed): (Vec<_>, Vec<_>) =
            made.into_iter().enumerate().partition(|(index, _)| index % 250 == 17);
        let deleted: Vec<String> = deleted.into_iter().map(|(_, id)| id).collect();
        let stayed: Vec<String> = stayed.into_iter().map(|(_, id)| id).collect();

        let walk = async {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            let mut next = Some("/v1/contacts?sort=-id&limit=200".to_owned());
            while let Some(path) = next {
                let page = ada.get(&path).await.expect(200);
                for item in page.items() {
                    *seen.entry(id_of(item)).or_default() += 1;
                }
                next = page.next_link();
            }
            seen
        };
        let writing = async {
            for (index, gone) in deleted.iter().enumerate() {
                ada.delete(&format!("/v1/contacts/{gone}")).await.expect(204);
                let patched = &stayed[(index * 997) % stayed.len()];
                let changed = json!({"given_name": "Changed", "favorite": true});
                ada.patch(&format!("/v1/contacts/{patched}"), &changed).await.expect(200);
                make(&ada, json!({"given_name": "New"})).await;
                // An id of the client's own, which falls in the middle of the walk.
                let own = Uuid::from_u128(Uuid::parse_str(patched).unwrap().as_u128() + 1).to_string();
                make(&ada, json!({"id": own, "given_name": "Between"})).await;
            }
        };
        let (seen, ()) = join(walk, writing).await;

        let twice: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).collect();
        assert_eq!(twice, []);
        let seen: BTreeSet<String> = seen.into_keys().collect();
        let missed: Vec<_> = stayed.iter().filter(|id| !seen.contains(*id)).collect();
        assert_eq!(missed, [""; 0]);
    }
}
