//! Seeds of resolvers' responses, valid and invalid.

use super::Seeds;
use crate::RecordType;
use crate::testkit::message::{self as wire_format, QUESTION_NAME as NAME, Section};

/// The bytes before a message: the first name, a type, and no age; the message is complete, or its header and question
/// are generated.
const WHOLE: u8 = 0;
const AFTER_QUESTION: u8 = 0x10;
const DNSSEC_OK: u8 = 4;

const A: RecordType = RecordType::A;
/// NOERROR and NXDOMAIN, with recursion available.
const NOERROR: [u8; 2] = [0x81, 0x80];
const NXDOMAIN: [u8; 2] = [0x81, 0x83];
/// A pointer to `example.com` in the name of the question, `www.example.com`.
const DOMAIN: &[u8] = b"\xc0\x10";

/// Flags, counts and records after the question.
fn after(record_type: RecordType, flags: [u8; 2], counts: [u8; 3], records: &[Vec<u8>]) -> Vec<u8> {
    let [high, low] = u16::from(record_type).to_be_bytes();
    [&[AFTER_QUESTION, high, low, 0][..], &flags, &counts, &records.concat()].concat()
}

fn record(owner: &[u8], record_type: RecordType, ttl: u32, data: &[u8]) -> Vec<u8> {
    wire_format::record(owner, record_type.into(), ttl, data)
}

fn a(owner: &[u8]) -> Vec<u8> {
    record(owner, A, 300, &[192, 0, 2, 1])
}

fn cname(owner: &[u8], target: &[u8]) -> Vec<u8> {
    record(owner, RecordType::CNAME, 60, target)
}

/// An SOA record of the domain.
fn soa(minimum: u32) -> Vec<u8> {
    let numbers = [2026, 7200, 3600, 1_209_600, minimum];
    let data = wire_format::soa_data(b"\x02ns\xc0\x10", b"\x04mail\xc0\x10", numbers);
    record(DOMAIN, RecordType::SOA, 3600, &data)
}

fn opt(options: &[u8]) -> Vec<u8> {
    wire_format::opt(0, options)
}

/// The position of the first record's data: after header, question, owner and the fixed part.
const FIRST_DATA: u8 = 12 + 17 + 4 + 2 + 10;

pub(super) fn message() -> Seeds {
    [answers(), types(), names(), edns()].concat()
}

/// A response with records in its answer section.
fn answering(records: &[Vec<u8>]) -> Vec<u8> {
    let count = u8::try_from(records.len()).expect("few records");
    after(A, NOERROR, [count, 0, 0], records)
}

/// Outcomes and lifetimes of answers.
fn answers() -> Seeds {
    let whole = {
        let question = wire_format::question(&wire_format::name("www.example.com"), A.into());
        let padding = opt(&wire_format::option(12, &[0; 4]));
        wire_format::Response::to(&question)
            .add(Section::Answer, &a(NAME))
            .add(Section::Additional, &padding)
            .bytes()
    };
    let mut aged = answering(&[a(NAME)]);
    aged[3] = 200;
    let links: Vec<_> = (0..17).map(|link: u8| cname(&[1, b'a' + link, 0], &[1, b'b' + link, 0])).collect();
    let gone = [cname(NAME, b"\x04gone\xc0\x10"), soa(60)];
    vec![
        ("whole", [&[WHOLE, 0, 1, 0][..], &whole].concat()),
        ("query", [&[WHOLE, 0, 1, 0][..], &whole[..2], &[1, 0], &whole[4..]].concat()),
        ("no-question", [&[WHOLE, 0, 1, 0][..], &[0, 0, 0x81, 0x82, 0, 0, 0, 0, 0, 0, 0, 0]].concat()),
        ("two-addresses", answering(&[a(NAME), a(NAME)])),
        ("aged", aged),
        ("chain", answering(&[cname(NAME, b"\x03cdn\xc0\x10"), a(&[0xc0, FIRST_DATA])])),
        ("chain-backwards", answering(&[a(b"\x03cdn\xc0\x10"), cname(NAME, b"\x03cdn\xc0\x10")])),
        ("chain-loop", answering(&[cname(NAME, b"\x01b\xc0\x10"), cname(b"\x01b\xc0\x10", NAME)])),
        ("chain-of-17", answering(&links)),
        ("nodata", after(A, NOERROR, [0, 1, 0], &[soa(60)])),
        ("nxdomain", after(A, NXDOMAIN, [0, 1, 0], &[soa(60)])),
        ("nxdomain-at-the-end-of-a-chain", after(A, NXDOMAIN, [1, 1, 0], &gone)),
        ("nxdomain-without-soa", after(A, NXDOMAIN, [0, 0, 0], &[])),
        ("truncated", after(A, [0x83, 0x80], [1, 0, 0], &[a(NAME)])),
        ("servfail", after(A, [0x81, 0x82], [0, 0, 1], &[opt(b"\0\x0f\0\x07\0\x16stale\0")])),
        ("ttl-with-the-high-bit", answering(&[record(NAME, A, 1 << 31, &[0; 4])])),
        ("ttl-of-zero", answering(&[record(NAME, A, 0, &[0; 4])])),
        ("more-announced-than-there-is", after(A, NOERROR, [9, 9, 9], &[a(NAME)])),
        ("more-than-announced", after(A, NOERROR, [1, 0, 0], &[a(NAME), a(NAME)])),
    ]
}

/// Records of many types, and data that does not fit the type.
fn types() -> Seeds {
    let one = |record_type: RecordType, data: &[u8]| {
        after(record_type, NOERROR, [1, 0, 0], &[record(NAME, record_type, 60, data)])
    };
    let signature =
        [&b"\0\x01\x0d\x03\0\0\x01\x2c\x6a\0\0\0\x69\0\0\0\x12\x34\x07example\x03com\0"[..], &[7; 64]]
            .concat();
    let mut signed = answering(&[a(NAME), record(NAME, RecordType::RRSIG, 300, &signature)]);
    signed[0] |= DNSSEC_OK;
    let any = [a(NAME), record(NAME, RecordType::HINFO, 60, b"\x01a\x01b")];
    let chaos = [NAME, &b"\0\x01\0\x03\0\0\0\x3c\0\x04\x01\x02\x03\x04"[..]].concat();
    vec![
        ("signed", signed),
        ("any", after(RecordType::ANY, NOERROR, [2, 0, 0], &any)),
        ("unknown-type", one(RecordType::from(65_280), b"any")),
        ("another-class", answering(&[chaos])),
        ("data-of-no-length", answering(&[record(NAME, A, 60, &[])])),
        ("data-too-short", answering(&[record(NAME, A, 60, &[1, 2, 3])])),
        ("text", one(RecordType::TXT, b"\x05\x1b[31m\0")),
        ("mail", one(RecordType::MX, b"\0\x0a\x04mail\xc0\x10")),
        ("service", one(RecordType::HTTPS, b"\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\x04\xc0\0\x02\x01")),
    ]
}

/// Names, valid and invalid.
fn names() -> Seeds {
    let long_label = [&[63][..], &[b'a'; 63]].concat();
    let name_of_255 = [&long_label[..], &long_label, &long_label, &[61], &[b'a'; 61], &[0]].concat();
    let name_of_256 = [&long_label[..], &long_label, &long_label, &[62], &[b'a'; 62], &[0]].concat();
    let ttl_as_a_name = record(NAME, A, u32::from_be_bytes([1, b'a', 0, 0]), &[192, 0, 2, 1]);
    vec![
        ("pointer-to-itself", answering(&[a(&[0xc0, 33])])),
        ("pointer-forward", answering(&[a(&[0xc0, 60])])),
        ("pointer-into-the-header", answering(&[a(&[0xc0, 4])])),
        ("pointer-into-a-ttl", answering(&[ttl_as_a_name, a(&[0xc0, FIRST_DATA - 6])])),
        (
            "pointers-at-each-other",
            answering(&[cname(NAME, &[0xc0, FIRST_DATA + 2]), a(&[0xc0, FIRST_DATA])]),
        ),
        ("label-of-an-unknown-type", answering(&[a(b"\x41a\0")])),
        ("name-of-255-octets", answering(&[a(&name_of_255)])),
        ("name-of-256-octets", answering(&[a(&name_of_256)])),
        ("name-without-end", answering(&[b"\x3faaa".to_vec()])),
    ]
}

/// OPT records, valid and invalid.
fn edns() -> Seeds {
    let additional = |record: Vec<u8>| after(A, NOERROR, [0, 0, 1], &[record]);
    let options = b"\0\x03\0\x02id\0\x0b\0\x02\0\x64\0\x0c\0\x08\0\0\0\0\0\0\0\0";
    vec![
        ("opt-with-options", additional(opt(options))),
        ("opt-with-a-high-rcode", additional(b"\0\0\x29\x04\xd0\x01\0\0\0\0\0".to_vec())),
        ("opt-of-another-version", additional(b"\0\0\x29\x04\xd0\0\x01\0\0\0\0".to_vec())),
        ("opt-not-at-the-root", additional(b"\xc0\x0c\0\x29\x04\xd0\0\0\0\0\0\0".to_vec())),
        ("opt-twice", after(A, NOERROR, [0, 0, 2], &[opt(&[]), opt(&[])])),
        ("opt-among-the-answers", answering(&[opt(&[])])),
        ("opt-with-an-option-cut-short", additional(opt(b"\0\x0f\0\x09\0"))),
        ("opt-before-another-record", after(A, NOERROR, [1, 0, 2], &[a(NAME), opt(&[]), a(DOMAIN)])),
    ]
}
