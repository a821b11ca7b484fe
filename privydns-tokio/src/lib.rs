//! Encrypted DNS for programs on tokio.
//!
//! A [`Resolver`] looks names up over DNS over TLS, DNS over HTTPS and DNS over mutual TLS, and over nothing
//! else: there is no code path that sends a query in clear.
//!
//! ```no_run
//! use privydns_tokio::{RecordType, Resolver};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), privydns_tokio::Error> {
//!     let resolver = Resolver::builder().upstream("tls://9.9.9.9#dns.quad9.net".parse()?).build()?;
//!     let answer = resolver.lookup("example.com", RecordType::MX).await?;
//!     for record in answer.records() {
//!         println!("{} {:?}", record.ttl(), record.data());
//!     }
//!     Ok(())
//! }
//! ```
#![forbid(unsafe_code)]

mod addresses;
mod alarm;
#[cfg(feature = "connect")]
mod connect;
mod discover;
mod driver;
mod reach;
#[cfg(feature = "reqwest")]
mod reqwest;
mod resolver;
mod socket;

pub use addresses::AddressStream;
pub use discover::discover;
pub use privydns_core::*;
pub use resolver::Resolver;
