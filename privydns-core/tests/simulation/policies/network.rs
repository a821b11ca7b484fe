//! Events around the resolver: another network, suspend and resume.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use privydns_core::engine::{CacheResult, Input};
use privydns_core::{Cause, CertificateProblem, Config, Query, RecordType};

use crate::world::{Accepts, World, epoch, ms, query, s, upstream};

/// The machine is on a network without faults.
fn change_network(world: &mut World) {
    for index in 0..2 {
        let host = world.host(index);
        host.accepts(Accepts::Everything).answers();
        host.unreachable_until = Duration::ZERO;
    }
    world.tell(Input::NetworkChanged);
}

#[test]
fn network_change_resends_queries_at_no_cost() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).unreachable_until = s(3600);
    for number in 0..50 {
        world.lookup(&format!("host{number}.example"));
    }
    world.run_for(ms(300));
    change_network(&mut world);
    assert_eq!(world.shared.stats().network_changes, 1);
    for done in world.finish_all() {
        assert_eq!(done.took, ms(300 + 60));
        assert_eq!(done.answer().attempts(), 1);
    }
    assert_eq!((world.host(0).dialled.len(), world.network.open_connections()), (2, 1));
}

/// Conformance 21: a ticket would show one network that the machine was on another. Connections of one network share
/// tickets.
#[test]
fn network_change_discards_tickets() {
    let mut world = World::with_upstreams(1);
    let mut tls = Vec::new();
    for name in ["first.example", "second.example", "third.example"] {
        if name.starts_with("third") {
            change_network(&mut world);
        }
        world.resolve(name).answer();
        tls.push(world.host(0).tls.clone().expect("a connection was made"));
        world.run_for(s(30));
    }
    assert_eq!(world.host(0).dialled.len(), 3);
    assert!(Arc::ptr_eq(&tls[0], &tls[1]) && !Arc::ptr_eq(&tls[1], &tls[2]));
}

#[test]
fn network_change_restarts_dials() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Silently);
    let id = world.lookup("example.com");
    world.run_for(ms(400));
    change_network(&mut world);
    let done = world.finish(id);
    assert_eq!((done.at, done.answer().attempts()), (ms(400 + 60), 1));
}

/// Two unreachable upstreams, and one behind a captive portal: on another network none of this applies.
#[test]
fn network_change_restores_attempts_and_health() {
    let portal = Accepts::Failing(Cause::Certificate(CertificateProblem::UnknownIssuer));
    for accepts in [Accepts::Nothing, Accepts::Silently, portal] {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone());
        world.host(1).accepts(Accepts::Silently);
        let id = world.lookup("example.com");
        world.run_for(s(4));
        change_network(&mut world);
        let done = world.finish(id);
        assert_eq!(done.at, s(4) + ms(60), "{accepts:?}");
        assert_eq!(done.answer().upstream(), "up0");
    }
}

#[test]
fn network_change_keeps_the_deadline() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Silently);
    let id = world.ask(&query("example.com").with_timeout(s(1)));
    world.run_for(ms(990));
    world.tell(Input::NetworkChanged);
    assert_eq!(world.finish(id).at, s(1));
}

#[test]
fn network_change_keeps_the_cache() {
    let mut world = World::with_upstreams(1);
    world.resolve("example.com").answer();
    world.tell(Input::NetworkChanged);
    world.run_for(ms(10));
    let early = world.shared.try_answer(epoch() + world.now(), &query("example.com")).expect("no error");
    assert!(matches!(early, CacheResult::Answer(_)));
    assert_eq!(world.network.open_connections(), 0);
}

#[test]
fn network_change_forgets_the_winning_family() {
    let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 853));
    let two_families = upstream(0).address(v6.ip());
    let mut world = World::new(Config::builder().upstream(two_families));
    world.network.host(v6).accepts(Accepts::Silently);
    assert_eq!(world.resolve("first.example").at, ms(250 + 60));
    world.network.host(v6).accepts(Accepts::Everything);
    change_network(&mut world);
    world.resolve("second.example").answer();
    assert_eq!((world.network.host(v6).dialled.len(), world.host(0).dialled.len()), (2, 1));
}

#[test]
fn network_change_without_lookups_opens_no_connection() {
    let mut world = World::with_upstreams(2);
    world.resolve("example.com").answer();
    world.tell(Input::NetworkChanged);
    world.run_for(s(60));
    assert_eq!((world.connects.len(), world.wake()), (1, None));
}

/// A probe is about the network on which it began.
#[test]
fn network_change_makes_probed_upstreams_healthy() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Silently);
    world.resolve("first.example").answer();
    world.run_for(s(5));
    world.resolve("second.example").answer();
    change_network(&mut world);
    assert_eq!(world.resolve("third.example").answer().upstream(), "up0");
    world.run_for(s(10));
    assert_eq!(world.host(0).probed.len(), 0);
}

/// A caller may ask the same question as the engine's probe.
#[test]
fn lookup_sharing_a_probe_survives_the_probe() {
    let mut world = World::new(Config::builder().upstream(upstream(0)).attempt_timeout(ms(100)));
    world.resolve("warm.example").answer();
    world.host(0).unreachable_until = s(3600);
    world.lookup("lost.example");
    world.run_for(ms(150));
    let shared = world.ask(&Query::new(".", RecordType::NS).expect("a name"));
    world.run_for(ms(50));
    let cancelled = world.ask(&Query::new(".", RecordType::NS).expect("a name"));
    change_network(&mut world);
    world.cancel(cancelled);
    assert_eq!(world.finish(shared).took, ms(50 + 60));
    assert!(world.finish_all().into_iter().all(|done| done.result.is_ok()));
}

mod asleep {
    use super::*;

    /// Sets the wall clock this far ahead; the monotonic clock does not move.
    fn read_wall_clock(world: &mut World, wall: Duration) {
        world.tell(Input::WallClock(SystemTime::UNIX_EPOCH + s(1_000_000_000) + wall));
        world.run_for(Duration::ZERO);
    }

    /// A world with a connection, after a comparison of the clocks.
    fn world() -> World {
        let mut world = World::with_upstreams(1);
        read_wall_clock(&mut world, Duration::ZERO);
        world.resolve("example.com").answer();
        world
    }

    #[test]
    fn wall_clock_jump_over_ten_seconds_is_a_network_change() {
        for (ahead, is_change) in [(ms(10_000), false), (ms(10_001), true), (s(8 * 3600), true)] {
            let mut world = world();
            let now = world.now();
            read_wall_clock(&mut world, now + ahead);
            assert_eq!(world.network.open_connections(), usize::from(!is_change), "{ahead:?}");
        }
    }

    #[test]
    fn drifting_or_backward_wall_clock_changes_nothing() {
        let mut world = world();
        let mut wall = world.now();
        for number in 0..100 {
            world.run_for(s(1));
            wall += s(2);
            read_wall_clock(&mut world, wall);
            world.resolve(&format!("host{number}.example")).answer();
        }
        read_wall_clock(&mut world, s(0));
        world.resolve("last.example").answer();
        assert_eq!(world.connects.len(), 1);
    }

    #[test]
    fn queries_in_flight_at_suspend_are_resent_on_resume() {
        let mut world = world();
        world.host(0).unreachable_until = s(3600);
        let id = world.lookup("www.example");
        world.run_for(ms(100));
        world.host(0).unreachable_until = Duration::ZERO;
        let now = world.now();
        read_wall_clock(&mut world, now + s(600));
        let done = world.finish(id);
        assert_eq!((done.took, done.answer().attempts()), (ms(100 + 60), 1));
    }

    /// The monotonic clock stood still, and the TTLs of cached records did not.
    #[test]
    fn cached_answers_age_during_suspend() {
        let mut world = world();
        let now = world.now();
        read_wall_clock(&mut world, now + s(100));
        let early = world.shared.try_answer(epoch() + now, &query("example.com")).expect("no error");
        assert!(matches!(early, CacheResult::Answer(answer) if answer.ttl() == Some(200)));
        read_wall_clock(&mut world, now + s(100) + s(200));
        let early = world.shared.try_answer(epoch() + now, &query("example.com")).expect("no error");
        assert!(matches!(early, CacheResult::Miss(_)));
    }
}
