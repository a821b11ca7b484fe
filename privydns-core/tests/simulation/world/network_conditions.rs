//! What a network does to octets on their way, short of losing a connection.

use std::time::Duration;

use super::draw::Draw;

/// Bad weather. All chances are in a hundred.
#[derive(Clone, Debug)]
pub(crate) struct NetworkConditions {
    pub(crate) draw: Draw,
    /// Everything may take up to so many milliseconds longer, each connection for itself: what is sent on one
    /// overtakes what is sent on another.
    pub(crate) jitter: u64,
    /// What is sent at once comes in pieces.
    pub(crate) splits: u64,
    /// What is sent apart and comes at the same time is read as one.
    pub(crate) joins: u64,
    /// The operating system takes nothing more for a while.
    pub(crate) stalls: u64,
    /// The driver still tells of a connection that was closed or has ended.
    pub(crate) echoes: u64,
    /// The driver tells several things before it asks what to do.
    pub(crate) batches: u64,
    /// The driver's clock reads a little less than it did before.
    pub(crate) skews: u64,
    /// Timers go off up to so many milliseconds late.
    pub(crate) lateness: u64,
}

/// More pieces than this are no different.
const MOST_PIECES: u64 = 12;

impl NetworkConditions {
    pub(crate) fn delay(&mut self) -> Duration {
        self.draw.millis(0..=self.jitter)
    }

    /// How long the operating system takes nothing, if it does so now.
    pub(crate) fn stall(&mut self) -> Option<Duration> {
        self.draw.percent(self.stalls).then(|| self.draw.millis(1..=500))
    }

    /// How much too little the clock says.
    pub(crate) fn skew(&mut self) -> Duration {
        if self.draw.percent(self.skews) { self.draw.millis(1..=2000) } else { Duration::ZERO }
    }

    pub(crate) fn pieces(&mut self, octets: Vec<u8>) -> Vec<Vec<u8>> {
        if octets.len() < 2 || !self.draw.percent(self.splits) {
            return vec![octets];
        }
        let mut rest = octets;
        let mut pieces = Vec::new();
        for _ in 0..self.draw.between(1..=MOST_PIECES) {
            if rest.len() < 2 {
                break;
            }
            // Near an edge, where lengths and headers are, as often as anywhere.
            let length = if self.draw.percent(50) { rest.len().min(12) } else { rest.len() };
            let later = rest.split_off(1 + self.draw.below(length - 1));
            pieces.push(std::mem::replace(&mut rest, later));
        }
        pieces.push(rest);
        pieces
    }
}
