//! The machine against everything that a server may send. One row per rule; section numbers refer to RFC 9112 unless
//! another document is named.

mod accepted;
mod idle;
mod refused;

use super::*;
use crate::connection::testing::*;
use crate::testkit::epoch;
use crate::upstream::{HttpMethod, Upstream};

const DNS: &str = "Content-Type: application/dns-message\r\n";

fn machine(method: HttpMethod) -> Http1 {
    let upstream: Upstream = "https://dns.example/dns-query#ip=192.0.2.1".parse().unwrap();
    Http1::new(epoch(), Arc::new(Endpoint::of(&upstream.with_http_method(method)).unwrap()))
}

/// A connection with one request in flight, with key 0.
fn requesting() -> Http1 {
    let mut http1 = machine(HttpMethod::Post);
    request(&mut http1);
    http1
}

fn request(http1: &mut Http1) {
    http1.submit(epoch(), Key(0), &question());
    assert_eq!(transmits(http1).len(), 1);
}

fn question() -> Arc<Query> {
    query("www.example.com")
}

/// The message that answers the question: 33 bytes, or 0x21.
fn message() -> Vec<u8> {
    answer(&question(), 0, &[])
}

fn good() -> Event {
    answered(0, &message())
}

fn failed(cause: impl Into<Cause>) -> Event {
    Event::Failed { key: Key(0), cause: cause.into(), retry_safe: false }
}

fn violation(what: &'static str) -> Cause {
    super::violation(what).into()
}

/// A response: status line and fields, the empty line, a body.
fn response(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\n").as_bytes(), body].concat()
}

/// A response with the message, its length, and more fields.
fn with_length(fields: &str) -> Vec<u8> {
    response(&format!("200 OK\r\n{DNS}{fields}Content-Length: 33\r\n"), &message())
}

/// A response with a chunked body.
fn chunked(body: &[u8]) -> Vec<u8> {
    response(&format!("200 OK\r\n{DNS}Transfer-Encoding: chunked\r\n"), body)
}

/// A response with the message in one chunk, with this text as its size, and a trailer section.
fn one_chunk(size: &str, trailers: &str) -> Vec<u8> {
    chunked(&[size.as_bytes(), b"\r\n", &message(), b"\r\n0\r\n", trailers.as_bytes(), b"\r\n"].concat())
}

/// The input with the first occurrence of `from` replaced.
fn replaced(input: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = input.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    [&input[..at], to.as_bytes(), &input[at + from.len()..]].concat()
}

/// Feeds a server's response to one request in all kinds of pieces, and expects the same events each time.
fn expect(rule: &str, input: &[u8], expected: &[Event]) -> Http1 {
    let machines = SPLITS.map(|split| {
        let mut http1 = requesting();
        assert_eq!(feed(&mut http1, input, split), expected, "{rule}, in pieces of {split}");
        http1
    });
    machines.into_iter().next().unwrap()
}

/// As [`expect`], followed by the server's close.
fn expect_at_end(rule: &str, input: &[u8], expected: &[Event]) {
    for split in SPLITS {
        let mut http1 = requesting();
        let mut all = feed(&mut http1, input, split);
        http1.handle_end(epoch(), Cause::Closed);
        all.extend(events(&mut http1));
        assert_eq!(all, [expected, &[Event::Ended(Cause::Closed)]].concat(), "{rule}, in pieces of {split}");
    }
}
