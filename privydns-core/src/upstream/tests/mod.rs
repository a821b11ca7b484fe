mod faults;

use super::*;
use crate::error::ErrorKind;

const PIN: &str = "/SlsviBkb05Y/8XiKF9+CZsgCtrqPQk5bh47o0R3/Cg=";
const OTHER_PIN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn parse(text: &str) -> Upstream {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The offset and the problem of the error for a text.
fn fault(text: &str) -> (usize, &'static str) {
    match text.parse::<Upstream>().map_err(|error| error.kind().clone()) {
        Err(ErrorKind::Config(ConfigError::Syntax(error))) => (error.offset(), error.problem()),
        other => panic!("{text}: {other:?}"),
    }
}

/// Each text with its canonical form, which is parsed and printed unchanged.
#[test]
fn every_form_has_one_canonical_form() {
    let rows = [
        ("tls://dns.quad9.net", "tls://dns.quad9.net"),
        ("tls://dns.quad9.net:853", "tls://dns.quad9.net"),
        ("tls://dns.quad9.net:8853", "tls://dns.quad9.net:8853"),
        ("TLS://DNS.Quad9.NET.", "tls://dns.quad9.net"),
        ("tls://bücher.example", "tls://xn--bcher-kva.example"),
        ("tls://9.9.9.9#dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("tls://9.9.9.9:8853#name=dns.quad9.net", "tls://dns.quad9.net:8853#ip=9.9.9.9"),
        ("tls://[2620:fe::fe]:8853#dns.quad9.net", "tls://dns.quad9.net:8853#ip=2620:fe::fe"),
        ("tls://[2620:FE:0::fe]", "tls://[2620:fe::fe]"),
        ("tls://[2620:fe::fe]:443", "tls://[2620:fe::fe]:443"),
        ("tls://dns.quad9.net#ip=9.9.9.9,2620:fe::fe", "tls://dns.quad9.net#ip=9.9.9.9,2620:fe::fe"),
        ("tls://dns.quad9.net#ip=[2620:fe::fe]&ip=9.9.9.9", "tls://dns.quad9.net#ip=2620:fe::fe,9.9.9.9"),
        ("tls://dns.quad9.net#ip=9.9.9.9,9.9.9.9", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("tls://9.9.9.9#dns.quad9.net&ip=149.112.112.112", "tls://dns.quad9.net#ip=9.9.9.9,149.112.112.112"),
        ("tls://dns.quad9.net#dns.quad9.net", "tls://dns.quad9.net"),
        ("tls://1.1.1.1", "tls://1.1.1.1"),
        ("tls://1.1.1.1#ip=1.0.0.1,1.1.1.1", "tls://1.1.1.1#ip=1.0.0.1"),
        ("tls://1.1.1.1#name=1.1.1.1", "tls://1.1.1.1#name=1.1.1.1"),
        ("tls://10.0.0.1#1.1.1.1&ip=10.0.0.2", "tls://10.0.0.1#name=1.1.1.1&ip=10.0.0.2"),
        ("tls://10.0.0.1#2620:fe::fe", "tls://10.0.0.1#name=2620:fe::fe"),
        ("9.9.9.9@853#dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("9.9.9.9@8853#dns.quad9.net", "tls://dns.quad9.net:8853#ip=9.9.9.9"),
        ("2620:fe::fe@853#dns.quad9.net", "tls://dns.quad9.net#ip=2620:fe::fe"),
        ("9.9.9.9#dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("9.9.9.9:8853#dns.quad9.net", "tls://dns.quad9.net:8853#ip=9.9.9.9"),
        ("2620:fe::fe#dns.quad9.net", "tls://dns.quad9.net#ip=2620:fe::fe"),
        ("[2620:fe::fe]:8853#dns.quad9.net", "tls://dns.quad9.net:8853#ip=2620:fe::fe"),
        ("https://dns.quad9.net", "https://dns.quad9.net/dns-query"),
        ("https://dns.quad9.net/", "https://dns.quad9.net/"),
        ("https://dns.quad9.net:443/dns-query{?dns}", "https://dns.quad9.net/dns-query"),
        ("https://dns.nextdns.io/abc123", "https://dns.nextdns.io/abc123"),
        ("https://d.example:8443/q?a=b{&dns}#ip=192.0.2.1", "https://d.example:8443/q?a=b#ip=192.0.2.1"),
        ("https://1.1.1.1/dns-query", "https://1.1.1.1/dns-query"),
        ("https://10.0.0.1/q#name=1.1.1.1", "https://10.0.0.1/q#name=1.1.1.1"),
        ("https://1.1.1.1/q#cloudflare-dns.com", "https://cloudflare-dns.com/q#ip=1.1.1.1"),
        ("https://[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443/dns-query"),
        ("@tls://dns.quad9.net", "tls://dns.quad9.net"),
        ("@https://dns.quad9.net/dns-query", "https://dns.quad9.net/dns-query"),
        ("@9.9.9.9@853#dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("@9.9.9.9 +tls", "tls://9.9.9.9"),
        ("@9.9.9.9 +tls-ca", "tls://9.9.9.9#name=9.9.9.9"),
        ("@9.9.9.9 +tls-ca +tls-hostname=dns.quad9.net", "tls://dns.quad9.net#ip=9.9.9.9"),
        ("+tls-hostname=dns.quad9.net  9.9.9.9 -p 8853", "tls://dns.quad9.net:8853#ip=9.9.9.9"),
        ("@2620:fe::fe +tls-hostname=dns.quad9.net -p8853", "tls://dns.quad9.net:8853#ip=2620:fe::fe"),
        ("@[2620:fe::fe]:8853 +tls", "tls://[2620:fe::fe]:8853"),
        ("@9.9.9.9@8853 +tls", "tls://9.9.9.9:8853"),
        ("@dns.quad9.net +tls", "tls://dns.quad9.net"),
        ("@1.1.1.1 +https", "https://1.1.1.1/dns-query"),
        ("@1.1.1.1 +https=/q", "https://1.1.1.1/q"),
        ("@1.1.1.1 +tls +https=cloudflare-dns.com/q", "https://cloudflare-dns.com/q#ip=1.1.1.1"),
        ("@1.1.1.1 +https=https://a.example:8443", "https://a.example:8443/dns-query#ip=1.1.1.1"),
        ("@1.1.1.1 +https +tls-hostname=a.example", "https://a.example/dns-query#ip=1.1.1.1"),
    ];
    for (text, canonical) in rows {
        let upstream = parse(text);
        assert_eq!(upstream.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), upstream, "{text}");
        assert_eq!(upstream.label(), canonical, "{text}");
    }
}

/// Conformance 18: several pins, so that one can be for the next key.
#[test]
fn pins_are_parsed_and_printed() {
    let both = parse(&format!("tls://192.0.2.1#pin={PIN}&pin={OTHER_PIN}"));
    assert_eq!(both, parse(&format!("tls://192.0.2.1#pin={PIN},{OTHER_PIN}")));
    assert_eq!(both.pins().len(), 2);
    assert_eq!(both.to_string(), format!("tls://192.0.2.1#pin={PIN},{OTHER_PIN}"));
    let named = parse(&format!("9.9.9.9@853#dns.quad9.net&pin={PIN}"));
    assert_eq!(named.to_string(), format!("tls://dns.quad9.net#ip=9.9.9.9&pin={PIN}"));
    let alone = format!("tls://9.9.9.9#pin={PIN}");
    assert_eq!(parse(&format!("9.9.9.9#pin={PIN}")).to_string(), alone);
    assert_eq!(parse(&format!("@9.9.9.9 +tls-pin={PIN}")).to_string(), alone);
    let with_authority = parse(&format!("@9.9.9.9 +tls-pin={PIN} +tls-pin={OTHER_PIN} +tls-ca"));
    assert_eq!(with_authority.to_string(), format!("tls://9.9.9.9#name=9.9.9.9&pin={PIN},{OTHER_PIN}"));
}

/// Conformance 1, 16, 20: there is no text for DNS in clear text.
#[test]
fn dns_in_clear_text_is_refused() {
    for text in ["udp://9.9.9.9", "tcp://9.9.9.9", "plain://9.9.9.9", "dns://9.9.9.9", "system://"] {
        let (offset, problem) = fault(text);
        assert_eq!(offset, 0);
        assert!(problem.contains("in clear text"), "{text}: {problem}");
    }
    assert!(fault("http://dns.example/").1.contains("not encrypted"));
    for text in ["@9.9.9.9 +notls", "@9.9.9.9 -p 853", "@9.9.9.9 +tcp"] {
        assert!(fault(text).1.contains("in clear text"), "{text}");
    }
    let port_53 = [
        "tls://9.9.9.9:53",
        "9.9.9.9:53#a.example",
        "9.9.9.9@53#a.example",
        "https://a.example:53/",
        "@9.9.9.9 +tls -p 53",
        "@9.9.9.9 +https=a.example:53/q",
    ];
    for text in port_53 {
        let (offset, problem) = fault(text);
        assert_eq!(&text[offset..][..2], "53");
        assert!(problem.contains("in clear text"), "{text}: {problem}");
    }
    let error = Upstream::tls("a.example").unwrap().with_port(53).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Config(ConfigError::Setting { setting: "with_port", .. })));
}

/// Each text with its invalid part and the beginning of the problem.
#[test]
fn upstream_errors_contain_the_invalid_part() {
    let rows = [
        ("", "", "a host name or an IP address is missing"),
        ("tls://", "", "a host name"),
        ("tls://:853", ":853", "a host name"),
        ("quic://dns.example", "quic", "DNS over QUIC"),
        ("h3://dns.example", "h3", "HTTP/3"),
        ("sdns://AgcAAAAAAAAA", "", "the stamp is cut off"),
        ("sdns://AgcA!AAAAAA", "!AAAAAA", "not base64"),
        ("mtls://dns.example", "mtls", "use `tls`"),
        ("gopher://dns.example", "gopher", "unknown scheme"),
        ("dns.quad9.net", "dns.quad9.net", "no preset has this name"),
        ("9.9.9.9", "9.9.9.9", "an address alone"),
        ("9.9.9.9@853", "9.9.9.9@853", "an address alone"),
        ("9.9.9.9#ip=149.112.112.112", "9.9.9.9", "an address alone"),
        ("no name", "no name", "neither"),
        ("tls://a..b", "a..b", "neither"),
        ("tls://a.example:", "", "not a port number"),
        ("tls://a.example:+853", "+853", "not a port number"),
        ("tls://a.example:65536", "65536", "not a port number"),
        ("tls://a.example:0", "0", "port 0"),
        ("tls://1.2.3.400", "1.2.3.400", "neither"),
        ("tls://2620:fe::fe:853", "2620:fe::fe:853", "write the IPv6 address in brackets"),
        ("tls://[2620:fe::fe", "[2620:fe::fe", "write the IPv6 address in brackets"),
        ("tls://[fe80::1%eth0]:853", "[fe80::1%eth0]", "not an IPv6 address"),
        ("tls://[2620:fe::fe]853", "[2620:fe::fe]853", "neither"),
        ("tls://user@a.example", "@a.example", "the port is written after"),
        ("tls://a.example/dns-query", "/dns-query", "DNS over TLS has no path"),
        ("tls://a.example#", "", "a host name"),
        ("tls://a.example#ip=", "", "not an IP address"),
        ("tls://a.example#ip=9.9.9.9,x", "x", "not an IP address"),
        ("tls://9.9.9.9#a.example&name=b.example", "name=b.example", "more than one name"),
        ("tls://a.example#b.example", "b.example", "the upstream already has another name"),
        ("tls://a.example#pin=AAAA", "AAAA", "not the base64"),
        ("tls://a.example#sni=b.example", "sni", "unknown key"),
        ("tls://a.example#tbs=3e1a", "3e1a", "not the hexadecimal digits"),
        ("https://a.example?q", "?q", "a path begins"),
        ("https://a.example{?dns}", "{?dns}", "a path begins"),
        ("https://a.example/q{dns}", "{dns}", "the only supported expression"),
        ("https://a.example/{?dns}/b", "{?dns}/b", "the only supported expression"),
        ("https://a.example/q{&dns}", "{&dns}", "without a query"),
        ("https://a.example/q?a=b{?dns}", "{?dns}", "after a query"),
        ("https://a.example/q r", " ", "not allowed in a URL"),
        ("https://a.example/ü", "ü", "not allowed in a URL"),
        ("https://a.example/%4", "%4", "`%` is followed"),
        ("@9.9.9.9", "9.9.9.9", "an address alone"),
        ("@9.9.9.9 -p 853", "9.9.9.9", "without `+tls`"),
        ("+tls", "", "the server is missing"),
        ("@9.9.9.9 +tls @1.1.1.1", "@1.1.1.1", "more than one server"),
        ("@9.9.9.9 +tls -p", "-p", "a port is missing"),
        ("@9.9.9.9 +tls -p x", "x", "not a port number"),
        ("@9.9.9.9 +tls -d", "-d", "unknown option"),
        ("@9.9.9.9 +tls-hostname", "tls-hostname", "a value is missing"),
        ("@9.9.9.9 +tls-hostname=a..b", "a..b", "neither"),
        ("@9.9.9.9 +tls-hostname=a.example +tls-hostname=b.example", "tls-hostname=b", "more than one name"),
        ("@9.9.9.9 +tls-pin=AAAA", "AAAA", "not the base64"),
        ("@9.9.9.9 +tls-ca=ca.pem", "tls-ca=ca.pem", "files are not read"),
        ("@9.9.9.9 +tls-certfile=c.pem", "tls-certfile=c.pem", "files are not read"),
        ("@9.9.9.9 +tls-keyfile=k.pem", "tls-keyfile=k.pem", "files are not read"),
        ("@9.9.9.9 +tls-sni=a.example", "tls-sni", "SNI is always"),
        ("@9.9.9.9 +https-get", "https-get", "set the method with"),
        ("@9.9.9.9 +quic", "quic", "DNS over QUIC"),
        ("@9.9.9.9 +https=a.example/q{dns}", "{dns}", "the only supported expression"),
        (
            "@9.9.9.9 +https=a.example/ +tls-hostname=b.example",
            "b.example",
            "the upstream already has another name",
        ),
        ("@9.9.9.9 +short", "short", "unknown option"),
    ];
    for (text, part, sentence) in rows {
        let (offset, problem) = fault(text);
        assert!(text[offset..].starts_with(part), "{text}: {offset}");
        assert!(problem.starts_with(sentence), "{text}: {problem}");
        assert!(!problem.contains('\n'));
        if part.is_empty() {
            assert_eq!(offset, text.len(), "{text}");
        }
    }
}

#[test]
fn syntax_error_repeats_few_characters_and_escapes_them() {
    let error = format!("tls://{}\u{1b}[31m", "x".repeat(10)).parse::<Upstream>().unwrap_err();
    assert!(error.to_string().contains(r"xxxxxxxxxx\u{1b}[31m"), "{error}");
    let error = format!("tls://{}", "x.".repeat(5000)).parse::<Upstream>().unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn syntax_error_has_the_range_of_the_invalid_part() {
    let text = "@9.9.9.9 +tls -p 53";
    let error = text.parse::<Upstream>().unwrap_err();
    let ErrorKind::Config(ConfigError::Syntax(error)) = error.kind() else { panic!("{error}") };
    assert_eq!(&text[error.span()], "53");
}

#[test]
fn text_over_65536_bytes_is_refused() {
    let addresses = |count: u16| {
        let listed = (0..count).map(|at| format!("2001:db8::{at:x}")).collect::<Vec<_>>().join(",");
        format!("tls://a.example#ip={listed}").parse::<Upstream>()
    };
    assert_eq!(addresses(500).unwrap().addresses().len(), 500);
    assert!(addresses(6000).unwrap_err().to_string().contains("longer than 65536 bytes"));
}

/// Cutting the text or changing one character at any position gives an upstream or an error. Upstreams are printed in a
/// form that parses to the same value.
#[test]
fn changed_texts_parse_to_upstreams_or_errors() {
    let good = "https://[2606:4700::1111]:8443/q%20?a=b{&dns}#name=one.one.one.one&ip=1.1.1.1&pin=";
    let good = format!("{good}{PIN}");
    parse(&good);
    for at in 0..good.len() {
        let near = ['#', '&', '=', ':', '@', '[', ']', '{', '/', '%', '\0', 'ß', '5']
            .map(|char| format!("{}{char}{}", &good[..at], &good[at + 1..]));
        let cut = [good[..at].to_owned(), good[at..].to_owned()];
        for text in near.iter().chain(&cut) {
            match text.parse::<Upstream>() {
                Ok(upstream) => assert_eq!(parse(&upstream.to_string()), upstream, "{text}"),
                Err(error) => assert!(error.to_string().contains("at byte"), "{text}"),
            }
        }
    }
}

#[test]
fn text_and_setters_give_equal_upstreams() {
    let text = parse(&format!("tls://9.9.9.9:8853#dns.quad9.net&ip=2620:fe::fe&pin={PIN}"));
    let code = Upstream::tls("dns.quad9.net")
        .and_then(|upstream| upstream.with_port(8853))
        .unwrap()
        .address([9, 9, 9, 9])
        .address("2620:fe::fe".parse::<IpAddr>().unwrap())
        .pin(PIN.parse().unwrap());
    assert_eq!(code, text);
    let by_address = Upstream::tls("9.9.9.9:8853#ip=2620:fe::fe").unwrap().name("DNS.quad9.net").unwrap();
    assert_eq!(by_address.pin(PIN.parse().unwrap()), text);
    assert_eq!(Upstream::tls("tls://a.example").unwrap(), Upstream::tls("a.example").unwrap());
    assert!(Upstream::tls("https://a.example").is_err());
    assert!(Upstream::https("a.example/q").unwrap().name("b.example").is_err());
}

/// Conformance 15: what a server must prove depends on the upstream's name, address and pins.
#[test]
fn strictest_possible_authentication_is_required() {
    let rows = [
        ("tls://a.example", Authentication::Path),
        ("tls://192.0.2.1", Authentication::Path),
        ("tls://192.0.2.1#a.example&pin=PIN", Authentication::Path),
        ("tls://192.0.2.1#name=192.0.2.1&pin=PIN", Authentication::Path),
        ("tls://192.0.2.1#pin=PIN", Authentication::PinsAlone),
        ("https://192.0.2.1#pin=PIN", Authentication::PinsAlone),
    ];
    for (text, authentication) in rows {
        let upstream = parse(&text.replace("PIN", PIN));
        assert_eq!(upstream.authentication(), authentication, "{text}");
    }
}

/// Conformance 24: TLS 1.2 sends a client's certificate in clear text, so the caller has to set it explicitly.
#[test]
fn client_certificate_requires_tls_1_3_by_default() {
    let certificate = crate::tls::tests::client_certificate();
    let plain = Upstream::tls("a.example").unwrap();
    assert_eq!(plain.minimum_tls(), TlsVersion::Tls12);
    let mutual = plain.client_certificate(certificate.clone());
    assert_eq!(mutual.minimum_tls(), TlsVersion::Tls13);
    assert_eq!(mutual.protocol(), Protocol::MutualTls);
    assert_eq!(mutual.with_minimum_tls(TlsVersion::Tls12).minimum_tls(), TlsVersion::Tls12);
    let https = Upstream::https("a.example").unwrap().client_certificate(certificate);
    assert_eq!(https.protocol(), Protocol::Https);
}

#[test]
fn default_label_is_the_text_of_the_upstream() {
    let upstream = Upstream::tls("a.example").unwrap().with_label("home").address([192, 0, 2, 1]);
    assert_eq!(upstream.label(), "home");
    assert_eq!(upstream.to_string(), "tls://a.example#ip=192.0.2.1");
}

#[test]
fn http_settings_have_no_effect_on_dns_over_tls() {
    let set =
        |upstream: Upstream| upstream.with_http_version(HttpVersion::Http1).with_http_method(HttpMethod::Get);
    let https = set(Upstream::https("a.example/q?x=1").unwrap());
    assert_eq!(https.http_version(), HttpVersion::Http1);
    assert_eq!(https.http_method(), HttpMethod::Get);
    let template = https.template().unwrap();
    assert_eq!((template.path_and_query(), template.separator()), ("/q?x=1", '&'));
    let tls = Upstream::tls("a.example").unwrap();
    assert_eq!(set(tls.clone()), tls);
    assert_eq!(tls.template(), None);
}

#[test]
fn authority_has_the_format_of_urls() {
    let rows = [
        ("https://a.example", "a.example"),
        ("https://a.example:8443", "a.example:8443"),
        ("https://1.1.1.1", "1.1.1.1"),
        ("https://[2606:4700::1111]:8443", "[2606:4700::1111]:8443"),
        ("https://1.1.1.1#one.one.one.one", "one.one.one.one"),
        ("https://10.0.0.1:8443#name=1.1.1.1", "1.1.1.1:8443"),
        ("https://10.0.0.1#name=2606:4700::1111", "[2606:4700::1111]"),
    ];
    for (text, authority) in rows {
        assert_eq!(parse(text).authority(), authority);
    }
}

#[test]
fn upstream_without_an_address_needs_bootstrap() {
    assert!(parse("tls://a.example").needs_bootstrap());
    assert!(!parse("tls://192.0.2.1").needs_bootstrap());
    let upstream = parse("tls://192.0.2.1:8853#ip=2001:db8::1");
    let addresses: Vec<_> = upstream.socket_addresses().map(|address| address.to_string()).collect();
    assert_eq!(addresses, ["192.0.2.1:8853", "[2001:db8::1]:8853"]);
}
