//! One contract for every transport: a machine that turns queries into bytes and bytes into answers.
//!
//! [`Machine`] is the contract; `Dot`, `Http1` and `Http2` keep it, and nothing above this module knows which
//! of them it is speaking to. A machine belongs to one connection, begins when TLS is up, and ends with it.

mod dot;
mod http1;
mod http2;
mod idle;
mod phase;
mod receive_buffer;
#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use dot::Dot;
pub(crate) use http1::find_head_end;
pub use http1::{Http1, is_not_http1};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use http2::{HEADER_TABLE_SIZE, HpackDecoder, MAX_HELD};
pub use http2::{Http2, is_not_http2};

use crate::error::Cause;
use crate::message::Query;

/// Names one exchange on one connection. The caller chooses it and keeps it unique while it is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// What a machine has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An exchange is over: its answer came.
    Answered {
        /// The exchange.
        key: Key,
        /// The DNS message, whose header says response and whose question, where there is one, is the query's.
        message: Arc<[u8]>,
        /// Seconds that the answer has spent in HTTP caches (RFC 8484 Section 5.1); 0 over DoT.
        age: u32,
    },
    /// An exchange is over without an answer. The connection may go on.
    Failed {
        /// The exchange.
        key: Key,
        /// Why.
        cause: Cause,
        /// Whether the server is known not to have processed the query: it may be sent again at no cost.
        retry_safe: bool,
    },
    /// The answer to [`Machine::probe`] came: the peer is alive.
    Alive,
    /// The connection is over; no event comes after this one. `Closed` where nobody broke a rule.
    Ended(Cause),
}

/// The contract of a connection's state machine.
///
/// The caller feeds what happened (`submit`, `cancel`, `handle_*`), each with the time, and after every such
/// call drains the machine: [`poll_transmit`](Self::poll_transmit) until it says `false`,
/// [`poll_event`](Self::poll_event) until it says `None`, and transmits once more (what was read may owe the peer
/// something: an acknowledgement, credit). Then it waits for the peer or for
/// [`poll_timeout`](Self::poll_timeout).
///
/// - Time going backwards is ignored; a spurious `handle_timeout` is harmless; after `handle_timeout(t)` the
///   next `poll_timeout` is later than `t`.
/// - Every submitted key gets exactly one `Answered` or `Failed`, unless it was cancelled before.
/// - `Ended` is the last event, and answers already received come out before it. After it the machine takes
///   nothing, transmits nothing more than it already owes, and ignores input.
/// - Bytes are stored on input and decoded one event per poll, so that state never runs ahead of its reader.
///   How they were split is invisible: any split of the same bytes gives the same events.
/// - No bytes from a peer make it panic, loop, or hold more than its named limits.
pub trait Machine: Send {
    /// How many exchanges may be submitted now. 0 for good once the machine is draining or ended.
    fn capacity(&self) -> usize;

    /// Exchanges submitted and neither answered, failed nor cancelled.
    fn in_flight(&self) -> usize;

    /// Whether no new exchange will be taken, though those in flight may still be answered: the peer said so,
    /// identifiers ran out, or `close` was called. The caller closes a draining connection once it is empty.
    fn is_draining(&self) -> bool;

    /// How long the connection may stay without an exchange before the client closes it: what the server
    /// said, less a margin, else the protocol's default.
    fn idle_limit(&self) -> Duration;

    /// Takes a query to send. Called with [`capacity`](Self::capacity) above 0; without it the key fails,
    /// safe to send again.
    fn submit(&mut self, now: Instant, key: Key, query: &Arc<Query>);

    /// Forgets an exchange: no event will name the key. What is owed to the peer for it (a stream reset) is
    /// sent, and its identifier stays taken as long as a late answer could be mistaken for another's.
    /// Unknown keys are ignored.
    fn cancel(&mut self, now: Instant, key: Key);

    /// Asks the peer for a sign of life, answered by [`Event::Alive`]. `false` where the protocol has none.
    fn probe(&mut self, _now: Instant) -> bool {
        false
    }

    /// Takes no further exchange, and owes the peer the protocol's goodbye (GOAWAY), if it has one.
    fn close(&mut self, now: Instant);

    /// Bytes came from the peer.
    fn handle_input(&mut self, now: Instant, bytes: &[u8]);

    /// The connection is gone, for `cause` (`Closed` for an end of stream). What was received whole is still
    /// answered; what was not fails with `cause`.
    fn handle_end(&mut self, now: Instant, cause: Cause);

    /// The time that `poll_timeout` named has come.
    fn handle_timeout(&mut self, now: Instant);

    /// Appends one whole message for the peer to `out` and says `true`, or says `false`. A message goes into
    /// one TLS record (over HTTP/2: HEADERS with their DATA are one message).
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool;

    /// The next thing to tell, if any.
    fn poll_event(&mut self, now: Instant) -> Option<Event>;

    /// When to call `handle_timeout`, if ever.
    fn poll_timeout(&self) -> Option<Instant>;
}
