//! Very many lookups in flight at once over four upstreams.

use std::io;
use std::time::{Duration, Instant};

use privydns_tests::SERVER_NAME;
use privydns_tokio::{Error, RecordType, Resolver, ResolverBuilder, Roots, Strategy, Upstream};

use crate::machine::{self, Side};
use crate::memory::{mebibytes, peak, resident};
use crate::server::Remote;

const UPSTREAMS: usize = 4;

/// For all of them: the last has to wait for the others.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a lookup may take at the most, with its task, its name, and its place in every queue.
const OCTETS_A_LOOKUP: u64 = 8 * 1024;

/// Has so many lookups begun before the first ends.
pub(crate) fn run(lookups: usize) -> io::Result<()> {
    let servers: Vec<_> = (0..UPSTREAMS).map(|_| Remote::start()).collect::<Result<_, _>>()?;
    machine::pin(Side::Client { threads: 1 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let resolver = resolver(&servers, lookups).map_err(io::Error::other)?;
    runtime.block_on(async {
        // Every upstream has its connections, and every buffer is there.
        for number in 0..100 {
            resolver.lookup(&name(number), RecordType::A).await.map_err(io::Error::other)?;
        }
        let (before, begun) = (resident(), Instant::now());
        let tasks: Vec<_> = (100..lookups + 100)
            .map(|number| {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.lookup(&name(number), RecordType::A).await.map(drop) })
            })
            .collect();
        let mut failed = 0;
        for task in tasks {
            failed += usize::from(task.await.map_err(io::Error::other)?.is_err());
        }
        let (time, grown) = (begun.elapsed(), peak().saturating_sub(before));
        let stats = resolver.stats();
        println!("{lookups} lookups at once, {failed} failed, in {time:.2?}");
        for upstream in &stats.upstreams {
            println!(
                "  {}: {} queries, {} failures, {} connections",
                upstream.upstream, upstream.queries, upstream.failures, upstream.connections_opened
            );
        }
        println!("  before {}, at the most {}", mebibytes(before), mebibytes(peak()));
        println!("  {} octets a lookup", grown / lookups as u64);
        let is_bounded = failed == 0 && grown / (lookups as u64) < OCTETS_A_LOOKUP;
        if is_bounded { Ok(()) } else { Err(io::Error::other("lookups failed, or took too much memory")) }
    })
}

/// Every default but for the limits on what waits.
fn resolver(servers: &[Remote], lookups: usize) -> Result<Resolver, Error> {
    let mut builder: ResolverBuilder<Resolver> = Resolver::builder()
        .strategy(Strategy::Spread)
        .max_lookups(lookups)
        .max_waiting(lookups)
        .timeout(PATIENCE);
    for server in servers {
        let upstream: Upstream = format!("tls://{}#{SERVER_NAME}", server.dot).parse()?;
        builder = builder.upstream(upstream.roots(Roots::from_der([server.root.clone()])?));
    }
    builder.build()
}

/// Each in a domain of its own, so that they are spread over the upstreams.
fn name(number: usize) -> String {
    format!("n{number:06}.example.")
}
