//! Shared by the tests of all machines: a simulated clock, answers, and input in pieces.

use std::sync::Arc;
use std::time::Duration;

use super::{Event, Key, Machine};
use crate::RecordType;
use crate::message::Query;
pub(super) use crate::testkit::epoch;
use crate::testkit::message;

/// How input is split into pieces: whole, byte by byte, and an odd size in between.
pub(super) const SPLITS: [usize; 3] = [usize::MAX, 1, 7];

pub(super) fn query(name: &str) -> Arc<Query> {
    Arc::new(Query::new(name, RecordType::A).unwrap())
}

/// A response to the query: header, question and the given records, with record counts of zero.
pub(super) fn answer(query: &Query, id: u16, records: &[u8]) -> Vec<u8> {
    let question = message::question(query.name().as_wire(), query.type_number());
    [&message::header(id, message::RESPONSE, [1, 0, 0, 0]), &*question, records].concat()
}

/// All messages that the machine sends.
pub(super) fn transmits(machine: &mut impl Machine) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    loop {
        let mut message = b"an earlier message".to_vec();
        if !machine.poll_transmit(epoch(), &mut message) {
            return messages;
        }
        assert!(!message.starts_with(b"an earlier"), "the buffer is overwritten");
        messages.push(message);
    }
}

/// All events of the machine.
pub(super) fn events(machine: &mut impl Machine) -> Vec<Event> {
    std::iter::from_fn(|| machine.poll_event(epoch())).collect()
}

/// Feeds the input in pieces, and returns all events.
pub(super) fn feed(machine: &mut impl Machine, input: &[u8], split: usize) -> Vec<Event> {
    let mut all = Vec::new();
    for piece in input.chunks(split.min(input.len()).max(1)) {
        machine.handle_input(epoch(), piece);
        all.extend(events(machine));
    }
    all
}

/// An answer with age 0.
pub(super) fn answered(key: u64, message: &[u8]) -> Event {
    Event::Answered { key: Key(key), message: message.into(), age: 0 }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
