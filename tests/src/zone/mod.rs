//! What the servers know: a small zone, and a function from a query's octets to an answer's.
//!
//! [`Zone::example`] is what every server answers from unless it is given another. All names are below
//! `example.test.`:
//!
//! | name | records |
//! |---|---|
//! | `example.test.` | A, AAAA, NS, three MX, TXT, CAA, HTTPS |
//! | `www` | A `192.0.2.1`, AAAA `2001:db8::1`, TTL 300 |
//! | `v4only`, `v6only` | one address; the other family is NODATA |
//! | `multi` | eight A |
//! | `alias` | CNAME to `www` |
//! | `chain` | CNAME to `chain2`, `chain3`, `chain4`, `www` |
//! | `loop` | CNAME to `loop2`, and back |
//! | `dangling` | CNAME to `nowhere`, which does not exist |
//! | `outside` | CNAME to a name that this zone knows nothing of |
//! | `ttl0`, `ttl1`, `ttl300`, `ttl86400` | A with that TTL |
//! | `mixed` | A with TTLs 300, 60, 120 |
//! | `big` | TXT of 5,100 octets in one record |
//! | `huge` | TXT of about 60,000 octets in 30 records |
//! | `_sip._tcp` | four SRV of two priorities |
//! | `svc` | HTTPS with ALPN, port and address hints |
//! | `*.wild` | A `192.0.2.99`, TXT |
//! | `*.many` | A and AAAA of [`many_address`] and [`many_address6`]: as many names as a load test needs |
//! | `secure` | A, with AD set where the query has AD or DO |
//! | `servfail` | SERVFAIL with an extended error 22 |
//! | `refused` | REFUSED with an extended error 18 |
//! | `notimp`, `formerr` | those codes |
//!
//! Everything else below `example.test.` is NXDOMAIN with an SOA whose negative TTL is 60 s; names elsewhere are
//! REFUSED, save the PTR records of `192.0.2.1` and `2001:db8::1`.

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

/// The longest CNAME chain that is followed.
const MAX_CHAIN: usize = 16;

/// Records, and the failures that some names answer with.
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
    /// Whether names below `many.example.test.` are made up as they are asked for.
    many: bool,
}

/// How answers are dressed, whatever they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// What the EDNS keepalive option says, where the client asked for it (RFC 7828). `None`: not supported.
    pub keepalive: Option<Duration>,
    /// When answers are padded.
    pub padding: Padding,
}

/// When a server pads its answers to blocks of 468 octets (RFC 8467 Section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// Where the query was padded, as RFC 7830 Section 4 says.
    #[default]
    IfAsked,
    /// Wherever the query has EDNS.
    Always,
    /// Never.
    Never,
}

/// A response code, and an extended error to go with it.
#[derive(Clone, Debug)]
struct Failure {
    code: ResponseCode,
    extended: Option<(u16, String)>,
}

impl Zone {
    /// The zone that the module's page describes.
    pub fn example() -> Self {
        example::zone()
    }

    /// A zone with an SOA and an NS record at its apex, and nothing else.
    ///
    /// # Panics
    ///
    /// When `apex` is not a domain name, as with every name given to a zone.
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

    /// Adds an apex: names below it that have no records are NXDOMAIN, and are not REFUSED.
    ///
    /// # Panics
    ///
    /// When `apex` is not a domain name.
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
    /// When `owner` is not a domain name.
    pub fn record(mut self, owner: &str, ttl: u32, data: RData) -> Self {
        self.insert(name(owner), ttl, data);
        self
    }

    /// Adds an A or AAAA record.
    ///
    /// # Panics
    ///
    /// When `owner` is not a domain name.
    pub fn address(self, owner: &str, ttl: u32, address: IpAddr) -> Self {
        self.record(owner, ttl, address.into())
    }

    /// Adds a CNAME record.
    ///
    /// # Panics
    ///
    /// When `owner` or `target` is not a domain name.
    pub fn alias(self, owner: &str, ttl: u32, target: &str) -> Self {
        self.record(owner, ttl, RData::CNAME(CNAME(name(target))))
    }

    /// Adds a TXT record of one string.
    ///
    /// # Panics
    ///
    /// When `owner` is not a domain name.
    pub fn text(self, owner: &str, ttl: u32, text: &str) -> Self {
        self.record(owner, ttl, RData::TXT(TXT::new(vec![text.to_owned()])))
    }

    /// Makes a name answer with a response code, and with an extended error (RFC 8914) where one is given.
    ///
    /// # Panics
    ///
    /// When `owner` is not a domain name.
    pub fn failure(mut self, owner: &str, code: ResponseCode, extended: Option<(u16, &str)>) -> Self {
        let extended = extended.map(|(code, text)| (code, text.to_owned()));
        self.failures.insert(name(owner), Failure { code, extended });
        self
    }

    /// Makes a name's answers carry AD, as those of a validating resolver, where the query asks for it by AD or
    /// DO (RFC 6840 Section 5.8).
    ///
    /// # Panics
    ///
    /// When `owner` is not a domain name.
    pub fn authentic(mut self, owner: &str) -> Self {
        self.authentic.push(name(owner));
        self
    }

    /// The answer to a query: the same for the same octets, always. Octets that are no query get FORMERR.
    ///
    /// # Panics
    ///
    /// When the zone's own records cannot be encoded, as a string over 255 octets cannot.
    pub fn answer(&self, query: &[u8], manner: &Manner) -> Vec<u8> {
        let Some(query) = Query::read(query) else { return format_error(query) };
        if self.many
            && let Some(answer) = many::answer(&query, manner)
        {
            return answer;
        }
        let name = Name::from_labels(query.labels()).expect("labels off the wire");
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

    /// Puts records and the response code into `message`, and says the extended error.
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

    /// Answers a name that is in the zone, along its chain of CNAME records.
    fn follow(&self, message: &mut Message, mut name: Name, record_type: RecordType) {
        let mut met = Vec::new();
        while met.len() < MAX_CHAIN && !met.contains(&name) {
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
            met.push(name);
            let RData::CNAME(target) = &alias.data else { return };
            name = target.0.clone();
            if self.apex_of(&name).is_none() {
                return;
            }
        }
    }

    /// The records of a name; of the wildcard that covers it; none for a name that only has names below it.
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

    /// The SOA that a negative answer carries (RFC 2308 Section 3).
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
        Name::from_ascii(text).unwrap_or_else(|error| panic!("{text:?} is no domain name: {error}"));
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

/// Header, question and the three record sections; the question is the query's own, letter by letter.
fn encode(query: &Query<'_>, message: &Message) -> Vec<u8> {
    let mut message = message.clone();
    let name = Name::from_labels(query.labels()).expect("labels off the wire");
    message.queries.push(hickory_proto::op::Query::query(name, query.record_type().into()));
    let mut bytes = message.to_vec().expect("our own records encode");
    bytes[HEADER..HEADER + query.question().len()].copy_from_slice(query.question());
    bytes
}

/// What can be said of octets that are no query: their ID, and FORMERR.
fn format_error(query: &[u8]) -> Vec<u8> {
    let id = [query.first().copied().unwrap_or(0), query.get(1).copied().unwrap_or(0)];
    let mut bytes = vec![id[0], id[1], 0b1000_0000, ResponseCode::FormErr.low()];
    bytes.resize(HEADER, 0);
    bytes
}

#[cfg(test)]
mod tests;
