//! Builds responses for tests record by record, valid or intentionally invalid.

mod answers;
mod chains;
mod faults;
mod lifetimes;
mod local;
mod malformed;
mod names;
mod queries;
mod responses;
mod typed;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::RecordType;
use crate::testkit::message as wire_format;
pub(super) use crate::testkit::message::{QUESTION_NAME as QUESTION, name as wire, option};

pub(super) const NOERROR: u8 = 0;
pub(super) const SERVFAIL: u8 = 2;
pub(super) const NXDOMAIN: u8 = 3;

pub(super) fn query(name: &str, record_type: RecordType) -> Query {
    Query::new(name, record_type).unwrap()
}

/// The data of an SOA record with this MINIMUM.
pub(super) fn soa(minimum: u32) -> Vec<u8> {
    let numbers = [2026, 7200, 3600, 1_209_600, minimum];
    wire_format::soa_data(&wire("ns.example"), &wire("hostmaster.example"), numbers)
}

/// Builds a response. Records are added to the answer section until another section is begun.
#[derive(Clone)]
pub(super) struct Response {
    pub(super) bytes: Vec<u8>,
    /// The offset of the current section's record count.
    count: usize,
}

impl Response {
    /// A response with the question of `query` and no records.
    pub(super) fn to(query: &Query) -> Self {
        let header = wire_format::header(0, wire_format::RESPONSE, [1, 0, 0, 0]);
        let question = wire_format::question(query.name().as_wire(), query.type_number());
        Self { bytes: [header, question].concat(), count: 6 }
    }

    pub(super) fn rcode(mut self, rcode: u8) -> Self {
        self.bytes[3] = self.bytes[3] & 0xf0 | rcode;
        self
    }

    pub(super) fn truncated(mut self) -> Self {
        self.bytes[2] |= 0x02;
        self
    }

    pub(super) fn authenticated(mut self) -> Self {
        self.bytes[3] |= 0x20;
        self
    }

    pub(super) fn authorities(mut self) -> Self {
        self.count = 8;
        self
    }

    pub(super) fn additionals(mut self) -> Self {
        self.count = 10;
        self
    }

    /// Adds a record in class IN; `owner` is in wire form.
    pub(super) fn record(self, owner: &[u8], record_type: RecordType, ttl: u32, data: &[u8]) -> Self {
        self.record_in(1, owner, record_type, ttl, data)
    }

    pub(super) fn record_in(
        mut self,
        class: u16,
        owner: &[u8],
        record_type: RecordType,
        ttl: u32,
        data: &[u8],
    ) -> Self {
        self.bytes.extend(wire_format::record_in(class, owner, record_type.into(), ttl, data));
        let count = u16::from_be_bytes([self.bytes[self.count], self.bytes[self.count + 1]]) + 1;
        self.bytes[self.count..self.count + 2].copy_from_slice(&count.to_be_bytes());
        self
    }

    pub(super) fn cname(self, owner: &str, ttl: u32, target: &str) -> Self {
        self.record(&wire(owner), RecordType::CNAME, ttl, &wire(target))
    }

    pub(super) fn a(self, owner: &str, ttl: u32, address: [u8; 4]) -> Self {
        self.record(&wire(owner), RecordType::A, ttl, &address)
    }

    /// Adds an OPT record with the upper bits of the response code, and options.
    pub(super) fn opt(self, rcode_high: u8, options: &[u8]) -> Self {
        let ttl = u32::from(rcode_high) << 24;
        self.additionals().record_in(1232, &[0], RecordType::OPT, ttl, options)
    }

    pub(super) fn parse(&self, query: &Query) -> Result<Message, MessageError> {
        Message::parse(Arc::from(&*self.bytes), query)
    }

    pub(super) fn answer(&self, query: &Query, age: u32) -> Answer {
        let origin = Origin::new(Arc::from("test"), Transport::Tls, 1, Duration::from_millis(5));
        Answer::new(self.parse(query).unwrap(), age, origin)
    }
}

/// The records as text, one line each.
pub(super) fn lines(records: Records<'_>) -> Vec<String> {
    records.map(|record| record.to_string()).collect()
}

/// A complete answer: a CNAME chain, signatures, an SOA record, glue, and EDNS with options.
pub(super) fn everything() -> (Query, Response) {
    let query = query("www.example.com", RecordType::A).dnssec_ok(true);
    let response = Response::to(&query)
        .record(QUESTION, RecordType::CNAME, 300, b"\x03cdn\xc0\x10")
        .record(b"\xc0\x2d", RecordType::A, 60, &[192, 0, 2, 1])
        .record(b"\xc0\x2d", RecordType::A, 60, &[192, 0, 2, 2])
        .record(b"\xc0\x2d", RecordType::RRSIG, 60, &[0; 30])
        .authorities()
        .record(b"\xc0\x10", RecordType::NS, 86400, b"\x02ns\xc0\x10")
        .additionals()
        .record(
            b"\x02ns\xc0\x10",
            RecordType::AAAA,
            3600,
            &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        )
        .opt(0, &[option(15, b"\x00\x03stale"), option(11, &[0, 100]), option(12, &[0; 20])].concat())
        .authenticated();
    (query, response)
}
