//! Known faults of the HTTP/2 machine. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::server::{self, data, dns_head, headers};
use super::{Client, answer, long_answer};
use crate::connection::http2::frame::kind;
use crate::connection::http2::limits;
use crate::connection::{Event, Key, Machine};
use crate::error::Cause;

/// What the end of a connection says, if the connection ended.
fn end_of(events: &[Event]) -> Option<&'static str> {
    match events.last() {
        Some(Event::Ended(Cause::Protocol(error))) => Some(error.what),
        _ => None,
    }
}

/// Cancels one query after the other, and lets the server send `late` for each. The number of the query at which the
/// connection ends, and what the end says.
fn cancel_each(late: impl Fn(u64, u32) -> Vec<u8>) -> Option<(u64, &'static str)> {
    let mut client = Client::asking(0);
    let largest = server::window_update(0, (1 << 31) - 1 - 65_535);
    assert_eq!(client.hear(&largest), []);
    (1..=20_000).find_map(|key| {
        client.ask(key);
        client.machine.cancel(client.now, Key(key));
        client.transmit();
        let stream = u32::try_from(2 * key - 1).unwrap();
        let end = end_of(&client.hear(&late(key, stream)));
        client.transmits.clear();
        end.map(|what| (key, what))
    })
}

/// Right: late frames on a stream that this client reset were provoked (RFC 9113 section 5.1). A smallest response,
/// HEADERS and one DATA frame, does not count against the server.
#[test]
fn fault_w3_late_responses_to_cancelled_queries_end_the_connection() {
    let late = |key, stream| [headers(stream, false, dns_head()), data(stream, true, answer(key))].concat();
    assert_eq!(cancel_each(late), Some((10_000, "too many frames without effect")));
}

/// Right: a `RST_STREAM` frame that crosses the one of this client was provoked and is not counted.
#[test]
fn fault_w3_resets_of_cancelled_queries_end_the_connection() {
    let late = |_, stream| server::rst_stream(stream, 8);
    assert_eq!(cancel_each(late), Some((2001, "too many RST_STREAM frames")));
}

/// 300 responses of 64 KiB are sent in turn, and fill the window of the connection before one of them is complete.
/// Right: the streams are so few that their bodies fit into the window, or one stream is reset to free its share.
#[test]
fn fault_w4_a_window_filled_by_incomplete_bodies_stays_closed() {
    let mut client = Client::asking(300);
    let credits_before = client.frames_of(kind::WINDOW_UPDATE).len();
    let window = limits::CONNECTION_WINDOW as usize;
    let share = window / 300;
    for key in 1..=300 {
        let stream = u32::try_from(2 * key - 1).unwrap();
        assert_eq!(client.hear(&headers(stream, false, dns_head())), []);
        for part in long_answer(key, 65_535)[..share].chunks(16_384) {
            assert_eq!(client.hear(&data(stream, false, part)), []);
        }
    }
    assert!(window - 300 * share < 300, "the server may send less than a byte per stream");
    assert_eq!(client.frames_of(kind::WINDOW_UPDATE).len(), credits_before, "no credit was sent");
    assert_eq!((client.machine.in_flight(), client.resets()), (300, vec![]));
    assert_eq!(client.machine.poll_timeout(), None, "no timer will open the window");
}

/// Right: the request says `accept-encoding: identity`.
#[test]
fn fault_w14_requests_do_not_ask_for_an_unencoded_body() {
    let fields = Client::asking(1).frames_of(kind::HEADERS)[0].fields();
    assert!(fields.iter().any(|(name, _)| name == "accept"));
    assert!(!fields.iter().any(|(name, _)| name == "accept-encoding"));
}
