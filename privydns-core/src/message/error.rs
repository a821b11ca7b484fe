//! Why received bytes are not a valid answer.

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
