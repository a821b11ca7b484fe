//! The addresses of a name, as they arrive.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Instant;

use privydns_core::Error;
use privydns_core::handle::PendingAddresses;

use crate::leader::Leader;

/// An iterator over the addresses of a name, in the order for connecting. Returned by
/// [`Resolver::addresses`](crate::Resolver::addresses). Dropping the iterator cancels the lookups.
#[derive(Debug)]
#[must_use = "dropping the value cancels the lookups"]
pub struct AddressLookup<'r> {
    lookup: PendingAddresses<'r>,
    leader: &'r Leader,
    /// The time after which the lookups are abandoned.
    limit: Instant,
}

impl<'r> AddressLookup<'r> {
    pub(crate) fn new(lookup: PendingAddresses<'r>, leader: &'r Leader, limit: Instant) -> Self {
        Self { lookup, leader, limit }
    }
}

impl Iterator for AddressLookup<'_> {
    type Item = Result<IpAddr, Error>;

    /// Waits for the next address. A name without addresses yields one item, the error that
    /// [`lookup_ip`](crate::Resolver::lookup_ip) returns.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (lookup, end) = (&mut self.lookup, self.limit);
            let until = lookup.deadline().map_or(end, |deadline| deadline.min(end));
            let next = poll_fn(|context| match lookup.poll_next(Instant::now(), context) {
                Poll::Ready(next) => Poll::Ready(Some(next)),
                // Waits for an event, or until another time.
                Poll::Pending if lookup.deadline().is_some_and(|deadline| deadline < until) => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            });
            match self.leader.wait(next, Some(until)) {
                Some(Some(next)) => return next,
                None if end <= Instant::now() => self.lookup.give_up(Instant::now()),
                Some(None) | None => {}
            }
        }
    }
}
