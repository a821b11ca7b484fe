//! What happens around the resolver: the network changes, the machine sleeps, connections are wanted ahead.

use std::time::{Duration, Instant, SystemTime};

use tracing::info;

use super::Engine;
use super::connection::{Connection, Usability};
use super::io::ConnectionId;
use crate::error::Cause;
use crate::logging::{CONNECTION, NETWORK};
use crate::message::Transport;

/// When the wall clock is ahead of the steady one by this much, the machine has slept: `Instant` stood still
/// while connections died and networks changed.
const SLEPT: Duration = Duration::from_secs(10);

impl Engine {
    /// Everything learned of the network is void: connections, TLS tickets, times, failures. What was in flight
    /// begins anew, as if it had just been asked; deadlines and the cache stay.
    pub(super) fn network_changed(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        info!(target: NETWORK, "network changed");
        self.shared.counters.network_changes.add(1);
        let flights = self.flights.iter().map(|(flight, _)| flight).collect::<Vec<_>>();
        for flight in &flights {
            for key in std::mem::take(&mut self.flights[*flight].live) {
                self.cancel_attempt(now, key);
            }
        }
        self.close_dials();
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close_connection(now, id);
        }
        for (upstream, pool) in self.pools.iter_mut().enumerate() {
            pool.forget();
            self.shared.config.upstreams[upstream].tls.forget_tickets();
            self.shared.counters.upstream(upstream).forget();
        }
        self.failures.clear();
        for flight in flights {
            self.begin_anew(now, flight);
        }
    }

    fn begin_anew(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        // What it was to find out is not held against anybody any more.
        state.probes = None;
        if !state.is_wanted() {
            return self.end_flight(now, flight);
        }
        let (query, upstream_set) = (state.query.clone(), state.query_key.upstream_set);
        let plan = self.plan(now, &query, upstream_set);
        let state = &mut self.flights[flight];
        (state.plan, state.pause) = (plan, None);
        self.advance(now, flight);
    }

    /// Compares the wall clock with the steady one.
    pub(super) fn wall_clock(&mut self, now: Instant, wall: SystemTime) {
        let Some((then, wall_then)) = self.wall.replace((now, wall)) else { return };
        let steady = now.saturating_duration_since(then);
        let Some(slept) = wall.duration_since(wall_then).ok().and_then(|passed| passed.checked_sub(steady))
        else {
            return;
        };
        if slept > SLEPT {
            info!(target: NETWORK, ?slept, "system resumed");
            self.shared.cache.slept(slept);
            self.pools.iter_mut().for_each(|pool| pool.bootstrap.expire());
            self.network_changed(now);
        }
    }

    /// Opens connections to the upstreams that the next lookups would go to first, of the general ones and of
    /// each route, where there are none.
    pub(super) fn warm_up(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        let first = self.shared.order.first_choices();
        let shared = self.shared.clone();
        for upstreams in shared.config.preferences() {
            let (well, unhealthy) =
                upstreams.partition::<Vec<_>, _>(|upstream| !self.is_unhealthy(*upstream));
            for upstream in well.into_iter().chain(unhealthy).take(first) {
                if self.usable_connections(upstream) == 0 && self.pools[upstream].dials.is_empty() {
                    self.dial(now, upstream);
                }
            }
        }
    }

    /// Whether a quiet connection is kept open on purpose, and not closed for being idle.
    pub(super) fn is_kept_alive(&self, connection: &Connection) -> bool {
        let is_wanted = self.shared.config.settings.ping_interval.is_some();
        is_wanted && connection.transport == Transport::Http2 && connection.usability != Usability::Closing
    }

    /// When a connection that is kept open is to be asked for a sign of life, or given up that owes one.
    pub(super) fn next_ping(&self, connection: &Connection) -> Option<Instant> {
        let interval =
            self.shared.config.settings.ping_interval.filter(|_| self.is_kept_alive(connection))?;
        Some(connection.pinged.unwrap_or(connection.heard) + interval)
    }

    /// Asks a connection for a sign of life, or gives it up, if it is time to.
    pub(super) fn keep_alive(&mut self, now: Instant, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        if self.next_ping(connection).is_none_or(|time| time > now) {
            return;
        }
        if connection.pinged.is_some() {
            info!(target: CONNECTION, upstream = %self.pools[connection.upstream].label, "PING not answered");
            self.ended(now, id, Cause::Closed);
        } else if let Some(connection) = self.connections.get_mut(&id) {
            connection.pinged = Some(now);
            if let Some(machine) = connection.machine() {
                machine.probe(now);
            }
            self.mark_ready(id);
        }
    }
}
