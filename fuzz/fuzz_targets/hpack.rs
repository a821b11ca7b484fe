#![no_main]

#[path = "../../privydns-core/src/fuzzing/reference.rs"]
mod reference;

use privydns_core::fuzzing::{Block, hpack};
use reference::Reference;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut reference = Reference::new();
    hpack(input, &mut |block, came_to| match came_to {
        Block::Whole(fields) => reference.agrees(block, true, fields),
        Block::Broken(fields) => reference.agrees(block, false, fields),
    });
});
