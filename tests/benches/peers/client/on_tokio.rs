//! The common part of the clients on tokio.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::{Client, Lookup, scattered};

/// A client that looks up the A record of a name and reports whether the answer arrived.
pub(super) trait Ask: Clone + Send + Sync + 'static {
    fn ask(&self, name: &str) -> impl Future<Output = bool> + Send;
}

/// A client with its runtime, which uses one of tokio's schedulers.
pub(super) struct OnTokio<A> {
    client: A,
    runtime: Runtime,
    threads: usize,
}

impl<A: Ask> OnTokio<A> {
    pub(super) fn start(
        threads: usize,
        connect: impl AsyncFnOnce() -> io::Result<A>,
    ) -> io::Result<Box<dyn Client>> {
        let mut builder =
            if threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        let runtime = builder.worker_threads(threads).enable_all().build()?;
        let client = runtime.block_on(connect())?;
        Ok(Box::new(Self { client, runtime, threads }))
    }
}

impl<A: Ask> Client for OnTokio<A> {
    fn one_by_one(&self, names: &[String]) -> Vec<Duration> {
        self.runtime.block_on(async {
            let mut times = Vec::with_capacity(names.len());
            for name in names {
                let begun = Instant::now();
                assert!(self.client.ask(name).await, "no answer");
                times.push(begun.elapsed());
            }
            times
        })
    }

    fn at_once(&self, names: &Arc<[String]>, in_flight: usize) -> Vec<Lookup> {
        let next = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..in_flight)
            .map(|_| {
                let (client, names, next) = (self.client.clone(), names.clone(), next.clone());
                self.runtime.spawn(async move {
                    let mut lookups = Vec::with_capacity(2 * names.len() / in_flight);
                    while let Some(name) = names.get(next.fetch_add(1, Relaxed)) {
                        let begun = Instant::now();
                        let is_answered = client.ask(name).await;
                        lookups.push(Lookup::new(begun, is_answered));
                    }
                    lookups
                })
            })
            .collect();
        self.runtime.block_on(async {
            let mut lookups = Vec::with_capacity(names.len());
            for caller in callers {
                lookups.extend(caller.await.expect("callers do not panic"));
            }
            lookups
        })
    }

    fn hits(&self, names: &Arc<[String]>, count: usize) -> Duration {
        let begun = Instant::now();
        let callers: Vec<_> = (0..self.threads)
            .map(|_| {
                let (client, names) = (self.client.clone(), names.clone());
                self.runtime.spawn(async move {
                    for name in scattered(&names).take(count) {
                        assert!(client.ask(name).await, "no answer");
                    }
                })
            })
            .collect();
        self.runtime.block_on(async {
            for caller in callers {
                caller.await.expect("callers do not panic");
            }
        });
        begun.elapsed()
    }

    fn notice(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
    }
}
