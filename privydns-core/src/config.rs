//! What a resolver is told once, when it is built.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::{CacheSettings, Group};
use crate::doh::Endpoint;
use crate::error::{ConfigError, Error};
use crate::message::Query;
use crate::tls::TlsSetup;
use crate::upstream::Upstream;

/// Upstreams of one resolver, at the most.
pub const MAX_UPSTREAMS: usize = 64;

/// A configuration that was checked: every upstream's TLS is set up, every number can work.
#[derive(Clone)]
pub struct Config {
    pub(crate) upstreams: Vec<Configured>,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) max_lookups: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_http1_connections: usize,
    pub(crate) cache: CacheSettings,
}

/// An upstream, ready to be dialled.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) upstream: Upstream,
    pub(crate) tls: Arc<TlsSetup>,
    /// Where requests go, for an upstream that is asked over HTTPS.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
}

/// Builds a [`Config`], or the resolver `R` of a runtime crate from it. Every crate's `Resolver::builder()`
/// is this one type, so that what is said here holds for all of them.
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
pub struct Builder<R = Config> {
    upstreams: Vec<Upstream>,
    timeout: Duration,
    attempts: u32,
    attempt_timeout: Option<Duration>,
    max_lookups: usize,
    max_connections: usize,
    max_http1_connections: usize,
    cache: CacheSettings,
    builds: PhantomData<fn() -> R>,
}

impl Config {
    /// A builder with every default set and no upstream.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The upstreams, in the order given.
    pub fn upstreams(&self) -> impl ExactSizeIterator<Item = &Upstream> {
        self.upstreams.iter().map(|configured| &configured.upstream)
    }

    /// The upstreams that may answer a query.
    pub(crate) fn group(&self, query: &Query) -> Result<Group, Error> {
        let wanted = query.protocol_wanted();
        let mask = self.upstreams.iter().enumerate().fold(0, |mask, (index, configured)| {
            let speaks = wanted.is_none_or(|protocol| configured.upstream.protocol() == protocol);
            mask | u64::from(speaks) << index
        });
        if mask == 0 { Err(ConfigError::NoSuchProtocol.into()) } else { Ok(Group(mask)) }
    }

    /// The upstreams of a group, in the order to try them.
    pub(crate) fn order(&self, group: Group) -> impl Iterator<Item = usize> + use<> {
        (0..self.upstreams.len()).filter(move |index| group.0 >> index & 1 == 1)
    }
}

impl<R> Builder<R> {
    /// A builder with every default set and no upstream.
    pub fn new() -> Self {
        Self {
            upstreams: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 3,
            attempt_timeout: None,
            max_lookups: 16_384,
            max_connections: 2,
            max_http1_connections: 6,
            cache: CacheSettings::default(),
            builds: PhantomData,
        }
    }

    /// Adds an upstream. Those given first are preferred.
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.upstreams.push(upstream);
        self
    }

    /// Adds several upstreams.
    pub fn upstreams(mut self, upstreams: impl IntoIterator<Item = Upstream>) -> Self {
        self.upstreams.extend(upstreams);
        self
    }

    /// How long a lookup may take in all: connecting, TLS, every attempt and every pause. 5 s by default, as
    /// stub resolvers have taught users to expect. At most a day. A query can have its own.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many attempts one lookup makes, over all upstreams. 3 by default: two failures in a row are bad
    /// luck, three are an answer (RFC 9520 Section 3.1 allows no more at one server).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long one attempt goes on alone before the next starts beside it. By default it follows the
    /// upstream's round-trip time, within 0.5 s and 2 s, and is 1 s while nothing is known.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// How many lookups may be on their way at once; one more is refused as overloaded. 16384 by default, some
    /// tens of megabytes.
    pub fn max_lookups(mut self, lookups: usize) -> Self {
        self.max_lookups = lookups;
        self
    }

    /// Connections to one upstream that carry many queries at once (DoT, HTTP/2), at the most. One is used
    /// until it is full (RFC 7766 Section 6.2.2). 2 by default.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Connections to one upstream that carry one query at a time (HTTP/1.1), at the most. 6 by default, as
    /// in browsers.
    pub fn max_http1_connections(mut self, connections: usize) -> Self {
        self.max_http1_connections = connections;
        self
    }

    /// How answers are kept.
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.cache = settings;
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
        let config = self.config()?;
        Ok(R::try_from(config)?)
    }

    fn config(self) -> Result<Config, Error> {
        let check = |holds: bool, setting, problem| {
            if holds { Ok(()) } else { Err(ConfigError::Setting { setting, problem }) }
        };
        check(!self.timeout.is_zero(), "timeout", "no lookup can end in no time")?;
        check(self.attempts > 0, "attempts", "at least one is needed")?;
        check(
            self.attempt_timeout != Some(Duration::ZERO),
            "attempt_timeout",
            "no attempt can end in no time",
        )?;
        check(self.max_lookups > 0, "max_lookups", "at least one is needed")?;
        check(self.max_connections > 0, "max_connections", "at least one is needed")?;
        check(self.max_http1_connections > 0, "max_http1_connections", "at least one is needed")?;
        if self.upstreams.is_empty() {
            return Err(ConfigError::NoUpstream.into());
        }
        if self.upstreams.len() > MAX_UPSTREAMS {
            return Err(ConfigError::TooManyUpstreams(MAX_UPSTREAMS).into());
        }
        Ok(Config {
            upstreams: self.upstreams.into_iter().map(Configured::new).collect::<Result<_, _>>()?,
            timeout: self.timeout,
            attempts: self.attempts,
            attempt_timeout: self.attempt_timeout,
            max_lookups: self.max_lookups,
            max_connections: self.max_connections,
            max_http1_connections: self.max_http1_connections,
            cache: self.cache,
        })
    }
}

impl<R> Default for Builder<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl Configured {
    fn new(upstream: Upstream) -> Result<Self, ConfigError> {
        if upstream.needs_bootstrap() {
            let problem = format!("{} has a name and no address: give one with `ip=`", upstream.label());
            return Err(ConfigError::Upstream(problem));
        }
        let tls = Arc::new(TlsSetup::new(&upstream, crate::tls::provider())?);
        let endpoint = Endpoint::of(&upstream).map(Arc::new);
        Ok(Self { upstream, tls, endpoint })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.upstreams.iter().map(|configured| configured.upstream.label());
        f.debug_struct("Config")
            .field("upstreams", &labels.collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.upstreams.iter().map(Upstream::label);
        f.debug_struct("Builder").field("upstreams", &labels.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
