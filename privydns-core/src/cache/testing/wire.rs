//! Responses built by hand.

use std::sync::Arc;
use std::time::Duration;

use crate::message::{Message, Origin, Query, QueryName, Transport};

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const TXT: u16 = 16;
const OPT: u16 = 41;
const NXDOMAIN: u8 = 3;

/// Builds a response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    flags: [u8; 2],
    question: Vec<u8>,
    name: Vec<u8>,
    sections: [(u16, Vec<u8>); 3],
}

impl Reply {
    /// A NOERROR response without records.
    pub(crate) fn to(query: &Query) -> Self {
        let name = query.name().as_wire().to_vec();
        let mut question = name.clone();
        question.extend(query.type_number().to_be_bytes());
        question.extend([0, 1]);
        Self { flags: [0x81, 0x80], question, name, sections: Default::default() }
    }

    pub(crate) fn nxdomain(self) -> Self {
        self.rcode(NXDOMAIN)
    }

    pub(crate) fn rcode(mut self, rcode: u8) -> Self {
        self.flags[1] |= rcode;
        self
    }

    pub(crate) fn truncated(mut self) -> Self {
        self.flags[0] |= 2;
        self
    }

    /// Adds an A record at the end of the chain.
    pub(crate) fn a(self, ttl: u32) -> Self {
        self.record(A, ttl, &[192, 0, 2, 1])
    }

    /// Adds a record of the type at the end of the chain.
    pub(crate) fn record(mut self, record_type: u16, ttl: u32, data: &[u8]) -> Self {
        let name = self.name.clone();
        self.put(0, &name, record_type, ttl, data);
        self
    }

    /// Adds TXT records with this many bytes of text in total.
    pub(crate) fn txt(mut self, ttl: u32, mut bytes: usize) -> Self {
        let name = self.name.clone();
        while bytes > 0 {
            let length = bytes.min(200);
            let mut data = vec![u8::try_from(length).expect("short data")];
            data.resize(1 + length, b'x');
            self.put(0, &name, TXT, ttl, &data);
            bytes -= length;
        }
        self
    }

    /// Adds a CNAME record to another name. Further records are added for that name.
    pub(crate) fn cname(mut self, ttl: u32, target: &str) -> Self {
        let target = name(target);
        let owner = std::mem::replace(&mut self.name, target.clone());
        self.put(0, &owner, CNAME, ttl, &target);
        self
    }

    /// Adds a CNAME record before the existing ones, which then answer for its target.
    pub(crate) fn after_cname(mut self, ttl: u32, owner: &str, target: &str) -> Self {
        self.put(0, &name(owner), CNAME, ttl, &name(target));
        self
    }

    /// Adds an A record to the additional section.
    pub(crate) fn additional(mut self, ttl: u32) -> Self {
        self.put(2, &name("additional.example"), A, ttl, &[192, 0, 2, 2]);
        self
    }

    /// Adds the SOA record of a zone.
    pub(crate) fn soa(mut self, zone: &str, ttl: u32, minimum: u32) -> Self {
        let zone = name(zone);
        let mut data = [&zone[..], &zone[..]].concat();
        for number in [1, 2, 3, 4, minimum] {
            data.extend(number.to_be_bytes());
        }
        self.put(1, &zone, SOA, ttl, &data);
        self
    }

    /// Adds an OPT record with this many bytes of padding.
    pub(crate) fn opt(mut self, padding: u16) -> Self {
        let mut data = vec![0, 12];
        data.extend(padding.to_be_bytes());
        data.resize(data.len() + usize::from(padding), 0);
        self.put(2, &[0], OPT, 0, &data);
        self
    }

    pub(crate) fn message(&self, query: &Query) -> Message {
        let mut out = vec![0, 0, self.flags[0], self.flags[1], 0, 1];
        for (count, _) in &self.sections {
            out.extend(count.to_be_bytes());
        }
        out.extend(&self.question);
        for (_, records) in &self.sections {
            out.extend(records);
        }
        Message::parse(out.into(), query).expect("a response to the query")
    }

    fn put(&mut self, section: usize, owner: &[u8], record_type: u16, ttl: u32, data: &[u8]) {
        let (count, out) = &mut self.sections[section];
        *count += 1;
        out.extend(owner);
        out.extend(record_type.to_be_bytes());
        out.extend([0, 1]);
        out.extend(ttl.to_be_bytes());
        out.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
        out.extend(data);
    }
}

pub(crate) fn origin() -> Origin {
    Origin::new(Arc::from("resolver.example"), Transport::Tls, 1, Duration::from_millis(20))
}

fn name(text: &str) -> Vec<u8> {
    QueryName::parse(text).expect("a name").as_wire().to_vec()
}
