//! Who wants to be woken when.

use std::collections::BTreeSet;
use std::time::Instant;

use super::io::ConnectionId;

/// Whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Flight(usize),
    Connection(ConnectionId),
    Dial(usize),
}

/// All alarms, earliest first. Each owner keeps its own alarm's time in a slot beside its state, so that
/// moving an alarm finds the old one without a search, and none is ever left behind.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    /// Moves an alarm to `at`, or stops it.
    pub(super) fn set(&mut self, timer: Timer, slot: &mut Option<Instant>, at: Option<Instant>) {
        if *slot == at {
            return;
        }
        if let Some(old) = slot.take() {
            self.0.remove(&(old, timer));
        }
        if let Some(at) = at {
            self.0.insert((at, timer));
            *slot = Some(at);
        }
    }

    /// The earliest alarm.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// An alarm whose time has come. It stays set until its owner moves or stops it.
    pub(super) fn due(&self, now: Instant) -> Option<Timer> {
        self.0.first().filter(|(at, _)| *at <= now).map(|(_, timer)| *timer)
    }
}
