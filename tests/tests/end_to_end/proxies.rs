//! Upstreams that are reached through proxies.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use privydns_core::{Answer, Cause, Error, ErrorKind, Proxy, Query, RecordType, Stage, Upstream};
use privydns_tests::{ProxySetup, SERVER_NAME, Server};
use tokio::net::TcpSocket;

use crate::bench::Bench;

const WWW: &str = "www.example.test";

/// An upstream with the name and port of a server, but no address.
fn by_name(bench: &Bench, server: &Server) -> Upstream {
    let text = server.upstream();
    let (location, _) = text.split_once('#').unwrap();
    bench.upstream_of(server, &location.replace("127.0.0.1", SERVER_NAME))
}

fn ask(bench: &Bench, upstream: Upstream) -> Result<Answer, Error> {
    bench.build(bench.config(&[]).upstream(upstream).attempts(1)).lookup(WWW, RecordType::A)
}

/// The text of the error at the proxy.
fn refused(bench: &Bench, upstream: Upstream) -> String {
    let error = ask(bench, upstream).unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Proxy), "{error}");
    match error.kind() {
        ErrorKind::Upstream(Cause::Proxy(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A proxy of each kind, with the configuration to use it.
fn both(prepare: impl Fn(ProxySetup) -> ProxySetup) -> [(privydns_tests::Proxy, Proxy); 2] {
    let socks5 = prepare(privydns_tests::Proxy::socks5()).start();
    let http = prepare(privydns_tests::Proxy::http_connect()).start();
    let (to_socks5, to_http) = (Proxy::socks5(socks5.address()), Proxy::http_connect(http.address()));
    [(socks5, to_socks5), (http, to_http)]
}

/// A port that no socket listens on. No other process gets the port while the socket is held.
fn dead_port() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// The proxy resolves the name, and the resolver needs no address. The tunnel carries TLS, and no query name is
/// readable in it.
pub(crate) fn proxy_resolves_the_upstream_name(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.name(SERVER_NAME, Ipv4Addr::LOCALHOST.into())) {
        let upstream = by_name(bench, &server).proxy(to_proxy);
        assert!(!upstream.needs_bootstrap());
        let answer = ask(bench, upstream).unwrap();
        assert_eq!(answer.transport(), bench.transport());
        assert_eq!(answer.addresses().count(), 1);

        let [tunnel] = &proxy.seen()[..] else { panic!("{:?}", proxy.seen()) };
        assert_eq!(tunnel.target, format!("{SERVER_NAME}:{}", server.address().port()));
        assert_eq!(tunnel.sent[0], 22, "a TLS handshake comes first");
        assert!(!tunnel.sent.windows(8).any(|bytes| bytes.eq_ignore_ascii_case(b"\x07example")));
    }
}

pub(crate) fn upstream_with_addresses_is_requested_by_address(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.credentials("user", "secret")) {
        let to_proxy = to_proxy.credentials("user", "secret").unwrap();
        ask(bench, bench.upstream(&server).proxy(to_proxy)).unwrap();
        assert_eq!(proxy.seen()[0].target, server.address().to_string());
    }
}

/// The error has the text of the proxy's refusal.
pub(crate) fn refusal_by_a_proxy_is_the_reported_cause(bench: &Bench) {
    let server = bench.setup().start();
    let socks5 = privydns_tests::Proxy::socks5().failure(2).start();
    let through = by_name(bench, &server).proxy(Proxy::socks5(socks5.address()));
    let words = format!("{} answered: not allowed by its rules", socks5.address());
    assert_eq!(refused(bench, through), words);

    let unknown = privydns_tests::Proxy::socks5().start();
    let through = by_name(bench, &server).proxy(Proxy::socks5(unknown.address()));
    assert!(refused(bench, through).ends_with("answered: host unreachable"));

    let http = privydns_tests::Proxy::http_connect().credentials("user", "secret").start();
    let through = by_name(bench, &server).proxy(Proxy::http_connect(http.address()));
    assert!(refused(bench, through).ends_with("HTTP status 407 (Proxy Authentication Required)"));
    assert_eq!(server.seen().connections.len(), 0);
}

/// Without valid credentials, no bytes are sent through the proxy. A proxy that accepts no credentials is not
/// used without them.
pub(crate) fn proxy_credentials_are_sent_and_must_be_valid(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.credentials("user", "secret")) {
        let with_password = |password| to_proxy.clone().credentials("user", password).unwrap();
        for wrong in [to_proxy.clone(), with_password("guess")] {
            refused(bench, bench.upstream(&server).proxy(wrong));
        }
        assert!(proxy.seen().iter().all(|tunnel| tunnel.sent.is_empty()));
        ask(bench, bench.upstream(&server).proxy(with_password("secret"))).unwrap();
    }
    let open = privydns_tests::Proxy::socks5().start();
    let with_credentials = Proxy::socks5(open.address()).credentials("user", "secret").unwrap();
    refused(bench, bench.upstream(&server).proxy(with_credentials));
    assert_eq!(server.seen().connections.len(), 2);
}

pub(crate) fn failed_connection_to_a_proxy_is_the_reported_cause(bench: &Bench) {
    let server = bench.setup().start();
    let (_held, dead) = dead_port();
    let words = refused(bench, by_name(bench, &server).proxy(Proxy::socks5(dead)));
    assert!(words.starts_with(&format!("{dead}: ")), "{words}");

    let leaving = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = leaving.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut client, _) = leaving.accept().unwrap();
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).unwrap();
        client.write_all(&[5]).unwrap();
    });
    let words = refused(bench, by_name(bench, &server).proxy(Proxy::socks5(address)));
    assert_eq!(words, format!("{address} closed the connection"));
    thread.join().unwrap();
}

/// A proxy that never replies delays the lookup until its deadline, and the error names the proxy stage.
pub(crate) fn silent_proxy_is_the_stage_of_the_timeout(bench: &Bench) {
    let server = bench.setup().start();
    let proxy = privydns_tests::Proxy::socks5().silent().start();
    let upstream = by_name(bench, &server).proxy(Proxy::socks5(proxy.address()));
    let query = Query::new(WWW, RecordType::A).unwrap().with_timeout(Duration::from_millis(100));
    let error = bench.build(bench.config(&[]).upstream(upstream)).query(query).unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.stage(), Some(Stage::Proxy), "{error}");
}
