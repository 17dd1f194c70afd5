//! Time zones and language tags. No clock, and no translated text.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use language_tags::LanguageTag;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::invalid::Rejection;
use crate::domain::timestamp::Timestamp;

/// What every name of a zone has in common, as in schemas; nothing is no zone.
pub const TIME_ZONE_PATTERN: &str = r"^\s*[A-Za-z0-9_+/-]*\s*$";
/// The longest time that a clock skipped: Samoa left out a day.
const LONGEST_GAP_HOURS: i64 = 24;

/// A zone of the IANA time zone database, by its exact name: `Europe/Berlin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

impl TimeZone {
    pub const UTC: Self = Self(Tz::UTC);

    /// Accepts the names in the database, aliases included; case-sensitive.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        Tz::from_str(text)
            .map(Self)
            .map_err(|_| Rejection::format("Must be the name of an IANA time zone, such as Europe/Berlin."))
    }

    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// The calendar day in this zone.
    pub fn day(self, now: Timestamp) -> NaiveDate {
        now.instant().with_timezone(&self.0).date_naive()
    }

    /// What the clock of this zone shows.
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        at.instant().with_timezone(&self.0).naive_local()
    }

    /// When the clock of this zone shows a time, the first time if it shows it twice; `None` in a gap.
    pub fn instant_of(self, local: NaiveDateTime) -> Option<Timestamp> {
        self.0.from_local_datetime(&local).earliest().map(|at| Timestamp::new(at.to_utc()))
    }

    /// When the day begins in this zone. In a gap of the clock, or on a day that the zone left out: with the next time that
    /// there is.
    pub fn start_of(self, day: NaiveDate) -> Timestamp {
        self.at(day, NaiveTime::MIN)
    }

    /// When the clock of this zone shows a time of a day; the first time if it shows it twice. In a gap of the clock, it is as long
    /// after the last time before it as if there were none (RFC 5545, section 3.3.5).
    pub fn at(self, day: NaiveDate, time: NaiveTime) -> Timestamp {
        let wanted = day.and_time(time);
        if let Some(found) = self.instant_of(wanted) {
            return found;
        }
        let quarters = (1..=LONGEST_GAP_HOURS * 4).map(|quarters| TimeDelta::minutes(15 * quarters));
        let mut found = quarters.filter_map(|since| {
            let before = self.0.from_local_datetime(&(wanted - since)).latest()?;
            Some(before.to_utc() + since)
        });
        Timestamp::new(found.next().unwrap_or_else(|| wanted.and_utc()))
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|rejection| de::Error::custom(rejection.detail))
    }
}

/// A language tag (BCP 47) in its usual case: `en`, `pt-BR`, `zh-Hant-TW`.
///
/// Well-formed by RFC 5646, section 2.1; whether its subtags are registered is not checked, except that a language has 2 or 3
/// letters: none is registered with 4 to 8, which names such as `English` have. Grandfathered tags
/// (`i-klingon`), which are deprecated, and tags for private use alone (`x-…`), which mean nothing to anybody
/// else, are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(LanguageTag);

impl Locale {
    /// Characters; the longest that RFC 5646, section 4.4.1, asks everybody to allow for.
    pub const MAX_LENGTH: usize = 35;

    /// Accepts any case; subtags are separated by hyphens.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        if text.len() > Self::MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::MAX_LENGTH,
                format!("A language tag can have at most {} characters.", Self::MAX_LENGTH),
            ));
        }
        let tag = LanguageTag::parse(text).ok().filter(|tag| matches!(tag.primary_language().len(), 2 | 3));
        tag.map(Self).ok_or_else(|| Rejection::format("Must be a language tag (BCP 47), such as en or pt-BR."))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|rejection| de::Error::custom(rejection.detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invalid::FieldCode;
    use proptest::prelude::*;

    #[test]
    fn a_zone_is_known_by_its_exact_name() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "US/Pacific"] {
            assert_eq!(TimeZone::parse(name).unwrap().as_str(), name);
        }
        for name in ["", " ", "europe/berlin", "Europe/Berlin ", "Berlin", "+02:00", "Mars/Olympus", "CEST"] {
            assert_eq!(TimeZone::parse(name).unwrap_err().code, FieldCode::InvalidFormat, "{name:?}");
        }
    }

    #[test]
    fn a_day_begins_with_its_first_hour() {
        for (zone, day, start) in [
            ("UTC", "2026-03-29", "2026-03-29T00:00:00Z"),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
            ("Asia/Kathmandu", "2026-01-31", "2026-01-30T18:15:00Z"),
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ] {
            let begun = TimeZone::parse(zone).unwrap().start_of(day.parse().unwrap());
            assert_eq!(begun.to_string(), start, "{zone} {day}");
        }
    }

    #[test]
    fn both_are_strings_in_json() {
        let zone: TimeZone = serde_json::from_str("\"Asia/Tokyo\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Tokyo\"");
        assert!(serde_json::from_str::<TimeZone>("\"Tokyo\"").is_err());
        let locale: Locale = serde_json::from_str("\"PT-br\"").unwrap();
        assert_eq!(serde_json::to_string(&locale).unwrap(), "\"pt-BR\"");
        assert!(serde_json::from_str::<Locale>("\"pt_BR\"").is_err());
    }

    #[test]
    fn a_tag_is_put_in_its_usual_case() {
        for (text, tag) in [
            ("en", "en"),
            ("PT-br", "pt-BR"),
            ("es-419", "es-419"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("sr-latn", "sr-Latn"),
            ("zh-CMN-hans-cn", "zh-cmn-Hans-CN"),
            ("sl-IT-Nedis", "sl-IT-nedis"),
            ("de-CH-1901", "de-CH-1901"),
            ("sl-rozaj-biske", "sl-rozaj-biske"),
            ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
            ("en-u-rg-GBzzzz", "en-u-rg-gbzzzz"),
            ("en-a-bbb-x-a-ccc", "en-a-bbb-x-a-ccc"),
            ("en-x-US", "en-x-us"),
            ("ast", "ast"),
        ] {
            assert_eq!(Locale::parse(text).unwrap().as_str(), tag);
        }
    }

    #[test]
    fn a_tag_that_is_not_well_formed_is_refused() {
        for text in [
            "",
            "e",
            "1",
            "-",
            "en-",
            "-en",
            "en--US",
            "pt_BR",
            "en US",
            "englishish",
            "English",
            "abcd-AQ",
            "en-US-US",
            "en-u",
            "en-u-",
            "en-x",
            "en-a-b",
            "x-private",
            "i-klingon",
            "zh-min-nan",
            "en-GB-oed",
            "de-DE-1a",
            "français",
            "en-ÜS",
            "zh-abc-def-ghi-jkl",
        ] {
            assert_eq!(Locale::parse(text).unwrap_err().code, FieldCode::InvalidFormat, "{text:?}");
        }
        let too_long = "en-x-aaaaaaaa-bbbbbbbb-cccccccc-ddddd";
        assert_eq!(Locale::parse(too_long).unwrap_err().code, FieldCode::TooLong);
        assert!(Locale::parse(&too_long[..35]).is_ok());
    }

    proptest! {
        #[test]
        fn every_zone_reads_as_written(zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..])) {
            prop_assert_eq!(TimeZone::parse(zone.name()).unwrap().as_str(), zone.name());
        }

        #[test]
        fn case_does_not_matter_and_reading_twice_changes_nothing(
            text in "[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?(-[a-z0-9]{5,8})?(-u-[a-z0-9]{2,3})?"
        ) {
            if let Ok(locale) = Locale::parse(&text) {
                prop_assert_eq!(&Locale::parse(&text.to_ascii_uppercase()).unwrap(), &locale);
                prop_assert_eq!(&Locale::parse(locale.as_str()).unwrap(), &locale);
            }
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = TimeZone::parse(&text);
            if let Ok(locale) = Locale::parse(&text) {
                prop_assert!(locale.as_str().len() <= Locale::MAX_LENGTH);
            }
        }
    }
}
