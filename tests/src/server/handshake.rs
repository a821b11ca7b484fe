//! The part of a connection before application data: faults of TCP, then the TLS handshake.

use std::io;
use std::sync::Arc;

use rustls::{HandshakeKind, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;

use super::connection::Connection;
use super::secured::Secured;
use super::tee::Tee;
use super::tls::Choice;
use crate::observe::{ConnectionSeen, Handshake};
use crate::script::{ConnectionFault, End};

/// Returns the stream inside TLS. The error is the way to end TCP, chosen by the script or after a failed
/// handshake.
pub(super) async fn accept<'a>(tee: &'a mut Tee, connection: &Connection) -> Result<Secured<'a>, End> {
    if let Some(end) = before_tls(tee, &connection.faults).await {
        return Err(end);
    }
    match tls(tee, connection).await {
        Ok(secured) => Ok(secured),
        Err(error) => {
            connection.log.update(|seen| seen.failure = Some(error.to_string()));
            Err(End::Fin)
        }
    }
}

async fn before_tls(tee: &mut Tee, faults: &[ConnectionFault]) -> Option<End> {
    for fault in faults {
        match fault {
            ConnectionFault::Close(end) => return Some(*end),
            ConnectionFault::Silence => {
                tee.drain().await;
                return Some(End::Fin);
            }
            ConnectionFault::Plaintext(bytes) => {
                _ = tee.write_all(bytes).await;
                tee.drain().await;
                return Some(End::Fin);
            }
            ConnectionFault::HandshakeDelay(delay) => tokio::time::sleep(*delay).await,
            ConnectionFault::HandshakeAlert(alert) => {
                _ = tee.read(&mut [0; 1024]).await;
                _ = tee.write_all(&[21, 3, 3, 0, 2, 2, *alert]).await;
                return Some(End::Fin);
            }
            _ => {}
        }
    }
    None
}

async fn tls<'a>(tee: &'a mut Tee, connection: &Connection) -> io::Result<Secured<'a>> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tee).await?;
    connection.log.update(|seen| {
        let hello = start.client_hello();
        seen.server_name = hello.server_name().map(str::to_owned);
        seen.offered = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
    });
    let choice = Choice::new(&connection.shared.setup, &connection.faults);
    let config = connection.shared.tls.config(&choice);
    let stream = start.into_stream(config).await?;
    connection.log.update(|seen| note(seen, stream.get_ref().1));
    Ok(Secured::new(stream, Arc::clone(&connection.log)))
}

fn note(seen: &mut ConnectionSeen, tls: &ServerConnection) {
    seen.protocol = tls.alpn_protocol().map(<[u8]>::to_vec);
    seen.tls_version = tls.protocol_version().map(u16::from);
    seen.handshake = Some(match tls.handshake_kind() {
        Some(HandshakeKind::Resumed) => Handshake::Resumed,
        _ => Handshake::Full,
    });
    seen.client_certificate =
        tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
}
