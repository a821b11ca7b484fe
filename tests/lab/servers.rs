//! The servers of the lab: names, command lines, protocols and behaviour.

use std::ops::RangeInclusive;

use privydns_core::HttpVersion;

/// The maximum time in seconds that an answer can have spent in a server's cache. The lab does not run longer.
const CACHED: u32 = 600;

/// A kind of server.
#[derive(Debug)]
pub(crate) struct ServerKind {
    /// The name in the lab.
    pub(crate) name: &'static str,
    /// The name of the product.
    pub(crate) title: &'static str,
    /// The Debian package.
    pub(crate) package: &'static str,
    pub(crate) program: &'static str,
    /// The command line arguments. `@NAME@` placeholders are replaced, as in the configuration.
    pub(crate) arguments: &'static [&'static str],
    pub(crate) config: &'static str,
    pub(crate) endpoints: &'static [Endpoint],
    pub(crate) behaviour: Behaviour,
}

/// A port of a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The placeholder of the port in the configuration.
    pub(crate) port: &'static str,
    pub(crate) speaks: Speaks,
    pub(crate) is_mutual: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Dot,
    /// DNS over HTTPS with these HTTP versions.
    Http(&'static [HttpVersion]),
}

/// Properties of a server's answers and connections.
#[derive(Debug)]
pub(crate) struct Behaviour {
    /// If the server has a cache, so that TTLs count down: the range to which it limits TTLs.
    pub(crate) cache: Option<RangeInclusive<u32>>,
    /// Whether the server answers NXDOMAIN for an alias whose target does not exist, as RFC 6604 Section 3
    /// requires.
    pub(crate) reports_dangling_as_nxdomain: bool,
    /// The time in seconds after which an idle connection is closed, by either side.
    pub(crate) idle: u64,
    /// Whether the server fails under load. If so, the load checks are skipped.
    pub(crate) fails_under_load: bool,
    /// Whether the server can be restricted to TLS 1.2.
    pub(crate) can_tls12: bool,
}

impl Behaviour {
    /// The behaviour of a server that returns the zone's data unchanged.
    const PLAIN: Self = Self {
        cache: None,
        reports_dangling_as_nxdomain: true,
        idle: 5,
        fails_under_load: false,
        can_tls12: true,
    };

    /// The TTLs that the server may send for a TTL of the zone.
    pub(crate) fn ttls(&self, ttl: u32) -> RangeInclusive<u32> {
        let Some(kept) = &self.cache else { return ttl..=ttl };
        let most = ttl.clamp(*kept.start(), *kept.end());
        most.saturating_sub(CACHED)..=most
    }
}

/// The reported causes when a client is refused without a certificate, with a certificate of an unknown
/// authority, and with an expired certificate. Servers refuse in six ways: by an alert with the specific
/// reason, by one alert for all reasons, by an error page, and by three ways of closing without a reason.
type Refusal = [&'static str; 3];

/// An alert with the specific reason.
const EXACT: Refusal = ["it requires one", "unknown authority", "expired"];
/// The same alert for all reasons.
const BAD: Refusal = ["bad certificate"; 3];
/// An error page.
const PAGE: Refusal = ["it asked for one, then sent HTTP status 400"; 3];
/// The end of the connection: FIN, `close_notify`, or a reset during a write.
const CLOSED: Refusal = ["it asked for one, then closed"; 3];

impl ServerKind {
    pub(crate) fn named(name: &str) -> &'static Self {
        SERVERS.iter().find(|kind| kind.name == name).expect("the server is in the list")
    }

    pub(crate) fn refusal(&self, endpoint: &Endpoint) -> Refusal {
        match (self.name, endpoint.speaks) {
            ("bind" | "nginx", Speaks::Dot) => CLOSED,
            ("nginx", Speaks::Http(_)) => PAGE,
            ("caddy", _) => BAD,
            _ => EXACT,
        }
    }
}

const BOTH: Speaks = Speaks::Http(&[HttpVersion::Http2, HttpVersion::Http1]);
const HTTP2: Speaks = Speaks::Http(&[HttpVersion::Http2]);

const fn open(port: &'static str, speaks: Speaks) -> Endpoint {
    Endpoint { port, speaks, is_mutual: false }
}

const fn mutual(port: &'static str, speaks: Speaks) -> Endpoint {
    Endpoint { port, speaks, is_mutual: true }
}

/// All servers under test.
pub(crate) static SERVERS: &[ServerKind] = &[
    ServerKind {
        name: "unbound",
        title: "Unbound",
        package: "unbound",
        program: "unbound",
        arguments: &["-d", "-c", "@CONFIG@"],
        config: include_str!("servers/unbound.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", HTTP2)],
        behaviour: Behaviour { reports_dangling_as_nxdomain: false, ..Behaviour::PLAIN },
    },
    ServerKind {
        name: "bind",
        title: "BIND",
        package: "bind9",
        program: "named",
        arguments: &["-g", "-n", "2", "-c", "@CONFIG@"],
        config: include_str!("servers/named.conf"),
        endpoints: &[
            open("DOT", Speaks::Dot),
            mutual("DOT_MUTUAL", Speaks::Dot),
            open("DOH", HTTP2),
            mutual("DOH_MUTUAL", HTTP2),
        ],
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "nsd",
        title: "NSD",
        package: "nsd",
        program: "nsd",
        arguments: &["-d", "-c", "@CONFIG@"],
        config: include_str!("servers/nsd.conf"),
        endpoints: &[open("DOT", Speaks::Dot)],
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "kresd",
        title: "Knot Resolver",
        package: "knot-resolver",
        program: "kresd",
        arguments: &["-n", "-c", "@CONFIG@", "@DIR@"],
        config: include_str!("servers/kresd.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", HTTP2)],
        behaviour: KRESD,
    },
    ServerKind {
        name: "kresd-http",
        title: "Knot Resolver, http module",
        package: "knot-resolver-module-http",
        program: "kresd",
        arguments: &["-n", "-c", "@CONFIG@", "@DIR@"],
        config: include_str!("servers/kresd-http.conf"),
        endpoints: &[open("DOH", BOTH)],
        behaviour: Behaviour { fails_under_load: true, ..KRESD },
    },
    ServerKind {
        name: "dnsdist",
        title: "dnsdist",
        package: "dnsdist",
        program: "dnsdist",
        arguments: &["--supervised", "--disable-syslog", "-C", "@CONFIG@"],
        config: include_str!("servers/dnsdist.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", BOTH)],
        behaviour: Behaviour { idle: 11, ..Behaviour::PLAIN },
    },
    ServerKind {
        name: "nginx",
        title: "nginx",
        package: "nginx-light",
        program: "nginx",
        arguments: &["-p", "@DIR@", "-c", "@CONFIG@"],
        config: include_str!("servers/nginx.conf"),
        endpoints: PROXY,
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "haproxy",
        title: "HAProxy",
        package: "haproxy",
        program: "haproxy",
        arguments: &["-db", "-f", "@CONFIG@"],
        config: include_str!("servers/haproxy.cfg"),
        endpoints: PROXY,
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "stunnel",
        title: "stunnel",
        package: "stunnel4",
        program: "stunnel",
        arguments: &["@CONFIG@"],
        config: include_str!("servers/stunnel.conf"),
        endpoints: &[open("DOT", Speaks::Dot), mutual("DOT_MUTUAL", Speaks::Dot)],
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "hitch",
        title: "hitch",
        package: "hitch",
        program: "hitch",
        arguments: &["--config=@CONFIG@"],
        config: include_str!("servers/hitch.conf"),
        endpoints: &[open("DOT", Speaks::Dot)],
        behaviour: Behaviour { idle: 9, ..Behaviour::PLAIN },
    },
    ServerKind {
        name: "caddy",
        title: "Caddy",
        package: "caddy",
        program: "caddy",
        arguments: &["run", "--adapter", "caddyfile", "--config", "@CONFIG@"],
        config: include_str!("servers/Caddyfile"),
        endpoints: &[open("DOH", BOTH), mutual("DOH_MUTUAL", BOTH)],
        behaviour: Behaviour::PLAIN,
    },
    ServerKind {
        name: "dnss",
        title: "dnss",
        package: "dnss",
        program: "dnss",
        arguments: &[
            "-enable_https_to_dns",
            "-https_server_addr=127.0.0.1:@DOH@",
            "-https_cert=@CHAIN@",
            "-https_key=@KEY@",
            "-dns_upstream=127.0.0.1:@PLAIN@",
        ],
        config: "",
        endpoints: &[open("DOH", BOTH)],
        behaviour: Behaviour { idle: 31, can_tls12: false, ..Behaviour::PLAIN },
    },
];

const KRESD: Behaviour =
    Behaviour { cache: Some(5..=86_400), idle: 11, can_tls12: false, ..Behaviour::PLAIN };

const PROXY: &[Endpoint] = &[
    open("DOT", Speaks::Dot),
    mutual("DOT_MUTUAL", Speaks::Dot),
    open("DOH", BOTH),
    mutual("DOH_MUTUAL", BOTH),
];

/// The backend of the forwarders and TLS proxies: the zone over plain DNS on loopback.
pub(crate) static KNOT: ServerKind = ServerKind {
    name: "knot",
    title: "Knot DNS",
    package: "knot",
    program: "knotd",
    arguments: &["-c", "@CONFIG@"],
    config: include_str!("servers/knot.conf"),
    endpoints: &[],
    behaviour: Behaviour::PLAIN,
};

/// The backend of the HTTP proxies.
pub(crate) static HTTP: ServerKind = ServerKind {
    name: "http",
    title: "dnsdist",
    package: "dnsdist",
    program: "dnsdist",
    arguments: &["--supervised", "--disable-syslog", "-C", "@CONFIG@"],
    config: include_str!("servers/http.conf"),
    endpoints: &[],
    behaviour: Behaviour::PLAIN,
};
