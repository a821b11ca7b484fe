//! The configuration of a resolver, and the policies that cannot be configured.
//!
//! [`ResolverBuilder`] documents all settings with their defaults and reasons. The other policies are:
//!
//! # Stale connections
//!
//! The server may have closed an idle connection before its next use. If a connection that has answered before is lost,
//! its queries are sent again on a new connection, immediately and without costing an attempt, once per lookup and
//! upstream. [`Answer::attempts`](crate::Answer::attempts) does not count these repetitions.
//!
//! Idle connections are closed before the server closes them: after 8 s for DNS over TLS and 30 s for DNS over HTTPS,
//! which is earlier than most servers do, or shortly before the timeout that the server announces (EDNS keepalive, RFC
//! 7828). Every query over DNS over TLS asks for this timeout. A timeout of 0 means that the connection takes no more
//! queries.
//!
//! # Unhealthy upstreams
//!
//! An upstream is unhealthy if it cannot be reached, if no bytes arrive from it for the time of an attempt, or if it
//! answers over HTTP three times in a row without a DNS message. Lookups with another upstream skip unhealthy upstreams
//! for 5 s at first, and for twice as long after each further failure, up to 5 min. Then the resolver sends a query of
//! its own, for the name servers of the root, which reveals no name that a user has looked up. Only this query waits for
//! the upstream. Lookups use the upstream again after the answer. If an upstream that used to answer stops answering, it
//! is probed in the same way, on a new connection, after the first missing answer.
//!
//! If all upstreams are unhealthy, the upstream with the oldest failure is tried immediately, on a connection that was begun
//! at most 1 s before. Lookups therefore work again as soon as an interrupted network is back. Failures to connect are
//! not remembered for names. A healthy upstream's answer is final if the other upstreams are unhealthy.
//!
//! ```
//! use privydns_core::Stats;
//!
//! /// The upstreams that lookups skip at present.
//! fn unhealthy(stats: &Stats) -> impl Iterator<Item = &str> {
//!     stats.upstreams.iter().filter(|upstream| upstream.is_unhealthy).map(|upstream| &*upstream.upstream)
//! }
//! ```
//!
//! RFC 7858 Section 3.1 recommends that a client remember for about an hour that a server does not support DNS over TLS.
//! The recommendation is for clients that can use another protocol in the meantime. Here there is no other protocol, so
//! a pause of an hour after each restart of a server would be an hour without DNS. One connection every 5 min at most is
//! also no burden for a server without DNS over TLS.
//!
//! # Remembered failures
//!
//! Failure codes for a query (SERVFAIL, REFUSED and others) are remembered per upstream for 1 s, and for twice as long
//! after each repetition, up to 5 min (RFC 9520). During this time, the query is sent to the other upstreams. If there is
//! no other upstream, the failure is returned immediately. Clearing the cache clears the failures. At most 4096 failures
//! are remembered. To send a query in spite of a remembered failure, bypass the cache:
//!
//! ```
//! use privydns_core::{CacheUse, Query, RecordType};
//!
//! let query = Query::new("example.com", RecordType::A)?.with_cache_use(CacheUse::Bypass);
//! # Ok::<_, privydns_core::Error>(())
//! ```
//!
//! # Network changes and system sleep
//!
//! A network change ([`Input::NetworkChanged`](crate::Input::NetworkChanged), `network_changed` of a resolver) discards
//! connections, TLS tickets, round-trip times, pauses of unhealthy upstreams and remembered failures. Lookups in flight
//! start again, with all their attempts and their remaining time. The cache is kept. If the wall clock advances more than
//! 10 s further than the monotonic clock, the system has slept. Sleep counts as a network change, and cached answers age
//! by its duration. [`Stats::network_changes`](crate::Stats::network_changes) counts both.

mod bootstrap;
mod builder;
#[cfg(feature = "serde")]
mod file;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::ResolverBuilder;
#[cfg(feature = "serde")]
pub use file::ConfigFile;
pub(crate) use settings::{LONGEST_TIME, Settings};

use crate::cache::UpstreamSet;
use crate::doh::Endpoint;
use crate::error::{ConfigError, Error, Unroutable};
use crate::message::{Query, QueryName};
use crate::tls::TlsSetup;
use crate::upstream::Upstream;

/// The maximum number of upstreams per resolver, including the upstreams of routes.
pub const MAX_UPSTREAMS: usize = 64;

/// A validated configuration, with the TLS configurations of all upstreams.
#[derive(Clone)]
pub struct Config {
    pub(crate) upstreams: Vec<Configured>,
    /// The upstreams for names without a route.
    general: UpstreamSet,
    /// Longest suffix first.
    routes: Vec<Route>,
    pub(crate) settings: Settings,
}

/// An upstream with its TLS configurations and its DoH endpoint.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) upstream: Upstream,
    pub(crate) tls: Arc<TlsSetup>,
    /// The endpoint of requests for DNS over HTTPS.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
    /// The upstreams that resolve this upstream's name. Empty if the upstream has an address.
    pub(crate) bootstrap: UpstreamSet,
}

/// A domain whose names are only sent to certain upstreams.
#[derive(Clone, Debug)]
struct Route {
    suffix: QueryName,
    upstream_set: UpstreamSet,
    /// The same upstreams in the order of the configuration.
    order: Vec<usize>,
}

impl Config {
    /// A builder with every default set and no upstream.
    pub fn builder() -> ResolverBuilder {
        ResolverBuilder::new()
    }

    /// The upstreams in the order of the configuration: first the general upstreams, then the upstreams of routes.
    pub fn upstreams(&self) -> impl ExactSizeIterator<Item = &Upstream> {
        self.upstreams.iter().map(|configured| &configured.upstream)
    }

    /// The maximum number of concurrent lookups.
    pub fn max_lookups(&self) -> usize {
        self.settings.max_lookups
    }

    /// The delay between connection attempts to the addresses of an upstream.
    pub fn address_delay(&self) -> Duration {
        self.settings.address_delay
    }

    /// The upstreams that may answer a query.
    pub(crate) fn upstream_set(&self, query: &Query) -> Result<UpstreamSet, Error> {
        let upstream_set = self.route(query.name()).map_or(self.general, |route| route.upstream_set);
        if upstream_set == UpstreamSet(0) {
            return Err(Unroutable::Name.into());
        }
        let Some(protocol) = query.protocol() else { return Ok(upstream_set) };
        let speaks = |upstream: &usize| self.upstreams[*upstream].upstream.protocol() == protocol;
        let mask = upstream_set.upstreams().filter(speaks).fold(0, |mask, upstream| mask | 1 << upstream);
        if mask == 0 { Err(Unroutable::Protocol.into()) } else { Ok(UpstreamSet(mask)) }
    }

    /// Sorts the upstreams of a name in the order of its route.
    pub(crate) fn sort(&self, name: &QueryName, upstreams: &mut [usize]) {
        if let Some(route) = self.route(name) {
            upstreams.sort_by_key(|upstream| route.order.iter().position(|other| other == upstream));
        }
    }

    /// The upstreams in the order of the configuration: one list for names without a route, and one for each route.
    pub(crate) fn preferences(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let general = std::iter::once(self.general.upstreams().collect::<Vec<_>>());
        let routes = self.routes.iter().map(|route| route.order.clone());
        general.chain(routes).map(Vec::into_iter)
    }

    pub(crate) fn is_routed(&self, name: &QueryName) -> bool {
        self.route(name).is_some()
    }

    fn route(&self, name: &QueryName) -> Option<&Route> {
        self.routes.iter().find(|route| name.is_subdomain_of(&route.suffix))
    }
}

impl Configured {
    fn new(upstream: Upstream, bootstrap: UpstreamSet) -> Result<Self, ConfigError> {
        let tls = Arc::new(TlsSetup::new(
            upstream.tls_requirements(),
            upstream.authentication(),
            crate::tls::provider(),
        )?);
        let endpoint = Endpoint::of(&upstream).map(Arc::new);
        Ok(Self { upstream, tls, endpoint, bootstrap })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("upstreams", &self.upstreams().map(Upstream::label).collect::<Vec<_>>())
            .field("routes", &self.routes)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::QueryName;
    use crate::rr::RecordType;
    use crate::upstream::Protocol;

    fn upstream(text: &str) -> Upstream {
        text.parse().expect("a test's upstream")
    }

    fn upstream_set(config: &Config, name: &str) -> Vec<usize> {
        let query = Query::new(name, RecordType::A).expect("a test's name");
        config.upstream_set(&query).expect("a group").upstreams().collect()
    }

    #[test]
    fn names_in_a_route_are_sent_to_its_upstreams_only() {
        let config = Config::builder()
            .upstream(upstream("tls://192.0.2.1#a.example"))
            .route("corp.example", [upstream("tls://192.0.2.2#b.example")])
            .route(
                "lab.corp.example.",
                [upstream("tls://192.0.2.3#c.example"), upstream("tls://192.0.2.1#a.example")],
            )
            .build()
            .expect("a configuration");
        assert_eq!(upstream_set(&config, "example"), [0]);
        assert_eq!(upstream_set(&config, "notcorp.example"), [0]);
        assert_eq!(upstream_set(&config, "corp.example"), [1]);
        assert_eq!(upstream_set(&config, "WWW.corp.example"), [1]);
        assert_eq!(upstream_set(&config, "x.lab.corp.example"), [0, 2]);
        assert!(config.is_routed(&QueryName::parse("a.corp.example").expect("a name")));
    }

    #[test]
    fn query_for_a_protocol_without_upstreams_is_an_error() {
        let config = Config::builder()
            .upstream(upstream("tls://192.0.2.1#a.example"))
            .build()
            .expect("a configuration");
        let query = Query::new("example", RecordType::A).expect("a name").with_protocol(Protocol::Https);
        assert!(config.upstream_set(&query).is_err());
    }

    /// A known fault: `*` is a literal label, so internal names are sent to the general upstreams.
    /// Right: the domain is refused with the advice to write `corp.example`.
    #[test]
    fn fault_w9_a_route_with_an_asterisk_sends_names_to_general_upstreams() {
        for domain in ["*.corp.example", "_.corp.example"] {
            let config = Config::builder()
                .upstream(upstream("tls://192.0.2.1#public.example"))
                .route(domain, [upstream("tls://192.0.2.2#internal.example")])
                .build()
                .expect("a configuration");
            assert_eq!(upstream_set(&config, "payroll.corp.example"), [0], "{domain}");
        }
    }

    /// Conformance 45: RFC 8305 Section 5.
    #[test]
    fn address_delay_is_at_least_ten_milliseconds() {
        let delay =
            |builder: ResolverBuilder| builder.build().expect("a configuration").settings.address_delay;
        let base = || Config::builder().upstream(upstream("tls://192.0.2.1#a.example"));
        assert_eq!(delay(base()), Duration::from_millis(250));
        assert_eq!(delay(base().address_delay(Duration::ZERO)), Duration::from_millis(10));
        assert_eq!(delay(base().address_delay(Duration::from_millis(11))), Duration::from_millis(11));
    }

    #[test]
    fn invalid_settings_are_refused_by_name() {
        let base = || Config::builder().upstream(upstream("tls://192.0.2.1#a.example"));
        let refused = |builder: ResolverBuilder| builder.build().expect_err("no configuration").to_string();
        assert!(refused(Config::builder()).contains("no upstream"));
        assert!(refused(base().attempts(0)).contains("attempts"));
        assert!(refused(base().timeout(std::time::Duration::ZERO)).contains("timeout"));
        assert!(refused(base().max_connections(0)).contains("max_connections"));
        assert!(refused(base().strategy(crate::Strategy::Race(0))).contains("strategy"));
        assert!(refused(base().route("not..a.name", [])).contains("route"));
        assert!(refused(base().route("corp.example", [])).contains("no upstream"));
        let many = (0..=64).map(|number| upstream(&format!("tls://192.0.2.{number}#a.example")));
        assert!(refused(Config::builder().upstreams(many)).contains("64"));
        let own = || [upstream("tls://192.0.2.1#a.example")];
        assert!(refused(base().route("a.example", own()).route("A.example.", own())).contains("already"));
    }
}
