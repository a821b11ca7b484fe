//! The CONNECT method of HTTP/1.1 (RFC 9110 Section 9.3.6).

use data_encoding::BASE64;

use super::Credentials;
use super::tunnel::{Destination, Step};
use crate::http_head;

/// The maximum number of interim responses (1xx) before the final response.
const MAX_INTERIM: u8 = 8;

/// The maximum number of header fields in a response.
const MAX_FIELDS: usize = 64;

/// The maximum length of a reason phrase in an error, in characters.
const MAX_REASON: usize = 80;

/// The client: one request, and the head of its response.
#[derive(Clone)]
pub(super) struct HttpConnect {
    /// The position that the search for the end of the head has reached.
    scanned: usize,
    interim: u8,
}

impl HttpConnect {
    pub(super) fn begin(
        credentials: Option<&Credentials>,
        destination: &Destination,
        out: &mut Vec<u8>,
    ) -> Self {
        let authority = match destination {
            Destination::Address(address) => address.to_string(),
            Destination::Name(name, port) => format!("{name}:{port}"),
        };
        out.extend_from_slice(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").as_bytes());
        if let Some(Credentials { user, password }) = credentials {
            let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
            out.extend_from_slice(format!("Proxy-Authorization: Basic {pair}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        Self { scanned: 0, interim: 0 }
    }

    /// Reads a response. A successful response ends with its head, whatever its fields announce.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<Step, String> {
        let Some(end) = http_head::find_end(input, &mut self.scanned).map_err(violation)? else {
            return Ok(Step::Pending);
        };
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut head = httparse::Response::new(&mut fields);
        match head.parse(&input[..end]) {
            Ok(httparse::Status::Complete(length)) if length == end => {}
            _ => return Err(violation("a malformed head")),
        }
        match head.code.unwrap_or_default() {
            100 | 102..200 if self.interim < MAX_INTERIM => {
                self.interim += 1;
                self.scanned = 0;
                Ok(Step::Took(end))
            }
            100..200 => Err(violation("too many interim responses, or an unexpected 101")),
            200..300 => Ok(Step::Open(end)),
            code => Err(format!("answered: HTTP status {code}{}", reason(head.reason))),
        }
    }
}

fn violation(what: &'static str) -> String {
    format!("violated HTTP/1.1: {what}")
}

/// The reason phrase, with control characters escaped, because terminals would interpret them.
fn reason(phrase: Option<&str>) -> String {
    let phrase = phrase.unwrap_or_default();
    if phrase.is_empty() {
        return String::new();
    }
    let phrase: String = phrase.chars().take(MAX_REASON).collect();
    format!(" ({})", phrase.escape_debug())
}
