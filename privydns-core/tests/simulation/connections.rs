//! Connections: their number, their address, and the fate of lookups when a connection ends.

use privydns_core::engine::Input;
use privydns_core::{Cause, Config, ErrorKind};

use crate::world::wire::Reply;
use crate::world::{ADDRESS, AT_ONCE, Accepts, Act, World, answer, answer_after, ms, s, upstream};

#[test]
fn reset_with_fifty_in_flight_costs_one_new_connection() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).keeps_silent();
    for number in 0..50 {
        world.lookup(&format!("host{number}.example"));
    }
    world.run_for(ms(15));
    assert_eq!(world.host(0).asked.len(), 51);
    world.host(0).answers();
    world.reset_all(0);
    let done = world.finish_all();
    assert_eq!(done.len(), 50);
    for done in done {
        // The query's one-way delay, the news of the end, and three round trips.
        assert_eq!(done.took, ms(15 + 10 + 60));
        assert_eq!(done.answer().attempts(), 1);
    }
    assert_eq!(world.host(0).dialled.len(), 2);
}

/// Whether the server can answer is unknown: the loss costs an attempt, and a pause comes first.
#[test]
fn reset_before_the_first_answer_costs_an_attempt() {
    let mut world = World::with_upstreams(1);
    world
        .host(0)
        .serves(|ask| if ask.connection == 0 { vec![Act::Close(AT_ONCE)] } else { answer(&ask.question) });
    for number in 0..50 {
        world.lookup(&format!("host{number}.example"));
    }
    let done = world.finish_all();
    assert_eq!(done.len(), 50);
    for done in done {
        assert!(done.at <= ms(60 + 125 + 60), "{:?}", done.at);
        assert_eq!(done.answer().attempts(), 2);
    }
    assert!(world.host(0).dialled.len() <= 3);
}

/// Conformance 9: queries in flight are sent again, a limited number of times.
#[test]
fn query_that_kills_connections_fails_alone() {
    for warm in [false, true] {
        let mut world = World::with_upstreams(1);
        world.host(0).serves(|ask| match ask.question.name.as_str() {
            "poison.example." => vec![Act::Close(AT_ONCE)],
            _ => answer_after(ms(5), &ask.question),
        });
        if warm {
            world.resolve("example.com").answer();
        }
        for number in 0..10 {
            world.lookup(&format!("before{number}.example"));
        }
        world.lookup("poison.example");
        for number in 0..10 {
            world.lookup(&format!("after{number}.example"));
        }
        let done = world.finish_all();
        let lost = done.iter().filter(|done| done.result.is_err()).count();
        assert_eq!((done.len(), lost), (21, 1), "{warm}: {done:?}");
    }
}

#[test]
fn idle_close_costs_the_next_lookup_no_attempt() {
    let mut world = World::with_upstreams(1);
    world.host(0).closes_when_idle = Some(s(3));
    world.resolve("example.com").answer();
    world.run_for(s(5));
    let done = world.resolve("example.org");
    assert_eq!(done.took, ms(60));
    assert_eq!(done.answer().attempts(), 1);
    assert_eq!(world.host(0).dialled.len(), 2);
}

/// The query is in transit when the server closes: the query is sent again at once and at no cost.
#[test]
fn query_crossing_the_servers_close_is_resent_at_no_cost() {
    let mut world = World::with_upstreams(1);
    world.resolve("example.com").answer();
    world.reset_all(0);
    world.run_for(ms(5));
    let done = world.resolve("example.org");
    assert_eq!(done.took, ms(5 + 60));
    assert_eq!(done.answer().attempts(), 1);
}

#[test]
fn repeated_losses_are_free_once_then_cost_attempts() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| {
        if ask.question.name == "bad.example." { vec![Act::Close(AT_ONCE)] } else { answer(&ask.question) }
    });
    world.resolve("good.example").answer();
    let error = world.resolve("bad.example").error();
    assert_eq!(error.attempts().len(), 3, "{error:?}");
    let bad = world.host(0).asked.iter().filter(|ask| ask.question.name == "bad.example.").count();
    assert_eq!(bad, 4);
    world.resolve("other.example").answer();
}

#[test]
fn idle_dot_connection_is_closed_after_eight_seconds() {
    let mut world = World::with_upstreams(1);
    let done = world.resolve("example.com");
    assert_eq!(world.wake(), Some(done.at + s(8)));
    world.run_for(ms(7999));
    assert_eq!(world.network.open_connections(), 1);
    world.run_for(ms(1));
    assert_eq!(world.network.open_connections(), 0);
    assert_eq!(world.wake(), None, "an idle engine wants nothing");
}

#[test]
fn idle_time_counts_from_the_last_answer() {
    let mut world = World::with_upstreams(1);
    for number in 0..5 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(s(7));
    }
    assert_eq!(world.host(0).dialled.len(), 1);
}

/// RFC 7828 Section 3.2.2: the server's idle timeout applies, less a second for packets in transit.
#[test]
fn keepalive_option_sets_the_idle_time() {
    let mut world = World::with_upstreams(1);
    world.host(0).replies(|question| Reply::to(question).record(300, &ADDRESS).keepalive(s(30)));
    let done = world.resolve("example.com");
    assert_eq!(world.wake(), Some(done.at + s(29)));
}

#[test]
fn keepalive_of_zero_drains_the_connection() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| {
        let reply = Reply::to(&ask.question).record(300, &ADDRESS);
        match ask.number {
            0 => vec![Act::Send(AT_ONCE, reply.keepalive(s(0)).octets())],
            1 => vec![Act::Send(ms(50), reply.octets())],
            _ => vec![Act::Send(AT_ONCE, reply.octets())],
        }
    });
    world.lookup("first.example");
    let second = world.lookup("second.example");
    world.run_for(ms(65));
    // The answer to the first query announced the end; the second answer is still awaited, and a third query uses
    // another connection.
    let third = world.lookup("third.example");
    assert_eq!(world.finish(second).at, ms(60 + 50));
    assert_eq!(world.network.open_connections(), 1, "empty, the first is closed at once");
    assert_eq!(world.finish(third).at, ms(65 + 60));
    assert_eq!(world.host(0).dialled.len(), 2);
}

/// A draining connection does not count, so that the limit on connections does not delay lookups.
#[test]
fn draining_connection_does_not_count_as_a_connection() {
    let mut world = World::new(Config::builder().upstream(upstream(0)).max_connections(1));
    world.host(0).serves(|ask| {
        let reply = Reply::to(&ask.question).record(300, &ADDRESS);
        match ask.number {
            0 => vec![Act::Send(AT_ONCE, reply.keepalive(s(0)).octets())],
            1 => Vec::new(),
            _ => vec![Act::Send(AT_ONCE, reply.octets())],
        }
    });
    world.lookup("first.example");
    world.lookup("second.example");
    world.run_for(ms(100));
    let third = world.lookup("third.example");
    assert_eq!(world.finish(third).took, ms(60));
}

/// The simulation checks that nothing is transmitted without credit; here the credit is used up: a thousand queries of
/// 384 bytes exceed it.
#[test]
fn unwritten_data_is_limited_by_credit() {
    let mut world = World::with_upstreams(1);
    world.resolve("warm.example").answer();
    world.host(0).stalled_until = world.now() + s(1);
    let labels = ["n".repeat(63), "n".repeat(63), "n".repeat(63), "n".repeat(40)].join(".");
    for number in 0..1000 {
        world.lookup(&format!("{number}.{labels}.example"));
    }
    world.run_for(ms(500));
    assert_eq!(world.host(0).asked.len(), 1);
    let done = world.finish_all();
    assert_eq!(done.len(), 1000);
    assert!(done.iter().all(|done| done.result.is_ok() && done.took <= s(1) + ms(30)));
}

#[test]
fn cancelled_lookup_leaves_no_state() {
    let mut world = World::with_upstreams(1);
    world.host(0).keeps_silent();
    let id = world.lookup("example.com");
    world.run_for(ms(70));
    world.cancel(id);
    world.run_for(s(1));
    assert_eq!(world.engine.lookups_in_flight(), 0);
    world.run_for(s(60));
    assert!(world.done(id).is_none());
    assert_eq!((world.network.open_connections(), world.wake()), (0, None));
}

#[test]
fn cancelling_one_caller_does_not_affect_the_others() {
    let mut world = World::with_upstreams(1);
    let first = world.lookup("example.com");
    let second = world.lookup("example.com");
    world.run_for(ms(50));
    world.cancel(first);
    assert_eq!(world.finish(second).at, ms(60));
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn late_answer_to_a_cancelled_query_is_not_misbehaviour() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| crate::world::answer_after(ms(100), &ask.question));
    for number in 0..40 {
        let id = world.lookup(&format!("host{number}.example"));
        world.run_for(ms(70));
        world.cancel(id);
    }
    world.resolve("example.com").answer();
    assert_eq!(world.host(0).dialled.len(), 1);
}

#[test]
fn close_ends_every_lookup_and_every_connection() {
    let mut world = World::with_upstreams(2);
    world.resolve("warm.example").answer();
    world.host(0).keeps_silent();
    let waiting = world.lookup("example.com");
    world.run_for(ms(5));
    world.tell(Input::Close);
    let error = world.finish(waiting).error();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
    assert!(world.engine.is_closed());
    assert_eq!((world.network.open_connections(), world.wake()), (0, None));

    let late = world.lookup("late.example");
    assert!(matches!(world.finish(late).error().kind(), ErrorKind::Closed));
}

#[test]
fn close_abandons_dials() {
    let mut world = World::with_upstreams(1);
    let id = world.lookup("example.com");
    world.run_for(ms(30));
    world.tell(Input::Close);
    assert!(matches!(world.finish(id).error().kind(), ErrorKind::Closed));
    assert!(world.engine.is_closed());
    world.run_for(s(20));
    assert_eq!((world.host(0).connected, world.network.open_connections()), (0, 0));
}

/// Conformance 13: ALPN is offered; if the server aborts the handshake for it, the next connection does without.
#[test]
fn refused_alpn_is_retried_without_and_remembered() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::WithoutAlpn);
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(40 + 60));
    assert_eq!(done.answer().attempts(), 1);
    assert_eq!(world.host(0).dialled.len(), 2);
    world.run_for(s(10));
    assert_eq!(world.resolve("example.org").took, ms(60));
    assert_eq!(world.host(0).dialled.len(), 3);
}

/// The alert may have come from the network, and servers are reconfigured.
#[test]
fn refused_alpn_is_remembered_for_five_minutes() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::WithoutAlpn);
    world.resolve("first.example").answer();
    world.run_for(s(290));
    world.resolve("second.example").answer();
    assert_eq!(world.host(0).dialled.len(), 3);
    world.run_for(s(20));
    world.resolve("third.example").answer();
    assert_eq!(world.host(0).dialled.len(), 5, "with the offer, and without it");
}

mod races {
    use super::*;
    use std::net::SocketAddr;

    fn v6() -> SocketAddr {
        "[2001:db8::1]:853".parse().expect("an address")
    }

    fn v4() -> SocketAddr {
        "192.0.2.1:853".parse().expect("an address")
    }

    fn two_families() -> World {
        let upstream = upstream(1).address([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
        World::new(Config::builder().upstream(upstream))
    }

    /// Conformance 45: RFC 8305 Sections 4 and 5.
    #[test]
    fn second_address_joins_after_250_ms_and_the_winner_goes_first() {
        let mut world = two_families();
        world.network.host(v6()).accepts(Accepts::Silently);
        assert_eq!(world.resolve("example.com").at, ms(250 + 60));
        assert_eq!(world.network.host(v6()).dialled, [ms(0)]);
        assert_eq!(world.network.host(v4()).dialled, [ms(250)]);
        world.run_for(s(20));
        assert_eq!(world.resolve("example.org").took, ms(60));
        assert_eq!(world.network.host(v6()).dialled.len(), 1, "a dead family costs its delay once");
    }

    #[test]
    fn second_address_joins_at_once_when_the_first_refuses() {
        let mut world = two_families();
        world.network.host(v6()).accepts(Accepts::Nothing);
        assert_eq!(world.resolve("example.com").at, ms(20 + 60));
        assert_eq!(world.network.host(v4()).dialled, [ms(20)]);
    }

    #[test]
    fn loser_of_a_race_is_closed() {
        let mut world = two_families();
        world.network.host(v6()).is_away(ms(90));
        world.network.host(v4()).is_away(ms(40));
        // IPv6 is up at 360 ms, IPv4 at 410 ms at the earliest.
        assert_eq!(world.resolve("example.com").at, ms(360 + 180));
        assert_eq!(world.network.open_connections(), 1);
        assert_eq!((world.network.host(v6()).asked.len(), world.network.host(v4()).asked.len()), (1, 0));
    }

    #[test]
    fn every_address_that_refuses_alpn_is_retried_without() {
        let mut world = two_families();
        world.network.host(v6()).is_away(ms(90)).accepts(Accepts::WithoutAlpn);
        world.network.host(v4()).accepts(Accepts::Failing(Cause::NoApplicationProtocol));
        // IPv4 refuses at 290 ms and at 330 ms; IPv6 refuses at 360 ms, for an offer made before that.
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(360 + 360 + 180));
        assert_eq!(done.answer().attempts(), 1);
    }

    #[test]
    fn slow_address_may_still_win_the_race() {
        let mut world = two_families();
        world.network.host(v6()).is_away(ms(150));
        world.network.host(v4()).accepts(Accepts::TcpAlone);
        assert_eq!(world.resolve("example.com").at, ms(600 + 300));
    }
}

/// However long the connection takes, a query is queued for it once.
#[test]
fn lookup_waiting_for_a_dial_sends_one_query() {
    let mut world = World::with_upstreams(1);
    world.host(0).is_away(ms(500));
    for number in 0..10 {
        world.lookup(&format!("host{number}.example"));
    }
    for done in world.finish_all() {
        assert_eq!((done.took, done.answer().attempts()), (s(3), 1));
    }
    let asked = world.host(0).asked.iter().filter(|ask| !ask.question.is_probe()).count();
    assert_eq!(asked, 10);
}

/// Conformance 39: a failed handshake sends no query and does not count as one.
#[test]
fn failed_handshakes_are_attempts_but_not_queries() {
    let builder = Config::builder().upstream(upstream(0)).attempts(10).timeout(s(10));
    let mut world = World::new(builder);
    world.host(0).accepts(Accepts::Failing(Cause::Tls(std::io::ErrorKind::UnexpectedEof.into())));
    let id = world.lookup("example.com");
    world.run_for(s(3));
    world.host(0).accepts(Accepts::Everything);
    let answer = world.finish(id).answer();
    assert!(answer.attempts() > 3, "{answer:?}");
}
