//! Duplicates: each reason for and against, what is left out, and that walking all of them shows each pair once and costs
//! what there is, not its square. How the points come about is tested beside the rules.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wellmet::domain::contact::{ContactEmail, ContactFields};

use crate::support::*;

/// The newest first, so that what a test has made last is what it sees first.
const CONTACTS: &str = "/v1/contacts/duplicates?sort=-id";
const ORGANIZATIONS: &str = "/v1/organizations/duplicates?sort=-id";

async fn contact(client: &Client, body: Value) -> Reply {
    client.post("/v1/contacts", &body).await.expect(201)
}

async fn organization(client: &Client, body: Value) -> Reply {
    client.post("/v1/organizations", &body).await.expect(201)
}

async fn person(client: &Client, given: &str, family: &str) -> Reply {
    contact(client, json!({"given_name": given, "family_name": family})).await
}

/// A pair in one line: who, the score, and each reason with its points.
fn told(pair: &Value) -> String {
    let both = pair["contacts"].as_array().or(pair["organizations"].as_array()).expect("two records");
    let name = |at: usize| both[at]["name"].as_str().unwrap_or_default();
    let reasons = pair["reasons"].as_array().expect("reasons");
    let reasons: Vec<String> = reasons
        .iter()
        .map(|reason| format!("{} {}", reason["code"].as_str().unwrap(), reason["points"]))
        .collect();
    format!("{} / {}: {} ({})", name(0), name(1), pair["score"], reasons.join(", "))
}

async fn pairs(client: &Client, path: &str) -> Vec<String> {
    client.walk(path).await.iter().map(told).collect()
}

/// The ids of a pair, the newer first.
fn ids(pair: &Value) -> [String; 2] {
    [0, 1].map(|at| pair["contacts"][at]["id"].as_str().unwrap().to_owned())
}

fn named(given: &str, family: &str) -> ContactFields {
    ContactFields {
        given_name: Some(given.to_owned()),
        family_name: Some(family.to_owned()),
        ..ContactFields::default()
    }
}

/// A text of letters for a number, none like another's.
fn letters(number: usize) -> String {
    let digit = |at: u32| char::from(b'a' + u8::try_from(number / 26_usize.pow(at) % 26).unwrap());
    (0..5).map(digit).flat_map(|letter| [letter, letter]).collect()
}

on_both! {
    async fn every_reason_for_two_contacts_is_told_with_its_points(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let by = |n: &str, more: Value| {
            let mut body = json!({"given_name": format!("Given{n}"), "nickname": "x"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, other) in [
            (by("a", json!({"emails": {"w": {"value": "One@example.com"}}})), by("b", json!({"emails": {"x": {"value": "one@EXAMPLE.com"}}}))),
            (by("c", json!({"phones": {"w": {"value": "+48 512 345 678"}}})), by("d", json!({"phones": {"w": {"value": "512345678", "country": "PL"}}}))),
            (by("e", json!({"links": {"w": {"url": "https://www.linkedin.com/in/one"}}})), by("f", json!({"links": {"w": {"url": "linkedin.com/in/one/"}}}))),
        ] {
            contact(&ada, body).await;
            contact(&ada, other).await;
        }
        person(&ada, "Łukasz", "Groß").await;
        contact(&ada, json!({"given_name": "GROSS", "family_name": "Lukasz", "prefix": "Dr.", "suffix": "PhD"})).await;
        person(&ada, "Katarzyna", "Wiśniewska").await;
        person(&ada, "Katarzyna", "Wisnewska").await;
        assert_eq!(pairs(&ada, CONTACTS).await, [
            "Katarzyna Wisnewska / Katarzyna Wiśniewska: 39 (near_name 39)",
            "Dr. GROSS Lukasz PhD / Łukasz Groß: 50 (same_name 50)",
            "Givenf / Givene: 90 (same_link 90)",
            "Givend / Givenc: 80 (same_phone 80)",
            "Givenb / Givena: 90 (same_email 90)",
        ]);
        let page = ada.get(&format!("{CONTACTS}&min_score=90&limit=1")).await.expect(200);
        assert_eq!(page.items()[0]["reasons"][0]["detail"], "linkedin.com/in/one");
        assert_eq!(page.items()[0]["dismissal_id"], Value::Null);
        assert_eq!(pairs(&ada, &format!("{CONTACTS}&min_score=51")).await.len(), 3);
        assert_eq!(pairs(&ada, &format!("{CONTACTS}&min_score=91")).await.len(), 0);
    }

    async fn the_same_name_counts_for_more_at_the_same_organization(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = organization(&ada, json!({"name": "Acme"})).await;
        let other = organization(&ada, json!({"name": "Monday"})).await;
        let mut all = Vec::new();
        for place in [
            json!({"organization_id": acme.id()}),
            json!({"organization_name": "ÁCME", "title": "CTO"}),
            json!({"organization_id": other.id()}),
        ] {
            let maria = person(&ada, "Maria", "Garcia").await;
            let mut position = place;
            position["contact_id"] = json!(maria.id());
            ada.post("/v1/positions", &position).await.expect(201);
            all.push(maria.id());
        }
        let jon = person(&ada, "Mario", "Garcia").await;
        ada.post("/v1/positions", &json!({"contact_id": jon.id(), "organization_id": other.id()})).await.expect(201);
        let own = "Maria Garcia / Maria Garcia";
        assert_eq!(pairs(&ada, CONTACTS).await, [
            "Mario Garcia / Maria Garcia: 53 (near_name_and_organization 53)".to_owned(),
            "Mario Garcia / Maria Garcia: 33 (near_name 33)".to_owned(),
            "Mario Garcia / Maria Garcia: 33 (near_name 33)".to_owned(),
            format!("{own}: 50 (same_name 50)"),
            format!("{own}: 50 (same_name 50)"),
            format!("{own}: 75 (same_name_and_organization 75)"),
        ]);
        let of_first = ada.get(&format!("{CONTACTS}&contact_id={}&min_score=60", all[0])).await.expect(200);
        assert_eq!(of_first.items()[0]["reasons"][0]["detail"], "Maria Garcia, Acme");
        // Two who work for themselves do not work together.
        for family in ["Nowak", "Nowak"] {
            let free = person(&ada, "Anna", family).await;
            let position = json!({"contact_id": free.id(), "organization_name": "Self-employed"});
            ada.post("/v1/positions", &position).await.expect(201);
        }
        assert_eq!(pairs(&ada, CONTACTS).await[0], "Anna Nowak / Anna Nowak: 50 (same_name 50)");
    }

    async fn what_speaks_against_a_pair_is_told_and_lowers_its_score(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let phone = json!({"home": {"value": "+48 512 345 678"}});
        for (given, family) in [("Jan", "Nowak"), ("Piotr", "Nowak"), ("Anna", "Kowalska"), ("Anna", "Maj")] {
            contact(&ada, json!({"given_name": given, "family_name": family, "phones": phone})).await;
        }
        for (day, family) in [("1990-06-15", "Smith"), ("--06-16", "Smith")] {
            contact(&ada, json!({"given_name": "John", "family_name": family, "dates": {"birthday": {"value": day}}})).await;
        }
        contact(&ada, json!({"given_name": "Eva", "family_name": "Mayer", "emails": {"w": {"value": "eva@example.com"}}})).await;
        contact(&ada, json!({"given_name": "Eva", "family_name": "Huber", "aliases": ["Mayer"],
            "emails": {"w": {"value": "eva@example.com"}}})).await;
        let against = "same_phone 80, different_given_name -70";
        assert_eq!(pairs(&ada, CONTACTS).await, [
            "Eva Huber / Eva Mayer: 90 (same_email 90)".to_owned(),
            "John Smith / John Smith: 20 (same_name 50, different_birthday -60)".to_owned(),
            "Anna Maj / Anna Kowalska: 48 (same_phone 80, different_family_name -40)".to_owned(),
            format!("Anna Maj / Piotr Nowak: 24 ({against})"),
            format!("Anna Maj / Jan Nowak: 24 ({against})"),
            format!("Anna Kowalska / Piotr Nowak: 24 ({against})"),
            format!("Anna Kowalska / Jan Nowak: 24 ({against})"),
            format!("Piotr Nowak / Jan Nowak: 24 ({against})"),
        ]);
    }

    async fn the_likeliest_pairs_come_first_each_with_what_tells_the_two_apart(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = organization(&ada, json!({"name": "Acme"})).await;
        let same = |email: &str| json!({"given_name": "Jo", "family_name": "Kim", "emails": {"a": {"value": email}}});
        let first = contact(&ada, same("jo@example.com")).await;
        let second = contact(&ada, same("jo@example.com")).await;
        for (title, is_primary) in [("Lecturer", false), ("CTO", true)] {
            let position = json!({"contact_id": first.id(), "organization_id": acme.id(), "title": title, "primary": is_primary});
            ada.post("/v1/positions", &position).await.expect(201);
        }
        for (given, suffix) in [("Otto", "Jr."), ("Otto", "Sr."), ("Jörg", ""), ("Joerg", "")] {
            let family = if given == "Jörg" { "Müller" } else if given == "Joerg" { "Mueller" } else { "Smith" };
            contact(&ada, json!({"given_name": given, "family_name": family, "suffix": suffix})).await;
        }
        let all = pairs(&ada, "/v1/contacts/duplicates").await;
        assert_eq!(all, [
            "Jo Kim / Jo Kim: 95 (same_email 90, same_name 50)",
            "Joerg Mueller / Jörg Müller: 50 (same_name 50)",
            "Otto Smith Sr. / Otto Smith Jr.: 15 (same_name 50, different_suffix -70)",
        ]);
        assert_eq!(pairs(&ada, "/v1/contacts/duplicates?sort=-score&limit=1").await, all);
        let found = ada.get("/v1/contacts/duplicates?limit=1").await.expect(200);
        let pair = &found.items()[0];
        assert_eq!(ids(pair), [second.id(), first.id()]);
        assert_eq!((&pair["positions"][0], &pair["positions"][1]["title"], &pair["positions"][1]["organization_name"]),
            (&Value::Null, &json!("CTO"), &json!("Acme")));
        let of_first = format!("/v1/contacts/duplicates?contact_id={}", first.id());
        assert_eq!(pairs(&ada, &of_first).await, all[..1]);
        ada.get("/v1/contacts/duplicates?sort=score").await.problem(400, "invalid_parameter");
    }

    async fn names_that_look_alike_to_a_machine_only_are_no_pair(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for (given, family) in [("明", "李"), ("强", "李"), ("明", "王"), ("小明", "陈"), ("小红", "陈"), ("철수", "김"), ("철호", "김"),
            ("Lee", "Wong"), ("Lea", "Wong"), ("Jan", "Nowak"), ("Ewa", "Nowak")] {
            person(&ada, given, family).await;
        }
        assert_eq!(pairs(&ada, CONTACTS).await, [] as [&str; 0]);
        contact(&ada, json!({"display_name": "李明"})).await;
        assert_eq!(pairs(&ada, CONTACTS).await, ["李明 / 李明: 50 (same_name 50)"]);
    }

    async fn everybody_takes_part_archived_unknown_and_oneself(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let me = ada.get("/v1/me").await.expect(200).body["self_contact_id"].as_str().unwrap().to_owned();
        contact(&ada, json!({"given_name": "Ada", "archived_at": "2026-01-01T00:00:00Z"})).await;
        contact(&ada, json!({"given_name": "ADA", "known": false})).await;
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 3);
        assert_eq!(ids(&ada.walk(CONTACTS).await[2])[1], me);
    }

    async fn every_reason_for_two_organizations_is_told_with_its_points(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let acme = organization(&ada, json!({"name": "Acme GmbH", "domain": "acme.example"})).await;
        organization(&ada, json!({"name": "Acme Laboratories", "domain": "https://www.acme.example", "parent_id": acme.id()})).await;
        organization(&ada, json!({"name": "Acme, Inc."})).await;
        organization(&ada, json!({"name": "Poniedziałek Sp. z o.o.", "aliases": ["Monday"]})).await;
        organization(&ada, json!({"name": "MONDAY"})).await;
        organization(&ada, json!({"name": "Poniedzalek"})).await;
        organization(&ada, json!({"name": "X Y", "links": {"l": {"url": "https://www.linkedin.com/company/xy"}}})).await;
        organization(&ada, json!({"name": "Zed", "links": {"l": {"url": "linkedin.com/company/xy"}}})).await;
        assert_eq!(pairs(&ada, ORGANIZATIONS).await, [
            "Zed / X Y: 90 (same_link 90)",
            "Poniedzalek / Poniedziałek Sp. z o.o.: 40 (near_name 40)",
            "MONDAY / Poniedziałek Sp. z o.o.: 70 (same_name 70)",
            "Acme, Inc. / Acme GmbH: 60 (same_name_but_legal_form 60)",
            "Acme Laboratories / Acme GmbH: 18 (same_domain 90, part_of_the_other -80)",
        ]);
        let own = pairs(&ada, &format!("{ORGANIZATIONS}&organization_id={}", acme.id())).await;
        assert_eq!(own.len(), 2, "{own:?}");
    }

    async fn a_dismissed_pair_is_gone_until_that_is_taken_back(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let (one, other) = (person(&ada, "Maria", "Garcia").await, person(&ada, "Maria", "Garcia").await);
        let pair = json!({"contact_id": one.id(), "other_contact_id": other.id()});
        let dismissed = format!("{CONTACTS}&dismissed=true");
        for undo in ["revert", "delete"] {
            assert_eq!(pairs(&ada, &dismissed).await, [] as [&str; 0]);
            let made = ada.post("/v1/duplicate-dismissals", &pair).await.expect(201);
            for of in [CONTACTS.to_owned(), format!("{CONTACTS}&contact_id={}", one.id())] {
                assert_eq!(ada.get(&of).await.expect(200).items(), [] as [Value; 0]);
            }
            let page = ada.get(&dismissed).await.expect(200);
            assert_eq!(page.items()[0]["dismissal_id"], made.body["id"]);
            match undo {
                "revert" => drop(ada.post_nothing(&format!("/v1/changes/{}/revert", made.body["version"])).await.expect(200)),
                _ => drop(ada.delete(&made.location()).await.expect(204)),
            }
            assert_eq!(ada.get(CONTACTS).await.expect(200).items().len(), 1, "after {undo}");
        }
        let (acme, again) = (organization(&ada, json!({"name": "Acme"})).await, organization(&ada, json!({"name": "Acme"})).await);
        assert_eq!(pairs(&ada, ORGANIZATIONS).await.len(), 1);
        let organizations = json!({"organization_id": acme.id(), "other_organization_id": again.id()});
        ada.post("/v1/duplicate-dismissals", &organizations).await.expect(201);
        assert_eq!(pairs(&ada, ORGANIZATIONS).await.len(), 0);
        assert_eq!(pairs(&ada, &format!("{ORGANIZATIONS}&dismissed=true")).await.len(), 1);
    }

    async fn a_deleted_or_renamed_contact_and_another_workspace_are_not_seen(server: TestServer) {
        let (ada, eve) = (server.register("ada@example.com").await, server.register("eve@example.com").await);
        let (_, other) = (person(&ada, "Maria", "Garcia").await, person(&ada, "Maria", "Garcia").await);
        let hers = person(&eve, "Maria", "Garcia").await;
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 1);
        assert_eq!(pairs(&eve, CONTACTS).await.len(), 0);
        assert_eq!(pairs(&ada, &format!("{CONTACTS}&contact_id={}", hers.id())).await.len(), 0);
        ada.patch(&other.location(), &json!({"given_name": "Joana"})).await.expect(200);
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 0);
        ada.patch(&other.location(), &json!({"given_name": "Maria"})).await.expect(200);
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 1);
        ada.delete(&other.location()).await.expect(204);
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 0);
        ada.post_nothing(&format!("{}/restore", other.location())).await.expect(200);
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 1);
    }

    async fn a_page_has_a_tag_and_a_cursor_of_its_own_list(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        for _ in 0..3 {
            person(&ada, "Maria", "Garcia").await;
        }
        let page = ada.get(&format!("{CONTACTS}&limit=1")).await.expect(200);
        assert!(page.etag().starts_with("W/"), "{page}");
        ada.get(CONTACTS).if_none_match(&page.etag()).await.expect(304);
        let cursor = page.body["next_cursor"].as_str().unwrap();
        ada.get(&format!("{CONTACTS}&limit=2&cursor={cursor}")).await.expect(200);
        for other in [format!("{CONTACTS}&min_score=1&cursor={cursor}"), format!("{ORGANIZATIONS}&cursor={cursor}")] {
            ada.get(&other).await.problem(400, "invalid_cursor");
        }
        person(&ada, "Somebody", "Else").await;
        ada.get(CONTACTS).if_none_match(&page.etag()).await.expect(200);
    }

    async fn walking_in_small_pages_shows_each_pair_once_in_the_order_of_one_big_page(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        // 25 people of one name are 300 pairs.
        create_contacts(&server, &ada, vec![named("Maria", "Garcia"); 25]).await;
        let mut big = ada.walk(&format!("{CONTACTS}&limit=200")).await;
        assert_eq!(big.len(), 300);
        for limit in [7, 24, 100] {
            assert!(ada.walk(&format!("{CONTACTS}&limit={limit}")).await == big, "limit {limit}");
        }
        let order: Vec<[String; 2]> = big.iter().map(ids).collect();
        let mut sorted = order.clone();
        sorted.sort();
        sorted.reverse();
        sorted.dedup();
        assert_eq!(order, sorted);
        let middle = order[150][0].clone();
        let own = ada.walk(&format!("{CONTACTS}&limit=5&contact_id={middle}")).await;
        big.retain(|pair| ids(pair).contains(&middle));
        assert_eq!(own, big);
        assert_eq!(own.len(), 24);
    }

    async fn what_too_many_share_tells_nothing(server: TestServer) {
        let ada = server.register("ada@example.com").await;
        let office = |n: usize| {
            let mut fields = named(&letters(n), &letters(n + 1_000));
            let email = ContactEmail { value: "office@example.com".to_owned(), ..ContactEmail::default() };
            fields.emails.insert("office".to_owned(), email);
            fields
        };
        create_contacts(&server, &ada, (0..20).map(office).collect()).await;
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 190);
        create_contacts(&server, &ada, vec![office(20)]).await;
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 0);
        create_contacts(&server, &ada, vec![named("Test", "Test"); 51]).await;
        assert_eq!(pairs(&ada, CONTACTS).await.len(), 0);
    }
}

/// A walk over all duplicates: how long it took, and how many there are.
async fn walk_time(client: &Client) -> (Duration, usize) {
    let start = Instant::now();
    let count = client.walk(&format!("{CONTACTS}&limit=200")).await.len();
    (start.elapsed(), count)
}

/// People as they come: every tenth twice, a quarter called the same, a fifth of one family with one initial, and the
/// rest in families of eight.
fn crowd(from: usize, to: usize) -> Vec<ContactFields> {
    let one = |n: usize| match n % 20 {
        0 | 10 => named(&letters(n / 20), &letters(n / 20 + 77)),
        1..=5 => named("Test", "Test"),
        6..=9 => named(&format!("S{}", letters(n)), "Kim"),
        _ => named(&letters(n), &letters(n / 18 + 100_000)),
    };
    (from..to).map(one).collect()
}

/// Loads so many contacts for one, four times as many for another, and compares the time it takes to walk over all
/// duplicates: the shortest of five walks each, taken in turns, since the machine may be busy with something else.
async fn check_growth(server: &TestServer, count: usize) {
    let crowds =
        [(server.register("ada@example.com").await, count), (server.register("eve@example.com").await, 4 * count)];
    for (client, count) in &crowds {
        create_contacts(server, client, crowd(0, *count)).await;
    }
    if server.backend == Backend::Postgres {
        // As autovacuum does within a minute; without statistics PostgreSQL takes any index for as good as another.
        server.database.execute("ANALYZE record_keys");
    }
    let mut best = [Duration::MAX; 2];
    for _ in 0..5 {
        for (best, (client, count)) in best.iter_mut().zip(&crowds) {
            let (time, pairs) = walk_time(client).await;
            assert_eq!(pairs, count / 20);
            *best = time.min(*best);
        }
    }
    let [few, many] = best;
    eprintln!("{count} contacts: {few:?}, four times as many: {many:?}");
    // Linear is 4, quadratic 16.
    assert!(many < few * 9, "{few:?} for {count} contacts, {many:?} for four times as many");
}

on_both! {
    async fn walking_all_duplicates_takes_four_times_as_long_for_four_times_as_many_contacts(server: TestServer) {
        check_growth(&server, 800).await;
    }

    /// Takes minutes: `cargo test --release -- --ignored twenty_thousand`.
    #[ignore = "takes minutes"]
    async fn walking_all_duplicates_of_twenty_thousand_takes_four_times_as_long_as_of_five(server: TestServer) {
        check_growth(&server, 5_000).await;
    }
}
