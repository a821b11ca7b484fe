//! Scripts: the faults of a server, and when they occur.
//!
//! A [`Script`] is a list of rules. Each rule has a condition (a count or a name) and a fault. All rules that
//! match a query apply, in the order in which they were added: a delay and a wrong ID make a late answer with a
//! wrong ID. Queries that match no rule get a correct answer.
//!
//! Counts start at 1 when the server starts, and again with each
//! [`Server::set_script`](crate::Server::set_script).
//!
//! ```
//! use std::time::Duration;
//! use privydns_tests::{ConnectionFault, End, MessageFault, QueryFault, Script, When};
//!
//! let script = Script::new()
//!     // The first connection is reset as soon as TCP is up; later ones work.
//!     .on_connection(1, ConnectionFault::Close(End::Reset))
//!     // The first 49 queries wait for `Server::release`; the 50th closes the connection.
//!     .on_query(1..=49, QueryFault::Hold)
//!     .on_query(50, QueryFault::EndBefore(End::CloseNotify))
//!     // Every answer about this name comes late, and the second one has a wrong ID, too.
//!     .on_query("slow.example.test.", QueryFault::Delay(Duration::from_millis(20)))
//!     .on_query(When::named("slow.example.test.").turns(2), MessageFault::WrongId);
//! # let _ = script;
//! ```

mod active;
mod connection;
mod http;
mod http2;
mod message;
mod when;

use std::time::Duration;

pub(crate) use active::Active;
pub use connection::{ConnectionFault, Step};
pub use http::{Http1Fault, HttpFault, Response};
pub use http2::{Http2Fault, LastStream, Moment};
pub use message::MessageFault;
pub use when::{Turns, When};

/// Rules for faults. A server with an empty script has no faults.
#[derive(Clone, Debug, Default)]
pub struct Script {
    connections: Vec<(Turns, ConnectionFault)>,
    queries: Vec<(When, QueryFault)>,
}

impl Script {
    /// An empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault of whole connections: `1` is the first connection, `2..=4` are the next three, `..` is
    /// every connection.
    pub fn on_connection(mut self, turns: impl Into<Turns>, fault: ConnectionFault) -> Self {
        self.connections.push((turns.into(), fault));
        self
    }

    /// Adds a fault of single queries, which are selected by count (as connections are), by name, or by a
    /// [`When`].
    pub fn on_query(mut self, when: impl Into<When>, fault: impl Into<QueryFault>) -> Self {
        self.queries.push((when.into(), fault.into()));
        self
    }
}

/// A fault of one query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QueryFault {
    /// The answer is delayed by this long. Other queries are not delayed, except over HTTP/1.1.
    Delay(Duration),
    /// The answer is held until [`Server::release`](crate::Server::release) is called.
    Hold,
    /// The answer is never sent.
    Silent,
    /// The connection ends before the answer is sent.
    EndBefore(End),
    /// The connection ends after the answer has been written.
    EndAfter(End),
    /// The answer is held until this many answers of the connection are held. Then all are sent in reverse
    /// order. Over HTTP/1.1, where responses cannot be reordered, this fault has no effect.
    Reorder(usize),
    /// The answer is held until this many answers of the connection are held. Then all are sent in one TLS
    /// record. Over HTTP, this fault has no effect.
    Coalesce(usize),
    /// The answer is sent in pieces of this many bytes, each in a separate TLS record and write.
    Split(usize),
    /// The answer is sent this many times. Over HTTP/2, this fault has no effect.
    Repeat(usize),
    /// The length before the answer (the DoT length prefix or `Content-Length`) is this many bytes too large.
    /// Combine this fault with [`EndAfter`](Self::EndAfter), or the client waits for the missing bytes.
    ExcessLength(u16),
    /// These bytes are written in place of the whole answer: over DoT the length prefix and the message, over
    /// HTTP/1.1 the whole response. Over HTTP/2, this fault has no effect; use [`Http2Fault::Insert`].
    Raw(Vec<u8>),
    /// A fault in the DNS message.
    Message(MessageFault),
    /// A fault in the HTTP response, of either version.
    Http(HttpFault),
    /// A fault in the HTTP/1.1 response. In other protocols, this fault has no effect.
    Http1(Http1Fault),
    /// A fault in the HTTP/2 frames. In other protocols, this fault has no effect.
    Http2(Http2Fault),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// TLS `close_notify`, then TCP FIN: the correct way.
    CloseNotify,
    /// TCP FIN without `close_notify`, which TLS treats as truncation (RFC 8446 Section 6.1).
    Fin,
    /// TCP RST. Bytes that were written shortly before can be lost.
    Reset,
    /// A TLS record that cannot be decrypted, then FIN.
    BadRecord,
}

impl From<MessageFault> for QueryFault {
    fn from(fault: MessageFault) -> Self {
        Self::Message(fault)
    }
}

impl From<HttpFault> for QueryFault {
    fn from(fault: HttpFault) -> Self {
        Self::Http(fault)
    }
}

impl From<Http1Fault> for QueryFault {
    fn from(fault: Http1Fault) -> Self {
        Self::Http1(fault)
    }
}

impl From<Http2Fault> for QueryFault {
    fn from(fault: Http2Fault) -> Self {
        Self::Http2(fault)
    }
}
