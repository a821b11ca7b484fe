//! The backend `privydns-blocking`, which has no runtime: a waiting thread drives the I/O.

use std::io;
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use privydns_blocking::Resolver;
use privydns_core::{Addresses, Answer, Config, Error, Query, RecordType, Stats, Upstream};

use super::{Backend, TestResolver};

/// The number of threads that run lookups at the same time.
const THREADS: usize = 8;

pub(crate) struct Blocking;

impl Backend for Blocking {
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error> {
        Ok(Box::new(Resolver::try_from(config)?))
    }

    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error> {
        privydns_blocking::discover(resolver)
    }
}

impl TestResolver for Resolver {
    fn query(&self, query: Query) -> Result<Answer, Error> {
        self.query(query)
    }

    /// Uses several threads, each with a batch of queries.
    fn query_all(&self, queries: Vec<Query>) -> Vec<Result<Answer, Error>> {
        thread::scope(|scope| {
            let batches = queries.chunks(queries.len().div_ceil(THREADS).max(1));
            let threads: Vec<_> = batches.map(|batch| scope.spawn(|| query_batch(self, batch))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a lookup does not panic")).collect()
        })
    }

    fn abandon(&self, queries: Vec<Query>, until: &(dyn Fn() + Sync)) {
        // This query is answered without a server. When its result is here, the other queries have started.
        let local = Query::new("localhost", RecordType::A).expect("a name");
        let mut lookups = self.lookup_many(iter::once(local).chain(queries));
        lookups.next();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Relaxed) {
                    _ = self.drive(Duration::from_millis(10));
                }
            });
            until();
            is_done.store(true, Relaxed);
        });
    }

    fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        self.lookup_ip(name)
    }

    fn addresses(&self, name: &str, take: &mut dyn FnMut(Result<IpAddr, Error>)) {
        match self.addresses(name) {
            Ok(addresses) => addresses.for_each(take),
            Err(error) => take(Err(error)),
        }
    }

    fn connect(&self, host: &str, port: u16) -> io::Result<SocketAddr> {
        self.connect(host, port)?.peer_addr()
    }

    fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.reverse(address)
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
        self.close();
    }
}

/// Returns the results in the order of the queries, although they arrive in any order.
fn query_batch(resolver: &Resolver, queries: &[Query]) -> Vec<Result<Answer, Error>> {
    let mut results: Vec<_> = queries.iter().map(|_| None).collect();
    for (query, result) in resolver.lookup_many(queries.iter().cloned()) {
        let is_match = |index: &usize| results[*index].is_none() && queries[*index] == query;
        let index = (0..queries.len()).find(is_match).expect("every query has one result");
        results[index] = Some(result);
    }
    results.into_iter().map(|result| result.expect("every query has a result")).collect()
}
