//! The cache: the cost of a hit, the store's share, and other stores for comparison.

use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

use divan::{Bencher, black_box};
use privydns_core::engine::CacheResult;
use privydns_core::testkit::epoch;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use siphasher::sip::SipHasher13;

use crate::world::{World, queries};

const ENTRIES: [usize; 2] = [1_000, 100_000];

/// Keys are looked up in an order in which successive keys are far apart.
const STRIDE: usize = 1_000_003;

/// A hit, from the query to the answer.
#[divan::bench(args = ENTRIES, threads = [1, 2])]
fn hit(bencher: Bencher<'_, '_>, entries: usize) {
    let mut world = World::new(entries * 11 / 10);
    let all: Vec<_> = queries(0..entries).collect();
    for some in all.chunks(1000) {
        world.look_up(some.iter().cloned());
    }
    let shared = world.shared;
    let slot = AtomicUsize::new(0);
    bencher.bench(|| {
        let slot = slot.fetch_add(STRIDE, Relaxed);
        let early = shared.try_answer(epoch(), &all[slot % entries]);
        assert!(matches!(early, Ok(CacheResult::Answer(_) | CacheResult::Refresh(_))), "a hit");
        early
    });
}

/// The store alone: `quick_cache`, with keys and values of the same size.
#[divan::bench(args = ENTRIES, threads = [1, 2])]
fn store_quick_cache(bencher: Bencher<'_, '_>, entries: usize) {
    let store: Cache<u64, Arc<[u8]>, UnitWeighter, BuildHasherDefault<SipHasher13>> = Cache::with(
        entries * 2,
        entries as u64 * 2,
        UnitWeighter,
        BuildHasherDefault::default(),
        DefaultLifecycle::default(),
    );
    for slot in 0..entries as u64 {
        store.insert(slot, value());
    }
    let slot = AtomicUsize::new(0);
    bencher.bench(|| {
        let slot = slot.fetch_add(STRIDE, Relaxed) % entries;
        store.get(black_box(&(slot as u64)))
    });
}

/// An ordered map behind one lock, without eviction, for comparison.
#[divan::bench(args = ENTRIES, threads = [1, 2])]
fn store_locked_map(bencher: Bencher<'_, '_>, entries: usize) {
    let store: RwLock<BTreeMap<u64, Arc<[u8]>>> =
        RwLock::new((0..entries as u64).map(|slot| (slot, value())).collect());
    let slot = AtomicUsize::new(0);
    bencher.bench(|| {
        let slot = slot.fetch_add(STRIDE, Relaxed) % entries;
        store.read().expect("no panic").get(black_box(&(slot as u64))).cloned()
    });
}

fn value() -> Arc<[u8]> {
    Arc::from([0; 64])
}
