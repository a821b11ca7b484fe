//! Encrypted DNS for programs without async.
//!
//! A [`Resolver`] performs lookups over DNS over TLS, DNS over HTTPS and DNS over mutual TLS only. No code path sends a
//! query in clear text.
//!
//! # A lookup
//!
//! ```no_run
//! use privydns_blocking::{Error, RecordType, Resolver};
//!
//! fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!     for record in resolver.lookup("example.com", RecordType::MX)?.records() {
//!         println!("{record}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The crate needs no executor and starts no thread. One of the threads that wait for an answer, the leader, drives all
//! sockets. When the leader's own answer has arrived, another waiting thread becomes the leader. While no thread waits,
//! connections are not driven; a program may call [`Resolver::drive`] for that.
//!
//! # Concurrent lookups and errors
//!
//! A program needs one resolver for all threads. Clones are cheap and share connections, cache and counters. One thread
//! can have many lookups in flight:
//!
//! ```no_run
//! use privydns_blocking::{Error, Query, RecordType, Resolver};
//!
//! fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder()
//!         .upstream("quad9".parse()?)
//!         .upstream("cloudflare-https".parse()?) // used if the first does not answer
//!         .build()?;
//!     let names = ["example.com", "example.net", "example.org"];
//!     let queries = names.map(|name| Query::new(name, RecordType::AAAA)).into_iter().collect::<Result<Vec<_>, _>>()?;
//!     for (query, result) in resolver.lookup_many(queries) {
//!         match result {
//!             Ok(answer) => println!("{}: {:?}", query.name(), answer.addresses().collect::<Vec<_>>()),
//!             Err(error) => eprintln!("{}: {error}", query.name()), // names server, stage and cause
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Mutual TLS
//!
//! An internal zone, answered over mutual TLS by a private server only:
//!
//! ```no_run
//! use std::fs;
//! use privydns_blocking::{ClientCertificate, Resolver, Roots, Upstream};
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
//! | `aws-lc-rs` (default) | the crypto provider aws-lc-rs, with post-quantum key exchange |
//! | `ring` | the crypto provider ring; use `default-features = false`, because aws-lc-rs wins if both are enabled |
//! | `platform-verifier` | the operating system's certificate verifier as a choice of [`Roots`] |
//! | `connect` | `Resolver::connect`: a TCP connection to a name, with its addresses raced |
//! | `serde` | configuration files (`ConfigFile`), and upstreams as text |
//! | `spread` | `Strategy::Spread`, which needs the public suffix list |
//! | `cli` | the command `privydns`; the library does not change |
//!
//! # Versions
//!
//! Types of these dependencies are part of the API, and the crates are re-exported unless the table says otherwise:
//!
//! | crate | version | types in the API |
//! |---|---|---|
//! | [`hickory_proto`] | 0.26 | [`RecordType`], [`RData`] and the module [`rdata`], [`Name`], [`DNSClass`], [`ResponseCode`] |
//! | [`rustls`] | 0.23 | `ServerName` in [`Upstream::server_name`], `CryptoProvider` in [`crypto_provider`] |
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
mod leader;
mod lookups;
mod resolver;
mod stream;

pub use addresses::AddressLookup;
pub use discover::discover;
pub use lookups::Lookups;
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

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
