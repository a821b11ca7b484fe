//! The driver of the fuzzed engine, which checks the engine's contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::peer::Peer;
use super::trace::{Note, Trace};
use crate::config::Config;
use crate::engine::{Census, ConnectionId, Engine, Input, LookupId, MAX_UNWRITTEN, Output};
use crate::error::{Cause, Error};
use crate::fuzzing::source::Source;
use crate::message::{Answer, Query};
use crate::shared::Shared;
use crate::testkit::epoch;

/// More outputs without a `Wait` than any input can cause.
const MOST_OUTPUTS: usize = 20_000;
/// More timeouts without another event than any input can cause.
const MOST_WAKES: usize = 20_000;
/// The longest message: a query with its request, and pending control frames.
const LONGEST_MESSAGE: usize = 128 * 1024;
/// Connections without an attempt: idle ones, and races for new ones.
const MOST_SPARE_CONNECTIONS: usize = 64;

pub(super) struct World {
    engine: Engine,
    shared: Arc<Shared>,
    pieces: Pieces,
    now: Duration,
    wake: Option<Duration>,
    last_lookup: u64,
    lookups: BTreeMap<LookupId, Waiting>,
    links: BTreeMap<ConnectionId, Link>,
    holds_writes: bool,
    trace: Trace,
    message: Vec<u8>,
}

/// How received bytes are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    Whole,
    Octets,
}

struct Waiting {
    query: Arc<Query>,
    deadline: Duration,
}

#[derive(Default)]
struct Link {
    stage: PeerState,
    unwritten: usize,
    peer: Peer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PeerState {
    #[default]
    Dialing,
    Open,
    /// The engine knows that the connection has ended.
    Ended,
    /// The engine closed the connection.
    Closed,
}

impl World {
    pub(super) fn new(config: Config, pieces: Pieces) -> Self {
        const SEED: [u8; 32] = [7; 32];
        let shared = Arc::new(Shared::new(config, SEED));
        Self {
            engine: Engine::new(shared.clone(), epoch(), SEED),
            shared,
            pieces,
            now: Duration::ZERO,
            wake: None,
            last_lookup: 0,
            lookups: BTreeMap::new(),
            links: BTreeMap::new(),
            holds_writes: false,
            trace: Trace::default(),
            message: Vec::new(),
        }
    }

    pub(super) fn ask(&mut self, query: Arc<Query>, timeout: Duration) {
        self.last_lookup += 1;
        let id = LookupId(self.last_lookup);
        let deadline = self.now + timeout;
        self.lookups.insert(id, Waiting { query: query.clone(), deadline });
        self.tell(Input::Lookup { id, query, deadline: epoch() + deadline });
    }

    pub(super) fn cancel(&mut self, number: usize) {
        if let Some(id) = self.lookups.keys().nth(number).copied() {
            self.lookups.remove(&id);
            self.tell(Input::Cancel(id));
        }
    }

    pub(super) fn connected(&mut self, number: usize, alpn: Option<&[u8]>, resumed: bool) {
        if let Some((id, link)) = self.links.iter_mut().filter(|(_, link)| link.is_live()).nth(number)
            && link.stage == PeerState::Dialing
        {
            let id = *id;
            link.stage = PeerState::Open;
            self.tell(Input::Handshaking(id));
            self.tell(Input::Connected { id, alpn, resumed });
        }
    }

    pub(super) fn reply(&mut self, number: usize, asked: usize, source: &mut Source<'_>) {
        let open = self.links.iter_mut().filter(|(_, link)| link.stage == PeerState::Open);
        if let Some((id, link)) = open.into_iter().nth(number) {
            let (id, bytes) = (*id, link.peer.reply(asked, source));
            self.hear(id, &bytes);
        }
    }

    pub(super) fn receive(&mut self, number: usize, bytes: &[u8]) {
        let mut open = self.links.iter().filter(|(_, link)| link.stage == PeerState::Open);
        if let Some((id, _)) = open.nth(number) {
            self.hear(*id, bytes);
        }
    }

    fn hear(&mut self, id: ConnectionId, bytes: &[u8]) {
        // Empty input would mean the end of the stream, which is reported separately.
        let length = match self.pieces {
            Pieces::Whole => bytes.len().max(1),
            Pieces::Octets => 1,
        };
        for bytes in bytes.chunks(length) {
            self.tell(Input::Received { id, bytes });
        }
    }

    pub(super) fn ended(&mut self, number: usize, cause: Cause) {
        if let Some((id, link)) = self.links.iter_mut().filter(|(_, link)| link.is_live()).nth(number) {
            let id = *id;
            link.stage = PeerState::Ended;
            self.tell(Input::Ended { id, cause });
        }
    }

    pub(super) fn forget(&mut self, query: &Query) {
        self.shared.forget(query);
    }

    /// Whether transmitted data stays unwritten.
    pub(super) fn hold_writes(&mut self, on: bool) {
        self.holds_writes = on;
        self.write();
    }

    pub(super) fn wall_clock(&mut self, ahead: Duration) {
        self.tell(Input::WallClock(SystemTime::UNIX_EPOCH + self.now + ahead));
    }

    /// An input with a time in the past.
    pub(super) fn back_in_time(&mut self, by: Duration) {
        self.engine.handle_input(epoch() + self.now.saturating_sub(by), Input::Timeout);
    }

    /// Advances the time, with a timeout at each deadline of the engine.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        for _ in 0..MOST_WAKES {
            let Some(wake) = self.wake.filter(|wake| *wake <= end) else {
                self.now = end;
                return;
            };
            self.now = wake;
            self.settle();
        }
        panic!("timeouts without end");
    }

    /// The machine is suspended for some time.
    pub(super) fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    /// Advances the time until no timer is left, and checks that no state is left.
    pub(super) fn come_to_rest(&mut self) {
        self.hold_writes(false);
        self.settle();
        for _ in 0..MOST_WAKES {
            let Some(wake) = self.wake else {
                assert_eq!(self.engine.census(), Census::default(), "the engine still holds state");
                return;
            };
            self.now = wake;
            self.settle();
        }
        panic!("timers without end");
    }

    pub(super) fn close(&mut self) {
        self.tell(Input::Close);
        self.drain();
        assert!(self.engine.is_closed() && self.lookups.is_empty());
        assert_eq!(self.engine.census(), Census::default(), "the engine still holds state");
        assert!(self.links.values().all(|link| !link.is_live()), "a connection is not closed");
        let query = Arc::new(Query::new("late.example", crate::RecordType::A).expect("a name"));
        self.ask(query, Duration::from_secs(1));
        self.drain();
        assert!(self.lookups.is_empty(), "a closed engine fails lookups at once");
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        self.engine.handle_input(epoch() + self.now, input);
    }

    /// Carries out the engine's outputs as a driver does, including a due timeout.
    pub(super) fn settle(&mut self) {
        self.drain();
        if self.wake.is_some_and(|wake| wake <= self.now) {
            self.tell(Input::Timeout);
            self.drain();
            assert!(
                self.wake.is_none_or(|wake| wake > self.now),
                "a due timer remains after handle_input(Timeout)"
            );
        }
        self.take_stock();
        self.trace.end_step();
    }

    /// The invariants between two steps.
    fn take_stock(&self) {
        let now = self.now;
        assert!(self.lookups.values().all(|lookup| lookup.deadline > now), "a deadline has passed");
        let census = self.engine.census();
        let live = self.links.values().filter(|link| link.is_live()).count();
        assert_eq!(census.lookups, self.lookups.len());
        assert_eq!(census.connections, live, "{census:?}");
        assert!(live <= MOST_SPARE_CONNECTIONS + census.attempts, "{live} connections: {census:?}");
        assert!(census.waiting <= census.attempts, "{census:?}");
        assert!(census.timers <= census.flights + census.dials + census.connections, "{census:?}");
    }

    fn drain(&mut self) {
        for _ in 0..MOST_OUTPUTS {
            let mut message = std::mem::take(&mut self.message);
            let output = self.engine.poll_output(epoch() + self.now, &mut message);
            self.message = message;
            match output {
                Output::Connect { id, target } => {
                    let before = self.links.insert(id, Link::default());
                    assert!(before.is_none(), "connection IDs are unique");
                    self.trace.note(Note::Connect(id, target.address.to_string()));
                }
                Output::Transmit(id) => self.transmitted(id),
                Output::Close(id) => {
                    let link = self.links.get_mut(&id).expect("a connection that was asked for");
                    let before = std::mem::replace(&mut link.stage, PeerState::Closed);
                    assert_ne!(before, PeerState::Closed, "a connection is closed once");
                    self.trace.note(Note::Close(id));
                }
                Output::Done { id, result } => self.lookup_done(id, &result),
                Output::Wait(wake) => {
                    self.wake = wake.map(|wake| wake.saturating_duration_since(epoch()));
                    self.trace.note(Note::Wait(self.wake));
                    if !self.write() {
                        return;
                    }
                }
            }
        }
        panic!("outputs without end");
    }

    fn transmitted(&mut self, id: ConnectionId) {
        let link = self.links.get_mut(&id).expect("a connection that was asked for");
        assert!(!self.message.is_empty() && self.message.len() <= LONGEST_MESSAGE);
        // Pending data may be transmitted after the end was reported; the driver ignores it.
        assert!(
            matches!(link.stage, PeerState::Open | PeerState::Ended),
            "transmitted while {:?}",
            link.stage
        );
        assert!(link.unwritten < MAX_UNWRITTEN, "transmitted beyond MAX_UNWRITTEN");
        link.unwritten += self.message.len();
        link.peer.hear(&self.message);
        self.trace.note(Note::Transmit(id, self.message.clone()));
    }

    fn lookup_done(&mut self, id: LookupId, result: &Result<Answer, Error>) {
        let Waiting { query, .. } = self.lookups.remove(&id).expect("a lookup is done once");
        if let Ok(answer) = result {
            assert!(answer.message().is_answer_to(&query), "an answer to another question");
            assert!(
                answer.records().all(|record| i32::try_from(record.ttl()).is_ok()),
                "a TTL over the largest"
            );
        }
        let told = result.as_ref().map(|answer| format!("{answer:?}"));
        let told = told.map_err(|error| format!("{:?}", error.kind()));
        self.trace.note(Note::Done(id, self.now, told));
        self.trace.note(Note::Details(format!("{result:?}")));
    }

    /// Writes transmitted data to the operating system. Returns whether there was any.
    fn write(&mut self) -> bool {
        if self.holds_writes {
            return false;
        }
        let unwritten = self.links.iter_mut().filter(|(_, link)| link.unwritten > 0);
        let ids: Vec<_> = unwritten.map(|(id, link)| (*id, link.unwritten = 0).0).collect();
        for id in &ids {
            self.tell(Input::Written(*id));
        }
        !ids.is_empty()
    }

    pub(super) fn into_trace(self) -> Trace {
        self.trace
    }
}

impl Link {
    fn is_live(&self) -> bool {
        matches!(self.stage, PeerState::Dialing | PeerState::Open)
    }
}
