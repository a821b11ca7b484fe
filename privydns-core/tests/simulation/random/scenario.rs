//! A scenario: the upstreams, their servers, and every setting of the configuration.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use privydns_core::{CacheSettings, Config, Hedge, Protocol, Query, ResolverBuilder, Strategy, Upstream};

use crate::world::SpokenProtocol;
use crate::world::draw::Draw;

/// The number of scenarios. Each is made once, because setting up TLS for its upstreams takes longer than many runs.
const SCENARIOS: usize = 160;

/// The domain whose names go only to the last server, if the scenario has a route.
pub(crate) const ROUTED: &str = "corp.example.";

pub(crate) struct Scenario {
    pub(crate) config: Config,
    pub(crate) servers: Vec<Server>,
    pub(crate) has_route: bool,
    pub(crate) timeout: Duration,
    pub(crate) attempts: usize,
    /// How many attempts a lookup may make although all servers are healthy.
    pub(crate) parallel: usize,
    pub(crate) max_lookups: usize,
    /// Whether upstreams are asked in order, one after the other.
    pub(crate) is_ordered: bool,
    /// The percentage of queries that may be hedged.
    pub(crate) hedged_percent: u64,
    /// Whether idle connections are kept alive by PING.
    pub(crate) pings: bool,
}

/// An upstream as the network sees it.
pub(crate) struct Server {
    pub(crate) speaks: SpokenProtocol,
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whether the engine knows only its name, and has to query its addresses.
    pub(crate) is_nameless: bool,
    /// The maximum number of connections to the server.
    pub(crate) max_connections: usize,
}

impl Server {
    pub(crate) fn protocol(&self) -> Protocol {
        if self.speaks == SpokenProtocol::Dot { Protocol::Tls } else { Protocol::Https }
    }
}

impl Scenario {
    pub(crate) fn of(seed: u64) -> &'static Self {
        static MADE: [OnceLock<Scenario>; SCENARIOS] = [const { OnceLock::new() }; SCENARIOS];
        let index = Draw::new(seed).below(SCENARIOS);
        MADE[index].get_or_init(|| Self::draw(&mut Draw::new(index as u64)))
    }

    /// The servers that may be asked.
    pub(crate) fn upstream_set(&self, query: &Query) -> Vec<usize> {
        let is_routed = self.has_route && query.name().to_string().ends_with(ROUTED);
        let last = self.servers.len() - 1;
        let may_be_asked = |number: &usize| {
            let is_in_group = !self.has_route || is_routed == (*number == last);
            let protocol = self.servers[*number].protocol();
            is_in_group && query.protocol().is_none_or(|wanted| wanted == protocol)
        };
        (0..self.servers.len()).filter(may_be_asked).collect()
    }

    fn draw(draw: &mut Draw) -> Self {
        let timeout = Duration::from_secs(draw.one_of(&[1, 2, 5, 5, 10]));
        let attempts = draw.one_of(&[1, 2, 3, 3, 3, 5]);
        let max_lookups = draw.one_of(&[5, 40, 16_384, 16_384]);
        let (shared, single) = (draw.one_of(&[1, 2, 2]), draw.one_of(&[1, 3, 6]));
        let builder = Config::builder()
            .timeout(timeout)
            .attempts(attempts)
            .max_lookups(max_lookups)
            .max_connections(shared)
            .max_http1_connections(single)
            .cache(cache(draw));
        let mut scenario = Self {
            config: Config::builder().upstream(stand_in()).build().expect("a configuration"),
            servers: Vec::new(),
            has_route: false,
            timeout,
            attempts: attempts as usize,
            parallel: 1,
            max_lookups,
            is_ordered: true,
            hedged_percent: 0,
            pings: false,
        };
        let builder = scenario.choose_policies(builder, draw);
        let builder = scenario.choose_servers(builder, (shared, single), draw);
        scenario.config = builder.build().expect("a configuration");
        scenario
    }

    fn choose_policies(&mut self, mut builder: ResolverBuilder, draw: &mut Draw) -> ResolverBuilder {
        if draw.percent(25) {
            builder = builder.attempt_timeout(draw.millis(50..=1500));
            self.is_ordered = false;
        }
        if draw.percent(25) {
            builder = builder.address_delay(draw.millis(10..=100));
        }
        if draw.percent(20) {
            builder = builder.max_waiting(usize::try_from(draw.between(8..=16)).expect("a few"));
        }
        if draw.percent(25) {
            builder = builder.ping_interval(draw.millis(300..=20_000));
            self.pings = true;
        }
        match draw.between(0..=5) {
            0 => {
                builder = builder.strategy(Strategy::Fastest);
                self.is_ordered = false;
            }
            1 => {
                let count = usize::try_from(draw.between(2..=3)).expect("a few");
                builder = builder.strategy(Strategy::race(count));
                self.parallel = count;
                self.is_ordered = false;
            }
            2 => {
                builder = builder.hedge(Hedge::after(draw.millis(5..=200)).share(0.5));
                self.parallel = 2;
                self.hedged_percent = 50;
                self.is_ordered = false;
            }
            3 => {
                builder = builder.hedge(Hedge::adaptive());
                self.parallel = 2;
                self.hedged_percent = 5;
                self.is_ordered = false;
            }
            _ => {}
        }
        builder
    }

    fn choose_servers(
        &mut self,
        mut builder: ResolverBuilder,
        limits: (usize, usize),
        draw: &mut Draw,
    ) -> ResolverBuilder {
        let count = draw.one_of(&[1, 1, 2, 2, 3, 4]);
        self.has_route = count > 1 && draw.percent(30);
        for index in 0..count {
            let is_last = index == count - 1;
            let speaks = draw.one_of(&[
                SpokenProtocol::Dot,
                SpokenProtocol::Dot,
                SpokenProtocol::Http2,
                SpokenProtocol::Http1,
            ]);
            // The first server resolves the names of the others.
            let is_nameless = index > 0 && draw.percent(25);
            let (upstream, addresses) = upstream(index, speaks, is_nameless, draw);
            let (shared, single) = limits;
            let max_connections = if speaks == SpokenProtocol::Dot { shared } else { single.max(shared) };
            self.servers.push(Server { speaks, addresses, is_nameless, max_connections });
            builder = if self.has_route && is_last {
                builder.route(ROUTED, [upstream])
            } else {
                builder.upstream(upstream)
            };
        }
        builder
    }
}

/// A placeholder until the upstreams are chosen.
fn stand_in() -> Upstream {
    "tls://192.0.2.250#dns.example".parse().expect("an upstream")
}

fn cache(draw: &mut Draw) -> CacheSettings {
    let settings = CacheSettings::default();
    match draw.between(0..=4) {
        0 => settings.max_entries(0),
        1 | 2 => settings,
        3 => settings.serve_stale(CacheSettings::MAX_STALE),
        _ => settings.serve_stale(CacheSettings::MAX_STALE).prefetch(true),
    }
}

fn upstream(
    index: u8,
    speaks: SpokenProtocol,
    is_nameless: bool,
    draw: &mut Draw,
) -> (Upstream, Vec<SocketAddr>) {
    let name = format!("dns{index}.example");
    let made = if speaks == SpokenProtocol::Dot { Upstream::tls(&name) } else { Upstream::https(&name) };
    let nameless = made.expect("an upstream").with_label(format!("up{index}"));
    let mut upstream = nameless.clone();
    for host in 0..draw.one_of(&[1_u8, 1, 2, 3]) {
        let address = if draw.percent(60) {
            IpAddr::from([192, 0, 2, index * 8 + host])
        } else {
            IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(index * 8 + host)])
        };
        upstream = upstream.address(address);
    }
    let addresses = upstream.socket_addresses().collect();
    (if is_nameless { nameless } else { upstream }, addresses)
}
