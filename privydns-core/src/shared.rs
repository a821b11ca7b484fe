//! The state that all handles of a resolver share with its engine: configuration, cache, counters.

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tracing::trace;

use crate::cache::{Cache, Found, QueryKey};
use crate::config::{Config, LONGEST_TIME};
use crate::error::{Error, ErrorKind};
use crate::logging::CACHE;
use crate::message::{Answer, CacheUse, Query, is_meta_type, local_answer, special_use};
use crate::schedule::Order;
use crate::stats::{Counters, Stats};
use crate::upstream::Upstream;

/// The part of a resolver that needs no driver. Any thread may use it at any time.
///
/// A handle calls [`try_answer`](Self::try_answer) first, and passes a query to the engine only if there is
/// no local answer.
///
/// ```
/// use privydns_core::engine::{CacheResult, Shared};
/// use privydns_core::{Config, Query, RecordType};
///
/// let config = Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).build()?;
/// let shared = Shared::new(config, [0; 32]); // in production, a random and secret seed
/// let query = Query::new("localhost", RecordType::AAAA)?;
/// let CacheResult::Answer(answer) = shared.try_answer(std::time::Instant::now(), &query)? else { panic!() };
/// assert!(answer.addresses().all(|address| address.is_loopback()));
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Shared {
    pub(crate) config: Config,
    pub(crate) cache: Cache,
    pub(crate) counters: Counters,
    pub(crate) order: Order,
}

/// The result of [`Shared::try_answer`], before anything is sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheResult {
    /// The answer.
    Answer(Answer),
    /// The answer, which is near its end: pass [`Input::Refresh`](crate::engine::Input::Refresh) to the engine.
    Refresh(Answer),
    /// An upstream has to be queried: pass [`Input::Miss`](crate::engine::Input::Miss) to the engine.
    Miss(QueryKey),
}

/// [`CacheResult`] with a stale answer, which only the engine uses.
pub(crate) enum LocalResult {
    Answer(Answer),
    Refresh(Answer),
    Miss {
        query_key: QueryKey,
        /// The stale answer to return if no newer one is available in time.
        stale: Option<Answer>,
    },
}

impl Shared {
    /// The shared state of a new resolver, with an empty cache. `seed` must be random and secret: the keys of
    /// the cache's hashes are derived from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut random = StdRng::from_seed(seed);
        let cache = Cache::new(&config.settings.cache, random.random());
        let counters = Counters::new(config.upstreams.len());
        let key = config.settings.spread_key.unwrap_or_else(|| random.random());
        let labels = config.upstreams().map(Upstream::shared_label).collect();
        let order = Order::new(config.settings.strategy, key, labels);
        Self { config, cache, counters, order }
    }

    /// Answers a query without an upstream: a name that is never sent (RFC 6761), or an answer from the
    /// cache. A cache hit allocates no memory and never blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SpecialUse`] for names that are never sent, [`ErrorKind::MetaType`] for types that are no data,
    /// [`ErrorKind::NotCached`] for queries with [`CacheUse::Only`] that the cache cannot answer, or
    /// [`ErrorKind::Unroutable`] if no upstream may answer.
    pub fn try_answer(&self, now: Instant, query: &Query) -> Result<CacheResult, Error> {
        match self.try_local(now, query)? {
            LocalResult::Answer(answer) => Ok(CacheResult::Answer(answer)),
            LocalResult::Refresh(answer) => Ok(CacheResult::Refresh(answer)),
            LocalResult::Miss { query_key, .. } => Ok(CacheResult::Miss(query_key)),
        }
    }

    pub(crate) fn try_local(&self, now: Instant, query: &Query) -> Result<LocalResult, Error> {
        match self.local(query)? {
            Some(answer) => Ok(LocalResult::Answer(answer)),
            None => self.cached(now, query),
        }
    }

    /// The answer to a query that is never sent.
    fn local(&self, query: &Query) -> Result<Option<Answer>, Error> {
        if is_meta_type(query.type_number()) {
            return Err(ErrorKind::MetaType(query.type_number()).into());
        }
        if let Some(answer) = local_answer(query) {
            return Ok(Some(answer));
        }
        match special_use(query.name()) {
            Some(special) if !(special.is_routable && self.config.is_routed(query.name())) => {
                Err(ErrorKind::SpecialUse(special.domain).into())
            }
            _ => Ok(None),
        }
    }

    /// The cache's answer to a query.
    fn cached(&self, now: Instant, query: &Query) -> Result<LocalResult, Error> {
        let query_key = self.query_key_of(query)?;
        if query.cache_use() == CacheUse::Bypass {
            return Ok(LocalResult::Miss { query_key, stale: None });
        }
        match self.cache.lookup(now, query, query_key) {
            Found::Fresh(answer) => {
                trace!(target: CACHE, name = %query.name(), record_type = %query.record_type(), "cache hit");
                Ok(LocalResult::Answer(answer))
            }
            Found::Refresh(answer) => Ok(LocalResult::Refresh(answer)),
            Found::Stale { answer, is_worth_asking: false } => {
                self.cache.count_stale();
                Ok(LocalResult::Answer(answer))
            }
            Found::Stale { .. } | Found::Miss if query.cache_use() == CacheUse::Only => {
                self.cache.count_miss();
                Err(ErrorKind::NotCached.into())
            }
            Found::Stale { answer, .. } => Ok(LocalResult::Miss { query_key, stale: Some(answer) }),
            Found::Miss => Ok(LocalResult::Miss { query_key, stale: None }),
        }
    }

    /// The upstreams that may answer a query, and its key in the cache and among the flights.
    pub(crate) fn query_key_of(&self, query: &Query) -> Result<QueryKey, Error> {
        let upstream_set = self.config.upstream_set(query)?;
        Ok(self.cache.query_key(query, upstream_set))
    }

    /// The deadline of a lookup that begins now.
    pub fn deadline(&self, now: Instant, query: &Query) -> Instant {
        now + query.timeout().unwrap_or(self.config.settings.timeout).min(LONGEST_TIME)
    }

    /// Removes the cached answer to a query.
    pub fn forget(&self, query: &Query) {
        if let Ok(upstream_set) = self.config.upstream_set(query) {
            self.cache.remove(query, upstream_set);
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A snapshot of the counters.
    pub fn stats(&self) -> Stats {
        let upstreams = self.config.upstreams.iter().enumerate();
        Stats {
            cache: self.cache.stats(),
            overloaded: self.counters.overloaded.value(),
            network_changes: self.counters.network_changes.value(),
            upstreams: upstreams
                .map(|(index, configured)| {
                    self.counters.upstream(index).snapshot(configured.upstream.shared_label())
                })
                .collect(),
        }
    }
}
