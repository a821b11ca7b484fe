//! The engine in a simulated world: what it does, and when, to the millisecond of a clock that nobody waits for.
//!
//! The tests of each file are about one thing that callers rely on. [`world`] is what they play in.

mod answers;
mod connections;
mod failures;
mod staleness;
mod world;
