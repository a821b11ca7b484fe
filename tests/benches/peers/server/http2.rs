//! DNS over HTTPS with the minimum of HTTP/2 that POST requests need. Header blocks are skipped.
//!
//! A server that uses a library would be slower than some of the clients, and would limit their figures.

use std::collections::{BTreeMap, VecDeque};

use super::answer;
use super::connection::Protocol;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// `SETTINGS_MAX_CONCURRENT_STREAMS` of 1024.
const OUR_SETTINGS: [u8; 6] = [0, 3, 0, 0, 4, 0];

/// The server's receive window. The window is restored when most of it is used.
const WINDOW: u32 = 1 << 30;

/// `:status: 200`, `content-type`, `cache-control`, `content-length`, as literals that do not change the
/// client's table, as nginx sends them. The two digits of the length follow.
const FIELDS: &[u8] = b"\x88\x0f\x10\x17application/dns-message\x0f\x09\x0bmax-age=300\x0f\x0d\x02";

#[derive(Default)]
pub(super) struct Http2 {
    has_begun: bool,
    /// Requests that are incomplete.
    bodies: BTreeMap<u32, Vec<u8>>,
    /// The client's connection window, and the answers that wait for a larger window.
    window: i64,
    waiting: VecDeque<(u32, Vec<u8>)>,
    /// The number of bytes received since the last `WINDOW_UPDATE` of the server.
    received: u32,
    output: Vec<u8>,
}

impl Protocol for Http2 {
    fn answer(&mut self, input: &mut Vec<u8>, send: &mut dyn FnMut(&[u8])) -> Option<u64> {
        let (mut answered, mut begin) = (0, 0);
        if !self.has_begun {
            if input.len() < PREFACE.len() {
                return Some(0);
            }
            self.has_begun = input.starts_with(PREFACE);
            begin = PREFACE.len();
            self.window = 65_535;
            self.frame(SETTINGS, 0, 0, &OUR_SETTINGS);
            self.frame(WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
        }
        while let Some((head, rest)) = input[begin..].split_first_chunk::<FRAME_HEADER>() {
            let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = *head;
            let length = u32::from_be_bytes([0, l1, l2, l3]) as usize;
            let Some(payload) = rest.get(..length) else { break };
            let stream = u32::from_be_bytes([s1, s2, s3, s4]) & (u32::MAX >> 1);
            answered += self.take(kind, flags, stream, payload)?;
            begin += FRAME_HEADER + length;
        }
        input.drain(..begin);
        if !self.output.is_empty() {
            send(&self.output);
            self.output.clear();
        }
        self.has_begun.then_some(answered)
    }
}

impl Http2 {
    /// Processes one frame. Returns the number of requests that the frame completed.
    fn take(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<u64> {
        match kind {
            DATA => {
                self.give_back(u32::try_from(payload.len()).ok()?);
                let body = if flags & PADDED == 0 {
                    payload
                } else {
                    let (padding, rest) = payload.split_first()?;
                    rest.get(..rest.len().checked_sub(usize::from(*padding))?)?
                };
                if flags & END_STREAM == 0 {
                    self.bodies.entry(stream).or_default().extend_from_slice(body);
                    return Some(0);
                }
                let begun = self.bodies.remove(&stream).unwrap_or_default();
                let mut message = Vec::with_capacity(64);
                if begun.is_empty() {
                    answer::append(body, &mut message)?;
                } else {
                    answer::append(&[&begun, body].concat(), &mut message)?;
                }
                self.waiting.push_back((stream, message));
                self.send_waiting();
                return Some(1);
            }
            RST_STREAM => drop(self.bodies.remove(&stream)),
            SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => self.frame(PING, ACK, 0, payload),
            WINDOW_UPDATE if stream == 0 => {
                self.window += i64::from(u32::from_be_bytes(payload.try_into().ok()?));
                self.send_waiting();
            }
            _ => {}
        }
        Some(0)
    }

    fn send_waiting(&mut self) {
        while let Some((_, message)) = self.waiting.front()
            && let Ok(length) = i64::try_from(message.len())
            && length <= self.window
            && let Some((stream, message)) = self.waiting.pop_front()
        {
            self.window -= length;
            self.frame(HEADERS, END_HEADERS, stream, &[FIELDS, length.to_string().as_bytes()].concat());
            self.frame(DATA, END_STREAM, stream, &message);
        }
    }

    /// Restores the receive window if most of the window is used.
    fn give_back(&mut self, received: u32) {
        self.received += received;
        if self.received > WINDOW / 2 {
            let increment = self.received.to_be_bytes();
            self.received = 0;
            self.frame(WINDOW_UPDATE, 0, 0, &increment);
        }
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
        self.output.extend_from_slice(&length);
        self.output.extend_from_slice(&[kind, flags]);
        self.output.extend_from_slice(&stream.to_be_bytes());
        self.output.extend_from_slice(payload);
    }
}
