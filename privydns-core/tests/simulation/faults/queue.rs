//! E1: an attempt that waits for room is not sent when room appears.
//!
//! Right for all: every change of capacity or usability serves the queue. An attempt is queued only while no
//! connection has room, and while a connection is usable, being dialled or about to be dialled.

use privydns_core::{Config, ErrorKind};

use super::{burst, https_host, is_slow_for_some, over_http};
use crate::random::{WRONGLY_QUEUED, play_all};
use crate::world::{Done, SpokenProtocol, World, answer, answer_after, ms, query, s, upstream};

/// Fills the connections with `count` lookups and queues one more. Every `step`th caller of the first lookups leaves
/// 50 ms later. Returns the result of the queued lookup.
fn queued_behind(world: &mut World, count: usize, step: usize) -> Done {
    let slow = burst(world, "slow", count);
    world.run_for(ms(200));
    let queued = world.lookup("queued.example");
    world.run_for(ms(50));
    slow.into_iter().step_by(step).for_each(|id| world.cancel(id));
    world.finish(queued)
}

fn assert_deadline(done: Done) {
    assert_eq!(done.took, s(5));
    assert!(matches!(done.error().kind(), ErrorKind::Deadline));
}

/// Right: the queued lookup is sent when the caller leaves. A new connection takes 60 ms, so that the answer is there
/// after 110 ms.
#[test]
fn fault_e1_a_cancelled_query_does_not_release_the_queue() {
    let mut world = over_http(SpokenProtocol::Http1, |builder| builder.max_http1_connections(1));
    world.resolve("warm.example").answer();
    is_slow_for_some(https_host(&mut world), |_| Vec::new());
    assert_deadline(queued_behind(&mut world, 1, 1));
}

/// The same with six connections, the default. Right: the answer is there after 110 ms.
#[test]
fn fault_e1_six_cancelled_queries_do_not_release_the_seventh() {
    let mut world = over_http(SpokenProtocol::Http1, |builder| builder);
    world.resolve("warm.example").answer();
    is_slow_for_some(https_host(&mut world), |_| Vec::new());
    assert_deadline(queued_behind(&mut world, 6, 1));
}

/// Right: the connection has room as soon as the callers leave. The answer is there one round trip later, after 70 ms.
#[test]
fn fault_e1_cancels_over_dot_do_not_release_the_queue() {
    let mut world = World::new(Config::builder().upstream(upstream(0)).max_connections(1));
    world.resolve("warm.example").answer();
    is_slow_for_some(world.host(0), |_| Vec::new());
    assert_deadline(queued_behind(&mut world, 1000, 1));
}

/// The connection sends a PING when all its streams are cancelled, and the answer to the PING serves the queue. Right:
/// the answer is there one round trip after the cancels, after 70 ms.
#[test]
fn fault_e1_cancels_over_http2_release_the_queue_one_round_trip_late() {
    let mut world = over_http(SpokenProtocol::Http2, |builder| builder.max_connections(1));
    world.resolve("warm.example").answer();
    is_slow_for_some(https_host(&mut world), |_| Vec::new());
    let done = queued_behind(&mut world, 100, 1);
    assert_eq!(done.took, ms(50 + 20 + 20));
    done.answer();
}

/// Half of the streams are cancelled, and the connection sends no PING. The queue is served 500 ms after the first
/// attempts of the other lookups, when their second attempts begin. Right: the answer is there one round trip after the
/// cancels, after 70 ms.
#[test]
fn fault_e1_some_cancels_over_http2_do_not_release_the_queue() {
    let mut world = over_http(SpokenProtocol::Http2, |builder| builder.max_connections(1));
    world.resolve("warm.example").answer();
    is_slow_for_some(https_host(&mut world), |ask| answer_after(s(3), &ask.question));
    let done = queued_behind(&mut world, 100, 2);
    assert_eq!(done.took, ms(300 + 20));
    done.answer();
}

/// Right: the other callers have left after 300 ms. The queued lookup is sent then, and its answer is there after 170 ms.
#[test]
fn fault_e1_deadlines_of_others_do_not_release_the_queue() {
    let mut world = World::new(Config::builder().upstream(upstream(0)).max_connections(1));
    world.resolve("warm.example").answer();
    is_slow_for_some(world.host(0), |ask| answer_after(s(3), &ask.question));
    for number in 0..1000 {
        world.ask(&query(&format!("slow{number}.example")).with_timeout(ms(300)));
    }
    world.run_for(ms(150));
    let done = world.resolve("queued.example");
    assert_eq!(done.took, ms(2890));
    done.answer();
}

/// The driver is late, and the lookup is sent on a connection whose PING is found lost while outputs are polled. The
/// connection is closed and the lookup is queued, but a dial begins only with the second attempt. Right: the dial begins
/// at once, and the answer is there after 60 ms.
#[test]
fn fault_e1_a_ping_found_lost_while_polling_begins_no_dial() {
    let mut world = over_http(SpokenProtocol::Http2, |builder| builder.ping_interval(s(10)));
    world.resolve("first.example").answer();
    https_host(&mut world).unreachable_until = s(3600);
    world.run_for(s(15));
    https_host(&mut world).unreachable_until = s(0);
    https_host(&mut world).serves(|ask| match ask.connection {
        0 => Vec::new(),
        _ => answer(&ask.question),
    });
    world.leap(s(10));
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(500 + 60));
    done.answer();
}

/// Right: no seed breaks the rule of the queue.
#[test]
fn fault_e1_random_runs_break_the_rule_of_the_queue() {
    assert_eq!(play_all(0..400).0.number(WRONGLY_QUEUED), 35);
}
