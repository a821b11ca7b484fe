//! Answers: a response message, its age, and its origin.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;

use super::name::name_of;
use super::record::Records;
use super::response::{MAX_TTL, Message, Outcome, Section};
use crate::error::{Error, ErrorKind, ExtendedError, NotFound};

/// The TTL shown for an expired record of a stale answer (RFC 8767 Section 4).
pub(super) const STALE_TTL: u32 = 30;

/// The answer to a query: the bytes of the response, shared between clones, and views of them.
///
/// Cloning an answer allocates no memory. NXDOMAIN and NODATA are answers too; [`outcome`](Self::outcome)
/// distinguishes them. TTLs are reduced by the time that the answer spent in the cache.
///
/// ```
/// use privydns_core::{Answer, Outcome};
///
/// fn show(answer: &Answer) {
///     match answer.outcome() {
///         Outcome::Records => {
///             for record in answer.records() {
///                 println!("{} {} s: {:?}", record.record_type(), record.ttl(), record.data());
///             }
///         }
///         other => println!("{other:?}"),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Answer {
    message: Message,
    /// Seconds since the TTLs had the values that the message contains.
    age: u32,
    origin: Origin,
}

/// The origin of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) upstream: Arc<str>,
    pub(crate) transport: Transport,
    /// Attempts that the lookup made.
    pub(crate) attempts: u8,
    /// The duration of the lookup.
    pub(crate) elapsed: Duration,
    /// Whether the answer came from the cache.
    pub(crate) is_cached: bool,
    /// Whether the TTL has ended, and the answer is used because no fresh one is available.
    pub(crate) is_stale: bool,
    /// Distinguishes lookups that share the answer, so that each shuffles equal records differently.
    pub(crate) shuffle_seed: u64,
}

/// The transport over which an answer was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// No transport: the answer was made locally (RFC 6761).
    Local,
    /// DNS over TLS.
    Tls,
    /// DNS over TLS with a client certificate.
    MutualTls,
    /// DNS over HTTPS, with HTTP/2.
    Http2,
    /// DNS over HTTPS, with HTTP/1.1.
    Http1,
}

impl Origin {
    /// The origin of an answer that was just received.
    pub(crate) fn new(upstream: Arc<str>, transport: Transport, attempts: u8, elapsed: Duration) -> Self {
        Self { upstream, transport, attempts, elapsed, is_cached: false, is_stale: false, shuffle_seed: 0 }
    }
}

/// The addresses in the records of an [`Answer`]: what [`Answer::addresses`] returns.
///
/// ```edition2021
/// # use privydns_core::Answer;
/// # use std::net::IpAddr;
/// fn first(look_up: impl FnOnce() -> Answer) -> Option<IpAddr> {
///     let answer = look_up();
///     answer.addresses().next()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AnswerAddresses<'a>(Records<'a>);

impl Iterator for AnswerAddresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        self.0.find_map(|record| record.address())
    }
}

impl Answer {
    pub(crate) fn new(message: Message, age: u32, origin: Origin) -> Self {
        Self { message, age, origin }
    }

    /// The records that answer the question: the CNAME records from the queried name to the canonical name,
    /// the records of the queried type, and with [`dnssec_ok`](crate::Query::dnssec_ok) their signatures.
    /// Other records of the answer section are skipped.
    pub fn records(&self) -> Records<'_> {
        match self.message.chain() {
            Some(chain) => self.section(Section::Answer).on(chain),
            None => Records::none(),
        }
    }

    /// The addresses in the A and AAAA records among [`records`](Self::records).
    pub fn addresses(&self) -> AnswerAddresses<'_> {
        AnswerAddresses(self.records())
    }

    /// The name that owns the records or does not exist: the queried name, or the end of its CNAME chain.
    pub fn canonical_name(&self) -> Name {
        match self.message.target_at() {
            0 => Name::root(),
            at => name_of(self.message.labels(at)),
        }
    }

    /// All records of the answer section, including records that do not answer the question.
    pub fn answers(&self) -> Records<'_> {
        self.section(Section::Answer)
    }

    /// All records of the authority section.
    pub fn authorities(&self) -> Records<'_> {
        self.section(Section::Authority)
    }

    /// All records of the additional section except the OPT record.
    pub fn additionals(&self) -> Records<'_> {
        self.section(Section::Additional)
    }

    fn section(&self, section: Section) -> Records<'_> {
        Records::new(self.message.as_wire(), self.message.section(section), self.age, self.origin.is_stale)
    }

    /// The kind of answer: records, NODATA, NXDOMAIN, or a failure.
    pub fn outcome(&self) -> Outcome {
        self.message.outcome()
    }

    /// The kind of denial, or `None` if the answer is not a denial.
    pub fn not_found(&self) -> Option<NotFound> {
        match self.outcome() {
            Outcome::NoData => Some(NotFound::NoData),
            Outcome::NxDomain => Some(NotFound::NxDomain),
            Outcome::Records | Outcome::Failure => None,
        }
    }

    /// The response code, including the bits from EDNS.
    pub fn rcode(&self) -> ResponseCode {
        self.message.rcode()
    }

    /// Whether the upstream states that it validated the whole answer (AD). PrivyDNS does not verify this
    /// statement.
    pub fn is_authenticated(&self) -> bool {
        self.message.is_authenticated()
    }

    /// Whether the response was truncated (TC).
    pub fn is_truncated(&self) -> bool {
        self.message.is_truncated()
    }

    /// The extended errors in the response, which explain the response code (RFC 8914).
    pub fn extended_errors(&self) -> Vec<ExtendedError> {
        self.message.extended_errors()
    }

    /// Seconds for which the answer may still be cached: the least TTL of the records that make up the
    /// answer, or the time that the SOA record of a denial allows. `None` if the response specifies no such
    /// time.
    pub fn ttl(&self) -> Option<u32> {
        self.message.ttl().map(|ttl| ttl_left(ttl, self.age, self.origin.is_stale))
    }

    /// The response in wire format, with the remaining TTLs. Everything else, including the ID, is as
    /// received.
    ///
    /// A malicious message can contain names that overlap a TTL field and would change with the TTL. Such a
    /// message is returned as received.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = self.message.as_wire().to_vec();
        for section in [self.answers(), self.authorities(), self.additionals()] {
            for record in section {
                wire[record.ttl_at()].copy_from_slice(&record.ttl().to_be_bytes());
            }
        }
        if self.message.has_its_names(&wire) { wire } else { self.message.as_wire().to_vec() }
    }

    /// The label of the upstream that gave the answer; `local` if the answer was made locally.
    pub fn upstream(&self) -> &str {
        &self.origin.upstream
    }

    /// The transport over which the answer was received.
    pub fn transport(&self) -> Transport {
        self.origin.transport
    }

    /// Whether the answer came from the cache.
    pub fn is_cached(&self) -> bool {
        self.origin.is_cached
    }

    /// Whether the answer is stale: the TTL has ended, and no fresh answer was available (RFC 8767).
    pub fn is_stale(&self) -> bool {
        self.origin.is_stale
    }

    /// The number of attempts that the lookup made; 0 if nothing was sent.
    pub fn attempts(&self) -> u8 {
        self.origin.attempts
    }

    /// The duration of the lookup.
    pub fn elapsed(&self) -> Duration {
        self.origin.elapsed
    }

    /// The seed for shuffling records of equal priority, different for each lookup. The seed need not be
    /// secret.
    pub(super) fn shuffle_seed(&self) -> u64 {
        let elapsed = u64::try_from(self.origin.elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.origin.shuffle_seed ^ elapsed
    }

    /// The same answer, for one of several lookups that share it.
    pub(crate) fn for_lookup(mut self, number: u64) -> Self {
        self.origin.shuffle_seed ^= number;
        self
    }

    /// An error with the answer's upstream.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::from_upstream(kind, self.origin.upstream.clone())
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    #[cfg(test)]
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// The remaining TTL.
pub(super) fn ttl_left(ttl: u32, age: u32, is_stale: bool) -> u32 {
    match ttl.min(MAX_TTL).saturating_sub(age) {
        0 if is_stale => STALE_TTL,
        left => left,
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("message", &self.message)
            .field("age", &self.age)
            .field("origin", &self.origin)
            .finish()
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Tls => "tls",
            Self::MutualTls => "mtls",
            Self::Http2 => "https (h2)",
            Self::Http1 => "https (http/1.1)",
        })
    }
}
