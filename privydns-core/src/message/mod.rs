//! DNS messages: queries built, answers read.
use hickory_proto::rr::RecordType;

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct NameError;
/// Why bytes are no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct MessageError;
/// An extended DNS error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError;
impl std::fmt::Display for ExtendedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
/// What to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query;
impl Query {
    /// A query.
    pub fn new(_name: &str, _record_type: RecordType) -> Result<Self, crate::Error> {
        Err(crate::ErrorKind::from(NameError).into())
    }
}
