//! DNS messages: queries built, answers read.
//!
//! A [`Query`] says what to ask and how. What comes back is walked once from end to end into a [`Message`], and
//! handed out as an [`Answer`]: the same octets, shared, with their age; [`Record`]s are views on them, and
//! their data is decoded when it is looked at.

mod answer;
mod chain;
mod check;
mod edns;
mod encode;
mod error;
mod local;
mod name;
mod query;
mod record;
mod response;
mod service;
mod srv_order;
mod typed;
mod wire;

pub use answer::{Answer, Transport};
pub use edns::ExtendedError;
pub use error::MessageError;
pub use name::{NameError, QueryName};
pub use query::{CacheUse, ClientSubnet, Query};
pub use record::{Record, Records};
pub use response::{Message, Outcome};
pub use service::{Service, ServiceBinding};

pub(crate) use answer::Origin;
pub(crate) use check::{check_response, id_of, keepalive_of};
pub(crate) use encode::{Carrier, encode};
pub(crate) use local::{local_answer, special_use};
pub(crate) use response::Lifetime;

/// Octets of a message's header (RFC 1035 Section 4.1.1).
pub(crate) const HEADER: usize = 12;
/// The most octets of a message: what two octets of length can say (RFC 1035 Section 4.2.2).
pub(crate) const MAX_MESSAGE: usize = 65535;

#[cfg(test)]
mod tests;
