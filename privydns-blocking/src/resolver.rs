//! The resolver, the handle that callers use.

use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use privydns_core::engine::{AddressResults, Shared, seed};
use privydns_core::handle::Handle;
use privydns_core::{Addresses, Answer, Config, Error, ErrorKind, Query, RecordType, ResolverBuilder, Stats};

use crate::addresses::AddressLookup;
use crate::driver::Driver;
use crate::leader::Leader;
use crate::lookups::Lookups;

/// How long a caller waits after its deadline for the driver to deliver the result. If no result arrives, the driving
/// thread is delayed, and the lookup ends without the engine's account of the attempts.
const GRACE: Duration = Duration::from_millis(10);

/// A DNS resolver that uses encrypted transports only.
///
/// A clone is cheap, and all clones share connections, cache and counters. Any number of threads may use them. When the
/// last clone is dropped, the connections are closed.
///
/// ```no_run
/// # fn run() -> Result<(), privydns_blocking::Error> {
/// let resolver = privydns_blocking::Resolver::builder()
///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
///     .build()?;
/// for address in resolver.lookup_ip("example.com")?.iter() {
///     println!("{address}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Resolver(Arc<Inner>);

/// The handle is dropped first and requests the close. The leader then runs the driver a last time.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) leader: Arc<Leader>,
}

impl Resolver {
    /// Returns a builder with the default settings and no upstream.
    pub fn builder() -> ResolverBuilder<Self> {
        ResolverBuilder::new()
    }

    /// Looks up the records of one type of a name. NXDOMAIN and NODATA are answers, not errors.
    ///
    /// # Errors
    /// Any [`ErrorKind`] except `NotFound`. The error has the upstream, the stage and the cause.
    pub fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?)
    }

    /// Looks up the IPv4 and IPv6 addresses of a name concurrently.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup), and [`ErrorKind::NotFound`] if there is no address.
    pub fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        let ipv4 = self.begin(Query::new(name, RecordType::A)?);
        let ipv6 = self.begin(Query::new(name, RecordType::AAAA)?);
        Addresses::join(AddressResults { ipv4: ipv4(), ipv6: ipv6() })
    }

    /// Looks up the addresses of a name as [`lookup_ip`](Self::lookup_ip) does, and yields each address as soon as
    /// possible in the order for connecting: the families alternate, and IPv6 is first. IPv4 addresses wait up to 50 ms
    /// for the IPv6 answer (RFC 8305 Sections 3 and 4).
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver) -> Result<(), privydns_blocking::Error> {
    /// for address in resolver.addresses("example.com")? {
    ///     println!("{}", address?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Name`].
    pub fn addresses(&self, name: &str) -> Result<AddressLookup<'_>, Error> {
        let now = Instant::now();
        let lookup = self.0.handle.begin_addresses(now, name)?;
        Ok(AddressLookup::new(lookup, &self.0.leader, self.0.limit(now, &Query::new(name, RecordType::A)?)))
    }

    /// Opens a TCP connection to a host, a name or an address as text (feature `connect`). The connection attempts to
    /// the addresses start 250 ms apart, or as soon as an attempt fails, and the first connection is returned (RFC 8305
    /// Section 5).
    ///
    /// The connection does not use the proxies of upstreams. The attempt ends after 30 s.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver) -> std::io::Result<()> {
    /// let stream = resolver.connect("example.com", 443)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of the last connection attempt, or an [`io::Error`](std::io::Error) that contains the [`Error`] of the
    /// lookup.
    #[cfg(feature = "connect")]
    pub fn connect(&self, host: &str, port: u16) -> std::io::Result<std::net::TcpStream> {
        let now = Instant::now();
        let limit = self.0.limit(now, &Query::new(host, RecordType::A)?);
        crate::connect::connect(&self.0, self.0.handle.connect(now, host, port)?, limit)
    }

    /// Looks up the names of an address (PTR records).
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.query(Query::reverse(address))
    }

    /// Sends a [`Query`], which can have its own options.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn query(&self, query: Query) -> Result<Answer, Error> {
        self.begin(query)()
    }

    /// Runs many lookups from one thread, and yields each query with its result, in the order of the results.
    ///
    /// Up to 1000 lookups run concurrently, or [fewer](Lookups::at_most). Further lookups start as results are taken,
    /// and the time of a lookup counts from its start. Between calls to `next`, nothing is received unless another
    /// thread waits. Dropping the iterator cancels the running lookups.
    ///
    /// `queries` may return `None` and later more queries, as the iterator of a channel does
    /// ([`TryIter`](std::sync::mpsc::TryIter)): the iterator is polled again as results are taken. With a source that
    /// never blocks, no result waits for the next query.
    ///
    /// ```no_run
    /// # use privydns_blocking::{Error, Query, RecordType, Resolver};
    /// # fn run(resolver: &Resolver, names: &[&str]) -> Result<(), Error> {
    /// let queries = names.iter().map(|name| Query::new(name, RecordType::A));
    /// for (query, answer) in resolver.lookup_many(queries.collect::<Result<Vec<_>, _>>()?) {
    ///     match answer {
    ///         Ok(answer) => println!("{} {:?}", query.name(), answer.addresses().collect::<Vec<_>>()),
    ///         Err(error) => println!("{} {error}", query.name()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn lookup_many<I: IntoIterator<Item = Query>>(&self, queries: I) -> Lookups<'_, I::IntoIter> {
        Lookups::new(&self.0, queries.into_iter())
    }

    /// Drives the connections for the given time without a lookup: closes idle connections, responds to peers, stores
    /// refreshed answers, and serves the lookups of other threads. With a time of 0, does the work that is due and
    /// does not wait.
    ///
    /// A program needs this method only if connections are to be closed in time, or kept driven for other threads,
    /// while no lookup runs. A dedicated thread does this with `while resolver.drive(time).is_ok() {}` until another
    /// thread calls [`close`](Self::close).
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] as soon as the resolver is closed.
    pub fn drive(&self, time: Duration) -> Result<(), Error> {
        let closed = poll_fn(|_| if self.0.handle.is_closed() { Poll::Ready(()) } else { Poll::Pending });
        match self.0.leader.wait(closed, Instant::now().checked_add(time)) {
            Some(()) => Err(ErrorKind::Closed.into()),
            None => Ok(()),
        }
    }

    /// Returns a snapshot of the counters.
    pub fn stats(&self) -> Stats {
        self.0.handle.shared().stats()
    }

    /// Removes all answers from the cache.
    pub fn clear_cache(&self) {
        self.0.handle.shared().cache().clear();
    }

    /// Removes the answers to one query from the cache.
    pub fn forget(&self, query: &Query) {
        self.0.handle.shared().forget(query);
    }

    /// Opens a connection to each upstream that the next lookups would use first, so that these lookups need not wait
    /// for one. Existing connections are kept, and other upstreams are not contacted. The method does not wait for the
    /// connections: they progress while a thread [drives](Self::drive) the resolver or waits for an answer.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver) -> Result<(), privydns_blocking::Error> {
    /// resolver.warm_up()?;
    /// // ... the rest of the initialization ...
    /// let addresses = resolver.lookup_ip("example.com")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`], or [`RuntimeError::NoEventQueue`](crate::RuntimeError::NoEventQueue).
    pub fn warm_up(&self) -> Result<(), Error> {
        self.0.handle.warm_up()?;
        self.0.poll_once();
        Ok(())
    }

    /// Tells the resolver that the machine is on another network. The resolver discards connections, TLS tickets,
    /// round-trip times and the health of upstreams, and restarts running lookups without costing an attempt. The cache
    /// is kept. After a sleep of the machine, the next cache miss has the same effect without a call.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver, events: impl Iterator<Item = ()>) {
    /// // The system reports changed routes or addresses.
    /// for _ in events {
    ///     resolver.network_changed();
    /// }
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.0.handle.network_changed();
        self.0.poll_once();
    }

    /// Ends all lookups, closes all connections with `close_notify`, and returns when both are done. Later lookups, of
    /// any clone, fail with [`ErrorKind::Closed`].
    pub fn close(&self) {
        self.0.leader.wait(self.0.handle.close(), None);
        self.0.leader.wake_all();
    }

    /// Starts a lookup immediately, and returns a function that waits for the result.
    fn begin(&self, query: Query) -> impl FnOnce() -> Result<Answer, Error> {
        let Inner { handle, leader } = &*self.0;
        let now = Instant::now();
        let limit = self.0.limit(now, &query);
        let mut lookup = handle.begin(now, query);
        move || {
            // Most lookups are answered from the cache.
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = Pin::new(&mut lookup).poll(&mut context) {
                return result;
            }
            leader.wait(lookup, Some(limit)).unwrap_or_else(|| Err(ErrorKind::Deadline.into()))
        }
    }
}

impl Inner {
    /// Does the work that is due, without waiting.
    pub(crate) fn poll_once(&self) {
        self.leader.wait(pending::<()>(), Some(Instant::now()));
    }

    /// The time until which the caller of a lookup that starts now waits.
    pub(crate) fn limit(&self, now: Instant, query: &Query) -> Instant {
        self.handle.shared().deadline(now, query) + GRACE
    }
}

impl TryFrom<Config> for Resolver {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        let shared = Shared::new(config, seed()?);
        let leader = Arc::new(Leader::default());
        let state = leader.clone();
        let handle = Handle::new(shared, move |inbox| {
            state.admit(Driver::new(inbox)?);
            Ok(())
        });
        Ok(Self(Arc::new(Inner { handle, leader })))
    }
}
