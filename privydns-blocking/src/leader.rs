//! The driver's seat: of the callers that wait, one has it, and the others wait for what that one brings.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::driver::Driver;

/// Where the driver is kept while nobody drives. The lock is held for moments, and never while driving.
#[derive(Default)]
pub(crate) struct Leader(Mutex<State>);

#[derive(Default)]
struct State {
    state: LeaderState,
    /// Callers that wait while another drives, the latest last.
    waiting: Vec<Arc<Parker>>,
}

#[derive(Default)]
enum LeaderState {
    /// There is no driver: none was started, or it is over.
    #[default]
    Empty,
    /// For whoever waits next.
    Free(Box<Driver>),
    /// A caller drives.
    Taken,
}

impl Leader {
    /// Takes in a driver that was started.
    pub(crate) fn admit(&self, driver: Driver) {
        self.lock().state = LeaderState::Free(Box::new(driver));
    }

    /// Waits for a future, until `limit` at the longest. Who waits drives, where nobody else does, and for one
    /// round at the least.
    pub(crate) fn wait<F: Future>(&self, future: F, limit: Option<Instant>) -> Option<F::Output> {
        let mut future = pin!(future);
        let parker = Arc::new(Parker::default());
        let waker = Waker::from(parker.clone());
        let (mut driving, mut is_over) = (None, false);
        let output = loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => break Some(output),
                Poll::Pending if is_over => break None,
                Poll::Pending => {}
            }
            match &mut driving {
                Some(driving) => Driving::round(driving, limit),
                None => match self.take_over() {
                    // What happened while nobody drove is seen to before anything is waited for.
                    Some(taken) => driving.insert(taken).round(Some(Instant::now())),
                    None => self.park(&parker, limit),
                },
            }
            driving.take_if(|driving| driving.is_closed());
            is_over = limit.is_some_and(|limit| limit <= Instant::now());
        };
        drop(driving);
        self.wake_another();
        output
    }

    /// Has everybody who waits look around.
    pub(crate) fn wake_all(&self) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        waiting.into_iter().for_each(Wake::wake);
    }

    fn take_over(&self) -> Option<Driving<'_>> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.state, LeaderState::Taken) {
            LeaderState::Free(driver) => {
                Some(Driving { leader: self, driver: Some(driver), is_at_work: false })
            }
            other => {
                state.state = other;
                None
            }
        }
    }

    /// Waits to be rung, unless the seat is free.
    fn park(&self, parker: &Arc<Parker>, limit: Option<Instant>) {
        {
            let mut state = self.lock();
            if matches!(state.state, LeaderState::Free(_)) {
                return;
            }
            state.waiting.push(parker.clone());
        }
        parker.wait(limit);
        self.lock().waiting.retain(|other| !Arc::ptr_eq(other, parker));
    }

    /// If the seat is free, calls one of those who wait. It is the latest, whose answer is the furthest away, so
    /// that the seat changes hands seldom.
    fn wake_another(&self) {
        let mut state = self.lock();
        if let LeaderState::Free(_) = state.state
            && let Some(parker) = state.waiting.pop()
        {
            drop(state);
            parker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").finish_non_exhaustive()
    }
}

impl Drop for Leader {
    /// The last handle is gone, and has left the driver the word to close.
    fn drop(&mut self) {
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let LeaderState::Free(driver) = &mut state.state {
            driver.round(Some(Instant::now()));
        }
    }
}

/// The seat, taken. Dropping it leaves the seat.
struct Driving<'s> {
    leader: &'s Leader,
    driver: Option<Box<Driver>>,
    /// Whether the driver is in the middle of a round.
    is_at_work: bool,
}

impl Driving<'_> {
    fn round(&mut self, limit: Option<Instant>) {
        if let Some(driver) = &mut self.driver {
            self.is_at_work = true;
            driver.round(limit);
            self.is_at_work = false;
        }
    }

    fn is_closed(&self) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.is_closed())
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        let Some(mut driver) = self.driver.take() else { return };
        // In the middle of a round it was interrupted by a panic, of a tracing subscriber, and nobody can say what
        // state that left it in. Its lookups find another when it is dropped.
        let is_over = self.is_at_work || driver.is_closed();
        if is_over {
            self.leader.lock().state = LeaderState::Empty;
            drop(driver);
            self.leader.wake_all();
        } else {
            driver.rest();
            self.leader.lock().state = LeaderState::Free(driver);
        }
    }
}

/// Wakes one caller.
#[derive(Default)]
struct Parker {
    state: Mutex<ParkerState>,
    woken: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum ParkerState {
    #[default]
    Silent,
    Awaited,
    Rung,
}

impl Parker {
    /// Waits until it was rung since it was last waited for, or until `limit`.
    fn wait(&self, limit: Option<Instant>) {
        let timeout = limit.map_or(Duration::MAX, |limit| limit.saturating_duration_since(Instant::now()));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != ParkerState::Rung {
            *state = ParkerState::Awaited;
            state = self.woken.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0;
        }
        *state = ParkerState::Silent;
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *state, ParkerState::Rung) == ParkerState::Awaited {
            self.woken.notify_one();
        }
    }
}
