//! Merging contacts.

use super::{Entry, extend_list, fill, free_key, join_texts, merge_maps, more_precise};
use crate::domain::contact::{
    Cadence, Contact, ContactAddress, ContactDate, ContactEmail, ContactFields, ContactPhone, ExternalId, HowMet,
};
use crate::domain::email::EmailAddress;
use crate::domain::fields::NameText;
use crate::domain::keyed::Keyed;
use crate::domain::person_name::{NameParts, full_name};
use crate::domain::phone::PhoneNumber;
use crate::domain::text::fold;

impl Contact {
    /// The fields of this contact merged with those of others: maps and lists are combined, notes and descriptions joined;
    /// of any other field, the first value that is set. What else they are called becomes an alias. Known, favorite and
    /// not to be contacted if any is; archived only if all are.
    pub fn merged_with(&self, others: &[Self]) -> ContactFields {
        let all = || std::iter::once(self).chain(others).map(|contact| &contact.fields);
        let mut merged = ContactFields {
            about: join_texts(all().filter_map(|one| one.about.as_deref())),
            notes: join_texts(all().filter_map(|one| one.notes.as_deref())),
            emails: merge_maps(all().map(|one| &one.emails)),
            phones: merge_maps(all().map(|one| &one.phones)),
            links: merge_maps(all().map(|one| &one.links)),
            addresses: merge_maps(all().map(|one| &one.addresses)),
            dates: merge_dates(all().map(|one| &one.dates)),
            external_ids: merge_maps(all().map(|one| &one.external_ids)),
            archived_at: self.fields.archived_at.filter(|_| all().all(|one| one.archived_at.is_some())),
            known: all().any(|one| one.known),
            favorite: all().any(|one| one.favorite),
            do_not_contact: all().any(|one| one.do_not_contact),
            ..self.fields.clone()
        };
        for ContactFields {
            aliases,
            pronunciation,
            pronouns,
            address_as,
            headline,
            skills,
            location,
            time_zone,
            languages,
            preferred_channel,
            how_met,
            tier,
            cadence,
            tags,
            ..
        } in all().skip(1)
        {
            fill(&mut merged.pronunciation, pronunciation);
            fill(&mut merged.pronouns, pronouns);
            fill(&mut merged.address_as, address_as);
            fill(&mut merged.headline, headline);
            fill(&mut merged.location, location);
            fill(&mut merged.time_zone, time_zone);
            fill(&mut merged.preferred_channel, preferred_channel);
            fill(&mut merged.tier, tier);
            fill_how_met(&mut merged.how_met, how_met);
            fill_cadence(&mut merged.cadence, cadence);
            extend_list(&mut merged.aliases, aliases, |name| &name.0);
            extend_list(&mut merged.skills, skills, |label| &label.0);
            extend_list(&mut merged.languages, languages, |tag| &tag.0);
            extend_list(&mut merged.tags, tags, |label| &label.0);
        }
        for other in all().skip(1) {
            take_names(&mut merged, other);
        }
        merged
    }
}

/// Fills the gaps in a name from another record of the person. Parts of a name belong together (mixed, they would name a third
/// person), so those of somebody who is called otherwise become an alias as a whole.
fn take_names(own: &mut ContactFields, other: &ContactFields) {
    let agree = is_unnamed(own) || is_same_name(own, other);
    if agree {
        for (own, other) in [
            (&mut own.given_name, &other.given_name),
            (&mut own.family_name, &other.family_name),
            (&mut own.middle_name, &other.middle_name),
            (&mut own.prefix, &other.prefix),
            (&mut own.suffix, &other.suffix),
            (&mut own.phonetic_given_name, &other.phonetic_given_name),
            (&mut own.phonetic_family_name, &other.phonetic_family_name),
            (&mut own.display_name, &other.display_name),
        ] {
            fill(own, other);
        }
        fill(&mut own.name_order, &other.name_order);
    }
    fill(&mut own.nickname, &other.nickname);
    let mut names = Vec::new();
    if !agree || differs(&written(own), &written(other)) {
        names.extend(composed(other));
    }
    if differs(&spoken(own), &spoken(other)) {
        let [given, family] = spoken(other);
        names.extend(full_name(&NameParts { given, family, ..NameParts::default() }));
    }
    names.extend(other.display_name.clone());
    names.extend(other.nickname.clone());
    let called = [composed(own), own.display_name.clone(), own.nickname.clone()];
    let known: Vec<NameText> = called.into_iter().flatten().map(NameText).collect();
    let is_new = |name: &String| !known.iter().any(|known| fold(&known.0) == fold(name));
    let names: Vec<NameText> = names.into_iter().filter(is_new).map(NameText).collect();
    extend_list(&mut own.aliases, &names, |name| &name.0);
}

const fn is_unnamed(fields: &ContactFields) -> bool {
    fields.given_name.is_none() && fields.family_name.is_none()
}

/// Whether given and family name are the same, as far as both have them.
fn is_same_name(one: &ContactFields, other: &ContactFields) -> bool {
    let pairs = [(&one.given_name, &other.given_name), (&one.family_name, &other.family_name)];
    let both = || pairs.iter().filter_map(|(one, other)| one.as_deref().zip(other.as_deref()));
    both().next().is_some() && both().all(|(one, other)| fold(one) == fold(other))
}

fn written(fields: &ContactFields) -> [Option<&str>; 5] {
    let ContactFields { given_name, family_name, middle_name, prefix, suffix, .. } = fields;
    [given_name, family_name, middle_name, prefix, suffix].map(Option::as_deref)
}

fn spoken(fields: &ContactFields) -> [Option<&str>; 2] {
    [fields.phonetic_given_name.as_deref(), fields.phonetic_family_name.as_deref()]
}

/// Whether the other says anything that is not said here.
fn differs(own: &[Option<&str>], other: &[Option<&str>]) -> bool {
    own.iter().zip(other).any(|(own, other)| other.is_some() && own.map(fold) != other.map(fold))
}

/// The full name of its parts, whatever is shown; around the nickname or the name that is shown, where there are no others.
fn composed(fields: &ContactFields) -> Option<String> {
    let [mut given, family, middle, prefix, suffix] = written(fields);
    if given.is_none() && family.is_none() && middle.is_none() {
        given = fields.nickname.as_deref().or(fields.display_name.as_deref());
    }
    let order = fields.name_order;
    full_name(&NameParts { given, family, middle, prefix, suffix, order, ..NameParts::default() })
}

fn fill_how_met(own: &mut Option<HowMet>, other: &Option<HowMet>) {
    let (Some(own), Some(other)) = (own.as_mut(), other) else { return fill(own, other) };
    fill(&mut own.on, &other.on);
    fill(&mut own.event_id, &other.event_id);
    fill(&mut own.introduced_by_id, &other.introduced_by_id);
    fill(&mut own.story, &other.story);
}

fn fill_cadence(own: &mut Option<Cadence>, other: &Option<Cadence>) {
    let (Some(own), Some(other)) = (own.as_mut(), other) else { return fill(own, other) };
    if own.interval().is_none() {
        (own.every, own.unit) = (other.every, other.unit);
    }
    fill(&mut own.paused_until, &other.paused_until);
}

impl Entry for ContactEmail {
    fn identity(&self, _key: &str) -> String {
        EmailAddress::parse(&self.value).map_or_else(|_| self.value.clone(), |email| email.normalized().to_owned())
    }

    fn fill(&mut self, other: &Self) {
        fill(&mut self.label, &other.label);
        self.preferred |= other.preferred;
    }

    fn preferred(&mut self) -> Option<&mut bool> {
        Some(&mut self.preferred)
    }
}

impl Entry for ContactPhone {
    /// What is beside the number says more: another number, whom to ask for.
    fn identity(&self, _key: &str) -> String {
        let number = PhoneNumber::parse(&self.value, self.country.as_deref()).ok();
        let plain = number.filter(|number| number.is_whole());
        plain.map_or_else(|| fold(&self.value), |number| number.normalized().to_owned())
    }

    fn fill(&mut self, other: &Self) {
        fill(&mut self.country, &other.country);
        fill(&mut self.label, &other.label);
        self.preferred |= other.preferred;
    }

    fn preferred(&mut self) -> Option<&mut bool> {
        Some(&mut self.preferred)
    }
}

impl Entry for ContactAddress {
    fn identity(&self, _key: &str) -> String {
        let Self {
            street,
            extended,
            po_box,
            postal_code,
            city,
            region,
            country,
            formatted,
            label: _,
            preferred: _,
        } = self;
        let parts = [street, extended, po_box, postal_code, city, region, country, formatted];
        parts.map(|part| fold(part.as_deref().unwrap_or_default())).join("\n")
    }

    fn fill(&mut self, other: &Self) {
        fill(&mut self.label, &other.label);
        self.preferred |= other.preferred;
    }

    fn preferred(&mut self) -> Option<&mut bool> {
        Some(&mut self.preferred)
    }
}

impl Entry for ExternalId {
    /// An id is one of a system.
    fn identity(&self, key: &str) -> String {
        format!("{}\n{}", key.to_lowercase(), self.id)
    }

    fn fill(&mut self, other: &Self) {
        fill(&mut self.connected_on, &other.connected_on);
    }
}

/// Each date once. Key and label say what a date is of, so of two dates that may be the same day of the same thing, only the
/// more precise one is kept.
fn merge_dates<'a>(maps: impl Iterator<Item = &'a Keyed<ContactDate>>) -> Keyed<ContactDate> {
    // With the key in the record it comes from.
    let mut kept: Vec<(&str, ContactDate)> = Vec::new();
    let is_same_label = |one: &ContactDate, other: &ContactDate| {
        one.label.as_ref().zip(other.label.as_ref()).is_none_or(|(one, other)| fold(one) == fold(other))
    };
    for (map, (key, date)) in
        maps.enumerate().flat_map(|(map, dates)| dates.into_iter().map(move |date| (map, date)))
    {
        let same = kept.iter_mut().filter(|(of, known)| map > 0 && *of == key && is_same_label(known, date));
        let known =
            same.into_iter().find_map(|(_, known)| Some((more_precise(&known.value, &date.value)?, known)));
        match known {
            Some((value, known)) => {
                fill(&mut known.label, &date.label);
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
