//! The engine: the cost of a lookup from the cache miss to the end, with cache and simulated server.

use divan::Bencher;
use divan::counter::ItemsCount;

use crate::world::{World, queries};

const IN_FLIGHT: [usize; 3] = [1, 100, 1000];

/// A cache that keeps no entry.
#[divan::bench(args = IN_FLIGHT)]
fn lookup_without_cache(bencher: Bencher<'_, '_>, in_flight: usize) {
    run(bencher, in_flight, 0);
}

/// The difference is the cost of an insert or an update.
#[divan::bench(args = IN_FLIGHT)]
fn lookup(bencher: Bencher<'_, '_>, in_flight: usize) {
    run(bencher, in_flight, 10_000);
}

/// Names that were not queried before: the engine remembers recent answers.
fn run(bencher: Bencher<'_, '_>, in_flight: usize, entries: usize) {
    let mut world = World::new(entries);
    let mut last = 0;
    let mut fresh = || {
        last += in_flight;
        queries(last - in_flight..last).collect::<Vec<_>>()
    };
    // Connected, with all buffers at their final size.
    world.look_up(fresh());
    bencher
        .counter(ItemsCount::new(in_flight))
        .with_inputs(fresh)
        .bench_local_values(|queries| world.look_up(queries));
}
