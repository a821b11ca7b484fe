use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cache::testing::model::{Choices, hold_against_model};
use crate::testkit::epoch;

const STEPS: usize = 3000;
/// The average number of choices per step.
const CHOICES: usize = 6;

/// Random choices.
struct Random {
    rng: StdRng,
    left: usize,
}

impl Choices for Random {
    fn below(&mut self, bound: usize) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        Some(self.rng.random_range(0..bound))
    }
}

/// Conformance 37 to 41, with operations in random order.
#[test]
fn cache_agrees_with_its_model() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut choices = Random { rng: StdRng::seed_from_u64(seed), left: CHOICES * STEPS };
        hold_against_model(epoch(), &mut choices);
    }
}
