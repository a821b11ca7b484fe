//! Protocols, and the choices that DNS over HTTPS has.

use std::fmt;

/// The protocol of an upstream.
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
    /// DNS over HTTPS (RFC 8484), with or without a client certificate.
    Https,
}

/// The version of HTTP for DNS over HTTPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/2 if the server supports it, otherwise HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/2 only (RFC 9113).
    #[cfg_attr(feature = "serde", serde(rename = "2"))]
    Http2,
    /// HTTP/1.1 only (RFC 9112).
    #[cfg_attr(feature = "serde", serde(rename = "1.1"))]
    Http1,
}

/// The HTTP method of DNS over HTTPS (RFC 8484 Section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum HttpMethod {
    /// POST: the query is in the body. The request is smaller than with GET, and logs of URLs do not contain the query.
    #[default]
    Post,
    /// GET: the query is in the URL, so that HTTP caches can answer.
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
