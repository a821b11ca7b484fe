//! The addresses of a name: what its A and AAAA records say together.

mod families;
mod sequence;

use std::net::IpAddr;

use crate::error::{Error, ErrorKind, NotFound};
use crate::message::{Answer, Outcome};

pub(crate) use families::{Families, Family};
pub(crate) use sequence::{Sequence, SequenceStep};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordType;
    use crate::message::{Query, local_answer};

    fn answer(record_type: RecordType) -> Result<Answer, Error> {
        let query = Query::new("localhost", record_type)?;
        local_answer(&query).ok_or(ErrorKind::Closed.into())
    }

    fn failure() -> Result<Answer, Error> {
        Err(ErrorKind::Deadline.into())
    }

    #[test]
    fn one_family_with_an_address_is_enough() {
        let (ipv4, ipv6) = (|| answer(RecordType::A), || answer(RecordType::AAAA));
        let both = Addresses::join(ipv4(), ipv6()).expect("addresses");
        let texts = both.iter().map(|address| address.to_string());
        assert_eq!(texts.collect::<Vec<_>>(), ["::1", "127.0.0.1"], "IPv6 first");
        assert!(both.ipv4().is_some() && both.ipv6().is_some());
        for other in [failure, || answer(RecordType::TXT)] {
            assert_eq!(Addresses::join(ipv4(), other()).expect("addresses").iter().count(), 1);
            assert_eq!(Addresses::join(other(), ipv6()).expect("addresses").iter().count(), 1);
        }
    }

    #[test]
    fn without_an_address_a_failure_comes_before_an_absence() {
        let absence = || answer(RecordType::TXT);
        let error = |ipv4, ipv6| Addresses::join(ipv4, ipv6).expect_err("no address").kind().clone();
        assert!(matches!(error(failure(), absence()), ErrorKind::Deadline));
        assert!(matches!(error(absence(), failure()), ErrorKind::Deadline));
        assert!(matches!(error(absence(), absence()), ErrorKind::NotFound(NotFound::NoData)));
    }
}
