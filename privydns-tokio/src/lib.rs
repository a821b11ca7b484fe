//! Encrypted DNS for programs on Tokio.
//!
//! A [`Resolver`] performs lookups over DNS over TLS, DNS over HTTPS and DNS over mutual TLS only. No code path sends a
//! query in clear text.
//!
//! # A lookup
//!
//! ```no_run
//! use privydns_tokio::{Error, RecordType, Resolver};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!     for record in resolver.lookup("example.com", RecordType::MX).await?.records() {
//!         println!("{record}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Concurrent lookups and errors
//!
//! A program needs one resolver. Clones are cheap and share connections, cache and counters. Concurrent lookups share a
//! connection, and their answers may arrive in any order.
//!
//! ```no_run
//! use std::time::Duration;
//! use privydns_tokio::{Error, Resolver};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder()
//!         .upstream("quad9".parse()?)
//!         .upstream("cloudflare-https".parse()?) // used if the first does not answer
//!         .timeout(Duration::from_secs(3))
//!         .build()?;
//!     let names = ["example.com", "example.net", "example.org"];
//!     let lookups = names.map(|name| {
//!         let resolver = resolver.clone();
//!         (name, tokio::spawn(async move { resolver.lookup_ip(name).await }))
//!     });
//!     for (name, lookup) in lookups {
//!         match lookup.await.expect("a lookup does not panic") {
//!             Ok(addresses) => println!("{name}: {:?}", addresses.iter().collect::<Vec<_>>()),
//!             Err(error) if error.is_not_found() => println!("{name}: no address"),
//!             Err(error) => eprintln!("{name}: {error}"), // names server, stage and cause
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
//! use privydns_tokio::{ClientCertificate, Resolver, Roots, Upstream};
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
//! | `reqwest` | `Resolver` implements reqwest's `dns::Resolve` |
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
//! | `reqwest` | 0.13 | the trait `dns::Resolve`, with the feature `reqwest` |
//! | `tokio` (not re-exported) | 1 | `net::TcpStream`, with the feature `connect` |
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
#[cfg(feature = "reqwest")]
mod reqwest_dns;
mod resolver;
mod socket;
mod tcp;
mod timer;

pub use addresses::AddressLookup;
pub use discover::discover;
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
#[cfg(feature = "reqwest")]
pub use reqwest;
pub use resolver::Resolver;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
