//! The resolver, the handle that callers use.

use std::net::IpAddr;
use std::sync::Arc;

use privydns_core::engine::{AddressResults, Shared, seed};
use privydns_core::handle::{Handle, Inbox, Lookup};
use privydns_core::{
    Addresses, Answer, Config, Error, Query, RecordType, ResolverBuilder, RuntimeError, Stats,
};
use tokio::runtime;
use tokio::time::Instant;

use crate::addresses::AddressLookup;
use crate::driver::Driver;

/// A DNS resolver that uses encrypted transports only.
///
/// A clone is cheap, and all clones share connections, cache and counters. One task, the driver, does the I/O of all
/// lookups that the cache cannot answer. The first of these lookups starts the driver on its own Tokio runtime, and
/// the driver ends with the last clone. If that runtime shuts down first, the next lookup starts a new driver on its
/// runtime. A resolver may therefore be kept in a `static`.
///
/// ```no_run
/// # async fn run() -> Result<(), privydns_tokio::Error> {
/// let resolver = privydns_tokio::Resolver::builder()
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
    /// Returns a builder with the default settings and no upstream.
    pub fn builder() -> ResolverBuilder<Self> {
        ResolverBuilder::new()
    }

    /// Looks up the records of one type of a name. NXDOMAIN and NODATA are answers, not errors.
    ///
    /// Dropping the future cancels the lookup.
    ///
    /// # Errors
    /// Any [`ErrorKind`](crate::ErrorKind) except `NotFound`. The error has the upstream, the stage and the cause.
    pub async fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?).await
    }

    /// Looks up the IPv4 and IPv6 addresses of a name concurrently.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup), and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no
    /// address.
    pub async fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        let ipv4 = self.begin(Query::new(name, RecordType::A)?);
        let ipv6 = self.begin(Query::new(name, RecordType::AAAA)?);
        Addresses::join(AddressResults { ipv4: ipv4.await, ipv6: ipv6.await })
    }

    /// Looks up the addresses of a name as [`lookup_ip`](Self::lookup_ip) does, and yields each address as soon as
    /// possible in the order for connecting: the families alternate, and IPv6 is first. IPv4 addresses wait up to 50 ms
    /// for the IPv6 answer (RFC 8305 Sections 3 and 4).
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_tokio::Resolver) -> Result<(), privydns_tokio::Error> {
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
        Ok(AddressLookup::new(self.0.begin_addresses(Instant::now().into_std(), name)?))
    }

    /// Opens a TCP connection to a host, a name or an address as text (feature `connect`). The connection attempts to
    /// the addresses start 250 ms apart, or as soon as an attempt fails, and the first connection is returned (RFC 8305
    /// Section 5).
    ///
    /// The connection does not use the proxies of upstreams. The attempt ends after 30 s.
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_tokio::Resolver) -> std::io::Result<()> {
    /// let stream = resolver.connect("example.com", 443).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of the last connection attempt, or an [`io::Error`](std::io::Error) that contains the [`Error`] of the
    /// lookup.
    #[cfg(feature = "connect")]
    pub async fn connect(&self, host: &str, port: u16) -> std::io::Result<tokio::net::TcpStream> {
        crate::connect::connect(self.0.connect(Instant::now().into_std(), host, port)?).await
    }

    /// Looks up the names of an address (PTR records).
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub async fn reverse(&self, address: IpAddr) -> Result<Answer, Error> {
        self.query(Query::reverse(address)).await
    }

    /// Sends a [`Query`], which can have its own options.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub async fn query(&self, query: Query) -> Result<Answer, Error> {
        self.begin(query).await
    }

    /// Returns a snapshot of the counters.
    pub fn stats(&self) -> Stats {
        self.0.shared().stats()
    }

    /// Removes all answers from the cache.
    pub fn clear_cache(&self) {
        self.0.shared().cache().clear();
    }

    /// Removes the answers to one query from the cache.
    pub fn forget(&self, query: &Query) {
        self.0.shared().forget(query);
    }

    /// Opens a connection to each upstream that the next lookups would use first, so that these lookups need not wait
    /// for one. Existing connections are kept, and other upstreams are not contacted. Without lookups, the connections
    /// are closed when idle: after 8 s for DNS over TLS.
    ///
    /// ```no_run
    /// # async fn run(resolver: &privydns_tokio::Resolver) -> Result<(), privydns_tokio::Error> {
    /// resolver.warm_up()?;
    /// // ... the rest of the initialization ...
    /// let addresses = resolver.lookup_ip("example.com").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed), or [`RuntimeError::NoRuntime`].
    pub fn warm_up(&self) -> Result<(), Error> {
        self.0.warm_up()
    }

    /// Tells the resolver that the machine is on another network. The resolver discards connections, TLS tickets,
    /// round-trip times and the health of upstreams, and restarts running lookups without costing an attempt. The cache
    /// is kept. After a sleep of the machine, the next cache miss has the same effect without a call.
    ///
    /// ```no_run
    /// # fn run(resolver: &privydns_tokio::Resolver, events: impl Iterator<Item = ()>) {
    /// // The system reports changed routes or addresses.
    /// for _ in events {
    ///     resolver.network_changed();
    /// }
    /// # }
    /// ```
    pub fn network_changed(&self) {
        self.0.network_changed();
    }

    /// Ends all lookups, closes all connections with `close_notify`, and returns when both are done. Later lookups, of
    /// any clone, fail with [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub async fn close(&self) {
        self.0.close().await;
    }

    fn begin(&self, query: Query) -> Lookup<'_> {
        self.0.begin(Instant::now().into_std(), query)
    }
}

impl TryFrom<Config> for Resolver {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        Ok(Self(Arc::new(Handle::new(Shared::new(config, seed()?), start))))
    }
}

/// Starts a driver on the Tokio runtime of this thread.
fn start(inbox: Inbox) -> Result<(), Error> {
    let runtime = runtime::Handle::try_current().map_err(|_| RuntimeError::NoRuntime)?;
    runtime.spawn(Driver::new(inbox, seed()?));
    Ok(())
}
