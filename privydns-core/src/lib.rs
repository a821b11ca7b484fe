//! The PrivyDNS resolver as a state machine that does no I/O.
//!
//! An [`Engine`] is told what happened and what time it is, and says what to do next: connect, transmit,
//! close, hand an answer over, wait. Everything that decides is in here; everything that touches a socket is
//! in a runtime crate (`privydns-tokio`, `privydns-async-std`, `privydns-blocking`) that decides nothing.
//! Programs depend on one of those; this crate is for those who write another, and for tests.
//!
//! There is no code path here that sends a query in clear.
#![forbid(unsafe_code)]

mod addresses;
mod cache;
pub mod config;
pub mod connection;
mod discovery;
pub mod doh;
mod engine;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod handle;
pub mod logging;
pub mod message;
mod proxy;
mod schedule;
mod shared;
mod stats;
pub mod tls;
pub mod upstream;

pub use addresses::Addresses;
pub use cache::{Cache, CacheSettings, CacheStats};
pub use config::{Builder, Config};
pub use discovery::Discovery;
pub use engine::{ConnectionId, Engine, Input, LookupId, MAX_UNWRITTEN, Output, Target};
pub use error::*;
pub use message::{
    Answer, CacheUse, ClientSubnet, ExtendedError, Message, MessageError, NameError, Outcome, Query,
    QueryName, Record, Records, Service, ServiceBinding, Spoken,
};
pub use proxy::{Proxy, Tunnel};
pub use rr::{DNSClass, Name, RData, RecordType, ResponseCode};
pub use schedule::{Hedge, Strategy};
pub use shared::{Early, Shared};
pub use stats::{Stats, UpstreamStats};
pub use tls::{ClientCertificate, Pin, Roots, TbsHash, TlsVersion};
pub use upstream::{HttpMethod, HttpVersion, Protocol, SyntaxError, Upstream};

/// Record types and their data, as hickory-proto has them.
pub mod rr {
    pub use hickory_proto::op::ResponseCode;
    pub use hickory_proto::rr::{DNSClass, Name, RData, RecordType, rdata};
}
