//! Under TLS: the TCP stream, which counts its reads and hands TLS records up one by one.
//!
//! Handing up one record at a time is what lets the layer above TLS see the client's records as they were
//! made: it reads the plaintext of exactly one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::connection::ConnectionLog;
use crate::observe::{ClientEnd, keep};
use crate::script::End;

/// The octets of a TLS record's header (RFC 8446 Section 5.1).
const RECORD_HEADER: usize = 5;

/// As much as one read takes in.
const BUFFER: usize = 64 * 1024;

pub(super) struct Tee {
    tcp: TcpStream,
    log: Arc<ConnectionLog>,
    buffer: Box<[u8]>,
    /// What of the buffer was read from TCP and not handed up.
    start: usize,
    end: usize,
    /// What of the current record, its header included, was not handed up.
    left: usize,
    reads: usize,
    is_over: bool,
}

impl Tee {
    pub(super) fn new(tcp: TcpStream, log: Arc<ConnectionLog>) -> Self {
        Self { tcp, log, buffer: vec![0; BUFFER].into(), start: 0, end: 0, left: 0, reads: 0, is_over: false }
    }

    /// The place, among all reads, of the read that brought what was handed up last.
    pub(super) fn last_read(&self) -> usize {
        self.reads.saturating_sub(1)
    }

    /// Whether a whole record is here, read from TCP and not handed up.
    pub(super) fn has_record(&self) -> bool {
        let buffered = &self.buffer[self.start..self.end];
        self.left == 0
            && buffered.first_chunk::<RECORD_HEADER>().is_some_and(|header| {
                let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
                buffered.len() >= RECORD_HEADER + length
            })
    }

    /// Ends the server's side in the way of TCP. `CloseNotify` has been said by then where it could be.
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

    /// Reads and forgets, until the client ends its side: closing earlier would make the kernel send a reset,
    /// and take with it what was written last.
    pub(super) async fn drain(&mut self) -> ClientEnd {
        loop {
            match self.tcp.read(&mut self.buffer).await {
                Ok(0) => return ClientEnd::Fin,
                Ok(_) => {}
                Err(_) => return ClientEnd::Reset,
            }
        }
    }

    /// How many octets can be handed up: none past the end of the current record.
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
