//! The floor of DNS over HTTPS: the `h2` crate and nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use privydns_tests::SERVER_NAME;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use super::floor_query::floor_query;
use super::on_tokio::{Ask, OnTokio};
use super::{Client, Scene, server_name};

const DNS_MESSAGE: HeaderValue = HeaderValue::from_static("application/dns-message");

/// A connection that is made by the first lookup.
#[derive(Clone)]
struct H2(Arc<Line>);

struct Line {
    address: SocketAddr,
    connector: TlsConnector,
    uri: Uri,
    requests: OnceCell<SendRequest<Bytes>>,
}

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let address = scene.server.http2;
    let uri = format!("https://{SERVER_NAME}:{}/dns-query", address.port());
    let connector = TlsConnector::from(Arc::new(scene.tls()));
    let uri = uri.parse().map_err(io::Error::other)?;
    let line = Line { address, connector, uri, requests: OnceCell::new() };
    OnTokio::start(scene.threads, async || Ok(H2(Arc::new(line))))
}

impl Ask for H2 {
    async fn ask(&self, name: &str) -> bool {
        self.0.exchange(name).await.unwrap_or(false)
    }
}

impl Line {
    async fn connect(&self) -> io::Result<SendRequest<Bytes>> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = self.connector.connect(server_name(), tcp).await?;
        let (requests, connection) = client::handshake(stream).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(requests)
    }

    async fn exchange(&self, name: &str) -> io::Result<bool> {
        let requests = self.requests.get_or_try_init(|| self.connect()).await?.clone();
        let mut requests = requests.ready().await.map_err(io::Error::other)?;
        let mut query = Vec::with_capacity(64);
        floor_query(0, name, &mut query);
        let query = Bytes::from(query).slice(2..);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(ACCEPT, DNS_MESSAGE)
            .header(CONTENT_TYPE, DNS_MESSAGE)
            .header(CONTENT_LENGTH, query.len())
            .body(())
            .map_err(io::Error::other)?;
        let (response, mut body) = requests.send_request(request, false).map_err(io::Error::other)?;
        body.send_data(query, true).map_err(io::Error::other)?;
        let response = response.await.map_err(io::Error::other)?;
        let is_ok = response.status() == StatusCode::OK;
        let mut body = response.into_body();
        let mut length = 0;
        while let Some(data) = body.data().await {
            let data = data.map_err(io::Error::other)?;
            length += data.len();
            body.flow_control().release_capacity(data.len()).map_err(io::Error::other)?;
        }
        Ok(is_ok && length > 0)
    }
}
