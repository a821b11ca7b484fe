//! Errors: what failed, where, and why.
//!
//! An [`Error`] ends a lookup. An error has a kind ([`ErrorKind`]), the upstream and address involved, the [`Stage`],
//! and the failed attempts ([`FailedAttempt`]). A [`Cause`] says why one attempt failed. No `Display` and no `Debug`
//! prints the queried name, because errors are logged and logs must not contain names.

mod cause;
mod config;
mod message;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use cause::{Cause, CertificateProblem, HttpProblem, IoError, ProtocolError, Rcode};
pub use config::{ConfigError, RuntimeError};
pub use message::{ExtendedError, MessageError, NameError};

/// Why a lookup failed, or why a resolver could not be built.
///
/// `Display` names the upstream, the address, the stage and the cause. [`source`](std::error::Error::source) leads
/// from the error to its [`Cause`], and from there to the [`io::Error`](std::io::Error) of the operating system or of
/// TLS, if there is one.
///
/// ```
/// use privydns_core::{ErrorKind, Query, RecordType};
///
/// let error = Query::new("not..a.name", RecordType::A).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::Name(_)));
/// assert!(!error.is_retryable());
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

/// The kind of an [`Error`].
///
/// Two kinds are equal if all their fields are equal. See [`IoError`] for I/O errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not a domain name. No query was sent.
    #[error("not a domain name: {0}")]
    Name(#[from] NameError),
    /// The configuration is invalid. No query was sent.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The environment lacks a resource that the resolver needs, such as a Tokio runtime. No query was sent.
    #[error("{0}")]
    Runtime(#[from] RuntimeError),
    /// No configured upstream may answer the query. No query was sent.
    #[error("{0}")]
    Unroutable(#[from] Unroutable),
    /// Names in this domain are never sent to an upstream (RFC 6761, RFC 6762, RFC 7686, RFC 9476).
    #[error("names under `{0}` are never sent to an upstream")]
    SpecialUse(&'static str),
    /// The type, given by its number, is not a type of data: OPT, TKEY, TSIG, IXFR, AXFR, MAILB or MAILA. A resolver
    /// cannot look it up. No query was sent.
    #[error("type {0} cannot be looked up: it is a zone transfer or a part of the protocol")]
    MetaType(u16),
    /// The lookup's deadline passed before an upstream answered.
    #[error("the deadline passed")]
    Deadline,
    /// All attempts failed. The cause is the decisive one.
    #[error("{0}")]
    Upstream(#[source] Cause),
    /// The name has no such record. Only functions that look up addresses or services return this kind: for other
    /// lookups, NXDOMAIN and NODATA are answers.
    #[error("{0}")]
    NotFound(NotFound),
    /// The query allowed only an answer from the cache ([`CacheUse::Only`](crate::CacheUse::Only)), and the cache has
    /// none.
    #[error("not in the cache")]
    NotCached,
    /// A limit of this resolver is reached.
    #[error("overloaded: {0}")]
    Overloaded(Limit),
    /// The resolver was closed before the lookup ended.
    #[error("the resolver is closed")]
    Closed,
}

/// Why no configured upstream may answer a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unroutable {
    /// All upstreams belong to routes, and no route includes the name.
    #[error("no route includes the name, and no upstream is configured for other names")]
    Name,
    /// No upstream for the name uses the [protocol](crate::Protocol) that the query requires.
    #[error("no upstream uses the protocol that the query requires")]
    Protocol,
}

/// Why a name has no address or no service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// The name does not exist (RFC 2308 Section 2.1).
    #[error("the name does not exist (NXDOMAIN)")]
    NxDomain,
    /// The name exists, but has no record of the queried type (RFC 2308 Section 2.2).
    #[error("the name has no record of this type (NODATA)")]
    NoData,
    /// The records state that the name does not have the service: a null MX record (RFC 7505), or the root as the
    /// target of an SRV record (RFC 2782) or of an HTTPS alias (RFC 9460 Section 2.5.1).
    #[error("the name states that it does not have this service")]
    NoService,
}

/// A limit whose overflow ends a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Lookups in flight, over all upstreams.
    #[error("too many lookups in flight")]
    Lookups,
    /// Lookups that wait for capacity on a connection to one upstream.
    #[error("too many lookups waiting for a connection")]
    Waiting,
}

/// The stage that an attempt reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// No query was sent: the same query failed recently, and the failure is cached (RFC 9520).
    Remembered,
    /// Waiting for capacity on a connection, or for a new connection.
    Waiting,
    /// Resolving the upstream's own name.
    Bootstrap,
    /// Connecting to the proxy, or waiting for its reply.
    Proxy,
    /// Connecting over TCP.
    Connect,
    /// In the TLS handshake.
    Tls,
    /// Waiting for the answer to a query that was sent.
    Query,
}

/// A failed attempt of a lookup at one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The upstream's label.
    pub upstream: Arc<str>,
    /// The address, once one was chosen. Behind a proxy this is the upstream's address, or the proxy's address if the
    /// proxy resolves the upstream's name.
    pub address: Option<SocketAddr>,
    /// The stage that the attempt reached.
    pub stage: Stage,
    /// The start of the attempt, counted from the start of the lookup.
    pub started: Duration,
    /// The duration of the attempt.
    pub took: Duration,
    /// Why the attempt failed.
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

    /// The error for an answer that the caller cannot use, from this upstream.
    pub(crate) fn from_upstream(kind: ErrorKind, upstream: Arc<str>) -> Self {
        let mut error = Self::new(kind);
        error.0.upstream = Some(upstream);
        error
    }

    /// The error of a lookup whose attempts failed. The decisive attempt provides upstream, address and stage.
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

    /// The kind of the error.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The label of the upstream that failed.
    pub fn upstream(&self) -> Option<&str> {
        self.0.upstream.as_deref()
    }

    /// The address that failed.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The stage that the decisive attempt reached.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// The failed attempts, in order. Empty if no attempt was made.
    pub fn attempts(&self) -> &[FailedAttempt] {
        &self.0.attempts
    }

    /// The duration of the lookup, if attempts were made.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// Whether the time ran out: [`ErrorKind::Deadline`], or [`Cause::Timeout`] as the decisive cause.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Deadline | ErrorKind::Upstream(Cause::Timeout))
    }

    /// Whether the name has no such record: [`ErrorKind::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.kind, ErrorKind::NotFound(_))
    }

    /// Whether the same lookup may succeed later, with the same configuration.
    ///
    /// A resolver has already tried other upstreams and addresses when it returns an error, so wait before you retry.
    ///
    /// | retryable | not retryable |
    /// |---|---|
    /// | [`Deadline`](ErrorKind::Deadline), [`Overloaded`](ErrorKind::Overloaded) | [`Name`](ErrorKind::Name), [`Config`](ErrorKind::Config), [`Runtime`](ErrorKind::Runtime), [`Unroutable`](ErrorKind::Unroutable), [`SpecialUse`](ErrorKind::SpecialUse), [`MetaType`](ErrorKind::MetaType), [`NotFound`](ErrorKind::NotFound), [`NotCached`](ErrorKind::NotCached), [`Closed`](ErrorKind::Closed) |
    /// | [`Upstream`](ErrorKind::Upstream) with [`Timeout`](Cause::Timeout), [`Connect`](Cause::Connect), [`Proxy`](Cause::Proxy), [`Tls`](Cause::Tls), [`Closed`](Cause::Closed), [`Bootstrap`](Cause::Bootstrap) | [`Upstream`](ErrorKind::Upstream) with [`NoApplicationProtocol`](Cause::NoApplicationProtocol), [`Certificate`](Cause::Certificate), [`ClientCertificate`](Cause::ClientCertificate), [`Protocol`](Cause::Protocol), [`Malformed`](Cause::Malformed) |
    /// | [`Http`](Cause::Http) with status 408, 425, 429 or 5xx (but not 501 and 505), [`StreamReset`](HttpProblem::StreamReset), [`NotProcessed`](HttpProblem::NotProcessed) | [`Http`](Cause::Http) with any other problem |
    /// | [`Rcode`](Cause::Rcode) with SERVFAIL | [`Rcode`](Cause::Rcode) with any other code, such as REFUSED |
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Deadline | ErrorKind::Overloaded(_) => true,
            ErrorKind::Upstream(cause) => cause.is_retryable(),
            ErrorKind::Name(_)
            | ErrorKind::Config(_)
            | ErrorKind::Runtime(_)
            | ErrorKind::Unroutable(_)
            | ErrorKind::SpecialUse(_)
            | ErrorKind::MetaType(_)
            | ErrorKind::NotFound(_)
            | ErrorKind::NotCached
            | ErrorKind::Closed => false,
        }
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
        self.0.kind.source()
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
