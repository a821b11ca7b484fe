//! Records and names as text.

use super::super::typed::service;
use super::*;

/// The data of a record as it is displayed.
fn shown(record_type: RecordType, data: &[u8]) -> String {
    let query = query("example.com", record_type);
    let answer = Response::to(&query).record(QUESTION, record_type, 60, data).answer(&query, 0);
    let line = answer.records().next().unwrap().to_string();
    line.strip_prefix(&format!("example.com. 60 IN {record_type} ")).unwrap_or(&line).to_owned()
}

/// Right: `My\032Printer.example.` (RFC 1035 section 5.1).
#[test]
fn fault_t1_names_in_data_have_octal_escapes() {
    let target = [&b"\x0aMy Printer"[..], &wire("example")].concat();
    assert_eq!(shown(RecordType::PTR, &target), "My\\040Printer.example.");
}

/// Right: the name that is printed is read back as the same name.
#[test]
fn fault_t1_a_printed_owner_is_read_back_as_another_name() {
    let query = query("My\\032Printer.example", RecordType::A);
    let response = Response::to(&query).record(QUESTION, RecordType::A, 60, &[192, 0, 2, 1]);
    let answer = response.answer(&query, 0);
    let printed = answer.records().next().unwrap().name().to_ascii();
    assert_eq!(printed, answer.canonical_name().to_ascii());
    let read = QueryName::parse(&printed).unwrap();
    assert_eq!(
        read.labels().next(),
        Some(&b"my(printer"[..]),
        "040 is octal for a blank and decimal for `(`"
    );
}

/// Right: `xn--bcher-kva.example.` in both places.
#[test]
fn fault_t2_a_name_in_data_is_shown_as_unicode_and_an_owner_is_not() {
    let query = query("xn--bcher-kva.example", RecordType::NS);
    let response = Response::to(&query).record(QUESTION, RecordType::NS, 60, QUESTION);
    assert_eq!(
        lines(response.answer(&query, 0).records()),
        ["xn--bcher-kva.example. 60 IN NS bücher.example."]
    );
}

/// Right: one label, `xn--bcher-kva\.x`, with the dot escaped.
#[test]
fn fault_t2_a_dot_inside_an_a_label_is_not_escaped() {
    let target = [&b"\x0fxn--bcher-kva.x"[..], &wire("example")].concat();
    assert_eq!(shown(RecordType::NS, &target), "bücher.x.example.");
}

/// Right: `0 issue "ca.example; a=\"b\""` and `"RFC8482" ""` (RFC 8482 section 4.2).
#[test]
fn fault_t3_data_of_caa_and_hinfo_is_not_in_presentation_form() {
    assert_eq!(
        shown(RecordType::CAA, b"\x00\x05issueca.example; a=\"b\""),
        "0 issue \"ca.example; a=\"b\"\""
    );
    assert_eq!(shown(RecordType::HINFO, b"\x07RFC8482\x00"), "RFC8482 ");
}

/// Right: `dohpath` for key 7 (RFC 9461 section 5), `key667` and an escape for the byte (RFC 9460 section 2.1), and no
/// comma after a value.
#[test]
fn fault_t4_keys_of_a_service_binding_are_named_unknown() {
    let own = service(1, ".", &[(7, b"/dns-query{?dns}"), (667, b"\xff")]);
    assert_eq!(shown(RecordType::SVCB, &own), "1 . unknown7=\"/dns-query{?dns}\", unknown667=\"\u{fffd}\",");
}

/// Right: a comma and a backslash inside an ALPN identifier are escaped (RFC 9460 appendix A.1).
#[test]
fn fault_t4_a_comma_inside_an_alpn_identifier_is_not_escaped() {
    let comma = service(1, ".", &[(1, b"\x05h2,h3\x03a\\b")]);
    assert_eq!(shown(RecordType::SVCB, &comma), "1 . alpn=h2,h3,a\\b,");
}

/// A right-to-left override and a zero-width space.
const INVISIBLE: &str = "a\u{202e}b\u{200b}c";

/// Right: every byte that is not printable ASCII is escaped.
#[test]
fn fault_t5_bidirectional_and_zero_width_characters_pass() {
    let query = query("x.example", RecordType::A);
    let data = [&[0, 22], INVISIBLE.as_bytes()].concat();
    let response = Response::to(&query).rcode(SERVFAIL).opt(0, &option(15, &data));
    assert_eq!(response.parse(&query).unwrap().extended_errors()[0].text, INVISIBLE);
    let caa = [b"\x00\x05issue", INVISIBLE.as_bytes()].concat();
    assert!(shown(RecordType::CAA, &caa).contains(INVISIBLE));
    let txt = [&[u8::try_from(INVISIBLE.len()).unwrap()], INVISIBLE.as_bytes()].concat();
    assert_eq!(shown(RecordType::TXT, &txt), INVISIBLE);
}

/// Right: `"ab" "c"` and `"a" "bc"`.
#[test]
fn fault_t6_strings_of_a_text_are_joined_without_a_mark() {
    assert_eq!(shown(RecordType::TXT, b"\x02ab\x01c"), shown(RecordType::TXT, b"\x01a\x02bc"));
}
