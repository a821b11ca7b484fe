//! E3: lookups fail because connections are lost, although the server answers.
//!
//! Right for all: a loss on a connection that has answered since the query was sent costs no attempt, and a query that
//! was never sent does not count as lost. Every lookup here is answered.

use std::collections::BTreeMap;

use super::{burst, outcomes};
use crate::world::{AT_ONCE, Act, World, answer, ms};

/// The server closes each connection after this number of answers, as dnsdist and nginx can be set to do.
fn closes_after(world: &mut World, answers: usize) {
    let mut counts = BTreeMap::<usize, usize>::new();
    world.host(0).serves(move |ask| {
        let count = counts.entry(ask.connection).or_default();
        *count += 1;
        let mut acts = if *count <= answers { answer(&ask.question) } else { Vec::new() };
        if *count == answers {
            acts.push(Act::Close(AT_ONCE));
        }
        acts
    });
}

/// The number of answers on each connection, and the lookups begun at once. Right: no lookup fails.
#[test]
fn fault_e3_a_server_that_closes_after_n_answers_loses_lookups() {
    let cases = [(1, 20), (2, 20), (5, 50), (50, 500), (100, 500)];
    let ended = cases.map(|(answers, count)| {
        let mut world = World::with_upstreams(1);
        world.resolve("warm.example").answer();
        closes_after(&mut world, answers);
        burst(&mut world, "host", count);
        outcomes(&mut world)
    });
    assert_eq!(ended, [(17, 3), (20, 0), (50, 0), (331, 169), (435, 65)], "answered and failed");
}

/// The number of lookups, and the milliseconds of half a round trip. Right: no lookup fails.
#[test]
fn fault_e3_two_losses_in_a_row_fail_most_of_a_burst() {
    let cases = [(50, 10), (500, 10), (500, 50)];
    let ended = cases.map(|(count, one_way)| {
        let mut world = World::with_upstreams(1);
        world.host(0).is_away(ms(one_way));
        world.resolve("warm.example").answer();
        world.host(0).keeps_silent();
        burst(&mut world, "host", count);
        world.run_for(ms(one_way + 5));
        world.reset_all(0);
        world.run_for(ms(one_way * 6 + 5));
        world.reset_all(0);
        world.host(0).answers();
        outcomes(&mut world)
    });
    assert_eq!(ended, [(50, 0), (238, 262), (42, 458)], "answered and failed");
}
