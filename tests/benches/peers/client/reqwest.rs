//! reqwest, an HTTP client without support for DNS, which many programs use for DNS over HTTPS.

use std::io;

use http::header::{ACCEPT, CONTENT_TYPE};
use privydns_tests::SERVER_NAME;

use super::floor_query::floor_query;
use super::on_tokio::{Ask, OnTokio};
use super::{Client, Scene};

const DNS_MESSAGE: &str = "application/dns-message";

#[derive(Clone)]
struct Reqwest {
    client: reqwest::Client,
    url: reqwest::Url,
}

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let address = scene.server.http2;
    let url = format!("https://{SERVER_NAME}:{}/dns-query", address.port());
    let url = url.parse().map_err(io::Error::other)?;
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(scene.tls())
        .resolve(SERVER_NAME, address)
        .http2_prior_knowledge();
    OnTokio::start(scene.threads, async || {
        Ok(Reqwest { client: builder.build().map_err(io::Error::other)?, url })
    })
}

impl Ask for Reqwest {
    async fn ask(&self, name: &str) -> bool {
        let mut query = Vec::with_capacity(64);
        floor_query(0, name, &mut query);
        query.drain(..2);
        let request = self.client.post(self.url.clone());
        let request = request.header(ACCEPT, DNS_MESSAGE).header(CONTENT_TYPE, DNS_MESSAGE).body(query);
        let Ok(response) = request.send().await else { return false };
        response.status().is_success() && response.bytes().await.is_ok_and(|body| !body.is_empty())
    }
}
