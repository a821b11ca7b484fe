//! The engine in a simulated world: what it does, and when, to the millisecond of a clock that nobody waits for.
//!
//! The tests of each file are about one thing that callers rely on. [`random`] relies on nothing, and plays thousands
//! of runs that a number makes up. [`world`] is what all of them play in. [`faults`] asserts the wrong values of known
//! faults.
//!
//! ```text
//! cargo test -p privydns-core --test simulation                          all of it, with some hundred made-up runs
//! PRIVYDNS_SEEDS=20000 cargo test --release -p privydns-core --test simulation random -- --nocapture
//! PRIVYDNS_SEED=712 cargo test -p privydns-core --test simulation replay -- --nocapture     one run, in words
//! ```
//!
//! A made-up run that fails is replayed, understood, and becomes a test with a name in one of the other files: the
//! number means another run as soon as the runs are made otherwise.

mod answers;
mod connections;
mod doh;
mod failures;
mod faults;
mod logging;
mod policies;
mod random;
mod staleness;
mod time;
mod world;
