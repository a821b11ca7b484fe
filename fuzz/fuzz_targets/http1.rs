#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| privydns_core::fuzzing::http1(input));
