//! The records of `example.test.`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::svcb::{Alpn, IpHint, SvcParamKey, SvcParamValue};
use hickory_proto::rr::rdata::{A, AAAA, CAA, HTTPS, MX, PTR, SRV, SVCB, TXT};

use super::{Zone, name};

const WWW4: IpAddr = v4(1);
const WWW6: IpAddr = v6(1);

pub(super) fn zone() -> Zone {
    let mut zone = Zone::new("example.test.").apex("2.0.192.in-addr.arpa.").apex("8.b.d.0.1.0.0.2.ip6.arpa.");
    zone = addresses(zone);
    zone = aliases(zone);
    zone = other_types(zone);
    zone = failures(zone);
    zone.many = true;
    zone
}

fn addresses(mut zone: Zone) -> Zone {
    for (owner, ttl, address) in [
        ("example.test.", 300, v4(80)),
        ("example.test.", 300, v6(0x80)),
        ("www.example.test.", 300, WWW4),
        ("www.example.test.", 300, WWW6),
        ("v4only.example.test.", 300, v4(4)),
        ("v6only.example.test.", 300, v6(6)),
        ("ttl0.example.test.", 0, v4(10)),
        ("ttl1.example.test.", 1, v4(11)),
        ("ttl300.example.test.", 300, v4(12)),
        ("ttl86400.example.test.", 86400, v4(13)),
        ("mixed.example.test.", 300, v4(20)),
        ("mixed.example.test.", 60, v4(21)),
        ("mixed.example.test.", 120, v4(22)),
        ("*.wild.example.test.", 300, v4(99)),
        ("secure.example.test.", 300, v4(53)),
    ] {
        zone = zone.address(owner, ttl, address);
    }
    for last in 101..=108 {
        zone = zone.address("multi.example.test.", 300, v4(last));
    }
    zone.authentic("secure.example.test.")
}

fn aliases(zone: Zone) -> Zone {
    zone.alias("alias.example.test.", 300, "www.example.test.")
        .alias("chain.example.test.", 300, "chain2.example.test.")
        .alias("chain2.example.test.", 200, "chain3.example.test.")
        .alias("chain3.example.test.", 100, "chain4.example.test.")
        .alias("chain4.example.test.", 400, "www.example.test.")
        .alias("loop.example.test.", 300, "loop2.example.test.")
        .alias("loop2.example.test.", 300, "loop.example.test.")
        .alias("dangling.example.test.", 300, "nowhere.example.test.")
        .alias("outside.example.test.", 300, "www.elsewhere.test.")
}

fn other_types(mut zone: Zone) -> Zone {
    for (preference, exchange) in
        [(20, "mx2.example.test."), (10, "mx1.example.test."), (30, "mx3.example.test.")]
    {
        zone = zone.record("example.test.", 300, RData::MX(MX::new(preference, name(exchange))));
    }
    for (priority, weight, target) in [(10, 60, "sip1"), (10, 20, "sip2"), (10, 20, "sip3"), (20, 0, "sip4")]
    {
        let target = name(&format!("{target}.example.test."));
        zone =
            zone.record("_sip._tcp.example.test.", 300, RData::SRV(SRV::new(priority, weight, 5060, target)));
    }
    let strings = |count: usize, letter: u8| RData::TXT(TXT::from_bytes(vec![&[letter; 255]; count]));
    for letter in 0..30 {
        zone = zone.record("huge.example.test.", 300, strings(8, b'A' + letter));
    }
    let issue = CAA::new_issue(true, Some(name("ca.example.test.")), Vec::new());
    let alias = SVCB::new(0, name("svc.example.test."), Vec::new());
    let (IpAddr::V4(hint4), IpAddr::V6(hint6)) = (WWW4, WWW6) else { unreachable!("one of each") };
    let service = SVCB::new(
        1,
        name("."),
        vec![
            (SvcParamKey::Alpn, SvcParamValue::Alpn(Alpn(vec!["h2".to_owned(), "h3".to_owned()]))),
            (SvcParamKey::Port, SvcParamValue::Port(8443)),
            (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(vec![A(hint4)]))),
            (SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(vec![AAAA(hint6)]))),
        ],
    );
    let www = || RData::PTR(PTR(name("www.example.test.")));
    zone.record("big.example.test.", 300, strings(20, b'x'))
        .text("example.test.", 300, "v=spf1 -all")
        .text("*.wild.example.test.", 300, "wild")
        .text("*.many.example.test.", 300, "many")
        .record("example.test.", 300, RData::CAA(issue))
        .record("example.test.", 300, RData::HTTPS(HTTPS(alias)))
        .record("svc.example.test.", 300, RData::HTTPS(HTTPS(service)))
        .record("1.2.0.192.in-addr.arpa.", 300, www())
        .record(&format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa.", "0.".repeat(23)), 300, www())
}

fn failures(zone: Zone) -> Zone {
    zone.failure(
        "servfail.example.test.",
        ResponseCode::ServFail,
        Some((22, "no authority could be reached")),
    )
    .failure("refused.example.test.", ResponseCode::Refused, Some((18, "not for you")))
    .failure("notimp.example.test.", ResponseCode::NotImp, None)
    .failure("formerr.example.test.", ResponseCode::FormErr, None)
}

const fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

const fn v6(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))
}
