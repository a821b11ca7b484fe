//! The floor of many lookups at once, as a client of the comparison.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;

use super::multiplexer::Multiplexer;
use super::on_tokio::{Ask, OnTokio};
use super::{Client, Scene, server_name};

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let connector = TlsConnector::from(Arc::new(scene.tls()));
    let address = scene.server.dot;
    OnTokio::start(scene.threads, async || Ok(Multiplexer::start(connector, address, server_name())))
}

impl Ask for Multiplexer {
    async fn ask(&self, name: &str) -> bool {
        self.lookup(name).await
    }
}
