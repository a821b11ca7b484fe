//! The measured code: runs one operation a given number of times.
//!
//! The benchmark compiles this module for lints and for the smoke test. For the measurement, a separate package
//! compiles the module with `ring`: `program.rs` and `program.toml`.

mod core_only;
#[path = "../../peers/client/floor_query.rs"]
mod floor_query;
#[path = "../../peers/client/multiplexer.rs"]
mod multiplexer;
mod network;
#[allow(dead_code, reason = "the benchmarks of the core have other servers as well")]
#[path = "../../../../privydns-core/benches/core/peer.rs"]
mod peer;
#[path = "../../../../privydns-core/benches/core/world.rs"]
mod world;

use std::net::SocketAddr;

use tokio::runtime::Runtime;

pub(crate) use network::{CACHED, IN_FLIGHT};

/// The most operations of one run. Every run creates the names of all, so that their creation cancels out.
const MOST_OPERATIONS: usize = 2_000;

/// The operation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A lookup over DNS over TLS, with one in flight.
    DotWarm,
    DotWarmFloor,
    /// A lookup over DNS over TLS, with 100 in flight.
    Dot100,
    Dot100Floor,
    /// A lookup over HTTP/2, with 100 in flight.
    Doh100,
    /// A lookup that the cache answers.
    Hit,
    /// A lookup of the engine without a network, whose answer is kept.
    EngineCached,
    /// The same with a cache that keeps no answer.
    EngineUncached,
    /// A parse of an answer with five records.
    Parse,
}

/// The server of a run.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) name: String,
    /// The root certificate, as DER.
    pub(crate) root: Vec<u8>,
}

impl Operation {
    pub(crate) const ALL: [Self; 9] = [
        Self::DotWarm,
        Self::DotWarmFloor,
        Self::Dot100,
        Self::Dot100Floor,
        Self::Doh100,
        Self::Hit,
        Self::EngineCached,
        Self::EngineUncached,
        Self::Parse,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DotWarm => "dot-warm",
            Self::DotWarmFloor => "dot-warm-floor-mux",
            Self::Dot100 => "dot-100",
            Self::Dot100Floor => "dot-100-floor-mux",
            Self::Doh100 => "doh-100",
            Self::Hit => "cache-hit",
            Self::EngineCached => "engine-cached",
            Self::EngineUncached => "engine-uncached",
            Self::Parse => "parse",
        }
    }

    /// Runs the operation `count` times.
    ///
    /// # Panics
    /// Without an answer.
    pub(crate) fn run(self, count: usize, server: &Server, runtime: &Runtime) {
        assert!(count <= MOST_OPERATIONS, "at most {MOST_OPERATIONS} operations");
        match self {
            Self::DotWarm => network::one_by_one(runtime, count, network::privydns(server, "tls")),
            Self::DotWarmFloor => network::one_by_one(runtime, count, network::floor(server)),
            Self::Dot100 => network::at_once(runtime, count, network::privydns(server, "tls")),
            Self::Dot100Floor => network::at_once(runtime, count, network::floor(server)),
            Self::Doh100 => network::at_once(runtime, count, network::privydns(server, "https")),
            Self::Hit => network::hits(runtime, count, network::privydns(server, "tls")),
            Self::EngineCached => core_only::lookups(count, 10_000),
            Self::EngineUncached => core_only::lookups(count, 0),
            Self::Parse => core_only::parses(count),
        }
    }
}

/// As many names as the longest run asks for.
fn names() -> impl Iterator<Item = String> {
    (0..MOST_OPERATIONS).map(|number| format!("n{number:09}.bench.example."))
}
