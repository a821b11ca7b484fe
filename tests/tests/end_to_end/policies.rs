//! Policies that select upstreams and manage connections, as far as sockets are involved. The simulation in
//! `privydns-core` tests the numbers of these policies.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use privydns_core::{Answer, CacheSettings, ErrorKind, Hedge, Limit, Query, RecordType, Strategy, Upstream};
use privydns_tests::frame::Frame;
use privydns_tests::{End, Http2Settings, HttpFault, QueryFault, SERVER_NAME, Script, Server, Zone};

use crate::bench::{Bench, Carrier};

const WWW: &str = "www.example.test";

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

fn is_from(answer: &Answer, server: &Server) -> bool {
    answer.upstream().contains(&server.address().port().to_string())
}

/// A server that holds all answers.
fn holding(bench: &Bench) -> Server {
    bench.setup().script(Script::new().on_query(.., QueryFault::Hold)).start()
}

/// An upstream for a server of which only the name is known.
fn without_address(bench: &Bench, server: &Server) -> Upstream {
    let port = server.address().port();
    let text = match server.upstream().split_once("#ip=") {
        Some((url, _)) => url.to_owned(),
        None => format!("tls://{SERVER_NAME}:{port}"),
    };
    bench.upstream_of(server, &text)
}

/// Conformance 20.
pub(crate) fn upstream_name_is_resolved_by_another_upstream(bench: &Bench) {
    let named = bench.setup().start();
    let zone = Zone::example().address(SERVER_NAME, 300, Ipv4Addr::LOCALHOST.into());
    let other = bench.setup().zone(zone).start();
    let config = bench.config(&[]).upstream(without_address(bench, &named)).upstream(bench.upstream(&other));
    let answer = bench.build(config).lookup(WWW, RecordType::A).unwrap();
    assert!(is_from(&answer, &named) && answer.attempts() == 1, "{answer:?}");
    assert_eq!(named.seen().queries_for(WWW).count(), 1);
    let asked = other.seen();
    assert_eq!(asked.queries_for(SERVER_NAME).count(), 2, "A and AAAA");
    assert_eq!(asked.query_count, 2, "the looked-up name is not sent to the other upstream");
}

pub(crate) fn names_of_a_route_go_only_to_its_upstream(bench: &Bench) {
    let [general, own] = [(); 2].map(|()| bench.setup().start());
    let config = bench.config(&[&general]).route("many.example.test", [bench.upstream(&own)]);
    let resolver = bench.build(config);
    assert!(is_from(&resolver.lookup("1.many.example.test", RecordType::A).unwrap(), &own));
    assert!(is_from(&resolver.lookup(WWW, RecordType::A).unwrap(), &general));
    own.kill();
    resolver.lookup("2.many.example.test", RecordType::A).unwrap_err();
    assert_eq!(general.seen().query_count, 1);
}

pub(crate) fn slow_query_is_hedged_and_the_loser_cancelled(bench: &Bench) {
    let slow = holding(bench);
    let second = bench.setup().start();
    let config = bench.config(&[&slow, &second]).hedge(Hedge::after(Duration::from_millis(20)).share(1.0));
    let resolver = bench.build(config.attempt_timeout(Duration::from_secs(5)));
    let answer = resolver.lookup(WWW, RecordType::A).unwrap();
    assert!(is_from(&answer, &second) && answer.attempts() == 2, "{answer:?}");
    assert_eq!(resolver.stats().upstreams[1].hedges, 1);
    // The late answer is ignored.
    slow.release();
    assert!(is_from(&resolver.lookup("1.many.example.test", RecordType::A).unwrap(), &second));
    if bench.carrier == Carrier::Http2 {
        let is_cancel = |frame: &Frame| frame.kind == Frame::RST_STREAM;
        slow.wait_until(|seen| seen.connections[0].frames.iter().any(is_cancel));
    }
}

pub(crate) fn first_answer_wins_a_race(bench: &Bench) {
    let silent = holding(bench);
    let second = bench.setup().start();
    let config = bench.config(&[&silent, &second]).strategy(Strategy::race(2));
    let resolver = bench.build(config.attempt_timeout(Duration::from_secs(5)));
    for number in 0..3 {
        let answer = resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        assert!(is_from(&answer, &second));
    }
    assert_eq!(second.seen().query_count, 3);
}

pub(crate) fn spread_keeps_each_domain_on_one_upstream(bench: &Bench) {
    let servers = [(); 3].map(|()| bench.setup().zone(Zone::example().apex("test.")).start());
    let [first, second, third] = &servers;
    let resolver = bench.build(bench.config(&[first, second, third]).strategy(Strategy::Spread));
    for domain in 0..12 {
        let ask = |host: &str| {
            let query = Query::new(&format!("{host}.domain{domain}.test"), RecordType::A).unwrap();
            resolver.query(query).unwrap().upstream().to_owned()
        };
        assert_eq!(ask("www"), ask("mail"), "{domain}");
    }
    let counts = servers.each_ref().map(|server| server.seen().query_count);
    assert_eq!(counts.iter().sum::<u64>(), 24);
    // The probability that one of three upstreams gets all of twelve domains is 1 in 180,000.
    assert!(counts.iter().all(|count| *count < 24), "{counts:?}");
}

pub(crate) fn fastest_upstream_gets_most_queries(bench: &Bench) {
    let delay = QueryFault::Delay(Duration::from_millis(100));
    let slow = bench.setup().script(Script::new().on_query(.., delay)).start();
    let fast = bench.setup().start();
    let resolver = bench.build(bench.config(&[&slow, &fast]).strategy(Strategy::Fastest));
    for number in 0..20 {
        resolver.lookup(&format!("{number}.many.example.test"), RecordType::A).unwrap();
    }
    let asked = [slow.seen().query_count, fast.seen().query_count];
    assert!(asked[1] > 2 * asked[0], "{asked:?}");
    let stats = resolver.stats();
    assert!(stats.upstreams[0].smoothed_rtt > stats.upstreams[1].smoothed_rtt);
}

pub(crate) fn warm_up_opens_the_connection_of_the_first_lookup(bench: &Bench) {
    let [first, second] = [(); 2].map(|()| bench.setup().start());
    let resolver = bench.resolver(&[&first, &second]);
    resolver.warm_up();
    assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().attempts(), 1);
    assert_eq!(first.seen().connections.len(), 1);
    assert!(second.seen().connections.is_empty());
}

/// Conformance 21: an observer of the new network must not be able to link the two networks.
pub(crate) fn network_change_drops_connections_and_tickets_but_no_lookup(bench: &Bench) {
    let server = bench.setup().start();
    let resolver = bench.build(bench.config(&[&server]).attempts(1));
    resolver.lookup(WWW, RecordType::A).unwrap();
    server.set_script(Script::new().on_query(1, QueryFault::Hold));
    thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_until(|seen| seen.query_count == 2);
            resolver.network_changed();
        });
        let [result] = &resolver.query_all(vec![Query::new(WWW, RecordType::AAAA).unwrap()])[..] else {
            panic!("one query has one result")
        };
        assert_eq!(result.as_ref().unwrap().attempts(), 1);
    });
    let seen = server.seen();
    assert_eq!((seen.handshakes(), seen.resumed(), seen.query_count), (2, 0, 3));
    // The resolver has tickets again, received on the new network.
    server.drop_connections(End::CloseNotify);
    resolver.lookup("1.many.example.test", RecordType::A).unwrap();
    assert_eq!(server.seen().resumed(), 1);
}

/// RFC 9113 Section 6.7. The other protocols have no ping.
pub(crate) fn idle_connections_are_kept_open_by_pings(bench: &Bench) {
    let server = bench.setup().start();
    let resolver = bench.build(bench.config(&[&server]).ping_interval(Duration::from_millis(20)));
    resolver.lookup(WWW, RecordType::A).unwrap();
    if !bench.is_http() || bench.is_serial() {
        return;
    }
    let pings = |frames: &[Frame]| frames.iter().filter(|frame| frame.kind == Frame::PING).count();
    // A lookup is in flight, because some resolvers are driven only during lookups.
    server.set_script(Script::new().on_query(1, QueryFault::Delay(Duration::from_millis(200))));
    resolver.lookup(WWW, RecordType::AAAA).unwrap();
    let seen = server.wait_until(|seen| pings(&seen.connections[0].frames) >= 2);
    assert_eq!((seen.connections.len(), seen.open()), (1, 1));
}

pub(crate) fn lookups_over_the_limit_are_rejected_at_once(bench: &Bench) {
    let server = holding(bench);
    let resolver = bench.build(bench.config(&[&server]).max_lookups(2));
    let query = |number| Query::new(&format!("{number}.many.example.test"), RecordType::A).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_until(|seen| seen.query_count == 2);
            let error = resolver.query(query(3)).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Overloaded(Limit::Lookups)), "{error}");
            server.set_script(Script::new());
            server.release();
        });
        let results = resolver.query_all(vec![query(1), query(2)]);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    });
    resolver.query(query(3)).unwrap();
}

/// One connection in all, not one for each query that waits.
pub(crate) fn full_connection_opens_exactly_one_more(bench: &Bench) {
    // The number of queries that the server has received when one connection is full, and the number of all
    // queries.
    let (at_once, all) = match bench.carrier {
        Carrier::Dot => (1001, 1004),
        Carrier::Http2 => (6, 10),
        Carrier::Http1 => (2, 5),
    };
    let settings = Http2Settings { max_concurrent_streams: Some(3), ..Http2Settings::default() };
    let server = bench.setup().http2_settings(settings).start();
    let resolver = bench.build(bench.config(&[&server]).max_http1_connections(2).attempt_timeout(NEVER));
    // The client learns the server's limits with this answer.
    resolver.lookup(WWW, RecordType::A).unwrap();
    server.set_script(Script::new().on_query(.., QueryFault::Hold));
    thread::scope(|scope| {
        scope.spawn(|| {
            let seen = server.wait_until(|seen| seen.query_count > at_once);
            assert_eq!(seen.connections.len(), 2);
            server.set_script(Script::new());
            server.release();
        });
        let query = |number| Query::new(&format!("{number}.many.example.test"), RecordType::A).unwrap();
        let results = resolver.query_all((0..all).map(query).collect());
        assert!(results.iter().all(Result::is_ok));
    });
    assert_eq!(server.seen().connections.len(), 2);
}

/// RFC 8767. The test waits for the shortest TTL, one second.
pub(crate) fn stale_answer_is_served_if_the_server_is_down(bench: &Bench) {
    let server = bench.setup().start();
    let cache = CacheSettings::default().serve_stale(CacheSettings::MAX_STALE);
    let resolver = bench.build(bench.config(&[&server]).attempts(1).cache(cache));
    let ask = || resolver.lookup("ttl1.example.test", RecordType::A).unwrap();
    assert!(!ask().is_cached());
    server.kill();
    let stale = loop {
        let answer = ask();
        assert!(answer.is_cached());
        if answer.is_stale() {
            break answer;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!((stale.ttl(), resolver.stats().cache.stale), (Some(30), 1));
    server.restart();
    assert!(ask().is_stale(), "the server is not queried for a while after a failure");
    assert_eq!(server.seen().query_count, 1);
}

/// Over HTTP, an answer can be old when it arrives (RFC 8484 Section 5.1).
pub(crate) fn answer_near_expiry_is_prefetched(bench: &Bench) {
    if !bench.is_http() {
        return;
    }
    let name = "ttl86400.example.test";
    let server = bench.setup().script(Script::new().on_query(1, HttpFault::age(80_000))).start();
    let resolver = bench.build(bench.config(&[&server]).cache(CacheSettings::default().prefetch(true)));
    resolver.lookup(name, RecordType::A).unwrap();
    assert!(resolver.lookup(name, RecordType::A).unwrap().is_cached());
    // Some resolvers are driven only during lookups.
    resolver.lookup(WWW, RecordType::A).unwrap();
    server.wait_until(|seen| seen.queries_for(name).count() == 2);
    assert_eq!(resolver.stats().cache.prefetches, 1);
}
