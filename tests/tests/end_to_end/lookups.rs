//! Lookups with a server that has no faults: the answers, and the queries that the server receives.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use privydns_core::{
    CacheUse, Cause, ClientSubnet, ConfigFile, ErrorKind, MessageError, NotFound, Outcome, Protocol, Query,
    RecordType, ResponseCode, ServiceBinding, Unroutable,
};
use privydns_tests::Script;
use privydns_tests::observe::{ClientEnd, QuerySeen};
use privydns_tests::zone::many_address;

use crate::bench::{Bench, Carrier, cause};

const WWW: &str = "www.example.test.";

pub(crate) fn records_of_every_type_arrive(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    for (name, record_type, count) in [
        (WWW, RecordType::A, 1),
        (WWW, RecordType::AAAA, 1),
        ("multi.example.test", RecordType::A, 8),
        ("example.test", RecordType::MX, 3),
        ("example.test", RecordType::TXT, 1),
        ("example.test", RecordType::CAA, 1),
        ("example.test", RecordType::HTTPS, 1),
        ("svc.example.test", RecordType::HTTPS, 1),
        ("_sip._tcp.example.test", RecordType::SRV, 4),
        ("big.example.test", RecordType::TXT, 1),
        ("huge.example.test", RecordType::TXT, 30),
        ("anything.wild.example.test", RecordType::A, 1),
    ] {
        let answer = resolver.lookup(name, record_type).unwrap();
        assert_eq!(answer.outcome(), Outcome::Records, "{name}");
        assert_eq!(answer.records().count(), count, "{name}");
        for record in answer.records() {
            assert_eq!(record.record_type(), record_type, "{name}");
            record.data().unwrap();
        }
        assert_eq!((answer.transport(), answer.attempts()), (bench.transport(), 1), "{name}");
    }
    assert_eq!(server.seen().handshakes(), 1);
}

pub(crate) fn typed_values_are_in_the_specified_order(bench: &Bench) {
    let (_server, resolver) = bench.start(Script::new());
    let lookup = |name, record_type| resolver.lookup(name, record_type).unwrap();
    let mx = lookup("example.test", RecordType::MX).mx().unwrap();
    assert_eq!(mx.iter().map(|server| server.preference).collect::<Vec<_>>(), [10, 20, 30]);
    let srv = lookup("_sip._tcp.example.test", RecordType::SRV).srv().unwrap();
    assert_eq!(srv.iter().map(|server| server.priority).collect::<Vec<_>>(), [10, 10, 10, 20]);
    assert_eq!(lookup("example.test", RecordType::TXT).txt().unwrap(), [b"v=spf1 -all"]);
    assert_eq!(lookup("big.example.test", RecordType::TXT).txt().unwrap()[0].len(), 20 * 255);
    assert_eq!(lookup("example.test", RecordType::CAA).caa().unwrap()[0].tag, "issue");
    let alias = lookup("example.test", RecordType::HTTPS).https().unwrap();
    let ServiceBinding::Alias(target) = alias else { panic!("{alias:?}") };
    let binding = lookup(&target.to_ascii(), RecordType::HTTPS).https().unwrap();
    let ServiceBinding::Services(services) = binding else { panic!("{binding:?}") };
    assert_eq!((&services[0].target, services[0].port), (&target, Some(8443)));
    assert_eq!(services[0].alpn, [&b"h2"[..], b"h3", b"http/1.1"]);
}

pub(crate) fn cname_chain_is_followed_and_loop_is_an_error(bench: &Bench) {
    let (_server, resolver) = bench.start(Script::new());
    let answer = resolver.lookup("chain.example.test", RecordType::A).unwrap();
    assert_eq!(answer.records().count(), 5);
    assert_eq!(answer.canonical_name().to_ascii(), WWW);
    assert_eq!(answer.addresses().collect::<Vec<_>>(), [IpAddr::from([192, 0, 2, 1])]);
    assert_eq!(answer.ttl(), Some(100));
    let looped = cause(resolver.lookup("loop.example.test", RecordType::A));
    assert_eq!(looped, Cause::Malformed(MessageError::CnameLoop));
}

pub(crate) fn nxdomain_and_nodata_are_answers(bench: &Bench) {
    let (_server, resolver) = bench.start(Script::new());
    let missing = resolver.lookup("nowhere.example.test", RecordType::A).unwrap();
    assert_eq!((missing.outcome(), missing.ttl()), (Outcome::NxDomain, Some(60)));
    let empty = resolver.lookup("v4only.example.test", RecordType::AAAA).unwrap();
    assert_eq!(empty.outcome(), Outcome::NoData);
    let dangling = resolver.lookup("dangling.example.test", RecordType::A).unwrap();
    assert_eq!(dangling.outcome(), Outcome::NxDomain);

    for (name, expected) in
        [("nowhere.example.test", NotFound::NxDomain), ("_tcp.example.test", NotFound::NoData)]
    {
        let error = resolver.lookup_ip(name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFound(found) if *found == expected), "{error}");
    }
}

pub(crate) fn failure_has_response_code_and_extended_error(bench: &Bench) {
    let (_server, resolver) = bench.start(Script::new());
    let Cause::Rcode(failure) = cause(resolver.lookup("servfail.example.test", RecordType::A)) else {
        panic!("no response code");
    };
    assert_eq!(failure.code, ResponseCode::ServFail);
    assert_eq!(failure.extended[0].code, 22);
    assert_eq!(failure.extended[0].text, "no authority could be reached");
    let Cause::Rcode(failure) = cause(resolver.lookup("refused.example.test", RecordType::A)) else {
        panic!("no response code");
    };
    assert_eq!(failure.code, ResponseCode::Refused);
}

pub(crate) fn lookup_ip_returns_addresses_of_both_families(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    let addresses: Vec<_> = resolver.lookup_ip(WWW).unwrap().iter().collect();
    assert_eq!(addresses.len(), 2);
    assert!(addresses.contains(&Ipv4Addr::new(192, 0, 2, 1).into()));
    assert!(addresses.contains(&"2001:db8::1".parse().unwrap()));
    assert_eq!(resolver.lookup_ip("v6only.example.test").unwrap().iter().count(), 1);
    assert_eq!(server.seen().query_count, 4);
}

pub(crate) fn reverse_lookup_returns_the_name(bench: &Bench) {
    let (_server, resolver) = bench.start(Script::new());
    for address in [IpAddr::from([192, 0, 2, 1]), "2001:db8::1".parse::<Ipv6Addr>().unwrap().into()] {
        assert_eq!(resolver.reverse(address).unwrap().records().count(), 1, "{address}");
    }
    assert_eq!(resolver.reverse([192, 0, 2, 9].into()).unwrap().outcome(), Outcome::NxDomain);
}

/// Conformance 37.
pub(crate) fn answers_are_cached_for_their_ttl(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    for (name, asked) in [("ttl300.example.test", 1), ("ttl86400.example.test", 1), ("ttl0.example.test", 3)]
    {
        let cached: Vec<_> =
            (0..3).map(|_| resolver.lookup(name, RecordType::A).unwrap().is_cached()).collect();
        assert_eq!(server.seen().queries_for(name).count(), asked, "{name}");
        assert_eq!(cached, [false, asked == 1, asked == 1], "{name}");
    }
    resolver.clear_cache();
    assert!(!resolver.lookup("ttl300.example.test", RecordType::A).unwrap().is_cached());
    let query = Query::new("ttl300.example.test", RecordType::A).unwrap();
    assert!(!resolver.query(query.clone().with_cache_use(CacheUse::Bypass)).unwrap().is_cached());
    assert!(resolver.query(query.with_cache_use(CacheUse::Only)).unwrap().is_cached());
    let unknown = Query::new("www.example.test", RecordType::A).unwrap().with_cache_use(CacheUse::Only);
    assert!(matches!(resolver.query(unknown).unwrap_err().kind(), ErrorKind::NotCached));
}

pub(crate) fn burst_to_a_new_server_opens_one_connection(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    let name = |number: usize| format!("{number}.many.example.test");
    let queries = (0..100).map(|number| Query::new(&name(number), RecordType::A).unwrap()).collect();
    for (number, result) in resolver.query_all(queries).into_iter().enumerate() {
        let addresses: Vec<_> = result.unwrap().addresses().collect();
        assert_eq!(addresses, [many_address(&name(number))]);
    }
    let seen = server.seen();
    assert_eq!(seen.query_count, 100);
    let limit = if bench.is_serial() { 6 } else { 1 };
    assert!(seen.connections.len() <= limit, "{}", seen.connections.len());
}

pub(crate) fn equal_lookups_share_one_query(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    let queries = vec![Query::new(WWW, RecordType::A).unwrap(); 50];
    for result in resolver.query_all(queries) {
        assert_eq!(result.unwrap().addresses().count(), 1);
    }
    assert_eq!(server.seen().query_count, 1);
}

/// One TLS record per DNS message, because some servers stall if a record contains several messages.
pub(crate) fn each_dot_query_has_its_own_tls_record(bench: &Bench) {
    if bench.carrier != Carrier::Dot {
        return;
    }
    let (server, resolver) = bench.start(Script::new());
    let queries = (0..50).map(|n| Query::new(&format!("{n}.many.example.test"), RecordType::A).unwrap());
    assert!(resolver.query_all(queries.collect()).iter().all(Result::is_ok));
    let seen = server.seen();
    assert_eq!(seen.connections[0].records.len(), 50);
    for query in &seen.queries {
        assert_eq!(seen.connections[0].records[query.record].length, 2 + query.bytes.len());
    }
}

/// Conformance 10, 22, 27 and 31: padding to 128 bytes in the last option, ID 0 and no keepalive option over
/// HTTP, and no header field that identifies a user.
pub(crate) fn queries_reveal_no_more_than_necessary(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    resolver.lookup(WWW, RecordType::A).unwrap();
    let seen = server.seen();
    let QuerySeen { bytes, id, edns, recursion_desired, checking_disabled, request, .. } = &seen.queries[0];
    let edns = edns.as_ref().unwrap();
    assert_eq!(bytes.len() % 128, 0);
    assert_eq!(edns.options.last().map(|(code, _)| *code), Some(12));
    assert_eq!((edns.dnssec_ok, edns.client_subnet()), (false, None));
    assert_eq!((*recursion_desired, *checking_disabled), (true, false));
    assert_eq!(edns.keepalive(), if bench.is_http() { None } else { Some(&b""[..]) });
    let Some(request) = request else { return };
    assert_eq!(*id, 0);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/dns-query"));
    assert!(request.authority.starts_with("dns.example.test"));
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| *name != "host");
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-length", "content-type"]);
}

pub(crate) fn query_options_reach_the_server(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    let query = || Query::new("secure.example.test", RecordType::A).unwrap().with_cache_use(CacheUse::Bypass);
    assert_eq!(resolver.query(query()).unwrap().is_authenticated(), server.seen().queries[0].authentic_data);
    assert!(resolver.query(query().dnssec_ok(true)).unwrap().is_authenticated());
    resolver.query(query().checking_disabled(true)).unwrap();
    resolver.query(query().with_client_subnet(ClientSubnet::Withheld)).unwrap();
    resolver.query(query().padding(false)).unwrap();
    let seen = server.seen();
    let edns = |index: usize| seen.queries[index].edns.as_ref().unwrap();
    assert!(edns(1).dnssec_ok);
    assert!(seen.queries[2].checking_disabled);
    assert_eq!(edns(3).client_subnet().unwrap().source, 0);
    assert_eq!(edns(4).padding(), None);

    let wrong = if bench.is_http() { Protocol::Tls } else { Protocol::Https };
    let error = resolver.query(query().with_protocol(wrong)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unroutable(Unroutable::Protocol)), "{error}");
}

pub(crate) fn close_sends_close_notify_and_rejects_lookups(bench: &Bench) {
    let (server, resolver) = bench.start(Script::new());
    resolver.lookup(WWW, RecordType::A).unwrap();
    resolver.close();
    let seen = server.wait_until(|seen| seen.open() == 0);
    assert_eq!(seen.connections[0].ended_by_client, Some(ClientEnd::CloseNotify));
    let error = resolver.lookup("v4only.example.test", RecordType::A).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
}

/// Every runtime reads the same file format. The caller reads the files that the configuration names.
pub(crate) fn resolver_is_built_from_a_configuration_file(bench: &Bench) {
    let server = bench.setup().start();
    let client = server.authority().client(privydns_tests::ClientCertificate::Good);
    let mutual = if bench.is_mutual { "certificate = 'client.pem'\nkey = 'client.key'" } else { "" };
    let text = format!("[[upstreams]]\nserver = '{}'\nca = 'ca.pem'\n{mutual}", server.upstream());
    let file: ConfigFile = toml::from_str(&text).unwrap();
    let builder = file.builder(|path| match path.to_str() {
        Some("ca.pem") => Ok(server.authority().root_pem().into_bytes()),
        Some("client.pem") => Ok(client.chain_pem().into_bytes()),
        Some("client.key") => Ok(client.key_pem().into_bytes()),
        _ => Err(io::ErrorKind::NotFound.into()),
    });
    let resolver = bench.build(builder.unwrap());
    assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().records().count(), 1);
}
