//! A person in the network, and what they are found by. What can be entered about them is told in `fields.rs`, and what is made
//! of it in `checks.rs`.

mod checks;
mod fields;
mod parts;

use self::checks::{
    check_dates, check_emails, check_phones, check_time_zone_and_languages, clean_address_book, clean_texts,
};
pub use self::fields::ContactFields;
pub use self::parts::{
    AddressAs, Cadence, Channel, ContactAddress, ContactDate, ContactEmail, ContactPhone, ExternalId, HowMet, Tier,
};
use super::anniversary::day_key;
use super::comparable_name::PersonName;
use super::email::EmailAddress;
use super::entity::Entity;
use super::fields::{check_links, clean_labels, push_pages};
use super::id::ContactId;
use super::invalid::{FieldCode, Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::link::ProfileUrl;
use super::partial_date::PartialDate;
use super::person_name::{self, NameParts};
use super::phone::PhoneNumber;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::text;

/// A person in the network.
pub type Contact = Stored<ContactFields>;

impl Contact {
    /// Their name, for comparing.
    pub fn comparable_name(&self) -> PersonName {
        PersonName::new(&name_parts(&self.fields), self.fields.aliases.iter().map(|name| name.0.as_str()))
    }

    /// What this person can be found by exactly.
    pub fn keys(&self) -> Vec<Key> {
        let fields = &self.fields;
        let emails = fields
            .emails
            .values()
            .filter_map(|email| EmailAddress::parse(&email.value).ok())
            .map(|email| Key::new(KeyKind::Email, email.normalized()));
        let phones = fields
            .phones
            .values()
            .filter_map(|phone| PhoneNumber::parse(&phone.value, phone.country.as_deref()).ok())
            .map(|phone| Key::new(KeyKind::Phone, phone.normalized()));
        let links = fields
            .links
            .values()
            .filter_map(|link| ProfileUrl::parse(&link.url).ok())
            .filter_map(|link| Some(Key::new(KeyKind::Link, link.key()?)));
        let tags = fields.tags.iter().map(|tag| Key::new(KeyKind::Tag, text::fold(&tag.0)));
        let names = self.comparable_name().keys();
        // Who is never due has no birthdays to congratulate on either.
        let dates = fields.dates.values().filter(|_| fields.can_be_due()).filter_map(|date| {
            let (month, day) = PartialDate::parse(&date.value).ok()?.month_day()?;
            Some(Key::new(KeyKind::Date, day_key(month, day)))
        });
        let mut keys: Vec<Key> = emails.chain(phones).chain(links).chain(tags).chain(names).chain(dates).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether they are neither archived nor not to be contacted.
    pub const fn may_be_contacted(&self) -> bool {
        self.fields.archived_at.is_none() && !self.fields.do_not_contact
    }

    /// What this person is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let fields = &self.fields;
        let mut title: Vec<&str> = vec![&fields.name];
        let names = [
            &fields.given_name,
            &fields.family_name,
            &fields.middle_name,
            &fields.nickname,
            &fields.phonetic_given_name,
            &fields.phonetic_family_name,
        ];
        title.extend(names.into_iter().flatten().map(String::as_str));
        title.extend(fields.aliases.iter().map(|name| name.0.as_str()));

        let mut body: Vec<&str> = Vec::new();
        let story = fields.how_met.as_ref().map_or(&None, |how_met| &how_met.story);
        let texts = [&fields.headline, &fields.about, &fields.notes, &fields.location, story];
        body.extend(texts.into_iter().flatten().map(String::as_str));
        body.extend(fields.tags.iter().chain(&fields.skills).map(|label| label.0.as_str()));
        body.extend(fields.external_ids.values().map(|external| external.id.as_str()));
        for email in fields.emails.values() {
            body.extend([Some(email.value.as_str()), email.label.as_deref()].into_iter().flatten());
        }
        for phone in fields.phones.values() {
            body.extend([Some(phone.value.as_str()), phone.label.as_deref()].into_iter().flatten());
        }
        for address in fields.addresses.values() {
            let ContactAddress {
                street,
                extended,
                po_box,
                postal_code,
                city,
                region,
                country,
                formatted,
                label,
                preferred: _,
            } = address;
            let parts = [street, extended, po_box, postal_code, city, region, country, formatted, label];
            body.extend(parts.into_iter().flatten().map(String::as_str));
        }
        body.extend(fields.dates.values().filter_map(|date| date.label.as_deref()));
        let mut text = [title, body].concat().join("\n");
        fields.phones.values().for_each(|phone| push_digits(phone, &mut text));
        push_pages(&fields.links, &mut text);
        SearchText { title: fields.name.clone(), text }
    }
}

/// The shortest end of a number that it is found by.
const MIN_FOUND_DIGITS: usize = 4;

/// The digits of a number from any of them on, so that it is found by any that follow one another.
fn push_digits(phone: &ContactPhone, text: &mut String) {
    let number = phone.e164.as_deref().unwrap_or(&phone.value);
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    for start in 0..digits.len().saturating_sub(MIN_FOUND_DIGITS - 1) {
        text.push('\n');
        text.push_str(digits.get(start..).unwrap_or_default());
    }
}

impl Fields for ContactFields {
    const ENTITY: Entity = Entity::Contact;
    const DESCRIPTION: &'static str = "A person in the network.";
    const COMPUTED: &'static [&'static str] = &["name", "sort_name"];
    type Id = ContactId;

    fn check(mut self, id: ContactId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        clean_texts(&mut self);
        check_time_zone_and_languages(&mut self, &mut invalid);
        check_emails(&mut self.emails, &mut invalid);
        check_phones(&mut self.phones, &mut invalid);
        check_links(&mut self.links, &mut invalid);
        check_dates(&mut self, &mut invalid);
        if self.how_met.as_ref().is_some_and(|how_met| how_met.introduced_by_id == Some(id)) {
            let rejection = Rejection::new(FieldCode::Contradiction, "A contact cannot be introduced by itself.");
            invalid.add("#/how_met/introduced_by_id", rejection);
        }
        clean_labels("tags", &mut self.tags, &mut invalid);
        clean_labels("skills", &mut self.skills, &mut invalid);
        clean_address_book(&mut self);

        let parts = name_parts(&self);
        let names = person_name::full_name(&parts).zip(person_name::sort_name(&parts));
        if names.is_none() {
            let detail = "A name is required: given_name, family_name, nickname or display_name.";
            let names = &["given_name", "family_name", "nickname", "display_name"];
            invalid.add("#/given_name", Rejection::required_any(names, detail));
        }
        (self.name, self.sort_name) = names.unwrap_or_default();
        self.is_self = before.is_some_and(|before| before.is_self);
        self.cadence_since = before.and_then(|before| before.cadence_since.clone());
        invalid.into_result(self)
    }
}

fn name_parts(fields: &ContactFields) -> NameParts<'_> {
    NameParts {
        given: fields.given_name.as_deref(),
        family: fields.family_name.as_deref(),
        middle: fields.middle_name.as_deref(),
        prefix: fields.prefix.as_deref(),
        suffix: fields.suffix.as_deref(),
        nickname: fields.nickname.as_deref(),
        display_name: fields.display_name.as_deref(),
        order: fields.name_order,
        phonetic_given: fields.phonetic_given_name.as_deref(),
        phonetic_family: fields.phonetic_family_name.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::{LabelText, ProfileLink};
    use crate::domain::timestamp::Timestamp;

    fn parsed(fields: ContactFields) -> Result<Contact, Invalid> {
        let id = ContactId::new(uuid::Uuid::from_u128(7));
        Contact::new(id, Timestamp::parse("2026-03-02T09:00:00Z").unwrap(), fields)
    }

    fn named(name: &str) -> ContactFields {
        ContactFields { given_name: Some(name.to_owned()), ..ContactFields::default() }
    }

    #[test]
    fn somebody_without_any_name_is_refused() {
        let blank = ContactFields { given_name: Some("  ".to_owned()), ..ContactFields::default() };
        let invalid = parsed(blank).unwrap_err();
        assert_eq!(invalid.errors[0].pointer, "#/given_name");
        assert_eq!(invalid.errors[0].code, FieldCode::Required);
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let mut fields = named("Ada");
        fields.time_zone = Some("Mars/Olympus".to_owned());
        fields
            .emails
            .insert("w/1".to_owned(), ContactEmail { value: "no address".to_owned(), ..Default::default() });
        fields.dates.insert("birthday".to_owned(), ContactDate { value: "1990-02-30".to_owned(), label: None });
        let pointers: Vec<_> = parsed(fields).unwrap_err().errors.into_iter().map(|e| e.pointer).collect();
        assert_eq!(pointers, ["#/time_zone", "#/emails/w~11/value", "#/dates/birthday/value"]);
    }

    #[test]
    fn parsing_what_was_parsed_changes_nothing() {
        let mut fields = named(" Ada ");
        fields
            .phones
            .insert("m".to_owned(), ContactPhone { value: " +48 512 345 678 ".to_owned(), ..Default::default() });
        fields
            .links
            .insert("l".to_owned(), ProfileLink { url: "linkedin.com/in/Ada".to_owned(), ..Default::default() });
        fields.tags = vec![LabelText("VIP".to_owned()), LabelText(" vip ".to_owned())];
        let once = parsed(fields).unwrap();
        assert_eq!(once.with(once.fields.clone()).unwrap(), once);
        assert_eq!(once.fields.tags, [LabelText("VIP".to_owned())]);
        assert_eq!(once.fields.links.get("l").unwrap().platform.as_deref(), Some("linkedin"));
    }

    #[test]
    fn only_one_address_is_preferred() {
        let mut fields = named("Ada");
        for key in ["a", "b"] {
            let email = ContactEmail { value: format!("{key}@example.com"), label: None, preferred: true };
            fields.emails.insert(key.to_owned(), email);
        }
        assert_eq!(parsed(fields).unwrap_err().errors[0].pointer, "#/emails/b/preferred");
    }
}
