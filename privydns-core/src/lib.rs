//! The PrivyDNS resolver as a state machine that does no I/O.
//!
//! An [`Engine`] is told what happened and what time it is, and says what to do next: connect, transmit, close, hand an
//! answer over, wait. Everything that decides is in here; everything that touches a socket is in a runtime crate
//! (`privydns-tokio`, `privydns-async-std`, `privydns-blocking`) that decides nothing. Programs depend on one of those,
//! which have all that is here under their own name; this crate is for those who write another, and for tests.
//!
//! There is no code path here that sends a query in clear.
//!
//! # For programs
//!
//! What programs need of it is the same whatever they run on, and is explained in the [`guide`]: [`Upstream`] says
//! which server, where it is and what it has to prove; [`ResolverBuilder`] has every setting, with its default and the reason
//! for it; [`Answer`] is what comes, [`Error`] what went wrong, [`Stats`] what was counted.
//!
//! ```
//! use std::time::Duration;
//! use privydns_core::{Config, Strategy};
//!
//! let config = Config::builder()
//!     .upstream("tls://9.9.9.9#dns.quad9.net".parse()?)
//!     .upstream("https://cloudflare-dns.com/dns-query#ip=1.1.1.1".parse()?)
//!     .strategy(Strategy::Fastest)
//!     .timeout(Duration::from_secs(3))
//!     .build()?;
//! assert_eq!(config.upstreams().len(), 2);
//! # Ok::<_, privydns_core::Error>(())
//! ```
//!
//! # For backends, simulations and fuzzers
//!
//! An engine runs with whatever clock, network and randomness it is given. Here it is asked for a name, and says that
//! it wants a connection; a program with sockets would make one:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use privydns_core::{Config, Engine, Input, LookupId, Output, Query, RecordType, Shared};
//!
//! let config = Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).build()?;
//! let shared = Arc::new(Shared::new(config, [0; 32])); // a real seed is random and secret
//! let mut now = Instant::now();
//! let mut engine = Engine::new(shared, now, [1; 32]);
//!
//! let query = Arc::new(Query::new("example.com", RecordType::A)?);
//! let deadline = now + Duration::from_secs(5);
//! engine.handle_input(now, Input::Lookup { id: LookupId(1), query, deadline });
//! let mut message = Vec::new();
//! let Output::Connect { target, .. } = engine.poll_output(now, &mut message) else { panic!() };
//! assert_eq!(target.address, ([192, 0, 2, 1], 853).into());
//!
//! // Nobody connects, and time is made up: five seconds pass at once.
//! let result = loop {
//!     match engine.poll_output(now, &mut message) {
//!         Output::Wait(time) => {
//!             now = time.expect("a lookup is under way");
//!             engine.handle_input(now, Input::Timeout);
//!         }
//!         Output::Done { result, .. } => break result,
//!         _ => {} // further attempts, as hopeless
//!     }
//! };
//! assert!(result.unwrap_err().is_timeout() && now == deadline);
//! # Ok::<_, privydns_core::Error>(())
//! ```
//!
//! The contract is on [`Engine`]; [`handle`] is what lies between callers and a driver. A whole backend, explained, is
//! in [the guide of the test servers](https://docs.rs/privydns-tests/latest/privydns_tests/guide/backend/).
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
pub mod guide;
pub mod handle;
mod http_head;
pub mod logging;
pub mod message;
mod protocol;
mod proxy;
mod schedule;
mod shared;
mod stats;
mod syntax;
pub mod tls;
pub mod upstream;

pub use addresses::Addresses;
pub use cache::{Cache, CacheSettings, CacheStats, QueryKey};
#[cfg(feature = "serde")]
pub use config::ConfigFile;
pub use config::{Config, ResolverBuilder};
pub use discovery::Discovery;
pub use engine::{ConnectionId, Engine, Input, LookupId, MAX_UNWRITTEN, Output, Target};
pub use error::{
    Cause, CertificateProblem, ConfigError, Error, ErrorKind, FailedAttempt, HttpProblem, IoError, Limit,
    NotFound, ProtocolError, Rcode, RuntimeError, Stage, Unroutable,
};
pub use message::{
    Answer, CacheUse, ClientSubnet, ExtendedError, Message, MessageError, NameError, Outcome, Query,
    QueryName, Record, Records, Service, ServiceBinding, Transport,
};
pub use proxy::{Proxy, Tunnel};
pub use rr::{DNSClass, Name, RData, RecordType, ResponseCode};
pub use schedule::{Hedge, Strategy};
pub use shared::{CacheResult, Shared};
pub use stats::{Stats, UpstreamStats};
pub use tls::{ClientCertificate, Pin, Roots, TbsHash, TlsVersion};
pub use upstream::{HttpMethod, HttpVersion, Protocol, SyntaxError, Upstream};

/// Record types and their data, as hickory-proto has them.
pub mod rr {
    pub use hickory_proto::op::ResponseCode;
    pub use hickory_proto::rr::{DNSClass, Name, RData, RecordType, rdata};
}

/// The program of the README, which is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
