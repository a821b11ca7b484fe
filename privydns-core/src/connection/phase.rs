//! How far the life of a connection has come.

use crate::error::Cause;

/// The phases follow each other, and none comes back.
#[derive(Debug)]
pub(super) enum Phase {
    /// Exchanges are taken.
    Open,
    /// Those in flight go on, and no other is taken.
    Draining,
    /// Over for this cause, which is yet to be told.
    Ending(Cause),
    /// Over, and told.
    Ended,
}

impl Phase {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether there is anybody left to speak to.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Self::Open | Self::Draining)
    }

    /// Whether all is told.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Ended)
    }

    pub(super) fn drain(&mut self) {
        if self.is_open() {
            *self = Self::Draining;
        }
    }

    /// The peer or the network ended the connection; what was found out before stays the cause.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.is_connected() {
            *self = Self::Ending(cause);
        }
    }

    /// The peer broke a rule, in octets that came before any end: that is the cause, until one was told.
    pub(super) fn break_off(&mut self, cause: Cause) {
        if !self.is_over() {
            *self = Self::Ending(cause);
        }
    }

    /// The cause to tell, once.
    pub(super) fn tell(&mut self) -> Option<Cause> {
        match std::mem::replace(self, Self::Ended) {
            Self::Ending(cause) => Some(cause),
            other => {
                *self = other;
                None
            }
        }
    }
}
