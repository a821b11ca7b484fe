//! Stream and connection errors (RFC 9113 Section 5.4).

use super::frame::ErrorCode;
use crate::error::{Cause, HttpProblem, ProtocolError};

/// The name of the protocol in errors: the ALPN token.
const PROTOCOL: &str = "h2";

/// The error for data that is not HTTP/2.
const NOT_HTTP2: &str = "the peer does not use this protocol";

/// The error for a server that uses HTTP/2 and redirects the client to HTTP/1.1 (RFC 9113 Section 7).
const WANTS_HTTP1: &str = "the peer requires HTTP/1.1";

/// An error caused by the server (RFC 9113 Section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum H2Error {
    /// Ends one stream.
    Stream { stream: u32, code: ErrorCode, what: &'static str },
    /// Ends the connection.
    Connection { code: ErrorCode, what: &'static str },
}

impl H2Error {
    /// The server does not use HTTP/2 at all.
    pub(super) const NOT_HTTP2: Self = Self::protocol(NOT_HTTP2);

    /// A connection error of type `PROTOCOL_ERROR`, the most frequent kind.
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

    /// A malformed response (RFC 9113 Section 8.1.1).
    pub(super) const fn malformed(stream: u32, what: &'static str) -> Self {
        Self::Stream { stream, code: ErrorCode::PROTOCOL_ERROR, what }
    }
}

pub(super) fn cause(what: &'static str) -> Cause {
    ProtocolError { protocol: PROTOCOL, what }.into()
}

/// The cause of a query's failure after a stream reset by the server, and whether the query may be sent again safely.
pub(super) fn of_reset(code: ErrorCode) -> (Cause, bool) {
    match code {
        ErrorCode::REFUSED_STREAM => (HttpProblem::NotProcessed.into(), true),
        ErrorCode::HTTP_1_1_REQUIRED => (cause(WANTS_HTTP1), false),
        ErrorCode(code) => (HttpProblem::StreamReset(code).into(), false),
    }
}

/// The cause of the failure of a query that the server's GOAWAY excludes.
pub(super) fn not_processed(code: ErrorCode) -> Cause {
    match code {
        ErrorCode::HTTP_1_1_REQUIRED => cause(WANTS_HTTP1),
        _ => HttpProblem::NotProcessed.into(),
    }
}

/// Whether a connection or a query failed because the peer does not use HTTP/2, or refuses it, so that another version
/// may be tried.
pub fn is_not_http2(cause: &Cause) -> bool {
    matches!(cause, Cause::Protocol(ProtocolError { protocol: PROTOCOL, what })
        if [NOT_HTTP2, WANTS_HTTP1].contains(what))
}
