//! Errors of names and messages, and the errors that upstreams report in messages.
//!
//! These types are part of [`Error`](super::Error), so they are defined below the module `message`, which re-exports
//! them.

use std::fmt;

use hickory_proto::rr::RecordType;

/// The reason why received bytes are not a valid answer. The error does not contain the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Shorter than a header.
    #[error("shorter than a header")]
    TooShort,
    /// Longer than a message may be (RFC 1035 Section 4.2.2).
    #[error("longer than 65535 bytes")]
    TooLong,
    /// The header marks the message as a query.
    #[error("a query, not a response")]
    NotResponse,
    /// The opcode is not QUERY.
    #[error("opcode {0} is not QUERY")]
    Opcode(u8),
    /// More than one question.
    #[error("{0} questions")]
    QuestionCount(u16),
    /// No question, although the response does not report a failure.
    #[error("no question")]
    NoQuestion,
    /// The question differs from the query's.
    #[error("the question is not the one asked")]
    WrongQuestion,
    /// The message ends before the length or count that it announces.
    #[error("ends too early")]
    UnexpectedEnd,
    /// A label begins with a byte that is neither a length nor a pointer (RFC 1035 Section 4.1.4).
    #[error("unknown label type {0:#04x}")]
    LabelType(u8),
    /// A name of more than 255 bytes.
    #[error("a name of more than 255 bytes")]
    NameTooLong,
    /// A compression pointer that does not point backwards, points into the header, or exceeds the limit per
    /// name.
    #[error("invalid compression pointer")]
    Pointer,
    /// An OPT record that violates RFC 6891 Section 6.1.
    #[error("OPT record {0}")]
    Opt(&'static str),
    /// The data of a record does not have the format of its type.
    #[error("malformed data in a record of type {0}")]
    Data(RecordType),
    /// A CNAME chain that returns to a previous name.
    #[error("a loop of CNAME records")]
    CnameLoop,
    /// More CNAME records in the answer than allowed.
    #[error("more than 16 CNAME records")]
    ChainTooLong,
}

/// Why a text is not a domain name. The error does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty; the root is written as `.`.
    #[error("empty (the root is written `.`)")]
    Empty,
    /// Two consecutive dots, or a dot at the start.
    #[error("empty label")]
    EmptyLabel,
    /// A label of more than 63 bytes (RFC 1035 Section 3.1).
    #[error("a label of more than 63 bytes")]
    LabelTooLong,
    /// A name of more than 255 bytes in wire form (RFC 1035 Section 3.1).
    #[error("more than 255 bytes")]
    TooLong,
    /// A character that must be escaped in a name.
    #[error("the character {0:?} must be escaped")]
    Character(char),
    /// A backslash that is not followed by a character or by three digits from 000 to 255.
    #[error("incomplete escape")]
    Escape,
    /// A label beyond ASCII that IDNA does not allow (RFC 5891, UTS 46).
    #[error("a label that internationalized names do not allow")]
    Idna,
}

/// An extended error, which explains a resolver's response (RFC 8914).
///
/// `Display` prints only the code and its meaning, and `Debug` the code and the length of the text, because the text often
/// contains the queried name. The alternate form, `{:#}`, prints the text.
///
/// ```
/// use privydns_core::ExtendedError;
///
/// let error = ExtendedError { code: 22, text: "at delegation example.com.".to_owned() };
/// assert_eq!(error.to_string(), "EDE 22 (No Reachable Authority)");
/// assert_eq!(format!("{error:#}"), "EDE 22 (No Reachable Authority): at delegation example.com.");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ExtendedError {
    /// The INFO-CODE, as registered with IANA.
    pub code: u16,
    /// The EXTRA-TEXT for humans, with control characters escaped. Often empty; may contain domain names.
    pub text: String,
}

impl ExtendedError {
    /// The bytes that the error uses in a list.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.text.capacity()
    }

    /// The meaning of the code as registered with IANA; `None` for unknown codes.
    pub fn meaning(&self) -> Option<&'static str> {
        MEANINGS.get(usize::from(self.code)).copied()
    }
}

impl fmt::Debug for ExtendedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_args!("{} bytes", self.text.len());
        f.debug_struct("ExtendedError").field("code", &self.code).field("text", &text).finish()
    }
}

impl fmt::Display for ExtendedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EDE {}", self.code)?;
        if let Some(meaning) = self.meaning() {
            write!(f, " ({meaning})")?;
        }
        if f.alternate() && !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

/// The INFO-CODEs by number (RFC 8914 Section 5.2, RFC 9250, RFC 9276, RFC 9824, and the IANA registry).
const MEANINGS: [&str; 31] = [
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
];
