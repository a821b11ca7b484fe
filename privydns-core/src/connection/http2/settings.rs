//! SETTINGS of this side and of the server (RFC 9113 Section 6.5).

use super::error::H2Error;
use super::frame::{MAX_31_BITS, MAX_PAYLOAD};
use super::limits::{self, ASSUMED_STREAMS, MAX_STREAMS};

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The initial window of a stream and of the connection (RFC 9113 Section 6.9.2).
pub(super) const DEFAULT_WINDOW: u32 = 65_535;

/// The default size of an encoder's dynamic table (RFC 9113 Section 6.5.2).
const DEFAULT_TABLE_SIZE: u32 = 4096;

/// The largest value of `SETTINGS_MAX_FRAME_SIZE`.
const LARGEST_MAX_FRAME_SIZE: usize = (1 << 24) - 1;

/// The SETTINGS of this side. The maximum frame size stays at the default of 16384 bytes.
pub(super) const OURS: [(u16, u32); 4] = [
    (HEADER_TABLE_SIZE, limits::HEADER_TABLE_SIZE),
    (ENABLE_PUSH, 0),
    (INITIAL_WINDOW_SIZE, limits::STREAM_WINDOW),
    (MAX_HEADER_LIST_SIZE, limits::MAX_HEADER_LIST),
];

/// The server's SETTINGS.
///
/// The maximum frame size is checked and not stored: this client sends no frame that is longer than every server must
/// accept. The maximum header list size is advisory and ignored: a request has one form.
#[derive(Debug)]
pub(super) struct PeerSettings {
    /// The maximum number of concurrent streams.
    pub(super) max_streams: usize,
    /// The initial window of a new stream.
    pub(super) initial_window: u32,
    /// Whether the dynamic table was ever smaller than the default, so that the encoder has to announce a size (RFC
    /// 9113 Section 4.3.1).
    pub(super) has_shrunk_table: bool,
    was_received: bool,
}

impl PeerSettings {
    /// The values before the first SETTINGS arrive.
    pub(super) fn new() -> Self {
        Self {
            max_streams: ASSUMED_STREAMS,
            initial_window: DEFAULT_WINDOW,
            has_shrunk_table: false,
            was_received: false,
        }
    }

    /// Whether the first SETTINGS have arrived.
    pub(super) fn was_received(&self) -> bool {
        self.was_received
    }

    /// Applies the payload of a SETTINGS frame.
    pub(super) fn update(&mut self, payload: &[u8]) -> Result<(), H2Error> {
        if !self.was_received {
            self.was_received = true;
            self.max_streams = MAX_STREAMS;
        }
        let (settings, []) = payload.as_chunks::<6>() else {
            return Err(H2Error::frame_size("SETTINGS whose length is not a multiple of 6"));
        };
        for &[i0, i1, v0, v1, v2, v3] in settings {
            self.set(u16::from_be_bytes([i0, i1]), u32::from_be_bytes([v0, v1, v2, v3]))?;
        }
        Ok(())
    }

    fn set(&mut self, identifier: u16, value: u32) -> Result<(), H2Error> {
        let size = usize::try_from(value).unwrap_or(usize::MAX);
        match identifier {
            HEADER_TABLE_SIZE => self.has_shrunk_table |= value < DEFAULT_TABLE_SIZE,
            ENABLE_PUSH if value != 0 => {
                return Err(H2Error::protocol("SETTINGS_ENABLE_PUSH of 1 from a server"));
            }
            MAX_CONCURRENT_STREAMS => self.max_streams = size.min(MAX_STREAMS),
            INITIAL_WINDOW_SIZE if value > MAX_31_BITS => {
                return Err(H2Error::flow_control("SETTINGS_INITIAL_WINDOW_SIZE over 2^31-1"));
            }
            INITIAL_WINDOW_SIZE => self.initial_window = value,
            MAX_FRAME_SIZE if !(MAX_PAYLOAD..=LARGEST_MAX_FRAME_SIZE).contains(&size) => {
                return Err(H2Error::protocol("SETTINGS_MAX_FRAME_SIZE out of range"));
            }
            _ => {}
        }
        Ok(())
    }
}
