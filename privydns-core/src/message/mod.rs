//! DNS messages: building queries and reading responses.
//!
//! A [`Query`] specifies the question and its options. A response is parsed once, from end to end, into a
//! [`Message`]. An [`Answer`] is a message with its age; both share the received bytes. [`Record`]s are views
//! of these bytes, and their data is decoded on access.

mod answer;
mod chain;
mod check;
mod edns;
mod encode;
mod local;
mod name;
mod query;
mod record;
mod response;
mod service;
mod srv_order;
mod typed;
mod wire;

pub use crate::error::{ExtendedError, MessageError, NameError};
pub use answer::{Answer, AnswerAddresses, Transport};
pub use name::QueryName;
pub use query::{CacheUse, ClientSubnet, Query};
pub use record::{Record, Records};
pub use response::{Message, Outcome};
pub use service::{Service, ServiceBinding};

pub(crate) use answer::Origin;
pub(crate) use check::{check_response, id_of, keepalive_of};
pub(crate) use encode::{Carrier, encode};
pub(crate) use local::{SpecialUse, is_meta_type, local_answer, special_use};
pub(crate) use response::Lifetime;

/// Bytes of a message header (RFC 1035 Section 4.1.1).
pub(crate) const HEADER: usize = 12;
/// The maximum length of a message in bytes: the largest value of the two-byte length prefix (RFC 1035
/// Section 4.2.2).
pub(crate) const MAX_MESSAGE: usize = 65535;

#[cfg(test)]
mod tests;
