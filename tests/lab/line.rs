//! A combination of endpoint and protocol.

use std::fmt;

use privydns_core::{HttpMethod, HttpVersion, Transport, Upstream};
use privydns_tests::ClientCertificate;

use crate::instance::{Instance, Lab};
use crate::servers::{Endpoint, Speaks};

/// An endpoint of a server, with the HTTP version and method to use. Each line has a row in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) endpoint: &'static Endpoint,
    /// The HTTP version and method; `None` for DNS over TLS.
    pub(crate) http: Option<(HttpVersion, HttpMethod)>,
}

impl Line {
    /// All lines to a server.
    pub(crate) fn all(instance: &Instance) -> Vec<Self> {
        let mut lines = Vec::new();
        for endpoint in instance.endpoints() {
            match endpoint.speaks {
                Speaks::Dot => lines.push(Self { endpoint, http: None }),
                Speaks::Http(versions) => {
                    for version in versions {
                        for method in [HttpMethod::Post, HttpMethod::Get] {
                            lines.push(Self { endpoint, http: Some((*version, method)) });
                        }
                    }
                }
            }
        }
        lines
    }

    /// The upstream, with a valid client certificate if the endpoint requires one.
    pub(crate) fn upstream(&self, lab: &Lab, instance: &Instance) -> Upstream {
        let upstream = self.upstream_without_certificate(instance);
        if !self.endpoint.is_mutual {
            return upstream;
        }
        upstream.client_certificate(lab.client(ClientCertificate::Good))
    }

    /// The upstream, without a client certificate.
    pub(crate) fn upstream_without_certificate(&self, instance: &Instance) -> Upstream {
        let upstream = instance.upstream(self.endpoint);
        match self.http {
            Some((version, method)) => upstream.with_http_version(version).with_http_method(method),
            None => upstream,
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        match self.http {
            None if self.endpoint.is_mutual => Transport::MutualTls,
            None => Transport::Tls,
            Some((HttpVersion::Http1, _)) => Transport::Http1,
            Some(_) => Transport::Http2,
        }
    }

    /// The name of the protocol, without the HTTP method.
    pub(crate) fn protocol(&self) -> &'static str {
        match (self.transport(), self.endpoint.is_mutual) {
            (Transport::Http2, false) => "DoH/2",
            (Transport::Http2, true) => "DoH/2, mutual",
            (Transport::Http1, false) => "DoH/1.1",
            (Transport::Http1, true) => "DoH/1.1, mutual",
            (_, false) => "DoT",
            (_, true) => "DoT, mutual",
        }
    }

    /// Whether the line is the usual way to use the endpoint: DoT, or DoH with POST.
    pub(crate) fn is_main(&self) -> bool {
        self.http.is_none_or(|(_, method)| method == HttpMethod::Post)
    }

    /// Whether a connection carries one query at a time.
    pub(crate) fn is_serial(&self) -> bool {
        self.transport() == Transport::Http1
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol())?;
        match self.http {
            Some((_, HttpMethod::Get)) => f.write_str(", GET"),
            _ => Ok(()),
        }
    }
}
