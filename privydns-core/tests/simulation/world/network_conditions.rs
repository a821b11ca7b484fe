//! Conditions of the network: what happens to data in transit, except for the loss of a connection.

use std::time::Duration;

use super::draw::Draw;

/// Adverse conditions. Chances are percentages.
#[derive(Clone, Debug)]
pub(crate) struct NetworkConditions {
    pub(crate) draw: Draw,
    /// The maximum extra delay in milliseconds, drawn for each connection: data on one connection overtakes data on
    /// another.
    pub(crate) jitter: u64,
    /// Data sent at once arrives in pieces.
    pub(crate) splits: u64,
    /// Separate data that arrives at the same time is read at once.
    pub(crate) joins: u64,
    /// The operating system accepts no data for a while.
    pub(crate) stalls: u64,
    /// The driver still reports events of a closed or ended connection.
    pub(crate) echoes: u64,
    /// The driver reports several events before it drains the engine.
    pub(crate) batches: u64,
    /// The driver's clock goes back a little.
    pub(crate) skews: u64,
    /// The maximum lateness of timers in milliseconds.
    pub(crate) lateness: u64,
}

/// More pieces than this test nothing new.
const MOST_PIECES: u64 = 12;

impl NetworkConditions {
    pub(crate) fn delay(&mut self) -> Duration {
        self.draw.millis(0..=self.jitter)
    }

    /// How long the operating system accepts no data, if it stalls now.
    pub(crate) fn stall(&mut self) -> Option<Duration> {
        self.draw.percent(self.stalls).then(|| self.draw.millis(1..=500))
    }

    /// How far the clock is behind.
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
            // Splits are near an edge, where lengths and headers are, as often as anywhere else.
            let length = if self.draw.percent(50) { rest.len().min(12) } else { rest.len() };
            let later = rest.split_off(1 + self.draw.below(length - 1));
            pieces.push(std::mem::replace(&mut rest, later));
        }
        pieces.push(rest);
        pieces
    }
}
