//! What a run is set up with: which upstreams, where, and every number of the configuration.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use privydns_core::{CacheSettings, Config, Protocol, Query, Upstream};

use crate::world::Speaks;
use crate::world::draw::Draw;

/// How many shapes there are. Each is made once, since to set up TLS for its upstreams takes longer than many runs.
const SHAPES: usize = 96;

pub(crate) struct Shape {
    pub(crate) config: Config,
    pub(crate) servers: Vec<Server>,
    pub(crate) timeout: Duration,
    pub(crate) attempts: usize,
    pub(crate) max_lookups: usize,
}

/// An upstream, as the other side knows it.
pub(crate) struct Server {
    pub(crate) speaks: Speaks,
    pub(crate) addresses: Vec<SocketAddr>,
    /// Connections that may be opened to it at once.
    pub(crate) max_connections: usize,
}

impl Server {
    pub(crate) fn protocol(&self) -> Protocol {
        if self.speaks == Speaks::Dot { Protocol::Tls } else { Protocol::Https }
    }
}

impl Shape {
    pub(crate) fn of(seed: u64) -> &'static Self {
        static MADE: [OnceLock<Shape>; SHAPES] = [const { OnceLock::new() }; SHAPES];
        let index = Draw::new(seed).below(SHAPES);
        MADE[index].get_or_init(|| Self::draw(&mut Draw::new(index as u64)))
    }

    /// Whether the upstream of this label is one that the query may go to.
    pub(crate) fn may_ask(&self, label: &str, query: &Query) -> bool {
        let number = label.strip_prefix("up").and_then(|number| number.parse::<usize>().ok());
        let server = number.and_then(|number| self.servers.get(number)).expect("an upstream's label");
        query.protocol_wanted().is_none_or(|wanted| wanted == server.protocol())
    }

    fn draw(draw: &mut Draw) -> Self {
        let timeout = draw.one_of(&[1, 2, 5, 5, 10]);
        let timeout = Duration::from_secs(timeout);
        let attempts = draw.one_of(&[1, 2, 3, 3, 3, 5]);
        let max_lookups = draw.one_of(&[5, 40, 16_384, 16_384]);
        let (shared, single) = (draw.one_of(&[1, 2, 2]), draw.one_of(&[1, 3, 6]));
        let mut builder = Config::builder()
            .timeout(timeout)
            .attempts(attempts)
            .max_lookups(max_lookups)
            .max_connections(shared)
            .max_http1_connections(single)
            .cache(cache(draw));
        if draw.percent(25) {
            builder = builder.attempt_timeout(draw.millis(50..=1500));
        }
        let mut servers = Vec::new();
        for index in 0..draw.one_of(&[1, 1, 2, 2, 3, 4]) {
            let speaks = draw.one_of(&[Speaks::Dot, Speaks::Dot, Speaks::Http2, Speaks::Http1]);
            let (upstream, addresses) = upstream(index, speaks, draw);
            builder = builder.upstream(upstream);
            let max_connections = if speaks == Speaks::Http1 { single.max(shared) } else { shared };
            servers.push(Server { speaks, addresses, max_connections });
        }
        let config = builder.build().expect("a configuration");
        Self { config, servers, timeout, attempts: attempts as usize, max_lookups }
    }
}

fn cache(draw: &mut Draw) -> CacheSettings {
    let settings = CacheSettings::default();
    match draw.between(0..=4) {
        0 => settings.entries(0),
        1 | 2 => settings,
        3 => settings.serve_stale(Some(CacheSettings::MAX_STALE)),
        _ => settings.serve_stale(Some(CacheSettings::MAX_STALE)).prefetch(true),
    }
}

fn upstream(index: u8, speaks: Speaks, draw: &mut Draw) -> (Upstream, Vec<SocketAddr>) {
    let mut upstream = match speaks {
        Speaks::Dot => Upstream::tls(&format!("dns{index}.example")),
        Speaks::Http1 | Speaks::Http2 => Upstream::https(&format!("dns{index}.example")),
    }
    .expect("an upstream")
    .labelled(format!("up{index}"));
    for host in 0..draw.one_of(&[1_u8, 1, 2, 3]) {
        let address = if draw.percent(60) {
            IpAddr::from([192, 0, 2, index * 8 + host])
        } else {
            IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(index * 8 + host)])
        };
        upstream = upstream.address(address);
    }
    let addresses = upstream.socket_addresses().collect();
    (upstream, addresses)
}
