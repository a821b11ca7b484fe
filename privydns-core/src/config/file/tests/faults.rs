//! Known faults of configuration files. Each test asserts the wrong value of today and is named after the number of the
//! fault. The comment on a test states the right value, so that the fix inverts the assertion and gives the test a name
//! without `fault`.

use super::*;

/// The part of an upstream's table that holds a password.
const SECRET: &str = r#"proxy = "http://user:hunter2@192.0.2.9:3128""#;

/// Right: values are deserialized as text and checked by this crate, and errors do not contain secrets.
#[test]
fn fault_w8_errors_repeat_a_password_on_the_same_line() {
    let tables = [
        format!(r#"server = "tls://192.0.2.1#dns.example", labl = "x", {SECRET}"#),
        format!(r#"server = "tls://192.0.2.1:53#dns.example", {SECRET}"#),
        format!(r#"server = "tls://192.0.2.1#dns.example", port = "853", {SECRET}"#),
        r#"server = "tls://192.0.2.1#dns.example", proxy = "user:hunter2://@192.0.2.9:3128""#.to_owned(),
    ];
    for table in tables {
        let told = refused(&format!("upstreams = [{{ {table} }}]"));
        assert!(told.contains("hunter2"), "{told}");
    }
}

/// Right: `http_version` and `http_method` at a server of DNS over TLS are refused, as they have no effect.
#[test]
fn fault_w9_an_http_version_for_dns_over_tls_is_ignored() {
    for setting in [r#"http_version = "2""#, r#"http_method = "get""#] {
        let config = config(&format!(r#"upstreams = [{{ server = "tls://192.0.2.1", {setting} }}]"#));
        assert_eq!(config.upstreams().next().unwrap(), &"tls://192.0.2.1".parse::<Upstream>().unwrap());
    }
}
