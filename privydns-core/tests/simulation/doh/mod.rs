//! DoH: HTTP versions, statuses, and connections with one query at a time.

mod faults;

use privydns_core::engine::Input;
use privydns_core::{Cause, Config, ErrorKind, HttpVersion, Transport, Upstream};

use crate::world::{
    ADDRESS, AT_ONCE, Act, Alpn, Host, Refusal, SpokenProtocol, World, answer, answer_after, https_address,
    https_upstream, ms, s, upstream,
};

/// A DoH server whose HTTP version is negotiated.
fn negotiated() -> Upstream {
    https_upstream(0).with_http_version(HttpVersion::Negotiated)
}

fn world_with_protocol(speaks: SpokenProtocol, upstream: Upstream) -> World {
    let mut world = World::new(Config::builder().upstream(upstream));
    world.network.host(https_address(0)).speaks = speaks;
    world
}

fn host(world: &mut World) -> &mut Host {
    world.network.host(https_address(0))
}

#[test]
fn alpn_decides_the_http_version() {
    for (speaks, spoken) in
        [(SpokenProtocol::Http2, Transport::Http2), (SpokenProtocol::Http1, Transport::Http1)]
    {
        let mut world = world_with_protocol(speaks, negotiated());
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(60));
        let answer = done.answer();
        assert_eq!((answer.transport(), answer.attempts()), (spoken, 1));
        assert!(answer.addresses().eq([std::net::IpAddr::from(ADDRESS)]));
    }
}

#[test]
fn hundred_lookups_over_http2_share_one_connection() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, negotiated());
    for number in 0..100 {
        world.lookup(&format!("host{number}.example"));
    }
    let done = world.finish_all();
    assert!(done.iter().all(|done| done.result.is_ok() && done.at <= ms(60 + 20)), "{done:?}");
    assert_eq!((host(&mut world).dialled.len(), host(&mut world).asked.len()), (1, 100));
}

#[test]
fn lookups_over_http1_share_six_connections() {
    let mut world = world_with_protocol(SpokenProtocol::Http1, https_upstream(0));
    for number in 0..60 {
        world.lookup(&format!("host{number}.example"));
    }
    let done = world.finish_all();
    assert!(done.iter().all(|done| done.result.is_ok()));
    assert_eq!((host(&mut world).dialled.len(), host(&mut world).asked.len()), (6, 60));
}

/// A second attempt queued for a busy connection would not be sent earlier.
#[test]
fn queued_lookups_are_one_attempt_each() {
    let mut world = world_with_protocol(SpokenProtocol::Http1, https_upstream(0));
    host(&mut world).serves(|ask| answer_after(ms(400), &ask.question));
    for number in 0..60 {
        world.lookup(&format!("host{number}.example"));
    }
    let done = world.finish_all();
    assert!(done.into_iter().all(|done| done.answer().attempts() == 1));
    assert_eq!((host(&mut world).dialled.len(), host(&mut world).asked.len()), (6, 60));
}

#[test]
fn idle_doh_connection_is_closed_after_thirty_seconds() {
    for speaks in [SpokenProtocol::Http1, SpokenProtocol::Http2] {
        let mut world = world_with_protocol(speaks, negotiated());
        let done = world.resolve("example.com");
        assert_eq!(world.wake(), Some(done.at + s(30)));
        world.run_for(s(31));
        assert_eq!((world.network.open_connections(), world.wake()), (0, None));
    }
}

/// RFC 9113 Section 6.8: queries that the server did not process are sent again at no cost, on a new connection.
#[test]
fn queries_not_processed_before_goaway_are_resent_at_no_cost() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, negotiated());
    host(&mut world).serves(|ask| match ask.connection {
        0 => vec![Act::Refuse(AT_ONCE, Refusal::GoAway(0))],
        _ => answer(&ask.question),
    });
    for number in 0..20 {
        world.lookup(&format!("host{number}.example"));
    }
    for done in world.finish_all() {
        assert_eq!(done.at, ms(60 + 60));
        assert_eq!(done.answer().attempts(), 1);
    }
    assert_eq!(host(&mut world).dialled.len(), 2);
}

/// A server's promise not to have processed a query is accepted a few times.
#[test]
fn server_that_refuses_every_stream_fails_the_lookup() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, negotiated());
    host(&mut world).serves(|_| vec![Act::Refuse(AT_ONCE, Refusal::GoAway(0))]);
    let error = world.resolve("example.com").error();
    assert_eq!(error.attempts().len(), 3);
    assert_eq!(host(&mut world).asked.len(), 3 + 4);
}

/// A configured version is the only one.
#[test]
fn configured_http_version_is_kept() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, https_upstream(0));
    let error = world.resolve("example.com").error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Protocol(_))), "{error:?}");
    host(&mut world).speaks = SpokenProtocol::Http1;
    world.run_for(s(10));
    world.resolve("example.com").answer();
}

/// A server may negotiate another protocol than it uses: dnsdist picks none, and Unbound the first one offered.
#[test]
fn actual_http_version_overrides_alpn() {
    for (speaks, alpn, round_trips) in [
        (SpokenProtocol::Http1, Alpn::Silent, 3),
        (SpokenProtocol::Http1, Alpn::Agreeable, 6),
        (SpokenProtocol::Http2, Alpn::Agreeable, 3),
        (SpokenProtocol::Http2, Alpn::Silent, 5),
    ] {
        let mut world = world_with_protocol(speaks, negotiated());
        host(&mut world).alpn = alpn;
        let done = world.resolve("example.com");
        assert!(done.at <= ms(20) * round_trips, "{speaks:?} {alpn:?}: {:?}", done.at);
        assert_eq!(done.answer().attempts(), 1, "{speaks:?} {alpn:?}");
        assert_eq!(world.resolve("example.org").took, ms(20));
    }
}

/// The response may have come from another device, and does not justify another version from then on.
#[test]
fn http_version_learned_from_garbage_is_forgotten() {
    let mut world = world_with_protocol(SpokenProtocol::Http2, negotiated());
    host(&mut world).serves(|_| vec![Act::SendRaw(AT_ONCE, b"SSH-2.0-OpenSSH_9.9\r\n".into())]);
    let error = world.resolve("first.example").error();
    assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Protocol(_))), "{error}");
    host(&mut world).answers();
    assert_eq!(world.resolve("second.example").answer().transport(), Transport::Http2);
}

/// RFC 9110 Section 10.2.3.
mod retry_after {
    use super::*;

    /// A DoH server that answers the first request with a `Retry-After` of three seconds.
    fn busy(host: &mut Host) {
        host.speaks = SpokenProtocol::Http1;
        host.serves(|ask| match ask.number {
            0 => {
                let response =
                    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n";
                vec![Act::SendRaw(AT_ONCE, response.into())]
            }
            _ => answer(&ask.question),
        });
    }

    #[test]
    fn retry_after_of_the_only_upstream_is_waited_for() {
        let mut world = World::new(Config::builder().upstream(https_upstream(0)));
        busy(world.network.host(https_address(0)));
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(60 + 3000 + 20));
        assert_eq!(done.answer().attempts(), 2);
    }

    #[test]
    fn lookup_without_time_for_retry_after_fails_at_once() {
        let mut world = World::new(Config::builder().upstream(https_upstream(0)).timeout(s(2)));
        busy(world.network.host(https_address(0)));
        let done = world.resolve("example.com");
        assert_eq!(done.at, ms(60));
        let error = done.error();
        assert!(matches!(error.kind(), ErrorKind::Upstream(Cause::Http(_))), "{error}");
    }

    #[test]
    fn another_upstream_answers_during_retry_after() {
        let mut world = World::new(Config::builder().upstream(https_upstream(0)).upstream(upstream(1)));
        busy(world.network.host(https_address(0)));
        assert_eq!(world.resolve("first.example").answer().upstream(), "up1");
        world.run_for(ms(2500));
        assert_eq!(world.resolve("second.example").answer().upstream(), "up1");
        world.run_for(ms(500));
        world.resolve("third.example").answer();
        world.run_for(ms(100));
        assert_eq!(world.resolve("fourth.example").answer().upstream(), "up0");
        assert_eq!(world.network.host(https_address(0)).asked.len(), 2);
    }

    #[test]
    fn a_final_status_with_retry_after_is_not_repeated() {
        for status in [403, 404, 415] {
            let mut world = World::new(Config::builder().upstream(https_upstream(0)));
            let host = world.network.host(https_address(0));
            host.speaks = SpokenProtocol::Http1;
            host.serves(move |_| vec![Act::Refuse(AT_ONCE, Refusal::Status(status, Some(0)))]);
            world.resolve("example.com").error();
            assert_eq!(world.network.host(https_address(0)).asked.len(), 1, "{status}");
        }
    }
}

#[test]
fn a_connection_with_pings_stays_open_for_a_week() {
    let upstream = https_upstream(0).with_http_version(HttpVersion::Http2);
    let mut world = World::new(Config::builder().upstream(upstream).ping_interval(s(20)));
    host(&mut world).speaks = SpokenProtocol::Http2;
    world.tell(Input::WarmUp);
    world.run_for(s(7 * 24 * 3600));
    assert_eq!(world.network.open_connections(), 1);
}
