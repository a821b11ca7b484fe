//! The engine in a simulated world: what it does, and when, to the millisecond of a clock that nobody waits for.
//!
//! The tests of each file are about one thing that callers rely on. [`random`] relies on nothing, and plays thousands
//! of runs that a number makes up. [`world`] is what all of them play in.

mod answers;
mod connections;
mod doh;
mod failures;
mod policies;
mod random;
mod staleness;
mod world;
