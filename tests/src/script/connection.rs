//! Faults of whole connections.

use std::time::Duration;

use super::End;
use crate::authority::ServerCertificate;
use crate::server::{Alpn, Refusal, TlsVersions};

/// A fault of one connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// TCP is accepted and ended at once.
    Close(End),
    /// TCP is accepted, and the server never sends anything.
    Silence,
    /// TCP is accepted, and the server sends these bytes in place of TLS, then stays silent.
    Plaintext(Vec<u8>),
    /// The server delays the TLS handshake by this long.
    HandshakeDelay(Duration),
    /// The server answers the client's first TLS message with a fatal alert of this number (RFC 8446 Section
    /// 6).
    HandshakeAlert(u8),
    /// The server presents this certificate instead of the configured one.
    Certificate(ServerCertificate),
    /// The server handles ALPN in this way instead of the configured one.
    Alpn(Alpn),
    /// The server supports these TLS versions instead of the configured ones.
    Tls(TlsVersions),
    /// The server refuses the client in this way, with or without a certificate, valid or not.
    RefuseClient(Refusal),
    /// The connection ends as soon as the TLS handshake is complete.
    EndAfterHandshake(End),
    /// The connection ends after it has been idle, with no query waiting, for this long. A connection is not
    /// idle before the first query, so that a slow client can send one.
    EndWhenIdle(Duration, End),
    /// After this long without a query, the server announces the end: HTTP/1.1 with an unsolicited `408`
    /// response, HTTP/2 with a GOAWAY frame, DoT without an announcement. Then the server ends the connection
    /// with `close_notify`.
    FarewellWhenIdle(Duration),
    /// The server does not read after the handshake. The client's writes stall when the buffers are full.
    Deaf,
    /// The server does not parse or answer queries. It performs these steps and then leaves the connection
    /// open.
    Raw(Vec<Step>),
}

/// A step of [`ConnectionFault::Raw`]. All bytes are TLS plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Waits until this many bytes have been received since the handshake.
    AwaitBytes(usize),
    /// Writes bytes, in one TLS record if they fit.
    Write(Vec<u8>),
    /// Waits for this long.
    Pause(Duration),
    /// Ends the connection.
    End(End),
}
