//! E2: connections grow without bound while a server completes TLS and answers no query.
//!
//! Right for all: the limits count every open connection and every dial. At the limit, the oldest unresponsive
//! connection is closed for a new one. With default settings at most 2 connections are open over DoT and HTTP/2, and 6
//! over HTTP/1.1, plus one replacement.

use std::time::Duration;

use privydns_core::Config;

use super::{https_host, over_http};
use crate::world::{SpokenProtocol, World, ms, s, upstream};

/// Begins `count` lookups, one each `interval`. Returns the highest number of connections open at once.
fn most_open(world: &mut World, count: usize, interval: Duration, name: impl Fn(usize) -> String) -> usize {
    let mut most = 0;
    for number in 0..count {
        world.lookup(&name(number));
        world.run_for(interval);
        most = most.max(world.network.open_connections());
    }
    most
}

/// The callers of a popular name, ten each second, all join one flight.
fn most_open_for_one_name(world: &mut World, time: Duration) -> usize {
    let count = usize::try_from(time.as_millis() / 100).expect("a short time");
    most_open(world, count, ms(100), |_| "popular.example".to_owned())
}

/// Right: at most 3.
#[test]
fn fault_e2_one_popular_name_opens_connections_without_bound() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).keeps_silent();
    assert_eq!(most_open_for_one_name(&mut world, s(60)), 107);
}

/// Right: a flight has an age limit, however many callers join it. A caller causes at most 3 attempts (RFC 9520), so
/// that 60 s with a timeout of 5 s cause at most 36.
#[test]
fn fault_e2_a_flight_lives_for_as_long_as_callers_join_it() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).keeps_silent();
    most_open_for_one_name(&mut world, s(60));
    let queries = world.host(0).asked.iter().filter(|ask| ask.question.name == "popular.example.");
    assert_eq!(queries.count(), 107);
}

/// Right: at most 6, 3 for each upstream.
#[test]
fn fault_e2_two_silent_upstreams_get_connections_without_bound() {
    let mut world = World::with_upstreams(2);
    for index in 0..2 {
        world.host(index).keeps_silent();
    }
    assert_eq!(most_open_for_one_name(&mut world, s(60)), 59);
}

/// Right: at most 3, whatever the timeout is.
#[test]
fn fault_e2_a_long_timeout_keeps_many_connections_open() {
    for (timeout, most) in [(s(5), 11), (s(60), 93)] {
        let mut world = World::new(Config::builder().upstream(upstream(0)).timeout(timeout));
        world.resolve("warm.example").answer();
        world.host(0).keeps_silent();
        assert_eq!(most_open(&mut world, 1000, ms(50), |n| format!("host{n}.example")), most, "{timeout:?}");
    }
}

/// Right: at most 7 over HTTP/1.1. The 2 over HTTP/2 are right: a PING tells that the server is there.
#[test]
fn fault_e2_one_popular_name_over_http1_opens_connections_without_bound() {
    for (speaks, most) in [(SpokenProtocol::Http2, 2), (SpokenProtocol::Http1, 107)] {
        let mut world = over_http(speaks, |builder| builder);
        world.resolve("warm.example").answer();
        https_host(&mut world).keeps_silent();
        assert_eq!(most_open_for_one_name(&mut world, s(60)), most, "{speaks:?}");
    }
}

/// A second upstream answers, and the silent one is only probed. Each probe lasts as long as a lookup may, and holds a
/// connection. Right: at most 4, 3 to the silent upstream.
#[test]
fn fault_e2_each_probe_with_a_long_timeout_holds_a_connection() {
    let upstreams = [upstream(0), upstream(1)];
    let mut world = World::new(Config::builder().upstreams(upstreams).timeout(s(3600)));
    world.resolve("warm.example").answer();
    world.host(0).keeps_silent();
    assert_eq!(most_open(&mut world, 3600, s(1), |n| format!("host{n}.example")), 18);
}
