//! What is allowed, and too much of it.

use super::fault::Fault;
use super::limits;

/// Frames that are allowed and bring no answer forward (RFC 9113 Section 10.5).
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    Ping,
    Settings,
    EmptyData,
    Reset,
    Other,
}

/// How much noise there was since the last answer.
#[derive(Debug, Default)]
pub(super) struct Patience([u16; 5]);

impl Patience {
    /// Bears one more frame of a kind, as long as there are not too many.
    pub(super) fn bear(&mut self, noise: Noise) -> Result<(), Fault> {
        let (limit, what) = match noise {
            Noise::Ping => (limits::MAX_PINGS, "too many PING frames"),
            Noise::Settings => (limits::MAX_SETTINGS, "too many SETTINGS frames"),
            Noise::EmptyData => (limits::MAX_EMPTY_FRAMES, "too many empty DATA frames"),
            Noise::Reset => (limits::MAX_RESETS, "too many RST_STREAM frames"),
            Noise::Other => (limits::MAX_OTHER_FRAMES, "too many frames without use"),
        };
        let count = &mut self.0[noise as usize];
        *count += 1;
        if *count > limit { Err(Fault::too_much(what)) } else { Ok(()) }
    }

    /// An answer came: the connection is of use.
    pub(super) fn renew(&mut self) {
        *self = Self::default();
    }
}
