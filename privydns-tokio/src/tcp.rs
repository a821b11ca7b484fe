//! Connecting to a server, up to the start of TLS.

use std::io;

use privydns_core::Cause;
use privydns_core::engine::Target;
use tokio::io::Interest;
use tokio::net::TcpStream;

pub(crate) type TcpResult = Result<(TcpStream, Target), Cause>;

/// Opens the TCP connection, and the tunnel through the proxy if there is one.
pub(crate) async fn open_tcp(target: Target) -> TcpResult {
    let failed = |error: io::Error| target.cause_of(error);
    let tcp = TcpStream::connect(target.address).await.map_err(failed)?;
    // Nagle's algorithm would hold a query back until the previous one is acknowledged.
    tcp.set_nodelay(true).map_err(failed)?;
    if let Some(mut tunnel) = target.tunnel.clone() {
        let (mut message, mut buffer) = (Vec::new(), [0; 512]);
        while !tunnel.is_open() {
            if tunnel.poll_transmit(&mut message) {
                write_all(&tcp, &message).await.map_err(failed)?;
            } else {
                let read = tcp.async_io(Interest::READABLE, || tcp.try_read(&mut buffer)).await;
                tunnel.handle_input(&buffer[..read.map_err(failed)?])?;
            }
        }
    }
    Ok((tcp, target))
}

async fn write_all(tcp: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = tcp.async_io(Interest::WRITABLE, || tcp.try_write(bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
