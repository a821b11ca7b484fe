//! What a lookup hands out: a message, how old it is, and where it came from.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;

use super::edns::ExtendedError;
use super::name::name_of;
use super::record::Records;
use super::response::{MAX_TTL, Message, Outcome, Section};
use crate::error::{Error, ErrorKind, NotFound};

/// The TTL that a record shows whose own has run out, in an answer that is handed out although it is stale
/// (RFC 8767 Section 4).
pub(super) const STALE_TTL: u32 = 30;

/// The answer to a query: the octets of the response, shared, and views on them.
///
/// A clone allocates nothing. That a name or a type does not exist is an answer too, told by
/// [`outcome`](Self::outcome). TTLs are what is left of them: the time that the answer spent in the cache is taken
/// off as they are read.
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
    /// Seconds since the TTLs were what the message says.
    age: u32,
    origin: Origin,
}

/// Where an answer came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) upstream: Arc<str>,
    pub(crate) transport: Transport,
    /// Attempts that the lookup made.
    pub(crate) attempts: u8,
    /// How long the lookup took.
    pub(crate) elapsed: Duration,
    /// Whether the cache had it.
    pub(crate) is_cached: bool,
    /// Whether its TTL has run out, and it is handed out for want of a fresh one.
    pub(crate) is_stale: bool,
    /// What tells a lookup from others that it has this answer in common with.
    pub(crate) shuffle_seed: u64,
}

/// What was spoken to get an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Nothing: the answer was made here (RFC 6761).
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
    /// The origin of an answer that came just now.
    pub(crate) fn new(upstream: Arc<str>, transport: Transport, attempts: u8, elapsed: Duration) -> Self {
        Self { upstream, transport, attempts, elapsed, is_cached: false, is_stale: false, shuffle_seed: 0 }
    }
}

impl Answer {
    pub(crate) fn new(message: Message, age: u32, origin: Origin) -> Self {
        Self { message, age, origin }
    }

    /// The records that answer the question: the CNAME records from the name asked for to the name that has the
    /// records, those records, and with [`dnssec_ok`](crate::Query::dnssec_ok) their signatures. Whatever else the
    /// answer section holds is passed over.
    pub fn records(&self) -> Records<'_> {
        match self.message.chain() {
            Some(chain) => self.section(Section::Answer).on(chain),
            None => Records::none(),
        }
    }

    /// The addresses that [`records`](Self::records) hold: A and AAAA.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records().filter_map(|record| record.address())
    }

    /// The name that has the records, or that does not exist: the one asked for, or where its CNAME records lead.
    pub fn canonical_name(&self) -> Name {
        match self.message.target_at() {
            0 => Name::root(),
            at => name_of(self.message.labels(at)),
        }
    }

    /// Every record of the answer section, whether it has to do with the question or not.
    pub fn answers(&self) -> Records<'_> {
        self.section(Section::Answer)
    }

    /// Every record of the authority section.
    pub fn authorities(&self) -> Records<'_> {
        self.section(Section::Authority)
    }

    /// Every record of the additional section, but OPT, which is none.
    pub fn additionals(&self) -> Records<'_> {
        self.section(Section::Additional)
    }

    fn section(&self, section: Section) -> Records<'_> {
        Records::new(self.message.as_wire(), self.message.section(section), self.age, self.origin.is_stale)
    }

    /// What kind of answer this is.
    pub fn outcome(&self) -> Outcome {
        self.message.outcome()
    }

    /// Which kind of "there is none" this is, if it is one.
    pub fn not_found(&self) -> Option<NotFound> {
        match self.outcome() {
            Outcome::NoData => Some(NotFound::NoData),
            Outcome::NxDomain => Some(NotFound::NxDomain),
            Outcome::Records | Outcome::Failure => None,
        }
    }

    /// The response code, with the bits that EDNS adds.
    pub fn rcode(&self) -> ResponseCode {
        self.message.rcode()
    }

    /// Whether the resolver says that all of the answer is authentic (AD). It is the word of the upstream, and only
    /// as good as that.
    pub fn is_authenticated(&self) -> bool {
        self.message.is_authenticated()
    }

    /// Whether the resolver left something out (TC).
    pub fn is_truncated(&self) -> bool {
        self.message.is_truncated()
    }

    /// What the resolver says about its answer beyond the response code (RFC 8914).
    pub fn extended_errors(&self) -> Vec<ExtendedError> {
        self.message.extended_errors()
    }

    /// Seconds for which the answer may still be kept: the least TTL of what makes it up, or what the SOA record of
    /// a denial allows. None where nothing says so.
    pub fn ttl(&self) -> Option<u32> {
        self.message.ttl().map(|ttl| ttl_left(ttl, self.age, self.origin.is_stale))
    }

    /// The response as a message of its own, its TTLs being what is left of them. The rest is as it came, with
    /// the ID that it travelled under.
    ///
    /// Names can be written so that they run through a TTL, and would be others once it has changed. No server
    /// does that in earnest, and such a message is given as it came.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = self.message.as_wire().to_vec();
        for section in [self.answers(), self.authorities(), self.additionals()] {
            for record in section {
                wire[record.ttl_at()].copy_from_slice(&record.ttl().to_be_bytes());
            }
        }
        if self.message.has_its_names(&wire) { wire } else { self.message.as_wire().to_vec() }
    }

    /// The label of the upstream that gave the answer; `local` where it was made here.
    pub fn upstream(&self) -> &str {
        &self.origin.upstream
    }

    /// What was spoken to get the answer.
    pub fn transport(&self) -> Transport {
        self.origin.transport
    }

    /// Whether the answer came from the cache.
    pub fn is_cached(&self) -> bool {
        self.origin.is_cached
    }

    /// Whether the answer's TTL has run out, and it is handed out for want of a fresh one (RFC 8767).
    pub fn is_stale(&self) -> bool {
        self.origin.is_stale
    }

    /// How many attempts the lookup made; 0 where nothing was sent.
    pub fn attempts(&self) -> u8 {
        self.origin.attempts
    }

    /// How long the lookup took.
    pub fn elapsed(&self) -> Duration {
        self.origin.elapsed
    }

    /// What decides between records of equal standing: another number for each lookup. It is no secret, since it
    /// gives nothing away and guards nothing.
    pub(super) fn shuffle_seed(&self) -> u64 {
        let elapsed = u64::try_from(self.origin.elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.origin.shuffle_seed ^ elapsed
    }

    /// The same answer for one lookup of several, by its number.
    pub(crate) fn for_lookup(mut self, number: u64) -> Self {
        self.origin.shuffle_seed ^= number;
        self
    }

    /// A failure that the answer comes down to.
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

/// What is left of a TTL.
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
