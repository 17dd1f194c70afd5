//! Query strings and the id in a path: read once and typed; which parameters there are, the document says.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::domain::counted::counted;
use crate::domain::invalid::Rejection;
use crate::store::AnyId;

/// The parameters of a request, in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// The parameters of a query string; one that cannot be read as it was meant is refused, not mended.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let refuse = |detail: &str| Problem::new(Code::InvalidParameter).detail(detail);
        let bytes = decoded(query)
            .ok_or_else(|| refuse("The query string has a % that no two hexadecimal digits follow."))?;
        let text =
            String::from_utf8(bytes).map_err(|_| refuse("The query string, percent-decoded, is not UTF-8."))?;
        if text.contains('\0') {
            return Err(refuse("The character U+0000 is not allowed."));
        }
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Ok(Self { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() })
    }

    pub fn of(pairs: impl Iterator<Item = (String, String)>) -> Self {
        Self { pairs: pairs.collect() }
    }

    /// The same with other values.
    pub fn map(&self, other: impl Fn(&str, &str) -> String) -> Self {
        Self { pairs: self.pairs.iter().map(|(name, value)| (name.clone(), other(name, value))).collect() }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect()
    }

    /// The names and values, in the order they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value of a parameter that may come so many times.
    pub fn several(&self, name: &str, most: usize) -> Result<Vec<String>, Problem> {
        let values = self.all(name);
        // One that takes no value at all is told by its own check.
        if values.len() > most.max(1) {
            let detail = format!("It may come at most {}.", counted(most, "time", "times"));
            return Err(Problem::parameter(name, &Rejection::format(detail)));
        }
        Ok(values)
    }

    /// A parameter that comes once at most.
    pub fn one(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Problem::parameter(name, &Rejection::format("It may come only once."))),
        }
    }

    /// A parameter that comes once at most, parsed.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Rejection>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        parse(&value).map(Some).map_err(|rejection| Problem::parameter(name, &rejection))
    }

    /// `true` or `false`; false when absent.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.parsed(name, parse_flag)?.unwrap_or(false))
    }

    /// A whole number in a range; outside is an error, not a correction.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<i64>, default: i64) -> Result<i64, Problem> {
        let parse = |text: &str| match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(Rejection::format(format!(
                "Expected a whole number from {} to {}.",
                range.start(),
                range.end()
            ))),
        };
        Ok(self.parsed(name, parse)?.unwrap_or(default))
    }

    /// All but the named ones, in a canonical form: what a cursor is bound to.
    pub fn canonical_without(&self, left_out: &[&str]) -> String {
        let mut pairs: Vec<_> = self.pairs.iter().filter(|(name, _)| !left_out.contains(&name.as_str())).collect();
        pairs.sort();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// The same query with one parameter replaced.
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self.pairs.iter().filter(|(own, _)| own != name);
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, value).finish()
    }
}

/// `true` or `false`.
pub fn parse_flag(text: &str) -> Result<bool, Rejection> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Rejection::format("Expected true or false.")),
    }
}

impl FromRequest for Query {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string()))
    }
}

/// What a query string's bytes stand for; none where a `%` stands for nothing. Its separators are ASCII, so that the whole
/// is UTF-8 where every part of it is.
fn decoded(query: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.chars();
    while let Some(letter) = rest.next() {
        if letter == '%' {
            let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some(bytes)
}

/// The id in the path; one that is malformed names nothing.
pub fn path_id(request: &HttpRequest) -> Result<AnyId, Problem> {
    let id = request.match_info().get("id").and_then(parse_uuid);
    id.map(AnyId::new).ok_or_else(|| Problem::new(Code::NotFound))
}

/// A UUID in its usual form, and not the one that stands for none.
pub(super) fn parse_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| text.len() == 36 && !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_means_nothing_is_refused() {
        for good in ["", "q=%C5%82&q=a+b", "q=%25", "q=ł", "a=%e2%82%ac&b", "=&&=", "q=%F0%9F%98%80"] {
            assert!(Query::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["q=%ff", "q=%E2%82", "q=%zz", "q=%", "q=%4", "%=1", "q=%E2%82&a=%AC", "q=%C0%80", "q=%00", "q=%ł1"]
        {
            let problem = Query::parse(bad).expect_err(bad);
            assert_eq!(problem.code, Code::InvalidParameter, "{bad}");
        }
    }
}
