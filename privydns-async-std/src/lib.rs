//! Encrypted DNS for programs on async-std and on smol.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing
//! else: there is no code path that sends a query in clear.
//!
//! ```no_run
//! use privydns_async_std::{RecordType, Resolver};
//!
//! # #[cfg(feature = "async-std")]
//! fn main() -> Result<(), privydns_async_std::Error> {
//!     async_std::task::block_on(async {
//!         let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!         let answer = resolver.lookup("example.com", RecordType::MX).await?;
//!         for record in answer.records() {
//!             println!("{} {:?}", record.ttl(), record.data());
//!         }
//!         Ok(())
//!     })
//! }
//! # #[cfg(not(feature = "async-std"))]
//! # fn main() {}
//! ```
//!
//! On smol it is the same with `smol::block_on`; see [`Runtime`].
#![forbid(unsafe_code)]

mod addresses;
mod alarm;
#[cfg(feature = "connect")]
mod connect;
mod discover;
mod driver;
mod reach;
mod resolver;
mod runtime;
mod socket;

pub use addresses::AddressStream;
pub use discover::{discover, discover_on};
pub use privydns_core::*;
pub use resolver::Resolver;
pub use runtime::Runtime;

#[cfg(not(any(feature = "async-std", feature = "smol")))]
compile_error!("privydns-async-std needs a runtime: enable the feature `async-std` or `smol`");

/// The programs of the README, which are compiled with the documentation's.
#[cfg(all(doctest, feature = "async-std"))]
#[doc = include_str!("../README.md")]
struct Readme;
