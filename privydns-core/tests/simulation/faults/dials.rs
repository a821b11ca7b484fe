//! E5: an upstream that fails fast is dialled for every lookup. E6, E14: a slow dial gets no second one.

use std::time::Duration;

use privydns_core::Config;

use super::{outcomes, steady_load};
use crate::logging::warnings;
use crate::world::{Accepts, World, ms, s, upstream};

/// A network where a packet takes a quarter of a millisecond.
const NEAR: Duration = Duration::from_micros(250);

/// Right: dials back off from 100 ms to 5 min, so that 6 s see fewer than 10. A lookup ends at once with the last cause.
#[test]
fn fault_e5_a_wrong_certificate_is_dialled_again_and_again() {
    let mut world = World::with_upstreams(1);
    world.host(0).has_wrong_certificate();
    steady_load(&mut world, 600, ms(10));
    assert_eq!(world.host(0).dialled.len(), 150);
}

/// Right: fewer than 10 handshakes in 1 s, and one warning.
#[test]
fn fault_e5_a_near_server_with_a_wrong_certificate_gets_1000_handshakes_a_second() {
    let mut world = World::with_upstreams(1);
    world.host(0).has_wrong_certificate().is_away(NEAR);
    let warnings = warnings("connection failed", || steady_load(&mut world, 1000, ms(1)));
    assert_eq!((world.host(0).dialled.len(), warnings), (1000, 1000));
}

/// Right: fewer than 10 dials in 1 s, and one warning.
#[test]
fn fault_e5_a_closed_port_is_dialled_more_than_1000_times_a_second() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Nothing).is_away(NEAR);
    let warnings = warnings("connection failed", || steady_load(&mut world, 1000, ms(1)));
    assert_eq!((world.host(0).dialled.len(), warnings), (1086, 1085));
}

/// Right: the lookups wait for the next dial, which costs no attempt, and are answered when the server is back.
#[test]
fn fault_e5_a_restart_of_one_second_fails_lookups() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).accepts(Accepts::Nothing).is_away(NEAR);
    world.reset_all(0);
    steady_load(&mut world, 100, ms(10));
    world.host(0).accepts(Accepts::Everything);
    assert_eq!(outcomes(&mut world), (97, 3));
}

/// Right: the next attempt begins a second dial, the one replacement that the limit allows. The answer is there after
/// 60 ms, as with a limit of 2.
#[test]
fn fault_e6_a_dial_that_hangs_is_not_replaced_at_the_limit_of_one() {
    for (limit, took, dials) in [(2, ms(60), 2), (1, s(5), 1)] {
        let mut world = World::new(Config::builder().upstream(upstream(0)).max_connections(limit));
        world.host(0).accepts(Accepts::TcpAlone);
        world.resolve("lost.example").error();
        world.host(0).accepts(Accepts::Everything);
        let done = world.resolve("back.example");
        assert_eq!((done.took, world.host(0).dialled.len()), (took, dials), "max_connections({limit})");
        assert_eq!(done.result.is_err(), limit == 1);
    }
}

/// Right: a second dial is begun beside the slow one, and the attempts are as many as for a server that hangs after TLS.
#[test]
fn fault_e14_a_server_that_hangs_in_tls_gets_one_attempt() {
    for (accepts, attempts, dials) in [(Accepts::Everything, 3, 3), (Accepts::TcpAlone, 1, 1)] {
        let mut world = World::new(Config::builder().upstream(upstream(0)).attempts(3).timeout(s(6)));
        world.host(0).accepts(accepts.clone()).keeps_silent();
        let done = world.resolve("example.com");
        assert_eq!(done.took, s(6));
        let made = done.error().attempts().len();
        assert_eq!((made, world.host(0).dialled.len()), (attempts, dials), "{accepts:?}");
    }
}
