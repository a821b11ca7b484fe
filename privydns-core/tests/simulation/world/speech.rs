//! The protocols as a server speaks them: octets to queries, and messages to octets.

use super::host::Speaks;
use super::wire::Question;

/// One side of one connection.
pub(crate) struct Speech {
    speaks: Speaks,
    input: Vec<u8>,
}

impl Speech {
    pub(crate) fn new(speaks: Speaks) -> Self {
        Self { speaks, input: Vec::new() }
    }

    /// What the server picks of the protocols offered.
    pub(crate) fn alpn(&self, offered: &[Vec<u8>]) -> Option<&'static [u8]> {
        let own: &[u8] = match self.speaks {
            Speaks::Dot => b"dot",
            Speaks::Http1 => b"http/1.1",
        };
        offered.iter().any(|protocol| protocol == own).then_some(own)
    }

    /// The queries that are there from end to end once these octets have come.
    pub(crate) fn receive(&mut self, octets: &[u8]) -> Vec<Question> {
        self.input.extend_from_slice(octets);
        let mut questions = Vec::new();
        while let Some(message) = self.next_message() {
            questions.push(Question::read(&message));
        }
        questions
    }

    fn next_message(&mut self) -> Option<Vec<u8>> {
        let (start, length) = match self.speaks {
            Speaks::Dot => {
                let [high, low, ..] = *self.input else { return None };
                (2, usize::from(u16::from_be_bytes([high, low])))
            }
            Speaks::Http1 => {
                let end = self.input.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
                let head = String::from_utf8_lossy(&self.input[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                (end, length.expect("a POST says its length").trim().parse().expect("a number"))
            }
        };
        if self.input.len() < start + length {
            return None;
        }
        let rest = self.input.split_off(start + length);
        Some(std::mem::replace(&mut self.input, rest).split_off(start))
    }

    /// A DNS message in the protocol's framing.
    pub(crate) fn frame(&self, message: &[u8]) -> Vec<u8> {
        match self.speaks {
            Speaks::Dot => {
                let length = u16::try_from(message.len()).expect("a DNS message");
                [&length.to_be_bytes(), message].concat()
            }
            Speaks::Http1 => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/dns-message\r\ncontent-length: {}\r\n\r\n",
                    message.len()
                );
                [head.as_bytes(), message].concat()
            }
        }
    }
}
