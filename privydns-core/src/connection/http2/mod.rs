//! An HTTP/2 client for DoH, with exactly the parts that DoH needs (RFC 9113).
//!
//! [`Http2`] is the [`Machine`]. Received data is split into frames for the [`connection`], which [receives](receive)
//! and [sends](send) frames. The server may use everything that RFC 9113 allows. A violated rule ends the stream or the
//! connection as the RFC says ([`error`]), and an excess of allowed frames ends the connection by a [limit](limits).

mod block;
mod connection;
mod error;
mod flow;
mod frame;
mod frame_budget;
mod hpack;
mod limits;
mod pacer;
mod receive;
mod request;
mod response;
mod send;
mod settings;
mod streams;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::error::is_not_http2;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::hpack::Decoder as HpackDecoder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::limits::{HEADER_TABLE_SIZE, MAX_HELD};

use self::connection::H2Connection;
use self::error::H2Error;
use self::frame::{HEADER_LENGTH, Header};
use super::receive_buffer::ReceiveBuffer;
use super::{Event, Key, Machine};
use crate::doh::Endpoint;
use crate::error::Cause;
use crate::message::Query;

/// One HTTP/2 connection to a DoH server: a stream for each query, answered in any order.
///
/// Queries are sent as soon as the server allows: at most as many at once as the server's SETTINGS say, and in bursts
/// that servers accept. Until then queries wait in the machine. A query fails with `retry_safe` if the query was not
/// sent, was refused by the server, or is excluded by the server's GOAWAY.
///
/// ```
/// use std::{sync::Arc, time::Instant};
/// use privydns_core::fuzzing::{Endpoint, Http2, Key, Machine};
/// use privydns_core::{Query, RecordType, Upstream};
///
/// let upstream: Upstream = "https://dns.example/dns-query#ip=192.0.2.1".parse()?;
/// let endpoint = Endpoint::of(&upstream).expect("a DoH upstream");
/// let now = Instant::now();
/// let mut connection = Http2::new(now, Arc::new(endpoint));
/// connection.submit(now, Key(1), &Arc::new(Query::new("example.com", RecordType::A)?));
///
/// let (mut preface, mut request) = (Vec::new(), Vec::new());
/// assert!(connection.poll_transmit(now, &mut preface));
/// assert!(preface.starts_with(b"PRI * HTTP/2.0"));
/// assert!(connection.poll_transmit(now, &mut request));
/// assert!(!connection.poll_transmit(now, &mut Vec::new()));
/// # Ok::<(), privydns_core::Error>(())
/// ```
pub struct Http2 {
    input: ReceiveBuffer,
    connection: H2Connection,
}

impl Http2 {
    /// Creates the machine for a connection on which TLS is up. The first transmit, which need not wait for a query, is
    /// the client connection preface.
    pub fn new(_now: Instant, endpoint: Arc<Endpoint>) -> Self {
        Self { input: ReceiveBuffer::default(), connection: H2Connection::new(endpoint) }
    }

    /// Decodes complete frames until one results in an event.
    fn read(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.connection.next_unprocessed() {
                return Some(event);
            }
            let header = Header::parse(*self.input.unread().first_chunk()?);
            let length = HEADER_LENGTH + header.length;
            let outcome = match self.connection.admit(header) {
                Ok(()) if self.input.unread().len() < length => return None,
                Ok(()) => self.connection.handle_frame(header, &self.input.take(length)[HEADER_LENGTH..]),
                Err(error) => Err(error),
            };
            if let Some(event) = outcome.unwrap_or_else(|error| self.handle_error(error)) {
                return Some(event);
            }
        }
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.input.held() + self.connection.held()
    }

    fn handle_error(&mut self, error: H2Error) -> Option<Event> {
        if matches!(error, H2Error::Connection { .. }) {
            // Data after a violation is not decoded.
            self.input.clear();
        }
        self.connection.handle_error(error)
    }
}

impl Machine for Http2 {
    fn capacity(&self) -> usize {
        self.connection.capacity()
    }

    fn in_flight(&self) -> usize {
        self.connection.in_flight()
    }

    fn is_draining(&self) -> bool {
        self.connection.is_draining()
    }

    fn idle_limit(&self) -> Duration {
        limits::IDLE_LIMIT
    }

    fn submit(&mut self, _now: Instant, key: Key, query: &Arc<Query>) {
        self.connection.submit(key, query);
    }

    fn cancel(&mut self, _now: Instant, key: Key) {
        self.connection.cancel(key);
    }

    fn probe(&mut self, _now: Instant) -> bool {
        self.connection.probe()
    }

    fn close(&mut self, _now: Instant) {
        self.connection.close();
    }

    fn handle_input(&mut self, _now: Instant, bytes: &[u8]) {
        if self.connection.phase.is_connected() {
            self.input.push(bytes);
        }
    }

    fn handle_end(&mut self, _now: Instant, cause: Cause) {
        self.connection.end(cause);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.connection.pacer.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        out.clear();
        self.connection.transmit(now, out)
    }

    fn poll_event(&mut self, _now: Instant) -> Option<Event> {
        self.read().or_else(|| self.connection.next_final_event())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.connection.next_timeout()
    }
}

impl fmt::Debug for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Http2").field(&self.connection).finish()
    }
}
