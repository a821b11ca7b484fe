//! How a server is spoken to.

use std::fmt;

/// How an upstream is spoken to.
///
/// ```
/// use privydns_core::{Protocol, Upstream};
///
/// assert_eq!(Upstream::https("dns.quad9.net")?.protocol(), Protocol::Https);
/// assert_eq!(Protocol::MutualTls.to_string(), "mtls");
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over TLS with a client certificate.
    MutualTls,
    /// DNS over HTTPS (RFC 8484), with a client certificate or without.
    Https,
}

/// Which version of HTTP a DoH upstream is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/2 where the server has it, otherwise HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/2 alone (RFC 9113).
    #[cfg_attr(feature = "serde", serde(rename = "2"))]
    Http2,
    /// HTTP/1.1 alone (RFC 9112).
    #[cfg_attr(feature = "serde", serde(rename = "1.1"))]
    Http1,
}

/// How a DoH query is sent (RFC 8484 Section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum HttpMethod {
    /// In the body. Smaller, and never in a log of requested URLs.
    #[default]
    Post,
    /// In the URL, so that HTTP caches on the way can answer.
    Get,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Protocol::Tls => "tls",
            Protocol::MutualTls => "mtls",
            Protocol::Https => "https",
        })
    }
}
