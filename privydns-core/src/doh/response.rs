//! What a response amounts to: an answer, or the reason why there is none.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::{MAX_BODY, MEDIA_TYPE, encode_query};
use crate::error::{Cause, HttpProblem};
use crate::message::{self, HEADER, Query};

/// The longest `Age` that is told apart from forever (RFC 9111 Section 1.2.2).
const MAX_DELTA_SECONDS: u32 = 1 << 31;

/// How much of a header field's text is kept for an error, in octets.
const MAX_TEXT: usize = 256;

/// What matters of a response before its body comes.
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

    /// Takes one header field; `name` is in lower case. Fields that do not matter are passed over.
    pub(crate) fn header(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"content-type" => self.media_type.add(value),
            // Of several members the first counts, and a first that is no number is as good as none
            // (RFC 9111 Section 5.1).
            b"age" if self.age.is_none() => {
                let first = value.split(|&octet| octet == b',').next().unwrap_or_default();
                self.age = Some(delta_seconds(first).unwrap_or(0));
            }
            // The other form of Retry-After is a date, and there is no calendar here to hold it against.
            b"retry-after" => {
                let seconds = delta_seconds(value).map(|seconds| Duration::from_secs(seconds.into()));
                self.retry_after = self.retry_after.max(seconds);
            }
            b"location" if self.location.is_none() => self.location = Some(text(value)),
            _ => {}
        }
    }

    /// Whether the body is to be a DNS message (RFC 8484 Section 4.2.1). Other bodies need not be kept.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Why the body that comes with this head, whatever is in it, is no answer.
    pub(crate) fn problem(&self, query: &Query) -> Option<HttpProblem> {
        match (self.status, &self.location, &self.media_type) {
            (300..400, Some(location), _) => {
                Some(HttpProblem::Redirect { location: without_question(location, query).to_owned() })
            }
            (200..300, _, MediaType::DnsMessage) => None,
            (200..300, _, MediaType::Absent) => Some(HttpProblem::ContentType(String::new())),
            (200..300, _, MediaType::Other(other)) => Some(HttpProblem::ContentType(other.to_string())),
            (code, ..) => Some(HttpProblem::Status { code, retry_after: self.retry_after }),
        }
    }
}

/// The answer in a response that is there from end to end, and the seconds that it spent in HTTP caches.
///
/// The message's ID is not looked at: over HTTP it is the exchange that pairs an answer with its query, and
/// RFC 8484 Section 4.1 asks nothing of the ID in a response. Its question must match, where it has one.
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

/// Whether a request that met this status would meet it again, so that repeating it at the same upstream is of
/// no use: the server does not want this client, this resource, this method, this type or this size.
///
/// ```
/// use privydns_core::doh::is_final_status;
///
/// assert!(is_final_status(404));
/// assert!(!is_final_status(503));
/// ```
pub fn is_final_status(status: u16) -> bool {
    matches!(
        status,
        300..400 | 400 | 401 | 403 | 404 | 405 | 406 | 410 | 411 | 413 | 414 | 415 | 431 | 451 | 501 | 505
    )
}

impl MediaType {
    fn add(&mut self, value: &[u8]) {
        // Parameters carry no meaning for this type (RFC 8484 Section 6); a server's charset does no harm.
        let essence = value.split(|&octet| octet == b';').next().unwrap_or_default().trim_ascii();
        let is_dns = essence.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes());
        match self {
            Self::Absent if is_dns => *self = Self::DnsMessage,
            // The field is a singleton: what contradicts itself is not to be trusted.
            Self::Absent | Self::DnsMessage if !is_dns => *self = Self::Other(text(value)),
            Self::Absent | Self::DnsMessage | Self::Other(_) => {}
        }
    }
}

/// `1*DIGIT` with space around it, at most [`MAX_DELTA_SECONDS`] (RFC 9111 Section 1.2.2).
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

/// A redirect's target without what could tell the question: its query part, and the message that this client
/// itself may have put into its path.
fn without_question<'a>(location: &'a str, query: &Query) -> &'a str {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let mut message = Vec::new();
    encode_query(query, &mut message);
    // The header's twelve octets are sixteen characters, enough to know a message by; the question follows.
    let header = BASE64URL_NOPAD.encode(&message[..HEADER]);
    location.find(&header).map_or(location, |at| &location[..at])
}

/// A field's text as an error shows it.
fn text(value: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&value[..value.len().min(MAX_TEXT)]).into()
}
