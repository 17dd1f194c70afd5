//! On which days of a year birthdays and other dates without a year fall.

use chrono::{Datelike, Days, NaiveDate};

/// A day of any year as it is looked up: `06-15`.
pub fn day_key(month: u32, day: u32) -> String {
    format!("{month:02}-{day:02}")
}

/// The day and those after it, each with the days of any year that fall on it: 29 February falls on the 28th in common years.
pub fn days_ahead(on: NaiveDate, days: u64) -> Vec<(NaiveDate, Vec<String>)> {
    let all = (0..=days).filter_map(|count| on.checked_add_days(Days::new(count)));
    let keys = |day: NaiveDate| {
        let own = day_key(day.month(), day.day());
        let leap = ((day.month(), day.day()) == (2, 28) && !day.leap_year()).then(|| day_key(2, 29));
        std::iter::once(own).chain(leap).collect()
    };
    all.map(|day| (day, keys(day))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_day_falls_on_the_28th_in_common_years() {
        let keys = |on: &str| {
            let ahead = days_ahead(on.parse().unwrap(), 1);
            ahead.into_iter().map(|(day, keys)| (day.to_string(), keys.join(" "))).collect::<Vec<_>>()
        };
        let pair = |day: &str, keys: &str| (day.to_owned(), keys.to_owned());
        assert_eq!(keys("2027-02-28"), [pair("2027-02-28", "02-28 02-29"), pair("2027-03-01", "03-01")]);
        assert_eq!(keys("2028-02-28"), [pair("2028-02-28", "02-28"), pair("2028-02-29", "02-29")]);
        assert_eq!(keys("2026-12-31"), [pair("2026-12-31", "12-31"), pair("2027-01-01", "01-01")]);
    }
}
