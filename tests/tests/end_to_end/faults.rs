//! The effect of each fault of a single answer on the caller.

use std::time::{Duration, Instant};

use privydns_core::{Answer, Cause, Error, HttpProblem, MessageError, Outcome, Query, RecordType};
use privydns_tests::frame::{Frame, header_block};
use privydns_tests::{
    End, Http1Fault, Http2Fault, HttpFault, LastStream, MessageFault, Moment, QueryFault, Script, Server,
    When,
};

use crate::backend::TestResolver;
use crate::bench::{Bench, Carrier, cause, in_parallel};

const WWW: &str = "www.example.test";

/// The timeout of lookups that only their deadline can end.
const SHORT: Duration = Duration::from_millis(300);

/// A server whose answers all have this fault, and a resolver that makes one attempt.
fn with(bench: &Bench, fault: impl Into<QueryFault>) -> (Server, Box<dyn TestResolver>) {
    let server = bench.setup().script(Script::new().on_query(.., fault)).start();
    let resolver = bench.build(bench.config(&[&server]).attempts(1));
    (server, resolver)
}

fn ask(bench: &Bench, fault: impl Into<QueryFault>) -> Result<Answer, Error> {
    with(bench, fault).1.lookup(WWW, RecordType::A)
}

/// The cause of the error after this fault.
fn cause_of(bench: &Bench, fault: impl Into<QueryFault>) -> Cause {
    cause(ask(bench, fault))
}

/// Whether a lookup with this fault gets the correct answer in one attempt.
fn is_harmless(bench: &Bench, fault: impl Into<QueryFault>) -> bool {
    let answer = ask(bench, fault).unwrap();
    answer.outcome() == Outcome::Records && answer.addresses().count() == 1 && answer.attempts() == 1
}

/// Conformance 3, 6 and 33: clients must not depend on how bytes are divided into records and frames.
pub(crate) fn record_and_frame_boundaries_do_not_matter(bench: &Bench) {
    for fault in [
        QueryFault::Split(1),
        QueryFault::Split(100),
        QueryFault::Delay(Duration::from_millis(5)),
        QueryFault::EndAfter(End::CloseNotify),
        QueryFault::EndAfter(End::Fin),
        MessageFault::Trailing(7).into(),
    ] {
        assert!(is_harmless(bench, fault.clone()), "{fault:?}");
    }
    if bench.carrier == Carrier::Dot {
        assert!(is_harmless(bench, QueryFault::Repeat(2)));
    }
}

/// Conformance 6.
pub(crate) fn reordered_and_coalesced_answers_match_their_queries(bench: &Bench) {
    if bench.is_serial() {
        return;
    }
    for fault in [QueryFault::Reorder(5), QueryFault::Coalesce(5)] {
        let (_server, resolver) = with(bench, fault);
        let name = |number: usize| format!("{number}.many.example.test");
        let queries = (0..10).map(|number| Query::new(&name(number), RecordType::A).unwrap()).collect();
        for (number, result) in resolver.query_all(queries).into_iter().enumerate() {
            let expected = privydns_tests::zone::many_address(&name(number));
            assert_eq!(result.unwrap().addresses().collect::<Vec<_>>(), [expected]);
        }
    }
}

/// Conformance 12: the lookup ends not before its deadline, and not long after.
pub(crate) fn unanswered_lookup_ends_at_its_deadline(bench: &Bench) {
    let mut faults = vec![QueryFault::Silent];
    if bench.carrier != Carrier::Http2 {
        faults.push(QueryFault::ExcessLength(3));
    }
    in_parallel(faults, |fault| {
        let server = bench.setup().script(Script::new().on_query(.., fault)).start();
        let resolver = bench.build(bench.config(&[&server]).timeout(SHORT));
        let start = Instant::now();
        let error = resolver.lookup(WWW, RecordType::A).unwrap_err();
        let took = start.elapsed();
        assert!(error.is_timeout(), "{error}");
        assert!(took >= SHORT && took < 10 * SHORT, "{took:?}");
    });
}

/// Conformance 7: over DoT, such a message is ignored, since it may belong to another query. Over HTTP, it can
/// belong only to this query.
pub(crate) fn answers_to_other_questions_are_rejected(bench: &Bench) {
    let faults = [
        (MessageFault::WrongName, MessageError::WrongQuestion),
        (MessageFault::WrongType, MessageError::WrongQuestion),
        (MessageFault::WrongClass, MessageError::WrongQuestion),
        (MessageFault::NoQuestion, MessageError::NoQuestion),
        (MessageFault::TwoQuestions, MessageError::QuestionCount(2)),
        (MessageFault::NotAResponse, MessageError::NotResponse),
        (MessageFault::WrongOpcode, MessageError::Opcode(2)),
    ];
    if bench.is_http() {
        for (fault, expected) in faults {
            assert_eq!(cause_of(bench, fault.clone()), Cause::Malformed(expected), "{fault:?}");
        }
        return;
    }
    let faults = faults.map(|(fault, _)| fault);
    in_parallel(faults.into_iter().chain([MessageFault::WrongId, MessageFault::Garbage]), |fault| {
        let script = Script::new().on_query(.., QueryFault::Repeat(2)).on_query(.., fault.clone());
        let server = bench.setup().script(script).start();
        let resolver = bench.build(bench.config(&[&server]).timeout(SHORT));
        assert!(resolver.lookup(WWW, RecordType::A).unwrap_err().is_timeout(), "{fault:?}");
    });
}

pub(crate) fn malformed_messages_are_errors(bench: &Bench) {
    for (fault, expected) in
        [(MessageFault::Cut, MessageError::UnexpectedEnd), (MessageFault::PointerLoop, MessageError::Pointer)]
    {
        assert_eq!(cause_of(bench, fault.clone()), Cause::Malformed(expected), "{fault:?}");
    }
    match cause_of(bench, MessageFault::CutTo(5)) {
        Cause::Malformed(MessageError::TooShort) => assert!(bench.is_http()),
        Cause::Protocol(problem) => assert_eq!((problem.protocol, bench.is_http()), ("dot", false)),
        other => panic!("{other}"),
    }
    if bench.is_http() {
        assert_eq!(cause_of(bench, MessageFault::CutTo(0)), Cause::Http(HttpProblem::EmptyBody));
        assert_eq!(cause_of(bench, HttpFault::oversize()), Cause::Http(HttpProblem::BodyTooLong));
    }
}

/// Conformance 36.
pub(crate) fn truncated_answer_is_reported_and_not_cached(bench: &Bench) {
    let (server, resolver) = with(bench, MessageFault::TruncatedFlag);
    for asked in 1..=2 {
        assert!(resolver.lookup(WWW, RecordType::A).unwrap().is_truncated());
        assert_eq!(server.seen().query_count, asked);
    }
}

/// Conformance 37.
pub(crate) fn excessive_ttl_is_capped(bench: &Bench) {
    let (_server, resolver) = with(bench, MessageFault::Ttl(0x8000_0001));
    for is_cached in [false, true] {
        let answer = resolver.lookup(WWW, RecordType::A).unwrap();
        assert_eq!(answer.is_cached(), is_cached);
        assert!(answer.ttl().is_some_and(|ttl| ttl <= 604_800), "{answer:?}");
    }
}

/// Conformance 9: the connection had no answer before, so that its loss counts as an attempt.
pub(crate) fn connection_that_ends_before_the_answer_is_an_error(bench: &Bench) {
    for end in [End::CloseNotify, End::Fin, End::Reset] {
        match cause_of(bench, QueryFault::EndBefore(end)) {
            Cause::Closed => {}
            // If the server requested a certificate, an end before the first answer may be a refusal.
            Cause::ClientCertificate(_) => assert!(bench.is_mutual),
            other => panic!("{end:?}: {other}"),
        }
    }
    assert!(matches!(cause_of(bench, QueryFault::EndBefore(End::BadRecord)), Cause::Tls(_)));
}

pub(crate) fn query_is_retried_if_the_connection_breaks(bench: &Bench) {
    for fault in [
        QueryFault::EndBefore(End::Reset),
        QueryFault::EndBefore(End::CloseNotify),
        QueryFault::EndBefore(End::BadRecord),
    ] {
        // The second query has the fault. After the first answer, the client certificate is known to be
        // accepted.
        let (server, resolver) = bench.start(Script::new().on_query(2, fault.clone()));
        resolver.lookup(WWW, RecordType::AAAA).unwrap();
        assert_eq!(resolver.lookup(WWW, RecordType::A).unwrap().addresses().count(), 1, "{fault:?}");
        assert_eq!((server.seen().query_count, server.seen().connections.len()), (3, 2), "{fault:?}");
    }
}

/// A fault of one answer does not affect other lookups on the connection.
pub(crate) fn faulty_answer_does_not_affect_other_lookups(bench: &Bench) {
    let mut faults = vec![
        QueryFault::Silent,
        MessageFault::WrongName.into(),
        MessageFault::NotAResponse.into(),
        MessageFault::Cut.into(),
    ];
    if bench.is_http() {
        faults.extend([HttpFault::page(500).into(), HttpFault::Body(Vec::new()).into()]);
    }
    if bench.carrier == Carrier::Http2 {
        faults.push(Http2Fault::ResetStream { moment: Moment::Instead, code: 2 }.into());
        faults.push(Http2Fault::ResetStream { moment: Moment::During, code: 2 }.into());
    }
    in_parallel(faults, |fault| {
        let script = Script::new().on_query(BAD, fault.clone());
        let (bad, others) = query_with_others(bench, script, |query| query.with_timeout(SHORT));
        bad.expect_err("every answer has a fault");
        for result in others {
            assert_eq!(result.unwrap().addresses().count(), 1, "{fault:?}");
        }
    });
}

/// If one query breaks the connection, all queries of the connection are retried.
pub(crate) fn all_queries_of_a_lost_connection_are_retried(bench: &Bench) {
    let mut faults = vec![
        QueryFault::EndBefore(End::Reset),
        QueryFault::EndBefore(End::CloseNotify),
        QueryFault::EndBefore(End::BadRecord),
        MessageFault::CutTo(5).into(),
    ];
    if bench.is_http() {
        faults.push(HttpFault::EndMidBody(End::Fin).into());
    }
    if bench.carrier == Carrier::Http2 {
        faults.push(Http2Fault::GoAway { moment: Moment::Instead, last: LastStream::None, code: 11 }.into());
    }
    for fault in faults {
        let script = Script::new().on_query(When::named(BAD).turns(1), fault.clone());
        let (bad, others) = query_with_others(bench, script, |query| query);
        let is_malformed = fault == MessageFault::CutTo(5).into();
        assert!(bad.is_ok() || is_malformed, "{fault:?}: {bad:?}");
        for result in others {
            assert_eq!(result.unwrap().addresses().count(), 1, "{fault:?}");
        }
    }
}

const BAD: &str = "bad.many.example.test";

/// Queries a name that the script has a fault for, and five other names at the same time, over an established
/// connection.
fn query_with_others(
    bench: &Bench,
    script: Script,
    adapt: impl Fn(Query) -> Query,
) -> (Result<Answer, Error>, Vec<Result<Answer, Error>>) {
    let (_server, resolver) = bench.start(script);
    let query = |name: &str| Query::new(name, RecordType::A).unwrap();
    resolver.query(query(WWW)).unwrap();
    let others = (0..5).map(|number| query(&format!("{number}.many.example.test")));
    let queries = std::iter::once(adapt(query(BAD))).chain(others).collect();
    let mut results = resolver.query_all(queries);
    (results.remove(0), results)
}

/// Conformance 27 to 30.
pub(crate) fn http_failure_is_the_reported_cause(bench: &Bench) {
    if !bench.is_http() {
        return;
    }
    let status = |code, retry_after: Option<u64>| {
        Cause::Http(HttpProblem::Status { code, retry_after: retry_after.map(Duration::from_secs) })
    };
    let refused = HttpFault::page(400);
    for (fault, expected) in [
        (HttpFault::Status(500), status(500, None)),
        (HttpFault::page(502), status(502, None)),
        (HttpFault::page(415), status(415, None)),
        (HttpFault::too_many_requests(9), status(429, Some(9))),
        (HttpFault::unavailable(7), status(503, Some(7))),
        (
            HttpFault::redirect("https://x.test/"),
            Cause::Http(HttpProblem::Redirect { location: "https://x.test/".to_owned() }),
        ),
        (
            HttpFault::ContentType(Some("text/html".to_owned())),
            Cause::Http(HttpProblem::ContentType("text/html".to_owned())),
        ),
        (HttpFault::ContentType(None), Cause::Http(HttpProblem::ContentType(String::new()))),
        (HttpFault::Body(Vec::new()), Cause::Http(HttpProblem::EmptyBody)),
    ] {
        assert_eq!(cause_of(bench, fault.clone()), expected, "{fault:?}");
    }
    match cause_of(bench, refused) {
        Cause::Http(HttpProblem::Status { code: 400, .. }) => assert!(!bench.is_mutual),
        Cause::ClientCertificate(_) => assert!(bench.is_mutual),
        other => panic!("{other}"),
    }
    for end in [End::CloseNotify, End::Fin] {
        let found = cause_of(bench, HttpFault::EndMidBody(end));
        assert!(matches!(found, Cause::Closed | Cause::ClientCertificate(_)), "{end:?}: {found}");
    }
}

pub(crate) fn harmless_http_variations_are_accepted(bench: &Bench) {
    if !bench.is_http() {
        return;
    }
    let parameter = "application/dns-message; charset=utf-8".to_owned();
    for fault in [
        HttpFault::Interim(100),
        HttpFault::Interim(103),
        HttpFault::ContentType(Some(parameter)),
        HttpFault::Trailers(vec![("x-checksum".to_owned(), "1".to_owned())]),
        HttpFault::Header("set-cookie".to_owned(), "a=b".to_owned()),
    ] {
        assert!(is_harmless(bench, fault.clone()), "{fault:?}");
    }
    assert_eq!(ask(bench, HttpFault::age(30)).unwrap().ttl(), Some(270));
}

/// RFC 9112.
pub(crate) fn http1_framing_is_strict(bench: &Bench) {
    if bench.carrier != Carrier::Http1 {
        return;
    }
    for fault in [
        Http1Fault::Chunked(1),
        Http1Fault::Chunked(50),
        Http1Fault::EmptyReason,
        Http1Fault::UntilClose,
        Http1Fault::ConnectionClose,
        Http1Fault::Version10,
        Http1Fault::Leftover(b"leftover".to_vec()),
    ] {
        assert!(is_harmless(bench, fault.clone()), "{fault:?}");
    }
    for fault in [Http1Fault::BadChunk, Http1Fault::ConflictingLengths, Http1Fault::LengthAndChunked] {
        let found = cause_of(bench, fault.clone());
        assert!(matches!(found, Cause::Protocol(_)), "{fault:?}: {found}");
    }
}

/// An unsolicited response must not be taken for the response to the next query.
pub(crate) fn bytes_after_an_http1_response_end_the_connection(bench: &Bench) {
    if bench.carrier != Carrier::Http1 {
        return;
    }
    for fault in [QueryFault::Repeat(2), Http1Fault::Leftover(b"HTTP/1.1 ".to_vec()).into()] {
        let (server, resolver) = bench.start(Script::new().on_query(1, fault.clone()));
        resolver.lookup(WWW, RecordType::A).unwrap();
        let answer = resolver.lookup(WWW, RecordType::AAAA).unwrap();
        assert!(answer.addresses().all(|address| address.is_ipv6()), "{fault:?}");
        assert_eq!(server.seen().connections.len(), 2, "{fault:?}");
    }
}

/// RFC 9113.
pub(crate) fn any_valid_http2_frame_sequence_is_accepted(bench: &Bench) {
    if bench.carrier != Carrier::Http2 {
        return;
    }
    for fault in [
        Http2Fault::DataFrames(1),
        Http2Fault::DataFrames(0),
        Http2Fault::Continuation(1),
        Http2Fault::Continuation(20),
        Http2Fault::Padding(0),
        Http2Fault::Padding(200),
        Http2Fault::Priority,
        Http2Fault::Insert(Moment::Before, Frame::new(0xfa, 0xff, 0, *b"unknown")),
        Http2Fault::Insert(Moment::During, Frame::ping(*b"12345678")),
        Http2Fault::Insert(Moment::During, Frame::settings(&[(1, 0), (3, 1), (4, 1), (5, 20_000)])),
        Http2Fault::GoAway { moment: Moment::Before, last: LastStream::This, code: 0 },
        Http2Fault::GoAway { moment: Moment::During, last: LastStream::Any, code: 0 },
        Http2Fault::GoAway { moment: Moment::After, last: LastStream::This, code: 0 },
    ] {
        assert!(is_harmless(bench, fault.clone()), "{fault:?}");
    }
    let reset = Http2Fault::ResetStream { moment: Moment::During, code: 2 };
    assert_eq!(cause_of(bench, reset), Cause::Http(HttpProblem::StreamReset(2)));
    let promise = Frame::push_promise(Frame::THIS_STREAM, 2, &header_block(&[]));
    let found = cause_of(bench, Http2Fault::Insert(Moment::Before, promise));
    assert!(matches!(found, Cause::Protocol(_)), "{found}");
}

/// RFC 9113 Sections 6.8 and 8.7: unprocessed requests are sent again, at no cost of an attempt.
pub(crate) fn unprocessed_http2_request_is_resent_without_an_attempt(bench: &Bench) {
    if bench.carrier != Carrier::Http2 {
        return;
    }
    for (fault, connections) in [
        (Http2Fault::refused(), 1),
        (Http2Fault::GoAway { moment: Moment::Instead, last: LastStream::Previous, code: 0 }, 2),
        (Http2Fault::GoAway { moment: Moment::During, last: LastStream::None, code: 11 }, 2),
    ] {
        let server = bench.setup().script(Script::new().on_query(1, fault.clone())).start();
        let resolver = bench.build(bench.config(&[&server]).attempts(1));
        let answer = resolver.lookup(WWW, RecordType::A).unwrap();
        assert_eq!((answer.addresses().count(), answer.attempts()), (1, 1), "{fault:?}");
        assert_eq!(server.seen().connections.len(), connections, "{fault:?}");
    }
}
