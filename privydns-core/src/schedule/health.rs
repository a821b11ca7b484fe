//! What is held against an upstream: failures to reach it, never its answers about names.

use std::time::{Duration, Instant};

/// How long an upstream is passed over after its first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Doubled with every further failure, the pause grows no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Whether an upstream is worth trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is held against it.
    Healthy,
    /// It failed, and its pause is over: one query may find out whether it is back.
    Probe,
    /// It failed, and is passed over as long as there is another.
    Unhealthy,
}

/// The failures of one upstream since it last answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    failures: u32,
    unhealthy_until: Option<Instant>,
    failed_at: Option<Instant>,
    probing: bool,
}

impl Health {
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        match self.unhealthy_until {
            None => Standing::Healthy,
            Some(until) if now >= until && !self.probing => Standing::Probe,
            Some(_) => Standing::Unhealthy,
        }
    }

    /// It could not be reached, or did not answer in time: says for how long it is passed over. Failures within a
    /// pause are one event seen by many lookups, and do not lengthen it.
    pub(crate) fn failed(&mut self, now: Instant) -> Option<Duration> {
        self.probing = false;
        if self.unhealthy_until.is_some_and(|until| now < until) {
            return None;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        self.unhealthy_until = Some(now + pause);
        Some(pause)
    }

    /// It answered before and is silent now: it is passed over until a probe tells.
    pub(crate) fn unresponsive(&mut self, now: Instant) {
        if self.is_healthy() {
            self.failed_at = Some(now);
            self.unhealthy_until = Some(now);
        }
    }

    /// It asked to be left alone for a time (HTTP 429 or 503 with Retry-After).
    pub(crate) fn asked_to_wait(&mut self, now: Instant, wait: Duration) {
        self.probing = false;
        let until = now + wait.min(LONGEST_PAUSE);
        self.failed_at = Some(now);
        self.unhealthy_until = Some(self.unhealthy_until.map_or(until, |unhealthy| unhealthy.max(until)));
    }

    /// A query has set out to find whether it is back; there is no second one meanwhile.
    pub(crate) fn probing(&mut self) {
        self.probing = true;
    }

    /// Whether it is not known yet what became of the probe.
    pub(crate) fn is_probing(&self) -> bool {
        self.probing
    }

    /// Whether nothing is held against it.
    pub(crate) fn is_healthy(&self) -> bool {
        self.unhealthy_until.is_none()
    }

    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// When the upstream last became unhealthy. Of several unhealthy upstreams, the earliest is tried first.
    pub(crate) fn failed_at(&self) -> Option<Instant> {
        self.failed_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{epoch, s};

    fn at(seconds: u64) -> Instant {
        epoch() + s(seconds)
    }

    #[test]
    fn pauses_grow_from_five_seconds_to_five_minutes() {
        let mut health = Health::default();
        let mut now = 0;
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            health.failed(at(now));
            assert_eq!(health.standing(at(now + pause - 1)), Standing::Unhealthy, "{pause}");
            assert_eq!(health.standing(at(now + pause)), Standing::Probe, "{pause}");
            now += pause;
        }
        health.answered();
        assert_eq!(health.standing(at(now)), Standing::Healthy);
        health.failed(at(now));
        assert_eq!(health.standing(at(now + 5)), Standing::Probe);
    }

    #[test]
    fn one_event_seen_by_many_lookups_counts_once() {
        let mut health = Health::default();
        for _ in 0..50 {
            health.failed(at(1));
        }
        assert_eq!(health.standing(at(6)), Standing::Probe);
    }

    #[test]
    fn there_is_one_probe_at_a_time_and_nothing_but_an_answer_makes_well() {
        let mut health = Health::default();
        health.failed(at(0));
        health.probing();
        assert_eq!(health.standing(at(9)), Standing::Unhealthy);
        health.failed(at(10));
        assert_eq!(health.standing(at(19)), Standing::Unhealthy);
        assert_eq!(health.standing(at(20)), Standing::Probe);
        health.probing();
        health.answered();
        assert_eq!(health.standing(at(20)), Standing::Healthy);
    }

    #[test]
    fn one_that_is_suspected_is_passed_over_while_it_is_probed_and_pauses_when_that_fails() {
        let mut health = Health::default();
        health.unresponsive(at(1));
        health.probing();
        assert_eq!(health.standing(at(1)), Standing::Unhealthy);
        health.unresponsive(at(2));
        assert_eq!(health.failed(at(2)), Some(FIRST_PAUSE));
        assert_eq!(health.standing(at(6)), Standing::Unhealthy);
        assert_eq!(health.standing(at(7)), Standing::Probe);
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it_up_to_the_longest_pause() {
        let mut health = Health::default();
        health.asked_to_wait(at(0), Duration::from_secs(7));
        assert_eq!(health.standing(at(6)), Standing::Unhealthy);
        assert_eq!(health.standing(at(7)), Standing::Probe);
        health.asked_to_wait(at(7), Duration::from_secs(86_400));
        assert_eq!(health.standing(at(307)), Standing::Probe);
    }
}
