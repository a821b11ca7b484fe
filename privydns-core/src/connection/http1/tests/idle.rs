//! Between exchanges, and what the caller does to one.

use super::*;
use crate::error::HttpProblem;

const TIMEOUT: &str = "408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n";

fn safe(cause: impl Into<Cause>) -> Event {
    Event::Failed { key: Key(0), cause: cause.into(), retry_safe: true }
}

/// RFC 9110 Section 15.5.9: a server that tires of waiting says so, and that is an end like any other.
#[test]
fn an_unasked_408_is_a_plain_close() {
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
        // It may come right behind an answer.
        let input = [with_length(""), response(TIMEOUT, b"")].concat();
        expect("9110 15.5.9", &input, &[good(), Event::Ended(Cause::Closed)]);
    }
}

/// RFC 9110 Section 15.5.9: where it crosses a request, the request was never seen.
#[test]
fn a_408_that_crosses_a_request_says_that_it_may_be_sent_again() {
    let status = HttpProblem::Status { code: 408, retry_after: None };
    expect("9110 15.5.9", &response(TIMEOUT, b""), &[safe(status), Event::Ended(Cause::Closed)]);
}

/// Conformance 9: a request that is not out yet cannot be what the peer speaks of.
#[test]
fn a_request_not_sent_yet_fails_where_the_peer_speaks_first() {
    let unasked = Event::Ended(violation("octets that nobody asked for"));
    let rows = [(response(TIMEOUT, b""), Event::Ended(Cause::Closed)), (with_length(""), unasked)];
    for (input, end) in rows {
        for split in SPLITS {
            let mut http1 = machine(HttpMethod::Post);
            http1.submit(start(), Key(0), &question());
            assert_eq!(feed(&mut http1, &input, split), [safe(Cause::Closed), end.clone()]);
            assert_eq!(transmits(&mut http1).len(), 0);
        }
    }
}

/// As long as it is not known what the peer begins to say, no request goes out.
#[test]
fn the_start_of_something_unasked_is_enough_to_stop_requests() {
    let mut http1 = machine(HttpMethod::Post);
    assert_eq!(feed(&mut http1, b"HTTP/1.1 4", 1), []);
    assert_eq!((http1.capacity(), http1.is_draining()), (0, true));
    http1.submit(start(), Key(0), &question());
    assert_eq!((events(&mut http1), transmits(&mut http1).len()), (vec![safe(Cause::Closed)], 0));
    http1.handle_end(start(), Cause::Closed);
    assert_eq!(events(&mut http1), [Event::Ended(Cause::Closed)]);
}

/// The limit is HTTP's usual one, or what the server says, less a margin.
#[test]
fn the_server_may_say_how_long_it_keeps_an_idle_connection() {
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

/// Conformance 9: at the end the exchange fails, safe to repeat if it never left, and then there is silence.
#[test]
fn the_end_comes_last() {
    let mut http1 = machine(HttpMethod::Post);
    http1.submit(start(), Key(0), &question());
    http1.handle_end(start(), Cause::Timeout);
    http1.handle_end(start(), Cause::Closed);
    assert_eq!(transmits(&mut http1).len(), 0);
    assert_eq!(events(&mut http1), [safe(Cause::Timeout), Event::Ended(Cause::Timeout)]);
    http1.submit(start(), Key(1), &question());
    http1.handle_input(start(), &with_length(""));
    http1.handle_timeout(start());
    assert_eq!((events(&mut http1), transmits(&mut http1).len(), http1.capacity()), (vec![], 0, 0));
    assert_eq!((http1.poll_timeout(), http1.probe(start())), (None, false));
}

/// A broken rule that came before the end is the cause, even where both are read at once.
#[test]
fn a_broken_rule_is_the_cause_even_if_the_end_is_known_already() {
    let mut http1 = requesting();
    http1.handle_input(start(), &with_length("Any\r\n"));
    http1.handle_end(start(), Cause::Closed);
    let cause = violation("a malformed field name, or a folded line");
    assert_eq!(events(&mut http1), [failed(cause.clone()), Event::Ended(cause)]);
}

#[test]
fn a_second_request_at_once_fails_and_may_be_sent_again() {
    let mut http1 = requesting();
    for key in 1..3 {
        http1.submit(start(), Key(key), &question());
    }
    http1.cancel(start(), Key(2));
    let refused = Event::Failed { key: Key(1), cause: Cause::Closed, retry_safe: true };
    assert_eq!((events(&mut http1), transmits(&mut http1).len()), (vec![refused], 0));
    assert_eq!(feed(&mut http1, &with_length(""), 1), [good()]);
}

#[test]
fn a_request_cancelled_before_it_is_sent_leaves_no_trace() {
    let mut http1 = machine(HttpMethod::Post);
    http1.submit(start(), Key(0), &question());
    http1.cancel(start(), Key(7));
    assert_eq!(http1.in_flight(), 1);
    http1.cancel(start(), Key(0));
    assert_eq!((http1.capacity(), http1.in_flight(), transmits(&mut http1).len()), (1, 0, 0));
}

/// 9.3.2: the response to a request that was sent will come, and nothing else can before it.
#[test]
fn cancelling_the_request_that_is_out_ends_the_connection() {
    let mut http1 = requesting();
    assert_eq!(feed(&mut http1, &with_length("")[..20], 1), []);
    http1.cancel(start(), Key(0));
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 0, true));
    http1.handle_input(start(), &with_length("")[20..]);
    assert_eq!(events(&mut http1), [Event::Ended(Cause::Closed)]);
}

#[test]
fn a_closed_connection_still_answers_the_request_that_is_out() {
    let mut http1 = requesting();
    http1.close(start());
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 1, true));
    assert_eq!(feed(&mut http1, &with_length(""), 1), [good()]);
    assert_eq!((http1.capacity(), http1.in_flight(), http1.is_draining()), (0, 0, true));
}

#[test]
fn debug_shows_no_name() {
    let debug = format!("{:?}", requesting());
    assert!(debug.starts_with("Http1") && !debug.contains("www"), "{debug}");
}
