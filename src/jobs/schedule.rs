//! When jobs are enqueued by themselves. Each occurrence has a name, which is the unique key of its job: whichever server gets
//! there first enqueues it. Only the latest occurrence is enqueued, so a server that was down does not catch up on all that it
//! missed.

use chrono::Timelike;

use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Once in each hour, in UTC.
    Hourly,
    /// Four times in each hour, in UTC: with each full hour of every time zone.
    QuarterHourly,
}

impl Schedule {
    /// The unique key of the latest occurrence.
    pub fn occurrence(self, kind: &str, now: Timestamp) -> String {
        let hour = now.instant().format("%Y-%m-%dT%H");
        match self {
            Self::Hourly => format!("{kind}:{hour}"),
            Self::QuarterHourly => format!("{kind}:{hour}:{:02}", now.instant().minute() / 15 * 15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quarter_of_an_hour_has_its_occurrence() {
        let key = |instant: &str| Schedule::QuarterHourly.occurrence("notify", Timestamp::parse(instant).unwrap());
        assert_eq!(key("2026-11-26T12:14:59Z"), "notify:2026-11-26T12:00");
        assert_eq!(key("2026-11-26T12:15:00Z"), "notify:2026-11-26T12:15");
        assert_eq!(key("2026-11-26T12:59:59Z"), "notify:2026-11-26T12:45");
    }

    #[test]
    fn an_occurrence_lasts_until_the_next_hour_begins() {
        let key = |instant: &str| Schedule::Hourly.occurrence("purge", Timestamp::parse(instant).unwrap());
        assert_eq!(key("2026-11-26T12:00:00Z"), "purge:2026-11-26T12");
        assert_eq!(key("2026-11-26T13:59:59.999999+01:00"), "purge:2026-11-26T12");
        assert_eq!(key("2026-11-26T13:00:00Z"), "purge:2026-11-26T13");
    }
}
