//! When something that recurs is due again. Days are those of the workspace's time zone; which day it is now is the
//! caller's to say.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::parse_day;
use super::interval::IntervalUnit;
use super::words::enumeration;

/// How something recurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recurrence {
    /// How many units are between two occurrences.
    #[schema(minimum = 1, maximum = 1000, example = 1)]
    pub every: u16,
    /// The unit of `every`. In a month that is too short, the occurrence falls on the last day.
    pub unit: IntervalUnit,
    /// What the next occurrence is counted from.
    #[serde(default)]
    #[schema(default = "schedule")]
    pub from: RecurrenceFrom,
    /// The day from which a schedule is counted: a monthly one that starts on 31 January recurs on 28 February and
    /// then 31 March. If null or absent in a request, it is `due_on`; changing `due_on` also sets it, unless the
    /// request sends it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-02")]
    pub starts_on: Option<String>,
}

enumeration! {
    /// What the next occurrence is counted from: the schedule, or the day on which the last one was completed or skipped.
    #[derive(Default)]
    RecurrenceFrom {
        #[default]
        Schedule = "schedule",
        Completion = "completion",
    }
}

impl Recurrence {
    /// The day of the next occurrence: the first that is later than both the day on which this one was due and the day on
    /// which it was completed or skipped. `None` beyond the year 9999.
    pub fn next(&self, due_on: NaiveDate, closed_on: NaiveDate) -> Option<NaiveDate> {
        let last = due_on.max(closed_on);
        let starts_on = self.starts_on.as_deref().and_then(|day| parse_day(day).ok()).unwrap_or(due_on);
        let anchor = match self.from {
            RecurrenceFrom::Schedule => starts_on,
            RecurrenceFrom::Completion => closed_on,
        };
        // A schedule that begins later than this has its first occurrence on that day.
        if anchor > last {
            return Some(anchor);
        }
        let every = u32::from(self.every.max(1));
        let mut count = self.unit.fitting(anchor, last).checked_div(every)?;
        loop {
            let day = self.unit.after(anchor, count.checked_mul(every)?)?;
            if day > last {
                return Some(day);
            }
            count = count.checked_add(1)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn recurrence(every: u16, unit: IntervalUnit, from: RecurrenceFrom, starts_on: NaiveDate) -> Recurrence {
        Recurrence { every, unit, from, starts_on: Some(starts_on.to_string()) }
    }

    #[test]
    fn the_next_occurrence_is_later_than_the_last_one_and_than_the_day_it_was_closed() {
        use IntervalUnit::{Day, Month, Week, Year};
        use RecurrenceFrom::{Completion, Schedule};
        let table = [
            // Due, closed, and next.
            (1, Month, Schedule, "2026-01-31", "2026-01-31", "2026-01-31", "2026-02-28"),
            (1, Month, Schedule, "2026-01-31", "2026-02-28", "2026-02-20", "2026-03-31"),
            (1, Year, Schedule, "2028-02-29", "2028-02-29", "2028-03-01", "2029-02-28"),
            (1, Week, Schedule, "2026-03-02", "2026-03-02", "2026-03-16", "2026-03-23"),
            (1, Week, Schedule, "2026-03-02", "2026-03-09", "2026-03-02", "2026-03-16"),
            (1, Week, Completion, "2026-03-02", "2026-03-02", "2026-03-04", "2026-03-11"),
            (1, Week, Completion, "2026-03-02", "2026-03-30", "2026-03-04", "2026-04-01"),
            (3, Day, Schedule, "2026-03-02", "2026-03-02", "2026-03-02", "2026-03-05"),
            (1, Day, Schedule, "2026-05-01", "2026-03-02", "2026-03-02", "2026-05-01"),
        ];
        for (every, unit, from, starts_on, due_on, closed_on, expected) in table {
            let next = recurrence(every, unit, from, day(starts_on)).next(day(due_on), day(closed_on));
            assert_eq!(next, Some(day(expected)), "{every} {unit:?} {from:?} {starts_on} {due_on} {closed_on}");
        }
    }

    #[test]
    fn a_series_ends_with_the_calendar() {
        let yearly = recurrence(1000, IntervalUnit::Year, RecurrenceFrom::Schedule, day("2026-03-02"));
        assert_eq!(yearly.next(day("9026-03-02"), day("9026-03-02")), None);
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        (0..40_000_u64).prop_map(|days| day("1999-01-01") + chrono::Days::new(days))
    }

    proptest! {
        #[test]
        fn no_occurrence_is_left_out(
            every in 1..40_u16, unit in prop::sample::select(IntervalUnit::ALL), starts_on in any_day(), due_on in any_day(),
            closed_on in any_day(),
        ) {
            let from = RecurrenceFrom::Schedule;
            let next = recurrence(every, unit, from, starts_on).next(due_on, closed_on).unwrap();
            let last = due_on.max(closed_on);
            prop_assert!(next > last);
            let mut all = (0..).map(|count| unit.after(starts_on, count * u32::from(every)).unwrap());
            prop_assert_eq!(all.find(|day| *day > last), Some(next));
        }
    }
}
