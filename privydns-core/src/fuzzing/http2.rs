//! Fuzz target: HTTP/2 frames from a server.

use super::http1::endpoint;
use super::source::Source;
use super::stream::{Held, Setup, answer, question};
use crate::connection::{Event, Http2, Key};
use crate::message::check_response;
use crate::testkit::epoch;
use crate::testkit::http2::{ACK, DATA, DNS_HEAD, END_HEADERS, END_STREAM, HEADERS, SETTINGS, frame};

impl Held for Http2 {
    const LIMIT: usize = crate::connection::MAX_HELD;
    // The dynamic table may exceed the received bytes, because names can come from the static table.
    const SLACK: usize = 2 * 4096 + 64;

    fn held(&self) -> usize {
        Self::held(self)
    }
}

/// The input is what an HTTP/2 server sends to a client with up to eight queries.
pub fn http2(input: &[u8]) {
    let mut source = Source::new(input);
    let setup = Setup::read(&mut source);
    let endpoint = endpoint(setup.method());
    let bytes = if setup.is_described() { describe(setup, source) } else { source.rest().to_vec() };
    let events = setup.run(|| Http2::new(epoch(), endpoint.clone()), &[&bytes]);
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

/// Frames with correct lengths, after the server's first SETTINGS.
fn describe(setup: Setup, mut source: Source<'_>) -> Vec<u8> {
    let mut bytes = [frame(SETTINGS, 0, 0, []), frame(SETTINGS, ACK, 0, [])].concat();
    while !source.is_empty() {
        let what = source.byte();
        let stream = u32::from(source.byte());
        let key = Key(u64::from(stream / 2) % setup.queries());
        bytes.extend(match what {
            // Complete answers, in addition to other frames.
            0x80.. => {
                let head = frame(HEADERS, END_HEADERS, stream, DNS_HEAD);
                let message = answer(key, 0, 0x80, source.counted());
                [head, frame(DATA, what & END_STREAM, stream, &message)].concat()
            }
            0x40.. => frame(DATA, what & END_STREAM, stream, answer(key, 0, what, source.counted())),
            0x20.. => frame(HEADERS, what & (END_STREAM | END_HEADERS), stream, DNS_HEAD),
            kind => {
                let flags = source.byte();
                frame(kind, flags, stream, source.counted())
            }
        });
    }
    bytes
}
