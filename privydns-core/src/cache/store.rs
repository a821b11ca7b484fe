//! The bounded store. All use of `quick_cache` is confined to this file.
//!
//! `quick_cache` decides which entries to evict, by whether each was requested since it was last considered
//! (a variant of CLOCK-Pro). It has no TTLs, as entries know their end, and no hasher, as keys are hashes
//! already.
//!
//! The store consists of shards, each with a lock and an equal part of the limits. Reads of a shard share its
//! lock. Inserts into a shard sweep out expired entries: the map does not know that they have expired, and
//! formerly popular ones would keep newer ones out for a long time.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use super::timestamp::Timestamp;

/// The maximum number of shards. More shards than cores that do lookups at the same time have no benefit.
const MAX_SHARDS: u64 = 16;
/// The least memory per shard, which has room for more than a few of the largest answers.
const BYTES_PER_SHARD: u64 = 1 << 20;
/// More memory than any machine has. Sums of such amounts do not overflow.
const MAX_BYTES: u64 = 1 << 48;
/// The share of the capacity for entries that were requested again; the default of `quick_cache`.
const HOT_SHARE: f64 = 0.97;
/// With fewer entries per shard than this, the rest of the capacity would not have room for a single one.
const FEW: u64 = 32;
/// The number of evicted keys that the store remembers, as a share of the entries. Each takes a slot.
const REMEMBERED_SHARE: f64 = 0.25;
/// A shard is swept at most once per `len / SWEPT_PER_INSERT` inserts, so that an insert pays for checking
/// four entries.
const SWEPT_PER_INSERT: usize = 4;
/// Heap memory that the store needs for an entry in addition to the value: key, links and place in the map,
/// and shares of the slots for evicted keys and of the spare capacity (measured with 0.7.0; a test verifies
/// that the number suffices).
pub(super) const BYTES_PER_ENTRY: u64 = 170;

/// A value in a store.
pub(super) trait Value: Clone + Send + Sync + 'static {
    /// Heap memory of the value, including everything that only this value points to.
    fn bytes(&self) -> u64;

    /// When the value expires.
    fn end(&self) -> Timestamp;
}

/// A map from 64-bit hashes to values, with limits on number and memory.
pub(super) struct Store<V: Value> {
    shards: Box<[Shard<V>]>,
    evictions: Arc<AtomicU64>,
    /// How long values are kept after they have expired.
    grace: Duration,
}

type Map<V> = Cache<u64, V, Scale, BuildHasherDefault<KeyHasher>, Evictions>;

struct Shard<V: Value> {
    map: Map<V>,
    /// The second from which the first of the values is of no more use.
    first_end: AtomicU32,
    /// Inserts since the last sweep.
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

    /// The value for a hash. The store counts the request as demand.
    pub(super) fn get(&self, hash: u64) -> Option<V> {
        self.map(hash).get(&hash)
    }

    /// Whether there is a value for a hash. Does not count as demand.
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.map(hash).contains_key(&hash)
    }

    /// Inserts a value, unless the value is larger than the capacity.
    pub(super) fn insert(&self, now: Timestamp, hash: u64, value: V) {
        let shard = self.shard(hash);
        let end = self.end_of(&value);
        self.sweep(shard, now.seconds());
        shard.map.insert(hash, value);
        shard.first_end.fetch_min(end, Relaxed);
        shard.inserts.fetch_add(1, Relaxed);
    }

    /// Removes the value for a hash. Usually there is no such value, and then no exclusive lock is taken.
    pub(super) fn remove(&self, hash: u64) {
        if self.contains(hash) {
            self.map(hash).remove(&hash);
        }
    }

    pub(super) fn clear(&self) {
        self.shards.iter().for_each(|shard| shard.map.clear());
    }

    pub(super) fn entries(&self) -> u64 {
        self.shards.iter().map(|shard| shard.map.len() as u64).sum()
    }

    /// The number of values that were rejected or evicted because of the limits.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Relaxed)
    }

    /// Heap memory of the store, including values but not what they point to.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.map.memory_used().total() as u64).sum()
    }

    /// Removes values that are of no more use at this second, if there may be any and a sweep is due.
    fn sweep(&self, shard: &Shard<V>, now: u32) {
        let is_due = || shard.inserts.load(Relaxed) * SWEPT_PER_INSERT >= shard.map.len();
        if shard.first_end.load(Relaxed) > now || !is_due() {
            return;
        }
        // Reset before the sweep: inserts during the sweep lower the time again.
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

    /// The second from which a value is of no more use.
    fn end_of(&self, value: &V) -> u32 {
        value.end().plus(self.grace).ceil_seconds()
    }

    fn map(&self, hash: u64) -> &Map<V> {
        &self.shard(hash).map
    }

    /// The shard of a hash. The map uses the lowest and the highest bits of the hash; the shard is chosen by
    /// bits in the middle.
    fn shard(&self, hash: u64) -> &Shard<V> {
        &self.shards[(hash >> 40) as usize & (self.shards.len() - 1)]
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

/// Converts memory to weight, so that one limit on weight limits both memory and number: an entry's weight is
/// at least the memory limit divided by the entry limit.
#[derive(Clone, Copy)]
struct Scale {
    capacity: u64,
    /// The least weight of an entry.
    least: u64,
}

impl Scale {
    /// The scale of a shard with these limits.
    fn new(entries: u64, bytes: u64) -> Self {
        let least = (bytes / entries.max(1)).max(1);
        // Rounded down, so that exactly `entries` entries of the least weight fit.
        Self { capacity: bytes.min(least.saturating_mul(entries)), least }
    }

    /// The maximum number of entries.
    fn most(self) -> u64 {
        self.capacity / self.least.max(BYTES_PER_ENTRY)
    }
}

impl<V: Value> Weighter<u64, V> for Scale {
    fn weight(&self, _hash: &u64, value: &V) -> u64 {
        (value.bytes() + BYTES_PER_ENTRY).max(self.least)
    }
}

/// Counts evicted values.
#[derive(Clone)]
struct Evictions(Arc<AtomicU64>);

impl<V> Lifecycle<u64, V> for Evictions {
    type RequestState = ();

    /// Not called for values that are replaced or removed.
    fn before_evict(&self, (): &mut (), _hash: &u64, _value: &mut V) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Returns the key itself, which is a hash already.
#[derive(Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Not called for keys, and harmless if called.
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
}

impl<V: Value> fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("entries", &self.entries()).finish_non_exhaustive()
    }
}
