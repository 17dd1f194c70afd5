//! A person in the network: what can be entered about them, and the rules it has to keep.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::anniversary::day_key;
use super::comparable_name::PersonName;
use super::email::EmailAddress;
use super::entity::Entity;
use super::fields::{
    LabelText, LanguageTag, NameText, ProfileLink, check_day, check_links, clean, clean_labels, push_pages,
    single_line,
};
use super::id::{ContactId, EventId};
use super::interval::{Interval, IntervalUnit};
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::key::{Key, KeyKind};
use super::keyed::Keyed;
use super::link::ProfileUrl;
use super::locale::{Locale, TimeZone};
use super::partial_date::PartialDate;
use super::person_name::{self, NameOrder, NameParts};
use super::phone::{Country, PhoneNumber};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::text;
use super::timestamp::Timestamp;
use super::words::enumeration;

/// What can be entered about a person.
///
/// Single-line texts are trimmed, line breaks in them become spaces, and a blank one counts as null. At least one of `given_name`, `family_name`,
/// `nickname` and `display_name` must say what to call them by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactFields {
    /// Whether this contact represents you.
    #[schema(read_only)]
    pub is_self: bool,
    /// The full name: `display_name`, or composed from the parts in their order, or the nickname.
    #[schema(read_only, example = "Dr. Dorota M. Kozłowicz PhD")]
    pub name: String,
    /// The name by which contacts are sorted, such as "Kozłowicz, Dorota M.".
    #[schema(read_only, example = "Kozłowicz, Dorota M.")]
    pub sort_name: String,
    /// Given name, or the name of somebody who has only one.
    #[schema(max_length = 200, example = "Dorota")]
    pub given_name: Option<String>,
    /// Family name, with its particles ("van den Berg").
    #[schema(max_length = 200, example = "Kozłowicz")]
    pub family_name: Option<String>,
    /// Middle names or initials.
    #[schema(max_length = 200, example = "M.")]
    pub middle_name: Option<String>,
    /// What comes before the name, such as "Dr." or "Prof.".
    #[schema(max_length = 100, example = "Dr.")]
    pub prefix: Option<String>,
    /// What comes after the name, such as "Jr." or "PhD".
    #[schema(max_length = 100, example = "PhD")]
    pub suffix: Option<String>,
    /// Other names and spellings: former and maiden names, and the names of contacts that were merged into this one.
    #[schema(max_items = 200, example = json!(["Nowak"]))]
    pub aliases: Vec<NameText>,
    /// Which name comes first. Null: determined by the script (family name first in Han, Kana and Hangul).
    pub name_order: Option<NameOrder>,
    /// How the given name is read, in kana or any alphabet. Japanese names are sorted by it.
    #[schema(max_length = 200, example = "ミツル")]
    pub phonetic_given_name: Option<String>,
    /// How the family name is read, in kana or any alphabet. Japanese names are sorted by it.
    #[schema(max_length = 200, example = "オオタ")]
    pub phonetic_family_name: Option<String>,
    /// How the name is pronounced, in your own words.
    #[schema(max_length = 200, example = "doh-ROH-tah")]
    pub pronunciation: Option<String>,
    /// Nickname.
    #[schema(max_length = 200, example = "Dorka")]
    pub nickname: Option<String>,
    /// The `name`, if it should not be composed from the parts. Null: composed from the parts.
    #[schema(max_length = 400)]
    pub display_name: Option<String>,
    /// Pronouns, such as "she/her".
    #[schema(max_length = 50, example = "she/her")]
    pub pronouns: Option<String>,
    /// How to address them where a language distinguishes (tu or vous, du or Sie). Null: not known.
    pub address_as: Option<AddressAs>,
    /// Who they are, in one line.
    #[schema(max_length = 500, example = "CTO at Poniedziałek")]
    pub headline: Option<String>,
    /// How they describe themselves.
    #[schema(max_length = 20000)]
    pub about: Option<String>,
    /// Your own notes; never exported to them. Markdown is kept as it is.
    #[schema(max_length = 100000, example = "Met at the Warsaw meetup; likes type systems.")]
    pub notes: Option<String>,
    /// Their skills.
    #[schema(max_items = 200, example = json!(["rust", "hiring"]))]
    pub skills: Vec<LabelText>,
    /// Where they live or work, in your words.
    #[schema(max_length = 300, example = "Warsaw, Poland")]
    pub location: Option<String>,
    /// IANA time zone. Null: not known.
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", example = "Europe/Warsaw")]
    pub time_zone: Option<String>,
    /// Languages they speak, as BCP 47 tags, the preferred one first.
    #[schema(max_items = 50, example = json!(["pl", "en"]))]
    pub languages: Vec<LanguageTag>,
    /// E-mail addresses under keys of your choice; at most one is preferred.
    #[schema(inline, example = json!({"work": {"value": "dorota@example.com", "preferred": true}}))]
    pub emails: Keyed<ContactEmail>,
    /// Phone numbers under keys of your choice; at most one is preferred.
    #[schema(inline, example = json!({"mobile": {"value": "+48 512 345 678"}}))]
    pub phones: Keyed<ContactPhone>,
    /// Profiles and pages under keys of your choice.
    #[schema(inline, example = json!({"linkedin": {"url": "https://www.linkedin.com/in/dorota"}}))]
    pub links: Keyed<ProfileLink>,
    /// Postal addresses under keys of your choice.
    #[schema(inline, example = json!({"office": {"city": "Warszawa", "country": "PL"}}))]
    pub addresses: Keyed<ContactAddress>,
    /// Dates to remember, such as `birthday` and `anniversary`, under keys of your choice.
    #[schema(inline, example = json!({"birthday": {"value": "--06-15"}}))]
    pub dates: Keyed<ContactDate>,
    /// How they prefer to be reached. Null: not known.
    pub preferred_channel: Option<Channel>,
    /// How you met. Null: not recorded.
    pub how_met: Option<HowMet>,
    /// Whether you know them. False: somebody you want to meet, who is left out of lists by default.
    #[schema(default = true, example = true)]
    pub known: bool,
    /// How close you want to be, and so how often to be in touch: inner every 14 days, core 30, active 90,
    /// extended 180, distant 365, unless the workspace says otherwise. Null: no reminders.
    pub tier: Option<Tier>,
    /// How often to be in touch with this person. Null: as often as the tier says.
    pub cadence: Option<Cadence>,
    /// The day the cadence began: set when the tier or the interval changes. The next contact is counted from it until
    /// there is an interaction that counts. Null: there is no cadence, or it is older than this field; then the day
    /// of creation counts.
    #[schema(read_only, value_type = Option<String>, format = Date, example = "2026-03-02")]
    pub cadence_since: Option<String>,
    /// The names of tags. A new name creates the tag; otherwise the spelling of the tag is used. Case and accents
    /// are ignored. A workspace can have at most 10,000 tags.
    #[schema(max_items = 100, example = json!(["conference-2026"]))]
    pub tags: Vec<LabelText>,
    /// Whether the contact is a favorite.
    #[schema(default = false)]
    pub favorite: bool,
    /// When the contact was archived. Archived contacts are left out of lists by default. Null: not archived.
    pub archived_at: Option<Timestamp>,
    /// Whether they asked not to be contacted, or you decided so. They are never suggested.
    #[schema(default = false)]
    pub do_not_contact: bool,
    /// The ids of the contact in other systems, by the name of the system.
    #[schema(inline, example = json!({"linkedin": {"id": "dorota", "connected_on": "2020-12-07"}}))]
    pub external_ids: Keyed<ExternalId>,
}

impl Default for ContactFields {
    fn default() -> Self {
        Self {
            is_self: false,
            name: String::new(),
            sort_name: String::new(),
            given_name: None,
            family_name: None,
            middle_name: None,
            prefix: None,
            suffix: None,
            aliases: Vec::new(),
            name_order: None,
            phonetic_given_name: None,
            phonetic_family_name: None,
            pronunciation: None,
            nickname: None,
            display_name: None,
            pronouns: None,
            address_as: None,
            headline: None,
            about: None,
            notes: None,
            skills: Vec::new(),
            location: None,
            time_zone: None,
            languages: Vec::new(),
            emails: Keyed::default(),
            phones: Keyed::default(),
            links: Keyed::default(),
            addresses: Keyed::default(),
            dates: Keyed::default(),
            preferred_channel: None,
            how_met: None,
            known: true,
            tier: None,
            cadence: None,
            cadence_since: None,
            tags: Vec::new(),
            favorite: false,
            archived_at: None,
            do_not_contact: false,
            external_ids: Keyed::default(),
        }
    }
}

/// An e-mail address of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactEmail {
    /// The address as typed; matched without regard to case.
    #[schema(required = true, min_length = 3, max_length = 254, example = "dorota@example.com")]
    pub value: String,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A phone number of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactPhone {
    /// The number as typed.
    #[schema(required = true, min_length = 1, max_length = 64, example = "+48 512 345 678")]
    pub value: String,
    /// The country (ISO 3166-1 alpha-2) in whose national format `value` is written. Null: only numbers that begin
    /// with + or 00 have an `e164`.
    #[schema(pattern = "^[A-Z]{2}$", example = "PL")]
    pub country: Option<String>,
    /// The number in E.164. Null if it cannot be determined from `value` and `country`.
    #[schema(read_only, max_length = 16, example = "+48512345678")]
    pub e164: Option<String>,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A postal address of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactAddress {
    /// Street and number.
    #[schema(max_length = 500)]
    pub street: Option<String>,
    /// Additional address line: apartment, floor, department.
    #[schema(max_length = 500)]
    pub extended: Option<String>,
    /// Post office box.
    #[schema(max_length = 100)]
    pub po_box: Option<String>,
    /// Postal code.
    #[schema(max_length = 40)]
    pub postal_code: Option<String>,
    /// Town or city.
    #[schema(max_length = 200)]
    pub city: Option<String>,
    /// State, province or region.
    #[schema(max_length = 200)]
    pub region: Option<String>,
    /// Country: a name, or an ISO 3166-1 alpha-2 code.
    #[schema(max_length = 100)]
    pub country: Option<String>,
    /// The whole address as it is written on an envelope, if its parts are not known.
    #[schema(max_length = 1000)]
    pub formatted: Option<String>,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A date to remember.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactDate {
    /// `1990-06-15`, `1990-06`, `1990` or, without a year, `--06-15`.
    #[schema(required = true, min_length = 4, max_length = 10, example = "--06-15")]
    pub value: String,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
}

impl ContactDate {
    /// Its label or, without one, the key that it stands under, as words.
    pub fn title(&self, key: &str) -> String {
        self.label.clone().unwrap_or_else(|| key.replace(['_', '-'], " "))
    }
}

/// The id of a contact in another system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExternalId {
    /// The id in the other system.
    #[schema(required = true, min_length = 1, max_length = 2048)]
    pub id: String,
    /// The day you connected in the other system.
    #[schema(value_type = Option<String>, format = Date, example = "2020-12-07")]
    pub connected_on: Option<String>,
}

/// How you met somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct HowMet {
    /// When you met: a partial date.
    #[schema(max_length = 10, example = "2024-10")]
    pub on: Option<String>,
    /// The event where you met. Null: not at an event.
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
    /// The contact who introduced you. Null: nobody introduced you.
    #[schema(example = json!(null))]
    pub introduced_by_id: Option<ContactId>,
    /// The story.
    #[schema(max_length = 5000, example = "Sat next to each other at the keynote.")]
    pub story: Option<String>,
}

/// How often to be in touch. `every` and `unit` are set together, or neither is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Cadence {
    /// How many units are between two contacts. Null: as many as the tier says.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub every: Option<u16>,
    /// The unit. Null: that of the tier.
    pub unit: Option<IntervalUnit>,
    /// Nothing is due before this day. Null: not paused.
    #[schema(value_type = Option<String>, format = Date, example = "2026-09-01")]
    pub paused_until: Option<String>,
    /// Whether to have no reminders for this contact, whatever the tier says.
    #[schema(default = false)]
    pub off: bool,
}

impl Cadence {
    /// The contact's own interval; `None` where the tier decides.
    pub fn interval(&self) -> Option<Interval> {
        let (every, unit) = self.every.zip(self.unit)?;
        Some(Interval { every, unit })
    }
}

/// How close you want to be to a contact, after Dunbar's circles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Inner,
    Core,
    Active,
    Extended,
    Distant,
}

impl Tier {
    pub const ALL: [Self; 5] = [Self::Inner, Self::Core, Self::Active, Self::Extended, Self::Distant];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::Core => "core",
            Self::Active => "active",
            Self::Extended => "extended",
            Self::Distant => "distant",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }
}

/// How to address somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressAs {
    Formal,
    Informal,
}

enumeration! {
    /// A way to reach somebody.
    Channel {
        Email = "email",
        Phone = "phone",
        Message = "message",
        Linkedin = "linkedin",
        Video = "video",
        InPerson = "in_person",
        Letter = "letter",
        Other = "other",
    }
}

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

fn clean_texts(fields: &mut ContactFields) {
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

fn clean_address_book(fields: &mut ContactFields) {
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

fn check_time_zone_and_languages(fields: &mut ContactFields, invalid: &mut Invalid) {
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

fn check_emails(emails: &mut Keyed<ContactEmail>, invalid: &mut Invalid) {
    for (key, email) in emails.iter_mut() {
        let parsed = EmailAddress::parse(&email.value);
        if let Some(address) = invalid.check(pointer(&["emails", key, "value"]), parsed) {
            email.value = address.as_str().to_owned();
        }
    }
    check_preferred("emails", emails.iter().map(|(key, email)| (key, email.preferred)), invalid);
}

fn check_phones(phones: &mut Keyed<ContactPhone>, invalid: &mut Invalid) {
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

fn check_dates(fields: &mut ContactFields, invalid: &mut Invalid) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
