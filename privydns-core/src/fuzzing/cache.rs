//! Fuzz target: the cache, compared with a model.

use super::source::Source;
use crate::cache::testing::model::{Choices, hold_against_model};
use crate::testkit::epoch;

/// A sequence of lookups, answers and time steps.
pub fn cache(input: &[u8]) {
    hold_against_model(epoch(), &mut Source::new(input));
}

impl Choices for Source<'_> {
    fn below(&mut self, bound: usize) -> Option<usize> {
        (!self.is_empty()).then(|| Source::below(self, bound))
    }
}
