//! The state of one HTTP/2 connection, and the ways in which a connection ends.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::block::FieldBlock;
use super::error::{self, H2Error};
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{self, ErrorCode};
use super::frame_budget::FrameBudget;
use super::hpack::Decoder;
use super::limits::{CONNECTION_WINDOW, HEADER_TABLE_SIZE};
use super::pacer::Pacer;
use super::request::Requests;
use super::settings::{DEFAULT_WINDOW, PeerSettings};
use super::streams::{Stream, Streams};
use crate::connection::lifecycle::Phase;
use crate::connection::{Event, Key};
use crate::doh::Endpoint;
use crate::error::Cause;
use crate::message::Query;

/// The state of a connection, except the receive buffer. `receive` handles frames from the server, and `send` writes
/// frames.
pub(super) struct H2Connection {
    pub(super) requests: Requests,
    /// Queries without a stream.
    pub(super) waiting: VecDeque<(Key, Arc<Query>)>,
    /// Queries that were submitted without capacity.
    refused: VecDeque<Key>,
    pub(super) streams: Streams,
    /// Streams with an unsent part of their request.
    pub(super) unfinished: VecDeque<u32>,
    pub(super) pacer: Pacer,

    pub(super) sent_preface: bool,
    /// Control frames to send.
    pub(super) pending_control: Vec<u8>,
    pub(super) send_window: SendWindow,
    pub(super) receive_window: ReceiveWindow,
    pub(super) peer: PeerSettings,
    /// Our SETTINGS that the server has not acknowledged.
    pub(super) unacknowledged: u32,
    pub(super) decoder: Decoder,
    pub(super) block: FieldBlock,
    pub(super) frame_budget: FrameBudget,
    /// The payload of the PING in flight.
    pub(super) probe: Option<u64>,
    pub(super) probes: u64,

    pub(super) phase: Phase,
    /// The last GOAWAY received.
    pub(super) goaway: Option<Goaway>,
    /// Whether a GOAWAY was sent.
    sent_goaway: bool,
    /// Whether the transport below still accepts data.
    has_transport: bool,
}

/// A GOAWAY of the server (RFC 9113 Section 6.8).
#[derive(Clone, Copy, Debug)]
pub(super) struct Goaway {
    /// Streams above this one were not and will not be processed.
    pub(super) last_stream: u32,
    pub(super) code: ErrorCode,
}

impl H2Connection {
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            requests: Requests::new(endpoint),
            waiting: VecDeque::new(),
            refused: VecDeque::new(),
            streams: Streams::new(),
            unfinished: VecDeque::new(),
            pacer: Pacer::default(),
            sent_preface: false,
            pending_control: Vec::new(),
            send_window: SendWindow::new(DEFAULT_WINDOW),
            receive_window: ReceiveWindow::new(CONNECTION_WINDOW),
            peer: PeerSettings::new(),
            unacknowledged: 1,
            decoder: Decoder::new(HEADER_TABLE_SIZE as usize),
            block: FieldBlock::default(),
            frame_budget: FrameBudget::default(),
            probe: None,
            probes: 0,
            phase: Phase::Open,
            goaway: None,
            sent_goaway: false,
            has_transport: true,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        if !self.phase.is_open() {
            return 0;
        }
        let identifiers = self.streams.identifiers_left().saturating_sub(self.waiting.len());
        self.peer.max_streams.saturating_sub(self.in_flight()).min(identifiers)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.streams.len() + self.waiting.len()
    }

    pub(super) fn is_draining(&self) -> bool {
        !self.phase.is_open() || self.streams.identifiers_left() <= self.waiting.len()
    }

    pub(super) fn has_transport(&self) -> bool {
        self.has_transport
    }

    pub(super) fn submit(&mut self, key: Key, query: &Arc<Query>) {
        if self.capacity() == 0 {
            return self.refused.push_back(key);
        }
        self.waiting.push_back((key, Arc::clone(query)));
    }

    pub(super) fn cancel(&mut self, key: Key) {
        self.waiting.retain(|(waiting, _)| *waiting != key);
        self.refused.retain(|refused| *refused != key);
        let Some(identifier) = self.streams.with_key(key) else { return };
        if self.goaway.is_some_and(|goaway| identifier > goaway.last_stream) {
            // GOAWAY excluded the stream, so that the server holds no state for a reset.
            self.streams.remove(identifier);
        } else {
            self.reset(identifier, ErrorCode::CANCEL);
        }
    }

    /// Resets a stream.
    pub(super) fn reset(&mut self, identifier: u32, code: ErrorCode) -> Option<Stream> {
        let stream = self.streams.remove_reset(identifier)?;
        self.receive_window.release(stream.response.held());
        frame::write_rst_stream(identifier, code, &mut self.pending_control);
        Some(stream)
    }

    /// Sends a PING, unless one is in flight.
    pub(super) fn probe(&mut self) -> bool {
        if self.probe.is_none() && self.phase.is_connected() {
            self.probes += 1;
            self.probe = Some(self.probes);
            frame::write_ping(self.probes.to_be_bytes(), 0, &mut self.pending_control);
        }
        self.phase.is_connected()
    }

    /// The number of buffered bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held(&self) -> usize {
        self.pending_control.len() + self.block.held() + self.decoder.held() + self.streams.held()
    }

    /// Closes with a GOAWAY.
    pub(super) fn close(&mut self) {
        self.phase.drain();
        if self.phase.is_connected() && !std::mem::replace(&mut self.sent_goaway, true) {
            frame::write_goaway(ErrorCode::NO_ERROR, &mut self.pending_control);
        }
    }

    /// The transport has ended. Data received before may still be decoded.
    pub(super) fn end(&mut self, cause: Cause) {
        self.phase.end(cause);
        self.has_transport = false;
    }

    /// Handles an error of a stream or of the connection.
    pub(super) fn handle_error(&mut self, error: H2Error) -> Option<Event> {
        match error {
            H2Error::Stream { stream: identifier, code, what } => {
                let stream = self.reset(identifier, code)?;
                Some(failed(stream.key, error::cause(what), false))
            }
            H2Error::Connection { code, what } => {
                frame::write_goaway(code, &mut self.pending_control);
                self.phase.fail(error::cause(what));
                None
            }
        }
    }

    /// The next query that will not be answered: a query that was submitted without capacity, that the server's GOAWAY
    /// excludes, or that can no longer be sent.
    pub(super) fn next_unprocessed(&mut self) -> Option<Event> {
        if let Some(key) = self.refused.pop_front() {
            return Some(failed(key, Cause::Closed, true));
        }
        if self.phase.is_open() {
            return None;
        }
        if let Some(Goaway { last_stream, code }) = self.goaway
            && let Some(stream) = self.streams.pop_above(last_stream)
        {
            return Some(failed(stream.key, error::not_processed(code), true));
        }
        let (key, _) = self.waiting.pop_front()?;
        let cause = match (&self.phase, self.goaway) {
            (Phase::Ending(cause), _) => cause.clone(),
            (_, Some(goaway)) => error::not_processed(goaway.code),
            _ => Cause::Closed,
        };
        Some(failed(key, cause, true))
    }

    /// After the end of the connection, once all data is decoded: fails the unanswered queries, oldest first, and then
    /// reports the end.
    pub(super) fn next_final_event(&mut self) -> Option<Event> {
        let Phase::Ending(cause) = &self.phase else { return None };
        match self.streams.pop_first() {
            Some(stream) => Some(failed(stream.key, cause.clone(), false)),
            None => self.phase.take_cause().map(Event::Ended),
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.waiting.is_empty() || !self.phase.is_open() { None } else { self.pacer.resumes_at() }
    }
}

impl fmt::Debug for H2Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H2Connection")
            .field("endpoint", self.requests.endpoint())
            .field("phase", &self.phase)
            .field("waiting", &self.waiting.len())
            .field("streams", &self.streams.len())
            .field("peer", &self.peer)
            .field("goaway", &self.goaway)
            .finish_non_exhaustive()
    }
}

pub(super) fn failed(key: Key, cause: Cause, retry_safe: bool) -> Event {
    Event::Failed { key, cause, retry_safe }
}
