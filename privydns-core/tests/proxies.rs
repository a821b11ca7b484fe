//! Upstreams behind a proxy, under a simulated clock.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use privydns_core::engine::{ConnectionId, Engine, Input, LookupId, Output, Shared, Target};
use privydns_core::testkit::epoch;
use privydns_core::{Cause, Config, Error, ErrorKind, Proxy, Query, RecordType, Stage, Upstream};

const PROXY: ([u8; 4], u16) = ([203, 0, 113, 80], 3128);

/// An engine with one lookup, and its clock.
struct World {
    engine: Engine,
    began: Instant,
    now: Instant,
}

/// The outputs of one drain.
#[derive(Default)]
struct Wants {
    connects: Vec<(ConnectionId, Target)>,
    done: Option<Error>,
    wake: Option<Instant>,
}

impl World {
    fn new(upstream: &str) -> Self {
        let upstream: Upstream = upstream.parse().unwrap();
        let behind = upstream.proxy(Proxy::http_connect(PROXY));
        let config = Config::builder().upstream(behind).attempts(1).build().unwrap();
        let shared = Arc::new(Shared::new(config, [1; 32]));
        let now = epoch();
        let query = Query::new("www.example", RecordType::A).unwrap();
        let deadline = shared.deadline(now, &query);
        let mut engine = Engine::new(shared, now, [2; 32]);
        engine.handle_input(now, Input::Lookup { id: LookupId(1), query: Arc::new(query), deadline });
        Self { engine, began: now, now }
    }

    fn tell(&mut self, input: Input<'_>) -> Wants {
        self.engine.handle_input(self.now, input);
        self.drain()
    }

    fn drain(&mut self) -> Wants {
        let mut wants = Wants::default();
        loop {
            match self.engine.poll_output(self.now, &mut Vec::new()) {
                Output::Connect { id, target } => wants.connects.push((id, target)),
                Output::Done { result, .. } => wants.done = Some(result.unwrap_err()),
                Output::Wait(wake) => {
                    wants.wake = wake;
                    return wants;
                }
                _ => {}
            }
        }
    }

    /// Advances the clock to the engine's deadline.
    fn wait(&mut self, wake: Option<Instant>) -> Wants {
        self.now = wake.unwrap();
        self.tell(Input::Timeout)
    }
}

/// The first bytes that a target sends to its proxy.
fn request(target: &Target) -> String {
    let mut message = Vec::new();
    assert!(target.tunnel.clone().unwrap().poll_transmit(&mut message));
    String::from_utf8(message).unwrap().lines().next().unwrap().to_owned()
}

/// Conformance 45, behind a proxy: connections go to the proxy, for one upstream address after the other.
#[test]
fn addresses_are_raced_through_the_proxy() {
    let mut world = World::new("tls://dns.example#ip=192.0.2.1,2001:db8::1");
    let first = world.drain();
    let [(one, target)] = &first.connects[..] else { panic!("one connection") };
    assert_eq!(target.address, SocketAddr::from(PROXY));
    assert_eq!(request(target), "CONNECT [2001:db8::1]:853 HTTP/1.1");

    let second = world.wait(first.wake);
    assert_eq!(world.now - world.began, Duration::from_millis(250));
    let [(other, target)] = &second.connects[..] else { panic!("one more connection") };
    assert_eq!(target.address, SocketAddr::from(PROXY));
    assert_eq!(request(target), "CONNECT 192.0.2.1:853 HTTP/1.1");

    let refused = |words: &str| Cause::Proxy(io::Error::other(words.to_owned()).into());
    assert!(world.tell(Input::Ended { id: *one, cause: refused("no route") }).done.is_none());
    let error = world.tell(Input::Ended { id: *other, cause: refused("not today") }).done.unwrap();
    assert!(
        matches!(error.kind(), ErrorKind::Upstream(Cause::Proxy(error)) if error.to_string() == "no route")
    );
    assert_eq!(error.stage(), Some(Stage::Proxy));
}

#[test]
fn proxy_resolves_the_upstreams_name() {
    let mut world = World::new("https://dns.example");
    let wants = world.drain();
    let [(_, target)] = &wants.connects[..] else { panic!("one connection") };
    assert_eq!(target.address, SocketAddr::from(PROXY));
    assert_eq!(request(target), "CONNECT dns.example:443 HTTP/1.1");
}

/// While the proxy is silent, the stage is that of the proxy; once the tunnel is open, the stage is that of the
/// upstream.
#[test]
fn error_distinguishes_silent_proxy_from_silent_upstream() {
    for (is_open, stage) in [(false, Stage::Proxy), (true, Stage::Tls)] {
        let mut world = World::new("tls://dns.example");
        let mut wants = world.drain();
        if is_open {
            let (id, _) = wants.connects[0];
            wants = world.tell(Input::Handshaking(id));
        }
        while wants.done.is_none() {
            wants = world.wait(wants.wake);
        }
        let error = wants.done.unwrap();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(error.stage(), Some(stage), "{error}");
        assert_eq!(world.now - world.began, Duration::from_secs(5));
    }
}
