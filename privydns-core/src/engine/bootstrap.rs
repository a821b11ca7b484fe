//! Upstreams known by name alone: their addresses are asked of other upstreams, encrypted like everything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::Engine;
use crate::cache::Found;
use crate::error::Cause;
use crate::message::{Answer, Query};
use crate::rr::RecordType;

/// What is known, and being asked, of an upstream's addresses.
#[derive(Debug, Default)]
pub(super) struct Bootstrap {
    pub(super) addresses: Vec<SocketAddr>,
    /// When the addresses' TTL ends.
    until: Option<Instant>,
    /// Questions on their way.
    pending: u8,
}

impl Bootstrap {
    pub(super) fn is_pending(&self) -> bool {
        self.pending > 0
    }
}

impl Engine {
    /// The addresses to dial; none while they are being asked for.
    pub(super) fn addresses(&mut self, now: Instant, upstream: usize) -> Option<Vec<SocketAddr>> {
        let configured = &self.shared.config.upstreams[upstream].upstream;
        if !configured.needs_bootstrap() {
            return Some(configured.ends().collect());
        }
        let known = &self.pools[upstream].bootstrap;
        if known.until.is_some_and(|until| now < until) {
            return Some(known.addresses.clone());
        }
        if !known.is_pending() {
            self.begin_bootstrap(now, upstream);
        }
        None
    }

    fn begin_bootstrap(&mut self, now: Instant, upstream: usize) {
        let configured = &self.shared.config.upstreams[upstream].upstream;
        let name = configured.server_name().to_str().into_owned();
        let group = self.shared.config.bootstrap_group;
        let deadline = now + self.shared.config.settings.timeout;
        self.pools[upstream].bootstrap = Bootstrap { pending: 2, ..Bootstrap::default() };
        for record_type in [RecordType::AAAA, RecordType::A] {
            let Ok(query) = Query::new(&name, record_type) else {
                self.bootstrap_failed(now, upstream);
                continue;
            };
            if let Found::Fresh(answer) | Found::Refresh(answer) =
                self.shared.cache.lookup(now, &query, group)
            {
                self.bootstrap_answered(now, upstream, &answer);
            } else if let Ok(flight) = self.flight_in_group(now, Arc::new(query), group, deadline) {
                self.flights[flight].bootstraps.push(upstream);
                self.begin_or_wait(now, flight);
            } else {
                self.bootstrap_failed(now, upstream);
            }
        }
    }

    pub(super) fn bootstrap_answered(&mut self, now: Instant, upstream: usize, answer: &Answer) {
        let port = self.shared.config.upstreams[upstream].upstream.port();
        let pool = &mut self.pools[upstream];
        pool.bootstrap.addresses.extend(answer.addresses().map(|address| SocketAddr::new(address, port)));
        if let Some(ttl) = answer.ttl().filter(|_| !pool.bootstrap.addresses.is_empty()) {
            let until = now + Duration::from_secs(u64::from(ttl));
            pool.bootstrap.until = Some(pool.bootstrap.until.map_or(until, |other| other.min(until)));
        }
        self.bootstrap_step(now, upstream);
    }

    pub(super) fn bootstrap_failed(&mut self, now: Instant, upstream: usize) {
        self.bootstrap_step(now, upstream);
    }

    /// One of the questions is over. The first addresses are dialled at once.
    fn bootstrap_step(&mut self, now: Instant, upstream: usize) {
        let pool = &mut self.pools[upstream];
        let bootstrap = &mut pool.bootstrap;
        bootstrap.pending = bootstrap.pending.saturating_sub(1);
        if bootstrap.addresses.is_empty() {
            if !bootstrap.is_pending() {
                let cause = Cause::Bootstrap("no upstream gave an address for its name".into());
                self.unreachable(now, upstream, &cause);
            }
            return;
        }
        debug!(upstream = %pool.label, addresses = bootstrap.addresses.len(), "bootstrapped");
        let is_needed = !pool.waiting.is_empty();
        if is_needed && self.usable_connections(upstream) == 0 && self.pools[upstream].dials.is_empty() {
            let addresses = self.pools[upstream].bootstrap.addresses.clone();
            self.race(now, upstream, addresses);
        }
    }
}
