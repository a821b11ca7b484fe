//! Seeds of texts from users, and of proxies' replies.

use super::Seeds;

/// Flags of the proxy target: an HTTP proxy, credentials, a name to connect to, and the proxy closes.
const HTTP: u8 = 1;
const CREDENTIALS: u8 = 2;
const NAME: u8 = 8;
const ENDS: u8 = 0x10;

pub(super) fn proxy() -> Seeds {
    let said = |flags: u8, bytes: &[u8]| [&[flags, 3], bytes].concat();
    vec![
        ("socks5", said(0, b"\x05\0\x05\0\0\x01\0\0\0\0\0\0")),
        ("socks5-ipv6", said(4, b"\x05\0\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
        ("socks5-name", said(NAME, b"\x05\0\x05\0\0\x03\x05proxy\0\x50")),
        ("socks5-password", said(CREDENTIALS, b"\x05\x02\x01\0\x05\0\0\x01\0\0\0\0\0\0")),
        ("socks5-password-refused", said(CREDENTIALS, b"\x05\x02\x01\x01")),
        ("socks5-no-method", said(0, b"\x05\xff")),
        ("socks5-refused", said(0, b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0")),
        ("socks5-cut-off", said(ENDS, b"\x05\0\x05\0")),
        ("socks5-early", said(0, b"\x05\0\x05\0\0\x01\0\0\0\0\0\0\x16\x03")),
        ("socks4", said(0, b"\0\x5a\0\0\0\0\0\0")),
        ("http", said(HTTP, b"HTTP/1.1 200 Connection established\r\n\r\n")),
        ("http-fields", said(HTTP | NAME, b"HTTP/1.0 200 OK\r\nVia: proxy\r\nProxy-Agent: any\r\n\r\n")),
        ("http-interim", said(HTTP, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")),
        ("http-407", said(HTTP, b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")),
        ("http-502", said(HTTP | CREDENTIALS, b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>")),
        ("http-early", said(HTTP, b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01")),
        ("http-cut-off", said(HTTP | ENDS, b"HTTP/1.1 200 OK\r\n")),
        ("http-no-http", said(HTTP, b"220 mail.example ESMTP\r\n")),
    ]
}

pub(super) fn upstream() -> Seeds {
    let texts: [(&str, &str); 42] = [
        ("tls", "tls://dns.example#ip=192.0.2.1,2001:db8::1"),
        ("tls-address", "tls://192.0.2.1:8853#dns.example"),
        ("tls-address-alone", "tls://[2001:db8::1]"),
        ("tls-pins", "tls://192.0.2.1#pin=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("https", "https://dns.example/dns-query{?dns}#ip=192.0.2.1"),
        ("https-query", "https://dns.example:8443/q?key=value{&dns}#ip=192.0.2.1&name=other.example"),
        ("https-escape", "https://dns.example/%2e%zz"),
        ("unbound", "192.0.2.1@853#dns.example"),
        ("systemd", "[2001:db8::1]:853#dns.example"),
        ("preset", "quad9-https"),
        ("doggo", "@https://dns.example/dns-query"),
        ("kdig", "@192.0.2.1 -p 8853 +tls-ca +tls-hostname=dns.example"),
        ("kdig-pins", "@192.0.2.1 +tls-pin=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("kdig-https", "@2001:db8::1 +https=dns.example:8443/q?key=value{&dns}"),
        ("kdig-file", "@192.0.2.1 +tls-certfile=client.pem +tls-keyfile=client.key"),
        ("name-alone", "dns.example"),
        ("upper-case", "TLS://DNS.Example.#IP=192.0.2.1"),
        ("idna", "tls://d\u{fc}s.example"),
        ("port-53", "tls://dns.example:53"),
        ("port-too-large", "tls://dns.example:65536"),
        ("clear-text", "udp://192.0.2.1"),
        ("stamp", "sdns://AgcAAAAAAAAAAAA"),
        ("stamp-https", "sdns://AgcAAAAAAAAACTE5Mi4wLjIuMQALZG5zLmV4YW1wbGUKL2Rucy1xdWVyeQ"),
        ("stamp-tls", "sdns://AwAAAAAAAAAADVsyMDAxOmRiODo6MV0AC2Rucy5leGFtcGxl"),
        (
            "stamp-hashes",
            "sdns://AwAAAAAAAAAAAKARERERERERERERERERERERERERERERERERERERERERERESAi\
             IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgtkbnMuZXhhbXBsZQ",
        ),
        ("stamp-dnscrypt", "sdns://AQcAAAAAAAAACTE5Mi4wLjIuMQ"),
        ("stamp-octets", "\x03\0\0\0\0\0\0\0\0\x09192.0.2.1\0\x0bdns.example\x09192.0.2.2"),
        ("tbs", "tls://dns.example#tbs=1111111111111111111111111111111111111111111111111111111111111111"),
        ("quic", "quic://dns.example"),
        ("user", "https://user@dns.example/"),
        ("line-break", "https://dns.example/\r\nHost: other.example"),
        ("two-names", "tls://192.0.2.1#one.example&name=two.example"),
        ("unknown-key", "tls://dns.example#any=1"),
        ("a-name", "www.example.com."),
        ("an-escaped-name", "a\\.b\\065\\032.example"),
        ("a-name-in-all-letters", "b\u{fc}cher.\u{4f8b}\u{5b50}.example"),
        ("the-root", "."),
        ("an-address-as-name", "2001:db8::1"),
        ("an-empty-label", "a..example"),
        ("a-pin", "4/mggdlVx8A3pvHAWW5sD+qJyMtUHgiRuPjVC48N0XQ="),
        ("a-proxy", "socks5h://us%20er:pass@127.0.0.1:9050"),
        ("an-http-proxy", "http://[::1]:3128"),
    ];
    let mut seeds: Seeds = texts.into_iter().map(|(name, text)| (name, text.as_bytes().to_vec())).collect();
    seeds.push(("a-certificate", CERTIFICATE.as_bytes().to_vec()));
    seeds.push(("a-key", KEY.as_bytes().to_vec()));
    seeds
}

/// The beginnings of files whose content is neither a certificate nor a key.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAowAzABADAAAwEA\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN CERTIFICATE-----\nMAowAzABADAAAwEA\n-----END CERTIFICATE-----\n\
    -----BEGIN PRIVATE KEY-----\nMAowAzABADAAAwEA\n-----END PRIVATE KEY-----\n";
