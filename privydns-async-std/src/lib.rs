//! Encrypted DNS for programs on async-std and on smol.
//!
//! A [`Resolver`] performs lookups over DNS over TLS, DNS over HTTPS and DNS over mutual TLS only. No code path sends a
//! query in clear text.
//!
//! # A lookup
//!
//! ```no_run
//! use privydns_async_std::{Error, RecordType, Resolver};
//!
//! # #[cfg(feature = "async-std")]
//! fn main() -> Result<(), Error> {
//!     async_std::task::block_on(async {
//!         let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!         for record in resolver.lookup("example.com", RecordType::MX).await?.records() {
//!             println!("{record}");
//!         }
//!         Ok(())
//!     })
//! }
//! # #[cfg(not(feature = "async-std"))]
//! # fn main() {}
//! ```
//!
//! # On smol
//!
//! With the feature `smol` and without the feature `async-std`, the dependency tree does not contain async-std:
//!
//! ```toml
//! privydns-async-std = { version = "0.1", default-features = false, features = ["smol", "aws-lc-rs"] }
//! ```
//!
//! ```no_run
//! use privydns_async_std::{Error, Resolver};
//!
//! # #[cfg(feature = "smol")]
//! fn main() -> Result<(), Error> {
//!     smol::block_on(async {
//!         let resolver = Resolver::builder().upstream("quad9".parse()?).build()?;
//!         for address in resolver.lookup_ip("example.com").await?.iter() {
//!             println!("{address}");
//!         }
//!         Ok(())
//!     })
//! }
//! # #[cfg(not(feature = "smol"))]
//! # fn main() {}
//! ```
//!
//! With both features the driver runs on async-std's executor. [`Resolver::on`] selects the other executor.
//!
//! # Mutual TLS
//!
//! An internal zone, answered over mutual TLS by a private server only:
//!
//! ```no_run
//! use std::fs;
//! use privydns_async_std::{ClientCertificate, Resolver, Roots, Upstream};
//!
//! fn resolver() -> Result<Resolver, Box<dyn std::error::Error>> {
//!     let certificate = ClientCertificate::from_pem(&fs::read("client.pem")?, &fs::read("client.key")?)?;
//!     let inside = Upstream::tls("dns.corp.example")?
//!         .address([192, 0, 2, 53])
//!         .roots(Roots::from_pem(&fs::read("ca.pem")?)?)
//!         .client_certificate(certificate);
//!     Ok(Resolver::builder().upstream("quad9".parse()?).route("corp.example", [inside]).build()?)
//! }
//! ```
//!
//! # Next steps
//!
//! - [`Resolver`] performs lookups. [`ResolverBuilder`] documents every setting, the default, and the reason for the
//!   default.
//! - [`Resolver::addresses`] yields addresses as they arrive, in the order in which to connect to them.
//! - [`Upstream`] describes a server: the address, the transport, and the proof of identity that the server must give.
//! - A lookup returns an [`Answer`] or an [`Error`]. [`Stats`] holds the counters.
//! - The [`guide`] has a chapter for each topic, from choosing upstreams to logging.
//!
//! # Features
//!
//! | feature | effect |
//! |---|---|
//! | `async-std` (default), `smol` | the runtime that runs the driver; at least one of the two: see [`Runtime`] |
//! | `aws-lc-rs` (default) | the crypto provider aws-lc-rs, with post-quantum key exchange |
//! | `ring` | the crypto provider ring; use `default-features = false`, because aws-lc-rs wins if both are enabled |
//! | `platform-verifier` | the operating system's certificate verifier as a choice of [`Roots`] |
//! | `connect` | `Resolver::connect`: a TCP connection to a name, with its addresses raced |
//! | `serde` | configuration files (`ConfigFile`), and upstreams as text |
//! | `spread` | `Strategy::Spread`, which needs the public suffix list |
//!
//! # Versions
//!
//! Types of these dependencies are part of the API, and the crates are re-exported unless the table says otherwise:
//!
//! | crate | version | types in the API |
//! |---|---|---|
//! | [`hickory_proto`] | 0.26 | [`RecordType`], [`RData`] and the module [`rdata`], [`Name`], [`DNSClass`], [`ResponseCode`] |
//! | [`rustls`] | 0.23 | `ServerName` in [`Upstream::server_name`], `CryptoProvider` in [`crypto_provider`] |
//! | `async_io` (feature `connect`) | 2 | `Async<TcpStream>`, which `Resolver::connect` returns |
//!
//! An upgrade to an incompatible version of one of these crates is a breaking release of this crate. Other dependencies
//! are private, and an upgrade of them is not a breaking change. New variants of enums and new fields of structs that
//! are marked `non_exhaustive` are not breaking changes, and neither are the texts of errors. The minimum supported
//! Rust version may rise in a minor release.
#![forbid(unsafe_code)]

mod addresses;
#[cfg(feature = "connect")]
mod connect;
mod discover;
mod driver;
mod resolver;
mod runtime;
mod socket;
mod tcp;
mod timer;

pub use addresses::AddressLookup;
/// The crate of the type that `Resolver::connect` returns.
#[cfg(feature = "connect")]
pub use async_io;
pub use discover::{discover, discover_on};
#[doc(inline)]
#[cfg(feature = "serde")]
pub use privydns_core::ConfigFile;
#[doc(inline)]
pub use privydns_core::{
    Addresses, Answer, AnswerAddresses, CacheSettings, CacheStats, CacheUse, Cause, CertificateProblem,
    ClientCertificate, ClientSubnet, Config, ConfigError, DNSClass, Discovery, Error, ErrorKind,
    ExtendedError, FailedAttempt, Hedge, HttpMethod, HttpProblem, HttpVersion, IoError, Limit, MAX_UPSTREAMS,
    MessageError, Name, NameError, NotFound, Outcome, Pin, Protocol, ProtocolError, Proxy, Query, QueryName,
    RData, Rcode, Record, RecordType, Records, ResolverBuilder, ResponseCode, Roots, RuntimeError, Service,
    ServiceBinding, Stage, Stamp, StampProperties, Stats, Strategy, SyntaxError, TbsHash, Template,
    TlsVersion, Transport, Unroutable, Upstream, UpstreamStats, crypto_provider, guide, hickory_proto,
    logging, presets, rdata, rustls,
};
pub use resolver::Resolver;
pub use runtime::Runtime;

#[cfg(not(any(feature = "async-std", feature = "smol")))]
compile_error!("privydns-async-std needs a runtime: enable the feature `async-std` or `smol`");

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "async-std"))]
#[doc = include_str!("../README.md")]
struct Readme;
