//! The layer under TLS: a TCP stream that counts its reads and passes TLS records up one at a time.
//!
//! Because only one record is passed up at a time, the layer above TLS reads the plaintext of exactly one
//! record and can log the client's record boundaries.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::connection::ConnectionLog;
use crate::observe::{ClientEnd, keep};
use crate::script::End;

/// The length of a TLS record header in bytes (RFC 8446 Section 5.1).
const RECORD_HEADER: usize = 5;

/// The maximum number of bytes per read.
const BUFFER: usize = 64 * 1024;

pub(super) struct Tee {
    tcp: TcpStream,
    log: Arc<ConnectionLog>,
    buffer: Box<[u8]>,
    /// The range of the buffer that has been read from TCP but not passed up.
    start: usize,
    end: usize,
    /// The number of bytes of the current record, including its header, that have not been passed up.
    left: usize,
    reads: usize,
    is_over: bool,
}

impl Tee {
    pub(super) fn new(tcp: TcpStream, log: Arc<ConnectionLog>) -> Self {
        Self { tcp, log, buffer: vec![0; BUFFER].into(), start: 0, end: 0, left: 0, reads: 0, is_over: false }
    }

    /// The index of the read that returned the bytes passed up last.
    pub(super) fn last_read(&self) -> usize {
        self.reads.saturating_sub(1)
    }

    /// Whether a complete record has been read from TCP but not passed up.
    pub(super) fn has_record(&self) -> bool {
        let buffered = &self.buffer[self.start..self.end];
        self.left == 0
            && buffered.first_chunk::<RECORD_HEADER>().is_some_and(|header| {
                let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
                buffered.len() >= RECORD_HEADER + length
            })
    }

    /// Ends the server's side of TCP. For `CloseNotify`, the TLS layer has already sent the alert if it could.
    pub(super) async fn end(&mut self, end: End) -> io::Result<()> {
        match end {
            End::Reset => self.tcp.set_zero_linger(),
            End::BadRecord => {
                self.tcp.write_all(&[23, 3, 3, 0, 24]).await?;
                self.tcp.write_all(&[0x5a; 24]).await?;
                self.tcp.shutdown().await
            }
            End::CloseNotify | End::Fin => self.tcp.shutdown().await,
        }
    }

    /// Reads and discards until the client ends the connection. If the server closed earlier, the kernel would send a
    /// reset, and the client could lose the bytes that were written last.
    pub(super) async fn drain(&mut self) -> ClientEnd {
        loop {
            match self.tcp.read(&mut self.buffer).await {
                Ok(0) => return ClientEnd::Fin,
                Ok(_) => {}
                Err(_) => return ClientEnd::Reset,
            }
        }
    }

    /// The number of bytes that can be passed up, at most to the end of the current record.
    fn available(&mut self) -> usize {
        let buffered = &self.buffer[self.start..self.end];
        if self.left == 0 {
            if let Some(header) = buffered.first_chunk::<RECORD_HEADER>() {
                self.left = RECORD_HEADER + usize::from(u16::from_be_bytes([header[3], header[4]]));
            } else if self.is_over {
                return buffered.len();
            }
        }
        self.left.min(buffered.len())
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let mut space = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut space))?;
        let length = space.filled().len();
        self.end += length;
        self.is_over = length == 0;
        if length > 0 {
            self.reads += 1;
            self.log.update(|seen| keep(&mut seen.reads, || length));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Tee {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let length = this.available().min(out.remaining());
            if length > 0 || this.is_over {
                out.put_slice(&this.buffer[this.start..this.start + length]);
                this.start += length;
                this.left = this.left.saturating_sub(length);
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_fill(cx))?;
        }
    }
}

impl AsyncWrite for Tee {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
