//! The pause before an upstream is tried again within one lookup.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The first pause. Short: most often it is one connection that was lost.
const FIRST: Duration = Duration::from_millis(125);
/// How much longer each pause is than the one before. With three attempts the last comes 0.8 to 1.2 s after the
/// first, so that a server that is restarted meanwhile is there again.
const GROWTH: u32 = 8;
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(1);
/// The share of a pause that is drawn at random, so that clients that failed together do not return together.
const JITTER: f64 = 0.25;

/// The pause before the repeat number `repeat` (from 0).
pub(crate) fn pause(repeat: u32, random: &mut impl Rng) -> Duration {
    whole(repeat).mul_f64(1.0 - JITTER * random.random::<f64>())
}

fn whole(repeat: u32) -> Duration {
    FIRST.saturating_mul(GROWTH.saturating_pow(repeat)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn pauses_grow_within_their_jitter_up_to_the_longest() {
        let mut random = StdRng::from_seed([7; 32]);
        for repeat in 0..40 {
            let pause = pause(repeat, &mut random);
            assert!(
                pause >= whole(repeat).mul_f64(1.0 - JITTER) && pause <= whole(repeat),
                "{repeat}: {pause:?}"
            );
        }
        assert_eq!(whole(40), LONGEST);
    }

    #[test]
    fn three_attempts_outlast_a_restart() {
        for seed in 0..100 {
            let mut random = StdRng::from_seed([seed; 32]);
            let last = pause(0, &mut random) + pause(1, &mut random);
            assert!(last > Duration::from_millis(800) && last < Duration::from_millis(1200), "{last:?}");
        }
    }
}
