//! A number of days, weeks, months or years, counted from an anchor. What is repeated at such intervals is not known here.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::enumeration;

/// The largest number of units that an interval may have.
pub const MAX_EVERY: u16 = 1000;

const MONTHS_PER_YEAR: u32 = 12;

enumeration! {
    /// The unit of an interval.
    IntervalUnit {
        Day = "day",
        Week = "week",
        Month = "month",
        Year = "year",
    }
}

/// The last year that is written with four digits.
const LAST_YEAR: i32 = 9999;

impl IntervalUnit {
    /// The day so many units after another. Where a month is too short, its last day: 31 January and a month is 28 or 29
    /// February. `None` beyond the year 9999.
    pub fn after(self, day: NaiveDate, count: u32) -> Option<NaiveDate> {
        let after = match self {
            Self::Day => day.checked_add_days(Days::new(u64::from(count))),
            Self::Week => day.checked_add_days(Days::new(u64::from(count).checked_mul(7)?)),
            Self::Month => day.checked_add_months(Months::new(count)),
            Self::Year => day.checked_add_months(Months::new(count.checked_mul(MONTHS_PER_YEAR)?)),
        };
        after.filter(|day| day.year() <= LAST_YEAR)
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

/// A length of time in calendar units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Interval {
    /// The number of units.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub every: u16,
    /// The unit.
    pub unit: IntervalUnit,
}

impl Interval {
    pub const fn days(every: u16) -> Self {
        Self { every, unit: IntervalUnit::Day }
    }

    /// The day that many intervals after the anchor; `None` beyond the year 9999. Months are counted from
    /// the anchor and clamped to the end of the month: one month after 31 January is 28 or 29 February, two are 31 March.
    /// A year after 29 February is 28 February.
    pub fn after(&self, anchor: NaiveDate, times: u32) -> Option<NaiveDate> {
        self.unit.after(anchor, u32::from(self.every).checked_mul(times)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::parse_day;
    use proptest::prelude::*;

    fn after(every: u16, unit: IntervalUnit, anchor: &str, times: u32) -> String {
        let day = Interval { every, unit }.after(parse_day(anchor).unwrap(), times);
        day.map_or_else(|| "none".to_owned(), |day| day.to_string())
    }

    #[test]
    fn months_are_counted_from_the_anchor_and_clamped() {
        use IntervalUnit::{Day, Month, Week, Year};
        for (every, unit, anchor, times, expected) in [
            (1, Month, "2026-01-31", 1, "2026-02-28"),
            (1, Month, "2024-01-31", 1, "2024-02-29"),
            (1, Month, "2026-01-31", 2, "2026-03-31"),
            (1, Month, "2026-01-31", 3, "2026-04-30"),
            (3, Month, "2025-11-30", 1, "2026-02-28"),
            (1, Year, "2024-02-29", 1, "2025-02-28"),
            (1, Year, "2024-02-29", 4, "2028-02-29"),
            (12, Month, "2024-02-29", 1, "2025-02-28"),
            (2, Week, "2026-02-27", 1, "2026-03-13"),
            (30, Day, "2026-02-27", 1, "2026-03-29"),
            (14, Day, "2026-02-27", 0, "2026-02-27"),
            (1000, Year, "2026-02-27", 1, "3026-02-27"),
            (1000, Year, "2026-02-27", 1000, "none"),
            (1000, Year, "2026-02-27", u32::MAX, "none"),
            (1000, Day, "2026-02-27", u32::MAX, "none"),
            (1, Day, "9999-12-31", 1, "none"),
        ] {
            assert_eq!(after(every, unit, anchor, times), expected, "{anchor} + {times} * {every} {unit:?}");
        }
    }

    proptest! {
        #[test]
        fn a_later_time_is_never_earlier(
            every in 1..=MAX_EVERY,
            unit in prop::sample::select(IntervalUnit::ALL),
            offset in 0u64..40_000,
            times in 0u32..8,
        ) {
            let anchor = parse_day("1990-01-01").unwrap().checked_add_days(Days::new(offset)).unwrap();
            let interval = Interval { every, unit };
            if let (Some(one), Some(next)) = (interval.after(anchor, times), interval.after(anchor, times + 1)) {
                prop_assert!(anchor <= one && one < next);
            }
        }
    }
}
