//! The resolver that callers hold.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use privydns_core::engine::{AddressResults, Shared, seed};
use privydns_core::handle::{Handle, Lookup};
use privydns_core::{Addresses, Answer, Config, Error, Query, RecordType, ResolverBuilder, Stats};

use crate::addresses::AddressLookup;
use crate::runtime::Runtime;

/// Looks names up over encrypted transports.
///
/// Cheap to clone; all clones share connections, cache and counters. Lookups that the cache cannot answer are
/// carried by one task, which the first of them starts on its [`Runtime`]'s executor and which ends with the
/// last clone. A resolver may live in a `static`.
///
/// ```no_run
/// # async fn run() -> Result<(), privydns_async_std::Error> {
/// let resolver = privydns_async_std::Resolver::builder()
///     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
///     .build()?;
/// for address in resolver.lookup_ip("example.com").await?.iter() {
///     println!("{address}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Resolver(Arc<Handle>);

impl Resolver {
    /// A builder with every default set and no upstream. The resolver will run on the default [`Runtime`].
    pub fn builder() -> ResolverBuilder<Self> {
        ResolverBuilder::new()
    }

    /// A resolver whose task runs on the runtime given.
    ///
    /// ```
    /// # #[cfg(feature = "smol")] {
    /// use privydns_async_std::{Config, Resolver, Runtime};
    ///
    /// let config = Config::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
    /// let resolver = Resolver::on(Runtime::Smol, config)?;
    /// # }
    /// # Ok::<_, privydns_async_std::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), where the crypto provider has no randomness.
    pub fn on(runtime: Runtime, config: Config) -> Result<Self, Error> {
        Ok(Self(Arc::new(Handle::new(Shared::new(config, seed()?), runtime.start()))))
    }

    /// Looks up the records of one type under a name. NXDOMAIN and NODATA are answers.
    ///
    /// Dropping the future cancels the lookup.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind) but `NotFound`; the error names upstream, stage and cause.
    pub async fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?).await
    }

    /// Looks up the IPv4 and IPv6 addresses of a name, both at once.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup), and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is no
    /// address.
    pub async fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        let ipv4 = self.begin(Query::new(name, RecordType::A)?);
        let ipv6 = self.begin(Query::new(name, RecordType::AAAA)?);
        Addresses::join(AddressResults { ipv4: ipv4.await, ipv6: ipv6.await })
    }

    /// Looks up the addresses of a name as [`lookup_ip`](Self::lookup_ip) does, and gives each as soon as it is known
    /// and its turn: in the order in which to connect to them, the families in turn and IPv6 first, which an answer
    /// about IPv4 waits 50 ms for (RFC 8305 Sections 3 and 4).
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_async_std::Resolver) -> Result<(), privydns_async_std::Error> {
    /// let mut addresses = resolver.addresses("example.com")?;
    /// while let Some(address) = addresses.next().await {
    ///     println!("{}", address?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Name`](crate::ErrorKind::Name).
    pub fn addresses(&self, name: &str) -> Result<AddressLookup<'_>, Error> {
        Ok(AddressLookup::new(self.0.begin_addresses(Instant::now(), name)?))
    }

    /// Connects to a port of a name, or of an address as text: to whichever of its addresses is there first, one
    /// begun 250 ms after the other or as soon as one fails (RFC 8305 Section 5). The feature is `connect`.
    ///
    /// What is given is the socket of both runtimes: `smol::net::TcpStream` is made from it by `from`, and
    /// `async_std::net::TcpStream` from its `into_inner`. It goes straight there, whatever proxy the upstreams are
    /// behind, and is given up after 30 s.
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_async_std::Resolver) -> std::io::Result<()> {
    /// let stream = resolver.connect("example.com", 443).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The system's, of the connection; or an [`Error`] of the lookup inside of one.
    #[cfg(feature = "connect")]
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> std::io::Result<async_io::Async<std::net::TcpStream>> {
        crate::connect::connect(self.0.connect(Instant::now(), host, port)?).await
    }

    /// Looks up the names of an address (PTR).
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub async fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.query(Query::reverse(address)).await
    }

    /// Asks a query with options of its own.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub async fn query(&self, query: Query) -> Result<Answer, Error> {
        self.begin(query).await
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.0.shared().stats()
    }

    /// Forgets every answer.
    pub fn clear_cache(&self) {
        self.0.shared().cache().clear();
    }

    /// Forgets the answers to one query.
    pub fn forget(&self, query: &Query) {
        self.0.shared().forget(query);
    }

    /// Opens a connection to each upstream that the next lookups would go to first, unless it has one, so that they
    /// need not wait for it. Nobody else learns of this client. Without lookups they are closed when idle, over
    /// DNS over TLS after 8 s.
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_async_std::Resolver) -> Result<(), privydns_async_std::Error> {
    /// resolver.warm_up()?;
    /// // ... what else there is to do at the start ...
    /// let addresses = resolver.lookup_ip("example.com").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub fn warm_up(&self) -> Result<(), Error> {
        self.0.warm_up()
    }

    /// Says that the machine is on another network: connections, TLS tickets, round-trip times and what was held
    /// against upstreams are void, and lookups on their way begin anew at no cost. The cache stays. A machine that
    /// slept is noticed without it, by the next miss.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_async_std::Resolver, events: impl Iterator<Item = ()>) {
    /// // Where the program is told of changed routes or addresses by the system.
    /// for _ in events {
    ///     resolver.network_changed();
    /// }
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.0.network_changed();
    }

    /// Ends every lookup, says goodbye on every connection (`close_notify`), and returns when that is done.
    /// Lookups from now on fail with [`ErrorKind::Closed`](crate::ErrorKind::Closed), in every clone.
    pub async fn close(&self) {
        self.0.close().await;
    }

    fn begin(&self, query: Query) -> Lookup<'_> {
        self.0.begin(Instant::now(), query)
    }
}

impl TryFrom<Config> for Resolver {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        Self::on(Runtime::default(), config)
    }
}
