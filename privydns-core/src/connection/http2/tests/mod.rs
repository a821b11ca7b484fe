//! Shared by the tests of this module: a client with a clock, and a server that writes any frame.

mod close;
mod faults;
mod floods;
mod flow_control;
mod misbehaviour;
mod pipe;
mod random;
mod reference;
mod requests;
mod server;

use std::sync::Arc;
use std::time::Instant;

use super::frame::{HEADER_LENGTH, Header, flag, kind};
use super::hpack::Decoder;
use super::{Http2, Machine};
use crate::connection::{Event, Key};
use crate::doh::Endpoint;
use crate::error::Cause;
use crate::message::Query;
use crate::testkit::epoch;
use crate::testkit::http2::PREFACE;
use crate::upstream::{HttpMethod, Upstream};
use crate::{ProtocolError, RecordType};

/// The client, and everything that it sent.
struct Client {
    machine: Http2,
    now: Instant,
    /// Every transmit, in order.
    transmits: Vec<Vec<u8>>,
}

/// How bytes are split on the way to the client. The result must not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Split {
    Whole,
    Octets,
}

const SPLITS: [Split; 2] = [Split::Whole, Split::Octets];

impl Client {
    fn of(url: &str, method: HttpMethod) -> Self {
        let upstream: Upstream = url.parse().unwrap();
        let endpoint = Endpoint::of(&upstream.with_http_method(method)).unwrap();
        let now = epoch();
        Self { machine: Http2::new(now, Arc::new(endpoint)), now, transmits: Vec::new() }
    }

    fn with_method(method: HttpMethod) -> Self {
        Self::of("https://dns.example/dns-query{?dns}#ip=192.0.2.1", method)
    }

    fn new() -> Self {
        Self::with_method(HttpMethod::Post)
    }

    /// A client that has exchanged SETTINGS with the server, with `queries` in flight: keys from 1, streams 1, 3, 5 and
    /// so on.
    fn asking(queries: u64) -> Self {
        let mut client = Self::new();
        assert_eq!(client.hear(&server::greeting()), []);
        for key in 1..=queries {
            client.ask(key);
        }
        client
    }

    fn ask(&mut self, key: u64) {
        self.machine.submit(self.now, Key(key), &query(key));
        self.transmit();
    }

    /// Takes all transmits, advancing the clock over pauses between bursts.
    fn transmit(&mut self) {
        loop {
            let mut out = b"an earlier message".to_vec();
            if self.machine.poll_transmit(self.now, &mut out) {
                assert!(!out.is_empty() && !out.starts_with(b"an earlier"), "the buffer is overwritten");
                self.transmits.push(out);
            } else if let Some(at) = self.machine.poll_timeout() {
                assert!(at > self.now);
                self.now = at;
                self.machine.handle_timeout(at);
            } else {
                return;
            }
        }
    }

    /// The events after bytes from the server.
    fn hear(&mut self, octets: &[u8]) -> Vec<Event> {
        self.machine.handle_input(self.now, octets);
        self.drain()
    }

    fn hear_split(&mut self, octets: &[u8], split: Split) -> Vec<Event> {
        match split {
            Split::Whole => self.hear(octets),
            Split::Octets => octets.chunks(1).flat_map(|octet| self.hear(octet)).collect(),
        }
    }

    fn drain(&mut self) -> Vec<Event> {
        let events = std::iter::from_fn(|| self.machine.poll_event(self.now)).collect();
        self.transmit();
        events
    }

    fn end(&mut self) -> Vec<Event> {
        self.machine.handle_end(self.now, Cause::Closed);
        self.drain()
    }

    /// All sent frames, without the preface.
    fn frames(&self) -> Vec<Frame> {
        frames(self.transmits.concat().strip_prefix(PREFACE).expect("a client begins with its preface"))
    }

    fn frames_of(&self, kind: u8) -> Vec<Frame> {
        self.frames().into_iter().filter(|frame| frame.kind == kind).collect()
    }

    /// The streams of the sent requests.
    fn requested(&self) -> Vec<u32> {
        self.frames_of(kind::HEADERS).iter().map(|frame| frame.stream).collect()
    }

    /// The streams that were reset, with their error codes.
    fn resets(&self) -> Vec<(u32, u32)> {
        let resets = self.frames_of(kind::RST_STREAM);
        resets.iter().map(|frame| (frame.stream, frame.number())).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The payload of a frame that consists of one number.
    fn number(&self) -> u32 {
        u32::from_be_bytes(self.payload[..].try_into().unwrap())
    }

    fn ends_stream(&self) -> bool {
        self.flags & flag::END_STREAM != 0
    }

    /// The fields of complete HEADERS.
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        Decoder::new(4096)
            .decode(&self.payload, |name, value| fields.push((text(name), text(value))))
            .unwrap();
        fields
    }
}

fn frames(mut octets: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((header, rest)) = octets.split_first_chunk::<HEADER_LENGTH>() {
        let Header { length, kind, flags, stream } = Header::parse(*header);
        let (payload, rest) = rest.split_at(length);
        frames.push(Frame { kind, flags, stream, payload: payload.to_vec() });
        octets = rest;
    }
    assert!(octets.is_empty());
    frames
}

fn query(key: u64) -> Arc<Query> {
    Arc::new(Query::new(&format!("q{key}.example"), RecordType::A).unwrap())
}

/// A message that answers the query of a key.
fn answer(key: u64) -> Vec<u8> {
    let mut message = Vec::new();
    crate::doh::encode_query(&query(key), &mut message);
    message[2] |= 0x80;
    message
}

/// The same, extended to a length.
fn long_answer(key: u64, length: usize) -> Vec<u8> {
    let mut message = answer(key);
    message.resize(length, 0);
    message
}

fn answered(key: u64) -> Event {
    Event::Answered { key: Key(key), message: answer(key).into(), age: 0 }
}

fn failed(key: u64, cause: impl Into<Cause>, retry_safe: bool) -> Event {
    Event::Failed { key: Key(key), cause: cause.into(), retry_safe }
}

/// Whether an event is the failure of a key's query by a protocol violation.
fn is_violation(event: &Event, of: u64) -> bool {
    let protocol = |cause: &Cause| matches!(cause, Cause::Protocol(ProtocolError { protocol: "h2", .. }));
    matches!(event, Event::Failed { key, cause, retry_safe: false } if *key == Key(of) && protocol(cause))
}

/// A generator of test cases, the same in every run (`SplitMix64`).
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(super) fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
