//! What is allowed, and too much of it.

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

/// How much noise there was since the last answer.
#[derive(Debug, Default)]
pub(super) struct FrameBudget([u16; 5]);

impl FrameBudget {
    /// Bears one more frame of a kind, as long as there are not too many.
    pub(super) fn charge(&mut self, noise: Overhead) -> Result<(), H2Error> {
        let (limit, what) = match noise {
            Overhead::Ping => (limits::MAX_PINGS, "too many PING frames"),
            Overhead::Settings => (limits::MAX_SETTINGS, "too many SETTINGS frames"),
            Overhead::EmptyData => (limits::MAX_EMPTY_FRAMES, "too many empty DATA frames"),
            Overhead::Reset => (limits::MAX_RESETS, "too many RST_STREAM frames"),
            Overhead::Other => (limits::MAX_OTHER_FRAMES, "too many frames without effect"),
        };
        let count = &mut self.0[noise as usize];
        *count += 1;
        if *count > limit { Err(H2Error::too_much(what)) } else { Ok(()) }
    }

    /// An answer came: the connection is of use.
    pub(super) fn renew(&mut self) {
        *self = Self::default();
    }
}
