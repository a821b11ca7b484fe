//! Fuzz target: HTTP/1.1 responses, one at a time.

use std::sync::Arc;

use super::source::Source;
use super::stream::{Held, Setup, question};
use crate::connection::{Event, Http1};
use crate::doh::Endpoint;
use crate::message::check_response;
use crate::testkit::epoch;
use crate::upstream::{HttpMethod, Upstream};

impl Held for Http1 {
    // A body, complete or decoded from chunks, and the head or the rest of a line before it.
    const LIMIT: usize = 2 * 65_535 + 16 * 1024;
    const SLACK: usize = 0;

    fn held(&self) -> usize {
        Self::held(self)
    }
}

/// The input is what an HTTP/1.1 server sends to a client with one query after the other.
pub fn http1(input: &[u8]) {
    let mut source = Source::new(input);
    let setup = Setup::read(&mut source);
    let endpoint = endpoint(setup.method());
    let mut sections = Vec::new();
    if setup.is_described() {
        while !source.is_empty() {
            let length = source.word();
            sections.push(source.take(length.into()));
        }
    } else {
        sections.push(source.rest());
    }
    let events = setup.run(|| Http1::new(epoch(), endpoint.clone()), &sections);
    for event in events {
        if let Event::Answered { key, message, .. } = event {
            assert_eq!(
                check_response(&message, &question(key)),
                Ok(()),
                "the answer has the query's question"
            );
        }
    }
}

pub(super) fn endpoint(method: HttpMethod) -> Arc<Endpoint> {
    let upstream = "https://dns.example/dns-query#ip=192.0.2.1".parse::<Upstream>();
    let upstream = upstream.expect("an upstream").with_http_method(method);
    Arc::new(Endpoint::of(&upstream).expect("an upstream of DoH"))
}
