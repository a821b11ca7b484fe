//! Failing lookups: what is tried, when retries stop, and which error the caller gets.

mod faults;

use std::time::Duration;

use privydns_core::{
    Cause, CertificateProblem, Config, ErrorKind, ExtendedError, Limit, ResponseCode, Stage, Upstream,
};

use crate::world::wire::{NXDOMAIN, Question, REFUSED, Reply, SERVFAIL};
use crate::world::{
    ADDRESS, AT_ONCE, Accepts, Act, Host, World, answer, answer_after, ms, query, s, upstream,
};

/// A lookup with a deadline of one second at one upstream with this fault.
fn a_second_with(prepare: impl Fn(&mut Host)) -> (Duration, privydns_core::Error) {
    let mut world = World::new(Config::builder().upstream(upstream(0)).timeout(s(1)));
    prepare(world.host(0));
    let done = world.resolve("example.com");
    (done.at, done.error())
}

#[test]
fn silence_in_tls_is_reported_at_the_deadline() {
    let (at, error) = a_second_with(|host| {
        host.accepts(Accepts::TcpAlone);
    });
    assert_eq!(at, s(1));
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Tls)));
    assert_eq!(error.address().map(|address| address.to_string()).as_deref(), Some("192.0.2.0:853"));
    assert_eq!(error.elapsed(), Some(s(1)));
}

#[test]
fn silence_after_the_query_is_reported_at_the_deadline() {
    let (at, error) = a_second_with(|host| {
        host.keeps_silent();
    });
    assert_eq!(at, s(1));
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Query)));
}

#[test]
fn dropped_packets_are_reported_at_the_deadline() {
    let (at, error) = a_second_with(|host| {
        host.accepts(Accepts::Silently);
    });
    assert_eq!(at, s(1));
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Connect)));
}

#[test]
fn refused_connections_fail_after_three_attempts() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Nothing);
    let done = world.resolve("example.com");
    // Long enough for a server that restarts, short enough for one that does not.
    assert!(done.at >= ms(800) && done.at <= ms(20 + 125 + 20 + 1000 + 20), "{:?}", done.at);
    let error = done.error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Connect(_))), "{error}");
    assert_eq!((error.attempts().len(), error.stage()), (3, Some(Stage::Connect)));
    assert_eq!(world.host(0).dialled.len(), 3);
}

/// A server that drops all packets, with default settings.
#[test]
fn silent_first_upstream_costs_one_second_once() {
    for accepts in [Accepts::Silently, Accepts::TcpAlone, Accepts::Everything] {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone()).keeps_silent();
        let done = world.resolve("first.example");
        assert!(done.at <= ms(1500), "{accepts:?}: {:?}", done.at);
        assert_eq!(done.answer().upstream(), "up1");
        for number in 0..30 {
            let done = world.resolve(&format!("host{number}.example"));
            let healthy = ms(20);
            assert!(done.took <= healthy * 12 / 10, "{accepts:?} {number}: {:?}", done.took);
            world.run_for(ms(100));
        }
    }
}

#[test]
fn refusing_first_upstream_costs_one_round_trip() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing).is_away(Duration::from_micros(50));
    let done = world.resolve("example.com");
    assert!(done.at <= ms(60 + 5), "{:?}", done.at);
    assert_eq!(done.answer().upstream(), "up1");
}

#[test]
fn servfail_and_refused_fail_over_at_once() {
    for rcode in [SERVFAIL, REFUSED] {
        let mut world = World::with_upstreams(2);
        world.host(0).replies(move |question| Reply::to(question).rcode(rcode));
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(60 + 60));
        let answer = done.answer();
        assert_eq!((answer.upstream(), answer.attempts()), ("up1", 2));
        assert_eq!(world.host(0).asked.len(), 1);
    }
}

/// RFC 9520: for a while the server is not asked again, which does not count as an attempt.
#[test]
fn remembered_failure_skips_the_upstream_at_no_cost() {
    let mut world = World::with_upstreams(2);
    world.host(0).replies(|question| Reply::to(question).rcode(SERVFAIL));
    world.host(1).replies(|question| Reply::to(question).record(0, &ADDRESS));
    assert_eq!(world.resolve("example.com").answer().attempts(), 2);
    let done = world.resolve("example.com");
    assert_eq!(done.took, ms(20));
    assert_eq!(done.answer().attempts(), 1);
    assert_eq!(world.host(0).asked.len(), 1);
}

#[test]
fn servfail_error_has_the_upstreams_extended_errors() {
    let mut world = World::with_upstreams(1);
    world
        .host(0)
        .replies(|question| Reply::to(question).rcode(SERVFAIL).extended_error(22, "no reachable authority"));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60));
    let error = done.error();
    let ErrorKind::Upstream(Cause::Rcode(rcode)) = error.kind() else { panic!("{error}") };
    assert_eq!((rcode.code, rcode.extended[0].code), (ResponseCode::ServFail, 22));
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Query)));
    assert_eq!(world.host(0).asked.len(), 1, "asking the same server again would not change it");
}

/// Conformance 2. The simulation fails a test in which data is transmitted before TLS is up.
#[test]
fn no_query_is_sent_without_tls() {
    let failures = [
        Accepts::TcpAlone,
        Accepts::Failing(Cause::Tls(std::io::ErrorKind::InvalidData.into())),
        Accepts::Failing(Cause::Certificate(CertificateProblem::Expired)),
        Accepts::Failing(Cause::NoApplicationProtocol),
        Accepts::Failing(Cause::Closed),
    ];
    for accepts in failures {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone());
        world.host(1).accepts(accepts.clone());
        world.resolve("example.com").error();
        world.run_for(s(60));
        for index in 0..2 {
            let host = world.host(index);
            assert!(!host.dialled.is_empty() && host.connected == 0 && host.asked.is_empty(), "{accepts:?}");
        }
    }
}

#[test]
fn untrusted_certificate_is_tried_once_and_reported() {
    let mut world = World::with_upstreams(2);
    world.host(0).has_wrong_certificate();
    world.host(1).accepts(Accepts::Nothing);
    let error = world.resolve("example.com").error();
    let wrong = ErrorKind::Upstream(Cause::Certificate(CertificateProblem::WrongName));
    assert_eq!(error.kind().to_string(), wrong.to_string());
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Tls)));
    assert_eq!((world.host(0).dialled.len(), world.host(1).dialled.len()), (1, 2));
    assert_eq!(world.host(0).asked.len(), 0);
}

#[test]
fn unhealthy_upstream_is_skipped_5_s_then_probed_by_a_dial() {
    let mut world = World::with_upstreams(2);
    world.host(0).has_wrong_certificate();
    assert_eq!(world.resolve("first.example").answer().upstream(), "up1");
    let unhealthy_since = ms(40);
    for number in 0..10 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(ms(450));
    }
    assert!(world.now() < unhealthy_since + s(5));
    assert_eq!(world.host(0).dialled, [ms(0)]);

    world.host(0).accepts(Accepts::Everything);
    world.run_until(unhealthy_since + s(5));
    let begun = world.now();
    let done = world.resolve("probing.example");
    assert_eq!(done.took, ms(20), "the dial, and no lookup, finds out");
    assert_eq!(done.answer().upstream(), "up1");
    assert_eq!(world.host(0).dialled, [ms(0), begun]);

    world.run_for(ms(100));
    assert_eq!(world.resolve("back.example").answer().upstream(), "up0");
}

#[test]
fn pause_of_an_unhealthy_upstream_grows() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing);
    for number in 0..600 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(ms(480));
    }
    // After 0, 5, 15, 35, 75, 155 seconds; the next probe would come after 315.
    assert_eq!(world.host(0).dialled.len(), 6, "{:?}", world.host(0).dialled);
}

#[test]
fn all_unhealthy_the_longest_ago_failed_is_tried_at_once() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing);
    world.host(1).accepts(Accepts::Nothing);
    world.resolve("first.example").error();
    world.host(0).accepts(Accepts::Everything);
    world.host(1).accepts(Accepts::Everything);
    let done = world.resolve("second.example");
    assert_eq!(done.took, ms(60), "a captive portal must not outlive itself");
    assert_eq!(done.answer().upstream(), "up0");
}

#[test]
fn late_answer_wins_over_a_later_attempt() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|ask| answer_after(ms(1000), &ask.question));
    world.host(1).serves(|ask| answer_after(s(2), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 1000));
    let answer = done.answer();
    assert_eq!((answer.upstream(), answer.attempts()), ("up0", 2));
    assert_eq!(world.host(1).dialled, [s(1)]);
}

/// Slow links: the attempt continues after its timeout, and no retry duplicates it.
#[test]
fn answer_after_the_attempt_timeout_is_used() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| answer_after(ms(3000), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 3000));
    done.answer();
}

/// A short caller timeout does not make the upstream unhealthy.
#[test]
fn short_deadline_does_not_make_the_upstream_unhealthy() {
    let mut world = World::with_upstreams(2);
    let hurried = world.ask(&query("hurried.example").with_timeout(ms(30)));
    assert!(world.finish(hurried).error().is_timeout());
    world.run_for(ms(100));
    assert_eq!(world.resolve("calm.example").answer().upstream(), "up0");
    let hurried = world.ask(&query("again.example").with_timeout(ms(15)));
    assert!(world.finish(hurried).error().is_timeout());
    assert_eq!(world.resolve("calmer.example").answer().upstream(), "up0");
    assert_eq!(world.host(0).dialled.len(), 1, "the connection is as good as before");
}

/// The connection has answered before and is silent now: a dead connection, as after a router restart, or a dead
/// server.
#[test]
fn silent_connection_is_replaced_after_one_missing_answer() {
    let mut world = World::with_upstreams(1);
    world
        .host(0)
        .serves(|ask| if ask.connection == 0 && ask.number > 0 { Vec::new() } else { answer(&ask.question) });
    world.resolve("first.example").answer();
    let done = world.resolve("second.example");
    // The minimum attempt timeout, and a new connection.
    assert_eq!(done.took, ms(500 + 60));
    assert_eq!(world.resolve("third.example").took, ms(20));
    assert_eq!((world.host(0).dialled.len(), world.network.open_connections()), (2, 1));
}

#[test]
fn lookup_over_max_lookups_is_refused_at_once() {
    let mut world = World::new(Config::builder().upstream(upstream(0)).max_lookups(10));
    for number in 0..10 {
        world.lookup(&format!("host{number}.example"));
    }
    let refused = world.lookup("one.too.many.example");
    let done = world.finish(refused);
    assert_eq!(done.at, AT_ONCE);
    assert!(matches!(done.error().kind(), ErrorKind::Overloaded(Limit::Lookups)));
    assert!(world.finish_all().iter().all(|done| done.result.is_ok()));
    world.resolve("one.too.many.example").answer();
}

/// The maximum number of lookups. Their cost must grow linearly with their number.
#[test]
fn sixteen_thousand_unanswered_lookups_end_at_their_deadline() {
    for accepts in [Accepts::Silently, Accepts::Everything] {
        let mut world = World::with_upstreams(2);
        world.host(0).accepts(accepts.clone()).keeps_silent();
        world.host(1).accepts(accepts).keeps_silent();
        for number in 0..16_384 {
            world.lookup(&format!("host{number}.example"));
        }
        let done = world.finish_all();
        assert_eq!(done.len(), 16_384);
        assert!(done.iter().all(|done| done.at == s(5) && done.result.is_err()));
        assert_eq!(world.engine.lookups_in_flight(), 0);
    }
}

#[test]
fn garbage_names_the_violated_rule_and_fails_over() {
    let garbage = |_: &crate::world::Ask| vec![Act::SendRaw(AT_ONCE, vec![0, 3, 1, 2, 3])];
    let mut world = World::with_upstreams(1);
    world.host(0).serves(garbage);
    let error = world.resolve("example.com").error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Protocol(_))), "{error}");
    assert_eq!(error.stage(), Some(Stage::Query));

    let mut world = World::with_upstreams(2);
    world.host(0).serves(garbage);
    let done = world.resolve("example.com");
    assert_eq!((done.at, done.answer().upstream().to_owned()), (ms(60 + 60), "up1".to_owned()));
}

#[test]
fn malformed_answer_fails_over() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|ask| {
        let mut message = Reply::to(&ask.question).record(300, &[1, 2, 3, 4]).octets();
        message.truncate(message.len() - 14);
        vec![Act::Send(AT_ONCE, message)]
    });
    let done = world.resolve("example.com");
    assert_eq!((done.at, done.answer().upstream().to_owned()), (ms(60 + 60), "up1".to_owned()));
}

/// The attempt fails at its start, because the failure is known.
#[test]
fn unresolvable_upstream_is_an_error_every_time() {
    for attempts in 1..=3 {
        let nameless = Upstream::tls("nowhere.example").expect("an upstream").with_label("nameless");
        let config = Config::builder().upstream(upstream(0)).route("corp.example", [nameless]);
        let mut world = World::new(config.attempts(attempts));
        world.host(0).replies(|question| Reply::to(question).rcode(NXDOMAIN).soa(300, 1));
        for name in ["a.corp.example", "b.corp.example", "c.corp.example"] {
            let done = world.resolve(name);
            assert!(done.took <= ms(60 + 125 + 1000), "{:?}", done.took);
            let error = done.error();
            assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Bootstrap(_))), "{error}");
            assert_eq!(error.upstream(), Some("nameless"));
            assert_eq!(error.attempts().len(), attempts as usize);
        }
    }
}

#[test]
fn no_error_prints_the_queried_name() {
    let mut world = World::with_upstreams(1);
    for accepts in [Accepts::Nothing, Accepts::TcpAlone, Accepts::Everything] {
        world.host(0).accepts(accepts).keeps_silent();
        let error = world.resolve("very.secret.example").error();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

/// An extended error counts with its overhead, where the message is read and where the failure is remembered.
#[test]
fn extended_errors_in_a_failure_are_limited_in_bytes() {
    let flood = |question: &Question| {
        let servfail = Reply::to(question).rcode(SERVFAIL);
        (0..10_000).fold(servfail, |reply, _| reply.extended_error(22, ""))
    };
    let mut world = World::with_upstreams(1);
    world.host(0).replies(flood);
    let asked = world.resolve("example.com").error();
    let queries = world.host(0).asked.len();
    let remembered = world.resolve("example.com").error();
    assert_eq!(world.host(0).asked.len(), queries, "the failure was remembered");
    assert_eq!(remembered.stage(), Some(Stage::Remembered));
    for (error, limit) in [(asked, 4096), (remembered, 1024)] {
        assert_eq!(faults::extended_errors(&error), limit / size_of::<ExtendedError>());
    }
}
