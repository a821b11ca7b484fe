//! Several upstreams, some of which fail.

use std::time::Duration;

use privydns_core::{Answer, Cause, ErrorKind, Outcome, RecordType, Upstream};
use privydns_tests::hickory_proto::op::ResponseCode;
use privydns_tests::{
    ConnectionFault, End, HttpFault, MessageFault, QueryFault, Script, Server, ServerCertificate, Setup,
};

use crate::backend::TestResolver;
use crate::bench::{Bench, cause};

const WWW: &str = "www.example.test";

/// A first upstream with this script, a second upstream without faults, and a resolver with both.
fn pair(bench: &Bench, script: Script) -> (Server, Server, Box<dyn TestResolver>) {
    let first = bench.setup().script(script).start();
    let second = bench.setup().start();
    let resolver = bench.resolver(&[&first, &second]);
    (first, second, resolver)
}

fn is_from(answer: &Answer, server: &Server) -> bool {
    answer.upstream().contains(&server.address().port().to_string())
}

pub(crate) fn only_the_first_upstream_is_queried_while_it_answers(bench: &Bench) {
    let (first, second, resolver) = pair(bench, Script::new());
    for number in 0..5 {
        let answer = resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        assert!(is_from(&answer, &first));
    }
    assert!(second.seen().connections.is_empty());
}

pub(crate) fn second_upstream_answers_if_the_first_fails(bench: &Bench) {
    let every = |fault: QueryFault| Script::new().on_query(.., fault);
    let each = |fault: ConnectionFault| Script::new().on_connection(.., fault);
    let mut scripts = vec![
        every(QueryFault::EndBefore(End::Fin)),
        every(MessageFault::Cut.into()),
        every(MessageFault::Code(ResponseCode::ServFail).into()),
        every(MessageFault::Code(ResponseCode::Refused).into()),
        every(MessageFault::Code(ResponseCode::NotImp).into()),
        each(ConnectionFault::Close(End::Reset)),
        each(ConnectionFault::Certificate(ServerCertificate::WrongName)),
    ];
    if bench.is_http() {
        scripts.push(every(HttpFault::page(500).into()));
        scripts.push(every(HttpFault::too_many_requests(60).into()));
        scripts.push(every(HttpFault::redirect("https://elsewhere.test/").into()));
    }
    for script in scripts {
        let (_first, second, resolver) = pair(bench, script.clone());
        let answer = resolver.lookup(WWW, RecordType::A).unwrap();
        assert!(is_from(&answer, &second) && answer.attempts() == 2, "{script:?}: {answer:?}");
    }
}

/// Conformance 12: both during the TLS handshake and after it.
pub(crate) fn second_upstream_answers_if_the_first_is_silent(bench: &Bench) {
    for script in [
        Script::new().on_query(.., QueryFault::Silent),
        Script::new().on_connection(.., ConnectionFault::Silence),
        Script::new().on_connection(.., ConnectionFault::Deaf),
    ] {
        let silent = bench.setup().script(script.clone()).start();
        let second = bench.setup().start();
        let config = bench.config(&[&silent, &second]).attempt_timeout(Duration::from_millis(50));
        let answer = bench.build(config).lookup(WWW, RecordType::A).unwrap();
        assert!(is_from(&answer, &second), "{script:?}");
    }
}

/// All settings except the timeout are the defaults. The simulation measures the delay; this test checks that
/// every lookup gets an answer.
pub(crate) fn silent_upstream_is_unhealthy_after_one_lookup(bench: &Bench) {
    let silence = Script::new().on_connection(.., ConnectionFault::Silence);
    let (_first, second, resolver) = pair(bench, silence);
    assert!(is_from(&resolver.lookup(WWW, RecordType::A).unwrap(), &second));
    assert!(resolver.stats().upstreams[0].is_unhealthy);
    for number in 0..5 {
        let answer = resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        assert!(is_from(&answer, &second));
    }
}

pub(crate) fn dead_upstream_is_skipped_after_the_first_failure(bench: &Bench) {
    let (first, second, resolver) = pair(bench, Script::new());
    first.kill();
    assert!(is_from(&resolver.lookup(WWW, RecordType::A).unwrap(), &second));
    let answer = resolver.lookup(WWW, RecordType::AAAA).unwrap();
    assert!(is_from(&answer, &second));
    assert_eq!(answer.attempts(), 1);
}

/// RFC 2308: NXDOMAIN and NODATA are answers.
pub(crate) fn negative_answers_are_not_retried_elsewhere(bench: &Bench) {
    let (_first, second, resolver) = pair(bench, Script::new());
    assert_eq!(resolver.lookup("nowhere.example.test", RecordType::A).unwrap().outcome(), Outcome::NxDomain);
    assert_eq!(resolver.lookup("v4only.example.test", RecordType::AAAA).unwrap().outcome(), Outcome::NoData);
    assert!(second.seen().connections.is_empty());
}

pub(crate) fn error_lists_the_attempts_of_all_upstreams(bench: &Bench) {
    let [first, second] = [(); 2].map(|()| bench.setup().start());
    first.kill();
    second.kill();
    let error = bench.resolver(&[&first, &second]).lookup(WWW, RecordType::A).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Connect(_))), "{error}");
    for server in [&first, &second] {
        let port = server.address().port();
        let tried = error.attempts().iter().any(|attempt| attempt.address.is_some_and(|a| a.port() == port));
        assert!(tried, "{error:?}");
    }
    assert!(!error.to_string().contains("www"), "{error}");
}

/// A server at 127.0.0.1, another at the same port of 127.0.0.2, and an upstream with both addresses, that of
/// the second server first.
fn two_addresses(bench: &Bench) -> (Server, Server, Upstream) {
    let server = bench.setup().start();
    let elsewhere = Setup::bind(bench.setup(), ([127, 0, 0, 2], server.address().port()).into()).start();
    let upstream = bench.upstream(&elsewhere).address([127, 0, 0, 1]);
    (server, elsewhere, upstream)
}

/// Longer than any test. Tests that use this delay pass only if the delay is not waited for.
const NEVER: Duration = Duration::from_secs(3600);

/// The addresses of an upstream are raced. A refusing address causes no delay, and the address that connected
/// is tried first in later races.
pub(crate) fn refusing_address_is_replaced_without_delay(bench: &Bench) {
    let (server, elsewhere, upstream) = two_addresses(bench);
    elsewhere.kill();
    let resolver = bench.build(bench.config(&[]).upstream(upstream).address_delay(NEVER));
    assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().attempts(), 1);
    assert_eq!(server.seen().query_count, 1);

    elsewhere.restart();
    server.drop_connections(End::CloseNotify);
    resolver.lookup(WWW, RecordType::AAAA).unwrap();
    assert_eq!((server.seen().query_count, elsewhere.seen().connections.len()), (2, 0));
}

pub(crate) fn silent_address_is_replaced_after_the_delay(bench: &Bench) {
    let (server, elsewhere, upstream) = two_addresses(bench);
    elsewhere.set_script(Script::new().on_connection(.., ConnectionFault::Silence));
    let config = bench.config(&[]).upstream(upstream).address_delay(Duration::from_millis(10));
    let answer = bench.build(config.attempt_timeout(NEVER)).lookup(WWW, RecordType::A).unwrap();
    assert_eq!(answer.attempts(), 1);
    assert_eq!((server.seen().query_count, elsewhere.seen().query_count), (1, 0));
}

pub(crate) fn server_is_reached_over_ipv6(bench: &Bench) {
    let server = bench.setup().start();
    let Some(ipv6) = server.addresses().iter().find(|address| address.is_ipv6()) else { return };
    let text = server.upstream().replace("127.0.0.1", if bench.is_http() { "::1" } else { "[::1]" });
    let upstream = bench.upstream_of(&server, &text);
    bench.build(bench.config(&[]).upstream(upstream)).lookup(WWW, RecordType::A).unwrap();
    assert_eq!(server.seen().connections[0].server, *ipv6);
}

pub(crate) fn cached_failure_is_not_queried_again(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    for _ in 0..3 {
        assert!(matches!(cause(resolver.lookup("servfail.example.test", RecordType::A)), Cause::Rcode(_)));
    }
    assert_eq!(server.seen().query_count, 1);
}
