//! The builder of configurations and resolvers.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::{Config, Configured, MAX_UPSTREAMS, Route, Settings};
use crate::cache::{CacheSettings, UpstreamSet};
use crate::error::{ConfigError, Error};
use crate::message::QueryName;
use crate::schedule::{Hedge, Strategy};
use crate::upstream::Upstream;

/// The minimum delay between connection attempts to two addresses (RFC 8305 Section 5).
const LEAST_ADDRESS_DELAY: Duration = Duration::from_millis(10);

/// Builds a [`Config`], or the resolver `R` of a runtime crate. `Resolver::builder()` of all runtime crates returns this
/// type, so this documentation is valid for all of them. Times of more than a day are reduced to a day.
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
    /// Creates a builder with the defaults and without upstreams.
    pub fn new() -> Self {
        Self { upstreams: Vec::new(), routes: Vec::new(), settings: Settings::default(), builds: PhantomData }
    }

    /// Adds an upstream. Upstreams that are added first are preferred.
    ///
    /// The name of an upstream without an address is resolved by the other upstreams, encrypted, and never by the
    /// system's resolver. If the name belongs to a [`route`](Self::route), the upstreams of the route resolve it.
    /// Addresses are kept for their TTL, and after that until newer ones are received. [`build`](Self::build) returns an
    /// error with the names of upstreams that can only be resolved by each other.
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

    /// Adds several upstreams in the given order.
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

    /// Adds a route: names in the domain and below are only sent to these upstreams, even if all of them fail. An example
    /// is an internal zone that only a company's resolver knows, over mutual TLS. The upstreams are used in the given
    /// order.
    ///
    /// If several routes match, the longest domain applies. Cached answers and lookups in flight are separate per
    /// set of upstreams, so a name that the public DNS denies can exist inside. `.local` is only sent if it has a route.
    /// If all upstreams belong to routes, lookups of other names fail with [`Unroutable::Name`](crate::Unroutable::Name),
    /// and no query is sent.
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

    /// Sets the timeout of a lookup, including the resolution of the upstream's name, connecting, TLS, all attempts and
    /// all pauses. The default is 5 s, which users know from other stub resolvers. A query can have a timeout of its own
    /// ([`Query::with_timeout`](crate::Query::with_timeout)).
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// // A batch job, which can wait longer.
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

    /// Sets the maximum number of attempts per lookup, over all upstreams. The default is 3, which survives two
    /// accidental failures. A [race](Strategy::Race) of more upstreams has as many attempts as upstreams. A query is sent
    /// at most three times to the same server (RFC 9520 Section 3.1). Attempts that do not reach the server do not count
    /// towards this limit, so with more attempts a lookup survives a longer restart of its only server; each attempt adds
    /// about one second.
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

    /// Sets the time after which the next attempt starts in parallel. The default depends on the upstream's round-trip
    /// time (the smoothed time plus four times its deviation, as for TCP in RFC 6298), between 0.5 s and 2 s. It is 1 s
    /// while the round-trip time is unknown. As long as other attempts can follow, an attempt takes at most half of the
    /// remaining time.
    ///
    /// The earlier attempt continues, because the upstream may only be slow, and the first answer wins. An upstream from
    /// which no bytes arrive during this time becomes [unhealthy](crate::guide::policies#unhealthy-upstreams).
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::Config;
    ///
    /// // A network in which answers arrive within 50 ms or not at all.
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

    /// Sets the delay between connection attempts to the addresses of an upstream. The default is 250 ms, the minimum
    /// 10 ms (RFC 8305 Section 5). If an address fails, the next one is tried immediately.
    ///
    /// IPv6 is tried first, and the address families alternate. The family of the first successful connection is tried
    /// first from then on, so a family that does not work causes this delay only once.
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

    /// Sets the strategy that selects the upstreams of a lookup and decides which operators see the name. The default is
    /// [`Strategy::Ordered`], with which one operator sees the names.
    ///
    /// ```
    /// use privydns_core::{Config, Strategy};
    ///
    /// // The faster answer of two upstreams, both of which see the names.
    /// let config = Config::builder()
    ///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
    ///     .upstream("tls://1.1.1.1#cloudflare-dns.com".parse()?)
    ///     .strategy(Strategy::race(2))
    ///     .build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Sets the key of `Strategy::Spread`, so that names are assigned to the same upstreams after a restart. The key must
    /// be random and secret. By default, each resolver creates its own key.
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

    /// Turns on hedging: slow queries are also sent to a second upstream. A query is slow if it takes longer than 95 of
    /// 100 previous queries, or longer than a given time. At most a [share](Hedge::share) of all queries is hedged, 5 %
    /// by default. Off by default, because a second operator sees the names. [`Stats`](crate::Stats) counts hedged
    /// queries.
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

    /// Sets the maximum number of concurrent lookups. Further lookups fail immediately with
    /// [`Overloaded`](crate::ErrorKind::Overloaded), because waiting would not help an overloaded application. The
    /// default is 16384, some tens of megabytes.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // A small device.
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

    /// Sets the maximum number of attempts per upstream that wait for a connection. Further lookups fail immediately with
    /// [`Overloaded`](crate::ErrorKind::Overloaded). The default is 16384, the default limit of concurrent lookups. A
    /// lookup that joins an equal lookup in flight does not count.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // Lookups fail early under load: 2000 queries are in flight on two connections, and 100 may wait.
    /// let config =
    ///     Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).max_waiting(100).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_waiting(mut self, attempts: usize) -> Self {
        self.settings.max_waiting = attempts;
        self
    }

    /// Sets the maximum number of multiplexed connections (DoT, HTTP/2) per upstream. The default is 2. One connection is
    /// used until it is full (RFC 7766 Section 6.2.2), with 1000 queries over DoT or the server's limit over HTTP/2; then
    /// a second one is opened. Connections are opened one at a time. After the server has refused a connection, no other
    /// is opened for 5 s, because many servers limit the connections of a client. If a connection is not established
    /// after 1 s, the next attempt begins another one in parallel, because TCP retransmits lost packets only after
    /// seconds.
    ///
    /// ```
    /// use privydns_core::Config;
    ///
    /// // A private server without such a limit, for tens of thousands of concurrent queries.
    /// let config =
    ///     Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).max_connections(8).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.settings.max_connections = connections;
        self
    }

    /// Sets the maximum number of connections with one query at a time (HTTP/1.1) per upstream. The default is 6, the
    /// number that browsers use and servers expect.
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

    /// Keeps idle HTTP/2 connections open with a PING after each interval without received bytes. If the PING is not
    /// answered within another interval, the connection is closed, and its queries are sent again on another one.
    ///
    /// Off by default, because idle connections use resources of the server. Without PINGs, and with other protocols,
    /// idle connections are closed after 8 s (DoT) or 30 s (DoH), or shortly before the timeout that the server
    /// announces.
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

    /// Sets the limits and policies of the cache: TTLs, stale answers, prefetching. By default, the cache holds 10,000
    /// answers in 8 MiB for their TTL.
    ///
    /// ```
    /// use std::time::Duration;
    /// use privydns_core::{CacheSettings, Config};
    ///
    /// // Names in use are renewed in advance, and answers remain available for an hour without a network.
    /// let cache = CacheSettings::default().prefetch(true).serve_stale(Duration::from_secs(3600));
    /// let config = Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).cache(cache).build()?;
    /// # Ok::<_, privydns_core::Error>(())
    /// ```
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.settings.cache = settings;
        self
    }

    /// Validates the settings and builds the configuration or the resolver.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the invalid setting and the reason.
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
                let problem = "the domain already has a route: pass all its upstreams at once";
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

/// Creates a route and adds its upstreams to `upstreams`, except for upstreams that are already present.
fn route(domain: &str, own: Vec<Upstream>, upstreams: &mut Vec<Upstream>) -> Result<Route, Error> {
    let broken = |problem| ConfigError::Setting { setting: "route", problem };
    let suffix = QueryName::parse(domain).map_err(|_| broken("the domain is not a domain name"))?;
    if own.is_empty() {
        return Err(broken("no upstream for the domain").into());
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

/// The bit of an upstream. 0 beyond the limit, which is checked later.
fn mask_of(index: usize) -> u64 {
    if index < MAX_UPSTREAMS { 1 << index } else { 0 }
}

impl<R> Clone for ResolverBuilder<R> {
    fn clone(&self) -> Self {
        let Self { upstreams, routes, settings, builds } = self;
        let (upstreams, routes) = (upstreams.clone(), routes.clone());
        Self { upstreams, routes, settings: settings.clone(), builds: *builds }
    }
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
