//! The pause before an upstream is tried again within one lookup.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The first pause. Short, since a lookup's whole life is a few seconds.
const FIRST: Duration = Duration::from_millis(50);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(1);

/// The pause before the repeat number `repeat` (from 0): doubled each time, its second half drawn at random,
/// so that clients that failed together do not return together.
pub(crate) fn pause(repeat: u32, random: &mut impl Rng) -> Duration {
    let whole = FIRST.saturating_mul(1 << repeat.min(10)).min(LONGEST);
    whole / 2 + (whole / 2).mul_f64(random.random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn pauses_double_within_their_jitter_up_to_the_longest() {
        let mut random = StdRng::from_seed([7; 32]);
        for repeat in 0..40 {
            let whole = FIRST.saturating_mul(1 << repeat.min(10)).min(LONGEST);
            let pause = pause(repeat, &mut random);
            assert!(pause >= whole / 2 && pause <= whole, "{repeat}: {pause:?}");
        }
    }
}
