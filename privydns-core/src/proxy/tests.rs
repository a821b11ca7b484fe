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

/// The bytes that a tunnel sent, and its result: `Ok` contains whether the tunnel is open.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    sent: Vec<u8>,
    result: Result<bool, String>,
}

/// Runs a tunnel with a proxy's reply, at once and byte by byte, which must give the same result.
fn run(proxy: &Proxy, destination: &Destination, reply: &[u8]) -> Ran {
    let whole = run_in_parts(proxy, destination, reply, reply.len().max(1));
    assert_eq!(run_in_parts(proxy, destination, reply, 1), whole);
    whole
}

fn run_in_parts(proxy: &Proxy, destination: &Destination, reply: &[u8], length: usize) -> Ran {
    let mut tunnel = Tunnel::new(proxy, destination.clone());
    let (mut sent, mut message) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    for part in std::iter::once(None).chain(reply.chunks(length).map(Some)) {
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

/// The text of a failure without the proxy's address at its beginning.
fn failure(proxy: &Proxy, reply: &[u8]) -> String {
    let words = run(proxy, &name("dns.example"), reply).result.unwrap_err();
    words.strip_prefix(&format!("{} ", proxy.address())).unwrap().to_owned()
}

#[test]
fn socks5_request_contains_a_name_or_an_address() {
    let reply = [&[5, 0], SOCKS_OPEN].concat();
    let rows: [(Destination, &[u8]); 3] = [
        (name("dns.example"), b"\x05\x01\x00\x05\x01\x00\x03\x0bdns.example\x03\x55"),
        (address("192.0.2.1:853"), b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x03\x55"),
        (
            address("[2001:db8::1]:853"),
            b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x03\x55",
        ),
    ];
    for (destination, sent) in rows {
        assert_eq!(run(&socks5(), &destination, &reply), Ran { sent: sent.to_vec(), result: Ok(true) });
    }
}

#[test]
fn socks5_credentials_are_sent_and_required_if_set() {
    let proxy = socks5().credentials("me", "secret").unwrap();
    let reply = [&[5, 2, 1, 0], SOCKS_OPEN].concat();
    let ran = run(&proxy, &name("a.example"), &reply);
    let sent = b"\x05\x01\x02\x01\x02me\x06secret\x05\x01\x00\x03\x09a.example\x03\x55";
    assert_eq!(ran, Ran { sent: sent.to_vec(), result: Ok(true) });
    assert_eq!(failure(&proxy, &[5, 2, 1, 1]), "refused the user or the password");
    assert_eq!(failure(&proxy, &[5, 0]), "selected authentication method 0, not offered");
    assert_eq!(failure(&proxy, &[5, 255]), "does not support a user and a password");
    assert_eq!(failure(&socks5(), &[5, 255]), "requires authentication: set credentials");
    assert_eq!(failure(&socks5(), &[5, 2]), "selected authentication method 2, not offered");
}

#[test]
fn socks5_replies_with_all_address_types_are_read_to_the_end() {
    let replies: [&[u8]; 3] = [
        SOCKS_OPEN,
        &[5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 1],
        b"\x05\0\0\x03\x05proxy\0\x01",
    ];
    for reply in replies {
        let reply = [&[5, 0], reply].concat();
        assert_eq!(run(&socks5(), &name("a.example"), &reply).result, Ok(true));
        assert_eq!(run(&socks5(), &name("a.example"), &reply[..reply.len() - 1]).result, Ok(false));
        let more = [&reply[..], &[22]].concat();
        assert_eq!(failure(&socks5(), &more), "sent bytes before the upstream");
    }
    assert_eq!(failure(&socks5(), &[5, 0, 5, 0, 0, 2, 0]), "answered with an address of unknown type 2");
}

/// The error contains the proxy's reason.
#[test]
fn socks5_failure_contains_the_proxys_reason() {
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
fn http_connect_request_contains_a_name_or_an_address() {
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

/// RFC 9110 Section 9.3.6: any 2xx opens the tunnel and has no body, whatever its fields announce.
#[test]
fn successful_http_connect_response_ends_with_its_head() {
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
        assert_eq!(failure(&http(), more.as_bytes()), "sent bytes before the upstream");
    }
}

/// The error contains the proxy's reason.
#[test]
fn http_connect_failure_contains_the_proxys_reason() {
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
    assert!(switching.contains("unexpected 101"), "{switching}");
    let long = format!("HTTP/1.1 500 {}\r\n\r\n", "x".repeat(1000));
    assert!(answered(&long).len() < 200);
}

#[test]
fn http_connect_response_is_limited() {
    let answered = |head: &str| failure(&http(), head.as_bytes());
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000));
    assert_eq!(answered(&endless), "violated HTTP/1.1: a head that is too long");
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(9);
    assert!(answered(&interim).contains("too many interim responses"));
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(65));
    assert_eq!(answered(&fields), "violated HTTP/1.1: a malformed head");
}

#[test]
fn end_of_stream_from_a_proxy_is_always_a_failure() {
    for (proxy, reply) in [(socks5(), [&[5, 0], SOCKS_OPEN].concat()), (http(), HTTP_OPEN.to_vec())] {
        for length in 0..reply.len() {
            let mut tunnel = Tunnel::new(&proxy, name("a.example"));
            if length > 0 {
                tunnel.handle_input(&reply[..length]).unwrap();
            }
            let cause = tunnel.handle_input(&[]).unwrap_err();
            assert_eq!(cause.to_string(), format!("proxy: {} closed the connection", proxy.address()));
        }
    }
}

/// Any reply opens the tunnel, is incomplete, or fails, and gives the same result byte by byte.
#[test]
fn changed_proxy_replies_are_read_alike_whole_and_in_parts() {
    let proxies = [
        (socks5(), [&[5, 0], SOCKS_OPEN].concat()),
        (socks5().credentials("a", "b").unwrap(), [&[5, 2, 1, 0], SOCKS_OPEN].concat()),
        (http(), HTTP_OPEN.to_vec()),
    ];
    for (proxy, good) in proxies {
        for at in 0..good.len() {
            for byte in [0, 1, 3, 4, 5, b'\r', b'\n', b' ', b'1', 0x7f, 0xff] {
                let mut near = good.clone();
                near[at] = byte;
                let _ = run(&proxy, &name("a.example"), &near);
                near.insert(at, byte);
                let _ = run(&proxy, &name("a.example"), &near);
            }
        }
    }
}

#[test]
fn text_and_setters_give_equal_proxies() {
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

/// Each text with the offset and the beginning of its problem.
#[test]
fn proxy_syntax_errors_have_a_position_and_no_secrets() {
    let rows = [
        ("127.0.0.1:9050", 0, "begin with"),
        ("https://127.0.0.1:443", 0, "TLS to a proxy"),
        ("socks4://127.0.0.1:1080", 0, "only version 5"),
        ("ftp://127.0.0.1:21", 0, "unknown scheme"),
        ("http://proxy.example:3128", 7, "an IP address"),
        ("http://127.0.0.1", 7, "an IP address"),
        ("http://secret:secret", 7, "an IP address"),
        ("http://secret@127.0.0.1:3128", 7, "a colon and a password"),
        ("http://u%3a:secret@127.0.0.1:3128", 7, "the Basic scheme does not allow a colon"),
        ("http://secret:%zz@127.0.0.1:3128", 7, "user or password"),
        ("http://secret:%f@127.0.0.1:3128", 7, "user or password"),
        ("http://secret:%ff@127.0.0.1:3128", 7, "user or password"),
        ("socks5h://secret:@127.0.0.1:1080", 10, "SOCKS5 users"),
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
fn credentials_that_the_proxy_protocol_cannot_carry_are_refused() {
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
fn proxy_connects_to_the_address_or_else_to_the_name() {
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
