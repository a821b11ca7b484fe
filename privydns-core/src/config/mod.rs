//! What a resolver is told once, when it is built; and what it does without being told.
//!
//! Every number that can be set is documented at the [`ResolverBuilder`], with its default and the reason for it. The rest
//! of the policies have nothing to set:
//!
//! # Stale connections
//!
//! A kept connection may be gone by the time that it is used. Queries that are lost with a connection that had
//! answered before are sent again on a new one, at once and at no cost in attempts: once for each lookup and
//! upstream. [`Answer::attempts`](crate::Answer::attempts) does not count them.
//!
//! They are closed before the server would: after 8 s without a query over DNS over TLS and 30 s over DNS over HTTPS,
//! sooner than most servers do, or shortly before the time that the server tells (EDNS keepalive, RFC 7828).
//! Every query over DNS over TLS asks for that time; one of 0 means that the connection takes no more queries.
//!
//! # Sick upstreams
//!
//! An upstream that cannot be reached, or from which nothing came for the time of an attempt, or that answers over
//! HTTP three times in a row with something else than DNS, is sick: lookups that have another pass over it, for 5 s at
//! first, then for twice as long after each further failure, up to 5 min.
//! When that is over, a query of the resolver's own (for the name servers of the root, which tells nothing of
//! anybody) finds out whether it is back. It alone waits for the upstream; lookups go there again once it has been
//! answered. One gone silent that used to answer is found out in the same way, on a new connection, after its first
//! missing answer.
//!
//! When all are sick, the one that failed longest ago is tried at once, on a connection begun no longer than 1 s
//! before, so that a network that was away costs no more than the time that it was away. Failures to connect are never
//! held against names. What an upstream that is well says of a name is final where the others are sick.
//!
//! ```
//! use privydns_core::Stats;
//!
//! /// Which upstreams lookups do without at present.
//! fn passed_over(stats: &Stats) -> impl Iterator<Item = &str> {
//!     stats.upstreams.iter().filter(|upstream| upstream.is_unhealthy).map(|upstream| &*upstream.upstream)
//! }
//! ```
//!
//! RFC 7858 Section 3.1 recommends that a client remember for about an hour that a server does not speak DNS over
//! TLS. That is for clients that would speak another protocol to it meanwhile. Here there is no other, and to wait
//! for an hour after each restart of a server would be to have no DNS for an hour; asked at the most every 5 min
//! by one connection, a server that does not speak DNS over TLS is not bothered either.
//!
//! # Failures remembered
//!
//! That an upstream could not resolve a question (SERVFAIL, REFUSED and other failure codes) is remembered for 1 s,
//! and for twice as long each time it happens again, up to 5 min (RFC 9520): it is not asked, others are, and if
//! there are none the failure is told again at once. It is forgotten when the cache is cleared, and 4096 failures
//! are remembered at the most. A query can insist:
//!
//! ```
//! use privydns_core::{CacheUse, Query, RecordType};
//!
//! let query = Query::new("example.com", RecordType::A)?.with_cache_use(CacheUse::Bypass);
//! # Ok::<_, privydns_core::Error>(())
//! ```
//!
//! # Other networks, and sleep
//!
//! On a network change ([`Input::NetworkChanged`](crate::Input::NetworkChanged), `network_changed` of a resolver)
//! connections, TLS tickets, round-trip times and everything held against anybody are void. Lookups on their way
//! begin anew, with all their attempts and the time that they have left. The cache stays. A wall clock that is more
//! than 10 s ahead of the steady one is a machine that slept, and counts as such a change; answers in the cache
//! have aged by as much. [`Stats::network_changes`](crate::Stats::network_changes) counts both.

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

/// Upstreams of one resolver, those of its routes included, at the most.
pub const MAX_UPSTREAMS: usize = 64;

/// A configuration that was checked: every upstream's TLS is set up, every number can work.
#[derive(Clone)]
pub struct Config {
    pub(crate) upstreams: Vec<Configured>,
    /// The upstreams that answer whatever no route is for.
    general: UpstreamSet,
    /// Longest suffix first.
    routes: Vec<Route>,
    pub(crate) settings: Settings,
}

/// An upstream, ready to be dialled.
#[derive(Clone)]
pub(crate) struct Configured {
    pub(crate) upstream: Upstream,
    pub(crate) tls: Arc<TlsSetup>,
    /// Where requests go, for an upstream that is asked over HTTPS.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
    /// The upstreams that resolve its name; none where it has an address.
    pub(crate) bootstrap: UpstreamSet,
}

/// Names that only some upstreams may be asked for.
#[derive(Clone, Debug)]
struct Route {
    suffix: QueryName,
    upstream_set: UpstreamSet,
    /// The same upstreams, in the order given.
    order: Vec<usize>,
}

impl Config {
    /// A builder with every default set and no upstream.
    pub fn builder() -> ResolverBuilder {
        ResolverBuilder::new()
    }

    /// The upstreams: the general ones in the order given, then those of routes.
    pub fn upstreams(&self) -> impl ExactSizeIterator<Item = &Upstream> {
        self.upstreams.iter().map(|configured| &configured.upstream)
    }

    /// How many lookups may be on their way at once.
    pub fn max_lookups(&self) -> usize {
        self.settings.max_lookups
    }

    /// How long one address is tried alone before the next joins it.
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

    /// Puts upstreams that may answer for a name in the order in which they were given for it.
    pub(crate) fn sort(&self, name: &QueryName, upstreams: &mut [usize]) {
        if let Some(route) = self.route(name) {
            upstreams.sort_by_key(|upstream| route.order.iter().position(|other| other == upstream));
        }
    }

    /// The upstreams for each kind of names, in the order given: the general ones, and those of each route.
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
    fn names_of_a_route_go_to_its_upstreams_and_to_no_others() {
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
    fn a_protocol_that_no_upstream_speaks_is_an_error() {
        let config = Config::builder()
            .upstream(upstream("tls://192.0.2.1#a.example"))
            .build()
            .expect("a configuration");
        let query = Query::new("example", RecordType::A).expect("a name").with_protocol(Protocol::Https);
        assert!(config.upstream_set(&query).is_err());
    }

    /// A known fault: `*` is taken for a literal label, so that internal names go to the general upstreams.
    /// Right: the domain is refused, with a sentence that says to write `corp.example`.
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
    fn addresses_join_ten_milliseconds_apart_at_the_least() {
        let delay =
            |builder: ResolverBuilder| builder.build().expect("a configuration").settings.address_delay;
        let base = || Config::builder().upstream(upstream("tls://192.0.2.1#a.example"));
        assert_eq!(delay(base()), Duration::from_millis(250));
        assert_eq!(delay(base().address_delay(Duration::ZERO)), Duration::from_millis(10));
        assert_eq!(delay(base().address_delay(Duration::from_millis(11))), Duration::from_millis(11));
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
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
