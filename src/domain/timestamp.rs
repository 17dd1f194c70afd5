//! An instant in UTC, in microseconds, as both databases store it. No clock.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use super::invalid::Rejection;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Truncates to microseconds.
    pub fn new(instant: DateTime<Utc>) -> Self {
        Self::from_micros(instant.timestamp_micros()).unwrap_or(Self(DateTime::UNIX_EPOCH))
    }

    /// Microseconds since 1970; `None` outside chrono's range.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The last microsecond of a day in UTC.
    pub fn end_of(day: NaiveDate) -> Self {
        let next = day.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, |next| next.and_time(NaiveTime::MIN).and_utc());
        Self::new(next).minus(TimeDelta::microseconds(1))
    }

    /// RFC 3339 with any offset; years 0001 to 9999, as both databases and ISO dates can hold.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let refuse = || Rejection::format("Expected an RFC 3339 timestamp such as 2026-03-02T09:00:00Z.");
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| refuse())?;
        // The offset may move the year; chrono tells a leap second, which no database stores, by its nanoseconds.
        if chrono::Timelike::nanosecond(&instant) >= 1_000_000_000 {
            return Err(refuse());
        }
        let timestamp = Self::new(instant.with_timezone(&Utc));
        if (1..=9999).contains(&chrono::Datelike::year(&timestamp.0)) { Ok(timestamp) } else { Err(refuse()) }
    }

    pub fn instant(self) -> DateTime<Utc> {
        self.0
    }

    /// Saturates instead of overflowing.
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self(self.0.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// Saturates instead of overflowing.
    pub fn minus(self, delta: TimeDelta) -> Self {
        Self(self.0.checked_sub_signed(delta).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|rejection| de::Error::custom(rejection.detail))
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-03-02T09:00:00Z"])
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_second_is_no_timestamp_of_ours() {
        assert!(Timestamp::parse("2016-12-31T23:59:59Z").is_ok());
        for leap in ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T00:59:60+01:00"] {
            assert!(Timestamp::parse(leap).is_err(), "{leap}");
        }
    }
}
