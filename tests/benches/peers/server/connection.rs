//! TLS over one socket, around a protocol: all that has arrived is answered with one write.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustls::{HandshakeKind, ServerConfig, ServerConnection};

use super::Server;

/// As much as is read with one system call.
const READ: usize = 256 * 1024;

/// What is spoken inside TLS.
pub(super) trait Protocol: Default {
    /// Takes what there is of whole requests from the front of `input` and answers them with `send`, a TLS record a call.
    /// Says how many they were; none for what cannot be understood.
    fn answer(&mut self, input: &mut Vec<u8>, send: &mut dyn FnMut(&[u8])) -> Option<u64>;
}

/// Serves a connection to its end.
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
            // rustls' own buffer has no limit here, and cannot fail.
            let mut send = |octets: &[u8]| drop(tls.writer().write_all(octets));
            let answered = protocol.answer(&mut plain, &mut send);
            server.queries.fetch_add(answered.ok_or(io::ErrorKind::InvalidData)?, Relaxed);
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
