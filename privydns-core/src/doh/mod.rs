//! DNS over HTTPS (RFC 8484) as pure functions, the same for every version of HTTP.
//!
//! A request is an [`Endpoint`] and a query's bytes. A response is a head, fed with the header fields as they
//! come, and a body; both together are an answer, or say why there is none. The machines that speak HTTP/1.1 and
//! HTTP/2 add nothing but framing.

mod endpoint;
mod response;

#[cfg(test)]
mod tests;

pub use endpoint::Endpoint;
pub(crate) use endpoint::encode_query;
pub use response::is_final_status;
pub(crate) use response::{ResponseHead, finish};

/// The media type of a DNS message (RFC 8484 Section 6).
pub(crate) const MEDIA_TYPE: &str = "application/dns-message";

/// The longest body that is a DNS message (RFC 8484 Section 6).
pub(crate) const MAX_BODY: usize = 65_535;
