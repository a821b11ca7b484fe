//! Floods: each kind of allowed frame has a limit (RFC 9113 Section 10.5).

use super::server::{self, data, field, frame, headers, response, settings};
use super::{Client, SPLITS, answer, answered, is_violation};
use crate::connection::http2::frame::kind;
use crate::connection::http2::limits;
use crate::connection::{Event, Key, Machine};

/// The repeated frames, their maximum number, and the frames before them.
type Flood = (&'static str, Vec<u8>, u32, Vec<u8>);

#[test]
fn floods_end_the_connection() {
    let head = headers(1, false, server::dns_head());
    let open_block = frame(kind::HEADERS, 0, 1, []);
    let ended = response(5, &answer(3));
    let floods: [Flood; 12] = [
        ("PING", server::ping([7; 8]), limits::MAX_PINGS.into(), vec![]),
        ("answers to PING", frame(kind::PING, 1, 0, [7; 8]), limits::MAX_PINGS.into(), vec![]),
        ("SETTINGS", settings(&[]), u32::from(limits::MAX_SETTINGS) - 1, vec![]),
        ("empty DATA", data(1, false, []), limits::MAX_EMPTY_FRAMES.into(), head.clone()),
        ("nothing but padding", server::padded_data(1, false, &[], 9), limits::MAX_EMPTY_FRAMES.into(), head),
        ("RST_STREAM", server::rst_stream(5, 0), limits::MAX_RESETS.into(), ended),
        ("WINDOW_UPDATE", server::window_update(0, 1), limits::MAX_OTHER_FRAMES.into(), vec![]),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, [0; 5]), limits::MAX_OTHER_FRAMES.into(), vec![]),
        // Stream 99 is idle, and an error of the stream does not end the connection.
        ("short PRIORITY", frame(kind::PRIORITY, 0, 99, []), limits::MAX_OTHER_FRAMES.into(), vec![]),
        ("unknown frames", frame(99, 0, 0, []), limits::MAX_OTHER_FRAMES.into(), vec![]),
        ("GOAWAY", server::goaway(5, 0), limits::MAX_OTHER_FRAMES.into(), vec![]),
        ("CONTINUATION", frame(kind::CONTINUATION, 0, 1, []), limits::MAX_CONTINUATIONS, open_block),
    ];
    for (what, octets, limit, before) in floods {
        for split in SPLITS {
            let mut client = Client::asking(3);
            client.hear(&before);
            assert_eq!(client.hear_split(&octets.repeat(limit as usize), split), [], "{what}");
            let events = client.hear_split(&octets, split);
            assert!(matches!(events.last(), Some(Event::Ended(_))), "{what}: {events:?}");
            let goaway = client.frames_of(kind::GOAWAY);
            assert_eq!(goaway.last().map(|frame| frame.payload[7]), Some(0xb), "{what}: ENHANCE_YOUR_CALM");
        }
    }
}

/// RFC 9113 Section 10.5.1.
#[test]
fn endless_field_block_ends_the_connection() {
    let mut client = Client::asking(1);
    assert_eq!(client.hear(&frame(kind::HEADERS, 0, 1, field("a", "b".repeat(16_000)))), []);
    assert_eq!(client.hear(&frame(kind::CONTINUATION, 0, 1, vec![0; 16_000])), []);
    let events = client.hear(&frame(kind::CONTINUATION, 0, 1, vec![0; 1000]));
    assert!(matches!(&events[..], [failure, Event::Ended(_)] if is_violation(failure, 1)));
    assert_eq!(client.frames_of(kind::GOAWAY)[0].payload[7], 0xb);
}

/// A small block that represents a large list: the dynamic table's largest entry, many times.
#[test]
fn header_bomb_resets_its_stream() {
    let mut client = Client::asking(2);
    let entry = [&[0x40, 1, b'a'][..], &field("", "b".repeat(4000))[2..]].concat();
    let bomb = [server::dns_head(), entry, vec![0xbe; 10_000]].concat();
    let events = client.hear(&headers(1, false, bomb));
    assert!(matches!(&events[..], [event] if is_violation(event, 1)), "{events:?}");
    assert_eq!(client.resets(), [(1, 1)]);
    assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
}

#[test]
fn endless_interim_responses_reset_their_stream() {
    let mut client = Client::asking(2);
    let interim = headers(1, false, field(":status", "102"));
    assert_eq!(client.hear(&interim.repeat(limits::MAX_INTERIM_RESPONSES.into())), []);
    let events = client.hear(&interim);
    assert!(matches!(&events[..], [event] if is_violation(event, 1)));
    assert_eq!(client.resets(), [(1, 1)]);
    assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
}

#[test]
fn answers_reset_the_budget_of_overhead_frames() {
    let mut client = Client::asking(0);
    let noise = [
        server::ping([1; 8]).repeat(400),
        settings(&[]).repeat(90),
        server::window_update(0, 1).repeat(9000),
    ];
    for key in 1..=20 {
        client.ask(key);
        assert_eq!(client.hear(&noise.concat()), []);
        let stream = u32::try_from(2 * key - 1).unwrap();
        assert_eq!(client.hear(&response(stream, &answer(key))), [answered(key)]);
    }
}

/// A server that requests acknowledgements and reads none, with answers in between. Whichever frame exceeds the limit,
/// a PING or the reset of an overlong body, each query ends once.
#[test]
fn pending_control_frames_are_bounded() {
    let too_long = data(1, false, [0; 16_384]).repeat(4);
    // With 192 of them, a reset exceeds the limit.
    for pings in 190..195 {
        let mut client = Client::asking(100);
        let mut events = Vec::new();
        for key in 1..=100u64 {
            let stream = u32::try_from(2 * key - 1).unwrap();
            let mut octets = [headers(1, false, server::dns_head()), too_long.clone()].concat();
            for frame in 0..5 {
                let start = if frame == 0 { 0 } else { octets.len() - frame * 16_393 };
                octets[start + 5..start + 9].copy_from_slice(&stream.to_be_bytes());
            }
            let octets = [server::ping([1; 8]).repeat(pings), octets].concat();
            client.machine.handle_input(client.now, &octets);
            events.extend(std::iter::from_fn(|| client.machine.poll_event(client.now)));
            assert!(client.machine.connection.pending_control.len() <= limits::MAX_PENDING_CONTROL + 100);
        }
        assert_eq!(events.len(), 101, "one event for every query, and the end");
        assert!(matches!(events.last(), Some(Event::Ended(_))));
    }
}

/// The memory for cancelled streams is bounded, and frames on forgotten streams are ignored.
#[test]
fn remembered_cancelled_streams_are_bounded() {
    let mut client = Client::asking(0);
    assert_eq!(client.hear(&server::window_update(0, 1 << 20)), []);
    for key in 1..=3000u64 {
        client.ask(key);
        client.machine.cancel(client.now, Key(key));
        client.transmit();
    }
    client.ask(3001);
    for stream in [1, 3, 2001, 5999] {
        assert_eq!(client.hear(&response(stream, &[1, 2, 3])), []);
    }
    assert_eq!(
        client.hear(&data(1, false, [1])),
        [],
        "the end of this stream has been forgotten, so the frame is ignored"
    );
    assert_eq!(client.hear(&response(6001, &answer(3001))), [answered(3001)]);
    let events = client.hear(&data(5999, false, [1]));
    assert!(
        matches!(events[..], [Event::Ended(_)]),
        "the end of this stream is still remembered, so a frame after the end is a violation"
    );
}

#[test]
fn acknowledgements_of_own_pings_are_not_counted() {
    let mut client = Client::asking(0);
    for _ in 0..2 * limits::MAX_PINGS {
        assert!(client.machine.probe(client.now));
        client.transmit();
        let ping = client.frames_of(kind::PING).pop().unwrap();
        assert_eq!(client.hear(&frame(kind::PING, 1, 0, ping.payload)), [Event::Alive]);
    }
}
