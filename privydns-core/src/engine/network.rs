//! What happens around the resolver: the network changes, the machine sleeps, connections are wanted ahead.

use std::time::{Duration, Instant, SystemTime};

use tracing::info;

use super::Engine;

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
        info!("network changed");
        let flights = self.flights.iter().map(|(flight, _)| flight).collect::<Vec<_>>();
        for flight in &flights {
            for key in std::mem::take(&mut self.flights[*flight].live) {
                self.cancel_exchange(now, key);
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
        let state = &self.flights[flight];
        if state.probes.is_some() {
            // Of what is not held against anybody any more.
            return self.end_flight(now, flight);
        }
        let (query, group) = (state.query.clone(), state.group);
        let plan = self.plan(now, &query, group);
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
            info!(?slept, "the machine slept");
            self.shared.cache.slept(slept);
            self.pools.iter_mut().for_each(|pool| pool.bootstrap.expire());
            self.network_changed(now);
        }
    }

    /// Opens a connection to every upstream that has none.
    pub(super) fn warm_up(&mut self, now: Instant) {
        for upstream in 0..self.pools.len() {
            if !self.closed && self.usable_connections(upstream) == 0 && self.pools[upstream].dials.is_empty()
            {
                self.dial(now, upstream);
            }
        }
    }

    /// Asks a quiet connection for a sign of life, where that is configured, and gives up one that owes it.
    pub(super) fn ping(&mut self, now: Instant, id: super::ConnectionId) {
        let Some(interval) = self.shared.config.settings.ping_interval else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Some(pinged) = connection.pinged {
            if pinged + interval <= now {
                self.close_connection(now, id);
            }
        } else if connection.used + interval <= now
            && connection.machine().is_some_and(|machine| machine.probe(now))
        {
            connection.pinged = Some(now);
            self.touched(id);
        }
    }
}
