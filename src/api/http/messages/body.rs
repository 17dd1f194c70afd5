//! JSON bodies, read within bounds. Whether one fits its operation is not checked here.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::web::BytesMut;
use futures_util::StreamExt;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::time::Duration;

use super::problem::{Code, Problem};
use crate::domain::count::thousands;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};

/// How large a JSON body may be.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How large one may be that is sent without a token.
pub const MAX_PUBLIC_BODY_BYTES: usize = 16 * 1024;
/// How deep it may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many values it may hold, objects and arrays included. Validation and its error messages cost some 100 times what
/// reading a value does.
pub const MAX_VALUES: usize = 20_000;
/// How many the bodies of a batch may hold together; each by itself keeps to [`MAX_VALUES`].
pub const MAX_BATCH_VALUES: usize = 200_000;

/// A body that is one JSON object; an absent one reads as empty.
#[derive(Debug)]
pub struct Body {
    pub bytes: Vec<u8>,
    pub value: Value,
    /// Where it has the character U+0000: nothing of such a body is stored.
    pub nul: Invalid,
}

impl Default for Body {
    fn default() -> Self {
        Self::of(Value::Object(Map::new()))
    }
}

impl Body {
    /// A part of a body that was read.
    pub fn of(value: Value) -> Self {
        Self { bytes: Vec::new(), value, nul: Invalid::default() }
    }

    /// Reads the bytes of a body as JSON.
    pub fn parse(media_type: &MediaType, bytes: Vec<u8>, max_values: usize) -> Result<Self, Problem> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        media_type.check()?;
        let (value, nul) = parse(&bytes, max_values)?;
        Ok(Self { bytes, value, nul })
    }

    /// The result of checking the body, with the errors of each U+0000 in it.
    pub fn refuse_nul<T>(&self, checked: Result<T, Problem>) -> Result<T, Problem> {
        if self.nul.is_empty() {
            return checked;
        }
        let mut invalid = self.nul.clone();
        if let Err(Problem { code: Code::Invalid, errors, errors_truncated: truncated, .. }) = checked {
            invalid.extend_new(Invalid { errors, truncated });
        }
        Err(invalid.into())
    }

    /// A body where none is needed has to be empty, or an empty object.
    pub fn require_empty(&self) -> Result<(), Problem> {
        let mut invalid = Invalid::default();
        for name in self.value.as_object().into_iter().flat_map(Map::keys) {
            let rejection = Rejection::new(FieldCode::UnknownField, "This operation takes no fields.");
            invalid.add(format!("#/{}", escape(name)), rejection);
        }
        invalid.into_result(()).map_err(Problem::from)
    }
}

/// The bytes of a body, which have to arrive in time.
pub async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    max_bytes: usize,
    timeout: Duration,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        Problem::new(Code::BodyTooLarge)
            .detail(format!("A body can have at most {} bytes here.", thousands(max_bytes)))
            .header(header::CONNECTION, "close")
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > max_bytes) {
        return Err(too_large());
    }
    let all = async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::new(Code::BadRequest).detail(format!("The body ended early: {error}."))
            })?;
            if bytes.len() + chunk.len() > max_bytes {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.to_vec())
    };
    match tokio::time::timeout(timeout, all).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(Code::BodyTimeout).header(header::CONNECTION, "close")),
    }
}

/// The media type of a body, and whether it is that of a PATCH.
#[derive(Debug)]
pub struct MediaType {
    essence: String,
    is_patch: bool,
}

impl MediaType {
    pub fn of(request: &HttpRequest) -> Self {
        let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = sent.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self { essence, is_patch: request.method() == Method::PATCH }
    }

    fn check(&self) -> Result<(), Problem> {
        match (self.essence.as_str(), self.is_patch) {
            ("application/json", _) | ("application/merge-patch+json", true) => Ok(()),
            (_, true) => {
                let name = header::HeaderName::from_static("accept-patch");
                Err(Problem::new(Code::UnsupportedMediaType).header(name, ACCEPT_PATCH))
            }
            (_, false) => Err(Problem::new(Code::UnsupportedMediaType)),
        }
    }
}

/// The media types of a PATCH; both are read as a merge patch (RFC 7396).
pub const ACCEPT_PATCH: &str = "application/merge-patch+json, application/json";

/// The value, and where it has the character U+0000.
fn parse(bytes: &[u8], max_values: usize) -> Result<(Value, Invalid), Problem> {
    let invalid = |detail: String| Problem::new(Code::InvalidJson).detail(detail);
    if deeper_than(bytes, MAX_DEPTH) {
        return Err(invalid(format!("The body is nested deeper than {MAX_DEPTH} levels.")));
    }
    let left = Cell::new(Some(max_values));
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = Bounded { left: &left }.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    if left.get().is_none() {
        let detail = format!("A JSON body can hold at most {} values.", thousands(max_values));
        return Err(Problem::new(Code::BodyTooLarge).detail(detail));
    }
    let value = parsed.map_err(|error| invalid(format!("The body cannot be read as JSON: {error}.")))?;
    if !value.is_object() {
        let detail = "Send one JSON object.";
        return Err(Invalid::one("#", FieldCode::InvalidType, detail).into());
    }
    let mut nul = Invalid::default();
    // Escaped is the only way in which it can stand in JSON.
    if bytes.windows(ESCAPED_NUL.len()).any(|window| window == ESCAPED_NUL) {
        find_nul(&value, "#", &mut nul);
    }
    Ok((value, nul))
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
                return Err(de::Error::custom(format!("the key {key:?} appears twice")));
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
        parse(bytes, MAX_VALUES).map(|(value, _)| value)
    }

    #[test]
    fn a_body_holds_so_many_values_and_no_more() {
        let three = br#"{"a":[1]}"#;
        assert!(parse(three, 3).is_ok());
        assert_eq!(count_values(&parse(three, 3).unwrap().0), 3);
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
        let media_type = MediaType { essence: "application/json".to_owned(), is_patch: false };
        let bytes = br#"{"a":["x","\u0000"],"b":{"c/d":"\u0000"}}"#.to_vec();
        let body = Body::parse(&media_type, bytes, MAX_VALUES).unwrap();
        let pointers = |refused: Result<(), Problem>| -> Vec<String> {
            refused.unwrap_err().errors.into_iter().map(|error| error.pointer).collect()
        };
        assert_eq!(pointers(body.refuse_nul(Ok(()))), ["#/a/1", "#/b/c~1d"]);
        let other = Invalid::one("#/e", FieldCode::TooLong, "Too long.");
        assert_eq!(pointers(body.refuse_nul(Err(other.into()))), ["#/a/1", "#/b/c~1d", "#/e"]);
        assert_eq!(
            pointers(body.refuse_nul(Err(Problem::new(Code::PreconditionRequired)))),
            ["#/a/1", "#/b/c~1d"]
        );
    }
}
