//! Parsing and printing of names.

use std::net::{IpAddr, Ipv6Addr};

use super::*;

#[test]
fn names_are_lower_cased_and_the_final_dot_is_optional() {
    let rows: [(&str, &str, &[u8]); 9] = [
        (".", ".", b"\0"),
        ("com", "com.", b"\x03com\0"),
        ("Example.COM", "example.com.", b"\x07example\x03com\0"),
        ("example.com.", "example.com.", b"\x07example\x03com\0"),
        ("_dmarc.a-b.*.0", "_dmarc.a-b.*.0.", b"\x06_dmarc\x03a-b\x01*\x010\0"),
        (r"a\.b.c", r"a\.b.c.", b"\x03a.b\x01c\0"),
        (r"\000\255\032\065.x", r"\000\255\032a.x.", b"\x04\x00\xff a\x01x\0"),
        (
            r"0\/25.2.0.192.in-addr.arpa",
            r"0\/25.2.0.192.in-addr.arpa.",
            b"\x040/25\x012\x010\x03192\x07in-addr\x04arpa\0",
        ),
        (r"a\\b\@", r"a\\b\@.", b"\x04a\\b@\0"),
    ];
    for (text, shown, bytes) in rows {
        let name = QueryName::parse(text).unwrap();
        assert_eq!((name.to_string().as_str(), name.as_wire()), (shown, bytes), "{text}");
        assert_eq!(shown.parse(), Ok(name));
    }
}

#[test]
fn each_kind_of_invalid_text_has_its_error() {
    let long_label = "a".repeat(64);
    let rows = [
        ("", NameError::Empty),
        ("..", NameError::EmptyLabel),
        (".com", NameError::EmptyLabel),
        ("not..a.name", NameError::EmptyLabel),
        ("example.com..", NameError::EmptyLabel),
        (&long_label, NameError::LabelTooLong),
        ("exa mple.com", NameError::Character(' ')),
        ("https://example.com", NameError::Character(':')),
        ("example.com/path", NameError::Character('/')),
        ("user@example.com", NameError::Character('@')),
        ("tab\t.com", NameError::Character('\t')),
        ("nul\0.com", NameError::Character('\0')),
        ("[2001:db8::1]", NameError::Character('[')),
        ("2001:db8::g", NameError::Character(':')),
        (r"a\", NameError::Escape),
        (r"a\2", NameError::Escape),
        (r"a\25", NameError::Escape),
        (r"a\256.b", NameError::Escape),
        (r"a\25x.b", NameError::Escape),
        ("a\\\n.b", NameError::Escape),
        (r"bü\.cher.example", NameError::Escape),
        ("ü..example", NameError::EmptyLabel),
        (".ü", NameError::EmptyLabel),
        ("。", NameError::EmptyLabel),
        ("ü.exa mple", NameError::Character(' ')),
        ("\u{fffd}.example", NameError::Idna),
        ("a\u{2488}ü.example", NameError::Idna),
        ("\u{ad}.example", NameError::Idna),
    ];
    for (text, error) in rows {
        assert_eq!(QueryName::parse(text), Err(error), "{text:?}");
        assert!(text.len() < 5 || !error.to_string().contains(text));
    }
}

#[test]
fn limits_are_63_bytes_per_label_and_255_per_name() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
    let name = QueryName::parse(&longest).unwrap();
    assert_eq!(name.as_wire().len(), 255);
    assert_eq!(QueryName::parse(&format!("{longest}.")), Ok(name.clone()));
    assert_eq!(name.to_name().to_ascii(), format!("{longest}."));

    assert_eq!(QueryName::parse(&format!("{longest}b")), Err(NameError::TooLong));
    assert_eq!(QueryName::parse(&format!("{longest}.c")), Err(NameError::TooLong));
    assert_eq!(QueryName::parse(&"a.".repeat(127)).unwrap().labels().count(), 127);
    assert_eq!(QueryName::parse(&"a.".repeat(128)), Err(NameError::TooLong));
    assert_eq!(QueryName::parse(&"ü".repeat(5000)), Err(NameError::TooLong));
    assert_eq!(QueryName::parse(&"ü".repeat(80)), Err(NameError::Idna));

    // The longest presentation form: each byte written as an escape.
    let label = r"\001".repeat(63);
    let text = format!("{label}.{label}.{label}.{}.", r"\001".repeat(61));
    assert_eq!(QueryName::parse(&text).unwrap().as_wire().len(), 255);
}

#[test]
fn international_names_are_converted_to_a_labels() {
    let rows = [
        ("bücher.example", "xn--bcher-kva.example."),
        ("BÜCHER.Example.", "xn--bcher-kva.example."),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah."),
        ("www.ｅｘａｍｐｌｅ．ｃｏｍ", "www.example.com."),
        ("_sip._tcp.bücher.example", "_sip._tcp.xn--bcher-kva.example."),
        ("straße.example", "xn--strae-oqa.example."),
        ("ｌｏｃａｌｈｏｓｔ", "localhost."),
    ];
    for (text, shown) in rows {
        assert_eq!(QueryName::parse(text).unwrap().to_string(), shown);
    }
}

#[test]
fn parents_and_subdomains_consist_of_whole_labels() {
    let parse = |text| QueryName::parse(text).unwrap();
    let name = parse("www.example.com");
    assert!(name.parents().eq([wire("example.com"), wire("com")]));
    assert_eq!(parse("com").parents().count() + QueryName::root().parents().count(), 0);
    assert!(name.labels().eq([&b"www"[..], b"example", b"com"]));

    for above in ["www.example.com", "example.com", "com", "."] {
        assert!(name.is_subdomain_of(&parse(above)), "{above}");
    }
    for other in ["a.www.example.com", "ample.com", "example", "ww.example.com", "org"] {
        assert!(!name.is_subdomain_of(&parse(other)), "{other}");
    }
    // The bytes of one name end another name, but not at a label boundary.
    assert!(!parse(r"x\003com").is_subdomain_of(&parse("com")));
    assert_eq!(name.top_level(), Some(&b"com"[..]));
    assert_eq!(QueryName::root().top_level(), None);
}

#[test]
fn texts_of_addresses_are_recognized() {
    let rows = [
        ("192.0.2.1", Some("192.0.2.1")),
        ("192.0.2.1.", Some("192.0.2.1")),
        ("2001:DB8::1", Some("2001:db8::1")),
        ("::ffff:192.0.2.1", Some("::ffff:192.0.2.1")),
        ("::", Some("::")),
        ("１９２.0.2.1", Some("192.0.2.1")),
        ("192.0.2.01", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("1.192.0.2.1", None),
        ("192.0.2.+1", None),
        ("192.0.2.a", None),
        ("example.com", None),
        ("1", None),
        (".", None),
    ];
    for (text, address) in rows {
        let address: Option<IpAddr> = address.map(|address| address.parse().unwrap());
        let found = QueryName::parse(text).ok().and_then(|name| name.address());
        assert_eq!(found, address, "{text}");
    }
}

#[test]
fn reverse_names_follow_the_standards() {
    let reverse = |address: &str| Query::reverse(address.parse().unwrap()).name().to_string();
    assert_eq!(reverse("192.0.2.1"), "1.2.0.192.in-addr.arpa.");
    assert_eq!(
        reverse("4321:0:1:2:3:4:567:89ab"),
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa."
    );
    assert_eq!(reverse(&Ipv6Addr::from([0xff; 16]).to_string()).len(), 2 * 32 + "ip6.arpa.".len());
}

/// Names of random bytes survive a round trip through presentation form, and through hickory-proto's form.
#[test]
fn names_survive_a_round_trip_through_presentation_form() {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..2000 {
        let labels: Vec<Vec<u8>> = (0..random.random_range(1..5))
            .map(|_| (0..random.random_range(1..=60)).map(|_| random.random()).collect())
            .collect();
        let name = QueryName::from_labels(labels.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(QueryName::parse(&name.to_string()).as_ref(), Ok(&name));
        assert!(name.to_name().iter().eq(name.labels()));
    }
    // Any text is a name or an error.
    let alphabet = [".", "\\", "0", "2", "a", "Z", "ü", "。", " ", ":", "-", "_", "\u{202e}", "xn--", "\0"];
    for _ in 0..20_000 {
        let text: String = (0..random.random_range(0..12))
            .map(|_| alphabet[random.random_range(0..alphabet.len())])
            .collect();
        if let Ok(name) = QueryName::parse(&text) {
            assert_eq!(QueryName::parse(&name.to_string()), Ok(name), "{text:?}");
        }
    }
}

/// Applications use names as keys of maps and sets: names that differ only in case are the same key.
#[test]
fn names_work_as_map_keys() {
    use std::collections::{BTreeSet, HashSet, hash_map::DefaultHasher};
    use std::hash::BuildHasherDefault;

    let names = || ["example.com", "EXAMPLE.com.", "example.org"].map(|text| QueryName::parse(text).unwrap());
    assert_eq!(BTreeSet::from(names()).len(), 2);
    assert_eq!(HashSet::<_, BuildHasherDefault<DefaultHasher>>::from_iter(names()).len(), 2);
}
