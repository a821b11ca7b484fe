//! The connections to one upstream: which of them takes the next query, and when another is opened.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Engine;
use super::bootstrap::Bootstrap;
use super::connection::Connection;
use super::io::ConnectionId;
use crate::connection::Key;
use crate::error::Stage;
use crate::schedule::{Health, Rtt};
use crate::upstream::HttpVersion;

/// What the engine knows of one upstream.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) label: Arc<str>,
    /// Attempts without a connection, oldest first. Bounded by the lookups in flight and their attempts.
    pub(super) waiting: BTreeSet<Key>,
    /// The suspect that is on its way or waiting for a connection.
    pub(super) on_trial: Option<Key>,
    /// Suspects that wait for that one to be over.
    pub(super) quarantined: BTreeSet<Key>,
    /// Connections with TLS up.
    pub(super) open: Vec<ConnectionId>,
    /// Connections in the making, by their place in the engine's dials.
    pub(super) dials: Vec<usize>,
    pub(super) health: Health,
    pub(super) rtt: Rtt,
    /// Answers over HTTP without a DNS message since the last one with it.
    pub(super) refusals: u8,
    pub(super) learned: Learned,
    pub(super) bootstrap: Bootstrap,
    /// The address that won the last race.
    pub(super) winner: Option<SocketAddr>,
    /// Until when no connection is opened beside those that work, since the last one that was could not be.
    pub(super) sufficed_until: Option<Instant>,
    /// Where the last dial ended that came to nothing.
    pub(super) last_dial: (Option<SocketAddr>, Stage),
}

/// What an upstream taught by failing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Learned {
    /// It ends the handshake when it is offered an application protocol (conformance 13).
    pub(super) refuses_alpn: bool,
    /// The HTTP version that it speaks, whatever it picks.
    pub(super) http: Option<HttpVersion>,
    until: Option<Instant>,
}

/// What was learned holds no longer than this. To learn it again costs little; to believe it for ever, of a
/// server that changed or was not even the one that spoke, costs the upstream.
const LEARNED_FOR: Duration = Duration::from_secs(300);

impl Learned {
    pub(super) fn learn(&mut self, now: Instant, teach: impl FnOnce(&mut Self)) {
        self.until.get_or_insert(now + LEARNED_FOR);
        teach(self);
    }

    pub(super) fn forget_if_old(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            *self = Self::default();
        }
    }
}

impl Pool {
    pub(super) fn new(label: Arc<str>) -> Self {
        Self {
            label,
            waiting: BTreeSet::new(),
            on_trial: None,
            quarantined: BTreeSet::new(),
            open: Vec::new(),
            dials: Vec::new(),
            health: Health::default(),
            rtt: Rtt::default(),
            refusals: 0,
            learned: Learned::default(),
            bootstrap: Bootstrap::default(),
            winner: None,
            sufficed_until: None,
            last_dial: (None, Stage::Waiting),
        }
    }

    /// Forgets what may be different on another network.
    pub(super) fn forget(&mut self) {
        self.health = Health::default();
        self.rtt = Rtt::default();
        self.refusals = 0;
        self.learned = Learned::default();
        self.winner = None;
        self.sufficed_until = None;
    }
}

impl Engine {
    /// Has an upstream's waiting attempts seen to once the input is worked off. To see to them may fail them at
    /// once, which would come as a surprise to whoever has just begun one.
    pub(super) fn dispatch_soon(&mut self, upstream: usize) {
        self.to_dispatch.insert(upstream);
    }

    /// Does what was put off until the input is worked off.
    pub(super) fn run_deferred(&mut self, now: Instant) {
        loop {
            if let Some(dial) = self.lost_dials.pop() {
                self.dial_lost(now, dial);
            } else if let Some(upstream) = self.to_dispatch.pop_first() {
                self.dispatch(now, upstream);
            } else {
                return;
            }
        }
    }

    /// Gives waiting attempts to connections with room, and opens a connection when there is none.
    fn dispatch(&mut self, now: Instant, upstream: usize) {
        while let Some(key) = self.pools[upstream].waiting.first().copied() {
            let Some(id) = self.connection_with_room(upstream) else { break };
            self.pools[upstream].waiting.pop_first();
            self.submit(now, key, id);
        }
        self.open_if_needed(now, upstream);
    }

    /// Gives an attempt to a connection, which has room.
    fn submit(&mut self, now: Instant, key: Key, id: ConnectionId) {
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        attempt.connection = Some(id);
        attempt.submitted = now;
        let query = &self.flights[attempt.flight].query;
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.silent_since.get_or_insert(now);
            connection.used = now;
            if let Some(machine) = connection.machine() {
                machine.submit(now, key, query);
            }
        }
        self.mark_ready(id);
    }

    /// Gives a new attempt to a connection, if there is one with room and nobody else in line for it.
    pub(super) fn submit_at_once(&mut self, now: Instant, upstream: usize, key: Key) -> bool {
        if !self.pools[upstream].waiting.is_empty() {
            return false;
        }
        let id = self.connection_with_room(upstream);
        id.inspect(|id| self.submit(now, key, *id)).is_some()
    }

    fn connection_with_room(&self, upstream: usize) -> Option<ConnectionId> {
        let has_room = |id: &&ConnectionId| self.connections.get(id).is_some_and(Connection::has_room);
        self.pools[upstream].open.iter().find(has_room).copied()
    }

    /// One connection serves everybody; another is opened only when all are full, and never a storm: while
    /// one is in the making it is waited for, unless each connection carries but one query at a time, or it has been
    /// waited for in vain.
    fn open_if_needed(&mut self, now: Instant, upstream: usize) {
        let one_at_a_time = self.speaks_http1(upstream);
        let limit = if one_at_a_time {
            self.shared.config.settings.max_http1_connections
        } else {
            self.shared.config.settings.max_connections
        };
        loop {
            let pool = &self.pools[upstream];
            let wanted = if one_at_a_time { pool.waiting.len() } else { pool.waiting.len().min(1) };
            if wanted == 0 {
                return;
            }
            let usable = self.usable_connections(upstream);
            let suffices = usable > 0 && pool.sufficed_until.is_some_and(|until| now < until);
            let doubted = self.slow_dials(now, upstream);
            let is_in_doubt = pool.dials.len() == doubted.len() && !pool.bootstrap.is_pending();
            if suffices || (pool.dials.len() >= wanted && !is_in_doubt) {
                return;
            }
            if usable + pool.dials.len() >= limit {
                // The oldest dials may be slow ones. The latest has had the least time.
                match doubted[..] {
                    [_, .., latest] if is_in_doubt => self.give_up(latest),
                    _ => return,
                }
            }
            self.dial(now, upstream);
        }
    }

    /// Connections that take queries, now or when they have room again.
    pub(super) fn usable_connections(&self, upstream: usize) -> usize {
        let is_usable = |id: &&ConnectionId| self.connections.get(id).is_some_and(Connection::is_usable);
        self.pools[upstream].open.iter().filter(is_usable).count()
    }

    /// Counts the queued attempts that break the rule of the queue: an attempt is queued only while no connection to
    /// its upstream has room, and while there is a usable connection or a dial. For tests; no part of the API.
    #[doc(hidden)]
    pub fn wrongly_queued(&self) -> usize {
        let is_misplaced = |upstream: usize| {
            let has_source = self.usable_connections(upstream) > 0 || !self.pools[upstream].dials.is_empty();
            !has_source || self.connection_with_room(upstream).is_some()
        };
        let queues = self.pools.iter().map(|pool| pool.waiting.len()).enumerate();
        queues
            .filter(|(upstream, queued)| *queued > 0 && is_misplaced(*upstream))
            .map(|(_, queued)| queued)
            .sum()
    }
}
