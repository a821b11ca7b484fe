//! Random order among records of equal priority, which distributes the load.

use hickory_proto::rr::rdata::SRV;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Sorts by priority, lowest first, and shuffles values of equal priority.
pub(super) fn by_priority<T>(values: &mut [T], priority: impl Fn(&T) -> u16, random: &mut StdRng) {
    values.shuffle(random);
    values.sort_by_key(priority);
}

/// Sorts servers by priority, and orders servers of equal priority by weighted random selection (RFC 2782).
pub(super) fn by_priority_and_weight(servers: &mut [SRV], random: &mut StdRng) {
    servers.shuffle(random);
    // Servers of weight 0 come first, which gives them a very small chance of being drawn.
    servers.sort_by_key(|server| (server.priority, server.weight != 0));
    for equals in servers.chunk_by_mut(|one, other| one.priority == other.priority) {
        draw_by_weight(equals, random);
    }
}

/// Draws servers one after the other from the remaining ones.
fn draw_by_weight(servers: &mut [SRV], random: &mut StdRng) {
    let mut total: u32 = servers.iter().map(|server| u32::from(server.weight)).sum();
    for next in 0..servers.len() {
        let draw = random.random_range(0..=total);
        let left = &mut servers[next..];
        let mut sum = 0;
        let drawn = left.iter().position(|server| {
            sum += u32::from(server.weight);
            sum >= draw
        });
        if let Some(drawn) = drawn {
            total -= u32::from(left[drawn].weight);
            left[..=drawn].rotate_right(1);
        }
    }
}
