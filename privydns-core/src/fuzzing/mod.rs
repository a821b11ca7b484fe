//! What the fuzzer runs: `fuzz/README.md` in the repository says how. No part of the API.
//!
//! A target is a function of the octets that the fuzzer made up. It returns where all is well and panics where
//! not. The fuzzer runs it for as long as it is let; the tests run it over the seeds in `fuzz/seeds`, and over
//! small changes of them, with every change to the code.
//!
//! What every target demands of what it feeds with octets from the network: no panic; the same events however the
//! octets are split; exactly one end for each exchange; no more held than the limits say; and no more sent than
//! what was heard can be answered with.

mod cache;
mod dot;
mod engine;
mod hpack;
mod http1;
mod http2;
mod message;
mod proxy;
mod source;
mod stream;
mod upstream;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod tests;

pub use cache::cache;
pub use dot::dot;
pub use engine::engine;
pub use hpack::{Block, hpack};
pub use http1::http1;
pub use http2::http2;
pub use message::message;
pub use proxy::proxy;
pub use upstream::upstream;

use std::sync::OnceLock;
use std::time::Instant;

/// A moment to count from, the same in all of the process.
fn epoch() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a made-up clock has to begin somewhere")]
    *BEGINNING.get_or_init(Instant::now)
}
