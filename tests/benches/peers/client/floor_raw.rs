//! The floor of lookups one by one: a TLS stream and nothing else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::floor_query::floor_query;
use super::on_tokio::{Ask, OnTokio};
use super::{Client, Scene, server_name};

/// A connection that is made by the first lookup.
#[derive(Clone)]
struct Raw(Arc<Line>);

struct Line {
    address: std::net::SocketAddr,
    connector: TlsConnector,
    id: AtomicU16,
    stream: Mutex<Option<(TlsStream<TcpStream>, Vec<u8>)>>,
}

pub(super) fn start(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let connector = TlsConnector::from(Arc::new(scene.tls()));
    let line = Line { address: scene.server.dot, connector, id: AtomicU16::new(0), stream: Mutex::new(None) };
    OnTokio::start(scene.threads, async || Ok(Raw(Arc::new(line))))
}

impl Ask for Raw {
    async fn ask(&self, name: &str) -> bool {
        self.0.exchange(name).await.unwrap_or(false)
    }
}

impl Line {
    async fn exchange(&self, name: &str) -> io::Result<bool> {
        let mut kept = self.stream.lock().await;
        if kept.is_none() {
            let tcp = TcpStream::connect(self.address).await?;
            tcp.set_nodelay(true)?;
            *kept = Some((self.connector.connect(server_name(), tcp).await?, Vec::new()));
        }
        let Some((stream, message)) = &mut *kept else { return Ok(false) };
        let id = self.id.fetch_add(1, Relaxed);
        floor_query(id, name, message);
        stream.write_all(message).await?;
        stream.flush().await?;
        let length = stream.read_u16().await?;
        message.resize(usize::from(length), 0);
        stream.read_exact(message).await?;
        Ok(message.starts_with(&id.to_be_bytes()))
    }
}
