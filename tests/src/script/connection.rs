//! What goes wrong with whole connections.

use std::time::Duration;

use super::End;
use crate::authority::ServerCertificate;
use crate::server::{Alpn, Refusal, TlsVersions};

/// What goes wrong with one connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// TCP is accepted, and ends at once.
    Close(End),
    /// TCP is accepted, and nothing is ever said.
    Silence,
    /// TCP is accepted, and these octets come in place of TLS; then nothing.
    Plaintext(Vec<u8>),
    /// The TLS handshake begins after this long.
    HandshakeDelay(Duration),
    /// The client's first TLS message is answered by a fatal alert of this number (RFC 8446 Section 6).
    HandshakeAlert(u8),
    /// Another certificate than the server's usual one.
    Certificate(ServerCertificate),
    /// Another answer to the application protocols offered.
    Alpn(Alpn),
    /// Other TLS versions.
    Tls(TlsVersions),
    /// The client's certificate is refused in this way, be it as it may; without one, too.
    RefuseClient(Refusal),
    /// The connection ends as soon as TLS is up.
    EndAfterHandshake(End),
    /// The connection ends when it has been idle, with nothing waiting, for this long. Before its first query it is not
    /// idle: however slow the client is, it gets to ask.
    EndWhenIdle(Duration, End),
    /// When it has been idle for this long, HTTP/1.1 sends an unasked `408`, HTTP/2 a GOAWAY; then the connection
    /// ends as it should. Over DoT it just ends.
    FarewellWhenIdle(Duration),
    /// Nothing that comes after the handshake is read: the client's writes stall when the buffers are full.
    Deaf,
    /// Nothing is understood and nothing answered: these steps are taken, then the connection stays as it is.
    Raw(Vec<Step>),
}

/// One step of [`ConnectionFault::Raw`]. Octets are those inside TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Waits until this many octets have come, counted from the connection's beginning.
    AwaitOctets(usize),
    /// Writes octets, in one TLS record as far as they fit.
    Write(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Ends the connection.
    End(End),
}
