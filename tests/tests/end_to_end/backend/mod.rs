//! The interface that a runtime crate implements to run all suites.
//!
//! The suites are plain functions that block. A backend needs only a resolver that is built from a [`Config`]
//! and answers [`Query`]s; how it runs lookups, and on which threads, does not matter.

pub(crate) mod async_std;
pub(crate) mod blocking;
pub(crate) mod tokio;

use std::io;
use std::net::{IpAddr, SocketAddr};

use privydns_core::{Addresses, Answer, Config, Error, Query, RecordType, Stats, Upstream};

/// A runtime that drives resolvers.
pub(crate) trait Backend: Send + Sync {
    /// Builds a resolver and starts what drives it.
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error>;

    /// Discovers the resolvers that a resolver designates.
    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error>;
}

/// A resolver with blocking methods, as the suites use it.
pub(crate) trait TestResolver: Send + Sync {
    /// Resolves a query.
    fn query(&self, query: Query) -> Result<Answer, Error>;

    /// Resolves several queries at once. The results are in the order of the queries.
    fn query_all(&self, queries: Vec<Query>) -> Vec<Result<Answer, Error>>;

    /// Starts queries, runs `until` while they are in flight, and cancels them when `until` returns.
    fn abandon(&self, queries: Vec<Query>, until: &(dyn Fn() + Sync));

    /// Looks up the addresses of both families.
    fn lookup_ip(&self, name: &str) -> Result<Addresses, Error>;

    /// Passes the addresses of a name to `take`, as they arrive.
    fn addresses(&self, name: &str, take: &mut dyn FnMut(Result<IpAddr, Error>));

    /// Connects to a host and returns the address of the peer.
    fn connect(&self, host: &str, port: u16) -> io::Result<SocketAddr>;

    /// Looks up the names of an address.
    fn reverse(&self, address: IpAddr) -> Result<Answer, Error>;

    /// Returns the resolver's statistics.
    fn stats(&self) -> Stats;

    /// Opens connections in advance.
    fn warm_up(&self);

    /// Tells the resolver that the machine has changed networks.
    fn network_changed(&self);

    /// Clears the cache.
    fn clear_cache(&self);

    /// Closes the resolver, with `close_notify` on every connection.
    fn close(&self);

    /// Looks up the records of one type.
    fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?)
    }
}
