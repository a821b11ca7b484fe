//! How long an upstream takes to answer, smoothed as RFC 6298 Section 2 smooths TCP's round trips.

use std::time::Duration;

/// The time given to an attempt while nothing is known of the upstream.
const UNKNOWN: Duration = Duration::from_secs(1);
/// A resolver that has to recurse is slower than its cache: no attempt is given up sooner than this.
const SHORTEST: Duration = Duration::from_millis(500);
/// No attempt waits longer before the next one starts beside it.
const LONGEST: Duration = Duration::from_secs(2);

/// Round trips kept to tell their 95th percentile.
const KEPT: usize = 64;
/// Fewer tell no percentile.
const ENOUGH: usize = 20;

/// The round-trip times of one upstream: from query sent to answer received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rtt {
    smoothed: Option<Smoothed>,
    /// The latest ones, a ring.
    latest: Vec<Duration>,
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Smoothed {
    mean: Duration,
    deviation: Duration,
}

impl Rtt {
    pub(crate) fn measured(&mut self, sample: Duration) {
        match self.latest.get_mut(self.next) {
            Some(oldest) => *oldest = sample,
            None => self.latest.push(sample),
        }
        self.next = (self.next + 1) % KEPT;
        self.smoothed = Some(match self.smoothed {
            None => Smoothed { mean: sample, deviation: sample / 2 },
            Some(Smoothed { mean, deviation }) => Smoothed {
                mean: (mean * 7 + sample) / 8,
                deviation: (deviation * 3 + mean.abs_diff(sample)) / 4,
            },
        });
    }

    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.smoothed.map(|smoothed| smoothed.mean)
    }

    /// The time within which 95 of 100 of the latest answers came, once there are enough.
    pub(crate) fn percentile_95(&self) -> Option<Duration> {
        let mut sorted = self.latest.clone();
        let rank = sorted.len() * 95 / 100;
        (sorted.len() >= ENOUGH).then(|| *sorted.select_nth_unstable(rank).1)
    }

    /// How long an attempt goes on alone before the next one starts beside it.
    pub(crate) fn attempt_timeout(&self) -> Duration {
        self.smoothed
            .map_or(UNKNOWN, |smoothed| (smoothed.mean + smoothed.deviation * 4).clamp(SHORTEST, LONGEST))
    }

    /// Silence for less than this says nothing of the upstream, whatever hurry a caller is in.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.smoothed.map_or(SHORTEST, |_| self.attempt_timeout())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_waits_a_second_before_anything_is_known_and_stays_within_bounds_after() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.attempt_timeout(), Duration::from_secs(1));
        rtt.measured(Duration::from_millis(20));
        assert_eq!(rtt.attempt_timeout(), SHORTEST);
        rtt.measured(Duration::from_secs(30));
        assert_eq!(rtt.attempt_timeout(), LONGEST);
    }

    #[test]
    fn the_percentile_is_told_by_the_latest_answers_once_there_are_enough() {
        let mut rtt = Rtt::default();
        (1..20).for_each(|milliseconds| rtt.measured(Duration::from_millis(milliseconds)));
        assert_eq!(rtt.percentile_95(), None);
        (1..=100).for_each(|milliseconds| rtt.measured(Duration::from_millis(milliseconds)));
        assert_eq!(rtt.percentile_95(), Some(Duration::from_millis(97)));
    }

    #[test]
    fn the_mean_moves_an_eighth_of_the_way_to_each_sample() {
        let mut rtt = Rtt::default();
        rtt.measured(Duration::from_millis(80));
        rtt.measured(Duration::from_millis(160));
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(90)));
    }
}
