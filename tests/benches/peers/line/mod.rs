//! The lines of the benchmark. A line is one situation that all clients are measured in, in turn.

mod cold;
mod hits;
mod load;
mod warm;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::client::{Carrier, Contestant, Scene, contestants};
use crate::machine::{self, Side};
use crate::measure::Measure;
use crate::server::Remote;

/// A situation to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A client's first lookup, including the connection setup.
    Cold { carrier: Carrier, is_resumed: bool },
    /// A hundred concurrent first lookups.
    Herd { carrier: Carrier },
    /// Sequential lookups over one connection.
    Warm { carrier: Carrier },
    /// Many concurrent lookups.
    Load { carrier: Carrier, in_flight: usize, threads: usize },
    /// Lookups that the cache answers.
    Hits { entries: usize, threads: usize },
    /// The growth of load, only for the clients with the highest throughput.
    LoadGrowth { in_flight: usize },
    /// The growth of cache hits.
    HitsGrowth { entries: usize },
}

/// The effort for one figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// The approximate time for one client in one round.
    pub(crate) time: Duration,
}

impl Line {
    /// All lines, in the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let mut lines = Vec::new();
        for carrier in [Carrier::Dot, Carrier::Http2] {
            lines.push(Self::Cold { carrier, is_resumed: false });
            lines.push(Self::Cold { carrier, is_resumed: true });
            lines.push(Self::Herd { carrier });
            lines.push(Self::Warm { carrier });
            for in_flight in [100, 1000] {
                lines.extend([1, 2].map(|threads| Self::Load { carrier, in_flight, threads }));
            }
        }
        lines.extend([1, 2].map(|threads| Self::Hits { entries: 1000, threads }));
        lines.extend([1, 10, 100, 1000, 10_000].map(|in_flight| Self::LoadGrowth { in_flight }));
        lines.extend([1000, 10_000, 100_000, 1_000_000].map(|entries| Self::HitsGrowth { entries }));
        lines
    }

    /// Whether the line runs if no line is selected.
    pub(crate) fn is_run_unnamed(self) -> bool {
        !matches!(self, Self::LoadGrowth { .. } | Self::HitsGrowth { .. })
    }

    /// Lines that fill a cache have fewer rounds, because filling takes long.
    pub(crate) fn rounds(self, effort: Effort) -> usize {
        match self {
            Self::HitsGrowth { entries } if entries > 10_000 => 1,
            _ => effort.rounds,
        }
    }

    /// The name in arguments and files.
    pub(crate) fn name(self) -> String {
        let of = |carrier, what: &str| match carrier {
            Carrier::Dot => format!("dot-{what}"),
            Carrier::Http2 => format!("doh-{what}"),
        };
        match self {
            Self::Cold { carrier, is_resumed: false } => of(carrier, "cold"),
            Self::Cold { carrier, is_resumed: true } => of(carrier, "resumed"),
            Self::Herd { carrier } => of(carrier, "herd"),
            Self::Warm { carrier } => of(carrier, "warm"),
            Self::Load { carrier, in_flight, threads: 1 } => of(carrier, &in_flight.to_string()),
            Self::Load { carrier, in_flight, threads } => {
                of(carrier, &format!("{in_flight}-threads-{threads}"))
            }
            Self::Hits { entries, threads: 1 } => format!("hits-{}k", entries / 1000),
            Self::Hits { entries, threads } => format!("hits-{}k-threads-{threads}", entries / 1000),
            Self::LoadGrowth { in_flight } => format!("growth-flight-{in_flight}"),
            Self::HitsGrowth { entries } => format!("growth-cache-{}k", entries / 1000),
        }
    }

    pub(crate) fn carrier(self) -> Carrier {
        match self {
            Self::Cold { carrier, .. }
            | Self::Herd { carrier }
            | Self::Warm { carrier }
            | Self::Load { carrier, .. } => carrier,
            Self::Hits { .. } | Self::LoadGrowth { .. } | Self::HitsGrowth { .. } => Carrier::Dot,
        }
    }

    pub(crate) fn measures(self) -> &'static [Measure] {
        match self {
            Self::Cold { .. } => cold::MEASURES,
            Self::Herd { .. } => cold::HERD_MEASURES,
            Self::Warm { .. } => warm::MEASURES,
            Self::Load { .. } | Self::LoadGrowth { .. } => load::MEASURES,
            Self::Hits { .. } | Self::HitsGrowth { .. } => hits::MEASURES,
        }
    }

    /// The clients that are measured. The first is the floor, if there is one.
    pub(crate) fn contestants(self) -> Vec<Contestant> {
        let mut all = contestants(self.carrier()).to_vec();
        all.retain(|Contestant { name, .. }| match self {
            // This client supports only one query at a time.
            Self::Load { .. } | Self::Herd { .. } => *name != "floor-raw",
            // A floor has no cache, and only one connection, after which it ends.
            Self::Cold { is_resumed: true, .. } | Self::Hits { .. } => !name.starts_with("floor"),
            Self::Cold { .. } | Self::Warm { .. } => true,
            Self::LoadGrowth { .. } => ["floor-mux", "privydns-tokio", "privydns-blocking"].contains(name),
            Self::HitsGrowth { .. } => *name == "privydns-tokio",
        });
        all
    }

    /// Measures one client in one round. The figures are in the order of the measures.
    pub(crate) fn sample(
        self,
        contestant: Contestant,
        server: &Remote,
        effort: Effort,
    ) -> io::Result<Vec<f64>> {
        let threads = match self {
            Self::Load { threads, .. } | Self::Hits { threads, .. } => threads,
            _ => 1,
        };
        let cache_entries = match self {
            Self::Hits { entries, .. } | Self::HitsGrowth { entries } => Some(entries),
            _ => None,
        };
        machine::pin(Side::Client { threads });
        let scene = Scene { server, carrier: self.carrier(), threads, cache_entries };
        match self {
            Self::Cold { is_resumed, .. } => cold::sample(contestant, &scene, effort, is_resumed),
            Self::Herd { .. } => cold::herd(contestant, &scene),
            Self::Warm { .. } => warm::sample(contestant, &scene, effort),
            Self::Load { in_flight, .. } | Self::LoadGrowth { in_flight } => {
                load::sample(contestant, &scene, effort, in_flight)
            }
            Self::Hits { entries, .. } | Self::HitsGrowth { entries } => {
                hits::sample(contestant, &scene, effort, entries)
            }
        }
    }
}

/// Names that this process has not looked up before.
fn fresh_names(count: usize) -> Arc<[String]> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let name = || format!("n{:09}.bench.example.", LAST.fetch_add(1, Relaxed));
    (0..count).map(|_| name()).collect()
}
