//! Periods from one partial date to another, and the one rule for whether a period is current. No clock: the day
//! is passed in.

use chrono::NaiveDate;

use super::partial_date::PartialDate;

/// From the earliest possible first day to the latest possible last day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// `None` if it is not known.
    pub since: Option<NaiveDate>,
    /// `None` if it has not ended.
    pub until: Option<NaiveDate>,
}

impl Period {
    pub fn from_texts(started_on: Option<&str>, ended_on: Option<&str>) -> Self {
        Self {
            since: started_on.and_then(|date| PartialDate::parse(date).ok()?.earliest()),
            // An end without a year is still an end.
            until: ended_on
                .map(|date| PartialDate::parse(date).ok().and_then(PartialDate::latest).unwrap_or(NaiveDate::MIN)),
        }
    }

    /// Whether it has begun and is not over.
    pub fn is_current(self, on: NaiveDate) -> bool {
        self.since.is_none_or(|since| since <= on) && !self.is_over(on)
    }

    /// Whether its last day has passed.
    pub fn is_over(self, on: NaiveDate) -> bool {
        self.until.is_some_and(|until| until < on)
    }
}

/// A day as text, in each precision that a stored partial date can have, to apply the same rule in SQL. A period
/// is current if it starts at or before `day` (`2026` sorts before `2026-03-02`), and ends at or after `day`, in
/// this `month` or in this `year`, which are not over yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTexts {
    pub day: String,
    pub month: String,
    pub year: String,
}

impl DayTexts {
    pub fn new(on: NaiveDate) -> Self {
        let written = |format: &str| on.format(format).to_string();
        Self { day: written("%Y-%m-%d"), month: written("%Y-%m"), year: written("%Y") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_current_from_its_first_to_its_last_possible_day() {
        for (started_on, ended_on, on, current, over) in [
            (None, None, "2026-03-02", true, false),
            (Some("2026-03-02"), None, "2026-03-02", true, false),
            (Some("2026-03-03"), None, "2026-03-02", false, false),
            (Some("2026"), None, "2026-01-01", true, false),
            (Some("2027"), None, "2026-12-31", false, false),
            (None, Some("2026-03-02"), "2026-03-02", true, false),
            (None, Some("2026-03-01"), "2026-03-02", false, true),
            (None, Some("2027-06"), "2026-03-02", true, false),
            (None, Some("2026-03"), "2026-03-31", true, false),
            (None, Some("2026-03"), "2026-04-01", false, true),
            (None, Some("2026"), "2026-12-31", true, false),
            (None, Some("2026"), "2027-01-01", false, true),
            (None, Some("2024-02"), "2024-02-29", true, false),
            (None, Some("2024-02"), "2024-03-01", false, true),
            (None, Some("--06-15"), "2026-03-02", false, true),
        ] {
            let (period, on) = (Period::from_texts(started_on, ended_on), day(on));
            assert_eq!(
                (period.is_current(on), period.is_over(on)),
                (current, over),
                "{started_on:?} {ended_on:?} {on}"
            );
        }
    }

    /// What the database is asked.
    fn is_current_as_text(started_on: Option<&str>, ended_on: Option<&str>, on: NaiveDate) -> bool {
        let DayTexts { day, month, year } = DayTexts::new(on);
        started_on.is_none_or(|date| date <= day.as_str())
            && ended_on.is_none_or(|date| date >= day.as_str() || date == month || date == year)
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        // Close together, so that they share months and years.
        (0_u64..1_200).prop_map(|days| day("2023-11-15").checked_add_days(Days::new(days)).unwrap())
    }

    fn any_date() -> impl Strategy<Value = Option<String>> {
        let formats = prop::sample::select(vec!["%Y-%m-%d", "%Y-%m", "%Y"]);
        prop::option::of((any_day(), formats).prop_map(|(day, format)| day.format(format).to_string()))
    }

    proptest! {
        #[test]
        fn texts_tell_the_same(started_on in any_date(), ended_on in any_date(), on in any_day()) {
            let (started_on, ended_on) = (started_on.as_deref(), ended_on.as_deref());
            let period = Period::from_texts(started_on, ended_on);
            prop_assert_eq!(period.is_current(on), is_current_as_text(started_on, ended_on, on));
        }
    }
}
