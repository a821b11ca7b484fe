//! Successful requests, and failures without a violation.

use super::server::{self, data, field, frame, headers, response, settings};
use super::{Client, SPLITS, answer, answered, failed, query};
use crate::connection::http2::frame::{flag, kind};
use crate::connection::http2::limits::{ASSUMED_STREAMS, BURST_PAUSE, MAX_BURST, MAX_STREAMS};
use crate::connection::{Event, Key, Machine};
use crate::doh::encode_query;
use crate::error::HttpProblem;
use crate::upstream::HttpMethod;

/// RFC 9113 Section 3.4.
#[test]
fn first_transmit_is_preface_settings_and_window_update() {
    let mut client = Client::new();
    client.transmit();
    assert_eq!(client.transmits.len(), 1);
    let [settings, window] = &client.frames()[..] else { panic!() };
    assert_eq!((settings.kind, settings.flags, settings.stream), (kind::SETTINGS, 0, 0));
    // HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE.
    let expected = server::settings(&[(1, 4096), (2, 0), (4, 1 << 17), (6, 16_384)]);
    assert_eq!(settings.payload, expected[9..]);
    assert_eq!((window.kind, window.stream, window.number()), (kind::WINDOW_UPDATE, 0, (1 << 24) - 65_535));
}

/// Conformance 26 and 31; HEADERS and DATA leave together.
#[test]
fn request_is_one_transmit_with_minimal_fields() {
    let mut message = Vec::new();
    encode_query(&query(1), &mut message);

    let mut client = Client::asking(1);
    let [headers, body] = &super::frames(client.transmits.last().unwrap())[..] else { panic!() };
    assert_eq!((headers.kind, headers.flags, headers.stream), (kind::HEADERS, flag::END_HEADERS, 1));
    assert_eq!((body.kind, body.flags, body.stream), (kind::DATA, flag::END_STREAM, 1));
    assert_eq!(body.payload, message);
    assert_eq!(body.payload[..2], [0, 0], "over HTTP the ID is 0");
    let length = message.len().to_string();
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "dns.example"),
        (":path", "/dns-query"),
        ("accept", "application/dns-message"),
        ("content-type", "application/dns-message"),
        ("content-length", &length),
    ];
    assert_eq!(headers.fields(), fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);

    let mut client = Client::with_method(HttpMethod::Get);
    client.ask(1);
    let [headers] = &super::frames(client.transmits.last().unwrap())[..] else { panic!() };
    assert_eq!(headers.flags, flag::END_HEADERS | flag::END_STREAM);
    let path = format!("/dns-query?dns={}", data_encoding::BASE64URL_NOPAD.encode(&message));
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "dns.example"),
        (":path", &path),
        ("accept", "application/dns-message"),
    ];
    assert_eq!(headers.fields(), fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let never_indexed_path = [&[0x14, 0x7f][..]].concat();
    assert!(headers.payload.windows(2).any(|pair| pair == never_indexed_path), "RFC 7541 Section 7.1.3");
    assert_eq!(client.hear(&server::greeting()), []);
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
}

/// The forms of a response that RFC 9113 allows.
#[test]
fn every_valid_form_of_a_response_is_accepted() {
    let head = server::dns_head();
    let body = answer(1);
    let (start, end) = head.split_at(7);
    let length = field("content-length", body.len().to_string());
    let with_priority = [&[0, 0, 0, 0, 16][..], &head].concat();
    let with_padding = [&[4][..], &head, &[0; 4]].concat();
    let with_both = [&[4, 0x80, 0, 0, 9, 16][..], &head, &[0; 4]].concat();
    let all = data(1, true, &body);
    let rows = [
        ("body and end in one frame", [headers(1, false, &head), all.clone()].concat()),
        ("the end in an empty frame", response(1, &body)),
        ("a content-length", [headers(1, false, [&head[..], &length].concat()), all.clone()].concat()),
        ("tiny frames", {
            let parts: Vec<_> = body.iter().map(|octet| data(1, false, [*octet])).collect();
            [headers(1, false, &head), parts.concat(), data(1, true, [])].concat()
        }),
        ("6.1: padding", [headers(1, false, &head), server::padded_data(1, true, &body, 255)].concat()),
        (
            "6.2: HEADERS with padding",
            [frame(kind::HEADERS, flag::PADDED | 4, 1, &with_padding), all.clone()].concat(),
        ),
        (
            "6.2: HEADERS with a priority",
            [frame(kind::HEADERS, flag::PRIORITY | 4, 1, &with_priority), all.clone()].concat(),
        ),
        (
            "6.2: both",
            [frame(kind::HEADERS, flag::PRIORITY | flag::PADDED | 4, 1, &with_both), all.clone()].concat(),
        ),
        ("6.10: CONTINUATION", {
            let begin = frame(kind::HEADERS, 0, 1, start);
            [begin, frame(kind::CONTINUATION, 0, 1, []), frame(kind::CONTINUATION, 4, 1, end), all.clone()]
                .concat()
        }),
        ("6.10: HEADERS with nothing in them", {
            [frame(kind::HEADERS, 0, 1, []), frame(kind::CONTINUATION, 4, 1, &head), all.clone()].concat()
        }),
        ("8.1: interim responses", {
            let interim = headers(1, false, field(":status", "100"));
            let hints = headers(1, false, [field(":status", "103"), field("link", "</a>")].concat());
            [interim.clone(), interim, hints, response(1, &body)].concat()
        }),
        ("8.1: trailers", {
            let begin = [headers(1, false, &head), data(1, false, &body)].concat();
            [begin, headers(1, true, field("checksum", "x"))].concat()
        }),
        ("8.1: trailers over CONTINUATION", {
            let begin = [headers(1, false, &head), data(1, false, &body)].concat();
            let trailers = field("checksum", "x");
            [
                begin,
                frame(kind::HEADERS, 1, 1, &trailers[..2]),
                frame(kind::CONTINUATION, 4, 1, &trailers[2..]),
            ]
            .concat()
        }),
        ("between frames about other things", {
            let other = [
                server::ping([1; 8]),
                settings(&[(3, 50)]),
                frame(0x0a, 0, 1, [1]),
                server::window_update(1, 1),
            ];
            [headers(1, false, &head), other.concat(), all.clone()].concat()
        }),
    ];
    for (form, octets) in rows {
        for split in SPLITS {
            let mut client = Client::asking(2);
            assert_eq!(client.hear_split(&octets, split), [answered(1)], "{form}");
            assert_eq!(client.resets(), []);
            assert_eq!(client.hear_split(&response(3, &answer(2)), split), [answered(2)], "{form}");
        }
    }
}

/// RFC 8484 Section 5.1.
#[test]
fn age_header_is_delivered_with_the_answer() {
    let mut client = Client::asking(1);
    let head = [server::dns_head(), field("age", "17")].concat();
    let events = client.hear(&[headers(1, false, head), data(1, true, answer(1))].concat());
    assert_eq!(events, [Event::Answered { key: Key(1), message: answer(1).into(), age: 17 }]);
}

/// RFC 8484 Section 4.2.1: a response without an answer fails only its own query.
#[test]
fn response_without_a_message_fails_with_its_reason() {
    let page = "<html>".repeat(20_000);
    let status = |code: &str, more: &[u8]| headers(1, false, [&field(":status", code), more].concat());
    let body = |body: &str| {
        let frames: Vec<_> = body.as_bytes().chunks(16_384).map(|part| data(1, false, part)).collect();
        [frames.concat(), data(1, true, [])].concat()
    };
    let code = |code| HttpProblem::Status { code, retry_after: None };
    let rows = [
        ([status("500", &[]), body("no")].concat(), code(500)),
        ([status("400", &[]), data(1, false, &page[..16_000]), data(1, true, [])].concat(), code(400)),
        (headers(1, true, field(":status", "503")), code(503)),
        (headers(1, true, [field(":status", "405"), field("content-length", "0")].concat()), code(405)),
        (headers(1, true, [field(":status", "304"), field("content-length", "99")].concat()), code(304)),
        (
            [headers(1, false, field(":status", "200")), body("x")].concat(),
            HttpProblem::ContentType(String::new()),
        ),
        (headers(1, true, server::dns_head()), HttpProblem::EmptyBody),
    ];
    for (octets, problem) in rows {
        for split in SPLITS {
            let mut client = Client::asking(2);
            assert_eq!(client.hear_split(&octets, split), [failed(1, problem.clone(), false)]);
            assert_eq!(client.resets(), []);
            assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
        }
    }
}

#[test]
fn answers_arrive_in_any_order_and_interleaved() {
    let mut client = Client::asking(3);
    assert_eq!(client.machine.in_flight(), 3);
    let part = |stream, key, range| data(stream, false, &answer(key)[range]);
    let (first, rest) = (0..40, 40..answer(1).len());
    let octets = [
        headers(5, false, server::dns_head()),
        headers(1, false, server::dns_head()),
        part(5, 3, first.clone()),
        part(1, 1, first),
        part(5, 3, rest.clone()),
        response(3, &answer(2)),
        data(5, true, []),
        part(1, 1, rest),
        data(1, true, []),
    ];
    assert_eq!(client.hear(&octets.concat()), [answered(2), answered(3), answered(1)]);
    assert_eq!(client.machine.in_flight(), 0);
}

/// RFC 9113 Section 5.1.2, and servers that close the connection on one stream too many.
#[test]
fn max_concurrent_streams_is_respected() {
    let mut client = Client::new();
    assert_eq!(client.machine.capacity(), ASSUMED_STREAMS);
    for key in 1..=120 {
        client.ask(key);
    }
    assert_eq!(client.machine.capacity(), 0);
    assert_eq!(client.requested().len(), ASSUMED_STREAMS);
    let refused = client.drain();
    assert_eq!(refused.len(), 20, "queries without capacity fail");
    assert!(refused.iter().all(|event| matches!(event, Event::Failed { retry_safe: true, .. })));

    assert_eq!(client.hear(&[settings(&[]), server::settings_ack()].concat()), []);
    assert_eq!(
        client.machine.capacity(),
        MAX_STREAMS - 100,
        "without SETTINGS_MAX_CONCURRENT_STREAMS only our own limit applies"
    );
    assert_eq!(client.hear(&settings(&[(3, 101)])), []);
    assert_eq!(client.machine.capacity(), 1);
    client.ask(201);
    assert_eq!(client.requested().len(), 101);

    assert_eq!(client.hear(&settings(&[(3, 100)])), []);
    assert_eq!(client.machine.capacity(), 0);
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
    assert_eq!(client.machine.capacity(), 0);
    assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
    assert_eq!(client.machine.capacity(), 1);
    assert_eq!(client.hear(&settings(&[(3, 0)])), []);
    assert_eq!(client.machine.capacity(), 0);
    assert!(!client.machine.is_draining(), "the server may raise the limit again");
}

#[test]
fn accepted_queries_wait_when_max_streams_is_lowered() {
    let mut client = Client::asking(1);
    for key in 2..=3 {
        client.machine.submit(client.now, Key(key), &query(key));
    }
    assert_eq!(client.hear(&settings(&[(3, 1)])), []);
    assert_eq!(client.requested(), [1]);
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
    assert_eq!(client.requested(), [1, 3]);
    assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
    assert_eq!(client.hear(&response(5, &answer(3))), [answered(3)]);
}

/// BIND closes the connection on 64 requests in one burst.
#[test]
fn requests_leave_in_bursts_of_48() {
    let mut client = Client::asking(0);
    for key in 1..=2 * MAX_BURST as u64 + 3 {
        client.machine.submit(client.now, Key(key), &query(key));
    }
    let transmit_now = |client: &mut Client| {
        let mut out = Vec::new();
        std::iter::from_fn(|| client.machine.poll_transmit(client.now, &mut out).then_some(())).count()
    };
    assert_eq!(transmit_now(&mut client), MAX_BURST);
    assert_eq!(client.machine.poll_timeout(), Some(client.now + BURST_PAUSE));
    client.machine.handle_timeout(client.now);
    assert_eq!(transmit_now(&mut client), 0, "an early handle_timeout changes nothing");

    client.machine.handle_input(client.now, &response(1, &answer(1)));
    assert_eq!(client.machine.poll_event(client.now), Some(answered(1)));
    assert_eq!(transmit_now(&mut client), MAX_BURST, "an answer shows that the server keeps up");

    client.now += BURST_PAUSE;
    client.machine.handle_timeout(client.now);
    assert_eq!(client.machine.poll_timeout(), None);
    assert_eq!(transmit_now(&mut client), 3, "without an answer, sending resumes after the pause");
}

/// RFC 9113 Section 6.7.
#[test]
fn pings_are_answered_and_sent_as_probes() {
    let mut client = Client::asking(1);
    assert_eq!(client.hear(&server::ping(*b"question")), []);
    let answers = client.frames_of(kind::PING);
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].flags, &answers[0].payload[..]), (flag::ACK, &b"question"[..]));

    for _ in 0..2 {
        assert!(client.machine.probe(client.now));
        assert!(
            client.machine.probe(client.now),
            "the second probe is not sent while the first is in flight"
        );
        client.transmit();
        let probe = client.frames_of(kind::PING).pop().unwrap();
        assert_eq!(probe.flags, 0);
        assert_eq!(
            client.hear(&frame(kind::PING, flag::ACK, 0, [9; 8])),
            [],
            "a PING ACK with another payload is ignored"
        );
        let octets = frame(kind::PING, flag::ACK, 0, &probe.payload);
        assert_eq!(client.hear(&octets), [Event::Alive]);
        assert_eq!(client.hear(&octets), [], "a repeated PING ACK is ignored");
    }
    assert_eq!(client.frames_of(kind::PING).len(), 3);
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
}

/// RFC 9113 Section 6.5.3.
#[test]
fn every_settings_frame_is_acknowledged() {
    let mut client = Client::asking(0);
    assert_eq!(client.hear(&[settings(&[(3, 7)]), settings(&[])].concat()), []);
    let acknowledgements = client.frames_of(kind::SETTINGS).split_off(1);
    assert_eq!(acknowledgements.len(), 3);
    assert!(acknowledgements.iter().all(|frame| frame.flags == flag::ACK && frame.payload.is_empty()));
}

/// RFC 9113 Section 4.3.1: an encoder must announce a table that was made smaller.
#[test]
fn smaller_header_table_is_announced_once() {
    let mut client = Client::asking(1);
    assert_eq!(client.hear(&[settings(&[(1, 100)]), settings(&[(1, 4096), (1, 0)])].concat()), []);
    client.ask(2);
    client.ask(3);
    let blocks = client.frames_of(kind::HEADERS);
    assert_eq!(blocks.iter().map(|frame| frame.payload[0]).collect::<Vec<_>>(), [0x83, 0x20, 0x83]);
    assert_eq!(blocks[1].fields(), blocks[0].fields());
    assert_eq!(client.hear(&settings(&[(1, 0)])), []);
    client.ask(4);
    assert_eq!(client.frames_of(kind::HEADERS)[3].payload[0], 0x83);
}

#[test]
fn debug_shows_no_query_name() {
    let mut client = Client::asking(1);
    client.machine.submit(client.now, Key(2), &query(2));
    let debug = format!("{:?}", client.machine);
    assert!(debug.contains("streams: 1") && debug.contains("waiting: 1"), "{debug}");
    assert!(!debug.contains("q1") && !debug.contains("q2"), "{debug}");
}
