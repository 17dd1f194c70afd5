//! What contacts promise: everything entered comes back, each write does what it says and no more, and bad input
//! changes nothing.

use serde_json::{Value, json};

use crate::support::{Client, Reply, TestServer};

/// A contact with every field set, as far as a client may set it.
fn everything(introduced_by_id: &str) -> Value {
    json!({
        "given_name": "Dorota", "family_name": "Kozłowicz", "middle_name": "Maria", "prefix": "Dr.", "suffix": "PhD",
        "aliases": ["Nowak", "Wiśniewska"], "name_order": "family_first",
        "phonetic_given_name": "ドロタ", "phonetic_family_name": "コズウォヴィチ", "pronunciation": "doh-ROH-tah",
        "nickname": "Dorka", "display_name": "Dorota K.", "pronouns": "she/her", "address_as": "informal",
        "headline": "CTO at Poniedziałek", "about": "I build things.\n\nAnd break them.",
        "notes": "  # Kept as it is\n- likes type systems 🦀\n", "skills": ["rust", "hiring"],
        "location": "Warszawa", "time_zone": "Europe/Warsaw", "languages": ["pl", "en-GB"],
        "emails": {
            "work": {"value": "dorota@example.com", "label": "Office", "preferred": true},
            "home-2": {"value": "Dorka@example.org", "label": null, "preferred": false}},
        "phones": {"mobile": {"value": "512 345 678", "country": "PL", "label": "private", "preferred": true}},
        "links": {
            "linkedin": {"url": "https://www.linkedin.com/in/dorota", "platform": "linkedin", "checked_on": "2026-02-01"},
            "blog": {"url": "https://dorota.example/blog?a=1#top", "platform": null, "checked_on": null}},
        "addresses": {"office": {
            "street": "ul. Prosta 1", "extended": "3rd floor", "po_box": "PO 12", "postal_code": "00-001",
            "city": "Warszawa", "region": "Mazowieckie", "country": "PL", "formatted": "ul. Prosta 1\n00-001 Warszawa",
            "label": "HQ", "preferred": true}},
        "dates": {
            "birthday": {"value": "--06-15", "label": null},
            "anniversary": {"value": "2019", "label": "at the company"}},
        "preferred_channel": "in_person",
        "how_met": {"on": "2024-10", "event_id": null, "introduced_by_id": introduced_by_id, "story": "At the keynote."},
        "known": false, "tier": "active", "cadence": {"every": 2, "unit": "month", "paused_until": "2026-09-01", "off": false},
        "tags": ["conference-2026", "Rust"], "favorite": true, "archived_at": "2026-02-03T04:05:06Z",
        "do_not_contact": true, "external_ids": {"linkedin": {"id": "dorota", "connected_on": "2020-12-07"}}
    })
}

async fn make(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn named(client: &Client, name: &str) -> Reply {
    make(client, json!({"given_name": name})).await
}

/// The versions in the log, oldest first.
async fn versions(client: &Client) -> Vec<i64> {
    let log = client.log().await;
    log.items().iter().map(|change| change["version"].as_i64().unwrap()).collect()
}

async fn self_contact(client: &Client) -> String {
    let me = client.get("/v1/me").await.expect(200);
    me.body["self_contact_id"].as_str().unwrap().to_owned()
}

fn ids(reply: &Reply) -> Vec<String> {
    reply.items().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// An id that nobody has.
const NOBODY: &str = "01939d5e-8c00-7000-8000-0000000000ff";

on_both! {
    async fn a_person_is_found_by_an_address_that_the_grammar_forbids(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for address in ["ada..x@docomo.ne.jp", "ada.@docomo.ne.jp", "\"ada..y\"@docomo.ne.jp", "ada@my_firm.example"] {
            let made = ada.post("/v1/contacts", &json!({"given_name": "A", "emails": {"a": {"value": address}}})).await.expect(201);
            assert_eq!(made.body["emails"]["a"]["value"], address);
            let found = ada.get("/v1/contacts/lookup").query(&[("email", address)]).await.expect(200);
            assert_eq!(found.items()[0]["id"], made.body["id"], "{address}");
        }
        let found = ada.get("/v1/contacts/lookup?email=ada..y@docomo.ne.jp").await.expect(200);
        assert_eq!(found.items().len(), 1, "quotes say nothing");
        let body = json!({"email": "ada..x@docomo.ne.jp", "password": "lantern orbit mustard 27 quill", "name": "Ada"});
        let reply = server.client().post("/v1/auth/register", &body).await;
        assert_eq!(reply.errors(), ["#/email invalid_format"], "no mail would arrive");
    }

    async fn a_link_that_names_nobody_finds_nobody(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (own, other) in [
            ("https://twitter.com/#!/rosa", "https://twitter.com/#!/otto"),
            ("https://twitter.com/intent/user?user_id=11", "https://twitter.com/intent/user?user_id=22"),
            ("https://www.linkedin.com/x/profile/view?memberId=11", "https://www.linkedin.com/x/profile/view?memberId=22"),
            ("https://www.linkedin.com/", "https://linkedin.com"),
        ] {
            let link = |url: &str| json!({"given_name": url, "links": {"x": {"url": url}}});
            for url in [own, other] {
                ada.post("/v1/contacts", &link(url)).await.expect(201);
            }
            let found = ada.get("/v1/contacts/lookup").query(&[("url", other)]).await.expect(200);
            let names: Vec<_> = found.items().iter().map(|item| item["given_name"].clone()).collect();
            let expected: Vec<_> = if other.contains("=22") { vec![json!(other)] } else { vec![] };
            assert_eq!(names, expected, "{other}");
        }
        let pairs = ada.get("/v1/contacts/duplicates").await.expect(200);
        assert!(!pairs.text.contains("same_link"), "{pairs}");
    }

    async fn a_plus_that_came_as_a_space_is_found_or_named(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        ada.post("/v1/contacts", &json!({"given_name": "D", "phones": {"m": {"value": "+48 512 345 678"}}})).await.expect(201);
        let reply = ada.get("/v1/contacts/lookup?email=d+tag@x.example").await;
        reply.problem(400, "invalid_parameter");
        assert!(reply.text.contains("%2B"), "{reply}");
        for phone in ["+48512345678", "%2B48512345678", "+48+512+345+678", "%2048512345678"] {
            assert_eq!(ada.get(&format!("/v1/contacts/lookup?phone={phone}")).await.expect(200).items().len(), 1, "{phone}");
        }
        assert_eq!(ada.get("/v1/contacts/lookup?phone=+512345678&country=PL").await.expect(200).items().len(), 1);
        assert_eq!(ada.get("/v1/contacts?q=+48+512").await.expect(200).items().len(), 1);
    }

    async fn a_contact_with_every_field_comes_back_as_entered(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let introducer = named(&ada, "Grace").await.id();
        let entered = everything(&introducer);

        let made = make(&ada, entered.clone()).await;

        let mut expected = entered.clone();
        expected["phones"]["mobile"]["e164"] = json!("+48512345678");
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&made.body[field], value, "{field} in the answer");
        }
        let id = made.id();
        assert_eq!(made.location(), format!("/v1/contacts/{id}"));
        assert_eq!(made.body["is_self"], false);
        assert_eq!(made.body["cadence_since"], "2026-03-02");
        assert_eq!(made.body["name"], "Dorota K.");
        assert_eq!(made.body["created_at"], "2026-03-02T09:00:00Z");
        assert_eq!(made.body["updated_at"], made.body["created_at"]);
        // Every field a contact has was entered, or is the server's.
        let known = expected.as_object().unwrap().len() + 8;
        assert_eq!(made.body.as_object().unwrap().len(), known, "a field this test does not know: {made}");
        let read = ada.get(&made.location()).await.expect(200);
        assert_eq!(read.body, made.body);
        assert_eq!(read.etag(), made.etag());
        let listed = ada.get("/v1/contacts?known=any&archived=any&tag=rust").await.expect(200);
        assert_eq!(listed.items(), std::slice::from_ref(&made.body));
        let log = ada.get("/v1/changes?limit=1000").await.expect(200);
        assert_eq!(log.items().last().unwrap()["data"]["contact"], made.body);
    }

    async fn a_contact_with_only_a_name_has_every_field_and_its_default(server: TestServer) {
        let ada = server.register("ada@example.com").await;

        let mut made = named(&ada, "Grace").await.body;

        let sets = ["aliases", "skills", "languages", "tags"];
        let maps = ["emails", "phones", "links", "addresses", "dates", "external_ids"];
        let members = made.as_object_mut().unwrap();
        for server_made in ["id", "version", "created_at", "updated_at"] {
            assert!(members.remove(server_made).is_some_and(|value| !value.is_null()), "{server_made}");
        }
        for (field, value) in members.iter() {
            let expected = match field.as_str() {
                "given_name" | "name" | "sort_name" => json!("Grace"),
                "known" => json!(true),
                "favorite" | "do_not_contact" | "is_self" => json!(false),
                list if sets.contains(&list) => json!([]),
                map if maps.contains(&map) => json!({}),
                _ => Value::Null,
            };
            assert_eq!(value, &expected, "{field}");
        }
        assert_eq!(members.len(), everything(NOBODY).as_object().unwrap().len() + 4);
    }

    async fn names_of_every_culture_are_composed_and_sorted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (body, name, sort_name) in [
            (json!({"given_name": "Björk"}), "Björk", "Björk"),
            (json!({"family_name": "Sukarno"}), "Sukarno", "Sukarno"),
            (json!({"nickname": "Prince"}), "Prince", "Prince"),
            (json!({"given_name": "充", "family_name": "太田"}), "太田充", "太田 充"),
            (json!({"given_name": "充", "family_name": "太田", "phonetic_family_name": "おおた",
                "phonetic_given_name": "みつる"}), "太田充", "おおた みつる"),
            (json!({"given_name": "An", "middle_name": "Văn", "family_name": "Nguyễn", "name_order": "family_first"}),
                "Nguyễn Văn An", "Nguyễn Văn An"),
            (json!({"given_name": "Vincent", "family_name": "van Gogh"}), "Vincent van Gogh", "van Gogh, Vincent"),
            (json!({"prefix": "Dr.", "given_name": "Martin", "middle_name": "Luther", "family_name": "King",
                "suffix": "Jr."}), "Dr. Martin Luther King Jr.", "King, Martin Luther"),
            (json!({"given_name": "محمد", "family_name": "الفارسي"}), "محمد الفارسي", "الفارسي, محمد"),
            (json!({"given_name": "José", "family_name": "García Márquez", "display_name": "Gabo"}), "Gabo",
                "García Márquez, José"),
            (json!({"given_name": "  Zoë\u{a0}"}), "Zoë", "Zoë"),
        ] {
            let made = make(&ada, body).await;
            assert_eq!((made.body["name"].as_str(), made.body["sort_name"].as_str()), (Some(name), Some(sort_name)));
            assert_eq!(ada.get(&made.location()).await.expect(200).body["name"], name);
        }
    }

    async fn nothing_to_call_somebody_by_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let before = versions(&ada).await;
        for body in [
            json!({}),
            json!({"given_name": null}),
            json!({"given_name": "", "family_name": " \t", "nickname": "\u{a0}"}),
            json!({"prefix": "Dr.", "headline": "CTO", "emails": {"work": {"value": "a@example.com"}}}),
        ] {
            let reply = ada.post("/v1/contacts", &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), ["#/given_name required"], "{body}");
        }
        let made = named(&ada, "Grace").await;
        ada.patch(&made.location(), &json!({"given_name": " "})).await.problem(422, "invalid");
        assert_eq!(versions(&ada).await.len(), before.len() + 1);
    }

    async fn partial_dates_are_kept_and_impossible_ones_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for good in ["1990-06-15", "1990-06", "1990", "--06-15", "--02-29", "2000-02-29"] {
            let made = make(&ada, json!({"given_name": "A", "dates": {"birthday": {"value": good}}})).await;
            assert_eq!(made.body["dates"]["birthday"]["value"], good);
        }
        for bad in ["1990-13", "1990-02-30", "1900-02-29", "--02-30", "15.06.1990", "90-06-15", "----", "1990-6-15"] {
            let body = json!({"given_name": "A", "dates": {"birthday": {"value": bad}}});
            let reply = ada.post("/v1/contacts", &body).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), ["#/dates/birthday/value invalid_format"], "{bad}");
        }
    }

    async fn instants_are_kept_to_the_microsecond_in_utc(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (sent, kept) in [
            ("2026-02-03T04:05:06.123456789Z", "2026-02-03T04:05:06.123456Z"),
            ("2026-02-03T04:05:06.1+05:30", "2026-02-02T22:35:06.100Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            let made = make(&ada, json!({"given_name": "A", "archived_at": sent})).await;
            assert_eq!(made.body["archived_at"], kept);
            assert_eq!(ada.get(&made.location()).await.expect(200).body, made.body);
            ada.patch(&made.location(), &json!({"archived_at": sent})).if_match(&made.etag()).await.expect(200);
            assert_eq!(ada.get(&made.location()).await.expect(200).etag(), made.etag());
        }
        for bad in ["2026-02-03", "yesterday", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"] {
            let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "archived_at": bad})).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), ["#/archived_at invalid_format"], "{bad}");
        }
    }

    async fn only_time_zones_that_exist_are_taken(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for good in ["Europe/Warsaw", "America/Argentina/Buenos_Aires", "UTC"] {
            let made = make(&ada, json!({"given_name": "A", "time_zone": good})).await;
            assert_eq!(made.body["time_zone"], good);
        }
        for bad in ["Mars/Olympus", "+02:00", "Europe/"] {
            let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "time_zone": bad})).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), ["#/time_zone invalid_format"], "{bad}");
        }
    }

    async fn all_faults_of_a_body_are_named_at_once(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let reply = ada
            .post("/v1/contacts", &json!({
                "given_name": 7, "tier": "best", "emails": {"a b": {"value": "a@example.com"}},
                "links": {"x": {}}, "cadence": {"every": 0, "unit": "week"}, "nmae": "typo"}))
            .await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), [
            "#/cadence/every out_of_range",
            "#/emails/a b invalid_format",
            "#/given_name invalid_type",
            "#/links/x/url required",
            "#/nmae unknown_field",
            "#/tier not_allowed",
        ]);

        let reply = ada
            .post("/v1/contacts", &json!({
                "given_name": "A", "emails": {"a": {"value": "no address"}},
                "links": {"x": {"url": "ftp://example.org"}}, "dates": {"d": {"value": "1990-13"}},
                "how_met": {"event_id": NOBODY}}))
            .await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), [
            "#/dates/d/value invalid_format",
            "#/emails/a/value invalid_format",
            "#/links/x/url not_allowed",
        ]);
    }

    async fn a_patch_merges_maps_by_key_and_null_removes(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let introducer = named(&ada, "Grace").await.id();
        let made = make(&ada, everything(&introducer)).await;

        let patched = ada
            .patch(&made.location(), &json!({
                "emails": {"home-2": null, "work": {"label": null}, "new": {"value": "new@example.com"}},
                "phones": {"mobile": {"value": "512 345 679"}},
                "how_met": {"story": null},
                "dates": null, "tier": null, "cadence": {"every": 3}, "known": null}))
            .await
            .expect(200);

        assert_eq!(patched.body["emails"], json!({
            "work": {"value": "dorota@example.com", "label": null, "preferred": true},
            "new": {"value": "new@example.com", "label": null, "preferred": false}}));
        assert_eq!(patched.body["phones"]["mobile"], json!({
            "value": "512 345 679", "country": "PL", "e164": "+48512345679", "label": "private", "preferred": true}));
        assert_eq!(patched.body["how_met"], json!({
            "on": "2024-10", "event_id": null, "introduced_by_id": introducer, "story": null}));
        assert_eq!(patched.body["dates"], json!({}));
        assert_eq!(patched.body["tier"], Value::Null);
        assert_eq!(patched.body["known"], true);
        assert_eq!(patched.body["cadence"], json!({"every": 3, "unit": "month", "paused_until": "2026-09-01", "off": false}));
        assert_eq!(patched.body["addresses"], made.body["addresses"]);
        assert_ne!(patched.etag(), made.etag());
        assert_eq!(ada.get(&made.location()).await.expect(200).body, patched.body);
    }

    async fn a_patch_replaces_arrays_and_edits_tags_one_by_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "A", "skills": ["rust", "go"], "tags": ["VIP", "Łódź"]})).await;
        let at = made.location();

        let replaced = ada.patch(&at, &json!({"skills": ["sql"], "tags": ["VIP", "Łódź", "old"]})).await.expect(200);
        assert_eq!(replaced.body["skills"], json!(["sql"]));

        let edited = ada
            .patch(&at, &json!({"add_tags": ["new", "vip"], "remove_tags": ["lodz", "never there"]}))
            .await
            .expect(200);
        assert_eq!(edited.body["tags"], json!(["VIP", "old", "new"]), "the first spelling is kept");

        let reply = ada.patch(&at, &json!({"add_tags": ["x"], "tags": ["y"]})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/tags contradiction"]);
        let reply = ada.patch(&at, &json!({"add_tags": [""], "remove_tags": 7})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/add_tags/0 too_short", "#/remove_tags invalid_type"]);
    }

    async fn a_patch_that_changes_nothing_keeps_the_version(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let introducer = named(&ada, "Grace").await.id();
        let made = make(&ada, everything(&introducer)).await;
        let log = versions(&ada).await;
        server.clock.advance(chrono::TimeDelta::minutes(1));
        for nothing in [
            json!({}),
            json!({"given_name": " Dorota "}),
            json!({"emails": {"gone": null}}),
            json!({"add_tags": ["RUST"], "remove_tags": []}),
            json!({"tags": ["conference-2026", "Rust", "rust"], "phones": {"mobile": {"country": "PL"}}}),
            everything(&introducer),
        ] {
            let reply = ada.patch(&made.location(), &nothing).await.expect(200);
            assert_eq!(reply.etag(), made.etag(), "{nothing}");
            assert_eq!(reply.body, made.body);
        }
        assert_eq!(versions(&ada).await, log);
    }

    async fn what_is_the_servers_is_refused_in_post_and_patch(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "A", "phones": {"m": {"value": "+48 512 345 678"}}})).await;
        let theirs = json!({
            "is_self": false, "name": "A", "sort_name": "A", "created_at": made.body["created_at"],
            "updated_at": made.body["updated_at"], "version": made.body["version"],
            "phones": {"m": {"value": "+48 512 345 678", "e164": "+48512345678"}}});
        let expected = [
            "#/created_at read_only",
            "#/is_self read_only",
            "#/name read_only",
            "#/phones/m/e164 read_only",
            "#/sort_name read_only",
            "#/updated_at read_only",
            "#/version read_only",
        ];

        let reply = ada.patch(&made.location(), &theirs).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), expected);
        let reply = ada.post("/v1/contacts", &theirs).await;
        reply.problem(422, "invalid");
        // And nothing is left to call them by.
        let mut with_name = [&expected[..], &["#/given_name required"]].concat();
        with_name.sort();
        assert_eq!(reply.errors(), with_name);
        let reply = ada.patch(&made.location(), &json!({"id": made.id()})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/id read_only"]);
    }

    async fn what_was_read_can_be_edited_and_put_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let introducer = named(&ada, "Grace").await.id();
        let made = make(&ada, everything(&introducer)).await;
        let read = ada.get(&made.location()).await.expect(200);

        let same = ada.put(&made.location(), &read.body).if_match(&read.etag()).await.expect(200);
        assert_eq!(same.etag(), read.etag(), "nothing was changed");
        let mut respelled = read.body.clone();
        let created_at = read.body["created_at"].as_str().unwrap();
        respelled["created_at"] = json!(created_at.replace('Z', "+00:00"));
        respelled["updated_at"] = json!("2026-03-02T10:00:00.000+01:00");
        assert_eq!(created_at, "2026-03-02T09:00:00Z");
        let same = ada.put(&made.location(), &respelled).if_match(&read.etag()).await.expect(200);
        assert_eq!(same.body, read.body, "an instant is the same however it is written");
        respelled["updated_at"] = json!("2026-03-02T09:00:01Z");
        let other = ada.put(&made.location(), &respelled).if_match(&read.etag()).await;
        assert_eq!(other.errors(), ["#/updated_at read_only"]);

        let mut edited = read.body.clone();
        edited["display_name"] = Value::Null;
        edited["given_name"] = json!("Dora");
        edited["phones"]["mobile"]["value"] = json!("+49 30 901820");
        edited.as_object_mut().unwrap().remove("notes");
        let put = ada.put(&made.location(), &edited).if_match(&read.etag()).await.expect(200);
        assert_eq!(put.body["name"], "Dr. Kozłowicz Maria Dora PhD");
        assert_eq!(put.body["phones"]["mobile"]["e164"], "+4930901820");
        assert_eq!(put.body["notes"], Value::Null, "what is left out takes its default");
        assert_eq!(put.body["created_at"], made.body["created_at"]);

        let mut forged = put.body.clone();
        forged["version"] = json!(1);
        forged["phones"]["mobile"]["e164"] = json!("+48512345678");
        let reply = ada.put(&made.location(), &forged).if_match(&put.etag()).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/phones/mobile/e164 read_only", "#/version read_only"]);
        let mut moved = put.body.clone();
        moved["id"] = json!(NOBODY);
        let reply = ada.put(&made.location(), &moved).if_match(&put.etag()).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/id read_only"]);
        assert_eq!(ada.get(&made.location()).await.expect(200).body, put.body);
    }

    async fn put_makes_or_replaces_as_its_precondition_says(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let path = "/v1/contacts/6f9619ff-8b86-4011-b42d-00c04fc964ff";
        let body = json!({"given_name": "Grace"});

        ada.put(path, &body).await.problem(428, "precondition_required");
        ada.put(path, &body).if_match("\"nothing\"").await.problem(404, "not_found");
        ada.get(path).await.problem(404, "not_found");

        let made = ada.put(path, &body).if_none_match("*").await.expect(201);
        assert_eq!(made.location(), path);
        assert_eq!(made.id(), path.rsplit('/').next().unwrap());
        let again = ada.put(path, &json!({"given_name": "Other"})).if_none_match("*").await;
        again.problem(412, "precondition_failed");
        assert_eq!(again.body["detail"], "A record with this id already exists and differs from this request.");
        assert_eq!(again.etag(), made.etag());
        ada.put(path, &body).await.problem(428, "precondition_required");

        let replaced = ada.put(path, &json!({"family_name": "Hopper"})).if_match(&made.etag()).await.expect(200);
        assert_eq!((&replaced.body["given_name"], &replaced.body["name"]), (&Value::Null, &json!("Hopper")));
        let stale = ada.put(path, &body).if_match(&made.etag()).await;
        stale.problem(412, "precondition_failed");
        assert_eq!(stale.etag(), replaced.etag());
        let any = ada.put(path, &body).if_match("*").await.expect(200);
        assert_eq!(any.body["name"], "Grace");
    }

    async fn a_client_may_name_the_id_unless_it_is_taken_or_was_deleted(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
        let made = make(&ada, json!({"id": id, "given_name": "Grace"})).await;
        assert_eq!(made.id(), id);

        ada.post("/v1/contacts", &json!({"id": id, "given_name": "Other"})).await.problem(409, "id_taken");
        // What the same id names elsewhere is nobody's business.
        let bob = server.register("bob@example.com").await;
        let theirs = make(&bob, json!({"id": id, "given_name": "Bob's Grace"})).await;
        ada.delete(&made.location()).await.expect(204);
        ada.post("/v1/contacts", &json!({"id": id, "given_name": "Other"})).await.problem(409, "deleted");
        ada.put(&made.location(), &json!({"given_name": "Other"})).if_none_match("*").await.problem(409, "deleted");
        assert_eq!(bob.get(&theirs.location()).await.expect(200).body["name"], "Bob's Grace");
        server.clock.advance(chrono::TimeDelta::days(31));
        let ada = server.login("ada@example.com").await;
        let anew = make(&ada, json!({"id": id, "given_name": "Other"})).await;
        assert_eq!(ada.get(&anew.location()).await.expect(200).body["name"], "Other");
    }

    async fn a_malformed_id_is_not_found_in_a_path_and_invalid_in_a_body(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for path in ["/v1/contacts/7", "/v1/contacts/not-a-uuid", "/v1/contacts/%F0%9F%A6%80", "/v1/contacts/%00"] {
            ada.get(path).await.problem(404, "not_found");
            ada.patch(path, &json!({})).await.problem(404, "not_found");
            ada.delete(path).await.problem(404, "not_found");
        }
        for (id, error) in [
            (json!("7"), "#/id invalid_format"),
            (json!("00000000-0000-0000-0000-000000000000"), "#/id invalid_format"),
            (json!("6f9619ff8b864011b42d00c04fc964ff"), "#/id invalid_format"),
            (json!(7), "#/id invalid_type"),
        ] {
            let reply = ada.post("/v1/contacts", &json!({"id": id, "given_name": "A"})).await;
            reply.problem(422, "invalid");
            assert_eq!(reply.errors(), [error]);
        }
        let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "how_met": {"introduced_by_id": "7"}})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/how_met/introduced_by_id invalid_format"]);
    }

    async fn a_stale_etag_is_refused_with_the_current_one(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let at = made.location();
        let newer = ada.patch(&at, &json!({"nickname": "G"})).if_match(&made.etag()).await.expect(200);

        for refused in [
            ada.patch(&at, &json!({"nickname": "X"})).if_match(&made.etag()).await,
            ada.put(&at, &json!({"nickname": "X"})).if_match(&made.etag()).await,
            ada.delete(&at).if_match(&made.etag()).await,
            ada.patch(&at, &json!({})).if_match(&made.etag()).await,
        ] {
            refused.problem(412, "precondition_failed");
            assert_eq!(refused.etag(), newer.etag());
        }
        // One of another database, though its number be right.
        let version = newer.body["version"].as_i64().unwrap();
        let foreign = format!("\"01939d5e.1.{version}\"");
        ada.patch(&at, &json!({"nickname": "X"})).if_match(&foreign).await.problem(412, "precondition_failed");
        assert_eq!(ada.get(&at).await.expect(200).body, newer.body);
    }

    async fn an_etag_that_a_proxy_weakened_still_counts(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let weak = format!("W/{}", made.etag());
        let patched = ada.patch(&made.location(), &json!({"nickname": "G"})).if_match(&weak).await.expect(200);
        let several = format!("\"other\", W/{}", patched.etag());
        let patched = ada.patch(&made.location(), &json!({"nickname": "H"})).if_match(&several).await.expect(200);
        ada.delete(&made.location()).if_match(&format!("W/{}", patched.etag())).await.expect(204);
    }

    async fn a_reader_who_has_the_current_contact_gets_304(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        for tag in [made.etag(), format!("W/{}", made.etag()), format!("\"x\", {}", made.etag()), "*".to_owned()] {
            let reply = ada.get(&made.location()).if_none_match(&tag).await.expect(304);
            assert_eq!((reply.text.as_str(), reply.etag()), ("", made.etag()));
        }
        ada.patch(&made.location(), &json!({"nickname": "G"})).await.expect(200);
        let newer = ada.get(&made.location()).if_none_match(&made.etag()).await.expect(200);
        assert_eq!(newer.body["nickname"], "G");
    }

    async fn a_write_with_a_contradictory_precondition_is_refused(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let at = made.location();
        ada.patch(&at, &json!({})).if_none_match(&made.etag()).await.problem(400, "invalid_parameter");
        ada.patch(&at, &json!({})).if_none_match("*").await.problem(412, "precondition_failed");
        let both = ada.patch(&at, &json!({})).if_none_match("*").if_match("*").await;
        both.problem(400, "invalid_parameter");
        ada.delete(&format!("/v1/contacts/{NOBODY}")).if_match("*").await.problem(404, "not_found");
    }

    async fn oneself_can_be_changed_but_not_deleted_nor_listed_unasked(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let own = self_contact(&ada).await;
        let at = format!("/v1/contacts/{own}");
        let other = named(&ada, "Grace").await.id();

        let patched = ada.patch(&at, &json!({"headline": "Analyst", "skills": ["maths"]})).await.expect(200);
        assert_eq!((&patched.body["is_self"], &patched.body["headline"]), (&json!(true), &json!("Analyst")));
        ada.delete(&at).await.problem(409, "self_contact");
        ada.delete(&format!("{at}?purge=true")).await.problem(409, "self_contact");

        assert_eq!(ids(&ada.get("/v1/contacts").await.expect(200)), std::slice::from_ref(&other));
        assert_eq!(ids(&ada.get("/v1/contacts?is_self=false").await.expect(200)), [other]);
        assert_eq!(ids(&ada.get("/v1/contacts?is_self=true").await.expect(200)), [own]);
        let put = ada.put(&at, &patched.body).if_match(&patched.etag()).await.expect(200);
        assert_eq!(put.body["is_self"], true);
    }

    async fn an_introducer_has_to_exist_in_the_same_workspace(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let bob = server.register("bob@example.com").await;
        let theirs = named(&bob, "Grace").await.id();
        let made = named(&ada, "Dorota").await;
        let before = versions(&ada).await;
        for id in [NOBODY, &theirs] {
            let how_met = json!({"given_name": "A", "how_met": {"introduced_by_id": id}});
            for reply in [
                ada.post("/v1/contacts", &how_met).await,
                ada.patch(&made.location(), &how_met).await,
                ada.put(&made.location(), &how_met).if_match("*").await,
            ] {
                reply.problem(422, "invalid");
                assert_eq!(reply.errors(), ["#/how_met/introduced_by_id unknown_reference"]);
            }
        }
        assert_eq!(versions(&ada).await, before);
    }

    async fn deleting_the_introducer_clears_the_reference_in_the_same_write(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let introducer = named(&ada, "Grace").await;
        let how_met = json!({"on": "2024", "introduced_by_id": introducer.id()});
        let first = make(&ada, json!({"given_name": "A", "how_met": how_met})).await;
        let second = make(&ada, json!({"given_name": "B", "how_met": {"introduced_by_id": introducer.id()}})).await;
        let begun = ada.get("/v1/changes?limit=1000").await.expect(200);

        ada.delete(&introducer.location()).await.expect(204);

        let read = ada.get(&first.location()).await.expect(200);
        assert_eq!(read.body["how_met"], json!({"on": "2024", "event_id": null, "introduced_by_id": null, "story": null}));
        assert_ne!(read.etag(), first.etag());
        let read = ada.get(&second.location()).await.expect(200);
        assert_eq!(read.body["how_met"], Value::Null, "nothing is left of how they met");
        let same = ada.patch(&second.location(), &json!({})).await.expect(200);
        assert_eq!(same.etag(), read.etag());

        let cursor = begun.body["next_cursor"].as_str().unwrap();
        let log = ada.get(&format!("/v1/changes?since={cursor}")).await.expect(200);
        let new = log.items();
        let told: Vec<_> = new.iter().map(|c| (c["op"].as_str().unwrap(), c["id"].as_str().unwrap().to_owned())).collect();
        assert_eq!(new.len(), 3, "{log}");
        assert!(told.contains(&("updated", first.id())) && told.contains(&("updated", second.id())), "{told:?}");
        assert_eq!(told.last().unwrap(), &("deleted", introducer.id()), "the record itself goes last");
        assert!(new.iter().all(|change| change["write"] == new[0]["write"]), "{log}");
        assert!(new.iter().filter(|c| c["op"] == "updated").all(|c| c["fields"] == json!(["how_met"])), "{log}");
    }

    async fn nobody_introduces_themselves(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let own = json!({"how_met": {"introduced_by_id": made.id()}});
        let reply = ada.patch(&made.location(), &own).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/how_met/introduced_by_id contradiction"]);
    }

    async fn contacts_are_looked_up_in_odd_spellings(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({
            "given_name": "Dorota", "known": false, "archived_at": "2026-01-01T00:00:00Z",
            "emails": {"work": {"value": "Dorota.K@Example.com"}},
            "phones": {"a": {"value": "512 345 678", "country": "PL"}, "b": {"value": "(030) 90 18 20"}},
            "links": {"in": {"url": "linkedin.com/in/Dorota-K"}, "blog": {"url": "http://www.dorota.example/blog/"}}}))
        .await;
        make(&ada, json!({"given_name": "Other", "emails": {"work": {"value": "other@example.com"}}})).await;
        for (name, spelling) in [
            ("email", "dorota.k@example.COM"),
            ("email", " DOROTA.K@EXAMPLE.COM "),
            ("phone", "+48 (512) 345-678"),
            ("phone", "0048512345678"),
            ("phone", "030/901820"),
            ("url", "https://www.linkedin.com/in/dorota-k/"),
            ("url", "https://pl.linkedin.com/in/dorota-k/details/skills?trk=abc"),
            ("url", "dorota.example/blog"),
        ] {
            let found = ada.get("/v1/contacts/lookup").query(&[(name, spelling)]).await.expect(200);
            assert_eq!(ids(&found), [made.id()], "{name}={spelling}");
        }
        let national = ada.get("/v1/contacts/lookup?phone=512345678&country=PL").await.expect(200);
        assert_eq!(ids(&national), [made.id()]);
        for nobody in ["email=nobody@example.com", "phone=%2B48512345679", "url=linkedin.com/in/somebody"] {
            let found = ada.get(&format!("/v1/contacts/lookup?{nobody}")).await.expect(200);
            assert_eq!(ids(&found), [""; 0]);
        }
        for wrong in ["", "?email=no", "?email=a@example.com&phone=110", "?url=ftp://example.com", "?q=x"] {
            let reply = ada.get(&format!("/v1/contacts/lookup{wrong}")).await;
            assert_eq!(reply.status, 400, "{reply}");
        }
        let bob = server.register("bob@example.com").await;
        let found = bob.get("/v1/contacts/lookup?email=dorota.k@example.com").await.expect(200);
        assert_eq!(ids(&found), [""; 0]);
        ada.patch(&made.location(), &json!({"emails": {"work": {"value": "new@example.com"}}})).await.expect(200);
        assert_eq!(ids(&ada.get("/v1/contacts/lookup?email=dorota.k@example.com").await.expect(200)), [""; 0]);
        assert_eq!(ids(&ada.get("/v1/contacts/lookup?email=new@example.com").await.expect(200)), [made.id()]);
    }

    async fn a_link_of_the_greatest_length_is_kept_and_found(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let link = |length: usize, last: &str| {
            let head = "https://example.org/";
            let mut path = String::new();
            // Nothing that an index could compress away.
            let mut state = 7_u32;
            while head.len() + path.len() + last.len() < length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                path.push(char::from(b'a' + u8::try_from((state >> 24) % 26).unwrap()));
            }
            format!("{head}{path}{last}")
        };
        let (one, other) = (link(2048, "a"), link(2048, "b"));
        let made = make(&ada, json!({"given_name": "A", "links": {"x": {"url": one}, "y": {"url": other}}})).await;
        assert_eq!(made.body["links"]["x"]["url"], one);
        let second = make(&ada, json!({"given_name": "B", "links": {"x": {"url": other}}})).await;

        let found = ada.get("/v1/contacts/lookup").query(&[("url", &one)]).await.expect(200);
        assert_eq!(ids(&found), [made.id()]);
        let mut both = ids(&ada.get("/v1/contacts/lookup").query(&[("url", &other)]).await.expect(200));
        both.sort();
        let mut expected = [made.id(), second.id()];
        expected.sort();
        assert_eq!(both, expected);
        let body = json!({"given_name": "C", "links": {"x": {"url": link(2049, "a")}}});
        let reply = ada.post("/v1/contacts", &body).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/links/x/url too_long"]);
    }

    async fn notes_of_the_greatest_length_are_kept_changed_and_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let han: String = (0..100_000_u32).map(|n| char::from_u32(0x4e00 + n.wrapping_mul(7919) % 20_000).unwrap()).collect();
        let words: String = (0..).map(|n| format!("w{n:x} ")).flat_map(|word| word.chars().collect::<Vec<_>>()).take(99_999).collect();
        for notes in [han, words + "!"] {
            let made = make(&ada, json!({"given_name": "A", "notes": notes})).await;
            assert_eq!(made.body["notes"], notes);
            let patched = ada.patch(&made.location(), &json!({"notes": "short"})).await.expect(200);
            let revert = format!("/v1/changes/{}/revert", patched.body["version"]);
            ada.post_nothing(&revert).await.expect(200);
            assert_eq!(ada.get(&made.location()).await.expect(200).body["notes"], notes);
            ada.delete(&made.location()).await.expect(204);
        }
        let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "notes": "x".repeat(100_001)})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/notes too_long"]);
    }

    async fn an_unknown_field_is_refused_even_as_null(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = make(&ada, json!({"given_name": "A", "emails": {"work": {"value": "a@example.com"}}})).await;
        for (body, error, params) in [
            (json!({"given_name": "A", "nmae": null}), "#/nmae unknown_field", json!({})),
            (json!({"given_name": "A", "familyName": null}), "#/familyName unknown_field", json!({"suggestion": "family_name"})),
            (json!({"given_name": "A", "emails": {"work": {"value": "a@example.com", "lable": null}}}),
                "#/emails/work/lable unknown_field", json!({"suggestion": "label"})),
            (json!({"given_name": "A", "how_met": {"where": null}}), "#/how_met/where unknown_field", json!({})),
            (json!({"given_name": "A", "workspace_id": null}), "#/workspace_id unknown_field", json!({})),
        ] {
            for reply in [
                ada.post("/v1/contacts", &body).await,
                ada.patch(&made.location(), &body).await,
                ada.put(&made.location(), &body).if_match("*").await,
            ] {
                reply.problem(422, "invalid");
                assert_eq!(reply.errors(), [error]);
                assert_eq!(reply.body["errors"][0]["params"], params, "{body}");
            }
        }
        let reply = ada.post("/v1/contacts", &json!({"given_name": "A", "add_tags": ["x"]})).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/add_tags unknown_field"]);
        assert_eq!(ada.get(&made.location()).await.expect(200).etag(), made.etag());
    }

    async fn a_nul_is_reported_beside_what_else_is_wrong(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "A\0", "nickname": "N".repeat(1000), "tier": "best", "notes": "\0"});
        let errors = ["#/given_name invalid_format", "#/nickname too_long", "#/notes invalid_format", "#/tier not_allowed"];
        let made = ada.post("/v1/contacts", &json!({"given_name": "A"})).await.expect(201);
        for reply in [
            ada.post("/v1/contacts", &body).await,
            ada.patch(&made.location(), &body).await,
            ada.put(&made.location(), &body).if_match("*").await,
        ] {
            assert_eq!(reply.expect(422).errors(), errors);
        }
        ada.patch(&made.location(), &json!({"notes": "\0"})).await.problem(422, "invalid");
        assert_eq!(ada.get(&made.location()).await.expect(200).body, made.body);
    }

    async fn arrays_and_maps_are_never_null(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "A", "emails": null, "tags": null, "known": null});
        let reply = ada.post("/v1/contacts", &body).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), ["#/emails invalid_type", "#/known invalid_type", "#/tags invalid_type"]);
        let made = make(&ada, json!({"given_name": "A", "tags": ["x"], "emails": {"w": {"value": "a@example.com"}}})).await;
        let cleared = ada.patch(&made.location(), &json!({"tags": null, "emails": null})).await.expect(200);
        assert_eq!((&cleared.body["tags"], &cleared.body["emails"]), (&json!([]), &json!({})));
    }

    async fn a_nul_character_is_refused_wherever_it_stands(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let body = json!({"given_name": "A\u{0}", "tags": ["\u{0}"], "emails": {"w": {"value": "a@example.com", "label": "\u{0}"}}});
        let reply = ada.post("/v1/contacts", &body).await;
        reply.problem(422, "invalid");
        assert_eq!(reply.errors(), [
            "#/emails/w/label invalid_format",
            "#/given_name invalid_format",
            "#/tags/0 invalid_format",
        ]);
        ada.get("/v1/contacts?q=a%00b").await.problem(400, "invalid_parameter");
    }

    async fn what_is_not_yours_does_not_exist(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let made = named(&ada, "Grace").await;
        let bob = server.register("bob@example.com").await;
        let at = made.location();
        for reply in [
            bob.get(&at).await,
            bob.patch(&at, &json!({"given_name": "X"})).await,
            bob.put(&at, &json!({"given_name": "X"})).if_match("*").await,
            bob.delete(&at).await,
            bob.delete(&format!("{at}?purge=true")).await,
            bob.post_nothing(&format!("{at}/restore")).await,
            bob.get(&format!("{at}/history")).await,
        ] {
            reply.problem(404, "not_found");
        }
        assert_eq!(ada.get(&at).await.expect(200).body, made.body);
    }
}
