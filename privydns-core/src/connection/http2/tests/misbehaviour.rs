//! Every rule that a server can violate, and the effect of a violation: one row per rule, with the section. Section
//! numbers refer to RFC 9113 unless another document is named.

use super::server::{self, data, field, frame, headers, response, settings};
use super::{Client, SPLITS, Split, answer, answered, is_violation};
use crate::connection::Event;
use crate::connection::http2::frame::{ErrorCode, flag, kind};
use crate::connection::http2::is_not_http2;
use crate::error::Cause;

const PROTOCOL: Effect = Effect::Connection(ErrorCode::PROTOCOL_ERROR);
const FRAME_SIZE: Effect = Effect::Connection(ErrorCode::FRAME_SIZE_ERROR);
const FLOW_CONTROL: Effect = Effect::Connection(ErrorCode::FLOW_CONTROL_ERROR);
const COMPRESSION: Effect = Effect::Connection(ErrorCode::COMPRESSION_ERROR);
const CLOSED: Effect = Effect::Connection(ErrorCode::STREAM_CLOSED);
const MALFORMED: Effect = Effect::Stream(ErrorCode::PROTOCOL_ERROR);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Both queries fail, and the connection ends with GOAWAY.
    Connection(ErrorCode),
    /// The first query fails and its stream is reset; the second is answered.
    Stream(ErrorCode),
    /// Both queries are answered.
    Nothing,
}

/// The client has sent requests on streams 1 and 3; stream 5 was answered, 7 reset by the server, and 9 by the client.
fn client() -> Client {
    let mut client = Client::asking(5);
    assert_eq!(client.hear(&response(5, &answer(3))), [answered(3)]);
    assert_eq!(client.hear(&server::rst_stream(7, 2)).len(), 1);
    client.machine_cancel(5);
    client
}

impl Client {
    fn machine_cancel(&mut self, key: u64) {
        use crate::connection::{Key, Machine};
        self.machine.cancel(self.now, Key(key));
        self.transmit();
    }
}

#[test]
fn framing_violations() {
    let unfinished = |flags| frame(kind::HEADERS, flags, 1, server::OK);
    check(vec![
        ("4.2: a frame over the size allowed", data(1, false, [0; 16_385]), FRAME_SIZE),
        ("4.2: an unknown frame over the size", frame(99, 0, 0, [0; 16_385]), FRAME_SIZE),
        ("4.1: an unknown frame", frame(99, 0xff, 0, [1, 2, 3]), Effect::Nothing),
        ("4.1: an unknown frame on a stream", frame(99, 0xff, 1, [1, 2, 3]), Effect::Nothing),
        ("4.1: unknown flags", frame(kind::PING, 0xfe, 0, [0; 8]), Effect::Nothing),
        (
            "4.1: the reserved bit of a stream",
            frame(kind::WINDOW_UPDATE, 0, 1 | 1 << 31, [0, 0, 0, 1]),
            Effect::Nothing,
        ),
        ("4.3: a block that cannot be decoded", headers(1, false, [0x80]), COMPRESSION),
        ("4.3: the same on a reset stream", headers(9, false, [0x80]), COMPRESSION),
        ("4.3: a block interrupted by DATA", [unfinished(0), data(1, false, [])].concat(), PROTOCOL),
        ("4.3: a block interrupted by PING", [unfinished(0), server::ping([0; 8])].concat(), PROTOCOL),
        ("4.3: a block interrupted by HEADERS", [unfinished(0), unfinished(0)].concat(), PROTOCOL),
        (
            "5.5: a block interrupted by an unknown frame",
            [unfinished(0), frame(99, 0, 1, [])].concat(),
            PROTOCOL,
        ),
        (
            "6.10: a block continued on another stream",
            [unfinished(0), frame(kind::CONTINUATION, 4, 3, [])].concat(),
            PROTOCOL,
        ),
        ("6.10: CONTINUATION without HEADERS", frame(kind::CONTINUATION, 4, 1, []), PROTOCOL),
        (
            "6.10: CONTINUATION after a whole block",
            [unfinished(4), frame(kind::CONTINUATION, 4, 1, [])].concat(),
            PROTOCOL,
        ),
        ("6.10: CONTINUATION on stream 0", frame(kind::CONTINUATION, 4, 0, []), PROTOCOL),
    ]);
}

#[test]
fn stream_state_violations() {
    check(vec![
        ("5.1: DATA on an idle stream", data(101, false, [1]), PROTOCOL),
        ("5.1: HEADERS on an idle stream", headers(101, false, server::OK), PROTOCOL),
        ("5.1: RST_STREAM on an idle stream", server::rst_stream(101, 0), PROTOCOL),
        ("5.1: WINDOW_UPDATE on an idle stream", server::window_update(101, 1), PROTOCOL),
        ("5.1: PRIORITY on an idle stream", frame(kind::PRIORITY, 0, 101, [0; 5]), Effect::Nothing),
        ("5.1.1: a stream that the server opens", headers(2, false, server::OK), PROTOCOL),
        ("5.1: DATA on a stream of the server's", data(2, false, [1]), PROTOCOL),
        ("5.1: DATA after the response's end", data(5, false, [1]), CLOSED),
        ("5.1: HEADERS after the response's end", headers(5, true, server::OK), CLOSED),
        ("5.1: RST_STREAM after the response's end", server::rst_stream(5, 0), Effect::Nothing),
        ("5.1: WINDOW_UPDATE after the response's end", server::window_update(5, 1), Effect::Nothing),
        ("5.1: PRIORITY after the response's end", frame(kind::PRIORITY, 0, 5, [0; 5]), Effect::Nothing),
        ("5.1: DATA after the server's reset", data(7, false, [1]), CLOSED),
        ("5.1: HEADERS after the server's reset", headers(7, true, server::OK), CLOSED),
        ("5.1: a whole response to a cancelled request", response(9, &answer(5)), Effect::Nothing),
        ("5.1: a reset of a cancelled request", server::rst_stream(9, 8), Effect::Nothing),
        (
            "5.1: more after the end of what was cancelled",
            [response(9, &[]), data(9, false, [1])].concat(),
            CLOSED,
        ),
        (
            "5.1: more after the reset of what was cancelled",
            [server::rst_stream(9, 8), data(9, false, [1])].concat(),
            CLOSED,
        ),
    ]);
}

#[test]
fn frame_violations() {
    let zero = |kind, length: usize| frame(kind, 0, 0, vec![0; length]);
    check(vec![
        ("6.1: DATA on stream 0", zero(kind::DATA, 1), PROTOCOL),
        ("6.1: padding as long as the payload", frame(kind::DATA, flag::PADDED, 1, [3, 0, 0]), PROTOCOL),
        ("6.1: padding without a length", frame(kind::DATA, flag::PADDED, 1, []), PROTOCOL),
        ("6.2: HEADERS on stream 0", zero(kind::HEADERS, 1), PROTOCOL),
        ("6.2: padding longer than HEADERS", frame(kind::HEADERS, flag::PADDED | 4, 1, [2, 0x88]), PROTOCOL),
        (
            "6.2: HEADERS with half a priority",
            frame(kind::HEADERS, flag::PRIORITY | 4, 1, [0; 4]),
            FRAME_SIZE,
        ),
        ("6.3: PRIORITY on stream 0", zero(kind::PRIORITY, 5), PROTOCOL),
        (
            "6.3: PRIORITY of a wrong length",
            frame(kind::PRIORITY, 0, 1, [0; 4]),
            Effect::Stream(ErrorCode::FRAME_SIZE_ERROR),
        ),
        (
            "5.3: a stream that depends on itself",
            frame(kind::PRIORITY, 0, 1, [0, 0, 0, 1, 0]),
            Effect::Nothing,
        ),
        ("6.3: the same on a closed stream", frame(kind::PRIORITY, 0, 5, [0; 4]), Effect::Nothing),
        ("6.4: RST_STREAM on stream 0", zero(kind::RST_STREAM, 4), PROTOCOL),
        ("6.4: RST_STREAM too short", frame(kind::RST_STREAM, 0, 1, [0; 3]), FRAME_SIZE),
        ("6.4: RST_STREAM too long", frame(kind::RST_STREAM, 0, 1, [0; 5]), FRAME_SIZE),
        ("6.6, 8.4: PUSH_PROMISE", frame(kind::PUSH_PROMISE, 4, 1, [0, 0, 0, 2, 0x82]), PROTOCOL),
        (
            "6.6, 8.4: PUSH_PROMISE on a cancelled stream",
            frame(kind::PUSH_PROMISE, 4, 9, [0, 0, 0, 2, 0x82]),
            PROTOCOL,
        ),
        ("6.7: PING on a stream", frame(kind::PING, 0, 1, [0; 8]), PROTOCOL),
        ("6.7: PING too short", zero(kind::PING, 7), FRAME_SIZE),
        ("6.7: PING too long", zero(kind::PING, 9), FRAME_SIZE),
        ("6.7: an answer to no PING", frame(kind::PING, flag::ACK, 0, [7; 8]), Effect::Nothing),
        (
            "6.8, 7: GOAWAY of an unknown code, with words",
            frame(kind::GOAWAY, 0, 0, b"\0\0\0\x0b\xff\xff\xff\xffso long"),
            Effect::Nothing,
        ),
        ("6.8: GOAWAY on a stream", frame(kind::GOAWAY, 0, 1, [0; 8]), PROTOCOL),
        ("6.8: GOAWAY too short", zero(kind::GOAWAY, 7), FRAME_SIZE),
        ("6.8: GOAWAY that takes one back", [server::goaway(9, 0), server::goaway(11, 0)].concat(), PROTOCOL),
    ]);
}

#[test]
fn settings_and_flow_control_violations() {
    let max = u32::MAX >> 1;
    check(vec![
        ("6.5: SETTINGS on a stream", frame(kind::SETTINGS, 0, 1, []), PROTOCOL),
        ("6.5: SETTINGS of a wrong length", frame(kind::SETTINGS, 0, 0, [0; 7]), FRAME_SIZE),
        ("6.5: an acknowledgement with a payload", frame(kind::SETTINGS, flag::ACK, 0, [0; 6]), FRAME_SIZE),
        ("6.5.3: an acknowledgement of nothing", server::settings_ack(), PROTOCOL),
        ("6.5.2: SETTINGS_ENABLE_PUSH of 1 from a server", settings(&[(2, 1)]), PROTOCOL),
        ("6.5.2: ENABLE_PUSH of 2", settings(&[(2, 2)]), PROTOCOL),
        ("6.5.2: ENABLE_PUSH of 0", settings(&[(2, 0)]), Effect::Nothing),
        ("6.5.2: an initial window over 2^31-1", settings(&[(4, 1 << 31)]), FLOW_CONTROL),
        ("6.5.2: a maximum frame size too small", settings(&[(5, 16_383)]), PROTOCOL),
        ("6.5.2: a maximum frame size too large", settings(&[(5, 1 << 24)]), PROTOCOL),
        (
            "6.5.2: all settings at their limits",
            settings(&[(1, 0), (3, 0), (4, max), (5, (1 << 24) - 1), (6, 0)]),
            Effect::Nothing,
        ),
        (
            "6.5.3: a setting twice, the last of which counts",
            settings(&[(4, 1 << 16), (4, 0)]),
            Effect::Nothing,
        ),
        ("6.5.2: an unknown setting", settings(&[(0, 7), (0xffff, 7)]), Effect::Nothing),
        ("6.9: WINDOW_UPDATE of a wrong length", frame(kind::WINDOW_UPDATE, 0, 1, [0; 5]), FRAME_SIZE),
        ("6.9: WINDOW_UPDATE with an increment of 0", server::window_update(0, 0), PROTOCOL),
        ("6.9: WINDOW_UPDATE of a stream by nothing", server::window_update(1, 0), MALFORMED),
        ("6.9: the same on a closed stream", server::window_update(5, 0), Effect::Nothing),
        ("6.9.1: a window over 2^31-1", server::window_update(0, max), FLOW_CONTROL),
        (
            "6.9.1: a stream's window over 2^31-1",
            server::window_update(1, max),
            Effect::Stream(ErrorCode::FLOW_CONTROL_ERROR),
        ),
        (
            "6.9.2: SETTINGS that take a window over 2^31-1",
            [server::window_update(1, max - 65_535), settings(&[(4, 65_535 + 129)])].concat(),
            FLOW_CONTROL,
        ),
    ]);
}

#[test]
fn malformed_responses() {
    let head = |fields: &[(&str, &str)]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| field(name, value)).collect();
        headers(1, false, [&server::dns_head(), &fields.concat()[..]].concat())
    };
    let status = |status: &str, is_end| headers(1, is_end, field(":status", status));
    let mut rows = vec![
        ("8.1: DATA before HEADERS", data(1, false, [1]), MALFORMED),
        ("8.1: DATA that ends all before HEADERS", data(1, true, [1]), MALFORMED),
        (
            "8.1: trailers that do not end",
            [head(&[]), headers(1, false, field("a", "b"))].concat(),
            MALFORMED,
        ),
        (
            "8.1: pseudo-header fields in trailers",
            [head(&[]), headers(1, true, server::OK)].concat(),
            MALFORMED,
        ),
        ("8.1: an interim response that ends all", status("100", true), MALFORMED),
        ("8.6: status 101", status("101", false), MALFORMED),
        (
            "8.1.1: a body longer than its length",
            [head(&[("content-length", "3")]), data(1, false, [0; 4])].concat(),
            MALFORMED,
        ),
        (
            "8.1.1: a body shorter than its length",
            [head(&[("content-length", "3")]), data(1, true, [0; 2])].concat(),
            MALFORMED,
        ),
        (
            "8.1.1: a length and no body",
            headers(1, true, [server::OK, &field("content-length", "3")].concat()),
            MALFORMED,
        ),
        (
            "8.1.1: a body shorter than its length, and trailers",
            [head(&[("content-length", "3")]), data(1, false, [0; 2]), headers(1, true, field("a", "b"))]
                .concat(),
            MALFORMED,
        ),
        ("8.1.1: two lengths", head(&[("content-length", "3"), ("content-length", "4")]), MALFORMED),
        ("8.1.1: a length twice", head(&[("content-length", "3"), ("content-length", "3")]), Effect::Nothing),
        ("8.1.1: a length that is none", head(&[("content-length", "3, 3")]), MALFORMED),
        ("8.3.2: no :status", headers(1, false, field("content-type", "application/dns-message")), MALFORMED),
        ("8.3.2: nothing at all", headers(1, false, []), MALFORMED),
        ("8.3.2: two :status", headers(1, false, [server::OK, server::OK].concat()), MALFORMED),
        ("8.3: :status after a field", headers(1, false, [&field("a", "b"), server::OK].concat()), MALFORMED),
        ("8.3: a request's pseudo-header field", headers(1, false, [0x88, 0x82]), MALFORMED),
        ("8.3: an unknown pseudo-header field", head(&[(":protocol", "x")]), MALFORMED),
        ("10.5.1: a header list over the limit", head(&[("a", "b"); 500]), MALFORMED),
    ];
    rows.extend(
        ["20", "2000", "+20", "abc", "", "099"]
            .map(|code| ("8.3.2: a wrong :status", status(code, false), MALFORMED)),
    );
    rows.extend(["", "-1", "+1", "1,1", "0x1", "1 1"].map(|length| {
        ("8.1.1: a content-length that is not a number", head(&[("content-length", length)]), MALFORMED)
    }));
    rows.extend(
        ["", "Age", "a b", "a:b", "a\n", "a\u{7f}", "\u{e9}", "a\0"]
            .map(|name| ("8.2.1: a wrong name", head(&[(name, "b")]), MALFORMED)),
    );
    rows.extend(
        ["a\n", "a\rb", "a\0b", " a", "a ", "\ta", "a\t"]
            .map(|value| ("8.2.1: a wrong value", head(&[("a", value)]), MALFORMED)),
    );
    rows.extend(
        ["", "a b", "\u{e9}", "a\tb", "\u{1}"]
            .map(|value| ("8.2.1: an odd value", head(&[("a", value)]), Effect::Nothing)),
    );
    let names = ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te"];
    rows.extend(names.map(|name| ("8.2.2: a connection-specific field", head(&[(name, "a")]), MALFORMED)));
    check(rows);
}

/// RFC 9113 Section 3.4: the first frame is SETTINGS; data that is not HTTP/2 is detected, so that the caller can try
/// HTTP/1.1.
#[test]
fn data_that_is_not_http2_is_detected() {
    let rows: [(Vec<u8>, bool); 9] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), true),
        (b"HTTP/1.0 505 \r\n".to_vec(), true),
        (b"220 mail.example ESMTP\r\n".to_vec(), true),
        (vec![0; 9], false),
        (vec![0xff; 9], true),
        ([&[0, 30][..], &[0x55; 30]].concat(), true),
        (server::settings_ack(), false),
        (server::ping([0; 8]), false),
        (server::goaway(0, 0), false),
    ];
    for (octets, not_http2) in rows {
        for split in SPLITS {
            let mut client = Client::new();
            client.ask(1);
            let events = client.hear_split(&octets, split);
            let [failure, Event::Ended(cause @ Cause::Protocol(_))] = &events[..] else {
                panic!("{events:?}")
            };
            assert!(is_violation(failure, 1));
            assert_eq!(is_not_http2(cause), not_http2, "{octets:?}");
        }
    }
}

type Row = (&'static str, Vec<u8>, Effect);

fn check(rows: Vec<Row>) {
    for (rule, octets, effect) in rows {
        let [whole, single] = SPLITS.map(|split| play(rule, &octets, effect, split));
        assert_eq!(whole, single, "{rule}: the same events in both splits");
    }
}

/// Sends a violation to the client, and checks the effect.
fn play(rule: &str, octets: &[u8], effect: Effect, split: Split) -> Vec<Event> {
    let mut client = client();
    let resets_before = client.resets();
    let mut events = client.hear_split(octets, split);
    let resets = client.resets().split_off(resets_before.len());
    match effect {
        Effect::Connection(code) => {
            let [first, second, Event::Ended(Cause::Protocol(_))] = &events[..] else {
                panic!("{rule}: {events:?}");
            };
            assert!(is_violation(first, 1) && is_violation(second, 2), "{rule}: {events:?}");
            let goaways = client.frames_of(kind::GOAWAY);
            assert_eq!(goaways.len(), 1, "{rule}");
            assert_eq!(goaways[0].payload, [[0; 4], code.0.to_be_bytes()].concat(), "{rule}");
            assert_eq!(
                client.hear(&response(1, &answer(1))),
                [],
                "{rule}: input after the violation is ignored"
            );
        }
        Effect::Stream(code) => {
            assert!(matches!(&events[..], [event] if is_violation(event, 1)), "{rule}: {events:?}");
            assert_eq!(resets, [(1, code.0)], "{rule}");
            // Frames that the server sent before it received the reset are ignored.
            assert_eq!(client.hear(&data(1, true, [1])), [], "{rule}");
            let rest = client.hear_split(&response(3, &answer(2)), split);
            assert_eq!(rest, [answered(2)], "{rule}");
            events.extend(rest);
        }
        Effect::Nothing => {
            assert_eq!(events, [], "{rule}");
            assert_eq!(resets, [], "{rule}");
            assert_eq!(client.frames_of(kind::GOAWAY), [], "{rule}");
            let rest = client.hear_split(&response(3, &answer(2)), split);
            assert_eq!(rest, [answered(2)], "{rule}");
            events.extend(rest);
        }
    }
    events
}
