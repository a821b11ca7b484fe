//! Typed values of an answer's records, in the order in which to use them.

use hickory_proto::rr::rdata::{CAA, MX, SRV};
use hickory_proto::rr::{RData, RecordType};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::answer::Answer;
use super::record::Record;
use super::service::{Mode, ServiceBinding, read_binding};
use super::srv_order::{by_priority, by_priority_and_weight};
use crate::error::{Cause, Error, ErrorKind, MessageError, NotFound};

/// Typed values of records. Each method returns an empty list if the answer has no records of the type,
/// whether the name has no such records or another type was queried; [`outcome`](Self::outcome) tells which.
///
/// Records of equal priority are shuffled once per lookup, to distribute the load as the operator intends. A
/// client that connects again should look up again, which is usually answered from the cache.
///
/// # Errors
///
/// [`Cause::Malformed`] if any record of the type cannot be read, because the malformed record may forbid the
/// use of the others. [`NotFound::NoService`] if the records state that the name does not provide the
/// service, which is different from having no records.
impl Answer {
    /// The mail servers of a domain, the most preferred first (RFC 5321 Section 5.1).
    ///
    /// If the list is empty, mail is delivered to the domain's own addresses. A null MX record (RFC 7505),
    /// which states that the domain accepts no mail, is [`NotFound::NoService`].
    ///
    /// ```
    /// # use privydns_core::{Answer, Error};
    /// fn show(answer: &Answer) -> Result<(), Error> {
    ///     for server in answer.mx()? {
    ///         println!("{} {}", server.preference, server.exchange);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn mx(&self) -> Result<Vec<MX>, Error> {
        let mut servers = self.typed(RecordType::MX, |record| match record.data()? {
            RData::MX(mx) => Ok(mx),
            _ => Err(MessageError::Data(RecordType::MX)),
        })?;
        self.drop_null(&mut servers, |server| server.exchange.is_root())?;
        by_priority(&mut servers, |server| server.preference, &mut self.random());
        Ok(servers)
    }

    /// The servers of a service, in the order in which to try them: by priority, and within a priority by
    /// weighted random selection, done once per lookup (RFC 2782).
    ///
    /// A single record with the root as its target, which states that the service is not available, is
    /// [`NotFound::NoService`].
    ///
    /// ```
    /// # use privydns_core::{Answer, Error};
    /// fn show(answer: &Answer) -> Result<(), Error> {
    ///     for server in answer.srv()? {
    ///         println!("{}:{}", server.target, server.port);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn srv(&self) -> Result<Vec<SRV>, Error> {
        let mut servers = self.typed(RecordType::SRV, |record| match record.data()? {
            RData::SRV(srv) => Ok(srv),
            _ => Err(MessageError::Data(RecordType::SRV)),
        })?;
        self.drop_null(&mut servers, |server| server.target.is_root())?;
        by_priority_and_weight(&mut servers, &mut self.random());
        Ok(servers)
    }

    /// The HTTPS records of an origin (RFC 9460 Section 9): either an alias, or the endpoints, the most
    /// preferred first. Each endpoint supports `http/1.1` unless its record excludes the default.
    ///
    /// ```
    /// use privydns_core::{Answer, Error, ServiceBinding};
    ///
    /// fn show(answer: &Answer) -> Result<(), Error> {
    ///     match answer.https()? {
    ///         ServiceBinding::Alias(name) => println!("served as {name} is"),
    ///         ServiceBinding::Services(services) => {
    ///             for service in services {
    ///                 println!("{}:{}", service.target, service.port.unwrap_or(443));
    ///             }
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn https(&self) -> Result<ServiceBinding, Error> {
        self.binding(RecordType::HTTPS, &[b"http/1.1"])
    }

    /// The same for SVCB records. Their endpoints have no default protocol.
    ///
    /// ```
    /// use privydns_core::{Answer, Error, ServiceBinding};
    ///
    /// fn show(answer: &Answer) -> Result<(), Error> {
    ///     if let ServiceBinding::Services(services) = answer.svcb()? {
    ///         println!("{services:?}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn svcb(&self) -> Result<ServiceBinding, Error> {
        self.binding(RecordType::SVCB, &[])
    }

    /// The texts of a name. Each is the concatenation of one record's strings (RFC 7208 Section 3.3), and
    /// need not be UTF-8. If the strings have separate meanings, as in DNS-SD (RFC 6763 Section 6), use the
    /// [data](Record::data).
    ///
    /// ```
    /// # use privydns_core::{Answer, Error};
    /// fn sender_policy(answer: &Answer) -> Result<Option<Vec<u8>>, Error> {
    ///     Ok(answer.txt()?.into_iter().find(|text| text.starts_with(b"v=spf1 ")))
    /// }
    /// ```
    pub fn txt(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.typed(RecordType::TXT, |record| join_strings(record.data_bytes()))
    }

    /// The CAA records of a domain, which list the authorities that may issue certificates. If the list is
    /// empty, the records of the parent domain apply (RFC 8659 Section 3), which takes another lookup.
    ///
    /// ```
    /// # use privydns_core::{Answer, Error};
    /// fn issuers(answer: &Answer) -> Result<Vec<String>, Error> {
    ///     let issue = answer.caa()?.into_iter().filter(|property| property.tag.eq_ignore_ascii_case("issue"));
    ///     Ok(issue.map(|property| String::from_utf8_lossy(&property.value).into_owned()).collect())
    /// }
    /// ```
    pub fn caa(&self) -> Result<Vec<CAA>, Error> {
        self.typed(RecordType::CAA, |record| match record.data()? {
            RData::CAA(caa) => Ok(caa),
            _ => Err(MessageError::Data(RecordType::CAA)),
        })
    }

    fn binding(&self, record_type: RecordType, default_protocols: &[&[u8]]) -> Result<ServiceBinding, Error> {
        let modes = self.typed(record_type, |record| read_binding(record, default_protocols))?;
        let (mut aliases, mut services) = (Vec::new(), Vec::new());
        for mode in modes {
            match mode {
                Mode::Alias(target) => aliases.push(target),
                Mode::Service(service) => services.push(service),
                Mode::Incompatible => {}
            }
        }
        let mut random = self.random();
        // An alias takes precedence over endpoints. One of several aliases is chosen at random (RFC 9460
        // Section 2.4.2).
        self.drop_null(&mut aliases, hickory_proto::rr::Name::is_root)?;
        by_priority(&mut aliases, |_| 0, &mut random);
        if let Some(alias) = aliases.into_iter().next() {
            return Ok(ServiceBinding::Alias(alias));
        }
        by_priority(&mut services, |service| service.priority, &mut random);
        Ok(ServiceBinding::Services(services))
    }

    /// The values of the records of a type.
    fn typed<T>(
        &self,
        record_type: RecordType,
        read: impl Fn(&Record<'_>) -> Result<T, MessageError>,
    ) -> Result<Vec<T>, Error> {
        let records = self.records().filter(|record| record.record_type() == record_type);
        let values = records.map(|record| read(&record)).collect::<Result<Vec<_>, _>>();
        values.map_err(|problem| self.error(ErrorKind::Upstream(Cause::Malformed(problem))))
    }

    /// Removes values whose name is the root. If no value is left, the name states that it does not provide the
    /// service.
    fn drop_null<T>(&self, values: &mut Vec<T>, is_null: impl Fn(&T) -> bool) -> Result<(), Error> {
        let has_any = !values.is_empty();
        values.retain(|value| !is_null(value));
        if has_any && values.is_empty() {
            return Err(self.error(ErrorKind::NotFound(NotFound::NoService)));
        }
        Ok(())
    }

    fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.shuffle_seed())
    }
}

/// Concatenates the strings of a TXT record's data (RFC 1035 Section 3.3.14).
fn join_strings(mut data: &[u8]) -> Result<Vec<u8>, MessageError> {
    let mut joined = Vec::with_capacity(data.len());
    while let Some((&length, rest)) = data.split_first() {
        let (string, rest) =
            rest.split_at_checked(length.into()).ok_or(MessageError::Data(RecordType::TXT))?;
        joined.extend_from_slice(string);
        data = rest;
    }
    Ok(joined)
}
