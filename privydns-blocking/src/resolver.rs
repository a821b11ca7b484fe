//! The handle that callers hold.

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

/// How much longer than its deadline a caller waits for the driver to tell what came of its lookup. Without a word
/// by then the thread that drives is held up by something else, and the lookup ends without the engine's account.
const GRACE: Duration = Duration::from_millis(10);

/// Looks names up over encrypted transports.
///
/// Cheap to clone; all clones share connections, cache and counters, and any number of threads may use them.
/// Dropping the last clone closes the connections.
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

/// The handle is dropped first, and leaves the driver the word to close; the seat then gives it a last round.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) handle: Handle,
    pub(crate) leader: Arc<Leader>,
}

impl Resolver {
    /// A builder with every default set and no upstream.
    pub fn builder() -> ResolverBuilder<Self> {
        ResolverBuilder::new()
    }

    /// Looks up the records of one type under a name. NXDOMAIN and NODATA are answers.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `NotFound`; the error names upstream, stage and cause.
    pub fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?)
    }

    /// Looks up the IPv4 and IPv6 addresses of a name, both at once.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup), and [`ErrorKind::NotFound`] where there is no address.
    pub fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        let ipv4 = self.begin(Query::new(name, RecordType::A)?);
        let ipv6 = self.begin(Query::new(name, RecordType::AAAA)?);
        Addresses::join(AddressResults { ipv4: ipv4(), ipv6: ipv6() })
    }

    /// Looks up the addresses of a name as [`lookup_ip`](Self::lookup_ip) does, and gives each as soon as it is known
    /// and its turn: in the order in which to connect to them, the families in turn and IPv6 first, which an answer
    /// about IPv4 waits 50 ms for (RFC 8305 Sections 3 and 4).
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

    /// Connects to a port of a name, or of an address as text: to whichever of its addresses is there first, one
    /// begun 250 ms after the other or as soon as one fails (RFC 8305 Section 5). The feature is `connect`.
    ///
    /// It goes straight there, whatever proxy the upstreams are behind, and is given up after 30 s.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver) -> std::io::Result<()> {
    /// let stream = resolver.connect("example.com", 443)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The system's, of the connection; or an [`Error`] of the lookup inside of one.
    #[cfg(feature = "connect")]
    pub fn connect(&self, host: &str, port: u16) -> std::io::Result<std::net::TcpStream> {
        let now = Instant::now();
        let limit = self.0.limit(now, &Query::new(host, RecordType::A)?);
        crate::connect::connect(&self.0, self.0.handle.connect(now, host, port)?, limit)
    }

    /// Looks up the names of an address (PTR).
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.query(Query::reverse(address))
    }

    /// Asks a query with options of its own.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn query(&self, query: Query) -> Result<Answer, Error> {
        self.begin(query)()
    }

    /// Asks many queries from one thread, and yields each with its answer, in the order in which the answers come.
    ///
    /// Up to a thousand are on their way at once, or [fewer](Lookups::at_most); the others begin as answers are taken.
    /// A query's time runs from when it begins. While the iterator is not being asked for the next answer nothing is
    /// received, unless another thread waits. Dropping it cancels what is on its way.
    ///
    /// Queries that have no more now and will have more later, such as those of a channel
    /// ([`TryIter`](std::sync::mpsc::TryIter)), are asked again for them as answers are taken: with a source that
    /// never blocks, no answer waits for the next query.
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

    /// Drives the connections for this long, without a lookup of its own: closes what is idle, answers the peers,
    /// takes in what is refreshed, and serves the lookups of other threads. With no time at all, does what is due
    /// and does not wait.
    ///
    /// A program needs this only if it wants connections to be closed in time, or threads to find them driven,
    /// while nothing is looked up: with `while resolver.drive(time).is_ok() {}` a thread of its own does that until
    /// another calls [`close`](Self::close).
    ///
    /// # Errors
    /// [`ErrorKind::Closed`], as soon as the resolver is closed.
    pub fn drive(&self, time: Duration) -> Result<(), Error> {
        let closed = poll_fn(|_| if self.0.handle.is_closed() { Poll::Ready(()) } else { Poll::Pending });
        match self.0.leader.wait(closed, Instant::now().checked_add(time)) {
            Some(()) => Err(ErrorKind::Closed.into()),
            None => Ok(()),
        }
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.0.handle.shared().stats()
    }

    /// Forgets every answer.
    pub fn clear_cache(&self) {
        self.0.handle.shared().cache().clear();
    }

    /// Forgets the answers to one query.
    pub fn forget(&self, query: &Query) {
        self.0.handle.shared().forget(query);
    }

    /// Opens a connection to each upstream that the next lookups would go to first, unless it has one, so that they
    /// need not wait for it. Nobody else learns of this client. It is begun and not waited for: how far it gets before
    /// the first lookup depends on who [drives](Self::drive).
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver) -> Result<(), privydns_blocking::Error> {
    /// resolver.warm_up()?;
    /// // ... what else there is to do at the start ...
    /// let addresses = resolver.lookup_ip("example.com")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`], or that the system gives no event queue.
    pub fn warm_up(&self) -> Result<(), Error> {
        self.0.handle.warm_up()?;
        self.0.poll_once();
        Ok(())
    }

    /// Says that the machine is on another network: connections, TLS tickets, round-trip times and what was held
    /// against upstreams are void, and lookups on their way begin anew at no cost. The cache stays. A machine that
    /// slept is noticed without it, by the next miss.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_blocking::Resolver, events: impl Iterator<Item = ()>) {
    /// // Where the program is told of changed routes or addresses by the system.
    /// for _ in events {
    ///     resolver.network_changed();
    /// }
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.0.handle.network_changed();
        self.0.poll_once();
    }

    /// Ends every lookup, says goodbye on every connection (`close_notify`), and returns when that is done.
    /// Lookups from now on fail with [`ErrorKind::Closed`], in every clone.
    pub fn close(&self) {
        self.0.leader.wait(self.0.handle.close(), None);
        self.0.leader.wake_all();
    }

    /// Begins a lookup at once; the function only waits for its end.
    fn begin(&self, query: Query) -> impl FnOnce() -> Result<Answer, Error> {
        let Inner { handle, leader } = &*self.0;
        let now = Instant::now();
        let limit = self.0.limit(now, &query);
        let mut lookup = handle.begin(now, query);
        move || {
            // Most are answered from the cache.
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = Pin::new(&mut lookup).poll(&mut context) {
                return result;
            }
            leader.wait(lookup, Some(limit)).unwrap_or_else(|| Err(ErrorKind::Deadline.into()))
        }
    }
}

impl Inner {
    /// Has what can be done at once done at once.
    pub(crate) fn poll_once(&self) {
        self.leader.wait(pending::<()>(), Some(Instant::now()));
    }

    /// When a lookup that begins now is no longer waited for.
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
