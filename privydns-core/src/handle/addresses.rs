//! A lookup of both families of addresses, whose addresses are taken as they come.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::{Handle, Lookup};
use crate::addresses::{Sequence, SequenceStep};
use crate::error::{Error, ErrorKind};
use crate::message::{Answer, Query};
use crate::rr::RecordType;

/// The addresses of a name, one by one, in the order in which to connect to them: what
/// [`Handle::begin_addresses`] begins. Dropped before its end, it cancels what is on its way.
#[derive(Debug)]
#[must_use = "the lookups are cancelled when it is dropped"]
pub struct PendingAddresses<'a> {
    ipv6: Option<Lookup<'a>>,
    ipv4: Option<Lookup<'a>>,
    sequence: Sequence,
    /// When to poll again although no lookup has ended.
    deadline: Option<Instant>,
}

impl Handle {
    /// Begins the lookups of a name's addresses, IPv6 and IPv4.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`].
    pub fn begin_addresses(&self, now: Instant, name: &str) -> Result<PendingAddresses<'_>, Error> {
        let ipv6 = Query::new(name, RecordType::AAAA)?;
        let ipv4 = Query::new(name, RecordType::A)?;
        let (ipv6, ipv4) = (Some(self.begin(now, ipv6)), Some(self.begin(now, ipv4)));
        Ok(PendingAddresses { ipv6, ipv4, sequence: Sequence::new(), deadline: None })
    }
}

impl PendingAddresses<'_> {
    /// The next address; none after the last. Where there is no address at all, the one item is the error that
    /// [`Addresses::join`](crate::Addresses::join) gives.
    ///
    /// An IPv4 address is held back for up to 50 ms while nothing is known of IPv6 (RFC 8305 Section 3): while this
    /// is pending, poll it again at the [`deadline`](Self::deadline) as well as when it wakes.
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

    /// When to poll again, though nothing may have happened.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the lookups that are not over, as if their time had passed.
    pub fn give_up(&mut self, now: Instant) {
        if self.ipv6.take().is_some() {
            self.sequence.ipv6_answered(Err(ErrorKind::Deadline.into()));
        }
        if self.ipv4.take().is_some() {
            self.sequence.ipv4_answered(now, Err(ErrorKind::Deadline.into()));
        }
    }
}

/// The result of a lookup that is over now.
fn ended(lookup: &mut Option<Lookup<'_>>, context: &mut Context<'_>) -> Option<Result<Answer, Error>> {
    let Poll::Ready(result) = Pin::new(lookup.as_mut()?).poll(context) else { return None };
    *lookup = None;
    Some(result)
}
