//! CNAME chains (conformance 43).

use super::chain::MAX_CHAIN;
use super::*;

fn name(index: usize) -> String {
    format!("n{index}.example")
}

/// A chain of this many CNAME records that ends in an address.
fn chain_of(links: usize) -> Response {
    let chain = (0..links).fold(Response::to(&query("n0.example", RecordType::A)), |response, index| {
        response.cname(&name(index), 300, &name(index + 1))
    });
    chain.a(&name(links), 60, [192, 0, 2, 1])
}

/// The same response with its answer section in reverse order.
fn reversed(query: &Query, response: &Response) -> Response {
    let answer = response.answer(query, 0);
    let mut records: Vec<_> = answer.answers().collect();
    records.reverse();
    records.into_iter().fold(Response::to(query), |response, record| {
        let owner = wire(&record.name().to_ascii());
        response.record(&owner, record.record_type(), record.ttl(), record.data_bytes())
    })
}

#[test]
fn chain_is_followed_to_its_end_in_any_order() {
    let query = query("N0.example", RecordType::A);
    for links in 0..=MAX_CHAIN {
        let response = chain_of(links);
        for response in [reversed(&query, &response), response] {
            let answer = response.answer(&query, 0);
            assert_eq!(answer.outcome(), Outcome::Records);
            assert_eq!(answer.canonical_name().to_ascii(), format!("{}.", name(links)));
            assert_eq!(answer.records().count(), links + 1);
            assert!(answer.addresses().eq([std::net::IpAddr::from([192, 0, 2, 1])]));
        }
    }
    assert_eq!(chain_of(MAX_CHAIN + 1).parse(&query), Err(MessageError::ChainTooLong));
    assert!(MessageError::ChainTooLong.to_string().contains(&MAX_CHAIN.to_string()));
}

#[test]
fn cname_loop_is_an_error() {
    let query = query("n0.example", RecordType::A);
    let response = Response::to(&query);
    let rows = [
        response.clone().cname("n0.example", 60, "n0.example"),
        response.clone().cname("n0.example", 60, "N1.example").cname("n1.example", 60, "n0.EXAMPLE"),
        response.clone().cname("n2.example", 60, "n1.example").cname("n0.example", 60, "n1.example").cname(
            "n1.example",
            60,
            "n2.example",
        ),
        response.clone().record(QUESTION, RecordType::CNAME, 60, QUESTION),
    ];
    for response in rows {
        assert_eq!(response.parse(&query), Err(MessageError::CnameLoop));
    }
    // A loop that the question does not lead into is ignored.
    let aside = response.cname("n8.example", 60, "n9.example").cname("n9.example", 60, "n8.example");
    assert_eq!(aside.parse(&query).unwrap().outcome(), Outcome::NoData);
}

#[test]
fn duplicate_cname_record_is_not_a_loop() {
    let query = query("n0.example", RecordType::A);
    let twice = Response::to(&query)
        .cname("n0.example", 60, "n1.example")
        .cname("n0.example", 60, "n1.example")
        .a("n1.example", 60, [192, 0, 2, 1]);
    assert_eq!(twice.parse(&query).unwrap().outcome(), Outcome::Records);
}

#[test]
fn records_off_the_chain_are_skipped() {
    let query = query("n0.example", RecordType::A);
    let answer = Response::to(&query)
        .a("evil.example", 5, [203, 0, 113, 1])
        .cname("n0.example", 300, "n1.example")
        .record(&wire("n1.example"), RecordType::TXT, 1, b"\x04text")
        .record_in(3, &wire("n1.example"), RecordType::A, 1, &[203, 0, 113, 2])
        .a("N1.Example", 60, [192, 0, 2, 1])
        .cname("evil.example", 5, "n1.example")
        .record(&wire("example"), RecordType::RRSIG, 1, &[0; 20])
        .answer(&query, 0);
    assert_eq!(
        lines(answer.records()),
        ["n0.example. 300 IN CNAME n1.example.", "N1.Example. 60 IN A 192.0.2.1"]
    );
    assert_eq!(answer.ttl(), Some(60));
    assert_eq!(answer.answers().count(), 7);
}

#[test]
fn chain_may_end_in_nodata_or_nxdomain() {
    let query = query("n0.example", RecordType::A);
    let dangling = Response::to(&query).cname("n0.example", 300, "gone.example");
    let answer = dangling.clone().answer(&query, 0);
    assert_eq!(answer.outcome(), Outcome::NoData);
    assert_eq!(answer.canonical_name().to_ascii(), "gone.example.");
    assert_eq!(lines(answer.records()), ["n0.example. 300 IN CNAME gone.example."]);
    let denied = dangling.rcode(NXDOMAIN).parse(&query).unwrap();
    assert_eq!(
        (denied.outcome(), denied.target().to_string()),
        (Outcome::NxDomain, "gone.example.".to_owned())
    );
}

#[test]
fn chain_is_not_followed_for_cname_and_any_queries() {
    for record_type in [RecordType::CNAME, RecordType::ANY] {
        let query = query("n0.example", record_type);
        let answer = Response::to(&query)
            .cname("n0.example", 300, "n1.example")
            .a("n1.example", 60, [192, 0, 2, 1])
            .answer(&query, 0);
        assert_eq!(answer.outcome(), Outcome::Records);
        assert_eq!(answer.canonical_name().to_ascii(), "n0.example.");
        assert_eq!((answer.records().count(), answer.ttl()), (1, Some(300)));
    }
}

#[test]
fn cname_data_must_be_exactly_one_name() {
    let query = query("n0.example", RecordType::A);
    let with = |data: &[u8]| Response::to(&query).record(QUESTION, RecordType::CNAME, 60, data).parse(&query);
    assert_eq!(with(b"\x01a\0\0"), Err(MessageError::Data(RecordType::CNAME)));
    assert_eq!(with(b"\x01a"), Err(MessageError::UnexpectedEnd));
    assert_eq!(with(b""), Err(MessageError::UnexpectedEnd));
    assert_eq!(with(b"\xc0"), Err(MessageError::UnexpectedEnd));
    assert_eq!(with(b"\xc0\xff"), Err(MessageError::Pointer));
    assert_eq!(with(b"\x80"), Err(MessageError::LabelType(0x80)));
    // The name must not extend beyond the record.
    let beyond =
        Response::to(&query).record(QUESTION, RecordType::CNAME, 60, b"\x01a").a(".", 60, [192, 0, 2, 1]);
    assert_eq!(beyond.parse(&query), Err(MessageError::Data(RecordType::CNAME)));
}

/// The message that takes the most work: CNAME records in the worst order, and as many other records as fit.
/// Their owners, which are mostly pointers, are compared with each name on the chain.
#[test]
fn most_expensive_message_is_parsed_in_bounded_time() {
    let query = query("n0.example", RecordType::A);
    let mut response = Response::to(&query);
    for index in (0..MAX_CHAIN).rev() {
        response = response.cname(&name(index), 60, &name(index + 1));
    }
    let pointers_at = u16::try_from(response.bytes.len()).unwrap() + 2 + 10;
    let pointer = |index: u16| (0xc000 | (pointers_at + 2 * index)).to_be_bytes();
    let depth = u16::from(wire::MAX_POINTERS) - 2;
    // The pointers lead to `example.`, which is the common suffix of the names on the chain.
    let pointers: Vec<u8> = [0xc0, 15].into_iter().chain((0..depth).flat_map(pointer)).collect();
    response = response.record(QUESTION, RecordType::from(65280), 60, &pointers);
    while response.bytes.len() < MAX_MESSAGE - 16 {
        response = response.record(&pointer(depth), RecordType::A, 60, &[192, 0, 2, 1]);
    }
    let answer = response.answer(&query, 0);
    assert_eq!(answer.canonical_name().to_ascii(), format!("{}.", name(MAX_CHAIN)));
    assert_eq!(answer.answers().last().unwrap().name().to_ascii(), "example.");
    assert_eq!((answer.records().count(), answer.outcome()), (MAX_CHAIN, Outcome::NoData));
    assert!(answer.answers().count() > 4000);
}
