//! Several upstreams, of which some fail.

use std::time::Duration;

use privydns_core::{Answer, Cause, ErrorKind, Outcome, RecordType, Upstream};
use privydns_tests::hickory_proto::op::ResponseCode;
use privydns_tests::{
    ConnectionFault, End, HttpFault, MessageFault, QueryFault, Script, Server, ServerCertificate, Setup,
};

use crate::backend::TestResolver;
use crate::bench::{Bench, cause};

const WWW: &str = "www.example.test";

/// A first upstream with this script, a second one that does as it should, and a resolver that has both.
fn pair(bench: &Bench, script: Script) -> (Server, Server, Box<dyn TestResolver>) {
    let first = bench.setup().script(script).start();
    let second = bench.setup().start();
    let resolver = bench.resolver(&[&first, &second]);
    (first, second, resolver)
}

fn is_from(answer: &Answer, server: &Server) -> bool {
    answer.upstream().contains(&server.address().port().to_string())
}

pub(crate) fn the_first_upstream_is_asked_alone_while_it_answers(bench: &Bench) {
    let (first, second, resolver) = pair(bench, Script::new());
    for number in 0..5 {
        let answer = resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        assert!(is_from(&answer, &first));
    }
    assert!(second.seen().connections.is_empty());
}

pub(crate) fn the_second_upstream_makes_up_for_the_first(bench: &Bench) {
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

/// Conformance 12: whether silence is in TLS or after it.
pub(crate) fn the_second_upstream_makes_up_for_a_silent_first(bench: &Bench) {
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

/// With every default but the deadline. What it costs is in the simulation; here, that nobody is left without an answer.
pub(crate) fn a_silent_first_upstream_is_found_out_by_one_lookup(bench: &Bench) {
    let silence = Script::new().on_connection(.., ConnectionFault::Silence);
    let (_first, second, resolver) = pair(bench, silence);
    assert!(is_from(&resolver.lookup(WWW, RecordType::A).unwrap(), &second));
    assert!(resolver.stats().upstreams[0].is_unhealthy);
    for number in 0..5 {
        let answer = resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        assert!(is_from(&answer, &second));
    }
}

pub(crate) fn a_dead_upstream_is_passed_over_from_then_on(bench: &Bench) {
    let (first, second, resolver) = pair(bench, Script::new());
    first.kill();
    assert!(is_from(&resolver.lookup(WWW, RecordType::A).unwrap(), &second));
    let answer = resolver.lookup(WWW, RecordType::AAAA).unwrap();
    assert!(is_from(&answer, &second));
    assert_eq!(answer.attempts(), 1);
}

/// RFC 2308: a denial is an answer.
pub(crate) fn denials_are_not_asked_about_again(bench: &Bench) {
    let (_first, second, resolver) = pair(bench, Script::new());
    assert_eq!(resolver.lookup("nowhere.example.test", RecordType::A).unwrap().outcome(), Outcome::NxDomain);
    assert_eq!(resolver.lookup("v4only.example.test", RecordType::AAAA).unwrap().outcome(), Outcome::NoData);
    assert!(second.seen().connections.is_empty());
}

pub(crate) fn when_all_fail_the_error_tells_of_each(bench: &Bench) {
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

/// A server at 127.0.0.1, another on the same port of 127.0.0.2, and an upstream that has both addresses, that of the
/// second first.
fn two_addresses(bench: &Bench) -> (Server, Server, Upstream) {
    let server = bench.setup().start();
    let elsewhere = Setup::bind(bench.setup(), ([127, 0, 0, 2], server.address().port()).into()).start();
    let upstream = bench.upstream(&elsewhere).address([127, 0, 0, 1]);
    (server, elsewhere, upstream)
}

/// As long as no test takes: what is to happen before it is over happens at once.
const NEVER: Duration = Duration::from_secs(3600);

/// An upstream's addresses are raced: one that refuses delays nothing, and the one that won goes first from then on.
pub(crate) fn a_dead_address_is_made_up_for_by_another(bench: &Bench) {
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

pub(crate) fn a_silent_address_is_made_up_for_by_another(bench: &Bench) {
    let (server, elsewhere, upstream) = two_addresses(bench);
    elsewhere.set_script(Script::new().on_connection(.., ConnectionFault::Silence));
    let config = bench.config(&[]).upstream(upstream).address_delay(Duration::from_millis(10));
    let answer = bench.build(config.attempt_timeout(NEVER)).lookup(WWW, RecordType::A).unwrap();
    assert_eq!(answer.attempts(), 1);
    assert_eq!((server.seen().query_count, elsewhere.seen().query_count), (1, 0));
}

pub(crate) fn both_families_reach_a_server(bench: &Bench) {
    let server = bench.setup().start();
    let Some(ipv6) = server.addresses().iter().find(|address| address.is_ipv6()) else { return };
    let text = server.upstream().replace("127.0.0.1", if bench.is_http() { "::1" } else { "[::1]" });
    let upstream = bench.upstream_of(&server, &text);
    bench.build(bench.config(&[]).upstream(upstream)).lookup(WWW, RecordType::A).unwrap();
    assert_eq!(server.seen().connections[0].server, *ipv6);
}

pub(crate) fn remembered_failures_are_not_asked_for_again_at_once(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    for _ in 0..3 {
        assert!(matches!(cause(resolver.lookup("servfail.example.test", RecordType::A)), Cause::Rcode(_)));
    }
    assert_eq!(server.seen().query_count, 1);
}
