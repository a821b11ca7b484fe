//! Fetches a page with ureq by a name that only the encrypted resolver knows: `cargo run -p privydns-blocking --example
//! ureq`. The resolver and the website run on loopback inside the example.
//!
//! The integration is an example and not part of the crate, because ureq's resolver trait may change with any version
//! of ureq: copy `Encrypted` into your program.

use std::error::Error;
use std::net::SocketAddr;

use privydns_blocking::{Resolver, Roots, Upstream, crypto_provider};
use privydns_tests::{Server, Website};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{self, ResolvedSocketAddrs};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// The capacity of [`ResolvedSocketAddrs`].
const MAX_ADDRESSES: usize = 16;

/// The resolver that ureq asks for addresses.
#[derive(Debug)]
struct Encrypted(Resolver);

impl resolver::Resolver for Encrypted {
    /// The resolver's own timeout limits the lookup.
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = self.0.lookup_ip(host).map_err(|error| ureq::Error::Other(error.into()))?;
        let ends = addresses.iter().map(|address| SocketAddr::new(address, port));

        let mut resolved = self.empty();
        config.ip_family().keep_wanted(ends).take(MAX_ADDRESSES).for_each(|end| resolved.push(end));
        if resolved.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(resolved) }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", fetch("good morning")?);
    Ok(())
}

/// Serves a page, and fetches it.
fn fetch(page: &str) -> Result<String, Box<dyn Error>> {
    let website = Website::start(page);
    let server = Server::dot().zone(website.zone()).start();
    let root = server.authority().root_pem();

    let upstream = server.upstream().parse::<Upstream>()?.roots(Roots::from_pem(root.as_bytes())?);
    let resolver = Resolver::builder().upstream(upstream).build()?;
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[Certificate::from_pem(root.as_bytes())?]))
        .unversioned_rustls_crypto_provider(crypto_provider())
        .build();
    // A proxy from the environment would resolve the name itself.
    let config = Agent::config_builder().tls_config(tls).proxy(None).build();
    let agent = Agent::with_parts(config, DefaultConnector::new(), Encrypted(resolver));
    Ok(agent.get(website.url()).call()?.body_mut().read_to_string()?)
}

#[test]
fn a_page_is_fetched_by_a_name_that_only_the_encrypted_resolver_knows() {
    assert_eq!(fetch("a page").expect("the page"), "a page");
}
