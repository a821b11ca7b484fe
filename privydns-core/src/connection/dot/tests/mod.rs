mod faults;

use rand::seq::SliceRandom;

use super::*;
use crate::connection::testing::*;
use crate::testkit::epoch;

const SEED: [u8; 32] = [7; 32];

/// A connection with this many queries sent, their names, and their message IDs.
fn connection(queries: u64) -> (Dot, Vec<Arc<Query>>, Vec<u16>) {
    let mut dot = Dot::new(epoch(), SEED);
    let queries: Vec<_> = (0..queries).map(|n| query(&format!("n{n}.example"))).collect();
    for (key, query) in (0..).zip(&queries) {
        dot.submit(epoch(), Key(key), query);
    }
    let ids = transmits(&mut dot).iter().map(|message| message::id_of(&message[2..]).unwrap()).collect();
    (dot, queries, ids)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes()[..], message].concat()
}

fn failed(key: u64, cause: &Cause, retry_safe: bool) -> Event {
    Event::Failed { key: Key(key), cause: cause.clone(), retry_safe }
}

fn violation(what: &'static str) -> Cause {
    Cause::Protocol(ProtocolError { protocol: "dot", what })
}

/// Conformance 3, 4, 22: each query is one transmit with a length prefix, and does not wait for an answer.
#[test]
fn every_query_is_one_message_with_a_length_prefix() {
    let mut dot = Dot::new(epoch(), SEED);
    let query = query("www.example.com");
    for key in 0..50 {
        dot.submit(epoch(), Key(key), &query);
    }
    let messages = transmits(&mut dot);
    assert_eq!(messages.len(), 50);
    for message in messages {
        let (length, message) = message.split_first_chunk().unwrap();
        assert_eq!(usize::from(u16::from_be_bytes(*length)), message.len());
        assert_eq!(message.len() % 128, 0);
        let mut expected = Vec::new();
        message::encode(&query, message::id_of(message).unwrap(), Carrier::Stream, &mut expected);
        assert_eq!(message, expected);
    }
    assert_eq!((dot.in_flight(), dot.capacity()), (50, 950));
}

/// Conformance 5: IDs are unique in flight and follow from the seed.
#[test]
fn ids_are_unique_and_follow_from_the_seed() {
    let (dot, _, ids) = connection(1000);
    assert_eq!(dot.capacity(), 0);
    assert_eq!(ids, connection(1000).2);
    let mut other = Dot::new(epoch(), [8; 32]);
    other.submit(epoch(), Key(0), &query("n0.example"));
    assert_ne!(message::id_of(&transmits(&mut other)[0][2..]), Some(ids[0]));

    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 1000);
    assert!(!ids.is_sorted(), "IDs are drawn, not counted");
}

/// Conformance 3, 6: a thousand answers in any order and in any pieces reach their queries.
#[test]
fn answers_in_any_order_and_pieces_match_their_queries() {
    for split in SPLITS {
        let (mut dot, queries, ids) = connection(1000);
        let mut order: Vec<usize> = (0..1000).collect();
        order.shuffle(&mut StdRng::from_seed(SEED));
        let messages: Vec<_> = order.iter().map(|&n| answer(&queries[n], ids[n], &[])).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        let expected: Vec<_> =
            order.iter().zip(&messages).map(|(&n, message)| answered(n as u64, message)).collect();
        assert_eq!(feed(&mut dot, &stream, split), expected);
        assert_eq!((dot.in_flight(), dot.capacity()), (0, 1000));
    }
}

/// Conformance 3, 33: the longest possible message.
#[test]
fn answer_of_65535_bytes_is_complete() {
    let (mut dot, queries, ids) = connection(1);
    let mut message = answer(&queries[0], ids[0], &[]);
    message.resize(65_535, 0);
    assert_eq!(feed(&mut dot, &framed(&message), 1000), [answered(0, &message)]);
}

/// Conformance 6: names are compared ignoring case, and a failure need not repeat the question.
#[test]
fn question_matches_in_any_case_and_may_miss_in_failures() {
    let (mut dot, queries, ids) = connection(2);
    let mut upper = answer(&queries[0], ids[0], &[]);
    upper[HEADER..].make_ascii_uppercase();
    let mut bare = answer(&queries[1], ids[1], &[])[..HEADER].to_vec();
    bare[3] = 0x81;
    bare[5] = 0;
    let stream = [framed(&upper), framed(&bare)].concat();
    assert_eq!(feed(&mut dot, &stream, 1), [answered(0, &upper), answered(1, &bare)]);
}

/// Conformance 7: each kind of message that answers no query is ignored, and the query still waits.
#[test]
fn unmatched_messages_are_dropped_and_counted() {
    let (_, queries, ids) = connection(2);
    let good = answer(&queries[0], ids[0], &[]);
    let altered = |alter: fn(&mut Vec<u8>)| {
        let mut message = good.clone();
        alter(&mut message);
        message
    };
    let rows: [(&str, Vec<u8>); 8] = [
        ("an unknown ID", altered(|message| message[0] ^= 0x55)),
        ("another query's ID", answer(&queries[0], ids[1], &[])),
        ("QR=0", altered(|message| message[2] &= 0x7f)),
        ("another opcode", altered(|message| message[2] |= 0x20)),
        ("another name", altered(|message| message[HEADER + 1] ^= 1)),
        ("another type", altered(|message| *message.iter_mut().nth_back(2).unwrap() ^= 1)),
        ("another class", altered(|message| *message.last_mut().unwrap() ^= 2)),
        ("no question", altered(|message| message.truncate(HEADER))),
    ];
    for (what, stray) in rows {
        for split in SPLITS {
            let (mut dot, ..) = connection(2);
            let input = [framed(&stray), framed(&good)].concat();
            assert_eq!(feed(&mut dot, &input, split), [answered(0, &good)], "{what}");
            assert_eq!((dot.unmatched, dot.in_flight()), (1, 1), "{what}");

            // One more such message than the limit ends the connection.
            let input = framed(&stray).repeat(MAX_UNMATCHED as usize);
            let cause = violation("too many messages that match no query");
            assert_eq!(feed(&mut dot, &input, split), [failed(1, &cause, false), Event::Ended(cause)]);
            assert_eq!(feed(&mut dot, &framed(&good), split), []);
        }
    }
}

/// Conformance 7: a second answer to a query is ignored.
#[test]
fn duplicate_answer_is_unmatched() {
    let (mut dot, queries, ids) = connection(1);
    let message = answer(&queries[0], ids[0], &[]);
    assert_eq!(feed(&mut dot, &framed(&message).repeat(2), 1), [answered(0, &message)]);
    assert_eq!(dot.unmatched, 1);
}

/// A peer cannot answer a query before it is sent, even with the right ID.
#[test]
fn answer_before_the_query_is_unmatched() {
    let (_, queries, ids) = connection(1);
    let mut dot = Dot::new(epoch(), SEED);
    dot.submit(epoch(), Key(0), &queries[0]);
    assert_eq!(feed(&mut dot, &framed(&answer(&queries[0], ids[0], &[])), 1), []);
    assert_eq!((dot.unmatched, transmits(&mut dot).len()), (1, 1));
}

/// Conformance 5, 7: a cancelled query's ID stays taken until its answer arrives, and that answer is not misbehaviour.
#[test]
fn late_answer_to_a_cancelled_query_frees_its_id() {
    let (mut dot, queries, ids) = connection(3);
    dot.cancel(epoch(), Key(1));
    dot.cancel(epoch(), Key(99));
    assert_eq!((dot.in_flight(), dot.queries.len()), (2, 3));
    let late = framed(&answer(&queries[1], ids[1], &[]));
    assert_eq!(feed(&mut dot, &late, 1), []);
    assert_eq!((dot.unmatched, dot.queries.len()), (0, 2));
    assert_eq!(feed(&mut dot, &late, 1), []);
    assert_eq!(dot.unmatched, 1);
}

/// Conformance 5: with half of all IDs taken, most of them by cancelled queries, no ID is given out twice.
#[test]
fn id_in_use_is_not_drawn_again() {
    let mut dot = Dot::new(epoch(), SEED).pipeline(usize::MAX);
    let query = query("example");
    assert_eq!(dot.capacity(), MAX_PIPELINE);
    let mut ids = Vec::new();
    for key in 0..(MAX_PIPELINE + MAX_ABANDONED) as u64 {
        dot.submit(epoch(), Key(key), &query);
        ids.extend(transmits(&mut dot).iter().map(|message| message::id_of(&message[2..])));
        if key < MAX_ABANDONED as u64 {
            dot.cancel(epoch(), Key(key));
        }
    }
    assert_eq!((dot.capacity(), dot.is_draining()), (0, false));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), MAX_PIPELINE + MAX_ABANDONED);
}

/// A server that leaves too many queries unanswered gets no more; the queries in flight may still be answered.
#[test]
fn too_many_abandoned_ids_drain_the_connection() {
    let (mut dot, queries, ids) = connection(1000);
    for key in 1..1000 {
        dot.cancel(epoch(), Key(key));
    }
    for key in 1000..1002 {
        assert!(!dot.is_draining());
        dot.submit(epoch(), Key(key), &queries[0]);
        assert_eq!(transmits(&mut dot).len(), 1);
        dot.cancel(epoch(), Key(key));
    }
    assert_eq!((dot.is_draining(), dot.capacity(), dot.in_flight()), (true, 0, 1));
    let message = answer(&queries[0], ids[0], &[]);
    assert_eq!(feed(&mut dot, &framed(&message), 1), [answered(0, &message)]);
}

#[test]
fn query_cancelled_before_sending_leaves_no_state() {
    let mut dot = Dot::new(epoch(), SEED);
    for key in 0..3 {
        dot.submit(epoch(), Key(key), &query("example"));
    }
    dot.cancel(epoch(), Key(1));
    assert_eq!((dot.in_flight(), dot.queries.len()), (2, 2));
    assert_eq!(transmits(&mut dot).len(), 2);
}

/// Conformance 10: the keepalive timeout in any answer, also a late one (RFC 7828 Section 3.2).
#[test]
fn keepalive_timeout_is_respected() {
    // An OPT record with the option, its timeout in units of 100 ms.
    let opt = |units: u16| {
        let [high, low] = units.to_be_bytes();
        [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0, 11, 0, 2, high, low]
    };
    let rows = [
        (Some(1200), 119 * SECOND, false),
        (Some(100), 9 * SECOND, false),
        (Some(20), SECOND * 3 / 2, false),
        (Some(1), SECOND * 3 / 40, false),
        (Some(u16::MAX), 600 * SECOND, false),
        (None, 8 * SECOND, false),
        (Some(0), 8 * SECOND, true),
    ];
    for (units, idle_limit, is_draining) in rows {
        for is_late in [false, true] {
            let (mut dot, queries, ids) = connection(2);
            let mut message = answer(&queries[0], ids[0], &units.map(opt).unwrap_or_default());
            message[11] = u8::from(units.is_some());
            if is_late {
                dot.cancel(epoch(), Key(0));
            }
            assert_eq!(feed(&mut dot, &framed(&message), 1).len(), usize::from(!is_late));
            assert_eq!((dot.idle_limit(), dot.is_draining()), (idle_limit, is_draining), "{units:?}");
            assert_eq!(dot.capacity(), if is_draining { 0 } else { 999 });
            // In both cases the other query is answered.
            let message = answer(&queries[1], ids[1], &[]);
            assert_eq!(feed(&mut dot, &framed(&message), 1), [answered(1, &message)]);
        }
    }
}

/// After a message that is too short for a header, the framing cannot be trusted (RFC 1035 Section 4.2.2).
#[test]
fn length_below_a_header_ends_the_connection() {
    for length in 0..12 {
        for split in SPLITS {
            let (mut dot, queries, ids) = connection(2);
            let good = answer(&queries[1], ids[1], &[]);
            let input = [framed(&good), vec![0, length], framed(&good)].concat();
            let cause = violation("a message too short for a header");
            let expected = [answered(1, &good), failed(0, &cause, false), Event::Ended(cause)];
            assert_eq!(feed(&mut dot, &input, split), expected);
            assert_eq!((dot.capacity(), dot.in_flight(), dot.is_draining()), (0, 0, true));
        }
    }
}

/// Conformance 9: at the end, complete answers are delivered, the other queries fail, oldest first, and no event
/// follows.
#[test]
fn end_is_last_and_marks_resendable_queries() {
    let (mut dot, queries, ids) = connection(3);
    dot.submit(epoch(), Key(3), &queries[0]);
    let message = answer(&queries[1], ids[1], &[]);
    let partial = framed(&answer(&queries[2], ids[2], &[]));
    dot.handle_input(epoch(), &[framed(&message), partial[..20].to_vec()].concat());
    dot.handle_end(epoch(), Cause::Closed);
    dot.handle_end(epoch(), Cause::Timeout);
    assert_eq!(transmits(&mut dot).len(), 0);
    let expected = [
        answered(1, &message),
        failed(0, &Cause::Closed, false),
        failed(2, &Cause::Closed, false),
        failed(3, &Cause::Closed, true),
        Event::Ended(Cause::Closed),
    ];
    assert_eq!(events(&mut dot), expected);

    dot.handle_input(epoch(), &partial);
    dot.handle_end(epoch(), Cause::Closed);
    dot.submit(epoch(), Key(4), &queries[0]);
    assert_eq!((events(&mut dot), transmits(&mut dot).len()), (vec![], 0));
    assert_eq!((dot.capacity(), dot.in_flight(), dot.is_draining()), (0, 0, true));
}

/// Bytes that arrived before the end are handled before it.
#[test]
fn violation_before_the_end_is_the_cause() {
    let (mut dot, ..) = connection(0);
    dot.handle_input(epoch(), &[0, 3]);
    dot.handle_end(epoch(), Cause::Closed);
    assert_eq!(events(&mut dot), [Event::Ended(violation("a message too short for a header"))]);
}

#[test]
fn query_beyond_the_limit_fails_as_not_processed() {
    let mut dot = Dot::new(epoch(), SEED).pipeline(0);
    assert_eq!(dot.capacity(), 1);
    for key in 0..3 {
        dot.submit(epoch(), Key(key), &query("example"));
    }
    dot.cancel(epoch(), Key(2));
    assert_eq!(events(&mut dot), [failed(1, &Cause::Closed, true)]);
    assert_eq!(transmits(&mut dot).len(), 1);
}

#[test]
fn closing_connection_answers_queries_in_flight() {
    let (mut dot, queries, ids) = connection(1);
    dot.close(epoch());
    assert_eq!((dot.capacity(), dot.is_draining(), dot.in_flight()), (0, true, 1));
    dot.submit(epoch(), Key(9), &queries[0]);
    let message = answer(&queries[0], ids[0], &[]);
    dot.handle_input(epoch(), &framed(&message));
    assert_eq!(events(&mut dot), [failed(9, &Cause::Closed, true), answered(0, &message)]);
    assert!(!dot.probe(epoch()));
    assert_eq!(dot.poll_timeout(), None);
}

/// Arbitrary bytes: no panic, the same events in any pieces, and one outcome for each query.
#[test]
fn random_input_is_handled_equally_in_any_split() {
    let mut random = StdRng::from_seed(SEED);
    for _ in 0..500 {
        let (_, queries, ids) = connection(20);
        let mut stream = Vec::new();
        for n in 0..20 {
            let mut message =
                answer(&queries[n], ids[n], &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0, 11, 0, 2, 0, 9]);
            message[11] = 1;
            let mut message = framed(&message);
            if random.random_ratio(1, 4) {
                let at = random.random_range(0..message.len());
                message[at] = random.random();
            }
            stream.extend(message);
        }
        let outcomes = SPLITS.map(|split| {
            let (mut dot, ..) = connection(20);
            let mut all = feed(&mut dot, &stream, split);
            dot.handle_end(epoch(), Cause::Closed);
            all.extend(events(&mut dot));
            all
        });
        assert_eq!(outcomes[0].len(), 21);
        assert!(matches!(outcomes[0][20], Event::Ended(_)));
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    }
}

#[test]
fn debug_shows_no_query_name() {
    let (mut dot, ..) = connection(3);
    dot.cancel(epoch(), Key(0));
    let debug = format!("{dot:?}");
    assert!(debug.contains("in_flight: 2") && debug.contains("abandoned: 1"), "{debug}");
    assert!(!debug.contains("n1"), "{debug}");
}
