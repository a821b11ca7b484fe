//! The floor of many lookups at once: a task with a TLS stream, and channels to it and back.
//!
//! Every message is a TLS record, as real servers require, and messages that are ready together are written together.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::floor_query::floor_query;

/// What callers leave for the task: a query without an ID, and where the answer goes.
type Order = (Vec<u8>, oneshot::Sender<Vec<u8>>);

/// Taken from the channel at once.
const ORDERS: usize = 1024;

/// A handle to the task, which ends with the last clone.
#[derive(Clone)]
pub(super) struct Multiplexer(mpsc::Sender<Order>);

impl Multiplexer {
    /// Starts the task on the runtime that runs here.
    pub(super) fn start(
        connector: TlsConnector,
        address: SocketAddr,
        server_name: ServerName<'static>,
    ) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        tokio::spawn(run(connector, address, server_name, inbox));
        Self(orders)
    }

    /// Asks for the A record of a name, and says whether an answer came.
    pub(super) async fn lookup(&self, name: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        let mut query = Vec::with_capacity(64);
        floor_query(0, name, &mut query);
        self.0.send((query, answer)).await.is_ok() && answered.await.is_ok()
    }
}

/// Connects when the first order comes.
async fn run(
    connector: TlsConnector,
    address: SocketAddr,
    server_name: ServerName<'static>,
    mut inbox: mpsc::Receiver<Order>,
) -> io::Result<()> {
    let mut orders = Vec::with_capacity(ORDERS);
    if inbox.recv_many(&mut orders, ORDERS).await == 0 {
        return Ok(());
    }
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let mut stream = connector.connect(server_name, tcp).await?;
    stream.get_mut().1.set_buffer_limit(None);
    let (mut id, mut waiting, mut received) = (0_u16, HashMap::new(), Vec::with_capacity(64 * 1024));
    loop {
        write(&mut stream, &mut orders, &mut id, &mut waiting).await?;
        tokio::select! {
            count = inbox.recv_many(&mut orders, ORDERS) => {
                if count == 0 {
                    return stream.shutdown().await;
                }
            }
            count = stream.read_buf(&mut received) => {
                if count? == 0 {
                    return Ok(());
                }
                deliver(&mut received, &mut waiting);
            }
        }
    }
}

async fn write(
    stream: &mut TlsStream<TcpStream>,
    orders: &mut Vec<Order>,
    id: &mut u16,
    waiting: &mut HashMap<u16, oneshot::Sender<Vec<u8>>>,
) -> io::Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    for (mut query, answer) in orders.drain(..) {
        *id = id.wrapping_add(1);
        query[2..4].copy_from_slice(&id.to_be_bytes());
        stream.get_mut().1.writer().write_all(&query)?;
        waiting.insert(*id, answer);
    }
    stream.flush().await
}

/// Hands on what is whole.
fn deliver(received: &mut Vec<u8>, waiting: &mut HashMap<u16, oneshot::Sender<Vec<u8>>>) {
    let mut begin = 0;
    while let [high, low, rest @ ..] = &received[begin..]
        && let Some(message) = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
        && let [high, low, ..] = *message
    {
        if let Some(answer) = waiting.remove(&u16::from_be_bytes([high, low])) {
            // Whoever asked may have left.
            drop(answer.send(message.to_vec()));
        }
        begin += 2 + message.len();
    }
    received.drain(..begin);
}
