//! Encrypted DNS for programs on tokio.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing else:
//! there is no code path that sends a query in clear.
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
//! # Many, with what may go wrong
//!
//! A resolver is cheap to clone, and one is enough for a program: all clones share connections, cache and counters.
//! Lookups made at once are sent together, and answered in whatever order.
//!
//! ```no_run
//! use std::time::Duration;
//! use privydns_tokio::{Error, ErrorKind, Resolver};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder()
//!         .upstream("quad9".parse()?)
//!         .upstream("cloudflare-https".parse()?) // where the first does not answer
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
//!             Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => println!("{name}: no address"),
//!             Err(error) => eprintln!("{name}: {error}"), // names server, stage and cause
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Mutual TLS
//!
//! An internal zone, answered over mutual TLS by a server of one's own, and by no other:
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
//! # Where to go from here
//!
//! - [`Resolver`] asks; [`ResolverBuilder`] has every setting, with its default and the reason for it.
//! - [`Resolver::addresses`] gives addresses as they come, in the order in which to connect to them.
//! - [`Upstream`] says which server, where it is, and what it has to prove.
//! - [`Answer`] is what comes, [`Error`] what went wrong, [`Stats`] what was counted.
//! - The [`guide`] has a chapter for each thing that there is to decide or to know, from choosing upstreams to logging.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `aws-lc-rs` (default) | the crypto provider, with post-quantum key exchange |
//! | `ring` | the other crypto provider, with `default-features = false` |
//! | `platform-verifier` | the operating system's certificate verifier as a choice of [`Roots`] |
//! | `connect` | `Resolver::connect`: TCP to a name, its addresses raced |
//! | `reqwest` | the resolver as one of reqwest's |
//! | `serde` | configuration files: `ConfigFile`, and upstreams as text |
//! | `spread` | [`Strategy`]'s `Spread`, which brings the public suffix list along |
#![forbid(unsafe_code)]

mod addresses;
#[cfg(feature = "connect")]
mod connect;
mod discover;
mod driver;
#[cfg(feature = "reqwest")]
mod reqwest;
mod resolver;
mod socket;
mod tcp;
mod timer;

pub use addresses::AddressLookup;
pub use discover::discover;
#[doc(inline)]
pub use privydns_core::*;
pub use resolver::Resolver;

/// The program of the README, which is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
