//! Connections to upstreams: DNS over TLS, HTTP/1.1 and HTTP/2.
//!
//! Each protocol is a state machine that turns queries into bytes, and received bytes into answers. [`Machine`] is the
//! common interface of [`Dot`], [`Http1`] and [`Http2`], and states the order of calls. A machine belongs to one
//! connection: it is created when the TLS handshake is complete, and dropped with the connection.

mod dot;
mod http1;
mod http2;
mod lifecycle;
mod receive_buffer;
#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use dot::Dot;
pub use http1::{Http1, is_not_http1};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use http2::{HEADER_TABLE_SIZE, HpackDecoder, MAX_HELD};
pub use http2::{Http2, is_not_http2};

use crate::error::Cause;
use crate::message::Query;

/// Identifies one query on one connection. The caller chooses the key, unique among the queries in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// An event of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A query was answered.
    Answered {
        /// The query.
        key: Key,
        /// The DNS message: a response whose question, if it has one, is the query's.
        message: Arc<[u8]>,
        /// The seconds that the answer has spent in HTTP caches (RFC 8484 Section 5.1); 0 over DoT.
        age: u32,
    },
    /// A query ended without an answer. The connection may continue.
    Failed {
        /// The query.
        key: Key,
        /// The cause.
        cause: Cause,
        /// Whether the server is known not to have processed the query, so that the query can be sent again at no cost.
        retry_safe: bool,
    },
    /// The answer to [`Machine::probe`] arrived: the peer is alive.
    Alive,
    /// The connection has ended; this is the last event. The cause is the peer's protocol violation, or the cause
    /// passed to [`Machine::handle_end`]; `Closed` for an end that the protocol provides for.
    Ended(Cause),
}

/// The state machine of one connection.
///
/// A machine does no I/O and reads no clock. The caller owns the transport, and passes the time to every call.
///
/// # Calls and their order
///
/// 1. The caller reports what happened:
///    - [`submit`](Self::submit): a query is to be sent, and [`capacity`](Self::capacity) is above 0;
///    - [`cancel`](Self::cancel): the result of a query is no longer needed;
///    - [`probe`](Self::probe): the caller wants to know whether the peer is alive;
///    - [`close`](Self::close): no further queries are to be accepted;
///    - [`handle_input`](Self::handle_input): bytes arrived from the peer;
///    - [`handle_end`](Self::handle_end): the transport has ended or failed;
///    - [`handle_timeout`](Self::handle_timeout): the time of [`poll_timeout`](Self::poll_timeout) has come.
/// 2. The caller drains the machine:
///    - [`poll_transmit`](Self::poll_transmit), until the return value is `false`; every message goes to the peer;
///    - [`poll_event`](Self::poll_event), until the return value is `None`;
///    - `poll_transmit` once more until `false`, because decoded input may require a reply (an acknowledgement,
///      flow-control credit).
/// 3. The caller waits for the next occurrence, or for the time that [`poll_timeout`](Self::poll_timeout) returns. Any
///    call may change that time, so the caller asks again after every drain.
///
/// Several reports may precede one drain.
///
/// # Guarantees
///
/// - Every key submitted before `Ended` gets exactly one `Answered` or `Failed`, unless the key is cancelled before.
/// - `Ended` is the last event. Completely received answers are delivered first. After `Ended` the capacity is 0, input
///   is ignored, and only data that was already pending is transmitted.
/// - Input is buffered by `handle_input` and decoded by `poll_event`, up to one event per call, so that the state never
///   runs ahead of the events that the caller has seen. Any split of the same bytes gives the same events.
/// - A time earlier than that of a previous call is harmless, and so is a spurious `handle_timeout`. After
///   `handle_timeout(t)` the next `poll_timeout` is later than `t`.
/// - No bytes from a peer cause a panic, an endless loop, or more memory than the named limits.
pub trait Machine: Send {
    /// The number of queries that may be submitted now. Always 0 once the machine is draining or has ended.
    fn capacity(&self) -> usize;

    /// The number of submitted queries that are neither answered, failed nor cancelled.
    fn in_flight(&self) -> usize;

    /// Whether no new query is accepted although queries in flight may still be answered: the peer asked for that,
    /// identifiers ran out, or `close` was called. The caller closes a draining connection once it is empty.
    fn is_draining(&self) -> bool;

    /// The idle timeout after which the client closes the connection: the server's, less a margin, or the protocol's
    /// default.
    fn idle_limit(&self) -> Duration;

    /// Submits a query, to be sent by a later [`poll_transmit`](Self::poll_transmit). The caller checks
    /// [`capacity`](Self::capacity) first; without capacity the key fails with `retry_safe`.
    fn submit(&mut self, now: Instant, key: Key, query: &Arc<Query>);

    /// Cancels a query: no later event names the key. A stream reset is sent if the protocol has one. The query's
    /// message ID or stream stays reserved while a late answer could be mistaken for the answer to another query. Over
    /// HTTP/1.1, cancelling a sent request ends the connection. Unknown keys are ignored.
    fn cancel(&mut self, now: Instant, key: Key);

    /// Sends a liveness probe, whose answer is reported as [`Event::Alive`]. No second probe is sent while one is
    /// unanswered. Returns `false` if the protocol has no probes or the connection has ended.
    fn probe(&mut self, _now: Instant) -> bool {
        false
    }

    /// Stops accepting queries, and sends the protocol's close message (GOAWAY), if there is one. Queries in flight may
    /// still be answered.
    fn close(&mut self, now: Instant);

    /// Handles bytes from the peer, in order and in pieces of any length.
    fn handle_input(&mut self, now: Instant, bytes: &[u8]);

    /// Handles the end of the transport, with the `cause` (`Closed` for an end of stream). Completely received answers
    /// are still delivered. The other queries fail: with the error status of a partly received HTTP/1.1 response,
    /// otherwise with `cause`, and with `retry_safe` if they were not sent.
    fn handle_end(&mut self, now: Instant, cause: Cause);

    /// Handles the arrival of the time that [`poll_timeout`](Self::poll_timeout) returned.
    fn handle_timeout(&mut self, now: Instant);

    /// Writes the next complete message for the peer to `out` and returns `true`, or returns `false` if there is none.
    ///
    /// `true` overwrites the content of `out`; `false` leaves the content unspecified. A message becomes one TLS record
    /// (over HTTP/2, HEADERS with their DATA are one message).
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool;

    /// Decodes buffered input up to the next event, and returns the event, or `None` until more input arrives.
    fn poll_event(&mut self, now: Instant) -> Option<Event>;

    /// The time at which to call [`handle_timeout`](Self::handle_timeout), or `None` if no timer is running.
    fn poll_timeout(&self) -> Option<Instant>;
}
