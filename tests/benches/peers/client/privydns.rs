//! PrivyDNS on each of its runtimes, with default settings.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, iter};

use privydns_async_std::Runtime;
use privydns_core::{CacheSettings, Config, Error, Query, RecordType, Roots, Upstream};
use privydns_tests::SERVER_NAME;
use rustc_hash::FxHashMap;

use super::on_tokio::{Ask, OnTokio};
use super::{Carrier, Client, Lookup, Scene, scattered};

pub(super) fn tokio(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let resolver = config(scene).and_then(privydns_tokio::Resolver::try_from).map_err(io::Error::other)?;
    OnTokio::start(scene.threads, async || Ok(resolver))
}

pub(super) fn blocking(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let resolver = config(scene).and_then(privydns_blocking::Resolver::try_from).map_err(io::Error::other)?;
    Ok(Box::new(Blocking { resolver, threads: scene.threads }))
}

pub(super) fn smol(scene: &Scene<'_>) -> io::Result<Box<dyn Client>> {
    let resolver = config(scene).and_then(|config| privydns_async_std::Resolver::on(Runtime::Smol, config));
    Ok(Box::new(Smol { resolver: resolver.map_err(io::Error::other)?, threads: scene.threads }))
}

fn config(scene: &Scene<'_>) -> Result<Config, Error> {
    let upstream = match scene.carrier {
        Carrier::Dot => format!("tls://{}#{SERVER_NAME}", scene.server.dot),
        Carrier::Http2 => {
            let address = scene.server.http2;
            format!("https://{SERVER_NAME}:{}/dns-query#ip={}", address.port(), address.ip())
        }
    };
    let roots = Roots::from_der([scene.server.root.clone()])?;
    let mut builder = Config::builder().upstream(upstream.parse::<Upstream>()?.roots(roots));
    if let Some(entries) = scene.cache_entries {
        // The cache gets as many bytes as these entries need, with some reserve, so that no entry is evicted.
        let entries = entries as u64 * 11 / 10;
        builder = builder.cache(CacheSettings::default().max_entries(entries).max_bytes(entries * 1024));
    }
    builder.build()
}

impl Ask for privydns_tokio::Resolver {
    async fn ask(&self, name: &str) -> bool {
        self.lookup(name, RecordType::A).await.is_ok_and(|answer| answer.addresses().next().is_some())
    }
}

/// The blocking client, with callers on as many threads as there are.
struct Blocking {
    resolver: privydns_blocking::Resolver,
    threads: usize,
}

impl Client for Blocking {
    fn one_by_one(&self, names: &[String]) -> Vec<Duration> {
        let ask = |name: &String| {
            let started = Instant::now();
            let answer = self.resolver.lookup(name, RecordType::A).expect("an answer");
            assert!(answer.addresses().next().is_some(), "no address");
            started.elapsed()
        };
        names.iter().map(ask).collect()
    }

    /// Each thread gets a share of the names and of the concurrent lookups.
    fn at_once(&self, names: &Arc<[String]>, in_flight: usize) -> Vec<Lookup> {
        let next = AtomicUsize::new(0);
        let at_most = (in_flight / self.threads).max(1);
        let run = || {
            let mut lookups = Vec::with_capacity(2 * names.len() / self.threads);
            // Start times by name, because answers arrive in any order.
            let started = RefCell::new(FxHashMap::default());
            let queries = iter::from_fn(|| names.get(next.fetch_add(1, Relaxed))).map(|name| {
                let query = Query::new(name, RecordType::A).expect("a name");
                started.borrow_mut().insert(query.name().clone(), Instant::now());
                query
            });
            for (query, answer) in self.resolver.lookup_many(queries).at_most(at_most) {
                let is_answered = answer.is_ok_and(|answer| answer.addresses().next().is_some());
                let started = started.borrow_mut().remove(query.name()).expect("the name was looked up");
                lookups.push(Lookup::new(started, is_answered));
            }
            lookups
        };
        on_threads(self.threads, run).concat()
    }

    fn hits(&self, names: &Arc<[String]>, count: usize) -> Duration {
        let started = Instant::now();
        on_threads(self.threads, || {
            for name in scattered(names).take(count) {
                let answer = self.resolver.lookup(name, RecordType::A).expect("an answer");
                assert!(answer.addresses().next().is_some(), "no address");
            }
        });
        started.elapsed()
    }
}

/// Runs a function on this many threads, and returns the results.
fn on_threads<T: Send>(threads: usize, run: impl Fn() -> T + Sync) -> Vec<T> {
    if threads == 1 {
        return vec![run()];
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(&run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("callers do not panic")).collect()
    })
}

/// Callers on this thread, and the driver on the thread of smol's executor.
struct Smol {
    resolver: privydns_async_std::Resolver,
    threads: usize,
}

impl Client for Smol {
    fn one_by_one(&self, names: &[String]) -> Vec<Duration> {
        smol::block_on(async {
            let mut times = Vec::with_capacity(names.len());
            for name in names {
                let started = Instant::now();
                let answer = self.resolver.lookup(name, RecordType::A).await.expect("an answer");
                assert!(answer.addresses().next().is_some(), "no address");
                times.push(started.elapsed());
            }
            times
        })
    }

    fn at_once(&self, names: &Arc<[String]>, in_flight: usize) -> Vec<Lookup> {
        let next = AtomicUsize::new(0);
        let caller = async || {
            let mut lookups = Vec::with_capacity(2 * names.len() / in_flight);
            while let Some(name) = names.get(next.fetch_add(1, Relaxed)) {
                let started = Instant::now();
                let answer = self.resolver.lookup(name, RecordType::A).await;
                let is_answered = answer.is_ok_and(|answer| answer.addresses().next().is_some());
                lookups.push(Lookup::new(started, is_answered));
            }
            lookups
        };
        let executor = smol::LocalExecutor::new();
        let callers: Vec<_> = (0..in_flight).map(|_| executor.spawn(caller())).collect();
        smol::block_on(executor.run(async {
            let mut lookups = Vec::with_capacity(names.len());
            for caller in callers {
                lookups.extend(caller.await);
            }
            lookups
        }))
    }

    /// The threads belong to the callers: cache hits do not involve the driver.
    fn hits(&self, names: &Arc<[String]>, count: usize) -> Duration {
        let started = Instant::now();
        let run = || {
            smol::block_on(async {
                for name in scattered(names).take(count) {
                    let answer = self.resolver.lookup(name, RecordType::A).await.expect("an answer");
                    assert!(answer.addresses().next().is_some(), "no address");
                }
            });
        };
        on_threads(self.threads, run);
        started.elapsed()
    }
}
