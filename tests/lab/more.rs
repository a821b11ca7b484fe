//! What else servers ask of a client, and what others make of the same servers.

use privydns_core::{RecordType, Transport};

use crate::bench::{ask_many, stats};
use crate::instance::Lab;
use crate::quirks::{QuirkCheck, line, on_each, start};
use crate::{cross_check, observer};

pub(crate) const MORE: [(&str, QuirkCheck); 4] = [
    ("goaway_after_1000_requests_goes_unnoticed", goaway_after_1000_requests_goes_unnoticed),
    (
        "a_burst_on_a_connection_that_is_not_up_yet_is_answered",
        a_burst_on_a_connection_that_is_not_up_yet_is_answered,
    ),
    ("kdig_and_curl_are_told_the_same", cross_check::kdig_and_curl_get_the_same_answers),
    ("an_observer_sees_no_names", observer::an_observer_sees_no_names),
];

/// nginx sends GOAWAY after a thousand requests, and ends the connection with those that it has.
fn goaway_after_1000_requests_goes_unnoticed(lab: &Lab) -> String {
    let server = start(lab, "nginx");
    on_each(lab, &server, line(&server, Transport::Http2), |resolver| {
        for _ in 0..3 {
            resolver.clear_cache();
            ask_many(resolver, 0..400);
        }
        let stats = stats(resolver);
        assert!(stats.failures == 0 && stats.connections_opened > 1, "{stats:?}");
    });
    "1200 lookups, none of them failed once".to_owned()
}

/// BIND closes a connection that brings more than 64 KiB along with the end of its handshake. Five hundred padded
/// queries are more.
fn a_burst_on_a_connection_that_is_not_up_yet_is_answered(lab: &Lab) -> String {
    let mut opened = 0;
    for name in ["bind", "unbound", "nsd"] {
        let server = start(lab, name);
        on_each(lab, &server, line(&server, Transport::Tls), |resolver| {
            ask_many(resolver, 0..500);
            opened = opened.max(stats(resolver).connections_opened);
            resolver.lookup("www.example.test", RecordType::A).unwrap();
        });
    }
    format!("500 at once, on {opened} connections at most")
}
