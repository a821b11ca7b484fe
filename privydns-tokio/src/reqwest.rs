//! The door to reqwest: its names looked up by a resolver of ours.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::resolver::Resolver;

/// Looks up the names of a reqwest client's requests, with the feature `reqwest`: hand a clone to
/// [`ClientBuilder::dns_resolver`](reqwest::ClientBuilder::dns_resolver).
///
/// The client connects to the addresses as RFC 8305 has it. An error of the lookup is at the end of its error's
/// [`source`](std::error::Error::source)s. A proxy that the client is told to use may be sent the name instead.
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
            // Port 0 stands for the one of the URL.
            let ends: Vec<_> = addresses.iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(ends.into_iter()) as Addrs)
        })
    }
}
