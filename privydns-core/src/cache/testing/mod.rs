//! Test support for the cache, used by its tests and by the fuzzer.

pub(crate) mod model;
#[cfg_attr(not(test), expect(dead_code, reason = "the fuzzer uses only a part"))]
pub(crate) mod wire;
