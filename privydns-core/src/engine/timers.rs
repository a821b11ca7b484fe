//! Who wants to be woken when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::io::ConnectionId;

/// How many timers that were moved or stopped the queue may hold beyond as many as are set.
const SLACK: usize = 64;

/// Whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    Flight(usize),
    Connection(ConnectionId),
    Dial(usize),
}

/// All timers, at most one for each owner.
///
/// Almost every timer is stopped before its time. To take it out of an order of times would cost more than the
/// lookup that it belongs to, so it stays in the queue until it comes first, or until such make up half of the queue.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// The timers of flights, whose numbers are small and used again: there is one for almost every lookup.
    flights: Vec<Option<Instant>>,
    others: FxHashMap<Timer, Instant>,
    /// How many are set.
    set: usize,
    /// Each timer that is set, and some that were. An timer that is not set, or not to this time, is none.
    queue: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    /// Moves an timer to `at`, or stops it.
    pub(super) fn set(&mut self, timer: Timer, at: Option<Instant>) {
        let old = self.replace(timer, at);
        self.set = self.set + usize::from(at.is_some()) - usize::from(old.is_some());
        if let Some(at) = at.filter(|_| old != at) {
            self.queue.push(Reverse((at, timer)));
        }
        if self.queue.len() > 2 * self.set + SLACK {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|Reverse((at, timer))| self.at(*timer) == Some(*at));
            self.queue = queue;
        }
    }

    fn replace(&mut self, timer: Timer, at: Option<Instant>) -> Option<Instant> {
        match (timer, at) {
            (Timer::Flight(flight), at) => {
                if flight >= self.flights.len() {
                    self.flights.resize(flight + 1, None);
                }
                std::mem::replace(&mut self.flights[flight], at)
            }
            (other, Some(at)) => self.others.insert(other, at),
            (other, None) => self.others.remove(&other),
        }
    }

    /// What an timer is set to.
    fn at(&self, timer: Timer) -> Option<Instant> {
        match timer {
            Timer::Flight(flight) => self.flights.get(flight).copied().flatten(),
            other => self.others.get(&other).copied(),
        }
    }

    /// The earliest timer.
    pub(super) fn next(&mut self) -> Option<Instant> {
        self.first().map(|(at, _)| at)
    }

    /// An timer whose time has come. It stays set until its owner moves or stops it.
    pub(super) fn due(&mut self, now: Instant) -> Option<Timer> {
        self.first().filter(|(at, _)| *at <= now).map(|(_, timer)| timer)
    }

    fn first(&mut self) -> Option<(Instant, Timer)> {
        loop {
            let Reverse((at, timer)) = *self.queue.peek()?;
            if self.at(timer) == Some(at) {
                return Some((at, timer));
            }
            self.queue.pop();
        }
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.set
    }
}
