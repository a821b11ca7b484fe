//! The addresses of a name as they come.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Instant;

use privydns_core::Error;
use privydns_core::handle::PendingAddresses;

use crate::leader::Leader;

/// The addresses of a name, one by one as they come, in the order in which to connect to them: what
/// [`Resolver::addresses`](crate::Resolver::addresses) gives. Dropping it cancels what is on its way.
#[derive(Debug)]
#[must_use = "the lookups are cancelled when it is dropped"]
pub struct AddressLookup<'r> {
    lookup: PendingAddresses<'r>,
    leader: &'r Leader,
    /// When the lookups are no longer waited for.
    limit: Instant,
}

impl<'r> AddressLookup<'r> {
    pub(crate) fn new(lookup: PendingAddresses<'r>, leader: &'r Leader, limit: Instant) -> Self {
        Self { lookup, leader, limit }
    }
}

impl Iterator for AddressLookup<'_> {
    type Item = Result<IpAddr, Error>;

    /// Waits for the next address. Where there is none at all, the one item is what
    /// [`lookup_ip`](crate::Resolver::lookup_ip) fails with.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (lookup, end) = (&mut self.lookup, self.limit);
            let until = lookup.deadline().map_or(end, |deadline| deadline.min(end));
            let next = poll_fn(|context| match lookup.poll_next(Instant::now(), context) {
                Poll::Ready(next) => Poll::Ready(Some(next)),
                // To be waited for until another time.
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
