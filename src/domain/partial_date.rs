//! Dates of which only a part may be known: a birthday without its year, a job begun "in 2019". No clock, no time
//! zone.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::invalid::Rejection;

/// A day, a month of a year, a year, or a day of any year.
///
/// Written `1990-06-15`, `1990-06`, `1990` or `--06-15` (RFC 6350, section 4.3.1,
/// in the extended form). Years run from 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate(Known);

/// What is known. Private, so that every value is a possible date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Known {
    Day(NaiveDate),
    Month { year: i32, month: u32 },
    Year { year: i32 },
    DayOfAnyYear { month: u32, day: u32 },
}

/// `--02-29` is a birthday, so a year without a date is taken to be a leap year.
const ANY_LEAP_YEAR: i32 = 2000;

impl PartialDate {
    /// Accepts only the documented forms, in ASCII digits with leading zeros, and only days that exist.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        Self::read(text).ok_or_else(|| {
            Rejection::format("Must be an existing date, full or partial: 1990-06-15, 1990-06, 1990 or --06-15.")
        })
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("--") {
            let (month, day) = rest.split_once('-')?;
            let (month, day) = (number(month, 2)?, number(day, 2)?);
            NaiveDate::from_ymd_opt(ANY_LEAP_YEAR, month, day)?;
            return Some(Self(Known::DayOfAnyYear { month, day }));
        }
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4).filter(|year| *year > 0)?;
        let year = i32::try_from(year).ok()?;
        let known = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Known::Year { year },
            (Some(month), None, _) => {
                let month = number(month, 2).filter(|month| (1..=12).contains(month))?;
                Known::Month { year, month }
            }
            (Some(month), Some(day), None) => {
                let (month, day) = (number(month, 2)?, number(day, 2)?);
                Known::Day(NaiveDate::from_ymd_opt(year, month, day)?)
            }
            _ => return None,
        };
        Some(Self(known))
    }

    /// The first day it may be; `None` without a year.
    pub fn earliest(self) -> Option<NaiveDate> {
        match self.0 {
            Known::Day(date) => Some(date),
            Known::Month { year, month } => NaiveDate::from_ymd_opt(year, month, 1),
            Known::Year { year } => NaiveDate::from_ymd_opt(year, 1, 1),
            Known::DayOfAnyYear { .. } => None,
        }
    }

    /// The last day it may be; `None` without a year.
    pub fn latest(self) -> Option<NaiveDate> {
        match self.0 {
            Known::Day(date) => Some(date),
            Known::Month { year, month } => {
                (28..=31).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
            }
            Known::Year { year } => NaiveDate::from_ymd_opt(year, 12, 31),
            Known::DayOfAnyYear { .. } => None,
        }
    }

    /// Whether this date agrees with the other and is at least as precise.
    pub fn refines(self, other: Self) -> bool {
        let (bounds, within) = (self.earliest().zip(self.latest()), other.earliest().zip(other.latest()));
        match (bounds, within) {
            (Some((first, last)), Some((from, to))) => from <= first && last <= to,
            // A date with a year also says the day without it.
            (_, None) => self.month_day() == other.month_day(),
            (None, Some(_)) => false,
        }
    }

    /// Month (1-12) and day (1-31), when both are known.
    pub fn month_day(self) -> Option<(u32, u32)> {
        match self.0 {
            Known::Day(date) => Some((date.month(), date.day())),
            Known::DayOfAnyYear { month, day } => Some((month, day)),
            Known::Month { .. } | Known::Year { .. } => None,
        }
    }

    /// 1-9999, when known.
    pub fn year(self) -> Option<i32> {
        match self.0 {
            Known::Day(date) => Some(date.year()),
            Known::Month { year, .. } | Known::Year { year } => Some(year),
            Known::DayOfAnyYear { .. } => None,
        }
    }
}

/// A number of exactly this many ASCII digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Known::Day(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
            Known::Month { year, month } => write!(f, "{year:04}-{month:02}"),
            Known::Year { year } => write!(f, "{year:04}"),
            Known::DayOfAnyYear { month, day } => write!(f, "--{month:02}-{day:02}"),
        }
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
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

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_known_bounds_when_it_may_be() {
        for (text, bounds, month_day, year) in [
            ("1990-06-15", Some(("1990-06-15", "1990-06-15")), Some((6, 15)), Some(1990)),
            ("1990-06", Some(("1990-06-01", "1990-06-30")), None, Some(1990)),
            ("2023-02", Some(("2023-02-01", "2023-02-28")), None, Some(2023)),
            ("2024-02", Some(("2024-02-01", "2024-02-29")), None, Some(2024)),
            ("2000-12", Some(("2000-12-01", "2000-12-31")), None, Some(2000)),
            ("1990", Some(("1990-01-01", "1990-12-31")), None, Some(1990)),
            ("0001", Some(("0001-01-01", "0001-12-31")), None, Some(1)),
            ("9999-12-31", Some(("9999-12-31", "9999-12-31")), Some((12, 31)), Some(9999)),
            ("2024-02-29", Some(("2024-02-29", "2024-02-29")), Some((2, 29)), Some(2024)),
            ("--06-15", None, Some((6, 15)), None),
            ("--02-29", None, Some((2, 29)), None),
        ] {
            let parsed = PartialDate::parse(text).unwrap();
            assert_eq!(parsed.earliest(), bounds.map(|(first, _)| date(first)), "{text}");
            assert_eq!(parsed.latest(), bounds.map(|(_, last)| date(last)), "{text}");
            assert_eq!(parsed.month_day(), month_day, "{text}");
            assert_eq!(parsed.year(), year, "{text}");
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn a_date_says_all_of_one_that_it_is_a_part_of() {
        for (one, other, all_of, of_the_other) in [
            ("1990-06-15", "1990-06-15", true, true),
            ("1990-06-15", "1990-06", true, false),
            ("1990-06-15", "1990", true, false),
            ("1990-06", "1990", true, false),
            ("1990-06-15", "--06-15", true, false),
            ("--06-15", "--06-15", true, true),
            ("1990-06-15", "--06-16", false, false),
            ("1990", "--06-15", false, false),
            ("1990-06", "--06-15", false, false),
            ("1990", "1991", false, false),
            ("1990-06-15", "1990-07", false, false),
        ] {
            let dates = (PartialDate::parse(one).unwrap(), PartialDate::parse(other).unwrap());
            let refined = (dates.0.refines(dates.1), dates.1.refines(dates.0));
            assert_eq!(refined, (all_of, of_the_other), "{one} {other}");
        }
    }

    #[test]
    fn nothing_else_is_a_partial_date() {
        for text in [
            "",
            " ",
            "1990-6-15",
            "90",
            "19900615",
            "1990-06-15T00:00:00Z",
            " 1990",
            "1990 ",
            "0000",
            "0000-01-01",
            "10000",
            "-001",
            "+990",
            "1990-00",
            "1990-13",
            "1990-06-00",
            "1990-06-31",
            "2023-02-29",
            "1900-02-29",
            "--02-30",
            "--13-01",
            "--00-10",
            "--6-15",
            "--0615",
            "---15",
            "--06",
            "1990-",
            "1990-06-",
            "1990-06-15-",
            "1990/06/15",
            "١٩٩٠",
            "１９９０",
            "1990-０6",
        ] {
            let rejection = PartialDate::parse(text).unwrap_err();
            assert_eq!(rejection.code, FieldCode::InvalidFormat, "{text:?}");
        }
    }

    #[test]
    fn it_is_a_string_in_json() {
        let parsed: PartialDate = serde_json::from_str("\"--02-29\"").unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), "\"--02-29\"");
        let error = serde_json::from_str::<PartialDate>("\"1990-02-30\"").unwrap_err();
        assert!(error.to_string().contains("1990-06-15"), "{error}");
        assert!(serde_json::from_str::<PartialDate>("1990").is_err());
    }

    proptest! {
        #[test]
        fn every_day_reads_as_written(days in 1i32..=3_652_059) {
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let parsed = PartialDate::parse(&day.to_string()).unwrap();
            prop_assert_eq!(parsed.earliest(), Some(day));
            prop_assert_eq!(parsed.latest(), Some(day));
            prop_assert_eq!(parsed.to_string(), day.to_string());
        }

        #[test]
        fn what_parses_prints_the_same_and_is_bounded(text in "-{0,2}[0-9]{2,4}(-[0-9]{2}){0,2}") {
            if let Ok(parsed) = PartialDate::parse(&text) {
                prop_assert_eq!(parsed.to_string(), text);
                prop_assert!(parsed.earliest() <= parsed.latest());
                prop_assert_eq!(parsed.earliest().is_some(), parsed.year().is_some());
            }
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = PartialDate::parse(&text);
        }
    }
}
