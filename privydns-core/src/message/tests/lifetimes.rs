//! How long an answer may be cached (conformance 36 to 38).

use super::response::MAX_TTL;
use super::*;

fn lifetime(query: &Query, response: &Response) -> Lifetime {
    response.parse(query).unwrap().lifetime()
}

/// Conformance 37.
#[test]
fn lifetime_is_the_least_ttl_of_chain_and_records() {
    let query = query("a.example", RecordType::A);
    let with = |link: u32, first: u32, second: u32| {
        let response = Response::to(&query)
            .cname("a.example", link, "b.example")
            .a("b.example", first, [192, 0, 2, 1])
            .a("b.example", second, [192, 0, 2, 2])
            .authorities()
            .record(&wire("example"), RecordType::NS, 1, &wire("ns.example"));
        lifetime(&query, &response)
    };
    assert_eq!(with(300, 60, 600), Lifetime::Positive(60));
    assert_eq!(with(10, 60, 600), Lifetime::Positive(10));
    assert_eq!(with(300, 60, 0), Lifetime::None);
    assert_eq!(with(300, 1, 600), Lifetime::Positive(1));
    // RFC 8767 Section 4: with the highest bit set, a TTL is large, not zero.
    assert_eq!(with(u32::MAX, 1 << 31, u32::MAX), Lifetime::Positive(MAX_TTL));
    assert_eq!(with(u32::MAX, 1 << 31, 300), Lifetime::Positive(300));
}

/// Conformance 38.
#[test]
fn denial_lifetime_comes_from_the_soa_record() {
    let query = query("no.such.example", RecordType::A);
    let with = |rcode: u8, zone: &str, ttl: u32, minimum: u32| {
        let response = Response::to(&query).rcode(rcode).authorities();
        lifetime(&query, &response.record(&wire(zone), RecordType::SOA, ttl, &soa(minimum)))
    };
    for rcode in [NOERROR, NXDOMAIN] {
        assert_eq!(with(rcode, "example", 900, 300), Lifetime::Negative(300));
        assert_eq!(with(rcode, "EXAMPLE", 200, 300), Lifetime::Negative(200));
        assert_eq!(with(rcode, "such.example", 900, u32::MAX), Lifetime::Negative(900));
        assert_eq!(with(rcode, ".", 86400, 86400), Lifetime::Negative(86400));
        assert_eq!(with(rcode, "no.such.example", u32::MAX, u32::MAX), Lifetime::Negative(MAX_TTL));
        assert_eq!(with(rcode, "example", 0, 300), Lifetime::None);
        assert_eq!(with(rcode, "example", 300, 0), Lifetime::None);
        // The SOA record of a zone that does not contain the name is ignored.
        assert_eq!(with(rcode, "other", 900, 300), Lifetime::None);
        assert_eq!(with(rcode, "a.no.such.example", 900, 300), Lifetime::None);
        assert_eq!(with(rcode, "ample", 900, 300), Lifetime::None);
        assert_eq!(lifetime(&query, &Response::to(&query).rcode(rcode)), Lifetime::None);
    }
}

/// Conformance 38: the SOA record applies to the end of the chain, and the chain's TTLs limit the result.
#[test]
fn denial_lifetime_is_limited_by_the_chains_ttls() {
    let query = query("www.example", RecordType::A);
    let with = |link: u32, zone: &str| {
        let response =
            Response::to(&query).rcode(NXDOMAIN).cname("www.example", link, "gone.test").authorities();
        lifetime(&query, &response.record(&wire(zone), RecordType::SOA, 900, &soa(600)))
    };
    assert_eq!(with(3600, "test"), Lifetime::Negative(600));
    assert_eq!(with(30, "test"), Lifetime::Negative(30));
    assert_eq!(with(0, "test"), Lifetime::None);
    assert_eq!(with(3600, "example"), Lifetime::None);
}

#[test]
fn malformed_soa_record_is_an_error_only_in_denials() {
    let query = query("no.example", RecordType::A);
    let with = |data: &[u8]| {
        let response = Response::to(&query).rcode(NXDOMAIN).authorities();
        response.record(&wire("example"), RecordType::SOA, 900, data).parse(&query)
    };
    let whole = soa(300);
    assert!(with(&whole).is_ok());
    assert!(with(&[]).is_err());
    assert!(with(&[0x80]).is_err());
    assert_eq!(with(&[&whole[..], &[0]].concat()), Err(MessageError::Data(RecordType::SOA)));
    for length in 0..whole.len() {
        assert!(with(&whole[..length]).is_err());
    }
    // With records in the answer, the SOA record is not read.
    let aside = Response::to(&query).a("no.example", 60, [192, 0, 2, 1]).authorities();
    assert_eq!(
        lifetime(&query, &aside.record(&wire("example"), RecordType::SOA, 1, &[])),
        Lifetime::Positive(60)
    );
}

/// Conformance 36.
#[test]
fn truncated_answers_and_failures_are_not_cacheable() {
    let query = query("a.example", RecordType::A);
    let response = Response::to(&query).a("a.example", 60, [192, 0, 2, 1]);
    let truncated = response.clone().truncated();
    assert!(truncated.parse(&query).unwrap().is_truncated());
    assert_eq!(lifetime(&query, &truncated), Lifetime::None);
    assert_eq!(lifetime(&query, &response.clone().rcode(SERVFAIL)), Lifetime::None);
    assert_eq!(lifetime(&query, &response.opt(1, &[])), Lifetime::None);
}

/// A TTL of 0 is reported, although such an answer is not cached.
#[test]
fn ttl_of_zero_is_reported() {
    let query = query("a.example", RecordType::A);
    let ttl = |response: Response| response.answer(&query, 0).ttl();
    assert_eq!(ttl(Response::to(&query).a("a.example", 0, [192, 0, 2, 1])), Some(0));
    assert_eq!(ttl(Response::to(&query)), None);
    assert_eq!(ttl(Response::to(&query).rcode(SERVFAIL)), None);
}
