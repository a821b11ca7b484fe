//! The order of a name's addresses for connecting, while answers arrive.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::families::{Families, Family};
use super::{AddressResults, Addresses};
use crate::error::Error;
use crate::message::Answer;

/// How long IPv4 addresses wait for the IPv6 answer (RFC 8305 Section 3).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

type Answered = Option<Result<Answer, Error>>;

/// Decides which address of a name is next, and when. The families alternate, IPv6 first; an IPv4 answer
/// waits 50 ms for the IPv6 answer (RFC 8305 Sections 3 and 4). Within a family, and between the first
/// addresses of each, the precedence of RFC 6724 applies, as far as it can be determined without the system's
/// routes.
#[derive(Debug)]
pub(crate) struct Sequence {
    families: Families<IpAddr>,
    ipv6: Answered,
    ipv4: Answered,
    /// The time until which IPv4 addresses wait.
    wait: Option<Instant>,
    has_begun: bool,
    is_over: bool,
}

/// The next step.
#[derive(Debug)]
pub(crate) enum SequenceStep {
    Address(IpAddr),
    /// No address before another answer arrives, or before this time.
    Wait(Option<Instant>),
    /// No more addresses; an error if there was no address at all.
    End(Option<Error>),
}

impl Sequence {
    pub(crate) fn new() -> Self {
        let families = Families::new(VecDeque::new(), VecDeque::new());
        Self { families, ipv6: None, ipv4: None, wait: None, has_begun: false, is_over: false }
    }

    pub(crate) fn ipv6_answered(&mut self, result: Result<Answer, Error>) {
        self.families.ipv6 = in_order(&result).into();
        self.ipv6 = Some(result);
    }

    pub(crate) fn ipv4_answered(&mut self, now: Instant, result: Result<Answer, Error>) {
        self.families.ipv4 = in_order(&result).into();
        self.ipv4 = Some(result);
        self.wait = (!self.families.ipv4.is_empty()).then_some(now + RESOLUTION_DELAY);
    }

    pub(crate) fn next(&mut self, now: Instant) -> SequenceStep {
        if self.is_over {
            return SequenceStep::End(None);
        }
        let is_first = !self.has_begun && self.ipv6.is_none();
        if let Some(wait) = self.wait.filter(|wait| is_first && now < *wait) {
            return SequenceStep::Wait(Some(wait));
        }
        let first = self.first_family();
        if let Some(address) = self.families.next(first) {
            self.has_begun = true;
            return SequenceStep::Address(address);
        }
        match (self.ipv4.take(), self.ipv6.take()) {
            (Some(ipv4), Some(ipv6)) => {
                self.is_over = true;
                SequenceStep::End(if self.has_begun {
                    None
                } else {
                    Addresses::join(AddressResults { ipv4, ipv6 }).err()
                })
            }
            (ipv4, ipv6) => {
                (self.ipv4, self.ipv6) = (ipv4, ipv6);
                SequenceStep::Wait(None)
            }
        }
    }

    /// The family of the better of the two first addresses; IPv6 if they are equal.
    fn first_family(&self) -> Family {
        let best = |address: Option<&IpAddr>| address.map(precedence);
        if best(self.families.ipv4.front()) > best(self.families.ipv6.front()) {
            Family::Ipv4
        } else {
            Family::Ipv6
        }
    }
}

fn in_order(result: &Result<Answer, Error>) -> Vec<IpAddr> {
    let mut addresses = result.iter().flat_map(Answer::addresses).collect::<Vec<_>>();
    addresses.sort_by_key(|address| std::cmp::Reverse(precedence(address)));
    addresses
}

/// The precedence of an address in the default policy table (RFC 6724 Section 2.1); higher is better.
fn precedence(address: &IpAddr) -> u8 {
    let IpAddr::V6(ipv6) = address else { return 35 };
    let octets = ipv6.octets();
    match octets {
        _ if ipv6.is_loopback() => 50,
        _ if ipv6.to_ipv4_mapped().is_some() => 35,
        [0x20, 0x02, ..] => 30,
        [0x20, 0x01, 0, 0, ..] => 5,
        [0xfc | 0xfd, ..] => 3,
        [0xfe, 0xc0..=0xff, ..] | [0x3f, 0xfe, ..] => 1,
        _ if octets.starts_with(&[0; 12]) => 1,
        _ => 40,
    }
}

#[cfg(test)]
mod tests;
