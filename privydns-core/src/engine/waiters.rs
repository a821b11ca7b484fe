//! The callers of a flight, in the order in which they stop waiting.

use std::collections::BTreeSet;
use std::time::Instant;

use super::io::LookupId;

/// A caller, and when it stops waiting.
pub(super) type Waiter = (Instant, LookupId);

/// Those who wait for one flight. Mostly that is one, who costs no allocation; and it may be ten thousand, each of
/// whom comes and goes without a search.
#[derive(Debug, Default)]
pub(super) enum Waiters {
    #[default]
    None,
    One(Waiter),
    Many(BTreeSet<Waiter>),
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// The one who stops waiting first.
    pub(super) fn first(&self) -> Option<Waiter> {
        match self {
            Self::None => None,
            Self::One(waiter) => Some(*waiter),
            Self::Many(waiters) => waiters.first().copied(),
        }
    }

    pub(super) fn insert(&mut self, waiter: Waiter) {
        match self {
            Self::None => *self = Self::One(waiter),
            Self::One(other) => *self = Self::Many(BTreeSet::from([*other, waiter])),
            Self::Many(waiters) => {
                waiters.insert(waiter);
            }
        }
    }

    pub(super) fn remove(&mut self, waiter: Waiter) {
        match self {
            Self::One(other) if *other == waiter => *self = Self::None,
            Self::Many(waiters) => {
                waiters.remove(&waiter);
            }
            Self::None | Self::One(_) => {}
        }
    }
}

impl IntoIterator for Waiters {
    type Item = Waiter;
    type IntoIter =
        std::iter::Chain<std::option::IntoIter<Waiter>, std::collections::btree_set::IntoIter<Waiter>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::None => (None, BTreeSet::new()),
            Self::One(waiter) => (Some(waiter), BTreeSet::new()),
            Self::Many(waiters) => (None, waiters),
        };
        one.into_iter().chain(many)
    }
}

impl Extend<Waiter> for Waiters {
    fn extend<I: IntoIterator<Item = Waiter>>(&mut self, waiters: I) {
        waiters.into_iter().for_each(|waiter| self.insert(waiter));
    }
}
