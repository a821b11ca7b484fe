//! The PrivyDNS resolver as a state machine without I/O.
#![forbid(unsafe_code)]
pub mod connection;
pub mod doh;
mod error;
pub mod message;

pub use error::*;
pub use hickory_proto::rr::RecordType;
pub use message::Query;
/// Limits.
pub mod config {
    /// Max.
    pub const MAX_UPSTREAMS: usize = 64;
}
