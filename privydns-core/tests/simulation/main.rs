//! Simulation tests: the engine in a simulated network under a simulated clock, checked to the millisecond.
//!
//! Each file tests one topic. [`random`] plays thousands of runs that follow from a seed, and checks invariants.
//! [`world`] is the simulation itself. [`faults`] asserts the wrong values of known faults.
//!
//! ```text
//! cargo test -p privydns-core --test simulation                          all of it, with some hundred made-up runs
//! PRIVYDNS_SEEDS=20000 cargo test --release -p privydns-core --test simulation random -- --nocapture
//! PRIVYDNS_SEED=712 cargo test -p privydns-core --test simulation replay -- --nocapture     one run, in words
//! ```
//!
//! A failing random run is replayed and understood, and becomes a named test in another file: its seed stands for
//! another run as soon as the generator of runs changes.

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
