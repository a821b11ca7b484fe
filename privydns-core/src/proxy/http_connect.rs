//! The CONNECT method of HTTP/1.1 (RFC 9110 Section 9.3.6).

use data_encoding::BASE64;

use super::Credentials;
use super::tunnel::{Destination, Step};
use crate::http_head;

/// The most interim responses (1xx) before the one that counts.
const MAX_INTERIM: u8 = 8;

/// The most header fields in a response.
const MAX_FIELDS: usize = 64;

/// As much of a reason phrase as an error repeats.
const MAX_REASON: usize = 80;

/// The client's side of the exchange: one request, and its response but for the body.
#[derive(Clone)]
pub(super) struct HttpConnect {
    /// How far the end of the head has been searched for.
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

    /// A response with a status of success ends with its head, whatever the fields in that say of a body.
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
            100..200 => Err(violation("too many interim responses, or one that nobody asked for")),
            200..300 => Ok(Step::Open(end)),
            code => Err(format!("answered: HTTP status {code}{}", reason(head.reason))),
        }
    }
}

fn violation(what: &'static str) -> String {
    format!("violated HTTP/1.1: {what}")
}

/// The proxy's own words, without what a terminal would take for orders.
fn reason(phrase: Option<&str>) -> String {
    let phrase = phrase.unwrap_or_default();
    if phrase.is_empty() {
        return String::new();
    }
    let phrase: String = phrase.chars().take(MAX_REASON).collect();
    format!(" ({})", phrase.escape_debug())
}
