//! Random runs: each run follows from one number, and the invariants are checked after every step.

mod answer_log;
mod behaviour;
mod events;
mod run;
mod scenario;
mod statistics;

use std::env;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use run::Run;
pub(crate) use run::WRONGLY_QUEUED;
use statistics::Statistics;

/// The number of runs in a plain `cargo test`, which take some seconds. The gate plays 20,000 in a release build.
const SEEDS: u64 = 500;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Plays a seed, and prints how to replay it if it fails.
fn play(seed: u64) -> (u64, Statistics) {
    panic::catch_unwind(AssertUnwindSafe(|| Run::play(seed, false))).unwrap_or_else(|failure| {
        eprintln!("\nseed {seed} fails. To see it happen, from its beginning:");
        eprintln!(
            "PRIVYDNS_SEED={seed} cargo test -p privydns-core --test simulation replay -- --nocapture\n"
        );
        panic::resume_unwind(failure)
    })
}

/// Plays seeds on all processors. Returns the sum of their statistics, and one hash over their traces.
pub(crate) fn play_all(seeds: Range<u64>) -> (Statistics, u64) {
    let next = AtomicU64::new(seeds.start);
    let statistics = Mutex::new(Statistics::default());
    let hash = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let (sum, played) = play(seed);
                    statistics.lock().expect("no thread fails with it").add(&played);
                    // A sum, because threads play the seeds in any order.
                    hash.fetch_add(sum.wrapping_mul(2 * seed + 1), Ordering::Relaxed);
                    if seed.is_multiple_of(50) {
                        assert_eq!(play(seed).0, sum, "seed {seed} is not the same twice");
                    }
                }
            });
        }
    });
    (statistics.into_inner().expect("no thread fails with it"), hash.into_inner())
}

/// `PRIVYDNS_SEEDS=20000` sets the number of seeds, `PRIVYDNS_FIRST_SEED` the first one.
#[test]
fn random_runs_keep_the_invariants() {
    let first = number("PRIVYDNS_FIRST_SEED").unwrap_or(0);
    let last = first + number("PRIVYDNS_SEEDS").unwrap_or(SEEDS);
    let (statistics, hash) = play_all(first..last);
    println!("{} seeds: {statistics}; trace hash {hash:016x}", last - first);
}

/// Found by this seed: an overdue answer to a probe starts another probe for the same question, which has no attempt
/// left.
#[test]
fn probe_may_end_while_its_silence_is_handled() {
    play(10_768);
}

/// Plays the seed in `PRIVYDNS_SEED`, and prints all inputs and outputs.
#[test]
fn replay() {
    if let Some(seed) = number("PRIVYDNS_SEED") {
        Run::play(seed, true);
    }
}
