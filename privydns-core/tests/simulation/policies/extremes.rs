//! Settings at the limits of their ranges.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use privydns_core::engine::Input;
use privydns_core::{CacheSettings, Config, Hedge, HttpVersion, ResolverBuilder, Strategy, Upstream};

use super::asked;
use crate::world::{
    ADDRESS, Accepts, SpokenProtocol, World, address, answer_after, https_address, https_upstream, ms, query,
    s, upstream,
};

/// Every time is the longest that can be set, and every number the greatest.
fn endless(builder: ResolverBuilder) -> ResolverBuilder {
    let cache = CacheSettings::default()
        .min_ttl(Duration::MAX)
        .max_ttl(Duration::MAX)
        .max_negative_ttl(Duration::MAX)
        .serve_stale(Duration::MAX)
        .prefetch(true);
    builder
        .timeout(Duration::MAX)
        .attempts(u32::MAX)
        .attempt_timeout(Duration::MAX)
        .address_delay(Duration::MAX)
        .ping_interval(Duration::MAX)
        .hedge(Hedge::after(Duration::MAX).share(f64::INFINITY))
        .max_lookups(usize::MAX)
        .max_waiting(usize::MAX)
        .max_connections(usize::MAX)
        .max_http1_connections(usize::MAX)
        .cache(cache)
}

/// The clock cannot represent the end of such a time.
#[test]
fn unbounded_times_are_capped_at_a_day() {
    for strategy in [Strategy::Ordered, Strategy::Fastest, Strategy::race(usize::MAX)] {
        let https = https_upstream(0).with_http_version(HttpVersion::Http2).address([198, 51, 100, 1]);
        let named = Upstream::tls("dns9.example").expect("an upstream");
        let builder = Config::builder().upstreams([https, upstream(1), named]).strategy(strategy);
        let mut world = World::new(endless(builder));
        world.network.host(https_address(0)).speaks = SpokenProtocol::Http2;
        world.tell(Input::WarmUp);
        world.tell(Input::WallClock(SystemTime::UNIX_EPOCH));
        world.resolve("first.example").answer();
        world.tell(Input::WallClock(SystemTime::UNIX_EPOCH + s(u64::from(u32::MAX))));
        for host in [https_address(0), address(1), SocketAddr::from((ADDRESS, 853))] {
            world.network.host(host).accepts(Accepts::Silently).keeps_silent();
        }
        let lost = world.ask(&query("lost.example").with_timeout(Duration::MAX));
        world.run_for(s(3600));
        world.tell(Input::NetworkChanged);
        world.run_for(s(24 * 3600));
        assert!(world.done(lost).expect("a day is over").error().is_timeout(), "{strategy:?}");
    }
}

#[test]
fn hedge_share_of_nan_hedges_nothing() {
    for (share, hedged) in [(f64::NAN, 0), (-1.0, 0), (f64::INFINITY, 20)] {
        let builder = Config::builder().upstreams((0..2).map(upstream));
        let mut world = World::new(builder.hedge(Hedge::after(ms(30)).share(share)));
        world.host(0).serves(|ask| answer_after(ms(200), &ask.question));
        for number in 0..20 {
            world.resolve(&format!("host{number}.example")).answer();
        }
        assert_eq!(asked(&mut world, 2)[1], hedged, "{share}");
    }
}
