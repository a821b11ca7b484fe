//! The attempts of a flight: at which upstream the next begins, when, and beside which.

use std::time::{Duration, Instant};

use smallvec::SmallVec;
use tracing::debug;

use super::Engine;
use super::attempt::Attempt;
use super::flight::STALE_AFTER;
use super::timers::Timer;
use crate::cache::UpstreamSet;
use crate::connection::Key;
use crate::error::{Cause, FailedAttempt, Stage};
use crate::logging::LOOKUP;
use crate::message::{CacheUse, Query};
use crate::schedule::{Plan, PlanStep, Standing};

impl Engine {
    /// The upstreams of a group in the order to try them: unhealthy ones last, the one that failed longest ago first
    /// among them. Those whose pause is over are probed, for later lookups.
    pub(super) fn plan(&mut self, now: Instant, query: &Query, upstream_set: UpstreamSet) -> Plan {
        let is_healthy = |upstream: &usize| self.pools[*upstream].health.standing(now) == Standing::Healthy;
        let (mut healthy, mut unhealthy) =
            upstream_set.upstreams().partition::<SmallVec<[usize; 8]>, _>(is_healthy);
        let Self { shared, pools, random, .. } = self;
        shared.config.sort(query.name(), &mut healthy);
        shared.order.arrange(&mut healthy, query.name(), |upstream| pools[upstream].rtt.smoothed(), random);
        unhealthy.sort_by_key(|upstream| pools[*upstream].health.failed_at());
        for upstream in unhealthy.iter().copied().filter(|_| !healthy.is_empty()) {
            if self.pools[upstream].health.standing(now) == Standing::Probe {
                self.probe(now, upstream);
            }
        }
        Plan::new(&healthy, &unhealthy, self.attempts_of_a_lookup())
    }

    /// As many as are set; a race needs one for each that runs in it.
    pub(super) fn attempts_of_a_lookup(&self) -> u32 {
        let at_once = u32::try_from(self.shared.order.at_once()).unwrap_or(u32::MAX);
        self.shared.config.settings.attempts.max(at_once)
    }

    /// Rules out upstreams that failed to resolve this question a moment ago (RFC 9520).
    pub(super) fn recall_failures(&self, now: Instant, query: &Query, plan: &mut Plan) -> Vec<FailedAttempt> {
        if self.failures.is_empty() || query.cache_use() == CacheUse::Bypass {
            return Vec::new();
        }
        let upstreams = plan.upstreams();
        let mut recall = |upstream: usize| {
            let key = self.shared.cache.key(query, UpstreamSet::one(upstream));
            let rcode = self.failures.recall(now, key)?.clone();
            plan.rule_out(upstream);
            self.shared.counters.upstream(upstream).remembered.add(1);
            Some(FailedAttempt {
                upstream: self.pools[upstream].label.clone(),
                address: None,
                stage: Stage::Remembered,
                started: Duration::ZERO,
                took: Duration::ZERO,
                cause: Cause::Rcode(rcode),
            })
        };
        upstreams.into_iter().filter_map(&mut recall).collect()
    }

    /// An upstream has said that it cannot resolve the question. Those that could not even be reached a moment ago
    /// are not tried, or waited for, in the hope that they say something else.
    pub(super) fn exclude_unhealthy(&mut self, flight: usize) {
        let Self { flights, pools, .. } = self;
        let plan = &mut flights[flight].plan;
        for upstream in plan.upstreams() {
            if !pools[upstream].health.is_healthy() {
                plan.rule_out(upstream);
            }
        }
    }

    /// Whether an attempt that is overdue may still bring what those before it did not.
    fn is_worth_waiting(&self, flight: usize) -> bool {
        let state = &self.flights[flight];
        let is_said = state.history.iter().any(|attempt| matches!(attempt.cause, Cause::Rcode(_)));
        let mut live = state.live.iter().filter_map(|key| self.attempts.get(*key));
        live.any(|attempt| !is_said || !self.is_unhealthy(attempt.upstream))
    }

    /// Whether nothing is being waited for: neither an attempt that is not overdue nor the time of the next.
    pub(super) fn is_spent(&self, flight: usize) -> bool {
        self.flights[flight].pause.is_none() && self.waited_for(flight).next().is_none()
    }

    /// Until when the attempts that are not overdue are waited for.
    fn waited_for(&self, flight: usize) -> impl Iterator<Item = Instant> {
        self.flights[flight].live.iter().filter_map(|key| self.attempts.get(*key)?.overdue_at)
    }

    /// Begins the next attempt of a flight, or waits: for those on their way that are not overdue, for the time of
    /// the next, for whatever may still come. With nothing left to wait for, the flight ends.
    pub(super) fn advance(&mut self, now: Instant, flight: usize) {
        if self.waited_for(flight).next().is_some() {
            self.keep_racing(now, flight);
            return self.set_flight_timer(flight);
        }
        let is_worth_waiting = self.is_worth_waiting(flight);
        let state = &mut self.flights[flight];
        (state.pause, state.hedge) = (None, None);
        match state.plan.next(now) {
            PlanStep::Start(upstream) => self.start_attempts(now, flight, upstream),
            PlanStep::At(time) if time < state.until => state.pause = Some(time),
            PlanStep::At(_) | PlanStep::Exhausted if is_worth_waiting => {}
            PlanStep::At(_) | PlanStep::Exhausted => return self.flight_failed(now, flight),
        }
        self.set_flight_timer(flight);
    }

    /// Begins an attempt at `upstream`, and others beside it where the strategy is to race.
    fn start_attempts(&mut self, now: Instant, flight: usize, upstream: usize) {
        self.start_attempt(now, flight, upstream);
        self.keep_racing(now, flight);
        if let Some(hedge) = &self.shared.config.settings.hedge
            && self.flights[flight].plan.next_parallel(now).is_some()
        {
            self.hedges.query(hedge);
            let delay = hedge.delay(self.pools[upstream].rtt.percentile_95());
            self.flights[flight].hedge = delay.map(|delay| now + delay);
        }
    }

    /// Begins attempts at further upstreams until as many run as the strategy wants.
    fn keep_racing(&mut self, now: Instant, flight: usize) {
        while self.waited_for(flight).count() < self.shared.order.at_once()
            && let Some(upstream) = self.flights[flight].plan.next_parallel(now)
        {
            self.start_attempt(now, flight, upstream);
        }
    }

    /// An attempt that still stands in line for a connection is waited for anew: a second one would stand right behind
    /// it, and both would be sent on the connection that comes, and be lost with it.
    fn start_attempt(&mut self, now: Instant, flight: usize, upstream: usize) {
        if let Some(key) = self.in_line(flight, upstream) {
            self.flights[flight].plan.goes_on(upstream);
            let overdue_at = now + self.attempt_timeout(now, flight, upstream);
            if let Some(attempt) = self.attempts.get_mut(key) {
                attempt.overdue_at = Some(overdue_at);
            }
            return;
        }
        self.flights[flight].plan.started(upstream);
        let overdue_at = now + self.attempt_timeout(now, flight, upstream);
        let key = self.begin_attempt(now, flight, upstream, overdue_at);
        self.flights[flight].live.push(key);
    }

    /// The attempt of a flight at `upstream` that was not sent yet.
    fn in_line(&self, flight: usize, upstream: usize) -> Option<Key> {
        let is_in_line = |attempt: &Attempt| attempt.upstream == upstream && attempt.connection.is_none();
        let mut live = self.flights[flight].live.iter().copied();
        live.find(|key| self.attempts.get(*key).is_some_and(is_in_line))
    }

    /// How long an attempt is waited for before another begins beside it. It leaves half of what time remains to
    /// the others, where there are others.
    pub(super) fn attempt_timeout(&self, now: Instant, flight: usize, upstream: usize) -> Duration {
        let state = &self.flights[flight];
        let own = self.pools[upstream].rtt.attempt_timeout();
        let timeout = self.shared.config.settings.attempt_timeout.unwrap_or(own);
        if state.plan.has_untried() {
            timeout.min(state.until.saturating_duration_since(now) / 2)
        } else {
            timeout
        }
    }

    /// Attempts that had their time are overdue, and the next one begins; or it is time to hedge.
    pub(super) fn attempts_timeout(&mut self, now: Instant, flight: usize) {
        let overdue = self.take_overdue(now, flight);
        let question = self.flights[flight].query_key.key;
        for key in &overdue {
            self.check_liveness(now, *key);
        }
        // A flight that itself finds out whether an upstream is back may just have come to its end.
        let Some(state) = self.flights.get_mut(flight).filter(|state| state.query_key.key == question) else {
            return;
        };
        if !overdue.is_empty() || state.pause.is_some_and(|pause| pause <= now) {
            return self.advance(now, flight);
        }
        if state.hedge.is_some_and(|hedge| hedge <= now) {
            state.hedge = None;
            if let Some(upstream) = state.plan.next_parallel(now)
                && self.hedges.take()
            {
                debug!(
                    target: LOOKUP,
                    name = %state.query.name(),
                    record_type = %state.query.record_type(),
                    upstream = %self.pools[upstream].label,
                    "hedged"
                );
                self.shared.counters.upstream(upstream).hedges.add(1);
                self.start_attempt(now, flight, upstream);
            }
        }
        self.set_flight_timer(flight);
    }

    fn take_overdue(&mut self, now: Instant, flight: usize) -> Vec<Key> {
        let mut overdue = Vec::new();
        for key in self.flights[flight].live.clone() {
            let is_due = |attempt: &Attempt| attempt.overdue_at.is_some_and(|time| time <= now);
            if !self.attempts.get(key).is_some_and(is_due) {
                continue;
            }
            let later = self.has_its_turn_later(now, flight, key);
            if let Some(attempt) = self.attempts.get_mut(key) {
                attempt.overdue_at = later;
            }
            if later.is_none() {
                overdue.push(key);
            }
        }
        overdue
    }

    /// When an attempt is overdue that stood in line for a busy connection: its time begins when it is sent, unless
    /// there is another upstream to try. A second attempt at the same one would stand in line behind it.
    fn has_its_turn_later(&self, now: Instant, flight: usize, key: Key) -> Option<Instant> {
        let attempt = self.attempts.get(key)?;
        if self.flights[flight].plan.has_untried() || self.usable_connections(attempt.upstream) == 0 {
            return None;
        }
        let begins = if attempt.connection.is_some() { attempt.submitted } else { now };
        Some(begins + self.attempt_timeout(now, flight, attempt.upstream)).filter(|end| *end > now)
    }

    pub(super) fn set_flight_timer(&mut self, flight: usize) {
        let overdue = self.waited_for(flight).min();
        let state = &self.flights[flight];
        let deadline = state.waiters.first().map(|(deadline, _)| deadline);
        let stale = state.stale.as_ref().map(|_| state.started + STALE_AFTER);
        let times = [deadline, Some(state.until), overdue, state.pause, state.hedge, stale];
        self.timers.set(Timer::Flight(flight), times.into_iter().flatten().min());
    }
}
