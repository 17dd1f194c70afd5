//! Field types and checks shared by several kinds of record: short texts, labels, profile links, days. No rule of
//! a single kind.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::HashSet;
use std::hash::Hash;
use utoipa::ToSchema;

use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::keyed::Keyed;
use super::link::{ProfileUrl, platform_of};
use super::partial_date::PartialDate;
use super::text;

macro_rules! bounded_text {
    ($name:ident, $min:literal, $max:literal) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .min_length(Some($min))
                    .max_length(Some($max))
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

/// A name in a list of names: as long as any that is composed of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameText(pub String);

bounded_text!(NameText, 1, 1000);

/// A short label: a tag, a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelText(pub String);

bounded_text!(LabelText, 1, 100);

/// A line of text in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineText(pub String);

bounded_text!(LineText, 1, 500);

/// A BCP 47 language tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LanguageTag(pub String);

bounded_text!(LanguageTag, 2, 35);

/// A profile or page of a person or an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ProfileLink {
    /// The address of the page, http or https; without a scheme, https is assumed.
    #[schema(
        required = true,
        min_length = 3,
        max_length = 2048,
        pattern = "^\\s*\\S*\\s*$",
        example = "https://www.linkedin.com/in/dorota"
    )]
    pub url: String,
    /// The platform, in lower case. If null in a request, it is derived from the address of a known platform.
    #[schema(max_length = 50, example = "linkedin")]
    pub platform: Option<String>,
    /// The day the page was last checked to be up to date.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-01")]
    pub checked_on: Option<String>,
}

/// Puts a text on one line; a blank one becomes `None`.
pub fn clean(text: &mut Option<String>) {
    if let Some(value) = text {
        let line = single_line(value);
        *text = (!line.is_empty()).then_some(line);
    }
}

/// Of a field of requests that only creates something else, and is no part of the record.
pub const fn is_input_only(_: &Option<String>) -> bool {
    true
}

/// The priority of what has none of its own, from 1 to 5 (highest).
pub const fn default_priority() -> i32 {
    3
}

/// A text of white space alone becomes `None`.
pub fn drop_blank(text: &mut Option<String>) {
    *text = text.take().filter(|text| !text.trim().is_empty());
}

/// Puts a URL in its usual form; http and https only.
pub fn check_url(at: &str, url: &mut Option<String>, invalid: &mut Invalid) {
    clean(url);
    if let Some(text) = url.as_deref()
        && let Some(parsed) = invalid.check(at, ProfileUrl::parse(text))
    {
        *url = Some(parsed.as_str().to_owned());
    }
}

/// Drops repetitions from a list of ids, which may have so many.
pub fn check_list<T: Copy + Eq + Hash>(
    at: &str,
    ids: &mut Vec<T>,
    most: usize,
    what: &str,
    invalid: &mut Invalid,
) {
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    if ids.len() > most {
        let detail = format!("Must have at most {most} {what}.");
        invalid.add(at, Rejection::too_long(most, detail));
    }
}

/// The text on one line: control characters become spaces; surrounding white space and invisible characters are
/// removed.
pub fn single_line(value: &str) -> String {
    let spaced: String = value.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    text::trimmed(&spaced).to_owned()
}

/// Trims labels and drops other spellings of an earlier one; a blank label is an error.
pub fn clean_labels(field: &str, labels: &mut Vec<LabelText>, invalid: &mut Invalid) {
    let mut seen = HashSet::new();
    let mut cleaned = Vec::with_capacity(labels.len());
    for (index, label) in labels.iter().enumerate() {
        let trimmed = single_line(&label.0);
        if trimmed.is_empty() {
            let rejection = Rejection::blank();
            invalid.add(pointer(&[field, &index.to_string()]), rejection);
        } else if seen.insert(text::fold(&trimmed)) {
            cleaned.push(LabelText(trimmed));
        }
    }
    *labels = cleaned;
}

/// How long the name of a platform can be.
pub const MAX_PLATFORM_CHARACTERS: usize = 50;

/// Puts a platform in lower case; where none is said, it is that of the address.
pub fn check_platform(platform: &mut Option<String>, url: Option<&str>) {
    clean(platform);
    *platform = match platform.take() {
        // Some letters become two in lower case.
        Some(platform) => Some(platform.to_lowercase().chars().take(MAX_PLATFORM_CHARACTERS).collect()),
        None => url.and_then(platform_of).map(str::to_owned),
    };
}

/// Normalizes links, and sets the platform of those that have none.
pub fn check_links(links: &mut Keyed<ProfileLink>, invalid: &mut Invalid) {
    for (key, link) in links.iter_mut() {
        if let Some(url) = invalid.check(pointer(&["links", key, "url"]), ProfileUrl::parse(&link.url)) {
            link.url = url.as_str().to_owned();
        }
        check_platform(&mut link.platform, Some(&link.url));
        check_day(&["links", key, "checked_on"], link.checked_on.as_deref(), invalid);
    }
}

/// Adds what the addresses of pages say to a text that is searched: on a platform the name of the profile, and on any other
/// site that of the site too.
pub fn push_pages(links: &Keyed<ProfileLink>, text: &mut String) {
    for url in links.values().filter_map(|link| ProfileUrl::parse(&link.url).ok()) {
        text.push('\n');
        text.push_str(url.words());
    }
}

/// Writes a whole number without a fraction: `4`, and not `4.0`.
pub fn serialize_number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match value.to_string().parse::<i64>() {
        Ok(whole) => serializer.serialize_i64(whole),
        Err(_) => serializer.serialize_f64(*value),
    }
}

/// The same of a number that may be null.
pub fn serialize_number_or_null<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serialize_number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// Values are kept with so many decimals, so that both databases and JSON hold them exactly.
const THOUSANDTHS: f64 = 1_000.0;

/// An amount of money, with two decimals.
pub fn rounded_money(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The value with three decimals.
pub fn rounded(value: f64) -> f64 {
    (value * THOUSANDTHS).round() / THOUSANDTHS
}

/// Checks a full date: `2026-02-01`.
pub fn check_day(parts: &[&str], day: Option<&str>, invalid: &mut Invalid) {
    if let Some(day) = day {
        invalid.check(pointer(parts), parse_day(day));
    }
}

/// A full date: `2026-02-01`.
pub fn parse_day(text: &str) -> Result<NaiveDate, Rejection> {
    let date = PartialDate::parse(text).ok().filter(|_| text.len() == "2026-02-01".len());
    date.and_then(PartialDate::latest)
        .ok_or_else(|| Rejection::format("Expected an existing day, such as 2026-02-01."))
}

/// Checks that a period does not certainly end before it starts. Dates may be partial but must have a year.
pub fn check_period(started_on: Option<&str>, ended_on: Option<&str>, invalid: &mut Invalid) {
    let mut check = |field: &str, date: Option<&str>| {
        let parsed = PartialDate::parse(date?).ok().filter(|date| date.earliest().is_some());
        let detail = "Expected an existing date with a year: 2021-04-15, 2021-04 or 2021.";
        invalid.check(pointer(&[field]), parsed.ok_or_else(|| Rejection::format(detail)))
    };
    let started = check("started_on", started_on).and_then(PartialDate::earliest);
    let ended = check("ended_on", ended_on).and_then(PartialDate::latest);
    if started.zip(ended).is_some_and(|(started, ended)| ended < started) {
        let rejection = Rejection::new(FieldCode::Contradiction, "The end cannot be before the start.");
        invalid.add("#/ended_on", rejection);
    }
}
