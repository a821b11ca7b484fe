//! Upstreams behind proxies, on every runtime.

mod runtimes;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use privydns_core::{
    Answer, Cause, Config, Error, ErrorKind, Proxy, Query, RecordType, Roots, Spoken, Stage, Upstream,
};
use privydns_tests::{ProxySetup, SERVER_NAME, Server};
use tokio::net::TcpSocket;

use runtimes::{Ask, RUNTIMES};

const NAME: &str = "www.example.test";

/// The upstream of a server, known by name and port alone.
fn by_name(server: &Server) -> Upstream {
    let text = server.upstream();
    let (location, _) = text.split_once('#').unwrap();
    let by_name = location.replace("127.0.0.1", SERVER_NAME);
    by_name.parse::<Upstream>().unwrap().roots(roots(server))
}

fn by_address(server: &Server) -> Upstream {
    server.upstream().parse::<Upstream>().unwrap().roots(roots(server))
}

fn roots(server: &Server) -> Roots {
    Roots::from_pem(server.authority().root_pem().as_bytes()).unwrap()
}

fn ask(on: Ask, upstream: Upstream) -> Result<Answer, Error> {
    let config = Config::builder().upstream(upstream).attempts(1).build().unwrap();
    on(config, Query::new(NAME, RecordType::A).unwrap())
}

/// The words of an error at the proxy, and the stage.
fn refused(on: Ask, upstream: Upstream) -> String {
    let error = ask(on, upstream).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Proxy), "{error}");
    match error.kind() {
        ErrorKind::Upstream(Cause::Proxy(words)) => words.clone(),
        other => panic!("{other:?}"),
    }
}

/// A proxy of each kind, and how to name it.
fn both(prepare: impl Fn(ProxySetup) -> ProxySetup) -> [(privydns_tests::Proxy, Proxy); 2] {
    let socks5 = prepare(privydns_tests::Proxy::socks5()).start();
    let http = prepare(privydns_tests::Proxy::http_connect()).start();
    let (to_socks5, to_http) = (Proxy::socks5(socks5.address()), Proxy::http_connect(http.address()));
    [(socks5, to_socks5), (http, to_http)]
}

/// A port that nobody listens on, and nobody else gets as long as it is held.
fn dead_port() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// The proxy resolves the name: no address, and nobody to ask for one. What goes through it is TLS, and no name that
/// is asked for can be read in it.
#[test]
fn an_upstream_known_by_name_is_reached_through_a_proxy_that_resolves_it() {
    for (runtime, on) in RUNTIMES {
        for (server, spoken) in
            [(Server::dot().start(), Spoken::Tls), (Server::https().start(), Spoken::Http2)]
        {
            for (proxy, to_proxy) in both(|setup| setup.name(SERVER_NAME, Ipv4Addr::LOCALHOST.into())) {
                let upstream = by_name(&server).proxy(to_proxy);
                assert!(!upstream.needs_bootstrap());
                let answer = ask(on, upstream).unwrap_or_else(|error| panic!("{runtime}: {error}"));
                assert_eq!(answer.protocol(), spoken);
                assert_eq!(answer.addresses().count(), 1);

                let [tunnel] = &proxy.seen()[..] else { panic!("{runtime}: {:?}", proxy.seen()) };
                assert_eq!(tunnel.target, format!("{SERVER_NAME}:{}", server.address().port()));
                assert_eq!(tunnel.sent[0], 22, "a TLS handshake comes first");
                assert!(!tunnel.sent.windows(8).any(|octets| octets.eq_ignore_ascii_case(b"\x07example")));
            }
            assert_eq!(server.seen().handshakes(), 2);
        }
    }
}

#[test]
fn an_upstream_with_addresses_is_asked_for_by_address() {
    for (_, on) in RUNTIMES {
        let server = Server::dot().start();
        for (proxy, to_proxy) in both(|setup| setup.credentials("user", "secret")) {
            let to_proxy = to_proxy.credentials("user", "secret").unwrap();
            ask(on, by_address(&server).proxy(to_proxy)).unwrap();
            assert_eq!(proxy.seen()[0].target, server.address().to_string());
        }
    }
}

/// What fails at the proxy says so, in the proxy's words.
#[test]
fn a_proxy_that_refuses_is_the_cause() {
    for (_, on) in RUNTIMES {
        let server = Server::dot().start();
        let socks5 = privydns_tests::Proxy::socks5().failure(2).start();
        let through = by_name(&server).proxy(Proxy::socks5(socks5.address()));
        let words = format!("{} answered: not allowed by its rules", socks5.address());
        assert_eq!(refused(on, through), words);

        let unknown = privydns_tests::Proxy::socks5().start();
        let through = by_name(&server).proxy(Proxy::socks5(unknown.address()));
        assert!(refused(on, through).ends_with("answered: host unreachable"));

        let http = privydns_tests::Proxy::http_connect().credentials("user", "secret").start();
        let through = by_name(&server).proxy(Proxy::http_connect(http.address()));
        assert!(refused(on, through).ends_with("HTTP status 407 (Proxy Authentication Required)"));
        assert_eq!(server.seen().connections.len(), 0);
    }
}

#[test]
fn a_proxy_that_is_not_there_or_goes_away_is_the_cause() {
    for (_, on) in RUNTIMES {
        let upstream = || Upstream::tls(SERVER_NAME).unwrap();
        let (_held, dead) = dead_port();
        let words = refused(on, upstream().proxy(Proxy::socks5(dead)));
        assert!(words.starts_with(&format!("{dead}: ")), "{words}");

        let leaving = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = leaving.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut client, _) = leaving.accept().unwrap();
            let mut greeting = [0; 3];
            client.read_exact(&mut greeting).unwrap();
            client.write_all(&[5]).unwrap();
        });
        let words = refused(on, upstream().proxy(Proxy::socks5(address)));
        assert_eq!(words, format!("{address} closed the connection"));
        thread.join().unwrap();
    }
}

/// A proxy that never answers costs the lookup its deadline, and is what the error names.
#[test]
fn a_proxy_that_says_nothing_is_where_the_lookup_ends() {
    for (_, on) in RUNTIMES {
        let proxy = privydns_tests::Proxy::socks5().silent().start();
        let upstream = Upstream::tls(SERVER_NAME).unwrap().proxy(Proxy::socks5(proxy.address()));
        let config = Config::builder().upstream(upstream).build().unwrap();
        let query = Query::new(NAME, RecordType::A).unwrap().timeout(Duration::from_millis(100));
        let error = on(config, query).unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.stage(), Some(Stage::Proxy), "{error}");
    }
}
