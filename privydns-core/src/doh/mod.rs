//! DNS over HTTPS (RFC 8484) as pure functions, the same for every version of HTTP.
//!
//! A request consists of an [`Endpoint`] and an encoded query. A response consists of a head, which is given
//! the header fields as they are received, and a body. Together they yield an answer or an error. The
//! HTTP/1.1 and HTTP/2 state machines only add framing.

mod endpoint;
mod response;

#[cfg(test)]
mod tests;

pub use endpoint::Endpoint;
pub(crate) use endpoint::encode_query;
pub(crate) use response::{ResponseHead, finish, is_final_status};

/// The media type of a DNS message (RFC 8484 Section 6).
pub(crate) const MEDIA_TYPE: &str = "application/dns-message";

/// The maximum length of a body in bytes (RFC 8484 Section 6).
pub(crate) const MAX_BODY: usize = 65_535;
