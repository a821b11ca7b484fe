//! Continuous lookups with servers that have faults.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use privydns_tokio::{RecordType, Resolver};
use tokio::time::{sleep, timeout};

use crate::faults::{self, Faulty};
use crate::memory::{mebibytes, peak, resident};

const CALLERS: u64 = 100;

/// The pause between two lookups of a caller.
const PAUSE: Duration = Duration::from_millis(20);

/// One of this many lookups meets a fault, and one of this many is cancelled by its caller.
const FAULT_IN: u64 = 20;
const CANCELLED_IN: u64 = 50;

/// The number of reports during the run.
const REPORTS: u32 = 20;

/// The factor by which memory may grow between the end of the first quarter, when all caches are full, and the
/// end.
const SLACK: f64 = 1.1;

#[derive(Default)]
struct Counts {
    started: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

/// Runs for this many minutes.
pub(crate) fn run(minutes: f64) -> io::Result<()> {
    let servers = Faulty::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let builder = Resolver::builder().upstreams(servers.upstreams.iter().cloned());
    let resolver = builder.build().map_err(io::Error::other)?;
    let length = Duration::from_secs_f64(minutes * 60.0);
    runtime.block_on(async {
        let (started, counts) = (Instant::now(), Arc::new(Counts::default()));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (resolver, counts) = (resolver.clone(), counts.clone());
                tokio::spawn(async move {
                    while started.elapsed() < length {
                        look_up(&resolver, &counts).await;
                        sleep(PAUSE).await;
                    }
                })
            })
            .collect();
        let mut warm = 0;
        for report in 1..=REPORTS {
            sleep(length / REPORTS).await;
            let memory = resident();
            if report == REPORTS / 4 {
                warm = memory;
            }
            print_report(started, &counts, &resolver, memory);
        }
        let grown = resident() as f64 / warm as f64;
        for caller in callers {
            caller.await.map_err(io::Error::other)?;
        }
        println!("peak {}; {grown:.3} times the memory after a quarter of the time", mebibytes(peak()));
        if grown <= SLACK { Ok(()) } else { Err(io::Error::other("memory grows")) }
    })
}

async fn look_up(resolver: &Resolver, counts: &Counts) {
    let number = counts.started.fetch_add(1, Relaxed);
    let faults = faults::all();
    let name = if number.is_multiple_of(FAULT_IN) {
        let (label, _) = &faults[usize::try_from(number / FAULT_IN).unwrap_or(0) % faults.len()];
        format!("n{number}.{label}.wild.example.test.")
    } else {
        format!("n{number}.wild.example.test.")
    };
    let limit = if number.is_multiple_of(CANCELLED_IN) { PAUSE / 1000 } else { Duration::MAX };
    let counter = match timeout(limit, resolver.lookup(&name, RecordType::A)).await {
        Ok(Ok(_)) => &counts.answered,
        Ok(Err(_)) => &counts.failed,
        Err(_) => &counts.cancelled,
    };
    counter.fetch_add(1, Relaxed);
}

fn print_report(started: Instant, counts: &Counts, resolver: &Resolver, memory: u64) {
    let stats = resolver.stats();
    let connections: u64 = stats.upstreams.iter().map(|upstream| upstream.connections_opened).sum();
    println!(
        "{:6.0} s: {} answered, {} failed, {} cancelled; {connections} connections, {} cached; {}",
        started.elapsed().as_secs_f64(),
        counts.answered.load(Relaxed),
        counts.failed.load(Relaxed),
        counts.cancelled.load(Relaxed),
        stats.cache.entries,
        mebibytes(memory)
    );
}
