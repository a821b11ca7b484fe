//! Responses built by hand.

use std::sync::Arc;
use std::time::Duration;

use crate::message::{Message, Origin, Query, Transport};
use crate::testkit::message::{Response, Section, name, opt, option, question, record};

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const PADDING: u16 = 12;
const NXDOMAIN: u8 = 3;

/// Builds a response to a query. Answers follow a chain of CNAME records.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    response: Response,
    /// The owner of the next answer, in wire form.
    owner: Vec<u8>,
}

impl Reply {
    /// A NOERROR response without records.
    pub(crate) fn to(query: &Query) -> Self {
        let owner = query.name().as_wire().to_vec();
        Self { response: Response::to(&question(&owner, query.type_number())), owner }
    }

    pub(crate) fn nxdomain(self) -> Self {
        self.rcode(NXDOMAIN)
    }

    pub(crate) fn rcode(self, rcode: u8) -> Self {
        Self { response: self.response.rcode(rcode), ..self }
    }

    pub(crate) fn truncated(self) -> Self {
        Self { response: self.response.truncated(), ..self }
    }

    /// Adds an A record at the end of the chain.
    pub(crate) fn a(self, ttl: u32) -> Self {
        self.record(A, ttl, &[192, 0, 2, 1])
    }

    /// Adds a record of the type at the end of the chain.
    pub(crate) fn record(self, record_type: u16, ttl: u32, data: &[u8]) -> Self {
        let owner = self.owner.clone();
        self.put(Section::Answer, &record(&owner, record_type, ttl, data))
    }

    /// Adds TXT records with this many bytes of text in total.
    pub(crate) fn txt(mut self, ttl: u32, mut bytes: usize) -> Self {
        while bytes > 0 {
            let length = bytes.min(200);
            let mut data = vec![u8::try_from(length).expect("short data")];
            data.resize(1 + length, b'x');
            self = self.record(TXT, ttl, &data);
            bytes -= length;
        }
        self
    }

    /// Adds a CNAME record to another name. Further records are added for that name.
    pub(crate) fn cname(mut self, ttl: u32, target: &str) -> Self {
        let target = name(target);
        let owner = std::mem::replace(&mut self.owner, target.clone());
        self.put(Section::Answer, &record(&owner, CNAME, ttl, &target))
    }

    /// Adds a CNAME record before the existing ones, which then answer for its target.
    pub(crate) fn after_cname(self, ttl: u32, owner: &str, target: &str) -> Self {
        self.put(Section::Answer, &record(&name(owner), CNAME, ttl, &name(target)))
    }

    /// Adds an A record to the additional section.
    pub(crate) fn additional(self, ttl: u32) -> Self {
        self.put(Section::Additional, &record(&name("additional.example"), A, ttl, &[192, 0, 2, 2]))
    }

    /// Adds the SOA record of a zone.
    pub(crate) fn soa(self, zone: &str, ttl: u32, minimum: u32) -> Self {
        Self { response: self.response.soa(&name(zone), ttl, [1, 2, 3, 4, minimum]), ..self }
    }

    /// Adds an OPT record with this many bytes of padding.
    pub(crate) fn opt(self, padding: u16) -> Self {
        let padding = vec![0; padding.into()];
        self.put(Section::Additional, &opt(0, &option(PADDING, &padding)))
    }

    pub(crate) fn message(&self, query: &Query) -> Message {
        Message::parse(self.response.bytes().into(), query).expect("a response to the query")
    }

    fn put(self, section: Section, record: &[u8]) -> Self {
        Self { response: self.response.add(section, record), ..self }
    }
}

pub(crate) fn origin() -> Origin {
    Origin::new(Arc::from("resolver.example"), Transport::Tls, 1, Duration::from_millis(20))
}
