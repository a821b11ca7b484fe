use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::start;
use crate::cache::testing::model::{Choices, hold_against_model};

const STEPS: usize = 3000;
/// What one step takes, on average.
const CHOICES: usize = 6;

/// Choices at random.
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

/// Conformance 37 to 41, in whatever order things happen.
#[test]
fn the_cache_finds_what_its_model_finds() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut choices = Random { rng: StdRng::seed_from_u64(seed), left: CHOICES * STEPS };
        hold_against_model(start(), &mut choices);
    }
}
