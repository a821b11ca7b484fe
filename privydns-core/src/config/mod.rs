//! The configuration of a resolver: the builder with every setting, and the configuration file.
//!
//! The policies that cannot be configured are described in the [guide](crate::guide::policies).

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
    use crate::RecordType;
    use crate::message::QueryName;
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
        assert!(refused(base().route("not..a.name", [])).contains("route"));
        assert!(refused(base().route("corp.example", [])).contains("no upstream"));
        let many = (0..=64).map(|number| upstream(&format!("tls://192.0.2.{number}#a.example")));
        assert!(refused(Config::builder().upstreams(many)).contains("64"));
        let own = || [upstream("tls://192.0.2.1#a.example")];
        assert!(refused(base().route("a.example", own()).route("A.example.", own())).contains("already"));
    }
}
