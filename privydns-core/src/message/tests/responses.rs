//! Checks of a response's header, question and EDNS.

use super::*;
use crate::ResponseCode;

/// Conformance 6: the question is compared by name, type and class.
#[test]
fn response_must_have_the_querys_question() {
    let query = query("www.example.com", RecordType::A);
    let response = Response::to(&query);
    assert_eq!(check_response(&response.bytes, &query), Ok(()));

    let mut shouted = response.clone();
    shouted.bytes[12..29].make_ascii_uppercase();
    assert_eq!(check_response(&shouted.bytes, &query), Ok(()));

    for other in
        ["www.example.org", "example.com", "www.www.example.com", ".", "wwwxexample.com", r"www\.example.com"]
    {
        let other = Query::new(other, RecordType::A).unwrap();
        assert_eq!(check_response(&response.bytes, &other), Err(MessageError::WrongQuestion), "{other:?}");
    }
    let other_type = Query::new("www.example.com", RecordType::AAAA).unwrap();
    assert_eq!(check_response(&response.bytes, &other_type), Err(MessageError::WrongQuestion));
    let mut other_class = response;
    *other_class.bytes.last_mut().unwrap() = 3;
    assert_eq!(check_response(&other_class.bytes, &query), Err(MessageError::WrongQuestion));
}

/// Conformance 7: only a response to a standard query is accepted.
#[test]
fn header_must_be_of_a_response() {
    let query = query("example.com", RecordType::A);
    let with = |at: usize, byte: u8| {
        let mut response = Response::to(&query);
        response.bytes[at] = byte;
        check_response(&response.bytes, &query)
    };
    assert_eq!(with(2, 0x01), Err(MessageError::NotResponse));
    assert_eq!(with(2, 0x81 | 4 << 3), Err(MessageError::Opcode(4)));
    assert_eq!(with(5, 2), Err(MessageError::QuestionCount(2)));
    assert_eq!(with(4, 1), Err(MessageError::QuestionCount(257)));
    assert_eq!(with(5, 0), Err(MessageError::NoQuestion));
    assert_eq!(check_response(&[], &query), Err(MessageError::TooShort));
    assert_eq!(check_response(&[0x80; 11], &query), Err(MessageError::TooShort));
    assert_eq!((id_of(&[0]), id_of(&[1, 2])), (None, Some(0x0102)));
}

#[test]
fn only_failures_may_omit_the_question() {
    let query = query("example.com", RecordType::A);
    let with_rcode = |rcode: u8| {
        let bytes = [0, 0, 0x80, rcode, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(check_response(&bytes, &query).is_ok(), Message::parse(Arc::from(bytes), &query).is_ok());
        Message::parse(Arc::from(bytes), &query)
    };
    for rcode in [NOERROR, NXDOMAIN] {
        assert_eq!(with_rcode(rcode), Err(MessageError::NoQuestion));
    }
    for rcode in [1, 2, 4, 5, 15] {
        let message = with_rcode(rcode).unwrap();
        assert_eq!((message.outcome(), message.rcode()), (Outcome::Failure, u16::from(rcode).into()));
        assert_eq!(message.target(), QueryName::root());
        assert!(!message.is_answer_to(&query) && message.chain().is_none());
    }
}

#[test]
fn message_has_at_most_65535_bytes() {
    let query = query("example.com", RecordType::A);
    let mut response = Response::to(&query);
    response.bytes.resize(MAX_MESSAGE, 0);
    assert!(response.parse(&query).is_ok());
    response.bytes.push(0);
    assert_eq!(response.parse(&query), Err(MessageError::TooLong));
    assert_eq!(check_response(&response.bytes, &query), Err(MessageError::TooLong));
}

#[test]
fn outcomes_are_distinguished() {
    let query = query("example.com", RecordType::A);
    let empty = Response::to(&query);
    let outcome = |response: &Response| response.parse(&query).unwrap().outcome();
    assert_eq!(outcome(&empty.clone().a("example.com", 60, [192, 0, 2, 1])), Outcome::Records);
    assert_eq!(outcome(&empty), Outcome::NoData);
    assert_eq!(outcome(&empty.clone().rcode(NXDOMAIN)), Outcome::NxDomain);
    assert_eq!(outcome(&empty.clone().rcode(SERVFAIL)), Outcome::Failure);
    // NOERROR in the header, BADVERS with the bits from EDNS.
    let badvers = empty.clone().opt(1, &[]).parse(&query).unwrap();
    assert_eq!((badvers.outcome(), badvers.rcode()), (Outcome::Failure, ResponseCode::BADVERS));
    let unknown = empty.rcode(NXDOMAIN).opt(0xff, &[]).parse(&query).unwrap();
    assert_eq!((unknown.outcome(), unknown.rcode()), (Outcome::Failure, ResponseCode::Unknown(0xff3)));
}

/// Conformance 41.
#[test]
fn ad_is_ignored_unless_requested() {
    let plain = query("example.com", RecordType::A);
    let is_authenticated =
        |query: &Query, response: Response| response.parse(query).unwrap().is_authenticated();
    let response = Response::to(&plain);
    assert!(is_authenticated(&plain, response.clone().authenticated()));
    assert!(!is_authenticated(&plain, response.clone()));
    let unchecked = plain.checking_disabled(true);
    assert!(!is_authenticated(&unchecked, response.clone().authenticated()));
    assert!(is_authenticated(&unchecked.dnssec_ok(true), response.authenticated()));
}

/// Conformance 42: several options with any response code, whose meaning they do not change.
#[test]
fn extended_errors_are_returned_in_order() {
    let query = query("example.com", RecordType::A);
    let options = [
        option(15, b"\x00\x16at delegation example.com."),
        option(65001, b"?"),
        option(15, b"\x00"),
        option(15, b"\x00\x03"),
        option(15, b"\xff\xff\x1b[31mred\n\0"),
        option(15, b"\x00\x00\xffnot UTF-8"),
    ]
    .concat();
    for rcode in [NOERROR, SERVFAIL, NXDOMAIN] {
        let message = Response::to(&query).rcode(rcode).opt(0, &options).parse(&query).unwrap();
        assert_eq!(message.rcode(), u16::from(rcode).into());
        let errors = message.extended_errors();
        let shown: Vec<_> = errors.iter().map(|error| format!("{error:#}")).collect();
        assert_eq!(
            shown,
            [
                "EDE 22 (No Reachable Authority): at delegation example.com.",
                "EDE 3 (Stale Answer)",
                r"EDE 65535: \u{1b}[31mred\n",
                "EDE 0 (Other Error): \u{fffd}not UTF-8",
            ]
        );
        assert!(errors.iter().all(|error| !error.to_string().contains("example")));
    }
    assert_eq!(Response::to(&query).parse(&query).unwrap().extended_errors(), []);
}

/// Conformance 10.
#[test]
fn keepalive_is_read_before_and_after_parsing() {
    let query = query("example.com", RecordType::A);
    let rows: [(&[u8], Option<Duration>); 5] = [
        (&option(11, &[0, 100]), Some(Duration::from_secs(10))),
        (&option(11, &[0, 0]), Some(Duration::ZERO)),
        (&option(11, &[0xff, 0xff]), Some(Duration::from_millis(6_553_500))),
        (&option(11, &[]), None),
        (&option(12, &[0, 100]), None),
    ];
    for (options, keepalive) in rows {
        let response = Response::to(&query).a("example.com", 60, [192, 0, 2, 1]).opt(0, options);
        assert_eq!(keepalive_of(&response.bytes), keepalive);
        assert_eq!(response.parse(&query).unwrap().keepalive(), keepalive);
    }
    let no_edns = Response::to(&query);
    assert_eq!((keepalive_of(&no_edns.bytes), no_edns.parse(&query).unwrap().keepalive()), (None, None));
    let no_question = [
        &[0, 0, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &[0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 6],
        &option(11, &[0, 1]),
    ]
    .concat();
    assert_eq!(keepalive_of(&no_question), Some(Duration::from_millis(100)));
}

#[test]
fn bytes_after_the_last_record_are_ignored() {
    let query = query("example.com", RecordType::A);
    let whole = Response::to(&query).a("example.com", 60, [192, 0, 2, 1]);
    let mut longer = whole.clone();
    longer.bytes.extend_from_slice(b"what is this?");
    let message = longer.parse(&query).unwrap();
    assert_eq!(message.as_wire(), whole.bytes);
    assert_eq!(longer.answer(&query, 0).to_wire(), whole.bytes);
}

#[test]
fn message_in_memory_is_little_larger_than_its_bytes() {
    assert!(size_of::<Message>() <= 40, "{}", size_of::<Message>());
    let (query, response) = everything();
    assert_eq!(response.parse(&query).unwrap().size(), response.bytes.len());
}

/// The list has a limit in bytes, in which an error without text counts with its overhead.
#[test]
fn empty_extended_errors_of_a_message_are_limited() {
    let query = query("x.example", RecordType::A);
    let response = Response::to(&query).rcode(SERVFAIL).opt(0, &option(15, &[0, 22]).repeat(10_000));
    assert_eq!(response.parse(&query).unwrap().extended_errors().len(), 4096 / size_of::<ExtendedError>());
}
