//! Query strings, read once and typed. Which parameters an operation takes is not known here.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::domain::count::pluralize;
use crate::domain::invalid::Rejection;

/// The parameters of a request, in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// The parameters of a query string. One that is malformed is refused, not repaired.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let refuse = |detail: &str| Problem::new(Code::InvalidParameter).detail(detail);
        if !is_percent_encoded(query) {
            return Err(refuse("The query string has a % that is not followed by two hexadecimal digits."));
        }
        // Its separators are ASCII, so the whole is UTF-8 where every part of it is.
        let text = percent_decode_str(query).decode_utf8();
        let text = text.map_err(|_| refuse("The query string, percent-decoded, is not UTF-8."))?;
        let has_nul = text.contains('\0');
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        match pairs.iter().find(|(name, value)| has_nul && (name.contains('\0') || value.contains('\0'))) {
            Some((name, _)) => {
                Err(Problem::parameter(name, Rejection::format("The character U+0000 is not allowed.")))
            }
            None => Ok(Self { pairs }),
        }
    }

    pub fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Self {
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
            let detail = format!("It can be sent at most {}.", pluralize(most, "time", "times"));
            return Err(Problem::parameter(name, Rejection::format(detail).with("max", most)));
        }
        Ok(values)
    }

    /// A parameter that comes once at most.
    pub fn one(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(Problem::parameter(name, Rejection::format("It can be sent only once.").with("max", 1))),
        }
    }

    /// A parameter that comes once at most, parsed.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Rejection>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        parse(&value).map(Some).map_err(|mut rejection| {
            if value.contains(' ') {
                rejection.detail = format!("{} {PLUS_IS_SPACE}", rejection.detail);
            }
            Problem::parameter(name, rejection)
        })
    }

    /// `true` or `false`; false when absent.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.parsed(name, parse_flag)?.unwrap_or(false))
    }

    /// A whole number in a range; outside is an error, not a correction.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<i64>, default: i64) -> Result<i64, Problem> {
        let parse = |text: &str| match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(not_in_range(*range.start(), *range.end())),
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

/// What is wrong with a number outside of a range, or with what is no number.
pub fn not_in_range(min: i64, max: i64) -> Rejection {
    Rejection::format(format!("Expected a whole number from {min} to {max}.")).with("min", min).with("max", max)
}

/// `true` or `false`.
pub fn parse_flag(text: &str) -> Result<bool, Rejection> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Rejection::format("Expected true or false.").with("allowed", vec!["true", "false"])),
    }
}

/// What is said where a plus may have been meant.
const PLUS_IS_SPACE: &str = "In a query string a plus sign stands for a space: send %2B for a plus.";

/// Whether every `%` is followed by two hexadecimal digits.
fn is_percent_encoded(query: &str) -> bool {
    let mut parts = query.split('%').skip(1);
    parts.all(|part| {
        part.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// A UUID in its usual form of 36 characters; the nil UUID is none.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| text.len() == 36 && !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_means_nothing_is_refused() {
        for good in [
            "",
            "q=%C5%82&q=a+b",
            "q=+48",
            "q=C%2B%2B&tag=C%2B%2B",
            "q=%25",
            "q=ł",
            "a=%e2%82%ac&b",
            "=&&=",
            "q=%F0%9F%98%80",
        ] {
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
