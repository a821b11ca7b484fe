//! What makes octets no answer.

use hickory_proto::rr::RecordType;

/// Why octets that came are no answer to the query. It does not say which query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Fewer octets than a header has.
    #[error("shorter than a header")]
    TooShort,
    /// More octets than a message may have (RFC 1035 Section 4.2.2).
    #[error("longer than 65535 octets")]
    TooLong,
    /// The header says that it is a query.
    #[error("a query, not a response")]
    NotResponse,
    /// The header says that it is no standard query.
    #[error("opcode {0} is not QUERY")]
    Opcode(u8),
    /// More than one question.
    #[error("{0} questions")]
    QuestionCount(u16),
    /// No question, in a response that is not the report of a failure.
    #[error("no question")]
    NoQuestion,
    /// The question is not the query's.
    #[error("the question is not the one asked")]
    WrongQuestion,
    /// The octets end before what they announce.
    #[error("ends too early")]
    UnexpectedEnd,
    /// A label begins with an octet that announces neither a label nor a pointer (RFC 1035 Section 4.1.4).
    #[error("unknown label type {0:#04x}")]
    LabelType(u8),
    /// A name of more than 255 octets.
    #[error("a name of more than 255 octets")]
    NameTooLong,
    /// A pointer that does not lead back, leads into the header, or is one too many within a name.
    #[error("a compression pointer that leads nowhere")]
    Pointer,
    /// An OPT record that breaks a rule of RFC 6891 Section 6.1.
    #[error("OPT record {0}")]
    Opt(&'static str),
    /// The data of a record is not what its type has.
    #[error("malformed data of a record of type {0}")]
    Data(RecordType),
    /// A CNAME chain that comes back to where it was.
    #[error("a loop of CNAME records")]
    CnameLoop,
    /// More CNAME records in the answer than any chain may have.
    #[error("more than 16 CNAME records")]
    ChainTooLong,
}
