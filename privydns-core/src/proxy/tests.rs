use super::*;
use crate::error::{Cause, ErrorKind};
use crate::upstream::Upstream;

const SOCKS_OPEN: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const HTTP_OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

fn socks5() -> Proxy {
    Proxy::socks5(([127, 0, 0, 1], 9050))
}

fn http() -> Proxy {
    Proxy::http_connect(([127, 0, 0, 1], 3128))
}

fn address(text: &str) -> Destination {
    Destination::Address(text.parse().unwrap())
}

fn name(name: &str) -> Destination {
    Destination::Name(name.into(), 853)
}

/// What a tunnel sent, and how it ended: `Ok` if it is open or still waits.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    sent: Vec<u8>,
    result: Result<bool, String>,
}

/// Runs a tunnel against what a proxy says, whole and octet by octet, which must come to the same.
fn run(proxy: &Proxy, destination: &Destination, said: &[u8]) -> Ran {
    let whole = run_in_parts(proxy, destination, said, said.len().max(1));
    assert_eq!(run_in_parts(proxy, destination, said, 1), whole);
    whole
}

fn run_in_parts(proxy: &Proxy, destination: &Destination, said: &[u8], length: usize) -> Ran {
    let mut tunnel = Tunnel::new(proxy, destination.clone());
    let (mut sent, mut message) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    for part in std::iter::once(None).chain(said.chunks(length).map(Some)) {
        result = part.map_or(Ok(()), |part| tunnel.handle_input(part));
        while tunnel.poll_transmit(&mut message) {
            sent.append(&mut message);
        }
        if result.is_err() {
            break;
        }
    }
    let result = match result {
        Ok(()) => Ok(tunnel.is_open()),
        Err(Cause::Proxy(error)) => Err(error.to_string()),
        Err(other) => panic!("{other:?}"),
    };
    Ran { sent, result }
}

/// The words of a failure, without the address that they begin with.
fn failure(proxy: &Proxy, said: &[u8]) -> String {
    let words = run(proxy, &name("dns.example"), said).result.unwrap_err();
    words.strip_prefix(&format!("{} ", proxy.address())).unwrap().to_owned()
}

#[test]
fn socks5_is_asked_for_a_name_or_an_address() {
    let said = [&[5, 0], SOCKS_OPEN].concat();
    let rows: [(Destination, &[u8]); 3] = [
        (name("dns.example"), b"\x05\x01\x00\x05\x01\x00\x03\x0bdns.example\x03\x55"),
        (address("192.0.2.1:853"), b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x03\x55"),
        (
            address("[2001:db8::1]:853"),
            b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x03\x55",
        ),
    ];
    for (destination, sent) in rows {
        assert_eq!(run(&socks5(), &destination, &said), Ran { sent: sent.to_vec(), result: Ok(true) });
    }
}

#[test]
fn socks5_credentials_are_told_where_given_and_never_left_out() {
    let proxy = socks5().credentials("me", "secret").unwrap();
    let said = [&[5, 2, 1, 0], SOCKS_OPEN].concat();
    let ran = run(&proxy, &name("a.example"), &said);
    let sent = b"\x05\x01\x02\x01\x02me\x06secret\x05\x01\x00\x03\x09a.example\x03\x55";
    assert_eq!(ran, Ran { sent: sent.to_vec(), result: Ok(true) });
    assert_eq!(failure(&proxy, &[5, 2, 1, 1]), "refused the user or the password");
    assert_eq!(failure(&proxy, &[5, 0]), "picked authentication method 0, not offered");
    assert_eq!(failure(&proxy, &[5, 255]), "does not take a user and a password");
    assert_eq!(failure(&socks5(), &[5, 255]), "wants authentication: give it credentials");
    assert_eq!(failure(&socks5(), &[5, 2]), "picked authentication method 2, not offered");
}

#[test]
fn every_kind_of_bound_address_in_a_socks5_reply_is_read_to_its_end() {
    let replies: [&[u8]; 3] = [
        SOCKS_OPEN,
        &[5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 1],
        b"\x05\0\0\x03\x05proxy\0\x01",
    ];
    for reply in replies {
        let said = [&[5, 0], reply].concat();
        assert_eq!(run(&socks5(), &name("a.example"), &said).result, Ok(true));
        assert_eq!(run(&socks5(), &name("a.example"), &said[..said.len() - 1]).result, Ok(false));
        let more = [&said[..], &[22]].concat();
        assert_eq!(failure(&socks5(), &more), "sent something ahead of the upstream");
    }
    assert_eq!(failure(&socks5(), &[5, 0, 5, 0, 0, 2, 0]), "answered with an address of unknown type 2");
}

/// What fails at the proxy says so, in the proxy's words.
#[test]
fn a_socks5_failure_is_named() {
    let answered = |reply| failure(&socks5(), &[5, 0, 5, reply]);
    assert_eq!(answered(1), "answered: general failure");
    assert_eq!(answered(2), "answered: not allowed by its rules");
    assert_eq!(answered(4), "answered: host unreachable");
    assert_eq!(answered(5), "answered: connection refused");
    assert_eq!(answered(0xf0), "answered: failure 240");
    assert_eq!(failure(&socks5(), b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak SOCKS5");
    assert_eq!(failure(&socks5(), &[5, 0, 4]), "does not speak SOCKS5");
}

#[test]
fn http_connect_is_asked_for_a_name_or_an_address() {
    let rows = [
        (name("dns.example"), "dns.example:853"),
        (address("192.0.2.1:443"), "192.0.2.1:443"),
        (address("[2001:db8::1]:853"), "[2001:db8::1]:853"),
    ];
    for (destination, authority) in rows {
        let sent = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes();
        assert_eq!(run(&http(), &destination, HTTP_OPEN), Ran { sent, result: Ok(true) });
    }
    let proxy = http().credentials("Aladdin", "open sesame").unwrap();
    let sent = run(&proxy, &name("a.example"), HTTP_OPEN).sent;
    let field = b"\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
    assert!(sent.ends_with(field), "{}", sent.escape_ascii());
}

/// RFC 9110 Section 9.3.6: any 2xx opens the tunnel, and has no body whatever its fields say.
#[test]
fn a_success_of_http_connect_ends_with_its_head() {
    let heads = [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204 \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ];
    for head in heads {
        assert_eq!(run(&http(), &name("a.example"), head.as_bytes()).result, Ok(true), "{head}");
        assert_eq!(run(&http(), &name("a.example"), &head.as_bytes()[..head.len() - 1]).result, Ok(false));
        let more = format!("{head}\x15");
        assert_eq!(failure(&http(), more.as_bytes()), "sent something ahead of the upstream");
    }
}

/// What fails at the proxy says so, in the proxy's words.
#[test]
fn an_http_failure_is_named() {
    let answered = |head: &str| failure(&http(), head.as_bytes());
    assert_eq!(
        answered("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nSorry"),
        "answered: HTTP status 407 (Proxy Authentication Required)"
    );
    assert_eq!(answered("HTTP/1.1 502 \r\n\r\n"), "answered: HTTP status 502");
    assert_eq!(answered("HTTP/1.1 302 Found\r\n\r\n"), "answered: HTTP status 302 (Found)");
    assert_eq!(failure(&http(), &[5, 255]), "violated HTTP/1.1: the peer does not use this protocol");
    assert_eq!(answered("HTTP/1.1 200 OK\n\n"), "violated HTTP/1.1: a header line without CR");
    assert_eq!(answered("HTTP/1.1 20 OK\r\n\r\n"), "violated HTTP/1.1: a malformed head");
    let switching = answered("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert!(switching.contains("nobody asked for"), "{switching}");
    let long = format!("HTTP/1.1 500 {}\r\n\r\n", "x".repeat(1000));
    assert!(answered(&long).len() < 200);
}

#[test]
fn what_an_http_proxy_can_send_is_bounded() {
    let answered = |head: &str| failure(&http(), head.as_bytes());
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000));
    assert_eq!(answered(&endless), "violated HTTP/1.1: a head that is too long");
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(9);
    assert!(answered(&interim).contains("too many interim responses"));
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(65));
    assert_eq!(answered(&fields), "violated HTTP/1.1: a malformed head");
}

#[test]
fn an_end_of_stream_is_a_failure_at_any_point() {
    for (proxy, said) in [(socks5(), [&[5, 0], SOCKS_OPEN].concat()), (http(), HTTP_OPEN.to_vec())] {
        for length in 0..said.len() {
            let mut tunnel = Tunnel::new(&proxy, name("a.example"));
            if length > 0 {
                tunnel.handle_input(&said[..length]).unwrap();
            }
            let cause = tunnel.handle_input(&[]).unwrap_err();
            assert_eq!(cause.to_string(), format!("proxy: {} closed the connection", proxy.address()));
        }
    }
}

/// Whatever a proxy says, the tunnel is open, waits, or fails, and octet by octet it comes to the same.
#[test]
fn replies_near_a_good_one_are_read_alike_whole_and_in_parts() {
    let proxies = [
        (socks5(), [&[5, 0], SOCKS_OPEN].concat()),
        (socks5().credentials("a", "b").unwrap(), [&[5, 2, 1, 0], SOCKS_OPEN].concat()),
        (http(), HTTP_OPEN.to_vec()),
    ];
    for (proxy, good) in proxies {
        for at in 0..good.len() {
            for octet in [0, 1, 3, 4, 5, b'\r', b'\n', b' ', b'1', 0x7f, 0xff] {
                let mut near = good.clone();
                near[at] = octet;
                let _ = run(&proxy, &name("a.example"), &near);
                near.insert(at, octet);
                let _ = run(&proxy, &name("a.example"), &near);
            }
        }
    }
}

#[test]
fn text_and_code_make_the_same() {
    let rows = [
        ("socks5h://127.0.0.1:9050", socks5()),
        ("SOCKS5://127.0.0.1:9050/", socks5()),
        ("socks5h://[::1]:1080", Proxy::socks5(([0, 0, 0, 0, 0, 0, 0, 1], 1080))),
        ("socks5h://u:p@127.0.0.1:9050", socks5().credentials("u", "p").unwrap()),
        ("http://u%40me:p@:%c3%BC@127.0.0.1:3128", http().credentials("u@me", "p@:ü").unwrap()),
        ("http://:@127.0.0.1:3128", http().credentials("", "").unwrap()),
    ];
    for (text, proxy) in rows {
        let parsed: Proxy = text.parse().unwrap();
        assert_eq!(parsed, proxy, "{text}");
        let shown: Proxy = parsed.to_string().parse().unwrap();
        assert_eq!(shown, Proxy { credentials: None, ..proxy });
    }
}

/// Offset and sentence of a text's error.
#[test]
fn errors_point_at_the_place_and_repeat_no_secrets() {
    let rows = [
        ("127.0.0.1:9050", 0, "begin with"),
        ("https://127.0.0.1:443", 0, "TLS to a proxy"),
        ("socks4://127.0.0.1:1080", 0, "of SOCKS, version 5"),
        ("ftp://127.0.0.1:21", 0, "unknown scheme"),
        ("http://proxy.example:3128", 7, "an IP address"),
        ("http://127.0.0.1", 7, "an IP address"),
        ("http://secret:secret", 7, "an IP address"),
        ("http://secret@127.0.0.1:3128", 7, "a user is followed"),
        ("http://u%3a:secret@127.0.0.1:3128", 7, "a user of the Basic scheme has no colon"),
        ("http://secret:%zz@127.0.0.1:3128", 7, "user or password"),
        ("http://secret:%f@127.0.0.1:3128", 7, "user or password"),
        ("http://secret:%ff@127.0.0.1:3128", 7, "user or password"),
        ("socks5h://secret:@127.0.0.1:1080", 10, "SOCKS5 has users"),
        ("http://secret:secret@nowhere", 21, "an IP address"),
    ];
    for (text, offset, sentence) in rows {
        let error = text.parse::<Proxy>().unwrap_err();
        let ErrorKind::Config(ConfigError::Proxy(syntax)) = error.kind() else { panic!("{error:?}") };
        assert_eq!(syntax.offset(), offset, "{text}");
        assert!(syntax.problem().starts_with(sentence), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let proxy = socks5().credentials("hush-user", "hush-password").unwrap();
    let tunnel = Tunnel::new(&proxy, name("a.example"));
    let upstream = Upstream::tls("a.example").unwrap().proxy(proxy.clone());
    assert!(!format!("{proxy:?} {proxy} {tunnel:?} {upstream:?} {upstream}").contains("hush"));
}

#[test]
fn credentials_that_the_protocol_cannot_carry_are_refused() {
    let long = "x".repeat(256);
    for (user, password) in [("", "p"), ("u", ""), (&long[..], "p"), ("u", &long[..])] {
        assert!(socks5().credentials(user, password).is_err());
    }
    socks5().credentials(&long[1..], &long[1..]).unwrap();
    for (user, password) in [("u:", "p"), ("u\n", "p"), ("u", "p\0")] {
        assert!(http().credentials(user, password).is_err());
    }
}

#[test]
fn an_upstream_behind_a_proxy_is_reached_by_address_or_else_by_name() {
    let ends = |upstream: &Upstream| upstream.ends().map(|end| end.to_string()).collect::<Vec<_>>();
    let direct: Upstream = "tls://dns.example#ip=192.0.2.1,2001:db8::1".parse().unwrap();
    assert_eq!(direct.tunnel("192.0.2.1:853".parse().unwrap()).map(|tunnel| tunnel.proxy()), None);

    let by_address = direct.clone().proxy(http());
    assert_ne!(by_address, direct);
    assert_eq!(ends(&by_address), ["192.0.2.1:853", "[2001:db8::1]:853"]);
    assert_eq!(first_line(&by_address, "[2001:db8::1]:853"), "CONNECT [2001:db8::1]:853 HTTP/1.1");

    let by_name = Upstream::https("dns.example").unwrap().proxy(http());
    assert!(!by_name.needs_bootstrap());
    assert_eq!(ends(&by_name), ["127.0.0.1:3128"]);
    assert_eq!(first_line(&by_name, "127.0.0.1:3128"), "CONNECT dns.example:443 HTTP/1.1");
}

fn first_line(upstream: &Upstream, end: &str) -> String {
    let mut tunnel = upstream.tunnel(end.parse().unwrap()).unwrap();
    let mut message = Vec::new();
    assert!(tunnel.poll_transmit(&mut message));
    String::from_utf8(message).unwrap().lines().next().unwrap().to_owned()
}
