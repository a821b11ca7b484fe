//! A connection inside TLS. Reads are by record, and writes can choose the record boundaries.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::connection::ConnectionLog;
use super::tee::Tee;
use crate::observe::{ClientEnd, RecordSeen, keep};
use crate::script::End;

pub(super) struct Secured<'a> {
    tls: TlsStream<&'a mut Tee>,
    log: Arc<ConnectionLog>,
    /// The number of bytes of the last record that have not been taken.
    left: usize,
    client_end: Option<ClientEnd>,
}

impl<'a> Secured<'a> {
    pub(super) fn new(mut tls: TlsStream<&'a mut Tee>, log: Arc<ConnectionLog>) -> Self {
        tls.get_mut().1.set_buffer_limit(None);
        Self { tls, log, left: 0, client_end: None }
    }

    /// The negotiated application protocol.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.tls.get_ref().1.alpn_protocol()
    }

    /// The certificates that the client presented.
    pub(super) fn client_chain(&self) -> &[CertificateDer<'static>] {
        self.tls.get_ref().1.peer_certificates().unwrap_or_default()
    }

    /// Appends the plaintext of one record to `input`. An end of the connection by the client, of any kind, is
    /// an error.
    pub(super) async fn read(&mut self, input: &mut Vec<u8>) -> io::Result<()> {
        let length = std::future::poll_fn(|cx| {
            let record = ready!(self.poll_record(cx))?;
            input.extend(record);
            Poll::Ready(io::Result::Ok(record.len()))
        })
        .await?;
        self.take(length);
        if length == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Whether another record can be read without a system call. If so, the answer can be sent together with
    /// others.
    pub(super) fn has_more(&self) -> bool {
        self.tls.get_ref().0.has_record()
    }

    /// Appends bytes as a record. The next [`flush`](Self::flush) writes them.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.tls
            .get_mut()
            .1
            .writer()
            .write_all(bytes)
            .expect("rustls accepts all bytes if the buffer has no limit");
    }

    /// Writes bytes in pieces, each in a separate record and write.
    pub(super) async fn write(&mut self, bytes: &[u8], piece: usize) -> io::Result<()> {
        for part in bytes.chunks(piece.max(1)) {
            self.queue(part);
            self.tls.flush().await?;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.tls.flush().await
    }

    /// Ends the server's side of the connection.
    pub(super) async fn end(&mut self, end: End) -> io::Result<()> {
        if end == End::CloseNotify {
            self.tls.get_mut().1.send_close_notify();
            self.tls.flush().await?;
        }
        self.tls.get_mut().0.end(end).await
    }

    /// Reads and discards until the client ends the connection, and returns how it did.
    pub(super) async fn drain(&mut self) -> ClientEnd {
        let mut input = Vec::new();
        loop {
            if let Some(end) = self.client_end {
                return end;
            }
            input.clear();
            _ = self.read(&mut input).await;
        }
    }

    /// The rest of the last record, or the next record if no bytes are left.
    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let length = match ready!(Pin::new(&mut self.tls).poll_fill_buf(cx)) {
            Ok(record) => record.len(),
            Err(error) => {
                self.client_end = Some(match error.kind() {
                    io::ErrorKind::UnexpectedEof => ClientEnd::Fin,
                    _ => ClientEnd::Reset,
                });
                return Poll::Ready(Err(error));
            }
        };
        if length == 0 {
            self.client_end = Some(ClientEnd::CloseNotify);
        } else if self.left == 0 {
            let read = self.tls.get_ref().0.last_read();
            self.log.update(|seen| keep(&mut seen.records, || RecordSeen { length, read }));
            self.left = length;
        }
        Pin::new(&mut self.tls).poll_fill_buf(cx)
    }

    fn take(&mut self, length: usize) {
        Pin::new(&mut self.tls).consume(length);
        self.left -= length;
    }
}

impl AsyncRead for Secured<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let record = ready!(self.poll_record(cx))?;
        let length = record.len().min(out.remaining());
        out.put_slice(&record[..length]);
        self.take(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Secured<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
