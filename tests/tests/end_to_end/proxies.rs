//! Upstreams behind proxies.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use privydns_core::{Answer, Cause, Error, ErrorKind, Proxy, Query, RecordType, Stage, Upstream};
use privydns_tests::{ProxySetup, SERVER_NAME, Server};
use tokio::net::TcpSocket;

use crate::bench::Bench;

const WWW: &str = "www.example.test";

/// The upstream of a server, known by name and port alone.
fn by_name(bench: &Bench, server: &Server) -> Upstream {
    let text = server.upstream();
    let (location, _) = text.split_once('#').unwrap();
    bench.upstream_of(server, &location.replace("127.0.0.1", SERVER_NAME))
}

fn ask(bench: &Bench, upstream: Upstream) -> Result<Answer, Error> {
    bench.build(bench.config(&[]).upstream(upstream).attempts(1)).lookup(WWW, RecordType::A)
}

/// The words of an error at the proxy.
fn refused(bench: &Bench, upstream: Upstream) -> String {
    let error = ask(bench, upstream).unwrap_err();
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
pub(crate) fn an_upstream_known_by_name_is_reached_through_a_proxy_that_resolves_it(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.name(SERVER_NAME, Ipv4Addr::LOCALHOST.into())) {
        let upstream = by_name(bench, &server).proxy(to_proxy);
        assert!(!upstream.needs_bootstrap());
        let answer = ask(bench, upstream).unwrap();
        assert_eq!(answer.transport(), bench.spoken());
        assert_eq!(answer.addresses().count(), 1);

        let [tunnel] = &proxy.seen()[..] else { panic!("{:?}", proxy.seen()) };
        assert_eq!(tunnel.target, format!("{SERVER_NAME}:{}", server.address().port()));
        assert_eq!(tunnel.sent[0], 22, "a TLS handshake comes first");
        assert!(!tunnel.sent.windows(8).any(|octets| octets.eq_ignore_ascii_case(b"\x07example")));
    }
}

pub(crate) fn an_upstream_with_addresses_is_asked_for_by_address(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.credentials("user", "secret")) {
        let to_proxy = to_proxy.credentials("user", "secret").unwrap();
        ask(bench, bench.upstream(&server).proxy(to_proxy)).unwrap();
        assert_eq!(proxy.seen()[0].target, server.address().to_string());
    }
}

/// What fails at the proxy says so, in the proxy's words.
pub(crate) fn a_proxy_that_refuses_is_the_cause(bench: &Bench) {
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

/// Without the right ones nothing is sent through it; nor is it asked without any.
pub(crate) fn credentials_are_told_and_have_to_be_right(bench: &Bench) {
    let server = bench.setup().start();
    for (proxy, to_proxy) in both(|setup| setup.credentials("user", "secret")) {
        let told = |password| to_proxy.clone().credentials("user", password).unwrap();
        for wrong in [to_proxy.clone(), told("guess")] {
            refused(bench, bench.upstream(&server).proxy(wrong));
        }
        assert!(proxy.seen().iter().all(|tunnel| tunnel.sent.is_empty()));
        ask(bench, bench.upstream(&server).proxy(told("secret"))).unwrap();
    }
    let open = privydns_tests::Proxy::socks5().start();
    let told = Proxy::socks5(open.address()).credentials("user", "secret").unwrap();
    refused(bench, bench.upstream(&server).proxy(told));
    assert_eq!(server.seen().connections.len(), 2);
}

pub(crate) fn a_proxy_that_is_not_there_or_goes_away_is_the_cause(bench: &Bench) {
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

/// A proxy that never answers costs the lookup its deadline, and is what the error names.
pub(crate) fn a_proxy_that_says_nothing_is_where_the_lookup_ends(bench: &Bench) {
    let server = bench.setup().start();
    let proxy = privydns_tests::Proxy::socks5().silent().start();
    let upstream = by_name(bench, &server).proxy(Proxy::socks5(proxy.address()));
    let query = Query::new(WWW, RecordType::A).unwrap().with_timeout(Duration::from_millis(100));
    let error = bench.build(bench.config(&[]).upstream(upstream)).query(query).unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.stage(), Some(Stage::Proxy), "{error}");
}
