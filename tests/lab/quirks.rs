//! Thirteen things that servers do and a client has to survive: each as it was met, at the server that does it, or
//! at a loopback server that does the same where the real one does it only now and then.
//!
//! | | what servers do | shown here, at | and without the lab, at loopback servers, by |
//! |---|---|---|---|
//! | 1 | several queries in one TLS record stall | NSD | `every_query_has_a_record_of_its_own` |
//! | 2 | Nagle's algorithm delays the first answer | Unbound, NSD | only here: it is the server's kernel |
//! | 3 | HEADERS long before their DATA hang | BIND | `request_is_one_transmit_with_minimal_fields` |
//! | 4 | five equal GETs in one write hang | Knot Resolver | `equal_lookups_share_one_query` |
//! | 5 | a query that is dropped takes the connection along | Unbound | `a_lost_connection_is_made_up_for_to_all` |
//! | 6 | ALPN that is not what is spoken | Unbound, BIND, dnsdist | `application_protocols_are_not_insisted_on` |
//! | 7 | bodies over 65,535 octets | dnss, BIND | `http_says_what_is_wrong` |
//! | 8 | 100 twice, no reason phrase, 408 while idle, 424 | HAProxy, loopback | `oddities_of_http_make_no_difference` |
//! | 9 | six faces of a refused client certificate | the column M of the table | `refused_client_certificates_are_named_as_the_cause` |
//! | 10 | early data that can be replayed | HAProxy, nginx | only here: early data is off in rustls unless set |
//! | 11 | a backend that is silent | dnsdist, Knot Resolver | `silence_ends_at_the_deadline` |
//! | 12 | TTLs and response codes that are rewritten | Knot Resolver, Unbound | `ttls_out_of_bounds_are_capped` |
//! | 13 | many outstanding over DoH | all that speak it | `answers_out_of_order_or_together_find_their_queries` |

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

/// What was seen, in a few words. What must not be panics.
pub(crate) type QuirkCheck = fn(&Lab) -> String;

pub(crate) const QUIRKS: [(&str, QuirkCheck); 13] = [
    ("quirk_01_several_queries_in_one_record_stall", quirk_01_several_queries_in_one_record_stall),
    ("quirk_02_nagle_at_the_server_is_acknowledged_away", quirk_02_nagle_at_the_server_is_acknowledged_away),
    ("quirk_03_headers_stay_with_their_data", quirk_03_headers_stay_with_their_data),
    ("quirk_04_equal_gets_are_one", quirk_04_equal_gets_are_one),
    ("quirk_05_a_dropped_query_is_nobody_elses_loss", quirk_05_a_dropped_query_is_nobody_elses_loss),
    ("quirk_06_alpn_is_not_believed", quirk_06_alpn_is_not_believed),
    ("quirk_07_bodies_over_65535_octets_are_refused", quirk_07_bodies_over_65535_octets_are_refused),
    ("quirk_08_oddities_of_http_are_got_over", quirk_08_oddities_of_http_are_got_over),
    (
        "quirk_09_six_faces_of_a_refused_client_certificate",
        quirk_09_six_faces_of_a_refused_client_certificate,
    ),
    ("quirk_10_no_early_data_is_sent", quirk_10_no_early_data_is_sent),
    (
        "quirk_11_silence_behind_the_server_ends_at_the_deadline",
        quirk_11_silence_behind_the_server_ends_at_the_deadline,
    ),
    (
        "quirk_12_what_servers_rewrite_is_taken_as_it_comes",
        quirk_12_what_servers_rewrite_is_taken_as_it_comes,
    ),
    ("quirk_13_many_are_outstanding_over_doh", quirk_13_many_are_outstanding_over_doh),
];

/// NSD takes one message from each TLS record and leaves the rest until more comes, which is never.
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
    format!("of two in one record it answered {answered}; of fifty in a record each, fifty")
}

/// A server that does not turn Nagle's algorithm off holds its answer back until the tickets that it sent before are
/// acknowledged, which the client's kernel puts off for 40 ms.
fn quirk_02_nagle_at_the_server_is_acknowledged_away(lab: &Lab) -> String {
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

/// BIND waits for ever where fifteen POSTs come with their HEADERS first and their DATA after, and hangs up on 64 in
/// one burst.
fn quirk_03_headers_stay_with_their_data(lab: &Lab) -> String {
    let server = start(lab, "bind");
    on_each(lab, &server, line(&server, Transport::Http2), |resolver| {
        ask_many(resolver, 0..1);
        ask_many(resolver, 1..81);
        let stats = stats(resolver);
        assert_eq!((stats.queries, stats.failures, stats.connections_opened), (81, 0, 1));
    });
    "80 POSTs at once, answered on one connection".to_owned()
}

/// Five or more equal GETs in one write end in GOAWAY at Knot Resolver, with the socket open and nothing answered.
fn quirk_04_equal_gets_are_one(lab: &Lab) -> String {
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
    "fifty equal lookups are one GET; fifty others are answered".to_owned()
}

/// Unbound closes the connection on which it drops a query, and what others wait for on it is lost.
fn quirk_05_a_dropped_query_is_nobody_elses_loss(lab: &Lab) -> String {
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
    "twenty lookups beside one that is dropped are answered".to_owned()
}

/// Unbound picks `http/1.1` and then speaks HTTP/2; dnsdist picks nothing and speaks HTTP/1.1; BIND picks nothing and
/// speaks HTTP/2. Others end the handshake when they are offered `dot`.
fn quirk_06_alpn_is_not_believed(lab: &Lab) -> String {
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
        seen.push(format!("{name} picks {picked} of http/1.1 and h2, {alone} of http/1.1 alone"));
    }
    let script = Script::new().on_connection(.., ConnectionFault::Alpn(Alpn::Refuse));
    on_loopback(Server::dot().script(script), |resolver| {
        resolver.lookup("www.example.test", RecordType::A).unwrap();
    });
    seen.push("a refusal of `dot` is got over".to_owned());
    seen.join("; ")
}

/// dnss does not compress names, so that a message that is small enough becomes too large.
fn quirk_07_bodies_over_65535_octets_are_refused(lab: &Lab) -> String {
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
    format!("refused from dnss by name; BIND compresses the same {} records", zone::FAT)
}

/// HAProxy says 408 to who is idle; Caddy says 100 twice; some leave the reason phrase out; 424 is a status, too.
fn quirk_08_oddities_of_http_are_got_over(lab: &Lab) -> String {
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
    "408 while idle, 100 twice and no reason phrase pass unnoticed; 424 is told".to_owned()
}

/// Every server that asks for client certificates has its own way to refuse one: see [`ServerKind::refusal`].
fn quirk_09_six_faces_of_a_refused_client_certificate(_: &Lab) -> String {
    let endpoints =
        || SERVERS.iter().flat_map(|kind| kind.endpoints.iter().map(move |endpoint| (kind, endpoint)));
    let mut faces: Vec<_> = endpoints()
        .filter(|(_, endpoint)| endpoint.is_mutual)
        .flat_map(|(kind, endpoint)| kind.refusal(endpoint))
        .collect();
    faces.sort_unstable();
    faces.dedup();
    format!("in the table under M: {}", faces.join(", "))
}

/// HAProxy and nginx take early data, and would take it again. Here they refuse a request that comes as such.
fn quirk_10_no_early_data_is_sent(lab: &Lab) -> String {
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
    "sessions are resumed without".to_owned()
}

/// dnsdist waits 30 s for what is behind it, Knot Resolver up to 8 s: longer than callers do. dnsdist answers in
/// order, too, so that whoever asks on the same connection meanwhile waits behind it.
fn quirk_11_silence_behind_the_server_ends_at_the_deadline(lab: &Lab) -> String {
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
    "told at the deadline; others are answered".to_owned()
}

/// Knot Resolver lifts TTLs to 5 s; Unbound says NOERROR for an alias that leads nowhere.
fn quirk_12_what_servers_rewrite_is_taken_as_it_comes(lab: &Lab) -> String {
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
    "TTL 1 comes as 5 from Knot Resolver, a dangling alias as NODATA from Unbound".to_owned()
}

/// What made a load tool hang at several servers.
fn quirk_13_many_are_outstanding_over_doh(lab: &Lab) -> String {
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
    format!("ten at once, on {servers} doors")
}

pub(crate) fn start(lab: &Lab, name: &str) -> Instance {
    lab.start(ServerKind::named(name), Run::default()).unwrap()
}

/// The line, without mutual TLS, on which this is spoken.
pub(crate) fn line(server: &Instance, spoken: Transport) -> Line {
    let mut lines = Line::all(server).into_iter();
    lines.find(|line| line.spoken() == spoken && !line.endpoint.is_mutual).expect("the server speaks it")
}

/// Asks over every backend, each with a resolver of its own.
pub(crate) fn on_each(lab: &Lab, instance: &Instance, line: Line, mut ask: impl FnMut(&dyn TestResolver)) {
    for backend in BACKENDS {
        ask(&*Bench { lab, instance, line, backend: *backend }.resolver());
    }
}

/// Asks a loopback server over every backend.
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
        ask(*backend).expect("a sound configuration");
    }
}
