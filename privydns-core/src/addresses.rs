//! The addresses of a name: what its A and AAAA records say together.

mod families;
mod sequence;

use std::net::IpAddr;

use crate::error::{Error, ErrorKind, NotFound};
use crate::message::{Answer, Outcome};

pub(crate) use families::{Families, Family};
pub(crate) use sequence::{Next, Sequence};

/// The IPv6 and IPv4 addresses of a name; at least one.
#[derive(Clone, Debug)]
pub struct Addresses {
    ipv6: Option<Answer>,
    ipv4: Option<Answer>,
}

impl Addresses {
    /// Puts the two answers of a `lookup_ip` together. One that failed is passed over if the other has an
    /// address.
    ///
    /// # Errors
    /// The failure of either, or [`ErrorKind::NotFound`] where both are answers and neither has an address.
    pub fn join(ipv4: Result<Answer, Error>, ipv6: Result<Answer, Error>) -> Result<Self, Error> {
        let has_address =
            |answer: &Result<Answer, Error>| answer.as_ref().is_ok_and(|a| a.addresses().next().is_some());
        if has_address(&ipv4) || has_address(&ipv6) {
            return Ok(Self { ipv4: ipv4.ok(), ipv6: ipv6.ok() });
        }
        let denied = [ipv4?, ipv6?].iter().any(|answer| answer.outcome() == Outcome::NxDomain);
        Err(ErrorKind::NotFound(if denied { NotFound::NxDomain } else { NotFound::NoData }).into())
    }

    /// The addresses, IPv6 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.ipv6.iter().chain(&self.ipv4).flat_map(Answer::addresses)
    }

    /// The answer to the A query, if it did not fail.
    pub fn ipv4(&self) -> Option<&Answer> {
        self.ipv4.as_ref()
    }

    /// The answer to the AAAA query, if it did not fail.
    pub fn ipv6(&self) -> Option<&Answer> {
        self.ipv6.as_ref()
    }
}
