//! Queries and connections that end without an answer: resets, cancels, GOAWAY, the last identifier, the end.

use super::server::{self, data, headers, response, settings};
use super::{Client, SPLITS, answer, answered, failed, query};
use crate::connection::http2::frame::kind;
use crate::connection::http2::is_not_http2;
use crate::connection::{Event, Key, Machine};
use crate::error::{Cause, HttpProblem};

/// RFC 9113 Sections 5.1 and 8.7, conformance 32.
#[test]
fn stream_reset_fails_only_its_query() {
    let refused = failed(1, HttpProblem::NotProcessed, true);
    let reset = |code| failed(1, HttpProblem::StreamReset(code), false);
    let begun = [headers(1, false, server::dns_head()), data(1, false, [1, 2, 3])].concat();
    for (before, code, event) in [
        (&[][..], 7, refused),
        (&[], 2, reset(2)),
        (&[], 0, reset(0)),
        (&begun, 8, reset(8)),
        (&begun, u32::MAX, reset(u32::MAX)),
    ] {
        for split in SPLITS {
            let mut client = Client::asking(2);
            let octets = [before, &server::rst_stream(1, code)].concat();
            assert_eq!(client.hear_split(&octets, split), std::slice::from_ref(&event));
            assert_eq!(client.resets(), [], "a reset is not answered by another");
            assert_eq!(client.hear(&response(3, &answer(2))), [answered(2)]);
        }
    }
}

#[test]
fn http_1_1_required_is_reported() {
    for octets in [server::rst_stream(1, 0xd), server::goaway(0, 0xd)] {
        let mut client = Client::asking(1);
        let events = client.hear(&octets);
        let [Event::Failed { cause, .. }] = &events[..] else { panic!("{events:?}") };
        assert!(is_not_http2(cause));
    }
    assert!(!is_not_http2(&Cause::Closed));
}

#[test]
fn cancelled_stream_is_reset_without_affecting_others() {
    let mut client = Client::asking(3);
    assert_eq!(client.hear(&headers(3, false, server::dns_head())), []);
    client.machine.submit(client.now, Key(4), &query(4));
    client.machine.cancel(client.now, Key(4));
    client.machine.cancel(client.now, Key(2));
    client.machine.cancel(client.now, Key(99));
    client.transmit();
    assert_eq!(client.resets(), [(3, 8)], "what was never sent need not be reset");
    assert_eq!(client.requested(), [1, 3, 5]);
    assert_eq!(client.machine.in_flight(), 2);

    // The server sent this before it knew, with an entry for the dynamic table.
    let late = headers(3, true, [0x40, 1, b'n', 1, b'v']);
    assert_eq!(client.hear(&[data(3, false, [0; 9]), late].concat()), []);
    let head = [&server::dns_head()[..], &[0xbe]].concat();
    let octets = [headers(1, false, head), data(1, true, answer(1))].concat();
    assert_eq!(client.hear(&octets), [answered(1)], "the table goes on with it");
    assert_eq!(client.hear(&response(5, &answer(3))), [answered(3)]);
    assert_eq!(client.frames_of(kind::GOAWAY), []);
}

/// RFC 9113 Section 6.8, conformance 32.
#[test]
fn goaway_separates_processed_from_unprocessed_queries() {
    for split in SPLITS {
        let mut client = Client::asking(3);
        client.machine.submit(client.now, Key(4), &query(4));
        assert_eq!(client.hear(&settings(&[(3, 3)])), []);
        let not_processed = |key| failed(key, HttpProblem::NotProcessed, true);
        assert_eq!(client.hear_split(&server::goaway(u32::MAX >> 1, 0), split), [not_processed(4)]);
        assert!(client.machine.is_draining());
        assert_eq!(client.machine.capacity(), 0);
        assert_eq!(client.hear_split(&server::goaway(3, 0), split), [not_processed(3)]);
        assert_eq!(client.hear_split(&server::goaway(3, 0), split), []);
        assert_eq!(client.hear_split(&response(3, &answer(2)), split), [answered(2)]);
        client.machine.cancel(client.now, Key(3));
        assert_eq!(client.hear_split(&server::goaway(1, 0), split), []);
        assert_eq!(client.hear_split(&response(1, &answer(1)), split), [answered(1)]);
        assert_eq!(client.machine.in_flight(), 0);
        assert_eq!(client.resets(), []);
        assert_eq!(client.end(), [Event::Ended(Cause::Closed)]);
    }
}

/// The server does not know the stream, so there is no stream to reset.
#[test]
fn query_excluded_by_goaway_can_be_cancelled() {
    let mut client = Client::asking(3);
    client.machine.handle_input(client.now, &server::goaway(1, 0));
    let passed_over = failed(3, HttpProblem::NotProcessed, true);
    assert_eq!(client.machine.poll_event(client.now), Some(passed_over));
    client.machine.cancel(client.now, Key(2));
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
    assert_eq!((client.machine.in_flight(), client.resets()), (0, vec![]));
}

/// RFC 9113 Section 5.1.1.
#[test]
fn exhausted_stream_ids_drain_the_connection() {
    let mut client = Client::asking(0);
    client.machine.connection.streams.skip_to((1 << 31) - 3);
    assert_eq!(client.machine.capacity(), 2);
    assert!(!client.machine.is_draining());
    client.ask(1);
    assert_eq!(client.machine.capacity(), 1);
    client.ask(2);
    assert_eq!(client.machine.capacity(), 0);
    assert!(client.machine.is_draining());
    let last = (1 << 31) - 1;
    assert_eq!(client.requested(), [last - 2, last]);
    assert_eq!(client.hear(&response(last, &answer(2))), [answered(2)]);
    assert_eq!(client.hear(&response(last - 2, &answer(1))), [answered(1)]);
    assert!(client.machine.is_draining());
    client.ask(3);
    assert_eq!(client.drain(), [failed(3, Cause::Closed, true)]);
}

#[test]
fn end_of_transport_fails_open_queries() {
    for split in SPLITS {
        let mut client = Client::asking(3);
        client.machine.submit(client.now, Key(4), &query(4));
        let whole = [response(3, &answer(2)), headers(1, false, server::dns_head())].concat();
        let cut = data(1, true, answer(1));
        let mut events = client.hear_split(&[&whole[..], &cut[..cut.len() - 1]].concat(), split);
        client.machine.submit(client.now, Key(5), &query(5));
        events.extend(client.end());
        let closed = |key, retry_safe| failed(key, Cause::Closed, retry_safe);
        let expected = [
            answered(2),
            closed(5, true),
            closed(1, false),
            closed(3, false),
            closed(4, false),
            Event::Ended(Cause::Closed),
        ];
        assert_eq!(events, expected, "what never left is safe to send again");
        assert_eq!(client.machine.capacity(), 0);
        assert_eq!(client.hear(&cut), []);
        assert_eq!(client.end(), []);
        assert!(!client.machine.probe(client.now));
    }
}

/// Completely received answers are delivered, even if the transport ended before they were decoded.
#[test]
fn data_before_the_end_is_decoded_first() {
    let mut client = Client::asking(2);
    client.machine.handle_input(client.now, &response(3, &answer(2)));
    client.machine.handle_input(client.now, &server::ping([1; 8]));
    let transmits = client.transmits.len();
    assert_eq!(client.end(), [answered(2), failed(1, Cause::Closed, false), Event::Ended(Cause::Closed)]);
    assert_eq!(client.transmits.len(), transmits, "there is nobody to send to");
}

#[test]
fn close_sends_goaway_and_awaits_answers() {
    let mut client = Client::asking(1);
    client.machine.submit(client.now, Key(2), &query(2));
    client.machine.close(client.now);
    client.machine.close(client.now);
    assert_eq!(client.drain(), [failed(2, Cause::Closed, true)]);
    let goaways = client.frames_of(kind::GOAWAY);
    assert_eq!(goaways.len(), 1);
    assert_eq!(goaways[0].payload, [0; 8]);
    assert!(client.machine.is_draining());
    assert_eq!(client.hear(&response(1, &answer(1))), [answered(1)]);
    assert_eq!(client.end(), [Event::Ended(Cause::Closed)]);
}
