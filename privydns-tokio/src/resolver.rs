//! The handle that callers hold, and how it reaches its driver.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use privydns_core::{
    Addresses, Answer, Builder, Config, ConfigError, Early, Engine, Error, ErrorKind, LookupId, Query,
    RecordType, Shared, Stats, tls,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::driver::{Command, Driver};

/// Looks names up over encrypted transports.
///
/// Cheap to clone; all clones share connections, cache and counters. Lookups that the cache cannot answer are
/// carried by one task, which the first of them starts on the runtime it runs on and which ends with the last
/// clone. When that runtime ends before the resolver does, the next lookup starts another on its own: a
/// resolver may live in a `static`.
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
pub struct Resolver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    last_lookup: AtomicU64,
    driver: Mutex<DriverState>,
}

#[derive(Debug)]
enum DriverState {
    /// Its channel, which fails when its runtime has ended.
    Started(mpsc::UnboundedSender<Command>),
    NotStarted,
    Closed,
}

impl Resolver {
    /// A builder with every default set and no upstream.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// Looks up the records of one type under a name. NXDOMAIN and NODATA are answers.
    ///
    /// Dropping the future cancels the lookup.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `NotFound`; the error names upstream, stage and cause.
    pub async fn lookup(&self, name: &str, record_type: RecordType) -> Result<Answer, Error> {
        self.query(Query::new(name, record_type)?).await
    }

    /// Looks up the IPv4 and IPv6 addresses of a name, both at once.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup), and [`ErrorKind::NotFound`] where there is no address.
    pub async fn lookup_ip(&self, name: &str) -> Result<Addresses, Error> {
        let ipv4 = self.begin(Query::new(name, RecordType::A)?);
        let ipv6 = self.begin(Query::new(name, RecordType::AAAA)?);
        Addresses::join(ipv4.await, ipv6.await)
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
        self.0.shared.stats()
    }

    /// Forgets every answer.
    pub fn clear_cache(&self) {
        self.0.shared.cache().clear();
    }

    /// Forgets the answers to one query.
    pub fn forget(&self, query: &Query) {
        self.0.shared.forget(query);
    }

    /// Ends every lookup, says goodbye on every connection (`close_notify`), and returns when that is done.
    /// Lookups from now on fail with [`ErrorKind::Closed`], in every clone.
    pub async fn close(&self) {
        let before = std::mem::replace(&mut *self.0.driver_state(), DriverState::Closed);
        if let DriverState::Started(driver) = before {
            drop(driver.send(Command::Close));
            driver.closed().await;
        }
    }

    /// Begins a lookup at once; the future only waits for its end.
    fn begin(&self, query: Query) -> impl Future<Output = Result<Answer, Error>> {
        let now = Instant::now().into_std();
        let begun = match self.0.shared.early(now, &query) {
            Err(error) => Err(Err(error)),
            Ok(Early::Answer(answer)) => Err(Ok(answer)),
            Ok(Early::Refresh(answer)) => {
                drop(self.0.send(Command::Refresh(Arc::new(query))));
                Err(Ok(answer))
            }
            Ok(_) => {
                let deadline = self.0.shared.deadline(now, &query);
                self.0.ask(Arc::new(query), deadline).map_err(Err)
            }
        };
        async move {
            let mut asked = match begun {
                Ok(asked) => asked,
                Err(ended) => return ended,
            };
            loop {
                match (&mut asked.answer).await {
                    Ok(result) => return result,
                    // The driver's runtime ended under the lookup: another driver takes it on.
                    Err(_) => asked = self.0.ask(asked.query.clone(), asked.deadline)?,
                }
            }
        }
    }
}

impl TryFrom<Config> for Resolver {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            shared: Arc::new(Shared::new(config, tls::seed()?)),
            last_lookup: AtomicU64::new(0),
            driver: Mutex::new(DriverState::NotStarted),
        })))
    }
}

/// A lookup that the driver carries, and that is cancelled when this is dropped before its end.
struct Asked {
    id: LookupId,
    query: Arc<Query>,
    deadline: std::time::Instant,
    answer: oneshot::Receiver<Result<Answer, Error>>,
    driver: mpsc::UnboundedSender<Command>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.answer.is_terminated() {
            drop(self.driver.send(Command::Cancel(self.id)));
        }
    }
}

impl Inner {
    fn ask(&self, query: Arc<Query>, deadline: std::time::Instant) -> Result<Asked, Error> {
        let id = LookupId(self.last_lookup.fetch_add(1, Relaxed));
        let (waiter, answer) = oneshot::channel();
        let driver = self.send(Command::Lookup { id, query: query.clone(), deadline, waiter })?;
        Ok(Asked { id, query, deadline, answer, driver })
    }

    /// Hands a command to the driver, which is started where there is none.
    fn send(&self, command: Command) -> Result<mpsc::UnboundedSender<Command>, Error> {
        let mut state = self.driver_state();
        let command = match &*state {
            DriverState::Closed => return Err(ErrorKind::Closed.into()),
            DriverState::NotStarted => command,
            DriverState::Started(driver) => match driver.send(command) {
                Ok(()) => return Ok(driver.clone()),
                Err(mpsc::error::SendError(command)) => command,
            },
        };
        let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let engine = Engine::new(self.shared.clone(), Instant::now().into_std(), tls::seed()?);
        let (driver, commands) = mpsc::unbounded_channel();
        drop(driver.send(command));
        *state = DriverState::Started(driver.clone());
        runtime.spawn(Driver::new(engine, commands));
        Ok(driver)
    }

    fn driver_state(&self) -> std::sync::MutexGuard<'_, DriverState> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
