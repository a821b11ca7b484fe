//! Limits for frames that a server may send but that do not advance an answer.

use super::error::H2Error;
use super::limits;

/// Frames that are allowed and bring no answer forward (RFC 9113 Section 10.5).
#[derive(Clone, Copy, Debug)]
pub(super) enum Overhead {
    Ping,
    Settings,
    EmptyData,
    Reset,
    Other,
}

/// The number of frames of each kind of overhead since the last answer.
#[derive(Debug, Default)]
pub(super) struct FrameBudget([u16; 5]);

impl FrameBudget {
    /// Counts one frame of a kind; fails if the number exceeds the limit of the kind.
    pub(super) fn charge(&mut self, overhead: Overhead) -> Result<(), H2Error> {
        let (limit, what) = match overhead {
            Overhead::Ping => (limits::MAX_PINGS, "too many PING frames"),
            Overhead::Settings => (limits::MAX_SETTINGS, "too many SETTINGS frames"),
            Overhead::EmptyData => (limits::MAX_EMPTY_FRAMES, "too many empty DATA frames"),
            Overhead::Reset => (limits::MAX_RESETS, "too many RST_STREAM frames"),
            Overhead::Other => (limits::MAX_OTHER_FRAMES, "too many frames without effect"),
        };
        let count = &mut self.0[overhead as usize];
        *count += 1;
        if *count > limit { Err(H2Error::too_much(what)) } else { Ok(()) }
    }

    /// An answer came: the connection is of use.
    pub(super) fn renew(&mut self) {
        *self = Self::default();
    }
}
