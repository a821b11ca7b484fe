//! One question on its way, for everybody who asked it: equal lookups share one flight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smallvec::SmallVec;
use tracing::debug;

use super::Engine;
use super::timers::Timer;
use super::waiters::Waiters;
use crate::cache::{QueryKey, UpstreamSet};
use crate::connection::Key;
use crate::error::{Cause, Error, ErrorKind, FailedAttempt, Limit, Stage};
use crate::logging::LOOKUP;
use crate::message::{Answer, Message, Origin, Query, Transport};
use crate::schedule::Plan;

/// A caller is given a stale answer, if there is one, when no fresh one came for this long (RFC 8767 Section 5).
pub(super) const STALE_AFTER: Duration = Duration::from_millis(1800);

/// A question and the attempts to have it answered.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) query_key: QueryKey,
    pub(super) query: Arc<Query>,
    pub(super) started: Instant,
    /// The callers who wait for it, by when they stop waiting.
    pub(super) waiters: Waiters,
    /// The upstreams whose address it asks for.
    pub(super) bootstraps: Vec<usize>,
    /// The upstream that it is to see whether it answers.
    pub(super) probes: Option<usize>,
    /// Whether it goes on when nobody waits for it: it renews what the cache has.
    pub(super) is_refresh: bool,
    /// When the last of those who wait stops waiting.
    pub(super) until: Instant,
    /// What to hand out if nothing newer can be had in time (RFC 8767).
    pub(super) stale: Option<Answer>,
    pub(super) plan: Plan,
    /// When the next attempt begins, where none is on its way that is not overdue.
    pub(super) pause: Option<Instant>,
    /// When a second query goes out beside the first.
    pub(super) hedge: Option<Instant>,
    /// Attempts that are not over.
    pub(super) live: SmallVec<[Key; 2]>,
    pub(super) history: Vec<FailedAttempt>,
}

impl Flight {
    pub(super) fn is_wanted(&self) -> bool {
        self.is_refresh || self.probes.is_some() || !self.waiters.is_empty() || !self.bootstraps.is_empty()
    }
}

impl Engine {
    /// Renews what the cache has, for nobody in particular.
    pub(super) fn begin_refresh(&mut self, now: Instant, query: Arc<Query>) {
        let deadline = self.shared.deadline(now, &query);
        if self.closed || self.flights.len() >= self.shared.config.settings.max_lookups {
            return;
        }
        if let Ok(query_key) = self.shared.query_key_of(&query)
            && let Ok(flight) = self.flight_at(now, query, query_key, deadline)
        {
            self.flights[flight].is_refresh = true;
            self.begin_or_wait(now, flight);
        }
    }

    /// The flight of a query: the one that is on its way, or a new one.
    pub(super) fn flight_at(
        &mut self,
        now: Instant,
        query: Arc<Query>,
        query_key: QueryKey,
        deadline: Instant,
    ) -> Result<usize, Error> {
        if let Some(flight) = self.flight_by_key.get(&query_key.key).copied() {
            let state = &mut self.flights[flight];
            state.until = state.until.max(deadline);
            if self.is_spent(flight) {
                let attempts = self.attempts_of_a_lookup();
                self.flights[flight].plan.renew(attempts);
            }
            return Ok(flight);
        }
        self.failures.forget_before(self.shared.cache.clears());
        let mut plan = self.plan(now, &query, query_key.upstream_set);
        let is_full = |upstream: usize| {
            let pool = &self.pools[upstream];
            pool.waiting.len() + pool.quarantined.len() >= self.shared.config.settings.max_waiting
        };
        if plan.first().is_some_and(is_full) {
            return Err(ErrorKind::Overloaded(Limit::Waiting).into());
        }
        let history = self.recall_failures(now, &query, &mut plan);
        let flight = self.flights.insert(Flight {
            query_key,
            query,
            started: now,
            waiters: Waiters::None,
            bootstraps: Vec::new(),
            probes: None,
            is_refresh: false,
            until: deadline,
            stale: None,
            plan,
            pause: None,
            hedge: None,
            live: SmallVec::new(),
            history,
        });
        self.flight_by_key.insert(query_key.key, flight);
        if !self.flights[flight].history.is_empty() {
            self.exclude_unhealthy(flight);
        }
        Ok(flight)
    }

    /// After somebody joined a flight: it begins, or begins anew, or has one more to keep an eye on.
    pub(super) fn begin_or_wait(&mut self, now: Instant, flight: usize) {
        if self.is_spent(flight) {
            self.advance(now, flight);
        } else {
            self.set_flight_timer(flight);
        }
    }

    /// The time of a flight has come: callers whose deadline it is leave, and the next attempt begins.
    pub(super) fn flight_timeout(&mut self, now: Instant, flight: usize) {
        self.expire_waiters(now, flight);
        let state = &self.flights[flight];
        if state.stale.is_some() && state.started + STALE_AFTER <= now {
            self.hand_out_stale(now, flight);
        }
        let state = &self.flights[flight];
        if !state.is_wanted() || state.until <= now {
            self.end_flight(now, flight);
        } else {
            self.attempts_timeout(now, flight);
        }
    }

    /// The answer came: it is kept, and everybody gets it.
    pub(super) fn flight_answered(
        &mut self,
        now: Instant,
        flight: usize,
        upstream: usize,
        message: &Message,
        age: u32,
        transport: Transport,
    ) {
        let state = &mut self.flights[flight];
        if !self.failures.is_empty() {
            self.failures.resolved(self.shared.cache.key(&state.query, UpstreamSet::one(upstream)));
        }
        let elapsed = now.saturating_duration_since(state.started);
        let made = state.history.iter().filter(|attempt| attempt.stage != Stage::Remembered).count();
        let attempts = u8::try_from(made + state.live.len() + 1).unwrap_or(u8::MAX);
        let label = self.pools[upstream].label.clone();
        debug!(
            target: LOOKUP,
            name = %state.query.name(),
            record_type = %state.query.record_type(),
            upstream = %label,
            rcode = %message.rcode(),
            ?elapsed,
            "answered"
        );
        let origin = Origin::new(label, transport, attempts, elapsed);
        self.shared.cache.insert(now, &state.query, state.query_key, message, age, &origin);
        let age = age.saturating_add(self.shared.cache.cut(message));
        let answer = Answer::new(message.clone(), age, origin);
        self.recent.note(state.query_key.key);
        let waiters = std::mem::take(&mut state.waiters);
        let bootstraps = std::mem::take(&mut state.bootstraps);
        self.answer_lookups(waiters, &answer);
        self.end_flight(now, flight);
        for upstream in bootstraps {
            self.bootstrap_answered(now, upstream, &answer);
        }
    }

    /// No attempt is left, and none brought an answer.
    pub(super) fn flight_failed(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        let kind = deciding_cause(&state.history).map_or(ErrorKind::Deadline, ErrorKind::Upstream);
        let history = std::mem::take(&mut state.history);
        self.shared.cache.failed(now, state.query_key.key);
        for (_, id) in std::mem::take(&mut state.waiters) {
            self.fail_lookup(now, id, &kind, &history);
        }
        let bootstraps = std::mem::take(&mut self.flights[flight].bootstraps);
        self.end_flight(now, flight);
        for upstream in bootstraps {
            self.bootstrap_failed(now, upstream, &kind);
        }
    }

    /// Everything about a flight is forgotten; what is still on its way for it is cancelled.
    pub(super) fn end_flight(&mut self, now: Instant, flight: usize) {
        let state = self.flights.remove(flight);
        self.timers.set(Timer::Flight(flight), None);
        self.flight_by_key.remove(&state.query_key.key);
        for key in state.live {
            // However short a time it was waited for, its connection may have been silent for long.
            self.check_liveness(now, key);
            self.cancel_attempt(now, key);
        }
        for upstream in state.bootstraps {
            self.bootstrap_failed(now, upstream, &ErrorKind::Deadline);
        }
        if let Some(upstream) = state.probes {
            self.probe_over(now, upstream);
        }
    }

    pub(super) fn close_flights(&mut self, now: Instant) {
        self.close_lookups();
        for flight in self.flights.iter().map(|(flight, _)| flight).collect::<Vec<_>>() {
            self.flights[flight].bootstraps.clear();
            self.end_flight(now, flight);
        }
    }
}

/// The failure that a caller is told when all attempts failed: what will not pass by itself, before what may.
fn deciding_cause(history: &[FailedAttempt]) -> Option<Cause> {
    let weight = |cause: &Cause| match cause {
        Cause::Certificate(_) | Cause::ClientCertificate(_) => 3,
        Cause::Rcode(_) => 2,
        Cause::Timeout => 0,
        _ => 1,
    };
    history.iter().map(|attempt| &attempt.cause).max_by_key(|cause| weight(cause)).cloned()
}
