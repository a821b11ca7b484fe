//! The incremental reader of one response: checks the fields and collects the body (RFC 9113 Section 8).

use super::limits::{MAX_HEADER_LIST, MAX_INTERIM_RESPONSES};
use crate::connection::{Event, Key};
use crate::doh::{self, MAX_BODY, ResponseHead};
use crate::message::Query;

/// The size of a field in addition to name and value (RFC 9113 Section 10.5.1).
const FIELD_OVERHEAD: usize = 32;

/// Why a response is malformed (RFC 9113 Section 8.1.1).
type Malformed = &'static str;

/// The received part of a response.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// The head of the final response, once received.
    head: Option<ResponseHead>,
    content_length: Option<usize>,
    interim_responses: u8,
    /// The number of body bytes received; a body that is not a DNS message is counted and not kept.
    received: usize,
    body: Vec<u8>,
}

impl Response {
    /// A reader for the next field block.
    pub(super) fn expected_fields(&self) -> Fields {
        Fields { is_trailers: self.head.is_some(), ..Fields::default() }
    }

    /// Takes the fields of a complete block.
    pub(super) fn take_fields(&mut self, fields: Fields, is_end: bool) -> Result<(), Malformed> {
        if let Some(problem) = fields.problem {
            return Err(problem);
        }
        if fields.is_trailers {
            return if is_end { Ok(()) } else { Err("trailers that do not end the stream") };
        }
        let Some(head) = fields.head else { return Err("a response without :status") };
        match head.status() {
            101 => Err("status 101, which HTTP/2 does not allow"),
            100..200 if is_end => Err("an interim response that ends the stream"),
            100..200 => {
                self.interim_responses += 1;
                if self.interim_responses > MAX_INTERIM_RESPONSES {
                    return Err("too many interim responses");
                }
                Ok(())
            }
            status => {
                // These statuses have no body, whatever content length is stated (RFC 9110 Section 8.6).
                self.content_length = fields.content_length.filter(|_| !matches!(status, 204 | 304));
                self.head = Some(head);
                Ok(())
            }
        }
    }

    /// Checks the next part of the body, before the part is [kept](Self::keep) or passed to [`finish`](Self::finish).
    pub(super) fn check_data(&mut self, data: &[u8]) -> Result<(), Malformed> {
        if self.head.is_none() {
            return Err("DATA before HEADERS");
        }
        self.received += data.len();
        match self.content_length {
            Some(length) if self.received > length => Err("a body longer than its content-length"),
            _ => Ok(()),
        }
    }

    /// Whether the body is longer than any DNS message.
    pub(super) fn is_too_long(&self) -> bool {
        self.received > MAX_BODY
    }

    /// Keeps a part of the body. Returns the number of bytes kept: 0 if the response is not a success.
    pub(super) fn keep(&mut self, data: &[u8]) -> usize {
        if !self.head.as_ref().is_some_and(ResponseHead::is_success) {
            return 0;
        }
        self.body.extend_from_slice(data);
        data.len()
    }

    /// Checks the response when the server ends it.
    pub(super) fn check_end(&self) -> Result<(), Malformed> {
        match self.content_length {
            Some(length) if self.received != length => Err("a body shorter than its content-length"),
            _ => Ok(()),
        }
    }

    /// The result of the response; `last` is the part of the body that was not kept.
    pub(super) fn finish(&mut self, key: Key, query: &Query, last: &[u8]) -> Option<Event> {
        let head = self.head.as_ref()?;
        // The common case, a body in one frame, needs no copy.
        let body = if self.body.is_empty() {
            last
        } else {
            self.body.extend_from_slice(last);
            &self.body
        };
        Some(match doh::finish(head, body, query) {
            Ok((message, age)) => Event::Answered { key, message, age },
            Err(cause) => Event::Failed { key, cause, retry_safe: false },
        })
    }

    /// The number of body bytes held.
    pub(super) fn held(&self) -> usize {
        self.body.len()
    }
}

/// A field section. Each field is checked when it is decoded (RFC 9113 Sections 8.2 and 8.3.2).
#[derive(Debug, Default)]
pub(super) struct Fields {
    is_trailers: bool,
    head: Option<ResponseHead>,
    content_length: Option<usize>,
    /// The size by RFC 9113 Section 10.5.1.
    size: usize,
    has_regular: bool,
    /// The first error; later fields are ignored.
    problem: Option<Malformed>,
}

impl Fields {
    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) {
        if self.problem.is_none() {
            self.problem = self.checked_add(name, value).err();
        }
    }

    fn checked_add(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        self.size += name.len() + value.len() + FIELD_OVERHEAD;
        if self.size > MAX_HEADER_LIST as usize {
            return Err("a header list over the limit");
        }
        if name.first() == Some(&b':') {
            return self.add_pseudo(name, value);
        }
        self.has_regular = true;
        check_name(name)?;
        check_value(value)?;
        if self.is_trailers {
            return Ok(());
        }
        let Some(head) = &mut self.head else { return Err("a field before :status") };
        if name == b"content-length" {
            let length = content_length(value)?;
            if self.content_length.is_some_and(|other| other != length) {
                return Err("two content-lengths");
            }
            self.content_length = Some(length);
        }
        head.header(name, value);
        Ok(())
    }

    fn add_pseudo(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        if self.is_trailers {
            return Err("a pseudo-header field in trailers");
        }
        if self.has_regular {
            return Err("a pseudo-header field after a regular one");
        }
        if name != b":status" {
            return Err("an unknown pseudo-header field");
        }
        if self.head.is_some() {
            return Err("two :status fields");
        }
        let status = match *value {
            [hundreds @ b'1'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                [hundreds, tens, ones].iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
            }
            _ => return Err("a :status that is not three digits"),
        };
        self.head = Some(ResponseHead::new(status));
        Ok(())
    }
}

/// RFC 9113 Sections 8.2.1 and 8.2.2.
fn check_name(name: &[u8]) -> Result<(), Malformed> {
    match name {
        b"" => Err("a field without a name"),
        b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" | b"te" => {
            Err("a connection-specific field")
        }
        _ if name.iter().any(|byte| matches!(byte, 0..=0x20 | b'A'..=b'Z' | b':' | 0x7f..)) => {
            Err("a field name with a forbidden byte")
        }
        _ => Ok(()),
    }
}

/// RFC 9113 Section 8.2.1.
fn check_value(value: &[u8]) -> Result<(), Malformed> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if value.iter().any(|byte| matches!(byte, 0 | b'\n' | b'\r')) {
        return Err("a field value with a forbidden byte");
    }
    if is_space(value.first()) || is_space(value.last()) {
        return Err("a field value with surrounding whitespace");
    }
    Ok(())
}

/// RFC 9110 Section 8.6.
fn content_length(value: &[u8]) -> Result<usize, Malformed> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let length = value
        .iter()
        .fold(0usize, |sum, digit| sum.saturating_mul(10).saturating_add(digit.wrapping_sub(b'0').into()));
    if is_number { Ok(length) } else { Err("a content-length that is not a number") }
}
