//! The policies: whom a lookup is sent to, how often, and what is remembered of it.

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

/// How many queries each of the first `count` upstreams was asked.
fn asked(world: &mut World, count: u8) -> Vec<usize> {
    (0..count).map(|index| world.host(index).asked.len()).collect()
}
