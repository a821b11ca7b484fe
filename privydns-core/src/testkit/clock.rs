//! The simulated clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The start of the simulated clock, the same in the whole process. Its position in real time does not matter, because
/// the core reads no clock.
pub fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "an Instant cannot be made in any other way")]
    *EPOCH.get_or_init(Instant::now)
}

/// A duration in milliseconds.
pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A duration in seconds.
pub const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
