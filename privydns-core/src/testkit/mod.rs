//! Helpers for the tests, the fuzz targets, the simulation and the benchmarks of this crate. Not part of the API.

mod clock;
pub mod http2;
pub mod message;

pub use clock::{epoch, ms, s};
