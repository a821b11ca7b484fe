//! Flow control in both directions (RFC 9113 Sections 5.2 and 6.9), and the memory held for bodies.

use super::server::{self, data, headers, padded_data, response, settings, window_update};
use super::{Client, Draw, SPLITS, answer, answered, failed, long_answer, query};
use crate::connection::http2::flow::{ReceiveWindow, SendWindow};
use crate::connection::http2::frame::{flag, kind};
use crate::connection::http2::limits::{CONNECTION_WINDOW, STREAM_WINDOW};
use crate::connection::{Event, Key, Machine};
use crate::error::{Cause, HttpProblem, ProtocolError};
use crate::upstream::HttpMethod;

/// Conformance 33.
#[test]
fn bodies_up_to_65535_bytes_are_answers() {
    for length in [12_000, 16_384, 65_534, 65_535] {
        for split in SPLITS {
            let mut client = Client::asking(1);
            let message = long_answer(1, length);
            let expected = Event::Answered { key: Key(1), message: message.clone().into(), age: 0 };
            assert_eq!(client.hear_split(&response(1, &message), split), [expected]);
        }
    }
}

/// Conformance 33. Later data on the stream is ignored.
#[test]
fn longer_body_resets_its_stream() {
    for (status, problem) in
        [("200", HttpProblem::BodyTooLong), ("502", HttpProblem::Status { code: 502, retry_after: None })]
    {
        let mut client = Client::asking(2);
        let head = [server::field(":status", status), server::dns_head()[1..].to_vec()].concat();
        assert_eq!(client.hear(&headers(1, false, head)), []);
        let part = data(1, false, [0; 16_384]);
        assert_eq!(client.hear(&part.repeat(3)), []);
        assert_eq!(client.hear(&part), [failed(1, problem, false)]);
        assert_eq!(client.resets(), [(1, 8)]);
        assert_eq!(client.hear(&[part.repeat(9), data(1, true, [])].concat()), []);
        assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
    }
}

/// Every byte that the server sends is returned as credit, in answers, padding, errors and frames on streams that were
/// reset.
#[test]
fn connection_window_never_leaks() {
    let mut client = Client::asking(0);
    assert_eq!(client.hear(&window_update(0, 1 << 20)), []);
    let mut draw = Draw::new(69);
    let mut window = i64::from(CONNECTION_WINDOW);
    let mut credited = 0;
    let mut seen = client.frames().len();
    for round in 0..4000u64 {
        let (key, stream) = (round + 1, u32::try_from(2 * round + 1).unwrap());
        client.ask(key);
        let body = vec![0; 8192];
        let octets = match draw.below(7) {
            0 => [headers(stream, false, server::dns_head()), data(stream, true, &body)].concat(),
            1 => [
                headers(stream, false, server::dns_head()),
                data(stream, false, &body),
                data(stream, true, []),
            ]
            .concat(),
            2 => [
                headers(stream, false, server::dns_head()),
                data(stream, false, &body),
                server::rst_stream(stream, 2),
            ]
            .concat(),
            3 => data(stream, false, &body),
            4 => [
                headers(stream, false, server::dns_head()),
                padded_data(stream, false, &body, 255),
                server::rst_stream(stream, 2),
            ]
            .concat(),
            5 => {
                [headers(stream, false, server::field(":status", "500")), data(stream, true, &body)].concat()
            }
            _ => [headers(stream, false, server::dns_head()), data(stream, false, &body)].concat(),
        };
        window -= super::frames(&octets)
            .iter()
            .filter(|frame| frame.kind == kind::DATA)
            .map(|frame| i64::try_from(frame.payload.len()).unwrap())
            .sum::<i64>();
        assert!(client.hear(&octets).len() <= 1);
        client.machine.cancel(client.now, Key(key));
        client.transmit();
        assert_eq!(client.machine.in_flight(), 0);
        client.machine.connection.frame_budget.renew();
        let frames = client.frames_since(&mut seen);
        let credits = frames.iter().filter(|frame| frame.kind == kind::WINDOW_UPDATE && frame.stream == 0);
        credited += credits.clone().count();
        window += credits.map(|frame| i64::from(frame.number())).sum::<i64>();
        assert!(
            window >= i64::from(CONNECTION_WINDOW) / 2 - 9000,
            "at most half of the window is unreturned"
        );
    }
    assert!((1..10).contains(&credited), "{credited} times");
}

/// The connection's window limits the memory held for bodies.
#[test]
fn data_beyond_the_connection_window_is_an_error() {
    let mut client = Client::asking(1000);
    let part = data(1, false, [0; 16_384]);
    let mut sent = 0;
    'streams: for stream in (1..2000).step_by(2) {
        assert_eq!(client.hear(&headers(stream, false, server::dns_head())), []);
        for _ in 0..3 {
            let mut part = part.clone();
            part[5..9].copy_from_slice(&stream.to_be_bytes());
            let events = client.hear(&part);
            sent += 16_384;
            if events.is_empty() {
                continue;
            }
            let what = "DATA that exceeds the connection's window";
            let cause = Cause::Protocol(ProtocolError { protocol: "h2", what });
            assert_eq!(events.last(), Some(&Event::Ended(cause)));
            break 'streams;
        }
    }
    assert_eq!(sent, CONNECTION_WINDOW + 16_384);
    assert_eq!(client.frames_of(kind::GOAWAY)[0].payload[7], 3);
}

/// With many bodies held, released credit is returned at once.
#[test]
fn exhausted_window_reopens_when_a_response_ends() {
    let mut client = Client::asking(1000);
    let full: Vec<u32> = (0..341).map(|index| 2 * index + 1).collect();
    for &stream in &full {
        let parts = data(stream, false, [0; 16_384]).repeat(3);
        assert_eq!(client.hear(&[headers(stream, false, server::dns_head()), parts].concat()), []);
    }
    let before = client.frames_of(kind::WINDOW_UPDATE).len();
    assert_eq!(client.hear(&server::rst_stream(1, 2)).len(), 1);
    let updates = client.frames_of(kind::WINDOW_UPDATE).split_off(before);
    assert_eq!(
        updates.iter().map(|frame| (frame.stream, frame.number())).collect::<Vec<_>>(),
        [(0, 3 * 16_384)]
    );
}

/// RFC 9113 Section 6.9.1: padding counts and is returned; otherwise it would exhaust the body's window.
#[test]
fn padding_is_returned_to_the_stream_window() {
    let mut client = Client::asking(1);
    assert_eq!(client.hear(&headers(1, false, server::dns_head())), []);
    let message = long_answer(1, 2000);
    let mut window = i64::from(STREAM_WINDOW);
    let mut seen = client.frames().len();
    for octet in &message {
        window -= 257;
        assert!(window >= 0, "the stream's window is never exhausted");
        assert_eq!(client.hear(&padded_data(1, false, &[*octet], 255)), []);
        for frame in client.frames_since(&mut seen) {
            if frame.kind == kind::WINDOW_UPDATE && frame.stream == 1 {
                window += i64::from(frame.number());
            }
        }
    }
    let expected = Event::Answered { key: Key(1), message: message.into(), age: 0 };
    assert_eq!(client.hear(&data(1, true, [])), [expected]);
}

/// RFC 9113 Sections 6.9.1 and 6.9.2: windows that are smaller than a request.
#[test]
fn tiny_windows_split_a_request() {
    for split in SPLITS {
        let mut client = Client::new();
        let octets = [settings(&[(4, 100)]), server::settings_ack()].concat();
        assert_eq!(client.hear_split(&octets, split), []);
        client.ask(1);
        let body = |client: &Client| client.frames_of(kind::DATA);
        let ends = |client: &Client| body(client).iter().filter(|frame| frame.ends_stream()).count();
        assert_eq!(body(&client)[0].payload.len(), 100);
        assert_eq!(
            super::frames(client.transmits.last().unwrap()).len(),
            2,
            "HEADERS and the first part of the body are one message"
        );

        // The window shrinks below zero, and grows again.
        assert_eq!(client.hear_split(&settings(&[(4, 90)]), split), []);
        assert_eq!(client.hear_split(&window_update(1, 10), split), []);
        assert_eq!(body(&client).len(), 1);
        assert_eq!(client.hear_split(&window_update(1, 7), split), []);
        assert_eq!(body(&client)[1].payload.len(), 7);
        assert_eq!(client.hear_split(&settings(&[(4, 91)]), split), []);
        assert_eq!(body(&client)[2].payload.len(), 1);
        assert_eq!(ends(&client), 0);
        assert_eq!(client.hear_split(&settings(&[(4, 1000)]), split), []);
        assert_eq!(ends(&client), 1);
        let sent: Vec<u8> = body(&client).into_iter().flat_map(|frame| frame.payload).collect();
        let mut message = Vec::new();
        crate::doh::encode_query(&query(1), &mut message);
        assert_eq!(sent, message);
        assert_eq!(client.hear_split(&response(1, &answer(1)), split), [answered(1)]);
        assert_eq!(client.resets(), []);
    }
}

/// RFC 9113 Section 8.1: an answer may arrive before the request is complete; the rest is then not sent.
#[test]
fn early_answer_ends_a_partly_sent_request() {
    let mut client = Client::new();
    assert_eq!(client.hear(&[settings(&[(4, 0)]), server::settings_ack()].concat()), []);
    client.ask(1);
    client.ask(2);
    assert_eq!(client.requested(), [1, 3]);
    assert_eq!(client.frames_of(kind::DATA), []);
    let too_large = headers(1, true, server::field(":status", "413"));
    let problem = HttpProblem::Status { code: 413, retry_after: None };
    assert_eq!(client.hear(&too_large), [failed(1, problem, false)]);
    assert_eq!(client.resets(), [(1, 8)]);
    assert_eq!(client.hear(&[server::rst_stream(1, 0), window_update(1, 500)].concat()), []);
    assert_eq!(client.frames_of(kind::DATA), []);
    assert_eq!(client.hear(&window_update(3, 500)), []);
    assert_eq!(client.frames_of(kind::DATA).len(), 1);
    assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
}

/// A request does not begin with the last bytes of the connection's window.
#[test]
fn requests_wait_for_the_connection_window() {
    let mut client = Client::asking(0);
    let mut sent = 0;
    for key in 1..=600u64 {
        client.ask(key);
        let stream = u32::try_from(2 * key - 1).unwrap();
        let requests = client.requested().len();
        if requests < usize::try_from(key).unwrap() {
            break;
        }
        sent = requests;
        assert_eq!(client.hear(&response(stream, &answer(key))), [answered(key)]);
    }
    assert_eq!(sent, 65_535 / 128);
    assert_eq!(client.machine.in_flight(), 1);
    assert_eq!(client.hear(&window_update(0, 1)), []);
    assert_eq!(client.requested().len(), sent + 1);
}

/// RFC 9113 Section 4.2: a path longer than a frame uses CONTINUATION.
#[test]
fn field_block_over_the_frame_size_uses_continuation() {
    for length in [16_000, 20_000, 40_000] {
        let url = format!("https://dns.example/{}{{?dns}}#ip=192.0.2.1", "x".repeat(length));
        let mut client = Client::of(&url, HttpMethod::Get);
        client.ask(1);
        client.ask(2);
        let sent = client.frames().split_off(2);
        let blocks: Vec<_> = sent.chunk_by(|one, other| one.stream == other.stream).collect();
        assert_eq!(blocks.len(), 2);
        for (block, stream) in blocks.into_iter().zip([1, 3]) {
            let [first, rest @ ..] = block else { panic!() };
            assert_eq!((first.kind, first.stream, first.ends_stream()), (kind::HEADERS, stream, true));
            assert_eq!(rest.len(), length / 16_384);
            assert!(rest.iter().all(|frame| frame.kind == kind::CONTINUATION));
            let ends: Vec<_> = block.iter().map(|frame| frame.flags & flag::END_HEADERS != 0).collect();
            assert_eq!(ends.iter().position(|end| *end), Some(block.len() - 1));
            let payload = block.iter().flat_map(|frame| frame.payload.clone()).collect();
            let whole = super::Frame { payload, ..first.clone() };
            assert!(whole.fields()[3].1.len() > length);
        }
    }
}

#[test]
fn windows_count_and_do_not_overflow() {
    let mut window = SendWindow::new(100);
    window.spend(60);
    window.shift(-50).unwrap();
    assert_eq!(window.available(), 0, "a negative window allows 0 bytes");
    window.shift(11).unwrap();
    assert_eq!(window.available(), 1);
    window.shift((1 << 31) - 2).unwrap();
    assert!(window.shift(1).is_err());

    let mut window = ReceiveWindow::new(100);
    assert!(window.receive(101).is_err());
    window.receive(60).unwrap();
    window.hold(60);
    assert_eq!(window.credit(), None);
    window.release(30);
    assert_eq!(window.credit(), None);
    window.release(10);
    assert_eq!(window.credit(), Some(40), "the free credit equals the remaining window");
    assert_eq!(window.credit(), None);
    window.receive(80).unwrap();
    assert!(window.receive(1).is_err());
    assert_eq!(window.credit(), Some(80));
}

impl Client {
    /// The frames that were sent since the last call with the same counter.
    fn frames_since(&self, seen: &mut usize) -> Vec<super::Frame> {
        let frames = self.frames();
        let new = frames[*seen..].to_vec();
        *seen = frames.len();
        new
    }
}
