//! What becomes of lookups when connections come, go, and go silent.

use std::thread;
use std::time::{Duration, Instant};

use privydns_core::{Cause, ErrorKind, Query, RecordType, Stage};
use privydns_tests::observe::ClientEnd;
use privydns_tests::{Alpn, ConnectionFault, End, MessageFault, QueryFault, Script, Server, Step};

use crate::backend::TestResolver;
use crate::bench::{Bench, at_once, cause};

const WWW: &str = "www.example.test";

fn many(range: std::ops::Range<usize>) -> Vec<Query> {
    range.map(|number| Query::new(&format!("{number}.many.example.test"), RecordType::A).unwrap()).collect()
}

/// A server whose every connection has this fault, and a resolver that tries once.
fn with(bench: &Bench, fault: ConnectionFault) -> (Server, Box<dyn TestResolver>) {
    let server = bench.setup().script(Script::new().on_connection(.., fault)).start();
    let resolver = bench.build(bench.config(&[&server]).attempts(1));
    (server, resolver)
}

/// With a timeout of 1 s, between 0.9 s and a margin that slow machines need.
pub(crate) fn silence_at_any_stage_ends_at_the_deadline(bench: &Bench) {
    let timeout = Duration::from_secs(1);
    let faults = [
        (Script::new().on_connection(.., ConnectionFault::Silence), Stage::Tls),
        (Script::new().on_connection(.., ConnectionFault::Deaf), Stage::Query),
        (Script::new().on_query(.., QueryFault::Silent), Stage::Query),
    ];
    at_once(faults, |(script, stage)| {
        let server = bench.setup().script(script).start();
        let resolver = bench.build(bench.config(&[&server]).timeout(timeout));
        let start = Instant::now();
        let error = resolver.lookup(WWW, RecordType::A).unwrap_err();
        let took = start.elapsed();
        assert!(error.is_timeout() && error.stage() == Some(stage), "{error}");
        assert!(took >= timeout * 9 / 10 && took < timeout * 3, "{took:?}");
    });
}

pub(crate) fn connections_that_never_come_up_say_why(bench: &Bench) {
    let (_server, resolver) = with(bench, ConnectionFault::Close(End::Fin));
    assert!(matches!(cause(resolver.lookup(WWW, RecordType::A)), Cause::Tls(_)));
    let (_server, resolver) = with(bench, ConnectionFault::Close(End::Reset));
    let found = cause(resolver.lookup(WWW, RecordType::A));
    // A reset can come while TCP is still being set up.
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
    assert!(matches!(&found, Cause::Connect(text) if text.contains("refused")), "{found}");
}

pub(crate) fn one_broken_connection_is_made_up_for(bench: &Bench) {
    for fault in [
        ConnectionFault::Close(End::Fin),
        ConnectionFault::Close(End::Reset),
        ConnectionFault::HandshakeAlert(80),
        ConnectionFault::Plaintext(b"whatever".to_vec()),
    ] {
        let (server, resolver) = bench.start(Script::new().on_connection(1, fault.clone()));
        let answer = resolver.lookup(WWW, RecordType::A).unwrap();
        assert_eq!((answer.addresses().count(), answer.attempts()), (1, 2), "{fault:?}");
        assert_eq!(server.seen().connections.len(), 2, "{fault:?}");
    }
}

pub(crate) fn a_slow_handshake_is_waited_for(bench: &Bench) {
    let fault = ConnectionFault::HandshakeDelay(Duration::from_millis(50));
    let (server, resolver) = bench.start(Script::new().on_connection(1, fault));
    assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().attempts(), 1);
    assert_eq!(server.seen().connections.len(), 1);
}

/// A kept connection that turns out closed costs no attempt.
pub(crate) fn stale_connections_are_no_failures(bench: &Bench) {
    for end in [End::CloseNotify, End::Fin, End::Reset] {
        let server = bench.setup().start();
        let resolver = bench.build(bench.config(&[&server]).attempts(1));
        resolver.lookup(WWW, RecordType::A).unwrap();
        server.drop_connections(end);
        assert_eq!(resolver.lookup(WWW, RecordType::AAAA).unwrap().attempts(), 1, "{end:?}");
        assert_eq!(server.seen().connections.len(), 2, "{end:?}");
    }
}

pub(crate) fn a_server_may_close_when_idle(bench: &Bench) {
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

/// A connection that dies with queries in flight: all are answered, and nothing is opened for each.
pub(crate) fn a_killed_connection_loses_nothing(bench: &Bench) {
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

pub(crate) fn a_restarted_server_is_found_again(bench: &Bench) {
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

/// Conformance 10: a timeout of 0 asks for no more queries on this connection.
pub(crate) fn keepalive_is_obeyed(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new().on_query(1, MessageFault::Keepalive(Duration::ZERO)));
    resolver.lookup(WWW, RecordType::A).unwrap();
    resolver.lookup(WWW, RecordType::AAAA).unwrap();
    let expected = if bench.is_http() { 1 } else { 2 };
    assert_eq!(server.seen().connections.len(), expected);
}

/// Conformance 10: shortly before the server would close it, the client does, with a goodbye.
pub(crate) fn an_idle_connection_is_closed_before_the_server_would(bench: &Bench) {
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
        // Another lookup on its way, since not every resolver is driven while none is.
        resolver.query_all(many(1..2)).remove(0).unwrap();
    });
    let ended = &server.seen().connections[0];
    assert_eq!((ended.ended_by_client, ended.ended_by_server), (Some(ClientEnd::CloseNotify), None));
}

/// Conformance 7: the late answers of abandoned lookups are taken for nobody else's.
pub(crate) fn abandoned_lookups_do_no_harm(bench: &Bench) {
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

/// Conformance 13: DoT does without where ALPN is refused, and HTTP, which needs it to tell its versions apart,
/// only where it is ignored.
pub(crate) fn application_protocols_are_not_insisted_on(bench: &Bench) {
    for alpn in [Alpn::Ignore, Alpn::Refuse] {
        let fault = ConnectionFault::Alpn(alpn.clone());
        let (server, resolver) = bench.start(Script::new().on_connection(.., fault));
        let result = resolver.lookup(WWW, RecordType::A);
        if bench.is_http() && alpn == Alpn::Refuse {
            assert_eq!(cause(result), Cause::NoApplicationProtocol);
            continue;
        }
        assert_eq!(result.unwrap().transport(), bench.spoken(), "{alpn:?}");
        let before = server.seen().connections.len();
        server.drop_connections(End::CloseNotify);
        resolver.lookup(WWW, RecordType::AAAA).unwrap();
        assert_eq!(server.seen().connections.len(), before + 1, "{alpn:?} is remembered");
    }
}

pub(crate) fn nonsense_inside_tls_is_no_answer(bench: &Bench) {
    let steps = vec![Step::AwaitOctets(10), Step::Write(vec![0xff; 20_000]), Step::Write(vec![0xff; 60_000])];
    let (_server, resolver) = with(bench, ConnectionFault::Raw(steps));
    let query = Query::new(WWW, RecordType::A).unwrap().with_timeout(Duration::from_millis(500));
    let error = resolver.query(query).unwrap_err();
    // Over HTTP the other version was tried, too, which this server does not even agree on.
    let is_expected = match error.kind() {
        ErrorKind::Upstream(Cause::Protocol(_) | Cause::NoApplicationProtocol) => bench.is_http(),
        _ => error.is_timeout() && !bench.is_http(),
    };
    assert!(is_expected, "{error}");
}
