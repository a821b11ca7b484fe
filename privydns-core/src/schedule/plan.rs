//! The order in which one lookup tries its upstreams, and when it stops trying.

use std::time::{Duration, Instant};

use rand::Rng;
use smallvec::SmallVec;

use super::backoff;

/// Queries of one lookup to one upstream, at the most (RFC 9520 Section 3.1).
const QUERIES_PER_UPSTREAM: u8 = 3;
/// Queries sent again at no cost because the server promised not to have processed them, per lookup. Beyond
/// it, a server that keeps refusing is a server that fails.
const FREE_REPEATS: u8 = 4;

/// With this many connections lost under it, a query is a suspect.
const QUARANTINE_LOSSES: u8 = 2;

/// What a lookup does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanStep {
    /// Begin an attempt at this upstream.
    Start(usize),
    /// Begin no attempt before this time.
    At(Instant),
    /// Begin no more attempts; what is on its way may still bring the answer.
    Exhausted,
}

/// The attempts of one lookup: those made, and those that may follow.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Upstreams by index, in the order to try them.
    order: SmallVec<[Candidate; 2]>,
    /// Where in `order` the search for the next attempt begins.
    cursor: usize,
    /// Attempts that may still begin.
    remaining: u32,
    free_repeats: u8,
}

#[derive(Debug)]
struct Candidate {
    upstream: usize,
    /// Whether it was unhealthy when the plan was made.
    is_unhealthy: bool,
    tries: u8,
    /// Those among the tries that found no connection, so that nothing was sent.
    unsent: u8,
    /// How often a connection to it was lost with the query on its way.
    losses: u8,
    /// Not before this time: the pause after its last failure.
    not_before: Option<Instant>,
    /// It said no in a way that asking again will not change.
    ruled_out: bool,
    /// A stale connection to it was forgiven once already.
    stale_forgiven: bool,
}

impl Plan {
    /// A plan that has tried nothing yet: `healthy` upstreams in the order to try them, and `unhealthy` ones that are
    /// tried when no other is left.
    pub(crate) fn new(healthy: &[usize], unhealthy: &[usize], attempts: u32) -> Self {
        let candidate = |upstream, is_unhealthy| Candidate {
            upstream,
            is_unhealthy,
            tries: 0,
            unsent: 0,
            losses: 0,
            not_before: None,
            ruled_out: false,
            stale_forgiven: false,
        };
        let healthy = healthy.iter().map(|upstream| candidate(*upstream, false));
        let unhealthy = unhealthy.iter().map(|upstream| candidate(*upstream, true));
        Self { order: healthy.chain(unhealthy).collect(), cursor: 0, remaining: attempts, free_repeats: 0 }
    }

    /// What to do now that no attempt is being waited for alone. An upstream not yet tried comes first, then
    /// the next in order whose pause is over.
    pub(crate) fn next(&self, now: Instant) -> PlanStep {
        if self.remaining == 0 {
            return PlanStep::Exhausted;
        }
        let mut earliest = None;
        for candidate in self.in_turn().filter(|candidate| candidate.is_open()) {
            match candidate.not_before {
                Some(time) if time > now => {
                    earliest = Some(earliest.map_or(time, |other: Instant| other.min(time)));
                }
                _ => return PlanStep::Start(candidate.upstream),
            }
        }
        earliest.map_or(PlanStep::Exhausted, PlanStep::At)
    }

    /// The upstream to be tried first, if there is any.
    pub(crate) fn first(&self) -> Option<usize> {
        self.order.first().map(|candidate| candidate.upstream)
    }

    /// Every upstream, in the order to try them.
    pub(crate) fn upstreams(&self) -> Vec<usize> {
        self.order.iter().map(|candidate| candidate.upstream).collect()
    }

    /// An upstream to ask beside others: the next that is healthy and was not tried.
    pub(crate) fn next_parallel(&self, now: Instant) -> Option<usize> {
        let PlanStep::Start(upstream) = self.next(now) else { return None };
        let is_new = |candidate: &&Candidate| candidate.tries == 0 && !candidate.is_unhealthy;
        self.order.iter().find(|candidate| candidate.upstream == upstream).filter(is_new).map(|_| upstream)
    }

    /// An attempt at `upstream` begins.
    pub(crate) fn started(&mut self, upstream: usize) {
        self.remaining = self.remaining.saturating_sub(1);
        if let Some(candidate) = self.candidate(upstream) {
            candidate.tries = candidate.tries.saturating_add(1);
        }
        self.pass(upstream);
    }

    /// An attempt at `upstream` that was not sent yet goes on, in place of another. It is the turn of those after it.
    pub(crate) fn goes_on(&mut self, upstream: usize) {
        if let Some(candidate) = self.candidate(upstream)
            && candidate.tries == 0
        {
            (candidate.tries, candidate.unsent) = (1, 1);
        }
        self.pass(upstream);
    }

    fn pass(&mut self, upstream: usize) {
        if let Some(position) = self.order.iter().position(|candidate| candidate.upstream == upstream) {
            self.cursor = position + 1;
        }
    }

    /// An attempt at `upstream` failed in a way that may pass: it is tried again after a pause, and not
    /// before `not_before`.
    pub(crate) fn failed(
        &mut self,
        upstream: usize,
        now: Instant,
        not_before: Option<Duration>,
        random: &mut impl Rng,
    ) {
        let Some(candidate) = self.candidate(upstream) else { return };
        let pause = backoff::pause(u32::from(candidate.tries.saturating_sub(1)), random);
        candidate.not_before = Some(now + pause.max(not_before.unwrap_or_default()));
    }

    /// An attempt at `upstream` found no connection.
    pub(crate) fn not_sent(&mut self, upstream: usize, now: Instant, random: &mut impl Rng) {
        self.failed(upstream, now, None, random);
        if let Some(candidate) = self.candidate(upstream) {
            candidate.unsent = candidate.unsent.saturating_add(1);
        }
    }

    /// `upstream` will not say anything else to this lookup.
    pub(crate) fn rule_out(&mut self, upstream: usize) {
        if let Some(candidate) = self.candidate(upstream) {
            candidate.ruled_out = true;
        }
    }

    /// A connection to `upstream` was lost with the query on its way.
    pub(crate) fn lost(&mut self, upstream: usize) {
        if let Some(candidate) = self.candidate(upstream) {
            candidate.losses = candidate.losses.saturating_add(1);
        }
    }

    /// Whether the query may be what connections to `upstream` are lost for. Once is nothing: connections end.
    pub(crate) fn is_quarantined(&self, upstream: usize) -> bool {
        let mut candidates = self.order.iter();
        candidates.any(|candidate| candidate.upstream == upstream && candidate.losses >= QUARANTINE_LOSSES)
    }

    /// Whether a connection to `upstream` that turned out stale is forgiven: once per lookup and upstream.
    pub(crate) fn forgive_stale(&mut self, upstream: usize) -> bool {
        self.candidate(upstream)
            .is_some_and(|candidate| !std::mem::replace(&mut candidate.stale_forgiven, true))
    }

    /// Whether a query that the server did not process is sent again at no cost.
    pub(crate) fn repeat_free(&mut self) -> bool {
        self.free_repeats += 1;
        self.free_repeats <= FREE_REPEATS
    }

    /// Whether an upstream is left that this lookup has not tried.
    pub(crate) fn has_untried(&self) -> bool {
        self.remaining > 0 && self.order.iter().any(|candidate| candidate.tries == 0 && candidate.is_open())
    }

    /// A new caller has joined a lookup that has no attempt left: it is owed attempts of its own.
    pub(crate) fn renew(&mut self, attempts: u32) {
        self.remaining = attempts;
        for candidate in &mut self.order {
            candidate.tries = 0;
            candidate.unsent = 0;
        }
    }

    /// No more attempts than this begin.
    pub(crate) fn limit(&mut self, attempts: u32) {
        self.remaining = self.remaining.min(attempts);
    }

    fn candidate(&mut self, upstream: usize) -> Option<&mut Candidate> {
        self.order.iter_mut().find(|candidate| candidate.upstream == upstream)
    }

    fn in_turn(&self) -> impl Iterator<Item = &Candidate> {
        let (tried, rest) = self.order.split_at(self.cursor.min(self.order.len()));
        let all = || rest.iter().chain(tried);
        all().filter(|candidate| candidate.tries == 0).chain(all().filter(|candidate| candidate.tries > 0))
    }
}

impl Candidate {
    fn is_open(&self) -> bool {
        !self.ruled_out && self.tries.saturating_sub(self.unsent) < QUERIES_PER_UPSTREAM
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use crate::testkit::epoch;

    #[test]
    fn untried_upstreams_come_at_once_and_repeats_after_a_pause() {
        let (now, mut random) = (epoch(), StdRng::from_seed([1; 32]));
        let mut plan = Plan::new(&[4], &[2], 4);
        assert_eq!(plan.next(now), PlanStep::Start(4));
        plan.started(4);
        assert!(plan.has_untried());
        plan.failed(4, now, None, &mut random);
        assert_eq!(plan.next(now), PlanStep::Start(2));
        plan.started(2);
        plan.failed(2, now, None, &mut random);
        let PlanStep::At(again) = plan.next(now) else { panic!("a pause comes first") };
        assert!(again > now && again <= now + Duration::from_millis(125));
        assert!(matches!(plan.next(again), PlanStep::Start(_)));
    }

    /// Conformance 39.
    #[test]
    fn no_upstream_is_asked_more_than_three_times() {
        let now = epoch();
        let mut plan = Plan::new(&[0], &[], 10);
        for _ in 0..3 {
            assert_eq!(plan.next(now), PlanStep::Start(0));
            plan.started(0);
        }
        assert_eq!(plan.next(now), PlanStep::Exhausted);
    }

    /// Conformance 39: what was not sent is no query.
    #[test]
    fn attempts_that_find_no_connection_are_limited_by_the_lookup_alone() {
        let (mut now, mut random) = (epoch(), StdRng::from_seed([1; 32]));
        let mut plan = Plan::new(&[0], &[], 10);
        for _ in 0..10 {
            if let PlanStep::At(time) = plan.next(now) {
                now = time;
            }
            assert_eq!(plan.next(now), PlanStep::Start(0));
            plan.started(0);
            plan.not_sent(0, now, &mut random);
        }
        assert_eq!(plan.next(now), PlanStep::Exhausted);
        assert!(now - epoch() > Duration::from_secs(7));
    }

    #[test]
    fn attempts_are_counted_over_all_upstreams() {
        let now = epoch();
        let mut plan = Plan::new(&[0, 1, 2], &[], 2);
        plan.started(0);
        plan.started(1);
        assert_eq!(plan.next(now), PlanStep::Exhausted);
        plan.renew(1);
        assert_eq!(plan.next(now), PlanStep::Start(2));
    }

    #[test]
    fn an_upstream_that_said_no_for_good_is_not_asked_again() {
        let now = epoch();
        let mut plan = Plan::new(&[0, 1], &[], 9);
        plan.started(0);
        plan.rule_out(0);
        plan.started(1);
        plan.rule_out(1);
        assert_eq!(plan.next(now), PlanStep::Exhausted);
    }

    #[test]
    fn a_server_that_asks_to_wait_is_waited_for() {
        let (now, mut random) = (epoch(), StdRng::from_seed([1; 32]));
        let mut plan = Plan::new(&[0], &[], 3);
        plan.started(0);
        plan.failed(0, now, Some(Duration::from_secs(3)), &mut random);
        assert_eq!(plan.next(now), PlanStep::At(now + Duration::from_secs(3)));
    }

    #[test]
    fn stale_connections_are_forgiven_once_per_upstream_and_refusals_a_few_times() {
        let mut plan = Plan::new(&[0, 1], &[], 3);
        assert!(plan.forgive_stale(0));
        assert!(!plan.forgive_stale(0));
        assert!(plan.forgive_stale(1));
        assert_eq!((0..9).filter(|_| plan.repeat_free()).count(), usize::from(FREE_REPEATS));
    }
}
