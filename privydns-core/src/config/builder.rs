//! The builder that every runtime crate's resolver is made by.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::{Config, Configured, MAX_UPSTREAMS, Route, Settings};
use crate::cache::{CacheSettings, UpstreamSet};
use crate::error::{ConfigError, Error};
use crate::message::QueryName;
use crate::schedule::{Hedge, Strategy};
use crate::upstream::Upstream;

/// The least time between two addresses that are raced (RFC 8305 Section 5).
const LEAST_ADDRESS_DELAY: Duration = Duration::from_millis(10);

/// Builds a [`Config`], or the resolver `R` of a runtime crate from it. Every crate's `Resolver::builder()`
/// is this one type, so that what is said here holds for all of them. A time of more than a day counts as a day.
///
/// ```
/// use std::time::Duration;
/// use privydns_core::Config;
///
/// let config = Config::builder()
///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
///     .timeout(Duration::from_secs(3))
///     .build()?;
/// # Ok::<_, privydns_core::Error>(())
/// ```
#[must_use = "a builder builds nothing until `build` is called"]
pub struct ResolverBuilder<R = Config> {
    upstreams: Vec<Upstream>,
    routes: Vec<(String, Vec<Upstream>)>,
    settings: Settings,
    builds: PhantomData<fn() -> R>,
}

impl<R> ResolverBuilder<R> {
    /// A builder with every default set and no upstream.
    pub fn new() -> Self {
        Self { upstreams: Vec::new(), routes: Vec::new(), settings: Settings::default(), builds: PhantomData }
    }

    /// Adds an upstream. Those given first are preferred.
    ///
    /// One known by name alone is resolved through the others, encrypted, and never by the system's resolver: by
    /// those that may be asked for its name, which for a name of a [`route`](Self::route) are the route's own. Its
    /// addresses are kept for their TTL; past it, those known last serve while nobody gives newer ones.
    /// Upstreams that could only be resolved by each other are an error of [`build`](Self::build) that names them.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// let config = Config::builder()
    ///     .upstream("https://dns.quad9.net/dns-query".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?) // resolves `dns.quad9.net`
    ///     .build()?;
    ///
    /// let alone = Config::builder().upstream("https://dns.quad9.net/dns-query".parse()?).build();
    /// assert!(alone.unwrap_err().to_string().contains("dns.quad9.net"));
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.upstreams.push(upstream);
        self
    }

    /// Adds several upstreams, in their order.
    ///
    /// ```
    /// use privydns_core::{Config, Upstream};
    ///
    /// let given = "quad9 cloudflare-https";
    /// let upstreams = given.split(' ').map(str::parse).collect::<Result<Vec<Upstream>, _>>()?;
    /// let config = Config::builder().upstreams(upstreams).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn upstreams(mut self, upstreams: impl IntoIterator<Item = Upstream>) -> Self {
        self.upstreams.extend(upstreams);
        self
    }

    /// Has a domain, and all below it, answered by these upstreams and by no others, whatever becomes of them: an
    /// internal zone, say, that only the company's resolver knows, over mutual TLS. They are asked in the order
    /// given here.
    ///
    /// Of several routes the longest wins. Answers, and lookups on their way, are kept apart from those of other
    /// upstreams, so that what the public DNS denies is not denied inside. `.local` is asked for only where it is
    /// routed. Where there are routes and nothing else, other names are an error,
    /// [`Unroutable::Name`](crate::Unroutable::Name), and nothing is sent.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .route("corp.example", ["tls://192.0.2.53#dns.corp.example".parse()?])
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn route(mut self, domain: impl Into<String>, upstreams: impl IntoIterator<Item = Upstream>) -> Self {
        self.routes.push((domain.into(), upstreams.into_iter().collect()));
        self
    }

    /// How long a lookup may take in all: resolving the upstream's name, connecting, TLS, every attempt and every
    /// pause. 5 s by default, as stub resolvers have taught users to expect. A query can have its own
    /// ([`Query::with_timeout`](crate::Query::with_timeout)).
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// // For a batch that would rather wait than fail.
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .timeout(Duration::from_secs(30))
    ///     .attempts(10)
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How many attempts one lookup makes, over all upstreams. 3 by default: two failures in a row are bad
    /// luck, three are an answer. A [race](Strategy::Race) of more has as many as run in it. No server is asked more
    /// than three times (RFC 9520 Section 3.1), but one that cannot be reached was not asked: with more attempts a
    /// lookup outlasts a longer restart of its only server, each adding about a second.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// let config = Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).attempts(1).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// How long one attempt goes on alone before the next starts beside it. By default it follows the
    /// upstream's round-trip time (the smoothed time and four times its deviation, as TCP's in RFC 6298), within
    /// 0.5 s and 2 s, and is 1 s while nothing is known. An attempt that others could follow never takes more than
    /// half of the time that is left.
    ///
    /// The attempt itself goes on: a slow link is not a dead one, and the first answer wins. An upstream from
    /// which nothing at all came for as long is taken for [sick](crate::config#sick-upstreams).
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// // For a network where every answer is there within 50 ms, or lost.
    /// let config = Config::builder()
    ///     .upstream("tls://192.0.2.1#one.example".parse()?)
    ///     .upstream("tls://192.0.2.2#two.example".parse()?)
    ///     .attempt_timeout(Duration::from_millis(100))
    ///     .timeout(Duration::from_secs(1))
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.settings.attempt_timeout = Some(timeout);
        self
    }

    /// How long one address of an upstream is tried alone before the next joins it. 250 ms by default, 10 ms
    /// at the least (RFC 8305 Section 5). One that fails is followed at once.
    ///
    /// IPv6 goes first and the families take turns, until one has won: it goes first from then on, so that a
    /// family that leads nowhere costs this delay once and not on every connection.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// let config = Config::builder()
    ///     .upstream("tls://dns.quad9.net#ip=2620:fe::fe,9.9.9.9".parse()?)
    ///     .address_delay(Duration::from_millis(100))
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn address_delay(mut self, delay: Duration) -> Self {
        self.settings.address_delay = delay.max(LEAST_ADDRESS_DELAY);
        self
    }

    /// Which upstream is asked first, and what that tells whom. [`Strategy::Ordered`] by default, so that one
    /// operator sees the names and not all of them.
    ///
    /// ```
    /// use privydns_core::{Config, Strategy};
    ///
    /// // The answer of whichever of two is faster, for names that both may know.
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
    ///     .strategy(Strategy::Race(2))
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// The key of `Strategy::Spread`, for a resolver whose names are to go where they went in its last life. It
    /// has to be random and secret.
    ///
    /// ```
    /// use privydns_core::{Config, Strategy};
    ///
    /// # fn kept_from_last_time() -> [u8; 16] { [7; 16] }
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
    ///     .strategy(Strategy::Spread)
    ///     .spread_key(kept_from_last_time())
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    #[cfg(feature = "spread")]
    pub fn spread_key(mut self, key: [u8; 16]) -> Self {
        self.settings.spread_key = Some(key);
        self
    }

    /// Has slow queries sent to a second upstream too: those that take longer than 95 of 100 did, or than a time of
    /// one's own, up to a [share](Hedge::share) of all, 5 % by default. Off by default, since it shows names to a
    /// second operator. [`Stats`](crate::Stats) counts them.
    ///
    /// ```
    /// use privydns_core::{Config, Hedge};
    ///
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
    ///     .hedge(Hedge::adaptive())
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn hedge(mut self, hedge: Hedge) -> Self {
        self.settings.hedge = Some(hedge);
        self
    }

    /// How many lookups may be on their way at once; one more is refused at once, as
    /// [`Overloaded`](crate::ErrorKind::Overloaded). 16384 by default, some tens of megabytes: whoever asks for
    /// more than can be answered is better told than kept waiting.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // For a small device.
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .max_lookups(256)
    ///     .max_waiting(64)
    ///     .max_connections(1)
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_lookups(mut self, lookups: usize) -> Self {
        self.settings.max_lookups = lookups;
        self
    }

    /// How many attempts may wait for room on the connections to one upstream, or for the first of them; a lookup
    /// that would be one more is refused at once, as [`Overloaded`](crate::ErrorKind::Overloaded). 16384 by
    /// default, as many as there may be lookups. A lookup that joins an equal one on its way waits for nothing more.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // Whoever cannot be served soon is told so: with 1000 queries on a connection, 2000 are at work.
    /// let config =
    ///     Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).max_waiting(100).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_waiting(mut self, attempts: usize) -> Self {
        self.settings.max_waiting = attempts;
        self
    }

    /// Connections to one upstream that carry many queries at once (DoT, HTTP/2), at the most. 2 by default: one is
    /// used until it is full (RFC 7766 Section 6.2.2), with 1000 queries over DoT, or as many as the server allows
    /// over HTTP/2, and then one more is opened beside it. One at a time is opened, and none for 5 s after the
    /// server refused one: many allow a client only so many. One that is not there after 1 s is no longer relied on
    /// alone: the next attempt has another begun beside it, since TCP sends again what was lost only after seconds.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // For a server of one's own with room for many, under a load of tens of thousands of queries at once.
    /// let config =
    ///     Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).max_connections(8).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.settings.max_connections = connections;
        self
    }

    /// Connections to one upstream that carry one query at a time (HTTP/1.1), at the most. 6 by default, as
    /// in browsers: servers are used to that many.
    ///
    /// ```
    /// use privydns_core::{Config, HttpVersion, Upstream};
    ///
    /// let behind_a_proxy = Upstream::https("dns.corp.example#ip=192.0.2.1")?.with_http_version(HttpVersion::Http1);
    /// let config = Config::builder().upstream(behind_a_proxy).max_http1_connections(2).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_http1_connections(mut self, connections: usize) -> Self {
        self.settings.max_http1_connections = connections;
        self
    }

    /// Keeps quiet HTTP/2 connections open, by a PING after this long without a word, and gives up one that does
    /// not answer it for as long again; lookups on it are sent again on another.
    ///
    /// Off by default: an idle connection costs its server something. Without it, and over other protocols, one is
    /// closed after 8 s (DoT) or 30 s (DoH), or shortly before the server would, where that says when.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// let config = Config::builder()
    ///     .upstream("https://dns.quad9.net/dns-query#ip=9.9.9.9".parse()?)
    ///     .ping_interval(Duration::from_secs(20))
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = Some(interval);
        self
    }

    /// How answers are kept: limits, TTLs, stale answers, prefetching. By default 10,000 answers in 8 MiB, for as
    /// long as they say, and no longer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::{CacheSettings, Config};
    ///
    /// // Names in use are renewed ahead, and an hour without a network is lived through.
    /// let cache = CacheSettings::default().prefetch(true).serve_stale(Some(Duration::from_secs(3600)));
    /// let config = Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).cache(cache).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.settings.cache = settings;
        self
    }

    /// Checks everything and builds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), which says what cannot work and why.
    pub fn build(self) -> Result<R, Error>
    where
        R: TryFrom<Config>,
        Error: From<R::Error>,
    {
        Ok(R::try_from(self.config()?)?)
    }

    fn config(self) -> Result<Config, Error> {
        self.settings.check()?;
        let settings = self.settings.bounded();
        let mut upstreams = self.upstreams;
        if upstreams.is_empty() && self.routes.is_empty() {
            return Err(ConfigError::NoUpstream.into());
        }
        let general = UpstreamSet((0..upstreams.len()).fold(0, |mask, index| mask | mask_of(index)));
        let mut routes = Vec::new();
        for (domain, own) in self.routes {
            let route = route(&domain, own, &mut upstreams)?;
            if routes.iter().any(|other: &Route| other.suffix == route.suffix) {
                let problem = "the domain has a route already: give all its upstreams at once";
                return Err(ConfigError::Setting { setting: "route", problem }.into());
            }
            routes.push(route);
        }
        if upstreams.len() > MAX_UPSTREAMS {
            return Err(ConfigError::TooManyUpstreams(MAX_UPSTREAMS).into());
        }
        routes.sort_by_key(|route: &Route| std::cmp::Reverse(route.suffix.as_wire().len()));
        let mut config = Config { upstreams: Vec::new(), general, routes, settings };
        let resolvers = config.resolvers(&upstreams)?;
        for (upstream, bootstrap) in upstreams.into_iter().zip(resolvers) {
            config.upstreams.push(Configured::new(upstream, bootstrap)?);
        }
        Ok(config)
    }
}

/// A route to its own upstreams, those among them that are known already not added again.
fn route(domain: &str, own: Vec<Upstream>, upstreams: &mut Vec<Upstream>) -> Result<Route, Error> {
    let broken = |problem| ConfigError::Setting { setting: "route", problem };
    let suffix = QueryName::parse(domain).map_err(|_| broken("the domain is no domain name"))?;
    if own.is_empty() {
        return Err(broken("no upstream is given for the domain").into());
    }
    let mut order = Vec::new();
    for upstream in own {
        let known = upstreams.iter().position(|other| *other == upstream);
        order.push(known.unwrap_or(upstreams.len()));
        if known.is_none() {
            upstreams.push(upstream);
        }
    }
    let upstream_set = UpstreamSet(order.iter().fold(0, |mask, index| mask | mask_of(*index)));
    Ok(Route { suffix, upstream_set, order })
}

/// The bit of an upstream; none past the limit, which is refused later.
fn mask_of(index: usize) -> u64 {
    if index < MAX_UPSTREAMS { 1 << index } else { 0 }
}

impl<R> Default for ResolverBuilder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for ResolverBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolverBuilder")
            .field("upstreams", &self.upstreams.iter().map(Upstream::label).collect::<Vec<_>>())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
