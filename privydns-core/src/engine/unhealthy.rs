//! Upstreams that cannot be reached or do not answer: how this is detected, and how the upstreams become healthy again.
//!
//! Lookups skip an unhealthy upstream if there is a healthy one. After the upstream's pause, the engine sends a query of
//! its own (a probe) to find out whether the upstream answers, so that no caller has to wait.

use std::time::{Duration, Instant};

use tracing::{debug, info};

use super::Engine;
use super::connection::Usability;
use crate::cache::UpstreamSet;
use crate::connection::Key;
use crate::error::Cause;
use crate::logging::UPSTREAM;

/// How long no connection is opened beside those that work, after one that could not be.
const SUFFICES_FOR: Duration = Duration::from_secs(5);

/// Answers over HTTP in a row that held no DNS message. So many are taken for a server that is out of order.
const MAX_REFUSALS: u8 = 3;

impl Engine {
    /// An attempt had its time, or is given up. If nothing at all was heard for long enough, the connection is not
    /// to be trusted with more, or the upstream is not. Where others are answered meanwhile, the query is slow.
    pub(super) fn check_liveness(&mut self, now: Instant, key: Key) {
        let Some(attempt) = self.attempts.get(key) else { return };
        let upstream = attempt.upstream;
        let own = self.pools[upstream].rtt.longest_wait();
        let longest_wait = self.shared.config.settings.attempt_timeout.unwrap_or(own);
        let is_long = |since: Instant| since + longest_wait <= now;
        let Some(connection) = attempt.connection.and_then(|id| self.connections.get_mut(&id)) else {
            let mut dials = self.pools[upstream].dials.iter();
            if dials.any(|dial| is_long(self.dials[*dial].began)) && self.usable_connections(upstream) == 0 {
                self.mark_unhealthy(now, upstream);
            }
            return;
        };
        if connection.usability != Usability::Good || !connection.silent_since.is_some_and(is_long) {
            return;
        }
        connection.usability = Usability::Unresponsive;
        let has_answered = connection.has_answered;
        if self.usable_connections(upstream) > 0 {
            return;
        }
        if has_answered {
            // It may have died unnoticed, as behind a rebooted router: a fresh connection tells. Until it has,
            // nobody else is to wait for this upstream.
            self.pools[upstream].health.unresponsive(now);
            self.shared.counters.upstream(upstream).set_unhealthy(true);
            self.probe(now, upstream);
        } else {
            self.mark_unhealthy(now, upstream);
        }
    }

    /// No connection could be made: the attempts that wait for one have failed.
    pub(super) fn unreachable(&mut self, now: Instant, upstream: usize, cause: &Cause) {
        if self.usable_connections(upstream) > 0 {
            // Servers limit how many connections a client may have: it has to do with those that it has.
            self.pools[upstream].sufficed_until = Some(now + SUFFICES_FOR);
            return;
        }
        self.mark_unhealthy(now, upstream);
        if !self.pools[upstream].dials.is_empty() {
            return;
        }
        let pool = &mut self.pools[upstream];
        let quarantined = std::mem::take(&mut pool.quarantined);
        for key in std::mem::take(&mut pool.waiting).into_iter().chain(quarantined) {
            self.attempt_failed(now, key, cause);
        }
    }

    /// The upstream could not be reached, or did not answer: it is passed over for a while.
    pub(super) fn mark_unhealthy(&mut self, now: Instant, upstream: usize) {
        let pool = &mut self.pools[upstream];
        if let Some(pause) = pool.health.failed(now) {
            info!(target: UPSTREAM, upstream = %pool.label, ?pause, "upstream unhealthy");
            self.shared.counters.upstream(upstream).set_unhealthy(true);
        }
    }

    /// The upstream asked to be left alone for a while.
    pub(super) fn back_off(&mut self, now: Instant, upstream: usize, wait: Duration) {
        self.pools[upstream].health.asked_to_wait(now, wait);
        self.shared.counters.upstream(upstream).set_unhealthy(true);
    }

    /// The upstream answered, but with no DNS message. Once, that may be for what was asked; again and again it is for
    /// what it is.
    pub(super) fn note_refusal(&mut self, now: Instant, upstream: usize) {
        let refusals = &mut self.pools[upstream].refusals;
        *refusals = refusals.saturating_add(1);
        if *refusals >= MAX_REFUSALS {
            self.mark_unhealthy(now, upstream);
        }
    }

    /// Asks an upstream something that tells it nothing, to see whether it answers. No lookup depends on it.
    pub(super) fn probe(&mut self, now: Instant, upstream: usize) {
        if self.closed {
            return;
        }
        let deadline = now + self.shared.config.settings.timeout;
        let query = self.probe_query.clone();
        let query_key = self.shared.cache.query_key(&query, UpstreamSet::one(upstream));
        let Ok(flight) = self.flight_at(now, query, query_key, deadline) else { return };
        debug!(target: UPSTREAM, upstream = %self.pools[upstream].label, "probing");
        self.pools[upstream].health.probing();
        let state = &mut self.flights[flight];
        state.probes = Some(upstream);
        state.plan.limit(1);
        self.begin_or_wait(now, flight);
    }

    /// Ends the probe. Without an answer, the upstream stays unhealthy.
    pub(super) fn probe_over(&mut self, now: Instant, upstream: usize) {
        if self.pools[upstream].health.is_probing() {
            self.mark_unhealthy(now, upstream);
        }
    }

    /// Anything that answers is well, whatever the answer says.
    pub(super) fn upstream_answered(&mut self, upstream: usize, round_trip: Duration) {
        let pool = &mut self.pools[upstream];
        pool.rtt.measured(round_trip);
        if !pool.health.is_healthy() {
            info!(target: UPSTREAM, upstream = %pool.label, "upstream recovered");
        }
        pool.health.answered();
        pool.refusals = 0;
        let counters = self.shared.counters.upstream(upstream);
        counters.smoothed_rtt(pool.rtt.smoothed());
        counters.set_unhealthy(false);
    }

    /// Whether lookups pass over an upstream while they have another.
    pub(super) fn is_unhealthy(&self, upstream: usize) -> bool {
        !self.pools[upstream].health.is_healthy()
    }
}
