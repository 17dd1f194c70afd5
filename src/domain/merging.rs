//! Merging the fields of records that are the same person or organization: everything that was entered in any of
//! them, once. Where only one value can stay, it is that of the record that is kept. References to the others are
//! not moved here.

use std::collections::HashSet;

use super::contact::{Contact, ContactDate, ContactFields};
use super::email::EmailAddress;
use super::fields::{LabelText, LanguageTag, NameText, ProfileLink};
use super::keyed::Keyed;
use super::link::ProfileUrl;
use super::organization::{Organization, OrganizationFields};
use super::partial_date::PartialDate;
use super::phone::PhoneNumber;
use super::text;

/// Most characters of a key of a map.
const MAX_KEY_CHARACTERS: usize = 64;

impl Contact {
    /// The fields of this contact merged with those of others: maps and lists are combined and notes appended; of
    /// any other field, the first value that is set. Known, favorite and not to be contacted if any is; archived
    /// only if all are.
    pub fn merged_with(&self, others: &[Self]) -> ContactFields {
        let all: Vec<&ContactFields> =
            std::iter::once(self).chain(others).map(|contact| &contact.fields).collect();
        let first = |field: fn(&ContactFields) -> &Option<String>| all.iter().find_map(|one| field(one).clone());
        // Parts of a name belong together: mixed, they would name a third person.
        let named = all.iter().find(|one| one.given_name.is_some() || one.family_name.is_some());
        let named = named.copied().unwrap_or(&self.fields);
        let is_named = self.fields.given_name.is_some() || self.fields.family_name.is_some();
        let own = self.fields.display_name.clone();
        let shown = own.or_else(|| first(|one| &one.display_name).filter(|_| !is_named));
        ContactFields {
            is_self: self.fields.is_self,
            name: self.fields.name.clone(),
            sort_name: self.fields.sort_name.clone(),
            given_name: named.given_name.clone(),
            family_name: named.family_name.clone(),
            middle_name: named.middle_name.clone(),
            prefix: named.prefix.clone(),
            suffix: named.suffix.clone(),
            former_names: merge_lists(all.iter().map(|one| &one.former_names), |name: &NameText| &name.0),
            name_order: named.name_order,
            phonetic_given_name: named.phonetic_given_name.clone(),
            phonetic_family_name: named.phonetic_family_name.clone(),
            pronunciation: first(|one| &one.pronunciation),
            nickname: first(|one| &one.nickname),
            display_name: shown,
            pronouns: first(|one| &one.pronouns),
            address_as: all.iter().find_map(|one| one.address_as),
            headline: first(|one| &one.headline),
            about: first(|one| &one.about),
            notes: join_texts(all.iter().filter_map(|one| one.notes.as_deref())),
            skills: merge_lists(all.iter().map(|one| &one.skills), |label: &LabelText| &label.0),
            location: first(|one| &one.location),
            time_zone: first(|one| &one.time_zone),
            languages: merge_lists(all.iter().map(|one| &one.languages), |tag: &LanguageTag| &tag.0),
            emails: merge_preferring(
                all.iter().map(|one| &one.emails),
                |email| match EmailAddress::parse(&email.value) {
                    Ok(address) => address.normalized().to_owned(),
                    Err(_) => email.value.clone(),
                },
                |email| &mut email.preferred,
            ),
            phones: merge_preferring(
                all.iter().map(|one| &one.phones),
                |phone| match PhoneNumber::parse(&phone.value, phone.country.as_deref()) {
                    Ok(number) => number.normalized().to_owned(),
                    Err(_) => phone.value.clone(),
                },
                |phone| &mut phone.preferred,
            ),
            links: merge_links(all.iter().map(|one| &one.links)),
            addresses: merge_preferring(
                all.iter().map(|one| &one.addresses),
                |address| {
                    let mut own = address.clone();
                    (own.label, own.preferred) = (None, false);
                    text::fold(&format!("{own:?}"))
                },
                |address| &mut address.preferred,
            ),
            dates: merge_dates(all.iter().map(|one| &one.dates)),
            preferred_channel: all.iter().find_map(|one| one.preferred_channel),
            how_met: all.iter().find_map(|one| one.how_met.clone()),
            known: all.iter().any(|one| one.known),
            tier: all.iter().find_map(|one| one.tier),
            cadence: all.iter().find_map(|one| one.cadence.clone()),
            cadence_since: self.fields.cadence_since.clone(),
            tags: merge_lists(all.iter().map(|one| &one.tags), |label: &LabelText| &label.0),
            favorite: all.iter().any(|one| one.favorite),
            archived_at: self.fields.archived_at.filter(|_| all.iter().all(|one| one.archived_at.is_some())),
            do_not_contact: all.iter().any(|one| one.do_not_contact),
            external_ids: merge_maps(
                all.iter().map(|one| &one.external_ids),
                |external| external.id.clone(),
                |_, _| {},
            ),
        }
    }
}

impl Organization {
    /// The fields of this organization merged with those of others, whose names become aliases.
    pub fn merged_with(&self, others: &[Self]) -> OrganizationFields {
        let all: Vec<&OrganizationFields> =
            std::iter::once(self).chain(others).map(|organization| &organization.fields).collect();
        let first =
            |field: fn(&OrganizationFields) -> &Option<String>| all.iter().find_map(|one| field(one).clone());
        let names = all.iter().flat_map(|one| one.names());
        let mut seen = HashSet::from([text::fold(&self.fields.name)]);
        let aliases = names.filter(|name| seen.insert(text::fold(name))).map(|name| NameText(name.to_owned()));
        OrganizationFields {
            name: self.fields.name.clone(),
            aliases: aliases.collect(),
            domain: first(|one| &one.domain),
            website: first(|one| &one.website),
            kind: all.iter().find_map(|one| one.kind),
            industry: first(|one| &one.industry),
            size: first(|one| &one.size),
            location: first(|one| &one.location),
            parent_id: all.iter().find_map(|one| one.parent_id),
            links: merge_links(all.iter().map(|one| &one.links)),
            interest: all.iter().find_map(|one| one.interest),
            why: first(|one| &one.why),
            notes: join_texts(all.iter().filter_map(|one| one.notes.as_deref())),
            tags: merge_lists(all.iter().map(|one| &one.tags), |label: &LabelText| &label.0),
        }
    }
}

/// Each item once, ignoring case and accents.
fn merge_lists<'a, T: Clone + 'a>(
    lists: impl Iterator<Item = &'a Vec<T>>,
    text: impl Fn(&T) -> &String,
) -> Vec<T> {
    let mut seen = HashSet::new();
    lists.flatten().filter(|item| seen.insert(text::fold(text(item)))).cloned().collect()
}

/// Different texts separated by blank lines; `None` if there are none.
pub fn join_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts {
        if !kept.iter().any(|known| known.contains(text.trim())) {
            kept.push(text);
        }
    }
    (!kept.is_empty()).then(|| kept.join("\n\n"))
}

fn merge_links<'a>(maps: impl Iterator<Item = &'a Keyed<ProfileLink>>) -> Keyed<ProfileLink> {
    let same = |link: &ProfileLink| match ProfileUrl::parse(&link.url) {
        Ok(url) => url.key().to_owned(),
        Err(_) => link.url.clone(),
    };
    merge_maps(maps, same, |_, _| {})
}

/// As [`merge_maps`]; only the preferred entry of the first map that has one stays preferred.
fn merge_preferring<'a, T: Clone + 'a>(
    maps: impl Iterator<Item = &'a Keyed<T>>,
    same: impl Fn(&T) -> String,
    preferred: impl Fn(&mut T) -> &mut bool,
) -> Keyed<T> {
    let mut has_preferred = false;
    merge_maps(maps, same, |entry, map| {
        let first = map != 0 && has_preferred;
        let own = preferred(entry);
        *own = *own && !first;
        has_preferred = has_preferred || *own;
    })
}

/// Each entry once: an entry whose value is there already is dropped, and one whose key is taken gets a numbered
/// key. `adjust` may change an entry before it is added; it also gets the index of its map.
fn merge_maps<'a, T: Clone + 'a>(
    maps: impl Iterator<Item = &'a Keyed<T>>,
    same: impl Fn(&T) -> String,
    mut adjust: impl FnMut(&mut T, usize),
) -> Keyed<T> {
    let mut merged = Keyed::default();
    let mut seen = HashSet::new();
    for (map, entries) in maps.enumerate() {
        for (key, entry) in entries {
            // Doubles within one record are left as they are.
            if !seen.insert(same(entry)) && map > 0 {
                continue;
            }
            let mut entry = entry.clone();
            adjust(&mut entry, map);
            let key = free_key(&merged, key);
            merged.insert(key, entry);
        }
    }
    merged
}

/// Each date once. The key says what a date is of, so of two dates under one key that may be the same day, only
/// the more precise one is kept. The label is that of the first that has one.
fn merge_dates<'a>(maps: impl Iterator<Item = &'a Keyed<ContactDate>>) -> Keyed<ContactDate> {
    // With the key in the record it comes from.
    let mut kept: Vec<(&str, ContactDate)> = Vec::new();
    for (key, date) in maps.flatten() {
        let same = kept.iter_mut().filter(|(of, _)| *of == key);
        let known =
            same.into_iter().find_map(|(_, known)| Some((more_precise(&known.value, &date.value)?, known)));
        match known {
            Some((value, known)) => {
                known.label = known.label.take().or_else(|| date.label.clone());
                known.value = value;
            }
            None => kept.push((key, date.clone())),
        }
    }
    let mut merged = Keyed::default();
    for (key, date) in kept {
        let key = free_key(&merged, key);
        merged.insert(key, date);
    }
    merged
}

/// The more precise of two partial dates that agree; `None` if they do not.
fn more_precise(one: &str, other: &str) -> Option<String> {
    let (known, more) = (PartialDate::parse(one).ok()?, PartialDate::parse(other).ok()?);
    if known.refines(more) { Some(one.to_owned()) } else { more.refines(known).then(|| other.to_owned()) }
}

fn free_key<T>(map: &Keyed<T>, key: &str) -> String {
    let numbered = |number: usize| match number {
        1 => key.to_owned(),
        number => {
            let end = format!("-{number}");
            let kept = MAX_KEY_CHARACTERS.saturating_sub(end.len());
            key.chars().take(kept).chain(end.chars()).collect()
        }
    };
    (1..).map(numbered).find(|candidate| !map.contains_key(candidate)).unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::ContactEmail;
    use crate::domain::id::{ContactId, OrganizationId};
    use crate::domain::timestamp::Timestamp;

    fn contact(number: u128, change: impl FnOnce(&mut ContactFields)) -> Contact {
        let mut fields = ContactFields { given_name: Some(format!("Ada{number}")), ..ContactFields::default() };
        change(&mut fields);
        let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        Contact::new(ContactId::new(uuid::Uuid::from_u128(number)), now, fields).unwrap()
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
        let shown: Vec<_> = merged
            .emails
            .iter()
            .map(|(key, email)| (key.as_str(), email.value.as_str(), email.preferred))
            .collect();
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
        assert_eq!(
            (merged.given_name.as_deref(), merged.display_name.as_deref()),
            (Some("Ada2"), Some("Sir Bob"))
        );
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
            let shown: Vec<_> =
                merged.dates.iter().map(|(key, date)| (key.as_str(), date.value.as_str())).collect();
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
        let merged = named(1, "Acme", &["ACME Corp"])
            .merged_with(&[named(2, "acme", &[]), named(3, "Acme GmbH", &["Acme"])]);
        let aliases: Vec<_> = merged.aliases.iter().map(|alias| alias.0.as_str()).collect();
        assert_eq!((merged.name.as_str(), aliases), ("Acme", vec!["ACME Corp", "Acme GmbH"]));
    }
}
