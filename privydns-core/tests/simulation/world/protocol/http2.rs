//! A minimal HTTP/2 server for POST requests, which ignores header fields.

use std::collections::BTreeMap;

use privydns_core::testkit::http2::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame as any_frame,
};

use super::{Heard, Refusal, Stream};
use crate::world::wire::Question;

#[derive(Default)]
pub(crate) struct Http2 {
    input: Vec<u8>,
    has_preface: bool,
    bodies: BTreeMap<Stream, Vec<u8>>,
}

impl Http2 {
    pub(super) fn receive(&mut self, octets: &[u8]) -> Heard {
        self.input.extend_from_slice(octets);
        let mut heard = Heard::default();
        if !self.has_preface {
            if PREFACE.iter().zip(&self.input).any(|(expected, octet)| expected != octet) {
                heard.owed.extend(any_frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]));
                heard.is_foreign = true;
                return heard;
            }
            if self.input.len() < PREFACE.len() {
                return heard;
            }
            self.input.drain(..PREFACE.len());
            self.has_preface = true;
        }
        while let Some(([l0, l1, l2, kind, flags, s0, s1, s2, s3], rest)) = self.input.split_first_chunk() {
            let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
            let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else { break };
            let (kind, flags, stream) = (*kind, *flags, u32::from_be_bytes([*s0, *s1, *s2, *s3]));
            self.input.drain(..9 + length);
            self.frame(kind, flags, stream, &payload, &mut heard);
        }
        heard
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: Stream, payload: &[u8], heard: &mut Heard) {
        match kind {
            DATA => {
                let size = u32::try_from(payload.len()).expect("a frame's length");
                heard.owed.extend(any_frame(WINDOW_UPDATE, 0, 0, size.to_be_bytes()));
                self.bodies.entry(stream).or_default().extend_from_slice(payload);
                if flags & END_STREAM != 0 {
                    let body = self.bodies.remove(&stream).expect("it was put there above");
                    heard.questions.push((stream, Question::read(&body)));
                }
            }
            RST_STREAM => {
                self.bodies.remove(&stream);
            }
            SETTINGS if flags & ACK == 0 => heard.owed.extend(any_frame(SETTINGS, ACK, 0, [])),
            PING if flags & ACK == 0 => heard.owed.extend(any_frame(PING, ACK, 0, payload)),
            _ => {}
        }
    }
}

/// The server's first SETTINGS: 100 streams at once.
pub(super) fn settings() -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(any_frame(SETTINGS, 0, 0, [0, 3, 0, 0, 0, 100]));
    out
}

pub(super) fn frame(stream: Stream, message: &[u8], length: usize) -> Vec<u8> {
    let length = length.to_string();
    // :status 200, then content-type and content-length by their index in the static table (RFC 7541 Appendix A).
    let mut fields = vec![0x88];
    put_field(31, "application/dns-message", &mut fields);
    put_field(28, &length, &mut fields);
    let mut out = Vec::new();
    out.extend(any_frame(HEADERS, END_HEADERS, stream, &fields));
    out.extend(any_frame(DATA, END_STREAM, stream, message));
    out
}

pub(super) fn refuse(stream: Stream, refusal: &Refusal) -> Vec<u8> {
    let mut out = Vec::new();
    match refusal {
        Refusal::Status(status, wait) => {
            let mut fields = Vec::new();
            put_field(8, &status.to_string(), &mut fields);
            if let Some(seconds) = wait {
                put_field(53, &seconds.to_string(), &mut fields);
            }
            out.extend(any_frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields));
        }
        Refusal::Reset(code) => out.extend(any_frame(RST_STREAM, 0, stream, code.to_be_bytes())),
        Refusal::GoAway(last) => {
            out.extend(any_frame(GOAWAY, 0, 0, [last.to_be_bytes(), [0; 4]].concat()));
        }
    }
    out
}

/// A literal field without indexing, with a name of the static table.
fn put_field(name: u8, value: &str, out: &mut Vec<u8>) {
    match name.checked_sub(15) {
        None => out.push(name),
        Some(rest) => out.extend_from_slice(&[15, rest]),
    }
    out.push(u8::try_from(value.len()).ok().filter(|length| *length < 127).expect("a short value"));
    out.extend_from_slice(value.as_bytes());
}
