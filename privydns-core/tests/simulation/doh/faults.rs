//! Known faults of DoH connections. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use privydns_core::engine::Input;

use super::*;

/// Right: the connection stays as long as the server answers each PING.
#[test]
fn fault_w2_a_connection_kept_open_by_pings_is_ended_by_them() {
    let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
    let mut world = World::new(Config::builder().upstream(upstream).ping_interval(s(20)));
    host(&mut world).speaks = SpokenProtocol::Http2;
    world.tell(Input::WarmUp);
    world.run_for(s(500 * 20));
    assert_eq!(world.network.open_connections(), 1);
    world.run_for(s(2 * 20));
    assert_eq!(world.network.open_connections(), 0);
}

/// Right: without `h2` by ALPN, HTTP/2 is not spoken (RFC 9113 section 3.2), and the lookup fails.
#[test]
fn fault_w15_http2_is_spoken_where_alpn_picked_nothing() {
    let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
    let mut world = world_with_protocol(SpokenProtocol::Http2, upstream);
    host(&mut world).alpn = Alpn::Silent;
    assert_eq!(world.resolve("example.com").answer().transport(), Transport::Http2);
}

/// Right: one dial, and HTTP/1.1 as picked by ALPN. A learned version applies only where ALPN picked no protocol.
#[test]
fn fault_w15_a_learned_version_overrides_what_alpn_picked() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, negotiated());
    host(&mut world).alpn = Alpn::Silent;
    assert_eq!(world.resolve("first.example").answer().transport(), Transport::Http2);
    world.run_for(s(60));
    let dials_before = host(&mut world).dialled.len();
    host(&mut world).alpn = Alpn::Honest;
    host(&mut world).speaks = SpokenProtocol::Http1;
    assert_eq!(world.resolve("second.example").answer().transport(), Transport::Http1);
    assert_eq!(host(&mut world).dialled.len() - dials_before, 2);
}
