//! One question on its way, for everybody who asked it: equal lookups share one flight.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::Engine;
use super::io::LookupId;
use super::timers::Timer;
use crate::cache::{CacheKey, Group};
use crate::connection::Key;
use crate::error::{Attempt, Cause, Error, ErrorKind, Limit, Stage};
use crate::message::{Answer, CacheUse, Message, Origin, Query, Spoken};
use crate::schedule::{Next, Plan, Standing};

/// A caller is given a stale answer, if there is one, when no fresh one came for this long (RFC 8767 Section 5).
const STALE_AFTER: Duration = Duration::from_millis(1800);

/// A question and the attempts to have it answered.
#[derive(Debug)]
pub(super) struct Flight {
    key: CacheKey,
    pub(super) group: Group,
    pub(super) query: Arc<Query>,
    pub(super) started: Instant,
    /// The callers who wait for it, by when they stop waiting.
    pub(super) waiters: BTreeSet<(Instant, LookupId)>,
    /// The upstreams whose address it asks for.
    pub(super) bootstraps: Vec<usize>,
    /// Whether it goes on when nobody waits for it: it renews what the cache has.
    pub(super) is_refresh: bool,
    /// When the last of those who wait stops waiting.
    pub(super) until: Instant,
    /// What to hand out if nothing newer can be had in time (RFC 8767).
    pub(super) stale: Option<Answer>,
    pub(super) plan: Plan,
    /// The attempt that is being waited for alone, until `wake`.
    pub(super) active: Option<Key>,
    /// When `active` is no longer waited for alone; with no active attempt, when the next one begins.
    pub(super) wake: Option<Instant>,
    /// When `active` gets a second query beside it.
    hedge: Option<Instant>,
    /// Attempts that are not over, `active` among them.
    pub(super) live: Vec<Key>,
    pub(super) history: Vec<Attempt>,
    alarm: Option<Instant>,
}

impl Flight {
    /// Whether nothing is being waited for: neither an attempt nor the time of the next.
    pub(super) fn is_spent(&self) -> bool {
        self.active.is_none() && self.wake.is_none()
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_refresh || !self.waiters.is_empty() || !self.bootstraps.is_empty()
    }
}

impl Engine {
    /// Renews what the cache has, for nobody in particular.
    pub(super) fn begin_refresh(&mut self, now: Instant, query: Arc<Query>) {
        let deadline = self.shared.deadline(now, &query);
        if self.closed || self.flights.len() >= self.shared.config.settings.max_lookups {
            return;
        }
        if let Ok(flight) = self.flight_for(now, query, deadline) {
            self.flights[flight].is_refresh = true;
            self.begin_or_wait(now, flight);
        }
    }

    /// The flight of a query: the one that is on its way, or a new one.
    pub(super) fn flight_for(
        &mut self,
        now: Instant,
        query: Arc<Query>,
        deadline: Instant,
    ) -> Result<usize, Error> {
        let group = self.shared.config.group(&query)?;
        self.flight_in_group(now, query, group, deadline)
    }

    pub(super) fn flight_in_group(
        &mut self,
        now: Instant,
        query: Arc<Query>,
        group: Group,
        deadline: Instant,
    ) -> Result<usize, Error> {
        let key = self.shared.cache.key(&query, group);
        if let Some(flight) = self.flight_by_key.get(&key).copied() {
            let state = &mut self.flights[flight];
            state.until = state.until.max(deadline);
            if state.is_spent() {
                state.plan.renew(self.shared.config.settings.attempts);
            }
            return Ok(flight);
        }
        let order = self.plan_order(now, &query, group);
        let is_full =
            |upstream: &usize| self.pools[*upstream].waiting.len() >= self.shared.config.settings.max_waiting;
        if order.first().is_some_and(is_full) {
            return Err(ErrorKind::Overloaded(Limit::Waiting).into());
        }
        let mut plan = Plan::new(order.iter().copied(), self.shared.config.settings.attempts);
        let history = self.recall_failures(now, &query, &order, &mut plan);
        let flight = self.flights.insert(Flight {
            key,
            group,
            query,
            started: now,
            waiters: BTreeSet::new(),
            bootstraps: Vec::new(),
            is_refresh: false,
            until: deadline,
            stale: None,
            plan,
            active: None,
            wake: None,
            hedge: None,
            live: Vec::new(),
            history,
            alarm: None,
        });
        self.flight_by_key.insert(key, flight);
        Ok(flight)
    }

    /// The upstreams of a group in the order to try them: sick ones last, the one that failed longest ago
    /// first among them. Those whose pause is over are dialled, for later lookups.
    fn plan_order(&mut self, now: Instant, query: &Query, group: Group) -> Vec<usize> {
        let (mut order, mut sick) = (Vec::new(), Vec::new());
        for upstream in group.upstreams() {
            match self.pools[upstream].health.standing(now) {
                Standing::Healthy => order.push(upstream),
                Standing::Probe | Standing::Sick => sick.push(upstream),
            }
        }
        let Self { shared, pools, random, .. } = self;
        shared.order.arrange(&mut order, query.name(), |upstream| pools[upstream].rtt.smoothed(), random);
        if sick.is_empty() {
            return order;
        }
        sick.sort_by_key(|upstream| self.pools[*upstream].health.failed_at());
        for upstream in sick.iter().copied().filter(|_| !order.is_empty()) {
            if self.pools[upstream].health.standing(now) == Standing::Probe {
                self.probe(now, upstream);
            }
        }
        order.extend(sick);
        order
    }

    /// Rules out upstreams that failed to resolve this question a moment ago (RFC 9520).
    fn recall_failures(&self, now: Instant, query: &Query, order: &[usize], plan: &mut Plan) -> Vec<Attempt> {
        if self.failures.is_empty() || query.cache_use() == CacheUse::Bypass {
            return Vec::new();
        }
        let recall = |upstream: &usize| {
            let key = self.shared.cache.key(query, Group::one(*upstream));
            let rcode = self.failures.recall(now, key)?.clone();
            plan.rule_out(*upstream);
            Some(Attempt {
                upstream: self.pools[*upstream].label.clone(),
                address: None,
                stage: Stage::Remembered,
                started: Duration::ZERO,
                took: Duration::ZERO,
                cause: Cause::Rcode(rcode),
            })
        };
        order.iter().filter_map(recall).collect()
    }

    /// After somebody joined a flight: it begins, or begins anew, or has one more to keep an eye on.
    pub(super) fn begin_or_wait(&mut self, now: Instant, flight: usize) {
        if self.flights[flight].is_spent() {
            self.advance(now, flight);
        } else {
            self.set_flight_alarm(flight);
        }
    }

    /// Begins the next attempt of a flight, or waits for its time, or ends the flight when none is left.
    pub(super) fn advance(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        state.hedge = None;
        match state.plan.next(now) {
            Next::Start(upstream) => self.start_attempts(now, flight, upstream),
            Next::At(time) if time < state.until => state.wake = Some(time),
            Next::At(_) | Next::Exhausted if !state.live.is_empty() => state.wake = None,
            Next::At(_) | Next::Exhausted => return self.flight_failed(now, flight),
        }
        self.set_flight_alarm(flight);
    }

    /// Begins an attempt at `upstream`, and at others beside it where the strategy is to race them.
    fn start_attempts(&mut self, now: Instant, flight: usize, upstream: usize) {
        self.start_attempt(now, flight, upstream);
        while self.flights[flight].live.len() < self.shared.order.at_once()
            && self.flights[flight].plan.has_untried()
            && let Next::Start(upstream) = self.flights[flight].plan.next(now)
        {
            self.start_attempt(now, flight, upstream);
        }
        if let Some(hedge) = &self.shared.config.settings.hedge
            && self.flights[flight].plan.has_untried()
        {
            self.hedges.query(hedge);
            let delay = hedge.delay(self.pools[upstream].rtt.percentile_95());
            self.flights[flight].hedge = delay.map(|delay| now + delay);
        }
    }

    fn start_attempt(&mut self, now: Instant, flight: usize, upstream: usize) {
        self.flights[flight].plan.started(upstream);
        let key = self.start_exchange(now, flight, upstream);
        let alone = self.attempt_timeout(now, flight, upstream);
        let state = &mut self.flights[flight];
        state.live.push(key);
        state.active = Some(key);
        state.wake = Some(now + alone);
    }

    /// An attempt leaves half of what time remains to the others, where there are others.
    fn attempt_timeout(&self, now: Instant, flight: usize, upstream: usize) -> Duration {
        let state = &self.flights[flight];
        let timeout = self
            .shared
            .config
            .settings
            .attempt_timeout
            .unwrap_or_else(|| self.pools[upstream].rtt.attempt_timeout());
        if state.plan.has_untried() {
            timeout.min(state.until.saturating_duration_since(now) / 2)
        } else {
            timeout
        }
    }

    /// The time of a flight has come: callers whose deadline it is leave, and the next attempt begins.
    pub(super) fn flight_timeout(&mut self, now: Instant, flight: usize) {
        self.expire_waiters(now, flight);
        let state = &self.flights[flight];
        if state.stale.is_some() && state.started + STALE_AFTER <= now {
            self.hand_out_stale(now, flight);
        }
        let state = &mut self.flights[flight];
        if !state.is_wanted() || state.until <= now {
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
        if state.hedge.is_some_and(|hedge| hedge <= now) {
            state.hedge = None;
            if let Next::Start(upstream) = state.plan.next(now)
                && self.hedges.take()
            {
                debug!(upstream = %self.pools[upstream].label, "hedged");
                self.shared.counters.upstream(upstream).hedges.add(1);
                self.start_attempt(now, flight, upstream);
            }
        }
        self.set_flight_alarm(flight);
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
        if !self.failures.is_empty() {
            self.failures.resolved(self.shared.cache.key(&state.query, Group::one(upstream)));
        }
        let elapsed = now.saturating_duration_since(state.started);
        let attempts = u8::try_from(state.history.len() + state.live.len() + 1).unwrap_or(u8::MAX);
        let label = self.pools[upstream].label.clone();
        debug!(upstream = %label, ?elapsed, rcode = %message.rcode(), "answered");
        let origin = Origin { upstream: label, spoken, attempts, elapsed, is_cached: false, is_stale: false };
        self.shared.cache.insert(now, &state.query, state.group, message, age, &origin);
        let age = age.saturating_add(self.shared.cache.cut(message));
        let answer = Answer::new(message.clone(), age, origin);
        self.recent.note(state.key);
        let waiters = std::mem::take(&mut state.waiters);
        let bootstraps = std::mem::take(&mut state.bootstraps);
        self.answer_lookups(waiters, &answer);
        self.end_flight(now, flight);
        for upstream in bootstraps {
            self.bootstrap_answered(now, upstream, &answer);
        }
    }

    /// No attempt is left, and none brought an answer.
    fn flight_failed(&mut self, now: Instant, flight: usize) {
        let state = &mut self.flights[flight];
        let kind = deciding_cause(&state.history).map_or(ErrorKind::Deadline, ErrorKind::Upstream);
        let history = std::mem::take(&mut state.history);
        self.shared.cache.failed(now, &state.query, state.group);
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
        let mut state = self.flights.remove(flight);
        self.timers.set(Timer::Flight(flight), &mut state.alarm, None);
        self.flight_by_key.remove(&state.key);
        for key in state.live {
            self.cancel_exchange(now, key);
        }
        for upstream in state.bootstraps {
            self.bootstrap_failed(now, upstream, &ErrorKind::Deadline);
        }
    }

    pub(super) fn close_flights(&mut self, now: Instant) {
        self.close_lookups();
        for flight in self.flights.iter().map(|(flight, _)| flight).collect::<Vec<_>>() {
            self.flights[flight].bootstraps.clear();
            self.end_flight(now, flight);
        }
    }

    pub(super) fn set_flight_alarm(&mut self, flight: usize) {
        let Self { flights, timers, .. } = self;
        let state = &mut flights[flight];
        let deadline = state.waiters.first().map(|(deadline, _)| *deadline);
        let stale = state.stale.as_ref().map(|_| state.started + STALE_AFTER);
        let at = [deadline, Some(state.until), state.wake, state.hedge, stale].into_iter().flatten().min();
        timers.set(Timer::Flight(flight), &mut state.alarm, at);
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
