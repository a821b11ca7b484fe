//! Encrypted DNS for programs without async.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing else:
//! there is no code path that sends a query in clear.
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
//! There is no executor and no hidden thread. Of the threads that wait for an answer, one drives the sockets of all;
//! when its own answer has come, it hands that role to another of them. While nobody waits, nothing is driven:
//! [`Resolver::drive`] is for programs that want it to be.
//!
//! # Many, with what may go wrong
//!
//! A resolver is cheap to clone, and one is enough for a program, whatever its threads: all clones share connections,
//! cache and counters. A single thread has many lookups on their way at once as well:
//!
//! ```no_run
//! use privydns_blocking::{Error, Query, RecordType, Resolver};
//!
//! fn main() -> Result<(), Error> {
//!     let resolver = Resolver::builder()
//!         .upstream("quad9".parse()?)
//!         .upstream("cloudflare-https".parse()?) // where the first does not answer
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
//! An internal zone, answered over mutual TLS by a server of one's own, and by no other:
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
//! | `serde` | configuration files: `ConfigFile`, and upstreams as text |
//! | `spread` | [`Strategy`]'s `Spread`, which brings the public suffix list along |
//! | `cli` | the command `privydns`; the library is the same with it |
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
pub use privydns_core::*;
pub use resolver::Resolver;

/// The program of the README, which is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
