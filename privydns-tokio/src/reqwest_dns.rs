//! The integration with reqwest: its names are resolved by a resolver of this crate.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::resolver::Resolver;

/// Resolves the names of a reqwest client's requests (feature `reqwest`): pass a clone to
/// [`ClientBuilder::dns_resolver`](reqwest::ClientBuilder::dns_resolver).
///
/// The client connects to the addresses as RFC 8305 describes. An error of the lookup is the last in the chain of the
/// client's error's [`source`](std::error::Error::source)s. If the client uses a proxy, the proxy may receive the name
/// instead.
///
/// ```no_run
/// use privydns_tokio::Resolver;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let resolver = Resolver::builder().upstream("quad9".parse()?).build()?;
/// let client = reqwest::Client::builder().dns_resolver(resolver).build()?;
/// let response = client.get("https://example.com/").send().await?;
/// # Ok(())
/// # }
/// ```
impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.lookup_ip(name.as_str()).await?;
            // Port 0 stands for the port of the URL.
            let ends: Vec<_> = addresses.iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(ends.into_iter()) as Addrs)
        })
    }
}
