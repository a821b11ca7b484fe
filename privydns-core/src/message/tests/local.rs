//! Names that are never sent to an upstream.

use std::net::IpAddr;

use super::*;

fn local(name: &str, record_type: RecordType) -> Option<Answer> {
    local_answer(&query(name, record_type))
}

/// RFC 6761 Section 6.3.
#[test]
fn localhost_is_answered_locally() {
    for name in ["localhost", "LOCALHOST.", "a.b.localhost", "ｌｏｃａｌｈｏｓｔ"] {
        for (record_type, address) in [(RecordType::A, "127.0.0.1"), (RecordType::AAAA, "::1")] {
            let answer = local(name, record_type).unwrap();
            assert!(answer.addresses().eq([address.parse::<IpAddr>().unwrap()]), "{name}");
            assert_eq!((answer.outcome(), answer.ttl()), (Outcome::Records, Some(3600)));
            assert_eq!(
                (answer.transport(), answer.upstream(), answer.attempts()),
                (Transport::Local, "local", 0)
            );
        }
        let answer = local(name, RecordType::MX).unwrap();
        assert_eq!((answer.outcome(), answer.ttl()), (Outcome::NoData, None));
    }
    for name in ["localhost.example", "mylocalhost", "example.com", "."] {
        assert!(local(name, RecordType::A).is_none(), "{name}");
    }
}

#[test]
fn addresses_are_answered_locally() {
    let rows =
        [("192.0.2.1", RecordType::A, RecordType::AAAA), ("2001:db8::1", RecordType::AAAA, RecordType::A)];
    for (text, own, other) in rows {
        let answer = local(text, own).unwrap();
        assert!(answer.addresses().eq([text.parse::<IpAddr>().unwrap()]));
        assert_eq!(local(text, other).unwrap().outcome(), Outcome::NoData);
        assert_eq!(local(text, RecordType::PTR).unwrap().outcome(), Outcome::NoData);
    }
}

/// Conformance 46.
#[test]
fn special_use_names_are_recognized_by_their_domain() {
    let special = |name: &str| special_use(&QueryName::parse(name).unwrap());
    let rows = [
        ("abc.onion", "onion", false),
        ("ONION", "onion", false),
        ("x.y.alt.", "alt", false),
        ("invalid", "invalid", false),
        ("printer.invalid", "invalid", false),
        ("printer.local", "local", true),
        ("254.169.in-addr.arpa", "254.169.in-addr.arpa", true),
        ("1.0.254.169.IN-ADDR.arpa", "254.169.in-addr.arpa", true),
        ("0.8.e.f.ip6.arpa", "8.e.f.ip6.arpa", true),
        ("9.e.f.ip6.arpa", "9.e.f.ip6.arpa", true),
        ("1.a.e.f.ip6.arpa", "a.e.f.ip6.arpa", true),
        ("b.e.f.ip6.arpa", "b.e.f.ip6.arpa", true),
    ];
    for (name, domain, is_routable) in rows {
        assert_eq!(special(name), Some(SpecialUse { domain, is_routable }), "{name}");
    }
    let sent = ["onion.example", "myonion", "local.net", "localhost", "com", ".", "1.168.192.in-addr.arpa"];
    for name in sent.into_iter().chain(["c.e.f.ip6.arpa", "254.169.example", "4.169.in-addr.arpa", "arpa"]) {
        assert_eq!(special(name), None, "{name}");
    }
}

/// Conformance 47.
#[test]
fn types_that_are_no_data_are_recognized() {
    // OPT, TKEY, TSIG, IXFR, AXFR, MAILB and MAILA.
    let meta_types = [41, 249, 250, 251, 252, 253, 254];
    assert!((0..=u16::MAX).filter(|number| is_meta_type(*number)).eq(meta_types));
}

/// RFC 8020 Section 2: a name that does not exist has no names below it.
#[test]
fn denial_of_a_name_answers_queries_for_names_below() {
    let query = query("gone.example.com", RecordType::A);
    // The SOA record's names are compressed with pointers into the original message.
    let denial = Response::to(&query).rcode(NXDOMAIN).authenticated().authorities().record(
        b"\xc0\x11",
        RecordType::SOA,
        900,
        &[b"\x02ns\xc0\x11\x04root\xc0\x0c", &soa(300)[soa(300).len() - 20..]].concat(),
    );
    let message = denial.parse(&query).unwrap();
    assert_eq!(message.target(), *query.name());

    let below = Query::new("a.gone.example.com", RecordType::AAAA).unwrap();
    let made = message.denial_of(&below).unwrap();
    assert!(made.is_answer_to(&below) && !made.is_answer_to(&query) && !made.is_authenticated());
    assert_eq!((made.outcome(), made.lifetime()), (Outcome::NxDomain, message.lifetime()));
    let origin = Origin::new(Arc::from("test"), Transport::Tls, 0, Duration::ZERO);
    assert_eq!(
        lines(Answer::new(made, 100, origin).authorities()),
        ["example.com. 800 IN SOA ns.example.com. root.gone.example.com. 2026 7200 3600 1209600 300"]
    );

    let bare = Response::to(&query).rcode(NXDOMAIN).parse(&query).unwrap();
    assert_eq!(bare.denial_of(&below), None);
    assert_eq!(Response::to(&query).parse(&query).unwrap().denial_of(&below), None);
}
