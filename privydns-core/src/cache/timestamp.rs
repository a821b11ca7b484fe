//! Points in time that fit into eight bytes, one per cache entry.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Nanoseconds since a cache's first use. Negative for times before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timestamp(i64);

/// Converts instants to timestamps.
#[derive(Debug, Default)]
pub(super) struct Clock {
    first: OnceLock<Instant>,
    /// Nanoseconds of sleep, which instants do not include.
    slept: AtomicU64,
}

/// The maximum sleep that is counted. Longer ones make no difference, as entries are kept for less time.
const LONGEST_SLEEP: Duration = Duration::from_secs(30 * 24 * 3600);

impl Clock {
    /// The timestamp of an instant. Instants before the first one seen count as the first.
    pub(super) fn timestamp(&self, now: Instant) -> Timestamp {
        let awake = now.saturating_duration_since(*self.first.get_or_init(|| now));
        Timestamp(nanoseconds(awake)).plus(Duration::from_nanos(self.slept.load(Relaxed)))
    }

    /// Advances the clock by a time during which instants stood still.
    pub(super) fn slept(&self, time: Duration) {
        let time = u64::try_from(time.min(LONGEST_SLEEP).as_nanos()).unwrap_or(u64::MAX);
        self.slept.fetch_add(time, Relaxed);
    }
}

impl Timestamp {
    /// The time from `earlier` to this timestamp; zero if `earlier` is later.
    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    pub(super) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(time)))
    }

    pub(super) fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(time)))
    }

    /// Nanoseconds since the cache's first use.
    pub(super) fn nanoseconds(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// Whole milliseconds since the cache's first use.
    pub(super) fn milliseconds(self) -> u64 {
        self.nanoseconds() / 1_000_000
    }

    /// Whole seconds since the cache's first use.
    pub(super) fn seconds(self) -> u32 {
        u32::try_from(self.milliseconds() / 1000).unwrap_or(u32::MAX)
    }

    /// Whole seconds since the cache's first use, rounded up.
    pub(super) fn ceil_seconds(self) -> u32 {
        let begun = self.nanoseconds().div_ceil(1_000_000_000);
        u32::try_from(begun).unwrap_or(u32::MAX)
    }
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
