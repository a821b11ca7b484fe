//! Upstreams for discovery: a resolver at an address, and the resolvers that it designates (RFC 9462).

use std::net::IpAddr;

use super::{Identity, Template, Upstream, parse};

impl Upstream {
    /// DNS over TLS to an address. The certificate must be for the address.
    pub(crate) fn at(address: IpAddr) -> Self {
        let unnamed = Self::new(parse::Scheme::Tls, parse::Host::Address(address));
        Self { identity: Identity::Address(address.into()), ..unnamed }.relabelled()
    }

    /// The same server with a required certificate for its address, in addition to pins. `None` if the upstream has a
    /// name.
    pub(crate) fn proven_by_address(mut self) -> Option<Self> {
        self.identity = match self.identity {
            Identity::Name(_) => return None,
            Identity::Address(address) | Identity::Unnamed(address) => Identity::Address(address),
        };
        Some(self.relabelled())
    }

    /// A server at `addresses` that this server designates. The designated server must have a certificate for this
    /// server's identity (RFC 9462 Section 4.2), with the same roots and hashes, and is reached through the same proxy.
    /// With a template, the protocol is DNS over HTTPS. Pins and the client certificate are not copied, because pins are
    /// for this server's key and the certificate is shown to this server only.
    ///
    /// `None` without an address, and for port 0 and port 53.
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
