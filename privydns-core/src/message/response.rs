//! A response that was walked from end to end, and what that walk found.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::HEADER;
use super::chain::Chain;
use super::check::{check_response, is_question, question_end};
use super::edns::{ExtendedError, Options};
use super::error::MessageError;
use super::name::QueryName;
use super::query::Query;
use super::wire::{
    CLASS_IN, Labels, RawRecord, RawRecords, TYPE_CNAME, TYPE_OPT, TYPE_SOA, check_name, counts, is_within,
    u16_at, u32_at,
};

/// The largest TTL there is (RFC 2181 Section 8). A larger number on the wire, with its highest bit set, is
/// taken for this one (RFC 8767 Section 4).
pub(super) const MAX_TTL: u32 = i32::MAX as u32;

/// Octets of the five numbers at the end of an SOA record.
pub(super) const SOA_NUMBERS: usize = 20;

const TRUNCATED: u8 = 0x02;
const AUTHENTIC_DATA: u8 = 0x20;
const RCODE: u8 = 0x0f;
/// Where the header has the number of additional records.
const ADDITIONAL_COUNT: usize = 10;

/// A response that was walked from end to end: every count, length, owner name and pointer is within bounds, EDNS
/// is understood, and the CNAME chain from the question was followed.
///
/// Octets after the last record are no part of it, and are ignored. A record without data is like any other: its
/// type decides whether [`Record::data`](super::Record::data) can make anything of it, so that one strange record
/// does not spoil the others. Clones share the octets.
///
/// ```
/// use privydns_core::{Message, Outcome, Query, RecordType};
///
/// let query = Query::new("no.such.example", RecordType::A)?;
/// let header = [0, 0, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]; // NXDOMAIN, one question
/// let octets = [&header, query.name().as_wire(), &[0, 1, 0, 1]].concat();
/// assert_eq!(Message::parse(octets.into(), &query).unwrap().outcome(), Outcome::NxDomain);
/// # Ok::<(), privydns_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Arc<[u8]>,
    /// How long the answer may be kept, if it says so.
    ttl: Option<u32>,
    /// With the upper bits that EDNS adds.
    rcode: u16,
    /// Where the answer section begins.
    answers: u16,
    /// Where the name at the end of the CNAME chain is, or 0 in a message without question.
    target: u16,
    /// Where the fixed part of the OPT record is, or 0.
    opt: u16,
    /// Where the last record ends.
    end: u16,
    outcome: Outcome,
    is_authenticated: bool,
}

/// What kind of answer a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// There are records of the type asked for.
    Records,
    /// The name exists, and has no record of the type asked for (NODATA, RFC 2308 Section 2.2).
    NoData,
    /// The name does not exist (NXDOMAIN, RFC 2308 Section 2.1); with a CNAME chain, the name at its end.
    NxDomain,
    /// The resolver answered with another RCODE.
    Failure,
}

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Records, for so many seconds: the least TTL of the answer and the CNAME records that lead to it.
    Positive(u32),
    /// A denial, for so many seconds: what its SOA record allows (RFC 2308 Section 5), and no longer than the
    /// CNAME records that lead to it.
    Negative(u32),
    /// Not at all: truncated, a failure, of TTL 0, or a denial without an SOA record.
    None,
}

impl Message {
    /// Walks a response to `query`.
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

    /// Follows the chain, and finds what the answer comes to.
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

    /// The response code, with the bits that EDNS adds (RFC 6891 Section 6.1.3).
    pub fn rcode(&self) -> ResponseCode {
        match self.rcode {
            // The number stands for BADSIG too, but only within TSIG records.
            16 => ResponseCode::BADVERS,
            code => code.into(),
        }
    }

    /// What kind of answer this is.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the server left something out (TC). What is there is whole; what is missing is unknown.
    pub fn is_truncated(&self) -> bool {
        self.bytes[2] & TRUNCATED != 0
    }

    /// Whether the resolver says that all of the answer is authentic (AD). Never where the query did not ask, as
    /// the bit then means nothing (RFC 6840 Section 5.8).
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// What the resolver says about its answer beyond the response code, in order. It does not change what the
    /// response code means (RFC 8914 Section 3).
    pub fn extended_errors(&self) -> Vec<ExtendedError> {
        self.options().extended_errors().collect()
    }

    /// How long the server keeps the connection without a query on it, if it says so; 0 asks for its end
    /// (RFC 7828 Section 3.2).
    pub fn keepalive(&self) -> Option<Duration> {
        self.options().keepalive()
    }

    /// The message, octet for octet as it came, without what came after it.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes[..usize::from(self.end)]
    }

    /// Whether octets that differ from the message's own have the same names where those were walked: owners, the
    /// targets of CNAME records, and what stands before the numbers of SOA records.
    pub(super) fn has_its_names(&self, octets: &[u8]) -> bool {
        let own = self.as_wire();
        // Where the name ends, if it is the same.
        let same = |at: usize| {
            let end = check_name(own, at);
            let is_same = check_name(octets, at) == end && Labels::new(own, at).eq(Labels::new(octets, at));
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

    /// How long the answer may be kept.
    pub(crate) fn lifetime(&self) -> Lifetime {
        match (self.ttl, self.outcome) {
            (None | Some(0), _) | (_, Outcome::Failure) => Lifetime::None,
            _ if self.is_truncated() => Lifetime::None,
            (Some(ttl), Outcome::Records) => Lifetime::Positive(ttl),
            (Some(ttl), Outcome::NoData | Outcome::NxDomain) => Lifetime::Negative(ttl),
        }
    }

    /// The message as it may be kept: without its OPT record, which was for one exchange (RFC 6891
    /// Section 6.1.1), the additional records behind it, if any, and what came after the message.
    pub(crate) fn without_opt(&self) -> Self {
        let end = match self.opt {
            // The owner is the root: one octet.
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
            let header = Arc::get_mut(&mut bytes).expect("made just now");
            header[ADDITIONAL_COUNT..HEADER].copy_from_slice(&offset(before).to_be_bytes());
        }
        Self { bytes, opt: 0, end, ..self.clone() }
    }

    /// The least TTL of what makes up the answer, 0 included.
    pub(super) fn ttl(&self) -> Option<u32> {
        self.ttl
    }

    /// Octets that the message keeps in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether this is a response to such a query: same name, type and class.
    pub(crate) fn is_answer_to(&self, query: &Query) -> bool {
        self.target != 0 && is_question(&self.bytes, query)
    }

    /// The name that has the records or is denied: the one asked for, or where its CNAME records lead (RFC 2308
    /// Section 2.1). The root's, in the report of a failure that has no question.
    pub(crate) fn target(&self) -> QueryName {
        match self.target_at() {
            0 => QueryName::root(),
            at => QueryName::from_labels(self.labels(at)).expect("a name that was walked"),
        }
    }

    /// The name at the end of the chain, where that is not the name asked for.
    pub(crate) fn target_beyond_question(&self) -> Option<QueryName> {
        (!matches!(self.target_at(), 0 | HEADER)).then(|| self.target())
    }

    /// The labels of a name of this message.
    pub(super) fn labels(&self, at: usize) -> Labels<'_> {
        Labels::new(&self.bytes, at)
    }

    /// Where the name at the end of the chain is, or 0.
    pub(super) fn target_at(&self) -> usize {
        usize::from(self.target)
    }

    /// The chain of a message that has a question.
    pub(super) fn chain(&self) -> Option<Chain> {
        let type_at = match self.target {
            0 => return None,
            _ => usize::from(self.answers) - 4,
        };
        let record_type = u16_at(&self.bytes, type_at).ok()?;
        // Without a CNAME there is nothing to follow.
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

/// The sections that hold records, in their order (RFC 1035 Section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

#[expect(clippy::cast_possible_truncation, reason = "a message has at most 65535 octets")]
fn offset(at: usize) -> u16 {
    at as u16
}

/// The walk over all records.
struct Walk {
    end: usize,
    /// Where the fixed part of the OPT record is, or 0.
    opt: usize,
    /// The bits of the response code that come before those in the header.
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

/// How long a denial of `name` may be kept: by the SOA record of a zone that `name` is in, the lesser of its TTL
/// and its MINIMUM field (RFC 2308 Section 5).
fn denial_ttl(bytes: &[u8], authorities: RawRecords<'_>, name: usize) -> Result<Option<u32>, MessageError> {
    for record in authorities {
        let is_soa = record.record_type == TYPE_SOA && record.class == CLASS_IN;
        if is_soa && is_within(bytes, name, record.owner) {
            return Ok(Some(record.ttl.min(soa_minimum(bytes, &record)?)));
        }
    }
    Ok(None)
}

/// The last field of an SOA record, after two names and four numbers (RFC 1035 Section 3.3.13).
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
            .field("octets", &self.end)
            .finish_non_exhaustive()
    }
}
