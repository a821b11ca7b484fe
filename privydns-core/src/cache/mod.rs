//! The cache: answers are kept for their lifetime, within limits on number and memory.
//!
//! ```text
//! settings   limits and policies chosen by the application
//! key        which lookups count as equal
//! entry      a cached answer: fresh, near its end, or stale
//! store      the bounded map (quick_cache)
//! cooldowns  keys that were refreshed, or failed to be, in the last 30 seconds
//! timestamp  points in time in eight bytes
//! ```
//!
//! **What is cached.** Records are cached for the least TTL among them, with an upper limit (RFC 8767 Section
//! 4). NODATA is cached by name and type, NXDOMAIN by name, both for the time that their SOA record allows
//! (RFC 2308 Section 5). Never cached are truncated answers, answers with a TTL of 0, denials without an SOA
//! record, and failures. The OPT record is removed before caching (RFC 6891 Section 6.1.1), and the extended
//! errors with it.
//!
//! **What NXDOMAIN denies.** NXDOMAIN denies all types of the name and all names below it (RFC 8020), for
//! whatever type the query was. At the end of a CNAME chain, the last name is denied. Newer data replaces
//! older data: an answer that shows that a name exists removes the denials of that name and of all names
//! above it. A denial, however, does not remove cached records below the name. They stay in use until their
//! own TTL ends, as RFC 8020 Section 2 allows.
//!
//! **When lookups count as equal.** Name, type, DO, CD, client subnet and the [`UpstreamSet`] that may answer
//! are the same.

mod cooldowns;
mod entry;
mod key;
mod settings;
mod store;
mod timestamp;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub use self::key::QueryKey;
pub(crate) use self::key::{CacheKey, UpstreamSet};
pub use self::settings::CacheSettings;

use self::cooldowns::Cooldowns;
use self::entry::Entry;
use self::key::Keyer;
use self::store::Store;
use self::timestamp::{Clock, Timestamp};
use crate::message::{Answer, Message, Origin, Outcome, Query, QueryName};

/// A cache of upstreams' answers.
///
/// A clone is a handle to the same cache, for engines with the same configuration: upstreams are identified
/// by their index in the configuration. Two separate caches share no entries, and each needs a secret that no
/// other cache has.
///
/// ```
/// use privydns_core::engine::Cache;
/// use privydns_core::CacheSettings;
///
/// let secret = [7; 16]; // In production: from a secure source of randomness.
/// let cache = Cache::new(&CacheSettings::default(), secret);
/// assert_eq!(cache.stats().entries, 0);
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<CacheInner>,
}

/// The counters of a cache, and its number of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Lookups answered from the cache with a fresh answer.
    pub hits: u64,
    /// Lookups that needed an upstream.
    pub misses: u64,
    /// Lookups answered with a stale answer, because no newer one was available.
    pub stale: u64,
    /// Answers renewed in the background before their end.
    pub prefetches: u64,
    /// Answers that were rejected or removed before their end because of the limits.
    pub evictions: u64,
    /// Answers in the cache now, including expired answers that have not been swept yet.
    pub entries: u64,
}

/// The cache's result for a lookup.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A fresh answer.
    Fresh(Answer),
    /// A fresh answer near its end. The caller is to return it and to send the query in the background.
    /// Reported once per entry, and again after 30 seconds if the entry has not been renewed.
    Refresh(Answer),
    /// A stale answer.
    Stale {
        /// The answer to return if an upstream gives no newer one in time.
        answer: Answer,
        /// Whether to send the query at all. False for 30 seconds after [`Cache::failed`]: the stale answer
        /// is then returned at once (RFC 8767 Section 5).
        is_worth_asking: bool,
    },
    /// No usable entry.
    Miss,
}

#[derive(Debug)]
struct CacheInner {
    settings: CacheSettings,
    keyer: Keyer,
    clock: Clock,
    /// `None` if the settings turn the cache off.
    store: Option<Store<Entry>>,
    /// Keys that are being refreshed; `None` without prefetching.
    refreshing: Option<Cooldowns>,
    /// Keys whose refresh failed while a stale answer is cached; `None` if stale answers are not served.
    failing: Option<Cooldowns>,
    /// The millisecond at which the last cached denial ends. Later lookups need not search for denials.
    denied_until: AtomicU64,
    counters: Counters,
}

/// Fields that every lookup writes, on separate cache lines: cores that write to the cache line of
/// read-only fields would delay each other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    stale: AtomicU64,
    prefetches: AtomicU64,
    clears: AtomicU64,
}

impl Cache {
    /// An empty cache. The secret prevents attackers from finding names whose keys collide. It must be
    /// random, and no other cache may use it.
    pub fn new(settings: &CacheSettings, secret: [u8; 16]) -> Self {
        let grace = settings.stale_time();
        let inner = CacheInner {
            keyer: Keyer::new(&secret),
            clock: Clock::default(),
            store: settings.is_on().then(|| {
                Store::new(settings.entry_limit(), settings.byte_limit(), grace.unwrap_or_default())
            }),
            refreshing: settings.is_prefetching().then(Cooldowns::new),
            failing: grace.map(|_| Cooldowns::new()),
            settings: settings.clone(),
            denied_until: AtomicU64::new(0),
            counters: Counters::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Removes all answers, and the record of failed resolutions.
    pub fn clear(&self) {
        self.inner.counters.clears.fetch_add(1, Relaxed);
        if let Some(store) = &self.inner.store {
            store.clear();
        }
    }

    /// A snapshot of the counters and of the number of entries.
    pub fn stats(&self) -> CacheStats {
        let CacheInner { store, counters: Counters { hits, misses, stale, prefetches, .. }, .. } =
            &*self.inner;
        CacheStats {
            hits: hits.load(Relaxed),
            misses: misses.load(Relaxed),
            stale: stale.load(Relaxed),
            prefetches: prefetches.load(Relaxed),
            evictions: store.as_ref().map_or(0, Store::evictions),
            entries: store.as_ref().map_or(0, Store::entries),
        }
    }

    /// The lookup's key, which is the same for all lookups that one answer serves.
    pub(crate) fn key(&self, query: &Query, upstream_set: UpstreamSet) -> CacheKey {
        self.inner.keyer.answer(query, upstream_set)
    }

    /// The [`QueryKey`] of a query that `upstream_set` may answer.
    pub(crate) fn query_key(&self, query: &Query, upstream_set: UpstreamSet) -> QueryKey {
        QueryKey { upstream_set, key: self.key(query, upstream_set) }
    }

    /// Looks up the answer to a query. A hit is counted. A hit allocates no memory, except if the name is
    /// denied by the answer to another question: such an answer is built for the query.
    pub(crate) fn lookup(
        &self,
        now: Instant,
        query: &Query,
        QueryKey { upstream_set, key }: QueryKey,
    ) -> Found {
        let Some(store) = &self.inner.store else { return Found::Miss };
        let inner = &*self.inner;
        let now = inner.clock.timestamp(now);
        let own = match inner.entry(store, now, key) {
            Some(entry) if entry.is_fresh(now) => return inner.hit(now, key, entry),
            own => own,
        };
        let answer = match (own, inner.denial(store, now, query, upstream_set)) {
            (Some(own), Some(denial)) if denial.is_fresh(now) || own.is_older_than(&denial) => {
                denial.into_denial(now, query)
            }
            (None, Some(denial)) => denial.into_denial(now, query),
            (own, _) => own.map(|own| own.into_answer(now)),
        };
        match answer {
            Some(answer) if answer.is_stale() => {
                let has_failed = inner.failing.as_ref().is_some_and(|failing| failing.is_set(key, now));
                Found::Stale { answer, is_worth_asking: !has_failed }
            }
            Some(answer) => {
                inner.counters.hits.fetch_add(1, Relaxed);
                Found::Fresh(answer)
            }
            None => Found::Miss,
        }
    }

    /// Caches the response to a query, and removes entries that the response disproves. `age` is the
    /// response's age in seconds when it was received (RFC 8484 Section 5.1).
    ///
    /// Failures (RFC 8767 Section 4) and truncated answers leave the cache unchanged.
    pub(crate) fn insert(
        &self,
        now: Instant,
        query: &Query,
        QueryKey { upstream_set, key }: QueryKey,
        message: &Message,
        age: u32,
        origin: &Origin,
    ) {
        let Some(store) = &self.inner.store else { return };
        if message.outcome() == Outcome::Failure || message.is_truncated() {
            return;
        }
        let inner = &*self.inner;
        let now = inner.clock.timestamp(now);
        let entry = Entry::new(&inner.settings, now, message, age, origin);
        let put = |key: CacheKey, entry: Option<Entry>| match entry {
            Some(entry) => store.insert(now, key.hash(), entry.proved_by(key)),
            // The answer is too short-lived to be cached, but still replaces the old entry.
            None => store.remove(key.hash()),
        };
        let denial_of = LazyCell::new(|| inner.keyer.denials(query, upstream_set));
        let exists = |name: &[u8]| store.remove(denial_of(name).hash());
        let deny = |name: &QueryName, entry: Option<Entry>| {
            let key = denial_of(name.as_wire());
            if let Some(entry) = &entry {
                inner.denied_until.fetch_max(entry.over(inner.grace()).milliseconds(), Relaxed);
            }
            // The lookup asked the store only for records. Count it as a use of the denial too, which would
            // have served it.
            store.get(key.hash());
            put(key, entry);
        };

        for cooldowns in [&inner.refreshing, &inner.failing].into_iter().flatten() {
            cooldowns.clear(key);
        }
        let (name, target) = (query.name(), message.target_beyond_question());
        match (message.outcome(), &target) {
            (Outcome::NxDomain, None) => {
                store.remove(key.hash());
                deny(name, entry);
            }
            (Outcome::NxDomain, Some(target)) => {
                and_parents(name).for_each(exists);
                put(key, entry.clone());
                deny(target, entry);
            }
            (Outcome::Records | Outcome::NoData | Outcome::Failure, target) => {
                if inner.may_deny(now) {
                    and_parents(name).chain(target.iter().flat_map(and_parents)).for_each(exists);
                }
                put(key, entry);
            }
        }
    }

    /// Seconds to add to a fresh answer's age, so that its TTLs show the configured limits: a fresh answer
    /// shows the same TTLs as a cached one.
    pub(crate) fn cut(&self, message: &Message) -> u32 {
        entry::cut(&self.inner.settings, message)
    }

    /// Whether stale answers are kept.
    pub(crate) fn keeps_stale(&self) -> bool {
        self.inner.failing.is_some()
    }

    /// Records that no upstream answered a query. For the length of a cooldown, a stale answer is returned at
    /// once.
    pub(crate) fn failed(&self, now: Instant, key: CacheKey) {
        if let Some(failing) = &self.inner.failing {
            failing.set(key, self.inner.clock.timestamp(now));
        }
    }

    /// Removes all entries that would answer the query, with and without DO and CD.
    pub(crate) fn remove(&self, query: &Query, upstream_set: UpstreamSet) {
        self.inner.counters.clears.fetch_add(1, Relaxed);
        let Some(store) = &self.inner.store else { return };
        for (dnssec_ok, checking_disabled) in [(false, false), (false, true), (true, false), (true, true)] {
            let query = query.clone().dnssec_ok(dnssec_ok).checking_disabled(checking_disabled);
            store.remove(self.key(&query, upstream_set).hash());
            let denial_of = self.inner.keyer.denials(&query, upstream_set);
            and_parents(query.name()).for_each(|name| store.remove(denial_of(name).hash()));
        }
    }

    /// Ages all answers by the time for which the machine slept, because the monotonic clock stood still.
    pub(crate) fn slept(&self, time: Duration) {
        self.inner.clock.slept(time);
    }

    /// How often the application has cleared the cache or removed an answer.
    pub(crate) fn clears(&self) -> u64 {
        self.inner.counters.clears.load(Relaxed)
    }

    /// Counts a lookup that needed an upstream.
    pub(crate) fn count_miss(&self) {
        self.inner.counters.misses.fetch_add(1, Relaxed);
    }

    /// Counts a lookup that was answered with a stale answer.
    pub(crate) fn count_stale(&self) {
        self.inner.counters.stale.fetch_add(1, Relaxed);
    }
}

impl CacheInner {
    /// The entry under a key: fresh, or stale if stale answers are served. Entries past both periods count as
    /// swept.
    fn entry(&self, store: &Store<Entry>, now: Timestamp, key: CacheKey) -> Option<Entry> {
        let entry = store.get(key.hash())?;
        (entry.is_proved_by(key) && entry.over(self.grace()) > now).then_some(entry)
    }

    /// How long entries are kept after their lifetime.
    fn grace(&self) -> Duration {
        self.settings.stale_time().unwrap_or_default()
    }

    /// Whether any name may be denied. If no denial was cached lately, the search for denials is skipped.
    fn may_deny(&self, now: Timestamp) -> bool {
        now.milliseconds() <= self.denied_until.load(Relaxed)
    }

    /// Handles a fresh entry: counts the hit, and decides whether the entry is to be renewed.
    fn hit(&self, now: Timestamp, key: CacheKey, entry: Entry) -> Found {
        self.counters.hits.fetch_add(1, Relaxed);
        if let Some(refreshing) = &self.refreshing
            && entry.is_near_end(now)
            && refreshing.claim(key, now)
        {
            self.counters.prefetches.fetch_add(1, Relaxed);
            return Found::Refresh(entry.into_answer(now));
        }
        Found::Fresh(entry.into_answer(now))
    }

    /// The denial of the name or of a name above it: the nearest fresh one, or else the newest stale one.
    fn denial(
        &self,
        store: &Store<Entry>,
        now: Timestamp,
        query: &Query,
        upstream_set: UpstreamSet,
    ) -> Option<Entry> {
        if !self.may_deny(now) {
            return None;
        }
        let denial_of = self.keyer.denials(query, upstream_set);
        let mut newest: Option<Entry> = None;
        for name in and_parents(query.name()) {
            let key = denial_of(name);
            // Most names are not denied. `get` would count as demand in the store, `contains` does not.
            if !store.contains(key.hash()) {
                continue;
            }
            let Some(entry) = self.entry(store, now, key) else { continue };
            if entry.is_fresh(now) {
                return Some(entry);
            }
            if newest.as_ref().is_none_or(|newest| newest.is_older_than(&entry)) {
                newest = Some(entry);
            }
        }
        newest
    }
}

/// The name and the names above it, without the root, in wire form.
fn and_parents(name: &QueryName) -> impl Iterator<Item = &[u8]> {
    std::iter::once(name.as_wire()).chain(name.parents())
}
