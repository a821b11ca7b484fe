//! DNS over TLS (RFC 7858): messages with a two-byte length prefix, pipelined, answered in any order.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustc_hash::FxHashMap;

use super::lifecycle::Phase;
use super::receive_buffer::ReceiveBuffer;
use super::{Event, Key, Machine, lifecycle};
use crate::error::{Cause, ProtocolError};
use crate::message::{self, Carrier, HEADER, Query};

/// The default maximum number of queries in flight. Further queries wait in the engine's queue.
const PIPELINE_DEFAULT: usize = 1_000;

/// The highest maximum of queries in flight. Together with [`MAX_ABANDONED`], about half of all IDs stay free, so that
/// drawing finds a free one quickly.
#[cfg(test)]
const MAX_PIPELINE: usize = 32_000;

/// Past this many cancelled queries whose answers have not arrived, the connection drains.
const MAX_ABANDONED: usize = 1_000;

/// Past this many messages that answer no query, the connection ends (RFC 5452 Section 9.1 has the reasons).
const MAX_UNMATCHED: u32 = 16;

/// The idle timeout if the server sends none.
const IDLE_DEFAULT: Duration = Duration::from_secs(8);

/// One DNS over TLS connection.
///
/// Message IDs are drawn from a seeded generator. An ID is not used again while an answer to the earlier query could
/// arrive. An answer must match by ID and by question; messages that match no query are dropped and counted.
pub struct Dot {
    /// The maximum number of queries in flight.
    pipeline: usize,
    ids: StdRng,
    phase: Phase,
    input: ReceiveBuffer,
    /// Queries by message ID: queries in flight, and cancelled queries whose answers may still arrive.
    queries: FxHashMap<u16, PendingQuery>,
    /// The message IDs of the queries in flight.
    in_flight: FxHashMap<Key, u16>,
    /// After the end of the connection: the queries that were in flight, the oldest last.
    unanswered: Vec<(Key, u16)>,
    unsent: VecDeque<u16>,
    refused: VecDeque<Key>,
    unmatched: u32,
    idle_limit: Duration,
}

struct PendingQuery {
    /// `None` after a cancel.
    key: Option<Key>,
    query: Arc<Query>,
    is_sent: bool,
}

impl Dot {
    /// Creates the machine for a connection on which TLS is up. The seed must be unpredictable and used for nothing
    /// else.
    pub fn new(_now: Instant, seed: [u8; 32]) -> Self {
        Self {
            pipeline: PIPELINE_DEFAULT,
            ids: StdRng::from_seed(seed),
            phase: Phase::Open,
            input: ReceiveBuffer::default(),
            queries: FxHashMap::default(),
            in_flight: FxHashMap::default(),
            unanswered: Vec::new(),
            unsent: VecDeque::new(),
            refused: VecDeque::new(),
            unmatched: 0,
            idle_limit: IDLE_DEFAULT,
        }
    }

    /// Sets the maximum number of queries in flight: 1000 by default, at least 1 and at most 32000.
    #[cfg(test)]
    pub(crate) fn pipeline(mut self, limit: usize) -> Self {
        self.pipeline = limit.clamp(1, MAX_PIPELINE);
        self
    }

    /// Decodes messages until one answers a query.
    fn receive(&mut self) -> Option<Event> {
        loop {
            let message = match next_message(&mut self.input) {
                Ok(message) => message?,
                Err(what) => return self.violated(what),
            };
            let pending = match message::id_of(message).map(|id| self.queries.entry(id)) {
                Some(Entry::Occupied(entry)) if entry.get().is_answered_by(message) => entry.remove(),
                _ => {
                    self.unmatched += 1;
                    if self.unmatched > MAX_UNMATCHED {
                        return self.violated("too many messages that match no query");
                    }
                    continue;
                }
            };
            match message::keepalive_of(message) {
                Some(Duration::ZERO) => self.phase.drain(),
                Some(server_limit) => self.idle_limit = lifecycle::idle_limit(server_limit),
                None => {}
            }
            if let Some(key) = pending.key {
                let message = Arc::from(message);
                self.in_flight.remove(&key);
                return Some(Event::Answered { key, message, age: 0 });
            }
        }
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.input.held()
    }

    /// The peer violated the protocol: neither earlier nor later data is trusted.
    fn violated(&mut self, what: &'static str) -> Option<Event> {
        self.input.clear();
        self.phase.fail(Cause::Protocol(ProtocolError { protocol: "dot", what }));
        self.next_final_event()
    }

    /// After the end of the connection: the unanswered queries, oldest first, and then the end.
    fn next_final_event(&mut self) -> Option<Event> {
        let Phase::Ending(cause) = &self.phase else { return None };
        if self.unanswered.is_empty() {
            self.unanswered.extend(self.in_flight.iter().map(|(key, id)| (*key, *id)));
            self.unanswered.sort_unstable_by(|one, other| other.cmp(one));
        }
        // Queries cancelled since then have been removed.
        let next = std::iter::from_fn(|| self.unanswered.pop())
            .find(|(key, _)| self.in_flight.remove(key).is_some());
        let Some((key, id)) = next else {
            self.queries.clear();
            return self.phase.take_cause().map(Event::Ended);
        };
        let is_sent = self.queries.remove(&id).is_some_and(|pending| pending.is_sent);
        Some(Event::Failed { key, cause: cause.clone(), retry_safe: !is_sent })
    }

    /// Draws an ID that no outstanding answer can carry (RFC 7766 Section 6.2.1) and that is unpredictable (RFC 5452
    /// Section 9.2).
    fn free_id(&mut self) -> u16 {
        loop {
            let id = self.ids.random();
            if !self.queries.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Machine for Dot {
    fn capacity(&self) -> usize {
        if self.phase.is_open() { self.pipeline.saturating_sub(self.in_flight.len()) } else { 0 }
    }

    fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn is_draining(&self) -> bool {
        !self.phase.is_open()
    }

    fn idle_limit(&self) -> Duration {
        self.idle_limit
    }

    fn submit(&mut self, _now: Instant, key: Key, query: &Arc<Query>) {
        if self.capacity() == 0 {
            if !self.phase.is_over() {
                self.refused.push_back(key);
            }
            return;
        }
        let id = self.free_id();
        self.queries.insert(id, PendingQuery { key: Some(key), query: query.clone(), is_sent: false });
        self.in_flight.insert(key, id);
        self.unsent.push_back(id);
    }

    fn cancel(&mut self, _now: Instant, key: Key) {
        self.refused.retain(|&refused| refused != key);
        let Some(id) = self.in_flight.remove(&key) else { return };
        match self.queries.entry(id) {
            Entry::Occupied(mut entry) if entry.get().is_sent => {
                entry.get_mut().key = None;
                if self.queries.len() - self.in_flight.len() > MAX_ABANDONED {
                    self.phase.drain();
                }
            }
            Entry::Occupied(entry) => {
                entry.remove();
                self.unsent.retain(|&unsent| unsent != id);
            }
            Entry::Vacant(_) => {}
        }
    }

    fn close(&mut self, _now: Instant) {
        self.phase.drain();
    }

    fn handle_input(&mut self, _now: Instant, bytes: &[u8]) {
        if self.phase.is_connected() {
            self.input.push(bytes);
        }
    }

    fn handle_end(&mut self, _now: Instant, cause: Cause) {
        self.phase.end(cause);
    }

    fn handle_timeout(&mut self, _now: Instant) {}

    fn poll_transmit(&mut self, _now: Instant, out: &mut Vec<u8>) -> bool {
        if !self.phase.is_connected() {
            return false;
        }
        let Some(id) = self.unsent.pop_front() else { return false };
        let Some(pending) = self.queries.get_mut(&id) else { return false };
        pending.is_sent = true;
        out.clear();
        out.extend_from_slice(&[0; 2]);
        message::encode(&pending.query, id, Carrier::Stream, out);
        let length = u16::try_from(out.len() - 2).unwrap_or(u16::MAX);
        out[..2].copy_from_slice(&length.to_be_bytes());
        true
    }

    fn poll_event(&mut self, _now: Instant) -> Option<Event> {
        if let Some(key) = self.refused.pop_front() {
            return Some(Event::Failed { key, cause: Cause::Closed, retry_safe: true });
        }
        self.receive().or_else(|| self.next_final_event())
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

impl fmt::Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dot")
            .field("phase", &self.phase)
            .field("in_flight", &self.in_flight.len())
            .field("abandoned", &(self.queries.len() - self.in_flight.len()))
            .field("unmatched", &self.unmatched)
            .field("idle_limit", &self.idle_limit)
            .finish_non_exhaustive()
    }
}

impl PendingQuery {
    fn is_answered_by(&self, message: &[u8]) -> bool {
        self.is_sent && message::check_response(message, &self.query).is_ok()
    }
}

/// Takes the next complete message, if any (RFC 1035 Section 4.2.2).
fn next_message(input: &mut ReceiveBuffer) -> Result<Option<&[u8]>, &'static str> {
    let [high, low, rest @ ..] = input.unread() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < HEADER {
        return Err("a message too short for a header");
    }
    if rest.len() < length {
        return Ok(None);
    }
    Ok(Some(&input.take(2 + length)[2..]))
}
