//! A connection from its first packet to its end: what it is told, what it tells, and when it is closed.

use std::net::SocketAddr;
use std::time::Instant;

use rand::RngExt;
use tracing::{debug, info};

use super::Engine;
use super::io::{ConnectionId, Output};
use super::pool::Learned;
use super::timers::Timer;
use crate::connection::{Dot, Event, Http1, Http2, Key, Machine, is_not_http1, is_not_http2};
use crate::error::{Cause, Stage};
use crate::logging::{CONNECTION, LOOKUP, UPSTREAM};
use crate::message::Transport;
use crate::upstream::{HttpVersion, Protocol};

/// Bytes transmitted and not yet taken by the operating system, per connection. Past it the connection is
/// not asked for more until [`Input::Written`](super::Input::Written).
pub const MAX_UNWRITTEN: usize = 256 * 1024;

/// A connection, in the making or made.
pub(super) struct Connection {
    pub(super) upstream: usize,
    pub(super) address: SocketAddr,
    /// How far it has come.
    pub(super) stage: Stage,
    pub(super) state: State,
    /// Whether the handshake offers the application protocol of DoT, which a server may refuse.
    pub(super) offers_dot: bool,
    /// What is spoken on it, once that is known.
    pub(super) transport: Transport,
    /// Whether it ever brought an answer: if so, its end is staleness and not failure.
    pub(super) has_answered: bool,
    pub(super) usability: Usability,
    /// Since when nothing came though something is owed.
    pub(super) silent_since: Option<Instant>,
    /// When an attempt last began or ended.
    pub(super) used: Instant,
    /// When bytes last came.
    pub(super) heard: Instant,
    /// When it was last asked for a sign of life that it still owes.
    pub(super) pinged: Option<Instant>,
    unwritten: usize,
    /// Whether it stands in the engine's list of connections to look after.
    is_ready: bool,
}

/// Whether a connection takes queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usability {
    Good,
    /// It kept silent when it should not have. It takes no new queries until it is heard again.
    Unresponsive,
    /// It is over, but for what it still owes the peer.
    Closing,
}

/// Where a connection stands in its life.
pub(super) enum State {
    /// In a race, by its place in the engine's dials.
    Dialing(usize),
    /// TLS is up.
    Open(Box<dyn Machine>),
}

impl Connection {
    pub(super) fn dialing(
        upstream: usize,
        address: SocketAddr,
        stage: Stage,
        dial: usize,
        now: Instant,
    ) -> Self {
        Self {
            upstream,
            address,
            stage,
            state: State::Dialing(dial),
            offers_dot: false,
            transport: Transport::Local,
            has_answered: false,
            usability: Usability::Good,
            silent_since: None,
            used: now,
            heard: now,
            pinged: None,
            unwritten: 0,
            is_ready: false,
        }
    }

    pub(super) fn machine(&mut self) -> Option<&mut (dyn Machine + 'static)> {
        match &mut self.state {
            State::Open(machine) if self.usability != Usability::Closing => Some(&mut **machine),
            _ => None,
        }
    }

    /// Whether it takes queries, now or when it has room again.
    pub(super) fn is_usable(&self) -> bool {
        self.is_good() && matches!(&self.state, State::Open(machine) if !machine.is_draining())
    }

    /// Whether answers are waited for on it.
    pub(super) fn awaits_answer(&self) -> bool {
        matches!(&self.state, State::Open(machine) if machine.in_flight() > 0)
    }

    pub(super) fn has_room(&self) -> bool {
        self.is_good() && matches!(&self.state, State::Open(machine) if machine.capacity() > 0)
    }

    fn is_good(&self) -> bool {
        self.usability == Usability::Good
    }
}

impl Engine {
    pub(super) fn machine(&mut self, id: ConnectionId) -> Option<&mut (dyn Machine + 'static)> {
        self.connections.get_mut(&id)?.machine()
    }

    /// Notes that a connection may have something to transmit, or another time to be woken at.
    pub(super) fn mark_ready(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id)
            && !std::mem::replace(&mut connection.is_ready, true)
        {
            self.ready.push_back(id);
        }
    }

    pub(super) fn connected(&mut self, now: Instant, id: ConnectionId, alpn: Option<&[u8]>, resumed: bool) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (upstream, State::Dialing(dial)) = (connection.upstream, &connection.state) else { return };
        self.dial_won(*dial, id);
        let (machine, transport) = self.machine_for(now, upstream, alpn);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        debug!(
            target: CONNECTION,
            upstream = %self.pools[upstream].label,
            address = %connection.address,
            resumed,
            "connected"
        );
        connection.state = State::Open(machine);
        connection.transport = transport;
        connection.stage = Stage::Query;
        (connection.used, connection.heard) = (now, now);
        let counters = self.shared.counters.upstream(upstream);
        counters.opened.add(1);
        counters.resumed.add(u64::from(resumed));
        self.pools[upstream].open.push(id);
        if transport != Transport::Http1 {
            // One suffices, and those that others were begun beside are not waited for.
            self.slow_dials(now, upstream).into_iter().for_each(|dial| self.give_up(dial));
        }
        self.mark_ready(id);
        self.dispatch_soon(upstream);
    }

    fn machine_for(
        &mut self,
        now: Instant,
        upstream: usize,
        alpn: Option<&[u8]>,
    ) -> (Box<dyn Machine>, Transport) {
        let configured = &self.shared.config.upstreams[upstream];
        let Some(endpoint) = &configured.endpoint else {
            let machine = Dot::new(now, self.random.random());
            let is_mutual = configured.upstream.protocol() == Protocol::MutualTls;
            return (Box::new(machine), if is_mutual { Transport::MutualTls } else { Transport::Tls });
        };
        match self.http_version(upstream, alpn) {
            HttpVersion::Http1 => (Box::new(Http1::new(now, endpoint.clone())), Transport::Http1),
            _ => (Box::new(Http2::new(now, endpoint.clone())), Transport::Http2),
        }
    }

    /// The version to speak: as configured, else as learned, else as picked; without a pick, HTTP/1.1.
    fn http_version(&self, upstream: usize, alpn: Option<&[u8]>) -> HttpVersion {
        let configured = self.shared.config.upstreams[upstream].upstream.http_version();
        match (configured, self.pools[upstream].learned.http) {
            (HttpVersion::Negotiated, Some(learned)) => learned,
            (HttpVersion::Negotiated, None) if alpn == Some(b"h2") => HttpVersion::Http2,
            (HttpVersion::Negotiated, None) => HttpVersion::Http1,
            (fixed, _) => fixed,
        }
    }

    /// Whether each connection to this upstream carries one query at a time, as far as is known.
    pub(super) fn speaks_http1(&self, upstream: usize) -> bool {
        let pool = &self.pools[upstream];
        let speaks = |id| {
            self.connections
                .get(id)
                .is_some_and(|connection: &Connection| connection.transport == Transport::Http1)
        };
        pool.learned.http == Some(HttpVersion::Http1) || pool.open.iter().any(speaks)
    }

    pub(super) fn received(&mut self, now: Instant, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.heard = now;
        connection.pinged = None;
        if connection.usability == Usability::Unresponsive {
            connection.usability = Usability::Good;
        }
        if let Some(machine) = connection.machine() {
            machine.handle_input(now, bytes);
            self.drain_events(now, id);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            let owes = connection.machine().is_some_and(|machine| machine.in_flight() > 0);
            connection.silent_since = owes.then_some(now);
        }
    }

    pub(super) fn ended(&mut self, now: Instant, id: ConnectionId, cause: Cause) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match &mut connection.state {
            State::Dialing(dial) => {
                let dial = *dial;
                self.address_failed(now, dial, id, cause);
            }
            State::Open(machine) => {
                machine.handle_end(now, cause);
                self.drain_events(now, id);
            }
        }
    }

    pub(super) fn written(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.unwritten = 0;
            self.mark_ready(id);
        }
    }

    /// Hears a connection out, then gives what room it has to those that wait.
    fn drain_events(&mut self, now: Instant, id: ConnectionId) {
        while let Some(event) = self.machine(id).and_then(|machine| machine.poll_event(now)) {
            let Some(connection) = self.connections.get_mut(&id) else { return };
            match event {
                Event::Answered { key, message, age } => {
                    connection.has_answered = true;
                    connection.used = now;
                    self.shared.config.upstreams[connection.upstream].tls.note_answer();
                    self.attempt_answered(now, id, key, message, age);
                }
                Event::Failed { key, cause, retry_safe } => {
                    connection.used = now;
                    self.failed_on_connection(now, id, key, cause, retry_safe);
                }
                // That something came was noted.
                Event::Alive => {}
                Event::Ended(cause) => self.connection_over(id, &cause),
            }
        }
        if let Some(connection) = self.connections.get(&id) {
            let upstream = connection.upstream;
            self.mark_ready(id);
            if !self.pools[upstream].waiting.is_empty() {
                self.dispatch_soon(upstream);
            }
        }
    }

    /// Ends an attempt that failed on its connection. If the connection caused the failure, the lookup loses no attempt.
    fn failed_on_connection(
        &mut self,
        now: Instant,
        id: ConnectionId,
        key: Key,
        cause: Cause,
        retry_safe: bool,
    ) {
        let (Some(attempt), Some(connection)) = (self.attempts.get(key), self.connections.get_mut(&id))
        else {
            return;
        };
        let (flight, upstream) = (attempt.flight, attempt.upstream);
        let cause = if connection.has_answered {
            cause
        } else {
            self.shared.config.upstreams[upstream].tls.cause_before_first_answer(cause)
        };
        if matches!(cause, Cause::Http(_) | Cause::Malformed(_)) {
            connection.has_answered = true;
        }
        let has_answered = connection.has_answered;
        // First what changes the next try: to repeat the same would end the same.
        let has_learned = !has_answered && self.learn_version(now, upstream, &cause);
        let is_serial = self.speaks_http1(upstream);
        let plan = &mut self.flights[flight].plan;
        if is_loss(&cause) && !is_serial {
            plan.lost(upstream);
        }
        let is_free = has_learned
            || (retry_safe && plan.repeat_free())
            || (has_answered && is_loss(&cause) && plan.forgive_stale(upstream));
        if is_free {
            let query = &self.flights[flight].query;
            debug!(
                target: LOOKUP,
                name = %query.name(),
                record_type = %query.record_type(),
                upstream = %self.pools[upstream].label,
                %cause,
                "query resent"
            );
            return self.requeue(now, key);
        }
        if !has_answered {
            self.mark_unhealthy(now, upstream);
            // It may be for what was learned that it fails.
            self.pools[upstream].learned = Learned::default();
        } else if matches!(cause, Cause::Http(_)) {
            self.note_refusal(now, upstream);
        }
        self.attempt_failed(now, key, &cause);
    }

    /// Learns that the server speaks another HTTP version than it picked. `false` if that is not what the
    /// cause says, or if it was learned before and is no excuse any more.
    fn learn_version(&mut self, now: Instant, upstream: usize, cause: &Cause) -> bool {
        if self.shared.config.upstreams[upstream].upstream.http_version() != HttpVersion::Negotiated {
            return false;
        }
        let other = match cause {
            cause if is_not_http2(cause) => HttpVersion::Http1,
            cause if is_not_http1(cause) => HttpVersion::Http2,
            _ => return false,
        };
        let pool = &mut self.pools[upstream];
        if let Some(learned) = pool.learned.http {
            return learned == other;
        }
        info!(target: UPSTREAM, upstream = %pool.label, version = ?other, "HTTP version changed");
        pool.learned.learn(now, |learned| learned.http = Some(other));
        true
    }

    /// An attempt is not wanted any more.
    pub(super) fn cancel_on_connection(&mut self, now: Instant, id: ConnectionId, key: Key) {
        let Some(machine) = self.machine(id) else { return };
        machine.cancel(now, key);
        if machine.in_flight() == 0 {
            // Over HTTP/2 nothing is owed for it, and silence would mean nothing. The answer to this does.
            machine.probe(now);
        }
        self.mark_ready(id);
    }

    /// Stops using a connection: what it owes is transmitted, then it is closed.
    fn connection_over(&mut self, id: ConnectionId, cause: &Cause) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        debug!(target: CONNECTION, upstream = %self.pools[connection.upstream].label, %cause, "connection ended");
        self.pools[connection.upstream].open.retain(|open| *open != id);
        connection.usability = Usability::Closing;
        self.timers.set(Timer::Connection(id), None);
        self.mark_ready(id);
    }

    /// Closes a connection from this side.
    pub(super) fn close_connection(&mut self, now: Instant, id: ConnectionId) {
        if let Some(machine) = self.machine(id) {
            machine.close(now);
            self.connection_over(id, &Cause::Closed);
        }
    }

    pub(super) fn connection_timeout(&mut self, now: Instant, id: ConnectionId) {
        if let Some(machine) = self.machine(id) {
            machine.handle_timeout(now);
            self.drain_events(now, id);
        }
        self.maintain(now, id);
    }

    /// The next message that a listed connection has for its peer, or its close.
    pub(super) fn poll_connections(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Output> {
        while let Some(id) = self.ready.front().copied() {
            if let Some(connection) = self.connections.get_mut(&id) {
                let has_credit = connection.unwritten < MAX_UNWRITTEN;
                if let State::Open(machine) = &mut connection.state
                    && has_credit
                    && machine.poll_transmit(now, out)
                {
                    connection.unwritten += out.len();
                    return Some(Output::Transmit(id));
                }
                connection.is_ready = false;
            }
            self.ready.pop_front();
            self.maintain(now, id);
            if let Some(connection) = self.connections.get(&id)
                && connection.usability == Usability::Closing
                && !connection.is_ready
            {
                self.connections.remove(&id);
                return Some(Output::Close(id));
            }
        }
        None
    }

    /// Closes a connection that has nothing more to do, or keeps it alive, and sets its timer.
    fn maintain(&mut self, now: Instant, id: ConnectionId) {
        self.keep_alive(now, id);
        let Some(connection) = self.connections.get(&id) else { return };
        let State::Open(machine) = &connection.state else { return };
        if connection.usability == Usability::Closing {
            return;
        }
        let is_empty = machine.in_flight() == 0;
        let is_idle = is_empty && !self.is_kept_alive(connection);
        let idle_at = is_idle.then(|| connection.used + machine.idle_limit());
        let is_spent = is_empty && (machine.is_draining() || connection.usability == Usability::Unresponsive);
        if is_spent || idle_at.is_some_and(|time| time <= now) {
            return self.close_connection(now, id);
        }
        let times = [machine.poll_timeout(), idle_at, self.next_ping(connection)];
        self.timers.set(Timer::Connection(id), times.into_iter().flatten().min());
    }

    /// What is spoken on a connection, and as whom.
    pub(super) fn transport(&self, id: ConnectionId) -> Transport {
        self.connections.get(&id).map_or(Transport::Local, |connection| connection.transport)
    }
}

/// Whether a connection went away under its queries without a word about them.
fn is_loss(cause: &Cause) -> bool {
    matches!(cause, Cause::Closed | Cause::Tls(_))
}
