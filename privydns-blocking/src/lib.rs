//! Encrypted DNS for programs without async.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing
//! else: there is no code path that sends a query in clear.
//!
//! ```no_run
//! use privydns_blocking::{RecordType, Resolver};
//!
//! fn main() -> Result<(), privydns_blocking::Error> {
//!     let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!     let answer = resolver.lookup("example.com", RecordType::MX)?;
//!     for record in answer.records() {
//!         println!("{} {:?}", record.ttl(), record.data());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! There is no executor and no hidden thread. Of the threads that wait for an answer, one drives the sockets of
//! all; when its own answer has come, it hands that role to another of them. While nobody waits, nothing is
//! driven: [`Resolver::drive`] is for programs that want it to be.
#![forbid(unsafe_code)]

mod addresses;
#[cfg(feature = "connect")]
mod connect;
mod discover;
mod driver;
mod lookups;
mod resolver;
mod seat;
mod stream;

pub use addresses::AddressStream;
pub use discover::discover;
pub use lookups::Lookups;
pub use privydns_core::*;
pub use resolver::Resolver;

/// The program of the README, which is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
