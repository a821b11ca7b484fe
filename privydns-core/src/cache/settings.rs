//! The cache's limits and its policies for old answers.

use std::time::Duration;

/// Limits and policies of a [`Cache`](super::Cache).
///
/// ```
/// use std::time::Duration;
/// use privydns_core::CacheSettings;
///
/// let settings = CacheSettings::default()
///     .max_entries(50_000)
///     .max_bytes(32 << 20)
///     .max_ttl(Duration::from_secs(86_400))
///     .serve_stale(CacheSettings::MAX_STALE)
///     .prefetch(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    max_entries: u64,
    max_bytes: u64,
    min_ttl: Duration,
    max_ttl: Duration,
    max_negative_ttl: Duration,
    serve_stale: Option<Duration>,
    prefetch: bool,
}

impl CacheSettings {
    /// The longest time for which an answer can be kept after its end: 3 days, the most that RFC 8767 Section
    /// 5 suggests.
    pub const MAX_STALE: Duration = Duration::from_secs(3 * DAY);

    /// Sets the maximum number of answers. 10,000 by default; 0 turns the cache off.
    ///
    /// The default is more than most applications look up within the usual TTLs.
    pub fn max_entries(mut self, max_entries: u64) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Sets the maximum heap memory of the cached answers in bytes, including the store's overhead. 8 MiB by
    /// default; 0 turns the cache off.
    ///
    /// An answer may have 64 KiB, so a limit on the number of answers alone would not limit memory much.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets the minimum time for which records are cached, whatever their TTL, in whole seconds. 0 by
    /// default, which leaves the decision to the owner of the name.
    ///
    /// Some names have a TTL of a few seconds to allow a quick failover; a minimum of one minute saves most
    /// of the queries for them. Records that are kept longer than their TTL show what remains of that TTL,
    /// and finally 0. Records with a TTL of 0 are still not cached (RFC 8767 Section 4), and the minimum does
    /// not apply to NODATA and NXDOMAIN.
    pub fn min_ttl(mut self, ttl: Duration) -> Self {
        self.min_ttl = ttl;
        self
    }

    /// Sets the maximum time for which records are cached, whatever their TTL, in whole seconds. 7 days by
    /// default (RFC 8767 Section 4). The maximum takes precedence over [`min_ttl`](Self::min_ttl).
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// Sets the maximum time for which NODATA and NXDOMAIN are cached, in whole seconds. 3 hours by default:
    /// RFC 2308 Section 5 found one to three hours to work well. [`max_ttl`](Self::max_ttl) applies too.
    pub fn max_negative_ttl(mut self, ttl: Duration) -> Self {
        self.max_negative_ttl = ttl;
        self
    }

    /// Sets how long stale answers are kept after their end, at most [`MAX_STALE`](Self::MAX_STALE). They are
    /// used when no upstream gives a newer answer in time (RFC 8767). Off by default: an address that its
    /// owner gave up may have been assigned to another host, so an application has to opt in.
    ///
    /// A stale answer is marked ([`Answer::is_stale`](crate::Answer::is_stale)) and shows a TTL of 30
    /// seconds. It is returned when the lookup has failed or has taken longer than 1.8 seconds, within which
    /// users still expect an answer (RFC 8767 Section 5). For 30 seconds after a failure, stale answers are
    /// returned at once and no query is sent. [`CacheStats::stale`](crate::CacheStats::stale) counts them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::CacheSettings;
    ///
    /// let day = CacheSettings::default().serve_stale(Duration::from_secs(86_400));
    /// assert_ne!(day, CacheSettings::default().serve_stale(CacheSettings::MAX_STALE));
    /// ```
    pub fn serve_stale(mut self, after_end: Duration) -> Self {
        self.serve_stale = Some(after_end.min(Self::MAX_STALE));
        self
    }

    /// Renews an answer in the background if it is requested in the last tenth of its lifetime, so that names
    /// in steady use are always answered from the cache. Off by default, because prefetching sends additional
    /// queries. [`CacheStats::prefetches`](crate::CacheStats::prefetches) counts them.
    ///
    /// ```
    /// let settings = privydns_core::CacheSettings::default().prefetch(true);
    /// ```
    pub fn prefetch(mut self, on: bool) -> Self {
        self.prefetch = on;
        self
    }

    /// Whether the cache is on.
    pub(super) fn is_on(&self) -> bool {
        self.max_entries > 0 && self.max_bytes > 0
    }

    pub(super) fn entry_limit(&self) -> u64 {
        self.max_entries
    }

    pub(super) fn byte_limit(&self) -> u64 {
        self.max_bytes
    }

    pub(super) fn is_prefetching(&self) -> bool {
        self.prefetch
    }

    pub(super) fn stale_time(&self) -> Option<Duration> {
        self.serve_stale
    }

    /// The time in seconds for which records with this TTL are cached.
    pub(super) fn positive(&self, ttl: u32) -> u32 {
        ttl.max(whole_seconds(self.min_ttl)).min(whole_seconds(self.max_ttl))
    }

    /// The time in seconds for which a denial with this TTL is cached.
    pub(super) fn negative(&self, ttl: u32) -> u32 {
        ttl.min(whole_seconds(self.max_negative_ttl)).min(whole_seconds(self.max_ttl))
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_entries: 10_000,
            max_bytes: 8 << 20,
            min_ttl: Duration::ZERO,
            max_ttl: Duration::from_secs(7 * DAY),
            max_negative_ttl: Duration::from_secs(3 * HOUR),
            serve_stale: None,
            prefetch: false,
        }
    }
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
