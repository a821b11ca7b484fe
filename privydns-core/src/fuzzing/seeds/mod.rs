//! Seeds for the fuzzer: real exchanges, and one input for each known irregularity of peers.
//!
//! Each seed is defined here and stored as a file in `fuzz/seeds`, named for its content.

mod connections;
mod engines;
mod messages;
mod texts;

/// The seeds of one target: file names and bytes.
type Seeds = Vec<(&'static str, Vec<u8>)>;

pub(super) fn all() -> Vec<(&'static str, Seeds)> {
    vec![
        ("cache", engines::cache()),
        ("dot", connections::dot()),
        ("engine", engines::engine()),
        ("hpack", connections::hpack()),
        ("http1", connections::http1()),
        ("http2", connections::http2()),
        ("message", messages::message()),
        ("proxy", texts::proxy()),
        ("upstream", texts::upstream()),
    ]
}
