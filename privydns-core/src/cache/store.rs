//! The bounded store: all that is known of `quick_cache` is known here.
//!
//! `quick_cache` decides who goes when the store is full, by whether each was asked for since its turn last came
//! (a variant of CLOCK-Pro). It has no TTL, as entries know their end, and no hasher: a key is its own hash. It is
//! made of shards with a lock and a share of the room each; a read shares its shard's lock with other reads.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use super::moment::Moment;
use super::roster::{Roster, Verdict};

/// How many keys of the roster each insert looks at. With more than one, the keys of entries that are gone are
/// dropped faster than new ones come, and all that has ended is gone after as many inserts as a quarter of the
/// store's entries.
const SWEPT_PER_INSERT: usize = 4;
/// What makes the roster look for keys whose entries are gone: twice as many keys as entries, and so many more. Half
/// as much again makes it be compacted.
const ROSTER_SLACK: usize = 256;
/// After how many inserts the entries are counted again, which takes the lock of every shard.
const INSERTS_PER_COUNT: usize = 64;
/// The most shards. More than cores that look names up at one moment bring nothing.
const MAX_SHARDS: u64 = 16;
/// The least memory that makes a shard worth it: room for more than a few of the largest answers.
const BYTES_PER_SHARD: u64 = 1 << 20;
/// More memory than any machine has; sums of it do not overflow.
const MAX_BYTES: u64 = 1 << 48;
/// What share of the room is for entries that were asked for again, as `quick_cache` has it.
const HOT_SHARE: f64 = 0.97;
/// With fewer entries than this in a shard, what is left of the room would hold none.
const FEW: u64 = 32;
/// How many of those that went the store knows again, as a share of the entries. It keeps a slot for each.
const REMEMBERED_SHARE: f64 = 0.25;
/// Heap memory that the store takes for an entry beside the value: its key, links and place in the map, a share of
/// the slots for those that went, and of the room to grow (measured, 0.7.0; a test holds it to be enough).
pub(super) const BYTES_PER_ENTRY: u64 = 170;

/// What a store keeps.
pub(super) trait Value: Clone + Send + Sync + 'static {
    /// Heap memory that it takes, itself and all that it alone points to.
    fn bytes(&self) -> u64;

    /// When it is over.
    fn end(&self) -> Moment;
}

/// Values by 64-bit places, in bounded number and memory.
pub(super) struct Store<V: Value> {
    map: Cache<u64, V, Scale, BuildHasherDefault<PlaceHasher>, Evictions>,
    evictions: Arc<AtomicU64>,
    /// How long values are kept when they are over.
    grace: Duration,
    writing: Mutex<Writing>,
}

/// What writers share.
struct Writing {
    roster: Roster,
    inserts: usize,
    /// More keys than this are too many for the entries there were at the last count.
    crowd: usize,
}

impl Default for Writing {
    fn default() -> Self {
        Self { roster: Roster::default(), inserts: 0, crowd: ROSTER_SLACK }
    }
}

impl<V: Value> Store<V> {
    pub(super) fn new(entries: u64, bytes: u64, grace: Duration) -> Self {
        let bytes = bytes.min(MAX_BYTES);
        let shards = (bytes / BYTES_PER_SHARD).min(entries / FEW).clamp(1, MAX_SHARDS);
        let shards = 1 << shards.ilog2();
        let scale = Scale::new(entries / shards, bytes / shards);
        let options = OptionsBuilder::new()
            .shards(usize::try_from(shards).unwrap_or(1))
            .estimated_items_capacity(usize::try_from(scale.most() * shards).unwrap_or(usize::MAX))
            .weight_capacity(scale.capacity * shards)
            .hot_allocation(if entries / shards < FEW { 1.0 } else { HOT_SHARE })
            .ghost_allocation(REMEMBERED_SHARE)
            .build()
            .expect("both capacities are set");
        let evictions = Arc::default();
        let lifecycle = Evictions(Arc::clone(&evictions));
        let map = Cache::with_options(options, scale, BuildHasherDefault::default(), lifecycle);
        Self { map, evictions, grace, writing: Mutex::default() }
    }

    /// The value at a place, and word to the store that it was asked for.
    pub(super) fn get(&self, place: u64) -> Option<V> {
        self.map.get(&place)
    }

    /// Whether there is a value at a place. The store takes no notice.
    pub(super) fn contains(&self, place: u64) -> bool {
        self.map.contains_key(&place)
    }

    /// Puts a value at a place, unless it is larger than all there is room for.
    pub(super) fn insert(&self, now: Moment, place: u64, value: V) {
        let end = self.end_of(&value);
        let mut writing = self.lock();
        for _ in 0..SWEPT_PER_INSERT {
            self.sweep(&mut writing, now.seconds());
        }
        self.map.insert(place, value);
        writing.roster.push(place, end);
        writing.inserts = writing.inserts.wrapping_add(1);
        if writing.inserts.is_multiple_of(INSERTS_PER_COUNT) {
            writing.crowd = 2 * self.map.len() + ROSTER_SLACK;
        }
        if writing.roster.len() > writing.crowd / 2 * 3 {
            writing.roster.compact(|place, end| self.ends_at(place, end));
        }
    }

    /// Removes the value at a place. Most places asked for have none, and cost no lock that another read waits for.
    pub(super) fn remove(&self, place: u64) {
        if self.contains(place) {
            self.map.remove(&place);
        }
    }

    pub(super) fn clear(&self) {
        let mut writing = self.lock();
        self.map.clear();
        *writing = Writing::default();
    }

    pub(super) fn entries(&self) -> u64 {
        self.map.len() as u64
    }

    /// How many values were not kept, or kept no longer, for want of room.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Relaxed)
    }

    /// How many keys the roster has.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.lock().roster.len()
    }

    /// Heap memory that the store has taken for itself and for what values are inline.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.map.memory_used().total() as u64
    }

    /// Looks at the next key in turn, and removes its entry if it is over for good at this second. Each insert wrote
    /// a key: one whose end is not that of its entry has a newer one, or none.
    fn sweep(&self, writing: &mut Writing, now: u32) {
        let is_crowded = writing.roster.len() > writing.crowd;
        writing.roster.step(|place, end| {
            if end <= now {
                self.map.remove_if(&place, |value| self.end_of(value) <= now);
                Verdict::Drop
            } else if is_crowded && !self.ends_at(place, end) {
                Verdict::Drop
            } else {
                Verdict::Keep
            }
        });
    }

    /// Whether there is a value at a place that is of no use from that second on.
    fn ends_at(&self, place: u64, end: u32) -> bool {
        self.map.peek(&place).is_some_and(|value| self.end_of(&value) == end)
    }

    /// The second from which a value is of no use.
    fn end_of(&self, value: &V) -> u32 {
        value.end().plus(self.grace).ceil_seconds()
    }

    /// What a panic left behind is as good as what was there before: a key without an entry is dropped in its turn.
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
    least: u64,
}

impl Scale {
    /// For a shard with room for so much.
    fn new(entries: u64, bytes: u64) -> Self {
        let least = (bytes / entries.max(1)).max(1);
        // Rounded down, so that exactly as many of the least fit.
        Self { capacity: bytes.min(least.saturating_mul(entries)), least }
    }

    /// The most entries that there is room for.
    fn most(self) -> u64 {
        self.capacity / self.least.max(BYTES_PER_ENTRY)
    }
}

impl<V: Value> Weighter<u64, V> for Scale {
    fn weight(&self, _place: &u64, value: &V) -> u64 {
        (value.bytes() + BYTES_PER_ENTRY + Roster::BYTES).max(self.least)
    }
}

/// Counts the values that go for want of room.
#[derive(Clone)]
struct Evictions(Arc<AtomicU64>);

impl<V> Lifecycle<u64, V> for Evictions {
    type RequestState = ();

    /// Not called for those that are replaced or removed.
    fn before_evict(&self, (): &mut (), _place: &u64, _value: &mut V) {
        self.0.fetch_add(1, Relaxed);
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
