//! Responses without an answer, and protocol violations.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::error::HttpProblem;
use crate::message::MessageError;
use crate::testkit::epoch;

/// Conformance 27, 28, 29, 33: no answer, but the connection persists.
#[test]
fn response_without_an_answer_fails_only_its_query() {
    let status = |code| HttpProblem::Status { code, retry_after: None };
    let rows = [
        ("9110 15.6.1", response("500 Oops\r\nContent-Length: 3\r\n", b"no!"), Cause::from(status(500))),
        (
            "9110 15.5.25: as seen in the wild",
            response("424 \r\nContent-Length: 0\r\n", b""),
            status(424).into(),
        ),
        (
            "9110 15.5.1",
            response("400 Bad\r\nTransfer-Encoding: chunked\r\n", b"3\r\nno!\r\n0\r\n\r\n"),
            status(400).into(),
        ),
        (
            "6.3 rule 1: 304 has no body",
            response("304 Same\r\nContent-Length: 7\r\n", b""),
            status(304).into(),
        ),
        (
            "6.3 rule 1: nor has 204",
            response(&format!("204 No\r\n{DNS}Content-Length: 7\r\n"), b""),
            HttpProblem::EmptyBody.into(),
        ),
        (
            "9110 10.2.3",
            response("429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n", b""),
            HttpProblem::Status { code: 429, retry_after: Some(7 * SECOND) }.into(),
        ),
        (
            "9110 15.4",
            response("302 Found\r\nLocation: https://other.example/q?dns=AAAB\r\nContent-Length: 0\r\n", b""),
            HttpProblem::Redirect { location: "https://other.example/q".into() }.into(),
        ),
        (
            "8484 4.2",
            response("200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n", b"no!"),
            HttpProblem::ContentType("text/html".into()).into(),
        ),
        (
            "8484 6",
            response(&format!("200 OK\r\n{DNS}Content-Length: 0\r\n"), b""),
            HttpProblem::EmptyBody.into(),
        ),
        ("8484 6", chunked(b"0\r\n\r\n"), HttpProblem::EmptyBody.into()),
        (
            "1035 4.1.1",
            response(&format!("200 OK\r\n{DNS}Content-Length: 11\r\n"), &message()[..11]),
            MessageError::TooShort.into(),
        ),
    ];
    for (rule, input, cause) in rows {
        let mut http1 = expect(rule, &input, &[failed(cause)]);
        assert_eq!((http1.capacity(), http1.is_draining()), (1, false), "{rule}");
        request(&mut http1);
        assert_eq!(feed(&mut http1, &with_length(""), 1), [good()], "{rule}: the next is answered");
    }
}

/// Conformance 33: an overlong body is not read to its end, so the connection ends too.
#[test]
fn overlong_body_fails_and_ends_the_connection() {
    let ok = |field: &str, body: &[u8]| response(&format!("200 OK\r\n{DNS}{field}"), body);
    let long = vec![b'x'; 65_536];
    let rows = [
        ("Content-Length", ok("Content-Length: 65536\r\n", b"")),
        ("a Content-Length beyond all numbers", ok("Content-Length: 99999999999999999999999999\r\n", b"")),
        ("one chunk", chunked(b"10000")),
        ("a chunk beyond all numbers", chunked(b"ffffffffffffffffffffffffff")),
        ("two chunks", chunked(&[b"ffff\r\n", &long[1..], b"\r\n1"].concat())),
        ("the end of the stream", ok("", &long)),
    ];
    for (rule, input) in rows {
        expect(rule, &input, &[failed(HttpProblem::BodyTooLong), Event::Ended(Cause::Closed)]);
    }
    // The status says more than the length.
    let input = response("503 Busy\r\nContent-Length: 1000000\r\n", b"<html>");
    let status = HttpProblem::Status { code: 503, retry_after: None };
    expect("9110 15.6.4", &input, &[failed(status), Event::Ended(Cause::Closed)]);
}

/// Every ambiguity ends the connection, with the rule as the cause.
fn expect_violations(rows: impl IntoIterator<Item = (&'static str, Vec<u8>, &'static str)>) {
    for (rule, input, what) in rows {
        let cause = violation(what);
        let mut http1 = expect(rule, &input, &[failed(cause.clone()), Event::Ended(cause)]);
        assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 0, true), "{rule}");
        assert_eq!(feed(&mut http1, &with_length(""), 1), [], "{rule}");
    }
}

#[test]
fn malformed_head_ends_the_connection() {
    let line = "a malformed status line";
    let name = "a malformed field name, or a folded line";
    let value = "a malformed field value";
    let no_cr = "a header line without CR";
    let interim = response("100 Go on\r\n", b"");
    let ok = |from, to| replaced(&with_length("Any: 1\r\n"), from, to);
    expect_violations([
        ("2.2: a lone LF after the status line", ok("OK\r", "OK"), no_cr),
        ("2.2: a lone LF after a field", ok("1\r", "1"), no_cr),
        ("2.2: a lone LF at the end", ok("33\r\n\r\n", "33\r\n\n"), no_cr),
        ("2.2: a lone CR", ok("1\r", "1\r2\r"), value),
        ("2.3: an unknown version", ok("/1.1", "/1.9"), "an unknown version"),
        ("4: a status of two digits", ok("200", "20"), line),
        ("4: a status of four digits", ok("200", "2000"), line),
        ("4: a status that is no number", ok("200", "2x0"), line),
        ("4: a status with a sign", ok("200", "+20"), line),
        ("4: two spaces before the status", ok(" 200", "  200"), line),
        ("4: a tab in place of the space", ok(" 200", "\t200"), "an unknown version"),
        ("4: NUL in the reason phrase", ok("OK", "O\0K"), line),
        ("5: a field without colon", ok(": 1", ""), name),
        ("5.1: space before the colon", ok(": 1", " : 1"), name),
        ("5.1: a name that is no token", ok("Any", "A(y"), name),
        ("5.1: an empty name", ok("Any", ""), name),
        ("5.1: a name beyond ASCII", ok("Any", "\u{c4}ny"), name),
        ("5.1: a name in quotes", ok("Any", "\"Any\""), name),
        ("5.2: a folded line", ok("1\r\n", "1\r\n 2\r\n"), name),
        ("9110 5.5: NUL in a value", ok(" 1", "\0"), value),
        ("9110 5.4: too many fields", with_length(&"A: 1\r\n".repeat(63)), "too many header fields"),
        ("9110 5.4: too long a head", ok(" 1", &"1".repeat(16 * 1024)), "a head that is too long"),
        ("9110 15.2.2: 101", response("101 Switch\r\n", b""), "status 101 without an Upgrade request"),
        ("9110 15.2: too many of 1xx", interim.repeat(9), "too many interim responses"),
        ("2.1: garbage after 1xx", [&interim, &b"\0"[..]].concat(), "data that is not a response"),
    ]);
}

#[test]
fn ambiguous_length_ends_the_connection() {
    let number = "a Content-Length that is not a number";
    let twice = "more than one Content-Length";
    let both = "both Content-Length and Transfer-Encoding";
    let coding = "a transfer coding other than chunked";
    let length = |length| replaced(&with_length(""), " 33\r", length);
    let chunked = |from, to| replaced(&one_chunk("21", ""), from, to);
    expect_violations([
        ("6.3: Content-Length twice", with_length("Content-Length: 33\r\n"), twice),
        ("6.3: two that differ", with_length("Content-Length: 34\r\n"), twice),
        ("6.3: a list", length(" 33, 33\r"), number),
        ("6.2: a sign", length(" +33\r"), number),
        ("6.2: negative", length(" -33\r"), number),
        ("6.2: hexadecimal", length(" 0x21\r"), number),
        ("6.2: empty", length("\r"), number),
        ("6.2: two numbers", length(" 3 3\r"), number),
        ("6.2: in quotes", length(" \"33\"\r"), number),
        ("6.3: both", with_length("Transfer-Encoding: chunked\r\n"), both),
        ("6.1: another coding too", chunked("chunked", "gzip, chunked"), coding),
        ("6.1: another coding", chunked("chunked", "gzip"), coding),
        ("6.1: a coding that was done away with", chunked("chunked", "identity"), coding),
        ("6.1: a coding that begins like it", chunked("chunked", "chunkedx"), coding),
        ("6.1: a list with an empty member", chunked("chunked", "chunked,"), coding),
        ("6.1: in quotes", chunked("chunked", "\"chunked\""), coding),
        ("6.1: no coding", chunked(" chunked", ""), coding),
        ("6.3: both, the coding first", chunked("chunked", "chunked\r\nContent-Length: 33"), both),
        ("7.1: chunked twice", chunked("chunked", "chunked\r\nTransfer-Encoding: chunked"), coding),
        ("6.1: in HTTP/1.0", chunked("HTTP/1.1", "HTTP/1.0"), "Transfer-Encoding in HTTP/1.0"),
    ]);
}

#[test]
fn malformed_chunk_ends_the_connection() {
    let size = "a malformed chunk size";
    let longer = "chunk data that does not match the chunk size";
    let trailer = "a malformed trailer section";
    let endless = format!("21;{}", "x".repeat(300));
    let trailers = "A: b\r\n".repeat(1000);
    expect_violations([
        ("7.1: no size", one_chunk("", ""), size),
        ("7.1: no number", one_chunk("2g", ""), size),
        ("7.1: with its base", one_chunk("0x21", ""), size),
        ("7.1: negative", one_chunk("-21", ""), size),
        ("7.1: with a plus", one_chunk("+21", ""), size),
        ("7.1: with a separator", one_chunk("2_1", ""), size),
        ("7.1: in two parts", one_chunk("2 1", ""), size),
        ("7.1: space before the size", one_chunk(" 21", ""), size),
        ("7.1: space after the size, and nothing else", one_chunk("21 ", ""), size),
        ("7.1: a lone LF", replaced(&one_chunk("21", ""), "21\r\n", "21\n"), size),
        ("7.1: a lone CR", replaced(&one_chunk("21", ""), "21\r\n", "21\r"), size),
        ("7.1.1: an extension without size", one_chunk(";a", ""), size),
        ("7.1.1: a control character in an extension", one_chunk("21;a\x07", ""), size),
        ("7.1.1: an extension without end", one_chunk(&endless, ""), "a chunk extension that is too long"),
        ("7.1: a chunk longer than said", one_chunk("20", ""), longer),
        ("7.1: a chunk shorter than said", one_chunk("22", ""), longer),
        ("7.1.2: a trailer that is no field", one_chunk("21", "no\r\n"), trailer),
        ("7.1.2: a trailer without name", one_chunk("21", ": no\r\n"), trailer),
        ("7.1.2: a folded trailer", one_chunk("21", "A: b\r\n c\r\n"), trailer),
        ("7.1.2: a lone LF in a trailer", one_chunk("21", "A: b\n"), trailer),
        ("7.1.2: trailers without end", one_chunk("21", &trailers), "a trailer section that is too long"),
    ]);
}

/// 6.3, 9.2: data after an answer belongs to no request, so later responses could not be matched to requests.
#[test]
fn data_after_an_answer_ends_the_connection() {
    let rows: [(&str, &[u8]); 4] = [
        ("a body after the answer to what looked like HEAD", b"<html></html>"),
        ("an empty line", b"\r\n"),
        ("a second response", b"HTTP/1.1 200 OK\r\n"),
        ("less than a response", b"HTTP/2 200"),
    ];
    let cause = violation("data without a request");
    for (rule, leftover) in rows {
        let input = [&with_length(""), leftover].concat();
        expect(rule, &input, &[good(), Event::Ended(cause.clone())]);
    }
}

/// 8: a truncated response has no answer; if its status is an error, the status is the cause.
#[test]
fn truncated_response_fails() {
    let whole = with_length("");
    let in_chunks = one_chunk("21", "Any: 1\r\n");
    for input in [&whole, &in_chunks] {
        for length in 0..input.len() {
            let mut http1 = requesting();
            assert_eq!(feed(&mut http1, &input[..length], usize::MAX), []);
            http1.handle_end(epoch(), Cause::Closed);
            assert_eq!(events(&mut http1), [failed(Cause::Closed), Event::Ended(Cause::Closed)], "{length}");
        }
    }
    let status = HttpProblem::Status { code: 400, retry_after: None };
    expect_at_end(
        "a page",
        &response("400 Bad\r\nContent-Length: 1000\r\n", b"<html>"),
        &[failed(status.clone())],
    );
    expect_at_end("a page without length", &response("400 Bad\r\n", b"<html>"), &[failed(status)]);
    let html = HttpProblem::ContentType("text/html".into());
    let portal = response("200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n", b"<html>");
    expect_at_end("a captive portal", &portal, &[failed(html)]);
}

/// A peer with another protocol is detected, so that another version can be tried.
#[test]
fn peer_without_http1_is_detected() {
    let rows: [(&str, &[u8]); 5] = [
        ("HTTP/2 SETTINGS", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64"),
        ("a TLS record", b"\x16\x03\x01"),
        ("a status line of HTTP/2", b"HTTP/2 200\r\n"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("an empty line first", b"\r\nHTTP/1.1 200 OK\r\n"),
    ];
    for (what, input) in rows {
        for split in SPLITS {
            // Also if the peer does not wait for a request.
            for is_requesting in [true, false] {
                let mut http1 = machine(HttpMethod::Post);
                if is_requesting {
                    request(&mut http1);
                }
                let mut all = feed(&mut http1, input, split);
                let Some(Event::Ended(cause)) = all.pop() else { panic!("{what}") };
                assert!(is_not_http1(&cause), "{what}");
                let safe = Event::Failed { key: Key(0), cause, retry_safe: true };
                assert_eq!(all, Vec::from_iter(is_requesting.then_some(safe)), "{what}");
            }
        }
    }
    assert!(!is_not_http1(&violation("data that is not a response")));
    assert!(!is_not_http1(&Cause::Closed));
}

/// Arbitrary bytes: no panic, the same events in any pieces, and one outcome for the request.
#[test]
fn random_input_is_handled_equally_in_any_split() {
    let mut random = StdRng::from_seed([7; 32]);
    let bases = [
        with_length("Any: 1\r\nConnection: close\r\n"),
        one_chunk("21;a=b", "Any: 1\r\n"),
        [response("100 Go on\r\n", b""), with_length("")].concat(),
        response(&format!("200 OK\r\n{DNS}"), &message()),
        response("503 Busy\r\nRetry-After: 3\r\nContent-Length: 3\r\n", b"no!"),
    ];
    for round in 0..5000 {
        let mut input = bases[round % bases.len()].clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..input.len());
            match random.random_range(0..3) {
                0 => input[at] = random.random(),
                1 => drop(input.remove(at)),
                _ => input.insert(at, b"\r\n :;,0aHT\0\xff"[random.random_range(0..12)]),
            }
        }
        let outcomes = SPLITS.map(|split| {
            let mut http1 = requesting();
            let mut all = feed(&mut http1, &input, split);
            http1.handle_end(epoch(), Cause::Closed);
            all.extend(events(&mut http1));
            all
        });
        let text = String::from_utf8_lossy(&input);
        assert!(matches!(outcomes[0][..], [_, Event::Ended(_)]), "{text}");
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{text}");
    }
}
