//! The store's limits, and which values it evicts when full.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::entry::Entry;
use super::super::store::{BYTES_PER_ENTRY, Store, Value};
use super::*;

const MIB: u64 = 1 << 20;
/// Later than all times in these tests, so that values do not expire.
const FOREVER: u64 = 1_000_000;

/// A value of this many bytes that expires at this second.
#[derive(Clone, Debug, PartialEq)]
struct Parcel {
    bytes: u64,
    end: u64,
    /// Makes the value as large as an entry.
    _inline: [u64; 8],
}

impl Value for Parcel {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn end(&self) -> Timestamp {
        at(self.end)
    }
}

fn at(second: u64) -> Timestamp {
    Clock::default().timestamp(epoch()).plus(Duration::from_secs(second))
}

fn parcel(bytes: u64) -> Parcel {
    ending(bytes, FOREVER)
}

fn ending(bytes: u64, end: u64) -> Parcel {
    Parcel { bytes, end, _inline: [0; 8] }
}

/// A number with the distribution of a hash: each output bit depends on each input bit (`SplitMix64`).
fn hash(number: u64) -> u64 {
    let mut mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Looks up a value and inserts it if missing, as a resolver does.
fn ask(store: &Store<Parcel>, number: u64, value: &Parcel) -> bool {
    let is_hit = store.get(hash(number)).is_some();
    if !is_hit {
        store.insert(at(0), hash(number), value.clone());
    }
    is_hit
}

#[test]
fn entry_limit_is_never_exceeded() {
    let store = Store::new(100, MIB, Duration::ZERO);
    for number in 0..1000 {
        ask(&store, number, &parcel(50));
        assert!(store.entries() <= 100);
    }
    assert_eq!(store.entries(), 100);
    assert_eq!((0..1000).filter(|number| store.contains(hash(*number))).count(), 100);
    assert_eq!(store.evictions(), 900);
}

#[test]
fn memory_limit_is_never_exceeded() {
    let store = Store::new(10_000, MIB, Duration::ZERO);
    let mut rng = StdRng::seed_from_u64(1);
    let mut sizes = BTreeMap::new();
    for number in 0..3000 {
        let bytes = rng.random_range(50..20_000);
        sizes.insert(number, bytes);
        for _ in 0..3 {
            ask(&store, number, &parcel(bytes));
        }
        if number % 100 == 0 {
            let kept = sizes.iter().filter(|(number, _)| store.contains(hash(**number)));
            let bytes: u64 = kept.map(|(_, bytes)| bytes).sum();
            assert!(bytes <= MIB, "{bytes}");
        }
    }
    assert!(store.entries() > 30);
}

/// The store's own memory stays within the amount counted per entry, full or not.
#[test]
fn store_overhead_stays_within_the_counted_bytes() {
    assert!(size_of::<Parcel>() >= size_of::<Entry>());
    let store = Store::new(10_000, 64 * MIB, Duration::ZERO);
    for number in 0..30_000 {
        ask(&store, number, &parcel(200));
        if number > 1000 && number % 100 == 0 {
            let counted = store.entries() * (BYTES_PER_ENTRY + size_of::<Parcel>() as u64);
            assert!(store.bytes() <= counted, "{number}: {} {counted}", store.bytes());
        }
    }
}

#[test]
fn entry_that_grows_evicts_others() {
    let store = Store::new(100, 100_000, Duration::ZERO);
    for number in 0..100 {
        ask(&store, number, &parcel(50));
    }
    store.insert(at(0), hash(0), parcel(60_000));
    assert_eq!(store.get(hash(0)), Some(parcel(60_000)));
    assert!((20..50).contains(&store.entries()), "{}", store.entries());
}

#[test]
fn large_answer_is_kept_when_small_ones_fill_the_store() {
    let store = Store::new(10_000, 8 * MIB, Duration::ZERO);
    for number in 0..10_000 {
        ask(&store, number, &parcel(200));
        ask(&store, number, &parcel(200));
    }
    let before = store.entries();
    ask(&store, 10_000, &parcel(60_000));
    assert_eq!(store.get(hash(10_000)), Some(parcel(60_000)));
    assert!(
        before - store.entries() < 100,
        "more values were evicted than needed: {before} {}",
        store.entries()
    );
}

#[test]
fn oversized_entry_is_rejected_without_evicting() {
    let store = Store::new(100, 50_000, Duration::ZERO);
    for number in 0..50 {
        ask(&store, number, &parcel(50));
    }
    store.insert(at(0), hash(0), parcel(60_000));
    assert!(!store.contains(hash(0)), "the old value is removed too");
    assert_eq!(store.entries(), 49);
}

#[test]
fn smallest_and_largest_limits_hold() {
    for (entries, bytes) in [(1, 1), (1, u64::MAX), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
        let store = Store::new(entries, bytes, Duration::ZERO);
        for number in 0..10 {
            ask(&store, number, &parcel(50));
            assert!(store.entries() <= entries.min(bytes), "{entries} {bytes}");
        }
        assert!(store.entries() >= u64::from(bytes > 1), "{entries} {bytes}");
    }
}

#[test]
fn frequent_entries_outlive_entries_requested_once() {
    let store = Store::new(100, MIB, Duration::ZERO);
    for _ in 0..5 {
        for number in 0..50 {
            ask(&store, number, &parcel(50));
        }
    }
    for number in 1000..5000 {
        ask(&store, number, &parcel(50));
        ask(&store, number % 50, &parcel(50));
    }
    assert!((0..50).all(|number| store.contains(hash(number))));
}

/// Formerly popular values would keep a new working set out.
#[test]
fn expired_entries_make_room_for_new_ones() {
    let store = Store::new(1000, MIB, Duration::ZERO);
    let asked = |number, now, end| {
        let is_hit = store.get(hash(number)).is_some();
        if !is_hit {
            store.insert(at(now), hash(number), ending(50, end));
        }
        is_hit
    };
    for _ in 0..10 {
        (0..1000).for_each(|number| {
            asked(number, 0, 60);
        });
    }
    let hits = (0..2).map(|_| (2000..3000).filter(|number| asked(*number, 60, 120)).count());
    let hits: Vec<_> = hits.collect();
    assert_eq!(hits[0], 0);
    assert!(hits[1] > 900, "{hits:?}");
    assert!((0..1000).all(|number| !store.contains(hash(number))));
}

#[test]
fn expired_entries_stay_for_the_grace_time_renewed_ones_longer() {
    let store = Store::new(1000, MIB, Duration::from_secs(10));
    store.insert(at(0), hash(0), ending(50, 5));
    store.insert(at(0), hash(1), ending(50, 5));
    store.insert(at(4), hash(1), ending(50, 100));
    store.insert(at(14), hash(2), parcel(50));
    assert!(store.contains(hash(0)));
    store.insert(at(15), hash(3), parcel(50));
    assert!(!store.contains(hash(0)) && store.contains(hash(1)));
    assert_eq!(store.evictions(), 0, "expired values do not count as evictions");
}

#[test]
fn count_matches_contents_after_concurrent_use() {
    let store = Store::new(50, MIB, Duration::ZERO);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let mut rng = StdRng::seed_from_u64(thread);
                for _ in 0..5000 {
                    let number = rng.random_range(0..100);
                    match rng.random_range(0..10) {
                        0 => store.remove(hash(number)),
                        1 => store.insert(at(0), hash(number), parcel(rng.random_range(50..40_000))),
                        _ => drop(ask(store, number, &parcel(50))),
                    }
                    assert!(store.entries() <= 50);
                }
            });
        }
    });
    let held = (0..100).filter(|number| store.contains(hash(*number))).count();
    assert_eq!(u64::try_from(held), Ok(store.entries()));
    store.clear();
    assert_eq!(store.entries(), 0);
    for number in 0..50 {
        store.insert(at(0), hash(number), parcel(50));
    }
    assert_eq!(store.entries(), 50, "the weight of removed values is released");
}
