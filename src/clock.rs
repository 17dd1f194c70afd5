//! Time and chance: the only place that asks the system for either. Holds no rules; whoever needs the
//! time or an id is given a [`Clock`] or [`Ids`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::{ContextV7, Timestamp, Uuid};

/// Digits of a second that are kept: both databases store whole microseconds, so an instant that is
/// read back equals the one that was written.
const SUBSECOND_DIGITS: u16 = 6;

/// What time it is. Never finer than a microsecond.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock. It may step back when the machine's time is corrected.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the time comes in")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(SUBSECOND_DIGITS)
    }
}

/// A clock that stands still until it is told otherwise, for tests and for what is made up. Clones share one time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    instant: Arc<Mutex<DateTime<Utc>>>,
}

impl ManualClock {
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self { instant: Arc::new(Mutex::new(instant.trunc_subsecs(SUBSECOND_DIGITS))) }
    }

    /// Moves the time, back where `by` is negative. Stops at the ends of what chrono can tell.
    pub fn advance(&self, by: TimeDelta) {
        let mut instant = self.lock();
        let end = if by < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        *instant = instant.checked_add_signed(by).unwrap_or(end).trunc_subsecs(SUBSECOND_DIGITS);
    }

    pub fn set(&self, instant: DateTime<Utc>) {
        *self.lock() = instant.trunc_subsecs(SUBSECOND_DIGITS);
    }

    fn lock(&self) -> MutexGuard<'_, DateTime<Utc>> {
        // An instant is never half written, so what a panicking test left behind is good.
        self.instant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}

/// Makes ids, and random bytes for tokens and keys. One per process: order is kept by what it remembers.
pub struct Ids {
    source: Source,
}

enum Source {
    Chance(Mutex<ContextV7>),
    Seed(Mutex<Seeded>),
}

/// What ids of a seed are made of.
struct Seeded {
    seed: [u8; 4],
    made: u64,
}

impl Ids {
    pub const fn new() -> Self {
        Self { source: Source::Chance(Mutex::new(ContextV7::new())) }
    }

    /// Makes the same ids for the same seed and purpose, if it is asked at the same times: for what is made up. Random bytes
    /// are random nonetheless.
    pub fn seeded(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(purpose).finalize();
        let seed = digest.first_chunk().copied().unwrap_or_default();
        Self { source: Source::Seed(Mutex::new(Seeded { seed, made: 0 })) }
    }

    /// A UUIDv7 (RFC 9562, section 5.7) that sorts after every earlier one from the same `Ids`, within
    /// one millisecond too and also when the clock has stepped back. An instant before 1970 counts as 1970.
    pub fn uuid(&self, now: DateTime<Utc>) -> Uuid {
        let sequence = match &self.source {
            Source::Chance(sequence) => sequence,
            Source::Seed(seeded) => return seeded.lock().unwrap_or_else(PoisonError::into_inner).uuid(now),
        };
        let (seconds, nanoseconds) = match u64::try_from(now.timestamp()) {
            Ok(seconds) => (seconds, now.timestamp_subsec_nanos()),
            Err(_) => (0, 0),
        };
        Uuid::new_v7(Timestamp::from_unix(sequence, seconds, nanoseconds))
    }

    /// Fills `bytes` from the operating system, fit for keys.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(NoRandomness)
    }
}

impl Seeded {
    fn uuid(&mut self, now: DateTime<Utc>) -> Uuid {
        self.made = self.made.saturating_add(1);
        let mut rest = [0; 10];
        // A counter in the place of the counter, so that ids of one millisecond are in order.
        for (byte, value) in rest.iter_mut().zip(self.made.to_be_bytes().into_iter().skip(2).chain(self.seed)) {
            *byte = value;
        }
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").finish_non_exhaustive()
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    fn instant(seconds: i64, nanoseconds: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, nanoseconds).unwrap()
    }

    #[test]
    fn clocks_tell_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        let clock = ManualClock::at(instant(1_700_000_000, 123_456_789));
        assert_eq!(clock.now(), instant(1_700_000_000, 123_456_000));
        clock.set(instant(1_700_000_001, 999));
        assert_eq!(clock.now(), instant(1_700_000_001, 0));
        clock.advance(TimeDelta::nanoseconds(1_999));
        assert_eq!(clock.now(), instant(1_700_000_001, 1_000));
    }

    #[test]
    fn clones_of_a_manual_clock_share_one_time() {
        let clock = ManualClock::at(instant(1_700_000_000, 0));
        let given_to_the_app = clock.clone();
        clock.advance(TimeDelta::days(30));
        assert_eq!(given_to_the_app.now(), instant(1_700_000_000 + 30 * 86_400, 0));
        clock.advance(TimeDelta::days(-30));
        assert_eq!(given_to_the_app.now(), instant(1_700_000_000, 0));
    }

    #[test]
    fn a_manual_clock_stops_at_the_ends_of_time() {
        let clock = ManualClock::at(DateTime::<Utc>::MAX_UTC);
        clock.advance(TimeDelta::MAX);
        assert_eq!(clock.now(), DateTime::<Utc>::MAX_UTC.trunc_subsecs(SUBSECOND_DIGITS));
        clock.set(DateTime::<Utc>::MIN_UTC);
        clock.advance(TimeDelta::MIN);
        assert_eq!(clock.now(), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn an_id_carries_the_millisecond_of_its_making() {
        let id = Ids::new().uuid(instant(1_700_000_000, 123_456_000));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_700_000_000, 123_000_000));
    }

    #[test]
    fn ids_made_in_order_sort_in_order_within_a_millisecond_and_when_the_clock_steps_back() {
        let ids = Ids::new();
        let now = instant(1_700_000_000, 0);
        let mut made: Vec<Uuid> = (0..10_000).map(|_| ids.uuid(now)).collect();
        made.push(ids.uuid(now - TimeDelta::hours(1)));
        made.push(ids.uuid(instant(-1, 0)));
        made.push(ids.uuid(now + TimeDelta::milliseconds(1)));
        assert!(made.is_sorted_by(|earlier, later| earlier < later));
    }

    #[test]
    fn ids_of_a_seed_are_the_same_again_and_in_order() {
        let made = |seed: u64, purpose: &str| {
            let ids = Ids::seeded(seed, purpose);
            (0..1_000).map(|_| ids.uuid(instant(1_700_000_000, 0))).collect::<Vec<Uuid>>()
        };
        let first = made(1, "demo");
        assert!(first.is_sorted_by(|earlier, later| earlier < later));
        assert_eq!(first, made(1, "demo"));
        assert!(made(2, "demo").into_iter().chain(made(1, "other")).all(|id| !first.contains(&id)));
        assert!(first.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn ids_made_on_many_threads_differ() {
        let ids = Ids::new();
        let now = instant(1_700_000_000, 0);
        let made: Vec<Uuid> = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| (0..1_000).map(|_| ids.uuid(now)).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), 8_000);
    }

    #[test]
    fn random_bytes_are_filled_in() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        let ids = Ids::new();
        ids.fill(&mut one).unwrap();
        ids.fill(&mut other).unwrap();
        assert_ne!(one, other);
    }
}
