//! Connects to a name by racing its addresses as they arrive.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Handle, PendingAddresses};
use crate::error::{Error, ErrorKind};

/// The maximum time for connecting, even if the system's own timeout is longer.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A TCP connection attempt to a name, over whichever address connects first (RFC 8305). Returned by
/// [`Handle::connect`].
///
/// The addresses have the order of [`PendingAddresses`]. Each attempt begins 250 ms after the previous one,
/// or as soon as one fails. [`address_delay`](crate::ResolverBuilder::address_delay) changes this
/// delay; the minimum is 10 ms. The attempt is given up after 30 s. The caller connects to the addresses from
/// [`poll`](Self::poll) until one connection is established, and then drops the others.
///
/// ```
/// use std::{io, net::SocketAddr, task::Context, time::Instant};
/// use privydns_core::handle::{ConnectStep, Connecting};
///
/// /// Begins the connections that are due. Returns when to call again, unless something happens before.
/// fn advance(
///     connecting: &mut Connecting<'_>,
///     context: &mut Context<'_>,
///     mut begin: impl FnMut(SocketAddr),
/// ) -> io::Result<Instant> {
///     loop {
///         match connecting.poll(Instant::now(), context) {
///             ConnectStep::Connect(address) => begin(address),
///             ConnectStep::Wait(until) => return Ok(until),
///             ConnectStep::Failed(error) => return Err(error),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Connecting<'a> {
    lookup: PendingAddresses<'a>,
    port: u16,
    delay: Duration,
    /// The time of the next attempt.
    next: Instant,
    limit: Instant,
    racing: usize,
    has_all: bool,
    /// The first failure of a reachable address, or else the first failure.
    failure: Option<io::Error>,
}

/// The next step of a [`Connecting`].
#[derive(Debug)]
pub enum ConnectStep {
    /// Connect to this address, in parallel to the attempts that are running.
    Connect(SocketAddr),
    /// Wait for a connection, a failure, a wake-up, or this time.
    Wait(Instant),
    /// Connecting failed, and no attempt is running.
    Failed(io::Error),
}

impl Handle {
    /// Begins to connect to a name or to the text of an address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] if the name is invalid, as [`io::ErrorKind::InvalidInput`].
    pub fn connect(&self, now: Instant, host: &str, port: u16) -> io::Result<Connecting<'_>> {
        Ok(Connecting {
            lookup: self.begin_addresses(now, host)?,
            port,
            delay: self.shared().config().address_delay(),
            next: now,
            limit: now + CONNECT_LIMIT,
            racing: 0,
            has_all: false,
            failure: None,
        })
    }
}

impl Connecting<'_> {
    /// The step to take now. Call this again after each [`ConnectStep::Connect`], after each
    /// [`failed`](Self::failed), when woken, and at the time in [`ConnectStep::Wait`].
    pub fn poll(&mut self, now: Instant, context: &mut Context<'_>) -> ConnectStep {
        if self.limit <= now {
            return ConnectStep::Failed(io::ErrorKind::TimedOut.into());
        }
        let mut deadline = Some(self.next);
        if self.next <= now && !self.has_all {
            match self.lookup.poll_next(now, context) {
                Poll::Ready(Some(Ok(address))) => {
                    self.racing += 1;
                    self.next = now + self.delay;
                    return ConnectStep::Connect(SocketAddr::new(address, self.port));
                }
                Poll::Ready(Some(Err(error))) => return ConnectStep::Failed(error.into()),
                Poll::Ready(None) => self.has_all = true,
                Poll::Pending => deadline = self.lookup.deadline(),
            }
        }
        if self.has_all {
            if self.racing == 0 {
                let none = || io::ErrorKind::NotConnected.into();
                return ConnectStep::Failed(self.failure.take().unwrap_or_else(none));
            }
            deadline = None;
        }
        ConnectStep::Wait(deadline.map_or(self.limit, |deadline| deadline.min(self.limit)))
    }

    /// Reports that an attempt failed. The next one begins immediately.
    pub fn failed(&mut self, now: Instant, error: io::Error) {
        self.racing = self.racing.saturating_sub(1);
        if self.failure.as_ref().is_none_or(is_unreachable) {
            self.failure = Some(error);
        }
        self.next = now;
    }

    /// Whether addresses are still being looked up, and an attempt could begin as soon as one arrives.
    pub fn waits_for_addresses(&self, now: Instant) -> bool {
        !self.has_all && self.next <= now
    }

    /// Whether an attempt is running.
    pub fn is_racing(&self) -> bool {
        self.racing > 0
    }

    /// Ends the unfinished lookups as if their deadline had passed.
    pub fn give_up_lookups(&mut self, now: Instant) {
        self.lookup.give_up(now);
    }
}

/// Whether a failure means only that addresses of this family are unreachable from here.
fn is_unreachable(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkUnreachable)
}

/// For functions that connect and return the system's errors: the kind is the closest match, and the error is
/// the source.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            _ if error.is_timeout() => io::ErrorKind::TimedOut,
            ErrorKind::Name(_) | ErrorKind::Config(_) | ErrorKind::Unroutable(_) => {
                io::ErrorKind::InvalidInput
            }
            ErrorKind::NotFound(_) | ErrorKind::NotCached | ErrorKind::SpecialUse(_) => {
                io::ErrorKind::NotFound
            }
            ErrorKind::Closed => io::ErrorKind::NotConnected,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests;
