//! Answers and records, as seen by a caller.

use super::*;
use crate::error::NotFound;
use crate::{DNSClass, RData, rdata};

/// The same answer, marked as stale.
fn stale(response: &Response, query: &Query, age: u32) -> Answer {
    let fresh = response.answer(query, age);
    let origin = Origin { is_cached: true, is_stale: true, ..fresh.origin().clone() };
    Answer::new(fresh.message().clone(), age, origin)
}

#[test]
fn all_sections_are_accessible_and_opt_is_skipped() {
    let (query, response) = everything();
    let answer = response.answer(&query, 0);
    assert_eq!(
        lines(answer.records())[..3],
        [
            "www.example.com. 300 IN CNAME cdn.example.com.",
            "cdn.example.com. 60 IN A 192.0.2.1",
            "cdn.example.com. 60 IN A 192.0.2.2"
        ]
    );
    assert_eq!(answer.records().count(), 4);
    assert_eq!(lines(answer.authorities()), ["example.com. 86400 IN NS ns.example.com."]);
    assert_eq!(lines(answer.additionals()), ["ns.example.com. 3600 IN AAAA 2001:db8::1"]);
    assert_eq!(answer.canonical_name().to_ascii(), "cdn.example.com.");
    assert_eq!(answer.addresses().count(), 2);
    assert!(answer.is_authenticated() && !answer.is_truncated() && !answer.is_cached() && !answer.is_stale());
    assert_eq!((answer.upstream(), answer.transport(), answer.attempts()), ("test", Transport::Tls, 1));
    assert_eq!((answer.elapsed(), answer.not_found()), (Duration::from_millis(5), None));
    assert_eq!(answer.extended_errors()[0].code, 3);
}

#[test]
fn shown_ttls_are_reduced_by_the_age() {
    let (query, response) = everything();
    for (age, left) in [(0, 60), (1, 59), (59, 1), (60, 0), (61, 0), (u32::MAX, 0)] {
        let answer = response.answer(&query, age);
        assert_eq!(answer.ttl(), Some(left));
        assert_eq!(answer.records().nth(1).unwrap().ttl(), left);
        assert_eq!(answer.records().next().unwrap().ttl(), 300_u32.saturating_sub(age));
    }
}

/// Conformance 40: above 0, and 30 s if the TTL has ended.
#[test]
fn stale_records_show_30_seconds() {
    let (query, response) = everything();
    let answer = stale(&response, &query, 299);
    assert_eq!((answer.ttl(), answer.is_stale()), (Some(30), true));
    let ttls: Vec<_> = answer.records().map(|record| record.ttl()).collect();
    assert_eq!(ttls, [1, 30, 30, 30]);
}

#[test]
fn wire_form_has_reduced_ttls_and_an_unchanged_opt_record() {
    let (query, response) = everything();
    assert_eq!(response.answer(&query, 0).to_wire(), response.bytes);

    let aged = Response { bytes: response.answer(&query, 100).to_wire(), ..response.clone() };
    let ttls =
        |response: &Response| -> Vec<u32> { wire::skim(&response.bytes).map(|record| record.ttl).collect() };
    assert_eq!(ttls(&aged), [200, 0, 0, 0, 86300, 3500, 0]);
    let opt = response.bytes.len() - 60;
    assert_eq!(aged.bytes[opt..], response.bytes[opt..]);
    assert_eq!(aged.answer(&query, 0).records().count(), 4);

    // A TTL with the highest bit set is treated as the largest TTL, and shown as such.
    let huge = Response::to(&query).a("www.example.com", u32::MAX, [192, 0, 2, 1]);
    assert_eq!(ttls(&Response { bytes: huge.answer(&query, 1).to_wire(), ..huge }), [i32::MAX as u32 - 1]);
}

/// Found by the fuzzer: a pointer into a TTL, whose bytes are a name until the TTL is reduced.
#[test]
fn name_that_overlaps_a_ttl_is_not_changed() {
    let query = query("www.example.com", RecordType::A);
    let ttl = u32::from_be_bytes([1, b'a', 0, 0]);
    let ttl_at = 12 + 17 + 4 + 2 + 4;
    let response = Response::to(&query).record(QUESTION, RecordType::A, ttl, &[192, 0, 2, 1]).record(
        &[0xc0, ttl_at],
        RecordType::A,
        60,
        &[192, 0, 2, 2],
    );
    let answer = response.answer(&query, 1);
    assert_eq!(answer.answers().nth(1).unwrap().name().to_string(), "a.");
    assert_eq!(answer.ttl(), Some(ttl - 1));
    assert_eq!(answer.to_wire(), response.bytes);

    // The same with the names in the data of an SOA record.
    let soa_data = [&[0xc0, ttl_at, 0][..], &[0; 20]].concat();
    let denial = Response::to(&query).record(QUESTION, RecordType::TXT, ttl, b"\x01x").authorities().record(
        &[0],
        RecordType::SOA,
        60,
        &soa_data,
    );
    assert_eq!(denial.answer(&query, 1).to_wire(), denial.bytes);
}

#[test]
fn record_data_is_decoded_on_access() {
    let query = query("example.com", RecordType::MX);
    let answer = Response::to(&query)
        .record(QUESTION, RecordType::MX, 60, b"\x00\x0a\x04mail\xc0\x0c")
        .record(QUESTION, RecordType::MX, 60, b"\x00\x0a\x04mail")
        .record(QUESTION, RecordType::MX, 60, b"")
        .record(QUESTION, RecordType::MX, 60, b"\x00\x14\x00")
        .answer(&query, 0);
    let data: Vec<_> = answer.records().map(|record| record.data()).collect();
    let Ok(RData::MX(mx)) = &data[0] else { panic!("{data:?}") };
    assert_eq!((mx.preference, mx.exchange.to_ascii()), (10, "mail.example.com.".to_owned()));
    assert_eq!(data[1], Err(MessageError::Data(RecordType::MX)));
    assert_eq!(data[2], Err(MessageError::Data(RecordType::MX)));
    assert!(matches!(&data[3], Ok(RData::MX(mx)) if mx.exchange.is_root()));
    assert_eq!(
        lines(answer.records())[1..3],
        [r"example.com. 60 IN MX \# 7 000a046d61696c", r"example.com. 60 IN MX \# 0"]
    );
}

/// A record without data is valid: decodable if its type is unknown, undecodable if known. The other records
/// stay usable.
#[test]
fn record_without_data_leaves_the_others_usable() {
    let query = query("example.com", RecordType::A);
    let answer = Response::to(&query)
        .record(QUESTION, RecordType::A, 60, b"")
        .record(QUESTION, RecordType::A, 60, b"\x01\x02\x03")
        .a("example.com", 60, [192, 0, 2, 1])
        .additionals()
        .record(QUESTION, RecordType::from(65280), 60, b"")
        .answer(&query, 0);
    assert_eq!(answer.outcome(), Outcome::Records);
    assert_eq!(answer.addresses().count(), 1);
    assert_eq!(answer.records().filter(|record| record.data().is_ok()).count(), 1);
    let unknown = answer.additionals().next().unwrap();
    assert!(matches!(unknown.data(), Ok(RData::Unknown { .. })));
    assert_eq!((unknown.class(), unknown.data_bytes()), (DNSClass::IN, &b""[..]));
}

#[test]
fn common_types_are_decoded() {
    let rows: [(RecordType, &[u8], &str); 8] = [
        (RecordType::A, &[192, 0, 2, 1], "192.0.2.1"),
        (RecordType::NS, b"\x02ns\xc0\x0c", "ns.example.com."),
        (RecordType::PTR, b"\xc0\x0c", "example.com."),
        (RecordType::TXT, b"\x05hello\x05world", "helloworld"),
        (RecordType::SRV, b"\x00\x01\x00\x02\x01\xbb\x01a\x00", "1 2 443 a."),
        (RecordType::CAA, b"\x00\x05issueca.example", "0 issue \"ca.example\""),
        (RecordType::SOA, &soa(300), "ns.example. hostmaster.example. 2026 7200 3600 1209600 300"),
        (RecordType::HTTPS, b"\x00\x01\x00\x00\x01\x00\x03\x02h2", "1 . alpn=h2"),
    ];
    for (record_type, data, shown) in rows {
        let query = query("example.com", record_type);
        let answer = Response::to(&query).record(QUESTION, record_type, 60, data).answer(&query, 0);
        let line = &lines(answer.records())[0];
        assert!(line.starts_with(&format!("example.com. 60 IN {record_type} {shown}")), "{line}");
    }
    // Control characters, which a terminal would interpret, are escaped.
    let query = query("example.com", RecordType::TXT);
    let red = Response::to(&query).record(QUESTION, RecordType::TXT, 60, b"\x06\x1b[31m!").answer(&query, 0);
    assert_eq!(lines(red.records()), [r"example.com. 60 IN TXT \u{1b}[31m!"]);
}

/// hickory-proto without DNSSEC does not decode these types.
#[test]
fn dnssec_types_are_shown_as_bytes() {
    let query = query("example.com", RecordType::DS);
    let answer = Response::to(&query).record(QUESTION, RecordType::DS, 60, &[7; 36]).answer(&query, 0);
    let data = answer.records().next().unwrap().data().unwrap();
    let RData::Unknown { rdata: rdata::NULL { anything, .. }, .. } = data else { panic!("{data:?}") };
    assert_eq!(anything, [7; 36]);
}

#[test]
fn not_found_distinguishes_nodata_and_nxdomain() {
    let query = query("example.com", RecordType::A);
    let not_found = |rcode: u8| Response::to(&query).rcode(rcode).answer(&query, 0).not_found();
    assert_eq!(not_found(NOERROR), Some(NotFound::NoData));
    assert_eq!(not_found(NXDOMAIN), Some(NotFound::NxDomain));
    assert_eq!(not_found(SERVFAIL), None);
}

#[test]
fn failure_without_a_question_is_an_empty_answer() {
    let query = query("example.com", RecordType::A);
    let response = Response { bytes: vec![0, 0, 0x80, SERVFAIL, 0, 0, 0, 0, 0, 0, 0, 0], count: 6 };
    let answer = response.a("example.com", 60, [192, 0, 2, 1]).answer(&query, 0);
    assert_eq!((answer.records().count(), answer.answers().count(), answer.ttl()), (0, 1, None));
    assert!(answer.canonical_name().is_root());
}

#[test]
fn answers_are_send_and_sync_and_debug_prints_no_names() {
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let (query, response) = everything();
    let answer = response.answer(&query, 0);
    is_shared(&answer);
    let shown = format!("{answer:?}");
    assert!(!shown.contains("example") && !shown.contains("192.0.2"), "{shown}");
    assert!(std::ptr::eq(answer.clone().message().as_wire(), answer.message().as_wire()));
}
