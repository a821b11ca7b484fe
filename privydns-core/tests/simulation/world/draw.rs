//! A generator of pseudo-random numbers that follow from a seed, the same on every machine and with every version of a
//! dependency, so that a failing seed fails again.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A `SplitMix64` generator.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns an independent generator.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.number())
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.number().to_be_bytes()));
        seed
    }

    pub(crate) fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (first, last) = range.into_inner();
        first + self.number() % (last - first + 1)
    }

    /// An index below `length`.
    pub(crate) fn below(&mut self, length: usize) -> usize {
        usize::try_from(self.number() % length as u64).expect("less than a length")
    }

    /// True with a probability of `chance` percent.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.number() % 100 < chance
    }

    pub(crate) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// A duration in a range of milliseconds, with a resolution of microseconds.
    pub(crate) fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        let (first, last) = range.into_inner();
        Duration::from_micros(self.between(first * 1000..=last * 1000))
    }

    pub(crate) fn octets(&mut self, length: RangeInclusive<u64>) -> Vec<u8> {
        (0..self.between(length)).map(|_| self.number().to_be_bytes()[0]).collect()
    }
}
