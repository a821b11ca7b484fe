//! One way to speak to a server.

use std::fmt;

use privydns_core::{HttpMethod, HttpVersion, Spoken, Upstream};
use privydns_tests::ClientCertificate;

use crate::instance::{Instance, Lab};
use crate::kinds::{Door, Speaks};

/// A door, and what is spoken through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) door: &'static Door,
    /// `None` for DNS over TLS.
    pub(crate) http: Option<(HttpVersion, HttpMethod)>,
}

impl Line {
    /// Every line to a server.
    pub(crate) fn all(instance: &Instance) -> Vec<Self> {
        let mut lines = Vec::new();
        for door in instance.doors() {
            match door.speaks {
                Speaks::Dot => lines.push(Self { door, http: None }),
                Speaks::Http(versions) => {
                    for version in versions {
                        for method in [HttpMethod::Post, HttpMethod::Get] {
                            lines.push(Self { door, http: Some((*version, method)) });
                        }
                    }
                }
            }
        }
        lines
    }

    /// The upstream, with a good client certificate where one is asked for.
    pub(crate) fn upstream(&self, lab: &Lab, instance: &Instance) -> Upstream {
        let upstream = self.upstream_without_certificate(instance);
        if !self.door.is_mutual {
            return upstream;
        }
        upstream.client_certificate(lab.client(ClientCertificate::Good))
    }

    /// The upstream, without a client certificate.
    pub(crate) fn upstream_without_certificate(&self, instance: &Instance) -> Upstream {
        let upstream = instance.upstream(self.door);
        match self.http {
            Some((version, method)) => upstream.http_version(version).http_method(method),
            None => upstream,
        }
    }

    pub(crate) fn spoken(&self) -> Spoken {
        match self.http {
            None if self.door.is_mutual => Spoken::MutualTls,
            None => Spoken::Tls,
            Some((HttpVersion::Http1, _)) => Spoken::Http1,
            Some(_) => Spoken::Http2,
        }
    }

    /// What is spoken, but not by which method.
    pub(crate) fn protocol(&self) -> &'static str {
        match (self.spoken(), self.door.is_mutual) {
            (Spoken::Http2, false) => "DoH/2",
            (Spoken::Http2, true) => "DoH/2, mutual",
            (Spoken::Http1, false) => "DoH/1.1",
            (Spoken::Http1, true) => "DoH/1.1, mutual",
            (_, false) => "DoT",
            (_, true) => "DoT, mutual",
        }
    }

    /// Whether this is the way in which the door is mostly used.
    pub(crate) fn is_main(&self) -> bool {
        self.http.is_none_or(|(_, method)| method == HttpMethod::Post)
    }

    /// Whether a connection carries one query at a time.
    pub(crate) fn is_serial(&self) -> bool {
        self.spoken() == Spoken::Http1
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
