//! The addresses of a name, as they arrive.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use privydns_core::Error;
use privydns_core::handle::PendingAddresses;

use crate::timer::ResettableTimer;

/// The addresses of a name, in the order for connecting. Returned by
/// [`Resolver::addresses`](crate::Resolver::addresses). Dropping the value cancels the lookups.
#[derive(Debug)]
#[must_use = "dropping the value cancels the lookups"]
pub struct AddressLookup<'r> {
    lookup: PendingAddresses<'r>,
    timer: ResettableTimer,
}

impl<'r> AddressLookup<'r> {
    pub(crate) fn new(lookup: PendingAddresses<'r>) -> Self {
        Self { lookup, timer: ResettableTimer::default() }
    }

    /// The next address; `None` after the last.
    ///
    /// # Errors
    /// A name without addresses yields one item, the error that [`lookup_ip`](crate::Resolver::lookup_ip) returns.
    pub async fn next(&mut self) -> Option<Result<IpAddr, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The poll function behind [`next`](Self::next), for manual polling.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<IpAddr, Error>>> {
        loop {
            if let Poll::Ready(next) = self.lookup.poll_next(Instant::now(), context) {
                return Poll::Ready(next);
            }
            ready!(self.timer.poll(context, self.lookup.deadline()));
        }
    }
}
