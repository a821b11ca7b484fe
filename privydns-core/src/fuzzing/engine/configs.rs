//! Configurations of the fuzzed resolver.

use std::sync::OnceLock;
use std::time::Duration;

use crate::cache::CacheSettings;
use crate::config::{Config, ResolverBuilder};
use crate::schedule::{Hedge, Strategy};
use crate::upstream::{HttpVersion, Upstream};

/// One of a few configurations. Each is made once, because loading the roots takes longer than most inputs.
pub(super) fn config(number: usize) -> Config {
    static CONFIGS: OnceLock<[Config; 8]> = OnceLock::new();
    CONFIGS.get_or_init(|| builders().map(|builder| builder.build().expect("a configuration")))[number % 8]
        .clone()
}

fn builders() -> [ResolverBuilder; 8] {
    let base = || Config::builder().upstream(tls(1));
    let stale = CacheSettings::default().serve_stale(CacheSettings::MAX_STALE).prefetch(true);
    [
        base(),
        base().upstream(tls(2)).cache(stale),
        Config::builder().upstream(https(1, HttpVersion::Negotiated)),
        Config::builder().upstream(https(1, HttpVersion::Http1)).upstream(tls(2)).attempts(5),
        base().upstream(https(2, HttpVersion::Http2)).upstream(tls(3)).strategy(Strategy::race(2)),
        base()
            .upstream(https(2, HttpVersion::Negotiated))
            .strategy(Strategy::Fastest)
            .hedge(Hedge::after(Duration::from_millis(50)).share(1.0))
            .ping_interval(Duration::from_secs(5)),
        // An upstream known by name, resolved by another; with a route to a third.
        base().upstream(text("tls://named.example")).route("corp.example", [tls(3)]),
        base().max_lookups(4).max_waiting(2).max_connections(1).attempts(1),
    ]
}

fn tls(number: u8) -> Upstream {
    text(&format!("tls://dns{number}.example#ip=192.0.2.{number},2001:db8::{number}"))
}

fn https(number: u8, version: HttpVersion) -> Upstream {
    text(&format!("https://dns{number}.example/dns-query#ip=192.0.2.{number}")).with_http_version(version)
}

fn text(text: &str) -> Upstream {
    text.parse().expect("an upstream")
}
