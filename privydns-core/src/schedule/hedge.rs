//! A second query beside a slow first one, and the bound that keeps this from doubling the load.

use std::time::Duration;

/// When and how often a query that takes long is also sent to the next upstream.
///
/// The first answer wins and the other query is cancelled. It shortens the slowest lookups; its price is that
/// a second operator sees the names that were slow, so it is off unless asked for. The second is the next that is
/// well in the order of the [strategy](crate::Strategy); where there is none, nothing is hedged.
///
/// ```
/// use std::time::Duration;
/// use privydns_core::{Config, Hedge};
///
/// let config = Config::builder()
///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
///     .hedge(Hedge::after(Duration::from_millis(100)).share(0.02))
///     .build()?;
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedge {
    after: Option<Duration>,
    share: f64,
}

impl Hedge {
    /// After the time within which the upstream gave 95 of 100 of its latest answers, the latest 64 of them. While
    /// there are fewer than 20, nothing is hedged.
    pub fn adaptive() -> Self {
        Self { after: None, share: 0.05 }
    }

    /// After a fixed time.
    pub fn after(time: Duration) -> Self {
        Self { after: Some(time), ..Self::adaptive() }
    }

    /// The share of queries that may be hedged, from 0 to 1; 0.05 by default, so that a slow hour of one upstream
    /// puts no more than a twentieth of the load on the next. Ten hedges may be saved up for a burst. What is no
    /// number counts as 0.
    pub fn share(mut self, share: f64) -> Self {
        self.share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self
    }

    /// The same, after no more than this time.
    pub(crate) fn bounded(mut self, longest: Duration) -> Self {
        self.after = self.after.map(|after| after.min(longest));
        self
    }

    /// How long to wait before hedging, for an upstream whose 95th percentile is known or not.
    pub(crate) fn delay(&self, percentile: Option<Duration>) -> Option<Duration> {
        self.after.or(percentile)
    }
}

/// Hedges in hand: every query adds a share of one, every hedge takes one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HedgeBudget(f64);

/// Hedges saved up at the most, so that a quiet hour does not pay for a burst of them.
const MOST_SAVED: f64 = 10.0;

impl HedgeBudget {
    pub(crate) fn query(&mut self, hedge: &Hedge) {
        self.0 = (self.0 + hedge.share).min(MOST_SAVED);
    }

    pub(crate) fn take(&mut self) -> bool {
        let is_left = self.0 >= 1.0;
        if is_left {
            self.0 -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_query_in_twenty_is_hedged_by_default_and_savings_are_bounded() {
        let mut budget = HedgeBudget::default();
        let hedges = (0..2000)
            .filter(|_| {
                budget.query(&Hedge::adaptive());
                budget.take()
            })
            .count();
        assert!((99..=100).contains(&hedges), "{hedges}");
        (0..100_000).for_each(|_| budget.query(&Hedge::adaptive()));
        assert_eq!((0..100).filter(|_| budget.take()).count(), 10);
    }
}
