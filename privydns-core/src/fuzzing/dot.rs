//! Fuzz target: DNS over TLS, messages with a length prefix.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::source::Source;
use super::stream::{Held, Setup, answer, question};
use crate::connection::{Dot, Event, Key};
use crate::message::{MAX_MESSAGE, check_response};
use crate::testkit::epoch;

const SEED: [u8; 32] = [7; 32];

impl Held for Dot {
    // The bytes of an incomplete message and its length prefix.
    const LIMIT: usize = 2 + MAX_MESSAGE;
    const SLACK: usize = 0;

    fn held(&self) -> usize {
        Self::held(self)
    }
}

/// The input is what a DoT server sends to a client with up to eight queries.
pub fn dot(input: &[u8]) {
    let mut source = Source::new(input);
    let setup = Setup::read(&mut source);
    let bytes = if setup.is_described() { describe(setup, source) } else { source.rest().to_vec() };
    let events = setup.run(|| Dot::new(epoch(), SEED), &[&bytes]);
    for event in events {
        if let Event::Answered { key, message, age } = event {
            assert_eq!(age, 0, "the age is 0 over DoT");
            assert_eq!(
                check_response(&message, &question(key)),
                Ok(()),
                "the answer has the query's question"
            );
            assert_eq!(message[..2], ids()[slot(key)].to_be_bytes(), "the answer has the query's ID");
        }
    }
}

/// Frames that are mostly valid: for each, one byte selects the query and the irregularity.
fn describe(setup: Setup, mut source: Source<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !source.is_empty() {
        let what = source.byte();
        let key = Key(u64::from(what & 7) % setup.queries());
        let id = ids()[slot(key)];
        let mut message = match what >> 3 & 3 {
            0 => answer(key, id, 0x80, source.counted()),
            1 => answer(key, source.word(), 0x83, source.counted()),
            2 => answer(Key(key.0 + 1), id, 0x80, source.counted()),
            _ => source.counted().to_vec(),
        };
        if what & 0x20 != 0 {
            let at = usize::from(source.byte());
            if let Some(byte) = message.get_mut(at) {
                *byte ^= source.byte();
            }
        }
        let mut length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        if what & 0x40 != 0 {
            length = length.wrapping_add(u16::from(source.byte()));
        }
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&message);
    }
    bytes
}

/// The message IDs that the machine draws from its seed.
pub(super) fn ids() -> [u16; 8] {
    let mut random = StdRng::from_seed(SEED);
    let mut ids = [0; 8];
    ids.fill_with(|| random.random());
    ids
}

fn slot(key: Key) -> usize {
    usize::try_from(key.0 % 8).expect("a number below 8")
}
