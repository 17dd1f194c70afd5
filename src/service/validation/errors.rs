//! The errors of the JSON Schema validator in our codes and words.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::suggestion::FieldNames;
use crate::domain::count::pluralize;
use crate::domain::domain_name::DOMAIN_PATTERN;
use crate::domain::follow_up::TIME_PATTERN;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::domain::keyed::DAY_PATTERN;
use crate::domain::link::URL_PATTERN;
use crate::domain::locale::TIME_ZONE_PATTERN;

/// Adds one error of the schema check, in our words.
pub fn add(error: &jsonschema::ValidationError<'_>, field_names: &FieldNames, invalid: &mut Invalid) {
    let at = format!("#{}", error.instance_path());
    let rejection = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let similar = field_names.similar(error.schema_path().as_str(), name);
                invalid.add(format!("{at}/{}", escape(name)), unknown_field(name, similar));
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            invalid.add(
                format!("{at}/{}", escape(name)),
                Rejection::new(FieldCode::Required, format!("{name} is required.")),
            );
            return;
        }
        ValidationErrorKind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default().to_owned();
            let detail = match inner.kind() {
                ValidationErrorKind::Pattern { pattern } if pattern == DAY_PATTERN => {
                    "A key must be a day such as 2026-02-01."
                }
                _ => "A key must have 1 to 64 characters of A-Z, a-z, 0-9, _ and -.",
            };
            invalid.add(format!("{at}/{}", escape(&name)), Rejection::format(detail));
            return;
        }
        // What is wrong with the branch of the value's own type is what to tell: a nullable thing is null or the thing.
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let mut expected: Vec<String> = Vec::new();
            for errors in context {
                let of_itself = errors.iter().filter(|inner| inner.instance_path() == error.instance_path());
                let others: Vec<String> = of_itself.flat_map(expected_types).collect();
                if others.is_empty() {
                    errors.iter().for_each(|error| add(error, field_names, invalid));
                    return;
                }
                expected.extend(others);
            }
            of_type(expected)
        }
        // All words are strings: of something else, its type is what is wrong, which is an error of its own.
        ValidationErrorKind::Enum { .. } if !error.instance().is_string() => return,
        ValidationErrorKind::Enum { options } => {
            let allowed: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            Rejection::not_one_of(&allowed)
        }
        ValidationErrorKind::MaxLength { limit } => too_long(*limit, "character", "characters"),
        ValidationErrorKind::MinLength { limit } => too_short(*limit, "character", "characters"),
        ValidationErrorKind::MaxItems { limit } => too_long(*limit, "item", "items"),
        ValidationErrorKind::MinItems { limit } => too_short(*limit, "item", "items"),
        ValidationErrorKind::MaxProperties { limit } => too_long(*limit, "entry", "entries"),
        ValidationErrorKind::MinProperties { limit } => too_short(*limit, "entry", "entries"),
        // A number to be entered stands as it would be entered.
        ValidationErrorKind::Maximum { limit } => {
            Rejection::new(FieldCode::OutOfRange, format!("Must be at most {limit}.")).with("max", limit.clone())
        }
        ValidationErrorKind::Minimum { limit } => {
            Rejection::new(FieldCode::OutOfRange, format!("Must be at least {limit}.")).with("min", limit.clone())
        }
        ValidationErrorKind::Pattern { pattern } => {
            Rejection::format(in_words(pattern)).with("pattern", pattern.as_str())
        }
        ValidationErrorKind::Format { format } => {
            Rejection::format(in_words(format)).with("format", format.as_str())
        }
        ValidationErrorKind::Type { .. } => of_type(expected_types(error)),
        _ => Rejection::format("Does not fit the documented schema."),
    };
    invalid.add(at, rejection);
}

fn unknown_field(name: &str, similar: Option<&str>) -> Rejection {
    let detail = format!("There is no field {} here.", quoted(name));
    match similar {
        Some(similar) => Rejection::new(FieldCode::UnknownField, format!("{detail} Did you mean {similar:?}?"))
            .with("suggestion", similar),
        None => Rejection::new(FieldCode::UnknownField, detail),
    }
}

/// What a format or a pattern asks for, in words and by an example.
fn in_words(format: &str) -> String {
    match format {
        "date" => "Expected an existing day, such as 2026-03-02.".to_owned(),
        "date-time" => "Expected an RFC 3339 timestamp with its offset from UTC, such as 2026-03-02T09:00:00Z.".to_owned(),
        "uuid" => "Expected a UUID such as 01939d5e-8c00-7000-8000-0000000000a1.".to_owned(),
        TIME_ZONE_PATTERN => "Must be the name of an IANA time zone, such as Europe/Berlin.".to_owned(),
        DOMAIN_PATTERN => "Expected an internet domain such as example.com.".to_owned(),
        URL_PATTERN => "A web address cannot contain spaces.".to_owned(),
        "^#[0-9A-Fa-f]{6}$" => "Expected a color such as #2f855a.".to_owned(),
        TIME_PATTERN => "Expected a time from 00:00 to 23:59, such as 09:30.".to_owned(),
        "^/v1/[!\"$-~]*$" => {
            "Expected a path that starts with /v1/, with its query if it has one, such as /v1/contacts?limit=5: in ASCII, \
             without a host and without a fragment."
                .to_owned()
        }
        pattern => format!("Must match the pattern {pattern}."),
    }
}

/// A name that was sent, in quotes, and no more of it than a sentence can hold.
fn quoted(name: &str) -> String {
    match name.char_indices().nth(MAX_QUOTED_CHARACTERS) {
        Some((end, _)) => format!("{:?}…", name.get(..end).unwrap_or_default()),
        None => format!("{name:?}"),
    }
}

const MAX_QUOTED_CHARACTERS: usize = 100;

fn too_long(limit: u64, one: &str, many: &str) -> Rejection {
    Rejection::too_long(limit, format!("Must have at most {}.", pluralize(limit, one, many)))
}

fn too_short(limit: u64, one: &str, many: &str) -> Rejection {
    Rejection::too_short(limit, format!("Must have at least {}.", pluralize(limit, one, many)))
}

fn of_type(expected: Vec<String>) -> Rejection {
    let types = each_once(expected);
    let detail = format!("Expected the JSON type {}.", types.join(" or "));
    Rejection::new(FieldCode::InvalidType, detail).with("types", types)
}

/// The JSON types that a value should have had; none where its type is not what is wrong.
fn expected_types(error: &jsonschema::ValidationError<'_>) -> Vec<String> {
    use jsonschema::error::TypeKind;
    match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(expected) } => vec![expected.to_string()],
        ValidationErrorKind::Type { kind: TypeKind::Multiple(expected) } => {
            expected.iter().map(|one| one.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

/// Each word once, null last.
fn each_once(mut words: Vec<String>) -> Vec<String> {
    words.sort_by_key(|word| word == "null");
    let mut told: Vec<String> = Vec::new();
    for word in words {
        if !told.contains(&word) {
            told.push(word);
        }
    }
    told
}
