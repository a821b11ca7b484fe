//! The guide: a chapter for each thing that somebody who uses PrivyDNS has to decide or to know.
//!
//! It is the same in every crate: `privydns_tokio`, `privydns_async_std` and `privydns_blocking` have all that is here
//! under their own name, and programs need no other. Its code is about what those have in common, and so is without
//! `.await`.
//!
//! - [`upstreams`]: whom to ask, how that is written, in which order, and what that tells whom
//! - [`configuration`]: all of it in a file
//! - [`answers`]: typed values, in the order in which to use them
//! - [`connecting`]: addresses as they come, connections to a name, and libraries that look names up here
//! - [`mutual_tls`]: a private authority, and clients that prove themselves
//! - [`privacy`]: what leaks, and what does not
//! - [`errors`]: what can fail, what is tried again, and what is left to the program
//! - [`caching`]: what is kept, for how long, and stale answers
//! - [`logging`]: what is told to `tracing`, and the counters
//! - [`command`]: the program `privydns`, and its JSON
//!
//! Two chapters are with the test servers, which their code needs:
//! [testing your own application](https://docs.rs/privydns-tests/latest/privydns_tests/guide/testing/) and
//! [writing another runtime backend](https://docs.rs/privydns-tests/latest/privydns_tests/guide/backend/).

#[doc = include_str!("upstreams.md")]
pub mod upstreams {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("answers.md")]
pub mod answers {}

#[doc = include_str!("connecting.md")]
pub mod connecting {}

#[doc = include_str!("mutual_tls.md")]
pub mod mutual_tls {}

#[doc = include_str!("privacy.md")]
pub mod privacy {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("caching.md")]
pub mod caching {}

#[doc = include_str!("logging.md")]
pub mod logging {}

#[doc = include_str!("command.md")]
pub mod command {}
