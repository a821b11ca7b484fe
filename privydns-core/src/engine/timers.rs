//! Who wants to be woken when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::io::ConnectionId;

/// The queue may hold as many moved or stopped entries as there are set timers, and this many more.
const SLACK: usize = 64;

/// The owner of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    Flight(usize),
    Connection(ConnectionId),
    Dial(usize),
}

/// All timers, at most one for each owner.
///
/// Almost every timer is stopped before its time. Removing the timer from the ordered queue would cost more than the
/// lookup itself. The entry of a stopped timer therefore stays in the queue until the entry is the first one, or until
/// such entries are half of the queue.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// The timers of flights, by the flight's number. Numbers are small, because they are used again.
    flights: Vec<Option<Instant>>,
    others: FxHashMap<Timer, Instant>,
    /// The number of timers that are set.
    set: usize,
    /// An entry for each timer that is set, and entries of timers that were moved or stopped. An entry counts only if
    /// its timer is set to the entry's time.
    queue: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    /// Sets a timer to `at`, or stops the timer.
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

    /// The time to which a timer is set.
    fn at(&self, timer: Timer) -> Option<Instant> {
        match timer {
            Timer::Flight(flight) => self.flights.get(flight).copied().flatten(),
            other => self.others.get(&other).copied(),
        }
    }

    /// The time of the earliest timer.
    pub(super) fn next(&mut self) -> Option<Instant> {
        self.first().map(|(at, _)| at)
    }

    /// A timer whose time has come. The timer stays set until its owner moves or stops it.
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
