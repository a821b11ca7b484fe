//! The addresses of a name: the results of an A and an AAAA lookup combined.

mod families;
mod sequence;

use std::net::IpAddr;

use crate::error::{Error, ErrorKind, NotFound};
use crate::message::{Answer, Outcome};

pub(crate) use families::{Families, Family};
pub(crate) use sequence::{Sequence, SequenceStep};

/// The IPv6 and IPv4 addresses of a name. There is at least one address.
#[derive(Clone, Debug)]
pub struct Addresses {
    ipv6: Option<Answer>,
    ipv4: Option<Answer>,
}

/// The results of the A and the AAAA lookup of one name, for [`Addresses::join`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a name has addresses of these two families")]
pub struct AddressResults {
    /// The result of the A lookup.
    pub ipv4: Result<Answer, Error>,
    /// The result of the AAAA lookup.
    pub ipv6: Result<Answer, Error>,
}

impl Addresses {
    /// Combines the results of both lookups. If one lookup failed and the other has an address, the failure is ignored.
    ///
    /// # Errors
    /// If there is no address: the error of the A lookup, else the error of the AAAA lookup, else
    /// [`ErrorKind::NotFound`].
    pub fn join(results: AddressResults) -> Result<Self, Error> {
        let AddressResults { ipv4, ipv6 } = results;
        let has_address =
            |answer: &Result<Answer, Error>| answer.as_ref().is_ok_and(|a| a.addresses().next().is_some());
        if has_address(&ipv4) || has_address(&ipv6) {
            return Ok(Self { ipv4: ipv4.ok(), ipv6: ipv6.ok() });
        }
        let denied = [ipv4?, ipv6?].iter().any(|answer| answer.outcome() == Outcome::NxDomain);
        Err(ErrorKind::NotFound(if denied { NotFound::NxDomain } else { NotFound::NoData }).into())
    }

    /// Returns the addresses, IPv6 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + Clone + use<'_> {
        self.ipv6.iter().chain(&self.ipv4).flat_map(Answer::addresses)
    }

    /// Returns the answer to the A query, or `None` if that query failed.
    pub fn ipv4(&self) -> Option<&Answer> {
        self.ipv4.as_ref()
    }

    /// Returns the answer to the AAAA query, or `None` if that query failed.
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

    fn join(ipv4: Result<Answer, Error>, ipv6: Result<Answer, Error>) -> Result<Addresses, Error> {
        Addresses::join(AddressResults { ipv4, ipv6 })
    }

    #[test]
    fn one_family_with_an_address_is_enough() {
        let (ipv4, ipv6) = (|| answer(RecordType::A), || answer(RecordType::AAAA));
        let both = join(ipv4(), ipv6()).expect("addresses");
        let texts = both.iter().map(|address| address.to_string());
        assert_eq!(texts.collect::<Vec<_>>(), ["::1", "127.0.0.1"], "IPv6 first");
        assert!(both.ipv4().is_some() && both.ipv6().is_some());
        for other in [failure, || answer(RecordType::TXT)] {
            assert_eq!(join(ipv4(), other()).expect("addresses").iter().count(), 1);
            assert_eq!(join(other(), ipv6()).expect("addresses").iter().count(), 1);
        }
    }

    #[test]
    fn without_an_address_a_failure_takes_precedence_over_nodata() {
        let nodata = || answer(RecordType::TXT);
        let error = |ipv4, ipv6| join(ipv4, ipv6).expect_err("no address").kind().clone();
        assert_eq!(error(failure(), nodata()), ErrorKind::Deadline);
        assert_eq!(error(nodata(), failure()), ErrorKind::Deadline);
        assert_eq!(error(nodata(), nodata()), ErrorKind::NotFound(NotFound::NoData));
    }
}
