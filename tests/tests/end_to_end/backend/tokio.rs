//! The backend `privydns-tokio`, with each scheduler of tokio.

use std::io;
use std::net::{IpAddr, SocketAddr};

use privydns_core::{Addresses, Answer, Config, Error, Query, Stats, Upstream};
use privydns_tokio::Resolver;
use tokio::runtime::{Builder, Runtime};

use super::{Backend, TestResolver};

/// The current-thread scheduler: the driver runs only while a test waits for a lookup.
pub(crate) struct CurrentThread;

/// The multi-thread scheduler: the driver runs on a worker thread.
pub(crate) struct MultiThread;

impl Backend for CurrentThread {
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error> {
        OnTokio::boxed(config, Builder::new_current_thread())
    }

    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
        runtime.block_on(privydns_tokio::discover(resolver))
    }
}

impl Backend for MultiThread {
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        OnTokio::boxed(config, builder)
    }

    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error> {
        CurrentThread.discover(resolver)
    }
}

struct OnTokio {
    resolver: Resolver,
    runtime: Runtime,
}

impl OnTokio {
    fn boxed(config: Config, mut builder: Builder) -> Result<Box<dyn TestResolver>, Error> {
        let runtime = builder.enable_all().build().expect("a runtime can be built");
        Ok(Box::new(Self { resolver: Resolver::try_from(config)?, runtime }))
    }

    fn spawn(&self, query: Query) -> tokio::task::JoinHandle<Result<Answer, Error>> {
        let resolver = self.resolver.clone();
        self.runtime.spawn(async move { resolver.query(query).await })
    }
}

impl TestResolver for OnTokio {
    fn query(&self, query: Query) -> Result<Answer, Error> {
        self.runtime.block_on(self.resolver.query(query))
    }

    fn query_all(&self, queries: Vec<Query>) -> Vec<Result<Answer, Error>> {
        let lookups: Vec<_> = queries.into_iter().map(|query| self.spawn(query)).collect();
        self.runtime.block_on(async {
            let mut results = Vec::new();
            for lookup in lookups {
                results.push(lookup.await.expect("a lookup does not panic"));
            }
            results
        })
    }

    fn abandon(&self, queries: Vec<Query>, until: &(dyn Fn() + Sync)) {
        let lookups: Vec<_> = queries.into_iter().map(|query| self.spawn(query)).collect();
        std::thread::scope(|scope| {
            let (done, is_done) = tokio::sync::oneshot::channel::<()>();
            scope.spawn(move || {
                until();
                drop(done);
            });
            // On the current-thread scheduler, the runtime runs only within `block_on`.
            _ = self.runtime.block_on(is_done);
        });
        for lookup in lookups {
            lookup.abort();
            _ = self.runtime.block_on(lookup);
        }
    }

    fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        self.runtime.block_on(self.resolver.lookup_ip(name))
    }

    fn addresses(&self, name: &str, take: &mut dyn FnMut(Result<IpAddr, Error>)) {
        self.runtime.block_on(async {
            match self.resolver.addresses(name) {
                Ok(mut addresses) => {
                    while let Some(address) = addresses.next().await {
                        take(address);
                    }
                }
                Err(error) => take(Err(error)),
            }
        });
    }

    fn connect(&self, host: &str, port: u16) -> io::Result<SocketAddr> {
        self.runtime.block_on(self.resolver.connect(host, port))?.peer_addr()
    }

    fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.runtime.block_on(self.resolver.reverse(address))
    }

    fn stats(&self) -> Stats {
        self.resolver.stats()
    }

    fn warm_up(&self) {
        let _here = self.runtime.enter();
        self.resolver.warm_up().expect("the resolver is open");
    }

    fn network_changed(&self) {
        self.resolver.network_changed();
    }

    fn clear_cache(&self) {
        self.resolver.clear_cache();
    }

    fn close(&self) {
        self.runtime.block_on(self.resolver.close());
    }
}
