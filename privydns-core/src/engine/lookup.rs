//! Callers: each waits for a flight, has a deadline of its own, and leaves alone.

use std::sync::Arc;
use std::time::Instant;

use tracing::debug;

use super::Engine;
use super::io::{LookupId, Output};
use super::waiters::{Waiter, Waiters};
use crate::cache::QueryKey;
use crate::error::{Cause, Error, ErrorKind, FailedAttempt, Limit};
use crate::logging::LOOKUP;
use crate::message::{Answer, CacheUse, Query};
use crate::shared::LocalResult;

/// A caller that waits.
#[derive(Debug)]
pub(super) struct Lookup {
    flight: usize,
    started: Instant,
    deadline: Instant,
    accepts_stale: bool,
}

impl Engine {
    /// A caller wants an answer, which the cache may have.
    pub(super) fn begin_lookup(&mut self, now: Instant, id: LookupId, query: Arc<Query>, deadline: Instant) {
        match self.shared.try_local(now, &query) {
            _ if self.closed => self.done(id, Err(ErrorKind::Closed.into())),
            Ok(LocalResult::Answer(answer) | LocalResult::Refresh(answer)) => self.done(id, Ok(answer)),
            Ok(LocalResult::Miss { query_key, stale }) => {
                self.begin_at(now, id, query, query_key, deadline, stale);
            }
            Err(error) => self.done(id, Err(error)),
        }
    }

    /// A caller wants an answer, and has looked into the cache. The answer may have come between its look and now; and
    /// a stale one is only of use here.
    pub(super) fn begin_miss(
        &mut self,
        now: Instant,
        id: LookupId,
        query: Arc<Query>,
        query_key: QueryKey,
        deadline: Instant,
    ) {
        // Who may answer is this resolver's to say, whosever place it is.
        let is_own = self
            .shared
            .config
            .upstream_set(&query)
            .is_ok_and(|upstream_set| upstream_set == query_key.upstream_set);
        if self.closed || !is_own || self.recent.contains(query_key.key) || self.shared.cache.keeps_stale() {
            self.begin_lookup(now, id, query, deadline);
        } else {
            self.begin_at(now, id, query, query_key, deadline, None);
        }
    }

    fn begin_at(
        &mut self,
        now: Instant,
        id: LookupId,
        query: Arc<Query>,
        query_key: QueryKey,
        deadline: Instant,
        stale: Option<Answer>,
    ) {
        // Flights that no lookup waits for, as those that renew what the cache has, get as much room again.
        let limit = self.shared.config.settings.max_lookups;
        if self.lookups.len() >= limit || self.flights.len() >= limit.saturating_mul(2) {
            return self.refuse(id, ErrorKind::Overloaded(Limit::Lookups).into());
        }
        self.shared.cache.count_miss();
        let accepts_stale = query.cache_use() == CacheUse::Normal;
        let flight = match self.flight_at(now, query, query_key, deadline) {
            Ok(flight) => flight,
            Err(error) => return self.refuse(id, error),
        };
        let state = &mut self.flights[flight];
        state.stale = state.stale.take().or(stale);
        state.waiters.insert((deadline, id));
        self.lookups.insert(id, Lookup { flight, started: now, deadline, accepts_stale });
        self.begin_or_wait(now, flight);
    }

    /// A caller no longer wants its answer.
    pub(super) fn cancel_lookup(&mut self, now: Instant, id: LookupId) {
        let Some(lookup) = self.lookups.remove(&id) else { return };
        let state = &mut self.flights[lookup.flight];
        state.waiters.remove((lookup.deadline, id));
        if state.is_wanted() {
            self.set_flight_timer(lookup.flight);
        } else {
            self.end_flight(now, lookup.flight);
        }
    }

    /// Callers whose deadline it is leave.
    pub(super) fn expire_waiters(&mut self, now: Instant, flight: usize) {
        let Self { flights, lookups, .. } = self;
        let state = &mut flights[flight];
        let mut expired = Vec::new();
        while let Some((deadline, id)) = state.waiters.first()
            && deadline <= now
        {
            state.waiters.remove((deadline, id));
            expired.push(id);
        }
        if expired.is_empty() {
            return;
        }
        if state.stale.is_some() && expired.iter().any(|id| lookups.get(id).is_some_and(|l| l.accepts_stale))
        {
            // They leave with the stale answer; asking goes on, as it would have for callers with more time.
            state.is_refresh = true;
            state.until = state.until.max(state.started + self.shared.config.settings.timeout);
        }
        let attempts = self.attempts_so_far(now, flight);
        for id in expired {
            self.fail_lookup(now, id, &ErrorKind::Deadline, &attempts);
        }
    }

    /// Gives the stale answer to everybody who takes one; the flight goes on for the sake of the cache.
    pub(super) fn hand_out_stale(&mut self, now: Instant, flight: usize) {
        let Self { flights, lookups, .. } = self;
        let state = &mut flights[flight];
        let Some(stale) = state.stale.take() else { return };
        let takes = |(_, id): &Waiter| lookups.get(id).is_none_or(|lookup| lookup.accepts_stale);
        let takers: Waiters;
        (takers, state.waiters) = std::mem::take(&mut state.waiters).into_iter().partition(takes);
        state.is_refresh = true;
        self.shared.cache.failed(now, state.query_key.key);
        for (_, id) in takers {
            self.lookups.remove(&id);
            self.shared.cache.count_stale();
            self.done(id, Ok(stale.clone().for_lookup(id.0)));
        }
    }

    pub(super) fn answer_lookups(&mut self, waiters: Waiters, answer: &Answer) {
        for (_, id) in waiters {
            self.lookups.remove(&id);
            self.done(id, Ok(answer.clone().for_lookup(id.0)));
        }
    }

    /// Ends a lookup without an answer of its own; a stale one will do, if there is one.
    pub(super) fn fail_lookup(
        &mut self,
        now: Instant,
        id: LookupId,
        kind: &ErrorKind,
        attempts: &[FailedAttempt],
    ) {
        let Some(lookup) = self.lookups.remove(&id) else { return };
        let result = match &self.flights[lookup.flight].stale {
            Some(stale) if lookup.accepts_stale => {
                self.shared.cache.count_stale();
                Ok(stale.clone())
            }
            _ => {
                let elapsed = now.saturating_duration_since(lookup.started);
                let error = Error::from_attempts(kind.clone(), attempts.to_vec(), elapsed);
                let query = &self.flights[lookup.flight].query;
                debug!(
                    target: LOOKUP,
                    name = %query.name(),
                    record_type = %query.record_type(),
                    %error,
                    "failed"
                );
                Err(error)
            }
        };
        self.done(id, result);
    }

    pub(super) fn close_lookups(&mut self) {
        let mut ids = self.lookups.drain().map(|(id, _)| id).collect::<Vec<_>>();
        ids.sort_unstable();
        for id in ids {
            self.done(id, Err(ErrorKind::Closed.into()));
        }
    }

    /// What a flight has tried, and is trying, for a caller that leaves it.
    fn attempts_so_far(&self, now: Instant, flight: usize) -> Vec<FailedAttempt> {
        let state = &self.flights[flight];
        let live = state.live.iter().filter_map(|key| self.attempt_record(now, *key, Cause::Timeout));
        state.history.iter().cloned().chain(live).collect()
    }

    /// Ends a lookup that was not taken.
    fn refuse(&mut self, id: LookupId, error: Error) {
        if matches!(error.kind(), ErrorKind::Overloaded(_)) {
            self.shared.counters.overloaded.add(1);
        }
        self.done(id, Err(error));
    }

    fn done(&mut self, id: LookupId, result: Result<Answer, Error>) {
        self.outputs.push_back(Output::Done { id, result });
    }
}
