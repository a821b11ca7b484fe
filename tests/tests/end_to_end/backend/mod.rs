//! What a runtime crate has to show so that every suite can be run over it.
//!
//! The suites are plain functions that block. How a backend gets a lookup done, and on which thread, is its own
//! affair; that its `Resolver` takes a [`Config`] and answers [`Query`]s is all that it is asked for.

pub(crate) mod async_std;
pub(crate) mod blocking;
pub(crate) mod tokio;

use std::io;
use std::net::{IpAddr, SocketAddr};

use privydns_core::{Addresses, Answer, Config, Error, Query, RecordType, Stats, Upstream};

/// One way to run a resolver.
pub(crate) trait Backend: Send + Sync {
    /// Makes a resolver, and whatever runs it.
    fn resolver(&self, config: Config) -> Result<Box<dyn TestResolver>, Error>;

    /// Asks a resolver which others stand for it.
    fn discover(&self, resolver: Upstream) -> Result<Vec<Upstream>, Error>;
}

/// A resolver, as the suites use it. Every method blocks until it is done.
pub(crate) trait TestResolver: Send + Sync {
    /// Asks one query.
    fn query(&self, query: Query) -> Result<Answer, Error>;

    /// Asks several queries at once, and gives the results in the same order.
    fn query_all(&self, queries: Vec<Query>) -> Vec<Result<Answer, Error>>;

    /// Begins queries, and gives them up when `until` returns. `until` runs while they are on their way.
    fn abandon(&self, queries: Vec<Query>, until: &(dyn Fn() + Sync));

    /// Looks both families of addresses up.
    fn lookup_ip(&self, name: &str) -> Result<Addresses, Error>;

    /// Hands over the addresses of a name as they come.
    fn addresses(&self, name: &str, take: &mut dyn FnMut(Result<IpAddr, Error>));

    /// Connects to a name, and says which address that came to.
    fn connect(&self, host: &str, port: u16) -> io::Result<SocketAddr>;

    /// Looks up the names of an address.
    fn reverse(&self, address: IpAddr) -> Result<Answer, Error>;

    /// What was counted so far.
    fn stats(&self) -> Stats;

    /// Has connections opened ahead.
    fn warm_up(&self);

    /// Says that the machine is on another network.
    fn network_changed(&self);

    /// Empties the cache.
    fn clear_cache(&self);

    /// Ends it all, with a goodbye on every connection.
    fn close(&self);

    /// Asks for the records of one type.
    fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?)
    }
}
