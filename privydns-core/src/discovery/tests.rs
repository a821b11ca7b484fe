//! Conformance 44.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message as Response, MessageType, OpCode};
use hickory_proto::rr::rdata::svcb::{Alpn, IpHint, Mandatory, SVCB, SvcParamKey, SvcParamValue, Unknown};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, Record};

use super::*;
use crate::RData;
use crate::error::Cause;
use crate::message::{Message, Origin, Transport};
use crate::proxy::Proxy;
use crate::tls::{Authentication, Roots, TbsHash, TlsVersion};
use crate::upstream::Protocol;

const OWNER: &str = "_dns.resolver.arpa.";
const DOH: &[u8] = b"/dns-query{?dns}";

type Parameter = (SvcParamKey, SvcParamValue);

fn alpn(protocols: &[&str]) -> Parameter {
    let protocols = protocols.iter().map(ToString::to_string).collect();
    (SvcParamKey::Alpn, SvcParamValue::Alpn(Alpn(protocols)))
}

fn port(port: u16) -> Parameter {
    (SvcParamKey::Port, SvcParamValue::Port(port))
}

fn dohpath(path: &[u8]) -> Parameter {
    (SvcParamKey::Unknown(7), SvcParamValue::Unknown(Unknown(path.to_vec())))
}

fn mandatory(keys: &[u16]) -> Parameter {
    let keys = keys.iter().map(|key| SvcParamKey::from(*key)).collect();
    (SvcParamKey::Mandatory, SvcParamValue::Mandatory(Mandatory(keys)))
}

fn ipv4(address: [u8; 4]) -> Parameter {
    (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(vec![A(address.into())])))
}

fn ipv6(address: &str) -> Parameter {
    (SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(vec![AAAA(address.parse().unwrap())])))
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// A record at the queried name.
fn svcb(priority: u16, target: &str, parameters: &[Parameter]) -> Record {
    svcb_at(OWNER, priority, target, parameters)
}

fn svcb_at(owner: &str, priority: u16, target: &str, parameters: &[Parameter]) -> Record {
    let mut parameters = parameters.to_vec();
    parameters.sort_by_key(|(key, _)| *key);
    Record::from_rdata(name(owner), 300, RData::SVCB(SVCB::new(priority, name(target), parameters)))
}

fn address(owner: &str, address: &str) -> Record {
    Record::from_rdata(name(owner), 300, address.parse::<IpAddr>().unwrap().into())
}

fn answer(query: &Query, answers: &[Record], additionals: &[Record]) -> Answer {
    let mut response = Response::new(0, MessageType::Response, OpCode::Query);
    let asked = hickory_proto::op::Query::query(query.name().to_name(), query.record_type());
    response.add_query(asked);
    response.answers.extend_from_slice(answers);
    response.additionals.extend_from_slice(additionals);
    let message = Message::parse(Arc::from(response.to_vec().unwrap()), query).unwrap();
    Answer::new(message, 0, Origin::new(Arc::from("test"), Transport::Tls, 1, Duration::ZERO))
}

fn discovery() -> Discovery {
    Discovery::from(IpAddr::from([192, 0, 2, 53]))
}

/// The text of the upstreams that a resolver at 192.0.2.53 designates with these records, without further queries.
fn found(answers: &[Record], additionals: &[Record]) -> Vec<String> {
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    discovery.handle_result(Ok(answer(&query, answers, additionals))).unwrap();
    assert_eq!(discovery.next_query(), None);
    texts(discovery)
}

fn texts(discovery: Discovery) -> Vec<String> {
    discovery.finish().iter().map(ToString::to_string).collect()
}

/// RFC 9462 Section 4; also the first query is sent over TLS.
#[test]
fn discovery_queries_over_tls_and_verifies_the_address() {
    let by_address = discovery();
    assert_eq!(by_address.upstream().to_string(), "tls://192.0.2.53#name=192.0.2.53");
    let query = by_address.next_query().unwrap();
    assert_eq!(query.name().to_string(), OWNER);
    assert_eq!(query.record_type(), RecordType::SVCB);

    let pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let pinned: Upstream = format!("tls://192.0.2.53:8853#pin={pin}").parse().unwrap();
    let pinned = Discovery::try_from(pinned).unwrap();
    assert_eq!(pinned.upstream().to_string(), format!("tls://192.0.2.53:8853#name=192.0.2.53&pin={pin}"));
    assert_eq!(pinned.upstream().authentication(), Authentication::Path);

    let named = Discovery::try_from(Upstream::tls("dns.example#ip=192.0.2.53").unwrap());
    assert!(named.unwrap_err().to_string().contains("has a name"));
}

/// RFC 9462 Sections 4.2 and 6.4: certificate and host are for the queried address.
#[test]
fn designated_resolver_must_prove_the_queried_address() {
    let both = svcb(1, "dns.example.", &[alpn(&["dot", "h2"]), dohpath(DOH), ipv4([198, 51, 100, 1])]);
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    discovery.handle_result(Ok(answer(&query, &[both], &[]))).unwrap();
    let [tls, https] = &discovery.finish()[..] else { panic!("two upstreams") };
    assert_eq!(tls.to_string(), "tls://198.51.100.1#name=192.0.2.53");
    assert_eq!(https.to_string(), "https://198.51.100.1/dns-query#name=192.0.2.53");
    assert_eq!(https.authority(), "192.0.2.53");
    for upstream in [tls, https] {
        assert_eq!(upstream.server_name().to_str(), "192.0.2.53");
        assert!(!upstream.needs_bootstrap());
        assert_eq!(upstream.to_string().parse::<Upstream>().unwrap(), *upstream);
    }
}

/// RFC 9461 Sections 4 and 5.
#[test]
fn designated_protocol_requires_its_parameters() {
    let one = |parameters: &[Parameter]| {
        let all = [parameters, &[ipv4([198, 51, 100, 1])]].concat();
        found(&[svcb(1, "dns.example.", &all)], &[])
    };
    let dot = ["tls://198.51.100.1#name=192.0.2.53"];
    let doh = ["https://198.51.100.1/dns-query#name=192.0.2.53"];
    let none: [&str; 0] = [];
    assert_eq!(one(&[]), none);
    assert_eq!(one(&[dohpath(DOH)]), none);
    assert_eq!(one(&[alpn(&["dot"])]), dot);
    assert_eq!(one(&[alpn(&["doq", "h3"]), dohpath(DOH)]), none);
    assert_eq!(one(&[alpn(&["h2"])]), none);
    assert_eq!(one(&[alpn(&["h2"]), dohpath(b"/dns-query")]), none);
    assert_eq!(one(&[alpn(&["h2"]), dohpath(b"/{?name}")]), none);
    assert_eq!(one(&[alpn(&["h2"]), dohpath(b"https://dns.example/{?dns}")]), none);
    assert_eq!(one(&[alpn(&["h2"]), dohpath(DOH)]), doh);
    assert_eq!(one(&[alpn(&["http/1.1", "h3", "h2"]), dohpath(DOH)]), doh);
    assert_eq!(
        one(&[alpn(&["h2"]), dohpath(b"/q?a=b{&dns}")]),
        ["https://198.51.100.1/q?a=b#name=192.0.2.53"]
    );
    assert_eq!(one(&[alpn(&["h2", "dot"]), dohpath(DOH)]), [doh[0], dot[0]]);
}

/// RFC 9461 Section 4.2. Port 53 is refused.
#[test]
fn designated_port_applies_to_all_protocols_of_the_record() {
    let both = |number| {
        let parameters = [alpn(&["dot", "h2"]), port(number), dohpath(DOH), ipv4([198, 51, 100, 1])];
        found(&[svcb(1, "dns.example.", &parameters)], &[])
    };
    let expected =
        ["tls://198.51.100.1:8443#name=192.0.2.53", "https://198.51.100.1:8443/dns-query#name=192.0.2.53"];
    assert_eq!(both(8443), expected);
    assert!(both(53).is_empty());
    assert!(both(0).is_empty());
}

/// RFC 9462 Section 3, RFC 9460 Section 8.
#[test]
fn record_with_unknown_mandatory_parameter_is_skipped() {
    let with = |keys: &[u16]| {
        svcb(1, "a.example.", &[mandatory(keys), alpn(&["dot"]), port(8853), ipv4([198, 51, 100, 1])])
    };
    let other = svcb(2, "b.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 2])]);
    let second = "tls://198.51.100.2#name=192.0.2.53";
    let first = "tls://198.51.100.1:8853#name=192.0.2.53";
    assert_eq!(found(&[with(&[1, 3, 4]), other.clone()], &[]), [first, second]);
    assert_eq!(found(&[with(&[1, 65333]), other.clone()], &[]), [second]);
    // Encrypted Client Hello, and a parameter that is missing in the record.
    assert_eq!(found(&[with(&[5]), other.clone()], &[]), [second]);
    assert_eq!(found(&[with(&[7]), other], &[]), [second]);
}

#[test]
fn designated_resolvers_are_sorted_by_preference_without_repeats() {
    let dot = |priority, last| svcb(priority, "dns.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, last])]);
    let records = [dot(3, 3), dot(1, 1), dot(2, 2), dot(4, 1)];
    let expected = [1, 2, 3].map(|last| format!("tls://198.51.100.{last}#name=192.0.2.53"));
    assert_eq!(found(&records, &[]), expected);
}

/// RFC 9460 Section 7.3.
#[test]
fn additional_addresses_take_precedence_over_hints() {
    let record = svcb(1, "DNS.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 1]), ipv6("2001:db8::1")]);
    assert_eq!(
        found(std::slice::from_ref(&record), &[address("other.example.", "198.51.100.9")]),
        ["tls://[2001:db8::1]#name=192.0.2.53&ip=198.51.100.1"]
    );
    let along = [address("dns.example.", "198.51.100.2"), address("dns.EXAMPLE.", "2001:db8::2")];
    assert_eq!(found(&[record], &along), ["tls://198.51.100.2#name=192.0.2.53&ip=2001:db8::2"]);
}

#[test]
fn missing_addresses_of_designated_resolvers_are_looked_up() {
    let records = [
        svcb(1, "a.example.", &[alpn(&["dot"])]),
        svcb(2, "a.example.", &[alpn(&["h2"]), dohpath(DOH)]),
        svcb(3, "b.example.", &[alpn(&["dot"])]),
        svcb(4, "c.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 3])]),
    ];
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    discovery.handle_result(Ok(answer(&query, &records, &[]))).unwrap();
    let mut asked = Vec::new();
    while let Some(query) = discovery.next_query() {
        assert_eq!(discovery.next_query().as_ref(), Some(&query));
        let name = query.name().to_string();
        let result = match (&name[..], query.record_type()) {
            ("a.example.", RecordType::A) => Ok(answer(&query, &[address(&name, "198.51.100.1")], &[])),
            ("a.example.", _) => Ok(answer(&query, &[address(&name, "2001:db8::1")], &[])),
            _ => Err(Error::from(ErrorKind::Upstream(Cause::Closed))),
        };
        asked.push(format!("{name} {}", query.record_type()));
        discovery.handle_result(result).unwrap();
    }
    assert_eq!(asked, ["a.example. AAAA", "a.example. A", "b.example. AAAA", "b.example. A"]);
    let expected = [
        "tls://[2001:db8::1]#name=192.0.2.53&ip=198.51.100.1",
        "https://[2001:db8::1]/dns-query#name=192.0.2.53&ip=198.51.100.1",
        "tls://198.51.100.3#name=192.0.2.53",
    ];
    assert_eq!(texts(discovery), expected);
}

#[test]
fn discovery_stops_address_lookups_after_a_timeout() {
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    let records = ["a.example.", "b.example."].map(|target| svcb(1, target, &[alpn(&["dot"])]));
    discovery.handle_result(Ok(answer(&query, &records, &[]))).unwrap();
    discovery.handle_result(Err(ErrorKind::Deadline.into())).unwrap();
    assert_eq!(discovery.next_query(), None);
    assert!(discovery.finish().is_empty());
}

/// RFC 9462 Section 4: the queried name has no addresses.
#[test]
fn target_below_resolver_arpa_is_skipped() {
    for target in [".", "resolver.arpa.", "_dns.Resolver.ARPA."] {
        let record = svcb(1, target, &[alpn(&["dot"]), ipv4([198, 51, 100, 1])]);
        assert!(found(&[record], &[]).is_empty(), "{target}");
    }
}

/// RFC 9462 Section 3, RFC 9460 Section 2.4.2.
#[test]
fn discovery_follows_a_limited_number_of_aliases() {
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    let ignored = svcb(1, "a.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 9])]);
    let records = [ignored, svcb(0, "dns.example.", &[])];
    discovery.handle_result(Ok(answer(&query, &records, &[]))).unwrap();
    let query = discovery.next_query().unwrap();
    assert_eq!((query.name().to_string(), query.record_type()), ("dns.example.".into(), RecordType::SVCB));
    let record = svcb_at("dns.example.", 1, ".", &[alpn(&["dot"])]);
    let along = [address("dns.example.", "198.51.100.1")];
    discovery.handle_result(Ok(answer(&query, &[record], &along))).unwrap();
    assert_eq!(texts(discovery), ["tls://198.51.100.1#name=192.0.2.53"]);

    let mut endless = self::discovery();
    let mut asked = 0;
    while let Some(query) = endless.next_query() {
        asked += 1;
        let alias = svcb_at(&query.name().to_string(), 0, "loop.example.", &[]);
        endless.handle_result(Ok(answer(&query, &[alias], &[]))).unwrap();
    }
    assert_eq!(asked, 1 + MAX_ALIASES);
    assert!(found(&[svcb(0, ".", &[])], &[]).is_empty());
}

#[test]
fn missing_designations_are_no_error_and_a_failed_lookup_is() {
    assert!(found(&[], &[]).is_empty());
    let failure = Error::from(ErrorKind::Upstream(Cause::Closed));
    assert!(discovery().handle_result(Err(failure)).is_err());
}

/// RFC 9460 Section 2.2: one malformed record makes the whole answer malformed.
#[test]
fn malformed_designation_is_an_error() {
    let discovery = discovery();
    let query = discovery.next_query().unwrap();
    let good = svcb(1, "a.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 1])]);
    let cut = hickory_proto::rr::rdata::NULL::with(vec![0, 1, 0, 0, 1, 0, 9]);
    let cut = RData::Unknown { code: RecordType::SVCB, rdata: cut };
    let no_text = svcb(2, "a.example.", &[alpn(&["h2"]), dohpath(b"/\xff{?dns}")]);
    for bad in [Record::from_rdata(name(OWNER), 300, cut), no_text] {
        let records = [good.clone(), bad];
        let error = discovery.clone().handle_result(Ok(answer(&query, &records, &[]))).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Malformed(_))), "{error:?}");
    }
}

#[test]
fn discovery_limits_lookups_and_designations() {
    let mut discovery = discovery();
    let query = discovery.next_query().unwrap();
    let record = |number: u16| svcb(number, &format!("a{number}.example."), &[alpn(&["dot"])]);
    let records: Vec<_> = (1..=100).map(record).collect();
    discovery.handle_result(Ok(answer(&query, &records, &[]))).unwrap();
    let mut asked = 0;
    while let Some(query) = discovery.next_query() {
        asked += 1;
        let many: Vec<_> =
            (0..100).map(|last| address(&query.name().to_string(), &format!("198.51.100.{last}"))).collect();
        let records = if query.record_type() == RecordType::A { &many[..] } else { &[] };
        discovery.handle_result(Ok(answer(&query, records, &[]))).unwrap();
    }
    assert_eq!(asked, 2 * MAX_NAMES);
    let upstreams = discovery.finish();
    assert_eq!(upstreams.len(), 1, "the same addresses are the same upstream");
    assert_eq!(upstreams[0].addresses().len(), designation::MAX_ADDRESSES);
}

#[test]
fn discovered_upstreams_inherit_settings_but_not_secrets() {
    let proxy = Proxy::socks5(([127, 0, 0, 1], 9050));
    let asked = Upstream::tls("192.0.2.53:8853")
        .unwrap()
        .roots(Roots::Custom(Arc::new(rustls::RootCertStore::empty())))
        .tbs_hash(TbsHash::new([7; 32]))
        .with_minimum_tls(TlsVersion::Tls13)
        .proxy(proxy.clone())
        .client_certificate(crate::tls::tests::client_certificate());
    let mut discovery = Discovery::try_from(asked.clone()).unwrap();
    let query = discovery.next_query().unwrap();
    let record = svcb(1, "dns.example.", &[alpn(&["dot"]), ipv4([198, 51, 100, 1])]);
    discovery.handle_result(Ok(answer(&query, &[record], &[]))).unwrap();
    let [upstream] = &discovery.finish()[..] else { panic!("one upstream") };
    assert_eq!(upstream.protocol(), Protocol::Tls);
    assert_eq!(upstream.port(), 853);
    assert_eq!(upstream.tls_requirements().roots, asked.tls_requirements().roots);
    assert_eq!(upstream.tbs_hashes(), asked.tbs_hashes());
    assert_eq!(upstream.minimum_tls(), TlsVersion::Tls13);
    assert_eq!(
        upstream.tunnel("198.51.100.1:853".parse().unwrap()).map(|tunnel| tunnel.proxy()),
        Some(proxy.address())
    );
}
