//! One contract for every transport: a state machine that turns queries into bytes, and bytes into answers.
//!
//! [`Machine`] is the contract; `Dot`, `Http1` and `Http2` implement it. A machine belongs to one connection, begins
//! when TLS is up, and ends with the connection.

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
    /// The connection has ended; this is the last event. The cause is `Closed` unless a rule was violated.
    Ended(Cause),
}

/// The contract of a connection's state machine.
///
/// The caller reports what happens (`submit`, `cancel`, `handle_*`), each with the time. After every call the caller
/// drains the machine: [`poll_transmit`](Self::poll_transmit) until it returns `false`,
/// [`poll_event`](Self::poll_event) until it returns `None`, and `poll_transmit` again, because decoded data may
/// require a reply (an acknowledgement, flow-control credit). Then the caller waits for the peer or for
/// [`poll_timeout`](Self::poll_timeout).
///
/// - A time in the past and a spurious `handle_timeout` are harmless; after `handle_timeout(t)` the next `poll_timeout`
///   is later than `t`.
/// - Every submitted key gets exactly one `Answered` or `Failed`, unless it is cancelled before.
/// - `Ended` is the last event, after the answers that have been received. After `Ended` the machine accepts no query,
///   transmits only data that is already pending, and ignores input.
/// - Input is buffered and decoded one event per poll, so that the state never runs ahead of the caller. Any split of
///   the same bytes gives the same events.
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

    /// Submits a query. The caller checks [`capacity`](Self::capacity) first; without capacity the key fails as not
    /// processed.
    fn submit(&mut self, now: Instant, key: Key, query: &Arc<Query>);

    /// Cancels a query: no event will name the key. A required reply to the peer (a stream reset) is sent, and the
    /// query's identifier stays taken while a late answer could be mistaken for another's. Unknown keys are ignored.
    fn cancel(&mut self, now: Instant, key: Key);

    /// Sends a liveness probe, answered by [`Event::Alive`]. Returns `false` if the protocol has none.
    fn probe(&mut self, _now: Instant) -> bool {
        false
    }

    /// Stops accepting queries, and sends the protocol's close message (GOAWAY), if there is one.
    fn close(&mut self, now: Instant);

    /// Handles bytes from the peer.
    fn handle_input(&mut self, now: Instant, bytes: &[u8]);

    /// Handles the end of the connection, with its `cause` (`Closed` for an end of stream). Completely received answers
    /// are still delivered; the other queries fail with `cause`.
    fn handle_end(&mut self, now: Instant, cause: Cause);

    /// Handles the time that `poll_timeout` returned.
    fn handle_timeout(&mut self, now: Instant);

    /// Appends one complete message for the peer to `out` and returns `true`, or returns `false`. A message becomes one
    /// TLS record (over HTTP/2, HEADERS with their DATA are one message).
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool;

    /// The next event, if any.
    fn poll_event(&mut self, now: Instant) -> Option<Event>;

    /// The time at which to call `handle_timeout`, if any.
    fn poll_timeout(&self) -> Option<Instant>;
}
