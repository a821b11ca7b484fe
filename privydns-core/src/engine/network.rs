//! What happens around the resolver: the network changes, the machine sleeps, connections are wanted ahead.

use std::time::{Duration, Instant, SystemTime};

use tracing::info;

use super::Engine;
use crate::schedule::{Health, Rtt};

/// When the wall clock is ahead of the steady one by this much, the machine has slept: `Instant` stood still
/// while connections died and networks changed.
const SLEPT: Duration = Duration::from_secs(10);

impl Engine {
    /// Everything learned of the network is void: connections, TLS tickets, times, failures. What was in
    /// flight is sent again on new connections at no cost; the cache stays.
    pub(super) fn network_changed(&mut self, now: Instant) {
        info!("network changed");
        self.close_dials();
        for key in self.exchanges.submitted() {
            if let Some(exchange) = self.exchanges.get_mut(key) {
                exchange.connection = None;
                self.pools[exchange.upstream].waiting.insert(key);
            }
        }
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close_connection(now, id);
        }
        for upstream in 0..self.pools.len() {
            let pool = &mut self.pools[upstream];
            pool.health = Health::default();
            pool.rtt = Rtt::default();
            pool.winner = None;
            self.shared.config.upstreams[upstream].tls.forget_tickets();
            self.pump_soon(upstream);
        }
    }

    /// Compares the wall clock with the steady one.
    pub(super) fn wall_clock(&mut self, now: Instant, wall: SystemTime) {
        let Some((then, wall_then)) = self.wall.replace((now, wall)) else { return };
        let steady = now.saturating_duration_since(then);
        if wall.duration_since(wall_then).is_ok_and(|passed| passed > steady + SLEPT) {
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
