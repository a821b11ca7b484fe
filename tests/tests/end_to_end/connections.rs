//! Lookups whose connections fail, close, or stop responding.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use privydns_core::{Cause, ErrorKind, Query, RecordType, Stage};
use privydns_tests::observe::ClientEnd;
use privydns_tests::{Alpn, ConnectionFault, End, MessageFault, QueryFault, Script, Server, Step};

use crate::backend::TestResolver;
use crate::bench::{Bench, cause, in_parallel};

const WWW: &str = "www.example.test";

fn many(range: std::ops::Range<usize>) -> Vec<Query> {
    range.map(|number| Query::new(&format!("{number}.many.example.test"), RecordType::A).unwrap()).collect()
}

/// A server whose connections all have this fault, and a resolver that makes one attempt.
fn with(bench: &Bench, fault: ConnectionFault) -> (Server, Box<dyn TestResolver>) {
    let server = bench.setup().script(Script::new().on_connection(.., fault)).start();
    let resolver = bench.build(bench.config(&[&server]).attempts(1));
    (server, resolver)
}

/// The timeout is 1 s. The lookup must end after 0.9 s at the earliest; the upper limit allows for slow
/// machines.
pub(crate) fn silence_at_each_stage_ends_at_the_deadline(bench: &Bench) {
    let timeout = Duration::from_secs(1);
    let faults = [
        (Script::new().on_connection(.., ConnectionFault::Silence), Stage::Tls),
        (Script::new().on_connection(.., ConnectionFault::Deaf), Stage::Query),
        (Script::new().on_query(.., QueryFault::Silent), Stage::Query),
    ];
    in_parallel(faults, |(script, stage)| {
        let server = bench.setup().script(script).start();
        let resolver = bench.build(bench.config(&[&server]).timeout(timeout));
        let start = Instant::now();
        let error = resolver.lookup(WWW, RecordType::A).unwrap_err();
        let took = start.elapsed();
        assert!(error.is_timeout() && error.stage() == Some(stage), "{error}");
        assert!(took >= timeout * 9 / 10 && took < timeout * 3, "{took:?}");
    });
}

pub(crate) fn failed_connection_reports_its_cause(bench: &Bench) {
    let (_server, resolver) = with(bench, ConnectionFault::Close(End::Fin));
    assert!(matches!(cause(resolver.lookup(WWW, RecordType::A)), Cause::Tls(_)));
    let (_server, resolver) = with(bench, ConnectionFault::Close(End::Reset));
    let found = cause(resolver.lookup(WWW, RecordType::A));
    // The reset can arrive before TCP is connected.
    assert!(matches!(found, Cause::Tls(_) | Cause::Connect(_)), "{found}");
    for fault in [
        ConnectionFault::Plaintext(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ConnectionFault::HandshakeAlert(40),
        ConnectionFault::HandshakeAlert(70),
    ] {
        let (_server, resolver) = with(bench, fault.clone());
        let found = cause(resolver.lookup(WWW, RecordType::A));
        assert!(matches!(found, Cause::Tls(_)), "{fault:?}: {found}");
    }
    let server = bench.setup().start();
    server.kill();
    let resolver = bench.resolver(&[&server]);
    let found = cause(resolver.lookup(WWW, RecordType::A));
    assert!(
        matches!(&found, Cause::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused),
        "{found}"
    );
}

pub(crate) fn failed_first_connection_is_retried(bench: &Bench) {
    for fault in [
        ConnectionFault::Close(End::Fin),
        ConnectionFault::Close(End::Reset),
        ConnectionFault::HandshakeAlert(80),
        ConnectionFault::Plaintext(b"plaintext".to_vec()),
    ] {
        let (server, resolver) = bench.start(Script::new().on_connection(1, fault.clone()));
        let answer = resolver.lookup(WWW, RecordType::A).unwrap();
        assert_eq!((answer.addresses().count(), answer.attempts()), (1, 2), "{fault:?}");
        assert_eq!(server.seen().connections.len(), 2, "{fault:?}");
    }
}

pub(crate) fn slow_handshake_costs_no_attempt(bench: &Bench) {
    let fault = ConnectionFault::HandshakeDelay(Duration::from_millis(50));
    let (server, resolver) = bench.start(Script::new().on_connection(1, fault));
    assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().attempts(), 1);
    assert_eq!(server.seen().connections.len(), 1);
}

/// If the server has closed an idle connection, the retry costs no attempt.
pub(crate) fn stale_connection_costs_no_attempt(bench: &Bench) {
    for end in [End::CloseNotify, End::Fin, End::Reset] {
        let server = bench.setup().start();
        let resolver = bench.build(bench.config(&[&server]).attempts(1));
        resolver.lookup(WWW, RecordType::A).unwrap();
        server.drop_connections(end);
        assert_eq!(resolver.lookup(WWW, RecordType::AAAA).unwrap().attempts(), 1, "{end:?}");
        assert_eq!(server.seen().connections.len(), 2, "{end:?}");
    }
}

pub(crate) fn server_may_close_an_idle_connection(bench: &Bench) {
    let idle = Duration::from_millis(20);
    for fault in [
        ConnectionFault::EndWhenIdle(idle, End::CloseNotify),
        ConnectionFault::EndWhenIdle(idle, End::Fin),
        ConnectionFault::FarewellWhenIdle(idle),
    ] {
        let server = bench.setup().script(Script::new().on_connection(1, fault.clone())).start();
        let resolver = bench.build(bench.config(&[&server]).attempts(1));
        resolver.lookup(WWW, RecordType::A).unwrap();
        server.wait_until(|seen| seen.connections[0].ended_by_server.is_some());
        assert_eq!(resolver.lookup(WWW, RecordType::AAAA).unwrap().attempts(), 1, "{fault:?}");
        assert_eq!(server.seen().connections.len(), 2, "{fault:?}");
    }
}

/// A connection is lost with queries in flight. All are answered, without a connection for each query.
pub(crate) fn killed_connection_loses_no_query(bench: &Bench) {
    let in_flight = if bench.is_serial() { 6 } else { 50 };
    for end in [End::CloseNotify, End::Reset] {
        let (server, resolver) = bench.start(Script::new());
        resolver.query_all(many(1000..1000 + in_flight));
        let before = server.seen().connections.len();
        server.set_script(Script::new().on_query(1..=in_flight as u64, QueryFault::Hold));
        thread::scope(|scope| {
            scope.spawn(|| {
                server.wait_until(|seen| seen.query_count == 2 * in_flight as u64);
                server.drop_connections(end);
            });
            for result in resolver.query_all(many(0..in_flight)) {
                assert_eq!(result.unwrap().addresses().count(), 1, "{end:?}");
            }
        });
        let opened = server.seen().connections.len() - before;
        assert!(opened <= if bench.is_serial() { 6 } else { 2 }, "{end:?}: {opened}");
    }
}

pub(crate) fn restarted_server_is_used_again(bench: &Bench) {
    let server = bench.setup().start();
    let resolver = bench.resolver(&[&server]);
    resolver.lookup(WWW, RecordType::A).unwrap();
    server.kill();
    let error = resolver.lookup(WWW, RecordType::AAAA).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Upstream(_)), "{error}");
    assert!(!error.attempts().is_empty());
    server.restart();
    resolver.lookup(WWW, RecordType::AAAA).unwrap();
}

/// Conformance 21.
pub(crate) fn sessions_are_resumed_and_counted(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    for number in 0..3 {
        resolver.query_all(many(number..number + 1)).remove(0).unwrap();
        server.drop_connections(End::CloseNotify);
    }
    let seen = server.seen();
    assert_eq!((seen.handshakes(), seen.resumed()), (3, 2));
    let stats = resolver.stats();
    assert_eq!((stats.upstreams[0].connections_opened, stats.upstreams[0].connections_resumed), (3, 2));
}

/// Conformance 10: after a timeout of 0, the connection gets no more queries.
pub(crate) fn keepalive_timeout_of_zero_closes_the_connection(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new().on_query(1, MessageFault::Keepalive(Duration::ZERO)));
    resolver.lookup(WWW, RecordType::A).unwrap();
    resolver.lookup(WWW, RecordType::AAAA).unwrap();
    let expected = if bench.is_http() { 1 } else { 2 };
    assert_eq!(server.seen().connections.len(), expected);
}

/// Conformance 10: the client closes the connection with `close_notify` shortly before the server's timeout.
pub(crate) fn idle_connection_is_closed_before_the_server_closes_it(bench: &Bench) {
    if bench.is_http() {
        return;
    }
    let server = bench.setup().keepalive(Duration::from_millis(200)).start();
    let other = bench.setup().script(Script::new().on_query(.., QueryFault::Hold)).start();
    let resolver = bench.build(bench.config(&[&server]).route("many.example.test", [bench.upstream(&other)]));
    resolver.lookup(WWW, RecordType::A).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_until(|seen| seen.open() == 0);
            other.set_script(Script::new());
            other.release();
        });
        // Another lookup is in flight, because some resolvers are driven only during lookups.
        resolver.query_all(many(1..2)).remove(0).unwrap();
    });
    let ended = &server.seen().connections[0];
    assert_eq!((ended.ended_by_client, ended.ended_by_server), (Some(ClientEnd::CloseNotify), None));
}

/// Conformance 7: no other lookup gets the late answer of an abandoned lookup.
pub(crate) fn late_answers_of_abandoned_lookups_are_ignored(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    resolver.lookup(WWW, RecordType::A).unwrap();
    server.set_script(Script::new().on_query(1..=5, QueryFault::Hold));
    let in_flight = if bench.is_serial() { 5 } else { 10 };
    resolver.abandon(many(0..in_flight), &|| {
        server.wait_until(|seen| seen.query_count == 1 + in_flight as u64);
    });
    server.release();
    for (number, result) in resolver.query_all(many(100..110)).into_iter().enumerate() {
        let expected = privydns_tests::zone::many_address(&format!("{}.many.example.test", 100 + number));
        assert_eq!(result.unwrap().addresses().collect::<Vec<_>>(), [expected]);
    }
    if !bench.is_serial() {
        assert_eq!(server.seen().connections.len(), 1);
    }
}

/// Conformance 13: DoT works without ALPN, even if the server refuses the offer. HTTP needs ALPN to select the
/// version, and works only if the server ignores the offer.
pub(crate) fn connection_without_alpn_is_accepted(bench: &Bench) {
    for alpn in [Alpn::Ignore, Alpn::Refuse] {
        let fault = ConnectionFault::Alpn(alpn.clone());
        let (server, resolver) = bench.start(Script::new().on_connection(.., fault));
        let result = resolver.lookup(WWW, RecordType::A);
        if bench.is_http() && alpn == Alpn::Refuse {
            assert_eq!(cause(result), Cause::NoApplicationProtocol);
            continue;
        }
        assert_eq!(result.unwrap().transport(), bench.transport(), "{alpn:?}");
        let before = server.seen().connections.len();
        server.drop_connections(End::CloseNotify);
        resolver.lookup(WWW, RecordType::AAAA).unwrap();
        assert_eq!(server.seen().connections.len(), before + 1, "{alpn:?}: the result of ALPN is remembered");
    }
}

pub(crate) fn garbage_inside_tls_is_not_an_answer(bench: &Bench) {
    let steps = vec![Step::AwaitBytes(10), Step::Write(vec![0xff; 20_000]), Step::Write(vec![0xff; 60_000])];
    let (_server, resolver) = with(bench, ConnectionFault::Raw(steps));
    let query = Query::new(WWW, RecordType::A).unwrap().with_timeout(Duration::from_millis(500));
    let error = resolver.query(query).unwrap_err();
    // Over HTTP, the resolver has also tried the other version, which this server does not negotiate.
    let is_expected = match error.kind() {
        ErrorKind::Upstream(Cause::Protocol(_) | Cause::NoApplicationProtocol) => bench.is_http(),
        _ => error.is_timeout() && !bench.is_http(),
    };
    assert!(is_expected, "{error}");
}
