//! SETTINGS: what this side asks for, and what the server does (RFC 9113 Section 6.5).

use super::error::H2Error;
use super::frame::{MAX_31_BITS, MAX_PAYLOAD};
use super::limits::{self, ASSUMED_STREAMS, MAX_STREAMS};

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The window of a stream, and of the connection, before anything is said of it (RFC 9113 Section 6.9.2).
pub(super) const DEFAULT_WINDOW: u32 = 65_535;

/// The dynamic table that an encoder has before anything is said of it (RFC 9113 Section 6.5.2).
const DEFAULT_TABLE_SIZE: u32 = 4096;

/// The longest frame that a peer may be made to take.
const LARGEST_MAX_FRAME_SIZE: usize = (1 << 24) - 1;

/// What this side asks for. The longest frame is left as it is: 16384 octets.
pub(super) const OURS: [(u16, u32); 4] = [
    (HEADER_TABLE_SIZE, limits::HEADER_TABLE_SIZE),
    (ENABLE_PUSH, 0),
    (INITIAL_WINDOW_SIZE, limits::STREAM_WINDOW),
    (MAX_HEADER_LIST_SIZE, limits::MAX_HEADER_LIST),
];

/// What the server asks for, and this side keeps to.
///
/// Its longest frame is checked and not kept: no frame from here is longer than every server must take. Its
/// longest header list is advice, and passed over: a request has one form.
#[derive(Debug)]
pub(super) struct PeerSettings {
    /// The streams that may be open at once.
    pub(super) max_streams: usize,
    /// The window that a new stream has.
    pub(super) initial_window: u32,
    /// Whether the dynamic table was ever made smaller than it is by default, so that the encoder owes word
    /// of its own (RFC 9113 Section 4.3.1).
    pub(super) has_cut_table: bool,
    was_heard: bool,
}

impl PeerSettings {
    /// What holds until the first SETTINGS come.
    pub(super) fn new() -> Self {
        Self {
            max_streams: ASSUMED_STREAMS,
            initial_window: DEFAULT_WINDOW,
            has_cut_table: false,
            was_heard: false,
        }
    }

    /// Whether the first SETTINGS have come.
    pub(super) fn was_heard(&self) -> bool {
        self.was_heard
    }

    /// Takes over the payload of a SETTINGS frame.
    pub(super) fn update(&mut self, payload: &[u8]) -> Result<(), H2Error> {
        if !self.was_heard {
            self.was_heard = true;
            self.max_streams = MAX_STREAMS;
        }
        let (settings, []) = payload.as_chunks::<6>() else {
            return Err(H2Error::frame_size("SETTINGS of a length that is no multiple of 6"));
        };
        for &[i0, i1, v0, v1, v2, v3] in settings {
            self.set(u16::from_be_bytes([i0, i1]), u32::from_be_bytes([v0, v1, v2, v3]))?;
        }
        Ok(())
    }

    fn set(&mut self, identifier: u16, value: u32) -> Result<(), H2Error> {
        let size = usize::try_from(value).unwrap_or(usize::MAX);
        match identifier {
            HEADER_TABLE_SIZE => self.has_cut_table |= value < DEFAULT_TABLE_SIZE,
            ENABLE_PUSH if value != 0 => return Err(H2Error::protocol("a server that sets ENABLE_PUSH")),
            MAX_CONCURRENT_STREAMS => self.max_streams = size.min(MAX_STREAMS),
            INITIAL_WINDOW_SIZE if value > MAX_31_BITS => {
                return Err(H2Error::flow_control("an initial window over 2^31-1"));
            }
            INITIAL_WINDOW_SIZE => self.initial_window = value,
            MAX_FRAME_SIZE if !(MAX_PAYLOAD..=LARGEST_MAX_FRAME_SIZE).contains(&size) => {
                return Err(H2Error::protocol("a maximum frame size out of range"));
            }
            _ => {}
        }
        Ok(())
    }
}
