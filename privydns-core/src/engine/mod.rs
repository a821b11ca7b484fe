//! The root state machine: lookups in, connections and answers out.
//!
//! `io` defines the inputs and outputs. A *lookup* is one caller that waits. A *flight* is one query, shared by equal
//! lookups. An *attempt* is one query of a flight to one upstream. A *pool* holds an upstream's connections. A *dial* opens
//! a connection. A *connection* is a protocol machine, with what the engine knows about it.

mod attempt;
mod bootstrap;
mod connection;
mod dial;
mod flight;
mod io;
mod lookup;
mod network;
mod pool;
mod quarantine;
mod recent;
mod start_attempts;
mod timers;
mod unhealthy;
mod waiters;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rustc_hash::FxHashMap;
use slab::Slab;

pub use crate::addresses::AddressResults;
pub use crate::cache::{Cache, QueryKey};
pub use crate::proxy::Tunnel;
pub use crate::shared::{CacheResult, Shared};
pub use crate::tls::{cause_of, seed};
pub use connection::MAX_UNWRITTEN;
pub use io::{ConnectionId, Input, LookupId, Output, Target};

use crate::RecordType;
use crate::cache::CacheKey;
use crate::message::{CacheUse, Query, QueryName};
use crate::schedule::{Failures, HedgeBudget};
use attempt::Attempts;
use connection::Connection;
use dial::Dial;
use flight::Flight;
use lookup::Lookup;
use pool::Pool;
use recent::Recent;
use timers::{Timer, Timers};

/// The resolver as a state machine without I/O.
///
/// # Contract
///
/// A driver passes each event to [`handle_input`](Self::handle_input). After every input, or after several, the driver
/// calls [`poll_output`](Self::poll_output) until the result is [`Output::Wait`]. Then the driver flushes what it has to
/// write, and waits for its sockets, for its callers, or until the time in `Wait`.
///
/// - **Time** is passed to every call and never goes backwards: a `now` before the latest one counts as the latest one.
///   After [`Input::Timeout`] at a time `t`, and after all outputs have been polled, the next deadline is later than `t`,
///   so a driver cannot loop without waiting. A `Timeout` before the deadline has no effect.
/// - **Every lookup** gets exactly one [`Output::Done`], not later than its deadline, unless the lookup was cancelled.
/// - **Every connection** begins with [`Output::Connect`]. The driver replies with [`Input::Connected`] after the TLS
///   handshake, or with [`Input::Ended`]. Nothing is transmitted before `Connected`. After [`Output::Close`], and after
///   the driver has reported `Ended`, the driver may forget the connection. The engine ignores later inputs about it.
/// - **Every transmit** is one complete message. Written as one TLS record each, messages work with every server. Several
///   records may be written in one system call, at `Wait`. [`Input::Written`] states that the messages were written.
///   Without this input, a connection gets at most [`MAX_UNWRITTEN`] bytes, and the message that exceeds this number.
/// - **A write error** is not reported at once. The driver first reads to the end, because the last data of the peer, such
///   as a TLS alert, contains the cause. Received bytes are reported before the end of the connection.
/// - **The same seed and the same inputs** give the same outputs, byte for byte, except for the choice of the entry that a
///   full cache evicts.
///
/// # A driver
///
/// ```no_run
/// use privydns_core::engine::{Engine, Input, Output};
/// # trait World {
/// #     fn now(&self) -> std::time::Instant;
/// #     fn connect(&mut self, id: privydns_core::engine::ConnectionId, target: privydns_core::engine::Target);
/// #     fn write(&mut self, id: privydns_core::engine::ConnectionId, message: &[u8]);
/// #     fn close(&mut self, id: privydns_core::engine::ConnectionId);
/// #     fn done(&mut self, id: privydns_core::engine::LookupId, result: Result<privydns_core::Answer, privydns_core::Error>);
/// #     fn flush(&mut self) -> Vec<privydns_core::engine::ConnectionId>;
/// #     fn wait(&mut self, deadline: Option<std::time::Instant>) -> (std::time::Instant, Input<'_>);
/// # }
/// fn drive(engine: &mut Engine, world: &mut impl World) {
///     let mut message = Vec::new();
///     loop {
///         let now = world.now();
///         match engine.poll_output(now, &mut message) {
///             Output::Connect { id, target } => world.connect(id, target),
///             Output::Transmit(id) => world.write(id, &message),
///             Output::Close(id) => world.close(id),
///             Output::Done { id, result } => world.done(id, result),
///             Output::Wait(deadline) => {
///                 for id in world.flush() {
///                     engine.handle_input(now, Input::Written(id));
///                 }
///                 if engine.is_closed() {
///                     return;
///                 }
///                 let (now, input) = world.wait(deadline);
///                 engine.handle_input(now, input);
///             }
///             _ => {} // an output of a later version
///         }
///     }
/// }
/// ```
pub struct Engine {
    shared: Arc<Shared>,
    random: StdRng,
    /// The latest time seen.
    now: Instant,
    lookups: FxHashMap<LookupId, Lookup>,
    flights: Slab<Flight>,
    flight_by_key: FxHashMap<CacheKey, usize>,
    attempts: Attempts,
    recent: Recent,
    failures: Failures,
    hedges: HedgeBudget,
    /// What an upstream is asked to see whether it answers: it tells nothing of anybody, and any resolver knows.
    probe_query: Arc<Query>,
    /// One for each upstream of the configuration, in its order.
    pools: Vec<Pool>,
    dials: Slab<Dial>,
    /// Those among them that no address is left for, and that were not seen to.
    lost_dials: Vec<usize>,
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: u64,
    /// Upstreams with attempts that wait and were not seen to.
    to_dispatch: BTreeSet<usize>,
    /// Connections that may have something to transmit.
    ready: VecDeque<ConnectionId>,
    outputs: VecDeque<Output>,
    timers: Timers,
    /// The wall clock, and the steady one when it was read.
    wall: Option<(Instant, SystemTime)>,
    closed: bool,
}

impl Engine {
    /// An engine that has nothing to do yet. `seed` is the source of all its randomness and must be secret:
    /// message IDs come from it (RFC 5452 Section 9.2).
    pub fn new(shared: Arc<Shared>, now: Instant, seed: [u8; 32]) -> Self {
        let pools =
            shared.config.upstreams.iter().map(|configured| Pool::new(configured.upstream.shared_label()));
        Self {
            random: StdRng::from_seed(seed),
            now,
            lookups: FxHashMap::default(),
            flights: Slab::new(),
            flight_by_key: FxHashMap::default(),
            attempts: Attempts::default(),
            recent: Recent::default(),
            failures: Failures::default(),
            hedges: HedgeBudget::default(),
            probe_query: Arc::new(
                Query::for_name(QueryName::root(), RecordType::NS).with_cache_use(CacheUse::Bypass),
            ),
            pools: pools.collect(),
            dials: Slab::new(),
            lost_dials: Vec::new(),
            connections: BTreeMap::new(),
            last_connection: 0,
            to_dispatch: BTreeSet::new(),
            ready: VecDeque::new(),
            outputs: VecDeque::new(),
            timers: Timers::default(),
            wall: None,
            closed: false,
            shared,
        }
    }

    /// Tells the engine what happened.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        let now = self.advance_clock(now);
        match input {
            Input::Lookup { id, query, deadline } => self.begin_lookup(now, id, query, deadline),
            Input::Miss { id, query, query_key, deadline } => {
                self.begin_miss(now, id, query, query_key, deadline);
            }
            Input::Cancel(id) => self.cancel_lookup(now, id),
            Input::Refresh(query) => self.begin_refresh(now, query),
            Input::Handshaking(id) => self.handshaking(id),
            Input::Connected { id, alpn, resumed } => self.connected(now, id, alpn, resumed),
            Input::Received { id, bytes } => self.received(now, id, bytes),
            Input::Written(id) => self.written(id),
            Input::Ended { id, cause } => self.ended(now, id, cause),
            Input::Timeout => self.timeout(now),
            Input::WarmUp => self.warm_up(now),
            Input::NetworkChanged => self.network_changed(now),
            Input::WallClock(wall) => self.wall_clock(now, wall),
            Input::Close => self.close(now),
        }
        self.run_deferred(now);
    }

    /// Returns the next action. Call this function until it returns [`Output::Wait`].
    ///
    /// `message` is a buffer that the caller provides and may reuse. An [`Output::Transmit`] overwrites the buffer with
    /// the bytes to send; after any other output, the content is unspecified. Every `poll_transmit` of this crate
    /// follows the same rule: `true` overwrites the buffer, and `false` leaves the content unspecified.
    pub fn poll_output(&mut self, now: Instant, message: &mut Vec<u8>) -> Output {
        let now = self.advance_clock(now);
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            if let Some(output) = self.poll_connections(now, message) {
                return output;
            }
            // Looking after a connection can end lookups.
            if self.outputs.is_empty() {
                return Output::Wait(self.timers.next());
            }
        }
    }

    /// Whether [`Input::Close`] was handled and everything it asks for was given out.
    pub fn is_closed(&self) -> bool {
        self.closed && self.outputs.is_empty() && self.connections.is_empty()
    }

    /// Whether the server owes an answer on a connection. A driver that can acknowledge at once what it has read, where
    /// its system would wait to do so with the next write, does that while this is true: a server that leaves Nagle's
    /// algorithm on holds the next answer back until then. With nothing owed, the acknowledgement may wait for the next
    /// query.
    pub fn awaits_answer(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(Connection::awaits_answer)
    }

    /// Lookups that wait for their answer.
    pub fn lookups_in_flight(&self) -> usize {
        self.lookups.len()
    }

    /// What there is, in numbers.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn census(&self) -> Census {
        Census {
            lookups: self.lookups.len(),
            flights: self.flights.len(),
            attempts: self.attempts.len(),
            dials: self.dials.len(),
            connections: self.connections.len(),
            waiting: self.pools.iter().map(|pool| pool.waiting.len() + pool.quarantined.len()).sum(),
            timers: self.timers.len(),
        }
    }

    fn advance_clock(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Flight(flight) => self.flight_timeout(now, flight),
                Timer::Connection(id) => self.connection_timeout(now, id),
                Timer::Dial(dial) => self.dial_timeout(now, dial),
            }
        }
    }

    fn close(&mut self, now: Instant) {
        self.closed = true;
        self.close_flights(now);
        self.close_dials();
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close_connection(now, id);
        }
    }
}

/// How much of what there is in an engine.
#[cfg(any(test, feature = "fuzzing"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) lookups: usize,
    pub(crate) flights: usize,
    pub(crate) attempts: usize,
    pub(crate) dials: usize,
    pub(crate) connections: usize,
    pub(crate) waiting: usize,
    pub(crate) timers: usize,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("lookups", &self.lookups.len())
            .field("flights", &self.flights.len())
            .field("connections", &self.connections.len())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
