//! How far a goal has come on a day: the formulas, and the days that count. What is counted is given.

use chrono::{Days, NaiveDate, TimeDelta};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

use super::goal::{Goal, GoalStatus};
use super::locale::TimeZone;
use super::timestamp::Timestamp;
use super::words::enumeration;

/// Differences are compared with so many parts of one, so that 0.5 − 0.6 is −0.1.
const PARTS: f64 = 1e9;

enumeration! {
    /// How progress compares with elapsed time. `at_risk`: at least 0.25 behind. `behind`: at least 0.1 behind.
    /// `ahead`: at least 0.1 ahead. `on_track`: otherwise.
    Pace {
        AtRisk = "at_risk",
        Behind = "behind",
        OnTrack = "on_track",
        Ahead = "ahead",
    }
}

/// The projected outcome at the current pace.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Projection {
    /// The fraction projected to be done by `due_on`; above 1 if it exceeds the target.
    #[schema(minimum = 0, example = 0.8)]
    pub at_due: f64,
    /// The day on which all of it will be done. Null: it is done already, or not before the year 10000.
    #[schema(value_type = Option<String>, format = Date, example = "2027-02-14")]
    pub done_on: Option<NaiveDate>,
}

/// The days of a goal up to a day, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl Window {
    /// From the first day of the goal, or else the day of its creation, to the day it is due; no later than `on`.
    pub fn of(goal: &Goal, zone: TimeZone, on: NaiveDate) -> Self {
        let first = goal.fields.started_day().unwrap_or_else(|| zone.day(goal.created_at));
        Self { first, last: goal.fields.due_day().map_or(on, |due| due.min(on)) }
    }

    /// The instants from its beginning until before its end.
    pub fn instants(self, zone: TimeZone) -> (Timestamp, Timestamp) {
        (zone.start_of(self.first), zone.start_of(day_after(self.last)))
    }

    /// The same of its days in UTC, as the days of interactions are sorted.
    pub fn instants_in_utc(self) -> (Timestamp, Timestamp) {
        let start = |day: NaiveDate| Timestamp::end_of(day).minus(TimeDelta::days(1));
        let after = TimeDelta::microseconds(1);
        (start(self.first).plus(after), Timestamp::end_of(self.last).plus(after))
    }
}

fn day_after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The part of the way from the start to the target that is done, 0 to 1.
pub fn share(start: f64, target: f64, current: f64) -> f64 {
    let way = target - start;
    if way == 0.0 { 0.0 } else { ((current - start) / way).clamp(0.0, 1.0) }
}

/// The mean of shares by their weights; `None` without any.
pub fn progress(shares: &[(f64, f64)]) -> Option<f64> {
    let weights: f64 = shares.iter().map(|(weight, _)| weight).sum();
    let done: f64 = shares.iter().map(|(weight, share)| weight * share).sum();
    (weights > 0.0).then(|| (done / weights).clamp(0.0, 1.0))
}

/// The part of the time of a goal that has passed, 0 to 1. All of it where it is due on the day it starts.
pub fn elapsed(started_on: NaiveDate, due_on: NaiveDate, on: NaiveDate) -> f64 {
    if due_on <= started_on {
        return 1.0;
    }
    (days(started_on, on) / days(started_on, due_on)).clamp(0.0, 1.0)
}

/// Days from one to another; all years that can be entered fit.
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    i32::try_from((to - from).num_days()).map_or(f64::MAX, f64::from)
}

impl Pace {
    pub fn of(progress: f64, elapsed: f64) -> Self {
        let lead = ((progress - elapsed) * PARTS).round() / PARTS;
        if lead <= -0.25 {
            Self::AtRisk
        } else if lead <= -0.10 {
            Self::Behind
        } else if lead >= 0.10 {
            Self::Ahead
        } else {
            Self::OnTrack
        }
    }
}

impl Projection {
    /// `None` while nothing is done, or no time has passed.
    pub fn of(progress: f64, elapsed: f64, started_on: NaiveDate, on: NaiveDate) -> Option<Self> {
        if progress <= 0.0 || elapsed <= 0.0 {
            return None;
        }
        let whole = Duration::try_from_secs_f64(days(started_on, on) / progress).ok();
        let whole = whole.filter(|_| progress < 1.0 && on > started_on).map(|whole| {
            // A part of a day takes all of it.
            whole.as_secs().saturating_add(u64::from(whole.subsec_nanos() > 0))
        });
        let done_on = whole.and_then(|whole| started_on.checked_add_days(Days::new(whole)));
        let done_on = done_on.filter(|day| chrono::Datelike::year(day) <= 9999);
        Some(Self { at_due: progress / elapsed, done_on })
    }
}

/// How a goal, or one of its key results, stands on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// `None` without key results.
    pub progress: Option<f64>,
    /// `None` unless both days of the goal are set.
    pub elapsed: Option<f64>,
    pub pace: Option<Pace>,
    pub projection: Option<Projection>,
}

impl Standing {
    pub fn of(goal: &Goal, progress: Option<f64>, on: NaiveDate) -> Self {
        let days = goal.fields.started_day().zip(goal.fields.due_day());
        let elapsed = days.map(|(started, due)| elapsed(started, due, on));
        let both = progress.zip(elapsed);
        let is_active = goal.fields.status == GoalStatus::Active;
        let pace = both.filter(|_| is_active).map(|(progress, elapsed)| Pace::of(progress, elapsed));
        let projection = both
            .zip(days)
            .and_then(|((progress, elapsed), (started, _))| Projection::of(progress, elapsed, started, on));
        Self { progress, elapsed, pace, projection }
    }

    /// Whether the goal was due before the day and is not done.
    pub fn is_overdue(&self, goal: &Goal, on: NaiveDate) -> bool {
        goal.fields.due_day().is_some_and(|due| on > due) && self.progress.is_some_and(|progress| progress < 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::goal::GoalFields;
    use crate::domain::id::GoalId;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_the_part_of_the_way() {
        for (start, target, current, expected) in [
            (0.0, 10.0, 0.0, 0.0),
            (0.0, 10.0, 4.0, 0.4),
            (0.0, 10.0, 12.0, 1.0),
            (0.0, 10.0, -1.0, 0.0),
            (20.0, 10.0, 15.0, 0.5),
            (20.0, 10.0, 25.0, 0.0),
            (5.0, 10.0, 7.5, 0.5),
        ] {
            assert_eq!(share(start, target, current), expected, "{start} {target} {current}");
        }
    }

    #[test]
    fn progress_is_the_mean_by_weight() {
        for (shares, expected) in [
            (vec![], None),
            (vec![(1.0, 0.5)], Some(0.5)),
            (vec![(1.0, 1.0), (1.0, 0.0)], Some(0.5)),
            (vec![(3.0, 1.0), (1.0, 0.0)], Some(0.75)),
        ] {
            assert_eq!(progress(&shares), expected, "{shares:?}");
        }
    }

    #[test]
    fn elapsed_is_the_part_of_the_days() {
        for (started, due, on, expected) in [
            ("2026-01-01", "2026-01-11", "2025-12-31", 0.0),
            ("2026-01-01", "2026-01-11", "2026-01-01", 0.0),
            ("2026-01-01", "2026-01-11", "2026-01-06", 0.5),
            ("2026-01-01", "2026-01-11", "2026-01-11", 1.0),
            ("2026-01-01", "2026-01-11", "2027-01-01", 1.0),
            ("2026-01-01", "2026-01-01", "2026-01-01", 1.0),
        ] {
            assert_eq!(elapsed(day(started), day(due), day(on)), expected, "{started} {due} {on}");
        }
    }

    #[test]
    fn pace_compares_progress_with_the_time_that_has_passed() {
        for (progress, elapsed, expected) in [
            (0.0, 0.25, Pace::AtRisk),
            (0.25, 0.5, Pace::AtRisk),
            (0.251, 0.5, Pace::Behind),
            (0.5, 0.6, Pace::Behind),
            (0.501, 0.6, Pace::OnTrack),
            (0.5, 0.5, Pace::OnTrack),
            (0.599, 0.5, Pace::OnTrack),
            (0.6, 0.5, Pace::Ahead),
            (0.4, 0.3, Pace::Ahead),
            (1.0, 1.0, Pace::OnTrack),
        ] {
            assert_eq!(Pace::of(progress, elapsed), expected, "{progress} {elapsed}");
        }
    }

    #[test]
    fn a_projection_goes_on_as_fast_as_so_far() {
        let of = |progress, elapsed, on| Projection::of(progress, elapsed, day("2026-01-01"), day(on));
        assert_eq!(of(0.0, 0.5, "2026-01-06"), None);
        assert_eq!(of(0.5, 0.0, "2026-01-01"), None);
        let half = of(0.25, 0.5, "2026-01-06").unwrap();
        assert_eq!((half.at_due, half.done_on), (0.5, Some(day("2026-01-21"))));
        let third = of(0.3, 0.5, "2026-01-06").unwrap();
        assert_eq!(third.done_on, Some(day("2026-01-18")), "16.67 days are 17");
        assert_eq!(of(1.0, 0.5, "2026-01-06").unwrap(), Projection { at_due: 2.0, done_on: None });
        assert_eq!(of(1e-9, 0.5, "2026-01-06").unwrap().done_on, None, "beyond the calendar");
    }

    fn goal(started_on: Option<&str>, due_on: Option<&str>, status: GoalStatus) -> Goal {
        let fields = GoalFields {
            title: "Move".to_owned(),
            started_on: started_on.map(str::to_owned),
            due_on: due_on.map(str::to_owned),
            status,
            ..GoalFields::default()
        };
        let created = Timestamp::parse("2026-01-03T23:30:00Z").unwrap();
        Goal::new(GoalId::new(uuid::Uuid::nil()), created, fields).unwrap()
    }

    #[test]
    fn pace_needs_an_active_goal_with_both_days() {
        let both = (Some("2026-01-01"), Some("2026-01-11"));
        let table = [
            (both, GoalStatus::Active, Some(0.1), Some(Pace::AtRisk)),
            (both, GoalStatus::Active, None, None),
            (both, GoalStatus::Paused, Some(0.1), None),
            (both, GoalStatus::Achieved, Some(0.1), None),
            ((None, Some("2026-01-11")), GoalStatus::Active, Some(0.1), None),
            ((Some("2026-01-01"), None), GoalStatus::Active, Some(0.1), None),
        ];
        for ((started, due), status, progress, expected) in table {
            let goal = goal(started, due, status);
            let standing = Standing::of(&goal, progress, day("2026-01-06"));
            assert_eq!(standing.pace, expected, "{started:?} {due:?} {status:?} {progress:?}");
            assert_eq!(standing.elapsed.is_some(), started.is_some() && due.is_some());
        }
    }

    #[test]
    fn a_goal_is_overdue_the_day_after_it_was_due() {
        let goal = goal(Some("2026-01-01"), Some("2026-01-11"), GoalStatus::Active);
        for (on, progress, expected) in [
            ("2026-01-11", Some(0.5), false),
            ("2026-01-12", Some(0.5), true),
            ("2026-01-12", Some(1.0), false),
            ("2026-01-12", None, false),
        ] {
            let standing = Standing::of(&goal, progress, day(on));
            assert_eq!(standing.is_overdue(&goal, day(on)), expected, "{on} {progress:?}");
        }
    }

    #[test]
    fn the_window_begins_on_the_first_day_there_is_and_never_ends_after_the_day_asked_for() {
        let berlin = TimeZone::parse("Europe/Berlin").unwrap();
        for (started, due, on, first, last) in [
            (Some("2026-01-01"), Some("2026-01-11"), "2026-01-06", "2026-01-01", "2026-01-06"),
            (Some("2026-01-01"), Some("2026-01-11"), "2026-02-06", "2026-01-01", "2026-01-11"),
            (None, None, "2026-02-06", "2026-01-04", "2026-02-06"),
        ] {
            let window = Window::of(&goal(started, due, GoalStatus::Active), berlin, day(on));
            assert_eq!(window, Window { first: day(first), last: day(last) });
        }
        let window = Window { first: day("2026-03-29"), last: day("2026-03-29") };
        let (from, until) = window.instants(berlin);
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2026-03-28T23:00:00Z".into(), "2026-03-29T22:00:00Z".into())
        );
        let (from, until) = window.instants_in_utc();
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2026-03-29T00:00:00Z".into(), "2026-03-30T00:00:00Z".into())
        );
    }

    fn results() -> impl Strategy<Value = Vec<(f64, f64, f64, f64)>> {
        let value = -1_000..1_000_i32;
        let one = (1..50_i32, value.clone(), value.clone(), value).prop_filter("a way", |one| one.1 != one.2);
        prop::collection::vec(one, 1..6).prop_map(|all| {
            let number = f64::from;
            all.into_iter().map(|(w, s, t, c)| (number(w), number(s), number(t), number(c))).collect()
        })
    }

    fn of(results: &[(f64, f64, f64, f64)]) -> f64 {
        let shares: Vec<(f64, f64)> = results
            .iter()
            .map(|(weight, start, target, current)| (*weight, share(*start, *target, *current)))
            .collect();
        progress(&shares).unwrap()
    }

    proptest! {
        #[test]
        fn progress_is_between_nothing_and_all(results in results()) {
            prop_assert!((0.0..=1.0).contains(&of(&results)));
        }

        #[test]
        fn a_step_towards_the_target_never_loses_progress(results in results(), which in 0..6_usize, step in 0..500_i32) {
            let before = of(&results);
            let mut after = results;
            let which = which % after.len();
            let (_, start, target, current) = &mut after[which];
            *current += f64::from(step) * (*target - *start).signum();
            prop_assert!(of(&after) >= before - 1e-12);
        }

        #[test]
        fn all_is_done_exactly_when_each_result_is(results in results()) {
            let all = results.iter().all(|(_, start, target, current)| share(*start, *target, *current) >= 1.0);
            prop_assert_eq!(of(&results) >= 1.0 - 1e-12, all);
        }
    }
}
