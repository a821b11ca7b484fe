//! The target of DoH requests, and how a request contains a query.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::message::{self, Carrier, Query};
use crate::upstream::{HttpMethod, Upstream};

/// A DoH resource: the parts that all requests to it have in common.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: Box<str>,
    method: HttpMethod,
    /// Over GET, everything before the encoded query, as in `/dns-query?dns=`. Over POST, the whole path.
    path: Box<str>,
}

/// Encodes the query for a request. The ID is 0, so that equal queries produce equal requests (RFC 8484
/// Section 4.1).
pub(crate) fn encode_query(query: &Query, out: &mut Vec<u8>) {
    message::encode(query, 0, Carrier::Http, out);
}

impl Endpoint {
    /// The resource of an upstream, or `None` if the upstream does not use DNS over HTTPS.
    ///
    /// ```
    /// use privydns_core::{Upstream, fuzzing::Endpoint};
    ///
    /// let upstream: Upstream = "https://dns.example/dns-query{?dns}#ip=192.0.2.1".parse()?;
    /// assert!(Endpoint::of(&upstream).is_some());
    /// # Ok::<(), privydns_core::Error>(())
    /// ```
    pub fn of(upstream: &Upstream) -> Option<Self> {
        let method = upstream.http_method();
        let template = upstream.template()?;
        // The template is expanded without variables for POST (RFC 8484 Section 4.1), and with `dns` for GET.
        let mut path = template.path_and_query().to_owned();
        if method == HttpMethod::Get {
            path.push(template.separator());
            path.push_str("dns=");
        }
        Some(Self { authority: upstream.authority().into(), method, path: path.into() })
    }

    /// The value of `Host` and `:authority`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The request method.
    pub(crate) fn method(&self) -> HttpMethod {
        self.method
    }

    /// Appends the request's path. Over GET, the path contains `message`, made by [`encode_query`].
    pub(crate) fn append_path(&self, message: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.path.as_bytes());
        if self.method == HttpMethod::Get {
            let start = out.len();
            out.resize(start + BASE64URL_NOPAD.encode_len(message.len()), 0);
            BASE64URL_NOPAD.encode_mut(message, &mut out[start..]);
        }
    }

    /// The request's body: `message` over POST, `None` over GET.
    pub(crate) fn body<'a>(&self, message: &'a [u8]) -> Option<&'a [u8]> {
        (self.method == HttpMethod::Post).then_some(message)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?} https://{}{})", self.method, self.authority, self.path)
    }
}
