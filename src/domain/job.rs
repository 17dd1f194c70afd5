//! A job: something to be done outside a request. Its states, and when a failed one is tried again; how it runs is in `jobs/`.

use chrono::TimeDelta;
use serde_json::Value;

use super::timestamp::Timestamp;
use super::words::enumeration;

enumeration! {
    /// Where a job stands.
    JobState {
        /// It waits until it is due and a worker is free.
        Queued = "queued",
        /// A worker has the lease of it.
        Running = "running",
        /// Done. Kept for a while, so that the same occurrence of a schedule is not enqueued again.
        Done = "done",
        /// Its last attempt failed; an operator decides.
        Dead = "dead",
    }
}

/// How often a job is tried. With the delays between the attempts, that is some three hours.
const MAX_ATTEMPTS: i32 = 12;

const FIRST_RETRY_SECONDS: i64 = 10;
const MAX_RETRY_SECONDS: i64 = 60 * 60;

/// A job to be enqueued.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: &'static str,
    /// What the job needs to know; ids rather than content, because it may run much later.
    pub payload: Value,
    /// Of all jobs with the same key, only the first is enqueued.
    pub unique_key: Option<String>,
    /// Not before this time; `None` is at once.
    pub run_at: Option<Timestamp>,
    pub max_attempts: i32,
}

impl NewJob {
    /// A job that runs as soon as a worker is free.
    pub const fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, payload, unique_key: None, run_at: None, max_attempts: MAX_ATTEMPTS }
    }
}

/// The time from a failed attempt, the first being 1, to the next one: it doubles from 10 seconds up to an hour. `random`
/// picks a time between the half and the whole of it, so that jobs that failed together are not tried together.
pub fn retry_delay(attempts: i32, random: u32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
    let seconds = FIRST_RETRY_SECONDS.saturating_mul(1_i64 << doublings).min(MAX_RETRY_SECONDS);
    let half_milliseconds = seconds.saturating_mul(500);
    let jitter = half_milliseconds.saturating_mul(i64::from(random)) / i64::from(u32::MAX);
    TimeDelta::milliseconds(half_milliseconds.saturating_add(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_an_hour() {
        let longest: Vec<i64> = (1..=12).map(|attempts| retry_delay(attempts, u32::MAX).num_seconds()).collect();
        assert_eq!(longest, [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]);
        for attempts in [i32::MIN, 0, 1] {
            assert_eq!(retry_delay(attempts, u32::MAX), TimeDelta::seconds(10));
        }
        assert_eq!(retry_delay(i32::MAX, u32::MAX), TimeDelta::hours(1));
    }

    #[test]
    fn the_jitter_is_at_most_half_of_the_delay() {
        assert_eq!(retry_delay(2, 0), TimeDelta::seconds(10));
        assert_eq!(retry_delay(2, u32::MAX / 2).num_milliseconds(), 14_999);
        assert_eq!(retry_delay(2, u32::MAX), TimeDelta::seconds(20));
    }
}
