//! One attempt at one upstream: from waiting for a connection to its answer or failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;
use tracing::debug;

use super::Engine;
use super::io::ConnectionId;
use crate::cache::UpstreamSet;
use crate::connection::Key;
use crate::error::{Cause, FailedAttempt, HttpProblem, Rcode, Stage};
use crate::logging::LOOKUP;
use crate::message::{Message, Outcome};

/// An attempt that is not over.
#[derive(Debug)]
pub(super) struct Attempt {
    generation: u32,
    pub(super) flight: usize,
    pub(super) upstream: usize,
    /// The connection it was submitted to; none while it waits for one.
    pub(super) connection: Option<ConnectionId>,
    pub(super) started: Instant,
    /// When it was submitted to its connection.
    pub(super) submitted: Instant,
    /// Until when it is waited for before another begins beside it; none when that time has passed.
    pub(super) overdue_at: Option<Instant>,
}

/// The attempts that are not over. A [`Key`] holds its place and the generation of what is in it, so that a
/// key kept too long finds nothing instead of somebody else's attempt.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    slab: Slab<Attempt>,
    generation: u32,
}

impl Attempts {
    fn insert(&mut self, flight: usize, upstream: usize, now: Instant, overdue_at: Instant) -> Key {
        self.generation = self.generation.wrapping_add(1);
        let index = self.slab.insert(Attempt {
            generation: self.generation,
            flight,
            upstream,
            connection: None,
            started: now,
            submitted: now,
            overdue_at: Some(overdue_at),
        });
        key(self.generation, index)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Attempt> {
        self.slab.get(index(key)).filter(|attempt| attempt.generation == generation(key))
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Attempt> {
        self.slab.get_mut(index(key)).filter(|attempt| attempt.generation == generation(key))
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Attempt> {
        self.get(key)?;
        Some(self.slab.remove(index(key)))
    }
}

fn key(generation: u32, query_key: usize) -> Key {
    Key(u64::from(generation) << 32 | query_key as u64)
}

fn index(key: Key) -> usize {
    (key.0 & 0xffff_ffff) as usize
}

fn generation(key: Key) -> u32 {
    (key.0 >> 32) as u32
}

impl Engine {
    /// Begins an attempt of `flight` at `upstream`.
    pub(super) fn begin_attempt(
        &mut self,
        now: Instant,
        flight: usize,
        upstream: usize,
        overdue_at: Instant,
    ) -> Key {
        let key = self.attempts.insert(flight, upstream, now, overdue_at);
        self.shared.counters.upstream(upstream).queries.add(1);
        let query = &self.flights[flight].query;
        debug!(
            target: LOOKUP,
            name = %query.name(),
            record_type = %query.record_type(),
            upstream = %self.pools[upstream].label,
            "attempt"
        );
        let is_quarantined = self.flights[flight].plan.is_quarantined(upstream);
        if is_quarantined || !self.submit_at_once(now, upstream, key) {
            self.enqueue(key);
        }
        key
    }

    /// Ends an attempt that nobody needs any more.
    pub(super) fn cancel_attempt(&mut self, now: Instant, key: Key) {
        let Some(attempt) = self.forget_attempt(key) else { return };
        if let Some(id) = attempt.connection {
            self.cancel_on_connection(now, id, key);
        }
    }

    /// An attempt's answer came.
    pub(super) fn attempt_answered(
        &mut self,
        now: Instant,
        id: ConnectionId,
        key: Key,
        bytes: Arc<[u8]>,
        age: u32,
    ) {
        let Some(attempt) = self.attempts.get(key) else { return };
        let (flight, upstream) = (attempt.flight, attempt.upstream);
        let round_trip = now.saturating_duration_since(attempt.submitted);
        self.upstream_answered(upstream, round_trip);
        // Long past everybody's deadline only a driver reads that was idle meanwhile, as where there is no runtime:
        // the answer may have lain there since it was asked for.
        let is_late = now.saturating_duration_since(self.flights[flight].until).as_secs() > 0;
        let unread = if is_late { u32::try_from(round_trip.as_secs()).unwrap_or(u32::MAX) } else { 0 };
        let age = age.saturating_add(unread);
        let query = &self.flights[flight].query;
        let cause = match Message::parse(bytes, query) {
            Err(problem) => Cause::Malformed(problem),
            Ok(message) if message.outcome() == Outcome::Failure => {
                let rcode = Rcode { code: message.rcode(), extended: message.extended_errors() };
                let query_key = self.shared.cache.key(query, UpstreamSet::one(upstream));
                self.failures.remember(now, query_key, rcode.clone());
                Cause::Rcode(rcode)
            }
            Ok(message) => {
                let transport = self.transport(id);
                self.forget_attempt(key);
                self.flights[flight].live.retain(|live| *live != key);
                self.flight_answered(now, flight, upstream, &message, age, transport);
                return;
            }
        };
        self.attempt_failed(now, key, &cause);
    }

    /// An attempt is over without an answer that ends the lookup.
    pub(super) fn attempt_failed(&mut self, now: Instant, key: Key, cause: &Cause) {
        let Some(failed) = self.attempt_record(now, key, cause.clone()) else { return };
        let Some(attempt) = self.forget_attempt(key) else { return };
        let Attempt { flight, upstream, connection, .. } = attempt;
        self.shared.counters.upstream(upstream).failures.add(1);
        let query = &self.flights[flight].query;
        debug!(
            target: LOOKUP,
            name = %query.name(),
            record_type = %query.record_type(),
            upstream = %self.pools[upstream].label,
            stage = %failed.stage,
            %cause,
            "attempt failed"
        );

        let verdict = match verdict(cause) {
            Verdict::Passing if connection.is_none() => Verdict::NotSent,
            verdict => verdict,
        };
        if let Verdict::Wait(wait) = verdict {
            self.back_off(now, upstream, wait);
        }
        let state = &mut self.flights[flight];
        match verdict {
            Verdict::Final => state.plan.rule_out(upstream),
            Verdict::Passing => state.plan.failed(upstream, now, None, &mut self.random),
            Verdict::NotSent => state.plan.not_sent(upstream, now, &mut self.random),
            Verdict::Wait(wait) => state.plan.failed(upstream, now, Some(wait), &mut self.random),
        }
        state.live.retain(|live| *live != key);
        state.history.push(failed);
        if matches!(cause, Cause::Rcode(_)) {
            self.exclude_unhealthy(flight);
        }
        self.advance(now, flight);
    }

    /// Sends an attempt's query again, as if it had not been sent.
    pub(super) fn requeue(&mut self, now: Instant, key: Key) {
        let Some(attempt) = self.attempts.get(key) else { return };
        let (flight, upstream) = (attempt.flight, attempt.upstream);
        let overdue_at = now + self.attempt_timeout(now, flight, upstream);
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        attempt.connection = None;
        if let Some(time) = &mut attempt.overdue_at {
            *time = overdue_at;
        }
        self.enqueue(key);
        self.set_flight_timer(flight);
    }

    /// What is told of an attempt that is over, or that is being given up.
    pub(super) fn attempt_record(&self, now: Instant, key: Key, cause: Cause) -> Option<FailedAttempt> {
        let attempt = self.attempts.get(key)?;
        let pool = &self.pools[attempt.upstream];
        let (address, stage) = match attempt.connection.and_then(|id| self.connections.get(&id)) {
            Some(connection) => (Some(connection.address), Stage::Query),
            None => self.dial_progress(attempt.upstream),
        };
        let lookup_started = self.flights[attempt.flight].started;
        Some(FailedAttempt {
            upstream: pool.label.clone(),
            address,
            stage,
            started: attempt.started.saturating_duration_since(lookup_started),
            took: now.saturating_duration_since(attempt.started),
            cause,
        })
    }
}

/// What a failed attempt means for further attempts of the same lookup at the same upstream.
enum Verdict {
    /// Asking again will not change it.
    Final,
    /// It may pass.
    Passing,
    /// It may pass, and the server has not seen the query.
    NotSent,
    /// It may pass after the time the server asked for.
    Wait(Duration),
}

fn verdict(cause: &Cause) -> Verdict {
    match cause {
        Cause::Certificate(_) | Cause::ClientCertificate(_) | Cause::Rcode(_) | Cause::Malformed(_) => {
            Verdict::Final
        }
        Cause::Http(HttpProblem::Status { retry_after: Some(wait), .. }) => Verdict::Wait(*wait),
        Cause::Http(HttpProblem::Status { code, .. }) if !crate::doh::is_final_status(*code) => {
            Verdict::Passing
        }
        Cause::Http(HttpProblem::StreamReset(_) | HttpProblem::NotProcessed) => Verdict::Passing,
        Cause::Http(_) => Verdict::Final,
        _ => Verdict::Passing,
    }
}
