//! One question on its way, for everybody who asked it: equal lookups share one flight.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::Engine;
use super::io::{LookupId, Output};
use super::timers::Timer;
use crate::cache::{CacheKey, Group};
use crate::connection::Key;
use crate::error::{Attempt, Cause, Error, ErrorKind, Limit};
use crate::message::{Answer, CacheUse, Message, Origin, Query, Spoken};
use crate::schedule::{Next, Plan, Standing};
use crate::shared::Known;

/// A caller is given a stale answer, if there is one, when no fresh one came for this long (RFC 8767 Section 5).
const STALE_AFTER: Duration = Duration::from_millis(1800);

/// A caller that waits.
#[derive(Debug)]
pub(super) struct Lookup {
    flight: usize,
    started: Instant,
    deadline: Instant,
    accepts_stale: bool,
}

/// A question and the attempts to have it answered.
#[derive(Debug)]
pub(super) struct Flight {
    key: CacheKey,
    group: Group,
    pub(super) query: Arc<Query>,
    pub(super) started: Instant,
    /// Those who ask, by when they stop waiting.
    waiters: BTreeSet<(Instant, LookupId)>,
    /// When the last of the waiters stops waiting, and the flight is given up.
    until: Instant,
    /// Whether it goes on when nobody waits for it: it renews what the cache has.
    is_refresh: bool,
    /// What to hand out if nothing newer can be had in time (RFC 8767).
    stale: Option<Answer>,
    pub(super) plan: Plan,
    /// The attempt that is being waited for alone, until `wake`.
    pub(super) active: Option<Key>,
    /// When `active` is no longer waited for alone; with no active attempt, when the next one begins.
    pub(super) wake: Option<Instant>,
    /// Attempts that are not over, `active` among them.
    pub(super) live: Vec<Key>,
    pub(super) history: Vec<Attempt>,
    alarm: Option<Instant>,
}

impl Flight {
    /// Whether nothing is being waited for: neither an attempt nor the time of the next.
    fn is_spent(&self) -> bool {
        self.active.is_none() && self.wake.is_none()
    }
}

impl Engine {
    pub(super) fn begin_lookup(&mut self, now: Instant, id: LookupId, query: Arc<Query>, deadline: Instant) {
        if self.closed {
            return self.done(id, Err(ErrorKind::Closed.into()));
        }
        // The answer may have come between the caller's own look into the cache and now.
        let stale = match self.shared.known(now, &query) {
            Err(error) => return self.done(id, Err(error)),
            Ok(Known::Answer(answer) | Known::Refresh(answer)) => return self.done(id, Ok(answer)),
            Ok(Known::Stale(answer)) => Some(answer),
            Ok(Known::Nothing) => None,
        };
        // A refresh is a flight without a lookup.
        if self.lookups.len().max(self.flights.len()) >= self.shared.config.max_lookups {
            return self.done(id, Err(ErrorKind::Overloaded(Limit::Lookups).into()));
        }
        self.shared.cache.count_miss();
        let accepts_stale = query.cache_use() == CacheUse::Normal;
        let flight = match self.join_or_begin(now, query, deadline) {
            Ok(flight) => flight,
            Err(error) => return self.done(id, Err(error)),
        };
        let state = &mut self.flights[flight];
        state.stale = state.stale.take().or(stale);
        state.waiters.insert((deadline, id));
        self.lookups.insert(id, Lookup { flight, started: now, deadline, accepts_stale });
        self.begin_or_wait(now, flight);
    }

    /// Renews what the cache has, for nobody in particular.
    pub(super) fn begin_refresh(&mut self, now: Instant, query: Arc<Query>) {
        let deadline = self.shared.deadline(now, &query);
        if self.closed || self.flights.len() >= self.shared.config.max_lookups {
            return;
        }
        if let Ok(flight) = self.join_or_begin(now, query, deadline) {
            self.flights[flight].is_refresh = true;
            self.begin_or_wait(now, flight);
        }
    }

    fn join_or_begin(&mut self, now: Instant, query: Arc<Query>, deadline: Instant) -> Result<usize, Error> {
        let group = self.shared.config.group(&query)?;
        let key = self.shared.cache.key(&query, group);
        if let Some(flight) = self.flight_by_key.get(&key).copied() {
            let state = &mut self.flights[flight];
            state.until = state.until.max(deadline);
            if state.is_spent() {
                state.plan.renew(self.shared.config.attempts);
                self.advance(now, flight);
            }
            return Ok(flight);
        }
        let order = self.plan_order(now, group);
        let flight = self.flights.insert(Flight {
            key,
            group,
            query,
            started: now,
            waiters: BTreeSet::new(),
            until: deadline,
            is_refresh: false,
            stale: None,
            plan: Plan::new(order, self.shared.config.attempts),
            active: None,
            wake: None,
            live: Vec::new(),
            history: Vec::new(),
            alarm: None,
        });
        self.flight_by_key.insert(key, flight);
        Ok(flight)
    }

    /// The upstreams of a group in the order to try them: sick ones last, the one that failed longest ago
    /// first among them. Those whose pause is over are dialled, for later lookups.
    fn plan_order(&mut self, now: Instant, group: Group) -> Vec<usize> {
        let (mut well, mut sick) = (Vec::new(), Vec::new());
        for upstream in self.shared.config.order(group) {
            match self.pools[upstream].health.standing(now) {
                Standing::Healthy => well.push(upstream),
                Standing::Probe | Standing::Sick => sick.push(upstream),
            }
        }
        sick.sort_by_key(|upstream| self.pools[*upstream].health.failed_at());
        if !well.is_empty() {
            for upstream in sick.iter().copied() {
                if self.pools[upstream].health.standing(now) == Standing::Probe {
                    self.probe(now, upstream);
                }
            }
        }
        well.extend(sick);
        well
    }

    fn begin_or_wait(&mut self, now: Instant, flight: usize) {
        if self.flights[flight].is_spent() {
            self.advance(now, flight);
        } else {
            self.set_flight_alarm(flight);
        }
    }

    /// Begins the next attempt of a flight, or waits for its time, or ends the flight when none is left.
    pub(super) fn advance(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        match state.plan.next(now) {
            Next::Start(upstream) => {
                state.plan.started(upstream);
                let key = self.start_exchange(now, flight, upstream);
                let state = &mut self.flights[flight];
                state.live.push(key);
                state.active = Some(key);
                let alone = self.attempt_timeout(now, flight, upstream);
                self.flights[flight].wake = Some(now + alone);
            }
            Next::At(time) if time < state.until => state.wake = Some(time),
            Next::At(_) | Next::Exhausted if !state.live.is_empty() => state.wake = None,
            Next::At(_) | Next::Exhausted => return self.flight_failed(now, flight),
        }
        self.set_flight_alarm(flight);
    }

    /// An attempt leaves half of what time remains to the others, where there are others.
    fn attempt_timeout(&self, now: Instant, flight: usize, upstream: usize) -> Duration {
        let state = &self.flights[flight];
        let timeout =
            self.shared.config.attempt_timeout.unwrap_or_else(|| self.pools[upstream].rtt.attempt_timeout());
        if state.plan.has_untried() {
            timeout.min(state.until.saturating_duration_since(now) / 2)
        } else {
            timeout
        }
    }

    /// The time of a flight has come: callers whose deadline it is leave, and the next attempt begins.
    pub(super) fn flight_timeout(&mut self, now: Instant, flight: usize) {
        self.expire_waiters(now, flight);
        let state = &mut self.flights[flight];
        if state.stale.is_some() && state.started + STALE_AFTER <= now {
            self.hand_out_stale(now, flight);
        }
        let state = &mut self.flights[flight];
        if state.waiters.is_empty() && (!state.is_refresh || state.until <= now) {
            for key in state.live.clone() {
                self.note_silence(now, key);
            }
            return self.end_flight(now, flight);
        }
        if state.wake.is_some_and(|wake| wake <= now) {
            state.wake = None;
            if let Some(active) = state.active.take() {
                self.note_silence(now, active);
            }
            return self.advance(now, flight);
        }
        self.set_flight_alarm(flight);
    }

    fn expire_waiters(&mut self, now: Instant, flight: usize) {
        let Self { flights, lookups, .. } = self;
        let state = &mut flights[flight];
        let mut expired = Vec::new();
        while let Some((deadline, id)) = state.waiters.first().copied()
            && deadline <= now
        {
            state.waiters.pop_first();
            expired.push(id);
        }
        if expired.is_empty() {
            return;
        }
        if state.stale.is_some() && expired.iter().any(|id| lookups.get(id).is_some_and(|l| l.accepts_stale))
        {
            // They leave with the stale answer; asking goes on, as it would have for callers with more time.
            state.is_refresh = true;
            state.until = state.until.max(state.started + self.shared.config.timeout);
        }
        let attempts = self.attempts_so_far(now, flight);
        for id in expired {
            self.fail_lookup(now, id, &ErrorKind::Deadline, &attempts, flight);
        }
    }

    /// Gives the stale answer to everybody who takes one, and goes on for the sake of the cache.
    fn hand_out_stale(&mut self, now: Instant, flight: usize) {
        let Self { flights, lookups, .. } = self;
        let state = &mut flights[flight];
        let Some(stale) = state.stale.take() else { return };
        let takes = |(_, id): &(Instant, LookupId)| lookups.get(id).is_none_or(|lookup| lookup.accepts_stale);
        let takers: BTreeSet<_>;
        (takers, state.waiters) = std::mem::take(&mut state.waiters).into_iter().partition(takes);
        state.is_refresh = true;
        self.shared.cache.failed(now, &self.flights[flight].query, self.flights[flight].group);
        for (_, id) in takers {
            self.lookups.remove(&id);
            self.shared.cache.count_stale();
            self.done(id, Ok(stale.clone()));
        }
    }

    /// A caller no longer wants its answer.
    pub(super) fn cancel_lookup(&mut self, now: Instant, id: LookupId) {
        let Some(lookup) = self.lookups.remove(&id) else { return };
        let state = &mut self.flights[lookup.flight];
        state.waiters.remove(&(lookup.deadline, id));
        if state.waiters.is_empty() && !state.is_refresh {
            self.end_flight(now, lookup.flight);
        } else {
            self.set_flight_alarm(lookup.flight);
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
        spoken: Spoken,
    ) {
        let state = &mut self.flights[flight];
        let elapsed = now.saturating_duration_since(state.started);
        let attempts = u8::try_from(state.history.len() + state.live.len() + 1).unwrap_or(u8::MAX);
        let label = self.pools[upstream].label.clone();
        debug!(upstream = %label, ?elapsed, rcode = %message.rcode(), "answered");
        let origin = Origin { upstream: label, spoken, attempts, elapsed, is_cached: false, is_stale: false };
        self.shared.cache.insert(now, &state.query, state.group, message, age, &origin);
        let answer = Answer::new(message.clone(), age, origin);
        for (_, id) in std::mem::take(&mut state.waiters) {
            self.lookups.remove(&id);
            self.done(id, Ok(answer.clone()));
        }
        self.end_flight(now, flight);
    }

    /// No attempt is left, and none brought an answer.
    fn flight_failed(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        let kind = deciding_cause(&state.history).map_or(ErrorKind::Deadline, ErrorKind::Upstream);
        let history = std::mem::take(&mut state.history);
        self.shared.cache.failed(now, &state.query, state.group);
        for (_, id) in std::mem::take(&mut state.waiters) {
            self.fail_lookup(now, id, &kind, &history, flight);
        }
        self.end_flight(now, flight);
    }

    /// Ends a lookup without an answer of its own; a stale one will do, if there is one.
    fn fail_lookup(
        &mut self,
        now: Instant,
        id: LookupId,
        kind: &ErrorKind,
        attempts: &[Attempt],
        flight: usize,
    ) {
        let Some(lookup) = self.lookups.remove(&id) else { return };
        let result = match &self.flights[flight].stale {
            Some(stale) if lookup.accepts_stale => {
                self.shared.cache.count_stale();
                Ok(stale.clone())
            }
            _ => {
                let elapsed = now.saturating_duration_since(lookup.started);
                Err(Error::from_attempts(kind.clone(), attempts.to_vec(), elapsed))
            }
        };
        self.done(id, result);
    }

    /// Everything about a flight is forgotten; what is still on its way for it is cancelled.
    fn end_flight(&mut self, now: Instant, flight: usize) {
        let mut state = self.flights.remove(flight);
        self.timers.set(Timer::Flight(flight), &mut state.alarm, None);
        self.flight_by_key.remove(&state.key);
        for key in state.live {
            self.cancel_exchange(now, key);
        }
    }

    /// Ends every lookup, and everything that goes on for nobody.
    pub(super) fn close_flights(&mut self, now: Instant) {
        while let Some((id, _)) = self.lookups.pop_first() {
            self.done(id, Err(ErrorKind::Closed.into()));
        }
        for flight in self.flights.iter().map(|(flight, _)| flight).collect::<Vec<_>>() {
            self.end_flight(now, flight);
        }
    }

    fn set_flight_alarm(&mut self, flight: usize) {
        let Self { flights, timers, .. } = self;
        let state = &mut flights[flight];
        let deadline = state.waiters.first().map(|(deadline, _)| *deadline);
        let stale_at = state.stale.as_ref().map(|_| state.started + STALE_AFTER);
        let at = [deadline.or(Some(state.until)), state.wake, stale_at].into_iter().flatten().min();
        timers.set(Timer::Flight(flight), &mut state.alarm, at);
    }

    fn attempts_so_far(&self, now: Instant, flight: usize) -> Vec<Attempt> {
        let state = &self.flights[flight];
        let live = state.live.iter().filter_map(|key| self.attempt_record(now, *key, Cause::Timeout));
        state.history.iter().cloned().chain(live).collect()
    }

    fn done(&mut self, id: LookupId, result: Result<Answer, Error>) {
        self.outputs.push_back(Output::Done { id, result });
    }
}

/// The failure that a caller is told when all attempts failed: what will not pass by itself, before what may.
fn deciding_cause(history: &[Attempt]) -> Option<Cause> {
    let weight = |cause: &Cause| match cause {
        Cause::Certificate(_) | Cause::ClientCertificate(_) => 3,
        Cause::Rcode(_) => 2,
        Cause::Timeout => 0,
        _ => 1,
    };
    history.iter().map(|attempt| &attempt.cause).max_by_key(|cause| weight(cause)).cloned()
}
