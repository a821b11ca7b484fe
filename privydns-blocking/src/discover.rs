//! Discovery of designated resolvers, with a resolver of its own.

use privydns_core::{Discovery, Error, Upstream};

use crate::Resolver;

/// Asks the resolver at an address, over TLS, for its encrypted resolvers (DDR, RFC 9462). The result is in the
/// resolver's order of preference and may be empty.
///
/// Each returned upstream has to prove on every connection that it is designated by that address: see [`Discovery`].
/// Usually one lookup is enough.
///
/// ```no_run
/// use std::net::IpAddr;
///
/// use privydns_blocking::{Resolver, discover};
///
/// # fn run() -> Result<(), privydns_blocking::Error> {
/// let upstreams = discover(IpAddr::from([9, 9, 9, 9]))?;
/// let resolver = Resolver::builder().upstreams(upstreams).build()?;
/// # Ok(())
/// # }
/// ```
///
/// For private root certificates, another port, or a proxy, pass an [`Upstream`] that is known by its address:
///
/// ```no_run
/// use privydns_blocking::{Roots, Upstream, discover};
///
/// # fn run(pem: &[u8]) -> Result<(), privydns_blocking::Error> {
/// let gateway = Upstream::tls("192.0.2.1:8853")?.roots(Roots::from_pem(pem)?);
/// let upstreams = discover(gateway)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of a lookup; or [`ErrorKind::Config`](crate::ErrorKind::Config) for an upstream that has a name.
pub fn discover<D>(resolver: D) -> Result<Vec<Upstream>, Error>
where
    D: TryInto<Discovery>,
    Error: From<D::Error>,
{
    let mut discovery = resolver.try_into()?;
    let resolver = Resolver::builder().upstream(discovery.upstream().clone()).build()?;
    while let Some(query) = discovery.next_query() {
        let result = resolver.query(query);
        discovery.handle_result(result)?;
    }
    Ok(discovery.finish())
}
