//! Known faults of texts of upstreams. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;

/// Right: these texts are refused, as a host has no escapes.
#[test]
fn fault_t1_octal_escapes_and_backslashes_in_hosts_are_read() {
    for text in ["tls://\\144ns.quad9.net", "tls://dns.qu\\141d9.net", "tls://dns.quad9.net\\"] {
        assert_eq!(parse(text).to_string(), "tls://dns.quad9.net", "{text}");
    }
}

/// Right: the host is accepted, as certificates and queries may have such names.
#[test]
fn fault_t7_a_host_with_an_underscore_is_refused() {
    assert_eq!(fault("tls://my_dns.example"), (6, "neither a host name nor an IP address"));
}

/// Right: the zone identifier is supported (RFC 4007 section 11), or the error says that zone identifiers are not.
#[test]
fn fault_t8_a_zone_identifier_is_said_to_be_no_ipv6_address() {
    assert_eq!(fault("tls://[fe80::1%eth0]"), (6, "not an IPv6 address"));
}

/// Right: the error says that a stamp begins with `sdns://`.
#[test]
fn fault_t9_a_stamp_without_slashes_is_said_to_have_no_port() {
    assert_eq!(fault("sdns:AgcAAAAAAAAAAAAHOS45LjkuOQA").1, "not a port number");
}

/// Right: blanks before and after the text are ignored.
#[test]
fn fault_t9_blanks_around_an_upstream_are_refused() {
    for text in ["quad9 ", " quad9", " tls://192.0.2.1", "tls://192.0.2.1 "] {
        assert!(text.parse::<Upstream>().is_err(), "{text:?}");
    }
}
