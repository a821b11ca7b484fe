//! Upstreams known by name alone: their addresses are asked of other upstreams, encrypted like everything.
//!
//! Addresses are kept for their TTL, and asked for anew by the first dial after it. Those from before join that dial
//! if nothing newer has come in the time that an address is tried alone: an upstream that cannot be resolved just
//! now can still be reached, and whether the address is still its own, the certificate tells.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::Engine;
use crate::RecordType;
use crate::cache::Found;
use crate::error::{Cause, ErrorKind};
use crate::logging::UPSTREAM;
use crate::message::{Answer, Query, local_answer};

/// Addresses of one family that are taken into account. Each may cost a connection before the race is lost.
const MAX_ADDRESSES: usize = 16;

/// What is known, and being asked, of an upstream's addresses.
#[derive(Debug, Default)]
pub(super) struct Bootstrap {
    addresses: Vec<SocketAddr>,
    /// When the addresses' TTL ends.
    until: Option<Instant>,
    /// Questions on their way.
    pending: u8,
    /// Whether those have brought nothing yet, so that `addresses` are from before.
    is_old: bool,
    /// Why one of them brought nothing.
    problem: Option<String>,
}

impl Bootstrap {
    pub(super) fn is_pending(&self) -> bool {
        self.pending > 0
    }

    /// The addresses are past their time.
    pub(super) fn expire(&mut self) {
        self.until = None;
    }
}

impl Engine {
    /// Gives a dial the addresses of an upstream that is known by name.
    pub(super) fn dial_by_name(&mut self, now: Instant, upstream: usize, dial: usize) {
        let known = &self.pools[upstream].bootstrap;
        let addresses = known.addresses.clone();
        if known.until.is_some_and(|until| now < until) {
            return self.join_race(now, dial, &addresses);
        }
        let is_asked = known.is_pending();
        self.join_race_later(now, dial, addresses);
        if !is_asked {
            self.begin_bootstrap(now, upstream);
        }
    }

    fn begin_bootstrap(&mut self, now: Instant, upstream: usize) {
        let configured = &self.shared.config.upstreams[upstream];
        let (name, upstream_set) =
            (configured.upstream.server_name().to_str().into_owned(), configured.bootstrap);
        let deadline = now + self.shared.config.settings.timeout;
        let known = &mut self.pools[upstream].bootstrap;
        (known.pending, known.is_old, known.problem) = (2, true, None);
        for record_type in [RecordType::AAAA, RecordType::A] {
            let query = match Query::new(&name, record_type) {
                Ok(query) => query,
                Err(error) => {
                    self.bootstrap_failed(now, upstream, error.kind());
                    continue;
                }
            };
            let query_key = self.shared.cache.query_key(&query, upstream_set);
            if let Some(answer) = local_answer(&query) {
                self.bootstrap_answered(now, upstream, &answer);
            } else if let Found::Fresh(answer) | Found::Refresh(answer) =
                self.shared.cache.lookup(now, &query, query_key)
            {
                self.bootstrap_answered(now, upstream, &answer);
            } else {
                match self.flight_at(now, Arc::new(query), query_key, deadline) {
                    Ok(flight) => {
                        self.flights[flight].bootstraps.push(upstream);
                        self.begin_or_wait(now, flight);
                    }
                    Err(error) => self.bootstrap_failed(now, upstream, error.kind()),
                }
            }
        }
    }

    /// The addresses of one family came, or that there are none.
    pub(super) fn bootstrap_answered(&mut self, now: Instant, upstream: usize, answer: &Answer) {
        let port = self.shared.config.upstreams[upstream].upstream.port();
        let addresses = answer.addresses().take(MAX_ADDRESSES);
        let new = addresses.map(|address| SocketAddr::new(address, port)).collect::<Vec<_>>();
        if new.is_empty() {
            let problem = &mut self.pools[upstream].bootstrap.problem;
            problem.get_or_insert_with(|| "its name has no address".into());
        } else {
            let ttl = Duration::from_secs(u64::from(answer.ttl().unwrap_or_default()));
            self.learn_addresses(now, upstream, &new, ttl);
        }
        self.bootstrap_step(now, upstream);
    }

    /// New addresses replace the old ones, and join the dials that wait for them.
    fn learn_addresses(&mut self, now: Instant, upstream: usize, new: &[SocketAddr], ttl: Duration) {
        let Self { pools, dials, .. } = self;
        let pool = &mut pools[upstream];
        debug!(target: UPSTREAM, upstream = %pool.label, addresses = new.len(), "bootstrapped");
        if std::mem::take(&mut pool.bootstrap.is_old) {
            pool.bootstrap.addresses.clear();
            pool.bootstrap.until = None;
            pool.dials.iter().for_each(|dial| dials[*dial].forget_addresses());
        }
        let until = pool.bootstrap.until.unwrap_or(now + ttl).min(now + ttl);
        pool.bootstrap.until = Some(until);
        pool.bootstrap.addresses.extend(new);
        for dial in pool.dials.clone() {
            self.join_race(now, dial, new);
        }
    }

    pub(super) fn bootstrap_failed(&mut self, now: Instant, upstream: usize, why: &ErrorKind) {
        self.pools[upstream].bootstrap.problem.get_or_insert_with(|| why.to_string());
        self.bootstrap_step(now, upstream);
    }

    /// One of the questions is over. With the last, dials that still wait have to do with what was known before.
    fn bootstrap_step(&mut self, now: Instant, upstream: usize) {
        let known = &mut self.pools[upstream].bootstrap;
        known.pending = known.pending.saturating_sub(1);
        if known.is_pending() {
            return;
        }
        let cause = Cause::Bootstrap(known.problem.take().unwrap_or_default());
        for dial in self.pools[upstream].dials.clone() {
            self.no_more_addresses(now, dial, &cause);
        }
    }
}
