//! Lookups that go wrong: what is tried, when it stops, and what the caller is told.

mod faults;

use std::time::Duration;

use privydns_core::{Cause, CertificateProblem, Config, ErrorKind, Limit, ResponseCode, Stage, Upstream};

use crate::world::wire::{NXDOMAIN, REFUSED, Reply, SERVFAIL};
use crate::world::{
    ADDRESS, AT_ONCE, Accepts, Act, Host, World, answer, answer_after, ms, query, s, upstream,
};

/// A lookup with a deadline of a second at one upstream that this is done to.
fn a_second_with(prepare: impl Fn(&mut Host)) -> (Duration, privydns_core::Error) {
    let mut world = World::new(Config::builder().upstream(upstream(0)).timeout(s(1)));
    prepare(world.host(0));
    let done = world.resolve("example.com");
    (done.at, done.error())
}

#[test]
fn a_server_silent_in_tls_is_an_error_at_the_deadline_that_says_so() {
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
fn a_server_that_never_answers_is_an_error_at_the_deadline_that_says_so() {
    let (at, error) = a_second_with(|host| {
        host.keeps_silent();
    });
    assert_eq!(at, s(1));
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Query)));
}

#[test]
fn an_address_that_swallows_packets_is_an_error_at_the_deadline_that_says_so() {
    let (at, error) = a_second_with(|host| {
        host.accepts(Accepts::Silently);
    });
    assert_eq!(at, s(1));
    assert!(matches!(error.kind(), ErrorKind::Deadline), "{error}");
    assert_eq!((error.upstream(), error.stage()), (Some("up0"), Some(Stage::Connect)));
}

#[test]
fn a_server_that_refuses_connections_is_an_error_after_three_attempts() {
    let mut world = World::with_upstreams(1);
    world.host(0).accepts(Accepts::Nothing);
    let done = world.resolve("example.com");
    // Long enough for a server that is restarted, short enough for one that is not.
    assert!(done.at >= ms(800) && done.at <= ms(20 + 125 + 20 + 1000 + 20), "{:?}", done.at);
    let error = done.error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Connect(_))), "{error}");
    assert_eq!((error.attempts().len(), error.stage()), (3, Some(Stage::Connect)));
    assert_eq!(world.host(0).dialled.len(), 3);
}

/// The black hole, with everything as by default.
#[test]
fn a_first_upstream_that_is_silent_costs_a_second_once() {
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
fn a_first_upstream_that_refuses_costs_its_refusal() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing).is_away(Duration::from_micros(50));
    let done = world.resolve("example.com");
    assert!(done.at <= ms(60 + 5), "{:?}", done.at);
    assert_eq!(done.answer().upstream(), "up1");
}

#[test]
fn servfail_and_refused_go_to_the_next_upstream_at_once() {
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

/// RFC 9520: for a while the server is not asked again, which is no attempt.
#[test]
fn an_upstream_that_is_known_to_fail_a_name_is_passed_over_at_no_cost() {
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
fn servfail_of_the_only_upstream_is_the_error_with_what_it_says_about_it() {
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

/// Conformance 2. The world itself fails a test in which anything is transmitted before TLS is up.
#[test]
fn nothing_is_sent_where_tls_does_not_come_up() {
    let failures = [
        Accepts::TcpAlone,
        Accepts::Failing(Cause::Tls("the peer speaks something else".into())),
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
fn a_wrong_certificate_is_tried_once_and_is_the_cause_reported() {
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
fn a_sick_upstream_is_passed_over_for_five_seconds_and_then_probed_by_a_dial() {
    let mut world = World::with_upstreams(2);
    world.host(0).has_wrong_certificate();
    assert_eq!(world.resolve("first.example").answer().upstream(), "up1");
    let sick_since = ms(40);
    for number in 0..10 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(ms(450));
    }
    assert!(world.now() < sick_since + s(5));
    assert_eq!(world.host(0).dialled, [ms(0)]);

    world.host(0).accepts(Accepts::Everything);
    world.run_until(sick_since + s(5));
    let begun = world.now();
    let done = world.resolve("probing.example");
    assert_eq!(done.took, ms(20), "the dial, and no lookup, finds out");
    assert_eq!(done.answer().upstream(), "up1");
    assert_eq!(world.host(0).dialled, [ms(0), begun]);

    world.run_for(ms(100));
    assert_eq!(world.resolve("back.example").answer().upstream(), "up0");
}

#[test]
fn the_pause_of_an_upstream_that_stays_sick_grows() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing);
    for number in 0..600 {
        world.resolve(&format!("host{number}.example")).answer();
        world.run_for(ms(480));
    }
    // After 0, 5, 15, 35, 75, 155 seconds; the next would come after 315.
    assert_eq!(world.host(0).dialled.len(), 6, "{:?}", world.host(0).dialled);
}

#[test]
fn when_all_are_sick_the_one_that_failed_longest_ago_is_tried_at_once() {
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
fn a_late_answer_wins_over_the_attempt_that_began_beside_it() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|ask| answer_after(ms(1000), &ask.question));
    world.host(1).serves(|ask| answer_after(s(2), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 1000));
    let answer = done.answer();
    assert_eq!((answer.upstream(), answer.attempts()), ("up0", 2));
    assert_eq!(world.host(1).dialled, [s(1)]);
}

/// A slow link is not a dead one: the attempt goes on though its time has passed, and nothing repeats it in vain.
#[test]
fn an_answer_after_the_attempts_time_is_still_the_answer() {
    let mut world = World::with_upstreams(1);
    world.host(0).serves(|ask| answer_after(ms(3000), &ask.question));
    let done = world.resolve("example.com");
    assert_eq!(done.at, ms(60 + 3000));
    done.answer();
}

/// The caller's impatience is not the server's fault.
#[test]
fn a_lookup_in_a_hurry_does_not_make_the_upstream_sick() {
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

/// It answered before and says nothing now: a dead connection, as behind a rebooted router, or a dead server.
#[test]
fn a_connection_gone_silent_is_replaced_after_the_first_answer_that_does_not_come() {
    let mut world = World::with_upstreams(1);
    world
        .host(0)
        .serves(|ask| if ask.connection == 0 && ask.number > 0 { Vec::new() } else { answer(&ask.question) });
    world.resolve("first.example").answer();
    let done = world.resolve("second.example");
    // The shortest time that an attempt is given, and a new connection.
    assert_eq!(done.took, ms(500 + 60));
    assert_eq!(world.resolve("third.example").took, ms(20));
    assert_eq!((world.host(0).dialled.len(), world.network.open_connections()), (2, 1));
}

#[test]
fn one_lookup_too_many_is_refused_at_once() {
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

/// As many as there may be at once. Their cost has to grow with their number, and not with its square.
#[test]
fn sixteen_thousand_lookups_that_nobody_answers_end_at_their_deadline() {
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
fn garbage_is_an_error_that_names_the_rule_and_the_next_upstream_answers() {
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
fn an_answer_that_cannot_be_read_goes_to_the_next_upstream() {
    let mut world = World::with_upstreams(2);
    world.host(0).serves(|ask| {
        let mut message = Reply::to(&ask.question).record(300, &[1, 2, 3, 4]).octets();
        message.truncate(message.len() - 14);
        vec![Act::Send(AT_ONCE, message)]
    });
    let done = world.resolve("example.com");
    assert_eq!((done.at, done.answer().upstream().to_owned()), (ms(60 + 60), "up1".to_owned()));
}

/// What is known already fails the attempt in the moment in which it begins.
#[test]
fn an_upstream_whose_name_does_not_exist_is_an_error_the_second_time_too() {
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
fn no_error_prints_the_name_that_was_asked_for() {
    let mut world = World::with_upstreams(1);
    for accepts in [Accepts::Nothing, Accepts::TcpAlone, Accepts::Everything] {
        world.host(0).accepts(accepts).keeps_silent();
        let error = world.resolve("very.secret.example").error();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
