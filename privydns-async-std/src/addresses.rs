//! The addresses of a name as they come.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use privydns_core::Error;
use privydns_core::handle::PendingAddresses;

use crate::timer::ResettableTimer;

/// The addresses of a name, one by one as they come, in the order in which to connect to them: what
/// [`Resolver::addresses`](crate::Resolver::addresses) gives. Dropping it cancels what is on its way.
#[derive(Debug)]
#[must_use = "the lookups are cancelled when it is dropped"]
pub struct AddressLookup<'r> {
    lookup: PendingAddresses<'r>,
    timer: ResettableTimer,
}

impl<'r> AddressLookup<'r> {
    pub(crate) fn new(lookup: PendingAddresses<'r>) -> Self {
        Self { lookup, timer: ResettableTimer::default() }
    }

    /// The next address; none after the last.
    ///
    /// # Errors
    /// The one item, where there is no address: what [`lookup_ip`](crate::Resolver::lookup_ip) fails with.
    pub async fn next(&mut self) -> Option<Result<IpAddr, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The same for who polls by hand.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<IpAddr, Error>>> {
        loop {
            if let Poll::Ready(next) = self.lookup.poll_next(Instant::now(), context) {
                return Poll::Ready(next);
            }
            ready!(self.timer.poll(context, self.lookup.deadline()));
        }
    }
}
