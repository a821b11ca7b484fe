//! The life of a connection: its phases, and how long it is kept while idle.

use std::time::Duration;

use crate::error::Cause;

/// The longest idle timeout, whatever the server offers: middleboxes forget connections sooner.
const LONGEST: Duration = Duration::from_secs(600);

/// The margin by which the client closes before the server, so that no query crosses the server's close; a quarter of
/// the server's timeout if that is less.
const MARGIN: Duration = Duration::from_secs(1);

/// The idle timeout for a server that closes after `told`.
pub(super) fn idle_limit(told: Duration) -> Duration {
    told.saturating_sub(MARGIN.min(told / 4)).min(LONGEST)
}

/// The phases follow each other; there is no way back.
#[derive(Debug)]
pub(super) enum Phase {
    /// Queries are accepted.
    Open,
    /// Queries in flight continue; no new query is accepted.
    Draining,
    /// Ended with this cause, which has not been reported.
    Ending(Cause),
    /// Ended, and reported.
    Ended,
}

impl Phase {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether the peer can still receive data.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Self::Open | Self::Draining)
    }

    /// Whether the end has been reported.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Ended)
    }

    pub(super) fn drain(&mut self) {
        if self.is_open() {
            *self = Self::Draining;
        }
    }

    /// The peer or the network ended the connection; a cause found earlier stays.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.is_connected() {
            *self = Self::Ending(cause);
        }
    }

    /// The peer violated a rule in data before any end: this becomes the cause, unless one has been reported.
    pub(super) fn break_off(&mut self, cause: Cause) {
        if !self.is_over() {
            *self = Self::Ending(cause);
        }
    }

    /// Returns the cause to report, once.
    pub(super) fn take_cause(&mut self) -> Option<Cause> {
        match std::mem::replace(self, Self::Ended) {
            Self::Ending(cause) => Some(cause),
            other => {
                *self = other;
                None
            }
        }
    }
}
