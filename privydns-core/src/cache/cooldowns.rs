//! Who was tried lately: "not again before" for keys, in fixed memory and without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::key::CacheKey;
use super::timestamp::Timestamp;

/// How many keys can be marked at once.
const SLOTS: usize = 4096;
/// Milliseconds in 40 bits are 34 years.
const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// Cooldowns on keys that end by themselves after [`PAUSE`](Self::PAUSE).
///
/// A key has one slot, which holds its tag and the time at which the mark ends. A key that falls on the slot
/// of another takes it over: the other is tried once more than it had to be, and that is all.
#[derive(Debug)]
pub(super) struct Cooldowns {
    slots: Box<[AtomicU64]>,
}

impl Cooldowns {
    /// How long a mark holds: the 30 seconds that RFC 8767 Section 5 recommends between two attempts to refresh
    /// what cannot be refreshed.
    pub(super) const PAUSE: Duration = Duration::from_secs(30);

    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Cooldowns the key from now on.
    pub(super) fn set(&self, key: CacheKey, now: Timestamp) {
        self.slot(key).store(mark(key, now), Relaxed);
    }

    /// Whether the key is marked.
    pub(super) fn is_set(&self, key: CacheKey, now: Timestamp) -> bool {
        holds(self.slot(key).load(Relaxed), key, now)
    }

    /// Cooldowns the key unless it is marked already. Of several who try at once, one is told `true`.
    pub(super) fn claim(&self, key: CacheKey, now: Timestamp) -> bool {
        let slot = self.slot(key);
        let held = slot.load(Relaxed);
        !holds(held, key, now) && slot.compare_exchange(held, mark(key, now), Relaxed, Relaxed).is_ok()
    }

    /// Takes the mark off the key.
    pub(super) fn clear(&self, key: CacheKey) {
        let slot = self.slot(key);
        let held = slot.load(Relaxed);
        if is_of(held, key) {
            // Whoever changed the slot in between has the newer word.
            let _ = slot.compare_exchange(held, 0, Relaxed, Relaxed);
        }
    }

    fn slot(&self, key: CacheKey) -> &AtomicU64 {
        &self.slots[key.index(SLOTS)]
    }
}

/// The key's tag in the upper 24 bits, and in the other 40 the millisecond at which the mark ends.
fn mark(key: CacheKey, now: Timestamp) -> u64 {
    u64::from(key.tag()) << TIME_BITS | now.plus(Cooldowns::PAUSE).milliseconds() & TIME
}

fn holds(mark: u64, key: CacheKey, now: Timestamp) -> bool {
    is_of(mark, key) && now.milliseconds() < mark & TIME
}

fn is_of(mark: u64, key: CacheKey) -> bool {
    mark >> TIME_BITS == u64::from(key.tag()) & (u64::MAX >> TIME_BITS)
}
