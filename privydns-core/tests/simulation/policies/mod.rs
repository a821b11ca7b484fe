//! Policies: where a lookup is sent, how often, and what is remembered.

mod addresses;
mod bootstrap;
mod extremes;
mod health;
mod hedging;
mod load;
mod network;
mod remembered_failures;
mod routes;
mod strategies;
mod warm_up;

use crate::world::World;

/// The number of queries at each of the first `count` upstreams.
fn asked(world: &mut World, count: u8) -> Vec<usize> {
    (0..count).map(|index| world.host(index).asked.len()).collect()
}
