//! Where the fuzzer begins: real exchanges, and one input for each kind of oddity that peers are known for.
//!
//! Each is written down here and kept as a file in `fuzz/seeds`, named for what is in it.

mod connections;
mod engines;
mod messages;
mod texts;

/// Seeds of one target: file names and octets.
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
