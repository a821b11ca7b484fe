//! The bodies of the fuzz targets; `fuzz/README.md` in the repository explains how to run them. Not part of the API.
//!
//! A target is a function of bytes from the fuzzer. It returns if all checks pass, and panics otherwise. The fuzzer
//! runs a target for a given time; the tests run it over the seeds in `fuzz/seeds` and small changes of them, with
//! every change to the code.
//!
//! Targets for bytes from the network check: no panic; the same events however the bytes are split; exactly one end for
//! each query; memory within the limits; and a bounded amount of sent data for the received data.

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

pub use crate::connection::{Dot, Event, Http1, Http2, Key, Machine};
pub use crate::doh::Endpoint;
pub use cache::cache;
pub use dot::dot;
pub use engine::engine;
pub use hpack::{Block, hpack};
pub use http1::http1;
pub use http2::http2;
pub use message::message;
pub use proxy::proxy;
pub use upstream::upstream;
