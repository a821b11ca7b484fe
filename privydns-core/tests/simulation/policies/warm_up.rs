//! Connections that are opened before they are needed, or kept longer.

use privydns_core::engine::Input;
use privydns_core::{Config, HttpVersion, ResolverBuilder, Strategy};

use crate::world::{Host, SpokenProtocol, World, answer, https_address, https_upstream, ms, s, upstream};

fn three() -> ResolverBuilder {
    Config::builder().upstreams((0..3).map(upstream))
}

/// Warms up, and returns the number of connections to each upstream.
fn warmed(world: &mut World, count: u8) -> Vec<usize> {
    world.tell(Input::WarmUp);
    world.run_for(ms(100));
    (0..count).map(|index| world.host(index).connected).collect()
}

#[test]
fn first_lookup_after_warm_up_takes_one_round_trip() {
    let mut world = World::with_upstreams(1);
    assert_eq!(warmed(&mut world, 1), [1]);
    assert_eq!(world.resolve("example.com").took, ms(20));
    assert_eq!(world.host(0).dialled.len(), 1);
}

/// Only upstreams that would be asked learn about the client.
#[test]
fn warm_up_connects_to_the_first_upstreams() {
    let routed = three().route("corp.example", [upstream(3), upstream(4)]);
    assert_eq!(warmed(&mut World::new(routed), 5), [1, 0, 0, 1, 0]);
    assert_eq!(warmed(&mut World::new(three().strategy(Strategy::race(2))), 3), [1, 1, 0]);
    assert_eq!(warmed(&mut World::new(three().strategy(Strategy::Fastest)), 3), [1, 1, 1]);
}

#[cfg(feature = "spread")]
#[test]
fn warm_up_with_spread_connects_to_all() {
    assert_eq!(warmed(&mut World::new(three().strategy(Strategy::Spread)), 3), [1, 1, 1]);
}

#[test]
fn warm_up_skips_unhealthy_upstreams() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(crate::world::Accepts::Nothing);
    world.resolve("example.com").answer();
    world.run_for(s(20));
    assert_eq!(world.network.open_connections(), 0);
    warmed(&mut world, 2);
    assert_eq!((world.host(0).dialled.len(), world.host(1).connected), (1, 2));
}

#[test]
fn second_warm_up_opens_no_second_connection() {
    let mut world = World::with_upstreams(1);
    world.tell(Input::WarmUp);
    world.run_for(ms(5));
    world.tell(Input::WarmUp);
    assert_eq!(warmed(&mut world, 1), [1]);
    world.run_for(s(8));
    assert_eq!((world.network.open_connections(), world.wake()), (0, None));
}

mod ping {
    use super::*;

    const INTERVAL: u64 = 10;

    /// A DoH server over HTTP/2 whose connection is kept alive.
    fn world() -> World {
        let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
        let mut world = World::new(Config::builder().upstream(upstream).ping_interval(s(INTERVAL)));
        host(&mut world).speaks = SpokenProtocol::Http2;
        world
    }

    fn host(world: &mut World) -> &mut Host {
        world.network.host(https_address(0))
    }

    #[test]
    fn pings_keep_an_idle_connection_open_for_an_hour() {
        let mut world = world();
        host(&mut world).closes_when_idle = Some(s(15));
        world.resolve("first.example").answer();
        world.run_for(s(3600));
        assert_eq!(world.resolve("second.example").took, ms(20));
        assert_eq!(host(&mut world).dialled.len(), 1);
    }

    #[test]
    fn unanswered_ping_closes_the_connection_after_an_interval() {
        let mut world = world();
        let done = world.resolve("example.com");
        host(&mut world).unreachable_until = s(3600);
        world.run_until(done.at + ms(2000 * INTERVAL - 1));
        assert_eq!(world.network.open_connections(), 1);
        world.run_for(ms(1));
        assert_eq!((world.network.open_connections(), world.wake()), (0, None));
    }

    #[test]
    fn query_lost_to_an_unanswered_ping_is_resent_at_no_cost() {
        let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
        let builder = Config::builder().upstream(upstream).ping_interval(ms(100)).timeout(s(2));
        let mut world = World::new(builder);
        host(&mut world).speaks = SpokenProtocol::Http2;
        world.resolve("first.example").answer();
        host(&mut world).unreachable_until = s(3600);
        let id = world.lookup("second.example");
        world.run_for(ms(150));
        host(&mut world).unreachable_until = s(0);
        host(&mut world).serves(|ask| if ask.connection == 0 { Vec::new() } else { answer(&ask.question) });
        let done = world.finish(id);
        assert_eq!((done.took, done.answer().attempts()), (ms(200 + 60), 1));
    }

    #[test]
    fn protocols_without_ping_are_closed_when_idle() {
        let mut world = World::new(Config::builder().upstream(upstream(0)).ping_interval(s(3)));
        let done = world.resolve("example.com");
        assert_eq!(world.wake(), Some(done.at + s(8)));
        world.run_for(s(8));
        assert_eq!((world.network.open_connections(), world.wake()), (0, None));
    }

    #[test]
    fn close_ends_connections_kept_alive() {
        let mut world = world();
        world.resolve("example.com").answer();
        world.run_for(s(60));
        world.tell(Input::Close);
        world.run_for(s(60));
        assert_eq!((world.network.open_connections(), world.wake()), (0, None));
    }
}
