//! Thirteen quirks of real servers that a client must handle. Each check runs against the server that has the
//! quirk, or against a loopback server if the real one shows it only occasionally.
//!
//! | | quirk | server in the lab | test without the lab, at loopback servers |
//! |---|---|---|---|
//! | 1 | several queries in one TLS record stall | NSD | `each_dot_query_has_its_own_tls_record` |
//! | 2 | Nagle's algorithm delays the first answer | Unbound, NSD | (depends on the server's kernel) |
//! | 3 | requests whose HEADERS are sent long before their DATA hang | BIND | `request_is_one_transmit_with_minimal_fields` |
//! | 4 | five equal GETs in one write hang | Knot Resolver | `equal_lookups_share_one_query` |
//! | 5 | dropping a query closes the connection | Unbound | `all_queries_of_a_lost_connection_are_retried` |
//! | 6 | ALPN differs from the protocol that the server speaks | Unbound, BIND, dnsdist | `connection_without_alpn_is_accepted` |
//! | 7 | bodies exceed 65,535 bytes | dnss, BIND | `http_failure_is_the_reported_cause` |
//! | 8 | HTTP responses are unusual but valid: 100 twice, no reason phrase, 408 while idle, 424 | HAProxy, loopback | `harmless_http_variations_are_accepted` |
//! | 9 | client certificates are refused in six ways | the column M of the table | `refused_client_certificate_is_the_reported_cause` |
//! | 10 | early data, which can be replayed, is accepted | HAProxy, nginx | (early data is off in rustls by default) |
//! | 11 | the server waits for a silent backend | dnsdist, Knot Resolver | `unanswered_lookup_ends_at_its_deadline` |
//! | 12 | TTLs and response codes are rewritten | Knot Resolver, Unbound | `excessive_ttl_is_capped` |
//! | 13 | concurrent DoH requests hang | all with DoH | `reordered_and_coalesced_answers_match_their_queries` |

use std::thread;
use std::time::{Duration, Instant};

use privydns_core::{
    CacheUse, Cause, Config, Error, ErrorKind, HttpMethod, HttpProblem, HttpVersion, Outcome, Query,
    RecordType, Roots, Transport,
};
use privydns_tests::{Alpn, ConnectionFault, Http1Fault, HttpFault, QueryFault, Script, Server, Setup};

use crate::BACKENDS;
use crate::backend::{Backend, TestResolver};
use crate::bench::{Bench, TIMEOUT, ask_many, cause, stats};
use crate::instance::{Instance, Lab, Run};
use crate::line::Line;
use crate::raw::{self, Raw};
use crate::servers::{SERVERS, ServerKind};
use crate::zone;

/// Runs a check and returns a short text for the report. A failed check panics.
pub(crate) type QuirkCheck = fn(&Lab) -> String;

pub(crate) const QUIRKS: [(&str, QuirkCheck); 13] = [
    ("quirk_01_several_queries_in_one_record_stall", quirk_01_several_queries_in_one_record_stall),
    ("quirk_02_nagle_delays_the_first_answer", quirk_02_nagle_delays_the_first_answer),
    ("quirk_03_headers_sent_before_their_data_hang", quirk_03_headers_sent_before_their_data_hang),
    ("quirk_04_equal_gets_in_one_write_hang", quirk_04_equal_gets_in_one_write_hang),
    ("quirk_05_dropped_query_closes_the_connection", quirk_05_dropped_query_closes_the_connection),
    ("quirk_06_alpn_differs_from_the_protocol_spoken", quirk_06_alpn_differs_from_the_protocol_spoken),
    ("quirk_07_bodies_exceed_65535_bytes", quirk_07_bodies_exceed_65535_bytes),
    ("quirk_08_http_responses_are_unusual_but_valid", quirk_08_http_responses_are_unusual_but_valid),
    (
        "quirk_09_client_certificates_are_refused_in_six_ways",
        quirk_09_client_certificates_are_refused_in_six_ways,
    ),
    ("quirk_10_replayable_early_data_is_accepted", quirk_10_replayable_early_data_is_accepted),
    ("quirk_11_server_waits_for_a_silent_backend", quirk_11_server_waits_for_a_silent_backend),
    ("quirk_12_ttls_and_response_codes_are_rewritten", quirk_12_ttls_and_response_codes_are_rewritten),
    ("quirk_13_concurrent_doh_requests_hang", quirk_13_concurrent_doh_requests_hang),
];

/// NSD reads one message from each TLS record. The next message of the record is read only when another record
/// arrives.
fn quirk_01_several_queries_in_one_record_stall(lab: &Lab) -> String {
    let server = start(lab, "nsd");
    let line = line(&server, Transport::Tls);
    let mut raw = Raw::connect(lab, &server, line.endpoint, &[]).unwrap();
    let two = [raw::query(1, "www.example.test"), raw::query(2, "ns.example.test")].concat();
    raw.write(&two).unwrap();
    let answered = raw.read_messages();
    on_each(lab, &server, line, |resolver| {
        ask_many(resolver, 0..50);
        assert_eq!((stats(resolver).queries, stats(resolver).connections_opened), (50, 1));
    });
    format!("{answered} of 2 queries in one record were answered, and 50 of 50 in a record each")
}

/// A server with Nagle's algorithm holds its answer back until its TLS tickets have been acknowledged. The
/// client's kernel delays this acknowledgement by 40 ms.
fn quirk_02_nagle_delays_the_first_answer(lab: &Lab) -> String {
    let mut seen = Vec::new();
    for name in ["unbound", "nsd"] {
        let server = start(lab, name);
        let line = line(&server, Transport::Tls);
        let race = |is_quick| Raw::connect(lab, &server, line.endpoint, &[])?.race(20, is_quick);
        for (is_quick, words) in [(false, "without TCP_QUICKACK"), (true, "with it")] {
            let (first, rate) = race(is_quick).unwrap();
            seen.push(format!("{name} {words}: first {} ms, {rate:.0}/s", first.as_millis()));
        }
        for backend in BACKENDS {
            let resolver = Bench { lab, instance: &server, line, backend: *backend }.resolver();
            let first = resolver.lookup(&zone::numbered(0), RecordType::A).unwrap().elapsed();
            let (batches, start) = (20, Instant::now());
            for batch in 0..batches {
                resolver.clear_cache();
                ask_many(&*resolver, batch * 10..batch * 10 + 50);
            }
            let rate = f64::from(batches * 50) / start.elapsed().as_secs_f64();
            seen.push(format!("{}: first {} ms, {rate:.0}/s", backend.0, first.as_millis()));
        }
    }
    seen.join("; ")
}

/// BIND never answers fifteen POST requests whose HEADERS frames precede all DATA frames, and closes the
/// connection after a burst of 64.
fn quirk_03_headers_sent_before_their_data_hang(lab: &Lab) -> String {
    let server = start(lab, "bind");
    on_each(lab, &server, line(&server, Transport::Http2), |resolver| {
        ask_many(resolver, 0..1);
        ask_many(resolver, 1..81);
        let stats = stats(resolver);
        assert_eq!((stats.queries, stats.failures, stats.connections_opened), (81, 0, 1));
    });
    "80 concurrent POST requests were answered on one connection".to_owned()
}

/// Knot Resolver sends GOAWAY after five or more equal GET requests in one write, leaves the socket open and
/// answers no request.
fn quirk_04_equal_gets_in_one_write_hang(lab: &Lab) -> String {
    let server = start(lab, "kresd");
    let mut line = line(&server, Transport::Http2);
    line.http = Some((HttpVersion::Http2, HttpMethod::Get));
    on_each(lab, &server, line, |resolver| {
        let query = Query::new("www.example.test", RecordType::A).unwrap().with_cache_use(CacheUse::Bypass);
        for result in resolver.query_all(vec![query; 50]) {
            assert_eq!(result.unwrap().addresses().count(), 1);
        }
        assert!(stats(resolver).queries < 5, "{:?}", stats(resolver));
        ask_many(resolver, 0..50);
        assert_eq!(stats(resolver).failures, 0);
    });
    "50 equal lookups shared one GET request; 50 different lookups were answered".to_owned()
}

/// Unbound closes the connection when it drops a query. The other queries of the connection are lost.
fn quirk_05_dropped_query_closes_the_connection(lab: &Lab) -> String {
    let server = start(lab, "unbound");
    for line in Line::all(&server).into_iter().filter(Line::is_main) {
        on_each(lab, &server, line, |resolver| {
            resolver.lookup("www.example.test", RecordType::A).unwrap();
            let query = |name: &str| Query::new(name, RecordType::A).unwrap();
            let mut queries: Vec<_> = (0..20).map(|number| query(&zone::numbered(number))).collect();
            queries.insert(10, query("a.dropped.test").with_timeout(Duration::from_secs(2)));
            let mut results = resolver.query_all(queries);
            let dropped = results.remove(10).unwrap_err();
            let is_told = matches!(dropped.kind(), ErrorKind::Deadline | ErrorKind::Upstream(Cause::Closed));
            assert!(is_told || dropped.is_timeout(), "{dropped}");
            for result in results {
                assert_eq!(result.unwrap().addresses().count(), 1);
            }
        });
    }
    "20 lookups on the connection of a dropped query were answered".to_owned()
}

/// Unbound selects `http/1.1` and speaks HTTP/2. dnsdist selects no protocol and speaks HTTP/1.1. BIND selects
/// no protocol and speaks HTTP/2. Other servers abort the handshake when the client offers `dot`.
fn quirk_06_alpn_differs_from_the_protocol_spoken(lab: &Lab) -> String {
    let mut seen = Vec::new();
    for (name, speaks_http1) in [("unbound", false), ("bind", false), ("dnsdist", true)] {
        let server = start(lab, name);
        let mut line = line(&server, Transport::Http2);
        let picked = Raw::connect(lab, &server, line.endpoint, &["http/1.1", "h2"]).unwrap().alpn();
        let alone = Raw::connect(lab, &server, line.endpoint, &["http/1.1"])
            .map_or("an alert".into(), |raw| raw.alpn());
        line.http = Some((HttpVersion::Negotiated, HttpMethod::Post));
        on_each(lab, &server, line, |resolver| {
            assert_eq!(
                resolver.lookup("www.example.test", RecordType::A).unwrap().transport(),
                Transport::Http2
            );
        });
        line.http = Some((HttpVersion::Http1, HttpMethod::Post));
        on_each(lab, &server, line, |resolver| {
            let start = Instant::now();
            let result = resolver.lookup("www.example.test", RecordType::A);
            assert_eq!(result.is_ok(), speaks_http1, "{result:?}");
            assert!(start.elapsed() < TIMEOUT / 2, "{:?}", start.elapsed());
        });
        seen.push(format!("{name} selects {picked} of http/1.1 and h2, and {alone} of http/1.1"));
    }
    let script = Script::new().on_connection(.., ConnectionFault::Alpn(Alpn::Refuse));
    on_loopback(Server::dot().script(script), |resolver| {
        resolver.lookup("www.example.test", RecordType::A).unwrap();
    });
    seen.push("a server that refuses `dot` is used without ALPN".to_owned());
    seen.join("; ")
}

/// dnss does not compress names, so that a message of legal size exceeds the limit.
fn quirk_07_bodies_exceed_65535_bytes(lab: &Lab) -> String {
    let server = start(lab, "dnss");
    for line in Line::all(&server) {
        on_each(lab, &server, line, |resolver| {
            let error = cause(resolver.lookup("fat.example.test", RecordType::A));
            assert_eq!(error, Cause::Http(HttpProblem::BodyTooLong));
            resolver.lookup("www.example.test", RecordType::A).unwrap();
        });
    }
    let server = start(lab, "bind");
    on_each(lab, &server, line(&server, Transport::Http2), |resolver| {
        let count = resolver.lookup("fat.example.test", RecordType::A).unwrap().addresses().count();
        assert_eq!(count, zone::FAT as usize);
    });
    format!("the body of dnss was rejected as too long; BIND compresses the same {} records", zone::FAT)
}

/// HAProxy sends 408 on an idle connection. Caddy sends 100 twice. Some servers omit the reason phrase. Status
/// 424 is reported like any other error status.
fn quirk_08_http_responses_are_unusual_but_valid(lab: &Lab) -> String {
    let server = start(lab, "haproxy");
    let resolvers = BACKENDS.iter().map(|backend| {
        let resolver =
            Bench { lab, instance: &server, line: line(&server, Transport::Http1), backend: *backend }
                .resolver();
        resolver.lookup("www.example.test", RecordType::A).unwrap();
        resolver
    });
    let resolvers: Vec<_> = resolvers.collect();
    thread::sleep(Duration::from_secs(5));
    for resolver in &resolvers {
        let answer = resolver.lookup("ns.example.test", RecordType::A).unwrap();
        assert_eq!((answer.attempts(), stats(&**resolver).failures), (1, 0));
    }
    let harmless: [QueryFault; 2] = [HttpFault::Interim(100).into(), Http1Fault::EmptyReason.into()];
    for fault in harmless {
        let script = Script::new().on_query(.., fault.clone()).on_query(.., fault);
        on_loopback(Server::http1().script(script), |resolver| {
            resolver.lookup("www.example.test", RecordType::A).unwrap();
        });
    }
    on_loopback(Server::http1().script(Script::new().on_query(.., HttpFault::page(424))), |resolver| {
        let error = cause(resolver.lookup("www.example.test", RecordType::A));
        assert!(matches!(error, Cause::Http(HttpProblem::Status { code: 424, .. })), "{error}");
    });
    "408 while idle, 100 twice and an empty reason phrase were accepted; 424 was reported".to_owned()
}

/// Servers refuse client certificates in different ways: see [`ServerKind::refusal`].
fn quirk_09_client_certificates_are_refused_in_six_ways(_: &Lab) -> String {
    let endpoints =
        || SERVERS.iter().flat_map(|kind| kind.endpoints.iter().map(move |endpoint| (kind, endpoint)));
    let mut causes: Vec<_> = endpoints()
        .filter(|(_, endpoint)| endpoint.is_mutual)
        .flat_map(|(kind, endpoint)| kind.refusal(endpoint))
        .collect();
    causes.sort_unstable();
    causes.dedup();
    format!("see column M of the table: {}", causes.join(", "))
}

/// HAProxy and nginx accept early data, even if it is replayed. In the lab, they are configured to reject
/// requests in early data.
fn quirk_10_replayable_early_data_is_accepted(lab: &Lab) -> String {
    for name in ["haproxy", "nginx"] {
        let server = start(lab, name);
        let line = line(&server, Transport::Http2);
        let resolvers: Vec<_> = BACKENDS
            .iter()
            .map(|backend| {
                let resolver = Bench { lab, instance: &server, line, backend: *backend }.resolver();
                resolver.lookup("www.example.test", RecordType::A).unwrap();
                resolver
            })
            .collect();
        thread::sleep(Duration::from_secs(5));
        for resolver in &resolvers {
            resolver.lookup("ns.example.test", RecordType::A).unwrap();
            let stats = stats(&**resolver);
            assert_eq!((stats.connections_resumed, stats.failures), (1, 0), "{name}: {stats:?}");
        }
    }
    "sessions were resumed without early data".to_owned()
}

/// dnsdist waits up to 30 s for its backend and Knot Resolver up to 8 s, which is longer than a caller's
/// timeout. dnsdist answers in order, so that later queries on the connection wait, too.
fn quirk_11_server_waits_for_a_silent_backend(lab: &Lab) -> String {
    const DEADLINE: Duration = Duration::from_millis(1500);
    for (name, is_in_order) in [("dnsdist", true), ("kresd", false)] {
        let server = start(lab, name);
        for line in Line::all(&server).into_iter().filter(Line::is_main) {
            on_each(lab, &server, line, |resolver| {
                resolver.lookup("www.example.test", RecordType::A).unwrap();
                let query = |name: &str| Query::new(name, RecordType::A).unwrap();
                let mut queries = vec![query("a.silent.test").with_timeout(DEADLINE)];
                if !is_in_order {
                    queries.extend([query("ns.example.test"), query("v4only.example.test")]);
                }
                let start = Instant::now();
                let mut results = resolver.query_all(queries);
                let error = results.remove(0).unwrap_err();
                assert!(error.is_timeout(), "{error}");
                assert!(
                    start.elapsed() >= DEADLINE && start.elapsed() < DEADLINE * 2,
                    "{:?}",
                    start.elapsed()
                );
                results.push(resolver.lookup("ns2.example.test", RecordType::A));
                for result in results {
                    let answer = result.unwrap();
                    assert!(answer.elapsed() < DEADLINE, "{answer:?}");
                }
            });
        }
    }
    "the lookup ended at its deadline; other lookups were answered".to_owned()
}

/// Knot Resolver raises TTLs to 5 s. Unbound answers NOERROR for an alias whose target does not exist.
fn quirk_12_ttls_and_response_codes_are_rewritten(lab: &Lab) -> String {
    let (kresd, unbound) = (start(lab, "kresd"), start(lab, "unbound"));
    let mut ttl = None;
    on_each(lab, &kresd, line(&kresd, Transport::Tls), |resolver| {
        let query = Query::new("ttl1.example.test", RecordType::A).unwrap();
        let answer = resolver.query(query).unwrap();
        ttl = ttl.max(answer.ttl());
    });
    assert_eq!(ttl, Some(5));
    on_each(lab, &unbound, line(&unbound, Transport::Tls), |resolver| {
        let dangling = resolver.lookup("dangling.example.test", RecordType::A).unwrap();
        assert_eq!((dangling.outcome(), dangling.records().count()), (Outcome::NoData, 1));
    });
    "Knot Resolver sends TTL 1 as 5, and Unbound answers a dangling alias with NODATA".to_owned()
}

/// Concurrent requests made a load generator hang with several servers.
fn quirk_13_concurrent_doh_requests_hang(lab: &Lab) -> String {
    let mut servers = 0;
    for kind in SERVERS {
        let server = lab.start(kind, Run::default()).unwrap();
        let lines = Line::all(&server).into_iter();
        for line in lines.filter(|line| line.is_main() && line.http.is_some() && !line.endpoint.is_mutual) {
            on_each(lab, &server, line, |resolver| {
                ask_many(resolver, 0..10);
                assert_eq!(stats(resolver).failures, 0, "{} {line}", kind.name);
            });
            servers += 1;
        }
    }
    format!("10 concurrent lookups were answered on each of {servers} endpoints")
}

pub(crate) fn start(lab: &Lab, name: &str) -> Instance {
    lab.start(ServerKind::named(name), Run::default()).unwrap()
}

/// The line with this transport and without mutual TLS.
pub(crate) fn line(server: &Instance, transport: Transport) -> Line {
    let mut lines = Line::all(server).into_iter();
    lines
        .find(|line| line.transport() == transport && !line.endpoint.is_mutual)
        .expect("the server has this transport")
}

/// Runs `ask` with each backend, each time with a new resolver.
pub(crate) fn on_each(lab: &Lab, instance: &Instance, line: Line, mut ask: impl FnMut(&dyn TestResolver)) {
    for backend in BACKENDS {
        ask(&*Bench { lab, instance, line, backend: *backend }.resolver());
    }
}

/// Runs `ask` with each backend, against a loopback server.
fn on_loopback(setup: Setup, ask: impl Fn(&dyn TestResolver)) {
    let server = setup.start();
    let ask = |backend: &dyn Backend| -> Result<(), Error> {
        let roots = Roots::from_pem(server.authority().root_pem().as_bytes())?;
        let upstream =
            server.upstream().parse::<privydns_core::Upstream>().expect("an upstream").roots(roots);
        ask(&*backend.resolver(Config::builder().upstream(upstream).timeout(TIMEOUT).build()?)?);
        Ok(())
    };
    for (_, backend) in BACKENDS {
        ask(*backend).expect("the configuration is valid");
    }
}
