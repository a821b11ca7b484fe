//! Answers kept for as long as they hold, within bounds on number and memory.
//!
//! ```text
//! settings   bounds and policies, as the application chooses them
//! key        what makes two lookups the same
//! entry      one answer kept: fresh, near its end, stale, over
//! store      the bounded map (quick_cache)
//! cooldowns      who was refreshed, or failed to be, a short while ago
//! timestamp     time in eight octets
//! ```
//!
//! **What is kept.** Records for the least TTL among them, capped (RFC 8767 Section 4); NODATA by name and type,
//! NXDOMAIN by name, for what their SOA record allows (RFC 2308 Section 5). Never: what is truncated, of TTL 0, a
//! denial without SOA record, or a failure; nor, in what is kept, the OPT record (RFC 6891 Section 6.1.1), and so
//! the extended errors in it.
//!
//! **What a denied name denies.** All types, and all names below it (RFC 8020), whatever the question that brought
//! the denial; at the end of a CNAME chain it is the last name that is denied. Newer knowledge wins: an answer
//! that shows a name to exist takes back the denial of it and of all names above it. The other way round, records
//! that are kept stay in use to the end of their own TTL, as RFC 8020 Section 2 allows.
//!
//! **What makes lookups alike.** Name, type, DO, CD, client subnet, and the [`UpstreamSet`] of upstreams that may answer.

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

/// Answers of upstreams, kept for as long as they hold.
///
/// A clone is a handle to the same cache, for engines of the same configuration: upstreams are told apart by their
/// places in it. Two caches share nothing, their secrets least of all.
///
/// ```
/// use privydns_core::{Cache, CacheSettings};
///
/// let secret = [7; 16]; // In earnest: from the runtime's source of randomness.
/// let cache = Cache::new(&CacheSettings::default(), secret);
/// assert_eq!(cache.stats().entries, 0);
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<CacheInner>,
}

/// What a cache has done, and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Lookups answered from the cache within the answer's time.
    pub hits: u64,
    /// Lookups that had to ask.
    pub misses: u64,
    /// Lookups given an answer past its time, for want of a newer one.
    pub stale: u64,
    /// Answers renewed in the background before their end.
    pub prefetches: u64,
    /// Answers not kept, or not kept to their end, for want of room.
    pub evictions: u64,
    /// Answers kept now, those among them whose time has passed and that are not swept yet.
    pub entries: u64,
}

/// What the cache has for a lookup.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// An answer within its time.
    Fresh(Answer),
    /// An answer within its time, near the end of it. Besides handing it out, the question is to be asked anew in
    /// the background. Said once for an entry, and again after 30 seconds if nothing came of it.
    Refresh(Answer),
    /// An answer past its time.
    Stale {
        /// What to hand out if nothing newer can be had in time.
        answer: Answer,
        /// Whether to ask at all: not within 30 seconds of the last [`Cache::failed`], when the stale answer is
        /// handed out at once (RFC 8767 Section 5).
        is_worth_asking: bool,
    },
    /// Nothing of use.
    Miss,
}

#[derive(Debug)]
struct CacheInner {
    settings: CacheSettings,
    keyer: Keyer,
    clock: Clock,
    /// None where the settings leave room for nothing.
    store: Option<Store<Entry>>,
    /// Answers that are being refreshed; where that is wanted.
    refreshing: Option<Cooldowns>,
    /// Lookups that failed although a stale answer is kept; where those are.
    failing: Option<Cooldowns>,
    /// The millisecond in which the last of the denials is over: after it there is none to look for.
    denied_until: AtomicU64,
    counters: Counters,
}

/// What is written at every lookup, apart from what is only read: cores that share a cache line wait for each
/// other.
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
    /// A cache without answers. The secret keeps others from finding names that get into each other's way: it has
    /// to be random, and no other cache's.
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

    /// Forgets all answers, and which names upstreams failed to resolve.
    pub fn clear(&self) {
        self.inner.counters.clears.fetch_add(1, Relaxed);
        if let Some(store) = &self.inner.store {
            store.clear();
        }
    }

    /// What the cache has done, and holds.
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

    /// What stands for the lookup: equal for lookups that one answer serves.
    pub(crate) fn key(&self, query: &Query, upstream_set: UpstreamSet) -> CacheKey {
        self.inner.keyer.answer(query, upstream_set)
    }

    /// Where a lookup belongs that a group of upstreams may answer.
    pub(crate) fn query_key(&self, query: &Query, upstream_set: UpstreamSet) -> QueryKey {
        QueryKey { upstream_set, key: self.key(query, upstream_set) }
    }

    /// What is known of the answer to a query. A hit is counted, and allocates nothing, unless it is a name denied
    /// by the denial of another question: such an answer is made for the query.
    ///
    /// How the lookup ends if it is no hit is for the caller to count: [`count_miss`](Self::count_miss),
    /// [`count_stale`](Self::count_stale).
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

    /// Keeps what came of a query, and takes back what it disproves. `age` is how many seconds old it was when it
    /// came (RFC 8484 Section 5.1).
    ///
    /// A failure says nothing about what is known, and changes nothing (RFC 8767 Section 4); nor does an answer
    /// that is truncated.
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
            // Too short-lived to be kept, it still has put an end to what was.
            None => store.remove(key.hash()),
        };
        let denial_of = LazyCell::new(|| inner.keyer.denials(query, upstream_set));
        let exists = |name: &[u8]| store.remove(denial_of(name).hash());
        let deny = |name: &QueryName, entry: Option<Entry>| {
            let key = denial_of(name.as_wire());
            if let Some(entry) = &entry {
                inner.denied_until.fetch_max(entry.over(inner.grace()).milliseconds(), Relaxed);
            }
            // The lookup looked for records; the store is to know that a denial would have served it.
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

    /// How many seconds older than it is an answer has to count, so that it shows no TTL beyond the caps: a fresh
    /// one shows what it will show when it is handed out again.
    pub(crate) fn cut(&self, message: &Message) -> u32 {
        entry::cut(&self.inner.settings, message)
    }

    /// Whether answers are kept past their time.
    pub(crate) fn keeps_stale(&self) -> bool {
        self.inner.failing.is_some()
    }

    /// Says that a query was asked and no upstream gave an answer, so that a stale one is handed out at once for a
    /// while.
    pub(crate) fn failed(&self, now: Instant, key: CacheKey) {
        if let Some(failing) = &self.inner.failing {
            failing.set(key, self.inner.clock.timestamp(now));
        }
    }

    /// Forgets what would answer the query, with DO and CD or without.
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

    /// The machine slept for so long, and its steady clock with it. The answers have aged.
    pub(crate) fn slept(&self, time: Duration) {
        self.inner.clock.slept(time);
    }

    /// How often answers were forgotten because the application said so.
    pub(crate) fn clears(&self) -> u64 {
        self.inner.counters.clears.load(Relaxed)
    }

    /// Counts a lookup that had to ask.
    pub(crate) fn count_miss(&self) {
        self.inner.counters.misses.fetch_add(1, Relaxed);
    }

    /// Counts a lookup that was given a stale answer.
    pub(crate) fn count_stale(&self) {
        self.inner.counters.stale.fetch_add(1, Relaxed);
    }
}

impl CacheInner {
    /// What is kept under a key: fresh, or stale where that is of use. What is over for good is as if it were swept.
    fn entry(&self, store: &Store<Entry>, now: Timestamp, key: CacheKey) -> Option<Entry> {
        let entry = store.get(key.hash())?;
        (entry.is_proved_by(key) && entry.over(self.grace()) > now).then_some(entry)
    }

    /// How long entries are kept when their time is over.
    fn grace(&self) -> Duration {
        self.settings.stale_time().unwrap_or_default()
    }

    /// Whether any name can be denied. Where none was denied lately, nobody has to look.
    fn may_deny(&self, now: Timestamp) -> bool {
        now.milliseconds() <= self.denied_until.load(Relaxed)
    }

    /// An entry within its time, and whether it is the timestamp to renew it.
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

    /// The denial of the name or of one above it: the nearest that is fresh, else the newest.
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
            // Most names are not denied, and to ask for them would make the store think that they are in demand.
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
