//! Simulated servers: decode queries from the engine's transmits, and frame answers, good and bad.

use crate::fuzzing::source::Source;
use crate::testkit::http2::{DATA, DNS_HEAD, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame};
use crate::testkit::message::{QUESTION_NAME, framed, header, question_of, record};

/// The server's end of a connection.
#[derive(Debug, Default)]
pub(super) struct Peer {
    speaks: Speaks,
    has_greeted: bool,
    asked: Vec<Asked>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Speaks {
    /// No data was transmitted yet.
    #[default]
    Unknown,
    Dot,
    Http1,
    Http2,
}

/// A query that arrived.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The stream, over HTTP/2.
    stream: u32,
    message: Vec<u8>,
}

const FRAME_HEADER: usize = 9;

impl Peer {
    /// Handles one transmit of the client.
    pub(super) fn hear(&mut self, message: &[u8]) {
        if self.speaks == Speaks::Unknown {
            self.speaks = match message {
                [b'P', b'R', b'I', ..] => Speaks::Http2,
                [b'P' | b'G', b'O' | b'E', ..] => Speaks::Http1,
                _ => Speaks::Dot,
            };
        }
        match self.speaks {
            Speaks::Unknown => {}
            Speaks::Dot => {
                let (length, query) = message.split_first_chunk().expect("a length");
                assert_eq!(usize::from(u16::from_be_bytes(*length)), query.len(), "one message, and whole");
                self.asked.push(Asked { stream: 0, message: query.to_vec() });
            }
            Speaks::Http1 => {
                let end = message.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
                self.asked.push(Asked { stream: 0, message: message[end + 4..].to_vec() });
            }
            Speaks::Http2 => self.hear_frames(message.strip_prefix(PREFACE).unwrap_or(message)),
        }
    }

    fn hear_frames(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (header, rest) = bytes.split_at(FRAME_HEADER);
            let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
            let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
            let (payload, rest) = rest.split_at(length);
            match header[3] {
                HEADERS => self.asked.push(Asked { stream, message: Vec::new() }),
                DATA => {
                    let asked = self.asked.iter_mut().rfind(|asked| asked.stream == stream);
                    asked.expect("HEADERS before DATA").message.extend_from_slice(payload);
                }
                _ => {}
            }
            bytes = rest;
        }
    }

    /// The server's reaction to one of the queries.
    pub(super) fn reply(&mut self, number: usize, source: &mut Source<'_>) -> Vec<u8> {
        let Some(asked) = self.asked.get(number % self.asked.len().max(1)).cloned() else {
            return Vec::new();
        };
        let mut message = reply(&asked.message, source);
        let flags = source.byte();
        if flags & 1 == 1 {
            let at = usize::from(source.byte());
            if let Some(byte) = message.get_mut(at) {
                *byte ^= source.byte();
            }
        }
        match self.speaks {
            Speaks::Unknown => Vec::new(),
            Speaks::Dot => framed(&message),
            Speaks::Http1 => {
                let head = source.pick(&[
                    "200 OK\r\nContent-Type: application/dns-message\r\n",
                    "200 OK\r\nContent-Type: application/dns-message\r\nAge: 20\r\nConnection: close\r\n",
                    "503 No\r\nRetry-After: 2\r\n",
                    "302 Found\r\nLocation: /\r\n",
                ]);
                let head = format!("HTTP/1.1 {head}Content-Length: {}\r\n\r\n", message.len());
                [head.as_bytes(), &message].concat()
            }
            Speaks::Http2 => {
                let greeting = frame(SETTINGS, 0, 0, []);
                let greeting = if self.has_greeted { Vec::new() } else { greeting };
                self.has_greeted = true;
                let head: &[u8] = source.pick(&[
                    DNS_HEAD,
                    b"\x88\x0f\x10\x17application/dns-message\x0f\x06\x0220",
                    b"\x08\x03503\x0f\x26\x012",
                    b"\x8e",
                ]);
                let head = frame(HEADERS, END_HEADERS, asked.stream, head);
                [greeting, head, frame(DATA, END_STREAM, asked.stream, &message)].concat()
            }
        }
    }
}

/// A message that answers the query, or nearly does.
fn reply(query: &[u8], source: &mut Source<'_>) -> Vec<u8> {
    const SOA: &[u8] =
        b"\0\0\x06\0\x01\0\0\x01\x2c\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c";
    const FAILED: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0f\0\x02\0\x16";
    const KEEPALIVE: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0b\0\x02\0\0";
    let Some(question) = question_of(query) else { return query.to_vec() };
    let record_type = question[question.len() - 3];
    let ttl = source.pick(&[0u8, 1, 30, 255]);
    let data = if record_type == 28 { vec![0; 16] } else { vec![192, 0, 2, 9] };
    let record = record(QUESTION_NAME, record_type.into(), ttl.into(), &data);
    let (flags, counts, rest) = match source.below(8) {
        0 | 1 => (0x8180u16, [1, 0, 0], record),
        2 => (0x8180, [0, 1, 0], SOA.to_vec()),
        3 => (0x8183, [0, 1, 0], SOA.to_vec()),
        4 => (0x8182, [0, 0, 1], FAILED.to_vec()),
        5 => (0x8180, [1, 0, 1], [&record, KEEPALIVE].concat()),
        6 => (0x8380, [1, 0, 0], record),
        _ => (
            source.word() | 0x8000,
            [source.byte().into(), source.byte().into(), 0],
            source.counted().to_vec(),
        ),
    };
    let [answers, authorities, additionals] = counts;
    let id = u16::from_be_bytes([query[0], query[1]]);
    [&header(id, flags, [1, answers, authorities, additionals]), question, &rest].concat()
}
