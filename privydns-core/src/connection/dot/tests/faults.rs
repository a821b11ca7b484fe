//! Known faults of the DoT machine. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;
use crate::testkit::epoch;

/// 1000 answered queries come between each two duplicates.
/// Right: the count of messages that match no query decreases with time or with answers, and the connection stays.
#[test]
fn fault_w3_rare_duplicates_end_a_connection_that_answers() {
    let (mut dot, mut ends) = (Dot::new(epoch(), SEED), Vec::new());
    let query = query("www.example.com");
    for key in 0..=u64::from(MAX_UNMATCHED) {
        let mut last = Vec::new();
        for number in 0..1000 {
            dot.submit(epoch(), Key(1000 * key + number), &query);
            let sent = transmits(&mut dot).pop().unwrap();
            last = framed(&answer(&query, message::id_of(&sent[2..]).unwrap(), &[]));
            assert!(matches!(feed(&mut dot, &last, usize::MAX)[..], [Event::Answered { .. }]));
        }
        ends.extend(feed(&mut dot, &last, usize::MAX));
    }
    assert_eq!(ends, [Event::Ended(violation("too many messages that match no query"))]);
}
