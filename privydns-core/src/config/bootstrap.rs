//! Bootstrap: the upstreams that resolve the names of upstreams without an address.

use super::Config;
use crate::RecordType;
use crate::cache::UpstreamSet;
use crate::error::ConfigError;
use crate::message::{Query, QueryName, SpecialUse, local_answer, special_use};
use crate::upstream::Upstream;

impl Config {
    /// Returns the resolvers of each upstream's name: of the upstreams that may answer for the name, all that have an
    /// address or are resolved before. Upstreams that remain can only be resolved by each other; the error contains their
    /// labels.
    pub(super) fn resolvers(&self, upstreams: &[Upstream]) -> Result<Vec<UpstreamSet>, ConfigError> {
        let mut resolvers = vec![UpstreamSet(0); upstreams.len()];
        let is_reachable =
            |index: &usize| !upstreams[*index].needs_bootstrap() || is_local(&upstreams[*index]);
        let (mut resolved, mut unresolved) = (0..upstreams.len()).partition::<Vec<_>, _>(is_reachable);
        let mut reachable = 0;
        while !resolved.is_empty() {
            reachable |= resolved.iter().fold(0, |mask, index| mask | 1 << index);
            (resolved, unresolved) = unresolved.into_iter().partition(|index| {
                resolvers[*index] = UpstreamSet(self.responsible(&upstreams[*index]).0 & reachable);
                resolvers[*index] != UpstreamSet(0)
            });
        }
        let names = unresolved.iter().map(|index| upstreams[*index].label()).collect::<Vec<_>>();
        if names.is_empty() { Ok(resolvers) } else { Err(ConfigError::Bootstrap(names.join(", "))) }
    }

    /// The upstreams that may answer for an upstream's name, as for any lookup of the name.
    fn responsible(&self, upstream: &Upstream) -> UpstreamSet {
        let Some(name) = name(upstream) else { return UpstreamSet(0) };
        match (self.route(&name), special_use(&name)) {
            (Some(route), None | Some(SpecialUse { is_routable: true, .. })) => route.upstream_set,
            (None, None) => self.general,
            (_, Some(_)) => UpstreamSet(0),
        }
    }
}

/// Whether the upstream's name is answered locally: `localhost`.
fn is_local(upstream: &Upstream) -> bool {
    let name = upstream.server_name().to_str();
    Query::new(&name, RecordType::A).is_ok_and(|query| local_answer(&query).is_some())
}

fn name(upstream: &Upstream) -> Option<QueryName> {
    QueryName::parse(&upstream.server_name().to_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ResolverBuilder;

    fn upstream(text: &str) -> Upstream {
        text.parse().expect("a test's upstream")
    }

    fn resolvers(builder: ResolverBuilder) -> Vec<Vec<usize>> {
        let config = builder.build().expect("a configuration");
        config.upstreams.iter().map(|configured| configured.bootstrap.upstreams().collect()).collect()
    }

    fn problem(builder: ResolverBuilder) -> String {
        builder.build().expect_err("no configuration").to_string()
    }

    #[test]
    fn upstream_name_is_resolved_by_upstreams_with_addresses() {
        let config = Config::builder()
            .upstream(upstream("tls://a.example"))
            .upstream(upstream("tls://192.0.2.1#b.example"))
            .upstream(upstream("tls://c.example"))
            .upstream(upstream("https://d.example/dns-query#ip=192.0.2.2"))
            .route("corp.example", [upstream("tls://192.0.2.3#dns.corp.example")]);
        assert_eq!(resolvers(config), [vec![1, 3], vec![], vec![1, 3], vec![], vec![]]);
    }

    #[test]
    fn cyclic_bootstrap_is_an_error_with_the_names() {
        let problem = problem(
            Config::builder().upstream(upstream("tls://a.example")).upstream(upstream("tls://b.example")),
        );
        assert!(problem.contains("tls://a.example, tls://b.example"), "{problem}");
    }

    /// Names in a route are only sent to its upstreams, also if the name belongs to one of them.
    #[test]
    fn upstream_name_in_a_route_is_resolved_by_the_route() {
        let general = || Config::builder().upstream(upstream("tls://192.0.2.1#public.example"));
        let inside = upstream("tls://dns1.corp.example");
        let problem = problem(general().route("corp.example", [inside.clone()]));
        assert!(problem.contains("tls://dns1.corp.example"), "{problem}");
        assert!(!problem.contains("public"), "{problem}");
        let second = upstream("tls://192.0.2.2#dns2.corp.example");
        assert_eq!(resolvers(general().route("corp.example", [inside, second])), [vec![], vec![2], vec![]]);
    }

    #[test]
    fn resolved_upstream_can_resolve_other_names() {
        let config = Config::builder()
            .upstream(upstream("tls://192.0.2.1#public.example"))
            .upstream(upstream("tls://dns.corp.example"))
            .route("corp.example", [upstream("tls://gateway.example")]);
        assert_eq!(resolvers(config), [vec![], vec![2], vec![0]]);
    }

    #[test]
    fn localhost_needs_no_resolver_and_special_names_have_none() {
        let local = Config::builder().upstream(upstream("https://localhost:8443/dns-query"));
        assert_eq!(resolvers(local), [vec![]]);
        let general = || Config::builder().upstream(upstream("tls://192.0.2.1#public.example"));
        for name in ["tls://dns.local", "tls://dns.onion"] {
            assert!(problem(general().upstream(upstream(name))).contains(name));
        }
        let home = [upstream("tls://dns.local"), upstream("tls://192.0.2.2#router.local")];
        assert_eq!(resolvers(general().route("local", home)), [vec![], vec![2], vec![]]);
    }
}
