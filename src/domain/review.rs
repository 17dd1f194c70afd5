//! Looking back on a period: which days it has, what became of each promise, and whether a goal has moved. What there was is
//! given.

use chrono::{Days, NaiveDate};

use super::follow_up::FollowUpStatus;
use super::progress::Window;
use super::words::enumeration;

/// How long a period may be.
pub const MAX_DAYS: i64 = 366;

/// How long it is by default.
pub const DEFAULT_DAYS: u64 = 7;

enumeration! {
    /// Whether a goal has moved in a period. `moved`: the value of a key result has changed, a target was added or has changed
    /// its stage, or the goal was achieved. `stalled`: none of these.
    GoalMovement {
        Moved = "moved",
        Stalled = "stalled",
    }
}

impl GoalMovement {
    /// Of a goal that was achieved in the period or not, by the values of its key results before and after, and the number of
    /// targets that were added or changed their stage.
    pub fn of(achieved: bool, values: &[(f64, f64)], targets_moved: i64) -> Self {
        let has_moved = |(before, after): &(f64, f64)| before.total_cmp(after).is_ne();
        match achieved || targets_moved > 0 || values.iter().any(has_moved) {
            true => Self::Moved,
            false => Self::Stalled,
        }
    }
}

/// Days of which `until` is no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewPeriod {
    pub since: NaiveDate,
    pub until: NaiveDate,
}

impl ReviewPeriod {
    /// What is not given is the seven days up to today, or before `until`. `None` if it is empty or too long.
    pub fn new(since: Option<NaiveDate>, until: Option<NaiveDate>, today: NaiveDate) -> Option<Self> {
        let until = until.or_else(|| today.succ_opt()).unwrap_or(today);
        let since = since.or_else(|| until.checked_sub_days(Days::new(DEFAULT_DAYS))).unwrap_or(until);
        (1..=MAX_DAYS).contains(&(until - since).num_days()).then_some(Self { since, until })
    }

    /// The last day of it.
    pub fn last_day(self) -> NaiveDate {
        self.until.pred_opt().unwrap_or(self.until)
    }

    /// The same as the days of key results.
    pub fn window(self) -> Window {
        Window { first: self.since, last: self.last_day() }
    }

    /// Whether a day is part of it.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.since <= day && day < self.until
    }

    /// The day before it.
    pub fn day_before(self) -> NaiveDate {
        self.since.pred_opt().unwrap_or(self.since)
    }
}

/// What became of something that was promised for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromiseOutcome {
    /// Done by its day.
    Kept,
    /// Done later, or not yet.
    Slipped,
    /// Its day has not passed.
    Open,
}

impl PromiseOutcome {
    /// `None` of what was skipped or cancelled. Snoozing excuses nothing.
    pub fn of(
        status: FollowUpStatus,
        due_on: NaiveDate,
        completed_on: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Option<Self> {
        match status {
            FollowUpStatus::Done if completed_on.is_none_or(|completed| completed <= due_on) => Some(Self::Kept),
            FollowUpStatus::Done => Some(Self::Slipped),
            FollowUpStatus::Pending if due_on < today => Some(Self::Slipped),
            FollowUpStatus::Pending => Some(Self::Open),
            FollowUpStatus::Skipped | FollowUpStatus::Cancelled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_the_last_seven_days_unless_it_is_given() {
        let period = |since: Option<&str>, until: Option<&str>| {
            let period = ReviewPeriod::new(since.map(day), until.map(day), day("2026-03-02"));
            period.map(|period| (period.since.to_string(), period.until.to_string()))
        };
        let expected = |since: &str, until: &str| Some((since.to_owned(), until.to_owned()));
        for (since, until, wanted) in [
            (None, None, expected("2026-02-24", "2026-03-03")),
            (Some("2026-03-02"), None, expected("2026-03-02", "2026-03-03")),
            (None, Some("2026-01-08"), expected("2026-01-01", "2026-01-08")),
            (Some("2025-03-02"), None, expected("2025-03-02", "2026-03-03")),
            (Some("2025-03-01"), None, None),
            (Some("2026-03-03"), None, None),
            (Some("2026-03-02"), Some("2026-03-02"), None),
            (Some("2026-03-02"), Some("2026-03-01"), None),
            (Some("0001-01-01"), Some("0001-01-02"), expected("0001-01-01", "0001-01-02")),
        ] {
            assert_eq!(period(since, until), wanted, "{since:?} {until:?}");
        }
    }

    #[test]
    fn a_goal_has_moved_if_anything_of_it_has() {
        for (achieved, values, targets_moved, expected) in [
            (false, &[][..], 0, GoalMovement::Stalled),
            (false, &[(1.0, 1.0), (0.0, 0.0)], 0, GoalMovement::Stalled),
            (false, &[(1.0, 1.0), (0.0, 0.5)], 0, GoalMovement::Moved),
            (false, &[(2.0, 1.0)], 0, GoalMovement::Moved),
            (false, &[], 1, GoalMovement::Moved),
            (true, &[], 0, GoalMovement::Moved),
        ] {
            assert_eq!(GoalMovement::of(achieved, values, targets_moved), expected, "{values:?}");
        }
    }

    #[test]
    fn a_promise_is_kept_by_its_day_and_slips_after_it() {
        use FollowUpStatus::{Cancelled, Done, Pending, Skipped};
        for (status, due_on, completed_on, expected) in [
            (Done, "2026-02-20", Some("2026-02-19"), Some(PromiseOutcome::Kept)),
            (Done, "2026-02-20", Some("2026-02-20"), Some(PromiseOutcome::Kept)),
            (Done, "2026-02-20", Some("2026-02-21"), Some(PromiseOutcome::Slipped)),
            (Pending, "2026-03-01", None, Some(PromiseOutcome::Slipped)),
            (Pending, "2026-03-02", None, Some(PromiseOutcome::Open)),
            (Pending, "2026-03-03", None, Some(PromiseOutcome::Open)),
            (Skipped, "2026-02-20", None, None),
            (Cancelled, "2026-02-20", None, None),
        ] {
            let outcome = PromiseOutcome::of(status, day(due_on), completed_on.map(day), day("2026-03-02"));
            assert_eq!(outcome, expected, "{status:?} {due_on} {completed_on:?}");
        }
    }
}
