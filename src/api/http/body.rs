//! JSON bodies: read within bounds, then checked against the very schema that the document publishes.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::problem::{Code, Problem};
use crate::api::Api;
use crate::domain::counted::{counted, grouped};
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};

/// How large a JSON body may be.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How deep it may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many values it may hold, objects and arrays included. Validation and its error messages cost some 100 times what
/// reading a value does.
pub const MAX_VALUES: usize = 20_000;
/// How many the bodies of a batch may hold together; each by itself keeps to [`MAX_VALUES`].
pub const MAX_BATCH_VALUES: usize = 200_000;

/// A body that is one JSON object; an absent one reads as empty.
pub struct Body {
    pub bytes: Vec<u8>,
    pub value: Value,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            if bytes.is_empty() {
                let value = Value::Object(Map::new());
                return Ok(Self { bytes, value });
            }
            check_media_type(&request)?;
            let value = parse(&bytes, if request.path() == BATCH { MAX_BATCH_VALUES } else { MAX_VALUES })?;
            Ok(Self { bytes, value })
        })
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let Some(api) = request.app_data::<Data<Api>>() else { return Err(Problem::new(Code::Internal)) };
    let too_large = || {
        Problem::new(Code::BodyTooLarge)
            .detail(format!("A JSON body has at most {} bytes.", grouped(MAX_BODY_BYTES)))
            .header(header::CONNECTION, "close")
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let all = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk
                .map_err(|error| Problem::new(Code::BadRequest).detail(format!("The body broke off: {error}.")))?;
            if bytes.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.to_vec())
    };
    match tokio::time::timeout(api.body_timeout, all).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(Code::BodyTimeout).header(header::CONNECTION, "close")),
    }
}

fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    let sent =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let patch = request.method() == actix_web::http::Method::PATCH;
    if essence == "application/json" || (patch && essence == "application/merge-patch+json") {
        return Ok(());
    }
    let problem = Problem::new(Code::UnsupportedMediaType);
    Err(if patch {
        problem.header(header::HeaderName::from_static("accept-patch"), ACCEPT_PATCH)
    } else {
        problem
    })
}

/// The media types of a PATCH; both are read as a merge patch (RFC 7396).
pub const ACCEPT_PATCH: &str = "application/merge-patch+json, application/json";

/// The one operation whose body holds those of others.
const BATCH: &str = "/v1/batch";

fn parse(bytes: &[u8], max_values: usize) -> Result<Value, Problem> {
    let invalid = |detail: String| Problem::new(Code::InvalidJson).detail(detail);
    if deeper_than(bytes, MAX_DEPTH) {
        return Err(invalid(format!("The body is nested deeper than {MAX_DEPTH} levels.")));
    }
    let left = Cell::new(Some(max_values));
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = Bounded { left: &left }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    if left.get().is_none() {
        let detail = format!("A JSON body holds at most {} values.", grouped(max_values));
        return Err(Problem::new(Code::BodyTooLarge).detail(detail));
    }
    let value = parsed.map_err(|error| invalid(format!("The body is not JSON: {error}.")))?;
    if !value.is_object() {
        let detail = "Send one JSON object.";
        return Err(Invalid::one("#", FieldCode::InvalidType, detail).into());
    }
    let mut nul = Invalid::default();
    // Escaped is the only way in which it can stand in JSON.
    if bytes.windows(ESCAPED_NUL.len()).any(|window| window == ESCAPED_NUL) {
        find_nul(&value, "#", &mut nul);
    }
    nul.into_result(value).map_err(Problem::from)
}

const ESCAPED_NUL: &[u8] = b"\\u0000";

/// How many values there are in a value, itself included.
pub fn count_values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count_values).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count_values).sum::<usize>(),
        _ => 1,
    }
}

/// JSON of a bounded number of values, in which no object names a key twice: which of the two counts would be anybody's
/// guess.
#[derive(Clone, Copy)]
struct Bounded<'c> {
    /// How many more values may follow; `None` once there were too many.
    left: &'c Cell<Option<usize>>,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(1)));
        match self.left.get() {
            Some(_) => deserializer.deserialize_any(self),
            None => Err(de::Error::custom("too many values")),
        }
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// 2.0 is a whole number in JSON Schema.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let whole = (value.fract() == 0.0).then(|| format!("{value:.0}").parse::<i64>().ok()).flatten();
        Ok(whole.map_or_else(|| value.into(), Value::from))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("the key {key:?} comes twice")));
            }
            let value = map.next_value_seed(self)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Counts brackets outside of strings; cheaper than building a tree that is refused.
fn deeper_than(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (true, _) => {}
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    false
}

/// U+0000 cannot be stored by PostgreSQL, and is never meant.
fn find_nul(value: &Value, at: &str, invalid: &mut Invalid) {
    let refuse = || Rejection::format("The character U+0000 is not allowed.");
    match value {
        Value::String(text) if text.contains('\0') => invalid.add(at, refuse()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| find_nul(item, &format!("{at}/{index}"), invalid));
        }
        Value::Object(object) => {
            for (key, member) in object {
                let place = format!("{at}/{}", escape(key));
                if key.contains('\0') {
                    invalid.add(&place, refuse());
                }
                find_nul(member, &place, invalid);
            }
        }
        _ => {}
    }
}

/// The request schemas of the document, ready to check bodies with.
pub struct Schemas {
    validators: HashMap<String, Validator>,
}

impl Schemas {
    /// Compiles every schema of the document that a body can have.
    pub fn new(document: &Value) -> Result<Self, String> {
        let components = document.pointer("/components/schemas").cloned().unwrap_or_default();
        let names = components.as_object().into_iter().flat_map(Map::keys);
        let mut validators = HashMap::new();
        for name in names.filter(|name| name.ends_with("Input") || name.ends_with("Patch")) {
            let schema = serde_json::json!({
                "$ref": format!("#/components/schemas/{name}"),
                "components": { "schemas": components },
            });
            let validator = jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&schema)
                .map_err(|error| format!("schema {name}: {error}"))?;
            validators.insert(name.clone(), validator);
        }
        Ok(Self { validators })
    }

    /// The value as a `T`, or everything that is wrong with it. `name` is the schema's in the document; one that is
    /// not there refuses everything, so that nothing passes unchecked.
    pub fn check<T: DeserializeOwned>(&self, name: &str, value: &Value) -> Result<T, Invalid> {
        self.faults(name, value).into_result(())?;
        read_as(value.clone())
    }

    /// As [`check`](Self::check), and then by the rules that a schema cannot tell. What breaks the one is told together
    /// with what breaks the other, as far as the value can be read at all; of a member only the first.
    pub fn parse<T: DeserializeOwned, U>(
        &self,
        name: &str,
        value: &Value,
        rules: impl FnOnce(T) -> Result<U, Invalid>,
    ) -> Result<U, Invalid> {
        let mut invalid = self.faults(name, value);
        if invalid.errors.is_empty() {
            return rules(read_as(value.clone())?);
        }
        let readable = read_as(value.clone()).or_else(|_| read_as(without_faults(value, &invalid)));
        if let Some(more) = readable.ok().and_then(|readable| rules(readable).err()) {
            invalid.extend_new(more);
        }
        Err(invalid)
    }

    fn faults(&self, name: &str, value: &Value) -> Invalid {
        let Some(validator) = self.validators.get(name) else {
            return Invalid::one("#", FieldCode::InvalidFormat, format!("There is no schema {name}."));
        };
        let mut invalid = Invalid::default();
        for error in validator.iter_errors(value) {
            add(&error, &mut invalid);
            if invalid.truncated {
                break;
            }
        }
        invalid
    }
}

/// What is refused here is what the schema cannot say, such as the years an instant may lie in.
fn read_as<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let detail = error.inner().to_string();
        Invalid::one(pointer_to(error.path()), FieldCode::InvalidFormat, detail)
    })
}

fn pointer_to(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold("#".to_owned(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escape(key)),
        // Not in the JSON itself.
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// What is left of an object without the members that faults were found in.
fn without_faults(value: &Value, invalid: &Invalid) -> Value {
    let faulty: HashSet<&str> =
        invalid.errors.iter().filter_map(|error| error.pointer.split('/').nth(1)).collect();
    let is_sound = |name: &String| !faulty.contains(escape(name).as_str());
    let members = value.as_object().into_iter().flatten();
    members.filter(|(name, _)| is_sound(name)).map(|(name, member)| (name.clone(), member.clone())).collect()
}

/// One error of the schema check in our words.
fn add(error: &jsonschema::ValidationError<'_>, invalid: &mut Invalid) {
    let at = format!("#{}", error.instance_path());
    let (code, detail) = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let rejection =
                    Rejection::new(FieldCode::UnknownField, format!("There is no field {name:?} here."));
                invalid.add(format!("{at}/{}", escape(name)), rejection);
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            invalid.add(
                format!("{at}/{}", escape(name)),
                Rejection::new(FieldCode::Required, format!("{name} is needed.")),
            );
            return;
        }
        ValidationErrorKind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default().to_owned();
            let detail = "A key has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.";
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
                    errors.iter().for_each(|error| add(error, invalid));
                    return;
                }
                expected.extend(others);
            }
            (FieldCode::InvalidType, format!("Expected the JSON type {}.", any_of(expected)))
        }
        ValidationErrorKind::Enum { options } => {
            let allowed: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|option| option.as_str().map(str::to_owned))
                .collect();
            (FieldCode::NotAllowed, format!("Allowed: {}.", allowed.join(", ")))
        }
        ValidationErrorKind::MaxLength { limit } => too_long(*limit, "character", "characters"),
        ValidationErrorKind::MinLength { limit } => too_short(*limit, "character", "characters"),
        ValidationErrorKind::MaxItems { limit } => too_long(*limit, "item", "items"),
        ValidationErrorKind::MinItems { limit } => too_short(*limit, "item", "items"),
        ValidationErrorKind::MaxProperties { limit } => too_long(*limit, "entry", "entries"),
        ValidationErrorKind::MinProperties { limit } => too_short(*limit, "entry", "entries"),
        // A number to be entered stands as it would be entered.
        ValidationErrorKind::Maximum { limit } => (FieldCode::OutOfRange, format!("At most {limit}.")),
        ValidationErrorKind::Minimum { limit } => (FieldCode::OutOfRange, format!("At least {limit}.")),
        ValidationErrorKind::Pattern { pattern } => {
            (FieldCode::InvalidFormat, format!("Has to match the pattern {pattern}."))
        }
        ValidationErrorKind::Format { format } => {
            (FieldCode::InvalidFormat, format!("Expected the format {format}."))
        }
        ValidationErrorKind::Type { .. } => {
            (FieldCode::InvalidType, format!("Expected the JSON type {}.", any_of(expected_types(error))))
        }
        _ => (FieldCode::InvalidFormat, "Does not fit the documented schema.".to_owned()),
    };
    invalid.add(at, Rejection::new(code, detail));
}

fn too_long(limit: u64, one: &str, many: &str) -> (FieldCode, String) {
    (FieldCode::TooLong, format!("At most {}.", counted(limit, one, many)))
}

fn too_short(limit: u64, one: &str, many: &str) -> (FieldCode, String) {
    (FieldCode::TooShort, format!("At least {}.", counted(limit, one, many)))
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
fn any_of(mut words: Vec<String>) -> String {
    words.sort_by_key(|word| word == "null");
    let mut told: Vec<String> = Vec::new();
    for word in words {
        if !told.contains(&word) {
            told.push(word);
        }
    }
    told.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count_as_depth() {
        assert!(!deeper_than(br#"{"a":"[[[[\"[["}"#, 1));
        assert!(deeper_than(b"[[1]]", 1));
        assert!(!deeper_than(b"[[1],[2],[3]]", 2));
    }

    fn parse_small(bytes: &[u8]) -> Result<Value, Problem> {
        parse(bytes, MAX_VALUES)
    }

    #[test]
    fn a_body_holds_so_many_values_and_no_more() {
        let three = br#"{"a":[1]}"#;
        assert!(parse(three, 3).is_ok());
        assert_eq!(count_values(&parse(three, 3).unwrap()), 3);
        assert_eq!(parse(three, 2).unwrap_err().code, Code::BodyTooLarge);
        assert_eq!(parse(br#"{"a":[1] x"#, 3).unwrap_err().code, Code::InvalidJson);
        assert_eq!(parse(br#"{"a":[1]} x"#, 3).unwrap_err().code, Code::InvalidJson);
    }

    #[test]
    fn a_key_that_comes_twice_is_refused() {
        assert_eq!(parse_small(br#"{"a":1,"a":2}"#).unwrap_err().code, Code::InvalidJson);
        assert_eq!(
            parse_small(br#"{"a":{"b":1},"c":[{"b":1}]}"#).unwrap(),
            serde_json::json!({"a":{"b":1},"c":[{"b":1}]})
        );
    }

    #[test]
    fn nul_is_found_wherever_it_stands() {
        let problem = parse_small(br#"{"a":["x","\u0000"],"b":{"c/d":"\u0000"}}"#).unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/a/1", "#/b/c~1d"]);
    }
}
