//! Tests of merging: what is kept, and that nothing is lost.

use proptest::prelude::*;

use super::*;
use serde_json::json;

use crate::domain::contact::{Contact, ContactDate, ContactEmail, ContactFields};
use crate::domain::fields::{LabelText, NameText};
use crate::domain::id::{ContactId, OrganizationId};
use crate::domain::organization::{Organization, OrganizationFields};
use crate::domain::position::PositionFields;
use crate::domain::timestamp::Timestamp;

fn contact(number: u128, change: impl FnOnce(&mut ContactFields)) -> Contact {
    let mut fields = ContactFields { given_name: Some(format!("Ada{number}")), ..ContactFields::default() };
    change(&mut fields);
    let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
    Contact::new(ContactId::new(uuid::Uuid::from_u128(number)), now, fields).unwrap()
}

/// A contact of these fields, as JSON.
fn entered(number: u128, fields: serde_json::Value) -> Contact {
    let fields: ContactFields = serde_json::from_value(fields).unwrap();
    contact(number, |own| {
        *own = ContactFields { given_name: fields.given_name.clone().or(own.given_name.take()), ..fields }
    })
}

/// What becomes of two of these fields, at these places.
fn merged_at(one: serde_json::Value, other: serde_json::Value, pointers: &[&str]) -> Vec<serde_json::Value> {
    let merged = serde_json::to_value(entered(1, one).merged_with(&[entered(2, other)])).unwrap();
    pointers.iter().map(|pointer| merged.pointer(pointer).cloned().unwrap_or_default()).collect()
}

fn email(value: &str, preferred: bool) -> ContactEmail {
    ContactEmail { value: value.to_owned(), label: None, preferred }
}

#[test]
fn maps_are_united_and_nothing_stands_twice() {
    let keep = contact(1, |fields| {
        fields.emails.insert("work".to_owned(), email("ada@example.com", true));
    });
    let other = contact(2, |fields| {
        fields.emails.insert("home".to_owned(), email("ADA@example.com", false));
        fields.emails.insert("work".to_owned(), email("ada@other.example", true));
    });
    let merged = keep.merged_with(&[other]);
    let shown: Vec<_> =
        merged.emails.iter().map(|(key, email)| (key.as_str(), email.value.as_str(), email.preferred)).collect();
    assert_eq!(shown, [("work", "ada@example.com", true), ("work-2", "ada@other.example", false)]);
}

#[test]
fn the_one_that_is_kept_wins_where_only_one_thing_can_stand() {
    let keep = contact(1, |fields| fields.headline = Some("CTO".to_owned()));
    let other = contact(2, |fields| {
        fields.headline = Some("Engineer".to_owned());
        fields.location = Some("Warsaw".to_owned());
        fields.family_name = Some("Lovelace".to_owned());
    });
    let merged = keep.merged_with(&[other]);
    assert_eq!(merged.headline.as_deref(), Some("CTO"));
    assert_eq!(merged.location.as_deref(), Some("Warsaw"));
    assert_eq!((merged.given_name.as_deref(), merged.family_name), (Some("Ada1"), None));
}

#[test]
fn no_third_person_is_made_of_the_names_of_two() {
    let keep = contact(1, |fields| fields.family_name = Some("L".to_owned()));
    let sir = contact(2, |fields| {
        fields.prefix = Some("Sir".to_owned());
        fields.suffix = Some("Jr.".to_owned());
        fields.display_name = Some("Sir Bob".to_owned());
    });
    let merged = keep.merged_with(std::slice::from_ref(&sir));
    assert_eq!((merged.prefix, merged.suffix, merged.display_name), (None, None, None));
    let nameless = contact(3, |fields| {
        fields.given_name = None;
        fields.nickname = Some("k".to_owned());
    });
    let merged = nameless.merged_with(&[sir]);
    assert_eq!((merged.given_name.as_deref(), merged.display_name.as_deref()), (Some("Ada2"), Some("Sir Bob")));
}

#[test]
fn notes_stand_one_below_the_other_and_lists_hold_each_thing_once() {
    let keep = contact(1, |fields| {
        fields.notes = Some("Likes types.".to_owned());
        fields.tags = vec![LabelText("VIP".to_owned())];
    });
    let same = contact(2, |fields| fields.notes = Some("Likes types.".to_owned()));
    let other = contact(3, |fields| {
        fields.notes = Some("Met in Kraków.".to_owned());
        fields.tags = vec![LabelText("vip".to_owned()), LabelText("speaker".to_owned())];
    });
    let merged = keep.merged_with(&[same, other]);
    assert_eq!(merged.notes.as_deref(), Some("Likes types.\n\nMet in Kraków."));
    assert_eq!(merged.tags, [LabelText("VIP".to_owned()), LabelText("speaker".to_owned())]);
}

#[test]
fn a_date_that_says_less_of_the_same_day_is_no_second_one() {
    for (values, expected) in [
        (vec!["1990-06-15", "1990", "1990-06"], vec![("birthday", "1990-06-15")]),
        (vec!["1990", "1990-06-15"], vec![("birthday", "1990-06-15")]),
        (vec!["--06-15", "1990-06-15"], vec![("birthday", "1990-06-15")]),
        (vec!["1990", "1991"], vec![("birthday", "1990"), ("birthday-2", "1991")]),
        (vec!["1990", "--06-15"], vec![("birthday", "1990"), ("birthday-2", "--06-15")]),
        (vec!["1990-06", "1990-07-01"], vec![("birthday", "1990-06"), ("birthday-2", "1990-07-01")]),
        (
            vec!["1991", "1990", "1990-06-15", "1991-01"],
            vec![("birthday", "1991-01"), ("birthday-2", "1990-06-15")],
        ),
    ] {
        let born = values.iter().zip(1..).map(|(value, number)| {
            let date = ContactDate { value: (*value).to_owned(), label: None };
            contact(number, |fields| drop(fields.dates.insert("birthday".to_owned(), date)))
        });
        let born: Vec<Contact> = born.collect();
        let (keep, others) = born.split_first().unwrap();
        let merged = keep.merged_with(others);
        let shown: Vec<_> = merged.dates.iter().map(|(key, date)| (key.as_str(), date.value.as_str())).collect();
        assert_eq!(shown, expected, "{values:?}");
    }
}

#[test]
fn two_things_on_one_day_are_two_dates_and_a_label_stays() {
    let dated = |number: u128, key: &str, label: Option<&str>| {
        let date = ContactDate { value: "1990-06-15".to_owned(), label: label.map(str::to_owned) };
        contact(number, |fields| drop(fields.dates.insert(key.to_owned(), date)))
    };
    let merged = dated(1, "birthday", None)
        .merged_with(&[dated(2, "anniversary", None), dated(3, "birthday", Some("Ada's"))]);
    let shown: Vec<_> = merged.dates.iter().map(|(key, date)| (key.as_str(), date.label.as_deref())).collect();
    assert_eq!(shown, [("anniversary", None), ("birthday", Some("Ada's"))]);
}

#[test]
fn who_asked_not_to_be_contacted_stays_so_and_who_is_known_is_known() {
    let keep = contact(1, |fields| fields.known = false);
    let other = contact(2, |fields| fields.do_not_contact = true);
    let merged = keep.merged_with(&[other]);
    assert!(merged.known && merged.do_not_contact);
}

#[test]
fn a_long_key_makes_room_for_its_number() {
    let mut map = Keyed::default();
    map.insert("k".repeat(64), 1);
    let key = free_key(&map, &"k".repeat(64));
    assert_eq!((key.len(), key.ends_with("k-2")), (64, true));
}

#[test]
fn uniting_with_nobody_or_oneself_changes_nothing() {
    let keep = contact(1, |fields| {
        fields.emails.insert("a".to_owned(), email("ada@example.com", false));
        fields.emails.insert("b".to_owned(), email("ada@example.com", true));
        fields.notes = Some("x".to_owned());
    });
    assert_eq!(keep.merged_with(&[]), keep.fields);
    assert_eq!(keep.merged_with(std::slice::from_ref(&keep)), keep.fields);
}

#[test]
fn the_names_of_the_others_become_aliases() {
    let named = |number: u128, name: &str, aliases: &[&str]| {
        let fields = OrganizationFields {
            name: name.to_owned(),
            aliases: aliases.iter().map(|alias| NameText((*alias).to_owned())).collect(),
            ..OrganizationFields::default()
        };
        let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        Organization::new(OrganizationId::new(uuid::Uuid::from_u128(number)), now, fields).unwrap()
    };
    let merged =
        named(1, "Acme", &["ACME Corp"]).merged_with(&[named(2, "acme", &[]), named(3, "Acme GmbH", &["Acme"])]);
    let aliases: Vec<_> = merged.aliases.iter().map(|alias| alias.0.as_str()).collect();
    assert_eq!((merged.name.as_str(), aliases), ("Acme", vec!["ACME Corp", "Acme GmbH"]));
}

#[test]
fn an_entry_takes_over_what_it_lacks_and_no_other_is_dropped() {
    let own = json!({"given_name": "Max",
        "emails": {"a": {"value": "max@x.example"}, "b": {"value": "m@y.example"}},
        "phones": {"a": {"value": "+49 30 901820"}},
        "links": {"w": {"url": "https://max.example"}, "t": {"url": "https://max.example/team#max"}},
        "addresses": {"h": {"city": "Bonn"}},
        "dates": {"x": {"value": "2020-05-01", "label": "Wedding"}},
        "external_ids": {"monica": {"id": "17"}, "linkedin": {"id": "max"}}});
    let other = json!({"given_name": "Max",
        "emails": {"a": {"value": "MAX@x.example", "label": "private", "preferred": true}},
        "phones": {"a": {"value": "0049 (30) 901820", "label": "evenings", "country": "DE"},
            "b": {"value": "+49 30 901820 / +49 171 1234567"}, "c": {"value": "+49 30 901820 (ask for Ms Meier)"}},
        "links": {"w": {"url": "http://www.max.example/", "checked_on": "2026-02-01"},
            "t": {"url": "https://max.example/team#otto"}},
        "addresses": {"h": {"city": "BONN", "label": "parents", "preferred": true}},
        "dates": {"x": {"value": "2020-05-01", "label": "First day at Acme"}},
        "external_ids": {"hubspot": {"id": "17"}, "linkedin": {"id": "max", "connected_on": "2020-12-07"}}});
    let expected = [
        ("/emails/a/label", json!("private")),
        ("/emails/a/preferred", json!(true)),
        ("/emails/a-2", json!(null)),
        ("/phones/a/label", json!("evenings")),
        ("/phones/a/country", json!("DE")),
        ("/phones/b/value", json!("+49 30 901820 / +49 171 1234567")),
        ("/phones/c/value", json!("+49 30 901820 (ask for Ms Meier)")),
        ("/links/w/checked_on", json!("2026-02-01")),
        ("/links/t-2/url", json!("https://max.example/team#otto")),
        ("/addresses/h/label", json!("parents")),
        ("/addresses/h/preferred", json!(true)),
        ("/addresses/h-2", json!(null)),
        ("/dates/x-2/label", json!("First day at Acme")),
        ("/external_ids/monica/id", json!("17")),
        ("/external_ids/hubspot/id", json!("17")),
        ("/external_ids/linkedin/connected_on", json!("2020-12-07")),
    ];
    let pointers: Vec<&str> = expected.iter().map(|(pointer, _)| *pointer).collect();
    for ((pointer, expected), found) in expected.iter().zip(merged_at(own, other, &pointers)) {
        assert_eq!(&found, expected, "{pointer}");
    }
}

#[test]
fn a_preferred_entry_stays_the_only_one() {
    let own = json!({"emails": {"a": {"value": "a@x.example"}, "b": {"value": "b@x.example", "preferred": true}}});
    let other = json!({"emails": {"a": {"value": "a@x.example", "preferred": true}}});
    let preferred = merged_at(own, other, &["/emails/a/preferred", "/emails/b/preferred"]);
    assert_eq!(preferred, [json!(false), json!(true)]);
}

#[test]
fn a_name_is_filled_by_the_same_name_and_another_one_becomes_an_alias() {
    let names = ["/given_name", "/family_name", "/prefix", "/middle_name", "/suffix", "/display_name", "/aliases"];
    let muster = json!({"given_name": "Max", "family_name": "Muster"});
    for (one, other, expected) in [
        (
            muster.clone(),
            json!({"given_name": "max", "family_name": "Muster", "prefix": "Dr.", "middle_name": "J.", "suffix": "PhD"}),
            json!(["Max", "Muster", "Dr.", "J.", "PhD", null, []]),
        ),
        (
            json!({"given_name": "Max", "family_name": "Muster", "middle_name": "K.", "suffix": "Jr."}),
            json!({"given_name": "Max", "family_name": "Muster", "prefix": "Dr.", "middle_name": "J."}),
            json!(["Max", "Muster", "Dr.", "K.", "Jr.", null, ["Dr. Max J. Muster"]]),
        ),
        (json!({"given_name": "Max"}), muster.clone(), json!(["Max", "Muster", null, null, null, null, []])),
        (
            json!({"given_name": "Anna", "family_name": "Nowak"}),
            json!({"given_name": "Anna", "family_name": "Kowalska", "prefix": "Dr."}),
            json!(["Anna", "Nowak", null, null, null, null, ["Dr. Anna Kowalska"]]),
        ),
        (
            muster.clone(),
            json!({"given_name": "Otto", "display_name": "Otto of the Chess Club", "nickname": "Otti"}),
            json!(["Max", "Muster", null, null, null, null, ["Otto", "Otto of the Chess Club"]]),
        ),
        (
            json!({"given_name": "Mitsuru", "family_name": "Ota"}),
            json!({"given_name": "満", "family_name": "太田", "phonetic_given_name": "ミツル", "phonetic_family_name": "オオタ"}),
            json!(["Mitsuru", "Ota", null, null, null, null, ["太田満", "オオタミツル"]]),
        ),
        (muster.clone(), muster, json!(["Max", "Muster", null, null, null, null, []])),
    ] {
        assert_eq!(json!(merged_at(one, other, &names)), expected);
    }
}

#[test]
fn only_a_whole_text_is_left_out() {
    for (one, other, expected) in [
        ("not married", "married", "not married\n\nmarried"),
        ("married", "not married", "married\n\nnot married"),
        ("married", " married ", "married"),
    ] {
        let (own, other) = (json!({"notes": one, "about": one}), json!({"notes": other, "about": other}));
        assert_eq!(merged_at(own, other, &["/notes", "/about"]), [json!(expected), json!(expected)]);
    }
}

#[test]
fn what_has_parts_is_filled_part_by_part() {
    let own = json!({"how_met": {"on": "2024"}, "cadence": {"paused_until": "2026-09-01"}});
    let other =
        json!({"how_met": {"on": "2023", "story": "On a train."}, "cadence": {"every": 2, "unit": "week"}});
    let found =
        merged_at(own, other, &["/how_met/on", "/how_met/story", "/cadence/every", "/cadence/paused_until"]);
    assert_eq!(found, [json!("2024"), json!("On a train."), json!(2), json!("2026-09-01")]);
}

fn position(fields: serde_json::Value) -> PositionFields {
    let mut own = json!({"contact_id": uuid::Uuid::from_u128(1), "title": "CTO"});
    own.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(own).unwrap()
}

#[test]
fn positions_that_agree_are_one_with_all_that_either_says() {
    let (acme, bolt) = (uuid::Uuid::from_u128(2), uuid::Uuid::from_u128(3));
    for (one, other, agree) in [
        (json!({"started_on": "2020"}), json!({"started_on": "2020-03", "ended_on": "2024"}), true),
        (json!({"title": "cto"}), json!({"kind": "founder"}), true),
        (json!({"organization_id": acme}), json!({"organization_name": "Acme"}), true),
        (json!({"organization_id": acme}), json!({"organization_id": bolt}), false),
        (json!({"started_on": "2020"}), json!({"started_on": "2021"}), false),
        (json!({"ended_on": "2015"}), json!({"started_on": "2020"}), false),
        (json!({"title": "CEO"}), json!({}), false),
        (json!({"title": null, "organization_name": "Acme"}), json!({}), false),
        (json!({"department": "Sales"}), json!({"department": "Research"}), false),
        (json!({"kind": "board"}), json!({"kind": "founder"}), false),
    ] {
        let (first, second) = (position(one.clone()), position(other.clone()));
        assert_eq!(first.agrees_with(&second), agree, "{one} {other}");
        assert_eq!(second.agrees_with(&first), agree, "{other} {one}");
    }
    let own = position(json!({"started_on": "2020"}));
    let more = position(json!({"started_on": "2020-03", "ended_on": "2024", "primary": true, "source": "card",
        "department": "Research", "kind": "founder", "organization_name": "Acme"}));
    assert_eq!(own.joined(&more), more);
}

#[test]
fn joined_texts_are_as_long_as_they_may_be() {
    let mut invalid = Invalid::default();
    check_joined_text("why", Some("ab"), 2, &mut invalid);
    check_joined_list("questions", &[1, 2], 2, &mut invalid);
    assert!(invalid.is_empty());
    check_joined_text("why", Some("abc"), 2, &mut invalid);
    check_joined_list("questions", &[1, 2, 3], 2, &mut invalid);
    assert!(invalid.errors.iter().all(|error| error.code == FieldCode::TooLong) && !invalid.is_empty());
}

/// Fields of contacts that have much in common; each value with what is said of it always says the same.
fn some_fields() -> impl Strategy<Value = serde_json::Value> {
    let one_of = |values: &'static [&'static str]| {
        prop::option::of(prop::sample::select(values)).prop_map(|value| json!(value))
    };
    let map = |name: &'static str, values: &'static [&'static str]| {
        prop::collection::btree_map("[ab]", prop::sample::select(values), 0..3).prop_flat_map(move |entries| {
            (Just(entries), any::<bool>()).prop_map(move |(entries, has_label)| {
                let entry = |value: &str| match has_label {
                    true => json!({name: value, "label": format!("label of {}", value.to_lowercase())}),
                    false => json!({ name: value }),
                };
                let entries = entries.iter().map(|(key, value)| (key.clone(), entry(value)));
                serde_json::Value::Object(entries.collect())
            })
        })
    };
    let links = prop::collection::btree_map(
        "[ab]",
        prop::sample::select(
            &[
                "https://ada.example/#a",
                "https://ada.example/#b",
                "https://x.com/#!/a",
                "https://x.com/#!/b",
                "https://x.com/ada",
            ][..],
        ),
        0..3,
    );
    let external = prop::collection::btree_map("[ab]", prop::sample::select(&["17", "18"][..]), 0..3);
    let names = (
        one_of(&["Ada", "Anna"]),
        one_of(&["Nowak", "Maj"]),
        one_of(&["Jan", "K."]),
        one_of(&["Dr.", "Prof."]),
        one_of(&["Jr.", "Sr."]),
        one_of(&["Adi", "Anni"]),
        one_of(&["Ada of Acme", "Anna of Bolt"]),
    );
    let maps = (
        map("value", &["ada@x.example", "ADA@x.example", "anna@x.example"]),
        map("value", &["+49 30 901820", "+49 30 901820 / 21", "+49 30 901820 (Ms Meier)", "+49 171 1234567"]),
        map("city", &["Bonn", "Berlin"]),
        links,
        external,
    );
    let texts = (
        one_of(&["married", "not married", "not"]),
        one_of(&["Likes types.", "Likes types"]),
        one_of(&["rust", "go"]),
    );
    (names, maps, texts).prop_map(|(names, maps, texts)| {
        let (given, family, middle, prefix, suffix, nickname, display) = names;
        let (emails, phones, addresses, links, external) = maps;
        let links: serde_json::Map<_, _> =
            links.iter().map(|(key, url)| (key.clone(), json!({"url": url, "checked_on": "2026-02-01"}))).collect();
        let external: serde_json::Map<_, _> =
            external.iter().map(|(key, id)| (key.clone(), json!({"id": format!("{key}{id}")}))).collect();
        json!({"given_name": given, "family_name": family, "middle_name": middle, "prefix": prefix, "suffix": suffix,
            "nickname": nickname, "display_name": display, "emails": emails, "phones": phones, "addresses": addresses,
            "links": links, "external_ids": external, "notes": texts.0, "about": texts.1, "tags": texts.2.as_str().into_iter().collect::<Vec<_>>()})
    })
}

/// All texts in a value, folded.
fn leaves(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text::fold(text)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        serde_json::Value::Object(members) => members.values().for_each(|member| leaves(member, found)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn every_value_that_any_had_is_found_in_the_survivor(all in prop::collection::vec(some_fields(), 2..4)) {
        let all: Vec<Contact> = all
            .into_iter()
            .zip(1..)
            .map(|(fields, number)| contact(number, |own| {
                let given = own.given_name.take();
                *own = serde_json::from_value(fields).unwrap();
                if own.nickname.is_none() && own.display_name.is_none() && own.family_name.is_none() {
                    own.given_name = own.given_name.take().or(given);
                }
            }))
            .collect();
        let (keep, others) = all.split_first().unwrap();
        let merged = serde_json::to_value(keep.merged_with(others)).unwrap();
        let mut found = Vec::new();
        leaves(&merged, &mut found);
        let within: Vec<String> = ["/notes", "/about"].iter().filter_map(|at| merged.pointer(at)?.as_str())
            .flat_map(|text| text.split("\n\n")).map(text::fold).collect();
        // A part of a name is a word or more of an alias.
        let aliases = merged["aliases"].to_string();
        for one in &all {
            let fields = serde_json::to_value(&one.fields).unwrap();
            for (name, value) in fields.as_object().unwrap() {
                if ["name", "sort_name"].contains(&name.as_str()) {
                    continue;
                }
                let mut entered = Vec::new();
                leaves(value, &mut entered);
                for leaf in entered {
                    let is_found = found.contains(&leaf) || within.contains(&leaf)
                        || name.ends_with("name") || name.ends_with("fix");
                    let is_alias = text::fold(&aliases).contains(&leaf);
                    prop_assert!(is_found && (found.contains(&leaf) || within.contains(&leaf) || is_alias), "{} {}: {}", name, leaf, merged);
                }
            }
        }
        let ids = |fields: &ContactFields| fields.external_ids.values().map(|own| own.id.clone()).collect::<Vec<_>>();
        let kept = ids(&keep.merged_with(others));
        prop_assert!(all.iter().flat_map(|one| ids(&one.fields)).all(|id| kept.contains(&id)));
    }
}
