//! What can go wrong, said so that a caller can act on it and a person can read it.
//!
//! An [`Error`] ends a lookup. It says what kind it is ([`ErrorKind`]), which upstream and address were
//! involved, at which [`Stage`], and what every attempt came to ([`FailedAttempt`]). A [`Cause`] is what ended one
//! attempt. No `Display` here prints the name that was asked for: errors end up in logs, and names do not
//! belong there.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;

use crate::syntax::SyntaxError;

mod message;

pub use message::{ExtendedError, MessageError, NameError};

/// Why a lookup, or the making of a resolver, failed.
///
/// ```
/// use privydns_core::{ErrorKind, Query, RecordType};
///
/// let error = Query::new("not..a.name", RecordType::A).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::Name(_)));
/// assert!(!error.to_string().contains("not..a.name"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    upstream: Option<Arc<str>>,
    address: Option<SocketAddr>,
    stage: Option<Stage>,
    attempts: Vec<FailedAttempt>,
    elapsed: Option<Duration>,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text given is not a domain name. Nothing was sent.
    #[error("not a domain name: {0}")]
    Name(#[from] NameError),
    /// The configuration cannot work. Nothing was sent.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The name's top-level domain is never sent to an upstream (RFC 6762, RFC 7686, RFC 9476).
    #[error("names under `{0}` are never sent to an upstream")]
    SpecialUse(&'static str),
    /// The lookup's deadline passed before any upstream gave an answer.
    #[error("the deadline passed")]
    Deadline,
    /// Every attempt failed; this is the cause that decided it.
    #[error("{0}")]
    Upstream(Cause),
    /// There is none of what was asked for. A lookup by itself takes that for an answer; who asks for addresses or
    /// for the servers of a service wants one.
    #[error("{0}")]
    NotFound(NotFound),
    /// The query was to be answered from the cache alone, and the cache has no answer.
    #[error("not in the cache")]
    NotCached,
    /// A named limit of this resolver is reached.
    #[error("overloaded: {0}")]
    Overloaded(Limit),
    /// The resolver was closed before the lookup ended.
    #[error("the resolver is closed")]
    Closed,
}

/// What ended one attempt at one upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing came within the attempt's time.
    #[error("no answer in time")]
    Timeout,
    /// No TCP connection could be made.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The proxy in front of the upstream refused or failed.
    #[error("proxy: {0}")]
    Proxy(String),
    /// The TLS handshake, or a TLS record, failed for a reason other than a certificate.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server ended the handshake with `no_application_protocol` (RFC 7301 Section 3.2).
    #[error("the server supports none of the application protocols offered")]
    NoApplicationProtocol,
    /// The server's certificate was not accepted.
    #[error("the server's certificate {0}")]
    Certificate(CertificateProblem),
    /// The server refused the client's certificate, or asked for one where none is configured.
    #[error("the server refused the client's certificate ({0})")]
    ClientCertificate(String),
    /// The connection closed or was reset with the query unanswered.
    #[error("connection closed before the answer")]
    Closed,
    /// The peer broke the rules of the transport.
    #[error("{0}")]
    Protocol(#[from] ProtocolError),
    /// The peer's answer over HTTP carried no DNS message.
    #[error("{0}")]
    Http(#[from] HttpProblem),
    /// The bytes that came are not an answer to the query.
    #[error("malformed answer: {0}")]
    Malformed(#[from] MessageError),
    /// The upstream answered with a failure code.
    #[error("{0}")]
    Rcode(Rcode),
    /// The upstream's own name could not be turned into an address.
    #[error("the upstream's address could not be resolved: {0}")]
    Bootstrap(String),
}

/// A response code that is a failure, with what the upstream says about it (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rcode {
    /// The response code, extended by EDNS where present.
    pub code: ResponseCode,
    /// Extended DNS errors, in the order they came.
    pub extended: Vec<ExtendedError>,
}

/// Why a server's certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// Its validity has ended.
    #[error("has expired")]
    Expired,
    /// Its validity has not begun.
    #[error("is not valid yet")]
    NotYetValid,
    /// It is not for the name configured (RFC 8310 Section 8.1: subject alternative names only).
    #[error("is for another name")]
    WrongName,
    /// It does not chain to a configured root.
    #[error("is not issued by a known authority")]
    UnknownIssuer,
    /// No key on its path matches a configured pin (RFC 7858 Section 4.2).
    #[error("matches no configured pin")]
    PinMismatch,
    /// No certificate on its path matches a configured hash ([`TbsHash`](crate::TbsHash)).
    #[error("is not on a path with a certificate whose hash is configured")]
    HashMismatch,
    /// It was revoked.
    #[error("was revoked")]
    Revoked,
    /// Anything else, in the verifier's words.
    #[error("was not accepted: {0}")]
    Other(String),
}

/// A broken rule of a transport protocol: which protocol, and which rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{protocol} violated: {what}")]
#[non_exhaustive]
pub struct ProtocolError {
    /// The protocol, in the words of its ALPN token.
    pub protocol: &'static str,
    /// What the peer did.
    pub what: &'static str,
}

/// An HTTP exchange that ended without a DNS message (RFC 8484 Section 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpProblem {
    /// A status outside 2xx and 3xx.
    #[error("HTTP status {code}")]
    Status {
        /// The status code.
        code: u16,
        /// How long the server asks to wait (RFC 9110 Section 10.2.3), where it says so in seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect, which is never followed.
    #[error("redirected to {location:?}, and redirects are not followed")]
    Redirect {
        /// The target, as the server wrote it.
        location: String,
    },
    /// A body of another type than `application/dns-message`.
    #[error("content type {0:?} is not application/dns-message")]
    ContentType(String),
    /// A body with nothing in it.
    #[error("empty body")]
    EmptyBody,
    /// A body over 65535 octets (RFC 8484 Section 6).
    #[error("body over 65535 octets")]
    BodyTooLong,
    /// The server reset the stream of this exchange alone (RFC 9113 Section 6.4).
    #[error("stream reset with error code {0:#x}")]
    StreamReset(u32),
    /// The server promises that it did not process the request (RFC 9113 Sections 6.8 and 8.7).
    #[error("the server did not process the request")]
    NotProcessed,
}

/// Which kind of "there is none" an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// The name does not exist (RFC 2308 Section 2.1).
    #[error("the name does not exist (NXDOMAIN)")]
    NxDomain,
    /// The name exists, and has no record of the type asked for (RFC 2308 Section 2.2).
    #[error("the name has no record of this type (NODATA)")]
    NoData,
    /// The records are there to say that the name does not have the service: a null MX record (RFC 7505), or the root
    /// as the target of an SRV record (RFC 2782) or of an HTTPS alias (RFC 9460 Section 2.5.1).
    #[error("the name says that it does not have this service")]
    NoService,
}

/// The limits whose overflow ends a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Lookups on their way at once, over all upstreams.
    #[error("too many lookups in flight")]
    Lookups,
    /// Lookups that wait for room on a connection to one upstream.
    #[error("too many lookups waiting for a connection")]
    Waiting,
}

/// A configuration that cannot work, found before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No upstream was given.
    #[error("no upstream")]
    NoUpstream,
    /// More upstreams than [`MAX_UPSTREAMS`](crate::config::MAX_UPSTREAMS).
    #[error("more than {0} upstreams")]
    TooManyUpstreams(usize),
    /// There are upstreams for the names of routes alone, and this name is not one of them.
    #[error("no route leads to this name, and no upstream is there for names without one")]
    NoRoute,
    /// No upstream speaks the protocol that a query asks for.
    #[error("no upstream speaks the protocol asked for")]
    NoSuchProtocol,
    /// These upstreams are known by name alone, and none of those that may be asked for their names can be reached
    /// before them.
    #[error(
        "none of the upstreams that may be asked can resolve the names of {0}: give them addresses (`#ip=`)"
    )]
    Bootstrap(String),
    /// A lookup was begun outside of the runtime that its resolver is for.
    #[error("no runtime runs here")]
    NoRuntime,
    /// The operating system gives nothing to wait for sockets with.
    #[error("the system gives no event queue: {0}")]
    NoEventQueue(String),
    /// A text is no upstream.
    #[error("upstream: {0}")]
    Syntax(#[from] SyntaxError),
    /// A text is no proxy.
    #[error("proxy: {0}")]
    Proxy(SyntaxError),
    /// An upstream's settings are wrong.
    #[error("upstream: {0}")]
    Upstream(String),
    /// A certificate, key or pin cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// A file that a configuration names could not be read.
    #[error("{path}: {problem}")]
    File {
        /// The path, as the configuration has it.
        path: String,
        /// Why not, in the system's words.
        problem: String,
    },
    /// A setting has a value that cannot work.
    #[error("{setting}: {problem}")]
    Setting {
        /// The builder's method that was given the value.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// How far an attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was sent: it failed a moment ago, and is not asked again so soon (RFC 9520).
    Remembered,
    /// Waiting for room on a connection, or for one to be opened.
    Waiting,
    /// Resolving the upstream's own name.
    Bootstrap,
    /// Reaching the proxy, and speaking to it.
    Proxy,
    /// TCP and TLS being set up.
    Connect,
    /// In the TLS handshake.
    Tls,
    /// The query sent, the answer not there yet.
    Query,
}

/// One attempt at one upstream: what a lookup tried, and what came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The upstream's label.
    pub upstream: Arc<str>,
    /// The address used, once one was chosen. Behind a proxy it is the upstream's all the same, and the proxy's only
    /// where the proxy resolves the upstream's name.
    pub address: Option<SocketAddr>,
    /// How far it came.
    pub stage: Stage,
    /// When it began, counted from the lookup's start.
    pub started: Duration,
    /// How long it went on.
    pub took: Duration,
    /// What ended it.
    pub cause: Cause,
}

impl Error {
    pub(crate) fn new(kind: impl Into<ErrorKind>) -> Self {
        Self(Box::new(Inner {
            kind: kind.into(),
            upstream: None,
            address: None,
            stage: None,
            attempts: Vec::new(),
            elapsed: None,
        }))
    }

    /// The error that an upstream's answer comes down to.
    pub(crate) fn from_upstream(kind: ErrorKind, upstream: Arc<str>) -> Self {
        let mut error = Self::new(kind);
        error.0.upstream = Some(upstream);
        error
    }

    /// The error of a lookup whose attempts are over: its last attempt names upstream, address and stage.
    pub(crate) fn from_attempts(kind: ErrorKind, attempts: Vec<FailedAttempt>, elapsed: Duration) -> Self {
        let mut error = Self::new(kind);
        let decisive = match &error.0.kind {
            ErrorKind::Upstream(cause) => attempts.iter().rev().find(|attempt| attempt.cause == *cause),
            _ => attempts.last(),
        };
        if let Some(attempt) = decisive {
            error.0.upstream = Some(attempt.upstream.clone());
            error.0.address = attempt.address;
            error.0.stage = Some(attempt.stage);
        }
        error.0.attempts = attempts;
        error.0.elapsed = Some(elapsed);
        error
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The label of the upstream that the failure is about.
    pub fn upstream(&self) -> Option<&str> {
        self.0.upstream.as_deref()
    }

    /// The address that the failure is about.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// How far the deciding attempt had come.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// What was tried, in order; empty where nothing was sent.
    pub fn attempts(&self) -> &[FailedAttempt] {
        &self.0.attempts
    }

    /// How long the lookup took.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// Whether the failure is the deadline's, as opposed to an upstream's or the caller's.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Deadline | ErrorKind::Upstream(Cause::Timeout))
    }
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Self {
        Self::new(kind)
    }
}

impl From<std::convert::Infallible> for ErrorKind {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, upstream, address, stage, attempts, elapsed } = &*self.0;
        if let Some(upstream) = upstream {
            write!(f, "{upstream}")?;
            if let Some(address) = address {
                write!(f, " ({address})")?;
            }
            if let Some(stage) = stage {
                write!(f, " at {stage}")?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{kind}")?;
        if let (Some(elapsed), 1..) = (elapsed, attempts.len()) {
            let plural = if attempts.len() == 1 { "" } else { "s" };
            write!(f, " ({} attempt{plural} in {elapsed:.1?})", attempts.len())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, upstream, address, stage, attempts, elapsed } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("upstream", upstream)
            .field("address", address)
            .field("stage", stage)
            .field("attempts", attempts)
            .field("elapsed", elapsed)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Name(error) => Some(error),
            ErrorKind::Config(error) => Some(error),
            ErrorKind::Upstream(cause) => Some(cause),
            _ => None,
        }
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

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Remembered => "remembered",
            Stage::Waiting => "waiting",
            Stage::Bootstrap => "bootstrap",
            Stage::Proxy => "proxy",
            Stage::Connect => "connect",
            Stage::Tls => "tls",
            Stage::Query => "query",
        })
    }
}

#[cfg(test)]
mod tests;
