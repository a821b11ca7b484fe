//! The backend `privydns-async-std`, with each of its executors.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use privydns_async_std::{Resolver, Runtime};
use privydns_core::{Addresses, Answer, Config, Error, Query, Stats, Upstream};

use super::{Backend, TestResolver};

/// The executor of async-std.
pub(crate) struct AsyncStd;

/// The executor of smol.
pub(crate) struct Smol;

impl Backend for AsyncStd {
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error> {
        Ok(Box::new(Resolver::on(Runtime::AsyncStd, config)?))
    }

    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error> {
        block_on(privydns_async_std::discover_on(Runtime::AsyncStd, resolver))
    }
}

impl Backend for Smol {
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error> {
        Ok(Box::new(Resolver::on(Runtime::Smol, config)?))
    }

    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error> {
        block_on(privydns_async_std::discover_on(Runtime::Smol, resolver))
    }
}

/// Any executor can poll the futures, because the drivers have their own threads.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    smol::block_on(future)
}

/// Starts each query in a separate task, like independent callers.
fn spawn(resolver: &Resolver, queries: Vec<Query>) -> Vec<smol::Task<Result<Answer, Error>>> {
    let spawn = |query| {
        let resolver = resolver.clone();
        smol::spawn(async move { resolver.query(query).await })
    };
    queries.into_iter().map(spawn).collect()
}

impl TestResolver for Resolver {
    fn query(&self, query: Query) -> Result<Answer, Error> {
        block_on(self.query(query))
    }

    fn query_all(&self, queries: Vec<Query>) -> Vec<Result<Answer, Error>> {
        spawn(self, queries).into_iter().map(block_on).collect()
    }

    fn abandon(&self, queries: Vec<Query>, until: &(dyn Fn() + Sync)) {
        let lookups = spawn(self, queries);
        until();
        for lookup in lookups {
            block_on(lookup.cancel());
        }
    }

    fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        block_on(self.lookup_ip(name))
    }

    fn addresses(&self, name: &str, take: &mut dyn FnMut(Result<IpAddr, Error>)) {
        block_on(async {
            match self.addresses(name) {
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
        block_on(self.connect(host, port))?.get_ref().peer_addr()
    }

    fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        block_on(self.reverse(address))
    }

    fn stats(&self) -> Stats {
        self.stats()
    }

    fn warm_up(&self) {
        self.warm_up().expect("the resolver is open");
    }

    fn network_changed(&self) {
        self.network_changed();
    }

    fn clear_cache(&self) {
        self.clear_cache();
    }

    fn close(&self) {
        block_on(self.close());
    }
}
