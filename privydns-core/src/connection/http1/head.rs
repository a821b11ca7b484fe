//! The head of a response: its end, and its statements about the body and the connection (RFC 9112 Sections 4 to 6).

use std::time::Duration;

use crate::doh::ResponseHead;
pub(super) use crate::http_head::{NOT_HTTP1, find_end, has_begun};

/// The maximum number of header fields in a head.
const MAX_FIELDS: usize = 64;

/// The longest field name that is looked at: more than the longest name of a relevant field.
const MAX_NAME: usize = 32;

/// A parsed head.
pub(super) struct Head {
    pub(super) response: ResponseHead,
    pub(super) framing: Framing,
    /// Whether the connection persists after the response (RFC 9112 Section 9.3).
    pub(super) is_kept: bool,
    /// The server's idle timeout, if it sends one.
    pub(super) idle: Option<Duration>,
}

/// How the end of the body is determined (RFC 9112 Section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Whether this is the 408 response of a server that closes an idle connection (RFC 9110 Section 15.5.9), once that can
/// be decided. The minor version does not matter.
pub(super) fn is_request_timeout(bytes: &[u8]) -> Option<bool> {
    const EXPECTED: &[u8; 12] = b"HTTP/1.? 408";
    let fits =
        |(byte, expected): (&u8, &u8)| byte == expected || (*expected == b'?' && byte.is_ascii_digit());
    match bytes.iter().zip(EXPECTED).all(fits) {
        true if bytes.len() < EXPECTED.len() => None,
        fits => Some(fits),
    }
}

/// Parses a complete head.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, &'static str> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err("a malformed head"),
        Err(error) => return Err(text_of(error)),
    }
    let (Some(version), Some(status)) = (parsed.version, parsed.code) else {
        return Err("a malformed status line");
    };
    let mut response = ResponseHead::new(status);
    let mut hop = Hop::default();
    for field in parsed.headers.iter() {
        let mut name = [0; MAX_NAME];
        let Some(name) = name.get_mut(..field.name.len()) else { continue };
        name.copy_from_slice(field.name.as_bytes());
        name.make_ascii_lowercase();
        hop.field(name, field.value)?;
        response.header(name, field.value);
    }
    Ok(Head {
        framing: hop.framing(version, status)?,
        is_kept: hop.is_kept(version),
        idle: hop.idle,
        response,
    })
}

/// Only the fields about the connection and the message framing.
#[derive(Default)]
struct Hop {
    length: Option<u64>,
    is_chunked: bool,
    closes: bool,
    keeps: bool,
    idle: Option<Duration>,
}

impl Hop {
    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
        match name {
            b"content-length" => match (self.length, number(value)) {
                (None, Some(length)) => self.length = Some(length),
                (Some(_), _) => return Err("more than one Content-Length"),
                (None, None) => return Err("a Content-Length that is not a number"),
            },
            b"transfer-encoding" if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err("a transfer coding other than chunked");
            }
            b"transfer-encoding" => self.is_chunked = true,
            b"connection" => {
                for option in members(value) {
                    self.closes |= option.eq_ignore_ascii_case(b"close");
                    self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            b"keep-alive" => {
                let timeout = members(value).find_map(|member| number(member.strip_prefix(b"timeout=")?));
                self.idle = timeout.map(Duration::from_secs);
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, version: u8, status: u16) -> Result<Framing, &'static str> {
        match (self.length, self.is_chunked) {
            _ if matches!(status, 100..200 | 204 | 304) => Ok(Framing::Length(0)),
            (Some(_), true) => Err("both Content-Length and Transfer-Encoding"),
            (None, true) if version == 0 => Err("Transfer-Encoding in HTTP/1.0"),
            (None, true) => Ok(Framing::Chunked),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, false) => Ok(Framing::UntilClose),
        }
    }

    fn is_kept(&self, version: u8) -> bool {
        !self.closes && (version > 0 || self.keeps)
    }
}

/// `1*DIGIT`; a number that exceeds 64 bits counts as the largest that fits.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

fn text_of(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a malformed field name, or a folded line",
        httparse::Error::HeaderValue => "a malformed field value",
        httparse::Error::TooManyHeaders => "too many header fields",
        httparse::Error::Version => "an unknown version",
        _ => "a malformed status line",
    }
}
