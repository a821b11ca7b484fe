//! Requests, and responses with an answer.

use super::*;
use crate::testkit::epoch;

/// Conformance 26, 27, 31: the smallest request, complete in one transmit.
#[test]
fn post_is_one_message_with_the_query_as_its_body() {
    let mut http1 = machine(HttpMethod::Post);
    http1.submit(epoch(), Key(0), &question());
    let mut message = Vec::new();
    doh::encode_query(&question(), &mut message);
    assert_eq!((message.len(), &message[..2]), (128, &[0, 0][..]));
    let head = "POST /dns-query HTTP/1.1\r\nHost: dns.example\r\nAccept: application/dns-message\r\n\
                Content-Type: application/dns-message\r\nContent-Length: 128\r\n\r\n";
    assert_eq!(transmits(&mut http1), [[head.as_bytes(), &message].concat()]);
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 1, false));
}

/// Conformance 26: GET has the query in its path, no body, and no fields about a body.
#[test]
fn get_has_the_query_in_its_path() {
    let mut http1 = machine(HttpMethod::Get);
    http1.submit(epoch(), Key(0), &question());
    let request = String::from_utf8(transmits(&mut http1).remove(0)).unwrap();
    let (variable, rest) = request.strip_prefix("GET /dns-query?dns=").unwrap().split_once(' ').unwrap();
    assert_eq!(&variable[..16], "AAABIAABAAAAAAAB");
    assert!(variable.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
    assert_eq!(rest, "HTTP/1.1\r\nHost: dns.example\r\nAccept: application/dns-message\r\n\r\n");
}

/// Valid forms of a response. The connection persists after each of them, and no data is left.
#[test]
fn valid_forms_of_a_response_are_accepted() {
    let interim = |count: usize| response("100 Continue\r\n", b"").repeat(count);
    let octets: Vec<u8> =
        message().iter().flat_map(|octet| [b"1\r\n", &[*octet][..], b"\r\n"].concat()).collect();
    let hints =
        response("103 Early Hints\r\nContent-Length: 7\r\nContent-Type: text/html\r\nAge: 7\r\n", b"");
    let rows = [
        ("6.2: Content-Length", with_length("")),
        ("6.2: Content-Length with leading zeros", replaced(&with_length(""), " 33\r", " 0033\r")),
        ("5: names in any case", replaced(&with_length(""), "Content-Length", "cONTENT-lENGTH")),
        ("5: no space after the colon", replaced(&with_length(""), "Length: ", "Length:")),
        ("5.5: space around a value", with_length("Any:  \t spaced \t\r\nEmpty:\r\n")),
        ("9110 5.5: obs-text in a value", with_length("Any: \u{fc}\r\n")),
        ("4: an empty reason phrase", replaced(&with_length(""), "200 OK", "200 ")),
        ("4: nor the space before it", replaced(&with_length(""), "200 OK", "200")),
        ("9110 15.3: any status of success", replaced(&with_length(""), "200 OK", "203 Other")),
        ("9110 15.2: an interim response", [interim(1), with_length("")].concat()),
        ("9110 15.2: two interim responses", [interim(2), with_length("")].concat()),
        ("9110 15.2: as many as are allowed", [interim(8), with_length("")].concat()),
        ("9110 15.2: fields that are not the answer's", [hints, with_length("")].concat()),
        ("7.1: one chunk", one_chunk("21", "")),
        ("7.1: a chunk for each octet", chunked(&[&octets, &b"0\r\n\r\n"[..]].concat())),
        ("7.1: leading zeros", one_chunk("00000000000000000000021", "")),
        ("7.1: a last chunk of several zeros", replaced(&one_chunk("21", ""), "\r\n0\r\n", "\r\n000\r\n")),
        ("7.1.1: extensions", one_chunk("21;a=b;c=\"d e\"", "")),
        ("7.1.1: an extension without value", one_chunk("21;a", "")),
        ("7.1.1: an extension as long as is allowed", one_chunk(&format!("21;{}", "x".repeat(252)), "")),
        ("7.1.1: bad white space before them", one_chunk("21 \t;a = b", "")),
        ("7.1.2: trailers, which mean nothing", one_chunk("21", "Content-Length: 7\r\nAge: 9\r\nEmpty:\r\n")),
        ("7: the coding's name in any case", replaced(&one_chunk("21", ""), "chunked", "Chunked")),
        ("9.3: keep-alive, which is so anyway", with_length("Connection: Keep-Alive, other\r\n")),
        (
            "9.3: HTTP/1.0 that is kept",
            replaced(&with_length("Connection: keep-alive\r\n"), "HTTP/1.1", "HTTP/1.0"),
        ),
    ];
    for (rule, input) in rows {
        let mut http1 = expect(rule, &input, &[good()]);
        assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (1, 0, false), "{rule}");
        request(&mut http1);
        assert_eq!(feed(&mut http1, &input, 1), [good()], "{rule}, again");
    }
}

/// 9.3, 9.6: after these responses no request can follow, and the end is reported with the answer.
#[test]
fn last_response_ends_the_connection() {
    let rows = [
        ("9.6: close", with_length("Connection: close\r\n")),
        ("9.6: close among others", with_length("Connection: keep-alive,, Close\r\n")),
        ("9.6: close in a second field", with_length("Connection: keep-alive\r\nConnection: close\r\n")),
        ("9.3: HTTP/1.0", replaced(&with_length(""), "HTTP/1.1", "HTTP/1.0")),
    ];
    for (rule, input) in rows {
        let mut http1 = expect(rule, &input, &[good(), Event::Ended(Cause::Closed)]);
        assert_eq!((http1.capacity(), http1.is_draining()), (0, true), "{rule}");
        http1.handle_end(epoch(), Cause::Closed);
        assert_eq!(events(&mut http1), [], "{rule}");
    }
}

/// 6.3 rule 8: without a length the body extends to the end of the stream.
#[test]
fn body_without_length_ends_with_the_stream() {
    let input = response(&format!("200 OK\r\n{DNS}"), &message());
    expect_at_end("6.3", &input, &[good()]);
    // A broken stream is not the end of the stream.
    let mut http1 = requesting();
    assert_eq!(feed(&mut http1, &input, 1), []);
    let cause = Cause::Tls(std::io::ErrorKind::InvalidData.into());
    http1.handle_end(epoch(), cause.clone());
    assert_eq!(events(&mut http1), [failed(cause.clone()), Event::Ended(cause)]);
}

/// Conformance 30: the age is delivered with the answer.
#[test]
fn age_header_is_delivered_with_the_answer() {
    let expected = Event::Answered { key: Key(0), message: message().into(), age: 77 };
    expect("9111 5.1", &with_length("age: 77\r\n"), &[expected]);
}

/// Conformance 33: the longest possible message, and the same in chunks.
#[test]
fn body_of_65535_bytes_is_complete() {
    let mut message = message();
    message.resize(65_535, 0);
    let length = response(&format!("200 OK\r\n{DNS}Content-Length: 65535\r\n"), &message);
    let chunks = chunked(
        &[b"8000\r\n", &message[..0x8000], b"\r\n7fff\r\n", &message[0x8000..], b"\r\n0\r\n\r\n"].concat(),
    );
    for input in [length, chunks] {
        expect("6.2", &input, &[answered(0, &message)]);
    }
    expect_at_end("6.3", &response(&format!("200 OK\r\n{DNS}"), &message), &[answered(0, &message)]);
}
