//! Views of the records of an answer.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use hickory_proto::serialize::binary::{BinDecoder, Restrict};

use super::answer::ttl_left;
use super::chain::Chain;
use super::edns::escape_controls;
use super::name::{name_of, write_labels};
use super::wire::{CLASS_IN, Labels, RawRecord, RawRecords, TYPE_A, TYPE_AAAA, TYPE_OPT, check_name};
use crate::error::MessageError;

/// One resource record of an [`Answer`](super::Answer), as a view of the received bytes.
///
/// ```
/// use privydns_core::{Answer, RData};
///
/// fn name_servers(answer: &Answer) -> Vec<String> {
///     let data = answer.records().filter_map(|record| record.data().ok());
///     data.filter_map(|data| match data {
///         RData::NS(ns) => Some(ns.0.to_ascii()),
///         _ => None,
///     })
///     .collect()
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// The whole message, into which names may point.
    bytes: &'a [u8],
    raw: RawRecord,
    age: u32,
    is_stale: bool,
}

impl<'a> Record<'a> {
    /// The owner's name, in the case that the resolver sent.
    pub fn name(&self) -> Name {
        name_of(Labels::new(self.bytes, self.raw.owner))
    }

    /// The record type.
    pub fn record_type(&self) -> RecordType {
        self.raw.record_type.into()
    }

    /// The class, which is IN for all records that answer a query.
    pub fn class(&self) -> DNSClass {
        self.raw.class.into()
    }

    /// The remaining TTL in seconds. In a stale answer, 30 in place of 0 (RFC 8767 Section 4).
    pub fn ttl(&self) -> u32 {
        ttl_left(self.raw.ttl, self.age, self.is_stale)
    }

    /// The decoded data, or an error if the data does not have the format of the type.
    pub fn data(&self) -> Result<RData, MessageError> {
        let Range { start, end } = self.raw.data();
        let malformed = MessageError::Data(self.record_type());
        let start = u16::try_from(start).map_err(|_| malformed)?;
        let mut decoder = BinDecoder::new(&self.bytes[..end]).clone(start);
        RData::read(&mut decoder, self.record_type(), Restrict::new(self.raw.data_len)).map_err(|_| malformed)
    }

    /// The bytes of the data as they are in the message. Names may be compressed, with pointers to other
    /// parts of the message.
    pub fn data_bytes(&self) -> &'a [u8] {
        &self.bytes[self.raw.data()]
    }

    /// The address in an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        let data = self.data_bytes();
        match self.raw.record_type {
            TYPE_A if self.raw.class == CLASS_IN => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            TYPE_AAAA if self.raw.class == CLASS_IN => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        }
    }

    /// The name at an offset of the data, and the data after the name.
    pub(super) fn name_in_data(&self, at: usize) -> Result<(Name, &'a [u8]), MessageError> {
        let Range { start, end } = self.raw.data();
        let bytes = &self.bytes[..end];
        let name_end = check_name(bytes, start + at)?;
        Ok((name_of(Labels::new(bytes, start + at)), &bytes[name_end..]))
    }

    /// The position of the TTL in the message.
    pub(super) fn ttl_at(&self) -> Range<usize> {
        self.raw.ttl_at()
    }
}

/// Prints the record in one line for humans: name, TTL, class, type, and data with control characters
/// escaped. Data that cannot be decoded is printed in hexadecimal (RFC 3597 Section 5).
impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_labels(Labels::new(self.bytes, self.raw.owner), f)?;
        write!(f, " {} {} {} ", self.ttl(), self.class(), self.record_type())?;
        if let Ok(data) = self.data() {
            return f.write_str(&escape_controls(&data.to_string()));
        }
        write!(f, "\\# {}", self.raw.data_len)?;
        if self.raw.data_len > 0 {
            f.write_str(" ")?;
        }
        self.data_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({self})")
    }
}

/// The records of a section of an [`Answer`](super::Answer), in the order of the message.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    raw: RawRecords<'a>,
    /// Restricts the iteration to records on the chain.
    chain: Option<Chain>,
    age: u32,
    is_stale: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8], raw: RawRecords<'a>, age: u32, is_stale: bool) -> Self {
        Self { bytes, raw, chain: None, age, is_stale }
    }

    pub(super) fn none() -> Self {
        Self::new(&[], RawRecords::new(&[], 0, 0), 0, false)
    }

    pub(super) fn on(self, chain: Chain) -> Self {
        Self { chain: Some(chain), ..self }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let Self { bytes, chain, age, is_stale, .. } = *self;
        let is_shown = |raw: &RawRecord| match &chain {
            Some(chain) => chain.has(bytes, raw),
            None => raw.record_type != TYPE_OPT,
        };
        let raw = self.raw.find(is_shown)?;
        Some(Record { bytes, raw, age, is_stale })
    }
}
