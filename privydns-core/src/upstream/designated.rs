//! Upstreams that another one's server names in its own place (RFC 9462).

use std::net::IpAddr;

use super::{Identity, Template, Upstream, parse};

impl Upstream {
    /// DNS over TLS to an address, which the certificate has to be for.
    pub(crate) fn at(address: IpAddr) -> Self {
        let unnamed = Self::new(parse::Scheme::Tls, parse::Host::Address(address));
        Self { identity: Identity::Address(address.into()), ..unnamed }.relabelled()
    }

    /// The same server, which has to prove its address by certificate, so that pins do not suffice. `None` where
    /// it has a name to prove.
    pub(crate) fn proven_by_address(mut self) -> Option<Self> {
        self.identity = match self.identity {
            Identity::Name(_) => return None,
            Identity::Address(address) | Identity::Unnamed(address) => Identity::Address(address),
        };
        Some(self.relabelled())
    }

    /// A server at one of these addresses that stands for this one: it has to prove to be this one (RFC 9462
    /// Section 4.2), to the same roots and by a path with the same hashes, and is reached by the same proxy. With a
    /// template it is asked over HTTPS. Pins and the client's certificate stay behind: they are for this server's key
    /// and for its eyes.
    ///
    /// `None` without an address, and for a port that cannot be one of encrypted DNS.
    pub(crate) fn designated(
        &self,
        template: Option<Template>,
        port: Option<u16>,
        addresses: &[IpAddr],
    ) -> Option<Self> {
        let scheme = if template.is_some() { parse::Scheme::Https } else { parse::Scheme::Tls };
        let mut upstream = Self {
            identity: self.identity.clone(),
            tls: self.tls.for_designated(),
            proxy: self.proxy.clone(),
            ..Self::new(scheme, parse::Host::Address(*addresses.first()?))
        };
        for address in addresses {
            upstream.add_address(*address);
        }
        if let (Some(http), Some(template)) = (&mut upstream.http, template) {
            http.template = template;
        }
        if let Some(port) = port {
            upstream.port = parse::checked_port(port).ok()?;
        }
        Some(upstream.relabelled())
    }
}
