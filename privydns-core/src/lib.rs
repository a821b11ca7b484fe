//! The PrivyDNS resolver as a state machine that performs no I/O.
//!
//! An [`Engine`](engine::Engine) receives events and the current time, and returns the next actions: connect, transmit,
//! close, deliver an answer, wait. This crate makes all decisions. The runtime crates (`privydns-tokio`,
//! `privydns-async-std`, `privydns-blocking`) own the sockets and make no decisions. A program depends on one of the
//! runtime crates, which re-export the types that programs need. Depend on this crate to write another runtime crate, a
//! simulation or a test.
//!
//! No code path sends a query in clear text.
//!
//! # For programs
//!
//! The API for programs is the same with every runtime, and the [`guide`] explains it. [`Upstream`] describes a server:
//! the address, the transport, and the proof of identity that the server must give. [`ResolverBuilder`] documents every
//! setting, the default, and the reason for the default. A lookup returns an [`Answer`] or an [`Error`]. [`Stats`] holds
//! the counters.
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
//! # For runtime crates, simulations and fuzzers
//!
//! The caller supplies the clock, the network and the randomness of an engine. The following example starts a lookup.
//! The engine asks for a connection, which a program with sockets would open:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use privydns_core::engine::{Engine, Input, LookupId, Output, Shared};
//! use privydns_core::{Config, Query, RecordType};
//!
//! let config = Config::builder().upstream("tls://192.0.2.1#dns.example".parse()?).build()?;
//! let shared = Arc::new(Shared::new(config, [0; 32])); // in production, the seed is random and secret
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
//! // The connection is never opened. The clock is simulated, so the five seconds pass immediately.
//! let result = loop {
//!     match engine.poll_output(now, &mut message) {
//!         Output::Wait(time) => {
//!             now = time.expect("a lookup is in flight");
//!             engine.handle_input(now, Input::Timeout);
//!         }
//!         Output::Done { result, .. } => break result,
//!         _ => {} // further connection attempts
//!     }
//! };
//! assert!(result.unwrap_err().is_timeout() && now == deadline);
//! # Ok::<_, privydns_core::Error>(())
//! ```
//!
//! [`Engine`](engine::Engine) documents the contract between an engine and a driver. The module [`handle`] connects
//! callers to a driver. [The guide of the test servers](https://docs.rs/privydns-tests/latest/privydns_tests/guide/backend/)
//! explains a complete runtime crate.
//!
//! # Features
//!
//! | feature | effect |
//! |---|---|
//! | `aws-lc-rs` (default) | the crypto provider aws-lc-rs, with post-quantum key exchange |
//! | `ring` | the crypto provider ring; use `default-features = false`, because aws-lc-rs wins if both are enabled |
//! | `platform-verifier` | the operating system's certificate verifier as a choice of [`Roots`] |
//! | `serde` | configuration files (`ConfigFile`), and upstreams as text |
//! | `spread` | `Strategy::Spread`, which needs the public suffix list |
//!
//! # Versions
//!
//! Types of these dependencies are part of the API, and the crates are re-exported, so that a program can name the same
//! version:
//!
//! | crate | version | types in the API |
//! |---|---|---|
//! | [`hickory_proto`] | 0.26 | [`RecordType`], [`RData`] and the module [`rdata`], [`Name`], [`DNSClass`], [`ResponseCode`] |
//! | [`rustls`] | 0.23 | `ServerName` in [`Upstream::server_name`], `CryptoProvider` in [`crypto_provider`], `ClientConfig` in [`engine::Target`] |
//!
//! An upgrade to an incompatible version of one of these crates is a breaking release of this crate and of the runtime
//! crates. Other dependencies are private, and an upgrade of them is not a breaking change. New variants of enums and
//! new fields of structs that are marked `non_exhaustive` are not breaking changes, and neither are the texts of errors.
//! The minimum supported Rust version may rise in a minor release.
#![forbid(unsafe_code)]

mod addresses;
mod budget;
mod cache;
mod config;
#[allow(unreachable_pub, reason = "the machines are reached from outside behind the feature `fuzzing`")]
mod connection;
mod discovery;
#[allow(unreachable_pub, reason = "`Endpoint` is reached from outside behind the feature `fuzzing`")]
mod doh;
pub mod engine;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
pub mod handle;
mod http_head;
pub mod logging;
mod message;
mod protocol;
mod proxy;
mod schedule;
mod shared;
mod stats;
mod syntax;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod testkit;
mod tls;
mod upstream;

pub use addresses::Addresses;
pub use cache::{CacheSettings, CacheStats};
#[cfg(feature = "serde")]
pub use config::ConfigFile;
pub use config::{Config, MAX_UPSTREAMS, ResolverBuilder};
pub use discovery::Discovery;
pub use error::{
    Cause, CertificateProblem, ConfigError, Error, ErrorKind, FailedAttempt, HttpProblem, IoError, Limit,
    NotFound, ProtocolError, Rcode, RuntimeError, Stage, Unroutable,
};
pub use message::{
    Answer, AnswerAddresses, CacheUse, ClientSubnet, ExtendedError, Message, MessageError, NameError,
    Outcome, Query, QueryName, Record, Records, Service, ServiceBinding, Transport,
};
pub use proxy::Proxy;
pub use schedule::{Hedge, Strategy};
pub use stats::{Stats, UpstreamStats};
pub use tls::{ClientCertificate, Pin, Roots, TbsHash, TlsVersion, provider as crypto_provider};
pub use upstream::{
    HttpMethod, HttpVersion, Protocol, Stamp, StampProperties, SyntaxError, Template, Upstream, presets,
};

pub use hickory_proto;
pub use hickory_proto::op::ResponseCode;
pub use hickory_proto::rr::{DNSClass, Name, RData, RecordType, rdata};
pub use rustls;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
