//! What every handle of a resolver shares with its engine: the configuration, the cache, the counters.

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tracing::trace;

use crate::cache::{Cache, Found, QueryKey};
use crate::config::{Config, LONGEST_TIME};
use crate::error::{Error, ErrorKind};
use crate::logging::CACHE;
use crate::message::{Answer, CacheUse, Query, local_answer, special_use};
use crate::schedule::Order;
use crate::stats::{Counters, Stats};

/// The part of a resolver that needs no driver, and that any thread may use at any time.
///
/// A handle asks [`try_answer`](Self::early) first; only what it cannot answer goes to the engine.
///
/// ```
/// use privydns_core::{Config, CacheResult, Query, RecordType, Shared};
///
/// let config = Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).build()?;
/// let shared = Shared::new(config, [0; 32]); // a real seed is random and secret
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

/// What is known of a query before anything is sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheResult {
    /// The answer.
    Answer(Answer),
    /// The answer, which is near its end: hand [`Input::Refresh`](crate::Input::Refresh) to the engine.
    Refresh(Answer),
    /// Only an upstream can tell: hand [`Input::Miss`](crate::Input::Miss) to the engine.
    Miss(QueryKey),
}

/// [`CacheResult`], and what only the engine has a use for.
pub(crate) enum LocalResult {
    Answer(Answer),
    Refresh(Answer),
    Miss {
        query_key: QueryKey,
        /// An answer past its time, for want of a newer one.
        stale: Option<Answer>,
    },
}

impl Shared {
    /// Shared state with an empty cache. `seed` must be secret: the keys of the cache's hashes come from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut random = StdRng::from_seed(seed);
        let cache = Cache::new(&config.settings.cache, random.random());
        let counters = Counters::new(config.upstreams.len());
        let key = config.settings.spread_key.unwrap_or_else(|| random.random());
        let labels = config.upstreams().map(|upstream| upstream.label().clone()).collect();
        let order = Order::new(config.settings.strategy, key, labels);
        Self { config, cache, counters, order }
    }

    /// Answers a query that needs no upstream: a name that never leaves (RFC 6761), or one in the cache. A hit
    /// allocates nothing and waits for nobody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SpecialUse`], [`ErrorKind::NotCached`], or [`ErrorKind::Config`] where no upstream is
    /// allowed to answer.
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

    /// The answer to a query that never leaves.
    fn local(&self, query: &Query) -> Result<Option<Answer>, Error> {
        if let Some(answer) = local_answer(query) {
            return Ok(Some(answer));
        }
        match special_use(query.name()) {
            Some("local") if self.config.is_routed(query.name()) => Ok(None),
            Some(domain) => Err(ErrorKind::SpecialUse(domain).into()),
            None => Ok(None),
        }
    }

    /// What the cache has for a query.
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

    /// The upstreams that may answer a query, and what stands for it in the cache and among the flights.
    pub(crate) fn query_key_of(&self, query: &Query) -> Result<QueryKey, Error> {
        let upstream_set = self.config.upstream_set(query)?;
        Ok(self.cache.query_key(query, upstream_set))
    }

    /// When a lookup that begins now must end.
    pub fn deadline(&self, now: Instant, query: &Query) -> Instant {
        now + query.timeout().unwrap_or(self.config.settings.timeout).min(LONGEST_TIME)
    }

    /// Forgets what the cache has for a query, whoever may answer it.
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

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        let upstreams = self.config.upstreams.iter().enumerate();
        Stats {
            cache: self.cache.stats(),
            overloaded: self.counters.overloaded.value(),
            network_changes: self.counters.network_changes.value(),
            upstreams: upstreams
                .map(|(index, configured)| {
                    self.counters.upstream(index).snapshot(configured.upstream.label().clone())
                })
                .collect(),
        }
    }
}
