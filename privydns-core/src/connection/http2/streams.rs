//! The streams of a connection, open and closed (RFC 9113 Section 5.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::flow::{Overflow, ReceiveWindow, SendWindow};
use super::frame::MAX_31_BITS;
use super::limits::{MAX_REMEMBERED_RESETS, STREAM_WINDOW};
use super::response::Response;
use crate::connection::Key;
use crate::message::Query;

/// A query whose request was sent, at least in part.
pub(super) struct Stream {
    pub(super) key: Key,
    pub(super) query: Arc<Query>,
    pub(super) response: Response,
    pub(super) send_window: SendWindow,
    pub(super) receive_window: ReceiveWindow,
    /// The part of the request body that the windows did not allow; empty except with servers whose windows are tiny.
    pub(super) unsent: Vec<u8>,
}

impl Stream {
    pub(super) fn new(key: Key, query: Arc<Query>, send_window: SendWindow) -> Self {
        Self {
            key,
            query,
            response: Response::default(),
            send_window,
            receive_window: ReceiveWindow::new(STREAM_WINDOW),
            unsent: Vec::new(),
        }
    }
}

/// The state of a stream identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamState {
    /// Not opened. Even identifiers are always idle, because the server opens no streams.
    Idle,
    Open,
    /// A stream that this side reset. Frames may still arrive that the server sent before it received the reset.
    Reset,
    /// A stream that the server ended: no DATA or HEADERS may arrive on the stream.
    Ended,
}

/// All streams of a connection.
pub(super) struct Streams {
    open: BTreeMap<u32, Stream>,
    /// The next identifier.
    next: u32,
    /// Streams that this side reset and the server has not ended since.
    reset: BTreeSet<u32>,
    /// For streams up to this one, resets are no longer remembered.
    forgotten: u32,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self { open: BTreeMap::new(), next: 1, reset: BTreeSet::new(), forgotten: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The number of identifiers that are left (RFC 9113 Section 5.1.1).
    pub(super) fn identifiers_left(&self) -> usize {
        if self.next > MAX_31_BITS { 0 } else { ((MAX_31_BITS - self.next) / 2 + 1) as usize }
    }

    /// Opens a stream. Returns the identifier. The caller checks that identifiers are left.
    pub(super) fn open(&mut self, stream: Stream) -> u32 {
        debug_assert!(self.identifiers_left() > 0);
        let identifier = self.next;
        self.next += 2;
        self.open.insert(identifier, stream);
        identifier
    }

    pub(super) fn state(&self, identifier: u32) -> StreamState {
        if identifier.is_multiple_of(2) || identifier >= self.next {
            StreamState::Idle
        } else if self.open.contains_key(&identifier) {
            StreamState::Open
        } else if identifier <= self.forgotten || self.reset.contains(&identifier) {
            StreamState::Reset
        } else {
            StreamState::Ended
        }
    }

    pub(super) fn find(&mut self, identifier: u32) -> Option<&mut Stream> {
        self.open.get_mut(&identifier)
    }

    pub(super) fn with_key(&self, key: Key) -> Option<u32> {
        self.open.iter().find_map(|(&identifier, stream)| (stream.key == key).then_some(identifier))
    }

    /// Removes a stream that the server has ended.
    pub(super) fn remove(&mut self, identifier: u32) -> Option<Stream> {
        self.open.remove(&identifier)
    }

    /// Removes a stream that this side resets.
    pub(super) fn remove_reset(&mut self, identifier: u32) -> Option<Stream> {
        let stream = self.open.remove(&identifier)?;
        self.reset.insert(identifier);
        if self.reset.len() > MAX_REMEMBERED_RESETS {
            self.forgotten = self.forgotten.max(self.reset.pop_first().unwrap_or(0));
        }
        Some(stream)
    }

    /// The server has ended a stream that this side had reset.
    pub(super) fn settle_reset(&mut self, identifier: u32) {
        self.reset.remove(&identifier);
    }

    /// Removes the oldest stream.
    pub(super) fn pop_first(&mut self) -> Option<Stream> {
        self.open.pop_first().map(|(_, stream)| stream)
    }

    /// Removes the newest stream with an identifier above `last`.
    pub(super) fn pop_above(&mut self, last: u32) -> Option<Stream> {
        let newest = self.open.last_entry()?;
        (*newest.key() > last).then(|| newest.remove())
    }

    /// Moves all send windows by a change of the initial window (RFC 9113 Section 6.9.2).
    pub(super) fn shift_send_windows(&mut self, by: i64) -> Result<(), Overflow> {
        self.open.values_mut().try_for_each(|stream| stream.send_window.shift(by))
    }

    /// The number of body bytes held.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held(&self) -> usize {
        self.open.values().map(|stream| stream.response.held()).sum()
    }

    #[cfg(test)]
    pub(super) fn skip_to(&mut self, identifier: u32) {
        self.next = identifier;
    }
}
