//! What goes wrong, and when: data that a server is given before its start or while it runs.
//!
//! A [`Script`] is a list of rules. Each says when it applies, by counting or by name, and what happens then.
//! All rules that apply to a query are taken together, in the order they were written: a delay and a wrong ID
//! make a late answer with a wrong ID. What no rule applies to is answered as it should be.
//!
//! Counting begins at 1 with the server's start, and again with every [`Server::set_script`](crate::Server::set_script).
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

/// Rules for what goes wrong. The empty script is a server without faults.
#[derive(Clone, Debug, Default)]
pub struct Script {
    connections: Vec<(Turns, ConnectionFault)>,
    queries: Vec<(When, QueryFault)>,
}

impl Script {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault of whole connections: `1` is the first, `2..=4` are the next three, `..` is every one.
    pub fn on_connection(mut self, turns: impl Into<Turns>, fault: ConnectionFault) -> Self {
        self.connections.push((turns.into(), fault));
        self
    }

    /// Adds a fault of single queries, chosen by count (as connections are), by name, or by a [`When`].
    pub fn on_query(mut self, when: impl Into<When>, fault: impl Into<QueryFault>) -> Self {
        self.queries.push((when.into(), fault.into()));
        self
    }
}

/// What goes wrong with one query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QueryFault {
    /// The answer waits for this long. Other queries do not wait for it, save over HTTP/1.1.
    Delay(Duration),
    /// The answer waits for [`Server::release`](crate::Server::release).
    Hold,
    /// The answer never comes.
    Silent,
    /// The connection ends, and the answer is not sent.
    EndBefore(End),
    /// The connection ends when the answer has been written.
    EndAfter(End),
    /// The answer waits until this many answers of its connection wait; then all go out, the last first. Over
    /// HTTP/1.1, where one answer waits for the other anyway, nothing happens.
    Reorder(usize),
    /// The answer waits until this many answers of its connection wait; then all go out in one TLS record. Over
    /// HTTP nothing happens.
    Coalesce(usize),
    /// The answer goes out in pieces of this many octets, each one TLS record and one write.
    Split(usize),
    /// The answer goes out this many times over. Nothing happens over HTTP/2.
    Repeat(usize),
    /// The length in front of the answer counts this many octets more than come: the DoT length, HTTP's
    /// `Content-Length`. Combine it with [`EndAfter`](Self::EndAfter), or the client waits.
    ExcessLength(u16),
    /// These octets are written in place of everything that the answer would have been: over DoT the length and the
    /// message, over HTTP/1.1 the whole response. Over HTTP/2 nothing happens: see [`Http2Fault::Insert`].
    Raw(Vec<u8>),
    /// The DNS message is wrong.
    Message(MessageFault),
    /// The HTTP response is wrong, in either version.
    Http(HttpFault),
    /// The HTTP/1.1 response is wrong. Nothing happens in other protocols.
    Http1(Http1Fault),
    /// The HTTP/2 frames are wrong. Nothing happens in other protocols.
    Http2(Http2Fault),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// As it should be: TLS's `close_notify`, then TCP's FIN.
    CloseNotify,
    /// TCP's FIN alone: the end of file that TLS calls a truncation (RFC 8446 Section 6.1).
    Fin,
    /// TCP's RST. What was written just before may be lost with it.
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
