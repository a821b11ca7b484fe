//! Per-key cooldowns in a fixed-size, lock-free table.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::key::CacheKey;
use super::timestamp::Timestamp;

/// The number of cooldowns that the table can hold at once.
const SLOTS: usize = 4096;
/// 40 bits of milliseconds cover 34 years.
const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// Cooldowns on keys. Each ends by itself after [`PAUSE`](Self::PAUSE).
///
/// A key has one slot, which holds the key's tag and the time at which the cooldown ends. If two keys share a
/// slot, the later one overwrites the earlier. The cost is one refresh attempt too many for the earlier key.
#[derive(Debug)]
pub(super) struct Cooldowns {
    slots: Box<[AtomicU64]>,
}

impl Cooldowns {
    /// The length of a cooldown: RFC 8767 Section 5 recommends 30 seconds between two attempts to refresh an
    /// answer that cannot be refreshed.
    pub(super) const PAUSE: Duration = Duration::from_secs(30);

    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Starts the key's cooldown, or starts it again.
    pub(super) fn set(&self, key: CacheKey, now: Timestamp) {
        self.slot(key).store(encode(key, now), Relaxed);
    }

    /// Whether the key's cooldown is running.
    pub(super) fn is_set(&self, key: CacheKey, now: Timestamp) -> bool {
        is_running(self.slot(key).load(Relaxed), key, now)
    }

    /// Starts the key's cooldown unless one is running. If several threads call this at once, only one gets
    /// `true`.
    pub(super) fn claim(&self, key: CacheKey, now: Timestamp) -> bool {
        let slot = self.slot(key);
        let held = slot.load(Relaxed);
        !is_running(held, key, now) && slot.compare_exchange(held, encode(key, now), Relaxed, Relaxed).is_ok()
    }

    /// Ends the key's cooldown.
    pub(super) fn clear(&self, key: CacheKey) {
        let slot = self.slot(key);
        let held = slot.load(Relaxed);
        if has_tag_of(held, key) {
            // If another thread has changed the slot in between, its entry is newer and stays.
            let _ = slot.compare_exchange(held, 0, Relaxed, Relaxed);
        }
    }

    fn slot(&self, key: CacheKey) -> &AtomicU64 {
        &self.slots[key.index(SLOTS)]
    }
}

/// A slot's contents: the key's tag in the upper 24 bits, the millisecond at which the cooldown ends in the
/// lower 40.
fn encode(key: CacheKey, now: Timestamp) -> u64 {
    u64::from(key.tag()) << TIME_BITS | now.plus(Cooldowns::PAUSE).milliseconds() & TIME
}

fn is_running(slot: u64, key: CacheKey, now: Timestamp) -> bool {
    has_tag_of(slot, key) && now.milliseconds() < slot & TIME
}

fn has_tag_of(slot: u64, key: CacheKey) -> bool {
    slot >> TIME_BITS == u64::from(key.tag()) & (u64::MAX >> TIME_BITS)
}
