//! The bounds of the store, and who goes when it is full.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::entry::Entry;
use super::super::store::{BYTES_PER_ENTRY, Store, Value};
use super::*;

const MIB: u64 = 1 << 20;
/// More than any value's, so that nothing is over.
const FOREVER: u64 = 1_000_000;

/// So many octets, over at that second.
#[derive(Clone, Debug, PartialEq)]
struct Parcel {
    octets: u64,
    end: u64,
    /// As large as an entry in itself.
    _inline: [u64; 8],
}

impl Value for Parcel {
    fn bytes(&self) -> u64 {
        self.octets
    }

    fn end(&self) -> Timestamp {
        at(self.end)
    }
}

fn at(second: u64) -> Timestamp {
    Clock::default().timestamp(start()).plus(Duration::from_secs(second))
}

fn parcel(octets: u64) -> Parcel {
    ending(octets, FOREVER)
}

fn ending(octets: u64, end: u64) -> Parcel {
    Parcel { octets, end, _inline: [0; 8] }
}

/// A number that looks like a hash: each bit depends on each of those of the number (`SplitMix64`).
fn slot(number: u64) -> u64 {
    let mut mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Asks, and puts what is missing, as a resolver does.
fn ask(store: &Store<Parcel>, number: u64, value: &Parcel) -> bool {
    let is_hit = store.get(slot(number)).is_some();
    if !is_hit {
        store.insert(at(0), slot(number), value.clone());
    }
    is_hit
}

#[test]
fn never_more_entries_than_the_limit() {
    let store = Store::new(100, MIB, Duration::ZERO);
    for number in 0..1000 {
        ask(&store, number, &parcel(50));
        assert!(store.entries() <= 100);
    }
    assert_eq!(store.entries(), 100);
    assert_eq!((0..1000).filter(|number| store.contains(slot(*number))).count(), 100);
    assert_eq!(store.evictions(), 900);
}

#[test]
fn never_more_memory_than_the_limit() {
    let store = Store::new(10_000, MIB, Duration::ZERO);
    let mut rng = StdRng::seed_from_u64(1);
    let mut sizes = BTreeMap::new();
    for number in 0..3000 {
        let octets = rng.random_range(50..20_000);
        sizes.insert(number, octets);
        for _ in 0..3 {
            ask(&store, number, &parcel(octets));
        }
        if number % 100 == 0 {
            let kept = sizes.iter().filter(|(number, _)| store.contains(slot(**number)));
            let octets: u64 = kept.map(|(_, octets)| octets).sum();
            assert!(octets <= MIB, "{octets}");
        }
    }
    assert!(store.entries() > 30);
}

/// What the store takes for itself stays within what it counts for each entry, full or not.
#[test]
fn the_store_takes_no_more_than_it_counts() {
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
fn an_entry_that_grows_makes_others_go() {
    let store = Store::new(100, 100_000, Duration::ZERO);
    for number in 0..100 {
        ask(&store, number, &parcel(50));
    }
    store.insert(at(0), slot(0), parcel(60_000));
    assert_eq!(store.get(slot(0)), Some(parcel(60_000)));
    assert!((20..50).contains(&store.entries()), "{}", store.entries());
}

#[test]
fn a_large_answer_is_kept_when_the_store_is_full_of_small_ones() {
    let store = Store::new(10_000, 8 * MIB, Duration::ZERO);
    for number in 0..10_000 {
        ask(&store, number, &parcel(200));
        ask(&store, number, &parcel(200));
    }
    let before = store.entries();
    ask(&store, 10_000, &parcel(60_000));
    assert_eq!(store.get(slot(10_000)), Some(parcel(60_000)));
    assert!(before - store.entries() < 100, "no more go than have to: {before} {}", store.entries());
}

#[test]
fn what_is_larger_than_the_store_is_not_kept_and_drives_nobody_out() {
    let store = Store::new(100, 50_000, Duration::ZERO);
    for number in 0..50 {
        ask(&store, number, &parcel(50));
    }
    store.insert(at(0), slot(0), parcel(60_000));
    assert!(!store.contains(slot(0)), "nor is what it was to replace");
    assert_eq!(store.entries(), 49);
}

#[test]
fn the_smallest_and_largest_limits_hold() {
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
fn what_is_asked_for_often_outlives_what_is_asked_for_once() {
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
    assert!((0..50).all(|number| store.contains(slot(number))));
}

/// Values that were popular once would keep a new working set out.
#[test]
fn what_is_over_makes_room_for_what_is_new() {
    let store = Store::new(1000, MIB, Duration::ZERO);
    let asked = |number, now, end| {
        let is_hit = store.get(slot(number)).is_some();
        if !is_hit {
            store.insert(at(now), slot(number), ending(50, end));
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
    assert!((0..1000).all(|number| !store.contains(slot(number))));
}

#[test]
fn what_is_over_stays_for_the_time_of_grace_and_what_was_renewed_stays() {
    let store = Store::new(1000, MIB, Duration::from_secs(10));
    store.insert(at(0), slot(0), ending(50, 5));
    store.insert(at(0), slot(1), ending(50, 5));
    store.insert(at(4), slot(1), ending(50, 100));
    store.insert(at(14), slot(2), parcel(50));
    assert!(store.contains(slot(0)));
    store.insert(at(15), slot(3), parcel(50));
    assert!(!store.contains(slot(0)) && store.contains(slot(1)));
    assert_eq!(store.evictions(), 0, "nobody went for want of room");
}

#[test]
fn after_whatever_threads_did_the_store_counts_what_it_holds() {
    let store = Store::new(50, MIB, Duration::ZERO);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let mut rng = StdRng::seed_from_u64(thread);
                for _ in 0..5000 {
                    let number = rng.random_range(0..100);
                    match rng.random_range(0..10) {
                        0 => store.remove(slot(number)),
                        1 => store.insert(at(0), slot(number), parcel(rng.random_range(50..40_000))),
                        _ => drop(ask(store, number, &parcel(50))),
                    }
                    assert!(store.entries() <= 50);
                }
            });
        }
    });
    let held = (0..100).filter(|number| store.contains(slot(*number))).count();
    assert_eq!(u64::try_from(held), Ok(store.entries()));
    store.clear();
    assert_eq!(store.entries(), 0);
    for number in 0..50 {
        store.insert(at(0), slot(number), parcel(50));
    }
    assert_eq!(store.entries(), 50, "no weight was left behind");
}
