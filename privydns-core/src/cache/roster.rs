//! Which keys the store holds, so that entries past their end make room for new ones.
//!
//! The store evicts what is asked for seldom, and does not know that an entry has ended: entries that were
//! popular once would keep newer ones out for long. So each insert looks at a few of the keys in turn, whatever
//! the size of the store. No order of ends is kept, as it would cost a heap that outgrows the store: the ends of
//! entries long evicted would stay in it for up to a week.

/// The keys of a store in a ring, each with the second after which its entry may have ended.
///
/// Every entry has its key here, with its own end. A key may be here without an entry, which the store evicted by
/// itself, or with another end than its entry's, which was renewed: such a key goes in its turn.
#[derive(Debug, Default)]
pub(super) struct Roster {
    slots: Vec<Slot>,
    turn: usize,
}

/// A place, in halves, and an end: twelve octets, as there is one for each entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    place: [u32; 2],
    end: u32,
}

/// What the keeper of the roster says of a key whose turn it is.
pub(super) enum Verdict {
    /// Its entry may be there.
    Keep,
    /// It has no entry, or none any more.
    Drop,
}

impl Roster {
    /// Heap memory for the keys of one entry, those in excess and the vector's room to grow among it.
    pub(super) const BYTES: u64 = 4 * size_of::<Slot>() as u64;

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn push(&mut self, place: u64, end: u32) {
        self.slots.push(Slot::new(place, end));
    }

    /// Goes on by one key. `judge` gets its place and the end known of it.
    pub(super) fn step(&mut self, judge: impl FnOnce(u64, u32) -> Verdict) {
        if self.turn >= self.slots.len() {
            self.turn = 0;
        }
        let Some(slot) = self.slots.get(self.turn) else { return };
        match judge(slot.place(), slot.end) {
            Verdict::Keep => self.turn += 1,
            Verdict::Drop => {
                self.slots.swap_remove(self.turn);
            }
        }
    }

    /// Drops all keys but one of each for which, with its end, `keep` is true.
    pub(super) fn compact(&mut self, keep: impl Fn(u64, u32) -> bool) {
        self.slots.sort_unstable();
        self.slots.dedup();
        self.slots.retain(|slot| keep(slot.place(), slot.end));
    }
}

impl Slot {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the place")]
    fn new(place: u64, end: u32) -> Self {
        Self { place: [(place >> 32) as u32, place as u32], end }
    }

    fn place(self) -> u64 {
        u64::from(self.place[0]) << 32 | u64::from(self.place[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compact_has_each_key_once_that_is_kept() {
        let mut roster = Roster::default();
        for (place, end) in [(7, 60), (1, 60), (1 << 40, 60), (7, 60), (3, 60), (1, 30), (7, 60)] {
            roster.push(place, end);
        }
        roster.compact(|place, end| place != 3 && end == 60);
        let mut places = Vec::new();
        for _ in 0..roster.len() {
            roster.step(|place, _| {
                places.push(place);
                Verdict::Keep
            });
        }
        places.sort_unstable();
        assert_eq!(places, [1, 7, 1 << 40]);
    }
}
