//! Connecting to a name: its addresses raced as they come.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Handle, PendingAddresses};
use crate::error::{Error, ErrorKind};

/// A connection that is not there by then is given up, whatever the system's own patience.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A TCP connection in the making, to whichever address of a name is there first (RFC 8305): what
/// [`Handle::connect`] begins.
///
/// The addresses come in the order of an [`PendingAddresses`], the next one 250 ms after the last or as soon as one
/// fails; [`address_delay`](crate::config::ResolverBuilder::address_delay) sets another time, and 10 ms is the least. It is
/// given up after 30 s. Who drives it connects to what [`poll`](Self::poll) says until one connection is there; the others
/// are then to be dropped.
///
/// ```
/// use std::{io, net::SocketAddr, task::Context, time::Instant};
/// use privydns_core::handle::{ConnectStep, Connecting};
///
/// /// Has connections begun. Says until when to wait for one of them, or to be woken.
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
    /// No attempt begins before this.
    next: Instant,
    limit: Instant,
    racing: usize,
    has_all: bool,
    /// The first failure of an address that there is a way to, or else the first.
    failure: Option<io::Error>,
}

/// What to do for a [`Connecting`].
#[derive(Debug)]
pub enum ConnectStep {
    /// Begin to connect to this address, beside those that were begun.
    Connect(SocketAddr),
    /// Wait for a connection, for a failure, for being woken, or until this time.
    Wait(Instant),
    /// It failed, and no attempt goes on.
    Failed(io::Error),
}

impl Handle {
    /// Begins to connect to a name or to the text of an address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`], as [`io::ErrorKind::InvalidInput`].
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
    /// What to do now. Call it again after each [`ConnectStep::Connect`], after each
    /// [`failed`](Self::failed), when the context wakes, and at the time that it said.
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

    /// An attempt failed: the next begins at once.
    pub fn failed(&mut self, now: Instant, error: io::Error) {
        self.racing = self.racing.saturating_sub(1);
        if self.failure.as_ref().is_none_or(is_without_way) {
            self.failure = Some(error);
        }
        self.next = now;
    }

    /// Whether addresses are still being looked up, and an attempt could begin if one came.
    pub fn waits_for_addresses(&self, now: Instant) -> bool {
        !self.has_all && self.next <= now
    }

    /// Whether an attempt is going on.
    pub fn is_racing(&self) -> bool {
        self.racing > 0
    }

    /// Ends the lookups that are not over, as if their time had passed.
    pub fn give_up_lookups(&mut self, now: Instant) {
        self.lookup.give_up(now);
    }
}

/// Whether a failure says no more than that a family of addresses leads nowhere from here.
fn is_without_way(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkUnreachable)
}

/// For functions that connect, whose errors are the system's: the kind is the nearest, and the error is inside.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            _ if error.is_timeout() => io::ErrorKind::TimedOut,
            ErrorKind::Name(_) | ErrorKind::Config(_) => io::ErrorKind::InvalidInput,
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
