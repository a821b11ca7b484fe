//! A response that has been parsed from end to end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::HEADER;
use super::chain::Chain;
use super::check::{check_response, is_question, question_end};
use super::edns::Options;
use super::name::QueryName;
use super::query::Query;
use super::wire::{
    CLASS_IN, Labels, RawRecord, RawRecords, TYPE_CNAME, TYPE_OPT, TYPE_SOA, check_name, counts, is_within,
    u16_at, u32_at,
};
use crate::error::{ExtendedError, MessageError};

/// The largest TTL (RFC 2181 Section 8). Larger values on the wire, with the highest bit set, are treated as
/// this one (RFC 8767 Section 4).
pub(super) const MAX_TTL: u32 = i32::MAX as u32;

/// Bytes of the five numbers at the end of an SOA record.
pub(super) const SOA_NUMBERS: usize = 20;

const TRUNCATED: u8 = 0x02;
const AUTHENTIC_DATA: u8 = 0x20;
const RCODE: u8 = 0x0f;
/// The offset of the number of additional records in the header.
const ADDITIONAL_COUNT: usize = 10;

/// A response that has been parsed from end to end. All counts, lengths, owner names and pointers are within
/// bounds, EDNS has been read, and the CNAME chain from the question has been followed.
///
/// Bytes after the last record are ignored. The data of records is not checked here:
/// [`Record::data`](super::Record::data) decodes it, so that one malformed record does not make the others
/// unusable. Clones share the bytes.
///
/// ```
/// use privydns_core::{Message, Outcome, Query, RecordType};
///
/// let query = Query::new("no.such.example", RecordType::A)?;
/// let header = [0, 0, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]; // NXDOMAIN, one question
/// let bytes = [&header, query.name().as_wire(), &[0, 1, 0, 1]].concat();
/// assert_eq!(Message::parse(bytes.into(), &query).unwrap().outcome(), Outcome::NxDomain);
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Arc<[u8]>,
    /// Seconds for which the answer may be cached, if the response specifies a time.
    ttl: Option<u32>,
    /// Including the upper bits from EDNS.
    rcode: u16,
    /// The offset of the answer section.
    answers: u16,
    /// The offset of the name at the end of the CNAME chain, or 0 in a message without a question.
    target: u16,
    /// The offset of the OPT record's fixed part, or 0.
    opt: u16,
    /// The offset of the end of the last record.
    end: u16,
    outcome: Outcome,
    is_authenticated: bool,
}

/// The kind of answer in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The answer has records of the queried type.
    Records,
    /// The name exists, but has no records of the queried type (NODATA, RFC 2308 Section 2.2).
    NoData,
    /// The name does not exist (NXDOMAIN, RFC 2308 Section 2.1). With a CNAME chain, the last name of the
    /// chain does not exist.
    NxDomain,
    /// The response code is neither NOERROR nor NXDOMAIN.
    Failure,
}

/// The time for which an answer may be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Records, for this many seconds: the least TTL of the records and of the CNAME records that lead to
    /// them.
    Positive(u32),
    /// A denial, for this many seconds: the time that the SOA record allows (RFC 2308 Section 5), limited by
    /// the TTLs of the CNAME records.
    Negative(u32),
    /// Not cacheable: truncated, a failure, a TTL of 0, or a denial without an SOA record.
    None,
}

impl Message {
    /// Parses a response to `query`.
    pub fn parse(bytes: Arc<[u8]>, query: &Query) -> Result<Self, MessageError> {
        check_response(&bytes, query)?;
        let has_question = u16_at(&bytes, 4)? == 1;
        let answers = if has_question { question_end(query) } else { HEADER };
        let walk = Walk::over(&bytes, answers)?;

        let flags = bytes[3];
        let rcode = walk.rcode_high << 4 | u16::from(flags & RCODE);
        let asked = query.asks_for_authentication() || query.is_dnssec_ok();
        let mut message = Self {
            ttl: None,
            rcode,
            answers: offset(answers),
            target: 0,
            opt: offset(walk.opt),
            end: offset(walk.end),
            outcome: Outcome::Failure,
            is_authenticated: asked && flags & AUTHENTIC_DATA != 0,
            bytes,
        };
        if has_question {
            message.read_answer(query)?;
        }
        Ok(message)
    }

    /// Follows the chain and determines the outcome.
    fn read_answer(&mut self, query: &Query) -> Result<(), MessageError> {
        let bytes = &self.bytes;
        let answers = self.section(Section::Answer);
        let chain = Chain::follow(bytes, &answers, query.type_number())?;
        let mut ttl: Option<u32> = None;
        let mut is_found = false;
        for record in answers.filter(|record| chain.has(bytes, record)) {
            ttl = Some(ttl.map_or(record.ttl, |least| least.min(record.ttl)));
            is_found = is_found || chain.ends_with(bytes, &record);
        }
        let outcome = match self.rcode() {
            ResponseCode::NoError if is_found => Outcome::Records,
            ResponseCode::NoError => Outcome::NoData,
            ResponseCode::NXDomain => Outcome::NxDomain,
            _ => Outcome::Failure,
        };
        let ttl = match outcome {
            Outcome::Records => ttl,
            Outcome::NoData | Outcome::NxDomain => {
                let denial = denial_ttl(bytes, self.section(Section::Authority), chain.end())?;
                denial.map(|denial| ttl.map_or(denial, |least| least.min(denial)))
            }
            Outcome::Failure => None,
        };
        (self.outcome, self.ttl, self.target) =
            (outcome, ttl.map(|ttl| ttl.min(MAX_TTL)), offset(chain.end()));
        Ok(())
    }

    /// The response code, including the bits from EDNS (RFC 6891 Section 6.1.3).
    pub fn rcode(&self) -> ResponseCode {
        match self.rcode {
            // The number also stands for BADSIG, but only within TSIG records.
            16 => ResponseCode::BADVERS,
            code => code.into(),
        }
    }

    /// The kind of answer.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the response was truncated (TC). The records in the response are complete, but others are
    /// missing.
    pub fn is_truncated(&self) -> bool {
        self.bytes[2] & TRUNCATED != 0
    }

    /// Whether the resolver states that it validated the whole answer (AD). Always false if the query did not
    /// ask for this, because the bit then has no meaning (RFC 6840 Section 5.8).
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// The extended errors, in order. They do not change the meaning of the response code (RFC 8914 Section
    /// 3).
    pub fn extended_errors(&self) -> Vec<ExtendedError> {
        self.options().extended_errors().collect()
    }

    /// How long the server keeps an idle connection open, if the response says so; 0 asks the client to close
    /// it (RFC 7828 Section 3.2).
    pub fn keepalive(&self) -> Option<Duration> {
        self.options().keepalive()
    }

    /// The bytes of the message as received, without bytes after the last record.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes[..usize::from(self.end)]
    }

    /// Whether a modified copy has the same names in the places that parsing checked: owners, targets of
    /// CNAME records, and the names of SOA records.
    pub(super) fn has_its_names(&self, modified: &[u8]) -> bool {
        let own = self.as_wire();
        // The end of the name, if it is unchanged.
        let same = |at: usize| {
            let end = check_name(own, at);
            let is_same =
                check_name(modified, at) == end && Labels::new(own, at).eq(Labels::new(modified, at));
            is_same.then_some(end.unwrap_or(own.len()))
        };
        let is_same = |record: RawRecord| {
            let data = record.data().start;
            same(record.owner).is_some()
                && match record.record_type {
                    TYPE_CNAME => same(data).is_some(),
                    TYPE_SOA => same(data).and_then(same).is_some(),
                    _ => true,
                }
        };
        let sections = [Section::Answer, Section::Authority, Section::Additional];
        sections.into_iter().flat_map(|section| self.section(section)).all(is_same)
    }

    /// The time for which the answer may be cached.
    pub(crate) fn lifetime(&self) -> Lifetime {
        match (self.ttl, self.outcome) {
            (None | Some(0), _) | (_, Outcome::Failure) => Lifetime::None,
            _ if self.is_truncated() => Lifetime::None,
            (Some(ttl), Outcome::Records) => Lifetime::Positive(ttl),
            (Some(ttl), Outcome::NoData | Outcome::NxDomain) => Lifetime::Negative(ttl),
        }
    }

    /// The message for the cache: without the OPT record, which is meant for one connection only (RFC 6891
    /// Section 6.1.1), without additional records after it, and without bytes after the message.
    pub(crate) fn without_opt(&self) -> Self {
        let end = match self.opt {
            // The owner is the root: one byte.
            0 => self.end,
            opt => opt - 1,
        };
        if usize::from(end) == self.bytes.len() {
            return self.clone();
        }
        let mut bytes: Arc<[u8]> = Arc::from(&self.bytes[..usize::from(end)]);
        if self.opt != 0 {
            let is_before = |record: &RawRecord| record.record_type != TYPE_OPT;
            let before = self.section(Section::Additional).take_while(is_before).count();
            let header = Arc::get_mut(&mut bytes).expect("the only reference to a new allocation");
            header[ADDITIONAL_COUNT..HEADER].copy_from_slice(&offset(before).to_be_bytes());
        }
        Self { bytes, opt: 0, end, ..self.clone() }
    }

    /// The least TTL of the records that make up the answer, including 0.
    pub(super) fn ttl(&self) -> Option<u32> {
        self.ttl
    }

    /// Bytes that the message keeps in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether this is a response to the query: same name, type and class.
    pub(crate) fn is_answer_to(&self, query: &Query) -> bool {
        self.target != 0 && is_question(&self.bytes, query)
    }

    /// The name that owns the records or is denied: the queried name, or the end of its CNAME chain (RFC 2308
    /// Section 2.1). The root, if the response reports a failure and has no question.
    pub(crate) fn target(&self) -> QueryName {
        match self.target_at() {
            0 => QueryName::root(),
            at => QueryName::from_labels(self.labels(at)).expect("a name that was walked"),
        }
    }

    /// The name at the end of the chain, if it differs from the queried name.
    pub(crate) fn target_beyond_question(&self) -> Option<QueryName> {
        (!matches!(self.target_at(), 0 | HEADER)).then(|| self.target())
    }

    /// The labels of a name in this message.
    pub(super) fn labels(&self, at: usize) -> Labels<'_> {
        Labels::new(&self.bytes, at)
    }

    /// The offset of the name at the end of the chain, or 0.
    pub(super) fn target_at(&self) -> usize {
        usize::from(self.target)
    }

    /// The chain, if the message has a question.
    pub(super) fn chain(&self) -> Option<Chain> {
        let type_at = match self.target {
            0 => return None,
            _ => usize::from(self.answers) - 4,
        };
        let record_type = u16_at(&self.bytes, type_at).ok()?;
        // Without CNAME records, the chain has only the question's name.
        if usize::from(self.target) == HEADER {
            return Some(Chain::question(record_type));
        }
        Chain::follow(&self.bytes, &self.section(Section::Answer), record_type).ok()
    }

    /// The records of one section.
    pub(super) fn section(&self, section: Section) -> RawRecords<'_> {
        let counts = counts(&self.bytes);
        let before = counts[..section as usize].iter().sum();
        let mut records =
            RawRecords::new(&self.bytes, usize::from(self.answers), before + counts[section as usize]);
        for _ in 0..before {
            records.next();
        }
        records
    }

    fn options(&self) -> Options<'_> {
        match self.opt {
            0 => Options::of(&[]),
            at => {
                Options::of(RawRecord::at(&self.bytes, at.into()).map_or(&[], |opt| &self.bytes[opt.data()]))
            }
        }
    }
}

/// The sections that hold records, in the order of RFC 1035 Section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

#[expect(clippy::cast_possible_truncation, reason = "a message has at most 65535 bytes")]
fn offset(at: usize) -> u16 {
    at as u16
}

/// The check of all records, and its results.
struct Walk {
    end: usize,
    /// The offset of the OPT record's fixed part, or 0.
    opt: usize,
    /// The bits of the response code above those in the header.
    rcode_high: u16,
}

impl Walk {
    fn over(bytes: &[u8], answers: usize) -> Result<Self, MessageError> {
        let [answer_count, authority_count, additional_count] = counts(bytes);
        let first_additional = answer_count + authority_count;
        let mut walk = Self { end: answers, opt: 0, rcode_high: 0 };
        for index in 0..first_additional + additional_count {
            let record = RawRecord::check(bytes, walk.end)?;
            walk.end = record.data().end;
            if record.record_type == TYPE_OPT {
                if index < first_additional {
                    return Err(MessageError::Opt("is outside the additional section"));
                }
                if walk.opt != 0 {
                    return Err(MessageError::Opt("comes twice"));
                }
                Options::check(bytes, &record)?;
                walk.opt = record.fixed;
                walk.rcode_high = u16::from(record.ttl.to_be_bytes()[0]);
            }
        }
        Ok(walk)
    }
}

/// The time for which a denial of `name` may be cached: the lesser of the TTL and the MINIMUM field of the
/// SOA record, whose zone must contain the name (RFC 2308 Section 5).
fn denial_ttl(bytes: &[u8], authorities: RawRecords<'_>, name: usize) -> Result<Option<u32>, MessageError> {
    for record in authorities {
        let is_soa = record.record_type == TYPE_SOA && record.class == CLASS_IN;
        if is_soa && is_within(bytes, name, record.owner) {
            return Ok(Some(record.ttl.min(soa_minimum(bytes, &record)?)));
        }
    }
    Ok(None)
}

/// The MINIMUM field of an SOA record, after two names and four numbers (RFC 1035 Section 3.3.13).
fn soa_minimum(bytes: &[u8], soa: &RawRecord) -> Result<u32, MessageError> {
    let data = soa.data();
    let numbers = check_name(bytes, check_name(bytes, data.start)?)?;
    if numbers + SOA_NUMBERS != data.end {
        return Err(MessageError::Data(RecordType::SOA));
    }
    u32_at(bytes, data.end - 4)
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("rcode", &self.rcode())
            .field("outcome", &self.outcome)
            .field("records", &counts(&self.bytes))
            .field("ttl", &self.ttl)
            .field("bytes", &self.end)
            .finish_non_exhaustive()
    }
}
