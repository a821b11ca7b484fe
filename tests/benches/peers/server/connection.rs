//! TLS over one socket, independent of the protocol. All requests that have arrived are answered in one write, or all
//! requests of a batch.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustls::{HandshakeKind, ServerConfig, ServerConnection};

use super::Server;

/// The number of bytes per read.
const READ: usize = 256 * 1024;

/// A protocol inside TLS.
pub(super) trait Protocol: Default {
    /// Removes complete requests from the front of `input` and answers them with `send`, which makes one TLS
    /// record per call. Returns the number of requests, or `None` for invalid input.
    fn answer(&mut self, input: &mut Vec<u8>, send: &mut dyn FnMut(&[u8])) -> Option<u64>;
}

/// How many answers a connection holds back, so that they are written together.
struct Batch {
    size: u64,
    /// Queries of the connection that have not arrived yet.
    remaining: u64,
    /// Answers that are not written yet.
    held: u64,
}

impl Batch {
    fn new(server: &Server) -> Self {
        let size = server.batch_size.load(Relaxed);
        Self { size, remaining: server.batch_total.load(Relaxed), held: 0 }
    }

    /// Counts answers. Says whether all that are held may be written: the batch is full, no other query will arrive, or
    /// there are no answers.
    fn is_complete(&mut self, answered: u64) -> bool {
        self.remaining = self.remaining.saturating_sub(answered);
        self.held += answered;
        let is_complete = self.held >= self.size || self.held == 0 || self.remaining == 0;
        if is_complete {
            self.held = 0;
        }
        is_complete
    }
}

/// Serves a connection until it ends.
pub(super) fn serve<P: Protocol>(
    server: &Server,
    mut socket: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
    tls.set_buffer_limit(None);
    let mut protocol = P::default();
    let mut is_handshaking = true;
    let (mut received, mut plain, mut sent) = (vec![0; READ], Vec::new(), Vec::new());
    let mut batch = Batch::new(server);
    loop {
        let length = socket.read(&mut received)?;
        let mut rest = &received[..length];
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            let before = plain.len();
            plain.resize(before + state.plaintext_bytes_to_read(), 0);
            tls.reader().read_exact(&mut plain[before..])?;
        }
        if is_handshaking && !tls.is_handshaking() {
            is_handshaking = false;
            let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
            server.resumed.fetch_add(u64::from(resumed), Relaxed);
        }
        if length == 0 {
            tls.send_close_notify();
        } else if !is_handshaking {
            // rustls' buffer has no limit here, so that writing cannot fail.
            let mut send = |bytes: &[u8]| drop(tls.writer().write_all(bytes));
            let answered = protocol.answer(&mut plain, &mut send);
            let answered = answered.ok_or(io::ErrorKind::InvalidData)?;
            server.queries.fetch_add(answered, Relaxed);
            if !batch.is_complete(answered) {
                continue;
            }
        }
        while tls.wants_write() {
            tls.write_tls(&mut sent)?;
        }
        socket.write_all(&sent)?;
        sent.clear();
        if length == 0 {
            return Ok(());
        }
    }
}
