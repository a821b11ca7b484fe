//! Broken rules, and what each costs.

use super::frame::ErrorCode;
use crate::error::{Cause, HttpProblem, ProtocolError};

/// The protocol's name in errors: its ALPN token.
const PROTOCOL: &str = "h2";

/// What is broken where HTTP/2 would begin, and something else does.
const NOT_HTTP2: &str = "the peer does not speak it";

/// What is said of a server that speaks HTTP/2 and sends this client to HTTP/1.1 (RFC 9113 Section 7).
const WANTS_HTTP1: &str = "the peer wants HTTP/1.1 in its place";

/// A rule that the server broke (RFC 9113 Section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum H2Error {
    /// It ends one stream.
    Stream { stream: u32, code: ErrorCode, what: &'static str },
    /// It ends the connection.
    Connection { code: ErrorCode, what: &'static str },
}

impl H2Error {
    /// The server does not speak HTTP/2 at all.
    pub(super) const NOT_HTTP2: Self = Self::protocol(NOT_HTTP2);

    /// The commonest: a connection error of type `PROTOCOL_ERROR`.
    pub(super) const fn protocol(what: &'static str) -> Self {
        Self::Connection { code: ErrorCode::PROTOCOL_ERROR, what }
    }

    pub(super) const fn frame_size(what: &'static str) -> Self {
        Self::Connection { code: ErrorCode::FRAME_SIZE_ERROR, what }
    }

    pub(super) const fn flow_control(what: &'static str) -> Self {
        Self::Connection { code: ErrorCode::FLOW_CONTROL_ERROR, what }
    }

    pub(super) const fn too_much(what: &'static str) -> Self {
        Self::Connection { code: ErrorCode::ENHANCE_YOUR_CALM, what }
    }

    /// A response that is malformed (RFC 9113 Section 8.1.1).
    pub(super) const fn malformed(stream: u32, what: &'static str) -> Self {
        Self::Stream { stream, code: ErrorCode::PROTOCOL_ERROR, what }
    }
}

pub(super) fn cause(what: &'static str) -> Cause {
    ProtocolError { protocol: PROTOCOL, what }.into()
}

/// Why an exchange failed whose stream the server reset, and whether it may be sent again safely.
pub(super) fn of_reset(code: ErrorCode) -> (Cause, bool) {
    match code {
        ErrorCode::REFUSED_STREAM => (HttpProblem::NotProcessed.into(), true),
        ErrorCode::HTTP_1_1_REQUIRED => (cause(WANTS_HTTP1), false),
        ErrorCode(code) => (HttpProblem::StreamReset(code).into(), false),
    }
}

/// Why an exchange failed that the server's GOAWAY passed over.
pub(super) fn not_processed(code: ErrorCode) -> Cause {
    match code {
        ErrorCode::HTTP_1_1_REQUIRED => cause(WANTS_HTTP1),
        _ => HttpProblem::NotProcessed.into(),
    }
}

/// Whether a connection or an exchange failed because the peer does not speak HTTP/2, or does not want to, so
/// that another version may be tried.
pub fn is_not_http2(cause: &Cause) -> bool {
    matches!(cause, Cause::Protocol(ProtocolError { protocol: PROTOCOL, what })
        if [NOT_HTTP2, WANTS_HTTP1].contains(what))
}
