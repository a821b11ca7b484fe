//! The bounded store: all that is known of `quick_cache` is known here.
//!
//! `quick_cache` decides who goes when there is no room, by whether each was asked for since its turn last came (a
//! variant of CLOCK-Pro). It has no TTL, as entries know their end, and no hasher: a key is its own hash.
//!
//! The store is made of shards with a lock and a share of the room each. A read shares its shard's lock with other
//! reads. What is over is swept out of a shard by the inserts into it: what was popular once would keep newer ones out
//! for long, as the map does not know that it has ended.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use super::timestamp::Timestamp;

/// The most shards. More than cores that look names up at one timestamp bring nothing.
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
/// A shard is swept once for as many inserts as this share of its entries, at the most: so an insert pays for four.
const SWEPT_PER_INSERT: usize = 4;
/// Heap memory that the store takes for an entry beside the value: its key, links and place in the map, a share of
/// the slots for those that went, and of the room to grow (measured, 0.7.0; a test holds it to be enough).
pub(super) const BYTES_PER_ENTRY: u64 = 170;

/// What a store keeps.
pub(super) trait Value: Clone + Send + Sync + 'static {
    /// Heap memory that it takes, itself and all that it alone points to.
    fn bytes(&self) -> u64;

    /// When it is over.
    fn end(&self) -> Timestamp;
}

/// Values by 64-bit places, in bounded number and memory.
pub(super) struct Store<V: Value> {
    shards: Box<[Shard<V>]>,
    evictions: Arc<AtomicU64>,
    /// How long values are kept when they are over.
    grace: Duration,
}

type Map<V> = Cache<u64, V, Scale, BuildHasherDefault<KeyHasher>, Evictions>;

struct Shard<V: Value> {
    map: Map<V>,
    /// The second at which the first of the values is over for good.
    first_end: AtomicU32,
    /// Since the last sweep.
    inserts: AtomicUsize,
}

impl<V: Value> Store<V> {
    pub(super) fn new(entries: u64, bytes: u64, grace: Duration) -> Self {
        let bytes = bytes.min(MAX_BYTES);
        let shards = (bytes / BYTES_PER_SHARD).min(entries / FEW).clamp(1, MAX_SHARDS);
        let shards = 1 << shards.ilog2();
        let evictions = Arc::default();
        let shard = |_| Shard::new(entries / shards, bytes / shards, &evictions);
        Self { shards: (0..shards).map(shard).collect(), evictions, grace }
    }

    /// The value at a place, and word to the store that it was asked for.
    pub(super) fn get(&self, slot: u64) -> Option<V> {
        self.map(slot).get(&slot)
    }

    /// Whether there is a value at a place. The store takes no notice.
    pub(super) fn contains(&self, slot: u64) -> bool {
        self.map(slot).contains_key(&slot)
    }

    /// Puts a value at a place, unless it is larger than all there is room for.
    pub(super) fn insert(&self, now: Timestamp, slot: u64, value: V) {
        let shard = self.shard(slot);
        let end = self.end_of(&value);
        self.sweep(shard, now.seconds());
        shard.map.insert(slot, value);
        shard.first_end.fetch_min(end, Relaxed);
        shard.inserts.fetch_add(1, Relaxed);
    }

    /// Removes the value at a place. Most places asked for have none, and cost no lock that a read waits for.
    pub(super) fn remove(&self, slot: u64) {
        if self.contains(slot) {
            self.map(slot).remove(&slot);
        }
    }

    pub(super) fn clear(&self) {
        self.shards.iter().for_each(|shard| shard.map.clear());
    }

    pub(super) fn entries(&self) -> u64 {
        self.shards.iter().map(|shard| shard.map.len() as u64).sum()
    }

    /// How many values were not kept, or kept no longer, for want of room.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Relaxed)
    }

    /// Heap memory that the store has taken for itself and for what values are inline.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.map.memory_used().total() as u64).sum()
    }

    /// Removes what is over for good at this second, if there may be any and it is time to look.
    fn sweep(&self, shard: &Shard<V>, now: u32) {
        let is_due = || shard.inserts.load(Relaxed) * SWEPT_PER_INSERT >= shard.map.len();
        if shard.first_end.load(Relaxed) > now || !is_due() {
            return;
        }
        // Before the look: what is inserted meanwhile lowers it again.
        shard.first_end.store(u32::MAX, Relaxed);
        shard.inserts.store(0, Relaxed);
        shard.map.retain(|_, value| {
            let end = self.end_of(value);
            let stays = end > now;
            if stays {
                shard.first_end.fetch_min(end, Relaxed);
            }
            stays
        });
    }

    /// The second from which a value is of no use.
    fn end_of(&self, value: &V) -> u32 {
        value.end().plus(self.grace).ceil_seconds()
    }

    fn map(&self, slot: u64) -> &Map<V> {
        &self.shard(slot).map
    }

    /// The map goes by the lowest and the uppermost bits of a place; shards go by some between.
    fn shard(&self, slot: u64) -> &Shard<V> {
        &self.shards[(slot >> 40) as usize & (self.shards.len() - 1)]
    }
}

impl<V: Value> Shard<V> {
    fn new(entries: u64, bytes: u64, evictions: &Arc<AtomicU64>) -> Self {
        let scale = Scale::new(entries, bytes);
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(usize::try_from(scale.most()).unwrap_or(usize::MAX))
            .weight_capacity(scale.capacity)
            .hot_allocation(if entries < FEW { 1.0 } else { HOT_SHARE })
            .ghost_allocation(REMEMBERED_SHARE)
            .build()
            .expect("both capacities are set");
        let evictions = Evictions(Arc::clone(evictions));
        let map = Cache::with_options(options, scale, BuildHasherDefault::default(), evictions);
        Self { map, first_end: AtomicU32::new(u32::MAX), inserts: AtomicUsize::new(0) }
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
        (value.bytes() + BYTES_PER_ENTRY).max(self.least)
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
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, slot: u64) {
        self.0 = slot;
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
