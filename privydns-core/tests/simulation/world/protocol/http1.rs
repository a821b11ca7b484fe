//! HTTP/1.1: a POST for each query, one at a time.

use super::{Heard, Refusal};
use crate::world::wire::Question;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

#[derive(Default)]
pub(crate) struct Http1 {
    input: Vec<u8>,
}

impl Http1 {
    pub(super) fn receive(&mut self, octets: &[u8]) -> Heard {
        self.input.extend_from_slice(octets);
        let mut heard = Heard::default();
        if b"POST ".iter().zip(&self.input).any(|(expected, octet)| expected != octet) {
            heard.owed = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into();
            heard.is_foreign = true;
            return heard;
        }
        while let Some(at) = self.input.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) {
            let start = at + END_OF_HEAD.len();
            let head = String::from_utf8_lossy(&self.input[..start]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.expect("a POST says its length").trim().parse().expect("a number");
            let Some(message) = self.input.get(start..start + length) else { break };
            heard.questions.push((0, Question::read(message)));
            self.input.drain(..start + length);
        }
        heard
    }
}

pub(super) fn frame(message: &[u8], length: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/dns-message\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), message].concat()
}

pub(super) fn refuse(refusal: &Refusal) -> Vec<u8> {
    let Refusal::Status(status, wait) = refusal else { return Vec::new() };
    let wait = wait.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
    format!("HTTP/1.1 {status} So\r\n{wait}content-length: 0\r\n\r\n").into()
}
