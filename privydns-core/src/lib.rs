//! The PrivyDNS resolver as a state machine without I/O.
#![forbid(unsafe_code)]
mod cache;
pub mod connection;
pub mod doh;
mod error;
pub mod message;
pub mod tls;
pub mod upstream;

pub use cache::{Cache, CacheSettings, CacheStats};
pub use error::*;
pub use message::{
    Answer, CacheUse, ClientSubnet, ExtendedError, Message, MessageError, NameError, Outcome, Query,
    QueryName, Record, Records, Spoken,
};
pub use rr::{DNSClass, Name, RData, RecordType, ResponseCode};
pub use tls::{ClientCertificate, Pin, Roots, TlsVersion};
pub use upstream::{HttpMethod, HttpVersion, Protocol, SyntaxError, Upstream};

/// Record types and their data, as hickory-proto has them.
pub mod rr {
    pub use hickory_proto::op::ResponseCode;
    pub use hickory_proto::rr::{DNSClass, Name, RData, RecordType, rdata};
}
/// Limits.
pub mod config {
    /// Max.
    pub const MAX_UPSTREAMS: usize = 64;
}
