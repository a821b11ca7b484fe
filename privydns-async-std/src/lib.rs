//! Encrypted DNS for programs on async-std and on smol.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing else:
//! there is no code path that sends a query in clear.
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
//! With the feature `smol`, and without that of async-std, nothing of async-std is in the dependency tree:
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
//! With both features the resolver runs on async-std's executor, unless it is made with [`Resolver::on`].
//!
//! # Mutual TLS
//!
//! An internal zone, answered over mutual TLS by a server of one's own, and by no other:
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
//! | `async-std` (default), `smol` | the runtime whose executor drives; at least one: see [`Runtime`] |
//! | `aws-lc-rs` (default) | the crypto provider, with post-quantum key exchange |
//! | `ring` | the other crypto provider, with `default-features = false` |
//! | `platform-verifier` | the operating system's certificate verifier as a choice of [`Roots`] |
//! | `connect` | `Resolver::connect`: TCP to a name, its addresses raced |
//! | `serde` | configuration files: `ConfigFile`, and upstreams as text |
//! | `spread` | [`Strategy`]'s `Spread`, which brings the public suffix list along |
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
pub use discover::{discover, discover_on};
#[doc(inline)]
pub use privydns_core::*;
pub use resolver::Resolver;
pub use runtime::Runtime;

#[cfg(not(any(feature = "async-std", feature = "smol")))]
compile_error!("privydns-async-std needs a runtime: enable the feature `async-std` or `smol`");

/// The programs of the README, which are compiled with the documentation's.
#[cfg(all(doctest, feature = "async-std"))]
#[doc = include_str!("../README.md")]
struct Readme;
