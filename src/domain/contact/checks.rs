//! The rules for the fields of a contact, one by one, and what is made of what was typed.

use super::fields::ContactFields;
use super::parts::{Cadence, ContactEmail, ContactPhone, HowMet};
use crate::domain::email::EmailAddress;
use crate::domain::fields::{check_day, clean, single_line};
use crate::domain::invalid::{FieldCode, Invalid, Rejection, pointer};
use crate::domain::keyed::Keyed;
use crate::domain::locale::{Locale, TimeZone};
use crate::domain::partial_date::PartialDate;
use crate::domain::phone::{Country, PhoneNumber};

pub(super) fn clean_texts(fields: &mut ContactFields) {
    let single_lines = [
        &mut fields.given_name,
        &mut fields.family_name,
        &mut fields.middle_name,
        &mut fields.prefix,
        &mut fields.suffix,
        &mut fields.phonetic_given_name,
        &mut fields.phonetic_family_name,
        &mut fields.pronunciation,
        &mut fields.nickname,
        &mut fields.display_name,
        &mut fields.pronouns,
        &mut fields.headline,
        &mut fields.location,
        &mut fields.time_zone,
    ];
    single_lines.into_iter().for_each(clean);
    for text in [&mut fields.about, &mut fields.notes] {
        if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *text = None;
        }
    }
    fields.aliases.iter_mut().for_each(|name| name.0 = single_line(&name.0));
    fields.aliases.retain(|name| !name.0.is_empty());
}

pub(super) fn clean_address_book(fields: &mut ContactFields) {
    for (_, address) in fields.addresses.iter_mut() {
        let parts = [
            &mut address.extended,
            &mut address.po_box,
            &mut address.postal_code,
            &mut address.city,
            &mut address.region,
            &mut address.country,
            &mut address.label,
        ];
        parts.into_iter().for_each(clean);
        // These two have lines of their own.
        for lines in [&mut address.street, &mut address.formatted] {
            if lines.as_deref().is_some_and(|lines| lines.trim().is_empty()) {
                *lines = None;
            }
        }
    }
    fields.emails.iter_mut().for_each(|(_, email)| clean(&mut email.label));
    fields.phones.iter_mut().for_each(|(_, phone)| clean(&mut phone.label));
    fields.dates.iter_mut().for_each(|(_, date)| clean(&mut date.label));
}

pub(super) fn check_time_zone_and_languages(fields: &mut ContactFields, invalid: &mut Invalid) {
    if let Some(zone) = &fields.time_zone {
        invalid.check("#/time_zone", TimeZone::parse(zone));
    }
    for (index, language) in fields.languages.iter_mut().enumerate() {
        let parsed = Locale::parse(&language.0);
        if let Some(locale) = invalid.check(pointer(&["languages", &index.to_string()]), parsed) {
            language.0 = locale.to_string();
        }
    }
}

pub(super) fn check_emails(emails: &mut Keyed<ContactEmail>, invalid: &mut Invalid) {
    for (key, email) in emails.iter_mut() {
        let parsed = EmailAddress::parse(&email.value);
        if let Some(address) = invalid.check(pointer(&["emails", key, "value"]), parsed) {
            email.value = address.as_str().to_owned();
        }
    }
    check_preferred("emails", emails.iter().map(|(key, email)| (key, email.preferred)), invalid);
}

pub(super) fn check_phones(phones: &mut Keyed<ContactPhone>, invalid: &mut Invalid) {
    for (key, phone) in phones.iter_mut() {
        if let Some(country) = &phone.country {
            invalid.check(pointer(&["phones", key, "country"]), Country::parse(country));
        }
        let parsed = PhoneNumber::parse(&phone.value, phone.country.as_deref());
        if let Some(number) = invalid.check(pointer(&["phones", key, "value"]), parsed) {
            phone.value = phone.value.trim().to_owned();
            phone.e164 = number.e164().map(str::to_owned);
        }
    }
    check_preferred("phones", phones.iter().map(|(key, phone)| (key, phone.preferred)), invalid);
}

fn check_preferred<'a>(field: &str, entries: impl Iterator<Item = (&'a String, bool)>, invalid: &mut Invalid) {
    for (key, _) in entries.filter(|(_, preferred)| *preferred).skip(1) {
        let rejection = Rejection::new(FieldCode::Contradiction, "Only one of them can be preferred.");
        invalid.add(pointer(&[field, key, "preferred"]), rejection);
    }
}

pub(super) fn check_dates(fields: &mut ContactFields, invalid: &mut Invalid) {
    for (key, date) in &fields.dates {
        invalid.check(pointer(&["dates", key, "value"]), PartialDate::parse(&date.value));
    }
    for (key, external) in &fields.external_ids {
        check_day(&["external_ids", key, "connected_on"], external.connected_on.as_deref(), invalid);
    }
    if let Some(how_met) = &mut fields.how_met {
        if let Some(on) = &how_met.on {
            invalid.check("#/how_met/on", PartialDate::parse(on));
        }
        clean(&mut how_met.story);
    }
    if fields.how_met.as_ref().is_some_and(|how_met| *how_met == HowMet::default()) {
        fields.how_met = None;
    }
    check_cadence(fields, invalid);
}

fn check_cadence(fields: &mut ContactFields, invalid: &mut Invalid) {
    let Some(cadence) = &fields.cadence else { return };
    check_day(&["cadence", "paused_until"], cadence.paused_until.as_deref(), invalid);
    let missing = match (cadence.every, cadence.unit) {
        (Some(_), None) => Some("unit"),
        (None, Some(_)) => Some("every"),
        _ => None,
    };
    if let Some(missing) = missing {
        let rejection = Rejection::new(FieldCode::Required, "every and unit are set together.");
        invalid.add(pointer(&["cadence", missing]), rejection);
    }
    if *cadence == Cadence::default() {
        fields.cadence = None;
    }
}
