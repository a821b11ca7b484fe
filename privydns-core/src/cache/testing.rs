//! What the cache is tested with, by its own tests and by the fuzzer.

pub(crate) mod model;
#[cfg_attr(not(test), expect(dead_code, reason = "the fuzzer needs less of it than the tests"))]
pub(crate) mod wire;
