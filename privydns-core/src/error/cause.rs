//! [`Cause`]: why one attempt at one upstream failed.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;

use super::message::{ExtendedError, MessageError};

/// Why one attempt at one upstream failed.
///
/// For a failure of the operating system or of TLS, [`source`](std::error::Error::source) is the [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// No answer arrived within the attempt's time.
    #[error("no answer in time")]
    Timeout,
    /// The TCP connection could not be opened.
    #[error("cannot connect: {0}")]
    Connect(#[source] IoError),
    /// The proxy in front of the upstream refused the connection or failed. The message names the proxy's address.
    #[error("proxy: {0}")]
    Proxy(#[source] IoError),
    /// The TLS handshake or a TLS record failed, for a reason other than a certificate.
    #[error("TLS: {0}")]
    Tls(#[source] IoError),
    /// The server ended the handshake with `no_application_protocol` (RFC 7301 Section 3.2).
    #[error("the server supports none of the application protocols offered")]
    NoApplicationProtocol,
    /// The server's certificate was rejected.
    #[error("the server's certificate {0}")]
    Certificate(CertificateProblem),
    /// The server rejected the client's certificate, or requires one and none is configured.
    #[error("the server refused the client's certificate ({0})")]
    ClientCertificate(String),
    /// The connection was closed or reset before the answer arrived.
    #[error("connection closed before the answer")]
    Closed,
    /// The peer violated the transport protocol.
    #[error("{0}")]
    Protocol(#[from] ProtocolError),
    /// The HTTP response carried no DNS message.
    #[error("{0}")]
    Http(#[from] HttpProblem),
    /// The received bytes are not a valid answer to the query.
    #[error("malformed answer: {0}")]
    Malformed(#[from] MessageError),
    /// The upstream answered with a response code that is a failure.
    #[error("{0}")]
    Rcode(Rcode),
    /// The upstream's own name could not be resolved.
    #[error("the upstream's address could not be resolved: {0}")]
    Bootstrap(String),
}

/// A shared [`io::Error`], which can be cloned and compared.
///
/// Dereferences to the [`io::Error`]. Two of them are equal if their kinds, their operating system error codes and
/// their messages are equal.
///
/// ```
/// use std::io;
/// use privydns_core::IoError;
///
/// let refused = IoError::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
/// assert_eq!(refused, io::ErrorKind::ConnectionRefused.into());
/// assert_ne!(refused, io::ErrorKind::ConnectionReset.into());
/// ```
#[derive(Clone)]
pub struct IoError(Arc<io::Error>);

/// An [`io::Error`] described in the resolver's words, with the original error as its source.
#[derive(Debug, thiserror::Error)]
#[error("{description}")]
struct Described {
    description: String,
    source: io::Error,
}

/// A response code that is a failure, with the upstream's explanation of it (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rcode {
    /// The response code, extended by EDNS if the response has an OPT record.
    pub code: ResponseCode,
    /// The extended DNS errors, in the order of the response.
    pub extended: Vec<ExtendedError>,
}

/// Why a server's certificate was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// The certificate has expired.
    #[error("has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("is not valid yet")]
    NotYetValid,
    /// The certificate is for another name (RFC 8310 Section 8.1: subject alternative names only).
    #[error("is for another name")]
    WrongName,
    /// The certificate does not chain to a trusted root.
    #[error("is not issued by a known authority")]
    UnknownIssuer,
    /// No key on the certificate's path matches a configured pin (RFC 7858 Section 4.2).
    #[error("matches no configured pin")]
    PinMismatch,
    /// No certificate on the path matches a configured hash ([`TbsHash`](crate::TbsHash)).
    #[error("is not on a path with a certificate whose hash is configured")]
    HashMismatch,
    /// The certificate was revoked.
    #[error("was revoked")]
    Revoked,
    /// Another reason, in the verifier's words.
    #[error("was not accepted: {0}")]
    Other(String),
}

/// A violation of a transport protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{protocol} violated: {what}")]
#[non_exhaustive]
pub struct ProtocolError {
    /// The protocol, named as in its ALPN token.
    pub protocol: &'static str,
    /// What the peer did.
    pub what: &'static str,
}

/// An HTTP response without a DNS message (RFC 8484 Section 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpProblem {
    /// A status other than 2xx and 3xx.
    #[error("HTTP status {code}")]
    Status {
        /// The status code.
        code: u16,
        /// The delay that the server asks for (RFC 9110 Section 10.2.3), for status 429 and 503, if the server gives the
        /// delay in seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect. Redirects are not followed.
    #[error("redirected to {location:?}, and redirects are not followed")]
    Redirect {
        /// The target, as written by the server.
        location: String,
    },
    /// A body of another type than `application/dns-message`.
    #[error("content type {0:?} is not application/dns-message")]
    ContentType(String),
    /// An empty body.
    #[error("empty body")]
    EmptyBody,
    /// A body over 65535 bytes (RFC 8484 Section 6).
    #[error("body over 65535 bytes")]
    BodyTooLong,
    /// The server reset the stream of this request (RFC 9113 Section 6.4). The connection goes on.
    #[error("stream reset with error code {0:#x}")]
    StreamReset(u32),
    /// The server guarantees that the request was not processed (RFC 9113 Sections 6.8 and 8.7).
    #[error("the server did not process the request")]
    NotProcessed,
}

impl Cause {
    /// Whether a later attempt may succeed without a change of the configuration.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Cause::Timeout
            | Cause::Connect(_)
            | Cause::Proxy(_)
            | Cause::Tls(_)
            | Cause::Closed
            | Cause::Bootstrap(_)
            | Cause::Http(
                HttpProblem::Status { code: 408 | 425 | 429 | 500 | 502..=504 | 506..=599, .. }
                | HttpProblem::StreamReset(_)
                | HttpProblem::NotProcessed,
            ) => true,
            Cause::Rcode(rcode) => rcode.code == ResponseCode::ServFail,
            Cause::NoApplicationProtocol
            | Cause::Certificate(_)
            | Cause::ClientCertificate(_)
            | Cause::Protocol(_)
            | Cause::Http(_)
            | Cause::Malformed(_) => false,
        }
    }
}

impl IoError {
    /// The error under another message. The original error is the source.
    pub(crate) fn described(description: String, source: io::Error) -> Self {
        io::Error::new(source.kind(), Described { description, source }).into()
    }
}

impl From<io::Error> for IoError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<io::ErrorKind> for IoError {
    fn from(kind: io::ErrorKind) -> Self {
        io::Error::from(kind).into()
    }
}

impl Deref for IoError {
    type Target = io::Error;

    fn deref(&self) -> &io::Error {
        &self.0
    }
}

impl PartialEq for IoError {
    fn eq(&self, other: &Self) -> bool {
        let is_custom = |error: &io::Error| error.get_ref().is_some();
        self.kind() == other.kind()
            && self.raw_os_error() == other.raw_os_error()
            // Without an inner error, the message follows from the kind and the code.
            && (!is_custom(self) && !is_custom(other) || self.to_string() == other.to_string())
    }
}

impl Eq for IoError {}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the upstream answered {}", self.code)?;
        for error in &self.extended {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}
