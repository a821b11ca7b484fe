//! A lookup of both address families that yields addresses as answers arrive.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::{Handle, Lookup};
use crate::RecordType;
use crate::addresses::{Sequence, SequenceStep};
use crate::error::{Error, ErrorKind};
use crate::message::{Answer, Query};

/// The addresses of a name, one by one, in the order in which to connect to them. Returned by
/// [`Handle::begin_addresses`]. Dropping it cancels unfinished lookups.
#[derive(Debug)]
#[must_use = "dropping this cancels the lookups"]
pub struct PendingAddresses<'a> {
    ipv6: Option<Lookup<'a>>,
    ipv4: Option<Lookup<'a>>,
    sequence: Sequence,
    /// When to poll again even if no lookup has ended.
    deadline: Option<Instant>,
}

impl Handle {
    /// Begins the lookups of a name's IPv6 and IPv4 addresses.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] if the name is invalid.
    pub fn begin_addresses(&self, now: Instant, name: &str) -> Result<PendingAddresses<'_>, Error> {
        let ipv6 = Query::new(name, RecordType::AAAA)?;
        let ipv4 = Query::new(name, RecordType::A)?;
        let (ipv6, ipv4) = (Some(self.begin(now, ipv6)), Some(self.begin(now, ipv4)));
        Ok(PendingAddresses { ipv6, ipv4, sequence: Sequence::new(), deadline: None })
    }
}

impl PendingAddresses<'_> {
    /// The next address, or `None` after the last. If there is no address at all, the only item is the error
    /// of [`Addresses::join`](crate::Addresses::join).
    ///
    /// IPv4 addresses are delayed by up to 50 ms while the IPv6 answer is missing (RFC 8305 Section 3). While
    /// the result is pending, poll again at the [`deadline`](Self::deadline) as well as when woken.
    pub fn poll_next(
        &mut self,
        now: Instant,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<IpAddr, Error>>> {
        if let Some(result) = ended(&mut self.ipv6, context) {
            self.sequence.ipv6_answered(result);
        }
        if let Some(result) = ended(&mut self.ipv4, context) {
            self.sequence.ipv4_answered(now, result);
        }
        self.deadline = None;
        match self.sequence.next(now) {
            SequenceStep::Address(address) => Poll::Ready(Some(Ok(address))),
            SequenceStep::End(problem) => Poll::Ready(problem.map(Err)),
            SequenceStep::Wait(deadline) => {
                self.deadline = deadline;
                Poll::Pending
            }
        }
    }

    /// When to poll again, even if not woken.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the unfinished lookups as if their deadline had passed.
    pub fn give_up(&mut self, now: Instant) {
        if self.ipv6.take().is_some() {
            self.sequence.ipv6_answered(Err(ErrorKind::Deadline.into()));
        }
        if self.ipv4.take().is_some() {
            self.sequence.ipv4_answered(now, Err(ErrorKind::Deadline.into()));
        }
    }
}

/// The result of a lookup that has ended.
fn ended(lookup: &mut Option<Lookup<'_>>, context: &mut Context<'_>) -> Option<Result<Answer, Error>> {
    let Poll::Ready(result) = Pin::new(lookup.as_mut()?).poll(context) else { return None };
    *lookup = None;
    Some(result)
}
