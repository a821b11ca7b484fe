use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::error::ErrorKind;
use crate::presets;

const HASHES: &str = "10d93c9864a521f3065cc3a522509c2afabb01581cad9c6d8e89fdd75f9ea747,\
    eb7525f88f0d9458f81a995019bfd34cb89ccdc957e7b0ef315f10f897638118";

fn parse(text: &str) -> Stamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The invalid part of a text and the problem.
fn fault(text: &str) -> (&str, &'static str) {
    match text.parse::<Stamp>().map_err(|error| error.kind().clone()) {
        Err(ErrorKind::Config(ConfigError::Syntax(error))) => (&text[error.span()], error.problem()),
        other => panic!("{text}: {other:?}"),
    }
}

fn stamp(bytes: &[&[u8]]) -> String {
    format!("sdns://{}", BASE64URL_NOPAD.encode(&bytes.concat()))
}

fn bytes(stamp: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(stamp.strip_prefix("sdns://").unwrap().as_bytes()).unwrap()
}

/// The parts of a stamp, the invalid part, and the beginning of the problem.
type Row<'a> = (&'a [&'a [u8]], &'a [u8], &'a str);

/// The beginning of a stamp without properties.
const DOT_AND_NONE: &[u8] = b"\x03\0\0\0\0\0\0\0\0";
const DOH_AND_NONE: &[u8] = b"\x02\0\0\0\0\0\0\0\0";

/// Stamps that operators and public lists publish, with their upstreams.
fn known() -> Vec<(&'static str, String)> {
    vec![
        (
            "sdns://AgcAAAAAAAAABzEuMC4wLjEAEmRucy5jbG91ZGZsYXJlLmNvbQovZG5zLXF1ZXJ5",
            "https://dns.cloudflare.com/dns-query#ip=1.0.0.1".into(),
        ),
        (
            "sdns://AgcAAAAAAAAABzEuMC4wLjGgENk8mGSlIfMGXMOlIlCcKvq7AVgcrZxtjon911-ep0cg63Ul-I8NlFj4GplQGb_TTLiczclX57DvMV8Q-JdjgRgSZG5zLmNsb3VkZmxhcmUuY29tCi9kbnMtcXVlcnk",
            format!("https://dns.cloudflare.com/dns-query#ip=1.0.0.1&tbs={HASHES}"),
        ),
        (
            "sdns://AgMAAAAAAAAABzkuOS45LjkADWRucy5xdWFkOS5uZXQKL2Rucy1xdWVyeQ",
            "https://dns.quad9.net/dns-query#ip=9.9.9.9".into(),
        ),
        (
            "sdns://AwAAAAAAAAAADTE0OS4xMTIuMTEyLjkgIINqrLwxXg3E7t8E8DTYfvzaJI-U3WvkQgHQj8JBJgkJcXVhZDkubmV0",
            "tls://quad9.net#ip=149.112.112.9&tbs=20836aacbc315e0dc4eedf04f034d87efcda248f94dd6be44201d08fc2412609".into(),
        ),
        ("sdns://AwMAAAAAAAAAAAATZG5zLmFkZ3VhcmQtZG5zLmNvbQ", "tls://dns.adguard-dns.com".into()),
        ("sdns://AwcAAAAAAAAAAAAUZG5zLmVtZXJhbGRvbmlvbi5vcmc", "tls://dns.emeraldonion.org".into()),
        ("sdns://AgIAAAAAAAAAAAAPZG5zLmV4YW1wbGUuY29tCi9kbnMtcXVlcnk", "https://dns.example.com/dns-query".into()),
        (
            "sdns://AwAAAAAAAAAAGltmZTgwOjo2ZDZkOmY3MmM6M2FkOjYwYjhdID4aGg9sU_PpekktVwhLW5gHBZ7gV6sVBYdv2D_aPbg4D2RvdC5leGFtcGxlLmNvbQ",
            "tls://dot.example.com#ip=fe80::6d6d:f72c:3ad:60b8&tbs=3e1a1a0f6c53f3e97a492d57084b5b9807059ee057ab1505876fd83fda3db838".into(),
        ),
    ]
}

#[test]
fn known_stamps_are_parsed_and_printed() {
    for (text, upstream) in known() {
        let stamp = parse(text);
        assert_eq!(stamp.upstream().to_string(), upstream, "{text}");
        assert_eq!(stamp.to_string(), text);
        assert_eq!(text.parse::<Upstream>().unwrap(), upstream.parse().unwrap());
        assert_eq!(text.parse::<Upstream>().unwrap().label(), upstream);
    }
    let properties = |at: usize| parse(known()[at].0).properties;
    assert_eq!(properties(0), StampProperties { dnssec: true, no_logs: true, no_filter: true });
    assert_eq!(properties(2), StampProperties { dnssec: true, no_logs: true, no_filter: false });
    assert_eq!(properties(3), StampProperties::default());
    assert_eq!(properties(6), StampProperties { dnssec: false, no_logs: true, no_filter: false });
}

/// Valid stamps that this crate would print differently, and unknown properties.
#[test]
fn other_valid_encodings_of_stamps_are_parsed() {
    let rows: [(&[&[u8]], &str); 12] = [
        // Found in public lists: the name is an address, or has the default port.
        (&[DOT_AND_NONE, b"\0\0\x071.1.1.1"], "tls://1.1.1.1"),
        (&[DOT_AND_NONE, b"\x071.1.1.1\0\x071.1.1.1"], "tls://1.1.1.1"),
        (&[DOT_AND_NONE, b"\x0710.0.0.\0"], ""),
        (&[DOT_AND_NONE, b"\x0810.0.0.1\0\x071.1.1.1"], "tls://10.0.0.1#name=1.1.1.1"),
        (&[DOT_AND_NONE, b"\0\0\x0da.example:853"], "tls://a.example"),
        (&[DOT_AND_NONE, b"\x0b1.1.1.1:853\0\x09a.example"], "tls://a.example#ip=1.1.1.1"),
        (&[DOT_AND_NONE, b"\x0c1.1.1.1:8853\0\x09a.example"], "tls://a.example:8853#ip=1.1.1.1"),
        (&[DOT_AND_NONE, b"\x071.1.1.1\0\x0ea.example:8853"], "tls://a.example:8853#ip=1.1.1.1"),
        (&[DOT_AND_NONE, b"\x05:8853\0\x09a.example"], "tls://a.example:8853"),
        (&[DOT_AND_NONE, b"\x11[2001:db8::1]:8853\0\x09a.example"], ""),
        (&[DOT_AND_NONE, b"\0\0\x0d[2001:db8::1]"], "tls://[2001:db8::1]"),
        (&[DOH_AND_NONE, b"\0\0\x09a.example\x08/q?a=%20"], "https://a.example/q?a=%20"),
    ];
    for (parts, upstream) in rows {
        match stamp(parts).parse::<Stamp>() {
            Ok(stamp) => {
                assert_eq!(stamp.upstream().to_string(), upstream);
                assert_eq!(parse(&stamp.to_string()), stamp);
            }
            Err(error) => assert!(upstream.is_empty(), "{upstream}: {error}"),
        }
    }
    let unknown_properties = stamp(&[b"\x03\xf9\xff\0\0\0\0\0\x80", b"\0\0\x09a.example"]);
    assert_eq!(parse(&unknown_properties).properties, StampProperties { dnssec: true, ..Default::default() });
}

/// The printed stamp can be longer than the parsed one, because the port of the address is repeated after the name.
#[test]
fn stamp_name_that_exceeds_255_bytes_with_its_port_is_refused() {
    let name = [63, 63, 63, 61].map(|length| "a".repeat(length)).join(".");
    let with = |address: &[u8]| stamp(&[DOT_AND_NONE, address, b"\0\xfd", name.as_bytes()]);
    let usual = parse(&with(b"\x0b1.1.1.1:853"));
    assert_eq!(parse(&usual.to_string()), usual);
    let other = with(b"\x0c1.1.1.1:8853");
    assert_eq!(fault(&other).1, "the name with the port has more than 255 bytes");
}

#[test]
fn stamp_name_too_long_in_unicode_is_printed_in_ascii() {
    let readable = vec!["\u{3042}".repeat(50); 4].join(".");
    let Ok(Host::Name(name)) = parse::host(&readable) else { panic!("a name of four labels") };
    let length = u8::try_from(name.as_ref().len()).unwrap();
    let text = stamp(&[DOT_AND_NONE, b"\0\0", &[length], name.as_ref().as_bytes()]);
    assert_eq!(parse(&text).to_string(), text);
}

/// Bootstrap resolvers are for DNS in clear text, so they are not used.
#[test]
fn bootstrap_resolvers_in_stamps_are_checked_and_ignored() {
    for set in [&b"\0"[..], b"\x079.9.9.9", b"\x879.9.9.9\x0d[2620:fe::fe]", b"\x0a9.9.9.9:53"] {
        let stamp = parse(&stamp(&[DOT_AND_NONE, b"\0\0\x09a.example", set]));
        assert_eq!(stamp.upstream(), &Upstream::tls("a.example").unwrap());
        assert!(stamp.upstream().needs_bootstrap());
    }
    let text = stamp(&[DOT_AND_NONE, b"\0\0\x09a.example", b"\x069.9.9."]);
    assert_eq!(fault(&text).1, "not an IP address");
}

/// Conformance 1: only stamps of supported, encrypted protocols are accepted.
#[test]
fn stamps_of_other_protocols_are_refused_with_the_reason() {
    let rows = [
        ("sdns://AAEAAAAAAAAACjE5Mi4wLjIuNTM", "this is DNS in clear text"),
        (
            "sdns://AQEAAAAAAAAACTEyNy4wLjAuMSDLatxcKflVEAtlvxKU_laEV5qzSZzJeY8A0Bu1wamixxsyLmRuc2NyeXB0LWNlcnQuZXhhbXBsZS5jb20",
            "a stamp of DNSCrypt",
        ),
        (
            "sdns://BAEAAAAAAAAADzE3Mi4yNDUuMTQ4LjE3MgAUZG5zLnRoYXQtZ3V5LmRldjo4NTM",
            "DNS over QUIC is not supported yet",
        ),
        ("sdns://BQEAAAAAAAAAC2RvaC5leGFtcGxlCi9kbnMtcXVlcnk", "a stamp of Oblivious DNS"),
        ("sdns://gQkxMjcuMC4wLjE", "a stamp of a DNSCrypt relay"),
        ("sdns://hQEAAAAAAAAA", "a stamp of Oblivious DNS"),
        ("sdns://BgEAAAAAAAAA", "a stamp of an unknown protocol"),
    ];
    for (text, problem) in rows {
        let (part, found) = fault(text);
        assert!(found.starts_with(problem), "{text}: {found}");
        assert_eq!(part, &text[7..9], "the first byte");
        assert!(text.parse::<Upstream>().is_err());
    }
}

#[test]
fn stamp_errors_contain_the_invalid_part() {
    let a = b"\x09a.example";
    let rows: [Row<'_>; 17] = [
        (&[DOT_AND_NONE, b"\x06", b"9.9.9.", b"\0", a], b"9.9.9.", "not an IP address"),
        (&[DOT_AND_NONE, b"\x09", b"a.example", b"\0", a], b"a.example", "not an IP address"),
        (
            &[DOT_AND_NONE, b"\x0a", b"1.1.1.1:53", b"\0", a],
            b"1.1.1.1:53",
            "port 53 is for DNS in clear text",
        ),
        (&[DOT_AND_NONE, b"\x0b", b"2620:fe::fe", b"\0", a], b"2620:fe::fe", "write the IPv6 address in"),
        (&[DOT_AND_NONE, b"\x0e", b"[fe80::1%eth0]", b"\0", a], b"[fe80::1%eth0]", "not an IP address"),
        (&[DOT_AND_NONE, b"\0\x03", b"abc", a], b"abc", "not a SHA-256"),
        (&[DOT_AND_NONE, b"\0\x80\0", a], b"", "not a SHA-256"),
        (&[DOT_AND_NONE, b"\0\0\0"], b"", "a host name or an IP address is missing"),
        (&[DOT_AND_NONE, b"\0\0\x04", b"a..b"], b"a..b", "neither a host name"),
        (&[DOT_AND_NONE, b"\0\0\x0f", b"tls://a.example"], b"tls://a.example", "not a port number"),
        (&[DOT_AND_NONE, b"\0\0\x01", b"\xff"], b"\xff", "not UTF-8"),
        (&[DOT_AND_NONE, b"\0\0\x0c", b"a.example:53"], b"a.example:53", "port 53"),
        (&[DOT_AND_NONE, b"\x0b1.1.1.1:853\0\x0d", b"a.example:854"], b"a.example:854", "a different port"),
        (&[DOT_AND_NONE, b"\0\0", a, b"\0", b"more"], b"more", "bytes after the end"),
        (&[DOH_AND_NONE, b"\0\0", a, b"\x01", b"q"], b"q", "a path begins with"),
        (&[DOH_AND_NONE, b"\0\0", a, b"\0"], b"", "a path begins with"),
        (&[DOH_AND_NONE, b"\0\0", a, b"\x05", b"/\r\nX:"], b"/\r\nX:", "not allowed in a URL"),
    ];
    for (parts, part, sentence) in rows {
        let text = stamp(parts);
        let (found, problem) = fault(&text);
        assert!(problem.starts_with(sentence), "{text}: {problem}");
        let start = found.as_ptr() as usize - text.as_ptr() as usize - "sdns://".len();
        let all = parts.concat();
        if !part.is_empty() {
            let at = all.windows(part.len()).position(|window| window == part).unwrap();
            assert_eq!((start, found.len()), (at * 4 / 3, ((at + part.len()) * 4).div_ceil(3) - at * 4 / 3));
        }
    }
}

#[test]
fn stamp_with_invalid_base64_is_refused() {
    let good = known()[1].0;
    for wrong in [
        format!("{good}="),
        format!("{good} "),
        format!("{good}\n"),
        good.replace('-', "+"),
        good.replace('_', "/"),
        good[..good.len() - 1].to_owned() + "l",
        good.replace('A', "Ä"),
        format!("{good}ÄÖ"),
        "sdns://A".into(),
    ] {
        if wrong != good {
            assert!(fault(&wrong).1.starts_with("not base64"), "{wrong}");
        }
    }
    assert_eq!(fault("sdns://").1, "the stamp is cut off");
    assert_eq!(fault("tls://a.example"), ("tls://a.example", "a stamp begins with `sdns://`"));
    assert!(Upstream::tls(good).is_err() && Upstream::https(good).is_err());
}

#[test]
fn stamp_cut_off_at_any_byte_is_refused() {
    for (text, _) in known() {
        let bytes = bytes(text);
        for length in 0..bytes.len() {
            let (part, problem) = fault_of(&bytes[..length]);
            assert_eq!((part, problem), (String::new(), "the stamp is cut off"), "{text}: {length}");
        }
    }
}

fn fault_of(bytes: &[u8]) -> (String, &'static str) {
    let text = stamp(&[bytes]);
    let (part, problem) = fault(&text);
    (part.to_owned(), problem)
}

/// Changed lengths, protocols and characters at any position give a stamp or an error, and stamps are printed as parsed.
#[test]
fn changed_stamps_parse_to_stamps_or_errors() {
    for (text, _) in known() {
        let good = bytes(text);
        for at in 0..good.len() {
            for byte in [
                0,
                1,
                2,
                b'.',
                b'0',
                b'5',
                b':',
                b'[',
                MORE,
                MORE | 32,
                0xff,
                good[at] ^ MORE,
                good[at].wrapping_sub(1),
            ] {
                let mut near = good.clone();
                near[at] = byte;
                let Ok(read) = stamp(&[&near]).parse::<Stamp>() else { continue };
                assert_eq!(parse(&read.to_string()), read);
                assert!(!matches!(read.upstream().port(), 0 | 53));
                let hashes = |stamp: &Stamp| stamp.upstream().tbs_hashes().len();
                assert!(at < 9 || hashes(&read) == hashes(&parse(text)), "{text}: {at}, {byte}");
            }
        }
    }
}

#[test]
fn upstream_to_stamp_and_back_is_unchanged() {
    let mut random = StdRng::seed_from_u64(18);
    for _ in 0..2000 {
        let host =
            ["a.example", "xn--bcher-kva.example", "1.1.1.1", "[2001:db8::1]"][random.random_range(0..4)];
        let path = ["", "/", "/q?a=b%20"][random.random_range(0..3)];
        let mut upstream = if random.random() {
            Upstream::tls(host).unwrap()
        } else {
            Upstream::https(&format!("{host}{path}")).unwrap()
        };
        if random.random() {
            upstream = upstream.with_port(random.random_range(54..=u16::MAX)).unwrap();
        }
        if upstream.needs_bootstrap() && random.random() {
            upstream = if random.random() {
                upstream.address(random.random::<[u8; 4]>())
            } else {
                upstream.address(random.random::<[u8; 16]>())
            };
        }
        for _ in 0..random.random_range(0..4) {
            upstream = upstream.tbs_hash(TbsHash::new(random.random()));
        }
        let mut stamp = upstream.to_stamp().unwrap();
        assert_eq!(stamp.upstream(), &upstream);
        stamp.properties = StampProperties::from_bits(random.random());
        let text = stamp.to_string();
        assert_eq!(parse(&text), stamp, "{text}");
        assert_eq!(parse(&text).to_string(), text);
        assert_eq!(text.parse::<Upstream>().unwrap(), upstream);
    }
}

#[test]
fn every_preset_converts_to_a_stamp() {
    for preset in presets::ALL {
        let upstream = preset.upstream();
        let stamp = upstream.to_stamp().unwrap();
        assert_eq!(stamp.upstream().addresses(), &upstream.addresses()[..1], "{preset}");
        assert_eq!(stamp.upstream().authority(), upstream.authority(), "{preset}");
        assert_eq!(stamp.upstream().template(), upstream.template(), "{preset}");
    }
}

/// Names in stamps are in Unicode.
#[test]
fn internationalized_names_are_encoded_once_in_stamps() {
    let text = Upstream::tls("bücher.example").unwrap().to_stamp().unwrap().to_string();
    assert!(bytes(&text).ends_with("bücher.example".as_bytes()));
    assert_eq!(parse(&text).upstream().to_string(), "tls://xn--bcher-kva.example");
}

#[test]
fn upstream_that_does_not_fit_into_a_stamp_is_an_error() {
    let refused = |upstream: &Upstream| upstream.to_stamp().unwrap_err().to_string();
    let pinned = Upstream::tls("a.example").unwrap().pin(crate::Pin::new([7; 32]));
    assert!(refused(&pinned).contains("cannot contain pins"));
    let long = Upstream::https(&format!("a.example/{}", "x".repeat(255))).unwrap();
    assert!(refused(&long).contains("255 bytes"));
    assert!(Upstream::https(&format!("a.example/{}", "x".repeat(254))).unwrap().to_stamp().is_ok());
    let label = "x".repeat(61);
    let long = Upstream::tls(&[&*label; 4].join(".")).unwrap();
    assert!(long.to_stamp().is_ok());
    assert!(
        refused(&Upstream::tls(&format!("{}:8853", ["x".repeat(62).as_str(); 4].join("."))).unwrap())
            .contains("255")
    );
    let many =
        (0..1600_u16).fold(Upstream::tls("a.example").unwrap().with_label("many"), |upstream, number| {
            let [high, low] = number.to_be_bytes();
            upstream.tbs_hash(TbsHash::new(std::array::from_fn(|at| if at % 2 == 0 { high } else { low })))
        });
    assert!(many.to_stamp().unwrap_err().to_string().contains("longer than"));
}
