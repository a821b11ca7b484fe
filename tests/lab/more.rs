//! Further demands of servers, and comparisons with other programs.

use privydns_core::{RecordType, Transport};

use crate::bench::{ask_many, stats};
use crate::instance::Lab;
use crate::quirks::{QuirkCheck, line, on_each, start};
use crate::{cross_check, observer};

pub(crate) const MORE: [(&str, QuirkCheck); 4] = [
    ("goaway_after_1000_requests_fails_no_lookup", goaway_after_1000_requests_fails_no_lookup),
    ("burst_during_the_handshake_is_answered", burst_during_the_handshake_is_answered),
    ("kdig_and_curl_get_the_same_answers", cross_check::kdig_and_curl_get_the_same_answers),
    ("observer_sees_no_query_names", observer::observer_sees_no_query_names),
];

/// nginx sends GOAWAY after a thousand requests and closes the connection after the pending responses.
fn goaway_after_1000_requests_fails_no_lookup(lab: &Lab) -> String {
    let server = start(lab, "nginx");
    on_each(lab, &server, line(&server, Transport::Http2), |resolver| {
        for _ in 0..3 {
            resolver.clear_cache();
            ask_many(resolver, 0..400);
        }
        let stats = stats(resolver);
        assert!(stats.failures == 0 && stats.connections_opened > 1, "{stats:?}");
    });
    "1200 lookups without a failed attempt".to_owned()
}

/// BIND closes a connection that delivers more than 64 KiB together with the end of its handshake. Five hundred
/// padded queries exceed this limit.
fn burst_during_the_handshake_is_answered(lab: &Lab) -> String {
    let mut opened = 0;
    for name in ["bind", "unbound", "nsd"] {
        let server = start(lab, name);
        on_each(lab, &server, line(&server, Transport::Tls), |resolver| {
            ask_many(resolver, 0..500);
            opened = opened.max(stats(resolver).connections_opened);
            resolver.lookup("www.example.test", RecordType::A).unwrap();
        });
    }
    format!("500 concurrent lookups on at most {opened} connections")
}
