//! Known faults of DoH connections. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;

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
