//! The bounded store: all that is known of `mini-moka` is known here.
//!
//! `mini-moka` decides who goes when the store is full, by how often each was asked for (`TinyLFU`). It has no TTL
//! of its own here, as entries know their end, and no hasher: a key is its own hash.
//!
//! Writes have one lock, and each is carried through before the lock is given back. So the limits hold at all
//! times, and an update never meets an eviction of the same key half-way, after which `mini-moka` would count an
//! entry that is not there. Reads take no lock of ours.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mini_moka::sync::{Cache, ConcurrentCacheExt};

use super::moment::Moment;
use super::roster::{Roster, Verdict};

/// How many keys of the roster each insert looks at. With more than one, the keys of entries that are gone are
/// dropped faster than new ones come, and all that has ended is gone after as many inserts as a quarter of the
/// store's entries.
const SWEPT_PER_INSERT: usize = 4;
/// What makes the roster be compacted: more than twice as many keys as entries, and so many more.
const ROSTER_SLACK: usize = 1024;
/// An entry heavier than this many of the smallest cannot win its place by being asked for: the store compares
/// its frequency, which ends at 15, with the sum of theirs. Room is made for it among those next in turn.
const HEAVY: u32 = 15;
/// How many entries are removed between two times that the store carries it through. It has a queue for what is
/// to be done, and waits when that is full.
const REMOVED_AT_ONCE: usize = 16;
/// Heap memory that `mini-moka` takes for an entry beside the value: map slot, key, entry information and queue
/// node with their allocations (measured, 0.10.3).
const BYTES_PER_ENTRY: u64 = 210;

/// What a store keeps.
pub(super) trait Value: Clone + Send + Sync + 'static {
    /// Heap memory that it takes, itself and all that it alone points to.
    fn bytes(&self) -> u64;

    /// When it is over.
    fn end(&self) -> Moment;
}

/// Values by 64-bit places, in bounded number and memory.
pub(super) struct Store<V> {
    map: Cache<u64, V, BuildHasherDefault<PlaceHasher>>,
    scale: Scale,
    /// How long values are kept when they are over.
    grace: Duration,
    writing: Mutex<Writing>,
}

/// What writers share.
#[derive(Default)]
struct Writing {
    roster: Roster,
    /// Inserts of places that had no entry.
    added: u64,
    /// Entries that were removed on purpose.
    removed: u64,
}

impl<V: Value> Store<V> {
    pub(super) fn new(entries: u64, bytes: u64, grace: Duration) -> Self {
        let scale = Scale::new(entries, bytes);
        let map = Cache::builder()
            .max_capacity(scale.capacity)
            .weigher(move |_, value: &V| scale.weight(value.bytes()))
            .build_with_hasher(BuildHasherDefault::default());
        Self { map, scale, grace, writing: Mutex::default() }
    }

    /// The value at a place, and word to the store that it was asked for.
    pub(super) fn get(&self, place: u64) -> Option<V> {
        self.map.get(&place)
    }

    /// Whether there is a value at a place. The store takes no notice.
    pub(super) fn contains(&self, place: u64) -> bool {
        self.map.contains_key(&place)
    }

    /// Puts a value at a place, unless the store finds others worthier.
    pub(super) fn insert(&self, now: Moment, place: u64, value: V) {
        let mut writing = self.lock();
        for _ in 0..SWEPT_PER_INSERT {
            self.sweep(&mut writing, now.seconds());
        }
        let weight = self.scale.weight(value.bytes());
        if u64::from(weight) > self.scale.capacity {
            return self.remove_locked(&mut writing, place);
        }
        let is_new = !self.contains(place);
        if is_new && weight / HEAVY > self.scale.least {
            self.make_room(&mut writing, weight);
        }
        let end = self.end_of(&value);
        self.map.insert(place, value);
        self.map.sync();
        if is_new {
            writing.added += 1;
            if self.contains(place) {
                writing.roster.push(place, end);
            }
        }
        if writing.roster.len() > 2 * self.entry_count() + ROSTER_SLACK {
            writing.roster.compact(|place| self.contains(place));
        }
    }

    /// Removes the value at a place. Most places asked for have none, and cost no lock.
    pub(super) fn remove(&self, place: u64) {
        if self.contains(place) {
            self.remove_locked(&mut self.lock(), place);
        }
    }

    pub(super) fn clear(&self) {
        let mut writing = self.lock();
        writing.removed += self.entries();
        while writing.roster.len() > 0 {
            self.discard(&mut writing.roster);
        }
    }

    pub(super) fn entries(&self) -> u64 {
        self.map.entry_count()
    }

    /// How many keys the roster has.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.lock().roster.len()
    }

    /// How many values were not kept, or kept no longer, for want of room.
    pub(super) fn evictions(&self) -> u64 {
        let writing = self.lock();
        writing.added.saturating_sub(writing.removed).saturating_sub(self.entries())
    }

    /// Looks at the next key in turn, and removes its entry if it is over for good at this second.
    fn sweep(&self, writing: &mut Writing, now: u32) {
        let Writing { roster, removed, .. } = writing;
        roster.step(|place, end| {
            if end > now {
                return if self.contains(place) { Verdict::Keep(end) } else { Verdict::Drop };
            }
            let Some(value) = self.get(place) else { return Verdict::Drop };
            // It may have been renewed since.
            let end = self.end_of(&value);
            if end > now {
                return Verdict::Keep(end);
            }
            self.map.invalidate(&place);
            *removed += 1;
            Verdict::Drop
        });
    }

    /// Removes entries in turn until the weight fits.
    fn make_room(&self, writing: &mut Writing, weight: u32) {
        while self.map.weighted_size() + u64::from(weight) > self.scale.capacity && writing.roster.len() > 0 {
            self.discard(&mut writing.roster);
        }
    }

    /// Removes the next few entries in turn.
    fn discard(&self, roster: &mut Roster) {
        for _ in 0..REMOVED_AT_ONCE {
            roster.step(|place, _| {
                self.map.invalidate(&place);
                Verdict::Drop
            });
        }
        self.map.sync();
    }

    fn remove_locked(&self, writing: &mut Writing, place: u64) {
        if self.contains(place) {
            self.map.invalidate(&place);
            self.map.sync();
            writing.removed += 1;
        }
    }

    /// The second from which a value is of no use.
    fn end_of(&self, value: &V) -> u32 {
        value.end().plus(self.grace).ceil_seconds()
    }

    fn entry_count(&self) -> usize {
        usize::try_from(self.entries()).unwrap_or(usize::MAX / 4)
    }

    /// What a panic left behind is as good as what was there before: each step of a write leaves both map and
    /// roster whole.
    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How memory is turned into weight, so that one limit on weight is both a limit on memory and on number: no
/// entry weighs less than its share of the memory, were all of them alike.
#[derive(Clone, Copy)]
struct Scale {
    capacity: u64,
    /// The least weight of an entry.
    least: u32,
    /// How many octets weigh 1: more than one where the limit is beyond 32 bits.
    octets: u64,
}

impl Scale {
    fn new(entries: u64, bytes: u64) -> Self {
        let octets = bytes.div_ceil(u64::from(u32::MAX)).max(1);
        let capacity = bytes / octets;
        let least = (capacity / entries.max(1)).max(1);
        Self {
            // Rounded down, so that exactly as many of the least fit.
            capacity: capacity.min(least.saturating_mul(entries)),
            least: u32::try_from(least).unwrap_or(u32::MAX),
            octets,
        }
    }

    fn weight(self, bytes: u64) -> u32 {
        let bytes = bytes + BYTES_PER_ENTRY + Roster::BYTES;
        u32::try_from(bytes.div_ceil(self.octets)).unwrap_or(u32::MAX).max(self.least)
    }
}

/// Places are hashes already.
#[derive(Clone, Copy, Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, place: u64) {
        self.0 = place;
    }

    /// Not called for places, and harmless if it were.
    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(octet);
        }
    }
}

impl<V: Value> fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("entries", &self.entries()).finish_non_exhaustive()
    }
}
