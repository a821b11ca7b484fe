//! A connection machine, fed with a server's data in pieces of any length.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::source::Source;
use crate::RecordType;
use crate::connection::{Event, Key, Machine};
use crate::error::Cause;
use crate::message::Query;
use crate::testkit::{epoch, message as wire_format};
use crate::upstream::HttpMethod;

/// A machine whose memory can be measured.
pub(super) trait Held: Machine {
    /// The maximum number of bytes held after a drain, whatever was received.
    const LIMIT: usize;
    /// The maximum number of bytes held beyond the received bytes.
    const SLACK: usize;

    /// The number of buffered bytes.
    fn held(&self) -> usize;
}

/// The first bytes of an input: the client's actions, and how the server's data is split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    flags: u8,
    /// One bit for each query that is cancelled after it was sent.
    cancelled: u8,
    /// The length of the pieces in the third of three ways to split.
    piece: usize,
}

/// A client with queries, and the events so far.
struct Client<M> {
    machine: M,
    now: Instant,
    /// The number of queries.
    asked: u64,
    /// Queries that have not ended.
    open: BTreeSet<Key>,
    is_ended: bool,
    events: Vec<Event>,
    heard: usize,
    sent: u64,
}

/// More events than possible: one for each query, the end, and no probes.
const MOST_EVENTS: usize = 300;
/// The maximum number of bytes that a client sends unprovoked: at the beginning, at the end, and for each query.
const GREETING: u64 = 128;
const LONGEST_REQUEST: u64 = 400;
/// The maximum number of bytes sent for each byte received: a frame of 9 bytes can cause a reset of 13 bytes and credit
/// of 13 bytes.
const ANSWERED: u64 = 3;

impl Setup {
    pub(super) fn read(source: &mut Source<'_>) -> Self {
        let (flags, cancelled) = (source.byte(), source.byte());
        Self { flags, cancelled, piece: usize::from(source.byte()) + 2 }
    }

    /// The number of queries, with keys from 0.
    pub(super) fn queries(self) -> u64 {
        u64::from(self.flags & 7) + 1
    }

    /// Whether the client closes before any data arrives.
    fn is_closed(self) -> bool {
        self.flags & 0x08 != 0
    }

    /// Whether the server closes at the end.
    fn is_ended(self) -> bool {
        self.flags & 0x10 != 0
    }

    /// Whether the following bytes describe frames, or are sent as they are.
    pub(super) fn is_described(self) -> bool {
        self.flags & 0x20 != 0
    }

    /// The HTTP method, where there is a choice.
    pub(super) fn method(self) -> HttpMethod {
        if self.flags & 0x40 == 0 { HttpMethod::Post } else { HttpMethod::Get }
    }

    /// Feeds the bytes whole, one by one, and in pieces, and checks that the events are equal. Between two sections the
    /// client sends another query, if there is capacity.
    pub(super) fn run<M: Held>(self, machine: impl Fn() -> M, sections: &[&[u8]]) -> Vec<Event> {
        let run = |piece| {
            let mut client = Client::asking(machine(), self);
            for (number, section) in sections.iter().enumerate() {
                if number > 0 {
                    client.ask();
                }
                section.chunks(piece).for_each(|piece| client.hear(piece));
            }
            if self.is_ended() {
                client.end();
            }
            client.events
        };
        let whole = run(usize::MAX);
        assert_eq!(whole, run(1), "octet by octet");
        assert_eq!(whole, run(self.piece), "in pieces of {}", self.piece);
        whole
    }
}

impl<M: Held> Client<M> {
    fn asking(machine: M, setup: Setup) -> Self {
        let mut client = Self {
            machine,
            now: epoch(),
            asked: 0,
            open: BTreeSet::new(),
            is_ended: false,
            events: Vec::new(),
            heard: 0,
            sent: 0,
        };
        for _ in 0..setup.queries() {
            client.ask();
        }
        for key in client.open.clone().into_iter().filter(|key| setup.cancelled >> key.0 & 1 == 1) {
            client.machine.cancel(client.now, key);
            client.open.remove(&key);
        }
        if setup.is_closed() {
            client.machine.close(client.now);
        }
        client.drain();
        client
    }

    fn ask(&mut self) {
        if self.machine.capacity() > 0 {
            let key = Key(self.asked);
            self.asked += 1;
            self.machine.submit(self.now, key, &question(key));
            self.open.insert(key);
            self.drain();
        }
    }

    fn hear(&mut self, piece: &[u8]) {
        self.heard += piece.len();
        self.machine.handle_input(self.now, piece);
        self.drain();
        let held = self.machine.held();
        assert!(held <= M::LIMIT, "{held} octets are held");
        assert!(held <= M::SLACK + self.heard, "{held} octets are held of {}", self.heard);
    }

    fn end(&mut self) {
        self.machine.handle_end(self.now, Cause::Closed);
        self.drain();
        assert!(self.is_ended && self.open.is_empty(), "{:?} is left", self.open);
        // Input after the end changes nothing.
        let count = self.events.len();
        self.machine.handle_input(self.now, b"more");
        self.machine.handle_end(self.now, Cause::Timeout);
        self.machine.cancel(self.now, Key(0));
        self.drain();
        assert_eq!(self.events.len(), count, "the end comes last");
    }

    /// Drains the machine by its contract.
    fn drain(&mut self) {
        self.transmit();
        while let Some(event) = self.machine.poll_event(self.now) {
            assert!(!self.is_ended, "{event:?} comes after the end");
            match &event {
                Event::Answered { key, .. } | Event::Failed { key, .. } => {
                    assert!(self.open.remove(key), "{key:?} has ended before");
                }
                Event::Alive => panic!("nobody asked for a sign of life"),
                Event::Ended(_) => self.is_ended = true,
            }
            self.events.push(event);
            assert!(self.events.len() < MOST_EVENTS, "events without end");
        }
        assert_eq!(self.machine.in_flight(), self.open.len(), "what is in flight is known");
        self.transmit();
        if self.is_ended {
            assert_eq!(self.machine.capacity(), 0, "nothing is taken after the end");
            assert!(self.machine.is_draining());
        }
    }

    fn transmit(&mut self) {
        let mut message = Vec::new();
        loop {
            message.clear();
            if self.machine.poll_transmit(self.now, &mut message) {
                assert!(!message.is_empty(), "a message is something");
                self.sent += message.len() as u64;
            } else if let Some(at) = self.machine.poll_timeout() {
                assert!(at > self.now, "woken in the past");
                self.now = at;
                self.machine.handle_timeout(at);
            } else {
                break;
            }
            let due = GREETING + self.asked * LONGEST_REQUEST + ANSWERED * self.heard as u64;
            assert!(self.sent <= due, "{} octets are sent to {} heard", self.sent, self.heard);
        }
        assert!(message.is_empty(), "no message means no data");
    }
}

/// The query of a key.
pub(super) fn question(key: Key) -> Arc<Query> {
    let name = format!("q{}.example", key.0);
    Arc::new(Query::new(&name, RecordType::A).expect("a name"))
}

/// A message that begins like the answer to a key's query: header and question, then the given bytes.
pub(super) fn answer(key: Key, id: u16, flags: u8, rest: &[u8]) -> Vec<u8> {
    let question = wire_format::question(question(key).name().as_wire(), RecordType::A.into());
    let header = wire_format::header(id, 0x8100 | u16::from(flags), [1, u16::from(!rest.is_empty()), 0, 0]);
    [&header, &*question, rest].concat()
}
