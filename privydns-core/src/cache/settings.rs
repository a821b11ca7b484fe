//! What a cache may hold, for how long, and what it does with answers that are old.

use std::time::Duration;

/// The bounds and policies of a [`Cache`](super::Cache).
///
/// ```
/// use std::time::Duration;
/// use privydns_core::CacheSettings;
///
/// let settings = CacheSettings::default()
///     .entries(50_000)
///     .bytes(32 << 20)
///     .max_ttl(Duration::from_secs(86_400))
///     .serve_stale(Some(CacheSettings::MAX_STALE))
///     .prefetch(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    entries: u64,
    bytes: u64,
    min_ttl: Duration,
    max_ttl: Duration,
    max_negative_ttl: Duration,
    serve_stale: Option<Duration>,
    prefetch: bool,
}

impl CacheSettings {
    /// The longest time that an answer can be kept after its end: 3 days, the longest that RFC 8767 Section 5
    /// suggests.
    pub const MAX_STALE: Duration = Duration::from_secs(3 * DAY);

    /// The most answers to keep. 10,000 by default; 0 turns the cache off.
    ///
    /// Few applications name more hosts than that between two ends of the usual TTLs.
    pub fn entries(mut self, entries: u64) -> Self {
        self.entries = entries;
        self
    }

    /// The most heap memory that the answers kept may take, in bytes, with what the store needs to keep them. 8 MiB
    /// by default; 0 turns the cache off.
    ///
    /// An answer may have 64 KiB, so that a bound on their number alone would bound little.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// The shortest time for which records are kept, whatever their TTL says, in whole seconds. 0 by default: the
    /// owner of a name decides.
    ///
    /// Some names have a TTL of a few seconds for all the world to follow a failover; a minute here saves most of
    /// the queries for them. What is kept longer shows what is left of its own TTL, and 0 in the end. Records with a
    /// TTL of 0 are not kept even so (RFC 8767 Section 4), nor is the absence of records kept longer than its own
    /// time.
    pub fn min_ttl(mut self, ttl: Duration) -> Self {
        self.min_ttl = ttl;
        self
    }

    /// The longest time for which records are kept, whatever their TTL says, in whole seconds. 7 days by default
    /// (RFC 8767 Section 4). It wins over [`min_ttl`](Self::min_ttl).
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// The longest time for which the absence of a name or of records is kept, in whole seconds. 3 hours by
    /// default: RFC 2308 Section 5 found one to three hours to work well. [`max_ttl`](Self::max_ttl) bounds it
    /// too.
    pub fn max_negative_ttl(mut self, ttl: Duration) -> Self {
        self.max_negative_ttl = ttl;
        self
    }

    /// Keeps answers for a while after their end, to be used when no upstream gives a newer one in time (RFC 8767):
    /// for how long, at most [`MAX_STALE`](Self::MAX_STALE). `None` by default: an address that its owner gave up
    /// may be another's by now, so an application has to choose this.
    ///
    /// Such an answer says so ([`Answer::is_stale`](crate::Answer::is_stale)) and shows a TTL of 30 seconds. It is
    /// given when asking failed, or took longer than 1.8 seconds, which users still take for an answer (RFC 8767
    /// Section 5); for 30 seconds after a failure it is given at once, and nobody is asked.
    /// [`CacheStats::stale`](crate::CacheStats::stale) counts them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::CacheSettings;
    ///
    /// let day = CacheSettings::default().serve_stale(Some(Duration::from_secs(86_400)));
    /// assert_ne!(day, CacheSettings::default().serve_stale(Some(CacheSettings::MAX_STALE)));
    /// ```
    pub fn serve_stale(mut self, after_end: Option<Duration>) -> Self {
        self.serve_stale = after_end.map(|after_end| after_end.min(Self::MAX_STALE));
        self
    }

    /// Renews an answer in the background when it is asked for in the last tenth of its time, so that names in
    /// steady use are always answered from the cache. Off by default: it sends queries that nobody waits for.
    /// [`CacheStats::prefetches`](crate::CacheStats::prefetches) counts them.
    ///
    /// ```
    /// let settings = privydns_core::CacheSettings::default().prefetch(true);
    /// ```
    pub fn prefetch(mut self, on: bool) -> Self {
        self.prefetch = on;
        self
    }

    /// Whether anything is kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.entries > 0 && self.bytes > 0
    }

    pub(super) fn entry_limit(&self) -> u64 {
        self.entries
    }

    pub(super) fn byte_limit(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_prefetching(&self) -> bool {
        self.prefetch
    }

    pub(super) fn stale_time(&self) -> Option<Duration> {
        self.serve_stale
    }

    /// How long records with this TTL are kept, in seconds.
    pub(super) fn positive(&self, ttl: u32) -> u32 {
        ttl.max(whole_seconds(self.min_ttl)).min(whole_seconds(self.max_ttl))
    }

    /// How long absence with this TTL is kept, in seconds.
    pub(super) fn negative(&self, ttl: u32) -> u32 {
        ttl.min(whole_seconds(self.max_negative_ttl)).min(whole_seconds(self.max_ttl))
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 8 << 20,
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
