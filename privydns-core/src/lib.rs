//! The PrivyDNS resolver as a state machine without I/O.
#![forbid(unsafe_code)]
pub mod connection;
pub mod doh;
mod error;
pub mod message;
pub mod tls;
pub mod upstream;

pub use error::*;
pub use hickory_proto::rr::RecordType;
pub use message::Query;
pub use tls::{ClientCertificate, Pin, Roots, TlsVersion};
pub use upstream::{HttpMethod, HttpVersion, Protocol, SyntaxError, Upstream};
/// Limits.
pub mod config {
    /// Max.
    pub const MAX_UPSTREAMS: usize = 64;
}
