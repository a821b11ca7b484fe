//! The servers: what they are called, how they are started, and what they speak.

use std::ops::RangeInclusive;

use privydns_core::HttpVersion;

/// Seconds that an answer may have spent in a server's cache: longer than the lab runs.
const CACHED: u32 = 600;

/// A kind of server.
#[derive(Debug)]
pub(crate) struct ServerKind {
    /// What the lab calls it.
    pub(crate) name: &'static str,
    /// What it calls itself.
    pub(crate) title: &'static str,
    /// Debian's package.
    pub(crate) package: &'static str,
    pub(crate) program: &'static str,
    /// With `@PLACES@` to be filled in, as in the configuration.
    pub(crate) arguments: &'static [&'static str],
    pub(crate) config: &'static str,
    pub(crate) endpoints: &'static [Endpoint],
    pub(crate) manner: Manner,
}

/// A port of a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Its place in the configuration.
    pub(crate) port: &'static str,
    pub(crate) speaks: Speaks,
    pub(crate) is_mutual: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Dot,
    /// The versions of HTTP.
    Http(&'static [HttpVersion]),
}

/// What is particular about a server, as far as answers go.
#[derive(Debug)]
pub(crate) struct Manner {
    /// Where it has a cache of its own, so that TTLs may have run down: the TTLs that it keeps to.
    pub(crate) cache: Option<RangeInclusive<u32>>,
    /// Whether it says NXDOMAIN for an alias that leads nowhere, as it should (RFC 6604 Section 3).
    pub(crate) denies_dangling: bool,
    /// Seconds after which it has closed an idle connection, or we have.
    pub(crate) idle: u64,
    /// Whether it gives up under load, and is spared it.
    pub(crate) is_frail: bool,
    /// Whether it can be held to TLS 1.2.
    pub(crate) can_tls12: bool,
}

impl Manner {
    /// That of a server that says what the zone says.
    const PLAIN: Self =
        Self { cache: None, denies_dangling: true, idle: 5, is_frail: false, can_tls12: true };

    /// The TTLs that may be shown for one in the zone.
    pub(crate) fn ttls(&self, ttl: u32) -> RangeInclusive<u32> {
        let Some(kept) = &self.cache else { return ttl..=ttl };
        let most = ttl.clamp(*kept.start(), *kept.end());
        most.saturating_sub(CACHED)..=most
    }
}

/// The words in which a client is refused that has no certificate, one of an unknown authority, an expired one. There
/// are six faces of it: an alert that says what is wrong, one that always says the same, a page, and three kinds of
/// silence.
type Refusal = [&'static str; 3];

/// By the alert for just that.
const EXACT: Refusal = ["it requires one", "unknown authority", "expired"];
/// By one alert for all.
const BAD: Refusal = ["bad certificate"; 3];
/// By a page.
const PAGE: Refusal = ["it asked for one, then sent HTTP status 400"; 3];
/// By the end of the connection: bare, by `close_notify`, or under a write.
const CLOSED: Refusal = ["it asked for one, then closed"; 3];

impl ServerKind {
    pub(crate) fn named(name: &str) -> &'static Self {
        SERVERS.iter().find(|kind| kind.name == name).expect("a server of the list")
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

/// Every server that is put to the test.
pub(crate) static SERVERS: &[ServerKind] = &[
    ServerKind {
        name: "unbound",
        title: "Unbound",
        package: "unbound",
        program: "unbound",
        arguments: &["-d", "-c", "@CONFIG@"],
        config: include_str!("servers/unbound.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", HTTP2)],
        manner: Manner { denies_dangling: false, ..Manner::PLAIN },
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
        manner: Manner::PLAIN,
    },
    ServerKind {
        name: "nsd",
        title: "NSD",
        package: "nsd",
        program: "nsd",
        arguments: &["-d", "-c", "@CONFIG@"],
        config: include_str!("servers/nsd.conf"),
        endpoints: &[open("DOT", Speaks::Dot)],
        manner: Manner::PLAIN,
    },
    ServerKind {
        name: "kresd",
        title: "Knot Resolver",
        package: "knot-resolver",
        program: "kresd",
        arguments: &["-n", "-c", "@CONFIG@", "@DIR@"],
        config: include_str!("servers/kresd.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", HTTP2)],
        manner: KRESD,
    },
    ServerKind {
        name: "kresd-http",
        title: "Knot Resolver, http module",
        package: "knot-resolver-module-http",
        program: "kresd",
        arguments: &["-n", "-c", "@CONFIG@", "@DIR@"],
        config: include_str!("servers/kresd-http.conf"),
        endpoints: &[open("DOH", BOTH)],
        manner: Manner { is_frail: true, ..KRESD },
    },
    ServerKind {
        name: "dnsdist",
        title: "dnsdist",
        package: "dnsdist",
        program: "dnsdist",
        arguments: &["--supervised", "--disable-syslog", "-C", "@CONFIG@"],
        config: include_str!("servers/dnsdist.conf"),
        endpoints: &[open("DOT", Speaks::Dot), open("DOH", BOTH)],
        manner: Manner { idle: 11, ..Manner::PLAIN },
    },
    ServerKind {
        name: "nginx",
        title: "nginx",
        package: "nginx-light",
        program: "nginx",
        arguments: &["-p", "@DIR@", "-c", "@CONFIG@"],
        config: include_str!("servers/nginx.conf"),
        endpoints: PROXY,
        manner: Manner::PLAIN,
    },
    ServerKind {
        name: "haproxy",
        title: "HAProxy",
        package: "haproxy",
        program: "haproxy",
        arguments: &["-db", "-f", "@CONFIG@"],
        config: include_str!("servers/haproxy.cfg"),
        endpoints: PROXY,
        manner: Manner::PLAIN,
    },
    ServerKind {
        name: "stunnel",
        title: "stunnel",
        package: "stunnel4",
        program: "stunnel",
        arguments: &["@CONFIG@"],
        config: include_str!("servers/stunnel.conf"),
        endpoints: &[open("DOT", Speaks::Dot), mutual("DOT_MUTUAL", Speaks::Dot)],
        manner: Manner::PLAIN,
    },
    ServerKind {
        name: "hitch",
        title: "hitch",
        package: "hitch",
        program: "hitch",
        arguments: &["--config=@CONFIG@"],
        config: include_str!("servers/hitch.conf"),
        endpoints: &[open("DOT", Speaks::Dot)],
        manner: Manner { idle: 9, ..Manner::PLAIN },
    },
    ServerKind {
        name: "caddy",
        title: "Caddy",
        package: "caddy",
        program: "caddy",
        arguments: &["run", "--adapter", "caddyfile", "--config", "@CONFIG@"],
        config: include_str!("servers/Caddyfile"),
        endpoints: &[open("DOH", BOTH), mutual("DOH_MUTUAL", BOTH)],
        manner: Manner::PLAIN,
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
        manner: Manner { idle: 31, can_tls12: false, ..Manner::PLAIN },
    },
];

const KRESD: Manner = Manner { cache: Some(5..=86_400), idle: 11, can_tls12: false, ..Manner::PLAIN };

const PROXY: &[Endpoint] = &[
    open("DOT", Speaks::Dot),
    mutual("DOT_MUTUAL", Speaks::Dot),
    open("DOH", BOTH),
    mutual("DOH_MUTUAL", BOTH),
];

/// What stands behind them, over plain DNS on loopback.
pub(crate) static KNOT: ServerKind = ServerKind {
    name: "knot",
    title: "Knot DNS",
    package: "knot",
    program: "knotd",
    arguments: &["-c", "@CONFIG@"],
    config: include_str!("servers/knot.conf"),
    endpoints: &[],
    manner: Manner::PLAIN,
};

/// What stands behind the HTTP proxies.
pub(crate) static HTTP: ServerKind = ServerKind {
    name: "http",
    title: "dnsdist",
    package: "dnsdist",
    program: "dnsdist",
    arguments: &["--supervised", "--disable-syslog", "-C", "@CONFIG@"],
    config: include_str!("servers/http.conf"),
    endpoints: &[],
    manner: Manner::PLAIN,
};
