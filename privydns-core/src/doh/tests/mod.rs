mod faults;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::RecordType;
use crate::error::{Cause, HttpProblem};
use crate::message::{self, HEADER, MessageError, Query};
use crate::upstream::{HttpMethod, Upstream};

fn query() -> Query {
    Query::new("www.example.com", RecordType::A).unwrap()
}

/// The shortest answer to the query.
fn answer() -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_query(&query(), &mut bytes);
    bytes.truncate(HEADER + query().name().as_wire().len() + 4);
    bytes[2] |= 0x80;
    bytes[10..HEADER].fill(0);
    bytes
}

fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    let mut head = ResponseHead::new(status);
    for (name, value) in fields {
        head.header(name.as_bytes(), value.as_bytes());
    }
    head
}

fn finish_with(fields: &[(&str, &str)]) -> Result<(Arc<[u8]>, u32), Cause> {
    finish(&head(200, fields), &answer(), &query())
}

const DNS: (&str, &str) = ("content-type", MEDIA_TYPE);

/// Conformance 25, 26: GET adds the variable to the path, POST does not (RFC 8484 Section 4.1).
#[test]
fn path_is_the_template_expanded_for_the_method() {
    let message = [0xfb, 0xff, 0x00, 0x01];
    // URL, authority, path over POST, path over GET
    let rows = [
        ("https://dns.example#ip=192.0.2.1", "dns.example", "/dns-query", "/dns-query?dns=-_8AAQ"),
        ("https://dns.example:8443/q{?dns}#ip=192.0.2.1", "dns.example:8443", "/q", "/q?dns=-_8AAQ"),
        ("https://dns.example/?a=b{&dns}#ip=192.0.2.1", "dns.example", "/?a=b", "/?a=b&dns=-_8AAQ"),
        ("https://[2001:db8::1]/q", "[2001:db8::1]", "/q", "/q?dns=-_8AAQ"),
    ];
    for (url, authority, post, get) in rows {
        for (method, path) in [(HttpMethod::Post, post), (HttpMethod::Get, get)] {
            let upstream = url.parse::<Upstream>().unwrap().with_http_method(method);
            let endpoint = Endpoint::of(&upstream).unwrap();
            assert_eq!((endpoint.authority(), endpoint.method()), (authority, method), "{url}");
            let mut out = b"> ".to_vec();
            endpoint.append_path(&message, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("> {path}"), "{url}");
            assert_eq!(endpoint.body(&message).is_some(), method == HttpMethod::Post, "{url}");
        }
    }
    assert_eq!(Endpoint::of(&"tls://192.0.2.1".parse().unwrap()), None);
}

/// Conformance 26: base64url without padding is decodable by other implementations (RFC 8484 Section 6).
#[test]
fn query_in_a_path_is_decodable() {
    let upstream: Upstream = "https://192.0.2.1".parse().unwrap();
    let endpoint = Endpoint::of(&upstream.with_http_method(HttpMethod::Get)).unwrap();
    let (mut message, mut path) = (Vec::new(), Vec::new());
    encode_query(&query(), &mut message);
    endpoint.append_path(&message, &mut path);
    let variable = path.strip_prefix(b"/dns-query?dns=").unwrap();
    assert_eq!(data_encoding::BASE64URL_NOPAD.decode(variable).unwrap(), message);
    assert_eq!(message::id_of(&message), Some(0), "conformance 27");
}

/// Conformance 27: the type in any case and with any parameters is accepted. Every other type is an error
/// that names it.
#[test]
fn content_type_must_be_that_of_a_dns_message() {
    let rows: [(&[&str], Option<&str>); 10] = [
        (&["application/dns-message"], None),
        (&["Application/DNS-Message"], None),
        (&["application/dns-message; charset=utf-8"], None),
        (&["application/dns-message ;x"], None),
        (&["application/dns-message", "application/dns-message;x"], None),
        (&[], Some("")),
        (&["text/html; charset=utf-8"], Some("text/html; charset=utf-8")),
        (&["application/dns-message+json"], Some("application/dns-message+json")),
        (&["application/dns-message, text/html"], Some("application/dns-message, text/html")),
        (&["application/dns-message", "text/html"], Some("text/html")),
    ];
    for (values, problem) in rows {
        let fields: Vec<_> = values.iter().map(|value| ("content-type", *value)).collect();
        let expected = match problem {
            None => Ok((answer().into(), 0)),
            Some(text) => Err(HttpProblem::ContentType(text.into()).into()),
        };
        assert_eq!(finish_with(&fields), expected, "{values:?}");
    }
}

/// Conformance 30: only a number of seconds is accepted; of several numbers, the first counts; the maximum is
/// 2^31 (RFC 9111 Sections 1.2.2 and 5.1).
#[test]
fn age_is_parsed_strictly() {
    let rows: [(&[&str], u32); 12] = [
        (&[], 0),
        (&["0"], 0),
        (&["250"], 250),
        (&[" 00250 "], 250),
        (&["2147483648"], 1 << 31),
        (&["4294967297"], 1 << 31),
        (&["99999999999999999999999999999"], 1 << 31),
        (&["250, 7"], 250),
        (&["250", "7"], 250),
        (&["soon", "7"], 0),
        (&["-1"], 0),
        (&["1.5"], 0),
    ];
    for (values, age) in rows {
        let fields: Vec<_> = [DNS].into_iter().chain(values.iter().map(|value| ("age", *value))).collect();
        assert_eq!(finish_with(&fields), Ok((answer().into(), age)), "{values:?}");
    }
}

/// Conformance 28, 29: statuses and their header fields.
#[test]
fn status_other_than_success_is_never_an_answer() {
    let status = |code, seconds: Option<u64>| {
        Some(HttpProblem::Status { code, retry_after: seconds.map(Duration::from_secs) })
    };
    let redirect = |location: &str| Some(HttpProblem::Redirect { location: location.into() });
    let mut question = Vec::new();
    encode_query(&query(), &mut question);
    let question = data_encoding::BASE64URL_NOPAD.encode(&question);
    let in_path = format!("https://other.example/dns/{question}/");
    let long = format!("/{}", "x".repeat(1000));
    let rows: [(u16, &[(&str, &str)], _); 20] = [
        (200, &[DNS], None),
        (203, &[DNS], None),
        (299, &[DNS, ("location", "/elsewhere")], None),
        (199, &[DNS], status(199, None)),
        (400, &[DNS], status(400, None)),
        (404, &[], status(404, None)),
        (429, &[("retry-after", "120")], status(429, Some(120))),
        (503, &[("retry-after", "0")], status(503, Some(0))),
        (403, &[("retry-after", "120")], status(403, None)),
        (500, &[("retry-after", "120")], status(500, None)),
        (503, &[("retry-after", "3"), ("retry-after", "9")], status(503, Some(9))),
        (503, &[("retry-after", "9999999999")], status(503, Some(1 << 31))),
        (503, &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], status(503, None)),
        (304, &[], status(304, None)),
        (999, &[], status(999, None)),
        (301, &[("location", "https://other.example/q")], redirect("https://other.example/q")),
        (308, &[("location", "/q?dns=AAAB#there"), ("location", "/")], redirect("/q")),
        (307, &[DNS, ("location", "/elsewhere")], redirect("/elsewhere")),
        (302, &[("location", &in_path)], redirect("https://other.example/dns/")),
        (302, &[("location", &long)], redirect(&long[..256])),
    ];
    for (code, fields, problem) in rows {
        let head = head(code, fields);
        assert_eq!((head.status(), head.problem(&query())), (code, problem.clone()), "{code} {fields:?}");
        let result = finish(&head, &answer(), &query());
        assert_eq!(result.err(), problem.map(Cause::Http), "{code} {fields:?}");
    }
}

/// Conformance 28: the statuses that the same request would receive again.
#[test]
fn final_statuses_are_those_that_repeating_does_not_change() {
    let finals =
        [301, 302, 307, 308, 400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 431, 451, 501, 505];
    for code in finals {
        assert!(is_final_status(code), "{code}");
    }
    for code in [200, 408, 421, 424, 425, 429, 500, 502, 503, 504, 599] {
        assert!(!is_final_status(code), "{code}");
    }
}

/// Conformance 33: the body must be a response to the query.
#[test]
fn body_must_be_a_response_to_the_query() {
    let with = |alter: fn(&mut Vec<u8>)| {
        let mut bytes = answer();
        alter(&mut bytes);
        bytes
    };
    let long = |length| {
        let mut bytes = answer();
        bytes.resize(length, 0);
        bytes
    };
    let rows = [
        ("the longest", long(65_535), None),
        // Over HTTP, the ID does not matter.
        ("another ID", with(|bytes| bytes[0] = 7), None),
        ("empty", vec![], Some(HttpProblem::EmptyBody.into())),
        ("too long", long(65_536), Some(HttpProblem::BodyTooLong.into())),
        ("shorter than a header", with(|bytes| bytes.truncate(11)), Some(MessageError::TooShort.into())),
        ("no response", with(|bytes| bytes[2] &= 0x7f), Some(MessageError::NotResponse.into())),
        ("another question", with(|bytes| bytes[HEADER + 1] ^= 1), Some(MessageError::WrongQuestion.into())),
    ];
    for (what, body, cause) in rows {
        let expected = cause.map_or_else(|| Ok((body.as_slice().into(), 0)), Err);
        assert_eq!(finish(&head(200, &[DNS]), &body, &query()), expected, "{what}");
    }
}
