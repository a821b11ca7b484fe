//! Seeds of servers' data: DoT, HTTP/1.1, HTTP/2, HPACK.

use super::Seeds;
use crate::connection::Key;
use crate::fuzzing::dot::ids;
use crate::fuzzing::stream::answer;
use crate::testkit::http2::{DNS_HEAD, HEADERS, SETTINGS, frame};
use crate::testkit::message::framed;

/// An A record for the queried name, and an OPT record with the server's idle timeout and padding.
const RECORD: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\xc0\0\x02\x01";
const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0b\0\x02\0\x64\0\x0c\0\x02\0\0";
/// Flags of a [`Setup`](crate::fuzzing::stream::Setup): the server closes at the end, frames are described, GET.
const ENDS: u8 = 0x10;
const DESCRIBED: u8 = 0x20;
const GET: u8 = 0x40;

/// The bytes before the server's data: the number of queries, none cancelled, pieces of three bytes.
fn setup(queries: u8, flags: u8) -> [u8; 3] {
    [(queries - 1) | flags, 0, 1]
}

/// The answer to the query of a key, with a record.
fn good(key: u64, id: u16) -> Vec<u8> {
    answer(Key(key), id, 0x80, RECORD)
}

pub(super) fn dot() -> Seeds {
    let ids = ids();
    let answered = |key: u64, index: usize| framed(&good(key, ids[index]));
    let with_opt = |units: [u8; 2]| {
        let mut opt = OPT.to_vec();
        opt[15..17].copy_from_slice(&units);
        let mut message = answer(Key(0), ids[0], 0x80, &[RECORD, &opt].concat());
        message[11] = 1;
        framed(&message)
    };
    let wrong_case = {
        let mut message = good(0, ids[0]);
        message[13..].make_ascii_uppercase();
        framed(&message)
    };
    vec![
        ("one-answer", [&setup(1, ENDS)[..], &answered(0, 0)].concat()),
        ("out-of-order", [&setup(3, ENDS)[..], &answered(2, 2), &answered(0, 0), &answered(1, 1)].concat()),
        ("cancelled", [&[2 | ENDS, 0b10, 0][..], &answered(1, 1), &answered(0, 0), &answered(2, 2)].concat()),
        ("keepalive", [&setup(1, 0)[..], &with_opt([0, 100])].concat()),
        ("keepalive-zero", [&setup(2, ENDS)[..], &with_opt([0, 0]), &answered(1, 1)].concat()),
        ("answered-twice", [&setup(2, ENDS)[..], &answered(0, 0), &answered(0, 0)].concat()),
        ("wrong-question", [&setup(1, ENDS)[..], &framed(&good(1, ids[0])), &answered(0, 0)].concat()),
        ("wrong-id", [&setup(1, ENDS)[..], &framed(&good(0, !ids[0])), &answered(0, 0)].concat()),
        ("question-in-upper-case", [&setup(1, ENDS)[..], &wrong_case].concat()),
        ("length-of-zero", [&setup(1, ENDS)[..], &[0, 0]].concat()),
        ("length-of-eleven", [&setup(1, ENDS)[..], &[0, 11], &[0; 11]].concat()),
        ("cut-off", [&setup(2, ENDS)[..], &answered(0, 0), &answered(1, 1)[..20]].concat()),
        ("a-hundred-strays", [&setup(1, ENDS)[..], &framed(&[0; 12]).repeat(100)].concat()),
        ("http-answer", [&setup(1, ENDS)[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"].concat()),
        ("closed-by-us", [&[1 | 0x08 | ENDS, 0, 0][..], &answered(1, 1), &answered(0, 0)].concat()),
        (
            "described",
            [&setup(4, ENDS | DESCRIBED)[..], &[0, 16], RECORD, &[1, 0], &[0x0a, 1, 2, 0], &[0x43, 0, 1]]
                .concat(),
        ),
    ]
}

const DNS: &str = "Content-Type: application/dns-message\r\n";

pub(super) fn http1() -> Seeds {
    let message = good(0, 0);
    let response =
        |fields: &str, body: &[u8]| [b"HTTP/1.1 200 OK\r\n", fields.as_bytes(), b"\r\n", body].concat();
    let length = format!("{DNS}Content-Length: {}\r\n", message.len());
    let whole = response(&length, &message);
    let chunked = format!("{DNS}Transfer-Encoding: chunked\r\n");
    let chunks = |size: &str, trailers: &[u8]| {
        let size = format!("{:x}{size}\r\n", message.len());
        response(&chunked, &[size.as_bytes(), &message, b"\r\n0\r\n", trailers, b"\r\n"].concat())
    };
    let second = [format!("HTTP/1.1 200 OK\r\n{length}\r\n").as_bytes(), &good(1, 0)].concat();
    let section = framed;
    let post = |bytes: &[u8]| [&setup(1, ENDS)[..], bytes].concat();
    let with = |fields: &str| post(&response(&format!("{length}{fields}"), &message));
    vec![
        ("length", post(&whole)),
        ("get", [&setup(1, ENDS | GET)[..], &whole].concat()),
        ("chunks", post(&chunks("", b""))),
        ("chunk-extension", post(&chunks(";a=\"b\"", b""))),
        ("trailers", post(&chunks("", b"Age: 7\r\n"))),
        ("until-close", post(&response(DNS, &message))),
        ("interim", post(&[b"HTTP/1.1 100 Continue\r\n\r\n", &whole[..]].concat())),
        ("early-hints", post(&[b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n", &whole[..]].concat())),
        ("age", with("Age: 77\r\n")),
        ("close", with("Connection: close\r\n")),
        ("keep-alive", with("Keep-Alive: timeout=5, max=100\r\n")),
        ("two-lengths", with("Content-Length: 34\r\n")),
        ("length-and-chunked", with("Transfer-Encoding: chunked\r\n")),
        ("folded", with("Any: a\r\n b\r\n")),
        ("space-before-colon", with("Any : a\r\n")),
        ("lone-lf", with("Any: a\n")),
        ("old-version", post(&[b"HTTP/1.0", &whole[8..]].concat())),
        ("not-found", post(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!")),
        ("retry-after", post(b"HTTP/1.1 429 Wait\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")),
        (
            "redirect",
            post(b"HTTP/1.1 302 Found\r\nLocation: https://e.example/?dns=AA\r\nContent-Length: 0\r\n\r\n"),
        ),
        ("request-timeout", post(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")),
        ("no-content", post(b"HTTP/1.1 204 No Content\r\n\r\n")),
        ("html", post(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")),
        ("leftovers", post(&[&whole[..], b"HTTP/1.1 200 OK\r\n"].concat())),
        ("http2-answer", post(&frame(4, 0, 0, []))),
        ("two-exchanges", [&setup(1, ENDS | DESCRIBED)[..], &section(&whole), &section(&second)].concat()),
    ]
}

pub(super) fn http2() -> Seeds {
    let head = |stream, flags| frame(HEADERS, flags, stream, DNS_HEAD);
    let data = |stream, flags, body: &[u8]| frame(0, flags, stream, body);
    let response = |stream: u32, key| [head(stream, 4), data(stream, 1, &good(key, 0))].concat();
    let greeting = [frame(SETTINGS, 0, 0, []), frame(SETTINGS, 1, 0, [])].concat();
    let after = |queries, bytes: &[u8]| [&setup(queries, ENDS)[..], &greeting, bytes].concat();
    let settings = |identifier: u8, value: u32| {
        let value = value.to_be_bytes();
        frame(SETTINGS, 0, 0, [&[0, identifier][..], &value].concat())
    };
    let padded = |body: &[u8]| [&[3][..], body, &[0; 3]].concat();
    let split = {
        let (one, rest) = DNS_HEAD.split_at(5);
        [frame(HEADERS, 0, 1, one), frame(9, 4, 1, rest), data(1, 1, &good(0, 0))].concat()
    };
    let priority = frame(HEADERS, 0x24, 1, [&[0, 0, 0, 0, 16][..], DNS_HEAD].concat());
    vec![
        ("one-answer", after(1, &response(1, 0))),
        (
            "interleaved",
            after(2, &[head(3, 4), head(1, 4), data(1, 1, &good(0, 0)), data(3, 1, &good(1, 0))].concat()),
        ),
        ("continued", after(1, &split)),
        ("padded", after(1, &[head(1, 4), data(1, 9, &padded(&good(0, 0)))].concat())),
        ("with-priority", after(1, &[priority, data(1, 1, &good(0, 0))].concat())),
        (
            "trailers",
            after(1, &[head(1, 4), data(1, 0, &good(0, 0)), frame(HEADERS, 5, 1, b"\0\x01a\x01b")].concat()),
        ),
        ("interim", after(1, &[frame(HEADERS, 4, 1, b"\x08\x03103"), response(1, 0)].concat())),
        ("no-body", after(1, &head(1, 5))),
        ("empty-data", after(1, &[head(1, 4), data(1, 0, &[]), data(1, 1, &good(0, 0))].concat())),
        ("reset", after(2, &[frame(3, 0, 1, [0, 0, 0, 8]), response(3, 1)].concat())),
        ("refused", after(2, &[frame(3, 0, 1, [0, 0, 0, 7]), response(3, 1)].concat())),
        (
            "goaway",
            after(3, &[frame(7, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0]), response(1, 0), response(3, 1)].concat()),
        ),
        ("http11-required", after(1, &frame(3, 0, 1, [0, 0, 0, 13]))),
        ("ping", after(1, &[frame(6, 0, 0, b"12345678"), response(1, 0)].concat())),
        ("push", after(1, &frame(5, 4, 1, [0, 0, 0, 2, 0x82]))),
        ("unknown-frame", after(1, &[frame(0x63, 0xff, 1, b"any"), response(1, 0)].concat())),
        (
            "window-update",
            after(1, &[frame(8, 0, 1, [0, 1, 0, 0]), frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff])].concat()),
        ),
        (
            "no-window",
            [&setup(2, ENDS)[..], &settings(4, 0), &greeting, &settings(4, 100), &response(1, 0)].concat(),
        ),
        ("one-stream", [&setup(4, ENDS)[..], &settings(3, 1), &response(1, 0), &response(3, 1)].concat()),
        ("small-table", [&setup(2, ENDS)[..], &settings(1, 0), &greeting[9..], &response(1, 0)].concat()),
        (
            "cancelled",
            [&[2 | ENDS, 0b10, 0][..], &greeting, &response(3, 1), &response(1, 0), &response(5, 2)].concat(),
        ),
        ("no-settings-first", [&setup(1, ENDS)[..], &response(1, 0)].concat()),
        ("http1-answer", [&setup(1, ENDS)[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"].concat()),
        (
            "described-answers",
            [&setup(3, ENDS | DESCRIBED)[..], &[0x81, 3, 16], RECORD, &[0x81, 1, 16], RECORD].concat(),
        ),
        (
            "described-frames",
            [&setup(3, ENDS | DESCRIBED)[..], &[0x24, 1, 0x40, 1, 0, 0x41, 1, 0, 6, 0, 0, 8], b"12345678"]
                .concat(),
        ),
    ]
}

pub(super) fn hpack() -> Seeds {
    let blocks = |blocks: &[&[u8]]| {
        let counted = blocks.iter().flat_map(|block| {
            let length = u8::try_from(block.len()).expect("a short block");
            [&[length][..], block].concat()
        });
        std::iter::once(2).chain(counted).collect::<Vec<u8>>()
    };
    // RFC 7541 Appendix C.6: responses with Huffman coding, in a table of 256 bytes.
    let first = b"\x3f\xe1\x01\x48\x82\x64\x02\x58\x85\xae\xc3\x77\x1a\x4b\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44\
        \xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff\x6e\x91\x9d\x29\xad\x17\x18\x63\xc7\x8f\x0b\x97\
        \xc8\xe9\xae\x82\xae\x43\xd3";
    vec![
        ("indexed", blocks(&[b"\x88", b"\x88\x9a"])),
        ("literals", blocks(&[b"\x88\0\x03age\x011\x10\x01a\x01b\x40\x01c\x01d", b"\x88\xbe"])),
        (
            "from-the-table",
            blocks(&[b"\x88\x40\x01a\x01b\x5f\x01c", b"\x88\xbf\xbe", b"\x88\x7e\x01d\xc0\xbf"]),
        ),
        ("huffman", blocks(&[first, b"\x48\x83\x64\x0e\xff\xc1\xc0\xbf"])),
        (
            "resized",
            blocks(&[b"\x20\x88\x40\x01a\x01b", b"\x3f\xe1\x1f\x88\x40\x01a\x01b", b"\x20\x3f\xe1\x1f\xbe"]),
        ),
        ("evicted", blocks(&[b"\x3f\x45\x88\x40\x01a\x01b\x40\x01c\x01d\x40\x01e\x01f\xbe\xbf", b"\xc0"])),
        ("resized-late", blocks(&[b"\x88\x20"])),
        ("table-too-large", blocks(&[b"\x3f\xe2\x1f\x88"])),
        ("index-of-zero", blocks(&[b"\x88\x80"])),
        ("index-beyond", blocks(&[b"\x88\xbe"])),
        ("integer-too-large", blocks(&[b"\x7f\xff\xff\xff\xff\xff\x01"])),
        ("end-of-string", blocks(&[b"\x88\0\x84\xff\xff\xff\xff\x01b"])),
        ("padding-too-long", blocks(&[b"\x88\0\x82\x1f\xff\x01b"])),
        ("cut-off", blocks(&[b"\x88\x40\x05ab"])),
        (
            "larger-than-the-table",
            [&[2, 8][..], b"\x88\x40\x01a\x01b\0\0", &[255, 0x40, 1, b'a', 0x7f, 0x81, 0x20], &[b'x'; 4224]]
                .concat(),
        ),
    ]
}
