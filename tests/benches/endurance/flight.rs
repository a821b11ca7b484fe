//! A very large number of concurrent lookups with four upstreams.

use std::io;
use std::time::{Duration, Instant};

use privydns_tests::SERVER_NAME;
use privydns_tokio::{Error, RecordType, Resolver, ResolverBuilder, Roots, Strategy, Upstream};

use crate::machine::{self, Side};
use crate::memory::{mebibytes, peak, resident};
use crate::server::Remote;

const UPSTREAMS: usize = 4;

/// The timeout of each lookup. The last lookup waits for all others.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum memory of a lookup in bytes, including its task, its name and its entries in queues.
const BYTES_PER_LOOKUP: u64 = 8 * 1024;

/// Starts this many lookups before the first one ends.
pub(crate) fn run(lookups: usize) -> io::Result<()> {
    let servers: Vec<_> = (0..UPSTREAMS).map(|_| Remote::start()).collect::<Result<_, _>>()?;
    machine::pin(Side::Client { threads: 1 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let resolver = resolver(&servers, lookups).map_err(io::Error::other)?;
    runtime.block_on(async {
        // These lookups open the connections and allocate the buffers.
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
        println!("{lookups} concurrent lookups, {failed} failed, in {time:.2?}");
        for upstream in &stats.upstreams {
            println!(
                "  {}: {} queries, {} failures, {} connections",
                upstream.upstream, upstream.queries, upstream.failures, upstream.connections_opened
            );
        }
        println!("  before: {}, peak: {}", mebibytes(before), mebibytes(peak()));
        println!("  {} bytes per lookup", grown / lookups as u64);
        let is_bounded = failed == 0 && grown / (lookups as u64) < BYTES_PER_LOOKUP;
        if is_bounded { Ok(()) } else { Err(io::Error::other("lookups failed or used too much memory")) }
    })
}

/// All settings are the defaults, except the limits on waiting lookups.
fn resolver(servers: &[Remote], lookups: usize) -> Result<Resolver, Error> {
    let mut builder: ResolverBuilder<Resolver> = Resolver::builder()
        .strategy(Strategy::Spread)
        .max_lookups(lookups)
        .max_waiting(lookups)
        .timeout(TIMEOUT);
    for server in servers {
        let upstream: Upstream = format!("tls://{}#{SERVER_NAME}", server.dot).parse()?;
        builder = builder.upstream(upstream.roots(Roots::from_der([server.root.clone()])?));
    }
    builder.build()
}

/// Each name is in another domain, so that the lookups are spread over all upstreams.
fn name(number: usize) -> String {
    format!("n{number:06}.example.")
}
