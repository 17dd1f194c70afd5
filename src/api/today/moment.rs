//! The day that a view is of, and when it begins.

use chrono::{Days, NaiveDate};

use crate::domain::fields::parse_day;
use crate::domain::id::WorkspaceId;
use crate::domain::locale::TimeZone;
use crate::domain::timestamp::Timestamp;

/// The day of a view and where it begins.
pub struct Moment {
    pub workspace: WorkspaceId,
    pub zone: TimeZone,
    pub on: NaiveDate,
    /// Now if the view is of today, or else when the day begins.
    pub at: Timestamp,
}

impl Moment {
    pub fn days_until(&self, day: NaiveDate) -> i64 {
        (day - self.on).num_days()
    }

    pub fn days_until_text(&self, day: Option<&String>) -> i64 {
        let day = day.and_then(|day| parse_day(day).ok());
        day.map_or(0, |day| self.days_until(day))
    }

    pub fn day_after(&self, days: u64) -> NaiveDate {
        self.on.checked_add_days(Days::new(days)).unwrap_or(self.on)
    }

    pub fn start_of_day_after(&self, days: u64) -> Timestamp {
        self.zone.start_of(self.day_after(days))
    }

    pub fn start_of_day_before(&self, days: u64) -> Timestamp {
        self.zone.start_of(self.on.checked_sub_days(Days::new(days)).unwrap_or(self.on))
    }
}
