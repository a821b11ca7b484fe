//! Known faults in how messages are read. Each test asserts the wrong value of today and is named after the number of
//! the fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a
//! name without `fault`.

mod text;

use std::time::Instant;

use super::*;

/// A denial with the SOA record of an unrelated zone, which has this data, before the record of the right zone.
fn denial_with_two_zones(data: &[u8]) -> Message {
    let denied = query("x.example", RecordType::A);
    Response::to(&denied)
        .rcode(NXDOMAIN)
        .authorities()
        .record(&wire("elsewhere.test"), RecordType::SOA, 600_000, data)
        .record(&wire("example"), RecordType::SOA, 60, &soa(60))
        .parse(&denied)
        .unwrap()
}

/// Right: the SOA record of `example`, which set the lifetime, and the same lifetime.
#[test]
fn fault_c4_a_denial_below_shows_another_soa_than_set_the_lifetime() {
    let message = denial_with_two_zones(&soa(600_000));
    assert_eq!(message.lifetime(), Lifetime::Negative(60));
    let below = message.denial_of(&query("www.x.example", RecordType::A)).unwrap();
    assert_eq!(below.lifetime(), Lifetime::None);
    let origin = Origin::new(Arc::from("test"), Transport::Tls, 1, Duration::ZERO);
    let soa = "elsewhere.test. 600000 IN SOA ns.example. hostmaster.example. 2026 7200 3600 1209600 600000";
    assert_eq!(lines(Answer::new(below, 0, origin).authorities()), [soa]);
}

/// Right: the malformed record of the other zone is ignored, and the denial below is made.
#[test]
fn fault_c4_a_malformed_soa_of_another_zone_prevents_the_denial_below() {
    let message = denial_with_two_zones(&[63; 30]);
    assert_eq!(message.lifetime(), Lifetime::Negative(60));
    assert_eq!(message.denial_of(&query("www.x.example", RecordType::A)), None);
}

/// A name of 126 labels that differs from others in the last but one.
fn long_name(tail: u8) -> Vec<u8> {
    [&[1, b'a'].repeat(125)[..], &[1, tail, 1, b'e', 0]].concat()
}

/// A full message of A records. The chain to their owner has `links` CNAME records between names of 126 labels.
fn full_message(links: u8) -> (Query, Response) {
    let text = format!("{}b.e", "a.".repeat(125));
    let query = query(&text, RecordType::A);
    let mut response = Response::to(&query);
    let mut owner = QUESTION.to_vec();
    for link in 1..=links {
        let target = u16::try_from(response.bytes.len() + owner.len() + 10).unwrap();
        response = response.record(&owner, RecordType::CNAME, 300, &long_name(b'b' + link));
        owner = (0xc000 | target).to_be_bytes().to_vec();
    }
    while response.bytes.len() + 16 <= MAX_MESSAGE {
        response = response.record(&owner, RecordType::A, 300, &[192, 0, 2, 1]);
    }
    (query, response)
}

/// Right: the records of the answer are found once, in linear time. Parsing then takes about as long with the chain as
/// without; today the chain makes parsing 30 times slower. The test parses each message once and runs for less than two
/// seconds.
#[test]
#[ignore = "measures time"]
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn fault_w6_a_chain_of_long_names_makes_parsing_slow() {
    let [plain, chained] = [0, 15].map(|links| {
        let (query, response) = full_message(links);
        let begun = Instant::now();
        assert_eq!(response.parse(&query).unwrap().outcome(), Outcome::Records);
        begun.elapsed()
    });
    assert!(chained > 10 * plain, "{chained:?} {plain:?}");
}

/// Right: the answer is given and not kept, as its network is not that of the query (RFC 7871 section 7.3).
#[test]
fn fault_w12_an_answer_for_another_client_subnet_is_kept() {
    let subnet = ClientSubnet::Prefix { address: [192, 0, 2, 0].into(), length: 24 };
    let query = query("x.example", RecordType::A).with_client_subnet(subnet);
    let other = option(8, &[0, 1, 24, 24, 198, 51, 100]);
    let response = Response::to(&query).a("x.example", 300, [192, 0, 2, 1]).opt(0, &other);
    assert_eq!(response.parse(&query).unwrap().lifetime(), Lifetime::Positive(300));
}

/// Right: another outcome or an error, as a referral does not say that the name has no such record (RFC 2308 section
/// 2.2).
#[test]
fn fault_w12_a_referral_is_no_data() {
    let query = query("www.example.com", RecordType::A);
    let referral = Response::to(&query)
        .authorities()
        .record(&wire("example.com"), RecordType::NS, 60, &wire("ns.example.com"))
        .additionals()
        .a("ns.example.com", 60, [192, 0, 2, 1]);
    assert_eq!(referral.parse(&query).unwrap().outcome(), Outcome::NoData);
}

/// Right: another outcome or an error, as the message does not say whether the name at the end of the chain has records.
#[test]
fn fault_w12_a_chain_without_its_end_is_no_data() {
    let query = query("www.example.com", RecordType::A);
    let cut = Response::to(&query).cname("www.example.com", 60, "cdn.example.net");
    assert_eq!(cut.parse(&query).unwrap().outcome(), Outcome::NoData);
}
