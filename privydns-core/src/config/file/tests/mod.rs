mod faults;
mod settings;

use std::cell::RefCell;

use super::*;
use crate::config::Config;
use crate::tls::tests::{CERTIFICATE, KEY};
use crate::upstream::{HttpMethod, HttpVersion, Protocol};

const EXAMPLE: &str = include_str!("../../../../examples/privydns.toml");

fn parse(text: &str) -> ConfigFile {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn no_file(path: &Path) -> io::Result<Vec<u8>> {
    panic!("unexpected file: {}", path.display())
}

fn config(text: &str) -> Config {
    parse(text).builder(no_file).unwrap().build().unwrap()
}

/// The error for a file.
fn refused(text: &str) -> String {
    match toml::from_str::<ConfigFile>(text) {
        Ok(file) => match file.builder::<Config>(|_| Err(io::ErrorKind::NotFound.into())) {
            Ok(builder) => builder.build().expect_err(text).to_string(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

#[test]
fn example_configuration_file_builds() {
    let read = RefCell::new(Vec::new());
    let file = parse(EXAMPLE);
    let builder = file.builder(|path| {
        read.borrow_mut().push(path.to_owned());
        Ok(if path.ends_with("client.key") { KEY } else { CERTIFICATE }.to_vec())
    });
    let config: Config = builder.unwrap().build().unwrap();
    let labels: Vec<_> = config.upstreams().map(|upstream| upstream.label().to_string()).collect();
    let texts = [
        "quad9",
        "tls://cloudflare-dns.com#ip=1.1.1.1",
        "home",
        "tls://dns.corp.example#ip=192.0.2.53",
        "tls://dns.example",
    ];
    assert_eq!(labels, texts);
    assert_eq!(read.into_inner(), ["corp-ca.pem", "client.pem", "client.key"].map(Path::new));
    let upstreams: Vec<_> = config.upstreams().collect();
    assert_eq!(upstreams[2].addresses().len(), 1);
    assert_eq!(upstreams[2].http_version(), HttpVersion::Http2);
    assert_eq!(upstreams[3].protocol(), Protocol::MutualTls);
    assert!(!upstreams[4].needs_bootstrap(), "the proxy resolves its name");
    assert_eq!(config.settings.timeout, Duration::from_secs(3));
    assert_eq!(config.settings.attempts, 4);
    let cache = CacheSettings::default()
        .max_entries(50_000)
        .max_ttl(Duration::from_secs(86_400))
        .serve_stale(Duration::from_secs(3600))
        .prefetch(true);
    assert_eq!(config.settings.cache, cache);
}

/// Each field sets the same as its method of the builder.
#[test]
fn file_fields_set_the_same_as_builder_methods() {
    let file = config(
        r#"
        upstreams = ["quad9"]
        strategy = { race = 2 }
        timeout = 2
        attempts = 5
        attempt_timeout = "300ms"
        address_delay = 0.1
        hedge = { after = "80ms", share = 0.01 }
        max_lookups = 100
        max_waiting = 50
        max_connections = 3
        max_http1_connections = 4
        ping_interval = "1m 30s"
        cache = { max_entries = 7, max_bytes = 8, min_ttl = 9, max_ttl = "1h", max_negative_ttl = "1min" }
        "#,
    );
    let second = Duration::from_secs(1);
    let code = Config::builder()
        .upstream("quad9".parse().unwrap())
        .strategy(Strategy::race(2))
        .timeout(2 * second)
        .attempts(5)
        .attempt_timeout(300 * second / 1000)
        .address_delay(second / 10)
        .hedge(Hedge::after(80 * second / 1000).share(0.01))
        .max_lookups(100)
        .max_waiting(50)
        .max_connections(3)
        .max_http1_connections(4)
        .ping_interval(90 * second)
        .cache(
            CacheSettings::default()
                .max_entries(7)
                .max_bytes(8)
                .min_ttl(9 * second)
                .max_ttl(3600 * second)
                .max_negative_ttl(60 * second),
        )
        .build()
        .unwrap();
    assert_eq!(format!("{file:?}"), format!("{code:?}"));

    let nothing = config(r#"upstreams = ["quad9"]"#);
    let default = Config::builder().upstream("quad9".parse().unwrap()).build().unwrap();
    assert_eq!(format!("{nothing:?}"), format!("{default:?}"));
    let adaptive = config("upstreams = ['quad9']\nhedge = {}\nstrategy = 'fastest'").settings;
    assert_eq!((adaptive.hedge, adaptive.strategy), (Some(Hedge::adaptive()), Strategy::Fastest));
}

#[test]
fn upstream_table_sets_the_same_as_upstream_methods() {
    let [pin, hash] = ["/SlsviBkb05Y/8XiKF9+CZsgCtrqPQk5bh47o0R3/Cg=", &"1f".repeat(32)];
    let certificates = String::from_utf8([CERTIFICATE, b"'''\nkey = '''\n", KEY].concat()).unwrap();
    let file = config(&format!(
        "[[upstreams]]
        server = '@192.0.2.1 +https=/q'
        addresses = ['2001:db8::1']
        name = 'dns.example'
        port = 8443
        pins = ['{pin}']
        tbs_hashes = ['{hash}']
        roots = 'webpki'
        minimum_tls = '1.2'
        proxy = 'http://user:secret@192.0.2.80:3128'
        http_version = '1.1'
        http_method = 'get'
        certificate = '''\n{certificates}'''"
    ));
    let upstream = file.upstreams().next().unwrap();
    let text = format!("https://dns.example:8443/q#ip=192.0.2.1,2001:db8::1&pin={pin}&tbs={hash}");
    let proxy = "http://user:secret@192.0.2.80:3128".parse().unwrap();
    let code = text.parse::<Upstream>().unwrap().with_minimum_tls(crate::TlsVersion::Tls12).proxy(proxy);
    let code = code.with_http_version(HttpVersion::Http1).with_http_method(HttpMethod::Get);
    assert_eq!(*upstream, code.client_certificate(crate::tls::tests::client_certificate()));
}

#[test]
fn unknown_and_invalid_fields_are_refused_by_name() {
    let rows = [
        ("upstream = ['quad9']", "unknown field `upstream`"),
        ("upstreams = [{ server = 'quad9', cert = 'c.pem' }]", "unknown field `cert`"),
        ("upstreams = [{ addresses = ['192.0.2.1'] }]", "missing field `server`"),
        ("upstreams = [{ server = 'quad9', roots = 'system' }]", "unknown variant `system`"),
        ("upstreams = [{ server = 'quad9', minimum_tls = '1.1' }]", "unknown variant `1.1`"),
        ("upstreams = ['udp://192.0.2.1']", "at byte 0, `udp`: this is DNS in clear text"),
        ("upstreams = [1]", "an upstream: its text, or a table with `server`"),
        ("upstreams = [{ server = 'quad9', pins = ['AAAA'] }]", "a pin is the base64"),
        ("upstreams = [{ server = 'quad9', name = 'a.example' }]", "another name"),
        ("upstreams = [{ server = 'quad9', port = 53 }]", "in clear text"),
        ("upstreams = [{ server = 'quad9', certificate = 'c.pem' }]", "quad9: `certificate` and `key`"),
        ("upstreams = [{ server = 'quad9', roots = 'webpki', ca = 'c.pem' }]", "`roots` and `ca`"),
        ("upstreams = [{ server = 'quad9', ca = 'c.pem' }]", "c.pem: entity not found"),
        ("[cache]\nsize = 1", "unknown field `size`"),
        ("[hedge]\nbefore = 1", "unknown field `before`"),
        ("strategy = 'random'", "unknown variant `random`"),
        ("timeout = -1", "a time must not be negative"),
        ("timeout = '3 parsecs'", "unknown time unit"),
        ("timeout = true", "a number of seconds, or a text with units"),
        ("upstreams = ['quad9']\ntimeout = 0", "must be greater than zero"),
        ("", "no upstream"),
        ("upstreams = ['quad9']\n[routes]\n'a..b' = ['quad9']", "not a domain name"),
    ];
    for (text, problem) in rows {
        let error = refused(text);
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn debug_and_errors_of_a_file_contain_no_secrets() {
    let key = "key = '-----BEGIN PRIVATE KEY----- c2VjcmV0'\ncertificate = '-----BEGIN CERTIFICATE-----'";
    let attributes = key.replace("-----BEGIN PRIVATE", "Bag Attributes -----BEGIN PRIVATE");
    for secret in [key, &attributes, "proxy = 'socks5h://user:c2VjcmV0@localhost:1'", "proxy = 'c2VjcmV0'"] {
        let text = format!("[[upstreams]]\nserver = 'quad9'\n{secret}");
        assert!(!format!("{:?}", parse(&text)).contains("c2VjcmV0"));
        assert!(!refused(&text).contains("c2VjcmV0"), "{}", refused(&text));
    }
}

#[test]
fn upstreams_are_serialized_as_their_canonical_text() {
    for (text, canonical) in [
        ("9.9.9.9@853#dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("https://dns.example", "https://dns.example/dns-query"),
    ] {
        let upstream: Upstream = text.parse().unwrap();
        let value = toml::Value::try_from(&upstream).unwrap();
        assert_eq!(value.as_str(), Some(canonical));
        assert_eq!(value.try_into::<Upstream>().unwrap(), upstream);
        assert_eq!(toml::Value::from(text).try_into::<Upstream>().unwrap(), upstream);
    }
}
