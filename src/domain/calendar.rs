//! Steps through the calendar: days, weeks, months and years from a day. No time zone, and no clock.

use chrono::{Days, Months, NaiveDate};

use super::words::enumeration;

enumeration! {
    /// A unit of the calendar.
    CalendarUnit {
        Day = "day",
        Week = "week",
        Month = "month",
        Year = "year",
    }
}

/// The last day that a date with a year of four digits can be.
const LAST_YEAR: i32 = 9999;

impl CalendarUnit {
    /// The day so many units after another. Where the month is too short, its last day: 31 January and a month is 28 or 29
    /// February. `None` beyond the year 9999.
    pub fn after(self, day: NaiveDate, count: u32) -> Option<NaiveDate> {
        let months = |count: Option<u32>| day.checked_add_months(Months::new(count?));
        let days = |count: u64| day.checked_add_days(Days::new(count));
        let after = match self {
            Self::Day => days(u64::from(count)),
            Self::Week => days(u64::from(count).checked_mul(7)?),
            Self::Month => months(Some(count)),
            Self::Year => months(count.checked_mul(12)),
        };
        after.filter(|day| chrono::Datelike::year(day) <= LAST_YEAR)
    }

    /// A number of units after which the day is certainly not later than `until`; close to the largest such.
    pub fn fitting(self, day: NaiveDate, until: NaiveDate) -> u32 {
        let days = until.signed_duration_since(day).num_days().max(0);
        let longest = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
            Self::Year => 366,
        };
        u32::try_from(days / longest).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_end_of_a_month_stays_in_the_month() {
        let table = [
            ("2026-01-31", CalendarUnit::Month, 1, "2026-02-28"),
            ("2028-01-31", CalendarUnit::Month, 1, "2028-02-29"),
            ("2026-01-31", CalendarUnit::Month, 2, "2026-03-31"),
            ("2028-02-29", CalendarUnit::Year, 1, "2029-02-28"),
            ("2028-02-29", CalendarUnit::Year, 4, "2032-02-29"),
            ("2026-12-31", CalendarUnit::Day, 1, "2027-01-01"),
            ("2026-12-31", CalendarUnit::Week, 1, "2027-01-07"),
        ];
        for (from, unit, count, expected) in table {
            assert_eq!(unit.after(day(from), count), Some(day(expected)), "{from} {unit:?} {count}");
        }
    }

    #[test]
    fn nothing_lies_beyond_the_last_year() {
        for unit in CalendarUnit::ALL {
            assert_eq!(unit.after(day("9999-12-31"), 1), None);
            assert_eq!(unit.after(day("2026-03-02"), u32::MAX), None);
        }
    }
}
