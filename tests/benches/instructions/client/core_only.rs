//! Operations of the core, without a socket.

use std::hint::black_box;
use std::sync::Arc;

use privydns_core::testkit::message::{QUESTION_NAME, Response, question};
use privydns_core::{Message, Query, RecordType};

use super::MOST_OPERATIONS;
use super::world::{World, queries};

/// Lookups that are begun together.
const BURST: usize = 100;

/// Records of the answer that is parsed.
const RECORDS: u8 = 5;

/// Lookups of an engine whose server answers at once, with room for so many answers in the cache.
pub(super) fn lookups(count: usize, entries: usize) {
    let all: Vec<_> = queries(0..MOST_OPERATIONS).collect();
    let mut world = World::new(entries);
    for burst in all[..count].chunks(BURST) {
        world.look_up(burst.iter().cloned());
    }
}

pub(super) fn parses(count: usize) {
    let query = Query::new("www.example.com.", RecordType::A).expect("a name");
    let answer = answer(&query);
    for _ in 0..count {
        let message = Message::parse(black_box(&answer).clone(), black_box(&query));
        black_box(message.expect("an answer"));
    }
}

/// An answer with five addresses.
fn answer(query: &Query) -> Arc<[u8]> {
    let question = question(query.name().as_wire(), RecordType::A.into());
    let answer = (1..=RECORDS).fold(Response::to(&question), |answer, number| {
        answer.answer(QUESTION_NAME, RecordType::A.into(), 300, &[192, 0, 2, number])
    });
    answer.bytes().into()
}
