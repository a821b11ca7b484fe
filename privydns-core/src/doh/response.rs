//! Evaluates DoH responses: an answer, or the reason why the response is not an answer.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::{MAX_BODY, MEDIA_TYPE, encode_query};
use crate::error::{Cause, HttpProblem};
use crate::message::{self, HEADER, Query};

/// The maximum value of `Age` and `Retry-After`; larger ones are reduced to this value (RFC 9111 Section
/// 1.2.2).
const MAX_DELTA_SECONDS: u32 = 1 << 31;

/// The maximum length of a header field's text in an error, in bytes.
const MAX_TEXT: usize = 256;

/// The relevant parts of a response head.
#[derive(Clone, Debug)]
pub(crate) struct ResponseHead {
    status: u16,
    media_type: MediaType,
    age: Option<u32>,
    retry_after: Option<Duration>,
    location: Option<Box<str>>,
}

#[derive(Clone, Debug)]
enum MediaType {
    Absent,
    DnsMessage,
    Other(Box<str>),
}

impl ResponseHead {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, media_type: MediaType::Absent, age: None, retry_after: None, location: None }
    }

    /// Processes one header field, whose `name` is in lower case. Irrelevant fields are ignored.
    pub(crate) fn header(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"content-type" => self.media_type.add(value),
            // If there are several members, the first one counts. If the first one is not a number, the field
            // is ignored (RFC 9111 Section 5.1).
            b"age" if self.age.is_none() => {
                let first = value.split(|&byte| byte == b',').next().unwrap_or_default();
                self.age = Some(delta_seconds(first).unwrap_or(0));
            }
            // Retry-After may also be a date, which cannot be used without a wall clock.
            b"retry-after" => {
                let seconds = delta_seconds(value).map(|seconds| Duration::from_secs(seconds.into()));
                self.retry_after = self.retry_after.max(seconds);
            }
            b"location" if self.location.is_none() => self.location = Some(text(value)),
            _ => {}
        }
    }

    /// Whether the body must be a DNS message (RFC 8484 Section 4.2.1). Other bodies can be discarded.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The reason why a response with this head is not an answer, whatever its body, or `None`.
    pub(crate) fn problem(&self, query: &Query) -> Option<HttpProblem> {
        match (self.status, &self.location, &self.media_type) {
            (300..400, Some(location), _) => {
                Some(HttpProblem::Redirect { location: without_question(location, query).to_owned() })
            }
            (200..300, _, MediaType::DnsMessage) => None,
            (200..300, _, MediaType::Absent) => Some(HttpProblem::ContentType(String::new())),
            (200..300, _, MediaType::Other(other)) => Some(HttpProblem::ContentType(other.to_string())),
            (code @ (429 | 503), ..) => Some(HttpProblem::Status { code, retry_after: self.retry_after }),
            // With another status, Retry-After does not mean that a repeated request can succeed.
            (code, ..) => Some(HttpProblem::Status { code, retry_after: None }),
        }
    }
}

/// The answer in a complete response, and the seconds that the response spent in HTTP caches.
///
/// The message's ID is ignored: HTTP pairs responses with requests, and RFC 8484 Section 4.1 does not specify
/// the ID of a response. If the message has a question, the question must match.
pub(crate) fn finish(head: &ResponseHead, body: &[u8], query: &Query) -> Result<(Arc<[u8]>, u32), Cause> {
    if let Some(problem) = head.problem(query) {
        return Err(problem.into());
    }
    if body.is_empty() {
        return Err(HttpProblem::EmptyBody.into());
    }
    if body.len() > MAX_BODY {
        return Err(HttpProblem::BodyTooLong.into());
    }
    message::check_response(body, query)?;
    Ok((Arc::from(body), head.age.unwrap_or(0)))
}

/// Whether repeating the request at the same upstream would yield the same status: the server rejects the
/// client, the resource, the method, the content type or the size.
pub fn is_final_status(status: u16) -> bool {
    matches!(
        status,
        300..400 | 400 | 401 | 403 | 404 | 405 | 406 | 410 | 411 | 413 | 414 | 415 | 431 | 451 | 501 | 505
    )
}

impl MediaType {
    fn add(&mut self, value: &[u8]) {
        // This type has no parameters (RFC 8484 Section 6). A parameter such as a charset is ignored.
        let essence = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        let is_dns = essence.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes());
        match self {
            Self::Absent if is_dns => *self = Self::DnsMessage,
            // Content-Type may occur only once. If there are contradictory values, the response is rejected.
            Self::Absent | Self::DnsMessage if !is_dns => *self = Self::Other(text(value)),
            Self::Absent | Self::DnsMessage | Self::Other(_) => {}
        }
    }
}

/// Parses `1*DIGIT` with optional white space around it, and limits the value to [`MAX_DELTA_SECONDS`] (RFC
/// 9111 Section 1.2.2).
fn delta_seconds(value: &[u8]) -> Option<u32> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = digits.iter().fold(0u32, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')).min(MAX_DELTA_SECONDS)
    });
    Some(seconds)
}

/// The target of a redirect, without parts that could reveal the question: without the query component, and
/// without the encoded message that the request may have had in its path.
fn without_question<'a>(location: &'a str, query: &Query) -> &'a str {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let mut message = Vec::new();
    encode_query(query, &mut message);
    // The 12 bytes of the header are 16 characters, enough to recognize the message. The question follows.
    let header = BASE64URL_NOPAD.encode(&message[..HEADER]);
    location.find(&header).map_or(location, |at| &location[..at])
}

/// A field's text for an error.
fn text(value: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&value[..value.len().min(MAX_TEXT)]).into()
}
