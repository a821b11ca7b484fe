//! Typed values: their order, and invalid values.

use std::collections::BTreeMap;

use super::*;
use crate::error::{Cause, Error, ErrorKind, NotFound};
use crate::{Name, rdata};

/// An answer with records of one type at `example.com`.
fn answer(record_type: RecordType, data: &[&[u8]]) -> Answer {
    answer_with_seed(0, record_type, data)
}

/// The same answer with a shuffle seed, as for different lookups.
fn answer_with_seed(shuffle_seed: u64, record_type: RecordType, data: &[&[u8]]) -> Answer {
    let query = query("example.com", record_type);
    let response = data
        .iter()
        .fold(Response::to(&query), |response, data| response.record(QUESTION, record_type, 60, data));
    let origin = Origin { shuffle_seed, ..Origin::new(Arc::from("test"), Transport::Tls, 1, Duration::ZERO) };
    Answer::new(response.parse(&query).unwrap(), 0, origin)
}

fn is_malformed(result: &Result<impl Sized, Error>, record_type: RecordType) -> bool {
    let Err(error) = result else { return false };
    assert_eq!(error.upstream(), Some("test"));
    matches!(error.kind(), ErrorKind::Upstream(Cause::Malformed(MessageError::Data(found))) if *found == record_type)
}

fn has_no_service(result: &Result<impl Sized, Error>) -> bool {
    matches!(result.as_ref().err().map(Error::kind), Some(ErrorKind::NotFound(NotFound::NoService)))
}

fn mx(preference: u16, exchange: &str) -> Vec<u8> {
    [&preference.to_be_bytes()[..], &wire(exchange)].concat()
}

fn srv(priority: u16, weight: u16, target: &str) -> Vec<u8> {
    [&[priority, weight, 5060].map(u16::to_be_bytes).concat()[..], &wire(target)].concat()
}

pub(super) fn service(priority: u16, target: &str, parameters: &[(u16, &[u8])]) -> Vec<u8> {
    let parameters = parameters.iter().flat_map(|(key, value)| option(*key, value)).collect::<Vec<_>>();
    [&priority.to_be_bytes()[..], &wire(target), &parameters].concat()
}

/// The targets of the servers, separated by spaces.
fn targets(servers: &[rdata::SRV]) -> String {
    servers.iter().map(|server| server.target.to_ascii()).collect::<Vec<_>>().join(" ")
}

#[test]
fn without_records_of_the_type_there_are_no_values() {
    let denied = query("example.com", RecordType::MX);
    let denied = Response::to(&denied).rcode(NXDOMAIN).answer(&denied, 0);
    for answer in [denied, answer(RecordType::A, &[&[192, 0, 2, 1]])] {
        assert!(answer.mx().unwrap().is_empty() && answer.srv().unwrap().is_empty());
        assert!(answer.txt().unwrap().is_empty() && answer.caa().unwrap().is_empty());
        assert_eq!(answer.https().unwrap(), ServiceBinding::Services(Vec::new()));
        assert_eq!(answer.svcb().unwrap(), ServiceBinding::Services(Vec::new()));
    }
}

#[test]
fn values_at_the_end_of_a_chain_are_found() {
    let query = query("www.example.com", RecordType::MX);
    let response = Response::to(&query).cname("www.example.com", 60, "mail.example").record(
        &wire("mail.example"),
        RecordType::MX,
        60,
        &mx(10, "a.example"),
    );
    assert_eq!(response.answer(&query, 0).mx().unwrap().len(), 1);
}

#[test]
fn mail_servers_are_sorted_by_preference_and_equal_ones_shuffled() {
    let data = [mx(20, "d.example"), mx(10, "b.example"), mx(10, "c.example"), mx(0, "a.example")];
    let data: Vec<_> = data.iter().map(|data| &data[..]).collect();
    let mut orders = BTreeMap::new();
    for shuffle_seed in 0..100 {
        let servers = answer_with_seed(shuffle_seed, RecordType::MX, &data).mx().unwrap();
        let preferences: Vec<_> = servers.iter().map(|server| server.preference).collect();
        assert_eq!(preferences, [0, 10, 10, 20]);
        *orders.entry(servers[1].exchange.to_ascii()).or_insert(0) += 1;
    }
    assert_eq!(orders.len(), 2);
    assert!(orders.values().all(|times| *times > 25), "{orders:?}");
}

#[test]
fn null_mx_is_no_service() {
    assert!(has_no_service(&answer(RecordType::MX, &[b"\x00\x00\x00"]).mx()));
    // A null MX record is not allowed with others. If there are others, they are used.
    let servers = answer(RecordType::MX, &[b"\x00\x00\x00", &mx(5, "a.example")]).mx().unwrap();
    assert_eq!(servers.len(), 1);
}

#[test]
fn one_malformed_record_is_an_error() {
    let good = mx(10, "a.example");
    assert!(is_malformed(&answer(RecordType::MX, &[&good, b"\x00"]).mx(), RecordType::MX));
    assert!(is_malformed(&answer(RecordType::MX, &[&[&good[..], b"x"].concat()]).mx(), RecordType::MX));
    assert!(is_malformed(&answer(RecordType::SRV, &[b"\x00\x01\x00\x01\x00\x01"]).srv(), RecordType::SRV));
    assert!(is_malformed(&answer(RecordType::TXT, &[b"\x01a", b"\x05four"]).txt(), RecordType::TXT));
    assert!(is_malformed(&answer(RecordType::CAA, &[b"\x00"]).caa(), RecordType::CAA));
    assert!(is_malformed(&answer(RecordType::CAA, &[b"\x00\x09issue"]).caa(), RecordType::CAA));
}

#[test]
fn servers_are_sorted_by_priority_and_drawn_by_weight() {
    let data = [srv(20, 0, "backup"), srv(10, 30, "heavy"), srv(10, 10, "light"), srv(10, 0, "spare")];
    let data: Vec<_> = data.iter().map(|data| &data[..]).collect();
    let mut first = BTreeMap::new();
    for shuffle_seed in 0..4000 {
        let order = targets(&answer_with_seed(shuffle_seed, RecordType::SRV, &data).srv().unwrap());
        assert!(order.ends_with(" backup."), "{order}");
        *first.entry(order.split_once(' ').unwrap().0.to_owned()).or_insert(0_u32) += 1;
    }
    // Of 41 possible draws, 1 selects weight 0, and 10 and 30 select the others.
    for (target, share) in [("heavy.", 30), ("light.", 10), ("spare.", 1)] {
        let (times, expected) = (first[target], 4000 * share / 41);
        assert!(times.abs_diff(expected) < 120 && times > 0, "{target} {times} {expected}");
    }
}

#[test]
fn servers_without_weights_share_equally_and_a_seed_fixes_the_order() {
    let data = [srv(1, 0, "a"), srv(1, 0, "b"), srv(1, 0, "c")];
    let data: Vec<_> = data.iter().map(|data| &data[..]).collect();
    let mut first = BTreeMap::new();
    for shuffle_seed in 0..300 {
        let answer = answer_with_seed(shuffle_seed, RecordType::SRV, &data);
        let order = targets(&answer.srv().unwrap());
        assert_eq!(targets(&answer.srv().unwrap()), order);
        *first.entry(order.split_once(' ').unwrap().0.to_owned()).or_insert(0) += 1;
    }
    assert!(first.len() == 3 && first.values().all(|times| *times > 60), "{first:?}");
}

#[test]
fn sum_of_the_largest_weights_does_not_overflow() {
    let data: Vec<_> = (0..300).map(|number| srv(1, u16::MAX, &format!("{number}.a"))).collect();
    let data: Vec<_> = data.iter().map(|data| &data[..]).collect();
    assert_eq!(answer(RecordType::SRV, &data).srv().unwrap().len(), 300);
}

#[test]
fn srv_record_with_the_root_as_target_is_no_service() {
    assert!(has_no_service(&answer(RecordType::SRV, &[&srv(0, 0, ".")]).srv()));
    let servers = answer(RecordType::SRV, &[&srv(0, 0, "."), &srv(1, 1, "a")]).srv().unwrap();
    assert_eq!(targets(&servers), "a.");
}

#[test]
fn strings_of_a_txt_record_are_concatenated() {
    let data: [&[u8]; 4] = [b"\x07v=spf1 \x04-all", b"\x00", b"\x02\xff\x00\x00\x01.", b""];
    let texts = answer(RecordType::TXT, &data).txt().unwrap();
    assert_eq!(texts, [&b"v=spf1 -all"[..], b"", b"\xff\x00.", b""]);
}

#[test]
fn caa_properties_keep_known_and_unknown_tags() {
    let data: [&[u8]; 3] = [b"\x00\x05issueca.example", b"\x80\x03tbsx", b"\x00\x09issuewild;"];
    let properties = answer(RecordType::CAA, &data).caa().unwrap();
    let shown: Vec<_> = properties
        .iter()
        .map(|property| (&property.tag[..], &property.value[..], property.issuer_critical))
        .collect();
    assert_eq!(
        shown,
        [("issue", &b"ca.example"[..], false), ("tbs", b"x", true), ("issuewild", b";", false)]
    );
}

#[test]
fn all_parameters_of_a_service_are_parsed() {
    let ipv6 = [[0x20, 1, 0xd, 0xb8], [0; 4], [0; 4], [0, 0, 0, 1]].concat();
    let data = service(
        1,
        ".",
        &[
            (0, &[0, 1, 0, 3]),
            (1, b"\x02h2\x02h3"),
            (3, &8443_u16.to_be_bytes()),
            (4, &[192, 0, 2, 1, 192, 0, 2, 2]),
            (5, b"ech"),
            (6, &ipv6),
            (7, b"/dns-query{?dns}"),
            (65280, b"own"),
        ],
    );
    let ServiceBinding::Services(services) = answer(RecordType::HTTPS, &[&data]).https().unwrap() else {
        panic!("an alias");
    };
    let [service] = &services[..] else { panic!("{services:?}") };
    assert_eq!((service.priority, service.target.to_ascii()), (1, "example.com.".to_owned()));
    assert_eq!(service.alpn, [&b"h2"[..], b"h3", b"http/1.1"]);
    assert_eq!((service.port, service.ech.as_deref()), (Some(8443), Some(&b"ech"[..])));
    assert_eq!(service.ipv4_hints, [[192, 0, 2, 1].into(), std::net::Ipv4Addr::from([192, 0, 2, 2])]);
    assert_eq!(service.ipv6_hints, ["2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap()]);
    assert_eq!(service.doh_path.as_deref(), Some("/dns-query{?dns}"));
    assert_eq!((&service.mandatory[..], &service.others[..]), (&[1, 3][..], &[(65280, b"own".to_vec())][..]));
}

/// The protocols of an answer's services.
fn alpn(binding: Result<ServiceBinding, Error>) -> Vec<Vec<String>> {
    let Ok(ServiceBinding::Services(services)) = binding else { panic!("{binding:?}") };
    let text = |protocol: &Vec<u8>| String::from_utf8(protocol.clone()).unwrap();
    services.iter().map(|service| service.alpn.iter().map(text).collect()).collect()
}

#[test]
fn http_1_is_the_default_of_https_only_and_can_be_excluded() {
    let bare = service(1, ".", &[]);
    assert_eq!(alpn(answer(RecordType::HTTPS, &[&bare]).https()), [["http/1.1"]]);
    assert_eq!(alpn(answer(RecordType::SVCB, &[&bare]).svcb()), [[""; 0]]);
    let named = service(1, ".", &[(1, b"\x08http/1.1\x02h2")]);
    assert_eq!(alpn(answer(RecordType::HTTPS, &[&named]).https()), [["http/1.1", "h2"]]);
    let declined = service(1, ".", &[(1, b"\x02h2"), (2, b"")]);
    assert_eq!(alpn(answer(RecordType::HTTPS, &[&declined]).https()), [["h2"]]);
}

#[test]
fn only_incompatible_services_are_skipped() {
    let good = service(9, "good.example", &[]);
    for parameters in [
        // A mandatory parameter that is unknown, and one that is missing.
        &[(0, &[0xff, 0][..]), (65280, b"x")][..],
        &[(0, &[0, 3])],
        // The default protocols are excluded and no others are given.
        &[(2, &[])],
    ] {
        let data = service(1, "bad.example", parameters);
        let binding = answer(RecordType::HTTPS, &[&data, &good]).https().unwrap();
        let ServiceBinding::Services(services) = binding else { panic!("an alias") };
        assert_eq!(services.iter().map(|service| service.priority).collect::<Vec<_>>(), [9]);
    }
}

#[test]
fn one_malformed_service_makes_the_whole_set_an_error() {
    let good = service(1, "good.example", &[]);
    for parameters in [
        // Out of order, and duplicate.
        &[(3, &[1, 187][..]), (1, b"\x02h2")][..],
        &[(3, &[1, 187]), (3, &[1, 187])],
        // Values that do not have the format of their keys.
        &[(0, &[])],
        &[(0, &[0])],
        &[(0, &[0, 0])],
        &[(0, &[0, 3, 0, 1]), (1, b"\x02h2"), (3, &[1, 187])],
        &[(0, &[0, 3, 0, 3]), (3, &[1, 187])],
        &[(1, &[])],
        &[(1, &[0])],
        &[(1, b"\x03h2")],
        &[(1, b"\x02h2"), (2, b"x")],
        &[(3, &[1])],
        &[(3, &[0, 1, 187])],
        &[(4, &[])],
        &[(4, &[192, 0, 2])],
        &[(6, &[0; 4])],
        &[(7, &[0xff])],
    ] {
        let data = service(1, "bad.example", parameters);
        let binding = answer(RecordType::HTTPS, &[&good, &data]).https();
        assert!(is_malformed(&binding, RecordType::HTTPS), "{parameters:?} {binding:?}");
    }
    let whole = service(1, "a.example", &[(3, &[1, 187])]);
    for length in 0..whole.len() {
        // A record that ends after the target has no parameters, and is complete.
        let is_whole = length == whole.len() - 6;
        let binding = answer(RecordType::SVCB, &[&whole[..length]]).svcb();
        assert_eq!(is_malformed(&binding, RecordType::SVCB), !is_whole, "{length} {binding:?}");
    }
}

#[test]
fn alias_takes_precedence_over_services() {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    let (alias, other) = (service(0, "pool.example", &[]), service(1, ".", &[]));
    let binding = answer(RecordType::HTTPS, &[&other, &alias]).https().unwrap();
    assert_eq!(binding, ServiceBinding::Alias(name("pool.example.")));
    // Parameters of an alias are ignored, even if malformed.
    let odd = [service(0, "pool.example", &[(3, &[1])]), vec![1]].concat();
    assert_eq!(
        answer(RecordType::HTTPS, &[&odd]).https().unwrap(),
        ServiceBinding::Alias(name("pool.example."))
    );
    assert!(has_no_service(&answer(RecordType::HTTPS, &[&service(0, ".", &[])]).https()));
}

#[test]
fn services_are_sorted_by_priority() {
    let data = [service(3, "c", &[]), service(1, "a", &[]), service(2, "b", &[])];
    let data: Vec<_> = data.iter().map(|data| &data[..]).collect();
    let Ok(ServiceBinding::Services(services)) = answer(RecordType::SVCB, &data).svcb() else { panic!() };
    assert_eq!(services.iter().map(|service| service.priority).collect::<Vec<_>>(), [1, 2, 3]);
}
