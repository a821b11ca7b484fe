//! Idle connections, cancelled requests, and closing.

use super::*;
use crate::error::HttpProblem;
use crate::testkit::epoch;

const TIMEOUT: &str = "408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n";

fn safe(cause: impl Into<Cause>) -> Event {
    Event::Failed { key: Key(0), cause: cause.into(), retry_safe: true }
}

/// RFC 9110 Section 15.5.9: a 408 response on an idle connection is an ordinary end.
#[test]
fn status_408_on_an_idle_connection_is_a_close() {
    for split in SPLITS {
        for is_used in [true, false] {
            let mut http1 = if is_used { requesting() } else { machine(HttpMethod::Post) };
            if is_used {
                assert_eq!(feed(&mut http1, &with_length(""), split), [good()]);
            }
            assert_eq!(http1.capacity(), 1);
            assert_eq!(feed(&mut http1, &response(TIMEOUT, b""), split), [Event::Ended(Cause::Closed)]);
            assert_eq!((http1.capacity(), http1.is_draining()), (0, true));
        }
        // The 408 response may directly follow an answer.
        let input = [with_length(""), response(TIMEOUT, b"")].concat();
        expect("9110 15.5.9", &input, &[good(), Event::Ended(Cause::Closed)]);
    }
}

/// RFC 9110 Section 15.5.9: if the 408 response crosses a request, the server did not receive the request.
#[test]
fn status_408_crossing_a_request_allows_a_resend() {
    let status = HttpProblem::Status { code: 408, retry_after: None };
    expect("9110 15.5.9", &response(TIMEOUT, b""), &[safe(status), Event::Ended(Cause::Closed)]);
}

/// Conformance 9: a response cannot belong to a request that has not been sent.
#[test]
fn unsent_request_fails_when_the_peer_sends_first() {
    let unasked = Event::Ended(violation("data without a request"));
    let rows = [(response(TIMEOUT, b""), Event::Ended(Cause::Closed)), (with_length(""), unasked)];
    for (input, end) in rows {
        for split in SPLITS {
            let mut http1 = machine(HttpMethod::Post);
            http1.submit(epoch(), Key(0), &question());
            assert_eq!(feed(&mut http1, &input, split), [safe(Cause::Closed), end.clone()]);
            assert_eq!(transmits(&mut http1).len(), 0);
        }
    }
}

/// No request is sent while the peer's unrequested data is incomplete.
#[test]
fn partial_unrequested_data_stops_requests() {
    let mut http1 = machine(HttpMethod::Post);
    assert_eq!(feed(&mut http1, b"HTTP/1.1 4", 1), []);
    assert_eq!((http1.capacity(), http1.is_draining()), (0, true));
    http1.submit(epoch(), Key(0), &question());
    assert_eq!((events(&mut http1), transmits(&mut http1).len()), (vec![safe(Cause::Closed)], 0));
    http1.handle_end(epoch(), Cause::Closed);
    assert_eq!(events(&mut http1), [Event::Ended(Cause::Closed)]);
}

/// The idle timeout is the default of HTTP, or the server's, less a margin.
#[test]
fn keep_alive_header_sets_the_idle_timeout() {
    let rows = [
        ("", 30 * SECOND),
        ("Keep-Alive: timeout=65\r\n", 64 * SECOND),
        ("Keep-Alive: max=100, timeout=2\r\n", SECOND * 3 / 2),
        ("Keep-Alive: timeout=0\r\n", Duration::ZERO),
        ("Keep-Alive: timeout=60000\r\n", 600 * SECOND),
        ("Keep-Alive: timeout=soon\r\n", 30 * SECOND),
        ("Keep-Alive: 5\r\n", 30 * SECOND),
    ];
    for (field, limit) in rows {
        assert_eq!(expect(field, &with_length(field), &[good()]).idle_limit(), limit, "{field}");
    }
}

/// Conformance 9: at the end the request fails, safe to repeat if it was not sent, and no event follows.
#[test]
fn end_is_the_last_event() {
    let mut http1 = machine(HttpMethod::Post);
    http1.submit(epoch(), Key(0), &question());
    http1.handle_end(epoch(), Cause::Timeout);
    http1.handle_end(epoch(), Cause::Closed);
    assert_eq!(transmits(&mut http1).len(), 0);
    assert_eq!(events(&mut http1), [safe(Cause::Timeout), Event::Ended(Cause::Timeout)]);
    http1.submit(epoch(), Key(1), &question());
    http1.handle_input(epoch(), &with_length(""));
    http1.handle_timeout(epoch());
    assert_eq!((events(&mut http1), transmits(&mut http1).len(), http1.capacity()), (vec![], 0, 0));
    assert_eq!((http1.poll_timeout(), http1.probe(epoch())), (None, false));
}

/// A violation before the end is the cause, even if both are read at once.
#[test]
fn violation_before_the_end_is_the_cause() {
    let mut http1 = requesting();
    http1.handle_input(epoch(), &with_length("Any\r\n"));
    http1.handle_end(epoch(), Cause::Closed);
    let cause = violation("a malformed field name, or a folded line");
    assert_eq!(events(&mut http1), [failed(cause.clone()), Event::Ended(cause)]);
}

#[test]
fn second_concurrent_request_fails_as_not_processed() {
    let mut http1 = requesting();
    for key in 1..3 {
        http1.submit(epoch(), Key(key), &question());
    }
    http1.cancel(epoch(), Key(2));
    let refused = Event::Failed { key: Key(1), cause: Cause::Closed, retry_safe: true };
    assert_eq!((events(&mut http1), transmits(&mut http1).len()), (vec![refused], 0));
    assert_eq!(feed(&mut http1, &with_length(""), 1), [good()]);
}

#[test]
fn request_cancelled_before_sending_leaves_no_state() {
    let mut http1 = machine(HttpMethod::Post);
    http1.submit(epoch(), Key(0), &question());
    http1.cancel(epoch(), Key(7));
    assert_eq!(http1.in_flight(), 1);
    http1.cancel(epoch(), Key(0));
    assert_eq!((http1.capacity(), http1.in_flight(), transmits(&mut http1).len()), (1, 0, 0));
}

/// 9.3.2: the response to a sent request arrives, and no other before it.
#[test]
fn cancelling_a_sent_request_ends_the_connection() {
    let mut http1 = requesting();
    assert_eq!(feed(&mut http1, &with_length("")[..20], 1), []);
    http1.cancel(epoch(), Key(0));
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 0, true));
    http1.handle_input(epoch(), &with_length("")[20..]);
    assert_eq!(events(&mut http1), [Event::Ended(Cause::Closed)]);
}

#[test]
fn closing_connection_answers_the_sent_request() {
    let mut http1 = requesting();
    http1.close(epoch());
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 1, true));
    assert_eq!(feed(&mut http1, &with_length(""), 1), [good()]);
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 0, true));
}

#[test]
fn debug_shows_no_query_name() {
    let debug = format!("{:?}", requesting());
    assert!(debug.starts_with("Http1") && !debug.contains("www"), "{debug}");
}
