//! What is wrong with an input: all errors at once, each with a JSON pointer. Knows nothing of HTTP.

use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;
use uuid::Uuid;

use super::entity::Entity;

/// Why one value was refused. The codes are public: clients branch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldCode {
    /// A value that has to be there is missing.
    Required,
    /// The JSON type is not the documented one.
    InvalidType,
    /// The field does not exist.
    UnknownField,
    /// The field is the server's, and the value given differs from its own.
    ReadOnly,
    /// Shorter, or fewer, than allowed.
    TooShort,
    /// Longer, or more, than allowed.
    TooLong,
    /// A number outside its range.
    OutOfRange,
    /// Not one of the allowed values.
    NotAllowed,
    /// Text that is not in the documented format.
    InvalidFormat,
    /// An id that names nothing in this workspace.
    UnknownReference,
    /// Two values that exclude one another.
    Contradiction,
}

impl FieldCode {
    /// All codes, for the generated error catalog.
    pub const ALL: [Self; 11] = [
        Self::Required,
        Self::InvalidType,
        Self::UnknownField,
        Self::ReadOnly,
        Self::TooShort,
        Self::TooLong,
        Self::OutOfRange,
        Self::NotAllowed,
        Self::InvalidFormat,
        Self::UnknownReference,
        Self::Contradiction,
    ];

    /// The stable name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::InvalidType => "invalid_type",
            Self::UnknownField => "unknown_field",
            Self::ReadOnly => "read_only",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::NotAllowed => "not_allowed",
            Self::InvalidFormat => "invalid_format",
            Self::UnknownReference => "unknown_reference",
            Self::Contradiction => "contradiction",
        }
    }

    /// One sentence for the error catalog.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Required => "A required value is missing.",
            Self::InvalidType => "The value has the wrong JSON type.",
            Self::UnknownField => {
                "The field does not exist; unknown fields are rejected. The detail may suggest another."
            }
            Self::ReadOnly => "The field is set by the server. Only a PUT may contain it, with its current value.",
            Self::TooShort => "The text is too short, or there are too few items.",
            Self::TooLong => "The text is too long, or there are too many items.",
            Self::OutOfRange => "The value is outside its range.",
            Self::NotAllowed => "The value is not allowed; the detail says what is.",
            Self::InvalidFormat => "The text does not have the documented format.",
            Self::UnknownReference => "The id does not exist in this workspace.",
            Self::Contradiction => "Two values contradict each other.",
        }
    }
}

/// One refused value, before it is known where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub code: FieldCode,
    /// A sentence for the person who sent it: what is wrong and what would be right.
    pub detail: String,
    /// The numbers and words of the detail, by name, so that a client can say it in another language.
    pub params: Map<String, Value>,
    /// The record to use in place of the one that the value names.
    pub record: Option<(Entity, Uuid)>,
    /// The other top-level fields that it comes from: where one of them is itself wrong, only that is told.
    pub depends_on: &'static [&'static str],
}

impl Rejection {
    pub fn new(code: FieldCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), params: Map::new(), record: None, depends_on: &[] }
    }

    /// A number or word of the detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Text without a visible character, or a list without items.
    pub fn blank() -> Self {
        Self::too_short(1, "Must not be blank.")
    }

    pub fn too_short(min: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(FieldCode::TooShort, detail).with("min", min)
    }

    pub fn too_long(max: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(FieldCode::TooLong, detail).with("max", max)
    }

    /// The other top-level fields without which there is nothing to tell.
    #[must_use]
    pub fn depends_on(self, depends_on: &'static [&'static str]) -> Self {
        Self { depends_on, ..self }
    }

    /// None of these words.
    pub fn not_one_of(allowed: &[&str]) -> Self {
        Self::new(FieldCode::NotAllowed, format!("Allowed: {}.", allowed.join(", ")))
            .with("allowed", allowed.to_vec())
    }

    /// None of these fields is there, and one of them has to be.
    pub fn required_any(alternatives: &'static [&'static str], detail: impl Into<String>) -> Self {
        Self::new(FieldCode::Required, detail).with("any_of", alternatives).depends_on(alternatives)
    }

    /// The one thing that is wrong with an input.
    pub fn at(self, pointer: &str) -> Invalid {
        let mut invalid = Invalid::default();
        invalid.add(pointer, self);
        invalid
    }

    /// Shorthand for the most common one.
    pub fn format(detail: impl Into<String>) -> Self {
        Self::new(FieldCode::InvalidFormat, detail)
    }
}

/// One refused value and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) as a URI fragment: `#/emails/work/value`.
    pub pointer: String,
    pub code: FieldCode,
    pub detail: String,
    /// The numbers and words of the detail, by name.
    pub params: Map<String, Value>,
    /// The record to use in place of the one that the value names.
    pub record: Option<(Entity, Uuid)>,
    /// The other top-level fields that it comes from: where one of them is itself wrong, only that is told.
    pub depends_on: &'static [&'static str],
}

/// How many errors of one input are kept. What checks an input may stop when there are more.
pub const MAX_ERRORS: usize = 100;

/// How much of a pointer or detail is kept: either may repeat a key of any length.
const MAX_CHARACTERS: usize = 1_000;

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
}

/// What is wrong with one input: the first [`MAX_ERRORS`] errors. Never empty once it is returned as an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid {
    pub errors: Vec<FieldError>,
    /// Whether there were more.
    pub truncated: bool,
}

impl Invalid {
    pub fn one(pointer: impl Into<String>, code: FieldCode, detail: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.add(pointer, Rejection::new(code, detail));
        invalid
    }

    pub fn add(&mut self, pointer: impl Into<String>, rejection: Rejection) {
        let Rejection { code, detail, params, record, depends_on } = rejection;
        self.push(FieldError { pointer: pointer.into(), code, detail, params, record, depends_on });
    }

    fn push(&mut self, mut error: FieldError) {
        if self.errors.len() < MAX_ERRORS {
            shorten(&mut error.pointer);
            shorten(&mut error.detail);
            self.errors.push(error);
        } else {
            self.truncated = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Adds the errors of another part of the same input.
    pub fn extend(&mut self, more: Self) {
        self.truncated |= more.truncated;
        more.errors.into_iter().for_each(|error| self.push(error));
    }

    /// Adds the errors at places where none is known yet.
    pub fn extend_new(&mut self, more: Self) {
        let known: HashSet<String> = self.errors.iter().map(|error| error.pointer.clone()).collect();
        let errors = more.errors.into_iter().filter(|error| !known.contains(&error.pointer)).collect();
        self.extend(Self { errors, ..more });
    }

    /// All but these.
    #[must_use]
    pub fn without(mut self, is_left_out: impl Fn(&FieldError) -> bool) -> Self {
        self.errors.retain(|error| !is_left_out(error));
        self
    }

    /// Keeps the value, or notes why there is none.
    pub fn check<T>(&mut self, pointer: impl Into<String>, result: Result<T, Rejection>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(rejection) => {
                self.add(pointer, rejection);
                None
            }
        }
    }

    /// Keeps the value, or notes all that is wrong with it.
    pub fn gather<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|more| self.extend(more)).ok()
    }

    /// The same at other places.
    #[must_use]
    pub fn moved(mut self, place: impl Fn(&str) -> String) -> Self {
        self.errors.iter_mut().for_each(|error| error.pointer = place(&error.pointer));
        self
    }

    /// The same of what is a member of a larger body.
    #[must_use]
    pub fn under(self, member: &str) -> Self {
        self.moved(|pointer| pointer.replacen('#', &format!("#/{member}"), 1))
    }

    /// The value if nothing was noted.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.errors.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", error.pointer, error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// `#/a/b` with the two escapes of RFC 6901.
pub fn pointer(parts: &[&str]) -> String {
    let mut out = String::from("#");
    for part in parts {
        out.push('/');
        out.push_str(&escape(part));
    }
    out
}

/// One step of a JSON pointer (RFC 6901).
pub fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(pointers: std::ops::Range<usize>) -> Invalid {
        let mut invalid = Invalid::default();
        pointers.for_each(|index| invalid.add(format!("#/{index}"), Rejection::format("x")));
        invalid
    }

    #[test]
    fn no_more_than_the_first_hundred_errors_are_kept() {
        for (count, kept, truncated) in [(0, 0, false), (100, 100, false), (101, 100, true), (5_000, 100, true)] {
            let all = invalid(0..count);
            assert_eq!((all.errors.len(), all.truncated), (kept, truncated), "{count}");
        }
        let mut both = invalid(0..60);
        both.extend(invalid(60..120));
        assert_eq!((both.errors.len(), both.truncated), (100, true));
    }

    #[test]
    fn a_place_that_has_an_error_gets_no_second_one() {
        let mut both = invalid(0..3);
        both.extend_new(invalid(2..5));
        let pointers: Vec<&str> = both.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/0", "#/1", "#/2", "#/3", "#/4"]);
    }
}
