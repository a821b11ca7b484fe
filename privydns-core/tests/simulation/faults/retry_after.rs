//! E4: `Retry-After` is ignored while no other upstream is healthy, and makes a final status look temporary.

use privydns_core::Config;

use super::{https_host, over_http, refuses, steady_load};
use crate::world::{SpokenProtocol, World, https_address, https_upstream, ms};

/// Right: one request. Until the 60 s are over, lookups fail at once with the same cause.
#[test]
fn fault_e4_the_only_upstream_is_asked_during_retry_after() {
    let mut world = over_http(SpokenProtocol::Http1, |builder| builder);
    refuses(https_host(&mut world), 429, Some(60));
    steady_load(&mut world, 200, ms(10));
    assert_eq!(https_host(&mut world).asked.len(), 200);
}

/// Right: one request to each upstream.
#[test]
fn fault_e4_two_upstreams_are_asked_during_retry_after_of_both() {
    let mut world = World::new(Config::builder().upstreams([https_upstream(0), https_upstream(1)]));
    for index in 0..2 {
        let host = world.network.host(https_address(index));
        host.speaks = SpokenProtocol::Http1;
        refuses(host, 429, Some(60));
    }
    steady_load(&mut world, 200, ms(10));
    let asked = [0, 1].map(|index| world.network.host(https_address(index)).asked.len());
    assert_eq!(asked, [199, 199]);
}

/// Right: at most one request for each lookup at the same upstream.
#[test]
fn fault_e4_status_429_or_503_is_asked_three_times_per_lookup() {
    for status in [429, 503] {
        let mut world = over_http(SpokenProtocol::Http2, |builder| builder);
        refuses(https_host(&mut world), status, None);
        steady_load(&mut world, 100, ms(10));
        world.finish_all();
        assert_eq!(https_host(&mut world).asked.len(), 300, "{status}");
    }
}
