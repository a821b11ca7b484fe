//! The records of a server, and the function that answers a query from them.
//!
//! [`Zone::example`] is the default zone of all servers. All names are below `example.test.`:
//!
//! | name | records |
//! |---|---|
//! | `example.test.` | A, AAAA, NS, three MX, TXT, CAA, HTTPS |
//! | `www` | A `192.0.2.1`, AAAA `2001:db8::1`, TTL 300 |
//! | `v4only`, `v6only` | one address; NODATA for the other family |
//! | `multi` | eight A |
//! | `alias` | CNAME to `www` |
//! | `chain` | CNAME to `chain2`, `chain3`, `chain4`, `www` |
//! | `loop` | CNAME to `loop2`, and back |
//! | `dangling` | CNAME to `nowhere`, which does not exist |
//! | `outside` | CNAME to a name outside this zone |
//! | `ttl0`, `ttl1`, `ttl300`, `ttl86400` | A with that TTL |
//! | `mixed` | A with TTLs 300, 60, 120 |
//! | `big` | TXT of 5,100 bytes in one record |
//! | `huge` | TXT of about 60,000 bytes in 30 records |
//! | `_sip._tcp` | four SRV of two priorities |
//! | `svc` | HTTPS with ALPN, port and address hints |
//! | `*.wild` | A `192.0.2.99`, TXT |
//! | `*.many` | A and AAAA of [`many_address`] and [`many_address6`], for load tests |
//! | `secure` | A, with the AD flag if the query has AD or DO |
//! | `servfail` | SERVFAIL with an extended error 22 |
//! | `refused` | REFUSED with an extended error 18 |
//! | `notimp`, `formerr` | NOTIMP, FORMERR |
//!
//! All other names below `example.test.` are NXDOMAIN, with an SOA whose negative TTL is 60 s. Names in other
//! zones are REFUSED, except the PTR records of `192.0.2.1` and `2001:db8::1`.

pub(crate) mod edns;
mod example;
mod many;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::wire::{HEADER, Query};

pub use many::{many_address, many_address6};

/// The maximum length of a CNAME chain.
const MAX_CHAIN: usize = 16;

/// Records, and names that are answered with an error code.
///
/// ```
/// use std::time::Duration;
/// use privydns_tests::{Manner, Zone};
///
/// let zone = Zone::new("internal.test.").address("api.internal.test.", 60, "192.0.2.7".parse().unwrap());
/// let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03api\x08internal\x04test\0\0\x01\0\x01";
/// let answer = zone.answer(query, &Manner::default());
/// assert!(answer.ends_with(&[192, 0, 2, 7]));
/// ```
#[derive(Clone, Debug)]
pub struct Zone {
    apexes: Vec<Name>,
    records: BTreeMap<Name, Vec<Record>>,
    failures: BTreeMap<Name, Failure>,
    authentic: Vec<Name>,
    /// Whether records of names below `many.example.test.` are generated for each query.
    many: bool,
}

/// Settings for the EDNS options of all answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// The timeout in the EDNS keepalive option, which is sent if the client sends the option (RFC 7828). `None`
    /// sends no such option.
    pub keepalive: Option<Duration>,
    /// When answers are padded.
    pub padding: Padding,
}

/// When a server pads answers to a multiple of 468 bytes (RFC 8467 Section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// If the query was padded (RFC 7830 Section 4).
    #[default]
    IfAsked,
    /// If the query has EDNS.
    Always,
    /// Never.
    Never,
}

/// A response code, with an optional extended error.
#[derive(Clone, Debug)]
struct Failure {
    code: ResponseCode,
    extended: Option<(u16, String)>,
}

impl Zone {
    /// The zone that the module documentation describes.
    pub fn example() -> Self {
        example::zone()
    }

    /// A zone that contains only an SOA and an NS record at its apex.
    ///
    /// # Panics
    ///
    /// If `apex` is not a domain name. All methods of this type panic if a name is invalid.
    pub fn new(apex: &str) -> Self {
        let zone = Self {
            apexes: Vec::new(),
            records: BTreeMap::new(),
            failures: BTreeMap::new(),
            authentic: Vec::new(),
            many: false,
        };
        zone.apex(apex)
    }

    /// Adds an apex. Names below an apex that have no records are NXDOMAIN instead of REFUSED.
    ///
    /// # Panics
    ///
    /// If `apex` is not a domain name.
    pub fn apex(mut self, apex: &str) -> Self {
        let name = name(apex);
        let server = child("ns", &name);
        let mailbox = child("hostmaster", &name);
        self.apexes.push(name.clone());
        self.insert(
            name.clone(),
            300,
            RData::SOA(SOA::new(server.clone(), mailbox, 1, 7200, 900, 86400, 60)),
        );
        self.insert(name, 300, RData::NS(NS(server)));
        self
    }

    /// Adds a record. A name whose first label is `*` is a wildcard.
    ///
    /// # Panics
    ///
    /// If `owner` is not a domain name.
    pub fn record(mut self, owner: &str, ttl: u32, data: RData) -> Self {
        self.insert(name(owner), ttl, data);
        self
    }

    /// Adds an A or AAAA record.
    ///
    /// # Panics
    ///
    /// If `owner` is not a domain name.
    pub fn address(self, owner: &str, ttl: u32, address: IpAddr) -> Self {
        self.record(owner, ttl, address.into())
    }

    /// Adds a CNAME record.
    ///
    /// # Panics
    ///
    /// If `owner` or `target` is not a domain name.
    pub fn alias(self, owner: &str, ttl: u32, target: &str) -> Self {
        self.record(owner, ttl, RData::CNAME(CNAME(name(target))))
    }

    /// Adds a TXT record that consists of one string.
    ///
    /// # Panics
    ///
    /// If `owner` is not a domain name.
    pub fn text(self, owner: &str, ttl: u32, text: &str) -> Self {
        self.record(owner, ttl, RData::TXT(TXT::new(vec![text.to_owned()])))
    }

    /// Answers queries for a name with this response code and, if given, an extended error (RFC 8914).
    ///
    /// # Panics
    ///
    /// If `owner` is not a domain name.
    pub fn failure(mut self, owner: &str, code: ResponseCode, extended: Option<(u16, &str)>) -> Self {
        let extended = extended.map(|(code, text)| (code, text.to_owned()));
        self.failures.insert(name(owner), Failure { code, extended });
        self
    }

    /// Sets the AD flag in answers for a name, as a validating resolver does, if the query has AD or DO (RFC
    /// 6840 Section 5.8).
    ///
    /// # Panics
    ///
    /// If `owner` is not a domain name.
    pub fn authentic(mut self, owner: &str) -> Self {
        self.authentic.push(name(owner));
        self
    }

    /// Answers a query. The same bytes always get the same answer. Bytes that are not a query get FORMERR.
    ///
    /// # Panics
    ///
    /// If a record of the zone cannot be encoded, for example a string of more than 255 bytes.
    pub fn answer(&self, query: &[u8], manner: &Manner) -> Vec<u8> {
        let Some(query) = Query::read(query) else { return format_error(query) };
        if self.many
            && let Some(answer) = many::answer(&query, manner)
        {
            return answer;
        }
        let name = Name::from_labels(query.labels()).expect("the labels were parsed from a name");
        let mut message = Message::new(query.id(), MessageType::Response, OpCode::from_u8(query.opcode()));
        message.metadata.recursion_desired = query.recursion_desired();
        message.metadata.recursion_available = true;
        message.metadata.checking_disabled = query.checking_disabled();
        let wants_authenticity = query.authentic_data() || query.opt().is_some_and(|opt| opt.dnssec_ok());
        message.metadata.authentic_data = wants_authenticity && self.authentic.contains(&name);
        let extended = self.fill(&mut message, &query, name);
        let mut bytes = encode(&query, &message);
        edns::append(&mut bytes, &query, manner, message.metadata.response_code, extended);
        bytes
    }

    /// Fills in the records and the response code of `message`, and returns the extended error.
    fn fill(&self, message: &mut Message, query: &Query<'_>, name: Name) -> Option<(u16, &str)> {
        let code = &mut message.metadata.response_code;
        if message.metadata.op_code != OpCode::Query {
            *code = ResponseCode::NotImp;
            return None;
        }
        if let Some(failure) = self.failures.get(&name) {
            *code = failure.code;
            return failure.extended.as_ref().map(|(code, text)| (*code, text.as_str()));
        }
        if query.class() != 1 || self.apex_of(&name).is_none() {
            *code = ResponseCode::Refused;
            return Some((20, "not authoritative for this name"));
        }
        self.follow(message, name, query.record_type().into());
        None
    }

    /// Answers a query for a name in the zone, following CNAME records.
    fn follow(&self, message: &mut Message, mut name: Name, record_type: RecordType) {
        let mut visited = Vec::new();
        while visited.len() < MAX_CHAIN && !visited.contains(&name) {
            let Some(records) = self.records_at(&name) else {
                message.metadata.response_code = ResponseCode::NXDomain;
                return self.deny(message, &name);
            };
            let wanted =
                |record: &&Record| record.record_type() == record_type || record_type == RecordType::ANY;
            let found = records.iter().filter(wanted).map(|record| owned_by(record, &name));
            let before = message.answers.len();
            message.answers.extend(found);
            if message.answers.len() > before {
                return;
            }
            let Some(alias) = records.iter().find(|record| record.record_type() == RecordType::CNAME) else {
                return self.deny(message, &name);
            };
            message.answers.push(owned_by(alias, &name));
            visited.push(name);
            let RData::CNAME(target) = &alias.data else { return };
            name = target.0.clone();
            if self.apex_of(&name).is_none() {
                return;
            }
        }
    }

    /// The records of a name, or of the wildcard that covers the name. The slice is empty if only names below
    /// it exist, and the result is `None` if the name does not exist.
    fn records_at(&self, name: &Name) -> Option<&[Record]> {
        if let Some(records) = self.records.get(name) {
            return Some(records);
        }
        if self.exists(name) {
            return Some(&[]);
        }
        let apex = self.apex_of(name)?;
        let mut ancestor = name.base_name();
        while apex.zone_of(&ancestor) {
            if let Some(records) = self.records.get(&child("*", &ancestor)) {
                return Some(records);
            }
            if self.exists(&ancestor) {
                return None;
            }
            ancestor = ancestor.base_name();
        }
        None
    }

    fn exists(&self, name: &Name) -> bool {
        self.records.keys().any(|known| name.zone_of(known))
    }

    /// Adds the SOA record of a negative answer (RFC 2308 Section 3).
    fn deny(&self, message: &mut Message, name: &Name) {
        let records = self.apex_of(name).and_then(|apex| self.records.get(apex)).into_iter().flatten();
        message.authorities.extend(records.filter(|record| record.record_type() == RecordType::SOA).cloned());
    }

    fn apex_of(&self, name: &Name) -> Option<&Name> {
        self.apexes.iter().find(|apex| apex.zone_of(name))
    }

    fn insert(&mut self, name: Name, ttl: u32, data: RData) {
        self.records.entry(name.clone()).or_default().push(Record::from_rdata(name, ttl, data));
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::example()
    }
}

fn name(text: &str) -> Name {
    let mut name =
        Name::from_ascii(text).unwrap_or_else(|error| panic!("{text:?} is not a domain name: {error}"));
    name.set_fqdn(true);
    name
}

fn child(label: &str, parent: &Name) -> Name {
    parent.prepend_label(label).expect("a short label fits")
}

fn owned_by(record: &Record, name: &Name) -> Record {
    let mut record = record.clone();
    record.name = name.clone();
    record
}

/// Encodes header, question and the three record sections. The question is copied from the query, which keeps
/// the case of the name.
fn encode(query: &Query<'_>, message: &Message) -> Vec<u8> {
    let mut message = message.clone();
    let name = Name::from_labels(query.labels()).expect("the labels were parsed from a name");
    message.queries.push(hickory_proto::op::Query::query(name, query.record_type().into()));
    let mut bytes = message.to_vec().expect("the zone's records can be encoded");
    bytes[HEADER..HEADER + query.question().len()].copy_from_slice(query.question());
    bytes
}

/// Answers bytes that are not a query, with the ID and FORMERR.
fn format_error(query: &[u8]) -> Vec<u8> {
    let id = [query.first().copied().unwrap_or(0), query.get(1).copied().unwrap_or(0)];
    let mut bytes = vec![id[0], id[1], 0b1000_0000, ResponseCode::FormErr.low()];
    bytes.resize(HEADER, 0);
    bytes
}

#[cfg(test)]
mod tests;
