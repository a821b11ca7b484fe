//! The caller API, and the queue between callers and the driver, which runs the engine.
//!
//! A runtime crate holds a [`Handle`] in its resolver and an [`Inbox`] in its driver, and provides a function
//! that starts a driver. Both share a mailbox made of a lock and wakers, which works with any runtime.

mod addresses;
mod connecting;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use rustc_hash::FxHashMap;

use crate::cache::QueryKey;
use crate::engine::{Input, LookupId};
use crate::error::{Error, ErrorKind, RuntimeError};
use crate::message::{Answer, Query};
use crate::shared::{CacheResult, Shared};

pub use addresses::PendingAddresses;
pub use connecting::{ConnectStep, Connecting};

/// Starts a driver for an inbox: a task that passes the inputs from [`Inbox::poll_input`] to an
/// [`Engine`](crate::engine::Engine), and completed lookups to [`Inbox::done`].
///
/// # Errors
///
/// The reason why a driver cannot run here. The lookup that needed the driver fails with this error.
pub type Start = fn(Inbox) -> Result<(), Error>;

/// The callers' side, which begins lookups. The first lookup that needs a driver starts one.
///
/// A driver may end before its work is done, because the runtime shut down or the driver panicked. The first
/// of the unfinished lookups that is polled then starts a new driver, where it is polled. A resolver may
/// therefore be kept in a `static` and outlive any runtime. When the handle is dropped, the driver closes.
///
/// ```
/// use std::time::Instant;
/// use privydns_core::handle::Handle;
/// use privydns_core::engine::Shared;
/// use privydns_core::{Config, Query, RecordType};
///
/// let config = Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).build()?;
/// let shared = Shared::new(config, [0; 32]); // in production, a random and secret seed
/// let handle = Handle::new(shared, |_inbox| unreachable!("a local answer needs no driver"));
/// let lookup = handle.begin(Instant::now(), Query::new("localhost", RecordType::A)?);
/// # let mut lookup = lookup;
/// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// # let ended = std::pin::Pin::new(&mut lookup).poll(&mut context);
/// # assert!(matches!(ended, std::task::Poll::Ready(Ok(answer)) if answer.addresses().count() == 1));
/// # Ok::<_, privydns_core::Error>(())
/// ```
pub struct Handle {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
    start: Box<dyn Fn(Inbox) -> Result<(), Error> + Send + Sync>,
}

/// The driver's side, which receives inputs for the engine and returns results.
#[derive(Debug)]
pub struct Inbox {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
    /// Inputs taken from the mailbox and not returned yet.
    taken: VecDeque<Input<'static>>,
}

/// A running lookup. The future resolves to the result; dropping it cancels the lookup.
#[derive(Debug)]
#[must_use = "a lookup is cancelled when it is dropped"]
pub struct Lookup<'a> {
    handle: &'a Handle,
    state: LookupState,
}

#[derive(Debug)]
enum LookupState {
    Waiting {
        id: LookupId,
        /// Whether this lookup may start another driver. Only one restart is allowed: if two drivers were
        /// lost, the next would be lost too.
        may_restart: bool,
    },
    /// The result, until it is taken.
    Ended(Option<Result<Answer, Error>>),
}

/// The state shared by handle and inbox.
///
/// Wakers are neither called nor dropped while the lock is held: both may run code of an executor that drops
/// a [`Lookup`], which takes the lock.
struct Mailbox {
    state: Mutex<State>,
    /// Written under the lock, read without the lock, so that cache hits never block.
    is_closed: AtomicBool,
}

#[derive(Default)]
struct State {
    driver: Driver,
    /// Inputs that the driver has not taken yet.
    inputs: VecDeque<Input<'static>>,
    /// Lookups whose result the caller has not taken yet.
    lookups: FxHashMap<LookupId, Waiter>,
    last_lookup: u64,
    /// Wakers of the tasks that wait for the driver's end.
    closers: Vec<Waker>,
}

#[derive(Default)]
enum Driver {
    #[default]
    None,
    /// The driver will check the inbox before it sleeps.
    Awake,
    Asleep(Waker),
}

struct Waiter {
    query: Arc<Query>,
    deadline: Instant,
    waker: Option<Waker>,
    result: Option<Result<Answer, Error>>,
}

impl Handle {
    /// A handle without a driver. `start` has the contract of [`Start`], and may be a closure.
    pub fn new(shared: Shared, start: impl Fn(Inbox) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        let mailbox = Mailbox { state: Mutex::default(), is_closed: AtomicBool::new(false) };
        Self { shared: Arc::new(shared), mailbox: Arc::new(mailbox), start: Box::new(start) }
    }

    /// Configuration, cache and counters.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Begins a lookup immediately; the returned future only waits for the result. A local answer is ready at
    /// the first poll, and takes no lock that a cache miss holds.
    pub fn begin(&self, now: Instant, query: Query) -> Lookup<'_> {
        let ended = match self.try_answer(now, &query) {
            Err(error) => Err(error),
            Ok(CacheResult::Answer(answer)) => Ok(answer),
            Ok(CacheResult::Refresh(answer)) => {
                // The lookup succeeds even if the answer cannot be renewed.
                drop(self.tell(Input::Refresh(Arc::new(query))));
                Ok(answer)
            }
            Ok(CacheResult::Miss(query_key)) => {
                let deadline = self.shared.deadline(now, &query);
                match self.ask(Arc::new(query), query_key, deadline) {
                    Ok(lookup) => return lookup,
                    Err(error) => Err(error),
                }
            }
        };
        Lookup { handle: self, state: LookupState::Ended(Some(ended)) }
    }

    /// Opens connections in advance, to the upstreams that the next lookups would try first: by default the
    /// first healthy one, with [race](crate::Strategy::Race) as many as race, and all of them if any may be
    /// the next. The same is done for each route. Upstreams with a connection are skipped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], or the error of the driver's [`Start`].
    pub fn warm_up(&self) -> Result<(), Error> {
        self.tell(Input::WarmUp)
    }

    /// Tells the driver that the network has changed: connections, TLS tickets and round-trip times are
    /// discarded. If there is no driver, the next one is told first.
    pub fn network_changed(&self) {
        let mut state = self.mailbox.lock();
        if !matches!(state.driver, Driver::None) {
            let driver = state.send(Input::NetworkChanged);
            drop(state);
            // Cannot fail: a driver is running and need not be started.
            drop(self.wake_driver(driver));
        } else if !matches!(state.inputs.front(), Some(Input::NetworkChanged)) {
            state.inputs.push_front(Input::NetworkChanged);
        }
    }

    /// Whether the handle was closed.
    pub fn is_closed(&self) -> bool {
        self.mailbox.is_closed.load(Relaxed)
    }

    /// Ends every lookup, closes every connection with close_notify or GOAWAY, and returns when the driver
    /// has ended. Later lookups fail with [`ErrorKind::Closed`].
    pub async fn close(&self) {
        self.request_close();
        poll_fn(|context| {
            let mut state = self.mailbox.lock();
            if matches!(state.driver, Driver::None) {
                return Poll::Ready(());
            }
            if !state.closers.iter().any(|closer| closer.will_wake(context.waker())) {
                state.closers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Sends an input other than a lookup to the engine. Starts a driver if there is none.
    fn tell(&self, input: Input<'static>) -> Result<(), Error> {
        let driver = {
            let mut state = self.mailbox.open()?;
            state.send(input)
        };
        self.wake_driver(driver)
    }

    fn try_answer(&self, now: Instant, query: &Query) -> Result<CacheResult, Error> {
        if self.is_closed() {
            return Err(ErrorKind::Closed.into());
        }
        self.shared.try_answer(now, query)
    }

    fn ask(&self, query: Arc<Query>, query_key: QueryKey, deadline: Instant) -> Result<Lookup<'_>, Error> {
        let (id, driver) = {
            let mut state = self.mailbox.open()?;
            state.last_lookup += 1;
            let id = LookupId(state.last_lookup);
            let driver = state.send(Input::Miss { id, query: query.clone(), query_key, deadline });
            state.lookups.insert(id, Waiter { query, deadline, waker: None, result: None });
            (id, driver)
        };
        let lookup = Lookup { handle: self, state: LookupState::Waiting { id, may_restart: true } };
        self.wake_driver(driver)?;
        Ok(lookup)
    }

    /// Makes the driver check the inbox, given the driver's state before [`State::claim_driver`].
    fn wake_driver(&self, driver: Driver) -> Result<(), Error> {
        match driver {
            Driver::None => {
                let (shared, mailbox) = (self.shared.clone(), self.mailbox.clone());
                (self.start)(Inbox { shared, mailbox, taken: VecDeque::new() })
            }
            Driver::Awake => Ok(()),
            Driver::Asleep(waker) => {
                waker.wake();
                Ok(())
            }
        }
    }

    fn request_close(&self) {
        let mut state = self.mailbox.lock();
        if self.mailbox.is_closed.swap(true, Relaxed) {
            return;
        }
        if matches!(state.driver, Driver::None) {
            let wakers = state.fail_or_wake_waiters(true);
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        } else if let Driver::Asleep(waker) = state.send(Input::Close) {
            drop(state);
            waker.wake();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.request_close();
    }
}

impl Future for Lookup<'_> {
    type Output = Result<Answer, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle;
        let (id, may_restart) = match &mut self.state {
            LookupState::Waiting { id, may_restart } => (*id, may_restart),
            LookupState::Ended(result) => {
                return Poll::Ready(result.take().expect("a future that has ended is not polled again"));
            }
        };
        // Declared before the lock is taken, to be dropped after the lock is released.
        let _replaced;
        let mut state = handle.mailbox.lock();
        let waiter = state.lookups.get_mut(&id).expect("only the caller removes a lookup");
        if let Some(result) = waiter.result.take() {
            _replaced = state.lookups.remove(&id).and_then(|waiter| waiter.waker);
            drop(state);
            self.state = LookupState::Ended(None);
            return Poll::Ready(result);
        }
        _replaced = waiter.waker.replace(context.waker().clone());
        if let Driver::None = state.driver {
            let restarted = if std::mem::take(may_restart) {
                let driver = state.claim_driver();
                drop(state);
                handle.wake_driver(driver)
            } else {
                drop(state);
                Err(RuntimeError::ShutDown.into())
            };
            if let Err(error) = restarted {
                self.cancel();
                self.state = LookupState::Ended(None);
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    }
}

impl Lookup<'_> {
    fn cancel(&mut self) {
        if let LookupState::Waiting { id, .. } = self.state {
            let removed;
            let mut state = self.handle.mailbox.lock();
            removed = state.lookups.remove(&id);
            let is_unfinished = removed.as_ref().is_some_and(|waiter| waiter.result.is_none());
            if is_unfinished && !matches!(state.driver, Driver::None) {
                let driver = state.send(Input::Cancel(id));
                drop(state);
                // Cannot fail: a driver is running and need not be started.
                drop(self.handle.wake_driver(driver));
            }
        }
    }
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Inbox {
    /// Configuration, cache and counters, with which to create an [`Engine`](crate::engine::Engine).
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// The next input for the engine.
    pub fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<Input<'static>> {
        if self.taken.is_empty() {
            // Declared before the lock is taken, to be dropped after the lock is released.
            let _replaced;
            let mut state = self.mailbox.lock();
            if state.inputs.is_empty() {
                _replaced = std::mem::replace(&mut state.driver, Driver::Asleep(context.waker().clone()));
            } else {
                std::mem::swap(&mut state.inputs, &mut self.taken);
            }
        }
        match self.taken.pop_front() {
            Some(input) => Poll::Ready(input),
            None => Poll::Pending,
        }
    }

    /// Delivers a lookup's result to the caller. Ignored if the lookup was dropped.
    pub fn done(&mut self, id: LookupId, result: Result<Answer, Error>) {
        let waker = {
            let mut state = self.mailbox.lock();
            state.lookups.get_mut(&id).and_then(|waiter| {
                waiter.result = Some(result);
                waiter.waker.take()
            })
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Handles the end or the loss of the driver.
impl Drop for Inbox {
    fn drop(&mut self) {
        let mut state = self.mailbox.lock();
        let _driver = std::mem::take(&mut state.driver);
        state.inputs.clear();
        let wakers = state.fail_or_wake_waiters(self.mailbox.is_closed.load(Relaxed));
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.lock();
        if self.is_closed.load(Relaxed) { Err(ErrorKind::Closed.into()) } else { Ok(state) }
    }
}

impl State {
    /// Adds an input and claims the driver.
    fn send(&mut self, input: Input<'static>) -> Driver {
        let driver = self.claim_driver();
        self.inputs.push_back(input);
        driver
    }

    /// Marks the driver as started and awake. Returns the previous state for [`Handle::wake_driver`].
    fn claim_driver(&mut self) -> Driver {
        let driver = std::mem::replace(&mut self.driver, Driver::Awake);
        if let Driver::None = driver {
            // Lookups of a lost driver begin again.
            let waiting = self.lookups.iter().filter(|(_, waiter)| waiter.result.is_none());
            let mut waiting = waiting.collect::<Vec<_>>();
            waiting.sort_unstable_by_key(|(id, _)| **id);
            self.inputs.extend(waiting.into_iter().map(|(id, waiter)| {
                let (query, deadline) = (waiter.query.clone(), waiter.deadline);
                Input::Lookup { id: *id, query, deadline }
            }));
        }
        driver
    }

    /// Handles the end of the driver. If the handle is closed, unfinished lookups fail; otherwise one of them
    /// has to start the next driver. Returns the wakers to call.
    fn fail_or_wake_waiters(&mut self, is_closed: bool) -> Vec<Waker> {
        let mut wakers = std::mem::take(&mut self.closers);
        for waiter in self.lookups.values_mut().filter(|waiter| waiter.result.is_none()) {
            if is_closed {
                waiter.result = Some(Err(ErrorKind::Closed.into()));
            }
            wakers.extend(waiter.waker.take());
        }
        wakers
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("shared", &self.shared)
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("is_closed", &self.is_closed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
