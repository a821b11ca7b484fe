//! The counters of a resolver since it was built.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::cache::CacheStats;

/// A snapshot of a resolver's counters. Values only grow, except for the current state: the smoothed RTT, the
/// number of entries, and whether an upstream is unhealthy.
///
/// ```
/// use privydns_core::Stats;
///
/// fn report(stats: &Stats) {
///     println!("{} of {} from the cache", stats.cache.hits, stats.cache.hits + stats.cache.misses);
///     for upstream in &stats.upstreams {
///         let state = if upstream.is_unhealthy { "unhealthy" } else { "healthy" };
///         println!("{}: {state}, {} of {} failed", upstream.upstream, upstream.failures, upstream.queries);
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The counters of the cache.
    pub cache: CacheStats,
    /// Lookups refused because a [limit](crate::Limit) was reached.
    pub overloaded: u64,
    /// How often the network changed: a change was detected or reported, or the machine had slept.
    pub network_changes: u64,
    /// The counters of the upstreams, in the order of the configuration.
    pub upstreams: Vec<UpstreamStats>,
}

/// The counters of one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamStats {
    /// The upstream's label.
    pub upstream: Arc<str>,
    /// Attempts begun, including bootstrap lookups of other upstreams' addresses and health probes.
    pub queries: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Attempts begun in parallel to a slow attempt at another upstream ([`Hedge`](crate::Hedge)).
    pub hedges: u64,
    /// Attempts skipped because the upstream had just failed to resolve the same question (RFC 9520).
    pub remembered: u64,
    /// Connections whose TLS handshake succeeded.
    pub connections_opened: u64,
    /// Connections among these with a resumed TLS session.
    pub connections_resumed: u64,
    /// The smoothed time from query to answer; `None` before the first answer.
    pub smoothed_rtt: Option<Duration>,
    /// Whether the upstream is unhealthy: it has failed, and lookups that have another upstream skip it.
    pub is_unhealthy: bool,
}

/// A counter that many threads may increment.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters that the engine updates.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) overloaded: Counter,
    pub(crate) network_changes: Counter,
    upstreams: Box<[UpstreamCounters]>,
}

/// The counters of one upstream.
#[derive(Debug, Default)]
pub(crate) struct UpstreamCounters {
    pub(crate) queries: Counter,
    pub(crate) failures: Counter,
    pub(crate) hedges: Counter,
    pub(crate) remembered: Counter,
    pub(crate) opened: Counter,
    pub(crate) resumed: Counter,
    /// Nanoseconds; 0 before the first answer.
    smoothed_rtt: AtomicU64,
    is_unhealthy: AtomicBool,
}

impl Counters {
    pub(crate) fn new(upstreams: usize) -> Self {
        let upstreams = (0..upstreams).map(|_| UpstreamCounters::default()).collect();
        Self { overloaded: Counter::default(), network_changes: Counter::default(), upstreams }
    }

    pub(crate) fn upstream(&self, index: usize) -> &UpstreamCounters {
        &self.upstreams[index]
    }
}

impl UpstreamCounters {
    pub(crate) fn smoothed_rtt(&self, smoothed: Option<Duration>) {
        let nanos = smoothed.map_or(0, |rtt| u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX));
        self.smoothed_rtt.store(nanos, Relaxed);
    }

    pub(crate) fn set_unhealthy(&self, is_unhealthy: bool) {
        self.is_unhealthy.store(is_unhealthy, Relaxed);
    }

    /// Resets the current state, which is unknown after a network change.
    pub(crate) fn forget(&self) {
        self.smoothed_rtt(None);
        self.set_unhealthy(false);
    }

    pub(crate) fn snapshot(&self, upstream: Arc<str>) -> UpstreamStats {
        let nanos = self.smoothed_rtt.load(Relaxed);
        UpstreamStats {
            upstream,
            queries: self.queries.value(),
            failures: self.failures.value(),
            hedges: self.hedges.value(),
            remembered: self.remembered.value(),
            connections_opened: self.opened.value(),
            connections_resumed: self.resumed.value(),
            smoothed_rtt: (nanos > 0).then(|| Duration::from_nanos(nanos)),
            is_unhealthy: self.is_unhealthy.load(Relaxed),
        }
    }
}
