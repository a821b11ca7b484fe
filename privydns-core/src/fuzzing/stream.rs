//! A connection's machine, fed with what a server may send, in pieces of any length.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::epoch;
use super::source::Source;
use crate::connection::{Event, Key, Machine};
use crate::error::Cause;
use crate::message::Query;
use crate::rr::RecordType;
use crate::upstream::HttpMethod;

/// A machine whose memory can be looked at.
pub(super) trait Held: Machine {
    /// The most octets that it holds once it is drained, whatever it heard.
    const LIMIT: usize;
    /// The most that it holds beyond the octets that it heard.
    const SLACK: usize;

    /// Octets that it keeps for later.
    fn held(&self) -> usize;
}

/// The first octets of an input: what the client does, and how the server's octets reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    flags: u8,
    /// One bit for each query that is cancelled after it was sent.
    cancelled: u8,
    /// The length of the pieces, in the third of three ways to split.
    piece: usize,
}

/// A client that has asked, and all that came of it.
struct Client<M> {
    machine: M,
    now: Instant,
    /// Queries that were asked.
    asked: u64,
    /// Exchanges that have not come to their end.
    open: BTreeSet<Key>,
    is_ended: bool,
    events: Vec<Event>,
    heard: usize,
    sent: u64,
}

/// More events than there can be: one for each exchange, the end, and signs of life that nobody asks for here.
const MOST_EVENTS: usize = 300;
/// The most octets that a client sends without being told to: at the beginning and the end, and for each query.
const GREETING: u64 = 128;
const LONGEST_REQUEST: u64 = 400;
/// How many it sends for each octet that it hears, at the most: a frame of 9 octets can be worth a reset of 13 and
/// credit of 13 more.
const ANSWERED: u64 = 3;

impl Setup {
    pub(super) fn read(source: &mut Source<'_>) -> Self {
        let (flags, cancelled) = (source.byte(), source.byte());
        Self { flags, cancelled, piece: usize::from(source.byte()) + 2 }
    }

    /// Queries asked, with the keys from 0.
    pub(super) fn queries(self) -> u64 {
        u64::from(self.flags & 7) + 1
    }

    /// Whether the client says goodbye before anything comes.
    fn is_closed(self) -> bool {
        self.flags & 0x08 != 0
    }

    /// Whether the server closes in the end.
    fn is_ended(self) -> bool {
        self.flags & 0x10 != 0
    }

    /// Whether what follows are frames described, or the octets themselves.
    pub(super) fn is_described(self) -> bool {
        self.flags & 0x20 != 0
    }

    /// How a query goes into a request, where there is a choice.
    pub(super) fn method(self) -> HttpMethod {
        if self.flags & 0x40 == 0 { HttpMethod::Post } else { HttpMethod::Get }
    }

    /// Feeds the octets whole, one by one, and in pieces, and demands the same events of each. Between two
    /// sections the client asks another query, if there is room for it.
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
        // Whatever is said to it now, it has had its say.
        let count = self.events.len();
        self.machine.handle_input(self.now, b"more");
        self.machine.handle_end(self.now, Cause::Timeout);
        self.machine.cancel(self.now, Key(0));
        self.drain();
        assert_eq!(self.events.len(), count, "the end comes last");
    }

    /// Takes what the machine has to tell and to send, as its contract says.
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
        assert!(message.is_empty(), "nothing is written where nothing is sent");
    }
}

/// The query of a key.
pub(super) fn question(key: Key) -> Arc<Query> {
    let name = format!("q{}.example", key.0);
    Arc::new(Query::new(&name, RecordType::A).expect("a name"))
}

/// A message that begins as the answer to the query of a key does: header, question, and what comes after.
pub(super) fn answer(key: Key, id: u16, flags: u8, rest: &[u8]) -> Vec<u8> {
    let question = question(key);
    let counts = [0, 1, 0, u8::from(!rest.is_empty()), 0, 0, 0, 0];
    let header = [&id.to_be_bytes()[..], &[0x81, flags], &counts].concat();
    [&header, question.name().as_wire(), &[0, 1, 0, 1], rest].concat()
}
