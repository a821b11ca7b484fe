//! The race of an upstream's addresses (RFC 8305).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use privydns_core::{Cause, CertificateProblem, Config, Stage, Upstream};

use crate::world::{Accepts, SpokenProtocol, World, answer_after, https_upstream, ms, s};

const V6: [&str; 2] = ["2001:db8::1", "2001:db8::2"];
const V4: [&str; 2] = ["192.0.2.1", "192.0.2.2"];

fn address(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse::<IpAddr>().expect("an address"), 853)
}

/// One upstream with two addresses of each family, in the least favourable order.
fn upstream() -> Upstream {
    let text = format!("tls://dns.example#ip={}", [V4, V6].concat().join(","));
    text.parse().expect("an upstream")
}

fn world() -> World {
    World::new(Config::builder().upstream(upstream()))
}

fn take_away(world: &mut World, addresses: &[&str]) {
    for text in addresses {
        world.network.host(address(text)).accepts(Accepts::Silently);
    }
}

/// The time of the first connection attempt to each address.
fn tried(world: &mut World) -> Vec<Option<Duration>> {
    let first = |text: &&str| world.network.host(address(text)).dialled.first().copied();
    [V6[0], V4[0], V6[1], V4[1]].iter().map(first).collect()
}

/// Conformance 45.
#[test]
fn address_families_alternate_250_ms_apart() {
    let mut world = world();
    take_away(&mut world, &[V6[0], V4[0], V6[1]]);
    assert_eq!(world.resolve("example.com").at, ms(750 + 60));
    assert_eq!(tried(&mut world), [Some(ms(0)), Some(ms(250)), Some(ms(500)), Some(ms(750))]);
    assert_eq!(world.network.open_connections(), 1);
}

#[test]
fn address_delay_can_be_set_down_to_10_ms() {
    for (set, delay) in [(ms(100), ms(100)), (ms(1), ms(10)), (ms(0), ms(10))] {
        let mut world = World::new(Config::builder().upstream(upstream()).address_delay(set));
        take_away(&mut world, &V6);
        assert_eq!(world.resolve("example.com").at, delay + ms(60));
    }
}

/// For every connection: the first address, the first family, the first server.
#[test]
fn dead_address_family_costs_its_delay_once() {
    let mut world = world();
    take_away(&mut world, &V6);
    assert_eq!(world.resolve("first.example").took, ms(250 + 60));
    for number in 0..50 {
        world.run_for(s(10));
        assert_eq!(world.resolve(&format!("host{number}.example")).took, ms(60));
    }
    assert_eq!(tried(&mut world), [Some(ms(0)), Some(ms(250)), None, None]);
}

#[test]
fn dead_winner_costs_its_delay_once() {
    let mut world = world();
    assert_eq!(world.resolve("first.example").took, ms(60));
    take_away(&mut world, &[V6[0]]);
    world.run_for(s(10));
    assert_eq!(world.resolve("second.example").took, ms(250 + 60));
    world.run_for(s(10));
    assert_eq!(world.resolve("third.example").took, ms(60));
    assert_eq!(world.network.host(address(V4[0])).dialled.len(), 2);
}

#[test]
fn refusing_address_family_costs_its_refusals() {
    let mut world = world();
    for text in V6 {
        world.network.host(address(text)).accepts(Accepts::Nothing);
    }
    assert_eq!(world.resolve("first.example").took, ms(20 + 60));
}

#[test]
fn last_refusal_ends_the_race() {
    let mut world = World::new(Config::builder().upstream(upstream()).attempts(1));
    for text in [V6, V4].concat() {
        world.network.host(address(text)).accepts(Accepts::Nothing);
    }
    let done = world.resolve("example.com");
    assert_eq!(done.took, ms(4 * 20));
    assert_eq!(done.error().attempts().len(), 1, "a race is one attempt");
}

/// HTTP/1.1 opens several connections at once, before one of the addresses has won.
#[test]
fn parallel_connections_race_later_ones_know_the_winner() {
    let https = https_upstream(1).address([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
    let mut world = World::new(Config::builder().upstream(https));
    let v6 = SocketAddr::new(V6[0].parse().expect("an address"), 443);
    let v4 = SocketAddr::new(V4[0].parse().expect("an address"), 443);
    world.network.host(v6).accepts(Accepts::Silently);
    world.network.host(v4).speaks = SpokenProtocol::Http1;
    world.network.host(v4).serves(|ask| answer_after(ms(500), &ask.question));
    (0..3).for_each(|number| {
        world.lookup(&format!("first{number}.example"));
    });
    world.run_for(ms(400));
    let before = world.network.host(v6).dialled.len();
    (0..3).for_each(|number| {
        world.lookup(&format!("second{number}.example"));
    });
    assert!(world.finish_all().iter().all(|done| done.result.is_ok()));
    assert_eq!((before, world.network.host(v6).dialled.len()), (1, 1));
    assert_eq!(world.network.host(v4).dialled.len(), 6);
}

/// Whichever address fails last: the first has reported more than that it cannot be reached.
#[test]
fn error_of_a_lost_race_names_one_address() {
    let mut world = world();
    world.network.host(address(V6[0])).has_wrong_certificate();
    for text in [V6[1], V4[0], V4[1]] {
        world.network.host(address(text)).accepts(Accepts::Nothing);
    }
    let error = world.resolve("example.com").error();
    let attempt = &error.attempts()[0];
    assert_eq!((attempt.address, attempt.stage), (Some(address(V6[0])), Stage::Tls));
    assert_eq!(attempt.cause, Cause::Certificate(CertificateProblem::WrongName));
}
