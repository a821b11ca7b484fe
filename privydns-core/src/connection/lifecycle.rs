//! The phases of a connection, and the idle timeout that a server's own timeout implies.

use std::time::Duration;

use crate::error::Cause;

/// The longest idle timeout, whatever the server offers: middleboxes forget connections sooner.
const LONGEST: Duration = Duration::from_secs(600);

/// The margin by which the client closes before the server, so that no query crosses the server's close; a quarter of
/// the server's timeout if that is less.
const MARGIN: Duration = Duration::from_secs(1);

/// The idle timeout of the client, for a server that closes idle connections after `server_limit`.
pub(super) fn idle_limit(server_limit: Duration) -> Duration {
    server_limit.saturating_sub(MARGIN.min(server_limit / 4)).min(LONGEST)
}

/// The phase of a connection. Phases follow each other in this order, and no phase is entered twice.
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

    /// Ends the connection by the peer or the network; a cause found earlier stays.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.is_connected() {
            *self = Self::Ending(cause);
        }
    }

    /// Ends the connection for a cause found in received data, usually a violation. The data arrived before any end of
    /// the transport, so this cause replaces that of the end, unless a cause has been reported.
    pub(super) fn fail(&mut self, cause: Cause) {
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
