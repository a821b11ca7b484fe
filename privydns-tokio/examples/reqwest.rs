//! Fetches a page with reqwest by a name that only the encrypted resolver knows: `cargo run -p privydns-tokio
//! --features reqwest --example reqwest`. The resolver and the website run on loopback inside the example.

use std::error::Error;

use privydns_tests::{Server, Website};
use privydns_tokio::{Resolver, Roots, Upstream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", fetch("good morning").await?);
    Ok(())
}

/// Serves a page, and fetches it.
async fn fetch(page: &str) -> Result<String, Box<dyn Error>> {
    let website = Website::start(page);
    let server = Server::dot().zone(website.zone()).start();
    let root = server.authority().root_pem();

    let upstream = server.upstream().parse::<Upstream>()?.roots(Roots::from_pem(root.as_bytes())?);
    let resolver = Resolver::builder().upstream(upstream).build()?;
    let client = reqwest::Client::builder()
        .dns_resolver(resolver)
        .tls_certs_only([reqwest::Certificate::from_pem(root.as_bytes())?])
        // A proxy from the environment would resolve the name itself.
        .no_proxy()
        .build()?;
    Ok(client.get(website.url()).send().await?.error_for_status()?.text().await?)
}

#[tokio::test]
async fn a_page_is_fetched_by_a_name_that_only_the_encrypted_resolver_knows() {
    assert_eq!(fetch("a page").await.expect("the page"), "a page");
}
