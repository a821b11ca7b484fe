//! Failing upstreams: how soon a failure is noticed, which lookups pay for it, and how upstreams recover.

use std::time::Duration;

use privydns_core::{Cause, CertificateProblem, Config, ErrorKind, HttpVersion};

use crate::world::wire::{Reply, SERVFAIL};
use crate::world::{
    Accepts, Act, Refusal, SpokenProtocol, World, answer, answer_after, https_address, https_upstream, ms,
    query, s, upstream,
};

/// The time of a lookup on a healthy connection.
const HEALTHY: Duration = ms(20);

/// Ways in which a server can fail silently.
const SILENT: [Accepts; 3] = [Accepts::Silently, Accepts::TcpAlone, Accepts::Everything];

/// A server that drops all packets, with default settings: in minutes, and through every probe, one lookup pays.
#[test]
fn silent_first_upstream_costs_only_the_first_lookup_a_second() {
    for accepts in SILENT {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone()).keeps_silent();
        let done = world.resolve("first.example");
        assert!(done.at <= ms(1500), "{accepts:?}: {:?}", done.at);
        assert_eq!(done.answer().upstream(), "up1");
        for number in 0..700 {
            let done = world.resolve(&format!("host{number}.example"));
            assert!(done.took <= HEALTHY * 12 / 10, "{accepts:?} {number}: {:?}", done.took);
            world.run_for(ms(480));
        }
        assert_eq!(world.host(0).asked.len(), usize::from(accepts == Accepts::Everything));
    }
}

/// The same over HTTP, which has other ways to end a request without an answer.
#[test]
fn silent_first_upstream_over_http_costs_the_same() {
    for (speaks, version) in
        [(SpokenProtocol::Http2, HttpVersion::Http2), (SpokenProtocol::Http1, HttpVersion::Http1)]
    {
        for accepts in SILENT {
            let first = https_upstream(0).with_http_version(version);
            let mut world = World::new(Config::builder().upstream(first).upstream(upstream(1)));
            let host = world.network.host(https_address(0));
            host.speaks = speaks;
            host.accepts(accepts.clone()).keeps_silent();
            assert!(world.resolve("first.example").at <= ms(1500), "{accepts:?}");
            for number in 0..100 {
                let done = world.resolve(&format!("host{number}.example"));
                assert!(done.took <= HEALTHY * 12 / 10, "{accepts:?} {number}: {:?}", done.took);
                world.run_for(ms(480));
            }
        }
    }
}

#[test]
fn all_silent_lookups_end_in_time_first_recovered_answers() {
    for accepts in SILENT {
        let mut world = World::with_upstreams(3);
        for index in 0..3 {
            world.host(index).accepts(accepts.clone()).keeps_silent();
        }
        for number in 0..20 {
            let done = world.resolve(&format!("host{number}.example"));
            assert_eq!(done.took, s(5), "{accepts:?}");
            let error = done.error();
            assert!(error.is_timeout() && error.attempts().len() == 3, "{error:?}");
        }
        world.host(2).accepts(Accepts::Everything).answers();
        let done = world.resolve("back.example");
        assert!(done.took <= ms(2000 + 60), "{accepts:?}: {:?}", done.took);
        assert_eq!(done.answer().upstream(), "up2");
        assert_eq!(world.resolve("next.example").took, HEALTHY);
    }
}

#[test]
fn refusing_first_upstream_costs_only_the_first_lookup() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing).is_away(Duration::from_micros(50));
    let done = world.resolve("first.example");
    assert!(done.at <= 3 * HEALTHY + ms(5), "{:?}", done.at);
    for number in 0..700 {
        assert_eq!(world.resolve(&format!("host{number}.example")).took, HEALTHY);
        world.run_for(ms(480));
    }
}

#[test]
fn probe_after_the_pause_reveals_no_name() {
    let mut world = World::with_upstreams(2);
    world.host(0).keeps_silent();
    world.resolve("first.example").answer();
    world.run_for(s(5));
    for number in 0..100 {
        world.lookup(&format!("host{number}.example"));
    }
    assert!(world.finish_all().into_iter().all(|done| done.answer().upstream() == "up1"));
    world.run_for(ms(500));
    assert_eq!((world.host(0).asked.len(), world.host(0).probed.len()), (1, 1));
    for number in 0..40 {
        world.resolve(&format!("later{number}.example")).answer();
        world.run_for(ms(230));
    }
    assert_eq!(world.host(0).probed.len(), 1, "the next pause is ten seconds");
    world.run_for(s(2));
    world.resolve("third.example").answer();
    world.run_for(ms(100));
    assert_eq!(world.host(0).probed.len(), 2);
}

#[test]
fn upstream_that_answers_the_probe_is_first_again() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing);
    world.resolve("first.example").answer();
    world.host(0).accepts(Accepts::Everything);
    assert!(world.shared.stats().upstreams[0].is_unhealthy);
    world.run_for(s(5));
    let done = world.resolve("second.example");
    assert_eq!((done.took, done.answer().upstream().to_owned()), (HEALTHY, "up1".to_owned()));
    world.run_for(ms(40));
    let done = world.resolve("third.example");
    assert_eq!((done.took, done.answer().upstream().to_owned()), (HEALTHY, "up0".to_owned()));
    assert!(!world.shared.stats().upstreams[0].is_unhealthy);
}

/// The upstream answered recently: either its connection has died unnoticed, or the upstream.
#[test]
fn silent_upstream_is_noticed_by_one_missing_answer() {
    for accepts in SILENT {
        let mut world = World::with_upstreams(2);
        world.resolve("warm.example").answer();
        world.host(0).accepts(accepts.clone()).keeps_silent();
        let done = world.resolve("first.example");
        assert_eq!(done.took, ms(500 + 60), "the shortest time of an attempt, and a connection to the other");
        for number in 0..40 {
            let done = world.resolve(&format!("host{number}.example"));
            assert_eq!(done.took, HEALTHY, "{accepts:?} {number}");
            assert_eq!(done.answer().upstream(), "up1");
            world.run_for(ms(30));
        }
    }
}

#[test]
fn dead_connection_is_replaced_in_the_background() {
    let mut world = World::with_upstreams(2);
    world.resolve("warm.example").answer();
    world.host(0).serves(|ask| if ask.connection == 0 { Vec::new() } else { answer(&ask.question) });
    assert_eq!(world.resolve("first.example").answer().upstream(), "up1");
    let done = world.resolve("second.example");
    assert_eq!((done.took, done.answer().upstream().to_owned()), (HEALTHY, "up0".to_owned()));
    assert_eq!((world.host(0).dialled.len(), world.host(0).probed.len()), (2, 1));
}

/// With only one query in flight, a slow answer looks like a dead server. So the upstream is probed, and gets the next
/// lookup.
#[test]
fn slow_name_alone_costs_the_upstream_a_probe() {
    let mut world = World::with_upstreams(2);
    world.resolve("warm.example").answer();
    world.host(0).serves(|ask| match &*ask.question.name {
        "slow.example." => answer_after(s(3), &ask.question),
        _ => answer(&ask.question),
    });
    world.host(1).serves(|ask| match &*ask.question.name {
        "slow.example." => answer_after(s(4), &ask.question),
        _ => answer(&ask.question),
    });
    let slow = world.lookup("slow.example");
    world.run_for(ms(500 + 60));
    for number in 0..20 {
        assert_eq!(world.resolve(&format!("host{number}.example")).answer().upstream(), "up0");
        world.run_for(ms(50));
    }
    assert_eq!(world.finish(slow).answer().upstream(), "up0");
    assert_eq!(world.host(0).probed.len(), 1);
}

/// If other answers arrive on the same connection, a missing answer is only slow.
#[test]
fn slow_name_among_others_costs_nothing() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|ask| match &*ask.question.name {
        "slow.example." => answer_after(s(3), &ask.question),
        _ => answer(&ask.question),
    });
    world.resolve("warm.example").answer();
    world.lookup("slow.example");
    for number in 0..40 {
        assert_eq!(world.resolve(&format!("host{number}.example")).answer().upstream(), "up0");
        world.run_for(ms(50));
    }
    assert_eq!((world.host(0).probed.len(), world.host(0).dialled.len()), (0, 1));
}

/// Bytes arrived after the first query was sent, but the second query was never answered.
#[test]
fn silence_counts_from_the_last_received_bytes() {
    let mut world = World::with_upstreams(2);
    world.resolve("warm.example").answer();
    world.host(0).serves(|ask| match &*ask.question.name {
        "answered.example." => answer(&ask.question),
        _ => Vec::new(),
    });
    let lost = world.lookup("lost.example");
    world.resolve("answered.example").answer();
    assert_eq!(world.finish(lost).answer().upstream(), "up1");
    // Silent for 480 ms at its timeout, which is too short, and for 540 ms when the other answered.
    let done = world.resolve("next.example");
    assert_eq!((done.took, done.answer().upstream().to_owned()), (HEALTHY, "up1".to_owned()));
    world.run_for(ms(100));
    assert_eq!(world.host(0).probed.len(), 1);
}

#[test]
fn all_unhealthy_the_longest_ago_failed_is_tried_at_once() {
    let portal = Accepts::Failing(Cause::Certificate(CertificateProblem::UnknownIssuer));
    let mut world = World::with_upstreams(3);
    (0..3).for_each(|index| {
        world.host(index).accepts(portal.clone());
    });
    let error = world.resolve("first.example").error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Certificate(_))), "{error}");
    (0..3).for_each(|index| {
        world.host(index).accepts(Accepts::Everything);
    });
    let done = world.resolve("second.example");
    assert_eq!((done.took, done.answer().upstream().to_owned()), (ms(60), "up0".to_owned()));
    assert_eq!(world.resolve("third.example").took, HEALTHY);
}

/// An unhealthy upstream is no better source than the one that has reported a failure.
#[test]
fn failure_of_a_healthy_upstream_does_not_wait_for_unhealthy() {
    for accepts in SILENT {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone()).keeps_silent();
        world.host(1).replies(|question| Reply::to(question).rcode(SERVFAIL));
        let done = world.resolve("first.example");
        assert_eq!(done.at, ms(1000 + 60), "{accepts:?}");
        let error = done.error();
        assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Rcode(_))), "{error}");
        assert_eq!(world.resolve("second.example").took, HEALTHY, "{accepts:?}");
        let begun = world.now();
        assert_eq!(world.resolve("second.example").at, begun, "and remembered, it is told at once");
    }
}

#[test]
fn late_attempt_is_awaited_although_another_failed() {
    let mut world = World::with_upstreams(2);
    world.resolve("warm.example").answer();
    world.host(0).serves(|ask| match &*ask.question.name {
        "slow.example." => answer_after(ms(900), &ask.question),
        _ => answer(&ask.question),
    });
    world.host(1).replies(|question| Reply::to(question).rcode(SERVFAIL));
    let slow = world.lookup("slow.example");
    for number in 0..20 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(ms(20));
    }
    let done = world.finish(slow);
    assert_eq!((done.took, done.answer().upstream().to_owned()), (ms(920), "up0".to_owned()));
}

/// Over HTTP/2 no answer is due for a cancelled query.
#[test]
fn cancelled_queries_do_not_make_a_connection_silent() {
    let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
    let mut world = World::new(Config::builder().upstream(upstream));
    world.network.host(https_address(0)).speaks = SpokenProtocol::Http2;
    world.resolve("warm.example").answer();
    world.network.host(https_address(0)).serves(|ask| answer_after(s(60), &ask.question));
    for number in 0..5 {
        let id = world.ask(&query(&format!("host{number}.example")).with_timeout(ms(200)));
        assert!(world.finish(id).error().is_timeout());
        world.run_for(s(2));
    }
    assert_eq!(world.network.host(https_address(0)).probed.len(), 0);
    assert!(!world.shared.stats().upstreams[0].is_unhealthy);
    assert_eq!(world.network.host(https_address(0)).dialled.len(), 1);
}

#[test]
fn short_deadlines_do_not_hide_a_silent_upstream() {
    for speaks in [SpokenProtocol::Dot, SpokenProtocol::Http2] {
        let is_dot = speaks == SpokenProtocol::Dot;
        let first =
            if is_dot { upstream(0) } else { https_upstream(0).with_http_version(HttpVersion::Http2) };
        let address = if is_dot { crate::world::address(0) } else { https_address(0) };
        let mut world = World::new(Config::builder().upstream(first).upstream(upstream(1)));
        world.network.host(address).speaks = speaks;
        world.resolve("warm.example").answer();
        world.network.host(address).unreachable_until = s(3600);
        let answered = (0..10).filter(|number| {
            let id = world.ask(&query(&format!("host{number}.example")).with_timeout(ms(150)));
            let is_answered = world.finish(id).result.is_ok();
            world.run_for(ms(100));
            is_answered
        });
        assert!(answered.count() >= 6, "{speaks:?}");
    }
}

/// A server that accepts queries and has no resolver behind it; or the wrong path.
#[test]
fn three_http_pages_make_a_server_unhealthy() {
    for status in [404, 500, 502] {
        let mut world = World::new(Config::builder().upstream(https_upstream(0)).upstream(upstream(1)));
        let host = world.network.host(https_address(0));
        host.speaks = SpokenProtocol::Http1;
        host.serves(move |_| vec![Act::Refuse(ms(0), Refusal::Status(status, None))]);
        for number in 0..100 {
            let done = world.resolve(&format!("host{number}.example"));
            assert!(done.took <= HEALTHY || number < 3, "{number}: {:?}", done.took);
            assert_eq!(done.answer().upstream(), "up1");
            world.run_for(ms(100));
        }
        assert_eq!(world.network.host(https_address(0)).asked.len(), 3);
        world.network.host(https_address(0)).answers();
        world.run_for(s(300));
        world.resolve("probing.example").answer();
        world.run_for(s(1));
        assert_eq!(world.resolve("back.example").answer().upstream(), "up0");
    }
}

#[test]
fn occasional_http_pages_do_not_make_a_server_unhealthy() {
    let mut world = World::new(Config::builder().upstream(https_upstream(0)).upstream(upstream(1)));
    let host = world.network.host(https_address(0));
    host.speaks = SpokenProtocol::Http1;
    host.serves(|ask| match ask.number % 3 {
        0 => answer(&ask.question),
        _ => vec![Act::Refuse(ms(0), Refusal::Status(500, None))],
    });
    for number in 0..30 {
        world.resolve(&format!("host{number}.example")).answer();
    }
    assert_eq!(world.network.host(https_address(0)).asked.len(), 30);
}

#[test]
fn probe_ended_by_a_close_changes_nothing() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|_| vec![Act::Close(ms(0))]);
    world.resolve("first.example").answer();
    for number in 0..60 {
        assert_eq!(world.resolve(&format!("host{number}.example")).answer().upstream(), "up1");
        world.run_for(ms(480));
    }
    // After 5, 15 seconds.
    assert_eq!((world.host(0).asked.len(), world.host(0).probed.len()), (1, 2));
}
